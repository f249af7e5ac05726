"""The gate: all that is said of a plan beside the two switches, brought together.

Rules are pure and cannot break, and where the history cannot be read that limits go by, the whole
pass fails. Policies and checks are other people's programs, and everything that goes wrong with one
of them is a no; what the others said counts all the same.

Not here: what follows from it (`core/decision.py`).
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import replace
from typing import assert_never

from driftctl_py.app.limits import Limiting
from driftctl_py.app.order import Order
from driftctl_py.app.ports import CheckPrograms, PolicyDocuments, RegoEngines
from driftctl_py.core.decision import Judgement, Level, Ruling, Rulings
from driftctl_py.core.known_secrets import hide
from driftctl_py.core.plan_report import PlanReport
from driftctl_py.core.policy import About, CheckProgram, Policy, RegoPolicy, Verdict
from driftctl_py.core.rules import LEVELS, rulings_of
from driftctl_py.core.run import Run
from driftctl_py.errors import DriftctlError, Interrupted, bug


class Gating:
    """Rules of driftctl.yaml, then the policies and checks that it names, then its limits."""

    def __init__(
        self,
        *,
        rego: RegoEngines,
        checks: CheckPrograms,
        limits: Limiting,
        secrets: Collection[str],
    ) -> None:
        self._rego = rego
        self._checks = checks
        self._limits = limits
        self._secrets = secrets

    def rulings(
        self,
        order: Order,
        run: Run,
        report: PlanReport,
        judgement: Judgement,
        documents: PolicyDocuments,
    ) -> Rulings:
        """What they say of each change, and of the plan."""
        environment, assessment = order.environment, report.assessment
        rulings = rulings_of(
            environment.rules,
            report.plan,
            (*assessment.findings, *assessment.equivalent),
            judgement,
            assessment.managed,
        )
        if environment.policies and judgement.changes:
            rulings = self._with_policies(rulings, order, run, judgement, documents)
        # Last, since they only matter where nobody would be asked.
        return self._limits.rulings(order, judgement, rulings)

    def _with_policies(
        self,
        rulings: Rulings,
        order: Order,
        run: Run,
        judgement: Judgement,
        documents: PolicyDocuments,
    ) -> Rulings:
        about, broken = _about(order, run), list[str]()
        for policy in order.environment.policies:
            try:
                verdicts = self._verdicts(policy, about, documents)
                rulings = with_verdicts(rulings, map(self._told_safely, verdicts), judgement)
            except Interrupted:
                raise
            except DriftctlError as error:
                # What a program said last need not end as a sentence does.
                stop = "" if error.what.endswith((".", "?", "!", ":")) else "."
                said = f"{policy.name}: {error.what}{stop} {error.todo}".rstrip()
                broken.append(hide(said, self._secrets))
            except Exception as error:  # noqa: BLE001 - whatever it is, it is a no
                broken.append(f"{policy.name}: {bug(error)}")
        return with_verdicts(rulings, (), judgement, broken)

    def _told_safely(self, verdict: Verdict) -> Verdict:
        address, message = verdict.address, hide(verdict.message, self._secrets)
        # Hidden in part, it would be another's; then it is about the plan.
        told = address if hide(address, self._secrets) == address else ""
        return replace(verdict, message=message, address=told)

    def _verdicts(
        self, policy: Policy, about: About, documents: PolicyDocuments
    ) -> Sequence[Verdict]:
        match policy:
            case RegoPolicy():
                return self._rego.verdicts(policy, plan=documents.redacted(), about=about)
            case CheckProgram():
                plan = documents.whole() if policy.whole else documents.redacted()
                return self._checks.verdicts(policy, plan=plan)
            case _ as never:
                assert_never(never)


def with_verdicts(
    rulings: Rulings, verdicts: Iterable[Verdict], judgement: Judgement, broken: Sequence[str] = ()
) -> Rulings:
    """And what policies found: about one change where they name one that there is, else about the
    plan."""
    there = {(each.address, each.deposed) for each in judgement.changes}
    of_change, of_plan = dict(rulings.of_change), list(rulings.of_plan)
    for each in verdicts:
        # What is told of an object is told of all that is to be done with it.
        keys = [key for key in there if each.address and key[0] == each.address]
        # None may allow anything: that would take the place of the switches.
        level = max(LEVELS[each.effect], Level.WARN)
        ruling = Ruling(level, each.policy, each.where, each.message, each.groups)
        if not keys:
            of_plan.append(replace(ruling, message=_naming(each)))
        for key in keys:
            of_change[key] = (*of_change.get(key, ()), ruling)
    return Rulings(of_change, tuple(of_plan), "\n".join((rulings.broken, *broken)).strip())


def _naming(verdict: Verdict) -> str:
    if verdict.address and verdict.address not in verdict.message:
        return f"{verdict.address}: {verdict.message}"
    return verdict.message


def _about(order: Order, run: Run) -> About:
    environment, revision = order.environment, order.revision
    return About(
        environment=environment.name,
        labels=environment.labels,
        path=environment.path,
        workspace=environment.workspace,
        repository=revision.display_url,
        ref=revision.ref,
        commit=revision.commit,
        run=run.id,
        trigger=order.trigger,
        actor=order.actor,
        started_at=run.started_at,
        authors=run.authors,
        engine=run.engine,
    )
