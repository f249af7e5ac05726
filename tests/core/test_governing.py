from __future__ import annotations

import hashlib
import hmac
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from driftctl_py.core.approval import Ask, Requirement
from driftctl_py.core.environment import (
    ApplyModes,
    Credentials,
    EngineChoice,
    Environment,
    Mode,
    S3State,
)
from driftctl_py.core.governing import Governing, ruling_text, seal
from driftctl_py.core.limits import Limits
from driftctl_py.core.policy import CheckProgram, Policy, RegoPolicy, Shape
from driftctl_py.core.rule import Effect
from driftctl_py.core.scope import Scope
from driftctl_py.core.window import Freeze, Window, WindowEffect

GOVERNING = Governing(
    engine="terraform 1.11.4",
    variables="v0",
    lock_file="l0",
    backend="b0",
    settings="s0",
    trees={"environments/prod": "t0", "modules/web": "t1", ".": "t2"},
    modules={"vpc": "git::https://token@git.example.com/vpc?ref=v1 c0", "dns": "1.2.0"},
)


def test_a_digest_stays_what_it_is_from_version_to_version() -> None:
    """Whoever has to change this makes every approval that was given void."""
    assert GOVERNING.digest == "af3b9addc02a28b3dff84de66dad03f923c610519d0131b7fdf26303316848d1"


def test_the_order_of_mappings_does_not_matter() -> None:
    other = replace(
        GOVERNING,
        trees=dict(sorted(GOVERNING.trees.items())),
        modules=dict(sorted(GOVERNING.modules.items())),
    )

    assert list(other.trees) != list(GOVERNING.trees)
    assert other.digest == GOVERNING.digest
    assert GOVERNING.differences(other) == ()


@pytest.mark.parametrize(
    ("other", "differences"),
    [
        (
            replace(GOVERNING, engine="tofu 1.10.0"),
            ["the engine (terraform 1.11.4, now tofu 1.10.0)"],
        ),
        (replace(GOVERNING, variables="v1"), ["a variable"]),
        (replace(GOVERNING, lock_file="l1"), ["the lock file of the providers"]),
        (replace(GOVERNING, backend="b1"), ["the backend"]),
        (replace(GOVERNING, settings="s1"), ["what driftctl.yaml says of the environment"]),
        (
            replace(GOVERNING, trees={"environments/prod": "t0", "modules/web": "t9", "a": "t3"}),
            ["the root of the source (not used any more)", "a (new)", "modules/web"],
        ),
        (
            replace(GOVERNING, modules={"vpc": "git::https://token@git.example.com/vpc?ref=v2"}),
            ["the remote module dns (not used any more)", "the remote module vpc"],
        ),
        (
            replace(GOVERNING, variables="v1", backend="b1"),
            ["a variable", "the backend"],
        ),
    ],
)
def test_each_part_is_in_the_digest_and_told_by_name(
    other: Governing, differences: list[str]
) -> None:
    assert other.digest != GOVERNING.digest
    assert list(GOVERNING.differences(other)) == differences


def test_a_part_does_not_pass_for_another() -> None:
    one = Governing("a", "b", "c", "d", "e", {"f": "g"}, {})

    assert replace(one, trees={}, modules={"f": "g"}).digest != one.digest
    assert Governing("ab", "", "c", "d", "e", {"f": "g"}, {}).digest != one.digest


def test_a_seal_is_an_hmac_of_each_part_with_its_length() -> None:
    expected = hmac.new(b"key", b"3:one0:4:tw\n3", hashlib.sha256).hexdigest()

    assert seal(b"key", b"one", b"", b"tw\n3") == expected
    assert seal(b"other", b"one", b"", b"tw\n3") != expected


@given(st.lists(st.binary(max_size=4), max_size=4), st.lists(st.binary(max_size=4), max_size=4))
def test_only_the_same_parts_have_the_same_seal(one: list[bytes], other: list[bytes]) -> None:
    assert (seal(b"k", *one) == seal(b"k", *other)) is (one == other)


# --- What the configuration says -----------------------------------------------------------------

PROD = Environment(
    "prod",
    "environments/prod",
    variables={"size": "large", "zones": ["a", "b"]},
    var_files=("common.tfvars", "eu.tfvars"),
    env={"AWS_REGION": "eu-central-1"},
    plan_credentials=Credentials(profile="readonly"),
    apply_credentials=Credentials(role_arn="arn:aws:iam::123456789012:role/deploy"),
    state=S3State("example-states", "eu-central-1"),
    apply=ApplyModes(Mode.GATE, Mode.AUTO),
    requirement=Requirement(groups=("dba", "net")),
)


@pytest.mark.parametrize(
    "other",
    [
        replace(PROD, path="environments/staging"),
        replace(PROD, workspace="eu"),
        replace(PROD, variables={"size": "small", "zones": ["a", "b"]}),
        replace(PROD, variables={"size": "large", "zones": ["b", "a"]}),
        replace(PROD, var_files=("eu.tfvars", "common.tfvars")),
        replace(PROD, env={}),
        replace(PROD, engine=EngineChoice("tofu")),
        replace(PROD, engine=EngineChoice("auto", "~> 1.10")),
        replace(PROD, state=None),
        replace(PROD, state=S3State("example-states", "eu-central-1", "other/{environment}")),
        replace(PROD, apply=ApplyModes(Mode.AUTO, Mode.GATE)),
        replace(PROD, requirement=replace(PROD.requirement, count=2)),
        replace(PROD, requirement=replace(PROD.requirement, groups=("dba",))),
        replace(PROD, requirement=replace(PROD.requirement, author_may=True)),
        replace(PROD, requirement=replace(PROD.requirement, unverified=True)),
        replace(PROD, requirement=replace(PROD.requirement, expires_seconds=60)),
        replace(PROD, requirement=PROD.requirement.also(["net"])),
        replace(PROD, requirement=PROD.requirement.also([], [Ask(2, ("net",))])),
        replace(PROD, plan_credentials=None),
        replace(PROD, apply_credentials=PROD.plan_credentials),
    ],
)
def test_what_rules_an_environment_is_in_its_text(other: Environment) -> None:
    assert ruling_text(other) != ruling_text(PROD)


REGO = RegoPolicy("p", ("policy", "lib"), "v1", levels={"deny": Effect.DENY}, groups=("dba",))
CHECK = CheckProgram("p", ("x", "{plan}"), {1: Effect.APPROVE}, env=("A", "B"), groups=("a", "b"))


@pytest.mark.parametrize(
    "other",
    [
        CHECK,
        replace(REGO, name="q"),
        replace(REGO, paths=("lib", "policy")),
        replace(REGO, rego_version="v0"),
        replace(REGO, shape=Shape.HCP),
        replace(REGO, package="main"),
        replace(REGO, levels={"deny": Effect.WARN}),
        replace(REGO, program="conftest"),
        replace(REGO, context={"a": [1]}),
        replace(REGO, groups=()),
        replace(CHECK, name="q"),
        replace(CHECK, argv=("x", "-v", "{plan}")),
        replace(CHECK, levels={2: Effect.APPROVE}),
        replace(CHECK, whole=True),
        replace(CHECK, env=("A",)),
        replace(CHECK, groups=("a",)),
    ],
)
def test_what_a_policy_says_is_in_its_text(other: Policy) -> None:
    def text(*policies: Policy) -> bytes:
        return ruling_text(replace(PROD, policies=policies))

    assert text(other) not in (text(), text(REGO))
    assert (other == CHECK) is (text(other) == text(CHECK))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (REGO, replace(REGO, timeout_seconds=9, where="f:9", scope=Scope(("prod",)))),
        (CHECK, replace(CHECK, timeout_seconds=9, where="f:9", scope=Scope(("prod",)))),
        (CHECK, replace(CHECK, env=("B", "A", "B"), groups=("b", "a", "b"))),
    ],
)
def test_what_a_policy_does_not_say_is_not(one: Policy, other: Policy) -> None:
    assert ruling_text(replace(PROD, policies=(one,))) == ruling_text(
        replace(PROD, policies=(other,))
    )


@pytest.mark.parametrize(
    "other",
    [
        replace(PROD, variables={"zones": ["a", "b"], "size": "large"}),
        replace(PROD, requirement=replace(PROD.requirement, groups=("net", "dba", "net"))),
        replace(PROD, interval_seconds=60, plan_timeout_seconds=60, apply_grace_seconds=60),
        replace(PROD, labels={"team": "platform"}, needs=("network",), parallelism=3),
        replace(PROD, ref="v2", source="infra"),
        replace(PROD, freezes=(Freeze("f", datetime(2026, 12, 20, tzinfo=UTC), None),)),
        replace(PROD, timetables=((Window("w", WindowEffect.DENY, "0 9 * * *", 60),),)),
        replace(PROD, limits=Limits(1, 1, 1)),
    ],
)
def test_what_does_not_rule_it_is_not(other: Environment) -> None:
    assert ruling_text(other) == ruling_text(PROD)
