"""Which blocks a rule change is about."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

from scaffold.checks.contract import is_like
from scaffold.hcl.expressions import Expression
from scaffold.hcl.literals import NOT_LITERAL
from scaffold.hcl.place import Steps, find
from scaffold.hcl.syntax import Block, Body

Condition: TypeAlias = tuple[str | None, ...]
"""Patterns of a value as text, of which one has to fit; None stands for not set."""


@dataclass(frozen=True, slots=True)
class Selector:
    """Blocks of a file: those at its top whose address is like one of ``blocks``, or what is ``inside`` them.

    ``inside`` are types of blocks at any depth; ``where`` says what has to stand at paths below such a block,
    and ``around`` at paths below the one at the top.
    """

    blocks: tuple[str, ...]
    inside: tuple[str, ...] = ()
    where: Mapping[Steps, Condition] = field(default_factory=dict)
    around: Mapping[Steps, Condition] = field(default_factory=dict)

    def of(self, body: Body) -> Iterator[Block]:
        """The selected blocks of a file, in its order."""
        for top in body.blocks:
            if any(is_like(pattern, top.address) for pattern in self.blocks) and _fits(top, self.around):
                inner = (block for block in top.body.walk() if block.type in self.inside)
                yield from inner if self.inside else (top,)

    def fits(self, block: Block) -> bool:
        """Whether a block contains what it has to."""
        return _fits(block, self.where)


def _fits(block: Block, where: Mapping[Steps, Condition]) -> bool:
    return all(_holds(block, path, condition) for path, condition in where.items())


def _holds(block: Block, path: Steps, condition: Condition) -> bool:
    found = find(block.body, path)
    if found is None:
        return None in condition
    text = "" if isinstance(found, Block) else as_text(found.value)
    return any(pattern is not None and is_like(pattern, text) for pattern in condition)


def as_text(value: Expression) -> str:
    """A value as text: the value of a literal, anything else as it is written."""
    literal = value.literal()
    if isinstance(literal, bool):
        return str(literal).lower()
    return str(literal) if literal is not NOT_LITERAL and literal is not None else value.text
