"""The loop with Git and passes faked: who gets a turn, when, and what stops whom."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from driftctl_py.adapters.artifacts import LocalArtifacts
from driftctl_py.adapters.stop import Stop
from driftctl_py.adapters.store import Store, open_store
from driftctl_py.app.estate import Estate
from driftctl_py.app.leases import Busy
from driftctl_py.app.loop import Loop, Passes, _Came
from driftctl_py.app.order import Order
from driftctl_py.app.reconcile import Outcome
from driftctl_py.core.checkout import Revision
from driftctl_py.core.config import decode_config
from driftctl_py.core.environment import Environment
from driftctl_py.core.lease import Lease
from driftctl_py.core.restraint import EVERYWHERE, Restraint, Why
from driftctl_py.core.run import Purpose, Run, State
from driftctl_py.core.window import Closed
from driftctl_py.errors import DriftctlError, SourceError, Unavailable, Untrusted
from tests.app.fakes import FakeSources

CONFIG = b"""\
version: 1
defaults:
  interval: 1h
environments:
  - environments/*
"""
FILES = frozenset({"environments/dev/main.tf", "environments/prod/main.tf"})


def now() -> datetime:
    return datetime.now(UTC)


class Fake:
    """Passes: each does what ``does`` says of its environment, and ends in ``state``."""

    def __init__(self) -> None:
        self.made: list[Order] = []
        self.state: dict[str, State] = {}
        self.error: dict[str, DriftctlError] = {}
        self.closed: dict[str, tuple[Closed, ...]] = {}
        self.does: dict[str, Callable[[], object]] = {}
        self.at_once: Counter[str] = Counter()
        self.most: Counter[str] = Counter()
        self.guard = threading.Lock()

    def reconcile(self, order: Order) -> Outcome:
        name = order.environment.name
        with self.guard:
            self.made.append(order)
            self.at_once[name] += 1
            self.most[name] = max(self.most[name], self.at_once[name])
        try:
            self.does.get(name, lambda: None)()
        finally:
            with self.guard:
                self.at_once[name] -= 1
        state = self.state.get(name, State.IN_SYNC)
        run = Run("1", name, state, Purpose.RECONCILE, now(), "controller", "os:ada", "ada:1")
        run = replace(run, closed=self.closed.get(name, ()))
        return Outcome(run, error=self.error.get(name))

    def count(self, name: str) -> int:
        with self.guard:
            return sum(order.environment.name == name for order in self.made)


class Watch:
    def __init__(self) -> None:
        self.outcomes: list[Outcome] = []
        self.errors: list[tuple[str, DriftctlError]] = []
        self.lines: list[str] = []

    def ended(self, outcome: Outcome) -> None:
        self.outcomes.append(outcome)

    def failed(self, environment: str, error: DriftctlError) -> None:
        self.errors.append((environment, error))

    def said(self, text: str) -> None:
        self.lines.append(text)


class Bench:
    def __init__(self, data: Path, store: Store, config: bytes = CONFIG) -> None:
        self.sources = FakeSources({"default": FILES})
        self.passes = Fake()
        self.watch = Watch()
        self.stop = Stop()
        self.is_over = False
        self.step = timedelta(0)
        self.made_for: list[list[str]] = []
        self.fails_to_make: DriftctlError | None = None
        self.content: Callable[[Environment, Revision], object] = lambda _, revision: (
            revision.commit
        )
        decoded = decode_config(config, filename="driftctl.yaml")
        self.loop = Loop(
            Estate(decoded, sources=self.sources, jobs=2, stop=self.stop),
            make_passes=self.make_passes,
            content_of=self.content_of,
            sources=self.sources,
            store=store,
            artifacts=LocalArtifacts(data / "artifacts"),
            jobs=2,
            sync_seconds=1,
            retention_seconds=3600,
            actor="os:ada",
            stop=self.stop,
            clock=lambda: now() + self.step,
            monotonic=time.monotonic,
            watcher=self.watch,
            is_over=lambda: self.is_over,
        )

    def content_of(self, environment: Environment, revision: Revision) -> object:
        return self.content(environment, revision)

    def make_passes(self, environments: Sequence[Environment]) -> Passes:
        if self.fails_to_make is not None:
            raise self.fails_to_make
        self.made_for.append([each.name for each in environments])
        return self.passes

    def runs_until(self, condition: Callable[[], object], seconds: float = 20.0) -> bool:
        """Whether it came true while the loop ran; the loop has ended then."""
        thread = threading.Thread(target=self.loop.run)
        thread.start()
        deadline = time.monotonic() + seconds
        while not condition() and time.monotonic() < deadline:
            time.sleep(0.01)
        came = bool(condition())
        self.stop.ask()
        thread.join(20)
        assert not thread.is_alive()
        return came


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = open_store(None, tmp_path / "data", now=now)
    yield opened
    opened.close()


@pytest.fixture
def bench(tmp_path: Path, store: Store) -> Bench:
    return Bench(tmp_path, store)


def test_each_environment_gets_one_pass(bench: Bench) -> None:
    code = bench.loop.once()

    assert code == 0
    assert sorted(order.environment.name for order in bench.passes.made) == ["dev", "prod"]
    assert {order.actor for order in bench.passes.made} == {"os:ada"}


@pytest.mark.parametrize(
    ("state", "code"),
    [
        (State.APPLIED, 0),
        (State.HELD, 2),
        (State.NOT_CONVERGED, 2),
        (State.REFUSED, 1),
        (State.FAILED, 1),
        (State.UNVERIFIED, 1),
        (State.PARTLY_APPLIED, 1),
        (State.UNKNOWN, 1),
    ],
)
def test_one_pass_ends_as_its_worst_environment(bench: Bench, state: State, code: int) -> None:
    bench.passes.state = {"prod": state}

    assert bench.loop.once() == code


def test_a_failure_of_any_kind_never_stops_another(bench: Bench) -> None:
    def fail() -> None:
        raise ZeroDivisionError("a bug")

    bench.passes.does["dev"] = fail

    code = bench.loop.once()

    assert code == 1
    assert bench.passes.count("prod") == 1
    ((name, error),) = bench.watch.errors
    assert name == "dev"
    assert "This is a bug in driftctl_py" in error.what


def test_where_somebody_else_works_is_no_failure(bench: Bench) -> None:
    def busy() -> None:
        raise Busy(Lease("dev", "1", "grace:2", now(), now()))

    bench.passes.does["dev"] = busy

    assert bench.loop.once() == 2
    assert "grace:2" in bench.watch.lines[0]


def test_a_source_that_cannot_be_read_is_a_failure(bench: Bench) -> None:
    bench.sources.trees["default"] = SourceError("It is gone.")

    assert bench.loop.once() == 1
    assert bench.watch.errors[0][0] == "default"


def test_a_wish_to_stop_begins_nothing_more(bench: Bench) -> None:
    bench.passes.does["dev"] = bench.stop.ask
    bench.passes.does["prod"] = bench.stop.ask
    one = replace_jobs(bench)

    assert one.once() == 130
    assert len(bench.passes.made) == 1


def replace_jobs(bench: Bench) -> Loop:
    bench.loop._jobs = 1
    return bench.loop


def test_the_loop_gives_everyone_a_first_turn(bench: Bench) -> None:
    assert bench.runs_until(lambda: bench.passes.count("dev") and bench.passes.count("prod"))


def test_turns_come_again_and_again(tmp_path: Path, store: Store) -> None:
    bench = Bench(tmp_path, store, CONFIG.replace(b"1h", b"1s"))

    assert bench.runs_until(lambda: bench.passes.count("prod") >= 3)
    assert bench.passes.most["prod"] == 1


def test_a_new_commit_brings_the_pass_forward(bench: Bench) -> None:
    def pushed() -> bool:
        if bench.passes.count("prod") == 1:
            bench.sources.commit = "b" * 40
        return bench.passes.count("prod") == 2

    assert bench.runs_until(pushed)
    assert bench.passes.made[-1].revision.commit == "b" * 40


def test_a_commit_that_comes_during_a_pass_is_looked_at_after_it(bench: Bench) -> None:
    began = threading.Event()

    def slow() -> None:
        if not began.is_set():
            began.set()
            bench.sources.commit = "c" * 40
            time.sleep(2.5)

    bench.passes.does["prod"] = slow

    assert bench.runs_until(lambda: bench.passes.count("prod") == 2)
    assert bench.passes.most["prod"] == 1
    assert bench.passes.made[-1].revision.commit == "c" * 40


def test_an_environment_that_is_gone_gets_no_more_turns(tmp_path: Path, store: Store) -> None:
    bench = Bench(tmp_path, store, CONFIG.replace(b"1h", b"1s"))

    def gone() -> bool:
        if bench.passes.count("prod"):
            bench.sources.trees["default"] = frozenset({"environments/dev/main.tf"})
        return any("prod: no longer" in line for line in bench.watch.lines)

    assert bench.runs_until(gone)
    assert bench.made_for[-1] == ["dev"]


def test_what_a_lost_source_held_is_still_looked_after(tmp_path: Path, store: Store) -> None:
    bench = Bench(tmp_path, store, CONFIG.replace(b"1h", b"1s"))

    def lost() -> bool:
        if bench.passes.count("prod") == 1:
            bench.sources.trees["default"] = SourceError("It is gone for a while.")
        return bool(bench.watch.errors) and bench.passes.count("prod") >= 3

    assert bench.runs_until(lost)


def test_a_clock_that_is_set_back_delays_no_turn(tmp_path: Path, store: Store) -> None:
    bench = Bench(tmp_path, store, CONFIG.replace(b"1h", b"1s"))
    loop = bench.loop
    loop._turns.every(10).seconds.do(lambda: None)
    (turn,) = loop._turns.get_jobs()
    before = turn.next_run
    clocks = loop._clocks()
    bench.step = timedelta(hours=-1)

    loop._mend_step(clocks)

    assert before is not None
    assert turn.next_run is not None
    assert abs((turn.next_run - before).total_seconds() + 3600) < 1


def test_evidence_that_nobody_needs_any_more_is_let_go(
    tmp_path: Path, store: Store, bench: Bench
) -> None:
    artifacts = LocalArtifacts(tmp_path / "artifacts")
    old, kept = artifacts.put(b"old"), artifacts.put(b"waits")
    run = Run("1", "prod", State.PLANNING, Purpose.RECONCILE, now(), "plan", "os:ada", "ada:1")
    store.save(run)
    store.save(replace(run, state=State.HELD, artifacts={"plan": kept}))
    bench.step = timedelta(hours=2)

    bench.loop.once()

    assert artifacts.get(kept) == b"waits"
    with pytest.raises(DriftctlError):
        artifacts.get(old)


def test_a_store_that_does_not_answer_makes_everyone_due_now(
    bench: Bench, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    def unavailable() -> None:
        raise Unavailable("The store did not answer.")

    monkeypatch.setattr(store, "latest", unavailable)

    assert bench.runs_until(lambda: bench.passes.count("dev") and bench.passes.count("prod"))
    assert [error.what for _, error in bench.watch.errors] == ["The store did not answer."]


def test_passes_that_cannot_be_made_now_are_made_at_the_next_look(bench: Bench) -> None:
    bench.fails_to_make = Unavailable("No engine answers.")

    def mended() -> bool:
        if bench.watch.errors:
            bench.fails_to_make = None
        return bool(bench.passes.count("prod"))

    assert bench.runs_until(mended)
    assert bench.watch.errors[0][1].what == "No engine answers."


def test_a_bug_in_a_look_does_not_end_all_looks(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, calls = bench.sources.files, []

    def files(*arguments: object) -> frozenset[str]:
        calls.append(arguments)
        if len(calls) == 1:
            raise ZeroDivisionError("a bug")
        return real(*arguments)  # type: ignore[arg-type]  # whatever it was given

    monkeypatch.setattr(bench.sources, "files", files)

    assert bench.runs_until(lambda: bench.passes.count("prod"))
    assert "This is a bug" in bench.watch.errors[0][1].what


def test_a_bug_where_turns_are_kept_ends_nothing(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, calls = bench.loop._mend_step, []

    def mend(before: tuple[datetime, float]) -> tuple[datetime, float]:
        calls.append(before)
        if len(calls) == 1:
            raise ZeroDivisionError("a bug")
        return real(before)

    monkeypatch.setattr(bench.loop, "_mend_step", mend)

    assert bench.runs_until(lambda: bench.passes.count("prod"))
    assert bench.watch.errors


def test_a_commit_that_changes_nothing_of_it_waits_for_its_turn(bench: Bench) -> None:
    bench.content = lambda environment, revision: (
        "same" if environment.name == "dev" else revision.commit
    )

    def pushed() -> bool:
        if bench.passes.count("prod") == 1 and bench.passes.count("dev") == 1:
            bench.sources.commit = "b" * 40
        return bench.passes.count("prod") == 2

    assert bench.runs_until(pushed)
    assert bench.passes.count("dev") == 1
    assert bench.loop._seen.at["dev"][1].commit == "b" * 40


def test_a_tree_that_moved_during_a_pass_is_planned_again(bench: Bench) -> None:
    bench.sources.in_place = True
    bench.passes.state["prod"] = State.UNKNOWN
    bench.passes.error["prod"] = Untrusted("The working tree changed while it was planned.")

    assert bench.runs_until(lambda: bench.passes.count("prod") >= 2)
    assert bench.passes.count("dev") == 1


def test_an_error_of_a_pass_is_an_exit_code(bench: Bench) -> None:
    bench.passes.state["prod"] = State.HELD
    bench.passes.error["prod"] = SourceError("It is gone.")

    assert bench.loop.once() == 1


def test_checkouts_that_may_still_be_needed_are_kept(bench: Bench, store: Store) -> None:
    run = Run("1", "prod", State.PLANNING, Purpose.RECONCILE, now(), "plan", "os:ada", "ada:1")
    store.save(replace(run, commit="d" * 40))
    store.save(replace(run, commit="d" * 40, state=State.HELD))
    pin = Restraint("dev", Why.PINNED, "Rolled back.", "os:ada", now(), commit="e" * 40)
    store.restrain(pin)

    bench.loop.once()

    (kept,) = bench.sources.pruned
    commits = {bench.sources.commit, "d" * 40, "e" * 40}
    assert set(kept) == {("default", commit) for commit in commits}


def test_lost_states_and_what_blocked_an_environment_outlive_retention(
    tmp_path: Path, store: Store, bench: Bench
) -> None:
    artifacts = LocalArtifacts(tmp_path / "artifacts")
    lost, plan, old = (artifacts.put(each) for each in (b"lost", b"plan", b"old"))
    for number, found in (("1", {"errored.tfstate": lost, "x": old}), ("2", {"plan.json": plan})):
        run = Run(number, "prod", State.PLANNING, Purpose.RECONCILE, now(), "x", "os:ada", "ada:1")
        store.save(run)
        store.save(replace(run, state=State.PARTLY_APPLIED, artifacts=found))
    store.restrain(Restraint("prod", Why.BLOCKED, "Lost.", "os:ada", now(), run="2"))
    bench.step = timedelta(hours=2)

    bench.loop.once()

    assert (artifacts.get(lost), artifacts.get(plan)) == (b"lost", b"plan")
    with pytest.raises(DriftctlError):
        artifacts.get(old)


def test_a_pass_that_already_saw_the_commit_is_not_made_again(bench: Bench) -> None:
    loop = bench.loop
    loop._found = loop._seen = loop._news().seen
    place = loop._seen.at["prod"]
    loop._at_work, loop._again = {"prod"}, {"prod"}
    loop._ended.put(("prod", place, _Came()))

    with ThreadPoolExecutor(1) as pool:
        loop._take_news(pool)

    assert bench.passes.count("prod") == 0


def test_what_waits_for_its_time_has_its_turn_when_the_first_thing_is_over(bench: Bench) -> None:
    """The interval is an hour."""
    soon = now() + timedelta(seconds=1)
    bench.passes.state["prod"] = State.HELD
    bench.passes.closed["prod"] = (Closed("A window.", soon + timedelta(hours=2)),)
    bench.passes.closed["prod"] += (Closed("Another one.", soon), Closed("No end."))

    assert bench.runs_until(lambda: bench.passes.count("prod") == 2)
    assert now() >= soon
    assert bench.passes.count("dev") == 1
    # Another pass that finds the same is no reason for one more at once.
    (turn,) = bench.loop._turns.get_jobs("prod")
    assert turn.next_run is not None
    assert turn.next_run > datetime.now() + timedelta(seconds=20)


def test_what_waits_for_longer_than_its_interval_has_its_turn_as_ever(bench: Bench) -> None:
    loop = bench.loop
    loop._found = loop._seen = loop._news().seen
    with ThreadPoolExecutor(1) as pool:
        environment = loop._seen.at["prod"][0]
        loop._give_turn(environment, now() + timedelta(hours=1), pool)
        (turn,) = loop._turns.get_jobs("prod")
        before = turn.next_run
        loop._at_work = {"prod"}
        loop._ended.put(("prod", None, _Came(2, now() + timedelta(hours=3))))

        loop._take_news(pool)

    assert turn.next_run == before


def frozen_by(by: str = "os:ada") -> Restraint:
    return Restraint(EVERYWHERE, Why.FROZEN, "The year ends.", by, now())


def test_when_somebody_thaws_what_waited_for_that_is_looked_at(bench: Bench, store: Store) -> None:
    store.restrain(frozen_by())
    bench.passes.state = {"prod": State.HELD, "dev": State.HELD}
    bench.passes.closed = {"prod": (Closed("Frozen.", by_command=True),), "dev": (Closed("No."),)}
    began = time.monotonic()

    def thawed() -> bool:
        # Some looks later: as long as it is frozen, nothing comes forward.
        if bench.passes.count("prod") == 1 and time.monotonic() > began + 1.5:
            bench.passes.closed = {}
            store.lift(EVERYWHERE, Why.FROZEN)
        return bench.passes.count("prod") > 1

    assert bench.runs_until(thawed)
    assert time.monotonic() > began + 1.5
    assert bench.passes.count("dev") == 1
    assert not bench.loop._frozen


def test_whether_it_is_thawed_is_asked_again_when_the_store_did_not_answer(
    bench: Bench, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    loop = bench.loop
    loop._found = loop._news().seen
    loop._frozen = {"prod"}

    def unavailable(*_: object) -> None:
        raise Unavailable("The store did not answer.")

    with monkeypatch.context() as patch:
        patch.setattr(store, "restraints", unavailable)
        first = loop._news().forward
    second = loop._news().forward

    assert not first
    assert second == {"prod"}
    assert [error.what for _, error in bench.watch.errors] == ["The store did not answer."]


@pytest.mark.parametrize(
    ("closed", "frozen", "due_in"),
    [
        # What it waited for is over, and may have been for hours.
        ((Closed("A window.", datetime(2026, 1, 1, tzinfo=UTC)),), False, 0),
        ((Closed("Frozen.", by_command=True),), False, 0),
        # It is over before its turn would come.
        ((Closed("A window.", datetime(2100, 1, 1, 0, 0, 30, tzinfo=UTC)),), False, 30),
        # Nobody knows when.
        ((Closed("Frozen.", by_command=True),), True, None),
        ((Closed("A window that never comes."),), False, None),
    ],
)
def test_a_controller_that_is_started_anew_knows_what_waits_for_its_time(
    bench: Bench, store: Store, closed: tuple[Closed, ...], frozen: bool, due_in: int | None
) -> None:
    new_year = datetime(2100, 1, 1, tzinfo=UTC)
    run = Run("1", "prod", State.PLANNING, Purpose.RECONCILE, new_year, "plan", "os:ada", "ada:1")
    store.save(run)
    store.save(replace(run, state=State.HELD, closed=closed))
    if frozen:
        store.restrain(frozen_by())
    bench.loop._clock = lambda: new_year

    due = bench.loop._news().turns["prod"]

    if due_in is None:
        assert timedelta(minutes=1) < due - new_year <= timedelta(hours=1)
    else:
        assert due == new_year + timedelta(seconds=due_in)
    assert bench.loop._frozen == ({"prod"} if closed[0].by_command else set())


def test_who_needs_not_be_told_any_more_takes_that_back() -> None:
    stop, told = Stop(), []
    stop.when_asked(lambda: told.append("kept"))
    forget = stop.when_asked(lambda: told.append("taken back"))

    forget()
    stop.ask()

    assert told == ["kept"]


def test_a_loop_that_is_over_ends_by_itself_when_what_it_began_has(bench: Bench) -> None:
    begun, go_on = threading.Event(), threading.Event()

    def wait() -> None:
        begun.set()
        go_on.wait(20)

    bench.passes.does["dev"] = wait
    thread = threading.Thread(target=bench.loop.run)
    thread.start()
    began = begun.wait(20)
    bench.is_over = True
    thread.join(0.2)
    waited = thread.is_alive()
    go_on.set()
    thread.join(20)

    assert began
    assert waited
    assert not thread.is_alive()
    assert not bench.stop.please
    assert bench.passes.at_once["dev"] == 0
