"""One pass over one environment: the file to read first.

    run lock → what a dead pass left → plan → decide → perhaps apply → record

Every step is written down before the next begins. What is applied was read, judged and allowed in
this very pass, by what holds at this very moment.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace

from driftctl_py.app.applying import Applier
from driftctl_py.app.deciding import Decider
from driftctl_py.app.leases import Leases
from driftctl_py.app.order import Order
from driftctl_py.app.planning import Made, Planner, told_safely
from driftctl_py.app.ports import ApplyWorkdirs, Artifacts, Clock, Contents, Store
from driftctl_py.app.preparation import Prepared, Preparer, Settings
from driftctl_py.app.recovery import Recovery
from driftctl_py.app.tightening import Tightening
from driftctl_py.app.waiting import Waiting
from driftctl_py.core.audit import Event
from driftctl_py.core.decision import Apply, Decision, Hold, Refuse
from driftctl_py.core.environment import Mode
from driftctl_py.core.history import binding_of
from driftctl_py.core.plan_report import PlanReport
from driftctl_py.core.restraint import Why
from driftctl_py.core.run import Purpose, Run, State
from driftctl_py.errors import DriftctlError, EngineError, Interrupted, Untrusted


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
        with self._working(order) as order_now:
            return self._pass(order_now, applies=False)

    def reconcile(self, order: Order) -> Outcome:
        """Plan, decide, and apply what is allowed. Raises `Busy`."""
        with self._working(order) as order_now:
            return self._reconcile(order_now)

    def apply(self, order: Order, run: str | None = None) -> Outcome:
        """Apply the plan that waits, or the one of that run; where none waits, `reconcile`.
        Raises `Busy`, and `UsageError` for a run that has no plan to apply."""
        with self._working(order) as order_now:
            waiting = self._waiting.find(order.environment.name, run)
            if waiting is None:
                return self._reconcile(order_now)
            return self._apply_waiting(replace(order_now, purpose=waiting.purpose), waiting)

    def _reconcile(self, order: Order) -> Outcome:
        outcome = self._pass(order, applies=True)
        if outcome.run.state is State.STALE:
            # Somebody applied between our plan and our apply: what holds now is planned anew.
            outcome = self._pass(replace(order, base=outcome.run.id), applies=True)
        commit = self._heals_at(order, outcome)
        if commit is None:
            return outcome
        healed = self._heal(order, outcome, commit)
        if healed is None or healed.run.applied is None:
            return outcome
        # The plan that waits was made before: what it means has changed, and its state moved.
        return self._pass(replace(order, base=healed.run.id), applies=True)

    def _heals_at(self, order: Order, outcome: Outcome) -> str | None:
        """The commit at which drift can be put back while a newer one waits; None where that is
        not wanted, or there is none."""
        modes, report = order.environment.apply, outcome.report
        waits = isinstance(outcome.decision, Hold | Refuse) and outcome.run.state.waits | (
            outcome.run.state is State.REFUSED
        )
        if not waits or report is None or modes.drift is not Mode.AUTO or modes.git is Mode.AUTO:
            return None
        if order.purpose is not Purpose.RECONCILE or not report.assessment.drifted:
            return None
        last = self._store.last_converged(order.environment.name)
        return None if last is None or last.commit == order.revision.commit else last.commit

    def _heal(self, order: Order, outcome: Outcome, commit: str) -> Outcome | None:
        """A whole plan at the last applied commit, never by ``-target``. None where it cannot be
        made: then the stricter switch rules, and the plan that waits says so."""
        source = self._settings.sources[order.environment.source]
        try:
            revision = self._contents.at(source, commit)
        except DriftctlError:
            return None
        heal = replace(
            order, revision=revision, purpose=Purpose.HEAL, base=outcome.run.id, trigger="heal"
        )
        return self._pass(heal, applies=True)

    def _pass(self, order: Order, *, applies: bool, only: Run | None = None) -> Outcome:
        """Plan, decide and, where ``applies``, apply what is allowed; with ``only``, nothing that
        means something else than the plan of that run."""
        run = self._begun(order)
        try:
            prepared = self._prepared(order)
            with self._in_directory(prepared):
                made = self._planner.plan(prepared, refresh_only=order.purpose is Purpose.ACCEPT)
                run, decision = self._decider.decided(run, order, made)
                if isinstance(decision, Apply) and applies and (only is None or _alike(run, only)):
                    run = self._applier.apply(run, prepared, decision, actor=order.actor)
        except DriftctlError as error:
            return self._failed(run, order, error)
        except Exception as error:
            self._failed(run, order, DriftctlError(f"{error!r}. This is a bug in driftctl_py."))
            raise
        return Outcome(run, decision, made.report, warnings=made.warnings)

    def _apply_waiting(self, order: Order, waiting: Run) -> Outcome:
        try:
            prepared = self._prepared(order)
            with self._in_directory(prepared):
                governing, warnings = self._planner.make_ready(prepared)
                before, again = self._waiting.still_fits(waiting, prepared, governing)
                if not again and before is not None:
                    made = Made(
                        prepared, governing, before, waiting.lineage, waiting.serial, warnings
                    )
                    run, decision = self._decider.decided(waiting, order, made)
                    if isinstance(decision, Apply):
                        run = self._applier.apply(run, prepared, decision, actor=order.actor)
                    if run.state is not State.STALE:
                        return Outcome(run, decision, before, warnings=warnings)
                    again = run.reason
        except DriftctlError as error:
            return Outcome(waiting, error=_safe(error, self._settings))
        outcome = self._pass(replace(order, base=waiting.id), applies=True, only=waiting)
        return replace(outcome, before=before, again=again)

    @contextmanager
    def _working(self, order: Order) -> Iterator[Order]:
        """Hold the run lock; deal with what a pass that died left behind; anchor the trail."""
        name = order.environment.name
        with self._leases.held(name, self._new_id()):
            self._recovery.recover(order)
            try:
                yield self._at_pin(self._tightening.tightened(order))
            finally:
                head = self._store.head()
                if head is not None:
                    self._artifacts.anchor(head)

    def _at_pin(self, order: Order) -> Order:
        """The commit that a rollback pinned, instead of the newest."""
        for each in self._store.restraints(order.environment.name):
            if each.why is Why.PINNED and each.holds(self._clock()):
                source = self._settings.sources[order.environment.source]
                return replace(order, revision=self._contents.at(source, each.commit))
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
        environment = order.environment
        applies_as = environment.apply_credentials or environment.plan_credentials
        return self._preparer.prepare(
            replace(environment, plan_credentials=applies_as), order.revision
        )

    @contextmanager
    def _in_directory(self, prepared: Prepared) -> Iterator[None]:
        workdir = prepared.workdir
        with self._workdirs.locked(workdir):
            try:
                yield
            finally:
                # It holds the state's secrets in the clear.
                self._workdirs.remove(workdir.plan_file)

    def _failed(self, run: Run, order: Order, error: DriftctlError) -> Outcome:
        """The run that an error made. One that began to apply is left for the next pass to read:
        only what the engine wrote says how it ended."""
        error = _safe(error, self._settings)
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
        self._store.save(ended, replace(event, evidence={"state": state.value}))
        return Outcome(ended, error=error)


def _alike(run: Run, other: Run) -> bool:
    """Whether the two plans mean the same under the same circumstances."""
    return binding_of(run) == binding_of(other)


def _safe(error: DriftctlError, settings: Settings) -> DriftctlError:
    return told_safely(error, settings) if isinstance(error, EngineError) else error
