"""`driftctl-py init`: a starter file for the repository that you stand in, and workflows."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping
from pathlib import Path

from driftctl_py import compose
from driftctl_py.errors import UsageError


def run_init(arguments: argparse.Namespace) -> int:
    """Write a commented driftctl.yaml at the repository's root, or workflows for GitHub; never
    over anything that is there."""
    root, files, branch = compose.repository_files(Path.cwd())
    if arguments.github:
        return _workflows(arguments, root, branch)
    from driftctl_py.core.starter import starter

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


def _workflows(arguments: argparse.Namespace, root: Path, branch: str) -> int:
    from driftctl_py.compose.workflows import choices, workflow_files

    config = Path(arguments.config) if arguments.config else None
    made = choices(
        root,
        arguments.branch or branch,
        config=config,
        engine=arguments.engine,
        version=arguments.engine_version,
        install=arguments.install,
    )
    files = workflow_files(made)
    if arguments.stdout:
        for name, text in files.items():
            sys.stdout.write(f"# {name}\n{text}\n")
        return 0
    _refuse_other(root, files)
    for name, text in files.items():
        path = root / name
        if path.exists():
            sys.stdout.write(f"{name} is there already, just as it would be written\n")
            continue
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        sys.stdout.write(f"wrote {name}\n")
    sys.stdout.write(
        f"They plan and apply with {made.engine} {made.engine_version}, on pushes to "
        f"{made.branch}. Jobs install {made.install}.\n"
        "next: read them, and set up the roles and variables that docs/github.md of driftctl-py "
        "names\n"
    )
    return 0


def _refuse_other(root: Path, files: Mapping[str, str]) -> None:
    """All or nothing: some files of one version and some of another do not fit together."""
    others = []
    for name, text in files.items():
        path = root / name
        if (path.exists() or path.is_symlink()) and (
            not path.is_file() or path.read_text(encoding="utf-8", errors="replace") != text
        ):
            others.append(name)
    if others:
        raise UsageError(
            f"{', '.join(others)}: there already, and not what would be written, so nothing was "
            "written.",
            todo="Compare with: driftctl-py init --github --stdout. To have them anew, move them "
            "away first.",
        )
