"""What explain, replay, test and lint found as JSON documents, for programs. Nothing is cut.

Their shape is a promise (``schema_version``), written down in ``docs/policy.schema.json``.
"""

from __future__ import annotations

from collections.abc import Sequence

from driftctl_py.core.decision import Apply, Decision, Hold, Judgement, Level, Nothing, Ruling
from driftctl_py.core.explanation import ChangeExplained, Explanation, Reason, RuleExplained
from driftctl_py.core.policy_lint import Lint
from driftctl_py.core.policy_replay import Replay, Replayed
from driftctl_py.core.policy_tests import Outcome, word
from driftctl_py.core.rules import LEVELS
from driftctl_py.report.json_values import Object, document_text
from driftctl_py.report.policy_text import failure_lines
from driftctl_py.report.run_document import moment

SCHEMA_VERSION = 1


def render_explanation_json(found: Explanation) -> str:
    """Every rule with every change, and every condition of it."""
    return _document(
        "policy-explanation",
        {
            "of": found.name,
            "environment": found.environment.name,
            "at": moment(found.at),
            "decision": _decision(found.decision),
            "rules": [_rule(each) for each in found.rules],
            "rules_of_others": [each.name for each in found.silent],
            "switches": {
                "git": found.environment.apply.git.value,
                "drift": found.environment.apply.drift.value,
            },
            "judgement": _judgement(found.judgement),
            "judged_then": found.then and _judgement(found.then),
            # Keys are one word: "policies" of "policies and checks".
            "asked": {name.split()[0]: how.value for name, how in found.beside.items()},
        },
    )


def render_replay_json(found: Replay) -> str:
    """All plans that would be decided differently, and all that could not be decided anew."""
    return _document(
        "policy-replay",
        {
            "plans": found.plans,
            "since": found.oldest and moment(found.oldest),
            "stricter": sum(each.stricter for each in found.different),
            "weaker": sum(each.weaker for each in found.different),
            "asks_others": sum(each.asks_others for each in found.different),
            "different": [_replayed(each) for each in found.different],
            "alike_with_other_changes": found.changes,
            "unreadable": [
                {
                    "run": each.run,
                    "environment": each.environment,
                    "at": moment(each.at),
                    "why": each.unreadable,
                }
                for each in found.unreadable
            ],
            "unknown_environments": dict(sorted(found.gone.items())),
        },
    )


def render_tests_json(outcomes: Sequence[Outcome]) -> str:
    """Each test with what it came to."""
    return _document(
        "policy-tests",
        {
            "tests": len(outcomes),
            "failed": sum(bool(each.failures) for each in outcomes),
            "outcomes": [
                {
                    "name": each.case.name,
                    "where": each.case.where,
                    "environment": each.environment or None,
                    "passed": not each.failures,
                    "expected": word(each.case.expect),
                    "failures": list(each.failures),
                    "why": list(failure_lines(each)) if each.failures else [],
                    "judgement": _judgement(each.judgement),
                }
                for each in outcomes
            ],
        },
    )


def render_lint_json(found: Sequence[Lint], *, rules: int) -> str:
    """All that is wrong."""
    return _document(
        "policy-lint",
        {
            "rules": rules,
            "findings": [
                {
                    "where": each.where or None,
                    "name": each.name,
                    "level": "note" if each.note else "warning",
                    "what": each.what,
                    "todo": each.todo,
                }
                for each in found
            ],
        },
    )


def _document(name: str, found: Object) -> str:
    return document_text({"schema_version": SCHEMA_VERSION, "document": name} | found)


def _decision(decision: Decision) -> Object:
    match decision:
        case Nothing():
            return {"is": "nothing", "reasons": [decision.why]}
        case Apply():
            return {"is": "apply", "reasons": []}
        case Hold():
            return {"is": "hold", "reasons": [each.why for each in decision.closed]}
        case _:
            return {"is": "refuse", "reasons": list(decision.reasons)}


def _rule(found: RuleExplained) -> Object:
    return {
        "name": found.rule.name,
        "effect": found.rule.effect.value,
        "level": word(LEVELS[found.rule.effect]),
        "where": found.rule.where or None,
        "speaks": found.speaks,
        "counts": [_reason(each) for each in found.counts],
        "changes": [_change(each) for each in found.changes],
    }


def _change(found: ChangeExplained) -> Object:
    address, deposed = found.key
    return {
        "address": address,
        "deposed": deposed or None,
        "matched": found.matched,
        "conditions": [_reason(each) for each in found.reasons],
    }


def _reason(reason: Reason) -> Object:
    return {
        "condition": reason.condition,
        "holds": reason.answer.value,
        "asked": list(reason.asked),
        "found": None if reason.found is None else list(reason.found),
    }


def _judgement(judgement: Judgement) -> Object:
    return {
        "level": word(judgement.level),
        "groups": list(judgement.groups),
        "changes": [
            {
                "address": each.address,
                "deposed": each.deposed or None,
                "cause": each.cause.value,
                "what": each.what,
                "level": word(each.level),
                "rulings": [_ruling(ruling) for ruling in each.rulings],
            }
            for each in judgement.changes
        ],
        "of_plan": [_ruling(each) for each in judgement.of_plan],
    }


def _ruling(ruling: Ruling) -> Object:
    return {
        "level": word(ruling.level),
        "rule": ruling.rule,
        "where": ruling.where or None,
        "message": ruling.message or None,
        "groups": list(ruling.groups),
    }


def _replayed(each: Replayed) -> Object:
    return {
        "run": each.run,
        "environment": each.environment,
        "at": moment(each.at),
        "then": _level(each.then),
        "now": _level(each.now),
        "asked_then": list(each.asked_then),
        "asked_now": list(each.asked_now),
        "changes": [
            {
                "address": change.address,
                "deposed": change.deposed or None,
                "then": word(change.then),
                "now": word(change.now),
            }
            for change in each.changes
        ],
        "because": [
            {
                "is": "new" if because.is_new else "gone",
                "addresses": list(because.addresses),
                **_ruling(because.ruling),
            }
            for because in each.because
        ],
    }


def _level(level: Level | None) -> str | None:
    return None if level is None else word(level)
