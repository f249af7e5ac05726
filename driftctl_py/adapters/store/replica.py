"""This machine's copy of a store that lies elsewhere: an SQLite file that says how far it is.

What a transaction has changed is told as rows, as they are after it, not as the statements that
made them so: a copy needs not know why. So nothing that comes from elsewhere is run, and what a
later version of ours does otherwise changes no copy. The copy may be lost at any time.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import msgspec

from driftctl_py.adapters.private import make_private_directory, refuse_shared
from driftctl_py.adapters.store.migrate import VERSION_QUERY
from driftctl_py.errors import StoreError

if TYPE_CHECKING:
    from sqlalchemy import Connection

Value = int | float | str | None

BUSY_SECONDS = 10.0
# The copy's own; not in what is put into the bucket as it stands there, and of no migration's.
_POSITION = "replica_position"
_OURS = (_POSITION, "alembic_version", "leases")


class Row(msgspec.Struct, array_like=True, frozen=True):
    """A row as it is now, or by its key one that is gone."""

    table: str
    gone: bool
    values: dict[str, Value]


@dataclass(frozen=True, slots=True)
class Position:
    """Up to which number of the log, which bytes that had, and what S3 calls them."""

    number: int
    digest: str
    etag: str


class Replica:
    """The file. Whoever changes it holds a lock of his own."""

    def __init__(self, path: Path, shown: str) -> None:
        make_private_directory(path.parent, StoreError)
        self.path = path
        self._shown = shown

    def position(self) -> Position | None:
        """None: there is no copy that could be used."""
        if not self.path.exists():
            return None
        refuse_shared(self.path, StoreError, "file")
        try:
            with self._opened() as connection:
                found = connection.execute(
                    f"SELECT number, digest, etag FROM {_POSITION}"  # noqa: S608 - our word
                ).fetchone()
        except sqlite3.OperationalError as error:
            # No such table: nothing was laid there yet. Else the disk is at fault, not the copy.
            if _kind(error) == sqlite3.SQLITE_ERROR:
                return None
            raise
        except sqlite3.DatabaseError:
            return None
        return Position(*found) if found else None

    def schema(self) -> str | None:
        """The version of it."""
        with self._opened() as connection:
            found = connection.execute(VERSION_QUERY).fetchone()
        return str(found[0]) if found else None

    def install(self, image: bytes, position: Position) -> None:
        """Become what ``image`` made of another one. Who reads meanwhile reads what was there."""
        with closing(sqlite3.connect(":memory:", isolation_level=None)) as source:
            self._open_image(source, image)
            _note(source, position)
            try:
                self._lay(source)
            except sqlite3.DatabaseError as error:
                if _kind(error) not in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB):
                    raise
                # What lies there is damaged, and only a copy.
                for name in ("", "-wal", "-shm"):
                    with suppress(FileNotFoundError):
                        self.path.with_name(self.path.name + name).unlink()
                self._lay(source)

    def _open_image(self, source: sqlite3.Connection, image: bytes) -> None:
        try:
            source.deserialize(image)
            found = {kind for (kind,) in source.execute("SELECT type FROM sqlite_master")}
        except sqlite3.DatabaseError as error:
            raise StoreError(
                f"{self._shown} is damaged: what is to be the whole of it is no database "
                f"({error}).",
                todo="See who may write there, and restore an older version of the bucket.",
            ) from error
        if found - {"table", "index"}:
            raise StoreError(
                f"{self._shown} holds a database that does things by itself: it is none of ours.",
                todo="See who may write there, and restore an older version of the bucket.",
            )

    def _lay(self, source: sqlite3.Connection) -> None:
        self.path.touch(0o600)
        with self._opened() as target:
            target.execute("PRAGMA journal_mode = WAL").close()
            source.backup(target)

    def apply(self, rows: Iterable[Row], position: Position) -> None:
        """Change what others have changed, in one transaction."""
        with self._opened() as connection:
            connection.execute("BEGIN IMMEDIATE")
            try:
                columns = _columns(connection)
                for row in rows:
                    self._apply(connection, row, columns)
                _note(connection, position)
                connection.execute("COMMIT")
            finally:
                if connection.in_transaction:
                    connection.execute("ROLLBACK")

    def _apply(
        self, connection: sqlite3.Connection, row: Row, columns: dict[str, list[str]]
    ) -> None:
        names = list(row.values)
        if not names or not set(names) <= set(columns.get(row.table, ())):
            raise StoreError(
                f"{self._shown} tells of {row.table} ({', '.join(names)}), which this version of "
                "driftctl-py does not know.",
                todo="Use the version that wrote it: pip install --upgrade driftctl-py",
            )
        if row.gone:
            same = " AND ".join(f'"{name}" = :{name}' for name in names)
            connection.execute(f'DELETE FROM "{row.table}" WHERE {same}', row.values)  # noqa: S608
        else:
            quoted = ", ".join(f'"{name}"' for name in names)
            values = ", ".join(f":{name}" for name in names)
            connection.execute(
                # The names are those of our own tables: it was just looked.
                f'INSERT OR REPLACE INTO "{row.table}" ({quoted}) VALUES ({values})',  # noqa: S608
                row.values,
            )

    def image(self) -> bytes:
        """All of it, as bytes."""
        with self._opened() as connection:
            return image_of(connection)

    @contextmanager
    def _opened(self) -> Iterator[sqlite3.Connection]:
        with closing(
            sqlite3.connect(self.path, timeout=BUSY_SECONDS, isolation_level=None)
        ) as connection:
            connection.execute("PRAGMA trusted_schema = OFF")
            # Whole after a power cut, be it a little behind: the rest is fetched again.
            connection.execute("PRAGMA synchronous = NORMAL")
            yield connection


def image_of(connection: sqlite3.Connection) -> bytes:
    """A database, as bytes that can be opened without a file."""
    data = bytearray(connection.serialize())
    # What lies in memory keeps no write-ahead log, and is not opened where its header says so.
    data[18:20] = b"\x01\x01"
    return bytes(data)


def watch(connection: sqlite3.Connection) -> None:
    """From now on, it is kept in mind which rows this connection touches."""
    connection.execute("PRAGMA temp_store = MEMORY")
    connection.execute("CREATE TEMP TABLE touched (name, one, two)")
    for table, keys in _keys(connection).items():
        for verb, sides in (("INSERT", "NEW"), ("DELETE", "OLD"), ("UPDATE", "OLD NEW")):
            lines = ""
            for side in sides.split():
                one, two = [*(f'{side}."{key}"' for key in keys), "NULL"][:2]
                # The names are those of our own tables.
                lines += f"INSERT INTO touched VALUES ('{table}', {one}, {two});"  # noqa: S608
            connection.execute(
                f'CREATE TEMP TRIGGER "{table} {verb}" AFTER {verb} ON main."{table}" '
                f"BEGIN {lines} END"
            )


def touched(connection: Connection) -> list[Row]:
    """The rows that a transaction has changed so far, as they are now."""
    raw = _raw(connection)
    keys, columns = _keys(raw), _columns(raw)
    found = []
    for table, *values in raw.execute("SELECT DISTINCT name, one, two FROM touched").fetchall():
        key = dict(zip(keys[table], values, strict=False))
        same = " AND ".join(f'"{name}" = :{name}' for name in key)
        row = raw.execute(f'SELECT * FROM "{table}" WHERE {same}', key).fetchone()  # noqa: S608
        now = dict(zip(columns[table], row, strict=True)) if row else key
        found.append(Row(table, row is None, now))
    return found


def settle(connection: Connection, position: Position) -> None:
    """Let the transaction say how far the copy is by it."""
    raw = _raw(connection)
    raw.execute("DELETE FROM touched")
    _note(raw, position)


def _raw(connection: Connection) -> sqlite3.Connection:
    # SQLAlchemy does not know whose driver it is; the transaction is one of `SqliteDatabase`'s.
    return cast("sqlite3.Connection", connection.connection.driver_connection)


def _note(connection: sqlite3.Connection, position: Position) -> None:
    connection.execute(f"CREATE TABLE IF NOT EXISTS {_POSITION} (number, digest, etag)")
    connection.execute(f"DELETE FROM {_POSITION}")  # noqa: S608 - our word
    values: Sequence[Any] = (position.number, position.digest, position.etag)
    connection.execute(f"INSERT INTO {_POSITION} VALUES (?, ?, ?)", values)  # noqa: S608


def _tables(connection: sqlite3.Connection) -> list[str]:
    found = connection.execute(
        "SELECT name FROM main.sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'"
    ).fetchall()
    return [name for (name,) in found if name not in _OURS]


def _columns(connection: sqlite3.Connection) -> dict[str, list[str]]:
    return {
        table: [column[1] for column in connection.execute(f'PRAGMA main.table_info("{table}")')]
        for table in _tables(connection)
    }


def _keys(connection: sqlite3.Connection) -> dict[str, list[str]]:
    """The columns by which the rows of each table are told apart."""
    return {
        table: [
            column[1]
            for column in sorted(
                connection.execute(f'PRAGMA main.table_info("{table}")'), key=lambda each: each[5]
            )
            if column[5]
        ]
        for table in _tables(connection)
    }


def _kind(error: sqlite3.Error) -> int:
    return getattr(error, "sqlite_errorcode", 0) & 0xFF
