"""The bytes of ``show -json PLANFILE`` → a Plan. Alone knows how a plan is spelled on the wire.

Lenient towards the engine (unknown keys are ignored, as its compatibility promise asks), strict
about what would make a wrong answer: another major format, a state instead of a plan, anything
cut off or added. Whatever is wrong with the bytes comes out as PlanError and nothing else.

What nothing asks for is never decoded: the whole of ``prior_state`` and ``configuration``, and
the values of every object that stays as it is. Secrets are taken out here, before a value
leaves; see ``redaction``.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Any, TypeAlias

import msgspec
from msgspec import UNSET

from driftctl_py.core.address import parse_address
from driftctl_py.core.masks import Masks, masks_for, mentions
from driftctl_py.core.plan import (
    UNMANAGED,
    ActionInvocation,
    Change,
    CheckResult,
    Deferred,
    Joined,
    Kind,
    OutputChange,
    Path,
    Plan,
)
from driftctl_py.core.redaction import (
    Decoded,
    Mirror,
    hide_alike,
    places_hidden,
    redact,
    with_unknown,
)
from driftctl_py.core.values import DEEPEST, UNKNOWN, Secrets, Sensitive, Value, deeper_than
from driftctl_py.errors import PlanError

if TYPE_CHECKING:
    from driftctl_py.core.plan_settings import Configured

# What msgspec reads from: bytes, or anything that lends them, as a memory map does.
# (collections.abc.Buffer is Python 3.12's.)
Buffer: TypeAlias = "bytes | bytearray | memoryview | Any"

_NULL = msgspec.Raw(b"null")
_MAKE_ONE = "Make one of a saved plan: terraform show -json PLANFILE (or tofu show -json PLANFILE)."
_AGAIN = "Ask the engine again: terraform show -json PLANFILE (or tofu show -json PLANFILE)."

_KINDS = {
    ("no-op",): Kind.NO_OP,
    ("create",): Kind.CREATE,
    ("update",): Kind.UPDATE,
    ("delete",): Kind.DELETE,
    ("read",): Kind.READ,
    ("delete", "create"): Kind.REPLACE,
    ("create", "delete"): Kind.REPLACE_CREATE_FIRST,
    ("forget",): Kind.FORGET,
    ("forget", "create"): Kind.FORGET_THEN_CREATE,
    ("create", "forget"): Kind.CREATE_THEN_FORGET,
}


# As the engine writes them for what stays as it is.
_NO_OP = msgspec.Raw(b'["no-op"]')
_NO_NAME = msgspec.Raw(b'""')


class _Change(msgspec.Struct, gc=False):
    actions: msgspec.Raw
    before: msgspec.Raw = _NULL
    after: msgspec.Raw = _NULL
    after_unknown: msgspec.Raw = _NULL
    before_sensitive: msgspec.Raw | msgspec.UnsetType = UNSET
    after_sensitive: msgspec.Raw | msgspec.UnsetType = UNSET
    replace_paths: msgspec.Raw = _NULL
    importing: msgspec.Raw = _NULL
    before_identity: msgspec.Raw = _NULL


_UNCHANGED = _Change(actions=_NO_OP)
_MANAGED = "managed"


class _Entry(msgspec.Struct, gc=False):
    address: str
    change: _Change
    mode: str = _MANAGED
    previous_address: str | None = None
    deposed: str | None = None
    action_reason: str | None = None
    provider_name: msgspec.Raw = _NO_NAME


class _Planned(_Entry, gc=False):
    """One of ``resource_changes``. There may be a hundred thousand that say nothing, so what is
    not needed of such an entry goes while the next ones are being read; its marks stay, since
    what was changed outside may be a secret by these alone."""

    before_sensitive: msgspec.Raw | msgspec.UnsetType = UNSET
    after_sensitive: msgspec.Raw | msgspec.UnsetType = UNSET

    def __post_init__(self) -> None:
        change = self.change
        # What almost all of them are is asked first: a call for each takes longer than to read it.
        if (
            change.actions == _NO_OP
            and change.importing is _NULL
            and self.previous_address is None
            and self.mode == _MANAGED
        ) or _is_untouched(self):
            self.before_sensitive = before = change.before_sensitive
            after = change.after_sensitive
            self.after_sensitive = before if before == after else after
            self.change = _UNCHANGED
            self.provider_name = _NO_NAME
            if self.mode == _MANAGED:
                # One text for all of them.
                self.mode = _MANAGED

    def stay_as(self, real: msgspec.Raw) -> None:
        """Takes back what went, if it did: before and after are what is really there."""
        if self.change is _UNCHANGED:
            self.change = _Change(
                actions=_NO_OP,
                before=real,
                after=real,
                before_sensitive=self.before_sensitive,
                after_sensitive=self.after_sensitive,
            )


class _Drift(_Entry, kw_only=True, gc=False):
    # Terraform 0.15 does not write it, nor the key of an instance.
    address: str = ""
    module_address: str = ""
    type: str = ""
    name: str = ""


class _CheckAddress(msgspec.Struct):
    to_display: str


class _Problem(msgspec.Struct):
    """Its message is never looked at: it may quote anything."""


class _CheckInstance(msgspec.Struct):
    problems: list[_Problem] | None = None


class _Check(msgspec.Struct):
    address: _CheckAddress
    status: str
    instances: list[_CheckInstance] | None = None


class _Deferred(msgspec.Struct):
    resource_change: _Entry
    reason: str = ""


class _Trigger(msgspec.Struct):
    triggering_resource_address: str = ""
    action_trigger_event: str = ""


class _Invocation(msgspec.Struct):
    address: str
    provider_name: str = ""
    lifecycle_action_trigger: _Trigger | None = None
    config_values: msgspec.Raw = _NULL
    config_unknown: msgspec.Raw = _NULL
    config_sensitive: msgspec.Raw | msgspec.UnsetType = UNSET


class _DeferredInvocation(msgspec.Struct):
    action_invocation: _Invocation
    reason: str = ""


class _Document(msgspec.Struct):
    format_version: str
    terraform_version: str = ""
    resource_changes: Sequence[_Entry] | None = None
    resource_drift: list[_Drift] | None = None
    output_changes: dict[str, _Change] | None = None
    checks: list[_Check] | None = None
    deferred_changes: list[_Deferred] | None = None
    action_invocations: list[_Invocation] | None = None
    deferred_action_invocations: list[_DeferredInvocation] | None = None
    errored: bool | None = None
    complete: bool | None = None
    applyable: bool | None = None
    configuration: msgspec.Raw = msgspec.Raw(b"{}")
    # Only whether they are there: every plan has the first, only a state the second.
    planned_values: msgspec.Raw | msgspec.UnsetType = UNSET
    values: msgspec.Raw | msgspec.UnsetType = UNSET


class _LeanDocument(_Document):
    resource_changes: Sequence[_Planned] | None = None


class _CheckedChange(msgspec.Struct):
    actions: list[str]


class _CheckedEntry(msgspec.Struct):
    change: _CheckedChange
    provider_name: str = ""


class _Checked(msgspec.Struct):
    resource_changes: list[_CheckedEntry] | None = None
    resource_drift: list[_CheckedEntry] | None = None
    output_changes: dict[str, _CheckedChange] | None = None


_document = msgspec.json.Decoder(_LeanDocument)
_whole_document = msgspec.json.Decoder(_Document)
_anything = msgspec.json.Decoder(float_hook=Decimal)
_words = msgspec.json.Decoder(tuple[str, ...])
_text = msgspec.json.Decoder(str)


def decode_plan(
    data: Buffer, *, masks: Masks = (), secrets: Secrets | None = None, settings: bool = False
) -> Plan:
    """The plan that ``data`` holds, from any Terraform since 0.12 and any OpenTofu.

    ``masks`` hide more than the engine does. Two plans decoded with the same ``secrets`` can be
    compared secret by secret; with ``settings`` those in its configuration are read too. ``data``
    may be a memory map; nothing of it is referred to once this returns.
    """
    try:
        document = _decoded(data)
        _refuse_what_is_no_plan(document)
        return _plan(document, masks, secrets or Secrets(), settings=settings)
    except UnicodeDecodeError as error:
        raise PlanError(
            "The plan is not UTF-8, which JSON must be, so it was changed on its way here.",
            todo=_AGAIN,
        ) from error
    except RecursionError as error:
        raise _too_deep() from error
    except InvalidOperation as error:
        raise PlanError("A number in the plan is too large to be read.", todo=_AGAIN) from error
    except msgspec.MsgspecError as error:
        raise _explained(bytes(data[:4096]), _where_wrong(data) or str(error)) from error


def kind_of(actions: Sequence[str]) -> Kind:
    """What a list of actions amounts to; UNKNOWN for any that the format did not have so far."""
    return _KINDS.get(tuple(actions), Kind.UNKNOWN)


def _decoded(data: Buffer) -> _Document:
    document: _Document = _document.decode(data)
    if all(each.address for each in document.resource_drift or []):
        return document
    document = _whole_document.decode(data)
    _find_addresses(document.resource_drift or [], document.resource_changes or [])
    return document


def _plan(document: _Document, masks: Masks, secrets: Secrets, *, settings: bool) -> Plan:
    changes = document.resource_changes or []
    managed = [each for each in changes if each.mode is _MANAGED or each.mode not in UNMANAGED]
    values = _Values(secrets, masks)
    joined = tuple(_joined(document, values))
    outputs = tuple(
        values.output(name, change)
        for name, change in sorted((document.output_changes or {}).items())
        if _actions(change) != ("no-op",)
    )
    invocations = tuple(map(values.invocation, document.action_invocations or []))
    deferred = tuple(_deferred(document, values))
    configured = _configured(document.configuration, values, joined) if settings else None
    return Plan(
        engine_version=document.terraform_version,
        joined=joined,
        outputs=outputs,
        checks=tuple(map(_check, document.checks or [])),
        deferred=deferred,
        invocations=invocations,
        counts=_counts(managed),
        settings=configured.settings if configured else None,
        blocks=configured.blocks if configured else {},
        seals=secrets.seals,
        managed=sum(1 for each in managed if not each.deposed),
        errored=bool(document.errored),
        complete=document.complete,
        applyable=document.applyable,
    )


def _joined(document: _Document, values: _Values) -> Iterator[Joined]:
    """Everything that is not simply unchanged, each change beside the drift of its object."""
    changes, drift = document.resource_changes or [], document.resource_drift or []
    _addresses(drift, "resource_drift")
    drifted = {(entry.address, entry.deposed or ""): entry for entry in drift}
    outside = {entry.address for entry in drift}
    current = _addresses(changes, "resource_changes")
    spoken_of = [
        entry for entry in changes if entry.change is not _UNCHANGED or entry.address in outside
    ]
    for entry in spoken_of:
        untouched = entry.change is _UNCHANGED or _is_untouched(entry)
        found = drifted.pop((entry.address, entry.deposed or ""), None)
        if found is None and entry.previous_address and entry.previous_address not in current:
            # The engine names drift by the new address; kept in case one does not.
            found = drifted.pop((entry.previous_address, entry.deposed or ""), None)
        if found is not None and isinstance(entry, _Planned):
            entry.stay_as(found.change.after)
        if found is not None or not untouched:
            yield values.joined(entry, found)
    for entry in drifted.values():
        if document.format_version.startswith("0."):
            # Terraform 1.0 marks in drift only what the code calls sensitive, not what the
            # provider does; there is no change here that would.
            entry.change.before_sensitive = entry.change.after_sensitive = UNSET
        yield values.joined(None, entry)


def _find_addresses(drift: Sequence[_Drift], changes: Sequence[_Entry]) -> None:
    """Gives drift without an address that of the object it is about: one of the same code, whose
    change begins where the drift ended. What is gone for good has none; it gets a number."""
    instances = defaultdict(list)
    for entry in changes:
        found = parse_address(entry.address)
        if found and not entry.deposed:
            instances[found.module, found.type, found.name].append(entry)
    for number, each in enumerate(drift):
        if not each.address:
            module = f"{each.module_address}." if each.module_address else ""
            each.address = f"{module}{each.type}.{each.name}[?{number}]"
            same_code = instances[each.module_address, each.type, each.name]
            for entry in same_code:
                if bytes(entry.change.before) == bytes(each.change.after):
                    each.address = entry.address
                    same_code.remove(entry)
                    break


def _addresses(entries: Sequence[_Entry], where: str) -> set[str]:
    """Of all that is not deposed. Every entry of a plan comes by here, so no keys are made of those
    that an address tells apart."""
    current = {entry.address for entry in entries if not entry.deposed}
    if len(current) == len(entries):
        return current
    deposed = {(entry.address, entry.deposed) for entry in entries if entry.deposed}
    if len(current) + len(deposed) != len(entries):
        raise PlanError(
            f"The plan's {where} names one object twice, so there is no telling which entry holds.",
            todo=_AGAIN,
        )
    return current


def _is_untouched(entry: _Entry) -> bool:
    change = entry.change
    if entry.mode in UNMANAGED:
        # An ephemeral value is gone before the next plan. And a data source has nothing that
        # could be deleted: that is how the engine tidies its state.
        return entry.mode == "ephemeral" or _actions(change) in (("no-op",), ("delete",))
    return (
        _actions(change) == ("no-op",)
        and not entry.previous_address
        and not _is_there(change.importing)
    )


def _counts(managed: Sequence[_Entry]) -> Mapping[Kind, int]:
    touched = [each for each in managed if each.change is not _UNCHANGED]
    counts = Counter(kind_of(_actions(each.change)) for each in touched)
    if len(touched) < len(managed):
        counts[Kind.NO_OP] += len(managed) - len(touched)
    return counts


def _actions(change: _Change) -> tuple[str, ...]:
    return ("no-op",) if change.actions is _NO_OP else _words.decode(change.actions)


def _check(check: _Check) -> CheckResult:
    instances = check.instances or []
    problems = sum(len(instance.problems or []) for instance in instances)
    return CheckResult(check.address.to_display, check.status, problems)


def _deferred(document: _Document, values: _Values) -> Iterator[Deferred]:
    for each in document.deferred_changes or []:
        yield Deferred(each.reason, values.joined(each.resource_change, None).entry)
    for put_off in document.deferred_action_invocations or []:
        action = values.invocation(put_off.action_invocation)
        change = Change(action.address, Kind.UNKNOWN, None, action.config, mode="action")
        yield Deferred(put_off.reason, change)


def _configured(
    configuration: msgspec.Raw, values: _Values, joined: Sequence[Joined]
) -> Configured:
    # Here, since a check asks for none.
    from driftctl_py.core.plan_settings import configured_in

    def hides(value: Value) -> bool:
        return mentions(value, values.masks)

    found = [parse_address(each.change.address) for each in joined if each.change is not None]
    changing = [address for address in found if address is not None]
    return configured_in(configuration, changing, _read, hides, values.secrets)


@dataclass(frozen=True, slots=True)
class _Values:
    """Reads values, and lets no secret through."""

    secrets: Secrets
    masks: Masks

    def joined(self, change: _Entry | None, drift: _Entry | None) -> Joined:
        entries = [entry for entry in (change, drift) if entry is not None]
        # What one of an object's snapshots calls sensitive is so in all.
        snapshots = [side for entry in entries for side in _sides(entry.change, entry.mode)]
        # What it is imported by names attributes of the object, so their mirrors count too.
        imported_by = [(_imported_by(entry.change), None) for entry in entries]
        # And so does what the provider calls it.
        named = [(_read(entry.change.before_identity), None) for entry in entries]
        addresses = [each.address for each in entries]
        addresses += [each.previous_address for each in entries if each.previous_address]
        masks = masks_for(self.masks, *addresses)
        values = redact([*snapshots, *imported_by, *named], self.secrets, masks)
        decoded = [
            _change(
                entry,
                *values[2 * at : 2 * at + 2],
                import_id=values[len(snapshots) + at],
                identity=values[len(snapshots) + len(entries) + at],
                mirrors=[mirror for _, mirror in snapshots[2 * at : 2 * at + 2]],
            )
            for at, entry in enumerate(entries)
        ]
        return Joined(
            change=decoded[0] if change is not None else None,
            drift=decoded[-1] if drift is not None else None,
        )

    def output(self, name: str, change: _Change) -> OutputChange:
        masks = masks_for(self.masks, f"output.{name}")
        before, after = redact(_sides(change), self.secrets, masks, is_object=False)
        actions = _actions(change)
        return OutputChange(
            name=name,
            kind=kind_of(actions),
            before=before,
            after=after,
            actions=actions,
        )

    def invocation(self, found: _Invocation) -> ActionInvocation:
        trigger = found.lifecycle_action_trigger or _Trigger()
        config = with_unknown(_read(found.config_values), _read(found.config_unknown))
        mirror = (
            _all_of(config) if found.config_sensitive is UNSET else _read(found.config_sensitive)
        )
        masks = masks_for(self.masks, found.address)
        (config,) = redact([(config, mirror)], self.secrets, masks)
        return ActionInvocation(
            address=found.address,
            triggered_by=trigger.triggering_resource_address,
            event=trigger.action_trigger_event,
            config=config,
            provider=found.provider_name,
        )


def _sides(change: _Change, mode: str = "managed") -> list[tuple[Decoded, Mirror]]:
    """Before and after, each with its mirror."""
    before = after = None
    # A data source's values are nobody's to change; they are never looked at.
    if mode != "data":
        before = _read(change.before)
        after = with_unknown(_read(change.after), _read(change.after_unknown))
    if change.before_sensitive is UNSET and change.after_sensitive is UNSET:
        # Whoever wrote this plan does not know what is sensitive, so all of it may be.
        return [(before, _all_of(before)), (after, _all_of(after))]
    # One may be missing where there is no such side; more often, one is spelled as the other.
    mirror = None if change.before_sensitive is UNSET else _read(change.before_sensitive)
    if change.before_sensitive == change.after_sensitive:
        return [(before, mirror), (after, mirror)]
    other = None if change.after_sensitive is UNSET else _read(change.after_sensitive)
    return [(before, mirror), (after, other)]


def _all_of(value: Decoded) -> Mirror:
    """The mirror that hides all of it, member by member where it has some."""
    return dict.fromkeys(value, True) if isinstance(value, dict) else value is not None


def _imported_by(change: _Change) -> Decoded:
    """``{"id": …}``, or the resource's identity: its attributes that tell it from others."""
    importing = _read(change.importing)
    if not isinstance(importing, dict):
        return None
    if importing.get("unknown"):
        return {"id": UNKNOWN}
    identity = importing.get("identity")
    return identity if isinstance(identity, dict) else {"id": importing.get("id")}


def _change(
    entry: _Entry,
    before: Value,
    after: Value,
    *,
    import_id: Value,
    identity: Value,
    mirrors: Sequence[Mirror],
) -> Change:
    change = entry.change
    actions = _actions(change)
    kind = kind_of(actions)
    newly: tuple[Path, ...] = ()
    no_longer: tuple[Path, ...] = ()
    alike = hide_alike(*mirrors)
    # What comes or goes brings its marks along.
    if not alike and kind in (Kind.UPDATE, Kind.UNKNOWN):
        old, new = (
            [_as_far_as_shown(path, before, after) for path in places_hidden(mirror)]
            for mirror in mirrors
        )
        newly = tuple(path for path in new if path not in old)
        no_longer = tuple(path for path in old if path not in new)
    if isinstance(import_id, Mapping) and import_id.keys() == {"id"}:
        import_id = import_id["id"]
    return Change(
        address=entry.address,
        kind=kind,
        before=before,
        after=after,
        deposed=entry.deposed or "",
        mode=entry.mode,
        actions=actions,
        reason=entry.action_reason or "",
        previous_address=entry.previous_address or "",
        imported=_is_there(change.importing),
        import_id=import_id,
        replace_paths=tuple(
            _as_far_as_shown(path, before, after) for path in _paths(_read(change.replace_paths))
        ),
        sensitivity_changed=not alike,
        newly_sensitive=newly,
        no_longer_sensitive=no_longer,
        identity=identity,
        provider=_text.decode(entry.provider_name),
    )


def _is_there(raw: msgspec.Raw) -> bool:
    return raw is not _NULL and raw != _NULL


def _read(raw: msgspec.Raw) -> Decoded:
    found: Value = _anything.decode(raw)
    # Almost nothing opens so many brackets at all.
    written = bytes(raw)
    if written.count(b"{") + written.count(b"[") > DEEPEST and deeper_than(found, DEEPEST):
        raise _too_deep()
    return found


def _paths(found: Decoded) -> tuple[Path, ...]:
    """``[["engine_version"], ["rule", 0, "port"]]``; a step that is neither name nor position
    cuts its path there, so that the mark sits a little too high rather than nowhere."""
    paths: list[Path] = []
    for steps in found if isinstance(found, list) else []:
        path: list[str | int] = []
        for step in steps if isinstance(steps, list) else []:
            if not isinstance(step, str | int):
                break
            path.append(step)
        paths.append(tuple(path))
    return tuple(paths)


def _as_far_as_shown(path: Path, *values: Value) -> Path:
    """``path`` as far as none of the values is a secret: what follows names keys that are in it."""
    for depth, step in enumerate(path):
        if any(isinstance(value, Sensitive) for value in values):
            return path[:depth]
        values = tuple(_member(value, step) for value in values)
    return path


def _member(value: Value, step: str | int) -> Value:
    if isinstance(value, Mapping) and isinstance(step, str):
        return value.get(step)
    if isinstance(value, list) and isinstance(step, int) and 0 <= step < len(value):
        found: Value = value[step]
        return found
    return None


def _refuse_what_is_no_plan(document: _Document) -> None:
    version = re.fullmatch(r"(\d{1,9})\.(\d{1,9})", document.format_version)
    if version is None:
        raise PlanError(
            "Its format_version is not one that Terraform or OpenTofu writes, so this is no plan.",
            todo=_MAKE_ONE,
        )
    if int(version[1]) > 1:
        raise PlanError(
            f"The plan has format version {version[0]}; this version reads 0.x and 1.x, and a new "
            "major version may mean anything.",
            todo="Update: pip install --upgrade driftctl-py",
        )
    looks_planned = (
        document.planned_values,
        document.resource_changes,
        document.resource_drift,
        document.output_changes,
    )
    if all(each in (None, UNSET) for each in looks_planned):
        state = "a state" if document.values is not UNSET else "an empty state"
        raise PlanError(
            f"This is {state} and not a plan: it says what is, and nothing of what would change.",
            todo=_MAKE_ONE,
        )


def _where_wrong(data: Buffer) -> str:
    """What msgspec says of what is only looked at where something changes, with its place."""

    try:
        msgspec.json.decode(data, type=_Checked)
    except msgspec.MsgspecError as error:
        return str(error)
    except (UnicodeDecodeError, RecursionError):
        # It is looked at in another order: what was found first is what is said.
        return ""
    return ""


def _explained(start: bytes, why: str) -> PlanError:
    """What these bytes are instead, from how they begin; ``why`` is msgspec's word for it, which
    names places and types and quotes nothing."""
    text = start.lstrip()
    if not text:
        return PlanError("There is nothing in it: the plan is empty.", todo=_AGAIN)
    if text.startswith(b"PK\x03\x04"):
        return PlanError("This is a saved plan file itself, and not its JSON.", todo=_MAKE_ONE)
    if text.startswith((b"\xff\xfe", b"\xfe\xff")):
        return PlanError(
            "This is UTF-16, as PowerShell's > writes it, and not UTF-8.",
            todo="Write it with: terraform show -json PLANFILE | Out-File -Encoding utf8NoBOM FILE",
        )
    if text.startswith(b"\xef\xbb\xbf"):
        return PlanError(
            "It begins with a byte order mark, which JSON does not allow.",
            todo="Take the first three bytes away: tail -c +4 FILE",
        )
    if text.startswith(b'{"@level"'):
        return PlanError(
            "This is the engine's event stream (plan -json), which holds no values.",
            todo=_MAKE_ONE,
        )
    if b'"lineage"' in text and b'"serial"' in text:
        return PlanError("This is a state file and not a plan.", todo=_MAKE_ONE)
    if not text.startswith(b"{"):
        return PlanError("This is not the JSON of a plan.", todo=_MAKE_ONE)
    if "truncated" in why:
        return PlanError(f"The plan is cut off or garbled: {why}.", todo=_AGAIN)
    if "trailing" in why:
        return PlanError(f"Something follows after the end of the plan: {why}.", todo=_AGAIN)
    if "format_version" in why:
        return PlanError(f"This is JSON, but no plan: {why}.", todo=_MAKE_ONE)
    return PlanError(f"This plan cannot be read: {why}.", todo=_AGAIN)


def _too_deep() -> PlanError:
    return PlanError(
        f"Something in the plan is nested deeper than any plan is (more than {DEEPEST} levels).",
        todo=_AGAIN,
    )
