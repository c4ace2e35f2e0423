"""House rules over planned resources: what must not be on NFS."""

from __future__ import annotations

import re
from collections.abc import Iterator

from scaffold.checks.planned import Plan, PlannedRule, shown
from scaffold.checks.rule import Severity
from scaffold.errors import Finding
from scaffold.terraform import kubernetes as k8s
from scaffold.terraform.planned import Tree, get


class Alerting(PlannedRule):
    """Alerting keeps nothing on NFS."""

    code = "STO008"
    why = "When NFS hangs, the alerting that should report it hangs too."
    rule = "Storage & Backup Architecture"
    severity = Severity.WARNING

    def check_plan(self, plan: Plan) -> Iterator[Finding]:
        """Containers that send alerts and mount an NFS volume."""
        for pods, container in plan.containers(init=False) if plan.house.alerting_images else ():
            image = get(container, "image")
            if isinstance(image, str) and re.search(plan.house.alerting_images, f"/{image}"):
                for claim in _on_nfs(plan, pods, container).values():
                    what = f"container {shown(get(container, 'name'))} alerts, and {shown(claim)} is on NFS"
                    yield self.about(pods.owner, what, "keep it on a block volume")


class EmbeddedDatabase(PlannedRule):
    """An embedded database is not on NFS."""

    code = "STO009"
    why = "SQLite and the like rely on locks and fsync that NFS does not honour: the file is corrupted."
    rule = "Storage Class Decision Rule (for new services)"

    def check_plan(self, plan: Plan) -> Iterator[Finding]:
        """Variables that name the file of an embedded database below a mount of NFS."""
        form = plan.house.embedded_databases
        for pods, container in plan.containers() if form else ():
            shared = _on_nfs(plan, pods, container)
            for variable in k8s.items(get(container, "env")) if shared else ():
                value = get(variable, "value")
                found = re.search(form, value) if isinstance(value, str) else None
                mount = _mount(container, found[1]) if found else ""
                if found and mount in shared:
                    name = shown(get(variable, "name"))
                    what = f"{name} names {found[1]}, and {shown(shared[mount])} is on NFS"
                    yield self.about(pods.owner, what, "keep it on a block volume")


def _on_nfs(plan: Plan, pods: k8s.PodTemplate, container: Tree) -> dict[str, Tree]:
    """Where a container mounts claims of NFS, each with the claim."""
    claims = {v: c for v, c in pods.claims() if plan.classes.get(c) in plan.house.shared_classes}
    return {
        path: claims[volume]
        for mount in k8s.items(get(container, "volume_mount"))
        if isinstance(volume := get(mount, "name"), str)
        and volume in claims
        and isinstance(path := get(mount, "mount_path"), str)
    }


def _mount(container: Tree, path: str) -> str:
    """The mount that contains a path in a container; empty if none does."""
    mounts = (get(mount, "mount_path") for mount in k8s.items(get(container, "volume_mount")))
    around = [m for m in mounts if isinstance(m, str) and f"{path}/".startswith(f"{m.rstrip('/')}/")]
    return max(around, key=len, default="")
