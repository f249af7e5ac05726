"""What of a plan a machine should be told, one alert for each object: for JUnit, SARIF and GitHub.

An alert says the same in all of them: which rule it breaks, how grave that is, what it is about,
in one line what is the matter, and in some more where exactly. Each format spells it in its own
way and quotes it by its own rules; nothing here is quoted, but everything is clean (one line, no
control characters).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import Enum

from driftctl_py.core.assessment import Finding
from driftctl_py.core.plan import Kind
from driftctl_py.core.plan_report import PlanReport, View
from driftctl_py.report import told, wording
from driftctl_py.report.show import clean, cut_values, literals
from driftctl_py.report.told import Line, Told

# Columns of one value where values are cut.
_VALUE = 120


class Level(Enum):
    """How grave it is: something is lost or not known, something is to be looked at, something
    is going to happen as the code says."""

    ERROR = "error"
    WARNING = "warning"
    NOTE = "note"


@dataclass(frozen=True, slots=True)
class Rule:
    """A sort of alert. ``name`` is a promise: people filter by it. ``title`` is what is the
    matter, ``help`` what that means and what to do about it."""

    name: str
    level: Level
    title: str
    help: str


INCOMPLETE = Rule(
    "incomplete",
    Level.ERROR,
    "The plan is incomplete",
    "The plan does not hold all that there is: the engine failed half-way, was limited to a part, "
    "or put something off. What is missing in it may be drifted or pending all the same. Plan "
    "again, without -target and without errors.",
)
UNKNOWN_ACTION = Rule(
    "unknown-action",
    Level.ERROR,
    "Apply does something that this version does not know",
    "The plan holds a list of actions that this version of driftctl-py has never heard of. It may "
    "destroy something. Read it with the engine itself (terraform show PLANFILE), and update: "
    "pip install --upgrade driftctl-py",
)
PENDING_DESTROY = Rule(
    "pending-destroy",
    Level.ERROR,
    "Apply destroys this object",
    "Applying the plan deletes the object, and what it holds is gone. If that is not wanted, put "
    "it back into the code, or take it out of the state with a removed block that keeps it.",
)
PENDING_REPLACE = Rule(
    "pending-replace",
    Level.ERROR,
    "Apply destroys this object and makes it anew",
    "Applying the plan deletes the object and creates another in its place; what the old one holds "
    "is gone. The attributes that force it are marked. If that is not wanted, undo their change.",
)
PENDING_FORGET = Rule(
    "pending-forget",
    Level.WARNING,
    "Apply takes this object out of the state and leaves it as it is",
    "Nobody looks after the object any more once the plan is applied; it goes on existing, and "
    "costing. Import it elsewhere, or delete it by hand when it is not needed.",
)
DRIFT_DELETED = Rule(
    "drift-deleted",
    Level.WARNING,
    "Deleted outside Git",
    "The state records the object, but it is not there any more. Apply creates it again where the "
    "code still wants it. Otherwise apply -refresh-only records that it is gone.",
)
DRIFT = Rule(
    "drift",
    Level.WARNING,
    "Changed outside Git",
    "What is really there is not what the state recorded. Apply to put it back, take the change "
    "over into the code, or record it as wanted with apply -refresh-only.",
)
FAILED_CHECK = Rule(
    "failed-check",
    Level.WARNING,
    "A check or condition does not hold",
    "A check block, a condition or a validation failed or could not be evaluated. Its message may "
    "hold values, so it is not shown here: ask the engine (terraform plan).",
)
PENDING_CHANGE = Rule(
    "pending-change",
    Level.NOTE,
    "Not applied yet",
    "The code says something that is not applied yet. Apply it the way you always do.",
)
PENDING_OUTPUT = Rule(
    "pending-output",
    Level.NOTE,
    "An output is not applied yet",
    "The output of the root module gets another value. Whoever reads it from the state sees that "
    "once the plan is applied.",
)
PENDING_ACTION = Rule(
    "pending-action",
    Level.NOTE,
    "Apply runs an action",
    "Applying the plan runs an action of a provider. What it does is not part of the plan.",
)

# The gravest first, and all that there are.
RULES = (
    INCOMPLETE,
    UNKNOWN_ACTION,
    PENDING_DESTROY,
    PENDING_REPLACE,
    PENDING_FORGET,
    DRIFT_DELETED,
    DRIFT,
    FAILED_CHECK,
    PENDING_CHANGE,
    PENDING_OUTPUT,
    PENDING_ACTION,
)

# Not among them, since it is none: shown where somebody asks for everything.
_EQUIVALENT = Rule(
    "equivalent",
    Level.NOTE,
    "Another spelling of the same",
    "The provider spells what it recorded in another way (null against {}). Nothing is the matter.",
)


@dataclass(frozen=True, slots=True)
class Alert:
    """``subject`` is what it is about: an address (of an output ``output.NAME``), or the plan's
    name. ``message`` is what is the matter with it, in one line, ``text`` the same with the
    subject; ``details`` say more in a line each. ``finding`` is what it was made from, where it is
    about an object."""

    rule: Rule
    symbol: str
    subject: str
    message: str
    text: str
    details: tuple[str, ...] = ()
    deposed: str = ""
    finding: Finding | None = field(default=None, repr=False)

    @property
    def line(self) -> str:
        """``~ aws_s3_bucket.assets: change; drift: changed outside; apply puts it back``."""
        return f"{self.symbol} {self.text}"


def alerts(report: PlanReport, view: View) -> list[Alert]:
    """All of them, what is gravest first; within a rule as the engine has it."""
    found = list(_alerts(report, view))
    return sorted(found, key=lambda alert: RULES.index(alert.rule))


def equivalents(report: PlanReport) -> list[Alert]:
    """What only changed its spelling, in the same form, though nobody needs to be told."""
    return [
        _about(
            _EQUIVALENT,
            "=",
            each.address,
            "other spellings of the same",
            details=_details(told.in_plan(each, None, View.FULL), View.FULL),
            finding=each,
        )
        for each in report.assessment.equivalent
    ]


def headline(report: PlanReport) -> str:
    """The plan in one line."""
    return clean(wording.plan_answer(report))


def _alerts(report: PlanReport, view: View) -> Iterator[Alert]:
    assessment = report.assessment
    if not assessment.complete:
        words = f"the plan is incomplete: {assessment.incomplete_reason}"
        yield _about(INCOMPLETE, "?", report.name, words)
    joined = {(each.entry.address, each.entry.deposed): each for each in report.plan.joined}
    for finding in assessment.findings:
        known = told.in_plan(finding, joined.get((finding.address, finding.deposed)), view)
        yield _about(
            _rule(finding),
            wording.symbol(finding),
            finding.address,
            "; ".join(filter(None, (_ACTS.get(finding.kind, ""), known.remark))),
            details=_details(known, view),
            finding=finding,
        )
    for check in assessment.failed_checks:
        yield _as_said(FAILED_CHECK, "!", check.address, wording.check_result(check))
    for output in assessment.outputs:
        yield _about(
            PENDING_OUTPUT,
            wording.output_symbol(output),
            f"output.{output.name}",
            _OUTPUTS.get(output.kind, "the output changes"),
            details=() if view is View.SUMMARY else (_values(told.of_output(output), view),),
        )
    for invocation in assessment.invocations:
        words = wording.invocation(invocation)
        yield _as_said(PENDING_ACTION, "*", invocation.address, words)


_OUTPUTS = {Kind.CREATE: "a new output", Kind.DELETE: "the output goes"}


def _about(
    rule: Rule,
    symbol: str,
    subject: str,
    words: str,
    *,
    details: tuple[str, ...] = (),
    finding: Finding | None = None,
) -> Alert:
    subject, message = clean(subject), clean(words)
    return Alert(
        rule,
        symbol,
        subject,
        message,
        f"{subject}: {message}",
        details,
        clean(finding.deposed) if finding else "",
        finding,
    )


def _as_said(rule: Rule, symbol: str, subject: str, words: str) -> Alert:
    """From words that begin with what they are about."""
    message = clean(words.removeprefix(subject)).lstrip(": ")
    return Alert(rule, symbol, clean(subject), message, clean(words))


# What wording does not say of these, because its readers see the symbol.
_ACTS = {Kind.CREATE: "create", Kind.UPDATE: "change", Kind.DELETE: "destroy"}


def _rule(finding: Finding) -> Rule:
    if Kind.UNKNOWN in (finding.kind, finding.drift):
        return UNKNOWN_ACTION
    if finding.kind.destroys:
        return PENDING_REPLACE if finding.kind.replaces else PENDING_DESTROY
    if finding.kind.forgets:
        return PENDING_FORGET
    if finding.drifted:
        return DRIFT_DELETED if finding.deleted_outside else DRIFT
    return PENDING_CHANGE


def _details(known: Told, view: View) -> tuple[str, ...]:
    lines = [_detail(line, view) for line in known.lines]
    return (*lines, f"… {known.later} more known after apply") if known.later else tuple(lines)


def _detail(line: Line, view: View) -> str:
    snapshots = " → ".join(name for name, _ in line.values if name)
    remarks = ", ".join(filter(None, (snapshots, *line.remarks)))
    words = f"{line.path or 'all of it'}: {_values(line, view)}"
    return clean(f"{words} ({remarks})" if remarks else words)


def _values(line: Line, view: View) -> str:
    texts = literals([value for _, value in line.values])
    return " → ".join(texts if view is View.FULL else cut_values(texts, _VALUE))
