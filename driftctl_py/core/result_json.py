"""Results as JSON: one document for each, which a job writes and another job reads.

Its shape is a promise (``schema_version``), written down in ``docs/result.md`` and
``docs/result.schema.json``. What is read comes out of an artifact that any job of a workflow may
have written, so it is decoded strictly and believed in nothing that can be checked: what is not
just such a document is none, and whoever reads is told why.

Not here: where the files lie (``adapters/result_files``), and which of several results counts
(``fan_in``).
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator
from dataclasses import asdict, replace
from datetime import UTC, datetime
from typing import Annotated, Any

import msgspec

from driftctl_py.core.assessment import Totals
from driftctl_py.core.check import Verdict
from driftctl_py.core.decision import Cause
from driftctl_py.core.plan import Kind
from driftctl_py.core.result import Gated, Item, Job, Occasion, Result, Standing
from driftctl_py.core.run import State
from driftctl_py.errors import ArtifactError, Diagnostic

SCHEMA_VERSION = 1
MOST_BYTES = 32 * 1024 * 1024
"""No document is larger, neither one that is written nor one that is read."""

_Count = Annotated[int, msgspec.Meta(ge=0, le=10**9)]
_Seconds = Annotated[float, msgspec.Meta(ge=0, le=1e9)]
_Number = Annotated[int, msgspec.Meta(ge=0, lt=2**62)]
_Line = Annotated[int, msgspec.Meta(ge=0, le=10**7)]
_Name = Annotated[str, msgspec.Meta(min_length=1)]
_Sha = Annotated[str, msgspec.Meta(pattern=r"^([0-9a-f]{7,64})?\Z")]
_Url = Annotated[str, msgspec.Meta(pattern=r"^(https?://[!-~]*)?\Z", max_length=2000)]
_Moment = Annotated[datetime, msgspec.Meta(tz=True)]


class _Strict(msgspec.Struct, forbid_unknown_fields=True):
    """What is not known here was not written by this version."""


class _Totals(_Strict):
    add: _Count
    change: _Count
    destroy: _Count
    import_: _Count = msgspec.field(name="import")
    forget: _Count


class _Item(_Strict):
    address: _Name
    action: Kind
    cause: Cause
    destroys: bool
    lines: tuple[str, ...]
    file: str
    line: _Line
    deposed: str


class _Diagnostic(_Strict):
    severity: str
    summary: str
    detail: str
    address: str
    where: str


class _Gated(_Strict):
    standing: Standing
    lines: tuple[str, ...]
    needs: str
    todo: str


class _Job(_Strict):
    repository: str
    workflow: str
    run: str
    number: _Number
    attempt: _Number
    url: _Url
    pull: _Number
    head: _Sha
    base: _Sha
    merge: _Sha
    into: str = ""


class _Result(_Strict):
    schema_version: Annotated[int, msgspec.Meta(ge=SCHEMA_VERSION, le=SCHEMA_VERSION)]
    document: Annotated[str, msgspec.Meta(pattern=r"^result\Z")]
    environment: _Name
    path: str
    occasion: Occasion
    status: Verdict
    finished_at: _Moment
    duration_seconds: _Seconds
    commit: str
    engine: str
    totals: _Totals | None
    drifted: _Count | None
    items: tuple[_Item, ...]
    outputs: tuple[str, ...]
    notes: tuple[str, ...]
    warnings: tuple[str, ...]
    reason: str
    todo: str
    diagnostics: tuple[_Diagnostic, ...]
    gate: _Gated | None
    fingerprint: str
    governing: str
    run: str
    state: str
    job: _Job


class _Head(msgspec.Struct):
    """As much as is asked of what could not be decoded, to say better why."""

    schema_version: int = 0
    document: str = ""


_decode = msgspec.json.Decoder(_Result).decode
_decode_head = msgspec.json.Decoder(_Head).decode
_STATES = frozenset(state.value for state in State)
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff]")
_NAME_AT_MOST = 5000
# Whoever shows it in another time zone must be able to.
_EARLIEST, _LATEST = datetime(2000, 1, 1, tzinfo=UTC), datetime(2500, 1, 1, tzinfo=UTC)


def encode_result(result: Result, *, at_most: int = MOST_BYTES) -> bytes:
    """One line. Where all of it is too much, attributes are left out, those of what is destroyed
    last, and it says so. Raises `ArtifactError` where even that is too much."""
    for shorter in _shorter(result):
        data = _encoded(result_object(shorter))
        if len(data) < at_most:
            return data + b"\n"
    raise ArtifactError(
        f"What is planned for {result.environment} is more than the {at_most} bytes that a result "
        f"may have: {len(result.items)} objects, without their attributes.",
        todo=f"Read it where it was made: driftctl-py plan {result.environment}",
    )


def result_object(result: Result) -> dict[str, object]:
    """The document, for whoever puts it into a larger one."""
    return {
        "schema_version": SCHEMA_VERSION,
        "document": "result",
        "environment": result.environment,
        "path": result.path,
        "occasion": result.occasion.value,
        "status": result.verdict.value,
        "finished_at": result.finished_at,
        "duration_seconds": round(max(0.0, result.duration_seconds), 3),
        "commit": result.commit,
        "engine": result.engine,
        "totals": result.totals and _totals_object(result.totals),
        "drifted": result.drifted,
        "items": [_item_object(item) for item in result.items],
        "outputs": list(result.outputs),
        "notes": list(result.notes),
        "warnings": list(result.warnings),
        "reason": result.reason,
        "todo": result.todo,
        "diagnostics": [asdict(each) for each in result.diagnostics],
        "gate": result.gate
        and {
            "standing": result.gate.standing.value,
            "lines": list(result.gate.lines),
            "needs": result.gate.needs,
            "todo": result.gate.todo,
        },
        "fingerprint": result.fingerprint,
        "governing": result.governing,
        "run": result.run,
        "state": result.state,
        "job": job_object(result.job),
    }


def job_object(job: Job) -> dict[str, object]:
    """The part of it that says where it was made."""
    return asdict(job)


def read_result(data: bytes) -> Result | str:
    """The result; or why it is none, as a clause. Never raises."""
    if len(data) > MOST_BYTES:
        return f"it is larger than {MOST_BYTES // 1024**2} MiB, and no result is"
    try:
        read = _decode(data)
    except (ValueError, RecursionError) as error:
        return _what_it_is(data) or f"it is damaged: {_said(error)}"
    return _wrong(read) or _result(read)


def _what_it_is(data: bytes) -> str:
    """Of something else than it should be: what."""
    try:
        head = _decode_head(data)
    except (ValueError, RecursionError):
        return ""
    if head.document not in ("result", ""):
        return "it is another document than a result"
    if head.schema_version > SCHEMA_VERSION:
        return (
            f"it is of version {head.schema_version}, and this driftctl-py knows {SCHEMA_VERSION}: "
            "another version wrote it"
        )
    return ""


def _said(error: Exception) -> str:
    # It quotes keys: nothing of them is obeyed, and not all of a long one is told.
    text = _CONTROL.sub(" ", str(error).encode("ascii", "backslashreplace").decode())
    return text[:200] or type(error).__name__


def _wrong(read: _Result) -> str:
    """What the shape alone does not say."""
    if _CONTROL.search(read.environment) or len(read.environment) > _NAME_AT_MOST:
        return "its environment's name holds a control character, or is longer than any"
    if not _EARLIEST < read.finished_at < _LATEST:
        return "it says of a moment that it cannot be of that it was made then"
    if read.path.startswith("/") or ".." in read.path.split("/"):
        return "its path leads out of the repository"
    if read.state and read.state not in _STATES:
        return f"a run is never in the state {_said(ValueError(read.state))!r}"
    for item in read.items:
        if item.destroys is not item.action.destroys:
            return f"to {item.action.value} something is said to destroy it, or not to, falsely"
        if item.file and not is_below_root(item.file):
            return "the file of an object is not one of the repository's"
        if bool(item.file) is not bool(item.line):
            return "an object is declared in a file without a line, or the other way round"
        if not item.lines:
            return "an object has not even the line that names it"
    return ""


def is_below_root(path: str) -> bool:
    """Is it a file's path from the repository's root, spelled in the plainest way? Any other makes
    what holds it unreadable."""
    return not (
        path.startswith(("/", "../"))
        or path in (".", "..")
        or "\\" in path
        or _CONTROL.search(path)
        or posixpath.normpath(path) != path
    )


def _result(read: _Result) -> Result:
    totals, gate = read.totals, read.gate
    return Result(
        environment=read.environment,
        path=read.path,
        occasion=read.occasion,
        verdict=read.status,
        finished_at=read.finished_at,
        duration_seconds=read.duration_seconds,
        commit=read.commit,
        engine=read.engine,
        totals=Totals(totals.add, totals.change, totals.destroy, totals.import_, totals.forget)
        if totals
        else None,
        drifted=read.drifted,
        items=tuple(
            Item(
                address=each.address,
                action=each.action.value,
                cause=each.cause.value,
                destroys=each.destroys,
                lines=each.lines,
                file=each.file,
                line=each.line,
                deposed=each.deposed,
            )
            for each in read.items
        ),
        outputs=read.outputs,
        notes=read.notes,
        warnings=read.warnings,
        reason=read.reason,
        todo=read.todo,
        diagnostics=tuple(
            Diagnostic(each.severity, each.summary, each.detail, each.address, each.where)
            for each in read.diagnostics
        ),
        gate=Gated(gate.standing, gate.lines, gate.needs, gate.todo) if gate else None,
        fingerprint=read.fingerprint,
        governing=read.governing,
        run=read.run,
        state=read.state,
        job=Job(
            repository=read.job.repository,
            workflow=read.job.workflow,
            run=read.job.run,
            number=read.job.number,
            attempt=read.job.attempt,
            url=read.job.url,
            pull=read.job.pull,
            head=read.job.head,
            base=read.job.base,
            merge=read.job.merge,
            into=read.job.into,
        ),
    )


def _shorter(result: Result) -> Iterator[Result]:
    """The result, then with less and less in it."""
    yield result
    note = "What there was to say was too much for one file, so {} left out here."
    for words, keeps in (("attributes of what stays were", True), ("all attributes were", False)):
        items = tuple(
            item if keeps and item.destroys else replace(item, lines=item.lines[:1])
            for item in result.items
        )
        yield replace(result, items=items, notes=(*result.notes, note.format(words)))
    words = note.format("all attributes and outputs were")
    yield replace(result, items=items, outputs=(), notes=(words,))


def _item_object(item: Item) -> dict[str, object]:
    return {
        "address": item.address,
        "action": item.action,
        "cause": item.cause,
        "destroys": item.destroys,
        "lines": list(item.lines),
        "file": item.file,
        "line": item.line,
        "deposed": item.deposed,
    }


def _totals_object(totals: Totals) -> dict[str, int]:
    return {
        "add": totals.add,
        "change": totals.change,
        "destroy": totals.destroy,
        "import": totals.import_,
        "forget": totals.forget,
    }


def _encoded(document: dict[str, object]) -> bytes:
    try:
        return msgspec.json.encode(document)
    except UnicodeEncodeError:
        # A file's name may hold bytes that are no characters; Python keeps them as such halves.
        return msgspec.json.encode(_writable(document))


def _writable(value: Any) -> Any:  # Any: as in the document
    if isinstance(value, str):
        return value.encode(errors="backslashreplace").decode()
    if isinstance(value, dict):
        return {key: _writable(each) for key, each in value.items()}
    return [_writable(each) for each in value] if isinstance(value, list | tuple) else value
