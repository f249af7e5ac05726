from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from driftctl_py.core.approval import Standing
from driftctl_py.core.assessment import Totals
from driftctl_py.core.decision import Apply, Hold, Judgement
from driftctl_py.core.history import RunRecord
from driftctl_py.core.plan_report import View
from driftctl_py.core.restraint import Restraint, Why
from driftctl_py.core.run import Applied, Purpose, Run, State
from driftctl_py.report.plan_document import render_plan_json
from driftctl_py.report.runs import (
    lifted_by,
    render_given_text,
    render_outcome_text,
    render_record_text,
    render_runs_text,
    restraint_words,
)
from driftctl_py.report.show import columns
from tests.report import plan_reports
from tests.report.plan_reports import EVIL
from tests.report.run_examples import (
    APPLIED,
    ASKED,
    BLOCKED,
    ENOUGH,
    FROZEN,
    HALF,
    HEALED,
    JUDGEMENT,
    NIGHTS,
    NOW,
    PARTLY,
    PEOPLE,
    PINNED,
    REJECTED,
    REQUIREMENT,
    SUSPENDED,
    THAWS,
    bare,
    entry,
    harmless,
    run,
    said,
)

PLAN = render_plan_json(plan_reports.of("drift_reverted", name="prod"), View.FULL).encode()
HELD = Hold(JUDGEMENT, REQUIREMENT, ASKED)


ENDS = [
    (State.PLANNING, "being planned by build-7:4711 since 2026-11-24 09:12 UTC", ""),
    (State.APPLYING, "being applied by build-7:4711 since 2026-11-24 09:12 UTC", ""),
    (State.IN_SYNC, "nothing to apply; 2 drifted, and apply leaves it so", "accept"),
    (State.ALLOWED, "allowed; the saved plan waits to be applied", "apply"),
    (State.HELD, "held; the saved plan waits for somebody's yes", "approve"),
    (State.REFUSED, "refused", ""),
    (State.REVIEWED, "reviewed; nothing was applied, and nothing waits", ""),
    (State.APPLIED, "applied 0 changes; a new plan finds nothing left to do", ""),
    (State.UNVERIFIED, "applied 0 changes; whether anything is left to do is not known", "plan"),
    (State.NOT_CONVERGED, "applied 0 changes, but a new plan still finds something", "plan"),
    (State.PARTLY_APPLIED, "partly applied: 0 done, 0 failed", "plan"),
    (State.FAILED, "failed; nothing was applied", ""),
    (State.UNKNOWN, "unknown", ""),
    (State.INTERRUPTED, "interrupted before anything was applied", "plan"),
    (State.STALE, "stale: the saved plan fits no more, and nothing was applied", "plan"),
    (State.REJECTED, "rejected", "plan"),
    (State.SUPERSEDED, "superseded: a later run made a plan of the same environment", ""),
]


# Any: whatever a run holds.
def ended(state: State, **more: Any) -> str:
    return render_outcome_text(run(state, **more), None, None)


def test_what_was_accepted_is_recorded_and_nothing_was_applied() -> None:
    accepted = run(State.APPLIED, purpose=Purpose.ACCEPT, applied=Applied(finished=True))

    text = render_outcome_text(accepted, None, None, took_seconds=2.0)

    assert text.startswith("prod: recorded in the state in 2.0 s\n  It records in the state what")
    assert "nothing left to do" not in text


def test_an_apply_that_converged_says_so_in_its_first_line() -> None:
    text = render_outcome_text(
        run(State.APPLIED, applied=APPLIED), Apply(JUDGEMENT), None, took_seconds=12.2
    )

    assert (
        text
        == """\
prod: applied 2 changes in 12 s; a new plan finds nothing left to do
  done:
    create aws_ssm_parameter.flag
    update aws_s3_bucket.assets
"""
    )


def test_what_failed_and_what_nobody_knows_come_before_what_was_done() -> None:
    text = render_outcome_text(
        run(
            State.PARTLY_APPLIED,
            applied=HALF,
            reason="aws_s3_bucket.assets: Access denied.",
            todo="Look at what is left: driftctl-py plan prod",
        ),
        Apply(JUDGEMENT),
        None,
    )

    assert (
        text
        == """\
prod: partly applied: 1 done, 1 failed, 1 unfinished
  aws_s3_bucket.assets: Access denied.
  failed:
    update aws_s3_bucket.assets
  unfinished: begun and never reported, so nobody knows:
    delete aws_instance.web
  done:
    create aws_ssm_parameter.flag
next: Look at what is left: driftctl-py plan prod
"""
    )


@pytest.mark.parametrize(("state", "words", "step"), ENDS)
def test_each_end_has_its_words_and_its_next_step(state: State, words: str, step: str) -> None:
    text = ended(state)

    assert text.startswith(f"prod: {words}")
    assert (f"\nnext: driftctl-py {step} prod" in text) is bool(step)
    assert ("\nnext:" in text) is bool(step)


def test_every_state_is_tried() -> None:
    assert [each[0] for each in ENDS] == list(State)


def test_in_sync_without_drift_there_is_nothing_to_say_and_to_do() -> None:
    assert ended(State.IN_SYNC, drifted=0) == "prod: nothing to apply\n"


def test_one_change_is_not_one_changes() -> None:
    applied = Applied(finished=True, done=("create x.y",))

    assert "applied 1 change;" in ended(State.APPLIED, applied=applied)


def test_much_that_was_done_is_cut_and_nothing_that_failed() -> None:
    addresses = tuple(f"create aws_instance.web[{at}]" for at in range(25))
    applied = Applied(finished=False, done=addresses, failed=addresses)

    text = ended(State.PARTLY_APPLIED, applied=applied)

    assert text.count("create aws_instance.web[24]") == 1
    assert "    … 5 more; --format json lists all\n" in text


def test_a_plan_is_shown_above_its_decision() -> None:
    report = plan_reports.of("drift_reverted", name="prod")

    text = render_outcome_text(run(), HELD, report, people=PEOPLE)

    assert text.startswith("prod: changes 2; 2 drifted\n")
    assert text.index("folder_bucket.assets") < text.index("\nprod: held\n")
    assert text.endswith('next: driftctl-py approve prod --reason "…"\n')


def test_what_changed_since_the_approval_comes_first() -> None:
    before = plan_reports.of("drift_reverted", name="prod")
    now = plan_reports.of("drift_and_pending", name="prod")

    text = render_outcome_text(
        run(), HELD, now, before=before, again="The state moved (serial 12, now 13)."
    )

    assert text.startswith("prod: planned again. The state moved (serial 12, now 13).\n")
    assert "  A  the plan that waited\n  B  the plan now\n" in text
    assert text.index("the plan now") < text.index("\nprod: held\n")


def test_drift_that_was_put_back_first_is_told_first() -> None:
    healed = run(State.APPLIED, purpose=Purpose.HEAL, applied=APPLIED, commit="3f2a91c" + "0" * 33)

    text = render_outcome_text(run(), HELD, None, healed=healed, people=PEOPLE)

    assert text.startswith(
        "prod: applied 2 changes; a new plan finds nothing left to do\n"
        "  It puts drift back at 3f2a91c, the commit that was applied last; a newer one\n  waits.\n"
    )
    assert "\n\nprod: held\n" in text


def test_what_was_applied_needs_no_plan() -> None:
    report = plan_reports.of("drift_reverted", name="prod")

    text = render_outcome_text(run(State.APPLIED, applied=APPLIED), None, report)

    assert "recorded → real" not in text


def test_a_yes_says_what_it_is_good_for_and_what_is_still_missing() -> None:
    text = render_given_text(said(), "ada", PARTLY, run(), people=PEOPLE)

    assert (
        text
        == """\
prod: ada (github:ada) approved k7qm-2d4x
  run 20261124T091200-3f2a, 77b0de4
  good until 2026-11-25 09:14 UTC for what this plan means, whatever commit it
    is made of; not when its engine, inputs, modules or state are others
  does not count: ken (os:ken, unverified): the operating system's word does not
    count
  needs 1 more of: dba (ada, grace); not the author of 77b0de4 (linus); a yes is
    good for 24 h
"""
    )


def test_a_yes_that_was_enough_leads_to_apply() -> None:
    text = render_given_text(said(), "ada", ENOUGH, run(), people=PEOPLE)

    assert text.endswith("\nnext: driftctl-py apply prod\n")
    assert "needs" not in text


def test_a_yes_of_somebody_unverified_says_so() -> None:
    text = render_given_text(said("os:eve"), "os:eve", ENOUGH, run(requirement=None))

    assert text.startswith("prod: os:eve, unverified, approved k7qm-2d4x\n")


def test_a_no_leads_to_another_plan() -> None:
    no = said("github:grace", yes=False)

    text = render_given_text(no, "grace", REJECTED, run(State.REJECTED), people=PEOPLE)

    assert text.startswith("prod: grace (github:grace) rejected k7qm-2d4x\n")
    assert text.endswith("\nnext: driftctl-py plan prod\n")


def test_a_run_is_shown_with_all_that_is_kept_about_it() -> None:
    record = RunRecord(run(base="20261123T01"), NOW, PARTLY, (entry(),), (SUSPENDED,), PLAN)

    text = render_record_text(record, people=PEOPLE)

    assert text.startswith(
        "prod: held; the saved plan waits for somebody's yes\n\n  run          2026"
    )
    for each in (
        "  begun by     os:ada (plan) on build-7:4711\n",
        "  commit       77b0de4000000000000000000000000000000000 (main)\n",
        "  plan         drifted: 1 to add, 1 to change, 0 to destroy, 2 drifted\n",
        "  fingerprint  k7qm-2d4x\n",
        "  state        3b1c5e07-lineage, serial 12\n",
        "  instead of   run 20261123T01\n",
        '        tags.team  "platform" → "growth"   recorded → real\n',
        "\nWhat was decided\n  drift  aws_ssm_parameter.flag ",
        "\nWho said what\n  approved by ada (github:ada) at",
        "\nWhat holds the environment back\n  suspended until 2026-11-26 09:14 UTC; by os:ada",
        "\nWhat is kept\n  plan  sha256-111",
        "\nWhat happened\n  2026-11-24 09:14 UTC  decided  by os:ada: decision held\n",
    ):
        assert each in text
    assert text.endswith('\nnext: driftctl-py approve prod --reason "…"\n')
    assert max(map(columns, text.splitlines())) <= 80


def test_a_run_that_ended_before_there_was_a_plan_shows_what_is_known() -> None:
    failed = bare(State.FAILED, reason="No plan came about.\nIt is main.tf:3.", ended_at=NOW)

    assert (
        render_record_text(RunRecord(failed, NOW))
        == """\
prod: failed; nothing was applied

  run          20261124T091200-3f2a
  begun by     os:ada (plan) on build-7:4711
  at           2026-11-24 09:12 UTC, ended 2026-11-24 09:14 UTC
  No plan came about.
  It is main.tf:3.
"""
    )


@pytest.mark.parametrize(
    ("record", "words"),
    [
        (RunRecord(run(), NOW, plan=b"{}"), "not a document that this version of driftctl-py"),
        (RunRecord(run(), NOW, no_plan="The artifact is gone."), "  The artifact is gone.\n"),
    ],
)
def test_a_plan_that_cannot_be_shown_says_why(record: RunRecord, words: str) -> None:
    assert words in render_record_text(record)


def test_what_is_not_known_of_a_run_is_left_out() -> None:
    sparse = run(
        ref="", serial=None, purpose=Purpose.HEAL, judgement=Judgement(), requirement=REQUIREMENT
    )

    text = render_record_text(RunRecord(sparse, NOW, Standing(missing=1)))

    assert "begun by     os:ada (plan, heal) on" in text
    assert "0000\n  engine" in text
    assert "state        3b1c5e07-lineage\n" in text
    assert "It puts drift back at 77b0de4" in text


def test_nobody_was_asked_where_nothing_is_missing() -> None:
    record = RunRecord(run(State.ALLOWED), NOW, Standing())

    assert "\nWho said what\n  nobody was asked\n" in render_record_text(record)


def test_an_approved_run_is_to_be_applied() -> None:
    record = RunRecord(run(), NOW, ENOUGH)

    assert render_record_text(record).endswith("\nnext: driftctl-py apply prod\n")


def test_a_digest_is_told_by_its_beginning_and_a_reason_whole() -> None:
    reason = "The flag is ours, and has been since the beginning of time."
    evidence = {"plan": "sha256-" + "1" * 64, "reason": reason, "empty": ""}
    record = RunRecord(bare(State.UNKNOWN), NOW, events=(entry(evidence=evidence),))

    text = " ".join(render_record_text(record).split())

    assert text.endswith(f"by os:ada: plan sha256-1111111111111…, reason {reason}")


def test_an_event_without_evidence_has_no_colon() -> None:
    record = RunRecord(bare(State.UNKNOWN), NOW, events=(entry(evidence={}),))

    assert render_record_text(record).endswith("decided  by os:ada\n")


def test_runs_are_a_table_with_the_latest_first() -> None:
    long = "staging-with-a-rather-long-name-that-goes-on-and-on"
    runs: list[Run] = [
        run(),
        run(State.APPLIED, environment=long, purpose=Purpose.HEAL, totals=Totals(destroy=3)),
        bare(State.FAILED, environment="dev", started_at=NOW - timedelta(hours=3)),
    ]

    text = render_runs_text(runs, now=NOW)

    lines = text.splitlines()
    assert lines[0].split() == [*("run", "environment", "state", "changes", "commit", "age")]
    assert "held" in lines[2]
    assert "applied (heal)" in lines[3]
    assert lines[3].split()[1].startswith("sta")
    assert lines[4].split()[2:] == ["failed", "3", "h"]
    assert [" +1 ~1 " in lines[2], " -3 " in lines[3]] == [True, True]
    assert max(map(columns, lines)) <= 80


def test_a_plan_that_changes_nothing_is_told_from_none() -> None:
    nothing = run(State.IN_SYNC, totals=Totals())

    assert " 0        77b0de4" in render_runs_text([nothing], now=NOW)


def test_no_run_is_a_sentence() -> None:
    assert render_runs_text([], now=NOW) == "No run is stored.\n"


def test_colours_repeat_how_a_run_stands() -> None:
    text = render_runs_text([run(), run(State.SUPERSEDED)], now=NOW, width=120, color=True)

    assert "\x1b[33mheld\x1b[0m" in text
    assert "superseded\x1b" not in text


@pytest.mark.parametrize(
    ("restraint", "words", "way"),
    [
        (SUSPENDED, "suspended until 2026-11-26 09:14 UTC; by os:ada", "resume"),
        (replace(SUSPENDED, until=None), "suspended until somebody resumes it; by", "resume"),
        (PINNED, "pinned at 77b0de4 until it is released; by os:ada", "release"),
        (BLOCKED, "blocked since run 20261124T09: nothing is applied until", "unblock"),
        (replace(BLOCKED, run=""), "blocked: nothing is applied until it is unblocked", "unblock"),
    ],
)
def test_what_holds_back_says_how_it_is_lifted(restraint: Restraint, words: str, way: str) -> None:
    assert restraint_words(restraint).startswith(words)
    assert lifted_by(restraint) == f'driftctl-py {way} prod --reason "…"'


def test_a_freeze_of_everything_names_no_environment() -> None:
    for_ever = replace(FROZEN, until=None)

    assert restraint_words(FROZEN) == (
        "frozen like everything else until 2026-11-24 17:14 UTC; by os:ada: Black Friday."
    )
    assert "else until somebody thaws it; by" in restraint_words(for_ever)
    assert lifted_by(FROZEN) == 'driftctl-py thaw --reason "…"'


def test_each_kind_of_restraint_has_words() -> None:
    assert {SUSPENDED.why, PINNED.why, BLOCKED.why, FROZEN.why} == set(Why)


ALLOWED = Judgement((HEALED,))


def test_a_plan_that_waits_for_its_time_says_so_and_until_when() -> None:
    alone = ended(State.HELD, closed=(NIGHTS,), judgement=ALLOWED, reason=NIGHTS.why)
    # Whoever makes no decision of it anew knows only what it took then.
    asked = ended(State.HELD, closed=(NIGHTS,), reason=NIGHTS.why)

    assert alone.startswith("prod: held; the saved plan waits for its time\n  Commits are applied")
    assert asked.startswith(
        "prod: held; the saved plan waits for its time, and for a yes unless it has it\n"
    )


def test_a_record_of_what_waits_for_its_time_says_what_to_do_then() -> None:
    made = run(State.HELD, closed=(NIGHTS, THAWS), judgement=ALLOWED)
    ended = replace(NIGHTS, until=NOW)

    def next_of(made: Run, standing: Standing = ENOUGH, **more: Any) -> str:
        text = render_record_text(RunRecord(made, NOW, standing, **more))
        return text.splitlines()[-1]

    # The freeze was thawed since then, or not.
    assert next_of(made) == "next: from 2026-11-24 21:00 UTC: driftctl-py apply prod"
    assert next_of(replace(made, closed=(ended, THAWS))) == "next: driftctl-py apply prod"
    frozen = (replace(FROZEN, until=None),)
    assert next_of(made, restraints=frozen) == 'next: driftctl-py thaw --reason "…"'
    assert next_of(made, ASKED) == 'next: driftctl-py approve prod --reason "…"'
    allowed = replace(made, state=State.ALLOWED, closed=())
    assert next_of(allowed, restraints=(FROZEN,)) == (
        "next: from 2026-11-24 17:14 UTC: driftctl-py apply prod"
    )


def test_a_yes_to_what_waits_for_its_time_says_when_it_can_be_applied() -> None:
    text = render_given_text(said(), "ada", ENOUGH, run(closed=(NIGHTS,)), people=PEOPLE)

    assert "Commits are applied only during nights" in text
    assert text.endswith("next: from 2026-11-24 21:00 UTC: driftctl-py apply prod\n")


@pytest.mark.parametrize("evil", EVIL)
def test_nothing_foreign_reaches_a_terminal_as_it_came(evil: str) -> None:
    half = Applied(finished=False, done=(evil,), failed=(evil,), unfinished=(evil,))
    made = run(
        State.PARTLY_APPLIED,
        environment=evil,
        worker=evil,
        actor=evil,
        ref=evil,
        engine=evil,
        reason=evil,
        todo=evil,
        applied=half,
        artifacts={evil: evil},
    )
    standing = Standing(given=(said(reason=evil),), missing=1)
    restraint = replace(SUSPENDED, reason=evil, by=evil)
    events = (entry(who=evil, evidence={evil: evil}),)
    record = RunRecord(made, NOW, standing, events, (restraint,), no_plan=evil)

    assert harmless(render_outcome_text(made, None, None, again=evil))
    assert harmless(render_record_text(record))
    assert harmless(render_runs_text([made], now=NOW))
    assert harmless(render_given_text(said(evil), evil, standing, made))


def test_a_requirement_of_long_ago_is_not_made_up() -> None:
    old = RunRecord(run(requirement=None), NOW, Standing(missing=1))

    assert "Who said what" not in render_record_text(old)


def test_a_yes_to_a_review_waits_for_the_merge_and_a_no_leads_nowhere() -> None:
    review = run(State.REVIEWED, purpose=Purpose.REVIEW)

    yes = render_given_text(said(), "ada", ENOUGH, review, people=PEOPLE)
    no = render_given_text(said(yes=False), "ada", REJECTED, review, people=PEOPLE)

    assert yes.endswith("  It counts once this is merged and applied.\n")
    assert "next" not in yes + no


@pytest.mark.parametrize(
    ("standing", "judgement", "asks"),
    [
        (ASKED, JUDGEMENT, True),
        (ENOUGH, JUDGEMENT, False),
        (None, JUDGEMENT, False),
        (ASKED, Judgement(), False),
        (ASKED, None, False),
    ],
)
def test_a_review_can_be_approved_where_a_yes_would_make_a_difference(
    standing: Standing | None, judgement: Judgement | None, asks: bool
) -> None:
    review = run(State.REVIEWED, purpose=Purpose.REVIEW, judgement=judgement)

    text = render_record_text(RunRecord(review, NOW, standing=standing), people=PEOPLE)

    assert ("next: driftctl-py approve 20261124T091200-3f2a" in text) is asks
