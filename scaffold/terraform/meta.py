"""What a stack's blocks say besides values, which no plan shows: lifecycle, order, and new addresses."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from scaffold.hcl.place import spelt
from scaffold.hcl.syntax import Block, Expression, ExprKind
from scaffold.terraform.modules import Module
from scaffold.terraform.planned import Path, path_text
from scaffold.terraform.result import Moves

_OF_RESOURCE = ("depends_on", "provider")
_ALL = "all"


def arguments(resource: Block) -> Iterator[tuple[str, tuple[str, ...]]]:
    """What a resource's block says about its lifecycle, by name, with list items in alphabetical order."""
    for name in _OF_RESOURCE:
        if (value := resource.body.value(name)) is not None:
            yield name, _texts(value)
    lifecycle = resource.body.inside("lifecycle")
    for attribute in lifecycle.attributes.values():
        yield f"lifecycle.{attribute.name}", _texts(attribute.value)
    for block in lifecycle.blocks:
        condition = block.body.value("condition")
        yield f"lifecycle.{block.type}", (condition.text if condition is not None else "",)


def ignoring(resource: Block) -> Iterator[tuple[Path, Expression]]:
    """The paths whose changes a resource ignores, each with its expression; the empty path is all of it."""
    value = resource.body.inside("lifecycle").value("ignore_changes")
    for item in _items(value) if value is not None else ():
        path = spelt(item)
        if path is not None:
            yield () if path == (_ALL,) else path, item


def moves(modules: Mapping[str, Module], stack: str) -> Moves:
    """The ``moved`` and ``removed`` blocks of a stack and of the modules that it calls."""
    moved: list[tuple[str, str]] = []
    forgotten: set[str] = set()
    waiting = [("", stack)]
    while waiting:
        prefix, directory = waiting.pop()
        module = modules.get(directory)
        if module is None:
            continue
        for block in module.blocks("moved"):
            before, after = (block.body.value(name) for name in ("from", "to"))
            if before is not None and after is not None:
                moved.append((prefix + before.text, prefix + after.text))
        for block in module.blocks("removed"):
            source = block.body.value("from")
            if source is not None and block.body.inside("lifecycle").literal("destroy") is False:
                forgotten.add(prefix + source.text)
        waiting += [(f"{prefix}module.{name}.", called) for name, (called, _) in module.calls.items()]
    return Moves(_chained(moved), frozenset(forgotten))


def _chained(moved: list[tuple[str, str]]) -> tuple[tuple[str, str], ...]:
    """The moves, in which an address that moved again leads to its last one."""
    after = dict(moved)
    found = []
    for before, first in after.items():
        seen, last = {before}, first
        while last in after and last not in seen:
            seen.add(last)
            last = after[last]
        found.append((before, last))
    return tuple(sorted(found, key=lambda move: -len(move[0])))


def _items(value: Expression) -> tuple[Expression, ...]:
    return value.elements if value.kind is ExprKind.LIST else (value,)


def _texts(value: Expression) -> tuple[str, ...]:
    return tuple(sorted(path_text(path) if (path := spelt(item)) else item.text for item in _items(value)))
