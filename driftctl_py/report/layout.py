"""A long value on several lines: one entry of an object or a list on each, texts line by line.

How a short value is spelled is ``show``'s; here is only what goes on which line.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from driftctl_py.core.values import Value
from driftctl_py.report import show

_DEEPER = "  "
# However deep something lies, it is not broken up for lack of room that nobody could give it.
_ROOM_AT_LEAST = 20


def laid_out(value: Value, room: int) -> list[str]:
    """``value`` on as few lines of at most ``room`` columns as that takes.

    Only what has no parts may be wider: a name or a text without line breaks. Nothing is cut.
    """
    return list(_lines(value, room))


def _lines(value: Value, room: int) -> Iterator[str]:
    room = max(room, _ROOM_AT_LEAST)
    if isinstance(value, str):
        yield from map(show.literal, value.split("\n"))
        return
    text = show.literal(value)
    if show.columns(text) <= room:
        yield text
    elif isinstance(value, Mapping):
        yield "{"
        for name, each in value.items():
            yield from _entry(f"{show.literal(name)}: ", each, room)
        yield "}"
    elif isinstance(value, Sequence):
        yield "["
        for each in value:
            yield from _entry("", each, room)
        yield "]"
    else:
        yield text


def _entry(lead: str, value: Value, room: int) -> Iterator[str]:
    inside = len(_DEEPER)
    first, *rest = _lines(value, room - inside - show.columns(lead))
    if isinstance(value, str) and rest:
        # The lines of a text stand below each other, not below the name of it.
        yield f"{_DEEPER}{lead}".rstrip()
        first, *rest = [f"{_DEEPER}{line}" for line in (first, *rest)]
        lead = ""
    yield f"{_DEEPER}{lead}{first}"
    for line in rest:
        yield f"{_DEEPER}{line}"
