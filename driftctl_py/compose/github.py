"""Wires GitHub: the event that a workflow was started by, and who speaks for us.

Everything comes from the environment variables of a job (``GITHUB_…``), which its runner sets.
"""

from __future__ import annotations

import time
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from driftctl_py.compose.surroundings import environ, new_id, now
from driftctl_py.errors import UsageError

if TYPE_CHECKING:
    from driftctl_py.adapters.github import GitHub
    from driftctl_py.adapters.github_workflows import GitHubWorkflows
    from driftctl_py.app.commanding import Answer, Memory
    from driftctl_py.compose.checking import Options
    from driftctl_py.core.github_event import Event
    from driftctl_py.core.result import Job

# GitHub's own event files have 25 MB at most.
_EVENT_AT_MOST = 32 * 1024 * 1024
_PATIENCE_SECONDS = 600.0


def event() -> Event | None:
    """The event, where we run in GitHub Actions; else None. Raises `UsageError` for a file that
    says nothing."""
    path = environ().get("GITHUB_EVENT_PATH")
    if not path or not environ().get("GITHUB_EVENT_NAME"):
        return None
    from driftctl_py.core.github_event import read_event

    try:
        with Path(path).open("rb") as file:
            payload = file.read(_EVENT_AT_MOST)
    except OSError as error:
        raise UsageError(
            f"The event file {path} cannot be read ({error.strerror}), so it is not known what to "
            "look at.",
            todo="GITHUB_EVENT_PATH names it; unset it outside GitHub Actions.",
        ) from error
    return read_event(environ(), payload)


def job() -> Job:
    """Where this process runs: nothing at all outside GitHub Actions."""
    from driftctl_py.core.result import Job

    found = event()
    return Job() if found is None else found.job


def forge() -> GitHub:
    """The repository that the job is of. Raises `UsageError` without a token."""
    from driftctl_py.adapters.github import GitHub

    repository, token, api_url = _who()
    pause = pause_seconds(api_url)
    return GitHub(repository, token=token, api_url=api_url, pause_seconds=pause)


def workflows() -> GitHubWorkflows:
    """The automation of that repository. Raises `UsageError` without a token."""
    from driftctl_py.adapters.github_requests import Requests
    from driftctl_py.adapters.github_workflows import GitHubWorkflows

    repository, token, api_url = _who()
    requests = Requests(
        repository,
        token=token,
        api_url=api_url,
        patience_seconds=_PATIENCE_SECONDS,
        pause_seconds=pause_seconds(api_url),
        sleep=time.sleep,
    )
    return GitHubWorkflows(requests)


def pause_seconds(api_url: str) -> float:
    """What lies between two requests that write something. GitHub.com, and its data residency
    (``api.NAME.ghe.com``), ask for "at least one second":
    https://docs.github.com/rest/guides/best-practices-for-using-the-rest-api#pause-between-mutative-requests

    "Rate limits are disabled by default for GitHub Enterprise Server", and where somebody turned
    them on, what they refuse is waited for and asked again:
    https://docs.github.com/enterprise-server@latest/rest/overview/rate-limits-for-the-rest-api
    """
    host = (urlsplit(api_url).hostname or "").rstrip(".")
    return 1.0 if host == "api.github.com" or host.endswith(".ghe.com") else 0.0


def obey(options: Options) -> Answer:
    """Do what the comment asks for that started this workflow."""
    from driftctl_py.app.commanding import Commander, Remembered
    from driftctl_py.compose.applying import opened

    found = event()
    if found is None:
        raise UsageError(
            "There is no event, so there is no comment to be heard.",
            todo="Run it in a workflow of GitHub Actions on issue_comment.",
        )
    with ExitStack() as stack:

        def memory() -> Memory:
            kept = stack.enter_context(opened(options))
            return Remembered(kept.store, people=kept.config.people, clock=now, new_id=new_id)

        speaks, automation = forge(), workflows()
        stack.callback(speaks.close)
        stack.callback(automation.close)
        return Commander(speaks, automation, memory=memory).obey(found)


def _who() -> tuple[str, str, str]:
    """Repository, token and address of the API."""
    repository = environ().get("GITHUB_REPOSITORY")
    token = environ().get("GITHUB_TOKEN") or environ().get("GH_TOKEN")
    if not repository or not token:
        missing = "GITHUB_TOKEN" if repository else "GITHUB_REPOSITORY"
        raise UsageError(
            f"{missing} is not set, so nothing can be written to GitHub.",
            todo="In a workflow: env: {GITHUB_TOKEN: ${{ github.token }}}",
        )
    return repository, token, environ().get("GITHUB_API_URL") or "https://api.github.com"
