"""What a workflow of ours does not do, whatever its matrix says."""

from __future__ import annotations

import subprocess
from pathlib import Path

import yaml

from driftctl_py.report.affected import matrix_json
from tests.github.expressions import evaluate, fill

WORKFLOWS = Path(__file__).parents[2] / ".github" / "workflows"


def test_environments_that_share_a_job_are_not_applied_without_their_reviewers() -> None:
    steps = yaml.safe_load((WORKFLOWS / "apply.yml").read_text())["jobs"]["apply"]["steps"]
    alone, shared = yaml.safe_load(matrix_json([["prod"], ["dev", "staging"]]))["include"]

    guard = steps[0]
    done = subprocess.run(["bash", "-e", "-c", guard["run"]], capture_output=True, check=False)

    # It is the first step: no credentials were given to the job yet.
    assert evaluate(guard["if"], {"matrix": shared}) is True
    assert evaluate(guard["if"], {"matrix": alone}) is False
    assert done.returncode == 1
    assert b"::error::More environments wait" in done.stdout


def test_no_comment_takes_the_place_of_another_that_waits_to_be_heard() -> None:
    job = yaml.safe_load((WORKFLOWS / "command.yml").read_text())["jobs"]["command"]
    pull = {"number": 7}

    groups = {
        fill(job["concurrency"]["group"], {"github": {"event": {"issue": pull, "comment": each}}})
        for each in ({"id": 1}, {"id": 2})
    }

    # Of what waits in a group GitHub keeps one, and anybody may write a comment.
    assert len(groups) == 2
    assert not job["concurrency"]["cancel-in-progress"]
