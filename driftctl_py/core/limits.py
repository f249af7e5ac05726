"""How much may go wrong, or on, before a person has to look: the circuit breaker, the budget of a
day, and drift that comes back again and again.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Limits:
    """Of one environment; 0 turns one off.

    After ``failures`` applies in a row that failed or did not converge, it is blocked until a
    person unblocks it. ``applies_per_day`` are those of the last 24 hours that nobody was asked
    about; the next one needs a yes. So does putting back the same drift that was put back
    ``heals_per_day`` times in the last 24 hours: something else owns it.
    """

    failures: int = 3
    applies_per_day: int = 0
    heals_per_day: int = 5
