"""A plan's JSON in the engine's own spelling, without its secrets: what policies and checks read.

Every snapshot of an object is looked at together, wherever it stands (what drifted, what changes,
what was there before, what will be), and so is every one of an output; what a mirror of one hides
goes from all, and so does what repeats it; see ``redaction``. A text, ``(sensitive)``, takes the
place of what is hidden, and the mirrors say ``true`` there, so a policy can tell.

It fails closed. A variable stays only where it is declared, not as sensitive, and under a name that
does not say what it is (an engine does not write that one is ephemeral). What is written in code
goes where it repeats any secret of the plan, or where a name says that it holds one, as that of a
write-only attribute does; but never the names of things. Messages of checks go. And of sections,
and keys of an object's entry, that this version does not know, nothing is passed on.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from decimal import Decimal
from functools import lru_cache
from typing import Any, TypeAlias

import msgspec
from msgspec import UNSET, Raw, UnsetType

from driftctl_py.core.masks import Mask, Masks, masked, masks_for
from driftctl_py.core.plan_settings import holds_secret, says_secret
from driftctl_py.core.redaction import Decoded, Echoes, Mirror, hides_anything, redact
from driftctl_py.core.values import DEEPEST, Secrets, Sensitive, Value, deeper_than, is_list, is_map
from driftctl_py.errors import PlanError

HIDDEN = "(sensitive)"

_Part: TypeAlias = "Raw | UnsetType"
_TRUE, _FALSE, _HIDDEN = Raw(b"true"), Raw(b"false"), Raw(b'"(sensitive)"')
# Larger ones a JSON encoder refuses as int.
_LARGEST = 2**63
_PLAIN = frozenset({str, bool, type(None)})

# What code calls things, and what it refers to: said in every address anyway, and a policy that
# does not find the type of a resource would have nothing to say of it.
_NAMES = frozenset(
    {
        *("address", "mode", "type", "name", "kind", "status", "to_display", "module", "resource"),
        *("provider_config_key", "provider_name", "full_name", "module_address", "references"),
        *("depends_on", "version_constraint", "alias", "instance_key"),
    }
)
_CONSTANTS = ("constant_value", "default")
_SAYS_SENSITIVE = ("sensitive", "ephemeral")
_HOLDS_NAMES = ("expressions", "variables")


class _Change(msgspec.Struct, omit_defaults=True):
    actions: _Part = UNSET
    before: _Part = UNSET
    after: _Part = UNSET
    after_unknown: _Part = UNSET
    before_sensitive: _Part = UNSET
    after_sensitive: _Part = UNSET
    replace_paths: _Part = UNSET
    importing: _Part = UNSET
    generated_config: _Part = UNSET
    before_identity: _Part = UNSET
    after_identity: _Part = UNSET


class _Entry(msgspec.Struct, omit_defaults=True):
    address: str | UnsetType = UNSET
    previous_address: str | UnsetType = UNSET
    module_address: _Part = UNSET
    mode: _Part = UNSET
    type: _Part = UNSET
    name: _Part = UNSET
    index: _Part = UNSET
    provider_name: _Part = UNSET
    deposed: str | UnsetType = UNSET
    change: _Change = msgspec.field(default_factory=_Change)
    action_reason: _Part = UNSET


class _Resource(msgspec.Struct, omit_defaults=True):
    address: str
    mode: _Part = UNSET
    type: _Part = UNSET
    name: _Part = UNSET
    index: _Part = UNSET
    provider_name: _Part = UNSET
    schema_version: _Part = UNSET
    values: _Part = UNSET
    sensitive_values: _Part = UNSET
    depends_on: _Part = UNSET
    tainted: _Part = UNSET
    deposed_key: str | UnsetType = UNSET
    identity_schema_version: _Part = UNSET
    identity: _Part = UNSET


class _Module(msgspec.Struct, omit_defaults=True):
    resources: list[_Resource] | UnsetType | None = UNSET
    address: _Part = UNSET
    child_modules: list[_Module] | UnsetType | None = UNSET


class _Output(msgspec.Struct, omit_defaults=True):
    sensitive: _Part = UNSET
    type: _Part = UNSET
    value: _Part = UNSET


class _Values(msgspec.Struct, omit_defaults=True):
    outputs: dict[str, _Output] | UnsetType | None = UNSET
    root_module: _Module | UnsetType | None = UNSET


class _State(msgspec.Struct, omit_defaults=True):
    format_version: _Part = UNSET
    terraform_version: _Part = UNSET
    values: _Values | UnsetType | None = UNSET


class _Variable(msgspec.Struct, omit_defaults=True):
    value: _Part = UNSET


class _Invocation(msgspec.Struct, omit_defaults=True):
    address: str = ""
    type: _Part = UNSET
    name: _Part = UNSET
    config_values: _Part = UNSET
    config_sensitive: _Part = UNSET
    config_unknown: _Part = UNSET
    provider_name: _Part = UNSET
    lifecycle_action_trigger: _Part = UNSET
    invoke_action_trigger: _Part = UNSET


class _Deferred(msgspec.Struct, omit_defaults=True):
    reason: _Part = UNSET
    resource_change: _Entry | UnsetType = UNSET


class _DeferredInvocation(msgspec.Struct, omit_defaults=True):
    reason: _Part = UNSET
    action_invocation: _Invocation | UnsetType = UNSET


class _Document(msgspec.Struct, omit_defaults=True):
    format_version: _Part = UNSET
    terraform_version: _Part = UNSET
    variables: dict[str, _Variable] | UnsetType | None = UNSET
    planned_values: _Values | UnsetType | None = UNSET
    resource_drift: list[_Entry] | UnsetType | None = UNSET
    resource_changes: list[_Entry] | UnsetType | None = UNSET
    deferred_changes: list[_Deferred] | UnsetType | None = UNSET
    action_invocations: list[_Invocation] | UnsetType | None = UNSET
    deferred_action_invocations: list[_DeferredInvocation] | UnsetType | None = UNSET
    output_changes: dict[str, _Change] | UnsetType | None = UNSET
    prior_state: _State | UnsetType | None = UNSET
    configuration: _Part = UNSET
    relevant_attributes: _Part = UNSET
    checks: _Part = UNSET
    timestamp: _Part = UNSET
    applyable: _Part = UNSET
    complete: _Part = UNSET
    errored: _Part = UNSET


class _DeclaredVariable(msgspec.Struct):
    # Any: whatever is not plainly false counts as yes.
    sensitive: Any = False
    ephemeral: Any = False
    default: _Part = UNSET


class _Call(msgspec.Struct):
    module: _DeclaringModule | None = None


class _DeclaringModule(msgspec.Struct):
    variables: dict[str, _DeclaredVariable] | None = None
    module_calls: dict[str, _Call] | None = None


class _Declaring(msgspec.Struct):
    root_module: _DeclaringModule | None = None


_document = msgspec.json.Decoder(_Document)
_declaring = msgspec.json.Decoder(_Declaring)
_anything = msgspec.json.Decoder(float_hook=Decimal)
_encoder = msgspec.json.Encoder(decimal_format="number")


def redacted_document(data: bytes | memoryview, *, masks: Masks, secrets: Secrets) -> bytes:
    """What ``show -json`` wrote, without what is sensitive, or hidden by ``masks``.

    Raises `PlanError` for what is no plan.
    """
    try:
        document = _document.decode(data)
        _Redacting(document, masks, secrets).all()
        return _encoder.encode(document)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError, ArithmeticError) as error:
        # Not what it says, beyond msgspec's word for it, which quotes nothing.
        why = f": {error}" if isinstance(error, msgspec.MsgspecError) else ""
        raise PlanError(
            f"The plan cannot be read, so nothing can be taken out of it{why}.",
            todo="Plan again.",
        ) from error


class _Redacting:
    def __init__(self, document: _Document, masks: Masks, secrets: Secrets) -> None:
        self._document = document
        self._masks = masks
        # Those that look everywhere, for what has no address.
        self._patterns = [Mask(pattern=each.pattern) for each in masks if each.pattern]
        self._secrets = secrets
        self._echoes = Echoes()

    def all(self) -> None:
        document = self._document
        for key, slots in self._objects():
            masks = masks_for(self._masks, *key)
            if masks or any(slot.hides for slot in slots):
                self._redact(slots, masks)
        for name, slots in self._outputs():
            masks = masks_for(self._masks, f"output.{name}")
            if masks or any(slot.hides for slot in slots):
                self._redact(slots, masks, is_object=False)
        for invocation in self._invocations():
            slot = _InvocationSlot(invocation)
            masks = masks_for(self._masks, invocation.address)
            if masks or slot.hides:
                self._redact([slot], masks)
        self._variables()
        # By now every secret is known.
        for name in ("configuration", "relevant_attributes"):
            part = getattr(document, name)
            if part is not UNSET:
                setattr(document, name, _raw(self._code(_read(part))))
        if document.checks is not UNSET:
            document.checks = _raw(self._checks(_read(document.checks)))

    def _redact(self, slots: list[_Slot], masks: Masks, *, is_object: bool = True) -> None:
        snapshots = [slot.snapshot() for slot in slots]
        found = redact(snapshots, self._secrets, masks, is_object=is_object, echoes=self._echoes)
        for slot, (_, mirror), value in zip(slots, snapshots, found, strict=True):
            slot.put(value, mirror)

    def _objects(self) -> Iterator[tuple[tuple[str, ...], list[_Slot]]]:
        """All snapshots of each object, with its addresses."""
        document = self._document
        slots: dict[tuple[str, str], list[_Slot]] = defaultdict(list)
        former: dict[tuple[str, str], str] = {}
        entries = [*(document.resource_drift or ()), *(document.resource_changes or ())]
        entries += [
            each.resource_change
            for each in document.deferred_changes or ()
            if each.resource_change is not UNSET
        ]
        for entry in entries:
            if not entry.address:
                # Of an old engine, and not to be matched with what else is said of its object.
                _blank(entry.change)
                continue
            key = (entry.address, entry.deposed or "")
            if entry.previous_address:
                former[key] = entry.previous_address
            slots[key] += _slots_of(entry.change)
        for resource in self._resources():
            key = (resource.address, resource.deposed_key or "")
            # Asked first: to look a key up makes it one of the slots.
            own = _ResourceSlot(resource, marked_elsewhere=key in slots)
            slots[key] += (own, _Slot(resource, "identity"))
        for key, address in former.items():
            # Where the state still has it under the name that it had.
            if (address, key[1]) in slots:
                slots[key] += slots.pop((address, key[1]))
        for key, found in slots.items():
            yield (key[0], former.get(key, key[0])), found

    def _resources(self) -> Iterator[_Resource]:
        modules = [each.root_module for each in self._all_values() if each.root_module]
        while modules:
            module = modules.pop()
            yield from module.resources or ()
            modules += module.child_modules or ()

    def _all_values(self) -> Iterator[_Values]:
        if self._document.planned_values:
            yield self._document.planned_values
        if self._document.prior_state and self._document.prior_state.values:
            yield self._document.prior_state.values

    def _outputs(self) -> Iterator[tuple[str, list[_Slot]]]:
        slots: dict[str, list[_Slot]] = defaultdict(list)
        for name, change in (self._document.output_changes or {}).items():
            slots[name] += _slots_of(change)
        for values in self._all_values():
            for name, output in (values.outputs or {}).items():
                slots[name].append(_OutputSlot(output))
        yield from slots.items()

    def _invocations(self) -> Iterator[_Invocation]:
        yield from self._document.action_invocations or ()
        for each in self._document.deferred_action_invocations or ():
            if each.action_invocation is not UNSET:
                yield each.action_invocation

    def _variables(self) -> None:
        document = self._document
        code = document.configuration
        declared = _declaring.decode(b"{}" if code is UNSET else code).root_module
        modules = [declared or _DeclaringModule()]
        variables = modules[0].variables or {}
        while modules:
            module = modules.pop()
            for name, each in (module.variables or {}).items():
                if _hides(name, each) and each.default is not UNSET:
                    self._take(each.default)
            called = (call.module for call in (module.module_calls or {}).values())
            modules += (each for each in called if each)
        given = document.variables or {}
        for name, variable in given.items():
            if variable.value is not UNSET and (
                name not in variables or _hides(name, variables[name])
            ):
                self._take(variable.value)
                variable.value = _HIDDEN
        for name, variable in given.items():
            masks = masks_for(self._masks, f"var.{name}")
            if variable.value not in (UNSET, _HIDDEN) and (masks or self._echoes):
                value = masked(_read(variable.value), masks, self._hide)
                variable.value = _raw(self._echoes.without(value, self._secrets))

    def _take(self, part: Raw) -> None:
        redact([(_read(part), True)], self._secrets, is_object=False, echoes=self._echoes)

    def _hide(self, value: Value) -> Value:
        return redact([(value, True)], self._secrets, is_object=False, echoes=self._echoes)[0]

    def _code(self, found: Decoded, *, named: bool = False, names: bool = False) -> Decoded:
        """``names``: its keys are those of attributes or variables; ``named``: one above says that
        it holds a secret."""
        if isinstance(found, dict):
            hidden = named or not all(_is_false(found, key) for key in _SAYS_SENSITIVE)
            return {
                key: (HIDDEN if hidden or holds_secret(each) else self._open(each))
                if key in _CONSTANTS
                else each
                if key in _NAMES and _is_a_name(each)
                else self._code(
                    each,
                    named=named or (names and says_secret(key)),
                    names=names or key in _HOLDS_NAMES,
                )
                for key, each in found.items()
            }
        if isinstance(found, list):
            return [self._code(each, named=named, names=names) for each in found]
        return self._open(found) if isinstance(found, str) else found

    def _checks(self, found: Decoded) -> Decoded:
        if isinstance(found, dict):
            return {
                key: HIDDEN if key == "message" else self._checks(each)
                for key, each in found.items()
            }
        return [self._checks(each) for each in found] if isinstance(found, list) else found

    def _open(self, value: Decoded) -> Value:
        found = masked(value, self._patterns, self._secrets.mark) if self._patterns else value
        return self._echoes.without(found, self._secrets) if self._echoes else found


class _Slot:
    """Where a value stands, and, where there is one, its mirror."""

    def __init__(self, holder: msgspec.Struct, value: str, mirror: str = "") -> None:
        self._holder, self._value, self._mirror = holder, value, mirror

    @property
    def hides(self) -> bool:
        """Does its mirror?"""
        mirror = self._own_mirror()
        return mirror is True or (isinstance(mirror, Raw) and _any_hidden(bytes(mirror)))

    def snapshot(self) -> tuple[Decoded, Mirror]:
        value = getattr(self._holder, self._value)
        found = None if value is UNSET else _read(value)
        mirror = self._own_mirror()
        if mirror is True:
            return found, _all_of(found)
        return found, _read(mirror) if isinstance(mirror, Raw) else None

    def put(self, value: Value, mirror: Mirror) -> None:
        if getattr(self._holder, self._value) is UNSET:
            return
        setattr(self._holder, self._value, _raw(value))
        if self._mirror:
            setattr(self._holder, self._mirror, _raw(_mirror_of(value, mirror)))

    def _own_mirror(self) -> Raw | bool:
        """True: it has none, and ought to have one."""
        mirror = getattr(self._holder, self._mirror) if self._mirror else UNSET
        return False if mirror is UNSET else mirror


class _SideSlot(_Slot):
    """One side of a change."""

    def __init__(self, change: _Change, side: str) -> None:
        super().__init__(change, side, f"{side}_sensitive")
        self._change, self._side = change, side

    def _own_mirror(self) -> Raw | bool:
        # Whoever wrote neither does not know what is sensitive, so all of it may be.
        if self._change.before_sensitive is UNSET and self._change.after_sensitive is UNSET:
            return True
        return super()._own_mirror()

    def put(self, value: Value, mirror: Mirror) -> None:
        super().put(value, mirror)
        change = self._change
        if self._side == "after" and change.after_unknown is not UNSET:
            # Below what is hidden it names keys.
            change.after_unknown = _raw(_unknown_of(value, _read(change.after_unknown)))
        if change.replace_paths is not UNSET:
            paths = _read(change.replace_paths)
            if isinstance(paths, list):
                change.replace_paths = _raw([_as_far_as_shown(each, value) for each in paths])


class _ResourceSlot(_Slot):
    """An object in a state, be it there or planned."""

    def __init__(self, resource: _Resource, *, marked_elsewhere: bool) -> None:
        super().__init__(resource, "values", "sensitive_values")
        self._unmarked = (
            resource.sensitive_values is UNSET
            and resource.values is not UNSET
            and not marked_elsewhere
        )

    def _own_mirror(self) -> Raw | bool:
        return self._unmarked or super()._own_mirror()


class _OutputSlot(_Slot):
    def __init__(self, output: _Output) -> None:
        super().__init__(output, "value", "sensitive")
        self._output = output

    def _own_mirror(self) -> Raw | bool:
        return True if self._output.sensitive is UNSET else super()._own_mirror()

    def snapshot(self) -> tuple[Decoded, Mirror]:
        value, _ = super().snapshot()
        return value, self.hides

    def put(self, value: Value, mirror: Mirror) -> None:
        super().put(value, mirror)
        hidden = hides_anything(_mirror_of(value, mirror))
        # Of an output it is one word, also where only a part of it is hidden.
        self._output.sensitive = _TRUE if hidden else _FALSE
        if hidden:
            # It names keys.
            self._output.type = UNSET


class _InvocationSlot(_Slot):
    def __init__(self, invocation: _Invocation) -> None:
        super().__init__(invocation, "config_values", "config_sensitive")
        self._invocation = invocation

    def _own_mirror(self) -> Raw | bool:
        return self._invocation.config_sensitive is UNSET or super()._own_mirror()

    def put(self, value: Value, mirror: Mirror) -> None:
        super().put(value, mirror)
        unknown = self._invocation.config_unknown
        if unknown is not UNSET:
            self._invocation.config_unknown = _raw(_unknown_of(value, _read(unknown)))


class _ImportSlot(_Slot):
    """What an object is imported by: attributes of it."""

    def __init__(self, change: _Change) -> None:
        super().__init__(change, "importing")

    def snapshot(self) -> tuple[Decoded, Mirror]:
        found, _ = super().snapshot()
        identity = found.get("identity") if isinstance(found, dict) else None
        # One level, so that its names are those of the object's own attributes.
        return ({**found, **identity} if isinstance(identity, dict) else found), None

    def put(self, value: Value, mirror: Mirror) -> None:
        found, _ = super().snapshot()
        if isinstance(found, dict) and is_map(value):
            identity = found.get("identity")
            names = identity if isinstance(identity, dict) else {}
            shown: dict[str, Value] = {key: value[key] for key in found if key in ("id", "unknown")}
            if names:
                shown["identity"] = {key: value[key] for key in names}
            super().put(shown, mirror)
        else:
            super().put(value, mirror)


class _TextSlot(_Slot):
    """A text about an object, which quotes it."""

    def snapshot(self) -> tuple[Decoded, Mirror]:
        found, _ = super().snapshot()
        return {"": found}, None

    def put(self, value: Value, mirror: Mirror) -> None:
        super().put(value[""] if is_map(value) else value, mirror)


def _slots_of(change: _Change) -> list[_Slot]:
    slots: list[_Slot] = [_SideSlot(change, "before"), _SideSlot(change, "after")]
    if change.importing is not UNSET:
        slots.append(_ImportSlot(change))
    if change.generated_config is not UNSET:
        slots.append(_TextSlot(change, "generated_config"))
    for name in ("before_identity", "after_identity"):
        if getattr(change, name) is not UNSET:
            slots.append(_Slot(change, name))
    return slots


def _blank(change: _Change) -> None:
    for name in ("before", "after", "importing", "generated_config"):
        if getattr(change, name) is not UNSET:
            setattr(change, name, _HIDDEN)
    change.before_sensitive = change.after_sensitive = _TRUE
    change.after_unknown = _FALSE
    change.replace_paths = change.before_identity = change.after_identity = UNSET


def _hides(name: str, variable: _DeclaredVariable) -> bool:
    if says_secret(name):
        return True
    return variable.sensitive is not False or variable.ephemeral is not False


@lru_cache(maxsize=1024)
def _any_hidden(mirror: bytes) -> bool:
    # Almost every one is one of few.
    return hides_anything(_anything.decode(mirror))


def _all_of(value: Decoded) -> Mirror:
    """The mirror that hides all of it, member by member where it has some."""
    return dict.fromkeys(value, True) if isinstance(value, dict) else value is not None


def _mirror_of(value: Value, mirror: Mirror) -> Mirror:
    """``mirror``, with ``true`` for whatever was taken out."""
    if isinstance(value, Sensitive):
        return True
    if is_map(value):
        own = mirror if isinstance(mirror, dict) else {}
        found = {key: each for key, each in own.items() if key not in value}
        for key, each in value.items():
            of_member = _mirror_of(each, own.get(key))
            if key in own or hides_anything(of_member):
                found[key] = of_member
        return found
    if is_list(value):
        of_elements = mirror if isinstance(mirror, list) else []
        marks = [
            _mirror_of(each, of_elements[at] if at < len(of_elements) else False)
            for at, each in enumerate(value)
        ]
        return marks if isinstance(mirror, list) or hides_anything(marks) else False
    return False if mirror is None else mirror


def _unknown_of(value: Value, unknown: Decoded) -> Decoded:
    """``unknown`` as far as ``value`` shows what it speaks of."""
    if isinstance(value, Sensitive):
        return hides_anything(unknown)
    if is_map(value) and isinstance(unknown, dict):
        return {key: _unknown_of(value.get(key), each) for key, each in unknown.items()}
    if is_list(value) and isinstance(unknown, list) and len(unknown) == len(value):
        return [_unknown_of(*pair) for pair in zip(value, unknown, strict=True)]
    return unknown


def _as_far_as_shown(path: Decoded, value: Value) -> Decoded:
    if not isinstance(path, list):
        return []
    for depth, step in enumerate(path):
        if isinstance(value, Sensitive):
            return path[:depth]
        if is_map(value) and isinstance(step, str):
            value = value.get(step)
        elif is_list(value) and isinstance(step, int) and 0 <= step < len(value):
            value = value[step]
        else:
            break
    return path


def _is_false(found: Mapping[str, Decoded], key: str) -> bool:
    return found.get(key, False) is False


def _is_a_name(found: Decoded) -> bool:
    if isinstance(found, list):
        return all(isinstance(each, str) for each in found)
    return isinstance(found, str)


def _read(part: Raw) -> Decoded:
    found = _anything.decode(part)
    # Almost nothing opens so many brackets at all.
    written = bytes(part)
    if written.count(b"{") + written.count(b"[") > DEEPEST and deeper_than(found, DEEPEST):
        raise RecursionError
    return found


def _raw(value: Value) -> Raw:
    return Raw(_encoder.encode(_plain(value)))


def _plain(value: Value) -> object:
    if isinstance(value, Sensitive):
        return HIDDEN
    if is_map(value):
        return {key: each if type(each) in _PLAIN else _plain(each) for key, each in value.items()}
    if is_list(value):
        return [each if type(each) in _PLAIN else _plain(each) for each in value]
    if isinstance(value, int) and abs(value) >= _LARGEST:
        return Decimal(value)
    return value
