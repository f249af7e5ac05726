"""driftctl.yaml → Config, strictly: what cannot be understood is an error, never a guess.

The way through: `config_yaml` (text → nodes with lines), `config_schema` (what keys there are),
here (what goes together), `config_expand` (with the files of the sources → the environments).
Nothing here opens the file or knows where it lies.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any, assert_never

from driftctl_py.core.approval import People
from driftctl_py.core.config_expand import expand
from driftctl_py.core.config_model import (
    DEFAULT_RETENTION_SECONDS,
    Config,
    EngineSettings,
    Entry,
    Override,
    PolicySetting,
    Said,
    Settings,
    StoreSettings,
)
from driftctl_py.core.config_schema import FILE, config_schema, schema_text
from driftctl_py.core.config_shape import Notes, did_you_mean, wrong_shape
from driftctl_py.core.config_values import duration_text, moment_text
from driftctl_py.core.config_yaml import Kind, Scalar, Table, read_yaml, write_yaml
from driftctl_py.core.environment import (
    Credentials,
    EngineChoice,
    Environment,
    S3State,
    Source,
)
from driftctl_py.core.masks import Mask
from driftctl_py.core.path_glob import escape
from driftctl_py.core.places import S3ArtifactsPlace
from driftctl_py.core.policy import CheckProgram, Policy, RegoPolicy
from driftctl_py.core.rule import Effect, Rule
from driftctl_py.core.scope import Scope
from driftctl_py.core.values import Json
from driftctl_py.core.window import Freeze, Window
from driftctl_py.errors import ConfigError, Problem

__all__ = [
    "Config",
    "EngineSettings",
    "config_schema",
    "decode_config",
    "effective_config",
    "expand",
    "needed_sources",
    "schema_text",
    "write_yaml",
]


def decode_config(text: bytes, *, filename: str) -> Config:
    """The configuration in these bytes, or ConfigError with everything that is wrong with it."""
    root, problems = read_yaml(text, filename=filename)
    if root is None or (isinstance(root, Scalar) and root.kind is Kind.NOTHING):
        raise ConfigError(
            (
                Problem(
                    filename,
                    1,
                    "The file is empty, so there is no environment to look after.",
                    "Write a first one with: driftctl-py init",
                ),
            )
        )
    notes = Notes(filename, list(problems))
    config = None
    if isinstance(root, Table):
        # Any: the shapes in FILE give each key its type, and _config names them.
        found: Mapping[str, Any] = FILE.read_keys(root, "", notes)[0]
        config = _config(found, root, notes)
    else:
        wrong_shape(root, "", "a mapping with the key `environments`", notes)
    if config is None or notes.problems:
        raise ConfigError(tuple(sorted(notes.problems, key=lambda problem: problem.line)))
    return config


def needed_sources(config: Config) -> tuple[Source, ...]:
    """The sources that environments come from, each once, in the order of the file."""
    return tuple(
        config.sources[name] for name in dict.fromkeys(entry.source for entry in config.entries)
    )


def effective_config(config: Config, environments: Iterable[Environment]) -> Mapping[str, Json]:
    """The same configuration with every glob expanded and every default written out. It is itself
    a valid file: what it expands to are the very same environments. Print it with `write_yaml` or
    as JSON."""
    shown: dict[str, Json] = {
        "version": 1,
        "sources": {name: _source(source) for name, source in config.sources.items()},
        "engine": _without_none(
            {
                "use": config.engine.use,
                "version": config.engine.version,
                "provider_mirror": config.engine.provider_mirror,
                "cli_config": config.engine.cli_config,
                "plugin_cache": config.engine.plugin_cache,
            }
        ),
        "pass_env": list(config.pass_env),
        "state": _state(config.state),
        "environments": [_environment(environment) for environment in environments],
        "strict": config.strict,
        "redact": [_mask(mask) for mask in config.redact],
        "people": {name: list(aliases) for name, aliases in config.people.aliases.items()},
        "groups": {name: list(members) for name, members in config.people.groups.items()},
        "retention": duration_text(config.retention_seconds),
        "rules": [_rule(each.rule) for each in config.rules],
        "windows": [_window(each.window) for each in config.windows],
        "freezes": [_freeze(each.freeze) for each in config.freezes],
        "policies": [_policy(each.policy) for each in config.policies],
    }
    optional: dict[str, Json] = {
        "data_dir": config.data_dir,
        "providers": None if config.providers is None else list(config.providers),
        "store": "artifacts"
        if config.store_in_artifacts
        else _without_none({"url": config.store_url, "url_env": config.store_url_env}) or None,
        "artifacts": _artifacts(config.artifacts),
    }
    return {**shown, **_without_none(optional)}


def _declared(root: Table, name: str) -> frozenset[str] | None:
    """The names under a key, of those as well that could not be read; None: no such key."""
    for key, node in root.entries:
        if key.text == name:
            entries = node.entries if isinstance(node, Table) else ()
            return frozenset(name.text for name, _ in entries)
    return None


def _config(found: Mapping[str, Any], root: Table, notes: Notes) -> Config:
    """What could be read, put together. Where notes were made the result is not used."""
    sources: Mapping[str, Source] = found.get("sources") or {"default": Source("default")}
    entries: tuple[Entry, ...] = found.get("environments", ())
    defaults: Settings = found.get("defaults", Settings())
    overrides: Mapping[str, Override] = found.get("overrides", {})
    state, engine = found.get("state"), found.get("engine", EngineSettings())
    store = _store(found, root, notes)
    declared = _declared(root, "sources")
    if declared is None or declared == frozenset(sources):
        entries = tuple(_with_source(entry, sources, notes) for entry in entries)
    layers = [
        defaults,
        *(entry.settings for entry in entries),
        *(override.settings for override in overrides.values()),
    ]
    groups = _declared(root, "groups") or frozenset()
    _check_groups(layers, groups, notes)
    rules, policies = found.get("rules", ()), found.get("policies", ())
    windows, freezes = found.get("windows", ()), found.get("freezes", ())
    for rule in rules:
        _check_asked(f"rule {rule.rule.name}", rule.groups, groups, notes)
    for policy in policies:
        _check_asked(f"policy {policy.policy.name}", policy.groups, groups, notes)
        _check_shown(policy, store, notes)
    _check_names(
        "so that a decision can tell which one it was",
        [
            *(("rule", each.rule.name, each.line) for each in rules),
            *(("policy", each.policy.name, each.line) for each in policies),
        ],
        notes,
    )
    _check_names(
        "so that a plan that waits can tell for which one",
        [
            *(("window", each.window.name, each.line) for each in windows),
            *(("freeze", each.freeze.name, each.line) for each in freezes),
        ],
        notes,
    )
    return Config(
        notes.filename,
        sources,
        entries,
        defaults,
        overrides,
        found.get("pass_env", ()),
        EngineSettings(engine) if isinstance(engine, str) else engine,
        state if isinstance(state, S3State) else None,
        found.get("strict", False),
        found.get("redact", ()),
        found.get("data_dir"),
        _people(found, _declared(root, "people") or frozenset(), notes),
        store.url,
        store.url_env,
        found.get("artifacts", {}).get("s3"),
        found.get("retention", DEFAULT_RETENTION_SECONDS),
        rules,
        windows,
        freezes,
        policies,
        found.get("providers"),
        store.in_artifacts,
    )


def _store(found: Mapping[str, Any], root: Table, notes: Notes) -> StoreSettings:
    said: StoreSettings | str = found.get("store", StoreSettings())
    if isinstance(said, StoreSettings):
        return said
    if _declared(root, "artifacts") is None:
        line = next(key.line for key, _ in root.entries if key.text == "store")
        notes.add(
            line,
            "The store is to be where the artifacts are, but those are in the data directory.",
            "Say which bucket it is: artifacts: {s3: {bucket: BUCKET, region: REGION}}",
        )
    return StoreSettings(in_artifacts=True)


def _people(found: Mapping[str, Any], declared: frozenset[str], notes: Notes) -> People:
    """Who is who; nobody who approves may be taken for somebody else."""
    aliases: Mapping[str, tuple[Said, ...]] = found.get("people", {})
    groups: Mapping[str, tuple[Said, ...]] = found.get("groups", {})
    people = People(
        {name: tuple(each.text for each in known_as) for name, known_as in aliases.items()},
        {name: tuple(each.text for each in members) for name, members in groups.items()},
    )
    shared = {
        each.text.lower(): (each, sorted(names))
        for known_as in aliases.values()
        for each in known_as
        if len(names := people.names_of(each.text)) > 1
    }
    for each, persons in shared.values():
        notes.add(
            each.line,
            f"{each.text} would be {' and '.join(persons)}, so nobody could tell who said yes.",
            "Give each identity to one person.",
        )
    for group, said in groups.items():
        for each in said:
            if each.text not in declared:
                notes.add(
                    each.line,
                    f"groups.{group} names {each.text}, but `people` knows nobody of that name.",
                    f"{did_you_mean(each.text, declared)}"
                    f"Say who it is: people: {{{each.text}: [github:LOGIN]}}",
                )
    return people


def _check_groups(layers: Iterable[Settings], declared: frozenset[str], notes: Notes) -> None:
    for layer in layers:
        for each in layer.approval.groups or ():
            if each.text not in declared:
                known = ", ".join(sorted(declared)) or "none"
                notes.add(
                    each.line,
                    f"approval.groups names {each.text}, but there is no group of that name.",
                    f"{did_you_mean(each.text, declared)}There are: {known}.",
                )


def _check_asked(what: str, asked: Iterable[Said], declared: frozenset[str], notes: Notes) -> None:
    for each in asked:
        if each.text not in declared:
            known = ", ".join(sorted(declared)) or "none"
            notes.add(
                each.line,
                f"The {what} asks {each.text}, but there is no group of that name.",
                f"{did_you_mean(each.text, declared)}There are: {known}.",
            )


# They say where, not who we are.
_REGIONS = ("AWS_REGION", "AWS_DEFAULT_REGION")


def _check_shown(setting: PolicySetting, store: StoreSettings, notes: Notes) -> None:
    """Whoever may write into the store can approve."""
    policy = setting.policy
    for name in policy.env if isinstance(policy, CheckProgram) else ():
        opens_bucket = store.in_artifacts and name.startswith("AWS_") and name not in _REGIONS
        if opens_bucket or name in ("PGPASSWORD", store.url_env):
            notes.add(
                setting.line,
                f"The policy {policy.name} is to see {name}, which opens the store.",
                "Take it out of `env`: a check has no business there.",
            )


def _check_names(why: str, named: Iterable[tuple[str, str, int]], notes: Notes) -> None:
    lines: dict[str, tuple[str, int]] = {}
    for what, name, line in named:
        if name in lines:
            other, first = lines[name]
            notes.add(
                line,
                f"The {what} {name} has the name of the {other} in line {first}.",
                f"Give each {what} its own name, {why}.",
            )
        lines.setdefault(name, (what, line))


def _with_source(entry: Entry, sources: Mapping[str, Source], notes: Notes) -> Entry:
    known = ", ".join(sources)
    if entry.source:
        if entry.source not in sources:
            notes.add(
                entry.line,
                f"{entry.path} names the source {entry.source}, but there is none of that name.",
                f"{did_you_mean(entry.source, sources)}There are: {known}.",
            )
        return entry
    if "default" in sources:
        return replace(entry, source="default")
    if len(sources) == 1:
        return replace(entry, source=next(iter(sources)))
    notes.add(
        entry.line,
        f"{entry.path} names no source, and there are several: {known}.",
        "Add `source: NAME` to the entry, or call one of the sources default.",
    )
    return entry


def _source(source: Source) -> Json:
    return _without_none(
        {
            "url": source.url,
            "ref": source.ref,
            "token_env": source.token_env,
            "submodules": source.submodules,
        }
    )


def _environment(environment: Environment) -> Json:
    identities = {
        "plan": _identity(environment.plan_credentials),
        "apply": _identity(environment.apply_credentials),
    }
    return _without_none(
        {
            "name": environment.name,
            "path": escape(environment.path),
            "source": environment.source,
            "ref": environment.ref,
            "workspace": environment.workspace,
            "interval": duration_text(environment.interval_seconds),
            "timeout": duration_text(environment.plan_timeout_seconds),
            # A copy: YAML would print an object that several environments share as an alias.
            "variables": {key: _copy(value) for key, value in environment.variables.items()},
            "var_files": list(environment.var_files),
            "labels": dict(environment.labels),
            "env": dict(environment.env),
            "credentials": _without_none(identities) or None,
            "parallelism": environment.parallelism,
            "needs": list(environment.needs),
            "engine": _engine(environment.engine),
            "state": _state(environment.state),
            "apply": {
                "git": environment.apply.git.value,
                "drift": environment.apply.drift.value,
                "reviewed": environment.reviewed,
            },
            "approval": {
                "count": environment.requirement.count,
                "groups": list(environment.requirement.groups),
                "expires": duration_text(environment.requirement.expires_seconds),
                "author_may": environment.requirement.author_may,
                "unverified": environment.requirement.unverified,
            },
            "apply_grace": duration_text(environment.apply_grace_seconds),
            "limits": {
                "failures": environment.limits.failures,
                "applies_per_day": environment.limits.applies_per_day,
                "heals_per_day": environment.limits.heals_per_day,
            },
        }
    )


def _identity(credentials: Credentials | None) -> Json:
    if credentials is None:
        return None
    return _without_none(
        {
            "profile": credentials.profile,
            "role": credentials.role_arn,
            "external_id": credentials.external_id,
            # It goes with a role only.
            "session_name": credentials.session_name if credentials.role_arn else None,
        }
    )


def _engine(choice: EngineChoice) -> Json:
    return _without_none({"use": choice.use, "version": choice.version})


def _state(state: S3State | None) -> Json:
    if state is None:
        return "none"
    return {
        "s3": _without_none(
            {
                "bucket": state.bucket,
                "region": state.region,
                "key": state.key,
                "lock": state.lock,
                "dynamodb_table": state.dynamodb_table,
                "endpoint": state.endpoint,
                "kms_key_id": state.kms_key_id,
            }
        )
    }


def _artifacts(place: S3ArtifactsPlace | None) -> Json:
    if place is None:
        return None
    return {
        "s3": _without_none(
            {
                "bucket": place.bucket,
                "region": place.region,
                "prefix": place.prefix or None,
                "endpoint": place.endpoint,
                "kms_key_id": place.kms_key_id,
            }
        )
    }


def _mask(mask: Mask) -> Json:
    return _without_none(
        {
            "address": mask.address,
            "attribute": mask.attribute,
            "pattern": mask.pattern.pattern if mask.pattern else None,
        }
    )


def _rule(rule: Rule) -> Json:
    conditions: dict[str, Json] = {
        "environments": list(rule.environments),
        "labels": dict(rule.labels),
        "addresses": list(rule.addresses),
        "types": list(rule.types),
        "providers": list(rule.providers),
        "actions": list(rule.actions),
        "causes": list(rule.causes),
        "attributes": list(rule.attributes),
        "values": {path: list(globs) for path, globs in rule.values.items()},
        "holds_data": rule.holds_data,
        "at_least": rule.at_least,
        "at_most": rule.at_most,
        "share": rule.share,
    }
    return _without_none(
        {
            "name": rule.name,
            "effect": rule.effect.value,
            "message": rule.message or None,
            "groups": list(rule.groups) or None,
            "count": rule.count if rule.effect is Effect.APPROVE else None,
            "when": {key: each for key, each in conditions.items() if each not in (None, [], {})},
        }
    )


def _window(window: Window) -> Json:
    return _without_none(
        {
            "name": window.name,
            "effect": window.effect.value,
            "cron": window.cron,
            "duration": duration_text(window.duration_seconds),
            "timezone": window.timezone,
            "message": window.message or None,
            "causes": list(window.causes) or None,
            "when": _scope(window.scope),
        }
    )


def _freeze(freeze: Freeze) -> Json:
    return _without_none(
        {
            "name": freeze.name,
            "from": moment_text(freeze.start),
            "until": moment_text(freeze.end) if freeze.end else None,
            "message": freeze.message or None,
            "when": _scope(freeze.scope),
        }
    )


def _policy(policy: Policy) -> Json:
    said: dict[str, Json]
    match policy:
        case RegoPolicy():
            said = {
                "rego": list(policy.paths),
                "rego_version": policy.rego_version,
                "input": policy.shape.value,
                "package": policy.package or None,
                "levels": {name: each.value for name, each in policy.levels.items()} or None,
                "program": policy.program,
                "context": _copy(policy.context) or None,
            }
        case CheckProgram():
            said = {
                "run": list(policy.argv),
                # JSON has only texts as keys.
                "exit_codes": {str(code): each.value for code, each in policy.levels.items()}
                or None,
                "plan": "whole" if policy.whole else "redacted",
                "env": list(policy.env),
            }
        case _ as never:
            assert_never(never)
    return _without_none(
        {
            "name": policy.name,
            **said,
            "groups": list(policy.groups) or None,
            "timeout": duration_text(policy.timeout_seconds),
            "when": _scope(policy.scope),
        }
    )


def _scope(scope: Scope) -> Json:
    said: dict[str, Json] = {
        "environments": list(scope.environments),
        "labels": dict(scope.labels),
    }
    return {key: each for key, each in said.items() if each} or None


def _copy(value: Json) -> Json:
    if isinstance(value, Mapping):
        return {key: _copy(child) for key, child in value.items()}
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [_copy(child) for child in value]
    return value


def _without_none(found: Mapping[str, Json]) -> dict[str, Json]:
    return {key: value for key, value in found.items() if value is not None}
