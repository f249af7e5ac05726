"""Tables of tests beside the rules: how they are read, and that the gate itself answers."""

from __future__ import annotations

import re
from textwrap import dedent

import pytest

from driftctl_py.core.decision import Cause, Level
from driftctl_py.core.environment import ApplyModes, Environment, Mode
from driftctl_py.core.policy_tests import (
    Case,
    DescribedChange,
    Outcome,
    decode_tests,
    described,
    run_case,
    steps_of,
)
from driftctl_py.core.rule import Effect, Rule
from driftctl_py.errors import ConfigError

BUCKET = "aws_s3_bucket.assets"
NO = Rule("no", Effect.DENY, actions=("delete",), groups=())


def decode(text: str) -> tuple[Case, ...]:
    return decode_tests(dedent(text).encode(), filename="driftctl_test.yaml")


def refused(text: str) -> list[str]:
    with pytest.raises(ConfigError) as raised:
        decode(text)
    return [f"{each.line}: {each.what} {each.todo}" for each in raised.value.problems]


def case(text: str) -> Case:
    lines = "\n  ".join(["tests:\n- name: it", "expect: deny", *text.splitlines()])
    return decode(lines)[0]


def run(of: Case, *rules: Rule, modes: ApplyModes | None = None) -> Outcome:
    modes = modes or ApplyModes(Mode.GATE, Mode.AUTO)
    return run_case(of, Environment("prod", "environments/prod", rules=rules, apply=modes))


def test_a_file_of_cases_is_read_with_the_line_of_each() -> None:
    found = decode(
        """
        tests:
          - name: no destroys
            environment: prod
            change: {address: aws_s3_bucket.assets, actions: [delete]}
            expect: deny
            rule: no-destroys
          - name: size waits
            change:
              address: aws_db_instance.main
              actions: [update]
              cause: drift
              attributes: [size]
              values: {tags.team: growth}
              provider: registry.terraform.io/hashicorp/aws
            managed: 3
            expect: approve
            groups: [dba]
          - {name: a plan, plan: plans/web.json, expect: warn, groups: []}
        """
    )

    assert found == (
        Case(
            "no destroys",
            Level.DENY,
            "prod",
            (DescribedChange(BUCKET, ("delete",)),),
            rule="no-destroys",
            where="driftctl_test.yaml:3",
        ),
        Case(
            "size waits",
            Level.APPROVE,
            changes=(
                DescribedChange(
                    "aws_db_instance.main",
                    ("update",),
                    Cause.DRIFT,
                    ("size",),
                    {"tags.team": "growth"},
                    "registry.terraform.io/hashicorp/aws",
                ),
            ),
            groups=("dba",),
            managed=3,
            where="driftctl_test.yaml:8",
        ),
        Case("a plan", Level.WARN, plan="plans/web.json", groups=(), where="driftctl_test.yaml:19"),
    )


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "1: The file is empty"),
        ("~", "1: The file is empty"),
        ("- a", "1: The file is a list, but a mapping with the key `tests` is expected"),
        ("tests: []", "1: tests is an empty list"),
        ("cases: []", '1: The key "cases" is not known'),
        ("tests: [{name: a, expect: no}]", "1: tests[0].expect is"),
        ("tests: [{name: a, expect: deny}]", "1: tests[0] has none of them"),
        (
            "tests: [{name: a, expect: deny, plan: a.json, change: {address: output.a}}]",
            "1: tests[0] has change and plan",
        ),
        ("tests: [{name: a, expect: deny, plan: a.json, managed: 3}]", "1: tests[0].managed"),
        ("tests: [{name: a, expect: deny, plan: ../a.json}]", "1: tests[0].plan"),
    ],
)
def test_what_is_wrong_is_said_with_its_line(text: str, said: str) -> None:
    assert refused(text)[0].startswith(said)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ("{address: a.b}", "does not say what is done"),
        ("{address: output.a, actions: [update]}", "nothing is done with an output"),
        ("{address: a.b, actions: [invoke]}", "`invoke` is what is done with an action"),
        ("{address: action.a.b, actions: [invoke, update]}", "`invoke` is what is done"),
        ("{address: a.b, actions: [create, delete]}", "no plan does create and delete at once"),
        ("{address: a.b, actions: [delete], attributes: [size]}", "only what is created, updated"),
        ("{address: output.a, values: {size: 1}}", "only what is created, updated"),
        ("{address: a.b, actions: [update], attributes: ['tags.*.*[']}", "not the path"),
        ("{address: a.b, actions: [update], attributes: ['rule[100]']}", "counts too far"),
        ("{address: a.b, action: update}", "Write `actions`"),
    ],
)
def test_a_change_that_no_plan_makes_is_refused(change: str, said: str) -> None:
    found = refused(f"tests: [{{name: a, expect: deny, change: {change}}}]")

    assert any(said in each for each in found)


def test_two_tests_of_one_name_and_two_changes_of_one_object_are_refused() -> None:
    twice = refused(
        """
        tests:
          - {name: a, expect: deny, change: {address: output.a}}
          - {name: a, expect: deny, change: {address: output.a}}
        """
    )
    one = refused(
        "tests: [{name: a, expect: deny, changes: [{address: output.a}, {address: output.a}]}]"
    )

    assert twice[0].startswith("4: The test 'a' has the name of the one in driftctl_test.yaml:3.")
    assert "names output.a twice" in one[0]


@pytest.mark.parametrize(
    ("actions", "attributes"),
    [
        ("create", ()),
        ("update", ("tags.team",)),
        ("delete", ()),
        ("replace", ("rule[1].port",)),
        ("forget", ()),
        ("forget, create", ()),
        ("move", ()),
        ("import", ()),
        ("update, move", ("size",)),
        ("record", ("size",)),
    ],
)
@pytest.mark.parametrize("cause", ["drift", "commit", "both", "undetermined"])
def test_every_action_is_judged_as_described(
    actions: str, attributes: tuple[str, ...], cause: str
) -> None:
    told = f", attributes: [{', '.join(attributes)}]".replace("[1]", '"[1]"') if attributes else ""
    told = told.replace('rule"[1]".port', '"rule[1].port"')
    of = case(f"change: {{address: a.b, actions: [{actions}], cause: {cause}{told}}}")
    words = tuple(re.split(", ", actions))
    rule = Rule("it", Effect.DENY, actions=words, attributes=attributes)

    found = run(of, rule)

    (judged,) = found.judgement.changes
    assert judged.cause.words == of.changes[0].cause.words
    if actions != "record":
        assert found.failures == ()
    (explained,) = found.rules[0].changes
    assert explained.subject.actions == frozenset(words)


def test_outputs_and_actions_are_judged() -> None:
    of = case(
        "changes: [{address: output.url}, {address: action.a.b, actions: [invoke], cause: drift}]"
    )

    found = run(of, Rule("it", Effect.DENY, addresses=("output.*",)))

    assert {each.address: each.level for each in found.judgement.changes} == {
        "output.url": Level.DENY,
        "action.a.b": Level.ALLOW,
    }


def test_a_healed_tag_goes_by_the_rule_that_allows_it() -> None:
    heal = Rule("heal-tags", Effect.ALLOW, causes=("drift",), attributes=("tags",))
    modes = ApplyModes(Mode.NEVER, Mode.NEVER)
    of = Case(
        "it",
        Level.ALLOW,
        changes=(DescribedChange(BUCKET, ("update",), Cause.DRIFT, ("tags.team",)),),
        rule="heal-tags",
    )

    assert run(of, heal, modes=modes).failures == ()


def test_a_created_object_has_the_values_that_are_named() -> None:
    of = case(
        "change: {address: a.b, actions: [create], cause: drift, values: {size: 3, 'a[0]': x}}"
    )

    (joined,) = described(of).plan.joined

    assert joined.change is not None
    assert joined.change.after == {"size": 3, "a": ["x"]}
    assert joined.drift is not None
    assert joined.drift.before == {"size": 3, "a": ["x"]}


def test_the_share_goes_by_how_many_objects_there_are() -> None:
    rule = Rule("many", Effect.DENY, share=50)

    few = run(case("changes: [{address: a.b, actions: [delete]}]\nmanaged: 2"), rule)
    many = run(case("changes: [{address: a.b, actions: [delete]}]"), rule)

    assert (few.judgement.level, many.judgement.level) == (Level.DENY, Level.APPROVE)


def test_a_failure_says_what_was_expected_and_what_came() -> None:
    of = Case(
        "it",
        Level.DENY,
        changes=(DescribedChange(BUCKET, ("create",)),),
        rule="no",
        groups=("dba",),
    )

    assert run(of, NO).failures == (
        "Expected deny, and it is approve.",
        "The rule no was to speak, and it does not match.",
        "Asked were to be dba, and asked is nobody in particular.",
    )


def test_a_rule_that_is_not_the_environments_and_groups_that_were_not_to_be_asked_are_told() -> (
    None
):
    ask = Rule("ask", Effect.APPROVE, groups=("dba", "security"))
    of = Case(
        "it",
        Level.APPROVE,
        changes=(DescribedChange(BUCKET, ("create",)),),
        rule="elsewhere",
        groups=(),
    )

    assert run(of, ask).failures == (
        "The rule elsewhere was to speak, and it does not speak of prod.",
        "Asked were to be no groups, and asked is dba, security.",
    )


def test_a_plan_that_changes_nothing_proves_nothing() -> None:
    empty = described(Case("it", Level.ALLOW))

    found = run_case(Case("it", Level.ALLOW, plan="a.json"), Environment("prod", "p"), empty)

    assert found.failures == ("There is nothing to judge: the plan changes nothing.",)


def test_paths_are_read_as_reports_write_them() -> None:
    assert steps_of('rule[0].tags["a.b\\"c"].d') == ("rule", 0, "tags", 'a.b"c', "d")
