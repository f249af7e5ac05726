"""One plan as JUnit XML, for what shows test results: a case for each object that there is
something to say about, which fails, and one that passes for all the others.

Keeps to what Jenkins, GitLab and the rest all read. A plan has no duration, so every time is 0.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from driftctl_py.core.address import parse_address
from driftctl_py.core.plan_report import PlanReport, View
from driftctl_py.report import plan_alerts
from driftctl_py.report.plan_alerts import Alert, alerts, equivalents, headline
from driftctl_py.report.show import clean

# XML 1.0 has no way to write any other character, not even as a reference.
_ILLEGAL = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_REFERENCES = {"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;"}

_TYPES = {
    plan_alerts.UNKNOWN_ACTION: "unknown",
    plan_alerts.INCOMPLETE: "incomplete",
    plan_alerts.FAILED_CHECK: "check",
}


@dataclass(frozen=True, slots=True)
class _Case:
    """``outcome`` is ``error`` or ``failure``, empty for what passed."""

    name: str
    group: str
    outcome: str = ""
    type: str = ""
    message: str = ""
    body: str = ""


def render_plan_junit(report: PlanReport, view: View) -> str:
    """A suite for the plan, ending in a newline."""
    cases = list(_cases(report, view))
    counts: dict[str, Any] = {  # Any: attributes of a tag
        "tests": len(cases),
        "failures": sum(case.outcome == "failure" for case in cases),
        "errors": sum(case.outcome == "error" for case in cases),
    }
    lines = [
        '<?xml version="1.0" encoding="UTF-8"?>',
        _tag("testsuites", name="driftctl-py", **counts, time=0),
        _tag("testsuite", name=clean(report.name), **counts, skipped=0, time=0),
        "<properties>",
        *(_tag("property", name=name, value=value, end="/") for name, value in _facts(report)),
        "</properties>",
        *(line for case in cases for line in _case(case)),
        f"<system-out>{_text(headline(report))}</system-out>",
        "</testsuite>",
        "</testsuites>",
    ]
    return "\n".join(lines) + "\n"


def _cases(report: PlanReport, view: View) -> Iterator[_Case]:
    for alert in alerts(report, view):
        yield _Case(
            name=_name(alert),
            group=_group(alert),
            outcome="error" if alert.rule is plan_alerts.INCOMPLETE else "failure",
            type=_type(alert),
            message=alert.message,
            body="\n".join(alert.details),
        )
    if view is View.FULL:
        for alert in equivalents(report):
            yield _Case(
                _name(alert), _group(alert), body="\n".join((alert.message, *alert.details))
            )
        for check in report.plan.checks:
            if check.status == "pass":
                yield _Case(clean(check.address), "checks", body="the check holds")
    # There always is one: what reads JUnit takes a suite without cases for a broken one.
    yield _Case("unchanged", "driftctl-py", body=f"{_unchanged(report)} unchanged")


def _name(alert: Alert) -> str:
    return f"{alert.subject} (deposed {alert.deposed})" if alert.deposed else alert.subject


def _group(alert: Alert) -> str:
    """What shows test results as a tree cuts this at its last dot."""
    if alert.finding is None:
        return {
            plan_alerts.FAILED_CHECK: "checks",
            plan_alerts.PENDING_OUTPUT: "outputs",
            plan_alerts.PENDING_ACTION: "actions",
        }.get(alert.rule, "driftctl-py")
    parsed = parse_address(alert.finding.address)
    if parsed is None:
        return "resources"
    return clean(".".join(filter(None, (parsed.module, parsed.type))))


def _type(alert: Alert) -> str:
    known = _TYPES.get(alert.rule)
    if known is not None:
        return known
    return "drift" if alert.finding and alert.finding.drifted else "pending"


def _unchanged(report: PlanReport) -> int:
    told = {(each.address, each.deposed) for each in report.assessment.findings}
    return report.plan.managed - sum(
        each.change is not None
        and each.change.mode == "managed"
        and not each.change.deposed
        and (each.change.address, "") in told
        for each in report.plan.joined
    )


def _facts(report: PlanReport) -> Iterator[tuple[str, object]]:
    assessment, totals, risk = report.assessment, report.assessment.totals, report.risk
    yield "status", assessment.status.value
    yield "complete", assessment.complete
    yield "strict", report.strict
    yield "engine_version", clean(report.plan.engine_version)
    yield "add", totals.add
    yield "change", totals.change
    yield "destroy", totals.destroy
    yield "import", totals.import_
    yield "forget", totals.forget
    yield "drifted", assessment.drifted
    yield "equivalents", assessment.equivalents
    yield "stateful", len(risk.stateful)
    yield "touched", risk.touched
    yield "managed", risk.managed
    yield "fingerprint", str(report.fingerprint)


def _case(case: _Case) -> Iterator[str]:
    yield _tag("testcase", name=case.name, classname=case.group, time=0)
    if case.outcome:
        tag = _tag(case.outcome, type=case.type, message=case.message)
        yield f"{tag}{_text(case.body)}</{case.outcome}>"
    else:
        yield f"<system-out>{_text(case.body)}</system-out>"
    yield "</testcase>"


def _tag(tag: str, /, *, end: str = "", **attributes: object) -> str:
    words = "".join(f' {key}="{_text(_word(value))}"' for key, value in attributes.items())
    return f"<{tag}{words}{end}>"


def _word(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _text(text: str) -> str:
    text = _ILLEGAL.sub(lambda found: f"\\u{ord(found[0]):04x}", text)
    return re.sub('[&<>"]', lambda found: _REFERENCES[found[0]], text)
