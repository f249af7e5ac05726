"""`driftctl-py report`."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from driftctl_py import compose
from driftctl_py.cli.options import options_of
from driftctl_py.cli.output import tell, terminal, write_output
from driftctl_py.compose import reporting
from driftctl_py.core.fan_in import expected_names, named, unexpected
from driftctl_py.errors import UsageError

if TYPE_CHECKING:
    from driftctl_py.core.forge import Published
    from driftctl_py.core.result import Results

# A matrix has at most 256 jobs, of names of environments.
_MOST_OF_A_MATRIX = 8 * 1024 * 1024


def run_report(arguments: argparse.Namespace) -> int:
    """Put the results together, print and publish them, and return the exit code of all."""
    outlet = reporting.Outlet(
        arguments.publish, options=options_of(arguments), scope=arguments.scope
    )
    expected = _expected(arguments.expect)
    directories = [Path(each) for each in arguments.directories]
    results = reporting.gather(directories, expected, attempt=arguments.attempt)
    for name in unexpected(results, expected) if expected is not None else ():
        tell(f"warning: nobody expected a result of {_clean(name)}")
    published: tuple[Published, ...] = ()
    try:
        write_output(_render(results, arguments), arguments)
    finally:
        # Whoever waits for it on GitHub does so even where it could not be printed, and steps
        # after this one may ask even where nothing could be published.
        try:
            published = outlet.publish(results, artifact_url=arguments.artifact_url)
        finally:
            reporting.write_step_outputs(results, published)
    return _exit_code(results, published, arguments.fail_on)


def _expected(place: str | None) -> tuple[str, ...] | None:
    if place is None:
        return None
    if place == "-":
        if sys.stdin is None:
            raise UsageError(
                "Standard input is closed, so it is not known which results to expect.",
                todo="driftctl-py matrix | driftctl-py report DIR --expect -",
            )
        return expected_names(sys.stdin.buffer.read(_MOST_OF_A_MATRIX), filename="standard input")
    try:
        with Path(place).open("rb") as file:
            data = file.read(_MOST_OF_A_MATRIX)
    except OSError as error:
        raise UsageError(
            f"{place} cannot be read: {error.strerror}, so it is not known which results to "
            "expect.",
            todo="Give it what `driftctl-py matrix` printed: --expect FILE",
        ) from error
    return expected_names(data, filename=place)


def _render(results: Results, arguments: argparse.Namespace) -> str:
    match arguments.format:
        case "json":
            from driftctl_py.report.result_document import render_results_json

            return render_results_json(results)
        case "markdown":
            from driftctl_py.report.comment import render_comment

            # Whoever prints it has room for all of it.
            return render_comment(results, budget=sys.maxsize, artifact_url=arguments.artifact_url)
        case "junit":
            from driftctl_py.report.result_junit import render_results_junit

            return render_results_junit(results)
        case "sarif":
            from driftctl_py.report.result_sarif import render_results_sarif

            return render_results_sarif(results)
        case _:
            from driftctl_py.report.result_text import render_results_text

            width, there = terminal(arguments)
            color = there and not compose.environ().get("NO_COLOR")
            return render_results_text(results, width=width, color=color)


def _exit_code(results: Results, published: Sequence[Published], fail_on: str) -> int:
    for each in published:
        url = f" {each.url}" if each.url else ""
        tell(_clean(f"{'error: ' if each.failed else ''}{each.what}{url}"))
        if each.todo:
            tell(_clean(f"  {each.todo}"))
    if any(each.failed for each in published):
        # What was asked for was not done, whatever was found.
        return 1
    if fail_on == "never" or (fail_on == "failed" and results.exit_code == 2):
        return 0
    if results.exit_code == 1 and (results.missing or results.unreadable):
        lost = named([*results.missing, *results.unreadable])
        tell(_clean(f"error: no result that can be read of: {lost}"))
    return results.exit_code


def _clean(text: str) -> str:
    from driftctl_py.report.show import clean, no_commands

    return no_commands(clean(text))
