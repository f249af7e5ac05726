"""`policy explain|replay|test|lint` as they are typed, in a real repository, with real plans and a
real store. No engine is needed: what is explained was planned before."""

from __future__ import annotations

import io
import json
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import jsonschema
import pytest

from driftctl_py.adapters.artifacts import LocalArtifacts
from driftctl_py.adapters.store import open_store
from driftctl_py.cli.main import main
from driftctl_py.core.rule import Effect, Rule
from tests.adapters.test_git import Repository, environ, here
from tests.app.test_policy import NOW, Memory, plan
from tests.data import plans

__all__ = ["environ", "here"]  # fixtures

SCHEMA = json.loads(
    (Path(__file__).parents[2] / "docs/policy.schema.json").read_text(encoding="utf-8")
)
CONFIG = """\
environments: [environments/*]
data_dir: data
groups: {dba: [ada]}
people: {ada: ["github:ada"]}
defaults: {apply: {git: gate, drift: gate}, approval: {groups: [dba]}}
rules:
  - {name: no-destroys, effect: deny, when: {actions: [delete, replace]}}
  - {name: databases-wait, effect: approve, groups: [dba], when: {types: [aws_db_*]}}
"""
TESTS = """\
tests:
  - name: nobody destroys
    environment: prod
    change: {address: terraform_data.web, actions: [delete]}
    expect: deny
    rule: no-destroys
"""
# The second one, as it was when the stored runs were made.
WAITS = Rule("databases-wait", Effect.APPROVE, types=("aws_db_*",), groups=("dba",))

Typed = tuple[int, str, str]
Type = Callable[..., Typed]


@pytest.fixture
def typed(
    here: Repository, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Type:
    """Types a command in a repository with two environments and two rules."""
    for name, value in here.environ.items():
        monkeypatch.setenv(name, value)
    monkeypatch.chdir(here.path)
    here.write("environments/dev/main.tf", 'resource "aws_vpc" "main" {}\n')
    here.write("environments/prod/main.tf", 'resource "aws_db_instance" "main" {}\n')
    here.commit("driftctl.yaml", CONFIG)

    def run(*argv: str) -> Typed:
        code = main(["policy", *argv])
        said = capsys.readouterr()
        assert "Traceback" not in said.err
        return code, said.out, said.err

    return run


@pytest.fixture
def memory(here: Repository) -> Iterator[Memory]:
    """What the commands find in the data directory."""
    store = open_store(None, here.path / "data", now=lambda: NOW)
    yield Memory(store, LocalArtifacts(here.path / "data/artifacts"))
    store.close()


def as_promised(text: str) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(text)
    jsonschema.Draft202012Validator(SCHEMA).validate(document)
    return document


def test_a_plan_is_explained_by_the_rules_of_the_environment_that_is_named(
    typed: Type, here: Repository
) -> None:
    (here.path / "plan.json").write_bytes(plans.of("replace"))

    code, text, _ = typed("explain", "plan.json", "--environment", "prod")
    as_json = typed("explain", "plan.json", "--environment", "prod", "--format", "json")

    assert code == as_json[0] == 0
    assert text.startswith("prod: would be refused\n")
    document = as_promised(as_json[1])
    assert (document["environment"], document["decision"]["is"]) == ("prod", "refuse")
    assert [each["speaks"] for each in document["rules"]] == [True, False]
    assert typed("explain", "plan.json")[0] == 1


def test_a_run_is_explained_with_what_was_said_then(typed: Type, memory: Memory) -> None:
    run = memory.add(plan("aws_db_instance.main"))

    code, out, _ = typed("explain", run.id, "--format", "json")

    assert code == 0
    document = as_promised(out)
    assert document["of"] == f"run {run.id}"
    assert document["judged_then"]["level"] == document["judgement"]["level"] == "approve"


@pytest.mark.parametrize(
    ("argv", "said"),
    [
        (("nonesuch",), "There is no file nonesuch, and as a run: "),
        (("nonesuch", "--environment", "prod"), "a run says itself of which environment it is"),
    ],
)
def test_what_is_neither_a_plan_nor_a_run_is_refused(
    typed: Type, argv: tuple[str, ...], said: str
) -> None:
    code, out, err = typed("explain", *argv)

    assert (code, out) == (1, "")
    assert said in err.replace("\n  ", " ")


def test_a_replay_ends_with_what_it_found(typed: Type, memory: Memory, here: Repository) -> None:
    memory.add(plan("aws_db_instance.main"), WAITS)
    memory.add(plan("aws_vpc.main"), environment="gone")

    alike = typed("replay", "--format", "json")
    here.write("proposed.yaml", CONFIG.replace("effect: approve, groups: [dba]", "effect: deny"))
    other = typed("replay", "--config", "proposed.yaml", "--format", "json")
    told = typed("replay", "--config", "proposed.yaml", "--environment", "prod")

    assert (alike[0], as_promised(alike[1])["plans"]) == (0, 1)
    document = as_promised(other[1])
    assert (other[0], document["stricter"]) == (2, 1)
    assert document["unknown_environments"] == {"gone": 1}
    assert told[0] == 2
    assert "approve → deny" in told[1]


def test_a_plan_that_cannot_be_decided_anew_is_no_success(
    typed: Type, memory: Memory, here: Repository
) -> None:
    memory.add(plan("aws_db_instance.main"))
    for path in (here.path / "data/artifacts").rglob("*"):
        if path.is_file():
            path.chmod(0o600)
            path.write_bytes(b"{}")

    code, out, _ = typed("replay", "--format", "json")

    assert code == 1
    assert len(as_promised(out)["unreadable"]) == 1


@pytest.mark.parametrize(
    ("since", "plans"), [("1h", 0), ("366d", 1)], ids=["of this hour", "of this year"]
)
def test_a_replay_goes_back_as_far_as_it_is_told(
    typed: Type, memory: Memory, monkeypatch: pytest.MonkeyPatch, since: str, plans: int
) -> None:
    monkeypatch.setattr("driftctl_py.compose.policy.now", lambda: datetime(2026, 12, 1, tzinfo=UTC))
    memory.add(plan("aws_db_instance.main"))

    _, out, _ = typed("replay", "--since", since, "--format", "json")

    assert as_promised(out)["plans"] == plans


def test_a_length_of_time_that_is_none_is_refused(typed: Type) -> None:
    code, _, err = typed("replay", "--since", "30")

    assert code == 1
    assert "--since is 30, which is not a length of time." in err
    assert "Add a unit: 30s, 30m, 30h or 30d." in err


def test_whoever_waits_at_a_terminal_sees_how_far_it_is(
    typed: Type, memory: Memory, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    for number in range(10):
        memory.add(plan(f"aws_db_instance.it[{number}]"), WAITS)
    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)

    assert typed("replay")[0] == 0
    assert terminal.getvalue().endswith("\r10 plans decided anew\r\x1b[K")


def test_tests_beside_the_rules_are_run_and_told_in_each_form(
    typed: Type, here: Repository
) -> None:
    here.write("driftctl_test.yaml", TESTS)
    passed = typed("test")
    here.write("driftctl_test.yaml", TESTS.replace("expect: deny", "expect: warn"))

    failed = typed("test", "--format", "json")
    junit = typed("test", "driftctl_test.yaml", "--format", "junit")

    assert (passed[0], passed[1].splitlines()[-1]) == (0, "1 test passed.")
    assert (failed[0], as_promised(failed[1])["failed"]) == (1, 1)
    assert (junit[0], ElementTree.fromstring(junit[1]).get("failures")) == (1, "1")


def test_tests_that_are_not_there_are_no_success(typed: Type) -> None:
    code, out, err = typed("test")

    assert (code, out) == (1, "")
    assert "There are no tests beside " in err
    assert "no driftctl_test.yaml and no *.test.yaml" in err


def test_lint_holds_rules_against_the_types_that_there_are(
    typed: Type, memory: Memory, here: Repository
) -> None:
    assert typed("lint")[:2] == (0, "nothing is wrong with 2 rules.\n")

    here.write("driftctl.yaml", CONFIG.replace("aws_db_*", "aws_dbinstance"))
    code, out, _ = typed("lint", "--format", "json")
    (found,) = as_promised(out)["findings"]
    assert (code, found["level"], found["name"]) == (0, "note", "databases-wait")
    assert found["where"].startswith("driftctl.yaml:")
    assert "asks for aws_dbinstance" in found["what"]

    # A module of a registry has it, and a plan tells.
    memory.add(plan("module.elsewhere.aws_dbinstance.main"))
    assert typed("lint")[:2] == (0, "nothing is wrong with 2 rules.\n")


def test_lint_does_without_a_store(typed: Type, here: Repository) -> None:
    store = "store: {url: 'postgresql://nobody@127.0.0.1:1/none'}\n"
    here.write("driftctl.yaml", CONFIG.replace("aws_db_*", "aws_dbinstance") + store)

    code, out, err = typed("lint")

    assert (code, err) == (0, "")
    assert "asks for aws_dbinstance" in out


def test_lint_looks_for_no_types_where_no_rule_asks_for_one(typed: Type, here: Repository) -> None:
    rules = CONFIG.replace("when: {types: [aws_db_*]}", "when: {types: [a.b]}")
    here.write("driftctl.yaml", rules)
    code, out, _ = typed("lint", "--format", "json")
    assert code == 2
    assert [each["level"] for each in as_promised(out)["findings"]][:1] == ["warning"]

    here.write("driftctl.yaml", rules[: rules.index("  - {name: databases-wait")])
    assert typed("lint")[:2] == (0, "nothing is wrong with 1 rule.\n")
    here.write("driftctl.yaml", "rules: [{name: x, effect: deny, when: {type: [a]}}]\n")
    assert typed("lint")[0] == 1
