"""Wires a configuration and this process's surroundings into the application.

The one place that reads the environment variables and the clock (`surroundings`) and that picks
the adapters, for a check (`checking`) and for a plan that somebody brings (`reading`). Everything
heavy is imported inside the function that needs it, so that ``--help`` costs nothing.
"""

from __future__ import annotations

from driftctl_py.compose.checking import Options, check, environments, repository_files
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
    "Options",
    "ReadOptions",
    "Reading",
    "Source",
    "check",
    "data_dir",
    "environ",
    "environments",
    "find_config",
    "load_config",
    "new_stop",
    "now",
    "reading",
    "repository_files",
]
