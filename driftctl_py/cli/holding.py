"""`driftctl-py suspend`, `resume`, `release` and `unblock`, which hold an environment back or let
it go, `freeze` and `thaw`, which do it with all of them, and `key`, which says who may approve with
a secret of the store."""

from __future__ import annotations

import argparse
import re
import sys
from datetime import UTC, datetime, timedelta

from driftctl_py import compose
from driftctl_py.cli.options import options_of, reason_of
from driftctl_py.cli.output import tell
from driftctl_py.errors import UsageError

_UNITS = {"m": "minutes", "h": "hours", "d": "days", "w": "weeks"}
_MOMENTS = "Give a length of time (2h, 3d) or a moment: 2026-12-01, 2026-12-01T09:00, …T09:00Z"


def run_suspend(arguments: argparse.Namespace) -> int:
    """Apply nothing there until then, or until somebody resumes it."""
    until = None if arguments.until is None else moment(arguments.until, compose.now())
    with compose.hold(options_of(arguments)) as holding:
        holding.suspend(arguments.environment, reason=reason_of(arguments), until=until)
    lasts = f"until {until:%Y-%m-%d %H:%M} UTC" if until else "until somebody resumes it"
    tell(f"{arguments.environment} is suspended {lasts}: it is planned, and nothing is applied.")
    return 0


def run_resume(arguments: argparse.Namespace) -> int:
    with compose.hold(options_of(arguments)) as holding:
        holding.resume(arguments.environment, reason=reason_of(arguments))
    tell(f"{arguments.environment} is suspended no more.")
    return 0


def run_freeze(arguments: argparse.Namespace) -> int:
    """Apply nothing anywhere until then, or until somebody thaws it."""
    until = None if arguments.until is None else moment(arguments.until, compose.now())
    with compose.hold(options_of(arguments)) as holding:
        holding.freeze(reason=reason_of(arguments), until=until)
    lasts = f"until {until:%Y-%m-%d %H:%M} UTC, or " if until else ""
    tell(
        f"Everything is frozen {lasts}until somebody thaws it: plans are made and approved, and "
        "nothing is applied. What is being applied now goes on."
    )
    return 0


def run_thaw(arguments: argparse.Namespace) -> int:
    with compose.hold(options_of(arguments)) as holding:
        holding.thaw(reason=reason_of(arguments))
    tell("Nothing is frozen any more. What waited is applied with the next pass, or by `apply`.")
    return 0


def run_release(arguments: argparse.Namespace) -> int:
    with compose.hold(options_of(arguments)) as holding:
        holding.release(arguments.environment, reason=reason_of(arguments))
    tell(f"{arguments.environment} is pinned no more: the next plan is of what Git says now.")
    return 0


def run_unblock(arguments: argparse.Namespace) -> int:
    with compose.hold(options_of(arguments)) as holding:
        holding.unblock(arguments.environment, reason=reason_of(arguments))
    tell(f"{arguments.environment} is blocked no more.")
    return 0


def run_key(arguments: argparse.Namespace) -> int:
    """Add or remove an approver's key. The secret is printed once, alone on standard output."""
    with compose.hold(options_of(arguments)) as holding:
        if arguments.action == "remove":
            holding.remove_key(arguments.name)
            tell(f"There is no key {arguments.name} any more; what it approved before stands.")
            return 0
        secret = holding.add_key(arguments.name)
    tell(
        f"The key of {arguments.name}, shown this once and kept nowhere. In "
        f"DRIFTCTL_APPROVER_KEY it approves as key:{arguments.name}:"
    )
    sys.stdout.write(f"{secret}\n")
    return 0


def moment(text: str, now: datetime) -> datetime:
    """``2h`` and ``3d`` from now; ``2026-12-01``, ``2026-12-01T09:00`` and ``…T09:00+01:00``, in
    UTC where it does not say. Raises `UsageError`."""
    if found := re.fullmatch(r"([1-9][0-9]{0,4})([mhdw])", text):
        return now + timedelta(**{_UNITS[found[2]]: int(found[1])})
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        raise UsageError(
            f"{text!r} is neither a length of time nor a moment.", todo=_MOMENTS
        ) from (None)
    at = at if at.tzinfo else at.replace(tzinfo=UTC)
    if at <= now:
        raise UsageError(f"{text} is over.", todo=_MOMENTS)
    return at
