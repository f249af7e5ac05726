"""A stored plan's document, read back into what it was made of, so that every format can show it.

The inverse of `plan_document`, as far as that says it. What it leaves out stays out: what of a new
object is only known after apply, and what one that was deleted outside will be again.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from decimal import Decimal
from functools import partial
from itertools import takewhile
from operator import ne
from typing import Any, TypeAlias

import msgspec

from driftctl_py.core.assessment import Assessment, AttributeChange, Finding, Origin, Status, Totals
from driftctl_py.core.fingerprint import Fingerprint
from driftctl_py.core.plan import (
    ActionInvocation,
    Change,
    CheckResult,
    Deferred,
    Joined,
    Kind,
    OutputChange,
    Plan,
)
from driftctl_py.core.plan_report import PlanReport
from driftctl_py.core.risk import risk_of
from driftctl_py.core.values import ABSENT, UNKNOWN, Sensitive, Value, same
from driftctl_py.errors import PlanError
from driftctl_py.report.plan_document import SCHEMA_VERSION

# Any: JSON, checked key by key where it is read.
_Object: TypeAlias = Mapping[str, Any]


def read_stored_plan(data: bytes) -> PlanReport:
    """The plan of a document that `render_plan_json` made. Raises `PlanError` for anything else."""
    try:
        document = msgspec.json.Decoder(float_hook=Decimal).decode(data)
        if (document["document"], document["schema_version"]) != ("plan", SCHEMA_VERSION):
            raise ValueError
        return _report(document)
    except (msgspec.DecodeError, KeyError, TypeError, ValueError, AttributeError) as error:
        raise PlanError(
            "The stored plan is not a document that this version of driftctl-py understands.",
            todo="Make a new one: driftctl-py plan ENVIRONMENT",
        ) from error


def _report(document: _Object) -> PlanReport:
    entries = _merged(document["changes"], document["drift"])
    records_only = document["records_only"]
    findings = [
        replace(_finding(change, drift), only_recorded=records_only) for change, drift in entries
    ]
    listed = [each for each in findings if each.drifted or each.pending]
    totals = dict(document["totals"])
    checks = tuple(
        CheckResult(each["address"], each["status"], each["problems"])
        for each in document["checks"]
    )
    outputs = tuple(_output(each) for each in document["outputs"])
    invocations = tuple(
        ActionInvocation(
            each["address"],
            each["triggered_by"] or "",
            each["event"] or "",
            _value(each.get("config")),
        )
        for each in document["action_invocations"]
    )
    managed = document["risk"]["managed"]
    assessment = Assessment(
        status=Status(document["status"]),
        complete=document["complete"],
        incomplete_reason=document["incomplete_reason"] or "",
        totals=Totals(import_=totals.pop("import"), **totals),
        findings=tuple(listed),
        equivalent=tuple(each for each in findings if each not in listed),
        outputs=outputs,
        invocations=invocations,
        failed_checks=tuple(each for each in checks if each.failed),
        check_reads=document["check_reads"],
        reads=document["reads"],
        managed=managed,
    )
    plan = Plan(
        engine_version=document["engine_version"] or "",
        joined=tuple(
            _joined(finding, change, drift)
            for finding, (change, drift) in zip(findings, entries, strict=True)
        ),
        outputs=outputs,
        checks=checks,
        deferred=tuple(
            Deferred(each["deferred_because"] or "", _deferred(each))
            for each in document["deferred"]
        ),
        invocations=invocations,
        counts={Kind(kind): count for kind, count in document["counts"].items()},
        managed=managed,
        complete=document["engine_says_complete"],
        applyable=records_only or None,
    )
    return PlanReport(
        name=document["name"],
        plan=plan,
        assessment=assessment,
        fingerprint=_fingerprint(document["fingerprint"]),
        risk=risk_of(assessment),
        strict=document["strict"],
    )


_Pair: TypeAlias = tuple[_Object | None, _Object | None]


def _merged(changes: Sequence[_Object], drifts: Sequence[_Object]) -> list[_Pair]:
    """Each object with what is to be done and what happened to it; both lists are in the engine's
    order, so those that are in both keep their place."""
    drift_of = {_key(each): each for each in drifts}
    keys = _in_order([_key(each) for each in changes], [_key(each) for each in drifts])
    change_of = {_key(each): each for each in changes}
    return [(change_of.get(key), drift_of.get(key)) for key in keys]


def _in_order(ones: Sequence[Any], others: Sequence[Any]) -> list[Any]:  # Any: keys of any kind
    """All keys of two lists that agree on the order of what they share."""
    shared = set(ones) & set(others)
    found: list[Any] = []
    rest = iter(others)
    for one in ones:
        if one in shared:
            found.extend(takewhile(partial(ne, one), rest))
        found.append(one)
    return [*found, *rest]


def _key(entry: _Object) -> tuple[str, str]:
    return entry["address"], entry["deposed"] or ""


def _finding(change: _Object | None, drift: _Object | None) -> Finding:
    entry = change or drift or {}
    return Finding(
        address=entry["address"],
        kind=Kind(entry["kind"]),
        origin=Origin(entry["origin"]),
        drifted=entry["drifted"],
        pending=entry["pending"],
        deposed=entry["deposed"] or "",
        drift=entry["outside"] and Kind(entry["outside"]),
        reason=entry["reason"] or "",
        actions=tuple(entry["actions"]),
        previous_address=entry["previous_address"] or "",
        imported="import" in entry["modifiers"],
        sensitivity_changed=entry["sensitivity_changed"],
        attributes=tuple(_attributes(change, drift)),
    )


def _attributes(change: _Object | None, drift: _Object | None) -> Iterator[AttributeChange]:
    """Those of both lists, each once."""
    ones = {_place(each): each for each in (change or {}).get("attributes", ())}
    others = {_place(each): each for each in (drift or {}).get("attributes", ())}
    both = {**others, **ones}
    for place in _in_order(list(ones), list(others)):
        yield _attribute(both[place], to_do=place in ones, happened=place in others)


def _place(attribute: _Object) -> tuple[Any, ...]:
    # A step is a name or a position: 1 and "1" are not the same.
    steps = tuple((type(step).__name__, step) for step in attribute["steps"])
    return (attribute["in_json"], attribute["in_yaml"], steps)


def _attribute(found: _Object, *, to_do: bool, happened: bool) -> AttributeChange:
    recorded, real, planned = (_value(found[name]) for name in ("recorded", "real", "planned"))
    # All secrets are written alike. Where two snapshots are not the same but read so, one of those
    # in them changed, and which one is not told.
    if to_do and same(real, planned):
        real, planned = Sensitive(0, 0), Sensitive(1, 1)
    if happened and same(recorded, real):
        recorded, real = Sensitive(2, 2), Sensitive(0, 0)
    return AttributeChange(
        steps=tuple(found["steps"]),
        recorded=recorded,
        real=real,
        planned=planned,
        origin=Origin(found["origin"]),
        drifted=found["drifted"],
        forces_replacement=found["forces_replacement"],
        in_json=found["in_json"],
        in_yaml=found["in_yaml"],
    )


def _joined(finding: Finding, change: _Object | None, drift: _Object | None) -> Joined:
    """The entry of the plan that a finding is about, with as much of its object as is told."""
    entry = change or drift or {}
    whole = [each for each in finding.attributes if len(each.steps) == 1]
    found = Change(
        address=finding.address,
        kind=finding.kind,
        before={str(each.steps[0]): each.real for each in whole if each.real is not ABSENT},
        after={str(each.steps[0]): each.planned for each in whole if each.planned is not ABSENT},
        deposed=finding.deposed,
        mode=entry["mode"],
        actions=finding.actions,
        reason=finding.reason,
        previous_address=finding.previous_address,
        imported=finding.imported,
        import_id=_value(entry["import_id"]),
        sensitivity_changed=finding.sensitivity_changed,
        # Documents of before rules asked for it lack it.
        provider=entry.get("provider") or "",
    )
    # The engine has an entry for all that is there: not for what is gone, and none at all where it
    # only records.
    gone = finding.deleted_outside and finding.kind is Kind.NO_OP
    return Joined(None, found) if finding.only_recorded or gone else Joined(found, None)


def _deferred(entry: _Object) -> Change:
    return Change(
        address=entry["address"],
        kind=Kind(entry["kind"]),
        before=None,
        after=None,
        deposed=entry["deposed"] or "",
        mode=entry["mode"],
        actions=tuple(entry["actions"]),
        reason=entry["reason"] or "",
        previous_address=entry["previous_address"] or "",
    )


def _output(found: _Object) -> OutputChange:
    return OutputChange(
        found["name"],
        Kind(found["kind"]),
        _value(found.get("real")),
        _value(found.get("planned")),
    )


def _fingerprint(found: _Object) -> Fingerprint:
    return Fingerprint(found["digest"].rpartition("-")[2], found["keyed"])


def _value(found: Any) -> Value:  # Any: JSON, whatever the plan held
    match found:
        case {"$mark": "unknown"}:
            return UNKNOWN
        case {"$mark": "absent"}:
            return ABSENT
        case {"$mark": "sensitive"}:
            return Sensitive(0, 0)
        case {"$mark": "value", "value": dict() as members}:
            return {key: _value(each) for key, each in members.items()}
        case {"$mark": _}:
            raise ValueError
        case dict():
            return {key: _value(each) for key, each in found.items()}
        case list():
            return [_value(each) for each in found]
        case _:
            # What JSON has besides, as exact as it was written.
            plain: bool | int | Decimal | str | None = found
            return plain
