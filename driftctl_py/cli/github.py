"""`driftctl-py github comment`."""

from __future__ import annotations

import argparse

from driftctl_py.cli.options import options_of
from driftctl_py.cli.output import tell


def run_comment(arguments: argparse.Namespace) -> int:
    """Do what the comment of the event asks for; 1 where it was to be done and was not."""
    from driftctl_py.compose.github import obey

    answer = obey(options_of(arguments))
    tell(answer.what)
    return 1 if answer.failed else 0
