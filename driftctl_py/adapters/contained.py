"""Other people's programs: policies' engines and checks, run where they can do little harm.

Each gets an empty private directory, which is removed with all that it wrote there; an environment
of few words; no standard input; a time limit, and one for its output. When it has ended, or must,
everything that it started goes with it (`leash`). What is given to it to read is a copy of its own.

Not a sandbox: it runs as our user, and without privileges nothing keeps it from writing elsewhere,
from the network, or from killing what belongs to us.
"""

from __future__ import annotations

import errno
import os
import selectors
import shutil
import signal
import socket
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from time import monotonic, sleep

from driftctl_py.adapters.process import Piped, start_piped
from driftctl_py.adapters.stop import Stop
from driftctl_py.errors import Interrupted, PolicyError

# In a word of ``argv`` or a value of ``env``: the private directory. No program can be handed this
# character, so nobody means it by anything else.
PLACE = "\0"

_LEASH = Path(__file__).with_name("leash.py")
_STDERR_KEPT = 64 * 1024
_CHUNK = 64 * 1024
_POLL_SECONDS = 0.2
# To kill what is left. Longer takes only what cannot be killed: another user's, or a hung disk.
_END_SECONDS = 10.0


@dataclass(frozen=True, slots=True)
class Contained:
    """How it ended. ``stderr`` is its last 64 KiB."""

    exit_code: int
    stdout: bytes
    stderr: str


def run_contained(
    argv: Sequence[str],
    *,
    env: Mapping[str, str],
    stop: Stop,
    timeout_seconds: float,
    output_limit_bytes: int = 16 * 1024 * 1024,
    inputs: Mapping[str, Path] | None = None,
) -> Contained:
    """Run ``argv`` to its end in a directory that holds a read-only copy of each of ``inputs``
    under its name, and nothing else; `PLACE` stands for that directory.

    Its environment is ``env`` with HOME and TMPDIR, that directory, and LANG unless it has one;
    a program without a slash is looked for on its PATH.
    Raises `PolicyError` for what cannot be started, takes too long, says too much or is ended by a
    signal, `Interrupted` when ``stop`` is asked.
    """
    name = Path(argv[0]).name
    with _private(inputs or {}, name) as place:
        env = {"PATH": os.defpath, "LANG": "C.UTF-8", **env, "HOME": PLACE, "TMPDIR": PLACE}
        env = {key: each.replace(PLACE, str(place)) for key, each in env.items()}
        words = [each.replace(PLACE, str(place)) for each in argv]
        words[0] = _found(words[0], env["PATH"])
        running = _Running(name, stop, timeout_seconds, output_limit_bytes)
        ended = running.run(words, place, env)
        if ended is None:
            _sweep(place)
            raise PolicyError(
                f"What watches over {name} was killed before {name} ended, so its answer is not "
                "to be trusted.",
                todo="Find out who kills it (the system does where memory runs out: dmesg), then "
                "plan again.",
            )
        return running.answer(ended)


@contextmanager
def _private(inputs: Mapping[str, Path], name: str) -> Iterator[Path]:
    place = None
    try:
        place = Path(tempfile.mkdtemp(prefix="driftctl-py-")).resolve()
        for called, source in inputs.items():
            # A copy, since a link would be the same file: what it is made, the original becomes.
            copy = place / called
            with os.fdopen(os.open(copy, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as to:
                with source.open("rb") as whole:
                    shutil.copyfileobj(whole, to, 1024 * 1024)
                os.fchmod(to.fileno(), 0o400)
    except OSError as error:
        if place is not None:
            shutil.rmtree(place, ignore_errors=True)
        raise PolicyError(
            f"{name} could not be given what it is to read: {error.strerror} "
            f"({error.filename or tempfile.gettempdir()}).",
            todo="Make room there, or name another directory for temporary files: TMPDIR=DIR",
        ) from error
    try:
        yield place
    finally:
        # First what may hold secrets: of the rest, a program can make something that is hard to
        # remove.
        for called in inputs:
            with suppress(OSError):
                (place / called).unlink()
        _remove(place, name)


def _found(program: str, path: str) -> str:
    if "/" in program:
        return program
    found = shutil.which(program, path=path)
    if found is None:
        raise PolicyError(
            f"There is no program {program} on PATH.",
            todo=f"Install {program}, or configure its path.",
        )
    return str(Path(found).absolute())


class _Running:
    """One program, and what it said."""

    def __init__(
        self, name: str, stop: Stop, timeout_seconds: float, output_limit_bytes: int
    ) -> None:
        self._name = name
        self._stop = stop
        self._timeout_seconds = timeout_seconds
        self._deadline = monotonic() + timeout_seconds
        self._limit = output_limit_bytes
        self._stdout = bytearray()
        self._stderr = bytearray()
        self._stderr_size = 0
        self._over: PolicyError | Interrupted | None = None

    def run(self, argv: Sequence[str], place: Path, env: Mapping[str, str]) -> str | None:
        """What is said of its end; None where nobody was left to say it."""
        ours, theirs = socket.socketpair()
        with ours, ExitStack() as started:
            with theirs:
                number = theirs.fileno()
                leash = (sys.executable, "-I", "-S", str(_LEASH), str(number), str(place))
                try:
                    piped = started.enter_context(
                        start_piped((*leash, *argv), cwd=place, env=env, pass_fds=(number,))
                    )
                except (OSError, ValueError) as error:
                    raise self._not_started(error) from error
            try:
                said = self._listen(ours, piped)
            finally:
                # However we got here, nothing of it goes on.
                with suppress(OSError):
                    ours.shutdown(socket.SHUT_WR)
                piped.end(wait_seconds=_END_SECONDS)
        if self._over is not None:
            raise self._over
        return said

    def answer(self, said: str) -> Contained:
        how, _, number = said.splitlines()[0].partition(" ")
        if how == "start":
            raise self._not_started(OSError(int(number), os.strerror(int(number))))
        if how == "signal":
            raise self._ended_by(int(number))
        stderr = bytes(self._stderr[-_STDERR_KEPT:]).decode("utf-8", "replace")
        return Contained(int(number), bytes(self._stdout), stderr)

    def _listen(self, ours: socket.socket, piped: Piped) -> str | None:
        said, give_up = b"", float("inf")
        keeps = {piped.stdout: self._keep_stdout, piped.stderr: self._keep_stderr}
        with selectors.DefaultSelector() as selector:
            selector.register(ours, selectors.EVENT_READ)
            for descriptor in keeps:
                os.set_blocking(descriptor, False)
                selector.register(descriptor, selectors.EVENT_READ)
            while monotonic() < give_up:
                ready = {key.fd for key, _ in selector.select(_POLL_SECONDS)}
                for descriptor in ready & keeps.keys():
                    chunk = os.read(descriptor, _CHUNK)
                    if chunk:
                        keeps[descriptor](chunk)
                    else:
                        selector.unregister(descriptor)
                if ours.fileno() in ready:
                    told = ours.recv(_CHUNK)
                    if not told:
                        break
                    said += told
                self._look()
                if self._over is not None and give_up == float("inf"):
                    ours.shutdown(socket.SHUT_WR)
                    give_up = monotonic() + _END_SECONDS
        for descriptor, keep in keeps.items():
            self._drain(descriptor, keep)
        return said.decode() or None

    def _drain(self, descriptor: int, keep: Callable[[bytes], None]) -> None:
        """What lay in the pipe when the last writer went; not waited for, since where something
        cannot be killed there is one left."""
        with suppress(BlockingIOError):
            while self._over is None and (chunk := os.read(descriptor, _CHUNK)):
                keep(chunk)

    def _keep_stdout(self, chunk: bytes) -> None:
        self._stdout += chunk[: self._limit + 1 - len(self._stdout)]
        if len(self._stdout) > self._limit:
            self._flooded("output")

    def _keep_stderr(self, chunk: bytes) -> None:
        self._stderr += chunk
        self._stderr_size += len(chunk)
        if len(self._stderr) > 2 * _STDERR_KEPT:
            del self._stderr[:-_STDERR_KEPT]
        if self._stderr_size > self._limit:
            self._flooded("error output")

    def _flooded(self, what: str) -> None:
        self._over = self._over or PolicyError(
            f"{self._name} was stopped: it wrote more than {_size(self._limit)} of {what}, so "
            "nothing of it counts.",
            todo="Have it say less, as with its option for quiet or compact output.",
        )

    def _look(self) -> None:
        if self._over is not None:
            return
        if self._stop.please:
            self._over = Interrupted(f"Stopped while {self._name} ran; nothing was changed by it.")
        elif monotonic() >= self._deadline:
            self._over = PolicyError(
                f"{self._name} was stopped: it had not answered after {self._timeout_seconds:g} "
                "seconds.",
                todo="Find out what it waits for, or give it longer: timeout_seconds",
            )

    def _not_started(self, error: Exception) -> PolicyError:
        number = error.errno if isinstance(error, OSError) else None
        why, todo = _START_FAILURES.get(
            number or 0, (f"{error}".rstrip("."), "Run it by hand and look what is wrong.")
        )
        return PolicyError(f"{self._name} could not be started: {why}.", todo=todo)

    def _ended_by(self, number: int) -> PolicyError:
        try:
            called = signal.Signals(number).name
        except ValueError:
            called = f"signal {number}"
        return PolicyError(
            f"{self._name} was ended by {called} before it had answered.",
            todo="Run it by hand; where SIGKILL ended it, memory may have run out."
            if number == signal.SIGKILL
            else "Run it by hand and look why it crashes.",
        )


_START_FAILURES = {
    errno.ENOENT: (
        "there is no such file, or its first line names an interpreter that is not there",
        "Install it, or correct its path or its first line.",
    ),
    errno.EACCES: ("it is not executable", "chmod +x it, or name the program that is to run it."),
    errno.EPERM: ("the system does not permit it", "Look at its file system's options (noexec)."),
    errno.ENOEXEC: (
        "it is no program of this machine, or a script whose first line names no interpreter",
        "Begin it with a line such as #!/bin/sh, or install it for this machine.",
    ),
    errno.E2BIG: ("its command line and environment are too long", "Shorten them."),
}


def _size(number: int) -> str:
    return f"{number // 1024 // 1024} MiB" if number >= 1024 * 1024 else f"{number} bytes"


def _sweep(place: Path) -> None:
    """Kill what still has the private directory for its home: whoever killed its watcher may have
    left it running."""
    marker = b"\0HOME=" + os.fsencode(place) + b"\0"
    for _ in range(20):
        found = False
        for environ in Path("/proc").glob("[0-9]*/environ"):
            with suppress(OSError):
                if marker in b"\0" + environ.read_bytes():
                    os.kill(int(environ.parent.name), signal.SIGKILL)
                    found = True
        if not found:
            return
        sleep(0.05)


def _remove(place: Path, name: str) -> None:
    for _ in range(2):
        # However deep a program nests its directories.
        with suppress(RecursionError):
            shutil.rmtree(place, ignore_errors=True)
        if not place.exists():
            return
        _open_all(place)
    raise PolicyError(
        f"What {name} left in {place} could not be removed.",
        todo=f"Look what it is, then: rm -rf {place}",
    )


def _open_all(place: Path) -> None:
    """Directories that a program closed, even to itself."""
    pending = [place]
    while pending:
        each = pending.pop()
        with suppress(OSError):
            each.chmod(0o700)
            with os.scandir(each) as entries:
                pending += [Path(one) for one in entries if one.is_dir(follow_symlinks=False)]
