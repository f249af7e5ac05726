"""`driftctl-py controller`: the loop, and a line on standard error for whatever comes of it."""

from __future__ import annotations

import argparse
import io
import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from datetime import datetime, timedelta
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


# What goes wrong in the same way again is said again after that long.
_SAID_FOR = timedelta(hours=1)


class _Lines:
    """A line for each pass that came to anything; with ``verbose`` for all. Each says when, since
    it is read in a log."""

    def __init__(
        self, stream: TextIO, *, verbose: bool, clock: Callable[[], datetime] = compose.now
    ) -> None:
        self._stream = stream
        self._verbose = verbose
        self._clock = clock
        self._guard = threading.Lock()
        # By environment, and what of it is said.
        self._last: dict[tuple[str, str], tuple[str, datetime]] = {}
        # How far each is would bury what came of it.
        self.progress = PlainProgress(stream if verbose else io.StringIO(), verbose=verbose)

    def ended(self, outcome: Outcome) -> None:
        from driftctl_py.report.runs import answer

        run, error = outcome.run, outcome.error
        text = f"{run.environment}: {answer(run)}"
        if error is not None:
            text = f"{text}: {_said_of(error)}"
        elif run.reason and run.state in _NEEDS_A_REASON:
            text = f"{text}: {run.reason}"
        # What waits is said when it begins to wait, not on every pass.
        waits = error is None and run.state in (State.HELD, State.REFUSED)
        quiet = error is None and run.state is State.IN_SYNC
        repeats = error is not None or run.state in _NEEDS_A_REASON
        again = self._again(run.environment, "end", text, for_ever=waits)
        if self._verbose or not (quiet or (again and (waits or repeats))):
            self.said(f"{text} (run {run.id})")
        warnings = "; ".join(outcome.warnings)
        if not self._again(run.environment, "warnings", warnings) and warnings:
            self.said(f"{run.environment}: warning: {warnings}")

    def failed(self, environment: str, error: DriftctlError) -> None:
        about = f"{environment}: " if environment else ""
        text = f"{about}error: {_said_of(error)}"
        if not self._again(environment, "end", text) or self._verbose:
            self.said(text)

    def said(self, text: str) -> None:
        from driftctl_py.report.show import clean

        # One line for each, and nothing that a terminal would obey.
        line = clean(" ".join(text.split()))
        # A log that nobody takes any more is no reason to leave environments alone.
        with self._guard, suppress(OSError):
            self._stream.write(f"{self._clock():%Y-%m-%dT%H:%M:%SZ} {line}\n")
            self._stream.flush()

    def _again(self, environment: str, what: str, text: str, *, for_ever: bool = False) -> bool:
        """Whether just that was said of it last, and not long ago."""
        now, key = self._clock(), (environment, what)
        with self._guard:
            last = self._last.get(key)
            if last is not None and last[0] == text and (for_ever or now - last[1] < _SAID_FOR):
                return True
            self._last[key] = (text, now)
            return False


def _said_of(error: DriftctlError) -> str:
    from driftctl_py.errors import EngineError

    words = [error.what]
    if isinstance(error, EngineError):
        words.extend(f"{each.summary} {each.where}".rstrip() for each in error.diagnostics)
    return " ".join(word for word in (*words, error.todo) if word)
