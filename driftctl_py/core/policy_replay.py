"""What rules and switches of now would have said of a plan that was judged then.

Compared are the words, change by change, never whether anybody said yes. What caused each change is
what was found out then. Policies, checks and limits are not asked again, and neither is what the
watched repository adds of its own: what they said then stands.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from driftctl_py.core.assessment import Finding
from driftctl_py.core.decision import Judged, Judgement, Level, Ruling, Rulings, judge_again
from driftctl_py.core.environment import Environment
from driftctl_py.core.plan import Joined, Kind, Path
from driftctl_py.core.plan_report import PlanReport
from driftctl_py.core.rule import Rule
from driftctl_py.core.rules import rulings_of, values_at
from driftctl_py.core.values import ABSENT, UNKNOWN, Value, is_list, is_map

REPOSITORYS_OWN = "driftctl.yaml of "
"""How the place of a rule begins that the watched repository adds."""
_LIMITS = "limits."


@dataclass(frozen=True, slots=True)
class Because:
    """A ruling that is new, or that is gone, and the changes that it is about; none: the plan as a
    whole."""

    ruling: Ruling
    addresses: tuple[str, ...]
    is_new: bool


@dataclass(frozen=True, slots=True)
class Difference:
    """One change of a plan, of which another word is the strictest now."""

    address: str
    deposed: str
    then: Level
    now: Level


@dataclass(frozen=True, slots=True)
class Replayed:
    """One run, decided anew. ``then`` and ``now`` are the strictest words of all; asked are groups,
    and so many persons of them, as far as rules ask for a yes. ``unreadable`` says why it could not
    be, as a sentence, and then all the rest is empty."""

    run: str
    environment: str
    at: datetime
    then: Level | None = None
    now: Level | None = None
    asked_then: tuple[str, ...] = ()
    asked_now: tuple[str, ...] = ()
    changes: tuple[Difference, ...] = ()
    because: tuple[Because, ...] = ()
    unreadable: str = ""

    @property
    def stricter(self) -> bool:
        return self.then is not None and self.now is not None and self.now > self.then

    @property
    def weaker(self) -> bool:
        return self.then is not None and self.now is not None and self.now < self.then

    @property
    def asks_others(self) -> bool:
        """Is the word the same, and asked are others?"""
        return (
            self.then is Level.APPROVE
            and self.now is Level.APPROVE
            and set(self.asked_then) != set(self.asked_now)
        )

    @property
    def differs(self) -> bool:
        """Would it be decided differently?"""
        return self.stricter or self.weaker or self.asks_others


@dataclass(slots=True)
class Replay:
    """What a replay came to: how many plans were decided anew, and those that differ or that could
    not be read. ``changes`` counts plans of which the same is decided, and another word said of a
    single change. ``gone`` counts runs of environments that the configuration does not have."""

    plans: int = 0
    different: list[Replayed] = field(default_factory=list)
    unreadable: list[Replayed] = field(default_factory=list)
    changes: int = 0
    gone: Counter[str] = field(default_factory=Counter)
    oldest: datetime | None = None

    def take(self, replayed: Replayed) -> None:
        self.oldest = replayed.at
        if replayed.unreadable:
            self.unreadable.append(replayed)
            return
        self.plans += 1
        if replayed.differs:
            self.different.append(replayed)
        elif replayed.changes:
            self.changes += 1


def carried(judgement: Judgement, environment: Environment) -> Rulings:
    """What of a recorded judgement stands, since it is not asked again."""
    policies = {each.name for each in environment.policies}

    def stands(ruling: Ruling) -> bool:
        return (
            ruling.rule in policies
            or ruling.rule.startswith(_LIMITS)
            or ruling.where.startswith(REPOSITORYS_OWN)
        )

    of_change = {
        (each.address, each.deposed): tuple(filter(stands, each.rulings))
        for each in judgement.changes
    }
    return Rulings(of_change, tuple(filter(stands, judgement.of_plan)))


def judged_now(
    judgement: Judgement, environment: Environment, report: PlanReport
) -> tuple[Judgement, Rulings]:
    """The recorded judgement, as rules and switches of now would have it, and what they say."""
    assessment, plan = report.assessment, with_doubts(report, environment.rules).plan
    rulings = rulings_of(
        environment.rules,
        plan,
        (*assessment.findings, *assessment.equivalent),
        judgement,
        assessment.managed,
    )
    rulings = _joined(rulings, carried(judgement, environment))
    return judge_again(judgement, environment.apply, rulings), rulings


def with_doubts(report: PlanReport, rules: Sequence[Rule]) -> PlanReport:
    """The same plan, in which nobody knows the values that rules ask for and that it does not tell:
    the document of a stored plan has those that change, and no others."""
    paths = sorted({path for each in rules for path in each.values})
    if not paths:
        return report
    findings = {
        (each.address, each.deposed): each
        for each in (*report.assessment.findings, *report.assessment.equivalent)
    }
    joined = (_doubted(each, findings, paths) for each in report.plan.joined)
    return replace(report, plan=replace(report.plan, joined=tuple(joined)))


def _doubted(
    joined: Joined, findings: Mapping[tuple[str, str], Finding], paths: Sequence[str]
) -> Joined:
    change = joined.change
    finding = findings.get((joined.entry.address, joined.entry.deposed))
    if change is None or finding is None:
        return joined
    if change.kind in _LEAVE_NOTHING:
        return replace(joined, change=replace(change, after=None))
    tree: Value = {}
    for each in finding.attributes:
        if each.planned is not ABSENT and not (each.in_json or each.in_yaml):
            tree = with_value(tree, each.steps, each.planned)
    for path in paths:
        if not values_at(path, tree):
            first = path.split(".")[0].split("[")[0]
            # A glob may mean anything.
            is_glob = not first or "*" in first or "?" in first
            tree = UNKNOWN if is_glob else with_value(tree, (first,), UNKNOWN)
    return replace(joined, change=replace(change, after=tree))


_LEAVE_NOTHING = frozenset({Kind.DELETE, Kind.FORGET})


def with_value(node: Value, steps: Path, value: Value) -> Value:
    """The same value, in which the other one lies at the end of the steps."""
    if not steps:
        return value
    first, rest = steps[0], steps[1:]
    if isinstance(first, int):
        items: list[Value] = list(node) if is_list(node) else []
        items += [UNKNOWN] * (first + 1 - len(items))
        items[first] = with_value(items[first], rest, value)
        return items
    entries = dict(node) if is_map(node) else {}
    return {**entries, first: with_value(entries.get(first), rest, value)}


def compared(run: str, environment: str, at: datetime, then: Judgement, now: Judgement) -> Replayed:
    """What is said differently now."""
    # One action may be run twice, for two reasons.
    before = {(_key(each), each.cause): each.level for each in then.changes}
    changes = tuple(
        Difference(each.address, each.deposed, before[_key(each), each.cause], each.level)
        for each in now.changes
        if each.level is not before[_key(each), each.cause]
    )
    return Replayed(
        run,
        environment,
        at,
        then.level,
        now.level,
        _asked(then),
        _asked(now),
        changes,
        tuple(_because(then, now)),
    )


def _asked(judgement: Judgement) -> tuple[str, ...]:
    asks = (f"{each.count} of {' or '.join(each.groups) or 'any group'}" for each in judgement.asks)
    return (*judgement.groups, *asks)


def _because(then: Judgement, now: Judgement) -> Iterator[Because]:
    """The rulings that make the difference, the strictest first: what is new, then what is gone."""
    olds, news = _by_ruling(then), _by_ruling(now)
    yield from _missing(news, olds, is_new=True)
    yield from _missing(olds, news, is_new=False)


def _missing(
    ones: dict[Ruling, list[str]], others: dict[Ruling, list[str]], *, is_new: bool
) -> Iterator[Because]:
    there = {(_said(ruling), each) for ruling, about in others.items() for each in about or [""]}
    for ruling, about in sorted(ones.items(), key=lambda each: -each[0].level):
        missing = [each for each in about or [""] if (_said(ruling), each) not in there]
        if missing:
            yield Because(ruling, tuple(filter(None, missing)), is_new)


def _said(ruling: Ruling) -> tuple[object, ...]:
    """What it says, wherever it is written by now."""
    return ruling.level, ruling.rule, frozenset(ruling.groups), ruling.count


def _by_ruling(judgement: Judgement) -> dict[Ruling, list[str]]:
    found: dict[Ruling, list[str]] = {ruling: [] for ruling in judgement.of_plan}
    for each in judgement.changes:
        for ruling in each.rulings:
            found.setdefault(ruling, []).append(_named(each))
    return found


def _named(judged: Judged) -> str:
    return f"{judged.address} (deposed {judged.deposed})" if judged.deposed else judged.address


def _joined(*several: Rulings) -> Rulings:
    of_change: dict[tuple[str, str], tuple[Ruling, ...]] = {}
    for each in several:
        for key, rulings in each.of_change.items():
            of_change[key] = (*of_change.get(key, ()), *rulings)
    return Rulings(of_change, tuple(_rulings_of_plans(several)))


def _rulings_of_plans(several: Iterable[Rulings]) -> Iterator[Ruling]:
    for each in several:
        yield from each.of_plan


def _key(judged: Judged) -> tuple[str, str]:
    return judged.address, judged.deposed
