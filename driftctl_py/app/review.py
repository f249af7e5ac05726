"""What merging would do, of each environment: planned without a lock, judged, and only told.

    plan beside whoever applies → judge → say what would be → remember that it was said

Nothing waits afterwards and nothing that could be applied is kept: only the run with what the plan
meant and what governed it, by which a later apply is known to do what was reviewed, and the plan
without its secrets. One environment's failure never stops another. Whose word counts in a proposal
is `core/trust.py`'s business.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace

from driftctl_py.app.deciding import Decider
from driftctl_py.app.estate import Stop, each_unless_stopped
from driftctl_py.app.order import Order
from driftctl_py.app.planning import Planner, in_directory, told_safely
from driftctl_py.app.ports import ApplyWorkdirs, Artifacts, Clock, Store
from driftctl_py.app.preparation import Preparer, Settings
from driftctl_py.app.reconcile import Outcome
from driftctl_py.app.sharing import Sharing
from driftctl_py.app.tightening import Tightening
from driftctl_py.core.audit import Event
from driftctl_py.core.decision import Decision
from driftctl_py.core.run import Purpose, Run, State
from driftctl_py.errors import DriftctlError, EngineError, Interrupted, Untrusted, bug


class Reviewer:
    """Reviews environments, ``jobs`` at a time."""

    def __init__(
        self,
        preparer: Preparer,
        planner: Planner,
        decider: Decider,
        *,
        tightening: Tightening,
        gone: Sharing,
        workdirs: ApplyWorkdirs,
        store: Store,
        artifacts: Artifacts,
        clock: Clock,
        new_id: Callable[[], str],
        worker: str,
        jobs: int,
        stop: Stop,
        settings: Settings,
    ) -> None:
        """``gone`` knows the states of the environments that there will not be any more."""
        self._preparer = preparer
        self._planner = planner
        self._decider = decider
        self._tightening = tightening
        self._gone = gone
        self._workdirs = workdirs
        self._store = store
        self._artifacts = artifacts
        self._clock = clock
        self._new_id = new_id
        self._worker = worker
        self._jobs = jobs
        self._stop = stop
        self._settings = settings

    def review_all(self, orders: Sequence[Order]) -> tuple[Outcome, ...]:
        """One outcome for each, in their order."""
        with ThreadPoolExecutor(self._jobs, thread_name_prefix="review") as pool:
            made = each_unless_stopped(pool, self._stop, self.review, orders)
        return tuple(
            outcome or self._not_begun(order) for order, outcome in zip(orders, made, strict=True)
        )

    def review(self, order: Order) -> Outcome:
        """Plan it as it would be applied, say what would be decided, and remember that."""
        order = replace(order, purpose=Purpose.REVIEW)
        run = self._begun(order)
        decision: Decision
        try:
            order = self._tightening.tightened(order)
            prepared = self._preparer.prepare(order.environment, order.revision)
            with in_directory(self._workdirs, prepared):
                made = self._planner.look(prepared)
                run, decision = self._decider.reviewed(run, order, made)
            self._store.save(run, self._event(run, order))
        except DriftctlError as error:
            return self._failed(run, order, error)
        except Exception as error:  # noqa: BLE001 - one environment never stops another
            said = DriftctlError(bug(error), todo="Please report it.")
            return self._failed(run, order, said)
        warnings = [*made.warnings, *self._decider.held_back(order.environment.name)]
        if taken := self._gone.others(prepared):
            warnings.append(
                f"It has the state of {' and '.join(taken)}, which is not there any more: what was "
                f"asked and refused there is not asked of {order.environment.name} unless a rule "
                "speaks of it."
            )
        return Outcome(run, decision, made.report, warnings=tuple(warnings))

    def failed(self, order: Order, error: DriftctlError) -> Outcome:
        """The review that came to nothing before it began."""
        order = replace(order, purpose=Purpose.REVIEW)
        return self._failed(self._begun(order), order, error)

    def _begun(self, order: Order) -> Run:
        """Not written down yet: a pass that holds the run lock takes what is being planned for the
        work of somebody who died."""
        revision = order.revision
        return Run(
            id=self._new_id(),
            environment=order.environment.name,
            state=State.PLANNING,
            purpose=Purpose.REVIEW,
            started_at=self._clock(),
            trigger=order.trigger,
            actor=order.actor,
            worker=self._worker,
            source=revision.display_url,
            ref=revision.ref,
            commit=revision.commit,
        )

    def _event(self, run: Run, order: Order) -> Event:
        evidence = {
            "commit": run.commit,
            "fingerprint": run.fingerprint,
            "governing": run.governing.digest if run.governing else "",
            **run.artifacts,
        }
        return Event("reviewed", self._clock(), order.actor, run.environment, run.id, evidence)

    def _failed(self, run: Run, order: Order, error: DriftctlError) -> Outcome:
        if isinstance(error, EngineError):
            error = told_safely(error, self._settings)
        if isinstance(error, Interrupted):
            state = State.INTERRUPTED
        else:
            state = State.UNKNOWN if isinstance(error, Untrusted) else State.FAILED
        # Without what it means: a run that nobody knows the end of counts as one that was applied.
        ended = replace(
            run,
            state=state,
            reason=error.what,
            todo=error.todo,
            ended_at=self._clock(),
            fingerprint="",
        )
        event = Event("reviewed", self._clock(), order.actor, run.environment, run.id)
        # Where the store is what failed, its error is not to hide the first one.
        with suppress(DriftctlError):
            self._store.save(ended, replace(event, evidence={"state": state.value}))
        return Outcome(ended, error=error)

    def _not_begun(self, order: Order) -> Outcome:
        return self.failed(
            order, Interrupted("Stopped before it was reviewed; nothing was changed.")
        )
