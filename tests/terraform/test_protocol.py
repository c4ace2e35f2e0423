"""The plugin protocol: schemas on the wire, planned states, and a client on the other end of a socket."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import grpc
import msgpack
import pytest

from scaffold.terraform import plugin_pb2 as pb
from scaffold.terraform import protocol, schemas
from scaffold.terraform.server import SchemaServer

ROOT = Path(__file__).resolve().parents[2]
UNKNOWN = msgpack.ExtType(0, b"\0")
LEAF = {
    "attributes": {"uid": {"type": "string", "computed": True}, "name": {"type": "string", "optional": True}}
}
BLOCK = {
    "attributes": {
        "id": {"type": "string", "computed": True},
        "size": {"type": "number", "required": True},
        "labels": {"type": ["map", "string"], "optional": True},
        "nested": {
            "optional": True,
            "nested_type": {"nesting_mode": "list", "attributes": LEAF["attributes"]},
        },
    },
    "block_types": {
        "one": {"nesting_mode": "single", "block": LEAF},
        "many": {"nesting_mode": "list", "min_items": 1, "max_items": 3, "block": LEAF},
        "any": {"nesting_mode": "set", "block": LEAF},
        "by_key": {"nesting_mode": "map", "block": LEAF},
        "group": {"nesting_mode": "group", "block": LEAF},
    },
}
PROVIDER = {
    "provider": {"block": {"attributes": {"url": {"type": "string", "required": True}}}},
    "resource_schemas": {"x_thing": {"version": 2, "block": BLOCK}},
    "data_source_schemas": {"x_state": {"version": 0, "block": LEAF}},
}


def test_protobuf_at_run_time_is_no_older_than_the_stubs() -> None:
    generated = (ROOT / "scaffold/terraform/plugin_pb2.py").read_text()
    version = generated.partition("# Protobuf Python Version: ")[2].partition("\n")[0]
    dependencies = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["dependencies"]
    assert f"protobuf>={version}" in dependencies


def planned(state: object) -> Any:
    proposed = pb.DynamicValue(msgpack=msgpack.packb(state))
    return msgpack.unpackb(protocol.planned(BLOCK, proposed).msgpack, strict_map_key=False)


def test_a_schema_on_the_wire() -> None:
    response = pb.GetProviderSchema.Response.FromString(protocol.schema_response(PROVIDER))
    (url,) = response.provider.block.attributes
    assert (url.required, url.optional) == (False, True)
    thing = response.resource_schemas["x_thing"]
    attributes = {a.name: a for a in thing.block.attributes}
    assert thing.version == 2 and attributes["id"].computed and attributes["size"].required
    assert json.loads(attributes["labels"].type) == ["map", "string"]
    assert attributes["nested"].type == b"" and attributes["nested"].nested_type.nesting == 2
    nesting = {b.type_name: (b.nesting, b.min_items, b.max_items) for b in thing.block.block_types}
    assert nesting == {
        "one": (1, 0, 0),
        "many": (2, 1, 3),
        "any": (3, 0, 0),
        "by_key": (4, 0, 0),
        "group": (5, 0, 0),
    }
    assert [a.name for a in response.data_source_schemas["x_state"].block.attributes] == ["uid", "name"]


@pytest.mark.parametrize("provider", sorted(schemas.load().providers))
def test_every_packaged_schema_can_be_served(provider: str) -> None:
    raw = schemas.load().providers[provider].raw
    response = pb.GetProviderSchema.Response.FromString(protocol.schema_response(raw))
    assert sorted(response.resource_schemas) == sorted(raw.get("resource_schemas", {}))  # type: ignore[call-overload]
    for schema in response.resource_schemas.values():
        for attribute in schema.block.attributes:
            assert bool(attribute.type) != attribute.HasField("nested_type")


def test_what_the_provider_computes_is_unknown_at_every_depth() -> None:
    empty = {"uid": None, "name": None}
    state = planned(
        {
            "id": None,
            "size": 3,
            "labels": None,
            "nested": [{"uid": None, "name": "n"}],
            "one": dict(empty),
            "many": [{"uid": "given", "name": None}, dict(empty)],
            "any": [dict(empty)],
            "by_key": {"k": dict(empty)},
            "group": None,
        }
    )
    computed = {"uid": UNKNOWN, "name": None}
    assert state == {
        "id": UNKNOWN,
        "size": 3,
        "labels": None,
        "nested": [{"uid": UNKNOWN, "name": "n"}],
        "one": computed,
        "many": [{"uid": "given", "name": None}, computed],
        "any": [computed],
        "by_key": {"k": computed},
        "group": None,
    }


def test_what_is_unknown_or_to_be_destroyed_stays() -> None:
    assert planned(None) is None
    refined = msgpack.ExtType(12, b"\x81\x01\xc2")
    state = planned({"id": "set", "size": UNKNOWN, "labels": {"a": refined}, "many": UNKNOWN})
    assert (state["id"], state["size"], state["labels"], state["many"]) == (
        "set",
        UNKNOWN,
        {"a": refined},
        UNKNOWN,
    )


def test_blocks_of_dynamic_type_keep_their_type() -> None:
    state = planned({"size": 1, "many": [b'["tuple",[]]', [{"uid": None, "name": [b'"string"', "n"]}]]})
    assert state["many"] == [b'["tuple",[]]', [{"uid": UNKNOWN, "name": [b'"string"', "n"]}]]


@pytest.fixture
def socket(tmp_path: Path) -> Path:
    return Path("/tmp") / f"scaffold-test-{tmp_path.name[-30:]}.sock"


@pytest.fixture
def server(socket: Path) -> Iterator[SchemaServer]:
    with SchemaServer() as server:
        server.serve(PROVIDER, socket)
        yield server
    assert not socket.exists()


@pytest.fixture
def channel(server: SchemaServer, socket: Path) -> Iterator[grpc.Channel]:
    with grpc.insecure_channel(f"unix:{socket}") as channel:
        yield channel


def call(
    channel: grpc.Channel, method: str, message: bytes = b"", service: str = "tfplugin6.Provider"
) -> bytes:
    answer: bytes = channel.unary_unary(f"/{service}/{method}", None, None)(message, timeout=60)
    return answer


def test_the_calls_that_terraform_makes(channel: grpc.Channel) -> None:
    schema = pb.GetProviderSchema.Response.FromString(call(channel, "GetProviderSchema"))
    assert list(schema.resource_schemas) == ["x_thing"]
    # No diagnostics, whatever is asked: an empty message has none.
    config = pb.DynamicValue(msgpack=msgpack.packb({"url": "u"})).SerializeToString()
    for name in (
        "ValidateProviderConfig",
        "ValidateResourceConfig",
        "ValidateDataResourceConfig",
        "ConfigureProvider",
        "StopProvider",
    ):
        assert call(channel, name, config) == b""
    proposed = pb.DynamicValue(msgpack=msgpack.packb({"id": None, "size": 1}))
    request = pb.PlanResourceChange.Request(type_name="x_thing", proposed_new_state=proposed)
    answer = pb.PlanResourceChange.Response.FromString(
        call(channel, "PlanResourceChange", request.SerializeToString())
    )
    assert msgpack.unpackb(answer.planned_state.msgpack)["id"] == UNKNOWN and answer.legacy_type_system


def test_a_socket_serves_another_schema_from_then_on(
    server: SchemaServer, socket: Path, channel: grpc.Channel
) -> None:
    server.serve({**PROVIDER, "resource_schemas": {"x_other": {"block": LEAF}}}, socket)
    schema = pb.GetProviderSchema.Response.FromString(call(channel, "GetProviderSchema"))
    assert list(schema.resource_schemas) == ["x_other"]
    proposed = pb.DynamicValue(msgpack=msgpack.packb({"uid": None, "name": "n"}))
    request = pb.PlanResourceChange.Request(type_name="x_other", proposed_new_state=proposed)
    answer = pb.PlanResourceChange.Response.FromString(
        call(channel, "PlanResourceChange", request.SerializeToString())
    )
    assert msgpack.unpackb(answer.planned_state.msgpack) == {"uid": UNKNOWN, "name": "n"}


def test_what_a_newer_terraform_says_besides_is_skipped(channel: grpc.Channel) -> None:
    request = pb.PlanResourceChange.Request(
        type_name="x_thing", proposed_new_state=pb.DynamicValue(msgpack=msgpack.packb({"id": None}))
    )
    unknown = b"\xfa\x07\x03new"  # field 127, three bytes
    answer = call(channel, "PlanResourceChange", request.SerializeToString() + unknown)
    assert answer == call(channel, "PlanResourceChange", request.SerializeToString())
    with pytest.raises(grpc.RpcError) as refused:
        call(channel, "GetMetadata")
    assert refused.value.code() == grpc.StatusCode.UNIMPLEMENTED


def test_data_is_never_read(channel: grpc.Channel) -> None:
    request = pb.ReadDataSource.Request(type_name="x_state").SerializeToString()
    (refused,) = pb.ReadDataSource.Response.FromString(call(channel, "ReadDataSource", request)).diagnostics
    assert refused.severity == pb.Diagnostic.ERROR and "x_state" in refused.detail


def test_the_services_of_every_plugin(channel: grpc.Channel) -> None:
    assert call(channel, "Shutdown", service="plugin.GRPCController") == b""
    assert list(channel.unary_stream("/plugin.GRPCStdio/StreamStdio", None, None)(b"", timeout=60)) == []
