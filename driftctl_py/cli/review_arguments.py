"""The arguments of `review`."""

from __future__ import annotations

import argparse

from driftctl_py.cli.arguments import Commands, add_common, add_output, add_verbose, positive
from driftctl_py.cli.report_arguments import add_results

_REVIEW = """\
Say what merging would do: plan each environment as it lies here, without its
state lock, and hold it against rules, policies and limits. Whose word counts is
the driftctl.yaml of the base; of the one that lies here only is heard which
environments there are, where their code lies, and their variables. Nothing is
kept that could be applied, but `apply --require-plan` applies only what a
review showed.
"""
_REVIEW_EPILOG = """\
exit codes: 0 nothing would be applied, 2 there is something (allowed or held),
1 refused, failed or unknown, 130 interrupted

  driftctl-py review --base origin/main
  driftctl-py review $(driftctl-py affected --base origin/main) --base origin/main
"""


def add_review(commands: Commands) -> None:
    command = commands.add_parser(
        "review",
        help="say what merging would do, and what the base's rules say of it",
        description=_REVIEW,
        epilog=_REVIEW_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    command.add_argument("environments", nargs="*", metavar="ENVIRONMENT", help="default: all")
    add_common(command)
    command.add_argument(
        "--base",
        required=True,
        metavar="REF",
        help="what it goes into: a branch, tag or commit, whose driftctl.yaml counts",
    )
    command.add_argument(
        "-j", "--jobs", type=positive, metavar="N", help="plans at once (default: the processors)"
    )
    command.add_argument("--format", choices=("text", "markdown"), default="text")
    add_output(command)
    add_results(command)
    add_verbose(command)
