"""Where a state lies: declared, injected, recorded, and the comparison of what was meant."""

from __future__ import annotations

import json
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from driftctl_py.core.engine_choice import Candidate
from driftctl_py.core.environment import Credentials, Environment, S3State
from driftctl_py.core.module_facts import Backend, ModuleFacts
from driftctl_py.core.state import (
    BackendPlan,
    LocalAddress,
    LockHolder,
    OtherAddress,
    S3Address,
    StateAddress,
    compare_addresses,
    lineage_and_serial,
    lock_holder,
    plan_backend,
    provider_hosts,
    recorded_address,
)
from driftctl_py.errors import StateError

NEW = Candidate("terraform", "1.11.4", "/bin/terraform")
OLD = Candidate("terraform", "1.5.7", "/bin/terraform")
STATE = S3State("example-states", "eu-central-1", "{environment}/terraform.tfstate")
PROD = Environment("prod", "environments/prod", state=STATE)


def test_a_partial_block_gets_what_it_lacks() -> None:
    facts = ModuleFacts(backend=Backend("s3", {"region": "us-east-1"}))

    plan = plan_backend(PROD, facts, NEW)

    assert plan == BackendPlan(
        S3Address("example-states", "prod/terraform.tfstate", "us-east-1", lock_object=True),
        {
            "bucket": "example-states",
            "key": "prod/terraform.tfstate",
            "encrypt": True,
            "use_lockfile": True,
        },
    )
    assert plan.settings_text == (
        'bucket = "example-states"\nkey = "prod/terraform.tfstate"\n'
        "encrypt = true\nuse_lockfile = true\n"
    )


def test_no_block_at_all_gets_an_override() -> None:
    plan = plan_backend(PROD, ModuleFacts(), NEW)

    assert plan.override is not None
    assert 'backend "s3" {}' in plan.override
    assert str(plan.address) == "s3://example-states/prod/terraform.tfstate"


def test_a_complete_block_is_left_alone() -> None:
    facts = ModuleFacts(
        backend=Backend("s3", {"bucket": "own", "key": "own.tfstate"}, frozenset({"use_lockfile"}))
    )

    plan = plan_backend(PROD, facts, NEW)

    assert plan == BackendPlan(S3Address("own", "own.tfstate", lock_object=True), {})


@pytest.mark.parametrize(
    ("facts", "address"),
    [
        (ModuleFacts(cloud=True), OtherAddress("cloud")),
        (ModuleFacts(backend=Backend("gcs")), OtherAddress("gcs")),
        (ModuleFacts(backend=Backend("local", {"path": "x.tfstate"})), LocalAddress("x.tfstate")),
    ],
)
def test_another_backend_is_left_alone(facts: ModuleFacts, address: StateAddress) -> None:
    assert plan_backend(PROD, facts, NEW) == BackendPlan(address, {})


def test_without_anything_the_state_is_local() -> None:
    assert plan_backend(Environment("a", "a"), ModuleFacts(), NEW).address == LocalAddress(
        "terraform.tfstate"
    )


def test_a_key_that_is_an_expression_is_known_only_after_init() -> None:
    facts = ModuleFacts(backend=Backend("s3", {"bucket": "own"}, frozenset({"key"})))

    assert plan_backend(PROD, facts, NEW).address == OtherAddress("s3")


@pytest.mark.parametrize(
    ("environment", "facts", "key"),
    [
        (Environment("prod", "p", state=STATE, workspace="blue"), ModuleFacts(), "env:/blue/"),
        (
            Environment("prod", "p", state=STATE, workspace="blue"),
            ModuleFacts(backend=Backend("s3", {"workspace_key_prefix": "ws"})),
            "ws/blue/",
        ),
    ],
)
def test_a_workspace_lies_below_its_prefix(
    environment: Environment, facts: ModuleFacts, key: str
) -> None:
    address = plan_backend(environment, facts, NEW).address

    assert address == S3Address(
        "example-states", f"{key}prod/terraform.tfstate", "eu-central-1", lock_object=True
    )


def test_a_local_workspace_lies_in_its_directory() -> None:
    environment = Environment("a", "a", workspace="blue")

    assert plan_backend(environment, ModuleFacts(), NEW).address == LocalAddress(
        "terraform.tfstate.d/blue/terraform.tfstate"
    )


def test_native_locks_need_an_engine_that_has_them() -> None:
    with pytest.raises(StateError, match=r"Terraform 1\.5\.7 has no native S3 locks"):
        plan_backend(PROD, ModuleFacts(), OLD)


def test_a_look_alike_is_spelled_as_the_engine_knows_it() -> None:
    state = S3State(
        "b", "eu-central-1", lock="none", endpoint="http://localhost:5000", kms_key_id="k"
    )
    environment = Environment("prod", "p", state=state)

    new, old = (plan_backend(environment, ModuleFacts(), engine) for engine in (NEW, OLD))

    assert new.settings["endpoints"] == {"s3": "http://localhost:5000"}
    assert new.settings["use_path_style"] is True
    assert 'endpoints = { s3 = "http://localhost:5000" }' in new.settings_text
    assert old.settings["endpoint"] == "http://localhost:5000"
    assert old.settings["force_path_style"] is True
    assert new.settings["kms_key_id"] == "k"
    assert new.address == old.address


def test_a_lock_table_is_passed_on() -> None:
    state = S3State("b", "eu-central-1", lock="dynamodb", dynamodb_table="locks")

    plan = plan_backend(Environment("prod", "p", state=state), ModuleFacts(), OLD)

    assert plan.settings["dynamodb_table"] == "locks"
    assert isinstance(plan.address, S3Address)
    assert plan.address.lock_table == "locks"


@pytest.mark.parametrize("engine", [NEW, OLD])
def test_a_look_alike_holds_the_lock_table_too(engine: Candidate) -> None:
    state = S3State(
        "b",
        "eu-central-1",
        lock="dynamodb",
        dynamodb_table="locks",
        endpoint="http://localhost:5000",
    )

    plan = plan_backend(Environment("prod", "p", state=state), ModuleFacts(), engine)

    assert isinstance(plan.address, S3Address)
    assert plan.address.lock_endpoint == plan.address.endpoint == "http://localhost:5000"


def test_a_template_in_a_setting_stays_text() -> None:
    state = S3State('b"${x}%{y}', "eu-central-1", lock="none")

    text = plan_backend(Environment("prod", "p", state=state), ModuleFacts(), NEW).settings_text

    assert text.startswith('bucket = "b\\"$${x}%%{y}"\n')


def _recorded(type_: str, **config: object) -> bytes:
    return json.dumps({"version": 3, "backend": {"type": type_, "config": config}}).encode()


@pytest.mark.parametrize(
    ("recorded", "workspace", "address"),
    [
        (None, "default", LocalAddress("terraform.tfstate")),
        (b"{}", "default", LocalAddress("terraform.tfstate")),
        (_recorded("local", path=None), "default", LocalAddress("terraform.tfstate")),
        (
            _recorded("local", path="s/x"),
            "w",
            LocalAddress("terraform.tfstate.d/w/terraform.tfstate"),
        ),
        (_recorded("gcs", bucket="b"), "default", OtherAddress("gcs")),
        (_recorded("s3", bucket="b", key=None), "default", OtherAddress("s3")),
        (
            _recorded(
                "s3", bucket="b", key="k", region="r", use_lockfile=True, endpoints={"s3": "e"}
            ),
            "default",
            S3Address("b", "k", "r", "e", lock_object=True),
        ),
        (
            _recorded(
                "s3", bucket="b", key="k", endpoint="e", dynamodb_table="t", use_lockfile=None
            ),
            "w",
            S3Address("b", "env:/w/k", None, "e", lock_table="t"),
        ),
    ],
)
def test_what_init_recorded(recorded: bytes | None, workspace: str, address: StateAddress) -> None:
    assert recorded_address(recorded, workspace) == address


@pytest.mark.parametrize(
    ("config", "credentials"),
    [
        ({"profile": "plan"}, Credentials(profile="plan")),
        ({"role_arn": "r", "external_id": "x"}, Credentials(role_arn="r", external_id="x")),
        (
            {"assume_role": {"role_arn": "r", "session_name": "s"}},
            Credentials(role_arn="r", session_name="s"),
        ),
        ({"assume_role": [{"role_arn": "r"}], "profile": "p"}, Credentials("p", "r")),
        ({"assume_role": []}, None),
    ],
)
def test_a_backend_may_say_whom_to_be(
    config: dict[str, object], credentials: Credentials | None
) -> None:
    address = recorded_address(_recorded("s3", bucket="b", key="k", **config), "default")

    assert isinstance(address, S3Address)
    assert address.credentials == credentials


def test_a_record_that_no_engine_wrote_is_an_error() -> None:
    with pytest.raises(StateError, match="cannot be read"):
        recorded_address(b"{", "default")


@pytest.mark.parametrize(
    ("meant", "recorded", "fine"),
    [
        (S3Address("b", "k", "r1"), S3Address("b", "k", "r2", lock_object=True), True),
        (S3Address("b", "k"), S3Address("b", "other"), False),
        (S3Address("b", "k"), LocalAddress("terraform.tfstate"), False),
        (OtherAddress("s3"), S3Address("b", "k"), True),
        (OtherAddress("s3"), LocalAddress("x"), False),
        (OtherAddress("gcs"), OtherAddress("gcs"), True),
        (OtherAddress("gcs"), OtherAddress("http"), False),
        (LocalAddress("x"), LocalAddress("x"), True),
    ],
)
def test_what_was_meant_is_held_against_what_is(
    meant: StateAddress, recorded: StateAddress, fine: bool
) -> None:
    if fine:
        compare_addresses(meant, recorded)
    else:
        with pytest.raises(StateError, match="is meant to be"):
            compare_addresses(meant, recorded)


def test_addresses_read_well() -> None:
    assert [
        str(item) for item in (S3Address("b", "k"), LocalAddress("x"), OtherAddress("gcs"))
    ] == [
        "s3://b/k",
        "the local file x",
        "the gcs backend",
    ]


def test_a_lock_names_its_holder() -> None:
    info = (
        b'{"ID":"3b1c","Operation":"OperationTypeApply","Who":"ada@build-7",'
        b'"Created":"2026-11-23T09:14:00Z"}'
    )

    assert str(lock_holder(info)) == (
        "ada@build-7, since 2026-11-23T09:14:00Z, for OperationTypeApply, lock 3b1c"
    )


def test_a_corrupt_lock_is_a_lock_all_the_same() -> None:
    assert lock_holder(b"\xff{") == LockHolder()
    assert str(LockHolder()) == "somebody"


def test_a_state_tells_which_registry_its_providers_came_from() -> None:
    state = {
        "resources": [
            {"provider": 'provider["registry.opentofu.org/hashicorp/aws"]'},
            {"provider": 'module.a.provider["registry.opentofu.org/hashicorp/aws"].west'},
            {"provider": 'provider["terraform.io/builtin/terraform"]'},
            {},
        ]
    }

    assert provider_hosts(json.dumps(state).encode()) == {"registry.opentofu.org"}


@pytest.mark.parametrize(
    ("state", "found"),
    [
        (b'{"version": 4, "lineage": "a-b", "serial": 7}', ("a-b", 7)),
        (b'{"version": 4, "serial": 7}', None),
        (b'{"encrypted_data": "x"}', None),
        (b'{"lineage": 1}', None),
        (b"\xff\xfe", None),
        (b"", None),
    ],
)
def test_a_state_that_only_its_engine_can_read_has_no_lineage_for_us(
    state: bytes, found: tuple[str, int] | None
) -> None:
    assert lineage_and_serial(state) == found


@given(st.binary())
def test_reading_bytes_of_others_raises_nothing_but_our_own(data: bytes) -> None:
    provider_hosts(data)
    lineage_and_serial(data)
    lock_holder(data)
    with suppress(StateError):
        recorded_address(data, "default")
