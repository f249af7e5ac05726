"""What the store asks of where it is kept."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from driftctl_py.core.lease import Lease

if TYPE_CHECKING:
    from sqlalchemy import Connection

T = TypeVar("T")


class Database(Protocol):
    """Tables. Raises only the errors of `driftctl_py.errors`."""

    @property
    def shown(self) -> str:
        """Where that is, for people: never with a password."""
        ...

    def rows(self, sql: str, values: Mapping[str, object]) -> list[tuple[Any, ...]]:
        """What a query finds now. The same SQL, with ``:name`` for values, for all databases."""
        # Any: a row is as wide as its query.
        ...

    def write(self, change: Callable[[Connection], T]) -> T:
        """Do it in a transaction, whole or not at all. Those that write come one after the other,
        or lock the rows that they go by. It may be done several times, of which one counts."""
        ...

    def close(self) -> None:
        """Give its connections back."""
        ...


class SharedClock(Protocol):
    """A database that knows the time."""

    def now(self, connection: Connection) -> int:
        """The moment, by the clock that all users of the database share."""
        ...


class SqlDatabase(Database, SharedClock, Protocol):
    """One that keeps run locks too."""


class Locks(Protocol):
    """Where run locks are kept; see `app.ports.Store`."""

    def take(self, lease: Lease) -> Lease | None: ...
    def beat(self, lease: Lease) -> bool: ...
    def free(self, lease: Lease) -> None: ...
    def leases(self) -> tuple[Lease, ...]: ...
