"""What is not as it was reviewed, in sentences: for a refusal, a run's record, and a comment.

Only what each thing is and which places of it differ, no values: those are in the plan itself, and
where both are at hand `plan_diff` shows them side by side.
"""

from __future__ import annotations

from collections.abc import Iterator

from driftctl_py.core.consequences import About, Subject
from driftctl_py.core.diff import spelled
from driftctl_py.core.plan import Kind
from driftctl_py.core.plan_diff import Deviation, PlanDifference
from driftctl_py.report import show

_THINGS_AT_MOST = 12
_PLACES_AT_MOST = 6
_NOT_KEPT = (
    "What differs is a secret, or a setting of a provider or a provisioner: none of that is kept "
    "of a review but its digest."
)


def difference_sentences(difference: PlanDifference) -> tuple[str, ...]:
    """One for each thing that the plan does otherwise than the one that was reviewed, what destroys
    first; of many the first, and how many more."""
    if difference.same:
        return (_NOT_KEPT,)
    return tuple(_sentences(difference.deviations))


def _sentences(deviations: tuple[Deviation, ...]) -> Iterator[str]:
    for each in deviations[:_THINGS_AT_MOST]:
        yield show.clean(f"{_name(each.subject)}: {_how(each)}.")
    if len(deviations) > _THINGS_AT_MOST:
        yield f"And {len(deviations) - _THINGS_AT_MOST} more."


def _name(subject: Subject) -> str:
    if subject.about in (About.RESOURCE, About.PLAN):
        words = subject.name or "The plan itself"
        return words + (f" (deposed object {subject.key})" if subject.key else "")
    return f"{subject.about.value} {subject.name}"


def _how(deviation: Deviation) -> str:
    then, now = deviation.kinds
    if deviation.a is None:
        return f"reviewed, nothing was to be done with it; now: {_does(now)}"
    if deviation.b is None:
        return f"reviewed: {_does(then)}; now nothing would be done with it"
    if then is not now:
        return f"reviewed: {_does(then)}; now: {_does(now)}"
    places = list(
        dict.fromkeys(spelled(each.at.path) or each.at.fact.value for each in deviation.facts)
    )
    named = ", ".join(places[:_PLACES_AT_MOST])
    more = f" and {len(places) - _PLACES_AT_MOST} more" if len(places) > _PLACES_AT_MOST else ""
    return f"{_does(now)}, but otherwise than reviewed ({named}{more})"


def _does(kind: Kind | None) -> str:
    return "the same" if kind is None else kind.value
