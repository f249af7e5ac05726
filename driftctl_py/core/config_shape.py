"""Shapes: what a node of the configuration must look like, and the JSON Schema that says so.

One description serves both the decoder and the editor's completion, so the two cannot disagree.
A shape reads a node, notes everything that is wrong with it, and goes on; nothing is raised.
Which keys there are is said in `config_schema.py`.
"""

from __future__ import annotations

import difflib
import math
import re
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from driftctl_py.core.config_values import Refusal, shown
from driftctl_py.core.config_yaml import Items, Kind, Node, Scalar, Table
from driftctl_py.core.values import Json
from driftctl_py.errors import Problem

Schema = dict[str, Json]

_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")
_INTEGER = re.compile(r"-?(0|[1-9][0-9]{0,999})")
_DECIMAL = re.compile(r"-?(0|[1-9][0-9]{0,99})(\.[0-9]{1,99})?([eE][-+]?[0-9]{1,3})?")


class Missing:
    """Stands for a value that could not be read; why is in the notes."""


MISSING: Final = Missing()


@dataclass(slots=True)
class Notes:
    """The problems found so far."""

    filename: str
    problems: list[Problem] = field(default_factory=list)

    def add(self, line: int, what: str, todo: str) -> Missing:
        self.problems.append(Problem(self.filename, line, what, todo))
        return MISSING


def did_you_mean(text: str, known: Iterable[str]) -> str:
    """``Did you mean `interval`? `` with a space after it, or nothing."""
    close = difflib.get_close_matches(text[:100], list(known), n=1)
    return f"Did you mean `{close[0]}`? " if close else ""


class Shape(ABC):
    """What a node must look like."""

    # Any: each shape gives its own type, and the builders in config_schema.py, which alone
    # receive the values, put them into typed dataclasses at once.
    @abstractmethod
    def read(self, node: Node, where: str, notes: Notes) -> Any:
        """The value, or MISSING after a note."""

    @abstractmethod
    def schema(self) -> Schema:
        """The same as JSON Schema."""


@dataclass(frozen=True, slots=True)
class Text(Shape):
    """A string. ``pattern`` is for the schema and, without ``check``, for the decoder as well;
    ``check`` returns the value or raises Refusal. A ``secret`` value is never shown. ``also``:
    what YAML takes for one of these is text as well."""

    expected: str
    check: Callable[[str], Any] | None = None
    pattern: str | None = None
    secret: bool = False
    may_be_empty: bool = False
    examples: tuple[str, ...] = ()
    also: tuple[Kind, ...] = ()

    def read(self, node: Node, where: str, notes: Notes) -> Any:
        if not isinstance(node, Scalar):
            return wrong_shape(node, where, self.expected, notes)
        if not self._is_text(node, where, notes):
            return MISSING
        text = node.text
        if not text and not self.may_be_empty:
            return notes.add(
                node.line,
                f"{where} is empty, but {self.expected} is expected.",
                "Give it a value, or remove the key.",
            )
        value = "a value that is not shown" if self.secret else shown(text)
        if control := _CONTROL.search(text):
            return notes.add(
                node.line,
                f"{where} holds the control character U+{ord(control[0]):04X}, for example a line "
                "break.",
                "Write the value on one line, without special characters.",
            )
        try:
            if self.check is not None:
                return self.check(text)
        except Refusal as refusal:
            return notes.add(node.line, refusal.sentence(where, value), refusal.todo)
        if self.pattern is not None and re.fullmatch(self.pattern, text) is None:
            example = f", for example {self.examples[0]}" if self.examples else ""
            return notes.add(
                node.line,
                f"{where} is {value}, which is not {self.expected}.",
                f"Write {self.expected}{example}.",
            )
        return text

    def schema(self) -> Schema:
        found: Schema = {"type": "string"}
        if self.pattern is not None:
            found["pattern"] = self.pattern
        elif not self.may_be_empty:
            found["minLength"] = 1
        if self.examples:
            found["examples"] = list(self.examples)
        return found

    def _is_text(self, node: Scalar, where: str, notes: Notes) -> bool:
        if node.kind is Kind.TEXT or node.kind in self.also:
            return True
        if node.kind is Kind.NOTHING:
            notes.add(
                node.line,
                f"{where} has no value, but {self.expected} is expected.",
                "Give it a value, or remove the key.",
            )
            return False
        if self.check is not None and node.kind is Kind.NUMBER and not self.secret:
            try:
                self.check(node.text)
            except Refusal as refusal:
                # A length of time without a unit: to quote the number would not help.
                notes.add(node.line, f"{where} is {shown(node.text)}, {refusal.why}.", refusal.todo)
                return False
        value = "a value that is not shown" if self.secret else f"`{node.text[:60]}`"
        quoted = "the value" if self.secret else f"it: {shown(node.text)}"
        notes.add(
            node.line,
            f"{where} is {value}, which YAML reads as {node.kind.value}, but {self.expected} "
            "is expected.",
            f"Quote {quoted}.",
        )
        return False


@dataclass(frozen=True, slots=True)
class Choice(Shape):
    """One of a few words. ``hints`` are for others that somebody might try."""

    words: tuple[str, ...]
    hints: Mapping[str, str] = field(default_factory=dict)

    def read(self, node: Node, where: str, notes: Notes) -> Any:
        expected = f"one of {', '.join(self.words)}"
        if not isinstance(node, Scalar):
            return wrong_shape(node, where, expected, notes)
        if node.text in self.words:
            return node.text
        return notes.add(
            node.line,
            f"{where} is {shown(node.text)}, but {expected} is expected.",
            self.hints.get(node.text) or f"{did_you_mean(node.text, self.words)}Choose {expected}.",
        )

    def schema(self) -> Schema:
        return {"enum": list(self.words)}


@dataclass(frozen=True, slots=True)
class Flag(Shape):
    """``true`` or ``false``, and none of YAML's other spellings."""

    def read(self, node: Node, where: str, notes: Notes) -> Any:
        if isinstance(node, Scalar) and node.kind is Kind.BOOLEAN and node.text in _BOOLEANS:
            return _BOOLEANS[node.text]
        if not isinstance(node, Scalar):
            return wrong_shape(node, where, "true or false", notes)
        return notes.add(
            node.line,
            f"{where} is {shown(node.text)}, but true or false is expected.",
            "Write true or false, without quotes.",
        )

    def schema(self) -> Schema:
        return {"type": "boolean"}


_BOOLEANS = {"true": True, "false": False}


@dataclass(frozen=True, slots=True)
class Whole(Shape):
    """A whole number within bounds."""

    least: int
    most: int

    def read(self, node: Node, where: str, notes: Notes) -> Any:
        expected = f"a whole number from {self.least} to {self.most}"
        if not isinstance(node, Scalar):
            return wrong_shape(node, where, expected, notes)
        if node.kind is Kind.NUMBER and _INTEGER.fullmatch(node.text):
            number = int(node.text)
            if self.least <= number <= self.most:
                return number
        return notes.add(
            node.line,
            f"{where} is {shown(node.text)}, but {expected} is expected.",
            "Write such a number, without quotes and without a leading zero.",
        )

    def schema(self) -> Schema:
        return {"type": "integer", "minimum": self.least, "maximum": self.most}


@dataclass(frozen=True, slots=True)
class Const(Shape):
    """One number and no other: the version of the format."""

    number: int

    def read(self, node: Node, where: str, notes: Notes) -> Any:
        if isinstance(node, Scalar) and node.kind is Kind.NUMBER and node.text == str(self.number):
            return self.number
        value = shown(node.text) if isinstance(node, Scalar) else _described(node)
        return notes.add(
            node.line,
            f"{where} is {value}, but this driftctl-py reads version {self.number} of the format.",
            f"Write `{where}: {self.number}`, or install a driftctl-py that is newer.",
        )

    def schema(self) -> Schema:
        return {"const": self.number}


@dataclass(frozen=True, slots=True)
class Listing(Shape):
    """A list whose items have one shape. ``wrap`` gets each value with its line."""

    item: Shape
    expected: str
    least: int = 0
    wrap: Callable[[Any, int], Any] | None = None
    unique: bool = True

    def read(self, node: Node, where: str, notes: Notes) -> Any:
        if not isinstance(node, Items):
            return wrong_shape(node, where, self.expected, notes)
        if len(node.nodes) < self.least:
            return notes.add(node.line, f"{where} is an empty list.", f"Give it {self.expected}.")
        found: list[Any] = []
        first_lines: dict[Any, int] = {}
        for number, item in enumerate(node.nodes):
            value = self.item.read(item, f"{where}[{number}]", notes)
            if value is MISSING:
                continue
            if self.unique and value in first_lines:
                notes.add(
                    item.line,
                    f"{where}[{number}] repeats {shown(str(value))} of line {first_lines[value]}.",
                    "Remove one of the two.",
                )
                continue
            if self.unique:
                first_lines[value] = item.line
            found.append(self.wrap(value, item.line) if self.wrap else value)
        return tuple(found)

    def schema(self) -> Schema:
        found: Schema = {"type": "array", "items": self.item.schema()}
        if self.least:
            found["minItems"] = self.least
        if self.unique:
            found["uniqueItems"] = True
        return found


@dataclass(frozen=True, slots=True)
class OneOrMore(Shape):
    """A list, or its only item by itself."""

    listing: Listing

    def read(self, node: Node, where: str, notes: Notes) -> Any:
        if not isinstance(node, Scalar):
            return self.listing.read(node, where, notes)
        value = self.listing.item.read(node, where, notes)
        return value if value is MISSING else (value,)

    def schema(self) -> Schema:
        return {"anyOf": [self.listing.item.schema(), self.listing.schema()]}


@dataclass(frozen=True, slots=True)
class Keyed(Shape):
    """A mapping whose keys the user chooses. ``wrap`` gets each value with its key and line."""

    key: Text
    value: Shape
    expected: str
    wrap: Callable[[Any, str, int], Any] | None = None
    may_be_empty: bool = True

    def read(self, node: Node, where: str, notes: Notes) -> Any:
        if not isinstance(node, Table):
            return wrong_shape(node, where, self.expected, notes)
        if not node.entries and not self.may_be_empty:
            return notes.add(
                node.line,
                f"{where} is an empty mapping.",
                f"Give it {self.expected}, or remove it.",
            )
        found: dict[str, Any] = {}
        for key, child in node.entries:
            name = self.key.read(key, f"the key of {where}", notes)
            value = self.value.read(child, f"{where}.{key.text[:60]}", notes)
            if name is not MISSING and value is not MISSING:
                found[name] = self.wrap(value, name, key.line) if self.wrap else value
        return found

    def schema(self) -> Schema:
        found: Schema = {
            "type": "object",
            "propertyNames": self.key.schema(),
            "additionalProperties": self.value.schema(),
        }
        if not self.may_be_empty:
            found["minProperties"] = 1
        return found


@dataclass(frozen=True, slots=True)
class Key:
    """A key of a Record. ``default`` is only told to the reader of the schema."""

    shape: Shape
    description: str
    required: bool = False
    default: Json = None


@dataclass(frozen=True, slots=True)
class Record(Shape):
    """A mapping with known keys. ``build`` gets the values by key, and what it needs to note
    that they do not go together; it runs only where all that is given could be read."""

    what: str
    keys: Mapping[str, Key]
    build: Callable[[Mapping[str, Any], int, str, Notes], Any] | None = None
    hints: Mapping[str, str] = field(default_factory=dict)

    def read(self, node: Node, where: str, notes: Notes) -> Any:
        if not isinstance(node, Table):
            return wrong_shape(node, where, self.what, notes)
        values, whole = self.read_keys(node, where, notes)
        if not whole:
            return MISSING
        return self.build(values, node.line, where, notes) if self.build else values

    def read_keys(self, node: Table, where: str, notes: Notes) -> tuple[dict[str, Any], bool]:
        """The values that could be read, and whether that is all of them."""
        values: dict[str, Any] = {}
        problems_before = len(notes.problems)
        for key, child in node.entries:
            path = f"{where}.{key.text}" if where else key.text
            known = self.keys.get(key.text)
            if known is None:
                self._note_unknown(key, where, notes)
                continue
            value = known.shape.read(child, path, notes)
            if value is not MISSING:
                values[key.text] = value
        given = {key.text for key, _ in node.entries}
        for name, key_spec in self.keys.items():
            if key_spec.required and name not in given:
                notes.add(
                    node.line,
                    f"{where or 'The file'} lacks the key `{name}`.",
                    f"Add it: {key_spec.description}",
                )
        return values, len(notes.problems) == problems_before

    def schema(self) -> Schema:
        properties: Schema = {}
        for name, key in self.keys.items():
            found: Schema = {"description": key.description, **key.shape.schema()}
            if key.default is not None:
                found["default"] = key.default
            properties[name] = found
        schema: Schema = {
            "type": "object",
            "additionalProperties": False,
            "properties": properties,
        }
        if required := [name for name, key in self.keys.items() if key.required]:
            schema["required"] = required
        return schema

    def _note_unknown(self, key: Scalar, where: str, notes: Notes) -> None:
        place = f" in {where}" if where else ""
        remedy = self.hints.get(key.text) or (
            f"{did_you_mean(key.text, self.keys)}Known here: {', '.join(self.keys)}."
        )
        notes.add(key.line, f"The key {shown(key.text)}{place} is not known.", remedy)


@dataclass(frozen=True, slots=True)
class Either(Shape):
    """A short form (one scalar) or a long one (a mapping)."""

    short: Shape
    long: Shape
    expected: str

    def read(self, node: Node, where: str, notes: Notes) -> Any:
        if isinstance(node, Scalar):
            return self.short.read(node, where, notes)
        if isinstance(node, Table):
            return self.long.read(node, where, notes)
        return wrong_shape(node, where, self.expected, notes)

    def schema(self) -> Schema:
        return {"anyOf": [self.short.schema(), self.long.schema()]}


@dataclass(frozen=True, slots=True)
class Kinds(Shape):
    """Mappings of two kinds: one has ``key``, the other has not."""

    key: str
    having: Record
    lacking: Record

    def read(self, node: Node, where: str, notes: Notes) -> Any:
        has = isinstance(node, Table) and any(key.text == self.key for key, _ in node.entries)
        return (self.having if has else self.lacking).read(node, where, notes)

    def schema(self) -> Schema:
        return {"anyOf": [self.lacking.schema(), self.having.schema()]}


@dataclass(frozen=True, slots=True)
class Named(Shape):
    """A shape that occurs often: the schema spells it once, under this name."""

    name: str
    shape: Shape

    def read(self, node: Node, where: str, notes: Notes) -> Any:
        return self.shape.read(node, where, notes)

    def schema(self) -> Schema:
        return {"$ref": f"#/$defs/{self.name}"}


@dataclass(frozen=True, slots=True)
class AnyJson(Shape):
    """Any value of JSON: what a variable of the engine may hold. Never shown in a message."""

    def read(self, node: Node, where: str, notes: Notes) -> Any:
        if isinstance(node, Scalar):
            return _json_scalar(node, where, notes)
        if isinstance(node, Items):
            read = [
                self.read(item, f"{where}[{number}]", notes)
                for number, item in enumerate(node.nodes)
            ]
            return MISSING if MISSING in read else read
        found: dict[str, Any] = {}
        for key, child in node.entries:
            if key.kind is not Kind.TEXT:
                notes.add(
                    key.line,
                    f"A key in {where} is `{key.text[:60]}`, which YAML reads as {key.kind.value}.",
                    f"Quote it: {shown(key.text)}.",
                )
            found[key.text] = self.read(child, f"{where}.{key.text[:60]}", notes)
        return MISSING if MISSING in found.values() else found

    def schema(self) -> Schema:
        return {}


def wrong_shape(node: Node, where: str, expected: str, notes: Notes) -> Missing:
    """Notes that a mapping stands where a list should, and the like."""
    return notes.add(
        node.line,
        f"{where or 'The file'} is {_described(node)}, but {expected} is expected.",
        f"Write {expected}.",
    )


def _described(node: Node) -> str:
    match node:
        case Items():
            return "a list"
        case Table():
            return "a mapping"
        case _:
            return "empty" if node.kind is Kind.NOTHING else "a single value"


def _json_scalar(node: Scalar, where: str, notes: Notes) -> Any:
    text = node.text
    if node.kind is Kind.NOTHING:
        return None
    if node.kind is Kind.BOOLEAN:
        if text in _BOOLEANS:
            return _BOOLEANS[text]
        what = "is a word that older YAML reads as true or false and newer as text"
        todo = "Write true or false, or quote it."
    elif node.kind is Kind.DATE:
        what, todo = "is a date for YAML, and variables have no dates", "Quote it."
    elif node.kind is Kind.NUMBER:
        if (number := _json_number(text)) is not None:
            return number
        what = "is a number that programs read differently or cannot hold exactly"
        todo = (
            "Quote it (the engine turns text into a number where it needs one), or write it in "
            "plain decimals."
        )
    elif "\0" in text:
        what, todo = "holds a NUL character", "Remove it."
    else:
        return text
    return notes.add(node.line, f"{where} {what}.", todo)


def _json_number(text: str) -> int | float | None:
    if _INTEGER.fullmatch(text):
        return int(text)
    if _DECIMAL.fullmatch(text) is None:
        return None
    number = float(text)
    # 0.1 stays 0.1; a number of thirty digits would silently become another one.
    same = math.isfinite(number) and _digits(repr(number)) == _digits(text)
    return number if same else None


def _digits(text: str) -> tuple[str, int]:
    """A decimal number as its digits without zeros at either end, and where the point is."""
    mantissa, _, exponent = text.lower().partition("e")
    whole, _, fraction = mantissa.partition(".")
    digits = f"{whole}{fraction}"
    stripped = digits.rstrip("0")
    power = int(exponent or 0) - len(fraction) + len(digits) - len(stripped)
    sign = "-" if stripped.startswith("-") else ""
    significant = stripped.lstrip("-").lstrip("0")
    return (sign + significant, power) if significant else ("0", 0)
