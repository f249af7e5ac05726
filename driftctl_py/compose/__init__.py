"""Wires a configuration and this process's surroundings into the application.

The one place that reads the environment variables and the clock (`surroundings`) and that picks
the adapters, for a check (`checking`), for a plan that somebody brings (`rendering`), for what
changes things (`applying`) and for the loop (`controlling`). Everything heavy is imported inside
the function that needs it, so that ``--help`` costs nothing; and a wiring when one of its names is
asked for, so that who renders a plan does not wait for what applies one.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
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
    from driftctl_py.compose.rendering import Reading, ReadOptions, Source, reading
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

_NAMES = {
    "driftctl_py.adapters.stop": ["Stop"],
    "driftctl_py.compose.applying": [
        "Holds",
        "accept",
        "apply",
        "approve",
        "history",
        "hold",
        "plan",
        "rollback",
    ],
    "driftctl_py.compose.checking": ["Options", "check", "environments", "repository_files"],
    "driftctl_py.compose.controlling": ["control"],
    "driftctl_py.compose.rendering": ["ReadOptions", "Reading", "Source", "reading"],
    "driftctl_py.compose.surroundings": [
        "CONFIG_NAME",
        "KEY_NAME",
        "data_dir",
        "environ",
        "find_config",
        "load_config",
        "new_stop",
        "now",
    ],
}
_MODULES = {name: module for module, names in _NAMES.items() for name in names}


def __getattr__(name: str) -> object:
    """One of the names above, from its module, which is imported now (PEP 562)."""
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    found: object = getattr(import_module(_MODULES[name]), name)
    # The next time Python finds it without asking.
    globals()[name] = found
    return found
