"""Many results for a terminal: 80 columns suffice.

The first line answers, one table gives the overview, then each environment that there is something
to say about has its section, the lines of which were told when the result was made.
"""

from __future__ import annotations

from collections.abc import Iterator

from driftctl_py.core.check import Verdict
from driftctl_py.core.result import Gated, Item, Occasion, Result, Results, Standing
from driftctl_py.report import results_wording, show
from driftctl_py.report.terminal import BOLD, GREEN, MAGENTA, RED, YELLOW, Terminal
from driftctl_py.report.verdict_table import table_of_verdicts

_HEADERS = ("environment", "commit", "status", "add", "change", "destroy", "drifted", "gate")
_ALIGNMENT = ("left", "left", "left", "right", "right", "right", "right", "left")
# Per object; whoever wants all of it asks for the JSON.
_LINES_AT_MOST = 20
_DETAIL_LINES_AT_MOST = 12
_COLOURS = {"-": RED, "+": GREEN, "!": YELLOW}
_STYLE_OF_STANDING = {Standing.REFUSED: RED, Standing.HELD: MAGENTA}


def render_results_text(results: Results, *, width: int = 80, color: bool = False) -> str:
    """All of it, ending in a newline. ``width`` below 60 is taken for 60."""
    return show.no_commands("\n".join(_Report(width, color, None).report(results)) + "\n")


class _Report(Terminal):
    def report(self, results: Results) -> Iterator[str]:
        yield from self.wrapped(results_wording.headline(results), "", indent=2, style=BOLD)
        if results.results or results.missing:
            yield ""
            yield from self._table(results)
        for each in results.results:
            section = list(self._section(each))
            # Why it failed stands in the heading.
            if section or each.verdict in (Verdict.FAILED, Verdict.UNKNOWN):
                yield ""
                yield from self.wrapped(
                    f"{each.environment}: {results_wording.about(each)}", "", indent=2, style=BOLD
                )
                yield from section
        if results.missing or results.unreadable:
            yield ""
        for name in results.missing:
            yield from self.wrapped(f"{name}: {results_wording.DIED}", "", indent=2, style=BOLD)
        for why in results.unreadable:
            yield from self.wrapped(f"unreadable: {why}", "", indent=2, style=BOLD)

    def _table(self, results: Results) -> Iterator[str]:
        rows = [[show.clean(cell) for cell in _row(each)] for each in results.results]
        rows += [[show.clean(name), "", "failed", *"----", ""] for name in results.missing]
        verdicts = [each.verdict for each in results.results]
        verdicts += [Verdict.FAILED] * len(results.missing)
        yield from table_of_verdicts(self, _HEADERS, rows, verdicts, alignment=_ALIGNMENT)

    def _section(self, result: Result) -> Iterator[str]:
        for each in result.diagnostics:
            yield from self.wrapped(f"{each.severity}: {each.summary}", "  ", indent=4)
            where = ", ".join(filter(None, (each.where, each.address)))
            if where:
                yield f"    at {show.cut_middle(show.clean(where), self.width - 7)}"
            lines = show.clean_lines(each.detail)
            for line in lines[:_DETAIL_LINES_AT_MOST]:
                yield from self.wrapped(line, "    ", indent=4)
            if len(lines) > _DETAIL_LINES_AT_MOST:
                yield f"    … {len(lines) - _DETAIL_LINES_AT_MOST} more lines"
        if result.reason and result.verdict not in (Verdict.FAILED, Verdict.UNKNOWN):
            yield from self.wrapped(result.reason, "  ", indent=4)
        for line in show.clean_lines(result.todo):
            yield from self.wrapped(line, "  ", indent=2)
        for item in result.items:
            yield from self._item(item)
        yield from map(self._fenced, result.outputs)
        for warning in result.warnings:
            yield from self.wrapped(f"warning: {warning}", "  ", indent=4)
        if result.gate is not None:
            yield from self._gate(result.gate)
        for note in result.notes:
            yield from self.wrapped(note, "  ", indent=2)

    def _item(self, item: Item) -> Iterator[str]:
        head, *lines = item.lines
        # What names it is read whole, however long it is, and so is all of what is destroyed.
        yield self._fenced(head, whole=True)
        shown = lines if item.destroys else lines[:_LINES_AT_MOST]
        yield from (self._fenced(line, whole=item.destroys) for line in shown)
        if len(lines) > len(shown):
            yield f"      … {len(lines) - len(shown)} more lines; --format json lists all"

    def _fenced(self, line: str, *, whole: bool = False) -> str:
        text = f"  {show.clean(line)}"
        text = text if whole else show.cut(text, self.width)
        return self.styled(_COLOURS.get(line[:1], ""), text)

    def _gate(self, gate: Gated) -> Iterator[str]:
        if gate.standing is Standing.NOTHING:
            return
        style = _STYLE_OF_STANDING.get(gate.standing, "")
        yield from self.wrapped(f"gate: {gate.standing.value}", "  ", indent=4, style=style)
        for line in gate.lines:
            yield from self.wrapped(line, "    ", indent=6)
        if gate.needs:
            yield from self.wrapped(f"needs {gate.needs}", "    ", indent=6)
        for line in show.clean_lines(gate.todo):
            yield from self.wrapped(f"next: {line}", "  ", indent=8)


def _row(result: Result) -> tuple[str, ...]:
    totals, drifted = result.totals, result.drifted
    counts = (totals.add, totals.change, totals.destroy) if totals else (None,) * 3
    # As in a check: of what failed there is nothing to count, of the unknown nobody can say.
    none = "-" if result.verdict is Verdict.FAILED else "?"
    stands = result.gate.standing.value if result.gate else ""
    if result.occasion is Occasion.APPLY:
        stands = result.state or stands
    return (
        result.environment,
        result.commit[:7],
        result.verdict.value,
        *(none if count is None else str(count) for count in (*counts, drifted)),
        stands,
    )
