"""YAML as Woodpecker and GitHub read it, with the line of every value."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import pairwise
from typing import Any, TypeAlias

import yaml

from scaffold.reading import Loader, YamlError, read, resolving

Key: TypeAlias = str | int


class _Loader(Loader):
    """Scalars by the rules of Go's YAML library: ``on`` is text, ``12e3`` and ``0123`` are numbers."""


def _float(loader: yaml.SafeLoader, node: yaml.ScalarNode) -> float:
    text = str(loader.construct_scalar(node)).replace("_", "")
    return float(text.lower().replace(".inf", "inf").replace(".nan", "nan"))


_FLOAT = r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?|[-+]?\.(inf|Inf)|\.(nan|NaN)"
resolving(
    _Loader,
    bool=(r"true|True|TRUE|false|False|FALSE", "tTfF"),
    null=(r"~|null|Null|NULL|", ["~", "n", "N", ""]),
    int=(r"[-+]?(0b[01_]+|0[0-7_]+|0o[0-7_]+|0x[0-9a-fA-F_]+|[0-9][0-9_]*)", "-+0123456789"),
    float=(_FLOAT, "-+.0123456789"),
    merge=(r"<<", "<"),
)
_Loader.add_constructor("tag:yaml.org,2002:float", _float)


class _Woodpecker(_Loader):
    """The first of several documents; in a list, an item ``<<: *list`` stands for the items of that list."""

    def get_single_node(self) -> yaml.Node | None:
        """The first document."""
        node: yaml.Node | None = self.get_node() if self.check_node() else None
        return node

    def compose_sequence_node(self, anchor: Any) -> yaml.SequenceNode:
        """As PyYAML does, with what is merged. Raises :class:`YamlError` if that is no list."""
        node: yaml.SequenceNode = super().compose_sequence_node(anchor)
        node.value = [inner for item in node.value for inner in _merged(item)]
        return node


def _merged(item: yaml.Node) -> list[yaml.Node]:
    if not (
        isinstance(item, yaml.MappingNode) and [k.tag.rpartition(":")[2] for k, _ in item.value] == ["merge"]
    ):
        return [item]
    (_, merged), *_ = item.value
    several = isinstance(merged, yaml.SequenceNode) and any(
        isinstance(i, yaml.SequenceNode) for i in merged.value
    )
    lists = merged.value if several else [merged]
    if not all(isinstance(one, yaml.SequenceNode) for one in lists):
        mark = item.start_mark
        fix = "Merge a list, or write the item's keys out."
        raise YamlError("merges something else into a list", fix, mark.line + 1, mark.column + 1)
    return [inner for one in lists for inner in one.value]


@dataclass(frozen=True)
class Document:
    """One parsed YAML file."""

    value: Any
    lines: Mapping[tuple[Key, ...], int] = field(repr=False)
    kinds: Mapping[tuple[Key, ...], str] = field(repr=False)
    """The YAML type of every value, by its path: tells text from what only looks like it."""

    def line(self, *path: Key) -> int:
        """The line of the value at a path, or of the nearest one around it."""
        at: tuple[Key, ...] = ()
        for part in path:
            # A key is found as it is written, whatever YAML makes of it.
            inner = next((one for one in ((*at, part), (*at, str(part))) if one in self.lines), None)
            if inner is None:
                break
            at = inner
        return self.lines.get(at, 1)


@dataclass(frozen=True)
class PipelineFile:
    """A file of a pipeline: its text, and the document in it."""

    path: str
    raw: str
    document: Document

    def place(self, *path: Key) -> tuple[str, int]:
        """The file, and the line of the value at a path in it."""
        return self.path, self.document.line(*path)

    def place_of(self, offset: int) -> tuple[str, int]:
        """The file, and the line of an offset."""
        return self.path, self.raw.count("\n", 0, offset) + 1


def parse(text: str) -> Document:
    """The YAML document in a text. Raises :class:`YamlError`, also if a key is given twice."""
    return _parsed(text, _Loader)


def parse_workflow(text: str) -> Document:
    """The document that Woodpecker takes from a text. Raises :class:`YamlError` as :func:`parse`."""
    return _parsed(text, _Woodpecker)


def further_documents(text: str) -> tuple[int, ...]:
    """The lines where documents after the first begin, as far as they can be read and hold something."""
    lines = []
    try:
        events = list(yaml.parse(text, Loader=yaml.SafeLoader))
        for start, content in pairwise(events):
            if (
                isinstance(start, yaml.DocumentStartEvent)
                and start.start_mark
                and getattr(content, "value", True)
            ):
                lines.append(start.start_mark.line + 1)
    except yaml.YAMLError:
        return ()
    return tuple(lines[1:])


@lru_cache(256)  # for most runs a workflow is the same text
def _parsed(text: str, loader: type[_Loader]) -> Document:
    found = read(text, loader)
    for at in found.places:
        if at.twice:
            raise YamlError(f"gives {at.path[-1]} twice", "Keep one of the two.", at.line, at.column)
    lines = {at.path: at.line for at in found.places}
    return Document(found.value, lines, {at.path: at.kind for at in found.places})
