"""``driftctl-py demo``: a cloud in a folder, and two people who change it behind Git's back.

One command from nothing to a drift report, with no account, no registry and no engine installed:
the provider, the S3 and the Git repository are real and live in one directory. The check is not
the demo's: it is handed in, and it is the one that users run. Nothing heavy is imported before
it is known that the demo runs, since the command line's ``--help`` passes through here, and so
does every start of the provider.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

if TYPE_CHECKING:
    import argparse

# The command line's own entry: arguments in, exit code out.
Check = Callable[[Sequence[str]], int]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What ``driftctl-py demo`` takes."""
    parser.add_argument(
        "--engine",
        default="embedded",
        metavar="ENGINE",
        help="embedded, terraform, tofu or the path of a program (default: %(default)s)",
    )
    what = parser.add_mutually_exclusive_group()
    what.add_argument(
        "--keep", type=Path, metavar="DIR", help="build the playground in DIR and leave it there"
    )
    what.add_argument(
        "--start", type=Path, metavar="DIR", help="start the local S3 of a kept playground again"
    )
    what.add_argument(
        "--stop", type=Path, metavar="DIR", help="stop the local S3 of a kept playground"
    )


def run(given: argparse.Namespace, *, out: TextIO, environ: Mapping[str, str], check: Check) -> int:
    """Do what the arguments of `add_arguments` say; the exit code."""
    # Imported here: see the module's docstring.
    from driftctl_py.demo import story

    if given.start is not None:
        return story.start_again(given.start, out=out, environ=environ)
    if given.stop is not None:
        return story.stop(given.stop, out=out)
    return story.run_demo(
        keep=given.keep, engine=given.engine, out=out, environ=environ, check=check
    )
