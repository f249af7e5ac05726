"""The report for a terminal: 80 columns suffice.

The first line answers, one table gives the overview, then each environment that is not in sync
has its findings, and the last lines say what to do. Symbols and words carry the meaning; colour
only repeats it. Nothing foreign is printed as it came: see ``show``.
"""

from __future__ import annotations

import textwrap
from collections.abc import Iterator

from tabulate import tabulate

from driftctl_py.core.assessment import Assessment
from driftctl_py.core.check import Assessed, CheckReport, EnvironmentCheck, Failed, Verdict
from driftctl_py.errors import Diagnostic
from driftctl_py.report import show, wording
from driftctl_py.report.terminal import BOLD, GREEN, MAGENTA, RED, YELLOW, Terminal
from driftctl_py.report.told import Limits, in_check

# Per finding; whoever wants all of them asks for the JSON.
_LIMITS = Limits(lines=20, parts=12, more="; --format json lists all")
_DETAIL_LINES_AT_MOST = 12
_NAME_AT_LEAST = 8

_COLOUR_OF_VERDICT = {
    Verdict.FAILED: RED,
    Verdict.UNKNOWN: RED,
    Verdict.DRIFTED_AND_PENDING: MAGENTA,
    Verdict.DRIFTED: MAGENTA,
    Verdict.PENDING: YELLOW,
    Verdict.IN_SYNC: GREEN,
}


def render_text(report: CheckReport, *, width: int = 80, color: bool = False) -> str:
    """The whole report, ending in a newline. ``width`` below 60 is taken for 60."""
    return show.no_commands("\n".join(_Report(width, color, _LIMITS).report(report)) + "\n")


class _Report(Terminal):
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
                yield from self.wrapped(step, "next: " if position == 0 else "      ", indent=6)

    def _first_line(self, report: CheckReport) -> Iterator[str]:
        words = show.clean(wording.answer(report))
        took = wording.duration(report.duration_seconds)
        gap = self.width - show.columns(words) - len(took)
        if gap >= 2:
            yield self.styled(BOLD, words) + " " * gap + took
        else:
            for line in textwrap.wrap(f"{words} ({took})", self.width, break_on_hyphens=False):
                yield self.styled(BOLD, line)

    def _table(self, report: CheckReport) -> Iterator[str]:
        rows = [[show.clean(cell) for cell in wording.table_row(check)] for check in report.checks]
        widths = [
            max(map(show.columns, column))
            for column in zip(wording.TABLE_HEADERS, *rows, strict=True)
        ]
        room = self.width - sum(widths[1:]) - 2 * len(widths[1:])
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
            row[2] = "\n".join(self.styled(style, line) for line in row[2].split("\n"))
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
            yield from self.wrapped(wording.over_environment(check), "", indent=2, style=BOLD)
        yield from lines

    def _inside(
        self, check: EnvironmentCheck, assessment: Assessment | None, *, strict: bool
    ) -> Iterator[str]:
        if not isinstance(check.outcome, Assessed):
            for diagnostic in check.outcome.diagnostics:
                yield from self._diagnostic(diagnostic)
            if check.outcome.todo:
                for line in show.clean_lines(check.outcome.todo):
                    yield from self.wrapped(line, "  ", indent=2)
        if assessment is not None:
            for finding in wording.in_reading_order(assessment.findings):
                yield from self.told(in_check(finding))
            for output in assessment.outputs:
                yield from self.output(output)
            for each in assessment.invocations:
                yield from self.wrapped(wording.invocation(each), "    * ", indent=8)
            for aside in wording.asides(assessment, strict=strict):
                yield from self.wrapped(aside, "  ", indent=2)
        for warning in wording.warnings(check, assessment):
            yield from self.wrapped(f"warning: {warning}", "  ", indent=4)

    def _diagnostic(self, diagnostic: Diagnostic) -> Iterator[str]:
        head = f"{diagnostic.severity}: {diagnostic.summary}"
        yield from self.wrapped(head, "  ", indent=4)
        where = ", ".join(filter(None, (diagnostic.where, diagnostic.address)))
        if where:
            yield f"    at {show.cut_middle(show.clean(where), self.width - 7)}"
        lines = show.clean_lines(diagnostic.detail)
        for line in lines[:_DETAIL_LINES_AT_MOST]:
            yield from self.wrapped(line, "    ", indent=4)
        if len(lines) > _DETAIL_LINES_AT_MOST:
            yield f"    … {len(lines) - _DETAIL_LINES_AT_MOST} more lines"
