"""Rego, evaluated by opa or conftest as a program of its own."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from driftctl_py.adapters.stop import Stop
from driftctl_py.core.policy import About, RegoPolicy, Verdict


class RegoEngine:
    """Asks policies whose paths are relative to ``here``."""

    def __init__(self, *, here: Path, environ: Mapping[str, str], stop: Stop) -> None:
        self._here = here
        self._environ = environ
        self._stop = stop

    def verdicts(self, policy: RegoPolicy, *, plan: Path, about: About) -> tuple[Verdict, ...]:
        """What the policy finds in the plan."""
        raise NotImplementedError
