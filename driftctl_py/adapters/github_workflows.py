"""GitHub's own automation: workflows that are run again or begun, and where a commit came from.

Not here: how it is asked, and what is asked again (``github_requests``).
"""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from driftctl_py.adapters.github_requests import Deed, Lost, Requests, word
from driftctl_py.errors import Unavailable

_ENDED = "completed"


class _Run(msgspec.Struct):
    id: int
    status: str = ""


class _Runs(msgspec.Struct):
    workflow_runs: list[_Run]


class _Brought(msgspec.Struct):
    number: int
    merged_at: str | None = None


class GitHubWorkflows:
    """Of the repository that ``requests`` are for."""

    def __init__(self, requests: Requests) -> None:
        self._api = requests

    def close(self) -> None:
        self._api.close()

    def rerun(self, workflow: str, head: str) -> bool:
        deed = Deed(f"find the runs of {workflow}", "actions: read")
        asked = {"event": "pull_request", "head_sha": head, "per_page": "1"}
        path = f"/actions/workflows/{word(workflow)}/runs"
        runs = self._api.decoded(deed, self._api.ask(deed, "GET", path, query=asked), _Runs)
        if not runs.workflow_runs or runs.workflow_runs[0].status != _ENDED:
            return False
        deed = Deed(f"run {workflow} again", "actions: write")
        # Asked twice, the second is refused (403): it runs already.
        answer = self._api.ask(
            deed, "POST", f"/actions/runs/{runs.workflow_runs[0].id}/rerun", fine=(403,)
        )
        if answer.status == 403 and "already running" not in answer.text:
            raise self._api.refusal(deed, answer)
        return True

    def dispatch(self, workflow: str, ref: str, inputs: Mapping[str, str]) -> None:
        deed = Deed(f"start {workflow}", "actions: write")
        path = f"/actions/workflows/{word(workflow)}/dispatches"
        sent = {"ref": ref, "inputs": dict(inputs)}
        try:
            self._api.checked(deed, self._api.once("POST", path, body=sent))
        except Lost as lost:
            # Not asked again: there would be two.
            raise Unavailable(
                f"Could not {deed.what}: {lost}. Whether it was started is not known.",
                todo="Look at the list of its runs, and start it there if it is not in it.",
            ) from lost

    def merged_pulls_of(self, commit: str) -> tuple[int, ...]:
        deed = Deed(f"find the pull request that brought {commit[:7]}", "pull-requests: read")
        found = self._api.pages(deed, f"/commits/{word(commit)}/pulls", list[_Brought])
        return tuple(each.number for each in found if each.merged_at is not None)
