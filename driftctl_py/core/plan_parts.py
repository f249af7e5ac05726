"""A plan's JSON as it is passed on: the parts of it that this version knows, as `msgspec` reads and
writes them. What a part holds stays as it was written unless ``redacted_plan`` takes something out.

Nothing is decided here. A key that no class has is read over, and so is gone when it is written.
"""

from __future__ import annotations

from typing import Any, TypeAlias

import msgspec
from msgspec import UNSET, Raw, UnsetType

Part: TypeAlias = "Raw | UnsetType"


class Change(msgspec.Struct, omit_defaults=True, gc=False):
    actions: Part = UNSET
    before: Part = UNSET
    after: Part = UNSET
    after_unknown: Part = UNSET
    before_sensitive: Part = UNSET
    after_sensitive: Part = UNSET
    replace_paths: Part = UNSET
    importing: Part = UNSET
    generated_config: Part = UNSET
    before_identity: Part = UNSET
    after_identity: Part = UNSET


class Entry(msgspec.Struct, omit_defaults=True, gc=False):
    address: str | UnsetType = UNSET
    previous_address: str | UnsetType = UNSET
    module_address: Part = UNSET
    mode: Part = UNSET
    type: Part = UNSET
    name: Part = UNSET
    index: Part = UNSET
    provider_name: Part = UNSET
    deposed: str | UnsetType = UNSET
    change: Change = msgspec.field(default_factory=Change)
    action_reason: Part = UNSET


class Resource(msgspec.Struct, omit_defaults=True, gc=False):
    address: str
    mode: Part = UNSET
    type: Part = UNSET
    name: Part = UNSET
    index: Part = UNSET
    provider_name: Part = UNSET
    schema_version: Part = UNSET
    values: Part = UNSET
    sensitive_values: Part = UNSET
    depends_on: Part = UNSET
    tainted: Part = UNSET
    deposed_key: str | UnsetType = UNSET
    identity_schema_version: Part = UNSET
    identity: Part = UNSET


class Module(msgspec.Struct, omit_defaults=True, gc=False):
    resources: list[Resource] | UnsetType | None = UNSET
    address: Part = UNSET
    child_modules: list[Module] | UnsetType | None = UNSET


class Output(msgspec.Struct, omit_defaults=True, gc=False):
    sensitive: Part = UNSET
    type: Part = UNSET
    value: Part = UNSET


class Values(msgspec.Struct, omit_defaults=True, gc=False):
    outputs: dict[str, Output] | UnsetType | None = UNSET
    root_module: Module | UnsetType | None = UNSET


class State(msgspec.Struct, omit_defaults=True, gc=False):
    format_version: Part = UNSET
    terraform_version: Part = UNSET
    values: Values | UnsetType | None = UNSET


class Variable(msgspec.Struct, omit_defaults=True, gc=False):
    value: Part = UNSET


class Invocation(msgspec.Struct, omit_defaults=True, gc=False):
    address: str = ""
    type: Part = UNSET
    name: Part = UNSET
    config_values: Part = UNSET
    config_sensitive: Part = UNSET
    config_unknown: Part = UNSET
    provider_name: Part = UNSET
    lifecycle_action_trigger: Part = UNSET
    invoke_action_trigger: Part = UNSET


class Deferred(msgspec.Struct, omit_defaults=True, gc=False):
    reason: Part = UNSET
    resource_change: Entry | UnsetType = UNSET


class DeferredInvocation(msgspec.Struct, omit_defaults=True, gc=False):
    reason: Part = UNSET
    action_invocation: Invocation | UnsetType = UNSET


class Document(msgspec.Struct, omit_defaults=True, gc=False):
    format_version: Part = UNSET
    terraform_version: Part = UNSET
    variables: dict[str, Variable] | UnsetType | None = UNSET
    planned_values: Values | UnsetType | None = UNSET
    resource_drift: list[Entry] | UnsetType | None = UNSET
    resource_changes: list[Entry] | UnsetType | None = UNSET
    deferred_changes: list[Deferred] | UnsetType | None = UNSET
    action_invocations: list[Invocation] | UnsetType | None = UNSET
    deferred_action_invocations: list[DeferredInvocation] | UnsetType | None = UNSET
    output_changes: dict[str, Change] | UnsetType | None = UNSET
    prior_state: State | UnsetType | None = UNSET
    configuration: Part = UNSET
    relevant_attributes: Part = UNSET
    checks: Part = UNSET
    timestamp: Part = UNSET
    applyable: Part = UNSET
    complete: Part = UNSET
    errored: Part = UNSET


class DeclaredVariable(msgspec.Struct):
    # Any: whatever is not plainly false counts as yes.
    sensitive: Any = False
    ephemeral: Any = False
    default: Part = UNSET


class Call(msgspec.Struct):
    module: DeclaringModule | None = None


class DeclaringModule(msgspec.Struct):
    variables: dict[str, DeclaredVariable] | None = None
    module_calls: dict[str, Call] | None = None


class Declaring(msgspec.Struct):
    root_module: DeclaringModule | None = None


def document_of(data: bytes | memoryview) -> Document:
    """What ``show -json`` wrote. Raises msgspec's own errors."""
    return _document.decode(data)


def declared_in(configuration: Part) -> DeclaringModule:
    """The root module with the variables that it and what it calls declare."""
    found = _declaring.decode(b"{}" if configuration is UNSET else configuration).root_module
    return found or DeclaringModule()


_document = msgspec.json.Decoder(Document)
_declaring = msgspec.json.Decoder(Declaring)
