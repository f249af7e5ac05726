"""What apply would do, as flat facts about each thing it would do something with.

The one reading of a plan that a fingerprint is taken of and that two plans are compared by. What
is no consequence is not in it: the moment, the order in which the engine lists things, drift that
apply leaves as it is, other spellings, whatever stays as it is. See decision 0006.

It does not use ``diff``: that finds the places a person wants to read, and may get better at it,
while a fingerprint must not change because of that. How it looks is for ``report``.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import Enum

from driftctl_py.core.address import parse_address
from driftctl_py.core.plan import Block, Change, Joined, Kind, OutputChange, Path, Plan, Setting
from driftctl_py.core.values import (
    ABSENT,
    UNKNOWN,
    Value,
    equivalent,
    has_unknown,
    is_list,
    is_map,
    same,
)


class About(Enum):
    """What sort of thing a consequence is about."""

    PLAN = "plan"
    RESOURCE = "resource"
    OUTPUT = "output"
    ACTION = "action"
    PROVIDER = "provider"
    PROVISIONER = "provisioner"
    DEFERRED = "deferred"


@dataclass(frozen=True, slots=True)
class Subject:
    """``name`` is an address, an output's name, a provider's, or a provisioner's with its
    resource. ``key`` tells two of one name apart: the key of a deposed object, what triggers an
    action; ``nth`` does where the plan says the same more than once."""

    about: About
    name: str
    key: str = ""
    nth: int = 0


class Fact(Enum):
    """What is said. Facts with a place (``At.path``) are said about each place in the object."""

    KIND = "kind"
    MODE = "mode"
    ACTIONS = "actions"
    """The engine's words, where this version does not know them."""
    REASON = "reason"
    IDENTITY = "identity"
    """By what the provider finds the object that goes or changes: its id, arn or name; with a
    path, a part of the identity that the engine keeps of it."""
    PREVIOUS_ADDRESS = "previous address"
    IMPORTED = "imported"
    IMPORT_ID = "import id"
    SENSITIVITY = "sensitivity"
    """Only what counts as sensitive changes, or that too; with a path, whether that place is
    sensitive then."""
    RECORDED = "recorded"
    REAL = "real"
    PLANNED = "planned"
    DRIFT = "drift"
    """The real value is somebody's change outside, which apply puts an end to."""
    FORCES = "forces replacement"
    OUTSIDE = "outside"
    """What happened to it outside, where that is all there is to say."""
    TRIGGER = "triggered by"
    EVENT = "event"
    POSITION = "position"
    CONFIG = "config"
    PROVIDER = "provider"
    """By which provider it is done, as its own address."""
    PROVIDER_CONFIG = "provider configuration"
    """And under which of its configurations."""
    REFERENCES = "references"
    """What a value that is only known after apply is taken from."""
    SETTING = "setting"
    """A digest of it; empty where the value must not enter an unkeyed fingerprint."""
    ERRORED = "errored"
    INCOMPLETE = "incomplete"
    UNSEEN = "unseen"
    """The engine would apply something that this version cannot see."""
    UNREAD = "settings not read"


@dataclass(frozen=True, slots=True)
class At:
    """A fact, and the place in the object that it is about; an empty path is all of it."""

    fact: Fact
    path: Path = ()


Consequence = Mapping[At, Value]


def consequences(plan: Plan) -> dict[Subject, Consequence]:
    """All of them, by what they are about. Two plans for which they are the same do the same."""
    found: dict[Subject, Consequence] = {}
    code = _Code.of(plan)
    records_only = plan.records_only
    for joined in plan.joined:
        facts = _recorded(joined) if records_only else _of_object(joined, code)
        if facts:
            entry = joined.entry
            found[Subject(About.RESOURCE, entry.address, entry.deposed)] = facts
    for output in plan.outputs:
        if output.kind is Kind.NO_OP:
            continue
        found[Subject(About.OUTPUT, output.name)] = _of_output(output, code)
    for subject, facts in _invocations(plan):
        found[subject] = facts
    for subject, facts in _deferred(plan):
        found[subject] = facts
    for setting in _relevant(plan):
        about, _, name = setting.owner.partition(" ")
        subject = Subject(About(about), name)
        found[subject] = {
            **found.get(subject, {}),
            At(Fact.SETTING, (setting.path,)): setting.digest,
        }
    whole = _of_plan(plan, does_something=any(each.about is not About.PROVIDER for each in found))
    if whole:
        found[Subject(About.PLAN, "")] = whole
    return found


# A data source is read by old engines as one that is created or updated.
_READS = frozenset({Kind.READ, Kind.CREATE, Kind.UPDATE})
_MAKES = frozenset(
    {
        Kind.CREATE,
        Kind.REPLACE,
        Kind.REPLACE_CREATE_FIRST,
        Kind.FORGET_THEN_CREATE,
        Kind.CREATE_THEN_FORGET,
    }
)
_LEAVES = frozenset({Kind.DELETE, Kind.FORGET})
_NAMES = ("id", "arn", "name")


# Where each engine gets a provider from whose address names no host. It is the same provider.
_REGISTRIES = ("registry.terraform.io/", "registry.opentofu.org/")


@dataclass(frozen=True, slots=True)
class _Code:
    """What the configuration says of that from which something changes."""

    blocks: Mapping[str, Block]
    settings: Mapping[str, Sequence[Setting]]

    @staticmethod
    def of(plan: Plan) -> _Code:
        settings: dict[str, list[Setting]] = {}
        for each in plan.settings or ():
            settings.setdefault(each.owner, []).append(each)
        return _Code(plan.blocks, settings)

    def about(self, change: Change) -> dict[At, Value]:
        """Which provider, and for a data source what it is asked for."""
        facts: dict[At, Value] = {}
        if change.provider:
            facts[At(Fact.PROVIDER)] = _without_registry(change.provider)
        name = self._name(change)
        block = self.blocks.get(name)
        if block is not None and block.provider_config:
            facts[At(Fact.PROVIDER_CONFIG)] = block.provider_config
        for each in self.settings.get(f"data {name}", ()):
            facts[At(Fact.SETTING, (each.path,))] = each.digest
        return facts | self._references(block, lambda path: change.mode == "data")

    def behind_unknown(self, change: Change) -> dict[At, Value]:
        """What becomes of what the plan itself does not know."""
        after = change.after

        def unknown(path: Path) -> bool:
            inside = is_map(after) and path
            return has_unknown(_step(after, path[0], None) if inside else after)

        return self._references(self.blocks.get(self._name(change)), unknown)

    def behind_output(self, output: OutputChange) -> dict[At, Value]:
        block = self.blocks.get(f"output.{output.name}")
        return self._references(block, lambda path: has_unknown(output.after))

    def _name(self, change: Change) -> str:
        address = parse_address(change.address)
        return address.in_code if address else ""

    def _references(self, block: Block | None, wanted: Callable[[Path], bool]) -> dict[At, Value]:
        references = block.references if block is not None else ()
        return {
            At(Fact.REFERENCES, path): list(names) for path, names in references if wanted(path)
        }


def _without_registry(provider: str) -> str:
    for registry in _REGISTRIES:
        provider = provider.removeprefix(registry)
    return provider


def _of_object(joined: Joined, code: _Code) -> Consequence:
    change, drift = joined.change, joined.drift
    facts: dict[At, Value] = {}
    if drift is not None and drift.kind is Kind.UNKNOWN:
        facts[At(Fact.OUTSIDE)] = list(drift.actions)
        facts[At(Fact.RECORDED)] = drift.before
        facts[At(Fact.REAL)] = drift.after
    if change is None or _is_nothing(change):
        return facts
    facts |= _head(change) | code.about(change)
    if drift is not None and drift.kind is Kind.DELETE:
        facts[At(Fact.OUTSIDE)] = drift.kind.value
    if change.kind is Kind.UNKNOWN:
        return facts | _everything(change) | code.behind_unknown(change)
    if change.mode != "managed":
        return facts
    facts |= _identity(change)
    if change.kind in _MAKES:
        facts |= _planned(change.after)
    if change.kind not in _LEAVES:
        facts |= _changes(change, drift) | code.behind_unknown(change)
    if change.kind is Kind.UPDATE:
        facts |= _sensitivity(change)
    return facts


def _is_nothing(change: Change) -> bool:
    if change.mode == "data":
        # Read on every run. And a data source has nothing that could be destroyed.
        nested = change.kind in _READS and change.reason == "read_because_check_nested"
        return nested or change.kind in (Kind.NO_OP, Kind.DELETE)
    return change.kind is Kind.NO_OP and not change.moved and not change.imported


def _head(change: Change) -> dict[At, Value]:
    reads = change.mode == "data" and change.kind in _READS
    facts: dict[At, Value] = {
        At(Fact.KIND): Kind.READ.value if reads else change.kind.value,
        At(Fact.MODE): change.mode,
    }
    if change.previous_address:
        facts[At(Fact.PREVIOUS_ADDRESS)] = change.previous_address
    if change.imported:
        facts[At(Fact.IMPORTED)] = True
        facts[At(Fact.IMPORT_ID)] = change.import_id
    return facts


def _everything(change: Change) -> dict[At, Value]:
    return {
        At(Fact.ACTIONS): list(change.actions),
        At(Fact.REASON): change.reason,
        At(Fact.REAL): change.before,
        At(Fact.PLANNED): change.after,
        **_sensitivity(change),
        **_identity(change),
        **{At(Fact.FORCES, path): True for path in change.replace_paths},
    }


def _identity(change: Change) -> dict[At, Value]:
    """The first of the names that providers know their objects by, beside the engine's own."""
    before, identity = change.before, change.identity
    names = [before.get(each) for each in _NAMES] if is_map(before) else []
    found = [each for each in names if each is not None]
    facts: dict[At, Value] = {At(Fact.IDENTITY): each for each in found[:1]}
    if is_map(identity):
        facts |= {At(Fact.IDENTITY, (name,)): each for name, each in identity.items()}
    return facts


def _sensitivity(change: Change) -> dict[At, Value]:
    if not change.sensitivity_changed:
        return {}
    return {
        At(Fact.SENSITIVITY): True,
        **{At(Fact.SENSITIVITY, path): False for path in change.no_longer_sensitive},
        **{At(Fact.SENSITIVITY, path): True for path in change.newly_sensitive},
    }


def _planned(after: Value) -> dict[At, Value]:
    """All that a new object is given. An attribute that is null is one that it does not have."""
    if not is_map(after):
        return {At(Fact.PLANNED): after}
    return {At(Fact.PLANNED, (name,)): each for name, each in after.items() if each is not None}


def _changes(change: Change, drift: Change | None) -> dict[At, Value]:
    facts: dict[At, Value] = {}
    if change.before is None:
        return facts
    for path, real, planned in _places((), change.before, change.after):
        if change.kind not in _MAKES:
            facts[At(Fact.PLANNED, path)] = planned
        # What a provider works out anew on every run (the latest moment that a database can be
        # restored to) would otherwise make every replacement another one.
        if planned is not UNKNOWN:
            facts[At(Fact.REAL, path)] = real
            if drift is not None and _drifted(drift.before, drift.after, path):
                facts[At(Fact.DRIFT, path)] = True
    return facts


def _places(path: Path, one: Value, other: Value) -> Iterator[tuple[Path, Value, Value]]:
    """Where two objects differ: maps by key, lists of one length by position, else the whole."""
    pairs: Iterable[tuple[str | int, Value, Value]]
    if is_map(one) and is_map(other):
        # An attribute that an object does not have is null to the engine; a key of a map is not.
        nothing = ABSENT if path else None
        names = sorted(one.keys() | other.keys())
        pairs = ((name, one.get(name, nothing), other.get(name, nothing)) for name in names)
    elif is_list(one) and is_list(other) and len(one) == len(other):
        pairs = zip(range(len(one)), one, other, strict=True)
    else:
        if not same(one, other):
            yield path, one, other
        return
    for step, left, right in pairs:
        if not same(left, right):
            yield from _places((*path, step), left, right)


def _drifted(recorded: Value, found: Value, path: Path) -> bool:
    """Was that place, or what it lies in, changed outside, and not just spelled otherwise?"""
    for depth, step in enumerate(path):
        nothing = ABSENT if depth else None
        recorded, found = _step(recorded, step, nothing), _step(found, step, nothing)
        if equivalent(recorded, found):
            return False
    return True


def _step(value: Value, step: str | int, nothing: Value) -> Value:
    if is_map(value) and isinstance(step, str):
        return value.get(step, nothing)
    if is_list(value) and isinstance(step, int) and step < len(value):
        return value[step]
    return ABSENT


def _recorded(joined: Joined) -> Consequence:
    drift = joined.entry
    head: dict[At, Value] = {At(Fact.OUTSIDE): drift.kind.value, At(Fact.MODE): drift.mode}
    if drift.moved:
        head[At(Fact.PREVIOUS_ADDRESS)] = drift.previous_address
    if drift.kind is Kind.UNKNOWN:
        return head | _everything(drift)
    if drift.kind is Kind.DELETE:
        return head | _identity(drift)
    facts: dict[At, Value] = {}
    for path, recorded, real in _places((), drift.before, drift.after):
        if not equivalent(recorded, real):
            facts |= {At(Fact.RECORDED, path): recorded, At(Fact.REAL, path): real}
    return head | facts if facts or drift.moved else {}


def _of_output(output: OutputChange, code: _Code) -> Consequence:
    facts: dict[At, Value] = {
        At(Fact.KIND): output.kind.value,
        At(Fact.REAL): output.before,
        At(Fact.PLANNED): output.after,
        **code.behind_output(output),
    }
    if output.kind is Kind.UNKNOWN:
        facts[At(Fact.ACTIONS)] = list(output.actions)
    return facts


def _invocations(plan: Plan) -> Iterator[tuple[Subject, Consequence]]:
    """Those of one trigger run in the order in which the plan lists them."""
    positions: Counter[tuple[str, str]] = Counter()
    seen: Counter[Subject] = Counter()
    for each in plan.invocations:
        trigger = (each.event, each.triggered_by)
        subject = Subject(About.ACTION, each.address, " ".join(filter(None, trigger)))
        facts: dict[At, Value] = {
            At(Fact.TRIGGER): each.triggered_by,
            At(Fact.EVENT): each.event,
            At(Fact.POSITION): positions[trigger],
            At(Fact.CONFIG): each.config,
        }
        if each.provider:
            facts[At(Fact.PROVIDER)] = _without_registry(each.provider)
        yield replace(subject, nth=seen[subject]), facts
        positions[trigger] += 1
        seen[subject] += 1


def _deferred(plan: Plan) -> Iterator[tuple[Subject, Consequence]]:
    seen: Counter[Subject] = Counter()
    for each in plan.deferred:
        subject = Subject(About.DEFERRED, each.change.address, each.change.deposed)
        facts: dict[At, Value] = {
            At(Fact.KIND): each.change.kind.value,
            At(Fact.MODE): each.change.mode,
        }
        yield replace(subject, nth=seen[subject]), facts
        seen[subject] += 1


def _relevant(plan: Plan) -> Iterator[Setting]:
    """A provider's settings always; a provisioner's where this plan may start it."""
    changes = [each.change for each in plan.joined if each.change is not None]
    acts = [
        parse_address(each.address)
        for each in changes
        if each.kind in _MAKES or each.kind in (Kind.DELETE, Kind.UNKNOWN)
    ]
    code = {found.in_code for found in acts if found is not None}
    # An address that cannot be read may be that of any of them.
    any_of_them = None in acts
    for setting in plan.settings or ():
        about, _, name = setting.owner.partition(" ")
        starts = any_of_them or name.partition("[")[0] in code
        # What a data source is asked for is said of itself.
        if about == "provider" or (about == "provisioner" and starts):
            yield setting


def _of_plan(plan: Plan, *, does_something: bool) -> Consequence:
    facts: dict[At, Value] = {}
    if plan.errored:
        # Incomplete too, which only some engines say.
        facts[At(Fact.ERRORED)] = True
    elif plan.complete is False:
        facts[At(Fact.INCOMPLETE)] = True
    reads = any(each.change and each.change.mode == "data" for each in plan.joined)
    if plan.applyable and not does_something and not reads:
        facts[At(Fact.UNSEEN)] = True
    if plan.settings is None:
        facts[At(Fact.UNREAD)] = True
    return facts
