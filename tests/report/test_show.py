from __future__ import annotations

import time
import unicodedata
from collections import Counter
from decimal import Decimal
from itertools import islice
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from driftctl_py.core.values import ABSENT, UNKNOWN, Secrets, Value, same
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
        (Decimal("1E+3"), "1000"),
        (Decimal("-1.5E-7"), "-0.00000015"),
        (Decimal("1E+30"), "1" + "0" * 30),
        (Decimal("1E+400000000"), "1E+400000000"),
        (0.1, "0.1"),
        (float("inf"), "Infinity"),
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


def test_python_s_limit_on_digits_is_none_of_ours() -> None:
    assert show.literal(10**5000 + 1) == f"1{'0' * 4999}1"


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


def test_a_long_value_that_goes_on_where_another_ends_shows_how() -> None:
    cut = show.cut_values(["[" + "a" * 100, "[" + "a" * 100 + "b"], 40)

    assert cut == ["…aaaaaaaaaa", "…aaaaaaaaaab"]


def test_lists_are_compared_by_their_longest_common_part() -> None:
    assert show.parts([22, 80, 443, 8080], [22, 443, 8080, 9090]) == [
        Part(" ", "(1 unchanged)"),
        Part("-", "80"),
        Part(" ", "(2 unchanged)"),
        Part("+", "9090"),
    ]
    assert show.parts([True], [1]) == [Part("-", "true"), Part("+", "1")]
    assert show.parts(list(range(3000)), list(range(1, 3001))) == [
        Part("-", "0"),
        Part(" ", "(2999 unchanged)"),
        Part("+", "3000"),
    ]


def rule(port: Value, cidr: str = "10.0.0.0/8", **more: Value) -> dict[str, Value]:
    """As the AWS provider has them: a set of objects that name nothing."""
    empty: dict[str, Value] = {"description": "", "ipv6_cidr_blocks": [], "self": False}
    return (
        {"cidr_blocks": [cidr], "from_port": port, "protocol": "tcp", "to_port": 99} | empty | more
    )


def test_one_rule_of_thirty_that_changed_is_told_by_what_changed_in_it() -> None:
    old = [rule(port, f"10.{port}.0.0/16") for port in range(30)]
    new = [*old[:5], rule(8080, "0.0.0.0/0"), *old[5:17], rule(443, "10.17.0.0/16"), *old[18:]]

    assert show.parts(old, new) == [
        Part(" ", "(5 unchanged)"),
        Part("+", show.literal(new[5])),
        Part(" ", "(12 unchanged)"),
        Part("~", "{from_port: 17 → 443}"),
        Part(" ", "(12 unchanged)"),
    ]


def test_an_object_that_changed_may_turn_up_elsewhere_as_those_of_sets_do() -> None:
    old = [rule(port, f"10.{port}.0.0/16") for port in range(4)]
    new = [*old[1:], rule(99, "10.0.0.0/16")]

    assert show.parts(old, new) == [
        Part(" ", "(3 unchanged)"),
        Part("~", "{from_port: 0 → 99} (from another position)"),
    ]


def test_an_object_that_only_moved_is_told_once() -> None:
    old: list[Value] = [{"a": 1, "b": 1}, {"a": 2, "b": 2}, {"a": 3, "b": 3}]

    assert show.parts(old, [*old[1:], old[0]]) == [
        Part(" ", "(2 unchanged)"),
        Part("~", '{"a": 1, "b": 1} (from another position)'),
    ]


def test_objects_of_one_name_are_one_and_others_have_to_be_half_alike() -> None:
    old: list[Value] = [{"name": "A", "v": 1, "w": 1}, {"name": "B", "v": 2}, {}, 7]
    new: list[Value] = [{"name": "A", "v": 5, "w": 6}, {"name": "C", "v": 3}, {"x": {}}, {}, 8]

    assert show.parts(old, new) == [
        Part("-", '{"name": "B", "v": 2}'),
        Part("+", '{"name": "C", "v": 3}'),
        Part("+", '{"x": {}}'),
        Part("~", '{name: "A", v: 1 → 5, w: 1 → 6}'),
        Part(" ", "(1 unchanged)"),
        Part("-", "7"),
        Part("+", "8"),
    ]


def test_a_changed_object_too_long_for_a_line_has_a_line_for_each_change() -> None:
    old: list[Value] = [{"name": "web", "image": "a" * 50, "script": "one\ntwo\n", "port": 1}]
    new: list[Value] = [{"name": "web", "image": "b" * 50, "script": "one\n2\n", "size": 1}]

    assert show.parts(old, new) == [
        Part("~", '{name: "web", …}'),
        Part("-", f'  image: "{"a" * 50}"'),
        Part("+", f'  image: "{"b" * 50}"'),
        Part("-", "  port: 1"),
        Part("~", "  script:"),
        Part(" ", "    one"),
        Part("-", "    two"),
        Part("+", "    2"),
        Part("+", "  size: 1"),
    ]


def test_marks_are_told_within_structures() -> None:
    secrets = Secrets()
    old: list[Value] = [{"name": "db", "password": secrets.mark("a"), "port": 1}]
    new: list[Value] = [{"name": "db", "password": secrets.mark("b"), "port": UNKNOWN}]

    assert show.parts(old, new) == [
        Part("~", '{name: "db", password: (sensitive value), port: 1 → (known after apply)}')
    ]
    assert show.parts([1, UNKNOWN], [1, UNKNOWN]) == [
        Part(" ", "(1 unchanged)"),
        Part("-", "(known after apply)"),
        Part("+", "(known after apply)"),
    ]


def test_many_objects_are_shown_without_being_compared_with_each_other() -> None:
    old: list[Value] = [{"n": n, "x": "x", "y": "y"} for n in range(60)]
    new: list[Value] = [{"n": -n, "x": "x", "y": "y"} for n in range(1, 61)]

    counts = Counter(part.mark for part in show.parts(old, new) or ())
    assert counts == {"-": 60, "+": 60}


def test_maps_are_compared_by_key() -> None:
    old: dict[str, Value] = {"a": 1, "b": {"c": [1], "d e": "x"}, "e": 5, "n": None}
    new: dict[str, Value] = {"a": 1, "b": {"c": [2], "d e": "y"}, "f": 6}

    assert show.parts(old, new) == [
        Part("~", "b.c: [1] → [2]"),
        Part("~", 'b["d e"]: "x" → "y"'),
        Part("-", "e: 5"),
        Part("+", "f: 6"),
        Part("-", "n: null"),
        Part(" ", "(1 unchanged)"),
    ]


def test_long_lists_in_maps_are_compared_by_element() -> None:
    old: dict[str, Value] = {"zones": [f"zone-{n:02}" for n in range(20)]}
    new: dict[str, Value] = {"zones": [f"zone-{n:02}" for n in range(1, 20)]}

    assert show.parts(old, new) == [
        Part("~", "zones:"),
        Part("-", '  "zone-00"'),
        Part(" ", "  (19 unchanged)"),
    ]


@pytest.mark.parametrize(
    ("old", "new", "found"),
    [
        ('{"a":[1],"b":2}', '{"a":[3], "b":2}', [("", "(JSON)"), ("~", "a: [1] → [3]")]),
        ("[1,2]", "[1,3]", [("", "(JSON)"), ("~", "[1, 2] → [1, 3]")]),
        ("a: 1\nb: x\n", "a: 1\nb: y\n", [("", "(YAML)"), ("~", 'b: "x" → "y"')]),
        ("- x\n", "- x\n- y\n", [("", "(YAML)"), ("~", '["x"] → ["x", "y"]')]),
        # The same in another spelling is still another text.
        ('{"a":1}', '{"a": 1}', None),
        (
            "a: 1\n",
            "a:  1\n",
            [("", "(only white space differs)"), ("-", '"a: 1"'), ("+", '"a:  1"')],
        ),
    ],
)
def test_texts_that_hold_json_or_yaml_are_compared_by_what_they_hold(
    old: str, new: str, found: list[tuple[str, str]] | None
) -> None:
    expected = None if found is None else [Part(mark or " ", text) for mark, text in found]

    assert show.parts(old, new) == expected


def test_a_long_json_list_is_told_on_two_lines() -> None:
    assert show.parts(f'["{"a" * 80}"]', f'["{"a" * 79}b"]', limit=40) == [
        Part(" ", "(JSON)"),
        Part("-", '…aaaaaaaaaaa"]'),
        Part("+", '…aaaaaaaaaab"]'),
    ]


WHITE = " (only white space differs)"
SCRIPT = "#!/bin/sh\n" + "".join(f"step {n}\n" for n in range(1, 20))


def test_texts_are_compared_line_by_line_with_some_lines_around() -> None:
    assert show.parts(SCRIPT, SCRIPT.replace("step 4\n", "STEP 4\n")) == [
        Part(" ", "… (2 unchanged)"),
        Part(" ", "step 2"),
        Part(" ", "step 3"),
        Part("-", "step 4"),
        Part("+", "STEP 4"),
        Part(" ", "step 5"),
        Part(" ", "step 6"),
        Part(" ", "… (13 unchanged)"),
    ]


def test_a_single_line_between_is_shown_and_not_counted() -> None:
    changed = "begin\n" + SCRIPT.replace("step 4\n", "").replace("step 10\n", "") + "end\n"

    assert show.parts(SCRIPT, changed) == [
        Part("+", "begin"),
        *[Part(" ", line) for line in ("#!/bin/sh", "step 1", "step 2", "step 3")],
        Part("-", "step 4"),
        *[Part(" ", f"step {n}") for n in range(5, 10)],
        Part("-", "step 10"),
        Part(" ", "step 11"),
        Part(" ", "step 12"),
        Part(" ", "… (5 unchanged)"),
        Part(" ", "step 18"),
        Part(" ", "step 19"),
        Part("+", "end"),
    ]


@pytest.mark.parametrize(
    ("old", "new", "found"),
    [
        ("a\nb\n", "a\nc", ["-(newline at the end)", " a", "-b", "+c"]),
        ("a\nb", "a\nb\n", [WHITE, "+(newline at the end)", " … (2 unchanged)"]),
        ("", "a\n", ["+a"]),
        ("a\n", "", ["-a"]),
        ("a\nb\n", "a\n\nb\n", [WHITE, " a", '+""', " b"]),
        ("a\nb\n", "a\nb \n", [WHITE, " a", '-"b"', '+"b "']),
        ("x\n\tgo\n", "x\n    go\n", [WHITE, " x", '-"\\tgo"', '+"    go"']),
        ("x\n\tgo a\n", "x\n\tgo b\n", [" x", "-    go a", "+    go b"]),
        ("a\nb\n", "a\r\nb\r\n", [WHITE, "~(line ends: LF → CRLF)", " … (2 unchanged)"]),
        ("a\r\nb\r\n", "a\nc\n", ["~(line ends: CRLF → LF)", " a", "-b", "+c"]),
        ("a\r\nb\r\n", "a\r\nc\r\n", [" a", "-b", "+c"]),
        ("a\nb\n", "a\nb\r\n", [WHITE, " a", '-"b"', '+"b\\r"']),
        ("a\rb\nc", "a\rb\nd", [' "a\\rb"', "-c", "+d"]),
        ("a", "a\r\nb\r\n", ["+(newline at the end)", " a", "+b"]),
        # What looks like a literal, a remark of ours, or a line that is gone, is in quotes.
        ("- a\n  - b\nc\n", "- a\n  - b\n- c\n", [' "- a"', "   - b", "-c", "+- c"]),
        ('"a"\nx\n', '"a"\n… (3)\n', [' "\\"a\\""', "-x", '+"… (3)"']),
        ("x\n", "(newline at the end)\n", ["-x", '+"(newline at the end)"']),
        ("x\n", "\x1b[2J\n", ["-x", '+"\\u001b[2J"']),
    ],
)
def test_white_space_is_seen_where_it_counts(old: str, new: str, found: list[str]) -> None:
    assert [part.mark + part.text for part in show.parts(old, new) or ()] == found


def test_long_lines_are_cut_where_they_differ() -> None:
    old, new = (f"{'x' * 300}{each}{'z' * 300}\nlast\n" for each in ("ONE", "TWO"))

    found = show.parts(old, new, limit=40) or []
    assert [part.mark for part in found] == ["-", "+", " "]
    assert "ONE" in found[0].text
    assert "TWO" in found[1].text
    assert found[0].text.endswith("… (603 characters)")
    assert show.parts(old, new) == [
        Part("-", f"{'x' * 300}ONE{'z' * 300}"),
        Part("+", f"{'x' * 300}TWO{'z' * 300}"),
        Part(" ", "last"),
    ]


def test_a_long_object_that_is_new_is_cut_after_what_is_empty_was_left_out() -> None:
    empty: dict[str, Value] = {f"nothing_{n}": None for n in range(20)}

    assert show.parts([], [empty | {"port": 80}], limit=40) == [Part("+", '{"port": 80, …}')]
    assert show.parts([], [{"a": "b" * 100}], limit=40) == [
        Part("+", '{"a": "bbbbbbbbbbbbbbb… (109 characters)')
    ]


@pytest.mark.parametrize(
    ("old", "new"), [("a", "b"), (1, 2), (["a"], "a"), (None, ["a"]), ({}, [])]
)
def test_other_values_have_no_parts(old: Any, new: Any) -> None:
    assert show.parts(old, new) is None


@given(st.lists(st.integers(0, 3), max_size=8), st.lists(st.integers(0, 3), max_size=8))
def test_what_is_gone_and_what_is_new_leads_from_one_to_the_other(
    old: list[int], new: list[int]
) -> None:
    found = show.parts(old, new)
    assert found is not None

    rest = iter(old)
    made: list[int] = []
    for part in found:
        if part.mark == " ":
            made += islice(rest, int(part.text.strip("()").split()[0]))
        elif part.mark == "-":
            assert next(rest) == int(part.text)
        else:
            made.append(int(part.text))
    assert made == new
    assert list(rest) == []


LINES = st.lists(st.sampled_from(["a", "b", "c d", "e  f", "\tg", ""]), max_size=12)


@given(LINES, LINES, st.sampled_from(["\n", "\r\n"]), st.sampled_from(["\n", "\r\n"]))
def test_as_many_lines_come_and_go_as_the_texts_are_longer_or_shorter(
    old: list[str], new: list[str], old_end: str, new_end: str
) -> None:
    texts = (
        "".join(f"{line}{end}" for line in each) for each, end in ((old, old_end), (new, new_end))
    )
    one, other = texts
    found = [part for part in show.parts(one, other) or () if not part.text.startswith(("(", "…"))]

    counts = Counter(part.mark for part in found)
    assert len(old) - counts["-"] == len(new) - counts["+"]
    assert (old == new) == (not counts["-"] and not counts["+"])


@given(VALUES | LINES.map("\n".join), VALUES | LINES.map("\n".join), st.integers(60, 100))
def test_no_part_is_wider_than_its_limit_nor_more_than_a_line(
    old: Value, new: Value, limit: int
) -> None:
    for each in (show.parts(old, new, limit=limit), show.parts([old], [new], limit=limit)):
        for part in each or ():
            assert part.mark in ("-", "+", "~", " ")
            assert show.columns(part.text) <= limit
            assert part.text.splitlines() == [part.text]


@given(VALUES, VALUES)
def test_what_differs_has_a_part_that_says_so(old: Value, new: Value) -> None:
    for one, other in (([old], [new]), ({"a": old}, {"a": new})):
        marks = {part.mark for part in show.parts(one, other) or ()}

        assert (marks <= {" "}) == same(old, new)


def _told(old: str, new: str, limit: int | None = 80) -> list[Part]:
    found = show.parts(old, new, limit=limit)
    assert found is not None
    return found


def _numbered(numbers: range, name: str = "line") -> str:
    return "".join(f"{name} {number}\n" for number in numbers)


def _lines_of(found: list[Part], mark: str) -> int:
    return sum(part.lines for part in found if part.mark == mark)


def test_two_endless_texts_without_a_line_in_common_cost_no_more_than_is_shown() -> None:
    old, new = _numbered(range(300_000)), _numbered(range(300_000), "other")
    started = time.process_time()
    found = _told(old, new)

    assert time.process_time() - started < 3
    assert len(found) < 5_000
    assert sum(part.lines for part in found) == 600_000
    assert found[0] == Part("-", "line 0")
    assert found[-1] == Part(" ", "… (560000 more lines, too many to compare)", 560_000)


def test_a_line_in_the_middle_of_an_endless_text_is_found() -> None:
    old = _numbered(range(400_000))
    found = _told(old, old.replace("line 200000\n", "line x\n"))

    assert [part for part in found if part.mark != " "] == [
        Part("-", "line 200000"),
        Part("+", "line x"),
    ]


def test_an_endless_text_is_compared_as_far_as_it_goes_and_nothing_is_made_up() -> None:
    # One line more at the beginning puts all others at another position.
    old = _numbered(range(100_000))
    new = "first\n" + old + "last\n"
    found = _told(old, new)

    assert [part for part in found if part.mark != " "] == [Part("+", "first")]
    assert found[-1].text.endswith("more lines, too many to compare)")


def test_without_a_limit_an_endless_text_is_told_as_a_whole() -> None:
    old, new = _numbered(range(30_000)), "first\n" + _numbered(range(5, 30_000)) + "last\n"
    found = _told(old, new, None)

    assert _lines_of(found, "+") - _lines_of(found, "-") == 2 - 5
    assert all(part.lines == 1 for part in found)
    assert found[0] == Part("-", "line 0")
    assert found[-1] == Part("+", "last")


def test_very_many_changes_are_counted_when_nobody_shows_them() -> None:
    old = _numbered(range(15_000))
    new = old.replace("5\n", "five\n")
    found = _told(old, new)

    assert found[-1] == Part(" ", f"… ({found[-1].lines} more lines)", found[-1].lines)
    assert sum(part.lines for part in found if part.mark in "-+") + found[-1].lines == 2 * 1500


def test_changes_that_are_not_shown_are_counted_with_those_not_compared() -> None:
    old = _numbered(range(50_000))
    new = old.replace("5\n", "five\n") + "last\n"
    (*told, last) = _told(old, new)

    # What was not compared counts on both sides.
    assert last.text == f"… ({last.lines} more lines)"
    assert last.lines > 2 * 30_000
    assert len(told) < 3_000


def test_one_long_run_of_changes_is_counted_after_its_beginning() -> None:
    old = "same\n" + _numbered(range(5_000)) + "end\n"
    new = "same\n" + _numbered(range(3_000), "other") + "end\n"
    found = _told(old, new)

    assert [part.lines for part in found if part.lines > 1] == [6_000]
    assert sum(part.lines for part in found) == 2 + 8_000
    shown, more = show.first(found, 12)
    assert len(shown) == 12
    assert more == 2 + 8_000 - 12


def test_white_space_is_not_looked_for_without_end() -> None:
    old = "x " * 600_000
    found = _told(f"{old}\n1", f"{old}\n 1")

    assert not any("white space" in part.text for part in found)
    assert Part("+", '" 1"') in found


@pytest.mark.parametrize("character", ["a", "\u00e4", "\u4e16"])
def test_an_endless_value_is_cut_at_once(character: str) -> None:
    old, new = character * 3_000_000, character * 1_500_000 + "!" + character * 1_500_000
    started = time.process_time()
    cut = show.cut_values([show.literal(old), show.literal(new)], 80)

    assert time.process_time() - started < 2
    assert cut[1].startswith("…" + character * 20 + "!" + character)
    assert all(show.columns(text) <= 80 for text in cut)


def _rule(port: int, *from_: str) -> Value:
    return {"from_port": port, "to_port": port, "protocol": "tcp", "cidr_blocks": list(from_)}


RULES = (
    [_rule(22, "10.0.0.0/8"), _rule(443, "0.0.0.0/0")],
    [_rule(22, "10.0.0.0/8", "0.0.0.0/0"), _rule(443, "0.0.0.0/0")],
    [_rule(22, "10.0.0.0/8"), _rule(443, "0.0.0.0/0"), _rule(80, "0.0.0.0/0")],
)
SNAPSHOTS = ("recorded", "real", "planned")
LONG = list(range(50))


def test_of_three_snapshots_of_a_list_each_step_is_told_by_element() -> None:
    found = show.steps(SNAPSHOTS, RULES, limit=100)

    assert found is not None
    assert [(part.mark, part.text) for part in found] == [
        (" ", "recorded → real:"),
        ("~", '  {cidr_blocks: ["10.0.0.0/8"] → ["10.0.0.0/8", "0.0.0.0/0"]}'),
        (" ", "  (1 unchanged)"),
        (" ", "real → planned:"),
        ("~", '  {cidr_blocks: ["10.0.0.0/8", "0.0.0.0/0"] → ["10.0.0.0/8"]}'),
        (" ", "  (1 unchanged)"),
        ("+", "  " + show.literal(RULES[2][2])),
    ]


def test_what_is_not_known_yet_is_a_step_of_its_own() -> None:
    assert show.steps(SNAPSHOTS, ([1], [1, "y" * 80], UNKNOWN)) == [
        Part(" ", "recorded → real:"),
        Part(" ", "  (1 unchanged)"),
        Part("+", f'  "{"y" * 80}"'),
        Part(" ", "real → planned:"),
        Part("~", "  (known after apply)"),
    ]


@pytest.mark.parametrize(
    "values",
    [
        ("x" * 99, "y" * 99, "z" * 99),
        (LONG, ABSENT, [2]),
        (LONG, [2], 3),
        (UNKNOWN, LONG, [2]),
        (LONG,),
        ([1], [2], [3]),
    ],
)
def test_snapshots_that_are_not_of_one_kind_are_shown_whole(values: tuple[Value, ...]) -> None:
    assert show.steps(SNAPSHOTS, values) is None


def test_no_step_takes_the_room_of_the_other() -> None:
    one, other = LONG, [0]
    found = show.steps(SNAPSHOTS, (one, other, one), at_most=12)
    few = show.steps(SNAPSHOTS, (["x" * 99, 2, 3], [4, 5], [6]), at_most=12)

    assert found is not None
    assert few is not None
    assert len(found) <= 12
    assert [part.text for part in found if "more" in part.text] == ["  … (46 more lines)"] * 2
    assert show.first(found, 12)[1] == 0
    assert not any("more" in part.text for part in few)
