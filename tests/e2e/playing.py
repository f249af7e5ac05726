"""The demo's playground, played in by tests: its commands, its cloud, its commits."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

PROGRAM = [
    sys.executable,
    "-c",
    "import sys; from driftctl_py.cli.main import main; sys.exit(main())",
]
ENVIRONMENTS = ("dev", "staging", "prod")


@dataclass
class Playground:
    directory: Path
    environ: dict[str, str]
    controllers: list[subprocess.Popen[str]] = field(default_factory=list)

    def runs(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [*PROGRAM, *arguments],
            cwd=self.directory / "infra",
            env=self.environ,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )

    def start(self) -> None:
        config = ["--config", str(self.directory / "infra" / "driftctl.yaml")]
        log = (self.directory / "controller.log").open("a")
        with log:
            process = subprocess.Popen(
                [*PROGRAM, "controller", *config],
                env=self.environ,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                text=True,
                start_new_session=True,
            )
        self.controllers.append(process)

    def kill(self) -> None:
        self.controllers[-1].kill()
        self.controllers[-1].wait()

    @property
    def said(self) -> str:
        return (self.directory / "controller.log").read_text()

    def file(self, environment: str, name: str = "server-web-1.json") -> Path:
        return self.directory / "cloud" / environment / name

    def drift(self, environment: str, **values: object) -> None:
        path = self.file(environment)
        # At once, as in a cloud: half a file would be an object that cannot be read.
        half = path.with_suffix(".half")
        half.write_text(json.dumps({**json.loads(path.read_text()), **values}, indent=2))
        half.replace(path)

    def cpus(self, environment: str) -> Any:
        try:
            return json.loads(self.file(environment).read_text())["cpus"]
        except (OSError, ValueError):
            return None  # deleted, or just being written

    @property
    def config(self) -> Path:
        return self.directory / "infra" / "driftctl.yaml"

    def push(self, environment: str, old: str, new: str) -> None:
        path = self.directory / "infra" / "environments" / environment / "main.tf"
        path.write_text(path.read_text().replace(old, new))
        self.commit("Change")

    def commit(self, message: str) -> None:
        """All that lies there."""
        git = ["git", "-C", str(self.directory / "infra")]
        author = ["-c", "user.name=Ada", "-c", "user.email=ada@example.com"]
        subprocess.run([*git, "add", "--all"], check=True, env=self.environ)
        subprocess.run(
            [*git, *author, "commit", "--quiet", f"--message={message}"],
            check=True,
            env=self.environ,
        )

    def history(self, *environments: str) -> list[dict[str, Any]]:
        """All runs, the latest first."""
        said = self.runs("runs", *environments, "--limit", "100000", "--format", "json")
        found: list[dict[str, Any]] = json.loads(said.stdout)["runs"]
        return found

    def say_yes_to_the_rest(self, environment: str) -> None:
        """What an apply left undone is not drift any more, so it waits for a person. Nothing else
        may wait here: no commit changes these environments."""
        undone = {"partly applied", "unknown", "failed"}
        assert any(run["state"] in undone for run in self.history(environment)), self.told()
        self.runs("approve", environment, "--reason", "It went while it was put back.")

    def told(self) -> str:
        """All that there is to say of a playground that did not come to rest."""
        shown = [self.runs("show", each).stdout for each in ENVIRONMENTS]
        return "\n".join([str(self.states()), *shown, self.said])

    def states(self) -> dict[str, str]:
        document = json.loads(self.runs("status", "--format", "json").stdout)
        return {each["environment"]: each["last"]["state"] for each in document["environments"]}


@contextmanager
def playing(root: Path) -> Iterator[Playground]:
    """A playground below ``root``, applied, with the embedded engine; stopped in the end."""
    home, directory = root / "home", root / "playground"
    home.mkdir()
    told = {name: os.environ[name] for name in ("PATH", "PYTHONPATH") if name in os.environ}
    environ = {**told, "HOME": str(home), "TMPDIR": str(root)}
    made = subprocess.run(
        [*PROGRAM, "demo", "--keep", str(directory)],
        env=environ,
        capture_output=True,
        text=True,
        check=False,
        timeout=170,
    )
    assert made.returncode == 0, made.stdout + made.stderr
    ground = Playground(directory, environ)
    try:
        yield ground
    finally:
        for process in ground.controllers:
            process.kill()
            process.wait()
        subprocess.run(
            [*PROGRAM, "demo", "--stop", str(directory)], env=environ, check=True, timeout=60
        )
