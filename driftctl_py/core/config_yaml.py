"""The text of driftctl.yaml → a small tree in which every node knows its line.

YAML offers much that a configuration has no use for and that has hurt people: aliases that
unfold to gigabytes, tags that build objects, keys given twice of which one silently wins. All of
it is refused here, before anything is built. What the keys mean is not known here.

The tree is built from the parser's events, without recursion, so no nesting can exhaust the stack.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from enum import Enum
from typing import Final, TypeAlias

import yaml

from driftctl_py.core.values import Json
from driftctl_py.errors import ConfigError, Problem

MAX_BYTES: Final = 1024 * 1024
MAX_LINE: Final = 100_000
MAX_DEPTH: Final = 40

# libyaml is about ten times faster; both give the same events.
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_RESOLVER = yaml.resolver.Resolver()

# What YAML 1.1 and 1.2 disagree about, or what only looks like a number: 012, 1e3, 0o17, 1_000.
_LOOKS_LIKE_A_NUMBER = re.compile(
    r"[-+]?(0o[0-7_]+|0x[0-9a-fA-F_]+|\.?[0-9][0-9_]*(\.[0-9_]*)?([eE][-+]?[0-9]+)?)"
)
# U+0085, U+2028 and U+2029 end a line for YAML 1.1 and for no editor: lines would be miscounted.
_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u2028\u2029\ufffe\uffff]")
_SURROGATE = re.compile("[\ud800-\udfff]")
# Line breaks for YAML 1.1 alone; only inside double quotes they can be written as escapes.
_OTHER_LINE_BREAKS = re.compile("[\x85\u2028\u2029]")
_TAB_INDENT = re.compile(r" *\t")


class Kind(Enum):
    """What an unquoted scalar is for YAML."""

    NOTHING = "nothing"
    BOOLEAN = "a boolean"
    NUMBER = "a number"
    DATE = "a date"
    TEXT = "text"


_KINDS = {
    "tag:yaml.org,2002:null": Kind.NOTHING,
    "tag:yaml.org,2002:bool": Kind.BOOLEAN,
    "tag:yaml.org,2002:int": Kind.NUMBER,
    "tag:yaml.org,2002:float": Kind.NUMBER,
    "tag:yaml.org,2002:timestamp": Kind.DATE,
}


@dataclass(frozen=True, slots=True)
class Scalar:
    """One value, as it is written. A quoted one is always ``Kind.TEXT``."""

    line: int
    text: str
    kind: Kind


@dataclass(frozen=True, slots=True)
class Items:
    """A list."""

    line: int
    nodes: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Table:
    """A mapping, in the order of the file; each key once."""

    line: int
    entries: tuple[tuple[Scalar, Node], ...]


Node: TypeAlias = Scalar | Items | Table


def read_yaml(data: bytes, *, filename: str) -> tuple[Node | None, tuple[Problem, ...]]:
    """The root (None for a file that holds nothing) and what is wrong but does not stop reading.

    Raises ConfigError where nothing sensible can be read any more.
    """
    text = _text(data, filename)
    builder = _Builder(filename)
    try:
        for event in yaml.parse(text, Loader=_LOADER):
            builder.take(event)
    except yaml.MarkedYAMLError as error:
        raise ConfigError((_syntax_problem(error, text, filename),)) from error
    except (yaml.YAMLError, ValueError, OverflowError) as error:
        # The pure Python parser lets int() and chr() complain about absurd escapes.
        what = "This is not YAML: a character or an escape in it does not exist."
        raise ConfigError((Problem(filename, 0, what, "Remove or mend it."),)) from error
    return builder.root, tuple(builder.problems)


def write_yaml(value: Json) -> str:
    """Text that `read_yaml` reads back: no aliases, and quotes where a reader could err."""
    return yaml.dump(
        value, Dumper=_Dumper, sort_keys=False, allow_unicode=True, default_flow_style=False
    )


class _Dumper(yaml.SafeDumper):
    def ignore_aliases(self, data: object) -> bool:
        return True

    def represent_text(self, text: str) -> yaml.ScalarNode:
        odd = _LOOKS_LIKE_A_NUMBER.fullmatch(text) or _OTHER_LINE_BREAKS.search(text)
        style = '"' if odd else None
        return self.represent_scalar("tag:yaml.org,2002:str", text, style)


_Dumper.add_representer(str, _Dumper.represent_text)


def _text(data: bytes, filename: str) -> str:
    def refuse(line: int, what: str, todo: str) -> ConfigError:
        return ConfigError((Problem(filename, line, what, todo),))

    if len(data) > MAX_BYTES:
        raise refuse(
            0,
            f"The file holds {len(data):,} bytes, but a configuration has at most {MAX_BYTES:,}.",
            "Check that this is the right file; describe many environments by a glob.",
        )
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise refuse(line, "The file is not text in UTF-8.", "Save it in that encoding.") from error
    if control := _CONTROL.search(text):
        line = text.count("\n", 0, control.start()) + 1
        raise refuse(
            line,
            f"The line holds the invisible character U+{ord(control[0]):04X}, which YAML forbids "
            "or takes for the end of a line.",
            "Remove it, or write it as an escape in double quotes.",
        )
    for number, line_text in enumerate(text.split("\n"), start=1):
        if len(line_text) > MAX_LINE:
            raise refuse(
                number,
                f"The line has {len(line_text):,} characters; no line of a configuration needs "
                f"more than {MAX_LINE:,}.",
                "Keep large values in a file of variables and name it under var_files.",
            )
    return text


def _syntax_problem(error: yaml.MarkedYAMLError, text: str, filename: str) -> Problem:
    mark = error.problem_mark or error.context_mark
    line = mark.line + 1 if mark is not None else 0
    lines = text.split("\n")
    # The parser may notice a tab only on the line after it.
    for number in (line, line - 1):
        if 1 <= number <= len(lines) and _TAB_INDENT.match(lines[number - 1]):
            return Problem(
                filename,
                number,
                "The line is indented with a tab, which YAML forbids.",
                "Indent with spaces.",
            )
    todo = "Check the indentation, the colons and the quotes here and in the lines above."
    if error.context == "while scanning an alias":
        todo = "Quote a glob that begins with `*`."
    # Not the parser's excerpt of the line: it may show a secret.
    context = f" {error.context}" if error.context else ""
    since = error.context_mark
    if context and since is not None and since.line + 1 != line:
        context += f" that begins in line {since.line + 1}"
    return Problem(
        filename,
        line,
        f"This is not YAML: {error.problem or 'it cannot be read'}{context}.",
        todo,
    )


@dataclass(slots=True)
class _Open:
    """A list or mapping whose end has not come yet."""

    line: int
    is_table: bool
    nodes: list[Node] = field(default_factory=list)
    entries: dict[str, tuple[Scalar, Node]] = field(default_factory=dict)
    key: Scalar | None = None


class _Builder:
    """Takes the parser's events one by one."""

    def __init__(self, filename: str) -> None:
        self.root: Node | None = None
        self.problems: list[Problem] = []
        self._filename = filename
        self._stack: list[_Open] = []
        self._documents = 0

    def take(self, event: yaml.Event) -> None:
        line = event.start_mark.line + 1 if event.start_mark is not None else 0
        self._refuse_what_is_not_for_us(event, line)
        match event:
            case yaml.ScalarEvent():
                self._add(self._scalar(event, line))
            case yaml.SequenceStartEvent():
                self._open(_Open(line, is_table=False))
            case yaml.MappingStartEvent():
                self._open(_Open(line, is_table=True))
            case yaml.SequenceEndEvent():
                done = self._stack.pop()
                self._add(Items(done.line, tuple(done.nodes)))
            case yaml.MappingEndEvent():
                done = self._stack.pop()
                self._add(Table(done.line, tuple(done.entries.values())))
            case _:
                pass

    def _refuse_what_is_not_for_us(self, event: yaml.Event, line: int) -> None:
        if isinstance(event, yaml.DocumentStartEvent):
            self._documents += 1
            if self._documents > 1:
                raise self._stop(
                    line,
                    "A second document begins here, and nothing would read it.",
                    "Remove the `---`, or keep one file for each.",
                )
        elif isinstance(event, yaml.NodeEvent) and event.anchor:
            sign = "*" if isinstance(event, yaml.AliasEvent) else "&"
            raise self._stop(
                line,
                f"`{sign}{event.anchor[:60]}`: anchors and aliases are "
                "not used here, because a few lines of them unfold to gigabytes.",
                "Put what environments share under `defaults`; quote a glob that begins with `*`.",
            )
        elif isinstance(event, yaml.ScalarEvent | yaml.CollectionStartEvent) and event.tag:
            raise self._stop(
                line,
                f"`{event.tag[:60]}`: YAML tags, which choose what gets built, are not used here.",
                "Remove the tag; quote the value if it is to be text.",
            )

    def _scalar(self, event: yaml.ScalarEvent, line: int) -> Scalar:
        text = event.value
        if _SURROGATE.search(text):
            raise self._stop(
                line, "The escape in this text stands for half a character.", "Mend it."
            )
        if not event.implicit[0]:
            return Scalar(line, text, Kind.TEXT)
        # The type stubs leave this function out.
        tag = _RESOLVER.resolve(yaml.ScalarNode, text, (True, False))  # type: ignore[no-untyped-call]
        kind = _KINDS.get(tag, Kind.TEXT)
        if kind is Kind.TEXT and _LOOKS_LIKE_A_NUMBER.fullmatch(text):
            kind = Kind.NUMBER
        return Scalar(line, text, kind)

    def _open(self, opened: _Open) -> None:
        if len(self._stack) == MAX_DEPTH:
            raise self._stop(
                opened.line,
                f"Lists and mappings lie more than {MAX_DEPTH} deep in each other here.",
                "Check for brackets that are not closed.",
            )
        if self._stack and self._stack[-1].is_table and self._stack[-1].key is None:
            raise self._stop(
                opened.line,
                "A list or a mapping is used as a key; keys are plain text.",
                'Quote it if it is text: a template such as "{dir}" needs quotes.',
            )
        self._stack.append(opened)

    def _add(self, node: Node) -> None:
        if not self._stack:
            self.root = node
            return
        top = self._stack[-1]
        if not top.is_table:
            top.nodes.append(node)
        elif top.key is None:
            # _open refuses every key that is not a scalar.
            assert isinstance(node, Scalar)  # noqa: S101
            top.key = node
        else:
            self._put(top, top.key, node)
            top.key = None

    def _put(self, table: _Open, key: Scalar, node: Node) -> None:
        if earlier := table.entries.get(key.text):
            self.problems.append(
                Problem(
                    self._filename,
                    key.line,
                    f"`{key.text[:60]}` is given twice, first in line {earlier[0].line}; "
                    "one of them would be lost.",
                    "Remove one, or join the two.",
                )
            )
            return
        table.entries[key.text] = (key, node)

    def _stop(self, line: int, what: str, todo: str) -> ConfigError:
        return ConfigError((*self.problems, Problem(self._filename, line, what, todo)))
