"""What gates elsewhere let through, and that ours does not: as far as values tell.

Each test begins with what happened. Those that take programs or Git are in
``tests/app/test_gate_regressions.py``.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from driftctl_py.core.approval import (
    Approval,
    Ask,
    Binding,
    Identity,
    People,
    Requirement,
    Standing,
    Violation,
    may_approve,
    standing,
)
from driftctl_py.core.assessment import assess
from driftctl_py.core.decision import (
    Apply,
    Decision,
    Hold,
    Judgement,
    Level,
    Refuse,
    Ruling,
    Rulings,
    decide,
    judge,
)
from driftctl_py.core.environment import ApplyModes, Environment, Mode, tightened
from driftctl_py.core.plan import Change, Joined, Kind, Plan
from driftctl_py.core.rule import Effect, Rule
from driftctl_py.core.rules import rulings_of
from tests.core.test_plan_diff import PLANS
from tests.core.test_rules import WHEN

NOW = datetime(2026, 11, 24, 9, 14, tzinfo=UTC)
BINDING = Binding("prod", "f2-k7qm", "g0", "lineage")
PEOPLE = People(
    {"ada": ("github:ada",), "grace": ("github:grace",), "linus": ("github:linus",)},
    {"dba": ("ada", "grace"), "net": ("linus",)},
)
EVERYBODY = ("github:ada", "github:grace", "github:linus", "github:eve", "os:ada", "ada")
PLAN = Plan(
    "1.15.5",
    joined=(
        Joined(Change("aws_db_instance.db", Kind.DELETE, {"size": 1}, None), None),
        Joined(Change("aws_instance.web", Kind.UPDATE, {"size": 1}, {"size": 2}), None),
    ),
    managed=9,
    applyable=True,
    complete=True,
)
GATE = ApplyModes(Mode.GATE, Mode.GATE)


def said(by: str, judgement: Judgement, *, yes: bool = True) -> Approval:
    return Approval(
        f"{by} {yes}",
        "r1",
        BINDING,
        Identity(by),
        yes,
        NOW,
        NOW + timedelta(hours=24),
        "read it",
        violations=tuple(each.digest for each in judgement.violations),
    )


def judged(plan: Plan, rules: tuple[Rule, ...], modes: ApplyModes) -> tuple[Rulings, Judgement]:
    assessed = assess(plan)
    bare = judge(plan, assessed, modes, Rulings(), code_is_applied=False)
    findings = (*assessed.findings, *assessed.equivalent)
    rulings = rulings_of(rules, plan, findings, bare, assessed.managed)
    return rulings, judge(plan, assessed, modes, rulings, code_is_applied=False)


def stands(
    judgement: Judgement, approvals: tuple[Approval, ...], requirement: Requirement | None = None
) -> tuple[Requirement, Standing]:
    wanted = (requirement or Requirement()).also(judgement.groups, judgement.asks)
    return wanted, standing(
        approvals,
        BINDING,
        wanted,
        PEOPLE,
        authors=(),
        violations=judgement.violations,
        now=NOW,
    )


def decided(
    plan: Plan,
    rules: tuple[Rule, ...],
    *by: str,
    modes: ApplyModes = GATE,
    requirement: Requirement | None = None,
    broken: str = "",
) -> Decision:
    """With a yes of each of these, given to all that there is to be said of it."""
    rulings, judgement = judged(plan, rules, modes)
    approvals = tuple(said(each, judgement) for each in by)
    wanted, found = stands(judgement, approvals, requirement)
    return decide(
        plan,
        assess(plan),
        judgement,
        wanted,
        found,
        rulings=replace(rulings, broken=broken),
        now=NOW,
    )


# --- What happened elsewhere ---------------------------------------------------------------------


def test_a_policy_that_could_not_be_read_refuses_whatever_people_say() -> None:
    """A well-known tool took a policy with a syntax error for one that found nothing."""
    why = "guard: rego_parse_error"

    for modes in (GATE, ApplyModes(Mode.AUTO, Mode.AUTO)):
        decision = decided(PLAN, (), *EVERYBODY, modes=modes, broken=why)

        assert isinstance(decision, Refuse)
        assert decision.reasons == (why,)
    assert isinstance(decided(PLAN, (), "github:ada"), Apply)


def test_without_a_rule_that_matches_the_switches_speak_and_what_nobody_judged_is_denied() -> None:
    """A well-known tool passed a plan when its policies had evaluated no rule at all."""
    elsewhere = (Rule("other", Effect.ALLOW, addresses=("somewhere.else",)),)

    assert isinstance(decided(PLAN, elsewhere), Hold)
    assert isinstance(decided(PLAN, elsewhere, modes=ApplyModes()), Refuse)
    unjudged = decide(
        PLAN,
        assess(PLAN),
        Judgement(),
        Requirement(),
        Standing(),
        rulings=Rulings(),
        now=NOW,
    )
    assert not isinstance(unjudged, Apply)


def test_a_watched_repository_takes_no_requirement_away() -> None:
    """With a well-known tool a repository's own configuration could drop an approval."""
    asks = Rule("dba-only", Effect.APPROVE, groups=("dba",), count=2)
    opens = Rule("open", Effect.ALLOW)
    auto = ApplyModes(Mode.AUTO, Mode.AUTO)
    own = Environment(
        "prod",
        "environments/prod",
        apply=GATE,
        requirement=Requirement(count=2, groups=("dba",)).also(["net"], [Ask(2, ("dba",))]),
        rules=(asks,),
    )
    theirs = replace(
        own, apply=auto, requirement=Requirement(0, (), True, True, 10**9), rules=(opens,)
    )

    found = tightened(own, theirs)

    assert found.apply == own.apply
    assert found.rules == (asks,)
    assert found.requirement == own.requirement


@pytest.mark.parametrize("by", ["github:eve", "os:ada", "ada", "github:linus", ""])
def test_not_anybody_may_approve(by: str) -> None:
    """With a well-known tool whoever could comment on a pull request could approve it."""
    requirement = Requirement(groups=("dba",))

    assert may_approve(Identity(by), requirement, PEOPLE, authors=())
    assert isinstance(decided(PLAN, (), by, requirement=requirement), Hold)
    assert isinstance(decided(PLAN, (), by, "github:ada", requirement=requirement), Apply)


def test_a_yes_is_to_no_rule_that_came_later() -> None:
    """A well-known tool kept an approval when a plan made again broke rules that it had not."""
    asks = Rule("dba-only", Effect.APPROVE, groups=("dba",))
    later = Rule("no-destroys", Effect.WARN, "Ask first.", actions=("delete",))
    _, before = judged(PLAN, (asks,), GATE)
    approval = said("github:ada", before)

    rulings, now = judged(PLAN, (asks, later), GATE)
    wanted, found = stands(now, (approval,))
    decision = decide(PLAN, assess(PLAN), now, wanted, found, rulings=rulings, now=NOW)

    assert isinstance(decision, Hold)
    (passed,) = decision.standing.passed
    assert passed.why == (
        "since then the plan breaks rules that it did not break: no-destroys (aws_db_instance.db)"
    )
    assert isinstance(decided(PLAN, (asks, later), "github:ada"), Apply)


# --- What a judgement asks for, and has against the plan -----------------------------------------


def test_a_rule_that_asks_for_two_holds_until_there_are_two() -> None:
    two = (Rule("two", Effect.APPROVE, groups=("dba",), count=2),)

    one = decided(PLAN, two, "github:ada", "github:linus")

    assert isinstance(one, Hold)
    assert one.standing.short == (Ask(1, ("dba",)),)
    assert one.requirement.asks == (Ask(2, ("dba",)),)
    assert isinstance(decided(PLAN, two, "github:ada", "github:grace"), Apply)


def test_where_nobody_looked_whether_a_rule_was_met_it_was_not() -> None:
    two = (Rule("two", Effect.APPROVE, count=2),)
    rulings, judgement = judged(PLAN, two, GATE)
    _, enough = stands(Judgement(), (said("github:ada", judgement),))

    decision = decide(
        PLAN, assess(PLAN), judgement, Requirement(), enough, rulings=rulings, now=NOW
    )

    assert enough.enough
    assert isinstance(decision, Hold)
    assert decision.requirement.asks == decision.standing.short == (Ask(2),)
    assert decision.standing.missing == 2


def test_what_a_switch_says_is_no_violation_and_all_else_but_an_allow_is() -> None:
    rules = (
        Rule("yes", Effect.ALLOW, actions=("update",)),
        Rule("hm", Effect.WARN, "Look.", actions=("update",)),
        Rule("ask", Effect.APPROVE, actions=("delete",)),
    )
    rulings, _ = judged(PLAN, rules, GATE)
    of_plan = (Ruling(Level.DENY, "cost"), Ruling(Level.ALLOW, "fine"))
    judgement = judge(
        PLAN, assess(PLAN), GATE, replace(rulings, of_plan=of_plan), code_is_applied=False
    )

    assert set(judgement.violations) == {
        Violation("hm", 1, "aws_instance.web", message="Look."),
        Violation("ask", 2, "aws_db_instance.db"),
        Violation("cost", 3),
    }


# --- Properties ----------------------------------------------------------------------------------

RULES = st.lists(
    st.builds(
        lambda at, effect, when: Rule(f"r{at}", effect, **when),
        st.integers(0, 9),
        st.sampled_from(Effect),
        WHEN,
    ),
    max_size=4,
).map(tuple)
MODES = st.builds(ApplyModes, st.sampled_from(Mode), st.sampled_from(Mode))
BY = st.lists(st.sampled_from(EVERYBODY), unique=True).map(tuple)
STRICTNESS = {Apply: 0, Hold: 1, Refuse: 2}


@given(PLANS, RULES, st.one_of(st.just({}), WHEN), MODES, BY)
def test_no_approval_outranks_a_deny(
    plan: Plan,
    rules: tuple[Rule, ...],
    when: dict[str, object],
    modes: ApplyModes,
    by: tuple[str, ...],
) -> None:
    no = Rule("no", Effect.DENY, **when)  # type: ignore[arg-type]  # drawn by the name of each
    rulings, _ = judged(plan, (*rules, no), modes)
    denied = any(each.rule == "no" for found in rulings.of_change.values() for each in found)

    decision = decided(plan, (*rules, no), *by, modes=modes)

    assert not (denied and isinstance(decision, Apply | Hold))


@given(PLANS, RULES, WHEN, MODES, BY, st.sampled_from([Effect.WARN, Effect.APPROVE, Effect.DENY]))
def test_another_rule_but_an_allow_never_makes_a_decision_weaker(
    plan: Plan,
    rules: tuple[Rule, ...],
    when: dict[str, object],
    modes: ApplyModes,
    by: tuple[str, ...],
    effect: Effect,
) -> None:
    more = Rule("more", effect, **when)  # type: ignore[arg-type]  # drawn by the name of each
    # The yeses of before, too: whoever gave them did not know of the other rule.
    _, known = judged(plan, rules, modes)
    approvals = tuple(said(each, known) for each in by)

    def decision(of: tuple[Rule, ...]) -> Decision:
        rulings, judgement = judged(plan, of, modes)
        wanted, found = stands(judgement, approvals)
        return decide(plan, assess(plan), judgement, wanted, found, rulings=rulings, now=NOW)

    before, after = decision(rules), decision((*rules, more))

    assert STRICTNESS.get(type(before), 0) <= STRICTNESS.get(type(after), 0)


@given(PLANS, RULES, MODES, BY, st.randoms())
def test_the_order_of_rules_never_changes_the_decision(
    plan: Plan, rules: tuple[Rule, ...], modes: ApplyModes, by: tuple[str, ...], random: object
) -> None:
    shuffled = list(rules)
    random.shuffle(shuffled)  # type: ignore[attr-defined]  # hypothesis' own Random

    first = decided(plan, rules, *by, modes=modes)
    other = decided(plan, tuple(shuffled), *by, modes=modes)

    assert type(first) is type(other)
    if isinstance(first, Hold) and isinstance(other, Hold):
        assert first.standing.missing == other.standing.missing
        assert set(first.requirement.asks) == set(other.requirement.asks)
        assert set(first.requirement.each_of) == set(other.requirement.each_of)
    if isinstance(first, Refuse) and isinstance(other, Refuse):
        assert set(first.reasons) == set(other.reasons)
