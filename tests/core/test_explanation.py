"""Why a rule matches or does not: never another answer than the rule's own."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from driftctl_py.core.assessment import assess
from driftctl_py.core.decision import Rulings, judge
from driftctl_py.core.environment import ApplyModes
from driftctl_py.core.explanation import ASKED, FOUND, Reason, explain, explain_change, spoken
from driftctl_py.core.plan import Kind, OutputChange, Plan
from driftctl_py.core.rule import Effect, Rule
from driftctl_py.core.rules import CONDITIONS, Answer, Subject, matches, rulings_of
from tests.core.policy_examples import RULES, subjects
from tests.core.test_plan_diff import PLANS
from tests.core.test_rules import change, plan


@given(RULES, subjects())
def test_what_is_explained_is_what_the_rule_answers(rule: Rule, subject: Subject) -> None:
    explained = explain_change(rule, subject)

    assert explained.matched == matches(rule, subject)
    assert bool(explained.against) != explained.matched


@given(PLANS, st.lists(RULES, max_size=3))
def test_the_rules_that_speak_are_those_that_rule(of: Plan, rules: list[Rule]) -> None:
    rules = [replace(each, name=f"r{at}") for at, each in enumerate(rules)]
    assessment = assess(of)
    findings = (*assessment.findings, *assessment.equivalent)
    bare = judge(of, assessment, ApplyModes(), Rulings(), code_is_applied=False)
    rulings = rulings_of(rules, of, findings, bare, assessment.managed)

    explained = explain(rules, of, findings, bare, assessment.managed)

    said = {(key, each.rule) for key, found in rulings.of_change.items() for each in found}
    told = {
        (change.key, each.rule.name) for each in explained if each.speaks for change in each.fitting
    }
    assert told == said


def test_every_condition_can_be_told() -> None:
    names = {each.name for each in CONDITIONS}

    assert names == set(ASKED) == set(FOUND)


def reasons(rule: Rule, of: Plan) -> list[Reason]:
    return list(explained_one(rule, of).changes[0].reasons)


def explained_one(rule: Rule, of: Plan):  # type: ignore[no-untyped-def]  # whatever explain says
    assessment = assess(of)
    findings = (*assessment.findings, *assessment.equivalent)
    bare = judge(of, assessment, ApplyModes(), Rulings(), code_is_applied=False)
    return explain([rule], of, findings, bare, assessment.managed)[0]


def test_each_condition_tells_what_it_asks_for_and_what_there_is() -> None:
    rule = Rule(
        "no",
        Effect.DENY,
        addresses=("module.db.*",),
        types=("aws_s3_*",),
        providers=("aws",),
        actions=("delete",),
        causes=("commit",),
        holds_data=False,
        attributes=("tags",),
        values={"size": ("1", "2")},
    )

    assert reasons(rule, plan()) == [
        Reason("addresses", Answer.YES, ("module.db.*",), ("module.db.aws_db_instance.main[0]",)),
        Reason("types", Answer.NO, ("aws_s3_*",), ("aws_db_instance",)),
        Reason("providers", Answer.YES, ("aws",), ("registry.terraform.io/hashicorp/aws",)),
        Reason("actions", Answer.NO, ("delete",), ("update",)),
        Reason("causes", Answer.YES, ("commit",), ("commit",)),
        Reason("holds_data", Answer.NO, ("false",), ("true",)),
        Reason("attributes", Answer.YES, ("tags",), ("tags.team",)),
        Reason("values", Answer.YES, ("size: 1 or 2",), ("size: 1",)),
    ]


def test_an_output_has_none_of_what_objects_have() -> None:
    output = Plan("1", outputs=(OutputChange("url", Kind.UPDATE, "a", "b"),), managed=1)
    rule = Rule("no", Effect.DENY, types=("*",), holds_data=True, attributes=("*",))

    assert [each.found for each in reasons(rule, output)] == [(), (), ()]


def test_what_cannot_be_known_is_told_apart() -> None:
    odd = plan(change(address="odd..address"), change(Kind.UNKNOWN))
    rule = Rule(
        "no", Effect.DENY, types=("b",), holds_data=True, actions=("create",), attributes=("a",)
    )

    explained = explained_one(rule, odd)

    of_type = {each.key[0]: each for each in explained.changes}
    unknown = [each.condition for each in of_type["odd..address"].reasons if each.found is None]
    assert unknown == ["types", "holds_data"]
    of_kind = of_type["module.db.aws_db_instance.main[0]"]
    unknown = [each.condition for each in of_kind.reasons if each.found is None]
    assert unknown == ["actions", "attributes"]
    assert [each.condition for each in of_kind.doubts] == ["actions", "attributes"]


def test_no_rule_allows_what_is_done_in_an_unknown_way_and_that_is_told() -> None:
    explained = explained_one(Rule("yes", Effect.ALLOW), plan(change(Kind.UNKNOWN)))

    assert [each.condition for each in explained.changes[0].against] == ["kind"]
    assert not explained.speaks


def test_counts_are_told_with_how_many_match() -> None:
    rule = Rule("many", Effect.DENY, actions=("update",), at_least=2, at_most=5, share=50)

    explained = explained_one(rule, plan(managed=10))

    assert explained.counts == (
        Reason("at_least", Answer.NO, ("2",), ("1",)),
        Reason("at_most", Answer.YES, ("5",), ("1",)),
        Reason("share", Answer.NO, ("50",), ("1", "10")),
    )
    assert len(explained.fitting) == 1
    assert not explained.speaks


def test_a_ruling_is_called_by_its_rule_and_its_place() -> None:
    from driftctl_py.core.decision import Level, Ruling

    assert spoken(Ruling(Level.DENY, "no", "driftctl.yaml:4")) == "no (driftctl.yaml:4)"
    assert spoken(Ruling(Level.DENY, "apply.git: never")) == "apply.git: never"
