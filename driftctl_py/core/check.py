"""What one `check` found: a verdict per environment, and the report over all of them.

Read-only by construction: nothing here says what to do about it, only what is.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum
from typing import TypeAlias

from driftctl_py.core.assessment import Assessment, Status
from driftctl_py.core.checkout import Revision
from driftctl_py.core.environment import ApplyModes
from driftctl_py.errors import Diagnostic


@dataclass(frozen=True, slots=True)
class Engine:
    """The program that planned: ``terraform`` or ``tofu``, its version, and how it was chosen."""

    family: str
    version: str
    why: str = ""

    def __str__(self) -> str:
        return f"{self.family} {self.version}"


@dataclass(frozen=True, slots=True)
class Assessed:
    """The plan was read whole. ``quiet`` means the event stream alone proved that there is
    nothing to show, so no plan JSON was asked for (``assessment`` is then the empty one)."""

    assessment: Assessment
    quiet: bool = False


@dataclass(frozen=True, slots=True)
class Unknown:
    """There may be a plan, but it cannot be trusted: incomplete, a refresh failed, somebody holds
    the state lock, or the state moved underneath. Never reported as in sync."""

    reason: str
    todo: str = ""
    assessment: Assessment | None = None
    diagnostics: tuple[Diagnostic, ...] = ()


@dataclass(frozen=True, slots=True)
class Failed:
    """No plan came about."""

    reason: str
    todo: str = ""
    diagnostics: tuple[Diagnostic, ...] = ()


Outcome: TypeAlias = Assessed | Unknown | Failed


class Verdict(Enum):
    """The status of an environment, as every face spells it."""

    IN_SYNC = "in sync"
    DRIFTED = "drifted"
    PENDING = "pending"
    DRIFTED_AND_PENDING = "drifted and pending"
    UNKNOWN = "unknown"
    FAILED = "failed"


# In the order in which they are counted: what needs a person first.
VERDICTS = (
    Verdict.FAILED,
    Verdict.UNKNOWN,
    Verdict.DRIFTED_AND_PENDING,
    Verdict.DRIFTED,
    Verdict.PENDING,
    Verdict.IN_SYNC,
)

_VERDICT_OF_STATUS = {
    Status.IN_SYNC: Verdict.IN_SYNC,
    Status.DRIFTED: Verdict.DRIFTED,
    Status.PENDING: Verdict.PENDING,
    Status.DRIFTED_AND_PENDING: Verdict.DRIFTED_AND_PENDING,
}


@dataclass(frozen=True, slots=True)
class EnvironmentCheck:
    """One environment at one revision at one moment. ``revision`` and ``engine`` are None when
    things went wrong before they were known. ``warnings`` are sentences for a person; ``modes`` are
    its two switches, which say what to do about what was found."""

    environment: str
    path: str
    outcome: Outcome
    checked_at: datetime
    duration_seconds: float
    revision: Revision | None = None
    engine: Engine | None = None
    warnings: tuple[str, ...] = ()
    modes: ApplyModes = field(default_factory=ApplyModes)

    @property
    def verdict(self) -> Verdict:
        if isinstance(self.outcome, Failed):
            return Verdict.FAILED
        if isinstance(self.outcome, Unknown):
            return Verdict.UNKNOWN
        return _VERDICT_OF_STATUS[self.outcome.assessment.status]


@dataclass(frozen=True, slots=True)
class CheckReport:
    """All of them, in the order of the configuration."""

    checks: tuple[EnvironmentCheck, ...]
    started_at: datetime
    duration_seconds: float
    strict: bool = False
    interrupted: bool = False

    @property
    def exit_code(self) -> int:
        """As the engine's ``-detailed-exitcode``: 1 where anything failed or is unknown, else 2
        where anything was found, else 0; 130 when a person stopped it."""
        if self.interrupted:
            return 130
        verdicts = {check.verdict for check in self.checks}
        if verdicts & {Verdict.FAILED, Verdict.UNKNOWN}:
            return 1
        return 0 if verdicts <= {Verdict.IN_SYNC} else 2
