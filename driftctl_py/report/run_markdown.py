"""What a command that makes a run came to, in Markdown: for a job's summary or a comment.

The same lines as for a terminal, in a fence that nothing can end, and the plan below.
"""

from __future__ import annotations

from driftctl_py.core.approval import People
from driftctl_py.core.decision import Decision
from driftctl_py.core.plan_report import PlanReport, View
from driftctl_py.core.run import Run, State
from driftctl_py.report.markup import fence, prose
from driftctl_py.report.runs import PLANNED, WAITED, render_outcome_text

_WIDTH = 100
_GREEN = frozenset({State.IN_SYNC, State.APPLIED})
_YELLOW = frozenset({State.ALLOWED, State.HELD, State.NOT_CONVERGED, State.PLANNING})


def render_run_markdown(
    run: Run,
    decision: Decision | None,
    report: PlanReport | None,
    *,
    before: PlanReport | None = None,
    again: str = "",
    healed: Run | None = None,
    people: People | None = None,
    took_seconds: float | None = None,
) -> str:
    """All of it, ending in a newline."""
    from driftctl_py.core.plan_diff import compare_plans
    from driftctl_py.report.plan_diff import render_plan_diff_markdown
    from driftctl_py.report.plan_markdown import render_plan_markdown

    sign = "🟢" if run.state in _GREEN else "🟡" if run.state in _YELLOW else "🔴"
    text = render_outcome_text(
        run,
        decision,
        None,
        again=again,
        healed=healed,
        people=people,
        took_seconds=took_seconds,
        width=_WIDTH,
    )
    blocks = [
        f"### {sign} {prose(f'{run.environment}: {run.state.value}')}",
        fence(text.rstrip("\n").split("\n"), "text"),
    ]
    if before is not None and report is not None:
        found = compare_plans(before.plan, report.plan)
        blocks.append(render_plan_diff_markdown(found, WAITED, PLANNED).rstrip("\n"))
    if report is not None and run.applied is None:
        blocks.append(render_plan_markdown(report, View.CHANGES).rstrip("\n"))
    return "\n\n".join(blocks) + "\n"
