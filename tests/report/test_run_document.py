from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from driftctl_py.core.approval import Ask, Standing
from driftctl_py.core.decision import (
    Apply,
    Cause,
    Decision,
    Hold,
    Judgement,
    Level,
    Nothing,
    Refuse,
)
from driftctl_py.core.history import EnvironmentNow, Need, RunRecord, StatusNow
from driftctl_py.core.plan_report import View
from driftctl_py.core.restraint import Why
from driftctl_py.core.run import Purpose, State
from driftctl_py.errors import Diagnostic, DriftctlError, EngineError, StateError
from driftctl_py.report.plan_document import render_plan_json
from driftctl_py.report.run_document import (
    render_given_json,
    render_outcome_json,
    render_record_json,
    render_runs_json,
    render_status_json,
)
from tests.report import plan_reports
from tests.report.plan_reports import EVIL
from tests.report.run_examples import (
    APPLIED,
    ASKED,
    BLOCKED,
    BY_RULE,
    ENOUGH,
    FROZEN,
    JUDGEMENT,
    LEASE,
    MADE_AGAIN,
    NIGHTS,
    NOW,
    PARTLY,
    PINNED,
    REJECTED,
    REQUIREMENT,
    SUSPENDED,
    THAWS,
    bare,
    entry,
    harmless,
    run,
    said,
)

DOCS = Path(__file__).parents[2] / "docs"
SCHEMAS = {
    name: json.loads((DOCS / f"{name}.schema.json").read_text()) for name in ("run", "status")
}
PLAN_SCHEMA = json.loads((DOCS / "plan.schema.json").read_text())
HELD = Hold(JUDGEMENT, REQUIREMENT, ASKED)
REPORT = plan_reports.of("drift_reverted", name="prod")


def read(text: str, schema: str = "run") -> Any:
    document = json.loads(text)
    jsonschema.Draft202012Validator(SCHEMAS[schema]).validate(document)
    return document


@pytest.mark.parametrize("name", SCHEMAS)
def test_the_schemas_are_ones_and_closed(name: str) -> None:
    jsonschema.Draft202012Validator.check_schema(SCHEMAS[name])
    text = render_runs_json([]) if name == "run" else render_status_json(StatusNow((), NOW))

    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(read(text, name) | {"more": 1}, SCHEMAS[name])


def test_the_schema_knows_every_word() -> None:
    defs = SCHEMAS["run"]["$defs"]
    properties = defs["run"]["properties"]
    change = defs["judgement"]["properties"]["changes"]["items"]["properties"]
    environment = SCHEMAS["status"]["properties"]["environments"]["items"]["properties"]

    assert properties["state"]["enum"] == [each.value for each in State]
    assert properties["purpose"]["enum"] == [each.value for each in Purpose]
    assert change["level"]["enum"] == [each.name.lower() for each in Level]
    assert change["cause"]["enum"] == [each.value for each in Cause]
    assert defs["restraint"]["properties"]["why"]["enum"] == [each.value for each in Why]
    assert environment["needs"]["enum"] == [each.value for each in Need]


@pytest.mark.parametrize(
    ("decision", "what"),
    [
        (None, None),
        (Nothing("In sync."), "nothing"),
        (Apply(JUDGEMENT, (said(),)), "apply"),
        (HELD, "hold"),
        (Hold(JUDGEMENT, REQUIREMENT, REJECTED), "hold"),
        (Refuse(("No.",), JUDGEMENT, "Wait."), "refuse"),
        (Refuse(("No.",)), "refuse"),
    ],
)
def test_each_decision_is_told(decision: Decision | None, what: str | None) -> None:
    document = read(render_outcome_json(run(), decision, None, exit_code=2))

    assert (document["decision"] and document["decision"]["what"]) == what
    assert document["exit_code"] == 2


def test_why_it_is_not_the_time_is_told_with_until_when() -> None:
    hold = Hold(JUDGEMENT, REQUIREMENT, ASKED, (NIGHTS, replace(THAWS, until=None)))
    outcome = read(render_outcome_json(run(closed=hold.closed), hold, None, exit_code=2))
    now = EnvironmentNow("prod", run(), standing=ASKED, closed=(NIGHTS,))
    status = read(render_status_json(StatusNow((now,), NOW, (FROZEN,))), "status")

    nights = {"why": NIGHTS.why, "until": "2026-11-24T21:00:00Z", "by_command": False}
    frozen = {"why": THAWS.why, "until": None, "by_command": True}
    assert outcome["decision"]["closed"] == outcome["run"]["closed"] == [nights, frozen]
    assert status["environments"][0]["closed"] == [nights]
    assert [each["why"] for each in status["frozen"]] == ["frozen"]
    assert status["frozen"][0]["reason"] == "Black Friday."


def test_an_outcome_holds_its_plan_as_render_tells_it() -> None:
    document = read(render_outcome_json(run(), HELD, REPORT, exit_code=2, warnings=["Mind."]))

    assert document["plan"] == json.loads(render_plan_json(REPORT, View.FULL))
    jsonschema.validate(document["plan"], PLAN_SCHEMA)
    assert document["difference"] is None
    assert document["warnings"] == ["Mind."]


def test_numbers_in_a_plan_stay_as_exact_as_they_were() -> None:
    number = "1.00000000000000000000000000000000000000001"
    changed = plan_reports.entry("x.y", "update", before={"v": 1}, after={"v": "@"})
    plan = plan_reports.plan(resource_changes=[changed]).replace(b'"@"', number.encode())

    text = render_outcome_json(run(), None, plan_reports.report_of(plan), exit_code=2)

    assert number in text


def test_what_changed_since_the_approval_is_told() -> None:
    now = plan_reports.of("drift_and_pending", name="prod")

    document = read(
        render_outcome_json(run(), HELD, now, before=REPORT, again="It moved.", exit_code=2)
    )

    assert document["planned_again_because"] == "It moved."
    assert document["difference"]["document"] == "plan-difference"
    assert document["difference"]["a"] == "the plan that waited"
    assert document["difference"]["same"] is False


def test_the_run_that_put_drift_back_first_is_told() -> None:
    healed = run(State.APPLIED, id="healed", purpose=Purpose.HEAL)

    document = read(render_outcome_json(run(), HELD, None, healed=healed, exit_code=2))

    assert document["healed"]["id"] == "healed"


@pytest.mark.parametrize(
    ("error", "diagnostics"),
    [
        (EngineError("It failed.", diagnostics=(Diagnostic("error", "No", "d", "a", "w"),)), 1),
        (StateError("It is locked.", todo="Wait."), 0),
    ],
)
def test_an_error_is_told_with_the_engines_words(error: DriftctlError, diagnostics: int) -> None:
    document = read(render_outcome_json(bare(State.FAILED), None, None, error=error, exit_code=1))

    assert document["error"]["kind"] == type(error).__name__
    assert len(document["error"]["diagnostics"]) == diagnostics


def test_what_was_never_known_is_null() -> None:
    failed = read(render_runs_json([bare(State.FAILED)]))["runs"][0]

    nothing = {name for name, value in failed.items() if value is None}
    assert nothing >= {"commit", "engine", "status", "totals", "drifted", "fingerprint", "applied"}


def test_a_run_holds_all_that_is_known_of_it() -> None:
    whole = run(State.APPLIED, applied=APPLIED, ended_at=NOW, reason="r", todo="t", base="b")

    (told,) = read(render_runs_json([whole]))["runs"]

    assert {name for name, value in told.items() if value is None} == set()
    assert told["judgement"]["changes"][0]["rulings"][0]["rule"] == "stateful-needs-owner"
    assert told["applied"]["done"] == list(APPLIED.done)


def test_a_yes_is_told_with_what_it_is_bound_to() -> None:
    document = read(render_given_json(said(), "ada", PARTLY, run()))

    assert document["approval"]["binding"]["environment"] == "prod"
    assert document["standing"]["missing"] == 1
    assert document["standing"]["passed_over"][0]["why"].startswith("the operating system")


def test_a_record_holds_its_plan_and_what_happened() -> None:
    plan = render_plan_json(REPORT, View.FULL).encode()

    document = read(
        render_record_json(RunRecord(run(), NOW, ENOUGH, (entry(),), (SUSPENDED, PINNED), plan))
    )

    assert document["plan"] == json.loads(plan)
    assert document["events"][0]["number"] == 1
    assert [each["why"] for each in document["restraints"]] == ["suspended", "pinned"]


@pytest.mark.parametrize(
    ("record", "words"),
    [
        (RunRecord(run(), NOW, plan=b"{}"), "not a document that this version"),
        (RunRecord(run(), NOW, no_plan="It is gone."), "It is gone."),
    ],
)
def test_a_plan_that_cannot_be_told_is_null_and_says_why(record: RunRecord, words: str) -> None:
    document = read(render_record_json(record))

    assert document["plan"] is None
    assert words in document["no_plan"]


def test_whom_rules_ask_for_is_told_and_what_is_missing_of_it() -> None:
    ask = {"count": 2, "groups": ["dba"]}
    requirement = REQUIREMENT.also(["dba"], [Ask(2, ("dba",))])
    standing = Standing(missing=2, lacking=("dba",), short=(Ask(2, ("dba",)),))
    by_two = replace(BY_RULE, count=2)
    judgement = Judgement((replace(MADE_AGAIN, rulings=(by_two,)),))

    hold = Hold(judgement, requirement, standing)
    document = read(render_outcome_json(run(), hold, None, exit_code=2))

    (change,) = document["decision"]["judgement"]["changes"]
    assert change["rulings"][0]["count"] == 2
    assert document["decision"]["requirement"]["asks"] == [ask]
    assert document["decision"]["standing"]["short"] == [ask]


def test_the_status_of_all_environments() -> None:
    status = StatusNow(
        (
            EnvironmentNow("prod", run(), (SUSPENDED,), LEASE, Standing(missing=1)),
            EnvironmentNow("lost", restraints=(BLOCKED,)),
        ),
        NOW,
    )

    document = read(render_status_json(status), "status")

    assert document["exit_code"] == 1
    assert [each["needs"] for each in document["environments"]] == ["a yes", "help"]
    assert document["environments"][0]["lease"]["worker"] == "build-7:4711"
    assert document["environments"][1]["last"] is None


@pytest.mark.parametrize("evil", EVIL)
def test_nothing_foreign_is_printed_as_it_came(evil: str) -> None:
    made = run(environment=evil, reason=evil, todo=evil, worker=evil, artifacts={evil: evil})
    restraint = replace(SUSPENDED, reason=evil)

    text = render_record_json(
        RunRecord(made, NOW, ENOUGH, (entry(evidence={evil: evil}),), (restraint,), no_plan=evil)
    )

    assert harmless(text.replace("\uffff", "").replace("\ufffe", ""))
    assert json.loads(text)["run"]["environment"] == evil
