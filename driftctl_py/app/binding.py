"""What an approval of a run's plan is bound to, and whether that was applied already."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from driftctl_py.core.approval import Binding
from driftctl_py.core.history import binding_of
from driftctl_py.core.run import Run, State
from driftctl_py.errors import StoreError

# What a check is made of takes longer to load than a thousand environments to read.
if TYPE_CHECKING:
    from driftctl_py.app.ports import Store

# However it ended: an apply was begun on the strength of an approval.
_APPLIED = (
    State.APPLIED,
    State.UNVERIFIED,
    State.NOT_CONVERGED,
    State.PARTLY_APPLIED,
    State.UNKNOWN,
)


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
    applied = store.runs(environment=binding.environment, states=_APPLIED, limit=1000)
    alike = [each for each in applied if binding_of(each) == binding]
    return max((each.ended_at or each.started_at for each in alike), default=None)
