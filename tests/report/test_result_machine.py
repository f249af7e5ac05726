"""Many results for machines: JSON, JUnit, SARIF, and outputs of a step."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import jsonschema
import pytest
import xmlschema
from hypothesis import given, settings
from hypothesis import strategies as st
from referencing import Registry, Resource

from driftctl_py.core.check import Verdict
from driftctl_py.core.forge import Published
from driftctl_py.core.plan import Kind
from driftctl_py.core.result import Gated, Item, Result, Results, Standing
from driftctl_py.errors import Diagnostic
from driftctl_py.report import result_alerts
from driftctl_py.report.result_alerts import RULES, rule_of
from driftctl_py.report.result_alerts import result_alerts as alerts
from driftctl_py.report.result_document import render_results_json
from driftctl_py.report.result_junit import render_results_junit
from driftctl_py.report.result_outputs import output_lines, step_outputs
from driftctl_py.report.result_sarif import render_results_sarif
from driftctl_py.report.show import no_commands
from tests.core.result_examples import BUCKET, DATABASE, EVERYTHING, FAILED, REFUSED, result
from tests.report.plan_reports import EVIL

DATA = Path(__file__).parents[1] / "data/schemas"
DOCS = Path(__file__).parents[2] / "docs"
JUNIT = xmlschema.XMLSchema(DATA / "junit-10.xsd")
SARIF = jsonschema.Draft4Validator(json.loads((DATA / "sarif-schema-2.1.0.json").read_text()))
# Any: the library's own type has a parameter that nobody here cares for.
REGISTRY: Any = Registry().with_resource(
    "result.schema.json",
    Resource.from_contents(json.loads((DOCS / "result.schema.json").read_text())),
)
RESULTS = jsonschema.Draft202012Validator(
    json.loads((DOCS / "results.schema.json").read_text()), registry=REGISTRY
)

UNKNOWN = result(
    "qa",
    verdict=Verdict.UNKNOWN,
    totals=None,
    drifted=None,
    reason="The state is locked.",
    diagnostics=(Diagnostic("warning", "Locked", "", "", "main.tf:7"),),
)
ALL = Results(
    (EVERYTHING, FAILED, REFUSED, UNKNOWN, result("calm")),
    missing=("lost",),
    unreadable=("x.result.json: it is damaged",),
)
NOTHING = Results(())


def junit(results: Results) -> ElementTree.Element:
    text = render_results_junit(results)
    JUNIT.validate(text)
    root = ElementTree.fromstring(text.encode())
    for each in (root, *root):
        cases = each.findall("testcase") or each.findall("testsuite/testcase")
        assert each.get("tests") == str(len(cases))
    return root


def sarif(results: Results) -> Any:
    document = json.loads(render_results_sarif(results))
    SARIF.validate(document)
    (run,) = document["runs"]
    prints = [each["partialFingerprints"]["primaryLocationLineHash"] for each in run["results"]]
    assert len(set(prints)) == len(prints)
    return run


def document(results: Results) -> Any:
    found = json.loads(render_results_json(results))
    RESULTS.validate(found)
    return found


@pytest.mark.parametrize("results", [ALL, NOTHING, Results((result(),))])
def test_every_document_is_as_published(results: Results) -> None:
    junit(results)
    sarif(results)

    assert document(results)["exit_code"] == results.exit_code


def test_the_document_holds_the_results_as_they_were_written() -> None:
    found = document(ALL)

    assert [each["environment"] for each in found["results"]] == [
        "prod",
        "dev",
        "staging",
        "qa",
        "calm",
    ]
    assert found["summary"] == {
        "in sync": 1,
        "drifted": 0,
        "pending": 1,
        "drifted and pending": 1,
        "unknown": 1,
        "failed": 1,
        "missing": 1,
        "unreadable": 1,
    }
    assert found["results"][0]["items"][0]["lines"] == list(DATABASE.lines)
    assert found["job"]["pull"] == 7


def test_the_schema_is_closed() -> None:
    RESULTS.check_schema(RESULTS.schema)
    with pytest.raises(jsonschema.ValidationError):
        RESULTS.validate(document(NOTHING) | {"more": 1})


def test_alerts_come_with_the_gravest_first() -> None:
    found = [(each.rule.name, each.environment, each.subject) for each in alerts(ALL)]

    assert found == [
        ("no-result", "lost", "lost"),
        ("no-result", "", "results"),
        ("environment-failed", "dev", "dev"),
        ("environment-unknown", "qa", "qa"),
        ("refused", "staging", "staging"),
        ("pending-replace", "prod", "aws_db_instance.main"),
        ("pending-replace", "staging", "aws_db_instance.main"),
        ("drift", "prod", 'module.web["a"].aws_s3_bucket.assets'),
        ("pending-output", "prod", "prod"),
    ]


@pytest.mark.parametrize(
    ("kind", "cause", "rule"),
    [
        (Kind.DELETE, "commit", "pending-destroy"),
        (Kind.REPLACE, "drift", "pending-replace"),
        (Kind.REPLACE_CREATE_FIRST, "commit", "pending-replace"),
        (Kind.FORGET, "commit", "pending-forget"),
        (Kind.UNKNOWN, "drift", "unknown-action"),
        (Kind.CREATE, "drift", "drift-deleted"),
        (Kind.UPDATE, "drift and commit", "drift"),
        (Kind.NO_OP, "drift", "drift"),
        (Kind.UPDATE, "commit", "pending-change"),
        (Kind.CREATE, "undetermined", "pending-change"),
    ],
)
def test_an_object_breaks_the_rule_that_it_breaks_in_a_plan(
    kind: Kind, cause: str, rule: str
) -> None:
    assert rule_of(replace(BUCKET, action=kind.value, cause=cause)).name == rule


def test_every_rule_has_a_help_and_a_name_of_its_own() -> None:
    assert len({rule.name for rule in RULES}) == len(RULES)
    assert all(len(rule.help) > 40 for rule in RULES)


def test_a_message_is_what_stands_beside_the_address() -> None:
    plain = replace(BUCKET, lines=(f"! ~ {BUCKET.address}",))
    strange = replace(BUCKET, lines=("something else",))
    found = alerts(Results((result(items=(DATABASE, plain, strange)),)))

    assert [each.message for each in found] == [
        "replace, destroys first",
        "changed outside Git",
        "changed outside Git",
    ]


@pytest.mark.parametrize(
    ("where", "place"),
    [
        ("main.tf:12", ("environments/qa/main.tf", 12)),
        ("../../modules/web/main.tf:3", ("modules/web/main.tf", 3)),
        ("../../../elsewhere.tf:3", ("", 0)),
        (".terraform/modules/web/main.tf:3", ("", 0)),
        ("/etc/main.tf:3", ("", 0)),
        ("main.tf:x", ("", 0)),
        ("main.tf:²", ("", 0)),
        ("main.tf:99999999", ("", 0)),
        ("main.tf", ("", 0)),
        ("", ("", 0)),
    ],
)
def test_a_failure_points_where_its_diagnostic_points_in_the_repository(
    where: str, place: tuple[str, int]
) -> None:
    failed = replace(UNKNOWN, diagnostics=(Diagnostic("error", "Broken", where=where),))

    (found,) = alerts(Results((failed,)))

    assert (found.file, found.line) == place


def test_a_failure_without_words_says_at_least_that() -> None:
    bare = replace(FAILED, reason="", todo="")
    refused = replace(REFUSED, items=(), gate=Gated(Standing.REFUSED))

    assert [each.message for each in alerts(Results((bare, refused)))] == ["failed", "pending"]


def test_sarif_points_at_the_block() -> None:
    found = sarif(ALL)["results"]
    of = {each["properties"]["environment"]: each["locations"][0] for each in found[::-1]}
    prod = of["prod"]["physicalLocation"]

    assert prod["artifactLocation"]["uri"] == "environments/prod/main.tf"
    assert prod["region"]["startLine"] == 12
    assert of["qa"]["physicalLocation"]["artifactLocation"]["uri"] == "environments/qa/main.tf"
    assert of["lost"]["physicalLocation"]["artifactLocation"]["uri"] == "results"
    assert found[5]["message"]["text"].startswith(
        "prod: aws_db_instance.main: replace, destroys first.\n"
    )
    assert found[2]["message"]["text"].startswith("dev: No plan came about: Invalid reference.")


def test_sarif_says_whether_all_was_seen() -> None:
    assert sarif(ALL)["invocations"][0]["executionSuccessful"] is False
    assert sarif(Results((EVERYTHING,)))["invocations"][0]["executionSuccessful"] is True
    assert sarif(NOTHING)["automationDetails"]["id"] == "driftctl-py/results/none/"
    assert sarif(ALL)["automationDetails"]["id"] == "driftctl-py/results/review/"


def test_an_alert_keeps_its_fingerprint_wherever_its_block_moves_to() -> None:
    moved = replace(EVERYTHING, items=(replace(DATABASE, file="other.tf", line=99), BUCKET))

    def prints(of: Result) -> list[Any]:
        return [each["partialFingerprints"] for each in sarif(Results((of,)))["results"]]

    assert prints(moved) == prints(EVERYTHING)


def test_junit_fails_for_objects_and_errs_for_environments() -> None:
    root = junit(ALL)
    suites = {each.get("name"): each for each in root}

    assert (root.get("failures"), root.get("errors")) == ("5", "4")
    assert suites["prod"].get("time") == "2.5"
    case = suites["prod"].find("testcase")
    assert case is not None
    assert case.get("classname") == "aws_db_instance"
    assert (case.findtext("failure") or "").endswith("\nat environments/prod/main.tf:12")
    assert [each.tag for each in suites["dev"].findall("testcase/*")] == ["error"]
    assert [each.tag for each in suites["calm"].findall("testcase/*")] == ["system-out"]
    assert [each.tag for each in suites["lost"].findall("testcase/*")] == ["error"]
    assert [each.tag for each in suites["results"].findall("testcase/*")] == ["error"]


def test_a_deposed_object_is_told_from_the_one_that_stays() -> None:
    gone = replace(DATABASE, deposed="abcd")
    odd = replace(BUCKET, address="no address[")

    (suite,) = junit(Results((result(items=(gone, odd)),)))

    names = [(each.get("name"), each.get("classname")) for each in suite.findall("testcase")]
    assert names[:2] == [
        ("aws_db_instance.main (deposed abcd)", "aws_db_instance"),
        ("no address[", "resources"),
    ]


def test_outputs_count_environments_and_name_them() -> None:
    told = (
        Published("summary: written"),
        Published("comment: updated", "https://example.com/7#issuecomment-1"),
        Published("checks: 2 checks", "https://example.com/checks"),
    )

    assert step_outputs(ALL, told) == {
        "status": "failed",
        "exit_code": "1",
        "environments": "6",
        "drifted": "1",
        "pending": "2",
        "failed": "4",
        "held": "1",
        "refused": "1",
        "destroys": "2",
        "drifted_environments": '["prod"]',
        "pending_environments": '["prod", "staging"]',
        "failed_environments": '["dev", "qa", "lost"]',
        "comment_url": "https://example.com/7#issuecomment-1",
    }
    assert step_outputs(NOTHING)["status"] == "in sync"
    assert step_outputs(Results((EVERYTHING, result())))["status"] == "drifted and pending"
    assert step_outputs(NOTHING)["comment_url"] == ""


def test_an_output_is_no_line_that_says_another() -> None:
    text = output_lines({"a": "x\nb=1\na<<END", "c": ""}, "driftctl-1")

    assert text == "a<<driftctl-1\nx\nb=1\na<<END\ndriftctl-1\nc<<driftctl-1\n\ndriftctl-1\n"


@pytest.mark.parametrize("evil", EVIL)
def test_nothing_foreign_breaks_a_document(evil: str) -> None:
    bad = replace(
        EVERYTHING,
        environment=evil,
        path=evil,
        items=(Item(evil, "delete", "commit", True, (f"- {evil}", evil), deposed=evil),),
        outputs=(evil,),
        reason=evil,
        verdict=Verdict.FAILED,
        diagnostics=(Diagnostic(evil, evil, evil, evil, f"{evil}:3"),),
        gate=Gated(Standing.REFUSED, (evil, evil), evil, evil),
    )
    results = Results((bad,), missing=(evil,), unreadable=(evil,))

    junit(results)
    sarif(results)
    assert json.loads(render_results_json(results))["missing"] == [evil]
    for text in (
        render_results_junit(results),
        render_results_sarif(results),
        render_results_json(results),
    ):
        assert text == no_commands(text)


# A schema of XML is slow.
@settings(max_examples=25)
@given(st.text(min_size=1), st.text(), st.sampled_from(Kind))
def test_any_result_makes_documents(name: str, text: str, kind: Kind) -> None:
    item = Item(text or "x", kind.value, "drift", kind.destroys, (text,), deposed=text)
    results = Results((result(name, items=(item,), outputs=(text,), path=text),), missing=(text,))

    junit(results)
    sarif(results)
    json.loads(render_results_json(results))
    assert result_alerts.NO_RESULT in {each.rule for each in alerts(results)}
