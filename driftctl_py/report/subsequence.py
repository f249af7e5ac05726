"""What two sequences have in common, in order, and as much of it as there is.

The longest common subsequence, by Hunt and Szymanski (1977): the work grows with the number of
pairs that are equal, of which texts and lists have few. ``difflib`` looks for the longest block
instead, and tells more as changed than was.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Hashable, Iterable, Mapping, Sequence
from typing import TypeAlias

Pairs: TypeAlias = "list[tuple[int, int]]"

# A tenth of a second or so. Texts reach it by thousands of equal lines, empty ones mostly.
_EQUAL_PAIRS_AT_MOST = 100_000

# A pair, and what goes before it.
_Link: TypeAlias = "tuple[int, int, _Link | None]"


def common(olds: Sequence[Hashable], news: Sequence[Hashable]) -> Pairs:
    """The positions of what both have, rising on both sides; no longer list of such pairs exists.

    With too many equal elements, those that occur once on each side are paired first, then what
    lies between them while that is not too much either. The pairs are right all the same, only
    there may be fewer than could be.
    """
    found, equal = _within(olds, news, _EQUAL_PAIRS_AT_MOST)
    if equal <= _EQUAL_PAIRS_AT_MOST:
        return found
    spared = _EQUAL_PAIRS_AT_MOST
    pairs: Pairs = []
    old_from = new_from = 0
    for old_to, new_to in (*_unique(olds, news), (len(olds), len(news))):
        between, equal = _within(olds[old_from:old_to], news[new_from:new_to], spared)
        spared -= min(equal, spared)
        pairs += [(old_from + old, new_from + new) for old, new in between]
        pairs.append((old_to, new_to))
        old_from, new_from = old_to + 1, new_to + 1
    return pairs[:-1]


def _within(olds: Sequence[Hashable], news: Sequence[Hashable], at_most: int) -> tuple[Pairs, int]:
    """The pairs, and how many equal ones had to be looked at; with more than ``at_most`` of them
    only the pairs at both ends."""
    shorter = min(len(olds), len(news))
    head = 0
    while head < shorter and olds[head] == news[head]:
        head += 1
    tail = 0
    while tail < shorter - head and olds[-1 - tail] == news[-1 - tail]:
        tail += 1
    pairs = [(at, at) for at in range(head)]
    where: dict[Hashable, list[int]] = {}
    for at in reversed(range(head, len(news) - tail)):
        where.setdefault(news[at], []).append(at)
    rest = range(head, len(olds) - tail)
    equal = sum(len(where.get(olds[at], ())) for at in rest)
    if equal <= at_most:
        pairs += _longest((at, where.get(olds[at], ())) for at in rest)
    ends = zip(range(len(olds) - tail, len(olds)), range(len(news) - tail, len(news)), strict=True)
    return pairs + list(ends), equal


def _unique(olds: Sequence[Hashable], news: Sequence[Hashable]) -> Pairs:
    """As ``common``, of nothing but what occurs once on each side."""
    once_old, once_new = _once(olds), _once(news)
    return _longest((at, (once_new[each],)) for each, at in once_old.items() if each in once_new)


def _once(elements: Sequence[Hashable]) -> Mapping[Hashable, int]:
    counts = Counter(elements)
    return {each: at for at, each in enumerate(elements) if counts[each] == 1}


def _longest(candidates: Iterable[tuple[int, Sequence[int]]]) -> Pairs:
    """The longest rising list of pairs. Each old position comes with all new ones that it could
    be paired with, the last of them first, so that no two of them make up a list."""
    # By length less one: where the list of that length ends that ends earliest, and that list.
    ends: list[int] = []
    links: list[_Link] = []
    for old, possible in candidates:
        for new in possible:
            at = bisect_left(ends, new)
            link = (old, new, links[at - 1] if at else None)
            if at == len(ends):
                ends.append(new)
                links.append(link)
            else:
                ends[at], links[at] = new, link
    pairs: Pairs = []
    last = links[-1] if links else None
    while last is not None:
        pairs.append(last[:2])
        last = last[2]
    return pairs[::-1]
