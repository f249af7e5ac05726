"""The report for a terminal: 80 columns suffice.

The first line answers, one table gives the overview, then each environment that is not in sync
has its findings, and the last lines say what to do. Symbols and words carry the meaning; colour
only repeats it. Nothing foreign is printed as it came: see ``show``.
"""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Sequence

from tabulate import tabulate

from driftctl_py.core.assessment import Assessment, AttributeChange, Finding
from driftctl_py.core.check import Assessed, CheckReport, EnvironmentCheck, Failed, Verdict
from driftctl_py.core.plan import Kind, OutputChange
from driftctl_py.core.values import Value
from driftctl_py.errors import Diagnostic
from driftctl_py.report import show, wording

# Per finding; whoever wants all of them asks for the JSON.
_ATTRIBUTES_AT_MOST = 20
_PARTS_AT_MOST = 12
_DETAIL_LINES_AT_MOST = 12
_INDENT = 8
_NAME_AT_LEAST = 8
# Values stand one below the other, but not for the sake of one long path.
_PATH_COLUMN = 28

_BOLD, _RED, _GREEN, _YELLOW, _MAGENTA = "1", "31", "32", "33", "35"
_COLOUR_OF_VERDICT = {
    Verdict.FAILED: _RED,
    Verdict.UNKNOWN: _RED,
    Verdict.DRIFTED_AND_PENDING: _MAGENTA,
    Verdict.DRIFTED: _MAGENTA,
    Verdict.PENDING: _YELLOW,
    Verdict.IN_SYNC: _GREEN,
}


def render_text(report: CheckReport, *, width: int = 80, color: bool = False) -> str:
    """The whole report, ending in a newline. ``width`` below 60 is taken for 60."""
    return "\n".join(_Terminal(max(60, width), color).report(report)) + "\n"


class _Terminal:
    def __init__(self, width: int, color: bool) -> None:
        self._width = width
        self._color = color

    def report(self, report: CheckReport) -> Iterator[str]:
        yield from self._first_line(report)
        if report.checks:
            yield ""
            yield from self._table(report)
        for check in report.checks:
            section = list(self._section(check, strict=report.strict))
            if section:
                yield ""
                yield from section
        steps = wording.next_steps(report)
        if steps:
            yield ""
            for position, step in enumerate(steps):
                yield from self._wrapped(step, "next: " if position == 0 else "      ", indent=6)

    def _first_line(self, report: CheckReport) -> Iterator[str]:
        words = show.clean(wording.answer(report))
        took = wording.duration(report.duration_seconds)
        gap = self._width - show.columns(words) - len(took)
        if gap >= 2:
            yield self._in(_BOLD, words) + " " * gap + took
        else:
            for line in textwrap.wrap(f"{words} ({took})", self._width, break_on_hyphens=False):
                yield self._in(_BOLD, line)

    def _table(self, report: CheckReport) -> Iterator[str]:
        rows = [[show.clean(cell) for cell in wording.table_row(check)] for check in report.checks]
        widths = [
            max(map(show.columns, column))
            for column in zip(wording.TABLE_HEADERS, *rows, strict=True)
        ]
        room = self._width - sum(widths[1:]) - 2 * len(widths[1:])
        if room < widths[0]:
            # A status on two lines leaves more of the names in sight.
            statuses = [row[2].replace(" and ", " and\n") for row in rows]
            lines = "\n".join([wording.TABLE_HEADERS[2], *statuses]).split("\n")
            room = max(room + widths[2] - max(map(show.columns, lines)), _NAME_AT_LEAST)
            widths[0], widths[2] = min(widths[0], room), max(map(show.columns, lines))
            for row, status in zip(rows, statuses, strict=True):
                row[0], row[2] = show.cut_middle(row[0], room), status
        for row, check in zip(rows, report.checks, strict=True):
            style = _COLOUR_OF_VERDICT[check.verdict]
            row[2] = "\n".join(self._in(style, line) for line in row[2].split("\n"))
        # The heading as rows: tabulate makes every column with a heading two wider.
        table = tabulate(
            [wording.TABLE_HEADERS, ["-" * width for width in widths], *rows],
            tablefmt="plain",
            disable_numparse=True,
            colalign=wording.TABLE_ALIGNMENT,
        )
        for line in table.split("\n"):
            yield line.rstrip()

    def _section(self, check: EnvironmentCheck, *, strict: bool) -> Iterator[str]:
        outcome = check.outcome
        assessment = None if isinstance(outcome, Failed) else outcome.assessment
        lines = list(self._inside(check, assessment, strict=strict))
        if lines or check.verdict is not Verdict.IN_SYNC:
            yield from self._wrapped(wording.over_environment(check), "", indent=2, style=_BOLD)
        yield from lines

    def _inside(
        self, check: EnvironmentCheck, assessment: Assessment | None, *, strict: bool
    ) -> Iterator[str]:
        if not isinstance(check.outcome, Assessed):
            for diagnostic in check.outcome.diagnostics:
                yield from self._diagnostic(diagnostic)
            if check.outcome.todo:
                for line in show.clean_lines(check.outcome.todo):
                    yield from self._wrapped(line, "  ", indent=2)
        if assessment is not None:
            for finding in wording.in_reading_order(assessment.findings):
                yield from self._finding(finding)
            for output in assessment.outputs:
                yield from self._output(output)
            for each in assessment.invocations:
                yield from self._wrapped(wording.invocation(each), "    * ", indent=8)
            for aside in wording.asides(assessment, strict=strict):
                yield from self._wrapped(aside, "  ", indent=2)
        for warning in wording.warnings(check, assessment):
            yield from self._wrapped(f"warning: {warning}", "  ", indent=4)

    def _finding(self, finding: Finding) -> Iterator[str]:
        address = show.cut_middle(show.clean(finding.address), self._width - 6)
        remark = show.clean(wording.remark(finding))
        style = _style(finding)
        head = f"  {self._in(style, f'{wording.symbol(finding):>3}')} {address}"
        if 6 + show.columns(address) + 2 + show.columns(remark) <= self._width:
            yield f"{head}  {remark}".rstrip()
        else:
            yield head
            yield from self._wrapped(remark, " " * _INDENT, indent=_INDENT)
        shown, minor = wording.shown_attributes(finding)
        widths = [show.columns(_path(each)) for each in shown]
        column = max((each for each in widths if each <= _PATH_COLUMN), default=0)
        for attribute in shown[:_ATTRIBUTES_AT_MOST]:
            yield from self._attribute(attribute, column)
        more = len(shown) - _ATTRIBUTES_AT_MOST
        if more > 0:
            yield f"{'':{_INDENT}}… {more} more attributes; --format json lists all"
        if minor:
            yield f"{'':{_INDENT}}… {minor} more known after apply"

    def _output(self, output: OutputChange) -> Iterator[str]:
        head = f"  {wording.output_symbol(output):>3} output.{show.clean(output.name)}"
        yield from self._values(head, wording.output_told_by(output), [])

    def _attribute(self, attribute: AttributeChange, column: int) -> Iterator[str]:
        path = show.cut_middle(_path(attribute), self._width - _INDENT - _PATH_COLUMN)
        head = f"{'':{_INDENT}}{path}{' ' * (column - show.columns(path))}"
        told, remarks = wording.told_by(attribute), wording.attribute_remarks(attribute)
        yield from self._values(head, told, remarks)

    def _values(
        self, head: str, told: Sequence[tuple[str, Value]], remarks: Sequence[str]
    ) -> Iterator[str]:
        """On one line if they fit; else line by line, or one snapshot below the other."""
        note = ", ".join([" → ".join(name for name, _ in told), *remarks])
        literals = show.literals([value for _, value in told])
        line = f"{head}  {' → '.join(literals)}   {note}"
        several_lines = any(isinstance(value, str) and "\n" in value for _, value in told)
        if show.columns(line) <= self._width and not several_lines:
            yield line
            return
        yield f"{head.rstrip()}  {note}"
        room = self._width - _INDENT - 2
        parts = show.parts(told[0][1], told[1][1]) if len(told) == 2 else None
        if parts is not None:
            for part in parts[:_PARTS_AT_MOST]:
                (text,) = show.cut_values([part.text], room - 2)
                yield f"{'':{_INDENT + 2}}{part.mark} {text}"
            if len(parts) > _PARTS_AT_MOST:
                yield f"{'':{_INDENT + 2}}… {len(parts) - _PARTS_AT_MOST} more lines"
        else:
            names = [name for name, _ in told] if len(literals) == len(told) else [""]
            column = max(map(len, names))
            cut = show.cut_values(literals, room - column - 2)
            for name, text in zip(names, cut, strict=True):
                yield f"{'':{_INDENT + 2}}{name:{column}}  {text}"

    def _diagnostic(self, diagnostic: Diagnostic) -> Iterator[str]:
        head = f"{diagnostic.severity}: {diagnostic.summary}"
        yield from self._wrapped(head, "  ", indent=4)
        where = ", ".join(filter(None, (diagnostic.where, diagnostic.address)))
        if where:
            yield f"    at {show.cut_middle(show.clean(where), self._width - 7)}"
        lines = show.clean_lines(diagnostic.detail)
        for line in lines[:_DETAIL_LINES_AT_MOST]:
            yield from self._wrapped(line, "    ", indent=4)
        if len(lines) > _DETAIL_LINES_AT_MOST:
            yield f"    … {len(lines) - _DETAIL_LINES_AT_MOST} more lines"

    def _wrapped(self, text: str, first: str, *, indent: int, style: str = "") -> Iterator[str]:
        for line in textwrap.wrap(
            show.clean(text),
            self._width,
            initial_indent=first,
            subsequent_indent=" " * indent,
            # A path or an address is pasted: it stays in one piece where it can.
            break_on_hyphens=False,
        ):
            yield self._in(style, line)

    def _in(self, style: str, text: str) -> str:
        return f"\x1b[{style}m{text}\x1b[0m" if self._color and style else text


def _path(attribute: AttributeChange) -> str:
    return show.clean(attribute.path) or "(all of it)"


def _style(finding: Finding) -> str:
    if finding.kind.destroys or finding.kind is Kind.UNKNOWN:
        return _RED
    if finding.drifted:
        return _MAGENTA
    return _GREEN if finding.kind is Kind.CREATE else _YELLOW
