"""What programs do to us where we are not root, as almost everybody is.

Root reads what is closed to all, and removes what it may not write to, so as root none of this
happens. There a process of our own gives these privileges up first.
"""

from __future__ import annotations

import functools
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

# Reading, writing and removing whatever the permissions say, and changing these.
_PRIVILEGES = "-dac_override,-dac_read_search,-fowner"

_RUN = """\
import json, sys, tempfile
from pathlib import Path
from driftctl_py.adapters.contained import run_contained
from driftctl_py.adapters.stop import Stop
from driftctl_py.errors import PolicyError

tempfile.tempdir, script, *inputs = sys.argv[1:]
try:
    done = run_contained(
        ("/bin/sh", "-c", script),
        env={},
        stop=Stop(),
        timeout_seconds=30,
        inputs={Path(each).name: Path(each) for each in inputs},
    )
    print(json.dumps({"stdout": done.stdout.decode()}))
except PolicyError as error:
    print(json.dumps({"what": error.what, "todo": error.todo}))
"""


@functools.cache
def unprivileged() -> tuple[str, ...] | None:
    """What to begin a command with; None where root cannot be made anybody else."""
    if os.geteuid() != 0:
        return ()
    setpriv = shutil.which("setpriv")
    words = (str(setpriv), f"--bounding-set={_PRIVILEGES}")
    if setpriv is None or subprocess.run((*words, "true"), capture_output=True).returncode != 0:
        return None
    return words


pytestmark = pytest.mark.skipif(
    unprivileged() is None, reason="this is root, and there is no setpriv that could change that"
)


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """Where private directories are made."""
    place = tmp_path / "temporary"
    place.mkdir()
    return place


def sh(place: Path, script: str, *inputs: Path) -> dict[str, str]:
    words = (sys.executable, "-c", _RUN, str(place), script, *map(str, inputs))
    argv = (*(unprivileged() or ()), *words)
    done = subprocess.run(argv, capture_output=True, text=True, timeout=60)
    assert done.stderr == ""
    found: dict[str, str] = json.loads(done.stdout)
    return found


def test_directories_that_it_closes_to_us_are_opened_and_removed(place: Path) -> None:
    script = "mkdir -p a/b/c; touch a/b/c/d; chmod 0 a/b/c a/b; chmod 500 a; chmod 500 .; echo ok"

    assert sh(place, script) == {"stdout": "ok\n"}
    assert list(place.iterdir()) == []


def test_a_link_among_them_opens_nothing_elsewhere(place: Path, tmp_path: Path) -> None:
    closed = tmp_path / "mine"
    closed.mkdir()
    closed.chmod(0o500)

    assert sh(place, f"mkdir a; ln -s '{closed}' a/link; chmod 500 a; echo ok") == {
        "stdout": "ok\n"
    }
    assert closed.stat().st_mode & 0o777 == 0o500
    assert list(place.iterdir()) == []


def test_what_cannot_be_removed_is_no_answer_and_the_plan_is_gone_all_the_same(
    place: Path, tmp_path: Path
) -> None:
    plan = tmp_path / "plan.json"
    plan.write_text("{}")

    try:
        found = sh(place, 'touch left; chmod 555 "$HOME/.."', plan)
    finally:
        place.chmod(0o700)

    (left,) = place.iterdir()
    assert found == {
        "what": f"What sh left in {left} could not be removed.",
        "todo": f"Look what it is, then: rm -rf {left}",
    }
    assert not (left / "plan.json").exists()


def test_what_we_may_not_read_is_not_asked_about(place: Path, tmp_path: Path) -> None:
    plan = tmp_path / "plan.json"
    plan.write_text("{}")
    plan.chmod(0)

    found = sh(place, "echo never", plan)

    assert found["what"] == (
        f"sh could not be given what it is to read: Permission denied ({plan})."
    )
    assert list(place.iterdir()) == []


def test_a_copy_of_the_plan_cannot_be_written_to_by_mistake(place: Path, tmp_path: Path) -> None:
    plan = tmp_path / "plan.json"
    plan.write_text("{}")

    assert sh(place, "{ echo x >plan.json; } 2>&1 | grep -c denied; cat plan.json", plan) == {
        "stdout": "1\n{}"
    }
