"""The planned objects of all stacks, so that only what no stack creates is reported as missing."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property

from scaffold.terraform import kubernetes as k8s
from scaffold.terraform.planned import Mark, Placeholder, PlannedResource, Tree, get

_AS_NAME = ('"{}"', "namespace: {}\n")
"""How a namespace is written in HCL, and in a manifest that a text holds."""


@dataclass(frozen=True)
class Fleet:
    """All planned resources that are known.

    ``unplanned`` are the files of the stacks that cannot be planned: what those make in a namespace that they
    name is not known. ``inert`` are the kinds of manifests of which no controller makes pods, Secrets or
    claims.
    """

    resources: tuple[PlannedResource, ...]
    unplanned: tuple[bytes, ...] = ()
    inert: frozenset[str] = field(default_factory=frozenset)

    @property
    def whole(self) -> bool:
        """Whether it is known what every stack creates."""
        return not self.unplanned

    @cached_property
    def _by_kind(self) -> dict[str, list[PlannedResource]]:
        found: dict[str, list[PlannedResource]] = {}
        for resource in self.resources:
            found.setdefault(k8s.kind(resource), []).append(resource)
        return found

    @cached_property
    def _manifests(self) -> dict[Tree, list[Tree]]:
        found: dict[Tree, list[Tree]] = {}
        for resource in self._by_kind.get("manifest", ()):
            manifest = resource.get("manifest")
            found.setdefault(get(manifest, "kind"), []).append(manifest)
        return found

    @cached_property
    def _namespaces(self) -> frozenset[Tree]:
        return frozenset(k8s.name(space) for space in self._by_kind.get("namespace", ()))

    @cached_property
    def _opaque(self) -> frozenset[Tree]:
        """The namespaces in which something creates objects that no plan shows."""
        charts = (chart for chart in self.resources if chart.type == "helm_release")
        custom = (
            get(manifest, "metadata", "namespace")
            for kind, manifests in self._manifests.items()
            if kind not in self.inert
            for manifest in manifests
        )
        return frozenset((*(chart.get("namespace") for chart in charts), *custom))

    def of_kind(self, kind: str, namespace: Tree) -> list[PlannedResource]:
        """The objects of a kind that are, or may be, in a namespace."""
        return [r for r in self._by_kind.get(kind, ()) if same(k8s.namespace(r), namespace)]

    def all_of_kind(self, kind: str) -> list[PlannedResource]:
        """The objects of a kind in every namespace."""
        return self._by_kind.get(kind, [])

    def manifests(self, kind: str, namespace: Tree) -> list[Tree]:
        """The objects of a kind that are written as manifests and are, or may be, in a namespace."""
        of_kind = self._manifests.get(kind, ())
        return [m for m in of_kind if same(get(m, "metadata", "namespace"), namespace)]

    @cached_property
    def _pods(self) -> tuple[k8s.PodTemplate, ...]:
        return tuple(k8s.pod_templates(self.resources))

    def pods(self, namespace: Tree) -> list[k8s.PodTemplate]:
        """The pod templates that are, or may be, in a namespace."""
        return [pods for pods in self._pods if same(k8s.namespace(pods.owner), namespace)]

    def serves(self, namespace: Tree) -> bool:
        """Whether a plan contains what answers requests in a namespace; otherwise it runs in another way."""
        return self.shows_all_of(namespace) and any(pods.serves for pods in self.pods(namespace))

    def shows_all_of(self, namespace: Tree) -> bool:
        """Whether every object in a namespace is in a plan.

        Not so where a chart or a controller makes objects there, or nobody here makes the namespace itself.
        """
        if namespace not in self._namespaces or self.hides(namespace):
            return False
        # A stack that cannot be planned and names the namespace may create objects there.
        forms = [form.format(namespace).encode() for form in _AS_NAME]
        return not any(form in content for content in self.unplanned for form in forms)

    def hides(self, namespace: Tree) -> bool:
        """Whether a namespace is unknown, or something creates objects in it that no plan shows."""
        unknown = isinstance(namespace, Mark | Placeholder)
        return unknown or any(same(namespace, opaque) for opaque in self._opaque)


def same(left: Tree, right: Tree) -> bool:
    """Whether two names may be the same: an unknown name may be any."""
    return left == right or isinstance(left, Mark | Placeholder) or isinstance(right, Mark | Placeholder)
