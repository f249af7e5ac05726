from __future__ import annotations

import json
from typing import Any

import pytest

from driftctl_py.core.consequences import About, At, Fact, Subject, consequences
from driftctl_py.core.plan import (
    ActionInvocation,
    Block,
    Change,
    CheckResult,
    Deferred,
    Joined,
    Kind,
    OutputChange,
    Plan,
    Setting,
)
from driftctl_py.core.plan_json import decode_plan
from driftctl_py.core.values import ABSENT, UNKNOWN, Secrets, Value
from tests.data import plans

MAKES = (
    Kind.CREATE,
    Kind.REPLACE,
    Kind.REPLACE_CREATE_FIRST,
    Kind.FORGET_THEN_CREATE,
    Kind.CREATE_THEN_FORGET,
)


def plan_of(change: Change | None = None, drift: Change | None = None, **more: Any) -> Plan:
    joined = (Joined(change, drift),) if change or drift else ()
    facts: dict[str, Any] = {"managed": 1, "settings": ()}
    return Plan("1.15.5", joined=joined, **facts | more)


def facts(change: Change | None, drift: Change | None = None, **more: Any) -> dict[str, Value]:
    """Of the one object that the plan is about, each fact with its place behind it."""
    found = consequences(plan_of(change, drift, **more))
    if not found:
        return {}
    ((subject, consequence),) = found.items()
    assert subject.about is About.RESOURCE
    return {
        " ".join([at.fact.value, *map(str, at.path)]): value for at, value in consequence.items()
    }


def update(before: Any, after: Any, kind: Kind = Kind.UPDATE, **more: Any) -> Change:
    return Change("x.y", kind, before, after, **more)


def test_a_plan_that_changes_nothing_has_no_consequence() -> None:
    assert consequences(decode_plan(plans.of("clean"), settings=True)).keys() == {
        Subject(About.PROVIDER, "folder")
    }


def test_an_update_is_what_it_changes_on_both_sides() -> None:
    before = {"id": "i-1", "size": 1, "tags": {"team": "a", "gone": "b"}, "ports": [22, 80]}
    after = {"id": "i-1", "size": 1, "tags": {"team": "c", "new": None}, "ports": [22, 443]}

    assert facts(update(before, after)) == {
        "kind": "update",
        "mode": "managed",
        "identity": "i-1",
        "real tags team": "a",
        "planned tags team": "c",
        "real tags gone": "b",
        "planned tags gone": ABSENT,
        "real tags new": ABSENT,
        "planned tags new": None,
        "real ports 1": 80,
        "planned ports 1": 443,
    }


def test_lists_of_another_length_are_told_whole() -> None:
    found = facts(update({"ports": [22]}, {"ports": [22, 80]}))

    assert (found["real ports"], found["planned ports"]) == ([22], [22, 80])


def test_an_attribute_that_an_object_lacks_is_null() -> None:
    assert facts(update({"a": None}, {"b": None})).keys() == {"kind", "mode"}


def test_what_was_before_is_left_out_where_the_provider_works_it_out_anew() -> None:
    found = facts(update({"latest": "10:05"}, {"latest": UNKNOWN}))

    assert found == {"kind": "update", "mode": "managed", "planned latest": UNKNOWN}


@pytest.mark.parametrize("kind", MAKES)
def test_what_is_made_is_told_whole(kind: Kind) -> None:
    before = None if kind is Kind.CREATE else {"id": "i-1", "size": 1, "name": "web"}
    after = {"id": UNKNOWN, "size": 2, "name": "web", "none": None}

    found = facts(update(before, after, kind))

    planned = {"planned id": UNKNOWN, "planned size": 2, "planned name": "web"}
    replaced = {} if before is None else {"identity": "i-1", "real size": 1}
    assert found == {"kind": kind.value, "mode": "managed"} | planned | replaced


def test_what_is_made_of_something_that_is_no_object_is_told_as_it_is() -> None:
    assert facts(update(None, [1], Kind.CREATE))["planned"] == [1]


@pytest.mark.parametrize("kind", [Kind.DELETE, Kind.FORGET])
def test_of_what_goes_only_its_identity_counts(kind: Kind) -> None:
    found = facts(update({"id": "i-1", "size": 1}, None, kind, deposed="8f1c2b3d"))

    assert found == {"kind": kind.value, "mode": "managed", "identity": "i-1"}


def test_deposed_objects_are_told_apart() -> None:
    plan = Plan(
        "1",
        joined=tuple(
            Joined(update({"id": "i-1"}, None, Kind.DELETE, deposed=key), None)
            for key in ("", "8f1c2b3d", "9a9a9a9a")
        ),
        settings=(),
    )

    assert [subject.key for subject in consequences(plan)] == ["", "8f1c2b3d", "9a9a9a9a"]


def test_a_move_and_an_import_count_though_nothing_else_changes() -> None:
    same = {"id": "i-1"}

    moved = facts(update(same, same, Kind.NO_OP, previous_address="x.was"))
    imported = facts(update(same, same, Kind.NO_OP, imported=True, import_id="i-1"))

    assert moved["previous address"] == "x.was"
    assert (imported["imported"], imported["import id"]) == (True, "i-1")


def test_of_an_action_that_this_version_does_not_know_everything_counts() -> None:
    found = facts(
        update(
            {"a": 1},
            {"a": 1},
            Kind.UNKNOWN,
            actions=("transmogrify",),
            reason="because",
            replace_paths=(("a",),),
            sensitivity_changed=True,
        )
    )

    assert found == {
        "kind": "unknown",
        "mode": "managed",
        "actions": ["transmogrify"],
        "reason": "because",
        "real": {"a": 1},
        "planned": {"a": 1},
        "sensitivity": True,
        "forces replacement a": True,
    }


def test_drift_that_apply_reverts_is_marked_as_such() -> None:
    drift = update({"a": 1, "b": 1, "c": [1]}, {"a": 2, "b": 2, "c": [1]})

    found = facts(update(drift.after, {"a": 1, "b": 2, "c": [2]}), drift)

    assert found == {
        "kind": "update",
        "mode": "managed",
        "real a": 2,
        "planned a": 1,
        "drift a": True,
        "real c 0": 1,
        "planned c 0": 2,
    }


@pytest.mark.parametrize(
    ("recorded", "real"),
    [
        ({"a": None}, {"a": {}}),
        ({"a": ""}, {"a": []}),
        ({}, {"a": None}),
        ({"a": {}}, {"a": None}),
    ],
)
def test_another_spelling_is_no_drift(recorded: Any, real: Any) -> None:
    found = facts(update(real, {"a": {"k": 1}}), update(recorded, real))

    assert not any(said.startswith("drift") for said in found)


@pytest.mark.parametrize("recorded", [None, {}, {"a": []}, {"a": "x"}, {"a": {"k": 1}}, {"a": [2]}])
def test_a_place_that_was_not_recorded_so_has_drifted(recorded: Any) -> None:
    found = facts(update({"a": [1]}, {"a": [3]}), update(recorded, {"a": [1]}))

    assert found["drift a 0"] is True


def test_an_object_that_was_deleted_outside_and_is_made_again_is_marked_as_such() -> None:
    recorded = {"id": "i-1", "name": "web"}

    found = facts(update(None, {"name": "web"}, Kind.CREATE), update(recorded, None, Kind.DELETE))

    assert (found["kind"], found["outside"]) == ("create", "delete")


@pytest.mark.parametrize(
    "drift",
    [
        update({"a": 2}, {"a": 1}),
        update({"a": 1, "b": None}, {"a": 1, "b": ""}),
        update({"a": 1}, None, Kind.DELETE),
    ],
)
def test_drift_that_apply_leaves_as_it_is_has_no_consequence(drift: Change) -> None:
    assert facts(update(drift.after, drift.after, Kind.NO_OP), drift) == {}
    assert facts(None, drift) == {}


def test_drift_of_a_kind_that_this_version_does_not_know_counts() -> None:
    drift = update({"a": 1}, {"a": 2}, Kind.UNKNOWN, actions=("transmogrify",))

    assert facts(None, drift) == {
        "outside": ["transmogrify"],
        "recorded": {"a": 1},
        "real": {"a": 2},
    }


def test_a_change_of_sensitivity_counts_with_its_direction() -> None:
    hidden = Secrets().mark("hunter22")
    values = {"a": 1, "b": hidden, "c": [{"d": hidden}, 1]}
    places: dict[str, Any] = {
        "newly_sensitive": (("b",),),
        "no_longer_sensitive": (("c", 0, "d"),),
    }

    found = facts(update(values, values, sensitivity_changed=True, **places))

    assert found == {
        "kind": "update",
        "mode": "managed",
        "sensitivity": True,
        "sensitivity b": True,
        "sensitivity c 0 d": False,
    }
    assert facts(update(values, values)) == {"kind": "update", "mode": "managed"}


def test_what_is_read_during_apply_counts_and_not_what_it_reads() -> None:
    def read(kind: Kind, **more: Any) -> dict[str, Value]:
        return facts(Change("data.x.y", kind, None, None, mode="data", **more))

    assert read(Kind.READ) == {"kind": "read", "mode": "data"}
    # As old engines spell it.
    assert read(Kind.CREATE) == read(Kind.UPDATE) == read(Kind.READ)
    assert read(Kind.READ, reason="read_because_config_unknown") == read(Kind.READ)
    assert read(Kind.READ, reason="read_because_check_nested") == {}
    assert read(Kind.DELETE) == {}
    assert read(Kind.UNKNOWN, actions=("x",))["actions"] == ["x"]


BLOCK = Block(
    "aws.eu", ((("ami",), ("data.aws_ami.it.id",)), (("disk", 0, "size"), ("var.size",)), ((), ()))
)


@pytest.mark.parametrize("kind", [Kind.UPDATE, *MAKES, Kind.UNKNOWN])
def test_what_is_unknown_counts_with_what_it_comes_from(kind: Kind) -> None:
    def found(after: Any, address: str = "module.a[0].x.y[1]") -> set[str]:
        change = Change(address, kind, {"id": "i-1"}, after)
        told = facts(change, blocks={"module.a.x.y": BLOCK})
        return {each for each in told if each.startswith(("references", "provider"))}

    here = "provider configuration"
    assert found({"ami": UNKNOWN, "disk": [{"size": 1}]}) == {
        here,
        "references",
        "references ami",
    }
    assert found({"ami": "a", "disk": [{"size": UNKNOWN}]}) == {
        here,
        "references",
        "references disk 0 size",
    }
    assert found({"ami": "a"}) == {here}
    assert found(UNKNOWN) == {here, "references", "references ami", "references disk 0 size"}
    assert found(UNKNOWN, "module.b.x.y") == found(UNKNOWN, "what.is.this") == set()


def test_of_what_goes_the_provider_counts() -> None:
    def found(provider: str) -> Value:
        change = update({"id": "i-1"}, None, Kind.DELETE, provider=provider)
        return facts(change)["provider"]

    assert found("registry.terraform.io/hashicorp/aws") == "hashicorp/aws"
    assert found("registry.opentofu.org/hashicorp/aws") == "hashicorp/aws"
    assert found("example.com/ada/aws") == "example.com/ada/aws"


@pytest.mark.parametrize(
    ("before", "identity", "told"),
    [
        ({"id": "i", "arn": "a", "name": "n"}, None, {"identity": "i"}),
        ({"id": None, "arn": "a", "name": "n"}, None, {"identity": "a"}),
        ({"name": "n"}, None, {"identity": "n"}),
        ({"size": 1}, None, {}),
        ("odd", "odd", {}),
        (
            {"id": "i"},
            {"account_id": "123", "id": "i"},
            {"identity": "i", "identity account_id": "123", "identity id": "i"},
        ),
    ],
)
def test_what_goes_is_known_by_its_first_name_and_by_its_identity(
    before: Any, identity: Any, told: Any
) -> None:
    found = facts(update(before, None, Kind.DELETE, identity=identity))

    assert {name: each for name, each in found.items() if "identity" in name} == told


def test_a_data_source_counts_with_what_it_is_asked_for() -> None:
    change = Change("data.x.y[0]", Kind.READ, None, None, mode="data")
    settings = (Setting("data data.x.y", "filter", "d1"), Setting("data data.x.z", "filter", "d2"))
    blocks = {"data.x.y": Block("aws", ((("filter",), ("var.size",)),))}

    assert facts(change, settings=settings, blocks=blocks) == {
        "kind": "read",
        "mode": "data",
        "provider configuration": "aws",
        "setting filter": "d1",
        "references filter": ["var.size"],
    }


def test_an_unknown_output_counts_with_what_it_comes_from() -> None:
    def found(after: Value, kind: Kind = Kind.UPDATE) -> dict[At, Value]:
        output = OutputChange("url", kind, 1, after, ("melt",))
        blocks = {"output.url": Block(references=(((), ("x.y.url",)),))}
        return dict(consequences(plan_of(outputs=(output,), blocks=blocks)).popitem()[1])

    assert found({"a": UNKNOWN})[At(Fact.REFERENCES)] == ["x.y.url"]
    assert At(Fact.REFERENCES) not in found(2)
    assert found(2, Kind.UNKNOWN)[At(Fact.ACTIONS)] == ["melt"]
    assert At(Fact.ACTIONS) not in found(2)


def test_an_action_counts_with_its_provider() -> None:
    action = ActionInvocation("action.a.b", provider="registry.opentofu.org/ada/mail")

    ((_, told),) = consequences(plan_of(invocations=(action,))).items()

    assert told[At(Fact.PROVIDER)] == "ada/mail"


def test_outputs_count_with_both_values() -> None:
    plan = plan_of(
        outputs=(
            OutputChange("url", Kind.UPDATE, "a", UNKNOWN),
            OutputChange("n", Kind.NO_OP, 1, 1),
        )
    )

    assert consequences(plan) == {
        Subject(About.OUTPUT, "url"): {
            At(Fact.KIND): "update",
            At(Fact.REAL): "a",
            At(Fact.PLANNED): UNKNOWN,
        }
    }


def test_actions_count_with_what_they_are_given_and_in_their_order() -> None:
    plan = plan_of(
        invocations=(
            ActionInvocation("action.a.b", "x.y", "AfterCreate", {"n": 1}),
            ActionInvocation("action.a.c", "x.y", "AfterCreate"),
            ActionInvocation("action.a.b", "x.y", "AfterCreate", {"n": 2}),
            ActionInvocation("action.a.b"),
        )
    )

    found = consequences(plan)

    assert [(each.name, each.key, each.nth) for each in found] == [
        ("action.a.b", "AfterCreate x.y", 0),
        ("action.a.c", "AfterCreate x.y", 0),
        ("action.a.b", "AfterCreate x.y", 1),
        ("action.a.b", "", 0),
    ]
    assert [each[At(Fact.POSITION)] for each in found.values()] == [0, 1, 2, 0]
    assert [each[At(Fact.CONFIG)] for each in found.values()] == [{"n": 1}, None, {"n": 2}, None]


def test_what_is_put_off_counts() -> None:
    put_off = Deferred("instance_count_unknown", update(None, {}, Kind.CREATE))

    found = consequences(plan_of(deferred=(put_off, put_off)))

    head = {At(Fact.KIND): "create", At(Fact.MODE): "managed"}
    assert found == {
        Subject(About.DEFERRED, "x.y", nth=0): head,
        Subject(About.DEFERRED, "x.y", nth=1): head,
    }


PROVISIONER = Setting("provisioner module.a.x.y[0] local-exec", "command", "c0ffee")
OTHER = Setting("provisioner x.y[0] local-exec", "command", "decaf")


@pytest.mark.parametrize(
    ("kind", "starts"),
    [(kind, kind in (*MAKES, Kind.DELETE, Kind.UNKNOWN)) for kind in Kind],
)
def test_a_provisioner_counts_where_an_object_of_its_resource_comes_or_goes(
    kind: Kind, starts: bool
) -> None:
    change = Change('module.a["k"].x.y[1]', kind, None, None)

    found = consequences(plan_of(change, settings=(OTHER, PROVISIONER)))

    subject = Subject(About.PROVISIONER, "module.a.x.y[0] local-exec")
    assert (subject in found) == starts
    assert not starts or found[subject] == {At(Fact.SETTING, ("command",)): "c0ffee"}
    assert Subject(About.PROVISIONER, "x.y[0] local-exec") not in found


def test_every_provisioner_counts_where_an_address_cannot_be_read() -> None:
    change = Change("something new", Kind.CREATE, None, {})

    found = consequences(plan_of(change, settings=(OTHER, PROVISIONER)))

    assert sum(each.about is About.PROVISIONER for each in found) == 2


def test_settings_of_providers_always_count() -> None:
    settings = (
        Setting("provider aws.eu", "region", "e0"),
        Setting("provider aws.eu", "token", ""),
    )

    assert consequences(plan_of(settings=settings)) == {
        Subject(About.PROVIDER, "aws.eu"): {
            At(Fact.SETTING, ("region",)): "e0",
            At(Fact.SETTING, ("token",)): "",
        }
    }


@pytest.mark.parametrize(
    ("more", "fact"),
    [
        ({"errored": True}, Fact.ERRORED),
        ({"errored": True, "complete": False}, Fact.ERRORED),
        ({"complete": False}, Fact.INCOMPLETE),
        ({"applyable": True}, Fact.UNSEEN),
        ({"settings": None}, Fact.UNREAD),
    ],
)
def test_what_makes_a_plan_another_than_a_whole_one_is_told(more: Any, fact: Fact) -> None:
    assert consequences(plan_of(**more)) == {Subject(About.PLAN, ""): {At(fact): True}}


@pytest.mark.parametrize("more", [{"complete": True}, {"complete": None}, {"applyable": False}])
def test_a_whole_plan_is_one_whether_its_engine_says_so_or_not(more: Any) -> None:
    assert consequences(plan_of(**more)) == {}


def test_what_the_engine_would_apply_is_seen_where_there_is_something_to_see() -> None:
    read = Change(
        "data.x.y", Kind.READ, None, None, mode="data", reason="read_because_check_nested"
    )

    assert consequences(plan_of(read, applyable=True)) == {}
    assert len(consequences(plan_of(update({}, {"a": 1}), applyable=True))) == 1


def test_checks_and_the_engines_version_are_no_consequences() -> None:
    checked = plan_of(checks=(CheckResult("check.x", "fail", 1),))

    assert consequences(checked) == {}


def test_a_plan_of_refresh_only_records_what_it_found() -> None:
    def recorded(drift: Change, **more: Any) -> dict[str, Value]:
        return facts(None, drift, managed=0, applyable=True, **more)

    assert recorded(update({"a": 1, "n": None}, {"a": 2, "n": ""})) == {
        "outside": "update",
        "mode": "managed",
        "recorded a": 1,
        "real a": 2,
    }
    assert recorded(update({"id": "i-1"}, None, Kind.DELETE)) == {
        "outside": "delete",
        "mode": "managed",
        "identity": "i-1",
    }
    assert recorded(update({}, {}, Kind.NO_OP, previous_address="x.was")) == {
        "outside": "no-op",
        "mode": "managed",
        "previous address": "x.was",
    }
    assert recorded(update({"a": 1}, {"a": 2}, Kind.UNKNOWN, actions=("x",)))["actions"] == ["x"]
    # As everywhere, another spelling is nothing; that the engine would apply it is told, though.
    spelled = update({"a": None}, {"a": ""})
    assert consequences(plan_of(None, spelled, managed=0, applyable=None)) == {}
    # One that failed half-way has no resources either, and can only be looked at.
    failed = plan_of(None, update({"a": 1}, {"a": 2}), managed=0, errored=True)
    assert consequences(failed).keys() == {Subject(About.PLAN, "")}
    # A plan that cannot be applied records nothing: everything was gone already.
    assert facts(None, update({"id": "i-1"}, None, Kind.DELETE), managed=0, applyable=False) == {}


def test_secrets_stay_taken_out() -> None:
    secrets = Secrets()
    old, new = secrets.mark("hunter22"), secrets.mark("hunter23")

    found = facts(update({"password": old, "token": old}, {"password": new, "token": old}))

    assert found == {
        "kind": "update",
        "mode": "managed",
        "real password": old,
        "planned password": new,
    }


def test_an_object_that_is_a_secret_as_a_whole_counts_where_it_changes() -> None:
    secrets = Secrets()
    old, new = secrets.mark({"pin": 1}), secrets.mark({"pin": 2})

    assert facts(update(old, old)).keys() == {"kind", "mode"}
    assert facts(update(old, new)).keys() == {"kind", "mode", "real", "planned"}


@pytest.mark.parametrize("path", plans.files(), ids=plans.ids)
def test_everything_that_a_real_plan_changes_has_a_consequence(path: Any) -> None:
    document = json.loads(path.read_text())

    found = {(each.name, each.key) for each in consequences(decode_plan(path.read_bytes()))}

    for entry in document.get("resource_changes", []):
        change = entry["change"]
        nothing = change["actions"] == ["no-op"] and not (
            "previous_address" in entry or "importing" in change
        )
        nested = entry.get("action_reason") == "read_because_check_nested"
        gone = entry["mode"] == "data" and change["actions"] == ["delete"]
        if not (nothing or nested or gone or entry["mode"] == "ephemeral"):
            assert (entry["address"], entry.get("deposed", "")) in found
