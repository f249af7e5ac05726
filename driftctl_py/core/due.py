"""When an environment's turn is. Pure: moments come in and go out.

Each has a place of its own in its interval, found from its name. So a thousand environments on one
interval are spread over it, stay where they are when the controller is started anew, and two
controllers agree without talking.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from hashlib import sha256


def place_in(interval_seconds: int, name: str) -> float:
    """How many seconds into each interval the environment's turn is."""
    digest = sha256(name.encode()).digest()
    return int.from_bytes(digest[:8]) / 2**64 * interval_seconds


def first_due(
    name: str, interval_seconds: int, *, now: datetime, last: datetime | None
) -> datetime:
    """Its next turn, for a controller that starts now. At once when ``last``, the moment of its
    last pass, is longer ago than an interval, or there was none."""
    if last is None or (now - last).total_seconds() >= interval_seconds:
        return now
    into = (now.timestamp() - place_in(interval_seconds, name)) % interval_seconds
    return now + timedelta(seconds=interval_seconds - into)
