"""Config × the files of each source → the environments, every setting decided.

Globs find directories, names are made, three layers of settings become one. Nothing here knows
whether an environment works: one whose directory is gone is kept, so that its check can fail.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from graphlib import CycleError, TopologicalSorter
from typing import Final, TypeVar

from driftctl_py.core.approval import People, Requirement, may_ever_approve
from driftctl_py.core.config_model import (
    ApprovalSetting,
    Config,
    Entry,
    LimitsSetting,
    ModesSetting,
    Need,
    OwnState,
    Said,
    Settings,
)
from driftctl_py.core.config_shape import did_you_mean
from driftctl_py.core.config_values import Refusal, environment_name, shown
from driftctl_py.core.environment import (
    ApplyModes,
    EngineChoice,
    Environment,
    Mode,
    S3State,
    tightened,
)
from driftctl_py.core.limits import Limits
from driftctl_py.core.path_glob import Match, PathGlob
from driftctl_py.core.policy import Policy
from driftctl_py.core.rule import Effect, Rule
from driftctl_py.core.window import Freeze, Window
from driftctl_py.errors import ConfigError, Problem

ENGINE_SUFFIXES: Final = (".tf", ".tf.json", ".tofu", ".tofu.json")

_Directory = tuple[str, ...]
# Is it about the environment of this name and these labels?
_Covers = Callable[[str, Mapping[str, str]], bool]
Value = TypeVar("Value")


def expand(config: Config, trees: Mapping[str, Collection[str]]) -> tuple[Environment, ...]:
    """The environments, in the order of the file; those of one glob in the order of their paths.

    ``trees`` holds, for each source by name, the paths of all its files. A source that could not
    be read may be left out: its globs then find nothing, its single directories are kept, and
    names that nothing is known of may be its, so none of that is an error.

    Raises ConfigError with everything that does not fit.
    """
    expansion = _Expansion(config, {name: _Tree.of(files) for name, files in trees.items()})
    for entry in config.entries:
        expansion.add(entry)
    expansion.check_overrides()
    environments = tuple(expansion.environment(found) for found in expansion.found.values())
    expansion.check_needs()
    expansion.check_approvals(environments)
    expansion.check_asking(environments)
    expansion.check_scopes()
    if expansion.problems:
        raise ConfigError(tuple(sorted(expansion.problems, key=lambda problem: problem.line)))
    return environments


def tightened_by(own: Environment, theirs: Config, files: Collection[str]) -> Environment:
    """Our environment, with whatever the copy of the configuration that the watched repository
    holds says stricter of the same directory. ``files`` are those of that repository. What the
    copy does not say stays, and so does what it says more loosely.

    Raises ConfigError for a copy that does not fit its own repository, and for one that wants
    policies to be asked.
    """
    here = {name for name, source in theirs.sources.items() if source.url == "."}
    expansion = _Expansion(theirs, dict.fromkeys(here, _Tree.of(files)))
    for entry in theirs.entries:
        if entry.source in here:
            expansion.add(entry)
    meant = [found for found in expansion.found.values() if found.path == own.path]
    expansion.check_no_policies(meant)
    if expansion.problems:
        raise ConfigError(tuple(sorted(expansion.problems, key=lambda problem: problem.line)))
    for found in meant:
        own = tightened(own, _said_of(own, found, expansion))
    return own


def as_it_says(config: Config, trees: Mapping[str, Collection[str]]) -> tuple[Environment, ...]:
    """The environments that a configuration would make of files that are not its own: what does
    not fit them is left out, and is no error."""
    expansion = _Expansion(config, {name: _Tree.of(files) for name, files in trees.items()})
    for entry in config.entries:
        expansion.add(entry)
    return tuple(expansion.environment(found) for found in expansion.found.values())


def as_said_of_any(config: Config, name: str, path: str, source: str) -> Environment:
    """An environment that no entry of the configuration finds, as its defaults, and what it says of
    that name, have it."""
    override = config.overrides.get(name)
    settings = merge(config.defaults, *([override.settings] if override else []))
    entry = Entry(0, path, source)
    return _Expansion(config, {}).environment(_Found(name, path, entry, settings))


def as_labelled(
    config: Config, own: Environment, name: str, labels: Mapping[str, str]
) -> Environment:
    """The environment with the rules, windows, freezes and policies that speak of one of that name
    and with these labels."""
    expansion = _Expansion(config, {})
    found = _Found(name, own.path, Entry(0, own.path, own.source), Settings(labels=labels))
    return replace(
        own,
        rules=expansion.rules(found),
        timetables=expansion.timetables(found),
        freezes=expansion.freezes(found),
        policies=expansion.policies(found),
    )


def _said_of(own: Environment, found: _Found, expansion: _Expansion) -> Environment:
    """Our environment as another configuration has it, as far as that says anything."""
    settings = found.settings
    modes, asked, ours = settings.apply, settings.approval, own.requirement
    said = _requirement(
        _approval(
            asked,
            ApprovalSetting(
                ours.count,
                tuple(Said(group, 0) for group in ours.groups),
                ours.expires_seconds,
                ours.author_may,
                ours.unverified,
            ),
        )
    )
    return replace(
        own,
        apply=ApplyModes(modes.git or own.apply.git, modes.drift or own.apply.drift),
        requirement=said.also(ours.each_of, ours.asks),
        limits=_decided(settings.limits, own.limits),
        reviewed=bool(modes.reviewed),
        rules=expansion.rules(found),
        timetables=expansion.timetables(found),
        freezes=expansion.freezes(found),
    )


def is_engine_file(name: str) -> bool:
    """Whether the engine reads a file of this name (it skips hidden ones)."""
    return name.endswith(ENGINE_SUFFIXES) and not name.startswith(".")


def merge(*layers: Settings) -> Settings:
    """Later layers win. Variables, labels, environment variables, limits and what is said of
    applying and approving are joined by key; a list, an engine, a state and each of the two
    identities is replaced as a whole."""
    merged = Settings()
    for layer in layers:
        merged = Settings(
            ref=_later(layer.ref, merged.ref),
            workspace=_later(layer.workspace, merged.workspace),
            variables={**merged.variables, **layer.variables},
            var_files=_later(layer.var_files, merged.var_files),
            interval_seconds=_later(layer.interval_seconds, merged.interval_seconds),
            plan_timeout_seconds=_later(layer.plan_timeout_seconds, merged.plan_timeout_seconds),
            parallelism=_later(layer.parallelism, merged.parallelism),
            needs=_later(layer.needs, merged.needs),
            labels={**merged.labels, **layer.labels},
            env={**merged.env, **layer.env},
            plan_credentials=_later(layer.plan_credentials, merged.plan_credentials),
            apply_credentials=_later(layer.apply_credentials, merged.apply_credentials),
            engine=_later(layer.engine, merged.engine),
            # A type checker cannot join the two alternatives through _later.
            state=merged.state if layer.state is None else layer.state,
            apply=ModesSetting(
                _later(layer.apply.git, merged.apply.git),
                _later(layer.apply.drift, merged.apply.drift),
                _later(layer.apply.reviewed, merged.apply.reviewed),
            ),
            approval=_approval(layer.approval, merged.approval),
            apply_grace_seconds=_later(layer.apply_grace_seconds, merged.apply_grace_seconds),
            limits=_limits(layer.limits, merged.limits),
        )
    return merged


def _approval(upper: ApprovalSetting, lower: ApprovalSetting) -> ApprovalSetting:
    return ApprovalSetting(
        _later(upper.count, lower.count),
        _later(upper.groups, lower.groups),
        _later(upper.expires_seconds, lower.expires_seconds),
        _later(upper.author_may, lower.author_may),
        _later(upper.unverified, lower.unverified),
    )


def _limits(upper: LimitsSetting, lower: LimitsSetting) -> LimitsSetting:
    return LimitsSetting(
        _later(upper.failures, lower.failures),
        _later(upper.applies_per_day, lower.applies_per_day),
        _later(upper.heals_per_day, lower.heals_per_day),
    )


def _decided(said: LimitsSetting, otherwise: Limits) -> Limits:
    """0 is an answer."""
    return Limits(
        otherwise.failures if said.failures is None else said.failures,
        otherwise.applies_per_day if said.applies_per_day is None else said.applies_per_day,
        otherwise.heals_per_day if said.heals_per_day is None else said.heals_per_day,
    )


def _later(upper: Value | None, lower: Value | None) -> Value | None:
    return lower if upper is None else upper


@dataclass(frozen=True, slots=True)
class _Tree:
    """The directories of one source. ``with_engine_files`` hold some directly, ``above`` lie
    over such a directory. What is hidden (.git, .terraform) is not among them."""

    directories: frozenset[_Directory]
    with_engine_files: frozenset[_Directory]
    above: frozenset[_Directory]

    @staticmethod
    def of(files: Iterable[str]) -> _Tree:
        directories: set[_Directory] = {()}
        with_engine_files: set[_Directory] = set()
        for file in files:
            *parts, name = file.split("/")
            directory = tuple(parts)
            if any(part.startswith(".") for part in directory):
                continue
            if is_engine_file(name):
                with_engine_files.add(directory)
            while directory not in directories:
                directories.add(directory)
                directory = directory[:-1]
        above = {
            directory[:depth] for directory in with_engine_files for depth in range(len(directory))
        }
        return _Tree(frozenset(directories), frozenset(with_engine_files), frozenset(above))


@dataclass(frozen=True, slots=True)
class _Found:
    """A directory that is to be an environment, and the entry that says so."""

    name: str
    path: str
    entry: Entry
    settings: Settings


class _Expansion:
    """One pass over the configuration; collects what is found and what is wrong."""

    def __init__(self, config: Config, trees: Mapping[str, _Tree]) -> None:
        self.found: dict[str, _Found] = {}
        self.problems: list[Problem] = []
        self._config = config
        self._trees = trees
        self._all_known = all(entry.source in trees for entry in config.entries)

    def add(self, entry: Entry) -> None:
        if entry.glob is None:
            parts = () if entry.path == "." else tuple(entry.path.split("/"))
            self._put(entry, parts, Match((), parts[-1:]))
        elif entry.source in self._trees:
            for directory, match in self._matches(entry, entry.glob, self._trees[entry.source]):
                self._put(entry, directory, match)

    def environment(self, found: _Found) -> Environment:
        """Every setting decided; what nobody said has the default of Environment."""
        config, settings = self._config, found.settings
        default = Environment(found.name, found.path)
        choice = EngineChoice(config.engine.use, config.engine.version)
        return replace(
            default,
            source=found.entry.source,
            ref=settings.ref,
            workspace=settings.workspace or default.workspace,
            variables=settings.variables,
            var_files=settings.var_files or (),
            interval_seconds=settings.interval_seconds or default.interval_seconds,
            plan_timeout_seconds=settings.plan_timeout_seconds or default.plan_timeout_seconds,
            parallelism=settings.parallelism,
            needs=tuple(need.name for need in settings.needs or ()),
            labels=settings.labels,
            env=settings.env,
            plan_credentials=settings.plan_credentials,
            apply_credentials=settings.apply_credentials,
            engine=settings.engine or choice,
            state=self._state(settings),
            apply=ApplyModes(
                settings.apply.git or default.apply.git,
                settings.apply.drift or default.apply.drift,
            ),
            requirement=_requirement(settings.approval),
            apply_grace_seconds=settings.apply_grace_seconds or default.apply_grace_seconds,
            limits=_decided(settings.limits, default.limits),
            reviewed=bool(settings.apply.reviewed),
            rules=self.rules(found),
            timetables=self.timetables(found),
            freezes=self.freezes(found),
            policies=self.policies(found),
        )

    def rules(self, found: _Found) -> tuple[Rule, ...]:
        """Those that speak of this environment."""
        return tuple(
            each.rule
            for each in self._config.rules
            if each.rule.speaks_of(found.name, found.settings.labels)
        )

    def timetables(self, found: _Found) -> tuple[tuple[Window, ...], ...]:
        """One of the windows that speak of it, if there are any."""
        windows = tuple(
            each.window
            for each in self._config.windows
            if each.window.scope.covers(found.name, found.settings.labels)
        )
        return (windows,) if windows else ()

    def freezes(self, found: _Found) -> tuple[Freeze, ...]:
        return tuple(
            each.freeze
            for each in self._config.freezes
            if each.freeze.scope.covers(found.name, found.settings.labels)
        )

    def policies(self, found: _Found) -> tuple[Policy, ...]:
        return tuple(
            each.policy
            for each in self._config.policies
            if each.policy.scope.covers(found.name, found.settings.labels)
        )

    def check_no_policies(self, meant: Iterable[_Found]) -> None:
        """To ask them would be to run a program of whoever may write to a watched repository, and
        not to ask them would drop what somebody wants to be asked."""
        wanted = {policy.name: policy for found in meant for policy in self.policies(found)}
        for each in self._config.policies:
            if each.policy.name in wanted:
                self._note(
                    each.line,
                    f"The policy {each.policy.name} is named by the watched repository itself, "
                    "whose programs and Rego are not run, so what it asks for is not known.",
                    "Write it into the configuration that driftctl-py is started with, together "
                    "with its files, and take it out of this one.",
                )

    def check_scopes(self) -> None:
        """What is about no environment was meant for one, under another name."""
        for line, what, covers in self._scopes():
            if self._all_known and not any(
                covers(found.name, found.settings.labels) for found in self.found.values()
            ):
                self._note(
                    line,
                    f"The {what} speaks of no environment: none has such a name and such labels, "
                    "so nothing would use it.",
                    f"There are: {', '.join(sorted(self.found)) or 'none'}.",
                )

    def _scopes(self) -> Iterator[tuple[int, str, _Covers]]:
        config = self._config
        for rule in config.rules:
            yield rule.line, f"rule {rule.rule.name}", rule.rule.speaks_of
        for window in config.windows:
            yield window.line, f"window {window.window.name}", window.window.scope.covers
        for freeze in config.freezes:
            yield freeze.line, f"freeze {freeze.freeze.name}", freeze.freeze.scope.covers
        for policy in config.policies:
            yield policy.line, f"policy {policy.policy.name}", policy.policy.scope.covers

    def check_overrides(self) -> None:
        for name, override in self._config.overrides.items():
            if name not in self.found and self._all_known:
                self._note(
                    override.line,
                    f"overrides.{name} names no environment, so nothing would use it.",
                    self._known_names(name),
                )

    def check_needs(self) -> None:
        needs = {
            found.name: [need for need in found.settings.needs or () if self._exists(found, need)]
            for found in self.found.values()
        }
        graph = {name: {need.name for need in given} for name, given in needs.items()}
        while cycle := _cycle(graph):
            first, second = cycle[0], cycle[1]
            line = next(need.line for need in needs[first] if need.name == second)
            self._note(
                line,
                f"The environments need each other in a circle: {' → '.join(cycle)}.",
                f"Take {second} out of the needs of {first}, or another one out of the circle.",
            )
            graph[first].remove(second)

    def check_approvals(self, environments: Iterable[Environment]) -> None:
        """What waits for a yes that nobody can give would wait for ever."""
        waiting: dict[tuple[int, Requirement], list[str]] = {}
        for each in environments:
            if Mode.GATE in (each.apply.git, each.apply.drift):
                line = self._line(self.found[each.name])
                waiting.setdefault((line, each.requirement), []).append(each.name)
        for (line, requirement), names in waiting.items():
            short, todo = _nobody(requirement, self._config.people, "choose auto or never")
            if short:
                listed = ", ".join(names[:3]) + (", …" if len(names) > 3 else "")
                self._note(line, f"{listed}: apply is gate, but {short}.", todo)

    def check_asking(self, environments: Iterable[Environment]) -> None:
        """So would what a rule or a policy asks for, where anything is applied at all."""
        applied = [each for each in environments if each.apply != ApplyModes()]
        for line, what, covers, count, groups in self._asking():
            covered = (each.requirement for each in applied if covers(each.name, each.labels))
            for requirement in dict.fromkeys(covered):
                short, todo = self._unanswered(requirement, count, groups)
                if short:
                    self._note(line, f"The {what} asks for a yes, but {short}.", todo)
                    break

    def _asking(self) -> Iterator[tuple[int, str, _Covers, int, tuple[str, ...]]]:
        for setting in self._config.rules:
            rule = setting.rule
            if rule.effect is Effect.APPROVE:
                what = f"rule {rule.name}"
                yield setting.line, what, rule.speaks_of, rule.count, rule.groups
        for each in self._config.policies:
            policy = each.policy
            if Effect.APPROVE in policy.levels.values():
                what = f"policy {policy.name}"
                yield each.line, what, policy.scope.covers, 1, policy.groups

    def _unanswered(
        self, requirement: Requirement, count: int, groups: tuple[str, ...]
    ) -> tuple[str, str]:
        for persons, asked in (*((1, (group,)) for group in groups), (count, groups)):
            wanted = replace(requirement, count=persons, groups=asked)
            if (found := _nobody(wanted, self._config.people, "use deny"))[0]:
                return found
        return "", ""

    def _line(self, found: _Found) -> int:
        override = self._config.overrides.get(found.name)
        if override and (override.settings.apply, override.settings.approval) != _NOT_SAID:
            return override.line
        return found.entry.line

    def _exists(self, found: _Found, need: Need) -> bool:
        if need.name == found.name:
            self._note(
                need.line,
                f"{found.name} needs itself, so it could never be next.",
                f"Take it out, or give {found.name} `needs: []` under `overrides`.",
            )
        elif need.name in self.found:
            return True
        elif self._all_known:
            self._note(
                need.line,
                f"{found.name} needs {shown(need.name)}, but no environment has that name.",
                self._known_names(need.name),
            )
        return False

    def _known_names(self, name: str) -> str:
        known = sorted(self.found)
        listed = ", ".join(known[:20]) + (", …" if len(known) > 20 else "")
        return f"{did_you_mean(name, known)}There are: {listed or 'none'}."

    def _matches(self, entry: Entry, glob: PathGlob, tree: _Tree) -> list[tuple[_Directory, Match]]:
        matched = [
            (directory, match)
            for directory in sorted(tree.directories)
            if (match := glob.match(directory)) is not None
        ]
        left = [
            (directory, match)
            for directory, match in matched
            if not any(_covers(pattern, directory) for pattern in entry.exclude)
        ]
        kept = [
            (directory, match)
            for directory, match in left
            if directory in tree.with_engine_files
            # A directory that a person pointed at and that lost its files must be seen to fail;
            # a search (**) comes through many directories that were never meant.
            or not (directory in tree.above or glob.is_search)
        ]
        if not kept:
            self._note_nothing(entry, glob, tree, [d for d, _ in matched], [d for d, _ in left])
        return kept

    def _note_nothing(
        self,
        entry: Entry,
        glob: PathGlob,
        tree: _Tree,
        matched: Sequence[_Directory],
        left: Sequence[_Directory],
    ) -> None:
        there = sorted("/".join(directory) or "." for directory in tree.with_engine_files)
        listed = ", ".join(there[:8]) + (", …" if len(there) > 8 else "")
        todo = (
            f"Files of the engine ({', '.join(ENGINE_SUFFIXES[::2])}) lie in: {listed}."
            if there
            else f"The source {entry.source} holds no files of the engine at all: "
            "check its URL and its ref."
        )
        if left and glob.is_search:
            what = "finds no directory that holds files of the engine"
        elif left:
            what = "matches only directories above those that hold files of the engine"
            todo = f"Write one level more ({entry.path}/*) or any depth ({entry.path}/**). {todo}"
        elif matched:
            what = f"matches only what `exclude` takes away ({len(matched)} directories)"
        else:
            what = "matches no directory"
            close = did_you_mean(entry.path, ["/".join(d) for d in tree.directories if d])
            todo = close + todo
        self._note(entry.line, f"{shown(entry.path)} {what} in the source {entry.source}.", todo)

    def _put(self, entry: Entry, directory: _Directory, match: Match) -> None:
        path = "/".join(directory) or "."
        name = _name(entry, directory, path, match)
        try:
            environment_name(name)
        except Refusal as refusal:
            self._note(
                entry.line,
                f"{path} would be called {shown(name)}, {refusal.why}.",
                f"{refusal.todo} Give the entry a `name`, or `exclude` the directory.",
            )
            return
        if earlier := self.found.get(name):
            self._note_twice(earlier, entry, name, path)
            return
        override = self._config.overrides.get(name)
        layers = [self._config.defaults, entry.settings, *([override.settings] if override else [])]
        self.found[name] = _Found(name, path, entry, merge(*layers))

    def _note_twice(self, earlier: _Found, entry: Entry, name: str, path: str) -> None:
        same = (earlier.path, earlier.entry.source) == (path, entry.source)
        first = f"in line {earlier.entry.line}"
        if same:
            what = f"{path} is listed already {first}, and both would be called {shown(name)}."
            todo = (
                "Remove one of the two; for settings of its own use `overrides`. If both are "
                "meant, for example in two workspaces, give each a `name`."
            )
        else:
            what = (
                f"{path} would be called {shown(name)}, like {earlier.path} of the source "
                f"{earlier.entry.source} {first}."
            )
            todo = 'Give the entry a `name`, for example "{path}" or "{source}/{dir}".'
        self._note(entry.line, what, todo)

    def _state(self, settings: Settings) -> S3State | None:
        match settings.state:
            case OwnState():
                return None
            case None:
                return self._config.state
            case state:
                return state

    def _note(self, line: int, what: str, todo: str) -> None:
        self.problems.append(Problem(self._config.filename, line, what, todo))


_NOT_SAID: Final = (ModesSetting(), ApprovalSetting())


def _requirement(said: ApprovalSetting) -> Requirement:
    default = Requirement()
    return Requirement(
        count=said.count or default.count,
        groups=tuple(each.text for each in said.groups or ()),
        author_may=bool(said.author_may),
        unverified=bool(said.unverified),
        expires_seconds=said.expires_seconds or default.expires_seconds,
    )


def _nobody(requirement: Requirement, people: People, otherwise: str) -> tuple[str, str]:
    """Why it could never be approved, as a clause, and a remedy; empty where it could."""
    able = sorted(may_ever_approve(requirement, people))
    if len(able) >= requirement.count:
        return "", ""
    if not people.aliases:
        return (
            "`people` names nobody, so no plan could ever be approved",
            "Say who may: people: {ada: [github:ada]} and groups: {platform: [ada]}; or "
            f"{otherwise}.",
        )
    asked = f"in {', '.join(requirement.groups)}" if requirement.groups else "in any group"
    there = f"only {', '.join(able)} could" if able else "nobody could"
    return (
        f"it takes {requirement.count} {asked} whose identity counts, and {there} approve",
        "Put more people with an identity of github, aws or key into the groups, or ask for fewer.",
    )


def _covers(pattern: PathGlob, directory: _Directory) -> bool:
    """Whether the directory, or one that it lies in, is meant."""
    return any(pattern.match(directory[:depth]) is not None for depth in range(len(directory) + 1))


def _name(entry: Entry, directory: _Directory, path: str, match: Match) -> str:
    last = directory[-1] if directory else "root"
    if entry.name is None:
        return "/".join(match.wild) or last
    values = {"source": entry.source, "path": path if directory else "root", "dir": last}
    values.update((str(number), star) for number, star in enumerate(match.stars, start=1))
    return re.sub(r"\{(\w+)\}", lambda placeholder: values[placeholder[1]], entry.name)


def _cycle(graph: Mapping[str, set[str]]) -> list[str]:
    """Names that need each other, the first again at the end; empty where there are none."""
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        # graphlib tells it from the one that comes first to the one that needs it.
        found: list[str] = error.args[1]
        return found[::-1]
    return []
