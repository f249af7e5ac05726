"""`driftctl-py policy explain|replay|test|lint`: why, what if, is it right, is it sound."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from driftctl_py import compose
from driftctl_py.cli.interrupt import interruptibly
from driftctl_py.cli.options import options_of
from driftctl_py.cli.output import write_output
from driftctl_py.cli.progress import PlainProgress
from driftctl_py.cli.render import for_terminal, source
from driftctl_py.errors import UsageError

if TYPE_CHECKING:
    from datetime import timedelta

    from driftctl_py.compose.policy import Asking

T = TypeVar("T")

# How many plans are decided before a line that is written over says so again.
_TOLD_EVERY = 10


def run_policy(arguments: argparse.Namespace) -> int:
    """One of them; each ends with its own exit code."""
    match arguments.action:
        case "explain":
            return _explain(arguments)
        case "replay":
            return _replay(arguments)
        case "test":
            return _test(arguments)
        case _:
            return _lint(arguments)


def _explain(arguments: argparse.Namespace) -> int:
    from driftctl_py.compose import policy

    target = arguments.target
    is_plan = target == "-" or Path(target).exists()
    if arguments.environment and not is_plan:
        raise UsageError(
            f"There is no file {target}, and a run says itself of which environment it is.",
            todo="Check the name of the file, or leave out --environment.",
        )
    plan = source(target) if is_plan else None
    read = _reading(arguments)
    found = _asked(
        arguments,
        lambda asking: policy.explain(asking, target, plan, arguments.environment, read),
    )
    if arguments.format == "json":
        from driftctl_py.report.policy_document import render_explanation_json

        text = render_explanation_json(found)
    else:
        from driftctl_py.report.policy_text import render_explanation_text

        width, color = for_terminal(arguments)
        text = render_explanation_text(found, width=width, color=color)
    write_output(text, arguments)
    return 0


def _replay(arguments: argparse.Namespace) -> int:
    from driftctl_py.compose import policy

    since = _length(arguments.since)
    with _counting() as watch:
        found = _asked(
            arguments,
            lambda asking: policy.replay(
                asking, arguments.environments, since=since, limit=arguments.limit, watch=watch
            ),
        )
    if arguments.format == "json":
        from driftctl_py.report.policy_document import render_replay_json

        text = render_replay_json(found)
    else:
        from driftctl_py.report.policy_text import render_replay_text

        width, color = for_terminal(arguments)
        text = render_replay_text(found, width=width, color=color)
    write_output(text, arguments)
    if found.unreadable:
        return 1
    return 2 if found.different else 0


def _test(arguments: argparse.Namespace) -> int:
    from driftctl_py.compose import policy

    files, read = [Path(each) for each in arguments.files], _reading(arguments)
    outcomes = _asked(arguments, lambda asking: policy.test(asking, files, read))
    if arguments.format == "json":
        from driftctl_py.report.policy_document import render_tests_json

        text = render_tests_json(outcomes)
    elif arguments.format == "junit":
        from driftctl_py.report.policy_junit import render_tests_junit

        text = render_tests_junit(outcomes)
    else:
        from driftctl_py.report.policy_text import render_tests_text

        width, color = for_terminal(arguments)
        text = render_tests_text(outcomes, width=width, color=color)
    write_output(text, arguments)
    return 1 if any(each.failures for each in outcomes) else 0


def _lint(arguments: argparse.Namespace) -> int:
    from driftctl_py.compose import policy

    found, rules = _asked(arguments, policy.lint)
    if arguments.format == "json":
        from driftctl_py.report.policy_document import render_lint_json

        text = render_lint_json(found, rules=rules)
    else:
        from driftctl_py.report.policy_text import render_lint_text

        width, color = for_terminal(arguments)
        text = render_lint_text(found, rules=rules, width=width, color=color)
    write_output(text, arguments)
    return 2 if any(not each.note for each in found) else 0


def _asked(arguments: argparse.Namespace, work: Callable[[Asking], T]) -> T:
    from driftctl_py.compose.policy import Asking

    progress, stop = PlainProgress(sys.stderr, verbose=False), compose.new_stop()
    asking = Asking(options_of(arguments), progress, stop)
    return interruptibly(lambda: work(asking), stop, progress.say)


@contextmanager
def _counting() -> Iterator[Callable[[int], None]]:
    """On a terminal a line that says how far it is, and is gone when it is done."""
    stream = sys.stderr
    if stream is None or not stream.isatty():
        yield lambda _done: None
        return

    def watch(done: int) -> None:
        if done % _TOLD_EVERY == 0:
            stream.write(f"\r{done:,} plans decided anew")
            stream.flush()

    try:
        yield watch
    finally:
        stream.write("\r\x1b[K")
        stream.flush()


def _reading(arguments: argparse.Namespace) -> compose.ReadOptions:
    def path(text: str | None) -> Path | None:
        return None if text is None else Path(text)

    return compose.ReadOptions(
        config=path(arguments.config), directory=path(arguments.chdir), engine=arguments.engine
    )


def _length(text: str | None) -> timedelta | None:
    """``30d``. Raises `UsageError`."""
    if text is None:
        return None
    from datetime import timedelta

    from driftctl_py.core.config_values import Refusal, duration

    try:
        return timedelta(seconds=duration(text))
    except Refusal as refusal:
        raise UsageError(refusal.sentence("--since", text), todo=refusal.todo) from refusal
