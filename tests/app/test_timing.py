"""Windows and freezes on the bench: what waits for its time, what is collected meanwhile, and who
notices when it has come. The clock begins on Monday, 2026-11-23, at 9 o'clock in UTC."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from driftctl_py.adapters.store import Store, open_store
from driftctl_py.app.queries import Queries
from driftctl_py.core.decision import Apply, Hold
from driftctl_py.core.environment import Environment, Mode
from driftctl_py.core.history import Need
from driftctl_py.core.restraint import EVERYWHERE, Why
from driftctl_py.core.run import Purpose, Run, State
from driftctl_py.core.window import Freeze, Window, WindowEffect
from driftctl_py.errors import UsageError

from .fakes import FakeClock
from .reconciling import ADA, ONE, TWO, Bench, order, prod

AUTO, GATE = Mode.AUTO, Mode.GATE
EVENING = datetime(2026, 11, 23, 18, tzinfo=UTC)
EVENINGS = Window("evenings", WindowEffect.ALLOW, "0 18 * * *", 7200, where="driftctl.yaml:7")
OFFICE = Window("office", WindowEffect.DENY, "0 8 * * MON-FRI", 36_000, message="People work.")


class Timed(Bench):
    """A bench whose clock can be put on."""

    clock: FakeClock

    def at(self, moment: datetime) -> None:
        self.clock.now = moment

    @property
    def queries(self) -> Queries:
        return Queries(self.store, self.artifacts, people=self.people, clock=self.clock)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = open_store(None, tmp_path / "store", now=lambda: datetime.now(UTC))
    yield opened
    opened.close()


@pytest.fixture
def bench(tmp_path: Path, store: Store) -> Timed:
    return Timed(tmp_path, store)


def timed(*windows: Window, git: Mode = AUTO, drift: Mode = AUTO, **more: Any) -> Environment:
    return prod(git, drift, timetables=(windows,), **more)


def drifted(bench: Bench) -> None:
    """Code and world were one, and somebody changed the world."""
    bench.converged(ONE)
    bench.world.becomes(real="by hand")


def purposes(bench: Bench) -> list[Purpose]:
    return [run.purpose for run in bench.runs]


# Windows.


def test_what_is_allowed_waits_for_its_window_with_its_plan(bench: Timed) -> None:
    outcome = bench.reconciler.reconcile(order(environment=timed(EVENINGS)))

    assert bench.world.applied == []
    assert outcome.error is None
    assert isinstance(outcome.decision, Hold)
    assert outcome.decision.standing.enough
    (found,) = outcome.run.closed
    assert found.until == EVENING
    assert outcome.run.state is State.HELD
    assert outcome.run.ended_at is None
    assert outcome.run.reason == (
        "Changes are applied only during evenings (driftctl.yaml:7), next from 2026-11-23 18:00 "
        "UTC."
    )
    assert sorted(outcome.run.artifacts) == ["plan", "plan.json"]
    # What is kept is what was decided.
    assert bench.runs == [outcome.run]
    assert bench.told == ["decided"]


def test_the_same_saved_plan_is_applied_when_the_window_opens(bench: Timed) -> None:
    # Not looked at again for a day: else a plan of an hour ago is planned again.
    environment = timed(EVENINGS, drift=GATE, interval_seconds=86_400)
    bench.at(EVENING - timedelta(minutes=20))
    waiting = bench.reconciler.plan(order(environment=environment)).run
    too_early = bench.reconciler.apply(order(environment=environment)).run
    bench.at(EVENING)

    applied = bench.reconciler.apply(order(environment=environment)).run

    assert (waiting.state, too_early.state) == (State.HELD, State.HELD)
    assert waiting.id == too_early.id == applied.id
    assert applied.state is State.APPLIED
    assert applied.closed == ()
    assert bench.world.applied == [ONE]


def test_a_window_that_denies_holds_and_says_its_own(bench: Timed) -> None:
    held = bench.reconciler.reconcile(order(environment=timed(OFFICE))).run
    bench.at(EVENING)
    applied = bench.reconciler.reconcile(order(environment=timed(OFFICE))).run

    assert held.reason == (
        "Nothing is applied during office: People work. It lasts until 2026-11-23 18:00 UTC."
    )
    assert applied.state is State.APPLIED


def test_a_freeze_of_the_configuration_holds_up_to_its_end(bench: Timed) -> None:
    freeze = Freeze("year-end", EVENING - timedelta(days=9), EVENING, "Holidays.")
    environment = prod(AUTO, AUTO, freezes=(freeze,))

    held = bench.reconciler.reconcile(order(environment=environment)).run
    bench.at(EVENING)
    applied = bench.reconciler.reconcile(order(environment=environment)).run

    assert held.state is State.HELD
    assert "year-end: Holidays. It lasts until 2026-11-23 18:00 UTC." in held.reason
    assert applied.state is State.APPLIED


def test_an_approval_that_is_given_meanwhile_counts(bench: Timed) -> None:
    environment = timed(EVENINGS, git=GATE, drift=GATE)
    first = bench.reconciler.plan(order(environment=environment)).run
    bench.approvals.give("prod", by=ADA, yes=True, reason="Fine.")
    bench.at(EVENING - timedelta(minutes=1))
    approved = bench.reconciler.apply(order(environment=environment))
    bench.at(EVENING)
    applied = bench.reconciler.reconcile(order(environment=environment))

    assert first.reason.startswith("It needs 1 approval. Changes are applied only during evenings")
    assert isinstance(approved.decision, Hold)
    assert approved.decision.standing.enough
    assert approved.run.reason.startswith("Changes are applied only during evenings")
    assert isinstance(applied.decision, Apply)
    assert [each.by for each in applied.decision.approvals] == [ADA]
    assert bench.world.applied == [ONE]


def test_a_no_and_a_denial_are_told_before_the_time(bench: Timed) -> None:
    gated = timed(EVENINGS, git=GATE)
    bench.reconciler.plan(order(environment=gated))
    bench.approvals.give("prod", by=ADA, yes=False, reason="Never.")

    rejected = bench.reconciler.plan(order(environment=gated)).run
    denied = bench.reconciler.plan(order(environment=timed(EVENINGS, git=Mode.NEVER))).run

    assert (rejected.state, rejected.closed) == (State.REFUSED, ())
    assert (denied.state, denied.closed) == (State.REFUSED, ())


# Between the decision and the engine.


def closes_meanwhile(bench: Timed, *, after: int = 0) -> None:
    """Somebody freezes everything while a decision is written down."""
    put, decisions = bench.artifacts.put, itertools.count()

    def frozen_meanwhile(data: bytes) -> str:
        if next(decisions) == after:
            bench.holding.freeze(reason="An incident.", until=None)
        return put(data)

    bench.artifacts.put = frozen_meanwhile  # type: ignore[method-assign]  # once, and then as before


def test_a_window_that_closes_after_the_decision_leaves_the_plan_waiting(bench: Timed) -> None:
    put, environment = bench.artifacts.put, timed(EVENINGS)
    bench.at(EVENING)

    def slowly(data: bytes) -> str:
        bench.at(EVENING + timedelta(hours=2))
        return put(data)

    bench.artifacts.put = slowly  # type: ignore[method-assign]  # once, and then as before
    outcome = bench.reconciler.reconcile(order(environment=environment))

    assert bench.world.applied == []
    assert outcome.error is None
    assert isinstance(outcome.decision, Hold)
    assert bench.runs == [outcome.run]
    assert outcome.run.state is State.HELD
    assert outcome.run.closed[0].until == EVENING + timedelta(days=1)
    assert "plan" in outcome.run.artifacts
    assert [entry.event.evidence["decision"] for entry in bench.store.entries()] == [
        "allowed",
        "held",
    ]
    del bench.artifacts.put
    bench.at(EVENING + timedelta(days=1))
    assert bench.reconciler.apply(order(environment=environment)).run.state is State.APPLIED


def test_approvals_of_a_plan_that_is_frozen_after_the_decision_still_count(bench: Timed) -> None:
    environment = prod(GATE, GATE)
    bench.reconciler.plan(order(environment=environment))
    bench.approvals.give("prod", by=ADA, yes=True, reason="Fine.")
    closes_meanwhile(bench)

    held = bench.reconciler.apply(order(environment=environment))
    del bench.artifacts.put
    bench.holding.thaw(reason="It is over.")
    applied = bench.reconciler.apply(order(environment=environment))

    assert isinstance(held.decision, Hold)
    assert [each.by for each in held.decision.standing.given] == [ADA]
    assert held.run.state is State.HELD
    assert held.run.id == applied.run.id
    assert applied.run.state is State.APPLIED


def test_what_closes_when_it_is_written_down_as_begun_fails_without_applying(bench: Timed) -> None:
    save, states = bench.store.save, []

    def frozen_meanwhile(run: Run, *events: Any) -> None:
        save(run, *events)
        states.append(run.state)
        if run.state is State.APPLYING:
            bench.holding.freeze(reason="An incident.", until=None)

    bench.store.save = frozen_meanwhile  # type: ignore[method-assign]  # once, and then as before
    outcome = bench.reconciler.reconcile(order(environment=prod(AUTO, AUTO)))

    assert bench.world.applied == []
    assert states[-2:] == [State.APPLYING, State.FAILED]
    assert "An incident." in outcome.run.reason
    assert "before the engine was started" in outcome.run.reason
    assert outcome.run.todo == "Nothing was applied. Later: driftctl-py apply prod"


# Drift.


def test_drift_waits_for_its_time_too(bench: Timed) -> None:
    drifted(bench)

    held = bench.reconciler.reconcile(order(ONE, timed(EVENINGS))).run
    bench.at(EVENING)
    healed = bench.reconciler.reconcile(order(ONE, timed(EVENINGS))).run

    assert (held.state, healed.state) == (State.HELD, State.APPLIED)
    assert bench.world.applied == [ONE]


def test_drift_is_healed_while_the_windows_for_commits_are_closed(bench: Timed) -> None:
    drifted(bench)
    commits = replace(EVENINGS, causes=("commit",))

    # `auto` for commits, too: it is for the time alone that the new one waits.
    outcome = bench.reconciler.reconcile(order(TWO, timed(commits)))

    assert bench.world.applied == [ONE]
    assert outcome.run.state is State.HELD
    assert outcome.run.commit == TWO
    assert purposes(bench)[:3] == [Purpose.RECONCILE, Purpose.HEAL, Purpose.RECONCILE]
    bench.at(EVENING)
    assert bench.reconciler.reconcile(order(TWO, timed(commits))).run.state is State.APPLIED
    assert bench.world.applied == [ONE, TWO]


@pytest.mark.parametrize("git", [AUTO, GATE])
def test_nothing_is_healed_where_drift_has_to_wait(bench: Timed, git: Mode) -> None:
    drifted(bench)

    outcome = bench.reconciler.reconcile(order(TWO, timed(EVENINGS, git=git)))
    again = bench.reconciler.apply(order(TWO, timed(EVENINGS, git=git)))

    assert bench.world.applied == []
    assert outcome.run.state is again.run.state is State.HELD
    # The plan that waits is not made anew for nothing.
    assert again.run.id == outcome.run.id
    assert Purpose.HEAL not in purposes(bench)


def test_a_heal_that_was_only_closed_is_tried_again_when_it_is_time(bench: Timed) -> None:
    drifted(bench)
    environment = prod(GATE, AUTO)
    closes_meanwhile(bench, after=1)
    frozen = bench.reconciler.reconcile(order(TWO, environment))
    heal = bench.runs[0]
    del bench.artifacts.put
    bench.holding.thaw(reason="It is over.")

    outcome = bench.reconciler.reconcile(order(TWO, environment))

    assert frozen.run.state is State.HELD
    assert (heal.purpose, heal.state) == (Purpose.HEAL, State.REFUSED)
    assert heal.reason.startswith("Nothing is applied anywhere: os:ada froze everything")
    assert "An incident." in frozen.warnings[0]
    assert bench.world.applied == [ONE]
    assert outcome.run.state is State.HELD


# Freezing everything.


def test_a_freeze_holds_everything_and_its_end_releases(bench: Timed) -> None:
    environment = prod(GATE, AUTO)
    bench.holding.freeze(reason="Black Friday", until=EVENING)

    planned = bench.reconciler.plan(order(environment=environment)).run
    given = bench.approvals.give("prod", by=ADA, yes=True, reason="Fine.")
    held = bench.reconciler.apply(order(environment=environment))
    bench.at(EVENING)
    applied = bench.reconciler.reconcile(order(environment=environment)).run

    assert planned.reason.startswith("It needs 1 approval. Nothing is applied anywhere: os:ada")
    assert given.standing.enough
    assert held.run.state is State.HELD
    assert held.run.reason == (
        "Nothing is applied anywhere: os:ada froze everything at 2026-11-23 09:00 UTC: Black "
        "Friday. It lasts until 2026-11-23 18:00 UTC, or until somebody thaws it."
    )
    assert held.run.closed[0].by_command
    assert applied.state is State.APPLIED


def test_the_trail_tells_of_both_and_only_what_is_frozen_thaws(bench: Timed) -> None:
    with pytest.raises(UsageError, match="Nothing is frozen"):
        bench.holding.thaw(reason="x")
    with pytest.raises(UsageError, match="nothing would be frozen"):
        bench.holding.freeze(reason="x", until=bench.clock.now)
    bench.holding.freeze(reason="An incident.", until=None)
    bench.holding.freeze(reason="A worse one.", until=EVENING)
    (restraint,) = bench.store.restraints(EVERYWHERE)
    bench.holding.thaw(reason="It is over.")

    assert (restraint.reason, restraint.until) == ("A worse one.", EVENING)
    assert bench.store.restraints() == ()
    assert [
        (entry.event.what, entry.event.environment, entry.event.evidence["reason"])
        for entry in bench.store.entries()
    ] == [
        ("frozen", "*", "An incident."),
        ("frozen", "*", "A worse one."),
        ("thawed", "*", "It is over."),
    ]


def test_a_freeze_is_no_obstacle_and_what_is_suspended_stays_refused(bench: Timed) -> None:
    bench.holding.freeze(reason="An incident.", until=None)
    bench.holding.suspend("prod", reason="The migration runs.", until=None)

    refused = bench.reconciler.reconcile(order(environment=prod(AUTO, AUTO))).run

    assert refused.state is State.REFUSED
    assert "An incident" not in refused.reason


def test_the_status_tells_of_a_freeze_apart_and_of_what_waits_for_its_time(bench: Timed) -> None:
    environment = timed(EVENINGS)
    bench.holding.freeze(reason="An incident.", until=None)
    bench.reconciler.reconcile(order(environment=environment))

    frozen = bench.queries.status()
    record = bench.queries.run("prod")
    bench.holding.thaw(reason="It is over.")
    closed = bench.queries.status()
    bench.at(EVENING)
    opened = bench.queries.status()

    assert [each.why for each in frozen.frozen] == [Why.FROZEN]
    # It is no environment, and it is told once.
    (prod_then,) = frozen.environments
    assert (prod_then.environment, prod_then.restraints) == ("prod", ())
    assert [each.by_command for each in prod_then.closed] == [True, False]
    assert [each.environment for each in record.restraints] == [EVERYWHERE]
    # Nobody has to be asked, whatever it would take.
    assert record.standing is not None
    assert record.standing.enough
    assert [each.need for each in (prod_then, *closed.environments, *opened.environments)] == [
        Need.TIME,
        Need.TIME,
        Need.APPLY,
    ]
    assert closed.frozen == ()
    with pytest.raises(UsageError, match=r"environment '\*'"):
        bench.queries.status(["*"])


def test_a_freeze_that_came_after_the_plan_is_known_to_the_status(bench: Timed) -> None:
    bench.reconciler.plan(order(environment=prod(AUTO, AUTO)))
    bench.holding.freeze(reason="An incident.", until=EVENING)

    (now,) = bench.queries.status().environments
    bench.at(EVENING)
    (later,) = bench.queries.status().environments

    assert (now.need, later.need) == (Need.TIME, Need.APPLY)
