from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from driftctl_py.core.canonical import canonical
from driftctl_py.core.values import ABSENT, UNKNOWN, Secrets, Sensitive, Value, exact_key
from tests.core.test_values import VALUES


@given(VALUES, VALUES)
def test_values_are_spelled_alike_when_they_are_the_same(one: Value, other: Value) -> None:
    assert (canonical(one) == canonical(other)) == (exact_key(one) == exact_key(other))


@given(st.lists(VALUES, max_size=3), st.lists(VALUES, max_size=3))
def test_no_two_lists_run_together(one: list[Value], other: list[Value]) -> None:
    apart = exact_key(one) != exact_key(other)

    assert (b"".join(map(canonical, one)) != b"".join(map(canonical, other))) == apart


@pytest.mark.parametrize(
    ("value", "spelled"),
    [
        (None, b"n"),
        (True, b"t"),
        (False, b"f"),
        (UNKNOWN, b"u"),
        (ABSENT, b"a"),
        ("é", b"s2:\xc3\xa9"),
        ("\ud800", b"s3:\xed\xa0\x80"),
        (0, b"d0;"),
        (Decimal("-0.00"), b"d0;"),
        (1, b"d1e0;"),
        (Decimal("1.0"), b"d1e0;"),
        (100, b"d1e2;"),
        (Decimal("1E+2"), b"d1e2;"),
        (-1.5, b"d-15e-1;"),
        (12345678901234567891, b"d12345678901234567891e0;"),
        (Decimal("0.1"), b"d1e-1;"),
        (["a", 1], b"l2:s1:ad1e0;"),
        ({"b": None, "a": []}, b"m2:1:al0:1:bn"),
        (Sensitive(0, 0), b"x0:"),
        ({"s": Sensitive(5, 1, unknown=True)}, b"m1:1:sx0:"),
    ],
)
def test_the_spelling_stays_what_it_is(value: Value, spelled: bytes) -> None:
    # Fingerprints are made of it: one that changes takes every approval away.
    assert canonical(value) == spelled


def test_the_longest_numbers_are_spelled_exactly() -> None:
    assert canonical(10**5000 + 1) == b"d1" + b"0" * 4999 + b"1e0;"


def test_a_secret_is_spelled_as_its_seal() -> None:
    secrets = Secrets(b"key")
    one, other = secrets.mark("one"), secrets.mark("other")

    assert canonical([other], secrets.seals) == b"l1:x64:" + secrets.seals[1].encode()
    assert canonical(one, secrets.seals) != canonical(other, secrets.seals)
    assert canonical(one) == canonical(other)
