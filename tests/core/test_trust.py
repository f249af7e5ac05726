"""Whose word counts: what a hostile head may write, key by key, and what comes of it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from driftctl_py.core.config import decode_config, expand
from driftctl_py.core.config_model import Config
from driftctl_py.core.environment import ApplyModes, Environment, Mode
from driftctl_py.core.governing import ruling_text
from driftctl_py.core.rule import Effect
from driftctl_py.core.trust import Trusted, trusted
from driftctl_py.errors import ConfigError

BASE = """\
sources:
  default: .
  shared: {url: "https://git.example.com/shared.git", token_env: SHARED_TOKEN}
engine: terraform
pass_env: [GOOGLE_*]
state: {s3: {bucket: states, region: eu-central-1}}
providers: [hashicorp/*]
redact: [{attribute: user_data}]
store: {url: "postgresql://db.example.com/driftctl"}
people: {ada: ["github:ada"], grace: ["github:grace"]}
groups: {owners: [ada, grace]}
defaults:
  apply: {git: gate, drift: never, reviewed: true}
  approval: {count: 2, groups: [owners]}
  credentials: {plan: {role: "arn:aws:iam::123456789012:role/reads"}}
  env: {LOG: "1"}
environments: [environments/*]
overrides:
  prod:
    labels: {tier: gold}
    credentials: {apply: {role: "arn:aws:iam::123456789012:role/writes"}}
    limits: {failures: 1}
  dev: {apply: {git: auto}, labels: {tier: clay}}
  prod-eu: {labels: {tier: gold}}
rules:
  - {name: gold, effect: deny, message: Never., when: {labels: {tier: gold}, actions: [delete]}}
  - {name: of-prod, effect: approve, groups: [owners], when: {environments: ["prod*"]}}
  - {name: of-dev, effect: allow, when: {labels: {tier: clay}, types: [x_y]}}
windows: [{name: days, effect: allow, cron: "0 8 * * 1-5", duration: 10h}]
freezes: [{name: audit, from: 2026-12-01, when: {labels: {tier: gold}}}]
policies:
  - {name: tags, rego: policies, rego_version: v1, when: {labels: {tier: gold}}}
"""
FILES = (
    *(f"environments/{name}/main.tf" for name in ("prod", "dev", "prod-eu")),
    "common.tfvars",
)


def config(text: str = BASE) -> Config:
    return decode_config(text.encode(), filename="driftctl.yaml")


def heard(head: str, *, base: str = BASE, files: tuple[str, ...] = FILES) -> Trusted:
    """What is reviewed where the head says so."""
    return trusted(
        config(base),
        config(head),
        base_trees={"default": FILES, "shared": ("net/main.tf",)},
        head_trees={"default": files, "shared": ("net/main.tf",)},
    )


def of(found: Trusted, name: str) -> Environment:
    return next(each for each in found.environments if each.name == name)


def by_base(name: str) -> Environment:
    trees = {"default": FILES, "shared": ("net/main.tf",)}
    return next(each for each in expand(config(), trees) if each.name == name)


def rules_of(environment: Environment) -> list[str]:
    return [each.name for each in environment.rules]


def test_of_two_equal_files_nothing_is_changed() -> None:
    found = heard(BASE)

    trees = {"default": FILES, "shared": ("net/main.tf",)}
    assert found == Trusted(expand(config(), trees))


LOOSER = [
    ("engine: terraform", "engine: {use: ./evil}", "engine"),
    ("pass_env: [GOOGLE_*]", "pass_env: [GOOGLE_*, SECRET_TOKEN]", "pass_env"),
    ("bucket: states", "bucket: mine", "state"),
    ("providers: [hashicorp/*]", "providers: ['*/*/*']", "providers"),
    ("redact: [{attribute: user_data}]", "redact: []", "redact"),
    ("db.example.com", "evil.example.com", "store"),
    ('ada: ["github:ada"]', 'ada: ["github:mallory"]', "people"),
    ('"github:grace"', '"github:grace", "github:mallory"', "people"),
    ("git: gate, drift: never, reviewed: true", "git: auto, drift: auto", "apply"),
    ("count: 2, groups: [owners]", "count: 1, unverified: true, author_may: true", "approval"),
    ("role/reads", "role/writes", "credentials"),
    ('env: {LOG: "1"}', "env: {AWS_PROFILE: admin}", "env"),
    ("labels: {tier: gold}\n", "labels: {tier: clay}\n", "labels"),
    ("limits: {failures: 1}", "limits: {failures: 0}", "limits"),
    ("effect: deny, message: Never.", "effect: warn", "rules"),
    ("effect: approve, groups: [owners], when", "effect: warn, when", "rules"),
    ("labels: {tier: clay}, types", "types", "rules"),
    ("duration: 10h", "duration: 23h", "windows"),
    ("from: 2026-12-01", "from: 2036-12-01", "freezes"),
    ("rego: policies", "rego: elsewhere", "policies"),
    ("when: {labels: {tier: gold}}}\n", "program: ./evil}\n", "policies"),
    (
        '{url: "https://git.example.com/shared.git"',
        '{url: "https://evil.example.com/x.git"',
        "sources",
    ),
]


@pytest.mark.parametrize(("said", "instead", "key"), LOOSER, ids=[each[1] for each in LOOSER])
def test_what_is_the_bases_stays_so_whatever_the_head_says(
    said: str, instead: str, key: str
) -> None:
    head = BASE[::-1].replace(said[::-1], instead[::-1], 1)[::-1]
    assert head != BASE

    found = heard(head)

    for name in ("prod", "dev"):
        mine, before = of(found, name), by_base(name)
        assert ruling_text(replace(mine, rules=(), policies=())) == ruling_text(
            replace(before, rules=(), policies=())
        )
        assert mine.rules[: len(before.rules)] == before.rules
        assert mine.policies[: len(before.policies)] == before.policies
        assert (mine.labels, mine.limits) == (before.labels, before.limits)
        assert all(each in mine.timetables for each in before.timetables)
        assert all(each in mine.freezes for each in before.freezes)
    assert key in " ".join(found.notes.values())
    assert not any(f"{each}," in "".join(found.notes) for each in ("variables", "path"))


def test_variables_and_files_of_them_are_the_heads() -> None:
    head = BASE.replace("  dev: {", "  dev: {variables: {size: 2}, var_files: [common.tfvars], ")

    dev = of(heard(head), "dev")

    assert (dev.variables, dev.var_files) == ({"size": 2}, ("common.tfvars",))
    assert heard(head).notes == {}


def test_a_file_that_git_does_not_hold_is_not_read_for_variables() -> None:
    found = heard(BASE.replace("  dev: {", "  dev: {var_files: [secret.tfvars], "))

    assert [each.name for each in found.environments] == ["prod", "prod-eu"]
    (refused,) = found.refused
    assert refused.environment.name == "dev"
    assert "secret.tfvars" in refused.why


def test_a_new_environment_gets_what_the_base_would_give_it() -> None:
    files = (*FILES, "environments/new/main.tf", "other/lab/main.tf")
    head = BASE.replace(
        "environments: [environments/*]",
        "environments:\n  - environments/*\n"
        "  - {path: other/lab, name: lab, apply: auto, state: none, engine: tofu,\n"
        "     approval: {count: 1}, credentials: {plan: {profile: admin}}}",
    )

    found = heard(head, files=files)

    for name, path in (("new", "environments/new"), ("lab", "other/lab")):
        new = of(found, name)
        assert new.path == path
        assert new.apply == ApplyModes(Mode.GATE, Mode.NEVER)
        assert new.reviewed
        assert new.requirement.count == 2
        assert new.state == by_base("dev").state
        assert new.engine.use == "terraform"
        assert new.plan_credentials == by_base("dev").plan_credentials
    assert "apply" in found.notes["lab"]
    assert "new" not in found.notes


def test_where_the_base_says_nothing_a_new_environment_is_never_applied() -> None:
    plain = "environments: [environments/*]\n"
    head = "environments: [environments/*, {path: lab, apply: auto}]\n"

    lab = of(heard(head, base=plain, files=(*FILES, "lab/main.tf")), "lab")

    assert lab.apply == ApplyModes(Mode.NEVER, Mode.NEVER)


def test_labels_of_the_head_may_ask_for_more_and_never_for_less() -> None:
    head = BASE.replace("tier: clay", "tier: gold, mine: yes-please")

    dev = of(heard(head), "dev")

    assert dev.labels == {"tier": "clay"}
    assert rules_of(dev) == ["gold"], "what only an allow of the base's labels allowed is gone"
    assert [each.name for each in dev.policies] == ["tags"]
    assert [each.name for each in dev.freezes] == ["audit"]


def test_a_label_that_takes_a_rule_away_is_not_heard() -> None:
    prod = of(heard(BASE.replace("    labels: {tier: gold}\n", "")), "prod")

    assert rules_of(prod) == ["gold", "of-prod"]


def test_another_name_for_the_same_directory_is_as_strict_as_both() -> None:
    head = BASE.replace(
        "environments: [environments/*]",
        "environments:\n  - environments/dev\n  - environments/prod-eu\n"
        "  - {path: environments/prod, name: dev-2}",
    ).replace("  prod:\n", "  dev-2:\n", 1)

    renamed = of(heard(head), "dev-2")

    assert [each.effect for each in renamed.rules if each.effect is Effect.ALLOW] == []
    assert set(rules_of(renamed)) == {"gold", "of-prod"}
    assert renamed.apply_credentials == by_base("prod").apply_credentials
    assert renamed.limits == by_base("prod").limits
    assert renamed.requirement.count == 2


@pytest.mark.parametrize(
    "moved",
    [
        "{path: environments/prod, name: dev}",
        "{path: environments/prod, name: dev, workspace: other}",
    ],
)
def test_an_environment_that_moves_to_anothers_place_is_as_strict_as_that(moved: str) -> None:
    head = BASE.replace(
        "environments: [environments/*]",
        f"environments: [{moved}, environments/prod, environments/prod-eu]",
    )

    dev = of(heard(head), "dev")

    assert dev.path == "environments/prod"
    assert dev.apply == ApplyModes(Mode.GATE, Mode.NEVER)
    assert set(rules_of(dev)) == {"gold", "of-prod"}
    assert dev.limits.failures == 1


def test_two_environments_of_one_directory_do_not_hinder_each_other() -> None:
    two = """\
environments:
  - {path: infra, name: one, workspace: one}
  - {path: infra, name: two, workspace: two, apply: auto}
"""
    files = ("infra/main.tf",)
    found = trusted(
        config(two), config(two), base_trees={"default": files}, head_trees={"default": files}
    )
    third = two + "  - {path: infra, name: three, workspace: two, apply: auto}\n"

    new = trusted(
        config(two), config(third), base_trees={"default": files}, head_trees={"default": files}
    )

    beside = two + "  - {path: infra, name: three, apply: auto}\n"
    strict = two.replace("workspace: one", "workspace: one, limits: {failures: 1}")
    plain = trusted(
        config(strict), config(beside), base_trees={"default": files}, head_trees={"default": files}
    )

    assert of(plain, "three").limits.failures == 1
    assert of(found, "two").apply == ApplyModes(Mode.AUTO, Mode.AUTO)
    assert of(new, "three").apply == ApplyModes(Mode.NEVER, Mode.NEVER)


def test_a_source_that_the_base_does_not_know_is_not_read() -> None:
    head = BASE.replace(
        "sources:\n",
        'sources:\n  evil: {url: "https://evil.example.com/x.git", token_env: SHARED_TOKEN}\n',
    ).replace(
        "environments: [environments/*]",
        "environments:\n  - environments/*\n  - {path: net, source: evil}\n"
        "  - {path: 'x/*', source: evil}",
    )

    found = heard(head)

    assert [each.name for each in found.environments] == ["dev", "prod", "prod-eu"]
    assert {each.environment.name for each in found.refused} == {"net", "x/* (evil)"}
    assert all("the base does not know" in each.why for each in found.refused)


def test_a_head_that_cannot_be_read_is_an_error() -> None:
    with pytest.raises(ConfigError, match="matches no directory"):
        heard(BASE.replace("environments/*", "environment/*"))


_LOOSE = st.sampled_from(LOOSER)


@settings(max_examples=40)
@given(st.lists(_LOOSE, min_size=1, max_size=6))
def test_no_head_whatever_it_says_loosens_anything(changes: list[tuple[str, str, str]]) -> None:
    head = BASE
    for said, instead, _ in changes:
        head = head.replace(said, instead, 1)
    try:
        found = heard(head)
    except ConfigError:
        return  # it does not fit together, so nothing is reviewed

    for mine in found.environments:
        before = by_base(mine.name)
        _is_as_strict(mine, before)


def _is_as_strict(mine: Environment, before: Environment) -> None:
    modes = list(Mode)
    assert modes.index(mine.apply.git) >= modes.index(before.apply.git)
    assert modes.index(mine.apply.drift) >= modes.index(before.apply.drift)
    assert mine.requirement == before.requirement
    asked: Any = [each for each in before.rules if each.effect is not Effect.ALLOW]
    assert all(each in mine.rules for each in asked)
    allowed = [each for each in mine.rules if each.effect is Effect.ALLOW]
    assert all(each in before.rules for each in allowed)
    assert all(each in mine.policies for each in before.policies)
    assert mine.engine == before.engine
    assert mine.state == before.state
    assert mine.env == before.env
    assert mine.plan_credentials == before.plan_credentials
