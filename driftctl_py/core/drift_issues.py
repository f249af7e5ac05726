"""An issue per drifted environment: when it is opened, brought up to date, closed and reopened.

An issue is found by its marker (``marker``) and by who wrote it. In it stands what we last wrote,
so what a person did since can be told: one who closes it by hand while there is drift has seen this
drift, and hears of it again when it has become another. What could not be looked at is no reason to
close anything.

Not here: the words (``report``), and the forge (``app/publishing.py``).
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from enum import Enum
from typing import TypeAlias, assert_never

from driftctl_py.core import marker as markers
from driftctl_py.core.approval import moment
from driftctl_py.core.check import Verdict
from driftctl_py.core.forge import Issue, Label
from driftctl_py.core.marker import Marker, Turn, marked, newer, read_marker
from driftctl_py.core.result import Result

KIND = "drift"
LABEL = Label("driftctl:drift", "d93f0b", "Something was changed outside Git")
"""By which issues are found again; whoever takes it off, takes the issue out of our hands."""


class Found(Enum):
    """What a check says of drift in an environment."""

    DRIFTED = "drifted"
    NONE = "no drift"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Look:
    """One environment as a check found it. ``digest`` stands for the drift; ``words`` say what was
    found in a clause, as Markdown, and ``line`` says it shortly, as plain text."""

    environment: str
    found: Found
    at: datetime
    words: str
    line: str
    digest: str = ""


@dataclass(frozen=True, slots=True)
class Text:
    """What an issue says."""

    title: str
    body: str


Write: TypeAlias = Callable[[str, datetime, Sequence[str]], Text]
"""The text for an environment: drifted since when, and the lines of its history."""


@dataclass(frozen=True, slots=True)
class Open:
    """There is none yet."""

    environment: str
    title: str
    body: str


@dataclass(frozen=True, slots=True)
class Change:
    """Write it anew, and say ``comment`` beneath it where there is one. ``title`` is None where it
    stays; ``what`` was done, in a word or two."""

    environment: str
    number: int
    open: bool
    title: str | None
    body: str
    what: str
    comment: str = ""


@dataclass(frozen=True, slots=True)
class Leave:
    """It stays as it is."""

    environment: str
    number: int
    why: str


Act: TypeAlias = Open | Change | Leave

_OPEN, _CLOSED, _DUPLICATE = "open", "closed", "duplicate"
_NOTE = "<!-- driftctl-py: note -->"
_END = "<!-- driftctl-py: end of note -->"


def decide(
    existing: Sequence[Issue],
    looks: Sequence[Look],
    *,
    turn: Turn,
    write: Write,
    scope: str = "",
    configured: Collection[str] | None = None,
) -> tuple[Act, ...]:
    """What to do, in the order of ``looks``. ``configured`` are all environments that there are;
    None where that is not known, and then none is taken for gone."""
    known = _known(existing, scope)
    acts: list[Act] = []
    for look in looks:
        acts += _of(look, known.pop(look.environment, []), turn, scope, write)
    if configured is not None:
        for environment, issues in known.items():
            if environment not in configured:
                acts += _gone(environment, issues, turn)
    return tuple(acts)


def look_of(result: Result, *, words: str, line: str) -> Look:
    """What a check says of an environment."""
    drifted = (Verdict.DRIFTED, Verdict.DRIFTED_AND_PENDING)
    found = Found.DRIFTED if result.verdict in drifted else Found.NONE
    if result.verdict in (Verdict.UNKNOWN, Verdict.FAILED):
        found = Found.UNKNOWN
    digest = _digest(result) if found is Found.DRIFTED else ""
    return Look(result.environment, found, result.finished_at, words, line, digest)


@dataclass(frozen=True, slots=True)
class _Known:
    """An issue of ours, and what was last written into it."""

    issue: Issue
    marker: Marker
    body: str

    @property
    def by_hand(self) -> bool:
        """Has somebody closed or reopened it since?"""
        return self.issue.open is not (self.marker.state == _OPEN)


def _known(existing: Sequence[Issue], scope: str) -> dict[str, list[_Known]]:
    """Ours by environment, the oldest first; not those that are known to be duplicates."""
    found: dict[str, list[_Known]] = {}
    for issue in sorted(existing, key=lambda issue: issue.number):
        marker, body = read_marker(issue.body) if issue.ours else (None, "")
        if marker is None or (marker.kind, marker.scope) != (KIND, scope):
            continue
        if marker.state != _DUPLICATE:
            found.setdefault(marker.environment, []).append(_Known(issue, marker, body))
    return found


def _of(look: Look, known: list[_Known], turn: Turn, scope: str, write: Write) -> list[Act]:
    if not known:
        return [_open(look, turn, scope, write)] if look.found is Found.DRIFTED else []
    kept, *others = known
    if ahead := [each for each in known if each.marker.version > markers.VERSION]:
        why = "a newer version of driftctl-py has written it"
        return [Leave(look.environment, ahead[0].issue.number, why)]
    if later := [each for each in known if newer(each.marker.turn, turn)]:
        # The newer run moves what it found into the oldest one by itself.
        behind = [each for each in others if not newer(each.marker.turn, kept.marker.turn)]
        left = Leave(look.environment, later[0].issue.number, "a newer run has written it")
        return [left, *(_duplicate(each, kept, turn) for each in behind if kept is later[0])]
    match look.found:
        case Found.DRIFTED:
            acts = [_drifted(look, kept, turn, write)]
        case Found.NONE:
            acts = [_healed(look, kept, turn)]
        case Found.UNKNOWN:
            acts = [_unknown(look, kept, turn)]
        case _ as never:
            assert_never(never)
    return acts + [_duplicate(each, kept, turn) for each in others]


def _open(look: Look, turn: Turn, scope: str, write: Write) -> Open:
    marker = Marker(
        KIND,
        scope,
        turn,
        look.digest,
        environment=look.environment,
        state=_OPEN,
        since=look.at.isoformat(),
        history=(_line(look),),
    )
    text = write(look.environment, look.at, marker.history)
    return Open(look.environment, text.title, marked(marker, text.body))


def _drifted(look: Look, kept: _Known, turn: Turn, write: Write) -> Act:
    was = kept.marker
    again = was.state == _CLOSED
    if kept.by_hand and not again and look.digest == was.digest:
        # Who closed it has seen just this.
        return Leave(look.environment, kept.issue.number, "somebody closed it, and nothing changed")
    changed = again or look.digest != was.digest
    since = look.at if again else _since(was, look.at)
    history = (*was.history, _line(look)) if changed else was.history
    marker = replace(
        was,
        turn=turn,
        digest=look.digest,
        state=_OPEN,
        since=since.isoformat(),
        history=history[-markers.HISTORY_AT_MOST :],
    )
    text = write(look.environment, since, marker.history)
    if kept.issue.open:
        return _change(kept, marker, text.body, "updated", title=text.title)
    comment = "There is drift again" if again else "The drift has become another"
    return _change(
        kept,
        marker,
        text.body,
        "reopened",
        title=text.title,
        comment=f"{comment}: {look.words}.",
    )


def _healed(look: Look, kept: _Known, turn: Turn) -> Act:
    was, number = kept.marker, kept.issue.number
    if was.state == _CLOSED:
        why = "somebody reopened it, and there is no drift" if kept.issue.open else "no drift"
        return Leave(look.environment, number, why)
    marker = _after(kept, turn, _line(look))
    body = _noted(f"**No drift any more**, {moment(look.at)}: {look.words}.", kept.body)
    if kept.by_hand:
        # It is written down, so that the same drift is told when it returns.
        return _change(kept, marker, body, "noted that there is no drift any more")
    return _change(kept, marker, body, "closed", comment=f"No drift any more: {look.words}.")


def _unknown(look: Look, kept: _Known, turn: Turn) -> Act:
    if not kept.issue.open or kept.marker.state == _CLOSED:
        return Leave(look.environment, kept.issue.number, "it is not known what is now")
    marker = replace(kept.marker, turn=turn)
    note = (
        f"**Whether this is still so is not known.** The check of {moment(look.at)} could not "
        f"tell: {look.words}."
    )
    return _change(kept, marker, _noted(note, kept.body), "noted that nobody knows")


def _duplicate(each: _Known, kept: _Known, turn: Turn) -> Act:
    said = f"The same as #{kept.issue.number}, which stays."
    marker = replace(each.marker, turn=turn, state=_DUPLICATE)
    return _change(each, marker, _noted(said, each.body), "closed as a duplicate", comment=said)


def _gone(environment: str, known: list[_Known], turn: Turn) -> list[Act]:
    """What the configuration does not hold any more is not looked at again."""
    said = "This environment is not in the configuration any more, so nobody looks at it."
    return [
        _change(
            each,
            _after(each, turn, "not in the configuration any more"),
            _noted(said, each.body),
            "closed, since its environment is gone",
            comment=said,
        )
        for each in known
        if each.issue.open and each.marker.state == _OPEN and not newer(each.marker.turn, turn)
    ]


def _after(kept: _Known, turn: Turn, line: str) -> Marker:
    history = (*kept.marker.history, line)[-markers.HISTORY_AT_MOST :]
    return replace(kept.marker, turn=turn, digest="", state=_CLOSED, history=history)


def _change(
    kept: _Known,
    marker: Marker,
    body: str,
    what: str,
    *,
    title: str | None = None,
    comment: str = "",
) -> Act:
    whole = marked(marker, body)
    open_ = marker.state == _OPEN
    same = (whole.strip(), title or kept.issue.title, open_) == (
        kept.issue.body.replace("\r\n", "\n").strip(),
        kept.issue.title,
        kept.issue.open,
    )
    if same:
        return Leave(marker.environment, kept.issue.number, "it says the same")
    return Change(marker.environment, kept.issue.number, open_, title, whole, what, comment)


def _noted(note: str, body: str) -> str:
    """The body with this note above it, in the place of an earlier one."""
    _, end, below = body.partition(_END)
    rest = below if end and body.lstrip().startswith(_NOTE) else body
    return f"{_NOTE}\n> {note}\n\n{_END}\n{rest.lstrip()}"


def _line(look: Look) -> str:
    return f"{moment(look.at)}: {look.line}"


def _since(was: Marker, now: datetime) -> datetime:
    """As it was written down, unless somebody has changed it into what is no moment."""
    try:
        return datetime.fromisoformat(was.since).astimezone(UTC)
    except ValueError:
        return now


def _digest(result: Result) -> str:
    """Stands for what was changed outside Git, whatever else there is to tell."""
    drifted = sorted(
        (item.address, item.deposed, item.action, *item.lines)
        for item in result.items
        if item.drifted
    )
    return markers.digest("\n".join([str(result.drifted), *map(repr, drifted)]))
