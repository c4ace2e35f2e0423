"""YAML with the place of every value."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import yaml


@dataclass(frozen=True, slots=True)
class Located:
    """A value: its path, its place (counted from 1), its type as YAML has it.

    ``twice``: its key was given before in the same mapping.
    """

    path: tuple[str | int, ...]
    line: int
    column: int
    kind: str
    twice: bool


def located(node: yaml.Node) -> Iterator[Located]:
    """Every value below a node, the node first. The value of a key stands where the key does."""
    return _located(node, (), node.start_mark, twice=False)


def _located(
    node: yaml.Node, path: tuple[str | int, ...], mark: yaml.Mark, *, twice: bool
) -> Iterator[Located]:
    yield Located(path, mark.line + 1, mark.column + 1, node.tag.rpartition(":")[2], twice)
    if isinstance(node, yaml.MappingNode):
        seen = set[str]()
        for key, value in node.value:
            name = str(key.value)
            yield from _located(value, (*path, name), key.start_mark, twice=name in seen and name != "<<")
            seen.add(name)
    elif isinstance(node, yaml.SequenceNode):
        for index, item in enumerate(node.value):
            yield from _located(item, (*path, index), item.start_mark, twice=False)
