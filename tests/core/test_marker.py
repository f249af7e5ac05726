"""The hidden line above what we wrote, and which of two runs is the newer."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from driftctl_py.core.marker import (
    AT_MOST,
    HISTORY_AT_MOST,
    Marker,
    Turn,
    digest,
    marked,
    newer,
    newest,
    outranks,
    read_marker,
    read_scope,
    turn_of,
)
from driftctl_py.core.result import Job
from driftctl_py.errors import UsageError

MARKER = Marker("plan", "network", Turn(12, 1, "3f2a91c" + "0" * 33, 900, "w"), "d1", "d2")
WORDS = st.text(max_size=40).filter(lambda text: text.isprintable())


def test_a_marker_is_read_as_it_was_written() -> None:
    text = marked(MARKER, "### 🟡 Merging changes 1\n\nAll of it.")

    assert text.startswith('<!-- driftctl-py: {"v":1,"kind":"plan",')
    assert read_marker(text) == (MARKER, "### 🟡 Merging changes 1\n\nAll of it.")


@given(st.builds(Marker, kind=WORDS, scope=WORDS, turn=st.just(Turn()), digest=WORDS, since=WORDS))
def test_nothing_in_a_marker_ends_the_comment_that_hides_it(marker: Marker) -> None:
    marker = replace(marker, environment="prod --> <b>@team</b> <!--", history=("a--->b",))
    line, _, body = marked(marker, "below").partition("\n")

    assert re.search("-->|--!>|<!--", line[4:-3]) is None
    assert read_marker(f"{line}\r\n{body}") == (marker, "below")


def test_a_marker_leaves_room_for_what_is_said() -> None:
    lines = tuple("2026-11-24 09:14 UTC: " + "9" * 200 for _ in range(100))
    turn = Turn(10**18, 10**18, "f" * 64, 10**18, "f" * 32)
    marker = Marker("drift", "s" * 24, turn, "d" * 32, "d" * 32, "e" * 200, "open", "t" * 40, lines)

    line = marked(marker, "")
    read, _ = read_marker(line)

    assert len(line.encode()) <= AT_MOST
    assert read is not None
    assert len(read.history) == HISTORY_AT_MOST


@pytest.mark.parametrize(
    "text",
    [
        "",
        "hello",
        "hello\n" + marked(MARKER, ""),
        " " + marked(MARKER, ""),
        "> " + marked(MARKER, ""),
        "<!-- driftctl-py: {} -->",
        '<!-- driftctl-py: {"v":"1","kind":"plan"} -->',
        '<!-- driftctl-py: {"v":1,"kind":["plan"]} -->',
        "<!-- driftctl-py: {" + "[" * 100_000 + "} -->",
        '<!-- driftctl-py: {"v":1,"kind":' + "[" * 100_000 + "]" * 100_000 + "} -->",
        "<!-- driftctl-py: note -->",
    ],
)
def test_what_is_no_first_line_of_ours_is_no_marker(text: str) -> None:
    assert read_marker(text) == (None, text)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (Turn(12, 1), Turn(11, 3)),
        (Turn(12, 2), Turn(12, 1)),
        (Turn(12, 2, run=900), Turn(12, 1, run=900)),
        (Turn(12, 1, run=900, workflow="a"), Turn(11, 1, run=800, workflow="a")),
        # Of another workflow, whose runs are counted apart.
        (Turn(2, 1, run=900, workflow="b"), Turn(11, 1, run=800, workflow="a")),
        (Turn(0, 0, run=900), Turn(0, 0, run=800)),
    ],
)
def test_the_later_run_is_the_newer(one: Turn, other: Turn) -> None:
    assert newer(one, other)
    assert not newer(other, one)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (Turn(), Turn()),
        (Turn(12, 1, run=900), Turn(12, 1, run=900)),
        # By hand, outside CI.
        (Turn(), Turn(12, 1, run=900)),
        # Two workflows, of which nothing tells the order.
        (Turn(12, 1, workflow="a"), Turn(11, 1, workflow="b")),
        # The workflow's file was renamed, and its runs are counted anew.
        (Turn(1, 1, run=900, workflow="a"), Turn(400, 1, run=800, workflow="a")),
    ],
)
def test_what_cannot_be_compared_is_not_newer(one: Turn, other: Turn) -> None:
    assert not newer(one, other)
    assert not newer(other, one)


def test_what_is_of_the_head_as_it_is_goes_before_what_is_not() -> None:
    older, later = Turn(11, 2, "aaaaaaa"), Turn(12, 1, "bbbbbbb")

    assert outranks(later, older)
    assert outranks(later, older, head="bbbbbbb")
    assert outranks(later, older, head="ccccccc")
    # Somebody pushed the old commit again, and started its run again.
    assert outranks(older, later, head="aaaaaaa")
    assert not outranks(later, older, head="aaaaaaa")


def test_of_which_commit_a_run_was_counts_only_where_that_is_known() -> None:
    assert outranks(Turn(12), Turn(11, 1, "aaaaaaa"), head="aaaaaaa")
    assert newest([Turn(11), Turn(13), Turn(12)]) == Turn(13)


def test_a_turn_is_made_of_what_a_job_knows() -> None:
    job = Job(run="900", workflow="plan", number=12, attempt=2, head="3f2a91c" + "0" * 33)

    turn = turn_of(job)

    assert (turn.number, turn.attempt, turn.run, turn.head) == (12, 2, 900, job.head)
    assert turn.same_run(turn_of(replace(job, attempt=3)))
    assert not turn.same_run(turn_of(replace(job, workflow="apply")))


@pytest.mark.parametrize("run", ["", "x", "-1", "1" * 30, "٣"])
def test_what_is_no_id_or_commit_is_not_taken_for_one(run: str) -> None:
    assert turn_of(Job(run=run, head="--> @team")) == Turn()


def test_a_digest_is_of_what_is_said() -> None:
    text = "one\ntwo of https://example.com/runs/1"

    assert digest("one  \r\ntwo of https://example.com/runs/1\r\n") == digest(text)
    assert digest(text) != digest("one\nthree")
    assert digest(text, volatile=["https://example.com/runs/1", ""]) == digest(
        "one\ntwo of https://example.com/runs/15",
        volatile=["https://example.com/runs/1", "https://example.com/runs/15"],
    )


@pytest.mark.parametrize("text", ["", "network", "eu-1.a_b"])
def test_a_scope_is_a_short_plain_word(text: str) -> None:
    assert read_scope(text) == text


@pytest.mark.parametrize("text", ["a b", "-a", "x" * 25, "a/b", "ä", "a\n"])
def test_what_cannot_be_part_of_a_label_is_no_scope(text: str) -> None:
    with pytest.raises(UsageError, match="cannot be a scope"):
        read_scope(text)
