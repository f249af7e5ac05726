"""Approvals, on a real store."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import count
from pathlib import Path

import pytest

from driftctl_py.adapters.store import Store, open_store
from driftctl_py.app.approvals import Approvals, Given
from driftctl_py.app.binding import backing_of, last_applied, required_binding
from driftctl_py.core.approval import Identity
from driftctl_py.core.decision import Judgement, Level, Ruling
from driftctl_py.core.run import Run, State
from driftctl_py.errors import StoreError, UsageError
from tests.report.run_examples import HEALED, JUDGEMENT, NOW, PEOPLE, run

ADA, GRACE, KEN = Identity("github:ada"), Identity("github:grace"), Identity("os:ken")


class Bench:
    """A store with one run of prod, and a clock that somebody sets."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.now = NOW
        numbers = count(1)
        self.approvals = Approvals(
            store, people=PEOPLE, clock=lambda: self.now, new_id=lambda: f"a{next(numbers)}"
        )

    def has(self, made: Run) -> Run:
        self.store.save(replace(made, state=State.PLANNING))
        self.store.save(made)
        return made

    def says(self, by: Identity, *, yes: bool = True, target: str = "prod") -> Given:
        self.now += timedelta(seconds=1)
        return self.approvals.give(target, by=by, yes=yes, reason="read it")


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    def now() -> datetime:
        return NOW

    with open_store(None, tmp_path / "data", now=now) as store:
        yield Bench(store)


def events(bench: Bench) -> list[tuple[str, str]]:
    return [(entry.event.what, entry.event.who) for entry in bench.store.entries()]


def test_a_yes_is_bound_to_what_waits_and_written_into_the_trail(bench: Bench) -> None:
    made = bench.has(run())

    given = bench.says(GRACE)

    assert given.person == "grace"
    assert given.standing.enough
    assert given.approval.binding == required_binding(made)
    assert bench.store.approvals("prod") == (given.approval,)
    assert events(bench) == [("approved", "github:grace")]


def test_a_run_may_be_named_by_the_beginning_of_its_id(bench: Bench) -> None:
    made = bench.has(run())

    assert bench.says(GRACE, target=made.id[:10]).run == made


@pytest.mark.parametrize(
    ("by", "why"),
    [(Identity("github:eve"), "is github:eve"), (KEN, "os:ken is unverified")],
)
def test_whose_word_does_not_count_is_not_written_down(
    bench: Bench, by: Identity, why: str
) -> None:
    bench.has(run())

    with pytest.raises(UsageError, match=f"Nothing was approved: .*{why}"):
        bench.says(by)
    assert bench.store.approvals("prod") == ()
    assert events(bench) == []


def test_a_rejected_plan_waits_no_more(bench: Bench) -> None:
    made = bench.has(run())

    given = bench.says(GRACE, yes=False)

    assert given.run.state is State.REJECTED
    kept = bench.store.run(made.id)
    assert kept is not None
    assert kept.state is State.REJECTED
    assert "github:grace" in kept.reason


def test_who_said_no_may_say_yes_after_all(bench: Bench) -> None:
    bench.has(run())
    bench.says(GRACE, yes=False)

    given = bench.says(GRACE)

    assert given.standing.enough
    assert given.standing.rejected is None


def test_another_s_yes_does_not_outrank_a_no_that_stands(bench: Bench) -> None:
    bench.has(run(authors=()))
    bench.says(GRACE, yes=False)

    given = bench.says(ADA)

    assert not given.standing.enough
    assert given.standing.rejected is not None


@pytest.mark.parametrize("state", [State.REFUSED, State.SUPERSEDED, State.APPLIED])
def test_what_does_not_wait_cannot_be_approved(bench: Bench, state: State) -> None:
    made = bench.has(run(State.HELD))
    if state is State.APPLIED:
        bench.store.save(replace(made, state=State.APPLYING))
    bench.store.save(replace(made, state=state))

    with pytest.raises(UsageError, match=r"waits for nobody|No plan of prod waits"):
        bench.says(GRACE)
    with pytest.raises(UsageError, match=rf"is {state.value}, so its plan waits for nobody"):
        bench.says(GRACE, target=made.id)


def test_who_names_an_earlier_run_that_means_the_same_approves_what_waits(bench: Bench) -> None:
    earlier = bench.has(run())
    bench.store.save(replace(earlier, state=State.SUPERSEDED))
    waits = bench.has(run(id="20261124-later"))

    assert bench.says(GRACE, target=earlier.id).run == waits


def test_an_earlier_run_that_means_something_else_is_not_what_waits(bench: Bench) -> None:
    earlier = bench.has(run())
    bench.store.save(replace(earlier, state=State.SUPERSEDED))
    bench.has(run(id="20261124-later", fingerprint="f2-another"))

    with pytest.raises(UsageError, match="is superseded, so its plan waits for nobody"):
        bench.says(GRACE, target=earlier.id)


def with_violations(*rules: str) -> Judgement:
    ruling = Ruling(Level.APPROVE, "", "driftctl.yaml:48", groups=("dba",))
    rulings = tuple(replace(ruling, rule=each) for each in rules)
    return replace(JUDGEMENT, changes=(replace(HEALED, rulings=rulings),))


def test_a_yes_remembers_what_rules_had_against_the_plan(bench: Bench) -> None:
    made = bench.has(run(judgement=with_violations("dba-only", "cost")))

    given = bench.says(GRACE)

    assert made.judgement is not None
    assert given.standing.enough
    (kept,) = bench.store.approvals("prod")
    assert kept.violations == tuple(each.digest for each in made.judgement.violations)
    (entry,) = bench.store.entries()
    assert entry.event.evidence["violations"] == kept.seal
    backing = backing_of(bench.store, [kept], kept.binding)
    assert backing.entries == {kept.id}
    edited = replace(kept, violations=(*kept.violations, "0" * 32))
    assert not backing_of(bench.store, [edited], kept.binding).entries


def test_a_yes_is_to_no_rule_that_the_plan_breaks_since(bench: Bench) -> None:
    earlier = bench.has(run(judgement=with_violations("dba-only")))
    bench.says(GRACE)
    bench.store.save(replace(earlier, state=State.SUPERSEDED))
    bench.has(run(id="20261124-later", judgement=with_violations("dba-only", "cost")))

    with pytest.raises(UsageError) as refused:
        bench.says(ADA, target=earlier.id)
    given = bench.says(ADA)

    assert "breaks rules that it did not break: cost (module.web.aws_s3_bucket.assets)" in str(
        refused.value.what
    )
    assert refused.value.todo == "Read it first: driftctl-py show 20261124-later"
    (passed,) = given.standing.passed
    assert passed.approval.by == GRACE
    assert "since then the plan breaks rules that it did not break: cost" in passed.why
    assert [each.by for each in given.standing.given] == [ADA]


def test_a_name_that_nothing_has_is_said(bench: Bench) -> None:
    with pytest.raises(UsageError, match="No plan of prud waits"):
        bench.says(GRACE, target="prud")


def test_a_beginning_that_several_runs_share_is_said(bench: Bench) -> None:
    bench.has(run(id="20261124-1", environment="prod"))
    bench.has(run(id="20261124-2", environment="dev"))

    with pytest.raises(UsageError, match="2 runs begin with 20261124"):
        bench.says(GRACE, target="20261124")


def test_a_yes_is_used_up_by_the_apply_that_rests_on_it(bench: Bench) -> None:
    made = bench.has(run())
    bench.says(GRACE)
    bench.store.save(replace(made, state=State.APPLYING))
    applied = replace(made, state=State.APPLIED, ended_at=bench.now + timedelta(seconds=5))
    bench.store.save(applied)
    again = bench.has(run(id="20261124-later"))
    bench.now += timedelta(seconds=10)

    given = bench.says(ADA)

    assert last_applied(bench.store, required_binding(again)) == applied.ended_at
    assert [each.approval.by for each in given.standing.passed] == [GRACE]
    assert [each.by for each in given.standing.given] == [ADA]


def test_a_run_without_a_plan_binds_to_nothing() -> None:
    with pytest.raises(StoreError, match="has no plan that could be approved"):
        required_binding(run(State.FAILED, fingerprint="", governing=None))
