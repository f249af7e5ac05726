"""Taking secrets out, before anything is kept or shown.

A plan holds every secret in plain text, and beside each value a mirror that says where the
secrets are: ``true``, ``false``, or the value's own shape with ``true`` in places. ``redact`` puts
a mark in each such place. It fails closed: where a mirror does not fit its value, all of that
value goes.

What was a secret on one side is one on the other: a value that stops being sensitive is the same
value, so the mirrors of all snapshots of an object count for each of them. Elements of lists are
not paired by position there, since a set is spelled as a list: what one snapshot hides in any
element, the others hide in every one.

And what a provider echoes, it echoes unmarked: ``terraform_data.output`` holds its sensitive
input in plain text. So a text that repeats a secret of the same object goes as well, or a part of
one: a key of a secret map, a value in a secret document or in a list of settings. Short parts occur
elsewhere by chance, so what is shorter than eight characters counts where it is all of a value, and
below four (or a number of less than six digits) not at all. The same goes for what a user's masks
hide.
"""

from __future__ import annotations

import json
import re
from collections.abc import Hashable, Iterator, Sequence, Set
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, TypeAlias

from driftctl_py.core.masks import Masks, inside, masked
from driftctl_py.core.plan import Path
from driftctl_py.core.values import (
    UNKNOWN,
    Mark,
    Secrets,
    Value,
    exact_key,
    is_list,
    is_map,
    json_inside,
)

# Any: JSON as the engine wrote it. A mirror is meant to hold only true, false, {} and [], but
# nothing here relies on it.
Decoded: TypeAlias = Any
Mirror: TypeAlias = Any

# A mirror without what it leaves visible. A list holds one element, which stands for all.
_Hidden: TypeAlias = "bool | dict[str, _Hidden] | list[_Hidden] | None"

# A shorter text occurs in others by chance: "prod" is no secret because one tag was.
_TELLING = 6
# As long as "#!/bin/bash" is no secret either.
_TELLING_LINE = 16
# A key, or what a line holds beside spaces and a name.
_TELLING_PART = 8
# What is the same as a whole is more than chance, even where it is short.
_TELLING_WHOLE = 4
_TELLING_NUMBER = 1000
# Within a secret are ports and sizes too.
_TELLING_NUMBER_INSIDE = 100_000
# So many texts are looked for one by one.
_FEW = 50

# NAME=value, export NAME="value", name: value, - value. Names are short; nothing backtracks.
_ASSIGNED = re.compile(
    r"""(?:export[ \t]+|-[ \t]+)?+(?:[\w.-]{1,128}+[ \t]*+(?:=|:(?=[ \t])))?+[ \t]*+(.*)""",
    re.DOTALL,
)
# The attributes of a block; of a set of blocks one secret makes all of it one.
_NAME_IN_A_SCHEMA = re.compile(r"[a-z]+(?:_[a-z]+)*+")


def redact(
    snapshots: Sequence[tuple[Decoded, Mirror]],
    secrets: Secrets,
    masks: Masks = (),
    *,
    is_object: bool = True,
    echoes: Echoes | None = None,
) -> list[Value]:
    """The snapshots of one object, each given with its own mirror, without what any of these
    mirrors calls sensitive, and without what ``masks`` hide, all of which fit its address.

    An output ``is_object`` in no case: it has a value, and no names given by a schema. ``echoes``
    learns of what was taken out.
    """
    hidden: _Hidden = None
    # Two sides often share one mirror.
    for mirror in {id(mirror): mirror for _, mirror in snapshots}.values():
        hidden = _union(hidden, _hidden(mirror))
    taker = _Taker(secrets)
    found = [_redact(value, own, hidden, taker) for value, own in snapshots]
    if masks:
        below = None if is_object else ()
        found = [masked(value, masks, taker.take, below=below) for value in found]
    if not taker.texts and not taker.wholes:
        return found
    if echoes is not None:
        echoes.learn(taker.texts, taker.wholes)
    known = _known(taker.texts, taker.wholes)
    if is_object:
        return [_members_without_echoes(value, known, secrets) for value in found]
    return [_without_echoes(value, known, secrets) for value in found]


def with_unknown(value: Decoded, mirror: Mirror) -> Decoded:
    """``value`` with a mark in each place that its ``after_unknown`` calls unknown.

    Such places are missing from objects and maps, and ``null`` in lists.
    """
    if not hides_anything(mirror):
        return value
    if isinstance(mirror, dict) and isinstance(value, dict):
        unknown = {
            key: with_unknown(value.get(key), each)
            for key, each in mirror.items()
            if key in value or hides_anything(each)
        }
        return {**value, **unknown}
    if isinstance(mirror, list) and isinstance(value, list) and len(mirror) == len(value):
        return [with_unknown(*pair) for pair in zip(value, mirror, strict=True)]
    return UNKNOWN


def hides_anything(mirror: Mirror) -> bool:
    """Is there a ``true`` in it (or anything else that has no business in a mirror)?"""
    if isinstance(mirror, dict):
        return any(map(hides_anything, mirror.values()))
    if isinstance(mirror, list):
        return any(map(hides_anything, mirror))
    return mirror is not None and mirror is not False


def places_hidden(mirror: Mirror, path: Path = ()) -> Iterator[Path]:
    """Each place that it hides; below these it says nothing."""
    if isinstance(mirror, dict):
        for name, each in mirror.items():
            yield from places_hidden(each, (*path, name))
    elif isinstance(mirror, list):
        for index, each in enumerate(mirror):
            yield from places_hidden(each, (*path, index))
    elif hides_anything(mirror):
        yield path


def hide_alike(one: Mirror, other: Mirror) -> bool:
    """Do two mirrors hide the same places?"""
    return one is other or _hidden(one) == _hidden(other)


class Echoes:
    """Secrets of a whole plan, to be found where no mirror says anything: in code, in messages."""

    def __init__(self) -> None:
        self._texts: set[str] = set()
        self._wholes: set[Hashable] = set()
        self._known: _Known | None = None

    def learn(self, texts: Set[str], wholes: Set[Hashable]) -> None:
        self._texts |= texts
        self._wholes |= wholes
        self._known = None

    def __bool__(self) -> bool:
        return bool(self._texts or self._wholes)

    def without(self, value: Value, secrets: Secrets) -> Value:
        """``value`` without what repeats one of them."""
        if self._known is None:
            self._known = _known(self._texts, self._wholes)
        return _without_echoes(value, self._known, secrets)


class _Taker:
    """Takes secrets out, and remembers the texts in them, and what they are as a whole, for as long
    as one object lasts."""

    __slots__ = ("secrets", "texts", "wholes")

    def __init__(self, secrets: Secrets) -> None:
        self.secrets = secrets
        self.texts: set[str] = set()
        self.wholes: set[Hashable] = set()

    def take(self, value: Decoded) -> Value:
        if _tells(value):
            self.wholes.add(exact_key(value))
            if not isinstance(value, str | list | dict):
                self._note_part(_spelled(value))
        self._note(value)
        return self.secrets.mark(value)

    def _note(self, value: Decoded, *, in_list: bool = False, held: bool = False) -> None:
        """All that is in it. ``in_list`` says that a map may be a block, ``held`` that a text held
        it: in there YAML is not looked for again, since each level would be read once more."""
        if isinstance(value, str):
            if len(value) >= _TELLING:
                self.texts.add(value)
            for part in _parts(value):
                self._note_part(part)
            # Who takes a secret document apart echoes its parts.
            self._note(json_inside(value) if held else inside(value), held=True)
        elif isinstance(value, dict):
            for key, each in value.items():
                if not (in_list and _NAME_IN_A_SCHEMA.fullmatch(key)):
                    self._note_part(key)
                self._note(each, held=held)
        elif isinstance(value, list):
            for each in value:
                self._note(each, in_list=True, held=held)
        elif isinstance(value, int | Decimal) and abs(Decimal(value)) >= _TELLING_NUMBER_INSIDE:
            self.wholes.add(exact_key(value))
            self._note_part(_spelled(value))

    def _note_part(self, part: str) -> None:
        if len(part) >= _TELLING_PART:
            self.texts.add(part)
        elif len(part) >= _TELLING_WHOLE:
            self.wholes.add(part)


@dataclass(frozen=True, slots=True)
class _Known:
    """What an echo is known by: texts that it holds, or all of it."""

    texts: _Texts
    wholes: Set[Hashable]
    # Is one of them no text? To ask costs most of maps, which are asked at each level.
    others: bool


class _Texts:
    """Texts to be looked for. One by one that is quickest as long as they are few; else by how they
    begin."""

    __slots__ = ("all", "by_start")

    def __init__(self, texts: Set[str]) -> None:
        self.all = texts
        self.by_start: dict[str, list[str]] | None = None
        if len(texts) > _FEW:
            self.by_start = {}
            for text in texts:
                self.by_start.setdefault(text[:_TELLING], []).append(text)

    def within(self, value: str) -> bool:
        if self.by_start is None:
            # No generator: this is asked of every text beside a secret.
            return any(map(value.__contains__, self.all))
        starts = [value[at : at + _TELLING] for at in range(len(value) - _TELLING + 1)]
        if self.by_start.keys().isdisjoint(starts):
            return False
        return any(
            value.startswith(text, at)
            for at, start in enumerate(starts)
            for text in self.by_start.get(start, ())
        )


def _known(texts: Set[str], wholes: Set[Hashable]) -> _Known:
    spelled = frozenset(spelling for text in texts for spelling in _spellings(text))
    others = any(not isinstance(each, str) for each in wholes)
    return _Known(_Texts(spelled), frozenset(wholes), others)


def _tells(value: Decoded) -> bool:
    """Would somebody who finds just that elsewhere know that it is the secret? ``true``, ``2`` and
    ``[]`` are everywhere."""
    if isinstance(value, bool) or value is None or isinstance(value, Mark):
        return False
    if isinstance(value, str | list | dict):
        return len(value) >= (_TELLING_WHOLE if isinstance(value, str) else 1)
    return abs(value) >= _TELLING_NUMBER  # type: ignore[no-any-return]  # an int or a Decimal


def _spelled(number: int | Decimal) -> str:
    # By way of Decimal, since Python refuses to spell an int of more than 4300 digits.
    return str(Decimal(number))


def _redact(value: Decoded, own: Mirror, theirs: _Hidden, taker: _Taker) -> Value:
    nothing_of_its_own = not own and (own is None or own is False or isinstance(own, dict | list))
    if nothing_of_its_own and theirs is None:
        return value  # type: ignore[no-any-return]  # decoded JSON is a Value
    if isinstance(value, dict):
        if (nothing_of_its_own or isinstance(own, dict)) and (
            theirs is None or isinstance(theirs, dict)
        ):
            mine, others = own or {}, theirs or {}
            return {
                key: _redact(each, mine.get(key), others.get(key), taker)
                if key in mine or key in others
                else each
                for key, each in value.items()
            }
    elif isinstance(value, list):
        fits = isinstance(own, list) and len(own) >= len(value)
        if (nothing_of_its_own or fits) and (theirs is None or isinstance(theirs, list)):
            (every,) = theirs or (None,)
            return [
                _redact(each, own[index] if own else None, every, taker)
                for index, each in enumerate(value)
            ]
    elif (
        # null has no members: a mirror with a shape speaks of another snapshot, or of nothing.
        (value is None or isinstance(value, Mark))
        and (nothing_of_its_own or isinstance(own, dict | list))
        and theirs is not True
    ):
        return value
    return taker.take(value)


def _hidden(mirror: Mirror) -> _Hidden:
    if mirror is None or mirror is False:
        return None
    if isinstance(mirror, dict):
        members = {key: _hidden(each) for key, each in mirror.items()}
        return {key: each for key, each in members.items() if each is not None} or None
    if isinstance(mirror, list):
        every: _Hidden = None
        for each in mirror:
            every = _union(every, _hidden(each))
        return None if every is None else [every]
    return True


def _union(one: _Hidden, other: _Hidden) -> _Hidden:
    if one is None or other is None:
        return other if one is None else one
    if isinstance(one, dict) and isinstance(other, dict):
        return {key: _union(one.get(key), other.get(key)) for key in one.keys() | other.keys()}
    if isinstance(one, list) and isinstance(other, list):
        return [_union(one[0], other[0])]
    # Different shapes: no telling which members are meant.
    return True


def _parts(text: str) -> Iterator[str]:
    """What the lines of a text hold: a word, or what is assigned to a name."""
    for line in map(str.strip, text.splitlines()):
        found = _ASSIGNED.fullmatch(line)
        # Sentences and commands are told by their length alone; see _spellings.
        if found and not line.startswith(("#", "//")) and (found.start(1) or " " not in line):
            yield found[1].rstrip(",;").strip("\"'")


def _spellings(text: str) -> Iterator[str]:
    """As it is, as it is within JSON or YAML, and line by line, as where it was indented."""
    lines = [line.strip() for line in text.splitlines()]
    for each in (text, *(line for line in lines if len(line) >= _TELLING_LINE)):
        yield each
        yield each.replace("'", "''")
        for ascii_only in (True, False):
            escaped = json.dumps(each, ensure_ascii=ascii_only)[1:-1]
            yield escaped
            # The engine's own spelling, jsonencode().
            yield escaped.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


def _members_without_echoes(value: Value, known: _Known, secrets: Secrets) -> Value:
    """An object's own names are its schema's: ``password`` is no echo of a bad password."""
    if is_map(value):
        return {key: _without_echoes(each, known, secrets) for key, each in value.items()}
    return _without_echoes(value, known, secrets)


def _without_echoes(value: Value, known: _Known, secrets: Secrets) -> Value:
    if isinstance(value, str):
        echoes = value in known.wholes or _echoes(value, known.texts)
        return secrets.mark(value) if echoes else value
    # Whatever else is secret: these are everywhere, see _tells.
    if value is None or isinstance(value, bool):
        return value
    if known.others and exact_key(value) in known.wholes:
        return secrets.mark(value)
    if is_map(value):
        if any(map(known.texts.within, value)):
            return secrets.mark(value)
        return {key: _without_echoes(each, known, secrets) for key, each in value.items()}
    if is_list(value):
        return [_without_echoes(each, known, secrets) for each in value]
    if isinstance(value, int | Decimal) and abs(Decimal(value)) >= _TELLING_NUMBER:
        text = _spelled(value)
        return secrets.mark(value) if text in known.wholes or text in known.texts.all else value
    return value


def _echoes(value: Value, texts: _Texts) -> bool:
    if isinstance(value, str):
        if texts.within(value):
            return True
        # Escapes can spell anything in many ways.
        held = json_inside(value)
        return held is not None and _echoes(held, texts)
    if is_map(value):
        return any(_echoes(key, texts) or _echoes(each, texts) for key, each in value.items())
    return is_list(value) and any(_echoes(each, texts) for each in value)
