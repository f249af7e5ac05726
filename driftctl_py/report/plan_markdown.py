"""One plan in Markdown, for a job's summary, an issue or a comment.

The first line answers, a list of facts follows, then one section for each group of objects, as in
``plan_text``; the sections that a person must see are open. Everything foreign is neutralised: see
``markup``.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from driftctl_py.core.assessment import Status
from driftctl_py.core.plan import Kind
from driftctl_py.core.plan_report import PlanReport, View
from driftctl_py.report import wording
from driftctl_py.report.markup import (
    fence,
    head_line,
    in_html,
    inline,
    output_lines,
    prose,
    sentence_lines,
    told_lines,
)
from driftctl_py.report.told import Limits, plan_sections, plan_sentences

_LIMITS = Limits(lines=50, parts=60, more="; --view full lists all")
# What a person must see: what destroys or is not understood, and why the answer may be another.
_OPEN = wording.PLAN_GROUPS[:2]
_SEEN = (wording.DEFERRED, wording.CHECKS)


def render_plan_markdown(report: PlanReport, view: View) -> str:
    """The whole report, ending in a newline."""
    return "\n\n".join(_blocks(report, view)) + "\n"


def _blocks(report: PlanReport, view: View) -> Iterator[str]:
    limits = None if view is View.FULL else _LIMITS
    summary = view is View.SUMMARY
    yield f"### {_icon(report)} {inline(wording.plan_answer(report))}"
    for warning in wording.plan_warnings(report):
        yield f"> ⚠️ {inline(warning)}"
    yield "\n".join(
        f"- **{name}**: {inline(what)}" for name, what in wording.plan_facts(report, view)
    )
    for section in plan_sections(report, view):
        lines = (
            line
            for each in section.told
            for line in ([head_line(each)] if summary else told_lines(each, limits))
        )
        yield from _section(section.title, len(section.told), lines, is_open=section.title in _OPEN)
    outputs = report.assessment.outputs
    if outputs:
        lines = (
            line for each in outputs for line in output_lines(each, limits, values=not summary)
        )
        yield from _section(wording.OUTPUTS, len(outputs), lines, is_open=False)
    for title, sentences in plan_sentences(report, view):
        lead = "!" if title == wording.ACTIONS else " "
        lines = (line for each in sentences for line in sentence_lines(each, lead, limits))
        yield from _section(title, len(sentences), lines, is_open=title in _SEEN)
    asides = wording.plan_asides(report, view)
    if asides:
        yield "\n".join(f"- {prose(aside)}" for aside in asides)


def _section(title: str, count: int, lines: Iterable[str], *, is_open: bool) -> Iterator[str]:
    opened = " open" if is_open else ""
    yield f"<details{opened}><summary><b>{in_html(title)}</b>: {count}</summary>"
    yield fence(lines, "diff")
    yield "</details>"


def _icon(report: PlanReport) -> str:
    assessment = report.assessment
    if not assessment.complete:
        return "❔"
    unknown = any(Kind.UNKNOWN in (each.kind, each.drift) for each in assessment.findings)
    # What nobody knows may destroy too.
    if assessment.totals.destroy or unknown:
        return "🔴"
    match assessment.status:
        case Status.IN_SYNC:
            return "🟢"
        case Status.PENDING:
            return "🟡"
        case _:
            return "🟣"
