"""What holds an environment back: until when."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from driftctl_py.core.restraint import Restraint, Why

NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)
FREEZE = Restraint("prod", Why.SUSPENDED, "Freeze.", "os:ada", NOON)


def test_without_an_end_it_holds_until_somebody_lifts_it() -> None:
    assert FREEZE.holds(NOON + timedelta(days=10_000))


def test_it_holds_up_to_its_end_and_not_at_it() -> None:
    freeze = replace(FREEZE, until=NOON + timedelta(hours=1))

    assert freeze.holds(NOON + timedelta(hours=1) - timedelta(microseconds=1))
    assert not freeze.holds(NOON + timedelta(hours=1))
