"""House rules over planned resources: where data lies."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from scaffold.checks.contract import Allowed, Contract
from scaffold.checks.fleet import same
from scaffold.checks.planned import Plan, PlannedRule, runs, shown
from scaffold.checks.rule import Severity
from scaffold.errors import Finding
from scaffold.hcl.amend import insert_first, replace
from scaffold.hcl.edit import insert_block, insert_entry
from scaffold.hcl.syntax import Block, Document
from scaffold.templates import template
from scaffold.templates.questions import Value
from scaffold.terraform import kubernetes as k8s
from scaffold.terraform.planned import PlannedResource, Tree, get

_CLAIMS = "kubernetes_persistent_volume_claim*"
"""The pattern of the types of claims."""


class StorageClass(PlannedRule):
    """StorageClass and access mode fit together."""

    code = "STO001"
    why = "Without a class, the default puts data on one node's disk; a block volume cannot be shared."

    def check_plan(self, plan: Plan) -> Iterator[Finding]:
        """Claims without a class, shared block volumes, and shared classes without a volume."""
        house = plan.house
        for claim in plan.of_kind("persistent_volume_claim"):
            spec = claim.get("spec", 0)
            class_, modes = get(spec, "storage_class_name"), k8s.items(get(spec, "access_modes"))
            if class_ is None:
                yield self.about(claim, "no storage class", "set storage_class_name")
            elif class_ in house.block_classes and any(
                m != "ReadWriteOnce" for m in modes if isinstance(m, str)
            ):
                yield self.about(
                    claim, f"{shown(class_)} volumes are ReadWriteOnce", "use the NFS module to share files"
                )
            elif class_ in house.shared_classes and get(spec, "volume_name") is None:
                yield self.about(claim, f"{shown(class_)} provisions no volumes", "use the NFS module")


class Waiting(PlannedRule):
    """An apply does not wait for a block volume's claim."""

    code = "STO003"
    why = "It is bound only when its pod is scheduled: an apply that waits for it first never ends."
    rule = "Storage"

    def check_plan(self, plan: Plan) -> Iterator[Finding]:
        """Claims of block volumes without ``wait_until_bound = false``."""
        for claim in _block_claims(plan):
            if claim.get("wait_until_bound") not in (False, "false"):
                yield self.about(claim, "the apply waits until it is bound", "set wait_until_bound = false")

    def fix(self, document: Document, block: Block, facts: Mapping[str, Value]) -> bytes | None:
        """The file after the claim is no longer waited for."""
        if block.type != "resource":
            return None
        value = block.body.value("wait_until_bound")
        if value is None:
            return insert_first(document, block, "wait_until_bound = false")
        return replace(document, value, "false") if value.literal() is True else None

    def contract(self, facts: Mapping[str, Value]) -> Contract:
        """Whether the claim is waited for may change."""
        return Contract((Allowed(_CLAIMS, "wait_until_bound", after="false"),))


class Autoresizer(PlannedRule):
    """A block volume grows before it is full."""

    code = "STO004"
    severity = Severity.WARNING
    needs = "resizing"
    why = "Without the annotations it fills up; the threshold is the free share: 80 % grows it at once."
    rule = "Storage"

    def check_plan(self, plan: Plan) -> Iterator[Finding]:
        """Claims of block volumes without the autoresizer's annotations, or with another threshold."""
        for claim in _block_claims(plan) if plan.house.resizing else ():
            annotations = k8s.annotated(claim)
            for name, wanted in plan.house.resizing.items():
                value = annotations.get(name)
                if value is None:
                    fix = f'annotate it with "{name}" = "{wanted or "…"}"'
                    yield self.about(claim, f"it has no {name}", fix)
                elif wanted and isinstance(value, str) and value != wanted:
                    yield self.about(claim, f"{name} is {value}", f'set it to "{wanted}"')

    def fix(self, document: Document, block: Block, facts: Mapping[str, Value]) -> bytes | None:
        """The file after one more annotation, or the right threshold; the limit is for a person to choose."""
        metadata = block.body.block("metadata")
        if block.type != "resource" or metadata is None:
            return None
        usual = template.facts("operations")["resizing_usual"]
        annotations = metadata.body.value("annotations")
        if annotations is None:
            lines = "".join(f'\n  "{name}" = "{value}"' for name, value in usual.items())
            return insert_block(document, f"annotations = {{{lines}\n}}", after=metadata.body.items[-1])
        for name, value in usual.items():
            entry = annotations.entry(name)
            if entry is None:
                return insert_entry(document, annotations, f'"{name}"', f'"{value}"')
            wanted = template.facts("operations")["resizing"][name]
            if wanted and entry.value.string() not in (None, wanted):
                return replace(document, entry.value, f'"{wanted}"')
        return None

    def contract(self, facts: Mapping[str, Value]) -> Contract:
        """The annotations that are usual, to their usual values."""
        usual = template.facts("operations")["resizing_usual"].items()
        rows = (Allowed(_CLAIMS, f'metadata[0].annotations["{name}"]', after=value) for name, value in usual)
        return Contract(tuple(rows))


class ClaimNames(PlannedRule):
    """A claim is named after its class."""

    code = "STO005"
    why = "Whoever restores or moves data can tell from the name whether it is encrypted."
    rule = "Storage"
    severity = Severity.WARNING

    def check_plan(self, plan: Plan) -> Iterator[Finding]:
        """Claims whose name does not end like their class."""
        suffixes = plan.house.claim_suffixes
        for claim in _block_claims(plan):
            name, class_ = k8s.name(claim), claim.get("spec", 0, "storage_class_name")
            wanted = suffixes.get(str(class_), "")
            if isinstance(name, str) and not name.endswith(wanted):
                what = f"its class is {shown(class_)}, but its name does not end in {wanted}"
                yield self.about(claim, what, "a claim keeps its name: move the data, or say why not")


class InlineNfs(PlannedRule):
    """NFS is mounted through the NFS module."""

    code = "STO006"
    severity = Severity.WARNING
    needs = "nfs"
    why = "A volume defined in the pod repeats the server's address, has no size, and no search finds it."
    rule = "Storage"

    def check_plan(self, plan: Plan) -> Iterator[Finding]:
        """Volumes of pods that are NFS without a claim."""
        for pods in plan.pods:
            for volume in k8s.items(get(pods.spec, "volume")):
                if get(volume, "nfs"):
                    what = f"its volume {shown(get(volume, 'name'))} names an NFS server itself"
                    yield self.about(pods.owner, what, "use the NFS module")


class Strategy(PlannedRule):
    """A Deployment on a block volume is recreated."""

    code = "STO002"
    why = "A rolling update starts the new pod while the old one holds the volume: it never finishes."

    def check_plan(self, plan: Plan) -> Iterator[Finding]:
        """Deployments that mount a block volume and would be rolled over."""
        classes = plan.classes
        for pods in plan.pods:
            block = [c for c in pods.claimed() if classes.get(c) in plan.house.block_classes]
            strategy = pods.owner.get("spec", 0, "strategy", 0, "type")
            if k8s.kind(pods.owner) == "deployment" and block and not same(strategy, "Recreate"):
                what = f"it mounts {shown(block[0])}, and its strategy is not Recreate"
                yield self.about(pods.owner, what, 'set strategy { type = "Recreate" }')


class Alerting(PlannedRule):
    """Alerting keeps nothing on NFS."""

    code = "STO008"
    why = "When NFS hangs, the alerting that should report it hangs too."
    rule = "Storage & Backup Architecture"
    severity = Severity.WARNING

    def check_plan(self, plan: Plan) -> Iterator[Finding]:
        """Containers that send alerts and mount an NFS volume."""
        for pods, container in plan.containers(init=False):
            if runs(container, plan.house.alerting_images):
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


def _block_claims(plan: Plan) -> Iterator[PlannedResource]:
    for claim in plan.of_kind("persistent_volume_claim"):
        if claim.get("spec", 0, "storage_class_name") in plan.house.block_classes:
            yield claim


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
