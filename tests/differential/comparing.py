"""One plan, read twice: its JSON by us, its text as the engine shows it to people.

The facts compared are what happens to which object and why, what was moved and imported, what is
read later, the totals, and whether there is anything to do at all; and our own text for people has
to say the same again. Where an engine's text leaves something out on purpose, it is said here.
"""

from __future__ import annotations

import re

from driftctl_py.core.assessment import Assessment, Totals, assess
from driftctl_py.core.plan import Change, Kind, OutputChange, Plan
from driftctl_py.core.plan_json import decode_plan
from driftctl_py.core.plan_report import View, read_plan
from driftctl_py.core.values import Sensitive, same
from driftctl_py.report.plan_text import render_plan_text
from driftctl_py.report.wording import PLAN_GROUPS
from tests.differential.human import Said, Shown, read_shown

_WORDS = {
    "replace_because_tainted": "tainted",
    "replace_by_request": "requested",
    "replace_by_triggers": "triggered",
}


def assert_read_as_shown(document: bytes, text: str) -> None:
    """Both say the same, or an AssertionError says what differs."""
    plan, shown = decode_plan(document, settings=True), read_shown(text)
    assessment = assess(plan)
    assert _changes(plan) == shown.changes
    assert _acted_upon(plan, assessment) == set(shown.changes)
    assert _reads(plan) == shown.reads
    assert assessment.reads + assessment.check_reads == len(shown.reads)
    # `show` does not tell of deferred changes in a saved plan; `plan` itself does.
    assert shown.deferred <= {each.change.address for each in plan.deferred}
    assert sorted(_without_instance(each.address) for each in plan.invocations) == sorted(
        shown.invoked
    )
    _assert_outputs(plan, shown)
    assert plan.errored == shown.errored
    assert _totals(assessment.totals, len(plan.invocations), text) == (shown.totals or (0,) * 6)
    # What a plan of -refresh-only says with drift, and without any.
    whole = "This is a refresh-only plan" in text or "infrastructure still matches" in text
    _assert_drift_is_known(plan, shown, whole=whole)
    assert _does_something(plan, assessment) == shown.does_something
    _assert_rendered_alike(plan, shown, text)


def _changes(plan: Plan) -> dict[tuple[str, str], Said]:
    changes = [each.change for each in plan.joined if each.change is not None]
    return {
        (each.address, each.deposed): _said(each)
        for each in changes
        if each.mode == "managed"
        if each.kind is not Kind.NO_OP or each.moved or each.imported
    }


def _said(change: Change) -> Said:
    replaced = _WORDS.get(change.reason, "must") if change.kind.replaces else ""
    return Said(change.kind, replaced, change.previous_address, change.imported)


def _acted_upon(plan: Plan, assessment: Assessment) -> set[tuple[str, str]]:
    """What we tell people that apply would do something about. A plan of -refresh-only tells of
    moves too, and only as what happened."""
    planned = {(each.entry.address, each.entry.deposed) for each in plan.joined if each.change}
    return planned & {
        (each.address, each.deposed)
        for each in assessment.findings
        if each.kind is not Kind.NO_OP or each.modifiers
    }


def _reads(plan: Plan) -> set[str]:
    return {
        each.change.address for each in plan.joined if each.change and each.change.kind is Kind.READ
    }


def _without_instance(address: str) -> str:
    """The text names an action without the key of its instance."""
    return address.partition("[")[0]


def _outputs(plan: Plan) -> list[OutputChange]:
    """Without those that only become sensitive, or stop being so: the JSON calls that an update
    and the engine applies it, yet its text says nothing of it."""
    return [
        each
        for each in plan.outputs
        if each.kind is not Kind.UPDATE or not same(each.before, each.after)
    ]


def _assert_outputs(plan: Plan, shown: Shown) -> None:
    assert {each.name for each in _outputs(plan)} == shown.outputs.keys()
    for each in _outputs(plan):
        assert shown.outputs[each.name] in _symbols(each)


def _symbols(output: OutputChange) -> str:
    """An output that is set to null, or was null, is an update to the JSON, but comes or goes in
    the text. Of a secret we do not know whether it is null."""
    if output.kind is not Kind.UPDATE:
        return {Kind.CREATE: "+", Kind.DELETE: "-"}[output.kind]
    if isinstance(output.after, Sensitive) or isinstance(output.before, Sensitive):
        return "-+~"
    return "-" if output.after is None else "+" if output.before is None else "~"


def _totals(totals: Totals, invocations: int, text: str) -> tuple[int, ...]:
    # Only OpenTofu counts what it forgets, and only since it can forget.
    forget = totals.forget if " to forget" in text else 0
    return (
        totals.import_,
        totals.add,
        totals.change,
        totals.destroy,
        forget,
        invocations,
    )


def _assert_drift_is_known(plan: Plan, shown: Shown, *, whole: bool) -> None:
    """What the text tells of the world is what we know. In a plan of -refresh-only that is the
    ``whole``; in any other the engine tells only of what it takes for a reason of its changes, so
    nothing follows from what it leaves out."""
    drift = {
        (each.drift.address, each.drift.deposed): each.drift for each in plan.joined if each.drift
    }
    for key, said in shown.drift.items():
        known = drift[key]
        word = {Kind.UPDATE: "changed", Kind.DELETE: "deleted"}.get(known.kind, "")
        assert said == Said(None if word else known.kind, word, known.previous_address)
    assert not whole or shown.drift.keys() == drift.keys()


def _does_something(plan: Plan, assessment: Assessment) -> bool:
    """Do we see anything that apply would do?"""
    return bool(
        _acted_upon(plan, assessment)
        or assessment.reads
        or assessment.check_reads
        or _outputs(plan)
        or assessment.invocations
    )


def _assert_rendered_alike(plan: Plan, shown: Shown, text: str) -> None:
    """What we tell people is what the engine tells them: each object once, under the symbol of
    what happens to it, and the engine's own sentence of totals."""
    report = read_plan(plan, name="plan", keyed=False)
    ours = render_plan_text(report, View.SUMMARY, width=10_000)
    told = _told(ours)

    shown_as = {
        key: _SYMBOLS[said.kind] for key, said in shown.changes.items() if said.kind in _SYMBOLS
    }
    for key, said in (shown.drift | shown.changes).items():
        if said.imported and said.kind is Kind.NO_OP:
            shown_as[key] = "<"
        elif said.moved_from and (said.kind or Kind.NO_OP) is Kind.NO_OP:
            shown_as[key] = ">"
    # "!" is drift that apply leaves; whatever else moves or is imported may have drifted, too.
    for key, symbol in told.items():
        if symbol == "!":
            assert shown_as.pop(key, ">") in ("<", ">")
    assert {key: symbol for key, symbol in told.items() if symbol != "!"} == shown_as
    if totals := re.search(r"^Plan: (.+?)\.", text, re.MULTILINE):
        assert re.search(rf"^  plan +{totals[1]}(, \d+ to forget)?$", ours, re.MULTILINE)


_SYMBOLS = {
    Kind.CREATE: "+",
    Kind.UPDATE: "~",
    Kind.DELETE: "-",
    Kind.REPLACE: "-/+",
    Kind.REPLACE_CREATE_FIRST: "+/-",
    Kind.FORGET: ".",
}
_LINE = re.compile(r" {2,4}(?P<symbol>\S{1,3}) (?P<address>.+?)(?:  (?P<remark>.*))?")
_DEPOSED = re.compile(r"\bdeposed object ([0-9a-f]{8})\b")


def _told(rendered: str) -> dict[tuple[str, str], str]:
    """The symbol of each object in a rendering of one line each."""
    told: dict[tuple[str, str], str] = {}
    group = ""
    for line in rendered.splitlines():
        if not line.startswith(" "):
            group = line  # a title, or the blank line that ends one
        elif group in PLAN_GROUPS and (found := _LINE.fullmatch(line)):
            deposed = _DEPOSED.search(found["remark"] or "")
            key = (found["address"], deposed[1] if deposed else "")
            assert key not in told, f"{key} is told twice"
            told[key] = found["symbol"]
    return told
