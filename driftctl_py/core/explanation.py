"""Why each rule matches a change, or does not: condition by condition, with what it asks for and
what there is.

It asks the very conditions by which `rules` decides, so the two cannot disagree.

Not here: how it is worded (`report/policy_text.py`), and what is decided (`decision`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum

from driftctl_py.core.assessment import Finding
from driftctl_py.core.decision import Decision, Judgement, Ruling, Rulings
from driftctl_py.core.environment import Environment
from driftctl_py.core.plan import Plan
from driftctl_py.core.rule import Effect, Rule
from driftctl_py.core.rules import (
    Answer,
    Subject,
    answers,
    many_enough,
    subjects,
    suffices,
    values_found,
)

KIND = "kind"
"""Stands for a condition where no rule that allows may speak: what is done is not known."""


@dataclass(frozen=True, slots=True)
class Reason:
    """One condition of a rule, and one change. ``found`` is what there is of what is ``asked`` for:
    nothing where the change has none, None where that cannot be told."""

    condition: str
    answer: Answer
    asked: tuple[str, ...]
    found: tuple[str, ...] | None


@dataclass(frozen=True, slots=True)
class ChangeExplained:
    """What one rule makes of one change. ``reasons`` holds every condition of the rule."""

    subject: Subject
    effect: Effect
    reasons: tuple[Reason, ...]

    @property
    def key(self) -> tuple[str, str]:
        """Address and deposed key."""
        return self.subject.key

    @property
    def matched(self) -> bool:
        return not self.against

    @property
    def against(self) -> tuple[Reason, ...]:
        """The conditions that do not hold."""
        return tuple(each for each in self.reasons if not suffices(self.effect, each.answer))

    @property
    def doubts(self) -> tuple[Reason, ...]:
        """Those that hold only since nobody can tell that they do not."""
        return tuple(
            each
            for each in self.reasons
            if each.answer is Answer.UNKNOWN and suffices(self.effect, each.answer)
        )


@dataclass(frozen=True, slots=True)
class RuleExplained:
    """What one rule makes of a plan. ``counts`` are its conditions about how many changes match."""

    rule: Rule
    changes: tuple[ChangeExplained, ...]
    counts: tuple[Reason, ...] = ()

    @property
    def fitting(self) -> tuple[ChangeExplained, ...]:
        """The changes that match, were there as many as it asks for."""
        return tuple(each for each in self.changes if each.matched)

    @property
    def many_enough(self) -> bool:
        return all(each.answer is Answer.YES for each in self.counts)

    @property
    def speaks(self) -> bool:
        """Does it say anything of this plan?"""
        return self.many_enough and bool(self.fitting)


class Asked(Enum):
    """Whether something that the gate has beside rules was asked."""

    NOW = "asked"
    THEN = "asked when the run was judged"
    NOT = "not asked"
    NONE = "none"
    """There is nothing of the kind to ask."""


@dataclass(frozen=True, slots=True)
class Explanation:
    """All that there is to say about a plan's way through the gate of an environment.

    ``silent`` are rules that speak of other environments only. ``judgement`` is what rules and
    switches come to, with what is ``carried`` of the one that a run recorded (``then``).
    ``beside`` says of policies, windows and limits whether they were asked.
    """

    name: str
    environment: Environment
    rules: tuple[RuleExplained, ...]
    silent: tuple[Rule, ...]
    judgement: Judgement
    decision: Decision
    at: datetime
    beside: Mapping[str, Asked]
    then: Judgement | None = None
    carried: Rulings = field(default_factory=Rulings)


def explain(
    rules: Sequence[Rule],
    plan: Plan,
    findings: Iterable[Finding],
    judgement: Judgement,
    managed: int,
) -> tuple[RuleExplained, ...]:
    """Each rule in its order; the arguments are those of `rules.rulings_of`."""
    changes = subjects(plan, findings, judgement)
    return tuple(_rule(each, changes, managed) for each in rules)


def _rule(rule: Rule, changes: Sequence[Subject], managed: int) -> RuleExplained:
    explained = tuple(explain_change(rule, each) for each in changes)
    matched = sum(each.matched for each in explained)
    return RuleExplained(rule, explained, tuple(_counts(rule, matched, managed)))


def explain_change(rule: Rule, subject: Subject) -> ChangeExplained:
    """What the rule makes of this change, whatever others there are."""
    reasons = [
        Reason(name, answer, ASKED[name](rule), FOUND[name](rule, subject))
        for name, answer in answers(rule, subject)
    ]
    if rule.effect is Effect.ALLOW and not subject.is_known:
        reasons.append(Reason(KIND, Answer.NO, (), None))
    return ChangeExplained(subject, rule.effect, tuple(reasons))


def _counts(rule: Rule, matched: int, managed: int) -> Iterator[Reason]:
    asked: dict[str, tuple[int | None, Rule]] = {
        "at_least": (rule.at_least, Rule("", rule.effect, at_least=rule.at_least)),
        "at_most": (rule.at_most, Rule("", rule.effect, at_most=rule.at_most)),
        "share": (rule.share, Rule("", rule.effect, share=rule.share)),
    }
    for name, (number, alone) in asked.items():
        if number is None:
            continue
        holds = Answer.YES if many_enough(alone, matched, managed) else Answer.NO
        found = (str(matched), str(managed)) if name == "share" else (str(matched),)
        yield Reason(name, holds, (str(number),), found)


def spoken(ruling: Ruling) -> str:
    """A ruling's rule with its place: ``heal-tags (driftctl.yaml:41)``."""
    return f"{ruling.rule} ({ruling.where})" if ruling.where else ruling.rule


def _flag(value: bool | None) -> tuple[str, ...]:
    return (str(bool(value)).lower(),)


ASKED: Mapping[str, Callable[[Rule], tuple[str, ...]]] = {
    "addresses": lambda rule: rule.addresses,
    "types": lambda rule: rule.types,
    "providers": lambda rule: rule.providers,
    "actions": lambda rule: rule.actions,
    "causes": lambda rule: rule.causes,
    "holds_data": lambda rule: _flag(rule.holds_data),
    "attributes": lambda rule: rule.attributes,
    "values": lambda rule: tuple(
        f"{path}: {' or '.join(globs)}" for path, globs in rule.values.items()
    ),
}
"""What a rule asks for, by condition."""


def _of_object(found: str, subject: Subject) -> tuple[str, ...] | None:
    if found:
        return (found,)
    return None if subject.is_object else ()


def _actions(subject: Subject) -> tuple[str, ...] | None:
    return tuple(sorted(subject.actions)) if subject.is_known else None


def _data(subject: Subject) -> tuple[str, ...] | None:
    if subject.type:
        return _flag(subject.holds_data)
    return None if subject.is_object else ()


def _changed(subject: Subject) -> tuple[str, ...] | None:
    if not subject.is_object:
        return ()
    return subject.changed if subject.is_known else None


FOUND: Mapping[str, Callable[[Rule, Subject], tuple[str, ...] | None]] = {
    "addresses": lambda _, subject: subject.key[:1],
    "types": lambda _, subject: _of_object(subject.type, subject),
    "providers": lambda _, subject: _of_object(subject.provider, subject),
    "actions": lambda _, subject: _actions(subject),
    "causes": lambda _, subject: tuple(sorted(subject.causes)),
    "holds_data": lambda _, subject: _data(subject),
    "attributes": lambda _, subject: _changed(subject),
    "values": values_found,
}
"""What a change has of it."""
