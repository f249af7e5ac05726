"""Strings that hold YAML: cloud-init, manifests of Kubernetes, values of Helm.

Read only so that two of them can be compared place by place; to the engine each is one text, and
each character of it counts. So whatever such a comparison would not tell makes it no YAML here, and
the texts are compared line by line instead: a changed comment (``#cloud-config`` is one that
matters), one number written in two ways (``1.10`` and ``1.1``), a text that means something else
without its quotes (``yes``).

Read from the parser's events, and no deeper than DEEPEST, so nothing can exhaust the stack. YAML
is no format of plans: its library is loaded when a text looks like it.
"""

from __future__ import annotations

import re
from collections.abc import Hashable, Iterator, Sequence
from decimal import Decimal
from typing import TYPE_CHECKING

from driftctl_py.core.values import DEEPEST, Json, exact_key

if TYPE_CHECKING:
    from yaml import Event, ScalarEvent

LARGEST = 256 * 1024

# What is a line's end to YAML alone, what a parser skips or refuses, and half of a character.
_ODD_CHARACTER = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff\ufeff\ufffe\uffff]"
)
# The first line that is neither empty nor a comment is an entry, an element, or opens a bracket.
_BEGINS_LIKE_IT = re.compile(
    r"(?:[ \t]*(?:#[^\n]*)?\n|---[ \t]*\n)*+[ \t]*(?:-[ \t\n]|[{\[]|[^\s#][^\n]*:(?:[ \t\n]|\Z))"
)
_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?")
# Text to YAML 1.1 or to YAML 1.2, and a boolean or a number to the other.
_TEXT_TO_SOME = re.compile(
    r"[yYnN]|[-+]?(?:0o[0-7]+|0x[0-9a-fA-F]+|(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?)"
)
_TEXT = "tag:yaml.org,2002:str"
_NOTHING = ("", "~", "null", "Null", "NULL")
_BOOLEANS = {
    "true": True,
    "True": True,
    "TRUE": True,
    "false": False,
    "False": False,
    "FALSE": False,
}


def yaml_inside(texts: Sequence[str]) -> list[Json] | None:
    """The object or list that each version of a text holds as YAML; None where one of them holds
    none, or where comparing what they hold would not tell in what they differ.

    Numbers, booleans and null are what YAML 1.2 calls so; what YAML 1.1 sees differently stays
    the text that it is.
    """
    versions = dict.fromkeys(texts)
    if not all(map(_looks_like_it, versions)) or len(set(map(_comments, versions))) > 1:
        return None
    spelled: dict[Hashable, str] = {}
    found: dict[str, Json] = {}
    for text in versions:
        try:
            found[text] = _Reader(text, spelled).document()
        except _Unfit:
            return None
    return [found[text] for text in texts]


class _Unfit(ValueError):
    """Not YAML, or not YAML of the plain kind that can be compared place by place."""


def _looks_like_it(text: str) -> bool:
    return (
        "\n" in text
        and len(text) <= LARGEST
        and not _ODD_CHARACTER.search(text)
        and bool(_BEGINS_LIKE_IT.match(text))
        and len(text.encode()) <= LARGEST
    )


def _comments(text: str) -> tuple[str, ...]:
    """All lines that may be or end in a comment."""
    return tuple(line for line in text.split("\n") if "#" in line)


class _Reader:
    """Reads one version. ``spelled`` is shared by all: how each value that can be written in
    more than one way is written."""

    def __init__(self, text: str, spelled: dict[Hashable, str]) -> None:
        # More than 20 ms, which no plan without YAML should pay.
        import yaml

        self._yaml = yaml
        self._resolver = yaml.resolver.Resolver()
        self._spelled = spelled
        # libyaml is about ten times faster; both give the same events.
        loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
        self._events: Iterator[Event] = yaml.parse(text, Loader=loader)

    def document(self) -> Json:
        """The only document, which has to be an object or a list."""
        yaml = self._yaml
        try:
            next(self._events)  # the stream's own beginning
            start = next(self._events)
            if not isinstance(start, yaml.DocumentStartEvent) or start.version or start.tags:
                raise _Unfit
            found = self._node(next(self._events), 0)
            next(self._events)  # the document's end
            if not isinstance(next(self._events), yaml.StreamEndEvent):
                raise _Unfit
        except (yaml.YAMLError, ValueError, OverflowError) as error:
            # The pure Python parser lets chr() complain about absurd escapes.
            raise _Unfit from error
        if not isinstance(found, dict | list):
            raise _Unfit
        return found

    def _node(self, event: Event, level: int) -> Json:
        yaml = self._yaml
        if isinstance(event, yaml.ScalarEvent):
            return self._scalar(*self._text(event))
        # An alias, or what has a name for one, a type of its own, or too much above it.
        if not isinstance(event, yaml.CollectionStartEvent) or (
            event.anchor or event.tag or level == DEEPEST
        ):
            raise _Unfit
        if isinstance(event, yaml.SequenceStartEvent):
            elements: list[Json] = []
            while not isinstance(event := next(self._events), yaml.SequenceEndEvent):
                elements.append(self._node(event, level + 1))
            return elements
        members: dict[str, Json] = {}
        while not isinstance(event := next(self._events), yaml.MappingEndEvent):
            key = self._key(event)
            if key in members:
                raise _Unfit
            members[key] = self._node(next(self._events), level + 1)
        return members

    def _key(self, event: Event) -> str:
        if not isinstance(event, self._yaml.ScalarEvent):
            raise _Unfit
        text, plain = self._text(event)
        if plain and self._is_more_than_text(text):
            raise _Unfit
        return text

    def _text(self, event: ScalarEvent) -> tuple[str, bool]:
        """And whether it is plain, which is neither in quotes nor a block."""
        if event.anchor or event.tag:
            raise _Unfit
        return event.value, event.implicit[0]

    def _scalar(self, text: str, plain: bool) -> Json:
        if not self._is_more_than_text(text):
            return text
        if not plain:
            # A quoted number differs from a number anyway; a quoted "on" from on only here.
            self._keep_apart(text, "quoted")
            return text
        if text in _NOTHING:
            return None
        if text in _BOOLEANS:
            return _BOOLEANS[text]
        if _NUMBER.fullmatch(text):
            number = Decimal(text) if "." in text else int(text)
            self._keep_apart(exact_key(number), text)
            return number
        self._keep_apart(text, "plain")
        return text

    def _is_more_than_text(self, text: str) -> bool:
        """Is it something else than a text to any reader of YAML, when not in quotes?"""
        # The library's types leave this one out.
        tag = self._resolver.resolve(self._yaml.ScalarNode, text, (True, False))  # type: ignore[no-untyped-call]
        return tag != _TEXT or bool(_TEXT_TO_SOME.fullmatch(text))

    def _keep_apart(self, value: Hashable, spelling: str) -> None:
        if self._spelled.setdefault(value, spelling) != spelling:
            raise _Unfit
