"""`driftctl-py diff`: how two plans differ in what they mean."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from driftctl_py.cli.output import write_output
from driftctl_py.cli.render import for_terminal, read, source
from driftctl_py.errors import UsageError

if TYPE_CHECKING:
    from driftctl_py.core.plan_diff import PlanDifference


def run_diff(arguments: argparse.Namespace) -> int:
    """Read both plans, print how they differ, and return 0 for the same and 2 for different."""
    if arguments.a == arguments.b == "-":
        raise UsageError(
            "Both plans are to come from standard input, which holds one.",
            todo="Name a file for one of them: driftctl-py diff PLANFILE -",
        )
    a, b = source(arguments.a), source(arguments.b)
    difference = read(arguments, lambda reading: reading.compare(a, b))
    write_output(_render(difference, a.name, b.name, arguments), arguments)
    return 0 if difference.same else 2


def _render(difference: PlanDifference, a: str, b: str, arguments: argparse.Namespace) -> str:
    from driftctl_py.report import plan_diff

    if arguments.format == "json":
        return plan_diff.render_plan_diff_json(difference, a, b)
    if arguments.format == "markdown":
        return plan_diff.render_plan_diff_markdown(difference, a, b)
    width, color = for_terminal(arguments)
    return plan_diff.render_plan_diff_text(difference, a, b, width=width, color=color)
