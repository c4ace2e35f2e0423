"""How much of one plan another reproduces, whatever Terraform's addresses; and which objects both have."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from scaffold.terraform import kubernetes as k8s
from scaffold.terraform.planned import Leaf, Mark, PlannedResource, Tree, get, leaves, traced

_NAMED = {
    "env": ("name",),
    "volume": ("name",),
    "volume_mount": ("mount_path",),
    "option": ("name",),
    "image_pull_secrets": ("name",),
    "data": ("remoteRef.key", "remoteRef.property"),
}
"""Lists whose order means nothing, with what identifies their elements."""
_DEFAULTS = {("protocol", "TCP"), ("type", "ClusterIP"), ("type", "RollingUpdate"), ("suspend", "false")}
"""Kubernetes' defaults."""
GONE = "not there"
"""In place of the value of an attribute that is not reproduced at all."""
_LONGEST = 100


def shortened(text: str) -> str:
    """A text in one line, cut off where it gets long."""
    return cut(" ".join(text.split()))


def cut(line: str) -> str:
    """A line, cut off where it gets long."""
    return line if len(line) <= _LONGEST else f"{line[: _LONGEST - 1]}…"


@dataclass(frozen=True, slots=True)
class Missing:
    """An attribute that is not reproduced: its path, its value, and the value in its place."""

    path: str
    value: str
    instead: str

    @property
    def becomes(self) -> str:
        """What becomes of it, in words."""
        gone = self.instead == GONE
        return "would be removed" if gone else f"would become {shortened(self.instead)}"


@dataclass(frozen=True, slots=True)
class Compared:
    """One resource of a plan with its counterpart in the other plan, if it has one."""

    resource: PlannedResource
    counterpart: PlannedResource | None
    total: int
    missing: tuple[Missing, ...]

    @property
    def kind(self) -> str:
        """What kind of object it is."""
        return identity(self.resource)[0]

    @property
    def label(self) -> str:
        """Its kind and name."""
        kind, _, name = identity(self.resource)
        return f"{kind} {name}"


def share(compared: Sequence[Compared]) -> float:
    """The share of attributes that are reproduced; 100 per cent if there are none."""
    total = sum(one.total for one in compared)
    return 1 - sum(len(one.missing) for one in compared) / total if total else 1.0


def compare(
    before: Sequence[PlannedResource],
    after: Sequence[PlannedResource],
    alike: Callable[[str, str], bool] = lambda one, other: one == other,
) -> list[Compared]:
    """Compare every resource of a plan with its counterpart in another plan.

    They match by identity, and a rest of one kind on each side by likeness; the ExternalSecrets of one store
    and namespace are compared as one. ``alike`` judges two values.
    """
    before, after = _together(before), _together(after)
    left, rest, pairs = list(after), [], []
    for resource in before:
        same = [other for other in left if identity(other) == identity(resource)]
        if same:
            pairs.append((resource, _nearest(resource, same)))
            left.remove(pairs[-1][1])
        else:
            rest.append(resource)
    found = [_one(resource, other, alike) for resource, other in pairs]
    for resource in rest:
        candidates = [other for other in left if identity(other)[0] == identity(resource)[0]]
        other = _nearest(resource, candidates) if candidates else None
        if other is not None:
            left.remove(other)
        found.append(_one(resource, other, alike))
    return found


def attributes(resource: PlannedResource) -> dict[str, str]:
    """The attributes of a resource by their path; elements that have names go by them, not by position."""
    return _attributes(_traced(resource))


def _attributes(values: Mapping[str, Tree]) -> dict[str, str]:
    return {path: _text(leaf) for path, leaf in _walk(values, "") if leaf is not None}


def _traced(resource: PlannedResource) -> Mapping[str, Tree]:
    values = traced(resource.values, resource.site.behind)
    assert isinstance(values, Mapping)
    return values


def identity(resource: PlannedResource) -> tuple[str, str, str]:
    """Kind, namespace and name of the object, as the cluster would know it."""
    manifest = resource.get("manifest")
    place = get(manifest, "metadata") if isinstance(manifest, Mapping) else resource.get("metadata", 0)
    kind = (
        str(get(manifest, "kind")) if isinstance(manifest, Mapping) else k8s.kind(resource) or resource.type
    )
    space, named = get(place, "namespace"), get(place, "name") or resource.get("name")
    return kind, _label(space), _label(named)


def _walk(tree: Tree, path: str) -> Iterator[tuple[str, Leaf]]:
    if isinstance(tree, Mapping):
        for key, value in tree.items():
            yield from _walk(value, f"{path}.{key}" if path else key)
    elif isinstance(tree, tuple):
        seen: Counter[str] = Counter()
        by = _NAMED.get(path.rpartition(".")[2], ())
        for index, value in enumerate(tree):
            name = " ".join(str(get(value, *one.split("."))) for one in by)
            seen[name] += 1
            yield from _walk(
                value, f"{path}[{name or index}{'' if seen[name] == 1 or not name else f'#{seen[name]}'}]"
            )
    else:
        yield from ((path, leaf) for _, leaf in leaves(tree))


def _text(leaf: Leaf) -> str:
    if isinstance(leaf, bool):
        return str(leaf).lower()
    return leaf.value if isinstance(leaf, Mark) else str(leaf)


def _label(tree: Tree) -> str:
    return "" if isinstance(tree, Mapping | tuple) or tree is None else _text(tree)


def _together(resources: Sequence[PlannedResource]) -> list[PlannedResource]:
    """The resources, with the ExternalSecrets of one store and namespace merged into one."""
    result: list[PlannedResource] = []
    places: dict[tuple[str, str], int] = {}
    for resource in resources:
        kind, space, _ = identity(resource)
        store = str(get(resource.get("manifest"), "spec", "secretStoreRef", "name"))
        if kind == "ExternalSecret" and (at := places.setdefault((space, store), len(result))) < len(result):
            result[at] = replace(result[at], values=_merged(result[at].values, resource.values))
        else:
            result.append(resource)
    return result


def _merged(one: Mapping[str, Tree], other: Mapping[str, Tree]) -> Mapping[str, Tree]:
    """Two trees merged into one: the items of both lists, and the first of two single values."""
    result = {**other, **one}
    for key in one.keys() & other.keys():
        left, right = one[key], other[key]
        if isinstance(left, Mapping) and isinstance(right, Mapping):
            result[key] = _merged(left, right)
        elif isinstance(left, tuple) and isinstance(right, tuple):
            result[key] = (*left, *(value for value in right if value not in left))
    return result


def _ordered(tree: Mapping[str, Tree], like: Mapping[str, Tree]) -> Mapping[str, Tree]:
    """A tree whose containers, which run side by side, have the order that they have in another tree."""
    result = dict(tree)
    for key in tree.keys() & like.keys():
        ours, theirs = tree[key], like[key]
        if key == "container" and isinstance(ours, tuple) and isinstance(theirs, tuple):
            places = {get(container, "name"): index for index, container in enumerate(theirs)}
            result[key] = tuple(sorted(ours, key=lambda one: places.get(get(one, "name"), len(places))))
        elif isinstance(ours, tuple) and isinstance(theirs, tuple) and len(ours) == len(theirs) == 1:
            one, other = ours[0], theirs[0]
            if isinstance(one, Mapping) and isinstance(other, Mapping):
                result[key] = (_ordered(one, other),)
    return result


def _nearest(resource: PlannedResource, candidates: Sequence[PlannedResource]) -> PlannedResource:
    wanted = attributes(resource).items()
    return max(candidates, key=lambda other: len(wanted & attributes(other).items()))


def _one(
    before: PlannedResource, after: PlannedResource | None, alike: Callable[[str, str], bool]
) -> Compared:
    wanted = attributes(before)
    have = _attributes(_ordered(_traced(after), before.values)) if after is not None else {}
    missing = []
    for path, text in wanted.items():
        instead = have.get(path, GONE)
        default = after is not None and path not in have and (path.rpartition(".")[2], text) in _DEFAULTS
        if not (default or alike(text, instead)):
            missing.append(Missing(path, text, instead))
    return Compared(before, after, len(wanted), tuple(missing))


@dataclass(frozen=True, slots=True)
class Pair:
    """One object, as it is planned before and after."""

    before: PlannedResource
    after: PlannedResource

    @property
    def moved(self) -> bool:
        """Whether it has another address."""
        return self.before.address != self.after.address

    @property
    def movable(self) -> bool:
        """Whether Terraform can take it to the other address: resources of one type alone."""
        return self.before.type == self.after.type


def pairs(before: Sequence[PlannedResource], after: Sequence[PlannedResource]) -> Iterator[Pair]:
    """The objects that both plans have; of several with one identity, those with the same name."""
    left: dict[tuple[str, str, str], list[PlannedResource]] = defaultdict(list)
    for resource in after:
        left[identity(resource)].append(resource)
    for resource in before:
        same = left[identity(resource)]
        if same and any(identity(resource)[1:]):
            other = max(same, key=lambda one: (one.address == resource.address, _alike(one, resource)))
            same.remove(other)
            yield Pair(resource, other)


def _alike(one: PlannedResource, other: PlannedResource) -> tuple[bool, bool]:
    return (one.type, one.name) == (other.type, other.name), one.type == other.type


def block_of(address: str) -> str:
    """The address of the stack's own block that a resource comes from: ``module.ingress``."""
    parts = address.partition("[")[0].split(".")
    return ".".join(parts[:2])
