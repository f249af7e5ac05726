"""A store in a bucket: a log of what was changed, and on each machine a copy in SQLite.

``log/000000000042`` holds the rows that the 42nd transaction changed, and the digest of the 41st.
Whoever writes brings his copy up to date, tries his change on it in a transaction, and puts the
next number; only then the copy commits. Where another one has put that number, the copy rolls back
and it is all done again. So transactions come one after the other, as in a database; nothing is
said to be recorded that is not in the bucket; and who dies in between leaves a copy that is a
little behind. Now and then the whole copy is put (``whole/``), so that a new machine needs not
begin at 1. Readers ask for what was put since, each time.
"""

from __future__ import annotations

import sqlite3
import tempfile
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, closing, contextmanager, suppress
from datetime import datetime
from hashlib import sha256
from pathlib import Path
from secrets import token_hex
from typing import TYPE_CHECKING, Any, TypeVar

import msgspec

from driftctl_py.adapters.store.database import T
from driftctl_py.adapters.store.migrate import VERSION, is_current
from driftctl_py.adapters.store.numbers import (
    FIRST,
    claim,
    name_of,
    number_of,
    superfluous,
)
from driftctl_py.adapters.store.objects import Item, Listing, NotAllowed, Objects, turns
from driftctl_py.adapters.store.replica import (
    Position,
    Replica,
    Row,
    image_of,
    settle,
    touched,
    watch,
)
from driftctl_py.adapters.store.sqlite import SqliteDatabase, alone
from driftctl_py.errors import DriftctlError, StoreError, Unavailable

if TYPE_CHECKING:
    from sqlalchemy import Connection

FORMAT = 1
FILENAME = "copy.db"
# For how long others may be faster than we are.
BUSY_SECONDS = 120.0
# After so many transactions the whole is put, and so many behind, it is fetched.
WHOLE_AFTER = 100
# A new machine fetches so many at a time.
_BATCH = 64
_LOG, _WHOLE, _PROBE = "log/", "whole/", "conditional-put"


class _Header(msgspec.Struct, frozen=True):
    """What every version of ours writes, and reads of every other one."""

    format: int
    schema: str


class _Change(_Header, frozen=True):
    """One of the log: ``rows``, or, where the schema is another one from here on, ``whole``.
    ``before`` is the digest of the one before; ``once`` makes no two of them alike."""

    number: int
    before: str
    once: str
    rows: list[Row]
    whole: bytes | None = None


class _Whole(_Header, frozen=True):
    """All of it after a number of the log, which has that digest."""

    number: int
    digest: str
    image: bytes


_Kind = TypeVar("_Kind", _Change, _Whole)


class BucketDatabase:
    """See `Database`. Any number of machines, each with a copy in a ``directory`` of its own, and
    any number of threads and processes to a copy."""

    def __init__(self, objects: Objects, directory: Path, *, now: Callable[[], datetime]) -> None:
        self._objects = objects
        self._directory = directory
        self._now = now
        with self._translated():
            self._replica = Replica(directory / FILENAME, self.shown)
            self._bring_up_to_date()
        self._copy = SqliteDatabase(self._replica.path, now=now, prepare=watch)
        # An inode is given to no other file while this one is open.
        self._file = 0

    @property
    def shown(self) -> str:
        """Where that is, for people."""
        return f"The store {self._objects.shown}"

    def rows(self, sql: str, values: Mapping[str, object]) -> list[tuple[Any, ...]]:
        """What a query finds now."""
        with self._translated():
            at = self._replica.position()
            if at is None or not _is_newest(at, self._since(at)):
                with self._alone():
                    self._follow()
            copy = self._at_hand()
        return copy.rows(sql, values)

    def write(self, change: Callable[[Connection], T]) -> T:
        """Do it until nobody else was faster."""
        with self._translated():
            for _ in turns(BUSY_SECONDS):
                with self._alone():
                    at, listing = self._follow()
                    with suppress(_Taken):
                        return self._try(change, at, listing.at)
        raise self._busy()

    def close(self) -> None:
        """Close the copy."""
        self._copy.close()

    # --- writing

    def _try(self, change: Callable[[Connection], T], at: Position, seen: datetime) -> T:
        recorded: list[Position] = []
        result: list[T] = []
        try:
            with self._at_hand().writing() as connection:
                result.append(change(connection))
                if rows := touched(connection):
                    recorded.append(self._put(at, seen, rows=rows))
                    settle(connection, recorded[0])
        except DriftctlError:
            # It is recorded. A copy that could not commit (a full disk) is only behind by it.
            if not recorded:
                raise
        else:
            if recorded and recorded[0].number % WHOLE_AFTER == 0:
                # What this is for can be done by whoever writes the next hundredth.
                with suppress(DriftctlError, sqlite3.Error):
                    self._put_whole(recorded[0])
        return result[0]

    def _put(
        self, at: Position, seen: datetime, *, rows: list[Row], whole: bytes | None = None
    ) -> Position:
        """Put what comes after ``at``, the last one at the moment ``seen``. Raises `_Taken`."""
        number = at.number + 1
        data = _encoded(_Change(FORMAT, VERSION, number, at.digest, token_hex(8), rows, whole))
        made = claim(self._objects, _LOG, number, data, seen=seen)
        if made is None:
            raise _Taken
        return Position(number, _digest(data), made.etag)

    def _put_whole(self, at: Position) -> None:
        whole = _Whole(FORMAT, VERSION, at.number, at.digest, self._replica.image())
        self._objects.create(name_of(_WHOLE, at.number), _encoded(whole))
        wholes = self._objects.listed(_WHOLE)
        numbers = [number for item in wholes.items if (number := number_of(item.name))]
        # One more than is needed: somebody may be about to fetch it, and then what came after it.
        if len(numbers) > 1:
            log = self._objects.listed(_LOG)
            old = superfluous(wholes, below=numbers[-2]) + superfluous(log, below=numbers[-2])
            self._objects.remove(old)

    # --- following

    def _follow(self) -> tuple[Position, Listing]:
        """Bring the copy up to date, under its lock; and how far that is, by which listing."""
        for _ in turns(BUSY_SECONDS):
            at = self._replica.position() or self._install_newest()
            if at is None:
                continue
            is_current(self._replica.schema(), self.shown)
            listing = self._since(at)
            if (now := self._advanced(at, listing)) is not None:
                return now, listing
        raise self._busy()

    def _advanced(self, at: Position, listing: Listing) -> Position | None:
        """None: it has to be looked again, since what was listed is there no more."""
        numbered = _numbered(listing)
        if not numbered:
            raise self._other(f"ends before entry {at.number}")
        first, item = numbered[0]
        if first != at.number:
            # What comes after ours was pruned: we were not here for a long time.
            self._install_newest()
            return None
        if item.etag != at.etag:
            raise self._other(f"has another entry {at.number}")
        new = numbered[1:]
        if len(new) > WHOLE_AFTER and self._install_whole(above=at.number):
            return None
        for begin in range(0, len(new), _BATCH):
            fetched = self._fetched(at, new[begin : begin + _BATCH])
            if fetched is None:
                return None
            at = fetched
        return at

    def _fetched(self, at: Position, items: Sequence[tuple[int, Item]]) -> Position | None:
        rows: list[Row] = []
        found = self._objects.get_all([item for _, item in items])
        for (number, item), data in zip(items, found, strict=True):
            if data is None:
                return None
            if number != at.number + 1:
                raise self._damaged(name_of(_LOG, at.number + 1), "it is missing")
            change = self._decoded(item.name, data, _Change)
            if change.number != number or change.before != at.digest:
                raise self._damaged(item.name, "it does not follow from the one before it")
            at = Position(number, _digest(data), item.etag)
            if change.whole is not None:
                self._replica.install(change.whole, at)
                rows = []
            else:
                rows += change.rows
        self._replica.apply(rows, at)
        return at

    def _install_newest(self) -> Position | None:
        """The newest whole, or else the beginning, which is made where there is none. None: it has
        to be looked again."""
        if (at := self._install_whole(above=0)) is not None:
            return at
        name = name_of(_LOG, FIRST)
        listing = self._objects.listed(name)
        if not listing.items:
            return self._begin(listing)
        data = self._objects.get(listing.items[0]) or b""
        first = self._decoded(name, data, _Change)
        if first.whole is None:
            raise self._damaged(name, "it is no beginning")
        at = Position(FIRST, _digest(data), listing.items[0].etag)
        self._replica.install(first.whole, at)
        return at

    def _install_whole(self, *, above: int) -> Position | None:
        """None where there is none that is newer."""
        numbered = _numbered(self._objects.listed(_WHOLE, after=name_of(_WHOLE, above)))
        if not numbered:
            return None
        number, item = numbered[-1]
        data = self._objects.get(item)
        found = self._objects.listed(name_of(_LOG, number)).items
        if data is None or not found:
            # Pruned since it was listed: there are newer ones.
            return self._install_whole(above=number)
        whole = self._decoded(item.name, data, _Whole)
        at = Position(number, whole.digest, found[0].etag)
        self._replica.install(whole.image, at)
        return at

    # --- beginning

    def _bring_up_to_date(self) -> None:
        with self._alone():
            for _ in turns(BUSY_SECONDS):
                at, listing = self._follow()
                if is_current(self._replica.schema(), self.shown):
                    return
                with suppress(_Taken):
                    image = self._migrated(self._replica.image())
                    position = self._put(at, listing.at, rows=[], whole=image)
                    self._replica.install(image, position)
                    return
        raise self._busy()

    def _begin(self, listing: Listing) -> Position | None:
        """Make the first entry. None: somebody else was faster."""
        try:
            self._insist_on_conditions()
        except NotAllowed as error:
            raise StoreError(
                f"{self.shown} is empty, and we are not allowed to begin it.",
                todo="Let somebody who may write there do it once: driftctl-py status. If that is "
                "to be us: allow s3:PutObject there; see the documentation of `store`.",
            ) from error
        image = self._migrated(None)
        with suppress(_Taken):
            at = self._put(Position(FIRST - 1, "", ""), listing.at, rows=[], whole=image)
            self._replica.install(image, at)
            return at
        return None

    def _migrated(self, image: bytes | None) -> bytes:
        with tempfile.TemporaryDirectory(dir=self._directory) as name:
            path = Path(name) / FILENAME
            if image is not None:
                path.touch(0o600)
                path.write_bytes(image)
            SqliteDatabase(path, now=self._now).close()
            with closing(sqlite3.connect(path)) as connection:
                return image_of(connection)

    def _insist_on_conditions(self) -> None:
        """Refuse a bucket in which two could put one number, before anything depends on it."""
        if self._objects.create(_PROBE, b"one") and self._objects.create(_PROBE, b"two"):
            raise StoreError(
                f"{self.shown} cannot be kept there: this S3 puts an object though there is one of "
                "that name (If-None-Match), so two could take one run lock.",
                todo="Use another S3, or store: {url_env: DRIFTCTL_STORE_URL}",
            )

    # ---

    def _at_hand(self) -> SqliteDatabase:
        """The copy, opened anew where another file lies in its place: else it would be read, and
        written, where nobody finds it."""
        found = self._replica.path.stat().st_ino
        if found != self._file:
            self._copy.close()
            self._file = found
        return self._copy

    def _since(self, at: Position) -> Listing:
        """What the copy is at, and what was put since."""
        return self._objects.listed(_LOG, after=name_of(_LOG, at.number - 1))

    def _alone(self) -> AbstractContextManager[None]:
        return alone(
            self._directory / f"{FILENAME}.lock",
            seconds=BUSY_SECONDS,
            busy=Unavailable(
                f"The copy of {self._objects.shown} in {self._directory} has been in use by "
                f"another process for {BUSY_SECONDS:.0f} seconds.",
                todo=f"See who has it open, then try again: fuser -v {self._directory}/{FILENAME}",
            ),
        )

    def _decoded(self, name: str, data: bytes, kind: type[_Kind]) -> _Kind:
        try:
            plain = zlib.decompress(data)
            header = msgspec.msgpack.decode(plain, type=_Header)
            if header.format > FORMAT:
                raise StoreError(
                    f"{self.shown} is written in the format {header.format}, and this version of "
                    f"driftctl-py knows none later than {FORMAT}: a newer one has used it.",
                    todo="Use that version here too: pip install --upgrade driftctl-py",
                )
            is_current(header.schema, self.shown)
            return msgspec.msgpack.decode(plain, type=kind)
        except (zlib.error, msgspec.DecodeError) as error:
            raise self._damaged(name, f"it cannot be read ({error})") from error

    def _damaged(self, name: str, why: str) -> StoreError:
        return StoreError(
            f"{self.shown} is damaged at {name}: {why}.",
            todo="See who may write there. Where the bucket keeps versions, restore that object.",
        )

    def _other(self, how: str) -> StoreError:
        return StoreError(
            f"{self.shown} is not the one that this machine knows: it {how}. Somebody removed it, "
            "or put an older one in its place, and approvals and the audit trail with it.",
            todo="Restore the bucket. If it is to be so, forget what was known: "
            f"rm -r {self._directory}",
        )

    def _busy(self) -> Unavailable:
        return Unavailable(
            f"{self.shown} was written to by others for {BUSY_SECONDS:.0f} seconds, and we were "
            "never the first, so nothing was recorded.",
            todo="Try again in a moment, or let fewer jobs run at once; where that does not do, "
            "use a PostgreSQL: store: {url_env: DRIFTCTL_STORE_URL}",
        )

    @contextmanager
    def _translated(self) -> Iterator[None]:
        """The copy's errors as ours."""
        try:
            yield
        except sqlite3.Error as error:
            raise StoreError(
                f"The copy of {self._objects.shown} in {self._directory} cannot be used: {error}.",
                todo=f"Check the disk (df -h {self._directory}). It is only a copy: "
                f"rm -r {self._directory}",
            ) from error
        except OSError as error:
            raise StoreError(
                f"The copy of {self._objects.shown} in {self._directory} cannot be used: "
                f"{error.strerror or error}.",
                todo=f"Check the disk and who may write there: ls -la {self._directory}",
            ) from error


class _Taken(Exception):
    """Somebody else has put that number."""


def _is_newest(at: Position, listing: Listing) -> bool:
    return [(number, item.etag) for number, item in _numbered(listing)] == [(at.number, at.etag)]


def _numbered(listing: Listing) -> list[tuple[int, Item]]:
    found = ((number_of(item.name), item) for item in listing.items)
    return [(number, item) for number, item in found if number is not None]


def _encoded(value: _Change | _Whole) -> bytes:
    return zlib.compress(msgspec.msgpack.encode(value))


def _digest(data: bytes) -> str:
    return sha256(data).hexdigest()
