"""Watching a check or an apply: a live display on a terminal, plain lines elsewhere. On standard
error only, so that standard output holds the result and nothing else."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TextIO

from driftctl_py.core.check import EnvironmentCheck

APPLY = "apply"
"""What is being done to an environment while its engine changes things."""


@contextmanager
def watching(
    stream: TextIO, *, verbose: bool, doing: str = "checking"
) -> Iterator[PlainProgress | LiveProgress]:
    """Somebody to tell about progress, for as long as the work takes."""
    if not stream.isatty():
        yield PlainProgress(stream, verbose=verbose)
        return
    live = LiveProgress(verbose=verbose, doing=doing)
    with live.display:
        yield live


class PlainProgress:
    """One line per environment when it is done, for logs."""

    def __init__(self, stream: TextIO, *, verbose: bool) -> None:
        self._stream = stream
        self._verbose = verbose
        self._lock = threading.Lock()
        self._total = 0
        self._done = 0
        self._applying: set[str] = set()

    def applying(self) -> bool:
        """Is anything being applied?"""
        return bool(self._applying)

    def begin(self, total: int) -> None:
        self._total = total

    def started(self, environment: str, doing: str) -> None:
        _note(self._applying, environment, doing)
        if self._verbose:
            self.say(f"{environment}: {doing}")

    def refreshed(self, environment: str, resources: int) -> None:
        """Nothing: a line for each resource would bury the rest."""

    def applied(self, environment: str, resources: int) -> None:
        """What an apply did is worth a line in a log; a hundred of them are not."""
        if resources <= 10 or resources % 10 == 0:
            self.say(f"{environment}: {_count(resources)} applied")

    def finished(self, check: EnvironmentCheck) -> None:
        with self._lock:
            self._done += 1
            done = self._done
        engine = f", {check.engine} ({check.engine.why})" if self._verbose and check.engine else ""
        self.say(
            f"[{done}/{self._total}] {check.environment}: {check.verdict.value} "
            f"({check.duration_seconds:.1f} s{engine})"
        )

    def note(self, text: str) -> None:
        if self._verbose:
            self.say(text)

    def say(self, text: str) -> None:
        """A line for the person who watches, whatever they asked to see."""
        with self._lock:
            self._stream.write(f"{text}\n")
            self._stream.flush()


class LiveProgress:
    """Environments done, what is being planned now, resources refreshed and applied so far,
    elapsed."""

    def __init__(self, *, verbose: bool, doing: str = "checking") -> None:
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeElapsedColumn
        from rich.progress import Progress as Display

        self.display = Display(
            TextColumn(doing),
            # One environment at a time has no bar to show.
            *((BarColumn(bar_width=24), MofNCompleteColumn()) if doing == "checking" else ()),
            TimeElapsedColumn(),
            TextColumn("{task.fields[detail]}", markup=False),
            console=Console(stderr=True),
            transient=True,
        )
        self._verbose = verbose
        self._lock = threading.Lock()
        self._doing: dict[str, str] = {}
        self._applying: set[str] = set()
        self._refreshed: dict[str, int] = {}
        self._applied: dict[str, int] = {}
        self._task = self.display.add_task(doing, total=None, detail="syncing Git")

    def begin(self, total: int) -> None:
        self.display.update(self._task, total=total, detail="")

    def applying(self) -> bool:
        """Is anything being applied?"""
        return bool(self._applying)

    def started(self, environment: str, doing: str) -> None:
        _note(self._applying, environment, doing)
        with self._lock:
            self._doing[environment] = doing
        self._show()

    def refreshed(self, environment: str, resources: int) -> None:
        with self._lock:
            self._refreshed[environment] = resources
        self._show()

    def applied(self, environment: str, resources: int) -> None:
        with self._lock:
            self._applied[environment] = resources
        self._show()

    def finished(self, check: EnvironmentCheck) -> None:
        with self._lock:
            self._doing.pop(check.environment, None)
        self.display.advance(self._task)
        self._show()

    def note(self, text: str) -> None:
        if self._verbose:
            self.say(text)

    def say(self, text: str) -> None:
        """A line for the person who watches, whatever they asked to see."""
        self.display.console.print(text, markup=False, highlight=False)

    def _show(self) -> None:
        with self._lock:
            doing = ", ".join(f"{name}: {what}" for name, what in self._doing.items())
            refreshed = sum(self._refreshed.values())
            applied = sum(self._applied.values())
        parts = (
            f"{refreshed} resources refreshed" if refreshed else "",
            f"{_count(applied)} applied" if applied else "",
            doing,
        )
        self.display.update(self._task, detail="  ".join(part for part in parts if part))


def _note(applying: set[str], environment: str, doing: str) -> None:
    """What is done to an environment next ends what was done to it before."""
    if doing == APPLY:
        applying.add(environment)
    else:
        applying.discard(environment)


def _count(resources: int) -> str:
    return f"{resources} resource" + ("" if resources == 1 else "s")
