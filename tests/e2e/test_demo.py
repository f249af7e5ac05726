"""`driftctl-py demo` from end to end: what a person who tries it first sees, with each engine."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.demo.engines import engines, label

pytestmark = pytest.mark.engine
pytest.importorskip("tf")
pytest.importorskip("moto")

EDITED = 'module.web.folder_server.web["web-1"]'
DELETED = "module.web.folder_bucket.reports"


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody with a home of their own and nothing set up."""

    home: Path
    scratch: Path

    def argv(self, *arguments: str | Path) -> list[str]:
        code = "import sys; from driftctl_py.cli.main import main; sys.exit(main())"
        return [sys.executable, "-c", code, *map(str, arguments)]

    @property
    def env(self) -> dict[str, str]:
        # Nothing but what any shell has, above all no AWS and no Terraform settings; and where
        # this package is, in case it is not installed.
        told = {name: os.environ[name] for name in ("PATH", "PYTHONPATH") if name in os.environ}
        return {**told, "HOME": str(self.home), "TMPDIR": str(self.scratch)}

    def runs(self, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            self.argv(*arguments),
            env=self.env,
            cwd=self.home,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
            timeout=170,
        )


@pytest.fixture
def person(tmp_path: Path) -> Person:
    made = Person(tmp_path / "home", tmp_path / "scratch")
    made.home.mkdir()
    made.scratch.mkdir()
    return made


def findings(checked: subprocess.CompletedProcess[str]) -> dict[str, dict[str, Any]]:
    """Address to finding; the addresses of the playground's findings are all different."""
    document = json.loads(checked.stdout)
    return {
        finding["address"]: finding
        for environment in document["environments"]
        for finding in environment["findings"]
    }


def edit(path: Path, **values: object) -> str:
    before = path.read_text()
    path.write_text(json.dumps({**json.loads(before), **values}, indent=2))
    return before


def test_the_demo_finds_what_was_edited_and_deleted_and_leaves_nothing(person: Person) -> None:
    done = person.runs("demo")

    assert done.returncode == 0, done.stdout + done.stderr
    assert 'folder_server.web["web-1"]' in done.stdout
    assert DELETED in done.stdout
    assert "open_ports" in done.stdout
    assert "Both changes were found, no others, and nothing was changed by looking." in done.stdout
    # Terraform makes itself a folder in any home, whatever it is told.
    assert {path.name for path in person.home.iterdir()} <= {".terraform.d"}
    assert list(person.scratch.iterdir()) == []


@pytest.mark.parametrize("engine", engines(), ids=label)
def test_a_kept_playground_is_checked_edited_put_back_stopped_and_started(
    person: Person, engine: str
) -> None:
    directory = person.home / "play ground"
    kept = person.runs("demo", "--engine", engine, "--keep", directory)
    assert kept.returncode == 0, kept.stdout + kept.stderr
    check = ("check", "--config", directory / "infra" / "driftctl.yaml", "--format", "json")
    dev = (*check, "dev")
    try:
        both = person.runs(*check)
        for environment in ("staging", "prod"):
            applied = subprocess.run(
                [directory / "apply", environment, "-auto-approve"],
                env=person.env,
                capture_output=True,
                text=True,
                check=False,
            )
            assert applied.returncode == 0, applied.stdout + applied.stderr
        put_back = person.runs(*check)
        server = directory / "cloud" / "dev" / "server-web-1.json"
        before = edit(server, cpus=64)
        by_hand = person.runs(*dev)
        server.write_text(before)
        undone = person.runs(*dev)
        stopped = person.runs("demo", "--stop", directory)
        down = person.runs(*dev)
        started = person.runs("demo", "--start", directory)
        up = person.runs(*dev)
    finally:
        person.runs("demo", "--stop", directory)

    assert both.returncode == 2, both.stderr
    assert findings(both).keys() == {EDITED, DELETED}
    assert (put_back.returncode, findings(put_back)) == (0, {}), put_back.stderr
    assert by_hand.returncode == 2, by_hand.stderr
    (attribute,) = findings(by_hand)[EDITED]["attributes"]
    assert (attribute["path"], attribute["recorded"], attribute["real"]) == ("cpus", 1, 64)
    assert (undone.returncode, findings(undone)) == (0, {}), undone.stderr
    assert stopped.returncode == 0, stopped.stderr
    assert down.returncode == 1
    assert {each["status"] for each in json.loads(down.stdout)["environments"]} == {"failed"}
    assert started.returncode == 0, started.stderr
    assert up.returncode == 0, up.stderr


def test_an_interrupted_demo_leaves_no_server_and_no_directory(person: Person) -> None:
    process = subprocess.Popen(
        person.argv("demo"),
        env=person.env,
        cwd=person.home,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    assert process.stdout is not None
    # The narration's line about the apply comes when the server runs and the code is laid out.
    while "3/5" not in (line := process.stdout.readline()):
        assert line, process.communicate()
    (ready,) = person.scratch.glob("driftctl-py-demo-*/.playground/state-server.json")
    server = json.loads(ready.read_text())["pid"]
    process.send_signal(signal.SIGINT)
    _, stderr = process.communicate(timeout=60)
    deadline = time.monotonic() + 10
    while Path(f"/proc/{server}").exists() and time.monotonic() < deadline:
        time.sleep(0.02)

    assert process.returncode == 130, stderr
    assert "Traceback" not in stderr
    assert list(person.scratch.iterdir()) == []
    with pytest.raises(ProcessLookupError):
        os.kill(server, 0)


def test_a_directory_that_is_not_empty_is_refused_in_words(person: Person) -> None:
    (person.home / "notes.txt").write_text("mine")
    done = person.runs("demo", "--keep", person.home)

    assert done.returncode == 1
    assert done.stderr.startswith(f"error: {person.home} is not empty, so no playground was made")
    assert [path.name for path in person.home.iterdir()] == ["notes.txt"]
