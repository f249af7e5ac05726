"""The store: what may be asked of it and told to it, in whichever database."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from driftctl_py.adapters.store.database import Database, Locks
from driftctl_py.adapters.store.records import read, read_entry
from driftctl_py.core.approval import Approval, Binding
from driftctl_py.core.audit import Anchor, Entry, Event
from driftctl_py.core.history import binding_of
from driftctl_py.core.lease import Lease
from driftctl_py.core.restraint import Restraint, Why
from driftctl_py.core.run import Purpose, Run, State
from driftctl_py.errors import StoreError

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy import Connection


# How many entries of the trail are read at a time.
_BATCH = 1000
# A prefix that fits more than this many runs tells nobody which one was meant.
_FOUND = 20
# Of applies that meant the same, the latest say when the last one was.
_ALIKE = 100
# However it ended: an apply was begun on the strength of an approval.
_APPLIED = (
    State.APPLIED,
    State.UNVERIFIED,
    State.NOT_CONVERGED,
    State.PARTLY_APPLIED,
    State.UNKNOWN,
)
_LAST = "\U0010ffff"


class Store:
    """See `app.ports.Store`. Any number of threads and processes may use one database."""

    def __init__(self, database: Database, locks: Locks) -> None:
        self._database = database
        self._locks = locks
        self._key: bytes | None = None

    @property
    def shown(self) -> str:
        """Where the store is, for people."""
        return self._database.shown

    def close(self) -> None:
        """Give its connections back."""
        self._database.close()

    def __enter__(self) -> Store:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def key(self) -> bytes:
        """What fingerprints and governing digests are sealed with; made with the store."""
        if self._key is None:
            found = self._rows("SELECT value FROM facts WHERE name = 'key'")
            if not found:
                raise StoreError(
                    f"{self.shown} has lost the key that approvals were sealed with.",
                    todo="Somebody edited the store. Restore a backup.",
                )
            self._key = bytes.fromhex(found[0][0])
        return self._key

    # --- runs

    def save(self, run: Run, *events: Event) -> None:
        """Write a run, new or known. Raises `StoreError` for a move that `run.MOVES` forbids, and
        for a run that another worker is at: then somebody else was faster."""
        from driftctl_py.adapters.store import writing

        self._write(lambda connection: writing.save(connection, run), events)

    def run(self, id: str) -> Run | None:
        """The run of that id."""
        found = self._runs("SELECT document FROM runs WHERE id = :id", id=id)
        return found[0] if found else None

    def find(self, prefix: str) -> tuple[Run, ...]:
        """Runs whose ids begin so, the latest first; twenty at most."""
        if not prefix:
            return ()
        return self._runs(
            "SELECT document FROM runs WHERE number IN (SELECT number FROM runs"
            # By a sum, which no index is in the order of: else all runs would be walked through.
            " WHERE id >= :prefix AND id < :behind ORDER BY number + 0 DESC LIMIT :limit)"
            " ORDER BY number DESC",
            prefix=prefix,
            behind=prefix + _LAST,
            limit=_FOUND,
        )

    def runs(
        self,
        *,
        environment: str | None = None,
        states: Collection[State] = (),
        limit: int = 50,
        before: str | None = None,
        reviews: bool = True,
    ) -> tuple[Run, ...]:
        """The latest first; ``before`` is the id of the last one seen; without ``reviews`` only
        those that say where an environment stands."""
        values: dict[str, object] = {"limit": limit}
        conditions = []
        if environment is not None:
            conditions.append("environment = :environment")
            values["environment"] = environment
        if before is not None:
            conditions.append("number < :before")
            values["before"] = self._number(before)
        if not reviews:
            conditions.append("purpose <> :review")
            values["review"] = Purpose.REVIEW.value
        # Each state by itself: an index has the latest of one state, not of several together.
        alternatives: list[list[str]] = []
        for at, state in enumerate(sorted(states, key=lambda each: each.value)):
            values[f"state{at}"] = state.value
            alternatives.append([*conditions, f"state = :state{at}"])
        numbers = " UNION ALL ".join(
            "SELECT number FROM (SELECT number FROM runs"  # noqa: S608 - our own words
            + (" WHERE " + " AND ".join(each) if each else "")
            + f" ORDER BY number DESC LIMIT :limit) AS found{at}"
            for at, each in enumerate(alternatives or [conditions])
        )
        return self._runs(
            f"SELECT document FROM runs WHERE number IN ({numbers})"  # noqa: S608 - our own words
            " ORDER BY number DESC LIMIT :limit",
            **values,
        )

    def latest(self) -> Mapping[str, Run]:
        """The last run of each environment that says where it stands: no review."""
        found = self._runs(
            "SELECT runs.document FROM latest JOIN runs ON runs.number = latest.number"
            " ORDER BY latest.environment"
        )
        return {run.environment: run for run in found}

    def last_converged(self, environment: str) -> Run | None:
        """The last run after which code and cloud were one: applied, or in sync without drift."""
        found = self._runs(
            "SELECT document FROM runs WHERE environment = :environment AND converged"
            " ORDER BY number DESC LIMIT 1",
            environment=environment,
        )
        return found[0] if found else None

    def forget(self, before: datetime) -> int:
        """Forget runs of before that moment that came to nothing, but for the last of each
        environment and the last that converged; how many. What was applied stays."""
        from driftctl_py.adapters.store import writing

        forgotten = 0
        while True:
            # Not all at once: whoever else writes has to wait for it.
            removed = self._database.write(lambda connection: writing.forget(connection, before))
            forgotten += removed
            if removed < writing.FORGOTTEN_AT_ONCE:
                return forgotten

    # --- approvals and restraints

    def approve(self, approval: Approval, *events: Event) -> None:
        """Record a yes or a no."""
        from driftctl_py.adapters.store import writing

        self._write(lambda connection: writing.approve(connection, approval), events)

    def approvals(self, environment: str | None = None) -> tuple[Approval, ...]:
        """All that were ever given to plans of an environment, or of any, in the order they
        were."""
        if environment is None:
            found = self._rows("SELECT document FROM approvals ORDER BY number")
        else:
            found = self._rows(
                "SELECT document FROM approvals WHERE environment = :environment ORDER BY number",
                environment=environment,
            )
        return tuple(read(text, Approval) for (text,) in found)

    def applied_at(self, binding: Binding) -> datetime | None:
        """When something was last applied that meant just this; None when it never was."""
        states = {f"state{at}": state.value for at, state in enumerate(_APPLIED)}
        found = self._runs(
            # The governing digest is made of the whole document, so few of them are to be read.
            "SELECT document FROM runs WHERE environment = :environment"  # noqa: S608 - our words
            f" AND state IN ({', '.join(f':{name}' for name in states)})"
            " AND document LIKE :alike ORDER BY number DESC LIMIT :limit",
            environment=binding.environment,
            # As it is spelled; whatever else this finds is compared below.
            alike=f'%"fingerprint":"{binding.fingerprint}"%',
            limit=_ALIKE,
            **states,
        )
        alike = [each for each in found if binding_of(each) == binding]
        return max((each.ended_at or each.started_at for each in alike), default=None)

    def restrain(self, restraint: Restraint, *events: Event) -> None:
        """Hold an environment back; in the place of what held it for the same reason."""
        from driftctl_py.adapters.store import writing

        self._write(lambda connection: writing.restrain(connection, restraint), events)

    def lift(self, environment: str, why: Why, *events: Event) -> bool:
        """Let it go. False, and nothing is recorded, when it was not held."""
        from driftctl_py.adapters.store import writing

        return self._write_if(lambda connection: writing.lift(connection, environment, why), events)

    def restraints(self, environment: str | None = None) -> tuple[Restraint, ...]:
        """What holds an environment, or all of them, back; be it over by now."""
        # One statement each: SQLite uses no index for "this one, or all where there is none".
        if environment is None:
            found = self._rows("SELECT document FROM restraints ORDER BY environment, why")
        else:
            found = self._rows(
                "SELECT document FROM restraints WHERE environment = :environment ORDER BY why",
                environment=environment,
            )
        return tuple(read(text, Restraint) for (text,) in found)

    # --- run locks

    def take(self, lease: Lease) -> Lease | None:
        """Take an environment's run lock. None: it is ours now. Else who has it. A lock whose
        heartbeat is older than its holder said is taken over. Its moments are the store's."""
        return self._locks.take(lease)

    def beat(self, lease: Lease) -> bool:
        """Still here; False when the lock was lost to somebody."""
        return self._locks.beat(lease)

    def free(self, lease: Lease) -> None:
        """Give it back; nothing happens when it is somebody else's by now."""
        self._locks.free(lease)

    def leases(self) -> tuple[Lease, ...]:
        """All run locks; expired ones too."""
        return self._locks.leases()

    # --- approvers' keys

    def add_key(self, name: str, digest: str, *events: Event) -> None:
        """Remember an approver's key. Raises `StoreError` when the name has one."""
        from driftctl_py.adapters.store import writing

        self._write(lambda connection: writing.add_key(connection, name, digest), events)

    def remove_key(self, name: str, *events: Event) -> bool:
        """Forget it. False, and nothing is recorded, when there is none."""
        from driftctl_py.adapters.store import writing

        return self._write_if(lambda connection: writing.remove_key(connection, name), events)

    def keys(self) -> Mapping[str, str]:
        """The approvers' keys: digest by name."""
        found = self._rows("SELECT name, digest FROM approver_keys ORDER BY name")
        return dict(found)

    # --- the trail

    def note(self, *events: Event) -> None:
        """Record what happened where nothing else is written."""
        self._write(lambda connection: None, events)

    def entries(self) -> Iterator[Entry]:
        """The trail from its beginning, a part at a time; what is written meanwhile included."""
        after = -(2**63)
        while True:
            found = self._rows(
                "SELECT number, before, hash, event FROM entries WHERE number > :after"
                " ORDER BY number LIMIT :limit",
                after=after,
                limit=_BATCH,
            )
            for row in found:
                yield read_entry(*row)
            if len(found) < _BATCH:
                return
            after = found[-1][0]

    def entries_of(self, *kinds: str) -> tuple[Entry, ...]:
        """All entries of some kinds, such as ``approved``: found without reading the others."""
        beginnings = {f"kind{at}": f'{{"what":"{kind}","%' for at, kind in enumerate(kinds)}
        found = self._rows(
            "SELECT number, before, hash, event FROM entries WHERE "  # noqa: S608 - our words
            + " OR ".join(f"event LIKE :{name}" for name in beginnings)
            + " ORDER BY number",
            **beginnings,
        )
        return tuple(read_entry(*row) for row in found)

    def head(self) -> Anchor | None:
        """Where the trail ends, as whoever wrote last has left it; None before the first entry."""
        found = self._rows("SELECT number, hash FROM head")
        if not found or not found[0][0]:
            return None
        return Anchor(int(found[0][0]), str(found[0][1]))

    # ---

    def _write(self, change: Callable[[Connection], None], events: Collection[Event]) -> None:
        def changed(connection: Connection) -> bool:
            change(connection)
            return True

        self._write_if(changed, events)

    def _write_if(self, change: Callable[[Connection], bool], events: Collection[Event]) -> bool:
        """The change and the events that say so, both or neither; no events where it changed
        nothing."""
        from driftctl_py.adapters.store import writing

        def both(connection: Connection) -> bool:
            changed = change(connection)
            if changed:
                writing.append(connection, tuple(events))
            return changed

        return self._database.write(both)

    def _number(self, id: str) -> int:
        found = self._rows("SELECT number FROM runs WHERE id = :id", id=id)
        if not found:
            raise StoreError(
                f"There is no run {id}, so nobody can say what came before it.",
                todo="driftctl-py runs",
            )
        return int(found[0][0])

    def _runs(self, sql: str, **values: object) -> tuple[Run, ...]:
        return tuple(read(text, Run) for (text,) in self._rows(sql, **values))

    def _rows(self, sql: str, **values: object) -> list[tuple[Any, ...]]:
        return self._database.rows(sql, values)
