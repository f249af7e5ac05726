"""Results as jobs hand them on, for whatever reports them."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from driftctl_py.core.assessment import Totals
from driftctl_py.core.check import Verdict
from driftctl_py.core.plan import Kind
from driftctl_py.core.result import Gated, Item, Job, Occasion, Result, Results, Standing
from driftctl_py.errors import Diagnostic

HEAD = "3f2a91c" + "0" * 33
BASE = "77b0de4" + "1" * 33
MERGE = "a90c4e1" + "2" * 33
AT = datetime(2026, 11, 24, 9, 14, tzinfo=UTC)
PRINT = "f2-k7qm2d4xw5cz3nhr6tq2yvb7ulo4sgepj5dmfxk2a7r3icwz6hqn"
RUN_URL = "https://github.example/example/infra/actions/runs/4711"
REPORT_URL = f"{RUN_URL}/artifacts/12"
JOB = Job(
    repository="example/infra",
    workflow="plan",
    run="4711",
    number=12,
    attempt=1,
    url=RUN_URL,
    pull=7,
    head=HEAD,
    base=BASE,
    into="main",
    merge=MERGE,
)


def _verdict(drifted: bool, pending: bool) -> Verdict:
    if drifted:
        return Verdict.DRIFTED_AND_PENDING if pending else Verdict.DRIFTED
    return Verdict.PENDING if pending else Verdict.IN_SYNC


def _count(items: tuple[Item, ...], action: str) -> int:
    return sum(each.action == action for each in items)


def result_of(environment: str = "prod", *items: Item, **more: Any) -> Result:
    """One environment; its totals and its verdict are those of its items, unless it is said."""
    drifted = sum(item.drifted for item in items)
    pending = any(item.cause != "drift" for item in items)
    replaced = sum("replace" in item.action for item in items)
    known: dict[str, Any] = {
        "path": f"environments/{environment}",
        "occasion": Occasion.REVIEW,
        "verdict": _verdict(drifted > 0, pending),
        "finished_at": AT,
        "duration_seconds": 6.2,
        "commit": MERGE,
        "engine": "terraform 1.11.4",
        "totals": Totals(
            add=_count(items, "create") + replaced,
            change=_count(items, "update"),
            destroy=_count(items, "delete") + replaced,
            forget=_count(items, "forget"),
        ),
        "drifted": drifted,
        "items": items,
        "job": JOB,
    }
    return Result(environment, **known | more)


def failed(environment: str = "prod", reason: str = "The engine failed.", **more: Any) -> Result:
    """One of which there is no plan."""
    known: dict[str, Any] = {
        "verdict": Verdict.FAILED,
        "reason": reason,
        "totals": None,
        "drifted": None,
    }
    return result_of(environment, **known | more)


def item(address: str, action: str = "update", *rest: str, **more: Any) -> Item:
    """One object, told as the program tells it."""
    kind = Kind(action)
    lead = "-" if kind.destroys else "+" if kind is Kind.CREATE else "!"
    remark = {"replace": "  # replace, destroys first"}.get(action, "")
    sign = {"replace": "-/+ ", "update": "~ "}.get(action, "")
    lines = (f"{lead} {sign}{address}{remark}", *rest)
    known: dict[str, Any] = {"cause": "commit", "destroys": kind.destroys, "lines": lines}
    return Item(address, action, **known | more)


def changed(address: str, **more: Any) -> Item:
    return item(
        address, "update", "-   value.max  10  # real", "+   value.max  20  # planned", **more
    )


def replaced(address: str = "aws_db_instance.main", **more: Any) -> Item:
    return item(
        address,
        "replace",
        '-   engine_version  "15.4"  # real',
        '+   engine_version  "16.1"  # planned, forces replacement',
        "    … 3 more known after apply",
        **more,
    )


def drifted(address: str = "module.web.aws_s3_bucket.assets") -> Item:
    return Item(
        address,
        "update",
        "drift",
        destroys=False,
        lines=(
            f"! ~ {address}  # drift: changed outside; apply puts it back",
            '-   tags.team  "platform"  # recorded',
            '+   tags.team  "growth"  # real',
        ),
    )


HELD = Gated(
    Standing.HELD,
    lines=("approve by stateful-needs-owner (driftctl.yaml:48): aws_db_instance.main (replace).",),
    needs="needs 1 of: dba (ada, grace); not the author of 3f2a91c (linus); good for 24 h",
    todo='driftctl-py approve staging --reason "…"',
)
STAGING = result_of(
    "staging",
    replaced(),
    item("aws_ssm_parameter.flag", "create"),
    changed("aws_ssm_parameter.limits"),
    gate=HELD,
    fingerprint=PRINT,
    outputs=(
        "! ~ output.address",
        '-     "10.0.4.7"  # real',
        "+     (known after apply)  # planned",
    ),
    warnings=("check.capacity does not hold. (Its message may hold values, so it is not shown.)",),
)
PROD = result_of(
    "prod",
    changed("aws_ssm_parameter.limits"),
    drifted(),
    item(
        "aws_ssm_parameter.flag",
        "create",
        cause="drift",
        lines=("+ aws_ssm_parameter.flag  # drift: deleted outside; apply creates it again",),
    ),
    gate=Gated(Standing.ALLOWED),
    fingerprint="f2-w3npc7rs" + "b" * 44,
    notes=("7 equivalent differences (null against {}, the order of keys in JSON) not counted",),
)
DEV = result_of("dev", gate=Gated(Standing.NOTHING))
QA = failed(
    "qa",
    "terraform plan failed.",
    diagnostics=(
        Diagnostic(
            "error",
            "Invalid reference",
            "A reference to a resource type must be followed by at least one attribute access.",
            "aws_instance.web",
            "main.tf:12",
        ),
    ),
    todo="terraform -chdir=environments/qa validate",
)
ORDINARY = Results((DEV, STAGING, PROD))


def many(count: int, name: str = "prod", action: str = "update") -> Result:
    """An environment in which so many objects change."""
    return result_of(
        name,
        *(
            item(f'aws_route53_record.name["host-{at:05}"]', action, f"-   ttl  {at}", "+   ttl  1")
            for at in range(count)
        ),
    )
