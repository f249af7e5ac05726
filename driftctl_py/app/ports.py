"""What the application asks of the outside world, as Protocols.

An adapter fits by shape and imports nothing from here; `compose` is where the type checker holds
the two against each other. Every method raises only the errors of `driftctl_py.errors`.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from contextlib import AbstractContextManager
from datetime import datetime
from pathlib import Path
from typing import Protocol

from driftctl_py.core.check import EnvironmentCheck
from driftctl_py.core.checkout import Checkout, Revision
from driftctl_py.core.engine_choice import Candidate, Hints
from driftctl_py.core.engine_run import EngineRun, Memory, Planned, Workdir
from driftctl_py.core.environment import Credentials, Environment, Source
from driftctl_py.core.events import EventLog
from driftctl_py.core.module_facts import ModuleFacts
from driftctl_py.core.plan import Plan
from driftctl_py.core.state import StateAddress, StateLook


class Sources(Protocol):
    """Git."""

    def resolve(self, source: Source, ref: str | None = None) -> Revision: ...
    def files(self, source: Source, revision: Revision) -> frozenset[str]: ...
    def checkout(self, source: Source, revision: Revision) -> Checkout: ...
    def prune(self, in_use: Collection[tuple[str, str]]) -> None: ...


class Workdirs(Protocol):
    """The private directories in which environments are planned."""

    def lay(self, environment: Environment, checkout: Checkout) -> Workdir: ...
    def remember(self, workdir: Workdir) -> Memory: ...
    def save(self, workdir: Workdir, memory: Memory) -> None: ...
    def write(self, path: Path, data: bytes) -> Path: ...
    def remove(self, path: Path) -> None: ...
    def facts(self, workdir: Workdir) -> dict[str, ModuleFacts]: ...
    def hints(self, workdir: Workdir, facts: ModuleFacts) -> Hints: ...
    def source_file(self, workdir: Workdir, name: str) -> Path | None: ...
    def lock_file(self, workdir: Workdir) -> str | None: ...
    def forget_own_lock_file(self, workdir: Workdir) -> None: ...
    def set_override(self, workdir: Workdir, text: str | None) -> None: ...
    def recorded_backend(self, workdir: Workdir) -> bytes | None: ...
    def locked(self, workdir: Workdir) -> AbstractContextManager[None]: ...
    def exclusive(self, path: Path) -> AbstractContextManager[None]: ...


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


class PlanReader(Protocol):
    """A plan's JSON from a file: mapped into memory, decoded, and gone from the disk after."""

    def __call__(self, path: Path, /) -> Plan: ...


class Progress(Protocol):
    """Somebody who watches. Called from several threads."""

    def begin(self, total: int) -> None: ...
    def started(self, environment: str, doing: str) -> None: ...
    def refreshed(self, environment: str, resources: int) -> None: ...
    def finished(self, check: EnvironmentCheck) -> None: ...
    def note(self, text: str) -> None: ...


class Clock(Protocol):
    """The moment, in UTC."""

    def __call__(self) -> datetime: ...
