"""A plan for people: a short list, grouped by what matters to whoever runs the Service."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from scaffold.monorepo.annotations import MONITORED, RECORD, TILE
from scaffold.terraform import kubernetes as k8s
from scaffold.terraform.planned import Mark, Placeholder, PlannedResource, Tree, get, leaves

_WORKLOADS = (*sorted(k8s.SERVERS), "job", "pod")


@dataclass(frozen=True, slots=True)
class Section:
    """One group of a summary."""

    title: str
    lines: tuple[str, ...]


def summarize(resources: Sequence[PlannedResource]) -> tuple[Section, ...]:
    """What would exist: non-empty groups in a fixed order, and the number of all other resources.

    A value that is unknown or stands in is written as such.
    """
    told: set[str] = set()
    sections = []
    for title, describe in _SECTIONS:
        lines = []
        for resource, line in describe(resources):
            told.add(resource.address)
            lines.append(line)
        if lines:
            sections.append(Section(title, tuple(dict.fromkeys(lines))))
    rest = Counter(resource.type for resource in resources if resource.address not in told)
    if rest:
        counted = (f"{number} × {type_}" if number > 1 else type_ for type_, number in sorted(rest.items()))
        sections.append(Section("Other", (", ".join(counted),)))
    return tuple(sections)


_Lines = Iterator[tuple[PlannedResource, str]]


def _namespaces(resources: Sequence[PlannedResource]) -> _Lines:
    for resource in k8s.of_kind(resources, "namespace"):
        labels = k8s.mapping(resource.get("metadata", 0, "labels"))
        shown = (f"{key}={text(value)}" for key, value in sorted(labels.items()))
        yield resource, _join(text(k8s.name(resource)), *shown)


def _workloads(resources: Sequence[PlannedResource]) -> _Lines:
    for pods in k8s.pod_templates(resources):
        if k8s.kind(pods.owner) in _WORKLOADS:
            kind = k8s.kind(pods.owner).replace("_", " ")
            for role, container in _containers(pods):
                yield pods.owner, f"{kind} {text(k8s.name(pods.owner))}{role}: {_container(container)}"


def _jobs(resources: Sequence[PlannedResource]) -> _Lines:
    for pods in k8s.pod_templates(k8s.of_kind(resources, "cron_job")):
        name, schedule = text(k8s.name(pods.owner)), text(pods.owner.get("spec", 0, "schedule"))
        for role, container in _containers(pods):
            yield pods.owner, f"{name}{role} at {schedule}: {_container(container)}"


def _containers(pods: k8s.PodTemplate) -> Iterator[tuple[str, Tree]]:
    mains = list(pods.containers(init=False))
    for container in pods.containers():
        yield "" if container in mains else " (before it)", container


def _container(container: Tree) -> str:
    resources = get(container, "resources", 0)
    memory = get(resources, "requests", "memory"), get(resources, "limits", "memory")
    cpu = get(resources, "requests", "cpu")
    return _join(
        text(get(container, "image")),
        f"memory {text(memory[0])}" if memory[0] == memory[1] is not None else "",
        f"memory {text(memory[0])} to {text(memory[1])}" if memory[0] != memory[1] else "",
        f"cpu {text(cpu)}" if cpu is not None else "",
        "no resources" if memory == (None, None) and cpu is None else "",
    )


def _storage(resources: Sequence[PlannedResource]) -> _Lines:
    volumes = {k8s.name(volume): volume for volume in k8s.of_kind(resources, "persistent_volume")}
    for claim in k8s.of_kind(resources, "persistent_volume_claim"):
        spec = claim.get("spec", 0)
        volume = volumes.pop(get(spec, "volume_name"), None)
        line = _join(
            text(k8s.name(claim)),
            text(get(spec, "resources", 0, "requests", "storage")),
            text(get(spec, "storage_class_name")),
            ", ".join(text(mode) for mode in k8s.items(get(spec, "access_modes"))),
            _share(volume) if volume is not None else "",
        )
        yield claim, line
        if volume is not None:
            yield volume, line
    for volume in volumes.values():
        yield volume, _join(text(k8s.name(volume)), "a volume that no claim names", _share(volume))


def _share(volume: PlannedResource) -> str:
    share = volume.get("spec", 0, "persistent_volume_source", 0, "csi", 0, "volume_attributes", "share")
    return f"share {text(share)}" if share is not None else ""


def _hosts(resources: Sequence[PlannedResource]) -> _Lines:
    for ingress in k8s.of_kind(resources, "ingress"):
        annotations = k8s.annotated(ingress)
        gate = ingress.settings.get("auth")
        monitor = k8s.ending(annotations, MONITORED)
        recorded = k8s.ending(annotations, RECORD)
        dns = ingress.settings.get("dns_type") or (text(recorded) if recorded is not None else "")
        tile = annotations.get(f"{TILE}name") if annotations.get(f"{TILE}enabled") == "true" else None
        for rule in k8s.items(ingress.get("spec", 0, "rule")):
            paths = [text(get(path, "path")) for path in k8s.items(get(rule, "http", 0, "path"))]
            yield (
                ingress,
                _join(
                    text(get(rule, "host")) + (" " + " ".join(paths) if paths not in ([], ["/"]) else ""),
                    f"gate {gate}" if gate else "gate not known",
                    f"DNS {dns}" if dns else "no DNS record",
                    {"true": "monitored", "false": "not monitored"}.get(str(monitor), "no monitor set"),
                    f"tile {text(tile)}" if tile is not None else "no tile",
                ),
            )


def _secrets(resources: Sequence[PlannedResource]) -> _Lines:
    for resource, manifest in k8s.manifests(resources, "ExternalSecret"):
        spec = get(manifest, "spec")
        keys = sorted({text(leaf) for path, leaf in leaves(spec) if path[-1] == "key" and "extract" in path})
        keys += sorted({text(leaf) for path, leaf in leaves(spec) if path[-2:] == ("remoteRef", "key")})
        store = get(spec, "secretStoreRef", "name")
        read = ", ".join(dict.fromkeys(keys)) or "nothing"
        yield resource, f"{text(k8s.target(manifest))} from {text(store)}: {read}"
    for resource in k8s.of_kind(resources, "secret"):
        kind = resource.get("type")
        yield resource, _join(text(k8s.name(resource)), text(kind) if kind else "")


def text(tree: Tree) -> str:
    """A value as it is shown; one that is not real says so."""
    match tree:
        case None:
            return "not set"
        case Mark():
            return tree.value
        case Placeholder():
            return f"‹{tree.text}›"
        case bool():
            return "true" if tree else "false"
        case str() | int() | float():
            return str(tree)
    return "…"


def _join(*parts: str) -> str:
    return ", ".join(part for part in parts if part)


_SECTIONS: tuple[tuple[str, Callable[[Sequence[PlannedResource]], _Lines]], ...] = (
    ("Namespace", _namespaces),
    ("Workloads", _workloads),
    ("Storage", _storage),
    ("Hosts", _hosts),
    ("Secrets", _secrets),
    ("Jobs", _jobs),
)
