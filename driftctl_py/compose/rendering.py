"""Wires the reading of plans that somebody brings: masks and strictness from a configuration, where
there is one, the fingerprint's key from the environment, and the engines, should one be needed.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from driftctl_py.compose.surroundings import (
    ENGINES_NAME,
    KEY_NAME,
    config_here,
    data_dir,
    environ,
    find_config,
    load_config,
    path_from,
    secret_values,
)
from driftctl_py.errors import EngineMissing, UsageError

if TYPE_CHECKING:
    from driftctl_py.adapters import terraform
    from driftctl_py.adapters.stop import Stop
    from driftctl_py.app.render import Engines, PlanReader
    from driftctl_py.core.config_model import Config
    from driftctl_py.core.engine_choice import Candidate
    from driftctl_py.core.plan_diff import PlanDifference
    from driftctl_py.core.plan_report import PlanReport

# What leads an engine to its providers, and to the key of an encrypted plan.
_FOR_SHOWING = ("TF_DATA_DIR", "TF_ENCRYPTION", "TF_PLUGIN_CACHE_DIR")
_SHORTEST_KEY = 16


@dataclass(frozen=True, slots=True)
class ReadOptions:
    """What the command line says. None means: what the configuration says, the current directory,
    the engine that made the plan."""

    config: Path | None = None
    strict: bool | None = None
    directory: Path | None = None
    engine: str | None = None


@dataclass(frozen=True, slots=True)
class Source:
    """A plan to read: a file or an open descriptor, and what it is called."""

    place: Path | int
    name: str


class Reading:
    """Plans, read as the configuration and the environment want it."""

    def __init__(self, reader: PlanReader, *, key: bytes | None, strict: bool) -> None:
        self._reader = reader
        self._key = key
        self._strict = strict

    @property
    def asks_engine(self) -> bool:
        """Whether an engine had to be asked."""
        return self._reader.asks_engine

    def report(self, source: Source) -> PlanReport:
        """One plan, with all that follows from it."""
        from driftctl_py.core.plan_report import read_plan
        from driftctl_py.core.values import Secrets

        plan = self._reader.read(source.place, name=source.name, secrets=Secrets(self._key))
        return read_plan(plan, name=source.name, keyed=self._key is not None, strict=self._strict)

    def compare(self, a: Source, b: Source) -> PlanDifference:
        """How two plans differ. Their secrets are compared whether there is a key or not."""
        from driftctl_py.core.plan_diff import compare_plans
        from driftctl_py.core.values import Secrets

        secrets = Secrets(os.urandom(32))
        one, other = (
            self._reader.read(each.place, name=each.name, secrets=secrets) for each in (a, b)
        )
        return compare_plans(one, other)


def reading(options: ReadOptions, *, stop: Stop) -> Reading:
    """Raises `ConfigError` for a configuration that is broken: what it hides would be shown."""
    from driftctl_py.adapters.plan_file import PlanFiles
    from driftctl_py.app.render import PlanReader

    path = find_config(options.config) if options.config else config_here()
    config = load_config(path) if path else None
    directory = (options.directory or Path.cwd()).absolute()
    if not directory.is_dir():
        raise UsageError(
            f"{directory} is not a directory, so no engine can be run there.",
            todo="Name the directory where the plan was made: --chdir DIR",
        )
    strict = options.strict
    if strict is None:
        strict = config is not None and config.strict
    return Reading(
        PlanReader(
            PlanFiles(stopped=lambda: stop.please),
            engines=lambda: _engines(options, config, path, directory, stop),
            masks=config.redact if config else (),
        ),
        key=_key(),
        strict=strict,
    )


def _engines(
    options: ReadOptions, config: Config | None, path: Path | None, directory: Path, stop: Stop
) -> Engines:
    from driftctl_py.adapters import terraform
    from driftctl_py.app.render import Engines

    here = Path.cwd() if path is None else path.resolve().parent
    passed = [*_FOR_SHOWING, *(config.pass_env if config else ())]
    extra = {}
    if config is not None and config.engine.cli_config is not None:
        extra["TF_CLI_CONFIG_FILE"] = str(path_from(config.engine.cli_config, here))
    elif Path(environ().get("TF_CLI_CONFIG_FILE", "")).is_file():
        # One that is not there makes an engine warn, on a stream that is not for warnings.
        passed.append("TF_CLI_CONFIG_FILE")
    tokens = (
        [each.token_env for each in config.sources.values() if each.token_env] if config else []
    )
    never = [KEY_NAME, *tokens]
    env = terraform.engine_environ(environ(), pass_env=passed, extra=extra, never=never)
    own = data_dir(None, config.data_dir if config else None, here)
    shower = terraform.Engines(
        search_path=environ().get("PATH"), cache=own / ENGINES_NAME, stop=stop
    )
    candidates: Sequence[Candidate]
    if options.engine is not None:
        candidates = _chosen(shower, options.engine, env)
    else:
        use = config.engine.use if config else "auto"
        candidates = shower.candidates([str(path_from(use, here))] if "/" in use else [], env)
    return Engines(shower, candidates, directory, env, secret_values(environ()))


def _chosen(shower: terraform.Engines, engine: str, env: Mapping[str, str]) -> Sequence[Candidate]:
    """The one engine that the command line names, by its name on PATH or by its path."""
    import shutil

    found: Sequence[Candidate] = ()
    if engine == "embedded":
        found = [each for each in shower.candidates((), env) if each.origin == "embedded"]
    elif place := shutil.which(engine, path=environ().get("PATH")):
        program = str(Path(place).absolute())
        found = [each for each in shower.candidates((program,), env) if each.path == program]
    if not found:
        raise EngineMissing(
            f"The engine {engine} is not there, cannot be run, or does not answer as a Terraform "
            "or OpenTofu does.",
            todo=f"See what it says, or name another with --engine PROGRAM: {engine} version -json",
        )
    return found[:1]


def _key() -> bytes | None:
    """What secrets are sealed with in a fingerprint; an empty one is none, as CI systems give it to
    whom they do not trust. Raises `UsageError` for one that could be guessed."""
    text = environ().get(KEY_NAME, "")
    if 0 < len(text) < _SHORTEST_KEY:
        raise UsageError(
            f"{KEY_NAME} holds {len(text)} characters, but a key has at least {_SHORTEST_KEY}: "
            "with a shorter one, secrets could be guessed from a fingerprint.",
            todo="Make one, and keep it where other secrets are: openssl rand -base64 32",
        )
    return os.fsencode(text) or None
