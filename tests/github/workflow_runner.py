"""GitHub Actions, as far as our workflows go: they are run as they lie in the repository.

Each job has a machine of its own: a new checkout, a new directory for temporary files, nothing of
the job before but artifacts and outputs. What is of others (`uses: actions/checkout`) is done as
those do it; set-up actions bring nothing, since the programs are here, and credentials are the
test's. Our own action and every `run` step are run for real.
"""

from __future__ import annotations

import json
import shutil
import subprocess
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from tests.github.expressions import evaluate, fill
from tests.github.runner import Runner, Stepped

BRANCH = "refs/heads/"


@dataclass(slots=True)
class GitHub:
    """A repository with workflows. ``environ`` is what each machine has: PATH, a HOME, credentials;
    ``variables`` are the repository's; ``program`` is the driftctl-py that our action finds
    installed."""

    root: Path
    origin: Path
    name: str
    environ: dict[str, str]
    program: Path
    variables: dict[str, str] = field(default_factory=dict)
    api: str = ""
    _numbers: Counter[str] = field(default_factory=Counter)

    def start(
        self,
        workflow: str,
        event: str,
        payload: Mapping[str, Any],
        *,
        ref: str,
        sha: str,
        inputs: Mapping[str, str] | None = None,
    ) -> WorkflowRun:
        """A run of ``workflow`` (``plan``), of which no job has begun. Which file it is made of is
        decided by the commit, as GitHub does."""
        self._numbers[workflow] += 1
        text = _git(self.origin, "show", f"{sha}:.github/workflows/{workflow}.yml")
        directory = self.root / "runs" / f"{workflow}-{self._numbers[workflow]}"
        directory.mkdir(parents=True)
        (directory / "event.json").write_text(json.dumps(payload))
        return WorkflowRun(
            self,
            yaml.safe_load(text),
            directory,
            event,
            dict(payload),
            ref,
            sha,
            self._numbers[workflow],
            dict(inputs or {}),
        )


@dataclass(frozen=True, slots=True)
class JobRun:
    """One job, or one of a matrix, as it ended: ``steps`` that ran, in their order."""

    name: str
    ok: bool
    steps: tuple[tuple[str, Stepped], ...]
    outputs: Mapping[str, str]

    @property
    def log(self) -> str:
        return "\n".join(f"{name}: {each.code}\n{each.out}{each.err}" for name, each in self.steps)

    @property
    def summary(self) -> str:
        return "".join(each.summary for _, each in self.steps)


@dataclass(slots=True)
class WorkflowRun:
    """Its jobs are run by name, one after the other, so that a test may put things in between."""

    github: GitHub
    workflow: dict[Any, Any]
    directory: Path
    event: str
    payload: dict[str, Any]
    ref: str
    sha: str
    number: int
    inputs: dict[str, str]
    results: dict[str, str] = field(default_factory=dict)
    outputs: dict[str, Mapping[str, str]] = field(default_factory=dict)
    jobs: dict[str, list[JobRun]] = field(default_factory=dict)

    def all(self) -> dict[str, list[JobRun]]:
        """Run every job that has not run yet."""
        for name in self.workflow["jobs"]:
            if name not in self.results:
                self.job(name)
        return self.jobs

    def job(self, name: str) -> list[JobRun]:
        """Run one job, each of its matrix; those that it needs first."""
        job = self.workflow["jobs"][name]
        needs = job.get("needs", [])
        for need in [needs] if isinstance(needs, str) else needs:
            if need not in self.results:
                self.job(need)
        if not self._wanted(job):
            self.results[name] = "skipped"
            self.outputs[name] = {}
            return []
        found = [
            self._run(name, job, index, entry) for index, entry in enumerate(self._matrix(job))
        ]
        self.jobs[name] = found
        self.results[name] = "success" if all(each.ok for each in found) else "failure"
        self.outputs[name] = found[0].outputs if found else {}
        return found

    def _wanted(self, job: Mapping[str, Any]) -> bool:
        needs = job.get("needs", [])
        needed = [self.results[each] for each in ([needs] if isinstance(needs, str) else needs)]
        condition = job.get("if")
        if condition is None:
            return all(each == "success" for each in needed)
        says_when = any(word in condition for word in ("always()", "cancelled()", "failure()"))
        ready = says_when or all(each == "success" for each in needed)
        return ready and bool(evaluate(condition, self._contexts()))

    def _matrix(self, job: Mapping[str, Any]) -> list[dict[str, str]]:
        matrix = job.get("strategy", {}).get("matrix")
        if matrix is None:
            return [{}]
        known = evaluate(matrix, self._contexts())
        assert set(known) == {"include"}
        return list(known["include"])

    def _contexts(self, **more: Any) -> dict[str, Any]:
        github = {
            "event": self.payload,
            "event_name": self.event,
            "repository": self.github.name,
            "sha": self.sha,
            "ref": self.ref,
            "token": self.github.environ.get("GITHUB_TOKEN", "a-token"),
            "workflow": self.workflow["name"],
            "run_id": str(1000 + self.number),
            "run_attempt": "1",
        }
        return {
            "github": github,
            "vars": self.github.variables,
            "inputs": self.inputs,
            "needs": {
                name: {"result": result, "outputs": self.outputs[name]}
                for name, result in self.results.items()
            },
            "runner": {"os": "Linux", "arch": "X64"},
            "functions": {"cancelled": lambda: False, "always": lambda: True},
            **more,
        }

    def _run(
        self, name: str, job: Mapping[str, Any], index: int, entry: Mapping[str, str]
    ) -> JobRun:
        machine = self.directory / f"{name}-{index}"
        checkout, temp = machine / "work", machine / "temp"
        checkout.mkdir(parents=True)
        temp.mkdir()
        contexts = self._contexts(matrix=entry, strategy={"job-index": index})
        contexts["runner"] = {**contexts["runner"], "temp": str(temp)}
        made = _Machine(self, checkout, temp, contexts)
        done: list[tuple[str, Stepped]] = []
        ok = True
        for step in job["steps"]:
            # A step without a condition is not run after one that failed.
            if not (evaluate(step["if"], contexts) if "if" in step else ok):
                continue
            ran = made.step(step)
            if ran is not None:
                done.append((step.get("id", step.get("name", step.get("uses", "run"))), ran))
                ok = ok and ran.code == 0
        outputs = {
            output: fill(text, {**contexts, "steps": made.steps})
            for output, text in job.get("outputs", {}).items()
        }
        title = fill(job.get("name", name), contexts)
        return JobRun(title, ok, tuple(done), outputs)


@dataclass(slots=True)
class _Machine:
    run: WorkflowRun
    checkout: Path
    temp: Path
    contexts: dict[str, Any]
    steps: dict[str, dict[str, Any]] = field(default_factory=dict)

    def step(self, step: Mapping[str, Any]) -> Stepped | None:
        given = {
            name: fill(str(value), self.contexts) for name, value in step.get("with", {}).items()
        }
        environ = {
            **self._environ(),
            **{name: fill(value, self.contexts) for name, value in step.get("env", {}).items()},
        }
        uses = step.get("uses", "").partition("@")[0]
        match uses:
            case "":
                ran = self._bash(step["run"], environ)
            case "actions/checkout":
                self._check_out(int(given.get("fetch-depth", 1)))
                return None
            case "actions/upload-artifact":
                self._upload(given["name"], Path(given["path"]))
                return None
            case "actions/download-artifact":
                self._download(given["pattern"], Path(given["path"]))
                return None
            case "aws-actions/configure-aws-credentials":
                assert given["role-to-assume"]
                return None
            case _:
                assert uses.startswith("./"), f"what does {uses} do?"
                ran = self._own(self.checkout / uses, given, environ)
        if "id" in step:
            self.steps[step["id"]] = {"outputs": ran.outputs}
        return ran

    def _own(self, action: Path, given: Mapping[str, str], environ: dict[str, str]) -> Stepped:
        runner = Runner(action, self.checkout, self.temp, environ)
        # The installing step has tests of its own.
        runner.steps["install"] = {
            "program": str(self.run.github.program),
            "data": str(self.temp / "driftctl-data"),
        }
        return runner.step("run", given)

    def _bash(self, script: str, environ: dict[str, str]) -> Stepped:
        summary = self.temp / "summary"
        summary.write_text("")
        done = subprocess.run(
            ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", script],
            cwd=self.checkout,
            env={**environ, "GITHUB_STEP_SUMMARY": str(summary), "RUNNER_TEMP": str(self.temp)},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
        return Stepped(done.returncode, done.stdout, done.stderr, {}, summary.read_text())

    def _environ(self) -> dict[str, str]:
        run = self.run
        return {
            **run.github.environ,
            "CI": "true",
            "GITHUB_ACTIONS": "true",
            "GITHUB_API_URL": run.github.api,
            "GITHUB_EVENT_NAME": run.event,
            "GITHUB_EVENT_PATH": str(run.directory / "event.json"),
            "GITHUB_REF": run.ref,
            "GITHUB_REPOSITORY": run.github.name,
            "GITHUB_RUN_ATTEMPT": "1",
            "GITHUB_RUN_ID": str(1000 + run.number),
            "GITHUB_RUN_NUMBER": str(run.number),
            "GITHUB_SERVER_URL": "https://github.example.com",
            "GITHUB_SHA": run.sha,
            "GITHUB_WORKFLOW": run.workflow["name"],
            "GITHUB_WORKSPACE": str(self.checkout),
        }

    def _check_out(self, depth: int) -> None:
        """As the action does it: one commit and so many before it; detached at a pull request's
        merge, else on its branch."""
        run = self.run
        _git(self.checkout, "init", "--quiet")
        _git(self.checkout, "remote", "add", "origin", run.github.origin.as_uri())
        shallow = [f"--depth={depth}"] if depth else []
        _git(self.checkout, "fetch", "--quiet", *shallow, "origin", f"+{run.sha}:refs/remotes/it")
        if run.ref.startswith(BRANCH):
            branch = run.ref.removeprefix(BRANCH)
            _git(self.checkout, "checkout", "--quiet", "-B", branch, "refs/remotes/it")
        else:
            _git(self.checkout, "checkout", "--quiet", "--detach", "refs/remotes/it")

    def _upload(self, name: str, path: Path) -> None:
        if path.exists():
            shutil.copytree(path, self.run.directory / "artifacts" / name)

    def _download(self, pattern: str, path: Path) -> None:
        for found in (self.run.directory / "artifacts").glob(pattern):
            shutil.copytree(found, path / found.name)


def _git(directory: Path, *words: str) -> str:
    done = subprocess.run(
        ["git", "-C", str(directory), *words],
        check=False,
        capture_output=True,
        text=True,
        stdin=subprocess.DEVNULL,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout
