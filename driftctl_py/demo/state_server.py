"""The playground's S3: moto's, on this machine only, with every object also kept as a file.

moto forgets everything when it ends. A state is not to be forgotten, so after each request that
changed the bucket its objects are written to ``DIR/state``, before the client hears that it went
well, and a new server starts from them. Not an S3 for anything but the playground: one bucket,
one request at a time, no other of moto's services.

    python -m driftctl_py.demo.state_server DIR [--port N] [--while-parent PID]
"""

from __future__ import annotations

import argparse
import json
import logging
import os
import signal
import threading
from collections.abc import Callable, Iterable
from pathlib import Path, PurePosixPath
from typing import Any

BUCKET = "driftctl-demo"
REGION = "eu-central-1"
HOST = "127.0.0.1"
# Who listens: the answer names the playground, so that `--stop` never ends somebody else.
WHO = "/-/playground"

_Wsgi = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]
_PARENT_POLL_SECONDS = 1.0


def ready_file(directory: Path) -> Path:
    """Holds ``{"pid": …, "port": …}`` while a server serves ``directory``."""
    return directory / ".playground" / "state-server.json"


class KeptBucket:
    """moto's bucket and the folder that outlives it."""

    def __init__(self, folder: Path) -> None:
        from moto.core.models import DEFAULT_ACCOUNT_ID
        from moto.s3.models import s3_backends

        self._folder = folder
        self._backend = s3_backends[DEFAULT_ACCOUNT_ID]["aws"]
        self._backend.create_bucket(BUCKET, REGION)
        self._kept: dict[str, bytes] = {}
        for path in sorted(path for path in folder.rglob("*") if path.is_file()):
            if path.suffix == ".tmp":
                continue  # half-written when the last server ended; the object before it is there
            key = path.relative_to(folder).as_posix()
            self._kept[key] = path.read_bytes()
            self._backend.put_object(BUCKET, key, self._kept[key])

    def keep(self) -> None:
        """Make the folder what the bucket is."""
        # Read one by one, as a client would: what moto keeps behind a key differs by release.
        keys = [str(key) for key in self._backend.get_bucket(BUCKET).keys if _is_plain(str(key))]
        found = {key: self._backend.get_object(BUCKET, key) for key in keys}
        now = {key: bytes(content.value) for key, content in found.items() if content is not None}
        for key in self._kept.keys() - now.keys():
            (self._folder / key).unlink(missing_ok=True)
        for key, content in now.items():
            if self._kept.get(key) != content:
                _write(self._folder / key, content)
        self._kept = now


class Application:
    """moto's WSGI application behind the three things that it lacks: a name, a memory, and
    requests that do not race (a native state lock is "put unless it exists")."""

    def __init__(self, moto: _Wsgi, bucket: KeptBucket, directory: Path) -> None:
        self._moto = moto
        self._bucket = bucket
        self._directory = directory
        self._lock = threading.Lock()

    def __call__(
        self, environ: dict[str, Any], start_response: Callable[..., Any]
    ) -> Iterable[bytes]:
        path = str(environ.get("PATH_INFO", ""))
        if path == WHO:
            start_response("200 OK", [("Content-Type", "application/json")])
            return [json.dumps({"pid": os.getpid(), "directory": str(self._directory)}).encode()]
        if path != f"/{BUCKET}" and not path.startswith(f"/{BUCKET}/"):
            # Above all /moto-api/reset, which would empty the bucket and so the folder.
            start_response("404 Not Found", [("Content-Type", "text/plain")])
            return [b"There is nothing here but the bucket of a driftctl-py playground.\n"]
        with self._lock:
            # Read whole under the lock: what moto answers lazily must not see a later request.
            answer = self._moto(environ, start_response)
            body = list(answer)
            close = getattr(answer, "close", None)
            if close is not None:
                close()
            if environ.get("REQUEST_METHOD") not in {"GET", "HEAD"}:
                self._bucket.keep()
        return body


def serve(directory: Path, port: int, parent: int | None) -> None:
    """Serve until SIGTERM, or until ``parent`` is gone."""
    from moto.moto_server.werkzeug_app import (
        DomainDispatcherApplication,
        MotoRequestHandler,
        create_backend_app,
    )
    from werkzeug.serving import make_server

    class _Quiet(MotoRequestHandler):
        def log_request(self, *args: object) -> None:
            """A kept playground's log would grow by a line per request, for ever."""

    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    folder = directory / "state"
    folder.mkdir(exist_ok=True)
    application = Application(
        DomainDispatcherApplication(create_backend_app), KeptBucket(folder), directory
    )
    server = make_server(HOST, port, application, threaded=True, request_handler=_Quiet)
    ready = ready_file(directory)
    _write(ready, json.dumps({"pid": os.getpid(), "port": server.server_port}).encode())
    # shutdown() waits for the loop that this very thread runs, so it is called from another.
    stop = threading.Thread(target=server.shutdown, daemon=True)
    signal.signal(signal.SIGTERM, lambda *_: stop.start() if not stop.ident else None)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if parent is not None:
        threading.Thread(target=_outlive, args=(parent, server.shutdown), daemon=True).start()
    try:
        server.serve_forever()
    finally:
        server.server_close()
        ready.unlink(missing_ok=True)


def _outlive(parent: int, shutdown: Callable[[], None]) -> None:
    """A demo that was killed cannot stop its server: notice that it is gone."""
    nap = threading.Event()
    while os.getppid() == parent:
        nap.wait(_PARENT_POLL_SECONDS)
    shutdown()


def _is_plain(key: str) -> bool:
    """Whether a key may become a path below the folder."""
    parts = PurePosixPath(key).parts
    return key == "/".join(parts) and ".." not in parts and not key.startswith("/")


def _write(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    halfway = path.with_name(path.name + ".tmp")
    halfway.write_bytes(content)
    halfway.replace(path)


def main() -> None:
    parser = argparse.ArgumentParser(prog="driftctl_py.demo.state_server")
    parser.add_argument("directory", type=Path)
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--while-parent", type=int, default=None)
    given = parser.parse_args()
    serve(given.directory.resolve(), given.port, given.while_parent)


if __name__ == "__main__":
    main()
