"""`driftctl-py controller`: the loop, and a line on standard error for whatever comes of it."""

from __future__ import annotations

import argparse
import io
import sys
import threading
from dataclasses import replace
from typing import TYPE_CHECKING, TextIO

from driftctl_py import compose
from driftctl_py.cli.interrupt import interruptibly
from driftctl_py.cli.options import options_of
from driftctl_py.cli.progress import PlainProgress
from driftctl_py.core.run import State

if TYPE_CHECKING:
    from driftctl_py.app.reconcile import Outcome
    from driftctl_py.errors import DriftctlError


def run_controller(arguments: argparse.Namespace) -> int:
    """Reconcile until told to stop; with ``--once``, every environment one time. Exit codes: 0
    ended, or with ``--once`` nothing is left to do; 2 something waits for somebody; 1 something
    failed."""
    stop = compose.new_stop()
    lines = _Lines(sys.stderr, verbose=arguments.verbose)
    return interruptibly(
        lambda: compose.control(
            replace(options_of(arguments), jobs=arguments.jobs),
            once=arguments.once,
            watcher=lines,
            progress=lines.progress,
            stop=stop,
        ),
        stop,
        lines.said,
        applying=lines.progress.applying,
    )


_NEEDS_A_REASON = (
    State.FAILED,
    State.UNKNOWN,
    State.PARTLY_APPLIED,
    State.NOT_CONVERGED,
    State.UNVERIFIED,
    State.REFUSED,
)


class _Lines:
    """A line for each pass that came to anything; with ``verbose`` for all. Each says when, since
    it is read in a log."""

    def __init__(self, stream: TextIO, *, verbose: bool) -> None:
        self._stream = stream
        self._verbose = verbose
        self._guard = threading.Lock()
        self._last: dict[str, str] = {}
        # How far each is would bury what came of it.
        self.progress = PlainProgress(stream if verbose else io.StringIO(), verbose=verbose)

    def ended(self, outcome: Outcome) -> None:
        from driftctl_py.report.runs import answer

        run = outcome.run
        text = f"{run.environment}: {answer(run)}"
        if run.reason and run.state in _NEEDS_A_REASON:
            text = f"{text}: {run.reason}"
        # What waits is said when it begins to wait, not on every pass.
        with self._guard:
            again = self._last.get(run.environment) == text
            self._last[run.environment] = text
        quiet = run.state is State.IN_SYNC or (again and run.state in (State.HELD, State.REFUSED))
        if self._verbose or not quiet:
            self.said(f"{text} (run {run.id})")

    def failed(self, environment: str, error: DriftctlError) -> None:
        about = f"{environment}: " if environment else ""
        todo = f" {error.todo}" if error.todo else ""
        self.said(f"{about}error: {error.what}{todo}")

    def said(self, text: str) -> None:
        with self._guard:
            self._stream.write(f"{compose.now():%Y-%m-%dT%H:%M:%SZ} {text}\n")
            self._stream.flush()
