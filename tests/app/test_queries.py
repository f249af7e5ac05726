"""Questions to a real store and real artifacts: what `status`, `runs`, `show` and `audit` ask."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from driftctl_py.adapters.artifacts import LocalArtifacts
from driftctl_py.adapters.store import Store, open_store
from driftctl_py.app.queries import Queries
from driftctl_py.core.approval import Approval
from driftctl_py.core.audit import Anchor, Event
from driftctl_py.core.history import Need
from driftctl_py.core.restraint import Why
from driftctl_py.core.run import Purpose, Run, State
from driftctl_py.errors import UsageError
from tests.report.run_examples import (
    APPLIED,
    BLOCKED,
    LEASE,
    NOW,
    PEOPLE,
    PINNED,
    SUSPENDED,
    bare,
    run,
    said,
)


class History:
    """A data directory with a past."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.store: Store = open_store(None, directory, now=lambda: NOW)
        self.artifacts = LocalArtifacts(directory / "artifacts")
        self.queries = Queries(self.store, self.artifacts, people=PEOPLE, clock=lambda: NOW)

    def add(
        self,
        id: str,
        state: State = State.HELD,
        environment: str = "prod",
        plan: str | None = None,
    ) -> Run:
        artifacts = {"plan.json": plan} if plan else {}
        made = run(state, id=id, environment=environment, artifacts=artifacts)
        self.store.save(made, Event("decided", NOW, "os:ada", environment, id))
        return made

    def approve(self, approval: Approval) -> None:
        """As it is given: with its entry."""
        binding = approval.binding
        evidence = {
            "approval": approval.id,
            "fingerprint": binding.fingerprint,
            "governing": binding.governing,
            "lineage": binding.lineage,
            "violations": approval.seal,
        }
        by = approval.by.text
        event = Event("approved", approval.at, by, binding.environment, approval.run, evidence)
        self.store.approve(approval, event)


@pytest.fixture
def history(tmp_path: Path) -> Iterator[History]:
    made = History(tmp_path)
    yield made
    made.store.close()


def test_the_status_joins_runs_restraints_and_leases(history: History) -> None:
    history.add("r1", State.APPLIED, "dev")
    history.add("r2", State.FAILED)
    history.add("r3")
    history.store.restrain(SUSPENDED)
    history.store.restrain(replace(BLOCKED, environment="lost"))
    history.store.take(LEASE)

    status = history.queries.status()

    dev, lost, prod = status.environments
    assert [dev.environment, lost.environment, prod.environment] == ["dev", "lost", "prod"]
    assert [dev.need, lost.need, prod.need] == [Need.NOTHING, Need.HELP, Need.YES]
    assert prod.last is not None
    assert prod.last.id == "r3"
    assert [each.why for each in prod.restraints] == [Why.SUSPENDED]
    assert prod.lease is not None
    assert (dev.lease, dev.standing, lost.last) == (None, None, None)
    assert prod.standing is not None
    assert prod.standing.missing == 1
    assert status.at == NOW


def test_a_restraint_that_is_over_holds_nobody_back(history: History) -> None:
    history.add("r1")
    over = replace(SUSPENDED, until=NOW - timedelta(seconds=1))
    history.store.restrain(over)

    (prod,) = history.queries.status().environments

    assert prod.restraints == ()
    assert history.queries.run("r1").restraints == ()


def test_a_held_plan_that_was_approved_waits_to_be_applied(history: History) -> None:
    history.add("r1")
    history.approve(said(run="r1"))

    (prod,) = history.queries.status().environments

    assert prod.need is Need.APPLY


def test_only_the_named_environments_are_asked_for(history: History) -> None:
    history.add("r1", environment="dev")
    history.add("r2")

    status = history.queries.status(["prod"])

    assert [each.environment for each in status.environments] == ["prod"]


@pytest.mark.parametrize(
    ("known", "wanted", "todo"),
    [
        (["prod", "dev"], "prdo", "Did you mean prod?"),
        (["prod", "dev"], "xyz", "Known are dev, prod."),
        ([f"e{at}" for at in range(7)], "xyz", "Known are e0, e1, e2, e3, e4, …."),
        ([], "prod", "No run is stored yet. Begin with: driftctl-py plan prod"),
    ],
)
def test_an_unknown_environment_is_told_from_those_that_are(
    history: History, known: list[str], wanted: str, todo: str
) -> None:
    for at, name in enumerate(known):
        history.add(f"r{at}", environment=name)

    for ask in (lambda: history.queries.status([wanted]), lambda: history.queries.runs(wanted)):
        with pytest.raises(UsageError, match="Nothing is stored about") as raised:
            ask()
        assert raised.value.todo == todo


def test_runs_come_the_latest_first_and_page_by_page(history: History) -> None:
    for at in range(5):
        history.add(f"r{at}", State.FAILED, "prod" if at % 2 else "dev")

    everything = [each.id for each in history.queries.runs()]
    page = history.queries.runs(limit=2)
    rest = history.queries.runs(limit=2, before=page[-1].id)

    assert everything == ["r4", "r3", "r2", "r1", "r0"]
    assert [each.id for each in (*page, *rest)] == everything[:4]
    assert [each.id for each in history.queries.runs("prod")] == ["r3", "r1"]


def test_a_run_is_found_by_the_beginning_of_its_id(history: History) -> None:
    history.add("20261124-a1")
    history.add("20261124-a1b")
    history.add("20261125-b")

    assert history.queries.find("20261125").id == "20261125-b"
    assert history.queries.find("20261124-a1").id == "20261124-a1"


def test_an_environment_is_found_by_its_name_as_its_last_run(history: History) -> None:
    history.add("r1", State.FAILED)
    history.add("r2")

    assert history.queries.find("prod").id == "r2"


def test_a_beginning_of_several_names_them(history: History) -> None:
    for at in range(7):
        history.add(f"r{at}", State.FAILED)

    with pytest.raises(UsageError, match=r"7 runs begin with 'r': r6, r5, r4, r3, r2, …") as raised:
        history.queries.run("r")
    assert raised.value.todo == "Write more of it."


@pytest.mark.parametrize("prefix", ["x", ""])
def test_no_such_run_names_the_last_ones(history: History, prefix: str) -> None:
    with pytest.raises(UsageError, match="There is no run") as raised:
        history.queries.run(prefix)
    assert raised.value.todo.startswith("No run is stored yet.")

    history.add("r1")

    with pytest.raises(UsageError) as raised:
        history.queries.run(prefix)
    assert raised.value.todo.startswith("The last ones are r1.")


def test_an_environment_that_is_misspelt_where_a_run_may_stand_is_understood(
    history: History,
) -> None:
    history.add("r1")

    with pytest.raises(UsageError, match="There is no run and no environment 'prdo'") as raised:
        history.queries.run("prdo")
    assert raised.value.todo.startswith("Did you mean prod? ")


def test_a_run_brings_its_plan_its_events_and_what_was_said_of_it(history: History) -> None:
    reference = history.artifacts.put(b'{"document": "plan"}')
    history.add("r0", State.FAILED)
    history.add("r1", plan=reference)
    history.approve(said(run="r1"))
    history.approve(said("os:eve", id="a2", run="r1"))
    history.store.restrain(PINNED)

    record = history.queries.run("r1")

    assert record.plan == b'{"document": "plan"}'
    assert [entry.event.what for entry in record.events] == ["decided", "approved", "approved"]
    assert record.standing is not None
    assert [each.by.text for each in record.standing.given] == ["github:ada"]
    assert [each.approval.by.text for each in record.standing.passed] == ["os:eve"]
    assert [each.why for each in record.restraints] == [Why.PINNED]


def test_the_run_that_put_drift_back_first_is_found(history: History) -> None:
    made = run(State.APPLIED, id="healed", purpose=Purpose.HEAL, applied=APPLIED)
    history.store.save(made)
    history.add("other", State.FAILED)

    assert history.queries.healed(run(base="healed")) == made
    for base in ("other", "nix", ""):
        assert history.queries.healed(run(base=base)) is None


def test_a_plan_that_is_gone_or_was_changed_is_said_to_be(history: History) -> None:
    reference = history.artifacts.put(b"{}")
    history.add("r1", plan=reference)
    for path in history.directory.joinpath("artifacts").rglob("*"):
        if path.is_file():
            path.chmod(0o600)
            path.write_bytes(b"{ }")

    record = history.queries.run("r1")

    assert record.plan is None
    assert record.no_plan != ""


def test_a_run_without_a_plan_has_no_standing(history: History) -> None:
    history.store.save(bare(State.FAILED, id="r1"))

    record = history.queries.run("r1")

    assert (record.plan, record.no_plan, record.standing) == (None, "", None)


def test_a_sound_trail_is_said_to_be_one_up_to_its_anchor(history: History) -> None:
    history.add("r1")
    head = history.store.head()
    assert head is not None
    history.artifacts.anchor(head)
    history.add("r2", State.FAILED)

    trail = history.queries.audit_verify()

    assert (trail.entries, trail.flaws) == (2, ())
    assert trail.anchored == head
    assert trail.head == Anchor(2, list(history.queries.audit_entries())[-1].hash)


def test_a_trail_that_was_edited_or_cut_is_found_out(history: History) -> None:
    for at in range(3):
        history.add(f"r{at}", State.FAILED)
    head = history.store.head()
    assert head is not None
    history.artifacts.anchor(head)
    history.store.close()
    with sqlite3.connect(history.directory / "store.db") as database:
        (table,) = next(
            row
            for row in database.execute("select name from sqlite_master where type = 'table'")
            if "trail" in row[0] or "entries" in row[0] or "audit" in row[0]
        )
        for (name,) in database.execute(
            "select name from sqlite_master where type = 'trigger'"
        ).fetchall():
            database.execute(f"drop trigger {name}")
        database.execute(f"delete from {table} where number = 3")
    database.close()

    again = History(history.directory)
    trail = again.queries.audit_verify()
    again.store.close()

    assert trail.entries == 2
    assert trail.flaws != ()


def test_a_row_of_an_approval_that_nobody_gave_counts_for_nothing_and_is_found_out(
    history: History,
) -> None:
    history.add("r1")
    # As whoever may write to the database could.
    history.store.approve(said(run="r1"))

    (prod,) = history.queries.status().environments
    (flaw,) = history.queries.audit_verify().flaws

    assert prod.need is Need.YES
    assert prod.standing is not None
    assert [each.why for each in prod.standing.passed] == ["the audit trail has no such entry"]
    assert "by github:ada is kept, but no entry says just that" in flaw.what


def test_a_yes_by_a_key_goes_with_the_key(history: History) -> None:
    people = replace(PEOPLE, aliases={**PEOPLE.aliases, "ada": ("key:ada",)})
    queries = Queries(history.store, history.artifacts, people=people, clock=lambda: NOW)
    history.add("r1")
    early = NOW - timedelta(hours=1)
    history.store.add_key(
        "ada", "d1", Event("key added", early, "os:ken", evidence={"name": "ada"})
    )
    history.approve(said("key:ada", run="r1"))
    assert queries.status().environments[0].need is Need.APPLY

    history.store.remove_key("ada", Event("key removed", NOW, "os:ken", evidence={"name": "ada"}))

    standing = queries.status().environments[0].standing
    assert standing is not None
    assert [each.why for each in standing.passed] == ["its key was removed"]


def test_a_run_that_is_only_being_planned_hides_nothing_of_what_is_known(history: History) -> None:
    history.add("r1", State.PARTLY_APPLIED)
    history.store.save(bare(State.PLANNING, id="r2"))
    history.store.save(bare(State.PLANNING, id="r3", environment="new"))

    new, prod = history.queries.status().environments

    assert [each.last and each.last.id for each in (new, prod)] == ["r3", "r1"]
    assert prod.need is Need.HELP
