from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from driftctl_py.core.due import first_due, place_in

NOW = datetime(2026, 11, 24, 9, 14, tzinfo=UTC)


def test_what_was_never_looked_at_is_due_at_once() -> None:
    assert first_due("prod", 3600, now=NOW, last=None) == NOW


def test_what_was_looked_at_too_long_ago_is_due_at_once() -> None:
    last = NOW - timedelta(seconds=3600)

    assert first_due("prod", 3600, now=NOW, last=last) == NOW


@given(
    st.text(),
    st.integers(1, 90_000),
    st.integers(0, 200_000),
    st.floats(0, 0.999),
)
def test_a_turn_comes_within_the_interval_and_always_at_the_same_place(
    name: str, interval: int, later: int, part: float
) -> None:
    now = NOW + timedelta(seconds=later)
    last = now - timedelta(seconds=interval * part)

    due = first_due(name, interval, now=now, last=last)

    assert timedelta(0) <= due - now <= timedelta(seconds=interval)
    apart = (due.timestamp() - place_in(interval, name)) % interval
    assert min(apart, interval - apart) < 0.001


def test_a_thousand_names_are_spread_over_the_interval() -> None:
    tenths = [int(place_in(600, f"environment-{number}") // 60) for number in range(1000)]

    assert all(60 < tenths.count(tenth) < 140 for tenth in range(10))
