"""A real provider whose cloud is a folder: every resource is one JSON file that a person can edit.

``folder_server.web`` of prod lies in ``cloud/prod/server-web.json``. Editing that file is a click
in a cloud's console, deleting it is a deletion behind Terraform's back. The engine speaks to this
program as to any provider (plugin protocol 6, through the package ``tf``), so plans, drift,
replacement, import and failures are the engine's own.

It is not a test double of the engine, and it keeps nothing anywhere but in those files. A file
``FAIL`` beside them makes writing fail: each of its lines names an object, as ``server-web``.
"""

from __future__ import annotations

import hashlib
import json
import re
import signal
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, ClassVar

from msgpack import ExtType  # type: ignore[import-untyped]  # no types, as tf, which brings it
from tf import iface, runner, schema, types

# ``State`` is a dictionary of Any in ``tf``: whatever the engine sent, already decoded.
_State = dict[str, Any]
_Wrong = Callable[[str, str], None]

# `tf` listens on a socket below the temporary directory, and a socket's path has 104 bytes at
# most (macOS; Linux has 108).
_LONGEST_TMPDIR = 70
_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,62}")


class _Refined:
    """Lets a *refined* unknown through as it came.

    Since 1.6 the engines say of some unknown values what they do know, as "text that begins with
    {" of a ``jsonencode``. On the wire that is a MessagePack extension which ``tf`` 1.2 does not
    take for an unknown; and since a plan must repeat it to the letter, it may not become one.
    """

    def decode(self, value: Any) -> Any:
        return value if isinstance(value, ExtType) else super().decode(value)  # type: ignore[misc]  # msgpack has no types

    def encode(self, value: Any) -> Any:
        return value if isinstance(value, ExtType) else super().encode(value)  # type: ignore[misc]  # msgpack has no types


class _Json(_Refined, types.NormalizedJson):  # type: ignore[misc]  # tf ships no types
    """JSON in a string, spelled as the engine's ``jsonencode`` spells it, so that an object which
    was imported or edited differs from its code in meaning only."""

    def encode(self, value: Any) -> Any:
        if value is None or value is types.Unknown or isinstance(value, ExtType):
            return value
        text = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
        for mark in "<>&":
            text = text.replace(mark, f"\\u{ord(mark):04x}")
        return text


class _List(_Refined, types.List):  # type: ignore[misc]  # tf ships no types
    pass


class _Map(_Refined, types.Map):  # type: ignore[misc]  # tf ships no types
    pass


class FolderError(Exception):
    """Something about the folder or one of its files is wrong; becomes a diagnostic."""

    def __init__(self, summary: str, detail: str) -> None:
        super().__init__(summary)
        self.summary = summary
        self.detail = detail


class FolderProvider(iface.Provider):  # type: ignore[misc]  # tf ships no types
    """``provider "folder" { root = "/path/to/cloud/prod" }``"""

    def __init__(self) -> None:
        self.root: Path | None = None

    def get_model_prefix(self) -> str:
        return "folder_"

    def full_name(self) -> str:
        return "demo.driftctl.example/driftctl/folder"

    def get_provider_schema(self, diags: Any) -> Any:
        return schema.Schema(
            attributes=[
                schema.Attribute(
                    "root",
                    types.String(),
                    required=True,
                    description="The folder that is the cloud. It must exist.",
                )
            ]
        )

    def validate_config(self, diags: Any, config: _State) -> None:
        """Nothing to say before values are known; ``configure_provider`` looks at the folder."""

    def configure_provider(self, diags: Any, config: _State) -> None:
        root = config.get("root")
        if not isinstance(root, str) or not root or not Path(root).is_dir():
            # A cloud that cannot be reached is not an empty one: with an empty one, everything
            # would be planned to be created again.
            diags.add_error(
                "The cloud folder does not exist",
                f"The provider's root is {root!r}, and that is no folder. Correct it, or create "
                "the folder if the cloud is meant to be empty.",
                path=["root"],
            )
            return
        self.root = Path(root)

    def get_data_sources(self) -> list[Any]:
        return []

    def get_resources(self) -> list[Any]:
        return [Bucket, Server, Secret]


class FolderResource(iface.Resource):  # type: ignore[misc]  # tf ships no types
    """What all kinds have in common. A kind says its name, its attributes, and what the cloud
    works out for itself (``computed``)."""

    kind: ClassVar[str]
    attributes: ClassVar[tuple[Any, ...]]

    def __init__(self, provider: FolderProvider) -> None:
        self._provider = provider

    def computed(self, planned: _State, prior: _State | None) -> _State:
        """The values of this kind's computed attributes, when ``planned`` is written."""
        return {}

    @classmethod
    def get_name(cls) -> str:
        return cls.kind

    @classmethod
    def get_schema(cls) -> Any:
        return schema.Schema(
            version=0,
            attributes=[
                schema.Attribute("id", types.String(), computed=True),
                schema.Attribute("arn", types.String(), computed=True),
                schema.Attribute("name", types.String(), required=True, requires_replace=True),
                *cls.attributes,
                schema.Attribute("tags", _Map(types.String()), optional=True),
            ],
        )

    def validate(self, diags: Any, type_name: str, config: _State) -> None:
        super().validate(diags, type_name, config)
        name = config.get("name")
        if isinstance(name, str) and not _NAME.fullmatch(name):
            diags.add_error(
                f"{name!r} is no name for a {self.kind}",
                "A name becomes a file's name: lower-case letters, digits and hyphens, at most 63.",
                path=["name"],
            )

    def read(self, ctx: Any, current: _State) -> _State | None:
        return self._said(ctx, lambda: self._load(str(current["id"])))

    def import_(self, ctx: Any, id: str) -> _State | None:
        return self._said(ctx, lambda: self._imported(id))

    def create(self, ctx: Any, planned: _State) -> _State | None:
        return self._said(ctx, lambda: self._created(planned))

    def update(self, ctx: Any, current: _State, planned: _State) -> _State | None:
        # After a failure the engine keeps what is returned here, so it is the state before.
        return self._said(ctx, lambda: self._updated(planned)) or current

    def delete(self, ctx: Any, current: _State) -> _State | None:
        identifier = str(current["id"])

        def remove() -> None:
            self._fail_on_demand(identifier)
            self._file(identifier).unlink(missing_ok=True)

        self._said(ctx, remove)
        return current if ctx.diagnostics.has_errors() else None

    def _created(self, planned: _State) -> _State:
        identifier = f"{self.kind}-{planned['name']}"
        if self._file(identifier).exists():
            raise FolderError(
                f"{identifier} exists already",
                f"Somebody made {self._file(identifier)} before. Import it by its id "
                f"{identifier}, or delete the file.",
            )
        return self._store(identifier, planned, None)

    def _updated(self, planned: _State) -> _State:
        identifier = str(planned["id"])
        prior = self._load(identifier)
        if prior is None:
            raise FolderError(
                f"{identifier} is gone",
                f"{self._file(identifier)} was deleted after the plan was made. Plan again.",
            )
        return self._store(identifier, planned, prior)

    def _imported(self, identifier: str) -> _State:
        found = self._load(identifier) if self._is_one_of_ours(identifier) else None
        if found is None:
            raise FolderError(
                f"There is no {self.kind} {identifier!r}",
                f"An id is the name of a file without .json, as {self.kind}-web.",
            )
        return found

    def _store(self, identifier: str, planned: _State, prior: _State | None) -> _State:
        self._fail_on_demand(identifier)
        given = {name: value for name, value in planned.items() if value is not types.Unknown}
        # In the order of the schema, so that what a person may edit comes in the order written.
        worked_out = {
            "id": identifier,
            "arn": f"folder:{self.kind}:{planned['name']}",
            **self.computed(planned, prior),
        }
        state = {name: {**given, **worked_out}.get(name) for name in self._types()}
        path = self._file(identifier)
        halfway = path.with_suffix(".tmp")
        halfway.touch(mode=0o600)
        halfway.write_text(json.dumps(state, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
        halfway.replace(path)
        return state

    def _load(self, identifier: str) -> _State | None:
        path = self._file(identifier)
        try:
            text = path.read_text(encoding="utf-8")
        except FileNotFoundError:
            return None
        try:
            found = json.loads(text)
        except (ValueError, RecursionError) as error:
            raise FolderError(
                f"{path.name} is not JSON", f"{path} cannot be read: {error}. Mend the file."
            ) from error
        if not isinstance(found, dict):
            raise FolderError(
                f"{path.name} is not an object", f"{path} must hold one JSON object: {{...}}."
            )
        state = {name: found.get(name) for name in self._types()}
        for name, of_type in self._types().items():
            if state[name] is not None and not _fits(state[name], of_type):
                raise FolderError(
                    f"{path.name}: {name} is not {_in_words(of_type)}",
                    f"{path} says {json.dumps(state[name])} for {name}. Write "
                    f"{_in_words(of_type)}, or take the line out.",
                )
        # The file's name says which object this is, whatever a person wrote into it.
        return {**state, "id": identifier}

    def _types(self) -> dict[str, Any]:
        return {attribute.name: attribute.type for attribute in self.get_schema().attributes}

    def _file(self, identifier: str) -> Path:
        root = self._provider.root
        if root is None:
            raise FolderError("The provider has no root", "It was never configured.")
        return root / f"{identifier}.json"

    def _is_one_of_ours(self, identifier: str) -> bool:
        kind, _, name = identifier.partition("-")
        return kind == self.kind and _NAME.fullmatch(name) is not None

    def _fail_on_demand(self, identifier: str) -> None:
        path = self._file(identifier).with_name("FAIL")
        if path.is_file() and identifier in path.read_text(encoding="utf-8").split():
            raise FolderError(
                f"{identifier}: the cloud refuses",
                f"{path} names {identifier}. Delete that line and try again.",
            )

    def _said(self, ctx: Any, action: Callable[[], _State | None]) -> _State | None:
        """Run ``action``; what goes wrong becomes a diagnostic of the engine."""
        try:
            return action()
        except FolderError as error:
            ctx.diagnostics.add_error(error.summary, error.detail)
        except OSError as error:
            ctx.diagnostics.add_error(
                f"The cloud folder cannot be used: {error.strerror}", f"{error.filename}"
            )
        return None


class Bucket(FolderResource):
    """Somewhere to put files, with a policy in JSON."""

    kind = "bucket"
    attributes = (
        schema.Attribute("versioned", types.Bool(), optional=True),
        schema.Attribute("expire_days", types.Number(), optional=True),
        schema.Attribute("policy", _Json(), optional=True),
    )


class Server(FolderResource):
    """A machine. Another image means another machine."""

    kind = "server"
    attributes = (
        schema.Attribute("image", types.String(), required=True, requires_replace=True),
        schema.Attribute("cpus", types.Number(), required=True),
        schema.Attribute("open_ports", _List(types.Number()), optional=True),
        schema.Attribute("address", types.String(), computed=True),
    )

    def computed(self, planned: _State, prior: _State | None) -> _State:
        if prior is not None:
            return {"address": prior["address"]}
        # Made from the name, so that the playground looks the same whenever it is built.
        octets = hashlib.sha256(str(planned["name"]).encode()).digest()[:3]
        return {"address": "10." + ".".join(str(octet) for octet in octets)}


class Secret(FolderResource):
    """A value that no report may show, and the number of times that it was set."""

    kind = "secret"
    attributes = (
        schema.Attribute("value", types.String(), required=True, sensitive=True),
        schema.Attribute("version", types.Number(), computed=True),
    )

    def plan(self, ctx: Any, current: _State | None, planned: _State) -> _State:
        if "value" in ctx.changed_fields:
            planned["version"] = types.Unknown
        return planned

    def computed(self, planned: _State, prior: _State | None) -> _State:
        if prior is None:
            return {"version": 1}
        changed = prior["value"] != planned["value"]
        return {"version": (prior["version"] or 0) + (1 if changed else 0)}


def _fits(value: object, of_type: Any) -> bool:
    match of_type:
        case types.NormalizedJson():
            return True
        case types.String():
            return isinstance(value, str)
        case types.Bool():
            return isinstance(value, bool)
        case types.Number():
            # What the wire can carry: MessagePack's integers, or a float.
            whole = isinstance(value, int) and not isinstance(value, bool)
            return isinstance(value, float) or (whole and -(2**63) <= value < 2**64)  # type: ignore[operator]  # whole says that it is a number
        case types.List():
            return isinstance(value, list) and all(_fits(v, of_type.element_type) for v in value)
        case types.Map():
            return isinstance(value, dict) and all(
                _fits(v, of_type.element_type) for v in value.values()
            )
    raise AssertionError(f"{of_type!r} in a schema. This is a bug in driftctl_py.")


def _in_words(of_type: Any) -> str:
    match of_type:
        case types.String():
            return 'text in quotes, as "this"'
        case types.Bool():
            return "true or false"
        case types.Number():
            return "a number"
        case types.List():
            return "a list of numbers, as [22, 443]"
    return 'an object of texts, as {"team": "compilers"}'


def main() -> None:
    """Serve one engine until it hangs up."""
    # Ctrl-C goes to the whole foreground group; stopping is the engine's to say.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if len(tempfile.gettempdir()) > _LONGEST_TMPDIR:
        tempfile.tempdir = "/tmp"  # noqa: S108 - a private directory is made in it
    runner.run_provider(FolderProvider(), sys.argv)


if __name__ == "__main__":
    main()
