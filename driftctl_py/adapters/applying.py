"""The engine where it changes things: a plan that is to be applied, and the apply.

Both hold the state lock, so neither hangs on us by a pipe: when we are killed, each comes to its
end and lets go of the lock. An apply is never killed, and who comes later reads in its files how
it ended (``outliving``). Not here: whether it may be applied at all.
"""

from __future__ import annotations

import contextlib
import os
import signal
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

import msgspec

from driftctl_py.adapters import outliving
from driftctl_py.adapters.stop import Stop
from driftctl_py.adapters.terraform import Engines, errors_in, private_file, quoted, seconds
from driftctl_py.adapters.terraform_argv import apply_argv, locked_plan_argv
from driftctl_py.core.apply_log import ApplyEnd, ApplyLog
from driftctl_py.core.engine_run import EngineRun, Planned
from driftctl_py.core.events import EventLog
from driftctl_py.core.state_lock import holder_in
from driftctl_py.core.version_constraint import satisfies
from driftctl_py.errors import EngineError, Interrupted, Unavailable

# What an engine leaves in its directory when it could not save the state: the only record of
# what it built.
_LOST_STATE = "errored.tfstate"
# And what it says when it cannot write even there.
_DUMPED = b'"Emergency state dump"'


class Appliers(Engines):
    """Runs engines that change things, and that hold locks."""

    def __init__(self, *, search_path: str | None, cache: Path, stop: Stop) -> None:
        super().__init__(search_path=search_path, cache=cache, stop=stop)
        self._wish = stop

    def plan_to_apply(
        self,
        run: EngineRun,
        *,
        out: Path,
        refresh_only: bool,
        lock_timeout_seconds: int,
        on_event: Callable[[EventLog], None],
    ) -> Planned:
        """As `plan`, under the state lock. Raises `Unavailable` where somebody else holds it."""
        argv = locked_plan_argv(
            run.candidate.path,
            out=out,
            var_files=run.var_files,
            lock_timeout_seconds=lock_timeout_seconds,
            refresh_only=refresh_only,
            parallelism=run.parallelism,
        )
        out.unlink(missing_ok=True)
        finished, log = self._stream(run, argv, on_event, holds_lock=True)
        if finished.interrupted or finished.timed_out:
            if finished.exit_code == -signal.SIGKILL:
                raise EngineError(
                    "The plan did not stop when it was asked to, twice, and had to be killed. It "
                    "changed nothing, but the state may still be locked.",
                    todo=f"If it is, have the lock removed: {run.candidate.family} force-unlock "
                    "LOCK_ID",
                )
            if finished.interrupted:
                raise Interrupted("The plan was interrupted; nothing was changed.")
            raise EngineError(
                f"The plan took longer than {seconds(run.timeout_seconds)} and was stopped. It "
                "changed nothing and let go of its lock.",
                todo="Raise `timeout` for this environment, or split it.",
            )
        planned = self._planned(run, finished, log, out)
        if (holder := holder_in(planned.errors)) is not None:
            lock = holder.id or "LOCK_ID"
            raise Unavailable(
                f"The state is locked by {holder}, so no plan was made that could be applied.",
                todo="Try again when it is free. If whoever holds it is gone, have the lock "
                f"removed in the environment's directory: {run.candidate.family} force-unlock "
                f"{lock}",
            )
        return planned

    def apply(
        self,
        run: EngineRun,
        *,
        plan: Path,
        log: Path,
        grace_seconds: float,
        on_event: Callable[[ApplyLog], None],
        lock_timeout_seconds: int = 60,
    ) -> ApplyEnd:
        """Apply a saved plan. ``log`` is a new file each time; what else is kept lies beside it
        under the same name. There is no limit of time. What the engine refuses, or fails at, is
        in the `ApplyEnd`; an error means that nothing was applied, and an exception out of
        ``on_event`` comes only when the engine has ended."""
        if self._wish.please:
            raise Interrupted("Stopped before anything was applied; nothing was changed.")
        note = {"directory": str(run.directory), "lost_state": _identity_of_lost(run.directory)}
        argv = apply_argv(
            run.candidate.path,
            plan,
            var_files=run.var_files if _takes_variables(run) else (),
            lock_timeout_seconds=lock_timeout_seconds,
            parallelism=run.parallelism,
        )
        witness = _Witness(on_event)
        try:
            ended = outliving.run(
                argv,
                cwd=run.directory,
                env=run.environ,
                log=log,
                on_line=witness.read_line,
                stop=self._wish,
                grace_seconds=grace_seconds,
                note=note,
            )
        except FileExistsError as error:
            raise EngineError(
                f"An apply was begun with {log} before, and what it said is not overwritten; "
                "nothing was applied.",
                todo="Plan again. This is a bug in driftctl_py.",
            ) from error
        except OSError as error:
            raise Unavailable(
                f"Nothing was applied: the engine's output cannot be kept in {log.parent} "
                f"({error.strerror}).",
                todo="Make room there, or correct its permissions, and try again.",
            ) from error
        if not ended.started:
            if ended.interrupted:
                raise Interrupted("Stopped before anything was applied; nothing was changed.")
            raise EngineError(
                f"Nothing was applied: the engine {run.candidate.path} could not be started."
                + quoted(ended.stderr),
                todo="Install it, or set another engine in driftctl.yaml.",
            )
        return witness.end(ended, log)

    def left(self, log: Path, *, on_event: Callable[[ApplyLog], None]) -> ApplyEnd | None:
        """How an apply ended that we did not see the end of. Waits for it while it runs, until
        somebody asks us to stop: then None."""
        witness = _Witness(on_event)
        ended = outliving.left(log, on_line=witness.read_line, stop=self._wish)
        return None if ended is None else witness.end(ended, log)


class _Dump(msgspec.Struct):
    """The state, told as an event: what an engine does with it when it can save it nowhere."""

    message: str = msgspec.field(default="", name="@message")
    state: msgspec.Raw = msgspec.Raw(b"")


class _Witness:
    """Reads what an engine says, and makes of it how the apply ended."""

    def __init__(self, on_event: Callable[[ApplyLog], None]) -> None:
        self._on_event = on_event
        self._said = ApplyLog()
        self._dump = b""

    def read_line(self, line: bytes) -> None:
        if _DUMPED in line:
            with contextlib.suppress(msgspec.DecodeError, UnicodeDecodeError):
                self._dump = bytes(msgspec.json.decode(line, type=_Dump).state) or self._dump
        self._said.read_line(line)
        self._on_event(self._said)

    def end(self, ended: outliving.Ended, log: Path) -> ApplyEnd:
        said, applied = self._said, self._said.applied
        if ended.exit_code == 0:
            # Its own last word, even where the disk was too full to take down all that it said.
            applied = replace(applied, finished=True)
        failed = ended.exit_code != 0 and not applied.finished
        began = _may_have_begun(ended, said)
        return ApplyEnd(
            exit_code=ended.exit_code,
            applied=applied,
            errors=said.errors or (errors_in(ended.stderr) if failed else ()),
            stale=said.stale,
            interrupted=ended.interrupted or said.interrupted,
            errored_state=_lost_state(ended.note) or self._dumped(log),
            began=began,
            torn=began and not applied.finished and _may_have_been_killed(ended, said),
        )

    def _dumped(self, log: Path) -> str | None:
        """A state of which our log is the only copy, as a file that can be pushed."""
        if not self._dump:
            return None
        path = log.with_suffix(".tfstate")
        try:
            with private_file(path) as descriptor:
                rest = memoryview(self._dump)
                while rest:
                    rest = rest[os.write(descriptor, rest) :]
        except OSError:  # then it is in the log all the same
            return str(log)
        return str(path)


def _may_have_begun(ended: outliving.Ended, said: ApplyLog) -> bool:
    if not ended.started:
        return False
    if said.began or ended.rebooted:
        return True
    # It says who it is before it does anything, and says what is wrong when it refuses. In
    # between, it may have moved or forgotten something, of which it says nothing.
    return bool(said.family) and not said.errors


def _may_have_been_killed(ended: outliving.Ended, said: ApplyLog) -> bool:
    if ended.exit_code is not None:
        return ended.exit_code < 0
    # Nobody saw it end. After a restart of the machine its last words may be missing.
    return ended.rebooted or not said.told_its_end


def _lost_state(note: Mapping[str, str]) -> str | None:
    """The state that this apply could not save: not one that lay there before."""
    directory = note.get("directory")
    if not directory or _identity_of_lost(Path(directory)) in ("", note.get("lost_state")):
        return None
    path = Path(directory, _LOST_STATE)
    with contextlib.suppress(OSError):  # it is what it is, and must be told in any case
        path.chmod(0o600)
    return str(path)


def _identity_of_lost(directory: Path) -> str:
    """Empty where there is none."""
    try:
        found = (directory / _LOST_STATE).stat()
    except OSError:
        return ""
    return f"{found.st_ino} {found.st_size} {found.st_mtime_ns}"


def _takes_variables(run: EngineRun) -> bool:
    """Whether it may be told the variables again. Ephemeral ones, which a plan does not hold, it
    must be told; engines that know none of these refuse all."""
    return run.candidate.family == "terraform" and satisfies(run.candidate.version, ">= 1.10.0")
