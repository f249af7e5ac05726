"""How a check ends for what became of an environment, what it is called, and the status beside it.

A check that is required keeps a pull request from being merged unless it is a success or neutral.
So what would be applied without asking anybody is a success, however much it is; what waits for
somebody's yes asks for an action, since what is reviewed is what is applied, and a yes can be given
before the merge; what is refused, failed or unknown is a failure. Drift that a look found is
nobody's failure, and no commit's: it is neutral.

Not here: the words of a check (``report/check_runs.py``).
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import assert_never

from driftctl_py.core.check import Verdict
from driftctl_py.core.forge import CheckRun, CommitStatus, Conclusion
from driftctl_py.core.result import Occasion, Result, Results, Standing
from driftctl_py.core.run import State

ALL = "all"
# GitHub's.
_DESCRIPTION_AT_MOST = 140
# The worst first.
_GRAVITY = (
    Conclusion.FAILURE,
    Conclusion.ACTION_REQUIRED,
    Conclusion.NEUTRAL,
    Conclusion.SUCCESS,
)
_STATES = {
    Conclusion.FAILURE: "failure",
    Conclusion.ACTION_REQUIRED: "pending",
    Conclusion.NEUTRAL: "success",
    Conclusion.SUCCESS: "success",
}
# Ends of an apply after which the world is what the commit says, or was to be left as it is.
_DONE = {State.APPLIED.value, State.IN_SYNC.value}
_WAITING = {State.ALLOWED.value, State.HELD.value}


def conclusion_of(result: Result) -> Conclusion:
    """Of one environment."""
    standing = result.gate.standing if result.gate else None
    if result.verdict in (Verdict.FAILED, Verdict.UNKNOWN) or standing is Standing.REFUSED:
        return Conclusion.FAILURE
    match result.occasion:
        case Occasion.CHECK:
            in_sync = result.verdict is Verdict.IN_SYNC
            return Conclusion.SUCCESS if in_sync else Conclusion.NEUTRAL
        case Occasion.REVIEW:
            held = standing is Standing.HELD
            return Conclusion.ACTION_REQUIRED if held else Conclusion.SUCCESS
        case Occasion.APPLY:
            if result.state in _DONE:
                return Conclusion.SUCCESS
            waits = result.state in _WAITING
            return Conclusion.ACTION_REQUIRED if waits else Conclusion.FAILURE
        case _ as never:
            assert_never(never)


def conclusion_of_all(results: Results) -> Conclusion:
    """Of all together: the worst of them; what is missing has failed."""
    if results.missing or results.unreadable:
        return Conclusion.FAILURE
    return worst(conclusion_of(each) for each in results.results)


def worst(conclusions: Iterable[Conclusion]) -> Conclusion:
    """Of none, a success."""
    return min(conclusions, key=_GRAVITY.index, default=Conclusion.SUCCESS)


def gravest_first(results: Iterable[Result]) -> list[Result]:
    """In which order they are told where there is not room for all: what needs somebody, then what
    destroys, then what changes; within each as it was."""
    return sorted(
        results,
        key=lambda each: (
            _GRAVITY.index(conclusion_of(each)),
            -min(each.destroys, 1),
            each.verdict is Verdict.IN_SYNC,
        ),
    )


def check_name(environment: str, scope: str = "") -> str:
    """``driftctl/prod``, as rules for branches name it."""
    # No environment can be called that, so this name cannot be the one for all.
    name = f"{ALL} (environment)" if environment == ALL else environment
    return _prefix(scope) + name


def check_name_of_all(scope: str = "") -> str:
    """``driftctl/all``: the one to require."""
    return _prefix(scope) + ALL


def status_of(check: CheckRun) -> CommitStatus:
    """The same as a commit's status."""
    description = check.title
    if len(description) > _DESCRIPTION_AT_MOST:
        description = description[: _DESCRIPTION_AT_MOST - 1] + "…"
    return CommitStatus(check.name, check.head, _STATES[check.conclusion], description, check.url)


def _prefix(scope: str) -> str:
    # An environment's name holds no bracket, so no scope is taken for the beginning of one.
    return f"driftctl[{scope}]/" if scope else "driftctl/"
