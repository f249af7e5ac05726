"""Version constraints as the engine writes them: ``>= 1.6, < 2`` or ``~> 1.10``.

The rules are those of the engine's own ``required_version``: a list joined by commas, all of
which must hold; the version that runs counts without its pre-release part, and a constraint
that names a pre-release is refused. Not a resolver: nothing here chooses among versions.
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal, TypeAlias, cast, get_args

Operator: TypeAlias = Literal["=", "!=", ">", ">=", "<", "<=", "~>"]

# go-version, which both engines use, compares three numbers even where one is written. A
# number of more digits than these is no version, and int() must not be handed a megabyte.
_NUMBERS = r"v?(?P<numbers>\d{1,9}(?:\.\d{1,9}){0,7})"
_SUFFIX = r"(?P<prerelease>-[0-9A-Za-z.~-]+)?(?:\+[0-9A-Za-z.~-]+)?"
_VERSION = re.compile(rf"{_NUMBERS}{_SUFFIX}", re.ASCII)
_TERM = re.compile(rf"\s*(?P<operator>!=|>=|<=|~>|[=<>])?\s*{_NUMBERS}{_SUFFIX}\s*", re.ASCII)


@dataclass(frozen=True, slots=True)
class Term:
    """One comparison. ``written`` is how many numbers the author wrote: ``~>`` needs to know."""

    operator: Operator
    numbers: tuple[int, ...]
    written: int


Constraint: TypeAlias = tuple[Term, ...]

_COMPARISONS: Mapping[str, Callable[[tuple[int, ...], tuple[int, ...]], bool]] = {
    "=": operator.eq,
    "!=": operator.ne,
    ">": operator.gt,
    ">=": operator.ge,
    "<": operator.lt,
    "<=": operator.le,
}


def satisfies(version: str, constraint: str) -> bool:
    """Whether ``version`` (as ``version -json`` prints it) meets every part of ``constraint``.

    Raises ValueError, in a sentence for a person, where either cannot be read."""
    numbers = _parse_version(version)
    return all(_holds(term, numbers) for term in parse(constraint))


def parse(constraint: str) -> Constraint:
    """The terms of a constraint; ValueError says in one sentence which part is wrong."""
    return tuple(_parse_term(part) for part in constraint.split(","))


def _parse_term(part: str) -> Term:
    match = _TERM.fullmatch(part)
    if match is None:
        raise ValueError(
            f'"{part.strip()[:40]}" is not a version constraint; write one of '
            f'{", ".join(get_args(Operator))} and a version, for example ">= 1.6, < 2".'
        )
    if match["prerelease"]:
        raise ValueError(
            f'"{part.strip()[:40]}" names a pre-release, which the engines refuse in a constraint; '
            f'write "{match["numbers"]}".'
        )
    # The pattern admits exactly the literals of Operator.
    return Term(
        cast(Operator, match["operator"] or "="),
        _padded(match["numbers"]),
        match["numbers"].count(".") + 1,
    )


def _parse_version(version: str) -> tuple[int, ...]:
    match = _VERSION.fullmatch(version.strip())
    if match is None:
        raise ValueError(f'"{version.strip()[:40]}" is not a version such as 1.10.2.')
    return _padded(match["numbers"])


def _padded(numbers: str) -> tuple[int, ...]:
    parts = [int(number) for number in numbers.split(".")]
    return tuple(parts + [0] * (3 - len(parts)))


def _holds(term: Term, version: tuple[int, ...]) -> bool:
    length = max(len(term.numbers), len(version))
    wanted = term.numbers + (0,) * (length - len(term.numbers))
    found = version + (0,) * (length - len(version))
    if term.operator == "~>":
        # Only the last number that is written may grow; "~> 1" is thus the same as ">= 1".
        fixed = term.written - 1
        return found >= wanted and found[:fixed] == wanted[:fixed]
    return _COMPARISONS[term.operator](found, wanted)
