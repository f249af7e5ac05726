from __future__ import annotations

import pytest
from markdown_it import MarkdownIt

from driftctl_py.core.decision import Hold, Nothing, Refuse
from driftctl_py.core.run import State
from driftctl_py.report.run_markdown import render_run_markdown
from tests.report import plan_reports
from tests.report.plan_reports import EVIL
from tests.report.run_examples import APPLIED, ASKED, JUDGEMENT, PEOPLE, REQUIREMENT, run

HELD = Hold(JUDGEMENT, REQUIREMENT, ASKED)


def test_a_held_plan_is_a_heading_its_decision_and_the_plan() -> None:
    report = plan_reports.of("drift_reverted", name="prod")

    text = render_run_markdown(run(), HELD, report, people=PEOPLE)

    assert text.startswith("### 🟡 prod: held\n\n```text\nprod: held\n  drift  aws_ssm_parameter")
    assert "needs 1 of: dba (ada, grace)" in text
    assert text.index("next: driftctl-py approve") < text.index("folder_bucket.assets")


@pytest.mark.parametrize(
    ("state", "sign"),
    [
        (State.IN_SYNC, "🟢"),
        (State.APPLIED, "🟢"),
        (State.ALLOWED, "🟡"),
        (State.REFUSED, "🔴"),
        (State.UNKNOWN, "🔴"),
    ],
)
def test_the_sign_says_how_it_stands(state: State, sign: str) -> None:
    assert render_run_markdown(run(state), None, None).startswith(f"### {sign} prod: {state.value}")


def test_what_changed_since_the_approval_is_shown_before_the_plan() -> None:
    before = plan_reports.of("drift_reverted", name="prod")
    now = plan_reports.of("drift_and_pending", name="prod")

    text = render_run_markdown(run(), HELD, now, before=before, again="It moved.")

    assert "prod: planned again. It moved." in text
    assert "- A: the plan that waited\n- B: the plan now" in text


def test_what_was_applied_needs_no_plan() -> None:
    report = plan_reports.of("drift_reverted", name="prod")

    text = render_run_markdown(run(State.APPLIED, applied=APPLIED), None, report, took_seconds=3)

    assert "applied 2 changes in 3.0 s" in text
    assert "tags.team" not in text


@pytest.mark.parametrize("evil", [*EVIL, "```\n### no", "</details>", "@ada #1"])
def test_nothing_foreign_gets_out_of_its_fence(evil: str) -> None:
    made = run(State.REFUSED, environment=evil)

    for decision in (Refuse((evil,), todo=evil), Nothing(evil), None):
        text = render_run_markdown(made, decision, None, again=evil)

        tokens = MarkdownIt().parse(text)
        kinds = [token.type for token in tokens]
        assert kinds == ["heading_open", "inline", "heading_close", "fence"]
