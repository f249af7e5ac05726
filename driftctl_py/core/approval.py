"""Who said yes to what, and whether that is enough.

An approval is given to a meaning: the plan's fingerprint under the governing digest, for one state
of one environment. Not to a file, which differs each time it is made, and not to a commit, which
an unrelated push replaces. Any change of content makes it fit no more.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Binding:
    """What an approval is good for; all four have to be the same. ``governing`` is the digest."""

    environment: str
    fingerprint: str
    governing: str
    lineage: str


@dataclass(frozen=True, slots=True)
class Identity:
    """Who somebody is, and how that is known. ``text`` is spelled ``PROOF:NAME``:
    ``github:ada``, ``aws:arn:aws:iam::123456789012:user/ada``, ``key:ada``, ``os:ada``."""

    text: str

    @property
    def proof(self) -> str:
        return self.text.partition(":")[0]

    @property
    def verified(self) -> bool:
        """The operating system's word is not: who runs a shell may call himself anything."""
        return self.proof in ("github", "aws", "key")


@dataclass(frozen=True, slots=True)
class People:
    """Who is who, and who belongs to what. ``aliases`` are, by a person's name, identities
    (``github:ada``) and e-mail addresses; ``groups`` hold names of persons."""

    aliases: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    groups: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    def name_of(self, identity: str) -> str | None:
        """The person who has this identity or e-mail address; None for a stranger."""
        raise NotImplementedError

    def groups_of(self, name: str) -> frozenset[str]:
        raise NotImplementedError


@dataclass(frozen=True, slots=True)
class Requirement:
    """What it takes. ``count`` different persons, each in one of ``groups`` (empty: in any group
    at all). ``author_may``: who wrote what is to be applied may approve it. ``unverified``: the
    operating system's word counts."""

    count: int = 1
    groups: tuple[str, ...] = ()
    author_may: bool = False
    unverified: bool = False
    expires_seconds: int = 24 * 3600


@dataclass(frozen=True, slots=True)
class Approval:
    """One yes, or one no (``yes`` False), by one person at one moment."""

    id: str
    run: str
    binding: Binding
    by: Identity
    yes: bool
    at: datetime
    expires_at: datetime
    reason: str
    commit: str = ""


@dataclass(frozen=True, slots=True)
class Passed:
    """An approval that does not count, and why, as a clause: ``it expired at …``."""

    approval: Approval
    why: str


@dataclass(frozen=True, slots=True)
class Standing:
    """Where it stands: ``given`` count, one for each person; ``missing`` more are needed.
    ``rejected`` is a no that stands: it outranks every yes."""

    given: tuple[Approval, ...] = ()
    missing: int = 0
    rejected: Approval | None = None
    passed: tuple[Passed, ...] = ()

    @property
    def enough(self) -> bool:
        return self.missing == 0 and self.rejected is None


def standing(
    approvals: Sequence[Approval],
    binding: Binding,
    requirement: Requirement,
    people: People,
    *,
    authors: Sequence[str],
    now: datetime,
) -> Standing:
    """What the approvals of an environment are worth for one plan of it, now. ``authors`` are
    e-mail addresses or identities."""
    raise NotImplementedError


def may_approve(
    by: Identity, requirement: Requirement, people: People, *, authors: Sequence[str]
) -> str:
    """Why this one's yes would not count, as a sentence; empty when it would."""
    raise NotImplementedError
