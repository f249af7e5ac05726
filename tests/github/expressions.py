"""Expressions of workflows (``${{ needs.which.outputs.count != '0' }}``), as GitHub evaluates them.

As much of the language as our workflows use; anything else is an error and not guessed at.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from typing import Any

_TOKEN = re.compile(
    r"\s*(?:(?P<text>'(?:[^']|'')*')|(?P<word>[A-Za-z_][\w-]*(?:\.[A-Za-z_][\w-]*)*)"
    r"|(?P<sign>==|!=|&&|\|\||[!(),]))"
)
_INSIDE = re.compile(r"\$\{\{(.*?)\}\}", re.DOTALL)

Contexts = Mapping[str, Any]


def fill(text: str, contexts: Contexts) -> str:
    """A text with all expressions in it replaced by their values."""

    def value(found: re.Match[str]) -> str:
        known = evaluate(found[1], contexts)
        return {None: "", True: "true", False: "false"}.get(known, str(known))

    return _INSIDE.sub(value, text)


def evaluate(text: str, contexts: Contexts) -> Any:
    """The value of one expression; ``${{ }}`` around it may be left out, as in ``if:``."""
    whole = _INSIDE.fullmatch(text.strip())
    parser = _Parser(whole[1] if whole else text, contexts)
    found = parser.either()
    assert parser.rest() == "", f"not understood: {parser.rest()!r} in {text!r}"
    return found


class _Parser:
    def __init__(self, text: str, contexts: Contexts) -> None:
        self._text = text.strip()
        self._at = 0
        self._contexts = contexts

    def rest(self) -> str:
        return self._text[self._at :].strip()

    def either(self) -> Any:
        found = self.both()
        while self._takes("||"):
            other = self.both()
            found = found or other
        return found

    def both(self) -> Any:
        found = self._compared()
        while self._takes("&&"):
            other = self._compared()
            found = found and other
        return found

    def _compared(self) -> Any:
        left = self._one()
        if self._takes("=="):
            return _alike(left, self._one())
        if self._takes("!="):
            return not _alike(left, self._one())
        return left

    def _one(self) -> Any:
        if self._takes("!"):
            return not self._one()
        if self._takes("("):
            found = self.either()
            assert self._takes(")")
            return found
        token = _TOKEN.match(self._text, self._at)
        assert token is not None, f"not understood: {self.rest()!r}"
        self._at = token.end()
        if token["text"]:
            return token["text"][1:-1].replace("''", "'")
        word = token["word"]
        assert word, f"not understood: {token[0]!r}"
        if self._takes("("):
            return self._called(word)
        return self._known(word)

    def _called(self, name: str) -> Any:
        functions: Mapping[str, Callable[..., Any]] = self._contexts["functions"]
        arguments: list[Any] = []
        while not self._takes(")"):
            assert not arguments or self._takes(","), f"not understood: {self.rest()!r}"
            arguments.append(self.either())
        if name == "fromJSON":
            return json.loads(*arguments)
        if name == "startsWith":
            text, beginning = (str(each).lower() for each in arguments)
            return text.startswith(beginning)
        return functions[name](*arguments)

    def _known(self, path: str) -> Any:
        if path in ("true", "false"):
            return path == "true"
        found: Any = self._contexts
        first, *rest = path.split(".")
        assert first in found, f"there is no context {first}"
        found = found[first]
        for name in rest:
            # What is not there is nothing, as on GitHub.
            found = found.get(name) if isinstance(found, Mapping) else None
        return found

    def _takes(self, sign: str) -> bool:
        token = _TOKEN.match(self._text, self._at)
        if token is not None and token["sign"] == sign:
            self._at = token.end()
            return True
        return False


def _alike(left: Any, right: Any) -> bool:
    """Texts in any case; nothing is the empty text."""
    return str("" if left is None else left).lower() == str("" if right is None else right).lower()
