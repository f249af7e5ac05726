"""Workflows and an action for GitHub, made of templates: for this repository, or for a user's.

A template is the file as it will lie there, but for ``@NAME@`` between double quotes. Not here:
where templates are kept, and writing what they make.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256

from driftctl_py.errors import UsageError

_PLACEHOLDER = re.compile(r"@([A-Z_]+)@")
# What means nothing in YAML, in an expression of GitHub, and in a glob of branches.
_PLAIN = re.compile(r"[A-Za-z0-9._/=<>,~ @+:-]*")


@dataclass(frozen=True, slots=True)
class Choices:
    """What differs between repositories. ``install`` is what pip is given, ``engine`` one of
    ``terraform``, ``opentofu`` and ``embedded``; ``repository`` is anything that tells it from
    others."""

    branch: str
    config: str
    install: str
    engine: str
    engine_version: str
    repository: str

    @property
    def minute(self) -> int:
        """When in each hour drift is looked for. Not the same for everybody, and never the full
        hour, at which GitHub puts off or drops what is scheduled."""
        return 3 + int(sha256(self.repository.encode()).hexdigest(), 16) % 55


def fill(template: str, choices: Choices) -> str:
    """The file that a template makes. Raises `UsageError` for a choice that could mean something
    else in a workflow than itself."""
    values: Mapping[str, str] = {
        "BRANCH": choices.branch,
        "CONFIG": choices.config,
        "INSTALL": choices.install,
        "ENGINE": choices.engine,
        "ENGINE_VERSION": choices.engine_version,
        "MINUTE": str(choices.minute),
    }
    for name, value in values.items():
        if not _PLAIN.fullmatch(value):
            raise UsageError(
                f"The {name.lower().replace('_', ' ')} {value!r} holds characters that mean "
                "something in a workflow, so no workflow was made of it.",
                todo="Choose another, or copy the workflows of driftctl-py and edit them by hand.",
            )
    return _PLACEHOLDER.sub(lambda found: values[found[1]], template)
