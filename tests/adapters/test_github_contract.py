"""The adapter's requests, and the fake's answers, held against GitHub's own description.

Prism stands between the two: it reads GitHub's official OpenAPI description and says of each
request and of each answer what is wrong with it. GraphQL is no part of that description.
"""

from __future__ import annotations

import json
import shutil
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.request import urlopen

import pytest

from driftctl_py.adapters.github import GitHub
from driftctl_py.adapters.github_workflows import GitHubWorkflows
from driftctl_py.core.forge import (
    Annotation,
    CheckRun,
    CommitStatus,
    Conclusion,
    Label,
    Role,
)
from driftctl_py.errors import ForgeError, Unavailable
from tests.forge_fake import FakeGitHub, bad_gateway, fake_github

# Where .ci/setup puts them.
_MODULES = Path(__file__).parents[2] / ".prism" / "node_modules"
_PRISM = _MODULES / "@stoplight" / "prism-cli" / "dist" / "index.js"
_DESCRIPTION = _MODULES / "@octokit" / "openapi" / "generated" / "api.github.com.json"
_PATIENCE_SECONDS = 60
_HEAD = "a" * 40
_WRONG = ("error", "violation", "not resolved")


@dataclass
class Prism:
    """``complaints`` are what it found wrong since it was last asked."""

    url: str
    github: FakeGitHub
    log: Path
    _seen: int = 0
    _asked: int = 0

    def client(self) -> GitHub:
        # Who we are is asked by GraphQL.
        return self.github.client(api_url=self.url, login=self.github.login)

    def automation(self) -> GitHubWorkflows:
        return self.github.automation(api_url=self.url)

    def complaints(self) -> list[str]:
        # It logs when it finds the time, in the order of what is asked.
        self._asked += 1
        last = f"/the-end-of-{self._asked} "
        with pytest.raises(HTTPError):
            urlopen(f"{self.url}{last.strip()}")
        _until(lambda: f"{last}✖" in self.log.read_text(), "Prism does not log")
        lines = self.log.read_text().splitlines()
        new, self._seen = lines[self._seen :], len(lines)
        wrong = [line for line in new if any(word in line.lower() for word in _WRONG)]
        return [line for line in wrong if last not in line]


@pytest.fixture(scope="module")
def prism(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Prism]:
    node = shutil.which("node")
    if node is None or not _PRISM.exists() or not _DESCRIPTION.exists():
        pytest.skip("Prism and GitHub's description are not here; .ci/setup installs them by npm")
    place = tmp_path_factory.mktemp("prism")
    log = place / "log"
    with fake_github() as github, socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
        free.close()
        argv = [node, str(_PRISM), "proxy", str(_ours(place)), github.url, "--errors"]
        with log.open("wb") as out:
            process = subprocess.Popen([*argv, "--port", str(port)], stdout=out, stderr=out)
        try:
            _until(
                lambda: process.poll() is not None or "is listening" in log.read_text(),
                "Prism does not start",
            )
            assert process.poll() is None, log.read_text()
            yield Prism(f"http://127.0.0.1:{port}", github, log)
        finally:
            process.terminate()
            process.wait(10)


def _ours(place: Path) -> Path:
    """The description of one repository's affairs: Prism reads it in a third of the time, and
    refuses what is not in it."""
    whole = json.loads(_DESCRIPTION.read_text())
    kinds = (
        "actions/runs",
        "actions/workflows",
        "assignees",
        "check-runs",
        "collaborators",
        "commits",
        "issues",
        "labels",
        "pulls",
        "statuses",
    )
    begins = tuple(f"/repos/{{owner}}/{{repo}}/{kind}" for kind in kinds)
    whole["paths"] = {
        path: said
        for path, said in whole["paths"].items()
        if path == "/user" or path.startswith(begins)
    }
    whole.pop("x-webhooks", None)
    part = place / "github.json"
    part.write_text(json.dumps(whole))
    return part


def _until(holds: Callable[[], bool], otherwise: str) -> None:
    until = time.monotonic() + _PATIENCE_SECONDS
    while not holds():
        assert time.monotonic() < until, otherwise
        time.sleep(0.02)


@pytest.fixture
def pull(prism: Prism) -> int:
    prism.complaints()
    return prism.github.add_pull(labels=["driftctl:drift"])


def test_prism_refuses_what_github_does_not_describe(prism: Prism) -> None:
    prism.complaints()

    with pytest.raises(ForgeError):
        prism.client().react(1, "applause")

    assert prism.complaints()


def test_prism_refuses_answers_that_github_would_not_give(
    prism: Prism, pull: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    right = prism.github.answer

    def wrong(*asked: Any) -> Any:
        answer = right(*asked)
        assert answer is not None
        del answer.body["merge_commit_sha"]
        return answer

    monkeypatch.setattr(prism.github, "answer", wrong)
    with pytest.raises(Unavailable, match="500"):
        prism.client().pull(pull)

    assert prism.complaints()


def test_a_pull_request_is_read_as_described(prism: Prism, pull: int) -> None:
    forge = prism.client()

    assert forge.pull(pull).head == _HEAD
    assert prism.complaints() == []


def test_the_pull_request_that_brought_a_commit_is_found_as_described(
    prism: Prism, pull: int
) -> None:
    prism.github.issues[pull].open = False
    # Here alone the description says that each label has one of its own.
    prism.github.issues[pull].labels.clear()
    merge = prism.github.issues[pull].merge or ""

    found = prism.automation().merged_pulls_of(merge)

    assert pull in found
    assert prism.complaints() == []


def test_workflows_are_run_again_as_described(prism: Prism, pull: int) -> None:
    id = prism.github.add_run("plan.yml", "d" * 40)
    automation = prism.automation()

    again = [automation.rerun("plan.yml", "d" * 40), automation.rerun("plan.yml", "d" * 40)]

    assert again == [True, False]
    assert prism.github.runs[id].attempt == 2
    assert prism.complaints() == []


def test_workflows_are_begun_as_described(prism: Prism, pull: int) -> None:
    prism.github.workflows["apply.yml"] = ("environment",)

    prism.automation().dispatch("apply.yml", "main", {"environment": "prod"})

    assert prism.github.dispatched == [("apply.yml", "main", {"environment": "prod"})]
    assert prism.complaints() == []


def test_how_workflows_are_refused_is_not_described(prism: Prism, pull: int) -> None:
    prism.github.workflows["apply.yml"] = ()
    prism.github.add_run("plan.yml", "e" * 40, refuses="This workflow is already running")
    automation = prism.automation()

    with pytest.raises(ForgeError, match="Unexpected inputs"):
        automation.dispatch("apply.yml", "main", {"environment": "prod"})
    assert automation.rerun("plan.yml", "e" * 40)
    # Of both: GitHub's description knows no 403 and no 422 of these, though they are answered.
    assert len(prism.complaints()) == 2


def test_comments_are_written_as_described(prism: Prism, pull: int) -> None:
    forge = prism.client()

    comment = forge.add_comment(pull, "one")
    forge.edit_comment(comment.id, "two")
    reacted = [forge.react(comment.id, "rocket"), forge.react(comment.id, "rocket")]
    seen = [forge.reacted(comment.id, reaction) for reaction in ("rocket", "eyes")]
    alone = forge.comment(comment.id)
    read = forge.comments(pull)
    forge.delete_comment(comment.id)

    assert [each.body for each in read] == ["two"]
    assert alone == read[0]
    assert forge.comment(comment.id) is None
    assert (reacted, seen) == ([True, False], [True, False])
    assert prism.github.bodies(pull) == []
    assert prism.complaints() == []


def test_comments_on_pages_are_read_as_described(prism: Prism, pull: int) -> None:
    for number in range(101):
        prism.github.comment_by("ada", pull, f"{number}")

    assert len(prism.client().comments(pull)) == 101
    assert prism.complaints() == []


def test_a_comment_of_nobody_is_read_as_described(prism: Prism, pull: int) -> None:
    prism.github.comment_by(None, pull, "I am gone")

    (comment,) = prism.client().comments(pull)

    assert (comment.author, comment.ours) == ("ghost", False)
    assert prism.complaints() == []


def test_labels_are_set_as_described(prism: Prism, pull: int) -> None:
    add = [Label("driftctl:destroys", "d73a4a", "Destroys something"), Label("driftctl:drift")]

    prism.client().set_labels(pull, add=add, remove=["driftctl:drift", "absent"])
    prism.client().set_labels(pull, add=add[:1], remove=[])

    assert prism.github.issues[pull].labels == ["driftctl:destroys"]
    assert prism.complaints() == []


@pytest.mark.parametrize("annotations", [0, 120])
def test_checks_are_published_as_described(prism: Prism, pull: int, annotations: int) -> None:
    check = CheckRun(
        name=f"driftctl / prod {annotations}",
        head=_HEAD,
        conclusion=Conclusion.ACTION_REQUIRED,
        title="1 to destroy",
        summary="It destroys the database.",
        text="More of it." if annotations else "",
        annotations=tuple(
            Annotation("main.tf", line, "warning", "destroys" if line % 2 else "", f"no {line}")
            for line in range(annotations)
        ),
        url="https://ci.example/1" if annotations else "",
        external_id="prod" if annotations else "",
    )

    first = prism.client().publish_check(check)
    again = prism.client().publish_check(check)

    (run,) = [it for it in prism.github.checks_of(_HEAD) if it.sent["name"] == check.name]
    assert len(run.annotations) == annotations
    assert first == again
    assert prism.complaints() == []


def test_statuses_are_set_as_described(prism: Prism, pull: int) -> None:
    forge = prism.client()

    forge.set_status(CommitStatus("driftctl", _HEAD, "pending", "it plans"))
    forge.set_status(CommitStatus("driftctl", _HEAD, "success", "", "https://ci.example/1"))

    assert prism.complaints() == []


def test_a_status_is_looked_for_as_described(prism: Prism, pull: int) -> None:
    status = CommitStatus("driftctl / lost", _HEAD, "success", "in sync", "https://ci.example/1")
    prism.client().set_status(status)
    prism.github.next(bad_gateway(after=True), "POST", "/statuses")

    prism.client().set_status(status)

    assert [sent["context"] for _, sent in prism.github.statuses].count(status.context) == 2
    # Of the answer that was lost, and of nothing that came after.
    (complaint,) = prism.complaints()
    assert "Unable to match the returned status code" in complaint


def test_issues_are_opened_closed_and_read_as_described(prism: Prism, pull: int) -> None:
    prism.github.roles["ada"] = "write"
    forge = prism.client()

    opened = forge.open_issue(
        "prod drifted", "how", labels=[Label("drift")], assignees=["ada", "nobody"]
    )
    closed = forge.edit_issue(opened.number, body="healed", open=False)
    reopened = forge.edit_issue(opened.number, title="prod drifted again", open=True)

    assert opened.assignees == ("ada",)
    assert not closed.open
    assert reopened in forge.issues("drift")
    assert prism.complaints() == []


@pytest.mark.parametrize(
    ("role", "read"),
    [("admin", Role.ADMIN), ("triage", Role.TRIAGE), (("releaser", "maintain"), Role.WRITE)],
)
def test_roles_are_read_as_described(
    prism: Prism, pull: int, role: str | tuple[str, str], read: Role
) -> None:
    prism.github.roles["grace"] = role

    assert prism.client().role_of("grace") is read
    assert prism.client().role_of("nobody") is Role.NONE
    assert prism.complaints() == []


def test_who_we_are_is_read_as_described(prism: Prism, pull: int) -> None:
    login, prism.github.login = prism.github.login, "ada"
    try:
        comment = prism.github.client(api_url=prism.url).add_comment(pull, "mine")
    finally:
        prism.github.login = login

    assert (comment.author, comment.ours) == ("ada", True)
    # Of the question before, which is not in the description.
    assert all("/graphql" in complaint for complaint in prism.complaints())


def test_refusals_are_read_as_described(prism: Prism, pull: int) -> None:
    forge = prism.client()
    locked = prism.github.add_pull(locked=True)

    with pytest.raises(ForgeError, match="404, Not Found"):
        forge.comments(999)
    with pytest.raises(ForgeError, match="locked"):
        forge.add_comment(locked, "hello")
    with pytest.raises(ForgeError, match="too long"):
        forge.add_comment(pull, "x" * 65537)
    assert prism.complaints() == []
