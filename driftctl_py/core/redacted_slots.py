"""Where a plan's values stand, each with the mirror that says what of it is a secret: read, handed
to `redaction`, and put back without what it hid.

What an object was, is and will be is mostly the same text. So each text is read once for an object,
taken apart once, and written once. Whether anything is hidden at all is asked before any of that:
of almost every object nothing is. Which snapshots are of one object is ``redacted_plan``'s
business.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from functools import lru_cache
from typing import TypeAlias

import msgspec
from msgspec import UNSET, Raw

from driftctl_py.core.masks import Masks, hides_any
from driftctl_py.core.plan_parts import Change, Invocation, Output, Part, Resource
from driftctl_py.core.redaction import Decoded, Echoes, Mirror, hides_anything, redact
from driftctl_py.core.values import DEEPEST, Secrets, Sensitive, Value, deeper_than, is_list, is_map

HIDDEN = "(sensitive)"

TRUE, FALSE, HIDDEN_PART = Raw(b"true"), Raw(b"false"), Raw(b'"(sensitive)"')
# Larger ones an older JSON encoder refuses as int.
LARGEST = 2**63

_PLAIN = frozenset({str, bool, type(None)})
_anything = msgspec.json.Decoder(float_hook=Decimal)
_encoder = msgspec.json.Encoder(decimal_format="number")


class Unmarked(msgspec.Struct, gc=False):
    """An object in a state of which nothing says what is sensitive, so all of it may be."""

    resource: Resource


# What holds an object, or a part of it.
Holder: TypeAlias = Change | Resource | Unmarked


def read(part: Raw) -> Decoded:
    """Raises `RecursionError` for what is nested too deep for what walks through it."""
    found = _anything.decode(part)
    # Almost nothing opens so many brackets at all.
    written = bytes(part)
    if written.count(b"{") + written.count(b"[") > DEEPEST and deeper_than(found, DEEPEST):
        raise RecursionError
    return found


def raw(value: Value) -> Raw:
    """As JSON, with a text in place of what was hidden."""
    return Raw(_encoder.encode(plain(value)))


def plain(value: Value) -> object:
    """What an encoder takes."""
    if isinstance(value, Sensitive):
        return HIDDEN
    if is_map(value):
        return {key: each if type(each) in _PLAIN else plain(each) for key, each in value.items()}
    if is_list(value):
        return [each if type(each) in _PLAIN else plain(each) for each in value]
    if isinstance(value, int) and abs(value) >= LARGEST:
        return Decimal(value)
    return value


def encoded(document: object) -> bytes:
    """A document whose parts are written already."""
    return _encoder.encode(document)


def marks_anything(holder: Holder) -> bool:
    """Does a mirror of it hide anything, or is one missing that ought to be there?"""
    if isinstance(holder, Change):
        before, after = holder.before_sensitive, holder.after_sensitive
        return (before is UNSET and after is UNSET) or _hides(before) or _hides(after)
    return isinstance(holder, Unmarked) or _hides(holder.sensitive_values)


def slots_of(holder: Holder) -> list[Slot]:
    """Every place in it where a value of the object stands."""
    if isinstance(holder, Change):
        return _slots_of_change(holder)
    if isinstance(holder, Unmarked):
        return [UnmarkedSlot(holder.resource), Slot(holder.resource, "identity")]
    return [Slot(holder, "values", "sensitive_values"), Slot(holder, "identity")]


def redact_slots(
    slots: Sequence[Slot],
    masks: Masks,
    secrets: Secrets,
    echoes: Echoes,
    *,
    is_object: bool = True,
    surely: bool,
) -> None:
    """Take out of all snapshots of one object, or of one output, what any of their mirrors, or
    ``masks``, hide. ``surely``: a mirror hides something; else it is left as it was written unless
    a mask does."""
    once = Once()
    snapshots = [slot.snapshot(once) for slot in slots]
    # By what they are, not by what they equal: to compare would cost more than to read twice.
    alike = {(id(value), id(mirror)): (value, mirror) for value, mirror in snapshots}
    if not surely:
        below = None if is_object else ()
        if not any(hides_any(value, masks, below=below) for value, _ in alike.values()):
            return
    several = list(alike.values())
    found = redact(several, secrets, masks, is_object=is_object, echoes=echoes)
    values = dict(zip(alike, found, strict=True))
    for slot, (value, mirror) in zip(slots, snapshots, strict=True):
        slot.put(values[id(value), id(mirror)], mirror, once)


class Once:
    """What was read and written of one object; see the module's own words."""

    def __init__(self) -> None:
        self._found: dict[bytes, Decoded] = {}
        # With what each was made of, so that nothing else is found where that was.
        self._parts: dict[int, tuple[Value, Raw]] = {}
        self._mirrors: dict[tuple[int, int], tuple[Value, Mirror, Raw]] = {}

    def read(self, part: Raw) -> Decoded:
        """Not to be changed by anybody."""
        text = bytes(part)
        if text not in self._found:
            self._found[text] = read(part)
        return self._found[text]

    def part(self, value: Value) -> Raw:
        """As JSON."""
        if id(value) not in self._parts:
            self._parts[id(value)] = (value, raw(value))
        return self._parts[id(value)][1]

    def mirror(self, value: Value, mirror: Mirror) -> Raw:
        """What `mirror_of` says, as JSON."""
        key = (id(value), id(mirror))
        if key not in self._mirrors:
            self._mirrors[key] = (value, mirror, raw(mirror_of(value, mirror)))
        return self._mirrors[key][2]


class Slot:
    """Where a value stands, and, where there is one, its mirror."""

    __slots__ = ("_holder", "_mirror", "_value")

    def __init__(self, holder: msgspec.Struct, value: str, mirror: str = "") -> None:
        self._holder, self._value, self._mirror = holder, value, mirror

    @property
    def hides(self) -> bool:
        """Does its mirror?"""
        mirror = self._own_mirror()
        return mirror is True or (isinstance(mirror, Raw) and _hides(mirror))

    def snapshot(self, once: Once) -> tuple[Decoded, Mirror]:
        value = getattr(self._holder, self._value)
        found = None if value is UNSET else once.read(value)
        mirror = self._own_mirror()
        if mirror is True:
            return found, _all_of(found)
        return found, once.read(mirror) if isinstance(mirror, Raw) else None

    def put(self, value: Value, mirror: Mirror, once: Once) -> None:
        if getattr(self._holder, self._value) is UNSET:
            return
        setattr(self._holder, self._value, once.part(value))
        if self._mirror:
            setattr(self._holder, self._mirror, once.mirror(value, mirror))

    def _own_mirror(self) -> Raw | bool:
        """True: it has none, and ought to have one."""
        mirror = getattr(self._holder, self._mirror) if self._mirror else UNSET
        return False if mirror is UNSET else mirror


class UnmarkedSlot(Slot):
    """An object in a state, be it there or planned, that is `Unmarked`."""

    __slots__ = ()

    def __init__(self, resource: Resource) -> None:
        super().__init__(resource, "values", "sensitive_values")

    def _own_mirror(self) -> Raw | bool:
        return True


class OutputSlot(Slot):
    """The value of an output, whose mirror is one word."""

    __slots__ = ("_output",)

    def __init__(self, output: Output) -> None:
        super().__init__(output, "value", "sensitive")
        self._output = output

    def _own_mirror(self) -> Raw | bool:
        return True if self._output.sensitive is UNSET else super()._own_mirror()

    def snapshot(self, once: Once) -> tuple[Decoded, Mirror]:
        value, _ = super().snapshot(once)
        return value, self.hides

    def put(self, value: Value, mirror: Mirror, once: Once) -> None:
        super().put(value, mirror, once)
        hidden = hides_anything(mirror_of(value, mirror))
        # Of an output it is one word, also where only a part of it is hidden.
        self._output.sensitive = TRUE if hidden else FALSE
        if hidden:
            # It names keys.
            self._output.type = UNSET


class InvocationSlot(Slot):
    """What an action is given."""

    __slots__ = ("_invocation",)

    def __init__(self, invocation: Invocation) -> None:
        super().__init__(invocation, "config_values", "config_sensitive")
        self._invocation = invocation

    def _own_mirror(self) -> Raw | bool:
        return self._invocation.config_sensitive is UNSET or super()._own_mirror()

    def put(self, value: Value, mirror: Mirror, once: Once) -> None:
        super().put(value, mirror, once)
        unknown = self._invocation.config_unknown
        if unknown is not UNSET:
            self._invocation.config_unknown = raw(_unknown_of(value, once.read(unknown)))


class _SideSlot(Slot):
    """One side of a change."""

    __slots__ = ("_change", "_side")

    def __init__(self, change: Change, side: str) -> None:
        super().__init__(change, side, f"{side}_sensitive")
        self._change, self._side = change, side

    def _own_mirror(self) -> Raw | bool:
        # Whoever wrote neither does not know what is sensitive, so all of it may be.
        if self._change.before_sensitive is UNSET and self._change.after_sensitive is UNSET:
            return True
        return super()._own_mirror()

    def put(self, value: Value, mirror: Mirror, once: Once) -> None:
        super().put(value, mirror, once)
        change = self._change
        if self._side == "after" and change.after_unknown is not UNSET:
            # Below what is hidden it names keys.
            change.after_unknown = raw(_unknown_of(value, once.read(change.after_unknown)))
        if change.replace_paths is not UNSET:
            paths = once.read(change.replace_paths)
            if isinstance(paths, list):
                change.replace_paths = raw([_as_far_as_shown(each, value) for each in paths])


class _ImportSlot(Slot):
    """What an object is imported by: attributes of it."""

    __slots__ = ()

    def __init__(self, change: Change) -> None:
        super().__init__(change, "importing")

    def snapshot(self, once: Once) -> tuple[Decoded, Mirror]:
        found, _ = super().snapshot(once)
        identity = found.get("identity") if isinstance(found, dict) else None
        # One level, so that its names are those of the object's own attributes.
        return ({**found, **identity} if isinstance(identity, dict) else found), None

    def put(self, value: Value, mirror: Mirror, once: Once) -> None:
        found, _ = super().snapshot(once)
        if isinstance(found, dict) and is_map(value):
            identity = found.get("identity")
            names = identity if isinstance(identity, dict) else {}
            shown: dict[str, Value] = {key: value[key] for key in found if key in ("id", "unknown")}
            if names:
                shown["identity"] = {key: value[key] for key in names}
            super().put(shown, mirror, once)
        else:
            super().put(value, mirror, once)


class _TextSlot(Slot):
    """A text about an object, which quotes it."""

    __slots__ = ()

    def snapshot(self, once: Once) -> tuple[Decoded, Mirror]:
        found, _ = super().snapshot(once)
        return {"": found}, None

    def put(self, value: Value, mirror: Mirror, once: Once) -> None:
        super().put(value[""] if is_map(value) else value, mirror, once)


def _slots_of_change(change: Change) -> list[Slot]:
    slots: list[Slot] = [_SideSlot(change, "before"), _SideSlot(change, "after")]
    if change.importing is not UNSET:
        slots.append(_ImportSlot(change))
    if change.generated_config is not UNSET:
        slots.append(_TextSlot(change, "generated_config"))
    for name in ("before_identity", "after_identity"):
        if getattr(change, name) is not UNSET:
            slots.append(Slot(change, name))
    return slots


def blank(change: Change) -> None:
    """Take out all of it."""
    for name in ("before", "after", "importing", "generated_config"):
        if getattr(change, name) is not UNSET:
            setattr(change, name, HIDDEN_PART)
    change.before_sensitive = change.after_sensitive = TRUE
    change.after_unknown = FALSE
    change.replace_paths = change.before_identity = change.after_identity = UNSET


def _hides(mirror: Part) -> bool:
    return mirror is not UNSET and _any_hidden(bytes(mirror))


@lru_cache(maxsize=1024)
def _any_hidden(mirror: bytes) -> bool:
    # Almost every one is one of few.
    return hides_anything(_anything.decode(mirror))


def _all_of(value: Decoded) -> Mirror:
    """The mirror that hides all of it, member by member where it has some."""
    return dict.fromkeys(value, True) if isinstance(value, dict) else value is not None


def mirror_of(value: Value, mirror: Mirror) -> Mirror:
    """``mirror``, with ``true`` for whatever was taken out."""
    if isinstance(value, Sensitive):
        return True
    if is_map(value):
        own = mirror if isinstance(mirror, dict) else {}
        found = {key: each for key, each in own.items() if key not in value}
        for key, each in value.items():
            of_member = mirror_of(each, own.get(key))
            if key in own or hides_anything(of_member):
                found[key] = of_member
        return found
    if is_list(value):
        of_elements = mirror if isinstance(mirror, list) else []
        marks = [
            mirror_of(each, of_elements[at] if at < len(of_elements) else False)
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
