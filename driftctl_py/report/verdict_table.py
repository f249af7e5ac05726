"""The table over several environments, for a terminal: one row each, as wide as there is room for.

What both a check and a report over many results begin with.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from tabulate import tabulate

from driftctl_py.core.check import Verdict
from driftctl_py.report import show
from driftctl_py.report.terminal import GREEN, MAGENTA, RED, YELLOW, Terminal

_NAME_AT_LEAST = 8
# Where the status stands in a row.
_STATUS = 2

_COLOUR_OF_VERDICT = {
    Verdict.FAILED: RED,
    Verdict.UNKNOWN: RED,
    Verdict.DRIFTED_AND_PENDING: MAGENTA,
    Verdict.DRIFTED: MAGENTA,
    Verdict.PENDING: YELLOW,
    Verdict.IN_SYNC: GREEN,
}


def table_of_verdicts(
    terminal: Terminal,
    headers: Sequence[str],
    rows: list[list[str]],
    verdicts: Sequence[Verdict],
    *,
    alignment: Sequence[str],
) -> Iterator[str]:
    """The rows, which are clean: first the environment, third the status."""
    widths = [max(map(show.columns, column)) for column in zip(headers, *rows, strict=True)]
    room = terminal.width - sum(widths[1:]) - 2 * len(widths[1:])
    if room < widths[0]:
        # A status on two lines leaves more of the names in sight.
        statuses = [row[_STATUS].replace(" and ", " and\n") for row in rows]
        lines = "\n".join([headers[_STATUS], *statuses]).split("\n")
        room = max(room + widths[_STATUS] - max(map(show.columns, lines)), _NAME_AT_LEAST)
        widths[0] = min(widths[0], room)
        widths[_STATUS] = max(map(show.columns, lines))
        for row, status in zip(rows, statuses, strict=True):
            row[0], row[_STATUS] = show.cut_middle(row[0], room), status
    for row, verdict in zip(rows, verdicts, strict=True):
        style = _COLOUR_OF_VERDICT[verdict]
        styled = (terminal.styled(style, line) for line in row[_STATUS].split("\n"))
        row[_STATUS] = "\n".join(styled)
    # The heading as rows: tabulate makes every column with a heading two wider.
    table = tabulate(
        [headers, ["-" * width for width in widths], *rows],
        tablefmt="plain",
        disable_numparse=True,
        colalign=alignment,
    )
    for line in table.split("\n"):
        yield line.rstrip()
