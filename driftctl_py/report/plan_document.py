"""One plan as a JSON document, for programs.

Its shape is a promise (``schema_version``), written down in ``docs/plan.schema.json``. Everything
is in the engine's own order; nothing is cut and nothing left out but secrets, only that a summary
holds no values.
"""

from __future__ import annotations

from collections.abc import Iterable

from driftctl_py.core.address import parse_address
from driftctl_py.core.assessment import AttributeChange, Finding, Origin
from driftctl_py.core.plan import ActionInvocation, Change, Kind, Plan
from driftctl_py.core.plan_report import PlanReport, View
from driftctl_py.core.risk import Risk, stateful
from driftctl_py.core.values import same
from driftctl_py.report.json_values import (
    Object,
    attribute_objects,
    document_text,
    finding_object,
    output_object,
    totals_object,
    value_object,
)

SCHEMA_VERSION = 1


def render_plan_json(report: PlanReport, view: View) -> str:
    """One document, indented, ending in a newline."""
    plan, assessment, fingerprint = report.plan, report.assessment, report.fingerprint
    values = view is not View.SUMMARY
    entries = _in_plan_order(plan, (*assessment.findings, *assessment.equivalent))
    document: Object = {
        "schema_version": SCHEMA_VERSION,
        "document": "plan",
        "name": report.name,
        "view": view.value,
        "strict": report.strict,
        "engine_version": plan.engine_version or None,
        "status": assessment.status.value,
        "complete": assessment.complete,
        "engine_says_complete": plan.complete,
        "records_only": plan.records_only,
        "incomplete_reason": assessment.incomplete_reason or None,
        "totals": totals_object(assessment.totals),
        "counts": {kind.value: plan.counts.get(kind, 0) for kind in Kind},
        "drifted": assessment.drifted,
        "equivalents": assessment.equivalents,
        "risk": _risk(report.risk),
        "fingerprint": {
            "digest": str(fingerprint),
            "short": fingerprint.short,
            "keyed": fingerprint.keyed,
        },
        "changes": [
            _change(finding, change, values=values)
            for finding, change in entries
            if finding.kind is not Kind.NO_OP or finding.modifiers
        ],
        "drift": [
            _drift(finding, change, values=values)
            for finding, change in entries
            if finding.drift is not None
        ],
        "outputs": [
            {
                key: each
                for key, each in output_object(output).items()
                if values or key not in ("real", "planned")
            }
            for output in assessment.outputs
        ],
        "action_invocations": [_invocation(each, values=values) for each in assessment.invocations],
        "deferred": [
            {"deferred_because": each.reason or None} | _deferred(each.change)
            for each in plan.deferred
        ],
        "checks": [
            {"address": each.address, "status": each.status, "problems": each.problems}
            for each in plan.checks
        ],
        "reads": assessment.reads,
        "check_reads": assessment.check_reads,
    }
    return document_text(document)


def _in_plan_order(plan: Plan, findings: Iterable[Finding]) -> list[tuple[Finding, Change]]:
    """Each finding with the entry that it is about."""
    entries = {(each.entry.address, each.entry.deposed): each.entry for each in plan.joined}
    places = {key: place for place, key in enumerate(entries)}
    ordered = sorted(findings, key=lambda each: places[each.address, each.deposed])
    return [(each, entries[each.address, each.deposed]) for each in ordered]


def _change(finding: Finding, change: Change, *, values: bool) -> Object:
    """As one of the things that apply would do."""
    return _entry(finding, change) | _attributes(
        (each for each in finding.attributes if not same(each.real, each.planned)), values=values
    )


def _drift(finding: Finding, change: Change, *, values: bool) -> Object:
    """As one of the things that happened outside."""
    origin = finding.origin if finding.drifted else Origin.EQUIVALENT
    return (
        _entry(finding, change)
        | {"origin": origin.value}
        | _attributes(
            (each for each in finding.attributes if not same(each.recorded, each.real)),
            values=values,
        )
    )


def _entry(finding: Finding, change: Change) -> Object:
    return (
        finding_object(finding)
        | _place(finding.address, change.mode)
        | {"import_id": value_object(change.import_id), "provider": change.provider or None}
    )


def _attributes(attributes: Iterable[AttributeChange], *, values: bool) -> Object:
    # A list that is left out says less than an empty one would.
    return {"attributes": attribute_objects(attributes)} if values else {}


def _place(address: str, mode: str) -> Object:
    parsed = parse_address(address)
    return {
        "type": parsed and parsed.type,
        "module": (parsed.module or None) if parsed else None,
        "mode": mode,
    }


def _risk(risk: Risk) -> Object:
    return {
        "destroyed": risk.destroyed,
        "replaced": risk.replaced,
        "forgotten": risk.forgotten,
        "stateful": [
            {
                "address": each.address,
                "deposed": each.deposed or None,
                "kind": each.kind.value,
                "holds": stateful(each.address),
            }
            for each in risk.stateful
        ],
        "touched": risk.touched,
        "managed": risk.managed,
        "share": None if risk.share is None else round(risk.share, 6),
    }


def _invocation(invocation: ActionInvocation, *, values: bool) -> Object:
    found: Object = {
        "address": invocation.address,
        "triggered_by": invocation.triggered_by or None,
        "event": invocation.event or None,
    }
    return found | {"config": value_object(invocation.config)} if values else found


def _deferred(change: Change) -> Object:
    return {
        "address": change.address,
        "deposed": change.deposed or None,
        "kind": change.kind.value,
        "actions": list(change.actions),
        "reason": change.reason or None,
        "previous_address": change.previous_address or None,
    } | _place(change.address, change.mode)
