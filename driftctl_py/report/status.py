"""All environments in one table for a terminal: where each stands and what it wants of people.

From what is stored alone: nothing is planned for it, so it says what was true at the last run.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from driftctl_py.core.approval import moment
from driftctl_py.core.assessment import Status
from driftctl_py.core.history import EnvironmentNow, Need, StatusNow
from driftctl_py.core.restraint import Restraint, Why, frozen
from driftctl_py.core.run import Run, State
from driftctl_py.report import show, wording
from driftctl_py.report.decision import command, when_it_is_time
from driftctl_py.report.runs import COLOUR_OF_STATE, lifted_by, restraint_words, state_words, table
from driftctl_py.report.terminal import BOLD, Terminal

_HEADERS = ("environment", "last run", "status", "commit", "age", "needs")
_ALIGNMENT = ("left", "left", "left", "left", "right", "left")
_STEPS_AT_MOST = 6

# Of one, and of several.
_SUMMARY = {
    Need.HELP: ("needs help", "need help"),
    Need.YES: ("waits for a yes", "wait for a yes"),
    Need.APPLY: ("waits to be applied", "wait to be applied"),
    Need.TIME: ("waits for its time", "wait for their time"),
    Need.LOOK: ("needs a look", "need a look"),
}


def render_status_text(status: StatusNow, *, width: int = 80, color: bool = False) -> str:
    """The whole of it, ending in a newline. ``width`` below 60 is taken for 60."""
    return show.no_commands("\n".join(_Status(width, color, None).all(status)) + "\n")


def exit_code(status: StatusNow) -> int:
    """1 where something failed, is half done or unknown; 2 where somebody is to do something."""
    needs = {each.need for each in status.environments}
    return 1 if Need.HELP in needs else 2 if needs - {Need.NOTHING} else 0


class _Status(Terminal):
    def all(self, status: StatusNow) -> Iterator[str]:
        for each in status.frozen:
            yield from self.wrapped(_frozen_words(each), "", indent=2, style=BOLD)
        yield from self.wrapped(answer(status), "", indent=2, style=BOLD)
        if not status.environments:
            return
        yield ""
        yield from self._table(status)
        remarks = [line for each in status.environments for line in _remarks(each, status)]
        if remarks:
            yield ""
            for line in remarks:
                yield from self.wrapped(line, "", indent=2)
        steps = next_steps(status)
        if steps:
            yield ""
            for position, step in enumerate(steps):
                yield from self.wrapped(step, "next: " if position == 0 else "      ", indent=6)

    def _table(self, status: StatusNow) -> Iterator[str]:
        rows = [
            [
                show.clean(each.environment),
                state_words(each.last) if each.last else "-",
                status_words(each.last),
                show.clean(each.last.commit[:7]) if each.last else "",
                wording.age(status.at - each.last.started_at) if each.last else "",
                needs_words(each),
            ]
            for each in status.environments
        ]
        styles = [
            COLOUR_OF_STATE.get(each.last.state, "") if each.last else ""
            for each in status.environments
        ]
        yield from table(_HEADERS, _ALIGNMENT, rows, styles, self, shrink=0, styled=1)


def answer(status: StatusNow) -> str:
    """The first line: how many there are, and how many of them want something."""
    count = len(status.environments)
    if not count:
        return "No run is stored, so nothing is known of any environment. Begin with: " + command(
            "plan", "ENVIRONMENT"
        )
    needs = Counter(each.need for each in status.environments)
    held = Counter(why for each in status.environments for why in {r.why for r in each.restraints})
    works = sum(each.lease is not None for each in status.environments)
    found = [
        f"{needs[need]} {words[needs[need] > 1]}" for need, words in _SUMMARY.items() if needs[need]
    ]
    found += [f"{held[why]} {why.value}" for why in Why if held[why]]
    found += [f"{works} under way"] * bool(works)
    found += [f"{needs[Need.NOTHING]} in order"] * bool(needs[Need.NOTHING])
    return f"{count} environment{'' if count == 1 else 's'}: {', '.join(found)}"


def _frozen_words(restraint: Restraint) -> str:
    (said,) = frozen((restraint,), restraint.at)
    return said.why


def status_words(run: Run | None) -> str:
    """What the environment is by now, as far as the last run knows."""
    if run is None or not run.status:
        return "-"
    # The plan's was that of before.
    return Status.IN_SYNC.value if run.state is State.APPLIED else show.clean(run.status)


def needs_words(now: EnvironmentNow) -> str:
    """What it wants, in a word or three."""
    if now.need is Need.YES and now.standing and now.standing.missing > 1:
        return f"{now.standing.missing} yeses"
    return "" if now.need is Need.NOTHING else now.need.value


def next_steps(status: StatusNow) -> list[str]:
    """The most urgent commands; as many as a person reads."""
    order = list(Need)
    wanting = sorted(
        (each for each in status.environments if each.need is not Need.NOTHING),
        key=lambda each: order.index(each.need),
    )
    # Many wait for one thaw.
    steps = list(dict.fromkeys(step for each in wanting for step in _steps(each)))
    more = len(steps) - _STEPS_AT_MOST
    return [*steps[:_STEPS_AT_MOST], f"… and {more} more"] if more > 0 else steps


def _steps(now: EnvironmentNow) -> list[str]:
    for restraint in now.restraints:
        if restraint.why is Why.BLOCKED:
            return [lifted_by(restraint)]
    match now.need:
        case Need.APPLY | Need.TIME:
            return when_it_is_time(now.environment, now.closed)
        case Need.LOOK if now.last is not None and now.last.state is State.IN_SYNC:
            return [command("accept", now.environment, reason=True)]
        case _:
            return [command("show", now.last.id if now.last else now.environment)]


def _remarks(now: EnvironmentNow, status: StatusNow) -> Iterator[str]:
    for restraint in now.restraints:
        yield f"{now.environment}: {restraint_words(restraint)}"
    # That everything is frozen is said once, at the top.
    for each in now.closed:
        if not each.by_command:
            yield f"{now.environment}: {each.why}"
    if now.lease is not None:
        lease = now.lease
        beat = wording.age(status.at - lease.beat_at)
        yield (
            f"{now.environment}: {lease.worker} works at it since {moment(lease.taken_at)} "
            f"(run {lease.run}, last sign of life {beat} ago)"
        )
