"""The store, in SQLite, in a real PostgreSQL and in a bucket: what is remembered, exactly, and by
whom.

Each test runs on all, but for those that are about one of them (`test_store_sqlite.py`,
`test_store_postgres.py`, `test_store_bucket.py`).
"""

from __future__ import annotations

import multiprocessing
import threading
import time
import types
import typing
from collections.abc import Callable, Mapping
from dataclasses import fields, is_dataclass, replace
from datetime import UTC, datetime, timedelta
from enum import Enum
from itertools import count
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pytest
from alembic.config import Config
from alembic.script import ScriptDirectory
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from driftctl_py import migrations
from driftctl_py.adapters.store import Store
from driftctl_py.adapters.store.migrate import VERSION
from driftctl_py.core.approval import Binding
from driftctl_py.core.audit import Anchor, Event, verify
from driftctl_py.core.governing import Governing
from driftctl_py.core.restraint import Restraint, Why
from driftctl_py.core.run import MOVES, Purpose, Run, State, may_become
from driftctl_py.errors import StoreError
from tests.adapters.stores import (
    APPROVAL,
    LEASE,
    NOON,
    PLANNED,
    RUN,
    Place,
    change,
    changing,
    record_as,
    rows,
)

OTHER_LEASE = replace(LEASE, run="r2", worker="build-8:4711")


@pytest.fixture
def store(place: Place) -> Store:
    return place.open()


def events(store: Store) -> list[Event]:
    return [entry.event for entry in store.entries()]


def refused(act: Callable[[], object]) -> StoreError:
    with pytest.raises(StoreError) as caught:
        act()
    assert caught.value.what
    assert caught.value.todo
    return caught.value


# --- runs


def anything(kind: Any) -> st.SearchStrategy[Any]:
    """Values of a type with every field of every dataclass drawn, optional ones too."""
    if is_dataclass(kind) and isinstance(kind, type):
        hints = typing.get_type_hints(kind)
        return st.builds(kind, **{each.name: anything(hints[each.name]) for each in fields(kind)})
    arguments = typing.get_args(kind)
    match typing.get_origin(kind):
        case typing.Union | types.UnionType:
            return st.one_of(*map(anything, arguments))
        case origin if origin is tuple:
            return st.lists(anything(arguments[0]), max_size=2).map(tuple)
        case origin if origin is not None and issubclass(origin, Mapping):
            return st.dictionaries(*map(anything, arguments), max_size=2)
    if kind is datetime:
        return st.datetimes(timezones=st.just(UTC))
    if kind is int:
        return st.integers(-(2**63), 2**64 - 1)
    if isinstance(kind, type) and issubclass(kind, Enum):
        return st.sampled_from(kind)
    return st.from_type(kind)


_numbers = count()
# What is a column cannot hold NUL in PostgreSQL; what is only told, in JSON, can.
_names = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]))


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(anything(Run), _names, _names)
def test_every_field_of_a_run_comes_back_exactly(
    store: Store, drawn: Run, environment: str, worker: str
) -> None:
    run = replace(drawn, id=f"run-{next(_numbers)}", environment=environment, worker=worker)

    store.save(run)

    assert store.run(run.id) == run
    if run.purpose is not Purpose.REVIEW:
        assert store.latest()[environment] == run


def test_a_run_that_is_saved_again_is_the_newer_one(store: Store) -> None:
    store.save(RUN, PLANNED)
    held = replace(RUN, state=State.HELD, fingerprint="f1-abc", artifacts={"plan": "sha256-00"})
    store.save(held, replace(PLANNED, what="decided"))

    assert store.run("r1") == held
    assert store.runs() == (held,)
    assert [event.what for event in events(store)] == ["planned", "decided"]


def test_an_unknown_run_is_none(store: Store) -> None:
    assert store.run("r1") is None
    assert store.find("r") == ()
    assert store.runs() == ()
    assert store.latest() == {}
    assert store.last_converged("prod") is None


# Two moves of each of hundreds of runs; in a bucket they are judged by the same SQL as in SQLite.
@pytest.mark.parametrize("place", ["sqlite", "postgres"], indirect=True)
def test_a_run_moves_as_the_rules_say_and_no_otherwise(store: Store) -> None:
    for number, (was, then) in enumerate((was, then) for was in State for then in State):
        run = replace(RUN, id=f"r{number}", state=was)
        store.save(run)
        if may_become(was, then):
            store.save(replace(run, state=then), PLANNED)
        else:
            error = refused(lambda: store.save(replace(run, state=then), PLANNED))  # noqa: B023
            assert f"is {was.value} by now" in error.what
            assert store.run(run.id) == run

    allowed = sum(map(len, MOVES.values())) + len(State)
    assert len(events(store)) == allowed


def test_what_another_process_saved_is_what_a_move_is_judged_by(place: Place) -> None:
    mine, other = place.open(), place.open()
    mine.save(RUN)
    other.save(replace(RUN, state=State.REJECTED), PLANNED)

    refused(lambda: mine.save(replace(RUN, state=State.APPLYING), PLANNED))

    assert len(events(mine)) == 1


def test_a_run_that_a_worker_is_at_is_not_another_workers(store: Store) -> None:
    applying = replace(RUN, state=State.APPLYING)
    store.save(applying)

    error = refused(lambda: store.save(replace(applying, worker="build-8:1")))

    assert "by build-7:4711" in error.what
    store.save(replace(applying, reason="still at it"))
    # Whoever finds that it ended says so, and needs not have begun it.
    store.save(replace(applying, worker="build-8:1", state=State.UNKNOWN))


def test_of_two_who_apply_a_run_one_is_refused(place: Place) -> None:
    stores = [place.open(), place.open()]
    workers = ["build-7:1", "build-8:1"]
    for number in range(10):
        waiting = replace(RUN, id=f"r{number}", state=State.ALLOWED)
        stores[0].save(waiting)
        start = threading.Barrier(2)
        outcomes: list[str] = []

        def apply(store: Store, worker: str, run: Run = waiting) -> None:
            start.wait()  # noqa: B023
            try:
                store.save(replace(run, state=State.APPLYING, worker=worker), PLANNED)
            except StoreError:
                outcomes.append("refused")  # noqa: B023
            else:
                outcomes.append(worker)  # noqa: B023

        threads = [
            threading.Thread(target=apply, args=pair) for pair in zip(stores, workers, strict=True)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

        found = stores[0].run(waiting.id)
        assert found is not None
        assert sorted(outcomes) == sorted([found.worker, "refused"])
    assert len(events(stores[0])) == 10


def test_the_history_has_the_latest_first_a_page_at_a_time(store: Store) -> None:
    for number in range(7):
        # Not by the clock: those of two machines differ.
        store.save(replace(RUN, id=f"r{number}", started_at=NOON - timedelta(seconds=number)))

    assert [run.id for run in store.runs(limit=3)] == ["r6", "r5", "r4"]
    assert [run.id for run in store.runs(limit=3, before="r4")] == ["r3", "r2", "r1"]
    assert [run.id for run in store.runs(limit=3, before="r1")] == ["r0"]
    assert "There is no run r9" in refused(lambda: store.runs(before="r9")).what


def test_the_history_is_asked_by_environment_and_state(store: Store) -> None:
    for number, (environment, state) in enumerate(
        (environment, state)
        for environment in ("dev", "prod")
        for state in (State.HELD, State.FAILED, State.HELD, State.IN_SYNC)
    ):
        store.save(replace(RUN, id=f"r{number}", environment=environment, state=state))

    def asked(**conditions: Any) -> list[str]:
        return [run.id for run in store.runs(**conditions)]

    assert asked(environment="dev") == ["r3", "r2", "r1", "r0"]
    assert asked(states=[State.HELD]) == ["r6", "r4", "r2", "r0"]
    assert asked(states=[State.HELD, State.IN_SYNC], limit=3) == ["r7", "r6", "r4"]
    assert asked(states=[State.HELD, State.FAILED], environment="prod") == ["r6", "r5", "r4"]
    assert asked(states=[State.HELD], environment="prod", before="r6") == ["r4"]
    assert asked(states=[State.REJECTED]) == []


def test_a_run_is_found_by_the_beginning_of_its_id(store: Store) -> None:
    for id in ("ab1", "ab2", "abc", "AB1", "a_1", "a%1", "b"):
        store.save(replace(RUN, id=id))

    def found(prefix: str) -> list[str]:
        return [run.id for run in store.find(prefix)]

    assert found("ab") == ["abc", "ab2", "ab1"]
    assert found("AB") == ["AB1"]
    assert found("a_") == ["a_1"]
    assert found("a%") == ["a%1"]
    assert found("abc") == ["abc"]
    assert found("abcd") == []
    assert found("") == []


def test_the_latest_run_is_the_one_that_began_last(store: Store) -> None:
    first = replace(RUN, id="r1", state=State.HELD)
    second = replace(RUN, id="r2", state=State.ALLOWED)
    elsewhere = replace(RUN, id="r3", environment="dev")
    for run in (first, second, elsewhere):
        store.save(run)

    store.save(replace(first, state=State.SUPERSEDED))

    assert store.latest() == {"dev": elsewhere, "prod": second}


def test_a_review_says_nothing_of_where_an_environment_stands(store: Store) -> None:
    stands = replace(RUN, id="r1", state=State.APPLIED)
    review = replace(RUN, id="r2", purpose=Purpose.REVIEW, state=State.REVIEWED)
    for run in (stands, review, replace(review, id="r3", state=State.IN_SYNC)):
        store.save(run)

    assert store.latest() == {"prod": stands}
    assert store.last_converged("prod") == stands
    assert [run.id for run in store.runs(environment="prod")] == ["r3", "r2", "r1"]
    assert [run.id for run in store.runs(environment="prod", limit=1, reviews=False)] == ["r1"]
    states = (State.APPLIED, State.REVIEWED)
    assert [run.id for run in store.runs(states=states, reviews=False)] == ["r1"]


def test_no_review_is_kept_for_ever_whatever_it_came_to(store: Store) -> None:
    review = replace(RUN, purpose=Purpose.REVIEW, started_at=NOON - timedelta(days=90))
    for state in (State.REVIEWED, State.UNKNOWN, State.FAILED):
        store.save(replace(review, id=state.value, state=state))

    assert store.forget(NOON - timedelta(days=30)) == 3


def test_code_and_cloud_are_one_after_an_apply_or_in_sync_without_drift(store: Store) -> None:
    for number, state in enumerate(State):
        store.save(replace(RUN, id=f"r{number}", environment=state.value, state=state))
    store.save(replace(RUN, id="d", environment="tolerated", state=State.IN_SYNC, drifted=1))

    converged = {state for state in State if store.last_converged(state.value)}

    assert converged == {State.APPLIED, State.IN_SYNC}
    assert store.last_converged("tolerated") is None


@pytest.mark.parametrize("state", [State.IN_SYNC, State.APPLIED])
def test_what_only_recorded_drift_says_nothing_about_the_code(store: Store, state: State) -> None:
    store.save(replace(RUN, state=state, purpose=Purpose.ACCEPT))

    assert store.last_converged("prod") is None


def test_the_last_time_that_they_were_one_is_not_the_last_run(store: Store) -> None:
    for number, state in enumerate((State.APPLIED, State.PLANNING, State.HELD)):
        store.save(replace(RUN, id=f"r{number}", state=state))
    assert (found := store.last_converged("prod")) is not None
    assert found.id == "r0"

    store.save(replace(RUN, id="r1", state=State.IN_SYNC))

    assert (found := store.last_converged("prod")) is not None
    assert found.id == "r1"


def test_what_came_to_nothing_is_forgotten_after_a_while(store: Store) -> None:
    old, new = NOON - timedelta(days=90), NOON
    for number, state in enumerate(State):
        store.save(replace(RUN, id=f"old-{state.value}", state=state, started_at=old))
        store.save(replace(RUN, id=f"new-{state.value}", state=state, started_at=new))
        store.save(replace(RUN, id=f"only-{number}", environment=f"e{number}", state=state))
    store.save(replace(RUN, id="in sync last", state=State.IN_SYNC, started_at=old))

    forgotten = store.forget(NOON - timedelta(days=30))

    left = {run.id for run in store.runs(environment="prod", limit=100)}
    gone = {state.value for state in State} - {
        each.removeprefix("old-") for each in left if each.startswith("old-")
    }
    assert gone == {"in sync", "refused", "failed", "interrupted", "superseded", "stale"}
    assert forgotten == len(gone)
    assert {f"new-{state.value}" for state in State} <= left
    # It is the last of its environment, and the last after which code and cloud were one.
    assert "in sync last" in left
    assert store.latest().keys() == {"prod", *(f"e{number}" for number in range(len(State)))}


def test_many_runs_are_forgotten_a_part_at_a_time(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    from driftctl_py.adapters.store import writing

    monkeypatch.setattr(writing, "FORGOTTEN_AT_ONCE", 3)
    for number in range(8):
        store.save(replace(RUN, id=f"r{number}", state=State.FAILED))

    assert store.forget(NOON + timedelta(seconds=1)) == 7
    assert [run.id for run in store.runs(limit=10)] == ["r7"]


def test_a_run_that_this_version_cannot_read_is_said_to_be_one(store: Store, place: Place) -> None:
    store.save(RUN)
    change(place, "UPDATE runs SET document = replace(document, 'planning', 'dreaming')")

    assert "a run that this version cannot read" in refused(store.latest).what


# --- approvals, restraints, keys

APPROVED = replace(PLANNED, what="approved", evidence={"approval": "a1"})


def test_approvals_come_back_in_the_order_they_were_given(store: Store) -> None:
    no = replace(APPROVAL, id="a0", yes=False, at=NOON - timedelta(hours=1))
    elsewhere = replace(APPROVAL, id="a2", binding=replace(APPROVAL.binding, environment="dev"))
    for approval in (APPROVAL, no, elsewhere):
        store.approve(approval, APPROVED)

    assert store.approvals("prod") == (APPROVAL, no)
    assert store.approvals("dev") == (elsewhere,)
    assert store.approvals("staging") == ()
    assert events(store) == [APPROVED] * 3


def test_all_approvals_are_those_of_every_environment(store: Store) -> None:
    elsewhere = replace(APPROVAL, id="a2", binding=replace(APPROVAL.binding, environment="dev"))
    for approval in (elsewhere, APPROVAL):
        store.approve(approval, APPROVED)

    assert store.approvals() == (elsewhere, APPROVAL)


def test_entries_of_some_kinds_are_found_among_all(store: Store) -> None:
    for what in ("planned", "key added", "approved", "key removed", "approved"):
        store.note(replace(PLANNED, what=what, evidence={"what": "key added"}))

    assert [each.number for each in store.entries_of("approved", "key added")] == [2, 3, 5]
    assert store.entries_of("approved") == tuple(
        each for each in store.entries() if each.event.what == "approved"
    )


GOVERNING = Governing("terraform 1.11.4", "v", "l", "b", "s")
APPLIED = replace(
    RUN, state=State.APPLIED, fingerprint="f2-abc", governing=GOVERNING, lineage="1d-lineage"
)
MEANT = Binding("prod", "f2-abc", GOVERNING.digest, "1d-lineage")


def test_the_last_apply_of_the_same_meaning_is_found(store: Store) -> None:
    later = NOON + timedelta(hours=5)
    store.save(replace(APPLIED, id="r1", ended_at=later))
    store.save(replace(APPLIED, id="r2", ended_at=NOON + timedelta(hours=1)))
    store.save(replace(APPLIED, id="r3", state=State.UNKNOWN, ended_at=None))

    assert store.applied_at(MEANT) == later


def test_the_state_of_a_run_says_whether_its_approval_is_used_up(store: Store) -> None:
    for state in State:
        store.save(replace(APPLIED, id=state.value, environment=state.value, state=state))

    used = {each for each in State if store.applied_at(replace(MEANT, environment=each.value))}

    assert used == {
        State.APPLIED,
        State.UNVERIFIED,
        State.NOT_CONVERGED,
        State.PARTLY_APPLIED,
        State.UNKNOWN,
    }


@pytest.mark.parametrize(
    "other",
    [
        replace(MEANT, environment="dev"),
        replace(MEANT, fingerprint="f2-abd"),
        replace(MEANT, fingerprint="f2-%"),
        replace(MEANT, governing="another"),
        replace(MEANT, lineage="another"),
    ],
)
def test_an_apply_that_meant_something_else_uses_nothing_up(store: Store, other: Binding) -> None:
    store.save(replace(APPLIED, ended_at=NOON))

    assert store.applied_at(other) is None


def test_an_approval_is_recorded_once(store: Store) -> None:
    store.approve(APPROVAL, APPROVED)

    error = refused(lambda: store.approve(replace(APPROVAL, reason="Again."), APPROVED))

    assert "The approval a1 of prod is recorded already." in error.what
    assert store.approvals("prod") == (APPROVAL,)
    assert len(events(store)) == 1


def test_a_restraint_holds_until_it_is_lifted(store: Store) -> None:
    suspended = Restraint("prod", Why.SUSPENDED, "Freeze.", "os:ada", NOON, NOON)
    pinned = Restraint("prod", Why.PINNED, "Rolled back.", "os:ada", NOON, None, "77b0de4", "r1")
    elsewhere = replace(suspended, environment="dev")
    longer = replace(suspended, until=None, reason="Longer.")
    for each in (suspended, pinned, elsewhere, longer):
        store.restrain(each, PLANNED)

    assert store.restraints("prod") == (pinned, longer)
    assert store.restraints() == (elsewhere, pinned, longer)
    assert store.lift("prod", Why.SUSPENDED, PLANNED)
    assert store.restraints("prod") == (pinned,)
    assert store.restraints("dev") == (elsewhere,)


def test_lifting_what_holds_nobody_back_is_not_recorded(store: Store) -> None:
    assert not store.lift("prod", Why.BLOCKED, PLANNED)
    assert events(store) == []


def test_keys_have_one_digest_each(store: Store) -> None:
    store.add_key("grace", "d1", PLANNED)
    store.add_key("ada", "d2", PLANNED)

    assert "There is a key named ada already" in refused(lambda: store.add_key("ada", "d3")).what
    assert store.keys() == {"ada": "d2", "grace": "d1"}
    assert store.remove_key("ada", PLANNED)
    assert not store.remove_key("ada", PLANNED)
    assert store.keys() == {"grace": "d1"}
    assert len(events(store)) == 3


# --- run locks


def test_a_run_lock_is_one_workers(store: Store) -> None:
    assert store.take(LEASE) is None
    holder = store.take(OTHER_LEASE)

    assert holder is not None
    assert (holder.run, holder.worker, holder.seconds) == (LEASE.run, LEASE.worker, 60.0)
    assert store.leases() == (holder,)
    assert store.take(replace(OTHER_LEASE, environment="dev")) is None


def test_whoever_has_a_run_lock_may_take_it_again(store: Store) -> None:
    assert store.take(LEASE) is None
    assert store.take(LEASE) is None


def test_a_beat_shows_that_somebody_is_there(store: Store) -> None:
    store.take(LEASE)
    (before,) = store.leases()

    assert store.beat(LEASE)
    (after,) = store.leases()
    assert after.beat_at > before.beat_at
    assert after.taken_at == before.taken_at
    assert not store.beat(OTHER_LEASE)


def test_a_lock_without_a_beat_is_taken_over_and_its_holder_is_told(store: Store) -> None:
    # It expires at once; what it is compared with is what it said itself, not what we say.
    store.take(replace(LEASE, seconds=0.0))

    assert store.take(OTHER_LEASE) is None
    assert not store.beat(LEASE)
    store.free(LEASE)
    assert [each.worker for each in store.leases()] == [OTHER_LEASE.worker]


def test_a_lock_that_is_given_back_is_free(store: Store) -> None:
    store.take(LEASE)
    store.free(LEASE)

    assert store.leases() == ()
    assert not store.beat(LEASE)
    assert store.take(OTHER_LEASE) is None


def test_of_those_who_take_a_lock_at_once_one_has_it(place: Place) -> None:
    stores = [place.open() for _ in range(4)]
    start = threading.Barrier(len(stores))
    taken: list[str] = []

    def race(store: Store, worker: str) -> None:
        for number in range(10):
            lease = replace(LEASE, environment=f"e{number}", run=worker, worker=worker)
            start.wait()
            if store.take(lease) is None:
                taken.append(lease.environment)

    threads = [
        threading.Thread(target=race, args=(store, f"host:{number}"))
        for number, store in enumerate(stores)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(taken) == sorted(f"e{number}" for number in range(10))


# --- the trail


def test_the_trail_is_chained_and_goes_on_when_the_store_is_opened_again(place: Place) -> None:
    first = place.open()
    assert first.head() is None
    first.note(PLANNED, APPROVED)
    first.close()
    again = place.open()
    again.note(PLANNED)

    entries = list(again.entries())

    assert [entry.event for entry in entries] == [PLANNED, APPROVED, PLANNED]
    assert again.head() == Anchor(3, entries[-1].hash)
    assert verify(entries, [again.head() or Anchor(0, "")]) == (3, ())


def test_a_long_trail_is_read_in_parts(store: Store) -> None:
    store.note(*(replace(PLANNED, run=f"r{number}") for number in range(2500)))

    assert [event.run for event in events(store)] == [f"r{number}" for number in range(2500)]
    assert verify(store.entries(), []) == (2500, ())


def test_nothing_is_recorded_without_events(store: Store) -> None:
    store.note()

    assert store.head() is None


def test_texts_that_no_encoding_holds_are_recorded_as_they_are_read_back(store: Store) -> None:
    odd = "nul \0, half \udcff, \U0001f600"
    run = replace(RUN, reason=odd, authors=(odd,), artifacts=MappingProxyType({odd: odd}))
    store.save(run, replace(PLANNED, who=odd, evidence={odd: odd}))

    told = "nul \0, half \ufffd, \U0001f600"
    assert store.run("r1") == replace(RUN, reason=told, authors=(told,), artifacts={told: told})
    assert events(store) == [replace(PLANNED, who=told, evidence={told: told})]
    assert verify(store.entries(), []) == (1, ())


def test_a_moment_and_a_mapping_are_recorded_as_they_are_read_back(store: Store) -> None:
    store.note(
        replace(PLANNED, evidence=MappingProxyType({"a": "b"})),
        replace(PLANNED, at=datetime.fromisoformat("2026-11-24T17:45:00.000001+05:45")),
    )

    assert events(store)[0].evidence == {"a": "b"}
    assert events(store)[1].at == NOON + timedelta(microseconds=1)
    assert verify(store.entries(), []) == (2, ())


# Hundreds of changes; in a bucket the trail is the same rows of SQLite.
@pytest.mark.parametrize("place", ["sqlite", "postgres"], indirect=True)
def test_every_changed_byte_of_the_trail_is_found(store: Store, place: Place) -> None:
    store.note(PLANNED, replace(PLANNED, evidence={}), APPROVED)
    ((text, before, hash),) = rows(
        place, "SELECT event, before, hash FROM entries WHERE number = 1"
    )
    columns = {"event": text, "before": before, "hash": hash}

    with changing(place) as change:
        for column, value in columns.items():
            assert isinstance(value, str)
            for at, byte in enumerate(value):
                # Another case is the least there is: "T" and "t" are one to who reads a moment.
                other = byte.swapcase() if byte.swapcase() != byte else chr(ord(byte) ^ 1)
                edited = value[:at] + other + value[at + 1 :]
                change(f"UPDATE entries SET {column} = '{edited}' WHERE number = 1")
                assert verify(store.entries(), [])[1], edited
            change(f"UPDATE entries SET {column} = '{value}' WHERE number = 1")
    assert verify(store.entries(), []) == (3, ())


def test_an_event_that_is_none_is_told_as_a_flaw(store: Store, place: Place) -> None:
    store.note(PLANNED, PLANNED)
    change(place, "UPDATE entries SET event = 'gone' WHERE number = 2")

    count, flaws = verify(store.entries(), [])

    assert (count, [flaw.number for flaw in flaws]) == (2, [2])
    assert [event.what for event in events(store)] == ["planned", "unreadable"]


def test_a_missing_entry_is_found(store: Store, place: Place) -> None:
    store.note(PLANNED, PLANNED, PLANNED)
    change(place, "DELETE FROM entries WHERE number = 2")

    assert [flaw.number for flaw in verify(store.entries(), [])[1]] == [2]


def test_a_cut_end_is_found_by_the_anchor_and_by_what_is_recorded_next(
    store: Store, place: Place
) -> None:
    store.note(PLANNED, PLANNED, PLANNED)
    assert (anchor := store.head()) is not None
    change(place, "DELETE FROM entries WHERE number = 3")

    assert [flaw.number for flaw in verify(store.entries(), [anchor])[1]] == [3]
    store.note(PLANNED)
    assert [flaw.number for flaw in verify(store.entries(), [])[1]] == [3]


def test_a_head_that_was_moved_back_writes_over_nothing(store: Store, place: Place) -> None:
    store.note(PLANNED, PLANNED, PLANNED)
    change(place, "UPDATE head SET number = 1")

    error = refused(lambda: store.save(RUN, PLANNED))

    assert "says that it ends at entry 1, but goes on behind it" in error.what
    assert store.run("r1") is None


def test_a_head_that_is_gone_is_not_made_anew(store: Store, place: Place) -> None:
    change(place, "DELETE FROM head")

    refused(lambda: store.note(PLANNED))

    assert store.head() is None
    assert events(store) == []


# --- several processes


def test_processes_that_record_at_once_lose_nothing(place: Place) -> None:
    # The first one to come makes the store: all of them try.
    place = place.another()
    workers, runs = 3, 8 if place.bucket is None else 3
    with multiprocessing.get_context("spawn").Pool(workers) as pool:
        keys = pool.starmap(
            record_as, [(place.of_worker(worker), worker, runs) for worker in range(workers)]
        )

    store = place.open()
    ids = {f"w{worker}-{number}" for worker in range(workers) for number in range(runs)}
    assert {store.key(), *keys} == {keys[0]}
    assert {run.id for run in store.runs(limit=1000)} == ids
    assert {approval.run for approval in store.approvals("prod")} == ids
    said = [(event.run, event.what) for event in events(store)]
    assert sorted(said) == sorted(
        (id, what) for id in ids for what in ("planned", "decided", "approved")
    )
    assert store.head() is not None
    assert verify(store.entries(), [store.head() or Anchor(0, "")]) == (len(ids) * 3, ())
    assert store.leases() == ()


def test_a_process_that_is_killed_while_it_records_leaves_whole_records(place: Place) -> None:
    place.open()
    context = multiprocessing.get_context("spawn")
    process = context.Process(target=record_as, args=(place.of_worker(1), 0, 100_000))
    process.start()
    store = place.open()
    while len(store.runs()) < 5:
        assert process.is_alive()
        time.sleep(0.01)
    process.kill()
    process.join()

    recorded = {run.id: run.state for run in store.runs(limit=100_000)}
    approved = {approval.run for approval in store.approvals("prod")}
    told = [(event.run, event.what) for event in events(store)]
    assert store.head() is not None
    assert verify(store.entries(), [store.head() or Anchor(0, "")]) == (len(told), ())
    assert {id for id, what in told if what == "planned"} == recorded.keys()
    held = {id for id, state in recorded.items() if state is State.HELD}
    assert {id for id, what in told if what == "decided"} == held
    assert {id for id, what in told if what == "approved"} == approved


def test_a_store_that_many_open_at_once_is_made_once(place: Place) -> None:
    place = place.another()
    start = threading.Barrier(6)
    keys: list[bytes] = []

    def first() -> None:
        start.wait()
        keys.append(place.open().key())

    threads = [threading.Thread(target=first) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(keys) == 6
    assert len(set(keys)) == 1
    assert len(keys[0]) == 32


def test_two_stores_have_two_keys(place: Place) -> None:
    mine, other = place.open(), place.another().open()

    assert mine.key() != other.key()


def test_a_key_that_is_gone_is_not_made_anew(store: Store, place: Place) -> None:
    change(place, "DELETE FROM facts")

    assert "has lost the key" in refused(store.key).what


# --- the schema


def test_a_newer_schema_is_refused_and_left_alone(place: Place) -> None:
    place.open().note(PLANNED)
    change(place, "UPDATE alembic_version SET version_num = '0999'")

    error = refused(place.open)

    assert "has the schema 0999" in error.what
    assert rows(place, "SELECT version_num FROM alembic_version") == [("0999",)]


def test_an_unknown_schema_is_refused(place: Place) -> None:
    place.open()
    change(place, "UPDATE alembic_version SET version_num = 'c0ffee'")

    refused(place.open)


def test_the_last_migration_is_the_version_that_we_know() -> None:
    config = Config()
    config.set_main_option("script_location", str(Path(migrations.__file__).parent))

    assert ScriptDirectory.from_config(config).get_heads() == [VERSION]
