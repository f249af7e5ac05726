"""Bringing together what limits go by: what was applied to an environment before.

What follows from it is pure (`core/limiting.py`). Here it is only asked for, as little of it as
will do: the history of an environment may hold thousands of runs.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from driftctl_py.app.order import Order
from driftctl_py.app.ports import Clock, Store
from driftctl_py.core.approval import People, may_ever_approve
from driftctl_py.core.decision import Judgement, Rulings
from driftctl_py.core.environment import Environment
from driftctl_py.core.limiting import (
    CHANGED,
    DAY,
    ROW,
    Question,
    counts_as_failed,
    failed_in_a_row,
    last_lifted,
    limited,
    why_blocked,
)
from driftctl_py.core.limits import Limits
from driftctl_py.core.run import Run, State

# Enough for nearly all; whoever applies more often is asked about once more.
_AT_FIRST = 50
_AT_MOST = 2000
# Runs are found in the order in which they began; one may have waited before it was applied.
_WAITED_AT_MOST = timedelta(hours=6)


class Limiting:
    """The budget of a day, and drift that comes back."""

    def __init__(self, store: Store, *, people: People, clock: Clock) -> None:
        self._store = store
        self._people = people
        self._clock = clock

    def rulings(self, order: Order, judgement: Judgement, rulings: Rulings) -> Rulings:
        """What was said of a plan so far, and what the limits add. Nothing is asked for where it
        makes no difference."""
        environment, now = order.environment, self._clock()
        instead = self._instead(environment)
        question = Question(environment, judgement, rulings, order.purpose, now, instead)
        if not question.needs_history:
            return rulings
        return limited(question, self._applied_since(environment.name, now - DAY))

    def _applied_since(self, environment: str, since: datetime) -> tuple[Run, ...]:
        """At least those that ended since."""
        found = self._store.runs(environment=environment, states=CHANGED, limit=_AT_FIRST)
        if len(found) < _AT_FIRST or found[-1].started_at < since - _WAITED_AT_MOST:
            return found
        return self._store.runs(environment=environment, states=CHANGED, limit=_AT_MOST)

    def _instead(self, environment: Environment) -> str:
        """What to do where nobody could ever say yes."""
        if may_ever_approve(environment.requirement, self._people):
            return ""
        return (
            "Nobody could approve it, for driftctl.yaml names nobody who may: raise the limit "
            f'there, or let go of it (driftctl-py suspend {environment.name} --reason "…").'
        )


def why_now_blocked(store: Store, ended: Run, limits: Limits) -> str:
    """Why the environment is blocked now that this apply has ended, as a sentence; empty: it is
    not. ``ended`` need not be in the store yet."""
    if not limits.failures or not counts_as_failed(ended):
        return ""
    applies = (ended, *_before(store, ended, limits.failures))
    if len(failed_in_a_row(applies, None)) < limits.failures:
        return ""
    lifted = last_lifted(store.entries_of("blocked", "unblocked"), ended.environment)
    return why_blocked(failed_in_a_row(applies, lifted), limits)


def _before(store: Store, ended: Run, failures: int) -> tuple[Run, ...]:
    """What was applied there before, as far back as it matters."""
    found = store.runs(environment=ended.environment, states=ROW, limit=_AT_FIRST)
    row = failed_in_a_row(found, None)
    went_well = any(run.state is State.APPLIED for run in found)
    if went_well or len(row) >= failures or len(found) < _AT_FIRST:
        return found
    # A plan that fails is a failed run, too, and there may be many of them in between.
    return store.runs(environment=ended.environment, states=ROW, limit=_AT_MOST)
