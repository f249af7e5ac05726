"""Names of objects that are numbered 1, 2, 3, …, and how one gets the next number.

Old ones are removed after a while, but never so soon that a number which somebody is about to put
could be free for the second time. A process may have slept between its look and its put, though; so
whoever comes late looks at what lies beside his own. For that, the first one is never removed, and
the second one not without the third.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from driftctl_py.adapters.store.objects import Created, Listing, Objects

FIRST = 1
_WIDTH = 12
# How old one has to be before it is removed, and how late is late. Well apart, since S3's moments
# are whole seconds, and those of a large object are of the beginning of its upload.
KEPT = timedelta(minutes=30)
LATE = timedelta(minutes=10)


def name_of(shelf: str, number: int) -> str:
    """``log/000000000042``; in the order of the numbers."""
    return f"{shelf}{number:0{_WIDTH}}"


def number_of(name: str) -> int | None:
    """None for what somebody else has put there."""
    last = name.rpartition("/")[2]
    return int(last) if len(last) == _WIDTH and last.isascii() and last.isdecimal() else None


def claim(
    objects: Objects, shelf: str, number: int, data: bytes, *, seen: datetime
) -> Created | None:
    """Put it under a number that was free at the moment ``seen``. None: it is somebody else's."""
    made = objects.create(name_of(shelf, number), data)
    if made is None or number == FIRST or made.at - seen < LATE:
        return made
    there = {number_of(item.name) for item in objects.listed(shelf).items}
    if number > FIRST + 1:
        return made if number - 1 in there else None
    beyond = there - {None, *range(number + 1)}
    return made if not beyond or number + 1 in beyond else None


def superfluous(listing: Listing, *, below: int) -> list[str]:
    """Names of those of smaller numbers that nobody can be about to put."""
    if below <= FIRST + 2:
        return []
    numbered = ((number_of(item.name), item) for item in listing.items)
    return [
        item.name
        for number, item in numbered
        if number is not None and FIRST < number < below and listing.at - item.at > KEPT
    ]
