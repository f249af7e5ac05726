"""A second provider for the plans in this folder, for what the demo's own does not have.

Sets, nested blocks, secrets within them, write-only attributes and actions. It keeps nothing:
what is there is what the state says, unless a file in its folder says otherwise (``lab_thing.web``
is overlaid by ``thing-web.json``), which is how something is changed behind the engine's back.

Write-only attributes and actions are younger than the package ``tf``. Both are additions to
plugin protocol 6, so they are added to its messages as protobuf adds fields: as bytes.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import tempfile
from pathlib import Path
from typing import Any, ClassVar

import grpc
from tf import blocks, iface, provider, runner, schema, types
from tf.gen import tfplugin_pb2_grpc as rpc

# Schema.Attribute.write_only (field 11) is true.
_IS_WRITE_ONLY = b"\x58\x01"
# GetProviderSchema.Response.action_schemas (11), a map of ActionSchema; InvokeAction.Event.
_ACTION_SCHEMAS, _KEY, _VALUE, _SCHEMA = (bytes([at << 3 | 2]) for at in (11, 1, 2, 1))
_COMPLETED = b"\x12\x00"


class WriteOnlyText(types.String):  # type: ignore[misc]  # tf ships no types
    """Goes to the provider and into no state."""

    def encode(self, value: Any) -> Any:
        return None

    def semantically_equal(self, a_decoded: Any, b_decoded: Any) -> bool:
        # Else `tf` would hand back what it was given.
        return False


class WriteOnly(schema.Attribute):  # type: ignore[misc]  # tf ships no types
    def to_pb(self) -> Any:
        message = super().to_pb()
        message.MergeFromString(_IS_WRITE_ONLY)
        return message


class Thing(iface.Resource):  # type: ignore[misc]  # tf ships no types
    """Whatever a scenario needs."""

    attributes: ClassVar = [
        schema.Attribute("id", types.String(), computed=True),
        schema.Attribute("name", types.String(), required=True, requires_replace=True),
        schema.Attribute("labels", types.Set(types.String()), optional=True),
        schema.Attribute("sizes", types.List(types.Number()), optional=True),
        schema.Attribute("notes", types.Map(types.String()), optional=True),
        schema.Attribute("token", types.String(), optional=True, sensitive=True),
        schema.Attribute("endpoint", types.String(), computed=True),
        WriteOnly("password", WriteOnlyText(), optional=True),
        schema.Attribute("password_version", types.Number(), optional=True),
    ]

    def __init__(self, app: Lab) -> None:
        self._app = app

    @classmethod
    def get_name(cls) -> str:
        return "thing"

    @classmethod
    def get_schema(cls) -> Any:
        rule = schema.Block(
            [
                schema.Attribute("port", types.Number(), required=True),
                schema.Attribute("source", types.String(), optional=True),
                schema.Attribute("key", types.String(), optional=True, sensitive=True),
            ]
        )
        return schema.Schema(
            version=0,
            attributes=cls.attributes,
            block_types=[blocks.SetNestedBlock("rule", rule)],
        )

    def read(self, ctx: Any, current: dict[str, Any]) -> dict[str, Any] | None:
        overlay = Path(self._app.root, f"{current['id']}.json")
        found = json.loads(overlay.read_text()) if overlay.exists() else {}
        return None if found is None else {**current, **found}

    def plan(self, ctx: Any, current: Any, planned: dict[str, Any]) -> dict[str, Any]:
        if "labels" in ctx.changed_fields:
            planned["endpoint"] = types.Unknown
        return planned

    def create(self, ctx: Any, planned: dict[str, Any]) -> dict[str, Any]:
        labels = "-".join(sorted(planned["labels"] or []))
        return {
            **planned,
            "id": f"thing-{planned['name']}",
            "endpoint": f"https://{planned['name']}.example.com/{labels}",
        }

    def update(self, ctx: Any, current: Any, planned: dict[str, Any]) -> dict[str, Any]:
        return self.create(ctx, planned)

    def delete(self, ctx: Any, current: Any) -> None:
        Path(self._app.root, f"{current['id']}.json").unlink(missing_ok=True)


class Lab(iface.Provider):  # type: ignore[misc]  # tf ships no types
    """``provider "lab" { root = "cloud" }``"""

    root = ""

    def get_model_prefix(self) -> str:
        return "lab_"

    def full_name(self) -> str:
        return "demo.driftctl.example/driftctl/lab"

    def get_provider_schema(self, diags: Any) -> Any:
        return schema.Schema(attributes=[schema.Attribute("root", types.String(), required=True)])

    def validate_config(self, diags: Any, config: Any) -> None: ...

    def configure_provider(self, diags: Any, config: Any) -> None:
        self.root = config["root"]

    def get_data_sources(self) -> list[Any]:
        return []

    def get_resources(self) -> list[Any]:
        return [Thing]


class Servicer(provider.ProviderServicer):  # type: ignore[misc]  # tf ships no types
    """Says that there is an action ``lab_notify``."""

    def GetProviderSchema(self, request: Any, context: Any) -> Any:
        response = super().GetProviderSchema(request, context)
        notify = schema.Schema(
            version=0,
            attributes=[
                schema.Attribute("to", types.String(), required=True),
                schema.Attribute("text", types.String(), optional=True),
                schema.Attribute("headers", types.Map(types.String()), optional=True),
            ],
        )
        response.MergeFromString(
            _field(
                _ACTION_SCHEMAS,
                _field(_KEY, b"lab_notify")
                + _field(_VALUE, _field(_SCHEMA, notify.to_pb().SerializeToString())),
            )
        )
        return response


def _field(tag: bytes, content: bytes) -> bytes:
    """A field of a message: its tag, its length, itself."""
    length, size = b"", len(content)
    while size > 127:
        length += bytes([size & 127 | 128])
        size >>= 7
    return tag + length + bytes([size]) + content


def _add_actions(server: Any) -> None:
    """The methods of actions. This one does nothing, and does it at once."""
    server.add_generic_rpc_handlers(
        (
            grpc.method_handlers_generic_handler(
                "tfplugin6.Provider",
                {
                    "ValidateActionConfig": grpc.unary_unary_rpc_method_handler(lambda *_: b""),
                    "PlanAction": grpc.unary_unary_rpc_method_handler(lambda *_: b""),
                    "InvokeAction": grpc.unary_stream_rpc_method_handler(
                        lambda *_: iter([_COMPLETED])
                    ),
                },
            ),
        )
    )


def main() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if len(tempfile.gettempdir()) > 70:  # the longest directory that its socket can lie in
        tempfile.tempdir = os.sep + "tmp"
    add = rpc.add_ProviderServicer_to_server

    def add_all(servicer: Any, server: Any) -> None:
        add(servicer, server)
        _add_actions(server)

    # `run_provider` looks both up when it is called.
    rpc.add_ProviderServicer_to_server = add_all
    provider.ProviderServicer = Servicer
    runner.run_provider(Lab(), sys.argv)


if __name__ == "__main__":
    main()
