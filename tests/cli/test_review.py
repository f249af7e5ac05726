"""`review` as it is typed: what its exit code says of many."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from driftctl_py.app.reconcile import Outcome
from driftctl_py.cli.main import main, parser
from driftctl_py.cli.review import exit_code
from driftctl_py.core.approval import Requirement, Standing
from driftctl_py.core.decision import Apply, Hold, Judgement, Nothing, Refuse
from driftctl_py.core.run import State
from driftctl_py.errors import Interrupted, SourceError
from tests.report.run_examples import run

RUN = run(State.REVIEWED)
IN_SYNC = Outcome(RUN, Nothing("Code, state and cloud are one."))
ALLOWED = Outcome(RUN, Apply(Judgement()))
HELD = Outcome(RUN, Hold(Judgement(), Requirement(), Standing(missing=1)))
REFUSED = Outcome(RUN, Refuse(("No.",)))
FAILED = Outcome(run(State.FAILED), error=SourceError("It is not there."))
STOPPED = Outcome(run(State.INTERRUPTED), error=Interrupted("Stopped."))


@pytest.mark.parametrize(
    ("outcomes", "code"),
    [
        ((), 0),
        ((IN_SYNC,), 0),
        ((IN_SYNC, ALLOWED), 2),
        ((HELD,), 2),
        ((ALLOWED, REFUSED), 1),
        ((HELD, FAILED, IN_SYNC), 1),
        ((REFUSED, STOPPED), 130),
    ],
)
def test_the_gravest_of_all_is_the_exit_code(outcomes: tuple[Outcome, ...], code: int) -> None:
    assert exit_code(outcomes) == code


def test_a_review_is_always_of_something_into_something() -> None:
    with pytest.raises(SystemExit):
        parser("review").parse_args(["review", "prod"])

    typed = parser("review").parse_args(["review", "prod", "dev", "--base", "main"])
    assert (typed.environments, typed.base) == (["prod", "dev"], "main")


@pytest.mark.parametrize(
    ("name", "head"),
    [
        ("pull_request", {"full_name": "mallory/infra"}),
        ("pull_request", None),
        # Which runs with all that the base may, and is not what our workflows run on.
        ("pull_request_target", {"full_name": "mallory/infra"}),
    ],
)
def test_nothing_of_a_fork_is_planned_whatever_a_workflow_says(
    name: str,
    head: dict[str, str] | None,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    commit = "3f2a91c" * 5 + "3f2a9"
    ends = {"head": {"sha": commit, "repo": head}, "base": {"sha": commit}}
    event = tmp_path / "event.json"
    event.write_text(json.dumps({"pull_request": {"number": 7, "state": "open", **ends}}))
    monkeypatch.setenv("GITHUB_EVENT_NAME", name)
    monkeypatch.setenv("GITHUB_EVENT_PATH", str(event))
    monkeypatch.setenv("GITHUB_REPOSITORY", "example/infra")
    monkeypatch.chdir(tmp_path)

    assert main(["review", "--base", "main"]) == 1

    assert f"on {name} for what comes from a fork, or may" in capsys.readouterr().err


def test_since_when_is_said_in_one_way() -> None:
    for words in (["affected"], ["affected", "--base", "main", "--since-applied"]):
        with pytest.raises(SystemExit):
            parser("affected").parse_args(words)
    assert parser("matrix").parse_args(["matrix", "--since-applied"]).since_applied
