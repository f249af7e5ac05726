from __future__ import annotations

import copy
import json
import mmap
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from driftctl_py.core.assessment import assess
from driftctl_py.core.masks import Mask
from driftctl_py.core.plan import ActionInvocation, Change, CheckResult, Kind, OutputChange, Plan
from driftctl_py.core.plan_json import decode_plan, kind_of
from driftctl_py.core.values import DEEPEST, UNKNOWN, Secrets, Sensitive
from driftctl_py.errors import PlanError
from tests.data import plans, plans_old
from tests.data.plans.expected import ERRORED, OF_ONE_ENGINE, PARTIAL

CHANGE = {
    "actions": ["update"],
    "before": {"a": 1},
    "after": {"a": 2},
    "after_unknown": {},
    "before_sensitive": {},
    "after_sensitive": {},
}


def entry(address: str = "x.y", *, change: dict[str, Any] | None = None, **more: Any) -> Any:
    return {"address": address, "mode": "managed", "change": CHANGE | (change or {}), **more}


def document(**more: Any) -> bytes:
    return json.dumps({"format_version": "1.2", "planned_values": {}, **more}).encode()


def change_of(plan: Plan, address: str) -> Change:
    (found,) = [j.change for j in plan.joined if j.change and j.change.address == address]
    return found


def drift_of(plan: Plan, address: str) -> Change:
    (found,) = [j.drift for j in plan.joined if j.drift and j.drift.address == address]
    return found


# What each scenario is made to show: kinds of changes and of drift by address.
EXPECTED: dict[str, tuple[dict[str, Kind], dict[str, Kind]]] = {
    "clean": ({}, {}),
    "create": ({"folder_bucket.assets": Kind.CREATE, "folder_server.web": Kind.CREATE}, {}),
    "delete": ({"folder_server.web": Kind.DELETE}, {}),
    "drift_deleted": (
        {"folder_bucket.assets": Kind.CREATE},
        {"folder_bucket.assets": Kind.DELETE},
    ),
    "drift_destroyed": (
        {"folder_bucket.assets": Kind.DELETE},
        {"folder_bucket.assets": Kind.UPDATE},
    ),
    "drift_gone": ({}, {"folder_bucket.assets": Kind.DELETE}),
    "drift_tolerated": (
        {"folder_bucket.assets": Kind.NO_OP},
        {"folder_bucket.assets": Kind.UPDATE},
    ),
    "forget": ({"folder_bucket.assets": Kind.FORGET}, {}),
    "import": ({"folder_bucket.assets": Kind.NO_OP}, {}),
    "move": ({"folder_bucket.files": Kind.NO_OP}, {}),
    "refresh_only": ({}, {"folder_bucket.assets": Kind.UPDATE}),
    "replace": ({"folder_server.web": Kind.REPLACE}, {}),
    "replace_create_first": ({"folder_server.web": Kind.REPLACE_CREATE_FIRST}, {}),
}


@pytest.mark.parametrize("path", plans.files(), ids=plans.ids)
def test_every_real_plan_is_read(path: Path) -> None:
    plan = decode_plan(path.read_bytes())

    assert plan.engine_version in path.stem
    if path.parent.name in EXPECTED:
        changes = {j.change.address: j.change.kind for j in plan.joined if j.change}
        drift = {j.drift.address: j.drift.kind for j in plan.joined if j.drift}
        assert (changes, drift) == EXPECTED[path.parent.name]
    assert Kind.UNKNOWN not in {j.entry.kind for j in plan.joined}
    assert plan.errored == (path.parent.name in ERRORED)
    if path.stem.startswith("tofu"):
        assert (plan.complete, plan.applyable) == (None, None)
    else:
        assert plan.complete == (path.parent.name not in ERRORED | PARTIAL)


@pytest.mark.parametrize("scenario", plans.scenarios())
def test_every_scenario_was_planned_by_more_than_one_engine(scenario: str) -> None:
    planned = [path for path in plans.files() if path.parent.name == scenario]

    assert len(planned) >= (1 if scenario in OF_ONE_ENGINE else 2)


def test_a_memory_map_is_read_and_let_go(tmp_path: Path) -> None:
    path = tmp_path / "plan.json"
    path.write_bytes(plans.of("rich"))

    with path.open("rb") as file:
        mapped = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        plan = decode_plan(mapped)
        # Would raise BufferError if anything still referred to it.
        mapped.close()

    assert plan == decode_plan(plans.of("rich"))
    assert plan == decode_plan(memoryview(plans.of("rich")))


def test_unchanged_objects_are_counted_and_not_kept() -> None:
    plan = decode_plan(plans.of("clean"))

    assert plan.joined == ()
    assert plan.managed == 2


def test_a_deposed_object_has_a_key_of_its_own() -> None:
    plan = decode_plan(plans.of("deposed"))

    (joined,) = plan.joined
    assert joined.change is not None
    assert joined.change.kind is Kind.DELETE
    assert joined.change.deposed != ""
    assert plan.managed == 1


def test_moves_and_imports_come_on_top_of_a_kind() -> None:
    assert change_of(decode_plan(plans.of("import")), "folder_bucket.assets").imported
    moved = change_of(decode_plan(plans.of("move_drifted")), "folder_bucket.files")

    assert moved.previous_address == "folder_bucket.assets"
    assert moved.kind is Kind.UPDATE


def test_drift_of_a_moved_object_is_found_under_its_new_address() -> None:
    (joined,) = decode_plan(plans.of("move_drifted")).joined

    assert joined.change is not None
    assert joined.drift is not None


def test_drift_under_the_old_address_of_a_moved_object_is_joined_too() -> None:
    moved = entry("x.new", previous_address="x.old")
    (joined,) = decode_plan(
        document(resource_changes=[moved], resource_drift=[entry("x.old")])
    ).joined

    assert joined.change is not None
    assert joined.change.address == "x.new"
    assert joined.drift is not None


def test_drift_under_an_old_address_that_somebody_else_has_now_is_not_joined() -> None:
    moved = entry("x.new", previous_address="x.old")
    plan = decode_plan(
        document(resource_changes=[moved, entry("x.old")], resource_drift=[entry("x.old")])
    )

    assert [bool(joined.drift) for joined in plan.joined] == [False, True]


def test_drift_without_a_change_is_kept() -> None:
    (joined,) = decode_plan(document(resource_drift=[entry()])).joined

    assert joined.change is None
    assert joined.entry.address == "x.y"


def test_what_forces_a_replacement_is_known_by_its_path() -> None:
    plan = decode_plan(plans.of("replace"))

    assert change_of(plan, "folder_server.web").replace_paths == (("image",),)


def test_odd_steps_cut_a_path_short() -> None:
    odd = [["rule", 0, "port"], ["a", None, "b"], "a", 7]
    plan = decode_plan(document(resource_changes=[entry(change={"replace_paths": odd})]))

    assert change_of(plan, "x.y").replace_paths == (("rule", 0, "port"), ("a",), (), ())


@pytest.mark.parametrize("hidden_in", ["before_sensitive", "after_sensitive", "masks"])
def test_a_path_ends_where_a_secret_begins(hidden_in: str) -> None:
    change = {
        "before": {"data": [{"hunter2": 1}], "n": 1},
        "after": {"data": [{"hunter2": 2}], "n": 2},
        "replace_paths": [["data", 0, "hunter2"], ["data", 7, "x"], ["n"], ["data", "x", 0]],
        **({} if hidden_in == "masks" else {hidden_in: {"data": [True]}}),
    }
    masks = [Mask(attribute="data[0]")] if hidden_in == "masks" else []
    plan = decode_plan(document(resource_changes=[entry(change=change)]), masks=masks)

    assert change_of(plan, "x.y").replace_paths == (
        ("data", 0),
        ("data", 7, "x"),
        ("n",),
        ("data", "x", 0),
    )


@pytest.mark.parametrize("odd", [17, "x", {"a": 1}, None])
def test_replace_paths_of_another_shape_are_none(odd: Any) -> None:
    plan = decode_plan(document(resource_changes=[entry(change={"replace_paths": odd})]))

    assert change_of(plan, "x.y").replace_paths == ()


def test_numbers_are_exact() -> None:
    plan = decode_plan(plans.of("nested"))
    change = change_of(plan, "terraform_data.settings")

    assert isinstance(change.before, dict)
    assert isinstance(change.after, dict)
    assert change.before["input"]["count"] == 12345678901234567890
    assert change.after["input"]["count"] == 12345678901234567891
    assert str(change.after["input"]["ratio"]) == "0.2"


def test_what_is_unknown_is_marked_at_its_place() -> None:
    change = change_of(decode_plan(plans.of("unknown")), "terraform_data.note")

    assert isinstance(change.after, dict)
    assert change.after["input"] == {"fixed": 1, "list": ["a", UNKNOWN], "server": UNKNOWN}


@pytest.mark.parametrize("path", plans.files(), ids=plans.ids)
def test_no_canary_of_a_real_plan_is_kept(path: Path) -> None:
    text = path.read_text()
    code = "".join(each.read_text() for each in path.parent.glob("*.tf"))
    plan = decode_plan(text.encode())

    assert ("CANARY" in text) == ("CANARY" in code)
    assert "CANARY" not in repr(plan)
    assert "hunter2" not in repr(plan)


def test_a_changed_secret_is_still_seen_to_change() -> None:
    drift = drift_of(decode_plan(plans.of("sensitive")), "folder_secret.database")

    assert isinstance(drift.before, dict)
    assert isinstance(drift.after, dict)
    assert isinstance(drift.before["value"], Sensitive)
    assert drift.before["value"] != drift.after["value"]
    assert drift.before["name"] == drift.after["name"] == "database"


def test_a_changed_sensitivity_is_seen_without_the_value() -> None:
    change = change_of(decode_plan(plans.of("sensitivity_only")), "folder_bucket.assets")

    assert change.sensitivity_changed
    assert change.before == change.after


def test_a_changed_sensitivity_has_a_direction() -> None:
    def places(before: Any, after: Any, actions: str = "update", value: Any = 1) -> Any:
        values = {"a": value, "b": [{"c": 1}]}
        marks = {"before_sensitive": before, "after_sensitive": after}
        sides = {"before": values, "after": values, "actions": [actions]}
        plan = decode_plan(document(resource_changes=[entry(change=sides | marks)]))
        change = change_of(plan, "x.y")
        return change.newly_sensitive, change.no_longer_sensitive

    assert places({}, {"a": True}) == ((("a",),), ())
    assert places({"b": [{"c": True}]}, {"b": [{}], "a": False}) == ((), (("b", 0, "c"),))
    assert places({"a": True}, {"a": True}) == ((), ())
    assert places({}, {"a": True}, "melt") == ((("a",),), ())
    assert places({}, {"a": True}, "create") == ((), ())
    # A key in what is a secret as a whole.
    assert places({"a": {"hunter2": True}}, {"a": True}, value={"hunter2": 1}) == ((), ())


def test_the_identity_that_an_engine_keeps_holds_no_secret() -> None:
    change = {
        "before_identity": {"account_id": "123456789012", "token": "CANARY-1", "also": "CANARY-1"},
        "before": {"token": "CANARY-1"},
        "after": {"token": "CANARY-1"},
        "before_sensitive": {"token": True},
        "after_sensitive": {"token": True},
    }
    plan = decode_plan(
        document(resource_changes=[entry(change=change, provider_name="example.com/a/b")])
    )

    found = change_of(plan, "x.y")
    assert found.provider == "example.com/a/b"
    assert "CANARY" not in repr(plan)
    assert isinstance(found.identity, dict)
    assert found.identity["account_id"] == "123456789012"


def test_data_sources_carry_no_values() -> None:
    plan = decode_plan(plans.of("check_fails"))

    (joined,) = plan.joined
    assert joined.entry.mode == "data"
    assert joined.entry.kind is Kind.READ
    assert joined.entry.reason == "read_because_check_nested"
    assert (joined.entry.before, joined.entry.after) == (None, None)


def test_checks_are_kept_without_their_messages() -> None:
    plan = decode_plan(plans.of("check_fails"))

    assert plan.checks == (CheckResult("check.region", "fail", problems=1),)
    assert decode_plan(plans.of("check_passes")).checks == (CheckResult("check.region", "pass"),)


def test_outputs_that_change_are_kept() -> None:
    kinds = {output.name: output.kind for output in decode_plan(plans.of("outputs")).outputs}

    assert kinds == {"arn": Kind.UPDATE, "new": Kind.CREATE, "old": Kind.DELETE}


@pytest.mark.parametrize(
    ("actions", "kind"),
    [
        (["no-op"], Kind.NO_OP),
        (["forget", "create"], Kind.FORGET_THEN_CREATE),
        (["create", "forget"], Kind.CREATE_THEN_FORGET),
        ([], Kind.UNKNOWN),
        (["evaporate"], Kind.UNKNOWN),
        (["update", "update"], Kind.UNKNOWN),
        (["create", "delete", "create"], Kind.UNKNOWN),
    ],
)
def test_a_list_of_actions_is_one_kind_or_unknown(actions: list[str], kind: Kind) -> None:
    assert kind_of(actions) is kind


def test_what_newer_engines_add_is_read() -> None:
    plan = decode_plan(
        document(
            deferred_changes=[{"reason": "x", "resource_change": entry("x.later")}],
            action_invocations=[
                {
                    "address": "action.mail.ada",
                    "lifecycle_action_trigger": {"triggering_resource_address": "x.y"},
                },
                {"address": "action.mail.grace", "invoke_action_trigger": {}},
            ],
            some_future_key=[1],
        )
    )

    assert [(each.reason, each.change.address) for each in plan.deferred] == [("x", "x.later")]
    assert plan.invocations == (
        ActionInvocation("action.mail.ada", "x.y"),
        ActionInvocation("action.mail.grace"),
    )


def test_what_an_action_is_given_and_when_is_read() -> None:
    invocations = decode_plan(plans.of("actions")).invocations

    assert [(each.address, each.triggered_by, each.event) for each in invocations] == [
        ('action.lab_notify.each["grace"]', "lab_thing.new", "AfterCreate"),
        ('action.lab_notify.each["linus"]', "lab_thing.new", "AfterCreate"),
        ("action.lab_notify.ada", "lab_thing.web", "BeforeUpdate"),
        ("action.lab_notify.ada", "lab_thing.web", "AfterUpdate"),
    ]
    config = invocations[2].config
    assert isinstance(config, dict)
    assert (config["to"], config["text"]) == ("ada@example.com", UNKNOWN)
    assert isinstance(config["headers"]["Authorization"], Sensitive)
    assert config["headers"]["X-Team"] == "engines"
    assert decode_plan(plans.of("action_invoked")).invocations[0].triggered_by == ""


def test_what_is_put_off_is_kept_with_its_reason() -> None:
    deferred = decode_plan(plans.of("deferred")).deferred

    assert ("instance_count_unknown", "folder_server.each[*]", Kind.CREATE) in [
        (each.reason, each.change.address, each.change.kind) for each in deferred
    ]


def test_an_action_that_is_put_off_is_kept_too() -> None:
    action = {
        "address": "action.mail.ada",
        "config_values": {"to": "ada", "password": "CANARY"},
        "config_sensitive": {"password": True},
    }
    plan = decode_plan(
        document(
            deferred_action_invocations=[{"reason": "deferred_prereq", "action_invocation": action}]
        )
    )

    (deferred,) = plan.deferred
    assert (deferred.reason, deferred.change.address) == ("deferred_prereq", "action.mail.ada")
    assert isinstance(deferred.change.after, dict)
    assert deferred.change.after["to"] == "ada"
    assert "CANARY" not in repr(plan)
    assert "action.mail.ada" in assess(plan).incomplete_reason


@pytest.mark.parametrize(
    ("importing", "import_id"),
    [
        ({"id": "i-1"}, "i-1"),
        ({"id": None}, None),
        ({}, None),
        ({"unknown": True}, UNKNOWN),
        ({"identity": {"bucket": "logs", "id": "b"}}, {"bucket": "logs", "id": "b"}),
        ({"identity": {"id": "b"}}, "b"),
        ({"identity": 7, "id": "i-1"}, "i-1"),
        (True, None),
        ([], None),
    ],
)
def test_what_an_object_is_imported_by_is_read(importing: Any, import_id: Any) -> None:
    plan = decode_plan(document(resource_changes=[entry(change={"importing": importing})]))

    change = change_of(plan, "x.y")
    assert change.imported
    assert change.import_id == import_id


def test_real_imports_know_their_ids() -> None:
    plan = decode_plan(plans.of("imports"))

    assert {j.entry.address: j.entry.import_id for j in plan.joined} == {
        "folder_bucket.changed": "bucket-changed",
        "folder_bucket.same": "bucket-same",
        "folder_secret.database": "secret-database",
        "folder_server.remade": "server-remade",
    }


@pytest.mark.parametrize(
    "importing",
    [{"id": "CANARY"}, {"identity": {"key": "CANARY"}}, {"identity": {"other": "prod/CANARY"}}],
)
def test_an_import_by_a_secret_of_the_object_is_hidden(importing: Any) -> None:
    change = {
        "importing": importing,
        "after": {"id": "CANARY", "key": "CANARY"},
        "after_sensitive": {"id": True, "key": True},
    }
    plan = decode_plan(document(resource_changes=[entry(change=change)]))

    assert "CANARY" not in repr(plan)
    assert change_of(plan, "x.y").imported


def test_configuration_that_the_engine_generated_is_not_kept() -> None:
    generated = {"importing": {"id": "i-1"}, "generated_config": 'password = "CANARY"'}
    plan = decode_plan(document(resource_changes=[entry(change=generated)]))

    assert "CANARY" not in repr(plan)


def test_checks_know_their_status_and_number_of_problems() -> None:
    checks = {each.address: each for each in decode_plan(plans.of("checks")).checks}

    assert checks["check.fails"] == CheckResult("check.fails", "fail", problems=2)
    assert checks["check.is_unknown"].status == "unknown"
    assert not checks["check.passes"].failed
    assert decode_plan(plans.of("check_errs")).checks == (
        CheckResult("check.retention", "error", problems=0),
    )


def test_what_is_gone_before_the_next_plan_is_not_kept() -> None:
    opened = entry("ephemeral.x.y", mode="ephemeral", change={"actions": ["open"]})
    tidied = entry("data.x.y", mode="data", change={"actions": ["delete"]})
    kept = entry("data.x.z", mode="data", change={"actions": ["read"]})
    plan = decode_plan(document(resource_changes=[opened, tidied, kept]))

    assert [joined.entry.address for joined in plan.joined] == ["data.x.z"]
    assert (plan.managed, dict(plan.counts)) == (0, {})


def test_all_entries_are_counted_by_kind() -> None:
    plan = decode_plan(
        document(
            resource_changes=[
                entry("x.a", change={"actions": ["no-op"]}),
                entry("x.b", change={"actions": ["no-op"]}),
                entry("x.c"),
                entry("x.c", deposed="0123abcd", change={"actions": ["delete"]}),
                entry("x.d", change={"actions": ["evaporate"]}),
                entry("x.e", change={"actions": []}),
                entry("data.x.f", mode="data", change={"actions": ["read"]}),
            ]
        )
    )

    assert plan.counts == {Kind.NO_OP: 2, Kind.UPDATE: 1, Kind.DELETE: 1, Kind.UNKNOWN: 2}
    assert plan.managed == 5


def test_an_unchanged_object_that_was_changed_outside_stays_as_it_is() -> None:
    change = {
        "actions": ["no-op"],
        "before": {"a": 2, "key": "CANARY"},
        "after": {"a": 2, "key": "CANARY"},
        "before_sensitive": {},
        "after_sensitive": {"key": True},
    }
    drifted = {"before": {"a": 1, "key": "CANARY"}, "after": {"a": 2, "key": "CANARY"}}
    plan = decode_plan(
        document(
            resource_changes=[
                entry("x.y", change=change),
                entry("x.y", change=change, deposed="0123abcd"),
                entry("data.x.y", mode="data", change=change),
            ],
            resource_drift=[entry("x.y", change=drifted)],
        )
    )

    (joined,) = plan.joined
    assert joined.change is not None
    assert joined.drift is not None
    assert joined.change.kind is Kind.NO_OP
    assert joined.change.before == joined.change.after == joined.drift.after
    assert "CANARY" not in repr(plan)


def test_only_the_engine_says_what_goes() -> None:
    # The names under which an unchanged entry keeps its marks are no part of the format.
    hidden = entry() | {"before_sensitive": True, "after_sensitive": True}
    plan = decode_plan(document(resource_changes=[hidden]))

    assert change_of(plan, "x.y").before == {"a": 1}


def test_secrets_of_two_plans_can_be_compared() -> None:
    secrets = Secrets(b"key")
    one, again = (decode_plan(plans.of("sensitive"), secrets=secrets) for _ in range(2))

    assert one.joined == again.joined
    assert one.seals == again.seals
    assert len(one.seals) > 1
    assert decode_plan(plans.of("sensitive")).seals == ()


def test_masks_hide_more_than_the_engine_does() -> None:
    masks = [Mask("folder_bucket.*", "tags.team"), Mask("output.arn")]
    plan = decode_plan(plans.of("sensitive"), masks=masks)
    output = decode_plan(plans.of("outputs"), masks=masks).outputs[0]

    bucket = drift_of(plan, "folder_bucket.assets")
    assert isinstance(bucket.before, dict)
    assert isinstance(bucket.before["tags"]["team"], Sensitive)
    assert bucket.before["name"] == "assets"
    assert isinstance(output.before, Sensitive)


def test_a_mask_for_an_old_address_follows_a_move() -> None:
    plan = decode_plan(plans.of("move_drifted"), masks=[Mask("folder_bucket.assets", "name")])

    change = change_of(plan, "folder_bucket.files")
    assert isinstance(change.before, dict)
    assert isinstance(change.before["name"], Sensitive)


def test_old_formats_are_read() -> None:
    # As Terraform 0.15 writes it: no drift, and of an output only whether it is unknown.
    plan = decode_plan(
        b'{"format_version":"0.1","planned_values":{},"resource_changes":[{"address":"x.y",'
        b'"mode":"managed","change":{"actions":["create"],"before":null,"after":{"a":1},'
        b'"after_unknown":{"id":true},"before_sensitive":false,"after_sensitive":{}}}],'
        b'"output_changes":{"o":{"actions":["create"],"before":null,"after_unknown":true,'
        b'"before_sensitive":false,"after_sensitive":false}}}'
    )

    assert change_of(plan, "x.y").after == {"a": 1, "id": UNKNOWN}
    assert plan.outputs == (OutputChange("o", Kind.CREATE, None, UNKNOWN, ("create",)),)


OLD_CHANGES = {
    "folder_bucket.assets": Kind.UPDATE,
    "folder_bucket.logs": Kind.CREATE,
    "folder_secret.database": Kind.UPDATE,
}


@pytest.mark.parametrize("path", plans_old.files(), ids=plans_old.ids)
def test_every_real_plan_of_an_old_engine_is_read(path: Path) -> None:
    plan = decode_plan(path.read_bytes(), settings=True)
    changes = {j.change.address: j.change.kind for j in plan.joined if j.change}
    drift = {j.drift.address: j.drift.kind for j in plan.joined if j.drift}

    assert plan.engine_version in path.stem
    assert "CANARY" in path.read_text()
    assert "CANARY" not in repr(plan)
    if path.parent.name == "drift":
        assert changes == OLD_CHANGES
        assert drift == OLD_CHANGES | {"folder_bucket.logs": Kind.DELETE}
        assert all(each.change and each.drift for each in plan.joined)
    else:
        assert drift == {}
        assert changes == OLD_CHANGES | {
            "folder_server.batch": Kind.DELETE,
            "folder_server.web": Kind.REPLACE,
        }
        assert [(each.name, each.kind) for each in plan.outputs] == [
            ("address", Kind.UPDATE),
            ("gone", Kind.DELETE),
            ("password", Kind.CREATE),
        ]
        assert plan.outputs[0].after is UNKNOWN


@pytest.mark.parametrize(("version", "shown"), [("0.2", False), ("1.0", True)])
def test_marks_of_drift_alone_are_not_trusted_in_the_first_format(
    version: str, shown: bool
) -> None:
    # https://github.com/hashicorp/terraform/blob/v1.0.11/internal/command/jsonplan/plan.go#L268
    plan = decode_plan(document(format_version=version, resource_drift=[entry()]))

    assert (drift_of(plan, "x.y").before == {"a": 1}) == shown


def drift_without_address(module: str, name: str, after: Any) -> Any:
    found = entry(change={"actions": ["update"], "after": after}, type="x", name=name)
    del found["address"]
    return found | ({"module_address": module} if module else {})


def test_drift_without_an_address_is_that_of_the_change_that_begins_where_it_ended() -> None:
    # Terraform 0.15 names neither the address nor the key.
    there = {"before": {"a": 2}, "after": {"a": 1}}
    plan = decode_plan(
        document(
            resource_changes=[
                entry("x.y[0]", change=there | {"before": {"a": 3}}),
                entry("x.y[1]", change=there),
                entry("x.y[1]", change=there, deposed="0123abcd"),
                entry("module.m.x.y", change=there),
                entry("not an address"),
            ],
            resource_drift=[
                drift_without_address("", "y", {"a": 2}),
                drift_without_address("", "gone", None),
                drift_without_address("module.m", "gone", None),
                drift_without_address("", "y", {"a": 3}),
                drift_without_address("", "y", {"a": 3}),
                drift_without_address("module.m", "y", {"a": 2}),
                entry("x.named"),
            ],
        )
    )

    both = [j.entry.address for j in plan.joined if j.change and j.drift]
    assert both == ["x.y[0]", "x.y[1]", "module.m.x.y"]
    assert [j.entry.address for j in plan.joined if not j.change] == [
        "x.gone[?1]",
        "module.m.x.gone[?2]",
        "x.y[?4]",
        "x.named",
    ]


def test_a_plan_that_does_not_say_what_is_sensitive_shows_no_value() -> None:
    # Before 0.15, and whatever is no engine.
    bare = {"actions": ["update"], "before": {"a": "CANARY", "b": 1}, "after": {"a": "x", "b": 1}}
    plan = decode_plan(
        document(
            resource_changes=[{"address": "x.y", "mode": "managed", "change": bare}],
            output_changes={"o": {**bare, "before": ["CANARY"]}},
            action_invocations=[{"address": "action.a.b", "config_values": {"a": "CANARY"}}],
        )
    )

    change = change_of(plan, "x.y")
    assert "CANARY" not in repr(plan)
    assert isinstance(change.before, dict)
    assert isinstance(change.after, dict)
    assert change.before["a"] != change.after["a"]
    assert change.before["b"] == change.after["b"]


def test_one_mirror_speaks_for_both_sides() -> None:
    change = entry(change={"after": {"a": 2, "b": "CANARY"}, "after_sensitive": {"b": True}})
    del change["change"]["before_sensitive"]
    plan = decode_plan(document(resource_changes=[change]))

    assert change_of(plan, "x.y").before == {"a": 1}
    assert "CANARY" not in repr(plan)


def state(serial: int) -> bytes:
    return json.dumps({"version": 4, "serial": serial, "lineage": "x", "resources": []}).encode()


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"", "empty"),
        (b"  \n", "empty"),
        (b"null", "not the JSON of a plan"),
        (b"[]", "not the JSON of a plan"),
        (b"Error: no such file", "not the JSON of a plan"),
        (b"{}", "no plan"),
        (b'{"hello": "world"}', "no plan"),
        (b"PK\x03\x04 and so on", "saved plan file itself"),
        ('{"format_version":"1.2"}'.encode("utf-16"), "UTF-16"),
        (b'\xef\xbb\xbf{"format_version":"1.2"}', "byte order mark"),
        (b'{"@level":"info","type":"version"}\n{"@level":"info"}', "event stream"),
        (state(3), "state file"),
        (b'{"format_version":"1.0"}', "an empty state and not a plan"),
        (b'{"format_version":"1.0","values":{}}', "a state and not a plan"),
        (b'{"format_version":"2.0","planned_values":{}}', "format version 2.0"),
        (b'{"format_version":"new","planned_values":{}}', "format_version"),
        (b'{"format_version":7,"planned_values":{}}', "format_version"),
        (plans.of("rich")[:-20], "cut off"),
        (plans.of("rich") + b"{}", "follows after the end"),
        (document(resource_changes=[{"address": 7}]), "cannot be read"),
        (document(resource_changes={"a": 1}), "cannot be read"),
        (document(resource_changes=[entry(), entry()]), "names one object twice"),
        (document(resource_drift=[entry(), entry()]), "names one object twice"),
        (document(resource_changes=[entry(change={"before": 0})]).replace(b" 0", b" \xff"), "read"),
        (document(resource_changes=[entry("\xff")]).replace(b"\\u00ff", b"\xff"), "not UTF-8"),
        (
            document(resource_changes=[entry(change={"after": 0})]).replace(
                b'"after": 0', b'"after": 1e99999999999999999999'
            ),
            "too large",
        ),
        (
            document(resource_changes=[entry(change={"after": 0})]).replace(
                b'"after": 0', b'"after": ' + b"[" * 150 + b"]" * 150
            ),
            "nested deeper",
        ),
        (
            document(prior_state=0).replace(b'state": 0', b'state": ' + b"[" * 100_000),
            "nested deeper",
        ),
    ],
)
def test_what_is_no_plan_is_told_by_what_it_is(data: bytes, says: str) -> None:
    with pytest.raises(PlanError) as caught:
        decode_plan(data)

    assert says in caught.value.what
    assert caught.value.todo


def test_an_error_quotes_no_value() -> None:
    secret = document(resource_changes=[entry(change={"actions": "CANARY"})])

    with pytest.raises(PlanError) as caught:
        decode_plan(secret)

    assert "CANARY" not in str(caught.value)
    assert "resource_changes[0].change.actions" in str(caught.value)


def reads_or_refuses(data: bytes) -> None:
    """With all that can be asked for, since each looks at more of it."""
    masks = [Mask(attribute="tags.*"), Mask("*.web*", "*.*"), Mask(pattern=re.compile("a.*e"))]
    try:
        plan = decode_plan(data)
        masked = decode_plan(data, masks=masks, secrets=Secrets(b"key"), settings=True)
    except PlanError:
        return
    assert assess(plan).totals == assess(masked, strict=True).totals
    assert masked.settings is not None


@given(st.binary(max_size=300))
def test_arbitrary_bytes_are_read_or_refused(data: bytes) -> None:
    reads_or_refuses(data)


@settings(max_examples=300, suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(st.sampled_from([*plans.files(), *plans_old.files()]), st.data())
def test_a_garbled_plan_is_read_or_refused(path: Path, data: st.DataObject) -> None:
    original = path.read_bytes()
    start = data.draw(st.integers(0, len(original)))
    end = data.draw(st.integers(start, min(len(original), start + 40)))

    reads_or_refuses(original[:start] + data.draw(st.binary(max_size=20)) + original[end:])


@settings(max_examples=200, suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(st.sampled_from(plans.files()), st.data())
def test_a_plan_with_flipped_bytes_is_read_or_refused(path: Path, data: st.DataObject) -> None:
    garbled = bytearray(path.read_bytes())
    places = st.integers(0, len(garbled) - 1)
    for place in data.draw(st.lists(places, min_size=1, max_size=4)):
        garbled[place] ^= data.draw(st.integers(1, 255))

    reads_or_refuses(bytes(garbled))


@settings(max_examples=200, suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(st.lists(st.sampled_from(plans.files()), min_size=2, max_size=2), st.data())
def test_two_plans_spliced_together_are_read_or_refused(
    paths: list[Path], data: st.DataObject
) -> None:
    one, other = (path.read_bytes() for path in paths)
    cut, resumed = data.draw(st.integers(0, len(one))), data.draw(st.integers(0, len(other)))

    reads_or_refuses(one[:cut] + other[resumed:])


# What is no JSON to some, and more than numbers and texts usually are.
ODD = [
    10**19,
    -(10**400),
    1e308,
    5e-324,
    "\ud800",
    "\x00",
    "{",
    "[[" * 60,
    '{"a": "\\ud800"}',
    '{"a": 1, "a": 2}',
    "a: &x [*x, *x]\n",
    "\u2028",
    True,
    {"": {"": {"": None}}},
]
JSON = st.sampled_from(ODD) | st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=8,
)


@given(JSON)
def test_any_json_is_read_or_refused(found: Any) -> None:
    reads_or_refuses(json.dumps(found).encode())


WORDS = st.sampled_from(
    ["address", "mode", "change", "actions", "before", "after", "before_sensitive", "importing"]
)


@given(
    st.dictionaries(
        st.sampled_from(
            [
                "resource_changes",
                "resource_drift",
                "output_changes",
                "checks",
                "deferred_changes",
                "deferred_action_invocations",
                "action_invocations",
                "configuration",
                "complete",
                "terraform_version",
            ]
        ),
        st.lists(st.dictionaries(WORDS, JSON)) | st.dictionaries(WORDS, JSON) | JSON,
    )
)
def test_a_document_of_any_json_is_read_or_refused(members: dict[str, Any]) -> None:
    reads_or_refuses(document(**members))


Place = tuple[Any, Any]


def nodes(value: Any) -> list[Place]:
    """Where each node below ``value`` is: its container, and its key there."""
    found: list[Place] = []
    if isinstance(value, dict | list):
        for key, each in value.items() if isinstance(value, dict) else enumerate(value):
            found.append((value, key))
            found += nodes(each)
    return found


def replaced(places: list[Place], data: st.DataObject) -> None:
    container, key = data.draw(st.sampled_from(places))
    container[key] = data.draw(JSON)


def deleted(places: list[Place], data: st.DataObject) -> None:
    container, key = data.draw(st.sampled_from(places))
    del container[key]


def swapped(places: list[Place], data: st.DataObject) -> None:
    (one, at), (other, there) = (
        data.draw(st.sampled_from(places)),
        data.draw(st.sampled_from(places)),
    )
    # Copies, since neither may end up within itself.
    one[at], other[there] = copy.deepcopy(other[there]), copy.deepcopy(one[at])


def duplicated(places: list[Place], data: st.DataObject) -> None:
    if in_lists := [place for place in places if isinstance(place[0], list)]:
        container, key = data.draw(st.sampled_from(in_lists))
        container.insert(key, copy.deepcopy(container[key]))


@settings(
    max_examples=400,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
    deadline=None,
)
@given(
    st.sampled_from([*plans.files(), *plans_old.files()]),
    st.lists(st.sampled_from([replaced, deleted, swapped, duplicated]), min_size=1, max_size=3),
    st.data(),
)
def test_a_plan_with_its_nodes_mixed_up_is_read_or_refused(
    path: Path, mutations: list[Callable[[list[Place], st.DataObject], None]], data: st.DataObject
) -> None:
    changed = json.loads(path.read_bytes())
    for mutate in mutations:
        mutate(nodes(changed), data)

    reads_or_refuses(json.dumps(changed).encode())


@given(st.integers(DEEPEST - 2, DEEPEST + 3), st.sampled_from(["[]", '{"a":}']), st.booleans())
def test_a_value_is_read_down_to_the_deepest_level(levels: int, around: str, secret: bool) -> None:
    value = around[:-1] * levels + "1" + around[-1] * levels
    mirror = "true" if secret else "{}"
    plan = (
        '{"format_version":"1.2","planned_values":{},"resource_changes":[{"address":"x.y",'
        f'"change":{{"actions":["update"],"before":{value},"after":null,'
        f'"before_sensitive":{mirror},"after_sensitive":{{}}}}}}]}}'
    ).encode()

    if levels <= DEEPEST:
        assert change_of(decode_plan(plan, secrets=Secrets(b"key")), "x.y").kind is Kind.UPDATE
    else:
        with pytest.raises(PlanError, match="nested deeper"):
            decode_plan(plan)
