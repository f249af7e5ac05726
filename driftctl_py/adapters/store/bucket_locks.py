"""Run locks in a bucket: of each environment, objects that are numbered 1, 2, 3, …

The last one says who has it, or, empty, that nobody has. Whoever takes a lock, beats or frees it
puts the next number, and of several who put one number one does. They are not in the log of the
store: a heartbeat is worth nothing the moment that the next one comes, and the locks of two
environments have nothing to do with each other.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from secrets import token_hex
from urllib.parse import quote, unquote

import msgspec

from driftctl_py.adapters.store.numbers import claim, number_of, superfluous
from driftctl_py.adapters.store.objects import Item, Objects, turns
from driftctl_py.core.lease import Lease
from driftctl_py.errors import DriftctlError, StoreError, Unavailable

BUSY_SECONDS = 30.0
_LOCKS = "locks/"
# How far the clock of a machine may be off before S3's, which only knows seconds, is the better.
_AGREES = timedelta(seconds=1.5)


class _Held(msgspec.Struct, frozen=True):
    """The bytes of one. ``once`` tells those of two apart who would write the same."""

    run: str
    worker: str
    taken_at: datetime
    beat_at: datetime
    seconds: float
    once: str


@dataclass(frozen=True, slots=True)
class _Found:
    """The last one of an environment, as it was listed at a moment of S3's; ``now`` is that moment
    more exactly. ``older`` may be removed."""

    at: datetime
    now: datetime
    number: int = 0
    lease: Lease | None = None
    older: tuple[str, ...] = ()


class BucketLocks:
    """See `app.ports.Store`. ``now`` is this machine's clock: it says more than the second, as long
    as it agrees with S3's."""

    def __init__(self, objects: Objects, *, now: Callable[[], datetime]) -> None:
        self._objects = objects
        self._now = now

    def take(self, lease: Lease) -> Lease | None:
        """None: it is ours now. Else who has it."""
        for _ in turns(BUSY_SECONDS):
            found = self._found(lease.environment)
            if found is None:
                continue
            now, holder = found.now, found.lease
            if holder is not None and not _same(holder, lease):
                lasts = timedelta(seconds=holder.seconds)
                if holder.beat_at + lasts >= now:
                    return holder
            if self._put(lease.environment, found, replace(lease, taken_at=now, beat_at=now)):
                self._prune(found)
                return None
        raise self._busy(lease)

    def beat(self, lease: Lease) -> bool:
        """False when the lock was lost to somebody."""
        for _ in turns(BUSY_SECONDS):
            found = self._found(lease.environment)
            if found is None:
                continue
            if found.lease is None or not _same(found.lease, lease):
                return False
            if self._put(lease.environment, found, replace(found.lease, beat_at=found.now)):
                return True
        raise self._busy(lease)

    def free(self, lease: Lease) -> None:
        """Nothing happens when it is somebody else's by now."""
        for _ in turns(BUSY_SECONDS):
            found = self._found(lease.environment)
            if found is None:
                continue
            if found.lease is None or not _same(found.lease, lease):
                return
            if self._put(lease.environment, found, None):
                self._prune(found)
                return
        raise self._busy(lease)

    def leases(self) -> tuple[Lease, ...]:
        """All; expired ones too. Needs no answer for those that are free."""
        listing = self._objects.listed(_LOCKS)
        last: dict[str, Item] = {}
        for item in listing.items:
            if number_of(item.name) is not None:
                last[item.name.rpartition("/")[0]] = item
        held = [item for item in last.values() if item.size]
        texts = self._objects.get_all(held)
        # One that was pruned since it was listed was not the last one any more.
        found = [
            _read(item.name, text)
            for item, text in zip(held, texts, strict=True)
            if text is not None
        ]
        return tuple(sorted(found, key=lambda each: each.environment))

    def _found(self, environment: str) -> _Found | None:
        """None: it was followed by others before it could be read."""
        listing = self._objects.listed(_shelf(environment))
        now = self._agreed(listing.at)
        numbered = [item for item in listing.items if number_of(item.name) is not None]
        if not numbered:
            return _Found(listing.at, now)
        last = numbered[-1]
        number = number_of(last.name) or 0
        older = tuple(superfluous(listing, below=number))
        text = self._objects.get(last) if last.size else b""
        if text is None:
            return None
        lease = _read(last.name, text) if text else None
        return _Found(listing.at, now, number, lease, older)

    def _agreed(self, theirs: datetime) -> datetime:
        mine = self._now()
        return mine if abs(mine - theirs) <= _AGREES else theirs

    def _put(self, environment: str, found: _Found, lease: Lease | None) -> bool:
        data = _spelled(lease) if lease is not None else b""
        shelf = _shelf(environment)
        return claim(self._objects, shelf, found.number + 1, data, seen=found.at) is not None

    def _prune(self, found: _Found) -> None:
        # Who may not remove, or does not get to it now, leaves some names more.
        if found.older:
            with suppress(DriftctlError):
                self._objects.remove(found.older)

    def _busy(self, lease: Lease) -> Unavailable:
        return Unavailable(
            f"The run lock of {lease.environment} in {self._objects.shown} went from one to the "
            f"other for {BUSY_SECONDS:.0f} seconds, and we were never the first.",
            todo="Try again in a moment: driftctl-py status",
        )


def _same(holder: Lease, lease: Lease) -> bool:
    return (holder.run, holder.worker) == (lease.run, lease.worker)


def _shelf(environment: str) -> str:
    return f"{_LOCKS}{quote(environment, safe='')}/"


def _spelled(lease: Lease) -> bytes:
    held = _Held(
        lease.run, lease.worker, lease.taken_at, lease.beat_at, lease.seconds, token_hex(8)
    )
    return msgspec.json.encode(held)


def _read(name: str, text: bytes) -> Lease:
    environment = unquote(name.removeprefix(_LOCKS).rpartition("/")[0])
    try:
        held = msgspec.json.decode(text, type=_Held)
    except msgspec.DecodeError as error:
        raise StoreError(
            f"{name} is no run lock that this version can read: {error}.",
            todo="Use the version of driftctl-py that wrote it, or a later one.",
        ) from error
    return Lease(
        environment,
        held.run,
        held.worker,
        held.taken_at.astimezone(UTC),
        held.beat_at.astimezone(UTC),
        held.seconds,
    )
