from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st

from driftctl_py.core.check import Verdict
from driftctl_py.core.result import Item, Result
from driftctl_py.core.result_json import MOST_BYTES, encode_result, read_result
from driftctl_py.errors import ArtifactError
from tests.core.result_examples import BUCKET, DATABASE, EVERYTHING, FAILED, REFUSED, result

SCHEMA = json.loads((Path(__file__).parents[2] / "docs/result.schema.json").read_text())
VALIDATOR = jsonschema.Draft202012Validator(SCHEMA)


def document(of: Result = EVERYTHING, /, **changed: Any) -> Any:  # Any: JSON
    return json.loads(encode_result(of)) | changed


def why(document: object) -> str:
    """What is wrong with it."""
    read = read_result(json.dumps(document).encode())
    assert isinstance(read, str), read
    return read


@pytest.mark.parametrize("example", [EVERYTHING, FAILED, REFUSED, result()])
def test_what_is_written_is_what_is_read(example: Result) -> None:
    data = encode_result(example)

    assert read_result(data) == example
    assert data.count(b"\n") == 1
    VALIDATOR.validate(json.loads(data))


def test_the_schema_is_one_and_closed() -> None:
    VALIDATOR.check_schema(SCHEMA)
    with pytest.raises(jsonschema.ValidationError):
        VALIDATOR.validate(document(more=1))


def test_the_schema_asks_for_every_key() -> None:
    for key in document():
        found = document()
        del found[key]

        assert not VALIDATOR.is_valid(found), key
        assert "damaged" in why(found)


def test_a_newer_version_is_told_from_damage() -> None:
    assert "version 2, and this driftctl-py knows 1" in why({"schema_version": 2})
    assert "another document" in why(document(document="affected"))
    assert "damaged" in why(document(schema_version=0))


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"{",
        b"[]",
        b"null",
        b"\xff\xfe",
        b'{"schema_version": NaN}',
        b"[" * 100_000,
        b'{"schema_version":' + b'{"a":' * 100_000,
        encode_result(EVERYTHING)[:-20],
        encode_result(EVERYTHING).replace(b'"line":12', b'"line":1e999'),
        encode_result(EVERYTHING).replace(b"2.5", b"NaN"),
        encode_result(EVERYTHING).replace(b"A reason.", b"\xff"),
        encode_result(EVERYTHING).replace(b"A reason.", rb"\ud800"),
    ],
)
def test_what_is_no_json_of_ours_is_unreadable(data: bytes) -> None:
    read = read_result(data)

    assert isinstance(read, str)
    assert read.isprintable()
    assert len(read) < 300


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("environment", ""),
        ("environment", 3),
        ("environment", "a\nb"),
        ("environment", "x" * 5001),
        ("path", "../prod"),
        ("path", "/etc"),
        ("path", "a/../../b"),
        ("occasion", "merge"),
        ("status", "fine"),
        ("state", "wonderful"),
        ("finished_at", "yesterday"),
        ("finished_at", "2026-11-24T12:00:00"),
        ("finished_at", "0001-01-01T00:00:00+23:00"),
        ("finished_at", "0001-01-01T00:00:00Z"),
        ("finished_at", "9999-12-31T23:59:59-23:00"),
        ("duration_seconds", -1),
        ("duration_seconds", "1"),
        ("drifted", -1),
        ("drifted", True),
        ("totals", {"add": 1}),
        ("items", {}),
        ("gate", {"standing": "perhaps", "lines": [], "needs": "", "todo": ""}),
        ("more", 1),
    ],
)
def test_what_no_result_says_makes_it_unreadable(key: str, value: object) -> None:
    assert why(document(EVERYTHING, **{key: value})).isprintable()


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("action", "explode"),
        ("cause", "fate"),
        ("destroys", False),
        ("file", "../../etc/passwd"),
        ("file", "/etc/passwd"),
        ("file", "a/../../b.tf"),
        ("file", "a//b.tf"),
        ("file", "a\\b.tf"),
        ("file", "a\nb.tf"),
        ("file", "."),
        ("file", ".."),
        ("file", ""),
        ("line", 0),
        ("line", -3),
        ("lines", []),
        ("address", ""),
    ],
)
def test_an_object_that_lies_makes_it_unreadable(key: str, value: object) -> None:
    found = document()
    found["items"][0][key] = value

    assert why(found).isprintable()


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("url", "javascript:alert(1)"),
        ("url", "https://example.com/ [x](y)"),
        ("head", "main"),
        ("head", "3f2a91c\n"),
        ("number", -1),
        ("number", 2**70),
        ("pull", 1.5),
    ],
)
def test_a_job_that_lies_makes_it_unreadable(key: str, value: object) -> None:
    found = document()
    found["job"][key] = value

    assert why(found).isprintable()


def test_too_large_a_file_is_not_even_decoded() -> None:
    assert "larger than 32 MiB" in str(read_result(b"\xff" * (MOST_BYTES + 1)))


def test_bytes_of_a_name_that_are_no_characters_are_spelled_out() -> None:
    found = read_result(encode_result(result(path="environments/\udcff")))

    assert isinstance(found, Result)
    assert found.path == r"environments/\udcff"


def test_attributes_of_what_stays_are_left_out_first() -> None:
    long = replace(BUCKET, lines=(BUCKET.lines[0], "x" * 4000))
    whole = replace(EVERYTHING, items=(DATABASE, long))

    read = read_result(encode_result(whole, at_most=4000))

    assert isinstance(read, Result)
    assert read.items == (DATABASE, replace(long, lines=long.lines[:1]))
    assert "attributes of what stays were left out" in read.notes[-1]


def test_then_those_of_what_goes_and_then_outputs() -> None:
    long = replace(DATABASE, lines=(DATABASE.lines[0], "x" * 4000))
    whole = replace(EVERYTHING, items=(long,))

    without = read_result(encode_result(whole, at_most=4000))
    bare = read_result(encode_result(replace(whole, outputs=("y" * 4000,)), at_most=4000))

    assert isinstance(without, Result)
    assert isinstance(bare, Result)
    assert without.items == bare.items == (replace(long, lines=long.lines[:1]),)
    assert without.outputs
    assert not bare.outputs
    assert len(bare.notes) == 1


def test_objects_are_never_left_out() -> None:
    many = tuple(replace(BUCKET, address=f"{BUCKET.address}{n}") for n in range(100))

    with pytest.raises(ArtifactError) as raised:
        encode_result(replace(EVERYTHING, items=many), at_most=4000)

    assert "100 objects" in raised.value.what
    assert "driftctl-py plan prod" in raised.value.todo


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@given(st.binary() | JSON.map(lambda value: json.dumps(value).encode()))
def test_whatever_it_is_it_is_read_or_told_why_not(data: bytes) -> None:
    assert isinstance(read_result(data), str)


@given(st.sampled_from(sorted(document())), JSON)
def test_whatever_a_key_holds_it_is_read_or_told_why_not(key: str, value: object) -> None:
    read = read_result(json.dumps(document(EVERYTHING, **{key: value})).encode())

    if isinstance(read, Result):
        again = read_result(encode_result(read))
        assert again == read
    else:
        assert read.isprintable()


@given(st.text(min_size=1), st.text(), st.lists(st.text(), min_size=1, max_size=3))
def test_any_text_of_a_plan_can_be_written(address: str, line: str, lines: list[str]) -> None:
    item = Item(address, "create", "commit", False, tuple(lines))

    read = read_result(encode_result(result(verdict=Verdict.PENDING, items=(item,), notes=(line,))))

    assert isinstance(read, Result)
    assert (read.items, read.notes) == ((item,), (line,))
