"""Which environments something in driftctl.yaml is about: by name, and by label."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from driftctl_py.core.masks import glob


@dataclass(frozen=True, slots=True)
class Scope:
    """``environments`` are names or globs, any of which has to fit; of ``labels`` each. Empty: all
    environments."""

    environments: tuple[str, ...] = ()
    labels: Mapping[str, str] = field(default_factory=dict)

    def covers(self, environment: str, labels: Mapping[str, str]) -> bool:
        """Is the environment with this name and these labels among them?"""
        named = not self.environments or any(
            glob(each).fullmatch(environment) for each in self.environments
        )
        return named and all(labels.get(key) == value for key, value in self.labels.items())
