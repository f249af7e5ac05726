"""`driftctl-py init`: a starter file for the repository that you stand in."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from driftctl_py import compose
from driftctl_py.errors import UsageError


def run_init(arguments: argparse.Namespace) -> int:
    """Write a commented driftctl.yaml at the repository's root; never over an existing one."""
    from driftctl_py.core.starter import starter

    root, files, branch = compose.repository_files(Path.cwd())
    text = starter(files, default_branch=branch)
    if arguments.stdout:
        sys.stdout.write(text)
        return 0
    path = root / compose.CONFIG_NAME
    try:
        with path.open("x", encoding="utf-8") as file:
            file.write(text)
    except FileExistsError:
        raise UsageError(
            f"{path} exists already, so nothing was written.",
            todo="Print the starter instead with: driftctl-py init --stdout",
        ) from None
    sys.stdout.write(f"wrote {path}\nnext: read it, then driftctl-py config check\n")
    return 0
