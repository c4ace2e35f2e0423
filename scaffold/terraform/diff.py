"""The difference between two plans: what is added, removed, and changed attribute by attribute."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from scaffold.terraform.planned import (
    Leaf,
    Mark,
    Path,
    Placeholder,
    PlannedResource,
    Tree,
    get,
    leaves,
    path_text,
)


@dataclass(frozen=True, slots=True)
class Change:
    """One attribute that differs; None stands for not set."""

    path: str
    before: Leaf
    after: Leaf


@dataclass(frozen=True, slots=True)
class Changed:
    """A resource that both plans have, with different values."""

    address: str
    type: str
    changes: tuple[Change, ...]


@dataclass(frozen=True, slots=True)
class Difference:
    """How a second plan differs from a first one. Everything is sorted by address."""

    added: tuple[PlannedResource, ...] = ()
    removed: tuple[PlannedResource, ...] = ()
    changed: tuple[Changed, ...] = ()

    def __bool__(self) -> bool:
        """Whether there is a difference."""
        return bool(self.added or self.removed or self.changed)

    def to_json(self) -> dict[str, object]:
        """Plain JSON data: addresses that were added and removed, attributes that changed."""
        return {
            "added": [{"address": r.address, "type": r.type} for r in self.added],
            "removed": [{"address": r.address, "type": r.type} for r in self.removed],
            "changed": [
                {
                    "address": resource.address,
                    "type": resource.type,
                    "attributes": [
                        {"path": c.path, "before": _shown(c.before), "after": _shown(c.after)}
                        for c in resource.changes
                    ],
                }
                for resource in self.changed
            ],
        }


def difference(before: Iterable[PlannedResource], after: Iterable[PlannedResource]) -> Difference:
    """What is different in ``after``.

    A value that is unknown or a secret in both counts as the same: nothing is known to differ.
    """
    old, new = ({resource.address: resource for resource in plan} for plan in (before, after))
    common = sorted(old.keys() & new.keys())
    changed = (Changed(a, new[a].type, tuple(_changes(old[a], new[a]))) for a in common)
    return Difference(
        added=tuple(new[address] for address in sorted(new.keys() - old.keys())),
        removed=tuple(old[address] for address in sorted(old.keys() - new.keys())),
        changed=tuple(resource for resource in changed if resource.changes),
    )


def _changes(before: PlannedResource, after: PlannedResource) -> Iterator[Change]:
    for path, old, new in _compare(before.values, after.values, ()):
        yield Change(path_text(path), old, new)


def _compare(before: Tree, after: Tree, path: Path) -> Iterator[tuple[Path, Leaf, Leaf]]:
    """The leaves that differ. Elements that have names, such as containers, are compared by name."""
    if isinstance(before, tuple) and isinstance(after, tuple) and len(before) + len(after) > 2:
        old, new = _named(before), _named(after)
        # The same names in another order stay as they are: the order is the difference.
        if old is not None and new is not None and (old.keys() != new.keys() or [*old] == [*new]):
            before, after = old, new
    if isinstance(before, Mapping) and isinstance(after, Mapping):
        for key in dict.fromkeys((*before, *after)):
            yield from _compare(before.get(key), after.get(key), (*path, key))
    elif isinstance(before, tuple) and isinstance(after, tuple):
        for index in range(max(len(before), len(after))):
            yield from _compare(get(before, index), get(after, index), (*path, index))
    else:
        old_leaves, new_leaves = dict(leaves(before, path)), dict(leaves(after, path))
        for place in dict.fromkeys((*old_leaves, *new_leaves)):
            if not _same(old_leaves.get(place), new_leaves.get(place)):
                yield place, old_leaves.get(place), new_leaves.get(place)


def _named(items: tuple[Tree, ...]) -> Mapping[str, Tree] | None:
    """The elements by their ``name``, where every element has one of its own."""
    names = [name for item in items if isinstance(name := get(item, "name"), str)]
    return dict(zip(names, items, strict=True)) if len({*names}) == len(items) else None


def _same(before: Leaf, after: Leaf) -> bool:
    # True == 1 in Python, and not in a plan.
    return before == after and type(before) is type(after)


def _shown(leaf: Leaf) -> object:
    return leaf.value if isinstance(leaf, Mark) else leaf.text if isinstance(leaf, Placeholder) else leaf
