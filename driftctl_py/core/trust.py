"""Whose word counts in what somebody proposes: the base's, but for what there is to plan.

``base`` is the driftctl.yaml of what a change goes into, ``head`` that of the change, which is
written by whomever the gate is for. The head says which environments there are, where their code
lies, and with which variables: so a new one is planned before it is merged. All else is the base's,
and where an environment is not where the base had it, the strictest of all that the base says of
its name, its labels and its place. Between two equal files nothing is changed.

Nothing here reads a file or asks Git. What the code itself can do is not held back by any of this:
a plan runs it, so it only runs with credentials that read.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace

from driftctl_py.core.config_expand import as_it_says, as_labelled, as_said_of_any, expand
from driftctl_py.core.config_model import Config
from driftctl_py.core.environment import Environment, tightened
from driftctl_py.core.rule import Effect


@dataclass(frozen=True, slots=True)
class Refused:
    """An environment that the head names and that is not planned: why, and what to do."""

    environment: Environment
    why: str
    todo: str


@dataclass(frozen=True, slots=True)
class Trusted:
    """What there is to review, by the base's word. ``gone`` are the base's environments that the
    head does not have under their names. ``notes`` say in which keys the head says
    otherwise and is not heard: those of its environments by name, those of all of it under an
    empty one."""

    environments: tuple[Environment, ...]
    gone: tuple[Environment, ...] = ()
    refused: tuple[Refused, ...] = ()
    notes: Mapping[str, str] = field(default_factory=dict)


def trusted(
    base: Config,
    head: Config,
    *,
    base_trees: Mapping[str, Collection[str]],
    head_trees: Mapping[str, Collection[str]],
) -> Trusted:
    """The head's environments as the base's word has them, in the head's order. The trees are those
    of the base's sources, by name, as they are at the base and at the head.

    Raises `ConfigError` for either file where it does not fit its own tree.
    """
    known = {each.name: each for each in expand(base, base_trees)}
    covered = {each.name: each for each in as_it_says(base, head_trees)}
    environments, refused, notes = [], [*_unseen(base, head)], dict[str, str]()
    if keys := _other_keys(base, head):
        notes[""] = _unheard(keys, "The driftctl.yaml that is proposed")
    for theirs in expand(head, head_trees):
        if theirs.source not in base.sources:
            refused.append(_of_unknown_source(theirs))
            continue
        files = head_trees.get(theirs.source, ())
        if lost := [name for name in theirs.var_files if name not in files]:
            refused.append(_without_files(theirs, lost))
            continue
        own = _own(theirs, base, known, covered)
        found = _as_proposed(theirs, own, base, tuple(known.values()))
        environments.append(found)
        if keys := _other_settings(theirs, found):
            notes[theirs.name] = _unheard(keys, f"What is proposed for {theirs.name}")
    there = {each.name for each in environments} | {each.environment.name for each in refused}
    gone = tuple(each for each in known.values() if each.name not in there)
    return Trusted(tuple(environments), gone, tuple(refused), notes)


def _own(
    theirs: Environment,
    base: Config,
    known: Mapping[str, Environment],
    covered: Mapping[str, Environment],
) -> Environment:
    """The base's environment that is meant: the one of that name; else the one in that directory,
    which has got another name; else what the base would make of the directory, or of any."""
    if theirs.name in known:
        return known[theirs.name]
    there = [each for each in known.values() if _directory(each) == _directory(theirs)]
    if len(there) == 1:
        return there[0]
    found = covered.get(theirs.name)
    if found is not None and _directory(found) == _directory(theirs):
        return found
    return as_said_of_any(base, theirs.name, theirs.path, theirs.source)


def _as_proposed(
    theirs: Environment, own: Environment, base: Config, known: Sequence[Environment]
) -> Environment:
    found = replace(
        own,
        name=theirs.name,
        path=theirs.path,
        source=theirs.source,
        workspace=theirs.workspace,
        variables=theirs.variables,
        var_files=theirs.var_files,
        needs=theirs.needs,
    )
    beside: list[Environment] = []
    if own.name != theirs.name:
        found = as_labelled(base, found, theirs.name, own.labels)
        beside.append(own)
    if own.labels != theirs.labels:
        beside.append(as_labelled(base, found, theirs.name, theirs.labels))
    is_known = any(each.name == theirs.name for each in known)
    if not is_known or (*_directory(own), own.workspace) != (*_directory(theirs), theirs.workspace):
        # Another name for what somebody else has: it is as strict as theirs.
        beside += [each for each in known if _directory(each) == _directory(theirs)]
    for each in beside:
        found = _as_strict_as(found, each)
    return found


def _as_strict_as(own: Environment, other: Environment) -> Environment:
    """The stricter of both in everything; what only one of them allows is not allowed."""
    allowed = [each for each in own.rules if each.effect is not Effect.ALLOW or each in other.rules]
    asked = [each for each in other.rules if each.effect is not Effect.ALLOW]
    return replace(
        tightened(own, other),
        rules=(*allowed, *(each for each in asked if each not in allowed)),
        policies=(*own.policies, *(each for each in other.policies if each not in own.policies)),
    )


def _directory(environment: Environment) -> tuple[str, str]:
    return environment.source, environment.path


# --- What is not planned, and what is not heard.


def _unseen(base: Config, head: Config) -> Iterator[Refused]:
    """Of globs in sources that the base does not know, nobody can say what they would find."""
    for entry in head.entries:
        if entry.glob is not None and entry.source not in base.sources:
            found = Environment(f"{entry.path} ({entry.source})", entry.path, entry.source)
            yield _of_unknown_source(found)


def _of_unknown_source(environment: Environment) -> Refused:
    return Refused(
        environment,
        f"{environment.name} comes from the source {environment.source}, which the base does not "
        "know: which repositories are read, and with whose token, is not for a proposal to say.",
        "Merge the source first, without environments in it; then propose those.",
    )


def _without_files(environment: Environment, lost: Sequence[str]) -> Refused:
    return Refused(
        environment,
        f"The var-files of {environment.name} ({', '.join(lost)}) are no files of the source: what "
        "only lies on the machine that plans is not for a proposal to read.",
        "Add them to Git, or correct `var_files`; paths are relative to the repository's root.",
    )


def _unheard(keys: Sequence[str], what: str) -> str:
    return (
        f"{what} says otherwise of {', '.join(keys)}; until it is merged, what the base says "
        "counts, and then it has to be reviewed once more."
    )


# Fields of `Environment` that are the base's, by the keys that they are written under.
_SETTINGS = {
    "ref": "ref",
    "labels": "labels",
    "env": "env",
    "plan_credentials": "credentials",
    "apply_credentials": "credentials",
    "engine": "engine",
    "state": "state",
    "plan_timeout_seconds": "timeout",
    "parallelism": "parallelism",
    "apply": "apply",
    "reviewed": "apply",
    "requirement": "approval",
    "limits": "limits",
}
# Fields of `Config` that are nobody's to compare: where it lies, and what is compared by its
# environments.
_BY_ENVIRONMENT = frozenset({"filename", "entries", "defaults", "overrides"})
_KEYS = {
    "store_url": "store",
    "store_url_env": "store",
    "store_in_artifacts": "store",
    "retention_seconds": "retention",
}
# Fields whose items say in which line they stand, by what is in them.
_WITH_LINES = {"rules": "rule", "windows": "window", "freezes": "freeze", "policies": "policy"}


def _other_settings(theirs: Environment, found: Environment) -> list[str]:
    return list(
        dict.fromkeys(
            key for name, key in _SETTINGS.items() if getattr(theirs, name) != getattr(found, name)
        )
    )


def _other_keys(base: Config, head: Config) -> list[str]:
    names = [each.name for each in fields(Config) if each.name not in _BY_ENVIRONMENT]
    return list(
        dict.fromkeys(
            _KEYS.get(name, name) for name in names if _said(base, name) != _said(head, name)
        )
    )


def _said(config: Config, name: str) -> object:
    found = getattr(config, name)
    inner = _WITH_LINES.get(name)
    return found if inner is None else [getattr(each, inner) for each in found]
