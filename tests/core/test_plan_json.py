from __future__ import annotations

import copy
import json
import mmap
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from driftctl_py.core.plan import ActionInvocation, Change, CheckResult, Kind, OutputChange, Plan
from driftctl_py.core.plan_json import decode_plan, kind_of
from driftctl_py.core.values import UNKNOWN, Sensitive
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
    assert plan.outputs == (OutputChange("o", Kind.CREATE, None, UNKNOWN),)


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
            ],
        )
    )

    both = [j.entry.address for j in plan.joined if j.change and j.drift]
    assert both == ["x.y[0]", "x.y[1]", "module.m.x.y"]
    assert [j.entry.address for j in plan.joined if not j.change] == [
        "x.gone[?1]",
        "module.m.x.gone[?2]",
        "x.y[?4]",
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
    try:
        plan = decode_plan(data)
    except PlanError:
        return
    assert isinstance(plan, Plan)


@given(st.binary(max_size=300))
def test_arbitrary_bytes_are_read_or_refused(data: bytes) -> None:
    reads_or_refuses(data)


@settings(max_examples=300, suppress_health_check=[HealthCheck.too_slow])
@given(st.sampled_from(plans.files()), st.data())
def test_a_garbled_plan_is_read_or_refused(path: Path, data: st.DataObject) -> None:
    original = path.read_bytes()
    start = data.draw(st.integers(0, len(original)))
    end = data.draw(st.integers(start, min(len(original), start + 40)))

    reads_or_refuses(original[:start] + data.draw(st.binary(max_size=20)) + original[end:])


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=8,
)


def nodes(value: Any) -> list[Callable[[Any], None]]:
    """Something that replaces it, for every node below ``value``."""
    found: list[Callable[[Any], None]] = []
    if isinstance(value, dict | list):
        for key, each in value.items() if isinstance(value, dict) else enumerate(value):
            found.append(partial(value.__setitem__, key))
            found += nodes(each)
    return found


@settings(max_examples=300, suppress_health_check=[HealthCheck.too_slow])
@given(st.sampled_from(plans.files()), st.data())
def test_a_plan_with_anything_in_any_place_is_read_or_refused(
    path: Path, data: st.DataObject
) -> None:
    changed = copy.deepcopy(json.loads(path.read_bytes()))
    changed.pop("configuration", None)
    data.draw(st.sampled_from(nodes(changed)))(data.draw(JSON))

    reads_or_refuses(json.dumps(changed).encode())
