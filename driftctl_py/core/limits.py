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


APPLIES, HEALS = "limits.applies_per_day", "limits.heals_per_day"


def rule_of(limit: str, count: int) -> str:
    """What a limit is called where it wants somebody to be asked: ``limits.heals_per_day: 5``."""
    return f"{limit}: {count}"


def is_limit(rule: str) -> bool:
    """Whether that is what a limit is called."""
    return rule.startswith((f"{APPLIES}: ", f"{HEALS}: "))
