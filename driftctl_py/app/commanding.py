"""Doing what a comment on a pull request asks for: ``/driftctl plan``, ``approve``, ``apply``, ….

Only for people who may write to the repository, and only what the forge says at this moment that
they wrote: an event is a file, which may be old. Each is answered with a reaction, so that nobody
wonders whether it was heard, and done once: whoever runs the workflow of a comment again would
speak for its author. To plan and to apply is left to the workflows, which run with what they may
and at the commits that are theirs. Not here: what counts as a command
(``core/comment_command.py``), and whose yes counts for a plan (``app/approvals.py``).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import timedelta
from typing import Protocol, TypeVar, assert_never

from driftctl_py.app.approvals import Approvals
from driftctl_py.app.holding import Holding
from driftctl_py.app.ports import Clock, Forge, Store, Workflows
from driftctl_py.core.approval import Identity, People, Requirement, moment
from driftctl_py.core.comment_command import HELP, Command, Unclear, Verb, read_command
from driftctl_py.core.forge import Pull
from driftctl_py.core.github_event import Asked, Event
from driftctl_py.core.restraint import Why
from driftctl_py.core.run import Run, State
from driftctl_py.errors import DriftctlError, UsageError
from driftctl_py.report.markup import fence, prose

# GitHub's reactions.
HEARD, DONE, UNCLEAR, REFUSED = "eyes", "rocket", "confused", "-1"

# As many reviews are looked through for a fingerprint, where no environment is named, and of one
# that is.
_REVIEWS, _REVIEWS_OF_ONE = 200, 20

_T = TypeVar("_T")

PLAN_WORKFLOW, APPLY_WORKFLOW = "plan.yml", "apply.yml"


class Memory(Protocol):
    """What approvals and restraints are written into."""

    def approve(
        self,
        fingerprint: str,
        environments: tuple[str, ...],
        *,
        by: Identity,
        proposed_by: Identity,
        reason: str,
    ) -> tuple[str, ...]:
        """Say yes to what waits, or was reviewed last, where it has that fingerprint, in these
        environments or all; a sentence for each. Who opened the pull request is one of its authors,
        whoever its commits say they are of. ``reason`` is another one each time: a second yes for
        the same reason is none. Raises `DriftctlError` where nothing was approved, or the word
        would not count."""
        ...

    def unlock(self, environment: str, *, by: Identity, reason: str) -> None:
        """Raises `UsageError` where nothing is locked, and for the same reason again."""
        ...


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
        if not self._stands(asked, command):
            return Answer("The comment is not there any more as it was written: nothing was done.")
        if not self._forge.role_of(asked.login).may_write:
            # Without a word: anybody may comment, and each word would be one more comment.
            self._forge.react(asked.id, REFUSED)
            return Answer(f"{asked.login} may not write to the repository, so nothing was done.")
        if not self._claimed(asked):
            return Answer(
                "This comment was heard before, as our reaction to it says, so nothing was done. "
                "Whoever still wants it writes another comment.",
                failed=True,
            )
        number = event.job.pull
        if isinstance(command, Unclear):
            return self._said(number, asked, UNCLEAR, command.why, HELP)
        if command.verb is Verb.HELP:
            return self._said(number, asked, HEARD, "This is what I understand.", HELP)
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

    def _stands(self, asked: Asked, command: Command | Unclear) -> bool:
        """Did who we believe it of write it, and is it still what is asked for? Who takes a comment
        back, or changes it, before it was heard has changed their mind."""
        now = self._forge.comment(asked.id)
        return (
            now is not None
            and now.author.lower() == asked.login.lower()
            and read_command(now.body) == command
        )

    def _claimed(self, asked: Asked) -> bool:
        """Is it ours to do? Before anything is done, so that what was done half is not done twice:
        then its author has to ask again, knowing what came of it."""
        # Both: of a reaction whose answer was lost nobody else can tell since when it is there, and
        # of two runs at one moment only one makes it.
        return not self._forge.reacted(asked.id, HEARD) and self._forge.react(asked.id, HEARD)

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
                    command.fingerprint,
                    command.environments,
                    by=by,
                    proposed_by=Identity(f"github:{pull.author}"),
                    reason=why,
                )
                return " ".join(said)
            case Verb.UNLOCK:
                memory = self._memory()

                def unlock(environment: str) -> str:
                    memory.unlock(environment, by=by, reason=why)
                    return f"{environment} is unlocked."

                return " ".join(_each(command.environments, unlock))
            case Verb.HELP:
                raise AssertionError("it was answered before")
            case _ as never:
                assert_never(never)

    def _plan(self, pull: Pull) -> str:
        if pull.fork:
            raise UsageError(
                "It comes from a fork, and to plan is to run its code, so it is not planned with "
                "our credentials.",
                todo="Push it to a branch of this repository, once you have read it.",
            )
        if not pull.open:
            raise UsageError("It is closed, so there is nothing to plan.")
        if not self._workflows.rerun(PLAN_WORKFLOW, pull.head):
            raise UsageError(
                f"There is no run of {PLAN_WORKFLOW} at {pull.head[:7]} that could be run again.",
                todo="It may be running now. Otherwise push a commit.",
            )
        return f"Planning {pull.head[:7]} again."

    def _apply(self, pull: Pull, command: Command, event: Event) -> str:
        if not pull.merged:
            raise UsageError("It is not merged; what is applied is what the branch holds.")
        if pull.base_ref != event.default_branch:
            raise UsageError(
                f"It goes into {pull.base_ref}, and what is applied is {event.default_branch}."
            )

        def begin(environment: str) -> str:
            inputs = {"environment": environment}
            self._workflows.dispatch(APPLY_WORKFLOW, event.default_branch, inputs)
            what = environment or "all that is not applied yet"
            return f"Applying {what}, as far as it was reviewed and the gate allows."

        return " ".join(_each(command.environments or ("",), begin))

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
        self._people = people
        self._clock = clock
        self._approvals = Approvals(store, people=people, clock=clock, new_id=new_id)

    def approve(
        self,
        fingerprint: str,
        environments: tuple[str, ...],
        *,
        by: Identity,
        proposed_by: Identity,
        reason: str,
    ) -> tuple[str, ...]:
        newest = self._newest_of(environments) if environments else self._newest()
        newest |= self._waiting(environments, fingerprint)
        found = [run for run in newest.values() if run.fingerprint == fingerprint]
        wrong = [self._why_not(newest.get(name), name, fingerprint) for name in environments]
        wrong += [] if environments else [self._over(run) for run in found]
        if not found and not environments:
            wrong = ["Nothing that waits, or was reviewed last, has this fingerprint."]
        if any(wrong):
            raise UsageError(
                f"{' '.join(filter(None, wrong))} So nothing was approved.",
                todo="Copy the command from the comment with the newest plan. If that is what this "
                "fingerprint is from, plan again first: /driftctl plan",
            )
        # A stranger, or a bot, is at least not who approves; any name may stand in a commit.
        known = self._people.names_of(proposed_by.text)
        authors = (proposed_by.text,) if known or proposed_by == by else ()
        return _each(found, lambda run: self._give(run, by, authors, reason))

    def unlock(self, environment: str, *, by: Identity, reason: str) -> None:
        for entry in self._store.entries_of("unblocked"):
            event = entry.event
            told = (event.environment, event.who, event.evidence.get("reason"))
            if told == (environment, by.text, reason):
                raise UsageError(
                    f"{environment} was unlocked for this at {moment(event.at)}; what locked it "
                    "since needs a word of its own."
                )
        holding = Holding(self._store, clock=self._clock, actor=by.text)
        holding.lift(environment, Why.BLOCKED, reason=reason)

    # What waits to be applied counts, for that is what a yes is for; else the newest review of an
    # environment, and no older one that means what is asked for. An approval is bound to a meaning,
    # so that of an older one would be good for nothing unless just that was planned again: safe,
    # but whoever copied a fingerprint from an old mail would be told that it is approved, and
    # believe it of what the pull request shows. The price: of two open pull requests about one
    # environment, the one that was planned before has to be planned again. It should be: its plan
    # does not know of the other.

    def _waiting(self, environments: tuple[str, ...], fingerprint: str) -> dict[str, Run]:
        return {
            name: run
            for name, run in self._store.latest().items()
            if run.state.waits and run.fingerprint == fingerprint
            if not environments or name in environments
        }

    def _newest_of(self, environments: tuple[str, ...]) -> dict[str, Run]:
        newest = {}
        for name in environments:
            states = (State.REVIEWED,)
            # More than one: among the last there may be some that came to nothing.
            runs = self._store.runs(environment=name, states=states, limit=_REVIEWS_OF_ONE)
            if runs:
                newest[name] = runs[0]
        return newest

    def _newest(self) -> dict[str, Run]:
        newest: dict[str, Run] = {}
        for run in self._store.runs(states=(State.REVIEWED,), limit=_REVIEWS):
            newest.setdefault(run.environment, run)
        return newest

    def _why_not(self, run: Run | None, name: str, fingerprint: str) -> str:
        if run is None:
            return f"No plan of {name} was reviewed lately."
        if not run.fingerprint:
            return f"The newest review of {name}, at {run.commit[:7]}, has nothing to apply."
        if run.fingerprint != fingerprint:
            return f"The newest review of {name}, at {run.commit[:7]}, means something else."
        return self._over(run)

    def _over(self, run: Run) -> str:
        """An apply would not take it for reviewed any more."""
        if run.state.waits:
            return ""
        lasts = (run.requirement or Requirement()).expires_seconds
        over = run.started_at + timedelta(seconds=lasts)
        if self._clock() < over:
            return ""
        return f"{run.environment} was reviewed at {run.commit[:7]}, good until {moment(over)}."

    def _give(self, run: Run, by: Identity, authors: tuple[str, ...], reason: str) -> str:
        for said in self._store.approvals(run.environment):
            if (said.by, said.reason) == (by, reason):
                raise UsageError(
                    f"{run.environment}: this was said already, at {moment(said.at)}, and is not "
                    "said again."
                )
        # Not by its id: a review is foreign, and may be called as another environment is.
        given = self._approvals.give_to(run, by=by, yes=True, reason=reason, authors=authors)
        standing = given.standing
        if standing.rejected is not None:
            rest = f"but {standing.rejected.by.text} said no, which outranks it"
        elif standing.enough:
            rest = "that is enough"
        else:
            rest = f"{standing.missing} more needed"
        return f"{run.environment}: approved by {given.person}, {rest}."


def _each(found: Iterable[_T], do: Callable[[_T], str]) -> tuple[str, ...]:
    """A sentence for each, every one tried. Raises where one failed, and says what was done."""
    said, todo, failed = [], "", False
    for each in found:
        try:
            said.append(do(each))
        except DriftctlError as error:
            said.append(error.what)
            todo, failed = todo or error.todo, True
    if failed:
        raise UsageError(" ".join(said), todo=todo)
    return tuple(said)
