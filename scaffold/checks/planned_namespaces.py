"""House rules over planned resources: the tier of a namespace, and what its pods may use."""

from __future__ import annotations

from collections.abc import Iterator

from scaffold.checks.house import Tier
from scaffold.checks.planned import Plan, PlannedRule, shown
from scaffold.checks.rule import Severity
from scaffold.errors import Finding
from scaffold.terraform import kubernetes as k8s
from scaffold.terraform.planned import PlannedResource, get

_EACH_NODE = ("daemon_set", "daemonset")


class Tiers(PlannedRule):
    """A namespace has a tier."""

    code = "NSP001"
    needs = "tiers"
    why = "Without it, nothing sets the priority and the quota of its pods, nor limits that fit them."
    rule = "Resource Management Patterns"
    severity = Severity.WARNING

    def check_plan(self, plan: Plan) -> Iterator[Finding]:
        """Namespaces without the label, but for those that the policy leaves out which goes by it."""
        fix = f"label it with the tier of its pods ({', '.join(plan.house.tiers)})"
        for space in plan.of_kind("namespace"):
            labels, name = k8s.mapping(space.get("metadata", 0, "labels")), k8s.name(space)
            judged = isinstance(name, str) and name not in plan.house.untiered_namespaces
            if plan.house.tiers and labels.get("tier") is None and judged:
                yield self.about(space, "it has no tier", fix)


class Memory(PlannedRule):
    """The memory of pods fits into their tier."""

    code = "NSP002"
    needs = "tiers"
    why = "A container above the tier's limit never starts, nor does a pod that exceeds the quota."
    rule = "Resource Management Patterns"

    def check_plan(self, plan: Plan) -> Iterator[Finding]:
        """Containers above their tier's limit, and namespaces whose servers request more than its quota."""
        for pods in plan.pods:
            tier = _tier(plan, plan.namespace(k8s.namespace(pods.owner)), plan.house.limits_label)
            for container in pods.containers() if tier else ():
                amount = get(container, "resources", 0, "limits", "memory")
                if tier and (k8s.quantity(amount) or 0) > (k8s.quantity(tier.memory_max) or 0):
                    name = shown(get(container, "name"))
                    what = f"container {name} may use {shown(amount)}, and its tier allows {tier.memory_max}"
                    yield self.about(pods.owner, what, "ask for less, or choose another tier")
        for space in plan.of_kind("namespace"):
            tier = _tier(plan, space, plan.house.quota_label)
            asked = sum(map(_requested, plan.own.pods(k8s.name(space)))) if tier else 0
            if tier and asked > (k8s.quantity(tier.memory_quota) or 0):
                what = f"its servers request {asked / 1024**3:.1f}Gi, and its tier allows {tier.memory_quota}"
                yield self.about(space, what, "ask for less, or choose another tier")


def _tier(plan: Plan, space: PlannedResource | None, own: str) -> Tier | None:
    """The tier of a namespace; None if it is unknown, or a label exempts the namespace from it."""
    labels = k8s.mapping(space.get("metadata", 0, "labels")) if space else {}
    label = labels.get("tier")
    known = isinstance(label, str) and own not in labels
    return plan.house.tiers.get(str(label).partition("-")[2]) if known else None


def _requested(pods: k8s.PodTemplate) -> float:
    """The memory that all pods of a server request, as far as known; init containers have ended by then."""
    if not pods.serves or k8s.kind(pods.owner) in _EACH_NODE:
        return 0
    replicas = pods.owner.get("spec", 0, "replicas")
    asked = (get(c, "resources", 0, "requests", "memory") for c in pods.containers(init=False))
    count = k8s.quantity(replicas)
    return (1 if count is None else count) * sum(k8s.quantity(amount) or 0 for amount in asked)
