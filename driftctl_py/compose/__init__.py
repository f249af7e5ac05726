"""Wires a configuration and this process's surroundings into the application.

The one place that reads the environment variables and the clock (`surroundings`) and that picks
the adapters, for a check (`checking`), for a plan that somebody brings (`reading`), for what
changes things (`applying`) and for the loop (`controlling`). Everything heavy is imported inside
the function that needs it, so that ``--help`` costs nothing.
"""

from __future__ import annotations

from driftctl_py.adapters.stop import Stop
from driftctl_py.compose.applying import (
    Holds,
    accept,
    apply,
    approve,
    history,
    hold,
    plan,
    rollback,
)
from driftctl_py.compose.checking import Options, check, environments, repository_files
from driftctl_py.compose.controlling import control
from driftctl_py.compose.reading import Reading, ReadOptions, Source, reading
from driftctl_py.compose.surroundings import (
    CONFIG_NAME,
    KEY_NAME,
    data_dir,
    environ,
    find_config,
    load_config,
    new_stop,
    now,
)

__all__ = [
    "CONFIG_NAME",
    "KEY_NAME",
    "Holds",
    "Options",
    "ReadOptions",
    "Reading",
    "Source",
    "Stop",
    "accept",
    "apply",
    "approve",
    "check",
    "control",
    "data_dir",
    "environ",
    "environments",
    "find_config",
    "history",
    "hold",
    "load_config",
    "new_stop",
    "now",
    "plan",
    "reading",
    "repository_files",
    "rollback",
]
