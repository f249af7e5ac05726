"""Many results into one: which of two counts, which are missing, which do not belong together.

Results of one report are of one run of one workflow, at one commit. Others among them are an error
that says so: a comment made of two commits would be true of neither.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime

import msgspec

from driftctl_py.core.result import Job, Result, Results
from driftctl_py.errors import UsageError

_AGAIN = "Give it the results of one run alone, in a directory of their own."
# As many as are named.
_NAMED = 6


class _Entry(msgspec.Struct):
    environments: str
    name: str = ""


class _Matrix(msgspec.Struct, forbid_unknown_fields=True):
    include: list[_Entry]


_decode_matrix = msgspec.json.Decoder(_Matrix).decode


def expected_names(matrix: bytes, *, filename: str) -> tuple[str, ...]:
    """The environments of a matrix of jobs, as `driftctl-py matrix` printed it. Raises
    `UsageError`."""
    try:
        entries = _decode_matrix(matrix).include
    except (ValueError, RecursionError) as error:
        raise UsageError(
            f"{filename} is not a matrix of jobs, so it is not known which results to expect.",
            todo="Give it what `driftctl-py matrix` printed: --expect FILE",
        ) from error
    names = dict.fromkeys(name for entry in entries for name in entry.environments.split())
    return tuple(names)


def fan_in(
    found: Iterable[Result],
    *,
    expected: Sequence[str] | None = None,
    unreadable: Sequence[str] = (),
    ours: Job | None = None,
    attempt: int = 0,
) -> Results:
    """All of them together: the newest of each environment, in the order in which they were
    ``expected``, and without that by name. ``ours`` is the job that reports, where it runs in CI:
    then they must be of its run, and what it knows of that run itself counts. All jobs were begun
    in that ``attempt`` of it: what one left in an earlier attempt says nothing, for it died in this
    one. Raises `UsageError` where they do not belong together."""
    ours = ours or Job()
    newest: dict[str, Result] = {}
    jobs: dict[str, Job] = {}
    for each in found:
        jobs.setdefault(each.environment, each.job)
        _refuse_mixture(jobs, each, ours)
        known = newest.get(each.environment)
        if each.job.attempt >= attempt and (known is None or _age(each) > _age(known)):
            newest[each.environment] = each
    order = {name: at for at, name in enumerate(expected or ())}
    names = sorted(newest, key=lambda name: (order.get(name, len(order)), name))
    return Results(
        tuple(_of_run(newest[name], ours) for name in names),
        missing=tuple(name for name in order if name not in newest),
        unreadable=tuple(unreadable),
        by=ours,
    )


def unexpected(results: Results, expected: Sequence[str]) -> tuple[str, ...]:
    """The environments of which nobody expected a result."""
    return tuple(each.environment for each in results.results if each.environment not in expected)


def _age(result: Result) -> tuple[int, int, datetime]:
    return result.job.number, result.job.attempt, result.finished_at


def _refuse_mixture(jobs: Mapping[str, Job], result: Result, ours: Job) -> None:
    name, job = result.environment, result.job
    if ours.run:
        if _run_of(job) != _run_of(ours):
            raise UsageError(
                f"The result of {name} is of {_words(job)}, and this is {_words(ours)}: a report "
                "of both would be true of neither.",
                todo=_AGAIN,
            )
        if job.attempt > ours.attempt:
            raise UsageError(
                f"The result of {name} says that it is of attempt {job.attempt}, and this is "
                f"attempt {ours.attempt} of the run: it is not from here.",
                todo=_AGAIN,
            )
        return
    other, first = next(iter(jobs.items()))
    if _run_of(job) != _run_of(first):
        raise UsageError(
            f"The result of {other} is of {_words(first)}, that of {name} of {_words(job)}: a "
            "report of both would be true of neither.",
            todo=_AGAIN,
        )


def _run_of(job: Job) -> tuple[object, ...]:
    """What all jobs of a run have in common. Another attempt of it is the same run."""
    return job.repository.lower(), job.run, job.number, job.pull, job.head


def _words(job: Job) -> str:
    if not job.run:
        return "no run of a workflow" + (f" at {job.head[:7]}" if job.head else "")
    at = f" at {job.head[:7]}" if job.head else ""
    return f"run {job.run} of {job.repository or 'some repository'}{at}"


def _of_run(result: Result, ours: Job) -> Result:
    """With what is known of the run here, which no artifact can say otherwise."""
    if not ours.run:
        return result
    attempt, notes = result.job.attempt, result.notes
    if attempt != ours.attempt:
        # Its job was not run again, or it was and died: both look like this.
        notes = (*notes, f"From attempt {attempt} of the run; this report is of {ours.attempt}.")
    return replace(result, job=replace(ours, attempt=attempt), notes=notes)


def named(names: Sequence[str]) -> str:
    """``staging, prod and 3 more``."""
    more = len(names) - _NAMED
    listed = ", ".join(names[:_NAMED])
    return f"{listed} and {more} more" if more > 0 else listed
