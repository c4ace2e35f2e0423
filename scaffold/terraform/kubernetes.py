"""Planned Kubernetes objects, read the way Kubernetes reads them, whichever resource type defines them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from scaffold.terraform.planned import Mark, Path, Placeholder, PlannedResource, Step, Tree, get, leaves

_VERSIONS = ("_v1", "_v2", "")
_POD_TEMPLATES = {
    "deployment": ("spec", 0, "template", 0),
    "stateful_set": ("spec", 0, "template", 0),
    "daemon_set": ("spec", 0, "template", 0),
    "daemonset": ("spec", 0, "template", 0),
    "replication_controller": ("spec", 0, "template", 0),
    "job": ("spec", 0, "template", 0),
    "cron_job": ("spec", 0, "job_template", 0, "spec", 0, "template", 0),
    "pod": (),
}
_SECRET_NAMES = (("secret_key_ref", "name"), ("secret_ref", "name"), ("secret", "secret_name"))
_UNITS = {"": 1, "m": 1e-3, "k": 1e3, **{f"{u}i": 1024.0**n for n, u in enumerate("KMGTPE", 1)}} | {
    unit: 1e3**n for n, unit in enumerate("MGTPE", 2)
}
_QUANTITY = re.compile(rf"([0-9]+(?:\.[0-9]+)?)({'|'.join(sorted(_UNITS, reverse=True))})")
SERVERS = frozenset(("deployment", "stateful_set", "daemon_set", "daemonset"))
"""Kinds whose pods are meant to run forever."""


def kind(resource: PlannedResource) -> str:
    """The object's kind as the provider names it, without a version: ``job`` of ``kubernetes_job_v1``.

    Empty for everything that is no Kubernetes object with a resource type of its own.
    """
    if not resource.type.startswith("kubernetes_"):
        return ""
    name = resource.type.removeprefix("kubernetes_")
    return next(name.removesuffix(version) for version in _VERSIONS if name.endswith(version))


def pod_path(kind: str) -> Path | None:
    """Where an object of a kind has its pod template; None for a kind that has none."""
    return _POD_TEMPLATES.get(kind)


def of_kind(resources: Iterable[PlannedResource], *kinds: str) -> Iterator[PlannedResource]:
    """The resources of some kinds, in their order."""
    return (resource for resource in resources if kind(resource) in kinds)


def manifests(resources: Iterable[PlannedResource], *kinds: str) -> Iterator[tuple[PlannedResource, Tree]]:
    """The objects that are written as ``kubernetes_manifest``, of some kinds (``ExternalSecret``)."""
    for resource in of_kind(resources, "manifest"):
        manifest = resource.get("manifest")
        if get(manifest, "kind") in kinds:
            yield resource, manifest


def name(resource: PlannedResource) -> Tree:
    """The object's name."""
    return resource.get("metadata", 0, "name")


def namespace(resource: PlannedResource) -> Tree:
    """The object's namespace."""
    return resource.get("metadata", 0, "namespace")


def annotated(resource: PlannedResource) -> Mapping[str, Tree]:
    """The object's annotations, as far as they are known."""
    return mapping(resource.get("metadata", 0, "annotations"))


def hosts(ingress: PlannedResource) -> frozenset[str]:
    """The hosts of an ingress that are known."""
    found = (get(rule, "host") for rule in rules(ingress))
    return frozenset(host for host in found if isinstance(host, str))


def rules(ingress: PlannedResource) -> tuple[Tree, ...]:
    """The rules of an ingress: each a host with its paths."""
    return items(ingress.get("spec", 0, "rule"))


def items(tree: Tree, *path: Step) -> tuple[Tree, ...]:
    """The elements of the list at a path; of anything else none."""
    found = get(tree, *path)
    return found if isinstance(found, tuple) else ()


def mapping(tree: Tree, *path: Step) -> Mapping[str, Tree]:
    """The entries of the map at a path; of anything else none."""
    found = get(tree, *path)
    return found if isinstance(found, Mapping) else {}


def ending(entries: Mapping[str, Tree], suffix: str) -> Tree:
    """The value of the first key with this ending: an annotation, whatever domain precedes it."""
    return next((entries[key] for key in sorted(entries) if key.endswith(suffix)), None)


def is_port(port: Tree, target: int | str) -> bool:
    """Whether a port of a container or a Service has this number or name; an unknown one may have any."""
    number, name = get(port, "container_port") or get(port, "port"), get(port, "name")
    return isinstance(number, Mark | Placeholder) or str(number) == str(target) or name == target


@dataclass(frozen=True, slots=True)
class PodTemplate:
    """The pods that a workload creates; ``metadata`` and ``spec`` are the template's."""

    owner: PlannedResource
    metadata: Tree
    spec: Tree

    @property
    def labels(self) -> Mapping[str, Tree]:
        """The labels of the pods."""
        return mapping(get(self.metadata, "labels"))

    @property
    def serves(self) -> bool:
        """Whether they are meant to run forever."""
        return kind(self.owner) in SERVERS

    @property
    def parked(self) -> bool:
        """Whether the workload is scaled to zero, or Sablier does that while nobody uses it."""
        asleep = mapping(self.owner.get("metadata", 0, "labels")).get("sablier.enable") == "true"
        return asleep or self.owner.get("spec", 0, "replicas") in (0, "0")

    def containers(self, *, init: bool = True) -> Iterator[Tree]:
        """The containers, init containers last."""
        yield from items(get(self.spec, "container"))
        if init:
            yield from items(get(self.spec, "init_container"))

    def claims(self) -> Iterator[tuple[str, Tree]]:
        """The volumes that are claims: the volume's name, and the claim's."""
        for volume in items(get(self.spec, "volume")):
            claim = get(volume, "persistent_volume_claim", 0, "claim_name")
            volume_name = get(volume, "name")
            if claim is not None and isinstance(volume_name, str):
                yield volume_name, claim

    def claimed(self) -> tuple[Tree, ...]:
        """The names of the claims among its volumes."""
        return tuple(claim for _, claim in self.claims())


def quantity(tree: Tree) -> float | None:
    """A quantity as a number (``256Mi``, ``10m``); None if it is not a quantity, or is unknown."""
    found = _QUANTITY.fullmatch(str(tree)) if isinstance(tree, str | int | float) else None
    return float(found[1]) * _UNITS[found[2]] if found else None


def target(manifest: Tree) -> Tree:
    """The name of the Secret that an ExternalSecret creates."""
    return get(manifest, "spec", "target", "name") or get(manifest, "metadata", "name")


def secrets(pods: PodTemplate) -> Iterator[str]:
    """The names of the Secrets that a pod reads."""
    for path, leaf in leaves(pods.spec):
        words = [step for step in path if isinstance(step, str)]
        if isinstance(leaf, str) and tuple(words[-2:]) in _SECRET_NAMES:
            yield leaf


def pod_templates(resources: Iterable[PlannedResource]) -> Iterator[PodTemplate]:
    """The pod templates of all workloads."""
    for resource in resources:
        path = _POD_TEMPLATES.get(kind(resource))
        if path is not None:
            template = resource.get(*path)
            yield PodTemplate(resource, get(template, "metadata", 0), get(template, "spec", 0))
