"""Doing what a comment on a pull request asks for: ``/driftctl plan``, ``approve``, ``apply``, ….

Only for people who may write to the repository, as the forge says at this moment, and each is
answered with a reaction, so that nobody wonders whether it was heard. To plan and to apply is left
to the workflows, which run with what they may and at the commits that are theirs. Not here: what
counts as a command (``core/comment_command.py``), and whose yes counts for a plan
(``app/approvals.py``).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol, assert_never

from driftctl_py.app.approvals import Approvals
from driftctl_py.app.holding import Holding
from driftctl_py.app.ports import Clock, Forge, Store, Workflows
from driftctl_py.core.approval import Identity, People
from driftctl_py.core.comment_command import HELP, Command, Unclear, Verb, read_command
from driftctl_py.core.forge import Pull
from driftctl_py.core.github_event import Asked, Event
from driftctl_py.core.restraint import Why
from driftctl_py.core.run import Run, State
from driftctl_py.errors import DriftctlError, UsageError
from driftctl_py.report.markup import fence, prose

# GitHub's reactions.
HEARD, DONE, UNCLEAR, REFUSED = "eyes", "rocket", "confused", "-1"

# As many reviews are looked through for a fingerprint.
_REVIEWS = 1000

PLAN_WORKFLOW, APPLY_WORKFLOW = "plan.yml", "apply.yml"


class Memory(Protocol):
    """What approvals and restraints are written into."""

    def approve(
        self, fingerprint: str, environments: tuple[str, ...], *, by: Identity, reason: str
    ) -> tuple[str, ...]:
        """Say yes to what was reviewed with that fingerprint, in these environments or all; a
        sentence for each. Raises `UsageError` where nothing was, or the word would not count."""
        ...

    def unlock(self, environment: str, *, by: Identity, reason: str) -> None: ...


@dataclass(frozen=True, slots=True)
class Answer:
    """``what`` was done, for the log; ``failed``: it was to be done, and was not."""

    what: str
    failed: bool = False


class Commander:
    """``memory`` is opened only for what needs it: who asks for a plan needs no store."""

    def __init__(self, forge: Forge, workflows: Workflows, *, memory: Callable[[], Memory]) -> None:
        self._forge = forge
        self._workflows = workflows
        self._memory = memory

    def obey(self, event: Event) -> Answer:
        """Do what the comment asks for, if it asks for anything and its author may."""
        asked = event.comment
        command = read_command(asked.body) if asked is not None else None
        if asked is None or command is None:
            return Answer("The comment asks for nothing.")
        if not asked.on_pull:
            return Answer("Commands are heard under pull requests only.")
        if not self._forge.role_of(asked.login).may_write:
            # Without a word: anybody may comment, and each word would be one more comment.
            self._forge.react(asked.id, REFUSED)
            return Answer(f"{asked.login} may not write to the repository, so nothing was done.")
        number = event.job.pull
        if isinstance(command, Unclear):
            return self._said(number, asked, UNCLEAR, command.why, HELP)
        if command.verb is Verb.HELP:
            return self._said(number, asked, HEARD, "This is what I understand.", HELP)
        self._forge.react(asked.id, HEARD)
        try:
            done = self._do(command, self._forge.pull(number), asked, event)
        except DriftctlError as error:
            answer = self._said(number, asked, REFUSED, error.what, error.todo)
            return Answer(answer.what, failed=True)
        if command.verb is Verb.PLAN:
            # The plan's comment will say that there is a new one.
            self._forge.react(asked.id, DONE)
            return Answer(done)
        return self._said(number, asked, DONE, done)

    def _do(self, command: Command, pull: Pull, asked: Asked, event: Event) -> str:
        by = Identity(f"github:{asked.login}")
        why = f"/driftctl {command.verb.value} in comment {asked.id} of #{pull.number}"
        match command.verb:
            case Verb.PLAN:
                return self._plan(pull)
            case Verb.APPLY:
                return self._apply(pull, command, event)
            case Verb.APPROVE:
                if pull.fork:
                    raise UsageError("It comes from a fork, so no plan of it was reviewed.")
                said = self._memory().approve(
                    command.fingerprint, command.environments, by=by, reason=why
                )
                return " ".join(said)
            case Verb.UNLOCK:
                memory = self._memory()
                for environment in command.environments:
                    memory.unlock(environment, by=by, reason=why)
                return f"Unlocked: {', '.join(command.environments)}."
            case Verb.HELP:
                raise AssertionError("it was answered before")
            case _ as never:
                assert_never(never)

    def _plan(self, pull: Pull) -> str:
        if not pull.open:
            raise UsageError("It is closed, so there is nothing to plan.")
        if not self._workflows.rerun(PLAN_WORKFLOW, pull.head):
            raise UsageError(
                f"There is no run of {PLAN_WORKFLOW} at {pull.head[:7]} that could be run again.",
                todo="It may be running now. Otherwise push a commit.",
            )
        return f"Planning {pull.head[:7]} again."

    def _apply(self, pull: Pull, command: Command, event: Event) -> str:
        if pull.open:
            raise UsageError("It is not merged; what is applied is what the branch holds.")
        if pull.base_ref != event.default_branch:
            raise UsageError(
                f"It goes into {pull.base_ref}, and what is applied is {event.default_branch}."
            )
        for environment in command.environments or ("",):
            self._workflows.dispatch(
                APPLY_WORKFLOW, event.default_branch, {"environment": environment}
            )
        named = ", ".join(command.environments) or "all that is not applied yet"
        return f"Applying {named}, as far as it was reviewed and the gate allows."

    def _said(self, number: int, asked: Asked, reaction: str, what: str, more: str = "") -> Answer:
        self._forge.react(asked.id, reaction)
        body = prose(what) + (f"\n\n{fence(more.splitlines(), 'text')}" if more else "")
        self._forge.add_comment(number, body)
        return Answer(what)


class Remembered:
    """`Memory` in a store."""

    def __init__(
        self, store: Store, *, people: People, clock: Clock, new_id: Callable[[], str]
    ) -> None:
        self._store = store
        self._clock = clock
        self._approvals = Approvals(store, people=people, clock=clock, new_id=new_id)

    def approve(
        self, fingerprint: str, environments: tuple[str, ...], *, by: Identity, reason: str
    ) -> tuple[str, ...]:
        latest: dict[str, Run] = {}
        for run in self._store.runs(states=(State.REVIEWED,), limit=_REVIEWS):
            wanted = not environments or run.environment in environments
            if wanted and run.fingerprint == fingerprint:
                latest.setdefault(run.environment, run)
        missing = set(environments) - set(latest)
        if missing or not latest:
            of = f" of {', '.join(sorted(missing))}" if missing else ""
            raise UsageError(
                f"No plan{of} with this fingerprint was reviewed lately, so nothing was approved.",
                todo="Copy the command from the newest comment of this pull request.",
            )
        said = []
        for run in latest.values():
            given = self._approvals.give(run.id, by=by, yes=True, reason=reason)
            more = given.standing.missing
            rest = "that is enough" if not more else f"{more} more needed"
            said.append(f"{run.environment}: approved by {given.person}, {rest}.")
        return tuple(said)

    def unlock(self, environment: str, *, by: Identity, reason: str) -> None:
        holding = Holding(self._store, clock=self._clock, actor=by.text)
        holding.lift(environment, Why.BLOCKED, reason=reason)
