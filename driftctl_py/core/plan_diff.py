"""How two plans differ in what they mean, consequence by consequence.

Two plans without a difference have the same fingerprint. The other way round that holds with a key:
without one a fingerprint leaves out which secret it is, and here two of them are told apart. What
merely looks different in their files is no difference.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from driftctl_py.core.consequences import About, At, Consequence, Fact, Subject, consequences
from driftctl_py.core.diff import differences
from driftctl_py.core.plan import Kind, Plan
from driftctl_py.core.values import ABSENT, Sensitive, Value, exact_key


@dataclass(frozen=True, slots=True)
class FactDifference:
    """One fact that the two plans do not share; ABSENT where a plan says nothing of it.
    ``in_json`` and ``in_yaml`` say that its place lies within a string that holds such."""

    at: At
    a: Value
    b: Value
    in_json: bool = False
    in_yaml: bool = False


@dataclass(frozen=True, slots=True)
class Deviation:
    """What one of the plans does and the other does not, or does otherwise. ``a`` or ``b`` is None
    where that plan does nothing with it."""

    subject: Subject
    a: Consequence | None
    b: Consequence | None
    facts: tuple[FactDifference, ...]

    @property
    def kinds(self) -> tuple[Kind | None, Kind | None]:
        """What A and B do with an object or an output; None: nothing, or it is neither."""
        return _kind(self.a), _kind(self.b)

    @property
    def destroys(self) -> bool:
        """Does either plan destroy an object here? An output that goes is none."""
        return self.subject.about is About.RESOURCE and any(
            kind is not None and kind.destroys for kind in self.kinds
        )


@dataclass(frozen=True, slots=True)
class PlanDifference:
    """``deviations`` are in reading order: what destroys, what nobody knows, the rest by what it is
    about. ``total`` counts everything that either plan would do."""

    deviations: tuple[Deviation, ...]
    total: int

    @property
    def same(self) -> bool:
        return not self.deviations


def compare_plans(a: Plan, b: Plan) -> PlanDifference:
    """Of two plans that were decoded with one ``Secrets`` and with their settings. With a key, if
    only one made for the occasion, it sees changed settings whose names say that they are secret.
    """
    ones, others = consequences(a), consequences(b)
    subjects = [*ones, *(subject for subject in others if subject not in ones)]
    found = (_deviation(each, ones.get(each), others.get(each)) for each in subjects)
    return PlanDifference(
        deviations=tuple(sorted((each for each in found if each.facts), key=_reading_order)),
        total=len(subjects),
    )


_ABOUT = {about: position for position, about in enumerate(About)}
_FACT = {fact: position for position, fact in enumerate(Fact)}
# What a plan's values are; the other facts are about the object as a whole.
_VALUES = frozenset({Fact.RECORDED, Fact.REAL, Fact.PLANNED, Fact.CONFIG})
# A digest tells nobody what a setting is, and could be tried out.
_SETTING = Sensitive(exactly=0, means=0)


def _deviation(subject: Subject, a: Consequence | None, b: Consequence | None) -> Deviation:
    ones, others = a or {}, b or {}
    ats = [*ones, *(at for at in others if at not in ones)]
    facts = [fact for at in ats for fact in _facts(at, ones, others)]
    return Deviation(subject, a, b, tuple(sorted(facts, key=_place)))


def _facts(at: At, ones: Consequence, others: Consequence) -> Iterator[FactDifference]:
    a, b = ones.get(at, ABSENT), others.get(at, ABSENT)
    in_both = at in ones and at in others
    if in_both and exact_key(a) == exact_key(b):
        return
    if at.fact is Fact.SETTING:
        yield FactDifference(
            at, _SETTING if at in ones else ABSENT, _SETTING if at in others else ABSENT
        )
    elif in_both and at.fact in _VALUES:
        yield from places_between(at, a, b)
    else:
        yield FactDifference(at, a, b)


def places_between(at: At, a: Value, b: Value) -> Iterator[FactDifference]:
    """Where in there two values differ, in strings that hold JSON or YAML too."""
    # As a member of something: only there is a key that is missing another thing than null.
    for place in differences({"": {"": a}}, {"": {"": a}}, {"": {"": b}}):
        # What is unknown is the same as nothing; two plans that both do not know it agree.
        if exact_key(place.real) != exact_key(place.planned):
            inner = At(at.fact, (*at.path, *place.path[2:]))
            yield FactDifference(inner, place.real, place.planned, place.in_json, place.in_yaml)


def _kind(consequence: Consequence | None) -> Kind | None:
    kind = (consequence or {}).get(At(Fact.KIND))
    return None if kind is None else Kind(kind)


def _reading_order(deviation: Deviation) -> tuple[int, int, str, str, int]:
    unknown = Kind.UNKNOWN in deviation.kinds
    subject = deviation.subject
    return (
        0 if deviation.destroys else 1 if unknown else 2,
        _ABOUT[subject.about],
        subject.name,
        subject.key,
        subject.nth,
    )


def _place(found: FactDifference) -> tuple[list[tuple[bool, int, str]], int]:
    """All of it first, then place by place, and what is said of one place together."""
    steps = [
        (isinstance(step, str), step if isinstance(step, int) else 0, str(step))
        for step in found.at.path
    ]
    return steps, _FACT[found.at.fact]
