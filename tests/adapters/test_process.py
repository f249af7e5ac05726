"""Real processes: lines, limits, signals, and nothing left behind."""

from __future__ import annotations

import os
import signal
import sys
import threading
from pathlib import Path
from time import monotonic, sleep

import pytest

from driftctl_py.adapters.process import Finished, Stop, run, start_background


def _python(
    code: str,
    cwd: Path,
    *,
    stop: Stop | None = None,
    timeout_seconds: float | None = None,
    kill_after_seconds: float | None = 5.0,
) -> tuple[Finished, list[bytes]]:
    lines: list[bytes] = []
    finished = run(
        [sys.executable, "-u", "-c", code],
        cwd=cwd,
        env={"PATH": os.environ["PATH"]},
        on_line=lines.append,
        stop=stop or Stop(),
        timeout_seconds=timeout_seconds,
        kill_after_seconds=kill_after_seconds,
    )
    return finished, lines


def _is_alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().split(")")[1].split()[0] != "Z"
    except FileNotFoundError:
        return False


def test_lines_exit_code_and_stderr_arrive(tmp_path: Path) -> None:
    code = (
        "import sys; print('one'); print('two', end=''); sys.stderr.write('oops\\n'); sys.exit(2)"
    )

    finished, lines = _python(code, tmp_path)

    assert lines == [b"one", b"two"]
    assert finished == Finished(2, "oops\n")


def test_the_environment_is_exactly_what_was_given(tmp_path: Path) -> None:
    _, lines = _python(
        "import os; print(sorted(k for k in os.environ if k != 'LC_CTYPE'))", tmp_path
    )

    assert lines == [b"['PATH']"]


def test_a_very_long_line_without_an_end_does_not_fill_the_memory(tmp_path: Path) -> None:
    code = (
        "import sys\nfor _ in range(40): sys.stdout.write('x' * (1 << 20))\nprint()\nprint('after')"
    )

    _, lines = _python(code, tmp_path)

    assert lines[-1] == b"after"
    assert sum(map(len, lines)) < 1000


def test_a_time_limit_interrupts_first(tmp_path: Path) -> None:
    code = "import time\ntry: time.sleep(60)\nexcept KeyboardInterrupt: print('tidied up')"

    finished, lines = _python(code, tmp_path, timeout_seconds=1.0)

    assert lines == [b"tidied up"]
    assert finished.timed_out
    assert not finished.interrupted


def test_what_ignores_the_interrupt_is_killed_in_the_end(tmp_path: Path) -> None:
    code = "import signal, time; signal.signal(signal.SIGINT, signal.SIG_IGN); time.sleep(60)"

    finished, _ = _python(code, tmp_path, timeout_seconds=0.5, kill_after_seconds=0.5)

    assert finished.exit_code == -9
    assert finished.timed_out


def test_a_wish_to_stop_reaches_a_silent_program(tmp_path: Path) -> None:
    stop = Stop()
    threading.Timer(0.7, stop.ask).start()
    started = monotonic()

    finished, _ = _python("import time; time.sleep(60)", tmp_path, stop=stop)

    assert finished.interrupted
    assert monotonic() - started < 20


def test_the_second_wish_to_stop_does_not_wait(tmp_path: Path) -> None:
    stop = Stop()
    threading.Timer(0.7, stop.ask).start()
    threading.Timer(1.2, stop.ask).start()
    code = "import signal, time; signal.signal(signal.SIGINT, signal.SIG_IGN); time.sleep(60)"

    finished, _ = _python(code, tmp_path, stop=stop, kill_after_seconds=50)

    assert finished.exit_code == -9


def test_children_left_behind_are_swept_away(tmp_path: Path) -> None:
    code = (
        "import subprocess, sys\n"
        "child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)'])\n"
        "print(child.pid)"
    )

    _, lines = _python(code, tmp_path)

    child = int(lines[0])
    for _ in range(100):
        if not _is_alive(child):
            break
        sleep(0.05)
    assert not _is_alive(child)


def test_an_error_in_the_reader_does_not_leave_the_program_running(tmp_path: Path) -> None:
    seen: list[int] = []

    def read(line: bytes) -> None:
        seen.append(int(line))
        raise ValueError("a bug")

    with pytest.raises(ValueError, match="a bug"):
        run(
            [sys.executable, "-u", "-c", "import os, time; print(os.getpid()); time.sleep(60)"],
            cwd=tmp_path,
            env={},
            on_line=read,
            stop=Stop(),
        )

    assert not _is_alive(seen[0])


def test_a_program_that_is_not_there_is_an_os_error(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        run(
            [str(tmp_path / "no-such-engine")],
            cwd=tmp_path,
            env={},
            on_line=lambda _line: None,
            stop=Stop(),
        )


def test_a_background_program_ends_with_its_children(tmp_path: Path) -> None:
    log = tmp_path / "log"
    server = start_background(
        [sys.executable, "-u", "-c", "print('here'); import time; time.sleep(60)"],
        cwd=tmp_path,
        env={},
        log=log,
    )
    while b"here" not in log.read_bytes():
        sleep(0.02)

    server.terminate()

    assert not server.alive
    assert log.stat().st_mode & 0o777 == 0o600


def test_what_holds_a_lock_is_asked_twice_before_it_is_killed(tmp_path: Path) -> None:
    code = """
import signal, sys, time
def asked(*_):
    print('asked', flush=True)
    if len(sys.argv) > 1 and (count := sys.argv.pop()) == 'twice': sys.exit(7)
signal.signal(signal.SIGINT, asked)
print('ready', flush=True)
for _ in range(600): time.sleep(0.05)
"""
    lines: list[bytes] = []
    stop = Stop()

    def on_line(line: bytes) -> None:
        lines.append(line)
        if line == b"ready":
            stop.ask()

    def attempt(*words: str) -> int:
        return run(
            [sys.executable, "-c", code, *words],
            cwd=tmp_path,
            env={},
            on_line=on_line,
            stop=stop,
            kill_after_seconds=0.3,
            holds_lock=True,
        ).exit_code

    # The first interrupt takes "once" away, the second obeys "twice".
    assert attempt("twice", "once") == 7
    assert lines == [b"ready", b"asked", b"asked"]
    lines.clear()
    stop = Stop()
    assert attempt() == -9
    assert lines == [b"ready", b"asked", b"asked"]


def test_a_second_wish_to_stop_asks_again_what_holds_a_lock_and_does_not_kill_it(
    tmp_path: Path,
) -> None:
    code = """
import signal, sys, time
def asked(*_):
    print('asked', flush=True)
    seen.append(1)
seen = []
signal.signal(signal.SIGINT, asked)
print('ready', flush=True)
while len(seen) < 2: time.sleep(0.02)
time.sleep(0.6)
sys.exit(5)
"""
    stop = Stop()

    def on_line(line: bytes) -> None:
        if line in (b"ready", b"asked"):
            stop.ask()

    finished = run(
        [sys.executable, "-c", code],
        cwd=tmp_path,
        env={},
        on_line=on_line,
        stop=stop,
        kill_after_seconds=30.0,
        holds_lock=True,
    )

    assert (finished.exit_code, finished.interrupted) == (5, True)


def test_what_holds_a_lock_goes_on_to_its_end_when_we_are_killed(tmp_path: Path) -> None:
    code = f"""
import os
import signal
from pathlib import Path
from driftctl_py.adapters.process import Stop, run

script = "echo one; touch ready; sleep 0.5; echo two && touch done"
run(["/bin/sh", "-c", script], cwd=Path({str(tmp_path)!r}), env=dict(os.environ),
    on_line=print, stop=Stop(), holds_lock=True)
"""
    us = start_background(
        [sys.executable, "-c", code], cwd=tmp_path, env=os.environ, log=tmp_path / "log"
    )
    deadline = monotonic() + 10
    while not (tmp_path / "ready").exists() and monotonic() < deadline:
        sleep(0.02)

    os.kill(us.pid, signal.SIGKILL)
    us.process.wait()

    while not (tmp_path / "done").exists():
        assert monotonic() < deadline
        sleep(0.02)


def test_what_a_program_says_last_is_heard_however_late_we_look(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # It speaks and ends between our look at its output and our look whether it is still there.
    def look_late(pid: int) -> bool:
        os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)
        return True

    monkeypatch.setattr("driftctl_py.adapters.process._has_ended", look_late)
    heard: list[bytes] = []
    finished = run(
        ["sh", "-c", "sleep 0.6; echo last; echo words"],
        cwd=tmp_path,
        env=dict(os.environ),
        on_line=heard.append,
        stop=Stop(),
    )

    assert finished.exit_code == 0
    assert heard == [b"last", b"words"]
