"""What a report over many results hands to the steps after it: outputs of a step, as lines.

A value may hold anything, so each stands between two lines that nobody can foresee: GitHub's
"Workflow commands", multiline strings.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence

from driftctl_py.core.check import VERDICTS, Verdict
from driftctl_py.core.forge import Published
from driftctl_py.core.result import Result, Results, Standing

_DRIFTED = (Verdict.DRIFTED, Verdict.DRIFTED_AND_PENDING)
_PENDING = (Verdict.PENDING, Verdict.DRIFTED_AND_PENDING)
_FAILED = (Verdict.FAILED, Verdict.UNKNOWN)


def step_outputs(results: Results, published: Iterable[Published] = ()) -> dict[str, str]:
    """``status`` is the worst of all, ``destroys`` counts objects, the others environments, whose
    names are in ``*_environments`` as JSON; ``comment_url`` is empty where there is no comment."""
    drifted = [each for each in results.results if each.verdict in _DRIFTED]
    pending = [each for each in results.results if each.verdict in _PENDING]
    failed = [each for each in results.results if each.verdict in _FAILED]
    standings = [each.gate.standing for each in results.results if each.gate]
    lost = _names(failed) + list(results.missing)
    comments = [each.url for each in published if each.what.startswith("comment") and each.url]
    return {
        "status": _worst(results).value,
        "exit_code": str(results.exit_code),
        "environments": str(len(results.results) + len(results.missing)),
        "drifted": str(len(drifted)),
        "pending": str(len(pending)),
        "failed": str(len(lost) + len(results.unreadable)),
        "held": str(standings.count(Standing.HELD)),
        "refused": str(standings.count(Standing.REFUSED)),
        "destroys": str(sum(each.destroys for each in results.results)),
        "drifted_environments": json.dumps(_names(drifted)),
        "pending_environments": json.dumps(_names(pending)),
        "failed_environments": json.dumps(lost),
        "comment_url": next(iter(comments), ""),
    }


def output_lines(outputs: Mapping[str, str], delimiter: str) -> str:
    """For ``$GITHUB_OUTPUT``. No value holds the ``delimiter``, which is drawn anew each time."""
    return "".join(
        f"{name}<<{delimiter}\n{value}\n{delimiter}\n" for name, value in outputs.items()
    )


def _worst(results: Results) -> Verdict:
    if results.missing or results.unreadable:
        return Verdict.FAILED
    found = {each.verdict for each in results.results}
    return next((each for each in VERDICTS if each in found), Verdict.IN_SYNC)


def _names(results: Sequence[Result]) -> list[str]:
    return [each.environment for each in results]
