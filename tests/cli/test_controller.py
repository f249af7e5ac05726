"""What the controller says: once, where it goes on being so."""

from __future__ import annotations

import io
from datetime import UTC, datetime, timedelta

import pytest

from driftctl_py.app.reconcile import Outcome
from driftctl_py.cli.controller import _Lines
from driftctl_py.core.run import Purpose, Run, State
from driftctl_py.errors import Diagnostic, DriftctlError, EngineError, SourceError

START = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)


class Log:
    def __init__(self) -> None:
        self.stream, self.now = io.StringIO(), START
        self.lines = _Lines(self.stream, verbose=False, clock=lambda: self.now)

    @property
    def said(self) -> list[str]:
        return self.stream.getvalue().splitlines()


@pytest.fixture
def log() -> Log:
    return Log()


def ended(
    state: State, error: DriftctlError | None = None, warnings: tuple[str, ...] = ()
) -> Outcome:
    reason = error.what if error else ""
    run = Run("1", "prod", state, Purpose.RECONCILE, START, "x", "os:ada", "ada:1", reason=reason)
    return Outcome(run, error=error, warnings=warnings)


def test_what_stopped_a_pass_is_said_with_what_to_do(log: Log) -> None:
    diagnostic = Diagnostic("error", "Invalid provider", where="main.tf:3")
    error = EngineError("No plan came about.", todo="Mend it.", diagnostics=(diagnostic,))

    log.lines.ended(ended(State.FAILED, error))

    assert log.said[0].count("No plan came about.") == 1
    assert "Invalid provider main.tf:3 Mend it." in log.said[0]


def test_warnings_are_said_once(log: Log) -> None:
    for _ in range(2):
        log.lines.ended(ended(State.IN_SYNC, warnings=("The lock file is old.",)))

    assert [line.split(" ", 1)[1] for line in log.said] == ["prod: warning: The lock file is old."]


def test_a_failure_that_goes_on_is_said_once_an_hour(log: Log) -> None:
    for minute in range(0, 120, 10):
        log.now = START + timedelta(minutes=minute)
        log.lines.ended(ended(State.FAILED, SourceError("It is gone.")))
        log.lines.failed("default", SourceError("It cannot be read."))

    assert [line[11:16] for line in log.said] == ["09:00", "09:00", "10:00", "10:00"]


def test_a_failure_after_another_end_is_said_at_once(log: Log) -> None:
    for state in (State.FAILED, State.IN_SYNC, State.FAILED):
        error = SourceError("It is gone.") if state is State.FAILED else None
        log.lines.ended(ended(state, error))

    assert len(log.said) == 2


def test_every_apply_is_said(log: Log) -> None:
    log.lines.ended(ended(State.APPLIED))
    log.lines.ended(ended(State.APPLIED))

    assert len(log.said) == 2


def test_what_an_error_quotes_obeys_nobody_and_stays_one_line(log: Log) -> None:
    log.lines.failed("prod", DriftctlError("one\ntwo \x1b[2J"))

    assert len(log.said) == 1
    assert "\x1b" not in log.said[0]


def test_a_log_that_nobody_takes_stops_nothing(log: Log) -> None:
    class Gone(io.StringIO):
        def write(self, text: str) -> int:
            del text
            raise BrokenPipeError

    _Lines(Gone(), verbose=False).said("Hello.")
