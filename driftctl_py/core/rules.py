"""Which rules match which changes of a plan.

Where it cannot be known whether a condition holds, a rule that restricts matches and one that
allows does not. So no gap in what a plan says makes a decision weaker.

Not here: what a rule is (``rule``), how the words of several add up (``decision``).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from enum import Enum
from functools import lru_cache
from typing import TypeAlias

from driftctl_py.core.address import parse_address
from driftctl_py.core.assessment import Finding, Origin
from driftctl_py.core.decision import Judged, Judgement, Level, Ruling, Rulings
from driftctl_py.core.masks import glob, spellings
from driftctl_py.core.plan import Kind, Plan
from driftctl_py.core.risk import stateful
from driftctl_py.core.rule import Effect, Rule

LEVELS = {
    Effect.ALLOW: Level.ALLOW,
    Effect.WARN: Level.WARN,
    Effect.APPROVE: Level.APPROVE,
    Effect.DENY: Level.DENY,
}
_ACTIONS = {
    Kind.CREATE: ("create",),
    Kind.UPDATE: ("update",),
    Kind.DELETE: ("delete",),
    Kind.REPLACE: ("replace",),
    Kind.REPLACE_CREATE_FIRST: ("replace",),
    Kind.FORGET: ("forget",),
    Kind.FORGET_THEN_CREATE: ("forget", "create"),
    Kind.CREATE_THEN_FORGET: ("create", "forget"),
}
# What apply leaves as it is.
_LEFT = frozenset({Origin.DRIFT_TOLERATED, Origin.DRIFT_GONE, Origin.EQUIVALENT})


def rulings_of(
    rules: Sequence[Rule],
    plan: Plan,
    findings: Iterable[Finding],
    judgement: Judgement,
    managed: int,
) -> Rulings:
    """What the rules say of each change. ``judgement`` is the one without them: it says which
    changes there are, and what caused each. ``managed`` counts all objects of the environment."""
    if not rules:
        return Rulings()
    changes = subjects(plan, findings, judgement)
    said: dict[tuple[str, str], list[Ruling]] = {}
    for rule in rules:
        asked = asked_by(rule)
        matched = [each for each in changes if _holds(rule.effect, asked, rule, each)]
        if not many_enough(rule, len(matched), managed):
            continue
        ruling = Ruling(
            LEVELS[rule.effect], rule.name, rule.where, rule.message, rule.groups, rule.count
        )
        for change in matched:
            said.setdefault(change.key, []).append(ruling)
    return Rulings({key: tuple(each) for key, each in said.items()})


@dataclass(frozen=True, slots=True)
class Subject:
    """One change, as conditions ask for it. ``type`` and ``provider`` are empty where nobody can
    tell, ``changed`` None where it is not known which attributes change. ``is_object`` is False of
    an output and of an action, which have no type, provider or attributes."""

    key: tuple[str, str]
    spellings: tuple[str, ...]
    """Of the address, with and without modules and the key of the instance."""
    whole: tuple[str, ...]
    """Those that name all of the modules."""
    actions: frozenset[str]
    causes: frozenset[str]
    is_object: bool
    is_known: bool
    """False for what is done in a way that this version does not know."""
    type: str = ""
    provider: str = ""
    changed: tuple[str, ...] | None = ()
    holds_data: bool = False


def subjects(plan: Plan, findings: Iterable[Finding], judgement: Judgement) -> tuple[Subject, ...]:
    """The changes of a judgement, as conditions ask for them, in its order."""
    providers = {
        (joined.entry.address, joined.entry.deposed): joined.entry.provider
        for joined in plan.joined
    }
    objects = {(each.address, each.deposed): each for each in findings}
    return tuple(
        _change(each, objects.get(_key(each)), providers.get(_key(each), ""))
        for each in judgement.changes
    )


def _key(judged: Judged) -> tuple[str, str]:
    return judged.address, judged.deposed


def _change(judged: Judged, finding: Finding | None, provider: str) -> Subject:
    causes = judged.cause.words
    if finding is None:
        is_output = judged.address.startswith("output.")
        words = frozenset() if is_output else frozenset({"invoke"})
        alone = (judged.address,)
        known = judged.what != Kind.UNKNOWN.value
        return Subject(_key(judged), alone, alone, words, causes, False, known)
    parsed = parse_address(finding.address)
    is_known = Kind.UNKNOWN not in (finding.kind, finding.drift)
    words = frozenset((*_ACTIONS.get(finding.kind, ()), *finding.modifiers))
    return Subject(
        _key(judged),
        tuple(spellings(finding.address)),
        (finding.address, parsed.in_code) if parsed else (finding.address,),
        # What only the state is told of: a refresh-only plan.
        words or frozenset({"record"}),
        causes,
        True,
        is_known,
        parsed.type if parsed else "",
        provider,
        _changed(finding),
        bool(stateful(finding.address)),
    )


def _changed(finding: Finding) -> tuple[str, ...] | None:
    """The attributes that an update or a replacement changes; None: that cannot be told. What is
    made or destroyed as a whole is asked for by its action."""
    if finding.kind is not Kind.UPDATE and not finding.kind.replaces:
        return ()
    changed = tuple(each.path for each in finding.attributes if each.origin not in _LEFT)
    return changed if changed and all(changed) else None


class Answer(Enum):
    """Whether a condition holds for a change."""

    YES = "yes"
    NO = "no"
    UNKNOWN = "unknown"
    """It cannot be told: enough for a rule that restricts, and not for one that allows."""


_Asked: TypeAlias = Callable[[Rule, Subject], Answer]


@dataclass(frozen=True, slots=True)
class Condition:
    """One key under ``when``. ``any_of_it`` is what a rule that restricts asks, ``all_of_it`` what
    one that allows asks."""

    name: str
    is_set: Callable[[Rule], bool]
    any_of_it: _Asked
    all_of_it: _Asked


def matches(rule: Rule, change: Subject) -> bool:
    """Do all conditions hold, but for those about how many there are?"""
    return _holds(rule.effect, asked_by(rule), rule, change)


def answers(rule: Rule, change: Subject) -> tuple[tuple[str, Answer], ...]:
    """What each condition that the rule has says of the change, by its key."""
    return tuple((name, ask(rule, change)) for name, ask in asked_by(rule))


def suffices(effect: Effect, answer: Answer) -> bool:
    """Does a rule of this effect take it for a yes?"""
    return answer is Answer.YES or (answer is Answer.UNKNOWN and effect is not Effect.ALLOW)


def asked_by(rule: Rule) -> tuple[tuple[str, _Asked], ...]:
    """The conditions that the rule has, but for those about how many there are."""
    allows = rule.effect is Effect.ALLOW
    return tuple(
        (each.name, each.all_of_it if allows else each.any_of_it)
        for each in CONDITIONS
        if each.is_set(rule)
    )


def _holds(
    effect: Effect, asked: Iterable[tuple[str, _Asked]], rule: Rule, change: Subject
) -> bool:
    # What is done in a way that nobody knows is not allowed by any rule.
    if effect is Effect.ALLOW and not change.is_known:
        return False
    return all(suffices(effect, ask(rule, change)) for _, ask in asked)


def _answer(holds: bool) -> Answer:
    return Answer.YES if holds else Answer.NO


def _addresses(rule: Rule, change: Subject) -> Answer:
    return _answer(_any(rule.addresses, change.spellings))


def _whole_addresses(rule: Rule, change: Subject) -> Answer:
    return _answer(_any(rule.addresses, change.whole))


def _types(rule: Rule, change: Subject) -> Answer:
    if not change.type:
        return Answer.UNKNOWN if change.is_object else Answer.NO
    return _answer(_any(rule.types, (change.type,)))


def _providers(rule: Rule, change: Subject) -> Answer:
    if not change.provider:
        return Answer.UNKNOWN if change.is_object else Answer.NO
    return _answer(_by_provider(rule, change))


def _actions(rule: Rule, change: Subject) -> Answer:
    if not change.is_object and not change.actions:
        return Answer.NO
    if not change.is_known:
        return Answer.UNKNOWN
    return _answer(not change.actions.isdisjoint(rule.actions))


def _all_actions(rule: Rule, change: Subject) -> Answer:
    if not change.is_object and not change.actions:
        return Answer.NO
    if not change.is_known:
        return Answer.UNKNOWN
    return _answer(change.actions.issubset(rule.actions))


def _causes(rule: Rule, change: Subject) -> Answer:
    return _answer(not change.causes.isdisjoint(rule.causes))


def _all_causes(rule: Rule, change: Subject) -> Answer:
    return _answer(change.causes.issubset(rule.causes))


def _holds_data(rule: Rule, change: Subject) -> Answer:
    if not change.type:
        return Answer.UNKNOWN if change.is_object else Answer.NO
    return _answer(rule.holds_data is change.holds_data)


def _attributes(rule: Rule, change: Subject) -> Answer:
    if not change.is_object:
        return Answer.NO
    if not change.is_known or change.changed is None:
        return Answer.UNKNOWN
    return _answer(_touches(rule.attributes, change.changed))


def _only_attributes(rule: Rule, change: Subject) -> Answer:
    """Is it an update, in place, of nothing but these attributes and what is in them?"""
    if not change.is_object or (change.is_known and change.actions != {"update"}):
        return Answer.NO
    if not change.is_known or not change.changed:
        return Answer.UNKNOWN
    return _answer(_only(rule.attributes, change.changed))


CONDITIONS = (
    Condition("addresses", lambda rule: bool(rule.addresses), _addresses, _whole_addresses),
    Condition("types", lambda rule: bool(rule.types), _types, _types),
    Condition("providers", lambda rule: bool(rule.providers), _providers, _providers),
    Condition("actions", lambda rule: bool(rule.actions), _actions, _all_actions),
    Condition("causes", lambda rule: bool(rule.causes), _causes, _all_causes),
    Condition("holds_data", lambda rule: rule.holds_data is not None, _holds_data, _holds_data),
    Condition("attributes", lambda rule: bool(rule.attributes), _attributes, _only_attributes),
)


def _any(globs: Iterable[str], texts: Iterable[str]) -> bool:
    return any(glob(each).fullmatch(text) for each in globs for text in texts)


def _by_provider(rule: Rule, change: Subject) -> bool:
    """By its whole address, or without what the address begins with: ``hashicorp/aws``, ``aws``."""
    steps = change.provider.split("/")
    return _any(rule.providers, ["/".join(steps[at:]) for at in range(len(steps))])


def _only(globs: Iterable[str], changed: Iterable[str]) -> bool:
    """Are all that change among these attributes, or in them?"""
    meant = [_glob_and_below(each) for each in globs]
    return all(any(each.fullmatch(path) for each in meant) for path in changed)


def _touches(globs: Iterable[str], changed: Iterable[str]) -> bool:
    """Is one of these attributes, something in it, or all that it is in, among what changes?"""
    for text in globs:
        inside = _glob_and_below(text)
        above = [glob(each) for each in _above(text)]
        for path in changed:
            if inside.fullmatch(path) or any(each.fullmatch(path) for each in above):
                return True
    return False


@lru_cache(maxsize=1024)
def _glob_and_below(text: str) -> _Pattern:
    found = glob(text), glob(f"{text}.*"), glob(f"{text}[*")
    return _Pattern(tuple(each.fullmatch for each in found))


@dataclass(frozen=True, slots=True)
class _Pattern:
    """Any of several."""

    ways: tuple[Callable[[str], object], ...]

    def fullmatch(self, text: str) -> bool:
        return any(way(text) for way in self.ways)


def _above(text: str) -> list[str]:
    """``rule[0].port`` → ``rule``, ``rule[0]``. A ``*`` may hold steps itself, so that what leads
    to the first one may be changed as a whole."""
    return [text[:at] for at, each in enumerate(text) if at and each in ".["]


def many_enough(rule: Rule, matched: int, managed: int) -> bool:
    """Do the conditions about how many match hold?"""
    if rule.at_most is not None and matched > rule.at_most:
        return False
    if rule.at_least is not None and matched < rule.at_least:
        return False
    # Of an environment without objects nobody can say how much of it is touched.
    return rule.share is None or matched * 100 >= rule.share * managed
