"""What a policy finds under ``input``, shape by shape."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal
from types import MappingProxyType
from typing import Any

import pytest

from driftctl_py.core.policy import About, RegoPolicy, Shape
from driftctl_py.core.policy_input import CANARY_KEY, CUSTOMS, refuse_unknown, wrapping
from driftctl_py.core.values import Json
from driftctl_py.errors import PolicyError

ABOUT = About(
    environment="prod",
    labels={"team": "engines", "critical": ""},
    path="environments/prod",
    workspace="default",
    repository="https://git.example/infra.git",
    ref="main",
    commit="3f2a91c0" * 5,
    run="01JDEX",
    trigger="daemon",
    actor="os:ada",
    started_at=datetime(2026, 11, 24, 9, 30, 1, 250_000, UTC),
    authors=("grace@example.com", "linus@example.com"),
    engine="Terraform 1.11.4",
)
PLAN = b'{"format_version":"1.2","resource_changes":[]}'


def policy(shape: Shape, context: Mapping[str, Json] | None = None) -> RegoPolicy:
    return RegoPolicy("guard", ("policy",), "v1", shape, context=context or {})


def document(
    shape: Shape, context: Mapping[str, Json] | None = None, about: About = ABOUT
) -> dict[str, Any]:  # Any: the wire's.
    around = wrapping(policy(shape, context), about, "t0k3n")
    plan = PLAN[1:] if around.inside else PLAN
    parsed: dict[str, Any] = json.loads(around.before + plan + around.after)
    return parsed


def test_conftest_gets_the_plan_itself_with_our_one_key() -> None:
    assert document(Shape.PLAN) == {CANARY_KEY: "t0k3n", **json.loads(PLAN)}


@pytest.mark.parametrize(
    ("shape", "plan", "beside"),
    [
        (Shape.SPACELIFT, "terraform", {"spacelift"}),
        (Shape.HCP, "plan", {"run"}),
        (Shape.SCALR, "tfplan", {"tfrun"}),
        (Shape.DIGGER, "terraform", set()),
    ],
)
def test_the_others_get_it_under_a_key_beside_what_is_known(
    shape: Shape, plan: str, beside: set[str]
) -> None:
    made = document(shape)

    assert made.keys() == {CANARY_KEY, plan} | beside
    assert made[plan] == json.loads(PLAN)
    assert made[CANARY_KEY] == "t0k3n"
    assert CUSTOMS[shape].plan == plan


def test_spacelift_finds_stack_run_and_commit() -> None:
    made = document(Shape.SPACELIFT)["spacelift"]

    assert made["stack"]["name"] == "prod"
    assert made["stack"]["labels"] == ["critical", "team:engines"]
    assert made["run"]["type"] == "TRACKED"
    assert made["run"]["runtime_config"]["terraform_version"] == "1.11.4"
    assert made["commit"] == {
        "author": "grace@example.com",
        "branch": "main",
        "hash": ABOUT.commit,
    }
    assert made["request"]["timestamp_ns"] == 1795512601_250_000_000


def test_hcp_finds_the_run_and_its_workspace() -> None:
    made = document(Shape.HCP)["run"]

    assert made["created_at"] == "2026-11-24T09:30:01.250000Z"
    assert made["created_by"] == "os:ada"
    assert made["workspace"]["working_directory"] == "environments/prod"
    assert made["workspace"]["vcs_repo"]["branch"] == "main"


def test_scalr_finds_workspace_and_commit() -> None:
    made = document(Shape.SCALR)["tfrun"]

    assert made["workspace"]["name"] == "prod"
    assert made["vcs"]["commit"]["sha"] == ABOUT.commit
    assert made["created_by"] == {"username": "os:ada"}


def test_a_commit_whose_author_is_not_known_has_an_empty_one() -> None:
    about = About(
        "prod", {}, ".", "default", "", "", "c" * 40, "r", "run", "os:ada", ABOUT.started_at
    )

    made = document(Shape.SPACELIFT, about=about)["spacelift"]

    assert made["commit"]["author"] == ""
    assert made["stack"]["labels"] == []


def test_a_context_is_merged_object_by_object_and_its_word_counts() -> None:
    context: dict[str, Json] = {
        "spacelift": {"stack": {"labels": ["mine"], "autodeploy": True}, "run": 7},
        "third_party_metadata": {"custom": {"cost": 12.5}},
    }

    made = document(Shape.SPACELIFT, context)

    assert made["spacelift"]["stack"]["labels"] == ["mine"]
    assert made["spacelift"]["stack"]["autodeploy"] is True
    assert made["spacelift"]["stack"]["name"] == "prod"
    assert made["spacelift"]["run"] == 7
    assert made["third_party_metadata"]["custom"]["cost"] == 12.5


def test_a_context_that_would_replace_the_plan_is_refused() -> None:
    with pytest.raises(PolicyError, match="holds tfplan, which is ours to say"):
        wrapping(policy(Shape.SCALR, {"tfplan": {}}), ABOUT, "t")


def test_a_context_that_would_replace_the_canary_is_refused() -> None:
    with pytest.raises(PolicyError, match=CANARY_KEY):
        wrapping(policy(Shape.DIGGER, {CANARY_KEY: "t"}), ABOUT, "t")


def test_a_context_beside_nothing_but_the_plan_is_refused() -> None:
    with pytest.raises(PolicyError, match="the input is the plan and nothing else") as caught:
        wrapping(policy(Shape.PLAN, {"team": "engines"}), ABOUT, "t")

    assert "under data" in caught.value.todo


def test_a_context_may_hold_what_a_configuration_does() -> None:
    made = document(Shape.DIGGER, {"limits": MappingProxyType({"cost": Decimal("12.5")})})

    assert made["limits"] == {"cost": 12.5}


@pytest.mark.parametrize("value", [float("nan"), {1, 2}])
def test_a_context_that_json_has_no_words_for_is_refused(value: Any) -> None:
    with pytest.raises(PolicyError, match="cannot be told in JSON"):
        wrapping(policy(Shape.DIGGER, {"limit": value}), ABOUT, "t")


@pytest.mark.parametrize(
    ("shape", "source", "asks"),
    [
        (
            Shape.SPACELIFT,
            'warn["look"] { input.spacelift.run.drift_detection }',
            "input.spacelift.run.drift_detection",
        ),
        (
            Shape.SPACELIFT,
            "import input.third_party_metadata\ndeny[m] { m := third_party_metadata.custom.a }",
            "input.third_party_metadata",
        ),
        (
            Shape.SPACELIFT,
            "  import input.spacelift as s\ndeny[m] { not s.previous_run.state }",
            "input.spacelift.previous_run",
        ),
        (
            Shape.HCP,
            "import input.run as run\ndeny[m] { run.workspace.auto_apply != false }",
            "input.run.workspace.auto_apply",
        ),
        (Shape.SCALR, "deny[m] { input.tfrun.cost_estimate.x > 7 }", "input.tfrun.cost_estimate"),
        (Shape.DIGGER, "allow { input.user == m }", "input.user"),
    ],
)
def test_a_policy_that_asks_for_what_is_not_known_is_refused(
    shape: Shape, source: str, asks: str
) -> None:
    with pytest.raises(PolicyError, match=f"asks for {asks}.*, which is not known here") as caught:
        refuse_unknown(policy(shape), ABOUT, ["package x", source])

    assert "context: {" in caught.value.todo


def test_what_the_context_says_may_be_asked_for() -> None:
    context: dict[str, Json] = {
        "spacelift": {"run": {"drift_detection": False}, "previous_run": None},
        "third_party_metadata": {"custom": {"cost": 3}},
    }
    source = """
    deny[m] { input.spacelift.run.drift_detection; m := input.third_party_metadata.custom.cost }
    deny[m] { m := input.spacelift.previous_run.state }
    """

    refuse_unknown(policy(Shape.SPACELIFT, context), ABOUT, [source])


def test_the_remedy_can_be_pasted() -> None:
    with pytest.raises(PolicyError) as caught:
        refuse_unknown(policy(Shape.HCP), ABOUT, ["deny[m] { input.run.workspace.auto_apply }"])

    assert "`context: {run: {workspace: {auto_apply: VALUE}}}`" in caught.value.todo


@pytest.mark.parametrize(
    "source",
    [
        "deny[m] { input.spacelift.stack.name == m; input.terraform.anything.at.all }",
        "deny[m] { m := input.resource_changes[_] } # input.spacelift.run.drift_detection",
        'deny["input.spacelift.run.drift_detection"] { `input.spacelift.nothing` }',
        "deny[m] { data.input.spacelift.nothing; spacelift.nothing; m.input.spacelift.nothing }",
        "deny[m] { input.spacelift.stack.labels.x }",
    ],
)
def test_what_is_known_or_nobodys_fact_may_be_asked_for(source: str) -> None:
    refuse_unknown(policy(Shape.SPACELIFT), ABOUT, [source])
