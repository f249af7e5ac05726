"""What holds an environment back: until when."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from driftctl_py.core.restraint import EVERYWHERE, Restraint, Why, frozen
from driftctl_py.core.window import Closed

NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)
FREEZE = Restraint("prod", Why.SUSPENDED, "Freeze.", "os:ada", NOON)


def test_without_an_end_it_holds_until_somebody_lifts_it() -> None:
    assert FREEZE.holds(NOON + timedelta(days=10_000))


def test_it_holds_up_to_its_end_and_not_at_it() -> None:
    freeze = replace(FREEZE, until=NOON + timedelta(hours=1))

    assert freeze.holds(NOON + timedelta(hours=1) - timedelta(microseconds=1))
    assert not freeze.holds(NOON + timedelta(hours=1))


def test_a_freeze_of_everything_says_who_why_and_until_when() -> None:
    freeze = Restraint(EVERYWHERE, Why.FROZEN, "An incident", "os:ada", NOON)
    for_a_while = replace(freeze, reason="Black Friday!", until=NOON + timedelta(hours=6))

    assert frozen([freeze, for_a_while], NOON) == (
        Closed(
            "Nothing is applied anywhere: os:ada froze everything at 2026-11-24 12:00 UTC: An "
            "incident. It lasts until somebody thaws it.",
            None,
            by_command=True,
        ),
        Closed(
            "Nothing is applied anywhere: os:ada froze everything at 2026-11-24 12:00 UTC: Black "
            "Friday! It lasts until 2026-11-24 18:00 UTC, or until somebody thaws it.",
            NOON + timedelta(hours=6),
            by_command=True,
        ),
    )


def test_what_is_over_and_what_is_no_freeze_freezes_nothing() -> None:
    over = Restraint(EVERYWHERE, Why.FROZEN, "It was.", "os:ada", NOON, NOON + timedelta(hours=1))

    assert frozen([over, FREEZE], NOON + timedelta(hours=1)) == ()
