"""One read-only pass over one environment: the file to read first.

`prepare` lays the checkout out and decides about engine and backend; `check` plans and reads the
plan. Nothing here changes anything: the plan takes no lock, `init` upgrades nothing, no workspace
is created, and the state is only looked at.
"""

from __future__ import annotations

import json
import os.path
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from threading import Lock

from driftctl_py.app.ports import (
    Clock,
    Engines,
    Identity,
    PlanReader,
    Progress,
    Sources,
    States,
    Workdirs,
)
from driftctl_py.core.assessment import Assessment, assess, nothing
from driftctl_py.core.check import (
    Assessed,
    Engine,
    EnvironmentCheck,
    Failed,
    Outcome,
    Unknown,
)
from driftctl_py.core.checkout import Checkout, Revision
from driftctl_py.core.engine_choice import Candidate, Chosen, choose
from driftctl_py.core.engine_run import EngineRun, Memory, Planned, Workdir, init_key
from driftctl_py.core.environment import Environment, Source
from driftctl_py.core.events import EventLog
from driftctl_py.core.known_secrets import hide, hide_in
from driftctl_py.core.module_facts import ModuleFacts
from driftctl_py.core.state import (
    BackendPlan,
    LocalAddress,
    LockHolder,
    OtherAddress,
    StateAddress,
    StateLook,
    compare_addresses,
    plan_backend,
    provider_hosts,
    recorded_address,
)
from driftctl_py.errors import Diagnostic, EngineError, SourceError, StateError

_REGISTRY_OF = {"registry.opentofu.org": "tofu", "registry.terraform.io": "terraform"}
# What a backend block may say without changing where its state is, or as whom it is read.
_PLAIN = frozenset(
    {
        *("bucket", "key", "region", "workspace_key_prefix", "path"),
        *("encrypt", "kms_key_id", "acl", "use_lockfile", "dynamodb_table", "max_retries"),
    }
)
_NO_PROVIDER = re.compile(
    r"Failed to (query available|resolve|install) provider|Invalid provider registry host"
)
_TITLE = {"terraform": "Terraform", "tofu": "OpenTofu"}


@dataclass(frozen=True, slots=True)
class Settings:
    """What holds for every environment of one check.

    ``programs`` says where the programs are that the configuration names by a path of its own.
    ``environ`` is the engine's environment before the environment's own variables; ``dropped``
    names what the caller had set but the engine does not get. ``init_lock`` is held around each
    `init` when a provider cache is shared (Terraform's is not safe for two at once). ``secrets``
    are values that must not be quoted, whoever says them.
    """

    environ: Mapping[str, str]
    candidates: tuple[Candidate, ...]
    sources: Mapping[str, Source]
    strict: bool = False
    dropped: frozenset[str] = frozenset()
    init_lock: Path | None = None
    secrets: frozenset[str] = frozenset()
    programs: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Prepared:
    """An environment laid out, with everything decided that a plan needs."""

    environment: Environment
    revision: Revision
    workdir: Workdir
    memory: Memory
    engine: Chosen
    backend: BackendPlan
    facts: Mapping[str, ModuleFacts]
    run: EngineRun
    init_key: str
    readonly_lock_file: bool
    started_at: datetime

    @property
    def reported_engine(self) -> Engine:
        candidate = self.engine.candidate
        return Engine(candidate.family, candidate.version, self.engine.why)

    @property
    def state_id(self) -> str:
        """The same for two environments exactly when they share a state, as far as can be told
        before `init`; empty when it cannot."""
        address = self.backend.address
        if isinstance(address, LocalAddress):
            return os.path.normpath(self.workdir.source_directory / address.path)
        return "" if isinstance(address, OtherAddress) else str(address)

    @property
    def knows_its_state(self) -> bool:
        """Whether the address says all that it takes to read the state. What an environment
        declares beyond it (an endpoint, a role of its own) only `init` can tell."""
        if isinstance(self.backend.address, OtherAddress):
            return False
        declared = self.facts["."].backend
        return declared is None or declared.names <= _PLAIN

    @property
    def floating(self) -> tuple[str, ...]:
        """Module calls whose source may mean other code tomorrow."""
        return tuple(
            sorted(
                f"module.{call.name}"
                for module in self.facts.values()
                for call in module.modules
                if call.is_floating
            )
        )


@dataclass(slots=True)
class _Notes:
    """What is worth telling beside the verdict."""

    warnings: list[str] = field(default_factory=list)


class Checker:
    """Checks environments, one at a time; several threads may use one."""

    def __init__(
        self,
        *,
        sources: Sources,
        workdirs: Workdirs,
        engines: Engines,
        states: States,
        identity: Identity,
        read_plan: PlanReader,
        clock: Clock,
        progress: Progress,
        settings: Settings,
    ) -> None:
        self._sources = sources
        self._workdirs = workdirs
        self._engines = engines
        self._states = states
        self._identity = identity
        self._read_plan = read_plan
        self._clock = clock
        self._progress = progress
        self._settings = settings
        self._checkouts: dict[tuple[str, Revision], Checkout] = {}
        self._guard = Lock()

    def prepare(self, environment: Environment, revision: Revision) -> Prepared:
        """Lay the environment out and decide about engine and backend. Starts no engine."""
        started_at = self._clock()
        checkout = self._checkout(environment.source, revision)
        workdir = self._workdirs.lay(environment, checkout)
        memory = self._workdirs.remember(workdir)
        facts = self._workdirs.facts(workdir)
        root = facts["."]
        use = environment.engine.use
        engine = choose(
            replace(environment.engine, use=self._settings.programs.get(use, use)),
            self._workdirs.hints(workdir, root),
            self._settings.candidates,
            remembered=memory.family or None,
        )
        backend = plan_backend(environment, root, engine.candidate)
        if isinstance(backend.address, LocalAddress) and not revision.in_place:
            raise StateError(
                f"{environment.name} keeps its state in a local file, which a checkout of "
                f"{revision.display_url} does not hold: everything would be planned as new.",
                todo="Declare a remote backend, or configure state.s3 in driftctl.yaml.",
            )
        run = self._engine_run(environment, workdir, engine.candidate)
        lock_file = self._workdirs.lock_file(workdir)
        return Prepared(
            environment=environment,
            revision=revision,
            workdir=workdir,
            memory=memory,
            engine=engine,
            backend=backend,
            facts=facts,
            run=run,
            init_key=init_key(engine.candidate, backend, facts, lock_file, run.environ),
            readonly_lock_file=lock_file is not None,
            started_at=started_at,
        )

    def _checkout(self, source: str, revision: Revision) -> Checkout:
        # Once for all environments of a revision: in place it lists the whole work tree.
        with self._guard:
            known = self._checkouts.get((source, revision))
        if known is None:
            known = self._sources.checkout(self._settings.sources[source], revision)
            with self._guard:
                self._checkouts[source, revision] = known
        return known

    def check(self, prepared: Prepared) -> EnvironmentCheck:
        """Plan and assess. Raises our errors where no plan came about."""
        notes = _Notes()
        with self._workdirs.locked(prepared.workdir):
            try:
                outcome = self._outcome(prepared, notes)
            except EngineError as error:
                raise self._without_secrets(error) from error
            finally:
                # Both hold the state's secrets in the clear.
                self._workdirs.remove(prepared.workdir.plan_file)
                self._workdirs.remove(prepared.workdir.plan_json)
        now = self._clock()
        return EnvironmentCheck(
            environment=prepared.environment.name,
            path=prepared.environment.path,
            outcome=outcome,
            checked_at=now,
            duration_seconds=(now - prepared.started_at).total_seconds(),
            revision=prepared.revision,
            engine=prepared.reported_engine,
            warnings=tuple(notes.warnings),
        )

    def _outcome(self, prepared: Prepared, notes: _Notes) -> Outcome:
        self._make_ready(prepared, notes)
        address = self._recorded(prepared)
        compare_addresses(prepared.backend.address, address)
        self._check_workspace(prepared, address)
        before = self._look(prepared, address, notes)
        if before.lock is not None:
            return _locked(prepared.environment, before.lock)
        planned = self._plan(prepared)
        after = self._look(prepared, address, _Notes())
        if planned.exit_code == 1 and not planned.saved:
            return self._no_plan(planned)
        notes.warnings.extend(hide(text, self._settings.secrets) for text in _told(planned.log))
        if after.lock is not None:
            return _locked(prepared.environment, after.lock)
        if after.version != before.version:
            return Unknown(
                "The state changed while the plan was made, so the plan may be of neither.",
                todo=f"Check again: driftctl-py check {prepared.environment.name}",
            )
        return self._assess(prepared, planned)

    def _make_ready(self, prepared: Prepared, notes: _Notes) -> None:
        """`init`, and `get -update` for floating modules, where they are due."""
        self._workdirs.set_override(prepared.workdir, prepared.backend.override)
        due = prepared.memory.init_key != prepared.init_key
        if prepared.floating and not due:
            self._engines.get(prepared.run)
        if due:
            self._init(prepared)
            if prepared.floating:
                self._engines.get(prepared.run)
        if prepared.floating:
            notes.warnings.append(
                f"{', '.join(prepared.floating)}: the source is not pinned, so it was fetched "
                "again and may mean other code at every check. Pin a version or a tag."
            )

    def _init(self, prepared: Prepared) -> None:
        self._progress.started(prepared.environment.name, "init")
        workdir = prepared.workdir
        settings = prepared.backend.settings_text
        if not prepared.readonly_lock_file:
            self._workdirs.forget_own_lock_file(workdir)
        backend_config = None
        if settings:
            backend_config = self._workdirs.write(
                workdir.home / "driftctl.tfbackend", settings.encode()
            )
        # Before `init` where it can be: that would fetch the other engine's providers, and tries
        # a bucket that is not there, or not ours, long and says little.
        known = prepared.knows_its_state
        if known:
            self._refuse_foreign_state(prepared, prepared.backend.address)
        if self._settings.init_lock is None:
            self._run_init(prepared, backend_config)
        else:
            with self._workdirs.exclusive(self._settings.init_lock):
                self._run_init(prepared, backend_config)
        if not known:
            self._refuse_foreign_state(prepared, self._recorded(prepared))
        memory = self._workdirs.remember(workdir)
        self._workdirs.save(
            workdir,
            replace(memory, init_key=prepared.init_key, family=prepared.engine.candidate.family),
        )

    def _run_init(self, prepared: Prepared, backend_config: Path | None) -> None:
        self._engines.init(
            prepared.run,
            readonly_lock_file=prepared.readonly_lock_file,
            backend_config=backend_config,
            on_event=lambda _log: None,
        )

    def _recorded(self, prepared: Prepared) -> StateAddress:
        return recorded_address(
            self._workdirs.recorded_backend(prepared.workdir), prepared.environment.workspace
        )

    def _refuse_foreign_state(self, prepared: Prepared, address: StateAddress) -> None:
        """Once per `init`: a state whose providers come from the other engine's registry is not
        planned under `engine: auto`, because the first apply would hand it over for good."""
        # Read in any case: what keeps us from it is better said than the engine says it.
        state = self._states.read(
            address,
            directory=prepared.workdir.source_directory,
            environ=prepared.run.environ,
        )
        asked_for = prepared.environment.engine.use != "auto" or prepared.memory.family
        if state is None or asked_for:
            return
        family = prepared.engine.candidate.family
        wrote = {_REGISTRY_OF[host] for host in provider_hosts(state) if host in _REGISTRY_OF}
        if wrote and family not in wrote:
            other = _TITLE[next(iter(wrote))]
            raise EngineError(
                f"The state was written by {other}, but {prepared.engine.candidate.title} was "
                f"chosen ({prepared.engine.why}).",
                todo=f"Install {other}, or set engine: {family} to hand the state over on purpose.",
            )

    def _check_workspace(self, prepared: Prepared, address: StateAddress) -> None:
        """A plan in a workspace that does not exist would create it, an empty state included."""
        environment = prepared.environment
        if environment.workspace == "default":
            return
        if isinstance(address, OtherAddress):
            there = environment.workspace in self._engines.workspaces(prepared.run)
        else:
            there = self._look(prepared, address, _Notes()).exists is not False
        if not there:
            raise StateError(
                f"The workspace {environment.workspace} does not exist in {address}; planning "
                "there would create it.",
                todo=f"Correct `workspace`, or create it: {prepared.engine.candidate.family} "
                f"workspace new {environment.workspace}",
            )

    def _look(self, prepared: Prepared, address: StateAddress, notes: _Notes) -> StateLook:
        if isinstance(address, OtherAddress):
            notes.warnings.append(
                f"Locks of {address} cannot be seen here: a plan that was made during somebody's "
                "apply is not noticed."
            )
        return self._states.look(
            address,
            directory=prepared.workdir.source_directory,
            environ=prepared.run.environ,
        )

    def _plan(self, prepared: Prepared) -> Planned:
        name, workdir = prepared.environment.name, prepared.workdir
        run = prepared.run
        if prepared.environment.workspace != "default":
            run = replace(
                run, environ={**run.environ, "TF_WORKSPACE": prepared.environment.workspace}
            )
        self._progress.started(name, "plan")
        seen = 0

        def watch(log: EventLog) -> None:
            nonlocal seen
            if log.refreshed != seen:
                seen = log.refreshed
                self._progress.refreshed(name, seen)

        planned = self._engines.plan(run, out=workdir.plan_file, on_event=watch)
        if planned.needs_init:
            self._init(prepared)
            self._progress.started(name, "plan")
            planned = self._engines.plan(run, out=workdir.plan_file, on_event=watch)
        return planned

    def _assess(self, prepared: Prepared, planned: Planned) -> Outcome:
        if planned.exit_code == 0 and planned.log.quiet:
            return Assessed(nothing(), quiet=True)
        self._progress.started(prepared.environment.name, "read")
        workdir = prepared.workdir
        assessment: Assessment | None
        try:
            self._engines.show(prepared.run, plan=workdir.plan_file, out=workdir.plan_json)
            assessment = assess(self._read_plan(workdir.plan_json), strict=self._settings.strict)
        except EngineError:
            if planned.exit_code != 1:
                raise
            assessment = None  # what failed half-way often cannot be shown either
        if planned.exit_code == 1:
            return Unknown(
                "The plan is incomplete: the engine failed while it was made.",
                todo=self._remedy(planned.errors)
                or "Mend what the engine names and check again: driftctl-py check "
                f"{prepared.environment.name}",
                assessment=assessment,
                diagnostics=hide_in(planned.errors, self._settings.secrets),
            )
        assert assessment is not None  # noqa: S101 - for the type checker
        if not assessment.complete:
            return Unknown(
                f"The plan is incomplete: {assessment.incomplete_reason}",
                assessment=assessment,
            )
        return Assessed(assessment)

    def _no_plan(self, planned: Planned) -> Failed:
        errors = hide_in(planned.errors, self._settings.secrets)
        first = errors[0].summary if errors else "the engine did not say why"
        return Failed(
            f"No plan came about: {first.rstrip('.')}.",
            todo=self._remedy(errors),
            diagnostics=errors,
        )

    def _without_secrets(self, error: EngineError) -> EngineError:
        secrets = self._settings.secrets
        return EngineError(
            hide(error.what, secrets),
            todo=error.todo or self._remedy(error.diagnostics),
            diagnostics=hide_in(error.diagnostics, secrets),
        )

    def _remedy(self, errors: tuple[Diagnostic, ...]) -> str:
        """What we know to do about an engine's error that the engine does not say itself."""
        for error in errors:
            if error.summary == "No value for required variable":
                match = re.search(r'variable "([^"]+)"', error.detail)
                name = match[1] if match else "NAME"
                if f"TF_VAR_{name}" in self._settings.dropped:
                    return (
                        f"TF_VAR_{name} is set here but not passed on to the engine. Add it to "
                        "`pass_env` in driftctl.yaml."
                    )
                return f"Set it under `variables` or `var_files` in driftctl.yaml ({name})."
            if _NO_PROVIDER.search(error.summary):
                return (
                    "Check the provider's source and the network, or name a directory that holds "
                    "it: engine.provider_mirror in driftctl.yaml."
                )
        return ""

    def _engine_run(
        self, environment: Environment, workdir: Workdir, candidate: Candidate
    ) -> EngineRun:
        var_files = []
        for name in environment.var_files:
            path = workdir.root / name
            if not path.is_file():
                raise SourceError(
                    f"The var-file {name} of {environment.name} is not in the source.",
                    todo="Correct `var_files`; paths are relative to the repository's root.",
                )
            var_files.append(path)
        if environment.variables:
            text = json.dumps(environment.variables, default=str, sort_keys=True)
            path = workdir.home / "driftctl.tfvars.json"
            var_files.append(self._workdirs.write(path, text.encode()))
        environ = self._identity.environ(
            environment.plan_credentials, {**self._settings.environ, **environment.env}
        )
        return EngineRun(
            candidate=candidate,
            directory=workdir.directory,
            environ={**environ, "TF_DATA_DIR": str(workdir.data)},
            timeout_seconds=environment.plan_timeout_seconds,
            var_files=tuple(var_files),
            init_var_files=tuple(var_files) if candidate.evaluates_early else (),
            parallelism=environment.parallelism,
        )


def _locked(environment: Environment, holder: LockHolder) -> Unknown:
    return Unknown(
        f"The state is locked by {holder}; what is planned meanwhile may be wrong.",
        todo=f"Check again when it is free: driftctl-py check {environment.name}",
    )


def _told(log: EventLog) -> tuple[str, ...]:
    return tuple(
        f"{item.address + ': ' if item.address else ''}{item.summary}"
        + (f" ({item.where})" if item.where else "")
        for item in log.warnings
    )
