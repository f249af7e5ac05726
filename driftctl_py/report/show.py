"""How values and foreign text look: one spelling for the terminal and for Markdown.

What comes from a plan, an engine or a repository was written by somebody else. Whatever passes
through here is one line without a control character, so that no name and no value can move the
cursor, clear a screen or pretend to be a line of the report. Knows no format's own quoting.
"""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from functools import lru_cache
from itertools import accumulate, takewhile
from typing import TypeAlias, TypeGuard

from driftctl_py.core.diff import Difference, differences, spelled
from driftctl_py.core.values import ABSENT, Mark, Sensitive, Value, exact_key, has_unknown, same
from driftctl_py.report.subsequence import common

# Control characters (C0, DEL, C1), the separators that terminals and editors take for a new line,
# what turns the direction of writing, what is there without being seen, and half of a character.
_UNSAFE = re.compile(
    "[\x00-\x1f\x7f-\x9f\u00ad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff"
    "\ufff9-\ufffb\ud800-\udfff\U000e0000-\U000e0fff]"
)
_quoted = json.JSONEncoder(ensure_ascii=False).encode
_SHORT = {"\n": "\\n", "\r": "\\r", "\t": "\\t"}
# What the programs that run jobs obey in a job's log: a line that begins with `::`, blanks or not
# (GitHub Actions), and, anywhere in a line, `##[` (its old spelling), `##vso[` (Azure Pipelines)
# and `##teamcity[`.
_STARTS_A_COMMAND = re.compile(r"^([^\S\n]*):(?=:)", re.MULTILINE)
_HOLDS_A_COMMAND = re.compile(r"##(\w*)\[")

SECRET = "(sensitive value)"  # noqa: S105 - what stands in its place
LATER = "(known after apply)"
NONE = "(none)"

# Lines that stay as they are, told around one that does not.
_CONTEXT = 2
# What is longer than that is told on lines of its own, even where nothing is cut.
_INLINE = 76
# Lines of two texts that are compared with each other, a second's work at most, and characters that
# are looked through for nothing but white space.
_LINES_AT_MOST = 20_000
_SQUEEZED_AT_MOST = 1_000_000
# So many lines of one change are looked through for those that differ in white space alone.
_ALIKE_LINES_AT_MOST = 1000
# Parts that are made where no text may be wider than a limit; nobody shows more of them.
_PARTS_AT_MOST = 1000
# Gone and new objects are compared each with each to find out which of them became which.
_COMPARE_AT_MOST = 2500
_ALIKE = 0.5
# Who has the same in one of these is the same one, whatever else became of it.
_NAMES = ("name", "key", "id", "sid", "Name", "Key", "Id", "Sid")
_EMPTY: tuple[Value, ...] = (None, "", [], {})
_LIKE_A_MARK = ("- ", "+ ", "~ ")
# What a part of a part is indented by, and what is left to a text that is deep inside.
_STEP = "  "
_NARROWEST = 20
# Digits that a number may have before it is written with an exponent; no engine writes so many.
_DIGITS_AT_MOST = 1000


def clean(text: str) -> str:
    """``text`` on one line, with everything that is not plainly visible spelled out."""
    if text.isascii() and text.isprintable():
        return text
    return _UNSAFE.sub(_spelled_out, text)


def clean_lines(text: str) -> list[str]:
    """The lines of a longer text, each of them clean."""
    return [clean(line.expandtabs(4)).rstrip() for line in text.strip().splitlines()]


def no_commands(text: str) -> str:
    """Lines of a log that none of those obeys who run jobs and read what these print."""
    if "::" in text:
        text = _STARTS_A_COMMAND.sub(r"\1\\u003a", text)
    return _HOLDS_A_COMMAND.sub(r"##\1\\u005b", text) if "##" in text else text


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
            return clean(_quoted(value))
        case Mapping():
            return (
                "{"
                + ", ".join(f"{literal(key)}: {literal(each)}" for key, each in value.items())
                + "}"
            )
        case Sequence():
            return "[" + ", ".join(map(literal, value)) + "]"
        case _:
            return _number(value)


def literals(values: Sequence[Value]) -> list[str]:
    """Snapshots that belong together; one secret after another is told once."""
    found = list(map(literal, values))
    return [SECRET] if set(found) == {SECRET} else found


def columns(text: str) -> int:
    """How many columns of a terminal it takes."""
    return len(text) if text.isascii() else sum(map(_columns_of, text))


def cut(text: str, limit: int) -> str:
    """At most ``limit`` columns, the end left out: for prose."""
    return text if _fits(text, limit) else _head(text, limit - 1) + "…"


def cut_middle(text: str, limit: int) -> str:
    """At most ``limit`` columns, the middle left out: what names a thing is at both ends."""
    if _fits(text, limit):
        return text
    tail = (limit - 1) // 2
    return _head(text, limit - 1 - tail) + "…" + _head(text[::-1], tail)[::-1]


def cut_values(texts: Sequence[str], limit: int) -> list[str]:
    """Literals that belong together, at most ``limit`` columns each, with the size of what was
    cut. What they all begin with is left out first, so that the difference stays in sight."""
    if all(_fits(text, limit) for text in texts):
        return list(texts)
    alike = _common_start(texts)
    # Some of what is alike stays, to tell where one is.
    skip = max(0, alike - limit // 4)
    return [_cut_value(text, skip, limit) for text in texts]


@dataclass(frozen=True, slots=True)
class Part:
    """One line of how a longer value changed.

    ``-`` is gone, ``+`` is new, and ``~`` changed in place: its text has both sides
    (``ports[0]: 80 → 443``). Everything else is marked with a blank: what stays, and remarks,
    which stand in brackets or after an ellipsis. A text may begin with blanks, which count.
    """

    mark: str
    text: str
    lines: int = 1
    """How many there are of it: more than one of what is only counted."""


def first(told: Sequence[Part], at_most: int) -> tuple[Sequence[Part], int]:
    """As many of the parts, and how many lines there are besides."""
    return told[:at_most], sum(each.lines for each in told[at_most:])


def parts(old: Value, new: Value, *, limit: int | None = None) -> list[Part] | None:
    """What is gone, what is new and what changed, for two texts of several lines, two lists or
    two maps; None for other values, which are shown whole. Three snapshots are two such steps.

    With a ``limit`` no text is wider, and long ones are cut around what differs: who cuts them
    again may lose just that. Without one nothing is left out but lines that stay.
    """
    if isinstance(old, str) and isinstance(new, str):
        return _parts_of_texts(old, new, limit)
    if _is_list(old) and _is_list(new):
        return list(_parts_of_lists(old, new, limit))
    if isinstance(old, Mapping) and isinstance(new, Mapping):
        return list(_parts_of_maps(old, new, limit))
    return None


def steps(
    names: Sequence[str],
    values: Sequence[Value],
    *,
    limit: int | None = None,
    at_most: int | None = None,
) -> list[Part] | None:
    """The parts of two snapshots, or, of three, what became of each in the next, under the names
    of both; None for other values, and for three that have room below each other. ``at_most``
    lines are shown of all: each step gets its share."""
    if len(values) == 2:
        return parts(*values, limit=limit)
    room = (limit or _INLINE) - max(map(len, names))
    if len(values) != 3 or all(_fits(text, room) for text in map(literal, values)):
        return None
    found: list[Part] = []
    for at in (0, 1):
        told = parts(values[at], values[at + 1], limit=_less(limit, _STEP))
        if told is None and at == 1 and values[2] is Mark.UNKNOWN:
            told = [Part("~", LATER)]
        if told is None:
            return None
        # Without the line above it, and one that counts.
        share = len(told) if at_most is None else max(1, at_most // 2 - 2)
        shown, more = first(told, share)
        if more == 1:
            shown, more = told, 0
        found.append(Part(" ", f"{names[at]} → {names[at + 1]}:"))
        found += _indented([*shown, _counted(more)] if more else shown)
    return found


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


@lru_cache(maxsize=1024)
def _columns_of(character: str) -> int:
    if unicodedata.combining(character):
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1


def _head(text: str, limit: int) -> str:
    if text.isascii():
        return text[: max(0, limit)]
    widths = accumulate(map(_columns_of, text))
    return text[: sum(1 for _ in takewhile(lambda width: width <= limit, widths))]


def _fits(text: str, limit: int) -> bool:
    """Whether it has at most ``limit`` columns, without a look at all of a text that has not."""
    if text.isascii():
        return len(text) <= limit
    return all(width <= limit for width in accumulate(map(_columns_of, text)))


def _common_start(texts: Sequence[str]) -> int:
    one, other = min(texts), max(texts)
    if one == other:
        return 0
    # Halved again and again, since a text may be very long and is compared fast.
    alike, differ = 0, min(len(one), len(other)) + 1
    while differ - alike > 1:
        middle = (alike + differ) // 2
        if one[alike:middle] == other[alike:middle]:
            alike = middle
        else:
            differ = middle
    return alike


def _cut_value(text: str, skip: int, limit: int) -> str:
    rest = "…" + text[skip:] if skip and not _fits(text, limit) else text
    if _fits(rest, limit):
        return rest
    total = f"… ({size(len(text))})"
    return _head(rest, max(1, limit - columns(total))) + total


def _number(number: int | float | Decimal) -> str:
    """All of its digits, as engines write it, without an exponent."""
    exact = Decimal(str(number)) if isinstance(number, float) else Decimal(number)
    if exact.is_finite() and abs(exact.adjusted()) < _DIGITS_AT_MOST:
        return f"{exact:f}"
    return str(exact)


_Hunk: TypeAlias = tuple[range, range]


def _hunks(olds: Sequence[Hashable], news: Sequence[Hashable]) -> Iterator[_Hunk]:
    """For each run of changes the positions of what is gone and of what came in its place; what
    stays lies between two of them."""
    old_from = new_from = 0
    for old, new in (*common(olds, news), (len(olds), len(news))):
        if old > old_from or new > new_from:
            yield range(old_from, old), range(new_from, new)
        old_from, new_from = old + 1, new + 1


def _parts_of_texts(old: str, new: str, limit: int | None) -> list[Part] | None:
    places = list(differences(old, old, new))
    if any(place.in_string for place in places):
        what = "(JSON)" if places[0].in_json else "(YAML)"
        return [Part(" ", what), *_parts_of_places(places, limit)]
    if "\n" not in old and "\n" not in new:
        return None
    return list(_parts_of_lines(old, new, limit))


def _parts_of_lines(old: str, new: str, limit: int | None) -> Iterator[Part]:
    short = max(len(old), len(new)) <= _SQUEEZED_AT_MOST
    if short and old != new and _squeezed(old) == _squeezed(new):
        yield Part(" ", "(only white space differs)")
    if old and new and old.endswith("\n") != new.endswith("\n"):
        yield Part("-" if old.endswith("\n") else "+", "(newline at the end)")
    ends = _line_ends(old), _line_ends(new)
    if "mixed" not in ends:
        old, new = old.replace("\r\n", "\n"), new.replace("\r\n", "\n")
        if "" not in ends and ends[0] != ends[1]:
            yield Part("~", f"(line ends: {ends[0]} → {ends[1]})")
    olds, news = _lines(old), _lines(new)
    hunks, rest = _hunks_of_lines(olds, news)
    if rest is not None and limit is None:
        hunks, rest = [*hunks, rest], None
    at = context = made = 0
    for number, (gone, come) in enumerate(hunks):
        if limit is not None and made > _PARTS_AT_MOST:
            later = hunks[number:] if rest is None else [*hunks[number:], rest]
            yield _counted(sum(len(ran) + len(came) for ran, came in later))
            return
        unchanged = list(_unchanged_lines(olds[at : gone.start], context, _CONTEXT, limit))
        yield from unchanged
        context = _CONTEXT
        changed = _changed_lines(olds, gone, news, come, limit)
        yield from changed
        made += len(unchanged) + len(changed)
        at = gone.stop
    if rest is None:
        yield from _unchanged_lines(olds[at:], context, 0, limit)
        return
    yield from _unchanged_lines(olds[at : rest[0].start], context, _CONTEXT, limit)
    count = len(rest[0]) + len(rest[1])
    yield Part(" ", f"… ({count} more lines, too many to compare)", count)


def _changed_lines(
    olds: Sequence[str], gone: range, news: Sequence[str], come: range, limit: int | None
) -> list[Part]:
    """What is gone, and what came in its place; where there are limits, only counted where it is
    more than anybody shows."""
    at_most = max(len(gone), len(come)) if limit is None else _PARTS_AT_MOST
    removed = olds[gone.start : min(gone.stop, gone.start + at_most)]
    added = news[come.start : min(come.stop, come.start + at_most)]
    # Where two lines differ in white space alone, it has to be seen.
    alike = set(map(_squeezed, removed[:_ALIKE_LINES_AT_MOST]))
    alike &= set(map(_squeezed, added[:_ALIKE_LINES_AT_MOST]))
    told = _gone_and_new(
        [_line(each, quoted=bool(alike) and _squeezed(each) in alike) for each in removed],
        [_line(each, quoted=bool(alike) and _squeezed(each) in alike) for each in added],
        limit,
    )
    left_out = len(gone) - len(removed) + len(come) - len(added)
    return [*told, _counted(left_out)] if left_out else list(told)


def _counted(lines: int) -> Part:
    return Part(" ", f"… ({lines} more lines)", lines)


def _hunks_of_lines(olds: Sequence[str], news: Sequence[str]) -> tuple[list[_Hunk], _Hunk | None]:
    """The runs of changes, and what is too much to be compared: all from the last of them on."""
    shorter = min(len(olds), len(news))
    head = next((at for at in range(shorter) if olds[at] != news[at]), shorter)
    longest = shorter - head
    tail = next((at for at in range(longest) if olds[-1 - at] != news[-1 - at]), longest)
    old_end, new_end = len(olds) - tail, len(news) - tail
    if max(old_end, new_end) - head <= _LINES_AT_MOST:
        return list(_hunks(olds, news)), None
    old_to, new_to = min(old_end, head + _LINES_AT_MOST), min(new_end, head + _LINES_AT_MOST)
    found = [
        (range(head + gone.start, head + gone.stop), range(head + come.start, head + come.stop))
        for gone, come in _hunks(olds[head:old_to], news[head:new_to])
    ]
    # The last one may only be what the others began to be paired with further on.
    if len(found) > 1 and (found[-1][0].stop == old_to or found[-1][1].stop == new_to):
        gone, come = found.pop()
        old_to, new_to = gone.start, come.start
    return found, (range(old_to, old_end), range(new_to, new_end))


def _unchanged_lines(
    lines: Sequence[str], head: int, tail: int, limit: int | None
) -> Iterator[Part]:
    """The first and the last of them, which are next to a change, and how many there are besides;
    all of them where the number would take as much room."""
    left_out = len(lines) - head - tail
    if left_out < 2:
        head, tail, left_out = len(lines), 0, 0
    # None of them may look like one that is gone or new.
    told = [
        Part(" ", _short(_line(each, quoted=each.startswith(_LIKE_A_MARK)), limit))
        for each in (*lines[:head], *lines[len(lines) - tail :])
    ]
    if left_out:
        told.insert(head, Part(" ", f"… ({left_out} unchanged)"))
    yield from told


def _lines(text: str) -> list[str]:
    """Whether the last of them ends in a newline is told apart."""
    return text.removesuffix("\n").split("\n") if text else []


def _line_ends(text: str) -> str:
    """``LF``, ``CRLF``, ``mixed``, or nothing for a text of one line."""
    breaks, both = text.count("\n"), text.count("\r\n")
    if text.count("\r") != both or both not in (0, breaks):
        return "mixed"
    return ("CRLF" if both else "LF") if breaks else ""


def _squeezed(text: str) -> str:
    return "".join(text.split())


def _line(text: str, *, quoted: bool = False) -> str:
    """A line as it is, or as a literal where that could deceive: what ends in a blank, is nothing
    but blanks, holds what is not seen, or looks like a literal or a remark itself."""
    plain, seen = text, text.isascii() and text.isprintable()
    if not seen:
        plain = text.expandtabs(4)
        seen = clean(plain) == plain
    told = seen and plain == plain.rstrip() and plain[:1] not in ("", '"', "…", "(")
    return literal(text) if quoted or not told else plain


def _parts_of_lists(
    old: Sequence[Value], new: Sequence[Value], limit: int | None
) -> Iterator[Part]:
    olds: list[Hashable] = list(map(exact_key, old))
    # What is not known yet is none of those that were there.
    news: list[Hashable] = [
        ("later", at) if has_unknown(each) else exact_key(each) for at, each in enumerate(new)
    ]
    hunks = list(_hunks(olds, news))
    became = _became(old, new, hunks)
    lives_on = set(became.values())
    at = unchanged = 0
    for gone, come in hunks:
        unchanged += gone.start - at
        found = [
            *_gone_and_new(
                [_whole(old[each], limit) for each in gone if each not in lives_on],
                [_whole(new[each], limit) for each in come if each not in became],
                limit,
            ),
            *(
                part
                for each in come
                if each in became
                for part in _element(
                    old[became[each]],
                    new[each],
                    "" if became[each] in gone else " (from another position)",
                    limit,
                )
            ),
        ]
        if found:
            yield from _unchanged(unchanged)
            yield from found
            unchanged = 0
        at = gone.stop
    yield from _unchanged(unchanged + len(old) - at)


def _whole(value: Value, limit: int | None) -> str:
    """All of an element; of an object too long for a line at least what is not empty in it."""
    text = literal(value)
    if limit is None or columns(text) <= limit or not isinstance(value, Mapping):
        return text
    full = {key: each for key, each in value.items() if each not in _EMPTY}
    return text if len(full) == len(value) else f"{literal(full)[:-1]}, …}}"


def _became(
    old: Sequence[Value], new: Sequence[Value], hunks: Sequence[_Hunk]
) -> Mapping[int, int]:
    """Which new objects are old ones that changed: by position in ``new``, that in ``old``.

    The most alike are paired first, of two that are as alike those nearer to each other. A set is
    sorted anew when an object of it changes, so that may turn up anywhere.
    """
    gone = [(at, run) for run, (ats, _) in enumerate(hunks) for at in ats if _is_map(old[at])]
    come = [(at, run) for run, (_, ats) in enumerate(hunks) for at in ats if _is_map(new[at])]
    if len(gone) * len(come) > _COMPARE_AT_MOST:
        return {}
    candidates = sorted(
        (-_likeness(old[one], new[other]), abs(run - other_run), abs(one - other), one, other)
        for one, run in gone
        for other, other_run in come
    )
    found: dict[int, int] = {}
    for unlike, _, _, one, other in candidates:
        if unlike <= -_ALIKE and other not in found and one not in found.values():
            found[other] = one
    return found


def _likeness(one: Value, other: Value) -> float:
    """Of two maps, from 0 to 1; more where they have one name, and most where nothing but their
    position changed. What is empty on both sides tells nothing."""
    if same(one, other):
        return 3
    ones, others = _as_map(one), _as_map(other)
    if any(ones.get(name) and same(ones.get(name), others.get(name)) for name in _NAMES):
        return 2
    telling = [name for name in {**ones, **others} if ones.get(name) or others.get(name)]
    alike = sum(same(ones.get(name, ABSENT), others.get(name, ABSENT)) for name in telling)
    return alike / len(telling) if telling else 0


def _element(old: Value, new: Value, remark: str, limit: int | None) -> Iterator[Part]:
    """An object that changed within a list, told by what differs and by the name that it has."""
    places = _places(old, new)
    if not places:
        yield Part("~", _short(_whole(new, _less(limit, remark)), _less(limit, remark)) + remark)
        return
    changed = {place.path[0] for place in places}
    named = [
        f"{name}: {literal(value)}"
        for name, value in _as_map(new).items()
        if name in _NAMES and value and name not in changed
    ]
    told = [_inline(place) for place in places]
    inline = "{" + ", ".join([*named, *filter(None, told)]) + "}" + remark
    if None not in told and columns(inline) <= (limit or _INLINE):
        yield Part("~", inline)
    else:
        yield Part("~", _short("{" + ", ".join([*named, "…"]) + "}" + remark, limit))
        yield from _indented(_parts_of_places(places, _less(limit, _STEP)))


def _parts_of_maps(
    old: Mapping[str, Value], new: Mapping[str, Value], limit: int | None
) -> Iterator[Part]:
    places = _places(old, new)
    yield from _parts_of_places(places, limit)
    yield from _unchanged(len({**old, **new}.keys() - {place.path[0] for place in places}))


def _places(old: Value, new: Value) -> list[Difference]:
    """Where two maps differ. To ``differences`` they would be objects, whose attributes are null
    when they are missing; in a map that is not the same, so they are given as values of one."""
    within = differences({"": old}, {"": old}, {"": new})
    return [replace(each, path=each.path[1:]) for each in within]


def _parts_of_places(places: Iterable[Difference], limit: int | None) -> Iterator[Part]:
    for place in places:
        inline = _inline(place)
        if inline is not None and columns(inline) <= (limit or _INLINE):
            mark = "+" if place.real is ABSENT else "-" if place.planned is ABSENT else "~"
            yield Part(mark, inline)
        else:
            yield from _place(place, limit)


def _inline(place: Difference) -> str | None:
    """A place on one line; None for a text of several, which is compared line by line."""
    sides = [side for side in (place.real, place.planned) if side is not ABSENT]
    if any(isinstance(side, str) and "\n" in side for side in sides):
        return None
    return _label(place) + " → ".join(literals(sides))


def _place(place: Difference, limit: int | None) -> Iterator[Part]:
    """A place that needs more than a line."""
    label = _label(place)
    if limit is not None:
        label = cut_middle(label, limit // 2)
    if label and (inner := parts(place.real, place.planned, limit=_less(limit, _STEP))) is not None:
        yield Part("~", label.rstrip())
        yield from _indented(inner)
        return
    gone, new = ([] if side is ABSENT else [literal(side)] for side in (place.real, place.planned))
    for part in _gone_and_new(gone, new, _less(limit, label)):
        yield Part(part.mark, label + part.text)


def _label(place: Difference) -> str:
    return f"{clean(spelled(place.path))}: " if place.path else ""


def _indented(inner: Iterable[Part]) -> Iterator[Part]:
    return (replace(part, text=_STEP + part.text) for part in inner)


def _less(limit: int | None, beside: str) -> int | None:
    """What is left of a line to what stands beside that."""
    return None if limit is None else max(_NARROWEST, limit - columns(beside))


def _gone_and_new(gone: Sequence[str], new: Sequence[str], limit: int | None) -> Iterator[Part]:
    if limit is not None and len(gone) == len(new):
        # As many of both: each was cut to show how it differs from what became of it.
        pairs = [cut_values(pair, limit) for pair in zip(gone, new, strict=True)]
        gone, new = [one for one, _ in pairs], [other for _, other in pairs]
    yield from (Part("-", _short(each, limit)) for each in gone)
    yield from (Part("+", _short(each, limit)) for each in new)


def _short(text: str, limit: int | None) -> str:
    return text if limit is None else cut_values([text], limit)[0]


def _unchanged(count: int) -> list[Part]:
    return [Part(" ", f"({count} unchanged)")] if count else []


def _is_map(value: Value) -> bool:
    return isinstance(value, Mapping)


def _as_map(value: Value) -> Mapping[str, Value]:
    return value if isinstance(value, Mapping) else {}


def _is_list(value: Value) -> TypeGuard[Sequence[Value]]:
    return isinstance(value, Sequence) and not isinstance(value, str)
