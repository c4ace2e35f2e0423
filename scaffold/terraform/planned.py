"""Planned resources: what would exist, as a tree of values in which nothing unknown or made up looks real."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum

STAND_IN = "scaffold-stand-in"
"""The text that marks a placeholder: it is part of every string that stands in for a real one."""
INSTANCE = "(known after apply)"
"""The key of the one instance that stands for all where ``for_each`` is not known."""


class Mark(Enum):
    """What takes the place of a value that must not be shown."""

    UNKNOWN = "(known after apply)"
    SENSITIVE = "(sensitive)"
    EMPTY = "{}"
    """A block, or a map, in which nothing is set."""


@dataclass(frozen=True, slots=True)
class Placeholder:
    """A string that contains a placeholder; ``text`` is never real."""

    text: str

    def __str__(self) -> str:
        return self.text


@dataclass(frozen=True, slots=True)
class Traced:
    """An unknown value, with the expression behind it: two are the same if the expressions are."""

    mark: Mark
    expression: str

    def __str__(self) -> str:
        return f"{self.mark.value} {self.expression}"


Leaf = str | int | float | bool | None | Mark | Placeholder | Traced
Tree = Leaf | Mapping[str, "Tree"] | tuple["Tree", ...]
"""A frozen JSON tree with marks."""
Step = str | int
Path = tuple[Step, ...]


@dataclass(frozen=True, slots=True)
class Site:
    """Where in the stack's files a resource is written, or the call of its module.

    ``stands_for_many`` marks the one instance that is shown where their number is not known. ``meta`` is what
    its block says besides values, by name (``depends_on``, ``lifecycle.ignore_changes``), each item as
    text; ``ignored`` are the paths below which Terraform changes nothing of an object that exists, and
    ``behind`` the expressions behind the values that are not known.
    """

    path: str
    line: int | None
    stands_for_many: bool = False
    meta: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    ignored: tuple[Path, ...] = ()
    behind: Mapping[Path, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class PlannedResource:
    """One resource instance that would be created.

    ``module`` is the address of the module it is in, empty for the stack's own. ``instance`` is its key in
    ``count`` or ``for_each``. ``values`` holds what the configuration says; what only the provider computes
    is left out. ``settings`` are the arguments of that module and of those around it, as far as they are
    constant.
    """

    address: str
    type: str
    name: str
    module: str
    instance: str | int | None
    values: Mapping[str, Tree]
    settings: Mapping[str, object] = field(default_factory=dict)
    site: Site = Site("", None)

    def get(self, *path: Step) -> Tree:
        """The value at a path; None if nothing is set."""
        return get(self.values, *path)

    def leaves(self) -> Iterator[tuple[Path, Leaf]]:
        """Every value that is set, with its path, in order."""
        return leaves(self.values)

    def marked(self, mark: Mark) -> tuple[str, ...]:
        """The paths of the values with this mark."""
        return tuple(path_text(path) for path, leaf in self.leaves() if leaf is mark)

    @property
    def placeholders(self) -> Mapping[str, str]:
        """The strings that hold a placeholder, by their paths."""
        return {path_text(path): leaf.text for path, leaf in self.leaves() if isinstance(leaf, Placeholder)}


def get(tree: Tree, *path: Step) -> Tree:
    """The value at a path below a tree; None if nothing is set."""
    for step in path:
        if isinstance(step, str) and isinstance(tree, Mapping):
            tree = tree.get(step)
        elif isinstance(step, int) and isinstance(tree, tuple) and -len(tree) <= step < len(tree):
            tree = tree[step]
        else:
            return None
    return tree


def leaves(tree: Tree, path: Path = ()) -> Iterator[tuple[Path, Leaf]]:
    """Every leaf below a tree that is not None, with its path; an empty block is one, an empty list none."""
    if isinstance(tree, Mapping):
        below = [leaf for key in sorted(tree) for leaf in leaves(tree[key], (*path, key))]
        yield from below or [(path, Mark.EMPTY)]
    elif isinstance(tree, tuple):
        for index, item in enumerate(tree):
            yield from leaves(item, (*path, index))
    elif tree is not None:
        yield path, tree


def traced(tree: Tree, behind: Mapping[Path, str], path: Path = ()) -> Tree:
    """A tree in which unknown values have the expressions behind them instead of their mark."""
    if not behind:
        return tree
    if isinstance(tree, Mapping):
        return {key: traced(value, behind, (*path, key)) for key, value in tree.items()}
    if isinstance(tree, tuple):
        return tuple(traced(item, behind, (*path, index)) for index, item in enumerate(tree))
    if not isinstance(tree, Mark) or path not in behind:
        return tree
    # What is written of a secret may hold a part of it.
    hidden = tree is Mark.SENSITIVE
    return Traced(tree, hashlib.sha256(behind[path].encode()).hexdigest()[:12] if hidden else behind[path])


def path_text(path: Path) -> str:
    """``spec[0].labels["a.b"]``: a path as it is written in HCL."""
    parts = []
    for step in path:
        if isinstance(step, int):
            parts.append(f"[{step}]")
        elif step.replace("_", "a").replace("-", "a").isalnum() and not step[0].isdigit():
            parts.append(f".{step}" if parts else step)
        else:
            parts.append(f'["{step}"]')
    return "".join(parts)


def is_within(text: str, above: str) -> bool:
    """Whether a path or an address is the one ``above``, or a part of what is there."""
    return text == above or text.startswith((f"{above}[", f"{above}."))


# to JSON


def to_json(resources: Sequence[PlannedResource]) -> list[dict[str, object]]:
    """The resources as plain JSON data, sorted by address: address, type, values and what is not in them."""
    return [_resource_json(resource) for resource in sorted(resources, key=lambda r: r.address)]


def _resource_json(resource: PlannedResource) -> dict[str, object]:
    entry: dict[str, object] = {
        "address": resource.address,
        "type": resource.type,
        "values": _plain(resource.values),
        "unknown": list(resource.marked(Mark.UNKNOWN)),
    }
    if sensitive := resource.marked(Mark.SENSITIVE):
        entry["sensitive"] = list(sensitive)
    if placeholders := resource.placeholders:
        entry["stand_in"] = dict(placeholders)
    if resource.site.stands_for_many:
        entry["stands_for_many"] = True
    return entry


def _plain(tree: Tree) -> object:
    """The tree without marks, nulls and empty parts; a block that is there stays."""
    if isinstance(tree, Mapping):
        below = {key: _plain(tree[key]) for key in sorted(tree)}
        return {key: value for key, value in below.items() if value is not None and value != []}
    if isinstance(tree, tuple):
        return [_plain(item) for item in tree]
    return None if isinstance(tree, Mark | Placeholder) else tree
