"""One check over many environments: prepare them all, then plan several at once.

One environment's failure never stops another: here our errors become failed checks.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace

from driftctl_py.app.check import Checker
from driftctl_py.app.estate import Estate, Stop, Synced, each_unless_stopped, select
from driftctl_py.app.ports import Clock, Progress, Sources
from driftctl_py.app.preparation import Prepared
from driftctl_py.core.check import Assessed, CheckReport, EnvironmentCheck, Failed, Unknown
from driftctl_py.core.checkout import Revision
from driftctl_py.core.config_model import Config
from driftctl_py.core.environment import Environment
from driftctl_py.errors import DriftctlError, EngineError, Interrupted, UsageError, bug


class Fleet:
    """Checks the environments of one configuration, ``jobs`` at a time."""

    def __init__(
        self,
        config: Config,
        *,
        sources: Sources,
        make_checker: Callable[[Sequence[Environment]], Checker],
        jobs: int,
        stop: Stop,
        clock: Clock,
        progress: Progress,
    ) -> None:
        self._config = config
        self._sources = sources
        self._make_checker = make_checker
        self._estate = Estate(config, sources=sources, jobs=jobs, stop=stop)
        self._jobs = jobs
        self._stop = stop
        self._clock = clock
        self._progress = progress

    def environments(self) -> tuple[Environment, ...]:
        """All environments as they are now. Raises when a source cannot be read at all."""
        return self._estate.environments()

    def check(self, names: Sequence[str]) -> CheckReport:
        """Check the named environments, or all. Raises `ConfigError`, `UsageError`, and
        `Interrupted` before it is known what there is to check; what goes wrong with one
        environment is in its own check."""
        started_at = self._clock()
        synced = self._estate.sync()
        for error in synced.failures.values():
            if isinstance(error, Interrupted):
                raise error
        environments, lost = self._estate.expand(synced)
        selected = select(names, environments, complete=not synced.failures)
        # What a lost source held can be named only when everything is asked for.
        checks = [] if names else [self._ended(*each) for each in lost]
        self._progress.begin(len(selected) + len(checks))
        for check in checks:
            self._progress.finished(check)
        found: dict[str, EnvironmentCheck] = {}
        if selected and not self._stop.please:
            found = self._check_selected(selected, synced)
        for environment in selected:
            # Interrupted before its turn: nothing is known of it, and that is said.
            checks.append(found.get(environment.name) or self._not_checked(environment))
        checks = self._still_holds(checks, synced)
        self._prune(synced, environments, whole=not names and not synced.failures)
        return CheckReport(
            checks=tuple(checks),
            started_at=started_at,
            duration_seconds=(self._clock() - started_at).total_seconds(),
            strict=self._config.strict,
            interrupted=self._stop.please,
        )

    def _check_selected(
        self, selected: Sequence[Environment], synced: Synced
    ) -> dict[str, EnvironmentCheck]:
        """A check for each, but for those that a wish to stop kept from being made."""
        checker = self._make_checker(selected)
        revisions = self._estate.revisions(synced)
        found: dict[str, EnvironmentCheck] = {}

        def prepare(environment: Environment) -> Prepared | EnvironmentCheck:
            revision = None
            try:
                revision = revisions.of(environment)
                return checker.prepare(environment, revision)
            except Exception as error:  # noqa: BLE001 - one environment never stops another
                return self._ended(environment, _ours(error), revision=revision)

        def check(item: Prepared) -> EnvironmentCheck:
            try:
                made = checker.check(item)
            except Exception as error:  # noqa: BLE001 - one environment never stops another
                made = self._ended(item.environment, _ours(error), prepared=item)
            self._progress.finished(made)
            return made

        with ThreadPoolExecutor(self._jobs, thread_name_prefix="check") as pool:
            laid_out = [
                item
                for item in each_unless_stopped(pool, self._stop, prepare, selected)
                if item is not None
            ]
            prepared = [item for item in laid_out if isinstance(item, Prepared)]
            early = [item for item in laid_out if isinstance(item, EnvironmentCheck)]
            shared = _shared_states(prepared)
            early += [
                self._ended(item.environment, shared[item.environment.name], prepared=item)
                for item in prepared
                if item.environment.name in shared
            ]
            for made in early:
                found[made.environment] = made
                self._progress.finished(made)
            ready = [item for item in prepared if item.environment.name not in shared]
            for planned in each_unless_stopped(pool, self._stop, check, ready):
                if planned is not None:
                    found[planned.environment] = planned
        return found

    def _still_holds(
        self, checks: list[EnvironmentCheck], synced: Synced
    ) -> list[EnvironmentCheck]:
        """A tree that is planned as it lies may change meanwhile: then what was planned is not
        what the report would name."""
        moved = set()
        for name, revision in synced.revisions.items():
            if revision.in_place and not self._stop.please:
                now = self._sources.resolve(self._config.sources[name])
                if (now.commit, now.dirty) != (revision.commit, revision.dirty):
                    moved.add(revision)
        return [
            replace(
                check,
                outcome=Unknown(
                    "The working tree changed while it was planned, so the plan may be of neither.",
                    todo=f"Check again: driftctl-py check {check.environment}",
                    assessment=check.outcome.assessment,
                ),
            )
            if check.revision in moved and isinstance(check.outcome, Assessed)
            else check
            for check in checks
        ]

    def _not_checked(self, environment: Environment) -> EnvironmentCheck:
        return self._ended(
            environment, Interrupted("Interrupted before it was checked; nothing was changed.")
        )

    def _ended(
        self,
        environment: Environment,
        error: DriftctlError,
        *,
        prepared: Prepared | None = None,
        revision: Revision | None = None,
    ) -> EnvironmentCheck:
        """The check that an error made of an environment: unknown when a person interrupted it,
        failed else."""
        now = self._clock()
        outcome: Failed | Unknown
        if isinstance(error, Interrupted):
            outcome = Unknown(error.what, error.todo)
        else:
            diagnostics = error.diagnostics if isinstance(error, EngineError) else ()
            outcome = Failed(error.what, error.todo, diagnostics)
        started_at = now if prepared is None else prepared.started_at
        return EnvironmentCheck(
            environment=environment.name,
            path=environment.path,
            outcome=outcome,
            checked_at=now,
            duration_seconds=(now - started_at).total_seconds(),
            revision=revision if prepared is None else prepared.revision,
            engine=None if prepared is None else prepared.reported_engine,
            modes=environment.apply,
        )

    def _prune(self, synced: Synced, environments: Iterable[Environment], *, whole: bool) -> None:
        """Let go of checkouts that nobody uses, when this check has seen all that are used."""
        if whole and not any(environment.ref for environment in environments):
            # A tidying that was interrupted is made up for by the next; the report is not.
            with suppress(Interrupted):
                self._sources.prune(
                    {(name, revision.commit) for name, revision in synced.revisions.items()}
                )


def _ours(error: Exception) -> DriftctlError:
    """Our own errors as they are; anything else is a bug, and is said to be one."""
    if isinstance(error, DriftctlError):
        return error
    return DriftctlError(
        bug(error),
        todo="Please report it. Nothing was changed, and the other environments were checked.",
    )


def _shared_states(items: Iterable[Prepared]) -> dict[str, DriftctlError]:
    """An error for every environment whose state another one has too."""
    by_state: dict[str, list[Prepared]] = {}
    for item in items:
        if item.state_id:
            by_state.setdefault(item.state_id, []).append(item)
    errors: dict[str, DriftctlError] = {}
    for sharing in by_state.values():
        if len(sharing) > 1:
            names = [item.environment.name for item in sharing]
            for item in sharing:
                others = " and ".join(name for name in names if name != item.environment.name)
                errors[item.environment.name] = UsageError(
                    f"{item.environment.name} and {others} share one state, "
                    f"{item.backend.address}: each would plan to destroy what the other has.",
                    todo="Give each its own key, for example with {environment} in state.s3.key.",
                )
    return errors
