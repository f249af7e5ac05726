"""One git command: run it where it can neither ask, hang nor leak, and explain why it failed.

GitPython starts the program, in a session of its own: git has no terminal there, so nothing can
ask for a password, and a time limit ends it together with the helpers that talk to the network.
Not here: which commands to run, and in what order (``git.py``).
"""

from __future__ import annotations

import contextlib
import os
import re
import signal
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING, Protocol

from driftctl_py.core.environment import Source
from driftctl_py.core.git_url import (
    Address,
    Trouble,
    redact,
    token_header,
    trouble_in,
    without_trace,
)
from driftctl_py.errors import DriftctlError, Interrupted, SourceError, Unavailable

if TYPE_CHECKING:
    from types import ModuleType

# What `git rev-parse --local-env-vars` names, less the two that carry the user's own settings
# (GIT_CONFIG_COUNT, GIT_CONFIG_PARAMETERS). Git sets them when it runs a hook; a command of ours
# that inherited them would work on that repository and its half-written index.
_OF_ANOTHER_REPOSITORY = (
    "GIT_ALTERNATE_OBJECT_DIRECTORIES",
    "GIT_COMMON_DIR",
    "GIT_CONFIG",
    "GIT_DIR",
    "GIT_GRAFT_FILE",
    "GIT_IMPLICIT_WORK_TREE",
    "GIT_INDEX_FILE",
    "GIT_INTERNAL_SUPER_PREFIX",
    "GIT_NAMESPACE",
    "GIT_NO_REPLACE_OBJECTS",
    "GIT_OBJECT_DIRECTORY",
    "GIT_PREFIX",
    "GIT_QUARANTINE_PATH",
    "GIT_REPLACE_REF_BASE",
    "GIT_SHALLOW_FILE",
    "GIT_WORK_TREE",
)

_SETTINGS = (
    # Neither a hook nor a file watcher of somebody else's repository runs because we looked.
    "core.hooksPath=/dev/null",
    "core.fsmonitor=false",
    # Both would go on in the background after we have let go of the lock.
    "gc.auto=0",
    "maintenance.auto=false",
    # A server that works on a long answer still sends a byte now and then; a dead one does not.
    "http.lowSpeedLimit=1",
    "http.lowSpeedTime=30",
    "credential.interactive=false",
    "advice.detachedHead=false",
)
_ALWAYS = tuple(word for setting in _SETTINGS for word in ("-c", setting))
_SSH = "ssh -oBatchMode=yes -oConnectTimeout=20 -oServerAliveInterval=15 -oServerAliveCountMax=4"
_GRACE_SECONDS = 2.0


@dataclass(frozen=True, slots=True)
class Answer:
    """What git said. ``too_late`` is the limit in seconds that it was ended at, else None."""

    status: int
    out: bytes
    err: str
    too_late: float | None = None

    @property
    def good(self) -> bool:
        return self.status == 0 and self.too_late is None


@dataclass(frozen=True, slots=True)
class Remote:
    """A repository that git talks to, with what git must know for it and nobody may see."""

    source: str
    address: Address
    token_env: str | None
    environ: Mapping[str, str]
    secrets: tuple[str, ...]


class _Process(Protocol):
    """What we use of subprocess.Popen, which only adapters/process.py may name."""

    pid: int
    returncode: int | None

    def communicate(self) -> tuple[bytes, bytes]: ...
    def wait(self) -> int: ...


class GitCommands:
    """Runs git with one environment. Thread-safe."""

    def __init__(self, data_dir: Path, environ: Mapping[str, str]) -> None:
        self._data_dir = data_dir
        self._environ = dict(environ)
        self._guard = threading.Lock()
        self._running: set[_Process] = set()
        self._ssh_command: str | None = None
        self.stopped = False

    def remote(self, source: Source, address: Address) -> Remote:
        """How to reach ``address``: allowed transports, and the source's token."""
        environ = self._base_environ()
        # A repository from the network could name a submodule that is a directory of this
        # machine, so only a source that is local itself may reach for files.
        allowed = {"https", "ssh", "file"} if address.is_local else {"https", "ssh"}
        if theirs := self._environ.get("GIT_ALLOW_PROTOCOL"):
            allowed &= set(theirs.split(":"))
        environ["GIT_ALLOW_PROTOCOL"] = ":".join(sorted(allowed))
        secrets: tuple[str, ...] = ()
        if source.token_env is not None:
            token = self._token(source.name, source.token_env, address)
            header = token_header(token, address.user)
            secrets = (token, header.rpartition(" ")[2])
            name = f"http.{address.site}.extraHeader"
            # An empty value first: two Authorization headers are one too many for any host.
            _add_settings(environ, (name, ""), (name, header))
        return Remote(source.name, address, source.token_env, environ, secrets)

    def run(
        self,
        directory: Path,
        command: str,
        *arguments: str,
        bare: bool = False,
        remote: Remote | None = None,
        timeout: float | None = None,
    ) -> Answer:
        """Run git on a repository (``bare``: the directory is the repository itself).

        ``command`` is split at its spaces, so it is always a literal; what comes from elsewhere
        is an argument. A git that fails is an answer, too: see ``must``.
        """
        git = _gitpython()
        environ = dict(remote.environ) if remote else self._base_environ()
        if remote and remote.address.transport == "ssh":
            environ["GIT_SSH_COMMAND"] = self._ssh(directory, environ)
        argv = [
            # GitPython adds to the environment that we inherited but cannot take away from it.
            *self._without_inherited(),
            git.Git.GIT_PYTHON_GIT_EXECUTABLE or "git",
            *(("--git-dir", str(directory)) if bare else ("-C", str(directory))),
            *_ALWAYS,
            *command.split(),
            *arguments,
        ]
        with self._guard:
            if self.stopped:
                raise _stopped()
            try:
                started = git.Git().execute(
                    argv, as_process=True, env=environ, start_new_session=True
                )
            except git.GitCommandNotFound:
                raise _git_missing() from None
            process: _Process = started.proc
            self._running.add(process)
        try:
            answer = _finish(process, timeout)
        finally:
            with self._guard:
                self._running.discard(process)
        if self.stopped:
            raise _stopped()
        return answer

    def must(
        self, answer: Answer, what: str, *, remote: Remote | None = None, todo: str = ""
    ) -> Answer:
        """The answer if it is good, else the error that git's complaint means. ``what`` says
        what did not work, without the full stop."""
        if answer.good:
            return answer
        raise self._failure(answer, what, remote, todo)

    def stop(self) -> None:
        """End every git that runs, and start no more."""
        with self._guard:
            self.stopped = True
            running = list(self._running)
        for process in running:
            _signal(process, signal.SIGTERM)

    def _token(self, source: str, variable: str, address: Address) -> str:
        if address.transport != "https":
            raise SourceError(
                f"Source {source!r} names a token ({variable}), but {address.display} is not an "
                "https URL, so the token would never be used.",
                todo="Take out token_env, or use the repository's https URL.",
            )
        token = self._environ.get(variable, "").strip()
        if not token:
            state = "empty" if variable in self._environ else "not set"
            raise SourceError(
                f"Source {source!r} takes its token from the environment variable {variable}, "
                f"which is {state}, so {address.display} cannot be read.",
                todo=f"Set it before you run driftctl-py: export {variable}=…",
            )
        if not token.isprintable():
            raise SourceError(
                f"The environment variable {variable} holds more than one line or a control "
                "character, so it is no token.",
                todo=f"Set it to the bare token: export {variable}=…",
            )
        return token

    def _without_inherited(self) -> tuple[str, ...]:
        inherited = [name for name in _OF_ANOTHER_REPOSITORY if name in self._environ]
        return ("env", *(word for name in inherited for word in ("-u", name))) if inherited else ()

    def _base_environ(self) -> dict[str, str]:
        environ = {k: v for k, v in self._environ.items() if k not in _OF_ANOTHER_REPOSITORY}
        # Empty, GIT_ASKPASS keeps Git from any other program that might open a window.
        environ.setdefault("GIT_ASKPASS", "")
        return environ | {
            "LC_ALL": "C",
            "LANGUAGE": "C",
            "GIT_TERMINAL_PROMPT": "0",
            "GIT_OPTIONAL_LOCKS": "0",
            "GCM_INTERACTIVE": "never",
            "SSH_ASKPASS": "false",
            "SSH_ASKPASS_REQUIRE": "force",
        }

    def _ssh(self, directory: Path, environ: Mapping[str, str]) -> str:
        """The user's own ssh command if there is one, else one that never asks."""
        if own := environ.get("GIT_SSH_COMMAND") or environ.get("GIT_SSH"):
            return own
        if self._ssh_command is None:
            answer = self.run(directory, "config --get core.sshCommand", bare=True)
            self._ssh_command = os.fsdecode(answer.out).strip() or _SSH
        return self._ssh_command

    def _failure(
        self, answer: Answer, what: str, remote: Remote | None, todo: str
    ) -> DriftctlError:
        if answer.too_late is not None:
            return Unavailable(
                f"{what}: it was not done within {answer.too_late:g} seconds.",
                todo="Check the network and try again.",
            )
        said = _said(answer, remote.secrets if remote else ())
        by_hand = f"git ls-remote {quote(remote.address.display)}" if remote else "git status"
        match trouble_in(answer.err):
            case Trouble.DISK:
                return Unavailable(
                    f"{what}: the disk seems to be full. {said}",
                    todo=f"Make room for {self._data_dir} and try again.",
                )
            case Trouble.OWNER:
                return SourceError(
                    f"{what}: it belongs to another user, and Git reads such a repository only "
                    "when told to, for its configuration could run programs.",
                    todo="If you trust it: git config --global --add safe.directory "
                    + _owned_by_another(answer.err),
                )
            case Trouble.HOST_KEY:
                return SourceError(
                    f"{what}: the key of its host is not the one in known_hosts, or is not there "
                    "at all.",
                    todo="Compare it with the key that the host publishes, then add it: "
                    "ssh-keyscan HOST >> ~/.ssh/known_hosts",
                )
            case Trouble.CERTIFICATE:
                return SourceError(
                    f"{what}: its certificate is not trusted. {said}",
                    todo="Tell Git which authority signed it: "
                    "git config --global http.sslCAInfo /path/to/ca.pem",
                )
            case Trouble.LOGIN if remote and remote.token_env:
                return SourceError(
                    f"{what}: it does not accept the token in {remote.token_env}.",
                    todo="Look whether the token has expired, and may read this repository.",
                )
            case Trouble.LOGIN:
                return SourceError(
                    f"{what}: it asks for a password or key that Git does not have. {said}",
                    todo=_login_help(remote),
                )
            case Trouble.TRANSPORT:
                return SourceError(
                    f"{what}: {said} Only https and ssh may be used, and files from sources that "
                    "are local themselves.",
                    todo="Change the URL, or the submodule's URL in .gitmodules.",
                )
            case Trouble.NOT_FOUND:
                return SourceError(
                    f"{what}: there is no Git repository, or none that you may see. {said}",
                    todo=f"Look whether the URL is right: {by_hand}",
                )
            case Trouble.DOWN:
                return Unavailable(f"{what}: {said}", todo="Check the network and try again.")
            case Trouble.LOCK_FILE | Trouble.OTHER:
                return SourceError(f"{what}: {said}", todo=todo or f"Try by hand: {by_hand}")


def _finish(process: _Process, timeout: float | None) -> Answer:
    late, ended = threading.Event(), threading.Event()

    def end() -> None:
        late.set()
        # Git removes its lock files on SIGTERM; SIGKILL would leave them.
        _signal(process, signal.SIGTERM)
        if not ended.wait(_GRACE_SECONDS):
            _signal(process, signal.SIGKILL)

    watchdog = threading.Timer(timeout, end) if timeout is not None else None
    try:
        if watchdog:
            watchdog.daemon = True
            watchdog.start()
        out, err = process.communicate()
    except BaseException:
        # Ctrl-C reaches only us: git has a session of its own.
        _signal(process, signal.SIGTERM)
        process.wait()
        raise
    finally:
        ended.set()
        if watchdog:
            watchdog.cancel()
    status = process.returncode if process.returncode is not None else -1
    too_late = timeout if late.is_set() and status != 0 else None
    return Answer(status, out, without_trace(err.decode(errors="replace")), too_late)


def _signal(process: _Process, number: int) -> None:
    """To git and all its helpers: the one that talks to the network outlives git otherwise."""
    if process.returncode is None:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, number)


def _gitpython() -> ModuleType:
    """GitPython takes 110 ms to import and runs git once, so only those pay who need it."""
    try:
        import git
    except ImportError as error:
        raise _git_missing() from error
    return git


def _git_missing() -> SourceError:
    return SourceError(
        "The program git cannot be run, so no source can be read.",
        todo="Install Git, or put it on PATH: https://git-scm.com/downloads",
    )


def _stopped() -> Interrupted:
    return Interrupted("Stopped before all Git sources were read.")


def _add_settings(environ: dict[str, str], *settings: tuple[str, str]) -> None:
    """Through the environment, where no other user of this machine can read them, and after
    those that the user has there already."""
    count = environ.get("GIT_CONFIG_COUNT", "")
    first = int(count) if count.isdecimal() else 0
    for number, (key, value) in enumerate(settings, start=first):
        environ[f"GIT_CONFIG_KEY_{number}"] = key
        environ[f"GIT_CONFIG_VALUE_{number}"] = value
    environ["GIT_CONFIG_COUNT"] = str(first + len(settings))


def _said(answer: Answer, secrets: tuple[str, ...]) -> str:
    """Git's own words, as one sentence that is safe to show."""
    noise = re.compile(r"Please make sure|and the repository exists|hint:")
    lines = (line.strip() for line in redact(answer.err, secrets).splitlines())
    telling = (re.sub(r"^(fatal|error|remote): ", "", line) for line in lines)
    kept = list(dict.fromkeys(line for line in telling if line and not noise.match(line)))
    text = "; ".join(kept[-4:]) or f"git ended with exit code {answer.status}"
    text = text if len(text) <= 500 else text[:499] + "…"
    return f"Git says: {text}" + ("" if text.endswith((".", "…")) else ".")


def _owned_by_another(stderr: str) -> str:
    found = re.search(r"repository at '([^']+)'", stderr)
    return quote(found[1]) if found else "DIRECTORY"


def _login_help(remote: Remote | None) -> str:
    if remote and remote.address.transport == "https":
        return (
            "Name the environment variable that holds a token (token_env: GIT_TOKEN in "
            "driftctl.yaml), or set up a credential helper of Git's."
        )
    return "Load a key that the host knows: ssh-add ~/.ssh/id_ed25519"
