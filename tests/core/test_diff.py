from __future__ import annotations

import copy
import json
from collections.abc import Sequence
from typing import Any

import pytest
import yaml
from hypothesis import assume, given
from hypothesis import strategies as st

from driftctl_py.core.diff import Difference, differences, spelled
from driftctl_py.core.values import ABSENT, UNKNOWN, Json, Secrets, Value, same
from tests.core.test_values import VALUES
from tests.core.test_yaml_inside import CLOUD_INIT, COMPOSE, DOCUMENTS, HELM, MANIFEST


def found(recorded: Any, real: Any, planned: Any) -> dict[str, tuple[Value, Value, Value]]:
    return {
        spelled(each.path): (each.recorded, each.real, each.planned)
        for each in differences(recorded, real, planned)
    }


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ((), ""),
        (("tags", "team"), "tags.team"),
        (("rule", 0, "to-port"), "rule[0].to-port"),
        (("tags", "kubernetes.io/name"), 'tags["kubernetes.io/name"]'),
        (("a b", 'q"\\'), '["a b"]["q\\"\\\\"]'),
        (("1st",), '["1st"]'),
        (("tags", "ключ"), 'tags["ключ"]'),
    ],
)
def test_a_path_is_spelled_as_in_code(path: Any, words: str) -> None:
    assert spelled(path) == words


def test_objects_and_maps_are_gone_into() -> None:
    assert found(
        {"tags": {"a": 1, "b": 2}, "n": 1},
        {"tags": {"a": 3}, "n": 1},
        {"tags": {"a": 1, "b": 2}, "n": 1},
    ) == {
        "tags.a": (1, 3, 1),
        "tags.b": (2, ABSENT, 2),
    }


def test_an_attribute_that_an_object_lacks_is_null_but_a_key_that_a_map_lacks_is_absent() -> None:
    assert found({"tags": {"a": None}}, {"tags": {}, "n": None}, {"tags": {}}) == {
        "tags.a": (None, ABSENT, ABSENT)
    }


def test_an_object_that_is_not_there_has_only_nulls() -> None:
    assert found(None, None, {"a": 1, "b": None}) == {"a": (None, None, 1)}
    assert found(None, None, None) == {}


def test_what_is_no_object_is_one_place() -> None:
    secrets = Secrets()
    one, other = secrets.mark({"a": 1}), secrets.mark({"a": 2})

    assert found(one, one, other) == {"": (one, one, other)}
    assert found(one, one, one) == {}
    assert found({"a": 1}, [1], [1]) == {"": ({"a": 1}, [1], [1])}


def test_a_map_against_null_is_one_place() -> None:
    assert found({"tags": None}, {"tags": {}}, {"tags": None}) == {"tags": (None, {}, None)}


def test_elements_are_compared_by_position_where_none_moved() -> None:
    before = {"rules": [{"port": 1}, {"port": 2}]}
    after = {"rules": [{"port": 1}, {"port": 3}]}

    assert found(before, before, after) == {"rules[1].port": (2, 2, 3)}
    assert found({"l": [[1], [2]]}, {"l": [[1], [2]]}, {"l": [[1], [3]]}) == {
        "l[1]": ([2], [2], [3])
    }


def test_a_list_that_grew_and_changed_is_compared_by_position() -> None:
    before = [{"port": 1}, {"port": 2}]
    after = [{"port": 1}, {"port": 3}, {"port": 4}]

    assert found({"l": before}, {"l": before}, {"l": after}) == {
        "l[1].port": (2, 2, 3),
        "l[2]": (ABSENT, ABSENT, {"port": 4}),
    }
    assert found({"l": after}, {"l": before}, {"l": before}) == {
        "l[1].port": (3, 2, 2),
        "l[2]": ({"port": 4}, ABSENT, ABSENT),
    }


def test_a_rule_changed_outside_is_told_from_one_that_the_code_adds() -> None:
    recorded = [{"port": 1}, {"port": 2}]
    real = [{"port": 1}, {"port": 9}]
    planned = [{"port": 1}, {"port": 2}, {"port": 3}]

    assert found({"l": recorded}, {"l": real}, {"l": planned}) == {
        "l[1].port": (2, 9, 2),
        "l[2]": (ABSENT, ABSENT, {"port": 3}),
    }


def test_elements_have_to_stay_in_place_in_all_three() -> None:
    recorded, real, planned = [[1], [2]], [[8], [9]], [[2], [1]]

    assert found({"l": recorded}, {"l": recorded}, {"l": real}) != {"l": (recorded, recorded, real)}
    assert found({"l": recorded}, {"l": real}, {"l": planned}) == {"l": (recorded, real, planned)}


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ([{"port": 1}, {"port": 2}], [{"port": 2}, {"port": 3}]),
        ([{"port": 1}], [{"port": 1}, {"port": 2}]),
        ([{"port": 1}, {"port": 2}], [{"port": 1}]),
        ([{"port": 1}, {"port": 2}], [{"port": 3}, {"port": 1}, {"port": 2}]),
        ([], [{"port": 1}]),
        ([1, 2], [1, 3]),
        (["a"], "a"),
    ],
)
def test_lists_whose_elements_moved_or_have_no_parts_are_one_place(one: Any, other: Any) -> None:
    assert found({"l": one}, {"l": one}, {"l": other}) == {"l": (one, one, other)}


def test_json_in_strings_is_gone_into() -> None:
    before = '{"Statement":[{"Effect":"Allow","Action":"x"}],"Version":1}'
    after = '{"Version":1, "Statement":[{"Action":"x","Effect":"Deny"}]}'

    (place,) = differences({"policy": before}, {"policy": before}, {"policy": after})

    assert place == Difference(
        ("policy", "Statement", 0, "Effect"), "Allow", "Allow", "Deny", in_json=True
    )


def test_json_in_json_is_one_place() -> None:
    (place,) = differences({"p": '{"a":"{\\"b\\":1}"}'}, None, None)
    assert not place.in_json
    (place,) = differences(*({"p": f'{{"a":"{{\\"b\\":{n}}}"}}'} for n in (1, 1, 2)))

    assert place == Difference(("p", "a"), '{"b":1}', '{"b":1}', '{"b":2}', in_json=True)


@pytest.mark.parametrize(
    "texts",
    [
        # Recorded and real hold the same in another spelling: that must not get lost.
        ('{"a":1}', '{"a": 1}', '{"a":2}'),
        ('{"a":1}', '{"a":2}', '{"a": 2}'),
        ('{"a":1}', '{"a":2}', '{"a": 1}'),
        ('{"a":1}', "plain", '{"a":1}'),
    ],
)
def test_json_strings_whose_spelling_differs_are_one_place(texts: tuple[str, str, str]) -> None:
    assert found(*({"p": text} for text in texts)) == {"p": texts}


@pytest.mark.parametrize(
    ("text", "old", "new", "path", "values"),
    [
        (CLOUD_INIT, "- nginx", "- caddy", "v.packages", (["nginx", "on"], ["caddy", "on"])),
        (CLOUD_INIT, "0644", "0600", "v.write_files[0].permissions", ("0644", "0600")),
        (MANIFEST, "replicas: 3", "replicas: 5", "v.spec.replicas", (3, 5)),
        (
            MANIFEST,
            "500m",
            "250m",
            "v.spec.template.spec.containers[0].resources.limits.cpu",
            ("500m", "250m"),
        ),
        (HELM, "enabled: false", "enabled: true", "v.autoscaling.enabled", (False, True)),
        (HELM, "affinity:", "affinity: {}", "v.affinity", (None, {})),
        (
            COMPOSE,
            "postgres:16",
            "postgres:17",
            "v.services.db.image",
            ("postgres:16", "postgres:17"),
        ),
    ],
)
def test_yaml_in_strings_is_gone_into(
    text: str, old: str, new: str, path: str, values: tuple[Value, Value]
) -> None:
    before, after = {"v": text}, {"v": text.replace(old, new, 1)}

    (place,) = differences(before, before, after)
    assert spelled(place.path) == path
    assert (place.recorded, place.real, place.planned) == (values[0], *values)
    assert place.in_yaml
    assert not place.in_json
    assert place.in_string


def test_three_versions_of_yaml_are_compared_at_once() -> None:
    texts = [
        {"v": f"replicas: {n}\nimage: {image}\n"} for n, image in ((1, "a"), (2, "a"), (1, "b"))
    ]

    assert found(*texts) == {"v.image": ("a", "a", "b"), "v.replicas": (1, 2, 1)}


@pytest.mark.parametrize(
    "texts",
    [
        # A comment, and the same in another spelling, are what the engine would apply.
        ("#cloud-config\na: 1\n", "#cloud-config\na: 1\n", "# cloud-config\na: 2\n"),
        ("a: 1\n", "a:  1\n", "a: 2\n"),
        ("a: x\n", "a: 'x'\n", "a: y\n"),
        ("a: x\n", "a: x\n", "a: x"),
        ("a: 1\n", "plain\n", "a: 2\n"),
        ("a: 1\n", '{"a":1}', "a: 1\n"),
    ],
)
def test_texts_of_which_the_yaml_does_not_tell_all_are_one_place(
    texts: tuple[str, str, str],
) -> None:
    assert found(*({"v": text} for text in texts)) == {"v": texts}


def test_json_and_yaml_are_gone_into_once() -> None:
    inner = [f"a: 1\nb: {n}\n" for n in (1, 2)]
    in_yaml = [
        {"v": yaml.safe_dump({"in": text, "json": f"[{n}]"})} for n, text in enumerate(inner)
    ]
    in_json = [{"v": f'{{"in": "a: 1\\nb: {n}\\n"}}'} for n in (1, 2)]

    assert found(in_yaml[0], in_yaml[0], in_yaml[1]) == {
        "v.in": (inner[0], inner[0], inner[1]),
        "v.json": ("[0]", "[0]", "[1]"),
    }
    assert found(in_json[0], in_json[0], in_json[1]) == {"v.in": (inner[0], inner[0], inner[1])}


def test_something_unknown_is_a_difference_even_to_itself() -> None:
    assert found({"a": 1}, {"a": 1}, {"a": UNKNOWN}) == {"a": (1, 1, UNKNOWN)}
    assert found({"a": [1, 2]}, {"a": [1, 2]}, {"a": [1, UNKNOWN]}) == {
        "a": ([1, 2], [1, 2], [1, UNKNOWN])
    }


@given(VALUES, VALUES, VALUES)
def test_there_is_a_difference_exactly_where_the_three_are_not_the_same(
    one: Value, two: Value, three: Value
) -> None:
    sides = tuple({"v": each} for each in (one, two, three))
    places = list(differences(*sides))

    assert bool(places) == (not (same(one, two) and same(two, three)))
    for place in places:
        assert not (same(place.recorded, place.real) and same(place.real, place.planned))
    assert len({place.path for place in places}) == len(places)


OBJECTS = st.fixed_dictionaries({"name": st.sampled_from("abc"), "port": st.integers(1, 3)})
LISTS = st.lists(OBJECTS | st.lists(OBJECTS, max_size=2) | st.integers(0, 2), max_size=4)


@given(VALUES | LISTS, VALUES | LISTS)
def test_applying_the_places_to_one_value_makes_the_other_of_it(old: Value, new: Value) -> None:
    places = list(differences({"v": old}, {"v": old}, {"v": new}))
    assume(not any(place.in_string for place in places))

    assert same(applied({"v": old}, places), {"v": new})


@given(DOCUMENTS, DOCUMENTS, st.booleans())
def test_applying_the_places_to_one_text_makes_what_the_other_holds(
    old: Json, new: Json, as_yaml: bool
) -> None:
    texts = [f"---\n{yaml.safe_dump(each)}" if as_yaml else json.dumps(each) for each in (old, new)]
    places = list(differences(*({"v": texts[at]} for at in (0, 0, 1))))

    assert bool(places) == (texts[0] != texts[1])
    if any(place.in_string for place in places):
        assert all(place.in_yaml == as_yaml != place.in_json for place in places)
        assert same(applied({"v": old}, places), {"v": new})


def applied(old: Any, places: Sequence[Difference]) -> Any:
    """``old`` with what is planned at each of the places."""
    result = {"": copy.deepcopy(old)}
    # From the end, so that no position moves before it is used.
    gone = [place for place in reversed(places) if place.planned is ABSENT]
    for place in (*gone, *(each for each in places if each.planned is not ABSENT)):
        *way, last = ("", *place.path)
        inner: Any = result
        for step in way:
            inner = inner[step]
        if place.planned is ABSENT:
            del inner[last]
        elif isinstance(inner, list) and last == len(inner):
            inner.append(place.planned)
        else:
            inner[last] = place.planned
    return result[""]
