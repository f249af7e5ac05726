"""Run locks as rows of a database; their moments are its clock's."""

from __future__ import annotations

from driftctl_py.adapters.store.database import SqlDatabase
from driftctl_py.adapters.store.records import moment
from driftctl_py.core.lease import Lease


class SqlLocks:
    """See `app.ports.Store`."""

    def __init__(self, database: SqlDatabase) -> None:
        self._database = database

    def take(self, lease: Lease) -> Lease | None:
        """None: it is ours now. Else who has it."""
        from driftctl_py.adapters.store import writing

        while True:
            if self._database.write(
                lambda connection: writing.take(connection, lease, self._database.now(connection))
            ):
                return None
            holder = next((each for each in self._found(lease.environment)), None)
            if holder is not None:
                return holder
            # It was given back in between: try again.

    def beat(self, lease: Lease) -> bool:
        """False when the lock was lost to somebody."""
        from driftctl_py.adapters.store import writing

        return self._database.write(
            lambda connection: writing.beat(connection, lease, self._database.now(connection))
        )

    def free(self, lease: Lease) -> None:
        """Nothing happens when it is somebody else's by now."""
        from driftctl_py.adapters.store import writing

        self._database.write(lambda connection: writing.free(connection, lease))

    def leases(self) -> tuple[Lease, ...]:
        """All; expired ones too."""
        return self._found(None)

    def _found(self, environment: str | None) -> tuple[Lease, ...]:
        found = self._database.rows(
            "SELECT environment, run, worker, taken_at, beat_at, lasts FROM leases"
            " WHERE :all OR environment = :environment ORDER BY environment",
            {"all": environment is None, "environment": environment or ""},
        )
        return tuple(
            Lease(name, run, worker, moment(taken), moment(beat), lasts / 1_000_000)
            for name, run, worker, taken, beat, lasts in found
        )
