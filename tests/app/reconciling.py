"""A `Reconciler` whose engine, Git and state are a few files, and whose memory is the real one.

The world is one JSON file: what the state records, what is really there, and how often the state
was written. The engine plans and applies it, slowly or badly where a test says so. Plans are real
plan JSON, read, assessed and fingerprinted by what reads every plan; the store is SQLite and the
artifacts lie on the disk. Several processes may share one directory.
"""

from __future__ import annotations

import hashlib
import itertools
import json
import os
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from driftctl_py.adapters.artifacts import LocalArtifacts
from driftctl_py.adapters.module_source import ModuleSource
from driftctl_py.adapters.plan_file import PlanFiles
from driftctl_py.adapters.store import Store
from driftctl_py.adapters.workers import Workers
from driftctl_py.app.applying import Applier
from driftctl_py.app.approvals import Approvals
from driftctl_py.app.deciding import Decider
from driftctl_py.app.holding import Holding
from driftctl_py.app.leases import Leases
from driftctl_py.app.order import Order
from driftctl_py.app.planning import Planner
from driftctl_py.app.ports import Gate, PolicyDocuments
from driftctl_py.app.preparation import Preparer, Settings
from driftctl_py.app.reconcile import Reconciler
from driftctl_py.app.recovery import Recovery
from driftctl_py.app.sharing import Sharing
from driftctl_py.app.tightening import Tightening
from driftctl_py.app.waiting import Waiting
from driftctl_py.core.apply_log import ApplyEnd, ApplyLog
from driftctl_py.core.approval import Identity, People
from driftctl_py.core.checkout import Checkout, Revision
from driftctl_py.core.decision import Judgement, Rulings
from driftctl_py.core.engine_choice import Candidate
from driftctl_py.core.engine_run import EngineRun, Planned, Workdir
from driftctl_py.core.environment import ApplyModes, Environment, Mode, Source
from driftctl_py.core.events import EventLog
from driftctl_py.core.module_facts import Backend, ModuleFacts
from driftctl_py.core.plan_report import PlanReport
from driftctl_py.core.run import Applied, Run
from driftctl_py.core.state import StateAddress
from driftctl_py.errors import Diagnostic, DriftctlError, SourceError

from .fakes import (
    TERRAFORM,
    FakeClock,
    FakeEngines,
    FakeIdentity,
    FakeProgress,
    FakeSources,
    FakeStates,
    FakeWorkdirs,
    planned,
)

ONE, TWO, THREE = "1" * 40, "2" * 40, "3" * 40
ADDRESS = "terraform_data.one"
ADA, GRACE = Identity("github:ada"), Identity("github:grace")
PEOPLE = People(
    {"ada": ("github:ada", "ada@example.com"), "grace": ("github:grace",)},
    {"owners": ("ada", "grace")},
)
RECORDED = json.dumps({"backend": {"type": "s3", "config": {"bucket": "b", "key": "k"}}}).encode()


def prod(git: Mode = Mode.NEVER, drift: Mode = Mode.NEVER, **more: Any) -> Environment:
    """The environment, under these switches."""
    modes = ApplyModes(git, drift)
    return replace(Environment("prod", "environments/prod", apply=modes), **more)


def revision(commit: str, **more: Any) -> Revision:
    return replace(Revision("default", "https://git.example.com/infra", "main", commit), **more)


@dataclass
class World:
    """One object, in a file. The code of a commit wants it to be what ``wants`` says, or else the
    commit itself."""

    path: Path
    wants: dict[str, str] = field(default_factory=dict)

    @property
    def now(self) -> dict[str, Any]:
        try:
            found: dict[str, Any] = json.loads(self.path.read_text())
        except FileNotFoundError:
            return {"lineage": "l1", "serial": 0, "state": None, "real": None}
        return found

    def becomes(self, **values: object) -> None:
        half = self.path.with_suffix(".half")
        half.write_text(json.dumps({**self.now, **values}))
        half.replace(self.path)

    @property
    def applied(self) -> list[str]:
        """All that was ever applied, in order."""
        log = self.path.with_suffix(".log")
        return log.read_text().splitlines() if log.exists() else []

    def apply(self, value: str) -> None:
        with self.path.with_suffix(".log").open("a") as log:
            log.write(f"{value}\n")
        self.becomes(state=value, real=value, serial=self.now["serial"] + 1)

    def plan(self, commit: str, *, refresh_only: bool = False) -> dict[str, Any]:
        """The JSON of a plan at that commit."""
        now, wanted = self.now, self.wants.get(commit, commit)
        real = now["real"]
        if refresh_only:
            wanted = real
        actions = ["no-op"] if real == wanted else ["create"] if real is None else ["update"]
        drift = []
        if now["state"] != real:
            drift = [_entry(["update"], now["state"], real)]
        return {
            "format_version": "1.2",
            "terraform_version": TERRAFORM.version,
            "applyable": actions != ["no-op"] or (refresh_only and bool(drift)),
            "complete": True,
            "errored": False,
            # One that only refreshes holds none.
            "resource_changes": [] if refresh_only else [_entry(actions, real, wanted)],
            "resource_drift": drift,
            "configuration": {
                "root_module": {
                    "resources": [
                        {
                            "address": ADDRESS,
                            "mode": "managed",
                            "type": "terraform_data",
                            "name": "one",
                            "provider_config_key": "terraform",
                            "expressions": {"input": {}},
                        }
                    ]
                }
            },
        }


def _entry(actions: list[str], before: str | None, after: str | None) -> dict[str, Any]:
    def shown(value: str | None) -> dict[str, str] | None:
        return None if value is None else {"input": value}

    return {
        "address": ADDRESS,
        "mode": "managed",
        "type": "terraform_data",
        "name": "one",
        "provider_name": "terraform.io/builtin/terraform",
        "change": {
            "actions": actions,
            "before": shown(before),
            "after": shown(after),
            "after_unknown": {},
            "before_sensitive": {},
            "after_sensitive": {},
        },
    }


class Engine(FakeEngines):
    """Plans and applies the world. ``before_apply`` runs before anything else of an apply does;
    ``ends`` are ends of applies that change nothing, ``lost`` what is found of an apply whose
    process is gone."""

    def __init__(self, world: World) -> None:
        super().__init__()
        self.world = world
        self.candidate = TERRAFORM
        self.before_apply: Callable[[Path], None] = lambda _log: None
        self.after_apply: Callable[[], None] = lambda: None
        self.ends: list[ApplyEnd | BaseException] = []
        self.lost: list[ApplyEnd | None] = []
        self.workspaces_used: list[str] = []

    def candidates(
        self, configured: Collection[str], environ: Mapping[str, str]
    ) -> tuple[Candidate, ...]:
        return (self.candidate,)

    def plan(self, run: EngineRun, *, out: Path, on_event: Callable[[EventLog], None]) -> Planned:
        self._call("plan", run)
        return self._planned(run, out, on_event)

    def plan_to_apply(
        self,
        run: EngineRun,
        *,
        out: Path,
        refresh_only: bool,
        lock_timeout_seconds: int,
        on_event: Callable[[EventLog], None],
    ) -> Planned:
        self._call("refresh" if refresh_only else "plan to apply", run)
        return self._planned(run, out, on_event, refresh_only=refresh_only)

    def _planned(
        self,
        run: EngineRun,
        out: Path,
        on_event: Callable[[EventLog], None],
        *,
        refresh_only: bool = False,
    ) -> Planned:
        if self.plans:
            answer = self.plans.pop(0)
            if isinstance(answer, DriftctlError):
                raise answer
            if answer.exit_code != 0:
                if answer.saved:
                    out.write_text("{}")
                return answer
        commit = (run.directory / "commit").read_text()
        plan = self.world.plan(commit, refresh_only=refresh_only)
        now = self.world.now
        out.write_text(
            json.dumps({"lineage": now["lineage"], "serial": now["serial"], "plan": plan})
        )
        on_event(EventLog(refreshed=1))
        drifted = bool(plan["resource_drift"])
        changes = any(each["change"]["actions"] != ["no-op"] for each in plan["resource_changes"])
        lines = [_event("resource_drift")] if drifted else []
        lines += [_event("planned_change")] if changes else []
        summary = {"add": 0, "change": int(changes), "remove": 0, "import": 0}
        lines.append(json.dumps({"type": "change_summary", "changes": summary}).encode())
        return planned(2 if changes or (refresh_only and drifted) else 0, *lines)

    def show(self, run: EngineRun, *, plan: Path, out: Path) -> None:
        self._call("show", run)
        out.write_text(json.dumps(json.loads(plan.read_text())["plan"]))

    def apply(
        self,
        run: EngineRun,
        *,
        plan: Path,
        log: Path,
        grace_seconds: float,
        on_event: Callable[[ApplyLog], None],
    ) -> ApplyEnd:
        self._call("apply", run)
        self.workspaces_used.append(run.environ["TF_WORKSPACE"])
        self.before_apply(log)
        log.write_bytes(b"")
        if self.ends:
            end = self.ends.pop(0)
            if isinstance(end, BaseException):
                raise end
            return end
        saved, now = json.loads(plan.read_text()), self.world.now
        if (saved["lineage"], saved["serial"]) != (now["lineage"], now["serial"]):
            stale = Diagnostic("error", "Saved plan is stale")
            return ApplyEnd(1, Applied(False), (stale,), stale=True, began=False)
        (entry,) = saved["plan"]["resource_changes"] or saved["plan"]["resource_drift"]
        wanted = entry["change"]["after"]["input"]
        self.world.apply(wanted)
        seen = ApplyLog()
        seen.read_lines(_applied_lines())
        on_event(seen)
        self.after_apply()
        return ApplyEnd(0, seen.applied)

    def left(self, log: Path, *, on_event: Callable[[ApplyLog], None]) -> ApplyEnd | None:
        self.calls.append(f"left {log.parent.name}")
        return self.lost.pop(0)


def _event(type_: str) -> bytes:
    change = {"resource": {"addr": ADDRESS}, "action": "update"}
    return json.dumps({"type": type_, "change": change}).encode()


def _applied_lines() -> Iterator[bytes]:
    hook = {"resource": {"addr": ADDRESS}, "action": "update"}
    yield json.dumps({"type": "apply_start", "hook": hook}).encode()
    yield json.dumps({"type": "apply_complete", "hook": hook}).encode()
    changes = {"add": 0, "change": 1, "remove": 0, "operation": "apply"}
    yield json.dumps({"type": "change_summary", "changes": changes}).encode()


def done(exit_code: int | None = 0, **more: Any) -> ApplyEnd:
    """An apply that went well."""
    return ApplyEnd(exit_code, Applied(True, (f"update {ADDRESS}",)), **more)


class Workdirs(FakeWorkdirs):
    """On the disk, since saved plans are kept from there."""

    def __init__(self, home: Path) -> None:
        super().__init__(module=ModuleFacts(backend=Backend("s3", {"bucket": "b", "key": "k"})))
        self.home = home
        self.recorded = RECORDED
        self.lost: Path | None = None
        self.pruned: list[datetime] = []

    def place(self, environment: Environment, checkout: Checkout) -> Workdir:
        placed = super().place(environment, checkout)
        home = self.home_of(environment.name)
        directory = home / "tree" / environment.path
        directory.mkdir(parents=True, exist_ok=True)
        return Workdir(home, directory, placed.source_directory, placed.root)

    def lay(self, workdir: Workdir, environment: Environment, revision: Revision) -> None:
        super().lay(workdir, environment, revision)
        (workdir.directory / "commit").write_text(revision.commit)

    def read(self, path: Path) -> bytes | None:
        return path.read_bytes() if path.exists() else None

    def remove(self, path: Path) -> None:
        super().remove(path)
        path.unlink(missing_ok=True)

    def digest(self, path: Path) -> str:
        return f"sha256-{hashlib.sha256(path.read_bytes()).hexdigest()}"

    def exists(self, path: Path) -> bool:
        return path.exists()

    def own_lock_file(self, workdir: Workdir) -> str | None:
        return self.lock

    def remote_modules(self, workdir: Workdir) -> Mapping[str, str]:
        return {}

    def home_of(self, environment: str) -> Path:
        return self.home / environment

    def lost_state(self, workdir: Workdir) -> Path | None:
        return self.lost

    def make_directory(self, path: Path) -> None:
        path.mkdir(parents=True, exist_ok=True)

    def prune_runs(self, environment: str, *, before: datetime) -> None:
        self.pruned.append(before)


class States(FakeStates):
    """The world's."""

    def __init__(self, world: World) -> None:
        super().__init__()
        self.world = world

    def read(
        self, address: StateAddress, *, directory: Path, environ: Mapping[str, str]
    ) -> bytes | None:
        return json.dumps({"version": 4, "resources": [], **self.world.now}).encode()


class Plans(PlanFiles):
    """Saved as the engine here saves them."""

    def state_of(self, path: Path) -> tuple[str, int] | None:
        saved = json.loads(path.read_text())
        return saved["lineage"], saved["serial"]


@dataclass
class Contents:
    """Every commit has one tree for each path, of its own unless ``same`` names another commit's;
    ``gone`` are no longer in the history."""

    same: dict[str, str] = field(default_factory=dict)
    gone: frozenset[str] = frozenset()
    wrote: dict[str, tuple[str, ...]] = field(default_factory=dict)
    config: bytes | None = None
    since: tuple[str, ...] = ()
    """The commits that were applied before, as it was told of them last."""

    def trees(
        self, source: Source, revision: Revision, paths: Collection[str]
    ) -> Mapping[str, str]:
        return {path: self.same.get(revision.commit, revision.commit) for path in paths}

    def at(self, source: Source, commit: str, *, ref: str | None = None) -> Revision:
        if commit in self.gone:
            raise SourceError(f"The history holds no commit {commit}.")
        return revision(commit)

    def authors(
        self, source: Source, since: Iterable[str], to: Revision, paths: Collection[str]
    ) -> tuple[str, ...]:
        self.since = tuple(since)
        return self.wrote.get(to.commit, ())

    def text(self, source: Source, revision: Revision, path: str) -> bytes | None:
        return self.config


class Rules:
    """A gate that says whatever ``said`` is."""

    said = Rulings()

    def rulings(
        self,
        order: Order,
        run: Run,
        report: PlanReport,
        judgement: Judgement,
        documents: PolicyDocuments,
    ) -> Rulings:
        return self.said


class Bench:
    """A reconciler on a bench, its world and its memory in reach."""

    def __init__(
        self,
        directory: Path,
        store: Store,
        *,
        worker: str = "ada:1",
        clock: Callable[[], datetime] | None = None,
        new_id: Callable[[], str] | None = None,
        people: People = PEOPLE,
        in_place: bool = False,
    ) -> None:
        self.world = World(directory / "world.json")
        self.store = store
        self.artifacts = LocalArtifacts(directory / "artifacts")
        self.engine = Engine(self.world)
        self.workdirs = Workdirs(directory / "data")
        self.sources = FakeSources({"default": frozenset()}, in_place=in_place, commit=ONE)
        self.contents = Contents()
        self.progress = FakeProgress()
        self.rules = Rules()
        self.gate: Gate = self.rules
        self.clock = clock or FakeClock()
        numbers = itertools.count(1)
        self.new_id = new_id or (lambda: f"run-{next(numbers):03}")
        self.people = people
        self.among: tuple[Environment, ...] = ()
        self.worker = worker
        # Was driftctl.yaml changed since this process read it?
        self.is_another: Callable[[], bool] = lambda: False
        self.settings = Settings(
            environ={"PATH": os.defpath},
            candidates=(TERRAFORM,),
            sources={"default": Source("default", "." if in_place else "https://git.example.com/")},
            secrets=frozenset({"hunter2!!"}),
        )
        self.workers = Workers(directory / "workers")

    @property
    def reconciler(self) -> Reconciler:
        """A new process, as it were."""
        settings = replace(self.settings, candidates=(self.engine.candidate,))
        store, artifacts, clock = self.store, self.artifacts, self.clock
        states = States(self.world)
        preparer = Preparer(
            sources=self.sources,
            workdirs=self.workdirs,
            engines=self.engine,
            states=states,
            identity=FakeIdentity(),
            clock=clock,
            progress=self.progress,
            settings=settings,
        )
        planner = Planner(
            preparer,
            sources=self.sources,
            workdirs=self.workdirs,
            engines=self.engine,
            appliers=self.engine,
            states=states,
            plans=Plans(),
            contents=self.contents,
            modules_of=lambda root: ModuleSource(root).of,
            progress=self.progress,
            settings=settings,
            key=store.key(),
        )
        applier = Applier(
            planner,
            appliers=self.engine,
            workdirs=self.workdirs,
            store=store,
            artifacts=artifacts,
            clock=clock,
            progress=self.progress,
            settings=settings,
            retention=timedelta(days=30),
        )
        decider = Decider(
            workdirs=self.workdirs,
            contents=self.contents,
            store=store,
            artifacts=artifacts,
            gate=self.gate,
            documents=planner.documents,
            people=self.people,
            clock=clock,
            sharing=Sharing(preparer, self.among, revision_of=lambda _each: revision(ONE)),
            settings=settings,
            is_another=lambda: self.is_another(),
        )
        return Reconciler(
            preparer,
            planner,
            decider,
            applier,
            leases=Leases(store, worker=self.worker, is_dead=self.workers.is_dead, clock=clock),
            recovery=Recovery(applier, store=store, clock=clock),
            waiting=Waiting(planner, store=store, artifacts=artifacts, clock=clock),
            tightening=Tightening(sources=self.sources, contents=self.contents, settings=settings),
            workdirs=self.workdirs,
            contents=self.contents,
            store=store,
            artifacts=artifacts,
            clock=clock,
            new_id=self.new_id,
            worker=self.worker,
            settings=settings,
        )

    @property
    def approvals(self) -> Approvals:
        return Approvals(self.store, people=self.people, clock=self.clock, new_id=self.new_id)

    @property
    def holding(self) -> Holding:
        return Holding(self.store, clock=self.clock, actor="os:ada")

    @property
    def runs(self) -> list[Run]:
        """The latest first."""
        return list(self.store.runs(environment="prod", limit=1000))

    @property
    def told(self) -> list[str]:
        """What the trail says happened."""
        return [entry.event.what for entry in self.store.entries()]

    def converged(self, commit: str = ONE) -> None:
        """Code and world are one, and the history knows."""
        self.world.becomes(state=commit, real=commit, serial=self.world.now["serial"] + 1)
        self.reconciler.reconcile(order(commit))
        self.engine.calls.clear()


def order(commit: str = ONE, environment: Environment | None = None, **more: Any) -> Order:
    """What a person or the loop asks for."""
    asked = Order(environment or prod(), revision(commit), "apply", "os:ada")
    return replace(asked, **more)
