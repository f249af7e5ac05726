"""Wires what asks about rules: explain, replay, test and lint. None of it plans or applies."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from driftctl_py.compose.checking import Options, environments
from driftctl_py.compose.rendering import ReadOptions, Source, reading
from driftctl_py.compose.surroundings import data_dir, environ, find_config, now
from driftctl_py.errors import ConfigError, DriftctlError, Problem, UsageError

if TYPE_CHECKING:
    from datetime import timedelta

    from driftctl_py.adapters.stop import Stop
    from driftctl_py.app.ports import Progress
    from driftctl_py.core.config_model import Config
    from driftctl_py.core.environment import Environment
    from driftctl_py.core.explanation import Explanation
    from driftctl_py.core.plan_report import PlanReport
    from driftctl_py.core.policy_lint import Lint
    from driftctl_py.core.policy_replay import Replay
    from driftctl_py.core.policy_tests import Case, Outcome
    from driftctl_py.core.rule import Rule
    from driftctl_py.core.run import Run

_TESTS = ("driftctl_test.yaml", "*.test.yaml")
_TESTS_AT_MOST = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Asking:
    """Who asks: the command line's options, who watches, and how to stop."""

    options: Options
    progress: Progress
    stop: Stop


def explain(
    asking: Asking, target: str, source: Source | None, environment: str | None, read: ReadOptions
) -> Explanation:
    """Why a plan, or what a run planned, is decided as it is. ``source`` is the plan that
    ``target`` names; None: it names a run."""
    from driftctl_py.app.policy import environment_of, explain_plan, explain_run

    if source is None:
        run, report = _stored(asking.options, target)
        config, every = _environments(asking)
        of = environment_of(run.environment, every, option="--environment NAME")
        return explain_run(run, report, of, _rules(config), now=now())
    config, every = _environments(asking)
    of = environment_of(environment, every, option="--environment NAME")
    report = reading(read, stop=asking.stop).report(source)
    return explain_plan(report, of, _rules(config), now=now())


def replay(
    asking: Asking,
    names: Sequence[str],
    *,
    since: timedelta | None,
    limit: int | None,
    watch: Callable[[int], None],
) -> Replay:
    """What the configuration would decide about the plans that are stored."""
    from driftctl_py.app.estate import select
    from driftctl_py.app.policy import Replays
    from driftctl_py.compose.applying import opened

    _, every = _environments(asking)
    select(names, every, complete=True)
    with opened(asking.options) as kept:
        return Replays(kept.store, kept.artifacts).replay(
            every,
            only=names,
            since=None if since is None else now() - since,
            limit=limit,
            watch=watch,
            please_stop=lambda: asking.stop.please,
        )


def test(asking: Asking, files: Sequence[Path], read: ReadOptions) -> tuple[Outcome, ...]:
    """Run the tests of these files, or of those beside the configuration. Raises `ConfigError` for
    a file that cannot be read."""
    from driftctl_py.app.policy import run_tests
    from driftctl_py.core.policy_tests import decode_tests

    files = files or _test_files(find_config(asking.options.config))
    cases: list[Case] = []
    problems: list[Problem] = []
    place_of: dict[str, Path] = {}
    for file in files:
        try:
            found = decode_tests(_bytes(file), filename=str(file))
        except ConfigError as error:
            problems += error.problems
            continue
        cases += found
        place_of |= {each.where: file.parent for each in found}
    if problems:
        raise ConfigError(tuple(problems))
    _, every = _environments(asking)

    def plan_of(case: Case) -> PlanReport:
        path = place_of[case.where] / case.plan
        return reading(read, stop=asking.stop).report(Source(path, str(path)))

    return run_tests(cases, every, plan_of)


def lint(asking: Asking) -> tuple[tuple[Lint, ...], int]:
    """What is wrong with rules and windows, and how many rules there are. Raises `ConfigError` for
    what cannot be read."""
    from driftctl_py.core.policy_lint import lint as findings

    config, every = _environments(asking)
    rules = len(_rules(config))
    found = findings(every)
    # Looked for only where a rule asks for a type, and what is stored only where the code has none.
    if not any(rule.types for each in every for rule in each.rules):
        return found, rules
    seen = _types_in_code(asking, config, every)
    with_types = findings(every, seen)
    if not seen or len(with_types) == len(found):
        return found, rules
    return findings(every, seen | _types_in_plans(asking, every)), rules


def _types_in_code(asking: Asking, config: Config, every: Sequence[Environment]) -> frozenset[str]:
    from driftctl_py.adapters.git import GitSources
    from driftctl_py.app.seen_types import seen_in_code

    here = find_config(asking.options.config).resolve().parent
    own = data_dir(asking.options.data_dir, config.data_dir, here)
    sources = GitSources(own, here=here, environ=environ())
    asking.stop.when_asked(sources.stop)
    used = dict.fromkeys(each.source for each in every)
    return seen_in_code([config.sources[name] for name in used], sources, _read)


def _types_in_plans(asking: Asking, every: Sequence[Environment]) -> frozenset[str]:
    from driftctl_py.app.seen_types import seen_in_plans
    from driftctl_py.compose.applying import opened

    try:
        with opened(asking.options) as kept:
            return seen_in_plans(every, kept.store, kept.artifacts)
    except DriftctlError as error:
        # Rules are looked through where no store is at hand, too.
        asking.progress.note(f"Types of stored plans are not known here: {error.what}")
        return frozenset()


def _read(path: Path) -> bytes | None:
    try:
        return path.read_bytes()
    except OSError:
        return None


def _stored(options: Options, prefix: str) -> tuple[Run, PlanReport]:
    from driftctl_py.app.policy import stored_plan
    from driftctl_py.app.queries import Queries
    from driftctl_py.compose.applying import opened

    with opened(options) as kept:
        queries = Queries(kept.store, kept.artifacts, people=kept.config.people, clock=now)
        try:
            run = queries.find(prefix)
        except UsageError as error:
            raise UsageError(
                f"There is no file {prefix}, and as a run: {error.what}", todo=error.todo
            ) from error
        return run, stored_plan(run, kept.artifacts)


def _environments(asking: Asking) -> tuple[Config, tuple[Environment, ...]]:
    return environments(asking.options, progress=asking.progress, stop=asking.stop)


def _rules(config: Config) -> tuple[Rule, ...]:
    return tuple(each.rule for each in config.rules)


def _test_files(config: Path) -> tuple[Path, ...]:
    beside = config.absolute().parent
    found = dict.fromkeys(path for glob in _TESTS for path in sorted(beside.glob(glob)))
    if not found:
        raise UsageError(
            f"There are no tests beside {config}: no {' and no '.join(_TESTS)}.",
            todo="Write a first one, or name a file: driftctl-py policy test FILE",
        )
    return tuple(_shown(path) for path in found)


def _shown(path: Path) -> Path:
    try:
        return path.relative_to(Path.cwd())
    except ValueError:
        return path


def _bytes(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(_TESTS_AT_MOST + 1)
    except OSError as error:
        what = f"It cannot be read: {error.strerror}."
        raise ConfigError((Problem(str(path), 0, what),)) from error
