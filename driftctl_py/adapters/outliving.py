"""Programs that must come to their end whatever becomes of us: an engine that applies.

Their output goes to files, never into a pipe, which would end them with us (SIGPIPE). For a log
``apply.jsonl`` there are, all for our eyes only:

    apply.jsonl     standard output, locked (flock) by whoever has it open to write: the program
    apply.err       standard error
    apply.pid       who it is, written by itself before it starts (``launch.py``)
    apply.exit      its exit code, written by us if we saw it

So who comes later (`left`) knows whether it was ever started, whether it still runs, and all that
it said. Nothing here ever kills: the first wish to stop becomes one SIGINT after a time of grace,
a second wish becomes nothing at all.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import sys
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from time import monotonic

import msgspec

from driftctl_py.adapters.process import Tail, start_apart
from driftctl_py.adapters.stop import Stop

_LAUNCHER = Path(__file__).with_name("launch.py")
_STDERR_KEPT = 64 * 1024
# A state that an engine could save nowhere else is one line of its output.
_LONGEST_LINE = 1024 * 1024 * 1024
_POLL_SECONDS = 0.2


@dataclass(frozen=True, slots=True)
class Ended:
    """How it ended. ``exit_code`` is negative for a signal, and None where nobody saw it;
    ``stderr`` the last 64 KiB of what it said there. ``started`` is False when it never was.
    ``interrupted``: we sent it SIGINT. ``rebooted``: the machine was started anew since, so what
    it wrote last may be missing. ``note`` is what was asked to be kept with it."""

    exit_code: int | None
    stderr: str = ""
    started: bool = True
    interrupted: bool = False
    rebooted: bool = False
    note: Mapping[str, str] = field(default_factory=dict)


class _Record(msgspec.Struct):
    """``apply.pid``. ``started`` and ``boot`` make sure that a number was not given anew; None
    where the kernel does not tell."""

    pid: int
    program: str = ""
    started: str | None = None
    boot: str | None = None
    note: dict[str, str] = {}


def run(
    argv: Sequence[str],
    *,
    cwd: Path,
    env: Mapping[str, str],
    log: Path,
    on_line: Callable[[bytes], None],
    stop: Stop,
    grace_seconds: float,
    note: Mapping[str, str],
) -> Ended:
    """Run ``argv`` to its end, without any limit of time. ``log`` must not exist yet.

    An exception out of ``on_line`` is raised when the program has ended, and not before: else
    somebody would take it for over. Raises OSError when the files cannot be made; a program
    that cannot be started is one that ``started`` not.
    """
    launcher = [sys.executable, "-I", "-S", str(_LAUNCHER), str(_record(log))]
    facts = msgspec.json.encode({"locale": env.get("LC_CTYPE"), "note": dict(note)}).decode()
    with _new(log) as stdout, _new(_stderr(log)) as stderr:
        # Whoever has this very opening of the file holds the lock: us, until we close it, and the
        # program, until it ends. The kernel sees to it, even where nobody reaps anybody.
        with contextlib.suppress(OSError):  # a file system that knows no locks
            fcntl.flock(stdout, fcntl.LOCK_EX)
        child = start_apart(
            [*launcher, facts, *argv], cwd=cwd, env=env, stdout=stdout, stderr=stderr
        )
    patience = _Patience(child.interrupt, stop, grace_seconds)
    try:
        with log.open("rb") as file:
            tail = Tail(file.fileno(), on_line, longest=_LONGEST_LINE)

            def look() -> None:
                patience.look()
                tail.read()

            child.wait(look)
            tail.end()
    finally:
        # Whatever went wrong with us, the program goes on, and so we stay.
        code = child.wait(patience.look)
        # Who cannot write it has it all the same; who comes later does without.
        with contextlib.suppress(OSError), _new(log.with_suffix(".exit")) as descriptor:
            os.write(descriptor, b"%d\n" % code)
    return Ended(
        code,
        _read_stderr(log),
        started=_record(log).exists(),
        interrupted=patience.is_over,
        note=note,
    )


def left(log: Path, *, on_line: Callable[[bytes], None], stop: Stop) -> Ended | None:
    """How a program ended that another process started, or an earlier one of ours. Waits for it
    while it runs, until somebody wishes to stop: then None. Never touches the program."""
    with contextlib.ExitStack() as files:
        tail = None
        with contextlib.suppress(FileNotFoundError):
            file = files.enter_context(log.open("rb"))
            tail = Tail(file.fileno(), on_line, longest=_LONGEST_LINE)
        while _runs(log):
            if stop.please:
                return None
            if tail is not None:
                tail.read()
            threading.Event().wait(_POLL_SECONDS)
        if tail is not None:
            tail.end()
    # A record that cannot be read is one all the same: something was started.
    record = _read_record(log) or _Record(0)
    boot = _boot()
    return Ended(
        _read_exit(log),
        _read_stderr(log),
        started=_record(log).exists(),
        rebooted=None not in (boot, record.boot) and boot != record.boot,
        note=record.note,
    )


class _Patience:
    """From a wish to stop to the one SIGINT."""

    def __init__(self, interrupt: Callable[[], None], stop: Stop, grace_seconds: float) -> None:
        self._interrupt = interrupt
        self._stop = stop
        self._grace = grace_seconds
        self._asked_at: float | None = None
        self.is_over = False

    def look(self) -> None:
        if self.is_over or not self._stop.please:
            return
        now = monotonic()
        if self._asked_at is None:
            self._asked_at = now
        if now >= self._asked_at + self._grace:
            self.is_over = True
            self._interrupt()


def _record(log: Path) -> Path:
    return log.with_suffix(".pid")


def _stderr(log: Path) -> Path:
    return log.with_suffix(".err")


@contextlib.contextmanager
def _new(path: Path) -> Iterator[int]:
    """A file that was not there, and that only we can read. Each write goes to its end."""
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND
    descriptor = os.open(path, flags, 0o600)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def _runs(log: Path) -> bool:
    """Whether it holds its log; or, where a file system knows no such locks, whether the process
    is still there that wrote down who it is."""
    return _is_held(log) or _is_alive(_read_record(log))


def _is_held(log: Path) -> bool:
    try:
        descriptor = os.open(log, os.O_RDONLY)
    except FileNotFoundError:
        return False
    try:
        # Shared: two who look at once do not take each other for the program.
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:  # a file system that knows no locks
        return False
    finally:
        os.close(descriptor)
    return False


def _is_alive(record: _Record | None) -> bool:
    if record is None or record.started is None or record.boot != _boot():
        return False
    try:
        stat = Path(f"/proc/{record.pid}/stat").read_text("utf-8", "replace")
    except OSError:
        return False
    state, *rest = stat.rpartition(")")[2].split()
    # A zombie has ended; it only was not reaped yet.
    return state not in ("Z", "X") and rest[18] == record.started


def _boot() -> str | None:
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text("ascii").strip()
    except OSError:
        return None


def _read_record(log: Path) -> _Record | None:
    try:
        return msgspec.json.decode(_record(log).read_bytes(), type=_Record)
    except (OSError, msgspec.DecodeError, UnicodeDecodeError):
        return None


def _read_exit(log: Path) -> int | None:
    try:
        return int(log.with_suffix(".exit").read_bytes())
    except (OSError, ValueError):
        return None


def _read_stderr(log: Path) -> str:
    try:
        with _stderr(log).open("rb") as file:
            size = file.seek(0, os.SEEK_END)
            file.seek(max(0, size - _STDERR_KEPT))
            return file.read().decode("utf-8", "replace")
    except OSError:
        return ""
