"""What lint says of rules is certain: no change is there that proves it wrong."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from driftctl_py.core.environment import ApplyModes, Environment, Mode
from driftctl_py.core.policy_lint import covers, lint, never
from driftctl_py.core.rule import Effect, Rule
from driftctl_py.core.rules import Subject, many_enough, matches
from driftctl_py.core.window import Window, WindowEffect
from tests.core.policy_examples import RULES, WHEN, subjects

GATE = ApplyModes(Mode.GATE, Mode.GATE)


def told(subject: Subject) -> bool:
    """Does the plan tell what it is and what is done?"""
    return subject.is_known and bool(subject.type or not subject.is_object)


@given(RULES, st.lists(subjects(), min_size=3, max_size=6))
def test_what_is_said_never_to_match_does_not(rule: Rule, changes: list[Subject]) -> None:
    matched = [each for each in changes if told(each) and matches(rule, each)]

    if matched and many_enough(rule, len(matched), 10):
        assert never(rule) == ""


@st.composite
def _wide_and_narrow(draw: st.DrawFn) -> tuple[Rule, Rule]:
    """Two rules of which one often covers the other."""
    wide, more = draw(WHEN), draw(WHEN)
    kept = [each for each in more if draw(st.booleans())]
    narrow = {**wide, **{key: more[key] for key in kept}}
    for count in ("at_least", "at_most", "share"):
        wide.pop(count, None)
    restricts = st.sampled_from([Effect.WARN, Effect.APPROVE, Effect.DENY])
    return Rule("w", draw(restricts), **wide), Rule("n", draw(st.sampled_from(Effect)), **narrow)


@given(_wide_and_narrow(), st.lists(subjects(), min_size=3, max_size=6))
def test_what_is_said_to_cover_another_matches_where_that_does(
    rules: tuple[Rule, Rule], changes: list[Subject]
) -> None:
    wide, narrow = rules

    if any(matches(narrow, each) and not matches(wide, each) for each in changes):
        assert not covers(wide, narrow)


@given(RULES, subjects())
def test_a_rule_without_counts_covers_itself(rule: Rule, subject: Subject) -> None:
    rule = replace(rule, effect=Effect.DENY, at_least=None, at_most=None, share=None)

    assert covers(rule, rule)


def rule(effect: Effect = Effect.DENY, **when: object) -> Rule:
    return Rule("it", effect, **when)  # type: ignore[arg-type]  # by the name of each


def allow(**when: object) -> Rule:
    return rule(Effect.ALLOW, **when)


@pytest.mark.parametrize(
    ("of", "why"),
    [
        (rule(at_least=3, at_most=2), "at_least asks for 3 changes or more, and at_most for 2"),
        (rule(actions=("create",), attributes=("tags",)), "only an update or a replacement"),
        (allow(actions=("replace",), attributes=("tags",)), "to allow attributes is to allow an"),
        (rule(types=("aws_instance.web",)), "aws_instance.web is no type of a resource"),
        (rule(addresses=("aws_instance",)), "aws_instance is no address: types go under `types`"),
        (
            rule(addresses=("aws_s3_bucket.*",), types=("aws_db_*",)),
            "addresses asks for aws_s3_bucket, and types for aws_db_*",
        ),
        (
            rule(addresses=("module.web.aws_s3_bucket.it",), types=("aws_db_*",)),
            "addresses asks for aws_s3_bucket, and types for aws_db_*",
        ),
        (rule(addresses=("output.*",), holds_data=True), "those have no holds_data"),
        (rule(addresses=("output.url",), actions=("update",)), "those have no actions"),
        (rule(addresses=("action.*",), attributes=("*",)), "those have no attributes"),
        (rule(actions=("invoke",), types=("*",)), "an action that is invoked has no type"),
        (rule(types=("aws_instance",), holds_data=True), "aws_instance is not known to"),
        (
            rule(types=("google_*",), providers=("hashicorp/aws",)),
            "providers asks for hashicorp/aws, and has no type google_*",
        ),
    ],
)
def test_rules_that_can_never_match_are_told_with_the_reason(of: Rule, why: str) -> None:
    assert why in never(of)


@pytest.mark.parametrize(
    "of",
    [
        rule(),
        rule(at_least=2, at_most=3),
        rule(actions=("move",), attributes=("tags",)),
        allow(actions=("create", "update"), attributes=("tags",)),
        rule(types=("aws_instance.web", "aws_*")),
        rule(addresses=("aws_instance", "*")),
        rule(addresses=("*.main",), types=("aws_db_*",)),
        rule(addresses=("module.*.aws_s3_bucket.it",), types=("aws_db_*",)),
        rule(addresses=("aws_db_instance.main",), types=("aws_db_*",)),
        rule(addresses=("action.*",), actions=("invoke",)),
        rule(addresses=("output.*", "aws_db_instance.*"), actions=("update",)),
        rule(addresses=("output.*",)),
        rule(actions=("invoke",)),
        rule(types=("aws_db_instance",), holds_data=True),
        rule(types=("aws_*",), holds_data=True),
        rule(types=("a*",), providers=("hashicorp/aws",)),
        rule(types=("google_*",), providers=("acme/aws", "hashicorp/aws")),
        rule(types=("google_*",), providers=("aws",)),
    ],
)
def test_of_rules_that_may_match_nothing_is_said(of: Rule) -> None:
    assert never(of) == ""


def prod(*rules: Rule, modes: ApplyModes = GATE) -> Environment:
    return Environment("prod", "environments/prod", rules=rules, apply=modes)


def named(name: str, effect: Effect, line: int, **when: object) -> Rule:
    return Rule(name, effect, where=f"driftctl.yaml:{line}", **when)  # type: ignore[arg-type]  # by the name of each


def said(*environments: Environment) -> list[str]:
    return [f"{each.where}: {each.what}" for each in lint(environments)]


def test_a_rule_that_never_matches_is_told_once_wherever_it_speaks() -> None:
    dead = named("dead", Effect.DENY, 9, at_least=3, at_most=2)

    found = said(prod(dead), replace(prod(dead), name="staging"))

    assert found == [
        "driftctl.yaml:9: The rule dead never matches: at_least asks for 3 changes or more, and "
        "at_most for 2 or fewer."
    ]


def test_a_rule_that_says_the_same_as_another_is_told() -> None:
    one = named("one", Effect.WARN, 3, types=("a", "b"))
    two = named("two", Effect.WARN, 7, types=("b", "a"))
    of_others = named("three", Effect.WARN, 8, types=("b", "a"), environments=("prod",))

    assert said(prod(one, two, of_others)) == [
        "driftctl.yaml:7: The rule two says the same as one (driftctl.yaml:3)."
    ]


@pytest.mark.parametrize("effect", [Effect.ALLOW, Effect.WARN, Effect.APPROVE])
def test_a_deny_beats_whatever_it_covers(effect: Effect) -> None:
    weak = named("weak", effect, 3, types=("aws_db_instance",), attributes=("tags.team",))
    deny = named("deny", Effect.DENY, 7, types=("aws_db_*",), attributes=("tags",))

    assert said(prod(weak, deny)) == [
        f"driftctl.yaml:3: The rule weak ({effect.value}) never counts: deny (driftctl.yaml:7) "
        "says deny of all that it matches."
    ]


def test_an_approve_beats_an_allow_but_where_a_switch_is_off() -> None:
    heal = named("heal", Effect.ALLOW, 3, causes=("drift",))
    ask = named("ask", Effect.APPROVE, 7)
    off = ApplyModes(Mode.GATE, Mode.NEVER)

    assert len(said(prod(heal, ask))) == 1
    # There it makes a yes possible at all.
    assert said(prod(heal, ask, modes=off)) == []


@pytest.mark.parametrize(
    "wide",
    [
        named("w", Effect.ALLOW, 7),
        named("w", Effect.DENY, 7, at_least=2),
        named("w", Effect.DENY, 7, at_most=2),
        named("w", Effect.DENY, 7, share=10),
        named("w", Effect.DENY, 7, values={"size": ("1",)}),
        named("w", Effect.DENY, 7, holds_data=True),
        named("w", Effect.DENY, 7, types=("aws_db_instance",)),
        named("w", Effect.DENY, 7, types=("aws_??_*",)),
        named("w", Effect.DENY, 7, attributes=("tags.team", "*s")),
        named("w", Effect.DENY, 7, actions=("update",)),
    ],
)
def test_what_does_not_surely_cover_a_rule_does_not_beat_it(wide: Rule) -> None:
    weak = named("weak", Effect.WARN, 3, types=("aws_db_*",), attributes=("tags.*",))

    assert said(prod(weak, wide)) == []


def test_a_rule_that_speaks_elsewhere_beats_nothing() -> None:
    weak, deny = named("weak", Effect.WARN, 3), named("deny", Effect.DENY, 7)

    assert said(prod(weak), replace(prod(weak, deny), name="staging")) == []
    assert len(said(prod(weak, deny), replace(prod(deny), name="staging"))) == 1


def test_a_type_that_nothing_has_is_a_note() -> None:
    odd = named("odd", Effect.DENY, 3, types=("aws_db_*", "aws_buckets3"))

    (found,) = lint([prod(odd)], ["aws_db_instance"])

    assert found.note
    assert "asks for aws_buckets3, and no object" in found.what
    assert lint([prod(odd)]) == ()
    assert lint([prod(replace(odd, types=("aws_*",)))], ["aws_db_instance"]) == ()


OPEN = Window("nights", WindowEffect.ALLOW, "0 22 * * *", 3600, "Europe/Berlin", where="c:5")
SHUT = Window("never", WindowEffect.DENY, "0 22 * * *", 7200, "Europe/Berlin", where="c:9")


def test_a_window_that_is_always_shut_by_another_is_told_once() -> None:
    environment = replace(prod(), timetables=((OPEN, SHUT),))

    found = said(environment, replace(environment, name="staging"))

    assert found == [
        "c:5: The window nights never lets anything be applied: as long as it is open, never (c:9) "
        "forbids it."
    ]
    (nowhere,) = lint([replace(environment, timetables=((OPEN, replace(SHUT, where="")),))])
    assert "it is open, never forbids it" in nowhere.what


@pytest.mark.parametrize(
    "other",
    [
        replace(SHUT, duration_seconds=60),
        replace(SHUT, cron="0 23 * * *"),
        replace(SHUT, timezone="UTC"),
        replace(SHUT, causes=("drift",)),
        replace(SHUT, effect=WindowEffect.ALLOW),
    ],
)
def test_a_window_that_may_be_open_is_not_told(other: Window) -> None:
    assert said(replace(prod(), timetables=((OPEN, other),))) == []
    assert said(replace(prod(), timetables=((OPEN,), (SHUT,)))) == []


def test_findings_come_in_the_order_of_the_file() -> None:
    rules = [named(f"r{at}", Effect.DENY, at, at_least=3, at_most=2) for at in (30, 4)]
    odd = replace(rules[0], name="odd", where="somewhere")

    assert [each.where for each in lint([prod(odd, *rules)])] == [
        "somewhere",
        "driftctl.yaml:4",
        "driftctl.yaml:30",
    ]
