"""Making one environment ready to be planned: laid out, with engine, backend and state decided.

`prepare` starts no engine, so that two environments on one state are found before either is
planned. `make_ready` runs `init` where it is due, and refuses what must not be planned.
"""

from __future__ import annotations

import json
import os.path
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from threading import Lock

from driftctl_py.app.ports import (
    Clock,
    Engines,
    Identity,
    Progress,
    Sources,
    States,
    Workdirs,
)
from driftctl_py.core.check import Engine
from driftctl_py.core.checkout import Checkout, Revision
from driftctl_py.core.engine_choice import TITLES, Candidate, Chosen, choose
from driftctl_py.core.engine_run import EngineRun, Workdir, init_key
from driftctl_py.core.environment import Environment, Source
from driftctl_py.core.masks import Masks
from driftctl_py.core.module_facts import ModuleFacts
from driftctl_py.core.providers import unlisted
from driftctl_py.core.state import (
    BackendPlan,
    LocalAddress,
    OtherAddress,
    StateAddress,
    compare_addresses,
    plan_backend,
    provider_hosts,
    recorded_address,
    same_place,
)
from driftctl_py.errors import EngineError, SourceError, StateError

_REGISTRY_OF = {"registry.opentofu.org": "tofu", "registry.terraform.io": "terraform"}
# What a backend block may say without changing where its state is, or as whom it is read.
_PLAIN = frozenset(
    {
        *("bucket", "key", "region", "workspace_key_prefix", "path"),
        *("encrypt", "kms_key_id", "acl", "use_lockfile", "dynamodb_table", "max_retries"),
    }
)


@dataclass(frozen=True, slots=True)
class Settings:
    """What holds for every environment of one check.

    ``programs`` says where the programs are that the configuration names by a path of its own.
    ``environ`` is the engine's environment before the environment's own variables; ``dropped``
    names what the caller had set but the engine does not get. ``init_lock`` is held around each
    `init` when a provider cache is shared (Terraform's is not safe for two at once). ``secrets``
    are values that must not be quoted, whoever says them; ``masks`` hide parts of a plan.
    ``providers`` are globs of the only providers that may be run; None: any may.
    """

    environ: Mapping[str, str]
    candidates: tuple[Candidate, ...]
    sources: Mapping[str, Source]
    strict: bool = False
    masks: Masks = ()
    dropped: frozenset[str] = frozenset()
    init_lock: Path | None = None
    secrets: frozenset[str] = frozenset()
    programs: Mapping[str, str] = field(default_factory=dict)
    providers: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True)
class Prepared:
    """An environment, with everything decided that a plan needs. ``known_family`` is the engine
    that planned it before, empty if none did; ``variables`` is the text of its own var-file."""

    environment: Environment
    revision: Revision
    workdir: Workdir
    known_family: str
    engine: Chosen
    backend: BackendPlan
    facts: Mapping[str, ModuleFacts]
    run: EngineRun
    init_key: str
    readonly_lock_file: bool
    variables: bytes
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


class Preparer:
    """Prepares environments, one at a time; several threads may use one."""

    def __init__(
        self,
        *,
        sources: Sources,
        workdirs: Workdirs,
        engines: Engines,
        states: States,
        identity: Identity,
        clock: Clock,
        progress: Progress,
        settings: Settings,
    ) -> None:
        self._sources = sources
        self._workdirs = workdirs
        self._engines = engines
        self._states = states
        self._identity = identity
        self._clock = clock
        self._progress = progress
        self._settings = settings
        self._checkouts: dict[tuple[str, Revision], Checkout] = {}
        self._guard = Lock()

    def prepare(self, environment: Environment, revision: Revision) -> Prepared:
        """Decide about engine and backend. Starts no engine and writes nothing: another check may
        be planning the same environment."""
        started_at = self._clock()
        checkout = self._checkout(environment.source, revision)
        workdir = self._workdirs.place(environment, checkout)
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
        address = backend.address
        # An absolute path leads to the same file, wherever the checkout lies.
        relative = isinstance(address, LocalAddress) and not Path(address.path).is_absolute()
        if relative and not revision.in_place:
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
            known_family=memory.family,
            engine=engine,
            backend=backend,
            facts=facts,
            run=run,
            init_key=init_key(engine.candidate, backend, facts, lock_file, run.environ),
            readonly_lock_file=lock_file is not None,
            variables=_variables_text(environment),
            started_at=started_at,
        )

    def make_ready(self, prepared: Prepared) -> tuple[str, ...]:
        """Lay it out; `init`, and `get -update` for floating modules, where they are due; what
        there is to warn of. Raises unless the state is where it is meant to be. The caller holds
        the environment's lock."""
        workdir, address = prepared.workdir, prepared.backend.address
        self._workdirs.lay(workdir, prepared.environment, prepared.revision)
        self._workdirs.set_override(workdir, prepared.backend.override)
        if prepared.variables:
            self._workdirs.write(_variables_file(workdir), prepared.variables)
        due = self._workdirs.remember(workdir).init_key != prepared.init_key
        if due or not self._is_set_up_for(prepared, address):
            self.init(prepared)
        else:
            self._refuse_providers(prepared)
        if isinstance(address, LocalAddress):
            self._workdirs.copy_state(workdir, address.path)
        if prepared.floating:
            self._engines.get(prepared.run)
        address = self.recorded(prepared)
        compare_addresses(prepared.backend.address, address)
        self._check_workspace(prepared, address)
        if not prepared.floating:
            return ()
        return (
            f"{', '.join(prepared.floating)}: the source is not pinned, so it was fetched "
            "again and may mean other code at every check. Pin a version or a tag.",
        )

    def init(self, prepared: Prepared) -> None:
        """`init`, and a note that it was made for just this."""
        self._progress.started(prepared.environment.name, "init")
        workdir = prepared.workdir
        # Until it has ended well, nothing is known of what the directory is set up for.
        self._workdirs.save(workdir, replace(self._workdirs.remember(workdir), init_key=""))
        settings = prepared.backend.settings_text
        if not prepared.readonly_lock_file:
            self._workdirs.forget_own_lock_file(workdir)
        if self._settings.providers is not None:
            # What an earlier `init` installed may not be needed any more.
            self._workdirs.forget_providers(workdir)
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
        self._refuse_providers(prepared)
        if not known:
            self._refuse_foreign_state(prepared, self.recorded(prepared))
        memory = self._workdirs.remember(workdir)
        self._workdirs.save(
            workdir,
            replace(memory, init_key=prepared.init_key, family=prepared.engine.candidate.family),
        )

    def _refuse_providers(self, prepared: Prepared) -> None:
        """By what `init` really installed, before a plan runs it: what files say of providers can
        be spelled in many ways, and modules of modules have a say, too."""
        allowed = self._settings.providers
        if allowed is None:
            return
        installed = self._workdirs.installed_providers(prepared.workdir)
        if refused := unlisted(installed, allowed):
            raise EngineError(
                f"{prepared.environment.name} needs {', '.join(refused)}, which `providers` does "
                "not allow, so nothing was planned: a plan would run it.",
                todo="Take it out of the code and the modules, or add it to `providers` in "
                "driftctl.yaml, where it has to be merged first.",
            )

    def _is_set_up_for(self, prepared: Prepared, address: StateAddress) -> bool:
        """What was recorded can have been lost, or be that of an init that failed."""
        try:
            return same_place(address, self.recorded(prepared))
        except StateError:
            return False

    def _run_init(self, prepared: Prepared, backend_config: Path | None) -> None:
        self._engines.init(
            prepared.run,
            readonly_lock_file=prepared.readonly_lock_file,
            backend_config=backend_config,
            on_event=lambda _log: None,
        )

    def recorded(self, prepared: Prepared) -> StateAddress:
        """Where the state is, as `init` recorded it."""
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
        asked_for = prepared.environment.engine.use != "auto" or prepared.known_family
        if state is None or asked_for:
            return
        family = prepared.engine.candidate.family
        wrote = {_REGISTRY_OF[host] for host in provider_hosts(state) if host in _REGISTRY_OF}
        if wrote and family not in wrote:
            other = TITLES[next(iter(wrote))]
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
            look = self._states.look(
                address,
                directory=prepared.workdir.source_directory,
                environ=prepared.run.environ,
            )
            there = look.exists is not False
        if not there:
            raise StateError(
                f"The workspace {environment.workspace} does not exist in {address}; planning "
                "there would create it.",
                todo=f"Correct `workspace`, or create it: {prepared.engine.candidate.family} "
                f"workspace new {environment.workspace}",
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

    def _engine_run(
        self, environment: Environment, workdir: Workdir, candidate: Candidate
    ) -> EngineRun:
        var_files = []
        for name in environment.var_files:
            path = self._workdirs.source_file(workdir, name)
            if path is None:
                raise SourceError(
                    f"The var-file {name} of {environment.name} is not in the source.",
                    todo="Correct `var_files`; paths are relative to the repository's root.",
                )
            var_files.append(path)
        if environment.variables:
            var_files.append(_variables_file(workdir))
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


def _variables_file(workdir: Workdir) -> Path:
    return workdir.home / "driftctl.tfvars.json"


def _variables_text(environment: Environment) -> bytes:
    if not environment.variables:
        return b""
    return json.dumps(environment.variables, default=str, sort_keys=True).encode()
