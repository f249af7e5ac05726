"""What GitHub Actions says of the event that started a workflow: its file, and its variables.

Everything in it that somebody outside wrote (titles, branches, comments) is material and never
code: nothing here is put into a shell, a path or a format string. What decides about trust is read
strictly: an event that does not say whose repository a head lies in is one from a fork.

Shapes: GitHub's "Events that trigger workflows" and "Webhook events and payloads".
Not here: who may do what (the forge says that), and what a comment asks for (``comment_command``).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import Enum

import msgspec

from driftctl_py.core.result import Job
from driftctl_py.errors import UsageError


class Kind(Enum):
    """What happened, in the words of ``GITHUB_EVENT_NAME``."""

    PULL_REQUEST = "pull_request"
    PULL_REQUEST_TARGET = "pull_request_target"
    PUSH = "push"
    SCHEDULE = "schedule"
    DISPATCH = "workflow_dispatch"
    COMMENT = "issue_comment"
    MERGE_GROUP = "merge_group"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class Asked:
    """A comment that was written just now: who wrote what under which pull request or issue."""

    id: int
    body: str
    login: str
    on_pull: bool


@dataclass(frozen=True, slots=True)
class Event:
    """``job`` says where we run and for which commits. ``fork``: the head's code is somebody
    else's, so it meets no credentials. ``closed`` and ``deleted``: there is nothing left to plan.
    ``default_branch`` is the repository's; ``ref`` what the workflow runs at."""

    kind: Kind
    job: Job
    fork: bool = False
    closed: bool = False
    merged: bool = False
    deleted: bool = False
    ref: str = ""
    default_branch: str = ""
    login: str = ""
    comment: Asked | None = None

    @property
    def plans(self) -> bool:
        """Is there anything to plan with credentials?"""
        return not (self.fork or self.closed or self.deleted)


class _User(msgspec.Struct):
    login: str = ""


class _Repo(msgspec.Struct):
    full_name: str = ""
    default_branch: str = ""


class _End(msgspec.Struct):
    sha: str = ""
    ref: str = ""
    # None: the fork was deleted since.
    repo: _Repo | None = None


class _Pull(msgspec.Struct):
    number: int = 0
    state: str = ""
    merged: bool | None = False
    head: _End = msgspec.field(default_factory=_End)
    base: _End = msgspec.field(default_factory=_End)


class _Issue(msgspec.Struct):
    number: int = 0
    state: str = ""
    # There for pull requests alone; what is in it does not matter.
    pull_request: dict[str, object] | None = None


class _Comment(msgspec.Struct):
    id: int = 0
    body: str | None = ""
    user: _User | None = None


class _Group(msgspec.Struct):
    head_sha: str = ""
    base_sha: str = ""


class _Payload(msgspec.Struct):
    action: str | None = ""
    repository: _Repo | None = None
    sender: _User | None = None
    pull_request: _Pull | None = None
    issue: _Issue | None = None
    comment: _Comment | None = None
    merge_group: _Group | None = None
    before: str | None = ""
    after: str | None = ""
    deleted: bool | None = False


# A push that makes a branch has no commit before it.
_NO_COMMIT = "0" * 40
_KINDS = {kind.value: kind for kind in Kind}
_decode = msgspec.json.Decoder(_Payload).decode


def read_event(variables: Mapping[str, str], payload: bytes) -> Event:
    """The event, from the job's environment variables and the content of ``GITHUB_EVENT_PATH``.
    Raises `UsageError` for what GitHub would never write."""
    name = variables.get("GITHUB_EVENT_NAME", "")
    kind = _KINDS.get(name, Kind.OTHER)
    try:
        said = _decode(payload)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise UsageError(
            f"The event file of this {name or 'nameless'} event is not what GitHub writes, so it "
            "is not known what to look at.",
            todo="Run it in GitHub Actions, or give GITHUB_EVENT_PATH a file as webhooks have it.",
        ) from error
    event = Event(
        kind,
        Job(
            repository=variables.get("GITHUB_REPOSITORY", ""),
            workflow=variables.get("GITHUB_WORKFLOW", ""),
            run=variables.get("GITHUB_RUN_ID", ""),
            number=_number(variables, "GITHUB_RUN_NUMBER"),
            attempt=_number(variables, "GITHUB_RUN_ATTEMPT"),
            url=_run_url(variables),
        ),
        ref=variables.get("GITHUB_REF", ""),
        default_branch=said.repository.default_branch if said.repository else "",
        login=said.sender.login if said.sender else "",
    )
    sha = variables.get("GITHUB_SHA", "")
    match kind:
        case Kind.PULL_REQUEST | Kind.PULL_REQUEST_TARGET:
            return _pull_request(event, said, sha)
        case Kind.COMMENT:
            return _comment(event, said)
        case Kind.MERGE_GROUP:
            group = said.merge_group
            if group is None or not group.head_sha:
                raise _lacks(kind, "the group's commit")
            return replace(
                event, job=replace(event.job, head=group.head_sha, base=group.base_sha, merge=sha)
            )
        case Kind.PUSH:
            before = "" if said.before == _NO_COMMIT else said.before or ""
            return replace(
                event,
                job=replace(event.job, head=said.after or sha, base=before),
                deleted=bool(said.deleted),
            )
        case _:
            return replace(event, job=replace(event.job, head=sha))


def _pull_request(event: Event, said: _Payload, sha: str) -> Event:
    pull = said.pull_request
    if pull is None or pull.number < 1 or not pull.head.sha or not pull.base.sha:
        raise _lacks(event.kind, "the pull request's number and commits")
    closed = pull.state != "open"
    # An event of the target runs at the base, and what is closed is merged with nothing.
    merge = sha if event.kind is Kind.PULL_REQUEST and not closed else ""
    return replace(
        event,
        job=replace(
            event.job,
            pull=pull.number,
            head=pull.head.sha,
            base=pull.base.sha,
            merge=merge,
            into=pull.base.ref,
        ),
        fork=_is_fork(pull, event.job.repository),
        closed=closed,
        merged=bool(pull.merged),
    )


def _comment(event: Event, said: _Payload) -> Event:
    comment, issue = said.comment, said.issue
    if comment is None or comment.user is None or comment.id < 1 or issue is None:
        raise _lacks(event.kind, "the comment, who wrote it, and where")
    asked = Asked(
        comment.id, comment.body or "", comment.user.login, on_pull=issue.pull_request is not None
    )
    # One that was edited or deleted asks for nothing: nobody saw it be written.
    return replace(
        event,
        job=replace(event.job, pull=issue.number if asked.on_pull else 0),
        # The event does not say whose the head is; whoever needs to know asks the forge.
        fork=True,
        closed=issue.state != "open",
        comment=asked if said.action == "created" else None,
    )


def _is_fork(pull: _Pull, repository: str) -> bool:
    head = pull.head.repo
    return head is None or not repository or head.full_name.lower() != repository.lower()


def _number(variables: Mapping[str, str], name: str) -> int:
    text = variables.get(name, "0")
    # Not int(): "1_0" and digits of other scripts are none of GitHub's.
    return int(text) if text.isascii() and text.isdigit() and len(text) < 19 else 0


def _run_url(variables: Mapping[str, str]) -> str:
    server, repository, run = (
        variables.get(f"GITHUB_{name}", "") for name in ("SERVER_URL", "REPOSITORY", "RUN_ID")
    )
    return f"{server}/{repository}/actions/runs/{run}" if server and repository and run else ""


def _lacks(kind: Kind, what: str) -> UsageError:
    return UsageError(
        f"The event file of this {kind.value} event lacks {what}, so it is not known what to look "
        "at.",
        todo="Run it in GitHub Actions, or give GITHUB_EVENT_PATH a file as webhooks have it.",
    )
