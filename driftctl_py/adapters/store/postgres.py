"""PostgreSQL by URL: one store for several machines."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from sqlalchemy import URL, Connection, create_engine, event, make_url, text
from sqlalchemy.exc import ArgumentError, DBAPIError, SQLAlchemyError

from driftctl_py.adapters.store.database import T
from driftctl_py.adapters.store.migrate import VERSION_QUERY, is_current, migrate
from driftctl_py.errors import DriftctlError, StoreError, Unavailable

_CONNECT_SECONDS = 10
_LOCK_SECONDS = 30
_IDLE_SECONDS = 60
# A server that went without a word is noticed within a minute, not in hours.
_KEEPALIVE = {
    "keepalives_idle": 30,
    "keepalives_interval": 10,
    "keepalives_count": 3,
    "tcp_user_timeout": 30_000,
}
# Ours among all advisory locks of the database: "driftctl" as a number.
_MIGRATION_LOCK = int.from_bytes(b"driftctl") >> 1
_EXAMPLE = "postgresql://driftctl@db.example.com/driftctl"


class PostgresDatabase:
    """A database, or a schema of one, of its own."""

    def __init__(self, url: str) -> None:
        address = _parsed(url)
        self._shown = _shown(address)
        self._engine = create_engine(
            address,
            connect_args=_defaults(address),
            # A server that was restarted has closed what lies in the pool.
            pool_pre_ping=True,
            # An exception must not quote what was to be written.
            hide_parameters=True,
        )

        @event.listens_for(self._engine, "connect")
        def connected(connection: Any, _record: Any) -> None:
            # Any: psycopg's connection, of a package that need not be installed.
            connection.autocommit = True
            connection.execute(f"SET lock_timeout = '{_LOCK_SECONDS}s'")
            # Whoever stops in the middle, as a laptop that sleeps, holds up all others.
            connection.execute(f"SET idle_in_transaction_session_timeout = '{_IDLE_SECONDS}s'")
            # What was recorded must survive a crash of the server.
            connection.execute("SET synchronous_commit = 'on'")
            connection.autocommit = False

        self._reading = self._engine.execution_options(isolation_level="AUTOCOMMIT")
        try:
            if not is_current(self._version(), self.shown):
                with self.writing() as connection:
                    connection.execute(text("SELECT pg_advisory_xact_lock(:id)"), _LOCK_ID)
                    migrate(connection, self._version, self.shown)
        except DriftctlError:
            self.close()
            raise

    @property
    def shown(self) -> str:
        """Where that is, for people: without password and options."""
        return f"The store {self._shown}"

    def rows(self, sql: str, values: Mapping[str, object]) -> list[tuple[Any, ...]]:
        """What a query finds now."""
        with self._translated(), self._reading.connect() as connection:
            return [tuple(row) for row in connection.execute(text(sql), dict(values))]

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """A transaction; what it goes by it has to lock."""
        with self._translated(), self._engine.begin() as connection:
            yield connection

    def write(self, change: Callable[[Connection], T]) -> T:
        """Do it in a transaction, once."""
        with self.writing() as connection:
            return change(connection)

    def now(self, connection: Connection) -> int:
        """The server's clock: those of several machines differ."""
        moment = text("SELECT (extract(epoch FROM clock_timestamp()) * 1000000)::bigint")
        return int(connection.execute(moment).scalar_one())

    def close(self) -> None:
        """Close all connections."""
        self._engine.dispose()

    def _version(self) -> str | None:
        if not self.rows("SELECT 1 WHERE to_regclass('alembic_version') IS NOT NULL", {}):
            return None
        found = self.rows(VERSION_QUERY, {})
        return str(found[0][0]) if found else None

    @contextmanager
    def _translated(self) -> Iterator[None]:
        """The driver's and SQLAlchemy's errors as ours."""
        try:
            yield
        except DBAPIError as error:
            raise self._ours(error.orig) from error
        except SQLAlchemyError as error:
            raise Unavailable(
                f"{self.shown} is busy: {error}.", todo="Try again in a moment."
            ) from error

    def _ours(self, error: BaseException | None) -> DriftctlError:
        state = getattr(error, "sqlstate", None) or ""
        said = str(error).strip()
        # Only the first line: what follows may quote what was to be written.
        first = said.partition("\n")[0].rstrip(".")
        if state == "25006":
            return StoreError(
                f"{self.shown} is read-only, as a standby is, so nothing can be recorded.",
                todo="Give the URL of the primary server.",
            )
        if state.startswith("53") and state != "53300":
            return StoreError(
                f"{self.shown} has run out of space or memory, so nothing could be recorded: "
                f"{first}.",
                todo="Free some on the database server.",
            )
        if state in ("42501", "3F000"):
            return StoreError(
                f"{self.shown} does not allow us what we need: {first}.",
                todo="Make our user the owner of the database, or of a schema of its own.",
            )
        if state in _WAITED:
            return Unavailable(
                f"{self.shown} is locked by somebody: {first}.", todo="Try again in a moment."
            )
        if state in ("28P01", "28000") or _DENIED.search(said):
            return StoreError(
                f"{self.shown} did not let us in: the user or the password is wrong, or none was "
                "given.",
                todo="Check the store's URL, PGPASSWORD or ~/.pgpass.",
            )
        if state == "3D000" or _NO_DATABASE.search(said):
            return StoreError(
                f"{self.shown} does not exist: the server knows no such database.",
                todo="Create it (createdb), or correct the store's URL.",
            )
        # Without a code it comes from the driver: no connection, or nothing that can be sent.
        lost = not state and type(error).__name__ in ("OperationalError", "InterfaceError")
        if lost or state.startswith(("08", "57", "53", "25P03")):
            return Unavailable(
                f"{self.shown} did not answer: {first}.",
                todo="Check that the server runs and can be reached from here, then try again.",
            )
        return StoreError(
            f"{self.shown} cannot be used: {first} ({state or type(error).__name__}).",
            todo="Check the database; the server's log says more.",
        )


_LOCK_ID = {"id": _MIGRATION_LOCK}
# A lock, a deadlock, a serialisation, a statement that was cancelled.
_WAITED = frozenset({"55P03", "40P01", "40001", "57014"})
# A connection that did not come about has no code, only the server's words.
_DENIED = re.compile(
    r"password authentication failed|no password supplied|no pg_hba.conf entry"
    r"|role .* does not exist|authentication failed for user"
)
_NO_DATABASE = re.compile(r"database .* does not exist")


def _parsed(url: str) -> URL:
    try:
        address = make_url(url)
    except (ArgumentError, ValueError):
        address = None
    if address is None or address.get_backend_name() not in ("postgresql", "postgres"):
        # Not quoted, and without the error that would quote it: it may hold a password.
        raise StoreError(
            "The store's URL is not one of PostgreSQL.", todo=f"Write it like {_EXAMPLE}"
        )
    try:
        import psycopg  # noqa: F401 - SQLAlchemy's own error does not say how to get it
    except ImportError as error:
        raise StoreError(
            "A store in PostgreSQL needs the package psycopg, which is not installed here.",
            todo="pip install 'driftctl-py[postgres]'",
        ) from error
    return address.set(drivername="postgresql+psycopg")


def _shown(address: URL) -> str:
    # Built anew of what may be seen: among the options there may be a password too.
    sockets = address.query.get("host", ())
    return str(
        URL.create(
            "postgresql",
            username=address.username,
            host=address.host,
            port=address.port,
            database=address.database,
            query={} if address.host or not sockets else {"host": sockets},
        )
    )


def _defaults(address: URL) -> dict[str, object]:
    wanted = {
        "connect_timeout": _CONNECT_SECONDS,
        "application_name": "driftctl-py",
        **_KEEPALIVE,
    }
    return {name: value for name, value in wanted.items() if name not in address.query}
