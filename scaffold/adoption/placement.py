"""Where pods run, how many of them may be evicted, and the devices of their node."""

from __future__ import annotations

from collections.abc import Iterator

from scaffold.adoption.inferred import STOOD, Inferred, found
from scaffold.adoption.reading import first, known, labels, number, text
from scaffold.adoption.standing import Standing
from scaffold.terraform import kubernetes as k8s
from scaffold.terraform.planned import Tree, get

_NODE = "kubernetes.io/hostname"
_DEVICES = {"CharDevice": False, "BlockDevice": False, "Directory": True}
"""The types of host paths that are devices, and whether each is a directory of them."""


def availability(stack: Standing) -> Iterator[Inferred]:
    """What keeps some of several pods running: a disruption budget, and what spreads them."""
    if stack.app is None or (number(stack.app.owner.get("spec", 0, "replicas")) or 1) < 2:
        return
    spec = stack.app.spec
    pod = labels(get(stack.app.metadata, "labels")).items()
    budgets = k8s.of_kind(stack.own, "pod_disruption_budget")
    chosen = (b for b in budgets if labels(b.get("spec", 0, "selector", 0, "match_labels")).items() <= pod)
    budget = next(chosen, None)
    limits = budget.get("spec", 0) if budget is not None else None
    value = {
        "min_available": number(limits, "min_available"),
        "max_unavailable": number(limits, "max_unavailable"),
        "apart": _apart(spec),
        "spread_over": text(spec, "topology_spread_constraint", 0, "topology_key"),
    }
    yield found("availability", known(value), budget or stack.app.owner, "spec[0]")


def _apart(spec: Tree) -> str:
    anti = first(spec, "affinity", 0, "pod_anti_affinity")
    required = get(anti, "required_during_scheduling_ignored_during_execution", 0)
    preferred = get(anti, "preferred_during_scheduling_ignored_during_execution", 0, "pod_affinity_term", 0)
    for word, term in (("required", required), ("preferred", preferred)):
        if get(term, "topology_key") == _NODE:
            return word
    return ""


def devices(stack: Standing) -> Iterator[Inferred]:
    """The devices of its node that a privileged container of the app has under the same path."""
    if stack.app is None or get(stack.container, "security_context", 0, "privileged") is not True:
        return
    mounted = {get(m, "name"): get(m, "mount_path") for m in k8s.items(stack.container, "volume_mount")}
    for volume in k8s.items(stack.app.spec, "volume"):
        path, kind = (text(volume, "host_path", 0, key) for key in ("path", "type"))
        if kind in _DEVICES and path.startswith("/dev/") and mounted.get(get(volume, "name")) == path:
            item = {"path": path, "reason": STOOD} | ({"directory": True} if _DEVICES[kind] else {})
            yield found("devices", [item], stack.app.owner, "host_path")
