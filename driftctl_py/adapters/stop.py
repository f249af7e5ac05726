"""A wish to stop. Not in `process`: who starts no program need not import what starts them."""

from __future__ import annotations

import threading
from collections.abc import Callable


class Stop:
    """A wish to stop, shared by every program that runs: once means "please", twice "now"."""

    def __init__(self) -> None:
        self._asked = 0
        self._lock = threading.Lock()
        self._tell: list[Callable[[], None]] = []

    def ask(self) -> None:
        with self._lock:
            self._asked += 1
            tell, self._tell = self._tell, []
        for each in tell:
            each()

    def when_asked(self, tell: Callable[[], None]) -> Callable[[], None]:
        """Call ``tell`` once, when somebody asks, for what does not look here by itself. What is
        returned takes that back."""
        with self._lock:
            if not self._asked:
                self._tell.append(tell)
                return lambda: self._forget(tell)
        tell()
        return lambda: None

    def _forget(self, tell: Callable[[], None]) -> None:
        with self._lock:
            if tell in self._tell:
                self._tell.remove(tell)

    @property
    def please(self) -> bool:
        return self._asked >= 1

    @property
    def now(self) -> bool:
        return self._asked >= 2
