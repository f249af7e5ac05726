"""What is told of one object, and how much: one choice for every format that is made of lines.

Which attributes, by which snapshots, with which remarks. How a line looks is for the formats.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import islice

from driftctl_py.core.assessment import AttributeChange, Finding, Origin
from driftctl_py.core.diff import differences, spelled
from driftctl_py.core.plan import Change, Joined, Kind, OutputChange
from driftctl_py.core.plan_report import PlanReport, View
from driftctl_py.core.values import UNKNOWN, Value, json_inside
from driftctl_py.report import wording

# What counts as the identity of an object, the best first.
_NAMES = ("id", "arn", "name")


@dataclass(frozen=True, slots=True)
class Line:
    """One place: its values, each with the name of its snapshot. A value without one is all there
    is to tell, as of an object that comes or goes."""

    path: str
    values: tuple[tuple[str, Value], ...]
    remarks: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Told:
    """One object. ``later`` are the attributes that are only known after apply and not worth a
    line each."""

    finding: Finding
    remark: str
    lines: tuple[Line, ...] = ()
    later: int = 0

    @property
    def never_cut(self) -> bool:
        """Must all of it be read, however long it is?"""
        return self.finding.kind.destroys or Kind.UNKNOWN in (self.finding.kind, self.finding.drift)


@dataclass(frozen=True, slots=True)
class Limits:
    """What a reader is spared. ``more`` says where all of it is; None: nothing is cut."""

    lines: int
    parts: int
    more: str = ""


def in_check(finding: Finding) -> Told:
    """Beside other environments: nothing of an object that comes or goes as a whole."""
    shown, later = wording.shown_attributes(finding)
    return Told(
        finding, wording.remark(finding), tuple(_line(each, finding) for each in shown), later
    )


def in_plan(finding: Finding, joined: Joined | None, view: View) -> Told:
    """In its own plan, of which ``joined`` is what it says about that object."""
    change = joined.change if joined else None
    remark = wording.plan_remark(finding, change, view)
    if view is View.SUMMARY:
        return Told(finding, remark)
    shown, later = wording.shown_attributes(finding)
    counting = [each for each in finding.attributes if each.origin is not Origin.EQUIVALENT]
    if view is View.FULL:
        shown, later = counting, 0
    if finding.kind is Kind.CREATE and change is not None:
        # As the engine does: what is made is listed.
        shown = [each for each in counting if each in shown or not each.drifted]
    lines = [_whole(each, finding.kind) or _line(each, finding) for each in shown]
    if change is not None and finding.kind is Kind.CREATE:
        known, unknown = _the_rest(finding, change.after)
        lines += known + (unknown if view is View.FULL else [])
        later = 0 if view is View.FULL else len(unknown)
    elif change is not None and (finding.kind is Kind.FORGET or finding.kind is Kind.DELETE):
        named = any(line.path in _NAMES for line in lines)
        lines = lines if named else [*_identity(change.before), *lines]
    if view is View.FULL:
        same = [each for each in finding.attributes if each.origin is Origin.EQUIVALENT]
        # Where there is nothing else, it is said of the object.
        counts = finding.pending or finding.drifted
        lines += ((_spelled_otherwise if counts else _line)(each, finding) for each in same)
    return Told(finding, remark, tuple(lines), later)


@dataclass(frozen=True, slots=True)
class Section:
    """Objects of one plan that belong together."""

    title: str
    told: tuple[Told, ...]


def plan_sections(report: PlanReport, view: View) -> list[Section]:
    """All the objects of a plan that there is something to say about, in reading order."""
    joined = {(each.entry.address, each.entry.deposed): each for each in report.plan.joined}
    found = [
        Section(
            title,
            tuple(in_plan(each, joined.get((each.address, each.deposed)), view) for each in group),
        )
        for title, group in wording.plan_groups(report.assessment.findings)
    ]
    if view is View.FULL and report.assessment.equivalent:
        told = (
            Told(each, wording.remark(each), tuple(_line(one, each) for one in each.attributes))
            for each in report.assessment.equivalent
        )
        found.append(Section(wording.EQUIVALENT, tuple(told)))
    return found


@dataclass(frozen=True, slots=True)
class Sentence:
    """Something about a plan that is no object's finding, and what of it is listed."""

    words: str
    lines: tuple[Line, ...] = ()


def plan_sentences(report: PlanReport, view: View) -> list[tuple[str, list[Sentence]]]:
    """The rest, each kind of it under its title: actions, what was put off, checks, reads."""
    plan, full = report.plan, view is View.FULL
    actions = [
        Sentence(wording.invocation(each), _parts_of(each.config) if full else ())
        for each in plan.invocations
    ]
    later = [
        Sentence(wording.deferred(each), _changes_of(each.change) if full else ())
        for each in plan.deferred
    ]
    checks = [Sentence(each) for each in wording.plan_checks(report, view)]
    reads = [
        Sentence(wording.plan_read(each.change))
        for each in plan.joined
        if full and each.change and each.change.kind is Kind.READ
    ]
    found = (
        (wording.ACTIONS, actions),
        (wording.DEFERRED, later),
        (wording.CHECKS, checks),
        (wording.READS, reads),
    )
    return [group for group in found if group[1]]


def of_output(output: OutputChange) -> Line:
    """An output: what it is, and what it will be."""
    return Line(f"output.{output.name}", tuple(wording.output_told_by(output)))


def _line(attribute: AttributeChange, finding: Finding) -> Line:
    whole = finding.kind is Kind.DELETE or finding.deleted_outside
    told = wording.told_by(attribute, whole=whole)
    return Line(attribute.path, tuple(told), tuple(wording.attribute_remarks(attribute)))


def _spelled_otherwise(attribute: AttributeChange, finding: Finding) -> Line:
    """The same among attributes that count."""
    line = _line(attribute, finding)
    return replace(line, remarks=(*line.remarks, wording.SPELLING))


def _whole(attribute: AttributeChange, kind: Kind) -> Line | None:
    """Of what comes or goes with its object there is only one value to tell."""
    if attribute.drifted or attribute.origin is not Origin.PENDING:
        return None
    if kind is Kind.DELETE:
        return _plain(attribute.path, attribute.real)
    return _plain(attribute.path, attribute.planned) if kind is Kind.CREATE else None


def _identity(before: Value) -> Iterator[Line]:
    """By what somebody finds it who looks for it, unless that is a secret."""
    if isinstance(before, Mapping):
        known = (name for name in _NAMES if isinstance(before.get(name), str))
        for name in islice(known, 1):
            yield Line(name, (("", before[name]),))


def _the_rest(finding: Finding, after: Value) -> tuple[list[Line], list[Line]]:
    """What a new object will have beside what is told of it: what is known, what is not yet."""
    told = {each.steps[0] for each in finding.attributes if each.steps}
    known: list[Line] = []
    unknown: list[Line] = []
    for name, value in sorted(after.items()) if isinstance(after, Mapping) else ():
        if name not in told and value is not None:
            (unknown if value is UNKNOWN else known).append(_plain(spelled((name,)), value))
    return known, unknown


def _plain(path: str, value: Value) -> Line:
    held = json_inside(value) if isinstance(value, str) else None
    return Line(path, (("", value if held is None else held),), ("JSON",) * (held is not None))


def _parts_of(value: Value) -> tuple[Line, ...]:
    return tuple(
        _plain(spelled((name,)), each)
        for name, each in sorted(value.items() if isinstance(value, Mapping) else ())
        if each is not None
    )


def _changes_of(change: Change) -> tuple[Line, ...]:
    if change.before is None:
        return _parts_of(change.after)
    return tuple(
        Line(spelled(each.path), (("real", each.real), ("planned", each.planned)))
        for each in differences(change.before, change.before, change.after)
    )
