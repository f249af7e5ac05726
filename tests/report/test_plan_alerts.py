from __future__ import annotations

from pathlib import Path

import pytest

from driftctl_py.core.plan_report import View
from driftctl_py.report.plan_alerts import RULES, Alert, Level, alerts, headline
from tests.data import plans
from tests.report.plan_reports import EVIL, entry, evil_plan, many, of, plan, report_at, report_of


def about(address: str, found: list[Alert]) -> Alert:
    (alert,) = (each for each in found if each.subject == address)
    return alert


def test_rules_are_named_once_and_ordered_by_how_grave_they_are() -> None:
    levels = [list(Level).index(rule.level) for rule in RULES]

    assert len({rule.name for rule in RULES}) == len(RULES)
    assert levels == sorted(levels)
    # As much as GitHub shows.
    assert all(len(rule.title) < 1024 and len(rule.help) < 1024 for rule in RULES)


@pytest.mark.parametrize("path", plans.files(), ids=plans.ids)
def test_there_is_one_alert_for_each_finding(path: Path) -> None:
    report = report_at(path)
    found = alerts(report, View.CHANGES)

    of_findings = [each.finding for each in found if each.finding]
    assert sorted(map(repr, of_findings)) == sorted(map(repr, report.assessment.findings))
    assert any(each.rule.name == "incomplete" for each in found) != report.assessment.complete
    assert all(each.message and each.subject for each in found)


@pytest.mark.parametrize(
    ("actions", "rule"),
    [
        (["delete"], "pending-destroy"),
        (["delete", "create"], "pending-replace"),
        (["create", "delete"], "pending-replace"),
        (["forget"], "pending-forget"),
        (["create", "forget"], "pending-forget"),
        (["create"], "pending-change"),
        (["update"], "pending-change"),
        (["delete", "odd"], "unknown-action"),
    ],
)
def test_the_rule_follows_from_what_apply_would_do(actions: list[str], rule: str) -> None:
    change = entry("x.y", *actions, before={"v": "a"}, after={"v": "b"})

    assert about("x.y", alerts(report_of(plan(resource_changes=[change])), View.SUMMARY))
    (alert,) = alerts(report_of(plan(resource_changes=[change])), View.SUMMARY)
    assert alert.rule.name == rule


@pytest.mark.parametrize(
    ("actions", "rule"),
    [(["update"], "drift"), (["delete"], "drift-deleted"), (["odd"], "unknown-action")],
)
def test_the_rule_follows_from_what_happened_outside(actions: list[str], rule: str) -> None:
    after = None if actions == ["delete"] else {"v": "b"}
    drift = entry("x.y", *actions, before={"v": "a"}, after=after)
    (alert,) = alerts(report_of(plan(resource_drift=[drift])), View.SUMMARY)

    assert alert.rule.name == rule


def test_drift_that_forces_a_replacement_is_told_as_what_it_destroys() -> None:
    found = alerts(of("drift_replaces"), View.SUMMARY)

    replaced = [each for each in found if each.rule.name == "pending-replace"]
    assert replaced
    assert "drift: changed outside" in replaced[0].message


def test_what_is_gravest_comes_first() -> None:
    found = alerts(of("rich"), View.CHANGES)

    assert [RULES.index(each.rule) for each in found] == sorted(
        RULES.index(each.rule) for each in found
    )


@pytest.mark.parametrize("text", EVIL)
def test_nothing_in_an_alert_breaks_its_line(text: str) -> None:
    report = report_of(evil_plan(text), name=text)

    for alert in alerts(report, View.FULL):
        words = (alert.subject, alert.message, alert.text, alert.deposed, *alert.details)
        assert all(each.isprintable() or "\ufffe" in each for each in words)
    assert len(headline(report).splitlines()) == 1


def test_a_deposed_object_is_another_one() -> None:
    changes = [entry("x.y", "delete", deposed="d1"), entry("x.y", "update", after={"v": 1})]
    found = alerts(report_of(plan(resource_changes=changes)), View.SUMMARY)

    assert [(each.subject, each.deposed) for each in found] == [("x.y", "d1"), ("x.y", "")]


def test_a_failed_check_is_told_without_its_message() -> None:
    alert = about("check.region", alerts(of("check_fails"), View.FULL))

    assert alert.text.startswith("check.region does not hold.")
    assert alert.message.startswith("does not hold.")


def test_a_difference_in_all_of_an_object_has_a_name() -> None:
    change = entry("x.y", "update", before=[1], after={"v": 1})
    (alert,) = alerts(report_of(plan(resource_changes=[change])), View.FULL)

    assert alert.details == ('all of it: [1] → {"v": 1} (real → planned)',)


def test_thousands_cost_little() -> None:
    from time import process_time

    report = report_of(many(2000, "update"))
    began = process_time()
    found = alerts(report, View.CHANGES)

    assert len(found) == 2000
    assert process_time() - began < 2
