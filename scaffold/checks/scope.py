"""The names that a Terraform module defines, and where it refers to names."""

from __future__ import annotations

import posixpath
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import TypeAlias

from scaffold.checks.stack import CheckContext, ParsedStack, generated_by
from scaffold.hcl.syntax import Attribute, Block, Body, Document, Expression, Reference

Name = tuple[str, ...]
"""How a definition is referred to: ``("var", "x")``, ``("kubernetes_service", "app")``, ``("data", …)``."""

_LABELLED = {
    "resource": (2, ()),
    "data": (2, ("data",)),
    "ephemeral": (2, ("ephemeral",)),
    "module": (1, ("module",)),
    "variable": (1, ("var",)),
    "output": (1, ("output",)),
}


Definition: TypeAlias = Block | Attribute
"""What defines a name: a block, or for a local its argument."""


class UseKind(Enum):
    """What a reference is used for."""

    VALUE = "value"
    IGNORED_CHANGE = "ignored change"
    """A path below the resource itself, in ``ignore_changes``."""
    ADDRESS = "address"
    """The address of a resource, maybe inside a module: the target of an ``import``."""


@dataclass(frozen=True, slots=True)
class Use:
    """A reference, and the top-level block in which it stands."""

    reference: Reference
    block: Block
    kind: UseKind = UseKind.VALUE


@dataclass(frozen=True, slots=True)
class Scope:
    """One directory of Terraform files: what is defined in it, and what it refers to.

    ``definitions`` has every place where a name is defined, those in generated files included.
    """

    directory: str
    documents: tuple[Document, ...]
    definitions: Mapping[Name, list[Definition]] = field(repr=False)

    def names(self, *prefix: str) -> tuple[str, ...]:
        """The last parts of all defined names with this beginning."""
        size = len(prefix) + 1
        return tuple(n[-1] for n in self.definitions if len(n) == size and n[:-1] == prefix)

    def uses(self) -> Iterator[Use]:
        """All references, in the order of the files; bound names are left out."""
        for document in self.documents:
            for block in document.body.blocks:
                if block.type not in _WITHOUT_REFERENCES:
                    for use in _uses(block, block.body, frozenset()):
                        if not use.reference.bound:
                            yield use


def scopes(stack: ParsedStack, context: CheckContext) -> list[Scope]:
    """The scope of the stack, and those of the modules inside it."""
    found: list[Scope] = []
    for directory, documents in stack.modules.items():
        around = _generated(stack, context) if directory == stack.directory else ()
        definitions: dict[Name, list[Definition]] = {}
        for document in (*documents, *around):
            for name, definition in _definitions(document.body):
                definitions.setdefault(name, []).append(definition)
        found.append(Scope(directory, documents, definitions))
    return found


def _generated(stack: ParsedStack, context: CheckContext) -> Iterator[Document]:
    """What terragrunt writes into the stack, without files that are already there."""
    files = {**context.generated, **generated_by(stack.terragrunt)}
    present = {posixpath.basename(d.path) for d in stack.modules.get(stack.directory, ())}
    return (document for name, document in files.items() if name not in present)


def _definitions(body: Body) -> Iterator[tuple[Name, Definition]]:
    for block in body.blocks:
        if block.type == "locals":
            for attribute in block.body.attributes.values():
                yield ("local", attribute.name), attribute
        elif block.type == "check":
            yield from _definitions(block.body)
        elif block.type in _LABELLED:
            labels, prefix = _LABELLED[block.type]
            if len(block.labels) == labels:
                yield (*prefix, *block.labels), block


# uses

_WITHOUT_REFERENCES = frozenset(("terraform", "moved", "removed"))
_NO_VALUES = {
    "resource": frozenset(("provider",)),
    "data": frozenset(("provider",)),
    "ephemeral": frozenset(("provider",)),
    "import": frozenset(("provider",)),
    "module": frozenset(("providers",)),
    "variable": frozenset(("type",)),
    "provisioner": frozenset(("when", "on_failure")),
}
"""Arguments whose words are no references: providers, types, keywords."""


def _uses(top: Block, body: Body, iterators: frozenset[str], within: str = "") -> Iterator[Use]:
    skipped = _NO_VALUES.get(within or top.type, frozenset())
    for item in body.items:
        if isinstance(item, Block):
            yield from _uses_below(top, item, iterators)
        elif within == "lifecycle" and item.name == "ignore_changes":
            yield from _ignored(top, item.value)
        elif item.name not in skipped:
            kind = UseKind.ADDRESS if top.type == "import" and item.name == "to" else UseKind.VALUE
            for reference in item.value.references():
                if reference.root not in iterators:
                    yield Use(reference, top, kind)


def _uses_below(top: Block, block: Block, iterators: frozenset[str]) -> Iterator[Use]:
    if block.type != "dynamic" or not block.labels:
        yield from _uses(top, block.body, iterators, block.type)
        return
    iterator = block.body.value("iterator")
    inner = iterators | {iterator.text if iterator is not None else block.labels[0]}
    for name, attribute in block.body.attributes.items():
        if name != "iterator":
            known = iterators if name == "for_each" else inner
            for reference in attribute.value.references():
                if reference.root not in known:
                    yield Use(reference, top)
    for content in block.body.blocks_of("content"):
        yield from _uses(top, content.body, inner, block.labels[0])


def _ignored(top: Block, value: Expression) -> Iterator[Use]:
    for path in value.elements:
        if path.traversal is not None:
            yield Use(path.traversal, top, UseKind.IGNORED_CHANGE)


def first_key(reference: Reference, position: int) -> str | None:
    """The attribute name or literal key at a position among a reference's steps."""
    key = reference.steps[position].key if position < len(reference.steps) else None
    return key if isinstance(key, str) else None
