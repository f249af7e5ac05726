"""An assessment to keep until the next check: only of a plan that amounts to nothing.

Reading a plan's values takes the engine a second process, which with a large provider costs half
as much as the plan. A provider that spells empty tags in two ways makes that necessary at each
check of a clean environment. So what was once read as in sync is kept, and holds for as long as
the saved plan says the same. Anything else, drift above all, is read every time.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from hashlib import sha256

import msgspec

from driftctl_py.core.assessment import Assessment, AttributeChange, Finding, Origin, Status
from driftctl_py.core.plan import Kind
from driftctl_py.core.protobuf import Field, fields

_MOMENT = re.compile(rb"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)")

# The few fields that have to be known, from the engines' planfile.proto. Version 3 is all that
# Terraform (since 0.12) and OpenTofu ever wrote.
_VERSION = b"\x08\x03"
_CHANGES_AND_DRIFT = frozenset({3, 18})
_CHANGE_OF_ENTRY = 9
# Which paths are sensitive, before and after: a set, written in any order.
_SENSITIVE_PATHS = frozenset({3, 4})
# What a plan holds beside itself that no assessment looks at; the state lists sets in any order.
_NOT_ASSESSED = frozenset({"tfstate", "tfstate-prev"})


def digest_of_plan(members: Mapping[str, bytes]) -> str | None:
    """The same for two saved plans only when an assessment of both is: they hold the same bytes,
    but for the moment at which they were made and the order of what is a set. ``members`` are
    those of the plan file, which is a zip archive; None when they are not what engines write (an
    encrypted plan, for one).
    """
    if "tfplan" not in members:
        return None
    digest = sha256()
    try:
        found = [_without_order(field) for field in fields(members["tfplan"])]
    except (IndexError, ValueError):
        return None
    if _VERSION not in found:
        return None
    # In order: protobuf may write a map's entries, each a field of its own, in any.
    for field in sorted(found):
        digest.update(f"{len(field)} ".encode() + field)
    for name in sorted(members.keys() - {"tfplan"} - _NOT_ASSESSED):
        digest.update(f"{name} {len(members[name])} ".encode() + members[name])
    return digest.hexdigest()


def _without_order(field: Field) -> bytes:
    """A top field of a plan, the sets in it sorted; the moment it was made left out."""
    if _MOMENT.fullmatch(field.value):
        return b""
    if field.number not in _CHANGES_AND_DRIFT:
        return field.whole
    parts = []
    for part in fields(field.value):
        if part.number == _CHANGE_OF_ENTRY:
            inner = list(fields(part.value))
            rest = [each.whole for each in inner if each.number not in _SENSITIVE_PATHS]
            paths = [each.whole for each in inner if each.number in _SENSITIVE_PATHS]
            parts.append(b"".join(rest + sorted(paths)))
        else:
            parts.append(part.whole)
    return b"".join(f"{field.number} {len(part)} ".encode() + part for part in parts)


class _Attribute(msgspec.Struct):
    steps: tuple[str | int, ...]
    recorded: msgspec.Raw
    real: msgspec.Raw
    planned: msgspec.Raw
    in_json: bool


class _Finding(msgspec.Struct):
    address: str
    kind: Kind
    drift: Kind | None
    attributes: list[_Attribute]


class _Kept(msgspec.Struct):
    equivalent: list[_Finding]
    check_reads: int
    reads: int
    managed: int


def pack(assessment: Assessment) -> bytes | None:
    """The bytes to keep; None for everything that is not simply in sync, or that would not come
    back from `unpack` as it was (a masked value, for one)."""
    if assessment.status is not Status.IN_SYNC or not assessment.complete:
        return None
    try:
        packed = msgspec.json.encode(
            _Kept(
                [_pack_finding(finding) for finding in assessment.equivalent],
                assessment.check_reads,
                assessment.reads,
                assessment.managed,
            )
        )
    except TypeError:
        return None
    return packed if unpack(packed) == assessment else None


def unpack(packed: bytes) -> Assessment | None:
    """What `pack` made the bytes of; None when they are not its work."""
    try:
        kept = msgspec.json.decode(packed, type=_Kept)
        return Assessment(
            equivalent=tuple(_unpack_finding(finding) for finding in kept.equivalent),
            check_reads=kept.check_reads,
            reads=kept.reads,
            managed=kept.managed,
        )
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None


def _pack_finding(finding: Finding) -> _Finding:
    def raw(value: object) -> msgspec.Raw:
        return msgspec.Raw(msgspec.json.encode(value))

    attributes = [
        _Attribute(each.steps, raw(each.recorded), raw(each.real), raw(each.planned), each.in_json)
        for each in finding.attributes
    ]
    return _Finding(finding.address, finding.kind, finding.drift, attributes)


def _unpack_finding(finding: _Finding) -> Finding:
    return Finding(
        address=finding.address,
        kind=finding.kind,
        origin=Origin.EQUIVALENT,
        drifted=False,
        pending=False,
        drift=finding.drift,
        actions=("no-op",),
        attributes=tuple(
            AttributeChange(
                each.steps,
                msgspec.json.decode(each.recorded),
                msgspec.json.decode(each.real),
                msgspec.json.decode(each.planned),
                Origin.EQUIVALENT,
                drifted=False,
                in_json=each.in_json,
            )
            for each in finding.attributes
        ),
    )
