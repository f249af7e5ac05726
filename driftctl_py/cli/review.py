"""`driftctl-py review`: what merging would do."""

from __future__ import annotations

import argparse
import sys
from dataclasses import replace
from typing import TYPE_CHECKING

from driftctl_py import compose
from driftctl_py.cli.interrupt import interruptibly
from driftctl_py.cli.options import options_of
from driftctl_py.cli.output import tell, write_output
from driftctl_py.cli.progress import watching
from driftctl_py.cli.render import for_terminal
from driftctl_py.cli.results import keeping
from driftctl_py.compose import reporting, reviewing
from driftctl_py.core.result import Occasion

if TYPE_CHECKING:
    from driftctl_py.app.reconcile import Outcome
    from driftctl_py.core.approval import People


def run_review(arguments: argparse.Namespace) -> int:
    """Review the named environments, or all; show each, and return the gravest exit code."""
    options = replace(options_of(arguments), jobs=arguments.jobs)
    stop = compose.new_stop()
    with (
        keeping(arguments, Occasion.REVIEW, arguments.environments) as keep,
        watching(sys.stderr, verbose=arguments.verbose, doing="reviewing") as progress,
    ):
        found = interruptibly(
            lambda: reviewing.review(
                options,
                arguments.environments,
                base=arguments.base,
                progress=progress,
                stop=stop,
            ),
            stop,
            progress.say,
        )
        for outcome in found.outcomes:
            name = outcome.run.environment
            known = reporting.Known(found.paths[name], name in found.here, found.people)
            keep.outcome(outcome, known=known)
    for outcome in found.outcomes:
        for warning in outcome.warnings:
            tell(f"warning: {outcome.run.environment}: {warning}")
    shown = [_render(each, found.people, arguments) for each in found.outcomes]
    write_output("\n".join(shown), arguments)
    return exit_code(found.outcomes)


def exit_code(outcomes: tuple[Outcome, ...]) -> int:
    """130 where somebody stopped it, else 1 where one is refused, failed or unknown, else 2 where
    something would be applied, else 0."""
    codes = {_code_of(each) for each in outcomes}
    return next((code for code in (130, 1, 2) if code in codes), 0)


def _code_of(outcome: Outcome) -> int:
    from driftctl_py.core.decision import Apply, Hold, Nothing

    if outcome.error is not None:
        return outcome.error.exit_code
    match outcome.decision:
        case Nothing():
            return 0
        case Apply() | Hold():
            return 2
        case _:
            return 1


def _render(outcome: Outcome, people: People, arguments: argparse.Namespace) -> str:
    if arguments.format == "markdown":
        from driftctl_py.report.run_markdown import render_run_markdown

        return render_run_markdown(outcome.run, outcome.decision, outcome.report, people=people)
    from driftctl_py.report.runs import render_outcome_text

    width, color = for_terminal(arguments)
    return render_outcome_text(
        outcome.run, outcome.decision, outcome.report, people=people, width=width, color=color
    )
