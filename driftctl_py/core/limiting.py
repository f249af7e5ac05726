"""What the limits of an environment say, of what was applied there before.

Facts come in as runs, entries of the trail and a moment. Nothing here asks for them: that is
`app/limits.py`. How much may go on is in `limits`, what follows from it in `decision`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from driftctl_py.core.approval import moment
from driftctl_py.core.audit import Entry, Event
from driftctl_py.core.decision import (
    Cause,
    Judged,
    Judgement,
    Level,
    Ruling,
    Rulings,
    judge_again,
)
from driftctl_py.core.environment import Environment
from driftctl_py.core.limits import APPLIES, HEALS, Limits, rule_of
from driftctl_py.core.plan import Kind
from driftctl_py.core.run import Purpose, Run, State

DAY = timedelta(hours=24)

CHANGED = frozenset(
    {State.APPLIED, State.UNVERIFIED, State.NOT_CONVERGED, State.PARTLY_APPLIED},
)
"""What a run is whose apply changed something, as far as anybody knows."""

ROW = frozenset({State.APPLIED, State.NOT_CONVERGED, State.PARTLY_APPLIED, State.FAILED})
"""What a run may be that begins a row of failures, or goes on with one."""

_NAMED_AT_MOST = 5
_UPDATE = Kind.UPDATE.value
# What is said of a change whose attributes are not named. All other words are an attribute's path.
_WHOLE = frozenset(each.value for each in Kind) - {_UPDATE}
_PUT_BACK = frozenset({Cause.DRIFT, Cause.BOTH})


# --- Applies in a row that failed.


def failed_in_a_row(applies: Iterable[Run], lifted: Event | None) -> tuple[Run, ...]:
    """Those applies, the latest first, that failed or did not converge since the last one that
    went well, and since the block that a person ``lifted``."""
    found = []
    for run in sorted(applies, key=_ended, reverse=True):
        if run.state is State.APPLIED or _is_over(run, lifted):
            break
        if counts_as_failed(run):
            found.append(run)
    return tuple(found)


def counts_as_failed(run: Run) -> bool:
    """Did an apply of it go wrong? Not of one that no engine was started for, nor of a plan that
    failed. An apply that nobody could verify is neither good nor bad: it neither counts nor lets
    the count begin anew. One of which nobody knows how it ended blocks by itself, at once."""
    if run.state is State.FAILED:
        return run.applied is not None
    return run.state in (State.NOT_CONVERGED, State.PARTLY_APPLIED)


def last_lifted(entries: Iterable[Entry], environment: str) -> Event | None:
    """The block of an environment that was lifted last, as the trail has it; None where none was.
    By the order of the trail, since the clocks of a worker and of a person's machine differ."""
    blocked: Event | None = None
    lifted: Event | None = None
    for event in (entry.event for entry in entries):
        if event.environment != environment:
            continue
        if event.what == "blocked":
            blocked = event
        elif event.what == "unblocked":
            lifted = blocked
    return lifted


def _is_over(run: Run, lifted: Event | None) -> bool:
    # Between a block and its end nothing is applied.
    return lifted is not None and (run.id == lifted.run or _ended(run) <= lifted.at)


def why_blocked(row: Sequence[Run], limits: Limits) -> str:
    """Why an environment is blocked after this row of failures, as a sentence; empty: it is not."""
    if not limits.failures or len(row) < limits.failures:
        return ""
    named = ", ".join(run.id for run in row[:_NAMED_AT_MOST])
    more = f" and {len(row) - _NAMED_AT_MOST} more" if len(row) > _NAMED_AT_MOST else ""
    applies, runs = ("applies", "runs") if len(row) > 1 else ("apply", "run")
    return (
        f"{len(row)} {applies} in a row failed or did not converge ({runs} {named}{more}), and "
        f"limits.failures is {limits.failures}."
    )


# --- What is applied without asking.


@dataclass(frozen=True, slots=True)
class Question:
    """A plan that is to be judged. ``judgement`` is the one without rules, ``rulings`` what was
    said of it so far. ``instead`` is what to do where nobody could ever say yes."""

    environment: Environment
    judgement: Judgement
    rulings: Rulings
    purpose: Purpose
    now: datetime
    instead: str = ""

    @property
    def needs_history(self) -> bool:
        """Whether it matters what was applied before."""
        limits = self.environment.limits
        heals = limits.heals_per_day and any(map(_is_put_back, self.judgement.changes))
        # What only writes down what is there, as somebody asked for, is never too much.
        counts = self.purpose is not Purpose.ACCEPT
        return counts and bool(limits.applies_per_day or heals) and self.asks_nobody

    @property
    def asks_nobody(self) -> bool:
        """Whether it would be applied without asking, by what was said so far."""
        judged = judge_again(self.judgement, self.environment.apply, self.rulings)
        return not self.rulings.broken and judged.level <= Level.WARN


def limited(question: Question, applies: Iterable[Run]) -> Rulings:
    """What was said so far, and what the limits add to it: a yes is needed where too much was
    applied already. ``applies`` are runs that changed something, at least all of the last day."""
    rulings, limits = question.rulings, question.environment.limits
    if not question.needs_history:
        return rulings
    today = sorted(
        (run for run in applies if _counts(run) and _ended(run) > question.now - DAY), key=_ended
    )
    of_change, of_plan = dict(rulings.of_change), rulings.of_plan
    if limits.heals_per_day:
        put_back = _put_back(today)
        for judged in filter(_is_put_back, question.judgement.changes):
            before = [at for what, at in put_back.get(_key(judged), ()) if _alike(what, judged)]
            if len(before) >= limits.heals_per_day:
                ruling = _heals(question, before)
                of_change[_key(judged)] = (*of_change.get(_key(judged), ()), ruling)
    unasked = [_ended(run) for run in today if _nobody_was_asked(run)]
    if limits.applies_per_day and len(unasked) >= limits.applies_per_day:
        of_plan = (*of_plan, _spent(question, unasked))
    return Rulings(of_change, of_plan, rulings.broken)


def _counts(run: Run) -> bool:
    return run.state in CHANGED and run.purpose is not Purpose.ACCEPT


def _nobody_was_asked(run: Run) -> bool:
    return run.judgement is None or run.judgement.level <= Level.WARN


def _heals(question: Question, before: Sequence[datetime]) -> Ruling:
    limit, count = question.environment.limits.heals_per_day, len(before)
    times = "once" if count == 1 else f"{count} times"
    return Ruling(
        Level.APPROVE,
        rule_of(HEALS, limit),
        message=_with(
            f"It was put back {times} since {moment(before[0])}: something else changes it, too.",
            question.instead,
        ),
    )


def _spent(question: Question, unasked: Sequence[datetime]) -> Ruling:
    limit, count = question.environment.limits.applies_per_day, len(unasked)
    were = "1 plan was" if count == 1 else f"{count} plans were"
    # Where the limit was lowered, more than one of them has to drop out.
    again = moment(unasked[count - limit] + DAY)
    return Ruling(
        Level.APPROVE,
        rule_of(APPLIES, limit),
        message=_with(
            f"{were} applied without asking in the last 24 hours; the next may be again at "
            f"{again}.",
            question.instead,
        ),
    )


def _with(message: str, instead: str) -> str:
    return f"{message} {instead}" if instead else message


def _key(judged: Judged) -> tuple[str, str]:
    return judged.address, judged.deposed


def _is_put_back(judged: Judged) -> bool:
    """Is it an object that somebody changed, and that is to become what it was? An output only
    follows, and an action is only run."""
    is_object = not judged.address.startswith("output.") and judged.what != "invoke"
    return is_object and judged.cause in _PUT_BACK


def _put_back(runs: Iterable[Run]) -> Mapping[tuple[str, str], Sequence[tuple[str, datetime]]]:
    """What of each object was put back by each of the runs, and when."""
    found: dict[tuple[str, str], list[tuple[str, datetime]]] = {}
    for run in runs:
        done = _done(run) if run.state is State.PARTLY_APPLIED else None
        for judged in run.judgement.changes if run.judgement else ():
            if _is_put_back(judged) and (done is None or judged.address in done):
                found.setdefault(_key(judged), []).append((judged.what, _ended(run)))
    return found


def _done(run: Run) -> frozenset[str]:
    """How far an apply got that failed."""
    told = run.applied.done if run.applied else ()
    return frozenset(each.partition(" ")[2] for each in told)


def _alike(what: str, judged: Judged) -> bool:
    """Which attributes an update has is only known where it is one: of several it may be any."""
    if what == judged.what:
        return True
    return _UPDATE in (what, judged.what) and _WHOLE.isdisjoint((what, judged.what))


def _ended(run: Run) -> datetime:
    return run.ended_at or run.started_at
