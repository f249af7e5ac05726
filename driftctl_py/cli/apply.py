"""`driftctl-py apply`, `accept` and `rollback`: what may change something.

Each goes through the same decision. Exit codes: 0 applied and converged, or nothing to do; 2 held,
or applied and something is left to do; 1 refused, failed, partly applied, or not known.
"""

from __future__ import annotations

import argparse

from driftctl_py import compose
from driftctl_py.cli.options import options_of, reason_of
from driftctl_py.cli.plan import make_run


def run_apply(arguments: argparse.Namespace) -> int:
    """Apply the plan that waits, or make one and apply it where that is allowed."""
    options = options_of(arguments)
    return make_run(
        arguments,
        "applying",
        lambda progress, stop: compose.apply(
            options,
            arguments.environment,
            run=arguments.run,
            reviewed=arguments.require_plan,
            progress=progress,
            stop=stop,
        ),
    )


def run_accept(arguments: argparse.Namespace) -> int:
    """Record in the state what is really there."""
    options, reason = options_of(arguments), reason_of(arguments)
    return make_run(
        arguments,
        "accepting",
        lambda progress, stop: compose.accept(
            options, arguments.environment, reason=reason, progress=progress, stop=stop
        ),
    )


def run_rollback(arguments: argparse.Namespace) -> int:
    """Pin the environment at an earlier commit, and plan or apply it there."""
    options, reason = options_of(arguments), reason_of(arguments)
    return make_run(
        arguments,
        "rolling back",
        lambda progress, stop: compose.rollback(
            options,
            arguments.environment,
            commit=arguments.to,
            reason=reason,
            progress=progress,
            stop=stop,
        ),
    )
