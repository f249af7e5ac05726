"""`driftctl-py render` and, since it reads plans in the same way, what `diff` shares with it."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from driftctl_py import compose
from driftctl_py.cli.interrupt import interruptibly
from driftctl_py.cli.output import tell, terminal, write_output
from driftctl_py.errors import UsageError

if TYPE_CHECKING:
    from driftctl_py.core.plan_report import PlanReport

T = TypeVar("T")

_NO_FILE = (
    "Name one, or pipe it in: driftctl-py render PLANFILE, or "
    "terraform show -json PLANFILE | driftctl-py render"
)


def run_render(arguments: argparse.Namespace) -> int:
    """Read one plan, print it, and return 0, or with ``--detailed-exitcode`` what it comes to."""
    place = arguments.file
    if place is None:
        if sys.stdin is None or sys.stdin.isatty():
            raise UsageError("No plan was given to render.", todo=_NO_FILE)
        place = "-"
    report = read(arguments, lambda reading: reading.report(source(place, arguments.name)))
    if arguments.fingerprint:
        text = f"{report.fingerprint}\n"
        _say_why_unkeyed(report)
    else:
        text = _render(report, arguments)
    write_output(text, arguments)
    return _exit_code(report) if arguments.detailed_exitcode else 0


def read(arguments: argparse.Namespace, work: Callable[[compose.Reading], T]) -> T:
    """The result of ``work``, which reads plans as the command line says; Ctrl-C stops it."""
    options = compose.ReadOptions(
        config=_path(arguments.config),
        strict=getattr(arguments, "strict", None),
        directory=_path(arguments.chdir),
        engine=arguments.engine,
    )
    stop = compose.new_stop()
    reading = compose.reading(options, stop=stop)

    def say(text: str) -> None:
        # Without an engine there is nothing to wait for.
        if reading.asks_engine:
            tell(text)

    return interruptibly(lambda: work(reading), stop, say)


def source(place: str, name: str | None = None) -> compose.Source:
    """What an argument names; ``-`` is standard input."""
    if place != "-":
        return compose.Source(Path(place), name or place)
    if sys.stdin is None:
        raise UsageError("Standard input is closed, so there is no plan to read.", todo=_NO_FILE)
    return compose.Source(sys.stdin.fileno(), name or "standard input")


def for_terminal(arguments: argparse.Namespace) -> tuple[int, bool]:
    """How wide a text may be, and whether it may have colours."""
    width, there = terminal(arguments)
    return width, there and not compose.environ().get("NO_COLOR")


def _render(report: PlanReport, arguments: argparse.Namespace) -> str:
    from driftctl_py.core.plan_report import View

    view = View(arguments.view)
    match arguments.format:
        case "json":
            from driftctl_py.report.plan_document import render_plan_json

            return render_plan_json(report, view)
        case "markdown":
            from driftctl_py.report.plan_markdown import render_plan_markdown

            return render_plan_markdown(report, view)
        case "html":
            from driftctl_py.report.plan_html import render_plan_html

            return render_plan_html(report, view)
        case "junit":
            from driftctl_py.report.plan_junit import render_plan_junit

            return render_plan_junit(report, view)
        case "sarif":
            from driftctl_py.report.plan_sarif import render_plan_sarif

            return render_plan_sarif(report, view)
        case "github":
            from driftctl_py.report.plan_github import render_plan_github

            return render_plan_github(report, view)
        case _:
            from driftctl_py.report.plan_text import render_plan_text

            width, color = for_terminal(arguments)
            return render_plan_text(report, view, width=width, color=color)


def _exit_code(report: PlanReport) -> int:
    from driftctl_py.core.assessment import Status

    if not report.assessment.complete:
        return 1
    return 0 if report.assessment.status is Status.IN_SYNC else 2


def _say_why_unkeyed(report: PlanReport) -> None:
    if report.fingerprint.keyed:
        return
    given = "is empty" if compose.KEY_NAME in compose.environ() else "is not set"
    tell(
        f"unkeyed: {compose.KEY_NAME} {given}, so this fingerprint leaves out what is sensitive "
        "and stays the same when a secret changes"
    )


def _path(text: str | None) -> Path | None:
    return None if text is None else Path(text)
