from __future__ import annotations

import json
from dataclasses import replace

import pytest

from driftctl_py.core.fan_in import expected_names, fan_in, named, unexpected
from driftctl_py.core.result import Job
from driftctl_py.errors import UsageError
from driftctl_py.report.affected import matrix_json
from tests.core.result_examples import HEAD, JOB, later, result


def test_results_come_in_the_order_in_which_they_were_expected() -> None:
    found = fan_in([result("a"), result("b"), result("z")], expected=("z", "lost", "a"))

    assert [each.environment for each in found.results] == ["z", "a", "b"]
    assert found.missing == ("lost",)
    assert found.exit_code == 1
    assert unexpected(found, ("z", "lost", "a")) == ("b",)


def test_without_expectations_they_come_by_name_and_none_is_missing() -> None:
    found = fan_in([result("b"), result("a")])

    assert [each.environment for each in found.results] == ["a", "b"]
    assert found.missing == ()
    assert found.exit_code == 0


def test_nothing_expected_and_nothing_found_is_in_order() -> None:
    assert fan_in([], expected=()).exit_code == 0


def test_of_one_environment_the_newest_counts_in_whatever_order_they_are_read() -> None:
    first = result(finished_at=later(5))
    again = result(finished_at=later(1), job=replace(JOB, attempt=2))
    last = result(finished_at=later(2), job=replace(JOB, attempt=2))

    for found in ([first, again, last], [last, again, first], [again, last, first]):
        assert fan_in(found).results == (last,)


@pytest.mark.parametrize(
    "other",
    [
        replace(JOB, run="9000000002"),
        replace(JOB, head=HEAD[::-1]),
        replace(JOB, pull=8),
        replace(JOB, repository="example/other"),
        Job(),
    ],
)
def test_results_of_two_runs_are_not_mixed(other: Job) -> None:
    with pytest.raises(UsageError) as raised:
        fan_in([result("a"), result("b", job=other)])

    assert "a report of both would be true of neither" in raised.value.what
    assert "The result of a is of run 9000000001 of example/infra at 3f2a91c" in raised.value.what

    with pytest.raises(UsageError) as raised:
        fan_in([result("a", job=other)], ours=JOB)
    assert "and this is run 9000000001" in raised.value.what


def test_a_mixture_within_one_environment_is_one_too() -> None:
    with pytest.raises(UsageError, match="true of neither"):
        fan_in([result("a"), result("a", job=replace(JOB, run="2", number=99))])


def test_the_run_that_reports_knows_better_where_it_is() -> None:
    told = replace(JOB, url="https://example.com/elsewhere", workflow="Other")
    ours = replace(JOB, attempt=2)

    found = fan_in([result(job=told)], ours=ours)

    assert found.job == found.by == ours
    assert found.results[0].job == replace(ours, attempt=1)
    assert found.results[0].notes == ("From attempt 1 of the run; this report is of 2.",)


def test_what_an_earlier_attempt_left_says_nothing_where_all_jobs_were_begun_anew() -> None:
    ours = replace(JOB, attempt=2)
    again = result("again", job=ours)
    left = [result("again"), result("died"), again]

    found = fan_in(left, expected=("again", "died"), ours=ours, attempt=2)

    assert found.results == (again,)
    assert (found.missing, found.exit_code) == (("died",), 1)


def test_a_result_of_the_same_attempt_has_nothing_to_note() -> None:
    assert fan_in([result()], ours=JOB).results == (result(),)


def test_where_every_job_died_the_one_that_reports_still_knows_the_pull_request() -> None:
    found = fan_in([], expected=("prod",), ours=JOB)

    assert found.job.pull == 7
    assert found.missing == ("prod",)


def test_an_attempt_that_is_not_made_yet_is_not_believed() -> None:
    with pytest.raises(UsageError, match="attempt 999"):
        fan_in([result(job=replace(JOB, attempt=999))], ours=JOB)


def test_unreadable_files_fail_the_report() -> None:
    found = fan_in([result()], unreadable=["x: it is damaged"])

    assert found.exit_code == 1
    assert found.unreadable == ("x: it is damaged",)


def test_commits_without_a_run_are_named() -> None:
    local = Job(head=HEAD)

    with pytest.raises(UsageError, match="no run of a workflow at 3f2a91c"):
        fan_in([result("a"), result("b", job=local)])
    with pytest.raises(UsageError, match="run 7 of some repository,"):
        fan_in([result("a", job=Job(run="7"))], ours=replace(JOB, head=""))


def test_expectations_are_what_matrix_prints() -> None:
    text = matrix_json([("a", "c"), ("b",), ("a",)])

    assert expected_names(text.encode(), filename="matrix.json") == ("a", "c", "b")


@pytest.mark.parametrize(
    "data",
    [b"", b"[]", b'{"include": 3}', b"\xff", b"[" * 100_000, json.dumps({"matrix": []}).encode()],
)
def test_what_matrix_never_prints_is_refused(data: bytes) -> None:
    with pytest.raises(UsageError, match=r"matrix\.json is not a matrix of jobs"):
        expected_names(data, filename="matrix.json")


def test_of_many_names_the_first_are_said() -> None:
    assert named(["a", "b"]) == "a, b"
    assert named([str(n) for n in range(9)]) == "0, 1, 2, 3, 4, 5 and 3 more"
