"""Where the code declares an object: the file and line of its block.

Only block headers are looked for; an expression is skipped over, never evaluated. What lies in a
module of another repository has no line here, so the call that leads there stands for it. What is
not found has none: an object that goes is not in the code any more.
"""

from __future__ import annotations

import json
import posixpath
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from driftctl_py.core.address import parse_address
from driftctl_py.core.hcl_tokens import Tokens
from driftctl_py.core.module_facts import read_module

_OVERRIDE = re.compile(r"(^|_)override\.(tf|tofu)(\.json)?$")
# Types of blocks that have their type and their name as labels.
_WITH_A_TYPE = {"resource": "", "data": "data.", "ephemeral": "ephemeral."}
_WITHOUT = {"module": "module.", "output": "output.", "check": "check."}


@dataclass(frozen=True, slots=True)
class Place:
    """A file, from the repository's root, and a line of it, from 1."""

    file: str
    line: int


@dataclass(frozen=True, slots=True)
class _Module:
    """One directory: its blocks, as the module itself calls them, and where its local modules
    are."""

    blocks: Mapping[str, Place]
    calls: Mapping[str, str]


class Declarations:
    """Finds them for one environment. ``root`` is its directory from the repository's root (empty:
    that itself), ``texts_of`` what a directory holds of an engine's source files, by name."""

    def __init__(self, root: str, texts_of: Callable[[str], Mapping[str, str]]) -> None:
        self._root = root
        self._texts_of = texts_of
        self._modules: dict[str, _Module] = {}

    def of(self, address: str) -> Place | None:
        """Of a resource, an output (``output.NAME``) or a check (``check.NAME``)."""
        # What is declared without a type reads like an address, too.
        parsed = parse_address(address)
        if parsed is None:
            return None
        here = self._root
        for each in parsed.modules:
            module = self._module(here)
            there = module.calls.get(each)
            if there is None:
                return module.blocks.get(f"module.{each}")
            here = there
        return self._module(here).blocks.get(parsed.in_module)

    def _module(self, directory: str) -> _Module:
        known = self._modules.get(directory)
        if known is None:
            texts = self._texts_of(directory)
            known = _Module(blocks_of(texts, directory), dict(_local_calls(texts, directory)))
            self._modules[directory] = known
        return known


def blocks_of(texts: Mapping[str, str], directory: str = "") -> dict[str, Place]:
    """The blocks of one directory's files, by what the module calls them: ``aws_vpc.it``,
    ``data.aws_ami.it``, ``module.web``, ``output.url``. Never raises."""
    found: dict[str, Place] = {}
    # An override file only says more of a block that is declared elsewhere.
    for name in sorted(texts, key=lambda name: (bool(_OVERRIDE.search(name)), name)):
        scan = _in_json if name.endswith(".json") else _in_hcl
        for block, line in scan(texts[name]):
            found.setdefault(block, Place(posixpath.join(directory, name), line))
    return found


def _local_calls(texts: Mapping[str, str], directory: str) -> Iterator[tuple[str, str]]:
    for call in read_module(texts).modules:
        if call.is_local and call.source is not None:
            there = posixpath.normpath(posixpath.join(directory, call.source))
            if not there.startswith(".."):
                yield call.name, "" if there == "." else there


def _in_hcl(text: str) -> Iterator[tuple[str, int]]:
    tokens = Tokens(text)
    line, counted = 1, 0
    try:
        while True:
            kind, word = tokens.next(skip_newlines=True)
            if kind == "end":
                return
            start = tokens.at - len(word)
            labels: list[str] = []
            while True:
                kind, label = tokens.next()
                if kind not in ("name", "string"):
                    break
                labels.append(label.strip('"'))
            if kind == "newline":
                continue
            name = _name(word, labels)
            if name and (kind, label) == ("open", "{"):
                line += text.count("\n", counted, start)
                counted = start
                yield name, line
            _skip(tokens, 1 if kind == "open" else 0)
    except (ValueError, RecursionError):
        # What the engine would not read either; what came before it is still there.
        return


def _skip(tokens: Tokens, depth: int) -> None:
    """To the end of a block, or of the line where there is none."""
    while True:
        kind, _ = tokens.next()
        if kind == "end" or (kind == "newline" and depth <= 0):
            return
        depth += (kind == "open") - (kind == "close")
        if kind == "close" and depth <= 0:
            return


def _in_json(text: str) -> Iterator[tuple[str, int]]:
    """JSON is decoded without its lines, so the file's first one stands for all of them."""
    try:
        root = json.loads(text)
    except (ValueError, RecursionError):
        return
    for word, within in _members(root):
        for label, body in _members(within):
            if word in _WITH_A_TYPE:
                yield from ((_name(word, [label, name]), 1) for name, _ in _members(body))
            elif name := _name(word, [label]):
                yield name, 1


def _members(value: object) -> Iterator[tuple[str, object]]:
    """Of an object, or of each in a list of them."""
    for each in value if isinstance(value, list) else [value]:
        if isinstance(each, dict):
            yield from each.items()


def _name(word: str, labels: list[str]) -> str:
    """As the module calls it; empty for a block of another kind."""
    if word in _WITH_A_TYPE and len(labels) == 2:
        return f"{_WITH_A_TYPE[word]}{labels[0]}.{labels[1]}"
    return f"{_WITHOUT[word]}{labels[0]}" if word in _WITHOUT and len(labels) == 1 else ""
