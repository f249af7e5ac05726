"""The command line: words in, exit code out. Exit codes are the engine's own: 0, 1 error,
2 findings; 130 interrupted. Each command is one short function in a module of its own, imported
only when it is called, so that ``--help`` stays instant.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, NoReturn

from driftctl_py import __version__
from driftctl_py.demo import add_arguments

if TYPE_CHECKING:
    from driftctl_py.errors import DriftctlError

_EPILOG = """\
exit codes: 0 all in sync, 2 something was found, 1 anything failed or is unknown,
130 interrupted
"""


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        # argparse's own 2 would read as drift.
        self.print_usage(sys.stderr)
        self.exit(1, f"error: {message}\n")


def parser() -> _Parser:
    """The whole command line, for `main` and for shell completion."""
    top = _Parser(
        prog="driftctl-py",
        description="Tells drift (somebody changed the cloud) from pending changes (a commit that "
        "is not applied yet), for Terraform and OpenTofu.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    top.add_argument("--version", action="version", version=f"driftctl-py {__version__}")
    commands = top.add_subparsers(title="commands", metavar="COMMAND", dest="command")
    _add_check(commands)
    _add_config(commands)
    _add_init(commands)
    _add_demo(commands)
    completion = commands.add_parser("completion", help="print a completion script for a shell")
    completion.add_argument("shell", choices=("bash", "zsh", "tcsh"))
    return top


def _add_check(commands: argparse._SubParsersAction[_Parser]) -> None:
    command = commands.add_parser(
        "check",
        help="compare environments with what Git says; changes nothing",
        description="Plan every environment, or the named ones, without taking a lock or changing "
        "anything, and report what drifted and what is not applied yet.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    command.add_argument("environments", nargs="*", metavar="ENVIRONMENT", help="default: all")
    _add_common(command)
    command.add_argument(
        "-j", "--jobs", type=_positive, metavar="N", help="plans at once (default: the processors)"
    )
    command.add_argument("--format", choices=("text", "json", "markdown"), default="text")
    command.add_argument("-o", "--output", metavar="FILE", help="write the report there")
    command.add_argument(
        "--strict",
        action=argparse.BooleanOptionalAction,
        default=None,
        help="count equivalent spellings (null against {}) as drift",
    )
    command.add_argument(
        "-v", "--verbose", action="store_true", help="say on standard error what is chosen and why"
    )


def _add_config(commands: argparse._SubParsersAction[_Parser]) -> None:
    command = commands.add_parser("config", help="validate, show or describe driftctl.yaml")
    actions = command.add_subparsers(title="commands", metavar="COMMAND", dest="action")
    actions.required = True
    check = actions.add_parser("check", help="validate it and say everything that is wrong")
    _add_common(check)
    show = actions.add_parser("show", help="print it with globs expanded and defaults filled in")
    _add_common(show)
    show.add_argument("--format", choices=("yaml", "json"), default="yaml")
    actions.add_parser("schema", help="print its JSON Schema, for editors")


def _add_init(commands: argparse._SubParsersAction[_Parser]) -> None:
    command = commands.add_parser(
        "init", help="write a commented driftctl.yaml for the repository you stand in"
    )
    command.add_argument("--stdout", action="store_true", help="print it instead of writing it")


def _add_demo(commands: argparse._SubParsersAction[_Parser]) -> None:
    command = commands.add_parser(
        "demo",
        help="watch it find drift in a cloud in a folder; needs no account",
        description="Build three environments with a local cloud and a local S3, change two "
        "resources behind Terraform's back, and run the same check that users run.",
    )
    add_arguments(command)


def _add_common(command: argparse.ArgumentParser) -> None:
    command.add_argument("--config", metavar="FILE", help="default: driftctl.yaml here or above")
    command.add_argument("--data-dir", metavar="DIR", help="where checkouts and plugins are kept")


def _positive(text: str) -> int:
    value = int(text)
    if value < 1:
        raise ValueError
    return value


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command and return its exit code."""
    top = parser()
    arguments = top.parse_args(argv)
    # Not at the top: `--help` and `--version` end above, and dataclasses are a fifth of their time.
    from driftctl_py.errors import DriftctlError

    try:
        return _run(top, arguments)
    except DriftctlError as error:
        print_error(error)
        return error.exit_code
    except KeyboardInterrupt:
        print("interrupted; nothing was changed", file=sys.stderr)  # noqa: T201
        return 130
    except BrokenPipeError:
        # The reader of our output went away (`| head`); nobody is left to tell.
        sys.stderr.close()
        return 1


def _run(top: argparse.ArgumentParser, arguments: argparse.Namespace) -> int:
    match arguments.command:
        case "check":
            from driftctl_py.cli.check import run_check

            return run_check(arguments)
        case "config":
            from driftctl_py.cli.config import run_config

            return run_config(arguments)
        case "init":
            from driftctl_py.cli.init import run_init

            return run_init(arguments)
        case "demo":
            from driftctl_py.compose import environ
            from driftctl_py.demo import run

            return run(arguments, out=sys.stdout, environ=environ(), check=main)
        case "completion":
            import shtab

            print(shtab.complete(top, shell=arguments.shell))  # noqa: T201
            return 0
        case _:
            top.print_help()
            return 0


def print_error(error: DriftctlError) -> None:
    """One error for a person: what happened, the engine's own words, what to do."""
    from driftctl_py.errors import EngineError

    lines = [f"error: {error.what}"]
    if isinstance(error, EngineError):
        lines.extend(f"  {item.summary} {item.where}".rstrip() for item in error.diagnostics)
    if error.todo:
        lines.append(f"  {error.todo}")
    print("\n".join(lines), file=sys.stderr)  # noqa: T201
