"""Reports to render: real plans, and the environments that never had one."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from driftctl_py.core.assessment import Assessment, Finding, Origin, Status, assess
from driftctl_py.core.check import (
    Assessed,
    CheckReport,
    Engine,
    EnvironmentCheck,
    Failed,
    Outcome,
    Unknown,
)
from driftctl_py.core.checkout import Revision
from driftctl_py.core.plan import Kind
from driftctl_py.core.plan_json import decode_plan
from driftctl_py.errors import Diagnostic
from tests.data import plans

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
MAIN = Revision(
    source="default",
    display_url="https://git.example.com/team/infra.git",
    ref="main",
    commit="77b0de4" + "0" * 33,
    committed_at=NOW - timedelta(hours=3),
)
DIRTY = replace(MAIN, dirty=True)


def checked(name: str, outcome: Outcome | None = None, **more: Any) -> EnvironmentCheck:
    """An environment that came out like that; in sync without an outcome."""
    facts: dict[str, Any] = {"revision": MAIN, "engine": Engine("tofu", "1.12.6", "on PATH")}
    return EnvironmentCheck(
        name,
        f"environments/{name}",
        outcome or Assessed(Assessment(), quiet=True),
        NOW,
        1.5,
        **facts | more,
    )


def planned(scenario: str, *, strict: bool = False) -> EnvironmentCheck:
    """An environment with that plan."""
    assessment = assess(decode_plan(plans.of(scenario)), strict=strict)
    if assessment.complete:
        return checked(scenario, Assessed(assessment))
    reason = f"The plan is incomplete: {assessment.incomplete_reason}"
    return checked(scenario, Unknown(reason, assessment=assessment))


FAILED = checked(
    "edge",
    Failed(
        "No plan came about: Reference to undeclared resource.",
        todo="Mend the code, then: driftctl-py check edge",
        diagnostics=(
            Diagnostic(
                "error",
                "Reference to undeclared resource",
                "A managed resource has not been declared.\n\n\tIt is \x1b[31mred\x1b[0m.",
                address="folder_bucket.x",
                where="main.tf:3",
            ),
        ),
    ),
    revision=None,
    engine=None,
)
LOCKED = checked(
    "stage",
    Unknown(
        "The state is locked by ada@build-7 since 09:14 UTC.",
        todo="Wait for it, or if that run is dead:\ntofu force-unlock 3b1c",
    ),
    warnings=("modules/net has a floating source: main",),
)


def report_of(*checks: EnvironmentCheck, **more: Any) -> CheckReport:
    return CheckReport(checks, NOW, 6.2, **more)


def finding(address: str = "x.y", **more: Any) -> Finding:
    """A pending update, but for what is given."""
    facts: dict[str, Any] = {
        "kind": Kind.UPDATE,
        "origin": Origin.PENDING,
        "drifted": False,
        "pending": True,
    }
    return Finding(address, **facts | more)


def with_findings(*findings: Finding, name: str = "prod", **more: Any) -> EnvironmentCheck:
    drifted, pending = (any(getattr(f, a) for f in findings) for a in ("drifted", "pending"))
    status = {
        (False, False): Status.IN_SYNC,
        (True, False): Status.DRIFTED,
        (False, True): Status.PENDING,
        (True, True): Status.DRIFTED_AND_PENDING,
    }[drifted, pending]
    return checked(name, Assessed(Assessment(status=status, findings=findings, **more)))


EVERYTHING = report_of(
    *(planned(scenario) for scenario in plans.scenarios()), FAILED, LOCKED, checked("dev")
)
