"""One read-only pass over one environment: the file to read first.

`preparation.py` has laid it out and decided about engine and backend; here it is planned, and the
plan is read. Nothing here changes anything: the plan takes no lock, `init` upgrades nothing, no
workspace is created, and the state is only looked at.
"""

from __future__ import annotations

from dataclasses import replace
from hashlib import sha256

from driftctl_py import __version__
from driftctl_py.app.ports import Clock, Engines, Plans, Progress, States, Workdirs
from driftctl_py.app.preparation import Prepared, Preparer, Settings
from driftctl_py.core.assessment import Assessment, assess, nothing
from driftctl_py.core.assessment_memory import pack, unpack
from driftctl_py.core.check import Assessed, EnvironmentCheck, Failed, Outcome, Unknown
from driftctl_py.core.checkout import Revision
from driftctl_py.core.engine_run import Planned
from driftctl_py.core.environment import Environment
from driftctl_py.core.events import EventLog
from driftctl_py.core.known_secrets import hide, hide_in
from driftctl_py.core.remedy import remedy
from driftctl_py.core.state import (
    LocalAddress,
    LockHolder,
    OtherAddress,
    StateAddress,
    StateLook,
)
from driftctl_py.errors import EngineError


class Checker:
    """Checks environments, one at a time; several threads may use one."""

    def __init__(
        self,
        preparer: Preparer,
        *,
        workdirs: Workdirs,
        engines: Engines,
        states: States,
        plans: Plans,
        clock: Clock,
        progress: Progress,
        settings: Settings,
    ) -> None:
        self._preparer = preparer
        self._workdirs = workdirs
        self._engines = engines
        self._states = states
        self._plans = plans
        self._clock = clock
        self._progress = progress
        self._settings = settings

    def prepare(self, environment: Environment, revision: Revision) -> Prepared:
        """`Preparer.prepare`: what can be decided before any engine starts."""
        return self._preparer.prepare(environment, revision)

    def check(self, prepared: Prepared) -> EnvironmentCheck:
        """Plan and assess. Raises our errors where no plan came about."""
        warnings: list[str] = []
        with self._workdirs.locked(prepared.workdir):
            try:
                outcome = self._outcome(prepared, warnings)
            except EngineError as error:
                raise self._without_secrets(error) from error
            finally:
                # All of them hold the state's secrets in the clear.
                self._workdirs.remove(prepared.workdir.plan_file)
                self._workdirs.remove(prepared.workdir.plan_json)
                if isinstance(prepared.backend.address, LocalAddress):
                    self._workdirs.drop_state(prepared.workdir, prepared.backend.address.path)
        now = self._clock()
        return EnvironmentCheck(
            environment=prepared.environment.name,
            path=prepared.environment.path,
            outcome=outcome,
            checked_at=now,
            duration_seconds=(now - prepared.started_at).total_seconds(),
            revision=prepared.revision,
            engine=prepared.reported_engine,
            warnings=tuple(warnings),
            modes=prepared.environment.apply,
        )

    def _outcome(self, prepared: Prepared, warnings: list[str]) -> Outcome:
        warnings.extend(self._preparer.make_ready(prepared))
        address = self._preparer.recorded(prepared)
        if isinstance(address, OtherAddress):
            warnings.append(
                f"Locks of {address} cannot be seen here: a plan that was made during somebody's "
                "apply is not noticed."
            )
        before = self._look(prepared, address)
        if before.lock is not None:
            return _locked(prepared.environment, before.lock)
        planned = self._plan(prepared)
        after = self._look(prepared, address)
        if planned.exit_code == 1 and not planned.saved:
            return self._no_plan(planned)
        warnings.extend(hide(text, self._settings.secrets) for text in _told(planned.log))
        if after.lock is not None:
            return _locked(prepared.environment, after.lock)
        if after.version != before.version:
            return Unknown(
                "The state changed while the plan was made, so the plan may be of neither.",
                todo=f"Check again: driftctl-py check {prepared.environment.name}",
            )
        return self._assess(prepared, planned)

    def _look(self, prepared: Prepared, address: StateAddress) -> StateLook:
        return self._states.look(
            address,
            directory=prepared.workdir.source_directory,
            environ=prepared.run.environ,
        )

    def _plan(self, prepared: Prepared) -> Planned:
        name, workdir = prepared.environment.name, prepared.workdir
        run = prepared.run
        if prepared.environment.workspace != "default":
            run = replace(
                run, environ={**run.environ, "TF_WORKSPACE": prepared.environment.workspace}
            )
        self._progress.started(name, "plan")
        seen = 0

        def watch(log: EventLog) -> None:
            nonlocal seen
            if log.refreshed != seen:
                seen = log.refreshed
                self._progress.refreshed(name, seen)

        planned = self._engines.plan(run, out=workdir.plan_file, on_event=watch)
        if planned.needs_init:
            self._preparer.init(prepared)
            self._progress.started(name, "plan")
            planned = self._engines.plan(run, out=workdir.plan_file, on_event=watch)
        return planned

    def _assess(self, prepared: Prepared, planned: Planned) -> Outcome:
        if planned.exit_code == 0 and planned.saved and planned.log.quiet:
            return Assessed(nothing(), quiet=True)
        key = self._key_of(prepared) if planned.exit_code != 1 else None
        if key is not None and (before := self._recall(prepared, key)) is not None:
            return Assessed(before)
        self._progress.started(prepared.environment.name, "read")
        workdir = prepared.workdir
        assessment: Assessment | None
        try:
            self._engines.show(prepared.run, plan=workdir.plan_file, out=workdir.plan_json)
            assessment = assess(
                self._plans.read(workdir.plan_json, masks=self._settings.masks),
                strict=self._settings.strict,
            )
        except EngineError:
            if planned.exit_code != 1:
                raise
            assessment = None  # what failed half-way often cannot be shown either
        if planned.exit_code == 1:
            return Unknown(
                "The plan is incomplete: the engine failed while it was made.",
                todo=remedy(planned.errors, self._settings.dropped)
                or "Mend what the engine names and check again: driftctl-py check "
                f"{prepared.environment.name}",
                assessment=assessment,
                diagnostics=hide_in(planned.errors, self._settings.secrets),
            )
        assert assessment is not None  # noqa: S101 - for the type checker
        if not assessment.complete:
            return Unknown(
                f"The plan is incomplete: {assessment.incomplete_reason}",
                assessment=assessment,
            )
        if key is not None and (packed := pack(assessment)) is not None:
            self._workdirs.write(workdir.in_sync, key + packed)
        return Assessed(assessment)

    def _key_of(self, prepared: Prepared) -> bytes | None:
        """What an assessment of just this plan is kept under; None for a plan that we cannot tell
        from another."""
        digest = self._plans.digest(prepared.workdir.plan_file)
        if digest is None:
            return None
        # How it reads depends on the engine and its providers, on us, and on what we are told.
        told = (str(self._settings.strict), *map(repr, self._settings.masks))
        parts = (digest, prepared.init_key, __version__, *told)
        return sha256("\0".join(parts).encode()).digest()

    def _recall(self, prepared: Prepared, key: bytes) -> Assessment | None:
        kept = self._workdirs.read(prepared.workdir.in_sync) or b""
        return unpack(kept.removeprefix(key)) if kept.startswith(key) else None

    def _no_plan(self, planned: Planned) -> Failed:
        errors = hide_in(planned.errors, self._settings.secrets)
        first = errors[0].summary if errors else "the engine did not say why"
        return Failed(
            f"No plan came about: {first.rstrip('.')}.",
            todo=remedy(errors, self._settings.dropped),
            diagnostics=errors,
        )

    def _without_secrets(self, error: EngineError) -> EngineError:
        secrets = self._settings.secrets
        return EngineError(
            hide(error.what, secrets),
            todo=error.todo or remedy(error.diagnostics, self._settings.dropped),
            diagnostics=hide_in(error.diagnostics, secrets),
        )


def _locked(environment: Environment, holder: LockHolder) -> Unknown:
    return Unknown(
        f"The state is locked by {holder}; what is planned meanwhile may be wrong.",
        todo=f"Check again when it is free: driftctl-py check {environment.name}",
    )


def _told(log: EventLog) -> tuple[str, ...]:
    return tuple(
        f"{item.address + ': ' if item.address else ''}{item.summary}"
        + (f" ({item.where})" if item.where else "")
        for item in log.warnings
    )
