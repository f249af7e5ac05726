"""The arguments of `report`, and ``--results``, by which other commands leave what it reads."""

from __future__ import annotations

import argparse

from driftctl_py.cli.arguments import Commands, add_common, add_output

_KINDS = ("comment", "checks", "statuses", "labels", "issues", "summary")
_REPORT = """\
Put together what the jobs of one run left with --results: one report over all
environments, one comment, one exit code. Of an environment that was looked at
twice the newer result counts; one that was expected and is not there has failed.
"""
_EPILOG = """\
exit codes: 0 all in sync, 2 something was found, 1 anything failed, is unknown,
refused, missing or could not be published; --fail-on makes less of them fail

  driftctl-py report results --expect matrix.json --publish comment,checks,summary
  driftctl-py report results --format junit --output report.xml

In GitHub Actions it also sets outputs of its step: status, exit_code, drifted,
pending, failed, held, refused, destroys, comment_url and others.
"""


def add_report(commands: Commands) -> None:
    command = commands.add_parser(
        "report",
        help="put the results of many jobs together, and publish them",
        description=_REPORT,
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    command.add_argument(
        "directories", nargs="+", metavar="DIR", help="where results lie, at any depth"
    )
    command.add_argument(
        "--expect",
        metavar="FILE",
        help="what `driftctl-py matrix` printed: of these environments a result must be there; "
        "- is standard input",
    )
    command.add_argument(
        "--attempt",
        type=int,
        default=0,
        metavar="N",
        help="all jobs were begun in this attempt of the run: who left a result in an earlier one "
        "alone died since",
    )
    command.add_argument(
        "--format", choices=("text", "markdown", "json", "junit", "sarif"), default="text"
    )
    add_output(command)
    command.add_argument(
        "--publish",
        type=_kinds,
        default=(),
        metavar="WHAT[,WHAT…]",
        help=f"on GitHub, as whom GITHUB_TOKEN says: {', '.join(_KINDS)}",
    )
    command.add_argument(
        "--scope",
        default="",
        metavar="NAME",
        help="where several workflows report on one repository, a name for each",
    )
    command.add_argument(
        "--artifact-url", default="", metavar="URL", help="where all of the report can be read"
    )
    command.add_argument(
        "--fail-on",
        choices=("findings", "failed", "never"),
        default="findings",
        help="what ends with another exit code than 0: findings, too (the default); only what "
        "failed; nothing",
    )
    add_common(command)


def add_results(command: argparse.ArgumentParser) -> None:
    """For a command that looks at environments."""
    command.add_argument(
        "--results",
        metavar="DIR",
        help="leave a file for each environment there, for `driftctl-py report`",
    )


def _kinds(text: str) -> tuple[str, ...]:
    chosen = [each.strip() for each in text.split(",")]
    unknown = [each for each in chosen if each not in _KINDS]
    if unknown:
        raise argparse.ArgumentTypeError(
            f"unknown: {', '.join(unknown)} (known: {', '.join(_KINDS)})"
        )
    return tuple(dict.fromkeys(chosen))
