"""One plan as JUnit XML, for what shows test results: a case for each object that there is
something to say about, which fails, and one that passes for all the others.

A plan has no duration, so every time is 0.
"""

from __future__ import annotations

from collections.abc import Iterator

from driftctl_py.core.address import parse_address
from driftctl_py.core.plan_report import PlanReport, View
from driftctl_py.report import plan_alerts
from driftctl_py.report.junit import Case, Suite, render_suites
from driftctl_py.report.plan_alerts import Alert, alerts, equivalents, headline
from driftctl_py.report.show import clean

_TYPES = {
    plan_alerts.UNKNOWN_ACTION: "unknown",
    plan_alerts.INCOMPLETE: "incomplete",
    plan_alerts.FAILED_CHECK: "check",
}


def render_plan_junit(report: PlanReport, view: View) -> str:
    """A suite for the plan, ending in a newline."""
    suite = Suite(
        clean(report.name),
        list(_cases(report, view)),
        facts=_facts(report),
        said=headline(report),
    )
    return render_suites([suite])


def _cases(report: PlanReport, view: View) -> Iterator[Case]:
    for alert in alerts(report, view):
        yield Case(
            name=_name(alert),
            group=_group(alert),
            outcome="error" if alert.rule is plan_alerts.INCOMPLETE else "failure",
            type=_type(alert),
            message=alert.message,
            body="\n".join(alert.details),
        )
    if view is View.FULL:
        for alert in equivalents(report):
            yield Case(_name(alert), _group(alert), body="\n".join((alert.message, *alert.details)))
        for check in report.plan.checks:
            if check.status == "pass":
                yield Case(clean(check.address), "checks", body="the check holds")
    # There always is one: what reads JUnit takes a suite without cases for a broken one.
    yield Case("unchanged", "driftctl-py", body=f"{_unchanged(report)} unchanged")


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
