"""What the application asks of the outside world, as Protocols.

An adapter fits by shape and imports nothing from here; `compose` is where the type checker holds
the two against each other. Every method raises only the errors of `driftctl_py.errors`.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from datetime import datetime
from pathlib import Path
from typing import Protocol

from driftctl_py.app.order import Order
from driftctl_py.core.apply_log import ApplyEnd, ApplyLog
from driftctl_py.core.approval import Approval, Binding
from driftctl_py.core.audit import Anchor, Entry, Event
from driftctl_py.core.check import EnvironmentCheck
from driftctl_py.core.checkout import Checkout, Revision
from driftctl_py.core.decision import Judgement, Rulings
from driftctl_py.core.engine_choice import Candidate, Hints
from driftctl_py.core.engine_run import EngineRun, Memory, Planned, Workdir
from driftctl_py.core.environment import Credentials, Environment, Source
from driftctl_py.core.events import EventLog
from driftctl_py.core.forge import (
    CheckRun,
    Comment,
    CommitStatus,
    Issue,
    Label,
    Pull,
    Role,
)
from driftctl_py.core.lease import Lease
from driftctl_py.core.masks import Masks
from driftctl_py.core.module_facts import ModuleFacts
from driftctl_py.core.plan import Plan
from driftctl_py.core.plan_report import PlanReport
from driftctl_py.core.policy import About, CheckProgram, RegoPolicy, Verdict
from driftctl_py.core.restraint import Restraint, Why
from driftctl_py.core.run import Run, State
from driftctl_py.core.saved_plan import Opened
from driftctl_py.core.state import StateAddress, StateLook
from driftctl_py.core.values import Secrets


class Sources(Protocol):
    """Git."""

    def resolve(self, source: Source, ref: str | None = None) -> Revision: ...
    def files(self, source: Source, revision: Revision) -> frozenset[str]: ...
    def checkout(self, source: Source, revision: Revision) -> Checkout: ...
    def prune(self, in_use: Collection[tuple[str, str]]) -> None: ...


class Workdirs(Protocol):
    """The private directories in which environments are planned."""

    def place(self, environment: Environment, checkout: Checkout) -> Workdir: ...
    def lay(self, workdir: Workdir, environment: Environment, revision: Revision) -> None: ...
    def copy_state(self, workdir: Workdir, path: str) -> Path | None: ...
    def drop_state(self, workdir: Workdir, path: str) -> None: ...
    def remember(self, workdir: Workdir) -> Memory: ...
    def save(self, workdir: Workdir, memory: Memory) -> None: ...
    def read(self, path: Path) -> bytes | None: ...
    def write(self, path: Path, data: bytes) -> Path: ...
    def remove(self, path: Path) -> None: ...
    def facts(self, workdir: Workdir) -> dict[str, ModuleFacts]: ...
    def hints(self, workdir: Workdir, facts: ModuleFacts) -> Hints: ...
    def source_file(self, workdir: Workdir, name: str) -> Path | None: ...
    def lock_file(self, workdir: Workdir) -> str | None: ...
    def forget_own_lock_file(self, workdir: Workdir) -> None: ...
    def set_override(self, workdir: Workdir, text: str | None) -> None: ...
    def recorded_backend(self, workdir: Workdir) -> bytes | None: ...
    def installed_providers(self, workdir: Workdir) -> frozenset[str]:
        """The addresses of those that `init` laid there."""
        ...

    def forget_providers(self, workdir: Workdir) -> None:
        """So that the next `init` lays there what it needs, and nothing else."""
        ...

    def locked(self, workdir: Workdir) -> AbstractContextManager[None]: ...
    def exclusive(self, path: Path) -> AbstractContextManager[None]: ...


class ApplyWorkdirs(Workdirs, Protocol):
    """The same, where what is planned is to be applied."""

    def own_lock_file(self, workdir: Workdir) -> str | None: ...
    def remote_modules(self, workdir: Workdir) -> Mapping[str, str]: ...
    def home_of(self, environment: str) -> Path: ...
    def lost_state(self, workdir: Workdir) -> Path | None: ...
    def make_directory(self, path: Path) -> None: ...
    def exists(self, path: Path) -> bool: ...
    def digest(self, path: Path) -> str: ...
    def prune_runs(self, environment: str, *, before: datetime) -> None: ...


class Engines(Protocol):
    """terraform and tofu."""

    def candidates(
        self, configured: Collection[str], environ: Mapping[str, str]
    ) -> tuple[Candidate, ...]: ...
    def init(
        self,
        run: EngineRun,
        *,
        readonly_lock_file: bool,
        backend_config: Path | None,
        on_event: Callable[[EventLog], None],
    ) -> None: ...
    def get(self, run: EngineRun) -> None: ...
    def workspaces(self, run: EngineRun) -> frozenset[str]: ...
    def plan(
        self, run: EngineRun, *, out: Path, on_event: Callable[[EventLog], None]
    ) -> Planned: ...
    def show(self, run: EngineRun, *, plan: Path, out: Path) -> None: ...


class Shower(Protocol):
    """The engines again, where a saved plan is all that there is."""

    def show_into(
        self, run: EngineRun, *, plan: Path, descriptor: int, inherit: Sequence[int] = ()
    ) -> None: ...


class States(Protocol):
    """Where states lie."""

    def look(
        self, address: StateAddress, *, directory: Path, environ: Mapping[str, str]
    ) -> StateLook: ...
    def read(
        self, address: StateAddress, *, directory: Path, environ: Mapping[str, str]
    ) -> bytes | None: ...


class Identity(Protocol):
    """Who we are in the cloud."""

    def environ(
        self, credentials: Credentials | None, environ: Mapping[str, str]
    ) -> Mapping[str, str]: ...


class Plans(Protocol):
    """Saved plans, and the JSON that `show` made of them."""

    def read(self, path: Path, *, masks: Masks = ()) -> Plan: ...
    def digest(self, path: Path) -> str | None: ...


class WholePlans(Protocol):
    """Plans again, where they are to be applied."""

    def read_whole(self, path: Path, *, masks: Masks, secrets: Secrets) -> Plan:
        """With its settings, and its secrets sealed by ``secrets``: what a fingerprint needs. Two
        plans that were read with the same ones can be compared."""
        ...

    def redact(self, path: Path, to: Path, *, masks: Masks, secrets: Secrets) -> None:
        """The same document, in the engine's own spelling, without what is sensitive or masked.
        Raises `PlanError`."""
        ...

    def state_of(self, path: Path) -> tuple[str, int] | None:
        """Lineage and serial of the state that a saved plan was made on; None where only the
        engine can read it (an encrypted plan)."""
        ...


class Scratch(Protocol):
    """A private file without a name."""

    @property
    def descriptor(self) -> int: ...
    def mapped(self) -> AbstractContextManager[memoryview]: ...


class PlanFiles(Protocol):
    """Plans that somebody names, or that come through a pipe."""

    def opened(self, source: Path | int) -> AbstractContextManager[Opened]: ...
    def members(self, opened: Opened) -> Mapping[str, bytes]: ...
    def scratch(self) -> AbstractContextManager[Scratch]: ...


class Progress(Protocol):
    """Somebody who watches. Called from several threads."""

    def begin(self, total: int) -> None: ...
    def started(self, environment: str, doing: str) -> None: ...
    def refreshed(self, environment: str, resources: int) -> None: ...
    def applied(self, environment: str, resources: int) -> None: ...
    def finished(self, check: EnvironmentCheck) -> None: ...
    def note(self, text: str) -> None: ...


class Gate(Protocol):
    """Rules, policies and limits."""

    def rulings(
        self,
        order: Order,
        run: Run,
        report: PlanReport,
        judgement: Judgement,
        documents: PolicyDocuments,
    ) -> Rulings:
        """What they say of each change; ``judgement`` is the one without them. Whatever goes wrong
        is in ``broken``."""
        ...


class PolicyDocuments(Protocol):
    """The plan's JSON, as the engine spells it, for programs that read it from a file."""

    def redacted(self) -> Path:
        """Without its secrets. Raises what reading a plan raises."""
        ...

    def whole(self) -> Path:
        """With them; only for who was named in the configuration."""
        ...


class RegoEngines(Protocol):
    """opa, or conftest."""

    def verdicts(self, policy: RegoPolicy, *, plan: Path, about: About) -> tuple[Verdict, ...]:
        """What the policy finds in the plan. Raises `PolicyError` for anything but a whole answer
        of an engine that has just denied what it had to deny."""
        ...


class CheckPrograms(Protocol):
    """Any program that looks at a plan."""

    def verdicts(self, check: CheckProgram, *, plan: Path) -> tuple[Verdict, ...]:
        """What the check finds in the plan. Raises `PolicyError` where it did not answer."""
        ...


class Forge(Protocol):
    """One repository on a forge, as whoever the token says we are.

    Raises `ForgeError`: what it was about, what the forge answered, and which permission is
    lacking where that is what it is. Rate limits and passing failures are waited for inside,
    within a bound; an answer that was lost is not taken for a failure where a second try would
    write something twice.
    """

    def pull(self, number: int) -> Pull: ...
    def comments(self, number: int) -> tuple[Comment, ...]:
        """All of a pull request or an issue, the oldest first."""
        ...

    def comment(self, id: int) -> Comment | None:
        """One, as it is now. None: it is gone."""
        ...

    def add_comment(self, number: int, body: str) -> Comment: ...
    def edit_comment(self, id: int, body: str) -> Comment | None:
        """None: it is gone."""
        ...

    def delete_comment(self, id: int) -> None:
        """One that is gone already is fine."""
        ...

    def reacted(self, comment: int, reaction: str) -> bool:
        """Is this reaction there, of ours?"""
        ...

    def react(self, comment: int, reaction: str) -> bool:
        """False: this reaction of ours was there already, or the comment is gone. Where an answer
        was lost, it counts as new."""
        ...

    def set_labels(self, number: int, *, add: Collection[Label], remove: Collection[str]) -> None:
        """Of a pull request or an issue; the labels that are missing in the repository are made."""
        ...

    def publish_check(self, check: CheckRun) -> str:
        """Its address. The one of that name and ``external_id`` at that commit is updated."""
        ...

    def set_status(self, status: CommitStatus) -> None: ...
    def issues(self, label: str) -> tuple[Issue, ...]:
        """Those with that label, open or closed."""
        ...

    def open_issue(
        self, title: str, body: str, *, labels: Collection[Label], assignees: Collection[str]
    ) -> Issue:
        """An assignee who cannot be assigned is left out, not an error."""
        ...

    def edit_issue(
        self, number: int, *, title: str | None = None, body: str | None = None, open: bool
    ) -> Issue: ...
    def role_of(self, login: str) -> Role: ...


class Workflows(Protocol):
    """The forge's own automation, as far as we start it. Raises as `Forge` does."""

    def rerun(self, workflow: str, head: str) -> bool:
        """Run the last pull request's run of a workflow's file at that commit once more. False:
        there is none, or it has not ended yet."""
        ...

    def dispatch(self, workflow: str, ref: str, inputs: Mapping[str, str]) -> None: ...
    def merged_pulls_of(self, commit: str) -> tuple[int, ...]:
        """The numbers of the pull requests that brought a commit to where it is."""
        ...


class Clock(Protocol):
    """The moment, in UTC."""

    def __call__(self) -> datetime: ...


class Store(Protocol):
    """What is remembered: runs, approvals, restraints, run locks, and the audit trail.

    Every method that changes something takes the events that say so: both are written in one
    transaction, or neither. Several processes, on several machines with PostgreSQL, may use one.
    """

    def key(self) -> bytes:
        """What fingerprints and governing digests are sealed with; made with the store."""
        ...

    def save(self, run: Run, *events: Event) -> None:
        """Write a run, new or known. Raises `StoreError` for a move that `run.MOVES` forbids: then
        somebody else was faster."""
        ...

    def run(self, id: str) -> Run | None: ...
    def find(self, prefix: str) -> tuple[Run, ...]: ...
    def runs(
        self,
        *,
        environment: str | None = None,
        states: Collection[State] = (),
        limit: int = 50,
        before: str | None = None,
        reviews: bool = True,
    ) -> tuple[Run, ...]:
        """The latest first; ``before`` is the id of the last one seen; without ``reviews`` only
        those that say where an environment stands."""
        ...

    def latest(self) -> Mapping[str, Run]:
        """The last run of each environment that says where it stands: no review."""
        ...

    def last_converged(self, environment: str) -> Run | None:
        """The last run after which code and cloud were one: applied, or in sync without drift."""
        ...

    def forget(self, before: datetime) -> int:
        """Forget runs of before that moment that came to nothing (in sync, refused, failed before
        anything was applied, superseded), but for the last of each environment; how many. What
        was applied stays."""
        ...

    def approve(self, approval: Approval, *events: Event) -> None: ...
    def approvals(self, environment: str | None = None) -> tuple[Approval, ...]: ...
    def applied_at(self, binding: Binding) -> datetime | None:
        """When something was last applied that meant just this; None when it never was."""
        ...

    def restrain(self, restraint: Restraint, *events: Event) -> None: ...
    def lift(self, environment: str, why: Why, *events: Event) -> bool: ...
    def restraints(self, environment: str | None = None) -> tuple[Restraint, ...]: ...
    def note(self, *events: Event) -> None: ...

    def take(self, lease: Lease) -> Lease | None:
        """Take an environment's run lock. None: it is ours now. Else who has it. A lock whose
        heartbeat is older than ``lease.seconds`` is taken over."""
        ...

    def beat(self, lease: Lease) -> bool:
        """Still here; False when the lock was lost to somebody."""
        ...

    def free(self, lease: Lease) -> None: ...
    def leases(self) -> tuple[Lease, ...]: ...
    def add_key(self, name: str, digest: str, *events: Event) -> None: ...
    def remove_key(self, name: str, *events: Event) -> bool: ...
    def keys(self) -> Mapping[str, str]:
        """The approvers' keys: digest by name."""
        ...

    def entries(self) -> Iterator[Entry]: ...
    def entries_of(self, *kinds: str) -> tuple[Entry, ...]:
        """All entries of some kinds (`audit.KINDS`), without reading the others."""
        ...

    def head(self) -> Anchor | None: ...


class Artifacts(Protocol):
    """Evidence, by the digest of what it holds: saved plans, reports, anchors of the trail."""

    def put(self, data: bytes) -> str:
        """Keep it; its reference (``sha256-…``). The same bytes are kept once."""
        ...

    def put_file(self, path: Path) -> str: ...
    def get(self, reference: str) -> bytes:
        """Raises `ArtifactError` when it is not there, or is not what it was."""
        ...

    def get_file(self, reference: str, to: Path) -> None: ...
    def drop(self, reference: str) -> None:
        """Let go of it now."""
        ...

    def anchor(self, anchor: Anchor) -> None:
        """Keep the head of the trail; never over another one of that number."""
        ...

    def anchors(self) -> tuple[Anchor, ...]: ...
    def prune(self, *, before: datetime, keep: Collection[str]) -> int:
        """Remove what was put before that moment and is not to be kept; how many."""
        ...


class Appliers(Protocol):
    """The engine where it changes things."""

    def plan_to_apply(
        self,
        run: EngineRun,
        *,
        out: Path,
        refresh_only: bool,
        lock_timeout_seconds: int,
        on_event: Callable[[EventLog], None],
    ) -> Planned: ...
    def apply(
        self,
        run: EngineRun,
        *,
        plan: Path,
        log: Path,
        grace_seconds: float,
        on_event: Callable[[ApplyLog], None],
    ) -> ApplyEnd:
        """Apply a saved plan, its output in files beside ``log``, which outlive us."""
        ...

    def left(self, log: Path, *, on_event: Callable[[ApplyLog], None]) -> ApplyEnd | None:
        """How an apply ended that we did not see the end of: waits for it if it still runs, as
        long as nobody asks us to stop. None: it still runs."""
        ...


class Contents(Protocol):
    """What Git says of content, beside files."""

    def trees(
        self, source: Source, revision: Revision, paths: Collection[str]
    ) -> Mapping[str, str]:
        """Git's ids of directories and files of a revision, by path."""
        ...

    def at(self, source: Source, commit: str, *, ref: str | None = None) -> Revision:
        """A commit of the history of ``ref``, or of the source's own, laid out apart even where the
        source is planned in place. Raises `SourceError` when the history does not hold it."""
        ...

    def text(self, source: Source, revision: Revision, path: str) -> bytes | None:
        """A file of a revision; None where the commit holds none of that name."""
        ...

    def authors(
        self, source: Source, since: Iterable[str], to: Revision, paths: Collection[str]
    ) -> tuple[str, ...]:
        """E-mail addresses of who wrote (author and committer) what is in ``to`` and was not there
        before, as far as it changed one of the paths. ``since`` are commits that were applied, the
        latest first, of which the first counts that ``to`` does not go back behind; of all that
        ever did where there is none, or it is unknown."""
        ...
