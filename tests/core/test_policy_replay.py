"""Judging anew what was judged before: by other rules, of the same causes."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from driftctl_py.core.assessment import assess
from driftctl_py.core.decision import (
    Cause,
    Judged,
    Judgement,
    Level,
    Ruling,
    Rulings,
    judge,
    judge_again,
)
from driftctl_py.core.environment import ApplyModes, Environment, Mode
from driftctl_py.core.fingerprint import fingerprint
from driftctl_py.core.plan import Joined, Kind, Plan
from driftctl_py.core.plan_report import PlanReport
from driftctl_py.core.policy import RegoPolicy
from driftctl_py.core.policy_replay import (
    Replay,
    Replayed,
    carried,
    compared,
    judged_now,
    with_doubts,
    with_value,
)
from driftctl_py.core.risk import risk_of
from driftctl_py.core.rule import Effect, Rule
from driftctl_py.core.rules import rulings_of
from driftctl_py.core.values import UNKNOWN
from tests.core.policy_examples import RULES
from tests.core.test_plan_diff import PLANS
from tests.core.test_rules import change, plan

AT = datetime(2026, 11, 24, 9, 14, tzinfo=UTC)
GATE = ApplyModes(Mode.GATE, Mode.GATE)
DB = "module.db.aws_db_instance.main[0]"
NO = Ruling(Level.DENY, "no", "driftctl.yaml:4")


def report(of: Plan) -> PlanReport:
    assessment = assess(of)
    return PlanReport("prod", of, assessment, fingerprint(of, keyed=False), risk_of(assessment))


def judged(of: Plan, *rules: Rule, modes: ApplyModes = GATE) -> Judgement:
    assessment = assess(of)
    findings = (*assessment.findings, *assessment.equivalent)
    bare = judge(of, assessment, modes, Rulings(), code_is_applied=False)
    rulings = rulings_of(rules, of, findings, bare, assessment.managed)
    return judge(of, assessment, modes, rulings, code_is_applied=False)


def prod(*rules: Rule, modes: ApplyModes = GATE) -> Environment:
    return Environment("prod", "environments/prod", rules=rules, apply=modes)


def replayed(then: Judgement, environment: Environment, of: Plan) -> Replayed:
    now, _ = judged_now(then, environment, report(of))
    return compared("run-1", "prod", AT, then, now)


@given(PLANS, st.lists(RULES, max_size=3), st.sampled_from(Mode), st.sampled_from(Mode))
def test_the_same_rules_say_the_same_again(
    of: Plan, rules: list[Rule], git: Mode, drift: Mode
) -> None:
    # A stored plan has not all of the values: those are doubted, below.
    rules = [replace(each, name=f"r{at}", values={}) for at, each in enumerate(rules)]
    modes = ApplyModes(git, drift)
    then = judged(of, *rules, modes=modes)

    found = replayed(then, prod(*rules, modes=modes), of)

    assert not found.differs
    assert found.changes == ()
    assert found.because == ()


@given(PLANS, st.sampled_from(Mode), st.sampled_from(Mode), st.sampled_from(Mode))
def test_judging_again_is_judging_by_the_other_switches(
    of: Plan, git: Mode, drift: Mode, other: Mode
) -> None:
    modes = ApplyModes(git, drift)
    bare = judged(of, modes=ApplyModes(other, other))

    again = judge_again(bare, modes, Rulings())

    at_once = judged(of, modes=modes)
    assert sorted(again.changes, key=repr) == sorted(at_once.changes, key=repr)
    assert again.level is at_once.level


def test_a_new_rule_makes_it_stricter_and_is_named_with_what_it_is_about() -> None:
    then = judged(plan())

    found = replayed(then, prod(Rule("no", Effect.DENY, where="driftctl.yaml:4")), plan())

    assert (found.then, found.now) == (Level.APPROVE, Level.DENY)
    assert (found.stricter, found.weaker, found.differs) == (True, False, True)
    assert [(each.address, each.then, each.now) for each in found.changes] == [
        (DB, Level.APPROVE, Level.DENY)
    ]
    assert [(each.ruling.rule, each.addresses, each.is_new) for each in found.because] == [
        ("no", (DB,), True)
    ]


def test_a_rule_that_is_gone_makes_it_weaker_and_is_named() -> None:
    then = judged(plan(), Rule("no", Effect.DENY))

    found = replayed(then, prod(), plan())

    assert (found.stricter, found.weaker, found.differs) == (False, True, True)
    assert [(each.ruling.rule, each.is_new) for each in found.because] == [("no", False)]


def test_an_allow_takes_the_place_of_the_switch() -> None:
    found = replayed(judged(plan()), prod(Rule("yes", Effect.ALLOW)), plan())

    assert (found.then, found.now) == (Level.APPROVE, Level.ALLOW)
    assert [(each.ruling.rule, each.is_new) for each in found.because] == [
        ("yes", True),
        ("apply.git: gate", False),
    ]


def test_to_ask_others_is_another_decision() -> None:
    then = judged(plan(), Rule("ask", Effect.APPROVE, groups=("dba",)))

    found = replayed(then, prod(Rule("ask", Effect.APPROVE, groups=("security",))), plan())

    assert (found.stricter, found.weaker, found.asks_others) == (False, False, True)
    assert found.differs
    assert found.changes == ()
    assert (found.asked_then, found.asked_now) == (("dba",), ("security",))


def test_to_ask_more_people_is_another_decision() -> None:
    then = judged(plan(), Rule("ask", Effect.APPROVE))

    found = replayed(then, prod(Rule("ask", Effect.APPROVE, count=2)), plan())

    assert found.asks_others
    assert (found.asked_then, found.asked_now) == ((), ("2 of any group",))


def test_a_rule_that_only_moved_within_its_file_is_no_difference() -> None:
    then = judged(plan(), Rule("no", Effect.DENY, where="driftctl.yaml:4"))

    found = replayed(then, prod(Rule("no", Effect.DENY, where="driftctl.yaml:9")), plan())

    assert not found.differs
    assert found.because == ()


def test_the_recorded_cause_counts_and_not_a_new_guess() -> None:
    of = plan()
    then = judged(of, modes=ApplyModes(Mode.NEVER, Mode.AUTO))
    then = replace(then, changes=tuple(replace(each, cause=Cause.DRIFT) for each in then.changes))

    now, _ = judged_now(then, prod(modes=ApplyModes(Mode.NEVER, Mode.AUTO)), report(of))

    assert now.level is Level.ALLOW


def test_what_is_not_asked_again_stands() -> None:
    policy = Ruling(Level.DENY, "no-public", message="it is public")
    limit = Ruling(Level.APPROVE, "limits.applies_per_day: 3")
    theirs = Ruling(
        Level.DENY, "own", "driftctl.yaml of https://git.example.com/infra at 77b0de4:3"
    )
    then = Judgement((Judged(DB, Cause.COMMIT, "tags.team", (policy, theirs, NO)),), (limit, NO))
    environment = replace(
        prod(), policies=(RegoPolicy("no-public", ("policies",), rego_version="v1"),)
    )

    kept = carried(then, environment)

    assert kept.of_change == {(DB, ""): (policy, theirs)}
    assert kept.of_plan == (limit,)
    now, rulings = judged_now(then, environment, report(plan()))
    assert now.level is Level.DENY
    assert now.of_plan == (limit,)
    assert rulings.of_change[DB, ""] == (policy, theirs)


def test_what_is_told_of_the_plan_as_a_whole_names_no_object() -> None:
    then = Judgement((Judged(DB, Cause.COMMIT, "tags.team", (NO,), deposed="ab12"),), (NO,))
    now = Judgement((Judged(DB, Cause.COMMIT, "tags.team", (), deposed="ab12"),))

    found = compared("run-1", "prod", AT, replace(then, changes=now.changes), now)
    of_change = compared("run-1", "prod", AT, then, now)

    assert [each.addresses for each in found.because] == [()]
    assert [each.addresses for each in of_change.because] == [(f"{DB} (deposed ab12)",)]


def test_what_could_not_be_read_differs_in_nothing() -> None:
    found = Replayed("run-1", "prod", AT, unreadable="It is gone.")

    assert not found.differs


def test_several_changes_are_told_each() -> None:
    of = plan(change(), change(address="aws_s3_bucket.it"))

    found = replayed(judged(of), prod(Rule("no", Effect.DENY, types=("aws_s3_*",))), of)

    assert [each.address for each in found.changes] == ["aws_s3_bucket.it"]


def values(of: Plan, **asked: tuple[str, ...]) -> Level:
    environment = prod(Rule("no", Effect.DENY, values=asked))
    return judged_now(judged(of), environment, report(of))[0].level


def test_of_values_that_a_stored_plan_does_not_tell_nobody_knows() -> None:
    of = plan(
        change(
            before={"size": 1, "acl": "public", "r": [{"a": 1}]},
            after={"size": 2, "acl": "public", "r": [{"a": 2}]},
        )
    )

    assert values(of, size=("2",)) is Level.DENY
    assert values(of, size=("3",)) is Level.APPROVE
    # It is what it was, which the document of a plan does not tell.
    assert values(of, acl=("private",)) is Level.DENY
    assert values(of, **{"r[0].a": ("3",)}) is Level.APPROVE
    assert values(of, **{"r[0].b": ("3",)}) is Level.DENY
    assert values(of, **{"*.nothing": ("3",)}) is Level.DENY


def test_what_is_deleted_has_no_values() -> None:
    gone = change(Kind.DELETE, before={"size": 1}, after={"size": 1})

    assert values(plan(gone), size=("*",)) is Level.APPROVE


def test_what_only_changed_outside_keeps_its_values() -> None:
    from_outside = Joined(None, change().change)

    found = with_doubts(
        report(plan(change(), from_outside)), [Rule("no", Effect.DENY, values={"a": ("1",)})]
    )

    assert found.plan.joined[1] == from_outside


def test_what_only_holds_in_a_text_is_not_known_by_itself() -> None:
    of = plan(change(before={"policy": '{"a": 1}'}, after={"policy": '{"a": 2}'}))

    assert values(of, **{"policy.a": ("3",)}) is Level.DENY


def test_values_are_put_where_their_path_leads() -> None:
    assert with_value({"a": 1}, ("r", 1, "b"), 2) == {"a": 1, "r": [UNKNOWN, {"b": 2}]}


def test_a_replay_keeps_what_differs_and_counts_the_rest() -> None:
    of = plan(change(), change(address="aws_s3_bucket.it"))
    no = Rule("no", Effect.DENY, types=("aws_db_*",))
    found = Replay()

    found.take(replayed(judged(of), prod(no), of))
    found.take(replayed(judged(of, no), prod(replace(no, types=("aws_s3_*",))), of))
    found.take(replayed(judged(of), prod(), of))
    found.take(Replayed("run-9", "prod", AT, unreadable="It is gone."))

    assert (found.plans, len(found.different), found.changes) == (3, 1, 1)
    assert [each.run for each in found.unreadable] == ["run-9"]
    assert found.oldest == AT
