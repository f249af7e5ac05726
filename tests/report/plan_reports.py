"""Plans to render, each read the way that the program reads one."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from driftctl_py.core.plan_json import decode_plan
from driftctl_py.core.plan_report import PlanReport, read_plan
from tests.data import plans

# What somebody might write into a name or a value to get out of the format that quotes it.
EVIL = (
    "::error title=no::really",
    "\n::set-output name=a::b",
    "\r::stop-commands::x",
    "##[set-output name=a]b",
    "##vso[task.setvariable variable=a]b",
    " \t::add-mask::x",
    "%0A::error::no",
    "]]><!--&amp;<b/>\"'",
    "\x00\x08\x1b[2J\x9b\u202e\u2028\ufeff\ufffe\uffff",
    "[click](https://evil.example) {0} {{1}}",
    "../../etc/passwd",
)

# An entry that does not say what of it is sensitive is hidden as a whole.
VISIBLE: dict[str, Any] = {"before_sensitive": {}, "after_sensitive": {}}


def report_of(
    plan: bytes, *, name: str = "plan.json", strict: bool = False, keyed: bool = False
) -> PlanReport:
    """From the bytes of a plan."""
    return read_plan(decode_plan(plan, settings=True), name=name, keyed=keyed, strict=strict)


def report_at(path: Path, *, strict: bool = False) -> PlanReport:
    """Of a real plan in a file."""
    return report_of(path.read_bytes(), strict=strict)


def of(scenario: str, **more: Any) -> PlanReport:
    """Of a real plan, by its name."""
    return report_of(plans.of(scenario), **more)


def plan(**parts: Any) -> bytes:
    """The bytes of a plan with these parts, the rest as empty as the engine leaves it."""
    whole = {"format_version": "1.2", "terraform_version": "1.15.5", "planned_values": {}}
    return json.dumps(whole | parts).encode()


def entry(address: str, *actions: str, **more: Any) -> dict[str, Any]:
    """An entry of ``resource_changes`` or ``resource_drift``; what is no key of an entry is put
    into its change."""
    outer = {"mode", "deposed", "previous_address", "action_reason"}
    change = VISIBLE | {key: value for key, value in more.items() if key not in outer}
    return {
        "address": address,
        "mode": "managed",
        "change": {"actions": list(actions), "before": {}, "after": {}} | change,
    } | {key: value for key, value in more.items() if key in outer}


def evil_plan(text: str) -> bytes:
    """A plan that holds ``text`` wherever somebody may put one."""
    both = {"before": {"v": "a", text: "a"}, "after": {"v": text, text: text}}
    return plan(
        resource_changes=[
            entry(text, "update", **both),
            entry(f'x.y["{text}"]', "delete", "create", replace_paths=[[text]], **both),
            entry("x.z", "odd", text, action_reason=text, **both),
            entry("x.moved", "no-op", previous_address=text),
            entry("x.old", "delete", deposed=text, before={"v": text}, after=None),
        ],
        resource_drift=[entry(text, "update", before={"v": text}, after={"v": "a"})],
        output_changes={text: {"actions": ["update"], "before": "a", "after": text} | VISIBLE},
        checks=[{"address": {"to_display": text}, "status": "fail"}],
        action_invocations=[
            {"address": text, "config_values": {"v": text}, "config_sensitive": {}}
        ],
        deferred_changes=[{"reason": text, "resource_change": entry(text, "create")}],
    )


def many(count: int, *actions: str) -> bytes:
    """A plan that does the same with so many objects."""
    changes = [
        entry(f"folder_bucket.it[{at}]", *actions, before={"v": "a"}, after={"v": "b"})
        for at in range(count)
    ]
    return plan(resource_changes=changes)
