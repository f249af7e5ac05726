"""`driftctl-py plan`, and what every command that makes a run shows of it."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING

from driftctl_py import compose
from driftctl_py.cli.interrupt import interruptibly
from driftctl_py.cli.options import options_of
from driftctl_py.cli.output import tell, write_output
from driftctl_py.cli.progress import LiveProgress, PlainProgress, watching
from driftctl_py.cli.render import for_terminal
from driftctl_py.cli.results import keeping
from driftctl_py.core.result import Occasion
from driftctl_py.core.run import State

if TYPE_CHECKING:
    from driftctl_py.app.reconcile import Outcome

_EXIT_CODES = {
    State.IN_SYNC: 0,
    State.APPLIED: 0,
    State.ALLOWED: 2,
    State.HELD: 2,
    State.NOT_CONVERGED: 2,
    State.INTERRUPTED: 130,
}


def run_plan(arguments: argparse.Namespace) -> int:
    """Plan, show it with the decision, and keep it: 0 nothing to apply, 2 something that is
    allowed or held, 1 refused or failed."""
    options = options_of(arguments)
    return make_run(
        arguments,
        "planning",
        lambda progress, stop: compose.plan(
            options, arguments.environment, progress=progress, stop=stop
        ),
        # Nothing is applied: it says what would be.
        occasion=Occasion.REVIEW,
    )


def make_run(
    arguments: argparse.Namespace,
    doing: str,
    work: Callable[[PlainProgress | LiveProgress, compose.Stop], Outcome],
    *,
    occasion: Occasion = Occasion.APPLY,
) -> int:
    """Make a run, watched; show what it came to, and return its exit code."""
    stop = compose.new_stop()
    began = compose.now()
    with keeping(arguments, occasion, [arguments.environment]) as keep:
        with watching(sys.stderr, verbose=arguments.verbose, doing=doing) as progress:
            outcome = interruptibly(
                lambda: work(progress, stop), stop, progress.say, applying=progress.applying
            )
        took = (compose.now() - began).total_seconds()
        for warning in outcome.warnings:
            tell(f"warning: {warning}")
        code = exit_code(outcome)
        try:
            if outcome.error is None or arguments.format == "json":
                write_output(_render(outcome, arguments, code, took), arguments)
        finally:
            # What was applied is told here and there, whichever of the two has no room for it.
            keep.outcome(outcome)
    if outcome.error is not None:
        _tell_error(outcome)
    return code


def exit_code(outcome: Outcome) -> int:
    """0: nothing is left to do. 2: somebody has something to do. 1: refused, failed, half done,
    or not known."""
    if outcome.error is not None:
        return outcome.error.exit_code
    if outcome.run.state is State.APPLIED and outcome.run.todo:
        return 2
    return _EXIT_CODES.get(outcome.run.state, 1)


def _render(outcome: Outcome, arguments: argparse.Namespace, code: int, took: float) -> str:
    with compose.history(options_of(arguments)) as queries:
        people, healed = queries.people, queries.healed(outcome.run)
    if arguments.format == "json":
        from driftctl_py.report.run_document import render_outcome_json

        return render_outcome_json(
            outcome.run,
            outcome.decision,
            outcome.report,
            before=outcome.before,
            again=outcome.again,
            healed=healed,
            error=outcome.error,
            warnings=outcome.warnings,
            exit_code=code,
        )
    if arguments.format == "markdown":
        from driftctl_py.report.run_markdown import render_run_markdown

        return render_run_markdown(
            outcome.run,
            outcome.decision,
            outcome.report,
            before=outcome.before,
            again=outcome.again,
            healed=healed,
            people=people,
            took_seconds=took,
        )
    from driftctl_py.report.runs import render_outcome_text

    width, color = for_terminal(arguments)
    return render_outcome_text(
        outcome.run,
        outcome.decision,
        outcome.report,
        before=outcome.before,
        again=outcome.again,
        healed=healed,
        people=people,
        took_seconds=took,
        width=width,
        color=color,
    )


def _tell_error(outcome: Outcome) -> None:
    from driftctl_py.cli.main import print_error

    assert outcome.error is not None  # noqa: S101 - asked by the one who calls
    print_error(outcome.error)
    tell(f"  It is kept as a run: driftctl-py show {outcome.run.id}")
