"""The report as one JSON document, for programs.

Its shape is a promise (``schema_version``), written down in ``docs/report.md`` and
``docs/report.schema.json``. Nothing is cut and nothing left out but secrets. Numbers are as exact
as the plan has them.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, TypeAlias

import msgspec

from driftctl_py.core.assessment import Assessment, AttributeChange, Finding
from driftctl_py.core.check import (
    Assessed,
    CheckReport,
    EnvironmentCheck,
    Failed,
    Verdict,
)
from driftctl_py.core.plan import OutputChange
from driftctl_py.core.values import Mark, Sensitive, Value, has_sensitive, has_unknown
from driftctl_py.errors import Diagnostic

SCHEMA_VERSION = 1

# Any: a document on its way out; built here, read by nobody else in the package.
_Object: TypeAlias = dict[str, Any]

_MARKS = {Mark.UNKNOWN: "unknown", Mark.ABSENT: "absent"}
# JSON may hold these as they are, but a terminal would obey some and hide behind others.
_UNSAFE = re.compile("[\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]")
_encoder = msgspec.json.Encoder(decimal_format="number")


def render_json(report: CheckReport) -> str:
    """One document, indented, ending in a newline."""
    counts = Counter(check.verdict for check in report.checks)
    document = {
        "schema_version": SCHEMA_VERSION,
        "started_at": _moment(report.started_at),
        "duration_seconds": round(report.duration_seconds, 3),
        "strict": report.strict,
        "interrupted": report.interrupted,
        "exit_code": report.exit_code,
        "summary": {verdict.value: counts[verdict] for verdict in Verdict},
        "environments": [_environment(check) for check in report.checks],
    }
    try:
        encoded = _encoder.encode(document)
    except UnicodeEncodeError:
        # A file's name may hold bytes that are no characters; Python keeps them as such halves.
        encoded = _encoder.encode(_writable(document))
    text = msgspec.json.format(encoded, indent=2).decode()
    return _UNSAFE.sub(lambda found: f"\\u{ord(found[0]):04x}", text) + "\n"


def _environment(check: EnvironmentCheck) -> _Object:
    outcome, revision, engine = check.outcome, check.revision, check.engine
    found: _Object = {
        "environment": check.environment,
        "path": check.path,
        "status": check.verdict.value,
        "checked_at": _moment(check.checked_at),
        "duration_seconds": round(check.duration_seconds, 3),
        "revision": revision
        and {
            "source": revision.source,
            "url": revision.display_url,
            "ref": revision.ref,
            "commit": revision.commit,
            "dirty": revision.dirty,
            "committed_at": revision.committed_at and _moment(revision.committed_at),
        },
        "engine": engine
        and {"family": engine.family, "version": engine.version, "why": engine.why},
        "reason": "" if isinstance(outcome, Assessed) else outcome.reason,
        "todo": "" if isinstance(outcome, Assessed) else outcome.todo,
        "diagnostics": []
        if isinstance(outcome, Assessed)
        else [_diagnostic(each) for each in outcome.diagnostics],
        "warnings": list(check.warnings),
    }
    assessment = None if isinstance(outcome, Failed) else outcome.assessment
    # Where there was no plan there are no numbers: null, which is not 0.
    return found | _assessment(assessment)


def _assessment(assessment: Assessment | None) -> _Object:
    totals = assessment.totals if assessment else None
    known = assessment or Assessment()
    return {
        "complete": bool(assessment and assessment.complete),
        "totals": totals
        and {
            "add": totals.add,
            "change": totals.change,
            "destroy": totals.destroy,
            "import": totals.import_,
            "forget": totals.forget,
        },
        "drifted": assessment.drifted if assessment else None,
        "findings": [_finding(each) for each in known.findings],
        "equivalent": [_finding(each) for each in known.equivalent],
        "outputs": [_output(each) for each in known.outputs],
        "action_invocations": [
            {"address": each.address, "triggered_by": each.triggered_by or None}
            for each in known.invocations
        ],
        "failed_checks": [
            {"address": each.address, "status": each.status} for each in known.failed_checks
        ],
        "check_reads": known.check_reads,
        "reads": known.reads,
    }


def _finding(finding: Finding) -> _Object:
    return {
        "address": finding.address,
        "deposed": finding.deposed or None,
        "kind": finding.kind.value,
        "outside": finding.drift and finding.drift.value,
        "origin": finding.origin.value,
        "drifted": finding.drifted,
        "pending": finding.pending,
        "modifiers": list(finding.modifiers),
        "previous_address": finding.previous_address or None,
        "reason": finding.reason or None,
        "actions": list(finding.actions),
        "sensitivity_changed": finding.sensitivity_changed,
        "attributes": [_attribute(each) for each in finding.attributes],
    }


def _attribute(attribute: AttributeChange) -> _Object:
    return {
        "path": attribute.path,
        "steps": list(attribute.steps),
        "in_json": attribute.in_json,
        "recorded": _value(attribute.recorded),
        "real": _value(attribute.real),
        "planned": _value(attribute.planned),
        "origin": attribute.origin.value,
        "drifted": attribute.drifted,
        "sensitive": attribute.sensitive,
        "unknown": attribute.unknown,
        "forces_replacement": attribute.forces_replacement,
    }


def _output(output: OutputChange) -> _Object:
    return {
        "name": output.name,
        "kind": output.kind.value,
        "real": _value(output.before),
        "planned": _value(output.after),
        "sensitive": has_sensitive(output.before) or has_sensitive(output.after),
        "unknown": has_unknown(output.after),
    }


def _diagnostic(diagnostic: Diagnostic) -> _Object:
    return {
        "severity": diagnostic.severity,
        "summary": diagnostic.summary,
        "detail": diagnostic.detail,
        "address": diagnostic.address or None,
        "where": diagnostic.where or None,
    }


def _value(value: Value) -> Any:  # Any: JSON, whatever the plan holds
    match value:
        case Mark():
            return {"$mark": _MARKS[value]}
        case Sensitive():
            return {"$mark": "sensitive"}
        case Mapping():
            members = {key: _value(each) for key, each in value.items()}
            # A value of the user's own that looks like one of our marks is wrapped into one.
            return {"$mark": "value", "value": members} if "$mark" in members else members
        case str():
            return value
        case Sequence():
            return [_value(each) for each in value]
        case _:
            return value


def _writable(value: Any) -> Any:  # Any: as in the document
    match value:
        case str():
            return value.encode(errors="backslashreplace").decode()
        case Mapping():
            return {_writable(key): _writable(each) for key, each in value.items()}
        case Sequence():
            return [_writable(each) for each in value]
        case _:
            return value


def _moment(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
