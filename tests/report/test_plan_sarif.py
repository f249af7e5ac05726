from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import jsonschema
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from driftctl_py import __version__
from driftctl_py.core.plan_report import PlanReport, View
from driftctl_py.report.plan_alerts import RULES
from driftctl_py.report.plan_sarif import render_plan_sarif
from tests.data import plans
from tests.report.plan_reports import EVIL, entry, evil_plan, many, of, plan, report_at, report_of

SCHEMA = json.loads(
    (Path(__file__).parents[1] / "data/schemas/sarif-schema-2.1.0.json").read_text()
)
VALIDATOR = jsonschema.Draft4Validator(SCHEMA, format_checker=jsonschema.FormatChecker())


def read(report: PlanReport, view: View = View.CHANGES) -> Any:
    """The run of a document that is as published, and as GitHub asks for."""
    document = json.loads(render_plan_sarif(report, view))
    VALIDATOR.validate(document)
    (run,) = document["runs"]
    rules = run["tool"]["driver"]["rules"]
    assert len(run["results"]) <= 5000
    for result in run["results"]:
        assert rules[result["ruleIndex"]]["id"] == result["ruleId"]
        assert result["level"] == rules[result["ruleIndex"]]["defaultConfiguration"]["level"]
        assert result["message"]["text"]
        assert result["partialFingerprints"]["primaryLocationLineHash"]
        (location,) = result["locations"]
        uri = location["physicalLocation"]["artifactLocation"]["uri"]
        assert urlsplit(uri)[:2] == ("", "")
        assert not uri.startswith("/")
        assert ".." not in uri.split("/")
        assert location["physicalLocation"]["region"]["startLine"] >= 1
    hashes = [each["partialFingerprints"]["primaryLocationLineHash"] for each in run["results"]]
    assert len(set(hashes)) == len(hashes)
    return run


def about(address: str, run: Any) -> Any:
    (found,) = (
        each
        for each in run["results"]
        for place in each["locations"][0]["logicalLocations"]
        if place["fullyQualifiedName"] == address
    )
    return found


@pytest.mark.parametrize("path", plans.files(), ids=plans.ids)
def test_every_real_plan_is_as_published(path: Path) -> None:
    report = report_at(path)
    for view in View:
        run = read(report, view)

        assert len(run["results"]) >= len(report.assessment.findings)
        assert run["invocations"][0]["executionSuccessful"] == report.assessment.complete


@pytest.mark.parametrize(
    ("key", "value"), [("level", "fatal"), ("message", {}), ("ruleIndex", -2), ("more", 1)]
)
def test_the_published_schema_has_teeth(key: str, value: object) -> None:
    document = json.loads(render_plan_sarif(of("rich"), View.CHANGES))
    document["runs"][0]["results"][0][key] = value

    assert not VALIDATOR.is_valid(document)


def test_every_rule_says_what_is_the_matter_and_what_to_do() -> None:
    driver = read(of("clean"))["tool"]["driver"]

    assert (driver["name"], driver["semanticVersion"]) == ("driftctl-py", __version__)
    assert [each["id"] for each in driver["rules"]] == [each.name for each in RULES]
    for rule in driver["rules"]:
        assert 20 < len(rule["help"]["text"]) < 1024
        assert rule["name"].isalnum()
        assert rule["properties"]["problem.severity"] in ("error", "warning", "recommendation")


@pytest.mark.parametrize("view", View)
@pytest.mark.parametrize("text", EVIL)
def test_evil_values_stay_text(text: str, view: View) -> None:
    document = render_plan_sarif(report_of(evil_plan(text), name=text), view)

    run = read(report_of(evil_plan(text), name=text), view)
    assert all(character == "\n" or character.isprintable() for character in document)
    for result in run["results"]:
        # SARIF's own links and placeholders.
        assert "](" not in result["message"]["text"]
        assert "{0}" not in result["message"]["text"]


def test_what_destroys_is_an_error_and_names_its_object() -> None:
    destroyed = about("folder_server.batch", read(of("rich")))

    assert (destroyed["ruleId"], destroyed["level"]) == ("pending-destroy", "error")
    assert destroyed["message"]["text"].startswith(
        "folder_server.batch: destroy; not in the code any more."
    )
    assert destroyed["properties"] == {
        "kind": "delete",
        "origin": "pending",
        "drifted": False,
        "pending": True,
        "modifiers": [],
        "deposed": None,
    }


def test_drift_is_a_warning_with_both_values() -> None:
    drifted = about("folder_bucket.assets", read(of("rich")))

    assert (drifted["ruleId"], drifted["level"]) == ("drift", "warning")
    assert drifted["message"]["text"] == (
        "folder_bucket.assets: change; drift: changed outside; apply puts it back.\n"
        'tags.team: "platform" → "growth" (recorded → real)'
    )


def test_an_incomplete_plan_is_about_no_resource() -> None:
    run = read(of("errored"))

    assert run["results"][0]["ruleId"] == "incomplete"
    assert run["results"][0]["locations"][0]["logicalLocations"] == []
    assert run["results"][0]["message"]["text"].count("..") == 0


def fingerprints(report: PlanReport) -> dict[str, str]:
    return {
        each["message"]["text"].split(":")[0]: each["partialFingerprints"][
            "primaryLocationLineHash"
        ]
        for each in read(report, View.SUMMARY)["results"]
    }


def test_a_fingerprint_outlives_values_order_and_engine() -> None:
    def changed(*values: int, names: str) -> PlanReport:
        return report_of(
            plan(
                resource_changes=[
                    entry(f"x.{name}", "update", before={"v": 0}, after={"v": value})
                    for name, value in zip(names, values, strict=True)
                ]
            ),
        )

    one, other = changed(1, 2, names="ab"), changed(3, 4, names="ba")
    assert fingerprints(one) == fingerprints(other)


def test_a_fingerprint_changes_with_the_rule_the_object_and_its_deposed_key() -> None:
    found = [
        fingerprints(report_of(plan(resource_changes=[change])))["x.y"]
        for change in (
            entry("x.y", "delete"),
            entry("x.y", "delete", deposed="d1"),
            entry("x.y", "update", after={"v": 1}),
        )
    ]

    assert len(set(found)) == 3


def test_two_alike_are_told_apart_by_their_number() -> None:
    twice = [{"address": "action.a.b"}, {"address": "action.a.b"}]
    results = read(report_of(plan(action_invocations=twice)))["results"]

    first, second = (each["partialFingerprints"]["primaryLocationLineHash"] for each in results)
    assert first.removesuffix(":1") == second.removesuffix(":2")


@pytest.mark.parametrize(
    ("name", "uri"),
    [
        ("plan.json", "plan.json"),
        ("standard input", "standard%20input"),
        ("/srv/ci/../plan.json", "srv/ci/plan.json"),
        ("https://host/plan.json", "https%3A/host/plan.json"),
        ("", "plan"),
        ("//", "plan"),
        ("plan-\udcff.json", "plan-%5Cudcff.json"),
    ],
)
def test_the_place_is_the_plan_as_a_relative_reference(name: str, uri: str) -> None:
    run = read(of("rich", name=name))

    found = run["results"][0]["locations"][0]["physicalLocation"]["artifactLocation"]["uri"]
    assert found == uri


@settings(deadline=None)
@given(st.text(max_size=20))
def test_any_name_makes_a_relative_reference(name: str) -> None:
    report = report_of(plan(resource_changes=[entry("x.y", "delete")]), name=name)
    run = read(report)

    uri = run["results"][0]["locations"][0]["physicalLocation"]["artifactLocation"]["uri"]
    assert unquote(uri).split("/")[-1] in (*name.split("/"), "plan")


def test_plans_of_two_names_are_two_analyses() -> None:
    ids = [read(of("rich", name=name))["automationDetails"]["id"] for name in ("a", "b")]

    assert ids == ["driftctl-py/a/", "driftctl-py/b/"]


def test_no_more_results_than_github_takes_and_the_gravest_of_them() -> None:
    changes = json.loads(many(6000, "update"))["resource_changes"]
    changes.append(entry("x.y", "delete"))
    run = read(report_of(plan(resource_changes=changes)), View.SUMMARY)

    assert len(run["results"]) == 5000
    assert run["results"][0]["ruleId"] == "pending-destroy"
    (notification,) = run["invocations"][0]["toolExecutionNotifications"]
    assert notification["message"]["text"].startswith("There are 6001 results;")


def test_the_same_plan_gives_the_same_bytes() -> None:
    assert render_plan_sarif(of("rich"), View.FULL) == render_plan_sarif(of("rich"), View.FULL)


def test_thousands_cost_little() -> None:
    from time import process_time

    report = report_of(many(2000, "update"))
    began = process_time()
    render_plan_sarif(report, View.CHANGES)

    assert process_time() - began < 2
