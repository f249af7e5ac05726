from __future__ import annotations

from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from driftctl_py.core.values import UNKNOWN, Sensitive, Value
from driftctl_py.report.layout import laid_out
from driftctl_py.report.show import columns, literal

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-999, 999) | st.text('ab \n"', max_size=6),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text("kl", max_size=3), inner),
    max_leaves=12,
)


def test_what_fits_is_on_one_line() -> None:
    assert laid_out({"a": [1, UNKNOWN], "b": Sensitive(0, 0)}, 60) == [
        '{"a": [1, (known after apply)], "b": (sensitive value)}'
    ]


def test_what_does_not_fit_has_a_line_for_each_entry_that_does() -> None:
    value: Value = {"rules": [{"from": 22, "to": 22}, {"from": 443, "to": 8443}], "name": "web"}

    assert laid_out(value, 40) == [
        "{",
        '  "rules": [',
        '    {"from": 22, "to": 22}',
        '    {"from": 443, "to": 8443}',
        "  ]",
        '  "name": "web"',
        "}",
    ]


def test_a_text_has_a_line_for_each_of_its_own() -> None:
    assert laid_out("one\ntwo\n", 60) == ['"one"', '"two"', '""']
    assert laid_out({"script": "one\ntwo", "size": "x" * 60}, 40) == [
        "{",
        '  "script":',
        '    "one"',
        '    "two"',
        f'  "size": "{"x" * 60}"',
        "}",
    ]


def test_what_has_no_parts_is_not_broken() -> None:
    number = Decimal(10**50 + 1)

    assert laid_out([number], 10) == ["[", f"  {number}", "]"]


@given(VALUES, st.integers(1, 60))
def test_no_part_gets_lost(value: Value, room: int) -> None:
    """But for commas, and for line breaks that became lines."""

    def letters(text: str) -> list[str]:
        return [each for each in text.replace("\\n", "") if each not in ' ,"']

    assert letters("".join(laid_out(value, room))) == letters(literal(value))


@given(VALUES)
def test_with_room_there_is_one_line_but_for_texts(value: Value) -> None:
    lines = laid_out(value, 10_000)

    assert len(lines) == 1 + (value.count("\n") if isinstance(value, str) else 0)
    assert all(columns(line) <= 10_000 for line in lines)
