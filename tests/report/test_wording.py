from __future__ import annotations

from typing import Any

import pytest

from driftctl_py.core.assessment import Assessment, AttributeChange, Finding, Origin
from driftctl_py.core.plan import Kind
from driftctl_py.core.values import ABSENT, UNKNOWN, Value
from driftctl_py.report import wording
from tests.report.examples import (
    checked,
    finding,
    planned,
    report_of,
    with_findings,
)


def tolerated(**more: Any) -> Finding:
    facts: dict[str, Any] = {
        "kind": Kind.NO_OP,
        "drift": Kind.UPDATE,
        "origin": Origin.DRIFT_TOLERATED,
    }
    return finding(**facts | {"drifted": True, "pending": False} | more)


def gone() -> Finding:
    return tolerated(drift=Kind.DELETE, origin=Origin.DRIFT_GONE)


def reverted() -> Finding:
    return tolerated(kind=Kind.UPDATE, origin=Origin.DRIFT_REVERTED)


@pytest.mark.parametrize(
    ("found", "symbol", "remark"),
    [
        (finding(), "~", ""),
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
        (tolerated(), "!", "drift: changed outside; apply leaves it so"),
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

    (aside,) = wording.asides(assessment, strict=False)  # type: ignore[arg-type]
    assert aside.startswith("1 equivalent difference ")
    assert wording.asides(assessment, strict=True) == []  # type: ignore[arg-type]
    assert wording.asides(Assessment(check_reads=2, reads=1), strict=False) == [
        "2 data sources read for checks, as always",
        "1 data source to be read during apply",
    ]


def test_a_check_that_fails_is_a_warning_without_its_message() -> None:
    (warning,) = wording.warnings(checked("a"), planned("check_fails").outcome.assessment)  # type: ignore[union-attr]

    assert warning.startswith("check.region does not hold.")
    assert "eu-west-1" not in warning
