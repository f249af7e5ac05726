"""GitHub's own automation: workflows that are run again or begun, and where a commit came from.

Not here: how it is asked, and what is asked again (``github_requests``).
"""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from driftctl_py.adapters.github_requests import Deed, Lost, Requests, word
from driftctl_py.errors import ForgeError, Unavailable

_ENDED = "completed"
# How GitHub refuses to run something again (403), which its description does not tell: it runs
# (https://github.com/cli/cli/issues/9221), or it is more than a month old
# (https://github.com/cli/cli/issues/9989), or it is of a kind that cannot be.
_RUNS = "already running"
_NO_MORE = ("unable to retry", "cannot be retried", "cannot be rerun")


class _Repository(msgspec.Struct):
    full_name: str = ""


class _Run(msgspec.Struct):
    id: int
    status: str | None = ""
    # None: the fork was deleted since.
    head_repository: _Repository | None = None


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
        # The newest first. Of one commit there are no more than somebody opened it anew.
        asked = {"event": "pull_request", "head_sha": head, "per_page": "100"}
        path = f"/actions/workflows/{word(workflow)}/runs"
        told = self._api.decoded(deed, self._api.ask(deed, "GET", path, query=asked), _Runs)
        # Anybody may open a pull request from a fork that ends at our commit.
        run = next((each for each in told.workflow_runs if self._is_ours(each)), None)
        if run is None or run.status != _ENDED:
            return False
        deed = Deed(f"run {workflow} again", "actions: write")
        answer = self._api.ask(deed, "POST", f"/actions/runs/{run.id}/rerun", fine=(403,))
        said = answer.text.lower()
        if answer.status != 403 or _RUNS in said:
            # It had ended a moment ago: so whoever is refused because it runs asked twice, since an
            # answer was lost, or somebody else asked for the same.
            return True
        if any(words in said for words in _NO_MORE):
            return False
        raise self._api.refusal(deed, answer)

    def dispatch(self, workflow: str, ref: str, inputs: Mapping[str, str]) -> None:
        deed = Deed(f"start {workflow} at {ref}", "actions: write")
        path = f"/actions/workflows/{word(workflow)}/dispatches"
        sent = {"ref": ref, "inputs": dict(inputs)}
        try:
            answer = self._api.once("POST", path, body=sent)
        except Lost as lost:
            # Not asked again: there would be two.
            raise Unavailable(
                f"Could not {deed.what}: {lost}. Whether it was started is not known.",
                todo="Look at the list of its runs, and start it there if it is not in it.",
            ) from lost
        if answer.status in (404, 422):
            # 422: an input that it does not have, no such trigger, turned off, no such branch. It
            # is somebody's own file.
            refused = self._api.refusal(deed, answer)
            todo = refused.todo if answer.status == 404 else ""
            inputs_of_it = ", ".join(inputs) or "none"
            raise ForgeError(
                refused.what,
                todo=f"Look whether .github/workflows/{workflow} is on {ref}, is not disabled, and "
                f"has `on: workflow_dispatch` with these inputs: {inputs_of_it}. driftctl-py init "
                f"--github --stdout prints one that has. {todo}".rstrip(),
            )
        self._api.checked(deed, answer)

    def merged_pulls_of(self, commit: str) -> tuple[int, ...]:
        deed = Deed(f"find the pull request that brought {commit[:7]}", "pull-requests: read")
        found = self._api.pages(deed, f"/commits/{word(commit)}/pulls", list[_Brought])
        return tuple(each.number for each in found if each.merged_at is not None)

    def _is_ours(self, run: _Run) -> bool:
        head = run.head_repository
        return head is not None and head.full_name.lower() == self._api.repository.lower()
