"""Where three snapshots of one object differ, path by path.

S is what the state recorded, R what is really there, P what the plan makes of it. Only places are
found here; what a difference means is for ``assessment``, how it looks for ``report``.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

from driftctl_py.core.plan import Path
from driftctl_py.core.values import (
    ABSENT,
    Json,
    Value,
    exact_key,
    is_list,
    is_map,
    json_inside,
    same,
)

_PLAIN_NAME = re.compile(r"[^\W\d][\w-]*", re.ASCII)


@dataclass(frozen=True, slots=True)
class Difference:
    """One place where the three are not all the same. ``in_json`` says that the path leads into
    a string that holds JSON, as a policy does, ``in_yaml`` the same of YAML."""

    path: Path
    recorded: Value
    real: Value
    planned: Value
    in_json: bool = False
    in_yaml: bool = False

    @property
    def in_string(self) -> bool:
        """Is it a part of a text? To the engine all of the text is one value."""
        return self.in_json or self.in_yaml


def differences(recorded: Value, real: Value, planned: Value) -> Iterator[Difference]:
    """All places, in the order of their names. An object that is not there is ``None``.

    Objects and maps are gone into; so are lists of objects where no element moved, and strings
    that hold JSON or YAML. Everything else is one place, with the whole of its values.

    A string is only gone into where its places tell all of it: texts that differ and hold the
    same are one place. What changes besides (white space, the order of keys) is not told.
    """
    sides = (recorded, real, planned)
    if all(side is None or is_map(side) for side in sides):
        # An attribute that an object does not have is null to the engine.
        objects = [side if is_map(side) else {} for side in sides]
        yield from _members((), objects, None, _NOWHERE)
    elif not _all_same(*sides):
        yield from _walk((), sides, _NOWHERE)


def spelled(path: Path) -> str:
    """``rule[0].tags["kubernetes.io/name"]``, as one would write it in the code."""
    words = ""
    for step in path:
        if isinstance(step, int):
            words += f"[{step}]"
        elif _PLAIN_NAME.fullmatch(step):
            words += f".{step}" if words else step
        else:
            escaped = step.replace("\\", "\\\\").replace('"', '\\"')
            words += f'["{escaped}"]'
    return words


@dataclass(frozen=True, slots=True)
class _Inside:
    """The text that one is in."""

    json: bool = False
    yaml: bool = False


_NOWHERE = _Inside()


def _all_same(s: Value, r: Value, p: Value) -> bool:
    # What is the same as anything holds nothing unknown, so it is the same as itself.
    return same(r, p) and (s is r or same(s, r))


def _members(
    path: Path, sides: Sequence[Mapping[str, Value]], missing: Value, inside: _Inside
) -> Iterator[Difference]:
    s, r, p = sides
    # Most of an object stays as it is, so only what does not is put in order.
    moved = [
        name
        for name in {**s, **r, **p}
        if not _all_same(s.get(name, missing), r.get(name, missing), p.get(name, missing))
    ]
    for name in sorted(moved):
        yield from _walk((*path, name), [each.get(name, missing) for each in sides], inside)


def _walk(path: Path, sides: Sequence[Value], inside: _Inside) -> Iterator[Difference]:
    """The places in values that are not all the same."""
    maps = [side for side in sides if is_map(side)]
    lists = [side for side in sides if is_list(side)]
    texts = [side for side in sides if isinstance(side, str)]
    if len(maps) == len(sides):
        yield from _members(path, maps, ABSENT, inside)
        return
    if len(lists) == len(sides) and _by_position(lists):
        for index in range(max(map(len, lists))):
            elements = [each[index] if index < len(each) else ABSENT for each in lists]
            if not _all_same(*elements):
                yield from _walk((*path, index), elements, inside)
        return
    if len(texts) == len(sides) and inside is _NOWHERE:
        held, where = _held(texts)
        if held is not None and not _spelling_matters(texts, held):
            yield from _walk(path, held, where)
            return
    s, r, p = sides
    yield Difference(path, s, r, p, in_json=inside.json, in_yaml=inside.yaml)


def _held(texts: Sequence[str]) -> tuple[Sequence[Json] | None, _Inside]:
    """What all of the texts hold, as JSON or else as YAML."""
    found = {text: json_inside(text) for text in dict.fromkeys(texts)}
    if None not in found.values():
        return [found[text] for text in texts], _Inside(json=True)
    # Few plans change a text of many lines, and its patterns take a while.
    from driftctl_py.core.yaml_inside import yaml_inside

    return yaml_inside(texts), _Inside(yaml=True)


def _spelling_matters(texts: Sequence[str], held: Sequence[Value]) -> bool:
    """Do two of the texts hold the same, yet differ? Looking only at what they hold would then
    lose that the engine tells them apart."""
    pairs = combinations(range(len(texts)), 2)
    return any((texts[a] == texts[b]) != same(held[a], held[b]) for a, b in pairs)


def _by_position(lists: Sequence[Sequence[Value]]) -> bool:
    """May elements be compared by position, and those past the end of a list be called absent?

    Only where they have parts to compare, and where no element of one list turns up elsewhere in
    another, as it does when a set changes. A list that does nothing but grow or shrink is one
    place all the same: as a whole it claims no position for what comes or goes.
    """
    if not any(is_map(each) or is_list(each) for side in lists for each in side):
        return False
    keys = [[exact_key(each) for each in side] for side in lists]
    if any(_moved(one, other) for one, other in combinations(keys, 2)):
        return False
    as_long = len({len(side) for side in keys}) == 1
    return as_long or any(len(set(column)) > 1 for column in zip(*keys, strict=False))


def _moved(ones: Sequence[Hashable], others: Sequence[Hashable]) -> bool:
    in_place = sum(one == other for one, other in zip(ones, others, strict=False))
    anywhere = (Counter(ones) & Counter(others)).total()
    return in_place != anywhere
