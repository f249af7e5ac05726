from __future__ import annotations

import json
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from hypothesis import given

from driftctl_py.core.assessment import Assessment, AttributeChange, Origin, Status
from driftctl_py.core.check import Assessed, CheckReport
from driftctl_py.core.plan import ActionInvocation, Kind, OutputChange
from driftctl_py.core.values import ABSENT, UNKNOWN, Secrets, Value
from driftctl_py.report.json_report import render_json
from tests.core.test_values import VALUES
from tests.data import plans
from tests.report.examples import (
    DIRTY,
    EVERYTHING,
    FAILED,
    LOCKED,
    MAIN,
    checked,
    finding,
    planned,
    report_of,
    with_findings,
)

SCHEMA = json.loads((Path(__file__).parents[2] / "docs/report.schema.json").read_text())
VALIDATOR = jsonschema.Draft202012Validator(SCHEMA)


def read(report: CheckReport) -> Any:
    document = json.loads(render_json(report), parse_float=Decimal)
    VALIDATOR.validate(json.loads(render_json(report)))
    return document


def shown(value: Value) -> Any:
    attribute = AttributeChange(("v",), None, None, value, Origin.PENDING, drifted=False)
    document = read(report_of(with_findings(finding(attributes=(attribute,)))))
    return document["environments"][0]["findings"][0]["attributes"][0]["planned"]


def test_the_schema_is_one_and_closed() -> None:
    VALIDATOR.check_schema(SCHEMA)
    with pytest.raises(jsonschema.ValidationError):
        VALIDATOR.validate(json.loads(render_json(EVERYTHING)) | {"more": 1})


@pytest.mark.parametrize(
    "report",
    [
        EVERYTHING,
        report_of(),
        report_of(interrupted=True),
        report_of(FAILED, LOCKED, checked("dirty", revision=DIRTY)),
        report_of(checked("a", revision=replace(MAIN, committed_at=None))),
        report_of(*(planned(scenario, strict=True) for scenario in plans.scenarios()), strict=True),
    ],
)
def test_every_report_is_as_documented(report: CheckReport) -> None:
    document = read(report)

    assert document["schema_version"] == 1
    assert document["exit_code"] == report.exit_code
    assert sum(document["summary"].values()) == len(report.checks)


def test_drift_is_told_with_both_values() -> None:
    document = read(report_of(planned("drift_reverted")))

    (environment,) = document["environments"]
    assert environment["status"] == "drifted"
    assert environment["drifted"] == 2
    assert environment["totals"] == {
        "add": 0,
        "change": 2,
        "destroy": 0,
        "import": 0,
        "forget": 0,
    }
    assert environment["findings"][1] == {
        "address": "folder_server.web",
        "deposed": None,
        "kind": "update",
        "outside": "update",
        "origin": "drift-reverted",
        "drifted": True,
        "pending": False,
        "modifiers": [],
        "previous_address": None,
        "reason": None,
        "actions": ["update"],
        "sensitivity_changed": False,
        "attributes": [
            {
                "path": "cpus",
                "steps": ["cpus"],
                "in_json": False,
                "in_yaml": False,
                "recorded": 2,
                "real": 8,
                "planned": 2,
                "origin": "drift-reverted",
                "drifted": True,
                "sensitive": False,
                "unknown": False,
                "forces_replacement": False,
            }
        ],
    }


def test_without_a_plan_there_are_no_numbers() -> None:
    (failed, unknown) = read(report_of(FAILED, LOCKED))["environments"]

    assert (failed["totals"], failed["drifted"], failed["complete"]) == (None, None, False)
    assert (failed["revision"], failed["engine"]) == (None, None)
    assert failed["diagnostics"][0]["where"] == "main.tf:3"
    assert unknown["todo"].startswith("Wait for it")
    assert unknown["warnings"] == ["modules/net has a floating source: main"]


def test_an_incomplete_plan_tells_what_was_seen_and_that_it_is_not_all() -> None:
    (environment,) = read(report_of(planned("errored")))["environments"]

    assert environment["status"] == "unknown"
    assert not environment["complete"]
    assert len(environment["findings"]) == 1


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (UNKNOWN, {"$mark": "unknown"}),
        (ABSENT, {"$mark": "absent"}),
        (Secrets().mark("canary"), {"$mark": "sensitive"}),
        ({"a": [UNKNOWN]}, {"a": [{"$mark": "unknown"}]}),
        (12345678901234567891, 12345678901234567891),
        (Decimal("0.10"), Decimal("0.10")),
        (Decimal("1E+400"), Decimal("1E+400")),
        ("\x1b\x9b\u202e", "\x1b\x9b\u202e"),
        # Somebody's own object that looks like a mark.
        ({"$mark": "sensitive"}, {"$mark": "value", "value": {"$mark": "sensitive"}}),
    ],
)
def test_values_are_exact_and_marks_are_no_values(value: Value, words: Any) -> None:
    assert shown(value) == words


@given(VALUES)
def test_any_value_is_written(value: Value) -> None:
    shown(value)


def test_the_text_itself_holds_nothing_that_a_terminal_obeys() -> None:
    evil = "\x1b[2J\x9b\u202e\u200b"
    text = render_json(report_of(with_findings(finding(evil), name=evil)))

    assert text.isprintable() or set(text) - set("\n") == {c for c in text if c.isprintable()}
    assert json.loads(text)["environments"][0]["environment"] == evil


def test_half_a_character_in_a_name_is_spelled_out() -> None:
    (environment,) = read(report_of(checked("bytes \udcff")))["environments"]

    assert environment["environment"] == "bytes \\udcff"


def test_outputs_and_actions_are_listed() -> None:
    assessment = Assessment(
        status=Status.PENDING,
        outputs=(OutputChange("url", Kind.UPDATE, Secrets().mark("a"), UNKNOWN),),
        invocations=(ActionInvocation("action.x.a", "x.y"), ActionInvocation("action.x.b")),
    )
    (environment,) = read(report_of(checked("a", Assessed(assessment))))["environments"]

    assert environment["outputs"] == [
        {
            "name": "url",
            "kind": "update",
            "real": {"$mark": "sensitive"},
            "planned": {"$mark": "unknown"},
            "sensitive": True,
            "unknown": True,
        }
    ]
    assert [each["triggered_by"] for each in environment["action_invocations"]] == ["x.y", None]
