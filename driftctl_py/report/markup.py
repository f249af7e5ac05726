"""Pieces of Markdown: foreign words made harmless, and one object as lines of a ``diff`` fence.

What both the report of a check and that of a plan are made of. A ``diff`` fence colours a line by
its first character: only lines that mean it begin with ``-``, ``+`` or ``!``. Everything foreign
is neutralised: it mentions nobody, links nowhere, and ends no fence, cell or element.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterable, Iterator, Sequence

from driftctl_py.core.plan import Kind, OutputChange
from driftctl_py.core.values import ABSENT, Value
from driftctl_py.report import show, wording
from driftctl_py.report.layout import laid_out
from driftctl_py.report.told import Limits, Line, Sentence, Told, of_output

_VALUE_AT_MOST = 400
# As wide as a fence is on a forge's page; what is longer has a scroll bar.
_ROOM = 100
# Between the sign and what follows, where a forge would make a mention or a link of it.
_INVISIBLE = "&#8203;"
_LINKS = re.compile(r"@|#(?=\d)|\bGH-(?=\d)|:(?=//)|\bwww(?=\.)", re.IGNORECASE)
_PUNCTUATION = re.compile(r"[\\`*_\[\]|~$]")
_URL = re.compile(r"https?://[A-Za-z0-9][A-Za-z0-9.:-]*(?:/[A-Za-z0-9/._~%?=&#+,@:-]*)?")
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._/-]*")
_STARTS_SOMETHING = re.compile(r"[#+\-=:]|\d+[.)]")


def prose(text: str) -> str:
    """Foreign words as words, wherever Markdown is read: in a paragraph, an item or a cell."""
    # Markdown looks past a few blanks, and makes code of what is behind many.
    words = inline(text).lstrip()
    # At its beginning even harmless punctuation would start a heading or a list.
    return (_INVISIBLE if _STARTS_SOMETHING.match(words) else "") + words


def inline(text: str) -> str:
    """The same where something of ours stands before it on its line."""
    return _PUNCTUATION.sub(r"\\\g<0>", _escaped(text))


def in_html(text: str) -> str:
    """The same where no Markdown is read, as within ``<summary>``."""
    return show.no_commands(_escaped(text))


def _escaped(text: str) -> str:
    escaped = html.escape(show.clean(text), quote=False)
    return _LINKS.sub(rf"\g<0>{_INVISIBLE}", escaped)


def fence(lines: Iterable[str], language: str) -> str:
    """A code block that its own content cannot close."""
    # Where Markdown is printed into a job's log, only what is in a fence begins with blanks alone.
    body = no_markers(show.no_commands("\n".join(lines)))
    longest = max((len(run) for run in re.findall("`+", body)), default=0)
    ticks = "`" * max(3, longest + 1)
    return f"{ticks}{language}\n{body}\n{ticks}"


def no_markers(text: str) -> str:
    """Without what opens a hidden comment: a forge's page does not show it, but who looks for a
    marker of ours in the source of a comment would find it even in a fence."""
    return text.replace("<!--", "<\\u0021--") if "<!--" in text else text


def link(words: str, url: str) -> str:
    """``words`` as a link, which they have to be fit for; alone where that is no address."""
    return f"[{words}]({url})" if is_url(url) else words


def is_url(url: str) -> bool:
    """Whether it is an address of the web, and has nothing in it that Markdown or HTML reads."""
    return _URL.fullmatch(url) is not None


def code(text: str) -> str:
    """A name that holds nothing but letters, digits and the like as code; else as words."""
    return f"`{text}`" if _NAME.fullmatch(text) else prose(text)


def told_lines(told: Told, limits: Limits | None) -> Iterator[str]:
    """One object with what is told of it."""
    yield head_line(told)
    yield from _lines(told.lines, limits, only=_lead(told.finding.kind))
    if told.later:
        yield f"    … {told.later} more known after apply"


def head_line(told: Told) -> str:
    """One object, in the one line that says what happens to it."""
    finding = told.finding
    return _head(wording.symbol(finding), finding.kind, finding.address, told.remark)


def sentence_lines(sentence: Sentence, lead: str, limits: Limits | None) -> Iterator[str]:
    """Something that is about no object, with what of it is listed."""
    yield f"{lead} {show.clean(sentence.words)}"
    yield from _lines(sentence.lines, limits, only=" ")


def output_lines(
    output: OutputChange, limits: Limits | None, *, values: bool = True
) -> Iterator[str]:
    """One output, with its values."""
    line = of_output(output)
    yield _head(wording.output_symbol(output), output.kind, line.path)
    if values:
        yield from _values("", line, limits, only=_lead(output.kind))


def _head(symbol: str, kind: Kind, address: str, remark: str = "") -> str:
    # What only is spelled otherwise is no change to a reader of colours.
    lead = " " if symbol == "=" else _lead(kind)
    head = f"{lead} " + ("" if symbol == lead else f"{symbol} ") + show.clean(address)
    return head + (f"  # {show.clean(remark)}" if remark else "")


def _lines(lines: Sequence[Line], limits: Limits | None, *, only: str) -> Iterator[str]:
    at_most = limits.lines if limits else len(lines)
    for line in lines[:at_most]:
        yield from _values(_path(line), line, limits, only=only)
    if limits and len(lines) > at_most:
        yield f"    … {len(lines) - at_most} more attributes{limits.more}"


def _values(path: str, line: Line, limits: Limits | None, *, only: str) -> Iterator[str]:
    names = [name for name, _ in line.values]
    values = [value for _, value in line.values]
    note = ", ".join(filter(None, [" → ".join(filter(None, names)), *line.remarks]))
    if names == [""]:
        yield from _alone(path, values[0], note, limits, only)
        return
    most = _VALUE_AT_MOST if limits else None
    at_most = limits.parts if limits else None
    parts = show.steps(names, values, limit=most, at_most=at_most)
    if parts is not None:
        yield f"    {path}  # {note}"
        # A change within a line is neither gone nor new to a reader of colours.
        shown, more = show.first(parts, at_most or len(parts))
        lines = [("!" if part.mark == "~" else part.mark, part.text) for part in shown]
        yield from _beneath(lines, more)
        return
    literals = show.literals(values)
    if len(literals) < len(values):
        # Secrets, one like the other: that they differ is all there is to see.
        yield f"!   {path}  {literals[0]}  # {note}"
        return
    leads = {1: only, 2: "-+", 3: "-!+"}[len(literals)]
    texts = show.cut_values(literals, _VALUE_AT_MOST) if limits else literals
    # What is not there needs no line, unless there is none at all.
    there = [at for at, value in enumerate(values) if value is not ABSENT] or [0]
    for at in there:
        remarks = line.remarks if at == there[-1] else ()
        yield f"{leads[at]}   {path}  {texts[at]}  # {', '.join([names[at], *remarks])}"


def _alone(path: str, value: Value, note: str, limits: Limits | None, lead: str) -> Iterator[str]:
    """The one value that there is to tell."""
    remark = f"  # {note}" if note else ""
    lines = laid_out(value, _ROOM)
    if len(lines) == 1:
        text = show.cut_values(lines, _VALUE_AT_MOST)[0] if limits else lines[0]
        yield f"{lead}   {path}  {text}{remark}"
        return
    yield f"{lead}   {path}{remark}"
    at_most = limits.parts if limits else len(lines)
    cut = [show.cut(line, _VALUE_AT_MOST) for line in lines[:at_most]] if limits else lines
    yield from _beneath([(lead, line) for line in cut], max(0, len(lines) - at_most))


def _beneath(lines: Sequence[tuple[str, str]], more: int) -> Iterator[str]:
    for mark, text in lines:
        yield f"{mark}     {text}"
    if more:
        yield f"      … {more} more lines"


def _path(line: Line) -> str:
    return show.clean(line.path) or "(all of it)"


def _lead(kind: Kind) -> str:
    if kind.destroys:
        return "-"
    return "+" if kind is Kind.CREATE else "!"
