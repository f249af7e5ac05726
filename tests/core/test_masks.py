from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from driftctl_py.core.diff import spelled
from driftctl_py.core.masks import Mask, Masks, glob, hides_any, masked, masks_for, mentions
from driftctl_py.core.plan import Plan
from driftctl_py.core.plan_json import decode_plan
from driftctl_py.core.values import UNKNOWN, Secrets, Sensitive, Value

AWS_KEY = re.compile("AKIA[0-9A-Z]{4}")


# Any: literals are no Value to mypy, since a list of one type is none of another.
def shown(value: Any, *masks: Mask, below: Any = None) -> Any:
    """With "x" in each place that is hidden."""
    return masked(value, masks, lambda _: "x", below=below)


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("*", "aws_db_instance.main"),
        ("aws_db_instance.*", "aws_db_instance.main"),
        ("aws_db_instance.ma?n", "aws_db_instance.main"),
        ("aws_db_instance.main", "aws_db_instance.main[0]"),
        ("aws_db_instance.main", 'module.a["b"].aws_db_instance.main["x"]'),
        ("aws_db_instance.main[0]", "module.a.aws_db_instance.main[0]"),
        ("module.a.aws_db_instance.*", 'module.a["b"].aws_db_instance.main["x"]'),
        ('module.a["b"].*', 'module.a["b"].aws_db_instance.main'),
        ("output.db", "output.db"),
        ("action.*", "action.aws_lambda_invoke.it"),
        ("*\n*", 'x.y["\n"]'),
    ],
)
def test_an_address_fits_with_or_without_its_modules_and_its_key(text: str, address: str) -> None:
    mask = Mask(address=text)

    assert masks_for([mask], address) == [mask]
    assert masks_for([mask], "other.one" if text != "*" else "x", address) == [mask]


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("aws_db_instance.*", "aws_db_instance_role.main"),
        ("aws_db_instance.main[1]", "aws_db_instance.main[0]"),
        ("aws_db_instance.ma?n", "aws_db_instance.maan1"),
        ("module.a.*", "module.b.x.y"),
        ("x.y", "xzy"),
        ("output.db", "output.db2"),
    ],
)
def test_another_address_does_not_fit(text: str, address: str) -> None:
    assert masks_for([Mask(address=text)], address) == []


def test_no_masks_fit_nothing() -> None:
    assert masks_for([], "x.y") == ()


VALUE = {
    "name": "db",
    "tags": {"team": "ada", "a.b": 1, "none": None},
    "rule": [{"port": 1, "text": "t"}, {"port": 2}],
    "later": UNKNOWN,
    "policy": '{"Statement": [{"Action": "s3:*"}]}',
    "values": "replicas: 3\nimage:\n  tag: v1\n",
}


@pytest.mark.parametrize(
    ("text", "hidden"),
    [
        ("name", ["name"]),
        ("tags", ["tags"]),
        ("tags.*", ["tags.team", 'tags["a.b"]', "tags.none"]),
        ("tags.t*", ["tags.team"]),
        ('tags["a.b"]', ['tags["a.b"]']),
        ("tags.a.b", ['tags["a.b"]']),
        ("rule[1]", ["rule[1]"]),
        ("rule[?].port", ["rule[0].port", "rule[1].port"]),
        ("rule.0.port", ["rule[0].port"]),
        ("*.port", ["rule[0].port", "rule[1].port"]),
        ("policy.Statement*", ["policy"]),
        ("policy.Statement[0].Action", ["policy"]),
        ("values.image.tag", ["values"]),
        ("later", []),
        ("", []),
        ("nam", []),
        ("NAME", []),
        ("rule[7]", []),
        ("*", ["name", "tags", "rule", "policy", "values"]),
    ],
)
def test_an_attribute_is_hidden_with_everything_below(text: str, hidden: list[str]) -> None:
    found = shown(VALUE, Mask(attribute=text))

    assert places(found) == hidden


def places(value: Any, path: tuple[str | int, ...] = ()) -> list[str]:
    """Where an "x" stands."""
    if value == "x":
        return [spelled(path)]
    if not isinstance(value, dict | list):
        return []
    inner = value.items() if isinstance(value, dict) else enumerate(value)
    return [each for key, part in inner for each in places(part, (*path, key))]


@pytest.mark.parametrize(
    ("value", "hidden"),
    [
        ("AKIA1234", True),
        ("a AKIA1234 b", True),
        ('{"k": ["\\u0041KIA1234"]}', True),
        ('{"\\u0041KIA1234": 1}', True),
        ('k:\n  - "\\x41KIA1234"\n', True),
        ("AKIA", False),
        ("", False),
        (True, False),
        (None, False),
    ],
)
def test_a_pattern_hides_the_text_in_which_it_is_found(value: Any, hidden: bool) -> None:
    mask = Mask(pattern=AWS_KEY)

    assert shown({"a": value, "b": 1}, mask) == {"a": "x" if hidden else value, "b": 1}
    assert shown({"a": [1, {"b": value}]}, mask) == {"a": [1, {"b": "x" if hidden else value}]}
    assert shown(value, mask, below=()) == ("x" if hidden else value)
    assert mentions([{"a": value}], [mask]) == hidden


def test_a_pattern_in_a_key_hides_the_map() -> None:
    assert shown({"a": {"AKIA1234": 1}}, Mask(pattern=AWS_KEY)) == {"a": "x"}


def test_a_pattern_is_found_in_numbers() -> None:
    account = Mask(pattern=re.compile("^[0-9]{12}$"))
    long = 10**5000

    assert shown({"a": 123456789012, "b": 1, "c": long}, account) == {"a": "x", "b": 1, "c": long}


def test_a_pattern_with_a_glob_looks_there_and_below() -> None:
    mask = Mask(attribute="tags", pattern=AWS_KEY)
    value = {"name": "AKIA1234", "tags": {"a": ["AKIA1234"], "b": "c"}}

    assert shown(value, mask) == {"name": "AKIA1234", "tags": {"a": ["x"], "b": "c"}}


def test_what_is_a_secret_already_stays_one() -> None:
    secret = Secrets().mark("a")

    assert shown({"a": secret}, Mask()) == {"a": secret}


def test_an_output_is_a_value_and_an_object_has_attributes() -> None:
    assert shown({"a": 1}, Mask(), below=()) == "x"
    assert shown({"a": 1}, Mask()) == {"a": "x"}
    assert shown(None, Mask(attribute="a")) is None


def test_mentions_looks_everywhere_and_for_patterns_only() -> None:
    elsewhere = Mask(address="x.y", attribute="z", pattern=AWS_KEY)

    assert mentions({"a": "AKIA1234"}, [Mask(), elsewhere])
    assert not mentions({"a": "b"}, [Mask(), elsewhere])


CANARY = "CANARY"
TEXTS = st.sampled_from(
    [
        f"{CANARY}-1",
        f"a {CANARY}-2",
        json.dumps({"key": [CANARY]}),
        json.dumps({CANARY: 1}),
        '{"key": "\\u0043ANARY"}',
        f"key: |\n  {CANARY}\n",
        "plain",
        "",
    ]
)
VALUES = st.recursive(
    TEXTS | st.none() | st.integers(0, 3) | st.booleans(),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["a", "b", "key", f"x{CANARY}"]), inner, max_size=3)
    ),
    max_leaves=8,
)
OBJECTS = st.dictionaries(st.sampled_from(["a", "b", "id"]), VALUES, min_size=1)


def a_plan(objects: list[dict[str, Any]], output: Any, import_id: Any, masks: Masks) -> Plan:
    def change(before: Any, after: Any) -> dict[str, Any]:
        return {
            "actions": ["update"],
            "before": before,
            "after": after,
            "before_sensitive": False,
            "after_sensitive": {},
        }

    recorded, real, planned = objects
    importing = {"importing": import_id}
    document = {
        "format_version": "1.2",
        "planned_values": {},
        "resource_changes": [{"address": "m.n", "change": change(real, planned) | importing}],
        "resource_drift": [{"address": "m.n", "change": change(recorded, real)}],
        "deferred_changes": [{"resource_change": {"address": "m.d", "change": change(1, real)}}],
        "output_changes": {"m": change(output, planned)},
        "action_invocations": [
            {"address": "action.m.n", "config_values": real, "config_sensitive": {}}
        ],
        "configuration": {
            "provider_config": {"m": {"expressions": {"a": {"constant_value": output}}}}
        },
    }
    return decode_plan(json.dumps(document).encode(), masks=masks, settings=True)


def decoded(found: Any) -> str:
    """With what strings hold as JSON taken out of its escapes."""
    return repr(found) + repr(found).encode().decode("unicode_escape")


IMPORTS = st.builds(lambda id_: {"id": id_}, TEXTS) | st.builds(
    lambda identity: {"identity": identity}, OBJECTS
)


@settings(max_examples=150, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(OBJECTS, min_size=3, max_size=3), VALUES, IMPORTS)
def test_what_a_pattern_finds_is_in_no_value_of_a_plan(
    objects: list[dict[str, Any]], output: Any, import_id: Any
) -> None:
    plan = a_plan(objects, output, import_id, [Mask(pattern=re.compile(CANARY))])

    assert CANARY not in decoded(plan)
    assert plan.joined[0].entry.kind.value == "update"


@settings(max_examples=150, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(OBJECTS, min_size=3, max_size=3), VALUES, IMPORTS)
def test_what_lies_at_a_masked_place_is_in_no_value_of_a_plan(
    objects: list[dict[str, Any]], output: Any, import_id: Any
) -> None:
    plan = a_plan(objects, output, import_id, [Mask("*m*")])

    assert CANARY not in decoded(replace(plan, settings=()))


@settings(max_examples=100, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(OBJECTS, min_size=3, max_size=3), VALUES, IMPORTS)
def test_a_mask_only_ever_hides_more(
    objects: list[dict[str, Any]], output: Any, import_id: Any
) -> None:
    bare = a_plan(objects, output, import_id, [])
    plan = a_plan(objects, output, import_id, [Mask("m.n", "a"), Mask(pattern=re.compile("AN.R"))])

    assert only_more_hidden(bare.joined[0].entry.after, plan.joined[0].entry.after)
    assert only_more_hidden(bare.outputs[0].before, plan.outputs[0].before)


@settings(max_examples=100, suppress_health_check=[HealthCheck.too_slow])
@given(VALUES, st.sampled_from([None, ()]))
def test_what_a_mask_hides_is_known_before_it_is_hidden(value: Any, below: Any) -> None:
    for masks in (
        [Mask(pattern=re.compile("AN.R"))],
        [Mask(attribute="*a"), Mask(pattern=re.compile("1"))],
        [Mask(attribute="b.*", pattern=re.compile("^C"))],
        [Mask()],
    ):
        taken: list[Any] = []
        masked(value, masks, noted(taken), below=below)

        assert hides_any(value, masks, below=below) is bool(taken)


def noted(taken: list[Any]) -> Callable[[Value], Value]:
    def note(value: Value) -> Value:
        taken.append(value)
        return "x"

    return note


def only_more_hidden(before: Any, after: Any) -> bool:
    if isinstance(after, Sensitive):
        return True
    if isinstance(after, dict):
        return before.keys() == after.keys() and all(
            only_more_hidden(before[key], after[key]) for key in after
        )
    if isinstance(after, list):
        return len(before) == len(after) and all(map(only_more_hidden, before, after))
    return bool(before == after)


@given(st.text("ab*?.", max_size=8), st.text("ab.\n", max_size=8))
def test_a_glob_fits_what_it_would_fit_letter_by_letter(text: str, of: str) -> None:
    assert bool(glob(text).fullmatch(of)) is fits_letter_by_letter(text, of)


def fits_letter_by_letter(text: str, of: str) -> bool:
    if not text:
        return not of
    if text[0] == "*":
        return any(fits_letter_by_letter(text[1:], of[at:]) for at in range(len(of) + 1))
    return bool(of) and text[0] in ("?", of[0]) and fits_letter_by_letter(text[1:], of[1:])


def test_a_glob_with_many_stars_takes_no_longer_than_its_text() -> None:
    # Each star more would take a hundred times as long, were each place tried for each of them.
    assert not glob("*a" * 30 + "b").fullmatch("a" * 5000)
