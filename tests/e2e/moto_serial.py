"""moto without three of its habits: a program that prints its port and serves until it is ended.

Two requests at once can both "put an object unless it exists"; here they come one after the other.
And its queues forget and misspell (`make_exact`), which the AWS provider takes for a change of
somebody's, or waits for until it gives up.
"""

from __future__ import annotations

import json
import logging
import sys
import threading
from collections.abc import Callable, Iterable
from typing import Any

from moto.moto_server.werkzeug_app import (
    DomainDispatcherApplication,
    MotoRequestHandler,
    create_backend_app,
)
from moto.sqs.models import Queue
from werkzeug.serving import make_server


def make_exact(queue: Any) -> None:
    """Make moto's class of queues keep and spell attributes as SQS does. Not a subclass: moto
    keeps a register of those by the package that they come from."""
    set_attributes = queue._set_attributes
    attributes = queue.attributes.fget

    def set_and_keep(self: Any, given: dict[str, Any], now: float | None = None) -> None:
        # moto drops the policy whenever another attribute is set.
        kept = getattr(self, "_policy_json", None)
        before = {"Policy": json.dumps(kept)} if kept else {}
        set_attributes(self, {**before, **given}, now)

    def compact(self: Any) -> dict[str, Any]:
        found: dict[str, Any] = attributes(self)
        if self.redrive_policy:
            # moto puts spaces into it, and the provider compares this one as text.
            found["RedrivePolicy"] = json.dumps(self.redrive_policy, separators=(",", ":"))
        return found

    queue._set_attributes = set_and_keep
    queue.attributes = property(compact)
    # moto knows no such attribute; what is set by name becomes one of the object's.
    queue.redrive_allow_policy = None
    queue.BASE_ATTRIBUTES = [*queue.BASE_ATTRIBUTES, "RedriveAllowPolicy"]


class OneAtATime:
    """moto's WSGI application behind a lock."""

    def __init__(self) -> None:
        self._moto = DomainDispatcherApplication(create_backend_app)
        self._lock = threading.Lock()

    def __call__(
        self, environ: dict[str, Any], start_response: Callable[..., Any]
    ) -> Iterable[bytes]:
        with self._lock:
            # Read whole under the lock: what is answered lazily must not see a later request.
            answer = self._moto(environ, start_response)
            try:
                return list(answer)
            finally:
                if close := getattr(answer, "close", None):
                    close()


def main() -> None:
    make_exact(Queue)
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = make_server(
        "127.0.0.1", 0, OneAtATime(), threaded=True, request_handler=MotoRequestHandler
    )
    sys.stdout.write(f"{server.server_port}\n")
    sys.stdout.flush()
    server.serve_forever()


if __name__ == "__main__":
    main()
