from __future__ import annotations

from functools import cache
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from driftctl_py.report import subsequence
from driftctl_py.report.subsequence import common

WORDS = st.text("abcd", max_size=12)


def length_of_the_longest(one: str, other: str) -> int:
    """As the textbook defines it."""

    @cache
    def of(i: int, j: int) -> int:
        if i == len(one) or j == len(other):
            return 0
        if one[i] == other[j]:
            return 1 + of(i + 1, j + 1)
        return max(of(i + 1, j), of(i, j + 1))

    return of(0, 0)


def rises_and_is_equal(pairs: list[tuple[int, int]], one: str, other: str) -> bool:
    return all(one[i] == other[j] for i, j in pairs) and all(
        i < k and j < m for (i, j), (k, m) in pairwise(pairs)
    )


@given(WORDS, WORDS)
def test_no_common_part_is_longer(one: str, other: str) -> None:
    pairs = common(one, other)

    assert rises_and_is_equal(pairs, one, other)
    assert len(pairs) == length_of_the_longest(one, other)


@given(WORDS, WORDS, st.integers(0, 6))
def test_with_too_many_equal_elements_it_is_right_and_may_be_shorter(
    one: str, other: str, at_most: int
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(subsequence, "_EQUAL_PAIRS_AT_MOST", at_most)
        pairs = common(one, other)

    assert rises_and_is_equal(pairs, one, other)
    assert len(pairs) <= length_of_the_longest(one, other)


def test_it_is_not_led_astray_by_a_long_block() -> None:
    # difflib takes "xyz" first, and finds 3 in common.
    assert len(common("abcdxyz", "xyzabcd")) == 4
    assert len(common("1a2b3c4xyz", "xyz1-2-3-4")) == 4


def test_thousands_of_equal_lines_do_not_hide_what_is_unique() -> None:
    olds = ["head", *[""] * 2000, "middle", *[""] * 2000, "tail"]
    news = ["new head", *[""] * 1000, "middle", *[""] * 3000, "tail"]
    pairs = common(olds, news)

    assert (2001, 1001) in pairs
    assert all(olds[i] == news[j] for i, j in pairs)
