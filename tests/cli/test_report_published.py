"""`report --publish` as a job of GitHub Actions types it: real files, real words, real requests."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from driftctl_py.adapters.result_files import ResultFiles
from driftctl_py.cli.main import main
from driftctl_py.core.assessment import Totals
from driftctl_py.core.check import Verdict
from driftctl_py.core.github_event import read_event
from driftctl_py.core.result import Gated, Item, Occasion, Result, Standing
from driftctl_py.core.result_json import MOST_BYTES, encode_result
from tests.adapters.test_git import Repository, environ, here
from tests.forge_fake import TOKEN, FakeGitHub, fake_github

__all__ = ["environ", "here"]  # fixtures

NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)
HEAD, BASE, MERGE = "a" * 40, "b" * 40, "c" * 40
REPOSITORY = "example/infrastructure"
CONFIG = """\
environments:
  - path: environments/prod
    labels: {owner: dba}
people: {ada: ["github:ada"]}
groups: {dba: [ada]}
"""
REPLACED = Item(
    "aws_db_instance.main",
    "replace",
    "commit",
    destroys=True,
    lines=("-/+ aws_db_instance.main", '-     engine_version  "15.4"'),
    file="environments/prod/main.tf",
    line=3,
)
DRIFTED = Item(
    "aws_s3_bucket.assets", "update", "drift", destroys=False, lines=("! aws_s3_bucket.assets",)
)
PLANNED = Result(
    "prod",
    "environments/prod",
    Occasion.REVIEW,
    Verdict.PENDING,
    NOON,
    1.0,
    totals=Totals(add=1, destroy=1),
    drifted=0,
    items=(REPLACED,),
    gate=Gated(Standing.HELD, needs="1 of: dba (ada)"),
)


class Actions:
    """One repository's jobs."""

    def __init__(self, root: Path, github: FakeGitHub, environment: pytest.MonkeyPatch) -> None:
        self.root = root
        self.github = github
        self._environment = environment

    def report(
        self, run: int, event: str, payload: object, *results: Result, attempt: int = 1
    ) -> Callable[..., int]:
        """The last job of a run: what is typed in it ends with the code that comes back."""
        directory = self.root / f"results-{run}-{attempt}"
        directory.mkdir()
        payload_path = directory.with_suffix(".json")
        payload_path.write_text(json.dumps(payload))
        variables = {
            "GITHUB_API_URL": self.github.url,
            "GITHUB_EVENT_NAME": event,
            "GITHUB_EVENT_PATH": str(payload_path),
            "GITHUB_REPOSITORY": REPOSITORY,
            "GITHUB_RUN_ATTEMPT": str(attempt),
            "GITHUB_RUN_ID": str(900 + run),
            "GITHUB_RUN_NUMBER": str(run),
            "GITHUB_SERVER_URL": "https://github.example",
            "GITHUB_SHA": MERGE,
            "GITHUB_TOKEN": TOKEN,
            "GITHUB_WORKFLOW": "plan",
        }
        job = read_event(variables, json.dumps(payload).encode()).job
        for result in results:
            data = encode_result(replace(result, job=job))
            ResultFiles(MOST_BYTES).write(directory, result.environment, data)
        for name, value in variables.items():
            self._environment.setenv(name, value)
        return lambda *argv: main(["report", str(directory), *argv])


@pytest.fixture
def actions(here: Repository, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Actions]:
    for name in ("GITHUB_OUTPUT", "GITHUB_STEP_SUMMARY", "GH_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    for name, value in here.environ.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("DRIFTCTL_DATA_DIR", str(tmp_path / "own"))
    here.write("environments/prod/main.tf", "# prod\n")
    here.commit("driftctl.yaml", CONFIG)
    monkeypatch.chdir(here.path)
    with fake_github() as github:
        github.add_pull(head=HEAD, base=BASE)
        yield Actions(tmp_path, github, monkeypatch)


def opened(number: int = 1) -> object:
    return {
        "pull_request": {
            "number": number,
            "state": "open",
            "head": {"sha": HEAD, "repo": {"full_name": REPOSITORY}},
            "base": {"sha": BASE},
        }
    }


def test_a_plan_is_told_on_its_pull_request_in_every_way(
    actions: Actions, capsys: pytest.CaptureFixture[str]
) -> None:
    report = actions.report(11, "pull_request", opened(), PLANNED)

    code = report("--publish", "comment,labels,checks,statuses")

    assert code == 2
    github = actions.github
    (body,) = github.bodies(1)
    marker, headline = body.split("\n")[:2]
    assert marker.startswith('<!-- driftctl-py: {"v":1,"kind":"plan",')
    assert "destroys 1" in headline
    assert github.issues[1].labels == [
        "driftctl:destroys",
        "driftctl:changes",
        "driftctl:needs-approval",
    ]
    checks = {each.sent["name"]: each for each in github.checks_of(HEAD)}
    assert {name: each.sent["conclusion"] for name, each in checks.items()} == {
        "driftctl/all": "action_required",
        "driftctl/prod": "action_required",
    }
    assert [each["path"] for each in checks["driftctl/prod"].annotations] == [
        "environments/prod/main.tf"
    ]
    assert {sent["context"]: sent["state"] for _, sent in github.statuses} == {
        "driftctl/all": "pending",
        "driftctl/prod": "pending",
    }
    said = capsys.readouterr()
    assert "comment: written" in said.err
    assert TOKEN not in said.out + said.err


def test_a_second_attempt_that_finds_the_same_writes_no_second_time(actions: Actions) -> None:
    actions.report(11, "pull_request", opened(), PLANNED)("--publish", "comment,labels")
    before = list(actions.github.writes)

    again = actions.report(11, "pull_request", opened(), PLANNED, attempt=2)
    code = again("--publish", "comment,labels")

    assert code == 2
    assert actions.github.writes == before


def test_what_was_applied_is_told_on_the_pull_request_that_was_merged(actions: Actions) -> None:
    actions.report(11, "pull_request", opened(), PLANNED)("--publish", "comment")
    actions.github.issues[1].open = False
    applied = replace(PLANNED, occasion=Occasion.APPLY, state="applied", gate=None)
    push = {"before": BASE, "after": MERGE}

    actions.report(12, "push", push, applied)("--publish", "comment,statuses")

    plan, apply = actions.github.bodies(1)
    assert '"kind":"plan"' in plan.split("\n")[0]
    assert '"kind":"apply"' in apply.split("\n")[0]
    assert "Applied" in apply
    assert {(commit, sent["state"]) for commit, sent in actions.github.statuses} == {
        (MERGE, "success")
    }


def test_drift_is_an_issue_for_whom_the_environment_names_as_owner(
    actions: Actions, capsys: pytest.CaptureFixture[str]
) -> None:
    actions.github.roles["ada"] = "write"
    found = replace(
        PLANNED,
        occasion=Occasion.CHECK,
        verdict=Verdict.DRIFTED,
        totals=Totals(change=1),
        drifted=1,
        items=(DRIFTED,),
        gate=None,
    )
    healed = replace(found, verdict=Verdict.IN_SYNC, totals=Totals(), drifted=0, items=())

    first = actions.report(11, "schedule", {}, found)("--publish", "issues")
    issue = actions.github.issues[2]
    was = (issue.title, issue.open, issue.labels, issue.assignees)
    second = actions.report(12, "schedule", {}, healed)("--publish", "issues")

    assert (first, second) == (2, 0), capsys.readouterr().err
    assert was == ("Drift in prod: 1 object", True, ["driftctl:drift"], ["ada"])
    assert "aws_s3_bucket.assets" in (issue.body or "")
    assert not issue.open
    assert len(actions.github.bodies(2)) == 1


def test_what_could_not_be_published_is_told_and_the_exit_code_is_1(
    actions: Actions, capsys: pytest.CaptureFixture[str]
) -> None:
    actions.github.permissions.discard("checks")
    report = actions.report(11, "pull_request", opened(), PLANNED)

    code = report("--publish", "comment,checks", "--fail-on", "never")

    assert code == 1
    assert len(actions.github.bodies(1)) == 1
    assert "checks: write" in capsys.readouterr().err


def test_a_scope_that_cannot_be_part_of_a_label_is_refused_at_once(
    actions: Actions, capsys: pytest.CaptureFixture[str]
) -> None:
    report = actions.report(11, "pull_request", opened(), PLANNED)

    code = report("--publish", "comment", "--scope", "a b")

    assert code == 1
    assert "cannot be a scope" in capsys.readouterr().err
    assert actions.github.requests == []
