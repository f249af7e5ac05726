"""`driftctl-py audit`: is the trail what it was, and what is in it."""

from __future__ import annotations

import argparse
from itertools import islice

from driftctl_py import compose
from driftctl_py.cli.options import options_of
from driftctl_py.cli.output import write_output
from driftctl_py.cli.render import for_terminal

_AT_ONCE = 1000


def run_audit(arguments: argparse.Namespace) -> int:
    return _verify(arguments) if arguments.action == "verify" else _export(arguments)


def _verify(arguments: argparse.Namespace) -> int:
    """0 it is sound, 1 it is not what it was."""
    from driftctl_py.report.audit_text import render_trail_json, render_trail_text

    with compose.history(options_of(arguments)) as queries:
        trail = queries.audit_verify()
    if arguments.format == "json":
        text = render_trail_json(trail)
    else:
        width, color = for_terminal(arguments)
        text = render_trail_text(trail, width=width, color=color)
    write_output(text, arguments)
    return 1 if trail.flaws else 0


def _export(arguments: argparse.Namespace) -> int:
    from driftctl_py.report.audit_text import entry_line

    with compose.history(options_of(arguments)) as queries:
        lines = map(entry_line, queries.audit_entries())
        if arguments.output is not None:
            # A file is written whole or not at all.
            write_output("\n".join(lines), arguments)
            return 0
        # A trail of years need not fit into memory.
        while some := list(islice(lines, _AT_ONCE)):
            write_output("\n".join(some), arguments)
    return 0
