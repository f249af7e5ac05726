"""Reviews in a bucket, apart from what is remembered of applies.

Planning what somebody proposes runs their code, with whatever the planning role may do. So that
role need not be able to write the log, which holds approvals, nor a lock: a review is an object of
its own (``ENVIRONMENT/RUN``), below a prefix that holds nothing else. What is read there is
foreign: it can be a review and nothing else, and says at most that something was reviewed. The
audit trail, being in the log, does not tell of them.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from urllib.parse import quote

from driftctl_py.adapters.store.database import Database, Locks
from driftctl_py.adapters.store.objects import Item, Objects
from driftctl_py.adapters.store.records import read, spelled
from driftctl_py.adapters.store.store import Store
from driftctl_py.core.approval import Requirement
from driftctl_py.core.audit import Event
from driftctl_py.core.run import Purpose, Run, State
from driftctl_py.errors import StoreError

# How a review may end. Whatever else an object says of a run is no review.
_ENDS = (State.REVIEWED, State.FAILED, State.UNKNOWN, State.INTERRUPTED)
# Moments that can be reckoned with, in whichever zone; no approval is good for a hundred years.
_EARLIEST, _LATEST = datetime(2000, 1, 1, tzinfo=UTC), datetime(2500, 1, 1, tzinfo=UTC)
_LONGEST_SECONDS = 100 * 366 * 24 * 3600


@dataclass(frozen=True, slots=True)
class Reviews:
    """The reviews below a prefix."""

    objects: Objects

    def save(self, run: Run) -> None:
        """Write one; it stays as it is."""
        if self.objects.create(_name(run.environment, run.id), spelled(run).encode()) is None:
            raise StoreError(
                f"There is another review {run.id} of {run.environment} in {self.objects.shown}.",
                todo="Review it again.",
            )

    def of(self, environment: str | None, *, limit: int) -> tuple[Run, ...]:
        """Those of an environment, or of all."""
        listed = self.objects.listed("" if environment is None else _name(environment, "")).items
        return self._read(_latest_first(listed)[:limit])

    def find(self, prefix: str) -> tuple[Run, ...]:
        """Those whose ids begin so, of whichever environment."""
        listed = self.objects.listed("").items
        return self._read(_latest_first(each for each in listed if _id(each).startswith(prefix)))

    def forget(self, before: datetime) -> int:
        """Let go of those of before that moment; how many."""
        over = [each.name for each in self.objects.listed("").items if each.at < before]
        if over:
            self.objects.remove(over)
        return len(over)

    def _read(self, items: Iterable[Item]) -> tuple[Run, ...]:
        chosen = list(items)
        found = []
        for item, data in zip(chosen, self.objects.get_all(chosen), strict=True):
            run = None if data is None else _review(item.name, data)
            if run is not None:
                found.append(run)
        return tuple(found)


class StoreWithReviews(Store):
    """A `Store` whose reviews are kept apart. A list of all runs leaves them out: they are found by
    their ids, and where reviews are asked for."""

    def __init__(self, database: Database, locks: Locks, reviews: Reviews) -> None:
        super().__init__(database, locks)
        self._reviews = reviews

    def save(self, run: Run, *events: Event) -> None:
        """Write a run, or a review, of which no events are recorded."""
        if run.purpose is Purpose.REVIEW:
            self._reviews.save(run)
        else:
            super().save(run, *events)

    def run(self, id: str) -> Run | None:
        """The run of that id."""
        found = super().run(id)
        reviews = self._reviews.find(id) if found is None else ()
        return found or next((each for each in reviews if each.id == id), None)

    def find(self, prefix: str) -> tuple[Run, ...]:
        """Runs whose ids begin so, the latest first."""
        found = super().find(prefix)
        return (*found, *self._reviews.find(prefix)) if prefix else found

    def runs(
        self,
        *,
        environment: str | None = None,
        states: Collection[State] = (),
        limit: int = 50,
        before: str | None = None,
        reviews: bool = True,
    ) -> tuple[Run, ...]:
        """The latest first; reviews only where they are asked for by their state, and all of
        them."""
        if reviews and before is None and set(states) == {State.REVIEWED}:
            found = self._reviews.of(environment, limit=limit)
            return tuple(each for each in found if each.state is State.REVIEWED)
        return super().runs(
            environment=environment, states=states, limit=limit, before=before, reviews=reviews
        )

    def forget(self, before: datetime) -> int:
        """Forget what came to nothing, and reviews of before that moment."""
        return super().forget(before) + self._reviews.forget(before)


def _name(environment: str, id: str) -> str:
    return f"{quote(environment, safe='')}/{quote(id, safe='')}"


def _id(item: Item) -> str:
    return item.name.rpartition("/")[2]


def _latest_first(items: Iterable[Item]) -> list[Item]:
    """Their ids sort by time."""
    return sorted(items, key=_id, reverse=True)


def _review(name: str, data: bytes) -> Run | None:
    """None: somebody wrote something else there, and then it is no review of anything."""
    try:
        run = read(data.decode(), Run)
    except (StoreError, UnicodeDecodeError):
        return None
    genuine = run.purpose is Purpose.REVIEW and run.state in _ENDS and _is_in_time(run)
    return run if genuine and _name(run.environment, run.id) == name else None


def _is_in_time(run: Run) -> bool:
    """Can it be told how long it is good for? Else nothing could be approved or applied there."""
    lasts = (run.requirement or Requirement()).expires_seconds
    if run.started_at.tzinfo is None or not 0 <= lasts <= _LONGEST_SECONDS:
        return False
    return _EARLIEST < run.started_at < _LATEST
