"""The adapter of GitHub against the fake: sequences, refusals and lost answers, over real HTTP.

`test_github_contract` holds both against GitHub's own description.
"""

from __future__ import annotations

import logging
import subprocess
import sys
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from driftctl_py.adapters.github import GitHub
from driftctl_py.app.ports import Forge
from driftctl_py.core.forge import (
    Annotation,
    CheckRun,
    Comment,
    CommitStatus,
    Conclusion,
    Issue,
    Label,
    Role,
)
from driftctl_py.errors import DriftctlError, ForgeError, Unavailable
from tests.forge_fake import (
    TOKEN,
    Answer,
    FakeGitHub,
    Fault,
    bad_gateway,
    fake_github,
    hang_up,
    meanwhile,
    primary_limit,
    refused,
    secondary_limit,
)

HEAD = "a" * 40


@pytest.fixture
def github() -> Iterator[FakeGitHub]:
    with fake_github() as github:
        yield github


@pytest.fixture
def pull(github: FakeGitHub) -> int:
    return github.add_pull()


@pytest.fixture
def forge(github: FakeGitHub) -> GitHub:
    return github.client()


def check(*lines: int, **more: str) -> CheckRun:
    words = {"name": "driftctl / prod", "title": "in sync", "summary": "Nothing.", **more}
    return CheckRun(
        head=HEAD,
        conclusion=Conclusion.SUCCESS,
        annotations=tuple(Annotation("main.tf", line, "warning", "", "look") for line in lines),
        **words,
    )


def lines_of(github: FakeGitHub) -> list[list[int]]:
    return [[each["start_line"] for each in it.annotations] for it in github.checks_of(HEAD)]


class TestWhoWeAre:
    def test_the_token_of_a_workflow_is_the_bot_that_comments(
        self, github: FakeGitHub, pull: int, forge: GitHub
    ) -> None:
        forge.add_comment(pull, "mine")

        (comment,) = forge.comments(pull)

        assert (comment.author, comment.ours) == ("github-actions[bot]", True)
        assert "GET /user" not in github.requests

    def test_a_person_is_asked_for_where_graphql_is_silent(
        self, github: FakeGitHub, pull: int, forge: GitHub
    ) -> None:
        github.login, github.tells_viewer = "ada", False
        github.comment_by("Ada", pull, "logins are the same in small letters")

        assert [each.ours for each in forge.comments(pull)] == [True]

    def test_nothing_is_written_by_who_cannot_be_told(
        self, github: FakeGitHub, pull: int, forge: GitHub
    ) -> None:
        github.tells_viewer = False

        with pytest.raises(ForgeError, match="find out who we are"):
            forge.add_comment(pull, "whose?")
        with pytest.raises(ForgeError):
            forge.open_issue("whose?", "", labels=[], assignees=[])
        assert github.writes == []

    @pytest.mark.parametrize("author", ["mallory", "dependabot[bot]", "github-actions", None])
    def test_what_others_wrote_is_not_ours(
        self, github: FakeGitHub, pull: int, forge: GitHub, author: str | None
    ) -> None:
        github.comment_by(author, pull, "<!-- driftctl-py -->")
        github.add_issue("drift", "<!-- driftctl-py -->", author=author, labels=["drift"])

        assert not forge.comments(pull)[0].ours
        assert not forge.issues("drift")[0].ours

    def test_what_a_person_edited_is_still_ours(
        self, github: FakeGitHub, pull: int, forge: GitHub
    ) -> None:
        written = forge.add_comment(pull, "mine")
        github.edit_by(written.id, "hers")

        (comment,) = forge.comments(pull)

        assert (comment.body, comment.ours) == ("hers", True)
        assert comment.updated_at > comment.created_at

    def test_we_ask_once_and_not_at_all_when_told(self, github: FakeGitHub, pull: int) -> None:
        asking, told = github.client(), github.client(login=github.login)

        for forge in (asking, asking, told):
            forge.add_comment(pull, "hello")

        assert github.requests.count("POST /graphql") == 1


class TestLostAnswers:
    @pytest.mark.parametrize("fault", [bad_gateway, hang_up])
    @pytest.mark.parametrize("after", [False, True])
    def test_a_comment_whose_answer_was_lost_is_there_once(
        self,
        github: FakeGitHub,
        pull: int,
        forge: GitHub,
        fault: Callable[..., Fault],
        after: bool,
    ) -> None:
        github.next(fault(after=after), "POST", "/issues")

        comment = forge.add_comment(pull, "the plan\r\n")

        assert [each.id for each in forge.comments(pull)] == [comment.id]

    def test_somebody_elses_words_are_not_taken_for_ours(
        self, github: FakeGitHub, pull: int, forge: GitHub
    ) -> None:
        github.comment_by("mallory", pull, "the plan")
        github.next(bad_gateway(), "POST", "/issues")

        comment = forge.add_comment(pull, "the plan")

        assert comment.ours
        assert github.bodies(pull) == ["the plan", "the plan"]

    def test_another_jobs_comment_is_not_taken_for_this_one(
        self, github: FakeGitHub, pull: int, forge: GitHub
    ) -> None:
        other = github.client()
        both = Fault(bad_gateway().answer, do=lambda: other.add_comment(pull, "run 8"))
        github.next(both, "POST", "/issues")

        forge.add_comment(pull, "run 7")

        assert sorted(github.bodies(pull)) == ["run 7", "run 8"]

    def test_an_issue_whose_answer_was_lost_is_there_once(
        self, github: FakeGitHub, forge: GitHub
    ) -> None:
        github.next(bad_gateway(after=True), "POST", "/issues")
        labels = [Label("drift")]

        issue = forge.open_issue("prod drifted", "how", labels=labels, assignees=[])

        assert forge.issues("drift") == (issue,)

    def test_an_issue_without_labels_is_found_again_too(
        self, github: FakeGitHub, forge: GitHub
    ) -> None:
        github.next(bad_gateway(), "POST", "/issues")
        github.next(bad_gateway(after=True), "POST", "/issues")
        github.add_issue("prod drifted", "how", author="mallory")

        issue = forge.open_issue("prod drifted", "how", labels=[], assignees=[])

        assert issue.ours
        assert len(github.issues) == 2

    @pytest.mark.parametrize("after", [False, True])
    def test_a_check_run_whose_answer_was_lost_is_there_once(
        self, github: FakeGitHub, forge: GitHub, after: bool
    ) -> None:
        github.next(bad_gateway(after=after), "POST", "/check-runs")

        url = forge.publish_check(check(1, 2))

        assert url.endswith("/runs/1")
        assert lines_of(github) == [[1, 2]]

    @pytest.mark.parametrize("after", [False, True])
    def test_annotations_whose_answer_was_lost_are_there_once(
        self, github: FakeGitHub, forge: GitHub, after: bool
    ) -> None:
        github.next(bad_gateway(after=after), "PATCH", "/check-runs", times=2)

        forge.publish_check(check(*range(1, 121)))

        assert lines_of(github) == [list(range(1, 121))]
        assert github.checks_of(HEAD)[0].sent["status"] == "completed"

    @pytest.mark.parametrize("after", [False, True])
    def test_a_status_whose_answer_was_lost_is_there_once(
        self, github: FakeGitHub, forge: GitHub, after: bool
    ) -> None:
        github.next(bad_gateway(after=after), "POST", "/statuses")

        forge.set_status(CommitStatus("driftctl", HEAD, "success", "in sync"))

        assert len(github.statuses) == 1

    def test_an_older_status_of_that_name_is_not_taken_for_this_one(
        self, github: FakeGitHub, forge: GitHub
    ) -> None:
        forge.set_status(CommitStatus("driftctl", HEAD, "success", "in sync"))
        forge.set_status(CommitStatus("driftctl", HEAD, "failure", "drifted"))
        forge.set_status(CommitStatus("driftctl / prod", HEAD, "success", "in sync"))
        github.next(bad_gateway(), "POST", "/statuses")

        forge.set_status(CommitStatus("driftctl", HEAD, "success", "in sync"))

        states = [sent["state"] for _, sent in github.statuses if sent["context"] == "driftctl"]
        assert states == ["success", "failure", "success"]

    def test_what_is_the_same_twice_is_asked_again(
        self, github: FakeGitHub, pull: int, forge: GitHub
    ) -> None:
        comment = forge.add_comment(pull, "one")
        for verb in ("GET", "PATCH", "DELETE"):
            github.next(bad_gateway(after=True, status=503), verb, "/issues")

        edited = forge.edit_comment(comment.id, "two")
        read = forge.comments(pull)
        forge.delete_comment(comment.id)

        assert edited is not None
        assert [each.body for each in read] == ["two"]
        assert github.bodies(pull) == []

    def test_giving_up_says_what_is_not_known(
        self, github: FakeGitHub, pull: int, forge: GitHub
    ) -> None:
        github.next(bad_gateway(), "POST", "/issues", times=9)

        with pytest.raises(Unavailable) as caught:
            forge.add_comment(pull, "the plan")

        assert "it answered 502, Server Error" in caught.value.what
        assert "whether the last one had an effect is not known" in caught.value.what
        assert github.slept == [2, 4, 8]

    def test_annotations_are_given_up_as_anything_else(
        self, github: FakeGitHub, forge: GitHub
    ) -> None:
        github.next(bad_gateway(), "PATCH", "/check-runs", times=9)

        with pytest.raises(Unavailable):
            forge.publish_check(check(*range(60)))

        assert github.checks_of(HEAD)[0].sent["status"] == "in_progress"

    def test_nobody_there_is_unavailable_and_says_why(self, github: FakeGitHub) -> None:
        server = HTTPServer(("127.0.0.1", 0), BaseHTTPRequestHandler)
        server.server_close()
        forge = github.client(api_url=f"http://127.0.0.1:{server.server_port}")

        with pytest.raises(Unavailable, match="Connection refused"):
            forge.pull(1)

    def test_headers_that_make_no_sense_are_no_answer(
        self, github: FakeGitHub, pull: int, forge: GitHub
    ) -> None:
        odd = Answer(201, {}, {"x-ratelimit-reset": "soon"})
        github.next(Fault(odd, after=True), "POST", "/issues")

        forge.add_comment(pull, "once")

        assert github.bodies(pull) == ["once"]


class TestWhateverHappens:
    """Faults in any order, of answers to reading as well: never twice, and never a success that is
    none."""

    faults = st.lists(
        st.sampled_from(
            [
                Fault(),
                bad_gateway(),
                bad_gateway(after=True),
                hang_up(),
                hang_up(after=True),
                secondary_limit(1),
            ]
        ),
        max_size=8,
    )

    @settings(max_examples=25, deadline=None)
    @given(faults=faults)
    def test_a_comment_and_an_issue_are_there_once_or_it_is_not_known(
        self, faults: list[Fault]
    ) -> None:
        with fake_github() as github:
            pull, forge = github.add_pull(), github.client(login=github.login)
            for fault in faults:
                github.next(fault)

            commented = succeeds(lambda: forge.add_comment(pull, "plan"))
            opened = succeeds(lambda: forge.open_issue("drift", "how", labels=[], assignees=[]))

            assert len(github.bodies(pull)) in ([1] if commented else [0, 1])
            assert len(github.issues) - 1 in ([1] if opened else [0, 1])

    @settings(max_examples=25, deadline=None)
    @given(faults=faults, lines=st.integers(0, 120))
    def test_a_check_run_is_whole_or_it_is_not_known(self, faults: list[Fault], lines: int) -> None:
        with fake_github() as github:
            forge = github.client()
            for fault in faults:
                github.next(fault)

            published = succeeds(lambda: forge.publish_check(check(*range(1, lines + 1))))
            github.calm()
            forge.publish_check(check(*range(1, lines + 1)))

            assert published or faults
            assert lines_of(github) == [list(range(1, lines + 1))]
            assert github.checks_of(HEAD)[0].sent["status"] == "completed"


class TestRateLimits:
    def test_the_hourly_limit_is_waited_for(
        self, github: FakeGitHub, pull: int, forge: GitHub
    ) -> None:
        github.next(primary_limit(30), "GET")

        forge.pull(pull)

        assert github.slept == [31]

    @pytest.mark.parametrize("status", [403, 429])
    def test_a_secondary_limit_says_how_long(
        self, github: FakeGitHub, pull: int, forge: GitHub, status: int
    ) -> None:
        github.next(secondary_limit(7, status=status), "POST", "/issues", times=2)

        forge.add_comment(pull, "once")

        assert github.slept == [7, 7]
        assert github.bodies(pull) == ["once"]

    def test_a_secondary_limit_that_does_not_is_waited_for_longer_each_time(
        self, github: FakeGitHub, pull: int, forge: GitHub
    ) -> None:
        github.next(secondary_limit(None), "POST", "/issues", times=3)

        forge.add_comment(pull, "once")

        assert github.slept == [60, 120, 240]

    @pytest.mark.parametrize("status", [403, 422])
    def test_writing_too_quickly_is_a_limit_and_no_error(
        self, github: FakeGitHub, pull: int, forge: GitHub, status: int
    ) -> None:
        errors = [{"resource": "IssueComment", "message": "was submitted too quickly"}]
        github.next(refused(status, "Validation Failed", errors=errors), "POST", "/issues")

        forge.add_comment(pull, "once")

        assert github.slept == [60]
        assert github.bodies(pull) == ["once"]

    def test_a_limit_that_is_over_already_is_not_asked_at_once(
        self, github: FakeGitHub, pull: int, forge: GitHub
    ) -> None:
        github.next(primary_limit(-5), "GET", "/pulls")
        github.next(secondary_limit(0), "GET", "/pulls")

        forge.pull(pull)

        assert github.slept == [1, 1]

    def test_a_limit_without_a_moment_is_waited_for_a_minute(
        self, github: FakeGitHub, pull: int, forge: GitHub
    ) -> None:
        headers = {"x-ratelimit-remaining": "0"}
        github.next(Fault(Answer(429, {"message": "slow down"}, headers)), "GET")

        forge.pull(pull)

        assert github.slept == [60]

    @pytest.mark.parametrize("after", ["soon", "-1", "nan", "inf", "Tue, 24 Nov 2026 12:01:00 GMT"])
    def test_a_time_that_makes_no_sense_is_a_minute(
        self, github: FakeGitHub, pull: int, forge: GitHub, after: str
    ) -> None:
        github.next(Fault(Answer(429, {}, {"retry-after": after})), "GET")

        forge.pull(pull)

        assert github.slept == [60]

    def test_a_moment_without_a_clock_is_a_minute(
        self, github: FakeGitHub, pull: int, forge: GitHub
    ) -> None:
        limit = primary_limit(30)(github).answer
        assert limit is not None
        github.next(Fault(Answer(403, limit.body, {**limit.headers, "date": ""})), "GET")

        forge.pull(pull)

        assert github.slept == [60]

    def test_enterprise_tells_the_moment_with_a_point(
        self, github: FakeGitHub, pull: int, forge: GitHub
    ) -> None:
        limit = primary_limit(30)(github).answer
        assert limit is not None
        headers = {name: f"{value}.0" for name, value in limit.headers.items()}
        github.next(Fault(Answer(403, limit.body, headers)), "GET")

        forge.pull(pull)

        assert github.slept == [31]

    def test_no_more_than_the_bound_is_waited(
        self, github: FakeGitHub, pull: int, forge: GitHub
    ) -> None:
        github.next(primary_limit(3000), "POST", "/issues")

        with pytest.raises(Unavailable) as caught:
            forge.add_comment(pull, "the plan")

        assert "again at 12:50:02 UTC, in 3001 seconds" in caught.value.what
        assert "no more than 600" in caught.value.what
        assert github.slept == []

    def test_the_bound_is_for_all_waiting_together(self, github: FakeGitHub, pull: int) -> None:
        forge = github.client(patience_seconds=10)
        github.next(secondary_limit(6), "GET", times=2)

        with pytest.raises(Unavailable):
            forge.pull(pull)

        assert github.slept == [6]

    def test_the_bound_holds_for_lost_answers_too(self, github: FakeGitHub, pull: int) -> None:
        forge = github.client(patience_seconds=3)
        github.next(bad_gateway(), "GET", times=9)

        with pytest.raises(Unavailable, match="does not answer"):
            forge.pull(pull)

        assert github.slept == [2]


def _comment(forge: GitHub) -> object:
    return forge.add_comment(1, "x")


def _edit(forge: GitHub) -> object:
    return forge.edit_comment(1, "x")


def _delete(forge: GitHub) -> None:
    forge.delete_comment(1)


def _react(forge: GitHub) -> None:
    forge.react(1, "eyes")


def _label(forge: GitHub) -> None:
    forge.set_labels(1, add=[Label("drift")], remove=[])


def _check(forge: GitHub) -> object:
    return forge.publish_check(check())


def _status(forge: GitHub) -> None:
    forge.set_status(CommitStatus("driftctl", HEAD, "success", ""))


def _open(forge: GitHub) -> object:
    return forge.open_issue("t", "b", labels=[], assignees=[])


def _close(forge: GitHub) -> object:
    return forge.edit_issue(1, open=False)


Deed = Callable[[GitHub], object]
_DEEDS: list[tuple[Deed, str]] = [
    (_comment, "pull-requests: write, issues: write"),
    (_edit, "pull-requests: write, issues: write"),
    (_delete, "pull-requests: write, issues: write"),
    (_react, "pull-requests: write, issues: write"),
    (_label, "pull-requests: write, issues: write"),
    (_check, "checks: write"),
    (_status, "statuses: write"),
    (_open, "issues: write"),
    (_close, "issues: write"),
]


class TestRefusals:
    @pytest.mark.parametrize(("do", "grant"), _DEEDS)
    def test_a_permission_that_is_lacking_is_named(
        self, github: FakeGitHub, pull: int, forge: GitHub, do: Deed, grant: str
    ) -> None:
        github.comment_by(github.login, pull, "there")
        github.permissions.clear()

        with pytest.raises(ForgeError, match="Resource not accessible by integration") as caught:
            do(forge)

        assert f"permissions: {{ contents: read, {grant} }}" in caught.value.todo

    @pytest.mark.parametrize(("do", "grant"), _DEEDS)
    def test_a_personal_token_is_told_what_it_lacks(
        self, github: FakeGitHub, pull: int, forge: GitHub, do: Deed, grant: str
    ) -> None:
        github.comment_by(github.login, pull, "there")
        for verb in ("POST", "PATCH", "DELETE"):
            message = "Resource not accessible by personal access token"
            github.next(refused(403, message), verb, "/", times=9)
        forge = github.client(login=github.login)

        with pytest.raises(ForgeError) as caught:
            do(forge)

        assert caught.value.todo == f"Give the token for this repository: {grant}."

    def test_a_personal_token_cannot_write_check_runs(
        self, github: FakeGitHub, forge: GitHub
    ) -> None:
        github.login = "ada"

        with pytest.raises(ForgeError, match="must authenticate via a GitHub App") as caught:
            forge.publish_check(check())

        assert "publish `statuses`, not `checks`" in caught.value.todo

    def test_what_is_not_there_may_be_what_the_token_may_not_see(self, forge: GitHub) -> None:
        with pytest.raises(ForgeError, match="pull request #7 in example/infrastructure: 404") as e:
            forge.pull(7)

        assert "the token may not see it" in e.value.todo
        assert "pull-requests: read" in e.value.todo

    def test_a_repository_without_issues_says_how_to_turn_them_on(
        self, github: FakeGitHub, forge: GitHub
    ) -> None:
        github.has_issues = False

        for do in (_open, lambda forge: forge.issues("drift")):
            with pytest.raises(ForgeError, match="410, Issues has been disabled") as caught:
                do(forge)
            assert "Turn issues on" in caught.value.todo

    def test_comments_on_pull_requests_need_no_issues(
        self, github: FakeGitHub, pull: int, forge: GitHub
    ) -> None:
        github.has_issues = False

        assert forge.add_comment(pull, "hello").ours

    def test_a_comment_that_is_too_long_is_refused_in_words(self, pull: int, forge: GitHub) -> None:
        with pytest.raises(ForgeError, match="422, Validation Failed; body custom body is too lon"):
            forge.add_comment(pull, "x" * 65537)

    def test_a_locked_conversation_is_not_a_lacking_permission(
        self, github: FakeGitHub, forge: GitHub
    ) -> None:
        with pytest.raises(ForgeError, match="issue is locked") as caught:
            forge.add_comment(github.add_pull(locked=True), "hello")

        assert "Unlock the conversation" in caught.value.todo

    def test_a_closed_pull_request_takes_comments(self, github: FakeGitHub, forge: GitHub) -> None:
        closed = github.add_pull(open=False)

        forge.add_comment(closed, "applied")

        assert not forge.pull(closed).open
        assert github.bodies(closed) == ["applied"]

    @pytest.mark.parametrize(
        ("fault", "todo"),
        [
            (refused(401, "Bad credentials"), "give a new one"),
            (
                refused(403, "Resource protected by organization SAML enforcement."),
                "single sign-on",
            ),
            (refused(410, "This issue was deleted"), "It was deleted"),
            (
                refused(403, "Must have push access to view collaborator permission."),
                "Only who may write here",
            ),
            (refused(307, "Moved Permanently"), "renamed or moved"),
            (refused(418, "", errors=["short", {"code": "stout"}]), "Look at what GitHub says"),
        ],
    )
    def test_other_refusals_say_what_to_do(
        self, github: FakeGitHub, pull: int, forge: GitHub, fault: Fault, todo: str
    ) -> None:
        github.next(fault, "GET", "/pulls")

        with pytest.raises(ForgeError) as caught:
            forge.pull(pull)

        assert todo in caught.value.todo

    @pytest.mark.parametrize("body", ["<html>sign in</html>", {"number": "one"}, [], None])
    def test_what_is_not_githubs_answer_is_not_guessed_at(
        self, github: FakeGitHub, pull: int, forge: GitHub, body: object
    ) -> None:
        github.next(Fault(Answer(200, body)), "GET", "/pulls")

        with pytest.raises(ForgeError, match="is not what GitHub answers"):
            forge.pull(pull)

    def test_a_repository_that_was_renamed_is_read_quietly(
        self, github: FakeGitHub, pull: int, forge: GitHub
    ) -> None:
        number = github.add_pull()
        there = f"{github.url}/repos/{github.repository}/pulls/{number}"
        github.next(Fault(Answer(301, {"message": "Moved"}, {"location": there})), "GET", "/pulls")

        assert forge.pull(pull).number == number
        assert not logging.getLogger("github").isEnabledFor(logging.INFO)

    def test_another_host_gets_nothing(self, github: FakeGitHub, pull: int, forge: GitHub) -> None:
        with fake_github() as other:
            other_url = other.url.replace("127.0.0.1", "localhost")
            moved = Answer(301, {"message": "Moved"}, {"location": f"{other_url}/pulls/1"})
            github.next(Fault(moved), "GET", "/pulls")

            with pytest.raises(ForgeError, match="sends us elsewhere"):
                forge.pull(pull)

            assert other.requests == []

    @pytest.mark.parametrize("repository", ["infrastructure", "a/b/c", "a/..", "a b/c", "../user"])
    def test_what_is_no_repository_is_refused(self, repository: str) -> None:
        with pytest.raises(ForgeError, match="is not the name of a repository"):
            GitHub(repository, token=TOKEN)


class TestSecrets:
    def test_the_token_is_in_no_log(
        self, pull: int, forge: GitHub, caplog: pytest.LogCaptureFixture
    ) -> None:
        for name in ("", "github", "github.Requester", "urllib3"):
            caplog.set_level(logging.DEBUG, logger=name)

        forge.add_comment(pull, "hello")

        assert "github.Requester" in {record.name for record in caplog.records}
        assert "urllib3.connectionpool" in {record.name for record in caplog.records}
        assert TOKEN not in caplog.text

    def test_the_token_is_in_no_error_even_where_it_comes_back(
        self, github: FakeGitHub, forge: GitHub
    ) -> None:
        github.next(refused(403, f"you sent {TOKEN}"), "PATCH")
        github.next(Fault(Answer(502, {"message": f"you sent {TOKEN}"})), "DELETE", times=9)
        github.next(secondary_limit(9999, message=f"{TOKEN} is limited"), "GET")

        errors = [failure_of(do, forge) for do in (_edit, _delete, lambda forge: forge.pull(1))]

        assert all("(token)" in each.what for each in errors)
        assert all(TOKEN not in f"{each.what}{each.todo}" for each in errors)
        assert TOKEN not in repr(forge)

    @pytest.mark.parametrize("token", ["", "  ", "two words", "line\nbreak", "ümlaut", "nul\0"])
    def test_what_is_no_token_is_refused_unseen(self, token: str) -> None:
        with pytest.raises(ForgeError, match="no token for GitHub") as caught:
            GitHub("example/infrastructure", token=token)

        assert not token.strip() or token not in caught.value.what

    def test_the_line_end_of_a_file_is_no_part_of_the_token(
        self, github: FakeGitHub, pull: int
    ) -> None:
        forge = GitHub(github.repository, token=f"{TOKEN}\n", api_url=github.url)

        assert forge.pull(pull).number == pull

    @pytest.mark.parametrize("url", ["http://github.example/api/v3", "http://192.0.2.1"])
    def test_the_token_is_not_sent_in_the_clear(self, url: str) -> None:
        with pytest.raises(ForgeError, match="is not encrypted"):
            GitHub("example/infrastructure", token=TOKEN, api_url=url)

    @pytest.mark.parametrize(
        "url", ["", "github.example", "https://u:p4ss@github.example", "file:///x"]
    )
    def test_what_is_no_address_is_refused_unseen(self, url: str) -> None:
        with pytest.raises(ForgeError, match="not one that can be used") as caught:
            GitHub("example/infrastructure", token=TOKEN, api_url=url)

        assert "p4ss" not in caught.value.what


class TestPullRequests:
    def test_a_pull_request_is_told(self, github: FakeGitHub, forge: GitHub) -> None:
        number = github.add_pull(
            head=HEAD, base="b" * 40, base_ref="release", merge=None, draft=True, labels=["x"]
        )

        pull = forge.pull(number)

        assert (pull.head, pull.base, pull.base_ref) == (HEAD, "b" * 40, "release")
        assert (pull.merge, pull.draft, pull.labels) == ("", True, frozenset({"x"}))
        assert (pull.open, pull.locked, pull.author) == (True, False, "ada")

    @pytest.mark.parametrize(
        ("where", "fork"),
        [
            ("", False),
            ("Example/Infrastructure", False),
            ("eve/infrastructure", True),
            (None, True),
        ],
    )
    def test_a_fork_is_told(
        self, github: FakeGitHub, forge: GitHub, where: str | None, fork: bool
    ) -> None:
        assert forge.pull(github.add_pull(head_repository=where)).fork is fork


class TestComments:
    def test_all_of_them_are_read_the_oldest_first(
        self, github: FakeGitHub, pull: int, forge: GitHub
    ) -> None:
        for each in range(300):
            github.comment_by("ada", pull, f"{each}")

        assert [each.body for each in forge.comments(pull)] == [str(each) for each in range(300)]

    def test_one_that_a_person_deletes_meanwhile_is_gone(
        self, github: FakeGitHub, pull: int, forge: GitHub
    ) -> None:
        first, second = (forge.add_comment(pull, each) for each in ("one", "two"))
        github.next(meanwhile(lambda: github.delete(first.id)), "PATCH")
        github.next(meanwhile(lambda: github.delete(second.id)), "DELETE")

        assert forge.edit_comment(first.id, "three") is None
        forge.delete_comment(second.id)
        assert not forge.react(first.id, "rocket")
        assert github.bodies(pull) == []

    def test_an_edited_one_keeps_its_place(
        self, github: FakeGitHub, pull: int, forge: GitHub
    ) -> None:
        written = forge.add_comment(pull, "one")

        edited = forge.edit_comment(written.id, "two")

        assert edited == Comment(
            id=written.id,
            body="two",
            author=github.login,
            ours=True,
            created_at=written.created_at,
            updated_at=github.now,
            url=written.url,
        )

    def test_a_reaction_is_there_once(self, github: FakeGitHub, pull: int, forge: GitHub) -> None:
        id = github.comment_by("ada", pull, "/driftctl plan")

        assert [forge.react(id, "eyes"), forge.react(id, "eyes")] == [True, False]
        assert github.comments[id].reactions == [(github.login, "eyes")]

    @pytest.mark.parametrize("after", [False, True])
    def test_a_reaction_of_which_the_answer_was_lost_counts_as_new(
        self, github: FakeGitHub, pull: int, forge: GitHub, after: bool
    ) -> None:
        id = github.comment_by("ada", pull, "/driftctl plan")
        github.next(bad_gateway(after=after), "POST", "/issues/comments")

        assert forge.react(id, "eyes")
        assert github.comments[id].reactions == [(github.login, "eyes")]

    def test_only_our_own_reaction_is_ours(
        self, github: FakeGitHub, pull: int, forge: GitHub
    ) -> None:
        id = github.comment_by("ada", pull, "/driftctl plan")
        github.comments[id].reactions += [("mallory", "eyes"), (github.login, "rocket")]

        assert [forge.reacted(id, each) for each in ("eyes", "rocket")] == [False, True]

    def test_one_is_read_as_it_is_now(self, github: FakeGitHub, pull: int, forge: GitHub) -> None:
        id = github.comment_by("ada", pull, "/driftctl plan")
        github.edit_by(id, "never mind")

        found = forge.comment(id)

        assert found is not None
        assert (found.author, found.body, found.ours) == ("ada", "never mind", False)
        github.delete(id)
        assert forge.comment(id) is None


class TestLabels:
    def test_missing_labels_are_made_as_they_are_described(
        self, github: FakeGitHub, pull: int, forge: GitHub
    ) -> None:
        forge.set_labels(pull, add=[Label("driftctl:destroys", "d73a4a", "It destroys")], remove=[])

        assert github.labels == {"driftctl:destroys": ("d73a4a", "It destroys")}
        assert github.issues[pull].labels == ["driftctl:destroys"]

    def test_nothing_is_written_where_nothing_changes(
        self, github: FakeGitHub, forge: GitHub
    ) -> None:
        pull = github.add_pull(labels=["Driftctl:Drift", "kept"])

        forge.set_labels(pull, add=[Label("driftctl:drift")], remove=["driftctl:destroys"])

        assert github.writes == []

    def test_a_label_that_another_job_makes_meanwhile_is_taken(
        self, github: FakeGitHub, pull: int, forge: GitHub
    ) -> None:
        github.next(meanwhile(lambda: github.labels.update({"DRIFT": ("000000", "")})), "POST")

        forge.set_labels(pull, add=[Label("drift")], remove=[])

        assert github.issues[pull].labels == ["DRIFT"]

    def test_a_label_that_a_person_takes_away_meanwhile_is_fine(
        self, github: FakeGitHub, forge: GitHub
    ) -> None:
        pull = github.add_pull(labels=["drift"])
        github.next(meanwhile(github.issues[pull].labels.clear), "DELETE")

        forge.set_labels(pull, add=[], remove=["drift"])

        assert github.issues[pull].labels == []

    def test_a_label_that_is_there_is_not_made_again(
        self, github: FakeGitHub, pull: int, forge: GitHub
    ) -> None:
        github.labels["Drift"] = ("d73a4a", "ours")

        forge.set_labels(pull, add=[Label("drift", "000000")], remove=[])

        assert github.labels == {"Drift": ("d73a4a", "ours")}
        assert github.writes == [f"POST /issues/{pull}/labels"]

    def test_a_label_is_looked_for_once(self, github: FakeGitHub, forge: GitHub) -> None:
        for _ in range(3):
            forge.open_issue("t", "b", labels=[Label("drift")], assignees=[])

        assert github.requests.count("GET /labels/drift") == 1

    def test_a_name_that_is_no_label_is_refused(self, pull: int, forge: GitHub) -> None:
        with pytest.raises(ForgeError, match=r"make the label x{51} in .* too long"):
            forge.set_labels(pull, add=[Label("x" * 51)], remove=[])


class TestChecks:
    def test_many_annotations_are_sent_in_parts_and_the_end_last(
        self, github: FakeGitHub, forge: GitHub
    ) -> None:
        forge.publish_check(check(*range(1, 121)))

        sent = [body for asked, body in github.sent if "check-runs" in asked and body]
        assert [len(each["output"]["annotations"]) for each in sent] == [50, 50, 20]
        assert [each.get("conclusion") for each in sent] == [None, None, "success"]
        assert lines_of(github) == [list(range(1, 121))]

    def test_the_same_again_writes_nothing(self, github: FakeGitHub, forge: GitHub) -> None:
        first = forge.publish_check(check(1, 1, 2, text="more", url="https://ci.example"))
        before = list(github.writes)

        again = forge.publish_check(check(1, 1, 2, text="more", url="https://ci.example"))

        assert first == again
        assert github.writes == before

    def test_an_update_adds_what_is_missing(self, github: FakeGitHub, forge: GitHub) -> None:
        forge.publish_check(check(1))

        forge.publish_check(check(1, 2, title="drifted"))

        assert lines_of(github) == [[1, 2]]
        assert github.checks_of(HEAD)[0].sent["output"]["title"] == "drifted"

    def test_annotations_that_are_not_wanted_any_more_need_a_new_run(
        self, github: FakeGitHub, forge: GitHub
    ) -> None:
        forge.publish_check(check(1, 2))

        forge.publish_check(check(2))
        forge.publish_check(check(2, 3))

        assert lines_of(github) == [[1, 2], [2, 3]]

    def test_runs_of_another_id_or_name_or_commit_are_left_alone(
        self, github: FakeGitHub, forge: GitHub
    ) -> None:
        forge.publish_check(check(external_id="prod"))
        forge.publish_check(check(external_id="dev"))
        forge.publish_check(check(name="driftctl", external_id="prod"))

        assert len(github.checks) == 3

    def test_a_run_of_another_app_is_left_alone(self, github: FakeGitHub, forge: GitHub) -> None:
        forge.publish_check(check())
        github.login = "other[bot]"

        other = github.client()
        other.publish_check(check(title="theirs"))
        other.publish_check(check(title="theirs again"))

        titles = [it.sent["output"]["title"] for it in github.checks_of(HEAD)]
        assert titles == ["in sync", "theirs again"]

    def test_a_line_that_is_not_known_is_the_first(self, github: FakeGitHub, forge: GitHub) -> None:
        forge.publish_check(check(0))
        forge.publish_check(check(0))

        assert lines_of(github) == [[1]]

    def test_text_that_is_too_long_is_refused(self, forge: GitHub) -> None:
        with pytest.raises(ForgeError, match="Only 65535 characters are allowed"):
            forge.publish_check(check(summary="x" * 65536))


class TestIssues:
    def test_an_issue_is_opened_for_who_can_be_assigned(
        self, github: FakeGitHub, forge: GitHub
    ) -> None:
        github.roles["grace"] = "write"

        issue = forge.open_issue(
            "prod drifted",
            "how",
            labels=[Label("drift"), Label("prod")],
            assignees=["grace", "nobody", "../../user"],
        )

        assert issue == Issue(
            number=1,
            title="prod drifted",
            body="how",
            open=True,
            ours=True,
            labels=frozenset({"drift", "prod"}),
            assignees=("grace",),
            url="https://github.example/example/infrastructure/issues/1",
        )

    def test_issues_of_a_label_are_read_open_and_closed_without_pull_requests(
        self, github: FakeGitHub, forge: GitHub
    ) -> None:
        for number in range(101):
            github.add_issue(f"{number}", labels=["drift"], open=number != 5)
        github.add_issue("other", labels=["bug"])
        github.add_pull(labels=["drift"])

        found = forge.issues("drift")

        assert [each.title for each in found] == [str(number) for number in range(101)]
        assert [each.title for each in found if not each.open] == ["5"]

    def test_an_edit_changes_what_is_given_alone(self, github: FakeGitHub, forge: GitHub) -> None:
        number = github.add_issue("title", "body", author=github.login)

        closed = forge.edit_issue(number, body="healed", open=False)
        reopened = forge.edit_issue(number, title="again", open=True)

        assert (closed.title, closed.body, closed.open) == ("title", "healed", False)
        assert (reopened.title, reopened.body, reopened.open) == ("again", "healed", True)


class TestRoles:
    @pytest.mark.parametrize("role", [role for role in Role if role is not Role.NONE])
    def test_the_roles_of_github_are_known(
        self, github: FakeGitHub, forge: GitHub, role: Role
    ) -> None:
        github.roles["ada"] = role.value

        assert forge.role_of("ada") is role

    @pytest.mark.parametrize(
        ("name", "made_from", "role"),
        [
            ("releaser", "maintain", Role.WRITE),
            ("auditor", "triage", Role.READ),
            ("admin", "read", Role.READ),
            ("write", "odd", Role.NONE),
        ],
    )
    def test_a_role_of_somebodys_making_is_what_it_was_made_from(
        self, github: FakeGitHub, forge: GitHub, name: str, made_from: str, role: Role
    ) -> None:
        github.roles["ada"] = (name, made_from)

        assert forge.role_of("ada") is role

    @pytest.mark.parametrize("login", ["eve", "dependabot[bot]", "..", "a/b", "", "ada?x=1", "-"])
    def test_who_is_not_known_may_do_nothing(
        self, github: FakeGitHub, forge: GitHub, login: str
    ) -> None:
        github.roles |= {"ada": "admin", "..": "admin"}

        assert forge.role_of(login) is Role.NONE


def test_an_enterprise_server_is_asked_below_its_own_path(github: FakeGitHub, pull: int) -> None:
    forge = github.client(api_url=f"{github.url}/api/v3/")

    forge.add_comment(pull, "hello")

    assert github.bodies(pull) == ["hello"]
    assert "GET /user" not in github.requests


def test_it_can_be_closed_at_any_time(github: FakeGitHub, pull: int, forge: GitHub) -> None:
    forge.close()
    forge.pull(pull)
    forge.close()

    assert forge.pull(pull).number == pull


def test_the_command_line_starts_without_pygithub() -> None:
    told = "import sys, driftctl_py.cli.main, driftctl_py.adapters.github; print(*sys.modules)"

    done = subprocess.run([sys.executable, "-c", told], capture_output=True, text=True, check=True)

    assert not {"github", "requests"} & set(done.stdout.split())


def fits(forge: GitHub) -> Forge:
    """For the type checker."""
    return forge


def succeeds(do: Callable[[], object]) -> bool:
    try:
        do()
    except Unavailable:
        return False
    return True


def failure_of(do: Deed, forge: GitHub) -> DriftctlError:
    with pytest.raises(DriftctlError) as caught:
        do(forge)
    return caught.value
