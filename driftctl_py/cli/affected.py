"""`driftctl-py affected` and `driftctl-py matrix`."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from driftctl_py import compose
from driftctl_py.cli.interrupt import interruptibly
from driftctl_py.cli.output import tell, write_output
from driftctl_py.cli.progress import PlainProgress
from driftctl_py.compose import affected as wiring

if TYPE_CHECKING:
    from driftctl_py.app.affected import Answer


def run_affected(arguments: argparse.Namespace) -> int:
    """Say which environments a change concerns."""
    from driftctl_py.report.affected import affected_json, affected_names, explain_affected

    answer = _affected(arguments)
    found = answer.affected
    if arguments.format == "json":
        write_output(affected_json(found, base=answer.base), arguments)
    elif arguments.explain:
        write_output(explain_affected(found, base=answer.base), arguments)
    elif found.names:
        write_output(affected_names(found), arguments)
    _tell_unsure(answer)
    return 0


def run_matrix(arguments: argparse.Namespace) -> int:
    """Print the matrix of jobs for the environments that are to be looked at."""
    from driftctl_py.app.estate import select
    from driftctl_py.core.job_matrix import job_matrix
    from driftctl_py.report.affected import matrix_json, matrix_outputs

    chosen: list[str] = arguments.environments
    if not chosen and (arguments.base is not None or arguments.since_applied):
        answer = _affected(arguments)
        names = answer.affected.names
        _tell_unsure(answer)
    else:
        progress = PlainProgress(sys.stderr, verbose=False)
        stop = compose.new_stop()
        options = _options(arguments)
        _, environments = interruptibly(
            lambda: compose.environments(options, progress=progress, stop=stop), stop, progress.say
        )
        names = tuple(each.name for each in select(chosen, environments, complete=True))
    groups = job_matrix(names, wiring.durations(_options(arguments)), jobs=arguments.max_jobs)
    render = matrix_outputs if arguments.format == "github" else matrix_json
    write_output(render(groups), arguments)
    return 0


def _tell_unsure(answer: Answer) -> None:
    if answer.affected.unsure:
        tell(f"warning: {answer.affected.unsure} So all environments are taken for concerned.")
        if not answer.base:
            tell("  Fetch the history: git fetch --unshallow, or fetch-depth: 0 at the checkout")


def _affected(arguments: argparse.Namespace) -> Answer:
    progress = PlainProgress(sys.stderr, verbose=False)
    stop = compose.new_stop()
    options = _options(arguments)
    return interruptibly(
        lambda: wiring.affected(options, arguments.base, stop=stop), stop, progress.say
    )


def _options(arguments: argparse.Namespace) -> compose.Options:
    return compose.Options(
        config=None if arguments.config is None else Path(arguments.config),
        data_dir=None if arguments.data_dir is None else Path(arguments.data_dir),
    )
