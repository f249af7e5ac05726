"""What is wrong with rules and windows though it can be read: those that can never match, that
another one always beats, or that say the same twice.

Nothing is claimed that is not certain. A rule "never matches" when no change does of which the plan
tells what it is and what is done: what nobody knows is meant by any rule that restricts.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from driftctl_py.core.address import parse_address
from driftctl_py.core.environment import Environment, Mode
from driftctl_py.core.masks import glob
from driftctl_py.core.risk import stateful
from driftctl_py.core.rule import Effect, Rule
from driftctl_py.core.window import Window, WindowEffect


@dataclass(frozen=True, slots=True)
class Lint:
    """One thing that is wrong, as a sentence, and what to do about it. ``name`` is that of a rule
    or a window. A ``note`` may be as it is meant."""

    where: str
    name: str
    what: str
    todo: str
    note: bool = False


def lint(environments: Sequence[Environment], seen_types: Iterable[str] = ()) -> tuple[Lint, ...]:
    """All that is wrong with the rules and windows of these environments, in the order of the file.
    ``seen_types`` are those of objects that are known to be; none: nobody looked."""
    rules = _rules(environments)
    found = [*_of_rules(rules, environments), *_of_windows(environments)]
    if types := frozenset(seen_types):
        found += _of_types(rules, types)
    return tuple(sorted(found, key=_place))


def _place(found: Lint) -> tuple[str, int, bool]:
    filename, _, line = found.where.rpartition(":")
    return filename, int(line) if line.isdecimal() else 0, found.note


def _rules(environments: Iterable[Environment]) -> tuple[Rule, ...]:
    """Each once, wherever it speaks."""
    every = {(each.name, each.where): each for one in environments for each in one.rules}
    return tuple(every.values())


def _of_rules(rules: Sequence[Rule], environments: Sequence[Environment]) -> Iterator[Lint]:
    dead = set()
    for rule in rules:
        if why := never(rule):
            dead.add(rule.name)
            yield Lint(
                rule.where,
                rule.name,
                f"The rule {rule.name} never matches: {why}.",
                "Mend its conditions, or take it out.",
            )
    alive = [each for each in rules if each.name not in dead]
    for at, rule in enumerate(alive):
        same = next((each for each in alive[:at] if _says_the_same(each, rule)), None)
        if same is not None:
            yield Lint(
                rule.where,
                rule.name,
                f"The rule {rule.name} says the same as {_called(same)}.",
                "Take one of the two out.",
            )
            continue
        beaten = next((each for each in alive if _beats(each, rule, environments)), None)
        if beaten is not None:
            yield Lint(
                rule.where,
                rule.name,
                f"The rule {rule.name} ({rule.effect.value}) never counts: {_called(beaten)} "
                f"says {beaten.effect.value} of all that it matches.",
                "Narrow the other one, or take this one out.",
            )


def _called(rule: Rule) -> str:
    return f"{rule.name} ({rule.where})" if rule.where else rule.name


# --- Rules that can never match.


def never(rule: Rule) -> str:
    """Why no change can match it, as a clause; empty: perhaps one does."""
    return next(filter(None, (check(rule) for check in _CHECKS)), "")


def _counts(rule: Rule) -> str:
    if rule.at_least is not None and rule.at_most is not None and rule.at_least > rule.at_most:
        return (
            f"at_least asks for {rule.at_least} changes or more, and at_most for {rule.at_most} "
            "or fewer"
        )
    return ""


# What comes on top of an update or a replacement, too.
_WITH_ATTRIBUTES: Final = frozenset({"update", "replace", "move", "import"})


def _attributes(rule: Rule) -> str:
    if not rule.attributes or not rule.actions:
        return ""
    asked = " and ".join(rule.actions)
    if rule.effect is Effect.ALLOW:
        if "update" in rule.actions:
            return ""
        return f"to allow attributes is to allow an update of them, and actions asks for {asked}"
    if not _WITH_ATTRIBUTES.isdisjoint(rule.actions):
        return ""
    return f"only an update or a replacement changes attributes, and actions asks for {asked}"


def _types(rule: Rule) -> str:
    """A type is one word, and an address at least two."""
    if rule.types and all("." in each or "[" in each for each in rule.types):
        return f"{_list(rule.types)} is no type of a resource: addresses go under `addresses`"
    if rule.addresses and not any(map(_could_be_address, rule.addresses)):
        return f"{_list(rule.addresses)} is no address: types go under `types`"
    return ""


def _could_be_address(text: str) -> bool:
    return "." in text or "*" in text or "?" in text


def _types_of_addresses(rule: Rule) -> str:
    if not rule.types or not rule.addresses:
        return ""
    known = [_type_of(each) for each in rule.addresses]
    if any(each is None for each in known):
        return ""
    types = sorted({each for each in known if each})
    if any(_fits(each, rule.types) for each in types):
        return ""
    return f"addresses asks for {_list(types)}, and types for {_list(rule.types)}"


def _type_of(text: str) -> str | None:
    """The type of all resources that fit an address or a glob; None: there may be several."""
    head, dot, rest = text.partition(".")
    if not dot or _is_glob(head) or "[" in head:
        return None
    if head not in _NO_TYPES:
        return head
    parsed = None if _is_glob(rest) else parse_address(text)
    return parsed.type if parsed else None


# Where an address begins so, what follows says what it is.
_NO_TYPES: Final = frozenset({"module", "data", "ephemeral", "output", "action"})


def _objects(rule: Rule) -> str:
    """Outputs and actions have nothing that one could ask for."""
    heads = {each.partition(".")[0] for each in rule.addresses}
    if not heads or not heads <= {"output", "action"} or not all("." in e for e in rule.addresses):
        return ""
    asked = {
        "types": bool(rule.types),
        "providers": bool(rule.providers),
        "attributes": bool(rule.attributes),
        "holds_data": rule.holds_data is not None,
        "actions": bool(rule.actions) and "action" not in heads,
    }
    named = [key for key, is_asked in asked.items() if is_asked]
    if not named:
        return ""
    return f"addresses asks for outputs or actions only, and those have no {named[0]}"


def _invocations(rule: Rule) -> str:
    """What is done with an action is done with nothing else."""
    of_object = rule.types or rule.providers or rule.attributes or rule.holds_data is not None
    if rule.actions and set(rule.actions) == {"invoke"} and of_object:
        return "an action that is invoked has no type, provider, attributes or data"
    return ""


def _data(rule: Rule) -> str:
    if rule.holds_data is not True or not rule.types or any(map(_is_glob, rule.types)):
        return ""
    if any(stateful(f"{each}.it") for each in rule.types):
        return ""
    return f"holds_data asks for types that hold data, and {_list(rule.types)} is not known to"


# What the providers of HashiCorp's own registry call their types. A fork of one is another name.
_PREFIXES: Final[Mapping[str, str]] = {
    "hashicorp/archive": "archive_",
    "hashicorp/aws": "aws_",
    "hashicorp/azuread": "azuread_",
    "hashicorp/azurerm": "azurerm_",
    "hashicorp/google": "google_",
    "hashicorp/google-beta": "google_",
    "hashicorp/helm": "helm_",
    "hashicorp/kubernetes": "kubernetes_",
    "hashicorp/local": "local_",
    "hashicorp/null": "null_",
    "hashicorp/random": "random_",
    "hashicorp/time": "time_",
    "hashicorp/tls": "tls_",
    "hashicorp/vault": "vault_",
}


def _providers(rule: Rule) -> str:
    prefixes = [_PREFIXES.get("/".join(each.split("/")[-2:])) for each in rule.providers]
    if not rule.types or not prefixes or None in prefixes:
        return ""
    if any(_may_begin(each, str(prefix)) for each in rule.types for prefix in prefixes):
        return ""
    return f"providers asks for {_list(rule.providers)}, and has no type {_list(rule.types)}"


def _may_begin(text: str, prefix: str) -> bool:
    """Is there a text that fits the glob and begins so?"""
    literal = text[: next((at for at, each in enumerate(text) if each in "*?"), len(text))]
    return literal.startswith(prefix) or (literal != text and prefix.startswith(literal))


_CHECKS: Final[tuple[Callable[[Rule], str], ...]] = (
    _counts,
    _attributes,
    _types,
    _types_of_addresses,
    _objects,
    _invocations,
    _data,
    _providers,
)


def _is_glob(text: str) -> bool:
    return "*" in text or "?" in text


def _fits(text: str, globs: Iterable[str]) -> bool:
    return any(glob(each).fullmatch(text) for each in globs)


def _list(words: Iterable[str]) -> str:
    return ", ".join(words)


# --- Rules that another one beats.


def _says_the_same(one: Rule, other: Rule) -> bool:
    return one.meaning | {"name": ""} == other.meaning | {"name": ""} and (
        set(one.environments),
        dict(one.labels),
    ) == (set(other.environments), dict(other.labels))


def _beats(strong: Rule, weak: Rule, environments: Sequence[Environment]) -> bool:
    """Does the word of the weak one never count, since the strong one speaks wherever it does?"""
    where = [each for each in environments if weak in each.rules]
    if not covers(strong, weak) or not all(strong in each.rules for each in where):
        return False
    if strong.effect is Effect.DENY:
        return weak.effect is not Effect.DENY
    # What allows also takes the place of a switch that is off, so that people may say yes at all.
    return (
        strong.effect is Effect.APPROVE
        and weak.effect is Effect.ALLOW
        and all(Mode.NEVER not in (each.apply.git, each.apply.drift) for each in where)
    )


def covers(wide: Rule, narrow: Rule) -> bool:
    """Does the wide one surely match whatever the narrow one does? Only ever asked of a wide one
    that restricts."""
    if wide.effect is Effect.ALLOW or not _counts_for_all(wide):
        return False
    if wide.values and dict(wide.values) != dict(narrow.values):
        return False
    if wide.holds_data not in (None, narrow.holds_data):
        return False
    return all(
        _within(getattr(narrow, key), getattr(wide, key), below=key == "attributes")
        for key in ("addresses", "types", "providers", "actions", "causes", "attributes")
    )


def _counts_for_all(rule: Rule) -> bool:
    return rule.at_least in (None, 1) and rule.at_most is None and rule.share is None


def _within(narrow: Sequence[str], wide: Sequence[str], *, below: bool) -> bool:
    if not wide:
        return True
    return bool(narrow) and all(
        any(_is_within(each, other, below=below) for other in wide) for each in narrow
    )


def _is_within(text: str, wide: str, *, below: bool) -> bool:
    """Does all that fits the one glob fit the other? ``below``: of attributes, where what is in one
    fits as well, and so does all that it is in."""
    if wide in (text, "*"):
        return True
    if below:
        above = wide.removesuffix(".*")
        return not _is_glob(above) and text.startswith((f"{above}.", f"{wide}["))
    # A star fits a star as it fits anything; what stands for one sign does not.
    return "?" not in wide and glob(wide).fullmatch(text) is not None


# --- Types that nothing has.


def _of_types(rules: Iterable[Rule], seen: frozenset[str]) -> Iterator[Lint]:
    for rule in rules:
        unseen = [each for each in rule.types if not any(map(glob(each).fullmatch, seen))]
        if unseen:
            yield Lint(
                rule.where,
                rule.name,
                f"The rule {rule.name} asks for {_list(unseen)}, and no object of such a type is "
                "in the code or in a stored plan.",
                "Check how it is spelled; if it is for what is still to come, leave it.",
                note=True,
            )


# --- Windows that are never open.


def _of_windows(environments: Iterable[Environment]) -> Iterator[Lint]:
    told = set()
    for environment in environments:
        for timetable in environment.timetables:
            for window in timetable:
                inside = next((each for each in timetable if _shuts(each, window)), None)
                key = (window.name, window.where)
                if inside is not None and key not in told:
                    told.add(key)
                    at = f" ({inside.where})" if inside.where else ""
                    yield Lint(
                        window.where,
                        window.name,
                        f"The window {window.name} never lets anything be applied: as long as it "
                        f"is open, {inside.name}{at} forbids it.",
                        "Change when one of the two begins, or take this one out.",
                    )


def _shuts(deny: Window, allow: Window) -> bool:
    """Is the one that denies there for as long as the one that allows? Told only of two that
    begin at the same moments."""
    return (
        allow.effect is WindowEffect.ALLOW
        and deny.effect is WindowEffect.DENY
        and (deny.cron.split(), deny.timezone) == (allow.cron.split(), allow.timezone)
        and deny.duration_seconds >= allow.duration_seconds
        and not deny.causes
    )
