"""Where three snapshots of one object differ, path by path.

S is what the state recorded, R what is really there, P what the plan makes of it. Only places are
found here; what a difference means is for ``assessment``, how it looks for ``report``.
"""

from __future__ import annotations

import operator
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeGuard

from driftctl_py.core.plan import Path
from driftctl_py.core.values import ABSENT, Value, exact_key, json_inside, same


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
    that hold JSON. Everything else is one place, with the whole of its values.
    """
    sides = (recorded, real, planned)
    if all(side is None or isinstance(side, Mapping) for side in sides):
        # An attribute that an object does not have is null to the engine.
        objects = [side if isinstance(side, Mapping) else {} for side in sides]
        for name in sorted(set().union(*objects)):
            s, r, p = (each.get(name) for each in objects)
            yield from _walk((name,), s, r, p, in_json=False)
    else:
        yield from _walk((), recorded, real, planned, in_json=False)


def spelled(path: Path) -> str:
    """``rule[0].tags["kubernetes.io/name"]``, as one would write it in the code."""
    words = ""
    for step in path:
        if isinstance(step, int):
            words += f"[{step}]"
        elif re.fullmatch(r"[^\W\d][\w-]*", step, re.ASCII):
            words += f".{step}" if words else step
        else:
            escaped = step.replace("\\", "\\\\").replace('"', '\\"')
            words += f'["{escaped}"]'
    return words


def _walk(path: Path, s: Value, r: Value, p: Value, *, in_json: bool) -> Iterator[Difference]:
    if same(s, r) and same(r, p):
        return
    if isinstance(s, Mapping) and isinstance(r, Mapping) and isinstance(p, Mapping):
        for name in sorted(s.keys() | r.keys() | p.keys()):
            inner = (each.get(name, ABSENT) for each in (s, r, p))
            yield from _walk((*path, name), *inner, in_json=in_json)
    elif isinstance(s, str) and isinstance(r, str) and isinstance(p, str):
        texts = (s, r, p)
        held = [json_inside(text) for text in texts]
        if in_json or None in held or _spelling_matters(texts, held):
            yield Difference(path, s, r, p, in_json)
        else:
            yield from _walk(path, *held, in_json=True)
    elif _is_list(s) and _is_list(r) and _is_list(p) and _aligned(s, r) and _aligned(r, p):
        for index, element in enumerate(zip(s, r, p, strict=True)):
            yield from _walk((*path, index), *element, in_json=in_json)
    else:
        yield Difference(path, s, r, p, in_json)


def _spelling_matters(texts: Sequence[str], held: Sequence[Value]) -> bool:
    """Do two of the texts hold the same, yet differ? Looking only at what they hold would then
    lose that the engine tells them apart."""
    pairs = ((0, 1), (1, 2), (0, 2))
    return any((texts[a] == texts[b]) != same(held[a], held[b]) for a, b in pairs)


def _is_list(value: Value) -> TypeGuard[Sequence[Value]]:
    return isinstance(value, Sequence) and not isinstance(value, str)


def _aligned(one: Sequence[Value], other: Sequence[Value]) -> bool:
    """May elements be compared by position? Only where they have parts to compare, and where no
    element of one turns up elsewhere in the other, as it does when a set changes."""
    if len(one) != len(other):
        return False
    if not any(isinstance(each, Mapping) or _is_list(each) for each in (*one, *other)):
        return False
    ones, others = ([exact_key(each) for each in side] for side in (one, other))
    in_place: int = sum(map(operator.eq, ones, others))
    anywhere = (Counter(ones) & Counter(others)).total()
    return in_place == anywhere
