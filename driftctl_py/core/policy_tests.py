"""Tests that users write beside their rules: a table of changes and what is to be said of each.

Here a file of them is read, and one of them is put to the very functions that the gate asks. A case
either describes changes or names a plan; who reads that is `app/policy.py`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final

from driftctl_py.core.assessment import assess
from driftctl_py.core.config_shape import (
    AnyJson,
    Choice,
    Key,
    Keyed,
    Listing,
    Notes,
    Record,
    Text,
    Whole,
    wrong_shape,
)
from driftctl_py.core.config_values import Refusal, relative_path
from driftctl_py.core.config_yaml import Kind as YamlKind
from driftctl_py.core.config_yaml import Scalar, Table, read_yaml
from driftctl_py.core.decision import Cause, Judgement, Level, Rulings, judge, judge_again
from driftctl_py.core.environment import Environment
from driftctl_py.core.explanation import RuleExplained, explain
from driftctl_py.core.fingerprint import fingerprint
from driftctl_py.core.plan import ActionInvocation, Change, Joined, Kind, OutputChange, Path, Plan
from driftctl_py.core.plan_report import PlanReport
from driftctl_py.core.risk import risk_of
from driftctl_py.core.rule import ACTIONS
from driftctl_py.core.rules import rulings_of
from driftctl_py.core.values import Json, Value, is_list, is_map
from driftctl_py.errors import ConfigError

CAUSES: Final = {
    "drift": Cause.DRIFT,
    "commit": Cause.COMMIT,
    "both": Cause.BOTH,
    "undetermined": Cause.UNDETERMINED,
}
_LEVELS = {each.name.lower(): each for each in Level}
_MANAGED: Final = 100
"""How many objects the environment of a case has, unless it says otherwise."""


@dataclass(frozen=True, slots=True)
class DescribedChange:
    """One change that a case describes. ``attributes`` are paths of what an update or a replacement
    changes; ``values`` what becomes of some of them."""

    address: str
    actions: tuple[str, ...] = ()
    cause: Cause = Cause.COMMIT
    attributes: tuple[str, ...] = ()
    values: Mapping[str, Json] = field(default_factory=dict)
    provider: str = ""


@dataclass(frozen=True, slots=True)
class Case:
    """One test. ``environment`` may be empty where there is only one; ``plan`` is the path of a
    plan's file, in the place of ``changes``. ``rule`` has to have spoken, if it is given;
    ``groups`` are all whom rules are to ask, None: whoever."""

    name: str
    expect: Level
    environment: str = ""
    changes: tuple[DescribedChange, ...] = ()
    plan: str = ""
    rule: str = ""
    groups: tuple[str, ...] | None = None
    managed: int = _MANAGED
    where: str = ""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of one case. ``failures`` are sentences; none: it passed."""

    case: Case
    environment: str
    judgement: Judgement
    rules: tuple[RuleExplained, ...]
    failures: tuple[str, ...]


def decode_tests(data: bytes, *, filename: str) -> tuple[Case, ...]:
    """The cases of one file, or ConfigError with everything that is wrong with it."""
    root, problems = read_yaml(data, filename=filename)
    notes = Notes(filename, list(problems))
    found: Any = ()  # Any: what shapes give
    if root is None or (isinstance(root, Scalar) and root.kind is YamlKind.NOTHING):
        notes.add(1, "The file is empty, so it tests nothing.", "Write a first case under `tests`.")
    elif isinstance(root, Table):
        found = _FILE.read_keys(root, "", notes)[0].get("tests", ())
    else:
        wrong_shape(root, "", "a mapping with the key `tests`", notes)
    names: dict[str, str] = {}
    for each in found:
        if each.name in names:
            line = int(each.where.rpartition(":")[2])
            notes.add(
                line,
                f"The test {each.name!r} has the name of the one in {names[each.name]}.",
                "Give each its own name, so that a failure tells which one it was.",
            )
        names.setdefault(each.name, each.where)
    if notes.problems:
        raise ConfigError(tuple(sorted(notes.problems, key=lambda problem: problem.line)))
    cases: tuple[Case, ...] = found
    return cases


def run_case(case: Case, environment: Environment, plan: PlanReport | None = None) -> Outcome:
    """Judge what the case describes, or the ``plan`` that it names, as the gate would."""
    report = plan or described(case)
    assessment = report.assessment
    findings = (*assessment.findings, *assessment.equivalent)
    bare = judge(report.plan, assessment, environment.apply, Rulings(), code_is_applied=False)
    bare = _caused(bare, case.changes)
    asked = (report.plan, findings, bare, assessment.managed)
    judgement = judge_again(bare, environment.apply, rulings_of(environment.rules, *asked))
    explained = explain(environment.rules, *asked)
    failures = tuple(_failures(case, environment, judgement))
    return Outcome(case, environment.name, judgement, explained, failures)


def _caused(judgement: Judgement, changes: Sequence[DescribedChange]) -> Judgement:
    """What a case says of the causes holds, though no plan would tell it so."""
    causes = {each.address: each.cause for each in changes}
    return replace(
        judgement,
        changes=tuple(
            replace(each, cause=causes.get(each.address, each.cause)) for each in judgement.changes
        ),
    )


def _failures(case: Case, environment: Environment, judgement: Judgement) -> Iterator[str]:
    if not judgement.changes:
        yield "There is nothing to judge: the plan changes nothing."
        return
    if judgement.level is not case.expect:
        yield f"Expected {word(case.expect)}, and it is {word(judgement.level)}."
    spoke = {ruling.rule for each in judgement.changes for ruling in each.rulings}
    if case.rule and case.rule not in spoke:
        known = {each.name for each in environment.rules}
        why = "does not match" if case.rule in known else f"does not speak of {environment.name}"
        yield f"The rule {case.rule} was to speak, and it {why}."
    if case.groups is not None and set(case.groups) != set(judgement.groups):
        asked = ", ".join(judgement.groups) or "nobody in particular"
        yield f"Asked were to be {', '.join(case.groups) or 'no groups'}, and asked is {asked}."


def word(level: Level) -> str:
    """``approve``."""
    return level.name.lower()


# --- A plan of what a case describes.


def described(case: Case) -> PlanReport:
    """The plan that would hold just these changes."""
    joined = tuple(_joined(each) for each in case.changes if _is_object(each))
    outputs = tuple(
        OutputChange(each.address.removeprefix("output."), Kind.UPDATE, "old", "new")
        for each in case.changes
        if not each.actions
    )
    invocations = tuple(
        ActionInvocation(each.address, "", config=None)
        for each in case.changes
        if "invoke" in each.actions
    )
    records = bool(joined) and all(each.change is None for each in joined)
    plan = Plan(
        engine_version="",
        joined=joined,
        outputs=outputs,
        invocations=invocations,
        managed=0 if records else case.managed,
        complete=True,
        applyable=bool(case.changes),
    )
    assessment = assess(plan)
    return PlanReport(
        case.name,
        plan,
        replace(assessment, managed=case.managed),
        fingerprint(plan, keyed=False),
        risk_of(assessment),
    )


def _is_object(change: DescribedChange) -> bool:
    return bool(change.actions) and "invoke" not in change.actions


def _joined(tested: DescribedChange) -> Joined:
    actions = frozenset(tested.actions)
    kind = _KINDS[actions - _MODIFIERS]
    real, planned = _values(tested, kind)
    made = Change(
        tested.address,
        kind or Kind.UPDATE,
        real,
        planned,
        # Nobody says from where, so no rule is to match, or not to, for that.
        previous_address=tested.address if "move" in actions else "",
        imported="import" in actions,
        provider=tested.provider,
    )
    if kind is None:
        return Joined(None, made)
    if tested.cause is not Cause.DRIFT or kind in _NEVER_DRIFT:
        return Joined(made, None)
    # What is put back is what the state recorded.
    outside = Kind.DELETE if kind is Kind.CREATE else Kind.UPDATE
    return Joined(made, replace(made, kind=outside, before=planned, after=real))


_MODIFIERS = frozenset({"move", "import"})
_KINDS: Final[Mapping[frozenset[str], Kind | None]] = {
    frozenset(): Kind.NO_OP,
    frozenset({"create"}): Kind.CREATE,
    frozenset({"update"}): Kind.UPDATE,
    frozenset({"delete"}): Kind.DELETE,
    frozenset({"replace"}): Kind.REPLACE,
    frozenset({"forget"}): Kind.FORGET,
    frozenset({"forget", "create"}): Kind.FORGET_THEN_CREATE,
    frozenset({"record"}): None,
}
"""What a case may say is done with an object, beside moving and importing it. None: the state is
told, and nothing is done."""
_NEVER_DRIFT = frozenset({Kind.NO_OP, Kind.DELETE, Kind.FORGET, Kind.FORGET_THEN_CREATE})


def _values(tested: DescribedChange, kind: Kind | None) -> tuple[Value, Value]:
    """What there is, and what is planned."""
    paths = (*tested.attributes, *tested.values)
    old = _tree(dict.fromkeys(paths or ("id",), "old"))
    if kind is Kind.CREATE:
        return None, _tree({**dict.fromkeys(paths or ("id",), "new"), **tested.values})
    if kind in (Kind.DELETE, Kind.FORGET):
        return old, None
    if kind in CHANGE_ATTRIBUTES:
        return old, _tree({**dict.fromkeys(paths or ("id",), "new"), **tested.values})
    return old, old


CHANGE_ATTRIBUTES: Final = frozenset({Kind.UPDATE, Kind.REPLACE, None})


def _tree(values: Mapping[str, Json]) -> Value:
    """An object with these attributes."""
    root: Value = {}
    for path, value in values.items():
        root = _with(root, steps_of(path), value)
    return root


def _with(node: Value, steps: Path, value: Json) -> Value:
    if not steps:
        return value
    first, rest = steps[0], steps[1:]
    if isinstance(first, int):
        items: list[Value] = list(node) if is_list(node) else []
        items += [None] * (first + 1 - len(items))
        items[first] = _with(items[first], rest, value)
        return items
    entries = dict(node) if is_map(node) else {}
    return {**entries, first: _with(entries.get(first), rest, value)}


_PATH_STEP = re.compile(r'(?:^|\.)([^.\["]+)|\[(\d+)\]|\["((?:[^"\\]|\\.)*)"\]')
_INDEX_AT_MOST: Final = 99


def steps_of(path: str) -> Path:
    """``rule[0].tags["a.b"]`` → ``("rule", 0, "tags", "a.b")``. Raises `Refusal`."""
    steps: list[str | int] = []
    at = 0
    while at < len(path):
        found = _PATH_STEP.match(path, at)
        if found is None or (at == 0 and found[1] is None):
            raise Refusal(
                "which is not the path of an attribute",
                "Write it as a report does: tags.team, rule[0].port. Globs belong into rules.",
            )
        if found[2] is not None and int(found[2]) > _INDEX_AT_MOST:
            raise Refusal("which counts too far", f"Count to {_INDEX_AT_MOST} at most.")
        name = found[1] if found[1] is not None else found[3]
        steps.append(int(found[2]) if name is None else re.sub(r"\\(.)", r"\1", name))
        at = found.end()
    return tuple(steps)


# --- How a file is written.


def _attribute(text: str) -> str:
    steps_of(text)
    return text


_ATTRIBUTE = Text("the path of an attribute", _attribute, examples=("tags.team",))
_NAME = Text("a name")
_TODO_ACTIONS = f"Write one of {', '.join(ACTIONS)}; move and import may come on top of another."


def _build_change(values: Mapping[str, Any], line: int, where: str, notes: Notes) -> Any:
    change = DescribedChange(
        values["address"],
        values.get("actions", ()),
        CAUSES[values.get("cause", "commit")],
        values.get("attributes", ()),
        values.get("values", {}),
        values.get("provider", ""),
    )
    is_output = change.address.startswith("output.")
    if not change.actions and not is_output:
        return notes.add(line, f"{where} does not say what is done.", _TODO_ACTIONS)
    if is_output and change.actions:
        return notes.add(
            line, f"{where}.actions: nothing is done with an output.", "Leave out `actions`."
        )
    if "invoke" in change.actions and (
        len(change.actions) > 1 or not change.address.startswith("action.")
    ):
        return notes.add(
            line,
            f"{where}.actions: `invoke` is what is done with an action, and nothing else is.",
            "Give it an address such as action.aws_lambda_invoke.warm, or another action.",
        )
    done = frozenset(change.actions) - _MODIFIERS
    if "invoke" not in change.actions and done not in _KINDS:
        named = " and ".join(change.actions)
        return notes.add(line, f"{where}.actions: no plan does {named} at once.", _TODO_ACTIONS)
    attributes = change.attributes or change.values
    can = is_output or "invoke" in change.actions
    kind = None if can else _KINDS[done]
    if attributes and (can or (kind not in CHANGE_ATTRIBUTES and kind is not Kind.CREATE)):
        return notes.add(
            line,
            f"{where} names attributes, and only what is created, updated or replaced has some "
            "that change.",
            "Leave out `attributes` and `values`, or say another action.",
        )
    return change


def _build_case(values: Mapping[str, Any], line: int, where: str, notes: Notes) -> Any:
    given = [each for each in ("change", "changes", "plan") if each in values]
    if len(given) != 1:
        found = " and ".join(given) or "none of them"
        return notes.add(
            line,
            f"{where} has {found}, but a test is about one of change, changes and plan.",
            "Keep one of the three.",
        )
    changes = values.get("changes", ()) or tuple(filter(None, [values.get("change")]))
    addresses = [each.address for each in changes]
    for each in set(addresses):
        if addresses.count(each) > 1:
            return notes.add(line, f"{where} names {each} twice.", "Put all of it into one change.")
    if "plan" in values and "managed" in values:
        return notes.add(
            line, f"{where}.managed: a plan says itself how much there is.", "Leave it out."
        )
    return Case(
        values["name"],
        _LEVELS[values["expect"]],
        values.get("environment", ""),
        changes,
        values.get("plan", ""),
        values.get("rule", ""),
        values.get("groups"),
        values.get("managed", _MANAGED),
        f"{notes.filename}:{line}",
    )


_CHANGE = Record(
    "a mapping with `address` and `actions`",
    {
        "address": Key(
            Text("an address", examples=("aws_s3_bucket.assets",)),
            "Of a resource, an action, or output.NAME.",
            required=True,
        ),
        "actions": Key(
            Listing(Choice(ACTIONS), "a list of actions", least=1), "What would be done with it."
        ),
        "cause": Key(Choice(tuple(CAUSES)), "Why there is something to do.", default="commit"),
        "attributes": Key(
            Listing(_ATTRIBUTE, "a list of attributes", least=1),
            "Those that an update or a replacement changes.",
        ),
        "values": Key(
            Keyed(_ATTRIBUTE, AnyJson(), "a mapping from attributes to values"),
            "What becomes of attributes; they need not be named under `attributes` as well.",
        ),
        "provider": Key(
            Text("the address of a provider", examples=("registry.terraform.io/hashicorp/aws",)),
            "In full, as rules find it by its last words.",
        ),
    },
    _build_change,
    {"action": "Write `actions`, a list.", "type": "The address says it."},
)

_CASE = Record(
    "a mapping with `name`, `change` and `expect`",
    {
        "name": Key(_NAME, "What it is called where it fails.", required=True),
        "environment": Key(_NAME, "Whose rules are asked; needed where there are several."),
        "change": Key(_CHANGE, "The one change that is judged."),
        "changes": Key(
            Listing(_CHANGE, "a list of changes", least=1, unique=False),
            "Several changes of one plan.",
        ),
        "plan": Key(
            Text("the path of a file", relative_path),
            "A plan's JSON, or a saved plan, beside the file of the test.",
        ),
        "managed": Key(
            Whole(1, 1_000_000), "How many objects there are, for `share`.", default=_MANAGED
        ),
        "expect": Key(
            Choice(tuple(_LEVELS)), "The strictest word of all, switches included.", required=True
        ),
        "rule": Key(_NAME, "A rule that has to match one of the changes."),
        "groups": Key(Listing(_NAME, "a list of groups"), "All whom rules ask for a yes."),
    },
    _build_case,
    {"level": "Write `expect`.", "effect": "Write `expect`.", "rules": "Write `rule`, a name."},
)

_FILE = Record(
    "a mapping with the key `tests`",
    {
        "tests": Key(
            Listing(_CASE, "a list of tests", least=1, unique=False),
            "What is to be said of which change.",
            required=True,
        )
    },
)
