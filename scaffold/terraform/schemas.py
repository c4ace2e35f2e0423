"""Provider schemas: what resources, arguments and blocks exist, with their types and flags.

The package carries the schemas as data, in the form that ``terraform providers schema -json`` prints,
one file ``<provider>-<version>.json.gz`` each. A directory with newer ones can be laid over them.
A file is decoded when one of its types is first asked for, once per process.
"""

from __future__ import annotations

import gzip
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from functools import cache, cached_property
from pathlib import Path
from types import MappingProxyType
from typing import Never, cast

from scaffold.errors import MissingError
from scaffold.hcl import types
from scaffold.hcl.types import Type

_PACKAGED = Path(__file__).parent / "data"

RawSchema = Mapping[str, object]
"""The JSON object of one provider: ``provider``, ``resource_schemas``, ``data_source_schemas``."""
SECTIONS = {"resource": "resource_schemas", "data": "data_source_schemas"}
"""The key that holds the types of each kind of block."""


class Nesting(Enum):
    """How often a nested block may occur, and what it becomes."""

    SINGLE = "single"
    LIST = "list"
    SET = "set"
    MAP = "map"
    GROUP = "group"


_NONE_OF: Mapping[Nesting, tuple[()] | Mapping[str, Never]] = {
    Nesting.LIST: (),
    Nesting.SET: (),
    Nesting.MAP: MappingProxyType({}),
}
"""What a plan shows of nested blocks of which there are none; null where there is at most one."""


@dataclass(frozen=True, slots=True)
class AttributeSchema:
    """One argument of a block."""

    name: str
    type: Type
    required: bool = False
    optional: bool = False
    computed: bool = False
    takes_blocks: bool = False
    """Whether blocks may stand in place of its list of objects ("attributes as blocks")."""

    @property
    def settable(self) -> bool:
        """Whether a configuration may set it: what is only computed belongs to the provider."""
        return self.required or self.optional


@dataclass(frozen=True, slots=True)
class NestedBlock:
    """A block inside a block, and how often it may stand (``max_items`` 0: any number of times)."""

    nesting: Nesting
    block: BlockSchema
    min_items: int = 0
    max_items: int = 0

    @property
    def most(self) -> int:
        """How often it may stand at most; 0 means any number."""
        return 1 if self.nesting in (Nesting.SINGLE, Nesting.GROUP) else self.max_items


@dataclass(frozen=True, eq=False)
class BlockSchema:
    """The arguments and blocks that a resource, data source or block has."""

    raw: RawSchema = field(repr=False)

    @cached_property
    def attributes(self) -> Mapping[str, AttributeSchema]:
        """The arguments by name."""
        raw = cast("Mapping[str, RawSchema]", self.raw.get("attributes", {}))
        return {name: _attribute(name, spec) for name, spec in raw.items()}

    @cached_property
    def blocks(self) -> Mapping[str, NestedBlock]:
        """The nested blocks by their type."""
        raw = cast("Mapping[str, RawSchema]", self.raw.get("block_types", {}))
        return {name: _nested(spec) for name, spec in raw.items()}

    @cached_property
    def required(self) -> tuple[str, ...]:
        """The arguments that have to be set."""
        return tuple(a.name for a in self.attributes.values() if a.required)

    @cached_property
    def unset(self) -> Mapping[str, tuple[()] | Mapping[str, Never] | None]:
        """What a plan shows of a block if nothing is set, without what the provider computes."""
        blocks = {name: _NONE_OF.get(nested.nesting) for name, nested in self.blocks.items()}
        return blocks | {name: None for name, a in self.attributes.items() if not a.computed}

    @cached_property
    def limited(self) -> tuple[tuple[str, NestedBlock], ...]:
        """The nested blocks whose number is limited."""
        return tuple(
            (name, nested) for name, nested in self.blocks.items() if nested.min_items or nested.most
        )


@dataclass(frozen=True, eq=False)
class ProviderSchema:
    """The schema file of one provider."""

    name: str
    file: Path

    @property
    def version(self) -> str:
        """Its version, which the name of the file may say; else empty."""
        stem = self.file.name.removesuffix(".gz").removesuffix(".json")
        return stem.removeprefix(f"{self.name}-") if stem.startswith(f"{self.name}-") else ""

    @cached_property
    def _decoded(self) -> tuple[str, RawSchema]:
        for address, raw in _providers_in(self.file):
            if address.rpartition("/")[2] == self.name:
                return address, raw
        raise MissingError(f"{self.file} has no schema of the provider {self.name}")

    @property
    def address(self) -> str:
        """The provider's full source address (``registry.terraform.io/hashicorp/null``)."""
        return self._decoded[0]

    @property
    def raw(self) -> RawSchema:
        """The decoded JSON object."""
        return self._decoded[1]

    def types(self, kind: str) -> Mapping[str, RawSchema]:
        """All types of a kind of blocks (``resource`` or ``data``), as they are in the file."""
        return cast("Mapping[str, RawSchema]", self.raw.get(SECTIONS[kind], {}))

    @cached_property
    def _blocks(self) -> dict[tuple[str, str], BlockSchema]:
        return {}

    def block(self, kind: str, type: str) -> BlockSchema | None:
        """The schema of a type of resources or data sources, or None; the same one each time."""
        known = self._blocks.get((kind, type))
        spec = self.types(kind).get(type)
        if known is None and spec is not None:
            known = self._blocks[kind, type] = BlockSchema(cast("RawSchema", spec["block"]))
        return known


@dataclass(frozen=True, eq=False)
class Schemas:
    """The schemas of all known providers, by the provider's own name (``kubernetes``)."""

    providers: Mapping[str, ProviderSchema]

    def provider_of(self, type: str) -> ProviderSchema | None:
        """The provider of a resource type or data source: its name is the type's first word."""
        return self.providers.get(type.partition("_")[0])

    def block(self, kind: str, type: str) -> BlockSchema | None:
        """The schema of a type of ``resource`` or ``data`` blocks; None if it or its provider is unknown."""
        provider = self.provider_of(type)
        return provider.block(kind, type) if provider is not None else None

    def provider_versions(self) -> Mapping[str, str]:
        """The version whose schema is known, by provider; empty if the file's name has none."""
        return {name: provider.version for name, provider in self.providers.items()}


@cache
def load(overlay: Path | None = None) -> Schemas:
    """The packaged schemas, and over them those of a directory.

    ``overlay`` holds ``*.json`` or ``*.json.gz`` files as ``terraform providers schema -json`` prints them;
    one file may have several providers. Raises ``MissingError`` if one cannot be read.
    """
    packaged = {file.name.partition("-")[0]: file for file in sorted(_PACKAGED.glob("*.json.gz"))}
    found = {name: ProviderSchema(name, file) for name, file in packaged.items()}
    if overlay is not None:
        for file in sorted((*overlay.glob("*.json"), *overlay.glob("*.json.gz"))):
            for address, _ in _providers_in(file):
                name = address.rpartition("/")[2]
                found[name] = ProviderSchema(name, file)
    return Schemas(found)


@cache
def _providers_in(file: Path) -> tuple[tuple[str, RawSchema], ...]:
    """Source address and schema of each provider in a file."""
    try:
        content = file.read_bytes()
        decoded = json.loads(gzip.decompress(content) if file.suffix == ".gz" else content)
        return tuple(decoded["provider_schemas"].items())
    except (OSError, ValueError, KeyError, TypeError, AttributeError, EOFError) as error:
        raise MissingError(
            f"{file} is not a provider schema: {error}",
            hint="write it with `terraform providers schema -json`",
        ) from error


def _attribute(name: str, spec: RawSchema) -> AttributeSchema:
    nested = cast("RawSchema | None", spec.get("nested_type"))
    type_ = _nested_type(nested) if nested is not None else types.of_json(spec.get("type"))
    return AttributeSchema(
        name,
        type_,
        takes_blocks=nested is None and type_.element is not None and type_.element.name == "object",
        **{flag: True for flag in _FLAGS if spec.get(flag)},
    )


_FLAGS = ("required", "optional", "computed")


def _nested_type(spec: RawSchema) -> Type:
    attributes = cast("Mapping[str, RawSchema]", spec["attributes"])
    items = (_attribute(name, inner) for name, inner in attributes.items())
    fields = tuple((item.name, item.type, not item.required) for item in items)
    nesting = str(spec["nesting_mode"])
    item = Type("object", attributes=fields)
    return item if nesting in ("single", "group") else Type(nesting, item)


def _nested(spec: RawSchema) -> NestedBlock:
    return NestedBlock(
        nesting=Nesting(spec["nesting_mode"]),
        block=BlockSchema(cast("RawSchema", spec.get("block", {}))),
        min_items=cast("int", spec.get("min_items", 0)),
        max_items=cast("int", spec.get("max_items", 0)),
    )
