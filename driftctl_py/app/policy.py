"""What can be asked of rules without applying anything: why, what if, is it right, is it sound.

A plan that somebody brings is judged as a first plan would be; a run's with the causes that were
found out then. Nothing is planned and nothing is written.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from driftctl_py.core.approval import Standing
from driftctl_py.core.decision import Judgement, Rulings, decide, judge, judge_again
from driftctl_py.core.environment import Environment
from driftctl_py.core.explanation import Asked, Explanation, explain
from driftctl_py.core.plan_report import PlanReport
from driftctl_py.core.policy_replay import (
    Replay,
    Replayed,
    carried,
    compared,
    judged_now,
    with_doubts,
)
from driftctl_py.core.policy_tests import Case, Outcome, run_case
from driftctl_py.core.rule import Rule
from driftctl_py.core.rules import rulings_of
from driftctl_py.core.run import Purpose, Run
from driftctl_py.core.window import closed
from driftctl_py.errors import ArtifactError, DriftctlError, PlanError, UsageError
from driftctl_py.report.stored_plan import read_stored_plan

if TYPE_CHECKING:
    from driftctl_py.app.ports import Artifacts, Store

PLAN = "plan.json"
POLICIES, WINDOWS, LIMITS = "policies and checks", "windows and freezes", "limits"
_PAGE = 100
# One plan is stored once, however many runs made it, and those follow one another.
_REMEMBERED = 4


def explain_plan(
    report: PlanReport, environment: Environment, rules: Sequence[Rule], *, now: datetime
) -> Explanation:
    """Why the gate of an environment would decide as it does about a plan. ``rules`` are all of the
    configuration."""
    bare = judge(
        report.plan, report.assessment, environment.apply, Rulings(), code_is_applied=False
    )
    return _explanation(report.name, report, environment, rules, bare, None, now)


def explain_run(
    run: Run, report: PlanReport, environment: Environment, rules: Sequence[Rule], *, now: datetime
) -> Explanation:
    """The same of what a run planned, by the rules of now."""
    then = _judgement_of(run)
    return _explanation(f"run {run.id}", report, environment, rules, then, run, now)


def _explanation(
    name: str,
    report: PlanReport,
    environment: Environment,
    rules: Sequence[Rule],
    bare: Judgement,
    run: Run | None,
    now: datetime,
) -> Explanation:
    if run is not None:
        report = with_doubts(report, environment.rules)
    plan, assessment = report.plan, report.assessment
    asked = (plan, (*assessment.findings, *assessment.equivalent), bare, assessment.managed)
    if run is None:
        rulings = rulings_of(environment.rules, *asked)
        judgement = judge_again(bare, environment.apply, rulings)
    else:
        judgement, rulings = judged_now(bare, environment, report)
    requirement = environment.requirement.also(judgement.groups, judgement.asks)
    causes = {word for each in judgement.changes for word in each.cause.words}
    decision = decide(
        plan,
        assessment,
        judgement,
        requirement,
        Standing(
            missing=max(requirement.count, 1),
            lacking=requirement.each_of,
            short=requirement.asks,
        ),
        rulings=rulings,
        closed=closed(environment.timetables, environment.freezes, causes, now),
        accepting=run is not None and run.purpose is Purpose.ACCEPT,
        now=now,
    )
    return Explanation(
        name,
        environment,
        explain(environment.rules, *asked),
        tuple(each for each in rules if each not in environment.rules),
        judgement,
        decision,
        now,
        _beside(environment, Asked.NOT if run is None else Asked.THEN),
        None if run is None else bare,
        Rulings() if run is None else carried(bare, environment),
    )


def _beside(environment: Environment, others: Asked) -> dict[str, Asked]:
    limits = environment.limits
    there = {
        POLICIES: (bool(environment.policies), others),
        WINDOWS: (bool(environment.timetables or environment.freezes), Asked.NOW),
        LIMITS: (bool(limits.applies_per_day or limits.heals_per_day), others),
    }
    return {name: asked if is_there else Asked.NONE for name, (is_there, asked) in there.items()}


def stored_plan(run: Run, artifacts: Artifacts) -> PlanReport:
    """The plan that a run left. Raises `UsageError` where it left none, `ArtifactError` where it is
    gone, `PlanError` where it cannot be read."""
    if PLAN not in run.artifacts:
        raise UsageError(
            f"Run {run.id} of {run.environment} is {run.state.value} and kept no plan, so there is "
            "nothing to explain.",
            todo=f"See what it says: driftctl-py show {run.id}",
        )
    return read_stored_plan(artifacts.get(run.artifacts[PLAN]))


def _judgement_of(run: Run) -> Judgement:
    if run.judgement is None:
        raise UsageError(
            f"Run {run.id} of {run.environment} was never judged.",
            todo=f"See what it says: driftctl-py show {run.id}",
        )
    return run.judgement


# --- What if.


class Replays:
    """Decides stored plans anew."""

    def __init__(self, store: Store, artifacts: Artifacts) -> None:
        self._store = store
        self._artifacts = artifacts
        self._read: dict[str, PlanReport] = {}

    def replay(
        self,
        environments: Sequence[Environment],
        *,
        only: Collection[str] = (),
        since: datetime | None = None,
        limit: int | None = None,
        watch: Callable[[int], None],
        please_stop: Callable[[], bool],
    ) -> Replay:
        """The latest plans first; ``watch`` is told how many were done. One plan is held at a
        time, and of what came of it only what differs."""
        known = {each.name: each for each in environments}
        found, done = Replay(), 0
        for run in self._runs(only, since):
            if please_stop():
                raise_interrupted()
            if run.environment not in known:
                found.gone[run.environment] += 1
                continue
            found.take(self._replayed(run, known[run.environment]))
            done += 1
            watch(done)
            if limit is not None and done >= limit:
                break
        return found

    def _runs(self, only: Collection[str], since: datetime | None) -> Iterator[Run]:
        """Those that kept a plan, the latest first."""
        before: str | None = None
        while True:
            page = self._store.runs(limit=_PAGE, before=before)
            for run in page:
                if since is not None and run.started_at < since:
                    return
                if PLAN in run.artifacts and (not only or run.environment in only):
                    yield run
            if len(page) < _PAGE:
                return
            before = page[-1].id

    def _replayed(self, run: Run, environment: Environment) -> Replayed:
        try:
            report, then = self._report(run), _judgement_of(run)
        except (ArtifactError, PlanError, UsageError) as error:
            return Replayed(run.id, run.environment, run.started_at, unreadable=error.what)
        now, _ = judged_now(then, environment, report)
        return compared(run.id, run.environment, run.started_at, then, now)

    def _report(self, run: Run) -> PlanReport:
        reference = run.artifacts[PLAN]
        if reference not in self._read:
            report = stored_plan(run, self._artifacts)
            while len(self._read) >= _REMEMBERED:
                del self._read[next(iter(self._read))]
            self._read[reference] = report
        return self._read[reference]


def raise_interrupted() -> None:
    from driftctl_py.errors import Interrupted

    raise Interrupted("Stopped before all plans were decided anew; nothing was changed.")


# --- Is it right.


def run_tests(
    cases: Sequence[Case],
    environments: Sequence[Environment],
    read_plan: Callable[[Case], PlanReport],
) -> tuple[Outcome, ...]:
    """Each case, in its order. One that cannot be asked at all has failed."""
    return tuple(_tested(each, environments, read_plan) for each in cases)


def _tested(
    case: Case, environments: Sequence[Environment], read_plan: Callable[[Case], PlanReport]
) -> Outcome:
    name = case.environment
    try:
        environment = environment_of(name, environments, option="environment: NAME")
        return run_case(case, environment, read_plan(case) if case.plan else None)
    except DriftctlError as error:
        said = f"{error.what} {error.todo}".strip()
        return Outcome(case, name, Judgement(), (), (said,))


def environment_of(
    name: str | None, environments: Sequence[Environment], *, option: str
) -> Environment:
    """The environment of that name, or the only one there is. Raises `UsageError`."""
    from difflib import get_close_matches

    known = {each.name: each for each in environments}
    if not name and len(known) == 1:
        return environments[0]
    some = ", ".join(sorted(known)) or "none"
    if not name:
        raise UsageError(
            f"There are {len(known)} environments, and each may have other rules.",
            todo=f"Say which one it is about: {option}. Known: {some}.",
        )
    if name not in known:
        near = get_close_matches(name, known, n=1)
        hint = f"Did you mean {near[0]}? " if near else ""
        raise UsageError(f"There is no environment {name}.", todo=f"{hint}Known: {some}.")
    return known[name]
