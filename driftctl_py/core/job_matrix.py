"""Environments shared out to the jobs of a matrix, so that all end at about the same time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from statistics import median

MOST_JOBS = 256
"""What one matrix of GitHub Actions may have at most; a larger one fails the workflow.
https://docs.github.com/en/actions/reference/limits"""


def job_matrix(
    names: Sequence[str], durations: Mapping[str, float], *, jobs: int = MOST_JOBS
) -> tuple[tuple[str, ...], ...]:
    """The names in at most ``jobs`` groups, in the order in which they are given; a group of its
    own for each where there are enough. ``durations`` are seconds that an environment took before;
    one that is not known is taken for a middling one.

    The longest goes first, always to the group that has least to do: at worst a third longer than
    the best there is (Graham, 1969).
    """
    if jobs < 1:
        raise ValueError("a matrix has at least one job")
    middling = median(durations.values()) if durations else 1.0
    cost = {name: durations.get(name, middling) for name in names}
    groups: list[list[str]] = [[] for _ in range(min(jobs, len(names)))]
    load = [0.0] * len(groups)
    for name in sorted(names, key=lambda name: -cost[name]):
        least = min(range(len(groups)), key=lambda at: (load[at], len(groups[at])))
        groups[least].append(name)
        load[least] += cost[name]
    place = {name: at for at, name in enumerate(names)}
    found = [tuple(sorted(group, key=place.__getitem__)) for group in groups]
    return tuple(sorted(found, key=lambda group: place[group[0]]))
