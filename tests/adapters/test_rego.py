"""Rego on the real opa and conftest: what each tool's policies find, and that whatever goes wrong
denies.

The policies are ours, each in the manner of what its tool publishes: Spacelift's policy examples
library, HashiCorp's page on OPA policies, Scalr's sample policies, Digger's and conftest's docs.
"""

from __future__ import annotations

import json
import os
import stat
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from driftctl_py.adapters.rego import RegoEngine, restricted
from driftctl_py.adapters.stop import Stop
from driftctl_py.core.policy import About, RegoPolicy, Shape, Verdict
from driftctl_py.core.rule import Effect
from driftctl_py.core.values import Json
from driftctl_py.errors import PolicyError
from tests.rego_engines import needs

PLAN = Path(__file__).parents[1] / "data/plans/aws_estate/terraform-1.15.5.json"
ABOUT = About(
    environment="prod",
    labels={"team": "engines"},
    path="environments/prod",
    workspace="default",
    repository="https://git.example/infra.git",
    ref="main",
    commit="3f2a91c0" * 5,
    run="01JDEX",
    trigger="daemon",
    actor="os:ada",
    started_at=datetime(2026, 11, 24, 9, 30, tzinfo=UTC),
    authors=("grace",),
    engine="Terraform 1.15.5",
)
GUARD = RegoPolicy("guard", ("policy",), "v1", where="driftctl.yaml:41")
FINDS = """package main

deny contains msg if {
    some change in input.resource_changes
    "delete" in change.change.actions
    msg := sprintf("%s would be destroyed", [change.address])
}
"""
DESTROYED = ["aws_ebs_volume.data would be destroyed", "aws_iam_role.worker would be destroyed"]
BOTH = pytest.mark.parametrize("program", ["opa", "conftest"])


class House:
    """A directory with a configuration, and policies beside it."""

    def __init__(self, here: Path, environ: Mapping[str, str] | None = None) -> None:
        self.here = here
        self.engine = RegoEngine(here=here, environ=environ or os.environ, stop=Stop())

    def write(self, text: str, name: str = "policy/guard.rego") -> None:
        path = self.here / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)

    def ask(self, policy: RegoPolicy, plan: Path = PLAN) -> tuple[Verdict, ...]:
        return self.engine.verdicts(policy, plan=plan, about=ABOUT)

    def messages(self, policy: RegoPolicy) -> list[str]:
        return [each.message for each in self.ask(policy)]

    def refusal(self, policy: RegoPolicy, plan: Path = PLAN) -> PolicyError:
        with pytest.raises(PolicyError) as caught:
            self.ask(policy, plan)
        return caught.value


@pytest.fixture
def house(tmp_path: Path) -> House:
    return House(tmp_path)


def by(program: str, policy: RegoPolicy = GUARD, **changes: object) -> RegoPolicy:
    """The policy, evaluated by a program that this machine has."""
    return replace(policy, program=needs(program), **changes)  # type: ignore[arg-type]  # by the name of each


# --- what each tool's policies find


@BOTH
def test_a_conftest_policy_finds_what_it_is_about(house: House, program: str) -> None:
    house.write(
        FINDS
        + """
violation_open contains {"msg": msg, "details": {"address": change.address}} if {
    some change in input.resource_changes
    change.type == "aws_security_group"
    "0.0.0.0/0" in change.change.after.ingress[_].cidr_blocks
    msg := "open to the world"
}

warn_untagged contains {"msg": "no tags", "address": change.address} if {
    some change in input.resource_changes
    change.type == "aws_ebs_volume"
    change.change.after.tags == null
}
"""
    )

    found = house.ask(by(program))

    assert found == (
        *(Verdict("guard", Effect.DENY, each, "", "driftctl.yaml:41") for each in DESTROYED),
        Verdict(
            "guard",
            Effect.DENY,
            "open to the world",
            "aws_security_group.web",
            "driftctl.yaml:41",
        ),
        Verdict("guard", Effect.WARN, "no tags", "aws_ebs_volume.data", "driftctl.yaml:41"),
    )


@BOTH
def test_a_policy_in_rego_v0_runs_unchanged(house: House, program: str) -> None:
    house.write(
        """package main

deny[msg] {
    rc := input.resource_changes[_]
    rc.change.actions[_] == "delete"
    msg := sprintf("%v would be destroyed", [rc.address])
}

exception[rules] {
    input.terraform_version == "0.11.0"
    rules := [""]
}
"""
    )

    assert house.messages(by(program, rego_version="v0")) == DESTROYED


@BOTH
def test_a_spacelift_plan_policy_runs_unchanged(house: House, program: str) -> None:
    house.write(
        """package spacelift

deny[sprintf("%s is stateful and may not go (%s)", [rc.address, stack.name])] {
    rc := input.terraform.resource_changes[_]
    stateful[rc.type]
    rc.change.actions[_] == "delete"
}

warn["a run by hand"] {
    startswith(input.spacelift.run.triggered_by, "os:")
    input.spacelift.run.type == "TRACKED"
    input.spacelift.stack.labels[_] == "team:engines"
    input.spacelift.stack.autodeploy
}

stack := input.spacelift.stack

stateful := {"aws_ebs_volume", "aws_db_instance"}

sample { true }
"""
    )
    policy = replace(
        GUARD,
        rego_version="v0",
        shape=Shape.SPACELIFT,
        context={"spacelift": {"stack": {"autodeploy": True}}},
    )

    found = house.ask(by(program, policy))

    assert [(each.effect, each.message) for each in found] == [
        (Effect.DENY, "aws_ebs_volume.data is stateful and may not go (prod)"),
        (Effect.APPROVE, "a run by hand"),
    ]


@BOTH
def test_an_hcp_terraform_policy_runs_unchanged(house: House, program: str) -> None:
    house.write(
        """package terraform.policies.public_ingress

import input.plan as tfplan
import input.run as run

deny[msg] {
    r := tfplan.resource_changes[_]
    r.type == "aws_security_group"
    r.change.after.ingress[_].cidr_blocks[_] == "0.0.0.0/0"
    msg := sprintf("%v is open to everyone in %v", [r.address, run.workspace.name])
}
"""
    )
    policy = replace(
        GUARD,
        rego_version="v0",
        shape=Shape.HCP,
        package="terraform.policies.public_ingress",
        levels={"deny": Effect.APPROVE},
    )

    found = house.ask(by(program, policy))

    assert [(each.effect, each.message) for each in found] == [
        (Effect.APPROVE, "aws_security_group.web is open to everyone in prod")
    ]


@BOTH
def test_a_scalr_policy_runs_unchanged(house: House, program: str) -> None:
    house.write(
        """package terraform

import rego.v1

import input.tfplan as tfplan
import input.tfrun as tfrun

deny contains reason if {
    some r in tfplan.resource_changes
    r.mode == "managed"
    r.type == "aws_ssm_parameter"
    r.change.after.value == "on"
    reason := sprintf("%-40s :: flags are set elsewhere than in %s", [r.address, tfrun.vcs.path])
}
"""
    )

    assert house.messages(by(program, shape=Shape.SCALR)) == [
        "aws_ssm_parameter.flag :: flags are set elsewhere than in environments/prod"
    ]


@BOTH
def test_a_digger_plan_policy_runs_unchanged(house: House, program: str) -> None:
    house.write(
        """package digger

deny[sprintf("%v: roles are kept", [rc.address])] {
    rc := input.terraform.resource_changes[_]
    rc.type == "aws_iam_role"
    rc.change.actions[_] == "delete"
}
"""
    )

    assert house.messages(by(program, rego_version="v0", shape=Shape.DIGGER)) == [
        "aws_iam_role.worker: roles are kept"
    ]


@BOTH
def test_data_beside_a_policy_is_found_under_data(house: House, program: str) -> None:
    house.write(
        "package main\n\ndeny contains msg if {\n    some c in input.resource_changes\n"
        "    c.type in data.lists.kept\n    msg := c.address\n}\n"
    )
    house.write('{"kept": ["aws_ebs_volume"]}', "policy/lists/data.json")
    house.write("kept: [never]\n", "more/ignored.yaml")

    assert house.messages(by(program, paths=("policy", "more"))) == ["aws_ebs_volume.data"]


@BOTH
def test_files_are_named_by_any_name(house: House, program: str) -> None:
    house.write(FINDS, "a:b, c/%41 #1.rego")

    assert house.messages(by(program, paths=("a:b, c/%41 #1.rego",))) == DESTROYED


@BOTH
def test_tests_beside_a_policy_are_read_and_change_nothing(house: House, program: str) -> None:
    house.write(FINDS)
    house.write(
        "package main\n\ntest_nothing if {\n    count(deny) == 0 with input as {}\n}\n",
        "policy/guard_test.rego",
    )

    assert house.messages(by(program)) == DESTROYED


@BOTH
def test_a_rule_that_a_policy_excepts_finds_nothing(house: House, program: str) -> None:
    house.write(
        FINDS.replace("deny", "deny_destroy")
        + '\nexception contains rules if {\n    rules := ["destroy"]\n}\n'
    )

    assert house.messages(by(program)) == []


def test_a_fact_that_only_the_other_tool_knows_is_not_taken_for_no(house: House) -> None:
    house.write(
        'package spacelift\n\nwarn["a person looks at drift"] {\n'
        "    input.spacelift.run.drift_detection\n}\n"
    )
    policy = by("opa", shape=Shape.SPACELIFT, rego_version="v0")

    error = house.refusal(policy)

    assert "asks for input.spacelift.run.drift_detection, which is not known here" in error.what
    known: dict[str, Json] = {"spacelift": {"run": {"drift_detection": True}}}
    assert house.messages(replace(policy, context=known)) == ["a person looks at drift"]


# --- bugs of well-known gates


@BOTH
def test_a_syntax_error_is_not_passed(house: House, program: str) -> None:
    house.write(FINDS.replace("some change in", "some change on"))

    error = house.refusal(by(program))

    assert f"{house.here}/policy/guard.rego:4: rego_parse_error" in error.what


@BOTH
def test_zero_evaluated_rules_are_not_passed(house: House, program: str) -> None:
    house.write(FINDS.replace("package main", "package terraform"))

    error = house.refusal(by(program))

    assert "No rule of the policy guard was evaluated" in error.what


@BOTH
def test_a_rule_whose_value_is_no_set_is_not_passed(house: House, program: str) -> None:
    house.write('package main\n\ndeny := "everything"\n')

    assert "is a text, where a set of messages" in house.refusal(by(program)).what


@BOTH
def test_a_rule_that_is_undefined_is_not_passed(house: House, program: str) -> None:
    house.write(FINDS + '\nwarn := "x" if {\n    input.misspelled\n}\n')

    assert "The rule warn of the package main" in house.refusal(by(program)).what


def test_a_function_that_fails_on_the_plan_is_not_passed(house: House) -> None:
    house.write(
        "package main\n\ndeny contains msg if {\n    some c in input.resource_changes\n"
        '    to_number(c.address) > 2\n    msg := "many"\n}\n'
    )

    error = house.refusal(by("opa"))

    assert error.what.endswith("guard.rego:5: eval_builtin_error: to_number failed")
    assert "aws_" not in error.what


def test_nor_is_it_by_conftest(house: House) -> None:
    house.write(
        "package main\n\ndeny contains msg if {\n    some c in input.resource_changes\n"
        '    to_number(c.address) > 2\n    msg := "many"\n}\n'
    )

    error = house.refusal(by("conftest"))

    assert error.what.endswith("guard.rego:5: eval_builtin_error: to_number failed")


# --- which Rego


@BOTH
def test_rego_v0_under_v1_is_refused_with_the_word_to_write(house: House, program: str) -> None:
    house.write("package main\n\ndeny[msg] {\n    msg := input.x\n}\n")

    error = house.refusal(by(program))

    assert "policy/guard.rego:3: rego_parse_error: `if` keyword is required" in error.what
    assert "write `rego_version: v0` for the policy guard (driftctl.yaml:41)" in error.todo


@BOTH
def test_rego_v1_under_v0_is_refused_with_the_word_to_write(house: House, program: str) -> None:
    house.write(FINDS)

    error = house.refusal(by(program, rego_version="v0"))

    assert "policy/guard.rego:4: rego_parse_error" in error.what
    assert "write `rego_version: v1`" in error.todo


def test_which_rego_is_never_guessed(house: House) -> None:
    house.write(FINDS)

    error = house.refusal(replace(GUARD, rego_version=""))

    assert "does not say which Rego" in error.what


# --- what a policy may not do


@BOTH
@pytest.mark.parametrize(
    "call",
    [
        'http.send({"method": "get", "url": "http://127.0.0.1:1/"})',
        "opa.runtime()",
        'net.lookup_ip_addr("example.com")',
    ],
)
def test_a_policy_reaches_nothing_outside(house: House, program: str, call: str) -> None:
    house.write(f"package main\n\ndeny contains msg if {{\n    msg := {call}\n}}\n")

    error = house.refusal(by(program))

    assert f"undefined function {call.partition('(')[0]}" in error.what
    assert "data file" in error.todo


def test_a_schema_is_not_fetched(house: House) -> None:
    house.write(
        "package main\n\ndeny contains msg if {\n    some msg in json.match_schema({}, "
        '{"$ref": "http://127.0.0.1:1/schema.json"})\n}\n'
    )

    assert house.refusal(by("opa")).what


def test_conftest_reads_no_file_for_a_policy(house: House) -> None:
    house.write('package main\n\ndeny contains msg if {\n    msg := parse_config_file("x")\n}\n')

    assert "undefined function parse_config_file" in house.refusal(by("conftest")).what


@BOTH
def test_a_policy_that_never_ends_is_refused(house: House, program: str) -> None:
    house.write(
        "package main\n\ndeny contains msg if {\n    some a, b, c in numbers.range(1, 100000)\n"
        '    a + b + c < 0\n    msg := "never"\n}\n'.replace(
            "some a, b, c in numbers.range(1, 100000)",
            "r := numbers.range(1, 100000)\n    a := r[_]\n    b := r[_]\n    c := r[_]",
        )
    )

    assert house.refusal(by(program, timeout_seconds=1)).what


@BOTH
def test_what_a_policy_prints_is_no_part_of_its_answer(house: House, program: str) -> None:
    house.write(FINDS.replace('    "delete"', '    print("{}", change.change.after)\n    "delete"'))

    assert house.messages(by(program)) == DESTROYED


def test_a_policy_that_stands_in_for_the_canary_is_refused(house: House) -> None:
    house.write(FINDS)
    house.write('package driftctl_canary_1\n\ndeny contains "me" if true\n', "policy/canary.rego")

    assert "kept for the proof" in house.refusal(GUARD).what


def test_a_policy_of_ten_megabytes_is_evaluated(house: House) -> None:
    filler = "# " + "x" * 1000 + "\n"
    house.write(FINDS + filler * 10_500)

    assert house.messages(by("opa")) == DESTROYED


# --- files that are not what they should be


def test_a_path_that_is_not_there_is_refused(house: House) -> None:
    error = house.refusal(GUARD)

    assert "policy, a path of the policy guard, cannot be found" in error.what
    assert str(house.here) in error.todo


def test_a_link_that_leads_to_itself_is_refused(house: House) -> None:
    (house.here / "policy").symlink_to("policy")

    assert "cannot be found" in house.refusal(GUARD).what


def test_an_empty_directory_is_refused(house: House) -> None:
    (house.here / "policy").mkdir()

    assert "holds neither Rego nor data" in house.refusal(GUARD).what


def test_a_file_of_another_kind_is_refused(house: House) -> None:
    house.write(FINDS, "policy/guard.rego.bak")

    policy = replace(GUARD, paths=("policy/guard.rego.bak",))

    assert "holds neither Rego nor data" in house.refusal(policy).what


def test_data_without_rego_is_refused(house: House) -> None:
    house.write("{}", "policy/data.json")

    assert "hold no Rego at all" in house.refusal(GUARD).what


def test_rego_that_is_no_text_is_refused(house: House) -> None:
    house.write(FINDS)
    (house.here / "policy/more.rego").write_bytes(b"package main\n# \xff\n")

    assert "more.rego, a file of the policy guard, cannot be read" in house.refusal(GUARD).what


@BOTH
def test_data_that_cannot_be_read_is_refused(house: House, program: str) -> None:
    house.write(FINDS)
    house.write("{", "policy/lists.json")

    assert f"{house.here}/policy/lists.json" in house.refusal(by(program)).what


@pytest.mark.parametrize("content", [b"", b"[]", b'{"format_version": "1.2"', b"format_version: 1"])
def test_what_is_no_whole_plan_is_never_asked_about(house: House, content: bytes) -> None:
    house.write(FINDS)
    plan = house.here / "plan.json"
    plan.write_bytes(content)

    assert "is not a whole plan in JSON" in house.refusal(by("opa"), plan).what


def test_data_under_the_name_of_a_rule_is_no_rule(house: House) -> None:
    house.write("package other\n\nx := 1\n")
    house.write('{"main": {"deny": []}}', "policy/data.json")

    assert "No rule of the policy guard was evaluated" in house.refusal(GUARD).what


def test_a_plan_that_is_not_there_is_refused(house: House) -> None:
    house.write(FINDS)

    error = house.refusal(by("opa"), house.here / "no-plan.json")

    assert "no-plan.json" in error.what


# --- the program


def stand_in(here: Path, text: str) -> RegoPolicy:
    """A policy for a program that is none."""
    program = here / "tools" / "opa"
    program.parent.mkdir(exist_ok=True)
    program.write_text(f"#!/bin/sh\n{text}\n")
    program.chmod(0o755)
    return replace(GUARD, program="./tools/opa")


LISTS = """case "$1" in
version) echo "Version: 1.9.0";;
capabilities) echo '{"builtins": []}';;
*) """


@pytest.mark.parametrize("program", ["opa", "conftest"])
def test_without_an_engine_everything_is_denied(tmp_path: Path, program: str) -> None:
    house = House(tmp_path, {"PATH": str(tmp_path)})
    house.write(FINDS)

    error = house.refusal(replace(GUARD, program=program))

    assert f"evaluated by {program}, and there is none on PATH" in error.what
    assert f"go install github.com/open-policy-agent/{program}@" in error.todo


def test_a_program_that_is_named_has_to_be_there(house: House) -> None:
    house.write(FINDS)

    error = house.refusal(replace(GUARD, program="./tools/opa"))

    assert f"there is none at {house.here}/tools/opa" in error.what


@BOTH
def test_a_program_is_found_on_path(tmp_path: Path, program: str) -> None:
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / program).symlink_to(needs(program))
    house = House(tmp_path, {"PATH": str(tmp_path / "bin")})
    house.write(FINDS)

    assert house.messages(replace(GUARD, program=program)) == DESTROYED


def test_an_old_opa_is_refused(house: House) -> None:
    house.write(FINDS)
    policy = stand_in(house.here, 'echo "Version: 0.70.0"')

    assert "is opa with 0.70.0, and the policy guard needs" in house.refusal(policy).what


def test_an_old_conftest_is_refused(house: House) -> None:
    house.write(FINDS)
    policy = stand_in(house.here, 'echo "Conftest: 0.50.0"; echo "OPA: 0.62.1"')

    assert "is conftest with OPA 0.62.1" in house.refusal(policy).what


@pytest.mark.parametrize(
    "said", ["true", "echo Version: 1.9", "exit 1", "echo 'Terraform v1.11.4'"]
)
def test_a_program_of_another_kind_is_refused(house: House, said: str) -> None:
    house.write(FINDS)

    assert house.refusal(stand_in(house.here, said)).what


@pytest.mark.parametrize(
    ("does", "what"),
    [
        ("true;; esac", "is not the answer that was asked for"),
        ("echo '{}';; esac", "is not the answer that was asked for"),
        ("""echo '{"result":[]}';; esac""", "did not deny what it had to deny"),
        ("exit 3;; esac", "ended with exit code 3"),
        ("exit 0 > /nowhere/at/all;; esac", "ended with exit code"),
        ("kill -9 $$;; esac", ""),
    ],
)
def test_a_program_that_does_not_evaluate_is_not_believed(
    house: House, does: str, what: str
) -> None:
    house.write(FINDS)

    assert what in house.refusal(stand_in(house.here, LISTS + does)).what


def test_an_error_is_told_though_the_other_rego_could_not_be_tried(house: House) -> None:
    house.write(FINDS)
    does = """case "$*" in
    *--v0-compatible*) kill -9 $$;;
    *) echo '{"errors": [{"code": "rego_parse_error", "message": "no"}]}'; exit 2;;
    esac;; esac"""

    error = house.refusal(stand_in(house.here, LISTS + does))

    assert error.what == "The policy guard could not be evaluated: rego_parse_error: no"
    assert "rego_version" not in error.todo


def test_an_opa_that_cannot_list_its_functions_is_refused(house: House) -> None:
    house.write(FINDS)
    policy = stand_in(house.here, LISTS.replace("echo '{\"builtins\": []}'", "exit 1") + ":;; esac")

    assert "does not say which built-in functions it has" in house.refusal(policy).what


def test_an_opa_that_lists_garbage_is_refused(house: House) -> None:
    house.write(FINDS)
    policy = stand_in(house.here, LISTS.replace('{"builtins": []}', "[]") + ":;; esac")

    assert "does not say which built-in functions it has" in house.refusal(policy).what


def test_a_program_sees_nothing_of_our_environment(tmp_path: Path) -> None:
    house = House(tmp_path, {"PATH": os.environ["PATH"], "AWS_SECRET_ACCESS_KEY": "s3cret"})
    house.write(FINDS)
    policy = stand_in(tmp_path, f"env > {tmp_path}/seen; pwd >> {tmp_path}/seen; {LISTS}:;; esac")

    house.refusal(policy)

    seen = (tmp_path / "seen").read_text()
    names = {line.partition("=")[0] for line in seen.splitlines() if "=" in line}
    assert names - {"PWD", "OLDPWD", "SHLVL", "_"} == {"PATH", "HOME", "TMPDIR", "LANG"}
    assert "s3cret" not in seen
    assert str(Path.home()) not in seen.partition("HOME=")[2].splitlines()[0]


def test_nothing_of_an_evaluation_is_left_behind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(scratch))
    house = House(tmp_path)
    house.write(FINDS)
    watching = f'stat -c %a "$PWD" > {tmp_path}/mode; {LISTS}:;; esac'

    house.refusal(stand_in(tmp_path, watching))

    assert list(scratch.iterdir()) == []
    assert int((tmp_path / "mode").read_text(), 8) == stat.S_IRWXU


def test_functions_that_reach_outside_are_taken_away_though_nobody_knew_them() -> None:
    listed = {
        "builtins": [
            {"name": "count"},
            {"name": "http.send"},
            {"name": "time.now_ns", "nondeterministic": True},
            {"name": "cloud.ask", "nondeterministic": True},
        ],
        "features": ["rego_v1"],
    }

    left = json.loads(restricted(json.dumps(listed).encode()))

    assert [each["name"] for each in left["builtins"]] == ["count", "time.now_ns"]
    assert left["allow_net"] == []
    assert left["features"] == ["rego_v1"]
