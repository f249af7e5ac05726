"""One plan as SARIF 2.1.0, for what shows the results of code analysis, GitHub's first of all.

A result for each alert. Its fingerprint is made from the rule and the address alone, so that what
is found again tomorrow is the same alert and not a new one. A plan does not say in which file a
resource is written; the location is the plan itself, the logical location the address.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence

from driftctl_py import __version__
from driftctl_py.core.plan_report import PlanReport, View
from driftctl_py.report.json_values import Object, document_text, totals_object
from driftctl_py.report.plan_alerts import INCOMPLETE, RULES, Alert, Level, Rule, alerts
from driftctl_py.report.show import clean

_SCHEMA = (
    "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
)
# GitHub shows no more of one upload, and refuses five times as many.
_RESULTS = 5000
# What a query of GitHub's own would call it.
_SEVERITIES = {Level.ERROR: "error", Level.WARNING: "warning", Level.NOTE: "recommendation"}


def render_plan_sarif(report: PlanReport, view: View) -> str:
    """One document, indented, ending in a newline."""
    name = clean(report.name)
    found = alerts(report, view)
    where = _relative(report.name)
    run: Object = {
        "tool": {
            "driver": {
                "name": "driftctl-py",
                "version": __version__,
                "semanticVersion": __version__,
                "rules": [_rule(rule) for rule in RULES],
            }
        },
        # Two plans uploaded for one commit are two analyses, not one that replaces the other.
        "automationDetails": {"id": f"driftctl-py/{name}/"},
        "invocations": [
            {
                # Where something is missing, an alert that is gone need not be mended.
                "executionSuccessful": report.assessment.complete,
                "toolExecutionNotifications": _notifications(len(found)),
            }
        ],
        "results": _results(found[:_RESULTS], where),
        "properties": {
            "status": report.assessment.status.value,
            "complete": report.assessment.complete,
            "totals": totals_object(report.assessment.totals),
            "drifted": report.assessment.drifted,
            "fingerprint": str(report.fingerprint),
        },
    }
    return document_text({"$schema": _SCHEMA, "version": "2.1.0", "runs": [run]})


def _rule(rule: Rule) -> Object:
    return {
        "id": rule.name,
        "name": "".join(word.capitalize() for word in rule.name.split("-")),
        "shortDescription": {"text": f"{rule.title}."},
        "fullDescription": {"text": rule.help},
        "help": {"text": rule.help},
        "defaultConfiguration": {"level": rule.level.value},
        "properties": {
            "precision": "very-high",
            "problem.severity": _SEVERITIES[rule.level],
            "tags": ["infrastructure"],
        },
    }


def _results(found: Sequence[Alert], where: str) -> list[Object]:
    results = []
    seen: Counter[str] = Counter()
    for alert in found:
        hashed = _hash(alert)
        seen[hashed] += 1
        # As GitHub's own are spelled: the number tells two apart that are alike in everything.
        results.append(_result(alert, where, f"{hashed}:{seen[hashed]}"))
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
    text = "\n".join((first, *alert.details))
    # SARIF has links and placeholders within its texts: [text](target) and {0}.
    return re.sub(r"\{(?=\d+\})", "{ ", text.replace("](", "] ("))


def _hash(alert: Alert) -> str:
    from hashlib import sha256

    words = "\n".join((alert.rule.name, alert.subject, alert.deposed))
    return sha256(words.encode()).hexdigest()[:32]


def _relative(name: str) -> str:
    """The plan's name as a relative reference, whatever it holds: no scheme, no root, no way up."""
    from urllib.parse import quote

    steps = [step for step in name.split("/") if step not in ("", ".", "..")]
    return "/".join(quote(step, safe="", errors="backslashreplace") for step in steps) or "plan"


def _notifications(count: int) -> Sequence[Object]:
    if count <= _RESULTS:
        return []
    text = (
        f"There are {count} results; these are the {_RESULTS} gravest. All of them: "
        "driftctl-py render --format json"
    )
    return [{"level": "warning", "message": {"text": text}}]
