"""Provider schemas in the terms of Terraform's plugin protocol (``tfplugin6``), and the one computed answer.

A schema comes as ``terraform providers schema -json`` prints it. On the wire the type of an attribute is the
JSON of that form, as bytes; values are MessagePack in which an unknown is extension type 0.
Source: https://github.com/hashicorp/terraform/tree/main/docs/plugin-protocol
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

import msgpack

from scaffold.terraform import plugin_pb2 as pb

RawBlock = Mapping[str, Any]
"""The ``block`` object of a schema file: ``attributes`` and ``block_types``."""

UNKNOWN = msgpack.ExtType(0, b"\0")


def schema_response(provider: Mapping[str, Any]) -> bytes:
    """The serialised response to ``GetProviderSchema``.

    Takes one entry of ``provider_schemas``. Nothing is required of the provider's own configuration: its
    values are no part of a plan, and ``terragrunt`` may generate them.
    """
    response = pb.GetProviderSchema.Response()
    response.server_capabilities.get_provider_schema_optional = True
    response.provider.block.CopyFrom(_block(provider.get("provider", {}).get("block", {}), lenient=True))
    for section in ("resource_schemas", "data_source_schemas"):
        for name, schema in provider.get(section, {}).items():
            answer = getattr(response, section)[name]
            answer.version = schema.get("version", 0)
            answer.block.CopyFrom(_block(schema["block"]))
    return response.SerializeToString()


def _block(block: RawBlock, lenient: bool = False) -> pb.Schema.Block:
    return pb.Schema.Block(
        attributes=_attributes(block.get("attributes", {}), lenient),
        block_types=[
            pb.Schema.NestedBlock(
                type_name=name,
                nesting=nested["nesting_mode"].upper(),
                min_items=0 if lenient else nested.get("min_items", 0),
                max_items=nested.get("max_items", 0),
                block=_block(nested["block"], lenient),
            )
            for name, nested in block.get("block_types", {}).items()
        ],
    )


def _attributes(attributes: Mapping[str, Any], lenient: bool) -> Iterator[pb.Schema.Attribute]:
    for name, attribute in attributes.items():
        required = attribute.get("required", False)
        # Exactly one of the two may be set: Terraform refuses an attribute with both or neither.
        nested = _nested(attribute)
        yield pb.Schema.Attribute(
            name=name,
            type=json.dumps(attribute["type"]).encode() if nested is None else None,
            nested_type=nested
            and pb.Schema.Object(
                nesting=nested["nesting_mode"].upper(), attributes=_attributes(nested["attributes"], lenient)
            ),
            required=required and not lenient,
            optional=attribute.get("optional", False) or (required and lenient),
            computed=attribute.get("computed", False),
            sensitive=attribute.get("sensitive", False),
        )


def _nested(attribute: Mapping[str, Any]) -> Mapping[str, Any] | None:
    return attribute.get("nested_type") or attribute.get("nested_attribute_type")


def planned(block: RawBlock, proposed: pb.DynamicValue) -> pb.DynamicValue:
    """The planned state of a resource: what was proposed, with everything that the provider computes unknown.

    Terraform proposes null where an attribute is computed and not set, at every depth of the blocks.
    A resource that is to be destroyed stays null.
    """
    state = msgpack.unpackb(proposed.msgpack, strict_map_key=False)
    return pb.DynamicValue(msgpack=msgpack.packb(_with_unknowns(block, state)))


def _with_unknowns(block: RawBlock, state: Any) -> Any:
    if not isinstance(state, dict):
        return state
    for name, attribute in block.get("attributes", {}).items():
        state[name] = _attribute(attribute, state.get(name))
    for name, nested in block.get("block_types", {}).items():
        state[name] = _each(nested["nesting_mode"], nested["block"], state.get(name))
    return state


def _attribute(attribute: Mapping[str, Any], value: Any) -> Any:
    if value is None:
        return UNKNOWN if attribute.get("computed") else None
    nested = _nested(attribute)
    return value if nested is None else _each(nested["nesting_mode"], nested, value)


def _each(nesting: str, block: RawBlock, value: Any) -> Any:
    if isinstance(value, list) and len(value) == 2 and isinstance(value[0], bytes):
        # Of dynamic type: the type as JSON, and then the value.
        return [value[0], _each(nesting, block, value[1])]
    if isinstance(value, list):
        return [_with_unknowns(block, item) for item in value]
    if nesting == "map" and isinstance(value, dict):
        return {key: _with_unknowns(block, item) for key, item in value.items()}
    return _with_unknowns(block, value)
