"""One environment in a comment, with as much of it as there is room for.

A section can be asked how large it would be with so many of its objects and of their attributes,
without being written: that is what the budget is kept by. What destroys comes first in that count,
so it is left out last. Everything foreign is neutralised: see ``markup``.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import IntEnum
from itertools import accumulate
from typing import TypeVar

from driftctl_py.core.check import Verdict
from driftctl_py.core.comment_command import COMMAND_WORD, Command, Verb, read_command
from driftctl_py.core.plan import Kind
from driftctl_py.core.result import Gated, Item, Occasion, Result, Standing
from driftctl_py.errors import Diagnostic
from driftctl_py.report import results_wording, show, wording
from driftctl_py.report.markup import code, fence, in_html, inline, no_markers, prose
from driftctl_py.report.results_wording import Rank

_T = TypeVar("_T")

# Columns of one line of a fence, and of a sentence; whoever wants more of it follows the link.
_LINE_AT_MOST = 2000
_WORDS_AT_MOST = 1000
_TITLE_AT_MOST = 300
_TODO_AT_MOST = 20


class Rung(IntEnum):
    """How much of it: all, the attributes of what is destroyed alone, addresses, those of what is
    destroyed alone, counts, nothing but its row in the table."""

    ROW = 0
    COUNTS = 1
    DESTROYED = 2
    ADDRESSES = 3
    DESTRUCTIVE = 4
    FULL = 5


@dataclass(frozen=True, slots=True)
class _Limits:
    """Of what stands beside the objects."""

    said: int
    diagnostics: int
    details: int
    outputs: int
    words: int


_WHOLE = _Limits(said=50, diagnostics=20, details=40, outputs=100, words=_WORDS_AT_MOST)
_BRIEF = _Limits(said=3, diagnostics=1, details=3, outputs=0, words=200)


@dataclass(frozen=True, slots=True)
class Amount:
    """``heads`` objects are named, ``details`` of them with their attributes, counted from the
    first that is destroyed."""

    heads: int
    details: int
    brief: bool


@dataclass(frozen=True, slots=True)
class Omitted:
    """What was left out, in all."""

    destroyed: int = 0
    others: int = 0
    attributes: int = 0
    """Objects that are named without theirs."""
    sections: int = 0
    rows: int = 0
    said: int = 0
    """Sentences, messages and outputs."""

    def __add__(self, other: Omitted) -> Omitted:
        return Omitted(
            self.destroyed + other.destroyed,
            self.others + other.others,
            self.attributes + other.attributes,
            self.sections + other.sections,
            self.rows + other.rows,
            self.said + other.said,
        )


@dataclass(slots=True)
class _Group:
    """Objects under one heading; ``first`` is where the first of them stands in the order."""

    heading: str
    changes: list[int]
    first: int = 0


class Section:
    """Of one result. ``rank`` is how much a reader has to know of it."""

    def __init__(self, result: Result) -> None:
        self.result = result
        self.rank = results_wording.rank(result)
        self.opened = self.rank in _OPEN or (
            result.occasion is Occasion.CHECK and self.rank in _DRIFTED
        )
        self._title = _title(result)
        items = sorted(result.items, key=_urgency)
        self._items = items
        self.count = len(items)
        self.destroyed = sum(map(_is_grave, items))
        self._heads = [_head(item) for item in items]
        self._rests = [[_line(line) for line in item.lines[1:]] for item in items]
        self._groups = _groups(result, items)
        # A fence is as long as the longest of them asks for, shown or not.
        self._ticks = _ticks(self._heads, self._rests)
        self._head_sizes = _sums([size_of(head) + 1 for head in self._heads])
        self._rest_sizes = _sums([sum(size_of(line) + 1 for line in rest) for rest in self._rests])
        self._with_rest = _sums([bool(rest) for rest in self._rests])
        self._beside: dict[bool, tuple[str, str, int]] = {}

    def amount(self, rung: Rung) -> Amount | None:
        """What a rung stands for; None: no section at all."""
        match rung:
            case Rung.FULL:
                return Amount(self.count, self.count, brief=False)
            case Rung.DESTRUCTIVE:
                return Amount(self.count, self.destroyed, brief=False)
            case Rung.ADDRESSES:
                return Amount(self.count, 0, brief=False)
            case Rung.DESTROYED:
                return Amount(self.destroyed, 0, brief=True)
            case Rung.COUNTS:
                return Amount(0, 0, brief=True)
            case _:
                return None

    @property
    def worth_one(self) -> bool:
        """Is there anything to say that its row does not?"""
        result = self.result
        said = result.outputs or result.warnings or result.diagnostics or result.reason
        return self.rank is not Rank.IN_SYNC or bool(self.count or said)

    @property
    def said(self) -> int:
        """How many sentences, messages and outputs there are, at the most."""
        result = self.result
        lines = result.gate.lines if result.gate is not None else ()
        beside = (result.diagnostics, result.warnings, result.notes, result.outputs, lines)
        return sum(map(len, beside))

    def size(self, amount: Amount | None) -> int:
        """In bytes of UTF-8, with the blank line behind it."""
        if amount is None:
            return 0
        above, below, said = self._said(brief=amount.brief)
        size = size_of(self._open_tag()) + size_of("</details>\n\n") + 2
        size += sum(size_of(part) + 2 for part in (above, below) if part)
        notes = _notes(self._omitted(amount, said))
        size += size_of(notes) + 2 if notes else 0
        for group in self._groups:
            if group.first < amount.heads:
                size += self._around(group)
        return size + self._head_sizes[amount.heads] + self._rest_sizes[amount.details]

    def render(self, amount: Amount) -> str:
        """Exactly as large as it said."""
        above, below, said = self._said(brief=amount.brief)
        objects = self.objects(amount)
        notes = _notes(self._omitted(amount, said))
        blocks = [self._open_tag(), above, *objects, notes, below, "</details>"]
        return "\n\n".join(filter(None, blocks))

    def objects(self, amount: Amount) -> list[str]:
        """What changes, in fences."""
        blocks = []
        for group in self._groups:
            if group.first < amount.heads:
                lines = [
                    line
                    for at in group.changes
                    if at < amount.heads
                    for line in (self._heads[at], *(self._rests[at] if at < amount.details else ()))
                ]
                blocks += [group.heading] if group.heading else []
                blocks.append("\n".join([f"{self._ticks}diff", *lines, self._ticks]))
        return blocks

    def omitted(self, amount: Amount | None) -> Omitted:
        """What of it is left out."""
        if amount is None:
            others = self.count - self.destroyed
            return Omitted(destroyed=self.destroyed, others=others, sections=1)
        return self._omitted(amount, self._said(brief=amount.brief)[2])

    def more(self, amount: Amount, wanted: Amount, room: int) -> Amount:
        """As much of what is wanted beyond that as ``room`` bytes have room for: first addresses,
        then attributes."""
        # Notes may say more where more is named, and a group opens with its first object.
        room -= _NOTES_GROW
        for group in self._groups:
            if group.first >= amount.heads:
                room -= self._around(group)
        heads = min(wanted.heads, _reach(self._head_sizes, amount.heads, room))
        room -= self._head_sizes[heads] - self._head_sizes[amount.heads]
        details = amount.details
        if heads == self.count:
            details = min(wanted.details, _reach(self._rest_sizes, details, room))
        return Amount(heads, details, amount.brief)

    def _open_tag(self) -> str:
        opened = " open" if self.opened else ""
        return f"<details{opened}><summary>{self._title}</summary>"

    def _around(self, group: _Group) -> int:
        heading = size_of(group.heading) + 2 if group.heading else 0
        return heading + 2 * len(self._ticks) + len("diff\n") + 2

    def _omitted(self, amount: Amount, said: int) -> Omitted:
        destroyed = max(0, self.destroyed - amount.heads)
        return Omitted(
            destroyed=destroyed,
            others=self.count - amount.heads - destroyed,
            attributes=self._with_rest[amount.heads]
            - self._with_rest[min(amount.details, amount.heads)],
            said=said,
        )

    def _said(self, *, brief: bool) -> tuple[str, str, int]:
        """What stands above its objects and below them, and how much of it is left out."""
        known = self._beside.get(brief)
        if known is None:
            beside = _Beside(self.result, _BRIEF if brief else _WHOLE)
            above, below = "\n\n".join(beside.above()), "\n\n".join(beside.below())
            known = self._beside[brief] = (above, below, beside.omitted)
        return known


_NOTES_GROW = 64
# What a person must see: what is lost, and where nobody knows or may go on.
_OPEN = (Rank.DESTROYS, Rank.FAILED, Rank.UNKNOWN, Rank.REFUSED)
_DRIFTED = (Rank.DRIFTED_AND_PENDING, Rank.DRIFTED)
_NOT_KNOWN = (Verdict.FAILED, Verdict.UNKNOWN)
_GRAVE = {kind.value for kind in Kind if kind.destroys} | {Kind.UNKNOWN.value}


def _is_grave(item: Item) -> bool:
    """Is something lost, or may it be for all we know?"""
    return item.destroys or item.action in _GRAVE


def _urgency(item: Item) -> int:
    return 0 if item.destroys else 1 if _is_grave(item) else 2


def _title(result: Result) -> str:
    name, about = show.cut(result.environment, _TITLE_AT_MOST), results_wording.about(result)
    words = in_html(show.cut(about, _TITLE_AT_MOST))
    return f"{results_wording.icon(result)} <b>{in_html(name)}</b>: {words}"


def _groups(result: Result, items: Sequence[Item]) -> list[_Group]:
    """What has nothing to do with the code stands apart; what destroys is in front."""
    ours = [at for at, item in enumerate(items) if not results_wording.not_ours(item)]
    outside = [at for at, item in enumerate(items) if results_wording.not_ours(item)]
    review = result.occasion is Occasion.REVIEW
    source = "Not from this pull request" if review else wording.PLAN_GROUPS[2]
    words = results_wording.changed_outside(len(outside))
    heading = f"**{source}:** {words}, recorded → real." if review else f"**{source}:**"
    groups = [
        _Group(f"**{wording.PLAN_GROUPS[3]}:**" if outside and not review else "", ours),
        _Group(heading if ours or review else "", outside),
    ]
    found = [group for group in groups if group.changes]
    for group in found:
        group.first = group.changes[0]
    return sorted(found, key=lambda group: not _is_grave(items[group.first]))


def _head(item: Item) -> str:
    if item.lines:
        return _line(item.lines[0])
    lead = "-" if item.destroys else "!"
    return _line(f"{lead} {item.address}  # {item.action}")


def _line(text: str) -> str:
    """A line for a fence, whatever somebody wrote into it."""
    if len(text) > _LINE_AT_MOST:
        text = show.cut_middle(text, _LINE_AT_MOST)
    return no_markers(show.no_commands(show.clean(text)))


def _ticks(heads: Sequence[str], rests: Sequence[Sequence[str]]) -> str:
    lines = [line for line in heads if "```" in line]
    lines += [line for rest in rests for line in rest if "```" in line]
    longest = 2
    for line in lines:
        while "`" * (longest + 1) in line:
            longest += 1
    return "`" * (longest + 1)


def _notes(omitted: Omitted) -> str:
    words = omissions(omitted)
    return f"<sub>✂️ Omitted here: {words}.</sub>" if words else ""


def omissions(omitted: Omitted) -> str:
    """``3 objects, attributes of 12 objects``; empty where there is nothing."""
    counts = (
        (omitted.destroyed, "**{} destroyed or replaced**"),
        (omitted.others, "{} more" if omitted.destroyed else "{} changes"),
        (omitted.attributes, "attributes of {}"),
        (omitted.said, "{} messages or outputs"),
        (omitted.sections, "{} sections"),
        (omitted.rows, "{} rows"),
    )
    return ", ".join(_one(words.format(count), count) for count, words in counts if count)


def _one(words: str, count: int) -> str:
    return words.removesuffix("s") if count == 1 and words[0].isdigit() else words


class _Beside:
    """What is said of an environment beside its objects; ``omitted`` counts what was not."""

    def __init__(self, result: Result, limits: _Limits) -> None:
        self.result = result
        self.limits = limits
        self.omitted = 0

    def above(self) -> Iterator[str]:
        """Why there is no plan, or why it may not be applied."""
        result = self.result
        not_known = result.verdict in _NOT_KNOWN
        # Where it has room, the title says it.
        if result.reason and not (not_known and len(result.reason) < _TITLE_AT_MOST // 2):
            yield self._words(result.reason)
        if not_known:
            yield from self._diagnostics()
        yield from self._commands("What to do:", show.clean_lines(result.todo)[:_TODO_AT_MOST])
        if result.gate is not None and result.gate.standing is Standing.REFUSED:
            yield from self._verdicts("**Refused:**", result.gate)
            yield from self._commands("What to do:", show.clean_lines(result.gate.todo))

    def below(self) -> Iterator[str]:
        result = self.result
        warnings = [f"⚠️ {self._words(each)}" for each in self._some(result.warnings)]
        if warnings:
            yield "  \n".join(warnings)
        if result.verdict not in _NOT_KNOWN:
            yield from self._diagnostics()
        outputs = [_line(line) for line in self._first(result.outputs, self.limits.outputs)]
        if outputs:
            yield f"**{results_wording.beside(result.outputs).capitalize()}:**"
            yield fence(outputs, "diff")
        notes = [f"- {self._words(each)}" for each in self._some(result.notes)]
        if notes:
            yield "\n".join(notes)
        if result.gate is not None and result.gate.standing is Standing.HELD:
            needs = result.gate.needs and results_wording.asked(result.gate.needs)
            yield from self._verdicts(f"**Held:** {inline(self._cut(needs))}", result.gate)
            ways = list(self._ways(result.gate))
            # What is held by a freeze waits for its end, and nobody's yes helps.
            how = "To approve, comment or run:" if len(ways) > 1 else "To approve:"
            yield from self._commands(how if needs else "What to do:", ways)
        elif result.gate is not None and result.gate.standing is not Standing.REFUSED:
            yield from self._verdicts("", result.gate)
        facts = list(self._facts())
        if facts:
            yield f"<sub>{' · '.join(facts)}</sub>"

    def _verdicts(self, lead: str, gate: Gated) -> Iterator[str]:
        """What rules, policies and limits said."""
        if lead:
            yield lead.rstrip()
        if gate.lines:
            yield "\n".join(f"- {self._words(each)}" for each in self._some(gate.lines))

    def _commands(self, lead: str, commands: Sequence[str]) -> Iterator[str]:
        if commands:
            yield lead
            yield fence([show.cut(line, _LINE_AT_MOST) for line in commands], "text")

    def _diagnostics(self) -> Iterator[str]:
        for diagnostic in self._first(self.result.diagnostics, self.limits.diagnostics):
            yield fence(self._diagnostic(diagnostic), "text")

    def _ways(self, gate: Gated) -> Iterator[str]:
        result = self.result
        if gate.needs and result.job.pull:
            words = f"{COMMAND_WORD} {Verb.APPROVE.value} {result.fingerprint} {result.environment}"
            # Only what would be understood, word for word.
            asked = Command(Verb.APPROVE, (result.environment,), result.fingerprint)
            if read_command(words) == asked:
                yield words
        for line in show.clean_lines(gate.todo)[: self.limits.details]:
            if not line.startswith(COMMAND_WORD):
                yield line

    def _facts(self) -> Iterator[str]:
        # Nothing that is another in each run: a comment that says the same is left as it is.
        result = self.result
        if result.short_fingerprint:
            yield f"fingerprint {code(show.cut(result.short_fingerprint, 20))}"
        if result.engine:
            yield prose(show.cut(result.engine, 60))
        if result.commit not in ("", result.job.merge, result.job.head):
            yield f"at {code(result.commit[:7])}"

    def _diagnostic(self, found: Diagnostic) -> Iterator[str]:
        head = f"{found.severity}: {found.summary}"
        details = show.clean_lines(found.detail)
        for line in filter(None, (head, found.where, found.address)):
            yield show.cut(show.clean(line), self.limits.words)
        for line in details[: self.limits.details]:
            yield show.cut(line, self.limits.words)
        if len(details) > self.limits.details:
            yield f"… {len(details) - self.limits.details} more lines"

    def _some(self, said: Sequence[str]) -> Sequence[str]:
        return self._first(said, self.limits.said)

    def _first(self, said: Sequence[_T], at_most: int) -> Sequence[_T]:
        self.omitted += max(0, len(said) - at_most)
        return said[:at_most]

    def _words(self, text: str) -> str:
        return prose(self._cut(text))

    def _cut(self, text: str) -> str:
        return show.cut(text, self.limits.words)


def size_of(text: str) -> int:
    """In bytes of UTF-8."""
    return len(text) if text.isascii() else len(text.encode())


def _sums(sizes: Sequence[int]) -> list[int]:
    """``[n]`` is the sum of the first n."""
    return list(accumulate(sizes, initial=0))


def _reach(sums: Sequence[int], start: int, room: int) -> int:
    """The furthest that ``room`` bytes reach from there."""
    return max(start, bisect_right(sums, sums[start] + room) - 1)
