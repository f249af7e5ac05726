"""A pass over one environment: what is written down when, and what is never applied.

Engine, Git and state are faked in files (`reconciling.py`); store and artifacts are the real ones.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from driftctl_py.adapters.store import Store, open_store
from driftctl_py.app.leases import Busy, Leases
from driftctl_py.app.order import Order
from driftctl_py.core.apply_log import ApplyEnd
from driftctl_py.core.approval import Approval, Requirement
from driftctl_py.core.audit import Event, verify
from driftctl_py.core.decision import (
    Apply,
    Cause,
    Hold,
    Judgement,
    Level,
    Nothing,
    Refuse,
    Ruling,
    Rulings,
)
from driftctl_py.core.engine_choice import Candidate
from driftctl_py.core.environment import Environment, Mode
from driftctl_py.core.history import binding_of
from driftctl_py.core.lease import Lease
from driftctl_py.core.module_facts import Backend
from driftctl_py.core.restraint import Restraint, Why
from driftctl_py.core.rule import Effect as RuleEffect
from driftctl_py.core.rule import Rule
from driftctl_py.core.run import Applied, Purpose, Run, State
from driftctl_py.errors import (
    ArtifactError,
    Diagnostic,
    EngineError,
    Interrupted,
    SourceError,
    StateError,
    StoreError,
    Unavailable,
    UsageError,
)

from .fakes import FakeClock, failed, planned
from .reconciling import ADA, ADDRESS, GRACE, ONE, THREE, TWO, Bench, done, order, prod, revision

AUTO, GATE, NEVER = Mode.AUTO, Mode.GATE, Mode.NEVER
FREE = prod(AUTO, AUTO)
GATED = prod(GATE, GATE)
HEALING = prod(GATE, AUTO)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = open_store(None, tmp_path / "memory", now=lambda: datetime.now(UTC))
    yield opened
    opened.close()


@pytest.fixture
def bench(tmp_path: Path, store: Store) -> Bench:
    return Bench(tmp_path, store)


def drift(bench: Bench, value: str = "by hand") -> None:
    bench.world.becomes(real=value)


# A pass, from its beginning to its end.


def test_a_pass_plans_decides_applies_and_looks_again(bench: Bench) -> None:
    outcome = bench.reconciler.reconcile(order(environment=FREE))

    assert outcome.error is None
    assert outcome.run.state is State.APPLIED
    assert isinstance(outcome.decision, Apply)
    assert bench.world.applied == [ONE]
    assert bench.engine.calls == ["init", "plan to apply", "show", "apply", "plan"]
    assert bench.told == ["decided", "apply began", "apply ended"]
    assert bench.engine.workspaces_used == ["default"]


def test_every_step_is_written_down_before_the_next_begins(bench: Bench) -> None:
    seen: list[tuple[State, list[str], list[str]]] = []

    def look(_log: Path) -> None:
        (run,) = bench.runs
        seen.append((run.state, bench.told, sorted(run.artifacts)))

    bench.engine.before_apply = look
    bench.reconciler.reconcile(order(environment=FREE))

    assert seen == [(State.APPLYING, ["decided", "apply began"], ["plan", "plan.json"])]
    ((_, began, _),) = [
        (entry.event.what, entry.event.evidence, entry.number)
        for entry in bench.store.entries()
        if entry.event.what == "apply began"
    ]
    assert began["fingerprint"] == bench.runs[0].fingerprint
    assert began["plan"].startswith("sha256-")
    # It can be applied no more, and holds secrets.
    assert sorted(bench.runs[0].artifacts) == ["plan.json"]


def test_nothing_to_do_is_recorded_and_needs_no_plan_to_be_kept(bench: Bench) -> None:
    bench.world.becomes(state=ONE, real=ONE, serial=1)

    outcome = bench.reconciler.reconcile(order(environment=FREE))

    assert isinstance(outcome.decision, Nothing)
    assert outcome.run.state is State.IN_SYNC
    assert outcome.report is None
    assert bench.engine.calls == ["init", "plan to apply"]
    assert bench.runs[0].artifacts == {}


def test_a_plan_applies_nothing_even_where_it_may(bench: Bench) -> None:
    outcome = bench.reconciler.plan(order(environment=FREE))

    assert outcome.run.state is State.ALLOWED
    assert bench.world.applied == []


@pytest.mark.parametrize(
    ("environment", "state"), [(prod(), State.REFUSED), (GATED, State.HELD), (FREE, State.APPLIED)]
)
def test_the_switches_decide(bench: Bench, environment: Any, state: State) -> None:
    outcome = bench.reconciler.reconcile(order(environment=environment))

    assert outcome.run.state is state
    assert len(bench.world.applied) == (state is State.APPLIED)


def test_nothing_with_secrets_is_left_in_the_directory(bench: Bench) -> None:
    bench.reconciler.reconcile(order(environment=FREE))

    assert not list(bench.workdirs.home.rglob("plan.tfplan"))
    assert not list(bench.workdirs.home.rglob("plan.json"))


def test_a_newer_plan_takes_the_place_of_the_one_that_waited(bench: Bench) -> None:
    first = bench.reconciler.plan(order(ONE, GATED)).run
    second = bench.reconciler.plan(order(TWO, GATED)).run

    assert [each.state for each in bench.runs] == [State.HELD, State.SUPERSEDED]
    assert bench.runs[1].id == first.id
    assert second.id in bench.runs[1].reason


def test_the_head_of_the_trail_is_anchored_after_each_pass(bench: Bench) -> None:
    bench.reconciler.reconcile(order(environment=FREE))

    assert bench.store.head() in bench.artifacts.anchors()
    assert verify(bench.store.entries(), bench.artifacts.anchors()) == (3, ())


def test_rules_that_are_broken_allow_nothing(bench: Bench) -> None:
    bench.rules.said = Rulings(broken="rules.yaml:3 cannot be read.")

    outcome = bench.reconciler.reconcile(order(environment=FREE))

    assert isinstance(outcome.decision, Refuse)
    assert "rules.yaml:3" in outcome.run.reason
    assert bench.world.applied == []


# What fails.


def test_a_plan_that_fails_is_a_failed_run_and_quotes_no_secret(bench: Bench) -> None:
    bench.engine.plans = [failed("The password hunter2!! is wrong")]

    outcome = bench.reconciler.reconcile(order(environment=FREE))

    assert outcome.run.state is State.FAILED
    assert isinstance(outcome.error, EngineError)
    assert "hunter2!!" not in outcome.run.reason
    assert "is wrong" in outcome.run.reason
    assert bench.told == ["planned"]


def test_a_plan_that_failed_without_a_word_says_so(bench: Bench) -> None:
    bench.engine.plans = [planned(1, saved=False)]

    assert "did not say why" in bench.reconciler.plan(order()).run.reason


def test_half_a_plan_is_not_believed(bench: Bench) -> None:
    bench.engine.plans = [planned(1)]

    outcome = bench.reconciler.reconcile(order(environment=FREE))

    assert outcome.run.state is State.UNKNOWN
    assert bench.world.applied == []


def test_a_plan_that_only_lacked_an_init_is_made_again(bench: Bench) -> None:
    bench.engine.plans = [planned(1, saved=False, needs_init=True)]

    outcome = bench.reconciler.plan(order(environment=FREE))

    assert outcome.run.state is State.ALLOWED
    assert bench.engine.calls == ["init", "plan to apply", "init", "plan to apply", "show"]


def test_a_plan_that_was_stopped_is_an_interrupted_run(bench: Bench) -> None:
    bench.engine.plans = [Interrupted("The plan was interrupted.")]

    outcome = bench.reconciler.reconcile(order(environment=FREE))

    assert outcome.run.state is State.INTERRUPTED


def test_a_bug_is_a_failed_run_and_is_raised_all_the_same(bench: Bench) -> None:
    # An exception may quote whatever it stumbled over.
    bench.engine.fails["show"] = ZeroDivisionError("hunter3!!")  # type: ignore[assignment]

    with pytest.raises(ZeroDivisionError):
        bench.reconciler.reconcile(order(environment=FREE))

    assert bench.runs[0].state is State.FAILED
    assert "hunter3!!" not in bench.runs[0].reason
    assert bench.runs[0].reason.startswith("ZeroDivisionError (driftctl_py/app/")
    assert bench.runs[0].reason.endswith(". This is a bug in driftctl_py.")
    assert bench.store.leases() == ()


@pytest.mark.parametrize(
    ("revised", "says"),
    [({"dirty": True}, "in no commit"), ({"in_place": True}, "changed while it was planned")],
)
def test_a_tree_that_no_commit_holds_is_not_planned_to_be_applied(
    tmp_path: Path, store: Store, revised: dict[str, bool], says: str
) -> None:
    bench = Bench(tmp_path, store, in_place=True)
    # By the time that the plan is made somebody has committed.
    bench.sources.commit = TWO
    asked = replace(order(environment=FREE), revision=revision(ONE, **revised))

    outcome = bench.reconciler.reconcile(asked)

    assert says in outcome.run.reason
    assert outcome.run.state in (State.FAILED, State.UNKNOWN)
    assert bench.world.applied == []


def test_a_tree_that_lies_still_is_planned_in_place(tmp_path: Path, store: Store) -> None:
    bench = Bench(tmp_path, store, in_place=True)
    asked = replace(order(environment=FREE), revision=revision(ONE, in_place=True))

    assert bench.reconciler.reconcile(asked).run.state is State.APPLIED


# How applies end.


def test_a_state_that_moves_before_the_apply_is_planned_again_once(bench: Bench) -> None:
    def moves(_log: Path) -> None:
        bench.world.becomes(serial=bench.world.now["serial"] + 1)
        bench.engine.before_apply = lambda _log: None

    bench.engine.before_apply = moves

    outcome = bench.reconciler.reconcile(order(environment=FREE))

    assert [run.state for run in bench.runs] == [State.APPLIED, State.STALE]
    assert outcome.run.base == bench.runs[1].id
    assert bench.world.applied == [ONE]


def test_a_state_that_moves_every_time_is_planned_again_no_more(bench: Bench) -> None:
    bench.engine.before_apply = lambda _log: bench.world.becomes(
        serial=bench.world.now["serial"] + 1
    )

    outcome = bench.reconciler.reconcile(order(environment=FREE))

    assert outcome.run.state is State.STALE
    assert bench.engine.calls.count("apply") == 2
    assert bench.world.applied == []


ERROR = Diagnostic("error", "It is gone.", address=ADDRESS)
PARTLY = Applied(True, ("create a.b",), (f"update {ADDRESS}",))
HALF = replace(PARTLY, finished=False)


@pytest.mark.parametrize(
    ("end", "state", "says"),
    [
        (ApplyEnd(1, PARTLY, (ERROR, ERROR)), State.PARTLY_APPLIED, "It is gone. (1 more)"),
        (
            ApplyEnd(1, PARTLY, (Diagnostic("error", "No"),), interrupted=True),
            State.PARTLY_APPLIED,
            "It was interrupted. No.",
        ),
        (ApplyEnd(1, Applied(True)), State.FAILED, "did not say why"),
        (ApplyEnd(-9, Applied(False), torn=True), State.UNKNOWN, "(it reported nothing)"),
        (ApplyEnd(None, HALF, torn=True), State.UNKNOWN, f"(create a.b, update {ADDRESS})"),
        (ApplyEnd(None, HALF, (ERROR,)), State.PARTLY_APPLIED, "It is gone."),
        (ApplyEnd(1, Applied(False), began=False), State.FAILED, "before the engine was started"),
        (EngineError("There is no engine."), State.FAILED, "There is no engine."),
        (Unavailable("No room for its log."), State.FAILED, "No room"),
        (Interrupted("Stopped before it began."), State.FAILED, "Stopped before"),
    ],
)
def test_an_apply_that_does_not_end_well_is_told_apart(
    bench: Bench, end: ApplyEnd | BaseException, state: State, says: str
) -> None:
    bench.engine.ends = [end]

    run = bench.reconciler.reconcile(order(environment=FREE)).run

    assert run.state is state
    assert says in run.reason
    assert run.ended_at is not None
    assert [each for each in bench.told[-3:] if each != "blocked"][-2:] == [
        "apply began",
        "apply ended",
    ]
    blocked = [each.why for each in bench.store.restraints("prod")]
    assert blocked == ([Why.BLOCKED] if state is State.UNKNOWN else [])


def test_what_a_new_plan_would_do_again_did_not_converge(bench: Bench) -> None:
    bench.engine.ends = [done()]  # it says so, but nothing happened

    run = bench.reconciler.reconcile(order(environment=FREE)).run

    assert run.state is State.NOT_CONVERGED
    assert ADDRESS in run.reason


def test_an_apply_after_which_no_plan_can_be_made_is_not_verified(bench: Bench) -> None:
    bench.engine.after_apply = lambda: bench.engine.plans.append(failed("The cloud is down"))

    run = bench.reconciler.reconcile(order(environment=FREE)).run

    assert run.state is State.UNVERIFIED
    assert "The cloud is down" in run.reason
    assert bench.world.applied == [ONE]


def test_what_an_engine_quotes_after_an_apply_is_kept_without_a_secret(bench: Bench) -> None:
    def broken() -> None:
        bench.engine.fails["plan"] = EngineError("It said: token hunter2!! is wrong.")

    bench.engine.after_apply = broken

    run = bench.reconciler.reconcile(order(environment=FREE)).run

    assert run.state is State.UNVERIFIED
    assert "It said: token (hidden) is wrong." in run.reason


def test_a_state_that_could_not_be_saved_is_kept_and_blocks(bench: Bench, tmp_path: Path) -> None:
    lost = tmp_path / "errored.tfstate"
    lost.write_bytes(b"the only record")
    bench.engine.ends = [done(1, errored_state=str(lost))]

    run = bench.reconciler.reconcile(order(environment=FREE)).run
    again = bench.reconciler.reconcile(order(environment=FREE)).run
    bench.workdirs.lost = lost
    bench.holding.lift("prod", Why.BLOCKED, reason="Pushed.")
    still = bench.reconciler.reconcile(order(environment=FREE)).run
    bench.workdirs.lost = None
    then = bench.reconciler.reconcile(order(environment=FREE)).run

    assert run.state is State.PARTLY_APPLIED
    assert bench.artifacts.get(run.artifacts["errored.tfstate"]) == b"the only record"
    assert again.state is State.REFUSED
    assert "blocked" in again.reason
    assert "unblock" in again.todo
    assert still.state is State.REFUSED
    assert str(lost) in still.reason
    assert then.state is State.APPLIED


# The memory fails.


class Failing:
    """The store, which stops answering at one save."""

    def __init__(self, store: Store, at: State) -> None:
        self._store = store
        self._at = at

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)

    def save(self, run: Run, *events: Event) -> None:
        if run.state is self._at:
            raise StoreError("The disk is full.")
        self._store.save(run, *events)


def test_what_cannot_be_written_down_is_not_begun(tmp_path: Path, store: Store) -> None:
    bench = Bench(tmp_path, Failing(store, State.APPLYING))  # type: ignore[arg-type]  # all but one of a store's

    outcome = bench.reconciler.reconcile(order(environment=FREE))

    assert isinstance(outcome.error, StoreError)
    assert outcome.run.state is State.ALLOWED
    assert bench.world.applied == []


def test_an_end_that_was_not_written_down_is_found_by_the_next_pass(
    tmp_path: Path, store: Store
) -> None:
    bench = Bench(tmp_path, Failing(store, State.APPLIED))  # type: ignore[arg-type]  # all but one of a store's

    outcome = bench.reconciler.reconcile(order(environment=FREE))

    assert isinstance(outcome.error, StoreError)
    assert outcome.run.state is State.APPLYING
    assert bench.world.applied == [ONE]
    bench.store = store
    bench.engine.lost = [done(None)]
    again = bench.reconciler.reconcile(order(environment=FREE))
    assert [run.state for run in bench.runs] == [State.IN_SYNC, State.UNVERIFIED]
    assert again.run.state is State.IN_SYNC
    assert "ended before the engine did" in bench.runs[1].reason
    assert "apply found ended" in bench.told
    assert bench.world.applied == [ONE]


def left(bench: Bench, state: State) -> Run:
    """A run that a dead process left in that state."""
    began = Run(
        "dead", "prod", State.PLANNING, Purpose.RECONCILE, bench.clock(), "apply", "os:ada", "b:2"
    )
    bench.store.save(began)
    if state is State.PLANNING:
        return began
    bench.store.save(replace(began, state=State.ALLOWED))
    applying = replace(began, state=State.APPLYING)
    bench.store.save(applying)
    return applying


def test_a_plan_that_nobody_makes_any_more_is_recorded_as_interrupted(bench: Bench) -> None:
    left(bench, State.PLANNING)

    bench.reconciler.reconcile(order(environment=FREE))

    assert bench.store.run("dead").state is State.INTERRUPTED  # type: ignore[union-attr]  # it is there
    assert bench.world.applied == [ONE]


def test_an_apply_whose_log_is_elsewhere_blocks_until_a_person_says_so(bench: Bench) -> None:
    left(bench, State.APPLYING)

    outcome = bench.reconciler.reconcile(order(environment=FREE))

    dead = bench.store.run("dead")
    assert dead is not None
    assert dead.state is State.UNKNOWN
    assert "not on this machine" in dead.reason
    assert outcome.run.state is State.REFUSED
    assert bench.world.applied == []
    bench.holding.lift("prod", Why.BLOCKED, reason="I looked.")
    assert bench.reconciler.reconcile(order(environment=FREE)).run.state is State.APPLIED


def test_an_apply_that_still_goes_on_is_left_alone(bench: Bench) -> None:
    run = left(bench, State.APPLYING)
    (bench.workdirs.home_of("prod") / "runs" / run.id).mkdir(parents=True)
    bench.engine.lost = [None]

    with pytest.raises(Interrupted, match="still applying"):
        bench.reconciler.reconcile(order(environment=FREE))

    assert bench.runs[0].state is State.APPLYING
    assert bench.world.applied == []
    assert bench.store.leases() == ()


def test_an_apply_that_is_found_failed_counts_as_the_watched_repository_has_it(
    bench: Bench,
) -> None:
    limits = b"defaults: {limits: {failures: 1}}\n"
    bench.contents.config = b"version: 1\nenvironments: [{path: environments/prod}]\n" + limits
    run = left(bench, State.APPLYING)
    (bench.workdirs.home_of("prod") / "runs" / run.id).mkdir(parents=True)
    bench.engine.lost = [done(1, errors=(Diagnostic("error", "The quota is spent."),), began=True)]

    outcome = bench.reconciler.reconcile(order(environment=FREE))

    assert outcome.run.state is State.REFUSED
    assert "limits.failures is 1" in outcome.run.reason


# One at a time.


def test_where_somebody_works_nobody_else_does(bench: Bench) -> None:
    now = datetime.now(UTC)
    bench.store.take(Lease("prod", "run-0", "grace:2", now, now))
    bench.clock = lambda: now

    with pytest.raises(Busy, match=r"being worked at by grace:2 \(run run-0\)"):
        bench.reconciler.reconcile(order(environment=FREE))

    assert bench.runs == []
    assert bench.engine.calls == []


def test_the_lock_of_the_dead_is_taken_at_once(bench: Bench, tmp_path: Path) -> None:
    now = datetime.now(UTC)
    with bench.workers.at_work("grace:2"):
        (path,) = (tmp_path / "workers" / "workers").iterdir()
        left_behind = path.read_bytes()
    path.write_bytes(left_behind)  # as after a kill: there, and nobody holds it
    bench.store.take(Lease("prod", "run-0", "grace:2", now, now))
    bench.clock = lambda: now

    assert bench.reconciler.reconcile(order(environment=FREE)).run.state is State.APPLIED


def test_the_lock_is_kept_alive_while_something_is_done(store: Store) -> None:
    clock = FakeClock()
    leases = Leases(store, worker="ada:1", is_dead=lambda _: False, clock=clock, seconds=0.2)

    with leases.held("prod", "run-1"):
        before = store.leases()[0].beat_at
        deadline = time.monotonic() + 20
        while store.leases()[0].beat_at == before and time.monotonic() < deadline:
            time.sleep(0.01)
        after = store.leases()[0].beat_at

    assert after > before
    assert store.leases() == ()


def test_two_passes_at_once_apply_once(bench: Bench) -> None:
    began, goes_on = threading.Event(), threading.Event()

    def wait(_log: Path) -> None:
        began.set()
        goes_on.wait(20)

    bench.engine.before_apply = wait
    bench.clock = lambda: datetime.now(UTC)
    first, second = bench.reconciler, bench.reconciler
    thread = threading.Thread(target=first.reconcile, args=(order(environment=FREE),))
    thread.start()
    assert began.wait(20)

    with pytest.raises(Busy):
        second.reconcile(order(environment=FREE))
    goes_on.set()
    thread.join(20)

    assert bench.world.applied == [ONE]


# What waits, and whether it may still be applied.


def waiting(bench: Bench, environment: Any = GATED, *, yes: bool = True) -> Run:
    """A plan of the first commit that waits, approved or not."""
    run = bench.reconciler.plan(order(ONE, environment)).run
    if yes:
        bench.approvals.give("prod", by=GRACE, yes=True, reason="Fine.")
    bench.engine.calls.clear()
    return run


def test_what_waits_is_applied_as_it_is(bench: Bench) -> None:
    run = waiting(bench)

    outcome = bench.reconciler.apply(order(ONE, GATED))

    assert outcome.run.id == run.id
    assert outcome.run.state is State.APPLIED
    assert bench.engine.calls == ["show", "apply", "plan"]
    assert len(bench.runs) == 1


def test_what_waits_for_a_yes_waits_on(bench: Bench) -> None:
    waiting(bench, yes=False)

    outcome = bench.reconciler.apply(order(ONE, GATED))

    assert isinstance(outcome.decision, Hold)
    assert outcome.run.state is State.HELD
    assert bench.world.applied == []


def test_where_nothing_waits_it_is_planned(bench: Bench) -> None:
    assert bench.reconciler.apply(order(ONE, FREE)).run.state is State.APPLIED


def test_an_approval_survives_a_commit_that_changes_nothing_of_it(bench: Bench) -> None:
    bench.world.wants[TWO] = ONE
    bench.contents.same[TWO] = ONE
    run = waiting(bench)

    outcome = bench.reconciler.apply(order(TWO, GATED))

    assert outcome.run.id == run.id
    assert outcome.run.state is State.APPLIED


def test_other_content_needs_another_yes_even_where_it_means_the_same(bench: Bench) -> None:
    bench.world.wants[TWO] = ONE
    run = waiting(bench)

    outcome = bench.reconciler.apply(order(TWO, GATED))

    assert outcome.run.state is State.HELD
    assert outcome.run.base == run.id
    assert outcome.before is not None
    assert "environments/prod" in outcome.again
    assert bench.world.applied == []


def test_even_where_all_is_allowed_another_meaning_is_not_applied_in_its_place(
    bench: Bench,
) -> None:
    waiting(bench, FREE, yes=False)

    outcome = bench.reconciler.apply(order(TWO, FREE))

    assert outcome.run.state is State.ALLOWED
    assert outcome.before is not None
    assert bench.world.applied == []


def test_a_state_that_moved_and_means_the_same_is_planned_again_and_applied(
    bench: Bench,
) -> None:
    run = waiting(bench)
    bench.world.becomes(serial=7)

    outcome = bench.reconciler.apply(order(ONE, GATED))

    assert outcome.run.state is State.APPLIED
    assert outcome.run.base == run.id
    assert "moved (serial 0, now 7)" in outcome.again


def test_a_state_that_is_another_needs_another_yes(bench: Bench) -> None:
    waiting(bench)
    bench.world.becomes(lineage="l2")

    outcome = bench.reconciler.apply(order(ONE, GATED))

    assert "is another" in outcome.again
    assert outcome.run.state is State.HELD
    assert bench.world.applied == []


def test_a_state_that_moves_under_the_apply_is_planned_again(bench: Bench) -> None:
    waiting(bench)

    def moves(_log: Path) -> None:
        bench.world.becomes(serial=9)
        bench.engine.before_apply = lambda _log: None

    bench.engine.before_apply = moves

    outcome = bench.reconciler.apply(order(ONE, GATED))

    assert [run.state for run in bench.runs] == [State.APPLIED, State.STALE]
    assert "The state moved" in outcome.again


def test_a_state_that_only_its_engine_can_read_is_left_to_the_engine(bench: Bench) -> None:
    bench.workdirs.recorded = b'{"backend": {"type": "gcs", "config": {}}}'
    bench.workdirs.module = replace(bench.workdirs.module, backend=Backend("gcs"))
    waiting(bench)

    assert bench.reconciler.apply(order(ONE, GATED)).run.state is State.APPLIED


def test_a_plan_of_another_engine_is_not_even_read(bench: Bench) -> None:
    waiting(bench)
    bench.engine.candidate = Candidate("terraform", "1.15.5", "/bin/newer")

    outcome = bench.reconciler.apply(order(ONE, GATED))

    assert outcome.before is None
    assert "the engine (terraform 1.11.4, now terraform 1.15.5)" in outcome.again
    assert outcome.run.state is State.HELD
    assert bench.world.applied == []


def test_a_plan_that_was_swapped_for_another_is_not_applied(bench: Bench) -> None:
    run = waiting(bench)
    saved = bench.artifacts.get(run.artifacts["plan"]).replace(ONE.encode(), THREE.encode())
    swapped = replace(run, artifacts={**run.artifacts, "plan": bench.artifacts.put(saved)})
    bench.store.save(replace(swapped, state=State.HELD))

    outcome = bench.reconciler.apply(order(ONE, GATED))

    assert isinstance(outcome.error, ArtifactError)
    assert "it is not the one that was kept" in outcome.error.what
    assert bench.world.applied == []


def test_a_plan_that_is_gone_is_said_to_be_gone(bench: Bench) -> None:
    waiting(bench)
    bench.artifacts.prune(before=datetime.now(UTC) + timedelta(days=1), keep=())

    outcome = bench.reconciler.apply(order(ONE, GATED))

    assert isinstance(outcome.error, ArtifactError)
    assert bench.world.applied == []


@pytest.mark.parametrize(
    ("lacks", "says"),
    [({"governing": None}, "not known any more"), ({"artifacts": {}}, "kept no saved plan")],
)
def test_a_run_that_lacks_what_it_takes_is_planned_again(
    bench: Bench, lacks: dict[str, Any], says: str
) -> None:
    run = waiting(bench)
    bench.store.save(replace(run, **lacks))

    outcome = bench.reconciler.apply(order(ONE, GATED))

    assert says in outcome.again


def test_a_run_is_named_by_the_beginning_of_its_id(bench: Bench) -> None:
    run = waiting(bench)

    assert bench.reconciler.apply(order(ONE, GATED), run.id[:-1]).run.id == run.id


def test_a_run_that_is_superseded_has_nothing_to_apply(bench: Bench) -> None:
    run = waiting(bench)
    bench.reconciler.plan(order(TWO, GATED))

    with pytest.raises(UsageError, match="is superseded, so it has no plan"):
        bench.reconciler.apply(order(ONE, GATED), run.id)


def test_a_run_that_is_not_there_or_not_the_only_one_is_not_applied(bench: Bench) -> None:
    waiting(bench)
    bench.reconciler.plan(order(TWO, GATED))

    with pytest.raises(UsageError, match="No run of prod begins with nothing"):
        bench.reconciler.apply(order(ONE, GATED), "nothing")
    with pytest.raises(UsageError, match="More than one run begins with run"):
        bench.reconciler.apply(order(ONE, GATED), "run")


@pytest.mark.parametrize("restraint", [Why.SUSPENDED, Why.BLOCKED])
def test_what_is_held_back_is_not_applied_though_it_was_approved(
    bench: Bench, restraint: Why
) -> None:
    waiting(bench)
    held = Restraint("prod", restraint, "An incident.", "os:ada", bench.clock())
    bench.store.restrain(held)

    outcome = bench.reconciler.apply(order(ONE, GATED))

    assert outcome.run.state is State.REFUSED
    assert "An incident." in outcome.run.reason
    assert bench.world.applied == []


def test_what_somebody_said_no_to_is_not_applied(bench: Bench) -> None:
    waiting(bench)

    given = bench.approvals.give("prod", by=ADA, yes=False, reason="Not today.")
    outcome = bench.reconciler.apply(order(ONE, GATED))

    assert given.run.state is State.REJECTED
    assert outcome.run.state is State.REFUSED
    assert "Not today." in outcome.run.reason
    assert bench.world.applied == []


def test_a_yes_that_expired_is_none(bench: Bench) -> None:
    short = replace(GATED, requirement=Requirement(expires_seconds=1))
    waiting(bench, short)
    bench.clock()

    outcome = bench.reconciler.apply(order(ONE, short))

    assert isinstance(outcome.decision, Hold)
    assert "expired" in outcome.decision.standing.passed[0].why


# Drift is healed while a commit waits.


def test_drift_is_put_back_at_the_last_commit_while_a_newer_one_waits(bench: Bench) -> None:
    bench.converged(ONE)
    drift(bench)

    outcome = bench.reconciler.reconcile(order(TWO, HEALING))

    assert bench.world.applied == [ONE]
    assert outcome.run.state is State.HELD
    assert outcome.run.commit == TWO
    states = [(run.state, run.purpose) for run in bench.runs[:3]]
    assert states == [
        (State.HELD, Purpose.RECONCILE),
        (State.APPLIED, Purpose.HEAL),
        (State.SUPERSEDED, Purpose.RECONCILE),
    ]
    assert outcome.run.base == bench.runs[1].id
    assert bench.runs[1].base == bench.runs[2].id


class _AllowsDrift:
    """What a rule of the environment says of each change that is somebody's drift."""

    def rulings(
        self, order: Order, run: Run, report: object, judgement: Judgement, documents: object
    ) -> Rulings:
        drifted = [each for each in judgement.changes if each.cause is Cause.DRIFT]
        allows = Ruling(Level.ALLOW, order.environment.rules[0].name)
        return Rulings({(each.address, each.deposed): (allows,) for each in drifted})


def test_drift_that_a_rule_allows_is_healed_while_a_commit_waits(bench: Bench) -> None:
    bench.converged(ONE)
    drift(bench)
    bench.gate = _AllowsDrift()
    rule = Rule("heal", RuleEffect.ALLOW, causes=("drift",))

    outcome = bench.reconciler.reconcile(order(TWO, replace(GATED, rules=(rule,))))

    assert bench.world.applied == [ONE]
    assert (outcome.run.state, outcome.run.commit) == (State.HELD, TWO)


def test_drift_is_healed_where_commits_are_refused_too(bench: Bench) -> None:
    bench.converged(ONE)
    drift(bench)

    outcome = bench.reconciler.reconcile(order(TWO, prod(NEVER, AUTO)))

    assert bench.world.applied == [ONE]
    assert outcome.run.state is State.REFUSED


@pytest.mark.parametrize(
    ("environment", "asked", "drifts"),
    [
        (GATED, {}, True),
        (HEALING, {}, False),
        (HEALING, {"purpose": Purpose.ROLLBACK}, True),
    ],
)
def test_nothing_is_healed_that_is_not_to_be(
    bench: Bench, environment: Any, asked: dict[str, Any], drifts: bool
) -> None:
    bench.converged(ONE)
    if drifts:
        drift(bench)

    outcome = bench.reconciler.reconcile(order(TWO, environment, **asked))

    assert outcome.run.state is State.HELD
    assert bench.world.applied == []
    assert Purpose.HEAL not in {run.purpose for run in bench.runs}


def test_what_never_converged_cannot_be_healed(bench: Bench) -> None:
    bench.world.becomes(state=ONE, real="by hand")

    outcome = bench.reconciler.reconcile(order(TWO, HEALING))

    assert outcome.run.state is State.HELD
    assert len(bench.runs) == 1


def test_a_commit_that_is_gone_cannot_be_healed_at(bench: Bench) -> None:
    bench.converged(ONE)
    drift(bench)
    bench.contents.gone = frozenset({ONE})

    outcome = bench.reconciler.reconcile(order(TWO, HEALING))

    assert outcome.run.state is State.HELD
    assert bench.world.applied == []


def test_what_would_need_a_yes_is_not_healed(bench: Bench) -> None:
    bench.converged(ONE)
    drift(bench)
    # A data source, say: the old commit means something else by now.
    bench.world.wants[ONE] = "something else"

    outcome = bench.reconciler.reconcile(order(TWO, HEALING))

    assert [(run.state, run.purpose) for run in bench.runs[:2]] == [
        (State.REFUSED, Purpose.HEAL),
        (State.HELD, Purpose.RECONCILE),
    ]
    assert "needs an approval itself" in bench.runs[0].reason
    assert outcome.run.id == bench.runs[1].id
    assert bench.world.applied == []


def test_a_heal_leaves_what_waits_as_it_is_where_it_fails(bench: Bench) -> None:
    bench.converged(ONE)
    drift(bench)
    bench.engine.ends = [EngineError("There is no engine.")]

    outcome = bench.reconciler.reconcile(order(TWO, HEALING))

    assert outcome.run.state is State.HELD
    assert [run.state for run in bench.runs[:2]] == [State.FAILED, State.HELD]


def test_the_plan_of_a_run_that_is_named_is_applied_and_no_other(bench: Bench) -> None:
    bench.converged(ONE)
    waits = bench.reconciler.plan(order(TWO, HEALING)).run
    drift(bench)

    named = bench.reconciler.apply(order(TWO, HEALING), run=waits.id)
    applied_by_name = list(bench.world.applied)
    bench.reconciler.apply(order(TWO, HEALING))

    assert (named.run.id, named.run.state) == (waits.id, State.HELD)
    assert applied_by_name == []
    # Where none is named, what does not have to wait is put back.
    assert bench.world.applied == [ONE]


def test_whoever_applies_what_another_one_planned_is_who_works_at_it(
    tmp_path: Path, store: Store
) -> None:
    clock = FakeClock()
    one = Bench(tmp_path, store, worker="ada:1", clock=clock)
    waits = one.reconciler.plan(order(ONE, GATED)).run
    one.approvals.give("prod", by=GRACE, yes=True, reason="Fine.")
    other = Bench(tmp_path, store, worker="grace:2", clock=clock)
    seen: list[str] = []
    other.engine.after_apply = lambda: seen.append(getattr(store.run(waits.id), "worker", ""))

    ended = other.reconciler.apply(order(ONE, GATED)).run

    assert (waits.worker, seen, ended.worker) == ("ada:1", ["grace:2"], "grace:2")


# Rollback, release, accept.


def test_a_pinned_environment_is_planned_where_it_is_pinned(bench: Bench) -> None:
    bench.holding.pin("prod", ONE, reason="It was too much.")

    pinned = bench.reconciler.reconcile(order(TWO, FREE)).run
    bench.holding.lift("prod", Why.PINNED, reason="It was not that.")
    released = bench.reconciler.reconcile(order(TWO, FREE)).run

    assert (pinned.commit, released.commit) == (ONE, TWO)
    assert bench.world.applied == [ONE, TWO]


def test_a_pin_at_a_commit_that_is_gone_is_said_and_leaves_a_run(bench: Bench) -> None:
    bench.holding.pin("prod", ONE, reason="It was too much.")
    bench.contents.gone = frozenset({ONE})

    outcome = bench.reconciler.reconcile(order(TWO, FREE))

    assert isinstance(outcome.error, SourceError)
    assert "driftctl-py release prod" in outcome.error.todo
    assert outcome.run.state is State.FAILED
    assert bench.runs[0] == outcome.run
    assert bench.store.leases() == ()


def test_a_rollback_to_a_commit_that_is_gone_pins_nothing(bench: Bench) -> None:
    bench.contents.gone = frozenset({ONE})

    with pytest.raises(SourceError):
        bench.reconciler.rollback(order(TWO, FREE), ONE)

    assert bench.store.restraints() == ()
    assert bench.store.leases() == ()


def test_who_wrote_it_is_asked_as_of_all_that_was_applied_before(bench: Bench) -> None:
    bench.reconciler.plan(order(ONE, GATED))
    at_first = bench.contents.since
    bench.reconciler.reconcile(order(ONE, FREE))
    bench.reconciler.reconcile(order(TWO, FREE))
    drift(bench)
    bench.reconciler.reconcile(order(TWO, FREE, purpose=Purpose.ACCEPT))

    bench.reconciler.rollback(order(THREE, GATED), ONE)

    assert at_first == ()
    assert list(dict.fromkeys(bench.contents.since)) == [TWO, ONE]


def test_what_is_accepted_only_writes_the_state(bench: Bench) -> None:
    bench.converged(ONE)
    drift(bench)

    outcome = bench.reconciler.reconcile(order(ONE, FREE, purpose=Purpose.ACCEPT))

    assert outcome.run.purpose is Purpose.ACCEPT
    assert "refresh" in bench.engine.calls


# Where the configuration is another one by now.


def test_what_a_changed_configuration_may_forbid_waits_until_it_is_read(bench: Bench) -> None:
    bench.is_another = lambda: True
    held = bench.reconciler.reconcile(order(ONE, FREE))
    bench.is_another = lambda: False
    after = bench.reconciler.reconcile(order(ONE, FREE))

    assert held.run.state is State.HELD
    assert "the configuration was changed since it was read" in held.run.reason
    assert after.run.state is State.APPLIED


def test_a_configuration_that_is_changed_after_the_decision_is_heard(bench: Bench) -> None:
    asked: list[bool] = []

    def is_another() -> bool:
        asked.append(bool(asked))
        return asked[-1]

    bench.is_another = is_another
    held = bench.reconciler.reconcile(order(ONE, FREE))

    assert held.run.state is State.HELD
    assert bench.world.applied == []


# Where nothing may be applied at all.


def test_a_state_below_the_checkout_is_not_applied_to(tmp_path: Path, store: Store) -> None:
    bench = Bench(tmp_path, store, in_place=True)
    bench.workdirs.module = replace(bench.workdirs.module, backend=None)
    bench.workdirs.recorded = None
    asked = replace(order(environment=FREE), revision=revision(ONE, in_place=True))

    outcome = bench.reconciler.reconcile(asked)

    assert isinstance(outcome.error, StateError)
    assert "below the checkout" in outcome.run.reason


# Approving.


def test_an_approval_says_what_is_still_missing(bench: Bench) -> None:
    two = replace(GATED, requirement=Requirement(count=2))
    bench.reconciler.plan(order(ONE, two))

    first = bench.approvals.give("prod", by=ADA, yes=True, reason="Fine.")
    twice = bench.approvals.give("prod", by=ADA, yes=True, reason="Very fine.")
    held = bench.reconciler.apply(order(ONE, two)).run.state
    second = bench.approvals.give("run-", by=GRACE, yes=True, reason="Fine.")

    assert (first.person, first.standing.missing) == ("ada", 1)
    assert twice.standing.missing == 1
    assert held is State.HELD
    assert second.standing.enough
    assert bench.reconciler.apply(order(ONE, two)).run.state is State.APPLIED


def test_what_waits_says_of_whom_a_yes_is_missing(bench: Bench) -> None:
    asked = Rulings(of_plan=(Ruling(Level.APPROVE, "ask", groups=("dba", "net"), count=2),))
    bench.rules.said = asked
    first = bench.reconciler.plan(order(ONE, GATED)).run
    bench.rules.said = Rulings()
    second = bench.reconciler.plan(order(TWO, GATED)).run
    owned = replace(GATED, requirement=Requirement(2, ("owners", "ops")))
    third = bench.reconciler.plan(order(THREE, owned)).run

    assert first.reason == (
        "It needs 2 approvals, among them somebody of dba and somebody of net and 2 of dba, net."
    )
    assert second.reason == "It needs 1 approval."
    assert third.reason == "It needs 2 approvals of owners, ops."


def test_what_goes_on_waiting_is_in_the_trail_once(bench: Bench) -> None:
    waits = bench.reconciler.plan(order(ONE, GATED)).run
    for _ in range(3):
        bench.reconciler.apply(order(ONE, GATED))
    bench.approvals.give("prod", by=GRACE, yes=True, reason="Fine.")
    ended = bench.reconciler.apply(order(ONE, GATED)).run

    assert (ended.id, ended.state) == (waits.id, State.APPLIED)
    assert bench.told.count("decided") == 2


def test_an_author_may_not_approve_what_he_wrote(bench: Bench) -> None:
    bench.contents.wrote[ONE] = ("ada@example.com",)
    bench.reconciler.plan(order(ONE, GATED))

    with pytest.raises(UsageError, match="ada wrote what is to be applied"):
        bench.approvals.give("prod", by=ADA, yes=True, reason="Fine.")

    assert bench.store.approvals("prod") == ()


def test_what_does_not_wait_cannot_be_approved(bench: Bench) -> None:
    old = bench.reconciler.plan(order(ONE, GATED)).run
    bench.reconciler.plan(order(TWO, GATED))

    for target, says in (
        ("elsewhere", "No plan of elsewhere waits"),
        (old.id, "is superseded, so its plan waits for nobody"),
        ("run-00", "runs begin with run-00"),
    ):
        with pytest.raises(UsageError, match=says):
            bench.approvals.give(target, by=ADA, yes=True, reason="Fine.")


def test_a_run_without_a_plan_cannot_be_approved(bench: Bench) -> None:
    run = bench.reconciler.plan(order(ONE, GATED)).run
    bench.store.save(replace(run, fingerprint=""))

    with pytest.raises(StoreError, match="has no plan that could be approved"):
        bench.approvals.give("prod", by=ADA, yes=True, reason="Fine.")


# Holding back.


def test_what_is_over_does_not_suspend(bench: Bench) -> None:
    with pytest.raises(UsageError, match="is over"):
        bench.holding.suspend("prod", reason="x", until=datetime(2020, 1, 1, tzinfo=UTC))


def test_a_suspension_ends_by_itself(bench: Bench) -> None:
    until = bench.clock() + timedelta(hours=1)
    bench.holding.suspend("prod", reason="An incident.", until=until)

    refused = bench.reconciler.reconcile(order(environment=FREE)).run
    bench.clock.now += timedelta(hours=1)  # type: ignore[attr-defined]  # a FakeClock
    applied = bench.reconciler.reconcile(order(environment=FREE)).run

    assert refused.state is State.REFUSED
    assert f"until {until:%Y-%m-%d %H:%M} UTC" in refused.reason
    assert applied.state is State.APPLIED


def test_what_does_not_hold_cannot_be_lifted(bench: Bench) -> None:
    with pytest.raises(UsageError, match="prod is not suspended"):
        bench.holding.lift("prod", Why.SUSPENDED, reason="x")


def test_keys_come_and_go_once(bench: Bench) -> None:
    bench.holding.add_key("ada", "digest")

    with pytest.raises(UsageError, match="a key ada already"):
        bench.holding.add_key("ada", "another")
    with pytest.raises(UsageError, match="no key grace"):
        bench.holding.remove_key("grace")
    bench.holding.remove_key("ada")
    assert bench.store.keys() == {}
    assert bench.told == ["key added", "key removed"]


# --- What a review found -------------------------------------------------------------------------


def test_two_environments_on_one_state_are_never_applied(bench: Bench) -> None:
    twin = replace(FREE, name="twin", path="environments/twin")
    bench.among = (FREE, twin)

    outcome = bench.reconciler.reconcile(order(environment=FREE))

    assert outcome.run.state is State.REFUSED
    assert "prod and twin share one state" in outcome.run.reason
    assert bench.world.applied == []


def test_the_loop_does_not_take_the_place_of_what_somebody_wants_to_accept(bench: Bench) -> None:
    bench.converged(ONE)
    drift(bench)
    accepting = bench.reconciler.reconcile(order(ONE, GATED, purpose=Purpose.ACCEPT)).run

    reconciling = bench.reconciler.reconcile(order(ONE, GATED)).run

    states = {run.id: run.state for run in bench.runs}
    assert (states[accepting.id], states[reconciling.id]) == (State.HELD, State.HELD)
    assert accepting.fingerprint != reconciling.fingerprint
    with pytest.raises(UsageError, match="2 plans of prod wait"):
        bench.reconciler.apply(order(ONE, GATED))


def test_what_is_to_be_accepted_and_what_is_to_be_changed_are_never_one_meaning(
    bench: Bench,
) -> None:
    bench.converged(ONE)
    drift(bench)

    run = bench.reconciler.plan(order(ONE, GATED, purpose=Purpose.ACCEPT)).run

    assert run.fingerprint.startswith("accept-")


def test_who_holds_an_environment_back_after_the_decision_is_heard(bench: Bench) -> None:
    put = bench.artifacts.put

    def suspended_meanwhile(data: bytes) -> str:
        bench.holding.suspend("prod", reason="An incident.", until=None)
        return put(data)

    bench.artifacts.put = suspended_meanwhile  # type: ignore[method-assign]  # once, and then as before

    outcome = bench.reconciler.reconcile(order(environment=FREE))

    assert bench.world.applied == []
    assert outcome.error is not None
    assert "An incident." in outcome.error.what


@pytest.mark.parametrize("environment", [FREE, GATED])
def test_a_no_that_is_said_after_the_decision_is_heard(
    bench: Bench, environment: Environment
) -> None:
    bench.reconciler.plan(order(environment=environment))
    bench.approvals.give("prod", by=GRACE, yes=True, reason="Fine.")
    put = bench.artifacts.put

    def rejected_meanwhile(data: bytes) -> str:
        bench.artifacts.put = put  # type: ignore[method-assign]  # as before
        bench.approvals.give("prod", by=ADA, yes=False, reason="Not on a Friday.")
        return put(data)

    bench.artifacts.put = rejected_meanwhile  # type: ignore[method-assign]  # once

    outcome = bench.reconciler.reconcile(order(environment=environment))
    after = bench.reconciler.reconcile(order(environment=environment))

    assert bench.world.applied == []
    assert outcome.error is not None
    assert "github:ada said no at " in outcome.error.what
    assert after.run.state is State.REFUSED


def test_a_yes_that_is_over_after_the_decision_is_not_gone_by(bench: Bench) -> None:
    bench.reconciler.plan(order(environment=GATED))
    bench.approvals.give("prod", by=GRACE, yes=True, reason="Fine.")
    put = bench.artifacts.put

    def slowly(data: bytes) -> str:
        bench.clock.now += timedelta(days=2)  # type: ignore[attr-defined]  # a FakeClock
        return put(data)

    bench.artifacts.put = slowly  # type: ignore[method-assign]  # always

    outcome = bench.reconciler.reconcile(order(environment=GATED))

    assert bench.world.applied == []
    assert outcome.error is not None
    assert "does not count any more" in outcome.error.what


def test_a_run_lock_that_was_lost_since_the_decision_is_noticed(bench: Bench) -> None:
    put = bench.artifacts.put

    def lost_meanwhile(data: bytes) -> str:
        (lease,) = bench.store.leases()
        bench.store.free(lease)
        return put(data)

    bench.artifacts.put = lost_meanwhile  # type: ignore[method-assign]  # once, and then as before

    outcome = bench.reconciler.reconcile(order(environment=FREE))

    assert bench.world.applied == []
    assert outcome.error is not None
    assert "took over prod" in outcome.error.what


def test_a_trail_that_cannot_be_anchored_does_not_hide_what_came_of_it(bench: Bench) -> None:
    def full(_anchor: object) -> None:
        raise ArtifactError("The disk is full.")

    bench.artifacts.anchor = full  # type: ignore[method-assign, assignment]  # always

    outcome = bench.reconciler.reconcile(order(environment=FREE))

    assert outcome.run.state is State.APPLIED
    assert "The disk is full." in outcome.warnings[-1]


def test_a_plan_that_is_old_is_made_anew_and_applied_if_it_means_the_same(bench: Bench) -> None:
    waits = bench.reconciler.plan(order(environment=FREE)).run
    bench.clock.now += timedelta(hours=2)  # type: ignore[attr-defined]  # a FakeClock

    outcome = bench.reconciler.apply(order(environment=FREE))

    assert "minutes old" in outcome.again
    assert outcome.run.id != waits.id
    assert outcome.run.state is State.APPLIED


def test_a_plan_that_was_written_over_is_not_applied(bench: Bench) -> None:
    put_file = bench.artifacts.put_file

    def other(path: Path) -> str:
        path.write_bytes(b"another plan")
        return put_file(path)

    bench.artifacts.put_file = other  # type: ignore[method-assign]  # once, and then as before

    outcome = bench.reconciler.reconcile(order(environment=FREE))

    assert outcome.error is not None
    assert "is not what it was when it was made" in outcome.error.what
    assert bench.world.applied == []


def test_a_heal_is_never_found_waiting(bench: Bench) -> None:
    bench.converged(ONE)
    drift(bench)
    seen: list[State] = []
    bench.engine.before_apply = lambda _log: seen.extend(
        run.state for run in bench.runs if run.purpose is Purpose.HEAL
    )

    bench.reconciler.reconcile(order(TWO, HEALING))

    assert seen == [State.APPLYING]
    assert [run.state for run in bench.runs if run.purpose is Purpose.HEAL] == [State.APPLIED]


def test_a_heal_that_comes_to_nothing_is_said(bench: Bench) -> None:
    bench.converged(ONE)
    drift(bench)
    bench.contents.gone = frozenset({ONE})

    outcome = bench.reconciler.reconcile(order(TWO, HEALING))

    assert "Drift could not be put back" in outcome.warnings[-1]


def test_a_heal_that_was_refused_is_not_tried_again_while_nothing_moves(bench: Bench) -> None:
    bench.converged(ONE)
    drift(bench)
    rulings = Rulings(of_plan=(Ruling(Level.APPROVE, "ask"),))
    bench.rules.said = rulings
    for _ in range(3):
        bench.reconciler.reconcile(order(TWO, HEALING))
    refused = [run.purpose for run in bench.runs].count(Purpose.HEAL)
    drift(bench, "by another hand")

    bench.reconciler.reconcile(order(TWO, HEALING))

    assert refused == 1
    assert [run.purpose for run in bench.runs].count(Purpose.HEAL) == 2


def test_an_approval_that_the_trail_knows_nothing_of_applies_nothing(bench: Bench) -> None:
    waits = bench.reconciler.plan(order(environment=GATED)).run
    now = bench.clock()
    binding = binding_of(waits)
    assert binding is not None
    bench.store.approve(
        Approval("forged", waits.id, binding, GRACE, True, now, now + timedelta(days=1), "trust me")
    )

    outcome = bench.reconciler.apply(order(environment=GATED))

    assert isinstance(outcome.decision, Hold)
    assert bench.world.applied == []


def test_what_is_accepted_does_not_ask_what_a_commit_wants(bench: Bench) -> None:
    bench.converged(ONE)
    drift(bench)

    outcome = bench.reconciler.reconcile(order(TWO, HEALING, purpose=Purpose.ACCEPT))

    assert outcome.run.state is State.APPLIED
    assert outcome.run.status == ""


def test_what_the_code_wants_otherwise_is_told_once_something_is_accepted(bench: Bench) -> None:
    bench.converged(ONE)
    drift(bench)

    outcome = bench.reconciler.reconcile(order(TWO, FREE, purpose=Purpose.ACCEPT))

    assert outcome.run.state is State.APPLIED
    assert outcome.run.reason.startswith("The code says otherwise: a plan would change ")
    assert outcome.run.todo == "driftctl-py plan prod"


def test_what_drifts_again_at_once_was_not_accepted(bench: Bench) -> None:
    bench.converged(ONE)
    drift(bench)
    bench.engine.after_apply = lambda: drift(bench, "again")

    outcome = bench.reconciler.reconcile(order(ONE, FREE, purpose=Purpose.ACCEPT))

    assert outcome.run.state is State.NOT_CONVERGED
    assert "differs from it again" in outcome.run.reason
