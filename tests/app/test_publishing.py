"""Results on a forge, in sequences: jobs that race, people in between, permissions that lack."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from driftctl_py.app.publishing import CHECKS_AT_MOST, ISSUES_AT_MOST, Kind, Publisher, Texts
from driftctl_py.core.assessment import Totals
from driftctl_py.core.check import Verdict
from driftctl_py.core.forge import CheckRun, Conclusion, Published
from driftctl_py.core.marker import read_marker
from driftctl_py.core.result import Gated, Item, Job, Occasion, Result, Results, Standing
from driftctl_py.errors import UsageError
from tests.forge_fake import (
    ACTIONS,
    FakeGitHub,
    Fault,
    bad_gateway,
    fake_github,
    meanwhile,
    refused,
    secondary_limit,
)

NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)
OLD, NEW = "3f2a91c" + "0" * 33, "77b0de4" + "0" * 33
ALL = tuple(Kind)
ON_PULL = (Kind.COMMENT, Kind.LABELS, Kind.CHECKS, Kind.STATUSES)


def job(number: int = 11, *, head: str = OLD, attempt: int = 1, pull: int = 1) -> Job:
    run = str(900 + number)
    url = f"https://github.com/example/infrastructure/actions/runs/{run}"
    return Job("example/infrastructure", "plan", run, number, attempt, url, pull, head)


def plan(*changes: str, by: Job | None = None, missing: Sequence[str] = ()) -> Results:
    """A review of prod and staging, in which these change."""
    names = ("prod", "staging")
    results = tuple(
        Result(
            name,
            f"environments/{name}",
            Occasion.REVIEW,
            Verdict.PENDING if name in changes else Verdict.IN_SYNC,
            NOON,
            1.0,
            totals=Totals(add=1) if name in changes else Totals(),
            drifted=0,
        )
        for name in names
        if name not in missing
    )
    return Results(results, missing=tuple(missing), by=by or job())


def check(verdict: Verdict, *, by: Job | None = None, tag: str = "growth") -> Results:
    item = Item("aws_s3_bucket.a", "update", "drift", destroys=False, lines=(f"! tags {tag}",))
    drifted = verdict is Verdict.DRIFTED
    result = Result(
        "prod",
        "environments/prod",
        Occasion.CHECK,
        verdict,
        NOON,
        1.0,
        totals=Totals() if drifted else None,
        drifted=int(drifted),
        items=(item,) if drifted else (),
    )
    return Results((result,), by=by or job(pull=0))


def _comment(results: Results, budget: int, artifact_url: str) -> str:
    lines = [f"{each.environment}: {each.verdict.value}" for each in results.results]
    lines += [f"{name}: died" for name in results.missing]
    return "\n".join([*lines, f"[log]({results.job.url})"])[:budget]


def _check(result: Result) -> CheckRun:
    title = f"{result.environment} is {result.verdict.value}"
    return CheckRun("", "", Conclusion.NEUTRAL, title, "summary", url="https://example.com/job")


def _issue(result: Result, since: datetime, history: Sequence[str]) -> tuple[str, str]:
    return f"Drift in {result.environment}", "\n".join([f"since {since:%H:%M}", *history])


TEXTS = Texts(
    comment=_comment,
    check=_check,
    check_of_all=lambda results: CheckRun(
        "", "", Conclusion.NEUTRAL, f"{len(results.results)} environments", "summary"
    ),
    issue=_issue,
    about=lambda result: result.verdict.value,
    markdown=lambda text: text.replace("_", r"\_"),
)


@pytest.fixture
def github() -> Iterator[FakeGitHub]:
    with fake_github() as found:
        found.add_pull(head=OLD)
        yield found


def publish(
    github: FakeGitHub,
    results: Results,
    *kinds: Kind,
    scope: str = "",
    configured: Collection[str] | None = None,
    pull: int = 0,
) -> tuple[Published, ...]:
    by = Publisher(github.client(), TEXTS, lambda: NOON, scope, lambda name: [f"owner-of-{name}"])
    return by.publish(results, kinds or (Kind.COMMENT,), configured=configured, pull=pull)


def said(github: FakeGitHub, number: int = 1) -> list[str]:
    """What our comments say first, without marker and log."""
    return [body.split("\n")[1] for body in github.bodies(number)]


def beside(github: FakeGitHub, results: Results, *kinds: Kind) -> Fault:
    """Another job publishes just before the request is looked at."""

    return meanwhile(lambda: publish(github, results, *kinds))


def words(told: Collection[Published]) -> list[str]:
    assert not any(each.failed for each in told), told
    return [each.what for each in told]


# The comment.


def test_the_next_push_writes_into_the_comment_of_the_first(github: FakeGitHub) -> None:
    first = publish(github, plan("prod"))
    github.issues[1].head = NEW
    second = publish(github, plan("prod", "staging", by=job(12, head=NEW)))

    assert (words(first), words(second)) == (["comment: written"], ["comment: updated"])
    assert second[0].url == first[0].url != ""
    assert [each.body.split("\n", 1)[1] for each in github.comments.values()] == [
        "prod: pending\nstaging: pending\n"
        "[log](https://github.com/example/infrastructure/actions/runs/912)"
    ]


def test_an_older_run_that_ends_late_writes_nothing(github: FakeGitHub) -> None:
    github.issues[1].head = NEW
    publish(github, plan("prod", by=job(12, head=NEW)), *ON_PULL)
    before = list(github.writes)

    late = publish(github, plan("staging"), Kind.COMMENT, Kind.LABELS)

    assert words(late) == [
        "comment: left as it is: a newer run has written it",
        "labels: left as they are, for a newer run has set them",
    ]
    assert github.writes == before


def test_nothing_is_written_where_nothing_changed(github: FakeGitHub) -> None:
    publish(github, plan("prod"), Kind.COMMENT, Kind.LABELS)
    before = list(github.writes)

    again = publish(github, plan("prod", by=job(attempt=2)), Kind.COMMENT, Kind.LABELS)

    assert words(again) == [
        "comment: left as it is: it says the same",
        "labels: as they should be",
    ]
    assert github.writes == before


def test_another_attempt_of_the_same_run_says_what_it_found(github: FakeGitHub) -> None:
    publish(github, plan("prod", missing=["staging"]))

    publish(github, plan("prod", by=job(attempt=2)))
    publish(github, plan("staging", missing=["prod"]))

    assert said(github) == ["prod: pending"]


def test_a_push_back_to_an_older_commit_is_the_newer_run(github: FakeGitHub) -> None:
    github.issues[1].head = NEW
    publish(github, plan("prod", by=job(12, head=NEW)))

    github.issues[1].head = OLD
    publish(github, plan(by=job(13, head=OLD)))

    assert said(github) == ["prod: in sync"]


def test_a_comment_that_a_person_deleted_is_made_anew(github: FakeGitHub) -> None:
    publish(github, plan("prod"))
    github.comments.clear()

    told = publish(github, plan("prod", by=job(12)))

    assert words(told) == ["comment: written"]
    assert said(github) == ["prod: pending"]


def test_a_comment_that_a_person_edited_is_put_back(github: FakeGitHub) -> None:
    publish(github, plan("prod"))
    (id,) = github.comments
    github.edit_by(id, github.comments[id].body.replace("pending", "in sync"))

    told = publish(github, plan("prod", by=job(attempt=2)))

    assert words(told) == ["comment: put back: somebody had changed it"]
    assert said(github) == ["prod: pending"]


def test_a_copy_in_somebody_elses_name_is_nobodys_concern(github: FakeGitHub) -> None:
    publish(github, plan("prod"))
    (body,) = github.bodies(1)
    github.comments.clear()
    copy = github.comment_by("ada", 1, body)

    publish(github, plan("staging", by=job(12)))

    assert github.comments[copy].body == body
    assert [each.author for each in github.comments.values()] == ["ada", ACTIONS]


@pytest.mark.parametrize("mine_is_newer", [True, False])
def test_of_two_jobs_that_both_saw_no_comment_one_comment_is_left(
    github: FakeGitHub, mine_is_newer: bool
) -> None:
    mine, others = plan("prod", by=job(12 if mine_is_newer else 11)), plan("staging", by=job())
    if not mine_is_newer:
        others = plan("staging", by=job(12))
    github.next(beside(github, others), "POST", "/issues/1/comments")

    (told,) = publish(github, mine)

    assert said(github) == ["prod: pending" if mine_is_newer else "prod: in sync"]
    (id,) = github.comments
    assert told.url.endswith(f"-{id}")
    assert ("newer run" in told.what) is not mine_is_newer


def test_the_comment_is_written_even_where_a_person_deletes_it_just_before(
    github: FakeGitHub,
) -> None:
    publish(github, plan("prod"))
    github.next(meanwhile(github.comments.clear), "PATCH", "/issues/comments")

    told = publish(github, plan("staging", by=job(12)))

    assert words(told) == ["comment: written"]
    assert said(github) == ["prod: in sync"]


def test_a_comment_that_is_deleted_at_once_is_not_forced_on_anybody(github: FakeGitHub) -> None:
    deleted: list[int] = []

    def delete() -> None:
        deleted.extend(github.comments)
        github.comments.clear()

    # The first look finds none, so this one is the look after it was written.
    github.next(meanwhile(lambda: None), "GET", "/issues/1/comments")
    github.next(meanwhile(delete), "GET", "/issues/1/comments")

    told = publish(github, plan("prod"))

    assert words(told) == ["comment: written"]
    assert len(deleted) == 1
    assert github.comments == {}


def test_duplicates_are_taken_away_and_the_oldest_stays(github: FakeGitHub) -> None:
    publish(github, plan("prod"))
    (body,) = github.bodies(1)
    other = github.comment_by(ACTIONS, 1, "Coverage:\n100 %")
    github.comment_by(ACTIONS, 1, body)
    oldest = min(github.comments)

    publish(github, plan("staging", by=job(12)))

    assert list(github.comments) == [oldest, other]
    assert said(github) == ["prod: in sync", "100 %"]


def test_a_run_of_an_older_commit_says_so_where_no_newer_run_came(github: FakeGitHub) -> None:
    github.issues[1].head = NEW

    publish(github, plan("prod"))

    assert said(github) == [
        "> **Of an older commit:** this was made of `3f2a91c`, and the pull request is at "
        "`77b0de4` now."
    ]


def test_each_scope_has_its_own_comment_labels_and_checks(github: FakeGitHub) -> None:
    publish(github, plan("prod"), *ON_PULL, scope="network")
    publish(github, plan(), *ON_PULL, scope="apps")

    assert said(github) == ["prod: pending", "prod: in sync"]
    assert github.issues[1].labels == ["driftctl:network:changes", "driftctl:apps:no-changes"]
    assert {each.sent["name"] for each in github.checks.values()} >= {
        "driftctl[network]/all",
        "driftctl[apps]/all",
    }


def test_a_plan_and_what_became_of_it_are_told_in_two_comments(github: FakeGitHub) -> None:
    publish(github, plan("prod"))
    applied = plan("prod", by=job(12, head=NEW, pull=0))
    of_apply = replace(
        applied,
        results=tuple(replace(each, occasion=Occasion.APPLY) for each in applied.results),
    )

    told = publish(github, of_apply, Kind.COMMENT, Kind.LABELS, pull=1)

    assert words(told)[1] == "labels: left as they are, for they say what merging would do"
    kinds = [marker.kind for body in github.bodies(1) if (marker := read_marker(body)[0])]
    assert kinds == ["plan", "apply"]
    # Of the merge, which is no commit of the pull request: nothing has moved on.
    assert said(github)[1] == "prod: pending"


def test_what_is_applied_after_a_merge_is_told_where_it_was_reviewed(github: FakeGitHub) -> None:
    other = github.add_pull(head=NEW, open=False)
    applied = plan("prod", by=job(12, head=NEW, pull=0))
    of_apply = replace(
        applied,
        results=tuple(replace(each, occasion=Occasion.APPLY) for each in applied.results),
    )
    by = Publisher(github.client(), TEXTS, lambda: NOON, merged=lambda commit: [1, other])

    told = by.publish(of_apply, (Kind.COMMENT, Kind.STATUSES))
    again = by.publish(of_apply, (Kind.COMMENT,))

    assert words(told)[:2] == ["comment: written", "comment: written"]
    assert said(github, 1) == said(github, other) == ["prod: pending"]
    assert words(again) == ["comment: left as it is: it says the same"] * 2


def test_a_closed_pull_request_still_gets_its_update(github: FakeGitHub) -> None:
    github.issues[1].open = False

    assert words(publish(github, plan("prod"))) == ["comment: written"]


def test_a_locked_conversation_is_said_and_fails_nothing(github: FakeGitHub) -> None:
    github.issues[1].locked = True

    told = publish(github, plan("prod"), Kind.COMMENT, Kind.STATUSES)

    assert "the conversation of pull request #1 is locked" in words(told)[0]
    assert github.comments == {}
    assert github.statuses


def test_without_a_pull_request_there_is_nothing_to_comment_on(github: FakeGitHub) -> None:
    told = publish(github, plan("prod", by=job(pull=0)), Kind.COMMENT, Kind.LABELS)

    assert words(told) == [
        "comment: not written, for there is no pull request",
        "labels: left as they are, for there is no pull request",
    ]


def test_who_changes_it_again_and_again_is_told_of(github: FakeGitHub) -> None:
    def spoil() -> None:
        for id in github.comments:
            github.comments[id].body = github.comments[id].body.replace('"number":11', '"number":9')

    github.next(meanwhile(spoil), "GET", "/issues/1/comments", times=99)

    (told,) = publish(github, plan("prod"))

    assert told.failed
    assert "changed again as fast as it is written" in told.what
    assert "--scope" in told.todo


def test_a_forge_that_keeps_it_in_another_spelling_is_not_written_to_for_ever(
    github: FakeGitHub,
) -> None:
    def respell() -> None:
        for id in github.comments:
            github.comments[id].body = github.comments[id].body.replace("prod", "PROD")

    github.next(meanwhile(respell), "GET", "/issues/1/comments", times=99)

    told = publish(github, plan("prod"))

    assert words(told) == ["comment: written"]
    assert github.writes == ["POST /issues/1/comments"]


def test_what_cannot_be_part_of_a_label_is_no_scope(github: FakeGitHub) -> None:
    with pytest.raises(UsageError, match="cannot be a scope"):
        publish(github, plan("prod"), scope="a b")


# What goes wrong.


def test_who_lacks_a_permission_still_has_the_rest(github: FakeGitHub) -> None:
    github.permissions.discard("checks")

    told = publish(github, plan("prod"), *ON_PULL)

    assert [each.what.split(":")[0] for each in told if each.failed] == ["checks"]
    assert "checks: write" in next(each.todo for each in told if each.failed)
    assert said(github) == ["prod: pending"]
    assert {sent["context"] for _, sent in github.statuses} == {
        "driftctl/all",
        "driftctl/prod",
        "driftctl/staging",
    }


def test_what_is_wrong_with_one_check_keeps_no_other_back(github: FakeGitHub) -> None:
    # The first is the one for all, the second is refused.
    github.next(meanwhile(lambda: None), "POST", "/check-runs")
    github.next(refused(422, "Validation Failed"), "POST", "/check-runs")

    told = publish(github, plan("prod"), Kind.CHECKS)

    assert [each.failed for each in told] == [False, True]
    assert told[0].what == "checks: 2 checks at 3f2a91c"
    assert {each.sent["name"] for each in github.checks.values()} == {
        "driftctl/all",
        "driftctl/staging",
    }


def test_an_answer_that_was_lost_is_not_written_twice(github: FakeGitHub) -> None:
    github.next(bad_gateway(after=True), "POST", "/issues/1/comments")
    github.next(secondary_limit(), "GET", "/issues/1/comments")

    told = publish(github, plan("prod"))

    assert words(told) == ["comment: written"]
    assert len(github.comments) == 1


def test_a_forge_that_does_not_answer_is_told_for_each_kind(github: FakeGitHub) -> None:
    github.next(bad_gateway(), times=9999)

    told = publish(github, plan("prod"), *ON_PULL)

    assert all(each.failed for each in told)
    assert {each.what.split(":")[0] for each in told} == {each.value for each in ON_PULL}


# Labels, checks, statuses.


def test_labels_follow_what_was_found_and_leave_those_of_people(github: FakeGitHub) -> None:
    number = github.add_pull(head=OLD, labels=["bug", "driftctl:failed", "driftctl:skip"])

    told = publish(github, plan("prod"), Kind.LABELS, pull=number)

    assert words(told) == ["labels: +driftctl:changes, -driftctl:failed"]
    assert github.issues[number].labels == ["bug", "driftctl:skip", "driftctl:changes"]


def test_checks_and_statuses_say_the_same_and_the_one_for_all_is_first(
    github: FakeGitHub,
) -> None:
    held = plan("prod", missing=["staging"])
    results = tuple(replace(each, gate=Gated(Standing.HELD)) for each in held.results)

    told = publish(github, replace(held, results=results), Kind.CHECKS, Kind.STATUSES)

    assert words(told) == ["checks: 3 checks at 3f2a91c", "statuses: 3 statuses at 3f2a91c"]
    assert [
        (each.sent["name"], each.sent["conclusion"], each.sent["details_url"])
        for each in github.checks.values()
    ] == [
        ("driftctl/all", "failure", job().url),
        ("driftctl/staging", "failure", job().url),
        ("driftctl/prod", "action_required", "https://example.com/job"),
    ]
    assert [(sent["context"], sent["state"]) for _, sent in github.statuses] == [
        ("driftctl/all", "failure"),
        ("driftctl/staging", "failure"),
        ("driftctl/prod", "pending"),
    ]
    assert "its job ended without a result" in github.statuses[1][1]["description"]


def test_a_second_run_at_the_same_commit_updates_its_checks(github: FakeGitHub) -> None:
    publish(github, plan("prod"), Kind.CHECKS)
    publish(github, plan("prod", by=job(attempt=2)), Kind.CHECKS)

    assert len(github.checks_of(OLD)) == 3


def test_of_very_many_environments_the_gravest_have_checks_of_their_own(
    github: FakeGitHub,
) -> None:
    (quiet, _) = plan().results
    many = [replace(quiet, environment=f"e{at}") for at in range(CHECKS_AT_MOST + 20)]
    failed = replace(quiet, environment="last", verdict=Verdict.FAILED)

    told = publish(github, Results((*many, failed), by=job()), Kind.STATUSES)

    assert words(told) == [
        "statuses: 51 statuses at 3f2a91c; 21 more environments are told of in driftctl/all alone"
    ]
    contexts = [sent["context"] for _, sent in github.statuses]
    assert contexts[:2] == ["driftctl/all", "driftctl/last"]


def test_without_a_commit_there_is_nothing_to_put_a_check_on(github: FakeGitHub) -> None:
    told = publish(github, plan("prod", by=job(head="")), Kind.CHECKS, Kind.STATUSES)

    assert words(told) == [
        "checks: not published, for it is not known of which commit",
        "statuses: not published, for it is not known of which commit",
    ]


# Issues.


def issue(github: FakeGitHub) -> tuple[bool, list[str]]:
    """Whether the one issue is open, and what was said beneath it."""
    (number,) = (number for number, each in github.issues.items() if not each.head)
    return github.issues[number].open, github.bodies(number)


def test_drift_is_an_issue_that_is_closed_when_it_is_gone_and_reopened_when_it_returns(
    github: FakeGitHub,
) -> None:
    first = publish(github, check(Verdict.DRIFTED), Kind.ISSUES)
    opened = issue(github)
    again = publish(github, check(Verdict.DRIFTED, by=job(12, pull=0)), Kind.ISSUES)
    still = issue(github)
    unknown = publish(github, check(Verdict.FAILED, by=job(13, pull=0)), Kind.ISSUES)
    doubted = issue(github)
    healed = publish(github, check(Verdict.IN_SYNC, by=job(14, pull=0)), Kind.ISSUES)
    closed = issue(github)
    back = publish(github, check(Verdict.DRIFTED, by=job(15, pull=0)), Kind.ISSUES)

    assert words(first) == ["issues: #2 opened for prod"]
    assert github.issues[2].labels == ["driftctl:drift"]
    assert words(again) == ["issues: #2 for prod updated"]
    assert words(unknown) == ["issues: #2 for prod noted that nobody knows"]
    assert opened == still == doubted == (True, [])
    assert words(healed) == ["issues: #2 for prod closed"]
    assert closed == (False, ["No drift any more: in sync."])
    assert words(back) == ["issues: #2 for prod reopened"]
    assert issue(github) == (
        True,
        ["No drift any more: in sync.", "There is drift again: drifted."],
    )


def test_what_an_engine_says_at_length_leaves_room_for_the_drift(github: FakeGitHub) -> None:
    publish(github, check(Verdict.DRIFTED), Kind.ISSUES)
    (failed,) = check(Verdict.FAILED).results
    texts = replace(TEXTS, about=lambda result: "failed: " + "x" * 100_000)
    by = Publisher(github.client(), texts, lambda: NOON)

    by.publish(Results((failed,), by=job(12, pull=0)), (Kind.ISSUES,))

    assert "failed: xxx" in (github.issues[2].body or "")
    assert "xx….\n" in (github.issues[2].body or "")
    assert len(github.issues[2].body or "") < 1_000


def test_who_looks_after_an_environment_is_asked(github: FakeGitHub) -> None:
    github.roles["owner-of-prod"] = "write"

    publish(github, check(Verdict.DRIFTED), Kind.ISSUES)

    assert github.issues[2].assignees == ["owner-of-prod"]


def test_a_job_that_died_closes_nothing(github: FakeGitHub) -> None:
    publish(github, check(Verdict.DRIFTED), Kind.ISSUES)
    (quiet,) = check(Verdict.IN_SYNC).results
    others = Results(
        (replace(quiet, environment="staging"),), missing=("prod",), by=job(12, pull=0)
    )

    told = publish(github, others, Kind.ISSUES, configured=["staging"])

    assert words(told) == ["issues: #2 for prod noted that nobody knows"]
    assert github.issues[2].open
    assert "its job ended without a result" in (github.issues[2].body or "")


def test_an_environment_that_is_gone_loses_its_issue_when_all_others_were_looked_at(
    github: FakeGitHub,
) -> None:
    publish(github, check(Verdict.DRIFTED), Kind.ISSUES)
    (quiet,) = check(Verdict.IN_SYNC).results
    staging = Results((replace(quiet, environment="staging"),), by=job(12, pull=0))

    unknown = publish(github, staging, Kind.ISSUES)
    lost = replace(staging, unreadable=("x.json: empty",))
    doubtful = publish(github, lost, Kind.ISSUES, configured=["staging"])
    gone = publish(github, staging, Kind.ISSUES, configured=["staging"])

    assert words(unknown) == words(doubtful) == ["issues: as they should be"]
    assert words(gone) == ["issues: #2 for prod closed, since its environment is gone"]
    assert not github.issues[2].open


def test_what_a_pull_request_would_do_is_no_drift(github: FakeGitHub) -> None:
    publish(github, check(Verdict.DRIFTED), Kind.ISSUES)

    told = publish(github, plan(by=job(12)), Kind.ISSUES, configured=["staging"])

    assert words(told) == ["issues: left as they are, for nothing was checked"]
    assert github.issues[2].open


def test_of_two_checks_that_open_an_issue_at_once_the_older_issue_stays(
    github: FakeGitHub,
) -> None:
    other = check(Verdict.DRIFTED, by=job(pull=0))
    github.next(beside(github, other, Kind.ISSUES), "POST", "/issues")

    told = publish(github, check(Verdict.DRIFTED, by=job(12, pull=0)), Kind.ISSUES)

    assert words(told) == [
        "issues: #3 opened for prod",
        "issues: #2 for prod updated",
        "issues: #3 for prod closed as a duplicate",
    ]
    assert (github.issues[2].open, github.issues[3].open) == (True, False)
    assert github.bodies(3) == ["The same as #2, which stays."]


def test_where_everything_drifts_at_once_some_wait_for_the_next_check(
    github: FakeGitHub,
) -> None:
    (drifted,) = check(Verdict.DRIFTED).results
    all_ = tuple(replace(drifted, environment=f"e{at}") for at in range(ISSUES_AT_MOST + 2))

    first = publish(github, Results(all_, by=job(pull=0)), Kind.ISSUES)
    second = publish(github, Results(all_, by=job(12, pull=0)), Kind.ISSUES)

    assert words(first)[-1] == (
        "issues: 2 more environments drifted, and get theirs by the next checks: 50 are opened at "
        "once"
    )
    assert [each.what for each in second if "opened" in each.what] == [
        f"issues: #{ISSUES_AT_MOST + 2} opened for e{ISSUES_AT_MOST}",
        f"issues: #{ISSUES_AT_MOST + 3} opened for e{ISSUES_AT_MOST + 1}",
    ]


def test_what_is_wrong_with_one_issue_keeps_no_other_back(github: FakeGitHub) -> None:
    (drifted,) = check(Verdict.DRIFTED).results
    both = Results((drifted, replace(drifted, environment="staging")), by=job(pull=0))
    github.next(refused(422, "Validation Failed"), "POST", "/issues")

    told = publish(github, both, Kind.ISSUES)

    assert [each.failed for each in told] == [True, False]
    assert told[1].what == "issues: #2 opened for staging"
