"""Where a state lies, who holds its lock, and how to tell that it moved.

The backend that an environment declares and what `state.s3` adds to it are put together here;
what the engine recorded after `init` is compared with that. Pure: reading is an adapter's work.
"""

from __future__ import annotations

import json
import posixpath
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeAlias

import msgspec

from driftctl_py.core.engine_choice import Candidate
from driftctl_py.core.environment import Credentials, Environment, S3State
from driftctl_py.core.module_facts import Backend, ModuleFacts
from driftctl_py.core.version_constraint import satisfies
from driftctl_py.errors import StateError

# "env:" is the S3 backend's default for workspace_key_prefix.
_WORKSPACE_PREFIX = "env:"

Setting: TypeAlias = "str | bool | Mapping[str, str]"


@dataclass(frozen=True, slots=True)
class S3Address:
    """A state object in S3. ``lock_object`` and ``lock_table`` say where a lock would show;
    ``lock_endpoint`` is where the table is, None for AWS itself. ``credentials`` are those that
    the backend block itself names."""

    bucket: str
    key: str
    region: str | None = None
    endpoint: str | None = None
    lock_object: bool = False
    lock_table: str | None = None
    lock_endpoint: str | None = None
    credentials: Credentials | None = None

    def __str__(self) -> str:
        return f"s3://{self.bucket}/{self.key}"


@dataclass(frozen=True, slots=True)
class LocalAddress:
    """A state file, relative to the environment's directory unless absolute."""

    path: str

    def __str__(self) -> str:
        return f"the local file {self.path}"


@dataclass(frozen=True, slots=True)
class OtherAddress:
    """A backend whose states and locks we cannot read ourselves."""

    type: str

    def __str__(self) -> str:
        return f"the {self.type} backend"


StateAddress: TypeAlias = S3Address | LocalAddress | OtherAddress


@dataclass(frozen=True, slots=True)
class LockHolder:
    """Who holds a state lock, from the engine's lock JSON; empty where it does not say."""

    id: str = ""
    who: str = ""
    operation: str = ""
    created: str = ""

    def __str__(self) -> str:
        parts = [self.who or "somebody"]
        if self.created:
            parts.append(f"since {self.created}")
        if self.operation:
            parts.append(f"for {self.operation}")
        if self.id:
            parts.append(f"lock {self.id}")
        return ", ".join(parts)


@dataclass(frozen=True, slots=True)
class StateLook:
    """One look at a state. ``version`` changes whenever the state does; None: there is none yet.
    ``exists`` is None where the backend cannot be asked."""

    version: str | None
    lock: LockHolder | None = None
    exists: bool | None = True


class _LockInfo(msgspec.Struct):
    ID: str = ""
    Who: str = ""
    Operation: str = ""
    Created: str = ""


def lock_holder(info: bytes) -> LockHolder:
    """Read the lock JSON. A corrupt one still is a lock: then nobody is named."""
    try:
        wire = msgspec.json.decode(info, type=_LockInfo)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return LockHolder()
    return LockHolder(wire.ID, wire.Who, wire.Operation, wire.Created)


@dataclass(frozen=True, slots=True)
class BackendPlan:
    """What has to be done so that an environment's state lies where it is meant to.

    ``settings`` go into a ``-backend-config`` file; ``override`` is the text of a file to lay
    beside the environment's own, because ``-backend-config`` without a backend block only warns
    and silently uses a local state. ``address`` is where the state will be.
    """

    address: StateAddress
    settings: Mapping[str, Setting]
    override: str | None = None

    @property
    def settings_text(self) -> str:
        """The ``-backend-config`` file."""
        return "".join(f"{key} = {_hcl(value)}\n" for key, value in self.settings.items())


OVERRIDE_NAME = "driftctl_backend_override.tf"
_OVERRIDE = """\
# Laid here by driftctl-py: state.s3 is configured and no backend is declared.
terraform {
  backend "s3" {}
}
"""


def plan_backend(environment: Environment, facts: ModuleFacts, engine: Candidate) -> BackendPlan:
    """Put the declared backend and ``state.s3`` together.

    A complete ``s3`` block (bucket and key), and any other backend, are left alone.
    Raises `StateError` when the configuration asks for what the engine lacks.
    """
    declared, state = facts.backend, environment.state
    if facts.cloud:
        return BackendPlan(OtherAddress("cloud"), {})
    if declared is not None and declared.type == "local":
        path = declared.literals.get("path", "terraform.tfstate")
        return BackendPlan(LocalAddress(_local_path(path, environment.workspace)), {})
    if declared is not None and declared.type != "s3":
        return BackendPlan(OtherAddress(declared.type), {})
    if declared is None and state is None:
        return BackendPlan(
            LocalAddress(_local_path("terraform.tfstate", environment.workspace)), {}
        )
    declared_or_empty = declared or Backend("s3")
    complete = declared_or_empty.declares("bucket") and declared_or_empty.declares("key")
    settings: dict[str, Setting] = {}
    if state is not None and not complete:
        wanted = _s3_settings(environment, state, engine)
        settings = {
            key: value for key, value in wanted.items() if not declared_or_empty.declares(key)
        }
    return BackendPlan(
        _s3_address(declared_or_empty, settings, environment),
        settings,
        override=_OVERRIDE if declared is None else None,
    )


def _s3_settings(environment: Environment, state: S3State, engine: Candidate) -> dict[str, Setting]:
    settings: dict[str, Setting] = {
        "bucket": state.bucket,
        "key": state.key.replace("{environment}", environment.name),
        "region": state.region,
        "encrypt": True,
    }
    if state.kms_key_id is not None:
        settings["kms_key_id"] = state.kms_key_id
    if state.lock == "native":
        if not satisfies(engine.version, ">= 1.10.0"):
            raise StateError(
                f"{engine.title} has no native S3 locks (use_lockfile came with 1.10), "
                "so state.s3.lock: native cannot be kept.",
                todo="Use a newer engine, or set state.s3.lock to dynamodb or none.",
            )
        settings["use_lockfile"] = True
    elif state.lock == "dynamodb" and state.dynamodb_table is not None:
        settings["dynamodb_table"] = state.dynamodb_table
    if state.endpoint is not None:
        settings |= {
            "skip_credentials_validation": True,
            "skip_metadata_api_check": True,
            "skip_region_validation": True,
        }
        # Whoever stands in for S3 stands in for the lock table: AWS would not know either.
        table = state.lock == "dynamodb"
        if satisfies(engine.version, ">= 1.6.0"):
            services = ("s3", "dynamodb") if table else ("s3",)
            settings |= {
                "endpoints": dict.fromkeys(services, state.endpoint),
                "use_path_style": True,
                "skip_requesting_account_id": True,
            }
        else:
            settings |= {"endpoint": state.endpoint, "force_path_style": True}
            if table:
                settings["dynamodb_endpoint"] = state.endpoint
    return settings


def _s3_address(
    declared: Backend, settings: Mapping[str, Setting], environment: Environment
) -> S3Address | OtherAddress:
    def text(name: str) -> str | None:
        value = settings.get(name, declared.literals.get(name))
        return value if isinstance(value, str) else None

    bucket, key = text("bucket"), text("key")
    if bucket is None or key is None:
        # Given by an expression (OpenTofu) or not at all: what init records will say.
        return OtherAddress("s3")
    given = settings.get("endpoints")
    endpoints: Mapping[str, str] = given if isinstance(given, Mapping) else {}
    prefix = text("workspace_key_prefix") or _WORKSPACE_PREFIX
    return S3Address(
        bucket=bucket,
        key=_workspace_key(key, prefix, environment.workspace),
        region=text("region"),
        endpoint=endpoints.get("s3") or text("endpoint"),
        lock_object=bool(settings.get("use_lockfile")) or declared.declares("use_lockfile"),
        lock_table=text("dynamodb_table"),
        lock_endpoint=endpoints.get("dynamodb") or text("dynamodb_endpoint"),
    )


def _workspace_key(key: str, prefix: str, workspace: str) -> str:
    return key if workspace == "default" else posixpath.join(prefix, workspace, key)


def _local_path(path: str, workspace: str) -> str:
    if workspace == "default":
        return path
    # Beside the configuration, wherever the default workspace's own file lies.
    return posixpath.join("terraform.tfstate.d", workspace, "terraform.tfstate")


class _RecordedBackend(msgspec.Struct):
    type: str = ""
    config: dict[str, object] = {}


class _Recorded(msgspec.Struct):
    backend: _RecordedBackend | None = None


def recorded_address(recorded: bytes | None, workspace: str) -> StateAddress:
    """Where the state is according to ``$TF_DATA_DIR/terraform.tfstate``, which `init` writes.

    ``None`` (no such file) means the implied local backend. Raises `StateError` on bytes that no
    engine wrote.
    """
    if recorded is None:
        return LocalAddress(_local_path("terraform.tfstate", workspace))
    try:
        backend = msgspec.json.decode(recorded, type=_Recorded).backend
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise StateError(
            f"The engine's record of its backend cannot be read: {error}.",
            todo="Remove the environment's directory from the data directory and check again.",
        ) from error
    if backend is None:
        return LocalAddress(_local_path("terraform.tfstate", workspace))
    config = backend.config

    def text(name: str) -> str | None:
        value = config.get(name)
        return value if isinstance(value, str) and value else None

    if backend.type == "local":
        path = text("path") or "terraform.tfstate"
        return LocalAddress(_local_path(path, workspace))
    bucket, key = text("bucket"), text("key")
    if backend.type != "s3" or bucket is None or key is None:
        return OtherAddress(backend.type)
    given = config.get("endpoints")
    endpoints: Mapping[str, str | None] = given if isinstance(given, dict) else {}
    prefix = text("workspace_key_prefix") or _WORKSPACE_PREFIX
    return S3Address(
        bucket=bucket,
        key=_workspace_key(key, prefix, workspace),
        region=text("region"),
        endpoint=endpoints.get("s3") or text("endpoint"),
        lock_object=config.get("use_lockfile") is True,
        lock_table=text("dynamodb_table"),
        lock_endpoint=endpoints.get("dynamodb") or text("dynamodb_endpoint"),
        credentials=_backend_credentials(config),
    )


def _backend_credentials(config: Mapping[str, object]) -> Credentials | None:
    """Whom the backend block says to be: a profile, and a role in either of its spellings."""
    nested = config.get("assume_role")
    # Terraform records an attribute as an object, OpenTofu and older ones a block as a list.
    if isinstance(nested, list):
        nested = nested[0] if nested else None
    role: Mapping[str, object] = nested if isinstance(nested, dict) else config

    def text(values: Mapping[str, object], name: str) -> str | None:
        value = values.get(name)
        return value if isinstance(value, str) and value else None

    found = Credentials(
        profile=text(config, "profile"),
        role_arn=text(role, "role_arn"),
        external_id=text(role, "external_id"),
        session_name=text(role, "session_name") or "driftctl-py",
    )
    return found if found.profile or found.role_arn else None


def same_place(meant: StateAddress, recorded: StateAddress) -> bool:
    """Whether what `init` recorded is what was meant, as far as that was known before."""
    if isinstance(meant, OtherAddress):
        return isinstance(recorded, S3Address) if meant.type == "s3" else recorded == meant
    if isinstance(meant, S3Address) and isinstance(recorded, S3Address):
        return (meant.bucket, meant.key) == (recorded.bucket, recorded.key)
    return meant == recorded


def compare_addresses(meant: StateAddress, recorded: StateAddress) -> None:
    """Raise `StateError` unless `init` recorded what was meant."""
    if not same_place(meant, recorded):
        raise StateError(
            f"The state is meant to be {meant}, but the engine was set up for {recorded}.",
            todo="Nothing was planned. Look for a second backend block or a *.tfbackend file.",
        )


def provider_hosts(state: bytes) -> frozenset[str]:
    """The registry hosts of the providers in a state file: they tell which engine wrote it."""
    try:
        wire = msgspec.json.decode(state, type=_State)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return frozenset()  # encrypted (OpenTofu), or nothing that we can read
    hosts = set()
    for resource in wire.resources:
        _, _, rest = resource.provider.partition('provider["')
        hosts.add(rest.split("/", 1)[0])
    return frozenset(hosts - {"terraform.io", ""})


class _Head(msgspec.Struct):
    lineage: str = ""
    serial: int = 0


def lineage_and_serial(state: bytes) -> tuple[str, int] | None:
    """Of a state file's bytes; None for one that only its engine can read (encrypted)."""
    try:
        wire = msgspec.json.decode(state, type=_Head)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None
    return (wire.lineage, wire.serial) if wire.lineage else None


class _StateResource(msgspec.Struct):
    provider: str = ""


class _State(msgspec.Struct):
    resources: list[_StateResource] = []


def _hcl(value: Setting) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        # JSON's escapes are HCL's, but a template must stay text.
        return json.dumps(value).replace("${", "$${").replace("%{", "%%{")
    return "{ " + ", ".join(f"{key} = {_hcl(item)}" for key, item in value.items()) + " }"
