"""Pieces of SARIF 2.1.0: what the report of a plan and that of many results are made of.

For what shows the results of code analysis, GitHub's first of all.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from driftctl_py import __version__
from driftctl_py.report.json_values import Object, document_text
from driftctl_py.report.plan_alerts import Level, Rule

_SCHEMA = (
    "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
)
RESULTS_AT_MOST = 5000
"""GitHub shows no more of one upload, and refuses five times as many."""
# What a query of GitHub's own would call it.
_SEVERITIES = {Level.ERROR: "error", Level.WARNING: "warning", Level.NOTE: "recommendation"}


def render_run(
    rules: Sequence[Rule],
    results: Sequence[Object],
    *,
    identifier: str,
    successful: bool,
    command: str,
    properties: Object,
) -> str:
    """A document with one run, indented, ending in a newline. ``identifier`` tells analyses of one
    commit apart; ``command`` prints what is left out of too many ``results``."""
    run: Object = {
        "tool": {
            "driver": {
                "name": "driftctl-py",
                "version": __version__,
                "semanticVersion": __version__,
                "rules": [_rule(rule) for rule in rules],
            }
        },
        # Two uploaded for one commit are two analyses, not one that replaces the other.
        "automationDetails": {"id": f"driftctl-py/{identifier}/"},
        "invocations": [
            {
                # Where something is missing, an alert that is gone need not be mended.
                "executionSuccessful": successful,
                "toolExecutionNotifications": _notifications(len(results), command),
            }
        ],
        "results": list(results[:RESULTS_AT_MOST]),
        "properties": properties,
    }
    return document_text({"$schema": _SCHEMA, "version": "2.1.0", "runs": [run]})


def quoted(text: str) -> str:
    """SARIF has links and placeholders within its texts: [text](target) and {0}."""
    return re.sub(r"\{(?=\d+\})", "{ ", text.replace("](", "] ("))


def hashed(*words: str) -> str:
    """What tells one alert from another, today and tomorrow."""
    from hashlib import sha256

    return sha256("\n".join(words).encode()).hexdigest()[:32]


def relative(name: str) -> str:
    """A name as a relative reference, whatever it holds: no scheme, no root, no way up."""
    from urllib.parse import quote

    steps = [step for step in name.split("/") if step not in ("", ".", "..")]
    return "/".join(quote(step, safe="", errors="backslashreplace") for step in steps) or "plan"


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


def _notifications(count: int, command: str) -> Sequence[Object]:
    if count <= RESULTS_AT_MOST:
        return []
    text = (
        f"There are {count} results; these are the {RESULTS_AT_MOST} gravest. All of them: "
        f"{command}"
    )
    return [{"level": "warning", "message": {"text": text}}]
