from __future__ import annotations

import json
import re
from typing import Any

import pytest

from driftctl_py.core.masks import Mask
from driftctl_py.core.plan import Block, Plan, Setting
from driftctl_py.core.plan_json import decode_plan
from driftctl_py.core.values import Secrets, Sensitive
from driftctl_py.errors import PlanError
from tests.data import plans


def constant(value: Any) -> Any:
    return {"constant_value": value}


def references(*names: str | int) -> Any:
    return {"references": list(names)}


def configured(key: bytes | None = None, masks: Any = (), **configuration: Any) -> list[Setting]:
    plan = decode_plan(
        json.dumps(
            {"format_version": "1.2", "planned_values": {}, "configuration": configuration}
        ).encode(),
        settings=True,
        secrets=Secrets(key),
        masks=masks,
    )
    assert plan.settings is not None
    return list(plan.settings)


def provider(key: bytes | None = None, masks: Any = (), **expressions: Any) -> list[Setting]:
    config = {"aws": {"name": "aws", "version_constraint": "~> 5", "expressions": expressions}}
    return configured(key, masks, provider_config=config)


def digest(value: Any, key: bytes | None = None, name: str = "region") -> str:
    (setting,) = provider(key, **{name: value})
    return setting.digest


def test_settings_are_read_when_somebody_asks() -> None:
    plan = decode_plan(plans.of("rich"), settings=True)

    assert plan.settings is not None
    assert [(each.owner, each.path) for each in plan.settings] == [("provider folder", "root")]
    assert decode_plan(plans.of("rich")).settings is None


def test_a_plan_without_configuration_has_no_settings() -> None:
    plan = decode_plan(b'{"format_version":"1.2","planned_values":{}}', settings=True)

    assert plan.settings == ()
    assert configured(root_module={"module_calls": {"m": {}}}) == []


def test_every_provider_is_known_by_its_alias_and_module() -> None:
    region = {"expressions": {"region": constant("eu-west-1")}}
    found = configured(
        provider_config={
            "aws.eu": {**region, "name": "aws", "alias": "eu"},
            "aws": region,
            "module.web:aws": {**region, "module_address": "module.web"},
            "random": {"name": "random", "version_constraint": ">= 3"},
            "null": {"name": "null", "expressions": {}},
        }
    )

    assert [(each.owner, each.path) for each in found] == [
        ("provider aws", "region"),
        ("provider aws.eu", "region"),
        ("provider module.web:aws", "region"),
    ]
    assert len({each.digest for each in found}) == 1


def test_blocks_and_literal_maps_are_taken_apart() -> None:
    found = provider(
        assume_role=[{"role_arn": constant("a"), "tags": constant({"team": "ada", "a.b": "x"})}],
        features={"vm": {"delete": constant(True)}},
        name={"by_label": {"x": constant(1)}},
        empty=constant({}),
        computed={},
    )

    assert [each.path for each in found] == [
        "assume_role[0].role_arn",
        "assume_role[0].tags.team",
        'assume_role[0].tags["a.b"]',
        "computed",
        "empty",
        "features.vm.delete",
        "name.by_label.x",
    ]
    assert all(each.digest for each in found)


def test_provisioners_are_found_in_every_module_by_position_and_type() -> None:
    run = {"type": "local-exec", "expressions": {"command": constant("echo ada")}}
    copy = {"type": "file"}
    resource = {"address": "x.y", "mode": "managed", "provisioners": [run, copy]}
    found = configured(
        root_module={
            "resources": [resource, {"address": "x.plain"}],
            "module_calls": {
                "web": {"module": {"module_calls": {"in": {"module": {"resources": [resource]}}}}}
            },
        }
    )

    assert [(each.owner, each.path) for each in found] == [
        ("provisioner module.web.module.in.x.y[0] local-exec", "command"),
        ("provisioner module.web.module.in.x.y[1] file", ""),
        ("provisioner x.y[0] local-exec", "command"),
        ("provisioner x.y[1] file", ""),
    ]


@pytest.mark.parametrize("key", [None, b"key"])
def test_a_digest_changes_with_the_expression(key: bytes | None) -> None:
    values: list[Any] = [
        constant("eu"),
        constant("us"),
        constant(1),
        constant("1"),
        constant(["var.a"]),
        references("var.a"),
        references("var.b"),
        {},
    ]
    found = [digest(value, key) for value in values]

    assert len(set(found)) == len(values)
    assert found == [digest(value, key) for value in values]


def test_a_key_makes_other_digests() -> None:
    one, other, none = (digest(constant("eu"), key) for key in (b"one", b"other", None))

    assert len({one, other, none}) == 3


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("password", "x"),
        ("secret_key", "x"),
        ("accessToken", "x"),
        ("DB_CREDENTIALS", "x"),
        ("client_certificate", "x"),
        ("connection_string", "x"),
        ("command", "DB_PASSWORD=x ./deploy"),
        ("command", 'curl -d \'{"api-key": "x"}\' example.com'),
        ("command", "vault login --token x"),
        ("endpoint", "https://ada:x@example.com"),
        ("headers", [{"x": 1, "authorization": "x"}]),
        ("headers", [{"x": ["Token: x"]}]),
    ],
)
def test_what_may_be_a_secret_has_no_digest_without_a_key(name: str, value: Any) -> None:
    assert digest(constant(value), name=name) == ""
    assert digest(constant(value), b"key", name=name) != ""
    assert digest(references("var.x"), name=name) != ""


@pytest.mark.parametrize(
    "command", ["echo hello ada", "kubectl apply -f x.yaml", "curl https://example.com/a@b"]
)
def test_an_ordinary_command_has_a_digest(command: str) -> None:
    assert digest(constant(command), name="command") != ""


def test_a_secret_member_hides_no_other() -> None:
    found = provider(environment=constant({"API_KEY": "x", "REGION": "eu"}))

    assert [(each.path, bool(each.digest)) for each in found] == [
        ("environment.API_KEY", False),
        ("environment.REGION", True),
    ]


def test_what_a_mask_looks_for_has_no_digest_without_a_key() -> None:
    masks = [Mask(pattern=re.compile("hush")), Mask(address="x.y")]

    assert [each.digest for each in provider(None, masks, command=constant("say hush"))] == [""]
    assert all(each.digest for each in provider(None, masks, command=constant("say ada")))
    assert all(each.digest for each in provider(b"key", masks, command=constant("say hush")))


def test_a_name_that_a_mask_looks_for_is_not_told() -> None:
    masks = [Mask(pattern=re.compile("hush"))]
    (found,) = provider(None, masks, environment=constant({"hush": "x", "REGION": "eu"}))

    assert (found.path, found.digest) == ("environment", "")


def test_values_stay_where_they_are() -> None:
    assert "CANARY" not in repr(provider(region=constant("CANARY"), b=references("CANARY")))


def test_a_configuration_of_another_shape_is_refused() -> None:
    with pytest.raises(PlanError, match=r"cannot be read.*provider_config"):
        configured(provider_config=[])


def plan_with(root: Any, *entries: Any, masks: Any = (), **more: Any) -> Plan:
    change = {"actions": ["update"], "before": {}, "after": {}, "before_sensitive": {}}
    changes = [{"address": each, "change": change, **more} for each in entries]
    document = {
        "format_version": "1.2",
        "resource_changes": changes,
        "configuration": {"root_module": root},
    }
    return decode_plan(json.dumps(document).encode(), settings=True, masks=masks)


def test_a_reference_that_a_mask_looks_for_is_not_told() -> None:
    block = {"address": "x.y", "expressions": {"a": references('x.z["hunter2"].id', "x.z")}}

    plan = plan_with({"resources": [block]}, "x.y", masks=[Mask(pattern=re.compile("hunter."))])

    assert "hunter" not in repr(plan)
    ((path, (secret, plain)),) = plan.blocks["x.y"].references
    assert path == ("a",)
    assert isinstance(secret, Sensitive)
    assert plain == "x.z"


def test_of_what_changes_it_is_known_what_its_expressions_refer_to() -> None:
    resource = {
        "address": "x.y",
        "provider_config_key": "aws.eu",
        "expressions": {
            "name": constant({"references": ["hunter2"]}),
            "ami": references("data.aws_ami.it.id", "data.aws_ami.it", 7),
            "disk": [{"size": references("var.size")}, {"size": constant(3)}],
        },
    }
    root = {"resources": [resource, resource | {"address": "x.z"}]}

    assert plan_with(root, 'x.y["a"]', "not an address", "x.gone").blocks == {
        "x.y": Block(
            "aws.eu",
            (
                (("ami",), ("data.aws_ami.it.id", "data.aws_ami.it")),
                (("disk", 0, "size"), ("var.size",)),
            ),
        )
    }
    assert decode_plan(b'{"format_version":"1.2","planned_values":{}}').blocks == {}


def test_references_lead_through_variables_and_outputs_of_modules() -> None:
    web = {
        "resources": [
            {"address": "x.y", "expressions": {"a": references("var.in", "var.in", "var.none")}}
        ]
    }
    net = {
        "outputs": {
            "id": {"expression": references("x.subnet.id", "var.loop")},
            "odd": {"expression": {"references": "odd"}},
        }
    }
    root = {
        "outputs": {"all": {"expression": references("module.net[0].id", "each.odd")}},
        "module_calls": {
            "web": {
                "expressions": {"in": [{"x": references("module.net[0].id", "module.net[0]")}]},
                "module": web,
            },
            "net": {"expressions": {"loop": references("module.net.id")}, "module": net},
            "gone": {},
            "odd": {"expressions": [], "module": {"outputs": {"o": {}}}},
        },
    }

    found = plan_with(root, "module.web[1].x.y").blocks

    there = ("module.net.x.subnet.id", "module.net.var.loop", "module.net.id")
    assert found["module.web.x.y"].references == (
        (
            ("a",),
            (
                "module.web.var.in",
                "module.net[0].id",
                *there,
                "module.net[0]",
                "module.web.var.none",
            ),
        ),
    )
    assert found["output.all"].references == (((), ("module.net[0].id", *there, "each.odd")),)


def test_references_lead_through_for_each() -> None:
    block = {
        "address": "x.y",
        "expressions": {"a": references("each.value"), "b": references("var.b")},
        "for_each_expression": references("x.all"),
    }
    call = {
        "expressions": {"b": references("each.key")},
        "for_each_expression": references("var.names"),
        "module": {"resources": [block]},
    }

    found = plan_with({"module_calls": {"m": call}}, 'module.m["k"].x.y["k"]').blocks

    assert found["module.m.x.y"].references == (
        (("a",), ("module.m.each.value", "module.m.x.all")),
        (("b",), ("module.m.var.b", "each.key", "var.names")),
    )


@pytest.mark.parametrize("name", ["module.gone.o", "module.none.o", "module.odd.o", "module.odd.x"])
def test_a_reference_that_leads_nowhere_is_its_name(name: str) -> None:
    odd = {"resources": [{"address": "x.y", "expressions": {"a": references("var.b")}}]}
    calls = {
        "gone": {},
        "odd": {"expressions": [], "module": odd | {"outputs": {"o": {"expression": None}}}},
    }
    resource = {"address": "x.y", "expressions": {"a": references(name)}}

    found = plan_with({"resources": [resource], "module_calls": calls}, "x.y", "module.odd.x.y")

    assert found.blocks["x.y"].references == ((("a",), (name,)),)
    assert found.blocks["module.odd.x.y"].references == ((("a",), ("module.odd.var.b",)),)


def test_of_a_data_source_that_is_read_it_is_known_what_it_is_asked_for() -> None:
    block = {
        "address": "data.x.y",
        "mode": "data",
        "expressions": {"owner": constant("ada"), "password": constant("hunter2")},
    }
    root = {"resources": [block, block | {"address": "data.x.z"}]}

    plan = plan_with(root, "data.x.y", mode="data")

    assert plan.settings is not None
    assert [(each.owner, each.path, bool(each.digest)) for each in plan.settings] == [
        ("data data.x.y", "owner", True),
        ("data data.x.y", "password", False),
    ]
