"""What a workflow of ours does not do, whatever its matrix says."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import yaml

from driftctl_py.adapters.git_contents import GitContents
from driftctl_py.core.environment import Source
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


def test_a_review_knows_who_wrote_what_is_proposed_and_takes_nobody_else_for_them(
    tmp_path: Path,
) -> None:
    origin, checkout = tmp_path / "origin", tmp_path / "checkout"
    file = origin / "environments" / "prod" / "main.tf"
    file.parent.mkdir(parents=True)
    git(origin, "init", "--quiet", "--initial-branch=main")
    commit(file, "first", "ada")
    applied = git(origin, "rev-parse", "HEAD")
    git(origin, "switch", "--quiet", "--create", "faster")
    commit(file, "second", "grace")
    commit(file, "third", "linus")
    git(origin, "switch", "--quiet", "main")
    merge = ["merge", "--quiet", "--no-ff", "--message=Merge", "faster"]
    git(origin, *who("linus"), *merge)
    steps = yaml.safe_load((WORKFLOWS / "plan.yml").read_text())["jobs"]["plan"]["steps"]
    depth = steps[0]["with"]["fetch-depth"]
    shallow = [f"--depth={depth}"] if depth else []
    git(tmp_path, "clone", "--quiet", *shallow, origin.as_uri(), str(checkout))

    with GitContents(tmp_path / "data", here=checkout, environ=dict(os.environ)) as contents:
        source = Source("default")
        revision = contents.resolve(source)
        found = contents.authors(source, [applied], revision, ["environments/prod"])

    assert found == ("grace@example.com", "linus@example.com")


def git(directory: Path, *words: str) -> str:
    done = subprocess.run(
        ["git", *words], cwd=directory, check=True, capture_output=True, text=True
    )
    return done.stdout.strip()


def who(name: str) -> list[str]:
    return ["-c", f"user.name={name}", "-c", f"user.email={name}@example.com"]


def commit(file: Path, text: str, name: str) -> None:
    file.write_text(f"# {text}\n")
    git(file.parent, "add", ".")
    git(file.parent, *who(name), "commit", "--quiet", f"--message={text}")
