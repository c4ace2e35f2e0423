"""Which providers a stack needs, whose schemas are known, and what stands in for a schema that is not."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from scaffold.hcl.syntax import Attr, Attribute, Block, Body, Document, Step
from scaffold.terraform.schemas import RawSchema, Schemas

REGISTRIES = ("registry.terraform.io", "registry.opentofu.org")
"""The hosts that stand before an address without one, for ``terraform`` and for ``tofu``."""
_OFFICIAL = "hashicorp"
_BUILT_IN = "terraform"
BUILT_IN = f"terraform.io/builtin/{_BUILT_IN}"
"""The provider that is a part of the program itself: its data source reads state, from files and networks."""
_STATE = ("backend", "config", "defaults", "outputs", "workspace")
_BUILT_IN_SCHEMA: RawSchema = {
    "resource_schemas": {
        "terraform_data": {
            "block": {
                "attributes": {
                    "id": {"type": "string", "computed": True},
                    "input": {"type": "dynamic", "optional": True},
                    "output": {"type": "dynamic", "computed": True},
                    "triggers_replace": {"type": "dynamic", "optional": True},
                }
            }
        }
    },
    "data_source_schemas": {
        "terraform_remote_state": {
            "block": {
                "attributes": {
                    name: {"type": "dynamic", "optional": name != "outputs", "computed": name == "outputs"}
                    for name in _STATE
                }
            }
        }
    },
}
_OBJECTS = ("resource", "data")
_META = frozenset(
    ("alias", "count", "for_each", "provider", "depends_on", "lifecycle", "connection", "provisioner")
)


@dataclass(slots=True)
class Requirement:
    """A provider that a stack needs: its address without the registry's host (``hashicorp/kubernetes``).

    ``named`` says that a module names it, in ``required_providers`` or with a ``provider`` block; else its
    address is what Terraform makes of the first word of a type. ``used`` is the first block that needs it.
    """

    address: str
    named: bool = False
    used: Block | None = None
    blocks: list[Block] = field(default_factory=list)
    settings: list[Block] = field(default_factory=list)
    """Its ``provider`` blocks."""


def required(modules: Iterable[Iterable[Document]]) -> Mapping[str, Requirement]:
    """The providers of a stack and the modules it calls, by address; each module is its files."""
    found: dict[str, Requirement] = {}
    for module in modules:
        documents = list(module)
        sources = dict(_sources(documents))
        for name in sources:
            _get(found, sources, name).named = True
        for document in documents:
            for block in document.body.blocks_of("provider"):
                if block.labels:
                    requirement = _get(found, sources, block.labels[0])
                    requirement.named = True
                    requirement.used = requirement.used or block
                    requirement.settings.append(block)
            for block in _objects(document.body):
                requirement = _get(found, sources, _local_name(block))
                requirement.blocks.append(block)
                requirement.used = requirement.used or block
    return {
        address: needed
        for address, needed in found.items()
        # What is built in needs a schema only where data is read from it.
        if address != BUILT_IN or any(block.type == "data" for block in needed.blocks)
    }


def _get(found: dict[str, Requirement], sources: Mapping[str, str], name: str) -> Requirement:
    address = sources.get(name) or (BUILT_IN if name == _BUILT_IN else f"{_OFFICIAL}/{name}")
    return found.setdefault(address, Requirement(address))


def _sources(documents: Iterable[Document]) -> Iterator[tuple[str, str]]:
    for argument in (argument for document in documents for argument in required_providers(document.body)):
        value = argument.value.at("source")
        source = value.string() if value is not None else None
        yield argument.name, without_registry(source or f"{_OFFICIAL}/{argument.name}")


def required_providers(body: Body) -> Iterator[Attribute]:
    """The providers that a file requires, each with what it says of one."""
    for settings in body.blocks_of("terraform"):
        for providers in settings.body.blocks_of("required_providers"):
            yield from providers.body.attributes.values()


def without_registry(address: str) -> str:
    """A provider's address as it is written in ``required_providers``, in full if its host matters."""
    host, _, rest = address.partition("/")
    if rest.count("/") == 1:
        return rest if host in REGISTRIES else address
    return address if rest else f"{_OFFICIAL}/{address}"


def _objects(body: Body) -> Iterator[Block]:
    for block in body.blocks:
        if block.type in _OBJECTS and block.labels:
            yield block
        elif block.type == "check":
            yield from block.body.blocks_of("data")


def _local_name(block: Block) -> str:
    chosen = block.body.value("provider")
    if chosen is not None and chosen.traversal is not None:
        return chosen.traversal.root
    return block.labels[0].partition("_")[0]


def addresses(address: str) -> tuple[str, ...]:
    """The full addresses under which ``terraform`` and ``tofu`` look for a provider."""
    return (address,) if address.count("/") > 1 else tuple(f"{host}/{address}" for host in REGISTRIES)


def known_schema(schemas: Schemas, address: str) -> RawSchema | None:
    """The schema of the provider with this address; None if only another vendor's is known, or none."""
    if address == BUILT_IN:
        return _BUILT_IN_SCHEMA
    provider = schemas.providers.get(address.rpartition("/")[2])
    if provider is None or without_registry(provider.address) != address:
        return None
    return provider.raw


# a schema made from the configuration


def assumed_schema(requirement: Requirement, documents: Iterable[Document]) -> RawSchema:
    """A schema in which everything exists that the stack uses of a provider, with any type.

    It lets the rest of the stack be planned. Nothing about the provider's own resources is checked with it.
    """
    sections: dict[str, dict[str, _Shape]] = {kind: {} for kind in _OBJECTS}
    for block in requirement.blocks:
        shape = sections[block.type].setdefault(block.labels[0], _Shape())
        shape.add(block.body)
    types = [name.encode() for section in sections.values() for name in section]
    # Most files name none of the provider's types: to look for them costs less than to walk through all.
    named = (document for document in documents if any(name in document.source.data for name in types))
    for document in named:
        for reference in document.body.references():
            names: tuple[Step, ...] = (Attr(reference.root), *reference.steps)
            kind, names = ("data", names[1:]) if reference.root == "data" else ("resource", names)
            if len(names) > 2 and isinstance(names[0], Attr) and names[0].name in sections[kind]:
                sections[kind][names[0].name].read(names[2:])
    provider = _Shape()
    for block in requirement.settings:
        provider.add(block.body)
    return {
        "provider": provider.schema(),
        "resource_schemas": {name: shape.schema() for name, shape in sections["resource"].items()},
        "data_source_schemas": {name: shape.schema() for name, shape in sections["data"].items()},
    }


@dataclass(slots=True)
class _Shape:
    """The arguments and blocks of one type, as far as the stack uses them."""

    arguments: set[str] = field(default_factory=set)
    blocks: dict[str, _Shape] = field(default_factory=dict)

    def add(self, body: Body, *, top: bool = True) -> None:
        """What a body sets."""
        self.arguments |= {name for name in body.attributes if not (top and name in _META)}
        for block in body.blocks:
            if top and block.type in _META:
                continue
            if block.type == "dynamic" and block.labels:
                content = block.body.block("content")
                self.blocks.setdefault(block.labels[0], _Shape()).add(
                    content.body if content else body, top=False
                )
            else:
                self.blocks.setdefault(block.type, _Shape()).add(block.body, top=False)

    def read(self, steps: tuple[Step, ...]) -> None:
        """What an expression reads: the first name after the keys of instances."""
        named = [step.name for step in steps if isinstance(step, Attr)]
        if not named:
            return
        if named[0] in self.blocks:
            rest = steps[next(i for i, step in enumerate(steps) if isinstance(step, Attr)) + 1 :]
            self.blocks[named[0]].read(rest)
        else:
            self.arguments.add(named[0])

    def block(self) -> RawSchema:
        """The block of a schema file."""
        return {
            "attributes": {
                name: {"type": "dynamic", "optional": True, "computed": True}
                for name in sorted(self.arguments - self.blocks.keys())
            },
            "block_types": {
                name: {"nesting_mode": "list", "block": shape.block()}
                for name, shape in sorted(self.blocks.items())
            },
        }

    def schema(self) -> RawSchema:
        """The entry of a schema file."""
        return {"version": 0, "block": self.block()}
