"""The audit trail: who did what, when and on which evidence; a chain of hashes.

Each entry holds the hash of the one before, so nothing can be edited, taken out or put in without
everything after it being wrong. A chain cannot see that its end was cut off: so its head is
anchored elsewhere after each run, and `verify` compares the two.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from hashlib import sha256

from driftctl_py.core.approval import Approval, Binding
from driftctl_py.core.canonical import canonical


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
    "reviewed",
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

# Part of every hash: changes whenever an entry would be spelled another way.
_VERSION = b"a1"


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
    said = (
        number,
        before,
        event.what,
        # One moment has one spelling, whatever the zone in which it was written.
        event.at.astimezone(UTC).isoformat(timespec="microseconds"),
        event.who,
        event.environment,
        event.run,
        event.evidence,
    )
    return Entry(number, event, before, sha256(_VERSION + canonical(said)).hexdigest())


def tells_of(entry: Entry, approval: Approval) -> bool:
    """Whether this entry, as it was hashed, records just that approval."""
    event, evidence = entry.event, entry.event.evidence
    return (
        event.what == ("approved" if approval.yes else "rejected")
        and event.at == approval.at
        and event.who == approval.by.text
        and event.run == approval.run
        and evidence.get("approval") == approval.id
        and _binding(event) == approval.binding
        # Entries from before anybody asked have none.
        and evidence.get("violations", "") == approval.seal
        and chained(event, entry.number, entry.before).hash == entry.hash
    )


def verify(
    entries: Iterable[Entry],
    anchors: Sequence[Anchor],
    approvals: Sequence[Approval] | None = None,
) -> tuple[int, tuple[Flaw, ...]]:
    """How many entries there are, and every flaw: edited, missing, out of order, cut off, an apply
    that rests on an approval that nobody gave. Reads the entries once, so a long trail need not
    fit into memory.

    ``approvals`` are all that are kept beside the trail, read after the anchors and before the
    entries: each must have its entry, and each entry of before the last anchor its approval.
    """
    flaws: list[Flaw] = []
    waiting = set(anchors)
    anchored = {anchor.number for anchor in anchors}
    count, last, last_hash = 0, 0, START
    given: dict[str, Binding] = {}
    kept = {each.id: each for each in approvals or ()}
    told: set[str] = set()
    for entry in entries:
        count += 1
        flaws.extend(_flaws(entry, last, last_hash))
        flaws.extend(_unapproved(entry, given))
        if entry.event.what in ("approved", "rejected"):
            id = entry.event.evidence.get("approval", "")
            if entry.event.what == "approved":
                given[id] = _binding(entry.event)
            if id in kept and tells_of(entry, kept[id]):
                told.add(id)
            elif approvals is not None and (id in kept or entry.number <= max(anchored, default=0)):
                how = "is not what is kept of it" if id in kept else "is not kept any more"
                what = f"The approval {id} that entry {entry.number} records {how}."
                flaws.append(Flaw(entry.number, what))
        if entry.number in anchored:
            waiting.discard(Anchor(entry.number, entry.hash))
        if entry.number > last:
            last, last_hash = entry.number, entry.hash
    for anchor in sorted(waiting, key=lambda each: (each.number, each.hash)):
        if anchor.number > last:
            end = f"the trail ends at entry {last}" if last else "the trail is empty"
            what = f"Entry {anchor.number} was anchored, but {end}: the rest was cut off."
        else:
            what = (
                f"Entry {anchor.number} was anchored with the hash {_short(anchor.hash)}, which no "
                "entry of that number has: the trail was written anew from there or before."
            )
        flaws.append(Flaw(anchor.number, what))
    for approval in kept.values():
        if approval.id not in told:
            what = (
                f"The approval {approval.id} of {approval.binding.environment} by "
                f"{approval.by.text} is kept, but no entry says just that: it was not given."
            )
            flaws.append(Flaw(last, what))
    return count, tuple(flaws)


def _binding(event: Event) -> Binding:
    """What the event of an approval says that it is good for."""
    said = event.evidence.get
    return Binding(
        event.environment, said("fingerprint", ""), said("governing", ""), said("lineage", "")
    )


def _unapproved(entry: Entry, given: Mapping[str, Binding]) -> Iterator[Flaw]:
    """What is wrong with the approvals that an apply says it rests on."""
    event = entry.event
    if event.what != "apply began":
        return
    wanted = _binding(event)
    for id in event.evidence.get("approvals", "").split():
        found = given.get(id)
        if found is None:
            why = "which no earlier entry records"
        else:
            # Older entries do not say on which state it was.
            lineage = found.lineage if "lineage" not in event.evidence else wanted.lineage
            if found == replace(wanted, lineage=lineage):
                continue
            why = "which was given for something else"
        what = f"Entry {entry.number} applies on the strength of the approval {id}, {why}."
        yield Flaw(entry.number, what)


def _flaws(entry: Entry, last: int, last_hash: str) -> Iterator[Flaw]:
    """What is wrong with an entry where it stands, after entry ``last``."""
    number = entry.number
    if number <= last:
        yield Flaw(number, f"Entry {number} comes after entry {last}: out of order, or twice.")
    elif number == last + 2:
        yield Flaw(number - 1, f"Entry {number - 1} is missing.")
    elif number > last + 2:
        yield Flaw(last + 1, f"Entries {last + 1} to {number - 1} are missing.")
    elif entry.before != last_hash:
        told = f"does not follow entry {last}" if last else "is not the first of a trail"
        yield Flaw(
            number,
            f"Entry {number} {told}: it names {_short(entry.before)} as the hash of the one "
            f"before, which is {_short(last_hash)}.",
        )
    if chained(entry.event, number, entry.before).hash != entry.hash:
        yield Flaw(
            number, f"Entry {number} was edited: what it says does not give the hash it has."
        )


def _short(digest: str) -> str:
    return f"{digest[:12]}…"
