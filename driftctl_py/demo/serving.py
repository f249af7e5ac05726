"""Starting, finding and stopping the state server of a playground.

The server is a process of its own (`state_server.py`), since a kept playground outlives the
command that made it. Nothing is ended that does not answer as the server of that very directory.
"""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import signal
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from driftctl_py.adapters.process import Background, start_background
from driftctl_py.demo.state_server import HOST, WHO, ready_file
from driftctl_py.errors import Unavailable

_START_SECONDS = 60.0
_STOP_SECONDS = 10.0
_NAP_SECONDS = 0.02


@dataclass(frozen=True, slots=True)
class Running:
    """A server that answers for its playground."""

    pid: int
    port: int

    @property
    def url(self) -> str:
        return f"http://{HOST}:{self.port}"


def start(
    directory: Path, *, environ: Mapping[str, str], port: int = 0, parent: int | None = None
) -> tuple[Running, Background]:
    """Serve ``directory``; port 0 takes any free one. With ``parent`` the server ends when that
    process, ours, is gone."""
    log = directory / ".playground" / "state-server.log"
    ready_file(directory).unlink(missing_ok=True)
    argv = [sys.executable, "-P", "-m", "driftctl_py.demo.state_server", str(directory)]
    argv += ["--port", str(port)]
    argv += ["--while-parent", str(parent)] if parent is not None else []
    # The user's own AWS settings must not steer a server that only pretends to be AWS.
    env = {k: v for k, v in environ.items() if not k.startswith(("AWS_", "MOTO_"))}
    server = start_background(argv, cwd=directory, env=env, log=log)
    deadline = time.monotonic() + _START_SECONDS
    while server.alive and time.monotonic() < deadline:
        found = find(directory)
        if found is not None and found.pid == server.pid:
            return found, server
        time.sleep(_NAP_SECONDS)
    server.terminate()
    why = _last_line(log)
    raise Unavailable(
        f"The local S3 of the playground did not start{f' ({why})' if why else ''}, so there is "
        "nowhere to keep the states.",
        todo=f"Read {log}. If the port is taken, end the program that has it and try again.",
    )


def find(directory: Path) -> Running | None:
    """The server of this playground, if one is running and says that it is."""
    try:
        said = json.loads(ready_file(directory).read_text(encoding="utf-8"))
        running = Running(int(said["pid"]), int(said["port"]))
    except (OSError, ValueError, KeyError, TypeError):
        return None
    connection = http.client.HTTPConnection(HOST, running.port, timeout=5.0)
    try:
        connection.request("GET", WHO)
        answer = json.loads(connection.getresponse().read())
    except (OSError, ValueError, http.client.HTTPException):
        return None
    finally:
        connection.close()
    ours = {"pid": running.pid, "directory": str(directory)}
    return running if answer == ours else None


def stop(directory: Path) -> bool:
    """End the server of this playground; False when none is running."""
    running = find(directory)
    if running is None:
        return False
    with contextlib.suppress(ProcessLookupError):
        os.kill(running.pid, signal.SIGTERM)
    deadline = time.monotonic() + _STOP_SECONDS
    # The file goes last, when the port is free for the next server.
    while ready_file(directory).exists():
        if time.monotonic() > deadline:
            raise Unavailable(
                f"The local S3 of the playground (process {running.pid}) was asked to end and "
                f"still answers on port {running.port}.",
                todo=f"kill -9 {running.pid}",
            )
        time.sleep(_NAP_SECONDS)
    return True


def _last_line(log: Path) -> str:
    try:
        lines = log.read_text(encoding="utf-8", errors="replace").split("\n")
    except OSError:
        return ""
    return next((line.strip() for line in reversed(lines) if line.strip()), "")
