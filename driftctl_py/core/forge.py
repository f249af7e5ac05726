"""What a forge holds of ours, as plain values: comments, issues, check runs, pull requests.

GitHub's words, since that is the one forge there is so far; another one fits by translating its
own into these. Not here: what is to be written into them (``report``), and when (``sticky``,
``drift_issues``).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum


@dataclass(frozen=True, slots=True)
class Comment:
    """A comment on a pull request or an issue. ``ours``: written by who we are on the forge."""

    id: int
    body: str
    author: str
    ours: bool
    created_at: datetime
    updated_at: datetime
    url: str = ""


@dataclass(frozen=True, slots=True)
class Pull:
    """A pull request. ``fork``: its head lies in a repository of somebody else's. ``merged``: one
    that is closed may have been turned down instead."""

    number: int
    open: bool
    locked: bool
    draft: bool
    fork: bool
    head: str
    base: str
    base_ref: str
    author: str
    labels: frozenset[str] = frozenset()
    merge: str = ""
    merged: bool = False


@dataclass(frozen=True, slots=True)
class Issue:
    """An issue. ``ours``: written by who we are on the forge."""

    number: int
    title: str
    body: str
    open: bool
    ours: bool
    labels: frozenset[str] = frozenset()
    assignees: tuple[str, ...] = ()
    url: str = ""


class Conclusion(Enum):
    """How a check ended, in GitHub's words."""

    SUCCESS = "success"
    NEUTRAL = "neutral"
    ACTION_REQUIRED = "action_required"
    FAILURE = "failure"


@dataclass(frozen=True, slots=True)
class Annotation:
    """A remark at lines of a file. ``level``: ``notice``, ``warning`` or ``failure``."""

    path: str
    line: int
    level: str
    title: str
    message: str


@dataclass(frozen=True, slots=True)
class CheckRun:
    """One line of a commit's list of checks. ``summary`` and ``text`` are Markdown of at most
    65,535 characters each; any number of annotations, which are sent 50 at a time."""

    name: str
    head: str
    conclusion: Conclusion
    title: str
    summary: str
    text: str = ""
    annotations: tuple[Annotation, ...] = ()
    url: str = ""
    external_id: str = ""


@dataclass(frozen=True, slots=True)
class CommitStatus:
    """The older, simpler kind of check. ``state``: ``success``, ``pending``, ``failure`` or
    ``error``; ``description`` has at most 140 characters."""

    context: str
    commit: str
    state: str
    description: str
    url: str = ""


class Role(Enum):
    """What somebody may do in a repository, as the forge says it, the least first."""

    NONE = "none"
    READ = "read"
    TRIAGE = "triage"
    WRITE = "write"
    MAINTAIN = "maintain"
    ADMIN = "admin"

    @property
    def may_write(self) -> bool:
        return self in (Role.WRITE, Role.MAINTAIN, Role.ADMIN)


@dataclass(frozen=True, slots=True)
class Label:
    """A label, as it is made where there is none of that name. ``color`` is six hexadecimal
    digits."""

    name: str
    color: str = "ededed"
    description: str = ""


@dataclass(frozen=True, slots=True)
class Published:
    """What was written, for the log and for outputs: ``what`` says it in words
    (``comment updated``), by the address of what was written (empty: none). ``failed``: it was not
    written though it should have been; ``what`` then says why, and ``todo`` what to do about it."""

    what: str
    url: str = ""
    failed: bool = False
    todo: str = ""
    details: Mapping[str, str] = field(default_factory=dict)
