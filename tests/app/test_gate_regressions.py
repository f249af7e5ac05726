"""What gates elsewhere let through, and that ours does not: with the real programs, and real Git.

Each test begins with what happened. What takes values alone is in
``tests/core/test_gate_regressions.py``.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from driftctl_py.adapters.git_contents import GitContents
from driftctl_py.adapters.rego import RegoEngine
from driftctl_py.adapters.stop import Stop
from driftctl_py.adapters.store import Store, open_store
from driftctl_py.app.approvals import Approvals
from driftctl_py.app.order import Order
from driftctl_py.app.preparation import Settings
from driftctl_py.app.tightening import Tightening
from driftctl_py.core.approval import Identity, Requirement
from driftctl_py.core.decision import Apply, Decision, Refuse
from driftctl_py.core.environment import ApplyModes, Environment, Mode, Source
from driftctl_py.core.policy import RegoPolicy
from driftctl_py.core.rule import Effect, Rule
from driftctl_py.core.run import State
from driftctl_py.errors import UsageError
from tests.adapters.test_git import Repository, environ, here
from tests.adapters.test_rego import PLAN
from tests.app.test_gating import Documents, Gate, a_report
from tests.app.test_tightening import says
from tests.rego_engines import rego_engine
from tests.report.run_examples import PEOPLE, REQUIREMENT, run

__all__ = ["environ", "here"]  # fixtures

DENIES = """package main

deny contains "no" if {
    input.resource_changes
}
"""
FINDS_NOTHING = """package main

deny contains "no" if {
    input.resource_changes == "never"
}
"""


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with open_store(None, tmp_path / "data", now=lambda: datetime.now(UTC)) as opened:
        yield opened


class OnDisk(Documents):
    """The plan, where the programs read it."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def redacted(self) -> Path:
        return self._path


def through_the_gate(
    tmp_path: Path, store: Store, rego: str | None, *, program: str, path: str | None = None
) -> Decision:
    """Where both switches are `auto`, and a Rego policy stands beside them."""
    policies = tmp_path / "policy"
    policies.mkdir()
    if rego is not None:
        (policies / "guard.rego").write_text(rego)
    gate: Any = Gate(store, documents=OnDisk(PLAN))
    at = os.environ if path is None else {**os.environ, "PATH": path}
    gate.rego = RegoEngine(here=tmp_path, environ=at, stop=Stop())
    policy = RegoPolicy("guard", ("policy",), "v1", program=program)
    _, _, decision = gate.rulings(policy, report=a_report())
    assert isinstance(decision, Apply | Refuse)
    return decision


@pytest.mark.parametrize(
    "rego",
    [
        "package main\n\ndeny contains msg if {\n",
        "package main\n\ndeny contains msg if { msg := undefined_thing }\n",
        "this is no Rego\n",
    ],
    ids=["does not end", "names what is not there", "is something else"],
)
@pytest.mark.parametrize("program", ["opa", "conftest"])
def test_a_policy_that_cannot_be_read_refuses(
    tmp_path: Path, store: Store, rego: str, program: str
) -> None:
    """A well-known tool took a policy with a syntax error for one that found nothing."""
    # Without the program it is refused for that reason: it never goes through.
    decision = through_the_gate(tmp_path, store, rego, program=rego_engine(program) or program)

    assert isinstance(decision, Refuse)
    assert "guard: " in decision.reasons[0]


@pytest.mark.parametrize(
    "rego",
    [None, "package elsewhere\n\ndeny contains 1 if { true }\n", "package main\n\nx := 1\n"],
    ids=["no file", "another package", "no rule that is asked"],
)
@pytest.mark.parametrize("program", ["opa", "conftest"])
def test_a_policy_of_which_no_rule_is_evaluated_refuses(
    tmp_path: Path, store: Store, rego: str | None, program: str
) -> None:
    """A well-known tool passed a plan of which its policies had evaluated no rule at all."""
    decision = through_the_gate(tmp_path, store, rego, program=rego_engine(program) or program)

    assert isinstance(decision, Refuse)
    assert "guard: " in decision.reasons[0]


def test_a_policy_whose_program_is_gone_refuses(tmp_path: Path, store: Store) -> None:
    """Several tools skipped a policy where its engine was not installed."""
    empty = tmp_path / "bin"
    empty.mkdir()

    decision = through_the_gate(tmp_path, store, FINDS_NOTHING, program="opa", path=str(empty))

    assert isinstance(decision, Refuse)
    assert "there is none on PATH" in decision.reasons[0]


@pytest.mark.parametrize(("rego", "what"), [(DENIES, Refuse), (FINDS_NOTHING, Apply)])
def test_a_policy_that_is_well_is_what_makes_the_difference(
    tmp_path: Path, store: Store, rego: str, what: type[Decision]
) -> None:
    program = rego_engine("opa")
    if program is None:
        pytest.skip("no opa on this machine; .ci/setup builds one where Go is at hand")

    assert isinstance(through_the_gate(tmp_path, store, rego, program=program), what)


@pytest.mark.parametrize(
    "copy",
    [
        "defaults: {apply: auto, approval: {count: 1, author_may: true, unverified: true}}",
        "defaults: {apply: auto}\nrules: [{name: dba-only, effect: allow, when: {types: ['*']}}]",
        "rules: []",
    ],
    ids=["asks for less", "calls a rule as we do", "has no rules"],
)
def test_a_watched_repository_drops_no_requirement(
    tmp_path: Path, here: Repository, copy: str
) -> None:
    """With a well-known tool a repository's own configuration could drop an approval."""
    people = "people: {eve: ['github:eve']}\ngroups: {everybody: [eve]}"
    says(here, f"version: 1\n{people}\n{copy}\nenvironments:\n  - environments/*\n")
    asks = Rule("dba-only", Effect.APPROVE, groups=("dba",), count=2)
    own = Environment(
        "prod",
        "environments/prod",
        "infra",
        apply=ApplyModes(Mode.GATE, Mode.GATE),
        requirement=Requirement(count=2, groups=("dba",)),
        rules=(asks,),
    )

    with GitContents(tmp_path / "data", here=here.path, environ=here.environ) as contents:
        source = Source("infra", str(here.path))
        tightening = Tightening(
            sources=contents, contents=contents, settings=Settings({}, (), {"infra": source})
        )
        order = Order(own, contents.resolve(source), "plan", "os:ada")
        found = tightening.tightened(order).environment

    assert found.apply == own.apply
    assert found.requirement == own.requirement
    assert found.rules == (asks,)


@pytest.mark.parametrize(
    "by", ["github:eve", "os:ada", "aws:arn:aws:iam::123456789012:user/eve", "ada"]
)
def test_not_anybody_may_approve(store: Store, by: str) -> None:
    """With a well-known tool whoever could comment on a pull request could approve it."""
    held = run(requirement=REQUIREMENT)
    store.save(replace(held, state=State.PLANNING))
    store.save(held)
    approvals = Approvals(
        store, people=PEOPLE, clock=lambda: datetime.now(UTC), new_id=lambda: "a1"
    )

    with pytest.raises(UsageError, match="Nothing was approved"):
        approvals.give("prod", by=Identity(by), yes=True, reason="looks fine")

    assert store.approvals("prod") == ()
    assert list(store.entries()) == []
