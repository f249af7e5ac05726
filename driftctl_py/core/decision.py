"""The decision: may this plan be applied, now, by us?

Each change is judged by the rules that match it, or else by the mode of what caused it: a commit
or somebody's hand. The plan is judged as its worst change is. What cannot be decided is denied.
Facts come in as values and a decision goes out as one; nothing here reads a clock or a file.

Not here: what makes an approval count (``approval``), which rules match (``rules``), what a policy
finds (``policy``) and when windows are open (``window``), of which this only takes what they say.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import Enum, IntEnum
from typing import TypeAlias, assert_never

from driftctl_py.core.approval import Approval, Ask, Requirement, Standing, Violation, moment
from driftctl_py.core.assessment import LEFT, Assessment, Finding, Origin
from driftctl_py.core.environment import ApplyModes, Mode
from driftctl_py.core.limits import is_limit
from driftctl_py.core.plan import UNMANAGED, Change, Kind, OutputChange, Plan
from driftctl_py.core.values import UNKNOWN
from driftctl_py.core.window import Closed


class Level(IntEnum):
    """A lattice: the worse of two is the greater."""

    ALLOW = 0
    WARN = 1
    APPROVE = 2
    DENY = 3


class Cause(Enum):
    """Why there is something to do."""

    DRIFT = "drift"
    COMMIT = "commit"
    BOTH = "drift and commit"
    UNDETERMINED = "undetermined"

    @property
    def words(self) -> frozenset[str]:
        """``drift``, ``commit``, or both where it is, or may be, either."""
        alone = self in (Cause.DRIFT, Cause.COMMIT)
        return frozenset({self.value} if alone else {"drift", "commit"})


@dataclass(frozen=True, slots=True)
class Ruling:
    """What one rule, or a mode, says about one change. ``rule`` is its name (``apply.drift: auto``
    for a mode), ``where`` its ``file:line``, ``groups`` whom it wants to be asked: somebody
    of each, and ``count`` persons of them (or, without any, of any group) in all."""

    level: Level
    rule: str
    where: str = ""
    message: str = ""
    groups: tuple[str, ...] = ()
    count: int = 1


@dataclass(frozen=True, slots=True)
class Rulings:
    """What the rules say: by address and deposed key of a change (an output is ``output.NAME``,
    an action its address), and about the plan as a whole. ``broken`` says why the rules could not
    be asked, in a line for each reason; nothing is then allowed."""

    of_change: Mapping[tuple[str, str], tuple[Ruling, ...]] = field(default_factory=dict)
    of_plan: tuple[Ruling, ...] = ()
    broken: str = ""


@dataclass(frozen=True, slots=True)
class Judged:
    """One change, and what was said of it, the worst first. ``what`` says in a word or a path
    what it is: ``create``, ``tags.team``."""

    address: str
    cause: Cause
    what: str
    rulings: tuple[Ruling, ...]
    deposed: str = ""

    @property
    def level(self) -> Level:
        return max((ruling.level for ruling in self.rulings), default=Level.DENY)


@dataclass(frozen=True, slots=True)
class Judgement:
    """All changes of a plan, the worst first, and what was said of it as a whole."""

    changes: tuple[Judged, ...] = ()
    of_plan: tuple[Ruling, ...] = ()

    @property
    def level(self) -> Level:
        # A plan of which no change is known is not judged, whatever was said of it as a whole.
        levels = [each.level for each in self.changes] or [Level.DENY]
        return max(levels + [each.level for each in self.of_plan])

    @property
    def groups(self) -> tuple[str, ...]:
        """Whom rules want to be asked, beside what the environment requires: somebody of each.
        Hand them, and ``asks``, to `Requirement.also` before asking where the approvals stand."""
        asked = (group for ruling in self._asking() for group in ruling.groups)
        return tuple(dict.fromkeys(asked))

    @property
    def asks(self) -> tuple[Ask, ...]:
        """Of which rules want more than one person, and how many."""
        asked = (Ask(each.count, each.groups) for each in self._asking() if each.count > 1)
        return tuple(dict.fromkeys(asked))

    @property
    def violations(self) -> tuple[Violation, ...]:
        """What rules, policies and limits have against it. What a switch says is no violation: it
        says the same of every plan."""
        found = [
            Violation(ruling.rule, int(ruling.level), each.address, each.deposed, _said(ruling))
            for each in self.changes
            for ruling in each.rulings
            if ruling.level is not Level.ALLOW and ruling not in _SWITCHES
        ]
        found += [
            Violation(ruling.rule, int(ruling.level), message=_said(ruling))
            for ruling in self.of_plan
            if ruling.level is not Level.ALLOW
        ]
        return tuple(found)

    def _asking(self) -> Iterator[Ruling]:
        rulings = (ruling for each in self.changes for ruling in each.rulings)
        return (each for each in (*rulings, *self.of_plan) if each.level is Level.APPROVE)


def _said(ruling: Ruling) -> str:
    """A limit counts on while somebody makes up their mind, and has nothing else against a plan."""
    return "" if is_limit(ruling.rule) else ruling.message


@dataclass(frozen=True, slots=True)
class Nothing:
    """There is nothing to apply. ``why`` is a sentence."""

    why: str


@dataclass(frozen=True, slots=True)
class Apply:
    """Apply it. ``approvals`` are those that it rests on; none where none was needed."""

    judgement: Judgement
    approvals: tuple[Approval, ...] = ()


@dataclass(frozen=True, slots=True)
class Hold:
    """People must say yes first: ``standing.missing`` more of those whom ``requirement`` names. Or
    it is not the time: ``closed`` says what has to end first. Or both."""

    judgement: Judgement
    requirement: Requirement
    standing: Standing
    closed: tuple[Closed, ...] = ()


@dataclass(frozen=True, slots=True)
class Refuse:
    """No, and nobody's yes helps. ``reasons`` are sentences; ``todo`` what to do instead."""

    reasons: tuple[str, ...]
    judgement: Judgement | None = None
    todo: str = ""


Decision: TypeAlias = Nothing | Apply | Hold | Refuse


@dataclass(frozen=True, slots=True)
class Obstacle:
    """Something outside the plan that forbids to apply: suspended, an ``errored.tfstate``, a
    pinned commit. A sentence, and what to do about it."""

    why: str
    todo: str = ""


def judge(
    plan: Plan,
    assessment: Assessment,
    modes: ApplyModes,
    rulings: Rulings,
    *,
    code_is_applied: bool,
) -> Judgement:
    """What is said of each change that apply would make. ``code_is_applied``: the last apply of
    this environment converged under the same governing digest, so that an output, or a value known
    only after apply, which changes now does so because the world moved, not the code."""
    puts_back = any(each.origin is Origin.DRIFT_REVERTED for each in assessment.findings)
    judging = _Judging(plan, modes, rulings, code_is_applied, puts_back)
    found: list[Judged] = []
    for finding in (*assessment.findings, *assessment.equivalent):
        if judging.acts_on(finding):
            found.append(judging.finding(finding))
    for output in assessment.outputs:
        if output.kind is not Kind.NO_OP:
            found.append(judging.output(output))
    causes = {each.address: each.cause for each in found if not each.deposed}
    for invocation in assessment.invocations:
        cause = causes.get(invocation.triggered_by, Cause.UNDETERMINED)
        found.append(judging.judged(invocation.address, cause, "invoke"))
    return Judgement(tuple(sorted(found, key=_worst_first)), _sorted(rulings.of_plan))


def judge_again(judgement: Judgement, modes: ApplyModes, rulings: Rulings) -> Judgement:
    """The same changes, of the same causes, by other switches or rules."""
    changes = [
        _judged(modes, rulings, each.address, each.cause, each.what, each.deposed)
        for each in judgement.changes
    ]
    return Judgement(tuple(sorted(changes, key=_worst_first)), _sorted(rulings.of_plan))


class _Judging:
    """One plan's changes, under one set of switches and rules."""

    def __init__(
        self,
        plan: Plan,
        modes: ApplyModes,
        rulings: Rulings,
        code_is_applied: bool,
        puts_back: bool = False,
    ) -> None:
        self._records = plan.records_only
        self._modes = modes
        self._rulings = rulings
        self._code_is_applied = code_is_applied
        self._puts_back = puts_back

    def acts_on(self, finding: Finding) -> bool:
        """Would apply do anything about it? Of what happened outside in a way that this version
        does not know, nobody can say."""
        return (
            finding.kind is not Kind.NO_OP
            or bool(finding.modifiers)
            or finding.drift is Kind.UNKNOWN
            or (self._records and finding.drifted)
        )

    def finding(self, finding: Finding) -> Judged:
        cause = self._recorded_cause(finding) if self._records else self._cause(finding)
        return self.judged(finding.address, cause, _what(finding), finding.deposed)

    def output(self, output: OutputChange) -> Judged:
        cause = Cause.DRIFT if self._code_is_applied else Cause.COMMIT
        if output.kind is Kind.UNKNOWN:
            cause = Cause.UNDETERMINED
        return self.judged(f"output.{output.name}", cause, output.kind.value)

    def judged(self, address: str, cause: Cause, what: str, deposed: str = "") -> Judged:
        return _judged(self._modes, self._rulings, address, cause, what, deposed)

    def _cause(self, finding: Finding) -> Cause:
        if Kind.UNKNOWN in (finding.kind, finding.drift):
            return Cause.UNDETERMINED
        if finding.origin is Origin.DRIFT_REVERTED:
            return self._cause_of_all(finding)
        if self._follows(finding):
            return Cause.DRIFT
        # An object that nobody touched: else what apply does with it is the code's doing.
        return _CAUSES.get(finding.origin, Cause.UNDETERMINED)

    def _follows(self, finding: Finding) -> bool:
        """Is it only given what something else turns out to be that is put back? With code that is
        applied already, what is known only after apply has no other reason. A value that is known
        has: it may come from a data source, which is nobody's drift."""
        if not (self._code_is_applied and self._puts_back) or finding.kind is not Kind.UPDATE:
            return False
        changed = [each for each in finding.attributes if each.origin not in LEFT]
        # Whole: within a list of another length, something else may change as well.
        return bool(changed) and all(each.planned is UNKNOWN for each in changed)

    def _cause_of_all(self, finding: Finding) -> Cause:
        """Of an object that is put back. A value that is known only after apply may follow from
        that, or from a commit; where there is no commit, it follows from that."""
        causes = {
            _CAUSES.get(each.origin, Cause.UNDETERMINED)
            for each in finding.attributes
            if each.origin not in LEFT
        }
        if self._code_is_applied:
            causes.discard(Cause.UNDETERMINED)
        if causes <= {Cause.DRIFT}:
            return Cause.DRIFT
        return Cause.UNDETERMINED if Cause.UNDETERMINED in causes else Cause.BOTH

    def _recorded_cause(self, finding: Finding) -> Cause:
        """In a plan that only records what is there."""
        if Kind.UNKNOWN in (finding.kind, finding.drift):
            return Cause.UNDETERMINED
        if finding.modifiers:
            return Cause.BOTH if finding.drifted else Cause.COMMIT
        return Cause.DRIFT


def _judged(
    modes: ApplyModes, rulings: Rulings, address: str, cause: Cause, what: str, deposed: str
) -> Judged:
    """By the rules that match, and by the switch of the cause unless one of them allows."""
    ruled = rulings.of_change.get((address, deposed), ())
    # Only a rule that allows takes the place of the switch: any other is to make it stricter.
    if not any(each.level is Level.ALLOW for each in ruled):
        ruled = (*ruled, *_by_mode(modes, cause))
    return Judged(address, cause, what, _sorted(ruled), deposed)


def _by_mode(modes: ApplyModes, cause: Cause) -> tuple[Ruling, ...]:
    git, drift = _by_git(modes.git), _by_drift(modes.drift)
    match cause:
        case Cause.COMMIT:
            return (git,)
        case Cause.DRIFT:
            return (drift,)
        case Cause.BOTH | Cause.UNDETERMINED:
            return (git, drift)
        case _ as never:
            assert_never(never)


_CAUSES = {
    Origin.DRIFT_REVERTED: Cause.DRIFT,
    Origin.PENDING: Cause.COMMIT,
    Origin.BOTH: Cause.BOTH,
}
_LEVELS = {Mode.AUTO: Level.ALLOW, Mode.GATE: Level.APPROVE, Mode.NEVER: Level.DENY}


def _by_git(mode: Mode) -> Ruling:
    return Ruling(_LEVELS[mode], f"apply.git: {mode.value}")


def _by_drift(mode: Mode) -> Ruling:
    return Ruling(_LEVELS[mode], f"apply.drift: {mode.value}")


_SWITCHES = frozenset(by(mode) for by in (_by_git, _by_drift) for mode in Mode)
_NEVER = {
    _by_git(Mode.NEVER): (
        "apply.git is never, so commits are not applied here.",
        "To have commits applied after a yes, write `apply: {git: gate}` for this environment in "
        "driftctl.yaml.",
    ),
    _by_drift(Mode.NEVER): (
        "apply.drift is never, so drift is not put back here.",
        "To have drift put back after a yes, write `apply: {drift: gate}` for this environment in "
        "driftctl.yaml.",
    ),
}
"""What a switch that is off says, and how it is turned on."""


def _what(finding: Finding) -> str:
    if finding.kind is Kind.NO_OP:
        outside = finding.drift or Kind.NO_OP
        return finding.modifiers[0] if finding.modifiers else str(outside.value)
    changed = [each.path for each in finding.attributes if each.origin not in LEFT]
    if finding.kind is Kind.UPDATE and len(changed) == 1 and changed[0]:
        return changed[0]
    return str(finding.kind.value)


def _sorted(rulings: tuple[Ruling, ...]) -> tuple[Ruling, ...]:
    return tuple(sorted(rulings, key=lambda each: -each.level))


def _worst_first(judged: Judged) -> int:
    return -judged.level


def applyable(plan: Plan, *, accepting: bool = False) -> bool:
    """Would `apply` do anything with it? As the engine says, or by its own predicate where it
    does not say (reference, section 1.1). False for what is errored. ``accepting``: it was made
    with ``-refresh-only``, which a plan does not say of itself."""
    if plan.errored:
        return False
    if plan.applyable is not None:
        return plan.applyable
    changes = [each.change for each in plan.joined if each.change is not None]
    return (
        any(each.kind is not Kind.NO_OP or each.moved or each.imported for each in changes)
        or any(each.kind is not Kind.NO_OP for each in plan.outputs)
        or bool(plan.invocations)
        or (accepting and any(each.drift is not None for each in plan.joined))
    )


def decide(
    plan: Plan,
    assessment: Assessment,
    judgement: Judgement,
    requirement: Requirement,
    standing: Standing,
    *,
    rulings: Rulings,
    obstacles: tuple[Obstacle, ...] = (),
    closed: tuple[Closed, ...] = (),
    accepting: bool = False,
    now: datetime,
) -> Decision:
    """In this order: incomplete or errored → Refuse; nothing applyable → Nothing; an obstacle,
    broken rules or a denial → Refuse; a standing no → Refuse; approve → Hold until there is
    enough; not the time (``closed``) → Hold; else Apply. ``accepting``: it is a refresh-only plan,
    which only writes the state."""
    if why := _cannot_be_trusted(plan, assessment, accepting=accepting):
        return Refuse((why,), judgement, "Nothing was applied. Plan again once that is mended.")
    if why := _nothing_to_do(plan, assessment, judgement, accepting=accepting):
        return Nothing(why)
    denied = [*_obstacles(obstacles), *_broken(rulings), *denials(judgement)]
    if denied:
        reasons = tuple(dict.fromkeys(why for why, _ in denied))
        return Refuse(
            reasons, judgement, "\n".join(dict.fromkeys(todo for _, todo in denied if todo))
        )
    if standing.rejected is not None:
        return Refuse((no_of(standing.rejected),), judgement, _AFTER_A_NO)
    match judgement.level:
        case Level.ALLOW | Level.WARN:
            if closed:
                return Hold(judgement, requirement, Standing(), closed)
            return Apply(judgement)
        case Level.APPROVE:
            unasked = [each for each in judgement.groups if each not in requirement.each_of]
            asks = [each for each in judgement.asks if each not in requirement.asks]
            standing = _at(standing, now, unasked, asks)
            if standing.enough and not closed:
                return Apply(judgement, standing.given)
            return Hold(judgement, requirement.also(unasked, asks), standing, closed)
        case Level.DENY:
            return Refuse((_UNJUDGED,), judgement)
        case _ as never:
            assert_never(never)


_AFTER_A_NO = (
    "Change what is planned and plan again; or let them take it back: of one person the last word "
    "counts, so they may still approve."
)
_UNJUDGED = (
    "Apply would do something of which nobody can say whether it may be done. "
    "This is a bug in driftctl_py."
)


def _cannot_be_trusted(plan: Plan, assessment: Assessment, *, accepting: bool) -> str:
    if plan.errored:
        return "The engine failed while it planned, so the plan holds only what came before."
    if not assessment.complete:
        return f"The plan is incomplete: {assessment.incomplete_reason}"
    if plan.complete is False:
        return "The engine says that the plan is incomplete: it does not cover the environment."
    acts = [each.change for each in plan.joined if each.change and _changes_something(each.change)]
    if acts and accepting:
        return (
            f"The plan was to record what is there, and yet it would {acts[0].kind.value} "
            f"{acts[0].address}."
        )
    if acts and plan.applyable is False:
        return (
            "The engine says that there is nothing to apply, and yet the plan would "
            f"{acts[0].kind.value} {acts[0].address}."
        )
    return ""


def _changes_something(change: Change) -> bool:
    return change.kind is not Kind.NO_OP and change.mode not in UNMANAGED


def _nothing_to_do(
    plan: Plan, assessment: Assessment, judgement: Judgement, *, accepting: bool
) -> str:
    """Why there is nothing to apply, as a sentence; empty where there is something."""
    can = applyable(plan, accepting=accepting)
    if can and judgement.changes:
        return ""
    if accepting:
        # What is only spelled otherwise is not worth a new state.
        return "The state holds what is there already."
    if can and not _only_reads(plan):
        return ""
    if drifted := assessment.drifted:
        whose = "one object was" if drifted == 1 else f"{drifted} objects were"
        return f"Though {whose} changed outside, apply would leave everything as it is."
    return "Only data sources would be read." if can else "Code, state and cloud are one."


def _only_reads(plan: Plan) -> bool:
    """A data source with a check is read on every run, and that can be applied."""
    return not (
        any(each.change and _changes_something(each.change) for each in plan.joined)
        or any(each.kind is not Kind.NO_OP for each in plan.outputs)
        or plan.invocations
    ) and any(each.change and each.change.mode == "data" for each in plan.joined)


def _obstacles(obstacles: tuple[Obstacle, ...]) -> Iterator[tuple[str, str]]:
    for each in obstacles:
        yield each.why, each.todo


def _broken(rulings: Rulings) -> Iterator[tuple[str, str]]:
    for why in rulings.broken.splitlines():
        yield why, "Mend the rules; without them nothing can be allowed."


def denials(judgement: Judgement) -> Iterator[tuple[str, str]]:
    """Why not and what to do instead, once for each rule."""
    denied: dict[Ruling, list[str]] = {}
    for each in judgement.changes:
        of_it = f" (deposed object {each.deposed})" if each.deposed else ""
        for ruling in each.rulings:
            if ruling.level is Level.DENY:
                denied.setdefault(ruling, []).append(f"{each.address}{of_it}")
    for ruling in judgement.of_plan:
        if ruling.level is Level.DENY:
            denied.setdefault(ruling, []).append("The plan as a whole")
    for ruling, about in denied.items():
        why, todo = _NEVER.get(ruling) or _denied_by_rule(ruling)
        yield f"{_some(about)}: {why}", todo


def _denied_by_rule(ruling: Ruling) -> tuple[str, str]:
    name = f"{ruling.rule} ({ruling.where})" if ruling.where else ruling.rule
    why = f"denied by {name}" + (f": {ruling.message}" if ruling.message else ".")
    return why, f"Change what is planned, or the rule {name}."


def _some(names: list[str]) -> str:
    """The judgement has all of them."""
    more = len(names) - 3
    return ", ".join(names[:3]) + (f" and {more} more" if more > 0 else "")


def no_of(approval: Approval) -> str:
    return f"{approval.by.text} said no at {moment(approval.at)}: {approval.reason}"


def _at(standing: Standing, now: datetime, unasked: list[str], asks: list[Ask]) -> Standing:
    """The same at another moment: what has expired since is missing again. And where nobody asked
    whether somebody of a group said yes, nobody did."""
    given = tuple(each for each in standing.given if now < each.expires_at)
    expired = len(standing.given) - len(given)
    lacking, short = (*standing.lacking, *unasked), (*standing.short, *asks)
    return replace(
        standing,
        given=given,
        missing=max(
            standing.missing + expired, int(bool(lacking)), *(each.count for each in short)
        ),
        lacking=lacking,
        short=short,
    )
