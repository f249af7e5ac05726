"""What the limits say of a history: too many failures, too many applies, drift that comes back."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from driftctl_py.core.audit import Entry, Event, chained
from driftctl_py.core.decision import Cause, Judged, Judgement, Level, Ruling, Rulings
from driftctl_py.core.environment import ApplyModes, Environment, Mode
from driftctl_py.core.limiting import (
    CHANGED,
    ROW,
    Question,
    failed_in_a_row,
    last_lifted,
    limited,
    why_blocked,
)
from driftctl_py.core.limits import Limits
from driftctl_py.core.run import Applied, Purpose, Run, State

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
AUTO, GATE = Mode.AUTO, Mode.GATE
ALLOWED = Ruling(Level.ALLOW, "apply.drift: auto")
ASKS = Ruling(Level.APPROVE, "apply.git: gate")
WEB, DB = "aws_instance.web", "aws_db_instance.db"


def hours(count: float) -> timedelta:
    return timedelta(hours=count)


def run(id: str, state: State = State.APPLIED, *, ago: float = 1.0, **more: Any) -> Run:
    """One that ended ``ago`` hours before now."""
    ended = NOW - hours(ago)
    made = Run(
        id,
        "prod",
        state,
        Purpose.RECONCILE,
        ended - timedelta(minutes=5),
        "controller",
        "os:ada",
        "host:1",
        ended_at=ended,
        applied=Applied(True),
    )
    return replace(made, **more)


def judged(
    address: str = WEB,
    what: str = "tags.team",
    cause: Cause = Cause.DRIFT,
    ruling: Ruling = ALLOWED,
    deposed: str = "",
) -> Judged:
    return Judged(address, cause, what, (ruling,), deposed)


def heal(id: str, *changes: Judged, ago: float = 1.0, **more: Any) -> Run:
    return run(id, ago=ago, **{"judgement": Judgement(changes or (judged(),)), **more})


def heals(count: int, *changes: Judged, **more: Any) -> list[Run]:
    """One each hour, the latest first."""
    return [heal(f"h{each}", *changes, ago=each + 1, **more) for each in range(count)]


def question(
    *changes: Judged, limits: Limits | None = None, modes: ApplyModes | None = None, **more: Any
) -> Question:
    environment = Environment(
        "prod",
        "environments/prod",
        apply=modes or ApplyModes(AUTO, AUTO),
        limits=limits or Limits(0, 0, 3),
    )
    made = Question(
        environment, Judgement(changes or (judged(),)), Rulings(), Purpose.RECONCILE, NOW
    )
    return replace(made, **more)


def held(question: Question, applies: list[Run]) -> bool:
    """Whether the limits want somebody to be asked."""
    found = limited(question, applies)
    if found == question.rulings:
        return False
    assert found.of_plan != question.rulings.of_plan or found.of_change
    return True


# --- Failures in a row.


@pytest.mark.parametrize(
    ("state", "applied", "counts"),
    [
        (State.FAILED, Applied(False), True),
        (State.PARTLY_APPLIED, Applied(False), True),
        (State.NOT_CONVERGED, Applied(True), True),
        # A plan that failed, or an engine that was never started.
        (State.FAILED, None, False),
        (State.UNVERIFIED, Applied(True), False),
        (State.UNKNOWN, Applied(False), False),
        (State.UNKNOWN, None, False),
        (State.STALE, Applied(False), False),
        (State.REFUSED, None, False),
        (State.SUPERSEDED, None, False),
        (State.REJECTED, None, False),
        (State.INTERRUPTED, None, False),
        (State.IN_SYNC, None, False),
        (State.HELD, None, False),
    ],
)
def test_only_an_apply_that_went_wrong_counts(
    state: State, applied: Applied | None, counts: bool
) -> None:
    found = failed_in_a_row([run("r1", state, applied=applied)], None)

    assert bool(found) is counts


def test_what_may_belong_to_a_row_is_asked_for() -> None:
    counting = {each for each in State if failed_in_a_row([run("r1", each)], None)}

    assert counting | {State.APPLIED} == ROW


def test_a_row_ends_at_the_last_apply_that_went_well() -> None:
    history = [
        run("r1", State.FAILED, ago=5),
        run("r2", ago=4),
        run("r3", State.PARTLY_APPLIED, ago=3),
        run("r4", State.NOT_CONVERGED, ago=2),
    ]

    found = failed_in_a_row(history, None)

    assert [each.id for each in found] == ["r4", "r3"]


def test_a_plan_that_waited_counts_when_it_was_applied_not_when_it_was_made() -> None:
    waited = run("r1", ago=1, started_at=NOW - hours(30))
    failed = run("r2", State.FAILED, ago=2)

    assert failed_in_a_row([failed, waited], None) == ()


def test_what_is_not_known_neither_counts_nor_begins_a_new_row() -> None:
    history = [
        run("r1", State.FAILED, ago=4),
        run("r2", State.UNVERIFIED, ago=3),
        run("r3", State.FAILED, ago=2, applied=None),
        run("r4", State.FAILED, ago=1),
    ]

    found = failed_in_a_row(history, None)

    assert [each.id for each in found] == ["r4", "r1"]


def test_what_a_person_saw_when_they_unblocked_it_does_not_count_again() -> None:
    history = [run(f"r{each}", State.FAILED, ago=10 - each) for each in range(4)]
    # Written just before the run itself was.
    block = Event("blocked", NOW - hours(8.01), "os:ada", "prod", "r2")

    found = failed_in_a_row(history, block)

    assert [each.id for each in found] == ["r3"]


def test_what_was_before_a_lifted_block_of_a_forgotten_run_does_not_count_either() -> None:
    history = [run("r1", State.PARTLY_APPLIED, ago=9), run("r3", State.FAILED, ago=1)]
    block = Event("blocked", NOW - hours(8), "os:ada", "prod", "r2")

    assert [each.id for each in failed_in_a_row(history, block)] == ["r3"]


def test_a_run_without_an_end_counts_from_its_beginning() -> None:
    waiting = run("r1", State.FAILED, ended_at=None, started_at=NOW - hours(9))
    good = run("r2", ago=8)

    assert failed_in_a_row([waiting, good], None) == ()


def entries(*events: tuple[str, str, str]) -> list[Entry]:
    return [
        chained(Event(what, NOW, "os:ada", environment, run), number, "0" * 64)
        for number, (what, environment, run) in enumerate(events, 1)
    ]


def test_the_block_that_was_lifted_last_is_found_by_the_order_of_the_trail() -> None:
    trail = entries(
        ("blocked", "prod", "r1"),
        ("unblocked", "prod", ""),
        ("blocked", "prod", "r2"),
        ("suspended", "prod", ""),
        ("blocked", "dev", "r3"),
        ("unblocked", "prod", ""),
        ("blocked", "prod", "r4"),
        ("unblocked", "dev", ""),
    )

    lifted = last_lifted(trail, "prod")

    assert lifted is not None
    assert lifted.run == "r2"


def test_a_block_that_still_holds_was_not_lifted() -> None:
    assert last_lifted(entries(("blocked", "prod", "r1")), "prod") is None
    assert last_lifted([], "prod") is None


def test_a_block_names_the_runs_and_the_limit() -> None:
    row = [run("r2", State.FAILED), run("r1", State.FAILED)]

    why = why_blocked(row, Limits(failures=2))

    assert why == (
        "2 applies in a row failed or did not converge (runs r2, r1), and limits.failures is 2."
    )


@pytest.mark.parametrize(
    ("count", "limit", "blocks"), [(2, 3, False), (3, 3, True), (4, 3, True), (9, 0, False)]
)
def test_a_row_blocks_from_the_limit_on_and_never_without_one(
    count: int, limit: int, blocks: bool
) -> None:
    row = [run(f"r{each}", State.FAILED) for each in range(count)]

    assert bool(why_blocked(row, Limits(failures=limit))) is blocks


def test_one_failure_may_be_enough_and_many_are_counted() -> None:
    one = why_blocked([run("r0", State.FAILED)], Limits(failures=1))
    many = why_blocked([run(f"r{each}", State.FAILED) for each in range(8)], Limits(failures=8))

    assert one.startswith("1 apply in a row failed or did not converge (run r0),")
    assert "(runs r0, r1, r2, r3, r4 and 3 more)" in many


# --- The budget of a day.

BUDGET = Limits(0, 2, 0)


def test_the_next_plan_after_the_budget_is_used_up_needs_a_yes() -> None:
    asked = question(judged(cause=Cause.COMMIT), limits=BUDGET)

    found = limited(asked, [heal("r2", ago=1), heal("r1", ago=3)])

    assert found.of_change == {}
    (ruling,) = found.of_plan
    assert ruling == Ruling(
        Level.APPROVE,
        "limits.applies_per_day: 2",
        message="2 plans were applied without asking in the last 24 hours; the next may be again "
        "at 2026-11-25 09:00 UTC.",
    )


def test_one_fewer_leaves_it_free() -> None:
    assert not held(question(limits=BUDGET), [heal("r1")])


def test_a_budget_of_one_speaks_of_one() -> None:
    found = limited(question(limits=Limits(0, 1, 0)), [heal("r1", ago=23)])

    assert found.of_plan[0].message.startswith("1 plan was applied without asking")
    assert "2026-11-24 13:00 UTC" in found.of_plan[0].message


def test_what_is_a_day_old_dropped_out() -> None:
    assert held(question(limits=BUDGET), [heal("r2"), heal("r1", ago=23.99)])
    assert not held(question(limits=BUDGET), [heal("r2"), heal("r1", ago=24)])


def test_where_the_limit_was_lowered_more_than_one_has_to_drop_out() -> None:
    history = [heal(f"r{each}", ago=each) for each in (1, 2, 3, 4)]

    found = limited(question(limits=BUDGET), history)

    # With three of the four gone, one is left, and there is room for another.
    assert "4 plans were" in found.of_plan[0].message
    assert "2026-11-25 10:00 UTC" in found.of_plan[0].message


def test_what_somebody_was_asked_about_is_no_part_of_the_budget() -> None:
    asked = [heal("r1", judged(ruling=ASKS)), heal("r2", judged(ruling=ASKS))]

    assert not held(question(limits=BUDGET), asked)


def test_of_what_nobody_knows_any_more_how_it_was_judged_nobody_was_asked() -> None:
    assert held(question(limits=BUDGET), [run("r1"), run("r2")])


@pytest.mark.parametrize("state", list(State))
def test_the_budget_counts_what_changed_something(state: State) -> None:
    history = [heal("r1", state=state), heal("r2", state=state)]

    assert held(question(limits=BUDGET), history) is (state in CHANGED)


def test_what_only_wrote_down_what_is_there_is_not_counted_nor_held() -> None:
    accepted = [heal(f"r{each}", purpose=Purpose.ACCEPT) for each in range(9)]
    both = Limits(0, 2, 2)

    assert not held(question(limits=both), accepted)
    assert not held(question(limits=both, purpose=Purpose.ACCEPT), heals(9))
    assert held(question(limits=both, purpose=Purpose.HEAL), heals(9))


# --- Drift that comes back.


def test_drift_that_was_put_back_too_often_needs_a_yes() -> None:
    found = limited(question(), heals(3))

    assert found.of_plan == ()
    assert found.of_change == {
        (WEB, ""): (
            Ruling(
                Level.APPROVE,
                "limits.heals_per_day: 3",
                message="It was put back 3 times since 2026-11-24 09:00 UTC: something else "
                "changes it, too.",
            ),
        )
    }


def test_drift_that_was_put_back_less_often_is_put_back_again() -> None:
    assert not held(question(), heals(2))


def test_one_time_is_called_once() -> None:
    found = limited(question(limits=Limits(0, 0, 1)), heals(1))

    assert "put back once since" in found.of_change[(WEB, "")][0].message


def test_other_changes_beside_it_do_not_hide_it() -> None:
    beside = [
        heal("h1", judged(), judged(DB, "size", Cause.COMMIT), ago=3),
        heal("h2", judged(), judged(DB, "update", Cause.DRIFT), ago=2),
        heal("h3", judged(), ago=1),
    ]

    found = limited(question(judged(), judged(DB, "create", Cause.COMMIT)), beside)

    assert list(found.of_change) == [(WEB, "")]


def test_a_commit_to_the_same_object_does_not_hide_it() -> None:
    both = judged(what="update", cause=Cause.BOTH)

    assert held(question(both), heals(3))
    assert held(question(), heals(3, both))


@pytest.mark.parametrize(
    "other",
    [
        judged(DB),
        judged(what="tags.cost"),
        judged(what="create"),
        judged(what="replace"),
        judged(deposed="8c1b2a3d"),
        judged(cause=Cause.COMMIT),
        judged(cause=Cause.UNDETERMINED),
    ],
)
def test_something_else_that_was_put_back_is_not_the_same_drift(other: Judged) -> None:
    assert not held(question(), heals(3, other))
    assert not held(question(other), heals(3))


@pytest.mark.parametrize("what", ["create", "replace", "delete", "tags.team", "update"])
def test_the_same_is_the_same_whatever_is_done(what: str) -> None:
    assert held(question(judged(what=what)), heals(3, judged(what=what)))


def test_of_several_attributes_any_may_be_the_one() -> None:
    several = judged(what="update")

    assert held(question(), heals(3, several))
    assert held(question(several), heals(3))
    assert not held(question(several), heals(3, judged(what="create")))


@pytest.mark.parametrize(
    "follows", [judged("output.url", "update"), judged("action.notify.it", "invoke")]
)
def test_an_output_or_an_action_is_not_put_back(follows: Judged) -> None:
    assert not held(question(follows), heals(3, follows))


def test_an_apply_that_failed_counts_for_what_it_got_to() -> None:
    got_to = {"applied": Applied(False, (f"update {WEB}", f"create {DB}"))}
    not_to = {"applied": Applied(False, (f"create {DB}",), (f"update {WEB}",))}
    partly = {"state": State.PARTLY_APPLIED}

    assert held(question(), heals(3, **partly, **got_to))
    assert not held(question(), heals(3, **partly, **not_to))
    assert not held(question(), heals(3, **partly, applied=None))


def test_an_address_with_a_space_is_read_whole() -> None:
    address = 'aws_instance.web["the first"]'
    change, done = judged(address), Applied(False, (f"update {address}",))

    assert held(question(change), heals(3, change, state=State.PARTLY_APPLIED, applied=done))


def test_what_was_put_back_after_somebody_said_yes_came_back_all_the_same() -> None:
    asked = judged(ruling=Ruling(Level.APPROVE, "limits.heals_per_day: 3"))

    assert held(question(), heals(3, asked))


def test_a_run_without_a_judgement_put_back_nothing_that_is_known() -> None:
    assert not held(question(), heals(3, judgement=None))


def test_both_may_be_too_much_at_once() -> None:
    found = limited(question(limits=Limits(0, 3, 3)), heals(3))

    assert found.of_plan
    assert found.of_change


# --- Only where nobody would be asked.


@pytest.mark.parametrize(
    "rulings",
    [
        Rulings({(WEB, ""): (Ruling(Level.APPROVE, "ask"),)}),
        Rulings({(WEB, ""): (Ruling(Level.DENY, "no"),)}),
        Rulings({(WEB, ""): (Ruling(Level.ALLOW, "yes"), Ruling(Level.APPROVE, "ask"))}),
        Rulings(of_plan=(Ruling(Level.APPROVE, "ask"),)),
        Rulings(broken="opa: it crashed."),
    ],
)
def test_where_somebody_is_asked_anyhow_or_it_is_denied_nothing_is_added(rulings: Rulings) -> None:
    asked = question(limits=Limits(0, 3, 3), rulings=rulings)

    assert not asked.needs_history
    assert not held(asked, heals(9))


@pytest.mark.parametrize("modes", [ApplyModes(AUTO, GATE), ApplyModes(AUTO, Mode.NEVER)])
def test_where_the_switch_asks_nothing_is_added(modes: ApplyModes) -> None:
    assert not held(question(modes=modes, limits=Limits(0, 3, 3)), heals(9))


@pytest.mark.parametrize("level", [Level.ALLOW, Level.WARN])
def test_a_rule_that_allows_or_warns_does_not_keep_it_from_being_held(level: Level) -> None:
    said = (Ruling(level, "rule"),)
    asked = question(
        limits=Limits(0, 3, 3), rulings=Rulings({(WEB, ""): said}, (Ruling(Level.WARN, "w"),))
    )

    found = limited(asked, heals(3))

    assert found.of_change[(WEB, "")][0] is said[0]
    assert [each.level for each in found.of_change[(WEB, "")]] == [level, Level.APPROVE]
    assert [each.level for each in found.of_plan] == [Level.WARN, Level.APPROVE]


def test_an_allowing_rule_in_the_place_of_a_switch_that_asks_makes_it_a_case_for_limits() -> None:
    rulings = Rulings({(WEB, ""): (Ruling(Level.ALLOW, "heal-tags"),)})

    assert held(question(modes=ApplyModes(GATE, GATE), rulings=rulings), heals(3))


def test_limits_that_are_off_and_plans_without_changes_ask_for_no_history() -> None:
    nothing = question()

    assert not question(limits=Limits(3, 0, 0)).needs_history
    assert not replace(nothing, judgement=Judgement()).needs_history
    assert not question(judged(cause=Cause.COMMIT)).needs_history
    assert not question(judged(cause=Cause.COMMIT), limits=Limits(0, 0, 5)).needs_history
    assert question(judged(cause=Cause.COMMIT), limits=Limits(0, 9, 0)).needs_history
    assert nothing.needs_history


def test_where_nobody_may_say_yes_it_says_what_to_do_instead() -> None:
    found = limited(
        question(limits=Limits(0, 3, 3), instead="Raise the limit."),
        heals(3),
    )

    assert found.of_plan[0].message.endswith("Raise the limit.")
    assert found.of_change[(WEB, "")][0].message.endswith("changes it, too. Raise the limit.")


@given(
    ago=st.lists(st.integers(0, 48), max_size=12),
    limits=st.builds(Limits, st.just(0), st.integers(0, 6), st.integers(0, 6)),
    seed=st.randoms(use_true_random=False),
)
def test_limits_only_ever_restrict_and_order_does_not_matter(
    ago: list[int], limits: Limits, seed: Any
) -> None:
    history = [heal(f"h{number}", ago=each) for number, each in enumerate(ago)]
    shuffled = [*history]
    seed.shuffle(shuffled)
    asked = question(limits=limits)

    found = limited(asked, history)

    recent = sum(each < 24 for each in ago)
    assert found == limited(asked, shuffled)
    assert all(each.level is Level.APPROVE for each in found.of_plan)
    assert bool(found.of_plan) is (0 < limits.applies_per_day <= recent)
    assert bool(found.of_change) is (0 < limits.heals_per_day <= recent)
