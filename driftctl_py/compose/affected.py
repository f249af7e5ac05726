"""Wires what a change concerns: Git, the configuration, the modules, and how long plans took."""

from __future__ import annotations

import os.path
from contextlib import suppress
from typing import TYPE_CHECKING

from driftctl_py.compose.checking import Options
from driftctl_py.compose.surroundings import (
    data_dir,
    environ,
    find_config,
    load_config,
    make_data_dir,
)
from driftctl_py.errors import DriftctlError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from driftctl_py.adapters.stop import Stop
    from driftctl_py.app.affected import Answer


def affected(options: Options, base: str | None, *, stop: Stop) -> Answer:
    """Which environments what changed since ``base`` concerns; without one, since each of them was
    applied."""
    from driftctl_py.adapters.git_contents import GitContents
    from driftctl_py.adapters.module_source import ModuleSource
    from driftctl_py.app.affected import find_affected, find_since_applied
    from driftctl_py.app.estate import Estate
    from driftctl_py.compose.applying import opened

    path = find_config(options.config)
    config = load_config(path)
    here = path.resolve().parent
    own = data_dir(options.data_dir, config.data_dir, here)
    make_data_dir(own)
    with GitContents(own, here=here, environ=environ()) as sources:
        stop.when_asked(sources.stop)
        synced = Estate(config, sources=sources, jobs=4, stop=stop).sync()
        for error in synced.failures.values():
            raise error
        root = sources.top()
        config_path = os.path.relpath(path.resolve(), root.resolve())
        modules = ModuleSource(root).of
        if base is not None:
            return find_affected(
                config,
                synced.files,
                base,
                config_path=config_path,
                history=sources,
                sources_of=modules,
            )
        # Without its memory nothing is left out by mistake: what cannot be read is an error.
        with opened(options) as kept:

            def applied(name: str) -> str:
                last = kept.store.last_converged(name)
                return last.commit if last is not None else ""

            return find_since_applied(
                config,
                synced.files,
                applied,
                config_path=config_path,
                history=sources,
                sources_of=modules,
            )


def durations(options: Options) -> Mapping[str, float]:
    """How many seconds the last run of each environment took, as far as anybody remembers."""
    from driftctl_py.compose.applying import opened

    # Without a memory all are alike; that is worth no error.
    with suppress(DriftctlError), opened(options) as kept:
        return {
            name: (run.ended_at - run.started_at).total_seconds()
            for name, run in kept.store.latest().items()
            if run.ended_at is not None
        }
    return {}
