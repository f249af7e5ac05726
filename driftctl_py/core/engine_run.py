"""What the engine is run with, what came of it, and when `init` is due. Facts only."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import msgspec

from driftctl_py.core.engine_choice import Candidate
from driftctl_py.core.events import EventLog
from driftctl_py.core.module_facts import ModuleFacts
from driftctl_py.core.state import BackendPlan
from driftctl_py.errors import Diagnostic


@dataclass(frozen=True, slots=True)
class Workdir:
    """The private directory of one environment.

    ``directory`` is where the engine runs: an overlay of the environment's part of the checkout.
    ``source_directory`` is that part itself, below ``root``; nothing is ever written there.
    """

    home: Path
    directory: Path
    source_directory: Path
    root: Path

    @property
    def tree(self) -> Path:
        return self.home / "tree"

    @property
    def data(self) -> Path:
        """The engine's TF_DATA_DIR."""
        return self.home / "terraform"

    @property
    def plan_file(self) -> Path:
        return self.home / "plan.tfplan"

    @property
    def in_sync(self) -> Path:
        """What is kept of the last plan that had to be read and amounted to nothing."""
        return self.home / "in-sync.json"

    @property
    def plan_json(self) -> Path:
        return self.home / "plan.json"

    @property
    def policy_plan(self) -> Path:
        """What policies and checks are given to read."""
        return self.home / "policy-plan.json"


@dataclass(frozen=True, slots=True)
class Memory:
    """What is remembered of an environment between checks. All of it can be lost without harm.

    ``init_key`` is what the last `init` was for, ``family`` the engine that planned last,
    ``links_of`` the pinned checkout that the overlay shows.
    """

    init_key: str = ""
    family: str = ""
    links_of: str = ""


@dataclass(frozen=True, slots=True)
class EngineRun:
    """Which engine runs, where, and as whom. ``init_var_files`` are what `init` needs of the
    ``var_files`` (OpenTofu evaluates variables early)."""

    candidate: Candidate
    directory: Path
    environ: Mapping[str, str]
    timeout_seconds: float
    var_files: tuple[Path, ...] = ()
    init_var_files: tuple[Path, ...] = ()
    parallelism: int | None = None


@dataclass(frozen=True, slots=True)
class Planned:
    """How a plan ended. ``saved`` says whether a plan file is there: an engine writes one even
    when it failed half-way, marked as errored. ``needs_init``: it only failed for want of one."""

    exit_code: int
    log: EventLog
    errors: tuple[Diagnostic, ...]
    saved: bool
    needs_init: bool = False


def init_key(
    engine: Candidate,
    backend: BackendPlan,
    facts: Mapping[str, ModuleFacts],
    lock_file: str | None,
    environ: Mapping[str, str],
) -> str:
    """A digest of everything that `init` depends on: while it is the same, `init` is skipped.

    ``facts`` are those of the root module and of its local modules, by path relative to the
    root. ``environ`` may hold more than matters; what decides where plugins come from counts.
    """
    installation = ("TF_CLI_CONFIG_FILE", "TF_PLUGIN_CACHE_DIR")
    parts = [
        [engine.path, engine.family, engine.version],
        [str(backend.address), backend.settings_text, backend.override],
        [[path, _spelled_alike(module)] for path, module in sorted(facts.items())],
        lock_file,
        [[name, environ.get(name)] for name in installation],
    ]
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()


def _spelled_alike(module: ModuleFacts) -> str:
    # Not `repr`: it spells a set in another order in every process, so `init` would never be
    # skipped where a backend block holds two settings that are no literals.
    return msgspec.json.encode(module, order="deterministic").decode()
