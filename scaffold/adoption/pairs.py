"""Which rendered resource is which existing object: by identity, whatever its address."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from scaffold.adoption.likeness import identity
from scaffold.terraform.planned import PlannedResource


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
