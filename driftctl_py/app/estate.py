"""What there is to look after: sources synced from Git, and the environments that they hold now.

One source that cannot be read takes only its own environments away. What is done with them is the
business of `fleet.py` (check them) and `loop.py` (keep them reconciled).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from difflib import get_close_matches
from threading import Lock
from typing import Protocol, TypeVar

from driftctl_py.app.ports import Sources
from driftctl_py.core.checkout import Revision
from driftctl_py.core.config import expand, needed_sources
from driftctl_py.core.config_model import Config, Settings
from driftctl_py.core.environment import Environment
from driftctl_py.errors import DriftctlError, Interrupted, UsageError

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


class Estate:
    """The environments of one configuration, as of now. Several threads may ask."""

    def __init__(self, config: Config, *, sources: Sources, jobs: int, stop: Stop) -> None:
        self._config = config
        self._sources = sources
        self._jobs = jobs
        self._stop = stop

    def environments(self) -> tuple[Environment, ...]:
        """All environments. Raises when a source cannot be read at all."""
        synced = self.sync()
        for error in synced.failures.values():
            raise error
        return expand(self._config, synced.files)

    def revisions(self, synced: Synced) -> Revisions:
        """Which revision each environment is planned at."""
        return Revisions(self._sources, self._config, synced)

    def sync(self) -> Synced:
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
                each_unless_stopped(pool, self._stop, sync, needed)
        if len(revisions) + len(failures) < len(needed):
            raise Interrupted("Stopped before all Git sources were read; nothing was changed.")
        return Synced(revisions, files, failures)

    def expand(
        self, synced: Synced
    ) -> tuple[tuple[Environment, ...], tuple[tuple[Environment, DriftctlError], ...]]:
        """The environments of the sources that are there; for each entry of those that are not,
        what can be said of it, and why it is lost."""
        if not synced.failures:
            return expand(self._config, synced.files), ()
        config = _without(self._config, synced.failures)
        lost = tuple(
            (
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


def each_unless_stopped(
    pool: ThreadPoolExecutor, stop: Stop, work: Callable[[T], R], items: Sequence[T]
) -> list[R | None]:
    """``work`` for each item, in order; None for what a wish to stop kept from starting."""

    def unless_stopped(item: T) -> R | None:
        return None if stop.please else work(item)

    return list(pool.map(unless_stopped, items))


class Revisions:
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


def select(
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
