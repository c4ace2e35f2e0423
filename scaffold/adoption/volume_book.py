"""The claims of a stack that pods mount or a job dumps, each with the purpose that answers name it by."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from scaffold.adoption.reading import first, name_of, text
from scaffold.terraform import kubernetes as k8s
from scaffold.terraform.planned import PlannedResource, Tree, get

DUMPS = "dump-"
"""What the init container that dumps a database is called, with the purpose of its volume."""


@dataclass(frozen=True)
class Volume:
    """A claim; ``made`` is None if others make it, ``on_nfs`` its PersistentVolume."""

    purpose: str
    claim: str
    made: PlannedResource | None
    on_nfs: PlannedResource | None


@dataclass(frozen=True)
class VolumeBook:
    """What pods mount: claims by name, and the directories of a pod by the volume's name."""

    claims: Mapping[str, Volume]
    scratch: Mapping[str, Tree]
    directories: Mapping[str, Tree]
    """The volumes of pods that are a ConfigMap or a Secret, and of which the app mounts no single keys."""

    @classmethod
    def of(
        cls,
        resources: Sequence[PlannedResource],
        app: k8s.PodTemplate | None,
        container: Tree,
        called: str,
    ) -> VolumeBook:
        """The volumes of the app's pods first, then those of jobs, then those that no pod mounts.

        ``called`` is the Service's name.
        """
        made = {name_of(r): r for r in k8s.of_kind(resources, "persistent_volume_claim")}
        shares = {name_of(r): r for r in k8s.of_kind(resources, "persistent_volume")}
        claims: dict[str, Volume] = {}
        purposes: set[str] = set()
        for name, claim in _claimed(resources, app):
            if claim and claim not in claims:
                claims[claim] = _volume(_free(_label(name), claim, called, purposes), claim, made, shares)
                purposes.add(claims[claim].purpose)
        for purpose, claim in _dumped(resources):
            if purpose not in purposes and claim not in claims:
                claims[claim] = _volume(purpose, claim, made, shares)
        mounted = {text(mount, "name") for mount in k8s.items(container, "volume_mount")}
        scratch = {
            text(volume, "name"): get(volume, "empty_dir", 0)
            for volume in (k8s.items(app.spec, "volume") if app else ())
            if get(volume, "empty_dir", 0) is not None and get(volume, "name") in mounted
        }
        return cls(claims, scratch, _directories(resources, app, container))

    def called(self, volume: Tree) -> str:
        """The name that answers have for a pod's volume: a purpose, or a directory's name; else empty."""
        claim = text(volume, "persistent_volume_claim", 0, "claim_name")
        name = text(volume, "name")
        if name in self.directories:
            return name if source_of(self.directories[name]) == source_of(volume) else ""
        return self.claims[claim].purpose if claim in self.claims else name if name in self.scratch else ""


def source_of(volume: Tree) -> tuple[str, str]:
    """The ConfigMap or the Secret behind a volume; both empty for any other volume."""
    return text(volume, "config_map", 0, "name"), text(volume, "secret", 0, "secret_name")


def _directories(
    resources: Sequence[PlannedResource], app: k8s.PodTemplate | None, container: Tree
) -> dict[str, Tree]:
    """The directories by name, those of the app's pods first, without mounts of single keys."""
    single = {get(m, "name") for m in k8s.items(container, "volume_mount") if text(m, "sub_path")}
    found: dict[str, Tree] = {}
    others = [pods for pods in k8s.pod_templates(resources) if app is None or pods.owner is not app.owner]
    for pods in ([app] if app else []) + [pods for pods in others if not saves(pods)]:
        mounted = {get(m, "name") for c in pods.containers() for m in k8s.items(c, "volume_mount")}
        for volume in k8s.items(pods.spec, "volume"):
            name = text(volume, "name")
            if name in mounted - single and any(source_of(volume)) and _label(name) == name:
                found.setdefault(name, volume)
    return found


def _claimed(resources: Sequence[PlannedResource], app: k8s.PodTemplate | None) -> Iterator[tuple[str, str]]:
    others = [pods for pods in k8s.pod_templates(resources) if app is None or pods.owner is not app.owner]
    for pods in ([app] if app else []) + [pods for pods in others if not saves(pods)]:
        for name, claim in pods.claims():
            yield name, text(claim)


def _dumped(resources: Sequence[PlannedResource]) -> Iterator[tuple[str, str]]:
    """The volumes of database servers of which a job dumps the database, by purpose, and their claims."""
    claims = {r.name: name_of(r) for r in k8s.of_kind(resources, "persistent_volume_claim")}
    for pods in filter(saves, k8s.pod_templates(resources)):
        for container in k8s.items(pods.spec, "init_container"):
            purpose = text(container, "name").removeprefix(DUMPS)
            if claim := claims.get(purpose.replace("-", "_")):
                yield purpose, claim


def saves(pods: k8s.PodTemplate) -> bool:
    """Whether pods are those of a job that backs up block volumes: it reads some, and writes to another.

    One that dumps databases alone has no other volume; the template calls it ``backup``.
    """
    if k8s.kind(pods.owner) != "cron_job" or "backup" not in name_of(pods.owner):
        return False
    return len(pods.claimed()) > 1 or pods.owner.name == "backup"


def _volume(
    purpose: str, claim: str, made: Mapping[str, PlannedResource], shares: Mapping[str, PlannedResource]
) -> Volume:
    resource = made.get(claim)
    bound = text(resource.get("spec", 0, "volume_name")) if resource is not None else ""
    share = shares.get(bound)
    on_nfs = share if share is not None and first(share.values, "spec") is not None else None
    return Volume(purpose, claim, resource, on_nfs)


def _label(name: str) -> str:
    """A pod's name for a volume as an answer may have it."""
    return re.sub(r"[^a-z0-9-]+", "-", name.lower()).strip("-")[:40] or "data"


def _free(name: str, claim: str, called: str, taken: set[str]) -> str:
    """A pod's name for a claim, or a longer one where that is another claim's.

    That comes from the claim: what a pod calls `data` is `worker-data` if it is `kit-worker-data-encrypted`.
    """
    words, last = claim.removeprefix(f"{called}-").split("-"), name.rpartition("-")[2]
    longer = _label("-".join(words[: words.index(last) + 1])) if last in words else name
    numbers = (f"{name}-{number}" for number in range(2, len(taken) + 3))
    return next(one for one in (name, longer, *numbers) if one not in taken)
