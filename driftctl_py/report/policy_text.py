"""What explain, replay, test and lint found, for a terminal.

Nothing foreign is printed as it came: see ``show``. What is many is counted, never silently left
out; the JSON documents (`policy_document`) hold all of it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import assert_never

from driftctl_py.core.approval import People, moment
from driftctl_py.core.decision import Apply, Decision, Hold, Level, Nothing, Refuse
from driftctl_py.core.explanation import (
    KIND,
    Asked,
    ChangeExplained,
    Explanation,
    Reason,
    RuleExplained,
    spoken,
)
from driftctl_py.core.policy_lint import Lint
from driftctl_py.core.policy_replay import Because, Replay, Replayed
from driftctl_py.core.policy_tests import Outcome, word
from driftctl_py.core.rule import Effect
from driftctl_py.core.rules import LEVELS, Answer
from driftctl_py.report import show
from driftctl_py.report.decision import COLOUR_OF_LEVEL, DecisionLines, command
from driftctl_py.report.terminal import BOLD, GREEN, RED, Terminal

_MATCHED_AT_MOST = 20
_UNMATCHED_AT_MOST = 10
_WORDS_AT_MOST = 8
_ADDRESSES_AT_MOST = 3
# Reasons stand one below the other, but not for the sake of one long address.
_NAME_COLUMN = 40


# --- Why.


def render_explanation_text(found: Explanation, *, width: int = 80, color: bool = False) -> str:
    """All of it, ending in a newline."""
    return show.no_commands("\n".join(_Explaining(width, color, People()).lines(found)) + "\n")


class _Explaining(DecisionLines):
    def lines(self, found: Explanation) -> Iterator[str]:
        environment = found.environment.name
        yield from self.wrapped(
            f"{environment}: {_would(found.decision)}", "", indent=2, style=BOLD
        )
        yield from self.wrapped(f"{found.name}, by the rules of now", "  ", indent=4)
        for reason in _reasons(found.decision):
            yield from self.wrapped(reason, "  ", indent=4)
        if found.silent:
            named = ", ".join(each.name for each in found.silent)
            yield from self.wrapped(f"not asked, since of others: {named}", "  ", indent=4)
        for each in found.rules:
            yield ""
            yield from self._rule(each)
        yield ""
        yield from self._together(found)
        yield ""
        yield from self._beside(found)

    def _rule(self, found: RuleExplained) -> Iterator[str]:
        rule = found.rule
        effect = rule.effect.value
        yield from self.wrapped(
            f"{effect}  {rule.name}{f' ({rule.where})' if rule.where else ''}: {_how_many(found)}",
            "",
            indent=2,
            style=COLOUR_OF_LEVEL[LEVELS[rule.effect]] if found.speaks else "",
        )
        for reason in found.counts:
            mark = "   " if reason.answer is Answer.YES else "no "
            yield from self.wrapped(count_words(reason), f"  {mark} ", indent=8)
        matched = [each for each in found.changes if each.matched]
        others = [each for each in found.changes if not each.matched]
        yield from self._changes(matched, "yes", _MATCHED_AT_MOST)
        yield from self._changes(others, "no", _UNMATCHED_AT_MOST)

    def _changes(
        self, changes: Sequence[ChangeExplained], mark: str, at_most: int
    ) -> Iterator[str]:
        names = [_name(each) for each in changes[:at_most]]
        column = min(max(map(show.columns, names), default=0), _NAME_COLUMN)
        for each, name in zip(changes, names, strict=False):
            yield from self._change(each, mark, name, column)
        more = len(changes) - at_most
        if more > 0:
            do = "match" if mark == "yes" else "do not match"
            yield f"  … {more} more {do}; --format json lists all"

    def _change(self, each: ChangeExplained, mark: str, name: str, column: int) -> Iterator[str]:
        said = [reason_words(reason, each) for reason in (*each.against, *each.doubts)]
        one = f"  {mark:<3} {name}"
        padding = " " * (column - show.columns(name))
        if len(said) == 1 and show.columns(f"{one}{padding}  {said[0]}") <= self.width:
            yield f"{one}{padding}  {show.clean(said[0])}"
            return
        yield one
        for words in said:
            yield from self.wrapped(words, "        ", indent=10)

    def _together(self, found: Explanation) -> Iterator[str]:
        switches = found.environment.apply
        yield from self.wrapped(
            f"together, with apply.git: {switches.git.value} and apply.drift: "
            f"{switches.drift.value}",
            "",
            indent=2,
        )
        if not found.judgement.changes:
            yield "  nothing would be changed"
        yield from self.judgement(found.judgement)
        then, now = found.then, found.judgement
        if then is not None and then.level is not now.level:
            yield from self.wrapped(
                f"When the run was judged, it was {word(then.level)}.", "  ", indent=4
            )

    def _beside(self, found: Explanation) -> Iterator[str]:
        for asked in (Asked.NOW, Asked.THEN, Asked.NOT):
            names = [name for name, how in found.beside.items() if how is asked]
            if not names:
                continue
            at = f" as of {moment(found.at)}" if asked is Asked.NOW else ""
            yield from self.wrapped(f"{asked.value}{at}: {', '.join(names)}", "", indent=2)
        if Asked.NOT in found.beside.values():
            # Those are put to a plan that is made, and to no other.
            yield from self.next([command("plan", found.environment.name)])


def _name(change: ChangeExplained) -> str:
    address, deposed = change.key
    return show.clean(address + (f" (deposed {deposed})" if deposed else ""))


def _would(decision: Decision) -> str:
    match decision:
        case Nothing():
            return f"nothing to apply. {decision.why}"
        case Apply():
            return "would be applied without asking"
        case Hold():
            if decision.judgement.level < Level.APPROVE:
                return "would be held until it is the time"
            return "would be held until people say yes"
        case Refuse():
            return "would be refused"
        case _ as never:
            assert_never(never)


def _reasons(decision: Decision) -> Iterator[str]:
    if isinstance(decision, Refuse):
        yield from decision.reasons
    if isinstance(decision, Hold):
        yield from (each.why for each in decision.closed)


def _how_many(found: RuleExplained) -> str:
    matched, of = len(found.fitting), len(found.changes)
    changes = f"{of} change" + ("" if of == 1 else "s")
    if not matched:
        return f"matches none of {changes}"
    words = f"matches {matched} of {changes}"
    return words if found.many_enough else f"{words}, and says nothing, since of its counts"


def reason_words(reason: Reason, change: ChangeExplained) -> str:
    """Why a condition does not hold, or why nobody can tell, as a clause."""
    name, allows = reason.condition, change.effect is Effect.ALLOW
    if name == KIND:
        return "it is done in a way that this version does not know, which no rule allows"
    if reason.answer is Answer.UNKNOWN:
        so = "so it is not allowed" if allows else "so it counts as met"
        return f"{name}: asks for {_or(reason.asked)}; that cannot be told, {so}"
    asks = f"{name}: {'allows' if allows else 'asks for'} {_or(reason.asked)}"
    if allows and name in ("actions", "causes"):
        asks += " only"
    if name == "attributes":
        asks = f"{name}: allows an update of {_or(reason.asked)} only" if allows else asks
        done = change.subject.actions
        if change.subject.is_object and (not reason.found or (allows and done != {"update"})):
            return f"{asks}; this is {_and(sorted(done))}"
        if reason.found:
            return f"{asks}; this changes {_and(reason.found)}"
    if not reason.found:
        return f"{asks}; this has none"
    return f"{asks}; this is {_and(reason.found)}"


def count_words(reason: Reason) -> str:
    """What a condition about how many match asks for, and how many do."""
    asked, found = reason.asked[0], (reason.found or ("?",))
    match reason.condition:
        case "at_least":
            return f"at_least: asks for {asked} or more that match; there are {found[0]}"
        case "at_most":
            return f"at_most: asks for no more than {asked} that match; there are {found[0]}"
        case _:
            return (
                f"share: asks for {asked} % of all objects; it is {found[0]} of {_and(found[1:])}"
            )


def _or(words: Sequence[str]) -> str:
    return _some(words, "or")


def _and(words: Sequence[str]) -> str:
    return _some(words, "and")


def _some(words: Sequence[str], joint: str) -> str:
    named = [*words[:_WORDS_AT_MOST]]
    if len(words) > _WORDS_AT_MOST:
        named = [*named, f"{len(words) - _WORDS_AT_MOST} more"]
    if len(named) < 2:
        return "".join(named)
    return f"{', '.join(named[:-1])} {joint} {named[-1]}"


# --- What if.


def render_replay_text(found: Replay, *, width: int = 80, color: bool = False) -> str:
    """All that differs, and what could not be told, ending in a newline."""
    return show.no_commands("\n".join(_Replaying(width, color, None).lines(found)) + "\n")


class _Replaying(Terminal):
    def lines(self, found: Replay) -> Iterator[str]:
        yield from self.wrapped(summary(found), "", indent=2, style=BOLD)
        if found.different:
            yield ""
            yield from self._table(found.different)
        for each in found.unreadable:
            yield from self.wrapped(
                f"not decided anew: {each.run} of {each.environment}: {each.unreadable}",
                "",
                indent=2,
            )
        for name, count in sorted(found.gone.items()):
            yield from self.wrapped(
                f"not decided anew: {_count(count, 'plan')} of {name}, which the configuration "
                "does not have",
                "",
                indent=2,
            )
        if found.changes:
            yield from self.wrapped(
                f"{_count(found.changes, 'plan')} more would be decided alike, with another word "
                "for single changes",
                "",
                indent=2,
            )
        if found.plans:
            yield from self.wrapped(
                "Policies, checks and limits were not asked again: what they said then stands.",
                "",
                indent=2,
            )

    def _table(self, replayed: Sequence[Replayed]) -> Iterator[str]:
        environment = max(show.columns(show.clean(each.environment)) for each in replayed)
        run = max(len(each.run) for each in replayed)
        for each in replayed:
            name = show.clean(each.environment)
            name += " " * (environment - show.columns(name))
            colour = "" if each.now is None else RED if each.stricter else GREEN
            change = self.styled(colour, _change_of(each))
            yield f"{show.clean(each.run):<{run}}  {name}  {moment(each.at)}  {change}"
            for because in deciding(each):
                yield from self.wrapped(because_words(because), "    ", indent=6)


def summary(found: Replay) -> str:
    """``Of 312 plans 9 would be decided differently: 7 stricter, 2 weaker.``"""
    if not found.plans:
        return "No stored plan was decided anew."
    since = f" since {moment(found.oldest)}" if found.oldest is not None else ""
    if not found.different:
        as_before = "is decided as it was" if found.plans == 1 else "are decided as they were"
        return f"{_count(found.plans, 'plan')}{since} {as_before}."
    stricter = sum(each.stricter for each in found.different)
    weaker = sum(each.weaker for each in found.different)
    others = len(found.different) - stricter - weaker
    told = [f"{stricter} stricter"] * bool(stricter) + [f"{weaker} weaker"] * bool(weaker)
    told += [f"{others} by asking others"] * bool(others)
    return (
        f"Of {_count(found.plans, 'plan')}{since} {len(found.different)} would be decided "
        f"differently: {', '.join(told)}."
    )


def deciding(replayed: Replayed) -> tuple[Because, ...]:
    """Of what is new and what is gone, that which makes the difference."""
    return tuple(each for each in replayed.because if _decides(each, replayed))


def _decides(because: Because, replayed: Replayed) -> bool:
    level = because.ruling.level
    if replayed.stricter:
        return because.is_new and level is replayed.now
    if replayed.weaker:
        # What allows takes the place of a switch.
        takes = because.is_new and level is Level.ALLOW
        return takes or (not because.is_new and replayed.now is not None and level > replayed.now)
    return level is Level.APPROVE


def because_words(because: Because) -> str:
    """``deny by no-destroys (driftctl.yaml:41): aws_db_instance.main``."""
    verb = "now" if because.is_new else "no longer"
    ruling = because.ruling
    asks = f" of {_and(ruling.groups)}" if ruling.groups else ""
    return (
        f"{verb} {word(ruling.level)}{asks} by {spoken(ruling)}: "
        f"{_addresses(because.addresses) or 'the plan as a whole'}"
    )


def _addresses(addresses: Sequence[str]) -> str:
    more = len(addresses) - _ADDRESSES_AT_MOST
    some = ", ".join(addresses[:_ADDRESSES_AT_MOST])
    return some + (f" and {more} more" if more > 0 else "")


def _change_of(each: Replayed) -> str:
    then, now = (word(level) if level is not None else "?" for level in (each.then, each.now))
    if not each.asks_others:
        return f"{then} → {now}"
    asked = [_and(groups) or "nobody in particular" for groups in (each.asked_then, each.asked_now)]
    return f"{now}, asking {asked[0]} → {asked[1]}"


def _count(number: int, what: str) -> str:
    return f"{number:,} {what}" + ("" if number == 1 else "s")


# --- Is it right.


def render_tests_text(outcomes: Sequence[Outcome], *, width: int = 80, color: bool = False) -> str:
    """A line for each test, and for one that failed why; ending in a newline."""
    return show.no_commands("\n".join(_Testing(width, color, None).lines(outcomes)) + "\n")


class _Testing(Terminal):
    def lines(self, outcomes: Sequence[Outcome]) -> Iterator[str]:
        for each in outcomes:
            yield from self._outcome(each)
        failed = sum(bool(each.failures) for each in outcomes)
        of = _count(len(outcomes), "test")
        words = f"{failed} of {of} failed." if failed else f"{of} passed."
        yield self.styled(BOLD, words)

    def _outcome(self, each: Outcome) -> Iterator[str]:
        sign = self.styled(RED, "failed") if each.failures else self.styled(GREEN, "ok    ")
        yield f"{sign}  {show.clean(each.case.name)}"
        if not each.failures:
            return
        for words in failure_lines(each):
            yield from self.wrapped(words, " " * 8, indent=10)


def failure_lines(outcome: Outcome) -> Iterator[str]:
    """Where it is written, what was expected, what was said, and why the rules did not match."""
    yield outcome.case.where
    yield from outcome.failures
    for each in outcome.judgement.changes:
        said = ", ".join(f"{word(ruling.level)} by {spoken(ruling)}" for ruling in each.rulings)
        yield f"{each.address}: {said}"
    for rule in outcome.rules:
        if rule.speaks or (outcome.case.rule and rule.rule.name != outcome.case.rule):
            continue
        for reason in rule.counts:
            if reason.answer is not Answer.YES:
                yield f"{rule.rule.name}: {count_words(reason)}"
        for change in rule.changes[:_UNMATCHED_AT_MOST]:
            yield from (
                f"{rule.rule.name}: {change.key[0]}: {reason_words(reason, change)}"
                for reason in change.against
            )


# --- Is it sound.


def render_lint_text(
    found: Sequence[Lint], *, rules: int, width: int = 80, color: bool = False
) -> str:
    """What is wrong, each with what to do about it, ending in a newline."""
    return show.no_commands("\n".join(_Linting(width, color, None).lines(found, rules)) + "\n")


class _Linting(Terminal):
    def lines(self, found: Iterable[Lint], rules: int) -> Iterator[str]:
        wrong = notes = 0
        for each in found:
            wrong, notes = wrong + (not each.note), notes + each.note
            place = f"{each.where}: " if each.where else ""
            note = "note: " if each.note else ""
            yield from self.wrapped(f"{place}{note}{each.what}", "", indent=2)
            yield from self.wrapped(each.todo, "  ", indent=4)
        words = f"{_count(wrong, 'finding')} in {_count(rules, 'rule')}"
        words = words if wrong else f"nothing is wrong with {_count(rules, 'rule')}"
        yield self.styled(BOLD, f"{words}, {_count(notes, 'note')}." if notes else f"{words}.")
