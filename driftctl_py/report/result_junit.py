"""Many results as JUnit XML, for what shows test results: a suite for each environment, and in it a
case for each object that there is something to say about, which fails, and one for all the others.
An environment without a plan is an error.
"""

from __future__ import annotations

from collections.abc import Iterator

from driftctl_py.core.address import parse_address
from driftctl_py.core.result import Result, Results
from driftctl_py.report import result_alerts
from driftctl_py.report.junit import Case, Suite, render_suites
from driftctl_py.report.result_alerts import ResultAlert, alerts_of
from driftctl_py.report.results_wording import DIED, about
from driftctl_py.report.show import clean

_ERRORS = (result_alerts.FAILED, result_alerts.NOT_KNOWN)


def render_results_junit(results: Results) -> str:
    """A document, ending in a newline."""
    suites = [_suite(each) for each in results.results]
    suites += [
        Suite(clean(name), [Case(clean(name), "driftctl-py", "error", "no-result", DIED)])
        for name in results.missing
    ]
    if results.unreadable:
        cases = [
            Case(f"result {at}", "driftctl-py", "error", "no-result", clean(why))
            for at, why in enumerate(results.unreadable, 1)
        ]
        suites.append(Suite("results", cases))
    return render_suites(suites)


def _suite(result: Result) -> Suite:
    cases = [_case(alert) for alert in alerts_of(result)]
    # There always is one: what reads JUnit takes a suite without cases for a broken one.
    if not any(case.outcome == "error" for case in cases):
        cases.append(Case("all other objects", "driftctl-py", body="nothing to say about them"))
    return Suite(
        clean(result.environment),
        cases,
        facts=_facts(result),
        said=clean(f"{result.environment}: {about(result)}"),
        seconds=result.duration_seconds,
    )


def _case(alert: ResultAlert) -> Case:
    name = f"{alert.subject} (deposed {alert.deposed})" if alert.deposed else alert.subject
    return Case(
        name,
        _group(alert),
        outcome="error" if alert.rule in _ERRORS else "failure",
        type=alert.rule.name,
        message=alert.message,
        # Not all readers know of an attribute for it.
        body="\n".join(
            [*alert.details, *([f"at {alert.file}:{alert.line}"] if alert.file else [])]
        ),
    )


def _group(alert: ResultAlert) -> str:
    """What shows test results as a tree cuts this at its last dot."""
    if alert.item is None:
        return "driftctl-py"
    parsed = parse_address(alert.item.address)
    if parsed is None:
        return "resources"
    return clean(".".join(filter(None, (parsed.module, parsed.type))))


def _facts(result: Result) -> Iterator[tuple[str, object]]:
    yield "status", result.verdict.value
    yield "occasion", result.occasion.value
    yield "commit", clean(result.commit)
    yield "engine", clean(result.engine)
    if result.totals is not None:
        yield "add", result.totals.add
        yield "change", result.totals.change
        yield "destroy", result.totals.destroy
    if result.drifted is not None:
        yield "drifted", result.drifted
    if result.gate is not None:
        yield "gate", result.gate.standing.value
    yield "fingerprint", clean(result.fingerprint)
