"""What an approval of a run's plan is bound to, what stands behind it, and whether that was applied
already."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import TYPE_CHECKING

from driftctl_py.core.approval import Approval, Backing, Binding
from driftctl_py.core.audit import tells_of
from driftctl_py.core.history import binding_of
from driftctl_py.core.run import Run
from driftctl_py.errors import StoreError

# What a check is made of takes longer to load than a thousand environments to read.
if TYPE_CHECKING:
    from driftctl_py.app.ports import Store


def required_binding(run: Run) -> Binding:
    """What an approval of this run's plan is good for. Raises `StoreError` for a run without a
    plan."""
    binding = binding_of(run)
    if binding is None:
        raise StoreError(
            f"Run {run.id} is {run.state.value} and has no plan that could be approved.",
            todo=f"Make one: driftctl-py plan {run.environment}",
        )
    return binding


def last_applied(store: Store, binding: Binding) -> datetime | None:
    """When something was last applied that meant just this; None when it never was."""
    return store.applied_at(binding)


def backing_of(store: Store, approvals: Iterable[Approval], binding: Binding) -> Backing:
    """What stands behind those of the approvals that were given for this: an entry of the trail,
    and the key that they were given by. The trail is only looked into where there are any."""
    alike = {each.id: each for each in approvals if each.binding == binding}
    if not alike:
        return Backing()
    told, keys = set(), {}
    for entry in store.entries_of("approved", "rejected", "key added"):
        evidence = entry.event.evidence
        if entry.event.what == "key added":
            keys[evidence.get("name", "")] = entry.event.at
        elif (given := alike.get(evidence.get("approval", ""))) and tells_of(entry, given):
            told.add(given.id)
    there = store.keys()
    return Backing(frozenset(told), {name: since for name, since in keys.items() if name in there})
