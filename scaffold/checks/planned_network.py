"""House rules over planned resources: how a request reaches a container."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from scaffold.checks.fleet import Fleet
from scaffold.checks.planned import Plan, PlannedRule, pairs, selects, shown, strings
from scaffold.checks.rule import Severity
from scaffold.errors import Finding
from scaffold.terraform import kubernetes as k8s
from scaffold.terraform.planned import Mark, Placeholder, PlannedResource, Tree, get

_COMMON = "app.kubernetes.io/"
"""Labels that people set too; any other with a domain is set by a controller, on pods that no plan shows."""


class IngressGate(PlannedRule):
    """Every ingress has the middleware of the gate it claims."""

    code = "ING003"
    title = "every ingress has the gate that its auth says"
    why = "The gate is a middleware in an annotation: an ingress without it is open, whatever the stack says."

    def check_plan(self, plan: Plan) -> Iterator[Finding]:
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
                yield self.about(ingress, f"auth is {mode}, but the middleware {wanted} is not on it")
            elif mode is None and not present & set(gates.values()):
                yield self.about(
                    ingress, "nothing gates it and nothing says why", "make it with the ingress module"
                )


class IngressAnnotations(PlannedRule):
    """A host on the internet is monitored, or says that it is not, and its tile is complete."""

    code = "ING004"
    title = "public hosts are monitored and on the dashboard"
    why = "A host that nobody watches fails unseen; a tile without a description says nothing."

    def check_plan(self, plan: Plan) -> Iterator[Finding]:
        """Public ingresses without a monitor, and tiles with something missing."""
        house = plan.house
        for ingress in plan.of_kind("ingress"):
            annotations = k8s.mapping(ingress.get("metadata", 0, "annotations"))
            if k8s.ending(annotations, house.dns_annotation) not in house.public_dns:
                continue
            if k8s.ending(annotations, house.monitor_annotation) is None:
                yield self.about(ingress, "public, and no monitor is set", "set external_monitor")
            if annotations.get(f"{house.dashboard}enabled") == "true":
                for part in ("name", "description", "group", "icon", "href"):
                    if annotations.get(f"{house.dashboard}{part}") is None:
                        yield self.about(ingress, f"its tile has no {part}", f'set "{house.dashboard}{part}"')


class Tiles(PlannedRule):
    """A host has one tile on the dashboard."""

    code = "ING006"
    title = "a host has one tile on the dashboard"
    why = "Every ingress makes a tile by default: a second one of the same host is noise."
    rule = "Homepage"
    severity = Severity.WARNING

    def check_plan(self, plan: Plan) -> Iterator[Finding]:
        """Ingresses whose host has a tile already."""
        enabled = f"{plan.house.dashboard}enabled"
        seen: dict[Tree, str] = {}
        for ingress in plan.of_kind("ingress"):
            if ingress.get("metadata", 0, "annotations", enabled) != "true":
                continue
            for host in sorted(_hosts(ingress)):
                if host in seen:
                    what = f"{host} has a tile already, by ingress {seen[host]}"
                    yield self.about(ingress, what, "set homepage_enabled = false")
                seen.setdefault(host, shown(k8s.name(ingress)))


class Unmonitored(PlannedRule):
    """A host that nobody can reach from outside says that it is not monitored from there."""

    code = "ING007"
    title = "a host without a public record has no monitor from outside"
    why = "The monitor follows every ingress that does not say otherwise, and is never green."
    rule = "Monitoring"
    severity = Severity.WARNING

    def check_plan(self, plan: Plan) -> Iterator[Finding]:
        """Ingresses of hosts without a public DNS record and without an opt-out."""
        house = plan.house
        for ingress in plan.of_kind("ingress") if house.public_dns else ():
            annotations, hosts = _annotations(ingress), _hosts(ingress)
            # An ingress that is not made by the module may have its record elsewhere.
            if not ingress.module or not hosts:
                continue
            watched = k8s.ending(annotations, house.monitor_annotation) is None
            public = (_public(fleet, house.dns_annotation, house.public_dns) for fleet in plan.fleets())
            if watched and not any(hosts & found for found in public):
                hosts_ = ", ".join(sorted(hosts))
                what = f"{hosts_} has no public record, and is monitored"
                yield self.about(ingress, what, "set external_monitor = false")


class IngressBackend(PlannedRule):
    """An ingress sends to a port that a Service of the stack has."""

    code = "ING005"
    title = "an ingress reaches a Service's port"
    why = "An ingress whose port is left at the default answers 404 where the Service listens elsewhere."

    def check_plan(self, plan: Plan) -> Iterator[Finding]:
        """Backends that no Service of the stack is, or that have another port."""
        for ingress in plan.of_kind("ingress"):
            for backend in _backends(ingress):
                name, place = get(backend, "name"), k8s.namespace(ingress)
                if not isinstance(name, str) or not isinstance(place, str):
                    continue
                service = plan.named("service", name, place)
                if service is None:
                    if plan.serves(place):
                        yield self.about(ingress, f"there is no Service {name} in {place}")
                    continue
                wanted = get(backend, "port", 0, "number") or get(backend, "port", 0, "name")
                ports = k8s.items(service.get("spec", 0, "port"))
                if isinstance(wanted, int | str) and not any(_is_port(port, wanted) for port in ports):
                    has = ", ".join(shown(get(port, "port")) for port in ports) or "none"
                    yield self.about(
                        ingress, f"Service {name} has no port {wanted}: it has {has}", "set port"
                    )


class Selectors(PlannedRule):
    """Selectors select pods."""

    code = "SVC001"
    title = "selectors match the labels of pods"
    why = (
        "A Deployment whose selector misses its pods is refused; a Service that selects nothing answers 503."
    )

    def check_plan(self, plan: Plan) -> Iterator[Finding]:
        """Selectors that miss the pods of their workload, and Services that select nothing."""
        for pods in plan.pods:
            selector = k8s.mapping(pods.owner.get("spec", 0, "selector", 0, "match_labels"))
            if k8s.kind(pods.owner) in k8s.SERVERS and not selects(selector, pods.labels):
                yield self.about(
                    pods.owner, f"its selector {pairs(selector)} misses its pods {pairs(pods.labels)}"
                )
        for service in plan.of_kind("service"):
            selector = k8s.mapping(service.get("spec", 0, "selector"))
            of_controller = any("/" in key and not key.startswith(_COMMON) for key in selector)
            if not selector or of_controller or plan.pods_behind(service):
                continue
            if plan.serves(k8s.namespace(service)):
                yield self.about(service, f"no pods have the labels {pairs(selector)}")


class ServicePort(PlannedRule):
    """A Service that sends to a port by its name sends to one that a container has.

    A number reaches whatever listens on it: what a container declares is information only.
    """

    code = "SVC002"
    title = "a Service's port reaches a container"
    why = "A target port that no container has answers nothing, and no tool says so before the first request."

    def check_plan(self, plan: Plan) -> Iterator[Finding]:
        """Names of target ports that none of the selected containers declares."""
        for service in plan.of_kind("service"):
            targets = [get(port, "target_port") for port in k8s.items(service.get("spec", 0, "port"))]
            named = [t for t in targets if isinstance(t, str) and not t.isdigit()]
            behind = plan.pods_behind(service) if named else []
            listening = [p for pods in behind for c in pods.containers() for p in k8s.items(get(c, "port"))]
            deaf = [name for name in named if not any(k8s.listens(port, name) for port in listening)]
            if behind and deaf:
                has = ", ".join(strings(get(port, "name") for port in listening)) or "none"
                what = f"no container has a port called {', '.join(dict.fromkeys(deaf))}: there are {has}"
                yield self.about(service, what, "name the port of the container")


def _public(fleet: Fleet, annotation: str, kinds: frozenset[str]) -> set[str]:
    """The hosts with a public DNS record."""
    ingresses = fleet.all_of_kind("ingress")
    public = (i for i in ingresses if k8s.ending(_annotations(i), annotation) in kinds)
    return {host for ingress in public for host in _hosts(ingress)}


def _annotations(ingress: PlannedResource) -> Mapping[str, Tree]:
    return k8s.mapping(ingress.get("metadata", 0, "annotations"))


def _hosts(ingress: PlannedResource) -> set[str]:
    return set(strings(get(rule, "host") for rule in k8s.items(ingress.get("spec", 0, "rule"))))


def _backends(ingress: PlannedResource) -> Iterator[Tree]:
    for rule in k8s.items(ingress.get("spec", 0, "rule")):
        for path in k8s.items(get(rule, "http", 0, "path")):
            yield get(path, "backend", 0, "service", 0)


def _is_port(port: Tree, wanted: int | str) -> bool:
    number, name = get(port, "port"), get(port, "name")
    return isinstance(number, Mark | Placeholder) or str(number) == str(wanted) or name == wanted
