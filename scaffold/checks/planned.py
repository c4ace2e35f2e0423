"""House rules that are held on planned resources: what is true of the objects, however they are written.

A value that is unknown or stands in is never judged: nothing is known to be wrong with it.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import ClassVar

from scaffold.errors import Finding
from scaffold.terraform import kubernetes as k8s
from scaffold.terraform.planned import Mark, Placeholder, PlannedResource, Tree, get, leaves, path_text


@dataclass(frozen=True, slots=True)
class HouseNames:
    """The names that a house has given to things; what is empty is not checked.

    ``block_classes`` are the StorageClasses of volumes that one node mounts at a time, ``shared_classes``
    those of volumes that are made by hand and named by the claim. ``gates`` are the middlewares by the mode
    of the gate that adds them; a mode without one adds none. ``public_dns`` are the kinds of DNS record that
    make a host reachable from the internet. ``given_secrets`` exist in every namespace without the stack.
    """

    block_classes: frozenset[str] = frozenset()
    shared_classes: frozenset[str] = frozenset()
    gates: Mapping[str, str] = field(default_factory=dict)
    public_dns: frozenset[str] = frozenset()
    given_secrets: frozenset[str] = frozenset()
    gate_annotation: str = "traefik.ingress.kubernetes.io/router.middlewares"
    dns_annotation: str = "/dns-type"
    monitor_annotation: str = "/external-monitor"
    dashboard: str = "gethomepage.dev/"


@dataclass(frozen=True)
class Plan:
    """The planned resources of one stack, looked at in the ways that rules need."""

    resources: Sequence[PlannedResource]
    house: HouseNames

    @cached_property
    def pods(self) -> tuple[k8s.PodTemplate, ...]:
        """The pod templates of all workloads."""
        return tuple(k8s.pod_templates(self.resources))

    @cached_property
    def charted(self) -> bool:
        """Whether a Helm chart makes objects that are not in the plan: nothing is known to be missing then."""
        return any(resource.type == "helm_release" for resource in self.resources)

    def of_kind(self, *kinds: str) -> tuple[PlannedResource, ...]:
        """The resources of some kinds."""
        return tuple(k8s.of_kind(self.resources, *kinds))

    def named(self, kind: str, name: Tree, namespace: Tree) -> PlannedResource | None:
        """The object of a kind with this name, in a namespace."""
        return next(
            (r for r in self.of_kind(kind) if k8s.name(r) == name and _same(k8s.namespace(r), namespace)),
            None,
        )

    def pods_behind(self, service: PlannedResource) -> list[k8s.PodTemplate]:
        """The pods that a Service selects."""
        selector = k8s.mapping(service.get("spec", 0, "selector"))
        place = k8s.namespace(service)
        return [p for p in self.pods if _same(k8s.namespace(p.owner), place) and _selects(selector, p.labels)]


class PlannedRule(ABC):
    """One rule over planned resources: what it is called, why it is there, and what it finds."""

    code: ClassVar[str]
    title: ClassVar[str]
    why: ClassVar[str]

    @abstractmethod
    def check(self, plan: Plan) -> Iterator[Finding]:
        """Everything in the plan that breaks the rule."""

    def found(self, resource: PlannedResource, message: str, hint: str = "") -> Finding:
        """A finding about a resource, at the place where the stack writes it or calls its module."""
        what = f"{k8s.kind(resource) or resource.type} {_shown(k8s.name(resource))}: {message}"
        return Finding(resource.site.path, resource.site.line, None, self.code, what, hint=hint or None)


def check(
    resources: Sequence[PlannedResource], house: HouseNames, rules: Iterable[PlannedRule] | None = None
) -> list[Finding]:
    """What the rules find in a plan, sorted by place; each thing is said once."""
    plan = Plan(resources, house)
    found = {finding for rule in (RULES if rules is None else rules) for finding in rule.check(plan)}
    return sorted(found, key=lambda f: (f.path, f.line or 0, f.code, f.message))


class StorageClass(PlannedRule):
    """A claim's class and access modes fit together."""

    code = "planned-storage-class"
    title = "StorageClass and access mode fit together"
    why = "Without a class the cluster's default puts data on one node's disk; a block volume is not shared."

    def check(self, plan: Plan) -> Iterator[Finding]:
        """Claims without a class, shared block volumes, and shared classes without a volume."""
        house = plan.house
        for claim in plan.of_kind("persistent_volume_claim"):
            spec = claim.get("spec", 0)
            class_, modes = get(spec, "storage_class_name"), k8s.items(get(spec, "access_modes"))
            if class_ is None:
                yield self.found(claim, "no storage class", "set storage_class_name")
            elif class_ in house.block_classes and any(
                m != "ReadWriteOnce" for m in modes if isinstance(m, str)
            ):
                yield self.found(
                    claim, f"{_shown(class_)} volumes are ReadWriteOnce", "use the NFS module to share files"
                )
            elif class_ in house.shared_classes and get(spec, "volume_name") is None:
                yield self.found(claim, f"{_shown(class_)} makes no volumes by itself", "use the NFS module")


class IngressGate(PlannedRule):
    """Every ingress has the middleware of the gate it claims."""

    code = "planned-ingress-gate"
    title = "every ingress has the gate that its auth says"
    why = "The gate is a middleware in an annotation: an ingress without it is open, whatever the stack says."

    def check(self, plan: Plan) -> Iterator[Finding]:
        """Ingresses without the middleware of their mode, and open ones that nobody declared open."""
        gates = plan.house.gates
        for ingress in plan.of_kind("ingress") if gates else ():
            annotated = ingress.get("metadata", 0, "annotations", plan.house.gate_annotation)
            if isinstance(annotated, Mark | Placeholder):
                continue
            present = {part.strip() for part in str(annotated or "").split(",")}
            mode = ingress.settings.get("auth")
            wanted = gates.get(str(mode))
            if wanted is not None and wanted not in present:
                yield self.found(ingress, f"auth is {mode}, but the middleware {wanted} is not on it")
            elif mode is None and not present & set(gates.values()):
                yield self.found(
                    ingress, "nothing gates it and nothing says why", "make it with the ingress module"
                )


class IngressAnnotations(PlannedRule):
    """A host on the internet is monitored, or says that it is not, and its tile is complete."""

    code = "planned-ingress-annotations"
    title = "public hosts are monitored and on the dashboard"
    why = "A host that nobody watches fails unseen; a tile without a description says nothing."

    def check(self, plan: Plan) -> Iterator[Finding]:
        """Public ingresses without a monitor, and tiles with something missing."""
        house = plan.house
        for ingress in plan.of_kind("ingress"):
            annotations = k8s.mapping(ingress.get("metadata", 0, "annotations"))
            if k8s.ending(annotations, house.dns_annotation) not in house.public_dns:
                continue
            if k8s.ending(annotations, house.monitor_annotation) is None:
                yield self.found(ingress, "public, and no monitor is set", "set external_monitor")
            if annotations.get(f"{house.dashboard}enabled") == "true":
                for part in ("name", "description", "group", "icon", "href"):
                    if annotations.get(f"{house.dashboard}{part}") is None:
                        yield self.found(ingress, f"its tile has no {part}", f'set "{house.dashboard}{part}"')


class IngressBackend(PlannedRule):
    """An ingress sends to a port that a Service of the stack has."""

    code = "planned-ingress-backend"
    title = "an ingress reaches a Service's port"
    why = "An ingress whose port is left at the default answers 404 where the Service listens elsewhere."

    def check(self, plan: Plan) -> Iterator[Finding]:
        """Backends that no Service of the stack is, or that have another port."""
        for ingress in plan.of_kind("ingress"):
            for backend in _backends(ingress):
                name, place = get(backend, "name"), k8s.namespace(ingress)
                if not isinstance(name, str) or not isinstance(place, str):
                    continue
                service = plan.named("service", name, place)
                if service is None:
                    if not plan.charted:
                        yield self.found(ingress, f"there is no Service {name} in {place}")
                    continue
                wanted = get(backend, "port", 0, "number") or get(backend, "port", 0, "name")
                ports = k8s.items(service.get("spec", 0, "port"))
                if isinstance(wanted, int | str) and not any(_is_port(port, wanted) for port in ports):
                    has = ", ".join(_shown(get(port, "port")) for port in ports) or "none"
                    yield self.found(
                        ingress, f"Service {name} has no port {wanted}: it has {has}", "set port"
                    )


class Selectors(PlannedRule):
    """Selectors select pods."""

    code = "planned-selector"
    title = "selectors match the labels of pods"
    why = (
        "A Deployment whose selector misses its pods is refused; a Service that selects nothing answers 503."
    )

    def check(self, plan: Plan) -> Iterator[Finding]:
        """Selectors that miss the pods of their workload, and Services that select nothing."""
        for pods in plan.pods:
            selector = k8s.mapping(pods.owner.get("spec", 0, "selector", 0, "match_labels"))
            if k8s.kind(pods.owner) in k8s.SERVERS and not _selects(selector, pods.labels):
                yield self.found(
                    pods.owner, f"its selector {_pairs(selector)} misses its pods {_pairs(pods.labels)}"
                )
        for service in plan.of_kind("service"):
            selector = k8s.mapping(service.get("spec", 0, "selector"))
            if selector and not plan.charted and not plan.pods_behind(service):
                yield self.found(service, f"no pods have the labels {_pairs(selector)}")


class ServicePort(PlannedRule):
    """A Service sends to a port that a container listens on."""

    code = "planned-service-port"
    title = "a Service's port reaches a container"
    why = "A target port that no container has answers nothing, and no tool says so before the first request."

    def check(self, plan: Plan) -> Iterator[Finding]:
        """Target ports that none of the selected containers declares."""
        for service in plan.of_kind("service"):
            behind = plan.pods_behind(service) if service.get("spec", 0, "selector") else []
            listening = [p for pods in behind for c in pods.containers() for p in k8s.items(get(c, "port"))]
            targets = [
                get(port, "target_port") or get(port, "port")
                for port in k8s.items(service.get("spec", 0, "port"))
            ]
            deaf = [
                t for t in targets if isinstance(t, int | str) and not any(_listens(p, t) for p in listening)
            ]
            if behind and deaf:
                has = ", ".join(_shown(get(port, "container_port")) for port in listening) or "none"
                wanted = ", ".join(map(str, dict.fromkeys(deaf)))
                yield self.found(
                    service, f"no container listens on {wanted}: declared are {has}", "declare the port"
                )


class Claims(PlannedRule):
    """What a pod mounts exists."""

    code = "planned-claim"
    title = "claims and volumes that are mounted exist"
    why = "A pod that waits for a claim that nobody makes stays in Pending for ever."

    def check(self, plan: Plan) -> Iterator[Finding]:
        """Claims that nobody makes, mounts without a volume, volumes that nothing mounts."""
        for pods in plan.pods:
            for _, claim in pods.claims():
                place = k8s.namespace(pods.owner)
                if isinstance(claim, str) and not (
                    plan.charted or plan.named("persistent_volume_claim", claim, place)
                ):
                    yield self.found(pods.owner, f"there is no claim {claim} in this stack")
            yield from self._mounts(pods)
        volumes = {k8s.name(volume) for volume in plan.of_kind("persistent_volume")}
        for resource in plan.of_kind("persistent_volume_claim"):
            volume = resource.get("spec", 0, "volume_name")
            if isinstance(volume, str) and volumes and volume not in volumes:
                yield self.found(resource, f"there is no volume {volume} in this stack")

    def _mounts(self, pods: k8s.PodTemplate) -> Iterator[Finding]:
        volumes = {get(volume, "name") for volume in k8s.items(get(pods.spec, "volume"))}
        volumes |= {
            get(t, "metadata", 0, "name")
            for t in k8s.items(pods.owner.get("spec", 0, "volume_claim_template"))
        }
        mounted = {get(m, "name") for c in pods.containers() for m in k8s.items(get(c, "volume_mount"))}
        for name in sorted(_strings(mounted - volumes)) if not _vague(volumes) else ():
            yield self.found(pods.owner, f"a container mounts {name}, which is no volume of its pod")
        for name in sorted(_strings(volumes - mounted)) if not _vague(mounted) else ():
            yield self.found(pods.owner, f"no container mounts the volume {name}")


class Secrets(PlannedRule):
    """Secrets and ConfigMaps that a pod refers to exist, with the keys that it asks for."""

    code = "planned-secret"
    title = "secrets that are referred to exist"
    why = "A container whose Secret is missing never starts; a missing key stops it just as well."

    def check(self, plan: Plan) -> Iterator[Finding]:
        """References to Secrets and ConfigMaps that the stack does not make."""
        for pods in plan.pods if not plan.charted else ():
            place = k8s.namespace(pods.owner)
            secrets = _secret_keys(plan, place)
            maps = {k8s.name(r): k8s.mapping(r.get("data")).keys() for r in plan.of_kind("config_map")}
            for path, leaf in leaves(pods.spec):
                if not isinstance(leaf, str) or path[-1] not in ("name", "secret_name") or len(path) < 2:
                    continue
                reference = get(pods.spec, *path[:-1])
                if get(reference, "optional") is True:
                    continue
                word = next((str(step) for step in reversed(path[:-1]) if isinstance(step, str)), "")
                key = get(reference, "key")
                if word in _SECRET_REFERENCES and leaf not in plan.house.given_secrets:
                    yield from self._missing(pods.owner, "Secret", leaf, key, secrets, path)
                elif word in _MAP_REFERENCES:
                    yield from self._missing(pods.owner, "ConfigMap", leaf, key, dict(maps), path)

    def _missing(
        self,
        owner: PlannedResource,
        kind: str,
        name: str,
        key: Tree,
        known: Mapping[Tree, Iterable[str] | None],
        path: tuple[str | int, ...],
    ) -> Iterator[Finding]:
        if _vague(known.keys()):
            return
        keys = known.get(name)
        if name not in known:
            yield self.found(owner, f"there is no {kind} {name} in this stack ({path_text(path)})")
        elif keys is not None and isinstance(key, str) and key not in keys:
            yield self.found(owner, f"{kind} {name} has no key {key} ({path_text(path)})")


class Resources(PlannedRule):
    """Every container says what it needs."""

    code = "planned-resources"
    title = "every container has memory and cpu requests, and no cpu limit"
    why = (
        "A container without requests is placed anywhere and killed first; a cpu limit throttles for nothing."
    )

    def check(self, plan: Plan) -> Iterator[Finding]:
        """Containers without requests or memory limit, and with a limit of cpu."""
        for pods in plan.pods:
            for container in pods.containers():
                asked = get(container, "resources", 0)
                name = _shown(get(container, "name"))
                for part, unit in (("requests", "memory"), ("limits", "memory"), ("requests", "cpu")):
                    if not isinstance(asked, Mark) and get(asked, part, unit) is None:
                        yield self.found(
                            pods.owner, f"container {name} has no {unit} {part.removesuffix('s')}"
                        )
                if get(asked, "limits", "cpu") is not None:
                    yield self.found(pods.owner, f"container {name} has a cpu limit")


class Probes(PlannedRule):
    """Every server that listens is probed."""

    code = "planned-probes"
    title = "every container that listens is probed"
    why = (
        "Without readiness, traffic reaches what is not ready; without liveness, nobody restarts what hangs."
    )

    def check(self, plan: Plan) -> Iterator[Finding]:
        """Containers of servers with ports and without probes."""
        for pods in plan.pods:
            if k8s.kind(pods.owner) not in k8s.SERVERS:
                continue
            for container in pods.containers(init=False):
                # No probe speaks UDP.
                listens = any(get(port, "protocol") != "UDP" for port in k8s.items(get(container, "port")))
                for probe in ("readiness", "liveness") if listens else ():
                    if not get(container, f"{probe}_probe"):
                        yield self.found(
                            pods.owner, f"container {_shown(get(container, 'name'))} has no {probe} probe"
                        )


class Backups(PlannedRule):
    """A backup job mounts the volume that it is for, beside the pods that use it, and does not write to it."""

    code = "planned-backup"
    title = "a backup job reads the volume that it is for"
    why = "A block volume is on one node: a job elsewhere waits for ever, and a job on another claim saves nothing."

    def check(self, plan: Plan) -> Iterator[Finding]:
        """Backup jobs for a block volume that nobody uses, that write to it, or that may run on another node."""
        classes = {
            k8s.name(c): c.get("spec", 0, "storage_class_name")
            for c in plan.of_kind("persistent_volume_claim")
        }
        for pods in plan.pods:
            claims = {claim: volume for volume, claim in pods.claims()}
            block = [claim for claim in claims if classes.get(claim) in plan.house.block_classes]
            target = [claim for claim in claims if classes.get(claim) in plan.house.shared_classes]
            if k8s.kind(pods.owner) != "cron_job" or not target:
                continue
            for claim in block:
                users = [p for p in plan.pods if p is not pods and claim in (c for _, c in p.claims())]
                if not users and not plan.charted:
                    yield self.found(
                        pods.owner, f"it saves {_shown(claim)}, which nothing else in this stack uses"
                    )
                if any(not _read_only(container, claims[claim]) for container in pods.containers()):
                    yield self.found(
                        pods.owner, f"it mounts {_shown(claim)} for writing", "set read_only = true"
                    )
                servers = [user for user in users if k8s.kind(user.owner) in k8s.SERVERS]
                if servers and not any(_beside(pods, user) for user in servers):
                    yield self.found(
                        pods.owner, f"nothing keeps it on the node that has {_shown(claim)}", _AFFINITY
                    )


_AFFINITY = "add a pod_affinity to the app's pods with topology_key kubernetes.io/hostname"
_SECRET_REFERENCES = frozenset(("secret_key_ref", "secret_ref", "secret", "image_pull_secrets"))
_MAP_REFERENCES = frozenset(("config_map_key_ref", "config_map_ref", "config_map"))

RULES: tuple[PlannedRule, ...] = (
    StorageClass(),
    IngressGate(),
    IngressAnnotations(),
    IngressBackend(),
    Selectors(),
    ServicePort(),
    Claims(),
    Secrets(),
    Resources(),
    Probes(),
    Backups(),
)


# small questions


def _same(left: Tree, right: Tree) -> bool:
    """Whether two names can be the same: one that is not known can be any."""
    return left == right or isinstance(left, Mark | Placeholder) or isinstance(right, Mark | Placeholder)


def _selects(selector: Mapping[str, Tree], labels: Mapping[str, Tree]) -> bool:
    return bool(selector) and all(
        key in labels and _same(value, labels[key]) for key, value in selector.items()
    )


def _vague(names: Iterable[Tree]) -> bool:
    """Whether one of the names is not known, so that nothing is known to be missing."""
    return any(isinstance(name, Mark) for name in names)


def _strings(names: Iterable[Tree]) -> list[str]:
    return [name for name in names if isinstance(name, str)]


def _pairs(labels: Mapping[str, Tree]) -> str:
    return ", ".join(f"{key}={_shown(value)}" for key, value in sorted(labels.items())) or "(none)"


def _shown(tree: Tree) -> str:
    return tree.value if isinstance(tree, Mark) else str(tree)


def _backends(ingress: PlannedResource) -> Iterator[Tree]:
    for rule in k8s.items(ingress.get("spec", 0, "rule")):
        for path in k8s.items(get(rule, "http", 0, "path")):
            yield get(path, "backend", 0, "service", 0)


def _is_port(port: Tree, wanted: int | str) -> bool:
    number, name = get(port, "port"), get(port, "name")
    return isinstance(number, Mark | Placeholder) or str(number) == str(wanted) or name == wanted


def _listens(port: Tree, target: int | str) -> bool:
    number, name = get(port, "container_port"), get(port, "name")
    return isinstance(number, Mark | Placeholder) or str(number) == str(target) or name == target


def _secret_keys(plan: Plan, place: Tree) -> Mapping[Tree, Iterable[str] | None]:
    """The Secrets of a namespace with their keys; None where Vault decides which keys there are."""
    known: dict[Tree, Iterable[str] | None] = {}
    for resource in plan.of_kind("secret"):
        if _same(k8s.namespace(resource), place):
            known[k8s.name(resource)] = None
    for _, manifest in k8s.manifests(plan.resources, "ExternalSecret"):
        if not _same(get(manifest, "metadata", "namespace"), place):
            continue
        spec = get(manifest, "spec")
        target = get(spec, "target", "name") or get(manifest, "metadata", "name")
        templated = k8s.mapping(get(spec, "target", "template", "data")).keys()
        listed = {str(get(entry, "secretKey")) for entry in k8s.items(get(spec, "data"))}
        known[target] = None if get(spec, "dataFrom") else (templated or listed)
    return known


def _read_only(container: Tree, volume: str) -> bool:
    mounts = [m for m in k8s.items(get(container, "volume_mount")) if get(m, "name") == volume]
    return all(get(mount, "read_only") is True for mount in mounts)


def _beside(job: k8s.PodTemplate, pods: k8s.PodTemplate) -> bool:
    affinity = get(job.spec, "affinity", 0, "pod_affinity", 0)
    required = k8s.items(get(affinity, "required_during_scheduling_ignored_during_execution"))
    preferred = k8s.items(get(affinity, "preferred_during_scheduling_ignored_during_execution"))
    terms = [*required, *(get(term, "pod_affinity_term", 0) for term in preferred)]
    return any(
        _selects(k8s.mapping(get(term, "label_selector", 0, "match_labels")), pods.labels)
        and get(term, "topology_key") == "kubernetes.io/hostname"
        for term in terms
    )
