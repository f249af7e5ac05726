"""Results to read, write and put together."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from driftctl_py.core.assessment import Totals
from driftctl_py.core.check import Verdict
from driftctl_py.core.result import Gated, Item, Job, Occasion, Result, Standing
from driftctl_py.errors import Diagnostic

NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)
HEAD, BASE, MERGE = "3f2a91c" + "0" * 33, "77b0de4" + "0" * 33, "5d1c0aa" + "0" * 33

JOB = Job(
    repository="example/infra",
    workflow="Plan",
    run="9000000001",
    number=41,
    attempt=1,
    url="https://github.com/example/infra/actions/runs/9000000001",
    pull=7,
    head=HEAD,
    base=BASE,
    merge=MERGE,
)

DATABASE = Item(
    address="aws_db_instance.main",
    action="replace",
    cause="commit",
    destroys=True,
    lines=(
        "- -/+ aws_db_instance.main  # replace, destroys first",
        '-   engine_version  "15.4"  # real',
        '+   engine_version  "16.1"  # planned, forces replacement',
    ),
    file="environments/prod/main.tf",
    line=12,
)
BUCKET = Item(
    address='module.web["a"].aws_s3_bucket.assets',
    action="update",
    cause="drift",
    destroys=False,
    lines=(
        '! ~ module.web["a"].aws_s3_bucket.assets  # drift: changed outside; apply puts it back',
        '-   tags.team  "platform"  # recorded',
        '+   tags.team  "growth"  # real',
    ),
    file="modules/web/main.tf",
    line=3,
)


def result(environment: str = "prod", **more: Any) -> Result:  # Any: any field of a result
    """One that is in sync, unless it is told otherwise."""
    plain = Result(
        environment=environment,
        path=f"environments/{environment}",
        occasion=Occasion.REVIEW,
        verdict=Verdict.IN_SYNC,
        finished_at=NOON,
        duration_seconds=2.5,
        commit=MERGE,
        engine="terraform 1.11.4",
        totals=Totals(),
        drifted=0,
        job=JOB,
    )
    # Not `replace`, which the type checker lets have nothing but the right types.
    return Result(**{name: getattr(plain, name) for name in Result.__slots__} | more)


def later(minutes: int) -> datetime:
    return NOON + timedelta(minutes=minutes)


EVERYTHING = result(
    verdict=Verdict.DRIFTED_AND_PENDING,
    totals=Totals(add=1, change=1, destroy=1, import_=2, forget=3),
    drifted=1,
    items=(DATABASE, BUCKET),
    outputs=('+ output.url  "https://example.com"  # planned',),
    notes=("2 data sources to be read during apply",),
    warnings=("check.certificate does not hold.",),
    reason="A reason.",
    todo="Do this.\nAnd that.",
    diagnostics=(
        Diagnostic("error", "No such file", "Really.\nNone.", "aws_db_instance.main", "main.tf:3"),
    ),
    gate=Gated(
        Standing.HELD,
        ("approve by stateful (driftctl.yaml:48): aws_db_instance.main (replace).",),
        "1 of: dba (ada, grace)",
        'driftctl-py approve prod --reason "…"',
    ),
    fingerprint="f1-k7qm2d4x",
    governing="0" * 64,
    run="20261124-120000-abcdefgh",
    state="held",
)
FAILED = result(
    "dev",
    verdict=Verdict.FAILED,
    totals=None,
    drifted=None,
    reason="No plan came about: Invalid reference.",
    todo="Mend it.",
)
REFUSED = result(
    "staging",
    verdict=Verdict.PENDING,
    totals=Totals(destroy=1),
    items=(DATABASE,),
    gate=Gated(Standing.REFUSED, ("aws_db_instance.main: denied by keep (driftctl.yaml:9).",)),
)
