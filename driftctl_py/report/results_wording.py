"""What results come to, in words: the headline over all of them, a cell, a clause about one.

The same for the comment on a pull request, a job's summary, check runs and issues. Plain text only,
and of the headline even that: no word in it is anybody's but ours. How it is quoted is for the
faces; which lines there are about an object was settled when the result was made.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import assert_never

from driftctl_py.core.check import VERDICTS, Verdict
from driftctl_py.core.decision import Cause
from driftctl_py.core.plan import Kind
from driftctl_py.core.result import Item, Occasion, Result, Results, Standing
from driftctl_py.core.run import State
from driftctl_py.report import wording

FULL_REPORT = "full report"


# As `markup` begins to tell of one: ``! ~ output.address``.
_OUTPUT = re.compile(r"[-+!] (?:\S{1,3} )?output\.")


class Rank(IntEnum):
    """How much a reader has to know of it: the lower, the more."""

    DESTROYS = 0
    """Or does what this version does not know, which may destroy too."""
    FAILED = 1
    UNKNOWN = 2
    REFUSED = 3
    DRIFTED_AND_PENDING = 4
    DRIFTED = 5
    PENDING = 6
    IN_SYNC = 7


_RANKS = {
    Verdict.FAILED: Rank.FAILED,
    Verdict.UNKNOWN: Rank.UNKNOWN,
    Verdict.DRIFTED_AND_PENDING: Rank.DRIFTED_AND_PENDING,
    Verdict.DRIFTED: Rank.DRIFTED,
    Verdict.PENDING: Rank.PENDING,
    Verdict.IN_SYNC: Rank.IN_SYNC,
}
_RANKS_OF_STATES = {
    State.FAILED.value: Rank.FAILED,
    State.PARTLY_APPLIED.value: Rank.FAILED,
    State.UNKNOWN.value: Rank.UNKNOWN,
    State.REFUSED.value: Rank.REFUSED,
    State.APPLIED.value: Rank.PENDING,
    State.UNVERIFIED.value: Rank.UNKNOWN,
    State.IN_SYNC.value: Rank.IN_SYNC,
}
_ICONS = {
    Rank.DESTROYS: "🔴",
    Rank.FAILED: "❌",
    Rank.UNKNOWN: "❔",
    Rank.REFUSED: "⛔",
    Rank.DRIFTED_AND_PENDING: "🟣",
    Rank.DRIFTED: "🟣",
    Rank.PENDING: "🟡",
    Rank.IN_SYNC: "🟢",
}
_NO_OP = Kind.NO_OP.value
_APPLIED = {State.APPLIED.value, State.UNVERIFIED.value, State.NOT_CONVERGED.value}
_DONE_OR_NOTHING = {State.APPLIED.value, State.IN_SYNC.value}
_WAITS = {State.ALLOWED.value, State.HELD.value, State.NOT_CONVERGED.value}
_GRAVE = {State.REFUSED.value: "⛔", State.UNKNOWN.value: "❔", State.UNVERIFIED.value: "❔"}
# What went wrong first, as they are counted.
_ORDER_OF_STATES = [
    state.value
    for state in (
        State.FAILED,
        State.PARTLY_APPLIED,
        State.UNKNOWN,
        State.REFUSED,
        State.NOT_CONVERGED,
        State.UNVERIFIED,
        State.HELD,
    )
]


@dataclass(frozen=True, slots=True)
class Effects:
    """What apply would do, or did, in objects. Those of ``replaced`` are among those of
    ``destroyed``."""

    destroyed: int = 0
    replaced: int = 0
    unknown: int = 0
    changed: int = 0
    added: int = 0
    moved: int = 0
    imported: int = 0
    forgotten: int = 0
    kept: int = 0
    """Forgotten and made anew: the old one stays."""

    def __bool__(self) -> bool:
        return any(self.all)

    def __add__(self, other: Effects) -> Effects:
        return Effects(*(one + two for one, two in zip(self.all, other.all, strict=True)))

    @property
    def all(self) -> tuple[int, ...]:
        return (
            self.destroyed,
            self.replaced,
            self.unknown,
            self.changed,
            self.added,
            self.moved,
            self.imported,
            self.forgotten,
            self.kept,
        )


def effects(result: Result) -> Effects:
    """Those of one environment. Of what the plan's totals and its objects say, the worse."""
    kinds = Counter(item.action for item in result.items)
    totals = result.totals
    imported = totals.import_ if totals else 0
    unmoved = 0
    if kinds[_NO_OP]:
        unmoved = sum(item.action == _NO_OP and not item.drifted for item in result.items)
    return Effects(
        destroyed=max(result.destroys, totals.destroy if totals else 0),
        replaced=kinds[Kind.REPLACE.value] + kinds[Kind.REPLACE_CREATE_FIRST.value],
        unknown=kinds[Kind.UNKNOWN.value],
        changed=kinds[Kind.UPDATE.value],
        added=kinds[Kind.CREATE.value],
        # What is imported and not changed is told like what is moved.
        moved=max(0, unmoved - imported),
        imported=imported,
        forgotten=kinds[Kind.FORGET.value],
        kept=kinds[Kind.FORGET_THEN_CREATE.value] + kinds[Kind.CREATE_THEN_FORGET.value],
    )


def rank(result: Result) -> Rank:
    """Of what was applied it matters how that ended, before that what would be lost."""
    if result.occasion is Occasion.APPLY and result.state in _RANKS_OF_STATES:
        return _RANKS_OF_STATES[result.state]
    known = effects(result)
    if result.verdict is Verdict.FAILED and not known:
        return Rank.FAILED
    if known.destroyed or known.unknown:
        return Rank.DESTROYS
    of_verdict = _RANKS[result.verdict]
    if result.gate is not None and result.gate.standing is Standing.REFUSED:
        return min(of_verdict, Rank.REFUSED)
    return of_verdict


def icon(result: Result) -> str:
    """One sign; after an apply for how that ended, before it for what it would do."""
    if result.occasion is Occasion.APPLY and result.state:
        if result.state in _DONE_OR_NOTHING:
            return "🟢"
        return "🟡" if result.state in _WAITS else _grave(result)
    return _ICONS[rank(result)]


def _grave(result: Result) -> str:
    return _GRAVE.get(result.state, "❌")


def icon_of_all(results: Results) -> str:
    """The sign of the worst of them."""
    icons = {icon(each) for each in results.results}
    if results.missing or results.unreadable:
        icons.add("❌")
    return next((each for each in ("🔴", "❌", "❔", "⛔", "🟣", "🟡") if each in icons), "🟢")


NO_ENVIRONMENT = "No environment is concerned"


def changes_nothing(results: Results) -> bool:
    """Is there no more to say than that?"""
    return (
        bool(results.results)
        and not (results.missing or results.unreadable)
        and all(_is_quiet(each) for each in results.results)
    )


def _is_quiet(result: Result) -> bool:
    said = result.items or result.outputs or result.warnings or result.diagnostics or result.reason
    refused = result.gate is not None and result.gate.standing in (Standing.HELD, Standing.REFUSED)
    done = result.occasion is Occasion.APPLY and result.state not in ("", State.IN_SYNC.value)
    return result.verdict is Verdict.IN_SYNC and not (said or refused or done)


def occasion_of(results: Results) -> Occasion:
    """What all of it is for. Where nobody lived to say, a pull request is the case that has to be
    guarded."""
    found = {each.occasion for each in results.results}
    of = (Occasion.APPLY, Occasion.REVIEW, Occasion.CHECK)
    return next((each for each in of if each in found), Occasion.REVIEW)


def concerns_nothing(results: Results) -> bool:
    """Is there nothing at all, as it should be?"""
    return not (results.results or results.missing or results.unreadable)


def headline(results: Results) -> str:
    """The first line: what would happen if one went on, or what happened; the worst first."""
    if concerns_nothing(results):
        return NO_ENVIRONMENT
    match occasion_of(results):
        case Occasion.CHECK:
            return _checked(results)
        case Occasion.APPLY:
            return _applied(results)
        case Occasion.REVIEW:
            return _merging(results)
        case _ as never:
            assert_never(never)


def _merging(results: Results) -> str:
    every = len(results.results) + len(results.missing)
    known = [effects(each) for each in results.results]
    doing = sum(map(bool, known))
    lost = [each for each in results.results if each.verdict in (Verdict.FAILED, Verdict.UNKNOWN)]
    pending = [each for each in results.results if each.verdict in _PENDING]
    if doing:
        words = f"Merging {joined(does(sum(known, Effects())))} in {_of(doing, every)}"
    elif pending:
        lines = [line for each in pending for line in each.outputs]
        words = f"Merging changes {beside(lines)} alone in {_of(len(pending), every)}"
    elif lost or results.missing or results.unreadable:
        words = "What merging would do is not known"
        if len(lost) + len(results.missing) < every:
            words += f"; {_count(every - len(lost) - len(results.missing), 'environment')} in sync"
    else:
        words = "Merging changes nothing"
    return "; ".join([words, *_besides(results)])


_PENDING = (Verdict.PENDING, Verdict.DRIFTED_AND_PENDING)


def _besides(results: Results) -> Iterator[str]:
    verdicts = Counter(each.verdict for each in results.results)
    failed = verdicts[Verdict.FAILED] + len(results.missing)
    if failed:
        yield f"{_count(failed, 'environment')} failed"
    if verdicts[Verdict.UNKNOWN]:
        yield f"{_count(verdicts[Verdict.UNKNOWN], 'environment')} unknown"
    refused = sum(
        each.gate is not None and each.gate.standing is Standing.REFUSED for each in results.results
    )
    if refused:
        yield f"{_count(refused, 'environment')} refused"
    drifted = sum(each.drifted or 0 for each in results.results)
    if drifted:
        yield f"{_count(drifted, 'object')} drifted"
    if results.unreadable:
        yield f"{_count(len(results.unreadable), 'result')} unreadable"


def _checked(results: Results) -> str:
    counts = Counter(each.verdict for each in results.results)
    counts[Verdict.FAILED] += len(results.missing)
    words = ", ".join(f"{counts[each]} {each.value}" for each in VERDICTS if counts[each])
    if results.unreadable:
        words += f"; {_count(len(results.unreadable), 'result')} unreadable"
    return f"{_count(len(results.results) + len(results.missing), 'environment')}: {words}"


def _applied(results: Results) -> str:
    every = len(results.results) + len(results.missing)
    states = Counter(each.state or each.verdict.value for each in results.results)
    states[State.FAILED.value] += len(results.missing)
    done = [each for each in results.results if each.state in _APPLIED]
    in_sync = states[State.IN_SYNC.value]
    if done:
        words = f"Applied {_of(len(done), every)}"
        did = counted(sum(map(effects, done), Effects()))
        words += f": {did}" if did else ""
    else:
        words = "Nothing to apply" if in_sync == every else "Nothing was applied"
    others = [state for state in _ORDER_OF_STATES if states[state]]
    others += sorted(
        state
        for state in states
        if states[state] and state not in (*others, State.APPLIED.value, State.IN_SYNC.value)
    )
    beside = [f"{states[state]} {state}" for state in others]
    if in_sync and in_sync < every:
        beside.append(f"{in_sync} in sync")
    if results.unreadable:
        beside.append(f"{_count(len(results.unreadable), 'result')} unreadable")
    return "; ".join(filter(None, (words, ", ".join(beside))))


def does(known: Effects) -> list[str]:
    """``destroys 3 (2 to replace them)``, ``changes 2``: the worst first."""
    found = []
    for count, verb, _ in _verbs(known):
        words = f"{verb} {count}"
        if verb == "destroys" and known.replaced:
            some = "" if known.replaced == count else f"{known.replaced} "
            words += f" ({some}to replace {'it' if known.replaced == 1 else 'them'})"
        found.append(words)
    return found


def _verbs(known: Effects) -> list[tuple[int, str, str]]:
    found = (
        (known.destroyed, "destroys", "destroyed"),
        (known.unknown, "does what this version does not know to", "not known to this version"),
        (known.changed, "changes", "changed"),
        (known.added, "adds", "added"),
        (known.moved, "moves", "moved"),
        (known.imported, "imports", "imported"),
        (known.forgotten, "forgets", "forgotten"),
        (known.kept, "forgets and makes anew", "forgotten and made anew"),
    )
    return [each for each in found if each[0]]


def counted(known: Effects) -> str:
    """``1 destroyed, 1 replaced, 2 changed``, as it stands over one environment."""
    words = []
    for count, _, past in _verbs(known):
        if past != "destroyed":
            words.append(f"{count} {past}")
            continue
        if count > known.replaced:
            words.append(f"{count - known.replaced} destroyed")
        if known.replaced:
            words.append(f"{known.replaced} replaced")
    return ", ".join(words)


def not_ours(item: Item) -> bool:
    """Has this change nothing to do with the code?"""
    return item.cause == Cause.DRIFT.value


def about(result: Result) -> str:
    """The clause behind an environment's name."""
    state = result.state if result.occasion is Occasion.APPLY else ""
    if result.verdict in (Verdict.FAILED, Verdict.UNKNOWN):
        return ": ".join(filter(None, (state or result.verdict.value, result.reason)))
    refused = result.gate is not None and result.gate.standing is Standing.REFUSED
    outside = sum(not_ours(item) for item in result.items)
    lead = state or ("refused" if refused else "")
    if outside and outside == len(result.items):
        source = "not from this pull request: " if result.occasion is Occasion.REVIEW else ""
        words = f"{source}{changed_outside(outside)}"
    else:
        words = counted(effects(result))
        words = words or ("in sync" if result.verdict is Verdict.IN_SYNC else "")
        if not words:
            words = f"{beside(result.outputs)} alone" if result.outputs else result.verdict.value
        if outside:
            words += f"; {outside} of them changed outside Git"
    return ": ".join(filter(None, (lead, words)))


def beside(lines: Sequence[str]) -> str:
    """What changes and is no object: ``outputs``, ``actions`` or both, from the lines that tell of
    them."""
    actions = any(wording.RUNS in line for line in lines)
    outputs = any(_OUTPUT.match(line) for line in lines)
    if not actions and not outputs:
        return "what is no object"
    return joined(["outputs"] * outputs + ["actions"] * actions)


def changed_outside(count: int) -> str:
    """``2 objects were changed outside Git``."""
    return f"{_count(count, 'object')} {'was' if count == 1 else 'were'} changed outside Git"


def outcome(result: Result) -> str:
    """What the last column of a table says: what the gate does, or how it ended."""
    verdict = result.verdict.value
    if result.occasion is Occasion.APPLY and result.state:
        if result.state != State.HELD.value:
            return result.state
    elif result.occasion is Occasion.CHECK or result.verdict in (Verdict.FAILED, Verdict.UNKNOWN):
        return verdict
    if result.gate is None:
        return verdict
    standing, said = result.gate.standing, result.gate.standing.value
    if standing is Standing.NOTHING:
        return verdict
    if standing is Standing.HELD and result.gate.needs:
        # What else there is to it (who may not, for how long) has no room in a cell.
        return asked(result.gate.needs).partition(";")[0]
    return said


def asked(needs: str) -> str:
    """``needs 1 of: dba``, whether or not it says so itself."""
    return needs if needs.startswith("needs ") else f"needs {needs}"


COLUMNS = ("Environment", "Add", "Change", "Destroy", "Drift")
LAST_COLUMN = {Occasion.REVIEW: "Gate", Occasion.CHECK: "Status", Occasion.APPLY: "Outcome"}
DIED = "failed: its job left no result"


def numbers(result: Result) -> tuple[str, ...]:
    """Add, change, destroy, drift; what is not known is not 0."""
    totals = result.totals
    counts = (totals.add, totals.change, totals.destroy) if totals else (None,) * 3
    return tuple("?" if n is None else str(n) if n else "–" for n in (*counts, result.drifted))


def _of(some: int, every: int) -> str:
    return _count(every, "environment") if some == every else f"{some} of {every} environments"


def joined(words: Sequence[str]) -> str:
    """``one, two and three``."""
    return " and ".join(filter(None, (", ".join(words[:-1]), words[-1])))


def _count(number: int, what: str) -> str:
    return f"{number} {what}" + ("" if number == 1 else "s")
