"""Runs, their decisions and the status as JSON documents, for programs.

Their shape is a promise (``schema_version``), written down in ``docs/run.schema.json`` and
``docs/status.schema.json``. Nothing is cut and nothing left out but secrets.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import assert_never

from driftctl_py.core.approval import Approval, Ask, Requirement, Standing
from driftctl_py.core.decision import Apply, Decision, Hold, Judgement, Nothing, Refuse, Ruling
from driftctl_py.core.governing import Governing
from driftctl_py.core.history import EnvironmentNow, RunRecord, StatusNow
from driftctl_py.core.lease import Lease
from driftctl_py.core.plan_diff import compare_plans
from driftctl_py.core.plan_report import PlanReport, View
from driftctl_py.core.restraint import Restraint
from driftctl_py.core.run import Applied, Run
from driftctl_py.core.window import Closed
from driftctl_py.errors import DriftctlError, EngineError, PlanError
from driftctl_py.report.audit_text import entry_object
from driftctl_py.report.json_values import Object, document_text, totals_object
from driftctl_py.report.runs import PLANNED, WAITED
from driftctl_py.report.status import exit_code

SCHEMA_VERSION = 1


def render_outcome_json(
    run: Run,
    decision: Decision | None,
    report: PlanReport | None,
    *,
    before: PlanReport | None = None,
    again: str = "",
    healed: Run | None = None,
    error: DriftctlError | None = None,
    warnings: Sequence[str] = (),
    exit_code: int,
) -> str:
    """What a command that makes a run came to."""
    # Here, since nothing else needs what a comparison is made of.
    import msgspec

    from driftctl_py.report.plan_diff import render_plan_diff_json
    from driftctl_py.report.plan_document import render_plan_json

    plan = difference = None
    if report is not None:
        plan = msgspec.Raw(render_plan_json(report, View.FULL).encode())
    if report is not None and before is not None:
        found = compare_plans(before.plan, report.plan)
        difference = msgspec.Raw(render_plan_diff_json(found, WAITED, PLANNED).encode())
    return document_text(
        {
            "schema_version": SCHEMA_VERSION,
            "document": "outcome",
            "exit_code": exit_code,
            "run": run_object(run),
            "decision": decision and _decision(decision),
            "plan": plan,
            "planned_again_because": again or None,
            "difference": difference,
            "healed": healed and run_object(healed),
            "error": error and _error(error),
            "warnings": list(warnings),
        }
    )


def render_given_json(approval: Approval, person: str, standing: Standing, run: Run) -> str:
    """A yes, or a no, that was written down."""
    return document_text(
        {
            "schema_version": SCHEMA_VERSION,
            "document": "approval",
            "approval": _approval(approval),
            "person": person,
            "standing": _standing(standing),
            "run": run_object(run),
        }
    )


def render_runs_json(runs: Sequence[Run]) -> str:
    """Runs, the latest first."""
    return document_text(
        {
            "schema_version": SCHEMA_VERSION,
            "document": "runs",
            "runs": [run_object(each) for each in runs],
        }
    )


def render_record_json(record: RunRecord) -> str:
    """One run with everything that is kept about it."""
    import msgspec

    from driftctl_py.report.stored_plan import read_stored_plan

    plan, no_plan = None, record.no_plan
    if record.plan is not None:
        try:
            # What is passed on as it is must be what it is passed on as.
            read_stored_plan(record.plan)
            plan = msgspec.Raw(record.plan)
        except PlanError as error:
            no_plan = error.what
    return document_text(
        {
            "schema_version": SCHEMA_VERSION,
            "document": "run",
            "run": run_object(record.run),
            "standing": record.standing and _standing(record.standing),
            "restraints": [_restraint(each) for each in record.restraints],
            "events": [entry_object(each) for each in record.events],
            "plan": plan,
            "no_plan": no_plan or None,
        }
    )


def render_status_json(status: StatusNow) -> str:
    """Where each environment stands."""
    return document_text(
        {
            "schema_version": SCHEMA_VERSION,
            "document": "status",
            "at": moment(status.at),
            "exit_code": exit_code(status),
            "frozen": [_restraint(each) for each in status.frozen],
            "environments": [_environment(each) for each in status.environments],
        }
    )


def run_object(run: Run) -> Object:
    """One run, as every document has it."""
    return {
        "id": run.id,
        "environment": run.environment,
        "state": run.state.value,
        "purpose": run.purpose.value,
        "trigger": run.trigger,
        "actor": run.actor,
        "worker": run.worker,
        "started_at": moment(run.started_at),
        "ended_at": run.ended_at and moment(run.ended_at),
        "source": run.source or None,
        "ref": run.ref or None,
        "commit": run.commit or None,
        "engine": run.engine or None,
        "status": run.status or None,
        "totals": totals_object(run.totals) if run.status else None,
        "drifted": run.drifted if run.status else None,
        "fingerprint": run.fingerprint or None,
        "governing": run.governing and _governing(run.governing),
        "lineage": run.lineage or None,
        "serial": run.serial,
        "judgement": run.judgement and _judgement(run.judgement),
        "requirement": run.requirement and _requirement(run.requirement),
        "authors": list(run.authors),
        "closed": [_closed(each) for each in run.closed],
        "reason": run.reason or None,
        "todo": run.todo or None,
        "applied": run.applied and _applied(run.applied),
        "base": run.base or None,
        "artifacts": dict(sorted(run.artifacts.items())),
    }


def moment(at: datetime) -> str:
    """``2026-11-24T09:14:00Z``."""
    return at.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


def _decision(decision: Decision) -> Object:
    found: Object = {
        "what": type(decision).__name__.lower(),
        "reasons": [],
        "todo": None,
        "judgement": None,
        "requirement": None,
        "standing": None,
        "approvals": [],
        "closed": [],
    }
    match decision:
        case Nothing(why):
            return found | {"reasons": [why]}
        case Apply(judgement, approvals):
            return found | {
                "judgement": _judgement(judgement),
                "approvals": [_approval(each) for each in approvals],
            }
        case Hold(judgement, requirement, standing, closed):
            return found | {
                "judgement": _judgement(judgement),
                "requirement": _requirement(requirement),
                "standing": _standing(standing),
                "closed": [_closed(each) for each in closed],
            }
        case Refuse(reasons, maybe, todo):
            return found | {
                "reasons": list(reasons),
                "judgement": maybe and _judgement(maybe),
                "todo": todo or None,
            }
        case _ as never:
            assert_never(never)


def _closed(closed: Closed) -> Object:
    return {
        "why": closed.why,
        "until": closed.until and moment(closed.until),
        "by_command": closed.by_command,
    }


def _judgement(judgement: Judgement) -> Object:
    return {
        "level": judgement.level.name.lower(),
        "changes": [
            {
                "address": each.address,
                "deposed": each.deposed or None,
                "cause": each.cause.value,
                "what": each.what,
                "level": each.level.name.lower(),
                "rulings": [_ruling(ruling) for ruling in each.rulings],
            }
            for each in judgement.changes
        ],
        "of_plan": [_ruling(each) for each in judgement.of_plan],
    }


def _ruling(ruling: Ruling) -> Object:
    return {
        "level": ruling.level.name.lower(),
        "rule": ruling.rule,
        "where": ruling.where or None,
        "message": ruling.message or None,
        "groups": list(ruling.groups),
        "count": ruling.count,
    }


def _requirement(requirement: Requirement) -> Object:
    return {
        "count": requirement.count,
        "groups": list(requirement.groups),
        "each_of": list(requirement.each_of),
        "asks": [_ask(each) for each in requirement.asks],
        "author_may": requirement.author_may,
        "unverified": requirement.unverified,
        "expires_seconds": requirement.expires_seconds,
    }


def _ask(ask: Ask) -> Object:
    return {"count": ask.count, "groups": list(ask.groups)}


def _standing(standing: Standing) -> Object:
    return {
        "enough": standing.enough,
        "missing": standing.missing,
        "lacking": list(standing.lacking),
        "short": [_ask(each) for each in standing.short],
        "given": [_approval(each) for each in standing.given],
        "rejected": standing.rejected and _approval(standing.rejected),
        "passed_over": [
            {"approval": _approval(each.approval), "why": each.why} for each in standing.passed
        ],
    }


def _approval(approval: Approval) -> Object:
    return {
        "id": approval.id,
        "run": approval.run,
        "yes": approval.yes,
        "by": approval.by.text,
        "verified": approval.by.verified,
        "at": moment(approval.at),
        "expires_at": moment(approval.expires_at),
        "reason": approval.reason,
        "commit": approval.commit or None,
        "binding": {
            "environment": approval.binding.environment,
            "fingerprint": approval.binding.fingerprint,
            "governing": approval.binding.governing,
            "lineage": approval.binding.lineage,
        },
    }


def _governing(governing: Governing) -> Object:
    return {
        "digest": governing.digest,
        "engine": governing.engine,
        "variables": governing.variables,
        "lock_file": governing.lock_file,
        "backend": governing.backend,
        "settings": governing.settings,
        "trees": dict(sorted(governing.trees.items())),
        "modules": dict(sorted(governing.modules.items())),
    }


def _applied(applied: Applied) -> Object:
    return {
        "finished": applied.finished,
        "done": list(applied.done),
        "failed": list(applied.failed),
        "unfinished": list(applied.unfinished),
    }


def _error(error: DriftctlError) -> Object:
    diagnostics = error.diagnostics if isinstance(error, EngineError) else ()
    return {
        "kind": type(error).__name__,
        "what": error.what,
        "todo": error.todo or None,
        "diagnostics": [
            {
                "severity": each.severity,
                "summary": each.summary,
                "detail": each.detail,
                "address": each.address or None,
                "where": each.where or None,
            }
            for each in diagnostics
        ],
    }


def _environment(now: EnvironmentNow) -> Object:
    return {
        "environment": now.environment,
        "needs": now.need.value,
        "last": now.last and run_object(now.last),
        "standing": now.standing and _standing(now.standing),
        "closed": [_closed(each) for each in now.closed],
        "restraints": [_restraint(each) for each in now.restraints],
        "lease": now.lease and _lease(now.lease),
    }


def _restraint(restraint: Restraint) -> Object:
    return {
        "why": restraint.why.value,
        "reason": restraint.reason,
        "by": restraint.by,
        "at": moment(restraint.at),
        "until": restraint.until and moment(restraint.until),
        "commit": restraint.commit or None,
        "run": restraint.run or None,
    }


def _lease(lease: Lease) -> Object:
    return {
        "worker": lease.worker,
        "run": lease.run,
        "taken_at": moment(lease.taken_at),
        "beat_at": moment(lease.beat_at),
    }
