"""Asking about rules: of plans that lie in a real store, and of cases."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from driftctl_py.adapters.artifacts import LocalArtifacts
from driftctl_py.adapters.store import Store, open_store
from driftctl_py.app.policy import (
    LIMITS,
    POLICIES,
    WINDOWS,
    Replays,
    environment_of,
    explain_plan,
    explain_run,
    run_tests,
    stored_plan,
)
from driftctl_py.core.approval import Requirement
from driftctl_py.core.decision import Hold, Judgement, Level, Nothing, Refuse, Ruling
from driftctl_py.core.environment import ApplyModes, Environment, Mode
from driftctl_py.core.explanation import Asked
from driftctl_py.core.limits import Limits
from driftctl_py.core.plan_report import PlanReport, View
from driftctl_py.core.policy import RegoPolicy
from driftctl_py.core.policy_replay import Replay
from driftctl_py.core.policy_tests import Case, DescribedChange, Outcome, described
from driftctl_py.core.rule import Effect, Rule
from driftctl_py.core.run import Purpose, Run, State
from driftctl_py.core.window import Freeze
from driftctl_py.errors import ConfigError, Interrupted, Problem, UsageError
from driftctl_py.report.plan_document import render_plan_json

NOW = datetime(2026, 11, 24, 9, 14, tzinfo=UTC)
BUCKET = "aws_s3_bucket.assets"
DB = "aws_db_instance.main"
NO = Rule("no", Effect.DENY, types=("aws_db_*",), where="driftctl.yaml:4")
GATE = ApplyModes(Mode.GATE, Mode.GATE)


def plan(*addresses: str) -> PlanReport:
    changes = tuple(DescribedChange(each, ("update",), attributes=("size",)) for each in addresses)
    return described(Case("plan", Level.ALLOW, changes=changes))


def prod(*rules: Rule, name: str = "prod") -> Environment:
    return Environment(name, f"environments/{name}", rules=rules, apply=GATE)


def judged(report: PlanReport, *rules: Rule) -> Judgement:
    return explain_plan(report, prod(*rules), rules, now=NOW).judgement


@dataclass(slots=True)
class Memory:
    """A store and its artifacts, both real."""

    store: Store
    artifacts: LocalArtifacts
    count: int = 0

    def add(
        self, report: PlanReport | None, *rules: Rule, environment: str = "prod", days: int = 0
    ) -> Run:
        self.count += 1
        run = Run(
            f"20261124-0914{self.count:04}",
            environment,
            State.REFUSED,
            Purpose.RECONCILE,
            NOW - timedelta(days=days),
            "plan",
            "os:ada",
            "build-7:1",
        )
        if report is not None:
            document = render_plan_json(report, View.FULL).encode()
            artifacts = {"plan.json": self.artifacts.put(document)}
            run = replace(run, artifacts=artifacts, judgement=judged(report, *rules))
        self.store.save(run)
        return run

    def replay(
        self,
        *environments: Environment,
        only: tuple[str, ...] = (),
        since: datetime | None = None,
        limit: int | None = None,
        please_stop: Callable[[], bool] = lambda: False,
    ) -> Replay:
        return Replays(self.store, self.artifacts).replay(
            environments,
            only=only,
            since=since,
            limit=limit,
            watch=self.seen.append,
            please_stop=please_stop,
        )

    @property
    def seen(self) -> list[int]:
        return _SEEN


_SEEN: list[int] = []


@pytest.fixture
def memory(tmp_path: Path) -> Iterator[Memory]:
    _SEEN.clear()
    store = open_store(None, tmp_path / "memory", now=lambda: NOW)
    yield Memory(store, LocalArtifacts(tmp_path / "artifacts"))
    store.close()


def test_hundreds_of_stored_plans_are_decided_anew(memory: Memory) -> None:
    of_db, of_bucket = plan(DB), plan(BUCKET)
    for at in range(230):
        memory.add(of_db if at % 50 == 0 else of_bucket, days=(229 - at) // 24)

    found = memory.replay(prod(NO))

    assert found.plans == 230
    assert len(found.different) == 5
    assert all(each.stricter for each in found.different)
    assert {each.because[0].addresses for each in found.different} == {(DB,)}
    assert memory.seen[-1] == 230
    assert (found.unreadable, found.gone, found.changes) == ([], {}, 0)


def test_only_some_plans_may_be_asked_for(memory: Memory) -> None:
    memory.add(plan(DB), days=40)
    memory.add(plan(DB), environment="dev", days=10)
    memory.add(None)
    memory.add(plan(DB), days=2)
    memory.add(plan(DB), days=1)
    environments = (prod(), prod(name="dev"))

    assert memory.replay(*environments).plans == 4
    assert memory.replay(*environments, only=("dev",)).plans == 1
    assert memory.replay(*environments, since=NOW - timedelta(days=30)).plans == 3
    latest = memory.replay(*environments, limit=1)
    assert latest.plans == 1
    assert latest.oldest == NOW - timedelta(days=1)


def test_what_cannot_be_decided_anew_is_listed(memory: Memory) -> None:
    gone, garbage = memory.add(plan(DB)), memory.add(plan(BUCKET))
    memory.artifacts.drop(gone.artifacts["plan.json"])
    broken = memory.artifacts.put(b"{}")
    memory.store.save(replace(garbage, artifacts={"plan.json": broken}))
    unjudged = memory.add(plan(DB, BUCKET))
    memory.store.save(replace(unjudged, judgement=None))
    memory.add(plan(f"{DB}_old"), environment="old")

    found = memory.replay(prod(NO))

    assert [each.run for each in found.unreadable] == [unjudged.id, garbage.id, gone.id]
    assert all(each.unreadable.endswith(".") for each in found.unreadable)
    assert found.gone == {"old": 1}
    assert found.plans == 0


def test_other_words_for_single_changes_alone_are_counted(memory: Memory) -> None:
    memory.add(plan(DB, BUCKET), NO)

    found = memory.replay(prod(NO, Rule("no", Effect.DENY, types=("aws_s3_*",))))

    assert (found.plans, len(found.different), found.changes) == (1, 0, 1)


def test_plans_that_differ_do_not_pile_up_in_memory(memory: Memory) -> None:
    for at in range(6):
        memory.add(plan(f"{DB}{at}"))
    replays = Replays(memory.store, memory.artifacts)

    replays.replay([prod()], watch=lambda _: None, please_stop=lambda: False)

    assert len(replays._read) == 4


def test_a_replay_can_be_stopped(memory: Memory) -> None:
    memory.add(plan(DB))

    with pytest.raises(Interrupted):
        memory.replay(prod(), please_stop=lambda: True)


def test_a_plan_is_explained_as_a_first_plan_would_be_decided() -> None:
    other = Rule("elsewhere", Effect.WARN)

    found = explain_plan(plan(DB, BUCKET), prod(NO), (NO, other), now=NOW)

    assert found.judgement.level is Level.DENY
    assert isinstance(found.decision, Refuse)
    assert [each.key[0] for each in found.rules[0].fitting] == [DB]
    assert found.silent == (other,)
    assert found.then is None
    assert found.beside == {POLICIES: Asked.NONE, WINDOWS: Asked.NONE, LIMITS: Asked.NOT}


def test_what_approvals_are_asked_for_is_held() -> None:
    ask = Rule("ask", Effect.APPROVE, groups=("dba",), count=2)

    found = explain_plan(plan(DB), prod(ask), (ask,), now=NOW)

    assert isinstance(found.decision, Hold)
    assert found.decision.requirement == Requirement().also(["dba"], found.judgement.asks)


def test_freezes_are_asked_as_of_now() -> None:
    frozen = replace(
        prod(Rule("yes", Effect.ALLOW)),
        freezes=(Freeze("holidays", NOW - timedelta(1), None),),
        limits=Limits(0, 0, 0),
        policies=(RegoPolicy("p", ("policies",), rego_version="v1"),),
    )

    found = explain_plan(plan(DB), frozen, (), now=NOW)

    assert isinstance(found.decision, Hold)
    assert "holidays" in found.decision.closed[0].why
    assert found.beside == {POLICIES: Asked.NOT, WINDOWS: Asked.NOW, LIMITS: Asked.NONE}


def test_a_run_is_explained_with_what_was_said_then(memory: Memory) -> None:
    run = memory.add(plan(DB))
    assert run.judgement is not None
    limit = Ruling(Level.APPROVE, "limits.applies_per_day: 3")
    run = replace(run, judgement=replace(run.judgement, of_plan=(limit,)))
    report = stored_plan(run, memory.artifacts)

    found = explain_run(run, report, prod(NO), (NO,), now=NOW)

    assert found.name == f"run {run.id}"
    assert found.then == run.judgement
    assert found.judgement.level is Level.DENY
    assert found.judgement.of_plan == found.carried.of_plan == (limit,)
    assert found.beside[LIMITS] is Asked.THEN


def test_a_plan_of_nothing_decides_nothing() -> None:
    assert isinstance(explain_plan(plan(), prod(), (), now=NOW).decision, Nothing)


def test_a_run_without_a_plan_or_a_judgement_cannot_be_explained(memory: Memory) -> None:
    without, unjudged = memory.add(None), replace(memory.add(plan(DB)), judgement=None)

    with pytest.raises(UsageError, match="kept no plan"):
        stored_plan(without, memory.artifacts)
    with pytest.raises(UsageError, match="was never judged"):
        explain_run(unjudged, plan(DB), prod(), (), now=NOW)


def outcome_of(case: Case, *environments: Environment) -> Outcome:
    def read(of: Case) -> PlanReport:
        if of.plan != "db.json":
            raise ConfigError((Problem(of.plan, 0, "There is no such file."),))
        return plan(DB)

    (outcome,) = run_tests([case], environments, read)
    return outcome


def test_a_test_of_a_plan_reads_it() -> None:
    assert outcome_of(Case("it", Level.DENY, plan="db.json", rule="no"), prod(NO)).failures == ()


def test_a_test_that_cannot_be_asked_has_failed() -> None:
    no_file = outcome_of(Case("it", Level.DENY, plan="gone.json"), prod(NO))
    no_environment = outcome_of(Case("it", Level.DENY, "pord", plan="db.json"), prod(NO))

    assert no_file.failures == ("gone.json: There is no such file.",)
    assert no_environment.failures == (
        "There is no environment pord. Did you mean prod? Known: prod.",
    )


def test_an_environment_is_named_where_there_are_several() -> None:
    several = (prod(), prod(name="dev"))

    assert environment_of(None, several[:1], option="--environment NAME") == several[0]
    assert environment_of("dev", several, option="--environment NAME") == several[1]
    with pytest.raises(UsageError, match="There are 2 environments"):
        environment_of("", several, option="--environment NAME")
    with pytest.raises(UsageError, match="no environment x"):
        environment_of("x", several, option="--environment NAME")
