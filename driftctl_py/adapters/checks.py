"""Checks: programs of any kind that look at a plan and answer with an exit code, and JSON."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from driftctl_py.adapters.stop import Stop
from driftctl_py.core.policy import CheckProgram, Verdict


class CheckRunner:
    """Runs checks whose programs, where they are paths, are relative to ``here``."""

    def __init__(self, *, here: Path, environ: Mapping[str, str], stop: Stop) -> None:
        self._here = here
        self._environ = environ
        self._stop = stop

    def verdicts(self, check: CheckProgram, *, plan: Path) -> tuple[Verdict, ...]:
        """What the check finds in the plan."""
        raise NotImplementedError
