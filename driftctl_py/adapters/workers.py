"""Who of those that share our data directory is still alive.

Each process that works holds a file there for as long as it lives (flock), so the system itself
says when it is dead: at once, without a heartbeat, and whatever its number is given to next.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import time
from collections.abc import Iterator
from pathlib import Path

from driftctl_py.errors import Unavailable

# What is left of the dead is of use only while somebody may ask after them.
_KEPT_SECONDS = 24 * 3600


class Workers:
    """Those of one data directory."""

    def __init__(self, data_dir: Path) -> None:
        self._home = data_dir / "workers"

    @contextlib.contextmanager
    def at_work(self, worker: str) -> Iterator[None]:
        """Be seen to be alive, under a name that nobody else has."""
        path = self._path(worker)
        try:
            self._home.mkdir(parents=True, exist_ok=True, mode=0o700)
            self._sweep()
            descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
        except OSError as error:
            raise Unavailable(
                f"The data directory cannot be written ({path}): {error.strerror}.",
                todo="Make room or correct its permissions, or choose another with --data-dir.",
            ) from error
        try:
            with contextlib.suppress(OSError):  # a file system that knows no locks
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            yield
        finally:
            path.unlink(missing_ok=True)
            os.close(descriptor)

    def is_dead(self, worker: str) -> bool:
        """Whether that process has certainly ended. False also where nobody here can know."""
        try:
            descriptor = os.open(self._path(worker), os.O_RDONLY)
        except OSError:
            return False
        try:
            fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except OSError:
            return False
        else:
            return True
        finally:
            os.close(descriptor)

    def _sweep(self) -> None:
        for path in self._home.iterdir():
            with contextlib.suppress(OSError):
                age = time.clock_gettime(time.CLOCK_REALTIME) - path.stat().st_mtime
                if age > _KEPT_SECONDS and self.is_dead(path.name):
                    path.unlink()

    def _path(self, worker: str) -> Path:
        return self._home / worker.replace("/", "_")
