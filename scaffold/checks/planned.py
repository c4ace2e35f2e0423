"""House rules that judge planned resources: facts about the objects, however they are written.

A value that is unknown or a stand-in is never judged: nothing is known to be wrong with it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from scaffold.checks.fleet import Fleet, same
from scaffold.checks.house import HouseNames
from scaffold.checks.rule import Kind, Rule, rules
from scaffold.checks.stack import place
from scaffold.errors import Finding
from scaffold.terraform import kubernetes as k8s
from scaffold.terraform.planned import Mark, Placeholder, PlannedResource, Tree, get


@dataclass(frozen=True)
class Plan:
    """The planned resources of one stack, seen in the ways that rules need.

    What the stack makes itself decides. A rule asks for the ``fleet`` where that does not settle a thing, and
    not before: then all other stacks are planned.
    """

    resources: Sequence[PlannedResource]
    house: HouseNames
    all_stacks: Callable[[], Fleet] | None = None
    """What all stacks make; without it a stack is judged as if there were no other."""

    @cached_property
    def own(self) -> Fleet:
        """What the stack itself creates."""
        return Fleet(tuple(self.resources), inert=self.house.inert_kinds)

    @cached_property
    def fleet(self) -> Fleet:
        """What all stacks create."""
        return self.own if self.all_stacks is None else self.all_stacks()

    def containers(self, *, init: bool = True) -> Iterator[tuple[k8s.PodTemplate, Tree]]:
        """The containers of the stack's pods, each with its pods."""
        return ((pods, container) for pods in self.pods for container in pods.containers(init=init))

    def fleets(self) -> Iterator[Fleet]:
        """What the stack creates and then, if that was not enough, what all stacks create."""
        yield self.own
        yield self.fleet

    @property
    def settled(self) -> bool:
        """Whether everything is known that rules have asked for."""
        return not self.asked_others or self.fleet.whole

    @property
    def asked_others(self) -> bool:
        """Whether a rule has asked for what other stacks create."""
        return "fleet" in vars(self)

    @cached_property
    def pods(self) -> tuple[k8s.PodTemplate, ...]:
        """The pod templates of all workloads."""
        return tuple(k8s.pod_templates(self.resources))

    def shows_all_of(self, namespace: Tree) -> bool:
        """Whether every object of a namespace is in a plan."""
        return not self.own.hides(namespace) and self.fleet.shows_all_of(namespace)

    def serves(self, namespace: Tree) -> bool:
        """Whether a plan contains what answers requests in a namespace."""
        return not self.own.hides(namespace) and self.fleet.serves(namespace)

    def serves_from_outside(self, namespace: Tree) -> bool:
        """Whether a plan contains a namespace's Services, and only hosts outside the cluster answer them."""
        services = [service for fleet in self.fleets() for service in fleet.of_kind("service", namespace)]
        select = any(k8s.mapping(service.get("spec", 0, "selector")) for service in services)
        return bool(services) and not select and self.shows_all_of(namespace)

    def of_kind(self, *kinds: str) -> tuple[PlannedResource, ...]:
        """The resources of some kinds."""
        return tuple(k8s.of_kind(self.resources, *kinds))

    @cached_property
    def classes(self) -> Mapping[Tree, Tree]:
        """The StorageClass of each claim of the stack, by the claim's name."""
        claims = self.of_kind("persistent_volume_claim")
        return {k8s.name(claim): claim.get("spec", 0, "storage_class_name") for claim in claims}

    def named(self, kind: str, name: Tree, namespace: Tree) -> PlannedResource | None:
        """The object of a kind that has, or may have, this name in a namespace."""
        for fleet in self.fleets():
            for resource in fleet.of_kind(kind, namespace):
                if same(k8s.name(resource), name):
                    return resource
        return None

    def namespace(self, name: Tree) -> PlannedResource | None:
        """The Namespace with this name, whichever stack creates it."""
        for fleet in self.fleets() if isinstance(name, str) else ():
            for space in fleet.all_of_kind("namespace"):
                if k8s.name(space) == name:
                    return space
        return None

    def pods_behind(self, service: PlannedResource) -> list[k8s.PodTemplate]:
        """The pods that a Service selects: the stack's own, else those of other stacks."""
        selector, place = k8s.mapping(service.get("spec", 0, "selector")), k8s.namespace(service)
        if not selector:
            return []
        own = [pods for pods in self.own.pods(place) if selects(selector, pods.labels)]
        return own or [pods for pods in self.fleet.pods(place) if selects(selector, pods.labels)]


def apply_rules(plan: Plan, chosen: Iterable[Rule] | None = None) -> list[Finding]:
    """What the rules find in a plan, sorted by place and without repetitions."""
    asked = rules(__package__, Kind.PLAN) if chosen is None else chosen
    told = (rule for rule in asked if rule.needs not in plan.house.lacks)
    return sorted({f for rule in told for f in rule.check_plan(plan)}, key=place)


class PlannedRule(Rule):
    """A rule over planned resources."""

    def about(self, resource: PlannedResource, message: str, fix: str = "") -> Finding:
        """A finding about a resource, at the place where the stack defines it or calls its module."""
        name = k8s.name(resource) or resource.get("manifest", "metadata", "name")
        what = f"{k8s.kind(resource) or resource.type} {shown(name)}: {message}"
        return self.at((resource.site.path, resource.site.line), what, fix=fix or None)


def selects(selector: Mapping[str, Tree], labels: Mapping[str, Tree]) -> bool:
    """Whether labels contain everything that a selector demands; an empty selector selects nothing."""
    return bool(selector) and all(
        key in labels and same(value, labels[key]) for key, value in selector.items()
    )


def runs(container: Tree, images: str) -> bool:
    """Whether a container runs an image that is like a pattern of the house; without one, none is."""
    image = get(container, "image")
    whole = f"/{image}"  # an image of Docker Hub may stand there by its name alone
    return bool(images) and isinstance(image, str) and bool(re.search(images, whole))


def vague(names: Iterable[Tree]) -> bool:
    """Whether one of the names is unknown, so that nothing can be called missing."""
    return any(isinstance(name, Mark | Placeholder) for name in names)


def strings(names: Iterable[Tree]) -> list[str]:
    """The names that are text."""
    return [name for name in names if isinstance(name, str)]


def pairs(labels: Mapping[str, Tree]) -> str:
    """Labels as they are shown."""
    return ", ".join(f"{key}={shown(value)}" for key, value in sorted(labels.items())) or "(none)"


def shown(tree: Tree) -> str:
    """A value as it is shown."""
    return tree.value if isinstance(tree, Mark) else str(tree)
