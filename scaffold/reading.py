"""YAML that others wrote, read within limits and with the place of every value. It is read nowhere else."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import yaml

_LEVELS = 50
_VALUES = 20_000
"""Far more than people write, and read within seconds."""


class YamlError(ValueError):
    """Text that cannot be read: what is wrong, worded to follow its name; the fix; the place, from 1."""

    def __init__(self, message: str, fix: str, line: int | None = None, column: int | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.fix = fix
        self.line = line
        self.column = column


class Loader(yaml.SafeLoader):
    """Plain values within the limits. An alias counts as everything that it stands for."""

    def __init__(self, stream: str) -> None:
        super().__init__(stream)
        self._level = self._values = 0
        self._sizes: dict[str, int] = {}

    def compose_node(self, parent: yaml.Node | None, index: Any) -> yaml.Node | None:
        """As PyYAML does. Raises :class:`YamlError` for what is beyond the limits."""
        event = self.peek_event()  # type: ignore[no-untyped-call]
        place, anchor, before = _place(event.start_mark), event.anchor, self._values
        if isinstance(event, yaml.AliasEvent) and anchor in self.anchors:
            if anchor not in self._sizes:
                raise YamlError("has an alias that holds itself", "Write the value out.", *place)
            self._values += self._sizes[anchor]
        self._values += 1
        if self._values > _VALUES:
            raise YamlError(f"holds more than {_VALUES} values", "Leave out what is not needed.", *place)
        self._level += 1
        if self._level > _LEVELS:
            raise YamlError("is nested too deeply", f"Write it with at most {_LEVELS} levels.", *place)
        node: yaml.Node | None = super().compose_node(parent, index)
        self._level -= 1
        if anchor is not None:
            self._sizes.setdefault(anchor, self._values - before)
        return node

    def construct_object(self, node: yaml.Node, deep: bool = False) -> Any:
        """As PyYAML does. Raises :class:`YamlError` for a scalar that is none of its type."""
        try:
            return super().construct_object(node, deep)
        except YamlError:
            raise
        except (ValueError, LookupError, AttributeError, TypeError) as error:  # as its constructors fail
            kind = node.tag.rpartition(":")[2]
            raise YamlError(
                f"is not YAML: this is no {kind}", "Correct the value.", *_place(node.start_mark)
            ) from error


def resolving(loader: type[Loader], **patterns: tuple[str, str | list[str]]) -> None:
    """Have a loader read scalars by these patterns alone, each with the signs that one begins with."""
    loader.yaml_implicit_resolvers = {}
    for kind, (pattern, first) in patterns.items():
        whole = re.compile(f"^(?:{pattern})$")
        loader.add_implicit_resolver(f"tag:yaml.org,2002:{kind}", whole, list(first))


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


@dataclass(frozen=True, slots=True)
class Text:
    """What a text contains: its value, and every value in it with its place, the whole first."""

    value: Any
    places: tuple[Located, ...]


def read(source: str | bytes, loader: type[Loader] = Loader) -> Text:
    """The only document in a text; None without a place if it is empty. Raises :class:`YamlError`."""
    try:
        reading = loader(source.decode("utf-8") if isinstance(source, bytes) else source)
        node = reading.get_single_node()
        # Before anything is made of it: that puts what a merge key names in its place.
        places = tuple(_located(node, (), node.start_mark, twice=False)) if node is not None else ()
        return Text(reading.construct_document(node) if node is not None else None, places)
    except YamlError:
        raise
    except UnicodeDecodeError as error:
        line = error.object[: error.start].count(b"\n") + 1
        raise YamlError("is not UTF-8 text", "Save the file as UTF-8.", line) from error
    except yaml.MarkedYAMLError as error:
        place = _place(error.problem_mark or error.context_mark)
        raise YamlError(
            f"is not YAML: {(error.problem or '').removeprefix('but ')}", "Correct the line.", *place
        ) from error
    except yaml.YAMLError as error:
        raise YamlError(f"is not YAML: {error}", "Take the character out.") from error


def _place(mark: yaml.Mark | None) -> tuple[int | None, int | None]:
    return (mark.line + 1, mark.column + 1) if mark else (None, None)


def load(source: str | bytes) -> Any:
    """The value of a text; see :func:`read`."""
    return read(source).value


def part(value: Any, *keys: str) -> Any:
    """What stands under a key of a mapping, in that under the next, and so on; None if there is nothing."""
    for key in keys:
        value = mapping(value).get(key)
    return value


def mapping(value: Any) -> Mapping[str, Any]:
    """A mapping as it is; an empty one in place of anything else."""
    return value if isinstance(value, Mapping) else {}


def listed(value: Any) -> list[Any]:
    """A list as it is, one value as the only one, nothing as none."""
    return value if isinstance(value, list) else [] if value is None else [value]


def walked(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[tuple[Any, ...], Any]]:
    """A value and everything in it, at any depth of mappings and lists, each with its path."""
    yield path, value
    listed = enumerate(value) if isinstance(value, list) else ()
    for key, inner in mapping(value).items() or listed:
        yield from walked(inner, (*path, key))


def _located(
    node: yaml.Node, path: tuple[str | int, ...], mark: yaml.Mark, *, twice: bool
) -> Iterator[Located]:
    """Every value below a node, the node first. The value of a key stands where the key does."""
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
