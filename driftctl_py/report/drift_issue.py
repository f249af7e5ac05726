"""The issue that a scheduled check opens for an environment that drifted: its title and its body.

Since when, what was changed, what apply would make of it, three ways out with their commands, and
the history folded. When it is opened and closed is ``core/drift_issues``'.
"""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime

from driftctl_py.core.approval import moment
from driftctl_py.core.decision import Cause
from driftctl_py.core.plan import Kind
from driftctl_py.core.result import Item, Result
from driftctl_py.report import results_wording, show
from driftctl_py.report.comment_section import Amount, Section, omissions, size_of
from driftctl_py.report.markup import code, fence, in_html, link, prose

ISSUE_BUDGET = 60_000
"""An issue has at most 65,536 characters, and whoever publishes adds a marker."""

_TITLE_AT_MOST = 200
_HISTORY_AT_MOST = 50
_NONE_YET = Amount(0, 0, brief=True)


def drift_issue(
    result: Result,
    since: datetime,
    history: Sequence[str] = (),
    *,
    budget: int = ISSUE_BUDGET,
    artifact_url: str = "",
) -> tuple[str, str]:
    """The title, plain, and the body, Markdown of at most ``budget`` bytes of UTF-8 (which is not
    less than 10,000). The lines of ``history`` are in order, the latest last."""
    drifted = [item for item in result.items if item.drifted]
    count = len(drifted) if result.drifted is None else max(result.drifted, len(drifted))
    objects = "1 object" if count == 1 else f"{count} objects"
    title = show.clean(f"Drift in {show.cut(result.environment, _TITLE_AT_MOST)}: {objects}")
    top = list(_top(result, since, count))
    bottom = [
        *_apply(result, drifted),
        *_ways_out(result, drifted),
        *_history(history),
        *_links(result, artifact_url),
    ]
    room = budget - sum(size_of(block) + 2 for block in (*top, *bottom))
    # All of them stand together: that each was changed outside is why there is an issue.
    told = [replace(item, cause=Cause.DRIFT.value) for item in drifted]
    blocks = [*top, *_objects(replace(result, items=tuple(told)), room), *bottom]
    return title, "\n\n".join(blocks) + "\n"


def _top(result: Result, since: datetime, count: int) -> Iterator[str]:
    words = results_wording.changed_outside(count)
    name = prose(show.cut(result.environment, _TITLE_AT_MOST))
    yield f"**{name}** has drifted since {moment(since)}: {words}."
    at = f" at {code(result.commit[:7])}" if result.commit else ""
    yield f"Last checked {moment(result.finished_at)}{at}. Each reads *recorded → real*:"


def _objects(result: Result, room: int) -> Iterator[str]:
    section = Section(result)
    amount = section.more(_NONE_YET, Amount(section.count, section.count, brief=True), room - 200)
    yield from section.objects(amount)
    words = omissions(replace(section.omitted(amount), said=0))
    if words:
        yield f"✂️ Omitted to fit in here: {words}."


def _apply(result: Result, drifted: Sequence[Item]) -> Iterator[str]:
    """What apply would do about it, and what else."""
    back = sum(item.action != Kind.NO_OP.value for item in drifted)
    if back == len(drifted):
        does = "puts it back"
    else:
        does = f"puts {back} of {len(drifted)} back" if back else "leaves it so"
    words = f"**What apply would do:** it {does}."
    known = results_wording.effects(result)
    if known:
        words += f" In all, it {results_wording.joined(results_wording.does(known))}."
    yield words
    if known.destroyed:
        yield "> [!CAUTION]\n> Applying destroys something. Read the plan before you put it back."


def _ways_out(result: Result, drifted: Sequence[Item]) -> Iterator[str]:
    name = shlex.quote(show.clean(result.environment))
    path = prose(show.cut_middle(result.path or ".", _TITLE_AT_MOST))
    left = any(item.action == Kind.NO_OP.value for item in drifted)
    yield "### Three ways out"
    yield "**Put it back.** Apply what the code says:"
    yield fence([f"driftctl-py apply {name}"], "sh")
    yield f"**Take it over.** Write what is really there into the code in {path}, and merge that:"
    commands = [f"driftctl-py check {name}  # says whether it is the same by now"]
    if left:
        commands.append(f'driftctl-py accept {name} --reason "…"  # records what apply leaves so')
    yield fence(commands, "sh")
    yield "**Leave it for a while.** Nothing is applied there until then, and checks go on:"
    yield fence([f'driftctl-py suspend {name} --until 3d --reason "…"'], "sh")


def _history(history: Sequence[str]) -> Iterator[str]:
    if history:
        lines = [f"- {prose(show.cut(line, 300))}" for line in reversed(history)]
        if len(lines) > _HISTORY_AT_MOST:
            lines[_HISTORY_AT_MOST:] = [f"- … {len(lines) - _HISTORY_AT_MOST} earlier"]
        title = in_html(f"History: {len(history)}")
        body = "\n".join(lines)
        yield f"<details><summary>{title}</summary>\n\n{body}\n\n</details>"


def _links(result: Result, artifact_url: str) -> Iterator[str]:
    named = ((results_wording.FULL_REPORT, artifact_url), ("job", result.job.url))
    links = [linked for words, url in named if (linked := link(words, url)) != words]
    if links:
        yield " · ".join(links)
