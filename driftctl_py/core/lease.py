"""A run lock: ours, not the engine's. One pass at a time over one environment, wherever."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Lease:
    """Who works at an environment. ``beat_at`` is the last sign of life; after ``seconds`` without
    one the lock may be taken over. ``worker`` is ``host:pid``."""

    environment: str
    run: str
    worker: str
    taken_at: datetime
    beat_at: datetime
    seconds: float = 60.0
