"""The command line: words in, exit code out. Exit codes are the engine's own: 0, 1 error,
2 findings; 130 interrupted. Each command is one short function in a module of its own, imported
only when it is called, so that ``--help`` stays instant.
"""

from __future__ import annotations

import argparse
import atexit
import gc
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING

from driftctl_py import __version__
from driftctl_py.cli.arguments import (
    Commands,
    Parser,
    add_common,
    add_output,
    add_verbose,
    positive,
)
from driftctl_py.cli.report_arguments import add_results
from driftctl_py.demo import add_arguments

if TYPE_CHECKING:
    from driftctl_py.errors import DriftctlError

_EPILOG = """\
exit codes: 0 all in sync, 2 something was found, 1 anything failed or is unknown,
130 interrupted
"""

_RENDER_EPILOG = """\
exit codes: 0 it was shown, 1 it could not be read, 130 interrupted; with
--detailed-exitcode also 2 something drifted or is pending, 1 incomplete

  terraform show -json plan.out | driftctl-py render
  driftctl-py render plan.out --format markdown --view summary
"""
_PLAN_FORMATS = ("text", "markdown", "json", "html", "junit", "sarif", "github")


def parser(only: str | None = None) -> Parser:
    """The whole command line, or as much of it as one command needs: to define all of them takes
    longer than to read a small plan."""
    top = Parser(
        prog="driftctl-py",
        description="Tells drift (somebody changed the cloud) from pending changes (a commit that\n"
        "is not applied yet), for Terraform and OpenTofu.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    top.add_argument("--version", action="version", version=f"driftctl-py {__version__}")
    # With prog given it need not lay out a usage to find it, which takes a tenth of --version.
    commands = top.add_subparsers(
        title="commands", metavar="COMMAND", dest="command", prog=top.prog
    )
    for name in [only] if only in _COMMANDS else _COMMANDS:
        _COMMANDS[name](commands)
    return top


def _add_check(commands: Commands) -> None:
    command = commands.add_parser(
        "check",
        help="compare environments with what Git says; changes nothing",
        description="Plan every environment, or the named ones, without taking a lock or changing\n"
        "anything, and report what drifted and what is not applied yet.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    command.add_argument("environments", nargs="*", metavar="ENVIRONMENT", help="default: all")
    add_common(command)
    command.add_argument(
        "-j", "--jobs", type=positive, metavar="N", help="plans at once (default: the processors)"
    )
    command.add_argument("--format", choices=("text", "json", "markdown"), default="text")
    add_output(command)
    add_results(command)
    command.add_argument(
        "--strict",
        action=argparse.BooleanOptionalAction,
        default=None,
        help="count equivalent spellings (null against {}) as drift",
    )
    add_verbose(command)


def _add_render(commands: Commands) -> None:
    command = commands.add_parser(
        "render",
        help="show one plan: what changes, where it comes from, what it destroys",
        description="Read the JSON of a plan (show -json) or a saved plan file, of Terraform 0.15\n"
        "or later or of OpenTofu, and show it. No secret in it is ever shown. Nothing is\n"
        "planned or applied; a saved plan is read by the engine that made it. For one, each\n"
        "engine found is asked its version once, by a `plan` in an empty directory; it reads\n"
        "no configuration and changes nothing.",
        epilog=_RENDER_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    command.add_argument(
        "file",
        nargs="?",
        metavar="FILE",
        help="a plan; - or nothing: standard input",
    )
    command.add_argument("--format", choices=_PLAN_FORMATS, default="text")
    command.add_argument(
        "--view",
        choices=("summary", "changes", "full"),
        default="changes",
        help="one line for each object; with attributes (the default); with everything, uncut",
    )
    add_output(command)
    command.add_argument(
        "--strict",
        action=argparse.BooleanOptionalAction,
        default=None,
        help="count equivalent spellings (null against {}) as drift",
    )
    command.add_argument("--name", metavar="NAME", help="what to call the plan (default: FILE)")
    command.add_argument(
        "--fingerprint",
        action="store_true",
        help="print only the digest of what the plan means; DRIFTCTL_FINGERPRINT_KEY keys it",
    )
    command.add_argument(
        "--detailed-exitcode",
        action="store_true",
        help="exit with 2 when something drifted or is pending, with 1 when the plan is incomplete",
    )
    _add_reading(command)


def _add_diff(commands: Commands) -> None:
    command = commands.add_parser(
        "diff",
        help="say how two plans differ in what they would do",
        description="Compare what two plans mean; their order, their moment and their provider's "
        "spelling do not count. Each is a plan's JSON or a saved plan file.",
        epilog="exit codes: 0 the same, 2 different, 1 a plan could not be read, 130 interrupted",
    )
    command.add_argument("a", metavar="PLAN_A", help="the earlier one; - is standard input")
    command.add_argument("b", metavar="PLAN_B", help="the later one; - is standard input")
    command.add_argument("--format", choices=("text", "markdown", "json"), default="text")
    add_output(command)
    _add_reading(command)


def _add_reading(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--config",
        metavar="FILE",
        help="what to hide, and strict (default: driftctl.yaml here or above, if there is one)",
    )
    saved = command.add_argument_group("for a saved plan file")
    saved.add_argument(
        "--chdir", metavar="DIR", help="where it was planned: its providers are there (default: .)"
    )
    saved.add_argument(
        "--engine",
        metavar="PROGRAM",
        help="what reads it: terraform, tofu, embedded or a path (default: the version that made "
        "it)",
    )


def _add_config(commands: Commands) -> None:
    command = commands.add_parser("config", help="validate, show or describe driftctl.yaml")
    actions = command.add_subparsers(
        title="commands", metavar="COMMAND", dest="action", prog=command.prog
    )
    actions.required = True
    check = actions.add_parser("check", help="validate it and say everything that is wrong")
    add_common(check)
    show = actions.add_parser("show", help="print it with globs expanded and defaults filled in")
    add_common(show)
    show.add_argument("--format", choices=("yaml", "json"), default="yaml")
    actions.add_parser("schema", help="print its JSON Schema, for editors")


def _add_policy(commands: Commands) -> None:
    # They are many, and of no use to whoever only checks.
    from driftctl_py.cli.policy_arguments import add_policy

    add_policy(commands)


def _add_github(commands: Commands) -> None:
    command = commands.add_parser("github", help="what only a workflow of GitHub Actions asks for")
    actions = command.add_subparsers(
        title="commands", metavar="COMMAND", dest="action", prog=command.prog
    )
    actions.required = True
    comment = actions.add_parser(
        "comment",
        help="do what the comment asks for that started this workflow",
        description="Read the comment of an issue_comment event, and do what it asks for\n"
        "(/driftctl help lists what can be asked), if its author may write to the repository.",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add_common(comment)


def _add_init(commands: Commands) -> None:
    command = commands.add_parser(
        "init",
        help="write a commented driftctl.yaml for the repository you stand in, or workflows",
        description="Write a commented driftctl.yaml for the repository that you stand in; with\n"
        "--github, workflows for GitHub Actions that plan pull requests, look for drift and\n"
        "apply what was merged, with the action that they share. Nothing is overwritten.",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    command.add_argument("--stdout", action="store_true", help="print it instead of writing it")
    github = command.add_argument_group("workflows for GitHub Actions")
    github.add_argument("--github", action="store_true", help="write these")
    github.add_argument(
        "--config", metavar="FILE", help="the configuration (default: driftctl.yaml here or above)"
    )
    github.add_argument(
        "--branch", metavar="NAME", help="what is applied (default: the branch checked out here)"
    )
    github.add_argument(
        "--engine",
        choices=("terraform", "opentofu", "embedded"),
        help="default: as driftctl.yaml says, else the one that is installed here",
    )
    github.add_argument(
        "--install",
        metavar="REQUIREMENT",
        help="what pip installs in a job (default: this version's release)",
    )
    github.add_argument(
        "--engine-version", metavar="VERSION", help="default: the one that is installed here"
    )


def _add_demo(commands: Commands) -> None:
    command = commands.add_parser(
        "demo",
        help="watch it find drift in a cloud in a folder; needs no account",
        description="Build three environments with a local cloud and a local S3, change two "
        "resources behind Terraform's back, and run the same check that users run.",
    )
    add_arguments(command)


def _add_completion(commands: Commands) -> None:
    command = commands.add_parser("completion", help="print a completion script for a shell")
    command.add_argument("shell", choices=("bash", "zsh", "tcsh"))


def _add_applying(name: str, commands: Commands) -> None:
    # They are many, and of no use to whoever only checks.
    from driftctl_py.cli import applying_arguments

    applying_arguments.ADD[name](commands)


def _add_review(commands: Commands) -> None:
    from driftctl_py.cli.review_arguments import add_review

    add_review(commands)


def _add_affected(commands: Commands) -> None:
    from driftctl_py.cli.affected_arguments import add_affected

    add_affected(commands)


def _add_matrix(commands: Commands) -> None:
    from driftctl_py.cli.affected_arguments import add_matrix

    add_matrix(commands)


def _add_report(commands: Commands) -> None:
    from driftctl_py.cli.report_arguments import add_report

    add_report(commands)


# In the order in which --help lists them.
_COMMANDS: dict[str, Callable[[Commands], None]] = {
    "check": _add_check,
    "review": _add_review,
    "plan": partial(_add_applying, "plan"),
    "apply": partial(_add_applying, "apply"),
    "approve": partial(_add_applying, "approve"),
    "reject": partial(_add_applying, "reject"),
    "status": partial(_add_applying, "status"),
    "runs": partial(_add_applying, "runs"),
    "show": partial(_add_applying, "show"),
    "accept": partial(_add_applying, "accept"),
    "rollback": partial(_add_applying, "rollback"),
    "release": partial(_add_applying, "release"),
    "suspend": partial(_add_applying, "suspend"),
    "resume": partial(_add_applying, "resume"),
    "unblock": partial(_add_applying, "unblock"),
    "freeze": partial(_add_applying, "freeze"),
    "thaw": partial(_add_applying, "thaw"),
    "controller": partial(_add_applying, "controller"),
    "audit": partial(_add_applying, "audit"),
    "key": partial(_add_applying, "key"),
    "render": _add_render,
    "diff": _add_diff,
    "affected": _add_affected,
    "matrix": _add_matrix,
    "report": _add_report,
    "policy": _add_policy,
    "github": _add_github,
    "config": _add_config,
    "init": _add_init,
    "demo": _add_demo,
    "completion": _add_completion,
}


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command and return its exit code. Without ``argv`` it is this process's own, which
    ends with it."""
    if argv is None:
        argv = sys.argv[1:]
        _spare_collecting(argv)
    top = parser(argv[0] if argv else None)
    arguments = top.parse_args(argv)
    # Not at the top: `--help` and `--version` end above, and dataclasses are a fifth of their time.
    from driftctl_py.errors import DriftctlError

    try:
        return _run(top, arguments)
    except DriftctlError as error:
        print_error(error)
        return error.exit_code
    except KeyboardInterrupt:
        print("interrupted; nothing was changed", file=sys.stderr)  # noqa: T201 - what it is for
        return 130
    except BrokenPipeError:
        # The reader of our output went away (`| head`); nobody is left to tell.
        sys.stderr.close()
        return 1


def _spare_collecting(argv: Sequence[str]) -> None:
    """What Python's collector of cycles does is a tenth of the time that a plan takes: looking
    through what was decoded, and once more through everything when the process ends."""
    if argv and argv[0] in ("render", "diff"):
        gc.disable()
    atexit.register(gc.freeze)


def _run(top: argparse.ArgumentParser, arguments: argparse.Namespace) -> int:
    match arguments.command:
        case "check":
            from driftctl_py.cli.check import run_check

            return run_check(arguments)
        case "render":
            from driftctl_py.cli.render import run_render

            return run_render(arguments)
        case "diff":
            from driftctl_py.cli.diff import run_diff

            return run_diff(arguments)
        case "review":
            from driftctl_py.cli.review import run_review

            return run_review(arguments)
        case "plan":
            from driftctl_py.cli.plan import run_plan

            return run_plan(arguments)
        case "apply":
            from driftctl_py.cli.apply import run_apply

            return run_apply(arguments)
        case "approve":
            from driftctl_py.cli.approvals import run_approve

            return run_approve(arguments)
        case "reject":
            from driftctl_py.cli.approvals import run_reject

            return run_reject(arguments)
        case "status":
            from driftctl_py.cli.history import run_status

            return run_status(arguments)
        case "runs":
            from driftctl_py.cli.history import run_runs

            return run_runs(arguments)
        case "show":
            from driftctl_py.cli.history import run_show

            return run_show(arguments)
        case "accept":
            from driftctl_py.cli.apply import run_accept

            return run_accept(arguments)
        case "rollback":
            from driftctl_py.cli.apply import run_rollback

            return run_rollback(arguments)
        case "release":
            from driftctl_py.cli.holding import run_release

            return run_release(arguments)
        case "suspend":
            from driftctl_py.cli.holding import run_suspend

            return run_suspend(arguments)
        case "resume":
            from driftctl_py.cli.holding import run_resume

            return run_resume(arguments)
        case "unblock":
            from driftctl_py.cli.holding import run_unblock

            return run_unblock(arguments)
        case "freeze":
            from driftctl_py.cli.holding import run_freeze

            return run_freeze(arguments)
        case "thaw":
            from driftctl_py.cli.holding import run_thaw

            return run_thaw(arguments)
        case "controller":
            from driftctl_py.cli.controller import run_controller

            return run_controller(arguments)
        case "audit":
            from driftctl_py.cli.audit import run_audit

            return run_audit(arguments)
        case "key":
            from driftctl_py.cli.holding import run_key

            return run_key(arguments)
        case "affected":
            from driftctl_py.cli.affected import run_affected

            return run_affected(arguments)
        case "matrix":
            from driftctl_py.cli.affected import run_matrix

            return run_matrix(arguments)
        case "report":
            from driftctl_py.cli.report import run_report

            return run_report(arguments)
        case "policy":
            from driftctl_py.cli.policy import run_policy

            return run_policy(arguments)
        case "github":
            from driftctl_py.cli.github import run_comment

            return run_comment(arguments)
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

            print(shtab.complete(parser(), shell=arguments.shell))  # noqa: T201 - what it is for
            return 0
        case _:
            top.print_help()
            return 0


def print_error(error: DriftctlError) -> None:
    """One error for a person: what happened, the engine's own words, what to do."""
    from driftctl_py.errors import EngineError
    from driftctl_py.report.show import clean, no_commands

    lines = [f"error: {error.what}"]
    if isinstance(error, EngineError):
        lines.extend(
            f"  {item.summary} {item.where}".rstrip()
            for item in error.diagnostics
            # What one said is in the first sentence mostly, and is not told twice without a place.
            if item.where or item.summary.rstrip(".") not in error.what
        )
    if error.todo:
        lines.append(f"  {error.todo}")
    if sys.stderr is None:  # closed by whoever started us
        return
    # A file's name, or a provider, may hold what a terminal would obey, or what runs a job.
    said = no_commands("\n".join(clean(line) for text in lines for line in text.split("\n")))
    # ValueError: it was closed since. Whoever cannot hear it still gets the exit code.
    with suppress(OSError, ValueError):
        print(said, file=sys.stderr)  # noqa: T201 - what it is for
