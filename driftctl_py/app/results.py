"""Results: made of what was found here, and gathered from what other jobs wrote.

A result is made where the plan is, and words are all that leaves that place. What comes back from
other jobs is foreign, whoever wrote it: it is decoded strictly, and every text of it made clean
before anybody shows it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Protocol

from driftctl_py.app.reconcile import Outcome
from driftctl_py.core.approval import People
from driftctl_py.core.assessment import Assessment, Finding
from driftctl_py.core.check import (
    Assessed,
    EnvironmentCheck,
    Failed,
    Verdict,
)
from driftctl_py.core.decision import Cause, Judgement
from driftctl_py.core.declared import Place
from driftctl_py.core.fan_in import fan_in
from driftctl_py.core.plan import Kind, Plan
from driftctl_py.core.plan_report import PlanReport, View
from driftctl_py.core.result import Item, Job, Occasion, Result, Results
from driftctl_py.core.result_json import is_below_root, read_result
from driftctl_py.core.run import Run, State
from driftctl_py.errors import Diagnostic, DriftctlError, EngineError, Untrusted, UsageError
from driftctl_py.report import wording
from driftctl_py.report.markup import output_lines, told_lines
from driftctl_py.report.result_gate import gated
from driftctl_py.report.show import clean, cut_middle
from driftctl_py.report.told import Limits, Told, in_check, in_plan

# Whoever wants all of it asks for the plan itself.
_LIMITS = Limits(lines=50, parts=60)
# Somebody else may have given a file a name of any length.
_NAME_AT_MOST = 200


@dataclass(frozen=True, slots=True)
class Origin:
    """Where an environment lies in its repository, and what finds the block of an object."""

    path: str
    place_of: Callable[[str], Place | None] = lambda _address: None


def result_of_check(
    check: EnvironmentCheck, *, job: Job, strict: bool = False, origin: Origin | None = None
) -> Result:
    """What a check found."""
    origin = origin or Origin(check.path)
    outcome = check.outcome
    assessment = None if isinstance(outcome, Failed) else outcome.assessment
    found = _Findings(origin, assessment or Assessment())
    wrong = None if isinstance(outcome, Assessed) else outcome
    return Result(
        environment=clean(check.environment),
        path=clean(check.path),
        occasion=Occasion.CHECK,
        verdict=check.verdict,
        finished_at=check.checked_at,
        duration_seconds=check.duration_seconds,
        commit=check.revision.commit if check.revision else "",
        engine=clean(str(check.engine)) if check.engine else "",
        totals=assessment.totals if assessment else None,
        drifted=assessment.drifted if assessment else None,
        items=tuple(map(found.item, found.told(in_check))),
        outputs=tuple(found.others()),
        notes=tuple(map(clean, wording.asides(found.assessment, strict=strict))),
        warnings=tuple(map(clean, wording.warnings(check, assessment))),
        reason=clean(wrong.reason) if wrong else "",
        todo=_lines(wrong.todo) if wrong else "",
        diagnostics=_diagnostics(wrong.diagnostics) if wrong else (),
        job=job,
    )


def result_of_outcome(
    outcome: Outcome,
    occasion: Occasion,
    *,
    job: Job,
    people: People,
    now: datetime,
    origin: Origin,
) -> Result:
    """What a run came to."""
    run, decision, report, error = outcome.run, outcome.decision, outcome.report, outcome.error
    judgement = None if decision is None else getattr(decision, "judgement", None)
    found = _Findings(origin, report.assessment if report else Assessment(), judgement)
    ended = run.ended_at or now
    known = report is not None or bool(run.status)
    return Result(
        environment=clean(run.environment),
        path=clean(origin.path),
        occasion=occasion,
        verdict=_verdict(outcome, occasion),
        finished_at=ended,
        duration_seconds=max(0.0, (ended - run.started_at).total_seconds()),
        commit=run.commit,
        engine=clean(run.engine),
        totals=(report.assessment.totals if report else run.totals) if known else None,
        drifted=(report.assessment.drifted if report else run.drifted) if known else None,
        items=tuple(map(found.item, found.told(_in_plan(report.plan)))) if report else (),
        outputs=tuple(found.others()),
        notes=tuple(map(clean, _notes(outcome))),
        warnings=tuple(map(clean, _warnings(outcome))),
        reason=clean(error.what if error else run.reason),
        todo=_lines(error.todo if error else run.todo),
        diagnostics=_diagnostics(error.diagnostics) if isinstance(error, EngineError) else (),
        gate=gated(run, decision, people) if decision is not None else None,
        fingerprint=run.fingerprint,
        governing=run.governing.digest if run.governing else "",
        run=run.id,
        state=run.state.value,
        job=job,
    )


def result_of_error(
    error: DriftctlError, environment: str, occasion: Occasion, *, job: Job, now: datetime
) -> Result:
    """Of an environment of which there is not even a run."""
    # All that is wrong with a configuration is said in lines: the first is the answer.
    reason, *rest = error.what.split("\n")
    return Result(
        environment=clean(environment),
        path="",
        occasion=occasion,
        verdict=Verdict.FAILED,
        finished_at=now,
        duration_seconds=0.0,
        reason=clean(reason),
        todo=_lines("\n".join(filter(None, (*map(str.strip, rest), error.todo)))),
        diagnostics=_diagnostics(error.diagnostics) if isinstance(error, EngineError) else (),
        job=job,
    )


class FoundFile(Protocol):
    """A file that may hold a result: its bytes, or why they are not known."""

    @property
    def name(self) -> str: ...
    @property
    def data(self) -> bytes | str: ...


class Files(Protocol):
    """The directories into which results were written."""

    def read(self, directories: Sequence[Path], *, missing_ok: bool) -> Iterable[FoundFile]: ...


def gather(
    files: Files,
    directories: Sequence[Path],
    *,
    expected: Sequence[str] | None = None,
    ours: Job | None = None,
    attempt: int = 0,
) -> Results:
    """All results below the directories, as one; none of an earlier ``attempt``. Raises
    `UsageError` where they do not belong together, and where there is none although nobody said
    that there need not be any."""
    found: list[Result] = []
    unreadable: list[str] = []
    for each in files.read(directories, missing_ok=expected is not None):
        read = each.data if isinstance(each.data, str) else read_result(each.data)
        if isinstance(read, str):
            unreadable.append(f"{cut_middle(clean(each.name), _NAME_AT_MOST)}: {clean(read)}")
        else:
            found.append(_cleaned(read))
    if expected is None and not found and not unreadable:
        # It may be that there was nothing to look at, or that all of them were lost on the way.
        raise UsageError(
            "There is no result, and it is not known which to expect, so nothing can be said.",
            todo="Say which: driftctl-py matrix >expected.json, then "
            "driftctl-py report DIR --expect expected.json",
        )
    return fan_in(found, expected=expected, unreadable=unreadable, ours=ours, attempt=attempt)


class _Findings:
    """What an assessment holds, told as a result tells it."""

    def __init__(
        self, origin: Origin, assessment: Assessment, judgement: Judgement | None = None
    ) -> None:
        self.assessment = assessment
        self._origin = origin
        changes = judgement.changes if judgement else ()
        self._causes = {(each.address, each.deposed): each.cause for each in changes}

    def told(self, tell: Callable[[Finding], Told]) -> Iterator[Told]:
        findings = list(wording.in_reading_order(self.assessment.findings))
        # What only is spelled otherwise is shown where apply does something about it.
        findings += [
            each
            for each in self.assessment.equivalent
            if (each.address, each.deposed) in self._causes
        ]
        return map(tell, findings)

    def item(self, told: Told) -> Item:
        finding = told.finding
        place = self._origin.place_of(finding.address)
        if place is not None and not is_below_root(place.file):
            place = None
        return Item(
            address=clean(finding.address),
            action=finding.kind.value,
            cause=self._cause(finding).value,
            destroys=finding.kind.destroys,
            lines=tuple(told_lines(told, _LIMITS)),
            file=place.file if place else "",
            line=place.line if place else 0,
            deposed=clean(finding.deposed),
        )

    def others(self) -> Iterator[str]:
        """What changes and is no object, as lines of a fence."""
        for output in self.assessment.outputs:
            yield from output_lines(output, _LIMITS)
        for each in self.assessment.invocations:
            yield f"! {clean(wording.invocation(each))}"

    def _cause(self, finding: Finding) -> Cause:
        judged = self._causes.get((finding.address, finding.deposed))
        if judged is not None and not (judged is Cause.UNDETERMINED and finding.drifted):
            return judged
        if Kind.UNKNOWN in (finding.kind, finding.drift) and not finding.drifted:
            return Cause.UNDETERMINED
        if finding.drifted:
            return Cause.BOTH if finding.pending else Cause.DRIFT
        return Cause.COMMIT


def _in_plan(plan: Plan) -> Callable[[Finding], Told]:
    joined = {(each.entry.address, each.entry.deposed): each for each in plan.joined}
    return lambda finding: in_plan(
        finding, joined.get((finding.address, finding.deposed)), View.CHANGES
    )


# How an apply that came to an end leaves the environment.
_AFTER: Mapping[State, Verdict] = {
    State.APPLIED: Verdict.IN_SYNC,
    State.UNVERIFIED: Verdict.UNKNOWN,
    State.NOT_CONVERGED: Verdict.PENDING,
    State.PARTLY_APPLIED: Verdict.FAILED,
    State.FAILED: Verdict.FAILED,
    State.UNKNOWN: Verdict.UNKNOWN,
    State.INTERRUPTED: Verdict.FAILED,
    State.APPLYING: Verdict.UNKNOWN,
    State.PLANNING: Verdict.UNKNOWN,
}


def _verdict(outcome: Outcome, occasion: Occasion) -> Verdict:
    run, report = outcome.run, outcome.report
    if outcome.error is not None:
        return Verdict.UNKNOWN if isinstance(outcome.error, Untrusted) else Verdict.FAILED
    if run.state in _AFTER:
        return _AFTER[run.state]
    if report is not None:
        assessment = report.assessment
        return Verdict(assessment.status.value) if assessment.complete else Verdict.UNKNOWN
    return Verdict(run.status) if run.status else _of_nothing(run, occasion)


def _of_nothing(run: Run, occasion: Occasion) -> Verdict:
    """Of a run that shows no plan and says of none what it was."""
    if run.state is State.IN_SYNC or (run.state is State.REVIEWED and occasion is Occasion.REVIEW):
        return Verdict.DRIFTED if run.drifted else Verdict.IN_SYNC
    return Verdict.UNKNOWN


def _warnings(outcome: Outcome) -> Iterator[str]:
    report: PlanReport | None = outcome.report
    yield from outcome.warnings
    if outcome.again:
        yield f"Planned again. {outcome.again}"
    if report is not None:
        yield from wording.plan_warnings(report)
        yield from map(wording.check_result, report.assessment.failed_checks)
    applied = outcome.run.applied
    if applied is not None:
        yield from (f"Failed: {each}" for each in applied.failed)
        yield from (f"Begun, and nobody knows how it ended: {each}" for each in applied.unfinished)


def _notes(outcome: Outcome) -> Iterator[str]:
    report, applied = outcome.report, outcome.run.applied
    if report is not None:
        yield from map(wording.deferred, report.plan.deferred)
        yield from wording.plan_asides(report, View.CHANGES)
    if applied is not None and applied.done:
        yield f"{len(applied.done)} applied"


def _diagnostics(found: Iterable[Diagnostic]) -> tuple[Diagnostic, ...]:
    return tuple(
        Diagnostic(
            clean(each.severity),
            clean(each.summary),
            _lines(each.detail),
            clean(each.address),
            clean(each.where),
        )
        for each in found
    )


def _lines(text: str) -> str:
    """What has lines of its own, each of them clean."""
    return "\n".join(clean(line) for line in text.split("\n"))


def _cleaned(result: Result) -> Result:
    """Nothing of it moves a cursor, hides, or pretends to be another line."""
    gate = result.gate
    return replace(
        result,
        environment=clean(result.environment),
        path=clean(result.path),
        commit=clean(result.commit),
        engine=clean(result.engine),
        items=tuple(map(_cleaned_item, result.items)),
        outputs=_all_clean(result.outputs),
        notes=_all_clean(result.notes),
        warnings=_all_clean(result.warnings),
        reason=clean(result.reason),
        todo=_lines(result.todo),
        diagnostics=_diagnostics(result.diagnostics),
        gate=gate
        and replace(
            gate, lines=_all_clean(gate.lines), needs=clean(gate.needs), todo=_lines(gate.todo)
        ),
        fingerprint=clean(result.fingerprint),
        governing=clean(result.governing),
        run=clean(result.run),
        job=replace(
            result.job,
            repository=clean(result.job.repository),
            workflow=clean(result.job.workflow),
            run=clean(result.job.run),
        ),
    )


def _cleaned_item(item: Item) -> Item:
    return replace(
        item,
        address=clean(item.address),
        lines=_all_clean(item.lines),
        file=clean(item.file),
        deposed=clean(item.deposed),
    )


def _all_clean(texts: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(map(clean, texts))
