"""One plan as a page: one file that needs no network, no script and no font of its own.

Elements are built, never glued from strings, so nothing foreign can become markup, and the page's
own policy lets nothing load or run. What is told is ``told``'s choice, what it says ``wording``'s,
and how a value looks ``show``'s.
"""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Iterable, Iterator, Sequence
from typing import TypeAlias
from xml.etree.ElementTree import Element, SubElement, tostring

from driftctl_py.core.assessment import Status
from driftctl_py.core.plan import OutputChange
from driftctl_py.core.plan_report import PlanReport, View
from driftctl_py.core.values import Value
from driftctl_py.report import show, wording
from driftctl_py.report.told import Line, Told, of_output, plan_sections, plan_sentences

# In the views that cut; a browser folds and scrolls, so they are more than a terminal gets.
_LINES_AT_MOST = 60
_VALUE_AT_MOST = 300
_PARTS_AT_MOST = 80
# So many objects a reader still scrolls past; of more, only what destroys is open.
_OPEN_AT_MOST = 40

_SNAPSHOTS = ("recorded", "real", "planned")
# Code points that are none in any text; HTML forbids them.
_NO_CHARACTERS = re.compile(
    "[\ufdd0-\ufdef"
    + "".join(map(chr, (p << 16 | e for p in range(17) for e in (0xFFFE, 0xFFFF))))
    + "]"
)
_MARKS = (show.SECRET, show.LATER, show.NONE)
_TONES = dict(zip(wording.PLAN_GROUPS, ("destroy", "unknown", "drift", "pending"), strict=True))
_TONES |= {wording.EQUIVALENT: "nothing", wording.READS: "nothing", wording.CHECKS: "unknown"}
_CHANGES = "pending"

_Values: TypeAlias = "Sequence[tuple[str, Value]]"


def render_plan_html(report: PlanReport, view: View) -> str:
    """The whole page, ending in a newline."""
    page = _Page(report, view).page()
    return "<!DOCTYPE html>\n" + tostring(page, encoding="unicode", method="html") + "\n"


class _Page:
    def __init__(self, report: PlanReport, view: View) -> None:
        self._report = report
        self._view = view
        self._cuts = view is not View.FULL
        self._few = len(report.assessment.findings) <= _OPEN_AT_MOST

    def page(self) -> Element:
        html = _element("html", lang="en")
        html.append(self._head())
        body = _add(html, "body")
        body.append(self._banner())
        main = _add(body, "main")
        for warning in wording.plan_warnings(self._report):
            _add(main, "p", "warning", warning)
        main.append(self._figures())
        main.extend(self._groups())
        asides = wording.plan_asides(self._report, self._view)
        if asides:
            main.append(_listed(asides))
        return html

    def _head(self) -> Element:
        digest = base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()
        policy = (
            f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"
        )
        head = _element("head")
        _add(head, "meta", charset="utf-8")
        _add(head, "meta", **{"http-equiv": "Content-Security-Policy", "content": policy})
        _add(head, "meta", name="viewport", content="width=device-width, initial-scale=1")
        _add(head, "meta", name="referrer", content="no-referrer")
        _add(head, "title", text=wording.plan_answer(self._report))
        # Text within it is not escaped, and none of it is foreign.
        SubElement(head, "style").text = _STYLE
        return head

    def _banner(self) -> Element:
        header = _element("header", f"is-{_tone(self._report)}")
        _add(header, "h1", text=wording.plan_answer(self._report))
        facts = _add(header, "dl", "facts")
        for name, what in wording.plan_facts(self._report, self._view):
            pair = _add(facts, "div")
            _add(pair, "dt", text=name)
            _add(pair, "dd", text=what)
        return header

    def _figures(self) -> Element:
        totals, drifted = self._report.assessment.totals, self._report.assessment.drifted
        tiles = _element("dl", "tiles", **{"aria-label": "Totals as the engine counts, and drift"})
        for name, number, tone in (
            ("to destroy", totals.destroy, "destroy"),
            ("to change", totals.change, "pending"),
            ("to add", totals.add, "create"),
            ("to import", totals.import_, "move"),
            ("to forget", totals.forget, "move"),
            ("drifted", drifted, "drift"),
        ):
            tile = _add(tiles, "div", f"tile is-{tone if number else 'nothing'}")
            _add(tile, "dt", text=name)
            _add(tile, "dd", text=str(number))
        return tiles

    def _groups(self) -> Iterator[Element]:
        for section in plan_sections(self._report, self._view):
            found = [self._told(each, _TONES[section.title]) for each in section.told]
            yield self._group(section.title, found)
        outputs = [self._output(each) for each in self._report.assessment.outputs]
        if outputs:
            yield self._group(wording.OUTPUTS, outputs)
        for title, sentences in plan_sentences(self._report, self._view):
            articles = []
            for sentence in sentences:
                article = _element("article")
                _add(article, "p", text=sentence.words)
                article.extend(self._table(sentence.lines))
                articles.append(article)
            yield self._group(title, articles)

    def _group(self, title: str, inside: Sequence[Element]) -> Element:
        tone = _TONES.get(title, _CHANGES)
        section = _element("section", f"group is-{tone}")
        opened = {"open": "open"} if self._few or tone in ("destroy", "unknown") else {}
        details = _add(section, "details", **opened)
        heading = _add(_add(details, "summary"), "h2", text=title)
        _add(heading, "span", "count", str(len(inside)))
        details.extend(inside)
        return section

    def _told(self, told: Told, tone: str) -> Element:
        article = _element("article", f"is-{tone}")
        article.append(_heading(wording.symbol(told.finding), told.finding.address))
        if told.remark:
            _add(article, "p", "remark", told.remark)
        most = _LINES_AT_MOST if self._cuts else len(told.lines)
        article.extend(self._table(told.lines[:most]))
        for more, what in ((len(told.lines) - most, "attributes"), (told.later, show.LATER)):
            if more > 0:
                _add(article, "p", "more", f"… {more} more {what.strip('()')}")
        return article

    def _output(self, output: OutputChange) -> Element:
        line = of_output(output)
        article = _element("article")
        article.append(_heading(wording.output_symbol(output), line.path))
        if self._view is not View.SUMMARY:
            titles = [name for name, _ in line.values]
            wrapper, body = _table_of(titles)
            _add(body, "tr").extend(self._cells(line.values, titles))
            article.append(wrapper)
        return article

    def _table(self, lines: Sequence[Line]) -> Iterator[Element]:
        """A row for each place; none where there is none."""
        if not lines:
            return
        names = {name for line in lines for name, _ in line.values}
        columns = [name for name in _SNAPSHOTS if name in names] or [""]
        wrapper, body = _table_of(["attribute", *(name or "value" for name in columns)])
        for line in lines:
            row = _add(body, "tr")
            name = _add(row, "th", scope="row")
            name.append(_breakable(line.path or "(all of it)"))
            for remark in line.remarks:
                _add(name, "span", "note", remark)
            row.extend(self._cells(line.values, columns))
        yield wrapper

    def _cells(self, values: _Values, columns: Sequence[str]) -> Iterator[Element]:
        """One cell for each column; one over all of them for what differs in places, or for a
        value that belongs to no snapshot."""
        names = [name for name, _ in values]
        limit = _VALUE_AT_MOST if self._cuts else None
        at_most = _PARTS_AT_MOST if self._cuts else None
        parts = show.steps(names, [each for _, each in values], limit=limit, at_most=at_most)
        if parts is not None:
            cell = _element("td", colspan=str(len(columns)))
            _add(cell, "span", "note", " → ".join(names))
            cell.append(self._parts(parts))
            yield cell
            return
        literals = [show.literal(value) for _, value in values]
        texts = show.cut_values(literals, _VALUE_AT_MOST) if self._cuts else literals
        if names == [""]:
            yield _value(texts[0], colspan=str(len(columns)))
            return
        found = dict(zip(names, texts, strict=True))
        for name in columns:
            yield _value(found.get(name, ""))

    def _parts(self, parts: Sequence[show.Part]) -> Element:
        shown, more = show.first(parts, _PARTS_AT_MOST if self._cuts else len(parts))
        lines = _element("div", "lines")
        for part in shown:
            tone = {"-": "gone", "+": "come", "~": "other"}.get(part.mark, "same")
            line = _add(lines, "div", tone)
            _add(line, "span", "mark", part.mark)
            _add(line, "code", text=part.text)
        if more:
            _add(lines, "p", "more", f"… {more} more lines")
        return lines


def _tone(report: PlanReport) -> str:
    if not report.assessment.complete:
        return "unknown"
    if report.assessment.totals.destroy:
        return "destroy"
    match report.assessment.status:
        case Status.IN_SYNC:
            return "create"
        case Status.PENDING:
            return "pending"
        case _:
            return "drift"


def _heading(symbol: str, address: str) -> Element:
    heading = _element("h3")
    _add(heading, "span", "symbol", symbol)
    heading.append(_breakable(address))
    return heading


def _table_of(titles: Sequence[str]) -> tuple[Element, Element]:
    """A table that scrolls by itself where the page is narrow, and its body."""
    more = {"role": "group", "aria-label": "Values", "tabindex": "0"}
    wrapper = _element("div", "scroll", **more)
    table = _add(wrapper, "table")
    row = _add(_add(table, "thead"), "tr")
    for title in titles:
        _add(row, "th", text=title, scope="col")
    return wrapper, _add(table, "tbody")


def _value(text: str, **attributes: str) -> Element:
    cell = _element("td", **attributes)
    if text:
        _add(cell, "em" if text in _MARKS else "code", text=text)
    return cell


def _listed(lines: Iterable[str]) -> Element:
    found = _element("ul", "asides")
    for line in lines:
        _add(found, "li", text=line)
    return found


def _breakable(text: str) -> Element:
    """A name that may be broken where its parts meet, so that a phone shows all of it."""
    code = _element("code")
    first, *rest = _pieces(_text(text))
    code.text = first
    for piece in rest:
        _add(code, "wbr").tail = piece
    return code


def _pieces(text: str) -> Iterator[str]:
    start = 0
    for at, character in enumerate(text):
        if character in "._[/" and at > start:
            yield text[start:at]
            start = at
    yield text[start:]


def _text(text: str) -> str:
    return _NO_CHARACTERS.sub("\ufffd", show.clean(text))


def _element(tag: str, kind: str = "", text: str = "", **attributes: str) -> Element:
    made = Element(tag, {"class": kind, **attributes} if kind else attributes)
    made.text = _text(text)
    return made


def _add(parent: Element, tag: str, kind: str = "", text: str = "", **attributes: str) -> Element:
    made = _element(tag, kind, text, **attributes)
    parent.append(made)
    return made


_STYLE = """
:root {
  color-scheme: light dark;
  --page: #f6f7f9; --card: #ffffff; --ink: #1b1f24; --quiet: #57606a; --line: #d8dee4;
  --destroy: #b42318; --destroy-soft: #fdecea; --drift: #7a3db8; --drift-soft: #f4ecfb;
  --pending: #8a5a00; --pending-soft: #fdf4e0; --create: #1a7040; --create-soft: #e5f5eb;
  --move: #0b5cab; --move-soft: #e6f0fa; --unknown: #b42318; --unknown-soft: #fdecea;
  --nothing: #57606a; --nothing-soft: #eef1f4;
}
@media (prefers-color-scheme: dark) {
  :root {
    --page: #0f1318; --card: #171c23; --ink: #e6eaef; --quiet: #9aa5b1; --line: #2d3540;
    --destroy: #ff8a7d; --destroy-soft: #3a1c1a; --drift: #cfa3f7; --drift-soft: #2b2038;
    --pending: #f0bf5c; --pending-soft: #33290f; --create: #6fd49a; --create-soft: #14301f;
    --move: #82bbf5; --move-soft: #14283c; --unknown: #ff8a7d; --unknown-soft: #3a1c1a;
    --nothing: #9aa5b1; --nothing-soft: #20272f;
  }
}
.is-destroy { --tone: var(--destroy); --soft: var(--destroy-soft); }
.is-pending { --tone: var(--pending); --soft: var(--pending-soft); }
.is-create { --tone: var(--create); --soft: var(--create-soft); }
.is-move { --tone: var(--move); --soft: var(--move-soft); }
.is-drift { --tone: var(--drift); --soft: var(--drift-soft); }
.is-unknown { --tone: var(--unknown); --soft: var(--unknown-soft); }
.is-nothing { --tone: var(--nothing); --soft: var(--nothing-soft); }
* { box-sizing: border-box; }
body {
  margin: 0; background: var(--page); color: var(--ink);
  font: 16px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, sans-serif;
}
code, .symbol, .mark { font-family: ui-monospace, "SF Mono", Menlo, Consolas, monospace; }
code { font-size: .875em; overflow-wrap: anywhere; white-space: pre-wrap; }
header { border-top: 6px solid var(--tone); background: var(--card);
  border-bottom: 1px solid var(--line); }
header, main { padding: 1.25rem max(1rem, calc((100% - 68rem) / 2)); }
h1 { font-size: 1.5rem; line-height: 1.3; margin: 0 0 .5rem; overflow-wrap: anywhere; }
h2 { display: inline; font-size: 1.125rem; margin: 0; }
h3 { font-size: 1rem; font-weight: 600; margin: 0; overflow-wrap: anywhere; }
p { margin: .25rem 0; }
dl, dd { margin: 0; }
.facts { display: flex; flex-wrap: wrap; gap: .25rem 1.5rem; color: var(--quiet);
  font-size: .9rem; }
.facts div { display: flex; flex-wrap: wrap; gap: 0 .5ch; }
.facts dt::after { content: ":"; }
.facts dd { color: var(--ink); overflow-wrap: anywhere; }
.warning { border-left: 4px solid var(--destroy); background: var(--destroy-soft);
  padding: .5rem .75rem; margin: 0 0 .75rem; }
.tiles { display: grid; grid-template-columns: repeat(auto-fit, minmax(7rem, 1fr)); gap: .75rem;
  margin-bottom: 1.25rem; }
.tile { display: flex; flex-direction: column-reverse; background: var(--card);
  border: 1px solid var(--line); border-top: 4px solid var(--tone); border-radius: 6px;
  padding: .5rem .75rem; }
.tile dt { color: var(--quiet); font-size: .9rem; }
.tile dd { font-size: 1.75rem; line-height: 1.2; font-weight: 600; color: var(--tone); }
.group { margin: 0 0 1.25rem; }
summary { cursor: pointer; padding: .35rem 0; }
.count { margin-left: .6ch; padding: 0 .5em; border-radius: 1em; font-size: .875rem;
  color: var(--tone); background: var(--soft); }
article { background: var(--card); border: 1px solid var(--line);
  border-left: 4px solid var(--tone); border-radius: 6px; padding: .6rem .75rem;
  margin: 0 0 .6rem; }
.symbol { display: inline-block; min-width: 2.5em; margin-right: .5ch; padding: 0 .35em;
  border-radius: 4px; text-align: center; color: var(--tone); background: var(--soft); }
.remark { color: var(--quiet); }
.scroll { overflow-x: auto; margin-top: .5rem; }
table { border-collapse: collapse; width: 100%; font-size: .9375rem; }
th, td { border-top: 1px solid var(--line); padding: .3rem .6rem .3rem 0; text-align: left;
  vertical-align: top; }
thead th { border-top: 0; color: var(--quiet); font-weight: 400; font-size: .875rem; }
tbody th { font-weight: 400; width: 28%; min-width: 9rem; }
td { min-width: 7rem; }
.asides { color: var(--quiet); font-size: .9rem; padding-left: 1.25rem; }
.note { display: inline-block; margin-left: .75ch; color: var(--quiet); font-size: .8125rem; }
td > .note { margin-left: 0; }
em { color: var(--quiet); }
.lines { border: 1px solid var(--line); border-radius: 4px; margin: .15rem 0; }
.lines > div { display: flex; gap: 1ch; padding: 0 .5rem; }
.mark { min-width: 1ch; white-space: pre; }
.gone { background: var(--destroy-soft); } .gone .mark { color: var(--destroy); }
.come { background: var(--create-soft); } .come .mark { color: var(--create); }
.other { background: var(--pending-soft); } .other .mark { color: var(--pending); }
.same, .more { color: var(--quiet); } .more { font-size: .875rem; }
:focus-visible { outline: 2px solid var(--move); outline-offset: 2px; }
@media (max-width: 40rem) {
  h1 { font-size: 1.25rem; }
  tbody th { min-width: 6rem; }
  td { min-width: 5rem; }
  .tiles { grid-template-columns: repeat(3, 1fr); gap: .5rem; }
  .tile dd { font-size: 1.25rem; }
}
@media print {
  body { background: none; } article, .tile { break-inside: avoid; }
  .scroll { overflow: visible; }
}
"""
