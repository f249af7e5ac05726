"""What people, or an accident, hold an environment back with: until it is lifted, no apply goes
beyond it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import Enum


class Why(Enum):
    """What kind of restraint it is. An environment has at most one of each."""

    SUSPENDED = "suspended"
    """Somebody said: leave it alone. Plans are made, nothing is applied."""
    PINNED = "pinned"
    """Rolled back: it is planned at ``commit`` until it is released."""
    BLOCKED = "blocked"
    """An apply could not save its state (``errored.tfstate``), or nobody knows how it ended."""


@dataclass(frozen=True, slots=True)
class Restraint:
    """``until`` None: for as long as nobody lifts it. ``run`` is the run it came of, if any."""

    environment: str
    why: Why
    reason: str
    by: str
    at: datetime
    until: datetime | None = None
    commit: str = ""
    run: str = ""

    def holds(self, now: datetime) -> bool:
        """Whether it still holds."""
        return self.until is None or now < self.until
