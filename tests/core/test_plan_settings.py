from __future__ import annotations

import json
import re
from typing import Any

import pytest

from driftctl_py.core.masks import Mask
from driftctl_py.core.plan import Setting
from driftctl_py.core.plan_json import decode_plan
from driftctl_py.core.values import Secrets
from driftctl_py.errors import PlanError
from tests.data import plans


def constant(value: Any) -> Any:
    return {"constant_value": value}


def references(*names: str) -> Any:
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
