"""What we know to do about an engine's error that the engine does not say itself."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable

from driftctl_py.errors import Diagnostic

_NO_PROVIDER = re.compile(
    r"Failed to (query available|resolve|install) provider|Invalid provider registry host"
)


def remedy(errors: Iterable[Diagnostic], dropped: Collection[str]) -> str:
    """A sentence for the first error that we know, else nothing. ``dropped`` names the
    environment variables that were set, but that the engine did not get."""
    for error in errors:
        if error.summary == "No value for required variable":
            match = re.search(r'variable "([^"]+)"', error.detail)
            name = match[1] if match else "NAME"
            if f"TF_VAR_{name}" in dropped:
                return (
                    f"TF_VAR_{name} is set here but not passed on to the engine. Add it to "
                    "`pass_env` in driftctl.yaml."
                )
            return f"Set it under `variables` or `var_files` in driftctl.yaml ({name})."
        if _NO_PROVIDER.search(error.summary):
            return (
                "Check the provider's source and the network, or name a directory that holds "
                "it: engine.provider_mirror in driftctl.yaml."
            )
    return ""
