from __future__ import annotations

from pathlib import Path
from xml.etree import ElementTree

import pytest
import xmlschema
from hypothesis import given, settings
from hypothesis import strategies as st

from driftctl_py.core.plan_report import PlanReport, View
from driftctl_py.report.plan_junit import render_plan_junit
from tests.data import plans
from tests.report.plan_reports import (
    EVIL,
    VISIBLE,
    entry,
    evil_plan,
    many,
    of,
    plan,
    report_at,
    report_of,
)

SCHEMA = xmlschema.XMLSchema(Path(__file__).parents[1] / "data/schemas/junit-10.xsd")


def read(report: PlanReport, view: View = View.CHANGES) -> ElementTree.Element:
    """The suite of a report that is as published, and whose numbers add up."""
    text = render_plan_junit(report, view)
    SCHEMA.validate(text)
    root = ElementTree.fromstring(text.encode())
    suites = list(root)
    (suite,) = suites
    for each in (root, suite):
        assert each.get("tests") == str(len(suite.findall("testcase")))
        assert each.get("failures") == str(len(suite.findall("testcase/failure")))
        assert each.get("errors") == str(len(suite.findall("testcase/error")))
    return suite


def case(suite: ElementTree.Element, name: str) -> ElementTree.Element:
    (found,) = (each for each in suite.findall("testcase") if each.get("name") == name)
    return found


def outcome(found: ElementTree.Element) -> tuple[str, str | None, str | None]:
    (only,) = found
    return only.tag, only.get("type"), only.get("message")


@pytest.mark.parametrize("path", plans.files(), ids=plans.ids)
def test_every_real_plan_is_as_published(path: Path) -> None:
    report = report_at(path)
    for view in View:
        suite = read(report, view)

        findings = len(report.assessment.findings)
        assert len(suite.findall("testcase/failure")) >= findings
        assert suite.get("name") == "plan.json"


@pytest.mark.parametrize(
    ("good", "bad"),
    [("failure", "failed"), (" classname=", " class="), (' time="0"', ' time="none"')],
)
def test_the_published_schema_has_teeth(good: str, bad: str) -> None:
    text = render_plan_junit(of("rich"), View.CHANGES)

    assert good in text
    assert not SCHEMA.is_valid(text.replace(good, bad))


@pytest.mark.parametrize("view", View)
@pytest.mark.parametrize("text", EVIL)
def test_evil_values_stay_text(text: str, view: View) -> None:
    suite = read(report_of(evil_plan(text), name=text), view)

    assert {each.tag for each in suite.iter()} <= {
        "testsuite",
        "properties",
        "property",
        "testcase",
        "failure",
        "error",
        "system-out",
    }


@settings(deadline=None)
@given(st.text(max_size=20), st.characters())
def test_any_text_at_all_is_legal_xml(text: str, character: str) -> None:
    value = (text + character).encode(errors="replace").decode()

    read(report_of(evil_plan(value or "x"), name=text + character), View.FULL)


def test_a_failure_says_whether_the_world_or_the_code_moved() -> None:
    suite = read(of("rich"))

    assert outcome(case(suite, "folder_bucket.assets")) == (
        "failure",
        "drift",
        "change; drift: changed outside; apply puts it back",
    )
    assert outcome(case(suite, "folder_server.batch")) == (
        "failure",
        "pending",
        "destroy; not in the code any more",
    )
    assert case(suite, "folder_bucket.assets")[0].text == (
        'tags.team: "platform" → "growth" (recorded → real)'
    )


def test_a_summary_has_no_bodies() -> None:
    suite = read(of("rich"), View.SUMMARY)

    assert {each.text for each in suite.findall("testcase/failure")} == {None}


def test_an_incomplete_plan_is_an_error_of_its_own() -> None:
    suite = read(of("errored"))

    tag, kind, message = outcome(case(suite, "plan.json"))
    assert (tag, kind) == ("error", "incomplete")
    assert message
    assert message.startswith("the plan is incomplete: the engine failed")


def test_what_is_not_known_fails_as_unknown() -> None:
    suite = read(report_of(plan(resource_changes=[entry("x.y", "odd")])))

    assert outcome(case(suite, "x.y"))[1] == "unknown"


def test_what_is_no_resource_has_a_group_of_its_own() -> None:
    suite = read(
        report_of(
            plan(
                resource_changes=[entry("no address", "delete")],
                output_changes={"a": {"actions": ["create"], "after": 1} | VISIBLE},
                checks=[{"address": {"to_display": "check.a"}, "status": "error"}],
                action_invocations=[{"address": "action.a.b"}],
            )
        )
    )

    assert {each.get("name"): each.get("classname") for each in suite.findall("testcase")} == {
        "no address": "resources",
        "output.a": "outputs",
        "check.a": "checks",
        "action.a.b": "actions",
        "unchanged": "driftctl-py",
    }
    assert outcome(case(suite, "check.a"))[1] == "check"


def test_a_resource_is_grouped_by_module_and_type() -> None:
    address = 'module.web["eu"].aws_s3_bucket.a[0]'
    suite = read(report_of(plan(resource_changes=[entry(address, "delete", deposed="d1")])))

    found = case(suite, f"{address} (deposed d1)")
    assert found.get("classname") == 'module.web["eu"].aws_s3_bucket'


def test_what_is_unchanged_passes_in_one_case_with_its_count() -> None:
    changes = [
        entry("x.a", "no-op"),
        entry("x.b", "no-op"),
        entry("x.c", "no-op", previous_address="x.old"),
        entry("x.d", "update", before={"v": 1}),
        entry("x.d", "delete", deposed="d1"),
        entry("data.x.e", "read", mode="data"),
    ]
    drift = [
        entry("x.b", "update", before={"v": None}, after={"v": ""}),
        entry("x.gone", "delete", before={"v": 1}, after=None),
    ]
    suite = read(report_of(plan(resource_changes=changes, resource_drift=drift)))

    assert case(suite, "unchanged")[0].text == "2 unchanged"
    assert len(suite.findall("testcase/failure")) == 4


def test_a_plan_in_sync_still_has_a_case() -> None:
    suite = read(of("clean"))

    assert [each.get("name") for each in suite.findall("testcase")] == ["unchanged"]


def test_the_full_view_lists_what_passes() -> None:
    checks = [
        {"address": {"to_display": "check.good"}, "status": "pass"},
        {"address": {"to_display": "check.later"}, "status": "unknown"},
    ]
    drift = [entry("x.y", "update", before={"v": None}, after={"v": ""})]
    report = report_of(plan(resource_drift=drift, checks=checks))

    assert len(read(report).findall("testcase")) == 1
    suite = read(report, View.FULL)
    assert outcome(case(suite, "x.y"))[0] == "system-out"
    assert case(suite, "x.y")[0].text == (
        'other spellings of the same\nv: null → "" (recorded → real)'
    )
    assert case(suite, "check.good").get("classname") == "checks"
    assert len(suite.findall("testcase")) == 3


def test_totals_and_fingerprint_are_properties() -> None:
    report = of("rich")
    suite = read(report)

    facts = {each.get("name"): each.get("value") for each in suite.findall("properties/property")}
    totals = report.assessment.totals
    assert facts["fingerprint"] == str(report.fingerprint)
    assert (facts["status"], facts["complete"]) == ("drifted and pending", "true")
    assert [facts["add"], facts["change"], facts["destroy"], facts["import"], facts["forget"]] == [
        str(each)
        for each in (totals.add, totals.change, totals.destroy, totals.import_, totals.forget)
    ]


def test_every_time_is_nothing() -> None:
    text = render_plan_junit(of("rich"), View.CHANGES)

    assert text.count(' time="') == text.count(' time="0"') > 2


def test_the_same_plan_gives_the_same_bytes() -> None:
    assert render_plan_junit(of("rich"), View.FULL) == render_plan_junit(of("rich"), View.FULL)


def test_thousands_cost_little() -> None:
    from time import process_time

    report = report_of(many(2000, "update"))
    began = process_time()
    text = render_plan_junit(report, View.CHANGES)

    assert text.count("<failure") == 2000
    assert process_time() - began < 2
