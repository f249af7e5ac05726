"""Deciding about a plan, by what holds at this moment, and writing the decision down.

The judgement itself is pure (`core/decision.py`). Here its facts are brought together: rules,
approvals, restraints, and what was applied before.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from contextlib import suppress
from dataclasses import replace
from datetime import datetime

from driftctl_py.app.binding import backing_of, last_applied, required_binding
from driftctl_py.app.order import Order
from driftctl_py.app.planning import Made, fingerprint_of
from driftctl_py.app.ports import (
    ApplyWorkdirs,
    Artifacts,
    Clock,
    Contents,
    Gate,
    PolicyDocuments,
    Store,
)
from driftctl_py.app.preparation import Prepared, Settings
from driftctl_py.app.reviewed import Reviewed
from driftctl_py.app.sharing import Sharing
from driftctl_py.core.approval import People, Requirement, Standing, standing
from driftctl_py.core.assessment import Status
from driftctl_py.core.audit import Event
from driftctl_py.core.decision import (
    Apply,
    Decision,
    Hold,
    Judgement,
    Nothing,
    Obstacle,
    Refuse,
    Rulings,
    decide,
    judge,
    no_of,
)
from driftctl_py.core.environment import Environment
from driftctl_py.core.limits import is_limit
from driftctl_py.core.plan_report import PlanReport, View
from driftctl_py.core.restraint import EVERYWHERE, Why, frozen
from driftctl_py.core.run import Purpose, Run, State
from driftctl_py.core.window import Closed, closed
from driftctl_py.errors import DriftctlError, Untrusted
from driftctl_py.report.plan_document import render_plan_json


class Decider:
    """Decides, for any environment of one configuration."""

    def __init__(
        self,
        *,
        workdirs: ApplyWorkdirs,
        contents: Contents,
        store: Store,
        artifacts: Artifacts,
        gate: Gate,
        documents: Callable[[Prepared], PolicyDocuments],
        people: People,
        clock: Clock,
        sharing: Sharing,
        settings: Settings,
        is_another: Callable[[], bool],
    ) -> None:
        """``is_another``: is the configuration another one by now than we were made for?"""
        self._workdirs = workdirs
        self._contents = contents
        self._store = store
        self._artifacts = artifacts
        self._gate = gate
        self._documents = documents
        self._people = people
        self._clock = clock
        self._sharing = sharing
        self._settings = settings
        self._is_another = is_another
        self._reviewed = Reviewed(store, artifacts, clock=clock)

    def decided(self, run: Run, order: Order, made: Made) -> tuple[Run, Decision]:
        """The decision of this moment, and the run that records it."""
        run, decision = self._weighed(run, order, made)
        return self._recorded(run, order, decision, made), decision

    def reviewed(self, run: Run, order: Order, made: Made) -> tuple[Run, Decision]:
        """What would be decided, and the run that tells it; nothing is written down. Whether it is
        the time for it belongs to the moment of the apply, and so does what holds the environment
        back: that is only told."""
        run, decision = self._weighed(run, order, made)
        _, reason, todo = _state_of(decision)
        run = replace(run, state=State.REVIEWED, reason=reason, todo=todo, ended_at=self._clock())
        if made.report is not None and not made.report.assessment.complete:
            # Without what it means: an incomplete plan is no plan that anybody could say yes to.
            run = replace(run, state=State.UNKNOWN, fingerprint="")
        if made.report is not None and run.judgement is not None:
            document = render_plan_json(made.report, View.FULL).encode()
            run = replace(
                run,
                artifacts={**run.artifacts, "plan.json": self._artifacts.put(document)},
                closed=self.closed(order.environment, run.judgement),
            )
        return run, decision

    def _weighed(self, run: Run, order: Order, made: Made) -> tuple[Run, Decision]:
        """The run with all that was found out, and what follows from it."""
        environment, report = order.environment, made.report
        run = replace(
            run,
            engine=str(made.prepared.reported_engine),
            governing=made.governing,
            lineage=made.lineage,
            serial=made.serial,
        )
        if report is None:
            run = replace(run, status=Status.IN_SYNC.value, fingerprint="")
            return run, Nothing("The environment is what the code says.")
        assessment = report.assessment
        last = self._store.last_converged(environment.name)
        applied = last is not None and last.governing == made.governing
        source, trees = self._settings.sources[environment.source], made.governing.trees
        since = self._applied_before(environment.name, last)
        authors = self._contents.authors(source, since, order.revision, trees.keys())
        run = replace(run, authors=authors)
        modes = environment.apply
        # What caused each change is known before any rule is asked: a rule may depend on it.
        judgement = judge(report.plan, assessment, modes, Rulings(), code_is_applied=applied)
        rulings = self._gate.rulings(order, run, report, judgement, self._documents(made.prepared))
        judgement = judge(report.plan, assessment, modes, rulings, code_is_applied=applied)
        wanted = environment.requirement.also(judgement.groups, judgement.asks)
        run = replace(
            run,
            requirement=wanted,
            # What it was only looked at for says nothing about the code.
            status="" if order.purpose is Purpose.ACCEPT else assessment.status.value,
            totals=assessment.totals,
            drifted=assessment.drifted,
            fingerprint=fingerprint_of(report, order.purpose),
            judgement=judgement,
        )
        reviewing = order.purpose is Purpose.REVIEW
        if reviewing:
            in_the_way = self._sharing_a_state(order, made.prepared)
        else:
            in_the_way = self.obstacles(order, made.prepared) + self._unreviewed(order, run, report)
        now = self._clock()
        decision = decide(
            report.plan,
            assessment,
            judgement,
            wanted,
            self._standing(run, wanted, judgement, now),
            rulings=rulings,
            obstacles=in_the_way,
            closed=() if reviewing else self.closed(environment, judgement),
            accepting=order.purpose is Purpose.ACCEPT,
            now=now,
        )
        run = replace(run, closed=decision.closed if isinstance(decision, Hold) else ())
        return run, _of_purpose(order.purpose, decision)

    def _standing(
        self, run: Run, wanted: Requirement, judgement: Judgement, now: datetime
    ) -> Standing:
        approvals, binding = self._store.approvals(run.environment), required_binding(run)
        return standing(
            approvals,
            binding,
            wanted,
            self._people,
            authors=run.authors,
            violations=judgement.violations,
            now=now,
            applied_at=last_applied(self._store, binding),
            # A row that the trail knows nothing of, or a key that was taken away, says nothing.
            backing=backing_of(self._store, approvals, binding),
        )

    def withdrawn(self, run: Run, allowed: Apply) -> Obstacle | None:
        """What people said since it was allowed, where it does not let it be applied any more."""
        wanted = run.requirement or Requirement()
        found = self._standing(run, wanted, allowed.judgement, self._clock())
        if found.rejected is not None:
            return Obstacle(no_of(found.rejected), _AGAIN.format(run.environment))
        if allowed.approvals and not found.enough:
            why = "What somebody said to it does not count any more, so it needs another yes."
            return Obstacle(why, _AGAIN.format(run.environment))
        return None

    def _unreviewed(self, order: Order, run: Run, report: PlanReport) -> tuple[Obstacle, ...]:
        """Why it cannot be applied where only what was reviewed may be. What only writes down what
        is there changes nothing, and nobody could have reviewed it."""
        wanted = order.reviewed or order.environment.reviewed
        if not wanted or order.purpose is Purpose.ACCEPT:
            return ()
        expires = order.environment.requirement.expires_seconds
        return self._reviewed.obstacles(run, report, expires_seconds=expires)

    def _applied_before(self, environment: str, last: Run | None) -> Iterator[str]:
        """Commits that were applied there whole, the latest first."""
        if last is None:
            return
        yield last.commit
        # Only asked for where an older commit is to be applied than that one.
        for run in self._store.runs(environment=environment, states=(State.APPLIED,), limit=100):
            if run.purpose is not Purpose.ACCEPT:
                yield run.commit

    def held(
        self, run: Run, order: Order, allowed: Apply, closed: tuple[Closed, ...]
    ) -> tuple[Run, Decision]:
        """What was allowed a moment ago, and is not to be applied now: it waits."""
        standing = Standing(allowed.approvals)
        held = Hold(allowed.judgement, run.requirement or Requirement(), standing, closed)
        decision = _of_purpose(order.purpose, held)
        return self._recorded(replace(run, closed=closed), order, decision), decision

    def closed(self, environment: Environment, judgement: Judgement) -> tuple[Closed, ...]:
        """Why it is not the time to apply what was judged."""
        causes = {word for each in judgement.changes for word in each.cause.words}
        return self.closed_for(environment, causes)

    def closed_for(self, environment: Environment, causes: Collection[str]) -> tuple[Closed, ...]:
        """Why it is not the time to apply what has these causes."""
        now = self._clock()
        everywhere = frozen(self._store.restraints(EVERYWHERE), now)
        # A rule, a window or a freeze may have been added meanwhile. Over as soon as it is read.
        changed = (Closed(_CHANGED, now),) if self._is_another() else ()
        return (
            *everywhere,
            *changed,
            *closed(environment.timetables, environment.freezes, causes, now),
        )

    def obstacles(self, order: Order, prepared: Prepared) -> tuple[Obstacle, ...]:
        """What forbids to apply there at this moment, whatever the plan says."""
        name, now = order.environment.name, self._clock()
        found = list(self._sharing_a_state(order, prepared))
        for each in self._store.restraints(name):
            if each.why in (Why.PINNED, Why.FROZEN) or not each.holds(now):
                continue
            until = f" until {each.until:%Y-%m-%d %H:%M} UTC" if each.until else ""
            way = "resume" if each.why is Why.SUSPENDED else "unblock"
            found.append(
                Obstacle(
                    f"{name} is {each.why.value}{until} by {each.by}: {each.reason}",
                    f'driftctl-py {way} {name} --reason "…"',
                )
            )
        lost = self._workdirs.lost_state(prepared.workdir)
        if lost is not None and not found:
            found.append(
                Obstacle(
                    f"{lost} holds a state that an apply could not save.",
                    "Push it with `terraform state push`, or move it away.",
                )
            )
        return tuple(found)

    def held_back(self, environment: str) -> tuple[str, ...]:
        """What a person decided about it that lasts, as sentences: for a review, which it does not
        hold back."""
        now = self._clock()
        return tuple(
            f"{environment} is {each.why.value} by {each.by}: {each.reason}"
            for each in self._store.restraints(environment)
            if each.why is not Why.FROZEN and each.holds(now)
        )

    def _sharing_a_state(self, order: Order, prepared: Prepared) -> tuple[Obstacle, ...]:
        others = self._sharing.others(prepared)
        if not others:
            return ()
        return (
            Obstacle(
                f"{order.environment.name} and {' and '.join(others)} share one state, "
                f"{prepared.backend.address}: each would destroy what the other has.",
                "Give each its own key, for example with {environment} in state.s3.key.",
            ),
        )

    def _recorded(
        self, run: Run, order: Order, decision: Decision, made: Made | None = None
    ) -> Run:
        """Write the decision down, with its evidence where a plan waits or was refused."""
        state, reason, todo = _state_of(decision)
        if made is not None and made.report is not None:
            document = render_plan_json(made.report, View.FULL).encode()
            artifacts = {**run.artifacts, "plan.json": self._artifacts.put(document)}
            if state.waits and "plan" not in artifacts:
                plan = made.prepared.workdir.plan_file
                artifacts["plan"] = self._artifacts.put_file(plan)
                if artifacts["plan"] != made.digest:
                    raise Untrusted(
                        f"{plan} is not what it was when it was made: another plan was written "
                        "there meanwhile, perhaps by an engine that a killed pass left behind.",
                        todo=f"Plan again: driftctl-py plan {run.environment}",
                    )
            run = replace(run, artifacts=artifacts)
        now = self._clock()
        run = replace(
            run,
            state=state,
            reason=reason,
            todo=todo,
            ended_at=None if state.waits else now,
        )
        if order.purpose is Purpose.HEAL:
            # It is applied now or never: nobody is to find it waiting.
            run = replace(run, state=State.PLANNING) if state.waits else run
        else:
            self._supersede(run)
        self._store.save(run, *self._events(run, order))
        return run

    def _events(self, run: Run, order: Order) -> tuple[Event, ...]:
        """What the trail says of the decision: nothing, where it is the one of the pass before and
        nobody has to know, or each interval would be an entry for ever."""
        before = self._decided_before(run)
        same = (
            before is not None and before.state is run.state and _meaning(before) == _meaning(run)
        )
        if run.state is State.IN_SYNC or (run.state in (State.REFUSED, State.HELD) and same):
            return ()
        evidence = {
            "commit": run.commit,
            "decision": "allowed" if run.state is State.PLANNING else run.state.value,
            "fingerprint": run.fingerprint,
            "governing": run.governing.digest if run.governing else "",
            **run.artifacts,
            **({"reason": order.reason} if order.reason else {}),
        }
        return (Event("decided", self._clock(), order.actor, run.environment, run.id, evidence),)

    def _decided_before(self, run: Run) -> Run | None:
        """The same run, where its plan waited already; else the one before it."""
        known = self._store.run(run.id)
        if known is not None and known.state.waits:
            return known
        before = self._store.runs(
            environment=run.environment, limit=1, before=run.id, reviews=False
        )
        return before[0] if before else None

    def _supersede(self, run: Run) -> None:
        """A newer plan takes the place of one that waits; but what was asked for, to accept what is
        there, waits on beside what the code wants."""
        waiting = self._store.runs(
            environment=run.environment, states=(State.ALLOWED, State.HELD), limit=100
        )
        for each in waiting:
            alike = (each.purpose is Purpose.ACCEPT) is (run.purpose is Purpose.ACCEPT)
            if each.id != run.id and alike:
                over = replace(
                    each,
                    state=State.SUPERSEDED,
                    reason=f"Run {run.id} made a newer plan.",
                    todo="",
                    ended_at=self._clock(),
                    artifacts=without_plan(each),
                )
                self._store.save(over)
                drop_plan(self._artifacts, each)


_AGAIN = "Nothing was applied. See where it stands: driftctl-py plan {}"
_CHANGED = (
    "Nothing is applied, for the configuration was changed since it was read, and what it says now "
    "was not asked."
)


def without_plan(run: Run) -> dict[str, str]:
    """A run's evidence when its saved plan can be applied no more."""
    return {name: reference for name, reference in run.artifacts.items() if name != "plan"}


def drop_plan(artifacts: Artifacts, run: Run) -> None:
    """Let go of a saved plan that can be applied no more: it holds secrets in the clear."""
    if "plan" in run.artifacts:
        # What cannot be removed now is pruned later.
        with suppress(DriftctlError):
            artifacts.drop(run.artifacts["plan"])


def _of_purpose(purpose: Purpose, decision: Decision) -> Decision:
    """Where drift is put back while a commit waits, nobody is asked and nothing is waited for."""
    if purpose is not Purpose.HEAL or not isinstance(decision, Hold):
        return decision
    limits = dict.fromkeys(
        each.rule for each in decision.judgement.violations if is_limit(each.rule)
    )
    by = f" ({', '.join(limits)})" if limits else ""
    asks = f"Putting the drift back at the last applied commit needs an approval itself{by}."
    reasons = [] if decision.standing.enough else [asks]
    return Refuse((*reasons, *(each.why for each in decision.closed)), decision.judgement)


def _meaning(run: Run) -> tuple[str, str]:
    return run.fingerprint, run.governing.digest if run.governing else ""


def _state_of(decision: Decision) -> tuple[State, str, str]:
    """Where a decision leaves a run: its state, why, and what to do."""
    match decision:
        case Nothing(why):
            return State.IN_SYNC, why, ""
        case Apply():
            return State.ALLOWED, "", ""
        case Hold(_, requirement, standing_now, closed_now):
            reasons = [each.why for each in closed_now]
            if not standing_now.enough:
                reasons.insert(0, _needs(requirement, standing_now))
            return State.HELD, " ".join(reasons), ""
        case Refuse(why_not, _, todo):
            return State.REFUSED, " ".join(why_not), todo


def _needs(requirement: Requirement, now: Standing) -> str:
    missing = now.missing
    among = [
        *(f"somebody of {group}" for group in now.lacking),
        *(f"{each.count} of {', '.join(each.groups) or 'any group'}" for each in now.short),
    ]
    asked = f" of {', '.join(requirement.groups)}" if requirement.groups else ""
    # What rules ask for beside may be all that is missing.
    whom = f", among them {' and '.join(among)}" if among else asked
    return f"It needs {missing} {'approval' if missing == 1 else 'approvals'}{whom}."
