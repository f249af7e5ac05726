"""What a pass left behind that died: read from what the engine wrote, never guessed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from driftctl_py.app.applying import Applier
from driftctl_py.app.order import Order
from driftctl_py.app.ports import Clock, Store
from driftctl_py.core.limits import Limits
from driftctl_py.core.run import State
from driftctl_py.errors import Interrupted


class Recovery:
    """Brings runs to an end that nobody works at any more."""

    def __init__(self, applier: Applier, *, store: Store, clock: Clock) -> None:
        self._applier = applier
        self._store = store
        self._clock = clock

    def recover(self, order: Order, *, limits: Callable[[], Limits]) -> None:
        """The caller holds the run lock, so whatever is under way has nobody any more. ``limits``
        are those that hold there, asked for where there is something to count."""
        under_way = self._store.runs(
            environment=order.environment.name, states=(State.PLANNING, State.APPLYING), limit=100
        )
        for run in under_way:
            if run.state is State.PLANNING:
                self._store.save(
                    replace(
                        run,
                        state=State.INTERRUPTED,
                        ended_at=self._clock(),
                        reason=f"{run.worker} ended in the middle of it; nothing was applied.",
                    )
                )
                continue
            if not self._applier.has_log(run):
                self._applier.give_up(run, actor=order.actor)
            elif self._applier.find_end(run, actor=order.actor, limits=limits()) is None:
                raise Interrupted(
                    f"Stopped while the engine of run {run.id} was still applying; it goes on.",
                    todo="The next pass records how it ended: driftctl-py status "
                    f"{run.environment}",
                )
