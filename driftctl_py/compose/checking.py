"""Wires a check: a configuration and this process's surroundings into a `Fleet`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from driftctl_py.compose.surroundings import (
    APPROVER_KEY_NAME,
    ENGINES_NAME,
    KEY_NAME,
    data_dir,
    environ,
    find_config,
    load_config,
    make_data_dir,
    now,
    path_from,
    secret_values,
)
from driftctl_py.errors import ConfigError, Problem

if TYPE_CHECKING:
    from driftctl_py.adapters.stop import Stop
    from driftctl_py.app.check import Checker
    from driftctl_py.app.fleet import Fleet
    from driftctl_py.app.ports import Progress
    from driftctl_py.core.check import CheckReport
    from driftctl_py.core.config_model import Config
    from driftctl_py.core.environment import Environment


@dataclass(frozen=True, slots=True)
class Options:
    """What the command line says. None means: what the configuration, or the machine, says."""

    config: Path | None = None
    data_dir: Path | None = None
    jobs: int | None = None
    strict: bool | None = None


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
    sources = GitSources(data_dir(None, None, directory), here=directory, environ=environ())
    revision = sources.resolve(source)
    root = Path(sources.checkout(source, revision).root)
    return root, sources.files(source, revision), revision.ref


def _fleet(options: Options, progress: Progress, stop: Stop) -> Fleet:
    from driftctl_py.adapters.git import GitSources
    from driftctl_py.adapters.machine import processors
    from driftctl_py.adapters.plan_file import PlanFiles
    from driftctl_py.app.check import Checker
    from driftctl_py.app.fleet import Fleet

    path = find_config(options.config)
    config = load_config(path)
    if options.strict is not None:
        from dataclasses import replace

        config = replace(config, strict=options.strict)
    here = path.resolve().parent
    own = data_dir(options.data_dir, config.data_dir, here)
    make_data_dir(own)
    jobs = options.jobs or processors()
    sources = GitSources(own, here=here, environ=environ())
    stop.when_asked(sources.stop)

    def make_checker(selected: Sequence[Environment]) -> Checker:
        made = parts(config, selected, path, own, jobs, sources, progress, stop)
        return Checker(
            made.preparer,
            workdirs=made.workdirs,
            engines=made.engines,
            states=made.states,
            plans=PlanFiles(),
            clock=now,
            progress=progress,
            settings=made.settings,
        )

    return Fleet(
        config,
        sources=sources,
        make_checker=make_checker,
        jobs=jobs,
        stop=stop,
        clock=now,
        progress=progress,
    )


@dataclass(frozen=True, slots=True)
class Parts:
    """The adapters and the preparer of one configuration. ``environ`` is what engines get."""

    preparer: Preparer
    workdirs: Workdirs
    engines: Appliers
    states: StateReader
    aws: Aws
    settings: Settings
    environ: Mapping[str, str]


def parts(
    config: Config,
    selected: Sequence[Environment],
    path: Path,
    own: Path,
    jobs: int,
    sources: _GitSources,
    progress: Progress,
    stop: Stop,
    *,
    here: Path | None = None,
    purpose: str = "",
) -> Parts:
    """What both checks and applies are made of. ``own`` is our data directory, ``selected`` are
    the environments that it is for; ``here`` is where the paths of the configuration start, unless
    that is where it lies. For a ``purpose`` there are directories of its own."""
    import hashlib

    from driftctl_py.adapters.applying import Appliers
    from driftctl_py.adapters.aws import Aws
    from driftctl_py.adapters.machine import available_memory
    from driftctl_py.adapters.state import StateReader
    from driftctl_py.adapters.terraform import cli_config, engine_environ
    from driftctl_py.adapters.workdir import Workdirs
    from driftctl_py.app.preparation import Preparer, Settings
    from driftctl_py.core.go_memory import tune

    here = here or path.resolve().parent
    scope = hashlib.sha256(f"{path.resolve()}{purpose}".encode()).hexdigest()
    workdirs = Workdirs(own, scope=scope, stopped=lambda: stop.please)
    memory = tune(
        available_bytes=available_memory(),
        jobs=min(jobs, len(selected)),
        inherited={**environ(), **_common_env(selected)},
    )
    progress.note(memory.why)
    extra = dict(memory.environ)
    init_lock = None
    if config.engine.cli_config is not None:
        extra["TF_CLI_CONFIG_FILE"] = str(path_from(config.engine.cli_config, here))
    elif config.engine.provider_mirror is not None:
        mirror = path_from(config.engine.provider_mirror, here)
        if not mirror.is_dir():
            raise ConfigError(
                (
                    Problem(
                        config.filename,
                        0,
                        f"engine.provider_mirror: {mirror} is not a directory.",
                        "Name a directory in the engines' filesystem mirror layout; by an absolute "
                        "path if it lies outside of the repository.",
                    ),
                )
            )
        text = cli_config(mirror)
        name = hashlib.sha256(text.encode()).hexdigest()[:16]
        file = workdirs.write(own / f"mirror-{name}.tfrc", text.encode())
        extra["TF_CLI_CONFIG_FILE"] = str(file)
    if config.engine.plugin_cache and "TF_CLI_CONFIG_FILE" not in extra:
        cache = own / "plugin-cache"
        workdirs.make_directory(cache)
        extra["TF_PLUGIN_CACHE_DIR"] = str(cache)
        init_lock = own / "plugin-cache.lock"
    never = [source.token_env for source in config.sources.values() if source.token_env]
    # What opens the store would let an engine's provider write approvals.
    never += [KEY_NAME, APPROVER_KEY_NAME]
    if config.store_url_env is not None:
        never.append(config.store_url_env)
    if config.store_url_env is not None or config.store_url is not None:
        never.append("PGPASSWORD")
    passed = engine_environ(environ(), pass_env=config.pass_env, extra=extra, never=never)
    engines = Appliers(search_path=environ().get("PATH"), cache=own / ENGINES_NAME, stop=stop)
    named = {environment.engine.use for environment in selected}
    configured = sorted(named - {"auto", "tofu", "terraform", "embedded"})
    programs = {use: str(path_from(use, here)) for use in configured}
    candidates = engines.candidates(sorted(set(programs.values())), passed)
    aws = Aws(clock=now)
    states = StateReader(aws)
    settings = Settings(
        environ=passed,
        candidates=candidates,
        sources=config.sources,
        strict=config.strict,
        masks=config.redact,
        dropped=frozenset(environ()) - frozenset(passed),
        init_lock=init_lock,
        secrets=secret_values(environ(), *(environment.env for environment in selected)),
        programs=programs,
        providers=config.providers,
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
    return Parts(preparer, workdirs, engines, states, aws, settings, passed)


def _common_env(selected: Sequence[Environment]) -> dict[str, str]:
    """What every environment sets alike counts as the user's own setting."""
    first, *rest = [environment.env for environment in selected] or [{}]
    return {name: value for name, value in first.items() if all(name in other for other in rest)}


if TYPE_CHECKING:
    from driftctl_py.adapters.applying import Appliers
    from driftctl_py.adapters.aws import Aws
    from driftctl_py.adapters.git import GitSources as _GitSources
    from driftctl_py.adapters.state import StateReader
    from driftctl_py.adapters.workdir import Workdirs
    from driftctl_py.app.preparation import Preparer, Settings
