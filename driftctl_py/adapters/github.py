"""GitHub, or GitHub Enterprise: one repository, as whoever the token says we are.

Who we are (``ours``): the token of a workflow is one of a GitHub App's installation, which
``/user`` is forbidden to. GraphQL's ``viewer`` answers for every kind of token, and says
``github-actions[bot]``, as the author of a comment is called. ``performed_via_github_app`` of a
comment would tell apps apart and not persons, and the type ``Bot`` alone would take another bot's
comments for ours; a person cannot have a name with brackets. Where neither of the two answers,
nothing is taken for ours and nothing is written: a comment of somebody else that holds our marker
could be rewritten by him afterwards.

What is read is declared here, and no more of it: private structs, decoded strictly. Not here: how
it is asked, and what is asked again (``github_requests``); what is written, and what to do with
what is there (``core/sticky.py``, ``core/drift_issues.py``).
"""

from __future__ import annotations

import re
import time
from collections import Counter
from collections.abc import Callable, Collection
from datetime import datetime
from typing import Any

import msgspec

from driftctl_py.adapters.github_requests import COMMENTING, Answer, Deed, Lost, Requests, word
from driftctl_py.core.forge import (
    Annotation,
    CheckRun,
    Comment,
    CommitStatus,
    Issue,
    Label,
    Pull,
    Role,
)

_API = "https://api.github.com"
# Enterprise's managed users have an underscore, apps brackets. Whoever is called otherwise is
# nobody, and no part of an address.
_LOGIN = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]*(\[bot\])?")
_ANNOTATIONS = 50
_ASSIGNEES = 10
_OLDER = {Role.TRIAGE: "read", Role.MAINTAIN: "write"}
_PATIENCE_SECONDS = 600


class _User(msgspec.Struct):
    login: str


class _Name(msgspec.Struct):
    name: str


class _Written(msgspec.Struct):
    id: int
    created_at: datetime
    updated_at: datetime
    html_url: str = ""
    body: str | None = None
    user: _User | None = None


class _Reaction(msgspec.Struct):
    user: _User | None = None


class _Opened(msgspec.Struct):
    number: int
    title: str
    state: str
    html_url: str = ""
    body: str | None = None
    user: _User | None = None
    labels: list[_Name | str] = []
    assignees: list[_User] | None = None
    pull_request: msgspec.Raw = msgspec.Raw()


class _Repository(msgspec.Struct):
    full_name: str


class _Head(msgspec.Struct):
    sha: str
    repo: _Repository | None


class _Base(msgspec.Struct):
    sha: str
    ref: str
    repo: _Repository


class _Pulled(msgspec.Struct):
    number: int
    state: str
    locked: bool
    head: _Head
    base: _Base
    user: _User | None = None
    draft: bool = False
    merge_commit_sha: str | None = None
    merged: bool = False
    labels: list[_Name] = []


class _Output(msgspec.Struct):
    title: str | None = None
    summary: str | None = None
    text: str | None = None


class _App(msgspec.Struct):
    slug: str


class _Run(msgspec.Struct):
    id: int
    output: _Output
    status: str
    app: _App | None = None
    conclusion: str | None = None
    external_id: str | None = None
    html_url: str | None = None


class _Runs(msgspec.Struct):
    check_runs: list[_Run]


class _Remark(msgspec.Struct):
    path: str
    start_line: int
    annotation_level: str | None = None
    title: str | None = None
    message: str | None = None


class _Status(msgspec.Struct):
    context: str
    state: str
    description: str | None = None
    target_url: str | None = None


class _Permission(msgspec.Struct):
    permission: str
    role_name: str = ""


class _Viewer(msgspec.Struct):
    viewer: _User


class _Told(msgspec.Struct):
    data: _Viewer


class GitHub:
    """``repository`` is ``owner/name``. ``login`` spares the question who we are."""

    def __init__(
        self,
        repository: str,
        *,
        token: str,
        api_url: str = _API,
        login: str = "",
        patience_seconds: float = _PATIENCE_SECONDS,
        pause_seconds: float = 1.0,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._api = Requests(
            repository,
            token=token,
            api_url=api_url,
            patience_seconds=patience_seconds,
            pause_seconds=pause_seconds,
            sleep=sleep,
        )
        self._login = login
        # Those that are known to be there, in small letters.
        self._labels: set[str] = set()

    def __repr__(self) -> str:
        return f"GitHub({self._api.repository!r}, api_url={self._api.api_url!r})"

    def close(self) -> None:
        self._api.close()

    # Pull requests.

    def pull(self, number: int) -> Pull:
        return _pull(self._pulled(number))

    def _pulled(self, number: int) -> _Pulled:
        deed = Deed(f"read pull request #{number}", "pull-requests: read")
        return self._api.decoded(deed, self._api.ask(deed, "GET", f"/pulls/{number}"), _Pulled)

    # Comments.

    def comments(self, number: int) -> tuple[Comment, ...]:
        deed = Deed(f"read the comments on #{number}", "pull-requests: read")
        found = list(self._api.pages(deed, f"/issues/{number}/comments", list[_Written]))
        me = self._me() if found else ""
        return tuple(_comment(each, me) for each in sorted(found, key=lambda each: each.id))

    def comment(self, id: int) -> Comment | None:
        deed = Deed(f"read comment {id}", "pull-requests: read")
        answer = self._api.ask(deed, "GET", f"/issues/comments/{id}", fine=(404,))
        if answer.status == 404:
            return None
        return _comment(self._api.decoded(deed, answer, _Written), self._me())

    def add_comment(self, number: int, body: str) -> Comment:
        # Before the first try, for what is ours cannot be told apart otherwise once it is lost.
        me = self._me()
        deed = Deed(f"write a comment on #{number}", COMMENTING)

        def find() -> Comment | None:
            ours = [each for each in self.comments(number) if each.ours]
            return next((each for each in reversed(ours) if _same(each.body, body)), None)

        def read(answer: Answer) -> Comment:
            return _comment(self._api.decoded(deed, answer, _Written), me)

        return self._api.create(deed, f"/issues/{number}/comments", {"body": body}, read, find)

    def edit_comment(self, id: int, body: str) -> Comment | None:
        deed = Deed(f"rewrite comment {id}", COMMENTING)
        path = f"/issues/comments/{id}"
        answer = self._api.ask(deed, "PATCH", path, body={"body": body}, fine=(404,))
        if answer.status == 404:
            return None
        return _comment(self._api.decoded(deed, answer, _Written), self._me())

    def delete_comment(self, id: int) -> None:
        deed = Deed(f"delete comment {id}", COMMENTING)
        self._api.ask(deed, "DELETE", f"/issues/comments/{id}", fine=(404,))

    def reacted(self, comment: int, reaction: str) -> bool:
        deed = Deed(f"read the reactions to comment {comment}", "pull-requests: read")
        path = f"/issues/comments/{comment}/reactions"
        found = list(self._api.pages(deed, path, list[_Reaction], {"content": reaction}))
        me = self._me() if found else ""
        return any(_is(each.user, me) for each in found)

    def react(self, comment: int, reaction: str) -> bool:
        deed = Deed(f"react to comment {comment}", COMMENTING)
        path = f"/issues/comments/{comment}/reactions"
        tries = 0
        while True:
            try:
                answer = self._api.once("POST", path, body={"content": reaction})
            except Lost as lost:
                tries += 1
                self._api.back_off(deed, tries, lost)
                continue
            # The same reaction of the same person is one, and then 200 is answered; to a comment
            # that is gone there is none. After a lost answer nobody can tell whose it is.
            if answer.status == 404:
                return False
            return self._api.checked(deed, answer).status == 201 or tries > 0

    # Labels.

    def set_labels(self, number: int, *, add: Collection[Label], remove: Collection[str]) -> None:
        deed = Deed(f"label #{number}", COMMENTING)
        path = f"/issues/{number}/labels"
        there = {each.name.lower() for each in self._api.pages(deed, path, list[_Name])}
        missing = [each for each in add if each.name.lower() not in there]
        self._make_labels(missing)
        if missing:
            # Adding what is there already changes nothing.
            self._api.ask(deed, "POST", path, body={"labels": [each.name for each in missing]})
        for name in remove:
            if name.lower() in there:
                self._api.ask(deed, "DELETE", f"{path}/{word(name)}", fine=(404,))

    def _make_labels(self, labels: Collection[Label]) -> None:
        for label in labels:
            if label.name.lower() in self._labels:
                continue
            deed = Deed(f"make the label {label.name}", COMMENTING)
            if self._api.ask(deed, "GET", f"/labels/{word(label.name)}", fine=(404,)).status == 404:
                sent = {"name": label.name, "color": label.color, "description": label.description}
                # Made by somebody else in the meantime, or by us when an answer was lost.
                self._api.ask(deed, "POST", "/labels", body=sent, fine_codes=("already_exists",))
            self._labels.add(label.name.lower())

    # Checks and statuses.

    def publish_check(self, check: CheckRun) -> str:
        """Annotations can be added to a check run and never be taken away. So where one has some
        that are not wanted any more, there is a new one, which takes its place in the list."""
        deed = Deed(f"publish the check {check.name} at {check.head[:7]}", "checks: write")
        runs = self._runs_of(deed, check)
        wanted = Counter(_as_kept(each) for each in check.annotations)
        run = runs[0] if runs else None
        there = self._annotations_of(deed, run) if run else Counter[Annotation]()
        if run is None or there - wanted:
            run, answered = self._create_run(deed, check, {each.id for each in runs})
            if answered and len(check.annotations) <= _ANNOTATIONS:
                return run.html_url or ""
            first = Counter(_as_kept(each) for each in check.annotations[:_ANNOTATIONS])
            there = first if answered else self._annotations_of(deed, run)
        missing = list((wanted - there).elements())
        if not missing and _is_done(run, check):
            return run.html_url or ""
        return self._complete_run(deed, check, run, missing)

    def _create_run(
        self, deed: Deed, check: CheckRun, before: Collection[int]
    ) -> tuple[_Run, bool]:
        """Whether GitHub answered, or it was found: then it may be another job's of that name."""
        first = check.annotations[:_ANNOTATIONS]
        whole = len(first) == len(check.annotations)
        # Not done before all of it is there.
        done = _completed(check) if whole else {"status": "in_progress"}
        sent = _check_sent(check, first) | done | {"head_sha": check.head}

        def find() -> tuple[_Run, bool] | None:
            new = [each for each in self._runs_of(deed, check) if each.id not in before]
            return (new[0], False) if new else None

        def read(answer: Answer) -> tuple[_Run, bool]:
            return self._api.decoded(deed, answer, _Run), True

        return self._api.create(deed, "/check-runs", sent, read, find)

    def _complete_run(
        self, deed: Deed, check: CheckRun, run: _Run, missing: list[Annotation]
    ) -> str:
        tries = 0
        while True:
            batch, after = missing[:_ANNOTATIONS], missing[_ANNOTATIONS:]
            sent = _check_sent(check, batch) | ({} if after else _completed(check))
            try:
                answer = self._api.once("PATCH", f"/check-runs/{run.id}", body=sent)
            except Lost as lost:
                tries += 1
                self._api.back_off(deed, tries, lost)
                # Sent twice, they would be there twice.
                wanted = Counter(_as_kept(each) for each in check.annotations)
                missing = list((wanted - self._annotations_of(deed, run)).elements())
                continue
            run = self._api.decoded(deed, self._api.checked(deed, answer), _Run)
            if not after:
                return run.html_url or ""
            missing = after

    def _runs_of(self, deed: Deed, check: CheckRun) -> list[_Run]:
        """Those of that name and ``external_id`` at that commit, the newest first."""
        path = f"/commits/{word(check.head)}/check-runs"
        asked = {"check_name": check.name, "filter": "all"}
        found = [
            run
            for page in self._api.answers(deed, path, asked)
            for run in self._api.decoded(deed, page, _Runs).check_runs
            if (run.external_id or "") == check.external_id
        ]
        # Nobody but the app that made it may change it.
        me = self._me() if found else ""
        found = [run for run in found if run.app is None or _is(_bot(run.app), me)]
        return sorted(found, key=lambda run: run.id, reverse=True)

    def _annotations_of(self, deed: Deed, run: _Run) -> Counter[Annotation]:
        path = f"/check-runs/{run.id}/annotations"
        return Counter(
            Annotation(
                path=each.path,
                line=each.start_line,
                level=each.annotation_level or "",
                title=each.title or "",
                message=each.message or "",
            )
            for each in self._api.pages(deed, path, list[_Remark])
        )

    def set_status(self, status: CommitStatus) -> None:
        deed = Deed(f"set the status {status.context} of {status.commit[:7]}", "statuses: write")
        sent = {
            "state": status.state,
            "context": status.context,
            "description": status.description,
        } | ({"target_url": status.url} if status.url else {})
        commit = word(status.commit)

        def find() -> bool | None:
            # The newest first, and the newest of a name is the one that counts.
            page = self._api.first(deed, f"/commits/{commit}/statuses", list[_Status])
            newest = next((each for each in page if each.context == status.context), None)
            return True if newest is not None and _is_set(newest, status) else None

        self._api.create(deed, f"/statuses/{commit}", sent, lambda _: True, find)

    # Issues.

    def issues(self, label: str) -> tuple[Issue, ...]:
        deed = Deed(f"read the issues with the label {label}", "issues: read")
        asked = {"labels": label, "state": "all", "sort": "created", "direction": "asc"}
        found = [
            each
            for each in self._api.pages(deed, "/issues", list[_Opened], asked)
            if not bytes(each.pull_request)
        ]
        me = self._me() if found else ""
        return tuple(_issue(each, me) for each in found)

    def open_issue(
        self, title: str, body: str, *, labels: Collection[Label], assignees: Collection[str]
    ) -> Issue:
        me = self._me()
        deed = Deed("open an issue", "issues: write")
        self._make_labels(labels)
        names = [each.name for each in labels]
        able = [each for each in assignees if self._assignable(each)][:_ASSIGNEES]
        sent = {"title": title, "body": body, "labels": names, "assignees": able}
        kind = list[_Opened]

        def find() -> Issue | None:
            asked = {"state": "open", "sort": "created", "direction": "desc"}
            found = (_issue(each, me) for each in self._api.first(deed, "/issues", kind, asked))
            same = (each for each in found if each.title == title and _same(each.body, body))
            return next((each for each in same if each.ours), None)

        def read(answer: Answer) -> Issue:
            return _issue(self._api.decoded(deed, answer, _Opened), me)

        return self._api.create(deed, "/issues", sent, read, find)

    def edit_issue(
        self, number: int, *, title: str | None = None, body: str | None = None, open: bool
    ) -> Issue:
        deed = Deed(f"edit issue #{number}", "issues: write")
        sent = {"state": "open" if open else "closed"}
        sent |= {} if title is None else {"title": title}
        sent |= {} if body is None else {"body": body}
        answer = self._api.ask(deed, "PATCH", f"/issues/{number}", body=sent)
        return _issue(self._api.decoded(deed, answer, _Opened), self._me())

    def _assignable(self, login: str) -> bool:
        if not _LOGIN.fullmatch(login):
            return False
        deed = Deed(f"ask whether {login} can be assigned", "issues: read")
        return self._api.ask(deed, "GET", f"/assignees/{login}", fine=(404,)).status != 404

    # People.

    def role_of(self, login: str) -> Role:
        """A role of the organisation's own making counts as the one that it was made from. Whoever
        GitHub does not know here may do nothing."""
        if not _LOGIN.fullmatch(login):
            return Role.NONE
        deed = Deed(f"ask what {login} may do")
        path = f"/collaborators/{word(login)}/permission"
        answer = self._api.ask(deed, "GET", path, fine=(404,))
        if answer.status == 404:
            return Role.NONE
        told = self._api.decoded(deed, answer, _Permission)
        known = {role.value: role for role in Role}
        role = known.get(told.role_name)
        # A role of somebody's own making may be called as it likes; what it was made from is said
        # by the older word, which knows neither triage nor maintain.
        if role is None or _OLDER.get(role, role.value) != told.permission:
            role = known.get(told.permission, Role.NONE)
        return role

    def _me(self) -> str:
        if not self._login:
            deed = Deed("find out who we are")
            told = self._api.graphql(deed, "query { viewer { login } }").as_(_Told)
            if told is not None:
                self._login = told.data.viewer.login
            else:
                answer = self._api.everywhere(deed, "/user")
                me = self._api.decoded(deed, self._api.checked(deed, answer), _User)
                self._login = me.login
        return self._login


def _same(one: str, other: str) -> bool:
    """GitHub changes how lines end, and trims."""
    return one.split() == other.split()


def _bot(app: _App) -> _User:
    """As whom an app writes."""
    return _User(f"{app.slug}[bot]")


def _is(user: _User | None, me: str) -> bool:
    return user is not None and user.login.lower() == me.lower()


def _comment(it: _Written, me: str) -> Comment:
    return Comment(
        id=it.id,
        body=it.body or "",
        author=it.user.login if it.user else "ghost",
        ours=_is(it.user, me),
        created_at=it.created_at,
        updated_at=it.updated_at,
        url=it.html_url,
    )


def _issue(it: _Opened, me: str) -> Issue:
    return Issue(
        number=it.number,
        title=it.title,
        body=it.body or "",
        open=it.state == "open",
        ours=_is(it.user, me),
        labels=frozenset(each if isinstance(each, str) else each.name for each in it.labels),
        assignees=tuple(each.login for each in it.assignees or ()),
        url=it.html_url,
    )


def _pull(it: _Pulled) -> Pull:
    head = it.head.repo
    return Pull(
        number=it.number,
        open=it.state == "open",
        locked=it.locked,
        draft=it.draft,
        # A repository that is gone was not this one.
        fork=head is None or head.full_name.lower() != it.base.repo.full_name.lower(),
        head=it.head.sha,
        base=it.base.sha,
        base_ref=it.base.ref,
        author=it.user.login if it.user else "ghost",
        labels=frozenset(each.name for each in it.labels),
        merge=it.merge_commit_sha or "",
        merged=it.merged,
    )


def _as_kept(annotation: Annotation) -> Annotation:
    """As GitHub tells it again."""
    return Annotation(
        path=annotation.path,
        line=max(annotation.line, 1),
        level=annotation.level,
        title=annotation.title,
        message=annotation.message,
    )


def _check_sent(check: CheckRun, annotations: Collection[Annotation]) -> dict[str, Any]:
    output: dict[str, Any] = {"title": check.title, "summary": check.summary}
    if check.text:
        output["text"] = check.text
    output["annotations"] = [
        {
            "path": each.path,
            "start_line": max(each.line, 1),
            "end_line": max(each.line, 1),
            "annotation_level": each.level,
            "message": each.message,
        }
        | ({"title": each.title} if each.title else {})
        for each in annotations
    ]
    sent: dict[str, Any] = {"name": check.name, "output": output}
    sent |= {"details_url": check.url} if check.url else {}
    return sent | ({"external_id": check.external_id} if check.external_id else {})


def _is_set(it: _Status, status: CommitStatus) -> bool:
    told = (it.state, it.description or "", it.target_url or "")
    return told == (status.state, status.description, status.url)


def _is_done(run: _Run, check: CheckRun) -> bool:
    """Is it what it shall be, beside its annotations?"""
    output = run.output
    told = (run.status, run.conclusion, output.title, output.summary, output.text or "")
    return told == (
        "completed",
        check.conclusion.value,
        check.title,
        check.summary,
        check.text,
    )


def _completed(check: CheckRun) -> dict[str, str]:
    return {"status": "completed", "conclusion": check.conclusion.value}
