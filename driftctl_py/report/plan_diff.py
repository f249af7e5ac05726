"""How two plans differ, for a terminal, in Markdown and as JSON.

The first line answers. Then comes each thing that one plan does and the other does not, or does
otherwise, what destroys before the rest. Values read A → B throughout. Nothing foreign is printed
as it came: see ``show`` and, for Markdown, ``markup``.
"""

from __future__ import annotations

import textwrap
from collections.abc import Iterator
from dataclasses import dataclass

from driftctl_py.core.assessment import AttributeChange, Finding, Origin
from driftctl_py.core.consequences import About, At, Consequence, Fact, Subject
from driftctl_py.core.diff import spelled
from driftctl_py.core.plan import Kind, OutputChange
from driftctl_py.core.plan_diff import (
    Deviation,
    FactDifference,
    PlanDifference,
    places_between,
)
from driftctl_py.core.values import Value
from driftctl_py.report import show, wording

# Per deviation, but for what destroys; whoever wants all of them asks for the JSON.
_FACTS_AT_MOST = 20
_PARTS_AT_MOST = 12
_VALUE_AT_MOST = 400
_INDENT = 8
_BOLD, _RED, _GREEN, _YELLOW = "1", "31", "32", "33"

_DOES = {
    Kind.NO_OP: "leave as it is",
    Kind.CREATE: "create",
    Kind.UPDATE: "change",
    Kind.DELETE: "destroy",
    Kind.READ: "read during apply",
}
# The words beside the name tell these already.
_IN_THE_HEAD = frozenset(
    {
        Fact.KIND,
        Fact.MODE,
        Fact.ACTIONS,
        Fact.PREVIOUS_ADDRESS,
        Fact.IMPORTED,
        Fact.TRIGGER,
        Fact.EVENT,
    }
)
_SAYS = {
    Fact.IDENTITY: "the object's id",
    Fact.IMPORT_ID: "imported as",
    Fact.SENSITIVITY: "what counts as sensitive changes",
    Fact.DRIFT: "was changed outside",
    Fact.OUTSIDE: "what happened outside",
    Fact.ERRORED: "the engine failed while it planned",
    Fact.INCOMPLETE: "the plan is incomplete",
    Fact.UNSEEN: "the engine would apply something that this version cannot see",
    Fact.UNREAD: "the settings of providers and provisioners were not read",
}


def render_plan_diff_text(
    difference: PlanDifference, a_name: str, b_name: str, *, width: int = 80, color: bool = False
) -> str:
    """For a terminal, ending in a newline. ``width`` below 60 is taken for 60."""
    lines = _Terminal(max(60, width), color).all(difference, a_name, b_name)
    return show.no_commands("\n".join(lines) + "\n")


def render_plan_diff_markdown(difference: PlanDifference, a_name: str, b_name: str) -> str:
    """For a comment or a job's summary, ending in a newline."""
    # Here, since only Markdown has need of it.
    from driftctl_py.report.markup import fence, prose

    blocks = [f"### {'🟢' if difference.same else '🟡'} {prose(_answer(difference))}"]
    if any(each.destroys or Kind.UNKNOWN in each.kinds for each in difference.deviations):
        blocks[0] = blocks[0].replace("🟡", "🔴")
    blocks.append(f"- A: {prose(a_name)}\n- B: {prose(b_name)}")
    if difference.deviations:
        lines = [line for each in difference.deviations for line in _in_fence(each)]
        blocks.append(fence(lines, "diff"))
    return "\n\n".join(blocks) + "\n"


def render_plan_diff_json(difference: PlanDifference, a_name: str, b_name: str) -> str:
    """One document: ``differences`` in reading order, each with the facts that are not shared."""
    from driftctl_py.report.json_values import document_text, value_object

    def fact_object(found: FactDifference) -> dict[str, object]:
        return {
            "fact": found.at.fact.value,
            "path": _path(found.at),
            "steps": list(found.at.path),
            "in_json": found.in_json,
            "in_yaml": found.in_yaml,
            "a": value_object(found.a),
            "b": value_object(found.b),
        }

    return document_text(
        {
            "schema_version": 1,
            "document": "plan-difference",
            "a": a_name,
            "b": b_name,
            "same": difference.same,
            "differing": len(difference.deviations),
            "total": difference.total,
            "differences": [
                {
                    "about": each.subject.about.value,
                    "name": each.subject.name,
                    "key": each.subject.key or None,
                    "nth": each.subject.nth,
                    "only_in": _only_in(each) or None,
                    "destroys": each.destroys,
                    "kind_a": each.kinds[0] and each.kinds[0].value,
                    "kind_b": each.kinds[1] and each.kinds[1].value,
                    "facts": [fact_object(fact) for fact in each.facts],
                }
                for each in difference.deviations
            ],
        }
    )


def _answer(difference: PlanDifference) -> str:
    if difference.same:
        return "The plans mean the same."
    count, total = len(difference.deviations), difference.total
    verdict = f"The plans differ in {count} of {total} consequence{'s' * (total != 1)}"
    destroys = sum(each.destroys for each in difference.deviations)
    return (
        f"{verdict}; {destroys} of them destroy{'s' * (destroys == 1)}."
        if destroys
        else f"{verdict}."
    )


def _name(subject: Subject) -> str:
    match subject.about:
        case About.RESOURCE:
            words = subject.name
        case About.OUTPUT:
            words = f"output.{subject.name}"
        case About.PLAN:
            words = "the plan itself"
        case About.ACTION:
            words = " ".join(filter(None, (f"action {subject.name}", subject.key)))
        case About.DEFERRED:
            words = f"put off: {subject.name}"
        case _:
            words = f"{subject.about.value} {subject.name}"
    return show.clean(words + (f" ({subject.nth + 1})" if subject.nth else ""))


def _only_in(deviation: Deviation) -> str:
    return "b" if deviation.a is None else "a" if deviation.b is None else ""


def _symbol(deviation: Deviation) -> str:
    """Of what is done; where the two do not agree, of what is worse."""
    match deviation.subject.about:
        case About.RESOURCE:
            sides = [each for each in (deviation.a, deviation.b) if each is not None]
            findings = wording.in_reading_order(_finding(deviation.subject, each) for each in sides)
            return wording.symbol(findings[0])
        case About.OUTPUT:
            kind = next(each for each in reversed(deviation.kinds) if each is not None)
            return wording.output_symbol(OutputChange("", kind, None, None))
        case _:
            return "*"


def _remark(deviation: Deviation) -> str:
    only = _only_in(deviation)
    if deviation.subject.about not in (About.RESOURCE, About.OUTPUT):
        return f"only in {only.upper()}" if only else ""
    told = [
        (side, _does(deviation.subject, consequence))
        for side, consequence in (("A", deviation.a), ("B", deviation.b))
        if consequence is not None
    ]
    if only:
        return f"only in {only.upper()}: {told[0][1]}"
    if told[0][1] == told[1][1]:
        return told[0][1]
    return "; ".join(f"{side}: {words}" for side, words in told)


def _does(subject: Subject, consequence: Consequence) -> str:
    finding = _finding(subject, consequence)
    does = _DOES.get(finding.kind, "")
    if subject.about is About.OUTPUT and finding.kind is Kind.DELETE:
        does = "remove"
    if Fact.RECORDED in {at.fact for at in consequence} or At(Fact.KIND) not in consequence:
        does = "record what is there"
    remark = show.clean(wording.remark(finding))
    return "; ".join(filter(None, (does, remark)))


def _finding(subject: Subject, consequence: Consequence) -> Finding:
    """The object as the other reports word it."""
    previous = consequence.get(At(Fact.PREVIOUS_ADDRESS), "")
    outside = consequence.get(At(Fact.OUTSIDE))
    actions = consequence.get(At(Fact.ACTIONS))
    kind = consequence.get(At(Fact.KIND), Kind.NO_OP.value)
    drifted = outside is not None or any(at.fact is Fact.DRIFT for at in consequence)
    return Finding(
        address=subject.name,
        kind=Kind(kind),
        origin=Origin.PENDING,
        drifted=drifted,
        pending=True,
        deposed=subject.key,
        actions=tuple(map(str, actions)) if isinstance(actions, list) else (),
        previous_address=str(previous),
        imported=At(Fact.IMPORTED) in consequence,
        # Only whether there are any: they are told as facts.
        attributes=(_SOMETHING,) if any(at.fact in _OF_VALUES for at in consequence) else (),
    )


_OF_VALUES = frozenset({Fact.REAL, Fact.PLANNED, Fact.SENSITIVITY})
_SOMETHING = AttributeChange((), None, None, None, Origin.PENDING, drifted=False)


@dataclass(frozen=True, slots=True)
class _Told:
    """One line in words; without values where its words say it all. ``sides`` are the names of
    the two values, where there are two: A and B, or two snapshots of what only one plan does."""

    words: str
    values: tuple[Value, ...] = ()
    notes: tuple[str, ...] = ()
    sides: tuple[str, str] = ("A", "B")

    @property
    def note(self) -> str:
        between_plans = self.sides == ("A", "B") or len(self.values) < 2
        return ", ".join([*([] if between_plans else [" → ".join(self.sides)]), *self.notes])


def _told(deviation: Deviation) -> Iterator[_Told]:
    facts = [each for each in deviation.facts if each.at.fact not in _IN_THE_HEAD]
    alone = deviation.a if deviation.b is None else deviation.b
    for found in facts:
        if deviation.a is None or deviation.b is None:
            yield from _told_alone(found, alone or {})
        else:
            yield _told_of_both(found, in_a=found.at in deviation.a, in_b=found.at in deviation.b)


def _first(deviation: Deviation) -> tuple[list[_Told], int]:
    """What is told, and how much more there would be. Of what destroys nothing is left out."""
    told = list(_told(deviation))
    most = len(told) if deviation.destroys else _FACTS_AT_MOST
    return told[:most], max(0, len(told) - most)


def _told_alone(found: FactDifference, consequence: Consequence) -> Iterator[_Told]:
    """Of what only one plan does: what it is and what it will be, as in every report."""
    fact, path = found.at.fact, found.at.path
    value = consequence[found.at]
    before = {Fact.PLANNED: Fact.REAL, Fact.REAL: Fact.RECORDED}.get(fact)
    after = {Fact.REAL: Fact.PLANNED, Fact.RECORDED: Fact.REAL}.get(fact)
    notes = (_SAYS[Fact.DRIFT],) * (At(Fact.DRIFT, path) in consequence)
    if fact is Fact.SETTING:
        yield _Told(f"{_path(found.at)} is set")
    elif fact in _SAID_WITH_ANOTHER:
        return
    elif after is not None and At(after, path) in consequence:
        return  # told with what becomes of it
    elif before is not None and At(before, path) in consequence:
        sides = (before.value, fact.value)
        for place in places_between(found.at, consequence[At(before, path)], value):
            strings = ["JSON"] * place.in_json + ["YAML"] * place.in_yaml
            words = _path(place.at) or "value"
            yield _Told(words, (place.a, place.b), (*notes, *strings), sides)
    elif value is True and fact in _FLAGS:
        yield _Told(_said(found.at))
    elif fact is Fact.SENSITIVITY:
        yield _Told(f"{_path(found.at)} is no longer sensitive")
    elif fact is Fact.PLANNED and path:
        yield _Told(_path(found.at), (value,))
    else:
        yield _Told(_said(found.at), (value,), notes if fact is Fact.REAL else ())


def _told_of_both(found: FactDifference, *, in_a: bool, in_b: bool) -> _Told:
    """Of what both plans do: A → B."""
    notes = ["JSON"] * found.in_json + ["YAML"] * found.in_yaml
    values: tuple[Value, ...] = (found.a, found.b)
    # A place within a value that both have is in neither as such.
    if in_a != in_b:
        notes.append(f"only in {'A' if in_a else 'B'}")
        values = (found.a,) if in_a else (found.b,)
    if found.at.fact is Fact.SETTING:
        does = "is another" if len(values) == 2 else "is set"
        return _Told(f"{_path(found.at)} {does}", (), tuple(notes))
    flag = found.at.fact in _FLAGS and values[0] is True and in_a != in_b
    return _Told(_said(found.at), () if flag else values, tuple(notes))


# Of what only one plan does: a place has a line of its own, there is no other position, and any
# provider and its configuration are as good as another.
_SAID_WITH_ANOTHER = frozenset({Fact.POSITION, Fact.DRIFT, Fact.PROVIDER, Fact.PROVIDER_CONFIG})
# What is said by being there; of anything else `true` is a value.
_FLAGS = frozenset(
    {
        Fact.IMPORTED,
        Fact.SENSITIVITY,
        Fact.FORCES,
        Fact.DRIFT,
        Fact.ERRORED,
        Fact.INCOMPLETE,
        Fact.UNSEEN,
        Fact.UNREAD,
    }
)


def _said(at: At) -> str:
    if at.fact is Fact.SENSITIVITY and at.path:
        return f"{_path(at)} is sensitive"
    if at.fact is Fact.IDENTITY and at.path:
        return f"the object's {_path(at)}"
    return " ".join(filter(None, (_path(at), _SAYS.get(at.fact, at.fact.value))))


def _path(at: At) -> str:
    # A setting's path is spelled when it is read.
    words = str(at.path[0]) if at.fact is Fact.SETTING else spelled(at.path)
    return show.clean(words)


class _Terminal:
    def __init__(self, width: int, color: bool) -> None:
        self._width = width
        self._color = color

    def all(self, difference: PlanDifference, a_name: str, b_name: str) -> Iterator[str]:
        for line in textwrap.wrap(_answer(difference), self._width):
            yield self._in(_BOLD, line)
        for side, name in (("A", a_name), ("B", b_name)):
            yield f"  {side}  {show.cut_middle(show.clean(name), self._width - 5)}"
        for deviation in difference.deviations:
            yield ""
            yield from self._deviation(deviation)

    def _deviation(self, deviation: Deviation) -> Iterator[str]:
        # What destroys is never cut, however long its address.
        name = _name(deviation.subject)
        if not deviation.destroys:
            name = show.cut_middle(name, self._width - 6)
        remark, style = _remark(deviation), _style(deviation)
        head = f"  {self._in(style, f'{_symbol(deviation):>3}')} {name}"
        if 6 + show.columns(name) + 2 + show.columns(remark) <= self._width:
            yield f"{head}  {remark}".rstrip()
        else:
            yield head
            yield from textwrap.wrap(
                remark,
                self._width,
                initial_indent=" " * _INDENT,
                subsequent_indent=" " * _INDENT,
                break_on_hyphens=False,
            )
        told, untold = _first(deviation)
        for each in told:
            yield from self._fact(each)
        if untold:
            yield f"{'':{_INDENT}}… {untold} more; --format json lists all"

    def _fact(self, told: _Told) -> Iterator[str]:
        words = show.cut_middle(told.words, self._width - _INDENT - 20)
        head = f"{'':{_INDENT}}{words}"
        literals = show.literals(told.values)
        line = f"{head}  {' → '.join(literals)}".rstrip() + (f"   {told.note}" if told.note else "")
        several_lines = any(isinstance(each, str) and "\n" in each for each in told.values)
        if show.columns(line) <= self._width and not several_lines:
            yield line
            return
        yield f"{head}   {told.note}".rstrip()
        room = self._width - _INDENT - 4
        parts = show.parts(*told.values, limit=room) if len(told.values) == 2 else None
        if parts is not None:
            shown, more = show.first(parts, _PARTS_AT_MOST)
            for part in shown:
                yield f"{'':{_INDENT + 2}}{part.mark} {part.text}"
            if more:
                yield f"{'':{_INDENT + 2}}… {more} more lines"
        else:
            sides = told.sides if len(literals) == 2 else ("",)
            column = max(map(len, sides))
            for side, text in zip(sides, show.cut_values(literals, room - column), strict=True):
                yield f"{'':{_INDENT + 2}}{side:{column}}  {text}".rstrip()

    def _in(self, style: str, text: str) -> str:
        return f"\x1b[{style}m{text}\x1b[0m" if self._color and style else text


def _style(deviation: Deviation) -> str:
    if deviation.destroys or Kind.UNKNOWN in deviation.kinds:
        return _RED
    return _GREEN if deviation.kinds[1] is Kind.CREATE else _YELLOW


def _in_fence(deviation: Deviation) -> Iterator[str]:
    """A fence of ``diff`` colours ``-``, which is A here, and ``+``, which is B."""
    lead = {"a": "-", "b": "+", "": "!"}[_only_in(deviation)]
    head = f"{lead} {_symbol(deviation)} {_name(deviation.subject)}"
    remark = _remark(deviation)
    yield head + (f"  # {remark}" if remark else "")
    told, untold = _first(deviation)
    for each in told:
        note = f"  # {each.note}" if each.note else ""
        several = len(each.values) == 2
        parts = show.parts(*each.values, limit=_VALUE_AT_MOST) if several else None
        literals = show.cut_values(show.literals(each.values), _VALUE_AT_MOST)
        if parts is not None:
            yield f"    {each.words}{note}"
            shown, more = show.first(parts, _PARTS_AT_MOST)
            for part in shown:
                # A change within a line is neither gone nor new to a reader of colours.
                yield f"{'!' if part.mark == '~' else part.mark}     {part.text}"
            if more:
                yield f"      … {more} more lines"
        elif len(literals) == 2 and each.sides == ("A", "B"):
            for mark, text in zip("-+", literals, strict=True):
                yield f"{mark}   {each.words}  {text}{note}"
        else:
            yield f"    {each.words}  {' → '.join(literals)}".rstrip() + note
    if untold:
        yield f"    … {untold} more"
