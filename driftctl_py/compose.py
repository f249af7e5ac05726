"""Wires a configuration and this process's surroundings into the application.

The one place that reads the environment variables and the clock and that picks the adapters.
Everything heavy is imported inside the function that needs it, so that ``--help`` costs nothing.
"""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from driftctl_py.errors import ConfigError, Problem

if TYPE_CHECKING:
    from driftctl_py.adapters.process import Stop
    from driftctl_py.app.check import Checker
    from driftctl_py.app.fleet import Fleet
    from driftctl_py.app.ports import Progress
    from driftctl_py.core.check import CheckReport
    from driftctl_py.core.config_model import Config
    from driftctl_py.core.environment import Environment

CONFIG_NAME = "driftctl.yaml"

# Names whose values are secrets wherever they turn up; what an engine quotes is searched for them.
_SECRET_NAME = re.compile(r"TOKEN|SECRET|PASSWORD|PASSWD|API_?KEY|PRIVATE_?KEY", re.IGNORECASE)


def now() -> datetime:
    """The moment, in UTC."""
    return datetime.now(UTC)


def environ() -> Mapping[str, str]:
    """This process's environment variables."""
    return os.environ


def new_stop() -> Stop:
    """A wish to stop that can be passed to a check, not asked yet."""
    from driftctl_py.adapters.process import Stop

    return Stop()


@dataclass(frozen=True, slots=True)
class Options:
    """What the command line says. None means: what the configuration, or the machine, says."""

    config: Path | None = None
    data_dir: Path | None = None
    jobs: int | None = None
    strict: bool | None = None


def find_config(given: Path | None) -> Path:
    """The configuration file: the given one, else `driftctl.yaml` here or in a parent up to the
    repository's root. Raises `ConfigError`."""
    if given is not None:
        if not given.exists():
            raise ConfigError((Problem(str(given), 0, "There is no such file.", _WRITE_ONE),))
        if not given.is_file():
            name = "Name the file itself with --config."
            raise ConfigError((Problem(str(given), 0, "It is not a file.", name),))
        return given
    here = Path.cwd()
    for directory in (here, *here.parents):
        if (directory / CONFIG_NAME).is_file():
            return directory / CONFIG_NAME
        if (directory / ".git").exists():
            break
    raise ConfigError(
        (Problem(CONFIG_NAME, 0, f"There is no {CONFIG_NAME} in {here} or above.", _WRITE_ONE),)
    )


_WRITE_ONE = "Write one with: driftctl-py init"


def load_config(path: Path) -> Config:
    """Read and decode the configuration. Raises `ConfigError` with every problem in it."""
    from driftctl_py.core.config import decode_config

    try:
        # One byte more than is accepted is enough to see that it is too much.
        with path.open("rb") as file:
            data = file.read(2 * 1024 * 1024)
    except OSError as error:
        raise ConfigError((Problem(str(path), 0, f"It cannot be read: {error.strerror}."),)) from (
            error
        )
    return decode_config(data, filename=_shown(path))


def check(options: Options, names: Sequence[str], *, progress: Progress, stop: Stop) -> CheckReport:
    """Check the named environments, or all of the configuration's."""
    return _fleet(options, progress, stop).check(names)


def environments(
    options: Options, *, progress: Progress, stop: Stop
) -> tuple[Config, tuple[Environment, ...]]:
    """The configuration and the environments that it makes, as of now."""
    config = load_config(find_config(options.config))
    return config, _fleet(options, progress, stop).environments()


def repository_files(directory: Path) -> tuple[Path, frozenset[str], str]:
    """The root, the files and the branch of the repository that holds ``directory``."""
    from driftctl_py.adapters.git import GitSources
    from driftctl_py.core.environment import Source

    source = Source("default")
    sources = GitSources(_data_dir(None, None, directory), here=directory, environ=os.environ)
    revision = sources.resolve(source)
    root = Path(sources.checkout(source, revision).root)
    return root, sources.files(source, revision), revision.ref


def _fleet(options: Options, progress: Progress, stop: Stop) -> Fleet:
    from driftctl_py.adapters.git import GitSources
    from driftctl_py.adapters.machine import processors
    from driftctl_py.app.fleet import Fleet

    path = find_config(options.config)
    config = load_config(path)
    if options.strict is not None:
        from dataclasses import replace

        config = replace(config, strict=options.strict)
    here = path.resolve().parent
    data_dir = _data_dir(options.data_dir, config.data_dir, here)
    jobs = options.jobs or processors()
    sources = GitSources(data_dir, here=here, environ=os.environ)
    stop.when_asked(sources.stop)

    def make_checker(selected: Sequence[Environment]) -> Checker:
        return _checker(config, selected, path, data_dir, jobs, sources, progress, stop)

    return Fleet(
        config,
        sources=sources,
        make_checker=make_checker,
        jobs=jobs,
        stop=stop,
        clock=now,
        progress=progress,
    )


def _checker(
    config: Config,
    selected: Sequence[Environment],
    path: Path,
    data_dir: Path,
    jobs: int,
    sources: _GitSources,
    progress: Progress,
    stop: Stop,
) -> Checker:
    from driftctl_py.adapters.aws import Aws
    from driftctl_py.adapters.machine import available_memory
    from driftctl_py.adapters.plan_file import PlanFiles
    from driftctl_py.adapters.state import StateReader
    from driftctl_py.adapters.terraform import Engines, cli_config, engine_environ
    from driftctl_py.adapters.workdir import Workdirs
    from driftctl_py.app.check import Checker
    from driftctl_py.app.preparation import Preparer, Settings
    from driftctl_py.core.go_memory import tune

    here = path.resolve().parent
    scope = hashlib.sha256(str(path.resolve()).encode()).hexdigest()
    workdirs = Workdirs(data_dir, scope=scope, stopped=lambda: stop.please)
    memory = tune(
        available_bytes=available_memory(),
        jobs=min(jobs, len(selected)),
        inherited={**os.environ, **_common_env(selected)},
    )
    progress.note(memory.why)
    extra = dict(memory.environ)
    init_lock = None
    if config.engine.cli_config is not None:
        extra["TF_CLI_CONFIG_FILE"] = str(_path(config.engine.cli_config, here))
    elif config.engine.provider_mirror is not None:
        mirror = _path(config.engine.provider_mirror, here)
        if not mirror.is_dir():
            raise ConfigError(
                (
                    Problem(
                        config.filename,
                        0,
                        f"engine.provider_mirror: {mirror} is not a directory.",
                        "Name a directory in the engines' filesystem mirror layout.",
                    ),
                )
            )
        text = cli_config(mirror)
        name = hashlib.sha256(text.encode()).hexdigest()[:16]
        file = workdirs.write(data_dir / f"mirror-{name}.tfrc", text.encode())
        extra["TF_CLI_CONFIG_FILE"] = str(file)
    if config.engine.plugin_cache and "TF_CLI_CONFIG_FILE" not in extra:
        cache = data_dir / "plugin-cache"
        workdirs.make_directory(cache)
        extra["TF_PLUGIN_CACHE_DIR"] = str(cache)
        init_lock = data_dir / "plugin-cache.lock"
    never = [source.token_env for source in config.sources.values() if source.token_env]
    passed = engine_environ(os.environ, pass_env=config.pass_env, extra=extra, never=never)
    engines = Engines(
        search_path=os.environ.get("PATH"), cache=data_dir / "engines.json", stop=stop
    )
    named = {environment.engine.use for environment in selected}
    configured = sorted(named - {"auto", "tofu", "terraform", "embedded"})
    programs = {use: str(_path(use, here)) for use in configured}
    candidates = engines.candidates(sorted(set(programs.values())), passed)
    aws = Aws(clock=now)
    states = StateReader(aws)
    settings = Settings(
        environ=passed,
        candidates=candidates,
        sources=config.sources,
        strict=config.strict,
        dropped=frozenset(os.environ) - frozenset(passed),
        init_lock=init_lock,
        secrets=_secrets(selected),
        programs=programs,
    )
    preparer = Preparer(
        sources=sources,
        workdirs=workdirs,
        engines=engines,
        states=states,
        identity=aws,
        clock=now,
        progress=progress,
        settings=settings,
    )
    return Checker(
        preparer,
        workdirs=workdirs,
        engines=engines,
        states=states,
        plans=PlanFiles(),
        clock=now,
        progress=progress,
        settings=settings,
    )


def _common_env(selected: Sequence[Environment]) -> dict[str, str]:
    """What every environment sets alike counts as the user's own setting."""
    first, *rest = [environment.env for environment in selected] or [{}]
    return {name: value for name, value in first.items() if all(name in other for other in rest)}


def _secrets(selected: Sequence[Environment]) -> frozenset[str]:
    pairs = [*os.environ.items()]
    for environment in selected:
        pairs.extend(environment.env.items())
    # Short values would be found in the middle of ordinary words.
    return frozenset(
        value for name, value in pairs if len(value) >= 8 and _SECRET_NAME.search(name)
    )


def _data_dir(given: Path | None, configured: str | None, here: Path) -> Path:
    """Where we keep checkouts, plugins and records: option, configuration, environment, default."""
    if given is not None:
        return given.absolute()
    if configured is not None:
        return _path(configured, here)
    if own := os.environ.get("DRIFTCTL_DATA_DIR"):
        return Path(own).absolute()
    base = os.environ.get("XDG_DATA_HOME")
    root = Path(base) if base else Path.home() / ".local" / "share"
    return root / "driftctl-py"


def _path(text: str, here: Path) -> Path:
    """A path from the configuration, relative to the file that it stands in."""
    return (here / Path(text).expanduser()).absolute()


def _shown(path: Path) -> str:
    """The path as a person here would type it."""
    try:
        return str(path.absolute().relative_to(Path.cwd()))
    except ValueError:
        return str(path)


if TYPE_CHECKING:
    from driftctl_py.adapters.git import GitSources as _GitSources
