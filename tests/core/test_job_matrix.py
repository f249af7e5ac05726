"""Environments shared out to jobs."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from driftctl_py.core.job_matrix import job_matrix


def test_where_there_are_jobs_enough_each_has_its_own() -> None:
    assert job_matrix(["b", "a"], {}) == (("b",), ("a",))
    assert job_matrix([], {}) == ()


def test_the_long_ones_are_kept_apart() -> None:
    took = {"slow": 60.0, "slower": 70.0, "a": 1.0, "b": 1.0}

    found = job_matrix(["a", "slow", "new", "slower", "b"], took, jobs=2)

    assert found == (("a", "slower", "b"), ("slow", "new"))


def test_there_is_at_least_one_job() -> None:
    with pytest.raises(ValueError, match="at least one"):
        job_matrix(["a"], {}, jobs=0)


@given(
    st.dictionaries(st.text("abcdefgh", min_size=1), st.floats(0, 1e6), max_size=40),
    st.integers(1, 12),
)
def test_each_is_in_one_group_and_no_group_has_much_more_than_its_share(
    took: dict[str, float], jobs: int
) -> None:
    groups = job_matrix(list(took), took, jobs=jobs)

    assert sorted(name for group in groups for name in group) == sorted(took)
    assert len(groups) == min(jobs, len(took))
    load = [sum(took[name] for name in group) for group in groups]
    if took:
        # What the last one of the fullest group waited for was no more than everybody's share.
        most = sum(took.values()) / len(groups) + max(took.values()) * (1 - 1 / len(groups))
        assert max(load) <= most * (1 + 1e-9)
