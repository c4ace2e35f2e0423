"""A stack as it is: what its plan shows of a Service, found by what each object is, not by its name."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property

from scaffold.adoption.inferred import STOOD
from scaffold.adoption.reading import name_of, text
from scaffold.adoption.secret_book import SecretBook, VaultSecret
from scaffold.adoption.volume_book import VolumeBook, saves
from scaffold.adoption.written import SecretKey, Written
from scaffold.monorepo.annotations import MONITORED
from scaffold.monorepo.shared import SharedModules
from scaffold.templates.questions import Value
from scaffold.terraform import kubernetes as k8s
from scaffold.terraform.planned import PlannedResource, Tree, get


@dataclass(frozen=True)
class Standing:
    """The planned resources of a stack, its files, and the facts of its monorepo."""

    name: str
    resources: tuple[PlannedResource, ...]
    facts: Mapping[str, Value]
    written: Written
    shared: Mapping[str, str]
    """The shared hosts by what a plan shows of each: its address, or what stands in for it."""
    settings: frozenset[str] = frozenset()
    """The variables that ``config.tfvars`` gives to every stack, but those of shared hosts."""
    main: str = ""
    """The address of the Deployment that is taken for the app's; the one that is found to be it if empty."""

    @property
    def called(self) -> str:
        """Its name in Kubernetes, which allows no underscores."""
        return self.name.replace("_", "-")

    @property
    def modules(self) -> SharedModules:
        """The shared modules of the house."""
        return SharedModules.of(self.facts)

    def made_by(self, module: str) -> Iterator[PlannedResource]:
        """The resources that calls of one shared module create."""
        return (r for r in self.resources if r.module and self.written.module(r.site) == module)

    @cached_property
    def own(self) -> tuple[PlannedResource, ...]:
        """The resources without those of Anubis, which stands in front of an app."""
        anubis = {r.address for r in self.made_by(self.modules.anubis)}
        return tuple(r for r in self.resources if r.address not in anubis)

    @cached_property
    def namespaces(self) -> tuple[PlannedResource, ...]:
        """The Namespaces that the stack creates."""
        return tuple(k8s.of_kind(self.own, "namespace"))

    @cached_property
    def namespace(self) -> str:
        """The namespace that the Service is in."""
        made = [name_of(r) for r in self.namespaces]
        used = [text(k8s.namespace(r)) for r in self.deployments]
        return next((name for name in (*used, *made) if name), self.name)

    @cached_property
    def tier(self) -> str:
        """Its Namespace tier, by the namespace's label; empty if that has none."""
        made = next((n for n in self.namespaces if k8s.name(n) == self.namespace), None)
        label = k8s.mapping(made.get("metadata", 0, "labels")).get("tier") if made is not None else ""
        return text(label).partition("-")[2]

    @cached_property
    def states_requests(self) -> bool:
        """Whether a request that equals the limit has to be stated: the house's default is lower."""
        return self.facts["burstable"]["usual"] and self.tier in self.facts["burstable_tiers"]

    @cached_property
    def deployments(self) -> tuple[PlannedResource, ...]:
        """The Deployments, without those of Anubis."""
        return tuple(k8s.of_kind(self.own, "deployment"))

    @cached_property
    def deployment(self) -> PlannedResource | None:
        """The app's Deployment: the only one, else the one with its name, or the one behind an Ingress."""
        if self.main or len(self.deployments) < 2:
            return next((d for d in self.deployments if self.main in ("", d.address)), None)
        reached = [backend for one in self.ingresses if (backend := _behind(one))]
        behind = [d for name in reached for d in self.deployments if _leads(self.own, name, d)]
        named = [d for d in self.deployments if k8s.name(d) in (self.called, self.name)]
        both = [d for d in named if d in behind or not behind]
        return next(iter((*both, *behind, *self.deployments)))

    @cached_property
    def others(self) -> tuple[PlannedResource, ...]:
        """The Deployments beside the app's."""
        return tuple(d for d in self.deployments if d is not self.deployment)

    def of(self, deployment: PlannedResource) -> Standing:
        """The same stack with another Deployment as its app."""
        return replace(self, main=deployment.address)

    @cached_property
    def app(self) -> k8s.PodTemplate | None:
        """The pods of the app's Deployment."""
        return next(k8s.pod_templates([self.deployment]), None) if self.deployment is not None else None

    @cached_property
    def runs(self) -> k8s.PodTemplate | None:
        """The pods of the app; in a stack of jobs alone, those of the first job."""
        jobs = (p for p in k8s.pod_templates(k8s.of_kind(self.own, "cron_job", "job")) if not saves(p))
        return self.app or (None if self.deployments else next(jobs, None))

    @cached_property
    def container(self) -> Tree:
        """The app's own container: the one with the Deployment's or the stack's name, else the first.

        One with the stack's name that listens on nothing gives way to one that a Service leads to.
        """
        containers = k8s.items(self.runs.spec, "container") if self.runs else ()
        called = name_of(self.runs.owner) if self.runs else ""
        its = next((c for c in containers if called and get(c, "name") == called), None)
        ports = [p for service in self.services for p in k8s.items(service.get("spec", 0, "port"))]
        targets = {str(get(port, "target_port") or get(port, "port")) for port in ports}
        reached = (
            c for c in containers for p in k8s.items(c, "port") if any(k8s.is_port(p, t) for t in targets)
        )
        named = next((c for c in containers if get(c, "name") == self.name), None)
        there = named if named is None or k8s.items(named, "port") else next(reached, named)
        return its or there or next(iter(containers), None)

    @cached_property
    def beside(self) -> tuple[Tree, ...]:
        """The containers beside the app's."""
        containers = k8s.items(self.app.spec, "container") if self.app else ()
        return tuple(c for c in containers if c is not self.container)

    @cached_property
    def services(self) -> tuple[PlannedResource, ...]:
        """The Services in front of the app's pods, the one with the app's own name first.

        Where nothing of it runs here, those that have no pods.
        """
        pods = self.app.labels if self.app else {}
        found = []
        for service in k8s.of_kind(self.own, "service"):
            selector = k8s.mapping(service.get("spec", 0, "selector"))
            ours = all(pods.get(key) == value for key, value in selector.items())
            if ours and bool(selector) == (self.app is not None):
                found.append(service)
        names = (self.name, name_of(self.app.owner) if self.app else "")
        path = ("spec", 0, "rule", 0, "http", 0, "path", 0)
        whole = [i for i in self.ingresses if self.app is None and i.get(*path, "path") in ("/", None)]
        behind = {i.get(*path, "backend", 0, "service", 0, "name") for i in whole}
        return tuple(
            sorted(found, key=lambda s: (is_balancer(s), k8s.name(s) not in names, k8s.name(s) not in behind))
        )

    @cached_property
    def service(self) -> PlannedResource | None:
        """The Service in front of the app, inside the cluster."""
        return next((s for s in self.services if not is_balancer(s)), None)

    @property
    def front(self) -> str:
        """The name of that Service, or the one that it would have."""
        return name_of(self.service) if self.service is not None else self.name

    @cached_property
    def port(self) -> Tree:
        """The port of the app's container that receives requests: the one named http, else the first."""
        ports = k8s.items(self.container, "port")
        return next((p for p in ports if get(p, "name") == "http"), ports[0] if ports else None)

    @cached_property
    def ingresses(self) -> tuple[PlannedResource, ...]:
        """The Ingresses that the shared module creates."""
        return tuple(k8s.of_kind(self.made_by(self.modules.ingress), "ingress"))

    @cached_property
    def monitored_path(self) -> str:
        """What the external monitor requests of its host; empty for the start page."""
        notes = (k8s.mapping(i.get("metadata", 0, "annotations")) for i in self.ingresses)
        return next((path for one in notes if (path := text(k8s.ending(one, f"{MONITORED}-path")))), "")

    @cached_property
    def anubis(self) -> frozenset[str]:
        """The Services of Anubis."""
        made = k8s.of_kind(self.made_by(self.modules.anubis), "service")
        return frozenset(name_of(service) for service in made)

    @cached_property
    def secrets(self) -> SecretBook:
        """The Secrets that the stack creates from Vault."""
        return SecretBook.of(self.resources, self.facts, self.namespace)

    @cached_property
    def login(self) -> VaultSecret | None:
        """The Secret with the rotated password of the app's shared database: the one with its name first."""
        prefixes = {row["role_prefix"] for row in self.facts["databases"].values()}
        roles = {secret.name: secret.role.partition("-") for secret in self.secrets.databases.values()}
        ours = [s for s in self.secrets.databases.values() if roles[s.name][0] in prefixes]
        return next(iter(sorted(ours, key=lambda s: roles[s.name][2] != self.called)), None)

    def place(self, read: SecretKey) -> tuple[str, str]:
        """The path and the key in Vault of what is read while it is planned."""
        listed = (secret.entries.get(read.key) for secret in self.secrets.own.values() if not read.path)
        return next(filter(None, listed), (read.path or self.called, read.key))

    def vault(self, read: SecretKey) -> dict[str, Value]:
        """The same as an answer about requests has it, which says why it reads another Service's path."""
        path, key = self.place(read)
        return {"vault": key} if path == self.called else {"vault": f"{path}#{key}", "reason": STOOD}

    @cached_property
    def volumes(self) -> VolumeBook:
        """What its pods mount, under the names that answers use."""
        return VolumeBook.of(self.own, self.app, self.container, self.called)

    @cached_property
    def config_maps(self) -> Mapping[str, PlannedResource]:
        """The ConfigMaps that the stack creates, by name."""
        return {name_of(r): r for r in k8s.of_kind(self.own, "config_map")}


def _behind(ingress: PlannedResource) -> str:
    """The Service that an Ingress leads to; empty for an Ingress that is for some paths only."""
    row = ingress.get("spec", 0, "rule", 0, "http", 0, "path", 0)
    return text(row, "backend", 0, "service", 0, "name") if get(row, "path") in ("/", None, "") else ""


def _leads(resources: tuple[PlannedResource, ...], name: str, deployment: PlannedResource) -> bool:
    """Whether the Service of that name leads to the pods of a Deployment."""
    pods = next(k8s.pod_templates([deployment]), None)
    for service in k8s.of_kind(resources, "service"):
        selector = k8s.mapping(service.get("spec", 0, "selector"))
        if pods is not None and selector and k8s.name(service) == name:
            return all(pods.labels.get(key) == value for key, value in selector.items())
    return False


def is_balancer(service: PlannedResource) -> bool:
    """Whether a Service is a load balancer of the house's network."""
    return service.get("spec", 0, "type") == "LoadBalancer"
