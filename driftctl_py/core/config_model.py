"""What driftctl.yaml says, checked and typed, but not yet applied to any tree of files.

The step between the text and the environments: globs are still globs here and settings still
lie in three layers. `config.py` says how it is read, `config_expand.py` what follows from it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

from driftctl_py.core.environment import Credentials, EngineChoice, S3State, Source
from driftctl_py.core.masks import Masks
from driftctl_py.core.path_glob import PathGlob
from driftctl_py.core.values import Json


@dataclass(frozen=True, slots=True)
class EngineSettings:
    """The engine for every environment that does not choose its own, and how it is run.

    ``provider_mirror`` is a directory, ``cli_config`` a file of the engine's own configuration;
    both are relative to the configuration file unless they are absolute or begin with ``~``.
    """

    use: str = "auto"
    version: str | None = None
    provider_mirror: str | None = None
    cli_config: str | None = None
    plugin_cache: bool = True


@dataclass(frozen=True, slots=True)
class OwnState:
    """``state: none``: leave this environment's backend as its own files declare it."""


StateChoice: TypeAlias = S3State | OwnState


@dataclass(frozen=True, slots=True)
class Need:
    """The name of an environment that must come first, and where the file says so."""

    name: str
    line: int


@dataclass(frozen=True, slots=True)
class Settings:
    """One layer of what may be said about an environment. None, or an empty mapping, means:
    nothing is said here, so the layer below decides."""

    ref: str | None = None
    workspace: str | None = None
    variables: Mapping[str, Json] = field(default_factory=dict)
    var_files: tuple[str, ...] | None = None
    interval_seconds: int | None = None
    plan_timeout_seconds: int | None = None
    parallelism: int | None = None
    needs: tuple[Need, ...] | None = None
    labels: Mapping[str, str] = field(default_factory=dict)
    env: Mapping[str, str] = field(default_factory=dict)
    plan_credentials: Credentials | None = None
    apply_credentials: Credentials | None = None
    engine: EngineChoice | None = None
    state: StateChoice | None = None


@dataclass(frozen=True, slots=True)
class Entry:
    """One item of ``environments``: a directory, or a glob that finds several.

    ``path`` is as written; ``glob`` is None for the path of one directory."""

    line: int
    path: str
    source: str
    glob: PathGlob | None = None
    exclude: tuple[PathGlob, ...] = ()
    name: str | None = None
    settings: Settings = field(default_factory=Settings)


@dataclass(frozen=True, slots=True)
class Override:
    """What one environment, given by its name, has otherwise."""

    line: int
    settings: Settings


@dataclass(frozen=True, slots=True)
class Config:
    """The whole file. ``pass_env`` holds names and globs of environment variables."""

    filename: str
    sources: Mapping[str, Source]
    entries: tuple[Entry, ...]
    defaults: Settings = field(default_factory=Settings)
    overrides: Mapping[str, Override] = field(default_factory=dict)
    pass_env: tuple[str, ...] = ()
    engine: EngineSettings = field(default_factory=EngineSettings)
    state: S3State | None = None
    strict: bool = False
    redact: Masks = ()
    data_dir: str | None = None
