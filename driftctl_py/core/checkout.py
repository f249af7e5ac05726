"""Facts handed between the adapters: what was checked out, and what was planned there."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from pathlib import PurePath


@dataclass(frozen=True, slots=True)
class Revision:
    """One state of one source, pinned.

    ``commit`` is a full SHA. ``dirty`` says that the files lie there changed: what is planned is
    then not what any commit holds, so it may be reported but never stored, approved or applied.
    ``display_url`` is safe to show (no user, no password, no token).
    """

    source: str
    display_url: str
    ref: str
    commit: str
    committed_at: datetime | None = None
    dirty: bool = False
    in_place: bool = False

    @property
    def short(self) -> str:
        """``77b0de4``, or ``77b0de4+dirty``."""
        return self.commit[:7] + ("+dirty" if self.dirty else "")


@dataclass(frozen=True, slots=True)
class Checkout:
    """A revision laid out on the disk at ``root``. For a source that is planned in place it is
    the user's own directory: nothing may be written there."""

    revision: Revision
    root: PurePath


@dataclass(frozen=True, slots=True)
class Changes:
    """The files, by their paths from the repository's root, that differ from what the commit
    ``base`` holds; of one that was renamed both names. ``unsure``, a clause, says why that cannot
    be told."""

    base: str = ""
    paths: frozenset[str] = frozenset()
    unsure: str = ""
