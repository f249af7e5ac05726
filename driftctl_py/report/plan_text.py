"""One plan for a terminal: 80 columns suffice.

The first line answers, a few facts follow, then the objects in reading order: what destroys (whole,
in every view), what nobody knows, what was changed outside, what is not applied yet. What is no
change is counted in the last lines, and listed in the full view.
"""

from __future__ import annotations

from collections.abc import Iterator

from driftctl_py.core.plan_report import PlanReport, View
from driftctl_py.report import show, wording
from driftctl_py.report.terminal import BOLD, Terminal
from driftctl_py.report.told import Limits, plan_sections, plan_sentences

_LIMITS = Limits(lines=20, parts=12, more="; --view full lists all")
_NAME_COLUMN = 11


def render_plan_text(
    report: PlanReport, view: View, *, width: int = 80, color: bool = False
) -> str:
    """The whole report, ending in a newline. ``width`` below 60 is taken for 60."""
    limits = None if view is View.FULL else _LIMITS
    return show.no_commands("\n".join(_Plan(width, color, limits).report(report, view)) + "\n")


class _Plan(Terminal):
    def report(self, report: PlanReport, view: View) -> Iterator[str]:
        yield from self.wrapped(wording.plan_answer(report), "", indent=2, style=BOLD)
        for warning in wording.plan_warnings(report):
            yield ""
            yield from self.wrapped(warning, "  ", indent=2)
        yield ""
        for name, what in wording.plan_facts(report, view):
            indent = 2 + _NAME_COLUMN + 2
            yield from self.wrapped(what, f"  {name:{_NAME_COLUMN}}  ", indent=indent)
        for block in self._blocks(report, view):
            lines = list(block)
            if lines:
                yield ""
                yield from lines

    def _blocks(self, report: PlanReport, view: View) -> Iterator[Iterator[str]]:
        """Each with a blank line above it."""
        summary = view is View.SUMMARY
        for section in plan_sections(report, view):
            tell = self.in_one_line if summary else self.told
            yield self._under(section.title, (line for told in section.told for line in tell(told)))
        outputs = report.assessment.outputs
        if outputs:
            lines = (line for each in outputs for line in self.output(each, values=not summary))
            yield self._under(wording.OUTPUTS, lines)
        for title, sentences in plan_sentences(report, view):
            symbol = "*" if title == wording.ACTIONS else "•"
            yield self._under(
                title, (line for each in sentences for line in self.sentence(each, symbol))
            )
        yield (
            line
            for aside in wording.plan_asides(report, view)
            for line in self.wrapped(aside, "  ", indent=4)
        )

    def _under(self, title: str, lines: Iterator[str]) -> Iterator[str]:
        yield self.styled(BOLD, title)
        yield from lines
