"""Which environments a change concerns: what changed, from Git, held against what each is made of.

Only those environments that are planned as they lie are asked about; for one that names a ref or
another repository only the configuration can say something else.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Protocol

from driftctl_py.core.affected import (
    Affected,
    Closure,
    Reason,
    Sources,
    affected,
    all_affected,
    closure_of,
)
from driftctl_py.core.checkout import Changes, Revision
from driftctl_py.core.config import decode_config
from driftctl_py.core.config_expand import expand
from driftctl_py.core.config_model import Config
from driftctl_py.core.environment import Environment, Source
from driftctl_py.errors import ConfigError, SourceError, UsageError


class History(Protocol):
    """Git, asked about before and now."""

    def changed_since(self, source: Source, base: str) -> Changes: ...
    def files_at(self, revision: Revision, source: Source) -> frozenset[str]: ...
    def text(self, source: Source, revision: Revision, path: str) -> bytes | None: ...


@dataclass(frozen=True, slots=True)
class Answer:
    """What is concerned by all that changed since the commit ``base`` (empty where that could not
    be told)."""

    affected: Affected
    base: str = ""


def find_affected(
    config: Config,
    trees: Mapping[str, Collection[str]],
    base: str,
    *,
    config_path: str,
    history: History,
    sources_of: Callable[[str], Sources],
) -> Answer:
    """Which of the configuration's environments what changed since ``base`` concerns. ``trees``
    holds the files of each source by name, as they are now; ``config_path`` is the configuration's
    from the repository's root. Raises `SourceError` for a
    base that there is not, `UsageError` where no environment lies in this repository."""
    here = {name for name, source in config.sources.items() if _is_here(source)}
    if not here:
        raise UsageError(
            f"No source of {config.filename} is the repository that holds it, so what changed in "
            "that concerns no environment.",
            todo="Run it in the repository with the environments, with a driftctl.yaml of its own.",
        )
    source = config.sources[min(here)]
    environments = expand(config, trees)
    changes = history.changed_since(source, base)
    if changes.unsure:
        why = f"It cannot be told what changed: {changes.unsure}."
        return Answer(all_affected(environments, why))
    then = Revision(source.name, ".", base, changes.base, in_place=True)
    try:
        text = history.text(source, then, config_path)
        earlier = None if text is None else decode_config(text, filename=config_path)
        before = () if earlier is None else _before(earlier, then, history, trees)
    except ConfigError as error:
        first = error.problems[0]
        why = f"What the configuration said at {then.short} cannot be read: {first.what}"
        return Answer(all_affected(environments, why), changes.base)
    known = lru_cache(maxsize=None)(sources_of)
    closures: dict[str, Closure] = {
        each.name: closure_of("" if each.path == "." else each.path, known)
        for each in environments
        if each.source in here and each.ref is None
    }
    found = affected(
        environments,
        before,
        changes.paths,
        closures,
        here=config_path.rpartition("/")[0],
        of_all=earlier is not None and _of_all(earlier) != _of_all(config),
    )
    return Answer(found, changes.base)


def find_since_applied(
    config: Config,
    trees: Mapping[str, Collection[str]],
    applied: Callable[[str], str],
    *,
    config_path: str,
    history: History,
    sources_of: Callable[[str], Sources],
) -> Answer:
    """Which environments anything concerns that changed since they were last as the code says:
    ``applied`` tells the commit by the environment's name, empty where they never were. Each is
    asked since a commit of its own, so that what an earlier job left out is not forgotten. Raises
    as `find_affected`, but for a commit that is not there: then it is concerned."""
    environments = expand(config, trees)
    since = {each.name: applied(each.name) for each in environments}
    answers: dict[str, Answer | None] = {}
    for commit in dict.fromkeys(filter(None, since.values())):
        try:
            answers[commit] = find_affected(
                config,
                trees,
                commit,
                config_path=config_path,
                history=history,
                sources_of=sources_of,
            )
        except SourceError:
            answers[commit] = None
    reasons = {}
    for name, commit in since.items():
        found = _since(name, commit, answers.get(commit))
        if found:
            reasons[name] = found
    known = [each.affected for each in answers.values() if each is not None]
    removed = dict.fromkeys(name for each in known for name in each.removed)
    return Answer(
        Affected(
            reasons,
            others=tuple(name for name in since if name not in reasons),
            removed=tuple(removed),
            unsure=next((each.unsure for each in known if each.unsure), ""),
        )
    )


def _since(name: str, commit: str, answer: Answer | None) -> tuple[Reason, ...]:
    if not commit:
        return (Reason("nothing was ever applied there, as far as the store knows"),)
    if answer is None:
        return (Reason(f"{commit[:7]}, which was applied last, is not in this repository"),)
    if answer.base and answer.base != commit:
        # What it has and we have not would be taken back.
        return (Reason(f"{commit[:7]}, which was applied last, is no commit that this one is of"),)
    return answer.affected.reasons.get(name, ())


def _is_here(source: Source) -> bool:
    return source.url == "." and source.ref is None


def _before(
    earlier: Config, then: Revision, history: History, trees: Mapping[str, Collection[str]]
) -> tuple[Environment, ...]:
    """The environments as they were made then. Of other repositories the files of now will do: what
    changed in them is no part of this change."""
    ours = {
        name: history.files_at(then, source)
        for name, source in earlier.sources.items()
        if _is_here(source)
    }
    return expand(earlier, {**trees, **ours})


def _of_all(config: Config) -> tuple[object, ...]:
    """What holds for every environment."""
    return config.engine, config.pass_env, config.strict, config.redact
