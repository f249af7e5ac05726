"""The engine's ``plan -json`` and ``init -json`` event stream, folded line by line into facts.

The stream carries no values, only what happened to which address, so it can prove that a plan
is *quiet* (there is nothing to show) but never what a change looks like. Lines that are not
JSON, event types that nobody knows and fields that nobody asked for are passed over: the engine
prints a human sentence here and there, and each release adds types.

Source of the format: Terraform's "Machine-Readable UI" 1.2, checked against Terraform
1.11 and 1.15 and OpenTofu 1.6 and 1.12.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field

import msgspec

from driftctl_py.errors import Diagnostic


class _Position(msgspec.Struct):
    line: int = 0


class _Range(msgspec.Struct):
    filename: str = ""
    start: _Position = msgspec.field(default_factory=_Position)


class WireDiagnostic(msgspec.Struct):
    """As the wire spells it; also in the stream of an apply."""

    severity: str = "error"
    summary: str = ""
    detail: str = ""
    address: str | None = None
    range: _Range | None = None


class _Resource(msgspec.Struct):
    addr: str = ""


class _Change(msgspec.Struct):
    action: str = ""
    resource: _Resource = msgspec.field(default_factory=_Resource)


class _Summary(msgspec.Struct):
    add: int = 0
    change: int = 0
    remove: int = 0
    import_: int = msgspec.field(default=0, name="import")
    forget: int = 0
    action_invocation: int = 0
    operation: str = ""


class _Output(msgspec.Struct):
    action: str = ""


class _Line(msgspec.Struct):
    type: str = ""
    message: str = msgspec.field(default="", name="@message")
    terraform: str | None = None
    tofu: str | None = None
    ui: str = "1"
    diagnostic: WireDiagnostic | None = None
    change: _Change | None = None
    changes: _Summary | None = None
    outputs: dict[str, _Output] | None = None


_decode = msgspec.json.Decoder(_Line).decode

# What these report is not shown in the resource summary's numbers (a move, a forget on Terraform).
_NOTHING = frozenset({"noop", "read"})


# A heading above the errors that follow, or below them, by release.
_SAYS_NOTHING = re.compile(r"(Terraform|OpenTofu) encountered problems during initiali")


@dataclass(slots=True)
class EventLog:
    """What the stream has said so far. Feed it with `read_line`.

    ``family`` stays empty when no version event of a known major format came.

    ``unread_lines`` counts lines that were no event at all; ``refreshed`` counts resources whose
    refresh has ended, which is what a progress display shows.
    """

    family: str = ""
    version: str = ""
    diagnostics: list[Diagnostic] = field(default_factory=list)
    drifted: int = 0
    planned: int = 0
    outputs_changed: int = 0
    refreshed: int = 0
    unread_lines: int = 0
    summary: _Summary | None = None

    def read_line(self, line: bytes) -> None:
        """Take one line of standard output, with or without its newline. Never raises."""
        try:
            event = _decode(line)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            if line.strip():
                self.unread_lines += 1
            return
        match event.type:
            case "refresh_complete":
                self.refreshed += 1
            case "version" if event.ui.split(".")[0] == "1":
                self.family, self.version = (
                    ("tofu", event.tofu) if event.tofu else ("terraform", event.terraform or "")
                )
            case "diagnostic" if event.diagnostic is not None:
                self.diagnostics.append(diagnostic_of(event.diagnostic))
            case "resource_drift":
                self.drifted += 1
            case "planned_change":
                # A data source that is read during apply is no consequence by itself, but only
                # the plan's JSON tells which reads are nested in checks: so it is not quiet.
                self.planned += event.change is None or event.change.action != "noop"
            case "planned_action_invocation" | "deferred_change":
                self.planned += 1
            case "change_summary" if event.changes is not None:
                self.summary = event.changes
            case "outputs":
                self.outputs_changed += sum(
                    output.action not in _NOTHING for output in (event.outputs or {}).values()
                )

    def read_lines(self, lines: Iterable[bytes]) -> EventLog:
        """`read_line` for each; returns itself."""
        for line in lines:
            self.read_line(line)
        return self

    @property
    def errors(self) -> tuple[Diagnostic, ...]:
        """The diagnostics that made the command fail, each once (Terraform repeats some)."""
        found = dict.fromkeys(item for item in self.diagnostics if item.severity == "error")
        telling = tuple(item for item in found if not _SAYS_NOTHING.match(item.summary))
        return telling or tuple(found)

    @property
    def warnings(self) -> tuple[Diagnostic, ...]:
        """The engine's warnings, each once."""
        found = (item for item in self.diagnostics if item.severity != "error")
        return tuple(dict.fromkeys(found))

    @property
    def quiet(self) -> bool:
        """Whether the stream proves that a plan that ended with exit code 0 holds nothing to show.

        A missing summary proves nothing: the stream may have been cut off.
        """
        if self.summary is None or self.errors or self.unread_lines:
            return False
        counted = (
            self.summary.add
            + self.summary.change
            + self.summary.remove
            + self.summary.import_
            + self.summary.forget
            + self.summary.action_invocation
        )
        return not (counted or self.drifted or self.planned or self.outputs_changed)


def diagnostic_of(wire: WireDiagnostic) -> Diagnostic:
    """In our own words."""
    # Some backends put all they have to say into the summary.
    summary, _, more = wire.summary.strip().partition("\n")
    where = ""
    if wire.range is not None and wire.range.filename:
        where = f"{wire.range.filename}:{wire.range.start.line}"
    return Diagnostic(
        severity=wire.severity,
        summary=summary,
        detail="\n".join(part for part in (more.strip(), wire.detail) if part),
        address=wire.address or "",
        where=where,
    )
