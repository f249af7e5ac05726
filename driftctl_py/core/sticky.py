"""The one comment of ours on a pull request: what to do with the comments that are there.

Jobs race, finish out of order and are started again, and people delete and edit. So each run
looks at what is there and goes one step towards the one end: one comment, of the newest run. The
oldest comment of ours is the one that stays. Nobody ever deletes that one, nor one that is newer
than it; so whoever comes, in whatever order, never leaves none behind.

Not here: asking the forge and doing it (``app/publishing.py``).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from typing import TypeAlias

from driftctl_py.core import marker as markers
from driftctl_py.core.forge import Comment
from driftctl_py.core.marker import Marker, Turn, marked, outranks, read_marker
from driftctl_py.core.result import Occasion

# GitHub takes 65,536 characters. A byte is at least as much as a character.
_COMMENT_AT_MOST = 65_536
_NOTICE_AT_MOST = 256
BODY_AT_MOST = _COMMENT_AT_MOST - markers.AT_MOST - _NOTICE_AT_MOST
"""For what a comment says there are that many bytes; the rest is for what is put above it."""

KIND_OF = {Occasion.CHECK: "check", Occasion.REVIEW: "plan", Occasion.APPLY: "apply"}
"""What a comment is: a plan and what became of it are told in two."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What the comment is to say, and of which run it is. A pull request has one comment for each
    ``kind`` and ``scope``. ``volatile`` are words of the body that say nothing of what was found,
    as the address of the run's log."""

    body: str
    turn: Turn
    kind: str = "plan"
    scope: str = ""
    volatile: tuple[str, ...] = ()


class Why(Enum):
    """Why a comment is written, or left as it is."""

    NEW = "there was none"
    CHANGED = "it says something else"
    NEXT = "it says the same, and is of a newer run now"
    EDITED = "somebody had changed it"
    SAME = "it says the same"
    OLDER = "a newer run has written it"
    AHEAD = "a newer version of driftctl-py has written it"


@dataclass(frozen=True, slots=True)
class Create:
    """There is none of ours."""

    body: str
    why: Why = Why.NEW


@dataclass(frozen=True, slots=True)
class Edit:
    """Write into this one first, and then delete those."""

    id: int
    body: str
    why: Why
    delete: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Leave:
    """This one stays as it is; delete those."""

    id: int
    why: Why
    delete: tuple[int, ...] = ()


Act: TypeAlias = Create | Edit | Leave


def decide(existing: Sequence[Comment], wanted: Wanted, *, head: str = "") -> Act:
    """What a run does about it. ``head`` is the pull request's head as it is now, read after the
    comments were; empty where that says nothing, as after a merge."""
    marker, text = _written(wanted, head)
    body = marked(marker, text)
    ours = _ours(existing, wanted.kind, wanted.scope)
    if not ours:
        return Create(body)
    (kept, now), *others = ours
    if ahead := [comment for comment, its in ours if its.version > markers.VERSION]:
        return Leave(ahead[0].id, Why.AHEAD)
    for comment, its in ours:
        if outranks(its.turn, wanted.turn, head=head):
            # The newer run moves what it says into the oldest one by itself.
            behind = [
                each.id for each, whose in others if not outranks(whose.turn, now.turn, head=head)
            ]
            return Leave(comment.id, Why.OLDER, tuple(behind))
    spare = tuple(comment.id for comment, _ in others)
    why = _why(kept, now, marker)
    return Leave(kept.id, why, spare) if why is Why.SAME else Edit(kept.id, body, why, spare)


def latest(existing: Sequence[Comment], scope: str, *, head: str = "") -> Turn | None:
    """The newest run that wrote any comment of ours of that scope."""
    turns = [marker.turn for kind in KIND_OF.values() for _, marker in _ours(existing, kind, scope)]
    return markers.newest(turns, head=head) if turns else None


def _ours(existing: Sequence[Comment], kind: str, scope: str) -> list[tuple[Comment, Marker]]:
    """The oldest first. A marker in what somebody else wrote was copied, and is none of ours."""
    found = []
    for comment in sorted(existing, key=lambda comment: comment.id):
        marker, _ = read_marker(comment.body) if comment.ours else (None, "")
        if marker is not None and (marker.kind, marker.scope) == (kind, scope):
            found.append((comment, marker))
    return found


def _why(kept: Comment, now: Marker, wanted: Marker) -> Why:
    _, text = read_marker(kept.body)
    if markers.digest(text) != now.text:
        return Why.EDITED
    if now.digest != wanted.digest:
        return Why.CHANGED
    # The next run is written down even if it says the same: an older one may come yet.
    return Why.SAME if now.turn.same_run(wanted.turn) else Why.NEXT


def _written(wanted: Wanted, head: str) -> tuple[Marker, str]:
    body = _notice(wanted.turn.head, head) + wanted.body
    marker = Marker(
        wanted.kind,
        wanted.scope,
        wanted.turn,
        digest=markers.digest(body, volatile=wanted.volatile),
        text=markers.digest(body),
    )
    return marker, body


def _notice(planned: str, head: str) -> str:
    """A push that starts no run, as one by a bot, leaves what the last run said standing."""
    if not head or not planned or head == planned:
        return ""
    return (
        f"> **Of an older commit:** this was made of `{planned[:7]}`, and the pull request is at "
        f"`{head[:7]}` now.\n\n"
    )
