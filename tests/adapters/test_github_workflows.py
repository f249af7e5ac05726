"""The adapter of GitHub's workflows against the fake: what is run again, begun and found."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from driftctl_py.adapters.github_workflows import GitHubWorkflows
from driftctl_py.app.ports import Workflows
from driftctl_py.errors import ForgeError, Unavailable
from tests.forge_fake import (
    Answer,
    FakeGitHub,
    Fault,
    bad_gateway,
    fake_github,
    hang_up,
    refused,
    secondary_limit,
)

HEAD, OTHER = "a" * 40, "b" * 40
RUNS = "/actions/workflows/plan.yml/runs"
DISPATCHES = "/actions/workflows/apply.yml/dispatches"


@pytest.fixture
def github() -> Iterator[FakeGitHub]:
    with fake_github() as github:
        github.workflows["apply.yml"] = ("environment",)
        yield github


@pytest.fixture
def automation(github: FakeGitHub) -> Iterator[GitHubWorkflows]:
    made = github.automation()
    yield made
    made.close()


def test_it_is_what_the_application_asks_for(automation: GitHubWorkflows) -> None:
    asked: Workflows = automation

    assert asked.merged_pulls_of(HEAD) == ()


class TestRunningAgain:
    def test_the_last_run_at_that_commit_is_run_again(
        self, github: FakeGitHub, automation: GitHubWorkflows
    ) -> None:
        ids = [github.add_run("plan.yml", head) for head in (OTHER, HEAD, HEAD, OTHER)]

        assert automation.rerun("plan.yml", HEAD)
        assert [github.runs[id].attempt for id in ids] == [1, 1, 2, 1]

    def test_what_another_workflow_or_event_began_is_left_alone(
        self, github: FakeGitHub, automation: GitHubWorkflows
    ) -> None:
        github.add_run("plan.yml", OTHER)
        github.add_run("test.yml", HEAD)
        github.add_run("plan.yml", HEAD, event="push")

        assert not automation.rerun("plan.yml", HEAD)
        assert github.writes == []

    @pytest.mark.parametrize("fork", ["mallory/infrastructure", None])
    def test_a_fork_that_ends_at_our_commit_is_not_what_was_meant(
        self, github: FakeGitHub, automation: GitHubWorkflows, fork: str | None
    ) -> None:
        ours = github.add_run("plan.yml", HEAD, head_repository="Example/Infrastructure")
        theirs = github.add_run("plan.yml", HEAD, head_repository=fork)

        assert automation.rerun("plan.yml", HEAD)
        assert (github.runs[ours].attempt, github.runs[theirs].attempt) == (2, 1)

    @pytest.mark.parametrize("status", ["queued", "in_progress", "waiting", "pending"])
    def test_what_has_not_ended_is_not_run_again(
        self, github: FakeGitHub, automation: GitHubWorkflows, status: str
    ) -> None:
        github.add_run("plan.yml", HEAD)
        github.add_run("plan.yml", HEAD, status=status)

        assert not automation.rerun("plan.yml", HEAD)
        assert github.writes == []

    @pytest.mark.parametrize("lost", [bad_gateway, hang_up])
    @pytest.mark.parametrize("after", [False, True])
    def test_it_is_run_once_where_the_answer_was_lost(
        self,
        github: FakeGitHub,
        automation: GitHubWorkflows,
        lost: Callable[..., Fault],
        after: bool,
    ) -> None:
        id = github.add_run("plan.yml", HEAD)
        github.next(lost(after=after), "POST", "/actions/runs")

        assert automation.rerun("plan.yml", HEAD)
        assert github.runs[id].attempt == 2

    def test_whoever_asks_at_the_same_moment_is_content_with_the_one_run(
        self, github: FakeGitHub, automation: GitHubWorkflows
    ) -> None:
        id = github.add_run("plan.yml", HEAD)

        def another() -> None:
            github.runs[id].status = "queued"

        github.next(Fault(do=another), "POST", "/actions/runs")

        assert automation.rerun("plan.yml", HEAD)
        assert github.runs[id].attempt == 1

    @pytest.mark.parametrize(
        "why",
        [
            "Unable to retry this workflow run because it was created over a month ago",
            "This workflow run cannot be retried",
        ],
    )
    def test_what_is_too_old_is_as_good_as_not_there(
        self, github: FakeGitHub, automation: GitHubWorkflows, why: str
    ) -> None:
        github.add_run("plan.yml", HEAD, refuses=why)

        assert not automation.rerun("plan.yml", HEAD)

    def test_any_other_refusal_is_told(
        self, github: FakeGitHub, automation: GitHubWorkflows
    ) -> None:
        github.add_run("plan.yml", HEAD, refuses="Actions has been disabled for this user.")

        with pytest.raises(ForgeError, match=r"run plan\.yml again.*disabled for this user"):
            automation.rerun("plan.yml", HEAD)

    def test_a_token_that_may_only_read_names_what_it_lacks(
        self, github: FakeGitHub, automation: GitHubWorkflows
    ) -> None:
        github.add_run("plan.yml", HEAD)
        github.next(refused(), "POST", "/actions")

        with pytest.raises(ForgeError) as caught:
            automation.rerun("plan.yml", HEAD)
        assert "actions: write" in caught.value.todo

    def test_a_token_that_may_not_even_read_names_that(
        self, github: FakeGitHub, automation: GitHubWorkflows
    ) -> None:
        github.permissions.discard("actions")

        with pytest.raises(ForgeError, match=r"find the runs of plan\.yml") as caught:
            automation.rerun("plan.yml", HEAD)
        assert "actions: read" in caught.value.todo

    def test_a_workflow_that_is_not_there_is_told(self, automation: GitHubWorkflows) -> None:
        with pytest.raises(ForgeError, match=r"find the runs of gone\.yml.*404"):
            automation.rerun("gone.yml", HEAD)

    def test_what_github_would_not_answer_is_not_guessed_at(
        self, github: FakeGitHub, automation: GitHubWorkflows
    ) -> None:
        github.next(Fault(Answer(200, {"workflow_runs": [{"status": "completed"}]})), "GET", RUNS)

        with pytest.raises(ForgeError, match="is not what GitHub answers"):
            automation.rerun("plan.yml", HEAD)


class TestBeginning:
    def test_a_workflow_is_begun_at_a_branch_with_inputs(
        self, github: FakeGitHub, automation: GitHubWorkflows
    ) -> None:
        automation.dispatch("apply.yml", "main", {"environment": "prod"})

        assert github.dispatched == [("apply.yml", "main", {"environment": "prod"})]

    @pytest.mark.parametrize("lost", [bad_gateway(), bad_gateway(after=True), hang_up(after=True)])
    def test_it_is_never_begun_twice(
        self, github: FakeGitHub, automation: GitHubWorkflows, lost: Fault
    ) -> None:
        github.next(lost, "POST", DISPATCHES)

        with pytest.raises(Unavailable, match="Whether it was started is not known") as caught:
            automation.dispatch("apply.yml", "main", {"environment": "prod"})
        assert github.writes == [f"POST {DISPATCHES}"]
        assert len(github.dispatched) == int(lost.after)
        assert "list of its runs" in caught.value.todo

    def test_a_limit_is_waited_for(self, github: FakeGitHub, automation: GitHubWorkflows) -> None:
        github.next(secondary_limit(5), "POST", DISPATCHES)

        automation.dispatch("apply.yml", "main", {"environment": ""})

        assert len(github.dispatched) == 1
        assert github.slept == [5]

    @pytest.mark.parametrize(
        ("file", "ref", "name", "said"),
        [
            ("apply.yml", "main", "stage", 'Unexpected inputs provided: \\["stage"\\]'),
            ("apply.yml", "nowhere", "environment", "No ref found for: nowhere"),
            ("plan.yml", "main", "environment", "does not have 'workflow_dispatch' trigger"),
            ("gone.yml", "main", "environment", "404, Not Found"),
        ],
    )
    def test_what_is_not_as_we_write_workflows_is_told_with_what_is_needed(
        self,
        github: FakeGitHub,
        automation: GitHubWorkflows,
        file: str,
        ref: str,
        name: str,
        said: str,
    ) -> None:
        github.workflows["plan.yml"] = None

        with pytest.raises(ForgeError, match=said) as caught:
            automation.dispatch(file, ref, {name: "prod"})
        assert f".github/workflows/{file} is on {ref}" in caught.value.todo
        assert f"with these inputs: {name}." in caught.value.todo
        assert ("actions: write" in caught.value.todo) == (file == "gone.yml")
        assert "bug" not in caught.value.todo
        assert github.dispatched == []

    def test_a_token_that_may_not_names_what_it_lacks(
        self, github: FakeGitHub, automation: GitHubWorkflows
    ) -> None:
        github.permissions.discard("actions")

        with pytest.raises(ForgeError, match=r"start apply\.yml at main") as caught:
            automation.dispatch("apply.yml", "main", {})
        assert "actions: write" in caught.value.todo


class TestWhatBroughtACommit:
    def test_it_is_the_pull_request_that_was_merged(
        self, github: FakeGitHub, automation: GitHubWorkflows
    ) -> None:
        merged = github.add_pull(merge=HEAD, open=False)
        github.add_pull(merge=OTHER, open=False)

        assert automation.merged_pulls_of(HEAD) == (merged,)

    def test_one_that_is_only_open_brought_nothing(
        self, github: FakeGitHub, automation: GitHubWorkflows
    ) -> None:
        number = github.add_pull(head=HEAD)
        told = github._pull(number, github.issues[number])
        github.next(Fault(Answer(200, [told])), "GET", f"/commits/{HEAD}/pulls")

        assert automation.merged_pulls_of(HEAD) == ()

    def test_all_pages_are_read(self, github: FakeGitHub, automation: GitHubWorkflows) -> None:
        numbers = tuple(github.add_pull(merge=HEAD, open=False) for _ in range(101))

        assert automation.merged_pulls_of(HEAD) == numbers

    def test_a_token_that_may_not_names_what_it_lacks(
        self, github: FakeGitHub, automation: GitHubWorkflows
    ) -> None:
        github.next(refused(), "GET", "/commits")

        with pytest.raises(ForgeError, match="brought aaaaaaa") as caught:
            automation.merged_pulls_of(HEAD)
        assert "pull-requests: read" in caught.value.todo

    def test_what_passes_is_asked_again(
        self, github: FakeGitHub, automation: GitHubWorkflows
    ) -> None:
        merged = github.add_pull(merge=HEAD, open=False)
        github.next(bad_gateway(), "GET", "/commits", times=2)

        assert automation.merged_pulls_of(HEAD) == (merged,)


def test_what_stands_in_a_path_is_one_part_of_it(
    github: FakeGitHub, automation: GitHubWorkflows
) -> None:
    with pytest.raises(ForgeError):
        automation.rerun("../../issues", HEAD)

    assert github.requests == ["GET /actions/workflows/..%2F..%2Fissues/runs"]
