"""The loop that keeps environments reconciled: each on its own interval, several at once.

Level-triggered: every pass compares all of now. A new commit only makes a pass come sooner. Two
passes are never made of one environment at once, here or elsewhere (run locks see to that), and
one environment's failure never stops another.

The package `schedule` keeps the turns. It thinks in local time without a zone, so a clock that is
set anew, in summer or by a time server, would move them; that is noticed and made good here.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime, timedelta
from queue import Empty, SimpleQueue
from typing import Protocol, TypeVar

import schedule

from driftctl_py.app.estate import Estate
from driftctl_py.app.leases import Busy
from driftctl_py.app.order import Order
from driftctl_py.app.ports import Artifacts, Clock, Store
from driftctl_py.app.reconcile import Outcome
from driftctl_py.core.checkout import Revision
from driftctl_py.core.due import first_due
from driftctl_py.core.environment import Environment
from driftctl_py.core.run import State
from driftctl_py.errors import DriftctlError, Interrupted

T = TypeVar("T")

# How soon an environment at which somebody else works is tried again.
_BUSY_SECONDS = 30
# A clock that runs away from one that cannot be set was set.
_STEP_SECONDS = 2.0
_NAP_SECONDS = 1.0


class Stop(Protocol):
    """A wish to stop."""

    @property
    def please(self) -> bool: ...
    def when_asked(self, tell: Callable[[], None]) -> None: ...


class Watcher(Protocol):
    """Somebody who is told what comes of it. Called from several threads."""

    def ended(self, outcome: Outcome) -> None: ...
    def failed(self, environment: str, error: DriftctlError) -> None: ...
    def said(self, text: str) -> None: ...


class Passes(Protocol):
    """What makes a pass: `Reconciler`."""

    def reconcile(self, order: Order) -> Outcome: ...


@dataclass(frozen=True, slots=True)
class Seen:
    """What a look at Git found: environments with their revisions, and why others have none."""

    at: Mapping[str, tuple[Environment, Revision]]
    failures: Mapping[str, DriftctlError]
    whole: bool
    """Whether every source could be read: only then is what is missing really gone."""


class Loop:
    """Reconciles the environments of one configuration."""

    def __init__(
        self,
        estate: Estate,
        *,
        make_passes: Callable[[Sequence[Environment]], Passes],
        store: Store,
        artifacts: Artifacts,
        jobs: int,
        sync_seconds: int,
        retention_seconds: int,
        actor: str,
        stop: Stop,
        clock: Clock,
        monotonic: Callable[[], float],
        watcher: Watcher,
    ) -> None:
        self._estate = estate
        self._make_passes = make_passes
        self._store = store
        self._artifacts = artifacts
        self._jobs = jobs
        self._sync_seconds = sync_seconds
        self._retention = timedelta(seconds=retention_seconds)
        self._actor = actor
        self._stop = stop
        self._clock = clock
        self._monotonic = monotonic
        self._watcher = watcher
        self._turns = schedule.Scheduler()
        self._seen = Seen({}, {}, whole=False)
        self._passes: Passes | None = None
        self._wake = threading.Event()
        # What other threads tell the one that keeps the turns: nothing else touches those.
        self._looked: SimpleQueue[Seen] = SimpleQueue()
        self._ended: SimpleQueue[tuple[str, bool]] = SimpleQueue()
        self._at_work: set[str] = set()
        self._again: set[str] = set()

    def once(self) -> int:
        """One pass over every environment; the worst of their exit codes: 1 where anything
        failed, 2 where anything waits for somebody, else 0; 130 when it was stopped."""
        self._take(self._look())
        with ThreadPoolExecutor(self._jobs, thread_name_prefix="reconcile") as pool:
            # Where somebody else works, nobody here knows yet what comes of it.
            codes = [2 if code is None else code for code in pool.map(self._pass, self._seen.at)]
        self._prune()
        if self._seen.failures:
            codes.append(1)
        return 130 if self._stop.please else max(codes, key=(0, 2, 1).index, default=0)

    def run(self) -> None:
        """Until it is told to stop, and what was begun has ended: a plan is interrupted, an apply
        is waited for."""
        self._stop.when_asked(self._wake.set)
        with (
            ThreadPoolExecutor(self._jobs, thread_name_prefix="reconcile") as pool,
            ThreadPoolExecutor(1, thread_name_prefix="sync") as aside,
        ):
            looking: list[Future[None]] = []

            def look_aside() -> None:
                if all(each.done() for each in looking):
                    looking[:] = [aside.submit(self._look_and_tell)]

            self._turns.every(self._sync_seconds).seconds.do(look_aside)
            self._turns.every().hour.do(lambda: aside.submit(self._prune) and None)
            look_aside()
            before = self._clocks()
            while not self._stop.please:
                before = self._mend_step(before)
                self._take_news(pool)
                self._turns.run_pending()
                idle = self._turns.idle_seconds
                self._wake.wait(_NAP_SECONDS if idle is None else max(0.0, min(idle, _NAP_SECONDS)))
                if not self._stop.please:
                    self._wake.clear()
            pool.shutdown(wait=False, cancel_futures=True)

    def _take_news(self, pool: ThreadPoolExecutor) -> None:
        for name, busy in _all_in(self._ended):
            self._at_work.discard(name)
            if name in self._again:
                self._again.discard(name)
                self._begin(name, pool)
            elif busy:
                self._soon(name)
        for seen in _all_in(self._looked):
            before = self._seen
            self._take(seen)
            for name, (environment, revision) in self._seen.at.items():
                known = before.at.get(name)
                if known is None or known[0].interval_seconds != environment.interval_seconds:
                    self._give_turn(environment, pool)
                elif known[1].commit != revision.commit or known[0] != environment:
                    self._begin(name, pool)
            for name in before.at.keys() - self._seen.at.keys():
                self._turns.clear(name)
                self._watcher.said(f"{name}: no longer in the configuration")

    def _give_turn(self, environment: Environment, pool: ThreadPoolExecutor) -> None:
        name, seconds = environment.name, environment.interval_seconds
        self._turns.clear(name)
        turn = self._turns.every(seconds).seconds.do(self._begin, name, pool).tag(name)
        last = self._store.runs(environment=name, limit=1)
        due = first_due(name, seconds, now=self._clock(), last=last[0].started_at if last else None)
        turn.next_run = _local(due)

    def _soon(self, name: str) -> None:
        for turn in self._turns.get_jobs(name):
            soon = _local(self._clock() + timedelta(seconds=_BUSY_SECONDS))
            turn.next_run = min(turn.next_run or soon, soon)

    def _begin(self, name: str, pool: ThreadPoolExecutor) -> None:
        """Put it into the line, unless it is in it: then once more when that pass has ended."""
        if name in self._at_work:
            self._again.add(name)
            return
        self._at_work.add(name)

        def work() -> None:
            busy = False
            try:
                busy = self._pass(name) is None
            finally:
                self._ended.put((name, busy))
                self._wake.set()

        pool.submit(work)

    def _pass(self, name: str) -> int | None:
        """The exit code of a pass over it; None when somebody else works there."""
        if self._stop.please or name not in self._seen.at or self._passes is None:
            return 0
        environment, revision = self._seen.at[name]
        try:
            outcome = self._passes.reconcile(
                Order(environment, revision, "controller", self._actor)
            )
        except Busy as error:
            self._watcher.said(f"{name}: {error.what}")
            return None
        except Interrupted:
            return 0
        except Exception as error:  # noqa: BLE001 - one environment never stops another
            self._watcher.failed(name, _ours(error))
            return 1
        self._watcher.ended(outcome)
        return exit_code(outcome)

    def _look_and_tell(self) -> None:
        try:
            self._looked.put(self._look())
        except Interrupted:
            return
        except DriftctlError as error:
            self._watcher.failed("", error)
        finally:
            self._wake.set()

    def _look(self) -> Seen:
        """Ask Git what there is now."""
        synced = self._estate.sync()
        failures = dict(synced.failures)
        environments, _ = self._estate.expand(synced)
        revisions = self._estate.revisions(synced)
        found = {}
        for environment in environments:
            try:
                found[environment.name] = (environment, revisions.of(environment))
            except DriftctlError as error:
                failures[environment.name] = error
        return Seen(found, failures, whole=not failures)

    def _take(self, seen: Seen) -> None:
        """From now on this is what there is. What a source that cannot be read held before is
        still there, as far as anybody knows."""
        for name, error in seen.failures.items():
            self._watcher.failed(name, error)
        if not seen.whole:
            seen = Seen({**self._seen.at, **seen.at}, seen.failures, whole=False)
        if self._passes is None or seen.at != self._seen.at:
            # It remembers checkouts and engines, which belong to what there was.
            self._passes = self._make_passes([each for each, _ in seen.at.values()])
        self._seen = seen

    def _clocks(self) -> tuple[datetime, float]:
        return _local(self._clock()), self._monotonic()

    def _mend_step(self, before: tuple[datetime, float]) -> tuple[datetime, float]:
        """Move all turns as the clock was moved."""
        now = self._clocks()
        step = (now[0] - before[0]).total_seconds() - (now[1] - before[1])
        if abs(step) > _STEP_SECONDS:
            for turn in self._turns.get_jobs():
                if turn.next_run is not None:
                    turn.next_run += timedelta(seconds=step)
        return now

    def _prune(self) -> None:
        """Let go of evidence that is older than is to be kept, but for what may still be used."""
        waiting = self._store.runs(
            states=(State.HELD, State.ALLOWED, State.APPLYING), limit=1_000_000
        )
        keep = {reference for run in waiting for reference in run.artifacts.values()}
        before = self._clock() - self._retention
        try:
            self._artifacts.prune(before=before, keep=keep)
            self._store.forget(before)
        except DriftctlError as error:
            self._watcher.failed("", error)


def exit_code(outcome: Outcome) -> int:
    """1 where it failed or nobody knows, 2 where something is left to do, else 0."""
    match outcome.run.state:
        case State.IN_SYNC | State.APPLIED | State.SUPERSEDED:
            return 0
        case (
            State.ALLOWED
            | State.HELD
            | State.NOT_CONVERGED
            | State.STALE
            | State.REJECTED
            | State.PLANNING
            | State.APPLYING
        ):
            return 2
        case _:
            return 1


def _all_in(queue: SimpleQueue[T]) -> Iterator[T]:
    while True:
        try:
            yield queue.get_nowait()
        except Empty:
            return


def _local(moment: datetime) -> datetime:
    """As `schedule` has it: by the clock on the wall, without saying where that hangs."""
    return moment.astimezone().replace(tzinfo=None)


def _ours(error: Exception) -> DriftctlError:
    if isinstance(error, DriftctlError):
        return error
    return DriftctlError(
        f"{type(error).__name__}: {error}. This is a bug in driftctl_py.",
        todo="Please report it. The other environments are looked after all the same.",
    )
