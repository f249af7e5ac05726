"""Which environments a change of the repository may concern, and why.

A file concerns an environment when the engine may read it there: it lies in the root module or in
a local module that this calls, one of them names it, or it is a var-file or a policy of the
environment. And so does a configuration that says something else of it than before. Where that
cannot be told, it is concerned.
"""

from __future__ import annotations

import posixpath
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import assert_never

from driftctl_py.core.environment import Environment
from driftctl_py.core.file_references import FileReference, file_references
from driftctl_py.core.module_facts import read_module
from driftctl_py.core.policy import CheckProgram, RegoPolicy


@dataclass(frozen=True, slots=True)
class Sources:
    """What a directory holds of an engine's source files: their texts by name, and where those lie
    that are links, from the repository's root (None: elsewhere)."""

    texts: Mapping[str, str]
    links: Mapping[str, str | None] = field(default_factory=dict)


# Written for people. Counts only where the module's source speaks of such files.
_FOR_PEOPLE = (".md", ".markdown", ".rst", ".adoc")
_NAMED_FOR_PEOPLE = frozenset({"LICENSE", "CODEOWNERS", "OWNERS", ".gitignore", ".gitattributes"})
_CHOOSES_AN_ENGINE = frozenset({".terraform-version", ".opentofu-version"})


@dataclass(frozen=True, slots=True)
class Closure:
    """What an environment's source is made of. ``directories`` are the root module's and those of
    the local modules that are called from it, by their paths from the repository's root (empty:
    that itself), each with the modules that lead there. ``speaks_of`` are the endings of files for
    people that some source names."""

    directories: Mapping[str, tuple[str, ...]]
    references: tuple[FileReference, ...] = ()
    speaks_of: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Reason:
    """Why an environment is concerned, as a clause, and the file that changed, if it is one."""

    because: str
    path: str = ""


@dataclass(frozen=True, slots=True)
class Affected:
    """The environments that are concerned, each with its reasons, and all others; ``removed`` are
    those that the configuration made before and no longer makes. ``unsure`` says why it could not
    be told, as a sentence: then all of them are concerned."""

    reasons: Mapping[str, tuple[Reason, ...]]
    others: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()
    unsure: str = ""

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(self.reasons)


def closure_of(root: str, sources_of: Callable[[str], Sources]) -> Closure:
    """The closure of a root module, by its directory. ``sources_of`` gives what a directory holds;
    nothing for one that is not there."""
    directories: dict[str, tuple[str, ...]] = {}
    references: list[FileReference] = []
    speaks_of: set[str] = set()
    waiting: list[tuple[str, tuple[str, ...]]] = [(root, ())]
    while waiting:
        here, way = waiting.pop()
        if here in directories:
            continue
        directories[here] = way
        held = sources_of(here)
        texts = held.texts
        references += file_references(texts, module=here, root=root)
        references += [
            FileReference(target, False, posixpath.join(here, name))
            for name, target in held.links.items()
            if target is not None
        ]
        for text in texts.values():
            speaks_of.update(each for each in _FOR_PEOPLE if each in text)
        for call in read_module(texts).modules:
            if call.source is None:
                # It is not known where it leads.
                references.append(FileReference("", True, posixpath.join(here, call.name)))
            elif call.is_local and (there := _join(here, call.source)) is not None:
                waiting.append((there, (*way, here)))
    return Closure(directories, tuple(references), frozenset(speaks_of))


def affected(
    environments: Sequence[Environment],
    before: Sequence[Environment],
    changed: Collection[str],
    closures: Mapping[str, Closure],
    *,
    here: str = "",
    of_all: bool = False,
) -> Affected:
    """What the files at the paths ``changed`` (from the repository's root; of what was renamed both
    names) concern. ``before`` are the environments as the configuration made them then;
    ``closures`` are those of the environments, by name, that lie in this repository. ``here`` is
    the directory of the configuration in it, where the paths of policies begin. ``of_all``: it says
    something else of all environments."""
    earlier = {each.name: each for each in before}
    modules = {directory for each in closures.values() for directory in each.directories}
    files = [_file(path, modules) for path in sorted(changed)]
    reasons: dict[str, tuple[Reason, ...]] = {}
    for each in environments:
        found = [*_by_settings(each, earlier.get(each.name), of_all=of_all)]
        if each.name in closures:
            found += _by_files(each, closures[each.name], here, files)
        if found:
            reasons[each.name] = tuple(found)
    names = [each.name for each in environments]
    return Affected(
        reasons,
        others=tuple(name for name in names if name not in reasons),
        removed=tuple(name for name in earlier if name not in names),
    )


def all_affected(environments: Iterable[Environment], why: str) -> Affected:
    """Where nobody can tell."""
    reason = Reason("it cannot be told what changed")
    return Affected({each.name: (reason,) for each in environments}, unsure=why)


def _by_settings(now: Environment, before: Environment | None, *, of_all: bool) -> Iterator[Reason]:
    if before is None:
        yield Reason("it is new")
    elif of_all:
        yield Reason("the configuration says something else of all environments")
    elif _settings(now) != _settings(before):
        yield Reason("the configuration says something else of it")


def _settings(environment: Environment) -> Environment:
    """Without what has nothing to do with what a plan of it says."""
    return replace(environment, interval_seconds=0, needs=())


@dataclass(frozen=True, slots=True)
class _File:
    """A file that changed. ``module`` is the nearest module that it lies in; None: in none.
    ``for_people`` is empty where an engine may read it."""

    path: str
    module: str | None
    for_people: frozenset[str]


def _file(path: str, modules: Collection[str]) -> _File:
    name, here = posixpath.basename(path), posixpath.dirname(path)
    while here and here not in modules:
        here = posixpath.dirname(here)
    for_people = {each for each in _FOR_PEOPLE if name.lower().endswith(each)}
    if name in _NAMED_FOR_PEOPLE:
        for_people.add(name)
    return _File(path, here if here in modules else None, frozenset(for_people))


def _by_files(
    environment: Environment, closure: Closure, here: str, files: Sequence[_File]
) -> Iterator[Reason]:
    policies = [_join(here, path) for path in _policies(environment)]
    for file in files:
        if because := _why(environment, closure, policies, file):
            yield Reason(because, file.path)


def _why(
    environment: Environment, closure: Closure, policies: Sequence[str | None], file: _File
) -> str:
    """Why the file concerns the environment, as a clause; empty: it does not."""
    path = file.path
    if path in environment.var_files:
        return "it is one of its var-files"
    if any(each is not None and _is_in(path, each) for each in policies):
        return "it is one of its policies"
    if posixpath.basename(path) in _CHOOSES_AN_ENGINE:
        chooses = _is_in(_root_of(environment), posixpath.dirname(path))
        return "it chooses its engine" if chooses else ""
    way = None if file.module is None else closure.directories.get(file.module)
    if file.module is not None and way is not None and file.for_people <= closure.speaks_of:
        return _in_module(file.module, way)
    for directory in closure.directories:
        if directory and _is_in(directory, path):
            return f"{directory} lies in it"  # a submodule, or a link
    for reference in closure.references:
        if reference.means(path):
            if not reference.path:
                return f"{reference.where} reads files whose names it does not say"
            return f"{reference.where} reads it"
    return ""


def _policies(environment: Environment) -> Iterator[str]:
    for policy in environment.policies:
        match policy:
            case RegoPolicy():
                yield from policy.paths
            case CheckProgram():
                # Whichever of its words is a file of this repository.
                yield from policy.argv
            case _ as never:
                assert_never(never)


def _root_of(environment: Environment) -> str:
    return "" if environment.path == "." else environment.path


def _is_in(path: str, directory: str) -> bool:
    """Is it the same, or does it lie below?"""
    return not directory or path == directory or path.startswith(f"{directory}/")


def _in_module(directory: str, way: Sequence[str]) -> str:
    if not way:
        return "it lies in the environment"
    through = " through " + " and ".join(way[1:]) if way[1:] else ""
    return f"it lies in {directory}, a module that it uses{through}"


def _join(directory: str, source: str) -> str | None:
    found = posixpath.normpath(posixpath.join(directory, source))
    if found == ".." or found.startswith("../"):
        return None
    return "" if found == "." else found
