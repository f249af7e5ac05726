"""One wording for one thing, whatever face says it.

The words for statuses are ``Verdict``'s own. Here are those for findings: the symbol, the remark
beside an address, the two or three snapshots that an attribute is told by, the sentence over an
environment. Plain text only; every face quotes it in its own way.
"""

from __future__ import annotations

import re
import shlex
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from datetime import timedelta
from typing import TYPE_CHECKING

from driftctl_py.core.assessment import Assessment, AttributeChange, Finding, Origin, Totals
from driftctl_py.core.plan import (
    UNMANAGED,
    ActionInvocation,
    Change,
    CheckResult,
    Deferred,
    Kind,
    OutputChange,
)
from driftctl_py.core.plan_report import PlanReport, View
from driftctl_py.core.risk import Risk, stateful
from driftctl_py.core.values import ABSENT, Value
from driftctl_py.report import show

# And within the functions that speak of a check: a plan alone has no use for these, and they are a
# twentieth of a small plan's time.
if TYPE_CHECKING:
    from driftctl_py.core.check import CheckReport, EnvironmentCheck

_SYMBOLS = {
    Kind.CREATE: "+",
    Kind.UPDATE: "~",
    Kind.DELETE: "-",
    Kind.READ: "<=",
    Kind.REPLACE: "-/+",
    Kind.REPLACE_CREATE_FIRST: "+/-",
    Kind.FORGET: ".",
    Kind.FORGET_THEN_CREATE: "./+",
    Kind.CREATE_THEN_FORGET: "+/.",
    Kind.UNKNOWN: "?",
}

_NAMED_AT_MOST = 6
_FORCING_AT_MOST = 4

_REASONS = {
    "replace_because_cannot_update": "",
    "replace_because_tainted": "tainted: its creation failed half-way",
    "replace_by_request": "asked for by -replace",
    "replace_by_triggers": "because of replace_triggered_by",
    "delete_because_no_resource_config": "not in the code any more",
    "delete_because_no_module": "its module is not in the code any more",
    "delete_because_wrong_repetition": "count or for_each was added or taken away",
    "delete_because_count_index": "its index is past the count",
    "delete_because_each_key": "its key is not in for_each any more",
    "delete_because_no_move_target": "moved to an address that is not in the code",
    "delete_because_enabled_false": "switched off by enabled = false",
    "forgot_because_lifecycle_destroy_in_state": "destroy = false was in its code",
    "forgot_because_lifecycle_destroy_in_config": "destroy = false in the code",
    "read_because_config_unknown": "what it depends on is not known yet",
    "read_because_dependency_pending": "what it depends on changes first",
    "read_because_check_nested": "for a check, as always",
    "instance_count_unknown": "how many there will be is not known yet",
    "resource_config_unknown": "its configuration is not known yet",
    "provider_config_unknown": "its provider's configuration is not known yet",
    "absent_prereq": "something that it needs is not there yet",
    "deferred_prereq": "something that it needs was put off itself",
}


def symbol(finding: Finding) -> str:
    """What apply would do, in at most three characters; ``!`` where somebody changed something
    and apply does nothing about it, ``=`` where there is nothing but another spelling."""
    if finding.kind is not Kind.NO_OP:
        return _SYMBOLS[finding.kind]
    if finding.drift is Kind.UNKNOWN:
        return "!"
    if finding.imported:
        return "<"
    if finding.previous_address:
        return ">"
    return "!" if finding.drifted else "="


def output_symbol(output: OutputChange) -> str:
    return _SYMBOLS[output.kind]


def in_reading_order(findings: Iterable[Finding]) -> list[Finding]:
    """What destroys first, then what nobody knows, then drift, then the rest; within each, as the
    engine has it."""
    return sorted(findings, key=_urgency)


def remark(finding: Finding, *, found_by: Value = None) -> str:
    """What there is to say beside its address; ``found_by`` is what it is imported as."""
    return "; ".join(each for each in _remarks(finding, found_by) if each)


def told_by(attribute: AttributeChange, *, whole: bool = False) -> list[tuple[str, Value]]:
    """The snapshots that tell what happened, each with its name: drift reads recorded → real,
    what is pending real → planned. ``whole`` says that the object itself goes, or was deleted, and
    that is told elsewhere."""
    recorded = ("recorded", attribute.recorded)
    real = ("real", attribute.real)
    planned = ("planned", attribute.planned)
    match attribute.origin:
        case Origin.PENDING:
            return [real, planned]
        case Origin.BOTH if whole:
            return [each for each in (recorded, real, planned) if each[1] is not ABSENT]
        case Origin.BOTH:
            return [recorded, real, planned]
        case Origin.UNDETERMINED if attribute.drifted:
            return [recorded, real, planned]
        case Origin.UNDETERMINED:
            return [real, planned]
        case _:
            return [recorded, real]


def output_told_by(output: OutputChange) -> list[tuple[str, Value]]:
    """The same for an output: what it is, and what it will be."""
    real, planned = ("real", output.before), ("planned", output.after)
    match output.kind:
        case Kind.CREATE:
            return [planned]
        case Kind.DELETE:
            return [real]
        case _:
            return [real, planned]


def attribute_remarks(attribute: AttributeChange) -> list[str]:
    """What there is to say beside its values."""
    found = []
    if attribute.forces_replacement:
        found.append("forces replacement")
    if attribute.in_json:
        found.append("JSON")
    if attribute.in_yaml:
        found.append("YAML")
    texts = [value for _, value in told_by(attribute) if isinstance(value, str)]
    # Of several lines it is said where they are told.
    one_line = len(texts) > 1 and not any("\n" in text for text in texts)
    if one_line and len({"".join(text.split()) for text in texts}) == 1:
        found.append("only whitespace")
    return found


def shown_attributes(finding: Finding) -> tuple[list[AttributeChange], int]:
    """The attributes worth a line, and how many more are only known after apply.

    Of an object that comes or goes as a whole only drift is told. Spelling is never told here;
    what a provider works out anew only where nothing else is to be told.
    """
    whole = finding.kind in (Kind.CREATE, Kind.DELETE)
    told = [
        each
        for each in finding.attributes
        if each.origin is not Origin.EQUIVALENT and (each.drifted or not whole)
    ]
    minor = [
        each
        for each in told
        if each.origin is Origin.UNDETERMINED and not each.drifted and not each.forces_replacement
    ]
    if len(minor) == len(told):
        return told, 0
    return [each for each in told if each not in minor], len(minor)


def over_environment(check: EnvironmentCheck) -> str:
    """The sentence that begins its section."""
    from driftctl_py.core.check import Assessed, Verdict

    name = check.environment
    commit = check.revision.short if check.revision else "the code"
    if not isinstance(check.outcome, Assessed):
        return f"{name}: {check.verdict.value}: {check.outcome.reason}"
    pending = f"{commit} is not applied yet"
    match check.verdict:
        case Verdict.PENDING:
            return f"{name}: {pending}"
        case Verdict.DRIFTED_AND_PENDING:
            return f"{name}: changed outside Git, and {pending}"
        case Verdict.DRIFTED:
            return f"{name}: changed outside Git; {_what_apply_does(check.outcome.assessment)}"
        case _:
            return f"{name}: in sync"


TABLE_HEADERS = (
    "environment",
    "commit",
    "status",
    "add",
    "change",
    "destroy",
    "drifted",
    "age",
)
TABLE_ALIGNMENT = ("left", "left", "left", "right", "right", "right", "right", "right")


def table_row(check: EnvironmentCheck) -> tuple[str, ...]:
    """One row under ``TABLE_HEADERS``. The age is the commit's."""
    from driftctl_py.core.check import Assessed, Failed

    revision = check.revision
    if isinstance(check.outcome, Assessed):
        totals = check.outcome.assessment.totals
        drifted = check.outcome.assessment.drifted
        numbers = tuple(map(str, (totals.add, totals.change, totals.destroy, drifted)))
    else:
        numbers = ("-" if isinstance(check.outcome, Failed) else "?",) * 4
    committed_at = revision.committed_at if revision else None
    return (
        check.environment,
        revision.short if revision else "",
        check.verdict.value,
        *numbers,
        age(check.checked_at - committed_at) if committed_at else "",
    )


RUNS = "apply runs this action"


def invocation(found: ActionInvocation) -> str:
    """An action that apply runs, and when."""
    by = f"triggered by {found.triggered_by}" if found.triggered_by else ""
    # "AfterCreate" is the engine's word.
    when = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", found.event).lower()
    why = ", ".join(filter(None, (by, when)))
    return f"{found.address}: {RUNS}" + (f" ({why})" if why else "")


def deferred(found: Deferred) -> str:
    """A change that the engine put off, and why."""
    change = found.change
    why = reason(found.reason)
    return f"{change.address}: {change.kind.value}, put off" + (f": {why}" if why else "")


def reason(word: str) -> str:
    """What the engine says why, as people say it; empty where what is done says it all."""
    return _REASONS.get(word, word.replace("_", " "))


def check_result(found: CheckResult) -> str:
    """How a check came out, without its messages."""
    match found.status:
        case "pass":
            return f"{found.address} holds."
        case "fail":
            how = "does not hold"
        case "error":
            how = "could not be evaluated"
        case "unknown":
            return f"{found.address} is only known after apply."
        case _:
            # A word that the format did not have so far.
            return f"{found.address}: {found.status}."
    return f"{found.address} {how}. (Its message may hold values, so it is not shown.)"


def asides(assessment: Assessment, *, strict: bool) -> list[str]:
    """What is counted in one line each and is no finding."""
    found = []
    if assessment.equivalents and not strict:
        found.append(
            f"{_count(assessment.equivalents, 'equivalent difference')} (null against {{}}, the "
            "order of keys in JSON) not counted; --strict counts them"
        )
    if assessment.check_reads:
        found.append(f"{_count(assessment.check_reads, 'data source')} read for checks, as always")
    if assessment.reads:
        found.append(f"{_count(assessment.reads, 'data source')} to be read during apply")
    return found


def warnings(check: EnvironmentCheck, assessment: Assessment | None) -> list[str]:
    """What a person should know besides, each a sentence."""
    found = list(check.warnings)
    found += map(check_result, assessment.failed_checks if assessment else ())
    return found


def answer(report: CheckReport) -> str:
    """The first line: is something wrong, where, how much."""
    from driftctl_py.core.check import VERDICTS

    if not report.checks:
        none = "Interrupted before any environment was checked."
        return none if report.interrupted else "No environment was checked."
    counts = Counter(check.verdict for check in report.checks)
    summary = ", ".join(f"{counts[each]} {each.value}" for each in VERDICTS if counts[each])
    words = f"{_count(len(report.checks), 'environment')}{_of_what(report.checks)}: {summary}"
    return f"Interrupted; only {words}" if report.interrupted else words


def next_steps(report: CheckReport) -> list[str]:
    """What to do now, with commands that can be pasted."""
    from driftctl_py.core.check import Assessed, Verdict
    from driftctl_py.core.environment import Mode

    drifted = {
        check.environment: check.outcome.assessment
        for check in report.checks
        if isinstance(check.outcome, Assessed) and check.outcome.assessment.drifted
    }
    back = [name for name, assessment in drifted.items() if _puts_something_back(assessment)]
    left = [name for name in drifted if name not in back]
    pending = [
        check.environment
        for check in report.checks
        if check.verdict in (Verdict.PENDING, Verdict.DRIFTED_AND_PENDING)
    ]
    heals = {each.environment for each in report.checks if each.modes.drift is not Mode.NEVER}
    applies = {each.environment for each in report.checks if each.modes.git is not Mode.NEVER}
    found = []
    if ours := [name for name in back if name in heals]:
        found.append(
            f"drifted: {_one_by_one('apply', ours)} puts it back; or take the change over into "
            "the code"
        )
    if others := [name for name in back if name not in heals]:
        found.append(
            f"drifted: apply {_list(others)} the way you always do to put it back, or take the "
            "change over into the code"
        )
    if left:
        found.append(
            f"drifted, and apply leaves it: undo it in {_list(left)} by hand, or record it as "
            "wanted with apply -refresh-only"
        )
    if ours := [name for name in pending if name in applies]:
        found.append(f"pending: {_one_by_one('plan', ours)} makes a plan that can be applied")
    if others := [name for name in pending if name not in applies]:
        found.append(f"pending: apply {_list(others)} the way you always do")
    again = [c.environment for c in report.checks if c.verdict is not Verdict.IN_SYNC]
    if again:
        found.append(f"look again: {check_command(again)}")
    return found


def plan_answer(report: PlanReport) -> str:
    """The first line about one plan: what would happen if one went on, and what drifted."""
    assessment = report.assessment
    does = ", ".join(_what_it_does(assessment, records_only=report.plan.records_only))
    drifted = f"{assessment.drifted} drifted" if assessment.drifted else ""
    if assessment.complete:
        # Nobody but the engine knows whether the plan covers everything, and not all say so.
        nothing = "no changes: in sync" if report.plan.complete else "no changes"
        words = does or ("nothing to apply" if drifted else nothing)
    elif does or drifted:
        words = f"incomplete; as far as is known: {does or 'nothing to apply'}"
    else:
        words = "incomplete; whether anything would change is not known"
    failed = len(assessment.failed_checks)
    checks = f"{_count(failed, 'check')} {'fails' if failed == 1 else 'fail'}" if failed else ""
    return f"{report.name}: {'; '.join(filter(None, (words, drifted, checks)))}"


def plan_warnings(report: PlanReport) -> list[str]:
    """What must be known before anything else is read, each a sentence."""
    found = []
    if not report.assessment.complete:
        found.append(f"The plan is incomplete: {report.assessment.incomplete_reason}")
    if report.plan.records_only:
        found.append("Applying it changes no object: it records in the state what is really there.")
    return found


def plan_facts(report: PlanReport, view: View = View.CHANGES) -> list[tuple[str, str]]:
    """What there is to know about all of it, each with a name: the engine's own totals, how far
    it reaches, what of it holds data, the fingerprint."""
    found = [("plan", totals(report.assessment.totals)), ("touches", _reach(report.risk))]
    if report.risk.stateful:
        found.append(("holds data", ", ".join(map(_at_stake, report.risk.stateful))))
    if report.plan.engine_version:
        found.append(("engine", report.plan.engine_version))
    digest = str(report.fingerprint) if view is View.FULL else report.fingerprint.short
    unkeyed = "" if report.fingerprint.keyed else " (unkeyed: without its secrets)"
    return [*found, ("fingerprint", digest + unkeyed)]


PLAN_GROUPS = (
    "Destroyed or replaced",
    "Not understood by this version",
    "Changed outside Git",
    "Not applied yet",
)
"""What the findings of one plan stand under, in reading order."""

SPELLING = "only spelled otherwise"
EQUIVALENT = f"Equivalent: {SPELLING}"
OUTPUTS = "Outputs"
ACTIONS = "Actions that apply runs"
DEFERRED = "Put off to a later plan"
CHECKS = "Checks"
READS = "Read during apply"


def plan_groups(findings: Iterable[Finding]) -> list[tuple[str, list[Finding]]]:
    """Each group that has any, with its own."""
    groups: dict[str, list[Finding]] = {title: [] for title in PLAN_GROUPS}
    for finding in findings:
        groups[PLAN_GROUPS[_urgency(finding)]].append(finding)
    return [group for group in groups.items() if group[1]]


def plan_remark(finding: Finding, change: Change | None, view: View) -> str:
    """What there is to say beside an address where its whole plan is told: what it is imported
    as, and, where no attributes are told, which of them force a replacement."""
    found = [remark(finding, found_by=change.import_id if change else None)]
    if finding.kind.destroys and not finding.drifted and not _says_that_it_is_pending(finding):
        found.append("not applied yet")
    if view is View.SUMMARY:
        forcing = [each.path for each in finding.attributes if each.forces_replacement]
        found.append(_forced_by(forcing))
    return "; ".join(filter(None, found))


def plan_checks(report: PlanReport, view: View) -> list[str]:
    """The checks that need a person, and in the full view those that hold too."""
    return [
        check_result(each)
        for each in sorted(report.plan.checks, key=_urgency_of_check)
        if each.status != "pass" or view is View.FULL
    ]


def plan_asides(report: PlanReport, view: View) -> list[str]:
    """What is counted in one line each. What the full view lists is not counted there."""
    full = view is View.FULL
    found = asides(report.assessment, strict=report.strict)
    passed = sum(each.status == "pass" for each in report.plan.checks)
    if passed and not full:
        found.append(f"{_count(passed, 'check')} {'holds' if passed == 1 else 'hold'}")
    unchanged = report.plan.managed - sum(
        each.change is not None and each.change.mode not in UNMANAGED and not each.change.deposed
        for each in report.plan.joined
    )
    if unchanged > 0:
        found.append(f"{_count(unchanged, 'object')} unchanged")
    if report.assessment.complete and report.plan.complete is None:
        found.append("its engine does not say whether it covers everything, or a -target only")
    return found


def plan_read(change: Change) -> str:
    """A data source that is read while the plan is applied."""
    why = reason(change.reason)
    return f"{change.address}: read during apply" + (f": {why}" if why else "")


def check_command(environments: Sequence[str]) -> str:
    """``driftctl-py check prod staging``; without names when they are too many for a line."""
    names = environments if len(environments) <= _NAMED_AT_MOST else ()
    return " ".join(["driftctl-py check", *map(shlex.quote, names)])


def _one_by_one(verb: str, environments: Sequence[str]) -> str:
    """``driftctl-py plan prod``, which takes one environment at a time."""
    first, *others = environments
    named = f"{len(others)} more" if len(others) > _NAMED_AT_MOST else _list(others or [first])
    also = f", and so for {named}," if others else ""
    return f"driftctl-py {verb} {shlex.quote(first)}{also}"


def totals(totals: Totals) -> str:
    """The engine's own line: what is none of it is left out as the engine leaves it out."""
    imported = f"{totals.import_} to import, " if totals.import_ else ""
    forgotten = f", {totals.forget} to forget" if totals.forget else ""
    return (
        f"{imported}{totals.add} to add, {totals.change} to change, "
        f"{totals.destroy} to destroy{forgotten}"
    )


def age(since: timedelta) -> str:
    """``40 s``, ``12 min``, ``3 h``, ``5 d``, ``2 y``; never negative, whatever the clocks say."""
    seconds = max(0, int(since.total_seconds()))
    for unit, length in (("y", 31_557_600), ("d", 86_400), ("h", 3_600), ("min", 60)):
        if seconds >= length:
            return f"{seconds // length} {unit}"
    return f"{seconds} s"


def duration(seconds: float) -> str:
    """``0.8 s``, ``62 s``, ``4 min 10 s``."""
    if seconds < 10:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    return f"{whole} s" if whole < 120 else f"{whole // 60} min {whole % 60} s"


def _remarks(finding: Finding, found_by: Value) -> Iterator[str]:
    if finding.deposed:
        yield f"deposed object {finding.deposed}"
    if finding.previous_address:
        yield f"moved from {finding.previous_address}"
    if finding.imported:
        yield "imported" + (f" as {show.literal(found_by)}" if found_by is not None else "")
    yield from _what_is_done(finding)
    yield _where_from(finding)
    if finding.kind is not Kind.NO_OP:
        yield reason(finding.reason)
    if finding.kind.destroys or finding.kind.forgets or finding.kind is Kind.UNKNOWN:
        held = stateful(finding.address)
        yield f"holds data: {held}" if held else ""


def _what_it_does(assessment: Assessment, *, records_only: bool) -> Iterator[str]:
    """``destroys 1``, ``replaces 2``: what is worst first."""
    findings = assessment.findings
    kinds = Counter(finding.kind for finding in findings)
    spared = kinds[Kind.FORGET_THEN_CREATE] + kinds[Kind.CREATE_THEN_FORGET]
    counts = (
        ("destroys {}", kinds[Kind.DELETE]),
        ("replaces {}", kinds[Kind.REPLACE] + kinds[Kind.REPLACE_CREATE_FIRST]),
        ("does what this version does not know to {}", kinds[Kind.UNKNOWN]),
        ("changes {}", kinds[Kind.UPDATE]),
        ("adds {}", kinds[Kind.CREATE]),
        ("moves {}", sum(bool(finding.previous_address) for finding in findings)),
        ("imports {}", sum(finding.imported for finding in findings)),
        ("forgets {}", kinds[Kind.FORGET]),
        ("forgets and makes anew {}", spared),
    )
    for words, number in counts:
        if number:
            yield words.format(number)
    if records_only and assessment.drifted:
        yield "records what it found"
    unknown = sum(output.kind is Kind.UNKNOWN for output in assessment.outputs)
    if unknown:
        yield f"does what this version does not know to {_count(unknown, 'output')}"
    if len(assessment.outputs) > unknown:
        yield f"changes {_count(len(assessment.outputs) - unknown, 'output')}"
    if assessment.invocations:
        yield f"runs {_count(len(assessment.invocations), 'action')}"


def _reach(risk: Risk) -> str:
    if not risk.touched:
        return "no object"
    if risk.share is None:
        return _count(risk.touched, "object")
    # Neither some of it nor all of it is rounded away.
    percent = 100 if risk.share == 1 else min(99, max(1, round(100 * risk.share)))
    of = max(risk.managed, risk.touched)
    return f"{risk.touched} of {_count(of, 'object')}, {percent} %"


def _at_stake(finding: Finding) -> str:
    match finding.kind:
        case Kind.DELETE:
            what = "destroyed"
        case Kind.REPLACE | Kind.REPLACE_CREATE_FIRST:
            what = "replaced"
        case Kind.UNKNOWN:
            what = "not known"
        case _:
            what = "forgotten"
    return f"{finding.address} ({stateful(finding.address)}, {what})"


def _says_that_it_is_pending(finding: Finding) -> bool:
    """Does the engine's reason itself speak of the code?"""
    return finding.reason.startswith("delete_because_") and finding.reason in _REASONS


def _forced_by(paths: Sequence[str]) -> str:
    if not paths:
        return ""
    named = paths if len(paths) <= _FORCING_AT_MOST else paths[: _FORCING_AT_MOST - 1]
    more = f" and {len(paths) - len(named)} more" if len(named) < len(paths) else ""
    return f"forced by {', '.join(named)}{more}"


def _urgency_of_check(found: CheckResult) -> int:
    return 0 if found.failed else 1 + (found.status == "pass")


def _what_is_done(finding: Finding) -> Iterator[str]:
    match finding.kind:
        case Kind.REPLACE:
            yield "replace, destroys first"
        case Kind.REPLACE_CREATE_FIRST:
            yield "replace, creates first"
        case Kind.FORGET:
            yield "forget: leaves the state, the object stays"
        case Kind.FORGET_THEN_CREATE | Kind.CREATE_THEN_FORGET:
            yield "replace without destroying: the old object stays, unmanaged"
        case Kind.UNKNOWN:
            yield f"actions that this version does not know: {', '.join(finding.actions)}"
        case Kind.UPDATE if finding.sensitivity_changed and not finding.attributes:
            yield "only what counts as sensitive changes"
        case Kind.UPDATE if finding.sensitivity_changed:
            yield "what counts as sensitive changes too"
        case Kind.UPDATE if not finding.drifted and not _shows_anything(finding):
            # A write-only value, or what a provider keeps to itself.
            yield "nothing that a plan shows differs"
        case _:
            pass


def _shows_anything(finding: Finding) -> bool:
    return any(each.origin is not Origin.EQUIVALENT for each in finding.attributes)


def _where_from(finding: Finding) -> str:
    if finding.drift is Kind.UNKNOWN:
        return "drift of a kind that this version does not know"
    outside = "deleted outside" if finding.deleted_outside else "changed outside"
    match finding.origin:
        case Origin.DRIFT_REVERTED if finding.deleted_outside:
            return f"drift: {outside}; apply creates it again"
        case Origin.DRIFT_REVERTED:
            return f"drift: {outside}; apply puts it back"
        case Origin.DRIFT_TOLERATED if finding.only_recorded:
            return f"drift: {outside}; apply records it"
        case Origin.DRIFT_TOLERATED:
            return f"drift: {outside}; apply leaves it so"
        case Origin.DRIFT_GONE if finding.only_recorded:
            return f"drift: {outside}; apply forgets it"
        case Origin.DRIFT_GONE:
            return f"drift: {outside}; the code does not want it back"
        case Origin.BOTH:
            return f"drift: {outside}; also pending"
        case Origin.UNDETERMINED if finding.drifted:
            return f"drift: {outside}; what apply makes of it is not known yet"
        case _:
            return ""


def _urgency(finding: Finding) -> int:
    if finding.kind.destroys:
        return 0
    if Kind.UNKNOWN in (finding.kind, finding.drift):
        return 1
    return 2 if finding.drifted else 3


def _what_apply_does(assessment: Assessment) -> str:
    drifted = [finding for finding in assessment.findings if finding.drifted]
    back = sum(finding.origin is Origin.DRIFT_REVERTED for finding in drifted)
    if back == len(drifted):
        return "applying puts it back"
    return f"applying puts {back} of {len(drifted)} back" if back else "applying leaves it so"


def _of_what(checks: Sequence[EnvironmentCheck]) -> str:
    """`` of infra at 77b0de4 (main)``, as far as all agree."""
    revisions = [check.revision for check in checks if check.revision]
    names = {_repository(revision.display_url) for revision in revisions} - {""}
    words = f" of {names.pop()}" if len(names) == 1 else ""
    commits = {revision.short for revision in revisions}
    if len(commits) == 1:
        refs = {each.ref for each in revisions if each.ref and not each.commit.startswith(each.ref)}
        words += f" at {commits.pop()}" + (f" ({refs.pop()})" if len(refs) == 1 else "")
    elif commits:
        words += f" at {len(commits)} commits"
    return words


def _repository(url: str) -> str:
    """``infra`` of ``https://git.example.com/team/infra.git``."""
    return url.rstrip("/").rpartition("/")[2].removesuffix(".git").strip(".")


def _puts_something_back(assessment: Assessment) -> bool:
    return any(
        finding.drifted and finding.origin not in (Origin.DRIFT_TOLERATED, Origin.DRIFT_GONE)
        for finding in assessment.findings
    )


def _list(names: Sequence[str]) -> str:
    if len(names) > _NAMED_AT_MOST:
        return f"{len(names)} environments"
    return " and ".join(filter(None, (", ".join(names[:-1]), names[-1])))


def _count(number: int, what: str) -> str:
    return f"{number} {what}" + ("" if number == 1 else "s")
