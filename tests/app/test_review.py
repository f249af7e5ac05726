"""Reviews, and applies that are held against them.

Engine, Git and state are faked in files (`reconciling.py`); store and artifacts are the real ones.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from driftctl_py.adapters.store import Store, open_store
from driftctl_py.app.order import Order
from driftctl_py.app.queries import Queries
from driftctl_py.app.reconcile import Outcome
from driftctl_py.app.review import Reviewer
from driftctl_py.app.sharing import Sharing
from driftctl_py.core.approval import Requirement
from driftctl_py.core.decision import Apply, Hold, Nothing, Refuse, Ruling, Rulings
from driftctl_py.core.decision import Level as RuleLevel
from driftctl_py.core.environment import Credentials, Environment, Mode
from driftctl_py.core.history import binding_of
from driftctl_py.core.lease import Lease
from driftctl_py.core.run import Purpose, Run, State
from driftctl_py.core.state import LockHolder, StateLook
from driftctl_py.core.window import Freeze
from driftctl_py.errors import SourceError, UsageError

from .fakes import FakeStop, failed, planned
from .reconciling import ADA, ONE, PEOPLE, TWO, Bench, order, prod, revision

AUTO, GATE = Mode.AUTO, Mode.GATE
FREE = prod(AUTO, AUTO)
STRICT = replace(FREE, reviewed=True)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = open_store(None, tmp_path / "memory", now=lambda: datetime.now(UTC))
    yield opened
    opened.close()


@pytest.fixture
def bench(tmp_path: Path, store: Store) -> Bench:
    return Bench(tmp_path, store)


def reviewer(
    bench: Bench, *, stop: FakeStop | None = None, gone: Sequence[Environment] = ()
) -> Reviewer:
    """Made of what the bench's reconciler is made of."""
    # Any: only a test takes it apart.
    made: Any = bench.reconciler
    return Reviewer(
        made._preparer,
        made._planner,
        made._decider,
        tightening=made._tightening,
        gone=Sharing(made._preparer, gone, revision_of=lambda _each: revision(ONE)),
        workdirs=bench.workdirs,
        store=bench.store,
        artifacts=bench.artifacts,
        clock=bench.clock,
        new_id=bench.new_id,
        worker=bench.worker,
        jobs=2,
        stop=stop or FakeStop(),
        settings=bench.settings,
    )


def review(bench: Bench, commit: str = ONE, environment: Environment = FREE) -> Outcome:
    (outcome,) = reviewer(bench).review_all([order(commit, environment)])
    return outcome


def apply(bench: Bench, commit: str = ONE, environment: Environment = FREE) -> Outcome:
    """Only what was reviewed."""
    return bench.reconciler.apply(order(commit, environment, reviewed=True))


def why_not(outcome: Outcome) -> str:
    assert isinstance(outcome.decision, Refuse), outcome
    return "\n".join(outcome.decision.reasons)


# What a review does, and what is left of it.


def test_a_review_plans_without_a_lock_and_keeps_nothing_that_could_be_applied(
    bench: Bench,
) -> None:
    outcome = review(bench)

    assert isinstance(outcome.decision, Apply)
    assert outcome.error is None
    assert bench.engine.calls == ["init", "plan", "show"]
    assert bench.world.applied == []
    (run,) = bench.runs
    assert (run.state, run.purpose) == (State.REVIEWED, Purpose.REVIEW)
    assert sorted(run.artifacts) == ["plan.json"]
    assert run.fingerprint
    assert run.ended_at is not None
    assert not list(bench.workdirs.home.rglob("*.tfplan")) + list(
        bench.workdirs.home.rglob("plan*")
    )
    assert bench.told == ["reviewed"]
    assert bench.store.latest() == {}


def test_where_there_is_nothing_to_apply_a_review_says_so(bench: Bench) -> None:
    bench.world.becomes(state=ONE, real=ONE, serial=1)

    outcome = review(bench)

    assert isinstance(outcome.decision, Nothing)
    assert (bench.runs[0].state, bench.runs[0].fingerprint) == (State.REVIEWED, "")


def test_a_review_says_who_would_have_to_be_asked_and_what_is_refused(bench: Bench) -> None:
    held = review(bench, environment=prod(GATE, GATE))
    refused = review(bench, environment=prod())
    bench.rules.said = Rulings(of_plan=(Ruling(RuleLevel.DENY, "tags", message="No owner."),))
    denied = review(bench)

    assert isinstance(held.decision, Hold)
    assert held.run.reason == "It needs 1 approval."
    assert isinstance(refused.decision, Refuse)
    assert "No owner." in why_not(denied)
    assert {each.state for each in bench.runs} == {State.REVIEWED}


def test_a_review_works_beside_whoever_has_the_run_lock(bench: Bench) -> None:
    now = datetime.now(UTC)
    assert bench.store.take(Lease("prod", "r0", "grace:2", now, now, 60.0)) is None

    assert review(bench).error is None


def test_a_review_leaves_the_plan_that_waits_alone(bench: Bench) -> None:
    held = bench.reconciler.plan(order(environment=prod(GATE, GATE)))

    review(bench, TWO, prod(GATE, GATE))

    assert bench.store.latest()["prod"].id == held.run.id
    assert bench.store.run(held.run.id) == held.run


@pytest.mark.parametrize(
    ("looks", "words"),
    [
        ([StateLook("1", LockHolder("1", "grace@build-7"))], "The state is locked by grace"),
        ([StateLook("1"), StateLook("1", LockHolder("1", "grace@b"))], "The state is locked by"),
        ([StateLook("1"), StateLook("2")], "The state changed while the plan was made"),
    ],
)
def test_what_is_planned_beside_an_apply_is_not_known(
    bench: Bench, looks: list[StateLook], words: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    from driftctl_py.core.state import StateAddress

    from . import reconciling

    left = list(looks)

    def look(_self: object, _address: StateAddress, **_more: object) -> StateLook:
        return left.pop(0) if left else looks[-1]

    monkeypatch.setattr(reconciling.States, "look", look)

    outcome = review(bench)

    assert outcome.error is not None
    assert words in outcome.error.what
    assert (bench.runs[0].state, bench.runs[0].fingerprint) == (State.UNKNOWN, "")


def test_what_cannot_be_planned_has_failed_and_stops_no_other(bench: Bench) -> None:
    other = replace(FREE, name="dev", path="environments/dev")
    bench.workdirs.refused["prod"] = SourceError("It is not there.")
    bench.workdirs.bugs = frozenset({"lab"})
    lab = replace(FREE, name="lab")

    outcomes = reviewer(bench).review_all([order(environment=each) for each in (FREE, lab, other)])

    assert [each.run.state for each in outcomes] == [State.FAILED, State.FAILED, State.REVIEWED]
    first, second, _ = [each.error.what if each.error else "" for each in outcomes]
    assert first == "It is not there."
    assert second.startswith("ZeroDivisionError")
    assert "This is a bug in driftctl_py." in second


def test_what_the_engine_quotes_of_a_secret_is_not_told(bench: Bench) -> None:
    bench.engine.plans = [failed("Invalid token hunter2!!")]

    outcome = review(bench)

    assert outcome.run.state is State.FAILED
    assert "hunter2" not in str(outcome) + str(bench.runs)


def test_an_incomplete_plan_is_not_known(bench: Bench) -> None:
    bench.engine.plans = [planned(1, saved=True)]

    assert review(bench).run.state is State.UNKNOWN


def test_what_was_not_begun_before_a_stop_is_told_and_not_taken_for_reviewed(bench: Bench) -> None:
    stop = FakeStop()
    stop.ask()

    (outcome,) = reviewer(bench, stop=stop).review_all([order()])

    assert outcome.error is not None
    assert outcome.error.exit_code == 130
    assert outcome.run.state is State.INTERRUPTED


def test_what_belongs_to_the_moment_of_an_apply_is_only_told(bench: Bench) -> None:
    freeze = Freeze("audit", datetime(2026, 1, 1, tzinfo=UTC), None)
    bench.holding.suspend("prod", reason="The migration runs.", until=None)

    outcome = review(bench, environment=replace(FREE, freezes=(freeze,)))

    assert isinstance(outcome.decision, Apply)
    assert "audit" in outcome.run.closed[0].why
    assert outcome.warnings == ("prod is suspended by os:ada: The migration runs.",)


def test_another_name_for_a_state_is_told(bench: Bench) -> None:
    renamed = replace(FREE, name="production")

    (outcome,) = reviewer(bench, gone=(FREE,)).review_all([order(environment=renamed)])

    assert outcome.warnings[0].startswith("It has the state of prod, which is not there any more")


# An apply of what was reviewed.


def test_what_was_reviewed_is_applied(bench: Bench) -> None:
    review(bench)

    outcome = apply(bench)

    assert outcome.run.state is State.APPLIED
    assert bench.world.applied == [ONE]


def test_a_review_is_made_as_who_plans_and_is_of_what_the_other_would_apply(bench: Bench) -> None:
    environment = replace(
        FREE, plan_credentials=Credentials("reads"), apply_credentials=Credentials("writes")
    )

    review(bench, environment=environment)
    looked_as = {each.get("AWS_PROFILE") for each in bench.engine.environs}
    outcome = apply(bench, environment=environment)

    assert looked_as == {"reads"}
    assert outcome.run.state is State.APPLIED
    assert bench.engine.environs[-1]["AWS_PROFILE"] == "writes"


def test_another_commit_with_the_same_content_is_what_was_reviewed(bench: Bench) -> None:
    bench.contents.same = {TWO: ONE}
    bench.world.wants = {TWO: ONE}

    review(bench, ONE)

    assert apply(bench, TWO).run.state is State.APPLIED


@pytest.mark.parametrize("environment", [FREE, STRICT])
def test_without_a_review_nothing_is_applied_where_one_is_wanted(
    bench: Bench, environment: Environment
) -> None:
    wanted = order(environment=environment, reviewed=environment is FREE)

    outcome = bench.reconciler.apply(wanted)

    assert why_not(outcome) == (
        "No review of prod is known, and only what was reviewed may be applied."
    )
    assert "driftctl-py review prod --base HEAD" in outcome.run.todo
    assert bench.world.applied == []


def test_what_is_another_than_reviewed_is_told_by_difference(bench: Bench) -> None:
    bench.converged(ONE)
    review(bench, TWO)
    bench.world.wants = {TWO: "more"}
    bench.contents.same = {TWO: ONE}

    said = why_not(apply(bench, TWO))

    assert "is not what was reviewed at 2222222" in said
    assert "What governs the plan is not the same: environments/prod." in said
    assert "terraform_data.one: update, but otherwise than reviewed (input)." in said


def test_where_only_what_governs_it_differs_that_is_said(bench: Bench) -> None:
    review(bench)
    bench.workdirs.lock = "another provider"

    said = why_not(apply(bench))

    assert "the lock file of the providers" in said
    assert "The plan itself means the same." in said


def test_where_the_state_is_another_one_that_is_said(bench: Bench) -> None:
    review(bench)
    bench.world.becomes(lineage="l2")

    assert "The state is another one." in why_not(apply(bench))


def test_where_nothing_was_to_be_applied_that_is_said(bench: Bench) -> None:
    bench.world.becomes(state=ONE, real=ONE, serial=1)
    review(bench)
    bench.world.becomes(real="by hand")

    said = why_not(apply(bench))

    assert "When it was reviewed there was nothing to apply." in said
    assert bench.world.applied == []


def test_drift_since_the_review_is_not_put_back_unseen(bench: Bench) -> None:
    bench.converged(ONE)
    review(bench, TWO)
    bench.world.becomes(real="by hand")

    assert "terraform_data.one" in why_not(apply(bench, TWO))
    assert bench.world.applied == []


@pytest.mark.parametrize("lost", ["the bytes", "the reference"])
def test_where_what_was_reviewed_is_gone_it_is_refused_all_the_same(
    bench: Bench, lost: str
) -> None:
    bench.converged(ONE)
    run = review(bench, TWO).run
    bench.world.wants = {TWO: "more"}
    if lost == "the bytes":
        bench.artifacts.drop(run.artifacts["plan.json"])
    else:
        bench.store.save(replace(run, artifacts={}))

    said = why_not(apply(bench, TWO))

    assert "The plan means something else; " in said


def test_an_old_review_does_not_count(bench: Bench) -> None:
    environment = replace(FREE, requirement=Requirement(expires_seconds=3600))
    review(bench, environment=environment)
    clock: Any = bench.clock
    clock.now += timedelta(hours=1)

    said = why_not(apply(bench, environment=environment))

    assert "Just this was reviewed as run run-001, but that is good until" in said


def test_a_review_from_the_future_does_not_count_for_ever(bench: Bench) -> None:
    made = review(bench).run
    ahead = replace(made, id="run-900", started_at=made.started_at + timedelta(days=300))
    clock: Any = bench.clock
    clock.now += timedelta(days=2)
    bench.store.save(ahead)

    said = why_not(apply(bench))

    assert "run-900, which says that it was made at" in said


def test_what_is_nearest_is_compared_whichever_was_reviewed_last(bench: Bench) -> None:
    bench.converged(ONE)
    near = review(bench, TWO).run
    review(bench, "3" * 40)
    bench.workdirs.lock = "another provider"

    assert f"(run {near.id})" in why_not(apply(bench, TWO))


def test_what_waits_is_held_against_the_review_too(bench: Bench) -> None:
    gated = prod(GATE, GATE)
    run = bench.reconciler.plan(order(environment=gated)).run
    bench.approvals.give(run.id, by=ADA, yes=True, reason="Fine.")

    assert "No review of prod is known" in why_not(apply(bench, environment=gated))
    assert bench.world.applied == []


def test_to_record_what_is_there_needs_no_review(bench: Bench) -> None:
    bench.converged(ONE)
    bench.world.becomes(real="by hand")

    accepted = bench.reconciler.reconcile(
        order(ONE, STRICT, purpose=Purpose.ACCEPT, reason="It stays.")
    )

    assert accepted.run.state is State.APPLIED


# Approvals of what was reviewed.


def test_a_yes_to_a_review_counts_for_the_apply(bench: Bench) -> None:
    gated = prod(GATE, GATE, reviewed=True)
    run = review(bench, environment=gated).run

    given = bench.approvals.give(run.id, by=ADA, yes=True, reason="Read it.")
    outcome = apply(bench, environment=gated)

    queries = Queries(bench.store, bench.artifacts, people=PEOPLE, clock=bench.clock)
    standing = queries.run(run.id).standing
    assert standing is not None
    assert not standing.enough, "it was used up"
    assert given.standing.enough
    assert given.approval.binding == binding_of(run)
    assert outcome.run.state is State.APPLIED


def test_a_no_to_a_review_is_a_no_to_the_apply(bench: Bench) -> None:
    gated = prod(GATE, GATE, reviewed=True)
    run = review(bench, environment=gated).run

    bench.approvals.give(run.id, by=ADA, yes=False, reason="Not on a Friday.")

    assert "github:ada said no" in why_not(apply(bench, environment=gated))
    assert bench.store.run(run.id) == run


def test_a_review_is_approved_by_its_run_and_not_by_its_environment(bench: Bench) -> None:
    review(bench, environment=prod(GATE, GATE))

    with pytest.raises(UsageError, match="No plan of prod waits"):
        bench.approvals.give("prod", by=ADA, yes=True, reason="Which one?")


def test_where_nothing_would_be_applied_there_is_nothing_to_approve(bench: Bench) -> None:
    bench.world.becomes(state=ONE, real=ONE, serial=1)
    run: Run = review(bench).run

    with pytest.raises(UsageError, match="waits for nobody"):
        bench.approvals.give(run.id, by=ADA, yes=True, reason="Fine.")


def test_a_review_is_of_what_the_order_names(bench: Bench) -> None:
    asked: Order = order(TWO)

    outcome = reviewer(bench).failed(asked, SourceError("No such source."))

    assert (outcome.run.commit, outcome.run.state) == (TWO, State.FAILED)
    assert outcome.run.purpose is Purpose.REVIEW
