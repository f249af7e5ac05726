"""A runner of GitHub Actions, as far as the steps of our own action go.

It runs the `run` steps of a composite action with bash, each with files of its own for outputs and
the summary, as GitHub's does, and gives expressions their values. What other actions do (`uses`)
is theirs; those steps are passed over.
"""

from __future__ import annotations

import re
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

_EXPRESSION = re.compile(r"\$\{\{ *([a-z]+)\.([A-Za-z.-]+) *\}\}")


@dataclass(frozen=True, slots=True)
class Stepped:
    """What one step left behind."""

    code: int
    out: str
    err: str
    outputs: dict[str, str]
    summary: str


@dataclass(slots=True)
class Runner:
    """``directory`` is the checkout, ``environ`` what the job sets."""

    action: Path
    directory: Path
    temp: Path
    environ: dict[str, str] = field(default_factory=dict)
    steps: dict[str, dict[str, str]] = field(default_factory=dict)

    def step(self, id: str, inputs: Mapping[str, str]) -> Stepped:
        """Run the step of that id; its outputs are there for later ones."""
        action: dict[str, Any] = yaml.safe_load((self.action / "action.yml").read_text())
        assert set(inputs) <= set(action["inputs"])
        given: dict[str, str] = {
            name: inputs.get(name, each.get("default", ""))
            for name, each in action["inputs"].items()
        }
        (step,) = (each for each in action["runs"]["steps"] if each.get("id") == id)
        assert step["shell"] == "bash"
        assert "${{" not in step["run"]

        def value(found: re.Match[str]) -> str:
            context, name = found.groups()
            if context == "inputs":
                return given[name]
            assert context == "steps"
            other, outputs, output = name.split(".")
            assert outputs == "outputs"
            return self.steps.get(other, {}).get(output, "")

        files = {name: self.temp / f"{id}-{name}" for name in ("output", "summary")}
        for file in files.values():
            file.write_text("")
        done = subprocess.run(
            ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", step["run"]],
            cwd=self.directory,
            env={
                **self.environ,
                "GITHUB_ACTION_PATH": str(self.action),
                "GITHUB_OUTPUT": str(files["output"]),
                "GITHUB_STEP_SUMMARY": str(files["summary"]),
                "RUNNER_TEMP": str(self.temp),
                **{name: _EXPRESSION.sub(value, text) for name, text in step["env"].items()},
            },
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )
        outputs = read_outputs(files["output"].read_text())
        self.steps[id] = outputs
        return Stepped(
            done.returncode, done.stdout, done.stderr, outputs, files["summary"].read_text()
        )


def read_outputs(text: str) -> dict[str, str]:
    """What a runner reads of ``GITHUB_OUTPUT``: ``name=value``, and ``name<<END`` for several
    lines. Anything else fails the step, as it does there."""
    found: dict[str, str] = {}
    lines = iter(text.splitlines())
    for line in lines:
        equals, heredoc = line.find("="), line.find("<<")
        if heredoc >= 0 and not 0 <= equals < heredoc:
            name, end = line.split("<<", 1)
            held = []
            for each in lines:
                if each == end:
                    break
                held.append(each)
            else:
                raise AssertionError(f"no end of {name}")
            found[name] = "\n".join(held)
        elif equals > 0:
            name, found[name] = line.split("=", 1)[0], line.split("=", 1)[1]
        else:
            raise AssertionError(f"not a line of outputs: {line!r}")
    return found
