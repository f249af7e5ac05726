"""The decision: may this plan be applied, now, by us?

Each change is judged by the rules that match it, or else by the mode of what caused it: a commit
or somebody's hand. The plan is judged as its worst change is. What cannot be decided is denied.
Facts come in as values and a decision goes out as one; nothing here reads a clock or a file.

Not here: what makes an approval count (``approval``), and the rules themselves (the next issue's
``policy``), of which this only takes the rulings.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum, IntEnum
from typing import TypeAlias

from driftctl_py.core.approval import Approval, Requirement, Standing
from driftctl_py.core.assessment import Assessment
from driftctl_py.core.environment import ApplyModes
from driftctl_py.core.plan import Plan


class Level(IntEnum):
    """A lattice: the worse of two is the greater."""

    ALLOW = 0
    WARN = 1
    APPROVE = 2
    DENY = 3


class Cause(Enum):
    """Why there is something to do."""

    DRIFT = "drift"
    COMMIT = "commit"
    BOTH = "drift and commit"
    UNDETERMINED = "undetermined"


@dataclass(frozen=True, slots=True)
class Ruling:
    """What one rule, or a mode, says about one change. ``rule`` is its name (``apply.drift: auto``
    for a mode), ``where`` its ``file:line``, ``groups`` whom it wants to be asked."""

    level: Level
    rule: str
    where: str = ""
    message: str = ""
    groups: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Rulings:
    """What the rules say: by address and deposed key of a change (an output is ``output.NAME``,
    an action its address), and about the plan as a whole. ``broken`` says why the rules could not
    be asked, as a sentence; nothing is then allowed."""

    of_change: Mapping[tuple[str, str], tuple[Ruling, ...]] = field(default_factory=dict)
    of_plan: tuple[Ruling, ...] = ()
    broken: str = ""


@dataclass(frozen=True, slots=True)
class Judged:
    """One change, and what was said of it, the worst first. ``what`` says in a word or a path
    what it is: ``create``, ``tags.team``."""

    address: str
    cause: Cause
    what: str
    rulings: tuple[Ruling, ...]
    deposed: str = ""

    @property
    def level(self) -> Level:
        return max((ruling.level for ruling in self.rulings), default=Level.DENY)


@dataclass(frozen=True, slots=True)
class Judgement:
    """All changes of a plan, the worst first, and what was said of it as a whole."""

    changes: tuple[Judged, ...] = ()
    of_plan: tuple[Ruling, ...] = ()

    @property
    def level(self) -> Level:
        levels = [each.level for each in self.changes] + [each.level for each in self.of_plan]
        return max(levels, default=Level.DENY)

    @property
    def groups(self) -> tuple[str, ...]:
        """Whom rules want to be asked, beside what the environment requires."""
        raise NotImplementedError


@dataclass(frozen=True, slots=True)
class Nothing:
    """There is nothing to apply. ``why`` is a sentence."""

    why: str


@dataclass(frozen=True, slots=True)
class Apply:
    """Apply it. ``approvals`` are those that it rests on; none where none was needed."""

    judgement: Judgement
    approvals: tuple[Approval, ...] = ()


@dataclass(frozen=True, slots=True)
class Hold:
    """People must say yes first: ``standing.missing`` more of those whom ``requirement`` names."""

    judgement: Judgement
    requirement: Requirement
    standing: Standing


@dataclass(frozen=True, slots=True)
class Refuse:
    """No, and nobody's yes helps. ``reasons`` are sentences; ``todo`` what to do instead."""

    reasons: tuple[str, ...]
    judgement: Judgement | None = None
    todo: str = ""


Decision: TypeAlias = Nothing | Apply | Hold | Refuse


@dataclass(frozen=True, slots=True)
class Obstacle:
    """Something outside the plan that forbids to apply: suspended, an ``errored.tfstate``, a
    pinned commit. A sentence, and what to do about it."""

    why: str
    todo: str = ""


def judge(
    plan: Plan,
    assessment: Assessment,
    modes: ApplyModes,
    rulings: Rulings,
    *,
    code_is_applied: bool,
) -> Judgement:
    """What is said of each change that apply would make. ``code_is_applied``: the last apply of
    this environment converged under the same governing digest, so that an output which changes
    now does so because the world moved, not the code."""
    raise NotImplementedError


def applyable(plan: Plan) -> bool:
    """Would `apply` do anything with it? As the engine says, or by its own predicate where it
    does not say (reference, section 1.1). False for what is errored."""
    raise NotImplementedError


def decide(
    plan: Plan,
    assessment: Assessment,
    judgement: Judgement,
    requirement: Requirement,
    standing: Standing,
    *,
    rulings: Rulings,
    obstacles: tuple[Obstacle, ...] = (),
    accepting: bool = False,
    now: datetime,
) -> Decision:
    """In this order: incomplete or errored → Refuse; nothing applyable → Nothing; an obstacle,
    broken rules or a denial → Refuse; a standing no → Refuse; approve → Hold until there is
    enough; else Apply. ``accepting``: it is a refresh-only plan, which only writes the state."""
    raise NotImplementedError
