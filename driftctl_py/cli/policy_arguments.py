"""The arguments of `policy`: explain, replay, test and lint."""

from __future__ import annotations

import argparse

from driftctl_py.cli.arguments import Commands, Parser, add_common, add_output, positive

_EXPLAIN = """\
Say why each rule matches each change of a plan, or does not, and what would be
decided. PLAN is a plan's JSON, a saved plan, or - for standard input; RUN is a
run, or the beginning of its id. Nothing is planned or applied.
"""
_EXPLAIN_EPILOG = """\
exit codes: 0 it is explained, 1 it cannot be, 130 interrupted

  driftctl-py policy explain plan.json --environment prod
  driftctl-py policy explain 20261124-0914
"""
_REPLAY = """\
Decide the plans of stored runs anew, by the rules and switches of a proposed
configuration, and list those of which another word would be the strictest.
Approvals do not count; what policies, checks and limits said then stands.
"""
_REPLAY_EPILOG = """\
exit codes: 0 all is decided as it was, 2 something is decided differently,
1 a plan could not be decided anew, 130 interrupted

  driftctl-py policy replay --config proposed.yaml --since 30d
"""
_TEST = """\
Run the tests that are written beside the rules: changes, and what is to be said
of each. Without FILE: driftctl_test.yaml and *.test.yaml beside driftctl.yaml.
"""
_TEST_EPILOG = """\
exit codes: 0 all passed, 1 one failed or could not be run

  tests:
    - name: nobody destroys a bucket
      environment: prod
      change: {address: aws_s3_bucket.assets, actions: [delete]}
      expect: deny
      rule: no-destroys
"""
_LINT = """\
Find rules that can never match, that another one always beats or that say the
same twice, and windows that are never open. Only what is certain is said.
"""
_LINT_EPILOG = "exit codes: 0 nothing is wrong, 2 something is, 1 it cannot be read"


def add_policy(commands: Commands) -> None:
    command = commands.add_parser(
        "policy", help="ask about rules: why, and what if; test them, and look for mistakes"
    )
    actions = command.add_subparsers(
        title="commands", metavar="COMMAND", dest="action", prog=command.prog
    )
    actions.required = True
    _add_explain(actions)
    _add_replay(actions)
    _add_test(actions)
    _add_lint(actions)


def _add_explain(actions: Commands) -> None:
    command = _add(
        actions, "explain", "say why each rule matched, or did not", _EXPLAIN, _EXPLAIN_EPILOG
    )
    command.add_argument("target", metavar="PLAN|RUN", help="a plan's file, -, or a run")
    command.add_argument(
        "--environment", metavar="ENVIRONMENT", help="whose rules; a run says it itself"
    )
    command.add_argument("--format", choices=("text", "json"), default="text")
    _add_reading(command)


def _add_replay(actions: Commands) -> None:
    command = _add(
        actions, "replay", "show which decisions other rules would change", _REPLAY, _REPLAY_EPILOG
    )
    command.add_argument("--since", metavar="TIME", help="only plans of the last 12h, 30d, …")
    command.add_argument(
        "--environment",
        action="append",
        default=[],
        dest="environments",
        metavar="ENVIRONMENT",
        help="only plans of it; may be given several times",
    )
    command.add_argument(
        "--limit", type=positive, metavar="N", help="the latest N plans (default: all)"
    )
    command.add_argument("--format", choices=("text", "json"), default="text")


def _add_test(actions: Commands) -> None:
    command = _add(actions, "test", "run the tests beside the rules", _TEST, _TEST_EPILOG)
    command.add_argument("files", nargs="*", metavar="FILE", help="default: see above")
    command.add_argument("--format", choices=("text", "json", "junit"), default="text")
    _add_reading(command)


def _add_lint(actions: Commands) -> None:
    command = _add(
        actions, "lint", "find rules that can never match or never count", _LINT, _LINT_EPILOG
    )
    command.add_argument("--format", choices=("text", "json"), default="text")


def _add(actions: Commands, name: str, help: str, description: str, epilog: str) -> Parser:
    command = actions.add_parser(
        name,
        help=help,
        description=description,
        epilog=epilog,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add_common(command)
    add_output(command)
    return command


def _add_reading(command: argparse.ArgumentParser) -> None:
    saved = command.add_argument_group("for a saved plan file")
    saved.add_argument(
        "--chdir", metavar="DIR", help="where it was planned: its providers are there (default: .)"
    )
    saved.add_argument(
        "--engine", metavar="PROGRAM", help="what reads it: terraform, tofu, embedded or a path"
    )
