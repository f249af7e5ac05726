"""The verdict on a plan: who moved, the world or the code?

Per attribute there are three snapshots: S, what the state recorded; R, what is really there; P,
what the plan makes of it. S→R is drift, R→P is what apply would do, and comparing all three says
which is the reason for which. Nothing that the engine would apply is ever taken for nothing.

Whether something *should* be done about it is for policy and gate; how it is worded for ``report``.
"""

from __future__ import annotations

import operator
from collections.abc import Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, field, replace
from enum import Enum

from driftctl_py.core.diff import Difference, differences, spelled
from driftctl_py.core.plan import (
    UNMANAGED,
    ActionInvocation,
    Change,
    CheckResult,
    Joined,
    Kind,
    OutputChange,
    Path,
    Plan,
)
from driftctl_py.core.values import (
    ABSENT,
    Value,
    equivalent,
    has_sensitive,
    has_unknown,
    may_be_same,
    same,
)


class Status(Enum):
    """What an environment is, seen from its code and its state."""

    IN_SYNC = "in sync"
    DRIFTED = "drifted"
    PENDING = "pending"
    DRIFTED_AND_PENDING = "drifted and pending"


class Origin(Enum):
    """Where a difference comes from."""

    DRIFT_REVERTED = "drift-reverted"
    """Changed outside; apply puts it back."""
    DRIFT_TOLERATED = "drift-tolerated"
    """Changed outside; apply leaves it: ignored, computed, or the code says the same by now."""
    DRIFT_GONE = "drift-gone"
    """Deleted outside, and the code does not want it back."""
    PENDING = "pending"
    """Changed by the code, not applied yet."""
    BOTH = "both"
    """Changed outside, and the code wants something else again."""
    UNDETERMINED = "undetermined"
    """What apply makes of it is only known after apply, or not known to this version."""
    EQUIVALENT = "equivalent"
    """Another spelling of the same."""


LEFT = frozenset({Origin.DRIFT_TOLERATED, Origin.DRIFT_GONE, Origin.EQUIVALENT})
"""What apply leaves as it is."""


@dataclass(frozen=True, slots=True)
class AttributeChange:
    """One place in an object. ``drifted`` says that recorded and real differ in more than
    spelling; ``sensitive`` that a value was taken out, ``unknown`` that a part of ``planned`` is
    known after apply, ``in_json`` and ``in_yaml`` that ``steps`` leads into a string that holds
    JSON or YAML."""

    steps: Path
    recorded: Value
    real: Value
    planned: Value
    origin: Origin
    drifted: bool
    forces_replacement: bool = False
    in_json: bool = False
    in_yaml: bool = False

    @property
    def path(self) -> str:
        """``tags.team``, ``policy.Statement[0].Action``; empty for all of the object."""
        return spelled(self.steps)

    @property
    def sensitive(self) -> bool:
        return any(map(has_sensitive, (self.recorded, self.real, self.planned)))

    @property
    def unknown(self) -> bool:
        return has_unknown(self.planned)


@dataclass(frozen=True, slots=True)
class Finding:
    """What there is to say about one object. ``kind`` is what apply would do with it, ``drift``
    what happened to it outside (None: nothing), ``only_recorded`` that the plan is one of
    ``-refresh-only``."""

    address: str
    kind: Kind
    origin: Origin
    drifted: bool
    pending: bool
    deposed: str = ""
    drift: Kind | None = None
    reason: str = ""
    actions: tuple[str, ...] = ()
    previous_address: str = ""
    imported: bool = False
    only_recorded: bool = False
    sensitivity_changed: bool = False
    attributes: tuple[AttributeChange, ...] = ()

    @property
    def modifiers(self) -> tuple[str, ...]:
        """What comes on top of ``kind``: ``move``, ``import``."""
        return ("move",) * bool(self.previous_address) + ("import",) * self.imported

    @property
    def deleted_outside(self) -> bool:
        return self.drift is Kind.DELETE

    @property
    def equivalents(self) -> int:
        """How many differences are there that are none. One where only marks differ."""
        found = sum(each.origin is Origin.EQUIVALENT for each in self.attributes)
        return found or int(self.origin is Origin.EQUIVALENT)


@dataclass(frozen=True, slots=True)
class Totals:
    """As the engine counts: a replacement is one to add and one to destroy."""

    add: int = 0
    change: int = 0
    destroy: int = 0
    import_: int = 0
    forget: int = 0


@dataclass(frozen=True, slots=True)
class Assessment:
    """All there is to say about a plan.

    ``equivalent`` are the objects that only changed their spelling, ``check_reads`` the data
    sources read for checks on every run and ``reads`` those that wait for apply: none of them
    is ever a finding. When not ``complete``, something may be missing, and even an empty
    assessment does not mean in sync; ``incomplete_reason`` says why, as a clause that follows
    "the plan is incomplete: ".
    """

    status: Status = Status.IN_SYNC
    complete: bool = True
    incomplete_reason: str = ""
    totals: Totals = field(default_factory=Totals)
    findings: tuple[Finding, ...] = ()
    equivalent: tuple[Finding, ...] = ()
    outputs: tuple[OutputChange, ...] = ()
    invocations: tuple[ActionInvocation, ...] = ()
    failed_checks: tuple[CheckResult, ...] = ()
    check_reads: int = 0
    reads: int = 0
    managed: int = 0

    @property
    def drifted(self) -> int:
        """How many resources were changed outside."""
        return sum(finding.drifted for finding in self.findings)

    @property
    def equivalents(self) -> int:
        """How many attributes only changed their spelling, wherever they are."""
        return sum(each.equivalents for each in (*self.findings, *self.equivalent))


def nothing() -> Assessment:
    """In sync, and nothing to say: for a plan of which it is known without reading it."""
    return Assessment()


def assess(plan: Plan, *, strict: bool = False) -> Assessment:
    """What the plan amounts to. ``strict`` takes every difference in spelling for drift."""
    # Asked once: it looks at all of them.
    records_only = plan.records_only
    judged = [
        _judge(joined, only_recorded=records_only, strict=strict)
        for joined in plan.joined
        if joined.entry.mode not in UNMANAGED
    ]
    data = [each.change for each in plan.joined if each.change and each.change.mode == "data"]
    findings = (
        *(finding for finding in judged if finding.drifted or finding.pending),
        *(_unknown_read(change) for change in data if change.kind is Kind.UNKNOWN),
    )
    reads = [change for change in data if change.kind in _READS]
    nested = sum(change.reason == "read_because_check_nested" for change in reads)
    reason = _incomplete(plan, findings, reads)
    return Assessment(
        status=_status(
            drifted=any(finding.drifted for finding in findings),
            pending=any(finding.pending for finding in findings)
            or bool(plan.outputs or plan.invocations),
        ),
        complete=not reason,
        incomplete_reason=reason,
        totals=_totals(plan),
        findings=findings,
        equivalent=tuple(each for each in judged if not (each.drifted or each.pending)),
        outputs=plan.outputs,
        invocations=plan.invocations,
        failed_checks=tuple(check for check in plan.checks if check.failed),
        check_reads=nested,
        reads=len(reads) - nested,
        managed=plan.managed,
    )


_READS = frozenset({Kind.READ, Kind.CREATE, Kind.UPDATE})
# Reasons for a replacement that attributes can explain. A taint or a request they cannot.
_EXPLAINED_BY_ATTRIBUTES = frozenset({"", "replace_because_cannot_update"})


def _judge(joined: Joined, *, only_recorded: bool, strict: bool) -> Finding:
    change, drift, entry = joined.change, joined.drift, joined.entry
    kind = change.kind if change else Kind.NO_OP
    attributes = tuple(_attributes(joined, strict=strict))
    drifted = drift is not None and _is_drift(drift, attributes, strict=strict)
    pending = (
        entry.moved
        or entry.imported
        or (drift is not None and drift.kind is Kind.UNKNOWN)
        or (kind is not Kind.NO_OP and not _drift_explains(change, drift, attributes))
    )
    return Finding(
        address=entry.address,
        kind=kind,
        origin=_origin(kind, drift, attributes, drifted=drifted, pending=pending),
        drifted=drifted,
        pending=pending,
        deposed=entry.deposed,
        drift=drift.kind if drift and drift.kind is not Kind.NO_OP else None,
        reason=entry.reason,
        actions=entry.actions,
        previous_address=entry.previous_address,
        imported=entry.imported,
        only_recorded=only_recorded,
        sensitivity_changed=bool(change and change.sensitivity_changed and kind is Kind.UPDATE),
        attributes=attributes,
    )


def _is_drift(drift: Change, attributes: tuple[AttributeChange, ...], *, strict: bool) -> bool:
    if drift.kind in (Kind.DELETE, Kind.UNKNOWN):
        return True
    # An entry without a difference is about marks only (or about a move, which is no drift).
    marks_only = not attributes and drift.kind is not Kind.NO_OP
    return any(each.drifted for each in attributes) or (strict and marks_only)


def _drift_explains(
    change: Change | None, drift: Change | None, attributes: tuple[AttributeChange, ...]
) -> bool:
    """Would the engine leave the object alone, had nobody touched it?"""
    if change is None or drift is None:
        return False
    if drift.kind is Kind.DELETE:
        # Anything but creating it as it was is the code's doing.
        return change.kind is Kind.CREATE and not attributes
    origins = {each.origin for each in attributes}
    if (
        not (change.kind is Kind.UPDATE or change.kind.replaces)
        or change.reason not in _EXPLAINED_BY_ATTRIBUTES
        or origins & {Origin.PENDING, Origin.BOTH}
    ):
        return False
    if change.replace_paths:
        forced = {each.origin for each in attributes if each.forces_replacement}
        return forced == {Origin.DRIFT_REVERTED}
    return Origin.DRIFT_REVERTED in origins


def _origin(
    kind: Kind,
    drift: Change | None,
    attributes: tuple[AttributeChange, ...],
    *,
    drifted: bool,
    pending: bool,
) -> Origin:
    if kind is Kind.UNKNOWN or (drift and drift.kind is Kind.UNKNOWN):
        return Origin.UNDETERMINED
    if drifted and pending:
        origins = {each.origin for each in attributes} - {Origin.EQUIVALENT}
        return Origin.UNDETERMINED if origins == {Origin.UNDETERMINED} else Origin.BOTH
    if pending:
        return Origin.PENDING
    if not drifted:
        return Origin.EQUIVALENT
    if kind is not Kind.NO_OP:
        return Origin.DRIFT_REVERTED
    gone = drift is not None and drift.kind is Kind.DELETE
    return Origin.DRIFT_GONE if gone else Origin.DRIFT_TOLERATED


def _attributes(joined: Joined, *, strict: bool) -> Iterator[AttributeChange]:
    change, drift = joined.change, joined.drift
    recorded = drift.before if drift else joined.entry.before
    # Terraform 1.11 deletes what left the code on what it had recorded: drift knows better.
    real = drift.after if drift else recorded
    if drift and drift.kind is Kind.DELETE:
        if change and change.kind is Kind.CREATE:
            yield from _recreated_differently(recorded, change.after, strict=strict)
    elif change is None:
        yield from _classified(recorded, real, real, (), strict=strict)
    elif change.kind is Kind.DELETE:
        yield from sorted(_going(recorded, real, strict=strict), key=_in_order)
    else:
        # What the engine forgets stays as it is.
        planned = real if change.kind is Kind.FORGET else change.after
        for each in _classified(recorded, real, planned, change.replace_paths, strict=strict):
            # Whatever a new object gets from its provider is news to nobody.
            if change.kind is not Kind.CREATE or each.origin is not Origin.UNDETERMINED:
                yield each


def _going(recorded: Value, real: Value, *, strict: bool) -> Iterator[AttributeChange]:
    """All that goes with its object: part by part what was changed outside, else whole."""
    changed = set()
    for each in _classified(recorded, real, real, (), strict=strict):
        tolerated = each.origin is Origin.DRIFT_TOLERATED
        origin = Origin.BOTH if tolerated else each.origin
        changed.add(each.steps)
        yield replace(each, planned=ABSENT, origin=origin)
    for steps, value in _beside(changed, (), real):
        yield AttributeChange(steps, value, value, ABSENT, Origin.PENDING, drifted=False)


def _beside(told: Set[Path], steps: Path, value: Value) -> Iterator[tuple[Path, Value]]:
    """What of ``value`` is at none of the places that are told already."""
    if steps in told or value is None:
        return
    taken_apart = not steps or any(each[: len(steps)] == steps for each in told)
    if taken_apart and isinstance(value, Mapping):
        for name, each in value.items():
            yield from _beside(told, (*steps, name), each)
    elif taken_apart and isinstance(value, Sequence) and not isinstance(value, str):
        for index, each in enumerate(value):
            yield from _beside(told, (*steps, index), each)
    elif not (taken_apart and steps):
        yield steps, value


def _in_order(attribute: AttributeChange) -> list[tuple[bool, str | int]]:
    return [(isinstance(step, str), step) for step in attribute.steps]


def _recreated_differently(
    recorded: Value, planned: Value, *, strict: bool
) -> Iterator[AttributeChange]:
    """Where the object that apply makes is not the one that was deleted."""
    for place in differences(recorded, recorded, planned):
        alike = not (strict or place.in_string) and equivalent(place.recorded, place.planned)
        if not alike and not may_be_same(place.planned, place.recorded):
            yield AttributeChange(
                place.path,
                place.recorded,
                ABSENT,
                place.planned,
                Origin.BOTH,
                drifted=True,
                in_json=place.in_json,
                in_yaml=place.in_yaml,
            )


def _classified(
    recorded: Value, real: Value, planned: Value, forcing: tuple[Path, ...], *, strict: bool
) -> Iterator[AttributeChange]:
    for place in differences(recorded, real, planned):
        origin, drifted = _classify(place, strict=strict)
        yield AttributeChange(
            place.path,
            place.recorded,
            place.real,
            place.planned,
            origin,
            drifted=drifted,
            forces_replacement=not same(place.real, place.planned)
            and any(_touch(place.path, path) for path in forcing),
            in_json=place.in_json,
            in_yaml=place.in_yaml,
        )


def _classify(place: Difference, *, strict: bool) -> tuple[Origin, bool]:
    """Where the difference comes from, and whether recorded and real differ in earnest.

    Spelling only ever excuses what apply leaves as it is: an equivalent value that apply would
    write is pending.
    """
    s, r, p = place.recorded, place.real, place.planned
    # Who reads the JSON or YAML in a string may well tell null from {}.
    lenient = not strict and not place.in_string
    moved = not same(s, r)
    drifted = moved and not (lenient and equivalent(s, r))
    if same(p, r):
        return (Origin.DRIFT_TOLERATED if drifted else Origin.EQUIVALENT), drifted
    reverts = same(p, s) or (lenient and equivalent(p, s))
    if may_be_same(p, r) or (not reverts and may_be_same(p, s)):
        return Origin.UNDETERMINED, drifted
    if not drifted:
        return Origin.PENDING, drifted
    return (Origin.DRIFT_REVERTED if reverts else Origin.BOTH), drifted


def _touch(one: Path, other: Path) -> bool:
    """Is one path the other, or on the way to it?"""
    return all(map(operator.eq, one, other))


def _unknown_read(change: Change) -> Finding:
    return Finding(
        address=change.address,
        kind=Kind.UNKNOWN,
        origin=Origin.UNDETERMINED,
        drifted=False,
        pending=True,
        deposed=change.deposed,
        reason=change.reason,
        actions=change.actions,
    )


def _status(*, drifted: bool, pending: bool) -> Status:
    if drifted:
        return Status.DRIFTED_AND_PENDING if pending else Status.DRIFTED
    return Status.PENDING if pending else Status.IN_SYNC


def _incomplete(plan: Plan, findings: tuple[Finding, ...], reads: list[Change]) -> str:
    if plan.errored:
        return "the engine failed while it planned, so the plan holds only what came before."
    if plan.deferred:
        some = ", ".join(each.change.address for each in plan.deferred[:3])
        some += ", …" if len(plan.deferred) > 3 else ""
        return f"the engine put off {len(plan.deferred)} to a later plan: {some}."
    if plan.complete is False:
        return "the engine says so itself; it does not cover the whole environment."
    acts = any(finding.kind is not Kind.NO_OP or finding.modifiers for finding in findings)
    seen = acts or reads or plan.outputs or plan.invocations or plan.records_only
    if plan.applyable and not seen:
        return "the engine would apply something that this version cannot see in it."
    return ""


def _totals(plan: Plan) -> Totals:
    changes = [
        joined.change
        for joined in plan.joined
        if joined.change and joined.change.mode not in UNMANAGED
    ]
    creates = (Kind.CREATE, Kind.FORGET_THEN_CREATE, Kind.CREATE_THEN_FORGET)
    return Totals(
        add=sum(each.kind in creates or each.kind.replaces for each in changes),
        change=sum(each.kind is Kind.UPDATE for each in changes),
        destroy=sum(each.kind.destroys for each in changes),
        import_=sum(each.imported for each in changes),
        forget=sum(each.kind.forgets for each in changes),
    )
