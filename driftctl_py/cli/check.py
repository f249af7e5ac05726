"""`driftctl-py check`."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from driftctl_py import compose
from driftctl_py.cli.interrupt import interruptibly
from driftctl_py.cli.output import terminal, write_output
from driftctl_py.cli.progress import watching
from driftctl_py.cli.results import keeping
from driftctl_py.core.check import CheckReport
from driftctl_py.core.result import Occasion


def run_check(arguments: argparse.Namespace) -> int:
    """Check, report, and return the report's exit code."""
    options = compose.Options(
        config=_path(arguments.config),
        data_dir=_path(arguments.data_dir),
        jobs=arguments.jobs,
        strict=arguments.strict,
    )
    stop = compose.new_stop()
    with (
        keeping(arguments, Occasion.CHECK, arguments.environments) as keep,
        watching(sys.stderr, verbose=arguments.verbose) as progress,
    ):
        report = interruptibly(
            lambda: compose.check(options, arguments.environments, progress=progress, stop=stop),
            stop,
            progress.say,
        )
        keep.checks(report)
    write_output(_render(report, arguments), arguments)
    return report.exit_code


def _render(report: CheckReport, arguments: argparse.Namespace) -> str:
    if arguments.format == "json":
        from driftctl_py.report.json_report import render_json

        return render_json(report)
    if arguments.format == "markdown":
        from driftctl_py.report.markdown import render_markdown

        return render_markdown(report)
    from driftctl_py.report.text import render_text

    width, there = terminal(arguments)
    return render_text(report, width=width, color=there and not compose.environ().get("NO_COLOR"))


def _path(text: str | None) -> Path | None:
    return None if text is None else Path(text)
