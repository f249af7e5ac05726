"""What became of one environment in one job: what a job hands to the job that reports.

Jobs of a matrix run on machines of their own, so each writes its results into files, and one job
reads them all. A result holds words and lines, not values: it is told when it is made, where
the plan is, and whoever reports only chooses how much of it there is room for. No secret is in it:
the plan lost them while it was decoded.

Not here: how it is spelled as JSON (``result_json``), and what is made of it (``report``).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum

from driftctl_py.core.assessment import Totals
from driftctl_py.core.check import Verdict
from driftctl_py.errors import Diagnostic


class Occasion(Enum):
    """What an environment was looked at for."""

    CHECK = "check"
    """What is: the scheduled look for drift."""
    REVIEW = "review"
    """What merging a pull request would do."""
    APPLY = "apply"
    """What was applied, or why it was not."""


class Standing(Enum):
    """What the gate says of applying it."""

    NOTHING = "nothing to apply"
    ALLOWED = "allowed"
    HELD = "held"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class Item:
    """One object that changes. ``lines`` are those of a ``diff`` fence: first the one that names
    it, then its attributes. ``action`` is a `plan.Kind`'s value; ``cause`` a `decision.Cause`'s.
    ``file`` and ``line`` (from 1) are where it is declared, from the repository's root; empty and
    0 where that is not known."""

    address: str
    action: str
    cause: str
    destroys: bool
    lines: tuple[str, ...]
    file: str = ""
    line: int = 0
    deposed: str = ""

    @property
    def drifted(self) -> bool:
        """Was it changed outside Git?"""
        return "drift" in self.cause


@dataclass(frozen=True, slots=True)
class Gated:
    """What the gate says. ``lines`` are what rules, policies and limits said, a sentence each, the
    gravest first; ``needs`` who must say yes, as a clause; ``todo`` how, as commands."""

    standing: Standing
    lines: tuple[str, ...] = ()
    needs: str = ""
    todo: str = ""


@dataclass(frozen=True, slots=True)
class Job:
    """Where it was made: all empty outside CI. ``number`` counts the runs of a workflow, and
    ``attempt`` the tries of one run: together they say which of two is the newer. ``head``,
    ``base`` and ``merge`` are commits: of the pull request, of what it goes into, and of the one
    merged into the other, which is what was planned. ``pull`` is the pull request's number,
    ``into`` the branch that it goes into."""

    repository: str = ""
    workflow: str = ""
    run: str = ""
    number: int = 0
    attempt: int = 0
    url: str = ""
    pull: int = 0
    head: str = ""
    base: str = ""
    merge: str = ""
    into: str = ""


@dataclass(frozen=True, slots=True)
class Result:
    """One environment. ``totals`` and ``drifted`` are None where there was no plan, which is not 0.
    ``outputs`` and ``notes`` are lines, ``warnings``, ``reason`` and ``todo`` for a person.
    ``commit`` is what was planned. ``fingerprint`` and ``governing`` are what an approval is
    bound to, ``run`` its id in the store and ``state`` the value of its `run.State`: empty where
    nothing is remembered of it."""

    environment: str
    path: str
    occasion: Occasion
    verdict: Verdict
    finished_at: datetime
    duration_seconds: float
    commit: str = ""
    engine: str = ""
    totals: Totals | None = None
    drifted: int | None = None
    items: tuple[Item, ...] = ()
    outputs: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    reason: str = ""
    todo: str = ""
    diagnostics: tuple[Diagnostic, ...] = ()
    gate: Gated | None = None
    fingerprint: str = ""
    governing: str = ""
    run: str = ""
    state: str = ""
    job: Job = field(default_factory=Job)

    @property
    def short_fingerprint(self) -> str:
        """``k7qm-2d4x``, to tell two apart at a glance; empty without a fingerprint."""
        digest = self.fingerprint.rpartition("-")[2]
        return f"{digest[:4]}-{digest[4:8]}" if digest else ""

    @property
    def destroys(self) -> int:
        """How many objects would be gone, for good or for a new one."""
        return sum(item.destroys for item in self.items)


@dataclass(frozen=True, slots=True)
class Results:
    """All of them, in the order of the configuration as far as that is known. ``missing`` are the
    environments of which a result was expected and none came: their job died. ``unreadable`` are
    files that were none, each with why. ``by`` is the job that reports, empty outside CI."""

    results: tuple[Result, ...]
    missing: tuple[str, ...] = ()
    unreadable: tuple[str, ...] = ()
    by: Job = field(default_factory=Job)

    @property
    def exit_code(self) -> int:
        """As `check.CheckReport.exit_code`; what is missing or refused has failed."""
        verdicts = {each.verdict for each in self.results}
        refused = any(each.gate and each.gate.standing is Standing.REFUSED for each in self.results)
        failed = refused or bool(verdicts & {Verdict.FAILED, Verdict.UNKNOWN})
        if failed or self.missing or self.unreadable:
            return 1
        return 0 if verdicts <= {Verdict.IN_SYNC} else 2

    @property
    def job(self) -> Job:
        """What a report over all of them was made of: the run that reports, or the newest of them.
        Where every job died, only the one that reports knows."""
        if self.by.run:
            return self.by
        jobs = [each.job for each in self.results]
        return max(jobs, key=lambda job: (job.number, job.attempt), default=Job())
