"""Running other programs: the one place where a process is started.

A program runs in a session of its own, so a Ctrl-C on the terminal reaches us and not it; we
pass it on, once, to the program alone, and give it time to put its house in order. What it
leaves running in its process group is swept away when it has ended. Standard output arrives line by
line, standard error is kept aside and bounded.

Not here: programs that are to go on when we are killed (``outliving``), which start here all the
same (`start_apart`).
"""

from __future__ import annotations

import contextlib
import os
import select
import selectors
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from time import monotonic

from driftctl_py.adapters.stop import Stop as Stop  # for those who run programs

# How long a program that was asked to stop (SIGINT) may take before it is killed. An engine
# waits for its providers' calls in flight; a plan holds no lock, so killing it in the end loses
# nothing. What must never be killed is run with `kill_after_seconds=None`.
INTERRUPT_GRACE_SECONDS = 60.0

# The longest line kept whole. `generated_config` makes long ones; more than this is garbage.
_LONGEST_LINE = 16 * 1024 * 1024
_STDERR_KEPT = 64 * 1024
_CHUNK = 64 * 1024
_POLL_SECONDS = 0.2


@dataclass(frozen=True, slots=True)
class Finished:
    """How a program ended. ``exit_code`` is negative for a signal, as in `subprocess`;
    ``stderr`` is its last 64 KiB."""

    exit_code: int
    stderr: str
    timed_out: bool = False
    interrupted: bool = False


def run(
    argv: Sequence[str],
    *,
    cwd: Path,
    env: Mapping[str, str],
    on_line: Callable[[bytes], None],
    stop: Stop,
    timeout_seconds: float | None = None,
    kill_after_seconds: float | None = INTERRUPT_GRACE_SECONDS,
    stdout: int | None = None,
    pass_fds: Sequence[int] = (),
    holds_lock: bool = False,
) -> Finished:
    """Run ``argv`` to its end, handing each line of standard output to ``on_line``.

    After ``timeout_seconds``, or when ``stop`` is asked, it gets one SIGINT; when it has not
    ended ``kill_after_seconds`` later (or ``stop`` is asked again), SIGKILL, unless that is None.
    With ``stdout``, a file descriptor, standard output goes there and ``on_line`` sees nothing;
    the program inherits ``pass_fds`` as well.
    With ``holds_lock``, it holds something that it ought to let go of itself. So it gets a second
    SIGINT before SIGKILL, and its lines come through a file: when we are killed, a pipe would
    kill it with us at its next line.
    Raises OSError when the program cannot be started.
    """
    limits = _Limits(stop, timeout_seconds, kill_after_seconds, insist=holds_lock)
    if not holds_lock:
        return _run(argv, cwd, env, on_line, limits, stdout, pass_fds)
    with tempfile.TemporaryFile() as file:
        tail = Tail(file.fileno(), on_line)
        finished = _run(argv, cwd, env, on_line, limits, file.fileno(), pass_fds, tail.read)
        tail.end()
    return finished


@dataclass(frozen=True, slots=True)
class _Limits:
    stop: Stop
    timeout_seconds: float | None
    kill_after_seconds: float | None
    insist: bool


def _run(
    argv: Sequence[str],
    cwd: Path,
    env: Mapping[str, str],
    on_line: Callable[[bytes], None],
    limits: _Limits,
    stdout: int | None,
    pass_fds: Sequence[int],
    meanwhile: Callable[[], None] = lambda: None,
) -> Finished:
    with tempfile.TemporaryFile() as stderr:
        process = subprocess.Popen(
            argv,
            cwd=cwd,
            env=dict(env),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE if stdout is None else stdout,
            stderr=stderr,
            start_new_session=True,
            pass_fds=pass_fds,
        )
        watch = _Watch(process, limits)
        try:
            if process.stdout is not None:
                _pump(process.stdout.fileno(), process.pid, on_line, watch)
            exit_code = watch.wait(meanwhile)
        except BaseException:
            # A bug in on_line, or an interrupt that landed here: never leave the program behind.
            watch.interrupt()
            watch.wait()
            raise
        finally:
            if process.stdout is not None:
                process.stdout.close()
        size = stderr.seek(0, os.SEEK_END)
        stderr.seek(max(0, size - _STDERR_KEPT))
        text = stderr.read().decode("utf-8", "replace")
    return Finished(exit_code, text, watch.timed_out, watch.was_interrupted)


class _Watch:
    """Time limit and wish to stop of one program, looked at between its lines."""

    def __init__(self, process: subprocess.Popen[bytes], limits: _Limits) -> None:
        seconds = limits.timeout_seconds
        self._process = process
        self._stop = limits.stop
        self._deadline = None if seconds is None else monotonic() + seconds
        self._kill_after = limits.kill_after_seconds
        self._insist = limits.insist
        self._insisted = False
        self._interrupted_at: float | None = None
        self.timed_out = False
        self.was_interrupted = False

    def look(self) -> None:
        if self._interrupted_at is None:
            if self._stop.please:
                self.was_interrupted = True
                self.interrupt()
            elif self._deadline is not None and monotonic() >= self._deadline:
                self.timed_out = True
                self.interrupt()
        elif self._kill_after is not None and (
            (self._stop.now and not self._insisted)
            or monotonic() >= self._interrupted_at + self._kill_after
        ):
            if self._insist and not self._insisted:
                self._insisted = True
                self._interrupted_at = monotonic()
                _interrupt(self._process.pid)
            else:
                self._signal_all(signal.SIGKILL)

    def interrupt(self) -> None:
        if self._interrupted_at is None:
            self._interrupted_at = monotonic()
            _interrupt(self._process.pid)

    def wait(self, meanwhile: Callable[[], None] = lambda: None) -> int:
        """Until the program has ended; then sweep its process group and reap it."""
        pid = self._process.pid
        if self._process.returncode is None:
            with _end_of(pid) as pause:
                while not _has_ended(pid):
                    self.look()
                    meanwhile()
                    pause()
            # Not reaped yet, so the process group's number cannot belong to anybody else.
            self._signal_all(signal.SIGKILL)
        return self._process.wait()

    def _signal_all(self, number: signal.Signals) -> None:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self._process.pid, number)


@contextlib.contextmanager
def _end_of(pid: int) -> Iterator[Callable[[], object]]:
    """Something that waits a moment, but no longer than until the program has ended."""
    descriptor = None
    if sys.platform == "linux":
        with contextlib.suppress(OSError):  # a kernel older than 5.3
            descriptor = os.pidfd_open(pid)
    if descriptor is None:
        # A `show` of two seconds is a thousand of these.
        yield lambda: threading.Event().wait(0.002)
        return
    try:
        poll = select.poll()
        poll.register(descriptor, select.POLLIN)
        yield lambda: poll.poll(_POLL_SECONDS * 1000)
    finally:
        os.close(descriptor)


def _pump(descriptor: int, pid: int, on_line: Callable[[bytes], None], watch: _Watch) -> None:
    os.set_blocking(descriptor, False)
    lines = _Lines(on_line)
    with selectors.DefaultSelector() as selector:
        selector.register(descriptor, selectors.EVENT_READ)
        ended = False
        while True:
            ready = selector.select(0 if ended else _POLL_SECONDS)
            watch.look()
            if not ready:
                # A grandchild may hold our pipe open after the program itself has ended. What that
                # wrote between two looks, its last words, still lies there: one more look.
                if ended:
                    break
                ended = _has_ended(pid)
                continue
            chunk = os.read(descriptor, _CHUNK)
            if not chunk:
                break
            lines.feed(chunk)
    lines.end()


class _Lines:
    """Whole lines out of chunks; one that is too long to keep becomes a remark."""

    def __init__(self, on_line: Callable[[bytes], None], longest: int = _LONGEST_LINE) -> None:
        self._on_line = on_line
        self._longest = longest
        self._pending = bytearray()
        self._skipping = False

    def feed(self, chunk: bytes) -> None:
        self._pending += chunk
        if b"\n" in chunk:
            *lines, rest = self._pending.split(b"\n")
            self._pending = bytearray(rest)
            for line in lines:
                if self._skipping:
                    self._on_line(b"\x00 a line too long to keep")
                    self._skipping = False
                else:
                    self._on_line(bytes(line))
        elif len(self._pending) > self._longest:
            self._pending.clear()
            self._skipping = True

    def end(self) -> None:
        """The last line, though nothing ends it."""
        if self._pending or self._skipping:
            self._on_line(bytes(self._pending))


class Tail:
    """The lines of a file that somebody else writes to, as they come."""

    def __init__(
        self, descriptor: int, on_line: Callable[[bytes], None], *, longest: int = _LONGEST_LINE
    ) -> None:
        self._descriptor = descriptor
        self._lines = _Lines(on_line, longest)
        self._offset = 0

    def read(self) -> None:
        """What came since; no more than is there now, so that this ends."""
        size = os.fstat(self._descriptor).st_size
        while self._offset < size:
            # Not `read`: who writes may have the same open file, and with it the same position.
            chunk = os.pread(self._descriptor, _CHUNK, self._offset)
            if not chunk:
                return
            self._offset += len(chunk)
            self._lines.feed(chunk)

    def end(self) -> None:
        """All the rest; the last line, though nothing ends it."""
        self.read()
        self._lines.end()


class Apart:
    """A program in a session of its own that nothing here ever kills."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        self._process = process

    @property
    def ended(self) -> bool:
        return self._process.returncode is not None or _has_ended(self._process.pid)

    def interrupt(self) -> None:
        """One SIGINT, to the program alone: it tells its children itself, in its own order."""
        if not self.ended:
            _interrupt(self._process.pid)

    def wait(self, each: Callable[[], None]) -> int:
        """Its exit code, once it has ended by itself; ``each`` is called now and then until it
        has, and whatever that raises, nothing happens to the program."""
        if self._process.returncode is not None:
            return self._process.returncode
        with _end_of(self._process.pid) as pause:
            while not self.ended:
                each()
                pause()
        if _was_killed(self._process.pid):
            # What its providers do from here on, nobody takes down. Not reaped yet, so the
            # number of the process group cannot belong to anybody else.
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self._process.pid, signal.SIGKILL)
        return self._process.wait()


def start_apart(
    argv: Sequence[str], *, cwd: Path, env: Mapping[str, str], stdout: int, stderr: int
) -> Apart:
    """Start ``argv`` so that it depends on us for nothing. Raises OSError when it cannot be."""
    return Apart(
        subprocess.Popen(
            argv,
            cwd=cwd,
            env=dict(env),
            stdin=subprocess.DEVNULL,
            stdout=stdout,
            stderr=stderr,
            start_new_session=True,
        )
    )


def _interrupt(pid: int) -> None:
    # Only the engine: it tells its providers itself, in its own order.
    # Not `send_signal`: that reaps a program which has just ended, and `wait` sweeps first.
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, signal.SIGINT)


def _has_ended(pid: int) -> bool:
    """Whether this child of ours has; it is not reaped."""
    return os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT | os.WNOHANG) is not None


def _was_killed(pid: int) -> bool:
    end = os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)
    return end is not None and end.si_code in (os.CLD_KILLED, os.CLD_DUMPED)


@dataclass(frozen=True, slots=True)
class Background:
    """A program that runs beside us, such as a local server; `terminate` ends it."""

    process: subprocess.Popen[bytes]

    @property
    def pid(self) -> int:
        return self.process.pid

    @property
    def alive(self) -> bool:
        return self.process.poll() is None

    def terminate(self, *, wait_seconds: float = 5.0) -> None:
        """SIGTERM, then SIGKILL for whatever is left of its session; reaps it."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGTERM)
        try:
            self.process.wait(wait_seconds)
        except subprocess.TimeoutExpired:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()


def start_background(
    argv: Sequence[str], *, cwd: Path, env: Mapping[str, str], log: Path
) -> Background:
    """Start ``argv`` in a session of its own, its output appended to ``log`` (made 0600)."""
    descriptor = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    try:
        process = subprocess.Popen(
            argv,
            cwd=cwd,
            env=dict(env),
            stdin=subprocess.DEVNULL,
            stdout=descriptor,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    finally:
        os.close(descriptor)
    return Background(process)


class Piped:
    """A program whose output the caller reads from two pipes; ``end`` kills it, if need be."""

    def __init__(self, process: subprocess.Popen[bytes], stdout: int, stderr: int) -> None:
        self._process = process
        self.stdout = stdout
        self.stderr = stderr

    def end(self, *, wait_seconds: float) -> None:
        """Give it that long to end by itself, then kill its process group; reaps it."""
        try:
            self._process.wait(wait_seconds)
        except subprocess.TimeoutExpired:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()


@contextlib.contextmanager
def start_piped(
    argv: Sequence[str], *, cwd: Path, env: Mapping[str, str], pass_fds: Sequence[int]
) -> Iterator[Piped]:
    """Start ``argv`` in a session of its own; its pipes are open until the block ends."""
    process = subprocess.Popen(
        argv,
        cwd=cwd,
        env=dict(env),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
        pass_fds=pass_fds,
    )
    try:
        assert process.stdout is not None  # noqa: S101 - asked for above
        assert process.stderr is not None  # noqa: S101 - it was asked for as a pipe
        with process.stdout, process.stderr:
            yield Piped(process, process.stdout.fileno(), process.stderr.fileno())
    finally:
        Piped(process, -1, -1).end(wait_seconds=0)
