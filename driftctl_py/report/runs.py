"""Runs for a terminal: how one ended, one with all that is kept about it, and a table of many.

The first line answers; the last says what to do next. How a decision looks is `decision`'s
business, and that of a plan `plan_text`'s.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import assert_never

from driftctl_py.core.approval import Approval, People, Requirement, Standing, moment
from driftctl_py.core.audit import Entry
from driftctl_py.core.decision import Decision, Level
from driftctl_py.core.history import RunRecord
from driftctl_py.core.plan_diff import compare_plans
from driftctl_py.core.plan_report import PlanReport, View
from driftctl_py.core.restraint import Restraint, Why, frozen
from driftctl_py.core.run import Applied, Purpose, Run, State
from driftctl_py.core.window import Closed, still_closed
from driftctl_py.errors import PlanError
from driftctl_py.report import show, wording
from driftctl_py.report.decision import (
    DecisionLines,
    command,
    purpose_words,
    when_it_is_time,
)
from driftctl_py.report.terminal import BOLD, GREEN, MAGENTA, RED, YELLOW, Terminal

_DONE_AT_MOST = 20
_NAME_AT_LEAST = 8
_EVIDENCE_AT_MOST = 30

COLOUR_OF_STATE = {
    State.PLANNING: YELLOW,
    State.APPLYING: YELLOW,
    State.IN_SYNC: GREEN,
    State.ALLOWED: YELLOW,
    State.HELD: YELLOW,
    State.REFUSED: RED,
    State.REVIEWED: YELLOW,
    State.APPLIED: GREEN,
    State.UNVERIFIED: MAGENTA,
    State.NOT_CONVERGED: MAGENTA,
    State.PARTLY_APPLIED: RED,
    State.FAILED: RED,
    State.UNKNOWN: RED,
}


WAITED, PLANNED = "the plan that waited", "the plan now"


def render_outcome_text(
    run: Run,
    decision: Decision | None,
    report: PlanReport | None,
    *,
    before: PlanReport | None = None,
    again: str = "",
    healed: Run | None = None,
    people: People | None = None,
    took_seconds: float | None = None,
    width: int = 80,
    color: bool = False,
) -> str:
    """What a command that makes a run came to, ending in a newline: why another plan had to be
    made, the plan where it was not applied, and the decision or what was applied.
    ``healed`` is the run that put drift back first, ``took_seconds`` how long the command took."""
    lines = _Lines(width, color, people or People())
    texts = []
    if healed is not None:
        texts.append("\n".join(lines.ended(healed, None, None)) + "\n")
    if again:
        words = f"{run.environment}: planned again. {again}"
        texts.append("\n".join(lines.wrapped(words, "", indent=2, style=BOLD)) + "\n")
    if before is not None and report is not None:
        # Here, and below: what was applied has need of neither.
        from driftctl_py.report.plan_diff import render_plan_diff_text

        found = compare_plans(before.plan, report.plan)
        texts.append(render_plan_diff_text(found, WAITED, PLANNED, width=width, color=color))
    if report is not None and run.applied is None:
        from driftctl_py.report.plan_text import render_plan_text

        texts.append(render_plan_text(report, View.CHANGES, width=width, color=color))
    texts.append("\n".join(lines.ended(run, decision, took_seconds)) + "\n")
    return show.no_commands("\n".join(texts))


def render_given_text(
    approval: Approval,
    person: str,
    standing: Standing,
    run: Run,
    *,
    people: People | None = None,
    width: int = 80,
    color: bool = False,
) -> str:
    """A yes, or a no, that was written down: whose it is, what for, and what is still missing."""
    lines = _Lines(width, color, people or People())
    return show.no_commands("\n".join(lines.given(approval, person, standing, run)) + "\n")


def render_record_text(
    record: RunRecord, *, people: People | None = None, width: int = 80, color: bool = False
) -> str:
    """One run with everything that is kept about it, ending in a newline."""
    lines = _Lines(width, color, people or People())
    plan, no_plan = "", record.no_plan
    if record.plan is not None:
        from driftctl_py.report.plan_text import render_plan_text
        from driftctl_py.report.stored_plan import read_stored_plan

        try:
            report = read_stored_plan(record.plan)
            plan = render_plan_text(report, View.CHANGES, width=width, color=color)
        except PlanError as error:
            no_plan = error.what
    return show.no_commands("\n".join(lines.record(record, plan, no_plan)) + "\n")


def render_runs_text(
    runs: Sequence[Run], *, now: datetime, width: int = 80, color: bool = False
) -> str:
    """A table of runs, the latest first, ending in a newline."""
    return show.no_commands(
        "\n".join(_table_of_runs(runs, now, Terminal(width, color, None))) + "\n"
    )


def answer(run: Run, took_seconds: float | None = None) -> str:
    """How a run stands, in one sentence without its environment's name."""
    match run.state:
        case State.PLANNING:
            return f"being planned by {run.worker} since {moment(run.started_at)}"
        case State.APPLYING:
            return f"being applied by {run.worker} since {moment(run.started_at)}"
        case State.IN_SYNC:
            left = f"; {run.drifted} drifted, and apply leaves it so" if run.drifted else ""
            return f"nothing to apply{left}"
        case State.ALLOWED:
            return "allowed; the saved plan waits to be applied"
        case State.HELD if not run.closed:
            return "held; the saved plan waits for somebody's yes"
        case State.HELD:
            asks = run.judgement is not None and run.judgement.level is Level.APPROVE
            # Whether enough was said is told below: it may change while it waits.
            also = ", and for a yes unless it has it" if asks else ""
            return f"held; the saved plan waits for its time{also}"
        case State.REFUSED:
            return "refused"
        case State.REVIEWED:
            return "reviewed; nothing was applied, and nothing waits"
        case State.APPLIED if run.purpose is Purpose.ACCEPT:
            # The state alone was written: what is left to do is for the run's reason to say.
            return f"recorded in the state{_in(took_seconds)}"
        case State.APPLIED:
            return f"{_applied(run, took_seconds)}; a new plan finds nothing left to do"
        case State.UNVERIFIED:
            return f"{_applied(run, took_seconds)}; whether anything is left to do is not known"
        case State.NOT_CONVERGED:
            return f"{_applied(run, took_seconds)}, but a new plan still finds something to do"
        case State.PARTLY_APPLIED:
            return f"partly applied: {_counts(run.applied or Applied(finished=False))}"
        case State.FAILED:
            return "failed; nothing was applied"
        case State.UNKNOWN:
            return "unknown"
        case State.INTERRUPTED:
            return "interrupted before anything was applied"
        case State.STALE:
            return "stale: the saved plan fits no more, and nothing was applied"
        case State.REJECTED:
            return "rejected"
        case State.SUPERSEDED:
            return "superseded: a later run made a plan of the same environment"
        case _ as never:
            assert_never(never)


def restraint_words(restraint: Restraint) -> str:
    """``suspended until 2026-11-26 09:00 UTC; by ada: the migration runs``."""
    match restraint.why:
        case Why.SUSPENDED:
            until = moment(restraint.until) if restraint.until else "somebody resumes it"
            what = f"suspended until {until}"
        case Why.PINNED:
            what = f"pinned at {restraint.commit[:7]} until it is released"
        case Why.BLOCKED:
            after = f" since run {restraint.run}" if restraint.run else ""
            what = f"blocked{after}: nothing is applied until it is unblocked"
        case Why.FROZEN:
            until = moment(restraint.until) if restraint.until else "somebody thaws it"
            what = f"frozen like everything else until {until}"
        case _ as never:
            assert_never(never)
    return f"{what}; by {restraint.by}: {restraint.reason}"


def lifted_by(restraint: Restraint) -> str:
    """The command that takes it away."""
    if restraint.why is Why.FROZEN:
        return command("thaw", reason=True)
    verb = {Why.SUSPENDED: "resume", Why.PINNED: "release", Why.BLOCKED: "unblock"}
    return command(verb[restraint.why], restraint.environment, reason=True)


class _Lines(DecisionLines):
    def ended(
        self, run: Run, decision: Decision | None, took_seconds: float | None
    ) -> Iterator[str]:
        waits = run.state.waits or run.state in (State.IN_SYNC, State.REFUSED, State.REVIEWED)
        if decision is not None and waits:
            yield from self.decision(run, decision)
            return
        style = COLOUR_OF_STATE.get(run.state, "")
        words = f"{run.environment}: {answer(run, took_seconds)}"
        yield from self.wrapped(words, "", indent=2, style=style)
        yield from self.wrapped(purpose_words(run), "  ", indent=2)
        yield from self._what_became(run)
        yield from self.next(_next(run, None, run.closed))

    def given(self, approval: Approval, person: str, standing: Standing, run: Run) -> Iterator[str]:
        said = "approved" if approval.yes else "rejected"
        name = person if person == approval.by.text else f"{person} ({approval.by.text})"
        unverified = "" if approval.by.verified else ", unverified,"
        head = f"{run.environment}: {name}{unverified} {said} {run.short_fingerprint}"
        yield from self.wrapped(head, "", indent=2, style=BOLD)
        yield from self.wrapped(f"run {run.id}, {run.commit[:7]}", "  ", indent=4)
        if not approval.yes:
            reviewed = run.purpose is Purpose.REVIEW
            yield from self.next([] if reviewed else [command("plan", run.environment)])
            return
        bound = (
            f"good until {moment(approval.expires_at)} for what this plan means, whatever commit "
            "it is made of; not when its engine, inputs, modules or state are others"
        )
        yield from self.wrapped(bound, "  ", indent=4)
        requirement = run.requirement or Requirement()
        yield from self.standing(requirement, standing, run, but=approval.id)
        if standing.enough:
            yield from self.closed(run.closed)
            if run.purpose is Purpose.REVIEW:
                yield from self.wrapped(
                    "It counts once this is merged and applied.", "  ", indent=4
                )
            else:
                yield from self.next(when_it_is_time(run.environment, run.closed))

    def record(self, record: RunRecord, plan: str, no_plan: str) -> Iterator[str]:
        run = record.run
        yield from self.wrapped(f"{run.environment}: {answer(run)}", "", indent=2, style=BOLD)
        yield ""
        yield from self._facts(run)
        yield from self.wrapped(purpose_words(run), "  ", indent=2)
        yield from self._what_became(run)
        if plan:
            yield ""
            yield from plan.rstrip("\n").split("\n")
        yield from self.wrapped(no_plan, "  ", indent=4)
        if run.judgement is not None:
            yield from self._under("What was decided", self.judgement(run.judgement))
        if record.standing is not None and run.requirement is not None:
            yield from self._under("Who said what", self._who(record.standing, run))
        if record.restraints:
            words = (restraint_words(each) for each in record.restraints)
            yield from self._under("What holds the environment back", self._items(words))
        if run.artifacts:
            kept = (f"{name}  {reference}" for name, reference in sorted(run.artifacts.items()))
            yield from self._under("What is kept", self._items(kept))
        if record.events:
            yield from self._under("What happened", self._items(map(_event, record.events)))
        closed = still_closed(run.closed, frozen(record.restraints, record.at), record.at)
        steps = _next(run, record.standing, closed)
        if steps:
            yield ""
            yield from self.next(steps)

    def _who(self, standing: Standing, run: Run) -> Iterator[str]:
        assert run.requirement is not None  # noqa: S101 - asked by the one who calls
        lines = list(self.standing(run.requirement, standing, run))
        yield from lines or ["  nobody was asked"]

    def _facts(self, run: Run) -> Iterator[str]:
        for name, what in _facts(run):
            yield from self.wrapped(what, f"  {name:11}  ", indent=15)

    def _what_became(self, run: Run) -> Iterator[str]:
        applied = run.applied or Applied(finished=True)
        for line in show.clean_lines(run.reason):
            yield from self.wrapped(line, "  ", indent=4)
        yield from self._listed("failed", applied.failed, whole=True)
        yield from self._listed(
            "unfinished: begun and never reported, so nobody knows", applied.unfinished, whole=True
        )
        yield from self._listed("done", applied.done, whole=False)

    def _listed(self, title: str, addresses: Sequence[str], *, whole: bool) -> Iterator[str]:
        if not addresses:
            return
        yield f"  {title}:"
        shown = addresses if whole else addresses[:_DONE_AT_MOST]
        for each in shown:
            text = show.clean(each)
            if not whole:
                text = show.cut_middle(text, self.width - 4)
            yield from self.wrapped(text, "    ", indent=6)
        if len(shown) < len(addresses):
            yield f"    … {len(addresses) - len(shown)} more; --format json lists all"

    def _items(self, items: Iterator[str] | Sequence[str]) -> Iterator[str]:
        for each in items:
            yield from self.wrapped(each, "  ", indent=4)

    def _under(self, title: str, lines: Iterator[str]) -> Iterator[str]:
        yield ""
        yield self.styled(BOLD, title)
        yield from lines


def _next(run: Run, standing: Standing | None, closed: Sequence[Closed]) -> list[str]:
    if run.todo:
        return show.clean_lines(run.todo)
    name = run.environment
    match run.state:
        case State.HELD if standing is not None and standing.enough:
            return when_it_is_time(name, closed)
        case State.HELD:
            return [command("approve", name, reason=True)]
        case State.ALLOWED:
            return when_it_is_time(name, closed)
        case State.REVIEWED if standing is not None and not standing.enough and _asks(run):
            return [command("approve", run.id, reason=True)]
        case State.IN_SYNC if run.drifted:
            return [command("accept", name, reason=True)]
        case (
            State.STALE
            | State.REJECTED
            | State.NOT_CONVERGED
            | State.UNVERIFIED
            | State.PARTLY_APPLIED
            | State.INTERRUPTED
        ):
            return [command("plan", name)]
        case _:
            return []


def _asks(run: Run) -> bool:
    """Would somebody's yes make a difference?"""
    return run.judgement is not None and run.judgement.level is Level.APPROVE


def _facts(run: Run) -> Iterator[tuple[str, str]]:
    """What there is to know about a run, each with a name; what is not known is left out."""
    yield "run", run.id
    purpose = "" if run.purpose is Purpose.RECONCILE else f", {run.purpose.value}"
    yield "begun by", f"{run.actor} ({run.trigger}{purpose}) on {run.worker}"
    ended = f", ended {moment(run.ended_at)}" if run.ended_at else ""
    yield "at", f"{moment(run.started_at)}{ended}"
    if run.commit:
        of = f" ({run.ref})" if run.ref else ""
        yield "commit", f"{run.commit}{of}"
    if run.engine:
        yield "engine", run.engine
    if run.status:
        yield "plan", f"{run.status}: {wording.totals(run.totals)}, {run.drifted} drifted"
    if run.fingerprint:
        yield "fingerprint", run.short_fingerprint
    if run.governing is not None:
        yield "governing", run.governing.digest[:12]
    if run.lineage:
        serial = "" if run.serial is None else f", serial {run.serial}"
        yield "state", f"{run.lineage}{serial}"
    if run.base:
        yield "instead of", f"run {run.base}"


def _applied(run: Run, took_seconds: float | None) -> str:
    count = len(run.applied.done) if run.applied else 0
    changes = f"{count} change" + ("" if count == 1 else "s")
    return f"applied {changes}{_in(took_seconds)}"


def _in(took_seconds: float | None) -> str:
    return "" if took_seconds is None else f" in {wording.duration(took_seconds)}"


def _counts(applied: Applied) -> str:
    found = f"{len(applied.done)} done, {len(applied.failed)} failed"
    return found + (f", {len(applied.unfinished)} unfinished" if applied.unfinished else "")


def _event(entry: Entry) -> str:
    event = entry.event
    evidence = ", ".join(
        f"{name} {_short(value)}" for name, value in event.evidence.items() if value
    )
    words = f"{moment(event.at)}  {event.what}  by {event.who}"
    return f"{words}: {evidence}" if evidence else words


def _short(value: str) -> str:
    """A digest by its beginning; the JSON has all of it."""
    return value if " " in value or len(value) <= _EVIDENCE_AT_MOST else f"{value[:20]}…"


_HEADERS = ("run", "environment", "state", "changes", "commit", "age")
_ALIGNMENT = ("left", "left", "left", "left", "left", "right")


def _table_of_runs(runs: Sequence[Run], now: datetime, terminal: Terminal) -> Iterator[str]:
    if not runs:
        yield "No run is stored."
        return
    rows = [
        [
            run.id,
            show.clean(run.environment),
            state_words(run),
            _changes(run),
            show.clean(run.commit[:7]),
            wording.age(now - run.started_at),
        ]
        for run in runs
    ]
    styles = [COLOUR_OF_STATE.get(run.state, "") for run in runs]
    yield from table(_HEADERS, _ALIGNMENT, rows, styles, terminal, shrink=1, styled=2)


def _changes(run: Run) -> str:
    """``+1 ~2 -3``, in the signs of every report; nothing where there was no plan."""
    totals = run.totals
    counts = (("+", totals.add), ("~", totals.change), ("-", totals.destroy))
    told = " ".join(f"{sign}{count}" for sign, count in counts if count)
    return told or ("0" if run.status else "")


def state_words(run: Run) -> str:
    """``held``, ``applied (heal)``."""
    purpose = "" if run.purpose is Purpose.RECONCILE else f" ({run.purpose.value})"
    return f"{run.state.value}{purpose}"


def table(
    headers: Sequence[str],
    alignment: Sequence[str],
    rows: list[list[str]],
    styles: Sequence[str],
    terminal: Terminal,
    *,
    shrink: int,
    styled: int,
) -> Iterator[str]:
    """Rows under their headings; the cells of one column, ``shrink``, are cut in the middle where
    the line ends, those of another have a colour."""
    widths = [max(map(show.columns, column)) for column in zip(headers, *rows, strict=True)]
    others = sum(widths) - widths[shrink] + 2 * (len(widths) - 1)
    room = max(_NAME_AT_LEAST, terminal.width - others)
    if room < widths[shrink]:
        widths[shrink] = max(room, show.columns(headers[shrink]))
        for row in rows:
            row[shrink] = show.cut_middle(row[shrink], widths[shrink])
    # By hand: to import and ask tabulate took a quarter of the time of a status.
    for cells in (headers, ["-" * width for width in widths]):
        yield _line(cells, widths, alignment)
    for row, style in zip(rows, styles, strict=True):
        yield _line(row, widths, alignment, {styled: terminal.styled(style, row[styled])})


_NONE_STYLED: Mapping[int, str] = {}


def _line(
    cells: Sequence[str],
    widths: Sequence[int],
    alignment: Sequence[str],
    styled: Mapping[int, str] = _NONE_STYLED,
) -> str:
    parts = []
    for number, (cell, width, side) in enumerate(zip(cells, widths, alignment, strict=True)):
        gap = " " * (width - show.columns(cell))
        told = styled.get(number, cell)
        parts.append(gap + told if side == "right" else told + gap)
    return "  ".join(parts).rstrip()
