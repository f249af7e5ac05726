"""What is changed, statement by statement, in a transaction that the caller holds.

Rows are locked in one order: what the event is about first, the head of the trail last; so two
transactions never wait for each other.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, and_, delete, insert, or_, select, update
from sqlalchemy.exc import IntegrityError

from driftctl_py.adapters.store.records import (
    converged,
    microseconds,
    spelled,
    spelled_event,
    storable,
)
from driftctl_py.adapters.store.schema import (
    approvals,
    approver_keys,
    entries,
    facts,
    head,
    latest,
    leases,
    restraints,
    runs,
)
from driftctl_py.core.approval import Approval
from driftctl_py.core.audit import Event, chained
from driftctl_py.core.lease import Lease
from driftctl_py.core.restraint import Restraint, Why
from driftctl_py.core.run import Run, State, may_become
from driftctl_py.errors import StoreError


def save(connection: Connection, run: Run) -> None:
    """Write a run, new or known; refuse a move that does not exist."""
    known = connection.execute(
        select(runs.c.number, runs.c.state, runs.c.worker)
        .where(runs.c.id == run.id)
        .with_for_update()
    ).one_or_none()
    changing = {
        "state": run.state.value,
        "worker": run.worker,
        "converged": converged(run),
        "document": spelled(run),
    }
    if known is not None:
        _refuse_a_move(run, State(known.state), known.worker)
        connection.execute(update(runs).where(runs.c.number == known.number).values(changing))
        return
    row = {
        "id": run.id,
        "environment": run.environment,
        "purpose": run.purpose.value,
        "started_at": microseconds(run.started_at),
        **changing,
    }
    try:
        number = connection.execute(insert(runs).returning(runs.c.number), row).scalar_one()
    except IntegrityError as error:
        raise StoreError(
            f"The run {run.id} of {run.environment} was recorded by another process at this "
            "moment, so it is not ours.",
            todo="See what it came to: driftctl-py runs",
        ) from error
    upsert = _insert(connection, latest).values(environment=run.environment, number=number)
    connection.execute(
        upsert.on_conflict_do_update(
            index_elements=[latest.c.environment],
            set_={"number": number},
            where=latest.c.number < number,
        )
    )


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
    at = connection.execute(select(head.c.number, head.c.hash).with_for_update()).one_or_none()
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
        connection.execute(insert(entries), rows)
    except IntegrityError as error:
        raise StoreError(
            f"The audit trail says that it ends at entry {at.number}, but goes on behind it, so "
            "nothing can be recorded.",
            todo="Somebody edited the store. Restore a backup; driftctl-py audit verify",
        ) from error
    connection.execute(update(head).values(number=number, hash=before))


def approve(connection: Connection, approval: Approval) -> None:
    """Add a yes or a no."""
    try:
        connection.execute(
            insert(approvals),
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
    document = spelled(restraint)
    upsert = _insert(connection, restraints).values(
        environment=restraint.environment, why=restraint.why.value, document=document
    )
    connection.execute(
        upsert.on_conflict_do_update(
            index_elements=[restraints.c.environment, restraints.c.why],
            set_={"document": document},
        )
    )


def lift(connection: Connection, environment: str, why: Why) -> bool:
    """Let it go; False when nothing held it."""
    found = connection.execute(
        delete(restraints).where(
            restraints.c.environment == environment, restraints.c.why == why.value
        )
    )
    return found.rowcount > 0


def take(connection: Connection, lease: Lease, now: int) -> bool:
    """Take a run lock that is free, expired, or ours already."""
    row = {
        "run": lease.run,
        "worker": lease.worker,
        "taken_at": now,
        "beat_at": now,
        "lasts": round(lease.seconds * 1_000_000),
    }
    upsert = _insert(connection, leases).values(environment=lease.environment, **row)
    taken = connection.execute(
        upsert.on_conflict_do_update(
            index_elements=[leases.c.environment],
            set_=row,
            where=or_(
                leases.c.beat_at + leases.c.lasts < now,
                and_(leases.c.run == lease.run, leases.c.worker == lease.worker),
            ),
        ).returning(leases.c.environment)
    )
    return taken.one_or_none() is not None


def beat(connection: Connection, lease: Lease, now: int) -> bool:
    """A sign of life; False when the lock is somebody else's."""
    found = connection.execute(update(leases).where(_ours(lease)).values(beat_at=now))
    return found.rowcount > 0


def free(connection: Connection, lease: Lease) -> None:
    """Give a run lock back, if it is still ours."""
    connection.execute(delete(leases).where(_ours(lease)))


def add_key(connection: Connection, name: str, digest: str) -> None:
    """Remember an approver's key; never in the place of another one."""
    try:
        connection.execute(insert(approver_keys), {"name": name, "digest": digest})
    except IntegrityError as error:
        raise StoreError(
            f"There is a key named {name} already.",
            todo="Remove that one first, or choose another name.",
        ) from error


def remove_key(connection: Connection, name: str) -> bool:
    """Forget it; False when there is none."""
    found = connection.execute(delete(approver_keys).where(approver_keys.c.name == name))
    return found.rowcount > 0


def add_fact(connection: Connection, name: str, value: str) -> None:
    """Write something down once: who is first has said it."""
    fact = _insert(connection, facts).values(name=name, value=value)
    connection.execute(fact.on_conflict_do_nothing())


def _ours(lease: Lease) -> Any:
    # Any: SQLAlchemy's type of a condition says nothing to a reader.
    return and_(
        leases.c.environment == lease.environment,
        leases.c.run == lease.run,
        leases.c.worker == lease.worker,
    )


def _insert(connection: Connection, table: Any) -> Any:
    """With ``ON CONFLICT``, which both databases spell alike and SQLAlchemy keeps apart."""
    # Any: the two have no type in common.
    if connection.dialect.name == "sqlite":
        from sqlalchemy.dialects.sqlite import insert as insert_or
    else:
        from sqlalchemy.dialects.postgresql import insert as insert_or  # type: ignore[assignment]
    return insert_or(table)
