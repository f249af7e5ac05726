"""`driftctl-py approve` and `reject`: say yes or no to a plan that waits. Neither applies anything.

Exit codes of `approve`: 0 that was enough, 2 more are needed, 1 it would not count.
"""

from __future__ import annotations

import argparse

from driftctl_py import compose
from driftctl_py.cli.options import options_of, reason_of
from driftctl_py.cli.output import write_output
from driftctl_py.cli.render import for_terminal


def run_approve(arguments: argparse.Namespace) -> int:
    return _say(arguments, yes=True)


def run_reject(arguments: argparse.Namespace) -> int:
    return _say(arguments, yes=False)


def _say(arguments: argparse.Namespace, *, yes: bool) -> int:
    options = options_of(arguments)
    given = compose.approve(
        options, arguments.target, yes=yes, reason=reason_of(arguments), proof=arguments.proof
    )
    facts = (given.approval, given.person, given.standing, given.run)
    if arguments.format == "json":
        from driftctl_py.report.run_document import render_given_json

        text = render_given_json(*facts)
    else:
        from driftctl_py.report.runs import render_given_text

        with compose.history(options) as queries:
            people = queries.people
        width, color = for_terminal(arguments)
        text = render_given_text(*facts, people=people, width=width, color=color)
    write_output(text, arguments)
    return 2 if yes and not given.standing.enough else 0
