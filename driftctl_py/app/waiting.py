"""The plan that waits: which one it is, and whether it may still be applied as it is."""

from __future__ import annotations

from collections.abc import Sequence

from driftctl_py.app.planning import Planner, fingerprint_of
from driftctl_py.app.ports import Artifacts, Clock, Store
from driftctl_py.app.preparation import Prepared
from driftctl_py.core.governing import Governing
from driftctl_py.core.plan_report import PlanReport
from driftctl_py.core.run import Run, State
from driftctl_py.errors import ArtifactError, UsageError


class Waiting:
    """Finds plans that were kept, and holds them against what is now."""

    def __init__(
        self, planner: Planner, *, store: Store, artifacts: Artifacts, clock: Clock
    ) -> None:
        self._planner = planner
        self._clock = clock
        self._store = store
        self._artifacts = artifacts

    def find(self, environment: str, wanted: str | None) -> Run | None:
        """The plan of the run whose id begins so, or the one that waits; None where none does.
        Raises `UsageError` for a run that has no plan to apply."""
        if wanted is None:
            waiting = self._store.runs(
                environment=environment, states=(State.ALLOWED, State.HELD), limit=10
            )
            return the_one_that_waits(waiting)
        found = self._store.find(wanted)
        if len(found) != 1 or found[0].environment != environment:
            what = (
                "more than one run begins" if len(found) > 1 else f"no run of {environment} begins"
            )
            raise UsageError(
                f"{what[0].upper()}{what[1:]} with {wanted}.",
                todo=f"driftctl-py runs {environment} lists them.",
            )
        if not found[0].state.waits:
            raise UsageError(
                f"Run {found[0].id} is {found[0].state.value}, so it has no plan to apply.",
                todo=f"Make a new one: driftctl-py plan {environment}",
            )
        return found[0]

    def still_fits(
        self, waiting: Run, prepared: Prepared, governing: Governing
    ) -> tuple[PlanReport | None, str]:
        """The plan that waits, and why it cannot be applied as it is, as a sentence; empty when it
        can. Raises `ArtifactError` for a saved plan that is not what was decided about."""
        if waiting.governing is None:
            return None, "It is not known any more what governed the plan."
        changed = waiting.governing.differences(governing)
        if waiting.governing.engine != governing.engine:
            # Another engine, or another version, cannot even read it.
            return None, f"What governs the plan changed: {'; '.join(changed)}."
        try:
            self._artifacts.get_file(waiting.artifacts["plan"], prepared.workdir.plan_file)
        except KeyError:
            return None, f"Run {waiting.id} kept no saved plan."
        before = self._planner.read(prepared)
        if fingerprint_of(before, waiting.purpose) != waiting.fingerprint:
            raise ArtifactError(
                f"The saved plan of run {waiting.id} means {before.fingerprint.short}, but "
                f"{waiting.short_fingerprint} was decided about: it is not the one that was kept.",
                todo="Nothing was applied. Look at the trail (driftctl-py audit verify), then plan "
                f"again: driftctl-py plan {waiting.environment}",
            )
        if changed:
            return before, f"What governs the plan changed: {'; '.join(changed)}."
        age = (self._clock() - waiting.started_at).total_seconds()
        if age > _fresh_seconds(prepared.environment.interval_seconds):
            minutes = f"{age / 60:,.0f} minutes"
            return before, f"The plan of run {waiting.id} is {minutes} old; things may have moved."
        now = self._planner.state_now(prepared)
        then = (waiting.lineage, waiting.serial)
        if now is not None and waiting.serial is not None and now != then:
            serials = f"serial {waiting.serial}, now {now[1]}"
            moved = "is another" if now[0] != waiting.lineage else f"moved ({serials})"
            return before, f"The state {moved}, so the plan of run {waiting.id} fits no more."
        return before, ""


def the_one_that_waits(runs: Sequence[Run]) -> Run | None:
    """The plan that is meant where none is named. Raises `UsageError` where several wait that are
    for different things: a yes to one is not meant for another."""
    if len({run.purpose for run in runs}) > 1:
        listed = ", ".join(f"{run.id} ({run.purpose.value})" for run in runs)
        raise UsageError(
            f"{len(runs)} plans of {runs[0].environment} wait: {listed}.",
            todo=f"Name the one that you mean: driftctl-py show {runs[0].id}",
        )
    return runs[0] if runs else None


def _fresh_seconds(interval_seconds: int) -> float:
    """How long what a plan found is taken for what is: about as long as nobody looks again."""
    return max(300.0, min(interval_seconds, 3600.0))
