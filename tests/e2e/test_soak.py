"""The loop for a while, in the playground, with people who drift things, push commits and kill us.

What holds in the end is what counts: drift is healed, commits are held, no process is left behind,
no state lock either, and the trail verifies.
"""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.support import wait_until

pytestmark = pytest.mark.engine
pytest.importorskip("tf")
pytest.importorskip("moto")

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
        config = ["--config", str(self.directory / "infra" / "driftctl.yaml")]
        return subprocess.run(
            [*PROGRAM, *arguments, *config],
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

    def push(self, environment: str, old: str, new: str) -> None:
        path = self.directory / "infra" / "environments" / environment / "main.tf"
        path.write_text(path.read_text().replace(old, new))
        git = ["git", "-C", str(self.directory / "infra")]
        author = ["-c", "user.name=Ada", "-c", "user.email=ada@example.com"]
        subprocess.run(
            [*git, *author, "commit", "--quiet", "--all", "--message=Change"],
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


@pytest.fixture
def playground(tmp_path: Path) -> Iterator[Playground]:
    home, directory = tmp_path / "home", tmp_path / "playground"
    home.mkdir()
    told = {name: os.environ[name] for name in ("PATH", "PYTHONPATH") if name in os.environ}
    environ = {**told, "HOME": str(home), "TMPDIR": str(tmp_path)}
    made = subprocess.run(
        [*PROGRAM, "demo", "--keep", str(directory)],
        env=environ,
        capture_output=True,
        text=True,
        check=False,
        timeout=170,
    )
    assert made.returncode == 0, made.stdout + made.stderr
    config = directory / "infra" / "driftctl.yaml"
    config.write_text(config.read_text().replace("interval: 10s", "interval: 3s"))
    ground = Playground(directory, environ)
    git = ["git", "-C", str(directory / "infra"), "-c", "user.name=Ada"]
    subprocess.run(
        [*git, "-c", "user.email=ada@example.com", "commit", "--quiet", "-am", "Look more often"],
        check=True,
        env=environ,
    )
    try:
        yield ground
    finally:
        for process in ground.controllers:
            process.kill()
            process.wait()
        subprocess.run(
            [*PROGRAM, "demo", "--stop", str(directory)], env=environ, check=True, timeout=60
        )


def soak(playground: Playground, seconds: float, kills: int, seed: int) -> None:
    chance = random.Random(seed)
    with ThreadPoolExecutor() as pool:
        put_back = list(pool.map(lambda each: playground.runs("apply", each), ENVIRONMENTS[1:]))
    assert [each.returncode for each in put_back] == [0, 0], put_back
    playground.start()
    in_sync = dict.fromkeys(ENVIRONMENTS, "in sync")
    assert wait_until(lambda: playground.states() == in_sync, 60), playground.said
    began = time.monotonic()
    to_kill = [seconds * (each + 1) / (kills + 1) for each in range(kills)]
    drifted = 0
    while time.monotonic() - began < seconds:
        environment = chance.choice(ENVIRONMENTS)
        # Not in prod: what goes while it is being updated is out of the state, so it is no drift
        # any more, and there a person is asked about something else at the end.
        if environment != "prod" and chance.random() < 0.3:
            playground.file(environment).unlink(missing_ok=True)
        elif playground.file(environment).exists():
            playground.drift(environment, cpus=chance.randrange(10, 99))
        drifted += 1
        time.sleep(chance.uniform(1.0, 3.0))
        if to_kill and time.monotonic() - began > to_kill[0]:
            to_kill.pop(0)
            playground.kill()
            playground.start()
    playground.push("prod", "minix-3", "minix-4")

    def settled() -> bool:
        states = playground.states()
        for each in ("dev", "staging"):
            if states[each] == "held":
                playground.say_yes_to_the_rest(each)
        healed = all(playground.cpus(each) in (1, 2, 4) for each in ENVIRONMENTS)
        return healed and states == {**in_sync, "prod": "held"}

    assert wait_until(settled, 90), playground.told()
    assert drifted > 3
    assert any(run["state"] == "applied" for run in playground.history()), playground.told()
    assert json.loads(playground.file("prod").read_text())["image"] == "minix-3"
    approved = playground.runs("approve", "prod", "--reason", "It is tested.")
    assert approved.returncode == 0, approved.stdout + approved.stderr

    def applied() -> bool:
        try:
            text = playground.file("prod").read_text()
        except FileNotFoundError:
            # Another image is another server: the old one goes before the new one comes.
            return False
        return "minix-4" in text and playground.states()["prod"] == "in sync"

    assert wait_until(applied, 60), playground.told()
    last = playground.controllers[-1]
    last.send_signal(signal.SIGTERM)
    assert last.wait(60) == 0, playground.said
    verified = playground.runs("audit", "verify")
    assert verified.returncode == 0, verified.stdout + verified.stderr
    assert left_of(playground) == []
    assert not list((playground.directory / "state").rglob("*.tflock"))
    # Read by whoever runs it by hand, with -s.
    counted = Counter(run["state"] for run in playground.history())
    took = time.monotonic() - began
    print(f"{drifted} drifts and {kills} kills in {took:.0f} s; runs: {dict(counted)}")
    print(verified.stdout)


def left_of(playground: Playground) -> list[str]:
    """Command lines of engines and providers that still live, the state server left out."""
    mark = os.fsencode(playground.directory)
    found = []
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit() or int(entry.name) == os.getpid():
            continue
        try:
            line = (entry / "cmdline").read_bytes().replace(b"\0", b" ")
        except OSError:
            continue
        if mark in line and b"state_server" not in line and b"serving" not in line:
            found.append(line.decode(errors="replace"))
    return found


def test_drift_is_healed_commits_are_held_and_kills_are_survived(playground: Playground) -> None:
    soak(playground, seconds=12, kills=2, seed=1)


@pytest.mark.soak
@pytest.mark.timeout(900)
def test_five_minutes_of_it(playground: Playground) -> None:
    soak(playground, seconds=300, kills=5, seed=2)
