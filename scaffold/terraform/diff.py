"""The difference between two plans, and what Terraform makes of it: what is applied and what is not."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from scaffold.terraform.planned import (
    Leaf,
    Mark,
    Path,
    Placeholder,
    PlannedResource,
    Traced,
    Tree,
    get,
    leaves,
    path_text,
    traced,
)
from scaffold.terraform.result import NO_MOVES, Moves


@dataclass(frozen=True, slots=True)
class Change:
    """One attribute that differs; None stands for not set."""

    path: str
    before: Leaf
    after: Leaf

    def to_json(self) -> dict[str, object]:
        """Plain JSON data."""
        return {"path": self.path, "before": _shown(self.before), "after": _shown(self.after)}


@dataclass(frozen=True, slots=True)
class Changed:
    """A resource that both plans have, and that differs.

    ``changes`` are applied; ``ignored`` are not, because its ``ignore_changes`` names them. ``meta`` is what
    its block says besides values: lifecycle and order, of each list the items that come and go.
    """

    before: PlannedResource
    after: PlannedResource
    changes: tuple[Change, ...] = ()
    ignored: tuple[Change, ...] = ()
    meta: tuple[Change, ...] = ()

    @property
    def address(self) -> str:
        """Its address, the new one where it was moved."""
        return self.after.address

    @property
    def moved(self) -> bool:
        """Whether it had another address."""
        return self.before.address != self.after.address

    def __bool__(self) -> bool:
        """Whether there is a difference."""
        return bool(self.changes or self.ignored or self.meta or self.moved)


@dataclass(frozen=True, slots=True)
class Difference:
    """How a second plan differs from a first one. Everything is sorted by address.

    ``forgotten`` are resources that go without the object being destroyed.
    """

    added: tuple[PlannedResource, ...] = ()
    removed: tuple[PlannedResource, ...] = ()
    forgotten: tuple[PlannedResource, ...] = ()
    changed: tuple[Changed, ...] = ()

    def __bool__(self) -> bool:
        """Whether there is a difference."""
        return bool(self.added or self.removed or self.forgotten or self.changed)

    def to_json(self) -> dict[str, object]:
        """Plain JSON data: addresses that come, go and stay, and what changes of those that stay."""
        return {
            "added": _named_json(self.added),
            "removed": _named_json(self.removed),
            "forgotten": _named_json(self.forgotten),
            "changed": [
                {
                    "address": resource.address,
                    "type": resource.after.type,
                    **({"moved_from": resource.before.address} if resource.moved else {}),
                    "attributes": [change.to_json() for change in resource.changes],
                    "ignored": [change.to_json() for change in resource.ignored],
                    "meta": [change.to_json() for change in resource.meta],
                }
                for resource in self.changed
            ],
        }


def difference(
    before: Iterable[PlannedResource], after: Iterable[PlannedResource], moves: Moves = NO_MOVES
) -> Difference:
    """What is different in ``after``, whose ``moves`` say which addresses have changed.

    A value that is unknown or a secret in both is the same where the expressions behind it are.
    """
    new = {resource.address: resource for resource in after}
    old = {}
    for resource in before:
        now = moves.now(resource.address)
        old[now if now in new else resource.address] = resource
    gone = [old[address] for address in sorted(old.keys() - new.keys())]
    common = (_changed(old[address], new[address]) for address in sorted(old.keys() & new.keys()))
    return Difference(
        added=tuple(new[address] for address in sorted(new.keys() - old.keys())),
        removed=tuple(resource for resource in gone if not moves.forgets(resource.address)),
        forgotten=tuple(resource for resource in gone if moves.forgets(resource.address)),
        changed=tuple(filter(None, common)),
    )


def _changed(before: PlannedResource, after: PlannedResource) -> Changed:
    old, new = (traced(one.values, one.site.behind) for one in (before, after))
    applied = _with_kept(old, new, after.site.ignored)
    return Changed(
        before,
        after,
        tuple(_changes(old, applied)),
        tuple(_changes(applied, new)) if applied is not new else (),
        tuple(_meta(before.site.meta, after.site.meta)),
    )


def _with_kept(before: Tree, after: Tree, paths: Sequence[Path]) -> Tree:
    """The new values with the old ones at the paths whose changes Terraform ignores, as it does itself.

    A path that leads through something that does not exist changes nothing; a key of a map that only one
    side has is kept or left out.
    """
    if () in paths:
        return before
    for step in dict.fromkeys(path[0] for path in paths):
        below = [path[1:] for path in paths if path[0] == step]
        old = get(before, step)
        if isinstance(step, int) and isinstance(after, tuple) and step < len(after) and old is not None:
            after = (*after[:step], _with_kept(old, after[step], below), *after[step + 1 :])
        elif isinstance(step, str) and isinstance(after, Mapping | None):
            there = after or {}
            kept = _with_kept(old, there.get(step), below)
            says = old is not None or any(leaf is not Mark.EMPTY for _, leaf in leaves(kept))
            after = MappingProxyType({**there, step: kept if says else None})
    return after


def _meta(before: Mapping[str, tuple[str, ...]], after: Mapping[str, tuple[str, ...]]) -> Iterator[Change]:
    for name in dict.fromkeys((*before, *after)):
        old, new = before.get(name, ()), after.get(name, ())
        gone, come = [i for i in old if i not in new], [i for i in new if i not in old]
        if len(gone) == len(come) == 1:
            yield Change(name, gone[0], come[0])
        else:
            yield from (Change(name, item, None) for item in gone)
            yield from (Change(name, None, item) for item in come)


def _changes(before: Tree, after: Tree) -> Iterator[Change]:
    for path, old, new in _compare(before, after, ()):
        hidden = isinstance(old, Traced) and isinstance(new, Traced)
        yield Change(path_text(path), *((old, new) if hidden else map(_untraced, (old, new))))


def _compare(before: Tree, after: Tree, path: Path) -> Iterator[tuple[Path, Leaf, Leaf]]:
    """The leaves that differ. Elements that have names, such as containers, are compared by name."""
    if isinstance(before, tuple) and isinstance(after, tuple) and len(before) + len(after) > 2:
        for key in _NAMES:
            old, new = _named(before, key), _named(after, key)
            # The same names in another order stay as they are: the order is the difference.
            if old is not None and new is not None and (old.keys() != new.keys() or [*old] == [*new]):
                return (yield from _compare(old, new, path))
    if isinstance(before, Mapping) and isinstance(after, Mapping):
        for key in dict.fromkeys((*before, *after)):
            yield from _compare(before.get(key), after.get(key), (*path, key))
    elif isinstance(before, tuple) and isinstance(after, tuple):
        first, last = _middle(before, after)
        old_part, new_part = before[first : len(before) - last], after[first : len(after) - last]
        for index in range(max(len(old_part), len(new_part))):
            yield from _compare(get(old_part, index), get(new_part, index), (*path, first + index))
    else:
        old_leaves, new_leaves = dict(leaves(before, path)), dict(leaves(after, path))
        for place in dict.fromkeys((*old_leaves, *new_leaves)):
            if not _same(old_leaves.get(place), new_leaves.get(place)):
                yield place, old_leaves.get(place), new_leaves.get(place)


def _middle(before: tuple[Tree, ...], after: tuple[Tree, ...]) -> tuple[int, int]:
    """How many elements at the front and at the back are equal: what is inserted between them moves none."""
    shorter = min(len(before), len(after))
    pairs = zip(before, after, strict=False)
    first = next((n for n, pair in enumerate(pairs) if any(_compare(*pair, ()))), shorter)
    back = zip(reversed(before), reversed(after), strict=False)
    last = next((n for n, pair in enumerate(back) if any(_compare(*pair, ()))), shorter)
    return first, min(last, shorter - first)


_NAMES = ("name", "secretKey")
"""What elements of lists are known by: Kubernetes has names, an ExternalSecret the keys that it writes."""


def _named(items: tuple[Tree, ...], key: str) -> Mapping[str, Tree] | None:
    """The elements by their names, where every element has one of its own."""
    names = [name for item in items if isinstance(name := get(item, key), str)]
    return dict(zip(names, items, strict=True)) if len({*names}) == len(items) else None


def _untraced(leaf: Leaf) -> Leaf:
    return leaf.mark if isinstance(leaf, Traced) else leaf


def _same(before: Leaf, after: Leaf) -> bool:
    if not (isinstance(before, Traced) and isinstance(after, Traced)):
        before, after = _untraced(before), _untraced(after)
    # True == 1 in Python, and not in a plan.
    return before == after and type(before) is type(after)


def _shown(leaf: Leaf) -> object:
    if isinstance(leaf, Mark):
        return leaf.value
    return str(leaf) if isinstance(leaf, Placeholder | Traced) else leaf


def _named_json(resources: Iterable[PlannedResource]) -> list[dict[str, object]]:
    return [{"address": resource.address, "type": resource.type} for resource in resources]
