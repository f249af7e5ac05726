"""Applying a saved plan, and writing down how it ended.

By us when we see the end, and by whoever starts next when we were killed: the engine goes on
without us and says what it does in a file. Nothing is concluded that this file does not say.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

from driftctl_py.app.deciding import drop_plan, without_plan
from driftctl_py.app.limits import why_now_blocked
from driftctl_py.app.planning import Planner, pinned
from driftctl_py.app.ports import Appliers, ApplyWorkdirs, Artifacts, Clock, Progress, Store
from driftctl_py.app.preparation import Prepared, Settings
from driftctl_py.core.apply_log import ApplyEnd, ApplyLog
from driftctl_py.core.audit import Event
from driftctl_py.core.decision import Apply, Rulings, judge
from driftctl_py.core.known_secrets import hide, hide_in
from driftctl_py.core.limits import Limits
from driftctl_py.core.restraint import Restraint, Why
from driftctl_py.core.run import Applied, Purpose, Run, State
from driftctl_py.errors import (
    ArtifactError,
    Diagnostic,
    DriftctlError,
    EngineError,
    Interrupted,
    StoreError,
    Unavailable,
    UsageError,
)


class Applier:
    """Applies what was decided. The caller holds the run lock and the environment's directory."""

    def __init__(
        self,
        planner: Planner,
        *,
        appliers: Appliers,
        workdirs: ApplyWorkdirs,
        store: Store,
        artifacts: Artifacts,
        clock: Clock,
        progress: Progress,
        settings: Settings,
        retention: timedelta,
    ) -> None:
        self._planner = planner
        self._appliers = appliers
        self._workdirs = workdirs
        self._store = store
        self._artifacts = artifacts
        self._clock = clock
        self._progress = progress
        self._settings = settings
        self._retention = retention

    def apply(
        self,
        run: Run,
        prepared: Prepared,
        decision: Apply,
        *,
        actor: str,
        insist: Callable[[], None],
    ) -> Run:
        """Apply the plan that lies in the environment's directory; the run as it ended.
        ``insist`` raises when it may not be applied after all: the run lock was lost, or somebody
        holds the environment back since it was decided."""
        name = prepared.environment.name
        insist()
        if self._workdirs.digest(prepared.workdir.plan_file) != run.artifacts.get("plan"):
            raise ArtifactError(
                f"{prepared.workdir.plan_file} is not the plan that was decided about, so nothing "
                "was applied.",
                todo=f"Plan again: driftctl-py plan {name}",
            )
        began = replace(run, state=State.APPLYING, reason="", todo="")
        # First the place for what the engine says: where it is, it is known what was said.
        log = self._log_of(run)
        self._workdirs.make_directory(log.parent)
        # Written down before anything can change, so that whoever finds us dead knows of it.
        self._store.save(
            began,
            self._event(
                began,
                "apply began",
                actor,
                fingerprint=run.fingerprint,
                governing=run.governing.digest if run.governing else "",
                lineage=run.lineage,
                approvals=" ".join(each.id for each in decision.approvals),
                plan=run.artifacts.get("plan", ""),
            ),
        )
        self._progress.started(name, "apply")
        try:
            insist()
            end = self._appliers.apply(
                pinned(prepared),
                plan=prepared.workdir.plan_file,
                log=log,
                grace_seconds=prepared.environment.apply_grace_seconds,
                on_event=self._watch(name),
            )
        except (EngineError, Unavailable, Interrupted, UsageError) as error:
            # It was not even started: no engine, no room for its log, or somebody stopped us.
            what = hide(error.what, self._settings.secrets)
            failed = replace(began, state=State.FAILED, reason=what, todo=error.todo)
            return self._save(failed, "apply ended", actor)
        ended = self._concluded(began, end)
        if ended.state is State.UNVERIFIED:
            ended = self._verified(ended, prepared)
        return self._save(ended, "apply ended", actor, prepared.environment.limits)

    def find_end(self, run: Run, *, actor: str, limits: Limits) -> Run | None:
        """How an apply ended that somebody began who is no more; None while it still goes on. Its
        log must be here."""
        end = self._appliers.left(self._log_of(run), on_event=self._watch(run.environment))
        if end is None:
            return None
        ended = self._concluded(run, end)
        said = f"{ended.reason} " if ended.reason else ""
        found = replace(
            ended,
            reason=f"{said}The process that applied it ({run.worker}) ended before the engine did; "
            "this was read from what the engine left.",
        )
        return self._save(found, "apply found ended", actor, limits)

    def has_log(self, run: Run) -> bool:
        """Whether what the engine said is on this machine."""
        return self._workdirs.exists(self._log_of(run).parent)

    def give_up(self, run: Run, *, actor: str) -> Run:
        """Nobody here can know how it ended: nothing more is applied until a person says so."""
        reason = (
            f"{run.worker} was applying it and gives no sign of life, and what its engine said is "
            "not on this machine."
        )
        lost = replace(run, state=State.UNKNOWN, reason=reason, todo=_unblock(run.environment))
        self._store.restrain(
            Restraint(run.environment, Why.BLOCKED, reason, actor, self._clock(), run=run.id),
            self._event(run, "blocked", actor, reason=reason),
        )
        return self._save(lost, "apply found ended", actor)

    def _concluded(self, run: Run, end: ApplyEnd) -> Run:
        """What is known of it without planning again."""
        errors = hide_in(end.errors, self._settings.secrets)
        run = replace(run, applied=end.applied)
        if end.errored_state is not None:
            return self._keep_lost_state(run, end.errored_state)
        applied = end.applied
        if end.stale:
            return replace(
                run,
                state=State.STALE,
                reason="The state moved after this plan was made, so the engine refused it.",
                todo=f"Nothing was applied. Plan again: driftctl-py plan {run.environment}",
            )
        if end.succeeded:
            return replace(run, state=State.UNVERIFIED)
        again = f"Look at what is left: driftctl-py plan {run.environment}"
        if not end.began and not errors:
            reason = "It ended before the engine was started; nothing was applied."
            return replace(run, state=State.FAILED, reason=reason, todo=again, applied=None)
        if end.torn:
            return self._block_unknown(run)
        reason = _first(errors)
        if end.interrupted:
            reason = f"It was interrupted. {reason}".rstrip()
        if not (applied.done or applied.failed or applied.unfinished):
            return replace(run, state=State.FAILED, reason=reason, todo=again)
        return replace(run, state=State.PARTLY_APPLIED, reason=reason, todo=again)

    def _verified(self, run: Run, prepared: Prepared) -> Run:
        """A plan made afterwards says whether anything is left to do."""
        name = run.environment
        try:
            left = self._planner.has_something_left(prepared)
        except DriftctlError as error:
            what = hide(error.what, self._settings.secrets)
            return replace(
                run,
                reason=f"Applied; no plan could be made afterwards: {what}",
                todo=f"driftctl-py plan {name}",
            )
        if left is None:
            return replace(run, state=State.APPLIED)
        modes = prepared.environment.apply
        still = judge(left.plan, left.assessment, modes, Rulings(), code_is_applied=True).changes
        if not left.assessment.complete:
            reason = f"The plan afterwards is incomplete: {left.assessment.incomplete_reason}"
            return replace(run, reason=reason, todo=f"driftctl-py plan {name}")
        if run.purpose is Purpose.ACCEPT and left.assessment.drifted:
            return replace(
                run,
                state=State.NOT_CONVERGED,
                reason="The state was written, and what is really there differs from it again.",
                todo=f"driftctl-py plan {name} shows it.",
            )
        if not still:
            return replace(run, state=State.APPLIED)
        named = ", ".join(each.address for each in still[:5])
        more = f" and {len(still) - 5} more" if len(still) > 5 else ""
        if run.purpose is Purpose.ACCEPT:
            # What the code wants besides is not what was accepted, and is not done with it either.
            return replace(
                run,
                state=State.APPLIED,
                reason=f"The code says otherwise: a plan would change {named}{more}.",
                todo=f"driftctl-py plan {name}",
            )
        return replace(
            run,
            state=State.NOT_CONVERGED,
            reason=f"Applied without an error, but a new plan would change {named}{more} again.",
            todo=f"driftctl-py plan {name} shows it; what a provider never settles on belongs "
            "into `ignore_changes`.",
        )

    def _block_unknown(self, run: Run) -> Run:
        """An engine that was killed may have made what its state does not know of; the next apply
        would make it again."""
        applied = run.applied or Applied(finished=False)
        begun = ", ".join((*applied.done, *applied.failed, *applied.unfinished))
        reason = (
            f"The engine of run {run.id} did not come to its end: it was killed, or its machine "
            f"stopped ({begun or 'it reported nothing'}), so the state may not know of what it "
            "made."
        )
        todo = (
            "See what is really there, import what the state does not know, remove a lock that "
            f"was left (force-unlock), then: {_unblock(run.environment)}"
        )
        self._store.restrain(
            Restraint(run.environment, Why.BLOCKED, reason, run.actor, self._clock(), run=run.id),
            self._event(run, "blocked", run.actor, reason=reason),
        )
        return replace(run, state=State.UNKNOWN, reason=reason, todo=todo)

    def _keep_lost_state(self, run: Run, path: str) -> Run:
        """A state that could not be saved is the only record of what was made: it stays where it
        is, a copy goes to the artifacts, and nothing more is applied."""
        reason = (
            f"The engine could not save the state after run {run.id}; what it recorded lies in "
            f"{path}."
        )
        todo = (
            f"Push it where the environment is initialised (`terraform state push {path}`), move "
            f"the file away, then: {_unblock(run.environment)}"
        )
        reference = self._artifacts.put_file(Path(path))
        self._store.restrain(
            Restraint(run.environment, Why.BLOCKED, reason, run.actor, self._clock(), run=run.id),
            self._event(run, "blocked", run.actor, state=reference),
        )
        return replace(
            run,
            state=State.PARTLY_APPLIED,
            artifacts={**run.artifacts, "errored.tfstate": reference},
            reason=reason,
            todo=todo,
        )

    def _block_row(self, run: Run, actor: str, limits: Limits) -> Run:
        """After so many in a row that failed somebody has to look. Before that is known of the last
        of them, or somebody could apply in between."""
        name = run.environment
        why = why_now_blocked(self._store, run, limits)
        if not why or any(each.why is Why.BLOCKED for each in self._store.restraints(name)):
            # What blocked it already says more of what is to be done.
            return run
        self._store.restrain(
            Restraint(name, Why.BLOCKED, why, actor, self._clock(), run=run.id),
            self._event(run, "blocked", actor, reason=why),
        )
        return replace(
            run,
            reason=f"{run.reason} {name} is blocked now: {why}",
            todo=f"{run.todo}\nWhen it is mended: {_unblock(name)}",
        )

    def _save(self, run: Run, what: str, actor: str, limits: Limits | None = None) -> Run:
        """Write down how it ended. ``limits`` where it was begun, so that it counts."""
        ended = replace(run, ended_at=self._clock(), artifacts=without_plan(run))
        if limits is not None:
            ended = self._block_row(ended, actor, limits)
        applied = run.applied
        event = self._event(
            ended,
            what,
            actor,
            state=run.state.value,
            done=str(len(applied.done)) if applied else "0",
            failed=str(len(applied.failed)) if applied else "0",
        )
        try:
            self._store.save(ended, event)
        except StoreError:
            # Somebody took us for dead and wrote that nobody knows. We do, and the trail hears it.
            with suppress(DriftctlError):
                self._store.note(event)
            raise
        drop_plan(self._artifacts, run)
        # It may quote secrets, so it is kept no longer than anything else.
        self._workdirs.prune_runs(run.environment, before=self._clock() - self._retention)
        return ended

    def _log_of(self, run: Run) -> Path:
        """Where the engine writes what it does in a run."""
        return self._workdirs.home_of(run.environment) / "runs" / run.id / "apply.jsonl"

    def _watch(self, name: str) -> _Watch:
        return _Watch(name, self._progress)

    def _event(self, run: Run, what: str, actor: str, **evidence: str) -> Event:
        return Event(what, self._clock(), actor, run.environment, run.id, evidence)


class _Watch:
    """Tells of progress, when there is some."""

    def __init__(self, name: str, progress: Progress) -> None:
        self._name = name
        self._progress = progress
        self._seen = 0

    def __call__(self, log: ApplyLog) -> None:
        done = len(log.applied.done)
        if done != self._seen:
            self._seen = done
            self._progress.applied(self._name, done)


def _unblock(environment: str) -> str:
    return f'driftctl-py unblock {environment} --reason "…"'


def _first(errors: tuple[Diagnostic, ...]) -> str:
    if not errors:
        return "The engine failed and did not say why."
    first = errors[0]
    about = f"{first.address}: " if first.address else ""
    more = f" ({len(errors) - 1} more)" if len(errors) > 1 else ""
    return f"{about}{first.summary.rstrip('.')}.{more}"
