"""Which rules match which changes, and that no gap in a plan makes a decision weaker."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from driftctl_py.core.assessment import assess
from driftctl_py.core.decision import Cause, Judgement, Level, Rulings, judge
from driftctl_py.core.environment import ApplyModes, Mode
from driftctl_py.core.plan import (
    ActionInvocation,
    Change,
    Joined,
    Kind,
    OutputChange,
    Plan,
)
from driftctl_py.core.rule import Effect, Rule
from driftctl_py.core.rules import (
    Answer,
    Subject,
    answers,
    matches,
    rulings_of,
    subjects,
    value_text,
    values_at,
    values_found,
)
from driftctl_py.core.values import ABSENT, UNKNOWN, Secrets, Sensitive, Value
from tests.core.test_plan_diff import PLANS

AWS = "registry.terraform.io/hashicorp/aws"
DB = "module.db.aws_db_instance.main[0]"


def change(
    kind: Kind = Kind.UPDATE, address: str = DB, *, before: object = None, after: object = None
) -> Joined:
    was = {"tags": {"team": "a"}, "size": 1} if before is None else before
    gets = {"tags": {"team": "b"}, "size": 1} if after is None else after
    made = Change(address, kind, was, gets, provider=AWS)  # type: ignore[arg-type]  # by the name of each
    return Joined(made, None)


def plan(*joined: Joined, managed: int = 10) -> Plan:
    return Plan("1.15.5", joined=joined or (change(),), managed=managed, applyable=True)


def said(of: Plan, *rules: Rule, modes: ApplyModes | None = None) -> Rulings:
    assessed = assess(of)
    bare = judge(of, assessed, modes or ApplyModes(), Rulings(), code_is_applied=False)
    findings = (*assessed.findings, *assessed.equivalent)
    return rulings_of(rules, of, findings, bare, assessed.managed)


def only_subject(of: Plan) -> Subject:
    assessed = assess(of)
    bare = judge(of, assessed, ApplyModes(), Rulings(), code_is_applied=False)
    (found,) = subjects(of, assessed.findings, bare)
    return found


def names(of: Plan, *rules: Rule) -> dict[str, list[str]]:
    return {
        key[0]: [each.rule for each in rulings]
        for key, rulings in said(of, *rules).of_change.items()
    }


def fits(rule: Rule, of: Plan) -> bool:
    return bool(said(of, rule).of_change)


def deny(**when: object) -> Rule:
    return Rule("no", Effect.DENY, **when)  # type: ignore[arg-type]  # by the name of each


def allow(**when: object) -> Rule:
    return Rule("yes", Effect.ALLOW, **when)  # type: ignore[arg-type]  # by the name of each


def test_without_rules_nothing_is_said() -> None:
    assert said(plan()) == Rulings()


def test_what_a_rule_says_is_said_of_each_change_that_it_matches() -> None:
    rule = Rule("ask", Effect.APPROVE, "Ask them.", ("dba",), types=("aws_db_*",), where="d.yaml:4")

    found = said(plan(change(), change(address="aws_sqs_queue.q")), rule)

    ((key, (ruling,)),) = found.of_change.items()
    assert key == (DB, "")
    assert (ruling.level, ruling.rule, ruling.where) == (Level.APPROVE, "ask", "d.yaml:4")
    assert (ruling.message, ruling.groups) == ("Ask them.", ("dba",))


@pytest.mark.parametrize(
    ("when", "restricts", "allows"),
    [
        ({}, True, True),
        ({"addresses": (DB,)}, True, True),
        ({"addresses": ("module.db.aws_db_instance.main",)}, True, True),
        ({"addresses": ("module.*",)}, True, True),
        # Another module may have an object of that name; to allow that one takes its address.
        ({"addresses": ("aws_db_instance.main",)}, True, False),
        ({"addresses": ("aws_db_instance.other", "aws_db_instance.*[0]")}, True, False),
        ({"addresses": ("aws_sqs_queue.*",)}, False, False),
        ({"types": ("aws_db_*",)}, True, True),
        ({"types": ("aws_rds_*",)}, False, False),
        ({"providers": ("aws",)}, True, True),
        ({"providers": ("hashicorp/aws",)}, True, True),
        ({"providers": (AWS,)}, True, True),
        ({"providers": ("example/aws",)}, False, False),
        ({"actions": ("update", "delete")}, True, True),
        ({"actions": ("delete",)}, False, False),
        ({"causes": ("commit",)}, True, True),
        ({"causes": ("drift",)}, False, False),
        ({"attributes": ("tags",)}, True, True),
        ({"attributes": ("tags.*",)}, True, True),
        ({"attributes": ("tags.team",)}, True, True),
        ({"attributes": ("t*.team", "?ize")}, True, True),
        # Nothing is in a text that is neither JSON nor YAML.
        ({"attributes": ("tags.team.deeper",)}, False, False),
        ({"attributes": ("tag",)}, False, False),
        ({"attributes": ("size",)}, False, False),
        ({"holds_data": True}, True, True),
        ({"holds_data": False}, False, False),
        ({"types": ("aws_db_*",), "actions": ("delete",)}, False, False),
    ],
)
def test_all_conditions_must_hold(when: dict[str, object], restricts: bool, allows: bool) -> None:
    assert fits(deny(**when), plan()) is restricts
    assert fits(allow(**when), plan()) is allows


def test_an_allow_by_attributes_is_for_nothing_else_that_changes() -> None:
    more = plan(change(after={"tags": {"team": "b"}, "size": 2}))

    assert fits(deny(attributes=("tags",)), more)
    assert not fits(allow(attributes=("tags",)), more)
    assert fits(allow(attributes=("tags", "size")), more)


@pytest.mark.parametrize("kind", [Kind.REPLACE, Kind.REPLACE_CREATE_FIRST])
def test_a_replacement_is_not_allowed_by_its_attributes(kind: Kind) -> None:
    replaced = plan(change(kind))

    assert not fits(allow(attributes=("tags",)), replaced)
    assert fits(deny(attributes=("tags",)), replaced)
    assert fits(deny(actions=("replace",)), replaced)


def test_what_is_made_or_destroyed_whole_is_asked_for_by_its_action() -> None:
    gone = plan(Joined(Change(DB, Kind.DELETE, {"size": 1}, None), None))

    assert not fits(deny(attributes=("size",)), gone)
    assert fits(deny(actions=("delete",)), gone)
    assert fits(allow(actions=("delete",)), gone)


def test_an_allow_must_name_all_that_would_be_done() -> None:
    moved = Joined(replace(change().entry, previous_address="aws_db_instance.old"), None)
    forgotten = change(Kind.FORGET_THEN_CREATE)

    assert fits(deny(actions=("move",)), plan(moved))
    assert not fits(allow(actions=("update",)), plan(moved))
    assert fits(allow(actions=("update", "move")), plan(moved))
    assert not fits(allow(actions=("create",)), plan(forgotten))
    assert fits(deny(actions=("forget",)), plan(forgotten))


def test_who_renames_an_object_gets_rid_of_no_rule_about_it() -> None:
    entry = replace(change(Kind.REPLACE).entry, address="aws_db_instance.scratch")
    moved = plan(Joined(replace(entry, previous_address=DB), None))

    assert fits(deny(addresses=("module.db.*",)), moved)
    assert fits(deny(addresses=("aws_db_instance.main",)), moved)
    assert fits(deny(addresses=("aws_db_instance.scratch",)), moved)
    assert not fits(deny(addresses=("module.web.*",)), moved)


def test_an_allow_must_name_what_an_object_is_called_and_what_it_was() -> None:
    moved = plan(Joined(replace(change().entry, previous_address="module.a.x.y[0]"), None))

    assert not fits(allow(addresses=(DB,)), moved)
    assert not fits(allow(addresses=("module.a.x.y",)), moved)
    assert fits(allow(addresses=(DB, "module.a.x.y")), moved)


def test_what_nobody_knows_is_never_allowed_and_always_restricted() -> None:
    unheard = plan(change(Kind.UNKNOWN))

    assert not fits(allow(), unheard)
    assert fits(deny(actions=("delete",)), unheard)
    assert fits(deny(attributes=("x",)), unheard)
    assert fits(deny(causes=("drift",)), unheard)
    assert not fits(deny(addresses=("other.*",)), unheard)


def test_an_address_or_a_provider_that_cannot_be_told_restricts_and_does_not_allow() -> None:
    made = replace(change().entry, address="???", provider="")
    odd = plan(Joined(made, None))

    asked: list[dict[str, object]] = [
        {"types": ("a",)},
        {"providers": ("a",)},
        {"holds_data": True},
    ]
    for when in asked:
        assert fits(deny(**when), odd)
        assert not fits(allow(**when), odd)
    assert not fits(allow(holds_data=False), odd)


@pytest.mark.parametrize("rule", [deny, allow])
def test_what_cannot_be_told_is_an_answer_of_its_own(rule: Callable[..., Rule]) -> None:
    unheard = only_subject(plan(change(Kind.UNKNOWN)))
    asked = rule(addresses=("*",), actions=("update",), values={"tags": ("x",)})

    assert answers(asked, unheard) == (
        ("addresses", Answer.YES),
        ("actions", Answer.UNKNOWN),
        ("values", Answer.UNKNOWN),
    )


def test_an_update_of_nobody_knows_what_touches_every_attribute() -> None:
    subject = Subject(
        ("a.b", ""), ("a.b",), ("a.b",), frozenset({"update"}), frozenset({"commit"}), True, True
    )

    assert matches(deny(attributes=("x",)), replace(subject, changed=None))
    assert not matches(allow(attributes=("*",)), replace(subject, changed=None))


def test_what_cannot_be_told_apart_is_both_causes() -> None:
    of = plan()
    assessed = assess(of)
    bare = judge(of, assessed, ApplyModes(), Rulings(), code_is_applied=False)
    unsure = Judgement(tuple(replace(each, cause=Cause.UNDETERMINED) for each in bare.changes))

    def matched(rule: Rule) -> bool:
        return bool(rulings_of([rule], of, assessed.findings, unsure, 1).of_change)

    assert matched(deny(causes=("drift",)))
    assert matched(deny(causes=("commit",)))
    assert not matched(allow(causes=("drift",)))
    assert matched(allow(causes=("drift", "commit")))


def test_outputs_and_actions_have_no_type_provider_or_attributes() -> None:
    of = replace(
        plan(),
        joined=(),
        outputs=(OutputChange("url", Kind.UPDATE, "a", "b"),),
        invocations=(ActionInvocation("action.aws_lambda_invoke.it"),),
    )
    asked: list[dict[str, object]] = [
        {"types": ("*",)},
        {"providers": ("*",)},
        {"attributes": ("*",)},
        {"holds_data": True},
    ]

    assert not any(fits(deny(**when), of) for when in asked)
    assert names(of, deny(addresses=("output.*",))) == {"output.url": ["no"]}
    assert names(of, deny(actions=("invoke",))) == {"action.aws_lambda_invoke.it": ["no"]}
    assert len(names(of, deny())) == 2


def test_how_many_match_is_counted_of_what_matches_the_rest() -> None:
    queues = [change(address=f"aws_sqs_queue.q{number}") for number in range(3)]
    of = plan(change(), *queues, managed=10)
    queue = ("aws_sqs_queue.*",)

    assert len(names(of, deny(addresses=queue, at_least=3))) == 3
    assert not names(of, deny(addresses=queue, at_least=4))
    assert len(names(of, allow(addresses=queue, at_most=3))) == 3
    assert not names(of, allow(addresses=queue, at_most=2))
    assert len(names(of, deny(addresses=queue, share=30))) == 3
    assert not names(of, deny(addresses=queue, share=31))


def test_of_an_empty_environment_any_share_is_reached() -> None:
    new = Joined(Change("aws_sqs_queue.q", Kind.CREATE, None, {"a": 1}), None)

    assert fits(deny(share=100), plan(new, managed=0))


def test_a_rule_speaks_of_environments_by_name_and_label() -> None:
    rule = deny(environments=("prod*", "live/?u"), labels={"tier": "1"})

    assert rule.speaks_of("prod-eu", {"tier": "1", "more": "x"})
    assert rule.speaks_of("live/eu", {"tier": "1"})
    assert not rule.speaks_of("prod-eu", {})
    assert not rule.speaks_of("dev", {"tier": "1"})
    assert deny().speaks_of("dev", {})


# --- What is in what changes ---------------------------------------------------------------------


@pytest.mark.parametrize(
    ("after", "asked", "restricts"),
    [
        ({"rule": UNKNOWN}, "rule[0].port", True),
        ({"rule": UNKNOWN}, "rule.*.port", True),
        ({"rule": UNKNOWN}, "r*[0].port", True),
        ({"rule": UNKNOWN}, "rule?0].port", True),
        ({"rule": UNKNOWN}, "*port", True),
        ({"rule": UNKNOWN}, "ruler.port", False),
        ({"rule": Sensitive(1, 1)}, "rule.port", True),
        ({"rule": '{"port": 2}'}, "rule.port", True),
        ({"rule": "a\nb"}, "rule.port", True),
        ({"rule": "b"}, "rule.port", False),
        ({"rule": 2}, "rule.port", False),
        ({"rule": None}, "*.port", False),
    ],
)
def test_what_is_in_something_that_changes_as_a_whole_may_change(
    after: Value, asked: str, restricts: bool
) -> None:
    of = plan(change(before={"rule": "a"}, after=after))

    assert fits(deny(attributes=(asked,)), of) is restricts
    assert not fits(allow(attributes=(asked,)), of)


# --- Values --------------------------------------------------------------------------------------

PLANNED: Value = {
    "acl": "public-read",
    "encrypted": False,
    "size": 100,
    "ratio": Decimal("1.50"),
    "huge": Decimal("1E+900"),
    "note": None,
    "key": UNKNOWN,
    "password": Sensitive(1, 1),
    "tags": {"team": "web", "kubernetes.io/name": "x", "token": Sensitive(2, 2)},
    "rule": [{"port": 22, "cidr": ["10.0.0.0/8", "0.0.0.0/0"]}, {"port": 443, "cidr": UNKNOWN}],
    "known": [{"b": [True, "ä"], "a": None}],
    "policy": '{"Statement": [{"Effect": "Allow", "Principal": "*"}]}',
    "user_data": "#cloud-config\nruncmd:\n  - reboot\n",
}


@pytest.mark.parametrize(
    ("values", "restricts", "allows"),
    [
        ({"acl": ("public-*",)}, True, True),
        ({"acl": ("private", "public-read")}, True, True),
        ({"acl": ("private",)}, False, False),
        ({"acl": ("public-*",), "size": ("100",)}, True, True),
        ({"acl": ("public-*",), "size": ("10",)}, False, False),
        ({"encrypted": ("false",)}, True, True),
        ({"size": ("1??",)}, True, True),
        ({"ratio": ("1.5",)}, True, True),
        ({"huge": ("1E+900",)}, True, True),
        ({"note": ("null",)}, True, True),
        # What an object does not have is null to the engine; but nobody allowed that.
        ({"missing": ("null",)}, True, False),
        ({"missing": ("x",)}, False, False),
        ({"tags.missing": ("null",)}, True, False),
        ({"size.deeper": ("x",)}, False, False),
        ({"tags.team": ("web",)}, True, True),
        ({'tags["kubernetes.io/name"]': ("x",)}, True, True),
        # Known after apply, or a secret: whether it fits is not said.
        ({"key": ("x",)}, True, False),
        ({"key.deeper[0]": ("x",)}, True, False),
        ({"key": ("*",)}, True, False),
        ({"password": ("x",)}, True, False),
        ({"password": ("*",)}, True, False),
        ({"tags.token": ("x",)}, True, False),
        ({"tags.token.deeper": ("x",)}, True, False),
        ({"tags": ("x",)}, True, False),
        ({"tags.*": ("web",)}, True, False),
        ({"acl": ("private",), "key": ("x",)}, False, False),
        ({"acl": ("public-*",), "key": ("x",)}, True, False),
        # Of several, any is enough for a no, and it takes all of them for a yes.
        ({"rule[0].cidr[*]": ("0.0.0.0/0",)}, True, False),
        ({"rule[0].cidr[*]": ("*/*",)}, True, True),
        ({"rule[1].cidr[*]": ("0.0.0.0/0",)}, True, False),
        ({"rule[*].cidr[*]": ("*/*",)}, True, False),
        ({"rule[*].port": ("22",)}, True, False),
        ({"rule[*].port": ("22", "443")}, True, True),
        ({"rule[*].port": ("80",)}, False, False),
        ({"known": ('[{"a":null,"b":[true,"ä"]}]',)}, True, True),
        ({"policy.Statement[*].Principal": ("*",)}, True, True),
        ({"policy.Statement[*].Effect": ("Deny",)}, False, False),
        ({"policy": ("*Principal*",)}, True, True),
        ({"user_data.runcmd[*]": ("reboot",)}, True, True),
        ({"user_data.runcmd[*]": ("shutdown",)}, False, False),
    ],
)
@pytest.mark.parametrize("kind", [Kind.CREATE, Kind.UPDATE, Kind.REPLACE, Kind.CREATE_THEN_FORGET])
def test_a_rule_asks_for_planned_values(
    kind: Kind, values: dict[str, tuple[str, ...]], restricts: bool, allows: bool
) -> None:
    before = None if kind is Kind.CREATE else {"acl": "private"}
    of = plan(Joined(Change(DB, kind, before, PLANNED), None))

    assert fits(deny(values=values), of) is restricts
    assert fits(allow(values=values), of) is allows


def test_what_is_to_be_gone_has_no_values_and_of_what_is_unheard_of_nobody_knows() -> None:
    gone = plan(Joined(Change(DB, Kind.DELETE, PLANNED, None), None))
    unheard = plan(Joined(Change(DB, Kind.UNKNOWN, PLANNED, PLANNED), None))
    output = replace(plan(), joined=(), outputs=(OutputChange("acl", Kind.UPDATE, "a", "b"),))

    for rule in (deny(values={"acl": ("*",)}), allow(values={"acl": ("*",)})):
        assert not fits(rule, gone)
        assert not fits(rule, output)
    assert fits(deny(values={"acl": ("x",)}), unheard)
    assert not fits(allow(values={"acl": ("*",)}), unheard)


def test_an_object_of_which_nothing_is_known_may_have_any_value() -> None:
    subject = only_subject(plan(change()))

    for nothing in (UNKNOWN, Sensitive(1, 1)):
        made = replace(subject, planned=nothing)
        assert matches(deny(values={"acl": ("x",)}), made)
        assert not matches(allow(values={"acl": ("*",)}), made)


def test_what_is_only_recorded_has_the_values_that_are_really_there() -> None:
    drift = Change(DB, Kind.UPDATE, {"acl": "private"}, {"acl": "public-read"})
    of = Plan("1.15.5", joined=(Joined(None, drift),), managed=0, applyable=True)

    assert fits(deny(values={"acl": ("public-*",)}), of)
    assert not fits(deny(values={"acl": ("private",)}), of)


def test_what_a_rule_found_is_told_without_secrets() -> None:
    subject = only_subject(plan(Joined(Change(DB, Kind.CREATE, None, PLANNED), None)))
    asked = ("acl", "missing", "key", "password", "tags", "rule[*].port")
    rule = deny(values=dict.fromkeys(asked, ("x",)))

    assert values_found(rule, subject) == (
        "acl: public-read",
        "missing: null",
        "key: (known after apply)",
        "password: (sensitive value)",
        "tags: (sensitive value)",
        "rule[*].port: 22",
        "rule[*].port: 443",
    )
    assert values_found(rule, replace(subject, is_known=False)) is None
    assert values_found(rule, replace(subject, planned=None)) == ()
    assert values_found(rule, replace(subject, is_object=False)) == ()


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("text", "text"),
        ("", ""),
        (True, "true"),
        (False, "false"),
        (None, "null"),
        (ABSENT, "null"),
        (0, "0"),
        (-7, "-7"),
        (2**80, str(2**80)),
        (1.5, "1.5"),
        (Decimal("1e2"), "100"),
        (Decimal("10.00"), "10"),
        (Decimal("0.0010"), "0.001"),
        (Decimal("1e-500"), "1E-500"),
        (Decimal("NaN"), "NaN"),
        ({}, "{}"),
        ({"b": 1, "a": ["x", None]}, '{"a":["x",null],"b":1}'),
        (UNKNOWN, None),
        ([1, UNKNOWN], None),
        ({"a": Sensitive(1, 1)}, None),
    ],
)
def test_a_value_is_spelled_so_that_globs_can_be_written(value: Value, text: str | None) -> None:
    assert value_text(value) == text


def test_a_long_text_is_looked_into_as_well() -> None:
    long = '{"a": "' + "x" * 70_000 + '", "b": "y"}'

    assert values_at("policy.b", {"policy": long}) == ["y"]


SECRETS = st.one_of(st.just(UNKNOWN), st.builds(Sensitive, st.integers(0, 9), st.integers(0, 9)))
VALUES = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(0, 3), st.sampled_from(["a", "b"])),
    lambda inner: st.one_of(
        st.lists(inner, max_size=2), st.dictionaries(st.sampled_from("abc"), inner, max_size=3)
    ),
    max_leaves=6,
)
PATHS = st.sampled_from(["a", "b", "a.b", "a.b.c", "a[0]", "a[*].b", "*", "*.a", "a*c", "?"])
GLOBS = st.lists(st.sampled_from(["*", "a", "b", "1", "true", "null", "?"]), min_size=1, max_size=2)


@given(st.dictionaries(st.sampled_from("abc"), VALUES), PATHS, GLOBS, st.data())
def test_what_is_not_known_makes_no_rule_that_restricts_miss_and_none_that_allows_match(
    planned: dict[str, Value], path: str, globs: list[str], data: st.DataObject
) -> None:
    values = {path: tuple(globs)}
    # One and the same plan, as it is and with something hidden.
    hidden = with_something_hidden(planned, data.draw(SECRETS), data)
    assert isinstance(hidden, dict)
    known = only_subject(plan(change(before={"z": 1}, after={**planned, "z": 2})))
    unsure = replace(known, planned={**hidden, "z": 2})

    if matches(deny(values=values), known):
        assert matches(deny(values=values), unsure)
    if matches(allow(values=values), unsure):
        assert matches(allow(values=values), known)


@given(
    st.dictionaries(st.sampled_from("abc"), VALUES),
    VALUES,
    VALUES,
    PATHS,
    GLOBS,
    st.sampled_from(Effect),
)
def test_whether_a_rule_matches_says_nothing_of_a_secret(
    planned: dict[str, Value],
    one: Value,
    other: Value,
    path: str,
    globs: list[str],
    effect: Effect,
) -> None:
    secrets = Secrets()
    rule = Rule("r", effect, values={path: tuple(globs)})
    subject = only_subject(plan(change()))
    with_one = replace(subject, planned={**planned, "a": secrets.mark(one)})
    with_other = replace(subject, planned={**planned, "a": secrets.mark(other)})

    assert matches(rule, with_one) is matches(rule, with_other)
    assert values_found(rule, with_one) == values_found(rule, with_other)


def with_something_hidden(value: Value, mark: Value, data: st.DataObject) -> Value:
    if isinstance(value, dict) and value:
        key = data.draw(st.sampled_from(sorted(value)))
        if data.draw(st.booleans()):
            return {**value, key: mark}
        return {**value, key: with_something_hidden(value[key], mark, data)}
    if isinstance(value, list) and value:
        at = data.draw(st.integers(0, len(value) - 1))
        return [*value[:at], with_something_hidden(value[at], mark, data), *value[at + 1 :]]
    return mark if not isinstance(value, dict) else value


WHEN = st.fixed_dictionaries(
    {},
    optional={
        "addresses": st.sampled_from([("*",), ("a.*",), ("module.*",)]),
        "types": st.sampled_from([("*",), ("a*",)]),
        "actions": st.sampled_from([("update",), ("delete", "replace"), ("create",)]),
        "causes": st.sampled_from([("drift",), ("commit",), ("drift", "commit")]),
        "attributes": st.sampled_from([("*",), ("tags",), ("a.b",)]),
        "at_least": st.integers(1, 3),
        "values": st.dictionaries(PATHS, GLOBS.map(tuple), min_size=1, max_size=2),
        "count": st.integers(1, 3),
        "groups": st.sampled_from([(), ("dba",), ("dba", "net")]),
    },
)
MODES = st.builds(ApplyModes, st.sampled_from(Mode), st.sampled_from(Mode))


def level(of: Plan, modes: ApplyModes, *rules: Rule) -> Level:
    rulings = said(of, *rules, modes=modes)
    return judge(of, assess(of), modes, rulings, code_is_applied=False).level


@given(PLANS, MODES, st.lists(st.tuples(st.sampled_from(Effect), WHEN), max_size=4))
def test_the_order_of_rules_never_changes_the_level(
    of: Plan, modes: ApplyModes, written: list[tuple[Effect, dict[str, object]]]
) -> None:
    rules = [Rule(f"r{at}", effect, **when) for at, (effect, when) in enumerate(written)]  # type: ignore[arg-type]  # by the name of each
    others = list(reversed(rules))

    assert level(of, modes, *rules) is level(of, modes, *others)


@given(PLANS, MODES, st.sampled_from([Effect.WARN, Effect.APPROVE, Effect.DENY]), WHEN)
def test_a_rule_that_is_no_allow_never_makes_a_decision_weaker(
    of: Plan, modes: ApplyModes, effect: Effect, when: dict[str, object]
) -> None:
    more = Rule("more", effect, **when)  # type: ignore[arg-type]  # by the name of each

    assert level(of, modes, more) >= level(of, modes)


@given(PLANS, MODES, WHEN, WHEN)
def test_an_allow_never_beats_another_rule(
    of: Plan, modes: ApplyModes, when: dict[str, object], other: dict[str, object]
) -> None:
    denies = Rule("no", Effect.DENY, **other)  # type: ignore[arg-type]  # by the name of each
    rulings = said(of, denies, Rule("yes", Effect.ALLOW, **when), modes=modes)  # type: ignore[arg-type]  # by the name of each
    denied = {
        key
        for key, found in rulings.of_change.items()
        if any(each.level is Level.DENY for each in found)
    }

    judgement = judge(of, assess(of), modes, rulings, code_is_applied=False)

    for each in judgement.changes:
        if (each.address, each.deposed) in denied:
            assert each.level is Level.DENY
