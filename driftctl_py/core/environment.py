"""What the configuration says there is: sources, and the environments in them.

Plain facts, fully resolved (defaults filled in, globs expanded). How they are written down is
``config.py``'s business, how they are laid out on a disk an adapter's.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from enum import Enum
from typing import Literal, TypeVar

from driftctl_py.core.approval import Ask, Requirement
from driftctl_py.core.limits import Limits
from driftctl_py.core.policy import Policy
from driftctl_py.core.rule import Effect, Rule
from driftctl_py.core.values import Json
from driftctl_py.core.window import Freeze, Window

Each = TypeVar("Each")


@dataclass(frozen=True, slots=True)
class Source:
    """A Git repository. ``url`` is ``.`` (the repository that holds the configuration, planned
    as it lies), a path, or an https, ssh or file URL. ``ref`` None means: what HEAD says.
    ``token_env`` names the environment variable that holds an https token, never the token.
    """

    name: str
    url: str = "."
    ref: str | None = None
    token_env: str | None = None
    submodules: bool = False


@dataclass(frozen=True, slots=True)
class Credentials:
    """Whom to be in AWS: a named profile, or a role to assume (from the profile, if both)."""

    profile: str | None = None
    role_arn: str | None = None
    external_id: str | None = None
    session_name: str = "driftctl-py"


@dataclass(frozen=True, slots=True)
class EngineChoice:
    """Which program plans. ``use`` is ``auto``, ``tofu``, ``terraform``, ``embedded`` or a path;
    ``version`` a constraint as in ``required_version``."""

    use: str = "auto"
    version: str | None = None


@dataclass(frozen=True, slots=True)
class S3State:
    """Where states live. ``key`` is a template that holds ``{environment}``.

    ``lock`` is ``native`` (an object beside the state), ``dynamodb`` (``dynamodb_table``) or
    ``none``. ``endpoint`` is for S3 look-alikes; it also turns on path-style addresses and
    turns off the checks that only AWS itself answers.
    """

    bucket: str
    region: str
    key: str = "{environment}/terraform.tfstate"
    lock: Literal["native", "dynamodb", "none"] = "native"
    dynamodb_table: str | None = None
    endpoint: str | None = None
    kms_key_id: str | None = None


class Mode(Enum):
    """What becomes of changes of one cause."""

    AUTO = "auto"
    """Applied without asking."""
    GATE = "gate"
    """Held until people say yes."""
    NEVER = "never"


def stricter(one: Mode, other: Mode) -> Mode:
    return max(one, other, key=list(Mode).index)


@dataclass(frozen=True, slots=True)
class ApplyModes:
    """The two switches: for what a commit changes, and for what drift is put back."""

    git: Mode = Mode.NEVER
    drift: Mode = Mode.NEVER


@dataclass(frozen=True, slots=True)
class Environment:
    """One root module with one state.

    ``path`` is relative to the source's root, in POSIX spelling. ``variables`` hold JSON values;
    ``var_files`` are relative to the source's root. ``env`` are extra environment variables for
    the engine. ``parallelism`` None leaves the engine's own default. ``requirement`` is what it
    takes to approve a plan of it, ``rules`` and ``policies`` what else is said of what may be
    applied, ``timetables`` and ``freezes`` when; each timetable by itself has to let it. When we
    are to stop, a running apply has ``apply_grace_seconds`` to end by itself before the engine is
    asked to. ``reviewed``: only what a review showed may be applied.
    """

    name: str
    path: str
    source: str = "default"
    ref: str | None = None
    workspace: str = "default"
    variables: Mapping[str, Json] = field(default_factory=dict)
    var_files: tuple[str, ...] = ()
    interval_seconds: int = 3600
    plan_timeout_seconds: int = 3600
    parallelism: int | None = None
    needs: tuple[str, ...] = ()
    labels: Mapping[str, str] = field(default_factory=dict)
    env: Mapping[str, str] = field(default_factory=dict)
    plan_credentials: Credentials | None = None
    apply_credentials: Credentials | None = None
    engine: EngineChoice = field(default_factory=EngineChoice)
    state: S3State | None = None
    apply: ApplyModes = field(default_factory=ApplyModes)
    requirement: Requirement = field(default_factory=Requirement)
    apply_grace_seconds: int = 600
    rules: tuple[Rule, ...] = ()
    timetables: tuple[tuple[Window, ...], ...] = ()
    freezes: tuple[Freeze, ...] = ()
    limits: Limits = field(default_factory=Limits)
    policies: tuple[Policy, ...] = ()
    reviewed: bool = False


def tightened(own: Environment, theirs: Environment) -> Environment:
    """Our own environment, with whatever the other one, which the watched repository says, has
    stricter: more to ask for, and never less. All else stays as we say."""
    return replace(
        own,
        apply=ApplyModes(
            stricter(own.apply.git, theirs.apply.git),
            stricter(own.apply.drift, theirs.apply.drift),
        ),
        requirement=_tighter(own.requirement, theirs.requirement),
        # Who may be changed by a plan's author may not allow anything.
        rules=(*own.rules, *(each for each in theirs.rules if each.effect is not Effect.ALLOW)),
        # By itself each timetable has to let a plan through, so that a window of theirs that allows
        # is never one of ours.
        timetables=(*own.timetables, *_others(theirs.timetables, own.timetables)),
        freezes=(*own.freezes, *_others(theirs.freezes, own.freezes)),
        limits=Limits(
            _stricter_limit(own.limits.failures, theirs.limits.failures),
            _stricter_limit(own.limits.applies_per_day, theirs.limits.applies_per_day),
            _stricter_limit(own.limits.heals_per_day, theirs.limits.heals_per_day),
        ),
        reviewed=own.reviewed or theirs.reviewed,
    )


def _others(found: Iterable[Each], known: Collection[Each]) -> list[Each]:
    return [each for each in found if each not in known]


def _stricter_limit(one: int, other: int) -> int:
    """0 is no limit."""
    return min(one, other) or max(one, other)


def _tighter(own: Requirement, theirs: Requirement) -> Requirement:
    groups = own.groups or theirs.groups
    beside: tuple[str, ...] = ()
    asks: tuple[Ask, ...] = ()
    if own.groups and theirs.groups:
        both = tuple(group for group in own.groups if group in theirs.groups)
        groups = both or own.groups
        if not both:
            # Ours are asked, and somebody of each of theirs, and as many of them as they want.
            beside = theirs.groups
            asks = (Ask(theirs.count, theirs.groups),) if theirs.count > 1 else ()
    return Requirement(
        count=max(own.count, theirs.count),
        groups=groups,
        author_may=own.author_may and theirs.author_may,
        unverified=own.unverified and theirs.unverified,
        expires_seconds=min(own.expires_seconds, theirs.expires_seconds),
    ).also((*own.each_of, *theirs.each_of, *beside), (*own.asks, *theirs.asks, *asks))
