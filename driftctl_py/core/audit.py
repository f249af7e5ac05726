"""The audit trail: who did what, when and on which evidence; a chain of hashes.

Each entry holds the hash of the one before, so nothing can be edited, taken out or put in without
everything after it being wrong. A chain cannot see that its end was cut off: so its head is
anchored elsewhere after each run, and `verify` compares the two.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened and is to be recorded. ``what`` is a word of `KINDS`; ``evidence``
    are plain facts (fingerprint, governing digest, approval ids, artifact names), never secrets."""

    what: str
    at: datetime
    who: str
    environment: str = ""
    run: str = ""
    evidence: Mapping[str, str] = field(default_factory=dict)


KINDS = (
    "planned",
    "decided",
    "approved",
    "rejected",
    "apply began",
    "apply ended",
    "apply found ended",
    "suspended",
    "resumed",
    "pinned",
    "released",
    "key added",
    "key removed",
    "blocked",
    "unblocked",
)

START = "0" * 64
"""What the first entry names as the one before it."""


@dataclass(frozen=True, slots=True)
class Entry:
    """An event with its place in the chain; ``number`` counts from 1."""

    number: int
    event: Event
    before: str
    hash: str


@dataclass(frozen=True, slots=True)
class Anchor:
    """Where the chain's head was at one moment, kept apart from it."""

    number: int
    hash: str


@dataclass(frozen=True, slots=True)
class Flaw:
    """Something wrong with the trail, as a sentence; ``number`` is the entry it is about."""

    number: int
    what: str


def chained(event: Event, number: int, before: str) -> Entry:
    """The entry for an event."""
    raise NotImplementedError


def verify(entries: Iterable[Entry], anchors: Sequence[Anchor]) -> tuple[int, tuple[Flaw, ...]]:
    """How many entries there are, and every flaw: edited, missing, out of order, cut off. Reads
    the entries once, so a long trail need not fit into memory."""
    raise NotImplementedError
