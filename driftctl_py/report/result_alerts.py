"""What of many results a machine should be told, one alert for each object: for JUnit and SARIF.

The rules are those of one plan (``plan_alerts``), as far as a result says enough, and some about
environments of which there is no plan, none that can be trusted, or one that may not be applied.
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterator
from dataclasses import dataclass, replace

from driftctl_py.core.check import Verdict
from driftctl_py.core.plan import Kind
from driftctl_py.core.result import Item, Result, Results, Standing
from driftctl_py.report.plan_alerts import (
    DRIFT,
    DRIFT_DELETED,
    PENDING_CHANGE,
    PENDING_DESTROY,
    PENDING_FORGET,
    PENDING_OUTPUT,
    PENDING_REPLACE,
    UNKNOWN_ACTION,
    Level,
    Rule,
)
from driftctl_py.report.results_wording import DIED
from driftctl_py.report.show import clean, clean_lines

NO_RESULT = Rule(
    "no-result",
    Level.ERROR,
    "The job of an environment left no result",
    "The job was stopped, ran out of time or memory, or died before it could say anything; or what "
    "it wrote cannot be read. Nothing is known of the environment. Read the job's log, and run it "
    "again.",
)
FAILED = Rule(
    "environment-failed",
    Level.ERROR,
    "No plan came about, or its apply failed",
    "The engine, Git or a credential failed. Nothing is known of the environment until it is "
    "planned again.",
)
NOT_KNOWN = Rule(
    "environment-unknown",
    Level.ERROR,
    "What there is cannot be trusted",
    "The plan is incomplete, or the state was locked or moved meanwhile. What is missing in it may "
    "be drifted or pending all the same. Check again.",
)
REFUSED = Rule(
    "refused",
    Level.ERROR,
    "Rules or policies forbid to apply it",
    "A rule, a policy or a limit denies it, and nobody's yes helps. Change what is planned, or the "
    "rule.",
)

# The gravest first, and all that there are.
RULES = (
    NO_RESULT,
    FAILED,
    NOT_KNOWN,
    REFUSED,
    UNKNOWN_ACTION,
    PENDING_DESTROY,
    PENDING_REPLACE,
    PENDING_FORGET,
    DRIFT_DELETED,
    DRIFT,
    PENDING_CHANGE,
    PENDING_OUTPUT,
)


@dataclass(frozen=True, slots=True)
class ResultAlert:
    """``environment`` is empty for what is about none that is known. ``subject`` is the address,
    or the environment; ``message`` what is the matter, in one line; ``details`` more of it, a line
    each. ``file`` and ``line`` are where it is declared, if that is known."""

    rule: Rule
    environment: str
    subject: str
    message: str
    details: tuple[str, ...] = ()
    path: str = ""
    file: str = ""
    line: int = 0
    deposed: str = ""
    item: Item | None = None


def result_alerts(results: Results) -> list[ResultAlert]:
    """All of them, what is gravest first; within a rule as the environments are ordered."""
    found = [
        *(ResultAlert(NO_RESULT, name, name, DIED) for name in results.missing),
        *(ResultAlert(NO_RESULT, "", "results", why) for why in map(clean, results.unreadable)),
        *(alert for result in results.results for alert in alerts_of(result)),
    ]
    return sorted(found, key=lambda alert: RULES.index(alert.rule))


def alerts_of(result: Result) -> Iterator[ResultAlert]:
    """Those about one environment."""
    name = clean(result.environment)
    if result.verdict in (Verdict.FAILED, Verdict.UNKNOWN):
        rule = FAILED if result.verdict is Verdict.FAILED else NOT_KNOWN
        file, line = _place(result)
        wrong = _about_environment(rule, result, result.reason, _failure(result))
        yield replace(wrong, file=file, line=line)
    gate = result.gate
    if gate is not None and gate.standing is Standing.REFUSED:
        first, *rest = gate.lines or ("",)
        yield _about_environment(REFUSED, result, first, tuple(map(clean, rest)))
    for item in result.items:
        rule, address = rule_of(item), clean(item.address)
        head, *lines = map(clean, item.lines)
        # Beside the address stands what there is to say of it.
        remark = head.partition(address)[2].lstrip("# ")
        yield ResultAlert(
            rule,
            name,
            address,
            remark or f"{rule.title[0].lower()}{rule.title[1:]}",
            tuple(line.strip() for line in lines),
            clean(result.path),
            clean(item.file),
            item.line,
            clean(item.deposed),
            item,
        )
    if result.outputs:
        details = tuple(map(clean, result.outputs))
        yield _about_environment(PENDING_OUTPUT, result, "outputs change", details)


def rule_of(item: Item) -> Rule:
    """Which rule an object breaks."""
    kind = Kind(item.action)
    if kind is Kind.UNKNOWN:
        return UNKNOWN_ACTION
    if kind.destroys:
        return PENDING_REPLACE if kind.replaces else PENDING_DESTROY
    if kind.forgets:
        return PENDING_FORGET
    if item.drifted:
        # What is there cannot be created: somebody has deleted it.
        return DRIFT_DELETED if kind is Kind.CREATE else DRIFT
    return PENDING_CHANGE


def _about_environment(
    rule: Rule, result: Result, message: str, details: tuple[str, ...]
) -> ResultAlert:
    name = clean(result.environment)
    found = clean(message) or result.verdict.value
    return ResultAlert(rule, name, name, found, details, clean(result.path))


def _failure(result: Result) -> tuple[str, ...]:
    lines = []
    for each in result.diagnostics:
        where = f" ({clean(each.where)})" if each.where else ""
        lines += [
            f"{clean(each.severity)}: {clean(each.summary)}{where}",
            *clean_lines(each.detail),
        ]
    return (*lines, *clean_lines(result.todo))


def _place(result: Result) -> tuple[str, int]:
    """Where the first diagnostic points that points into the repository."""
    for each in result.diagnostics:
        name, _, line = clean(each.where).rpartition(":")
        file = posixpath.normpath(posixpath.join(clean(result.path), name))
        # What an engine fetched lies in a directory of its own.
        ours = name and not file.startswith(("/", "..")) and ".terraform" not in file.split("/")
        if ours and line.isascii() and line.isdigit() and 0 < len(line) < 8:
            return file, int(line)
    return "", 0
