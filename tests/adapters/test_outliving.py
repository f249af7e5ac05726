"""Programs that outlive us: their files, their signals, and what who comes later finds."""

from __future__ import annotations

import fcntl
import json
import os
import signal
import stat
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from textwrap import dedent
from time import monotonic, sleep

import pytest

from driftctl_py.adapters.outliving import Ended, left, run
from driftctl_py.adapters.stop import Stop

SH = "/bin/sh"


class Bench:
    """Runs shell scripts as an apply is run."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.log = directory / "apply.jsonl"
        self.lines: list[bytes] = []
        self.stop = Stop()

    def run(
        self,
        script: str,
        *,
        grace_seconds: float = 60.0,
        env: Mapping[str, str] | None = None,
        on_line: Callable[[bytes], None] | None = None,
        program: str = SH,
    ) -> Ended:
        return run(
            [program, "-c", script],
            cwd=self.directory,
            env={"PATH": os.environ["PATH"], **(env or {})},
            log=self.log,
            on_line=on_line or self.lines.append,
            stop=self.stop,
            grace_seconds=grace_seconds,
            note={"directory": str(self.directory)},
        )

    def left(self) -> Ended | None:
        return left(self.log, on_line=self.lines.append, stop=self.stop)

    def beside(self, suffix: str) -> Path:
        return self.log.with_suffix(suffix)

    @property
    def pid(self) -> int:
        return int(json.loads(self.beside(".pid").read_text())["pid"])

    def parent(self, script: str) -> subprocess.Popen[bytes]:
        """A process that runs the script as we do, and that may be killed."""
        code = """
            import os, sys
            from pathlib import Path
            from driftctl_py.adapters.outliving import run
            from driftctl_py.adapters.stop import Stop

            log = Path(sys.argv[1])
            run(["/bin/sh", "-c", sys.argv[2]], cwd=log.parent, env=dict(os.environ), log=log,
                on_line=print, stop=Stop(), grace_seconds=60, note={})
        """
        return subprocess.Popen(
            [sys.executable, "-c", dedent(code), str(self.log), script],
            stdout=subprocess.DEVNULL,
        )


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


def _until(condition: Callable[[], object], seconds: float = 10.0) -> None:
    deadline = monotonic() + seconds
    while not condition():
        assert monotonic() < deadline
        sleep(0.01)


def _ask_when(condition: Callable[[], object], stop: Stop) -> None:
    """Ask to stop as soon as it holds, from another thread."""

    def wait() -> None:
        _until(condition)
        stop.ask()

    threading.Thread(target=wait, daemon=True).start()


def test_lines_come_as_they_are_written_and_the_end_is_kept(bench: Bench) -> None:
    seen_while_it_ran: list[bool] = []

    def on_line(line: bytes) -> None:
        bench.lines.append(line)
        # Its end waits for this.
        bench.directory.joinpath("read").touch()
        seen_while_it_ran.append(not bench.beside(".exit").exists())

    ended = bench.run(
        "echo one; until [ -e read ]; do sleep 0.02; done; echo oops >&2; printf two; exit 3",
        on_line=on_line,
    )

    assert (ended.exit_code, ended.stderr, ended.started) == (3, "oops\n", True)
    assert bench.lines == [b"one", b"two"]
    assert seen_while_it_ran == [True, True]
    assert bench.beside(".exit").read_text() == "3\n"


def test_all_files_are_for_our_eyes_only(bench: Bench) -> None:
    bench.run("echo secret")

    modes = {path.suffix: stat.S_IMODE(path.stat().st_mode) for path in bench.directory.iterdir()}
    assert modes == {".jsonl": 0o600, ".err": 0o600, ".pid": 0o600, ".exit": 0o600}


def test_the_program_has_exactly_the_environment_that_it_was_given(bench: Bench) -> None:
    # A shell would lose the hyphen, and Python adds a locale of its own.
    given = {"TF_TOKEN_my-host": "1", "LC_ALL": "C"}

    run(
        ["/usr/bin/env"],
        cwd=bench.directory,
        env=given,
        log=bench.log,
        on_line=bench.lines.append,
        stop=bench.stop,
        grace_seconds=60,
        note={},
    )

    assert sorted(bench.lines) == [b"LC_ALL=C", b"TF_TOKEN_my-host=1"]


def test_who_it_is_is_known_before_it_does_anything(bench: Bench) -> None:
    bench.run(f"cat {bench.beside('.pid')}; echo; echo $$")

    record = json.loads(bench.lines[0])
    assert record["pid"] == int(bench.lines[1])
    assert record["program"] == SH
    assert record["note"] == {"directory": str(bench.directory)}


def test_broken_pipes_of_its_children_are_what_they_always_are(bench: Bench) -> None:
    bench.run("grep -i sigign /proc/self/status")

    ignored = int(bench.lines[0].split()[1], 16)
    assert not ignored & (1 << (signal.SIGPIPE - 1) | 1 << (signal.SIGXFSZ - 1))


def test_a_program_that_is_not_there_was_never_started(bench: Bench) -> None:
    ended = bench.run("", program="/nowhere/terraform")

    assert not ended.started
    assert "/nowhere/terraform cannot be started" in ended.stderr
    assert bench.left() == Ended(127, ended.stderr, started=False)


def test_a_log_is_never_written_over(bench: Bench) -> None:
    bench.run("echo first")

    with pytest.raises(FileExistsError):
        bench.run("echo second")
    assert bench.log.read_text() == "first\n"


def test_a_wish_to_stop_is_patient_and_then_one_interrupt(bench: Bench) -> None:
    script = (
        "trap 'echo interrupted; n=$((n+1)); touch asked' INT; touch ready;"
        "until [ -e asked ]; do sleep 0.02; done; sleep 0.5; exit $n"
    )
    _ask_when(bench.directory.joinpath("ready").exists, bench.stop)
    # The second wish kills nothing and signals nothing: it ends by itself, interrupted once.
    _ask_when(bench.directory.joinpath("asked").exists, bench.stop)

    ended = bench.run(script, grace_seconds=0.3)

    assert (ended.exit_code, ended.interrupted) == (1, True)
    assert bench.lines == [b"interrupted"]


def test_one_that_ends_in_the_time_of_grace_is_not_signalled_at_all(bench: Bench) -> None:
    _ask_when(bench.directory.joinpath("ready").exists, bench.stop)
    _ask_when(bench.directory.joinpath("ready").exists, bench.stop)

    ended = bench.run("trap 'echo interrupted' INT; touch ready; sleep 0.6; exit 0")

    assert (ended.exit_code, ended.interrupted, bench.lines) == (0, False, [])


def test_a_bug_of_ours_waits_until_the_program_has_ended(bench: Bench) -> None:
    def on_line(_: bytes) -> None:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        bench.run("echo one; sleep 0.4; echo two; touch done", on_line=on_line)

    assert bench.directory.joinpath("done").exists()
    assert bench.beside(".exit").read_text() == "0\n"


def test_what_it_leaves_running_in_the_background_is_left_alone(bench: Bench) -> None:
    bench.run("(sleep 0.4; touch later) >&- 2>&- & exit 0")

    _until(bench.directory.joinpath("later").exists)


def test_a_program_that_was_killed_leaves_no_children_behind(bench: Bench) -> None:
    ended = bench.run("sleep 60 & echo $! > child; kill -9 $$")

    child = int(bench.directory.joinpath("child").read_text())
    assert ended.exit_code == -signal.SIGKILL
    _until(lambda: not Path(f"/proc/{child}").exists() or "Z" in _state(child))


def _state(pid: int) -> str:
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]


def test_it_goes_on_when_we_are_killed_and_who_comes_later_follows_it(bench: Bench) -> None:
    script = "echo one; until [ -e go ]; do sleep 0.02; done; sleep 0.3; echo two; touch done"
    parent = bench.parent(script)
    _until(lambda: bench.log.exists() and bench.log.read_bytes())

    parent.kill()
    parent.wait()
    bench.directory.joinpath("go").touch()
    ended = bench.left()

    assert bench.directory.joinpath("done").exists()
    assert bench.lines == [b"one", b"two"]
    assert ended == Ended(None)


def test_who_waits_for_it_may_be_asked_to_stop_and_it_goes_on(bench: Bench) -> None:
    parent = bench.parent("until [ -e go ]; do sleep 0.02; done; echo two")
    _until(bench.beside(".pid").exists)
    parent.kill()
    parent.wait()
    bench.stop.ask()

    assert bench.left() is None
    bench.directory.joinpath("go").touch()
    bench.stop = Stop()
    assert bench.left() == Ended(None)
    assert bench.lines == [b"two"]


def test_one_that_was_seen_to_end_has_its_exit_code(bench: Bench) -> None:
    bench.run("echo one; exit 4")
    bench.lines.clear()

    assert bench.left() == Ended(4, note={"directory": str(bench.directory)})
    assert bench.lines == [b"one"]


def test_nothing_that_was_never_begun_is_waited_for(bench: Bench) -> None:
    assert bench.left() == Ended(None, started=False)
    bench.log.touch()
    assert bench.left() == Ended(None, started=False)


def test_a_process_that_was_given_the_same_number_is_not_taken_for_it(bench: Bench) -> None:
    bench.run("exit 0")
    record = json.loads(bench.beside(".pid").read_text())

    for changed in ({"started": "1"}, {"boot": "another"}, {"started": None}):
        forged = {**record, "pid": os.getpid(), **changed}
        bench.beside(".pid").write_text(json.dumps(forged))
        ended = bench.left()
        assert ended is not None
        assert ended.rebooted is ("boot" in changed)


def test_a_process_without_a_lock_on_its_log_is_still_known_by_its_number(bench: Bench) -> None:
    # As on a file system that knows no locks.
    bench.run("exit 0")
    started = Path("/proc/self/stat").read_text().rpartition(")")[2].split()[19]
    record = json.loads(bench.beside(".pid").read_text())
    ours = {**record, "pid": os.getpid(), "started": started}
    bench.beside(".pid").write_text(json.dumps(ours))
    bench.stop.ask()

    assert bench.left() is None


def test_a_log_that_somebody_holds_before_he_said_who_he_is_is_waited_for(bench: Bench) -> None:
    bench.log.touch()
    bench.stop.ask()

    with bench.log.open("ab") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        assert bench.left() is None
    assert bench.left() == Ended(None, started=False)


def test_a_record_that_cannot_be_read_says_at_least_that_it_was_started(bench: Bench) -> None:
    bench.run("echo one")
    bench.beside(".pid").write_text("{")
    bench.beside(".exit").write_text("?")
    bench.beside(".err").unlink()

    assert bench.left() == Ended(None)
