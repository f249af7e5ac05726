"""The verdict on an environment, and the exit code over all of them."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from driftctl_py.core.assessment import Assessment, Status
from driftctl_py.core.check import (
    Assessed,
    CheckReport,
    Engine,
    EnvironmentCheck,
    Failed,
    Outcome,
    Unknown,
    Verdict,
)

NOW = datetime(2026, 11, 23, tzinfo=UTC)
IN_SYNC, DRIFTED, PENDING, BOTH = (Assessed(Assessment(status=status)) for status in Status)


def _check(outcome: Outcome) -> EnvironmentCheck:
    return EnvironmentCheck("prod", "environments/prod", outcome, NOW, 1.0)


@pytest.mark.parametrize(
    ("outcome", "verdict"),
    [
        (IN_SYNC, Verdict.IN_SYNC),
        (DRIFTED, Verdict.DRIFTED),
        (PENDING, Verdict.PENDING),
        (BOTH, Verdict.DRIFTED_AND_PENDING),
        (Failed("no"), Verdict.FAILED),
        (Unknown("held", assessment=Assessment()), Verdict.UNKNOWN),
    ],
)
def test_an_outcome_has_one_verdict(outcome: Outcome, verdict: Verdict) -> None:
    assert _check(outcome).verdict is verdict


@pytest.mark.parametrize(
    ("outcomes", "interrupted", "code"),
    [
        ([], False, 0),
        ([IN_SYNC, IN_SYNC], False, 0),
        ([IN_SYNC, DRIFTED], False, 2),
        ([PENDING, Failed("no")], False, 1),
        ([DRIFTED, Unknown("held")], False, 1),
        ([IN_SYNC], True, 130),
    ],
)
def test_the_exit_code_is_the_engines_own(
    outcomes: list[Outcome], interrupted: bool, code: int
) -> None:
    checks = tuple(_check(outcome) for outcome in outcomes)

    assert CheckReport(checks, NOW, 1.0, interrupted=interrupted).exit_code == code


def test_an_engine_reads_as_people_say_it() -> None:
    assert str(Engine("tofu", "1.10.5", "driftctl.yaml says so")) == "tofu 1.10.5"
