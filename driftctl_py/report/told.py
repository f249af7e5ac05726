"""What is told of one object, and how much: one choice for every format that is made of lines.

Which attributes, by which snapshots, with which remarks. How a line looks is for the formats.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from driftctl_py.core.assessment import AttributeChange, Finding, Origin
from driftctl_py.core.diff import spelled
from driftctl_py.core.plan import Joined, Kind, OutputChange
from driftctl_py.core.plan_report import View
from driftctl_py.core.values import ABSENT, UNKNOWN, Value, json_inside
from driftctl_py.report import wording


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
    return Told(finding, wording.remark(finding), tuple(map(_line, shown)), later)


def in_plan(finding: Finding, joined: Joined | None, view: View) -> Told:
    """In its own plan, of which ``joined`` is what it says about that object."""
    change = joined.change if joined else None
    remark = wording.plan_remark(finding, change, view)
    if view is View.SUMMARY:
        return Told(finding, remark)
    shown, later = wording.shown_attributes(finding)
    if view is View.FULL:
        # What is only spelled otherwise comes last, after what counts.
        same = [each for each in finding.attributes if each.origin is Origin.EQUIVALENT]
        shown, later = [each for each in finding.attributes if each not in same] + same, 0
    lines = [_alone(each) or _line(each) for each in shown]
    if finding.kind is Kind.CREATE and change is not None:
        # As the engine does: what is made is listed.
        told = [each for each in finding.attributes if each in shown or _is_new(each)]
        lines = [_alone(each) or _line(each) for each in told]
        known, unknown = _the_rest(finding, change.after)
        lines += known + (unknown if view is View.FULL else [])
        later = 0 if view is View.FULL else len(unknown)
    return Told(finding, remark, tuple(lines), later)


def of_output(output: OutputChange) -> Line:
    """An output: what it is, and what it will be."""
    return Line(f"output.{output.name}", tuple(wording.output_told_by(output)))


def _line(attribute: AttributeChange) -> Line:
    remarks = wording.attribute_remarks(attribute)
    return Line(attribute.path, tuple(wording.told_by(attribute)), tuple(remarks))


def _is_new(attribute: AttributeChange) -> bool:
    return attribute.origin is Origin.PENDING and attribute.real in (None, ABSENT)


def _alone(attribute: AttributeChange) -> Line | None:
    """Of what comes or goes with its object there is only one value to tell."""
    if attribute.drifted or attribute.origin is not Origin.PENDING:
        return None
    if attribute.planned is ABSENT:
        return _plain(attribute.path, attribute.real)
    return _plain(attribute.path, attribute.planned) if attribute.real is None else None


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
