"""One plan as workflow commands, which GitHub Actions turns into annotations of the run.

GitHub shows ten annotations of each level of one step and drops the rest without a word, so where
there are more, the first says how many and names them, and all are in the log. What a plan holds
never becomes a command: a command is a line that begins with ``::``, and, in the runner's old
spelling, whatever follows ``##[`` anywhere in a line.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

from driftctl_py.core.plan_report import PlanReport, View
from driftctl_py.report import wording
from driftctl_py.report.plan_alerts import Alert, Level, alerts, equivalents, headline
from driftctl_py.report.show import clean, cut_middle, no_commands

_COMMANDS = {Level.ERROR: "error", Level.WARNING: "warning", Level.NOTE: "notice"}
_AT_MOST = 10
# The runner cuts a longer message off at 4096.
_MESSAGE = 4000
_LINE = 1000


def render_plan_github(report: PlanReport, view: View) -> str:
    """Commands and lines of the log, the last of them the plan in one line."""
    found = alerts(report, view)
    lines: list[str] = []
    for level in Level:
        lines += _annotations([alert for alert in found if alert.rule.level is level], level)
    details = list(_details(report, found, view))
    if details:
        title = f"{clean(report.name)}: the details"
        lines += [_command("group", title), *map(no_commands, details), "::endgroup::"]
    lines += map(no_commands, map(clean, wording.plan_asides(report, view)))
    lines.append(no_commands(headline(report)))
    return "\n".join(lines) + "\n"


def _annotations(found: Sequence[Alert], level: Level) -> Iterator[str]:
    name = _COMMANDS[level]
    shown = found
    if len(found) > _AT_MOST:
        shown = found[: _AT_MOST - 1]
        rules = Counter(alert.rule.name for alert in found)
        title = ", ".join(f"{count} {rule}" for rule, count in rules.items())
        yield _command(name, _within(alert.line for alert in found), title=title)
    for alert in shown:
        yield _command(name, _within([alert.text]), title=alert.rule.title)


def _details(report: PlanReport, found: Sequence[Alert], view: View) -> Iterator[str]:
    """What the annotations have no room for."""
    crowded = any(count > _AT_MOST for count in Counter(each.rule.level for each in found).values())
    if view is View.SUMMARY and not crowded:
        return
    for alert in [*found, *equivalents(report)] if view is View.FULL else found:
        yield alert.line
        yield from (f"    | {detail}" for detail in alert.details)


def _within(lines: Iterable[str]) -> str:
    """As many of the lines as the runner lets through, and how many there are besides."""
    all_lines = [cut_middle(line, _LINE) if len(line) > _LINE else line for line in lines]
    room = _MESSAGE - len(f"\n… {len(all_lines)} more in the log")
    kept: list[str] = []
    for line in all_lines:
        room -= len(line) + 1
        if room < 0:
            break
        kept.append(line)
    if len(kept) < len(all_lines):
        kept.append(f"… {len(all_lines) - len(kept)} more in the log")
    return "\n".join(kept)


def _command(name: str, message: str, *, title: str = "") -> str:
    properties = f" title={_property(title)}" if title else ""
    return f"::{name}{properties}::{_data(message)}"


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
