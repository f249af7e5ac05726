"""How values and foreign text look: one spelling for the terminal and for Markdown.

What comes from a plan, an engine or a repository was written by somebody else. Whatever passes
through here is one line without a control character, so that no name and no value can move the
cursor, clear a screen or pretend to be a line of the report. Knows no format's own quoting.
"""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from itertools import accumulate, takewhile
from typing import TypeGuard

from driftctl_py.core.values import Mark, Sensitive, Value, exact_key

# Control characters (C0, DEL, C1), the separators that terminals and editors take for a new line,
# what turns the direction of writing, what is there without being seen, and half of a character.
_UNSAFE = re.compile(
    "[\x00-\x1f\x7f-\x9f\u00ad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff"
    "\ufff9-\ufffb\ud800-\udfff\U000e0000-\U000e0fff]"
)
_SHORT = {"\n": "\\n", "\r": "\\r", "\t": "\\t"}

SECRET = "(sensitive value)"  # noqa: S105 - what stands in its place
LATER = "(known after apply)"
NONE = "(none)"

# Beyond this many lines or elements a side is compared only where it begins and ends alike.
_COMPARE_AT_MOST = 400


def clean(text: str) -> str:
    """``text`` on one line, with everything that is not plainly visible spelled out."""
    return _UNSAFE.sub(_spelled_out, text)


def clean_lines(text: str) -> list[str]:
    """The lines of a longer text, each of them clean."""
    return [clean(line.expandtabs(4)).rstrip() for line in text.strip().splitlines()]


def literal(value: Value) -> str:
    """A value as one would write it in code: ``"platform"``, ``[80, 443]``, ``{"max": 10}``."""
    match value:
        case Mark.UNKNOWN:
            return LATER
        case Mark():
            return NONE
        case Sensitive():
            return SECRET
        case None:
            return "null"
        case bool():
            return "true" if value else "false"
        case str():
            return clean(json.dumps(value, ensure_ascii=False))
        case Mapping():
            return (
                "{"
                + ", ".join(f"{literal(key)}: {literal(each)}" for key, each in value.items())
                + "}"
            )
        case Sequence():
            return "[" + ", ".join(map(literal, value)) + "]"
        case _:
            return str(value)


def literals(values: Sequence[Value]) -> list[str]:
    """Snapshots that belong together; one secret after another is told once."""
    found = list(map(literal, values))
    return [SECRET] if set(found) == {SECRET} else found


def columns(text: str) -> int:
    """How many columns of a terminal it takes."""
    return sum(_columns_of(character) for character in text)


def cut(text: str, limit: int) -> str:
    """At most ``limit`` columns, the end left out: for prose."""
    return text if columns(text) <= limit else _head(text, limit - 1) + "…"


def cut_middle(text: str, limit: int) -> str:
    """At most ``limit`` columns, the middle left out: what names a thing is at both ends."""
    if columns(text) <= limit:
        return text
    tail = (limit - 1) // 2
    return _head(text, limit - 1 - tail) + "…" + _head(text[::-1], tail)[::-1]


def cut_values(texts: Sequence[str], limit: int) -> list[str]:
    """Literals that belong together, at most ``limit`` columns each, with the size of what was
    cut. What they all begin with is left out first, so that the difference stays in sight."""
    if all(columns(text) <= limit for text in texts):
        return list(texts)
    alike = _common_start(texts)
    # Some of what is alike stays, to tell where one is.
    skip = max(0, alike - limit // 4)
    return [_cut_value(text, skip, limit) for text in texts]


@dataclass(frozen=True, slots=True)
class Part:
    """A line or an element of a longer value: ``-`` gone, ``+`` new, or `` `` for so many that
    stay as they are."""

    mark: str
    text: str


def parts(old: Value, new: Value) -> list[Part] | None:
    """What is gone and what is new, for two texts of several lines or two lists; None for other
    values, which are shown whole."""
    if isinstance(old, str) and isinstance(new, str):
        if "\n" not in old and "\n" not in new:
            return None
        olds, news = old.split("\n"), new.split("\n")
        return _parts(olds, news, list(map(literal, olds)), list(map(literal, news)))
    if _is_list(old) and _is_list(new):
        gone, come = list(map(exact_key, old)), list(map(exact_key, new))
        return _parts(gone, come, list(map(literal, old)), list(map(literal, new)))
    return None


def size(amount: int) -> str:
    """``812 characters``, ``2.1 k characters``."""
    if amount < 1000:
        return f"{amount} characters"
    if amount < 999_950:
        return f"{amount / 1000:.1f} k characters"
    return f"{amount / 1_000_000:.1f} M characters"


def _spelled_out(found: re.Match[str]) -> str:
    character = found[0]
    code = ord(character)
    return _SHORT.get(character) or (f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}")


def _columns_of(character: str) -> int:
    if unicodedata.combining(character):
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1


def _head(text: str, limit: int) -> str:
    widths = accumulate(map(_columns_of, text))
    return text[: sum(1 for _ in takewhile(lambda width: width <= limit, widths))]


def _common_start(texts: Sequence[str]) -> int:
    shortest = min(texts, key=len)
    for index, character in enumerate(shortest):
        if any(text[index] != character for text in texts):
            return index
    return 0


def _cut_value(text: str, skip: int, limit: int) -> str:
    rest = ("…" + text[skip:]) if skip else text
    if columns(rest) <= limit:
        return rest
    total = f"… ({size(len(text))})"
    return _head(rest, max(1, limit - columns(total))) + total


def _parts(
    olds: Sequence[Hashable],
    news: Sequence[Hashable],
    old_texts: Sequence[str],
    new_texts: Sequence[str],
) -> list[Part]:
    start = 0
    while start < min(len(olds), len(news)) and olds[start] == news[start]:
        start += 1
    end = 0
    while end < min(len(olds), len(news)) - start and olds[-1 - end] == news[-1 - end]:
        end += 1
    middle_old, middle_new = olds[start : len(olds) - end], news[start : len(news) - end]
    found = _unchanged(start)
    if len(middle_old) + len(middle_new) <= _COMPARE_AT_MOST:
        matcher = SequenceMatcher(None, middle_old, middle_new, autojunk=False)
        steps = list(matcher.get_opcodes())
    else:
        # The comparison is quadratic. What is shown is still right, only longer than need be.
        steps = [("replace", 0, len(middle_old), 0, len(middle_new))]
    for step, old_from, old_to, new_from, new_to in steps:
        if step == "equal":
            found += _unchanged(old_to - old_from)
        else:
            found += [Part("-", old_texts[start + at]) for at in range(old_from, old_to)]
            found += [Part("+", new_texts[start + at]) for at in range(new_from, new_to)]
    return found + _unchanged(end)


def _unchanged(count: int) -> list[Part]:
    return [Part(" ", f"({count} unchanged)")] if count else []


def _is_list(value: Value) -> TypeGuard[Sequence[Value]]:
    return isinstance(value, Sequence) and not isinstance(value, str)
