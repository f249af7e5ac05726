"""What an engine says while it applies: read line by line, from the file that it writes to.

The only witness of an apply that outlived us. What it does not say is not made up: an object that
was begun and never reported is ``unfinished``. Kept are addresses, actions and errors; what a
provisioner ran or printed is not, for it may hold anything.

Format: as in ``events``; `apply -json` was watched with Terraform 1.11 and 1.15 and OpenTofu 1.6.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field, replace

import msgspec

from driftctl_py.core.events import WireDiagnostic, diagnostic_of
from driftctl_py.core.run import Applied
from driftctl_py.errors import Diagnostic


class _Address(msgspec.Struct):
    addr: str = ""


class _Hook(msgspec.Struct):
    """``action`` is a word, or, where an action itself is run (Terraform 1.14), its address."""

    resource: _Address | None = None
    action: str | _Address = ""


class _Changes(msgspec.Struct):
    operation: str = ""


class _Line(msgspec.Struct):
    type: str = ""
    message: str = msgspec.field(default="", name="@message")
    terraform: str | None = None
    tofu: str | None = None
    diagnostic: WireDiagnostic | None = None
    hook: _Hook | None = None
    changes: _Changes | None = None


_decode = msgspec.json.Decoder(_Line).decode

# Reading a data source changes nothing.
_READ = "read"
_INVOKE = "invoke"
_STALE = frozenset({"Saved plan is stale", "Saved plan does not match the given state"})
_PROVISIONER = re.compile(r"\bprovisioner error$")
_STATUS = re.compile(r"exit(?:ed)? (?:with )?status:? (\d+)")


@dataclass(slots=True)
class ApplyLog:
    """Reads the ``-json`` event stream of an apply.

    ``family`` and ``version`` are the engine's, empty before it said so; ``interrupted``: it said
    that it was asked to stop.
    """

    family: str = ""
    version: str = ""
    interrupted: bool = False
    finished: bool = False
    began: bool = False
    """Whether anything was begun at all. A move, an import and a forget are not reported."""
    _running: list[str] = field(default_factory=list)
    _done: list[str] = field(default_factory=list)
    _failed: list[str] = field(default_factory=list)
    _errors: list[Diagnostic] = field(default_factory=list)

    def read_line(self, line: bytes) -> None:
        """Take in one line; what is no event is passed over. Never raises."""
        try:
            event = _decode(line)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            return
        match event.type:
            case "version":
                self.family = "tofu" if event.tofu else "terraform"
                self.version = event.tofu or event.terraform or ""
            case "apply_start" | "action_start":
                self._begin(_told(event))
            case "apply_complete" | "action_complete":
                self._end(_told(event), self._done)
            case "apply_errored" | "action_errored":
                self._end(_told(event), self._failed)
            case "diagnostic" if event.diagnostic is not None:
                if event.diagnostic.severity == "error":
                    self._errors.append(_without_output(diagnostic_of(event.diagnostic)))
            case "log" if event.message.startswith("Interrupt received"):
                self.interrupted = True
            case "change_summary" if event.changes is not None:
                self.finished = event.changes.operation in ("apply", "destroy")

    def read_lines(self, lines: Iterable[bytes]) -> ApplyLog:
        """`read_line` for each; returns itself."""
        for line in lines:
            self.read_line(line)
        return self

    @property
    def applied(self) -> Applied:
        """What was done so far."""
        return Applied(self.finished, tuple(self._done), tuple(self._failed), tuple(self._running))

    @property
    def errors(self) -> tuple[Diagnostic, ...]:
        """Each once (Terraform repeats some)."""
        return tuple(dict.fromkeys(self._errors))

    @property
    def told_its_end(self) -> bool:
        """Whether it failed and came to its own end, as far as its words go. It says what objects
        it failed at when all of them have ended and the state is written; what it says of no object
        (of the state, of a lock) proves nothing. Watched with Terraform 1.11 and 1.15 and
        OpenTofu 1.6, on a state in a file."""
        return (
            bool(self._failed and self._errors)
            and not self._running
            and all(error.address for error in self._errors)
        )

    @property
    def stale(self) -> bool:
        """Whether the engine refused the saved plan because the state is another by now. From its
        diagnostics, since nothing else says so; only trusted where nothing was begun."""
        return not self.began and any(error.summary in _STALE for error in self._errors)

    def _begin(self, told: str) -> None:
        if told:
            self.began = True
            self._running.append(told)

    def _end(self, told: str, outcome: list[str]) -> None:
        if not told:
            return
        # What begins and ends twice (a replacement that fails, and is tried again) is told twice.
        self.began = True
        if told in self._running:
            self._running.remove(told)
        outcome.append(told)


def _told(event: _Line) -> str:
    """``create aws_instance.web``; empty for what changes nothing, or cannot be told apart."""
    if event.hook is None:
        return ""
    match event.hook.action:
        case _Address(addr=address):
            action = _INVOKE
        case action:
            address = event.hook.resource.addr if event.hook.resource else ""
    return f"{action} {address}".strip() if address and action != _READ else ""


def _without_output(error: Diagnostic) -> Diagnostic:
    """A provisioner's error quotes the command and all that it printed: secrets, like as not."""
    if not _PROVISIONER.search(error.summary):
        return error
    status = _STATUS.search(error.detail)
    how = f"The command ended with status {status[1]}." if status else "The command failed."
    return replace(
        error, detail=f"{how} What it ran and printed may be secret; it is in the apply's log."
    )


@dataclass(frozen=True, slots=True)
class ApplyEnd:
    """How an apply ended. ``exit_code`` is None where nobody was there to see it. ``began``: it
    may have changed something; false only where it is known that it did not. ``torn``: it was
    killed, or may have been, before it had written down all that it did. ``errored_state`` is the
    path of a state that the engine could not save, None where there is none."""

    exit_code: int | None
    applied: Applied
    errors: tuple[Diagnostic, ...] = ()
    stale: bool = False
    interrupted: bool = False
    errored_state: str | None = None
    began: bool = True
    torn: bool = False

    @property
    def succeeded(self) -> bool:
        return self.applied.finished and self.exit_code in (0, None) and not self.errors
