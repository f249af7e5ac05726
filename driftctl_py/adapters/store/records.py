"""How values are spelled in a row, and read back: as JSON, whole, and no less exactly."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

import msgspec

from driftctl_py.core.approval import Approval
from driftctl_py.core.audit import Entry, Event
from driftctl_py.core.restraint import Restraint
from driftctl_py.core.run import Purpose, Run, State
from driftctl_py.errors import StoreError

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)

_Value = TypeVar("_Value", Approval, Restraint, Run)


def microseconds(moment: datetime) -> int:
    """Since 1970."""
    return (moment - _EPOCH) // _MICROSECOND


def moment(microseconds: int) -> datetime:
    """And back."""
    return _EPOCH + microseconds * _MICROSECOND


def spelled(value: Approval | Restraint | Run) -> str:
    """As JSON."""
    return _encoded(value)


def read(text: str, kind: type[_Value]) -> _Value:
    """What `spelled` made of a value."""
    try:
        return msgspec.json.decode(text, type=kind)
    except (msgspec.DecodeError, UnicodeError, RecursionError) as error:
        raise StoreError(
            f"The store holds {_KINDS[kind]} that this version cannot read: {error}.",
            todo="Use the version of driftctl-py that wrote it, or a later one.",
        ) from error


def storable(event: Event) -> Event:
    """The event as it will be read back: that is what its hash has to be taken of."""
    return replace(
        event,
        what=_whole(event.what),
        at=event.at.astimezone(UTC),
        who=_whole(event.who),
        environment=_whole(event.environment),
        run=_whole(event.run),
        evidence={_whole(key): _whole(text) for key, text in event.evidence.items()},
    )


def spelled_event(event: Event) -> str:
    """As JSON; of what `storable` returned."""
    return _encoded(event)


def read_entry(number: Any, before: Any, hash: Any, text: Any) -> Entry:
    """An entry as it is in the store, be it edited: then it is told apart by its hash, not by an
    exception, since whoever verifies a trail wants to know of every flaw."""
    # Any: what a database that somebody else wrote to may hold in its columns.
    try:
        event = msgspec.json.decode(text, type=Event, strict=True)
        # One event has one spelling; else a byte could change without changing what it says.
        intact = _encoded(event) == text
    except (msgspec.DecodeError, UnicodeError, TypeError):
        intact = False
    if not intact:
        event = Event("unreadable", _EPOCH, "", evidence={"text": _whole(str(text))})
    return Entry(int(number), event, str(before), str(hash))


def converged(run: Run) -> bool:
    """Were code and cloud one after it? A plan that only refreshes says nothing about the code, a
    review only what somebody proposes."""
    if run.purpose in (Purpose.ACCEPT, Purpose.REVIEW):
        return False
    return run.state is State.APPLIED or (run.state is State.IN_SYNC and run.drifted == 0)


_KINDS: Mapping[type, str] = {Approval: "an approval", Restraint: "a restraint", Run: "a run"}


def _encoded(value: object) -> str:
    try:
        return msgspec.json.encode(value, enc_hook=_plain).decode()
    except UnicodeEncodeError:
        # Half of a surrogate pair: from a command line that is not UTF-8, for one.
        return msgspec.json.encode(_whole_in(msgspec.to_builtins(value, enc_hook=_plain))).decode()


def _plain(value: object) -> object:
    if isinstance(value, Mapping):
        return dict(value)
    raise NotImplementedError(f"{type(value).__name__} has no spelling. This is a bug.")


def _whole_in(value: Any) -> Any:
    # Any: JSON, which is only walked here.
    match value:
        case str():
            return _whole(value)
        case dict():
            return {_whole_in(key): _whole_in(each) for key, each in value.items()}
        case list() | tuple():
            return [_whole_in(each) for each in value]
        case _:
            return value


def _whole(text: str) -> str:
    """Without what no encoding of texts can hold."""
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
