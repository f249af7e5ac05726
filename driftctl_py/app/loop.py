"""The loop that keeps environments reconciled: each on its own interval, several at once.

Level-triggered: every pass compares all of now. A new commit only makes a pass come sooner. Two
passes are never made of one environment at once, here or elsewhere (run locks see to that), and
one environment's failure never stops another. What waits for its time has its turn when the first
thing that is in its way is over.

The package `schedule` keeps the turns. It thinks in local time without a zone, so a clock that is
set anew, in summer or by a time server, would move them; that is noticed and made good here.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from queue import Empty, SimpleQueue
from typing import Protocol, TypeVar

import schedule

from driftctl_py.app.estate import Estate
from driftctl_py.app.leases import Busy
from driftctl_py.app.order import Order
from driftctl_py.app.ports import Artifacts, Clock, Sources, Store
from driftctl_py.app.reconcile import Outcome
from driftctl_py.core.checkout import Revision
from driftctl_py.core.due import first_due
from driftctl_py.core.environment import Environment
from driftctl_py.core.restraint import EVERYWHERE, Why, frozen
from driftctl_py.core.run import Run, State
from driftctl_py.core.window import Closed, earliest_end, still_closed
from driftctl_py.errors import DriftctlError, Interrupted, Untrusted, bug

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
    def when_asked(self, tell: Callable[[], None]) -> Callable[[], None]: ...


class Watcher(Protocol):
    """Somebody who is told what comes of it. Called from several threads."""

    def ended(self, outcome: Outcome) -> None: ...
    def failed(self, environment: str, error: DriftctlError) -> None: ...
    def said(self, text: str) -> None: ...


class Passes(Protocol):
    """What makes a pass: `Reconciler`."""

    def reconcile(self, order: Order) -> Outcome: ...


Place = tuple[Environment, Revision]


@dataclass(frozen=True, slots=True)
class Seen:
    """What there is, and who makes passes over it. ``failures`` says why some was not found."""

    at: Mapping[str, Place] = field(default_factory=dict)
    failures: Mapping[str, DriftctlError] = field(default_factory=dict)
    passes: Passes | None = None


@dataclass(frozen=True, slots=True)
class News:
    """What a look changed: whose turns begin (with the first), which passes come forward, and
    what is no longer there."""

    seen: Seen
    turns: Mapping[str, datetime]
    forward: frozenset[str]
    gone: frozenset[str]


@dataclass(frozen=True, slots=True)
class _Came:
    """What came of a pass: its exit code, None when somebody else works there, and when to look
    again if that is before its turn."""

    code: int | None = 0
    again_at: datetime | None = None


class Loop:
    """Reconciles the environments of one configuration."""

    def __init__(
        self,
        estate: Estate,
        *,
        make_passes: Callable[[Sequence[Environment]], Passes],
        content_of: Callable[[Environment, Revision], object],
        sources: Sources,
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
        is_over: Callable[[], bool] = lambda: False,
    ) -> None:
        """``content_of`` says of a revision what matters to an environment, to be compared; None
        where that is not known. ``is_over``: another one is to take its place."""
        self._estate = estate
        self._content_of = content_of
        self._sources = sources
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
        self._is_over = is_over
        self._turns = schedule.Scheduler()
        self._seen = Seen()
        # Only of the thread that looks: ahead of the other by what is still on its way there.
        self._found = Seen()
        self._wake = threading.Event()
        # What other threads tell the one that keeps the turns: nothing else touches those.
        self._looked: SimpleQueue[News] = SimpleQueue()
        self._ended: SimpleQueue[tuple[str, Place | None, _Came]] = SimpleQueue()
        self._at_work: set[str] = set()
        self._again: set[str] = set()
        self._guard = threading.Lock()
        # All under the guard: what passes are at, which found their tree moving, and which of them
        # wait until somebody thaws everything.
        self._in_hand: dict[str, Place] = {}
        self._moved: set[str] = set()
        self._frozen: set[str] = set()

    def once(self) -> int:
        """One pass over every environment; the worst of their exit codes: 1 where anything
        failed, 2 where anything waits for somebody, else 0; 130 when it was stopped."""
        self._found = self._seen = self._news().seen
        with ThreadPoolExecutor(self._jobs, thread_name_prefix="reconcile") as pool:
            # Where somebody else works, nobody here knows yet what comes of it.
            codes = [2 if code is None else code for code in pool.map(self._pass, self._seen.at)]
        self._prune()
        if self._seen.failures:
            codes.append(1)
        return 130 if self._stop.please else max(codes, key=(0, 2, 1, 130).index, default=0)

    def run(self) -> None:
        """Until it is told to stop, and what was begun has ended: a plan is interrupted, an apply
        is waited for. Or until it is over; then a plan is waited for, too."""
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
            while not (self._stop.please or self._is_over()):
                try:
                    before = self._mend_step(before)
                    self._take_news(pool)
                    self._turns.run_pending()
                except Exception as error:  # noqa: BLE001 - one bad moment ends nothing
                    self._watcher.failed("", _ours(error))
                idle = self._turns.idle_seconds
                self._wake.wait(_NAP_SECONDS if idle is None else max(0.0, min(idle, _NAP_SECONDS)))
                if not self._stop.please:
                    self._wake.clear()
            pool.shutdown(wait=False, cancel_futures=True)

    def _take_news(self, pool: ThreadPoolExecutor) -> None:
        for name, place, came in _all_in(self._ended):
            self._at_work.discard(name)
            again = name in self._again
            self._again.discard(name)
            # What was asked for meanwhile was done by this very pass, if it began after that.
            if again and place != self._seen.at.get(name):
                self._begin(name, pool)
            elif came.again_at is not None:
                self._not_later(name, came.again_at)
        for news in _all_in(self._looked):
            self._seen = news.seen
            for name, due in news.turns.items():
                self._give_turn(news.seen.at[name][0], due, pool)
            for name in news.forward:
                self._begin(name, pool)
            for name in news.gone:
                self._turns.clear(name)
                self._watcher.said(f"{name}: no longer in the configuration")

    def _give_turn(self, environment: Environment, due: datetime, pool: ThreadPoolExecutor) -> None:
        name = environment.name
        self._turns.clear(name)
        turn = self._turns.every(environment.interval_seconds).seconds
        turn.do(self._begin, name, pool).tag(name).next_run = _local(due)

    def _not_later(self, name: str, at: datetime) -> None:
        for turn in self._turns.get_jobs(name):
            turn.next_run = min(turn.next_run or _local(at), _local(at))

    def _begin(self, name: str, pool: ThreadPoolExecutor) -> None:
        """Put it into the line, unless it is in it: then once more when that pass has ended."""
        if name in self._at_work:
            self._again.add(name)
            return
        self._at_work.add(name)

        def work() -> None:
            place, came = None, _Came()
            try:
                place = self._taken(name)
                came = came if place is None else self._pass_at(place)
            finally:
                with self._guard:
                    self._in_hand.pop(name, None)
                self._ended.put((name, place, came))
                self._wake.set()

        pool.submit(work)

    def _taken(self, name: str) -> Place | None:
        """Where a pass over it is made now; None when it is gone. Nobody prunes that meanwhile."""
        with self._guard:
            place = self._seen.at.get(name)
            if place is not None:
                self._in_hand[name] = place
            return place

    def _pass(self, name: str) -> int | None:
        """The exit code of a pass over it; None when somebody else works there."""
        place = self._taken(name)
        try:
            return 0 if place is None else self._pass_at(place).code
        finally:
            with self._guard:
                self._in_hand.pop(name, None)

    def _pass_at(self, place: Place) -> _Came:
        (environment, revision), passes = place, self._seen.passes
        name = environment.name
        if self._stop.please or passes is None:
            return _Came()
        try:
            outcome = passes.reconcile(Order(environment, revision, "controller", self._actor))
            if _moved_meanwhile(outcome, revision):
                with self._guard:
                    self._moved.add(name)
            self._note_freeze(outcome.run)
            self._watcher.ended(outcome)
            return _Came(exit_code(outcome), self._opens_at(outcome.run))
        except Busy as error:
            self._watcher.said(f"{name}: {error.what}")
            return _Came(None, self._clock() + timedelta(seconds=_BUSY_SECONDS))
        except Interrupted as error:
            return _Came(error.exit_code)
        except Exception as error:  # noqa: BLE001 - one environment never stops another
            self._watcher.failed(name, _ours(error))
            return _Came(1)

    def _opens_at(self, run: Run) -> datetime | None:
        """When it is worth a look again; what was over before the pass was must not be looked at
        for ever."""
        end, now = earliest_end(run.closed), self._clock()
        return end if end is None or end > now else now + timedelta(seconds=_BUSY_SECONDS)

    def _note_freeze(self, run: Run) -> None:
        """Whether its plan waits until somebody thaws everything."""
        waits = run.state.waits and any(each.by_command for each in run.closed)
        with self._guard:
            (self._frozen.add if waits else self._frozen.discard)(run.environment)

    def _thawed(self) -> set[str]:
        """Whose plans waited for a freeze that is over."""
        if not self._frozen:
            return set()
        try:
            if frozen(self._store.restraints(EVERYWHERE), self._clock()):
                return set()
        except Exception as error:  # noqa: BLE001 - the next look is another try
            self._watcher.failed("", _ours(error))
            return set()
        with self._guard:
            thawed, self._frozen = self._frozen, set()
        return thawed

    def _look_and_tell(self) -> None:
        try:
            news = self._news()
            self._found = news.seen
            self._looked.put(news)
        except Interrupted:
            return
        except Exception as error:  # noqa: BLE001 - what was not seen now is at the next look
            self._watcher.failed("", _ours(error))
        finally:
            self._wake.set()

    def _news(self) -> News:
        """Look, and compare with what was seen before. What a source that cannot be read held is
        still there, as far as anybody knows."""
        before, (found, failures) = self._found, self._look()
        for name, error in failures.items():
            self._watcher.failed(name, error)
        at = {**before.at, **found} if failures else found
        passes = before.passes
        if passes is None or at != before.at:
            # It remembers checkouts and engines, which belong to what there was.
            passes = self._make_passes([each for each, _ in at.values()])
        anew = {
            name
            for name, (environment, _) in at.items()
            if name not in before.at
            or before.at[name][0].interval_seconds != environment.interval_seconds
        }
        with self._guard:
            moved, self._moved = self._moved, set()
        thawed = self._thawed()
        forward = {
            name
            for name, place in at.items()
            if name not in anew
            and (
                name in thawed
                or (name in moved and not place[1].dirty)
                or self._matters(before.at[name], place)
            )
        }
        return News(
            Seen(at, failures, passes),
            self._first_turns([at[name][0] for name in anew]),
            frozenset(forward),
            frozenset(before.at.keys() - at.keys()),
        )

    def _look(self) -> tuple[dict[str, Place], dict[str, DriftctlError]]:
        """Ask Git what there is now, and why some of it cannot be known."""
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
        for each in failures.values():
            if isinstance(each, Interrupted):
                raise each
        return found, failures

    def _matters(self, before: Place, now: Place) -> bool:
        """Whether what changed is reason enough for a pass before its turn."""
        if before[0] != now[0] or (before[1].dirty and not now[1].dirty):
            return True
        if before[1].commit == now[1].commit:
            return False
        try:
            old, new = self._content_of(*before), self._content_of(*now)
        except Interrupted:
            raise
        except Exception as error:  # noqa: BLE001 - not known, so looked at
            self._watcher.failed(now[0].name, _ours(error))
            return True
        return old is None or old != new

    def _first_turns(self, environments: Sequence[Environment]) -> dict[str, datetime]:
        """At once where nobody knows when it was looked after last."""
        last: Mapping[str, Run] = {}
        freeze: tuple[Closed, ...] = ()
        try:
            if environments:
                last = self._store.latest()
                freeze = frozen(self._store.restraints(EVERYWHERE), self._clock())
        except Exception as error:  # noqa: BLE001 - the store may answer by then
            self._watcher.failed("", _ours(error))
        turns = {}
        for each in environments:
            ran, now = last.get(each.name), self._clock()
            due = first_due(
                each.name, each.interval_seconds, now=now, last=ran.started_at if ran else None
            )
            if ran is not None and ran.state.waits and ran.closed:
                # What it waited for may be over by now, or before its turn.
                self._note_freeze(ran)
                left = still_closed(ran.closed, freeze, now)
                due = min(due, earliest_end(left) or due) if left else now
            turns[each.name] = due
        return turns

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
        """Let go of what is older than is to be kept and of checkouts that nobody uses, but for
        what may still be needed."""
        before = self._clock() - self._retention
        for let_go in (self._prune_artifacts, self._store.forget, self._prune_checkouts):
            try:
                with suppress(Interrupted):
                    let_go(before)
            except Exception as error:  # noqa: BLE001 - the next hour is another try
                self._watcher.failed("", _ours(error))

    def _prune_artifacts(self, before: datetime) -> None:
        keep: set[str] = set()
        for run in self._runs(State.HELD, State.ALLOWED, State.APPLYING):
            keep.update(run.artifacts.values())
        for run in self._runs(State.PARTLY_APPLIED, State.UNKNOWN, State.FAILED):
            # It may be the only record of what was made.
            keep.update(
                run.artifacts[each] for each in ("errored.tfstate",) if each in run.artifacts
            )
        for restraint in self._store.restraints():
            if restraint.why is Why.BLOCKED and restraint.run:
                blocked = self._store.run(restraint.run)
                keep.update(blocked.artifacts.values() if blocked else ())
        self._artifacts.prune(before=before, keep=keep)

    def _prune_checkouts(self, _before: datetime) -> None:
        with self._guard:
            places = [*self._found.at.values(), *self._seen.at.values(), *self._in_hand.values()]
        waiting = (State.HELD, State.ALLOWED, State.PLANNING, State.APPLYING)
        commits = {run.commit for run in self._runs(*waiting)}
        commits |= {each.commit for each in self._store.restraints() if each.why is Why.PINNED}
        for name in {environment.name for environment, _ in places}:
            # Where drift is put back while a commit waits.
            last = self._store.last_converged(name)
            commits |= {last.commit} if last else set()
        in_use = {(environment.source, commit) for environment, _ in places for commit in commits}
        in_use |= {(environment.source, revision.commit) for environment, revision in places}
        self._sources.prune(in_use)

    def _runs(self, *states: State) -> Sequence[Run]:
        return self._store.runs(states=states, limit=1_000_000)


def _moved_meanwhile(outcome: Outcome, revision: Revision) -> bool:
    """Whether the tree moved while it was planned as it lies; an incomplete plan cannot be trusted
    either, but then the engine says why."""
    error = outcome.error
    return revision.in_place and isinstance(error, Untrusted) and not error.diagnostics


def exit_code(outcome: Outcome) -> int:
    """1 where it failed or nobody knows, 2 where something is left to do, else 0."""
    if outcome.error is not None:
        return outcome.error.exit_code
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
        bug(error),
        todo="Please report it. The other environments are looked after all the same.",
    )
