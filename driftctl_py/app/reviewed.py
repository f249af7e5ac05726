"""Was just this reviewed? And if not, what is different.

What a review showed to people is kept as a run: what it meant, what governed it, and the plan
without its secrets. An apply that is to do what was reviewed has to mean the same under the same
circumstances; everything else is refused, and said in words.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from driftctl_py.app.ports import Artifacts, Clock, Store
from driftctl_py.core.approval import moment
from driftctl_py.core.decision import Obstacle
from driftctl_py.core.history import binding_of
from driftctl_py.core.plan_diff import compare_plans
from driftctl_py.core.plan_report import PlanReport, View
from driftctl_py.core.run import Run, State
from driftctl_py.errors import DriftctlError
from driftctl_py.report.plan_document import render_plan_json
from driftctl_py.report.review_difference import difference_sentences
from driftctl_py.report.stored_plan import read_stored_plan

# Of more reviews of one environment nobody will want the oldest.
_AT_MOST = 500
_CLOCKS_DIFFER = timedelta(minutes=10)


class Reviewed:
    """Looks reviews up."""

    def __init__(self, store: Store, artifacts: Artifacts, *, clock: Clock) -> None:
        self._store = store
        self._artifacts = artifacts
        self._clock = clock

    def obstacles(
        self, run: Run, report: PlanReport, *, expires_seconds: int
    ) -> tuple[Obstacle, ...]:
        """Nothing where a review, not older than an approval may be, was of just what ``run`` would
        apply. Else why not: first in one sentence, then difference by difference."""
        name, binding = run.environment, binding_of(run)
        again = f"Review what is there now, and apply again: driftctl-py review {name} --base HEAD"
        reviews = self._store.runs(environment=name, states=(State.REVIEWED,), limit=_AT_MOST)
        alike = [each for each in reviews if binding_of(each) == binding]
        if not reviews:
            return (
                Obstacle(
                    f"No review of {name} is known, and only what was reviewed may be applied.",
                    again,
                ),
            )
        if alike:
            now, lasts, last = self._clock(), timedelta(seconds=expires_seconds), alike[0]
            if any(now - lasts < each.started_at <= now + _CLOCKS_DIFFER for each in alike):
                return ()
            if last.started_at > now:
                # Where reviews are, whoever plans may write what he likes.
                said = (
                    f"Just this was reviewed as run {last.id}, which says that it was made at "
                    f"{moment(last.started_at)}, and that is still to come."
                )
                return (Obstacle(said, again),)
            over = moment(last.started_at + lasts)
            return (
                Obstacle(
                    f"Just this was reviewed as run {last.id}, but that is good until {over} only, "
                    "as long as an approval is.",
                    again,
                ),
            )
        nearest = max(reviews, key=lambda each: _nearness(each, run))
        first = Obstacle(
            f"What would be applied at {run.commit[:7]} is not what was reviewed at "
            f"{nearest.commit[:7]} (run {nearest.id}).",
            again,
        )
        return (first, *(Obstacle(why) for why in self._differences(nearest, run, report)))

    def _differences(self, nearest: Run, run: Run, report: PlanReport) -> Iterator[str]:
        if nearest.governing is not None and run.governing is not None:
            changed = nearest.governing.differences(run.governing)
            if changed:
                yield f"What governs the plan is not the same: {'; '.join(changed)}."
        if nearest.lineage != run.lineage:
            yield "The state is another one."
        if nearest.fingerprint == run.fingerprint:
            yield "The plan itself means the same."
        elif not nearest.fingerprint:
            yield "When it was reviewed there was nothing to apply."
        else:
            yield from self._between_plans(nearest, report)

    def _between_plans(self, nearest: Run, report: PlanReport) -> Iterator[str]:
        reference = nearest.artifacts.get("plan.json")
        if reference is None:
            yield "The plan means something else; what was reviewed was not kept."
            return
        try:
            then = read_stored_plan(self._artifacts.get(reference))
            # As what is kept of it tells it, so that only what was kept is compared.
            now = read_stored_plan(render_plan_json(report, View.FULL).encode())
        except DriftctlError as error:
            yield f"The plan means something else; how it differs cannot be told: {error.what}"
            return
        yield from difference_sentences(compare_plans(then.plan, now.plan))


def _nearness(review: Run, run: Run) -> tuple[bool, bool, bool]:
    """By what has most in common with it; of several the newest, which comes first."""
    same = (
        review.governing is not None
        and run.governing is not None
        and review.governing.digest == run.governing.digest
    )
    return review.fingerprint == run.fingerprint, same, review.lineage == run.lineage
