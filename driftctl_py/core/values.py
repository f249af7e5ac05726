"""JSON values as this package holds them, and the marks that stand in for what is no value.

``Value`` is JSON in which any node may be a mark: a secret that was taken out, something only
known after apply, or a place where one side holds nothing at all. Two questions are asked of
values: are they the ``same``, and do they mean the same (``equivalent``). How a value looks to a
person is the business of ``report``.
"""

from __future__ import annotations

import json
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from enum import Enum
from typing import Any, TypeAlias, TypeGuard

# Plans hold integers past 2**53, so numbers are int or Decimal, never float.
Json: TypeAlias = "bool | int | Decimal | float | str | Sequence[Json] | Mapping[str, Json] | None"


class Mark(Enum):
    """What stands where no value is."""

    UNKNOWN = "(known after apply)"
    ABSENT = "(absent)"


UNKNOWN = Mark.UNKNOWN
ABSENT = Mark.ABSENT

_NOTHING = ("nothing",)

_CONTAINERS = (dict, list)
# What they almost always are comes first: to ask an abstract class takes ten times as long.
_MAPPINGS = (dict, Mapping)
_SEQUENCES = (list, Sequence)

# More levels than any provider's schema has; few enough for Python's stack.
DEEPEST = 100

_PLAIN = frozenset({str, int, bool, Decimal, type(None)})


@dataclass(frozen=True, slots=True)
class Sensitive:
    """A secret was here. Which one is not kept, only whether two of one plan were alike.

    ``exactly`` and ``means`` are numbers given out while decoding, in order of appearance: equal
    numbers, equal secrets (or secrets that differ in spelling only). They are not derived from
    the secret, so nothing can be worked out from them. ``unknown`` says that part of it is only
    known after apply.
    """

    exactly: int = field(repr=False)
    means: int = field(repr=False)
    unknown: bool = False


# To say no, an abstract class takes longest of all.
_NO_MAP = _PLAIN | {float, list, Mark, Sensitive}
_NO_LIST = _PLAIN | {float, dict, Mark, Sensitive}

Value: TypeAlias = (
    "bool | int | Decimal | float | str | Mark | Sensitive"
    " | Sequence[Value] | Mapping[str, Value] | None"
)


def is_map(value: Value) -> TypeGuard[Mapping[str, Value]]:
    """Is it an object or a map?"""
    kind = type(value)
    return kind is dict or (kind not in _NO_MAP and isinstance(value, Mapping))


def is_list(value: Value) -> TypeGuard[Sequence[Value]]:
    """Is it a list? A text is none."""
    kind = type(value)
    return kind is list or (kind not in _NO_LIST and isinstance(value, Sequence))


def same(one: Value, other: Value) -> bool:
    """Exactly equal: ``true`` is not 1, 1 is 1.0, and a mark is only equal to its like.

    Something unknown is the same as nothing, not even as something else unknown.
    """
    # Asked of every attribute of everything that changes: the common types first, by identity.
    kind = type(one)
    if kind is type(other) and kind in _PLAIN:
        return one == other
    if one is None or isinstance(one, Mark):
        return one is other and one is not UNKNOWN
    if isinstance(one, Sensitive):
        return isinstance(other, Sensitive) and one.exactly == other.exactly and not one.unknown
    if isinstance(one, _MAPPINGS):
        return (
            isinstance(other, _MAPPINGS)
            and len(one) == len(other)
            and all(key in other and same(each, other[key]) for key, each in one.items())
        )
    if isinstance(one, _SEQUENCES) and not isinstance(one, str):
        return (
            isinstance(other, _SEQUENCES)
            and not isinstance(other, str)
            and len(one) == len(other)
            and all(map(same, one, other))
        )
    # What is left is of two types. To Python, true is 1.
    return not isinstance(one, bool) and not isinstance(other, bool) and one == other


def equivalent(one: Value, other: Value) -> bool:
    """Equal, or different in spelling only: ``null`` against ``{}``, ``[]`` or ``""``, and JSON
    strings that hold the same (keys in another order, other whitespace).

    Elements in another order are not equivalent: the JSON cannot tell a set from a list.
    """
    return meaning_key(one) == meaning_key(other) and not has_unknown(one)


def may_be_same(planned: Value, other: Value) -> bool:
    """Could ``planned`` turn out to be ``other``, once what is unknown in it is known?"""
    match planned, other:
        case (Mark.UNKNOWN, _) | (Sensitive(unknown=True), _):
            return True
        case Mapping(), Mapping():
            return planned.keys() == other.keys() and all(
                may_be_same(each, other[key]) for key, each in planned.items()
            )
        case (str(), _) | (_, str()):
            return same(planned, other)
        case Sequence(), Sequence():
            return len(planned) == len(other) and all(map(may_be_same, planned, other))
        case _:
            return same(planned, other)


def has_unknown(value: Value) -> bool:
    """Is any part of it only known after apply?"""
    match value:
        case None | str() | int() | float() | Decimal():
            return False
        case Mark():
            return value is UNKNOWN
        case Sensitive():
            return value.unknown
        case dict() | Mapping():
            return any(map(has_unknown, value.values()))
        case _:
            return any(map(has_unknown, value))


def has_sensitive(value: Value) -> bool:
    """Was a secret taken out of any part of it?"""
    match value:
        case None | str() | int() | float() | Decimal() | Mark():
            return False
        case Sensitive():
            return True
        case dict() | Mapping():
            return any(map(has_sensitive, value.values()))
        case _:
            return any(map(has_sensitive, value))


def json_inside(text: str) -> Json | None:
    """The object or list that a string holds as JSON, as policies do; None for any other string.

    None as well where something would get lost on the way (a key twice) or is no JSON (``NaN``).
    """
    if not text.lstrip().startswith(("{", "[")):
        return None
    try:
        # Any: whatever JSON says; it is JSON by construction.
        found: Any = json.loads(
            text,
            parse_float=Decimal,
            parse_constant=_refuse_constant,
            object_pairs_hook=_object_without_repeats,
        )
        # Half of a surrogate pair, as "\\ud800", is no character and could not be written again.
        json.dumps(found, ensure_ascii=False, default=str).encode()
    except (ValueError, ArithmeticError, RecursionError):
        return None
    return None if deeper_than(found, DEEPEST) else found


def exact_key(value: Value) -> Hashable:
    """Equal for values that are the ``same``, and only for those (or for two unknown ones)."""
    match value:
        case None | str() | Mark():
            return value
        case bool():
            return ("bool", value)
        case dict() | Mapping():
            return ("map", frozenset((key, exact_key(each)) for key, each in value.items()))
        case list() | Sequence():
            return ("list", tuple(map(exact_key, value)))
        case Sensitive():
            return ("sensitive", value.exactly)
        case _:
            return ("number", value)


def meaning_key(value: Value) -> Hashable:
    """Equal for values that are `equivalent`, and only for those."""
    match value:
        case None | "":
            return _NOTHING
        case Sensitive():
            return ("sensitive", value.means)
        case str():
            held = json_inside(value)
            # Within the string the spelling counts: what reads it may tell null from {}.
            return value if held is None else ("json", exact_key(held))
        case Mapping():
            if not value:
                return _NOTHING
            return ("map", frozenset((key, meaning_key(each)) for key, each in value.items()))
        case Sequence():
            return ("list", tuple(meaning_key(each) for each in value)) if value else _NOTHING
        case _:
            return exact_key(value)


def deeper_than(value: Value, levels: int) -> bool:
    """Is what was decoded nested deeper than that? Asked before anything walks through a value,
    since each level costs stack."""
    level = [value] if isinstance(value, _CONTAINERS) else []
    for _ in range(levels):
        if not level:
            return False
        members = (each.values() if isinstance(each, dict) else each for each in level)
        level = [each for every in members for each in every if isinstance(each, _CONTAINERS)]
    return bool(level)


class Secrets:
    """Gives out the numbers in ``Sensitive``. Thrown away once its plan is decoded, or the two that
    are to be compared, and with it the last trace of the secrets.

    With a ``key`` it seals each: an HMAC, by which secrets can be told apart later and nobody who
    lacks the key can try out what they are.
    """

    def __init__(self, key: bytes | None = None) -> None:
        self._key = key
        self._exactly: dict[Hashable, int] = {}
        self._means: dict[Hashable, int] = {}
        self._seals: list[str] = []

    def mark(self, value: Value) -> Value:
        """What stands for ``value`` from here on. Something unknown hides no secret yet."""
        if isinstance(value, Mark | Sensitive):
            return value
        exactly = self._exactly.setdefault(exact_key(value), len(self._exactly))
        if self._key and exactly == len(self._seals):
            self._seals.append(self.seal(value))
        return Sensitive(
            exactly,
            self._means.setdefault(meaning_key(value), len(self._means)),
            unknown=has_unknown(value),
        )

    def seal(self, value: Value) -> str:
        """An HMAC of exactly that value; empty without a key."""
        if not self._key:
            return ""
        # Here, since a check has no key, and since canonical itself needs this module.
        import hmac

        from driftctl_py.core.canonical import canonical

        return hmac.digest(self._key, canonical(value, self._seals), "sha256").hex()

    @property
    def seals(self) -> tuple[str, ...]:
        """Of all secrets so far, each at its number; empty without a key."""
        return tuple(self._seals)


def _refuse_constant(name: str) -> Json:
    raise ValueError(f"{name} is not JSON")


def _object_without_repeats(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a key occurs twice")
    return found
