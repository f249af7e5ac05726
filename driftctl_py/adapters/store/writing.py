"""What is changed, statement by statement, in a transaction that the caller holds.

Rows are locked in one order: what the event is about first, the head of the trail last; so two
transactions never wait for each other. The SQL is what both databases understand, written out,
since to build it anew for each run takes SQLAlchemy longer than all the rest.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from sqlalchemy import Connection, TextClause, bindparam, text
from sqlalchemy.exc import IntegrityError

from driftctl_py.adapters.store.records import (
    converged,
    microseconds,
    spelled,
    spelled_event,
    storable,
)
from driftctl_py.core.approval import Approval
from driftctl_py.core.audit import Event, chained
from driftctl_py.core.lease import Lease
from driftctl_py.core.restraint import Restraint, Why
from driftctl_py.core.run import Purpose, Run, State, may_become
from driftctl_py.errors import StoreError

_RUN = "SELECT number, state, worker FROM runs WHERE id = :id"
_NEW_RUN = text(
    "INSERT INTO runs"
    " (id, environment, state, purpose, worker, started_at, converged, document) VALUES"
    " (:id, :environment, :state, :purpose, :worker, :started_at, :converged, :document)"
    " RETURNING number"
)
_KNOWN_RUN = text(
    "UPDATE runs SET state = :state, worker = :worker, converged = :converged,"
    " document = :document WHERE number = :number"
)
_LATEST = text(
    "INSERT INTO latest (environment, number) VALUES (:environment, :number)"
    " ON CONFLICT (environment) DO UPDATE SET number = excluded.number"
    " WHERE latest.number < excluded.number"
)
_HEAD = "SELECT number, hash FROM head"
_NEW_HEAD = text("UPDATE head SET number = :number, hash = :hash")
_ENTRY = text(
    "INSERT INTO entries (number, before, hash, event) VALUES (:number, :before, :hash, :event)"
)
_APPROVAL = text(
    "INSERT INTO approvals (id, environment, document) VALUES (:id, :environment, :document)"
)
_RESTRAINT = text(
    "INSERT INTO restraints (environment, why, document) VALUES (:environment, :why, :document)"
    " ON CONFLICT (environment, why) DO UPDATE SET document = excluded.document"
)
_LIFT = text("DELETE FROM restraints WHERE environment = :environment AND why = :why")
_TAKE = text(
    "INSERT INTO leases (environment, run, worker, taken_at, beat_at, lasts)"
    " VALUES (:environment, :run, :worker, :now, :now, :lasts)"
    " ON CONFLICT (environment) DO UPDATE SET run = excluded.run, worker = excluded.worker,"
    " taken_at = excluded.taken_at, beat_at = excluded.beat_at, lasts = excluded.lasts"
    " WHERE leases.beat_at + leases.lasts < excluded.beat_at"
    " OR (leases.run = excluded.run AND leases.worker = excluded.worker)"
    " RETURNING environment"
)
_BEAT = text(
    "UPDATE leases SET beat_at = :now"
    " WHERE environment = :environment AND run = :run AND worker = :worker"
)
_FREE = text(
    "DELETE FROM leases WHERE environment = :environment AND run = :run AND worker = :worker"
)
_KEY = text("INSERT INTO approver_keys (name, digest) VALUES (:name, :digest)")
_NO_KEY = text("DELETE FROM approver_keys WHERE name = :name")
_FACT = text("INSERT INTO facts (name, value) VALUES (:name, :value) ON CONFLICT (name) DO NOTHING")


FORGOTTEN_AT_ONCE = 1000
_UNEVENTFUL = (
    State.IN_SYNC,
    State.REFUSED,
    State.FAILED,
    State.INTERRUPTED,
    State.SUPERSEDED,
    State.STALE,
)
_FORGET = text(
    "DELETE FROM runs WHERE number IN (SELECT number FROM runs"
    " WHERE started_at < :before AND (state IN :states OR purpose = :review)"
    " AND number NOT IN (SELECT number FROM latest)"
    " AND number NOT IN (SELECT max(number) FROM runs WHERE converged GROUP BY environment)"
    " LIMIT :limit)"
).bindparams(
    bindparam("states", [state.value for state in _UNEVENTFUL], expanding=True),
    bindparam("review", Purpose.REVIEW.value),
)


def _locking(sql: str) -> Mapping[str, TextClause]:
    """A query that locks what it finds, by dialect. In SQLite nobody else writes anyhow."""
    return {"sqlite": text(sql), "postgresql": text(f"{sql} FOR UPDATE")}


_LOCKED_RUN, _LOCKED_HEAD = _locking(_RUN), _locking(_HEAD)


def save(connection: Connection, run: Run) -> None:
    """Write a run, new or known; refuse a move that does not exist."""
    query = _LOCKED_RUN[connection.dialect.name]
    known = connection.execute(query, {"id": run.id}).one_or_none()
    changing = {
        "state": run.state.value,
        "worker": run.worker,
        "converged": converged(run),
        "document": spelled(run),
    }
    if known is not None:
        _refuse_a_move(run, State(known.state), known.worker)
        connection.execute(_KNOWN_RUN, {"number": known.number, **changing})
        return
    row = {
        "id": run.id,
        "environment": run.environment,
        "purpose": run.purpose.value,
        "started_at": microseconds(run.started_at),
        **changing,
    }
    try:
        number = connection.execute(_NEW_RUN, row).scalar_one()
    except IntegrityError as error:
        raise StoreError(
            f"The run {run.id} of {run.environment} was recorded by another process at this "
            "moment, so it is not ours.",
            todo="See what it came to: driftctl-py runs",
        ) from error
    if run.purpose is not Purpose.REVIEW:
        # A review of what somebody proposes is not where the environment stands.
        connection.execute(_LATEST, {"environment": run.environment, "number": number})


def forget(connection: Connection, before: datetime) -> int:
    """Remove some of the runs that came to nothing; how many."""
    values = {"before": microseconds(before), "limit": FORGOTTEN_AT_ONCE}
    return connection.execute(_FORGET, values).rowcount


def _refuse_a_move(run: Run, was: State, worker: str) -> None:
    if not may_become(was, run.state):
        raise StoreError(
            f"The run {run.id} of {run.environment} is {was.value} by now, so it cannot become "
            f"{run.state.value}: another process was faster.",
            todo=f"See what it came to: driftctl-py show {run.id}",
        )
    # The last barrier when a run lock was lost without our noticing, as in a laptop that slept.
    if was is run.state and was.under_way and worker != run.worker:
        raise StoreError(
            f"The run {run.id} of {run.environment} is {was.value} already, by {worker}.",
            todo=f"Wait until it ends: driftctl-py show {run.id}",
        )


def append(connection: Connection, events: Sequence[Event]) -> None:
    """Write events to the end of the trail."""
    if not events:
        return
    at = connection.execute(_LOCKED_HEAD[connection.dialect.name]).one_or_none()
    if at is None:
        raise StoreError(
            "The store no longer knows where the audit trail ends, so nothing can be recorded.",
            todo="Somebody edited the store. Restore a backup; driftctl-py audit verify",
        )
    number, before = at.number, at.hash
    rows = []
    for event in map(storable, events):
        entry = chained(event, number + 1, before)
        number, before = entry.number, entry.hash
        rows.append(
            {
                "number": number,
                "before": entry.before,
                "hash": entry.hash,
                "event": spelled_event(event),
            }
        )
    try:
        connection.execute(_ENTRY, rows)
    except IntegrityError as error:
        raise StoreError(
            f"The audit trail says that it ends at entry {at.number}, but goes on behind it, so "
            "nothing can be recorded.",
            todo="Somebody edited the store. Restore a backup; driftctl-py audit verify",
        ) from error
    connection.execute(_NEW_HEAD, {"number": number, "hash": before})


def approve(connection: Connection, approval: Approval) -> None:
    """Add a yes or a no."""
    try:
        connection.execute(
            _APPROVAL,
            {
                "id": approval.id,
                "environment": approval.binding.environment,
                "document": spelled(approval),
            },
        )
    except IntegrityError as error:
        raise StoreError(
            f"The approval {approval.id} of {approval.binding.environment} is recorded already.",
            todo=f"Nothing has to be done; driftctl-py show {approval.run}",
        ) from error


def restrain(connection: Connection, restraint: Restraint) -> None:
    """Hold an environment back; the last one of its kind counts."""
    row = {
        "environment": restraint.environment,
        "why": restraint.why.value,
        "document": spelled(restraint),
    }
    connection.execute(_RESTRAINT, row)


def lift(connection: Connection, environment: str, why: Why) -> bool:
    """Let it go; False when nothing held it."""
    found = connection.execute(_LIFT, {"environment": environment, "why": why.value})
    return found.rowcount > 0


def take(connection: Connection, lease: Lease, now: int) -> bool:
    """Take a run lock that is free, expired, or ours already."""
    lasts = round(lease.seconds * 1_000_000)
    taken = connection.execute(_TAKE, {**_named(lease), "now": now, "lasts": lasts})
    return taken.one_or_none() is not None


def beat(connection: Connection, lease: Lease, now: int) -> bool:
    """A sign of life; False when the lock is somebody else's."""
    return connection.execute(_BEAT, {**_named(lease), "now": now}).rowcount > 0


def free(connection: Connection, lease: Lease) -> None:
    """Give a run lock back, if it is still ours."""
    connection.execute(_FREE, _named(lease))


def add_key(connection: Connection, name: str, digest: str) -> None:
    """Remember an approver's key; never in the place of another one."""
    try:
        connection.execute(_KEY, {"name": name, "digest": digest})
    except IntegrityError as error:
        raise StoreError(
            f"There is a key named {name} already.",
            todo="Remove that one first, or choose another name.",
        ) from error


def remove_key(connection: Connection, name: str) -> bool:
    """Forget it; False when there is none."""
    return connection.execute(_NO_KEY, {"name": name}).rowcount > 0


def add_fact(connection: Connection, name: str, value: str) -> None:
    """Write something down once: who is first has said it."""
    connection.execute(_FACT, {"name": name, "value": value})


def _named(lease: Lease) -> dict[str, object]:
    return {"environment": lease.environment, "run": lease.run, "worker": lease.worker}
