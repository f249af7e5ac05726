"""A cloud in a folder and an engine that works in it, for the tests of the provider."""

from __future__ import annotations

import json
import os
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from driftctl_py.demo import playground as ground
from tests.demo.engines import engines, label


@dataclass(frozen=True, slots=True)
class Folder:
    """One root module, its cloud, and the engine; state is a local file."""

    module: Path
    cloud: Path
    argv: tuple[str, ...]
    env: dict[str, str]

    def write(self, body: str) -> None:
        root = json.dumps(str(self.cloud))
        (self.module / "main.tf").write_text(
            f"""
            terraform {{
              required_providers {{
                folder = {{ source = "demo.driftctl.example/driftctl/folder" }}
              }}
            }}
            provider "folder" {{ root = {root} }}
            {body}
            """
        )

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [*self.argv, *arguments],
            cwd=self.module,
            env=self.env,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
            timeout=90,
        )

    def apply(self) -> None:
        done = self.run("apply", "-auto-approve", "-no-color")
        assert done.returncode == 0, done.stdout + done.stderr

    def plan(self) -> dict[str, Any]:
        """The plan as ``show -json`` has it."""
        done = self.run("plan", "-out=plan", "-no-color")
        assert done.returncode == 0, done.stdout + done.stderr
        shown: dict[str, Any] = json.loads(self.run("show", "-json", "plan").stdout)
        return shown

    def stored(self, identifier: str) -> dict[str, Any]:
        found: dict[str, Any] = json.loads((self.cloud / f"{identifier}.json").read_text())
        return found

    def edit(self, identifier: str, **values: object) -> None:
        changed = {**self.stored(identifier), **values}
        (self.cloud / f"{identifier}.json").write_text(json.dumps(changed))


@pytest.fixture(params=engines(), ids=label)
def folder(request: pytest.FixtureRequest, tmp_path: Path) -> Folder:
    """With each engine of this machine in turn."""
    return _folder(request.param, tmp_path)


@pytest.fixture
def embedded(tmp_path: Path) -> Folder:
    """With the embedded engine, where the engines do not differ."""
    return _folder("embedded", tmp_path)


def _folder(use: str, tmp_path: Path) -> Folder:
    engine = ground.find_engine(use, os.environ)
    playground = ground.prepare(tmp_path / "playground")
    ground.lay_out(playground, engine, "http://127.0.0.1:1")
    module = tmp_path / "module"
    module.mkdir()
    env = {
        "PATH": os.environ["PATH"],
        "HOME": str(tmp_path),
        **playground.settings("dev"),
    }
    made = Folder(module, playground.cloud("dev"), engine.argv, env)
    made.write("")
    done = made.run("init", "-no-color")
    assert done.returncode == 0, done.stdout + done.stderr
    return made
