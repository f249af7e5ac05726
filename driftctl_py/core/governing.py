"""What rules a plan beside its own meaning: the engine, the inputs and the content it was made of.

Two plans with one fingerprint may still do different things when they are applied: another engine
or provider, other local modules, another backend. So an approval is given under a digest of all
that, part by part, so that one can say which of them changed.
"""

from __future__ import annotations

import hmac
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from typing import assert_never

from driftctl_py.core.canonical import canonical
from driftctl_py.core.environment import Credentials, Environment, S3State
from driftctl_py.core.policy import CheckProgram, Policy, RegoPolicy
from driftctl_py.core.values import Value

# Changes whenever the same content would get another digest, so that an approval given before
# fits no more instead of fitting by chance.
_VERSION = b"g1"


@dataclass(frozen=True, slots=True)
class Governing:
    """Each part is a digest, sealed with the store's key (variables are often secrets), or a plain
    fact. ``trees`` are Git's ids of the environment's directory, its local modules, its
    var-files and what the modules read beside, by path; ``modules`` what the calls of remote
    modules were resolved to."""

    engine: str
    variables: str
    lock_file: str
    backend: str
    settings: str
    """The part of driftctl.yaml that rules this environment."""
    trees: Mapping[str, str] = field(default_factory=dict)
    modules: Mapping[str, str] = field(default_factory=dict)

    @property
    def digest(self) -> str:
        """256 bits, in hexadecimal digits. Independent of the order of mappings."""
        parts: dict[str, Value] = {
            "engine": self.engine,
            "variables": self.variables,
            "lock_file": self.lock_file,
            "backend": self.backend,
            "settings": self.settings,
            "trees": dict(self.trees),
            "modules": dict(self.modules),
        }
        return sha256(_VERSION + canonical(parts)).hexdigest()

    def differences(self, other: Governing) -> tuple[str, ...]:
        """What is not the same, in words: ``the engine (terraform 1.11.4, now tofu 1.10.0)``,
        ``modules/web``, ``a variable``."""
        return tuple(self._differences(other))

    def _differences(self, other: Governing) -> Iterator[str]:
        if self.engine != other.engine:
            yield f"the engine ({self.engine}, now {other.engine})"
        if self.variables != other.variables:
            yield "a variable"
        if self.lock_file != other.lock_file:
            yield "the lock file of the providers"
        if self.backend != other.backend:
            yield "the backend"
        if self.settings != other.settings:
            yield "what driftctl.yaml says of the environment"
        for path, how in _changed(self.trees, other.trees):
            yield ("the root of the source" if path == "." else path) + how
        for name, how in _changed(self.modules, other.modules):
            # What it was resolved to may be a URL, which is nobody's business here.
            yield f"the remote module {name}{how}"


def seal(key: bytes, *parts: bytes) -> str:
    """HMAC-SHA256 of the parts, in hexadecimal digits; unambiguous where one ends."""
    digest = hmac.new(key, digestmod=sha256)
    for part in parts:
        digest.update(b"%d:" % len(part))
        digest.update(part)
    return digest.hexdigest()


def ruling_text(environment: Environment) -> bytes:
    """What the configuration says that rules how this environment is planned and applied; equal
    for equal meaning. To be sealed, since variables may be secrets. Not in it: how often and how
    long, labels, order between environments, and the ref, since content is what counts. Nor
    windows, freezes and limits: they are asked at the moment of the apply, and a freeze that comes
    and goes must not void what people said yes to."""
    requirement = environment.requirement
    said: dict[str, Value] = {
        "path": environment.path,
        "workspace": environment.workspace,
        "variables": dict(environment.variables),
        "var_files": list(environment.var_files),
        "env": dict(environment.env),
        "engine": [environment.engine.use, environment.engine.version],
        "state": _state(environment.state),
        "apply": [environment.apply.git.value, environment.apply.drift.value],
        "approval": {
            "count": requirement.count,
            "groups": [*sorted(set(requirement.groups))],
            "each_of": [*sorted(set(requirement.each_of))],
            "author_may": requirement.author_may,
            "unverified": requirement.unverified,
            "expires_seconds": requirement.expires_seconds,
        },
        "credentials": [
            _identity(environment.plan_credentials),
            _identity(environment.apply_credentials),
        ],
    }
    if requirement.asks:
        said["asks"] = [[each.count, *sorted(set(each.groups))] for each in requirement.asks]
    if environment.rules:
        said["rules"] = [rule.meaning for rule in environment.rules]
    if environment.policies:
        said["policies"] = [_policy(each) for each in environment.policies]
    return canonical(said)


def _policy(policy: Policy) -> Value:
    """All that it says but where it is written, and how long it may take."""
    groups = sorted(set(policy.groups))
    match policy:
        case RegoPolicy():
            return {
                "name": policy.name,
                "rego": list(policy.paths),
                "rego_version": policy.rego_version,
                "input": policy.shape.value,
                "package": policy.package,
                "levels": {name: each.value for name, each in policy.levels.items()},
                "program": policy.program,
                "context": dict(policy.context),
                "groups": [*groups],
            }
        case CheckProgram():
            return {
                "name": policy.name,
                "run": list(policy.argv),
                "exit_codes": {str(code): each.value for code, each in policy.levels.items()},
                "whole": policy.whole,
                "env": [*sorted(set(policy.env))],
                "groups": [*groups],
            }
        case _ as never:
            assert_never(never)


def _state(state: S3State | None) -> Value:
    if state is None:
        return None
    return [
        state.bucket,
        state.region,
        state.key,
        state.lock,
        state.dynamodb_table,
        state.endpoint,
        state.kms_key_id,
    ]


def _identity(credentials: Credentials | None) -> Value:
    if credentials is None:
        return None
    return [
        credentials.profile,
        credentials.role_arn,
        credentials.external_id,
        credentials.session_name,
    ]


def _changed(before: Mapping[str, str], now: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    for name in sorted(before.keys() | now.keys()):
        if name not in now:
            yield name, " (not used any more)"
        elif name not in before:
            yield name, " (new)"
        elif before[name] != now[name]:
            yield name, ""
