"""A plan as plain facts: what the engine would do, and what it found changed outside.

Nothing here knows how a plan is spelled on the wire (``plan_json``), what follows from it
(``assessment``) or how it looks. No value in it is a secret: those were taken out on the way in.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum

from driftctl_py.core.values import Value


class Kind(Enum):
    """What happens to one object. Move and import are not kinds: they come on top of any."""

    NO_OP = "no-op"
    CREATE = "create"
    UPDATE = "update"
    DELETE = "delete"
    READ = "read"
    REPLACE = "replace"
    """Destroyed first, then created."""
    REPLACE_CREATE_FIRST = "replace-create-first"
    FORGET = "forget"
    """Leaves the state; the object stays."""
    FORGET_THEN_CREATE = "forget-then-create"
    CREATE_THEN_FORGET = "create-then-forget"
    UNKNOWN = "unknown"
    """A list of actions that this version does not know: shown, and never taken for nothing."""

    @property
    def replaces(self) -> bool:
        """Is the object destroyed and made anew?"""
        return self in (Kind.REPLACE, Kind.REPLACE_CREATE_FIRST)

    @property
    def destroys(self) -> bool:
        """Is something gone afterwards that was there before?"""
        return self is Kind.DELETE or self.replaces

    @property
    def forgets(self) -> bool:
        """Does the engine stop looking after an object that stays?"""
        return self in (Kind.FORGET, Kind.FORGET_THEN_CREATE, Kind.CREATE_THEN_FORGET)


Path = tuple[str | int, ...]

UNMANAGED = frozenset({"data", "ephemeral"})
"""Modes of what nobody can drift from: a data source is only read, and an ephemeral value lives for
one run."""


@dataclass(frozen=True, slots=True)
class Change:
    """One entry of ``resource_changes`` or ``resource_drift``.

    ``deposed`` is the key of an old object that waits for its deletion beside the current one,
    else empty; address and deposed key together are unique. ``actions`` are the engine's words,
    kept for what ``kind`` cannot say. ``replace_paths`` are the attributes that force a
    replacement. ``import_id`` is what an imported object is found by, None where nothing is
    imported or the engine does not say. ``newly_sensitive`` and ``no_longer_sensitive`` are the
    places of an update that only the new or only the old marks cover. ``identity`` is what the
    provider calls the object that is there (Terraform 1.12), ``provider`` the provider's own
    address.
    """

    address: str
    kind: Kind
    before: Value
    after: Value
    deposed: str = ""
    mode: str = "managed"
    actions: tuple[str, ...] = ()
    reason: str = ""
    previous_address: str = ""
    imported: bool = False
    import_id: Value = None
    replace_paths: tuple[Path, ...] = ()
    sensitivity_changed: bool = False
    newly_sensitive: tuple[Path, ...] = ()
    no_longer_sensitive: tuple[Path, ...] = ()
    identity: Value = None
    provider: str = ""

    @property
    def moved(self) -> bool:
        return bool(self.previous_address)


@dataclass(frozen=True, slots=True)
class Joined:
    """What the plan says about one object: changed outside (``drift``), to be changed
    (``change``), or both. An object about which it says nothing is not kept."""

    change: Change | None
    drift: Change | None

    @property
    def entry(self) -> Change:
        """The change, or the drift where there is no change."""
        found = self.change or self.drift
        assert found is not None, "neither a change nor drift. This is a bug in driftctl_py."  # noqa: S101 - a bug, and said to be one
        return found


@dataclass(frozen=True, slots=True)
class OutputChange:
    """A root output whose value changes."""

    name: str
    kind: Kind
    before: Value
    after: Value
    actions: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class CheckResult:
    """A check, condition or validation: its address and ``pass``, ``fail``, ``error`` or
    ``unknown``; ``problems`` counts its messages, which are not kept: they may quote anything."""

    address: str
    status: str
    problems: int = 0

    @property
    def failed(self) -> bool:
        return self.status in ("fail", "error")


@dataclass(frozen=True, slots=True)
class ActionInvocation:
    """An action (Terraform 1.14) that apply runs; ``triggered_by`` is an address or empty,
    ``event`` when it runs (``AfterCreate``), ``config`` what it is given."""

    address: str
    triggered_by: str = ""
    event: str = ""
    config: Value = None
    provider: str = ""


@dataclass(frozen=True, slots=True)
class Deferred:
    """A change that the engine put off to a later plan, and why (its own word)."""

    reason: str
    change: Change


@dataclass(frozen=True, slots=True)
class Setting:
    """One setting that a plan carries in its ``configuration`` and nowhere else: of a provider, of
    a provisioner, or of a data source that is read during apply. ``owner`` is ``provider aws.eu``,
    ``provisioner ADDRESS[0] local-exec`` or ``data ADDRESS``, ``path`` the setting's name.
    ``digest`` stands for the value, which may be a secret that nothing marks; it is empty where
    the value must not enter an unkeyed fingerprint."""

    owner: str
    path: str
    digest: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Block:
    """What the ``configuration`` says of a block of code from which something changes: the
    configuration of the provider that it uses (``aws.eu``), and, attribute by attribute, what its
    expressions refer to, directly or by way of modules."""

    provider_config: str = ""
    references: tuple[tuple[Path, tuple[Value, ...]], ...] = ()


@dataclass(frozen=True, slots=True)
class Plan:
    """All of it. ``complete`` and ``applyable`` are None where the engine does not say (OpenTofu).

    ``joined`` holds what is changed, drifted, moved or imported, in the engine's order (address,
    deposed key); ``managed`` counts all managed current objects, the unchanged ones too.
    """

    engine_version: str
    joined: tuple[Joined, ...] = ()
    outputs: tuple[OutputChange, ...] = ()
    checks: tuple[CheckResult, ...] = ()
    deferred: tuple[Deferred, ...] = ()
    invocations: tuple[ActionInvocation, ...] = ()
    counts: Mapping[Kind, int] = field(default_factory=dict)
    """How many entries of managed objects there are of each kind, deposed ones among them."""
    settings: tuple[Setting, ...] | None = None
    """None: nobody asked for them when the plan was decoded."""
    blocks: Mapping[str, Block] = field(default_factory=dict)
    """Read with the settings: by the address of the block (``module.web.aws_instance.it``), and of
    outputs of the root by ``output.NAME``."""
    seals: tuple[str, ...] = field(default=(), repr=False)
    """For each number in ``Sensitive.exactly`` an HMAC of the secret; empty without a key."""
    managed: int = 0
    errored: bool = False
    complete: bool | None = None
    applyable: bool | None = None

    @property
    def records_only(self) -> bool:
        """Is it a plan of ``-refresh-only``, which changes nothing but the state? It holds no
        resources, and it does not say what it is; OpenTofu does not even say that it can be
        applied."""
        return (
            self.applyable is not False
            and not self.errored
            and not self.managed
            and bool(self.joined)
            and all(each.change is None for each in self.joined)
        )
