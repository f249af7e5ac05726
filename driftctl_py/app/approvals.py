"""Saying yes or no to a plan that waits.

An approval says what was approved, not which file: it is bound to what the plan means and to what
governs it. Giving one applies nothing, and never moves the source.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta

from driftctl_py.app.binding import backing_of, last_applied, required_binding
from driftctl_py.app.ports import Clock, Store
from driftctl_py.app.waiting import the_one_that_waits
from driftctl_py.core.approval import (
    Approval,
    Identity,
    People,
    Requirement,
    Standing,
    Violation,
    broken_since,
    may_approve,
    standing,
)
from driftctl_py.core.audit import Event
from driftctl_py.core.history import binding_of
from driftctl_py.core.run import Run, State
from driftctl_py.errors import UsageError


@dataclass(frozen=True, slots=True)
class Given:
    """An approval, or a rejection, that was written down. ``person`` is whom it counts for,
    ``standing`` what the plan has by now."""

    approval: Approval
    person: str
    standing: Standing
    run: Run


class Approvals:
    """Takes approvals. What a plan needs was written down when it was judged; it is asked again,
    by what the configuration says then, when it is applied."""

    def __init__(
        self,
        store: Store,
        *,
        people: People,
        clock: Clock,
        new_id: Callable[[], str],
    ) -> None:
        self._store = store
        self._people = people
        self._clock = clock
        self._new_id = new_id

    def give(self, target: str, *, by: Identity, yes: bool, reason: str) -> Given:
        """``target`` is an environment's name, or the beginning of a run's id. Raises `UsageError`
        when nothing waits there, or when this one's word would not count."""
        return self.give_to(self._waiting(target), by=by, yes=yes, reason=reason)

    def give_to(
        self,
        run: Run,
        *,
        by: Identity,
        yes: bool,
        reason: str,
        authors: Collection[str] = (),
    ) -> Given:
        """The same to just that run, one that waits or was reviewed: whatever its id looks like.
        ``authors`` are identities of those who wrote it beside those that its commits name.
        Raises `UsageError`, and `StoreError` for one without a plan."""
        requirement = run.requirement or Requirement()
        wrote = (*run.authors, *authors)
        why_not = may_approve(by, requirement, self._people, authors=wrote, yes=yes)
        if why_not:
            raise UsageError(
                f"{'Nothing was approved' if yes else 'Nothing was rejected'}: {why_not}",
                todo="`people`, `groups` and `approval` in driftctl.yaml say who may. Prove who "
                "you are with a key (DRIFTCTL_APPROVER_KEY), or with --as aws.",
            )
        now, violations = self._clock(), _violations(run)
        approval = Approval(
            id=self._new_id(),
            run=run.id,
            binding=required_binding(run),
            by=by,
            yes=yes,
            at=now,
            expires_at=now + timedelta(seconds=requirement.expires_seconds),
            reason=reason,
            commit=run.commit,
            violations=tuple(each.digest for each in violations),
        )
        evidence = {
            "approval": approval.id,
            "fingerprint": approval.binding.fingerprint,
            "governing": approval.binding.governing,
            "lineage": approval.binding.lineage,
            "commit": run.commit,
            "reason": reason,
            "violations": approval.seal,
        }
        what = "approved" if yes else "rejected"
        event = Event(what, now, by.text, run.environment, run.id, evidence)
        self._store.approve(approval, event)
        approvals = self._store.approvals(run.environment)
        found = standing(
            approvals,
            approval.binding,
            requirement,
            self._people,
            authors=wrote,
            violations=violations,
            now=now,
            applied_at=last_applied(self._store, approval.binding),
            backing=backing_of(self._store, approvals, approval.binding),
        )
        if found.rejected is not None and run.state.waits:
            # What waits shall not look as if it did.
            run = replace(
                run, state=State.REJECTED, reason=f"{by.text} rejected it: {reason}", ended_at=now
            )
            self._store.save(run)
        return Given(approval, self._people.name_of(by.text) or by.text, found, run)

    def _waiting(self, target: str) -> Run:
        runs = self._store.runs(environment=target, states=(State.ALLOWED, State.HELD), limit=10)
        if (waiting := the_one_that_waits(runs)) is not None:
            return waiting
        last = self._store.runs(environment=target, limit=1, reviews=False)
        if last and last[0].state in (State.REJECTED, State.REFUSED) and self._rejected(last[0]):
            # Whoever said no may say yes after all; it counts for the next plan.
            return last[0]
        found = self._store.find(target)
        if len(found) > 1:
            raise UsageError(
                f"{len(found)} runs begin with {target}: {_named(found)}.",
                todo="Give more of the run's id.",
            )
        if not found:
            raise UsageError(
                f"No plan of {target} waits, and no run begins with it.",
                todo=f"Make a plan (driftctl-py plan {target}), or look: driftctl-py status",
            )
        run = found[0]
        if run.state is State.REVIEWED and binding_of(run) is not None:
            # What is applied later on the strength of it has to mean just this.
            return run
        if not run.state.waits and (alike := self._waits_alike(run)) is not None:
            # The loop plans again and again; who read an earlier run read the same.
            read = [each.digest for each in _violations(run)]
            if new := broken_since(read, _violations(alike)):
                raise UsageError(
                    f"Run {run.id} was planned again as {alike.id}, and by now the plan breaks "
                    f"rules that it did not break: {', '.join(new[:3])}.",
                    todo=f"Read it first: driftctl-py show {alike.id}",
                )
            return alike
        if not run.state.waits:
            raise UsageError(
                f"Run {run.id} is {run.state.value}, so its plan waits for nobody.",
                todo=f"Make a new one: driftctl-py plan {run.environment}",
            )
        return run

    def _waits_alike(self, run: Run) -> Run | None:
        """The run that waits, where it means just what this one does."""
        waiting = self._store.runs(
            environment=run.environment, states=(State.ALLOWED, State.HELD), limit=10
        )
        binding = binding_of(run)
        return next((each for each in waiting if binding and binding_of(each) == binding), None)

    def _rejected(self, run: Run) -> bool:
        binding = binding_of(run)
        given = self._store.approvals(run.environment)
        return any(not each.yes and each.binding == binding for each in given)


def _violations(run: Run) -> tuple[Violation, ...]:
    return run.judgement.violations if run.judgement else ()


def _named(runs: Sequence[Run]) -> str:
    return ", ".join(run.id for run in runs[:5])
