"""Paths below a block, as HCL spells them (``metadata[0].labels["tier"]``), and what is there."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TypeAlias

from scaffold.hcl.expressions import Entry, Expression
from scaffold.hcl.grammar import ExprKind
from scaffold.hcl.syntax import Attribute, Block, Body, HclSyntaxError, parse

Steps: TypeAlias = tuple[str | int, ...]


def spelt(item: Expression) -> Steps | None:
    """The path that an expression spells, where it is nothing else and every step is known."""
    reference = item.traversal
    if reference is None:
        return None
    path: list[str | int] = [reference.root]
    for step in reference.steps:
        if step.key is None:
            return None
        path.append(step.key)
    return tuple(path)


def path_of(text: str) -> Steps | None:
    """The path that a text spells; None if it spells none."""
    try:
        value = parse(f"x = {text}\n".encode()).body.value("x")
    except HclSyntaxError:
        return None
    return spelt(value) if value is not None else None


def find(body: Body, path: Steps) -> Attribute | Entry | Block | None:
    """The argument, the entry of a map or the block at a path; the first block where no number is given."""
    name, *rest = path
    if (attribute := body.attributes.get(str(name))) is not None:
        return _within(attribute, tuple(rest)) if rest else attribute
    number = rest.pop(0) if rest and isinstance(rest[0], int) else 0
    blocks = body.blocks_of(str(name))
    if not isinstance(number, int) or number >= len(blocks):
        return None
    return find(blocks[number].body, tuple(rest)) if rest else blocks[number]


def _within(item: Attribute | Entry, path: Steps) -> Entry | None:
    entry = item.value.entry(str(path[0])) if item.value.kind is ExprKind.MAP else None
    return _within(entry, path[1:]) if entry is not None and path[1:] else entry


def block_at(body: Body, line: int) -> Block | None:
    """The block that begins in a line."""
    return next((block for block in body.walk() if block.line == line), None)


def addressed(body: Body) -> Iterator[tuple[str, Block]]:
    """Every block at any depth with its address, such as ``kubernetes_pod.a.spec[0].container[1]``."""
    return (pair for block in body.blocks for pair in _addressed(block.address, block))


def _addressed(address: str, block: Block) -> Iterator[tuple[str, Block]]:
    yield address, block
    numbers: dict[str, int] = {}
    for inner in block.body.blocks:
        number = numbers[inner.type] = numbers.get(inner.type, -1) + 1
        yield from _addressed(f"{address}.{inner.type}[{number}]", inner)
