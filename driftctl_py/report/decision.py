"""A decision for a terminal: what is to be done, by which rule it may be, and who has to be asked.

One line for each change that was judged, the worst first. What is denied, held or destroys is
never left out and never cut; of what is allowed the first are listed and the rest is counted.
The last line is what to do next. Nothing foreign is printed as it came: see ``show``.
"""

from __future__ import annotations

import shlex
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import assert_never

from driftctl_py.core.approval import (
    Approval,
    Ask,
    Identity,
    People,
    Requirement,
    Standing,
    moment,
)
from driftctl_py.core.decision import (
    Apply,
    Decision,
    Hold,
    Judged,
    Judgement,
    Level,
    Nothing,
    Refuse,
    Ruling,
)
from driftctl_py.core.plan import Kind
from driftctl_py.core.run import Purpose, Run
from driftctl_py.core.window import Closed, over
from driftctl_py.report import show, wording
from driftctl_py.report.terminal import BOLD, GREEN, MAGENTA, RED, YELLOW, Terminal, pieces

_ALLOWED_AT_MOST = 20
_NAMED_AT_MOST = 6
_PASSED_AT_MOST = 3
# Less of an address does not tell one from another; the rule then goes below.
_ADDRESS_AT_LEAST = 28
_WHAT_AT_MOST = 24
_DESTROYS = frozenset(kind.value for kind in Kind if kind.destroys)
WHOLE_PLAN = "the plan as a whole"

COLOUR_OF_LEVEL = {
    Level.DENY: RED,
    Level.APPROVE: YELLOW,
    Level.WARN: MAGENTA,
    Level.ALLOW: GREEN,
}


def render_decision_text(
    run: Run,
    decision: Decision,
    *,
    people: People | None = None,
    width: int = 80,
    color: bool = False,
) -> str:
    """All of it, ending in a newline. ``width`` below 60 is taken for 60."""
    lines = DecisionLines(width, color, people or People())
    return show.no_commands("\n".join(lines.decision(run, decision)) + "\n")


class DecisionLines(Terminal):
    """Makes the lines of a decision, or of what a run remembers of one."""

    def __init__(self, width: int, color: bool, people: People) -> None:
        super().__init__(width, color, None)
        self.people = people

    def decision(self, run: Run, decision: Decision) -> Iterator[str]:
        yield from self.wrapped(answer(run, decision), "", indent=2, style=BOLD)
        if not isinstance(decision, Nothing):
            yield from self.wrapped(purpose_words(run), "  ", indent=2)
        match decision:
            case Nothing():
                pass
            case Apply():
                yield from self.judgement(decision.judgement)
                yield from self.approvals(decision.approvals)
            case Hold():
                yield from self.judgement(decision.judgement)
                yield from self.standing(decision.requirement, decision.standing, run)
                yield from self.closed(decision.closed)
                yield from self._over_before(decision)
            case Refuse():
                for reason in decision.reasons:
                    yield from self.wrapped(reason, "  ", indent=4)
                if decision.judgement is not None:
                    yield from self.judgement(decision.judgement)
            case _ as never:
                assert_never(never)
        if run.purpose is Purpose.REVIEW:
            # It holds nothing back now, but whoever merges wants to know.
            yield from self.closed(run.closed)
        yield from self.next(next_steps(run, decision))

    def next(self, steps: Sequence[str]) -> Iterator[str]:
        """What to do now, as commands that can be pasted."""
        for position, step in enumerate(steps):
            yield from self.wrapped(step, "next: " if position == 0 else "      ", indent=6)

    def judgement(self, judgement: Judgement) -> Iterator[str]:
        """A line for each change, and what was said of the plan as a whole."""
        ordered = sorted(judgement.changes, key=lambda each: (-each.level, not destroys(each)))
        rows = [*_row_of_plan(judgement), *map(_row, ordered)]
        allowed = [each for each in rows if not each.whole]
        shown = [each for each in rows if each.whole] + allowed[:_ALLOWED_AT_MOST]
        if shown:
            yield from self._rows(shown)
        more = len(allowed) - _ALLOWED_AT_MOST
        if more > 0:
            yield f"  … {more} more allowed; --format json lists all"

    def approvals(self, approvals: Sequence[Approval]) -> Iterator[str]:
        for each in approvals:
            yield from self._said("approved by", each)

    def standing(
        self, requirement: Requirement, standing: Standing, run: Run, *, but: str = ""
    ) -> Iterator[str]:
        """Who said what, and who is still to be asked; ``but`` is an approval told already."""
        if standing.rejected is not None:
            yield from self._said("rejected by", standing.rejected)
        yield from self.approvals([each for each in standing.given if each.id != but])
        # Those of earlier plans are many after a while, and the last ones are of use.
        last = sorted(standing.passed, key=lambda each: each.approval.at, reverse=True)
        # What one person said of several earlier plans is mostly passed over for the same reason.
        passed = Counter(
            f"{person(each.approval.by, self.people)}: {each.why.rstrip('.')}" for each in last
        )
        told = dict(list(passed.items())[:_PASSED_AT_MOST])
        for words, times in told.items():
            often = f" ({times} times)" if times > 1 else ""
            yield from self.wrapped(f"does not count: {words}{often}", "  ", indent=4)
        more = len(last) - sum(told.values())
        if more > 0:
            older = "older one does not" if more == 1 else "older ones do not"
            yield f"  … {more} {older} count; --format json lists all"
        if standing.missing:
            words = needs(requirement, standing, run, self.people)
            yield from self.wrapped(words, "  ", indent=4)

    def closed(self, closed: Sequence[Closed]) -> Iterator[str]:
        """Why it is not the time to apply it."""
        for each in closed:
            yield from self.wrapped(each.why, "  ", indent=4)

    def _over_before(self, hold: Hold) -> Iterator[str]:
        """Of yeses that count now, and will not when its time comes."""
        ends = [each.until for each in hold.closed if each.until is not None]
        late = [each for each in hold.standing.given if ends and each.expires_at <= max(ends)]
        for each in late:
            words = (
                f"The yes of {person(each.by, self.people)} is over by then, at "
                f"{moment(each.expires_at)}: another one will be needed."
            )
            yield from self.wrapped(words, "  ", indent=4)

    def _said(self, verb: str, approval: Approval) -> Iterator[str]:
        words = f"{verb} {person(approval.by, self.people)} at {moment(approval.at)}"
        until = f", good until {moment(approval.expires_at)}" if approval.yes else ""
        yield from self.wrapped(f"{words}{until}: {approval.reason}", "  ", indent=4)

    def _rows(self, rows: Sequence[_Row]) -> Iterator[str]:
        cause = max(len(each.cause) for each in rows)
        what = max(show.columns(each.what) for each in rows)
        level = max(len(each.word) for each in rows)
        address = max(show.columns(each.address) for each in rows)
        room = self.width - 2 - cause - 2 - 2 - what - 2 - level
        below = " " * (2 + cause + 2 + 2)
        # Where it stands is told once below, where a line has no room for it; and the rule itself
        # below each line, where that leaves too little of the addresses.
        tried = ((address, _with_where), (address, _name_alone))
        less = min(address, _ADDRESS_AT_LEAST)
        for wanted, tell in (*tried, (less, _with_where), (less, _name_alone), (less, _below)):
            rule = max(show.columns(tell(each)) for each in rows)
            left = room - 2 - rule if rule else room
            if left >= wanted:
                break
        column, before = min(address, left), ""
        for each in rows:
            coloured = self.styled(COLOUR_OF_LEVEL[each.level], each.word)
            padded = coloured + " " * (level - len(each.word))
            first, *rest = _in_pieces(each, column)
            yield (
                f"  {each.cause:{cause}}  {_padded(first, column)}  {_padded(each.what, what)}  "
                f"{padded}  {tell(each)}"
            ).rstrip()
            yield from (f"  {'':{cause}}  {piece}" for piece in rest)
            remarks = [each.with_where, *each.remarks] if tell is _below else [*each.remarks]
            # What one rule says of one change after the other is said once.
            if (said := "\n".join(remarks)) != before:
                for remark in remarks:
                    yield from self.wrapped(remark, below, indent=len(below) + 2)
            before = said
        if tell is _name_alone:
            places = dict.fromkeys(each.with_where for each in rows if each.where)
            for place in places:
                yield from self.wrapped(place, "  ", indent=4)


def answer(run: Run, decision: Decision) -> str:
    """The first line: may it be applied, and if not, what is in the way."""
    match decision:
        case Nothing():
            return f"{run.environment}: nothing to apply. {decision.why}"
        case _ if run.purpose is Purpose.REVIEW:
            return f"{run.environment}: {_would(decision)}"
        case Apply():
            said = "approved" if decision.approvals else "allowed"
            return f"{run.environment}: {said}"
        case Hold():
            end = over(decision.closed) if decision.standing.enough else None
            return f"{run.environment}: held" + (f" until {moment(end)}" if end else "")
        case Refuse():
            return f"{run.environment}: refused"
        case _ as never:
            assert_never(never)


def _would(decision: Apply | Hold | Refuse) -> str:
    """Of a plan that nobody is to apply now."""
    match decision:
        case Apply():
            return f"would be applied; it is {'approved' if decision.approvals else 'allowed'}"
        case Hold():
            return "would be held"
        case Refuse():
            return "would be refused"
        case _ as never:
            assert_never(never)


def next_steps(run: Run, decision: Decision) -> list[str]:
    """What to do now, as commands that can be pasted."""
    if run.purpose is Purpose.REVIEW:
        # Of one environment there may be several reviews; a yes is for one of them.
        held = isinstance(decision, Hold) and not decision.standing.enough
        return [command("approve", run.id, reason=True)] if held else _instead(decision)
    match decision:
        case Nothing():
            # Drift that apply leaves comes back at every check.
            return [command("accept", run.environment, reason=True)] if run.drifted else []
        case Apply():
            return [command("apply", run.environment)]
        case Hold():
            if decision.standing.enough:
                return when_it_is_time(run.environment, decision.closed)
            return [command("approve", run.environment, reason=True)]
        case Refuse():
            return _instead(decision)
        case _ as never:
            assert_never(never)


def _instead(decision: Decision) -> list[str]:
    return show.clean_lines(decision.todo) if isinstance(decision, Refuse) else []


def command(verb: str, *words: str, reason: bool = False) -> str:
    """``driftctl-py approve prod --reason "…"``, to be pasted."""
    # The ellipsis is to be replaced: the shell takes it for a word, and `reason_of` for no reason.
    said = ' --reason "…"' if reason else ""
    return " ".join(["driftctl-py", verb, *map(shlex.quote, words)]) + said


def when_it_is_time(environment: str, closed: Sequence[Closed]) -> list[str]:
    """What brings a plan on that waits for nobody's yes."""
    if not closed:
        return [command("apply", environment)]
    if (end := over(closed)) is not None:
        # Not behind the command, as a comment: zsh would hand it on as words.
        return [f"from {moment(end)}: {command('apply', environment)}"]
    return [command("thaw", reason=True)] if any(each.by_command for each in closed) else []


def purpose_words(run: Run) -> str:
    """What a run is for, where it is not simply what Git says."""
    commit = run.commit[:7]
    match run.purpose:
        case Purpose.RECONCILE:
            return ""
        case Purpose.HEAL:
            return (
                f"It puts drift back at {commit}, the commit that was applied last; "
                "a newer one waits."
            )
        case Purpose.ACCEPT:
            return "It records in the state what is really there, and changes no object."
        case Purpose.ROLLBACK:
            return f"It goes back to {commit} and stays there until it is released."
        case Purpose.REVIEW:
            return "It was only looked at: nothing is kept that could be applied."
        case _ as never:
            assert_never(never)


def needs(requirement: Requirement, standing: Standing, run: Run, people: People) -> str:
    """``needs 1 of: dba (ada, grace); not the author of 77b0de4 (linus); …``."""
    wanted, lacking, short = requirement.groups, standing.lacking, standing.short
    if not wanted and standing.missing == len(lacking) == 1:
        wanted, lacking = lacking, ()
    elif not wanted and [each.count for each in short] == [standing.missing]:
        # One rule asks for all that are missing.
        wanted, short = short[0].groups, ()
    who = ", ".join(_group(each, people) for each in wanted) or "any group"
    more = f"{standing.missing} more" if standing.given else f"{standing.missing}"
    found = [f"needs {more} of: {who}"]
    lacking = () if lacking == wanted[:1] == wanted else lacking
    short = tuple(each for each in short if each.groups != wanted)
    if among := [*_among(lacking, short, people)]:
        found.append(f"among them {', and '.join(among)}")
    if not requirement.author_may and run.authors:
        names = sorted({people.name_of(each) or each for each in run.authors})
        authors = "author" if len(names) == 1 else "authors"
        of = f" of {run.commit[:7]}" if run.commit else ""
        found.append(f"not the {authors}{of} ({_some(names)})")
    return "; ".join([*found, f"a yes is good for {_lasts(requirement.expires_seconds)}"])


def _among(lacking: Sequence[str], short: Sequence[Ask], people: People) -> Iterator[str]:
    """``one of net (linus)``, ``2 of dba (ada, grace)``."""
    for group in lacking:
        # Who is short of two of a group need not be told that one of it is lacking.
        if not any(each.groups == (group,) for each in short):
            yield f"one of {_group(group, people)}"
    for each in short:
        of = " or ".join(_group(group, people) for group in each.groups) or "any group"
        yield f"{each.count} of {of}"


def person(by: Identity, people: People) -> str:
    """``ada (github:ada)``; ``ken (os:ken, unverified)``; a stranger by his identity alone."""
    name = people.name_of(by.text)
    unverified = "" if by.verified else "unverified"
    if name is None:
        return by.text + (f" ({unverified})" if unverified else "")
    return f"{name} ({', '.join(filter(None, (by.text, unverified)))})"


def destroys(judged: Judged) -> bool:
    """Is something gone afterwards that was there before?"""
    return judged.what in _DESTROYS


def never_cut(judged: Judged) -> bool:
    """Must it be read, and all of it, however much else there is?"""
    return judged.level is not Level.ALLOW or destroys(judged)


def rule_words(ruling: Ruling) -> str:
    """``stateful-needs-owner (driftctl.yaml:48)``."""
    return ruling.rule + (f" ({ruling.where})" if ruling.where else "")


def deciding(judged: Judged) -> list[Ruling]:
    """Those that made it what it is: the worst, of which there may be several."""
    return [each for each in judged.rulings if each.level is judged.level]


def besides(rulings: Sequence[Ruling], level: Level) -> list[Ruling]:
    """What less strict ones have to say: whoever says yes has to know what was warned of."""
    less = [each for each in rulings if Level.ALLOW < each.level < level]
    return [each for each in less if each.level is Level.WARN or each.message]


def address_of(judged: Judged) -> str:
    return judged.address + (f" (deposed object {judged.deposed})" if judged.deposed else "")


@dataclass(frozen=True, slots=True)
class _Row:
    """One line, without what a terminal would obey. ``whole``: nothing of it may be left out."""

    cause: str
    address: str
    what: str
    level: Level
    rule: str
    where: str
    remarks: tuple[str, ...]
    whole: bool

    @property
    def with_where(self) -> str:
        return f"{self.rule} ({self.where})" if self.where else self.rule

    @property
    def word(self) -> str:
        return self.level.name.lower()


def _with_where(row: _Row) -> str:
    return row.with_where


def _name_alone(row: _Row) -> str:
    return row.rule


def _below(_row: _Row) -> str:
    return ""


def _row(judged: Judged) -> _Row:
    rulings = deciding(judged)
    return _Row(
        judged.cause.value,
        show.clean(address_of(judged)),
        show.cut_middle(show.clean(judged.what), _WHAT_AT_MOST),
        judged.level,
        show.clean(rulings[0].rule) if rulings else "no rule",
        show.clean(rulings[0].where) if rulings else "",
        _remarks(rulings, besides(judged.rulings, judged.level)),
        never_cut(judged),
    )


def _row_of_plan(judgement: Judgement) -> Iterator[_Row]:
    """What was said of the plan as a whole, as one more line."""
    level = max((each.level for each in judgement.of_plan), default=Level.ALLOW)
    rulings = [each for each in judgement.of_plan if each.level is level]
    if rulings:
        rule, where = show.clean(rulings[0].rule), show.clean(rulings[0].where)
        remarks = _remarks(rulings, besides(judgement.of_plan, level))
        yield _Row("", WHOLE_PLAN, "", level, rule, where, remarks, whole=True)


def _remarks(rulings: Sequence[Ruling], others: Sequence[Ruling]) -> tuple[str, ...]:
    """What is said beside the first rule's name, those that came to the same, and ``others``."""
    same = [
        ": ".join(filter(None, (rule_words(each) if position else "", each.message)))
        for position, each in enumerate(rulings)
        if position or each.message
    ]
    less = [
        ": ".join(filter(None, (f"{each.level.name.lower()} by {rule_words(each)}", each.message)))
        for each in sorted(others, key=lambda each: -each.level)
    ]
    return (*same, *less)


def _in_pieces(row: _Row, room: int) -> list[str]:
    """An address that must be read whole goes on below; of another the middle is left out."""
    if not row.whole:
        return [show.cut_middle(row.address, room)]
    return pieces(row.address, room)


def _lasts(seconds: int) -> str:
    """``24 h`` rather than ``1 d``: that is how people count the hours of a yes."""
    if 3600 <= seconds < 2 * 86_400:
        return f"{seconds // 3600} h"
    return wording.age(timedelta(seconds=seconds))


def _group(name: str, people: People) -> str:
    members = sorted(people.groups.get(name, ()))
    return f"{name} ({_some(members)})" if members else f"{name} (nobody is in it)"


def _some(names: Sequence[str]) -> str:
    if len(names) <= _NAMED_AT_MOST:
        return ", ".join(names)
    shown = ", ".join(names[: _NAMED_AT_MOST - 1])
    return f"{shown} and {len(names) - _NAMED_AT_MOST + 1} more"


def _padded(text: str, width: int) -> str:
    return text + " " * (width - show.columns(text))
