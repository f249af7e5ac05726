from __future__ import annotations

from dataclasses import replace

import pytest

from driftctl_py.core.check import Verdict
from driftctl_py.core.result import Job, Results
from tests.core.result_examples import BUCKET, DATABASE, EVERYTHING, FAILED, JOB, REFUSED, result


def test_an_object_is_drifted_where_its_cause_says_so() -> None:
    assert BUCKET.drifted
    assert replace(BUCKET, cause="drift and commit").drifted
    assert not DATABASE.drifted


def test_a_fingerprint_is_told_by_its_first_letters() -> None:
    assert EVERYTHING.short_fingerprint == "k7qm-2d4x"
    assert FAILED.short_fingerprint == ""


def test_destroys_counts_the_objects_that_would_be_gone() -> None:
    assert EVERYTHING.destroys == 1


@pytest.mark.parametrize(
    ("results", "code"),
    [
        (Results(()), 0),
        (Results((result(),)), 0),
        (Results((result(), EVERYTHING)), 2),
        (Results((EVERYTHING, FAILED)), 1),
        (Results((result(verdict=Verdict.UNKNOWN),)), 1),
        (Results((EVERYTHING, REFUSED)), 1),
        (Results((result(),), missing=("lost",)), 1),
        (Results((result(),), unreadable=("x: damaged",)), 1),
    ],
)
def test_the_exit_code_is_that_of_the_worst(results: Results, code: int) -> None:
    assert results.exit_code == code


def test_the_job_is_the_one_that_reports_or_the_newest() -> None:
    again = replace(JOB, attempt=2)

    assert Results((result(job=again), result("dev"))).job == again
    assert Results((result(job=again),), by=JOB).job == JOB
    assert Results(()).job == Job()
