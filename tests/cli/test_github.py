"""`driftctl-py github comment` as a job of GitHub Actions types it, up to the store."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from driftctl_py.cli.main import main
from driftctl_py.compose.github import pause_seconds
from tests.forge_fake import TOKEN, FakeGitHub, fake_github

BODY = "/driftctl unlock prod"


@pytest.fixture
def github() -> Iterator[FakeGitHub]:
    with fake_github() as github:
        github.roles["ada"] = "write"
        github.add_pull()
        yield github


@pytest.fixture
def job(github: FakeGitHub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Somebody wrote a comment."""
    comment = github.comment_by("ada", 1, BODY)
    event = tmp_path / "event.json"
    payload = {
        "action": "created",
        "repository": {"full_name": github.repository, "default_branch": "main"},
        "issue": {"number": 1, "state": "open", "pull_request": {}},
        "comment": {"id": comment, "body": BODY, "user": {"login": "ada"}},
    }
    event.write_text(json.dumps(payload))
    (tmp_path / "driftctl.yaml").write_text("environments:\n  - path: environments/prod\n")
    monkeypatch.chdir(tmp_path)
    for name, value in {
        "DRIFTCTL_DATA_DIR": str(tmp_path / "own"),
        "GITHUB_API_URL": github.url,
        "GITHUB_EVENT_NAME": "issue_comment",
        "GITHUB_EVENT_PATH": str(event),
        "GITHUB_REPOSITORY": github.repository,
        "GITHUB_TOKEN": TOKEN,
    }.items():
        monkeypatch.setenv(name, value)


def test_a_comment_is_answered_where_it_was_written(
    github: FakeGitHub, job: None, capsys: pytest.CaptureFixture[str]
) -> None:
    code = main(["github", "comment"])

    assert code == 1
    assert "prod is not blocked" in capsys.readouterr().err
    (reply,) = (each for each in github.bodies(1) if each != BODY)
    assert "prod is not blocked" in reply
    assert [content for _, content in github.comments[1].reactions] == ["eyes", "-1"]


def test_it_is_answered_once(
    github: FakeGitHub, job: None, capsys: pytest.CaptureFixture[str]
) -> None:
    main(["github", "comment"])
    before = github.bodies(1)
    capsys.readouterr()

    assert main(["github", "comment"]) == 1
    assert "heard before" in capsys.readouterr().err
    assert github.bodies(1) == before


def test_without_a_token_it_is_said_where_to_put_one(
    github: FakeGitHub,
    job: None,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.delenv("GITHUB_TOKEN")
    monkeypatch.delenv("GH_TOKEN", raising=False)

    assert main(["github", "comment"]) == 1
    assert "GITHUB_TOKEN is not set" in capsys.readouterr().err
    assert github.requests == []


def test_without_an_event_there_is_nothing_to_hear(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("GITHUB_EVENT_NAME", raising=False)

    assert main(["github", "comment"]) == 1
    assert "There is no event" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("api_url", "seconds"),
    [
        ("https://api.github.com", 1.0),
        ("https://API.github.com./", 1.0),
        ("https://api.example.ghe.com", 1.0),
        ("https://github.example.com/api/v3", 0.0),
        ("https://api.github.com.example.com/api/v3", 0.0),
        ("https://ghe.com.example.com/api/v3", 0.0),
        ("http://127.0.0.1:8080", 0.0),
    ],
)
def test_only_who_asks_for_pauses_gets_them(api_url: str, seconds: float) -> None:
    assert pause_seconds(api_url) == seconds
