"""The report in Markdown, for a job's summary, an issue or a comment.

The first line answers, then one table, then a folded section per environment that is not in
sync; the sections that a person must see are open. Findings stand in ``diff`` fences, which
colour a line by its first character: only lines that mean it begin with ``-``, ``+`` or ``!``.
Everything foreign is neutralised: it mentions nobody, links nowhere, and ends no fence, cell or
element.
"""

from __future__ import annotations

from collections.abc import Iterator

from tabulate import tabulate

from driftctl_py.core.assessment import Assessment
from driftctl_py.core.check import (
    VERDICTS,
    Assessed,
    CheckReport,
    EnvironmentCheck,
    Failed,
    Verdict,
)
from driftctl_py.core.plan import Kind
from driftctl_py.report import show, wording
from driftctl_py.report.markup import fence, in_html, output_lines, prose, told_lines
from driftctl_py.report.told import Limits, in_check

_ICONS = {
    Verdict.FAILED: "❌",
    Verdict.UNKNOWN: "❔",
    Verdict.DRIFTED_AND_PENDING: "🟣",
    Verdict.DRIFTED: "🟣",
    Verdict.PENDING: "🟡",
    Verdict.IN_SYNC: "🟢",
}
_LIMITS = Limits(lines=50, parts=60)
_DETAIL_LINES_AT_MOST = 40


def render_markdown(report: CheckReport) -> str:
    """The whole report, ending in a newline."""
    worst = next(
        (each for each in VERDICTS if any(c.verdict is each for c in report.checks)),
        Verdict.FAILED if report.interrupted else Verdict.IN_SYNC,
    )
    blocks = [f"### {_ICONS[worst]} {prose(wording.answer(report))}"]
    if report.checks:
        blocks.append(_table(report))
    for check in report.checks:
        blocks += _section(check, strict=report.strict)
    steps = wording.next_steps(report)
    if steps:
        blocks.append("\n".join(f"- {prose(step)}" for step in steps))
    return "\n\n".join(blocks) + "\n"


def _table(report: CheckReport) -> str:
    rows = [
        (_ICONS[check.verdict], *(prose(cell) for cell in wording.table_row(check)))
        for check in report.checks
    ]
    return tabulate(
        rows,
        headers=("", *wording.TABLE_HEADERS),
        tablefmt="pipe",
        disable_numparse=True,
        colalign=("left", *wording.TABLE_ALIGNMENT),
    )


def _section(check: EnvironmentCheck, *, strict: bool) -> Iterator[str]:
    outcome = check.outcome
    assessment = None if isinstance(outcome, Failed) else outcome.assessment
    blocks = list(_inside(check, assessment, strict=strict))
    if not blocks and check.verdict is Verdict.IN_SYNC:
        return
    opened = " open" if _must_be_seen(check, assessment) else ""
    title = in_html(wording.over_environment(check)).replace(": ", "</b>: ", 1)
    yield f"<details{opened}><summary><b>{title}</summary>"
    yield from blocks
    yield "</details>"


def _must_be_seen(check: EnvironmentCheck, assessment: Assessment | None) -> bool:
    if check.verdict in (Verdict.PENDING, Verdict.IN_SYNC) and assessment is not None:
        return any(
            finding.kind.destroys or finding.kind is Kind.UNKNOWN for finding in assessment.findings
        )
    return True


def _inside(
    check: EnvironmentCheck, assessment: Assessment | None, *, strict: bool
) -> Iterator[str]:
    if not isinstance(check.outcome, Assessed):
        for diagnostic in check.outcome.diagnostics:
            details = show.clean_lines(diagnostic.detail)
            lines = [
                show.clean(f"{diagnostic.severity}: {diagnostic.summary}"),
                *filter(None, (show.clean(diagnostic.where), show.clean(diagnostic.address))),
                *details[:_DETAIL_LINES_AT_MOST],
            ]
            yield fence(lines, "text")
        if check.outcome.todo:
            yield "  \n".join(prose(line) for line in show.clean_lines(check.outcome.todo))
    if assessment is not None:
        lines = [
            *(
                line
                for each in wording.in_reading_order(assessment.findings)
                for line in told_lines(in_check(each), _LIMITS)
            ),
            *(line for output in assessment.outputs for line in output_lines(output, _LIMITS)),
            *(f"! {show.clean(wording.invocation(each))}" for each in assessment.invocations),
        ]
        if lines:
            yield fence(lines, "diff")
    notes = wording.asides(assessment, strict=strict) if assessment else []
    notes += [f"warning: {each}" for each in wording.warnings(check, assessment)]
    if notes:
        yield "\n".join(f"- {prose(note)}" for note in notes)
