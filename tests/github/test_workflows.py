"""What a workflow of ours does not do, whatever its matrix says."""

from __future__ import annotations

import subprocess
from pathlib import Path

import yaml

from driftctl_py.report.affected import matrix_json
from tests.github.expressions import evaluate

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
