"""A small GitHub: one repository that remembers, over real HTTP.

    with fake_github() as github:
        number = github.add_pull()
        forge = github.client()                    # the real adapter, without its pauses
        forge.add_comment(number, "hello")

        assert github.bodies(number) == ["hello"]
        assert github.writes == ["POST /issues/1/comments"]

What is there lies in plain attributes (``comments``, ``issues``, ``labels``, ``checks``,
``statuses``, ``roles``, ``workflows``, ``runs``), to be read and changed by tests; ``issues``
holds pull requests too. ``comment_by``, ``edit_by`` and ``delete`` are what people do meanwhile.

What goes wrong is a `Fault`, asked for with ``github.next(fault, "POST", "/issues/1/comments")``
for the next request that fits (``times`` of them): `secondary_limit`, `primary_limit`,
`bad_gateway(after=True)` (the effect is there, the answer is lost), `hang_up`, `refused`,
`meanwhile(do)`. What the token may do is ``permissions``: what it lacks is answered as GitHub
does (403). How long the client wanted to wait is in ``slept``.

Its answers are held against GitHub's own description by ``test_github_contract``. Left out:
conditional requests, and what the adapter does not ask for (404).
"""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, ClassVar
from urllib.parse import parse_qs, unquote, urlsplit

from driftctl_py.adapters.github import GitHub
from driftctl_py.adapters.github_requests import Requests
from driftctl_py.adapters.github_workflows import GitHubWorkflows
from tests import forge_shapes as shapes
from tests.forge_shapes import Json

ACTIONS = "github-actions[bot]"
TOKEN = "a-token-that-nobody-must-see"
_LONGEST = 65536
_LONGEST_OUTPUT = 65535
_ANNOTATIONS = 50
_WRITES = frozenset({"pull-requests", "issues", "checks", "statuses", "actions"})


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    body: Any = None
    headers: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Fault:
    """``answer`` instead of the right one (None: the right one), before or ``after`` the effect;
    ``hangs_up``: the connection ends without any; ``do`` happens first."""

    answer: Answer | None = None
    after: bool = False
    hangs_up: bool = False
    do: Callable[[], object] | None = None


@dataclass(slots=True)
class _Expected:
    fault: Fault
    verb: str
    path: str
    times: int


@dataclass(slots=True)
class Written:
    """A comment."""

    number: int
    body: str
    author: str | None
    created_at: datetime
    updated_at: datetime
    reactions: list[tuple[str, str]] = field(default_factory=list)


@dataclass(slots=True)
class Opened:
    """An issue; a pull request where ``head`` is a commit, which was merged if it is closed, unless
    it was ``turned_down``."""

    title: str
    body: str | None
    author: str | None
    created_at: datetime
    updated_at: datetime
    open: bool = True
    locked: bool = False
    labels: list[str] = field(default_factory=list)
    assignees: list[str] = field(default_factory=list)
    head: str = ""
    head_repository: str | None = None
    base: str = ""
    base_ref: str = "main"
    merge: str | None = None
    draft: bool = False
    turned_down: bool = False

    @property
    def merged(self) -> bool:
        return not self.open and not self.turned_down


@dataclass(slots=True)
class Check:
    """A check run: all that was sent, merged, and its annotations, appended."""

    sent: Json
    app: str = ACTIONS
    annotations: list[Json] = field(default_factory=list)


@dataclass(slots=True)
class Ran:
    """A run of a workflow's file. ``refuses``: why it cannot be run again."""

    file: str
    event: str
    head: str
    head_repository: str | None
    status: str = "completed"
    attempt: int = 1
    refuses: str = ""


def primary_limit(seconds: int = 30) -> Callable[[FakeGitHub], Fault]:
    """The hourly limit is used up; it ends in ``seconds``."""

    def made(github: FakeGitHub) -> Fault:
        reset = int(github.now.timestamp()) + seconds
        return Fault(
            Answer(
                403,
                {"message": "API rate limit exceeded for installation ID 42."},
                {"x-ratelimit-remaining": "0", "x-ratelimit-reset": str(reset)},
            )
        )

    return made


def secondary_limit(
    retry_after: int | None = 5,
    *,
    status: int = 403,
    message: str = "You have exceeded a secondary rate limit. Please wait a few minutes before you "
    "try again.",
) -> Fault:
    headers = {} if retry_after is None else {"retry-after": str(retry_after)}
    return Fault(Answer(status, {"message": message}, headers))


def bad_gateway(*, after: bool = False, status: int = 502) -> Fault:
    return Fault(Answer(status, {"message": "Server Error"}), after=after)


def hang_up(*, after: bool = False) -> Fault:
    return Fault(after=after, hangs_up=True)


def refused(
    status: int = 403, message: str = "Resource not accessible by integration", **more: Any
) -> Fault:
    return Fault(Answer(status, {"message": message, "documentation_url": "", **more}))


def meanwhile(do: Callable[[], object]) -> Fault:
    """Somebody does something just before the request is looked at."""
    return Fault(do=do)


class FakeGitHub:
    """What there is, and what is asked of it."""

    def __init__(self, repository: str = "example/infrastructure", login: str = ACTIONS) -> None:
        self.repository = repository
        self.login = login
        self.url = ""
        # What is told of ourselves; an installation's token is refused by /user.
        self.tells_viewer = True
        self.has_issues = True
        self.comments: dict[int, Written] = {}
        self.issues: dict[int, Opened] = {}
        self.labels: dict[str, tuple[str, str]] = {}
        self.checks: dict[int, Check] = {}
        self.statuses: list[tuple[str, Json]] = []
        # Who may do what here; a custom role is a name and what it is made from.
        self.roles: dict[str, str | tuple[str, str]] = {}
        self.permissions = set(_WRITES)
        # The inputs of each file's workflow_dispatch; None: it has no such trigger.
        self.workflows: dict[str, tuple[str, ...] | None] = {}
        self.runs: dict[int, Ran] = {}
        self.branches = {"main"}
        # File, ref and inputs of what was dispatched.
        self.dispatched: list[tuple[str, str, Json]] = []
        # "VERB /path", the path below the repository's.
        self.requests: list[str] = []
        self.sent: list[tuple[str, Any]] = []
        self.slept: list[float] = []
        self._expected: list[_Expected] = []
        self._now = datetime(2026, 11, 24, 12, tzinfo=UTC)
        self._ids = 0
        self._lock = threading.Lock()

    # What tests do.

    def client(self, **options: Any) -> GitHub:
        return GitHub(
            self.repository,
            token=TOKEN,
            **{"api_url": self.url, "pause_seconds": 0.0, "sleep": self.sleep, **options},
        )

    def automation(self, **options: Any) -> GitHubWorkflows:
        """The real adapter of workflows, without its pauses."""
        more: dict[str, Any] = {
            "api_url": self.url,
            "patience_seconds": 600.0,
            "pause_seconds": 0.0,
            "sleep": self.sleep,
            **options,
        }
        return GitHubWorkflows(Requests(self.repository, token=TOKEN, **more))

    def next(
        self,
        fault: Fault | Callable[[FakeGitHub], Fault],
        verb: str = "",
        path: str = "",
        *,
        times: int = 1,
    ) -> None:
        """The next requests of that verb whose path begins so (below the repository's)."""
        made = fault if isinstance(fault, Fault) else fault(self)
        self._expected.append(_Expected(made, verb, path, times))

    def calm(self) -> None:
        """Nothing goes wrong any more."""
        self._expected.clear()

    @property
    def writes(self) -> list[str]:
        return [
            each for each in self.requests if not each.startswith("GET ") and "graphql" not in each
        ]

    @property
    def now(self) -> datetime:
        return self._now

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self._now += timedelta(seconds=seconds)

    def add_pull(
        self,
        *,
        head: str = "a" * 40,
        base: str = "b" * 40,
        merge: str | None = "c" * 40,
        author: str = "ada",
        head_repository: str | None = "",
        **more: Any,
    ) -> int:
        """``head_repository``: ours where empty, None where it was deleted."""
        return self._add(
            Opened(
                title="Change something",
                body=None,
                author=author,
                created_at=self._tick(),
                updated_at=self._now,
                head=head,
                head_repository=self.repository if head_repository == "" else head_repository,
                base=base,
                merge=merge,
                **more,
            )
        )

    def add_issue(
        self, title: str, body: str = "", *, author: str | None = "ada", **more: Any
    ) -> int:
        at = self._tick()
        return self._add(
            Opened(title=title, body=body, author=author, created_at=at, updated_at=at, **more)
        )

    def add_run(
        self,
        file: str,
        head: str,
        *,
        event: str = "pull_request",
        head_repository: str | None = "",
        **more: Any,
    ) -> int:
        """``head_repository`` as in `add_pull`."""
        self._ids += 1
        where = self.repository if head_repository == "" else head_repository
        self.runs[self._ids] = Ran(file, event, head, where, **more)
        self.workflows.setdefault(file, None)
        return self._ids

    def comment_by(self, author: str | None, number: int, body: str) -> int:
        at = self._tick()
        self._ids += 1
        self.comments[self._ids] = Written(number, body, author, at, at)
        return self._ids

    def edit_by(self, comment: int, body: str) -> None:
        """A person with write permission may edit what others wrote, and the author stays."""
        self.comments[comment].body = body
        self.comments[comment].updated_at = self._tick()

    def delete(self, comment: int) -> None:
        del self.comments[comment]

    def bodies(self, number: int) -> list[str]:
        return [each.body for each in self.comments.values() if each.number == number]

    def checks_of(self, commit: str) -> list[Check]:
        return [each for each in self.checks.values() if each.sent["head_sha"] == commit]

    def _add(self, opened: Opened) -> int:
        number = max(self.issues, default=0) + 1
        self.issues[number] = opened
        for name in opened.labels:
            self.labels.setdefault(name, ("ededed", ""))
        return number

    def _tick(self) -> datetime:
        self._now += timedelta(seconds=1)
        return self._now

    # What is asked.

    def answer(self, verb: str, target: str, sent: Any, token: str) -> Answer | None:
        """None: hang up."""
        split = urlsplit(target)
        path = split.path.removeprefix(f"/repos/{self.repository}")
        query = {name: values[-1] for name, values in parse_qs(split.query).items()}
        with self._lock:
            self.requests.append(f"{verb} {path}")
            self.sent.append((f"{verb} {path}", sent))
            fault = self._fault(verb, path)
        if fault.do is not None:
            # Free for what is done to ask as well, such as another job.
            fault.do()
        if not fault.after and (fault.hangs_up or fault.answer is not None):
            return fault.answer
        with self._lock:
            answer = self._right(verb, path, query, sent, token)
        return fault.answer if fault.after else answer

    def _fault(self, verb: str, path: str) -> Fault:
        for each in self._expected:
            if each.times and verb.startswith(each.verb) and path.startswith(each.path):
                each.times -= 1
                return each.fault
        return Fault()

    def _right(self, verb: str, path: str, query: dict[str, str], sent: Any, token: str) -> Answer:
        if token != f"token {TOKEN}":
            return _no(401, "Bad credentials")
        for route in _ROUTES:
            match = route.path.fullmatch(path)
            if route.verb == verb and match:
                if route.needs and not self.permissions & set(route.needs):
                    return _no(403, "Resource not accessible by integration")
                words = [unquote(word) for word in match.groups()]
                # A function of its own, called as the method that it is.
                return route.do(self, query, sent, *words)
        return _no(404, "Not Found")

    def graphql(self, query: dict[str, str], sent: Json) -> Answer:
        if not self.tells_viewer or "viewer" not in sent["query"]:
            return Answer(200, {"errors": [{"type": "FORBIDDEN", "message": "no"}]})
        return Answer(200, {"data": {"viewer": {"login": self.login}}})

    def user(self, query: dict[str, str], sent: Any) -> Answer:
        if self.login.endswith("[bot]"):
            return _no(403, "Resource not accessible by integration")
        return Answer(200, shapes.myself(self.url, self.login))

    # Comments.

    def list_comments(self, query: dict[str, str], sent: Any, number: str) -> Answer:
        if int(number) not in self.issues:
            return _no(404, "Not Found")
        ids = [id for id, each in self.comments.items() if each.number == int(number)]
        return self._page(query, [self._comment(id) for id in sorted(ids)])

    def comment(self, query: dict[str, str], sent: Any, id: str) -> Answer:
        if int(id) not in self.comments:
            return _no(404, "Not Found")
        return Answer(200, self._comment(int(id)))

    def create_comment(self, query: dict[str, str], sent: Json, number: str) -> Answer:
        issue = self.issues.get(int(number))
        if issue is None:
            return _no(404, "Not Found")
        if not issue.head and not self.has_issues:
            return _no(410, "Issues has been disabled in this repository.")
        if issue.locked:
            return _no(403, "Unable to create comment because issue is locked.")
        if len(sent["body"]) > _LONGEST:
            return _invalid(
                "IssueComment", "body", f"body is too long (maximum is {_LONGEST} characters)"
            )
        return Answer(201, self._comment(self.comment_by(self.login, int(number), sent["body"])))

    def edit_comment(self, query: dict[str, str], sent: Json, id: str) -> Answer:
        if int(id) not in self.comments:
            return _no(404, "Not Found")
        if len(sent["body"]) > _LONGEST:
            return _invalid(
                "IssueComment", "body", f"body is too long (maximum is {_LONGEST} characters)"
            )
        self.edit_by(int(id), sent["body"])
        return Answer(200, self._comment(int(id)))

    def delete_comment(self, query: dict[str, str], sent: Any, id: str) -> Answer:
        if int(id) not in self.comments:
            return _no(404, "Not Found")
        self.delete(int(id))
        return Answer(204)

    def react(self, query: dict[str, str], sent: Json, id: str) -> Answer:
        if int(id) not in self.comments:
            return _no(404, "Not Found")
        there = self.comments[int(id)].reactions
        reaction = (self.login, sent["content"])
        status = 200 if reaction in there else 201
        if status == 201:
            there.append(reaction)
        return Answer(status, self._reaction(int(id), *reaction))

    def list_reactions(self, query: dict[str, str], sent: Any, id: str) -> Answer:
        if int(id) not in self.comments:
            return _no(404, "Not Found")
        found = [
            self._reaction(int(id), author, content)
            for author, content in self.comments[int(id)].reactions
            if query.get("content", content) == content
        ]
        return self._page(query, found)

    def _reaction(self, id: int, author: str, content: str) -> Json:
        by = shapes.user(self.url, author)
        return shapes.reaction(id=id, content=content, author=by, created_at=_when(self._now))

    def _comment(self, id: int) -> Json:
        it = self.comments[id]
        return shapes.comment(
            self.url,
            self.repository,
            id=id,
            number=it.number,
            body=it.body,
            author=None if it.author is None else shapes.user(self.url, it.author),
            created_at=_when(it.created_at),
            updated_at=_when(it.updated_at),
        )

    # Pull requests.

    def pull(self, query: dict[str, str], sent: Any, number: str) -> Answer:
        it = self.issues.get(int(number))
        if it is None or not it.head:
            return _no(404, "Not Found")
        return Answer(200, self._pull(int(number), it))

    def pulls_of(self, query: dict[str, str], sent: Any, commit: str) -> Answer:
        """Those that were merged as that commit."""
        found = [
            self._pull(number, it)
            for number, it in self.issues.items()
            if it.head and it.merged and it.merge == commit
        ]
        return self._page(query, found)

    def _pull(self, number: int, it: Opened) -> Json:
        return shapes.pull(
            self.url,
            self.repository,
            number=number,
            title=it.title,
            open=it.open,
            locked=it.locked,
            draft=it.draft,
            author=shapes.user(self.url, it.author or "ghost"),
            labels=[self._label(name) for name in it.labels],
            head=(it.head, it.head_repository),
            base=(it.base, it.base_ref),
            merge=it.merge,
            merged=it.merged,
            changed_files=1,
            created_at=_when(it.created_at),
            updated_at=_when(it.updated_at),
        )

    def _label(self, name: str) -> Json:
        color, description = self.labels.get(name, ("ededed", ""))
        return shapes.label(self.url, self.repository, name, color, description or None)

    def _known(self, name: str) -> str | None:
        return next((each for each in self.labels if each.lower() == name.lower()), None)

    def label(self, query: dict[str, str], sent: Any, name: str) -> Answer:
        known = self._known(name)
        return _no(404, "Not Found") if known is None else Answer(200, self._label(known))

    def create_label(self, query: dict[str, str], sent: Json) -> Answer:
        if self._known(sent["name"]) is not None:
            return _invalid("Label", "name", "", code="already_exists")
        if len(sent["name"]) > 50:
            return _invalid("Label", "name", "name is too long (maximum is 50 characters)")
        self.labels[sent["name"]] = (sent.get("color", "ededed"), sent.get("description", ""))
        return Answer(201, self._label(sent["name"]))

    def labels_of(self, query: dict[str, str], sent: Any, number: str) -> Answer:
        it = self.issues.get(int(number))
        if it is None:
            return _no(404, "Not Found")
        return self._page(query, [self._label(name) for name in it.labels])

    def add_labels(self, query: dict[str, str], sent: Json, number: str) -> Answer:
        it = self.issues.get(int(number))
        if it is None:
            return _no(404, "Not Found")
        for name in sent["labels"]:
            known = self._known(name) or name
            self.labels.setdefault(known, ("ededed", ""))
            if known not in it.labels:
                it.labels.append(known)
        return Answer(200, [self._label(name) for name in it.labels])

    def remove_label(self, query: dict[str, str], sent: Any, number: str, name: str) -> Answer:
        it = self.issues.get(int(number))
        known = self._known(name)
        if it is None or known not in it.labels:
            return _no(404, "Label does not exist")
        it.labels.remove(known)
        return Answer(200, [self._label(each) for each in it.labels])

    # Issues.

    def list_issues(self, query: dict[str, str], sent: Any) -> Answer:
        if not self.has_issues:
            return _no(410, "Issues has been disabled in this repository.")
        state = query.get("state", "open")
        wanted = {each.lower() for each in query.get("labels", "").split(",") if each}
        found = [
            number
            for number, it in self.issues.items()
            if state == "all" or it.open == (state == "open")
            if wanted <= {each.lower() for each in it.labels}
        ]
        descending = query.get("direction", "desc") == "desc"
        numbers = sorted(found, reverse=descending)
        return self._page(query, [self._issue(number) for number in numbers])

    def create_issue(self, query: dict[str, str], sent: Json) -> Answer:
        if not self.has_issues:
            return _no(410, "Issues has been disabled in this repository.")
        if len(sent.get("body", "")) > _LONGEST:
            return _invalid("Issue", "body", f"body is too long (maximum is {_LONGEST} characters)")
        strangers = [each for each in sent.get("assignees", ()) if each not in self.roles]
        if strangers:
            return _invalid("Issue", "assignees", "", code="invalid")
        number = self.add_issue(
            sent["title"],
            sent.get("body", ""),
            author=self.login,
            labels=[self._known(name) or name for name in sent.get("labels", ())],
            assignees=list(sent.get("assignees", ())),
        )
        return Answer(201, self._issue(number))

    def edit_issue(self, query: dict[str, str], sent: Json, number: str) -> Answer:
        it = self.issues.get(int(number))
        if it is None:
            return _no(404, "Not Found")
        it.title = sent.get("title", it.title)
        it.body = sent.get("body", it.body)
        it.open = sent.get("state", "open" if it.open else "closed") == "open"
        it.updated_at = self._tick()
        return Answer(200, self._issue(int(number)))

    def assignee(self, query: dict[str, str], sent: Any, login: str) -> Answer:
        return Answer(204) if login in self.roles else _no(404, "Not Found")

    def _issue(self, number: int) -> Json:
        it = self.issues[number]
        return shapes.issue(
            self.url,
            self.repository,
            number=number,
            title=it.title,
            body=it.body,
            open=it.open,
            locked=it.locked,
            pull=bool(it.head),
            author=None if it.author is None else shapes.user(self.url, it.author),
            labels=[self._label(name) for name in it.labels],
            assignees=[shapes.user(self.url, login) for login in it.assignees],
            comments=len(self.bodies(number)),
            created_at=_when(it.created_at),
            updated_at=_when(it.updated_at),
        )

    # Workflows.

    def list_runs(self, query: dict[str, str], sent: Any, file: str) -> Answer:
        if file not in self.workflows:
            return _no(404, "Not Found")
        found = [
            shapes.workflow_run(
                self.url,
                self.repository,
                id=id,
                file=it.file,
                event=it.event,
                head=(it.head, it.head_repository),
                status=it.status,
                attempt=it.attempt,
                at=_when(self._now),
            )
            for id, it in sorted(self.runs.items(), reverse=True)
            if it.file == file
            if query.get("event", it.event) == it.event
            if query.get("head_sha", it.head) == it.head
        ]
        page = self._page(query, found)
        return Answer(200, {"total_count": len(found), "workflow_runs": page.body}, page.headers)

    def rerun(self, query: dict[str, str], sent: Any, id: str) -> Answer:
        it = self.runs.get(int(id))
        if it is None:
            return _no(404, "Not Found")
        if it.refuses:
            return _no(403, it.refuses)
        if it.status != "completed":
            return _no(403, "This workflow is already running")
        it.status, it.attempt = "queued", it.attempt + 1
        return Answer(201, {})

    def dispatch(self, query: dict[str, str], sent: Json, file: str) -> Answer:
        if file not in self.workflows:
            return _no(404, "Not Found")
        known = self.workflows[file]
        if known is None:
            return _no(422, "Workflow does not have 'workflow_dispatch' trigger")
        if sent["ref"].removeprefix("refs/heads/") not in self.branches:
            return _no(422, f"No ref found for: {sent['ref']}")
        if strange := [name for name in sent.get("inputs", {}) if name not in known]:
            return _no(422, f"Unexpected inputs provided: {json.dumps(strange)}")
        self.dispatched.append((file, sent["ref"], sent.get("inputs", {})))
        return Answer(204)

    # Checks and statuses.

    def list_checks(self, query: dict[str, str], sent: Any, commit: str) -> Answer:
        found = [
            (id, it)
            for id, it in sorted(self.checks.items(), reverse=True)
            if it.sent["head_sha"] == commit
            if query.get("check_name", it.sent["name"]) == it.sent["name"]
        ]
        if query.get("filter", "latest") == "latest":
            newest = {it.sent["name"]: id for id, it in reversed(found)}
            found = [(id, it) for id, it in found if newest[it.sent["name"]] == id]
        page = self._page(query, [self._check(id) for id, _ in found])
        return Answer(200, {"total_count": len(found), "check_runs": page.body}, page.headers)

    def create_check(self, query: dict[str, str], sent: Json) -> Answer:
        return self._check_sent(None, sent)

    def edit_check(self, query: dict[str, str], sent: Json, id: str) -> Answer:
        return (
            _no(404, "Not Found") if int(id) not in self.checks else self._check_sent(int(id), sent)
        )

    def _check_sent(self, id: int | None, sent: Json) -> Answer:
        if not self.login.endswith("[bot]"):
            return _no(403, "You must authenticate via a GitHub App.")
        output = dict(sent.get("output", {}))
        for name in ("summary", "text"):
            if len(output.get(name) or "") > _LONGEST_OUTPUT:
                return _no(
                    422, f"Invalid request.\n\nOnly {_LONGEST_OUTPUT} characters are allowed."
                )
        annotations = output.pop("annotations", [])
        if len(annotations) > _ANNOTATIONS:
            return _no(422, f"Invalid request.\n\nNo more than {_ANNOTATIONS} items are allowed.")
        new = id is None
        if id is None:
            self._ids += 1
            id = self._ids
            self.checks[id] = Check({"status": "queued"}, self.login)
        it = self.checks[id]
        if it.app != self.login:
            return _no(403, "Check run can only be modified by the GitHub App that created it.")
        it.sent |= sent | {"output": it.sent.get("output", {}) | output}
        it.annotations += annotations
        if "conclusion" in sent:
            it.sent["status"] = "completed"
        self._tick()
        return Answer(201 if new else 200, self._check(id))

    def annotations(self, query: dict[str, str], sent: Any, id: str) -> Answer:
        it = self.checks.get(int(id))
        if it is None:
            return _no(404, "Not Found")
        commit = it.sent["head_sha"]
        told = [shapes.annotation(self.repository, each, commit=commit) for each in it.annotations]
        return self._page(query, told)

    def _check(self, id: int) -> Json:
        it = self.checks[id]
        return shapes.check_run(
            self.url,
            self.repository,
            id=id,
            sent=it.sent,
            app=shapes.app(self.url, it.app),
            annotations=len(it.annotations),
            at=_when(self._now),
        )

    def create_status(self, query: dict[str, str], sent: Json, commit: str) -> Answer:
        if len(sent.get("description") or "") > 140:
            return _invalid(
                "Status", "description", "description is too long (maximum is 140 characters)"
            )
        self._tick()
        self.statuses.append((commit, sent))
        return Answer(201, self._status(len(self.statuses) - 1))

    def list_statuses(self, query: dict[str, str], sent: Any, commit: str) -> Answer:
        found = [place for place, (at, _) in enumerate(self.statuses) if at == commit]
        return self._page(query, [self._status(place) for place in reversed(found)])

    def _status(self, place: int) -> Json:
        commit, sent = self.statuses[place]
        return shapes.status(
            self.url,
            self.repository,
            id=place + 1,
            commit=commit,
            sent=sent,
            author=shapes.user(self.url, self.login),
            at=_when(self._now),
        )

    def role(self, query: dict[str, str], sent: Any, login: str) -> Answer:
        role = self.roles.get(login)
        if role is None:
            return _no(404, f"{login} is not a user")
        name, base = (role, role) if isinstance(role, str) else role
        permission = {"maintain": "write", "triage": "read"}.get(base, base)
        return Answer(200, shapes.permission(self.url, login, permission=permission, role=name))

    def _page(self, query: dict[str, str], items: list[Json]) -> Answer:
        size = min(int(query.get("per_page", "30")), 100)
        page = int(query.get("page", "1"))
        begin = (page - 1) * size
        headers = {}
        if begin + size < len(items):
            link = f"{self.url}/next?page={page + 1}&per_page={size}"
            headers["link"] = f'<{link}>; rel="next"'
        return Answer(200, items[begin : begin + size], headers)


@dataclass(frozen=True, slots=True)
class _Route:
    verb: str
    path: re.Pattern[str]
    do: Callable[..., Answer]
    needs: tuple[str, ...] = ()


def _route(verb: str, path: str, do: Callable[..., Answer], *needs: str) -> _Route:
    """``needs``: any one of these permissions to write."""
    pattern = re.compile(path.replace("N", r"(\d+)").replace("S", "([^/]+)"))
    return _Route(verb, pattern, do, needs)


_EITHER = ("pull-requests", "issues")
_ROUTES = (
    _route("POST", "/graphql", FakeGitHub.graphql),
    _route("GET", "/user", FakeGitHub.user),
    _route("GET", "/pulls/N", FakeGitHub.pull),
    _route("GET", "/issues/N/comments", FakeGitHub.list_comments),
    _route("POST", "/issues/N/comments", FakeGitHub.create_comment, *_EITHER),
    _route("GET", "/issues/comments/N", FakeGitHub.comment),
    _route("PATCH", "/issues/comments/N", FakeGitHub.edit_comment, *_EITHER),
    _route("DELETE", "/issues/comments/N", FakeGitHub.delete_comment, *_EITHER),
    _route("POST", "/issues/comments/N/reactions", FakeGitHub.react, *_EITHER),
    _route("GET", "/issues/comments/N/reactions", FakeGitHub.list_reactions),
    _route("POST", "/labels", FakeGitHub.create_label, *_EITHER),
    _route("GET", "/labels/S", FakeGitHub.label),
    _route("GET", "/issues/N/labels", FakeGitHub.labels_of),
    _route("POST", "/issues/N/labels", FakeGitHub.add_labels, *_EITHER),
    _route("DELETE", "/issues/N/labels/S", FakeGitHub.remove_label, *_EITHER),
    _route("GET", "/issues", FakeGitHub.list_issues),
    _route("POST", "/issues", FakeGitHub.create_issue, "issues"),
    _route("PATCH", "/issues/N", FakeGitHub.edit_issue, "issues"),
    _route("GET", "/assignees/S", FakeGitHub.assignee),
    _route("GET", "/commits/S/pulls", FakeGitHub.pulls_of),
    _route("GET", "/commits/S/check-runs", FakeGitHub.list_checks),
    _route("GET", "/actions/workflows/S/runs", FakeGitHub.list_runs, "actions"),
    _route("POST", "/actions/workflows/S/dispatches", FakeGitHub.dispatch, "actions"),
    _route("POST", "/actions/runs/N/rerun", FakeGitHub.rerun, "actions"),
    _route("POST", "/check-runs", FakeGitHub.create_check, "checks"),
    _route("PATCH", "/check-runs/N", FakeGitHub.edit_check, "checks"),
    _route("GET", "/check-runs/N/annotations", FakeGitHub.annotations),
    _route("POST", "/statuses/S", FakeGitHub.create_status, "statuses"),
    _route("GET", "/commits/S/statuses", FakeGitHub.list_statuses),
    _route("GET", "/collaborators/S/permission", FakeGitHub.role),
)


def _when(at: datetime) -> str:
    return at.strftime("%Y-%m-%dT%H:%M:%SZ")


def _no(status: int, message: str) -> Answer:
    return Answer(status, {"message": message, "documentation_url": "https://docs.example"})


def _invalid(resource: str, name: str, message: str, *, code: str = "custom") -> Answer:
    error = {"resource": resource, "field": name, "code": code} | (
        {"message": message} if message else {}
    )
    return Answer(
        422,
        {
            "message": "Validation Failed",
            "errors": [error],
            "documentation_url": "https://docs.example",
        },
    )


class _Handler(BaseHTTPRequestHandler):
    github: ClassVar[FakeGitHub]

    def do_GET(self) -> None:
        self._do()

    do_POST = do_PATCH = do_DELETE = do_GET

    def _do(self) -> None:
        length = int(self.headers.get("content-length") or 0)
        raw = self.rfile.read(length)
        sent = json.loads(raw) if raw else None
        # GitHub Enterprise's own prefix, which its clients ask by.
        target = self.path.removeprefix("/api/v3").replace("/api/graphql", "/graphql")
        token = self.headers.get("authorization", "")
        answer = self.github.answer(self.command, target, sent, token)
        if answer is None:
            self.close_connection = True
            return
        body = b"" if answer.body is None else json.dumps(answer.body).encode()
        self.send_response_only(answer.status)
        date = format_datetime(self.github.now, usegmt=True)
        for name, value in {"date": date, **answer.headers}.items():
            self.send_header(name, value)
        if answer.status != 204:
            self.send_header("content-type", "application/json; charset=utf-8")
            self.send_header("content-length", str(len(body)))
        self.send_header("connection", "close")
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:
        """Nothing: the requests are kept."""


@contextmanager
def fake_github(**options: Any) -> Iterator[FakeGitHub]:
    github = FakeGitHub(**options)
    handler = type("Handler", (_Handler,), {"github": github})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    github.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield github
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
