"""`report` as it is typed, with files that real results are in."""

from __future__ import annotations

import io
import json
import os
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from driftctl_py.adapters.result_files import ResultFiles
from driftctl_py.cli.main import main
from driftctl_py.core.result import Job, Result
from driftctl_py.core.result_json import MOST_BYTES, encode_result
from driftctl_py.report.affected import matrix_json
from tests.core.result_examples import EVERYTHING, FAILED, HEAD, JOB, REFUSED, result
from tests.forge_fake import TOKEN, FakeGitHub, fake_github, refused

Typed = Callable[..., tuple[int, str, str]]
HERE = replace(JOB, repository="example/infrastructure", base="b" * 40, merge="c" * 40)


@pytest.fixture
def typed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Typed:
    """Types a command in an empty directory, outside of any CI."""
    for name in list(os.environ):
        if name.startswith("GITHUB_"):
            monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DRIFTCTL_DATA_DIR", str(tmp_path / "data"))

    def run(*argv: str) -> tuple[int, str, str]:
        try:
            code = main(argv)
        except SystemExit as ended:
            code = int(ended.code or 0)
        said = capsys.readouterr()
        assert "Traceback" not in said.err
        return code, said.out, said.err

    return run


@pytest.fixture
def in_actions(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """As GitHub's runner sets it for a pull request."""

    def setup(**more: str) -> None:
        of_ours = {"sha": HEAD, "repo": {"full_name": HERE.repository}}
        pull = {"number": 7, "state": "open", "head": of_ours, "base": {"sha": HERE.base}}
        (tmp_path / "event.json").write_text(json.dumps({"pull_request": pull}))
        known = {
            "GITHUB_ACTIONS": "true",
            "GITHUB_EVENT_NAME": "pull_request",
            "GITHUB_EVENT_PATH": str(tmp_path / "event.json"),
            "GITHUB_OUTPUT": str(tmp_path / "output"),
            "GITHUB_REPOSITORY": HERE.repository,
            "GITHUB_RUN_ATTEMPT": str(HERE.attempt),
            "GITHUB_RUN_ID": HERE.run,
            "GITHUB_RUN_NUMBER": str(HERE.number),
            "GITHUB_SERVER_URL": "https://github.com",
            "GITHUB_SHA": HERE.merge,
            "GITHUB_STEP_SUMMARY": str(tmp_path / "summary.md"),
            "GITHUB_WORKFLOW": HERE.workflow,
        }
        for name, value in {**known, **more}.items():
            monkeypatch.setenv(name, value)

    return setup


@pytest.fixture
def github() -> Iterator[FakeGitHub]:
    with fake_github() as made:
        while made.add_pull(head=HEAD) < HERE.pull:
            pass
        yield made


def leave(directory: Path, *results: Result) -> None:
    directory.mkdir(exist_ok=True)
    for each in results:
        ResultFiles(MOST_BYTES).write(directory, each.environment, encode_result(each))


def document(typed: Typed, *argv: str) -> Any:
    return json.loads(typed("report", *argv, "--format", "json")[1])


def test_many_directories_are_one_report(tmp_path: Path, typed: Typed) -> None:
    leave(tmp_path / "a", EVERYTHING)
    leave(tmp_path / "b", result("qa"))

    found = document(typed, "a", "b")

    assert [each["environment"] for each in found["results"]] == ["prod", "qa"]
    assert found["exit_code"] == 2


@pytest.mark.parametrize(
    ("results", "codes"),
    [
        ([result()], (0, 0, 0)),
        ([EVERYTHING], (2, 0, 0)),
        ([EVERYTHING, FAILED], (1, 1, 0)),
        ([REFUSED], (1, 1, 0)),
    ],
)
def test_the_exit_code_is_what_was_asked_for(
    tmp_path: Path, typed: Typed, results: list[Result], codes: tuple[int, int, int]
) -> None:
    leave(tmp_path / "results", *results)

    for fail_on, code in zip(("findings", "failed", "never"), codes, strict=True):
        assert typed("report", "results", "--fail-on", fail_on)[0] == code


def test_what_is_expected_and_not_there_has_failed(tmp_path: Path, typed: Typed) -> None:
    leave(tmp_path / "results", result("qa"), result("surprise"))
    (tmp_path / "matrix.json").write_text(matrix_json([("prod", "qa"), ("dev",)]))

    code, out, err = typed("report", "results", "--expect", "matrix.json")

    assert code == 1
    assert "prod: failed: its job left no result" in out
    assert "warning: nobody expected a result of surprise" in err
    assert "error: no result that can be read of: prod, dev" in err


def test_expectations_can_be_piped(
    tmp_path: Path, typed: Typed, monkeypatch: pytest.MonkeyPatch
) -> None:
    piped = io.TextIOWrapper(io.BytesIO(matrix_json([]).encode()))
    monkeypatch.setattr("sys.stdin", piped)

    # No job had anything to do, so nothing was downloaded.
    assert typed("report", "gone", "--expect", "-") == (0, "No environment is concerned\n", "")
    monkeypatch.setattr("sys.stdin", None)
    assert "Standard input is closed" in typed("report", "gone", "--expect", "-")[2]


def test_expectations_that_cannot_be_read_are_an_error(tmp_path: Path, typed: Typed) -> None:
    (tmp_path / "matrix.json").write_text("[]")

    assert "cannot be read: No such file" in typed("report", ".", "--expect", "gone.json")[2]
    assert "is not a matrix of jobs" in typed("report", ".", "--expect", "matrix.json")[2]


def test_a_directory_that_is_not_there_is_an_error(typed: Typed) -> None:
    code, out, err = typed("report", "gone")

    assert (code, out) == (1, "")
    assert "error: gone is not a directory, so there are no results in it." in err


def test_damaged_files_are_named_and_fail(tmp_path: Path, typed: Typed) -> None:
    leave(tmp_path / "results", result())
    (tmp_path / "results" / "x.result.json").write_text('{"schema_version": 7}')
    (tmp_path / "results" / "y.result.json").write_text("[" * 100_000)

    code, out, err = typed("report", "results")

    assert code == 1
    assert "x.result.json: it is of version 7" in " ".join(out.split())
    assert "y.result.json" in err


def test_results_of_two_runs_are_an_error_that_says_so(tmp_path: Path, typed: Typed) -> None:
    leave(tmp_path / "results", result("a"), result("b", job=Job()))

    code, out, err = typed("report", "results")

    assert (code, out) == (1, "")
    assert "a report of both would be true of neither" in err


@pytest.mark.parametrize("format_", ["text", "markdown", "json", "junit", "sarif"])
def test_every_format_goes_into_a_file(tmp_path: Path, typed: Typed, format_: str) -> None:
    leave(tmp_path / "results", EVERYTHING)

    code, out, _ = typed("report", "results", "--format", format_, "--output", "report")

    assert (code, out) == (2, "")
    assert "aws_db_instance.main" in (tmp_path / "report").read_text()


def test_what_cannot_be_published_is_no_word_of_the_command_line(typed: Typed) -> None:
    code, _, err = typed("report", ".", "--publish", "comment,tweet")

    assert code == 1
    assert "unknown: tweet (known: comment, checks, statuses, labels, issues, summary)" in err


def test_where_to_publish_is_asked_before_anything_is_read(typed: Typed) -> None:
    code, _, err = typed("report", "gone", "--publish", "comment")
    assert code == 1
    assert "GITHUB_REPOSITORY is not set" in err

    code, _, err = typed("report", "gone", "--publish", "summary")
    assert code == 1
    assert "GITHUB_STEP_SUMMARY" in err


def test_a_report_is_published_and_told_to_the_steps_after_it(
    tmp_path: Path, typed: Typed, in_actions: Callable[..., None], github: FakeGitHub
) -> None:
    in_actions(GITHUB_API_URL=github.url, GITHUB_TOKEN=TOKEN)
    leave(tmp_path / "results", replace(EVERYTHING, job=HERE))
    (tmp_path / "summary.md").write_text("before\n")

    code, _, err = typed("report", "results", "--publish", "summary,comment")

    assert code == 2
    (body,) = github.bodies(7)
    assert "aws_db_instance.main" in body
    assert "summary: written\n" in err
    assert "comment: written http" in err
    summary = (tmp_path / "summary.md").read_text()
    assert summary.startswith("before\n### ")
    assert "aws_db_instance.main" in summary
    output = (tmp_path / "output").read_text()
    assert "comment_url<<driftctl-" in output
    assert "\nhttp" in output
    assert TOKEN not in output + summary + body + err


def test_where_all_jobs_died_the_pull_request_hears_of_it(
    tmp_path: Path, typed: Typed, in_actions: Callable[..., None], github: FakeGitHub
) -> None:
    in_actions(GITHUB_API_URL=github.url, GITHUB_TOKEN=TOKEN)
    (tmp_path / "matrix.json").write_text(matrix_json([("prod",)]))

    code, _, _ = typed("report", "gone", "--expect", "matrix.json", "--publish", "comment")

    assert code == 1
    (body,) = github.bodies(7)
    assert "prod" in body


def test_what_could_not_be_published_fails_whatever_was_found(
    tmp_path: Path, typed: Typed, in_actions: Callable[..., None], github: FakeGitHub
) -> None:
    in_actions(GITHUB_API_URL=github.url, GITHUB_TOKEN=TOKEN)
    github.next(refused(403, "Resource not accessible by integration"), "POST")
    leave(tmp_path / "results", result(job=HERE))

    code, out, err = typed("report", "results", "--publish", "comment", "--fail-on", "never")

    assert code == 1
    assert "prod" in out
    assert "error: comment: " in err
    assert "status<<" in (tmp_path / "output").read_text()


def test_results_of_another_run_of_this_workflow_are_refused(
    tmp_path: Path, typed: Typed, in_actions: Callable[..., None]
) -> None:
    in_actions()
    leave(tmp_path / "results", result(job=replace(HERE, run="1", number=1)))

    code, _, err = typed("report", "results")

    assert code == 1
    assert "is of run 1 of example/infrastructure" in err


def test_a_file_of_the_runner_that_cannot_be_written_is_an_error(
    tmp_path: Path, typed: Typed, in_actions: Callable[..., None]
) -> None:
    in_actions(GITHUB_OUTPUT=str(tmp_path / "gone" / "output"))
    leave(tmp_path / "results", result(job=HERE))

    code, _, err = typed("report", "results")

    assert code == 1
    assert "The file that GITHUB_OUTPUT names cannot be written" in err


def test_nothing_is_checked_where_no_result_could_be_left(tmp_path: Path, typed: Typed) -> None:
    (tmp_path / "file").touch()

    for command in (["check"], ["plan", "prod"], ["apply", "prod"], ["review", "--base", "main"]):
        code, _, err = typed(*command, "--results", "file")

        assert code == 1
        assert "Results cannot be written to file" in err


def test_what_fails_before_there_is_a_run_is_a_result_of_what_was_named(
    tmp_path: Path, typed: Typed
) -> None:
    for command in (["check", "a", "b"], ["review", "c", "--base", "main"], ["plan", "d"]):
        assert typed(*command, "--results", "results")[0] == 1

    found = document(typed, "results")

    assert [(each["environment"], each["status"]) for each in found["results"]] == [
        ("a", "failed"),
        ("b", "failed"),
        ("c", "failed"),
        ("d", "failed"),
    ]
    assert all("There is no driftctl.yaml" in each["reason"] for each in found["results"])
