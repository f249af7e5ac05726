"""A plan that may be applied: made under the state lock, read whole, with all that it rests on.

`check.py` plans to look; here a plan is made to be kept. So the state is locked meanwhile, its
secrets are sealed into a fingerprint, and what governs it is written down part by part. Whether
it may be applied is for `reconcile.py` to ask. A review wants the same plan without the lock.
"""

from __future__ import annotations

import posixpath
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from driftctl_py.app.ports import (
    Appliers,
    ApplyWorkdirs,
    Contents,
    Engines,
    Progress,
    Sources,
    States,
    WholePlans,
    Workdirs,
)
from driftctl_py.app.preparation import Prepared, Preparer, Settings
from driftctl_py.core.affected import Closure, closure_of
from driftctl_py.core.affected import Sources as ModuleFiles
from driftctl_py.core.engine_run import EngineRun, Planned, Workdir
from driftctl_py.core.environment import Environment
from driftctl_py.core.events import EventLog
from driftctl_py.core.governing import Governing, ruling_text, seal
from driftctl_py.core.known_secrets import hide, hide_in
from driftctl_py.core.plan_report import PlanReport, read_plan
from driftctl_py.core.remedy import remedy
from driftctl_py.core.run import Purpose
from driftctl_py.core.state import (
    LocalAddress,
    OtherAddress,
    StateAddress,
    StateLook,
    lineage_and_serial,
)
from driftctl_py.core.values import Secrets
from driftctl_py.errors import EngineError, SourceError, StateError, Untrusted

# How long a plan waits for a state that somebody else has locked, before it gives up.
LOCK_PATIENCE_SECONDS = 30


@dataclass(frozen=True, slots=True)
class Made:
    """A saved plan, and what is known of it. ``report`` is None where the event stream alone
    proved that there is nothing to show. ``digest`` is that of the saved plan as it was made,
    before anybody read it. ``lineage`` and ``serial`` are those of the state that it was made on:
    empty and None before there is one, or where only the engine can read it."""

    prepared: Prepared
    governing: Governing
    report: PlanReport | None = None
    lineage: str = ""
    serial: int | None = None
    warnings: tuple[str, ...] = ()
    digest: str = ""


@dataclass(frozen=True, slots=True)
class Documents:
    """`PolicyDocuments` of one plan, for as long as its directory is held."""

    planner: Planner
    prepared: Prepared

    def redacted(self) -> Path:
        return self.prepared.workdir.policy_plan

    def whole(self) -> Path:
        return self.planner.show_whole(self.prepared)


class Planner:
    """Makes plans, and reads those that were kept. The caller holds the environment's lock."""

    def __init__(
        self,
        preparer: Preparer,
        *,
        sources: Sources,
        workdirs: ApplyWorkdirs,
        engines: Engines,
        appliers: Appliers,
        states: States,
        plans: WholePlans,
        contents: Contents,
        modules_of: Callable[[Path], Callable[[str], ModuleFiles]],
        progress: Progress,
        settings: Settings,
        key: bytes,
    ) -> None:
        """``modules_of`` reads the directories of modules below the root of a checkout."""
        self._preparer = preparer
        self._sources = sources
        self._workdirs = workdirs
        self._engines = engines
        self._appliers = appliers
        self._states = states
        self._plans = plans
        self._contents = contents
        self._modules_of = modules_of
        self._progress = progress
        self._settings = settings
        self._key = key
        # One for all that is read here, so that any two plans can be compared.
        self._secrets = Secrets(key)

    def make_ready(self, prepared: Prepared) -> tuple[Governing, tuple[str, ...]]:
        """Lay it out and `init` where that is due; what governs it now, and what there is to warn
        of. Raises for what may be checked but never applied."""
        revision = prepared.revision
        if revision.dirty:
            raise SourceError(
                "The working tree holds changes that are in no commit, so what would be applied "
                "could never be named again.",
                todo="Commit or stash them (git status shows them, ignored variable files with "
                "--ignored), then plan again.",
            )
        address = prepared.backend.address
        if isinstance(address, LocalAddress) and not posixpath.isabs(address.path):
            raise StateError(
                f"{prepared.environment.name} keeps its state in {address}, below the checkout, "
                "where nothing is ever written; an apply could not record what it did.",
                todo="Configure state.s3 in driftctl.yaml, declare a remote backend, or give the "
                "local backend an absolute path.",
            )
        warnings = self._preparer.make_ready(prepared)
        closure = _closure(prepared.environment, self._modules_of(prepared.workdir.root))
        governing = self._governing(prepared, closure)
        return governing, (*warnings, *reads_anything(prepared.environment, closure))

    def plan(self, prepared: Prepared, *, refresh_only: bool = False) -> Made:
        """Plan, and read it. The saved plan stays where `Workdir.plan_file` says.

        Raises `EngineError` where no plan came about, `Untrusted` where one did that must not be
        believed.
        """
        governing, warnings = self.make_ready(prepared)
        planned = self._plan(prepared, refresh_only=refresh_only)
        return self._made(prepared, planned, governing, warnings, refresh_only=refresh_only)

    def look(self, prepared: Prepared) -> Made:
        """The same plan without the state's lock, beside whoever applies. Raises `Untrusted` where
        somebody holds that lock, or the state moved meanwhile."""
        governing, warnings = self.make_ready(prepared)
        address = self._preparer.recorded(prepared)
        if isinstance(address, OtherAddress):
            unseen = (
                f"Locks of {address} cannot be seen here: a plan that was made during somebody's "
                "apply is not noticed."
            )
            warnings = (*warnings, unseen)
        before = self._looked_at(prepared, address)
        planned = self._plan(prepared, refresh_only=False, locking=False)
        after = self._looked_at(prepared, address)
        if after.version != before.version:
            raise Untrusted(
                "The state changed while the plan was made, so the plan may be of neither.",
                todo=f"Review it again; {prepared.environment.name} is not affected.",
            )
        return self._made(prepared, planned, governing, warnings, refresh_only=False)

    def _looked_at(self, prepared: Prepared, address: StateAddress) -> StateLook:
        look = self._states.look(
            address,
            directory=prepared.workdir.source_directory,
            environ=prepared.run.environ,
        )
        if look.lock is not None:
            raise Untrusted(
                f"The state is locked by {look.lock}; what is planned meanwhile may be wrong.",
                todo="Review it again when it is free.",
            )
        return look

    def _made(
        self,
        prepared: Prepared,
        planned: Planned,
        governing: Governing,
        warnings: tuple[str, ...],
        *,
        refresh_only: bool,
    ) -> Made:
        if planned.exit_code == 1 and not planned.saved:
            raise self._no_plan(planned)
        if planned.exit_code == 1:
            raise Untrusted(
                "The plan is incomplete: the engine failed while it was made.",
                todo=remedy(planned.errors, self._settings.dropped)
                or "Mend what the engine names and plan again: driftctl-py plan "
                f"{prepared.environment.name}",
                diagnostics=hide_in(planned.errors, self._settings.secrets),
            )
        quiet = planned.exit_code == 0 and planned.log.quiet and not refresh_only
        digest = "" if quiet else self._workdirs.digest(prepared.workdir.plan_file)
        report = None if quiet else self._show(prepared)
        self._refuse_moved_tree(prepared)
        state = self._plans.state_of(prepared.workdir.plan_file)
        lineage, serial = state or ("", None)
        return Made(prepared, governing, report, lineage, serial, warnings, digest)

    def read(self, prepared: Prepared) -> PlanReport:
        """The saved plan that lies where `Workdir.plan_file` says."""
        return self._show(prepared)

    def state_now(self, prepared: Prepared) -> tuple[str, int] | None:
        """Lineage and serial of the state as it is; None where that cannot be seen, or where
        there is no state."""
        address = self._preparer.recorded(prepared)
        if isinstance(address, OtherAddress):
            return None
        state = self._states.read(
            address,
            directory=prepared.workdir.source_directory,
            environ=prepared.run.environ,
        )
        return None if state is None else lineage_and_serial(state)

    def has_something_left(self, prepared: Prepared) -> PlanReport | None:
        """What a plan finds to do after an apply; None: nothing at all. It takes no lock and is
        not kept."""
        run = pinned(prepared)
        self._progress.started(prepared.environment.name, "plan")
        planned = self._engines.plan(run, out=prepared.workdir.plan_file, on_event=_ignore)
        if planned.exit_code == 1:
            raise self._no_plan(planned)
        if planned.exit_code == 0 and planned.log.quiet:
            return None
        return self._show(prepared)

    def _plan(self, prepared: Prepared, *, refresh_only: bool, locking: bool = True) -> Planned:
        name, seen = prepared.environment.name, 0

        def watch(log: EventLog) -> None:
            nonlocal seen
            if log.refreshed != seen:
                seen = log.refreshed
                self._progress.refreshed(name, seen)

        def once() -> Planned:
            self._progress.started(name, "plan")
            if not locking:
                return self._engines.plan(
                    pinned(prepared), out=prepared.workdir.plan_file, on_event=watch
                )
            return self._appliers.plan_to_apply(
                pinned(prepared),
                out=prepared.workdir.plan_file,
                refresh_only=refresh_only,
                lock_timeout_seconds=LOCK_PATIENCE_SECONDS,
                on_event=watch,
            )

        planned = once()
        if planned.needs_init:
            self._preparer.init(prepared)
            planned = once()
        return planned

    def _show(self, prepared: Prepared) -> PlanReport:
        workdir = prepared.workdir
        self._progress.started(prepared.environment.name, "read")
        try:
            self._engines.show(pinned(prepared), plan=workdir.plan_file, out=workdir.plan_json)
            plan = self._plans.read_whole(
                workdir.plan_json, masks=self._settings.masks, secrets=self._secrets
            )
            if prepared.environment.policies:
                self._redact(workdir)
        finally:
            # It holds the state's secrets in the clear.
            self._workdirs.remove(workdir.plan_json)
        return read_plan(
            plan, name=prepared.environment.name, keyed=True, strict=self._settings.strict
        )

    def documents(self, prepared: Prepared) -> Documents:
        """The JSON of the saved plan that was read last."""
        return Documents(self, prepared)

    def show_whole(self, prepared: Prepared) -> Path:
        """The plan's JSON with its secrets; whoever asks sees to it that it does not stay."""
        workdir = prepared.workdir
        self._engines.show(pinned(prepared), plan=workdir.plan_file, out=workdir.plan_json)
        return workdir.plan_json

    def _redact(self, workdir: Workdir) -> None:
        self._plans.redact(
            workdir.plan_json,
            workdir.policy_plan,
            masks=self._settings.masks,
            secrets=self._secrets,
        )

    def _governing(self, prepared: Prepared, closure: Closure) -> Governing:
        environment, key = prepared.environment, self._key
        variables = {
            name: value
            for name, value in prepared.run.environ.items()
            if name.startswith("TF_VAR_")
        }
        given = [f"{name}={value}".encode() for name, value in sorted(variables.items())]
        lock_file = self._workdirs.own_lock_file(prepared.workdir) or ""
        backend = prepared.backend
        return Governing(
            engine=str(prepared.reported_engine),
            variables=seal(key, prepared.variables, *given),
            lock_file=seal(key, lock_file.encode()),
            backend=seal(key, str(backend.address).encode(), backend.settings_text.encode()),
            settings=seal(key, ruling_text(as_who_applies(environment))),
            trees=self._trees(prepared, closure),
            modules={
                name: seal(key, text.encode())
                for name, text in self._workdirs.remote_modules(prepared.workdir).items()
            },
        )

    def _trees(self, prepared: Prepared, closure: Closure) -> Mapping[str, str]:
        environment = prepared.environment
        source = self._settings.sources[environment.source]
        paths = content_paths(environment, prepared.facts, closure)
        return self._contents.trees(source, prepared.revision, paths)

    def _refuse_moved_tree(self, prepared: Prepared) -> None:
        """A tree that is planned as it lies may change meanwhile."""
        revision = prepared.revision
        if not revision.in_place:
            return
        now = self._sources.resolve(self._settings.sources[prepared.environment.source])
        if (now.commit, now.dirty) != (revision.commit, revision.dirty):
            raise Untrusted(
                "The working tree changed while it was planned, so the plan may be of neither.",
                todo=f"Plan again: driftctl-py plan {prepared.environment.name}",
            )

    def _no_plan(self, planned: Planned) -> EngineError:
        errors = hide_in(planned.errors, self._settings.secrets)
        first = errors[0].summary if errors else "the engine did not say why"
        return EngineError(
            f"No plan came about: {first.rstrip('.')}.",
            todo=remedy(errors, self._settings.dropped),
            diagnostics=errors,
        )


def _closure(environment: Environment, files_of: Callable[[str], ModuleFiles]) -> Closure:
    return closure_of("" if environment.path == "." else environment.path, files_of)


def reads_anything(environment: Environment, closure: Closure) -> tuple[str, ...]:
    """A warning where a module does not say what it reads. Not where the environment is the whole
    repository: then each commit governs anyway."""
    wheres = sorted(
        {each.where for each in closure.references if each.open_ended and not each.path}
    )
    if not wheres or environment.path == ".":
        return ()
    some = ", ".join(wheres[:3]) + (f" and {len(wheres) - 3} more" if len(wheres) > 3 else "")
    return (
        f"{some}: a file is read whose name is not said there, so any commit may change what is "
        "planned, and a yes is good for one commit only. Begin its path with ${path.module}.",
    )


def content_paths(
    environment: Environment, modules: Collection[str], closure: Closure
) -> frozenset[str]:
    """Of what in the repository a plan is made: the directories of its ``modules`` (named from the
    environment's), its var-files, and whatever else the modules read, or are by a link. The root
    (``.``) where that is not known: a commit then governs as a whole."""
    paths = {posixpath.normpath(posixpath.join(environment.path, each)) for each in modules}
    paths |= set(environment.var_files)
    for each in closure.references:
        # Of what only begins so, the directory.
        place = (posixpath.dirname(each.path) if each.open_ended else each.path) or "."
        if paths.isdisjoint((place, *_above(place))):
            paths.add(place)
    return frozenset(paths)


def _above(path: str) -> Iterator[str]:
    """The directories that it lies in."""
    yield "."
    while path := posixpath.dirname(path):
        yield path


@contextmanager
def in_directory(workdirs: Workdirs, prepared: Prepared) -> Iterator[None]:
    """Hold the environment's directory, and leave no plan in it."""
    workdir = prepared.workdir
    with workdirs.locked(workdir):
        try:
            yield
        finally:
            # They hold the state's secrets in the clear; the last one only what is not secret.
            for path in (workdir.plan_file, workdir.plan_json, workdir.policy_plan):
                workdirs.remove(path)


def fingerprint_of(report: PlanReport, purpose: Purpose) -> str:
    """What a plan means and is for: to record what is there means another thing than to change it,
    even where the two plans say the same."""
    return f"{'accept-' if purpose is Purpose.ACCEPT else ''}{report.fingerprint}"


def as_who_applies(environment: Environment) -> Environment:
    """The environment, planned as whoever applies it is. A review is made as somebody else, and is
    of what the other would apply."""
    applies_as = environment.apply_credentials or environment.plan_credentials
    return replace(environment, plan_credentials=applies_as)


def pinned(prepared: Prepared) -> EngineRun:
    """How the engine is run there: always in the environment's own workspace, since an engine
    applies a saved plan to whichever workspace happens to be selected (reference, section 3)."""
    run, workspace = prepared.run, prepared.environment.workspace
    return replace(run, environ={**run.environ, "TF_WORKSPACE": workspace})


def told_safely(error: EngineError, settings: Settings) -> EngineError:
    """The same error without what must not be quoted."""
    return type(error)(
        hide(error.what, settings.secrets),
        todo=error.todo or remedy(error.diagnostics, settings.dropped),
        diagnostics=hide_in(error.diagnostics, settings.secrets),
    )


def _ignore(_log: EventLog) -> None:
    return None
