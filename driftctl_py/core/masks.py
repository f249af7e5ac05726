"""What a user wants hidden beside what the engine marks: by address and attribute, or by pattern.

    redact:
      - {address: "aws_db_instance.*", attribute: "tags.*"}
      - {pattern: "AKIA[0-9A-Z]{16}"}

A mask only ever hides more. It hides values: an address, also one that an object moved from, and
the name of an output say which finding it is, so no pattern reaches them.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache

from driftctl_py.core.address import parse_address
from driftctl_py.core.diff import spelled
from driftctl_py.core.plan import Path
from driftctl_py.core.values import Json, Mark, Sensitive, Value, json_inside


@dataclass(frozen=True, slots=True)
class Mask:
    """Hides what lies at ``attribute`` of every object whose address fits; with a ``pattern``,
    only the texts there in which it is found, which without globs is everywhere.

    In both globs ``*`` stands for any run of characters and ``?`` for one. An address may leave
    out the modules, the key of the instance, or both; an output's is ``output.NAME``. An attribute
    is spelled as in a report (``tags.team``, ``rule[0].port``) or with dots only
    (``rule.0.port``); what fits hides everything below it, and the whole of a text that it leads
    into (``policy.Statement``).
    """

    address: str = "*"
    attribute: str = "*"
    pattern: re.Pattern[str] | None = None


Masks = Sequence[Mask]


def masks_for(masks: Masks, *addresses: str) -> Masks:
    """Those that may hide something of the object with these addresses, old and new."""
    if not masks:
        return ()
    spelled_as = {each for address in addresses for each in spellings(address)}
    return [mask for mask in masks if any(map(glob(mask.address).fullmatch, spelled_as))]


def masked(
    value: Value, masks: Masks, take: Callable[[Value], Value], *, below: Path | None = ()
) -> Value:
    """``value``, all of whose ``masks`` fit its address, with what they hide handed to ``take``.

    It lies at ``below``: an object has no attribute that is itself, while an output has a value,
    so ``None`` stands for an object, of which at most everything in it is hidden.
    """
    if below is None:
        if not isinstance(value, Mapping):
            return masked(value, masks, take)
        return {key: masked(each, masks, take, below=(key,)) for key, each in value.items()}
    return _masked(value, below, masks, (), take)


def mentions(value: Value, masks: Masks) -> bool:
    """Is any of the patterns found anywhere in it, wherever their globs look?"""
    found: list[Value] = []
    everywhere = [Mask(pattern=mask.pattern) for mask in masks if mask.pattern]
    if everywhere:
        masked(value, everywhere, _noted(found))
    return bool(found)


def inside(text: str) -> Json | None:
    """What a report would take apart."""
    held = json_inside(text)
    if held is not None or "\n" not in text:
        return held
    from driftctl_py.core.yaml_inside import yaml_inside

    return (yaml_inside([text]) or [None])[0]


def spellings(address: str) -> Iterator[str]:
    """An address, and what is left of it without the key of the instance, the modules, or both.
    Moving an object into a module, or counting it, must not take a mask away from it."""
    yield address
    found = parse_address(address)
    if found:
        yield from (found.in_code, found.in_module, found.in_module + found.index)


def _masked(
    value: Value,
    path: Path,
    masks: Masks,
    sought: tuple[re.Pattern[str], ...],
    take: Callable[[Value], Value],
) -> Value:
    """``sought`` are the patterns of the masks that fit further up."""
    if isinstance(value, Mark | Sensitive):
        return value
    spellings = (spelled(path), ".".join(map(str, path)))
    for mask in masks:
        if any(map(glob(mask.attribute).fullmatch, spellings)):
            if mask.pattern is None:
                return take(value)
            sought = (*sought, mask.pattern)
    if any(pattern.search(text) for text in _texts(value) for pattern in sought):
        return take(value)
    if isinstance(value, Mapping):
        return {
            key: _masked(each, (*path, key), masks, sought, take) for key, each in value.items()
        }
    if isinstance(value, str):
        found: list[Value] = []
        _masked(inside(value), path, masks, sought, _noted(found))
        return take(value) if found else value
    if isinstance(value, Sequence):
        return [
            _masked(each, (*path, index), masks, sought, take) for index, each in enumerate(value)
        ]
    return value


def _texts(value: Value) -> Iterator[str]:
    """What of ``value`` itself a pattern may be found in; a map's keys cannot be hidden alone."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        yield from value
    elif isinstance(value, int | Decimal) and not isinstance(value, bool):
        # By way of Decimal, since Python refuses to spell an int of more than 4300 digits.
        yield str(Decimal(value))


def _noted(found: list[Value]) -> Callable[[Value], Value]:
    def note(value: Value) -> Value:
        found.append(value)
        return value

    return note


@lru_cache(maxsize=4096)
def glob(text: str) -> re.Pattern[str]:
    """``*`` stands for any run of characters, ``?`` for one; to be used with ``fullmatch``.

    What stands between two ``*`` is looked for once, as early as it is: to go back for another
    place could only find less after it, and would take for ever with a dozen of them.
    """
    first, *rest = (
        "".join("." if each == "?" else re.escape(each) for each in part)
        for part in text.split("*")
    )
    between = "".join(f"(?>.*?{part})" for part in rest[:-1] if part)
    return re.compile(first + between + (f".*{rest[-1]}" if rest else ""), re.DOTALL)
