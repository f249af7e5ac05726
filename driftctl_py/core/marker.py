"""The hidden first line of what we wrote on a forge: what it is, and which run wrote it.

``<!-- driftctl-py: {"v":1,"kind":"plan",…} -->``. By it a later run finds what an earlier one
wrote, and tells which of the two is the newer. A marker alone proves nothing, since anybody can
copy one: whoever reads it asks first whether the author is us.

Not here: what follows from it, for comments (``sticky``) and for issues (``drift_issues``).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import reduce
from hashlib import sha256

import msgspec

from driftctl_py.core.result import Job
from driftctl_py.errors import UsageError

VERSION = 1
AT_MOST = 4_096
"""No marker has more bytes than that, so that whoever renders knows what room is left."""
HISTORY_AT_MOST = 20

_SCOPE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,23}")
_LINE = re.compile(r"<!-- driftctl-py: (\{.*\}) -->")
_COMMIT = re.compile(r"[0-9a-f]{7,64}")
_LONGEST_LINE = 120


@dataclass(frozen=True, slots=True)
class Turn:
    """Which run of CI it was. ``run`` is its id, 0 where there is none; ``number`` counts the runs
    of one ``workflow``, ``attempt`` the tries of one run; ``head`` is the commit it was about."""

    number: int = 0
    attempt: int = 0
    head: str = ""
    run: int = 0
    workflow: str = ""

    def same_run(self, other: Turn) -> bool:
        """Are both of one run, whichever the attempt?"""
        return (self.run, self.number, self.workflow) == (other.run, other.number, other.workflow)


def turn_of(job: Job) -> Turn:
    run = job.run if job.run.isascii() and job.run.isdigit() and len(job.run) < 19 else "0"
    head = job.head if _COMMIT.fullmatch(job.head) else ""
    # Of the workflow's name only whether it is the same matters, and people give it any length.
    workflow = _short(job.workflow) if job.workflow else ""
    return Turn(job.number, job.attempt, head, int(run), workflow)


def newer(one: Turn, other: Turn) -> bool:
    """Is ``one`` certainly the newer of two runs?

    Ids grow over all workflows, but no document of GitHub promises it; numbers are promised to
    grow, but begin anew when a workflow's file is renamed, and mean nothing between two workflows.
    So what can be compared must agree, and what cannot be compared is not newer.
    """
    if one.run and one.run == other.run:
        return one.attempt > other.attempt
    signs = []
    if one.run and other.run:
        signs.append(one.run > other.run)
    if one.number and other.number and one.workflow == other.workflow:
        signs.append((one.number, one.attempt) > (other.number, other.attempt))
    return bool(signs) and all(signs)


def outranks(one: Turn, other: Turn, *, head: str = "") -> bool:
    """The same for what was written of a pull request whose head is ``head`` now: what is of that
    commit goes before what is not, however the runs were numbered. That is how a run that was
    started again after a force-push back replaces a later one of a commit that is gone."""
    if head and one.head and other.head and (one.head == head) is not (other.head == head):
        return one.head == head
    return newer(one, other)


def newest(turns: Sequence[Turn], *, head: str = "") -> Turn:
    """Of at least one; the first of those of which none is newer than the other."""
    return reduce(lambda found, each: each if outranks(each, found, head=head) else found, turns)


@dataclass(frozen=True, slots=True)
class Marker:
    """``digest`` stands for what the text says, ``text`` for how it was written to the letter.
    ``environment``, ``state``, ``since`` (ISO 8601) and ``history`` (lines, the latest last) are
    there for issues alone. ``version`` is that of the spelling."""

    kind: str
    scope: str
    turn: Turn
    digest: str
    text: str = ""
    environment: str = ""
    state: str = ""
    since: str = ""
    history: tuple[str, ...] = ()
    version: int = field(default=VERSION)


def marked(marker: Marker, body: str) -> str:
    """The body with the marker above it."""
    return f"{_spelled(marker)}\n{body}"


def read_marker(text: str) -> tuple[Marker | None, str]:
    """The marker of its first line, and what is below it. None where there is none of ours."""
    first, _, body = text.partition("\n")
    found = _LINE.fullmatch(first.rstrip())
    if found is None:
        return None, text
    try:
        wire = _decode(found[1])
    except (msgspec.DecodeError, RecursionError):
        return None, text
    turn = Turn(wire.number, wire.attempt, wire.head, wire.run, wire.workflow)
    return Marker(
        wire.kind,
        wire.scope,
        turn,
        wire.digest,
        wire.text,
        wire.environment,
        wire.state,
        wire.since,
        wire.history[-HISTORY_AT_MOST:],
        wire.v,
    ), body


def digest(text: str, *, volatile: Sequence[str] = ()) -> str:
    """Of a text, as a forge may hand it back: it ends lines in its own way, and trims. ``volatile``
    are words in it that say nothing of what was found, as the address of the run's log."""
    # The longest first: one may be the beginning of another.
    for words in sorted(filter(None, volatile), key=len, reverse=True):
        text = text.replace(words, "\0")
    return _short("\n".join(line.rstrip() for line in text.strip().splitlines()))


def read_scope(text: str) -> str:
    """A scope as somebody typed it. Raises `UsageError`."""
    if text and not _SCOPE.fullmatch(text):
        raise UsageError(
            f"{text[:60]!r} cannot be a scope: it becomes part of labels and of the names of "
            "checks.",
            todo="Use up to 24 letters, digits, dots, hyphens and underscores: --scope network",
        )
    return text


class _Wire(msgspec.Struct, omit_defaults=True):
    v: int
    kind: str
    scope: str = ""
    environment: str = ""
    state: str = ""
    since: str = ""
    head: str = ""
    run: int = 0
    workflow: str = ""
    number: int = 0
    attempt: int = 0
    digest: str = ""
    text: str = ""
    history: tuple[str, ...] = ()


_decode = msgspec.json.Decoder(_Wire).decode


def _spelled(marker: Marker) -> str:
    turn = marker.turn
    wire = _Wire(
        v=marker.version,
        kind=marker.kind,
        scope=marker.scope,
        environment=marker.environment,
        state=marker.state,
        since=marker.since,
        head=turn.head,
        run=turn.run,
        workflow=turn.workflow,
        number=turn.number,
        attempt=turn.attempt,
        digest=marker.digest,
        text=marker.text,
        history=tuple(line[:_LONGEST_LINE] for line in marker.history[-HISTORY_AT_MOST:]),
    )
    # Nothing in it may end the comment that hides it, or begin another. JSON reads both alike.
    hidden = msgspec.json.encode(wire).decode()
    for sign in ("<", ">", "--"):
        hidden = hidden.replace(sign, "".join(f"\\u{ord(each):04x}" for each in sign))
    return f"<!-- driftctl-py: {hidden} -->"


def _short(text: str) -> str:
    # Half of a surrogate pair is no character, but a name may hold one.
    return sha256(text.encode(errors="surrogatepass")).hexdigest()[:32]
