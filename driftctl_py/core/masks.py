"""What a user wants hidden beside what the engine marks: by address and attribute, or by pattern.

    redact:
      - {address: "aws_db_instance.*", attribute: "tags.*"}
      - {pattern: "AKIA[0-9A-Z]{16}"}

A mask only ever hides more. It hides values: an address, also one that an object moved from, and
the name of an output say which finding it is, so no pattern reaches them.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
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
    if all(_is_all(mask.address) for mask in masks):
        return [*masks]
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
        sought = tuple(mask.pattern for mask in masks if mask.pattern and _is_all(mask.attribute))
        if masks and len(sought) == len(masks):
            return {key: _searched(each, sought, take) for key, each in value.items()}
        return {key: masked(each, masks, take, below=(key,)) for key, each in value.items()}
    return _masked(value, below, masks, (), take)


def hides_any(value: Value, masks: Masks, *, below: Path | None = ()) -> bool:
    """Would `masked` hand anything on? It stops at the first one."""
    try:
        masked(value, masks, _found, below=below)
    except _Found:
        return True
    return False


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
    """``masks`` are those of which none fits further up, ``sought`` the patterns of those that do:
    what fits a place fits all below it."""
    if isinstance(value, Mark | Sensitive):
        return value
    if masks:
        fitting, masks = _fitting(masks, path)
        if any(mask.pattern is None for mask in fitting):
            return take(value)
        sought = (*sought, *(mask.pattern for mask in fitting if mask.pattern))
    if not masks:
        # Most masks are about one attribute, and most of a plan are other ones.
        return _searched(value, sought, take) if sought else value
    if sought and _is_found(value, sought):
        return take(value)
    if isinstance(value, Mapping):
        return {
            key: _masked(each, (*path, key), masks, sought, take) for key, each in value.items()
        }
    if isinstance(value, str):
        return _of_text(value, lambda held, note: _masked(held, path, masks, sought, note), take)
    if isinstance(value, Sequence):
        return [
            _masked(each, (*path, index), masks, sought, take) for index, each in enumerate(value)
        ]
    return value


def _searched(
    value: Value, sought: tuple[re.Pattern[str], ...], take: Callable[[Value], Value]
) -> Value:
    """Where only patterns are left to be looked for, and no place matters any more."""
    if value is None or isinstance(value, bool | Mark | Sensitive):
        return value
    if _is_found(value, sought):
        return take(value)
    if isinstance(value, str):
        return _of_text(value, lambda held, note: _searched(held, sought, note), take)
    if isinstance(value, Mapping):
        return {key: _searched(each, sought, take) for key, each in value.items()}
    if isinstance(value, Sequence):
        return [_searched(each, sought, take) for each in value]
    return value


def _of_text(
    text: str,
    look: Callable[[Value, Callable[[Value], Value]], Value],
    take: Callable[[Value], Value],
) -> Value:
    """All of a text, where something is found in what it holds."""
    held = inside(text)
    if held is None:
        return text
    found: list[Value] = []
    look(held, _noted(found))
    return take(text) if found else text


def _is_found(value: Value, sought: tuple[re.Pattern[str], ...]) -> bool:
    """In ``value`` itself; a map's keys cannot be hidden alone."""
    if isinstance(value, str):
        texts: Iterable[str] = (value,)
    elif isinstance(value, dict | Mapping):
        texts = value
    elif isinstance(value, int | Decimal) and not isinstance(value, bool):
        # By way of Decimal, since Python refuses to spell an int of more than 4300 digits.
        texts = (str(Decimal(value)),)
    else:
        return False
    return any(any(map(pattern.search, texts)) for pattern in sought)


def _fitting(masks: Masks, path: Path) -> tuple[list[Mask], list[Mask]]:
    """Those whose attribute it is, and the others."""
    if all(_is_all(mask.attribute) for mask in masks):
        return [*masks], []
    spellings = (spelled(path), ".".join(map(str, path)))
    fitting: list[Mask] = []
    others: list[Mask] = []
    for mask in masks:
        fits = any(map(glob(mask.attribute).fullmatch, spellings))
        (fitting if fits else others).append(mask)
    return fitting, others


def _is_all(text: str) -> bool:
    """Does every text fit this glob?"""
    return text == "*"


class _Found(Exception):
    """Ends a search."""


def _found(_: Value) -> Value:
    raise _Found


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
