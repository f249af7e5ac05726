"""What driftctl.yaml says, checked and typed, but not yet applied to any tree of files.

The step between the text and the environments: globs are still globs here and settings still
lie in three layers. `config.py` says how it is read, `config_expand.py` what follows from it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, TypeAlias

from driftctl_py.core.approval import People
from driftctl_py.core.environment import Credentials, EngineChoice, Mode, S3State, Source
from driftctl_py.core.masks import Masks
from driftctl_py.core.path_glob import PathGlob
from driftctl_py.core.places import S3ArtifactsPlace
from driftctl_py.core.policy import Policy
from driftctl_py.core.rule import Rule
from driftctl_py.core.values import Json
from driftctl_py.core.window import Freeze, Window

DEFAULT_RETENTION_SECONDS: Final = 90 * 86_400


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
class Said:
    """A name, an identity or an address of a person or a group, and where the file says so."""

    text: str
    line: int


@dataclass(frozen=True, slots=True)
class ModesSetting:
    """The two switches, and whether only what was reviewed may be applied. None: nothing is said of
    it here."""

    git: Mode | None = None
    drift: Mode | None = None
    reviewed: bool | None = None


@dataclass(frozen=True, slots=True)
class ApprovalSetting:
    """What an approval takes. None: nothing is said of it here."""

    count: int | None = None
    groups: tuple[Said, ...] | None = None
    expires_seconds: int | None = None
    author_may: bool | None = None
    unverified: bool | None = None


@dataclass(frozen=True, slots=True)
class LimitsSetting:
    """How much may go wrong. None: nothing is said of it here."""

    failures: int | None = None
    applies_per_day: int | None = None
    heals_per_day: int | None = None


@dataclass(frozen=True, slots=True)
class RuleSetting:
    """A rule, and where the file says so. ``groups`` are the rule's, each with its line."""

    rule: Rule
    line: int
    groups: tuple[Said, ...] = ()


@dataclass(frozen=True, slots=True)
class WindowSetting:
    """A window, and where the file says so."""

    window: Window
    line: int


@dataclass(frozen=True, slots=True)
class FreezeSetting:
    """A freeze, and where the file says so."""

    freeze: Freeze
    line: int


@dataclass(frozen=True, slots=True)
class PolicySetting:
    """A policy, and where the file says so. ``groups`` are the policy's, each with its line."""

    policy: Policy
    line: int
    groups: tuple[Said, ...] = ()


@dataclass(frozen=True, slots=True)
class StoreSettings:
    """Where the store is: its address, or the environment variable that holds it, or where the
    artifacts are."""

    url: str | None = None
    url_env: str | None = None
    in_artifacts: bool = False


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
    apply: ModesSetting = field(default_factory=ModesSetting)
    approval: ApprovalSetting = field(default_factory=ApprovalSetting)
    apply_grace_seconds: int | None = None
    limits: LimitsSetting = field(default_factory=LimitsSetting)


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
    """The whole file. ``pass_env`` holds names and globs of environment variables. The store is at
    ``store_url``, or where the variable named by ``store_url_env`` says, or beside the artifacts
    (``store_in_artifacts``), else in the data directory; so are the ``artifacts``, which are kept
    for ``retention_seconds``. ``providers`` are globs of the only providers that may be run; None:
    any may."""

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
    people: People = field(default_factory=People)
    store_url: str | None = None
    store_url_env: str | None = None
    artifacts: S3ArtifactsPlace | None = None
    retention_seconds: int = DEFAULT_RETENTION_SECONDS
    rules: tuple[RuleSetting, ...] = ()
    windows: tuple[WindowSetting, ...] = ()
    freezes: tuple[FreezeSetting, ...] = ()
    policies: tuple[PolicySetting, ...] = ()
    providers: tuple[str, ...] | None = None
    store_in_artifacts: bool = False
