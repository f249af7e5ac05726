"""Jobs that publish at the same time, each request of each at any moment."""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import TypeVar

from hypothesis import given, settings
from hypothesis import strategies as st

from driftctl_py.app.publishing import Kind, Publisher, Texts
from driftctl_py.core.check import Verdict
from driftctl_py.core.forge import (
    CheckRun,
    Comment,
    CommitStatus,
    Conclusion,
    Issue,
    Label,
    Published,
    Pull,
    Role,
)
from driftctl_py.core.marker import read_marker
from driftctl_py.core.result import Job, Occasion, Result, Results

NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)
HEADS = ("a" * 40, "b" * 40, "c" * 40)
Answer = TypeVar("Answer")


@dataclass
class Gate:
    """Where the requests of one job wait until it is their turn."""

    asked: threading.Semaphore = field(default_factory=lambda: threading.Semaphore(0))
    let: threading.Semaphore = field(default_factory=lambda: threading.Semaphore(0))
    done: bool = False


@dataclass
class There:
    """What there is of a pull request."""

    head: str
    comments: dict[int, Comment] = field(default_factory=dict)
    issues: dict[int, Issue] = field(default_factory=dict)
    last: int = 0

    def add(self, body: str) -> Comment:
        self.last += 1
        made = Comment(self.last, body, "github-actions[bot]", True, NOON, NOON)
        self.comments[self.last] = made
        return made


@dataclass
class SteppedForge:
    """The forge as one job sees it: each request waits for its turn and is then answered whole."""

    there: There
    gate: Gate

    def _at_its_turn(self, do: Callable[[], Answer]) -> Answer:
        self.gate.asked.release()
        self.gate.let.acquire()
        return do()

    def pull(self, number: int) -> Pull:
        def read() -> Pull:
            head, base = self.there.head, "d" * 40
            return Pull(number, True, False, False, False, head, base, "main", "ada")

        return self._at_its_turn(read)

    def comments(self, number: int) -> tuple[Comment, ...]:
        return self._at_its_turn(lambda: tuple(self.there.comments.values()))

    def add_comment(self, number: int, body: str) -> Comment:
        return self._at_its_turn(lambda: self.there.add(body))

    def edit_comment(self, id: int, body: str) -> Comment | None:
        def edit() -> Comment | None:
            found = self.there.comments.get(id)
            if found is not None:
                self.there.comments[id] = found = replace(found, body=body)
            return found

        return self._at_its_turn(edit)

    def delete_comment(self, id: int) -> None:
        self._at_its_turn(lambda: self.there.comments.pop(id, None))

    def set_status(self, status: CommitStatus) -> None:
        self._at_its_turn(lambda: None)

    def comment(self, id: int) -> Comment | None:
        raise NotImplementedError

    def reacted(self, comment: int, reaction: str) -> bool:
        raise NotImplementedError

    def react(self, comment: int, reaction: str) -> bool:
        raise NotImplementedError

    def set_labels(self, number: int, *, add: Collection[Label], remove: Collection[str]) -> None:
        raise NotImplementedError

    def publish_check(self, check: CheckRun) -> str:
        raise NotImplementedError

    def issues(self, label: str) -> tuple[Issue, ...]:
        return self._at_its_turn(lambda: tuple(self.there.issues.values()))

    def open_issue(
        self, title: str, body: str, *, labels: Collection[Label], assignees: Collection[str]
    ) -> Issue:
        def open_() -> Issue:
            made = Issue(len(self.there.issues) + 1, title, body, open=True, ours=True)
            self.there.issues[made.number] = made
            return made

        return self._at_its_turn(open_)

    def edit_issue(
        self, number: int, *, title: str | None = None, body: str | None = None, open: bool
    ) -> Issue:
        def edit() -> Issue:
            was = self.there.issues[number]
            now = replace(was, title=title or was.title, body=body or was.body, open=open)
            self.there.issues[number] = now
            return now

        return self._at_its_turn(edit)

    def role_of(self, login: str) -> Role:
        raise NotImplementedError


TEXTS = Texts(
    comment=lambda results, budget, url: f"Plan {results.job.number}",
    check=lambda result: CheckRun("", "", Conclusion.SUCCESS, "title", "summary"),
    check_of_all=lambda results: CheckRun("", "", Conclusion.SUCCESS, "title", "summary"),
    issue=lambda result, since, history: ("title", "body"),
    about=lambda result: "drifted",
    markdown=str,
)


def results(at: int, kinds: Collection[Kind]) -> Results:
    """Of the run after the push of ``HEADS[at]``: a review, or a check where it is for issues."""
    job = Job("example/infrastructure", "plan", str(900 + at), 11 + at, 1, "", 1, HEADS[at])
    review = Result("prod", "prod", Occasion.REVIEW, Verdict.PENDING, NOON, 1.0)
    check = replace(review, occasion=Occasion.CHECK, verdict=Verdict.DRIFTED, drifted=1)
    return Results((check if Kind.ISSUES in kinds else review,), by=job)


@dataclass
class Jobs:
    """Jobs in threads of which only one is ever at work: which one, is asked for each request."""

    there: There
    kinds: tuple[Kind, ...] = (Kind.COMMENT, Kind.STATUSES)
    gates: dict[int, Gate] = field(default_factory=dict)
    told: list[Published] = field(default_factory=list)
    threads: list[threading.Thread] = field(default_factory=list)

    def start(self, at: int) -> None:
        """A push, and the job that it started."""
        self.there.head = HEADS[at]
        gate = self.gates[at] = Gate()
        forge = SteppedForge(self.there, gate)

        def work() -> None:
            try:
                by = Publisher(forge, TEXTS, lambda: NOON)
                self.told += by.publish(results(at, self.kinds), self.kinds)
            finally:
                gate.done = True
                gate.asked.release()

        thread = threading.Thread(target=work)
        self.threads.append(thread)
        thread.start()
        gate.asked.acquire()

    def step(self, at: int) -> None:
        """One request of a job, and on to its next."""
        gate = self.gates[at]
        if not gate.done:
            gate.let.release()
            gate.asked.acquire()

    def finish(self) -> None:
        while left := [at for at, gate in self.gates.items() if not gate.done]:
            for at in left:
                self.step(at)
        for thread in self.threads:
            thread.join()


def race(schedule: Sequence[int], *, before: int) -> Jobs:
    """The second push comes as soon as the schedule names it; ``before`` comments of an earlier
    run are there."""
    there = There(HEADS[0])
    jobs = Jobs(there)
    if before:
        earlier = Jobs(there)
        earlier.start(0)
        earlier.finish()
        for _ in range(before - 1):
            there.add(there.comments[1].body)
    jobs.start(1)
    for at in schedule:
        if at not in jobs.gates:
            jobs.start(at)
        jobs.step(at)
    if 2 not in jobs.gates:
        jobs.start(2)
    jobs.finish()
    return jobs


SCHEDULES = st.lists(st.sampled_from([1, 2]), max_size=24)


@settings(max_examples=150, deadline=None)
@given(SCHEDULES, st.integers(min_value=0, max_value=2))
def test_two_runs_leave_one_comment_and_it_misleads_nobody(
    schedule: list[int], before: int
) -> None:
    jobs = race(schedule, before=before)

    assert not [each for each in jobs.told if each.failed]
    (left,) = jobs.there.comments.values()
    marker, body = read_marker(left.body)
    assert marker is not None
    # A request of the older run that was on its way during all of the newer one, from its first to
    # its last, is the one thing that nobody can tell in time: no forge has conditional writes. The
    # older run then finds that the pull request has moved on, and says so.
    assert body == "Plan 13" or (
        body.startswith("> **Of an older commit:**") and body.endswith("Plan 12")
    )


def test_an_older_request_that_outlasts_all_of_a_newer_run_says_what_it_is_of() -> None:
    # The older run has looked at the comment and at the head, and then waits for very long.
    jobs = race([1, 1, *[2] * 40], before=1)

    (left,) = jobs.there.comments.values()
    assert "made of `bbbbbbb`, and the pull request is at `ccccccc` now." in left.body


# The newer run needs more than these for all of its looks.
@settings(max_examples=100, deadline=None)
@given(
    SCHEDULES.filter(lambda schedule: schedule.count(2) <= 6),
    st.integers(min_value=0, max_value=2),
)
def test_the_newer_run_is_told_where_it_still_looks_when_the_older_one_is_through(
    schedule: list[int], before: int
) -> None:
    jobs = race([*schedule, *[1] * 40], before=before)

    (left,) = jobs.there.comments.values()
    assert read_marker(left.body)[1] == "Plan 13"


@settings(max_examples=60, deadline=None)
@given(SCHEDULES)
def test_two_checks_leave_one_open_issue(schedule: list[int]) -> None:
    jobs = Jobs(There(HEADS[0]), (Kind.ISSUES,))
    for at in (1, 2):
        jobs.start(at)
    for at in schedule:
        jobs.step(at)
    jobs.finish()

    assert not [each for each in jobs.told if each.failed]
    assert [number for number, each in jobs.there.issues.items() if each.open] == [1]
