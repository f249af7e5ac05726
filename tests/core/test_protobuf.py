"""Fields of a message, and bytes that are none."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from driftctl_py.core.protobuf import Field, fields


def test_each_sort_of_field_is_stepped_over() -> None:
    message = b"\x08\x96\x01" + b"\x11" + b"8" * 8 + b"\x1a\x02hi" + b"\x25four"

    found = list(fields(message))

    assert [(field.number, field.value) for field in found] == [
        (1, b""),
        (2, b""),
        (3, b"hi"),
        (4, b""),
    ]
    assert b"".join(field.whole for field in found) == message


def test_a_number_has_an_end() -> None:
    with pytest.raises(ValueError, match="too long"):
        list(fields(b"\x80" * 1_000_000))


@given(st.binary())
def test_other_bytes_are_no_message_and_nothing_worse(message: bytes) -> None:
    try:
        found = list(fields(message))
    except (IndexError, ValueError):
        return

    assert b"".join(field.whole for field in found) == message
    assert all(isinstance(field, Field) for field in found)
