"""GitHub, or GitHub Enterprise, through PyGithub: one repository, as whoever the token says we are.

PyGithub signs, connects, spaces requests out and finds GraphQL's address; what it would try again
is decided here. Its own `GithubRetry` repeats a POST whose answer was lost, so that there are two
comments; it knows nothing of 429, and sleeps for as long as ``retry-after`` says. Here:

* A refusal for the sake of a rate limit had no effect. It is waited for and asked again, whatever
  it was, as long as ``patience_seconds`` last for all of it together.
* An answer that was lost (502, a broken connection) is asked for again where asking twice is the
  same as asking once. What creates something is looked for first.
* Anything else is a `ForgeError`, which names the permission that is lacking.

Who we are (``ours``): the token of a workflow is one of a GitHub App's installation, which
``/user`` is forbidden to. GraphQL's ``viewer`` answers for every kind of token, and says
``github-actions[bot]``, as the author of a comment is called. `performed_via_github_app` of a
comment would tell apps apart and not persons, and the type ``Bot`` alone would take another
bot's comments for ours; a person cannot have a name with brackets. Where neither of the two
answers, nothing is taken for ours and nothing is written: a comment by somebody else that holds our
marker could be rewritten by him afterwards.

Not here: what is written, and what to do with what is there (``core/sticky.py``,
``core/drift_issues.py``).
"""

from __future__ import annotations

import re
import time
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import quote, urlsplit

import msgspec

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
from driftctl_py.errors import ForgeError, Unavailable

if TYPE_CHECKING:
    from github.Requester import Requester

_T = TypeVar("_T")

_API = "https://api.github.com"
_REPOSITORY = re.compile(r"[A-Za-z0-9-]+/[A-Za-z0-9._-]+")
# Enterprise's managed users have an underscore, apps brackets. Whoever is called otherwise is
# nobody, and no part of an address.
_LOGIN = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]*(\[bot\])?")
_LOOPBACK = ("127.0.0.1", "::1", "localhost")
_TIMEOUT_SECONDS = 30
_PAGE = 100
# GitHub tells no more files of a pull request than these.
_FILES = 3000
_ANNOTATIONS = 50
_ASSIGNEES = 10
_TRIES = 4
_BACKOFF_SECONDS = 2
# Where a secondary limit does not say: "wait for at least one minute", then longer.
_LIMITED_SECONDS = 60
_PATIENCE_SECONDS = 600
_QUOTED = 300
_MOVED = (301, 302, 307, 308)


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
    changed_files: int
    user: _User | None = None
    draft: bool = False
    merge_commit_sha: str | None = None
    labels: list[_Name] = []


class _File(msgspec.Struct):
    filename: str
    previous_filename: str = ""


class _Run(msgspec.Struct):
    id: int
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


class _Fault(msgspec.Struct):
    resource: str = ""
    field: str = ""
    code: str = ""
    message: str = ""


class _Refusal(msgspec.Struct):
    message: str = ""
    errors: list[_Fault | str] = []


@dataclass(frozen=True, slots=True)
class _Answer:
    status: int
    headers: Mapping[str, Any]
    text: str


@dataclass(frozen=True, slots=True)
class _Deed:
    """What is being done, in words that follow "GitHub did not let us", and the permission that
    it takes."""

    what: str
    grant: str


class _Lost(Exception):
    """There is no answer; whether there was an effect is not known."""


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
        if not _REPOSITORY.fullmatch(repository):
            raise ForgeError(
                f"{repository!r} is not the name of a repository on GitHub.",
                todo="Write owner/name, such as example/infrastructure.",
            )
        self._repository = repository
        self._api = _checked_address(api_url)
        self._token = _checked_token(token)
        self._login = login
        self._left = patience_seconds
        self._patience = patience_seconds
        self._pause = pause_seconds
        self._sleep = sleep
        self._requester: Requester | None = None
        self._labels: set[str] = set()

    def __repr__(self) -> str:
        return f"GitHub({self._repository!r}, api_url={self._api!r})"

    def close(self) -> None:
        if self._requester is not None:
            self._requester.close()
            self._requester = None

    # Pull requests.

    def pull(self, number: int) -> Pull:
        return _pull(self._pulled(number))

    def files_of(self, number: int) -> tuple[str, ...]:
        """Names, and the old ones of what was renamed. Raises `ForgeError` where GitHub does not
        tell them all: it ends after 3,000."""
        deed = _Deed(f"read the files of pull request #{number}", "pull-requests: read")
        files = list(self._pages(deed, f"/pulls/{number}/files", list[_File]))
        changed = self._pulled(number).changed_files
        if len(files) < changed:
            raise ForgeError(
                f"Pull request #{number} of {self._repository} changes {changed} files, and GitHub "
                f"tells {len(files)} of them, never more than {_FILES}.",
                todo="Ask Git instead: driftctl-py affected --base REF",
            )
        told = (name for file in files for name in (file.filename, file.previous_filename) if name)
        return tuple(dict.fromkeys(told))

    def _pulled(self, number: int) -> _Pulled:
        deed = _Deed(f"read pull request #{number}", "pull-requests: read")
        return self._decoded(deed, self._ask(deed, "GET", f"/pulls/{number}"), _Pulled)

    # Comments.

    def comments(self, number: int) -> tuple[Comment, ...]:
        deed = _Deed(f"read the comments on #{number}", "pull-requests: read")
        found = list(self._pages(deed, f"/issues/{number}/comments", list[_Written]))
        me = self._me() if found else ""
        return tuple(_comment(each, me) for each in sorted(found, key=lambda each: each.id))

    def add_comment(self, number: int, body: str) -> Comment:
        # Before the first try, for what is ours cannot be told apart otherwise once it is lost.
        me = self._me()
        deed = _Deed(f"write a comment on #{number}", _COMMENTING)

        def find() -> Comment | None:
            ours = [each for each in self.comments(number) if each.ours]
            return next((each for each in reversed(ours) if _same(each.body, body)), None)

        def read(answer: _Answer) -> Comment:
            return _comment(self._decoded(deed, answer, _Written), me)

        return self._create(deed, f"/issues/{number}/comments", {"body": body}, read, find)

    def edit_comment(self, id: int, body: str) -> Comment | None:
        deed = _Deed(f"rewrite comment {id}", _COMMENTING)
        path = f"/issues/comments/{id}"
        answer = self._ask(deed, "PATCH", path, body={"body": body}, fine=(404,))
        if answer.status == 404:
            return None
        return _comment(self._decoded(deed, answer, _Written), self._me())

    def delete_comment(self, id: int) -> None:
        deed = _Deed(f"delete comment {id}", _COMMENTING)
        self._ask(deed, "DELETE", f"/issues/comments/{id}", fine=(404,))

    def react(self, comment: int, reaction: str) -> None:
        deed = _Deed(f"react to comment {comment}", _COMMENTING)
        path = f"/issues/comments/{comment}/reactions"
        # The same reaction of the same person is one.
        self._ask(deed, "POST", path, body={"content": reaction})

    # Labels.

    def set_labels(self, number: int, *, add: Collection[Label], remove: Collection[str]) -> None:
        deed = _Deed(f"label #{number}", _COMMENTING)
        path = f"/issues/{number}/labels"
        there = {each.name.lower() for each in self._pages(deed, path, list[_Name])}
        missing = [each for each in add if each.name.lower() not in there]
        self._make_labels(missing)
        if missing:
            # Adding what is there already changes nothing.
            self._ask(deed, "POST", path, body={"labels": [each.name for each in missing]})
        for name in remove:
            if name.lower() in there:
                self._ask(deed, "DELETE", f"{path}/{_word(name)}", fine=(404,))

    def _make_labels(self, labels: Collection[Label]) -> None:
        for label in labels:
            if label.name.lower() in self._labels:
                continue
            deed = _Deed(f"make the label {label.name}", _COMMENTING)
            if self._ask(deed, "GET", f"/labels/{_word(label.name)}", fine=(404,)).status == 404:
                sent = {"name": label.name, "color": label.color, "description": label.description}
                # Made by somebody else in the meantime, or by us when an answer was lost.
                self._ask(deed, "POST", "/labels", body=sent, fine_codes=("already_exists",))
            self._labels.add(label.name.lower())

    # Checks and statuses.

    def publish_check(self, check: CheckRun) -> str:
        """Annotations can be added to a check run and never be taken away. So where one has some
        that are not wanted any more, there is a new one, which takes its place in the list."""
        deed = _Deed(f"publish the check {check.name} at {check.head[:7]}", "checks: write")
        run = self._run_of(deed, check)
        there = Counter[Annotation]() if run is None else self._annotations_of(deed, run)
        wanted = Counter(_as_kept(each) for each in check.annotations)
        if run is None or there - wanted:
            run = self._create_run(deed, check)
            there = Counter(_as_kept(each) for each in check.annotations[:_ANNOTATIONS])
            if there == wanted:
                return run.html_url or ""
        return self._complete_run(deed, check, run, list((wanted - there).elements()))

    def _create_run(self, deed: _Deed, check: CheckRun) -> _Run:
        first = check.annotations[:_ANNOTATIONS]
        # Not done before all of it is there.
        status = (
            _completed(check) if len(first) == len(check.annotations) else {"status": "in_progress"}
        )
        sent = _check_sent(check, first) | status | {"head_sha": check.head}
        before = {each.id for each in self._runs_of(deed, check)}

        def find() -> _Run | None:
            new = [each for each in self._runs_of(deed, check) if each.id not in before]
            return new[0] if new else None

        def read(answer: _Answer) -> _Run:
            return self._decoded(deed, answer, _Run)

        return self._create(deed, "/check-runs", sent, read, find)

    def _complete_run(
        self, deed: _Deed, check: CheckRun, run: _Run, missing: list[Annotation]
    ) -> str:
        path = f"/check-runs/{run.id}"
        for tries in range(1, _TRIES + 1):
            try:
                url = run.html_url or ""
                while True:
                    batch, missing = missing[:_ANNOTATIONS], missing[_ANNOTATIONS:]
                    done = {} if missing else _completed(check)
                    sent = _check_sent(check, tuple(batch)) | done
                    answer = self._checked(deed, self._once("PATCH", path, body=sent))
                    url = self._decoded(deed, answer, _Run).html_url or ""
                    if not missing:
                        return url
            except _Lost as lost:
                # Sent twice, they would be there twice.
                self._back_off(deed, tries, lost)
                wanted = Counter(_as_kept(each) for each in check.annotations)
                missing = list((wanted - self._annotations_of(deed, run)).elements())
        raise AssertionError("backing off ends before the tries do; this is a bug in driftctl_py")

    def _run_of(self, deed: _Deed, check: CheckRun) -> _Run | None:
        runs = self._runs_of(deed, check)
        return runs[0] if runs else None

    def _runs_of(self, deed: _Deed, check: CheckRun) -> list[_Run]:
        """Those of that name and ``external_id`` at that commit, the newest first."""
        path = f"/commits/{_word(check.head)}/check-runs"
        asked = {"check_name": check.name, "filter": "all"}
        found = [
            run
            for page in self._answers(deed, path, asked)
            for run in self._decoded(deed, page, _Runs).check_runs
            if (run.external_id or "") == check.external_id
        ]
        return sorted(found, key=lambda run: run.id, reverse=True)

    def _annotations_of(self, deed: _Deed, run: _Run) -> Counter[Annotation]:
        path = f"/check-runs/{run.id}/annotations"
        return Counter(
            Annotation(
                path=each.path,
                line=each.start_line,
                level=each.annotation_level or "",
                title=each.title or "",
                message=each.message or "",
            )
            for each in self._pages(deed, path, list[_Remark])
        )

    def set_status(self, status: CommitStatus) -> None:
        deed = _Deed(f"set the status {status.context} of {status.commit[:7]}", "statuses: write")
        sent = {
            "state": status.state,
            "context": status.context,
            "description": status.description,
        } | ({"target_url": status.url} if status.url else {})
        commit = _word(status.commit)

        def find() -> bool | None:
            path = f"/commits/{commit}/statuses"
            for each in self._pages(deed, path, list[_Status]):
                if each.context == status.context:
                    # The newest of that name is the one that counts.
                    same = (each.state, each.description or "", each.target_url or "") == (
                        status.state,
                        status.description,
                        status.url,
                    )
                    return True if same else None
            return None

        self._create(deed, f"/statuses/{commit}", sent, lambda _: True, find)

    # Issues.

    def issues(self, label: str) -> tuple[Issue, ...]:
        deed = _Deed(f"read the issues with the label {label}", "issues: read")
        asked = {"labels": label, "state": "all", "sort": "created", "direction": "asc"}
        found = [
            each
            for each in self._pages(deed, "/issues", list[_Opened], asked)
            if not bytes(each.pull_request)
        ]
        me = self._me() if found else ""
        return tuple(_issue(each, me) for each in found)

    def open_issue(
        self, title: str, body: str, *, labels: Collection[Label], assignees: Collection[str]
    ) -> Issue:
        me = self._me()
        deed = _Deed("open an issue", "issues: write")
        self._make_labels(labels)
        names = [each.name for each in labels]
        able = [each for each in assignees if self._assignable(each)][:_ASSIGNEES]
        sent = {"title": title, "body": body, "labels": names, "assignees": able}

        def find() -> Issue | None:
            asked = {"state": "open", "sort": "created", "direction": "desc"}
            asked |= {"labels": names[0]} if names else {}
            for each in self._pages(deed, "/issues", list[_Opened], asked):
                found = _issue(each, me)
                if found.ours and found.title == title and _same(found.body, body):
                    return found
            return None

        def read(answer: _Answer) -> Issue:
            return _issue(self._decoded(deed, answer, _Opened), me)

        return self._create(deed, "/issues", sent, read, find)

    def edit_issue(
        self, number: int, *, title: str | None = None, body: str | None = None, open: bool
    ) -> Issue:
        deed = _Deed(f"edit issue #{number}", "issues: write")
        sent = {"state": "open" if open else "closed"}
        sent |= {} if title is None else {"title": title}
        sent |= {} if body is None else {"body": body}
        answer = self._ask(deed, "PATCH", f"/issues/{number}", body=sent)
        return _issue(self._decoded(deed, answer, _Opened), self._me())

    def _assignable(self, login: str) -> bool:
        if not _LOGIN.fullmatch(login):
            return False
        deed = _Deed(f"ask whether {login} can be assigned", "issues: read")
        return self._ask(deed, "GET", f"/assignees/{login}", fine=(404,)).status != 404

    # People.

    def role_of(self, login: str) -> Role:
        """A role of the organisation's own making counts as the one that it was made from. Whoever
        GitHub does not know here may do nothing."""
        if not _LOGIN.fullmatch(login):
            return Role.NONE
        deed = _Deed(f"ask what {login} may do", "metadata: read")
        path = f"/collaborators/{_word(login)}/permission"
        answer = self._ask(deed, "GET", path, fine=(404,))
        if answer.status == 404:
            return Role.NONE
        told = self._decoded(deed, answer, _Permission)
        known = {role.value: role for role in Role}
        # The older word knows neither triage nor maintain, and always says the base of a role.
        return known.get(told.role_name) or known.get(told.permission) or Role.NONE

    def _me(self) -> str:
        if not self._login:
            deed = _Deed("find out who we are", "")
            query = {"query": "query { viewer { login } }", "variables": {}}
            answer = self._answered(deed, "POST", self._client().graphql_url, body=query)
            if (told := _lenient(answer, _Told)) is not None:
                self._login = told.data.viewer.login
            else:
                answer = self._answered(deed, "GET", "/user", whole=True)
                if (me := _lenient(answer, _User)) is None:
                    raise self._refusal(deed, answer)
                self._login = me.login
        return self._login

    # Asking.

    def _ask(
        self,
        deed: _Deed,
        verb: str,
        path: str,
        *,
        query: Mapping[str, str] | None = None,
        body: Mapping[str, Any] | None = None,
        fine: Collection[int] = (),
        fine_codes: Collection[str] = (),
    ) -> _Answer:
        """For what is the same when it is asked twice."""
        answer = self._answered(deed, verb, path, query=query, body=body)
        if answer.status in fine or _codes(answer) & set(fine_codes):
            return answer
        return self._checked(deed, answer)

    def _create(
        self,
        deed: _Deed,
        path: str,
        body: Mapping[str, Any],
        read: Callable[[_Answer], _T],
        find: Callable[[], _T | None],
    ) -> _T:
        """For what would be there twice."""
        tries = 0
        while True:
            tries += 1
            try:
                return read(self._checked(deed, self._once("POST", path, body=body)))
            except _Lost as lost:
                self._back_off(deed, tries, lost)
            if (found := find()) is not None:
                return found

    def _answered(
        self,
        deed: _Deed,
        verb: str,
        path: str,
        *,
        query: Mapping[str, str] | None = None,
        body: Mapping[str, Any] | None = None,
        whole: bool = False,
    ) -> _Answer:
        tries = 0
        while True:
            tries += 1
            try:
                return self._once(verb, path, query=query, body=body, whole=whole)
            except _Lost as lost:
                self._back_off(deed, tries, lost)

    def _once(
        self,
        verb: str,
        path: str,
        *,
        query: Mapping[str, str] | None = None,
        body: Mapping[str, Any] | None = None,
        whole: bool = False,
    ) -> _Answer:
        """One answer, after the rate limits. ``path`` is the repository's, or the ``whole``."""
        from github.Requester import Requester
        from requests.exceptions import RequestException

        if path.startswith("/") and not whole:
            path = f"/repos/{self._repository}{path}"
        limited = 0
        while True:
            try:
                status, headers, text = self._client().requestJson(
                    verb, path, parameters=dict(query or {}), input=body
                )
            except RequestException as error:
                raise _Lost(_innermost(error)) from error
            except RuntimeError as error:
                # PyGithub's, for a redirection to another host.
                raise ForgeError(
                    f"{self._api} sends us elsewhere: {self._quoted(str(error))}",
                    todo="Give the address of the API itself (GITHUB_API_URL).",
                ) from error
            answer = _Answer(status, headers, text)
            message = _told(answer).message
            if status >= 500:
                raise _Lost(f"GitHub answered {status}: {self._quoted(message)}")
            if status == 429 or (
                status == 403 and ("retry-after" in headers or Requester.isRateLimitError(message))
            ):
                self._wait(answer, limited)
                limited += 1
                continue
            return answer

    def _client(self) -> Requester:
        if self._requester is None:
            from github import Auth, Github

            self._requester = Github(
                base_url=self._api,
                auth=Auth.Token(self._token),
                timeout=_TIMEOUT_SECONDS,
                user_agent="driftctl-py",
                retry=None,
                seconds_between_requests=None,
                seconds_between_writes=self._pause or None,
            ).requester
        return self._requester

    def _answers(
        self, deed: _Deed, path: str, query: Mapping[str, str] | None = None
    ) -> Iterator[_Answer]:
        page = 1
        while True:
            asked = {**(query or {}), "per_page": str(_PAGE), "page": str(page)}
            answer = self._ask(deed, "GET", path, query=asked)
            yield answer
            # Counted, not followed: whatever is answered does not choose where the token goes.
            if 'rel="next"' not in answer.headers.get("link", ""):
                return
            page += 1

    def _pages(
        self,
        deed: _Deed,
        path: str,
        kind: type[list[_T]],
        query: Mapping[str, str] | None = None,
    ) -> Iterator[_T]:
        for answer in self._answers(deed, path, query):
            yield from self._decoded(deed, answer, kind)

    # Waiting.

    def _wait(self, answer: _Answer, before: int) -> None:
        """Until the rate limit is over, or not at all."""
        headers = answer.headers
        at = _date(headers)
        seconds = float(_LIMITED_SECONDS * 2**before)
        if (after := str(headers.get("retry-after", ""))).isdigit():
            seconds = float(after)
        elif str(headers.get("x-ratelimit-remaining", "")) == "0":
            reset = str(headers.get("x-ratelimit-reset", ""))
            if reset.isdigit() and at is not None:
                # It ends somewhere in that second.
                seconds = max(int(reset) - at.timestamp(), 0) + 1
        self._spend(seconds, at, f"GitHub's rate limit is used up ({_told(answer).message})")

    def _spend(self, seconds: float, at: datetime | None, why: str) -> None:
        if seconds > self._left:
            until = f"at {at + timedelta(seconds=seconds):%Y-%m-%d %H:%M:%S} UTC" if at else "later"
            raise Unavailable(
                f"{self._quoted(why)}; it lets us ask {self._repository} again {until}, in "
                f"{seconds:.0f} seconds, and no more than {self._patience:.0f} are waited in all.",
                todo="Run it again then. What was written before stays, and is found again.",
            )
        self._left -= seconds
        self._sleep(seconds)

    def _back_off(self, deed: _Deed, tries: int, lost: _Lost) -> None:
        if tries >= _TRIES:
            raise Unavailable(
                f"Could not {deed.what} in {self._repository}: {lost}. It was tried {tries} times; "
                "whether the last one had an effect is not known.",
                todo=f"Look whether {self._api} is well, then run it again: what is there already "
                "is found, and is not written twice.",
            ) from lost
        seconds = float(_BACKOFF_SECONDS**tries)
        self._spend(seconds, None, f"GitHub does not answer ({lost})")

    # Reading answers.

    def _checked(self, deed: _Deed, answer: _Answer) -> _Answer:
        if answer.status >= 300:
            raise self._refusal(deed, answer)
        return answer

    def _decoded(self, deed: _Deed, answer: _Answer, kind: type[_T]) -> _T:
        try:
            return msgspec.json.decode(answer.text.encode(), type=kind)
        except (msgspec.DecodeError, UnicodeError) as error:
            raise ForgeError(
                f"Could not {deed.what} in {self._repository}: what {self._api} answered is not "
                f"what GitHub answers ({self._quoted(str(error))}).",
                todo="Look whether GITHUB_API_URL is the address of GitHub's API, and whether a "
                "proxy stands between.",
            ) from error

    def _refusal(self, deed: _Deed, answer: _Answer) -> ForgeError:
        told = _told(answer)
        said = self._quoted(_said(told) or "nothing more")
        what = f"GitHub did not let us {deed.what} in {self._repository}: {answer.status}, {said}."
        return ForgeError(what, todo=_todo(deed, answer.status, told.message))

    def _quoted(self, text: str) -> str:
        """Of what comes from outside: without the token, in one line, not too long."""
        text = " ".join(text.replace(self._token, "(token)").split())
        return text if len(text) <= _QUOTED else f"{text[:_QUOTED]}…"


_COMMENTING = "pull-requests: write"


def _checked_address(api_url: str) -> str:
    parts = urlsplit(api_url)
    if parts.scheme not in ("http", "https") or not parts.hostname or "@" in parts.netloc:
        raise ForgeError(
            "The address of GitHub's API is not one that can be used.",
            todo="Give https://api.github.com, or https://HOST/api/v3 of a GitHub Enterprise "
            "Server (GITHUB_API_URL).",
        )
    if parts.scheme == "http" and parts.hostname not in _LOOPBACK:
        raise ForgeError(
            f"{api_url} is not encrypted, and everybody on the way could read the token.",
            todo="Give an address that begins with https:// (GITHUB_API_URL).",
        )
    return api_url.rstrip("/")


def _checked_token(token: str) -> str:
    token = token.strip()
    # What cannot stand in a header would be quoted by the error that says so.
    if not token or not token.isascii() or not token.isprintable() or " " in token:
        raise ForgeError(
            "There is no token for GitHub, or it is none.",
            todo="In a workflow, give the step `env: GITHUB_TOKEN: ${{ github.token }}`.",
        )
    return token


def _todo(deed: _Deed, status: int, message: str) -> str:
    lower = message.lower()
    if status in _MOVED:
        return "The repository was renamed or moved: give its new name."
    if status == 401:
        return "The token is wrong, or over: give a new one (GITHUB_TOKEN)."
    if status == 410 and "disabled" in lower:
        return "Turn issues on: Settings, General, Features, Issues. Or publish no issues."
    if status == 410:
        return "It was deleted. Run it again, so that there is a new one."
    if status == 422:
        return "What was sent is too large or wrong. This is a bug in driftctl_py."
    if status == 403 and "locked" in lower:
        return "Unlock the conversation, or publish to the job summary alone."
    if status == 403 and "via a github app" in lower:
        return (
            "Check runs are for GitHub Apps: the token of a workflow (GITHUB_TOKEN) is one of an "
            "app, a personal access token is not. Publish `statuses` instead of `checks`."
        )
    if status == 403 and "saml" in lower:
        return "Authorize the token for the organization's single sign-on."
    if status == 403 and "personal access token" in lower:
        return f"Give the token the permission `{deed.grant}` for this repository."
    if status in (403, 404) and deed.grant:
        gone = "It is not there, or the token may not see it. " if status == 404 else ""
        return (
            f"{gone}Grant the job in the workflow `permissions: {{ {_needed(deed)} }}`. A pull "
            "request from a fork never gets a permission to write."
        )
    return "Look at what GitHub says, and run it again."


def _needed(deed: _Deed) -> str:
    grants = ["contents: read", deed.grant]
    # An issue is not a pull request, and the number does not tell which it is.
    grants += ["issues: write"] if deed.grant == _COMMENTING else []
    return ", ".join(grants)


def _said(told: _Refusal) -> str:
    parts = [told.message]
    for each in told.errors:
        if isinstance(each, str):
            parts.append(each)
        else:
            parts.append(" ".join(filter(None, (each.field, each.code, each.message))))
    return "; ".join(filter(None, parts))


def _told(answer: _Answer) -> _Refusal:
    if answer.status < 300:
        return _Refusal()
    return _lenient(answer, _Refusal) or _Refusal()


def _codes(answer: _Answer) -> set[str]:
    return {each.code for each in _told(answer).errors if isinstance(each, _Fault)}


def _lenient(answer: _Answer, kind: type[_T]) -> _T | None:
    try:
        return msgspec.json.decode(answer.text.encode(), type=kind)
    except (msgspec.DecodeError, UnicodeError):
        return None


def _date(headers: Mapping[str, Any]) -> datetime | None:
    """GitHub's own clock, which its limits are told by."""
    try:
        return parsedate_to_datetime(str(headers.get("date", ""))).astimezone(UTC)
    except ValueError:
        return None


def _innermost(error: BaseException) -> str:
    """What a library's error is about: it wraps the one that knows in several that do not."""
    while (cause := error.__cause__ or error.__context__) is not None:
        error = cause
    return " ".join(str(error).split()) or type(error).__name__


def _word(text: str) -> str:
    return quote(text, safe="")


def _same(one: str, other: str) -> bool:
    """GitHub changes how lines end, and trims."""
    return one.split() == other.split()


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


def _completed(check: CheckRun) -> dict[str, str]:
    return {"status": "completed", "conclusion": check.conclusion.value}
