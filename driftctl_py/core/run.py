"""A run: one pass over one environment, as the history keeps it; and which ends it may come to.

A record, not a machine: who makes a run is `app/reconcile.py`. What it says survives us, so each
of its moves is written down before the next step begins, and a run that stopped half-way can be
told from one that ended.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum

from driftctl_py.core.approval import Requirement
from driftctl_py.core.assessment import Totals
from driftctl_py.core.decision import Judgement
from driftctl_py.core.governing import Governing
from driftctl_py.core.window import Closed


class State(Enum):
    """Where a run stands."""

    PLANNING = "planning"
    APPLYING = "applying"
    """The engine may be changing things, with us or, when we were killed, without."""
    IN_SYNC = "in sync"
    """Nothing that apply would do. There may be drift that is tolerated."""
    ALLOWED = "allowed"
    """A saved plan waits for `apply`, and nobody has to be asked."""
    HELD = "held"
    """A saved plan waits for somebody's yes, or for its time."""
    REFUSED = "refused"
    REVIEWED = "reviewed"
    """It was said what would become of it. No saved plan is kept, and nothing waits."""
    APPLIED = "applied"
    """And a plan made afterwards had nothing left to do."""
    UNVERIFIED = "applied, not verified"
    """Applied without an error, but no plan could be made afterwards."""
    NOT_CONVERGED = "not converged"
    """Applied without an error, and a plan made afterwards still finds something to do."""
    PARTLY_APPLIED = "partly applied"
    """The engine failed, or was interrupted, while it applied."""
    FAILED = "failed"
    """No plan came about, or an apply that changed nothing failed."""
    UNKNOWN = "unknown"
    """The plan cannot be trusted, or nobody knows how the apply ended."""
    INTERRUPTED = "interrupted"
    """Stopped by a person or a scheduler before anything was applied."""
    STALE = "stale"
    """Its saved plan fits no more: the state moved, and a new plan means something else."""
    REJECTED = "rejected"
    """Somebody said no."""
    SUPERSEDED = "superseded"
    """A later run made a plan of the same environment."""

    @property
    def under_way(self) -> bool:
        return self in (State.PLANNING, State.APPLYING)

    @property
    def waits(self) -> bool:
        """Is there a saved plan that may still be applied?"""
        return self in (State.ALLOWED, State.HELD)


MOVES: Mapping[State, frozenset[State]] = {
    State.PLANNING: frozenset(State) - {State.PLANNING},
    State.ALLOWED: frozenset(
        {State.APPLYING, State.HELD, State.REFUSED, State.STALE, State.REJECTED, State.SUPERSEDED}
    ),
    State.HELD: frozenset(
        {
            State.APPLYING,
            State.ALLOWED,
            State.REFUSED,
            State.STALE,
            State.REJECTED,
            State.SUPERSEDED,
        }
    ),
    State.APPLYING: frozenset(
        {
            State.APPLIED,
            State.UNVERIFIED,
            State.NOT_CONVERGED,
            State.PARTLY_APPLIED,
            State.FAILED,
            State.STALE,
            State.UNKNOWN,
        }
    ),
}
"""What a run may become. All other states are ends: a run never leaves them."""


def may_become(now: State, then: State) -> bool:
    """Whether a run in ``now`` may be recorded as ``then``; staying what it is counts."""
    return then is now or then in MOVES.get(now, frozenset())


class Purpose(Enum):
    """What a run is for."""

    RECONCILE = "reconcile"
    HEAL = "heal"
    """Drift is put back at the last applied commit, while a newer one waits."""
    ACCEPT = "accept"
    """A refresh-only plan: the state records what is there."""
    ROLLBACK = "rollback"
    REVIEW = "review"
    """What merging would do. It holds no lock, may look at any commit, and says nothing of where
    the environment stands."""


@dataclass(frozen=True, slots=True)
class Applied:
    """What an apply did, from the engine's event stream. ``done``, ``failed`` and ``unfinished``
    are addresses with the action in front (``create aws_instance.web``); ``unfinished`` were begun
    and never reported, so nobody knows. ``finished``: the engine said that it was through."""

    finished: bool
    done: tuple[str, ...] = ()
    failed: tuple[str, ...] = ()
    unfinished: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Run:
    """One row of the history. ``artifacts`` says where in the artifact store its evidence is, by
    name: ``plan`` (the saved plan, which holds secrets), ``plan.json`` (redacted),
    ``errored.tfstate``. ``base`` is the run whose plan this one replaces, or for which it heals.
    ``worker`` is ``host:pid`` of who makes it. ``reason`` and ``todo`` are for a person.
    """

    id: str
    environment: str
    state: State
    purpose: Purpose
    started_at: datetime
    trigger: str
    """``plan``, ``apply``, ``controller``, …: the command that began it."""
    actor: str
    """Who began it, as far as that is known: ``os:ada``."""
    worker: str
    ended_at: datetime | None = None
    source: str = ""
    ref: str = ""
    commit: str = ""
    engine: str = ""
    status: str = ""
    """The assessment's: ``drifted``, ``pending``, …; empty before there is one."""
    totals: Totals = field(default_factory=Totals)
    drifted: int = 0
    fingerprint: str = ""
    governing: Governing | None = None
    lineage: str = ""
    serial: int | None = None
    judgement: Judgement | None = None
    requirement: Requirement | None = None
    """What it took to approve it when it was decided: the history is read without Git."""
    reason: str = ""
    todo: str = ""
    applied: Applied | None = None
    base: str = ""
    artifacts: Mapping[str, str] = field(default_factory=dict)
    authors: tuple[str, ...] = ()
    """E-mail addresses of those who wrote what is not applied yet."""
    closed: tuple[Closed, ...] = ()
    """Why it was not the time to apply it when it was decided."""

    @property
    def short_fingerprint(self) -> str:
        """``k7qm-2d4x``, to tell two apart at a glance; empty without a fingerprint."""
        digest = self.fingerprint.rpartition("-")[2]
        return f"{digest[:4]}-{digest[4:8]}" if digest else ""
