"""The words of the commands that plan to apply, approve, apply, and remember.

Apart from the others, so that a check does not pay for them.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable

from driftctl_py.cli.arguments import (
    Commands,
    Parser,
    add_common,
    add_output,
    add_verbose,
    positive,
)
from driftctl_py.cli.report_arguments import add_results


def _add_plan(commands: Commands) -> None:
    command = _add_run(
        commands,
        "plan",
        "make a plan that can be applied, show it, and say whether it may be",
        "Plan an environment under its state lock and keep the plan: what it means, what\n"
        "governs it, and whether it may be applied or who has to say yes. Applies nothing.",
        "exit codes: 0 nothing to apply, 2 there is something (allowed or held), 1 refused or\n"
        "failed, 130 interrupted",
    )
    command.add_argument("--format", choices=("text", "json", "markdown"), default="text")
    add_results(command)


def _add_apply(commands: Commands) -> None:
    command = _add_run(
        commands,
        "apply",
        "apply the plan that waits, exactly, or make one where none does",
        "Apply exactly the saved plan that waits, if it is allowed or approved by now; where\n"
        "none waits, plan and apply what is allowed. Where the state moved, it plans again and\n"
        "goes on only when the new plan means the same.",
        _APPLY_EPILOG,
    )
    command.add_argument("--run", metavar="RUN", help="the plan of that run, and no other")
    command.add_argument(
        "--require-plan", action="store_true", help="apply nothing but what a review showed"
    )
    command.add_argument("--format", choices=("text", "json", "markdown"), default="text")
    add_results(command)


def _add_accept(commands: Commands) -> None:
    command = _add_run(
        commands,
        "accept",
        "record drift that apply leaves as it is",
        "Make a refresh-only plan, which records in the state what is really there and changes\n"
        "no object; it goes through the same decision and approval.",
        _APPLY_EPILOG,
    )
    _add_reason(command)
    command.add_argument("--format", choices=("text", "json", "markdown"), default="text")


def _add_rollback(commands: Commands) -> None:
    command = _add_run(
        commands,
        "rollback",
        "go back to an earlier commit, and stay there",
        "Pin an environment at an earlier commit of its history, and plan or apply it there, as\n"
        "its switches say. It stays pinned until it is released.",
        _APPLY_EPILOG,
    )
    command.add_argument("--to", metavar="COMMIT", required=True, help="where to go back to")
    _add_reason(command)
    command.add_argument("--format", choices=("text", "json", "markdown"), default="text")


def _add_approve(commands: Commands) -> None:
    _add_say(
        commands,
        "approve",
        "say yes to a plan that waits",
        "Say yes to the plan of an environment that waits: to what it means, not to a file or a\n"
        "commit. Applies nothing.",
        "exit codes: 0 that was enough, 2 more must approve, 1 it would not count",
    )


def _add_reject(commands: Commands) -> None:
    _add_say(
        commands,
        "reject",
        "say no to a plan that waits",
        "Say no to the plan of an environment that waits. It outranks every yes.",
        "exit codes: 0 it was rejected, 1 it would not count",
    )


def _add_runs(commands: Commands) -> None:
    command = commands.add_parser(
        "runs",
        help="list what was planned and applied",
        description="List the runs that are stored, the latest first.",
        epilog="exit codes: 0 listed, 1 it could not be read",
    )
    command.add_argument("environment", nargs="?", metavar="ENVIRONMENT", help="default: all")
    command.add_argument(
        "--limit", type=positive, default=20, metavar="N", help="how many (default: 20)"
    )
    command.add_argument("--before", metavar="RUN", help="those that were made before that one")
    _add_stored(command)


def _add_show(commands: Commands) -> None:
    command = commands.add_parser(
        "show",
        help="show one run: its plan, its decision, who approved it, what it did",
        description="Show one run with everything that is kept about it.",
        epilog="exit codes: 0 shown, 1 it could not be read",
    )
    command.add_argument(
        "run", metavar="RUN", help="a run, or the beginning of its id; or an environment's last"
    )
    _add_stored(command)


def _add_status(commands: Commands) -> None:
    command = commands.add_parser(
        "status",
        help="show where each environment stands, from what is stored",
        description="Show all environments in one table: the last run, what it found, and what it\n"
        "wants of people. Nothing is planned for it.",
        epilog="exit codes: 0 all in order, 2 somebody has something to do, 1 something failed,\n"
        "is half done, or is not known",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    command.add_argument("environments", nargs="*", metavar="ENVIRONMENT", help="default: all")
    _add_stored(command)


def _add_audit(commands: Commands) -> None:
    command = commands.add_parser("audit", help="verify or export the audit trail")
    actions = command.add_subparsers(
        title="commands", metavar="COMMAND", dest="action", prog=command.prog
    )
    actions.required = True
    verify = actions.add_parser(
        "verify",
        help="find any edit, gap or cut in it",
        epilog="exit codes: 0 it is sound, 1 it is not what it was, or could not be read",
    )
    _add_stored(verify)
    export = actions.add_parser("export", help="print it as JSON, one entry on each line")
    add_common(export)
    add_output(export)


def _add_suspend(commands: Commands) -> None:
    command = _add_hold(commands, "suspend", "apply nothing there for a while; it is still planned")
    command.add_argument(
        "--until", metavar="WHEN", help="2h, 3d, or a moment (default: until it is resumed)"
    )


def _add_resume(commands: Commands) -> None:
    _add_hold(commands, "resume", "end a suspension")


def _add_freeze(commands: Commands) -> None:
    command = commands.add_parser(
        "freeze",
        help="apply nothing anywhere for a while; plans are still made and approved",
        description="Hold back every environment: plans are made, decided and approved, and\n"
        "nothing is applied until the freeze is over. What is being applied now goes on.",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    command.add_argument(
        "--until", metavar="WHEN", help="2h, 3d, or a moment (default: until it is thawed)"
    )
    _add_reason(command)
    add_common(command)


def _add_thaw(commands: Commands) -> None:
    command = commands.add_parser("thaw", help="end a freeze")
    _add_reason(command)
    add_common(command)


def _add_release(commands: Commands) -> None:
    _add_hold(commands, "release", "end a rollback: follow the branch again")


def _add_unblock(commands: Commands) -> None:
    _add_hold(
        commands,
        "unblock",
        "apply again where the end of an apply is not known, or too many went wrong",
    )


def _add_key(commands: Commands) -> None:
    command = commands.add_parser("key", help="give or take a secret to approve with")
    actions = command.add_subparsers(
        title="commands", metavar="COMMAND", dest="action", prog=command.prog
    )
    actions.required = True
    for name, help_ in (
        ("add", "make a key and print its secret, once"),
        ("remove", "take a key away; what it approved and is not applied yet needs another yes"),
    ):
        action = actions.add_parser(name, help=help_)
        action.add_argument("name", metavar="NAME", help="the person that it is for")
        add_common(action)


def _add_controller(commands: Commands) -> None:
    command = commands.add_parser(
        "controller",
        help="reconcile every environment on its own interval",
        description="Plan every environment on its interval, apply what is allowed, hold the\n"
        "rest. SIGTERM ends it: plans are interrupted, a running apply is waited for.",
        epilog="exit codes: 0 it was ended; with --once as those of check",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    command.add_argument(
        "--once", action="store_true", help="reconcile each environment once, and end: for cron"
    )
    add_common(command)
    command.add_argument(
        "-j", "--jobs", type=positive, metavar="N", help="at once (default: the processors)"
    )
    add_verbose(command)


_APPLY_EPILOG = """\
exit codes: 0 applied and nothing is left to do, or nothing to apply; 2 held (it waits for
approval), or something is left to do; 1 refused, failed, partly applied or not known;
130 interrupted before anything was applied
"""


def _add_run(commands: Commands, name: str, help_: str, what: str, epilog: str) -> Parser:
    command = commands.add_parser(
        name,
        help=help_,
        description=what,
        epilog=epilog,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    command.add_argument("environment", metavar="ENVIRONMENT")
    add_common(command)
    add_output(command)
    add_verbose(command)
    return command


def _add_say(commands: Commands, name: str, help_: str, what: str, epilog: str) -> None:
    command = commands.add_parser(
        name,
        help=help_,
        description=what,
        epilog=epilog,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    command.add_argument(
        "target", metavar="ENVIRONMENT|RUN", help="what waits there, or the plan of that run"
    )
    _add_reason(command)
    command.add_argument(
        "--as",
        dest="proof",
        choices=("key", "aws", "os"),
        help="how you prove who you are: key (the secret in DRIFTCTL_APPROVER_KEY; the default "
        "where it is set), aws (whom AWS says you are) or os (your user, unverified)",
    )
    _add_stored(command)


def _add_hold(commands: Commands, name: str, help_: str) -> Parser:
    command = commands.add_parser(name, help=help_)
    command.add_argument("environment", metavar="ENVIRONMENT")
    _add_reason(command)
    add_common(command)
    return command


def _add_reason(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--reason", metavar="TEXT", required=True, help="why; it is kept in the audit trail"
    )


def _add_stored(command: argparse.ArgumentParser) -> None:
    add_common(command)
    command.add_argument("--format", choices=("text", "json"), default="text")
    add_output(command)


ADD: dict[str, Callable[[Commands], None]] = {
    "plan": _add_plan,
    "apply": _add_apply,
    "accept": _add_accept,
    "rollback": _add_rollback,
    "approve": _add_approve,
    "reject": _add_reject,
    "runs": _add_runs,
    "show": _add_show,
    "status": _add_status,
    "audit": _add_audit,
    "suspend": _add_suspend,
    "resume": _add_resume,
    "release": _add_release,
    "unblock": _add_unblock,
    "freeze": _add_freeze,
    "thaw": _add_thaw,
    "key": _add_key,
    "controller": _add_controller,
}
