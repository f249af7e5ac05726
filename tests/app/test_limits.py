"""Limits at work: what was applied before, read from the store, holds or blocks what comes next."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, cast

import pytest

from driftctl_py.adapters.store import Store, open_store
from driftctl_py.app import ports
from driftctl_py.app.limits import Limiting, why_now_blocked
from driftctl_py.core.apply_log import ApplyEnd
from driftctl_py.core.approval import People, Requirement
from driftctl_py.core.audit import Entry, Event, chained
from driftctl_py.core.decision import Hold, Judgement, Refuse, Rulings
from driftctl_py.core.environment import Mode
from driftctl_py.core.limits import Limits
from driftctl_py.core.restraint import Restraint, Why
from driftctl_py.core.run import Applied, Purpose, Run, State
from driftctl_py.errors import Diagnostic, StoreError, Unavailable

from .fakes import FakeClock, failed
from .reconciling import ADA, ADDRESS, ONE, PEOPLE, TWO, Bench, order, prod

AUTO, GATE = Mode.AUTO, Mode.GATE
BROKE = ApplyEnd(1, Applied(False, (), (f"update {ADDRESS}",)), (Diagnostic("error", "It broke."),))
THREE_TIMES = Limits(failures=3, heals_per_day=0)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = open_store(None, tmp_path / "memory", now=lambda: datetime.now(UTC))
    yield opened
    opened.close()


class Gated:
    """A gate of nothing but limits."""

    def __init__(self, limiting: Limiting) -> None:
        self.limiting = limiting

    def rulings(self, order: Any, run: Any, report: Any, judgement: Any, documents: Any) -> Rulings:
        # Any: only some of a gate's facts matter here.
        return self.limiting.rulings(order, judgement, Rulings())


@pytest.fixture
def bench(tmp_path: Path, store: Store) -> Bench:
    made = Bench(tmp_path, store)
    made.gate = Gated(Limiting(store, people=made.people, clock=made.clock))
    return made


def limited(limits: Limits, git: Mode = AUTO, drift: Mode = AUTO, **more: Any) -> Any:
    return prod(git, drift, limits=limits, **more)


def breaks(bench: Bench, environment: Any, times: int = 1) -> list[Run]:
    """Passes whose applies fail."""
    runs = []
    for _ in range(times):
        bench.engine.ends = [BROKE]
        runs.append(bench.reconciler.reconcile(order(environment=environment)).run)
    return runs


def blocks(bench: Bench) -> list[Restraint]:
    return [each for each in bench.store.restraints("prod") if each.why is Why.BLOCKED]


def passes(bench: Bench, hours: float) -> None:
    clock = cast(FakeClock, bench.clock)
    clock.now += timedelta(hours=hours)


# --- Failures in a row.


def test_after_so_many_failures_in_a_row_nothing_is_applied_until_a_person_unblocks_it(
    bench: Bench,
) -> None:
    environment = limited(THREE_TIMES)
    first, second = breaks(bench, environment, 2)
    assert blocks(bench) == []

    (third,) = breaks(bench, environment)
    after = bench.reconciler.reconcile(order(environment=environment))

    (block,) = blocks(bench)
    assert block.run == third.id
    assert block.reason == (
        f"3 applies in a row failed or did not converge (runs {third.id}, {second.id}, "
        f"{first.id}), and limits.failures is 3."
    )
    assert third.state is State.PARTLY_APPLIED
    assert "It broke." in third.reason
    assert "prod is blocked now" in third.reason
    assert 'driftctl-py unblock prod --reason "…"' in third.todo
    # Blocked before it is known of the run: nobody can slip in between.
    assert bench.told[-3:] == ["blocked", "apply ended", "decided"]
    assert isinstance(after.decision, Refuse)
    assert block.reason in after.run.reason
    assert "unblock" in after.run.todo
    bench.holding.lift("prod", Why.BLOCKED, reason="It is mended.")
    assert bench.reconciler.reconcile(order(environment=environment)).run.state is State.APPLIED


def test_who_unblocks_it_gives_it_as_many_tries_again(bench: Bench) -> None:
    environment = limited(THREE_TIMES)
    breaks(bench, environment, 3)
    bench.holding.lift("prod", Why.BLOCKED, reason="It is mended.")

    breaks(bench, environment, 2)
    in_between = blocks(bench)
    last = breaks(bench, environment)

    assert in_between == []
    assert [each.run for each in blocks(bench)] == [last[0].id]


def test_an_apply_that_went_well_begins_the_count_anew(bench: Bench) -> None:
    environment = limited(THREE_TIMES)
    breaks(bench, environment, 2)
    assert bench.reconciler.reconcile(order(environment=environment)).run.state is State.APPLIED
    bench.world.becomes(real="by hand")

    breaks(bench, environment, 2)

    assert blocks(bench) == []


def test_failures_of_another_environment_and_before_another_s_block_do_not_count(
    bench: Bench,
) -> None:
    environment = limited(THREE_TIMES)
    elsewhere = replace(environment, name="dev", path="environments/dev")
    breaks(bench, elsewhere, 2)

    breaks(bench, environment, 2)

    assert bench.store.restraints() == ()


def test_a_plan_that_fails_neither_counts_nor_ends_the_row(bench: Bench) -> None:
    environment = limited(THREE_TIMES)
    breaks(bench, environment, 2)
    for _ in range(3):
        bench.engine.plans = [failed("No such module")]
        bench.reconciler.reconcile(order(environment=environment))
    assert blocks(bench) == []

    breaks(bench, environment)

    assert len(blocks(bench)) == 1


@pytest.mark.parametrize(
    "end",
    [
        ApplyEnd(1, Applied(False), (Diagnostic("error", "Saved plan is stale"),), stale=True),
        ApplyEnd(1, Applied(False), began=False),
        Unavailable("There is no room for its log."),
    ],
)
def test_what_was_never_begun_does_not_count(bench: Bench, end: ApplyEnd | Unavailable) -> None:
    environment = limited(Limits(failures=1, heals_per_day=0))
    # The second is of the pass that follows a stale plan at once.
    bench.engine.ends = [end, end]

    run = bench.reconciler.reconcile(order(environment=environment)).run

    assert run.state in (State.FAILED, State.STALE)
    assert blocks(bench) == []


def test_an_apply_that_somebody_approved_counts_as_well(bench: Bench) -> None:
    environment = limited(THREE_TIMES, git=GATE)
    for _ in range(3):
        held = bench.reconciler.plan(order(environment=environment)).run
        assert held.state is State.HELD
        bench.approvals.give(held.id, by=ADA, yes=True, reason="again")
        bench.engine.ends = [BROKE]
        run = bench.reconciler.apply(order(environment=environment)).run
        assert run.state is State.PARTLY_APPLIED

    assert len(blocks(bench)) == 1


def test_an_apply_that_does_not_converge_counts(bench: Bench) -> None:
    environment = limited(Limits(failures=2, heals_per_day=0))
    bench.engine.after_apply = lambda: bench.world.becomes(real="by hand")

    for _ in range(2):
        run = bench.reconciler.reconcile(order(environment=environment)).run
        assert run.state is State.NOT_CONVERGED

    assert [each.run for each in blocks(bench)] == [run.id]
    assert "a new plan would change" in run.reason


def test_an_apply_that_outlived_us_counts_when_its_end_is_found(bench: Bench) -> None:
    environment = limited(THREE_TIMES)
    breaks(bench, environment, 2)

    def die(_log: Path) -> None:
        raise KeyboardInterrupt

    bench.engine.before_apply = die
    with pytest.raises(KeyboardInterrupt):
        bench.reconciler.reconcile(order(environment=environment))
    bench.engine.lost = [BROKE]
    after = bench.reconciler.reconcile(order(environment=environment))

    (block,) = blocks(bench)
    assert bench.store.run(block.run) == bench.runs[1]
    assert bench.runs[1].state is State.PARTLY_APPLIED
    assert isinstance(after.decision, Refuse)


def test_a_state_that_could_not_be_saved_is_the_greater_worry(bench: Bench, tmp_path: Path) -> None:
    lost = tmp_path / "errored.tfstate"
    lost.write_bytes(b"the only record")
    bench.engine.ends = [replace(BROKE, errored_state=str(lost))]

    run = bench.reconciler.reconcile(
        order(environment=limited(Limits(failures=1, heals_per_day=0)))
    ).run

    (block,) = blocks(bench)
    assert "could not save the state" in block.reason
    assert run.reason == block.reason
    assert bench.told.count("blocked") == 1


def test_without_a_limit_it_fails_for_ever(bench: Bench) -> None:
    breaks(bench, limited(Limits(failures=0, heals_per_day=0)), 5)

    assert blocks(bench) == []


# --- The budget, and drift that comes back.


def heals(bench: Bench, environment: Any, times: int = 1) -> list[Run]:
    runs = []
    for number in range(times):
        bench.world.becomes(real=f"by hand {number}")
        runs.append(bench.reconciler.reconcile(order(environment=environment)).run)
    return runs


def test_drift_that_comes_back_again_and_again_waits_for_somebody(bench: Bench) -> None:
    environment = limited(Limits(heals_per_day=3))
    bench.converged()
    put_back = heals(bench, environment, 3)

    (held,) = heals(bench, environment)

    assert [each.state for each in put_back] == [State.APPLIED] * 3
    assert held.state is State.HELD
    assert held.judgement is not None
    (change,) = held.judgement.changes
    assert change.rulings[0].rule == "limits.heals_per_day: 3"
    assert "put back 3 times since 2026-11-23 09:00 UTC" in change.rulings[0].message
    assert bench.world.applied == [ONE] * 3


def test_who_says_yes_lets_it_be_put_back_once_more(bench: Bench) -> None:
    environment = limited(Limits(heals_per_day=2))
    bench.converged()
    heals(bench, environment, 3)
    bench.approvals.give("prod", by=ADA, yes=True, reason="I saw who did it.")

    allowed = bench.reconciler.apply(order(environment=environment)).run
    (again,) = heals(bench, environment)

    assert allowed.state is State.APPLIED
    assert again.state is State.HELD


def test_a_yes_still_counts_when_the_limit_counts_otherwise_by_then(bench: Bench) -> None:
    environment = limited(Limits(heals_per_day=2))
    bench.converged()
    for _ in range(2):
        heals(bench, environment)
        passes(bench, 10)
    heals(bench, environment)
    bench.approvals.give("prod", by=ADA, yes=True, reason="I saw who did it.")
    bench.reconciler.apply(order(environment=environment))
    (held,) = heals(bench, environment)
    bench.approvals.give("prod", by=ADA, yes=True, reason="And again.")

    passes(bench, 5)
    applied = bench.reconciler.apply(order(environment=environment)).run

    before, after = (each.judgement for each in (held, applied) if each.judgement)
    assert "put back 3 times" in before.changes[0].rulings[0].message
    assert "put back 2 times" in after.changes[0].rulings[0].message
    assert applied.state is State.APPLIED


def test_a_day_later_it_is_put_back_by_itself_again(bench: Bench) -> None:
    environment = limited(Limits(heals_per_day=2))
    bench.converged()
    heals(bench, environment, 2)
    assert heals(bench, environment)[0].state is State.HELD

    passes(bench, 24)

    assert bench.reconciler.reconcile(order(environment=environment)).run.state is State.APPLIED


def test_a_commit_is_applied_while_no_drift_comes_back(bench: Bench) -> None:
    environment = limited(Limits(heals_per_day=2))
    bench.converged()
    heals(bench, environment, 2)

    run = bench.reconciler.reconcile(order(TWO, environment)).run

    assert run.state is State.APPLIED


def test_drift_is_held_at_the_last_applied_commit_too(bench: Bench) -> None:
    environment = limited(Limits(heals_per_day=2), git=GATE)
    bench.converged()
    heals(bench, environment, 2)
    bench.world.becomes(real="by hand")

    outcome = bench.reconciler.reconcile(order(TWO, environment))

    assert outcome.run.state is State.HELD
    (heal,) = [each for each in bench.runs if each.purpose is Purpose.HEAL]
    assert heal.state is State.REFUSED
    assert "needs an approval itself (limits.heals_per_day: 2)" in heal.reason
    assert heal.reason in outcome.warnings[0]


def test_what_could_not_be_put_back_there_is_tried_again_each_hour(bench: Bench) -> None:
    environment = limited(Limits(heals_per_day=2), git=GATE)
    bench.converged()
    heals(bench, environment, 2)
    bench.world.becomes(real="by hand")

    def tries() -> int:
        bench.reconciler.reconcile(order(TWO, environment))
        return len([each for each in bench.runs if each.purpose is Purpose.HEAL])

    at_once = [tries() for _ in range(3)]
    passes(bench, 1)
    an_hour_later = tries()
    passes(bench, 24)
    a_day_later = tries()

    assert at_once == [1, 1, 1]
    assert an_hour_later == 2
    assert a_day_later == 3
    assert bench.world.now["real"] == ONE


def test_what_is_accepted_is_never_too_much(bench: Bench) -> None:
    environment = limited(Limits(applies_per_day=1, heals_per_day=1))
    bench.converged()
    heals(bench, environment, 2)

    accepted = bench.reconciler.reconcile(
        order(environment=environment, purpose=Purpose.ACCEPT)
    ).run

    assert accepted.state is State.APPLIED


def test_the_next_plan_of_a_day_that_had_its_applies_waits_for_somebody(bench: Bench) -> None:
    environment = limited(Limits(applies_per_day=2, heals_per_day=0))
    bench.reconciler.reconcile(order(ONE, environment))
    bench.reconciler.reconcile(order(TWO, environment))

    held = bench.reconciler.reconcile(order(ONE, environment))
    passes(bench, 24)
    free = bench.reconciler.reconcile(order(ONE, environment))

    assert isinstance(held.decision, Hold)
    (ruling,) = held.decision.judgement.of_plan
    assert ruling.rule == "limits.applies_per_day: 2"
    assert "2026-11-24 09:00 UTC" in ruling.message
    assert free.run.state is State.APPLIED


def test_nothing_to_apply_asks_the_store_for_nothing(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench.converged()
    monkeypatch.setattr(Limiting, "_applied_since", None)

    run = bench.reconciler.reconcile(order(environment=limited(Limits(1, 1, 1)))).run

    assert run.state is State.IN_SYNC


@pytest.mark.parametrize(
    ("people", "requirement", "instead"),
    [
        (PEOPLE, Requirement(), False),
        (PEOPLE, Requirement(groups=("owners",)), False),
        (People(), Requirement(), True),
        (PEOPLE, Requirement(groups=("dba",)), True),
    ],
)
def test_where_nobody_could_say_yes_it_says_what_to_do_instead(
    bench: Bench, people: People, requirement: Requirement, instead: bool
) -> None:
    environment = limited(Limits(heals_per_day=1), requirement=requirement)
    bench.gate = Gated(Limiting(bench.store, people=people, clock=bench.clock))
    bench.converged()
    heals(bench, environment)

    (held,) = heals(bench, environment)

    assert held.judgement is not None
    message = held.judgement.changes[0].rulings[0].message
    assert ('driftctl-py suspend prod --reason "…"' in message) is instead


# --- How much is read of a long history.

NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)


@dataclass
class History:
    """A store with many runs in it, the latest first, and a book of what is asked of it."""

    kept: list[Run]
    trail: list[Entry] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)
    read: int = 0

    def runs(self, *, environment: str, states: Collection[State], limit: int) -> tuple[Run, ...]:
        self.asked.append(f"runs {limit}")
        fitting = [each for each in self.kept if each.state in states]
        self.read += len(fitting[:limit])
        return tuple(fitting[:limit])

    def entries_of(self, *kinds: str) -> tuple[Entry, ...]:
        self.asked.append(f"entries {' '.join(kinds)}")
        return tuple(self.trail)


def of_history(history: History) -> Store:
    # It has what is asked of a store here, and no more.
    return cast(Store, history)


def a_run(number: int, state: State, *, every: timedelta, **more: Any) -> Run:
    """One of many, the latest being number 0."""
    ended = NOON - every * number
    made = Run(
        f"r{number}",
        "prod",
        state,
        Purpose.RECONCILE,
        ended - timedelta(minutes=1),
        "controller",
        "os:ada",
        "host:1",
        ended_at=ended,
        applied=Applied(True),
    )
    return replace(made, **more)


def judged_by(bench: Bench, environment: Any) -> tuple[Any, Judgement]:
    """An order, and what is judged of the drift that there is, without limits."""
    bench.world.becomes(real="by hand")
    bench.gate = bench.rules
    outcome = bench.reconciler.plan(order(environment=environment))
    assert outcome.run.judgement is not None
    return order(environment=environment), outcome.run.judgement


@pytest.mark.parametrize(
    ("every", "asked"),
    [(timedelta(hours=1), ["runs 50"]), (timedelta(minutes=5), ["runs 50", "runs 2000"])],
)
def test_of_thousands_of_applies_only_those_of_the_day_are_read(
    bench: Bench, every: timedelta, asked: list[str]
) -> None:
    bench.converged()
    wanted, judgement = judged_by(bench, limited(Limits(applies_per_day=9, heals_per_day=9)))
    kept = [a_run(each, State.APPLIED, every=every, judgement=judgement) for each in range(5000)]
    history = History(kept)
    limiting = Limiting(of_history(history), people=PEOPLE, clock=lambda: NOON)

    found = limiting.rulings(wanted, judgement, Rulings())

    count = len(
        [each for each in kept if each.ended_at and each.ended_at > NOON - timedelta(days=1)]
    )
    assert history.asked == asked
    assert found.of_plan[0].message.startswith(f"{count} plans were applied")
    assert f"put back {count} times" in found.of_change[(ADDRESS, "")][0].message


def test_a_plan_that_waited_for_hours_before_it_was_applied_is_not_missed(bench: Bench) -> None:
    bench.converged()
    wanted, judgement = judged_by(bench, limited(Limits(applies_per_day=60, heals_per_day=0)))
    every = timedelta(minutes=31)
    kept = [a_run(each, State.APPLIED, every=every, judgement=judgement) for each in range(70)]
    # Begun before all others that were read at first, and applied just now.
    kept = [
        replace(each, ended_at=NOON - timedelta(hours=1)) if number > 49 else each
        for number, each in enumerate(kept)
    ]
    history = History(kept)
    limiting = Limiting(of_history(history), people=PEOPLE, clock=lambda: NOON)

    assert limiting.rulings(wanted, judgement, Rulings()).of_plan
    assert history.asked == ["runs 50", "runs 2000"]


def failing(number: int, **more: Any) -> Run:
    return a_run(number, State.FAILED, every=timedelta(hours=1), **more)


def test_an_apply_that_goes_well_reads_nothing() -> None:
    history = History([failing(each) for each in range(1, 99)])

    why = why_now_blocked(
        of_history(history), a_run(0, State.APPLIED, every=timedelta(0)), Limits()
    )

    assert why == ""
    assert history.asked == []


def test_a_first_failure_reads_a_page_and_no_trail() -> None:
    history = History(
        [a_run(each, State.APPLIED, every=timedelta(hours=1)) for each in range(1, 99)]
    )

    assert why_now_blocked(of_history(history), failing(0), Limits()) == ""
    assert history.asked == ["runs 50"]
    assert history.read == 50


def test_many_plans_that_failed_in_between_hide_no_apply_that_did() -> None:
    plans = [failing(each, applied=None) for each in range(1, 500)]
    history = History([*plans, failing(500), *plans, failing(1000)])

    why = why_now_blocked(of_history(history), failing(0), Limits())

    assert "(runs r0, r500, r1000)" in why
    assert history.asked == ["runs 50", "runs 2000", "entries blocked unblocked"]


def test_a_row_that_was_lifted_is_not_counted_again_however_long_it_is() -> None:
    trail = [
        chained(Event(what, at, "os:ada", "prod", run), number, "0" * 64)
        for number, (what, at, run) in enumerate(
            [("blocked", NOON - timedelta(hours=1), "r1"), ("unblocked", NOON, "")], 1
        )
    ]
    history = History([failing(each) for each in range(1, 80)], trail)

    assert why_now_blocked(of_history(history), failing(0), Limits()) == ""
    assert history.asked == ["runs 50", "entries blocked unblocked"]


def test_a_history_that_cannot_be_read_lets_nothing_through(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench.converged()
    bench.world.becomes(real="by hand")

    def broken(*_: object) -> None:
        raise StoreError("The store is damaged.")

    monkeypatch.setattr(Limiting, "_applied_since", broken)
    outcome = bench.reconciler.reconcile(order(environment=limited(Limits())))

    assert outcome.run.state is State.FAILED
    assert bench.world.applied == []


def test_the_store_that_is_needed_is_the_one_there_is(store: Store) -> None:
    """The history above answers what a store does, by name and argument."""
    asked: ports.Store = store

    assert asked.runs(environment="prod", states=(State.APPLIED,), limit=1) == ()
    assert asked.entries_of("blocked", "unblocked") == ()
