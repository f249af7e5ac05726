"""Who said yes to what, and whether that is enough.

An approval is given to a meaning: the plan's fingerprint under the governing digest, for one state
of one environment. Not to a file, which differs each time it is made, and not to a commit, which
an unrelated push replaces. Any change of content makes it fit no more.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from hashlib import sha256

from driftctl_py.core.canonical import canonical
from driftctl_py.core.values import Value


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
    (``github:ada``) and e-mail addresses; ``groups`` hold names of persons.

    An AWS identity may end in ``*``, since each session of an assumed role is called otherwise:
    ``aws:arn:aws:sts::123456789012:assumed-role/Admin/*``.
    """

    aliases: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    groups: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    def name_of(self, identity: str) -> str | None:
        """The person who has this identity or e-mail address; None for a stranger, and where it
        would be several persons."""
        names = self.names_of(identity)
        return next(iter(names)) if len(names) == 1 else None

    def names_of(self, identity: str) -> frozenset[str]:
        """Everybody who may be meant."""
        wanted = [_plain(identity)]
        if noreply := _NOREPLY.fullmatch(wanted[0]):
            wanted.append(f"github:{noreply[1]}")
        return frozenset(
            name
            for name, aliases in self.aliases.items()
            if any(_fits(_plain(alias), each) for alias in aliases for each in wanted)
        )

    def groups_of(self, name: str) -> frozenset[str]:
        return frozenset(group for group, members in self.groups.items() if name in members)


# What GitHub writes into the commits of those who keep their address to themselves.
_NOREPLY = re.compile(r"(?:[0-9]+\+)?([^@+]+)@users\.noreply\.github\.com")


def _plain(identity: str) -> str:
    """GitHub's names and e-mail addresses are the same in capitals; nothing else is."""
    exact = identity.startswith(("aws:", "key:", "os:"))
    return identity if exact else identity.lower()


def _fits(alias: str, identity: str) -> bool:
    if alias.startswith("aws:") and alias.endswith("*"):
        rest = identity.removeprefix(alias[:-1])
        return rest != identity and rest != "" and "/" not in rest
    return alias == identity


@dataclass(frozen=True, slots=True)
class Ask:
    """``count`` different persons, each in one of ``groups`` (empty: in any group at all)."""

    count: int
    groups: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Requirement:
    """What it takes. ``count`` different persons, each in one of ``groups`` (empty: in any group
    at all), and whom rules want to be asked: at least one of each group of ``each_of``, and as many
    as each of ``asks`` says. Each is to be met by itself, and one person speaks for all of them
    that he fits. ``author_may``: who wrote what is to be applied may approve it. ``unverified``:
    the operating system's word counts."""

    count: int = 1
    groups: tuple[str, ...] = ()
    author_may: bool = False
    unverified: bool = False
    expires_seconds: int = 24 * 3600
    each_of: tuple[str, ...] = ()
    asks: tuple[Ask, ...] = ()

    def also(self, groups: Iterable[str], asks: Iterable[Ask] = ()) -> Requirement:
        """And somebody of each of these groups, too, and what is asked beside."""
        return replace(
            self,
            each_of=tuple(dict.fromkeys((*self.each_of, *groups))),
            asks=tuple(dict.fromkeys((*self.asks, *asks))),
        )


@dataclass(frozen=True, slots=True)
class Violation:
    """A rule, a policy or a limit that has something against a plan. ``address`` and ``deposed``
    say of which object, empty: of the plan as a whole. The greater ``level``, the graver."""

    rule: str
    level: int
    address: str = ""
    deposed: str = ""
    message: str = ""

    @property
    def words(self) -> str:
        """``dba-only (module.db.aws_db_instance.main)``."""
        return f"{self.rule} ({self.address or 'the plan as a whole'})"

    @property
    def digest(self) -> str:
        """What an approval remembers it by. A policy may say more than one thing of an object, and
        another one tomorrow, so what it says is part of it."""
        said: list[Value] = [self.rule, self.level, self.address, self.deposed, self.message]
        return sha256(canonical(said)).hexdigest()[:32]


@dataclass(frozen=True, slots=True)
class Approval:
    """One yes, or one no (``yes`` False), by one person at one moment. ``violations`` are the
    digests of those that the plan had then; None: written down by a version that did not ask."""

    id: str
    run: str
    binding: Binding
    by: Identity
    yes: bool
    at: datetime
    expires_at: datetime
    reason: str
    commit: str = ""
    violations: tuple[str, ...] | None = None

    @property
    def seal(self) -> str:
        """Of the violations, for the audit trail; empty where nobody asked for them."""
        if self.violations is None:
            return ""
        return sha256("\n".join(sorted(set(self.violations))).encode()).hexdigest()


# `decision.Level.DENY`.
_GRAVEST_LEVEL = 3


@dataclass(frozen=True, slots=True)
class Backing:
    """What stands behind approvals: ``entries`` are the ids of those that the audit trail tells of
    too, just as they are; ``keys`` says of each approver's key since when there is this one."""

    entries: frozenset[str] = frozenset()
    keys: Mapping[str, datetime] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Passed:
    """An approval that does not count, and why, as a clause: ``it expired at …``."""

    approval: Approval
    why: str


@dataclass(frozen=True, slots=True)
class Standing:
    """Where it stands: ``given`` count, one for each person; at least ``missing`` more are needed,
    among them somebody of each group of ``lacking``, and as many as each of ``short`` says, which
    are those that are missing. ``rejected`` is a no that stands: it outranks every yes."""

    given: tuple[Approval, ...] = ()
    missing: int = 0
    rejected: Approval | None = None
    passed: tuple[Passed, ...] = ()
    lacking: tuple[str, ...] = ()
    short: tuple[Ask, ...] = ()

    @property
    def enough(self) -> bool:
        return not (self.missing or self.lacking or self.short or self.rejected)


def standing(
    approvals: Sequence[Approval],
    binding: Binding,
    requirement: Requirement,
    people: People,
    *,
    authors: Sequence[str],
    violations: Collection[Violation],
    now: datetime,
    applied_at: datetime | None = None,
    backing: Backing | None = None,
) -> Standing:
    """What the approvals of an environment are worth for one plan of it, now. ``authors`` are
    e-mail addresses or identities, ``violations`` those that the plan has now: a yes is to no more
    of them than there were when it was given. ``applied_at`` is when something was last applied
    that meant just this: a yes is good for one apply, and one that was given before is used up.
    ``backing`` makes a yes count only with an entry of the trail, and the key that they were given
    by; without it neither is asked.

    The last word of each person decides, and a no of an author counts where their yes does not.
    """
    passed: list[Passed] = []
    last: dict[str, Approval] = {}
    for each in sorted(approvals, key=_in_order):
        why = (
            _other_binding(each.binding, binding)
            or _not_by(each.by, requirement, people)
            or _not_backed(each, backing)
        )
        name = people.name_of(each.by.text)
        if why or name is None:
            passed.append(Passed(each, why))
            continue
        if earlier := last.pop(name, None):
            word = "yes" if each.yes else "no"
            passed.append(Passed(earlier, f"{name} said {word} later, at {moment(each.at)}"))
        last[name] = each
    given: dict[str, Approval] = {}
    rejected: Approval | None = None
    for name, each in last.items():
        expires = _expires(each, requirement)
        if each.yes and applied_at is not None and each.at <= applied_at:
            passed.append(
                Passed(each, f"it was used when this was applied at {moment(applied_at)}")
            )
        elif now >= expires:
            passed.append(Passed(each, f"it expired at {moment(expires)}"))
        elif not each.yes:
            rejected = each
        elif why := (
            _is_author(name, requirement, people, authors) or _breaks_more(each, violations)
        ):
            passed.append(Passed(each, why))
        else:
            given[name] = each
    missing, lacking, short = _still_needed(given, requirement, people)
    return Standing(tuple(given.values()), missing, rejected, tuple(passed), lacking, short)


def may_approve(
    by: Identity,
    requirement: Requirement,
    people: People,
    *,
    authors: Sequence[str],
    yes: bool = True,
) -> str:
    """Why this one's yes, or no, would not count, as a sentence; empty when it would."""
    why = _not_by(by, requirement, people)
    if not why and yes:
        name = people.name_of(by.text) or by.text
        why = _is_author(name, requirement, people, authors)
    # Whoever is named keeps his spelling.
    return f"{why.replace('nobody', 'Nobody', 1)}." if why else ""


def may_ever_approve(requirement: Requirement, people: People) -> frozenset[str]:
    """Everybody whose yes would count, if they wrote nothing of it themselves."""
    return frozenset(
        name
        for name, aliases in people.aliases.items()
        if any(
            # An e-mail address proves nothing; nobody comes with one.
            ":" in alias and not _not_by(Identity(alias), requirement, people)
            for alias in aliases
        )
    )


def broken_since(digests: Iterable[str], violations: Iterable[Violation]) -> tuple[str, ...]:
    """In words, what of the violations is not among those with these digests, or was less grave
    then. What is less grave by now is nothing new."""
    known = frozenset(digests)
    new = (
        each.words
        for each in violations
        if not any(
            replace(each, level=level).digest in known
            for level in range(each.level, _GRAVEST_LEVEL + 1)
        )
    )
    return tuple(dict.fromkeys(new))


def _in_order(approval: Approval) -> tuple[datetime, bool, str]:
    """Of a yes and a no at one moment, the no is the last word."""
    return approval.at, not approval.yes, approval.id


def _other_binding(given: Binding, wanted: Binding) -> str:
    if not (wanted.fingerprint and wanted.governing):
        return "it is not known what it would be good for"
    parts = {
        "environment": given.environment == wanted.environment,
        "meaning of the plan (its fingerprint)": given.fingerprint == wanted.fingerprint,
        "content, engine or setting (the governing digest)": given.governing == wanted.governing,
        "state (its lineage)": given.lineage == wanted.lineage,
    }
    others = [f"another {name}" for name, same in parts.items() if not same]
    return f"it was given for {' and '.join(others)}" if others else ""


def _not_by(by: Identity, requirement: Requirement, people: People) -> str:
    """Why it is nobody's who is to be asked; whoever wrote it."""
    name = people.name_of(by.text)
    if name is None:
        if several := sorted(people.names_of(by.text)):
            return f"{by.text} may be any of {', '.join(several)}"
        return f"nobody in `people` or `groups` of driftctl.yaml is {by.text}"
    if not (by.verified or requirement.unverified):
        return f"{by.text} is unverified, which counts only where `approval.unverified` is true"
    groups, asked = people.groups_of(name), {*requirement.groups, *requirement.each_of}
    asked.update(group for ask in requirement.asks for group in ask.groups)
    anybody = not requirement.groups or not all(ask.groups for ask in requirement.asks)
    if not anybody and not groups & asked:
        return f"{name} is in none of the groups that are asked: {', '.join(sorted(asked))}"
    if not groups:
        return f"{name} is in no group of driftctl.yaml"
    return ""


def _not_backed(approval: Approval, backing: Backing | None) -> str:
    """Why nobody can tell any more that this was said by whom it names."""
    # A no stands whoever doubts it.
    if backing is None or not approval.yes:
        return ""
    if approval.id not in backing.entries:
        return "the audit trail has no such entry"
    if approval.by.proof != "key":
        return ""
    since = backing.keys.get(approval.by.text.removeprefix("key:"))
    if since is None:
        return "its key was removed"
    if since > approval.at:
        return f"its key was removed, and another one added at {moment(since)}"
    return ""


def _is_author(name: str, requirement: Requirement, people: People, authors: Sequence[str]) -> str:
    wrote = any(name in people.names_of(author) for author in authors)
    if wrote and not requirement.author_may:
        return f"{name} wrote what is to be applied, and somebody else has to approve it"
    return ""


def _expires(approval: Approval, requirement: Requirement) -> datetime:
    """No later than what is required by now allows."""
    return min(approval.expires_at, approval.at + timedelta(seconds=requirement.expires_seconds))


def _breaks_more(approval: Approval, violations: Collection[Violation]) -> str:
    new = broken_since(approval.violations or (), violations)
    if not new:
        return ""
    if approval.violations is None:
        return "it was written down by a version that did not ask which rules the plan breaks"
    some = ", ".join(new[:3]) + (f" and {len(new) - 3} more" if len(new) > 3 else "")
    return f"since then the plan breaks rules that it did not break: {some}"


def _still_needed(
    names: Iterable[str], requirement: Requirement, people: People
) -> tuple[int, tuple[str, ...], tuple[Ask, ...]]:
    """How many more at least, of which groups nobody said yes, and what is missing of what is
    asked beside."""
    groups = [people.groups_of(name) for name in names]

    def missing(ask: Ask) -> int:
        wanted = frozenset(ask.groups)
        counted = sum(bool(each & wanted) if wanted else bool(each) for each in groups)
        # Nothing is ever approved by nobody.
        return max(max(ask.count, 1) - counted, 0)

    lacking = tuple(
        group for group in requirement.each_of if not any(group in each for each in groups)
    )
    asks = ((replace(ask, count=missing(ask))) for ask in requirement.asks)
    short = tuple(ask for ask in asks if ask.count)
    own = missing(Ask(requirement.count, requirement.groups))
    return max(own, int(bool(lacking)), *(ask.count for ask in short)), lacking, short


def moment(at: datetime) -> str:
    """``2026-11-24 09:14 UTC``."""
    return f"{at.astimezone(UTC):%Y-%m-%d %H:%M} UTC"
