"""Signals while something is applied: it is asked to end, never left. With engines: `tests/e2e`."""

from __future__ import annotations

import os
import signal
import time

from driftctl_py.adapters.stop import Stop
from driftctl_py.cli.interrupt import interruptibly


def test_what_is_applied_is_waited_for_however_often_somebody_asks() -> None:
    stop, said = Stop(), list[str]()

    def apply() -> str:
        # As an impatient person, or two schedulers.
        for asked in range(1, 5):
            os.kill(os.getpid(), (signal.SIGINT, signal.SIGTERM)[asked % 2])
            until = time.monotonic() + 30
            while len(said) < asked and time.monotonic() < until:
                time.sleep(0.005)
        return "applied"

    assert interruptibly(apply, stop, said.append, applying=lambda: True) == "applied"
    assert len(said) == 4
    assert said[0].startswith("stopping: what is being applied is waited for")
    assert set(said[1:]) == {"what is being applied is still waited for"}
    assert stop.please


def test_an_apply_that_ends_after_it_was_asked_leaves_the_handlers_as_they_were() -> None:
    before = signal.getsignal(signal.SIGTERM)

    assert interruptibly(lambda: 1, Stop(), lambda _: None, applying=lambda: True) == 1
    assert signal.getsignal(signal.SIGTERM) is before
