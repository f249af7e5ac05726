"""Real processes: lines, limits, signals, and nothing left behind."""

from __future__ import annotations

import os
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
