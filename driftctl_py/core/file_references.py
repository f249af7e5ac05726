"""Which files a module reads beside its own source: as much of their paths as its text says.

``file("${path.module}/policy.json")`` names one file; ``"${path.module}/rules/${each.key}.json"``
anything below ``rules/``; ``file(var.path)`` anything at all. Nothing is evaluated, and what cannot
be told is taken for more rather than for less.
"""

from __future__ import annotations

import json
import posixpath
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from driftctl_py.core.hcl_tokens import Tokens

# Those that read the file system, or may be handed on to what does. Their paths begin at the
# directory in which the engine runs: the root module's.
_READERS = frozenset(
    {
        *("file", "fileexists", "filebase64", "filemd5", "filesha1", "filesha256", "filesha512"),
        *("filebase64sha256", "filebase64sha512", "templatefile", "fileset"),
    }
)
_HERE = re.compile(r"\s*path\s*\.\s*(module|root|cwd)\s*")
_INTERPOLATION = re.compile(r"[$%]\{")


@dataclass(frozen=True, slots=True)
class FileReference:
    """What is read: the file ``path``, from the root of the repository, or with ``open_ended``
    anything whose path begins so (an empty one: anything). ``where`` is the file that says it."""

    path: str
    open_ended: bool
    where: str

    def means(self, path: str) -> bool:
        """May reading it read what is at ``path``?"""
        if self.open_ended:
            return path.startswith(self.path)
        # A directory is read with all that is in it.
        return path == self.path or path.startswith(f"{self.path}/") or not self.path


def file_references(
    texts: Mapping[str, str], *, module: str, root: str
) -> tuple[FileReference, ...]:
    """What the source files of a module, given by their names, refer to. ``module`` is its
    directory and ``root`` that of the root module that calls it, both from the repository's root
    (empty: that itself). What points out of the repository is left out."""
    found: dict[FileReference, None] = {}
    for name in sorted(texts):
        where = posixpath.join(module, name)
        for path, open_ended in _paths(name, texts[name], module, root):
            if (inside := _inside(path, open_ended)) is not None:
                found[FileReference(inside, open_ended, where)] = None
    return tuple(found)


def _paths(name: str, text: str, module: str, root: str) -> Iterator[tuple[str, bool]]:
    """Paths as they are put together, and whether each is only the beginning of one."""
    try:
        if name.endswith(".json"):
            for each in _texts_in(json.loads(text)):
                yield from _of_string(f'"{each}"', module, root, reads=False)
        else:
            yield from _of_code(text, module, root)
    except (ValueError, RecursionError):
        # The engine will say what is wrong with it; until then nobody knows what it reads.
        yield "", True


def _of_code(text: str, module: str, root: str) -> Iterator[tuple[str, bool]]:
    tokens = list(_tokens(text))
    sources = frozenset(_sources_of_modules(tokens))
    for at, (kind, word) in enumerate(tokens):
        if at in sources:
            continue
        if kind in ("string", "heredoc"):
            before = [each for _, each in tokens[max(0, at - 2) : at]]
            reads = kind == "string" and len(before) == 2 and _is_reader(before)
            # What follows the string is part of its argument, too: file("a" == b ? …).
            yield from _of_string(word, module, root, reads=reads)
        elif kind == "name" and word in _READERS:
            argument = [each for _, each in tokens[at + 1 : at + 6]]
            yield from _of_argument(argument, module, root)


def _sources_of_modules(tokens: Sequence[tuple[str, str]]) -> Iterator[int]:
    """Where a module is called: that is the module graph's, and begins at another directory."""
    depth = 0
    within = False
    for at, (kind, word) in enumerate(tokens):
        if kind == "name" and depth == 0:
            within = word == "module"
        depth += (kind == "open") - (kind == "close")
        if within and depth == 1 and [each for _, each in tokens[at - 2 : at]] == ["source", "="]:
            yield at


def _is_reader(before: list[str]) -> bool:
    return before[0] in _READERS and before[1] == "("


def _of_argument(after: list[str], module: str, root: str) -> Iterator[tuple[str, bool]]:
    """What a function reads whose argument is no string."""
    if after[:1] != ["("] or (after[1:2] and after[1].startswith('"')):
        return
    if after[1:3] == ["path", "."] and after[4:5] in ([","], [")"]):
        yield ((module if after[3] == "module" else root) or ".") + "/", True
    else:
        yield "", True


def _of_string(word: str, module: str, root: str, *, reads: bool) -> Iterator[tuple[str, bool]]:
    """Of a string with its quotes, or a heredoc: the path that it is, if it is one, and what the
    templates in it read."""
    inside = word[1:-1] if word.startswith('"') else word
    for code in _templates(inside):
        yield from _of_code(code, module, root)
    first = _INTERPOLATION.search(inside)
    start = inside if first is None else inside[: first.start()]
    if first is not None and first.start() == 0:
        end = _template_end(inside, 0)
        if here := _HERE.fullmatch(inside[2 : end - 1]):
            rest = inside[end:]
            cut = _INTERPOLATION.search(rest)
            known = rest if cut is None else rest[: cut.start()]
            yield ((module if here[1] == "module" else root) or ".") + known, cut is not None
        elif reads:
            yield "", True
    elif reads or start.startswith(("./", "../")):
        yield posixpath.join(root, start), first is not None


def _templates(text: str) -> Iterator[str]:
    """The code in each of its templates."""
    at = 0
    while found := _INTERPOLATION.search(text, at):
        if text[found.start() - 1 : found.start()] == text[found.start()]:
            at = found.end()  # $${ is no template
            continue
        end = _template_end(text, found.start())
        yield text[found.end() : end - 1]
        at = end


def _template_end(text: str, start: int) -> int:
    """Behind the brace that closes the template that begins there. Raises ValueError for none."""
    tokens, depth = Tokens(text), 1
    tokens.at = start + 2
    while depth:
        kind, word = tokens.next(skip_newlines=True)
        if kind == "end":
            raise ValueError("a template that does not end")
        depth += (word == "{") - (word == "}")
    return tokens.at


def _tokens(text: str) -> Iterable[tuple[str, str]]:
    tokens = Tokens(text)
    while True:
        kind, word = tokens.next(skip_newlines=True)
        if kind == "end":
            return
        yield kind, word


def _texts_in(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for each in value.values():
            yield from _texts_in(each)
    elif isinstance(value, list):
        for each in value:
            yield from _texts_in(each)


def _inside(path: str, open_ended: bool) -> str | None:
    """The same without ``.`` and ``..``; None for what lies outside of the repository."""
    if posixpath.isabs(path):
        return None
    if not path:
        return ""
    tail = "/" if open_ended and path.endswith("/") else ""
    found = posixpath.normpath(path)
    if found == "..":
        return "" if open_ended else None
    if found.startswith("../"):
        return None
    return "" if found == "." else found + tail
