"""A plan's JSON in the engine's own spelling, without its secrets: what policies and checks read.

Every snapshot of an object is looked at together, wherever it stands (what drifted, what changes,
what was there before, what will be), and so is every one of an output; what a mirror of one hides
goes from all, and so does what repeats it; see ``redaction``. A text, ``(sensitive)``, takes the
place of what is hidden, and the mirrors say ``true`` there, so a policy can tell.

It fails closed. A variable stays only where it is declared, not as sensitive, and under a name that
does not say what it is (an engine does not write that one is ephemeral). What is written in code
goes as ``redacted_code`` says, and so do messages of checks. And of sections, and keys of an
object's entry, that this version does not know, nothing is passed on: ``plan_parts`` has no place
for them. An object of which nothing is hidden is passed on as it was written, unread.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import msgspec
from msgspec import UNSET, Raw

from driftctl_py.core.masks import Masks, masked, masks_for
from driftctl_py.core.plan_parts import (
    DeclaredVariable,
    Document,
    Invocation,
    Resource,
    Values,
    declared_in,
    document_of,
)
from driftctl_py.core.plan_settings import says_secret
from driftctl_py.core.redacted_code import Code
from driftctl_py.core.redacted_slots import (
    HIDDEN,
    HIDDEN_PART,
    Holder,
    InvocationSlot,
    OutputSlot,
    Slot,
    Unmarked,
    blank,
    encoded,
    marks_anything,
    raw,
    read,
    redact_slots,
    slots_of,
)
from driftctl_py.core.redaction import Echoes, redact
from driftctl_py.core.values import Secrets, Value
from driftctl_py.errors import PlanError

__all__ = ("HIDDEN", "redacted_document")


def redacted_document(data: bytes | memoryview, *, masks: Masks, secrets: Secrets) -> bytes:
    """What ``show -json`` wrote, without what is sensitive, or hidden by ``masks``.

    Raises `PlanError` for what is no plan.
    """
    try:
        document = document_of(data)
        _Redacting(document, masks, secrets).all()
        return encoded(document)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError, ArithmeticError) as error:
        # Not what it says, beyond msgspec's word for it, which quotes nothing.
        why = f": {error}" if isinstance(error, msgspec.MsgspecError) else ""
        raise PlanError(
            f"The plan cannot be read, so nothing can be taken out of it{why}.",
            todo="Plan again.",
        ) from error


class _Redacting:
    def __init__(self, document: Document, masks: Masks, secrets: Secrets) -> None:
        self._document = document
        self._masks = masks
        self._secrets = secrets
        self._echoes = Echoes()

    def all(self) -> None:
        document = self._document
        for addresses, holders in self._objects():
            masks, surely = masks_for(self._masks, *addresses), any(map(marks_anything, holders))
            if masks or surely:
                slots = [slot for holder in holders for slot in slots_of(holder)]
                self._redact(slots, masks, surely=surely)
        for name, slots in self._outputs():
            masks = masks_for(self._masks, f"output.{name}")
            self._redact_marked(slots, masks, is_object=False)
        for invocation in self._invocations():
            masks = masks_for(self._masks, invocation.address)
            self._redact_marked([InvocationSlot(invocation)], masks)
        self._variables()
        # By now every secret is known.
        code = Code(self._masks, self._secrets, self._echoes)
        if document.configuration is not UNSET:
            document.configuration = code.redacted(document.configuration)
        if document.relevant_attributes is not UNSET:
            document.relevant_attributes = code.redacted(document.relevant_attributes)
        if document.checks is not UNSET:
            document.checks = code.checks(document.checks)

    def _redact_marked(self, slots: list[Slot], masks: Masks, *, is_object: bool = True) -> None:
        surely = any(slot.hides for slot in slots)
        if masks or surely:
            self._redact(slots, masks, surely=surely, is_object=is_object)

    def _redact(
        self, slots: list[Slot], masks: Masks, *, surely: bool, is_object: bool = True
    ) -> None:
        redact_slots(slots, masks, self._secrets, self._echoes, is_object=is_object, surely=surely)

    def _objects(self) -> Iterator[tuple[tuple[str, ...], list[Holder]]]:
        """All that holds each object, with its addresses."""
        document = self._document
        holders: dict[tuple[str, str], list[Holder]] = {}
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
                blank(entry.change)
                continue
            key = (entry.address, entry.deposed or "")
            if entry.previous_address:
                former[key] = entry.previous_address
            holders.setdefault(key, []).append(entry.change)
        for resource in self._resources():
            key = (resource.address, resource.deposed_key or "")
            # What marks it elsewhere marks it here too.
            unmarked = (
                resource.sensitive_values is UNSET
                and resource.values is not UNSET
                and key not in holders
            )
            holder = Unmarked(resource) if unmarked else resource
            holders.setdefault(key, []).append(holder)
        names = {key: {key[0], address} for key, address in former.items()}
        # Where the holders are that stood under a name: names may be handed on, from one object to
        # the next, or be exchanged. What is not told apart here is hidden alike.
        joined: dict[tuple[str, str], tuple[str, str]] = {}
        for key, address in former.items():
            # Where the state still has it under the name that it had.
            one, other = _last(key, joined), _last((address, key[1]), joined)
            if one != other and other in holders:
                holders[one] += holders.pop(other)
                names[one] = {other[0]}.union(names.get(one, ()), names.pop(other, ()))
                joined[other] = one
        for key, found in holders.items():
            yield tuple(sorted(names.get(key, {key[0]}))), found

    def _resources(self) -> Iterator[Resource]:
        modules = [each.root_module for each in self._all_values() if each.root_module]
        while modules:
            module = modules.pop()
            yield from module.resources or ()
            modules += module.child_modules or ()

    def _all_values(self) -> Iterator[Values]:
        if self._document.planned_values:
            yield self._document.planned_values
        if self._document.prior_state and self._document.prior_state.values:
            yield self._document.prior_state.values

    def _outputs(self) -> Iterator[tuple[str, list[Slot]]]:
        slots: dict[str, list[Slot]] = {}
        for name, change in (self._document.output_changes or {}).items():
            slots.setdefault(name, []).extend(slots_of(change))
        for values in self._all_values():
            for name, output in (values.outputs or {}).items():
                slots.setdefault(name, []).append(OutputSlot(output))
        yield from slots.items()

    def _invocations(self) -> Iterator[Invocation]:
        yield from self._document.action_invocations or ()
        for each in self._document.deferred_action_invocations or ():
            if each.action_invocation is not UNSET:
                yield each.action_invocation

    def _variables(self) -> None:
        document = self._document
        modules = [declared_in(document.configuration)]
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
                variable.value = HIDDEN_PART
        for name, variable in given.items():
            masks = masks_for(self._masks, f"var.{name}")
            if variable.value not in (UNSET, HIDDEN_PART) and (masks or self._echoes):
                value = masked(read(variable.value), masks, self._hide)
                variable.value = raw(self._echoes.without(value, self._secrets))

    def _take(self, part: Raw) -> None:
        self._hide(read(part))

    def _hide(self, value: Value) -> Value:
        return redact([(value, True)], self._secrets, is_object=False, echoes=self._echoes)[0]


def _last(
    key: tuple[str, str], joined: Mapping[tuple[str, str], tuple[str, str]]
) -> tuple[str, str]:
    while key in joined:
        key = joined[key]
    return key


def _hides(name: str, variable: DeclaredVariable) -> bool:
    if says_secret(name):
        return True
    return variable.sensitive is not False or variable.ephemeral is not False
