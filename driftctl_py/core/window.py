"""When something may be applied: windows that come again by the calendar, and freezes.

A plan that would be applied outside of them is held, with its approvals, until they let it. Nothing
here stops an apply that has begun.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime
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
    """Why nothing may be applied now, as a sentence, and when that is over (None: nobody knows)."""

    why: str
    until: datetime | None = None


def closed(
    timetables: Sequence[Sequence[Window]],
    freezes: Sequence[Freeze],
    causes: Collection[str],
    now: datetime,
) -> tuple[Closed, ...]:
    """What keeps a plan whose changes have these causes (``drift``, ``commit``; both where that
    cannot be told) from being applied at this moment; empty: nothing. Each timetable by itself has
    to let it: its allow windows, where it has some, by being open, its deny windows by not being.
    """
    if not timetables and not freezes:
        return ()
    raise NotImplementedError
