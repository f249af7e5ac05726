from __future__ import annotations

import unicodedata
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from driftctl_py.core.values import ABSENT, UNKNOWN, Secrets, Value
from driftctl_py.report import show
from driftctl_py.report.show import Part
from tests.core.test_values import VALUES


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (None, "null"),
        (True, "true"),
        (False, "false"),
        (12345678901234567891, "12345678901234567891"),
        (Decimal("0.10"), "0.10"),
        ("platform", '"platform"'),
        ('a "b"\n', '"a \\"b\\"\\n"'),
        ("Zürich → 東京", '"Zürich → 東京"'),
        ([80, "x"], '[80, "x"]'),
        ({"max": {"n": 1}}, '{"max": {"n": 1}}'),
        (UNKNOWN, "(known after apply)"),
        (ABSENT, "(none)"),
        (Secrets().mark("canary"), "(sensitive value)"),
        ([UNKNOWN, Secrets().mark("canary")], "[(known after apply), (sensitive value)]"),
    ],
)
def test_a_value_looks_as_in_code(value: Value, words: str) -> None:
    assert show.literal(value) == words


def test_one_secret_after_another_is_told_once() -> None:
    secrets = Secrets()
    one, other = secrets.mark("a"), secrets.mark("b")

    assert show.literals([one, other, one]) == ["(sensitive value)"]
    assert show.literals([one, "plain"]) == ["(sensitive value)", '"plain"']


FORGERIES = [
    ("\x1b[2Jgone", "\\u001b[2Jgone"),
    ("a\nb\r\tc", "a\\nb\\r\\tc"),
    ("\x9b31m", "\\u009b31m"),
    ("\u202eevil", "\\u202eevil"),
    ("zero\u200bwidth\ufeff", "zero\\u200bwidth\\ufeff"),
    ("half \ud800", "half \\ud800"),
    ("tag \U000e0041", "tag \\U000e0041"),
    ("del\x7f", "del\\u007f"),
]


@pytest.mark.parametrize(("text", "words"), FORGERIES)
def test_what_could_forge_the_output_is_spelled_out(text: str, words: str) -> None:
    assert show.clean(text) == words


@given(st.text() | st.characters(codec=None), VALUES)
def test_whatever_is_shown_is_one_visible_line(text: str, value: Value) -> None:
    for words in (show.clean(text), show.literal({text: value})):
        assert words.splitlines() in ([], [words])
        bad = {c for c in words if unicodedata.category(c) in ("Cc", "Cs", "Zl", "Zp")}
        assert not bad
        words.encode()


def test_a_longer_text_keeps_its_lines() -> None:
    assert show.clean_lines("\n one\r\n\ttwo \x1b \n\n") == ["one", "    two \\u001b"]


@pytest.mark.parametrize(
    ("text", "limit", "words"),
    [
        ("short", 5, "short"),
        ("module.web.aws_s3_bucket.assets", 15, "module.….assets"),
        ("東京東京東京", 7, "東…京"),
    ],
)
def test_names_are_cut_in_the_middle(text: str, limit: int, words: str) -> None:
    assert show.cut_middle(text, limit) == words


@given(st.text(), st.integers(4, 40))
def test_nothing_is_wider_than_its_limit(text: str, limit: int) -> None:
    assert show.columns(show.cut(text, limit)) <= limit
    assert show.columns(show.cut_middle(text, limit)) <= limit


@given(st.lists(st.text(), min_size=1, max_size=3), st.integers(40, 80))
def test_no_value_is_wider_than_its_limit(texts: list[str], limit: int) -> None:
    assert all(show.columns(each) <= limit for each in show.cut_values(texts, limit))


def test_accents_take_no_column_of_their_own_and_wide_characters_two() -> None:
    assert show.columns("e\u0301a東") == 4


def test_prose_is_cut_at_its_end() -> None:
    assert show.cut("abcdefgh", 5) == "abcd…"
    assert show.cut("abcde", 5) == "abcde"


def test_long_values_are_cut_where_they_differ_and_say_their_size() -> None:
    one, other = (f'"{"a" * 200}{end}{"z" * 1200}"' for end in ("ONE", "TWO"))

    cut = show.cut_values([one, other], 40)
    assert all(each.startswith("…aaa") for each in cut)
    assert "ONE" in cut[0]
    assert "TWO" in cut[1]
    assert all(each.endswith("… (1.4 k characters)") for each in cut)


def test_a_long_start_that_is_all_alike_is_left_out_before_anything_is_cut() -> None:
    assert show.cut_values(["a" * 100 + "1", "a" * 100 + "2"], 20) == ["…aaaaa1", "…aaaaa2"]
    assert show.cut_values(["x" * 10, "x" * 10 + "y" * 100], 30)[0] == "x" * 10


@pytest.mark.parametrize(
    ("amount", "words"),
    [(812, "812 characters"), (2100, "2.1 k characters"), (2_400_000, "2.4 M characters")],
)
def test_sizes_are_short(amount: int, words: str) -> None:
    assert show.size(amount) == words


def test_lists_are_compared_by_their_longest_common_part() -> None:
    assert show.parts([22, 80, 443, 8080], [22, 443, 8080, 9090]) == [
        Part(" ", "(1 unchanged)"),
        Part("-", "80"),
        Part(" ", "(2 unchanged)"),
        Part("+", "9090"),
    ]
    assert show.parts([True], [1]) == [Part("-", "true"), Part("+", "1")]


def test_texts_are_compared_line_by_line() -> None:
    assert show.parts("a\nb\n", "a\nc") == [
        Part(" ", "(1 unchanged)"),
        Part("-", '"b"'),
        Part("-", '""'),
        Part("+", '"c"'),
    ]


@pytest.mark.parametrize(("old", "new"), [("a", "b"), (1, 2), (["a"], "a"), (None, ["a"])])
def test_other_values_have_no_parts(old: Any, new: Any) -> None:
    assert show.parts(old, new) is None


@given(st.lists(st.integers(0, 3), max_size=8), st.lists(st.integers(0, 3), max_size=8))
def test_what_is_gone_and_what_is_new_leads_from_one_to_the_other(
    old: list[int], new: list[int]
) -> None:
    found = show.parts(old, new)
    assert found is not None

    counts = {mark: sum(part.mark == mark for part in found) for mark in "+-"}
    assert len(old) - counts["-"] == len(new) - counts["+"]
    assert (old == new) == (not any(counts.values()))


def test_very_long_lists_are_shown_without_being_compared_in_full() -> None:
    old, new = list(range(1000)), list(range(1, 1001))
    found = show.parts(old, new)

    assert found is not None
    assert [part.text for part in found[:1]] == ["0"]
    assert len(found) == 2000
