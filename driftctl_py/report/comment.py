"""The comment on a pull request, and the summary of a job: all environments within a budget.

The first line answers, then one table, then a folded section for each environment, then what was
planned. A forge takes so much and no more, so there is a ladder: all of it, the attributes of what
is destroyed alone, addresses, counts. The environments that a reader has to know the least of go
down first. What is destroyed or replaced is named as long as there is any room for it, what is
left out is counted, and where it stands is said.

Not here: the hidden marker that the comment is found by (``core/sticky``), and what stands in one
section (``comment_section``).
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from tabulate import tabulate

from driftctl_py.core.result import Occasion, Results
from driftctl_py.report import results_wording, show
from driftctl_py.report.comment_section import Amount, Omitted, Rung, Section, omissions, size_of
from driftctl_py.report.markup import code, inline, link, prose
from driftctl_py.report.results_wording import Rank

COMMENT_BUDGET = 60_000
"""A comment has at most 65,536 characters, and whoever publishes adds a marker."""
SUMMARY_BUDGET = 1_000_000
"""The summary of a step has at most 1 MiB."""

_CELL_AT_MOST = 80
_NAME_AT_MOST = 100
_IN_SYNC_ROWS_AT_MOST = 10
# Of more rows, each is worth more than its link.
_LINKED_AT_MOST = 100
_UNREADABLE_AT_MOST = 10
_BRANCH_AT_MOST = 60
# Bytes that no section and hardly an address has room in.
_WORTH_A_LOOK = 64
_BLANKS = re.compile(" {2,}")


def render_comment(
    results: Results, *, budget: int = COMMENT_BUDGET, artifact_url: str = ""
) -> str:
    """Markdown of at most ``budget`` bytes of UTF-8, ending in a newline. ``artifact_url`` is
    where all of it is."""
    return _Comment(results, artifact_url).within(budget)


def render_summary(
    results: Results, *, budget: int = SUMMARY_BUDGET, artifact_url: str = ""
) -> str:
    """The same for a job's summary, which has more room."""
    return render_comment(results, budget=budget, artifact_url=artifact_url)


def render_parts(results: Results, *, budget: int, artifact_url: str = "") -> tuple[str, str]:
    """The same in two: the answer with its table, and what stands below it; empty where that is
    nothing. Neither has more than ``budget`` bytes."""
    top, sections, bottom = _Comment(results, artifact_url).parts(budget)
    if not sections:
        return _cut_to([*top, *bottom], budget), ""
    return _cut_to(top, budget), _cut_to([*sections, *bottom], budget)


class _Comment:
    """The parts of it, and how much of each is taken."""

    def __init__(self, results: Results, artifact_url: str) -> None:
        self.results = results
        self.url = artifact_url
        sections = [Section(each) for each in results.results]
        # Within a rank as the configuration has them.
        self.sections = sorted(sections, key=lambda section: section.rank)
        self.amounts = [
            section.amount(Rung.FULL if section.worth_one else Rung.ROW)
            for section in self.sections
        ]
        self.sizes = [
            section.size(amount)
            for section, amount in zip(self.sections, self.amounts, strict=True)
        ]
        self.rungs = [Rung.ROW if each is None else Rung.FULL for each in self.amounts]
        self.table = _Table(results, self.sections)

    def within(self, budget: int) -> str:
        return _cut_to([each for part in self.parts(budget) for each in part], budget)

    def parts(self, budget: int) -> tuple[list[str], list[str], list[str]]:
        """The answer with its table, the sections, and what was planned: together no more than
        that, unless there is no room for any of it."""
        if results_wording.concerns_nothing(self.results):
            return [_at(results_wording.NO_ENVIRONMENT, self.results)], [], []
        if results_wording.changes_nothing(self.results):
            return [_nothing(self.results)], [], []
        sign, words = results_wording.icon_of_all(self.results), self._headline()
        head = [f"### {sign} {words}", *_unreadable(self.results)]
        footer = _footer(self.results, self.url)
        # Behind the last of them stands one end of line, not two.
        if not self._fit(budget + 1 - sum(size_of(each) + 2 for each in (*head, footer))):
            return [head[0], f"There is no room for the rest. {self._where()}"], [], []
        omitted = self._omitted()
        sections = [
            section.render(amount)
            for section, amount in zip(self.sections, self.amounts, strict=True)
            if amount is not None
        ]
        top = [*head, *self._loud(omitted), *self.table.render()]
        return top, sections, [*self._said_of(omitted), footer]

    def _headline(self) -> str:
        # States that this version does not know are somebody else's words.
        return inline(results_wording.headline(self.results))

    def _fit(self, room: int) -> bool:
        """Goes down the ladder as far as it has to."""
        size = self.table.size + sum(self.sizes)
        if size <= room:
            return True
        room -= sum(size_of(each) + 2 for each in self._most_said())
        # Of the same rank, the one that takes most room: many small ones then stay whole.
        order = sorted(
            range(len(self.sizes)), key=lambda at: (-self.sections[at].rank, -self.sizes[at])
        )
        grave = [at for at in order if self.sections[at].destroyed]
        lesser = [at for at in order if not self.sections[at].destroyed]
        size -= self.table.fold()
        for some, rung in (
            (order, Rung.DESTRUCTIVE),
            (lesser, Rung.COUNTS),
            (grave, Rung.ADDRESSES),
            (grave, Rung.DESTROYED),
            (lesser, Rung.ROW),
        ):
            size = self._down(some, rung, size, room)
        size -= self.table.cut(size - room, at_least=len(grave))
        # What is destroyed is named no more only when nothing else is left.
        size = self._down(grave, Rung.COUNTS, size, room)
        size = self._down(grave, Rung.ROW, size, room)
        size -= self.table.cut(size - room, at_least=0)
        if size > room:
            return False
        # Where not all that is destroyed has room anyway, some of it goes to the table.
        size += self.table.grow(min(room // 4, room - size))
        size += self._name_destroyed(grave, room - size)
        size += self.table.grow(room - size)
        if not self._omitted().destroyed:
            self._give_back(sorted(grave), sorted(lesser), room - size)
        return True

    def _down(self, some: Sequence[int], rung: Rung, size: int, room: int) -> int:
        """One after the other, until there is room; what all of it takes then."""
        for at in some:
            if size <= room:
                break
            if rung < self.rungs[at]:
                size += self._set(at, rung)
        return size

    def _set(self, at: int, rung: Rung) -> int:
        """How much more room that takes."""
        self.rungs[at] = rung
        return self._take(at, self.sections[at].amount(rung))

    def _take(self, at: int, amount: Amount | None) -> int:
        before = self.sizes[at]
        self.amounts[at], self.sizes[at] = amount, self.sections[at].size(amount)
        return self.sizes[at] - before

    def _name_destroyed(self, grave: Sequence[int], room: int) -> int:
        """As much of it as has room; how much that takes."""
        before = room
        for at in sorted(grave):
            counts = self.sections[at].amount(Rung.COUNTS)
            if self.amounts[at] is None and self.sections[at].size(counts) <= room:
                room -= self._set(at, Rung.COUNTS)
            room -= self._more(at, Rung.DESTROYED, room)
        return before - room

    def _give_back(self, grave: Sequence[int], lesser: Sequence[int], room: int) -> None:
        """What still has room, up the same ladder, on each rung to the environments first that a
        reader has to know most of: whole rungs first, and then parts of them."""
        for up in (self._up, self._more):
            for some, rung in (
                (lesser, Rung.COUNTS),
                (grave, Rung.ADDRESSES),
                (grave, Rung.DESTRUCTIVE),
                (lesser, Rung.DESTRUCTIVE),
                (grave, Rung.FULL),
                (lesser, Rung.FULL),
            ):
                for at in some:
                    if room < _WORTH_A_LOOK:
                        return
                    room -= up(at, rung, room)

    def _up(self, at: int, rung: Rung, room: int) -> int:
        """To that rung, if there is room; how much that takes."""
        section = self.sections[at]
        if rung <= self.rungs[at] or not section.worth_one:
            return 0
        fits = section.size(section.amount(rung)) - self.sizes[at] <= room
        return self._set(at, rung) if fits else 0

    def _more(self, at: int, rung: Rung, room: int) -> int:
        """On the way to that rung as far as there is room; how much that takes."""
        section, amount = self.sections[at], self.amounts[at]
        wanted = section.amount(rung)
        if amount is None or wanted is None or rung <= self.rungs[at]:
            return 0
        return self._take(at, section.more(amount, wanted, room))

    def _omitted(self) -> Omitted:
        found = Omitted(rows=self.table.omitted)
        for section, amount in zip(self.sections, self.amounts, strict=True):
            if section.worth_one:
                found += section.omitted(amount)
        return found

    def _most_said(self) -> list[str]:
        """What would be said of it if all of it were left out."""
        found = Omitted(rows=len(self.sections) + len(self.results.missing))
        for section in self.sections:
            found += section.omitted(None)
            found += Omitted(attributes=section.count, said=section.said)
        return [*self._loud(found), *self._said_of(found)]

    def _loud(self, omitted: Omitted) -> Iterator[str]:
        if omitted.destroyed:
            objects = "1 object" if omitted.destroyed == 1 else f"{omitted.destroyed} objects"
            yield (
                f"> [!CAUTION]\n> **There is no room to name {objects} destroyed or replaced.** "
                f"{self._where()}"
            )

    def _said_of(self, omitted: Omitted) -> Iterator[str]:
        words = omissions(omitted)
        if words:
            yield f"✂️ Omitted to fit in here: {words}. {self._where()}"

    def _where(self) -> str:
        """Where all of it is."""
        report = link(results_wording.FULL_REPORT, self.url)
        if report != results_wording.FULL_REPORT:
            return f"All of it is in the {report}."
        job = link("job", self.results.job.url)
        where = f"what the {job} left behind" if job != "job" else "the files of results"
        return f"All of it is in {where}; `driftctl-py report DIR --format markdown` shows it."


@dataclass(frozen=True, slots=True)
class _Row:
    """Of one environment. ``counts_as`` is what it is where it is only counted."""

    rank: Rank
    name: str
    cells: tuple[str, ...]
    counts_as: str


class _Table:
    """A row for each environment, the worst first; of many that are in sync, their names alone."""

    def __init__(self, results: Results, sections: Sequence[Section]) -> None:
        linked = len(sections) <= _LINKED_AT_MOST
        rows = [_row(each, linked=linked) for each in sections]
        rows += [_died(name) for name in results.missing]
        rows.sort(key=lambda row: row.rank)
        quiet = [row for row in rows if row.rank is Rank.IN_SYNC]
        self._quiet = quiet if len(quiet) > _IN_SYNC_ROWS_AT_MOST else []
        self._rows = rows[: len(rows) - len(self._quiet)]
        occasion = results_wording.occasion_of(results)
        lines = tabulate(
            [row.cells for row in self._rows],
            headers=("", *results_wording.COLUMNS, results_wording.LAST_COLUMN[occasion]),
            tablefmt="pipe",
            disable_numparse=True,
            colalign=("left", "left", "right", "right", "right", "right", "left"),
        ).split("\n")
        # Nobody reads its source, and what makes columns of it takes as much as what is in them.
        self._lines = [_BLANKS.sub(" ", line) for line in lines]
        self._lines[1] = re.sub("-{3,}", "--", self._lines[1])
        self._sizes = [size_of(line) + 1 for line in self._lines]
        self._shown = len(self._rows)
        self._names = True

    @property
    def size(self) -> int:
        return sum(size_of(each) + 2 for each in self.render())

    @property
    def omitted(self) -> int:
        return len(self._rows) - self._shown

    def fold(self) -> int:
        """Names no more who is in sync; how much that spares."""
        before, self._names = self.size, False
        return before - self.size

    def cut(self, excess: int, *, at_least: int) -> int:
        """Leaves out as many rows as it takes, but for the first so many; how much that spares."""
        if excess <= 0 or self._shown <= at_least:
            return 0
        before = self.size
        # What is said instead is longest where all of them are counted.
        excess += size_of(self._rest(self._rows)) + 2
        spared = 0
        while self._shown > at_least and spared < excess:
            spared += self._sizes[1 + self._shown]
            self._shown -= 1
        return before - self.size

    def grow(self, room: int) -> int:
        """Takes rows back that have room after all; how much that takes."""
        before = self.size
        while self.omitted and self._sizes[2 + self._shown] <= room:
            room -= self._sizes[2 + self._shown]
            self._shown += 1
        return max(0, self.size - before)

    def render(self) -> list[str]:
        blocks = ["\n".join(self._lines[: 2 + self._shown])] if self._shown else []
        if self.omitted:
            blocks.append(self._rest(self._rows[self._shown :]))
        if self._quiet:
            count = f"🟢 {len(self._quiet)} environments are in sync"
            names = ", ".join(row.name for row in self._quiet)
            fold = f"<details><summary>{count}</summary>\n\n{names}\n\n</details>"
            blocks.append(fold if self._names else f"{count}.")
        return blocks

    def _rest(self, rows: Sequence[_Row]) -> str:
        counts = Counter(row.counts_as for row in rows)
        words = ", ".join(f"{count} {what}" for what, count in counts.items())
        return f"… and {len(rows)} more: {words}."


def _row(section: Section, *, linked: bool) -> _Row:
    result, quiet = section.result, section.rank is Rank.IN_SYNC
    name = prose(show.cut_middle(result.environment, _NAME_AT_MOST))
    linked_name = link(name, result.job.url) if linked else name
    add, change, destroy, drift = results_wording.numbers(result)
    outcome = prose(show.cut(results_wording.outcome(result), _CELL_AT_MOST))
    return _Row(
        section.rank,
        name,
        (
            results_wording.icon(result),
            linked_name if quiet else f"**{linked_name}**",
            add,
            change,
            f"**{destroy}**" if destroy not in ("–", "?") else destroy,
            drift,
            f"**{outcome}**" if section.rank in _EMPHASISED else outcome,
        ),
        "that destroy" if section.rank is Rank.DESTROYS else result.verdict.value,
    )


_EMPHASISED = (Rank.FAILED, Rank.UNKNOWN, Rank.REFUSED)


def _died(name: str) -> _Row:
    said = prose(show.cut_middle(name, _NAME_AT_MOST))
    cells = ("❌", f"**{said}**", "?", "?", "?", "?", f"**{results_wording.DIED}**")
    return _Row(Rank.FAILED, said, cells, "failed")


def _unreadable(results: Results) -> Iterator[str]:
    """Files that should have been results."""
    lines = [f"> ❌ {inline(show.cut(why, 300))}" for why in results.unreadable]
    if len(lines) > _UNREADABLE_AT_MOST:
        more = len(lines) - _UNREADABLE_AT_MOST
        lines[_UNREADABLE_AT_MOST:] = [f"> … {more} more files that are no results"]
    if lines:
        yield "  \n".join(lines)


def _nothing(results: Results) -> str:
    verb = _VERBS[results_wording.occasion_of(results)]
    return _at(f"No environment changes. {verb} {len(results.results)}", results)


def _at(words: str, results: Results) -> str:
    at = _commit(results)
    return f"{words} at {at}." if at else f"{words}."


_VERBS = {Occasion.REVIEW: "Planned", Occasion.CHECK: "Checked", Occasion.APPLY: "Looked at"}
_NOUNS = {Occasion.REVIEW: "Plan of", Occasion.CHECK: "Checked at", Occasion.APPLY: "Apply of"}


def _footer(results: Results, url: str) -> str:
    occasion = results_wording.occasion_of(results)
    at, job = _commit(results), results.job
    words = f"{_NOUNS[occasion]} {at}" if at else f"{_VERBS[occasion]}"
    if at and job.merge and job.base and job.pull:
        into = f"{code(show.cut(job.into, _BRANCH_AT_MOST))} at " if job.into else ""
        words += f" merged into {into}{code(job.base[:7])}"
    facts = [words]
    prints = {each.short_fingerprint for each in results.results} - {""}
    if len(results.results) == 1 and prints:
        facts.append(f"fingerprint {code(show.cut(prints.pop(), 20))}")
    for name, address in ((results_wording.FULL_REPORT, url), ("job", job.url)):
        if (linked := link(name, address)) != name:
            facts.append(linked)
    return " · ".join(facts)


def _commit(results: Results) -> str:
    """What was planned, as code: the head of the pull request, or what all of them have."""
    commits = {results.job.head} - {""} or {each.commit for each in results.results} - {""}
    return code(commits.pop()[:7]) if len(commits) == 1 else ""


def _cut_to(blocks: Sequence[str], budget: int) -> str:
    """As many of them as have room; of the first, if need be, its beginning."""
    text = "\n\n".join(blocks) + "\n"
    if size_of(text) <= budget:
        return text
    if len(blocks) > 1:
        return _cut_to(blocks[:-1], budget)
    return text.encode()[: max(0, budget)].decode(errors="ignore")
