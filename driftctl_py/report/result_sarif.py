"""Many results as SARIF 2.1.0, for what shows the results of code analysis, GitHub's first of all.

An alert points at the block that declares its object, and where that is not known at the directory
of its environment. Its fingerprint is made from the rule, the environment and the address, so that
what is found again tomorrow is the same alert, wherever the block has moved to.
"""

from __future__ import annotations

from collections import Counter

from driftctl_py.core.result import Results
from driftctl_py.report.json_values import Object
from driftctl_py.report.result_alerts import RULES, ResultAlert, result_alerts
from driftctl_py.report.sarif import hashed, quoted, relative, render_run
from driftctl_py.report.show import clean


def render_results_sarif(results: Results) -> str:
    """One document, indented, ending in a newline."""
    seen: Counter[str] = Counter()
    found = []
    for alert in result_alerts(results):
        known = hashed(alert.rule.name, alert.environment, alert.subject, alert.deposed)
        seen[known] += 1
        found.append(_result(alert, f"{known}:{seen[known]}"))
    occasions = sorted({each.occasion.value for each in results.results})
    return render_run(
        RULES,
        found,
        # A look for drift and the plan of a pull request do not replace each other.
        identifier=f"results/{'-'.join(occasions) or 'none'}",
        successful=results.exit_code != 1,
        command="driftctl-py report --format json",
        properties={
            "exit_code": results.exit_code,
            "environments": {
                clean(each.environment): each.verdict.value for each in results.results
            },
            "missing": list(map(clean, results.missing)),
        },
    )


def _result(alert: ResultAlert, fingerprint: str) -> Object:
    of = "" if alert.subject == alert.environment else f"{alert.environment}: "
    first = f"{of}{alert.subject}: {alert.message}"
    item = alert.item
    return {
        "ruleId": alert.rule.name,
        "ruleIndex": RULES.index(alert.rule),
        "level": alert.rule.level.value,
        # The first sentence is all that a list of alerts has room for.
        "message": {
            "text": quoted(
                "\n".join((first if first.endswith((".", ")")) else f"{first}.", *alert.details))
            )
        },
        "locations": [
            {
                # GitHub asks for a line, too.
                "physicalLocation": {
                    "artifactLocation": {"uri": relative(alert.file or alert.path or "results")},
                    "region": {"startLine": max(1, alert.line)},
                },
                "logicalLocations": [{"fullyQualifiedName": alert.subject, "kind": "resource"}]
                if item
                else [],
            }
        ],
        "partialFingerprints": {"primaryLocationLineHash": fingerprint},
        "properties": {"environment": alert.environment or None}
        | ({"action": item.action, "cause": item.cause} if item else {}),
    }
