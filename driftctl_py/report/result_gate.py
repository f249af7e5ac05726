"""What the gate says of a plan, in lines that outlive the judgement: for a result.

A line for each rule that spoke, the gravest first, and within that the switches last: they say the
same of every plan. The objects that it is about are named as far as a line has room for them.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import assert_never

from driftctl_py.core.approval import People, moment
from driftctl_py.core.decision import (
    Apply,
    Decision,
    Hold,
    Judgement,
    Level,
    Nothing,
    Refuse,
    denials,
)
from driftctl_py.core.result import Gated, Standing
from driftctl_py.core.run import Run
from driftctl_py.report.decision import (
    WHOLE_PLAN,
    address_of,
    destroys,
    needs,
    next_steps,
    person,
    rule_words,
)
from driftctl_py.report.show import clean

_NAMED_AT_MOST = 6
# As decision spells a switch: it is no rule that somebody wrote, and has no file and line.
_SWITCHES = ("apply.git: ", "apply.drift: ")


def gated(run: Run, decision: Decision, people: People) -> Gated:
    """The decision about the run's plan, in words."""
    standing, lines, wanted = _said(run, decision, people)
    todo = "\n".join(map(clean, next_steps(run, decision)))
    return Gated(standing, tuple(map(clean, lines)), clean(wanted), todo)


def _said(run: Run, decision: Decision, people: People) -> tuple[Standing, list[str], str]:
    match decision:
        case Nothing():
            return Standing.NOTHING, [decision.why], ""
        case Apply():
            approved = [
                f"approved by {person(each.by, people)} at {moment(each.at)}: {each.reason}"
                for each in decision.approvals
            ]
            return Standing.ALLOWED, [*approved, *_lines(decision.judgement)], ""
        case Hold():
            closed = [each.why for each in decision.closed]
            missing = decision.standing.missing
            who = needs(decision.requirement, decision.standing, run, people) if missing else ""
            return Standing.HELD, [*_lines(decision.judgement), *closed], who.removeprefix("needs ")
        case Refuse():
            judgement = decision.judgement or Judgement()
            # What was denied stands in the lines, object by object.
            denied = {why for why, _ in denials(judgement)}
            others = [why for why in decision.reasons if why not in denied]
            return Standing.REFUSED, [*others, *_lines(judgement)], ""
        case _ as never:
            assert_never(never)


def _lines(judgement: Judgement) -> Iterator[str]:
    about: dict[tuple[Level, bool, str, str], list[str]] = {}
    for ruling in judgement.of_plan:
        key = (ruling.level, False, rule_words(ruling), ruling.message)
        about.setdefault(key, []).append(WHOLE_PLAN)
    for each in sorted(judgement.changes, key=lambda each: not destroys(each)):
        for ruling in each.rulings:
            is_switch = ruling.rule.startswith(_SWITCHES) and not ruling.where
            key = (ruling.level, is_switch, rule_words(ruling), ruling.message)
            about.setdefault(key, []).append(f"{address_of(each)} ({each.what})")
    for key in sorted(about, key=lambda key: (-key[0], key[1])):
        level, _, rule, message = key
        if level is not Level.ALLOW:
            said = f" {message}" if message else ""
            yield f"{level.name.lower()} by {rule}: {_some(about[key])}.{said}"


def _some(names: list[str]) -> str:
    more = len(names) - _NAMED_AT_MOST
    return ", ".join(names[:_NAMED_AT_MOST]) + (f" and {more} more" if more > 0 else "")
