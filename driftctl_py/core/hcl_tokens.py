"""HCL, token by token, for those who look for a few things in it and parse nothing.

A string is one token with all the templates in it, so is a heredoc; comments are none.
"""

from __future__ import annotations

import re

# One token of HCL. A string's inside is matched by hand, because templates nest.
_TOKEN = re.compile(
    r"""
    (?P<space>[ \t\r\f]+ | \#[^\n]* | //[^\n]* | /\*.*?\*/)
  | (?P<newline>\n)
  | (?P<heredoc><<-?\s*(?P<tag>[\w-]+)[ \t]*\r?\n)
  | (?P<name>[^\W\d][\w-]*)
  | (?P<quote>")
  | (?P<open>[{\[(])
  | (?P<close>[}\])])
  | (?P<other>.)
    """,
    re.VERBOSE | re.DOTALL,
)


class Tokens:
    """A text and a place in it."""

    def __init__(self, text: str) -> None:
        self._text = text
        self.at = 0

    def next(self, *, skip_newlines: bool = False) -> tuple[str, str]:
        """The kind of the next token (``name``, ``string``, ``heredoc``, ``open``, ``close``,
        ``newline``, ``other``, ``end``) and its text. Raises ValueError for a string, a template
        or a heredoc that does not end."""
        while self.at < len(self._text):
            match = _TOKEN.match(self._text, self.at)
            assert match is not None  # noqa: S101 - the last alternative matches anything
            kind = match.lastgroup or ""
            start, self.at = self.at, match.end()
            if kind == "space" or (kind == "newline" and skip_newlines):
                continue
            if kind == "quote":
                self._skip_string()
                return "string", self._text[start : self.at]
            if kind == "heredoc":
                self._skip_heredoc(match["tag"])
                return "heredoc", self._text[start : self.at]
            return kind, match[0]
        return "end", ""

    def _skip_string(self) -> None:
        text = self._text
        while self.at < len(text):
            character = text[self.at]
            self.at += 1
            if character == '"':
                return
            if character == "\n":
                raise ValueError("a string that does not end")
            if character == "\\":
                self.at += 1
            elif character in "$%" and text.startswith("{", self.at):
                if text.startswith(character, self.at - 2) and self.at >= 2:
                    continue  # $${ is a literal dollar sign
                self.at += 1
                self._skip_template()
        raise ValueError("a string that does not end")

    def _skip_template(self) -> None:
        depth = 1
        while depth:
            kind, word = self.next(skip_newlines=True)
            if kind == "end":
                raise ValueError("a template that does not end")
            depth += (word == "{") - (word == "}")

    def _skip_heredoc(self, tag: str) -> None:
        end = re.compile(rf"^[ \t]*{re.escape(tag)}[ \t]*\r?$", re.MULTILINE)
        match = end.search(self._text, self.at)
        if match is None:
            raise ValueError("a heredoc that does not end")
        self.at = match.end()
