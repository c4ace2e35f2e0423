"""Typed views of what HCL files hold: arguments, blocks and comments."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from types import MappingProxyType

from tree_sitter import Node

from scaffold.hcl import grammar as g
from scaffold.hcl.expressions import Expression
from scaffold.hcl.literals import NOT_LITERAL
from scaffold.hcl.references import Reference
from scaffold.hcl.source import Source, View
from scaffold.hcl.strings import unquote


class Attribute(View):
    """``name = value`` in a body."""

    @cached_property
    def name(self) -> str:
        """What is set."""
        name = self.nodes[0].children[0]
        return self.source.text(name.start_byte, name.end_byte)

    @cached_property
    def value(self) -> Expression:
        """What it is set to."""
        return Expression.of(self.source, self.nodes[0].children[-1])

    def __repr__(self) -> str:
        return f"<attribute {self.name} line {self.line}>"


class Block(View):
    """``type "label" … { body }``."""

    @cached_property
    def type(self) -> str:
        """The word that begins the block."""
        word = self.nodes[0].children[0]
        return self.source.text(word.start_byte, word.end_byte)

    @cached_property
    def labels(self) -> tuple[str, ...]:
        """The labels, without their quotes."""
        labels = [n for n in self.nodes[0].children[1:] if n.kind_id in (g.STRING_LIT, g.IDENTIFIER)]
        return tuple(
            self.source.text(n.start_byte, n.end_byte)
            if n.kind_id == g.IDENTIFIER
            else unquote(self.source.text(n.start_byte + 1, n.end_byte - 1))
            for n in labels
        )

    @cached_property
    def body(self) -> Body:
        """What stands between the braces."""
        body = next((n for n in self.nodes[0].children if n.kind_id == g.BODY), None)
        return Body(self.source, body)

    @property
    def brace(self) -> int:
        """The byte of the opening brace."""
        return next(n for n in self.nodes[0].children if n.kind_id == g.BLOCK_START).start_byte

    @property
    def repeated(self) -> Attribute | None:
        """The ``count`` or ``for_each`` that makes any number of it."""
        return self.body.attributes.get("count") or self.body.attributes.get("for_each")

    @property
    def address(self) -> str:
        """Type and labels as Terraform joins them: ``kubernetes_namespace.app``, ``data.http.page``."""
        return ".".join(self.labels if self.type == "resource" else (self.type, *self.labels))

    def __repr__(self) -> str:
        return f"<block {self.address} line {self.line}>"


@dataclass(frozen=True, eq=False)
class Body:
    """The definitions of a file or a block, in their order."""

    source: Source
    node: Node | None

    @cached_property
    def items(self) -> tuple[Attribute | Block, ...]:
        """Arguments and blocks, in the order of the file."""
        views: list[Attribute | Block] = []
        for node in self.node.children if self.node is not None else ():
            if node.kind_id == g.ATTRIBUTE:
                views.append(Attribute(self.source, (node,)))
            elif node.kind_id == g.BLOCK:
                views.append(Block(self.source, (node,)))
        return tuple(views)

    @cached_property
    def attributes(self) -> Mapping[str, Attribute]:
        """The arguments by name."""
        return MappingProxyType({item.name: item for item in self.items if isinstance(item, Attribute)})

    @cached_property
    def blocks(self) -> tuple[Block, ...]:
        """The blocks directly in this body."""
        return tuple(item for item in self.items if isinstance(item, Block))

    def blocks_of(self, type: str, *labels: str) -> tuple[Block, ...]:
        """The blocks of a type whose first labels are these."""
        return tuple(b for b in self.blocks if b.type == type and b.labels[: len(labels)] == labels)

    def arguments(self) -> Iterator[Attribute]:
        """The arguments in this body at any depth, in the order of the file."""
        for item in self.items:
            if isinstance(item, Attribute):
                yield item
            else:
                yield from item.body.arguments()

    def references(self) -> Iterator[Reference]:
        """All references in this body, as those of an expression."""
        return (reference for argument in self.arguments() for reference in argument.value.references())

    def calls(self) -> Iterator[Expression]:
        """All function calls, templates included; an outer call comes before those in its arguments."""
        return self._below(g.FUNCTION_CALL)

    def operations(self) -> Iterator[Expression]:
        """All operations (``a && b``, ``-x``), an outer one before its operands."""
        return self._below(g.OPERATION)

    def texts(self, without: str = "") -> Iterator[tuple[str, Expression]]:
        """Every text that is written, at any depth, with the argument or key that it belongs to.

        Of the argument ``without`` there is none.
        """
        for item in self.items:
            if isinstance(item, Block):
                yield from item.body.texts(without)
            elif item.name != without:
                yield from _texts(item.name, item.value)

    def _below(self, kind: int) -> Iterator[Expression]:
        stack = [self.node] if self.node is not None else []
        while stack:
            node = stack.pop()
            if node.kind_id == kind:
                yield Expression(self.source, (node,))
            stack.extend(reversed(node.children))

    def walk(self) -> Iterator[Block]:
        """The blocks in this body at any depth, an outer one before those inside."""
        for block in self.blocks:
            yield block
            yield from block.body.walk()

    def block(self, type: str, *labels: str) -> Block | None:
        """The first block of a type whose first labels are these."""
        return next(iter(self.blocks_of(type, *labels)), None)

    def inside(self, *types: str) -> Body:
        """The body of the first block of a type, in it that of the next type; empty if there is none."""
        body = self
        for type in types:
            block = body.block(type)
            body = block.body if block else Body(self.source, None)
        return body

    def value(self, name: str) -> Expression | None:
        """The value of an argument, or None if it is not set."""
        attribute = self.attributes.get(name)
        return attribute.value if attribute is not None else None

    def literal(self, name: str) -> object:
        """The literal value of an argument; ``NOT_LITERAL`` if it is none or not set."""
        value = self.value(name)
        return value.literal() if value is not None else NOT_LITERAL


def _texts(name: str, value: Expression) -> Iterator[tuple[str, Expression]]:
    bare = value.bare
    if bare.template:
        yield name, bare
    call = bare.call
    inner = (*bare.elements, *bare.operands, *(call.arguments if call else ()), *bare.template)
    for part in inner:
        if isinstance(part, Expression):
            yield from _texts(name, part)
    for entry in bare.entries:
        yield from _texts(entry.name or name, entry.value)


class Comment(View):
    """One ``#``, ``//`` or ``/* */`` comment."""

    @property
    def text(self) -> str:
        """What it says, without its markers."""
        raw = super().text
        if raw.startswith("/*"):
            return raw[2:-2].strip()
        return raw.removeprefix("//" if raw.startswith("//") else "#").strip()

    @property
    def lines(self) -> list[str]:
        """What it says, line by line, without the stars that begin the lines of a block comment."""
        return [line.strip().removeprefix("*").strip() for line in self.text.split("\n")]

    @property
    def own_line(self) -> bool:
        """Whether no code stands before it in its line."""
        return not self.source.data[self.source.line_starts[self.line - 1] : self.start].strip()
