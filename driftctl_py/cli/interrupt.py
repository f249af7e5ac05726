"""Ctrl-C, in order: the first asks, the second insists, the third leaves.

The work runs beside the main thread, which waits for it and for signals. So a signal never lands
in the middle of the work, and what is asked to stop is asked from a place that holds no lock.
SIGTERM (a scheduler) and SIGHUP (a closed terminal) mean the same: engines run in sessions of
their own and would go on without us. What is being applied is waited for, however often one asks.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from queue import Empty, SimpleQueue
from threading import Thread
from typing import Generic, NoReturn, Protocol, TypeVar

T = TypeVar("T")


class Stop(Protocol):
    """What the work is told by: once means "please", twice "now"."""

    def ask(self) -> None: ...


# Once insisted, engines are killed; what then still runs waits for a network that does not answer.
_PATIENCE_SECONDS = 5.0
_STOPPING = "stopping: the engines are asked to end; press Ctrl-C again to end them at once"
_APPLYING = (
    "stopping: what is being applied is waited for; after `apply_grace` the engine is asked to end"
)


class _Work(Generic[T]):
    """What the work came to."""

    def __init__(self, work: Callable[[], T], ended: SimpleQueue[bool]) -> None:
        self._work = work
        self._ended = ended
        self._results: list[T] = []
        self._error: BaseException | None = None

    def run(self) -> None:
        try:
            self._results.append(self._work())
        except BaseException as error:  # noqa: BLE001 - raised again where it is waited for
            self._error = error
        self._ended.put(True)

    def result(self) -> T:
        if self._error is not None:
            raise self._error
        return self._results[0]


def _never() -> bool:
    return False


def interruptibly(
    work: Callable[[], T],
    stop: Stop,
    tell: Callable[[str], None],
    *,
    applying: Callable[[], bool] = _never,
) -> T:
    """The result of ``work``; signals on the way are passed on to ``stop``. ``tell`` says to the
    person who pressed Ctrl-C what is waited for. While something is ``applying`` it is waited for,
    however often somebody asks."""
    # True: the work has ended; False: a signal came. Putting is safe in a signal handler.
    news: SimpleQueue[bool] = SimpleQueue()
    doing = _Work(work, news)
    with _signals_to(news):
        Thread(target=doing.run, name="work", daemon=True).start()
        asked = 0
        while True:
            try:
                ended = news.get(timeout=_PATIENCE_SECONDS if asked >= 2 else None)
            except Empty:
                if not applying():
                    _leave()
                continue
            if ended:
                return doing.result()
            asked += 1
            if applying():
                tell(_APPLYING if asked == 1 else "what is being applied is still waited for")
            elif asked > 2:
                _leave()
            else:
                tell(_STOPPING if asked == 1 else "ending the engines now")
            stop.ask()


@contextmanager
def _signals_to(news: SimpleQueue[bool]) -> Iterator[None]:
    before = {}
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        # What is ignored on purpose (nohup, a job in the background) stays ignored.
        if signal.getsignal(number) is not signal.SIG_IGN:
            before[number] = signal.signal(number, lambda *_: news.put(False))
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _leave() -> NoReturn:
    """End at once, whatever still waits for whom. Engines were killed when it was insisted."""
    if sys.stderr is not None:  # closed by whoever started us
        # A live display hid the cursor, and nobody else brings it back.
        cursor = "\x1b[?25h" if sys.stderr.isatty() else ""
        sys.stderr.write(f"{cursor}interrupted; nothing was changed\n")
        sys.stderr.flush()
    os._exit(130)
