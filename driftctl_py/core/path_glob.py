"""Globs over directories: ``teams/*/prod``, ``live/**``, ``env-[ab]?``.

The rules are pathlib's: ``*`` and ``?`` stay within one component, ``**`` stands alone and takes
any number of them, letters keep their case. What is new is that a match says what each wildcard
took, for names. Nothing here reads a disk, and no pattern can take more than polynomial time.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TypeAlias, TypeVar

_WILD = frozenset("*?[")

Item = TypeVar("Item")
Pattern = TypeVar("Pattern")

# What one character must be: itself, anything ("?"), or one of a set, which may be turned round.
_Character: TypeAlias = "tuple[frozenset[str] | None, bool]"
_Runs: TypeAlias = tuple[tuple[Pattern, ...], ...]


@dataclass(frozen=True, slots=True)
class Match:
    """``stars`` is what each ``*`` and ``**`` took, ``wild`` the components in which any wildcard
    took part: for ``teams/*/eu-*`` and ``teams/data/eu-1`` that is data, 1 and data, eu-1."""

    stars: tuple[str, ...]
    wild: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Component:
    """A pattern for one component: runs of characters with a ``*`` between each two."""

    text: str
    runs: _Runs[_Character]
    is_wild: bool


@dataclass(frozen=True, slots=True)
class PathGlob:
    """A pattern that was read; ``runs`` are stretches of components with a ``**`` between."""

    text: str
    runs: _Runs[_Component]

    @property
    def stars(self) -> int:
        """How many ``*`` and ``**`` there are, so how many values a match has."""
        within = sum(len(part.runs) - 1 for run in self.runs for part in run)
        return within + len(self.runs) - 1

    @property
    def is_search(self) -> bool:
        """Whether a ``**`` looks into any depth."""
        return len(self.runs) > 1

    def match(self, path: Sequence[str]) -> Match | None:
        """What the wildcards took of the path with these components; None: it does not match."""
        gaps = _gaps(self.runs, path, lambda part, name: _within(part, name) is not None)
        if gaps is None:
            return None
        stars: list[str] = []
        wild: list[str] = []
        at = 0
        for number, run in enumerate(self.runs):
            if number:
                gap = gaps[number - 1]
                stars.append("/".join(gap))
                wild.extend(gap)
                at += len(gap)
            for part, name in zip(run, path[at:], strict=False):
                stars.extend(_within(part, name) or ())
                wild.extend([name] if part.is_wild else [])
            at += len(run)
        return Match(tuple(stars), tuple(wild))


def is_glob(path: str) -> bool:
    """Whether the text holds a wildcard at all."""
    return not _WILD.isdisjoint(path)


def escape(path: str) -> str:
    """The glob that matches this path and nothing else."""
    return "".join(f"[{character}]" if character in _WILD else character for character in path)


def parse_glob(text: str) -> PathGlob:
    """ValueError says in one sentence what is wrong with the pattern."""
    runs: list[list[_Component]] = [[]]
    for part in text.split("/"):
        if part != "**":
            runs[-1].append(_parse_component(part))
        elif runs[-1] or len(runs) == 1:
            # "**/**" finds what "**" finds.
            runs.append([])
    return PathGlob(text, tuple(tuple(run) for run in runs))


def _parse_component(text: str) -> _Component:
    if "**" in text:
        raise ValueError(
            f'"{text[:60]}" mixes ** with other characters; ** takes whole directories and stands '
            "alone between two slashes."
        )
    runs: list[list[_Character]] = [[]]
    at = 0
    while at < len(text):
        character = text[at]
        at += 1
        if character == "*":
            runs.append([])
        elif character == "?":
            runs[-1].append((None, False))
        elif character == "[":
            # A "]" right after the bracket (or its "!") belongs to the set, as in a shell.
            begin = at + 1 if text[at : at + 1] == "!" else at
            end = text.find("]", begin + 1)
            if end < 0:
                raise ValueError(
                    f'"{text[:60]}" opens a [ that nothing closes; write [[] for the bracket.'
                )
            runs[-1].append((_character_set(text[begin:end]), begin > at))
            at = end + 1
        else:
            runs[-1].append((frozenset(character), False))
    return _Component(text, tuple(tuple(run) for run in runs), is_glob(text))


def _character_set(text: str) -> frozenset[str]:
    found: set[str] = set()
    at = 0
    while at < len(text):
        if text[at + 1 : at + 2] == "-" and at + 2 < len(text):
            first, last = ord(text[at]), ord(text[at + 2])
            # Paths are ASCII nearly always; the bound keeps [ -\U0010ffff] from filling memory.
            found.update(chr(code) for code in range(first, min(last, first + 1000) + 1))
            at += 3
        else:
            found.add(text[at])
            at += 1
    return frozenset(found)


def _within(component: _Component, name: str) -> tuple[str, ...] | None:
    gaps = _gaps(component.runs, name, _fits)
    return None if gaps is None else tuple("".join(gap) for gap in gaps)


def _fits(wanted: _Character, character: str) -> bool:
    characters, turned_round = wanted
    return characters is None or (character in characters) is not turned_round


def _gaps(
    runs: _Runs[Pattern], items: Sequence[Item], fits: Callable[[Pattern, Item], bool]
) -> list[Sequence[Item]] | None:
    """What lies between the runs if they cover ``items`` from end to end; None if they cannot.

    Each run has a fixed length, so taking the first place that fits is always right and nothing
    is ever tried twice: a*a*a*a*b cannot be made slow.
    """

    def lies_at(run: Iterable[Pattern], at: int) -> bool:
        return all(fits(wanted, items[at + offset]) for offset, wanted in enumerate(run))

    first, *between = runs
    if len(items) < sum(map(len, runs)) or not lies_at(first, 0):
        return None
    if not between:
        return [] if len(items) == len(first) else None
    last = between.pop()
    end = len(items) - len(last)
    if not lies_at(last, end):
        return None
    gaps: list[Sequence[Item]] = []
    at = len(first)
    for run in between:
        place = next(
            (start for start in range(at, end - len(run) + 1) if lies_at(run, start)), None
        )
        if place is None:
            return None
        gaps.append(items[at:place])
        at = place + len(run)
    gaps.append(items[at:end])
    return gaps
