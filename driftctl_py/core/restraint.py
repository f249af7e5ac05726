"""What people, or an accident, hold an environment back with: until it is lifted, no apply goes
beyond it. A freeze holds back all of them: plans are made and approvals are given meanwhile, and
when it ends they are applied.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import Enum

from driftctl_py.core.approval import moment
from driftctl_py.core.window import Closed

EVERYWHERE = "*"
"""What is said of all environments is kept under this name, which none of them can have."""


class Why(Enum):
    """What kind of restraint it is. An environment has at most one of each."""

    SUSPENDED = "suspended"
    """Somebody said: leave it alone. Plans are made, nothing is applied."""
    PINNED = "pinned"
    """Rolled back: it is planned at ``commit`` until it is released."""
    BLOCKED = "blocked"
    """An apply could not save its state (``errored.tfstate``), nobody knows how it ended, or too
    many in a row failed."""
    FROZEN = "frozen"
    """Somebody said: apply nothing, anywhere. Of `EVERYWHERE` alone."""


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


def frozen(restraints: Iterable[Restraint], now: datetime) -> tuple[Closed, ...]:
    """That nothing is applied anywhere, where these restraints of `EVERYWHERE` say so now."""
    return tuple(_frozen(each) for each in restraints if each.why is Why.FROZEN and each.holds(now))


def _frozen(restraint: Restraint) -> Closed:
    end = "" if restraint.reason.endswith((".", "!", "?", "…")) else "."
    until = f"until {moment(restraint.until)}, or " if restraint.until else ""
    return Closed(
        f"Nothing is applied anywhere: {restraint.by} froze everything at {moment(restraint.at)}: "
        f"{restraint.reason}{end} It lasts {until}until somebody thaws it.",
        restraint.until,
        by_command=True,
    )
