"""What rules and switches of now would have said of a plan that was judged then.

Compared are the words, change by change, never whether anybody said yes. What caused each change is
what was found out then. Policies, checks and limits are not asked again, and neither is what the
watched repository adds of its own: what they said then stands.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime

from driftctl_py.core.decision import Judged, Judgement, Level, Ruling, Rulings, judge_again
from driftctl_py.core.environment import Environment
from driftctl_py.core.plan_report import PlanReport
from driftctl_py.core.rules import rulings_of

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
    assessment = report.assessment
    rulings = rulings_of(
        environment.rules,
        report.plan,
        (*assessment.findings, *assessment.equivalent),
        judgement,
        assessment.managed,
    )
    rulings = _joined(rulings, carried(judgement, environment))
    return judge_again(judgement, environment.apply, rulings), rulings


def compared(run: str, environment: str, at: datetime, then: Judgement, now: Judgement) -> Replayed:
    """What is said differently now."""
    before = {_key(each): each for each in then.changes}
    changes = tuple(
        Difference(each.address, each.deposed, before[_key(each)].level, each.level)
        for each in now.changes
        if each.level is not before[_key(each)].level
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
