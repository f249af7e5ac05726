"""One plan, read: all that `driftctl-py render` has to show.

What is put together here is worded by ``report``, one module for each format. It holds no secret:
the plan lost them while it was decoded.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from driftctl_py.core.assessment import Assessment, assess
from driftctl_py.core.fingerprint import Fingerprint, fingerprint
from driftctl_py.core.plan import Plan
from driftctl_py.core.risk import Risk, risk_of


class View(Enum):
    """How much is shown. What destroys is in all of them, and whole."""

    SUMMARY = "summary"
    """One line for each object."""
    CHANGES = "changes"
    """And its attributes, long values and long lists cut, with their size."""
    FULL = "full"
    """Nothing cut, and what is no finding listed too: other spellings, reads, passed checks."""


@dataclass(frozen=True, slots=True)
class PlanReport:
    """A plan with what follows from it. ``name`` says where it came from: a file's name, or
    ``standard input``. ``strict``: every difference in spelling was taken for drift."""

    name: str
    plan: Plan
    assessment: Assessment
    fingerprint: Fingerprint
    risk: Risk
    strict: bool = False


def read_plan(plan: Plan, *, name: str, keyed: bool, strict: bool = False) -> PlanReport:
    """All of it, from a plan that was decoded with its settings; ``keyed`` says whether there was
    a key to seal its secrets with."""
    assessment = assess(plan, strict=strict)
    return PlanReport(
        name=name,
        plan=plan,
        assessment=assessment,
        fingerprint=fingerprint(plan, keyed=keyed),
        risk=risk_of(assessment),
        strict=strict,
    )
