"""Protobuf on the wire, as far as a saved plan needs it: the fields of one message.

No schema and no types: whoever asks knows from the engines' planfile.proto which field is which.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

# The wire types, the low three bits of each tag: number, 8 bytes, length and bytes, 4 bytes.
_NUMBER, _EIGHT, _BYTES, _FOUR = 0, 1, 2, 5


@dataclass(frozen=True, slots=True)
class Field:
    """One field of a protobuf message: ``value`` is empty but for bytes, ``whole`` has its tag."""

    number: int
    value: bytes
    whole: bytes


def fields(message: bytes) -> Iterator[Field]:
    """In the order of the bytes. Raises ValueError or IndexError where they are no message."""
    at = 0
    while at < len(message):
        start = at
        tag, at = _varint(message, at)
        kind, value = tag & 7, b""
        if kind == _NUMBER:
            _, at = _varint(message, at)
        elif kind == _BYTES:
            length, at = _varint(message, at)
            value, at = message[at : at + length], at + length
        elif kind in (_EIGHT, _FOUR):
            at += 8 if kind == _EIGHT else 4
        else:
            raise ValueError("not a wire type that is in use")
        if at > len(message):
            raise ValueError("cut off")
        yield Field(tag >> 3, value, message[start:at])


def _varint(message: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    # Ten bytes hold 64 bits; without an end, bytes that are no message would make a huge number.
    while shift < 70:
        byte = message[at]
        at += 1
        value |= (byte & 0x7F) << shift
        shift += 7
        if byte < 0x80:
            return value, at
    raise ValueError("too long a number")
