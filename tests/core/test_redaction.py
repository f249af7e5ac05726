from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from driftctl_py.core.masks import Mask
from driftctl_py.core.redaction import hide_alike, hides_anything, redact, with_unknown
from driftctl_py.core.values import UNKNOWN, Secrets, Sensitive, Value, has_sensitive


def redacted(value: Any, own: Any, *others: Any) -> Value:
    return redact([(value, own), *((None, other) for other in others)], Secrets())[0]


def test_what_is_marked_is_taken_out_and_nothing_else() -> None:
    found = redacted(
        {"user": "ada", "password": "CANARY", "list": [{"a": 1, "key": "CANARY"}, {"a": 2}]},
        {"password": True, "list": [{"key": True}, {}]},
    )

    assert isinstance(found, dict)
    assert found["user"] == "ada"
    assert isinstance(found["password"], Sensitive)
    assert found["list"][1] == {"a": 2}
    assert isinstance(found["list"][0]["key"], Sensitive)
    assert "CANARY" not in repr(found)


@pytest.mark.parametrize("nothing", [None, False, {}, []])
@pytest.mark.parametrize("value", [None, "x", 1, [1, {"a": 2}], {"a": [1]}])
def test_an_empty_mirror_hides_nothing(value: Any, nothing: Any) -> None:
    assert redacted(value, nothing, nothing) == value


@pytest.mark.parametrize(
    ("value", "own"),
    [
        ("CANARY", True),
        ("CANARY", {"a": False}),
        ("CANARY", [False]),
        ("CANARY", "false"),
        ("CANARY", 1),
        ("CANARY", 0),
        (["CANARY"], {"a": True}),
        (["CANARY"], {"a": False}),
        ({"a": "CANARY"}, [True]),
        # An element that the mirror does not reach.
        (["x", "CANARY"], [False]),
        (None, True),
        (None, "true"),
    ],
)
def test_a_mirror_that_does_not_fit_hides_all(value: Any, own: Any) -> None:
    found = redacted(value, own)

    assert "CANARY" not in repr(found)
    assert has_sensitive(found)


def test_what_another_snapshot_hides_is_hidden_here() -> None:
    before = {"password": "CANARY", "user": "ada"}

    assert "CANARY" not in repr(redacted(before, {}, {"password": True}))
    assert "CANARY" not in repr(redacted(before, False, True))
    assert "ada" in repr(redacted(before, {}, {"password": True}, {"other": True}))


def test_what_another_snapshot_hides_in_one_element_is_hidden_in_every_one() -> None:
    # A set is spelled as a list: the same element may stand elsewhere.
    assert "CANARY" not in repr(redacted(["x", "CANARY"], [False, False], [True, False]))
    found = redacted([{"name": "x", "key": "CANARY"}], [{}], [{}, {"key": True}])
    assert "CANARY" not in repr(found)
    assert "x" in repr(found)


@pytest.mark.parametrize(
    "others",
    [
        # One says a map, one a list: no telling which members are meant.
        ({"a": True}, [True]),
        ([{"a": True}], [[True]]),
        ({"a": True}, True),
        ("true",),
    ],
)
def test_other_snapshots_that_disagree_hide_all(others: Any) -> None:
    assert "CANARY" not in repr(redacted([{"b": "CANARY"}], False, *others))


@pytest.mark.parametrize("value", ["CANARY", ["CANARY"], {"b": "CANARY"}])
@pytest.mark.parametrize("theirs", [{"a": True}, [True]])
def test_another_shape_on_the_other_side_hides_all_but_members_that_fit(
    value: Any, theirs: Any
) -> None:
    found = redacted(value, False, theirs)

    fits = isinstance(value, dict) and isinstance(theirs, dict)
    assert ("CANARY" in repr(found)) == fits


def test_null_in_place_of_a_container_holds_no_secret() -> None:
    assert redacted(None, False, {"a": True}) is None
    assert redacted(None, {"a": True}) is None
    assert redacted(UNKNOWN, {"a": True}) is UNKNOWN
    assert isinstance(redacted(None, False, True), Sensitive)


def test_unknown_places_are_marked_where_they_are_missing() -> None:
    found = with_unknown(
        {"name": "web", "rules": [{"port": 1}, None], "tags": {}},
        {
            "id": True,
            "rules": [{"id": True}, True],
            "tags": {},
            "known": False,
            "deep": {"a": True},
        },
    )

    assert found == {
        "name": "web",
        "rules": [{"port": 1, "id": UNKNOWN}, UNKNOWN],
        "tags": {},
        "id": UNKNOWN,
        "deep": UNKNOWN,
    }


@pytest.mark.parametrize("nothing", [None, False, {}, [False], {"a": {"b": False}}])
def test_a_known_value_stays_as_it_is(nothing: Any) -> None:
    assert with_unknown({"a": 1}, nothing) == {"a": 1}


@pytest.mark.parametrize(
    ("value", "mirror"),
    [("x", True), ("x", {"a": True}), ([1], [True, True]), ({"a": 1}, [True]), ("x", "odd")],
)
def test_an_unknown_mirror_that_does_not_fit_makes_all_unknown(value: Any, mirror: Any) -> None:
    assert with_unknown(value, mirror) is UNKNOWN


def test_mirrors_are_compared_by_what_they_hide() -> None:
    assert hide_alike(False, {"tags": {}, "list": [False]})
    assert hide_alike({"a": True, "b": False}, {"a": True})
    assert not hide_alike({"a": True}, {"b": True})
    assert not hides_anything({"a": [False, {}]})


def test_an_echo_of_a_secret_elsewhere_in_the_object_is_hidden() -> None:
    before = {"input": "CANARY-1", "output": "url://CANARY-1@host", "map": {"CANARY-1": 1}, "n": 1}
    after = {"input": "CANARY-2", "list": ["x", "was CANARY-1"], "output": "fine", "n": 2}

    found = redact([(before, {"input": True}), (after, {"input": True})], Secrets())

    assert "CANARY" not in repr(found)
    assert found[1]["output"] == "fine"  # type: ignore[index,call-overload]  # a mapping
    assert found[1]["n"] == 2  # type: ignore[index,call-overload]  # a list of maps


def test_short_secrets_do_not_hide_what_holds_them_by_chance() -> None:
    found = redacted({"tag": "prod", "bucket": "assets-prod", "n": [1]}, {"tag": True, "n": True})

    assert isinstance(found, dict)
    assert found["bucket"] == "assets-prod"


TREES = st.recursive(
    st.just("CANARY") | st.integers(0, 9) | st.none(),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("abc"), inner, max_size=3)
    ),
    max_leaves=10,
)


def mirror_of(value: Any) -> Any:
    """As an engine writes it: true where the canary is."""
    if isinstance(value, dict):
        return {key: mirror_of(each) for key, each in value.items() if mirror_of(each)}
    if isinstance(value, list):
        return [mirror_of(each) or False for each in value]
    return value == "CANARY"


JUNK = st.recursive(
    st.booleans() | st.none() | st.text(max_size=2) | st.integers(0, 1),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("abc"), inner, max_size=3)
    ),
    max_leaves=6,
)


@given(TREES, st.lists(JUNK, max_size=2))
def test_no_canary_gets_past_its_own_mirror(value: Any, others: list[Any]) -> None:
    assert "CANARY" not in repr(redacted(value, mirror_of(value), *others))


@given(TREES, JUNK)
def test_no_canary_gets_past_another_snapshot_of_the_same_value(value: Any, own: Any) -> None:
    assert "CANARY" not in repr(redacted(value, own, mirror_of(value)))


@given(TREES, JUNK, JUNK)
def test_redaction_only_ever_hides(value: Any, own: Any, other: Any) -> None:
    def check(before: Any, after: Any) -> None:
        if isinstance(after, Sensitive):
            return
        assert type(before) is type(after)
        if isinstance(before, dict):
            assert before.keys() == after.keys()
            for key, each in before.items():
                check(each, after[key])
        elif isinstance(before, list):
            for pair in zip(before, after, strict=True):
                check(*pair)
        else:
            assert before == after

    check(value, redacted(value, own, other))


def echoes(secret: Any, **others: Any) -> dict[str, Any]:
    """What is left of ``others`` in an object that holds ``secret`` as well."""
    found = redacted({"key": secret, **others}, {"key": True})
    assert isinstance(found, dict)
    assert isinstance(found.pop("key"), Sensitive)
    return dict(found)


@pytest.mark.parametrize(
    "echo",
    [
        "hunter2-hunter2",
        "a hunter2-hunter2 b",
        ["x", {"y": "hunter2-hunter2"}],
        {"hunter2-hunter2": "x"},
        '{"a": "hunter2-hunter2"}',
        '{"a": ["\\u0068unter2-hunter2"]}',
        '{"\\u0068unter2-hunter2": 1}',
    ],
)
def test_an_echo_is_hidden_wherever_it_is(echo: Any) -> None:
    found = echoes("hunter2-hunter2", other=echo, name="ada")

    assert "unter2" not in repr(found)
    assert has_sensitive(found["other"])
    assert found["name"] == "ada"


@pytest.mark.parametrize(
    ("secret", "echo"),
    [
        ('quote"and\\more', '{"a": "quote\\"and\\\\more"'),
        ("<angle & more>", '[{"a": "\\u003cangle \\u0026 more\\u003e"'),
        ("f\u00fcr Ada", 'x: "f\\u00fcr Ada"'),
        ("it's a secret", "a: 'it''s a secret'"),
        ("-----BEGIN-----\nMIIEvQIBADANBgkq", "k: |\n  -----BEGIN-----\n  MIIEvQIBADANBgkq\n"),
        ('{"user": "ada", "password": "hunter2-hunter2"}', "password=hunter2-hunter2"),
    ],
)
def test_an_echo_in_another_spelling_is_hidden(secret: str, echo: str) -> None:
    assert isinstance(echoes(secret, other=echo)["other"], Sensitive)


def test_what_is_like_a_secret_by_chance_stays() -> None:
    # Too short, and the short lines of a longer text.
    assert echoes("prod", other="prod-web") == {"other": "prod-web"}
    script = "#!/bin/bash\nset -e\nexport PASSWORD=hunter2-hunter2"
    assert echoes(script, other="#!/bin/bash\nset -e") == {"other": "#!/bin/bash\nset -e"}


def test_a_name_of_the_schema_is_no_echo() -> None:
    assert echoes("password", password_length=16, map={"a": "x"}) == {
        "password_length": 16,
        "map": {"a": "x"},
    }


def test_a_key_of_an_output_is_an_echo() -> None:
    value = [{"hunter2-hunter2": 1}, "hunter2-hunter2", 3]
    (found,) = redact([(value, [False, True, False])], Secrets(), is_object=False)

    assert isinstance(found, list)
    assert "hunter2" not in repr(found)


def test_an_object_that_is_hidden_whole_has_no_echoes() -> None:
    before, after = redact([("hunter2-hunter2", True), ("say hunter2-hunter2", None)], Secrets())

    assert isinstance(before, Sensitive)
    assert isinstance(after, Sensitive)


def test_what_a_mask_hides_is_hidden_where_it_is_echoed() -> None:
    value = {"tags": {"team": "analytical"}, "tags_all": {"team": "analytical"}, "n": 1}
    (found,) = redact([(value, {})], Secrets(), [Mask(attribute="tags.team")])

    assert "analytical" not in repr(found)
    assert isinstance(found, dict)
    assert found["n"] == 1


@pytest.mark.parametrize(
    "secret", [4111111111111111, Decimal("1234.5"), "8471", {"hunter2hunter2": "x"}, [1, 2]]
)
def test_what_is_the_same_as_a_secret_as_a_whole_repeats_it(secret: Any) -> None:
    value = {"input": secret, "output": secret, "deep": [{"in": secret}], "other": "plain"}

    (found,) = redact([(value, {"input": True})], Secrets())

    assert isinstance(found, dict)
    assert isinstance(found["output"], Sensitive)
    assert isinstance(found["deep"][0]["in"], Sensitive)
    assert found["other"] == "plain"


@pytest.mark.parametrize("common", [True, None, 2, "no", [], {}])
def test_what_is_everywhere_repeats_no_secret(common: Any) -> None:
    (found,) = redact([({"a": common, "b": common}, {"a": True})], Secrets())

    assert isinstance(found, dict)
    assert found["b"] == common


@pytest.mark.parametrize(
    ("secret", "echo"),
    [
        ({"hunter2-hunter2": 1}, "key is hunter2-hunter2"),
        ({"hunter2-hunter2": 1}, {"hunter2-hunter2": 2}),
        ([{"deep": {"hunter2-x": "y"}}], "was hunter2-x"),
        ([{"hunter2-hunter2": 1}], "key is hunter2-hunter2"),
        ({"hunter": 1}, "hunter"),
        ({"pin": 84718471}, "pin=84718471"),
        ({"pin": 847184}, 847184),
        (84718471, "pin=84718471"),
        ("8471", 8471),
        ("84718471", 84718471),
        ({"a": "hunt"}, "hunt"),
        ('{"hunter2-hunter2": 1}', "key is hunter2-hunter2"),
        ("user: ada\npassword: hunter2x\n", "url://hunter2x@host"),
        ("a:\n  - b: 'hunter2x'\n", "url://hunter2x@host"),
        ('users: {hunter2x: "x"}\nb: 1\n', "was hunter2x"),
        ('a: "hunter\\x32x"\nb: 1\n', "was hunter2x"),
        ("set -e\nexport PASSWORD='hunter2x'\n", "url://hunter2x@host"),
        ("USER=ada\nPASSWORD=hunter2x;\n", "was hunter2x"),
        ("PASSWORD=hunter2x", "was hunter2x"),
        ("[db]\npassword = hunter 2x\n", "was hunter 2x"),
        ("hunter2x\nhunter3x\n", "was hunter3x"),
        ("PASSWORD=hunt\nUSER=ada", "hunt"),
    ],
)
def test_a_part_of_a_secret_is_hidden_where_it_is_echoed(secret: Any, echo: Any) -> None:
    assert isinstance(echoes(secret, other=echo)["other"], Sensitive)


@pytest.mark.parametrize(
    ("secret", "other"),
    [
        # What one secret in a set of blocks makes of all of them, and a block of another kind.
        (
            [{"volume_size": 20, "delete_on_termination": True, "iops": 3000}],
            [{"volume_size": 30, "delete_on_termination": True, "iops": 3000}],
        ),
        ({"name": 1}, "its name"),
        ({"a": 8471}, 8471),
        ("# PASSWORD=\n//comment\nset -e", "PASSWORD= //comment set -e"),
        ("USER=ada\nset -e\n", "ada"),
        ("PASSWORD=hunt", "hunting"),
        (True, 1),
        ([1.5], 1234567),
    ],
)
def test_a_part_that_is_found_elsewhere_by_chance_hides_nothing(secret: Any, other: Any) -> None:
    assert echoes(secret, other=other)["other"] == other


def test_a_text_within_a_document_is_not_taken_for_yaml_again() -> None:
    text = "a: 1\n"
    for _ in range(40):
        text = "x: |\n" + "".join(f"  {line}\n" for line in text.splitlines())

    assert echoes(text, other="plain") == {"other": "plain"}
