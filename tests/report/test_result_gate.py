from __future__ import annotations

import pytest

from driftctl_py.core.approval import Standing as Stands
from driftctl_py.core.decision import (
    Apply,
    Cause,
    Decision,
    Hold,
    Judged,
    Judgement,
    Level,
    Nothing,
    Refuse,
    Ruling,
    denials,
)
from driftctl_py.core.result import Gated, Standing
from driftctl_py.report.result_gate import gated
from tests.report.plan_reports import EVIL
from tests.report.run_examples import (
    ASKED,
    ENOUGH,
    JUDGEMENT,
    NIGHTS,
    PEOPLE,
    REQUIREMENT,
    harmless,
    run,
    said,
)

SWITCH = Ruling(Level.APPROVE, "apply.git: gate")
KEEP = Ruling(Level.DENY, "keep", "driftctl.yaml:9", "It holds data.")


def told(decision: Decision) -> Gated:
    return gated(run(), decision, PEOPLE)


def of(*changes: Judged, plan: tuple[Ruling, ...] = ()) -> Judgement:
    return Judgement(changes, plan)


def test_nothing_to_apply_says_why() -> None:
    assert told(Nothing("The plan has nothing to apply.")) == Gated(
        Standing.NOTHING,
        ("The plan has nothing to apply.",),
        "",
        'driftctl-py accept prod --reason "…"',
    )


def test_what_is_allowed_says_who_allowed_it() -> None:
    found = told(Apply(JUDGEMENT, (said(),)))

    assert found.standing is Standing.ALLOWED
    assert found.lines == (
        "approved by ada (github:ada) at 2026-11-24 09:13 UTC: The flag is ours.",
        "approve by stateful-needs-owner (driftctl.yaml:48): aws_ssm_parameter.flag (create). "
        "What holds data is made again only with its owner's yes.",
    )
    assert found.todo == "driftctl-py apply prod"


def test_what_is_held_says_whom_to_ask_and_how() -> None:
    found = told(Hold(JUDGEMENT, REQUIREMENT, ASKED))

    assert found.standing is Standing.HELD
    assert found.needs.startswith("1 of: dba (ada, grace); not the author of 77b0de4 (linus);")
    assert found.todo == 'driftctl-py approve prod --reason "…"'


def test_what_waits_for_its_time_asks_nobody() -> None:
    found = told(Hold(JUDGEMENT, REQUIREMENT, ENOUGH, (NIGHTS,)))

    assert found.needs == ""
    assert found.lines[-1] == NIGHTS.why
    assert "from 2026-11-24 21:00 UTC" in found.todo


def test_a_denial_is_told_object_by_object_and_once() -> None:
    judgement = of(
        Judged("aws_db_instance.main", Cause.COMMIT, "delete", (KEEP,)),
        plan=(Ruling(Level.DENY, "limit", message="Too much for a day."),),
    )
    reasons = ("The environment is suspended.", *(why for why, _ in denials(judgement)))

    found = told(Refuse(reasons, judgement, "driftctl-py resume prod\nOr wait."))

    assert found.standing is Standing.REFUSED
    assert found.lines == (
        "The environment is suspended.",
        "deny by limit: the plan as a whole. Too much for a day.",
        "deny by keep (driftctl.yaml:9): aws_db_instance.main (delete). It holds data.",
    )
    assert found.todo == "driftctl-py resume prod\nOr wait."


def test_a_refusal_without_a_judgement_has_its_reasons() -> None:
    assert told(Refuse(("The plan is incomplete.",))).lines == ("The plan is incomplete.",)


def test_a_rule_speaks_once_and_before_the_switch() -> None:
    rule = Ruling(Level.APPROVE, "ask", "driftctl.yaml:3")
    changes = tuple(
        Judged(f"aws_x.y[{at}]", Cause.COMMIT, "update", (SWITCH, rule)) for at in range(9)
    )
    destroyed = Judged("aws_x.gone", Cause.COMMIT, "delete", (SWITCH,), deposed="abcd")

    found = told(Hold(of(*changes, destroyed), REQUIREMENT, ASKED))

    some = ", ".join(f"aws_x.y[{at}] (update)" for at in range(6))
    assert found.lines == (
        f"approve by ask (driftctl.yaml:3): {some} and 3 more.",
        "approve by apply.git: gate: aws_x.gone (deposed object abcd) (delete), "
        + ", ".join(f"aws_x.y[{at}] (update)" for at in range(5))
        + " and 4 more.",
    )


def test_a_warning_is_told_and_what_is_allowed_is_not() -> None:
    warn = Ruling(Level.WARN, "cost", "driftctl.yaml:4", "It costs more.")
    allow = Ruling(Level.ALLOW, "tags", "driftctl.yaml:5")

    found = told(Apply(of(Judged("aws_x.y", Cause.DRIFT, "tags", (warn, allow)))))

    assert found.lines == ("warn by cost (driftctl.yaml:4): aws_x.y (tags). It costs more.",)


@pytest.mark.parametrize("evil", EVIL)
def test_nothing_foreign_is_obeyed(evil: str) -> None:
    ruling = Ruling(Level.DENY, evil, evil, evil)
    judgement = of(Judged(evil, Cause.COMMIT, evil, (ruling,)))

    for decision in (
        Nothing(evil),
        Refuse((evil,), judgement, evil),
        Hold(judgement, REQUIREMENT, Stands(missing=1)),
    ):
        found = told(decision)
        for text in (*found.lines, found.needs):
            assert "\n" not in text
            assert harmless(f"x {text}") or "##" in text
