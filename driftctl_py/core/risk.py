"""What could go wrong for good: what is destroyed, what of it holds data, how far it reaches.

A hint for a reader, worded by ``report``; what is allowed is for policy and gate.
"""

from __future__ import annotations

from dataclasses import dataclass

from driftctl_py.core.assessment import Assessment, Finding


@dataclass(frozen=True, slots=True)
class Risk:
    """Counts of objects. ``stateful`` are the findings that destroy or forget something that
    holds data or keys. ``touched`` of ``managed`` objects are not the same after apply."""

    destroyed: int = 0
    replaced: int = 0
    forgotten: int = 0
    stateful: tuple[Finding, ...] = ()
    touched: int = 0
    managed: int = 0

    @property
    def share(self) -> float | None:
        """Of the environment that apply touches, 0 to 1; None for an environment without
        objects."""
        return min(1.0, self.touched / self.managed) if self.managed else None


def stateful(address: str) -> str:
    """What an object at that address holds that cannot be made again, in a word (``database``,
    ``bucket``, ``volume``, ``key``, …); empty when its type is not known to hold anything."""
    raise NotImplementedError(address)


def risk_of(assessment: Assessment) -> Risk:
    """Of everything that apply would do."""
    raise NotImplementedError(assessment)
