"""Which rules match which changes of a plan.

Where it cannot be known whether a condition holds, a rule that restricts matches and one that
allows does not. So no gap in what a plan says makes a decision weaker.

Not here: what a rule is (``rule``), how the words of several add up (``decision``).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache

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
    providers = {
        (joined.entry.address, joined.entry.deposed): joined.entry.provider
        for joined in plan.joined
    }
    objects = {(each.address, each.deposed): each for each in findings}
    changes = [
        _change(each, objects.get(_key(each)), providers.get(_key(each), ""))
        for each in judgement.changes
    ]
    said: dict[tuple[str, str], list[Ruling]] = {}
    for rule in rules:
        matched = [each for each in changes if matches(rule, each)]
        if not _many_enough(rule, len(matched), managed):
            continue
        ruling = Ruling(LEVELS[rule.effect], rule.name, rule.where, rule.message, rule.groups)
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


def matches(rule: Rule, change: Subject) -> bool:
    """Do all conditions hold, but for those about how many there are?"""
    asks_of_object = bool(
        rule.types or rule.providers or rule.attributes or rule.holds_data is not None
    )
    if asks_of_object and not change.is_object:
        return False
    if rule.actions and not (change.is_object or change.actions):
        return False
    if rule.effect is Effect.ALLOW:
        return _allowed_by(rule, change)
    return _restricted_by(rule, change)


def _restricted_by(rule: Rule, change: Subject) -> bool:
    """Whether it may be meant."""
    return (
        (not rule.addresses or _any(rule.addresses, change.spellings))
        and (not rule.types or not change.type or _any(rule.types, (change.type,)))
        and (not rule.providers or not change.provider or _by_provider(rule, change))
        and (not rule.actions or not change.is_known or not change.actions.isdisjoint(rule.actions))
        and (not rule.causes or not change.causes.isdisjoint(rule.causes))
        and (rule.holds_data in (None, change.holds_data) or not change.type)
        and (not rule.attributes or not change.is_known or _touches(rule.attributes, change))
    )


def _allowed_by(rule: Rule, change: Subject) -> bool:
    """Whether all of it is surely meant."""
    return (
        change.is_known
        and (not rule.addresses or _any(rule.addresses, change.whole))
        and (not rule.types or _any(rule.types, (change.type,)))
        and (not rule.providers or (bool(change.provider) and _by_provider(rule, change)))
        and (not rule.actions or change.actions.issubset(rule.actions))
        and (not rule.causes or change.causes.issubset(rule.causes))
        and (rule.holds_data is None or _surely(rule.holds_data, change))
        and (not rule.attributes or _only(rule.attributes, change))
    )


def _any(globs: Iterable[str], texts: Iterable[str]) -> bool:
    return any(glob(each).fullmatch(text) for each in globs for text in texts)


def _by_provider(rule: Rule, change: Subject) -> bool:
    """By its whole address, or without what the address begins with: ``hashicorp/aws``, ``aws``."""
    steps = change.provider.split("/")
    return _any(rule.providers, ["/".join(steps[at:]) for at in range(len(steps))])


def _surely(holds_data: bool, change: Subject) -> bool:
    return bool(change.type) and change.holds_data is holds_data


def _only(globs: Iterable[str], change: Subject) -> bool:
    """Is it an update, in place, of nothing but these attributes and what is in them?"""
    if change.actions != {"update"} or not change.changed:
        return False
    meant = [_glob_and_below(each) for each in globs]
    return all(any(each.fullmatch(path) for each in meant) for path in change.changed)


def _touches(globs: Iterable[str], change: Subject) -> bool:
    """Is one of these attributes, something in it, or all that it is in, among what changes?"""
    if change.changed is None:
        return True
    for text in globs:
        inside = _glob_and_below(text)
        above = [glob(each) for each in _above(text)]
        for path in change.changed:
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


def _many_enough(rule: Rule, matched: int, managed: int) -> bool:
    if rule.at_most is not None and matched > rule.at_most:
        return False
    if rule.at_least is not None and matched < rule.at_least:
        return False
    # Of an environment without objects nobody can say how much of it is touched.
    return rule.share is None or matched * 100 >= rule.share * managed
