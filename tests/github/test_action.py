"""The steps of our action, run for real, with everything that a runner gives them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from tests.github.runner import Runner

ROOT = Path(__file__).parents[2]
ACTION = ROOT / ".github" / "actions" / "driftctl"
PROGRAM = Path(sys.executable).with_name("driftctl-py")


@pytest.fixture
def runner(tmp_path: Path) -> Runner:
    directory, temp = tmp_path / "work", tmp_path / "temp"
    directory.mkdir()
    temp.mkdir()
    environ = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
    found = Runner(ACTION, directory, temp, environ)
    found.steps["install"] = {"program": str(PROGRAM), "data": str(tmp_path / "data")}
    return found


@pytest.fixture
def repository(runner: Runner) -> Path:
    root = runner.directory
    for name in ("dev", "prod"):
        directory = root / "environments" / name
        directory.mkdir(parents=True)
        (directory / "main.tf").write_text('resource "terraform_data" "one" {}\n')
    (root / "driftctl.yaml").write_text("version: 1\nenvironments: [environments/*]\n")
    who = ["-c", "user.name=Ada Lovelace", "-c", "user.email=ada@example.com"]
    for words in (["init", "-q", "-b", "main"], ["add", "-A"], [*who, "commit", "-qm", "Begin"]):
        subprocess.run(["git", *words], cwd=root, check=True)
    return root


def says(runner: Runner, *lines: str) -> None:
    """Put a program in the place of ours that tells its words, and does these lines of bash."""
    program = runner.temp / "program"
    program.write_text("\n".join(("#!/usr/bin/env bash", 'printf "<%s>" "$@"; echo', *lines)))
    program.chmod(0o755)
    runner.steps["install"]["program"] = str(program)


def test_what_a_command_prints_becomes_outputs_of_the_step(
    runner: Runner, repository: Path
) -> None:
    done = runner.step(
        "run",
        {
            "command": "matrix\n--format\ngithub\n",
            "outputs": "true",
            "config": "driftctl.yaml",
        },
    )

    assert (done.code, done.err) == (0, "")
    assert (done.outputs["count"], done.outputs["exit-code"]) == ("2", "0")
    assert json.loads(done.outputs["matrix"]) == {
        "include": [
            {"name": "dev", "environments": "dev"},
            {"name": "prod", "environments": "prod"},
        ]
    }


def test_the_configuration_that_is_named_is_the_one_that_is_read(
    runner: Runner, repository: Path
) -> None:
    done = runner.step("run", {"command": "config\ncheck", "config": "other.yaml"})

    assert done.code == 1
    assert "other.yaml: There is no such file." in done.err


@pytest.mark.parametrize(
    ("code", "findings", "ends"),
    [(0, "pass", 0), (2, "pass", 0), (2, "fail", 2), (1, "pass", 1), (130, "pass", 130)],
)
def test_findings_fail_a_job_only_where_somebody_wants_it(
    runner: Runner, code: int, findings: str, ends: int
) -> None:
    says(runner, f"exit {code}")

    done = runner.step("run", {"command": "check", "findings": findings})

    assert done.code == ends
    assert done.outputs == {"exit-code": str(code)}


def test_nothing_that_is_given_is_read_by_a_shell(runner: Runner) -> None:
    says(runner)

    done = runner.step(
        "run",
        {
            "command": "plan\n--config\n$(touch pwned) `touch pwned`\n\n*\n",
            "environments": 'prod $(touch${IFS}pwned) "a;b" *',
        },
    )

    assert done.out == (
        '<plan><--config><$(touch pwned) `touch pwned`><*><prod><$(touch${IFS}pwned)><"a;b"><*>\n'
    )
    assert not (runner.directory / "pwned").exists()


def test_each_environment_is_tried_and_the_worst_end_counts(runner: Runner) -> None:
    says(runner, 'case "${@: -1}" in dev) exit 2 ;; staging) exit 1 ;; esac')

    done = runner.step(
        "run", {"command": "apply", "environments": "dev staging prod", "each": "true"}
    )

    assert done.out == "<apply><dev>\n<apply><staging>\n<apply><prod>\n"
    assert (done.code, done.outputs["exit-code"]) == (1, "1")


@pytest.mark.parametrize("code", [130, 137, 143])
def test_what_was_stopped_is_no_finding_whatever_comes_after_it(runner: Runner, code: int) -> None:
    says(runner, f'case "${{@: -1}}" in dev) exit {code} ;; staging) exit 2 ;; esac')

    done = runner.step(
        "run", {"command": "apply", "environments": "dev staging prod", "each": "true"}
    )

    assert (done.code, done.outputs["exit-code"]) == (code, str(code))
    # Who stops it does not want the next one to begin.
    assert ("<staging>" in done.out) is (code != 130)


def test_without_environments_each_of_none_is_nothing(runner: Runner) -> None:
    says(runner)

    done = runner.step("run", {"command": "apply", "each": "true"})

    assert (done.code, done.out, done.outputs) == (0, "", {"exit-code": "0"})


def test_it_is_installed_once_and_runs(runner: Runner) -> None:
    del runner.steps["install"]
    build = ["pip", "wheel", "--quiet", "--no-deps", "--wheel-dir", str(runner.temp), str(ROOT)]
    subprocess.run([sys.executable, "-m", *build], check=True)
    (wheel,) = runner.temp.glob("*.whl")
    # --version needs nothing but Python.
    runner.environ["PIP_NO_DEPS"] = "1"

    done = runner.step("install", {"install": str(wheel), "engine": "none", "command": "-"})
    again = runner.step("install", {"install": "nothing-of-this-name", "command": "-"})
    ran = runner.step("run", {"command": "--version", "engine": "none"})

    assert (done.code, again.code) == (0, 0), done.err + again.err
    assert ran.out.startswith("driftctl-py ")


@pytest.mark.parametrize(
    ("install", "wanted"),
    [
        ("driftctl-py==1.2", "driftctl-py[embedded]==1.2"),
        (".", ".[embedded]"),
        ("driftctl-py", "driftctl-py[embedded]"),
        ("driftctl-py>=1.2,<2", "driftctl-py[embedded]>=1.2,<2"),
        (
            "git+https://example.com/x@main",
            "driftctl-py[embedded] @ git+https://example.com/x@main",
        ),
        ("driftctl-py @ https://a.b/c.whl", "driftctl-py[embedded] @ https://a.b/c.whl"),
    ],
)
def test_the_embedded_engine_is_asked_for_by_its_extra(
    runner: Runner, install: str, wanted: str
) -> None:
    pip = runner.temp / "driftctl-py" / "bin"
    tools = runner.temp / "tools"
    tools.mkdir()
    (tools / "python3").write_text(
        f'#!/usr/bin/env bash\nmkdir -p "{pip}"\n'
        f'printf \'#!/usr/bin/env bash\\necho "${{@: -1}}" >"{runner.temp}/wanted"\' >"{pip}/pip"\n'
        f'chmod +x "{pip}/pip"\n'
    )
    (tools / "python3").chmod(0o755)
    runner.environ["PATH"] = f"{tools}:{runner.environ['PATH']}"

    done = runner.step("install", {"install": install, "engine": "embedded", "command": "-"})

    assert done.code == 0, done.err
    assert (runner.temp / "wanted").read_text() == f"{wanted}\n"


def test_every_third_party_action_is_pinned_by_its_commit() -> None:
    files = [*(ROOT / ".github").rglob("*.yml")]
    used = [
        step["uses"]
        for file in files
        for job in _jobs(yaml.safe_load(file.read_text()))
        for step in job.get("steps", ())
        if "uses" in step and not step["uses"].startswith("./")
    ]

    assert used
    assert [each for each in used if len(each.partition("@")[2]) != 40] == []


def _jobs(document: dict[str, object]) -> list[dict[str, list[dict[str, str]]]]:
    if "runs" in document:
        return [document["runs"]]  # type: ignore[list-item]  # an action has one job, as it were
    return [*document.get("jobs", {}).values()]  # type: ignore[attr-defined]  # a workflow's
