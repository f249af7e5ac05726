"""One plan as SARIF 2.1.0, for what shows the results of code analysis, GitHub's first of all.

A result for each alert. Its fingerprint is made from the rule and the address alone, so that what
is found again tomorrow is the same alert and not a new one. A plan does not say in which file a
resource is written; the location is the plan itself, the logical location the address.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from driftctl_py.core.plan_report import PlanReport, View
from driftctl_py.report.json_values import Object, totals_object
from driftctl_py.report.plan_alerts import INCOMPLETE, RULES, Alert, alerts
from driftctl_py.report.sarif import hashed, quoted, relative, render_run
from driftctl_py.report.show import clean


def render_plan_sarif(report: PlanReport, view: View) -> str:
    """One document, indented, ending in a newline."""
    return render_run(
        RULES,
        _results(alerts(report, view), relative(report.name)),
        identifier=clean(report.name),
        successful=report.assessment.complete,
        command="driftctl-py render --format json",
        properties={
            "status": report.assessment.status.value,
            "complete": report.assessment.complete,
            "totals": totals_object(report.assessment.totals),
            "drifted": report.assessment.drifted,
            "fingerprint": str(report.fingerprint),
        },
    )


def _results(found: Sequence[Alert], where: str) -> list[Object]:
    results = []
    seen: Counter[str] = Counter()
    for alert in found:
        known = hashed(alert.rule.name, alert.subject, alert.deposed)
        seen[known] += 1
        # As GitHub's own are spelled: the number tells two apart that are alike in everything.
        results.append(_result(alert, where, f"{known}:{seen[known]}"))
    return results


def _result(alert: Alert, where: str, fingerprint: str) -> Object:
    finding = alert.finding
    return {
        "ruleId": alert.rule.name,
        "ruleIndex": RULES.index(alert.rule),
        "level": alert.rule.level.value,
        "message": {"text": _message(alert)},
        "locations": [
            {
                # GitHub asks for a line, too.
                "physicalLocation": {
                    "artifactLocation": {"uri": where},
                    "region": {"startLine": 1},
                },
                "logicalLocations": _logical(alert),
            }
        ],
        "partialFingerprints": {"primaryLocationLineHash": fingerprint},
        "properties": {
            "kind": finding.kind.value,
            "origin": finding.origin.value,
            "drifted": finding.drifted,
            "pending": finding.pending,
            "modifiers": list(finding.modifiers),
            "deposed": alert.deposed or None,
        }
        if finding
        else {},
    }


def _logical(alert: Alert) -> list[Object]:
    if alert.rule is INCOMPLETE:
        return []
    kind = {"kind": "resource"} if alert.finding else {}
    return [{"fullyQualifiedName": alert.subject} | kind]


def _message(alert: Alert) -> str:
    """The first sentence is all that a list of alerts has room for."""
    first = alert.text if alert.text.endswith((".", ")")) else f"{alert.text}."
    return quoted("\n".join((first, *alert.details)))
