"""Ten-line stand-ins for the outside world, each with a list in it."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from driftctl_py.core.check import EnvironmentCheck
from driftctl_py.core.checkout import Checkout, Revision
from driftctl_py.core.engine_choice import Candidate, Hints
from driftctl_py.core.engine_run import EngineRun, Memory, Planned, Workdir
from driftctl_py.core.environment import Credentials, Environment, Source
from driftctl_py.core.events import EventLog
from driftctl_py.core.masks import Masks
from driftctl_py.core.module_facts import ModuleFacts
from driftctl_py.core.plan import Plan
from driftctl_py.core.state import StateAddress, StateLook
from driftctl_py.errors import Diagnostic, DriftctlError

TERRAFORM = Candidate("terraform", "1.11.4", "/bin/terraform")
COMMIT = "77b0de4" + "0" * 33
QUIET = b'{"type":"change_summary","changes":{"add":0,"change":0,"remove":0,"import":0}}'
LOUD = b'{"type":"change_summary","changes":{"add":1,"change":0,"remove":0,"import":0}}'
WARNING = (
    b'{"type":"diagnostic","diagnostic":{"severity":"warning","summary":"Deprecated hunter2!!",'
    b'"address":"x.y","range":{"filename":"main.tf","start":{"line":3}}}}'
)


def planned(exit_code: int, *lines: bytes, saved: bool = True, needs_init: bool = False) -> Planned:
    log = EventLog().read_lines(lines)
    return Planned(exit_code, log, log.errors, saved, needs_init)


def failed(summary: str, detail: str = "") -> Planned:
    errors = (Diagnostic("error", summary, detail),)
    return Planned(1, EventLog(), errors, saved=False)


@dataclass
class FakeSources:
    trees: dict[str, frozenset[str] | DriftctlError]
    in_place: bool = False
    becomes_dirty: bool = False
    commit: str = COMMIT
    resolved: list[tuple[str, str | None]] = field(default_factory=list)
    pruned: list[Collection[tuple[str, str]]] = field(default_factory=list)

    def resolve(self, source: Source, ref: str | None = None) -> Revision:
        self.resolved.append((source.name, ref))
        tree = self.trees[source.name]
        if isinstance(tree, DriftctlError):
            raise tree
        dirty = self.becomes_dirty and self.resolved.count((source.name, ref)) > 1
        return Revision(
            source.name, source.url, ref or "main", self.commit, dirty=dirty, in_place=self.in_place
        )

    def files(self, source: Source, revision: Revision) -> frozenset[str]:
        tree = self.trees[source.name]
        assert isinstance(tree, frozenset)
        return tree

    def checkout(self, source: Source, revision: Revision) -> Checkout:
        return Checkout(revision, Path("/checkout"))

    def prune(self, in_use: Collection[tuple[str, str]]) -> None:
        self.pruned.append(in_use)


@dataclass
class FakeWorkdirs:
    module: ModuleFacts = field(default_factory=ModuleFacts)
    recorded: bytes | None = None
    lock: str | None = None
    memory: dict[Path, Memory] = field(default_factory=dict)
    written: dict[Path, bytes] = field(default_factory=dict)
    removed: list[Path] = field(default_factory=list)
    refused: dict[str, DriftctlError] = field(default_factory=dict)
    bugs: frozenset[str] = frozenset()
    laid: list[str] = field(default_factory=list)
    copied: list[str] = field(default_factory=list)
    there: frozenset[str] = frozenset()
    providers: frozenset[str] = frozenset()

    def place(self, environment: Environment, checkout: Checkout) -> Workdir:
        if environment.name in self.bugs:
            raise ZeroDivisionError
        if environment.name in self.refused:
            raise self.refused[environment.name]
        home = Path("/data") / environment.name
        source = Path(checkout.root) / environment.path
        return Workdir(home, home / "tree" / environment.path, source, Path(checkout.root))

    def lay(self, workdir: Workdir, environment: Environment, revision: Revision) -> None:
        self.laid.append(environment.name)

    def copy_state(self, workdir: Workdir, path: str) -> Path | None:
        self.copied.append(path)
        self.laid.append(path)
        return None

    def drop_state(self, workdir: Workdir, path: str) -> None:
        self.copied.remove(path)

    def remember(self, workdir: Workdir) -> Memory:
        return self.memory.get(workdir.home, Memory())

    def save(self, workdir: Workdir, memory: Memory) -> None:
        self.memory[workdir.home] = memory

    def read(self, path: Path) -> bytes | None:
        return self.written.get(path)

    def write(self, path: Path, data: bytes) -> Path:
        self.written[path] = data
        return path

    def remove(self, path: Path) -> None:
        self.removed.append(path)

    def facts(self, workdir: Workdir) -> dict[str, ModuleFacts]:
        return {".": self.module}

    def hints(self, workdir: Workdir, facts: ModuleFacts) -> Hints:
        return Hints(lock_file=self.lock)

    def source_file(self, workdir: Workdir, name: str) -> Path | None:
        return workdir.root / name if name in self.there else None

    def lock_file(self, workdir: Workdir) -> str | None:
        return self.lock

    def forget_own_lock_file(self, workdir: Workdir) -> None:
        self.removed.append(workdir.directory / ".terraform.lock.hcl")

    def set_override(self, workdir: Workdir, text: str | None) -> None:
        if text is not None:
            self.written[workdir.directory / "override.tf"] = text.encode()

    def installed_providers(self, workdir: Workdir) -> frozenset[str]:
        return self.providers

    def forget_providers(self, workdir: Workdir) -> None:
        self.removed.append(workdir.data / "providers")

    def recorded_backend(self, workdir: Workdir) -> bytes | None:
        return self.recorded

    @contextmanager
    def locked(self, workdir: Workdir) -> Iterator[None]:
        yield

    @contextmanager
    def exclusive(self, path: Path) -> Iterator[None]:
        yield


@dataclass
class FakeEngines:
    plans: list[Planned | DriftctlError] = field(default_factory=list)
    bug_once: bool = False
    calls: list[str] = field(default_factory=list)
    environs: list[Mapping[str, str]] = field(default_factory=list)
    there: frozenset[str] = frozenset({"default"})
    fails: dict[str, DriftctlError] = field(default_factory=dict)

    def candidates(
        self, configured: Collection[str], environ: Mapping[str, str]
    ) -> tuple[Candidate, ...]:
        return (TERRAFORM,)

    def init(
        self,
        run: EngineRun,
        *,
        readonly_lock_file: bool,
        backend_config: Path | None,
        on_event: Callable[[EventLog], None],
    ) -> None:
        self._call("init", run)

    def get(self, run: EngineRun) -> None:
        self._call("get", run)

    def workspaces(self, run: EngineRun) -> frozenset[str]:
        self._call("workspaces", run)
        return self.there

    def plan(self, run: EngineRun, *, out: Path, on_event: Callable[[EventLog], None]) -> Planned:
        self._call("plan", run)
        if self.bug_once:
            self.bug_once = False
            raise ZeroDivisionError
        answer = self.plans.pop(0) if self.plans else planned(0, QUIET)
        if isinstance(answer, DriftctlError):
            raise answer
        on_event(EventLog(refreshed=2))
        return answer

    def show(self, run: EngineRun, *, plan: Path, out: Path) -> None:
        self._call("show", run)

    def _call(self, name: str, run: EngineRun) -> None:
        self.calls.append(name)
        self.environs.append(run.environ)
        if name in self.fails:
            raise self.fails[name]


@dataclass
class FakeStates:
    looks: list[StateLook] = field(default_factory=list)
    state: bytes | None = None

    def look(
        self, address: StateAddress, *, directory: Path, environ: Mapping[str, str]
    ) -> StateLook:
        return self.looks.pop(0) if self.looks else StateLook("1")

    def read(
        self, address: StateAddress, *, directory: Path, environ: Mapping[str, str]
    ) -> bytes | None:
        return self.state


class FakeIdentity:
    def environ(
        self, credentials: Credentials | None, environ: Mapping[str, str]
    ) -> Mapping[str, str]:
        profile = credentials.profile if credentials else None
        return {**environ, "AWS_PROFILE": profile} if profile else environ


@dataclass
class FakeProgress:
    seen: list[str] = field(default_factory=list)

    def begin(self, total: int) -> None:
        self.seen.append(f"begin {total}")

    def started(self, environment: str, doing: str) -> None:
        self.seen.append(f"{environment}: {doing}")

    def refreshed(self, environment: str, resources: int) -> None:
        self.seen.append(f"{environment}: {resources} refreshed")

    def applied(self, environment: str, resources: int) -> None:
        self.seen.append(f"{environment}: {resources} applied")

    def finished(self, check: EnvironmentCheck) -> None:
        self.seen.append(f"{check.environment}: {check.verdict.value}")

    def note(self, text: str) -> None:
        self.seen.append(text)


class FakeClock:
    """A second passes each time that somebody looks."""

    def __init__(self) -> None:
        self.now = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)

    def __call__(self) -> datetime:
        self.now += timedelta(seconds=1)
        return self.now


class FakeStop:
    def __init__(self) -> None:
        self.please = False

    def ask(self) -> None:
        self.please = True


@dataclass
class FakePlans:
    plan: Plan = field(
        default_factory=lambda: Plan(engine_version="1.11.4", complete=True, applyable=False)
    )
    bytes_of_it: str | None = None
    masks: list[Masks] = field(default_factory=list)

    def read(self, path: Path, *, masks: Masks = ()) -> Plan:
        self.masks.append(masks)
        return self.plan

    def digest(self, path: Path) -> str | None:
        return self.bytes_of_it
