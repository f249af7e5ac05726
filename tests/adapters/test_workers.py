from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from driftctl_py.adapters.workers import Workers
from driftctl_py.errors import Unavailable

CODE = """
import sys, time
from pathlib import Path
from driftctl_py.adapters.workers import Workers
with Workers(Path(sys.argv[1])).at_work("ada:1"):
    print("here", flush=True)
    time.sleep(60)
"""


def test_who_is_killed_is_known_to_be_dead_at_once(tmp_path: Path) -> None:
    process = subprocess.Popen(
        [sys.executable, "-c", CODE, str(tmp_path)], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "here\n"
    workers = Workers(tmp_path)
    while_alive = workers.is_dead("ada:1")

    process.kill()
    process.communicate()

    assert not while_alive
    assert workers.is_dead("ada:1")


def test_of_those_elsewhere_nobody_knows(tmp_path: Path) -> None:
    assert not Workers(tmp_path).is_dead("grace:2")


def test_who_has_ended_leaves_nothing(tmp_path: Path) -> None:
    with Workers(tmp_path).at_work("ada:1"):
        there = list((tmp_path / "workers").iterdir())

    assert [path.name for path in there] == ["ada:1"]
    assert list((tmp_path / "workers").iterdir()) == []


def test_the_long_dead_are_forgotten(tmp_path: Path) -> None:
    workers = Workers(tmp_path)
    with workers.at_work("ada:1"):
        pass
    old = tmp_path / "workers" / "grace:2"
    old.touch()
    long_ago = time.time() - 3 * 24 * 3600
    os.utime(old, (long_ago, long_ago))

    with workers.at_work("ada:2"):
        left = [path.name for path in (tmp_path / "workers").iterdir()]

    assert left == ["ada:2"]


def test_a_data_directory_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "workers").touch()

    with (
        pytest.raises(Unavailable, match="data directory cannot be written"),
        Workers(tmp_path).at_work("ada:1"),
    ):
        pass
