"""Lines for a terminal: how one object, one output or one sentence looks, in 80 columns.

What both the report of a check and that of a plan are made of. Symbols and words carry the
meaning; colour only repeats it. Nothing foreign is printed as it came: see ``show``.
"""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Sequence

from driftctl_py.core.assessment import Finding
from driftctl_py.core.plan import Kind, OutputChange
from driftctl_py.core.values import Value
from driftctl_py.report import show, wording
from driftctl_py.report.layout import laid_out
from driftctl_py.report.told import Limits, Line, Sentence, Told, of_output

BOLD, RED, GREEN, YELLOW, MAGENTA = "1", "31", "32", "33", "35"

_INDENT = 8
# Values stand one below the other, but not for the sake of one long path.
_PATH_COLUMN = 28
# Less of a remark says nothing.
_REMARK_AT_LEAST = 12


class Terminal:
    """Makes lines of at most ``width`` columns; without limits, of as many as values need."""

    def __init__(self, width: int, color: bool, limits: Limits | None) -> None:
        self.width = max(60, width)
        self._color = color
        self._limits = limits

    def told(self, told: Told) -> Iterator[str]:
        """One object with what is told of it."""
        yield from self._head(told)
        yield from self._lines(told.lines)
        if told.later:
            yield f"{'':{_INDENT}}… {told.later} more known after apply"

    def in_one_line(self, told: Told) -> Iterator[str]:
        """One object in one line, cut if need be; what must be read whole gets what it needs."""
        lines = list(self._head(told))
        if len(lines) == 1 or told.never_cut:
            yield from lines
            return
        symbol = f"  {wording.symbol(told.finding):>3} "
        remark = show.clean(told.remark)
        room = self.width - len(symbol) - 2 - min(show.columns(remark), _REMARK_AT_LEAST)
        address = show.cut_middle(show.clean(told.finding.address), room)
        rest = self.width - len(symbol) - show.columns(address) - 2
        symbol = f"  {self.styled(_style(told.finding), symbol[2:5])} "
        yield f"{symbol}{address}  {show.cut(remark, rest)}"

    def output(self, output: OutputChange, *, values: bool = True) -> Iterator[str]:
        line = of_output(output)
        head = f"  {wording.output_symbol(output):>3} {show.clean(line.path)}"
        if values:
            yield from self._values(head, line)
        else:
            yield show.cut_middle(head, self.width)

    def sentence(self, sentence: Sentence, symbol: str) -> Iterator[str]:
        """Something that is about no object, with what of it is listed."""
        yield from self.wrapped(sentence.words, f"  {symbol:>3} ", indent=_INDENT)
        yield from self._lines(sentence.lines)

    def wrapped(self, text: str, first: str, *, indent: int, style: str = "") -> Iterator[str]:
        """A sentence, on as many lines as it needs."""
        for line in textwrap.wrap(
            show.clean(text),
            self.width,
            initial_indent=first,
            subsequent_indent=" " * indent,
            # A path or an address is pasted: it stays in one piece where it can.
            break_on_hyphens=False,
        ):
            yield self.styled(style, line)

    def styled(self, style: str, text: str) -> str:
        return f"\x1b[{style}m{text}\x1b[0m" if self._color and style else text

    def _head(self, told: Told) -> Iterator[str]:
        address, remark = show.clean(told.finding.address), show.clean(told.remark)
        if self._limits and not told.never_cut:
            address = show.cut_middle(address, self.width - 6)
        symbol = self.styled(_style(told.finding), f"{wording.symbol(told.finding):>3}")
        if 6 + show.columns(address) + 2 + show.columns(remark) <= self.width:
            yield f"  {symbol} {address}  {remark}".rstrip()
            return
        first, *rest = pieces(address, self.width - 6)
        yield f"  {symbol} {first}"
        yield from (f"      {piece}" for piece in rest)
        yield from self.wrapped(remark, " " * _INDENT, indent=_INDENT)

    def _lines(self, lines: Sequence[Line]) -> Iterator[str]:
        at_most = self._limits.lines if self._limits else len(lines)
        shown = lines[:at_most]
        widths = [show.columns(_path(line)) for line in shown]
        column = max((each for each in widths if each <= _PATH_COLUMN), default=0)
        for line in shown:
            yield from self._line(line, column)
        more = len(lines) - len(shown)
        if more and self._limits:
            yield f"{'':{_INDENT}}… {more} more attributes{self._limits.more}"

    def _line(self, line: Line, column: int) -> Iterator[str]:
        path = _path(line)
        if self._limits:
            path = show.cut_middle(path, self.width - _INDENT - _PATH_COLUMN)
        head = f"{'':{_INDENT}}{path}{' ' * (column - show.columns(path))}"
        yield from self._values(head, line)

    def _values(self, head: str, line: Line) -> Iterator[str]:
        """On one line if they fit; else line by line, or one snapshot below the other."""
        names = [name for name, _ in line.values]
        values = [value for _, value in line.values]
        note = ", ".join(filter(None, [" → ".join(filter(None, names)), *line.remarks]))
        # A long text is not even spelled to find out that it does not fit.
        fits = not any(
            isinstance(value, str) and ("\n" in value or len(value) > self.width)
            for value in values
        )
        if fits:
            text = f"{head}  {' → '.join(show.literals(values))}   {note}".rstrip()
            if show.columns(text) <= self.width:
                yield text
                return
        named = f"{head.rstrip()}  {note}".rstrip()
        if show.columns(named) <= self.width:
            yield named
        else:
            yield head.rstrip()
            yield from self.wrapped(note, " " * (_INDENT + 2), indent=_INDENT + 2)
        room, at_most = (self._room - 2, self._limits.parts) if self._limits else (None, None)
        parts = show.steps(names, values, limit=room, at_most=at_most)
        if parts is not None:
            shown, more = show.first(parts, at_most or len(parts))
            yield from self._beneath([f"{part.mark} {part.text}" for part in shown], more)
            return
        literals = show.literals(values)
        if len(literals) < len(values):
            yield f"{'':{_INDENT + 2}}{literals[0]}"
        elif names == [""]:
            lines, more = laid_out(values[0], self._room), 0
            if at_most:
                lines, more = lines[:at_most], max(0, len(lines) - at_most)
                lines = [show.cut_values([text], self._room)[0] for text in lines]
            yield from self._beneath(lines, more)
        else:
            yield from self._snapshots(names, values, literals)

    def _snapshots(
        self, names: Sequence[str], values: Sequence[Value], literals: Sequence[str]
    ) -> Iterator[str]:
        column = max(map(len, names))
        room = self._room - column - 2
        if self._limits:
            texts = [[text] for text in show.cut_values(literals, room)]
        else:
            texts = [laid_out(value, room) for value in values]
        for name, lines in zip(names, texts, strict=True):
            for lead, text in zip([name] + [""] * len(lines), lines, strict=False):
                yield f"{'':{_INDENT + 2}}{lead:{column}}  {text}"

    def _beneath(self, lines: Sequence[str], more: int) -> Iterator[str]:
        for line in lines:
            yield f"{'':{_INDENT + 2}}{line}"
        if more:
            yield f"{'':{_INDENT + 2}}… {more} more lines"

    @property
    def _room(self) -> int:
        return self.width - _INDENT - 2


def _path(line: Line) -> str:
    return show.clean(line.path) or "(all of it)"


def pieces(text: str, limit: int) -> list[str]:
    """All of a name, broken where the line ends."""
    found, piece, used = [], "", 0
    for character in text:
        wide = show.columns(character)
        if used + wide > limit:
            found.append(piece)
            piece, used = "", 0
        piece += character
        used += wide
    return [*found, piece]


def _style(finding: Finding) -> str:
    if finding.kind.destroys or finding.kind is Kind.UNKNOWN:
        return RED
    if finding.drifted:
        return MAGENTA
    return GREEN if finding.kind is Kind.CREATE else YELLOW
