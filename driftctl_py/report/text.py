"""The report for a terminal: 80 columns suffice.

The first line answers, one table gives the overview, then each environment that is not in sync
has its findings, and the last lines say what to do. Symbols and words carry the meaning; colour
only repeats it. Nothing foreign is printed as it came: see ``show``.
"""

from __future__ import annotations

import textwrap
from collections.abc import Iterator

from driftctl_py.core.assessment import Assessment
from driftctl_py.core.check import Assessed, CheckReport, EnvironmentCheck, Failed, Verdict
from driftctl_py.errors import Diagnostic
from driftctl_py.report import show, wording
from driftctl_py.report.terminal import BOLD, Terminal
from driftctl_py.report.told import Limits, in_check
from driftctl_py.report.verdict_table import table_of_verdicts

# Per finding; whoever wants all of them asks for the JSON.
_LIMITS = Limits(lines=20, parts=12, more="; --format json lists all")
_DETAIL_LINES_AT_MOST = 12


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
        verdicts = [check.verdict for check in report.checks]
        yield from table_of_verdicts(
            self, wording.TABLE_HEADERS, rows, verdicts, alignment=wording.TABLE_ALIGNMENT
        )

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
