"""YAML as Woodpecker and GitHub read it, with the line of every value."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import yaml

from scaffold.reading import Loader, YamlError, read

Key: TypeAlias = str | int


class _Loader(Loader):
    """Scalars by the rules of Go's YAML library: ``on`` is text, ``12e3`` and ``0123`` are numbers."""

    yaml_implicit_resolvers: dict[Any, Any] = {}


def _float(loader: yaml.SafeLoader, node: yaml.ScalarNode) -> float:
    text = str(loader.construct_scalar(node)).replace("_", "")
    return float(text.lower().replace(".inf", "inf").replace(".nan", "nan"))


for _tag, _pattern, _first in (
    ("bool", r"true|True|TRUE|false|False|FALSE", "tTfF"),
    ("null", r"~|null|Null|NULL|", ["~", "n", "N", ""]),
    ("int", r"[-+]?(0b[01_]+|0[0-7_]+|0o[0-7_]+|0x[0-9a-fA-F_]+|[0-9][0-9_]*)", "-+0123456789"),
    (
        "float",
        r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?|[-+]?\.(inf|Inf)|\.(nan|NaN)",
        "-+.0123456789",
    ),
    ("merge", r"<<", "<"),
):
    _Loader.add_implicit_resolver(f"tag:yaml.org,2002:{_tag}", re.compile(f"^(?:{_pattern})$"), list(_first))
_Loader.add_constructor("tag:yaml.org,2002:float", _float)


@dataclass(frozen=True)
class Document:
    """One parsed YAML file."""

    value: Any
    lines: Mapping[tuple[Key, ...], int] = field(repr=False)
    kinds: Mapping[tuple[Key, ...], str] = field(repr=False)
    """The YAML type of every value, by its path: tells text from what only looks like it."""

    def line(self, *path: Key) -> int:
        """The line of the value at a path, or of the nearest one around it."""
        for length in range(len(path), -1, -1):
            if (line := self.lines.get(path[:length])) is not None:
                return line
        return 1


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
        """The file, and the line that an offset is in."""
        return self.path, self.raw.count("\n", 0, offset) + 1


def parse(text: str) -> Document:
    """The YAML document in a text. Raises :class:`YamlError`, also where a key is given twice."""
    found = read(text, _Loader)
    for at in found.places:
        if at.twice:
            raise YamlError(f"gives {at.path[-1]} twice", "Keep one of the two.", at.line, at.column)
    lines = {at.path: at.line for at in found.places}
    return Document(found.value, lines, {at.path: at.kind for at in found.places})
