"""YAML as Woodpecker and GitHub read it, with the line of every value."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import yaml

Key: TypeAlias = str | int


class DocumentError(ValueError):
    """Text that is no YAML, or gives a key twice; ``line`` counts from 1."""

    def __init__(self, message: str, line: int | None) -> None:
        super().__init__(message)
        self.message = message
        self.line = line


class _Loader(yaml.SafeLoader):
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


def parse(text: str) -> Document:
    """The YAML document in a text. Raises :class:`DocumentError`."""
    try:
        node = yaml.compose(text, Loader=_Loader)
        value = yaml.load(text, _Loader)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        raise DocumentError(error.problem or "is no YAML", mark.line + 1 if mark else None) from error
    except (yaml.YAMLError, ValueError) as error:
        raise DocumentError(str(error), None) from error
    lines: dict[tuple[Key, ...], int] = {}
    kinds: dict[tuple[Key, ...], str] = {}
    for path, line, kind in _walk(node, (), None) if node is not None else ():
        lines[path] = line
        kinds[path] = kind
    return Document(value, lines, kinds)


def _walk(
    node: yaml.Node, path: tuple[Key, ...], key_line: int | None
) -> Iterator[tuple[tuple[Key, ...], int, str]]:
    line = node.start_mark.line + 1
    yield path, key_line or line, node.tag.rpartition(":")[2]
    if isinstance(node, yaml.MappingNode):
        seen = set()
        for key, value in node.value:
            name = str(key.value)
            at = key.start_mark.line + 1
            if name in seen and name != "<<":
                raise DocumentError(f"gives {name} twice", at)
            seen.add(name)
            yield from _walk(value, (*path, name), at)
    elif isinstance(node, yaml.SequenceNode):
        for index, item in enumerate(node.value):
            yield from _walk(item, (*path, index), None)
