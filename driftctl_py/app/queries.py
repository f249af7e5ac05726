"""What may be asked of the history: `status`, `runs`, `show`, the audit trail.

Answers come from what is stored alone. Nothing is planned, no Git and no engine is asked, and
nothing is changed, so that asking is quick and can be done while something is applied.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import replace
from datetime import datetime
from itertools import islice
from typing import TYPE_CHECKING

from driftctl_py.app.binding import backing_of, last_applied
from driftctl_py.core.approval import People, Requirement, Standing, standing
from driftctl_py.core.audit import Entry, verify
from driftctl_py.core.decision import Level
from driftctl_py.core.history import (
    EnvironmentNow,
    RunRecord,
    StatusNow,
    TrailCheck,
    binding_of,
)
from driftctl_py.core.restraint import EVERYWHERE, frozen
from driftctl_py.core.run import Purpose, Run, State
from driftctl_py.core.window import Closed, still_closed
from driftctl_py.errors import ArtifactError, UsageError

# What a check is made of takes longer to load than a thousand environments to read.
if TYPE_CHECKING:
    from driftctl_py.app.ports import Artifacts, Clock, Store

_NAMED_AT_MOST = 5
_PLAN = "plan.json"


class Queries:
    """Questions, each answered as of the moment when it is asked."""

    def __init__(self, store: Store, artifacts: Artifacts, *, people: People, clock: Clock) -> None:
        self._store = store
        self._artifacts = artifacts
        self._clock = clock
        self.people = people

    def status(self, names: Sequence[str] = ()) -> StatusNow:
        """Where each environment stands, or the named ones. Raises `UsageError` for a name of
        which nothing is stored."""
        latest = {name: self._ended(run) for name, run in self._store.latest().items()}
        restraints = self._store.restraints()
        leases = {lease.environment: lease for lease in self._store.leases()}
        now = self._clock()
        everywhere = [each for each in restraints if each.environment == EVERYWHERE]
        freeze = frozen(everywhere, now)
        holding = [
            each for each in restraints if each.holds(now) and each.environment != EVERYWHERE
        ]
        known = {*latest, *leases, *(each.environment for each in holding)}
        for name in names:
            self._must_know(name, known)
        found = (
            EnvironmentNow(
                name,
                last=latest.get(name),
                restraints=tuple(each for each in holding if each.environment == name),
                lease=leases.get(name),
                standing=self._standing_of_held(latest.get(name)),
                closed=_still_closed(latest.get(name), freeze, now),
            )
            for name in sorted(names or known)
        )
        return StatusNow(tuple(found), now, tuple(each for each in everywhere if each.holds(now)))

    def _ended(self, run: Run) -> Run:
        """The run before one that is only being planned: that says nothing yet, and whoever works
        at it is named apart."""
        if run.state is not State.PLANNING:
            return run
        before = self._store.runs(
            environment=run.environment, limit=1, before=run.id, reviews=False
        )
        return before[0] if before else run

    def runs(
        self, environment: str | None = None, *, limit: int = 50, before: str | None = None
    ) -> tuple[Run, ...]:
        """The latest first; ``before`` is a run, or the beginning of its id, that is listed no
        more. Raises `UsageError` for an environment or a run that is not known."""
        if environment is not None and not self._store.runs(environment=environment, limit=1):
            self._must_know(environment, self._store.latest())
        last = self.find(before).id if before is not None else None
        return self._store.runs(environment=environment, limit=limit, before=last)

    def find(self, prefix: str) -> Run:
        """The run whose id begins so, or the last one of an environment of that name. Raises
        `UsageError` when there is none, or several."""
        found = self._store.find(prefix) if prefix else ()
        exact = [run for run in found if run.id == prefix]
        if len(found) == 1 or exact:
            return (exact or found)[0]
        found = found or self._store.runs(environment=prefix, limit=1, reviews=False)
        if len(found) == 1:
            return found[0]
        if not found:
            from difflib import get_close_matches

            if close := get_close_matches(prefix, self._store.latest(), n=1):
                raise UsageError(
                    f"There is no run and no environment {prefix!r}.",
                    todo=f"Did you mean {close[0]}? List them all: driftctl-py runs",
                )
            latest = ", ".join(run.id for run in self._store.runs(limit=_NAMED_AT_MOST))
            raise UsageError(
                f"There is no run {prefix!r}.",
                todo=f"The last ones are {latest}. List them all: driftctl-py runs"
                if latest
                else "No run is stored yet. Begin with: driftctl-py plan ENVIRONMENT",
            )
        named = ", ".join(run.id for run in found[:_NAMED_AT_MOST])
        more = ", …" if len(found) > _NAMED_AT_MOST else ""
        raise UsageError(
            f"{len(found)} runs begin with {prefix!r}: {named}{more}.", todo="Write more of it."
        )

    def run(self, prefix: str) -> RunRecord:
        """One run, with everything that is kept about it. Raises `UsageError`."""
        run = self.find(prefix)
        now = self._clock()
        plan, no_plan = self._plan(run)
        return RunRecord(
            run,
            now,
            standing=self._standing(run),
            events=tuple(entry for entry in self._store.entries() if entry.event.run == run.id),
            restraints=tuple(
                each
                for name in (EVERYWHERE, run.environment)
                for each in self._store.restraints(name)
                if each.holds(now)
            ),
            plan=plan,
            no_plan=no_plan,
        )

    def healed(self, run: Run) -> Run | None:
        """The run that put drift back before this one was planned again, if there was one."""
        base = self._store.run(run.base) if run.base else None
        if base is None or base.purpose is not Purpose.HEAL or base.applied is None:
            return None
        return base

    def audit_verify(self) -> TrailCheck:
        """Is the audit trail what it was, and is each approval in it?"""
        # Both first: what is recorded meanwhile is not missing from an older trail. The store's own
        # head tells of a cut since the last anchor, the anchors of one that took the head along.
        anchors, head = self._artifacts.anchors(), self._store.head()
        approvals = self._store.approvals()
        heads = [*anchors, *([head] if head else [])]
        count, flaws = verify(self._store.entries(), heads, approvals)
        anchored = max(anchors, key=lambda each: each.number, default=None)
        return TrailCheck(count, flaws, head, anchored)

    def audit_entries(self) -> Iterator[Entry]:
        """All of the trail, the first entry first."""
        return self._store.entries()

    def _standing_of_held(self, run: Run | None) -> Standing | None:
        """Of what waits alone: to ask for the approvals of a thousand environments takes long."""
        return self._standing(run) if run is not None and run.state is State.HELD else None

    def _standing(self, run: Run) -> Standing | None:
        """What the approvals are worth for its plan, while it waits or as it was judged."""
        binding = binding_of(run)
        if binding is None or run.state not in _WAITED:
            return None
        approvals = self._store.approvals(run.environment)
        # A yes to a review is for an apply that is still to come.
        to_come = run.state.waits or run.state is State.REVIEWED
        found = standing(
            approvals,
            binding,
            run.requirement or Requirement(),
            self.people,
            authors=run.authors,
            violations=run.judgement.violations if run.judgement else (),
            now=self._clock(),
            # What was applied by this run rests on it; only for the next apply is it used up.
            applied_at=last_applied(self._store, binding) if to_come else None,
            # What was decided stays as it was decided, whatever became of a key since.
            backing=backing_of(self._store, approvals, binding) if to_come else None,
        )
        if run.judgement is not None and run.judgement.level < Level.APPROVE:
            # Nobody has to be asked; it is for its time that it waits.
            return replace(found, missing=0, lacking=(), short=())
        return found

    def _plan(self, run: Run) -> tuple[bytes | None, str]:
        reference = run.artifacts.get(_PLAN)
        if reference is None:
            return None, ""
        try:
            return self._artifacts.get(reference), ""
        except ArtifactError as error:
            return None, error.what

    def _must_know(self, name: str, known: Collection[str]) -> None:
        if name in known:
            return
        from difflib import get_close_matches

        close = get_close_matches(name, known, n=1)
        some = ", ".join(islice(sorted(known), _NAMED_AT_MOST))
        more = ", …" if len(known) > _NAMED_AT_MOST else ""
        if close:
            todo = f"Did you mean {close[0]}?"
        elif known:
            todo = f"Known are {some}{more}."
        else:
            todo = f"No run is stored yet. Begin with: driftctl-py plan {name}"
        raise UsageError(f"Nothing is stored about an environment {name!r}.", todo=todo)


def _still_closed(run: Run | None, freeze: tuple[Closed, ...], now: datetime) -> tuple[Closed, ...]:
    """Why the plan that waits cannot be applied yet."""
    return still_closed(run.closed, freeze, now) if run is not None and run.state.waits else ()


_WAITED = frozenset(
    {
        State.HELD,
        State.ALLOWED,
        State.REVIEWED,
        State.APPLYING,
        State.APPLIED,
        State.UNVERIFIED,
        State.NOT_CONVERGED,
        State.PARTLY_APPLIED,
        State.REJECTED,
        State.STALE,
        State.SUPERSEDED,
    }
)
