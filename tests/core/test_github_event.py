"""Event files as GitHub writes them, and as it never would."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from driftctl_py.core.github_event import Asked, Kind, read_event
from driftctl_py.core.result import Job
from driftctl_py.errors import UsageError

HEAD, BASE, MERGE = "a" * 40, "b" * 40, "c" * 40
VARIABLES = {
    "GITHUB_REPOSITORY": "example/infra",
    "GITHUB_WORKFLOW": "Plan",
    "GITHUB_RUN_ID": "1658821493",
    "GITHUB_RUN_NUMBER": "12",
    "GITHUB_RUN_ATTEMPT": "2",
    "GITHUB_SERVER_URL": "https://github.example.com",
    "GITHUB_SHA": MERGE,
    "GITHUB_REF": "refs/pull/7/merge",
}
RUN = "https://github.example.com/example/infra/actions/runs/1658821493"
REPOSITORY = {"full_name": "example/infra", "default_branch": "main"}
JOB = Job("example/infra", "Plan", "1658821493", 12, 2, RUN)


def read(name: str, payload: object, **variables: str) -> Any:
    given = {**VARIABLES, "GITHUB_EVENT_NAME": name, **variables}
    return read_event(given, json.dumps(payload).encode())


def pull(*, head_repo: object = REPOSITORY, **more: object) -> dict[str, object]:
    return {
        "action": "synchronize",
        "repository": REPOSITORY,
        "sender": {"login": "ada"},
        "pull_request": {
            "number": 7,
            "state": "open",
            "head": {"sha": HEAD, "ref": "$(id)", "repo": head_repo},
            "base": {"sha": BASE, "ref": "main", "repo": REPOSITORY},
            **more,
        },
    }


def test_a_pull_request_of_our_own_says_what_it_is_and_what_is_planned() -> None:
    event = read("pull_request", pull())

    assert event.kind is Kind.PULL_REQUEST
    assert (event.job.pull, event.job.head, event.job.base) == (7, HEAD, BASE)
    assert event.job.into == "main"
    assert (event.job.merge, event.job.number, event.job.attempt) == (MERGE, 12, 2)
    assert event.job.url == RUN
    assert (event.fork, event.plans, event.default_branch, event.login) == (
        *(False, True),
        "main",
        "ada",
    )


@pytest.mark.parametrize(
    "head_repo", [{"full_name": "mallory/infra"}, None, {}, {"full_name": "example/infra2"}]
)
def test_a_head_that_is_not_known_to_be_ours_is_a_fork(head_repo: object) -> None:
    event = read("pull_request", pull(head_repo=head_repo))

    assert (event.fork, event.plans) == (True, False)


def test_who_does_not_know_where_it_runs_trusts_no_head() -> None:
    assert read("pull_request", pull(), GITHUB_REPOSITORY="").fork


def test_a_repository_is_the_same_in_capitals() -> None:
    assert not read("pull_request", pull(head_repo={"full_name": "Example/Infra"})).fork


def test_what_is_closed_is_merged_with_nothing() -> None:
    event = read("pull_request", pull(state="closed", merged=True))

    assert (event.closed, event.merged, event.plans, event.job.merge) == (True, True, False, "")


def test_an_event_of_the_target_planned_no_merge() -> None:
    assert read("pull_request_target", pull()).job.merge == ""


def test_a_push_says_what_was_there_before() -> None:
    event = read("push", {"before": BASE, "after": HEAD, "repository": REPOSITORY})

    assert (event.job.base, event.job.head, event.deleted, event.plans) == (
        *(BASE, HEAD),
        *(False, True),
    )


def test_a_push_that_makes_a_branch_has_nothing_before_and_one_that_deletes_nothing_after() -> None:
    made = read("push", {"before": "0" * 40, "after": HEAD})
    deleted = read("push", {"before": BASE, "after": "0" * 40, "deleted": True})

    assert made.job.base == ""
    assert (deleted.deleted, deleted.plans) == (True, False)


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("schedule", Kind.SCHEDULE),
        ("workflow_dispatch", Kind.DISPATCH),
        ("release", Kind.OTHER),
        ("", Kind.OTHER),
    ],
)
def test_what_has_no_commits_of_its_own_is_at_the_workflows_commit(name: str, kind: Kind) -> None:
    event = read(name, {})

    assert event.kind is kind
    assert event.job.head == MERGE
    assert event.job.pull == 0


def test_a_merge_group_has_a_head_and_a_base() -> None:
    event = read("merge_group", {"merge_group": {"head_sha": HEAD, "base_sha": BASE}})

    assert (event.job.head, event.job.base, event.plans) == (HEAD, BASE, True)


def comment(action: str = "created", **issue: object) -> dict[str, object]:
    return {
        "action": action,
        "issue": {"number": 7, "state": "open", **issue},
        "comment": {"id": 5, "body": "/driftctl plan", "user": {"login": "grace"}},
    }


def test_a_comment_says_who_asks_for_what_and_where() -> None:
    event = read("issue_comment", comment(pull_request={"url": "https://example.com"}))

    assert event.comment == Asked(5, "/driftctl plan", "grace", on_pull=True)
    assert event.job.pull == 7
    # Whose the head is, the event does not say.
    assert (event.fork, event.plans) == (True, False)


def test_a_comment_on_an_issue_is_on_no_pull_request() -> None:
    event = read("issue_comment", comment())

    assert event.job.pull == 0
    assert event.comment == Asked(5, "/driftctl plan", "grace", on_pull=False)


@pytest.mark.parametrize("action", ["edited", "deleted"])
def test_a_comment_that_is_changed_later_asks_for_nothing(action: str) -> None:
    assert read("issue_comment", comment(action)).comment is None


def test_numbers_that_github_would_not_write_are_none() -> None:
    event = read("schedule", {}, GITHUB_RUN_NUMBER="1_0", GITHUB_RUN_ATTEMPT="²", GITHUB_RUN_ID="")

    assert (event.job.number, event.job.attempt, event.job.url) == (0, 0, "")


@pytest.mark.parametrize(
    ("name", "payload"),
    [
        ("pull_request", {}),
        ("pull_request", {"pull_request": {"number": 7, "head": {"sha": HEAD}}}),
        ("issue_comment", {"comment": {"id": 5}, "issue": {"number": 7}}),
        ("issue_comment", {}),
        ("merge_group", {"merge_group": {}}),
    ],
)
def test_an_event_that_lacks_what_matters_is_refused(name: str, payload: object) -> None:
    with pytest.raises(UsageError, match="lacks"):
        read(name, payload)


@pytest.mark.parametrize("payload", [b"", b"[]", b"\xff", b'{"pull_request": 3}', b"[" * 100_000])
def test_what_is_no_event_is_refused(payload: bytes) -> None:
    with pytest.raises(UsageError, match="not what GitHub writes"):
        read_event({**VARIABLES, "GITHUB_EVENT_NAME": "pull_request"}, payload)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["pull_request", "head", "repo", "full_name", "sha", "number", "issue", "comment"]
            ),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)


@given(st.sampled_from([each.value for each in Kind]), JSON)
def test_no_event_makes_a_head_ours_that_does_not_say_so(name: str, payload: object) -> None:
    try:
        event = read(name, payload)
    except UsageError:
        return

    if event.job.pull and not event.fork:
        assert isinstance(payload, dict)
        assert payload["pull_request"]["head"]["repo"]["full_name"] == "example/infra"
