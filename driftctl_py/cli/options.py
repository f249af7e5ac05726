"""What is the same for every command that applies or remembers; light, since `status` is quick."""

from __future__ import annotations

import argparse
from pathlib import Path

from driftctl_py import compose
from driftctl_py.errors import UsageError


def options_of(arguments: argparse.Namespace) -> compose.Options:
    """What is the same for every command."""
    return compose.Options(config=_path(arguments.config), data_dir=_path(arguments.data_dir))


def reason_of(arguments: argparse.Namespace) -> str:
    """Why, in somebody's words: for whoever reads the trail later. Raises `UsageError`."""
    reason = str(arguments.reason).strip()
    if not reason:
        raise UsageError(
            "The reason is empty, and whoever reads the audit trail later will want one.",
            todo='Say why, in a few words: --reason "…"',
        )
    if not any(map(str.isalnum, reason)):
        # Messages print a command with "…" where the words belong, and it is pasted as it is.
        raise UsageError(
            f"The reason is {reason!r}, which tells whoever reads the audit trail later nothing.",
            todo='Say why, in a few words: --reason "Ticket 4711"',
        )
    return reason


def _path(text: str | None) -> Path | None:
    return None if text is None else Path(text)
