"""Holding an environment's run lock while something is done with it, with a heartbeat.

Ours, not the engine's: it keeps two passes off one environment, on whichever machines they run.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from threading import Event, Thread

from driftctl_py.app.ports import Clock, Store
from driftctl_py.core.lease import Lease
from driftctl_py.errors import DriftctlError, Unavailable


class Busy(Unavailable):
    """Somebody else works at the environment."""

    def __init__(self, holder: Lease) -> None:
        super().__init__(
            f"{holder.environment} is being worked at by {holder.worker} (run {holder.run}), "
            f"since {holder.taken_at:%Y-%m-%d %H:%M:%S} UTC.",
            todo="Wait until it has ended: driftctl-py status. If that process is dead, its lock "
            f"is free {holder.seconds:g} seconds after its last sign of life, which was at "
            f"{holder.beat_at:%H:%M:%S} UTC.",
        )
        self.holder = holder


class Leases:
    """Takes run locks, for one worker. ``is_dead`` says of another whether it has certainly
    ended; else its lock is waited for."""

    def __init__(
        self,
        store: Store,
        *,
        worker: str,
        is_dead: Callable[[str], bool],
        clock: Clock,
        seconds: float = 60.0,
    ) -> None:
        self._store = store
        self._worker = worker
        self._is_dead = is_dead
        self._clock = clock
        self._seconds = seconds

    @contextmanager
    def held(self, environment: str, run: str) -> Iterator[Callable[[], None]]:
        """Raises `Busy` when somebody else holds it. What is given raises `Unavailable` when it
        was lost meanwhile, as in a machine that slept."""
        now = self._clock()
        lease = Lease(environment, run, self._worker, now, now, self._seconds)
        holder = self._store.take(lease)
        if holder is not None and self._is_dead(holder.worker):
            # Only that lock is freed, so of several who find it one takes it.
            self._store.free(holder)
            holder = self._store.take(lease)
        if holder is not None:
            raise Busy(holder)
        ended = Event()
        heart = Thread(target=self._beat, args=(lease, ended), name=f"heart of {environment}")
        heart.daemon = True
        heart.start()
        try:
            yield lambda: self._insist(lease)
        finally:
            ended.set()
            heart.join()
            # Not to be hidden behind an error of its own: a lock without a heartbeat frees itself.
            with suppress(DriftctlError):
                self._store.free(lease)

    def _insist(self, lease: Lease) -> None:
        if not self._store.beat(replace(lease, beat_at=self._clock())):
            raise Unavailable(
                f"Somebody else took over {lease.environment} meanwhile, since this process gave "
                "no sign of life; nothing was applied by it.",
                todo=f"See what they do: driftctl-py status {lease.environment}",
            )

    def _beat(self, lease: Lease, ended: Event) -> None:
        while not ended.wait(self._seconds / 4):
            # A store that does not answer for a moment is asked again; nothing else can be done,
            # least of all to an apply that runs.
            with suppress(DriftctlError):
                self._store.beat(replace(lease, beat_at=self._clock()))
