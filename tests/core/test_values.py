from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from driftctl_py.core.values import (
    ABSENT,
    DEEPEST,
    UNKNOWN,
    Secrets,
    Sensitive,
    Value,
    deeper_than,
    equivalent,
    exact_key,
    has_sensitive,
    has_unknown,
    json_inside,
    may_be_same,
    same,
)

VALUES: st.SearchStrategy[Value] = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.decimals(allow_nan=False, allow_infinity=False)
    | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=4), inner),
    max_leaves=12,
)


@given(VALUES, VALUES)
def test_the_same_is_equivalent_and_may_be_the_same(one: Value, other: Value) -> None:
    assert same(one, one)
    assert same(one, other) == same(other, one)
    assert equivalent(one, other) == equivalent(other, one)
    assert not same(one, other) or (equivalent(one, other) and may_be_same(one, other))
    # Without anything unknown there is nothing that could turn out otherwise.
    assert may_be_same(one, other) == same(one, other)


# Few of them, so that two are often the same, and all that Python and JSON see differently.
TELLTALES: st.SearchStrategy[Value] = st.recursive(
    st.sampled_from(
        [
            *(None, True, False, 0, 1, 1.0, Decimal("1.0"), Decimal(0), "", "1"),
            *(UNKNOWN, ABSENT, Sensitive(0, 0), Sensitive(1, 0), Sensitive(2, 1, unknown=True)),
        ]
    ),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.lists(inner, max_size=3).map(tuple)
        | st.dictionaries(st.sampled_from("ab"), inner)
    ),
    max_leaves=6,
)


@settings(max_examples=1000)
@given(TELLTALES, TELLTALES)
def test_two_values_are_the_same_exactly_when_they_have_one_key(one: Value, other: Value) -> None:
    assert same(one, other) == (exact_key(one) == exact_key(other) and not has_unknown(one))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (True, 1),
        (False, 0),
        (0, None),
        ("1", 1),
        ("", None),
        ({}, []),
        (ABSENT, None),
        (12345678901234567890, 12345678901234567891),
        ([1, 2], [2, 1]),
        ({"a": None}, {}),
    ],
)
def test_what_the_engine_tells_apart_is_not_the_same(one: Value, other: Value) -> None:
    assert not same(one, other)


def test_a_number_is_the_same_however_it_is_written() -> None:
    assert same(1, Decimal("1.0"))
    assert same([Decimal("1E+2")], [100])


@pytest.mark.parametrize("nothing", [None, {}, [], ""])
def test_the_spellings_of_nothing_are_equivalent(nothing: Value) -> None:
    assert equivalent(nothing, None)
    assert equivalent({"tags": nothing, "n": 1}, {"n": 1, "tags": {}})
    assert equivalent([nothing], [None])


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (False, None),
        (0, None),
        (ABSENT, None),
        # A tag without a value is a tag.
        ({"a": ""}, {}),
        ({"a": None}, {}),
        ([None], []),
        # Sets and lists cannot be told apart.
        ([1, 2], [2, 1]),
        # Who reads the JSON may tell null from {}.
        ('{"a":null}', '{"a":{}}'),
        ('{"a":1,"a":2}', '{"a":2}'),
        ("{}", None),
        ("x", "y"),
    ],
)
def test_what_could_matter_is_not_equivalent(one: Value, other: Value) -> None:
    assert not equivalent(one, other)


def test_json_strings_are_equivalent_when_they_hold_the_same() -> None:
    assert equivalent('{"a":1,"b":[2]}', ' {"b": [2.0], "a": 1}\n')
    assert not same('{"a":1,"b":2}', '{"b":2,"a":1}')


@pytest.mark.parametrize(
    "text",
    [
        "plain",
        "17",
        '"text"',
        "{not json}",
        '{"a":1} junk',
        '{"a":1,"a":2}',
        "[NaN]",
        '["half a character: \\ud800"]',
        "[1e99999999999999999999]",
        "[" * 100_000,
        "[" * (DEEPEST + 1) + "]" * (DEEPEST + 1),
        f"[{'1' * 5000}]",
    ],
)
def test_only_whole_and_harmless_objects_and_lists_are_json_inside(text: str) -> None:
    assert json_inside(text) is None


def test_json_inside_is_exact() -> None:
    assert json_inside('\n[12345678901234567891, 0.1, {"a": null}]') == [
        12345678901234567891,
        Decimal("0.1"),
        {"a": None},
    ]


def test_something_unknown_is_the_same_as_nothing_and_may_be_anything() -> None:
    partly: Value = {"a": 1, "list": ["x", UNKNOWN]}

    assert not same(UNKNOWN, UNKNOWN)
    assert not equivalent(partly, partly)
    assert has_unknown(partly)
    assert may_be_same(UNKNOWN, {"any": "thing"})
    assert may_be_same(partly, {"a": 1, "list": ["x", "y"]})
    assert not may_be_same(partly, {"a": 2, "list": ["x", "y"]})
    assert not may_be_same(partly, {"a": 1})
    assert not may_be_same(partly, {"a": 1, "list": ["x"]})
    assert not may_be_same(["x", UNKNOWN], "xy")
    assert not may_be_same(None, "xy")
    assert not may_be_same([UNKNOWN], {})


def test_secrets_are_told_apart_without_being_kept() -> None:
    secrets = Secrets()
    first, again, other = (secrets.mark(each) for each in ("canary", "canary", "canary2"))
    null, empty = secrets.mark(None), secrets.mark("")

    assert same(first, again)
    assert not same(first, other)
    assert not equivalent(first, other)
    assert not same(null, empty)
    assert equivalent(null, empty)
    assert "canary" not in repr([first, again, other])
    assert has_sensitive({"a": [first]})
    assert not has_sensitive({"a": ["plain", 1]})


def test_a_secret_that_is_partly_unknown_may_be_any_other() -> None:
    secrets = Secrets()
    partly = secrets.mark({"user": "ada", "password": UNKNOWN})

    assert isinstance(partly, Sensitive)
    assert has_unknown(partly)
    assert not same(partly, partly)
    assert may_be_same(partly, secrets.mark("anything"))


def test_marks_and_secrets_are_not_hidden_again() -> None:
    secrets = Secrets()
    once = secrets.mark("canary")

    assert secrets.mark(UNKNOWN) is UNKNOWN
    assert secrets.mark(once) is once


def test_depth_is_counted_in_levels() -> None:
    assert not deeper_than([{"a": 1}], 2)
    assert deeper_than([{"a": 1}], 1)
    assert deeper_than({"a": []}, 1)
    assert not deeper_than("text", 0)


def test_a_key_seals_each_secret_once() -> None:
    secrets, again, other = Secrets(b"key"), Secrets(b"key"), Secrets(b"other")
    values: list[Value] = ["a", {"b": 1}, "a", [UNKNOWN, "b"]]
    marks = [secrets.mark(each) for each in values]
    again.mark({"b": 1.0})
    other.mark("a")

    assert [mark.exactly for mark in marks if isinstance(mark, Sensitive)] == [0, 1, 0, 2]
    assert len(set(secrets.seals)) == 3
    assert again.seals == (secrets.seals[1],)
    assert other.seals != secrets.seals[:1]


@pytest.mark.parametrize("key", [None, b""])
def test_without_a_key_nothing_is_sealed(key: bytes | None) -> None:
    secrets = Secrets(key)
    secrets.mark("a")

    assert secrets.seals == ()
    assert secrets.seal("a") == ""


def test_a_secret_that_holds_secrets_is_sealed_by_their_seals() -> None:
    def sealed(text: str) -> str:
        secrets = Secrets(b"key")
        secrets.mark([secrets.mark(text)])
        return secrets.seals[-1]

    assert sealed("a") == sealed("a")
    assert sealed("a") != sealed("b")
