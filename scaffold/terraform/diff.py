"""The difference between two plans: what is added, removed, and changed attribute by attribute."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from scaffold.terraform.planned import Leaf, Mark, Path, Placeholder, PlannedResource, path_text


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


def _changes(before: PlannedResource, after: PlannedResource) -> Iterable[Change]:
    old, new = _leaves(before), _leaves(after)
    for path in sorted(old.keys() | new.keys(), key=_order):
        if not _same(old.get(path), new.get(path)):
            yield Change(path_text(path), old.get(path), new.get(path))


def _leaves(resource: PlannedResource) -> Mapping[Path, Leaf]:
    return dict(resource.leaves())


def _order(path: Path) -> list[tuple[str, int]]:
    return [("", step) if isinstance(step, int) else (step, 0) for step in path]


def _same(before: Leaf, after: Leaf) -> bool:
    # True == 1 in Python, and not in a plan.
    return before == after and type(before) is type(after)


def _shown(leaf: Leaf) -> object:
    return leaf.value if isinstance(leaf, Mark) else leaf.text if isinstance(leaf, Placeholder) else leaf
