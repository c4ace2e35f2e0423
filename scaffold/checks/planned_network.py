"""House rules over planned resources: how a request reaches a container."""

from __future__ import annotations

from collections.abc import Iterator

from scaffold.checks.planned import Plan, PlannedRule, pairs, selects, shown, strings
from scaffold.errors import Finding
from scaffold.terraform import kubernetes as k8s
from scaffold.terraform.planned import PlannedResource, Tree, get

_COMMON = "app.kubernetes.io/"
"""Labels that people set too; any other with a domain is set by a controller, on pods that no plan shows."""


class IngressBackend(PlannedRule):
    """An ingress reaches a Service's port."""

    code = "ING005"
    why = "An ingress on the default port answers 404 if the Service listens on another one."

    def check_plan(self, plan: Plan) -> Iterator[Finding]:
        """Backends that are no Service of the stack, or that have another port."""
        for ingress in plan.of_kind("ingress"):
            for backend in _backends(ingress):
                name, place = get(backend, "name"), k8s.namespace(ingress)
                if not isinstance(name, str) or not isinstance(place, str):
                    continue
                service = plan.named("service", name, place)
                if service is None:
                    if plan.serves(place) or plan.serves_from_outside(place):
                        yield self.about(ingress, f"there is no Service {name} in {place}")
                    continue
                wanted = get(backend, "port", 0, "number") or get(backend, "port", 0, "name")
                ports = k8s.items(service.get("spec", 0, "port"))
                if isinstance(wanted, int | str) and not any(k8s.is_port(port, wanted) for port in ports):
                    has = ", ".join(shown(get(port, "port")) for port in ports) or "none"
                    yield self.about(
                        ingress, f"Service {name} has no port {wanted}: it has {has}", "set port"
                    )


class Selectors(PlannedRule):
    """Selectors match the labels of pods."""

    code = "SVC001"
    why = (
        "A Deployment whose selector misses its pods is refused; a Service that selects nothing answers 503."
    )

    def check_plan(self, plan: Plan) -> Iterator[Finding]:
        """Selectors that miss the pods of their workload, and Services that select nothing."""
        for pods in plan.pods:
            selector = k8s.mapping(pods.owner.get("spec", 0, "selector", 0, "match_labels"))
            if pods.serves and not selects(selector, pods.labels):
                what = f"its selector {pairs(selector)} misses its pods {pairs(pods.labels)}"
                yield self.about(pods.owner, what)
        for service in plan.of_kind("service"):
            selector = k8s.mapping(service.get("spec", 0, "selector"))
            of_controller = any("/" in key and not key.startswith(_COMMON) for key in selector)
            if not selector or of_controller or plan.pods_behind(service):
                continue
            if plan.serves(k8s.namespace(service)):
                yield self.about(service, f"no pods have the labels {pairs(selector)}")


class ServicePort(PlannedRule):
    """A Service's port reaches a container.

    A number reaches whatever listens on it: what a container declares is only informative.
    """

    code = "SVC002"
    why = "A target port that no container has never answers, and no tool says so before the first request."

    def check_plan(self, plan: Plan) -> Iterator[Finding]:
        """Names of target ports that none of the selected containers declares."""
        for service in plan.of_kind("service"):
            targets = [get(port, "target_port") for port in k8s.items(service.get("spec", 0, "port"))]
            named = [t for t in targets if isinstance(t, str) and not t.isdigit()]
            behind = plan.pods_behind(service) if named else []
            listening = [p for pods in behind for c in pods.containers() for p in k8s.items(get(c, "port"))]
            deaf = [name for name in named if not any(k8s.is_port(port, name) for port in listening)]
            if behind and deaf:
                has = ", ".join(strings(get(port, "name") for port in listening)) or "none"
                what = f"no container has a port called {', '.join(dict.fromkeys(deaf))}: there are {has}"
                yield self.about(service, what, "name the port of the container")


def _backends(ingress: PlannedResource) -> Iterator[Tree]:
    for rule in k8s.items(ingress.get("spec", 0, "rule")):
        for path in k8s.items(get(rule, "http", 0, "path")):
            yield get(path, "backend", 0, "service", 0)
