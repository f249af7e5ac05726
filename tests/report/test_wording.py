from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from driftctl_py.core.assessment import Assessment, AttributeChange, Finding, Origin
from driftctl_py.core.environment import ApplyModes, Mode
from driftctl_py.core.plan import ActionInvocation, CheckResult, Kind
from driftctl_py.core.plan_report import View
from driftctl_py.core.risk import Risk
from driftctl_py.core.values import ABSENT, UNKNOWN, Value
from driftctl_py.report import wording
from tests.report import plan_reports
from tests.report.examples import (
    checked,
    finding,
    planned,
    report_of,
    with_findings,
)
from tests.report.plan_reports import entry, plan


def tolerated(**more: Any) -> Finding:
    facts: dict[str, Any] = {
        "kind": Kind.NO_OP,
        "drift": Kind.UPDATE,
        "origin": Origin.DRIFT_TOLERATED,
    }
    return finding(**facts | {"drifted": True, "pending": False} | more)


def gone(**more: Any) -> Finding:
    return tolerated(drift=Kind.DELETE, origin=Origin.DRIFT_GONE, **more)


def reverted() -> Finding:
    return tolerated(kind=Kind.UPDATE, origin=Origin.DRIFT_REVERTED)


@pytest.mark.parametrize(
    ("found", "symbol", "remark"),
    [
        (finding(), "~", "nothing that a plan shows differs"),
        (finding(drifted=True), "~", ""),
        (finding(kind=Kind.READ), "<=", ""),
        (finding(kind=Kind.CREATE), "+", ""),
        (
            finding(kind=Kind.REPLACE_CREATE_FIRST, reason="replace_because_tainted"),
            "+/-",
            "replace, creates first; tainted: its creation failed half-way",
        ),
        (
            finding(kind=Kind.DELETE, reason="delete_because_of_the_weather"),
            "-",
            "delete because of the weather",
        ),
        (finding(kind=Kind.DELETE, deposed="4b05ce80"), "-", "deposed object 4b05ce80"),
        (
            finding(kind=Kind.FORGET, reason="forgot_because_lifecycle_destroy_in_config"),
            ".",
            "forget: leaves the state, the object stays; destroy = false in the code",
        ),
        (
            finding(kind=Kind.FORGET_THEN_CREATE),
            "./+",
            "replace without destroying: the old object stays, unmanaged",
        ),
        (
            finding(kind=Kind.CREATE_THEN_FORGET),
            "+/.",
            "replace without destroying: the old object stays, unmanaged",
        ),
        (
            finding(kind=Kind.UNKNOWN, actions=("evaporate", "create")),
            "?",
            "actions that this version does not know: evaporate, create",
        ),
        (finding(sensitivity_changed=True), "~", "only what counts as sensitive changes"),
        (finding(kind=Kind.NO_OP, previous_address="x.old"), ">", "moved from x.old"),
        (
            finding(kind=Kind.NO_OP, imported=True, previous_address="x.old", reason="whatever"),
            "<",
            "moved from x.old; imported",
        ),
        (finding(kind=Kind.NO_OP, pending=False, origin=Origin.EQUIVALENT), "=", ""),
        (tolerated(), "!", "drift: changed outside; apply leaves it so"),
        (tolerated(only_recorded=True), "!", "drift: changed outside; apply records it"),
        (gone(only_recorded=True), "!", "drift: deleted outside; apply forgets it"),
        (
            tolerated(previous_address="x.old", origin=Origin.BOTH),
            ">",
            "moved from x.old; drift: changed outside; also pending",
        ),
        (
            tolerated(imported=True, origin=Origin.BOTH),
            "<",
            "imported; drift: changed outside; also pending",
        ),
        (gone(), "!", "drift: deleted outside; the code does not want it back"),
        (reverted(), "~", "drift: changed outside; apply puts it back"),
        (
            tolerated(kind=Kind.UPDATE, origin=Origin.UNDETERMINED),
            "~",
            "drift: changed outside; what apply makes of it is not known yet",
        ),
        (
            tolerated(drift=Kind.UNKNOWN, drifted=False, origin=Origin.UNDETERMINED),
            "!",
            "drift of a kind that this version does not know",
        ),
    ],
)
def test_a_finding_has_a_symbol_and_a_remark(found: Finding, symbol: str, remark: str) -> None:
    assert wording.symbol(found) == symbol
    assert wording.remark(found) == remark


@pytest.mark.parametrize("kind", [kind for kind in Kind if kind is not Kind.NO_OP])
def test_every_kind_has_a_symbol_of_at_most_three_characters(kind: Kind) -> None:
    assert 1 <= len(wording.symbol(finding(kind=kind))) <= 3


def test_what_destroys_comes_first_then_what_nobody_knows_then_drift() -> None:
    found = [
        finding("rest"),
        reverted(),
        finding("odd", kind=Kind.UNKNOWN),
        finding("gone", kind=Kind.DELETE),
        finding("new", kind=Kind.REPLACE),
    ]

    order = [each.address for each in wording.in_reading_order(found)]
    assert order == ["gone", "new", "odd", "x.y", "rest"]


@pytest.mark.parametrize(
    ("origin", "drifted", "real", "planned", "names"),
    [
        (Origin.PENDING, False, 1, 2, "real planned"),
        (Origin.DRIFT_REVERTED, True, 1, 2, "recorded real"),
        (Origin.DRIFT_TOLERATED, True, 1, 2, "recorded real"),
        (Origin.EQUIVALENT, False, 1, 2, "recorded real"),
        (Origin.BOTH, True, 1, 2, "recorded real planned"),
        (Origin.BOTH, True, 1, ABSENT, "recorded real planned"),
        (Origin.BOTH, True, ABSENT, 2, "recorded real planned"),
        (Origin.UNDETERMINED, True, 1, UNKNOWN, "recorded real planned"),
        (Origin.UNDETERMINED, False, 1, UNKNOWN, "real planned"),
    ],
)
def test_drift_reads_recorded_to_real_and_what_is_pending_real_to_planned(
    origin: Origin, drifted: bool, real: Value, planned: Value, names: str
) -> None:
    attribute = AttributeChange(("a",), 0, real, planned, origin, drifted=drifted)

    assert [name for name, _ in wording.told_by(attribute)] == names.split()


@pytest.mark.parametrize(
    ("real", "planned", "names"), [(1, ABSENT, "recorded real"), (ABSENT, 2, "recorded planned")]
)
def test_that_an_object_is_not_there_is_not_told_of_each_of_its_attributes(
    real: Value, planned: Value, names: str
) -> None:
    attribute = AttributeChange(("a",), 0, real, planned, Origin.BOTH, drifted=True)

    assert [name for name, _ in wording.told_by(attribute, whole=True)] == names.split()


def test_of_a_new_or_deleted_object_only_drift_is_listed() -> None:
    pending = AttributeChange(("a",), None, None, 1, Origin.PENDING, drifted=False)
    drifted = AttributeChange(("b",), 1, 2, ABSENT, Origin.BOTH, drifted=True)

    assert wording.shown_attributes(finding(kind=Kind.CREATE, attributes=(pending,))) == ([], 0)
    assert wording.shown_attributes(finding(kind=Kind.DELETE, attributes=(pending, drifted))) == (
        [drifted],
        0,
    )


def test_what_is_known_later_is_listed_where_there_is_nothing_else() -> None:
    later = AttributeChange(("id",), 1, 1, UNKNOWN, Origin.UNDETERMINED, drifted=False)
    plain = AttributeChange(("a",), 1, 1, 2, Origin.PENDING, drifted=False)
    spelling = AttributeChange(("b",), None, {}, {}, Origin.EQUIVALENT, drifted=False)

    assert wording.shown_attributes(finding(attributes=(later, spelling))) == ([later], 0)
    assert wording.shown_attributes(finding(attributes=(later, plain))) == ([plain], 1)


def test_the_sentence_over_drift_says_what_apply_does() -> None:
    def sentence(*findings: Finding) -> str:
        return wording.over_environment(with_findings(*findings))

    assert sentence(reverted()) == "prod: changed outside Git; applying puts it back"
    assert sentence(tolerated(), gone()) == "prod: changed outside Git; applying leaves it so"
    assert (
        sentence(tolerated(), reverted()) == "prod: changed outside Git; applying puts 1 of 2 back"
    )


def test_without_a_revision_the_code_is_not_applied() -> None:
    check = with_findings(finding())

    assert wording.over_environment(check) == "prod: 77b0de4 is not applied yet"
    bare = checked("prod", check.outcome, revision=None)
    assert wording.over_environment(bare) == "prod: the code is not applied yet"


def test_what_apply_leaves_has_another_remedy_than_what_it_reverts() -> None:
    report = report_of(with_findings(tolerated()), with_findings(reverted(), name="dev"))

    back, left, again = wording.next_steps(report)
    assert back.startswith("drifted: apply dev the way")
    assert left.startswith("drifted, and apply leaves it: undo it in prod by hand")
    assert again == "look again: driftctl-py check prod dev"


def test_where_we_may_apply_the_next_step_is_our_own_command() -> None:
    gated = ApplyModes(git=Mode.GATE, drift=Mode.AUTO)
    found = [
        replace(with_findings(reverted(), finding(), name=name), modes=gated)
        for name in ("a b", "dev", "prod")
    ]
    healed = replace(
        with_findings(reverted(), finding(), name="qa"), modes=replace(gated, git=Mode.NEVER)
    )

    assert wording.next_steps(report_of(*found, healed))[:3] == [
        "drifted: driftctl-py apply 'a b', and so for dev, prod and qa, puts it back; or take the "
        "change over into the code",
        "pending: driftctl-py plan 'a b', and so for dev and prod, makes a plan that can be "
        "applied",
        "pending: apply qa the way you always do",
    ]
    many = [replace(found[2], environment=f"e{n}") for n in range(9)]
    assert wording.next_steps(report_of(*many))[0].startswith(
        "drifted: driftctl-py apply e0, and so for 8 more, puts"
    )
    assert wording.next_steps(report_of(found[2]))[0] == (
        "drifted: driftctl-py apply prod puts it back; or take the change over into the code"
    )


def test_many_environments_are_counted_rather_than_named() -> None:
    checks = [with_findings(finding(), name=f"env {n}") for n in range(7)]

    assert wording.next_steps(report_of(*checks)) == [
        "pending: apply 7 environments the way you always do",
        "look again: driftctl-py check",
    ]
    assert wording.next_steps(report_of(*checks[:3]))[0].startswith(
        "pending: apply env 0, env 1 and env 2 the"
    )


def test_a_command_can_be_pasted_whatever_the_names() -> None:
    assert wording.check_command(["prod", "a b; rm"]) == "driftctl-py check prod 'a b; rm'"


def test_spelling_is_an_aside_unless_it_counts() -> None:
    check = planned("equivalent")
    assessment = check.outcome.assessment  # type: ignore[union-attr]  # it was planned

    (aside,) = wording.asides(assessment, strict=False)  # type: ignore[arg-type]  # all that it asks for
    assert aside.startswith("1 equivalent difference ")
    assert wording.asides(assessment, strict=True) == []  # type: ignore[arg-type]  # all that it asks for
    assert wording.asides(Assessment(check_reads=2, reads=1), strict=False) == [
        "2 data sources read for checks, as always",
        "1 data source to be read during apply",
    ]


def test_a_check_that_fails_is_a_warning_without_its_message() -> None:
    (warning,) = wording.warnings(checked("a"), planned("check_fails").outcome.assessment)  # type: ignore[union-attr]  # it was assessed

    assert warning.startswith("check.region does not hold.")
    assert "eu-west-1" not in warning


@pytest.mark.parametrize(
    ("status", "words"),
    [
        ("pass", "check.a holds."),
        ("fail", "check.a does not hold. (Its message may hold values, so it is not shown.)"),
        (
            "error",
            "check.a could not be evaluated. (Its message may hold values, so it is not shown.)",
        ),
        ("unknown", "check.a is only known after apply."),
        ("skipped", "check.a: skipped."),
    ],
)
def test_a_check_is_told_by_how_it_came_out(status: str, words: str) -> None:
    assert wording.check_result(CheckResult("check.a", status)) == words


def answered(*entries: object, **parts: Any) -> str:
    return wording.plan_answer(plan_reports.report_of(plan(resource_changes=[*entries], **parts)))


def test_the_answer_about_a_plan_names_what_is_worst_first() -> None:
    answer = answered(
        entry("x.a", "forget"),
        entry("x.b", "create", before=None),
        entry("x.c", "no-op", previous_address="x.old"),
        entry("x.d", "no-op", importing={"id": "d"}),
        entry("x.e", "update", after={"a": 1}),
        entry("x.f", "evaporate"),
        entry("x.g", "create", "delete"),
        entry("x.h", "delete", after=None),
        entry("x.i", "forget", "create"),
        entry("x.j", "create", "forget"),
        output_changes={"o": {"actions": ["create"]}, "p": {"actions": ["delete"]}},
        action_invocations=[{"address": "action.mail.ada"}],
        checks=[{"address": {"to_display": f"check.{n}"}, "status": "fail"} for n in "ab"],
    )

    assert answer == (
        "plan.json: destroys 1, replaces 1, does what this version does not know to 1, changes 1, "
        "adds 1, moves 1, imports 1, forgets 1, forgets and makes anew 2, changes 2 outputs, "
        "runs 1 action; 2 checks fail"
    )


def test_the_answer_about_a_plan_tells_outputs_apart_that_nobody_understands() -> None:
    outputs = {"o": {"actions": ["create"]}, "p": {"actions": ["melt"]}}

    assert answered(output_changes=outputs) == (
        "plan.json: does what this version does not know to 1 output, changes 1 output"
    )
    assert answered(output_changes={"p": outputs["p"]}) == (
        "plan.json: does what this version does not know to 1 output"
    )


def test_the_answer_about_a_plan_says_in_sync_of_a_complete_one_only() -> None:
    drift = {"resource_drift": [entry("x.y", "update", before={"a": 1}, after={"a": 2})]}

    assert answered(complete=True) == "plan.json: no changes: in sync"
    # Its engine does not say: it may have been limited to a part.
    assert answered() == "plan.json: no changes"
    left = entry("x.y", "no-op")
    assert answered(left, **drift) == "plan.json: nothing to apply; 1 drifted"
    # Without any resources it is a plan of -refresh-only.
    assert answered(**drift) == "plan.json: records what it found; 1 drifted"
    assert answered(complete=False) == (
        "plan.json: incomplete; whether anything would change is not known"
    )
    assert answered(errored=True, **drift) == (
        "plan.json: incomplete; as far as is known: nothing to apply; 1 drifted"
    )


@pytest.mark.parametrize(
    ("touched", "managed", "words"),
    [
        (0, 5, "no object"),
        (3, 0, "3 objects"),
        (1, 1, "1 of 1 object, 100 %"),
        (7, 120, "7 of 120 objects, 6 %"),
        (1, 5000, "1 of 5000 objects, 1 %"),
        (4999, 5000, "4999 of 5000 objects, 99 %"),
        (6, 5, "6 of 6 objects, 100 %"),
    ],
)
def test_how_far_a_plan_reaches_is_never_rounded_to_none_or_all(
    touched: int, managed: int, words: str
) -> None:
    report = replace(plan_reports.of("clean"), risk=Risk(touched=touched, managed=managed))

    assert dict(wording.plan_facts(report))["touches"] == words


def test_what_holds_data_is_named_with_what_becomes_of_it() -> None:
    report = plan_reports.report_of(
        plan(
            resource_changes=[
                entry("aws_s3_bucket.a", "delete", after=None),
                entry("aws_s3_bucket.b", "delete", "create"),
                entry("aws_s3_bucket.c", "forget"),
                entry("aws_s3_bucket.d", "evaporate"),
                entry("aws_s3_bucket.e", "update", after={"a": 1}),
            ]
        )
    )

    assert dict(wording.plan_facts(report))["holds data"] == (
        "aws_s3_bucket.a (bucket, destroyed), aws_s3_bucket.b (bucket, replaced), "
        "aws_s3_bucket.c (bucket, forgotten), aws_s3_bucket.d (bucket, not known)"
    )


def test_a_fingerprint_is_short_but_in_the_full_view_and_says_when_it_lacks_the_secrets() -> None:
    keyed = plan_reports.of("rich", keyed=True)
    unkeyed = plan_reports.of("rich")

    assert dict(wording.plan_facts(keyed))["fingerprint"] == keyed.fingerprint.short
    assert dict(wording.plan_facts(keyed, View.FULL))["fingerprint"] == str(keyed.fingerprint)
    assert dict(wording.plan_facts(unkeyed))["fingerprint"] == (
        f"{unkeyed.fingerprint.short} (unkeyed: without its secrets)"
    )


def test_a_plan_without_an_engine_names_none() -> None:
    report = plan_reports.report_of(plan(terraform_version=""))

    assert "engine" not in dict(wording.plan_facts(report))


def test_a_replacement_in_a_summary_names_what_forces_it() -> None:
    def forced(*names: str) -> str:
        attributes = tuple(
            AttributeChange((n,), 1, 1, 2, Origin.PENDING, drifted=False, forces_replacement=True)
            for n in names
        )
        found = finding(kind=Kind.REPLACE, attributes=attributes)
        return wording.plan_remark(found, None, View.SUMMARY)

    start = "replace, destroys first; not applied yet"
    assert forced() == start
    assert forced("a", "b", "c", "d") == f"{start}; forced by a, b, c, d"
    assert forced("a", "b", "c", "d", "e") == f"{start}; forced by a, b, c and 2 more"


def test_a_destroy_that_the_code_does_not_explain_is_said_to_be_pending() -> None:
    def remark(**more: Any) -> str:
        return wording.plan_remark(finding(kind=Kind.DELETE, **more), None, View.CHANGES)

    assert remark() == "not applied yet"
    assert remark(reason="delete_because_no_module") == "its module is not in the code any more"
    assert remark(reason="delete_because_of_rain") == "delete because of rain; not applied yet"
    assert "not applied" not in remark(drifted=True, origin=Origin.BOTH)


def test_an_import_is_told_by_what_the_object_is_found_by() -> None:
    found = finding(kind=Kind.NO_OP, imported=True)

    assert wording.remark(found, found_by="i-1") == 'imported as "i-1"'
    assert wording.remark(found, found_by={"arn": "x"}) == 'imported as {"arn": "x"}'
    assert wording.remark(found) == "imported"


def test_what_holds_data_is_marked_where_it_goes_or_is_let_go() -> None:
    def marked(kind: Kind) -> bool:
        return "holds data: bucket" in wording.remark(finding("aws_s3_bucket.it", kind=kind))

    goes = {kind for kind in Kind if marked(kind)}
    assert goes == {
        Kind.DELETE,
        Kind.REPLACE,
        Kind.REPLACE_CREATE_FIRST,
        Kind.FORGET,
        Kind.FORGET_THEN_CREATE,
        Kind.CREATE_THEN_FORGET,
        Kind.UNKNOWN,
    }


def test_an_action_is_told_with_what_triggers_it_and_when() -> None:
    def told(**more: Any) -> str:
        return wording.invocation(ActionInvocation("action.mail.ada", **more))

    assert told() == "action.mail.ada: apply runs this action"
    assert told(event="Invoke") == "action.mail.ada: apply runs this action (invoke)"
    assert told(triggered_by="x.y", event="AfterCreate") == (
        "action.mail.ada: apply runs this action (triggered by x.y, after create)"
    )


@pytest.mark.parametrize(
    ("real", "planned", "said"),
    [
        ("a b", "a  b", True),
        ("a\tb", "ab", True),
        ("a", "b", False),
        ("a\n", "a", False),  # told line by line, and said there
        (1, 2, False),
    ],
)
def test_a_change_of_white_space_alone_is_said(real: Value, planned: Value, said: bool) -> None:
    attribute = AttributeChange(("a",), real, real, planned, Origin.PENDING, drifted=False)

    assert ("only whitespace" in wording.attribute_remarks(attribute)) is said


def test_that_sensitivity_changes_is_said_beside_other_changes() -> None:
    attribute = AttributeChange(("a",), 1, 1, 2, Origin.PENDING, drifted=False)

    found = finding(sensitivity_changed=True, attributes=(attribute,))
    assert wording.remark(found) == "what counts as sensitive changes too"


def test_what_stays_is_counted_and_checks_that_hold_too() -> None:
    checks = [{"address": {"to_display": f"check.{n}"}, "status": "pass"} for n in "ab"]
    report = plan_reports.report_of(
        plan(
            resource_changes=[
                entry("x.a", "no-op"),
                entry("x.b", "no-op"),
                entry("x.c", "update", after={"a": 1}),
                entry("x.a", "delete", deposed="4b05ce80", after=None),
                entry("data.x.y", "read", mode="data"),
            ],
            checks=checks,
        )
    )

    assert wording.plan_asides(report, View.CHANGES) == [
        "1 data source to be read during apply",
        "2 checks hold",
        "2 objects unchanged",
        "its engine does not say whether it covers everything, or a -target only",
    ]
    assert wording.plan_checks(report, View.CHANGES) == []
    assert wording.plan_checks(report, View.FULL) == ["check.a holds.", "check.b holds."]
