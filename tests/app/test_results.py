from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from driftctl_py.app.reconcile import Outcome
from driftctl_py.app.results import (
    FoundFile,
    Origin,
    gather,
    result_of_check,
    result_of_error,
    result_of_outcome,
)
from driftctl_py.core.approval import People
from driftctl_py.core.assessment import Assessment, Totals
from driftctl_py.core.assessment import Origin as From
from driftctl_py.core.check import EnvironmentCheck, Verdict
from driftctl_py.core.decision import (
    Apply,
    Cause,
    Judged,
    Judgement,
    Level,
    Nothing,
    Ruling,
)
from driftctl_py.core.declared import Place
from driftctl_py.core.plan import ActionInvocation, Kind
from driftctl_py.core.result import Job, Occasion, Result, Standing
from driftctl_py.core.result_json import MOST_BYTES, encode_result, read_result
from driftctl_py.core.run import State
from driftctl_py.errors import (
    ConfigError,
    Diagnostic,
    DriftctlError,
    EngineError,
    Interrupted,
    Problem,
    Untrusted,
    UsageError,
)
from tests.core.result_examples import EVERYTHING as RESULT
from tests.core.result_examples import JOB, result
from tests.data import plans
from tests.report import examples, plan_reports
from tests.report.examples import FAILED, LOCKED, checked, finding, planned, with_findings
from tests.report.plan_reports import EVIL
from tests.report.run_examples import APPLIED, GOVERNING, HALF, NOW, PEOPLE, bare, harmless, run

ALLOW = Ruling(Level.ALLOW, "apply.drift: auto")


def of_check(check: EnvironmentCheck) -> Result:
    found = result_of_check(check, job=JOB)
    # Whatever is made can be handed on.
    assert read_result(encode_result(found)) == found
    return found


# Any: whatever an outcome holds.
def of_outcome(occasion: Occasion = Occasion.REVIEW, **more: Any) -> Result:
    outcome = Outcome(**{"run": run(), **more})
    found = result_of_outcome(
        outcome, occasion, job=JOB, people=PEOPLE, now=NOW, origin=Origin("environments/prod")
    )
    assert read_result(encode_result(found)) == found
    return found


# What a check found.


@pytest.mark.parametrize("scenario", plans.scenarios())
def test_every_real_plan_makes_a_result(scenario: str) -> None:
    check = planned(scenario)
    assessment = getattr(check.outcome, "assessment", None) or Assessment()

    found = of_check(check)

    assert found.verdict is check.verdict
    assert found.totals == assessment.totals
    assert found.drifted == assessment.drifted
    assert len(found.items) == len(assessment.findings)
    assert found.destroys == sum(each.kind.destroys for each in assessment.findings)
    drifted = {each.address for each in assessment.findings if each.drifted}
    assert {each.address for each in found.items if each.drifted} >= drifted
    for item in found.items:
        assert item.address in item.lines[0]
        assert all(harmless(line) for line in item.lines)


def test_what_destroys_comes_first() -> None:
    found = of_check(planned("rich")).items

    assert [each.destroys for each in found] == sorted(
        (each.destroys for each in found), reverse=True
    )


@pytest.mark.parametrize(
    ("more", "cause"),
    [
        ({}, "commit"),
        ({"drifted": True, "pending": False, "origin": From.DRIFT_REVERTED}, "drift"),
        ({"drifted": True, "origin": From.BOTH}, "drift and commit"),
        ({"drifted": True, "origin": From.UNDETERMINED}, "drift and commit"),
        ({"kind": Kind.UNKNOWN, "origin": From.UNDETERMINED}, "undetermined"),
        ({"drift": Kind.UNKNOWN, "origin": From.UNDETERMINED}, "undetermined"),
    ],
)
def test_a_check_says_whose_doing_it_is(more: dict[str, Any], cause: str) -> None:
    assert of_check(with_findings(finding(**more))).items[0].cause == cause


def test_an_environment_without_a_plan_has_no_numbers() -> None:
    found = of_check(FAILED)

    assert found.verdict is Verdict.FAILED
    assert (found.totals, found.drifted, found.items) == (None, None, ())
    assert (found.commit, found.engine) == ("", "")
    assert found.reason == "No plan came about: Reference to undeclared resource."
    assert found.todo == "Mend the code, then: driftctl-py check edge"
    (diagnostic,) = found.diagnostics
    assert diagnostic.where == "main.tf:3"
    assert diagnostic.detail.split("\n")[2].endswith(r"It is \u001b[31mred\u001b[0m.")


def test_an_unknown_environment_says_why() -> None:
    found = of_check(LOCKED)

    assert found.verdict is Verdict.UNKNOWN
    assert found.reason.startswith("The state is locked by ada@build-7")
    assert found.todo == "Wait for it, or if that run is dead:\ntofu force-unlock 3b1c"
    assert found.warnings == ("modules/net has a floating source: main",)


def test_what_a_check_was_made_of_is_in_its_result() -> None:
    found = of_check(checked("dev"))

    assert found.environment == "dev"
    assert found.path == "environments/dev"
    assert found.occasion is Occasion.CHECK
    assert found.commit == examples.MAIN.commit
    assert found.engine == "tofu 1.12.6"
    assert found.finished_at == examples.NOW
    assert found.duration_seconds == 1.5
    assert found.gate is None
    assert found.job == JOB


def test_actions_stand_with_the_outputs() -> None:
    action = ActionInvocation("action.a.b", "x.y", "AfterCreate")

    found = of_check(with_findings(invocations=(action,)))

    assert found.outputs == (
        "! action.a.b: apply runs this action (triggered by x.y, after create)",
    )


def test_an_object_says_where_it_is_declared() -> None:
    check = with_findings(finding("x.here"), finding("x.nowhere"))
    places = {"x.here": Place("modules/web/main.tf", 3)}

    found = result_of_check(check, job=JOB, origin=Origin("environments/prod", places.get))

    assert [(each.file, each.line) for each in found.items] == [("modules/web/main.tf", 3), ("", 0)]


@pytest.mark.parametrize("file", ["a\nb.tf", "a\\b.tf", "../a.tf", "\udcff.tf"])
def test_a_file_of_no_plain_name_is_not_named(file: str) -> None:
    origin = Origin("environments/prod", lambda _: Place(file, 3))

    found = result_of_check(with_findings(finding("x.y")), job=JOB, origin=origin)

    assert read_result(encode_result(found)) == found
    assert (found.items[0].file, found.items[0].line) == ("", 0)


@pytest.mark.parametrize("key", ["x" * 10_000, "\ud800", "a\nb", "\u202e"])
def test_a_key_of_any_kind_can_be_handed_on(key: str) -> None:
    found = of_check(with_findings(finding(f'x.y["{key}"]')))

    assert found.items[0].address in found.items[0].lines[0]


# What a run came to.


def test_a_run_is_told_with_its_plan_and_its_decision() -> None:
    report = plan_reports.of("drift_reverted")
    drifted = [each.address for each in report.assessment.findings]
    changes = [Judged(each, Cause.COMMIT, "update", (ALLOW,)) for each in drifted]

    found = of_outcome(report=report, decision=Apply(Judgement(tuple(changes))), warnings=("Hm.",))

    assert found.verdict is Verdict.DRIFTED
    assert found.gate is not None
    assert found.gate.standing is Standing.ALLOWED
    assert [each.address for each in found.items] == drifted
    # The judgement knows what was applied before, so it knows better.
    assert {each.cause for each in found.items} == {"commit"}
    assert found.fingerprint == run().fingerprint
    assert found.governing == GOVERNING.digest
    assert found.run == run().id
    assert found.state == "held"
    assert found.path == "environments/prod"
    assert found.warnings[0] == "Hm."
    assert found.duration_seconds == 120
    assert found.finished_at == NOW


def test_what_nobody_can_tell_and_drifted_did_so() -> None:
    report = plan_reports.of("drift_reverted")
    changes = tuple(
        Judged(each.address, Cause.UNDETERMINED, "update", (ALLOW,))
        for each in report.assessment.findings
    )

    found = of_outcome(report=report, decision=Apply(Judgement(changes)))

    assert {each.cause for each in found.items} == {"drift"}


def test_another_spelling_is_told_where_apply_would_write_it() -> None:
    report = plan_reports.of("equivalent")
    (same, *_) = report.assessment.equivalent
    judgement = Judgement((Judged(same.address, Cause.COMMIT, "update", (ALLOW,)),))

    assert of_outcome(report=report, decision=Nothing("Nothing.")).items == ()
    found = of_outcome(report=report, decision=Apply(judgement))
    assert [each.address for each in found.items] == [same.address]


@pytest.mark.parametrize(
    ("state", "verdict"),
    [
        (State.APPLIED, Verdict.IN_SYNC),
        (State.UNVERIFIED, Verdict.UNKNOWN),
        (State.NOT_CONVERGED, Verdict.PENDING),
        (State.PARTLY_APPLIED, Verdict.FAILED),
        (State.FAILED, Verdict.FAILED),
        (State.UNKNOWN, Verdict.UNKNOWN),
        (State.INTERRUPTED, Verdict.FAILED),
        (State.APPLYING, Verdict.UNKNOWN),
        (State.PLANNING, Verdict.UNKNOWN),
        (State.HELD, Verdict.DRIFTED),
        (State.ALLOWED, Verdict.DRIFTED),
        (State.REFUSED, Verdict.DRIFTED),
        (State.STALE, Verdict.DRIFTED),
        (State.REVIEWED, Verdict.DRIFTED),
    ],
)
def test_after_an_apply_the_verdict_is_what_it_left(state: State, verdict: Verdict) -> None:
    found = of_outcome(
        Occasion.APPLY, run=run(state, applied=APPLIED), report=plan_reports.of("drift_reverted")
    )

    assert found.verdict is verdict
    assert found.state == state.value


def test_what_an_apply_did_and_did_not_is_told() -> None:
    found = of_outcome(Occasion.APPLY, run=run(State.PARTLY_APPLIED, applied=HALF))

    assert found.notes == ("1 applied",)
    assert found.warnings == (
        "Failed: update aws_s3_bucket.assets",
        "Begun, and nobody knows how it ended: delete aws_instance.web",
    )


def test_an_incomplete_plan_is_unknown_whatever_it_shows() -> None:
    report = plan_reports.of("drift_reverted")
    half = replace(report, assessment=replace(report.assessment, complete=False))

    assert of_outcome(report=half).verdict is Verdict.UNKNOWN


@pytest.mark.parametrize(
    ("ended", "verdict"),
    [
        (bare(State.IN_SYNC), Verdict.IN_SYNC),
        (bare(State.IN_SYNC, drifted=2), Verdict.DRIFTED),
        (bare(State.REVIEWED), Verdict.IN_SYNC),
        (bare(State.HELD), Verdict.UNKNOWN),
        (run(State.IN_SYNC, status="in sync", totals=Totals(), drifted=0), Verdict.IN_SYNC),
        (run(State.IN_SYNC), Verdict.DRIFTED),
    ],
)
def test_without_a_plan_to_show_the_run_says_what_it_was(ended: Any, verdict: Verdict) -> None:
    found = of_outcome(run=ended)

    assert found.verdict is verdict
    assert found.items == ()
    assert (found.totals is None) == (not ended.status)


@pytest.mark.parametrize(
    ("error", "verdict"),
    [
        (DriftctlError("It broke.", todo="Mend it."), Verdict.FAILED),
        (Interrupted("Stopped.", todo="Mend it."), Verdict.FAILED),
        (Untrusted("Incomplete.", todo="Mend it."), Verdict.UNKNOWN),
    ],
)
def test_what_stopped_it_is_its_reason(error: DriftctlError, verdict: Verdict) -> None:
    found = of_outcome(run=bare(State.FAILED), error=error)

    assert found.verdict is verdict
    assert (found.reason, found.todo) == (error.what, "Mend it.")


def test_the_engines_own_words_are_kept() -> None:
    diagnostic = Diagnostic("error", "Invalid", "Really.\nYes.", "x.y", "main.tf:3")
    error = EngineError("It failed.", diagnostics=(diagnostic,))

    assert of_outcome(run=bare(State.FAILED), error=error).diagnostics == (diagnostic,)
    found = result_of_error(error, "prod", Occasion.APPLY, job=JOB, now=NOW)
    assert found.diagnostics == (diagnostic,)
    assert found.verdict is Verdict.FAILED
    assert found.totals is None


def test_an_error_before_there_was_a_run_has_its_reason() -> None:
    found = result_of_error(
        UsageError("No such environment.", todo="See config show."),
        "prod",
        Occasion.CHECK,
        job=JOB,
        now=NOW,
    )

    assert (found.reason, found.todo) == ("No such environment.", "See config show.")
    assert read_result(encode_result(found)) == found


def test_all_that_is_wrong_with_a_configuration_is_told_in_lines() -> None:
    error = ConfigError(
        (Problem("driftctl.yaml", 6, "One.", "Mend it."), Problem("driftctl.yaml", 9, "Two."))
    )

    found = result_of_error(error, "prod", Occasion.CHECK, job=JOB, now=NOW)

    assert found.reason == "driftctl.yaml:6: One."
    assert found.todo == "Mend it.\ndriftctl.yaml:9: Two."


def test_why_it_was_planned_again_is_a_warning() -> None:
    found = of_outcome(again="The state moved.", report=plan_reports.of("check_fails"))

    assert found.warnings[0] == "Planned again. The state moved."
    assert any("does not hold" in each for each in found.warnings[1:])


def test_what_was_put_off_is_noted() -> None:
    report = plan_reports.of("deferred")

    notes = of_outcome(report=report).notes

    assert any("put off" in each for each in notes), notes


def test_a_moment_that_went_backwards_is_no_negative_duration() -> None:
    ended = run(State.APPLIED, ended_at=NOW - timedelta(hours=1))

    assert of_outcome(run=ended).duration_seconds == 0


# What other jobs wrote.


@dataclass
class Files:
    """A directory, as far as anybody asks it."""

    found: list[tuple[str, bytes | str]]
    missing_ok: bool | None = None

    def read(self, directories: Sequence[Path], *, missing_ok: bool) -> Iterator[FoundFile]:
        self.missing_ok = missing_ok
        for name, data in self.found:
            yield File(name, data)


@dataclass
class File:
    name: str
    data: bytes | str


def test_what_cannot_be_read_is_named_with_why_and_the_rest_counts() -> None:
    files = Files(
        [
            ("a", encode_result(result())),
            ("../b\n", b"{"),
            ("c", "it is a link, and none is followed"),
            ("d", b" " * (MOST_BYTES + 1)),
            ("e" * 4000, "it cannot be read"),
        ]
    )

    found = gather(files, [])

    assert [each.environment for each in found.results] == ["prod"]
    assert found.unreadable[0].startswith(r"../b\n: it is damaged: ")
    assert len(found.unreadable[3]) < 250
    assert found.unreadable[1:3] == (
        "c: it is a link, and none is followed",
        "d: it is larger than 32 MiB, and no result is",
    )
    assert found.exit_code == 1


def test_where_something_is_expected_a_directory_may_be_missing() -> None:
    files = Files([])

    assert gather(files, [], expected=["prod"], ours=Job()).missing == ("prod",)
    assert files.missing_ok is True


def test_no_results_at_all_are_no_good_news_unless_none_were_expected() -> None:
    files = Files([])

    with pytest.raises(UsageError, match="There is no result"):
        gather(files, [])

    assert files.missing_ok is False
    assert gather(files, [], expected=[]).exit_code == 0


@pytest.mark.parametrize("evil", EVIL)
def test_no_text_of_another_job_is_obeyed(evil: str) -> None:
    bad = replace(
        RESULT,
        path=evil.replace("../", ""),
        commit=evil,
        engine=evil,
        outputs=(evil,),
        notes=(evil,),
        warnings=(evil,),
        reason=evil,
        todo=evil,
        items=tuple(replace(each, lines=(evil,), deposed=evil) for each in RESULT.items),
        diagnostics=(Diagnostic(evil, evil, evil, evil, evil),),
        fingerprint=evil,
        job=replace(JOB, workflow=evil, repository=evil),
    )
    try:
        data = encode_result(bad)
    except ValueError:
        pytest.skip("no JSON holds it, so no file can")

    (found,) = gather(Files([("a", data)]), []).results

    texts = [found.path, found.reason, *found.outputs, *found.notes, *found.warnings]
    texts += [*found.items[0].lines, found.items[0].deposed, found.job.repository, found.commit]
    assert all("\n" not in text and "\x1b" not in text for text in texts)


def test_people_are_not_needed_where_nobody_is_asked() -> None:
    outcome = Outcome(run(), Nothing("Nothing."))

    found = result_of_outcome(
        outcome, Occasion.REVIEW, job=JOB, people=People(), now=NOW, origin=Origin("p")
    )

    assert found.gate is not None
    assert found.gate.standing is Standing.NOTHING
