"""The report in Markdown, for a job's summary, an issue or a comment.

The first line answers, then one table, then a folded section per environment that is not in
sync; the sections that a person must see are open. Findings stand in ``diff`` fences, which
colour a line by its first character: only lines that mean it begin with ``-``, ``+`` or ``!``.
Everything foreign is neutralised: it mentions nobody, links nowhere, and ends no fence, cell or
element.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterable, Iterator, Sequence

from tabulate import tabulate

from driftctl_py.core.assessment import Assessment, AttributeChange, Finding
from driftctl_py.core.check import Assessed, CheckReport, EnvironmentCheck, Failed, Verdict
from driftctl_py.core.plan import Kind, OutputChange
from driftctl_py.core.values import Value
from driftctl_py.report import show, wording

_ICONS = {
    Verdict.FAILED: "❌",
    Verdict.UNKNOWN: "❔",
    Verdict.DRIFTED_AND_PENDING: "🟣",
    Verdict.DRIFTED: "🟣",
    Verdict.PENDING: "🟡",
    Verdict.IN_SYNC: "🟢",
}
_VALUE_AT_MOST = 400
_PARTS_AT_MOST = 60
_ATTRIBUTES_AT_MOST = 50
_DETAIL_LINES_AT_MOST = 40

# Between the sign and what follows, where a forge would make a mention or a link of it.
_INVISIBLE = "&#8203;"
_LINKS = re.compile(r"@|#(?=\d)|\bGH-(?=\d)|:(?=//)|\bwww(?=\.)", re.IGNORECASE)
_PUNCTUATION = re.compile(r"[\\`*_\[\]|~$]")
_STARTS_SOMETHING = re.compile(r"[#+\-=:]|\d+[.)]")


def render_markdown(report: CheckReport) -> str:
    """The whole report, ending in a newline."""
    worst = next(
        (each for each in wording.VERDICTS if any(c.verdict is each for c in report.checks)),
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


def prose(text: str) -> str:
    """Foreign words as words, wherever Markdown is read: in a paragraph, an item or a cell."""
    words = _PUNCTUATION.sub(r"\\\g<0>", in_html(text))
    # At its beginning even harmless punctuation would start a heading or a list.
    return (_INVISIBLE if _STARTS_SOMETHING.match(words) else "") + words


def in_html(text: str) -> str:
    """The same where no Markdown is read, as within ``<summary>``."""
    escaped = html.escape(show.clean(text), quote=False)
    return _LINKS.sub(rf"\g<0>{_INVISIBLE}", escaped)


def fence(lines: Iterable[str], language: str) -> str:
    """A code block that its own content cannot close."""
    body = "\n".join(lines)
    longest = max((len(run) for run in re.findall("`+", body)), default=0)
    ticks = "`" * max(3, longest + 1)
    return f"{ticks}{language}\n{body}\n{ticks}"


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
                for line in _finding(each)
            ),
            *(line for output in assessment.outputs for line in _output(output)),
            *(f"! {show.clean(wording.invocation(each))}" for each in assessment.invocations),
        ]
        if lines:
            yield fence(lines, "diff")
    notes = wording.asides(assessment, strict=strict) if assessment else []
    notes += [f"warning: {each}" for each in wording.warnings(check, assessment)]
    if notes:
        yield "\n".join(f"- {prose(note)}" for note in notes)


def _finding(finding: Finding) -> Iterator[str]:
    symbol, lead = wording.symbol(finding), _lead(finding.kind)
    remark = show.clean(wording.remark(finding))
    shown, minor = wording.shown_attributes(finding)
    head = f"{lead} " + ("" if symbol == lead else f"{symbol} ") + show.clean(finding.address)
    yield head + (f"  # {remark}" if remark else "")
    for attribute in shown[:_ATTRIBUTES_AT_MOST]:
        yield from _attribute(attribute)
    more = len(shown) - _ATTRIBUTES_AT_MOST
    if more > 0:
        yield f"    … {more} more attributes"
    if minor:
        yield f"    … {minor} more known after apply"


def _attribute(attribute: AttributeChange) -> Iterator[str]:
    path = show.clean(attribute.path) or "(all of it)"
    yield from _values(path, wording.told_by(attribute), wording.attribute_remarks(attribute))


def _output(output: OutputChange) -> Iterator[str]:
    symbol, lead = wording.output_symbol(output), _lead(output.kind)
    head = "" if symbol == lead else f"{symbol} "
    yield f"{lead} {head}output.{show.clean(output.name)}"
    yield from _values("", wording.output_told_by(output), [], only=lead)


def _values(
    path: str, told: Sequence[tuple[str, Value]], remarks: Sequence[str], *, only: str = "!"
) -> Iterator[str]:
    parts = show.parts(told[0][1], told[1][1]) if len(told) == 2 else None
    if parts is not None:
        note = ", ".join([" → ".join(name for name, _ in told), *remarks])
        yield f"    {path}  # {note}"
        for part in parts[:_PARTS_AT_MOST]:
            yield f"{part.mark}     {show.cut(part.text, _VALUE_AT_MOST)}"
        if len(parts) > _PARTS_AT_MOST:
            yield f"      … {len(parts) - _PARTS_AT_MOST} more lines"
        return
    names = [name for name, _ in told]
    literals = show.literals([value for _, value in told])
    if len(literals) < len(told):
        names = [" → ".join(names)]
    leads = {1: only, 2: "-+", 3: "-!+"}[len(literals)]
    texts = show.cut_values(literals, _VALUE_AT_MOST)
    for lead, name, text in zip(leads, names, texts, strict=True):
        last = remarks if name == names[-1] else []
        yield f"{lead}   {path}  {text}  # {', '.join([name, *last])}"


def _lead(kind: Kind) -> str:
    if kind.destroys:
        return "-"
    return "+" if kind is Kind.CREATE else "!"
