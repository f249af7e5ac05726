"""Commands in comments, against a GitHub that remembers and a real store."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

import pytest

from driftctl_py.app.commanding import Answer, Commander
from driftctl_py.core.approval import Identity
from driftctl_py.core.github_event import Asked, Event, Kind
from driftctl_py.core.result import Job
from driftctl_py.errors import UsageError
from tests.forge_fake import FakeGitHub, fake_github

FINGERPRINT = "f2-" + "k7qm2d4x" * 6 + "abcd"


@dataclass
class Automation:
    """Workflows that only tell what was asked of them."""

    ended: bool = True
    asked: list[str] = field(default_factory=list)

    def rerun(self, workflow: str, head: str) -> bool:
        self.asked.append(f"rerun {workflow} {head[:3]}")
        return self.ended

    def dispatch(self, workflow: str, ref: str, inputs: Mapping[str, str]) -> None:
        self.asked.append(f"dispatch {workflow} {ref} {inputs['environment']}".rstrip())

    def merged_pulls_of(self, commit: str) -> tuple[int, ...]:
        raise AssertionError("nobody asks for that here")


@dataclass
class Notes:
    """A memory that only tells what was asked of it."""

    said: list[str] = field(default_factory=list)
    refuses: str = ""

    def approve(
        self, fingerprint: str, environments: tuple[str, ...], *, by: Identity, reason: str
    ) -> tuple[str, ...]:
        if self.refuses:
            raise UsageError(self.refuses, todo="Ask grace.")
        self.said.append(f"{by.text} approves {fingerprint} {environments}: {reason}")
        return ("prod: approved by ada, 1 more needed.",)

    def unlock(self, environment: str, *, by: Identity, reason: str) -> None:
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
        event = Event(
            Kind.COMMENT,
            Job(pull=self.number),
            fork=True,
            default_branch="main",
            comment=Asked(comment, body, login, on_pull),
        )
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


def test_what_went_into_another_branch_is_not_what_is_applied(bench: Bench) -> None:
    issue = bench.github.issues[bench.number]
    issue.open, issue.base_ref = False, "feature"

    assert bench.says("/driftctl apply").failed
    assert bench.automation.asked == []


def test_nothing_is_planned_of_what_is_closed(bench: Bench) -> None:
    bench.github.issues[bench.number].open = False

    assert bench.says("/driftctl plan").failed
    assert bench.automation.asked == []


def test_an_environment_is_unlocked_by_name(bench: Bench) -> None:
    bench.says("/driftctl unlock prod dev")

    assert bench.notes.said == ["github:ada unlocks prod", "github:ada unlocks dev"]
    assert bench.replies == ["Unlocked: prod, dev."]


@pytest.mark.parametrize("body", ["/driftctl help", "/driftctl fly", "/driftctl approve prod"])
def test_who_is_not_understood_is_told_what_there_is(bench: Bench, body: str) -> None:
    answer = bench.says(body)

    assert not answer.failed
    assert "/driftctl approve FINGERPRINT" in bench.replies[0]
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
