"""SQLite in the data directory: one file, only ours, written by one transaction at a time."""

from __future__ import annotations

import fcntl
import os
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager, suppress
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from driftctl_py.adapters.private import make_private_directory, refuse_shared
from driftctl_py.adapters.store.database import T
from driftctl_py.adapters.store.migrate import VERSION_QUERY, is_current, migrate
from driftctl_py.adapters.store.records import microseconds
from driftctl_py.errors import DriftctlError, StoreError, Unavailable

if TYPE_CHECKING:
    from sqlalchemy import Connection, Engine

# Transactions take milliseconds. Who waits longer waits for somebody who was stopped.
BUSY_SECONDS = 10.0
MIGRATION_SECONDS = 60.0


@contextmanager
def alone(path: Path, *, seconds: float, busy: DriftctlError) -> Iterator[None]:
    """While nobody else on this machine, in this process or another, holds the file locked. Raises
    ``busy`` when that takes longer."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        until = time.monotonic() + seconds
        while True:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError as error:
                if time.monotonic() > until:
                    raise busy from error
                time.sleep(0.02)
        yield
    finally:
        os.close(descriptor)


class SqliteDatabase:
    """One file, in WAL mode: readers and the one who writes do not wait for each other."""

    def __init__(
        self,
        path: Path,
        *,
        now: Callable[[], datetime],
        prepare: Callable[[sqlite3.Connection], None] = lambda connection: None,
    ) -> None:
        """``prepare`` is called with each connection that will write."""
        self._path = path
        self._now = now
        self._prepare = prepare
        self._guard = threading.Lock()
        self._reader: sqlite3.Connection | None = None
        self._writer: Engine | None = None
        try:
            with self._translated():
                make_private_directory(path.parent, StoreError)
                self._make_file()
                if not is_current(self._version(), self.shown):
                    self._migrate()
        except DriftctlError:
            self.close()
            raise

    @property
    def shown(self) -> str:
        """Where that is, for people."""
        return f"The store {self._path}"

    def rows(self, sql: str, values: Mapping[str, object]) -> list[tuple[Any, ...]]:
        """What a query finds now."""
        with self._translated(), self._guard:
            if self._reader is None:
                self._reader = self._connect(check_same_thread=False)
                self._reader.execute("PRAGMA query_only = ON")
            return self._reader.execute(sql, values).fetchall()

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """A transaction; no other one writes meanwhile."""
        with self._translated(), self._engine().begin() as connection:
            yield connection

    def write(self, change: Callable[[Connection], T]) -> T:
        """Do it in a transaction, once."""
        with self.writing() as connection:
            return change(connection)

    def now(self, connection: Connection) -> int:
        """The moment, by this machine's clock: nobody else's is involved."""
        return microseconds(self._now())

    def close(self) -> None:
        """Close the file."""
        with self._guard:
            if self._reader is not None:
                self._reader.close()
                self._reader = None
            if self._writer is not None:
                self._writer.dispose()
                self._writer = None

    def _make_file(self) -> None:
        # SQLite gives its other files (-wal, -shm) the mode of this one.
        with suppress(FileExistsError):
            os.close(os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600))
        refuse_shared(self._path, StoreError, "file")

    def _version(self) -> str | None:
        if not self.rows("SELECT 1 FROM sqlite_master WHERE name = 'alembic_version'", {}):
            return None
        found = self.rows(VERSION_QUERY, {})
        return str(found[0][0]) if found else None

    def _migrate(self) -> None:
        busy = Unavailable(
            f"{self.shown} has been brought up to date by another process for "
            f"{MIGRATION_SECONDS:.0f} seconds.",
            todo="Wait until it is through, then try again.",
        )
        lock = self._path.with_name(f"{self._path.name}.lock")
        with alone(lock, seconds=MIGRATION_SECONDS, busy=busy):
            if is_current(self._version(), self.shown):
                return
            # Kept in the file from then on. Needs the file to itself, hence the lock around it.
            with closing(self._connect(check_same_thread=True)) as connection:
                connection.execute("PRAGMA journal_mode = WAL").close()
            with self.writing() as transaction:
                migrate(transaction, self._version, self.shown)

    def _connect(self, *, check_same_thread: bool) -> sqlite3.Connection:
        # "rw" never creates a file: one that vanished must not come back empty.
        connection = sqlite3.connect(
            f"file:{quote(str(self._path))}?mode=rw",
            uri=True,
            timeout=BUSY_SECONDS,
            # Transactions are begun by us, where and how we say.
            isolation_level=None,
            check_same_thread=check_same_thread,
        )
        # What was recorded must survive a power cut, not only a crash of ours.
        connection.execute("PRAGMA synchronous = FULL")
        return connection

    def _connect_writer(self) -> sqlite3.Connection:
        connection = self._connect(check_same_thread=False)
        self._prepare(connection)
        return connection

    def _engine(self) -> Engine:
        with self._guard:
            if self._writer is None:
                from sqlalchemy import create_engine, event
                from sqlalchemy.pool import QueuePool

                self._writer = create_engine(
                    "sqlite://",
                    creator=self._connect_writer,
                    poolclass=QueuePool,
                    # One writes at a time; a second connection would only wait inside SQLite.
                    pool_size=1,
                    max_overflow=0,
                    pool_timeout=BUSY_SECONDS + 5,
                    hide_parameters=True,
                )

                @event.listens_for(self._writer, "begin")
                def begin(connection: Connection) -> None:
                    # The lock first: whoever reads and then writes would be told that it is late.
                    connection.exec_driver_sql("BEGIN IMMEDIATE")

            return self._writer

    @contextmanager
    def _translated(self) -> Iterator[None]:
        """SQLite's, SQLAlchemy's and the disk's errors as ours."""
        try:
            yield
        except DriftctlError:
            raise
        except sqlite3.Error as error:
            raise self._ours(error) from error
        except OSError as error:
            raise StoreError(
                f"{self.shown} cannot be used: {error.strerror or error}.",
                todo="Check the disk and the data_dir in driftctl.yaml.",
            ) from error
        except Exception as error:
            if not type(error).__module__.startswith("sqlalchemy."):
                raise
            cause = getattr(error, "orig", None)
            if isinstance(cause, sqlite3.Error):
                raise self._ours(cause) from error
            raise Unavailable(
                f"{self.shown} is busy: {error}.", todo="Try again in a moment."
            ) from error

    def _ours(self, error: sqlite3.Error) -> DriftctlError:
        # The lowest byte is the kind; the rest says more than anyone can use.
        match getattr(error, "sqlite_errorcode", 0) & 0xFF:
            case sqlite3.SQLITE_BUSY | sqlite3.SQLITE_LOCKED:
                return Unavailable(
                    f"{self.shown} is locked: another process has been writing to it for "
                    f"{BUSY_SECONDS:.0f} seconds.",
                    todo=f"See who has it open (fuser -v {self._path}), then try again.",
                )
            case sqlite3.SQLITE_READONLY:
                return self._read_only()
            case sqlite3.SQLITE_FULL:
                return StoreError(
                    f"The disk that holds {self._path} is full, so nothing could be recorded.",
                    todo=f"Free some space: df -h {self._path.parent}",
                )
            case sqlite3.SQLITE_CORRUPT | sqlite3.SQLITE_NOTADB:
                return StoreError(
                    f"{self.shown} is damaged, or no store at all: {error}.",
                    todo=f"Restore a backup, or move it away to begin anew: "
                    f"mv {self._path} {self._path}.damaged",
                )
            case sqlite3.SQLITE_CANTOPEN if self._lies_read_only():
                return self._read_only()
            case sqlite3.SQLITE_CANTOPEN | sqlite3.SQLITE_PERM:
                return StoreError(
                    f"{self.shown} cannot be opened: {error}.",
                    todo=f"Check the directory and its disk: ls -la {self._path.parent}",
                )
            case _:
                return StoreError(
                    f"{self.shown} cannot be used: {error}.",
                    todo=f"Check the disk: df -h {self._path.parent}",
                )

    def _lies_read_only(self) -> bool:
        """Where nobody has it open, SQLite cannot even read it without writing beside it."""
        return self._path.exists() and not os.access(self._path.parent, os.W_OK)

    def _read_only(self) -> StoreError:
        return StoreError(
            f"{self.shown} is read-only for us, so nothing can be recorded.",
            todo="Remount its disk for writing, or run as the user who owns it.",
        )
