"""Wires the loop: a configuration and this process's surroundings into a controller."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from typing import TYPE_CHECKING

from driftctl_py.compose.applying import actor, at_work, estate_of, reconciler_of, sources_of
from driftctl_py.compose.checking import Options
from driftctl_py.compose.surroundings import find_config, load_config, monotonic, now
from driftctl_py.errors import ConfigError

if TYPE_CHECKING:
    from driftctl_py.adapters.stop import Stop
    from driftctl_py.app.loop import Passes, Watcher
    from driftctl_py.app.ports import Progress
    from driftctl_py.core.checkout import Revision
    from driftctl_py.core.config_model import Config
    from driftctl_py.core.environment import Environment

# How often Git is asked what is new, unless an environment's interval is shorter.
_SYNC_SECONDS = 60
# How often a configuration that cannot be read is looked at.
_NAP_SECONDS = 5.0


def control(
    options: Options, *, once: bool, watcher: Watcher, progress: Progress, stop: Stop
) -> int:
    """Keep all environments reconciled until told to stop, or make one pass over each; the exit
    code. Where the configuration is changed meanwhile, the new one takes its place."""
    while True:
        code = _control(options, once=once, watcher=watcher, progress=progress, stop=stop)
        if once or stop.please or not _read_again(options, watcher, stop):
            return code


def _read_again(options: Options, watcher: Watcher, stop: Stop) -> bool:
    """Whether it can be read, which is waited for: it may be half written, or wrong. Nothing is
    applied meanwhile. False when it is to stop."""
    watcher.said("The configuration was changed; it is read anew.")
    told = threading.Event()
    forget = stop.when_asked(told.set)
    try:
        while not stop.please:
            try:
                load_config(find_config(options.config))
            except ConfigError as error:
                watcher.failed("", error)
                told.wait(_NAP_SECONDS)
            else:
                return True
        return False
    finally:
        forget()


def _control(
    options: Options, *, once: bool, watcher: Watcher, progress: Progress, stop: Stop
) -> int:
    """With the configuration as it is now, for as long as it is."""
    from driftctl_py.adapters.machine import processors
    from driftctl_py.app.loop import Loop
    from driftctl_py.app.tightening import CONFIG_NAME

    jobs = options.jobs or processors()
    with at_work(options) as kept, sources_of(kept, stop) as sources:

        def make_passes(environments: Sequence[Environment]) -> Passes:
            return reconciler_of(kept, environments, sources, jobs, progress, stop)

        def content_of(environment: Environment, revision: Revision) -> object:
            source = kept.config.sources[environment.source]
            last = kept.store.runs(environment=environment.name, limit=1, reviews=False)
            governing = last[0].governing if last else None
            if governing is None or source.submodules:
                # Which local modules it uses, or what they hold, is not known.
                return None
            paths = {environment.path, *environment.var_files, *governing.trees, CONFIG_NAME}
            return sources.trees(source, revision, paths)

        loop = Loop(
            estate_of(kept, sources, stop),
            make_passes=make_passes,
            content_of=content_of,
            sources=sources,
            store=kept.store,
            artifacts=kept.artifacts,
            jobs=jobs,
            sync_seconds=_sync_seconds(kept.config),
            retention_seconds=kept.config.retention_seconds,
            actor=actor().text,
            stop=stop,
            clock=now,
            monotonic=monotonic,
            watcher=watcher,
            is_over=kept.is_another,
        )
        if once:
            return loop.once()
        loop.run()
    return 0


def _sync_seconds(config: Config) -> int:
    """A look at Git for each turn of the most frequent environment, and once a minute else."""
    layers = [
        config.defaults,
        *(entry.settings for entry in config.entries),
        *(override.settings for override in config.overrides.values()),
    ]
    given = [each.interval_seconds for each in layers if each.interval_seconds is not None]
    return max(1, min([_SYNC_SECONDS, *given]))
