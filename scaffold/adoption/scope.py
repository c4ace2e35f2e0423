"""Which stacks answers cannot describe, and which parts of a stack no answer can express."""

from __future__ import annotations

from collections.abc import Iterator

from scaffold.adoption.deployments import inexpressible
from scaffold.adoption.standing import Standing
from scaffold.terraform import kubernetes as k8s

_FOREIGN = {"stateful_set": "StatefulSet", "daemon_set": "DaemonSet", "daemonset": "DaemonSet"}


def not_ours(stack: Standing) -> str:
    """Why answers cannot describe a stack; empty if they can.

    A Service is one or several Deployments, or jobs, or an Ingress to something outside the cluster.
    """
    if any(r.type == "helm_release" for r in stack.resources):
        return "it installs a Helm chart"
    for kind, called in _FOREIGN.items():
        if any(k8s.of_kind(stack.own, kind)):
            return f"it has a {called}"
    for why in inexpressible(stack):
        return f"it has {len(stack.deployments)} Deployments, and {why}"
    runs = (*stack.deployments, *stack.ingresses, *k8s.of_kind(stack.own, "cron_job", "job"))
    if not runs:
        return "it has neither a Deployment nor a job nor an Ingress of the shared module"
    return ""


def obstacles(stack: Standing) -> Iterator[str]:
    """What cannot stay as it is in a stack: Kubernetes cannot change it, and no answer expresses it."""
    app = stack.app
    if app is None:
        return
    for one in (app.owner, *stack.others):
        selector = k8s.mapping(one.get("spec", 0, "selector", 0, "match_labels"))
        if not selector or not all(isinstance(value, str) for value in selector.values()):
            its = "its selector" if one is app.owner else f"the selector of {k8s.name(one)}"
            yield f"{its} is not known"
        if one is app.owner and len(stack.namespaces) > 1:
            yield f"it has {len(stack.namespaces)} namespaces"
