"""From a pull request to an applied change and back from drift, in GitHub's own order.

The workflows are those that users get, run as they lie in the repository, each job on a machine
that forgets; engine, Git and S3 are real, and GitHub is one that remembers, asked over HTTP.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from driftctl_py.compose.workflows import workflow_files
from driftctl_py.core.workflows import Choices
from tests.e2e.playing import ENVIRONMENTS, Playground, playing
from tests.forge_fake import TOKEN, FakeGitHub, fake_github
from tests.github.workflow_runner import GitHub, JobRun, WorkflowRun

pytestmark = [pytest.mark.engine, pytest.mark.timeout(400)]

PROGRAM = Path(sys.executable).with_name("driftctl-py")
REPOSITORY = "example/infra"
# What staging and prod have and dev has not: so a change of it concerns two of three.
EDGE = """\
terraform {
  required_providers {
    folder = {
      source  = "demo.driftctl.example/driftctl/folder"
      version = "~> 1.0"
    }
  }
}

resource "folder_bucket" "logs" {
  name        = "logs"
  versioned   = false
  expire_days = 30
  tags        = {}
}
"""
USES_EDGE = '\nmodule "edge" {\n  source = "../../modules/edge"\n}\n'


@dataclass
class World:
    """A repository on GitHub, its cloud, and what its workflows write."""

    ground: Playground
    actions: GitHub
    forge: FakeGitHub

    @property
    def infra(self) -> Path:
        return self.ground.directory / "infra"

    def git(self, *words: str) -> str:
        who = ["-c", "user.name=Ada Lovelace", "-c", "user.email=ada@example.com"]
        done = subprocess.run(
            ["git", "-C", str(self.infra), *who, *words],
            check=True,
            capture_output=True,
            text=True,
        )
        return done.stdout.strip()

    def change(self, branch: str, old: str, new: str, *, path: str) -> None:
        """One more commit on a branch, which begins where main is."""
        made = self.git("branch", "--list", branch)
        self.git("switch", "--quiet", *([] if made else ["--create"]), branch)
        file = self.infra / path
        file.write_text(file.read_text().replace(old, new))
        assert self.git("diff", "--stat")
        self.git("commit", "--quiet", "--all", "--message=Change")
        self.git("switch", "--quiet", "main")

    def pull(self, branch: str, number: int) -> WorkflowRun:
        """What GitHub starts for a pull request that was opened or pushed to: at its merge."""
        base, head = self.git("rev-parse", "main"), self.git("rev-parse", branch)
        tree = self.git("merge-tree", "--write-tree", base, head).splitlines()[0]
        merge = self.git("commit-tree", tree, "-p", base, "-p", head, "-m", "Merge")
        self.git("update-ref", f"refs/pull/{number}/merge", merge)
        there = self.forge.issues[number]
        there.head, there.base, there.merge = head, base, merge
        ours = {"full_name": REPOSITORY, "default_branch": "main"}
        payload = {
            "action": "synchronize",
            "repository": ours,
            "sender": {"login": "ada"},
            "pull_request": {
                "number": number,
                "state": "open",
                "head": {"sha": head, "ref": branch, "repo": ours},
                "base": {"sha": base, "ref": "main", "repo": ours},
            },
        }
        return self.actions.start(
            "plan", "pull_request", payload, ref=f"refs/pull/{number}/merge", sha=merge
        )

    def merge(self, branch: str, number: int) -> WorkflowRun:
        """Merge it, and what GitHub starts then."""
        before = self.git("rev-parse", "main")
        self.git("merge", "--quiet", "--no-ff", branch, "--message=Merge")
        there = self.forge.issues[number]
        there.open, there.merge = False, self.git("rev-parse", "main")
        return self.push(before)

    def says(self, login: str, number: int, body: str) -> dict[str, list[JobRun]]:
        """Somebody comments on a pull request, and what GitHub starts then."""
        comment = self.forge.comment_by(login, number, body)
        payload = {
            "action": "created",
            "repository": {"full_name": REPOSITORY, "default_branch": "main"},
            "issue": {"number": number, "state": "closed", "pull_request": {"url": "there"}},
            "comment": {"id": comment, "body": body, "user": {"login": login}},
        }
        sha = self.git("rev-parse", "main")
        run = self.actions.start(
            "command", "issue_comment", payload, ref="refs/heads/main", sha=sha
        )
        jobs = ended_well(run)
        assert (self.forge.login, "rocket") in self.forge.comments[comment].reactions
        return jobs

    def dispatched(self) -> WorkflowRun:
        """What somebody, or a command, began by hand."""
        ((file, ref, inputs),) = self.forge.dispatched
        self.forge.dispatched.clear()
        sha = self.git("rev-parse", ref)
        return self.actions.start(
            file.removesuffix(".yml"),
            "workflow_dispatch",
            {"inputs": inputs},
            ref=f"refs/heads/{ref}",
            sha=sha,
            inputs=inputs,
        )

    def push(self, before: str) -> WorkflowRun:
        after = self.git("rev-parse", "main")
        payload = {"before": before, "after": after, "repository": {"full_name": REPOSITORY}}
        return self.actions.start("apply", "push", payload, ref="refs/heads/main", sha=after)

    def look(self) -> dict[str, list[JobRun]]:
        """The scheduled look for drift."""
        sha = self.git("rev-parse", "main")
        run = self.actions.start("drift", "schedule", {}, ref="refs/heads/main", sha=sha)
        return ended_well(run)

    def comments(self, number: int) -> list[str]:
        return self.forge.bodies(number)

    def bucket(self, environment: str) -> Any:
        path = self.ground.directory / "cloud" / environment / "bucket-logs.json"
        return json.loads(path.read_text())["expire_days"]


def ended_well(run: WorkflowRun) -> dict[str, list[JobRun]]:
    jobs = run.all()
    assert "failure" not in run.results.values(), "\n".join(
        each.log for group in jobs.values() for each in group
    )
    return jobs


@contextmanager
def world_below(root: Path) -> Iterator[World]:
    root.mkdir(exist_ok=True)
    with playing(root) as ground, fake_github(repository=REPOSITORY) as forge:
        environ = {
            **{name: value for name, value in ground.environ.items() if name != "PYTHONPATH"},
            "AWS_ACCESS_KEY_ID": "demo",
            "AWS_SECRET_ACCESS_KEY": "demo",
            "AWS_EC2_METADATA_DISABLED": "true",
            "GITHUB_TOKEN": TOKEN,
        }
        actions = GitHub(
            root / "actions",
            ground.directory / "infra",
            REPOSITORY,
            environ,
            PROGRAM,
            {
                "DRIFTCTL_PLAN_ROLE": "arn:aws:iam::123456789012:role/plan",
                "DRIFTCTL_APPLY_ROLE": "arn:aws:iam::123456789012:role/apply",
                "DRIFTCTL_APPROVE_ROLE": "arn:aws:iam::123456789012:role/approve",
                "DRIFTCTL_AWS_REGION": "eu-central-1",
            },
            forge.url,
        )
        forge.roles |= {"ada": "write", "grace": "maintain"}
        forge.workflows["apply.yml"] = ("environment",)
        world = World(ground, actions, forge)
        settle(world)
        yield world


def settle(world: World) -> None:
    """What somebody sets up once: the workflows, a memory in the bucket, a first apply."""
    choices = Choices("main", "driftctl.yaml", "driftctl-py", "embedded", "1.15.5", REPOSITORY)
    for name, text in workflow_files(choices).items():
        path = world.infra / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    config = yaml.safe_load(world.ground.config.read_text())
    state = config["state"]["s3"]
    del config["data_dir"]
    config["engine"]["provider_mirror"] = str(world.ground.directory / "mirror")
    config["store"] = "artifacts"
    config["artifacts"] = {
        "s3": {
            "bucket": state["bucket"],
            "region": state["region"],
            "endpoint": state["endpoint"],
            "prefix": "driftctl",
        }
    }
    config["defaults"]["apply"] = {"drift": "auto", "git": "auto"}
    config["people"] = {"ada": ["github:ada", "ada@example.com"], "grace": ["github:grace"]}
    config["groups"] = {"owners": ["ada", "grace"]}
    world.ground.config.write_text(yaml.safe_dump(config, sort_keys=False))
    edge = world.infra / "modules" / "edge"
    edge.mkdir()
    (edge / "main.tf").write_text(EDGE)
    for name in ("staging", "prod"):
        main = world.infra / "environments" / name / "main.tf"
        main.write_text(main.read_text() + USES_EDGE)
    world.git("add", "--all")
    world.git("commit", "--quiet", "--message=Set up GitHub")
    # What nobody reviewed is for a person to apply, once.
    for name in ENVIRONMENTS:
        done = subprocess.run(
            [str(PROGRAM), "apply", name],
            cwd=world.infra,
            env={**world.actions.environ, "DRIFTCTL_DATA_DIR": str(world.ground.directory / "own")},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
    config["defaults"]["apply"]["drift"] = "gate"
    config["defaults"]["approval"] = {"groups": ["owners"]}
    config["overrides"] = {"prod": {"apply": {"git": "gate"}}}
    world.ground.config.write_text(yaml.safe_dump(config, sort_keys=False))
    world.git("commit", "--quiet", "--all", "--message=Ask before drift, and prod, are changed")


def test_from_a_pull_request_to_an_issue_that_closes_itself(tmp_path: Path) -> None:
    with world_below(tmp_path / "world") as world:
        number = world.forge.add_pull()
        world.change(
            "shorter", "expire_days = 30", "expire_days = 8191", path="modules/edge/main.tf"
        )

        # A pull request that changes a module: planned where that is used, and nowhere else.
        first = world.pull("shorter", number)
        first.job("which")
        matrix = json.loads(first.outputs["which"]["matrix"])
        first.job("plan")

        assert sorted(each["name"] for each in matrix["include"]) == ["prod", "staging"]
        assert sorted(each.name for each in first.jobs["plan"]) == ["prod", "staging"]

        # A second push, which is reported before the first.
        world.change(
            "shorter", "expire_days = 8191", "expire_days = 7", path="modules/edge/main.tf"
        )
        second = world.pull("shorter", number)
        ended_well(second)
        (comment,) = world.comments(number)
        first.job("report")

        assert world.comments(number) == [comment]
        assert set(re.findall(r"expire_days\D+(\d+)", comment)) == {"30", "7"}

        # Merged: planned again, and applied because it means what was reviewed. Prod waits for
        # somebody else's yes.
        ended_well(world.merge("shorter", number))

        assert (world.bucket("staging"), world.bucket("prod")) == (7, 30)

        # The line that the comment has ready, and one more.
        (approve,) = re.findall("^/driftctl approve .* prod$", comment, re.MULTILINE)
        world.says("grace", number, approve)
        world.says("ada", number, "/driftctl apply prod")
        ended_well(world.dispatched())

        assert world.bucket("prod") == 7

        # Somebody changes the cloud: an issue, which is closed when it is put back.
        world.ground.drift("prod", cpus=16)
        world.look()
        issues = {number: each for number, each in world.forge.issues.items() if not each.head}
        ((issue, opened),) = issues.items()

        assert opened.open
        assert "prod" in opened.title
        assert "cpus" in (opened.body or "")

        world.ground.drift("prod", cpus=4)
        world.look()

        assert not world.forge.issues[issue].open
