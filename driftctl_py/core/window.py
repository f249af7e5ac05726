"""When something may be applied: windows that come again by the calendar, and freezes.

A plan that would be applied outside of them is held, with its approvals, until they let it. Nothing
here stops an apply that has begun.

The library `cronsim` says which readings of a clock a cron expression means; at which moments a
clock has such a reading is found here. Its own answer misses what lies behind the half hour of Lord
Howe, and forgets what began an hour ago on a clock that was put back meanwhile. Nothing is read but
the database of time zones.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta, tzinfo
from enum import Enum

from driftctl_py.core.scope import Scope


class WindowEffect(Enum):
    """What a window says of the time within it."""

    ALLOW = "allow"
    """Where an environment has such windows, it is applied within one of them only."""
    DENY = "deny"
    """Never within it, whatever another one allows."""


@dataclass(frozen=True, slots=True)
class Window:
    """Begins whenever ``cron`` (five fields) says so on the clocks of ``timezone`` (a name of the
    IANA database), and lasts ``duration_seconds`` of real time. ``causes`` limits it to plans with
    a change of such a cause (``drift``, ``commit``); empty: any. ``where`` is ``file:line``."""

    name: str
    effect: WindowEffect
    cron: str
    duration_seconds: int
    timezone: str = "UTC"
    message: str = ""
    causes: tuple[str, ...] = ()
    scope: Scope = field(default_factory=Scope)
    where: str = field(default="", compare=False)


@dataclass(frozen=True, slots=True)
class Freeze:
    """From one moment to another nothing is applied; ``end`` None: until it is taken out."""

    name: str
    start: datetime
    end: datetime | None
    message: str = ""
    scope: Scope = field(default_factory=Scope)
    where: str = field(default="", compare=False)


@dataclass(frozen=True, slots=True)
class Closed:
    """Why nothing may be applied now, as a sentence, and when that is over (None: nobody knows).
    ``by_command``: somebody froze everything, and may thaw it at any moment."""

    why: str
    until: datetime | None = None
    by_command: bool = False


def closed(
    timetables: Sequence[Sequence[Window]],
    freezes: Sequence[Freeze],
    causes: Collection[str],
    now: datetime,
) -> tuple[Closed, ...]:
    """What keeps a plan whose changes have these causes (``drift``, ``commit``; both where that
    cannot be told) from being applied at this moment; empty: nothing. Each timetable by itself has
    to let it: its allow windows, where it has some, by being open, its deny windows by not being.

    Windows that are limited to a cause have to let what has that cause, and nothing else: what a
    commit changes is not let by a window for drift. ``until`` is when this one thing is over; what
    it was in the way of may be closed for another reason by then.
    """
    causes = frozenset(causes) or _ALL_CAUSES
    found: list[Closed] = []
    for each in freezes:
        if each.start <= now and (each.end is None or now < each.end):
            found.append(_frozen_by(each))
    for timetable in timetables:
        for window in timetable:
            if window.effect is WindowEffect.DENY and _about(window, causes):
                found.extend(_denied_by(window, now))
        found.extend(_not_allowed_by(timetable, causes, now))
    # What the watched repository says once more is not said twice.
    return tuple(dict.fromkeys(found))


def earliest_end(closed: Sequence[Closed]) -> datetime | None:
    """When the first of them is over, and another look is worth it; None: nobody knows."""
    return min((each.until for each in closed if each.until is not None), default=None)


def over(closed: Sequence[Closed]) -> datetime | None:
    """When all of them are over, as far as that is known; None where it is not."""
    ends = [each.until for each in closed]
    known = [end for end in ends if end is not None]
    return max(known) if known and len(known) == len(ends) else None


def still_closed(
    then: Sequence[Closed], frozen: Sequence[Closed], now: datetime
) -> tuple[Closed, ...]:
    """Of what was in the way when a plan was judged, what is so by now as far as that can be told
    without the configuration; and how things are ``frozen`` now."""
    kept = (
        each for each in then if not each.by_command and (each.until is None or now < each.until)
    )
    return (*frozen, *kept)


_ALL_CAUSES = frozenset({"drift", "commit"})


def _about(window: Window, causes: Collection[str]) -> bool:
    return not window.causes or any(each in causes for each in window.causes)


def _frozen_by(freeze: Freeze) -> Closed:
    if freeze.end is None:
        lasts = "It lasts until it is taken out of the configuration."
    else:
        lasts = f"It lasts until {_moment(freeze.end)}."
    return Closed(
        f"Nothing is applied during the freeze {_named(freeze)}{_said(freeze.message)} {lasts}",
        freeze.end,
    )


def _denied_by(window: Window, now: datetime) -> Iterator[Closed]:
    begun = _last_begin(window, now)
    if begun is None or now >= begun + _length(window):
        return
    end = _end(window, begun)
    if end is None:
        lasts = "It begins anew before it is over, so nobody knows until when."
    else:
        lasts = f"It lasts until {_moment(end, window.timezone)}."
    yield Closed(
        f"{_NOT_DURING[_limit(window)]} {_named(window)}{_said(window.message)} {lasts}", end
    )


def _not_allowed_by(
    timetable: Sequence[Window], causes: Collection[str], now: datetime
) -> Iterator[Closed]:
    allow = [each for each in timetable if each.effect is WindowEffect.ALLOW]
    told: list[list[Window]] = []
    for cause in sorted(causes):
        windows = [each for each in allow if _about(each, (cause,))]
        if not windows or windows in told or any(_is_open(each, now) for each in windows):
            continue
        told.append(windows)
        begins = [(at, each) for each in windows if (at := _next_begin(each, now)) is not None]
        first = min(begins, key=lambda each: each[0], default=None)
        limits = {_limit(each) for each in windows}
        only = _ONLY_DURING[limits.pop() if len(limits) == 1 else cause]
        when = f"next from {_moment(first[0], first[1].timezone)}" if first else "which never comes"
        messages = [_sentence(each.message) for each in windows if each.message]
        names = " or ".join(map(_named, windows))
        yield Closed(" ".join((f"{only} {names}, {when}.", *messages)), first[0] if first else None)


_NOT_DURING = {
    "": "Nothing is applied during",
    "commit": "No commit is applied during",
    "drift": "No drift is put back during",
}
_ONLY_DURING = {
    "": "Changes are applied only during",
    "commit": "Commits are applied only during",
    "drift": "Drift is put back only during",
}


def _limit(window: Window) -> str:
    """The one cause that it is about; empty: all."""
    causes = set(window.causes)
    return causes.pop() if len(causes) == 1 else ""


def _named(each: Window | Freeze) -> str:
    return f"{each.name} ({each.where})" if each.where else each.name


def _said(message: str) -> str:
    return f": {_sentence(message)}" if message else "."


def _sentence(message: str) -> str:
    return message if message.endswith((".", "!", "?", "…")) else f"{message}."


def _moment(at: datetime, timezone: str = "UTC") -> str:
    """``2026-11-24 21:00 UTC (22:00 in Europe/Berlin)``."""
    utc = f"{at.astimezone(UTC):%Y-%m-%d %H:%M} UTC"
    if timezone == "UTC":
        return utc
    there = at.astimezone(_zone(timezone))
    same_day = there.date() == at.astimezone(UTC).date()
    return f"{utc} ({there:{'%H:%M' if same_day else '%Y-%m-%d %H:%M'}} in {timezone})"


# When windows begin and end.


def _is_open(window: Window, now: datetime) -> bool:
    # Of beginnings that overlap, the latest one lasts longest.
    begun = _last_begin(window, now)
    return begun is not None and now < begun + _length(window)


def _length(window: Window) -> timedelta:
    return timedelta(seconds=window.duration_seconds)


# More than a year of days, each of which begins before the one before is over.
_LINKS_AT_MOST = 400


def _end(window: Window, begun: datetime) -> datetime | None:
    """When a window that began then is over: not while it begins anew. None: not for long."""
    for _ in range(_LINKS_AT_MOST):
        end = begun + _length(window)
        last = _last_begin(window, end)
        if last is None or last <= begun:
            return end
        begun = last
    return None


# No clock was ever put on or back by more than a day.
_NEARBY = timedelta(hours=26)


def _last_begin(window: Window, now: datetime) -> datetime | None:
    """The latest beginning that is not after this moment."""
    clock = _Clock(window, now, now - _NEARBY)
    # What it showed before it was put back may be later than what it shows.
    readings = clock.readings(clock.latest + timedelta(seconds=1), backwards=True)
    last: datetime | None = None
    stop = datetime.min
    for reading in readings:
        if reading < stop:
            break
        for begin in clock.moments(reading):
            if begin <= now and (last is None or begin > last):
                stop = stop if last else reading - clock.put_by
                last = begin
    return last


def _next_begin(window: Window, now: datetime) -> datetime | None:
    """The first beginning that is after this moment."""
    clock = _Clock(window, now, now + _NEARBY)
    first: datetime | None = None
    stop = datetime.max
    for reading in clock.readings(clock.earliest, backwards=False):
        if reading > stop:
            break
        for begin in clock.moments(reading):
            if begin > now and (first is None or begin < first):
                stop = stop if first else reading + clock.put_by
                first = begin
    return first


class _Clock:
    """The clock on the wall, where a window is: which readings begin it, and when there is such a
    reading. Readings are moments without a zone."""

    def __init__(self, window: Window, *around: datetime) -> None:
        self._zone = _zone(window.timezone)
        self._cron = window.cron
        # As Debian's cron has it: what is to be at given hours and minutes is to be once a day,
        # what is to be every so often follows the time that really passes.
        self._once = not any(each.startswith("*") for each in window.cron.split()[:2])
        offsets = [each.astimezone(self._zone).utcoffset() or timedelta() for each in around]
        now = around[0].astimezone(UTC).replace(tzinfo=None, microsecond=0)
        self.earliest = now + min(offsets)
        self.latest = now + max(offsets)
        self.put_by = max(offsets) - min(offsets)

    def readings(self, start: datetime, *, backwards: bool) -> Iterator[datetime]:
        """Those after, or before, a reading at which the window begins."""
        from cronsim import CronSim

        return CronSim(self._cron, start, reverse=backwards)

    def moments(self, reading: datetime) -> tuple[datetime, ...]:
        """When it shows that: never in the night in which it is put on, twice when put back."""
        found = [self._moment(reading, fold) for fold in (0, 1)]
        moments = tuple(dict.fromkeys(each for each in found if each is not None))
        if not self._once or len(moments) == 1:
            return moments
        while not moments:
            # What was to begin then begins as soon as there is such a clock again.
            reading += timedelta(minutes=1)
            moments = tuple(filter(None, [self._moment(reading, 0)]))
        return moments[:1]

    def _moment(self, reading: datetime, fold: int) -> datetime | None:
        at = reading.replace(tzinfo=self._zone, fold=fold).astimezone(UTC)
        return at if at.astimezone(self._zone).replace(tzinfo=None) == reading else None


def _zone(name: str) -> tzinfo:
    from zoneinfo import ZoneInfo

    return ZoneInfo(name)
