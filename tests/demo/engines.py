"""The engines on this machine, as `driftctl-py demo --engine` takes them."""

from __future__ import annotations

import os
import shutil
from pathlib import Path


def engines() -> list[str]:
    """``embedded`` always; a terraform and a tofu where one is named or found."""
    named = (_named_or_found("terraform"), _named_or_found("tofu"))
    return ["embedded", *(path for path in named if path is not None)]


def label(engine: str) -> str:
    """What a test's id says."""
    return Path(engine).name


def _named_or_found(name: str) -> str | None:
    # Where `go install` puts a program when nobody said otherwise.
    go = Path(os.environ.get("GOPATH", Path.home() / "go"), "bin")
    named = os.environ.get(f"DRIFTCTL_TEST_{name.upper()}")
    return named or shutil.which(name) or shutil.which(name, path=str(go))
