from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from driftctl_py.core.plan import Kind
from driftctl_py.core.plan_report import PlanReport, View
from driftctl_py.report.plan_document import render_plan_json
from tests.data import plans
from tests.report.plan_reports import (
    EVIL,
    VISIBLE,
    entry,
    evil_plan,
    of,
    plan,
    report_at,
    report_of,
)

DOCS = Path(__file__).parents[2] / "docs"
SCHEMA = json.loads((DOCS / "plan.schema.json").read_text())
VALIDATOR = jsonschema.Draft202012Validator(SCHEMA)


def read(report: PlanReport, view: View = View.CHANGES) -> Any:
    text = render_plan_json(report, view)
    VALIDATOR.validate(json.loads(text))
    return json.loads(text, parse_float=Decimal)


def by_address(entries: list[Any]) -> dict[str, Any]:
    return {each["address"]: each for each in entries}


@pytest.mark.parametrize("path", plans.files(), ids=plans.ids)
def test_every_real_plan_is_as_documented(path: Path) -> None:
    for strict in (False, True):
        report = report_at(path, strict=strict)
        for view in View:
            document = read(report, view)

            assert document["schema_version"] == 1
            assert document["view"] == view.value
            assert document["strict"] == strict


@pytest.mark.parametrize("text", EVIL)
def test_evil_values_stay_values(text: str) -> None:
    document = read(report_of(evil_plan(text), name=text))

    change = by_address(document["changes"])[text]
    assert document["name"] == text
    assert {each["path"]: each["planned"] for each in change["attributes"]}["v"] == text


def test_half_a_character_in_the_name_of_a_file_is_spelled_out() -> None:
    assert read(of("clean", name="plan-\udcff.json"))["name"] == "plan-\\udcff.json"


def test_the_text_holds_nothing_that_a_terminal_obeys() -> None:
    for text in EVIL:
        shown = render_plan_json(report_of(evil_plan(text), name=text), View.FULL)

        assert all(character == "\n" or character.isprintable() for character in shown)


def every_object(node: Any) -> list[dict[str, Any]]:
    """All objects of a document of which the schema says what keys they have."""
    if isinstance(node, list):
        return [found for each in node for found in every_object(each)]
    if not isinstance(node, dict):
        return []
    # In these, anything goes.
    values = ("recorded", "real", "planned", "config", "import_id")
    parts = [each for key, each in node.items() if key not in values]
    return [node, *every_object(parts)]


@settings(max_examples=300, deadline=None)
@given(st.data())
def test_the_schema_has_teeth(data: st.DataObject) -> None:
    document = json.loads(FULL)
    victim = data.draw(st.sampled_from(every_object(document)))
    how = data.draw(st.sampled_from(["more", "less", "other"]))
    key = data.draw(st.sampled_from(sorted(victim.keys() - {"attributes"})))
    if how == "more":
        victim["more"] = 1
    elif how == "less":
        del victim[key]
    else:
        victim[key] = {"$mark": "odd"}

    # What holds values is not there in a summary; all else must be.
    optional = how == "less" and key in ("real", "planned", "config") and "path" not in victim
    assert VALIDATOR.is_valid(document) == optional


FULL = render_plan_json(
    report_of(
        plan(
            resource_changes=[
                entry("module.a[0].aws_s3_bucket.b", "delete", before={"v": 1}, after=None),
                entry("x.y", "update", before={"v": 1}, after={"v": 2}),
                entry("x.i", "no-op", importing={"id": "i-1"}),
            ],
            resource_drift=[entry("x.y", "update", before={"v": 0}, after={"v": 1})],
            output_changes={"o": {"actions": ["create"], "before": None, "after": 1} | VISIBLE},
            checks=[{"address": {"to_display": "check.c"}, "status": "pass"}],
            action_invocations=[
                {"address": "action.a.b", "config_values": {"v": 1}, "config_sensitive": {}}
            ],
            deferred_changes=[{"reason": "why", "resource_change": entry("x.d", "create")}],
        )
    ),
    View.FULL,
)


def test_the_two_documents_speak_of_values_and_origins_alike() -> None:
    other = json.loads((DOCS / "report.schema.json").read_text())["$defs"]

    jsonschema.Draft202012Validator.check_schema(SCHEMA)
    for name in ("kind", "origin", "value", "attribute"):
        assert without_words(SCHEMA["$defs"][name]) == without_words(other[name])


def without_words(node: Any) -> Any:
    if isinstance(node, dict):
        kept = {key: each for key, each in node.items() if not isinstance(each, str)}
        meant = {key: each for key, each in node.items() if key in ("$ref", "type", "const")}
        return {key: without_words(each) for key, each in (kept | meant).items()}
    return [without_words(each) for each in node] if isinstance(node, list) else node


def described(node: Any) -> list[tuple[str, Any]]:
    """Every key that the schema knows, wherever."""
    if isinstance(node, list):
        return [found for each in node for found in described(each)]
    if not isinstance(node, dict):
        return []
    own = [*node.get("properties", {}).items()]
    return own + [found for each in node.values() for found in described(each)]


def test_every_key_is_described() -> None:
    keys = [(name, each) for name, each in described(SCHEMA) if name not in ("$mark", "value")]

    assert len(keys) > 100
    assert [name for name, each in keys if "description" not in each] == []


def test_a_rich_plan_is_told_whole() -> None:
    document = read(of("rich"))

    assert document["name"] == "plan.json"
    assert document["engine_version"] == "1.15.5"
    assert document["status"] == "drifted and pending"
    assert (document["complete"], document["incomplete_reason"]) == (True, None)
    assert document["drifted"] == 4
    changes, drift = by_address(document["changes"]), by_address(document["drift"])
    assert changes["folder_bucket.attic"]["modifiers"] == ["move"]
    assert changes["folder_bucket.attic"]["previous_address"] == "folder_bucket.archive"
    assert changes["folder_bucket.legacy"]["import_id"] == "bucket-legacy"
    assert changes["folder_server.batch"]["reason"] == "delete_because_no_resource_config"
    assert drift["folder_bucket.exports"]["outside"] == "delete"
    assert "folder_server.web" not in drift
    assert document["outputs"][0]["name"] == "address"


@pytest.mark.parametrize("path", plans.files(), ids=plans.ids)
def test_totals_and_counts_are_those_of_the_plans_own_actions(path: Path) -> None:
    raw = json.loads(path.read_text())
    document = read(report_at(path))

    entries = [each for each in raw.get("resource_changes", []) if each["mode"] == "managed"]
    actions = [action for each in entries for action in each["change"]["actions"]]
    assert document["totals"] == {
        "add": actions.count("create"),
        "change": actions.count("update"),
        "destroy": actions.count("delete"),
        "import": sum("importing" in each["change"] for each in entries),
        "forget": actions.count("forget"),
    }
    assert sum(document["counts"].values()) == len(entries)
    assert document["counts"]["no-op"] == actions.count("no-op")
    assert document["counts"]["delete"] + document["counts"]["replace"] + document["counts"][
        "replace-create-first"
    ] == actions.count("delete")


def test_changes_tell_real_against_planned_and_drift_recorded_against_real() -> None:
    document = read(of("rich"))

    def told(entries: list[Any], address: str) -> dict[str, tuple[Any, ...]]:
        return {
            each["path"]: (each["recorded"], each["real"], each["planned"], each["origin"])
            for each in by_address(entries)[address]["attributes"]
        }

    assert told(document["changes"], "folder_bucket.logs") == {
        "expire_days": (30, 30, 60, "pending"),
        "policy.Statement[0].Action": (
            ["s3:GetObject"],
            ["s3:GetObject", "s3:*"],
            ["s3:GetObject"],
            "drift-reverted",
        ),
    }
    assert list(told(document["drift"], "folder_bucket.logs")) == ["policy.Statement[0].Action"]


def test_both_lists_are_in_the_order_of_the_plan() -> None:
    changes = [
        entry("x.b", "update", before={"v": 1}, after={"v": 2}),
        entry("x.a[2]", "delete"),
        entry("x.a[10]", "delete"),
        entry("data.x.odd", "odd", mode="data", deposed="d1"),
        entry("x.c", "no-op"),
    ]
    drift = [entry(name, "update", before={"v": None}, after={"v": ""}) for name in ("x.c", "x.b")]
    document = read(report_of(plan(resource_changes=changes, resource_drift=drift)))

    assert [each["address"] for each in document["changes"]] == [
        "x.b",
        "x.a[2]",
        "x.a[10]",
        "data.x.odd",
    ]
    assert [each["address"] for each in document["drift"]] == ["x.b", "x.c"]


def test_another_spelling_is_listed_as_such_and_counts_only_when_strict() -> None:
    lenient, strict = read(of("equivalent")), read(of("equivalent", strict=True))

    assert {each["origin"] for each in lenient["drift"]} == {"equivalent"}
    assert lenient["drifted"] == 0
    assert lenient["equivalents"] > 0
    assert lenient["changes"] == []
    assert {each["origin"] for each in strict["drift"]} == {"drift-tolerated"}


def test_another_spelling_of_what_is_changed_anyway_is_no_drift() -> None:
    document = read(
        report_of(
            plan(
                resource_changes=[entry("x.y", "update", before={"v": ""}, after={"v": 2})],
                resource_drift=[entry("x.y", "update", before={"v": None}, after={"v": ""})],
            )
        )
    )

    (change,), (drift,) = document["changes"], document["drift"]
    assert (change["origin"], drift["origin"]) == ("pending", "equivalent")


def test_a_summary_holds_no_values() -> None:
    document = json.loads(render_plan_json(report_of(evil_plan("EVIL")), View.SUMMARY))
    whole = json.loads(render_plan_json(report_of(evil_plan("EVIL")), View.CHANGES))

    for entries in ("changes", "drift"):
        assert document[entries] == [
            {key: value for key, value in each.items() if key != "attributes"}
            for each in whole[entries]
        ]
    assert document["outputs"][0].keys() == {"name", "kind", "sensitive", "unknown"}
    assert "config" not in document["action_invocations"][0]


def test_what_is_at_stake_is_named_with_what_it_holds() -> None:
    report = report_of(
        plan(
            resource_changes=[
                entry("module.db[0].aws_db_instance.main", "delete"),
                entry("aws_s3_bucket.assets", "delete", deposed="d1"),
                entry("x.kept", "no-op"),
            ]
        )
    )
    risk = read(report)["risk"]

    assert risk["stateful"] == [
        {
            "address": "module.db[0].aws_db_instance.main",
            "deposed": None,
            "kind": "delete",
            "holds": "database",
        },
        {"address": "aws_s3_bucket.assets", "deposed": "d1", "kind": "delete", "holds": "bucket"},
    ]
    assert (risk["destroyed"], risk["managed"], risk["touched"]) == (2, 2, 2)
    assert risk["share"] == 1


def test_an_environment_without_objects_has_no_share_that_is_touched() -> None:
    assert read(report_of(plan(resource_changes=[])))["risk"]["share"] is None


@pytest.mark.parametrize(
    ("address", "place"),
    [
        ("aws_s3_bucket.a", ("aws_s3_bucket", None)),
        ('module.web["a.b"].module.db.aws_s3_bucket.a[0]', ("aws_s3_bucket", '["a.b"]')),
        ("no address at all", (None, None)),
    ],
)
def test_an_address_is_taken_apart(address: str, place: tuple[str | None, str | None]) -> None:
    (change,) = read(report_of(plan(resource_changes=[entry(address, "delete")])))["changes"]

    kind, key = place
    module = key and f"module.web{key}.module.db"
    assert (change["type"], change["module"], change["mode"]) == (kind, module, "managed")


def test_the_fingerprint_says_whether_secrets_are_in_it() -> None:
    unkeyed, keyed = read(of("rich")), read(of("rich", keyed=True))

    assert unkeyed["fingerprint"]["digest"].startswith("f2-unkeyed-")
    assert not unkeyed["fingerprint"]["keyed"]
    assert keyed["fingerprint"]["keyed"]
    assert not keyed["fingerprint"]["digest"].startswith("f2-unkeyed-")


def test_what_was_put_off_and_what_runs_are_told() -> None:
    document = json.loads(FULL)

    (deferred,), (invocation,) = document["deferred"], document["action_invocations"]
    assert (deferred["address"], deferred["deferred_because"]) == ("x.d", "why")
    assert (deferred["kind"], deferred["type"]) == ("create", "x")
    assert invocation == {
        "address": "action.a.b",
        "triggered_by": None,
        "event": None,
        "config": {"v": 1},
    }
    assert document["complete"] is False
    assert "put off" in document["incomplete_reason"]


def test_every_kind_is_counted_even_where_there_is_none() -> None:
    assert set(read(of("clean"))["counts"]) == {kind.value for kind in Kind}


def test_numbers_are_as_exact_as_in_the_plan() -> None:
    text = render_plan_json(of("nested"), View.CHANGES)

    assert "12345678901234567891" in text


def test_the_same_plan_gives_the_same_bytes() -> None:
    assert render_plan_json(of("rich"), View.FULL) == render_plan_json(of("rich"), View.FULL)
