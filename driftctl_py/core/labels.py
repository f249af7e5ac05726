"""The labels of a pull request: what there is to see in the list of all of them.

Only these are ever taken off again; what people put on, even with our prefix, is theirs.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from driftctl_py.core.assessment import Totals
from driftctl_py.core.check import Verdict
from driftctl_py.core.forge import Label
from driftctl_py.core.result import Results, Standing

_PREFIX = "driftctl:"

DESTROYS = Label("destroys", "b60205", "Merging destroys or replaces something")
CHANGES = Label("changes", "fbca04", "Merging changes infrastructure")
DRIFT = Label("drift", "d93f0b", "Something was changed outside Git")
NEEDS_APPROVAL = Label("needs-approval", "5319e7", "Somebody must say yes before it is applied")
REFUSED = Label("refused", "b60205", "Rules or policies forbid it")
FAILED = Label("failed", "000000", "No plan, or none that can be trusted")
NO_CHANGES = Label("no-changes", "0e8a16", "Merging changes no infrastructure")

_PENDING = (Verdict.PENDING, Verdict.DRIFTED_AND_PENDING)
_ALL = (DESTROYS, CHANGES, DRIFT, NEEDS_APPROVAL, REFUSED, FAILED, NO_CHANGES)


@dataclass(frozen=True, slots=True)
class Relabelling:
    """What to put on, and what to take off. What is right already is in neither."""

    add: tuple[Label, ...]
    remove: tuple[str, ...]


def relabelled(results: Results, *, now: Collection[str], scope: str = "") -> Relabelling:
    """For a pull request that has the labels ``now``. Each scope has labels of its own, so that two
    workflows do not take them away from each other."""
    wanted = {_named(each, scope).name: _named(each, scope) for each in _wanted(results)}
    ours = [_named(each, scope).name for each in _ALL]
    return Relabelling(
        tuple(label for name, label in wanted.items() if name not in now),
        tuple(name for name in ours if name in now and name not in wanted),
    )


def _wanted(results: Results) -> list[Label]:
    failed = bool(results.missing or results.unreadable) or any(
        each.verdict in (Verdict.FAILED, Verdict.UNKNOWN) for each in results.results
    )
    standings = {each.gate.standing for each in results.results if each.gate}
    destroys = any(
        each.destroys or (each.totals and each.totals.destroy) for each in results.results
    )
    # Outputs change without being counted.
    changes = any(
        each.verdict in _PENDING or each.totals not in (None, Totals()) for each in results.results
    )
    drifted = any(each.drifted for each in results.results)
    said = {
        DESTROYS: destroys,
        CHANGES: changes or destroys,
        DRIFT: drifted,
        NEEDS_APPROVAL: Standing.HELD in standings,
        REFUSED: Standing.REFUSED in standings,
        FAILED: failed,
    }
    return [label for label, is_so in said.items() if is_so] or [NO_CHANGES]


def _named(label: Label, scope: str) -> Label:
    within = f"{scope}:" if scope else ""
    return Label(f"{_PREFIX}{within}{label.name}", label.color, label.description)
