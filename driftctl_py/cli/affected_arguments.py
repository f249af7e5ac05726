"""The arguments of `affected` and `matrix`."""

from __future__ import annotations

import argparse

from driftctl_py.cli.arguments import Commands, add_common, add_output, positive

_AFFECTED = """\
Say which environments a change of this repository concerns: by the modules that
they use, the files that those read, their var-files, and driftctl.yaml. What
cannot be told counts as concerned.
"""
_AFFECTED_EPILOG = """\
exit codes: 0 it is told, 1 it cannot be

  driftctl-py affected --base origin/main --explain
  driftctl-py check $(driftctl-py affected --base origin/main)
"""
_MATRIX = """\
Print the matrix of jobs for environments: all of them, those that a change
concerns, or those that are named, whatever changed. Environments share a job
where there would be too many, so that all jobs end at about the same time as far
as earlier runs tell.
"""
_MATRIX_EPILOG = """\
exit codes: 0 it is printed, 1 it cannot be

  driftctl-py matrix --base origin/main --format github >> "$GITHUB_OUTPUT"
"""


def add_affected(commands: Commands) -> None:
    command = commands.add_parser(
        "affected",
        help="say which environments a change of this repository concerns",
        description=_AFFECTED,
        epilog=_AFFECTED_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add_common(command)
    since = command.add_mutually_exclusive_group(required=True)
    since.add_argument(
        "--base", metavar="REF", help="a branch, tag or commit: what changed since HEAD left it"
    )
    _add_since_applied(since)
    command.add_argument(
        "--explain", action="store_true", help="say why, and which files it is about"
    )
    command.add_argument("--format", choices=("text", "json"), default="text")
    add_output(command)


def _add_since_applied(since: argparse._MutuallyExclusiveGroup) -> None:
    since.add_argument(
        "--since-applied",
        action="store_true",
        help="what changed since each environment was last as the code says",
    )


def add_matrix(commands: Commands) -> None:
    command = commands.add_parser(
        "matrix",
        help="print the job matrix of a workflow",
        description=_MATRIX,
        epilog=_MATRIX_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    command.add_argument(
        "environments",
        nargs="*",
        metavar="ENVIRONMENT",
        help="these, whatever changed; default: as the options say, or all",
    )
    add_common(command)
    since = command.add_mutually_exclusive_group()
    since.add_argument("--base", metavar="REF", help="only what changed since then concerns")
    _add_since_applied(since)
    command.add_argument(
        "--max-jobs",
        type=positive,
        default=256,
        metavar="N",
        help="as many jobs at most (default: 256, as many as a matrix may have)",
    )
    command.add_argument(
        "--format",
        choices=("json", "github"),
        default="json",
        help="github: lines for $GITHUB_OUTPUT, with the number of jobs",
    )
    add_output(command)
