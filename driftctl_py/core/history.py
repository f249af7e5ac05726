"""What the history says: answers to questions about what is stored, as plain values.

Put together by `app/queries.py`, worded by `report`. Nothing of it is stored as such.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import Enum

from driftctl_py.core.approval import Binding, Standing
from driftctl_py.core.audit import Anchor, Entry, Flaw
from driftctl_py.core.lease import Lease
from driftctl_py.core.restraint import Restraint, Why
from driftctl_py.core.run import Run, State
from driftctl_py.core.window import Closed


class Need(Enum):
    """What an environment wants of people, the most urgent first."""

    HELP = "help"
    """Something failed, is half done, or is not known."""
    YES = "a yes"
    APPLY = "apply"
    """Nobody has to be asked, and nothing was applied yet."""
    TIME = "its time"
    """Nobody has to be asked, and it may not be applied yet: a window, or a freeze."""
    LOOK = "a look"
    """It was refused or rejected, did not converge, or drifted in a way that apply leaves."""
    NOTHING = "nothing"


_NEEDS = {
    State.FAILED: Need.HELP,
    State.UNKNOWN: Need.HELP,
    State.PARTLY_APPLIED: Need.HELP,
    State.HELD: Need.YES,
    State.REFUSED: Need.LOOK,
    State.REJECTED: Need.LOOK,
    State.NOT_CONVERGED: Need.LOOK,
    State.UNVERIFIED: Need.LOOK,
    State.STALE: Need.LOOK,
    State.INTERRUPTED: Need.LOOK,
}


@dataclass(frozen=True, slots=True)
class EnvironmentNow:
    """One environment: its last run, what holds it back, who works at it. ``standing`` is that of
    a held run, ``closed`` what its plan still waits for beside, as far as is known."""

    environment: str
    last: Run | None = None
    restraints: tuple[Restraint, ...] = ()
    lease: Lease | None = None
    standing: Standing | None = None
    closed: tuple[Closed, ...] = ()

    @property
    def need(self) -> Need:
        if any(each.why is Why.BLOCKED for each in self.restraints):
            return Need.HELP
        if self.last is None:
            return Need.NOTHING
        state, enough = self.last.state, self.standing is not None and self.standing.enough
        if state is State.ALLOWED or (state is State.HELD and enough):
            return Need.TIME if self.closed else Need.APPLY
        # Drift that apply leaves comes back at every check until somebody accepts it.
        tolerated = state is State.IN_SYNC and self.last.drifted
        if state is State.APPLIED and self.last.todo:
            return Need.LOOK
        return Need.LOOK if tolerated else _NEEDS.get(state, Need.NOTHING)


@dataclass(frozen=True, slots=True)
class StatusNow:
    """All environments, as of ``at``; ``frozen`` is what holds all of them back."""

    environments: tuple[EnvironmentNow, ...]
    at: datetime
    frozen: tuple[Restraint, ...] = ()


@dataclass(frozen=True, slots=True)
class RunRecord:
    """One run with everything that is kept about it. ``plan`` are the bytes of its redacted
    document; without them ``no_plan`` says why, as a sentence, if there ever was one."""

    run: Run
    at: datetime
    standing: Standing | None = None
    events: tuple[Entry, ...] = ()
    restraints: tuple[Restraint, ...] = ()
    plan: bytes | None = None
    no_plan: str = ""


@dataclass(frozen=True, slots=True)
class TrailCheck:
    """Whether the audit trail is what it was: how many entries there are, every flaw, and up to
    where its head is anchored."""

    entries: int
    flaws: tuple[Flaw, ...] = ()
    head: Anchor | None = None
    anchored: Anchor | None = None


def binding_of(run: Run) -> Binding | None:
    """What an approval of its plan is bound to; None where there is no plan to approve."""
    if not run.fingerprint or run.governing is None:
        return None
    return Binding(run.environment, run.fingerprint, run.governing.digest, run.lineage)
