from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given

from driftctl_py.core.diff import Difference, differences, spelled
from driftctl_py.core.values import ABSENT, UNKNOWN, Secrets, Value, same
from tests.core.test_values import VALUES


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


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ([{"port": 1}, {"port": 2}], [{"port": 2}, {"port": 3}]),
        ([{"port": 1}], [{"port": 1}, {"port": 2}]),
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
