"""Commands in comments, against a GitHub that remembers; what is written down for them, in a real
store."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from driftctl_py.adapters.store import Store, open_store
from driftctl_py.app.approvals import Approvals
from driftctl_py.app.binding import required_binding
from driftctl_py.app.commanding import Answer, Commander, Remembered
from driftctl_py.core.approval import Identity
from driftctl_py.core.github_event import Asked, Event, Kind
from driftctl_py.core.restraint import Restraint, Why
from driftctl_py.core.result import Job
from driftctl_py.core.run import Purpose, Run, State
from driftctl_py.errors import Unavailable, UsageError
from tests.forge_fake import FakeGitHub, bad_gateway, fake_github, meanwhile
from tests.report.run_examples import NOW, PEOPLE, REQUIREMENT, run

FINGERPRINT = "f2-" + "k7qm2d4x" * 6 + "abcd"

OTHER = "f2-" + "qm2d4xk7" * 6 + "abcd"
ADA, GRACE, KEN = Identity("github:ada"), Identity("github:grace"), Identity("os:ken")


@dataclass
class Automation:
    """Workflows that only tell what was asked of them."""

    ended: bool = True
    asked: list[str] = field(default_factory=list)
    lost: str = ""

    def rerun(self, workflow: str, head: str) -> bool:
        self.asked.append(f"rerun {workflow} {head[:3]}")
        return self.ended

    def dispatch(self, workflow: str, ref: str, inputs: Mapping[str, str]) -> None:
        if inputs["environment"] == self.lost != "":
            raise Unavailable("Could not start it.", todo="Look at the list.")
        self.asked.append(f"dispatch {workflow} {ref} {inputs['environment']}".rstrip())

    def merged_pulls_of(self, commit: str) -> tuple[int, ...]:
        raise AssertionError("nobody asks for that here")


@dataclass
class Notes:
    """A memory that only tells what was asked of it."""

    said: list[str] = field(default_factory=list)
    refuses: str = ""
    locked: tuple[str, ...] = ("dev", "prod")

    def approve(
        self,
        fingerprint: str,
        environments: tuple[str, ...],
        *,
        by: Identity,
        proposed_by: Identity,
        reason: str,
    ) -> tuple[str, ...]:
        if self.refuses:
            raise UsageError(self.refuses, todo="Ask grace.")
        assert proposed_by == Identity("github:ada")  # who opened all of these
        self.said.append(f"{by.text} approves {fingerprint} {environments}: {reason}")
        return ("prod: approved by ada, 1 more needed.",)

    def unlock(self, environment: str, *, by: Identity, reason: str) -> None:
        if environment not in self.locked:
            raise UsageError(f"{environment} is not blocked.", todo="Look at its status.")
        self.said.append(f"{by.text} unlocks {environment}")


@dataclass
class Bench:
    github: FakeGitHub
    number: int
    automation: Automation = field(default_factory=Automation)
    notes: Notes = field(default_factory=Notes)
    opened: int = 0

    def says(self, body: str, *, login: str = "ada", on_pull: bool = True) -> Answer:
        comment = self.github.comment_by(login, self.number, body)
        return self.runs(Asked(comment, body, login, on_pull))

    def runs(self, asked: Asked) -> Answer:
        """The workflow of that comment's event, as often as somebody runs it."""
        job = Job(pull=self.number)
        event = Event(Kind.COMMENT, job, fork=True, default_branch="main", comment=asked)
        client = self.github.client()
        try:
            return Commander(client, self.automation, memory=self._memory).obey(event)
        finally:
            client.close()

    @property
    def reactions(self) -> list[str]:
        return [content for each in self.github.comments.values() for _, content in each.reactions]

    @property
    def replies(self) -> list[str]:
        return [body for body in self.github.bodies(self.number) if not body.startswith("/")]

    def _memory(self) -> Notes:
        self.opened += 1
        return self.notes


@pytest.fixture
def bench() -> Iterator[Bench]:
    with fake_github() as github:
        github.roles.update(ada="write", grace="admin", mallory="read")
        yield Bench(github, github.add_pull(head="abc" + "0" * 37))


def test_to_plan_again_is_to_run_the_pull_requests_own_workflow_again(bench: Bench) -> None:
    answer = bench.says("/driftctl plan")

    assert answer == Answer("Planning abc0000 again.")
    assert bench.automation.asked == ["rerun plan.yml abc"]
    assert (bench.reactions, bench.replies, bench.opened) == (["eyes", "rocket"], [], 0)


def test_what_cannot_be_run_again_is_told(bench: Bench) -> None:
    bench.automation.ended = False

    answer = bench.says("/driftctl plan")

    assert answer.failed
    assert bench.reactions == ["eyes", "-1"]
    assert "no run of plan.yml at abc0000" in bench.replies[0]
    assert "push a commit" in bench.replies[0]


@pytest.mark.parametrize("login", ["mallory", "stranger"])
@pytest.mark.parametrize(
    "body", ["/driftctl apply", f"/driftctl approve {FINGERPRINT}", "/driftctl help"]
)
def test_who_may_not_write_gets_nothing_but_a_reaction(bench: Bench, login: str, body: str) -> None:
    bench.github.issues[bench.number].open = False

    answer = bench.says(body, login=login)

    assert not answer.failed
    assert "may not write" in answer.what
    assert (bench.reactions, bench.replies) == (["-1"], [])
    assert (bench.automation.asked, bench.notes.said, bench.opened) == ([], [], 0)


def test_an_approval_is_given_as_who_wrote_the_comment(bench: Bench) -> None:
    bench.says(f"/driftctl approve {FINGERPRINT} prod", login="grace")

    (said,) = bench.notes.said
    assert said.startswith(f"github:grace approves {FINGERPRINT} ('prod',): /driftctl approve in ")
    assert bench.replies == ["prod: approved by ada, 1 more needed."]
    assert bench.reactions == ["eyes", "rocket"]


def test_an_approval_that_does_not_count_is_told_with_what_to_do(bench: Bench) -> None:
    bench.notes.refuses = "Nothing was approved: @ada wrote *it*."

    answer = bench.says(f"/driftctl approve {FINGERPRINT}")

    assert answer.failed
    (reply,) = bench.replies
    assert "Nothing was approved" in reply
    assert "Ask grace." in reply
    assert "@ada" not in reply
    assert "*it*" not in reply.replace("\\*", "")


def test_nothing_of_a_fork_is_approved(bench: Bench) -> None:
    bench.github.issues[bench.number].head_repository = "mallory/infrastructure"

    answer = bench.says(f"/driftctl approve {FINGERPRINT}")

    assert answer.failed
    assert bench.notes.said == []
    assert "from a fork" in bench.replies[0]


def test_what_is_not_merged_is_not_applied(bench: Bench) -> None:
    answer = bench.says("/driftctl apply prod")

    assert answer.failed
    assert bench.automation.asked == []
    assert "not merged" in bench.replies[0]


def test_what_is_merged_is_applied_by_the_workflow_that_applies(bench: Bench) -> None:
    bench.github.issues[bench.number].open = False

    bench.says("/driftctl apply")
    bench.says("/driftctl apply dev prod")

    assert bench.automation.asked == [
        "dispatch apply.yml main",
        "dispatch apply.yml main dev",
        "dispatch apply.yml main prod",
    ]
    assert "as far as it was reviewed" in bench.replies[0]


def test_what_could_not_be_begun_is_told_beside_what_was(bench: Bench) -> None:
    bench.github.issues[bench.number].open = False
    bench.automation.lost = "dev"

    answer = bench.says("/driftctl apply dev prod")

    assert answer.failed
    assert bench.automation.asked == ["dispatch apply.yml main prod"]
    assert bench.reactions == ["eyes", "-1"]
    assert "Could not start it. Applying prod" in bench.replies[0]


def test_what_was_turned_down_is_not_applied(bench: Bench) -> None:
    issue = bench.github.issues[bench.number]
    issue.open, issue.turned_down = False, True

    assert bench.says("/driftctl apply").failed
    assert bench.automation.asked == []
    assert "not merged" in bench.replies[0]


def test_what_went_into_another_branch_is_not_what_is_applied(bench: Bench) -> None:
    issue = bench.github.issues[bench.number]
    issue.open, issue.base_ref = False, "feature"

    assert bench.says("/driftctl apply").failed
    assert bench.automation.asked == []


def test_nothing_is_planned_of_what_is_closed(bench: Bench) -> None:
    bench.github.issues[bench.number].open = False

    assert bench.says("/driftctl plan").failed
    assert bench.automation.asked == []


def test_nothing_of_a_fork_is_planned(bench: Bench) -> None:
    bench.github.issues[bench.number].head_repository = "mallory/infrastructure"

    assert bench.says("/driftctl plan").failed
    assert bench.automation.asked == []
    assert "to plan is to run its code" in bench.replies[0]


# What was heard before, and what is not there any more as it was written.

COMMANDS = [
    "/driftctl plan",
    "/driftctl apply prod",
    f"/driftctl approve {FINGERPRINT}",
    "/driftctl unlock prod",
    "/driftctl help",
    "/driftctl fly",
]


@pytest.mark.parametrize("body", COMMANDS)
def test_a_workflow_that_is_run_again_does_nothing_twice(bench: Bench, body: str) -> None:
    bench.github.issues[bench.number].open = "plan" in body
    asked = Asked(bench.github.comment_by("ada", bench.number, body), body, "ada", True)
    bench.runs(asked)
    before = (bench.reactions, bench.replies, list(bench.automation.asked), list(bench.notes.said))

    again = bench.runs(asked)

    assert again.failed
    assert "heard before" in again.what
    assert before == (bench.reactions, bench.replies, bench.automation.asked, bench.notes.said)


def test_what_was_done_half_is_not_done_twice(bench: Bench) -> None:
    asked = bench.github.comment_by("ada", bench.number, "/driftctl unlock prod")
    event = Asked(asked, "/driftctl unlock prod", "ada", True)
    bench.github.next(bad_gateway(), "GET", f"/pulls/{bench.number}", times=4)

    first = bench.runs(event)

    assert first.failed
    assert bench.runs(event).failed
    assert bench.notes.said == []


def test_an_answer_that_is_lost_costs_nobody_the_command(bench: Bench) -> None:
    bench.github.next(bad_gateway(after=True), "POST", "/issues/comments")

    assert not bench.says("/driftctl unlock prod").failed
    assert bench.notes.said == ["github:ada unlocks prod"]


def test_of_two_runs_at_one_moment_one_does_it(bench: Bench) -> None:
    asked = bench.github.comment_by("ada", bench.number, "/driftctl unlock prod")
    event = Asked(asked, "/driftctl unlock prod", "ada", True)
    answers: list[Answer] = []
    another = meanwhile(lambda: answers.append(bench.runs(event)))
    bench.github.next(another, "POST", "/issues/comments")

    answers.append(bench.runs(event))

    assert [each.failed for each in answers] == [False, True]
    assert bench.notes.said == ["github:ada unlocks prod"]


def test_somebody_elses_reaction_keeps_nothing_from_being_heard(bench: Bench) -> None:
    asked = bench.github.comment_by("ada", bench.number, "/driftctl unlock prod")
    bench.github.comments[asked].reactions.append(("mallory", "eyes"))

    bench.runs(Asked(asked, "/driftctl unlock prod", "ada", True))

    assert bench.notes.said == ["github:ada unlocks prod"]


@pytest.mark.parametrize("now", ["/driftctl unlock dev", "Never mind.", "/driftctl help"])
def test_a_comment_that_says_something_else_by_now_asks_for_nothing(bench: Bench, now: str) -> None:
    asked = bench.github.comment_by("ada", bench.number, "/driftctl unlock prod")
    bench.github.edit_by(asked, now)

    answer = bench.runs(Asked(asked, "/driftctl unlock prod", "ada", True))

    assert "not there any more as it was written" in answer.what
    assert (bench.reactions, bench.notes.said, bench.opened) == ([], [], 0)


def test_a_typo_that_is_put_right_beside_the_command_changes_nothing(bench: Bench) -> None:
    asked = bench.github.comment_by("ada", bench.number, "/driftctl unlock prod")
    bench.github.edit_by(asked, "Thank you, grace!\r\n\r\n/driftctl unlock prod")

    bench.runs(Asked(asked, "Thank you, grase!\n\n/driftctl unlock prod", "ada", True))

    assert bench.notes.said == ["github:ada unlocks prod"]


def test_a_comment_that_is_gone_asks_for_nothing(bench: Bench) -> None:
    asked = bench.github.comment_by("ada", bench.number, "/driftctl unlock prod")
    bench.github.delete(asked)

    answer = bench.runs(Asked(asked, "/driftctl unlock prod", "ada", True))

    assert "not there any more" in answer.what
    assert bench.notes.said == []


def test_an_event_that_names_another_author_is_not_believed(bench: Bench) -> None:
    asked = bench.github.comment_by("mallory", bench.number, "/driftctl unlock prod")

    answer = bench.runs(Asked(asked, "/driftctl unlock prod", "ada", True))

    assert "not there any more as it was written" in answer.what
    assert (bench.reactions, bench.notes.said) == ([], [])


def test_an_environment_is_unlocked_by_name(bench: Bench) -> None:
    bench.says("/driftctl unlock prod dev")

    assert bench.notes.said == ["github:ada unlocks prod", "github:ada unlocks dev"]
    assert bench.replies == ["prod is unlocked. dev is unlocked."]


def test_what_was_unlocked_is_told_beside_what_was_not(bench: Bench) -> None:
    answer = bench.says("/driftctl unlock prod staging dev")

    assert answer.failed
    assert bench.notes.said == ["github:ada unlocks prod", "github:ada unlocks dev"]
    (reply,) = bench.replies
    assert "prod is unlocked. staging is not blocked. dev is unlocked." in reply
    assert "Look at its status." in reply


@pytest.mark.parametrize("body", ["/driftctl help", "/driftctl fly", "/driftctl approve prod"])
def test_who_is_not_understood_is_told_what_there_is(bench: Bench, body: str) -> None:
    answer = bench.says(body)

    assert not answer.failed
    assert "/driftctl approve FINGERPRINT" in bench.replies[0]
    assert bench.reactions == (["eyes"] if "help" in body else ["eyes", "confused"])
    assert bench.opened == 0


def test_a_comment_that_asks_for_nothing_gets_no_answer(bench: Bench) -> None:
    assert bench.says("I would not /driftctl apply this.").what.endswith("asks for nothing.")
    assert "under pull requests only" in bench.says("/driftctl plan", on_pull=False).what
    assert (bench.reactions, bench.automation.asked) == ([], [])


def test_an_event_without_a_comment_asks_for_nothing(bench: Bench) -> None:
    client = bench.github.client()

    answer = Commander(client, bench.automation, memory=bench._memory).obey(
        Event(Kind.COMMENT, Job())
    )

    assert answer.what == "The comment asks for nothing."
    assert bench.github.requests == []


# What is written down.


class Memory:
    """A real store, a clock that somebody sets, and what comments want written down."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.now = NOW
        self._ids = count(1)
        self._comments = count(1)
        self.remembered = Remembered(
            store, people=PEOPLE, clock=lambda: self.now, new_id=self._new_id
        )

    def reviewed(self, environment: str = "prod", **more: Any) -> Run:
        """One more review, a minute after the one before."""
        self.now += timedelta(minutes=1)
        facts: dict[str, Any] = {
            "id": f"review-{next(self._ids):04}",
            "environment": environment,
            "purpose": Purpose.REVIEW,
            "started_at": self.now,
            "fingerprint": FINGERPRINT,
            **more,
        }
        made = run(State.REVIEWED, **facts)
        self.store.save(made)
        return made

    def held(self, environment: str = "prod", **more: Any) -> Run:
        """A plan that waits."""
        made = run(environment=environment, **{"fingerprint": FINGERPRINT, **more})
        self.store.save(replace(made, state=State.PLANNING))
        self.store.save(made)
        return made

    def approve(
        self,
        *environments: str,
        by: Identity = GRACE,
        fingerprint: str = FINGERPRINT,
        why: str = "",
        opened_by: str = "github:stranger",
    ) -> str:
        why = why or f"/driftctl approve in comment {next(self._comments)} of #7"
        self.now += timedelta(seconds=1)
        proposed_by = Identity(opened_by)
        said = self.remembered.approve(
            fingerprint, environments, by=by, proposed_by=proposed_by, reason=why
        )
        return " ".join(said)

    @property
    def approvals(self) -> list[tuple[str, str, bool]]:
        return sorted((it.binding.environment, it.by.text, it.yes) for it in self.store.approvals())

    @property
    def told(self) -> list[str]:
        return [entry.event.what for entry in self.store.entries()]

    def _new_id(self) -> str:
        return f"a{next(self._ids)}"


@pytest.fixture
def memory(tmp_path: Path) -> Iterator[Memory]:
    with open_store(None, tmp_path / "data", now=lambda: NOW) as store:
        yield Memory(store)


def test_an_approval_is_of_what_the_review_meant(memory: Memory) -> None:
    made = memory.reviewed()

    said = memory.approve("prod")

    assert said == "prod: approved by grace, that is enough."
    (given,) = memory.store.approvals("prod")
    assert given.binding == required_binding(made)
    assert (given.by, given.yes, given.run) == (GRACE, True, made.id)
    assert given.reason == "/driftctl approve in comment 1 of #7"
    assert memory.told == ["approved"]


def test_a_review_that_is_called_as_another_environment_gets_the_yes_itself(memory: Memory) -> None:
    # Whoever plans what is proposed may write reviews, under any name.
    memory.held("prod", id="held-1", fingerprint=OTHER)
    made = memory.reviewed("dev", id="prod")

    assert memory.approve("dev") == "dev: approved by grace, that is enough."

    (given,) = memory.store.approvals()
    assert (given.run, given.binding) == ("prod", required_binding(made))


def test_environments_that_mean_the_same_are_approved_together(memory: Memory) -> None:
    for name in ("prod", "staging"):
        memory.reviewed(name)
    memory.reviewed("dev", fingerprint=OTHER)

    memory.approve()

    assert memory.approvals == [("prod", "github:grace", True), ("staging", "github:grace", True)]


def test_where_one_is_named_only_that_one_is_approved(memory: Memory) -> None:
    for name in ("prod", "staging"):
        memory.reviewed(name)

    memory.approve("staging")

    assert memory.approvals == [("staging", "github:grace", True)]


def test_more_yeses_may_be_needed(memory: Memory) -> None:
    memory.reviewed(requirement=replace(REQUIREMENT, count=2))

    assert memory.approve("prod") == "prod: approved by grace, 1 more needed."
    assert memory.approve("prod", by=ADA) == "prod: approved by ada, that is enough."


def test_who_opened_it_does_not_approve_it_whoever_its_commits_say_they_are_of(
    memory: Memory,
) -> None:
    memory.reviewed(authors=("ada@example.com",))

    with pytest.raises(UsageError, match="Nothing was approved"):
        memory.approve("prod", opened_by="github:Grace")
    assert memory.approvals == []
    assert "that is enough" in memory.approve("prod", opened_by="github:renovate[bot]")


def test_a_no_that_stands_is_told_to_who_says_yes(memory: Memory) -> None:
    made = memory.reviewed()
    approvals = Approvals(
        memory.store, people=PEOPLE, clock=lambda: memory.now, new_id=lambda: "no-1"
    )
    approvals.give(made.id, by=ADA, yes=False, reason="Not on a Friday.")

    said = memory.approve("prod")

    assert said == "prod: approved by grace, but github:ada said no, which outranks it."


@pytest.mark.parametrize(
    ("named", "why"),
    [
        ((), "Nothing that waits, or was reviewed last, has this fingerprint."),
        (("prod",), "The newest review of prod, at 77b0de4, means something else."),
        (("nowhere",), "No plan of nowhere was reviewed lately."),
    ],
)
def test_what_nobody_reviewed_is_not_approved(
    memory: Memory, named: tuple[str, ...], why: str
) -> None:
    memory.reviewed(fingerprint=OTHER)

    with pytest.raises(UsageError) as caught:
        memory.approve(*named)
    assert caught.value.what == f"{why} So nothing was approved."
    assert "/driftctl plan" in caught.value.todo
    assert (memory.approvals, memory.told) == ([], [])


def test_nothing_is_approved_where_one_of_the_named_is_wrong(memory: Memory) -> None:
    memory.reviewed()

    with pytest.raises(UsageError, match="No plan of dev was reviewed lately"):
        memory.approve("prod", "dev")
    assert memory.approvals == []


@pytest.mark.parametrize("named", [(), ("prod",)])
def test_only_the_newest_review_of_an_environment_counts(
    memory: Memory, named: tuple[str, ...]
) -> None:
    memory.reviewed(id="review-0001-older")
    memory.reviewed(fingerprint=OTHER)

    with pytest.raises(UsageError, match="So nothing was approved"):
        memory.approve(*named)
    memory.reviewed()

    assert "that is enough" in memory.approve(*named)


def test_what_became_nothing_to_apply_is_not_approved(memory: Memory) -> None:
    memory.reviewed()
    memory.reviewed(fingerprint="", governing=None)

    with pytest.raises(UsageError, match="has nothing to apply"):
        memory.approve("prod")


def test_a_review_that_came_to_nothing_does_not_hide_the_one_before(memory: Memory) -> None:
    memory.reviewed()
    later = run(State.FAILED, id="review-9999", purpose=Purpose.REVIEW, started_at=memory.now)
    memory.store.save(later)

    assert "that is enough" in memory.approve("prod")


@pytest.mark.parametrize("named", [(), ("prod",)])
def test_what_waits_since_it_was_merged_is_approved_whatever_is_proposed_since(
    memory: Memory, named: tuple[str, ...]
) -> None:
    memory.reviewed()
    held = memory.held(id="held-1")
    memory.reviewed(fingerprint=OTHER)
    memory.held("dev", id="held-2", fingerprint=OTHER)
    memory.now += timedelta(days=3)

    memory.approve(*named)

    (given,) = memory.store.approvals()
    assert (given.run, given.binding) == (held.id, required_binding(held))


def test_what_was_applied_meanwhile_waits_no_more(memory: Memory) -> None:
    held = memory.held(id="held-1")
    memory.store.save(replace(held, state=State.SUPERSEDED))

    with pytest.raises(UsageError, match="No plan of prod was reviewed lately"):
        memory.approve("prod")


def test_beside_what_waits_the_newest_review_may_be_approved(memory: Memory) -> None:
    memory.held(id="held-1", fingerprint=OTHER)
    made = memory.reviewed()

    memory.approve("prod")

    assert [each.run for each in memory.store.approvals()] == [made.id]


@pytest.mark.parametrize("named", [(), ("prod",)])
def test_a_review_is_good_for_as_long_as_an_approval(
    memory: Memory, named: tuple[str, ...]
) -> None:
    memory.reviewed(requirement=replace(REQUIREMENT, expires_seconds=3600))
    memory.now += timedelta(seconds=3598)
    memory.approve(*named)

    with pytest.raises(UsageError, match=r"good until 2026-11-24 10:15 UTC\. So nothing"):
        memory.approve(*named, by=ADA)
    assert memory.approvals == [("prod", "github:grace", True)]


@pytest.mark.parametrize(
    ("by", "why"),
    [
        (Identity("github:eve"), "is github:eve"),
        (KEN, "os:ken is unverified"),
        (ADA, "ada wrote what is to be applied"),
    ],
)
def test_whose_word_does_not_count_approves_nothing(memory: Memory, by: Identity, why: str) -> None:
    memory.reviewed(authors=("ada@example.org",))

    with pytest.raises(UsageError, match=why) as caught:
        memory.approve("prod", by=by)
    assert "`people`" in caught.value.todo
    assert (memory.approvals, memory.told) == ([], [])


def test_who_may_not_approve_one_approves_the_other(memory: Memory) -> None:
    memory.reviewed("prod", authors=("ada@example.org",))
    memory.reviewed("staging")

    with pytest.raises(UsageError) as caught:
        memory.approve(by=ADA)
    assert "staging: approved by ada, that is enough." in caught.value.what
    assert "ada wrote what is to be applied" in caught.value.what
    assert memory.approvals == [("staging", "github:ada", True)]


def test_one_comment_says_yes_once_however_often_it_is_read(memory: Memory) -> None:
    memory.reviewed()
    memory.approve("prod", why="/driftctl approve in comment 5 of #7")
    before = memory.store.approvals()

    with pytest.raises(UsageError, match="this was said already, at 2026-11-24 09:15 UTC"):
        memory.approve("prod", why="/driftctl approve in comment 5 of #7")
    assert memory.store.approvals() == before
    memory.approve("prod", by=ADA, why="/driftctl approve in comment 5 of #7")
    memory.approve("prod", why="/driftctl approve in comment 6 of #7")

    assert len(memory.approvals) == 3


def block(memory: Memory, environment: str) -> None:
    memory.store.restrain(
        Restraint(environment, Why.BLOCKED, "Nobody knows how it ended.", "host:1", memory.now)
    )


def test_what_is_blocked_is_unlocked_with_who_and_why(memory: Memory) -> None:
    block(memory, "prod")
    block(memory, "dev")

    memory.remembered.unlock("prod", by=GRACE, reason="comment 5 of #7")

    assert [each.environment for each in memory.store.restraints()] == ["dev"]
    (entry,) = memory.store.entries()
    assert (entry.event.what, entry.event.who, entry.event.environment) == (
        "unblocked",
        "github:grace",
        "prod",
    )


def test_what_is_not_blocked_is_not_unlocked(memory: Memory) -> None:
    memory.store.restrain(Restraint("prod", Why.SUSPENDED, "Leave it.", "os:ada", memory.now))

    with pytest.raises(UsageError, match="prod is not blocked"):
        memory.remembered.unlock("prod", by=GRACE, reason="comment 5 of #7")
    assert len(memory.store.restraints("prod")) == 1


def test_one_comment_unlocks_once_and_not_what_was_locked_since(memory: Memory) -> None:
    for name in ("prod", "dev"):
        block(memory, name)
        memory.remembered.unlock(name, by=GRACE, reason="comment 5 of #7")
    block(memory, "prod")

    with pytest.raises(UsageError, match=r"was unlocked for this at 2026-11-24 09:14 UTC"):
        memory.remembered.unlock("prod", by=GRACE, reason="comment 5 of #7")
    assert len(memory.store.restraints("prod")) == 1
    memory.remembered.unlock("prod", by=GRACE, reason="comment 6 of #7")

    assert memory.store.restraints("prod") == ()
