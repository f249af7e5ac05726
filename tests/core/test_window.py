"""Windows, held against a clock that is read minute by minute, and the nights that are no nights
like others."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import cache
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from driftctl_py.core.window import (
    Closed,
    Freeze,
    Window,
    WindowEffect,
    closed,
    earliest_end,
    over,
    still_closed,
)

BERLIN, NEW_YORK, LORD_HOWE = "Europe/Berlin", "America/New_York", "Australia/Lord_Howe"
ANY = ("drift", "commit")
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
# The nights of 2026 in which clocks are put on, and back: moments at which that is done.
PUT_ON = {
    BERLIN: datetime(2026, 3, 29, 1, tzinfo=UTC),
    NEW_YORK: datetime(2026, 3, 8, 7, tzinfo=UTC),
    LORD_HOWE: datetime(2026, 10, 3, 15, 30, tzinfo=UTC),
}
PUT_BACK = {
    BERLIN: datetime(2026, 10, 25, 1, tzinfo=UTC),
    NEW_YORK: datetime(2026, 11, 1, 6, tzinfo=UTC),
    LORD_HOWE: datetime(2026, 4, 4, 15, tzinfo=UTC),
}


def at(text: str) -> datetime:
    """A moment in UTC."""
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def window(cron: str, duration: timedelta, timezone: str = "UTC", **more: Any) -> Window:
    seconds = int(duration.total_seconds())
    made = Window("nights", WindowEffect.DENY, cron, seconds, timezone, where="driftctl.yaml:4")
    return replace(made, **more)


def allow(cron: str, duration: timedelta, timezone: str = "UTC", **more: Any) -> Window:
    return window(cron, duration, timezone, effect=WindowEffect.ALLOW, **more)


def ask(*windows: Window, now: datetime, causes: tuple[str, ...] = ANY) -> tuple[Closed, ...]:
    return closed([windows], [], causes, now)


def is_open(window: Window, now: datetime) -> bool:
    """As a deny window says it, and as one that allows does: they must agree."""
    denied = bool(ask(replace(window, effect=WindowEffect.DENY), now=now))
    assert denied is not bool(ask(replace(window, effect=WindowEffect.ALLOW), now=now))
    return denied


# The properties.


@cache
def readings(zone: str, around: datetime) -> tuple[tuple[datetime, datetime, datetime], ...]:
    """Each minute of days around a moment: what the clock shows then, and showed one before."""
    place, found = ZoneInfo(zone), []
    minute = around - 2 * DAY
    while minute < around + 2 * DAY:
        found.append((minute, minute.astimezone(place).replace(tzinfo=None)))
        minute += MINUTE
    return tuple((now, shown, before) for (_, before), (now, shown) in pairwise(found))


def begins_of(
    minutes: set[int] | None, hours: set[int] | None, zone: str, near: str
) -> list[datetime]:
    """Every beginning, found by looking at the clock each minute. None stands for a star."""

    def fits(shown: datetime) -> bool:
        return (minutes is None or shown.minute in minutes) and (
            hours is None or shown.hour in hours
        )

    once = minutes is not None and hours is not None
    seen: set[datetime] = set()
    found = []
    for now, shown, before in readings(zone, moment_of(zone, near)):
        skipped = [before + MINUTE * each for each in range(1, (shown - before) // MINUTE)]
        begins = fits(shown) and not (once and shown in seen)
        if begins or (once and any(map(fits, skipped))):
            found.append(now)
        seen.add(shown)
    return found


def moment_of(zone: str, near: str) -> datetime:
    return (PUT_ON if near == "on" else PUT_BACK)[zone]


def field(values: set[int] | None) -> str:
    return "*" if values is None else ",".join(map(str, sorted(values)))


some_minutes = st.none() | st.sets(st.integers(0, 59), min_size=1, max_size=3)
some_hours = st.none() | st.sets(st.sampled_from([0, 1, 2, 3, 12, 23]), min_size=1, max_size=3)


@given(
    some_minutes,
    some_hours,
    st.sampled_from([BERLIN, NEW_YORK, LORD_HOWE]),
    st.sampled_from(["on", "back"]),
    st.integers(1, 30 * 60),
    st.integers(-5 * 60 * 60, 5 * 60 * 60),
)
@example({30}, {2}, BERLIN, "back", 60, 10 * 60)
@example(None, {3}, LORD_HOWE, "on", 15, 0)
@settings(deadline=None, max_examples=40)
def test_a_window_is_open_and_over_when_a_clock_read_each_minute_says_so(
    minutes: set[int] | None,
    hours: set[int] | None,
    zone: str,
    near: str,
    duration: int,
    seconds: int,
) -> None:
    length, now = timedelta(minutes=duration), moment_of(zone, near) + timedelta(seconds=seconds)
    begins = begins_of(minutes, hours, zone, near)
    cron = f"{field(minutes)} {field(hours)} * * *"

    opened = [each for each in begins if each <= now < each + length]
    (denied,) = ask(window(cron, length, zone), now=now) or (None,)
    (waiting,) = ask(allow(cron, length, zone), now=now) or (None,)
    assert (denied is not None) == bool(opened)
    assert (waiting is not None) == (not opened)
    if waiting is not None:
        assert waiting.until == min(each for each in begins if each > now)
    if denied is not None and denied.until is not None and denied.until < begins[-1]:
        before = [each for each in begins if each <= denied.until]
        assert denied.until == before[-1] + length
        assert all(after - one <= length for one, after in pairwise(before) if after > opened[-1])


@given(
    st.lists(
        st.tuples(
            st.sampled_from(list(WindowEffect)),
            st.sampled_from(["0 9 * * 1-5", "0 22 * * *", "30 2 * * *", "*/20 8-17 * * *"]),
            st.integers(10, 20 * 60),
            st.sampled_from([(), ("drift",), ("commit",), ANY]),
        ),
        max_size=5,
    ),
    st.sampled_from([("drift",), ("commit",), ANY]),
    st.integers(0, 14 * 24 * 60),
    st.randoms(use_true_random=False),
)
def test_their_order_changes_nothing_a_cause_more_never_opens_and_a_denial_always_closes(
    drawn: list[tuple[WindowEffect, str, int, tuple[str, ...]]],
    causes: tuple[str, ...],
    minute: int,
    random: Any,
) -> None:
    now = at("2026-11-23T00:00") + minute * MINUTE
    windows = [
        Window(f"w{number}", effect, cron, length * 60, BERLIN, causes=about)
        for number, (effect, cron, length, about) in enumerate(drawn)
    ]
    mixed = random.sample(windows, len(windows))

    found = ask(*windows, now=now, causes=causes)
    assert bool(ask(*mixed, now=now, causes=causes)) is bool(found)
    assert {each.until for each in ask(*mixed, now=now, causes=causes)} == {
        each.until for each in found
    }
    assert ask(*windows, now=now, causes=ANY) or not found
    denied = [each for each in windows if each.effect is WindowEffect.DENY]
    assert found or not ask(*denied, now=now, causes=causes)
    # Whatever is said, it says so of a moment that is still to come.
    assert all(each.until is None or each.until > now for each in found)


# The nights in which clocks are put on or back.


@pytest.mark.parametrize(
    ("zone", "cron", "begins"),
    [
        # 02:00 to 03:00 is not; it begins when there is a clock again.
        (BERLIN, "30 2 * * *", "2026-03-29T01:00"),
        (NEW_YORK, "30 2 * * *", "2026-03-08T07:00"),
        # 02:00 to 02:30 is not.
        (LORD_HOWE, "15 2 * * *", "2026-10-03T15:30"),
        (LORD_HOWE, "30 2 * * *", "2026-10-03T15:30"),
    ],
)
def test_what_was_to_begin_at_an_hour_that_is_left_out_begins_when_the_clock_goes_on(
    zone: str, cron: str, begins: str
) -> None:
    begin, an_hour = at(begins), window(cron, HOUR, zone)

    assert begin == PUT_ON[zone]
    assert not is_open(an_hour, begin - MINUTE)
    assert is_open(an_hour, begin)
    assert is_open(an_hour, begin + HOUR - MINUTE)
    assert not is_open(an_hour, begin + HOUR)


@pytest.mark.parametrize(
    ("zone", "cron", "first", "second"),
    [
        (BERLIN, "30 2 * * *", "2026-10-25T00:30", "2026-10-25T01:30"),
        (NEW_YORK, "30 1 * * *", "2026-11-01T05:30", "2026-11-01T06:30"),
        (LORD_HOWE, "45 1 * * *", "2026-04-04T14:45", "2026-04-04T15:15"),
    ],
)
def test_what_begins_at_an_hour_that_comes_twice_begins_once_and_lasts_its_real_time(
    zone: str, cron: str, first: str, second: str
) -> None:
    begin, again = at(first), at(second)
    place, half = ZoneInfo(zone), window(cron, timedelta(minutes=20), zone)

    assert begin < PUT_BACK[zone] < again
    assert begin.astimezone(place).time() == again.astimezone(place).time()
    assert not is_open(half, begin - MINUTE)
    assert is_open(half, begin)
    assert is_open(half, begin + 19 * MINUTE)
    assert not is_open(half, begin + 20 * MINUTE)
    assert not is_open(half, again)
    # Over the hour that comes twice it does not get longer.
    long = window(cron, 2 * HOUR, zone)
    assert is_open(long, again)
    assert not is_open(long, begin + 2 * HOUR)


@pytest.mark.parametrize("zone", [BERLIN, NEW_YORK, LORD_HOWE])
def test_what_begins_every_so_often_follows_the_time_that_passes(zone: str) -> None:
    often = window("*/30 * * * *", timedelta(minutes=10), zone)

    for moment in (PUT_ON[zone], PUT_BACK[zone]):
        for half_hours in range(-4, 5):
            begin = moment + half_hours * 30 * MINUTE
            assert is_open(often, begin + 9 * MINUTE)
            assert not is_open(often, begin + 10 * MINUTE)


@pytest.mark.parametrize(
    ("zone", "before", "after"),
    [
        (BERLIN, "2026-03-28T21:00", "2026-03-29T20:00"),
        (NEW_YORK, "2026-03-08T03:00", "2026-03-09T02:00"),
        (LORD_HOWE, "2026-10-03T11:30", "2026-10-04T11:00"),
    ],
)
def test_a_window_opens_by_the_clocks_of_its_zone_in_summer_and_winter(
    zone: str, before: str, after: str
) -> None:
    nights = allow("0 22 * * *", HOUR, zone)

    (first,) = ask(nights, now=at(before) - MINUTE)
    (second,) = ask(nights, now=at(before) + HOUR)
    assert first.until == at(before)
    assert second.until == at(after)


def test_what_began_before_the_clock_was_put_back_is_not_forgotten() -> None:
    # 02:10 for the second time: 02:30 was forty minutes ago.
    now = at("2026-10-25T01:10")

    (found,) = ask(window("30 2 * * *", HOUR, BERLIN), now=now)
    assert found.until == at("2026-10-25T01:30")


# Lengths, midnights, years.


def test_a_window_goes_on_over_midnight_and_over_the_end_of_a_year() -> None:
    nights = window("0 22 31 12 *", 10 * HOUR)

    assert not is_open(nights, at("2026-12-31T21:59"))
    assert is_open(nights, at("2026-12-31T23:59"))
    assert is_open(nights, at("2027-01-01T00:00"))
    assert is_open(nights, at("2027-01-01T07:59"))
    assert not is_open(nights, at("2027-01-01T08:00"))


def test_a_window_that_begins_anew_before_it_is_over_is_over_when_the_last_one_is() -> None:
    # Nine, ten and eleven o'clock, each for an hour and a half.
    (found,) = ask(window("0 9-11 * * *", HOUR * 1.5), now=at("2026-11-24T09:15"))

    assert found.until == at("2026-11-24T12:30")
    assert "It lasts until 2026-11-24 12:30 UTC." in found.why


def test_a_window_that_is_never_over_says_so() -> None:
    (found,) = ask(window("0 0 * * *", DAY), now=at("2026-11-24T09:15"))

    assert found.until is None
    assert found.why == (
        "Nothing is applied during nights (driftctl.yaml:4). It begins anew before it is over, so "
        "nobody knows until when."
    )


def test_a_day_of_24_hours_leaves_an_hour_of_the_day_that_has_25() -> None:
    (found,) = ask(window("0 0 * * *", DAY, BERLIN), now=at("2026-10-20T09:15"))

    assert found.until == at("2026-10-25T22:00")
    assert not ask(window("0 0 * * *", DAY, BERLIN), now=at("2026-10-25T22:30"))


def test_a_window_that_never_comes_is_never_open() -> None:
    # Of the fifth Monday of a February that would have to be its first or 31st day. The
    # configuration refuses it; here it hangs nothing and lets nothing be applied.
    never = allow("0 0 */30 2 MON#5", HOUR)

    (found,) = ask(never, now=at("2026-11-24T09:15"))
    assert found.until is None
    assert found.why == (
        "Changes are applied only during nights (driftctl.yaml:4), which never comes."
    )
    assert not ask(replace(never, effect=WindowEffect.DENY), now=at("2026-11-24T09:15"))


def test_a_window_that_comes_every_four_years_is_found() -> None:
    rare = allow("0 0 29 2 *", MINUTE)

    (found,) = ask(rare, now=at("2026-11-24T09:15"))
    assert found.until == at("2028-02-29T00:00")
    assert is_open(rare, at("2024-02-29T00:00"))


# What is said, and of which plans.


def test_where_there_are_no_windows_and_no_freezes_nothing_is_closed() -> None:
    assert closed([], [], ANY, at("2026-11-24T09:15")) == ()
    assert closed([[]], [], ANY, at("2026-11-24T09:15")) == ()


def test_without_a_window_that_allows_it_is_open_but_for_those_that_deny() -> None:
    weekend = window("0 18 * * FRI", 62 * HOUR, name="weekend")

    assert ask(weekend, now=at("2026-11-24T09:15")) == ()
    assert ask(weekend, now=at("2026-11-28T09:15"))


def test_denying_wins_and_each_thing_says_its_own() -> None:
    now = at("2026-11-27T19:00")
    windows = (
        allow("0 18 * * *", 4 * HOUR, name="evenings"),
        window("0 18 * * FRI", 62 * HOUR, BERLIN, name="weekend", message="Nobody is there"),
        window("0 19 * * *", HOUR, name="backup", message="The backup runs!", where=""),
    )

    assert ask(*windows, now=now) == (
        Closed(
            "Nothing is applied during weekend (driftctl.yaml:4): Nobody is there. It lasts until "
            "2026-11-30 07:00 UTC (08:00 in Europe/Berlin).",
            at("2026-11-30T07:00"),
        ),
        Closed(
            "Nothing is applied during backup: The backup runs! It lasts until 2026-11-27 20:00 "
            "UTC.",
            at("2026-11-27T20:00"),
        ),
    )


def test_windows_that_allow_say_when_the_first_of_them_opens_with_the_day_where_it_is_another() -> (
    None
):
    windows = (
        allow("30 0 * * *", HOUR, BERLIN, message="When nobody looks"),
        allow("0 23 * * SUN", HOUR, name="sundays", where="driftctl.yaml:9"),
    )

    assert ask(*windows, now=at("2026-11-24T09:15")) == (
        Closed(
            "Changes are applied only during nights (driftctl.yaml:4) or sundays "
            "(driftctl.yaml:9), next from 2026-11-24 23:30 UTC (2026-11-25 00:30 in "
            "Europe/Berlin). When nobody looks.",
            at("2026-11-24T23:30"),
        ),
    )


@pytest.mark.parametrize(
    ("causes", "whys"),
    [
        (("drift",), ["Drift is put back only during nights (driftctl.yaml:4), next from"]),
        (("commit",), ["No commit is applied during days (driftctl.yaml:4). It lasts until"]),
        (
            ANY,
            [
                "No commit is applied during days (driftctl.yaml:4). It lasts until",
                "Drift is put back only during nights (driftctl.yaml:4), next from",
            ],
        ),
    ],
)
def test_a_window_for_a_cause_is_about_nothing_else(
    causes: tuple[str, ...], whys: list[str]
) -> None:
    now = at("2026-11-24T09:15")
    windows = (
        allow("0 22 * * *", HOUR, causes=("drift",)),
        window("0 8 * * *", 8 * HOUR, name="days", causes=("commit",)),
    )

    found = ask(*windows, now=now, causes=causes)
    assert [each.why.partition(" 2026")[0] for each in found] == whys


def test_what_allows_drift_does_not_let_a_commit_that_comes_with_it() -> None:
    now = at("2026-11-24T09:15")
    windows = (
        allow("0 9 * * *", HOUR, causes=("drift",), name="mornings"),
        allow("0 22 * * *", HOUR, causes=("commit",), name="nights"),
    )

    assert ask(*windows, now=now, causes=("drift",)) == ()
    (found,) = ask(*windows, now=now, causes=ANY)
    assert found.why.startswith("Commits are applied only during nights")
    # Of which nobody knows the cause, it may be either.
    assert ask(*windows, now=now, causes=()) == (found,)


def test_windows_for_one_cause_and_for_all_are_named_together() -> None:
    windows = (
        allow("0 22 * * *", HOUR),
        allow("0 12 * * *", HOUR, causes=("drift",), name="noons"),
    )

    first, second = ask(*windows, now=at("2026-11-24T09:15"))
    assert first.why.startswith("Changes are applied only during nights (driftctl.yaml:4), next")
    assert second.why.startswith(
        "Drift is put back only during nights (driftctl.yaml:4) or noons (driftctl.yaml:4), next "
        "from 2026-11-24 12:00 UTC"
    )


def test_each_timetable_by_itself_has_to_let_it() -> None:
    now = at("2026-11-24T09:15")
    own, theirs = [allow("0 9 * * *", HOUR)], [allow("0 22 * * *", HOUR, where="infra:2")]

    assert not closed([own], [], ANY, now)
    assert len(closed([own, theirs], [], ANY, now)) == 1
    # What is said twice is told once.
    assert len(closed([theirs, theirs], [], ANY, now)) == 1


def test_a_freeze_holds_from_its_beginning_to_its_end() -> None:
    begin, end = at("2026-12-18T17:00"), at("2027-01-04T08:00")
    freeze = Freeze("year-end", begin, end, "The shop is full", where="driftctl.yaml:20")

    assert closed([], [freeze], ANY, begin - MINUTE) == ()
    assert closed([], [freeze], ANY, end) == ()
    for now in (begin, end - MINUTE):
        assert closed([], [freeze], ("drift",), now) == (
            Closed(
                "Nothing is applied during the freeze year-end (driftctl.yaml:20): The shop is "
                "full. It lasts until 2027-01-04 08:00 UTC.",
                end,
            ),
        )


def test_a_freeze_without_an_end_lasts_until_it_is_taken_out() -> None:
    (found,) = closed([], [Freeze("audit", at("2026-11-01T00:00"), None)], ANY, at("2030-01-01"))

    assert found == Closed(
        "Nothing is applied during the freeze audit. It lasts until it is taken out of the "
        "configuration.",
        None,
    )


# What comes of several.

SOON, LATER = at("2026-11-24T10:00"), at("2026-11-24T12:00")


def test_the_first_end_is_worth_a_look_and_the_last_one_opens() -> None:
    both = (Closed("", LATER), Closed("", SOON))

    assert earliest_end(both) == SOON
    assert over(both) == LATER
    assert earliest_end((*both, Closed(""))) == SOON
    assert over((*both, Closed(""))) is None
    assert earliest_end(()) is over(()) is earliest_end([Closed("")]) is None


def test_what_was_closed_is_told_from_what_still_is() -> None:
    then = (Closed("a", SOON), Closed("b", LATER), Closed("c"), Closed("d", by_command=True))
    frozen = (Closed("e", by_command=True),)

    assert still_closed(then, (), SOON) == (Closed("b", LATER), Closed("c"))
    assert still_closed(then, frozen, LATER) == (*frozen, Closed("c"))
