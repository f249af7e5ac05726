"""One check over many environments: sync, expand, prepare, then plan several at once.

One environment's failure never stops another: here our errors become failed checks.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, replace
from difflib import get_close_matches
from threading import Lock
from typing import Protocol, TypeVar

from driftctl_py.app.check import Checker
from driftctl_py.app.ports import Clock, Progress, Sources
from driftctl_py.app.preparation import Prepared
from driftctl_py.core.check import Assessed, CheckReport, EnvironmentCheck, Failed, Unknown
from driftctl_py.core.checkout import Revision
from driftctl_py.core.config import expand, needed_sources
from driftctl_py.core.config_model import Config, Settings
from driftctl_py.core.environment import Environment
from driftctl_py.errors import DriftctlError, EngineError, Interrupted, UsageError

T = TypeVar("T")
R = TypeVar("R")


class Stop(Protocol):
    """A wish to stop; the running engines know of it themselves."""

    @property
    def please(self) -> bool: ...


@dataclass(frozen=True, slots=True)
class Synced:
    """Every source at one revision, or the reason why not, and the files of those that are."""

    revisions: Mapping[str, Revision]
    files: Mapping[str, frozenset[str]]
    failures: Mapping[str, DriftctlError]


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
        self._jobs = jobs
        self._stop = stop
        self._clock = clock
        self._progress = progress

    def environments(self) -> tuple[Environment, ...]:
        """All environments as they are now. Raises when a source cannot be read at all."""
        synced = self._sync()
        for error in synced.failures.values():
            raise error
        return expand(self._config, synced.files)

    def check(self, names: Sequence[str]) -> CheckReport:
        """Check the named environments, or all. Raises `ConfigError`, `UsageError`, and
        `Interrupted` before it is known what there is to check; what goes wrong with one
        environment is in its own check."""
        started_at = self._clock()
        synced = self._sync()
        for error in synced.failures.values():
            if isinstance(error, Interrupted):
                raise error
        environments, lost = self._expand(synced)
        selected = _select(names, environments, complete=not synced.failures)
        # What a lost source held can be named only when everything is asked for.
        checks = list(lost) if not names else []
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
        revisions = _Revisions(self._sources, self._config, synced)
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
            laid_out = [item for item in self._map(pool, prepare, selected) if item is not None]
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
            for planned in self._map(pool, check, ready):
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
        )

    def _map(
        self, pool: ThreadPoolExecutor, work: Callable[[T], R], items: Sequence[T]
    ) -> list[R | None]:
        """``work`` for each item, in order; None for what a wish to stop kept from starting."""

        def unless_stopped(item: T) -> R | None:
            return None if self._stop.please else work(item)

        return list(pool.map(unless_stopped, items))

    def _sync(self) -> Synced:
        """Ask every source that has environments where it stands, all at once."""
        needed = [source.name for source in needed_sources(self._config)]
        revisions: dict[str, Revision] = {}
        files: dict[str, frozenset[str]] = {}
        failures: dict[str, DriftctlError] = {}

        def sync(name: str) -> None:
            source = self._config.sources[name]
            try:
                revision = self._sources.resolve(source)
                files[name] = self._sources.files(source, revision)
                revisions[name] = revision
            except DriftctlError as error:
                failures[name] = error

        if len(needed) == 1:
            sync(needed[0])
        else:
            with ThreadPoolExecutor(self._jobs, thread_name_prefix="sync") as pool:
                self._map(pool, sync, needed)
        if len(revisions) + len(failures) < len(needed):
            raise Interrupted("Stopped before all Git sources were read; nothing was changed.")
        return Synced(revisions, files, failures)

    def _expand(
        self, synced: Synced
    ) -> tuple[tuple[Environment, ...], tuple[EnvironmentCheck, ...]]:
        """The environments of the sources that are there, and a failed check for each entry of
        those that are not."""
        if not synced.failures:
            return expand(self._config, synced.files), ()
        config = _without(self._config, synced.failures)
        lost = tuple(
            self._ended(
                Environment(name=f"{entry.path} ({entry.source})", path=entry.path),
                synced.failures[entry.source],
            )
            for entry in self._config.entries
            if entry.source in synced.failures
        )
        if not config.entries:
            return (), lost
        there = {item.name for item in expand(replace(config, overrides={}), synced.files)}
        overrides = {
            name: replace(override, settings=_without_needs(override.settings))
            for name, override in config.overrides.items()
            if name in there
        }
        return expand(replace(config, overrides=overrides), synced.files), lost

    def _prune(self, synced: Synced, environments: Iterable[Environment], *, whole: bool) -> None:
        """Let go of checkouts that nobody uses, when this check has seen all that are used."""
        if whole and not any(environment.ref for environment in environments):
            # A tidying that was interrupted is made up for by the next; the report is not.
            with suppress(Interrupted):
                self._sources.prune(
                    {(name, revision.commit) for name, revision in synced.revisions.items()}
                )


class _Revisions:
    """Which revision each environment is planned at, each ref asked for once."""

    def __init__(self, sources: Sources, config: Config, synced: Synced) -> None:
        self._sources = sources
        self._config = config
        self._known: dict[tuple[str, str | None], Revision] = {
            (name, None): revision for name, revision in synced.revisions.items()
        }
        self._lock = Lock()

    def of(self, environment: Environment) -> Revision:
        key = (environment.source, environment.ref)
        with self._lock:
            if key not in self._known:
                source = self._config.sources[environment.source]
                self._known[key] = self._sources.resolve(source, environment.ref)
            return self._known[key]


def _ours(error: Exception) -> DriftctlError:
    """Our own errors as they are; anything else is a bug, and is said to be one."""
    if isinstance(error, DriftctlError):
        return error
    return DriftctlError(
        f"{type(error).__name__}: {error}. This is a bug in driftctl_py.",
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


def _select(
    names: Sequence[str], environments: Sequence[Environment], *, complete: bool
) -> tuple[Environment, ...]:
    known = {environment.name: environment for environment in environments}
    for name in names:
        if name not in known:
            near = get_close_matches(name, known, n=1)
            hint = f"Did you mean {near[0]}? " if near else ""
            why = "" if complete else " (a source could not be read, so some are not known)"
            raise UsageError(
                f"There is no environment {name}{why}.",
                todo=f"{hint}Known: {', '.join(sorted(known)) or 'none'}.",
            )
    wanted = set(names)
    return tuple(item for item in environments if not names or item.name in wanted)


def _without(config: Config, failures: Mapping[str, object]) -> Config:
    """The configuration without the entries of sources that could not be read. What they need of
    each other is left out too: it may name an environment that is not known now."""
    entries = tuple(
        replace(entry, settings=_without_needs(entry.settings))
        for entry in config.entries
        if entry.source not in failures
    )
    return replace(config, entries=entries, defaults=_without_needs(config.defaults))


def _without_needs(settings: Settings) -> Settings:
    return replace(settings, needs=None)
