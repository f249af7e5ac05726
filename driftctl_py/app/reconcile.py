"""One pass over one environment: the file to read first.

    run lock → what a dead pass left → plan → decide → perhaps apply → record

Every step is written down before the next begins. What is applied was read, judged and allowed in
this very pass, by what holds at this very moment.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

from driftctl_py.app.applying import Applier
from driftctl_py.app.deciding import Decider
from driftctl_py.app.holding import Holding
from driftctl_py.app.leases import Leases
from driftctl_py.app.order import Order
from driftctl_py.app.planning import (
    Made,
    Planner,
    as_who_applies,
    in_directory,
    told_safely,
)
from driftctl_py.app.ports import ApplyWorkdirs, Artifacts, Clock, Contents, Store
from driftctl_py.app.preparation import Prepared, Preparer, Settings
from driftctl_py.app.recovery import Recovery
from driftctl_py.app.tightening import Tightening
from driftctl_py.app.waiting import Waiting
from driftctl_py.core.audit import Event
from driftctl_py.core.decision import Apply, Decision, Hold, Refuse
from driftctl_py.core.environment import Environment, Mode
from driftctl_py.core.history import binding_of
from driftctl_py.core.limits import Limits, is_limit
from driftctl_py.core.plan_report import PlanReport
from driftctl_py.core.restraint import Why
from driftctl_py.core.rule import Effect
from driftctl_py.core.run import Purpose, Run, State
from driftctl_py.core.window import Closed
from driftctl_py.errors import (
    DriftctlError,
    EngineError,
    Interrupted,
    SourceError,
    Untrusted,
    UsageError,
    bug,
)

# Limits count what was done in a day, so what was too much gets less by the hour.
_LIMITED_FOR = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a pass ended. ``report`` is the plan that was decided about, None where there was
    nothing to show or no plan. ``before`` is the plan that had been waiting, where another had to
    be made instead, and ``again`` the sentence that says why. ``error`` is what stopped it."""

    run: Run
    decision: Decision | None = None
    report: PlanReport | None = None
    before: PlanReport | None = None
    again: str = ""
    error: DriftctlError | None = None
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Work:
    """An order, while the run lock is held. ``insist`` raises when that was lost."""

    order: Order
    insist: Callable[[], None]

    # Any: what an order is made of.
    def about(self, **otherwise: Any) -> Work:
        """The same with another order."""
        return replace(self, order=replace(self.order, **otherwise))


class Reconciler:
    """Makes runs, one environment at a time; several threads may use one."""

    def __init__(
        self,
        preparer: Preparer,
        planner: Planner,
        decider: Decider,
        applier: Applier,
        *,
        leases: Leases,
        recovery: Recovery,
        tightening: Tightening,
        waiting: Waiting,
        workdirs: ApplyWorkdirs,
        contents: Contents,
        store: Store,
        artifacts: Artifacts,
        clock: Clock,
        new_id: Callable[[], str],
        worker: str,
        settings: Settings,
    ) -> None:
        self._preparer = preparer
        self._planner = planner
        self._decider = decider
        self._applier = applier
        self._leases = leases
        self._recovery = recovery
        self._tightening = tightening
        self._waiting = waiting
        self._workdirs = workdirs
        self._contents = contents
        self._store = store
        self._artifacts = artifacts
        self._clock = clock
        self._new_id = new_id
        self._worker = worker
        self._settings = settings

    def plan(self, order: Order) -> Outcome:
        """Plan and decide; apply nothing. Raises `Busy` when somebody else works there."""
        return self._working(order, lambda work: self._pass(work, applies=False))

    def reconcile(self, order: Order) -> Outcome:
        """Plan, decide, and apply what is allowed. Raises `Busy`."""
        return self._working(order, self._reconcile)

    def apply(self, order: Order, run: str | None = None) -> Outcome:
        """Apply the plan that waits, or the one of that run and no other; where none waits,
        `reconcile`. Raises `Busy`, and `UsageError` for a run that has no plan to apply."""
        name = order.environment.name

        def apply(work: Work) -> Outcome:
            waiting = self._waiting.find(name, run)
            if waiting is None:
                return self._reconcile(work)
            about = work.about(purpose=waiting.purpose)
            return self._apply_waiting(about, waiting, named=run is not None)

        return self._working(order, apply)

    def rollback(self, order: Order, commit: str) -> Outcome:
        """Pin the environment at a commit of its history, and reconcile it there. Raises `Busy`,
        and `SourceError` for a commit that its history does not hold."""
        environment = order.environment
        source = self._settings.sources[environment.source]

        def pin() -> None:
            revision = self._contents.at(source, commit, ref=environment.ref)
            holding = Holding(self._store, clock=self._clock, actor=order.actor)
            holding.pin(environment.name, revision.commit, reason=order.reason)

        return self._working(replace(order, purpose=Purpose.ROLLBACK), self._reconcile, first=pin)

    def _reconcile(self, work: Work) -> Outcome:
        outcome = self._pass(work, applies=True)
        if outcome.run.state is State.STALE:
            # Somebody applied between our plan and our apply: what holds now is planned anew.
            outcome = self._pass(work.about(base=outcome.run.id), applies=True)
        commit = self._heals_at(work.order, outcome)
        if commit is None:
            return outcome
        healed = self._heal(work, outcome, commit)
        if isinstance(healed, str):
            return replace(outcome, warnings=(*outcome.warnings, healed))
        # The plan that waits was made before: what it means has changed, and its state moved.
        return self._pass(work.about(base=healed.run.id), applies=True)

    def _heals_at(self, order: Order, outcome: Outcome) -> str | None:
        """The commit at which drift can be put back while a newer one waits; None where that is
        not wanted, or there is none."""
        modes, report = order.environment.apply, outcome.report
        waits = isinstance(outcome.decision, Hold | Refuse) and outcome.run.state.waits | (
            outcome.run.state is State.REFUSED
        )
        if not waits or report is None or not self._may_heal(order.environment):
            return None
        if modes.git is Mode.AUTO and not outcome.run.closed:
            return None
        if order.purpose is not Purpose.RECONCILE or not report.assessment.drifted:
            return None
        last = self._store.last_converged(order.environment.name)
        if last is None or last.commit == order.revision.commit:
            return None
        return None if self._was_in_vain(outcome.run, last.commit) else last.commit

    def _may_heal(self, environment: Environment) -> bool:
        """Whether drift, or some of it, is put back there without asking, and now."""
        allows = any(rule.effect is Effect.ALLOW for rule in environment.rules)
        if environment.apply.drift is not Mode.AUTO and not allows:
            return False
        return not self._decider.closed_for(environment, ("drift",))

    def _was_in_vain(self, run: Run, commit: str) -> bool:
        """Whether putting the drift back there was refused when all was as it is now: then it would
        be again, on each pass."""
        for each in self._store.runs(environment=run.environment, limit=10, reviews=False):
            if each.purpose is Purpose.HEAL and each.commit == commit:
                base = self._store.run(each.base)
                same = base is not None and binding_of(base) == binding_of(run)
                # What was only closed then, or too much for a day, may be open by now.
                passes = bool(each.closed) or self._may_be_less(each)
                return each.state is State.REFUSED and same and not passes
        return False

    def _may_be_less(self, run: Run) -> bool:
        """Whether it was a limit that held it, and long enough ago to try again."""
        violations = run.judgement.violations if run.judgement else ()
        limited = any(is_limit(each.rule) for each in violations)
        return limited and self._clock() - run.started_at > _LIMITED_FOR

    def _heal(self, work: Work, outcome: Outcome, commit: str) -> Outcome | str:
        """A whole plan at the last applied commit, never by ``-target``; why it came to nothing, as
        a sentence, where it did: then the stricter switch rules, and the plan that waits says so.
        """
        environment = work.order.environment
        why = f"Drift could not be put back at {commit[:7]}, the last applied commit, by itself: "
        try:
            source = self._settings.sources[environment.source]
            revision = self._contents.at(source, commit, ref=environment.ref)
        except DriftctlError as error:
            return why + error.what
        healed = self._pass(
            work.about(
                revision=revision, purpose=Purpose.HEAL, base=outcome.run.id, trigger="heal"
            ),
            applies=True,
        )
        return why + healed.run.reason if healed.run.applied is None else healed

    def _pass(self, work: Work, *, applies: bool, only: Run | None = None) -> Outcome:
        """Plan, decide and, where ``applies``, apply what is allowed; with ``only``, nothing that
        means something else than the plan of that run."""
        order = work.order
        run = self._begun(order)
        try:
            prepared = self._prepared(order)
            with in_directory(self._workdirs, prepared):
                made = self._planner.plan(prepared, refresh_only=order.purpose is Purpose.ACCEPT)
                run, decision = self._decider.decided(run, order, made)
                if isinstance(decision, Apply) and applies and (only is None or _alike(run, only)):
                    run, decision = self._applied(run, work, prepared, decision)
        except DriftctlError as error:
            return self._failed(run, order, error)
        except Exception as error:
            self._failed(run, order, DriftctlError(bug(error)))
            raise
        return Outcome(run, decision, made.report, warnings=made.warnings)

    def _apply_waiting(self, work: Work, waiting: Run, *, named: bool) -> Outcome:
        order = work.order
        try:
            prepared = self._prepared(order)
            with in_directory(self._workdirs, prepared):
                governing, warnings = self._planner.make_ready(prepared)
                before, again = self._waiting.still_fits(waiting, prepared, governing)
                if not again and before is not None:
                    made = Made(
                        prepared, governing, before, waiting.lineage, waiting.serial, warnings
                    )
                    # From here on it is ours, whoever planned it.
                    ours = replace(waiting, worker=self._worker)
                    run, decision = self._decider.decided(ours, order, made)
                    if isinstance(decision, Apply):
                        run, decision = self._applied(run, work, prepared, decision)
                    heals = not named and run.state.waits and self._may_heal(order.environment)
                    if run.state is not State.STALE and not heals:
                        return Outcome(run, decision, before, warnings=warnings)
                    again = run.reason if run.state is State.STALE else ""
        except DriftctlError as error:
            return Outcome(waiting, error=_safe(error, self._settings))
        if not again:
            # It still waits for its yes; what drifted since does not have to.
            return self._reconcile(work)
        outcome = self._pass(work.about(base=waiting.id), applies=True, only=waiting)
        return replace(outcome, before=before, again=again)

    def _applied(
        self, run: Run, work: Work, prepared: Prepared, decision: Apply
    ) -> tuple[Run, Decision]:
        """The run as it ended, and the decision: a plan for which it is not the time any more waits
        on. ``insist`` asks once more when the run is written down as begun already; then what is
        said there is how it failed."""
        order = work.order

        def insist() -> None:
            work.insist()
            for each in self._decider.obstacles(order, prepared):
                raise UsageError(each.why, todo=each.todo)
            if (withdrawn := self._decider.withdrawn(run, decision)) is not None:
                raise UsageError(withdrawn.why, todo=withdrawn.todo)
            if closed := self._decider.closed(order.environment, decision.judgement):
                raise _NotNow(closed, order.environment.name)

        try:
            ended = self._applier.apply(run, prepared, decision, actor=order.actor, insist=insist)
        except _NotNow as error:
            return self._decider.held(run, order, decision, error.closed)
        return ended, decision

    def _working(
        self,
        order: Order,
        do: Callable[[Work], Outcome],
        *,
        first: Callable[[], None] = lambda: None,
    ) -> Outcome:
        """Hold the run lock; deal with what a pass that died left behind; anchor the trail."""
        with self._leases.held(order.environment.name, self._new_id()) as insist:
            self._recovery.recover(order, limits=lambda: self._limits(order))
            first()
            try:
                ready = self._at_pin(self._tightening.tightened(order))
            except DriftctlError as error:
                # A run, so that the status knows that nobody could look.
                return self._anchored(self._failed(self._begun(order), order, error))
            return self._anchored(do(Work(ready, insist)))

    def _limits(self, order: Order) -> Limits:
        """As the watched repository tightens them, where that can be read."""
        with suppress(DriftctlError):
            order = self._tightening.tightened(order)
        return order.environment.limits

    def _anchored(self, outcome: Outcome) -> Outcome:
        """What came of it stands, even where the trail's head finds no place."""
        try:
            head = self._store.head()
            if head is not None:
                self._artifacts.anchor(head)
        except DriftctlError as error:
            warning = f"The trail's head could not be anchored: {error.what}"
            return replace(outcome, warnings=(*outcome.warnings, warning))
        return outcome

    def _at_pin(self, order: Order) -> Order:
        """The commit that a rollback pinned, instead of the newest."""
        environment = order.environment
        for each in self._store.restraints(environment.name):
            if each.why is Why.PINNED and each.holds(self._clock()):
                source = self._settings.sources[environment.source]
                try:
                    revision = self._contents.at(source, each.commit, ref=environment.ref)
                except SourceError as error:
                    raise SourceError(
                        f"{environment.name} is pinned at {each.commit[:7]} by {each.by}. "
                        f"{error.what}",
                        todo=f'driftctl-py release {environment.name} --reason "…"',
                    ) from error
                return replace(order, revision=revision)
        return order

    def _begun(self, order: Order) -> Run:
        revision = order.revision
        run = Run(
            id=self._new_id(),
            environment=order.environment.name,
            state=State.PLANNING,
            purpose=order.purpose,
            started_at=self._clock(),
            trigger=order.trigger,
            actor=order.actor,
            worker=self._worker,
            source=revision.display_url,
            ref=revision.ref,
            commit=revision.commit,
            base=order.base,
        )
        self._store.save(run)
        return run

    def _prepared(self, order: Order) -> Prepared:
        # Planned as who applies: the plan takes the state's lock, and is what gets applied.
        return self._preparer.prepare(as_who_applies(order.environment), order.revision)

    def _failed(self, run: Run, order: Order, error: DriftctlError) -> Outcome:
        """The run that an error made. One that began to apply is left for the next pass to read:
        only what the engine wrote says how it ended."""
        error = _safe(error, self._settings)
        known = None
        with suppress(DriftctlError):
            known = self._store.run(run.id)
        if known is not None and known.state is not State.PLANNING:
            return Outcome(known, error=error)
        if isinstance(error, Interrupted):
            state = State.INTERRUPTED
        else:
            state = State.UNKNOWN if isinstance(error, Untrusted) else State.FAILED
        ended = replace(
            run, state=state, reason=error.what, todo=error.todo, ended_at=self._clock()
        )
        event = Event("planned", self._clock(), order.actor, run.environment, run.id)
        # Where the store is what failed, its error is not to hide the first one.
        with suppress(DriftctlError):
            self._store.save(ended, replace(event, evidence={"state": state.value}))
        return Outcome(ended, error=error)


class _NotNow(UsageError):
    """It was the time when it was decided, and is no more."""

    def __init__(self, closed: tuple[Closed, ...], environment: str) -> None:
        why = " ".join(each.why for each in closed)
        super().__init__(
            f"{why} That began after it was decided, and before the engine was started.",
            todo=f"Nothing was applied. Later: driftctl-py apply {environment}",
        )
        self.closed = closed


def _alike(run: Run, other: Run) -> bool:
    """Whether the two plans mean the same under the same circumstances."""
    return binding_of(run) == binding_of(other)


def _safe(error: DriftctlError, settings: Settings) -> DriftctlError:
    return told_safely(error, settings) if isinstance(error, EngineError) else error
