"""The report as one JSON document, for programs.

Its shape is a promise (``schema_version``), written down in ``docs/report.md`` and
``docs/report.schema.json``. Nothing is cut and nothing left out but secrets. Numbers are as exact
as the plan has them.
"""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime

from driftctl_py.core.assessment import Assessment, Finding
from driftctl_py.core.check import (
    Assessed,
    CheckReport,
    EnvironmentCheck,
    Failed,
    Verdict,
)
from driftctl_py.errors import Diagnostic
from driftctl_py.report.json_values import (
    Object,
    attribute_objects,
    document_text,
    finding_object,
    output_object,
    totals_object,
)

SCHEMA_VERSION = 1


def render_json(report: CheckReport) -> str:
    """One document, indented, ending in a newline."""
    counts = Counter(check.verdict for check in report.checks)
    document: Object = {
        "schema_version": SCHEMA_VERSION,
        "started_at": _moment(report.started_at),
        "duration_seconds": round(report.duration_seconds, 3),
        "strict": report.strict,
        "interrupted": report.interrupted,
        "exit_code": report.exit_code,
        "summary": {verdict.value: counts[verdict] for verdict in Verdict},
        "environments": [_environment(check) for check in report.checks],
    }
    return document_text(document)


def _environment(check: EnvironmentCheck) -> Object:
    outcome, revision, engine = check.outcome, check.revision, check.engine
    found: Object = {
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


def _assessment(assessment: Assessment | None) -> Object:
    known = assessment or Assessment()
    return {
        "complete": bool(assessment and assessment.complete),
        "totals": assessment and totals_object(assessment.totals),
        "drifted": assessment.drifted if assessment else None,
        "findings": [_finding(each) for each in known.findings],
        "equivalent": [_finding(each) for each in known.equivalent],
        "outputs": [output_object(each) for each in known.outputs],
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


def _finding(finding: Finding) -> Object:
    return finding_object(finding) | {"attributes": attribute_objects(finding.attributes)}


def _diagnostic(diagnostic: Diagnostic) -> Object:
    return {
        "severity": diagnostic.severity,
        "summary": diagnostic.summary,
        "detail": diagnostic.detail,
        "address": diagnostic.address or None,
        "where": diagnostic.where or None,
    }


def _moment(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
