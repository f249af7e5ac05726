"""Which rules match which changes of a plan.

Where it cannot be known whether a condition holds, a rule that restricts matches and one that
allows does not. So no gap in what a plan says makes a decision weaker.

Not here: what a rule is (``rule``), how the words of several add up (``decision``).
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from enum import Enum
from functools import lru_cache
from typing import TypeAlias

from driftctl_py.core.address import parse_address
from driftctl_py.core.assessment import LEFT, AttributeChange, Finding
from driftctl_py.core.decision import Judged, Judgement, Level, Ruling, Rulings
from driftctl_py.core.diff import spelled
from driftctl_py.core.masks import glob, inside, spellings
from driftctl_py.core.plan import Change, Kind, Plan
from driftctl_py.core.risk import stateful
from driftctl_py.core.rule import Effect, Rule
from driftctl_py.core.values import (
    ABSENT,
    UNKNOWN,
    Mark,
    Sensitive,
    Value,
    has_sensitive,
    has_unknown,
    is_list,
    is_map,
)

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
    """Of the address, with and without modules and the key of the instance, and of the one that it
    moved from: or a rule about an object would be got rid of by giving it another name."""
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
    plain: frozenset[str] = frozenset()
    """Those of ``changed`` that hold nothing: numbers, say, before and after."""
    planned: Value = None
    """The object as it is to be; None where there is to be none."""
    whole_before: tuple[str, ...] = ()
    """As ``whole``, of the address that it moved from; empty where it did not."""


def subjects(plan: Plan, findings: Iterable[Finding], judgement: Judgement) -> tuple[Subject, ...]:
    """The changes of a judgement, as conditions ask for them, in its order."""
    entries = {(each.entry.address, each.entry.deposed): each.entry for each in plan.joined}
    objects = {(each.address, each.deposed): each for each in findings}
    return tuple(
        _change(each, objects.get(_key(each)), entries.get(_key(each)))
        for each in judgement.changes
    )


def _key(judged: Judged) -> tuple[str, str]:
    return judged.address, judged.deposed


def _change(judged: Judged, finding: Finding | None, entry: Change | None) -> Subject:
    causes = judged.cause.words
    if finding is None:
        is_output = judged.address.startswith("output.")
        words = frozenset() if is_output else frozenset({"invoke"})
        alone = (judged.address,)
        known = judged.what != Kind.UNKNOWN.value
        return Subject(_key(judged), alone, alone, words, causes, False, known)
    parsed = parse_address(finding.address)
    before = finding.previous_address
    is_known = Kind.UNKNOWN not in (finding.kind, finding.drift)
    words = frozenset((*_ACTIONS.get(finding.kind, ()), *finding.modifiers))
    return Subject(
        _key(judged),
        (*spellings(finding.address), *(spellings(before) if before else ())),
        _whole(finding.address),
        # What only the state is told of: a refresh-only plan.
        words or frozenset({"record"}),
        causes,
        True,
        is_known,
        parsed.type if parsed else "",
        entry.provider if entry else "",
        _changed(finding),
        bool(stateful(finding.address)),
        frozenset(each.path for each in finding.attributes if not _holds_more(each)),
        entry.after if entry else None,
        _whole(before) if before else (),
    )


def _whole(address: str) -> tuple[str, ...]:
    parsed = parse_address(address)
    return (address, parsed.in_code) if parsed else (address,)


def _changed(finding: Finding) -> tuple[str, ...] | None:
    """The attributes that an update or a replacement changes; None: that cannot be told. What is
    made or destroyed as a whole is asked for by its action."""
    if finding.kind is not Kind.UPDATE and not finding.kind.replaces:
        return ()
    changed = tuple(each.path for each in finding.attributes if each.origin not in LEFT)
    return changed if changed and all(changed) else None


def _holds_more(attribute: AttributeChange) -> bool:
    """May there be something in it that has a path of its own?"""
    return not all(
        isinstance(each, bool | int | Decimal | float | None)
        or each is ABSENT
        or (isinstance(each, str) and not _TAKEN_APART.search(each))
        for each in (attribute.recorded, attribute.real, attribute.planned)
    )


# What the texts have in which JSON or YAML may be found.
_TAKEN_APART = re.compile(r"\A\s*[\[{]|\n")


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
    named = [each for each in (change.whole, change.whole_before) if each]
    return _answer(all(_any(rule.addresses, each) for each in named))


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
    """Is one of these attributes, or something in it, among what changes? Where all that it is in
    changes, it may be."""
    if not change.is_object:
        return Answer.NO
    if not change.is_known or change.changed is None:
        return Answer.UNKNOWN
    for text in rule.attributes:
        if any(map(_fits_or_is_below(text), change.changed)):
            return Answer.YES
    for text in rule.attributes:
        leads = _leads_into(text)
        if any(leads(path) and path not in change.plain for path in change.changed):
            return Answer.UNKNOWN
    return Answer.NO


def _only_attributes(rule: Rule, change: Subject) -> Answer:
    """Is it an update, in place, of nothing but these attributes and what is in them?"""
    if not change.is_object or (change.is_known and change.actions != {"update"}):
        return Answer.NO
    if not change.is_known or not change.changed:
        return Answer.UNKNOWN
    meant = [_fits_or_is_below(each) for each in rule.attributes]
    return _answer(all(any(fits(path) for fits in meant) for path in change.changed))


def _values(rule: Rule, change: Subject) -> Answer:
    return _least(_value(path, globs, change) for path, globs in rule.values.items())


def _all_values(rule: Rule, change: Subject) -> Answer:
    return _least(_whole_value(path, globs, change) for path, globs in rule.values.items())


def _least(found: Iterable[Answer]) -> Answer:
    answers = {*found}
    return next(
        (each for each in (Answer.NO, Answer.UNKNOWN) if each in answers),
        Answer.YES,
    )


def _value(path: str, globs: tuple[str, ...], change: Subject) -> Answer:
    """Does one of the planned values there fit? What is not there is null to the engine."""
    found = _planned_at(path, change)
    if isinstance(found, Answer):
        return found
    texts, fits = [value_text(each) for each in found] or ["null"], _fits(globs)
    if any(each is not None and fits(each) for each in texts):
        return Answer.YES
    return Answer.UNKNOWN if None in texts else Answer.NO


def _whole_value(path: str, globs: tuple[str, ...], change: Subject) -> Answer:
    """Is there one, and do all of them fit?"""
    found = _planned_at(path, change)
    if isinstance(found, Answer):
        return found
    texts, fits = [value_text(each) for each in found], _fits(globs)
    if not texts or not all(each is None or fits(each) for each in texts):
        return Answer.NO
    return Answer.UNKNOWN if None in texts else Answer.YES


def _planned_at(path: str, change: Subject) -> list[Value] | Answer:
    if not change.is_object or (change.is_known and change.planned is None):
        return Answer.NO
    if not change.is_known:
        return Answer.UNKNOWN
    return values_at(path, change.planned)


def values_found(rule: Rule, change: Subject) -> tuple[str, ...] | None:
    """What a rule that asks for values finds, as ``acl: private``, secrets left out; None where it
    cannot be known."""
    if change.is_object and not change.is_known:
        return None
    if not change.is_object or change.planned is None:
        return ()
    return tuple(
        f"{path}: {_shown(each)}"
        for path in rule.values
        for each in values_at(path, change.planned) or [None]
    )


def _shown(value: Value) -> str:
    text = value_text(value)
    if text is not None:
        return text
    return "(sensitive value)" if has_sensitive(value) else UNKNOWN.value


def values_at(path: str, planned: Value) -> list[Value]:
    """What an object is to have at a path or glob: `UNKNOWN`, or a secret's mark, where it may be
    in something of which nobody knows, or may tell, what it is."""
    # Most rules name the attribute, and an object may have hundreds.
    name = _BEGINNING.match(path)
    if name and is_map(planned):
        planned = {name[0]: planned[name[0]]} if name[0] in planned else {}
    return [*_walked("", planned, _fits_path(path), _leads_into(path))]


# A name by which every path begins that fits.
_BEGINNING = re.compile(r"[^\W\d][\w-]*(?=\Z|[.\[])", re.ASCII)


def _walked(at: str, value: Value, fits: _Test, leads: _Test) -> Iterator[Value]:
    if at and fits(at):
        yield value
        if isinstance(value, Mark | Sensitive):
            return
    if at and not leads(at):
        return
    if isinstance(value, Mark | Sensitive):
        yield value
    held = _inside(value) if isinstance(value, str) else value
    if is_map(held):
        steps: Iterable[tuple[str | int, Value]] = held.items()
    elif is_list(held):
        steps = enumerate(held)
    else:
        return
    for step, each in steps:
        one = spelled((step,))
        below = f"{at}.{one}" if at and not one.startswith("[") else at + one
        yield from _walked(below, each, fits, leads)


def _inside(text: str) -> Value:
    """What a text holds as JSON or YAML."""
    if not _TAKEN_APART.search(text):
        return None
    return _read(text) if len(text) <= _REMEMBERED_AT_MOST else inside(text)


_REMEMBERED_AT_MOST = 65_536


@lru_cache(maxsize=256)
def _read(text: str) -> Value:
    """Remembered, since one rule after the other asks."""
    return inside(text)


def value_text(value: Value) -> str | None:
    """A planned value as it is compared: a text as it is, ``true``, ``null``, ``1.5``, ``["a"]``.
    None for what is only known after apply, and for a secret: whether a rule matches may not tell
    what one is."""
    if isinstance(value, str):
        return value
    if has_unknown(value) or has_sensitive(value):
        return None
    return _json(value)


def _json(value: Value) -> str:
    if is_map(value):
        members = (
            f"{json.dumps(key, ensure_ascii=False)}:{_json(value[key])}" for key in sorted(value)
        )
        return "{" + ",".join(members) + "}"
    if is_list(value):
        return "[" + ",".join(map(_json, value)) + "]"
    match value:
        case None | Mark.ABSENT:
            return "null"
        case bool():
            return "true" if value else "false"
        case str():
            return json.dumps(value, ensure_ascii=False)
        case int() | Decimal():
            return _number(Decimal(value))
        case _:
            return _number(Decimal(str(value)))


def _number(value: Decimal) -> str:
    """In plain decimal, however it was written: ``100`` for ``1e2``, ``1`` for ``1.0``."""
    _, _, exponent = value.as_tuple()
    # Nobody writes so many zeros in a rule.
    if not isinstance(exponent, int) or not -400 <= exponent <= 400:
        return str(value)
    text = f"{value:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


CONDITIONS = (
    Condition("addresses", lambda rule: bool(rule.addresses), _addresses, _whole_addresses),
    Condition("types", lambda rule: bool(rule.types), _types, _types),
    Condition("providers", lambda rule: bool(rule.providers), _providers, _providers),
    Condition("actions", lambda rule: bool(rule.actions), _actions, _all_actions),
    Condition("causes", lambda rule: bool(rule.causes), _causes, _all_causes),
    Condition("holds_data", lambda rule: rule.holds_data is not None, _holds_data, _holds_data),
    Condition("attributes", lambda rule: bool(rule.attributes), _attributes, _only_attributes),
    # Last, since it takes longest.
    Condition("values", lambda rule: bool(rule.values), _values, _all_values),
)


def _any(globs: tuple[str, ...], texts: Iterable[str]) -> bool:
    return any(map(_fits(globs), texts))


def _by_provider(rule: Rule, change: Subject) -> bool:
    """By its whole address, or without what the address begins with: ``hashicorp/aws``, ``aws``."""
    steps = change.provider.split("/")
    return _any(rule.providers, ["/".join(steps[at:]) for at in range(len(steps))])


_Test: TypeAlias = Callable[[str], bool]


@lru_cache(maxsize=4096)
def _fits(globs: tuple[str, ...]) -> _Test:
    """Whether a text fits any of them. Most globs are a name, or begin with one: those are not
    worth a pattern."""
    exact = frozenset(each for each in globs if not _WILD.intersection(each))
    begin = tuple(
        each[:-1] for each in globs if each.endswith("*") and not _WILD.intersection(each[:-1])
    )
    patterns = [
        f"(?:{glob(each).pattern})"
        for each in globs
        if each not in exact and not (each.endswith("*") and each[:-1] in begin)
    ]
    if not patterns:
        return lambda text: text in exact or text.startswith(begin)
    fits = re.compile("|".join(patterns), re.DOTALL).fullmatch
    return lambda text: text in exact or text.startswith(begin) or fits(text) is not None


_WILD = frozenset("*?")


@lru_cache(maxsize=4096)
def _fits_or_is_below(text: str) -> _Test:
    return _fits((text, f"{text}.*", f"{text}[*"))


@lru_cache(maxsize=4096)
def _fits_path(text: str) -> _Test:
    """Whether a path fits. ``[*]`` is any one element, where no other ``*`` holds steps anyway."""
    return _any_path((text,)) if _by_element(text) else _fits((text,))


@lru_cache(maxsize=4096)
def _leads_into(text: str) -> _Test:
    """Whether something below a path may fit: ``rule`` and ``rule[0]`` lead into ``rule[0].port``.
    A ``*`` may hold steps itself, and a ``?`` be what one begins with."""
    if _by_element(text):
        return _any_path(text[:at] for at, each in enumerate(text) if each in ".[")
    above = {text[:at] for at, each in enumerate(text) if at and each in ".[?*"}
    return _fits((*above, *(text[: at + 1] for at, each in enumerate(text) if each == "*")))


def _by_element(text: str) -> bool:
    return "[*]" in text and not _WILD.intersection(text.replace("[*]", ""))


def _any_path(texts: Iterable[str]) -> _Test:
    ways = (_ELEMENT.join(map(re.escape, each.split("[*]"))) for each in texts)
    fits = re.compile("|".join(ways), re.DOTALL).fullmatch
    return lambda path: fits(path) is not None


_ELEMENT = r'\[(?:[0-9]+|"(?:[^"\\]|\\.)*")\]'


def many_enough(rule: Rule, matched: int, managed: int) -> bool:
    """Do the conditions about how many match hold?"""
    if rule.at_most is not None and matched > rule.at_most:
        return False
    if rule.at_least is not None and matched < rule.at_least:
        return False
    # Of an environment without objects nobody can say how much of it is touched.
    return rule.share is None or matched * 100 >= rule.share * managed
