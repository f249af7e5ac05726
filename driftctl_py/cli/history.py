"""`driftctl-py runs`, `show` and `status`: what is stored. Nothing is planned for it."""

from __future__ import annotations

import argparse

from driftctl_py import compose
from driftctl_py.cli.options import options_of
from driftctl_py.cli.output import write_output
from driftctl_py.cli.render import for_terminal


def run_runs(arguments: argparse.Namespace) -> int:
    """List runs, the latest first."""
    with compose.history(options_of(arguments)) as queries:
        runs = queries.runs(arguments.environment, limit=arguments.limit, before=arguments.before)
    if arguments.format == "json":
        from driftctl_py.report.run_document import render_runs_json

        text = render_runs_json(runs)
    else:
        from driftctl_py.report.runs import render_runs_text

        width, color = for_terminal(arguments)
        text = render_runs_text(runs, now=compose.now(), width=width, color=color)
    write_output(text, arguments)
    return 0


def run_show(arguments: argparse.Namespace) -> int:
    """Show one run with everything that is kept about it."""
    with compose.history(options_of(arguments)) as queries:
        record, people = queries.run(arguments.run), queries.people
    if arguments.format == "json":
        from driftctl_py.report.run_document import render_record_json

        text = render_record_json(record)
    else:
        from driftctl_py.report.runs import render_record_text

        width, color = for_terminal(arguments)
        text = render_record_text(record, people=people, width=width, color=color)
    write_output(text, arguments)
    return 0


def run_status(arguments: argparse.Namespace) -> int:
    """Show where each environment stands: 0 all in order, 2 somebody has something to do, 1
    something failed, is half done, or is not known."""
    from driftctl_py.report import status as report

    with compose.history(options_of(arguments)) as queries:
        status = queries.status(arguments.environments)
    if arguments.format == "json":
        from driftctl_py.report.run_document import render_status_json

        text = render_status_json(status)
    else:
        width, color = for_terminal(arguments)
        text = report.render_status_text(status, width=width, color=color)
    write_output(text, arguments)
    return report.exit_code(status)
