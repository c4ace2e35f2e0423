"""House rules over planned resources: where data lies, and who saves it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from scaffold.checks.fleet import Fleet, same
from scaffold.checks.planned import Plan, PlannedRule, selects, shown, vague
from scaffold.checks.rule import Severity
from scaffold.errors import Finding
from scaffold.terraform import kubernetes as k8s
from scaffold.terraform.planned import PlannedResource, Tree, get

_HOST = "kubernetes.io/hostname"
_AFFINITY = f"add a pod_affinity to the app's pods with topology_key {_HOST}"


class StorageClass(PlannedRule):
    """A claim's class and access modes fit together."""

    code = "STO001"
    title = "StorageClass and access mode fit together"
    why = "Without a class the cluster's default puts data on one node's disk; a block volume is not shared."

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
                yield self.about(claim, f"{shown(class_)} makes no volumes by itself", "use the NFS module")


class Backups(PlannedRule):
    """A backup job mounts the volume that it is for, beside the pods that use it, and only reads it."""

    code = "BAK001"
    title = "a backup job reads the volume that it is for"
    why = "A block volume is on one node: a job elsewhere waits; a job on another claim saves nothing."

    def check_plan(self, plan: Plan) -> Iterator[Finding]:
        """Backup jobs of a block volume that nobody uses, that write to it, or that run anywhere."""
        classes = _classes(plan)
        for pods in plan.pods:
            claims = {claim: volume for volume, claim in pods.claims()}
            block = [claim for claim in claims if classes.get(claim) in plan.house.block_classes]
            target = [claim for claim in claims if classes.get(claim) in plan.house.shared_classes]
            if k8s.kind(pods.owner) != "cron_job" or not target:
                continue
            for claim in block:
                users = _users(claim, pods, plan.own) or _users(claim, pods, plan.fleet)
                if not users and _is_unused(pods, plan):
                    yield self.about(pods.owner, f"nothing else uses {shown(claim)}")
                if any(not _read_only(container, claims[claim]) for container in pods.containers()):
                    yield self.about(
                        pods.owner, f"it mounts {shown(claim)} for writing", "set read_only = true"
                    )
                servers = [user for user in users if k8s.kind(user.owner) in k8s.SERVERS]
                if servers and not any(_beside(pods, user) for user in servers):
                    yield self.about(
                        pods.owner, f"nothing keeps it on the node that has {shown(claim)}", _AFFINITY
                    )


class Waiting(PlannedRule):
    """A claim of a block volume is not waited for."""

    code = "STO003"
    title = "a block volume's claim is not waited for"
    why = "It is bound when its pod is scheduled: an apply that waits for it before never ends."
    rule = "Storage"

    def check_plan(self, plan: Plan) -> Iterator[Finding]:
        """Claims of block volumes without ``wait_until_bound = false``."""
        for claim in _block_claims(plan):
            if claim.get("wait_until_bound") not in (False, "false"):
                yield self.about(claim, "the apply waits until it is bound", "set wait_until_bound = false")


class Autoresizer(PlannedRule):
    """A block volume grows before it is full."""

    code = "STO004"
    severity = Severity.WARNING
    title = "a block volume grows before it is full"
    why = "Without the annotations it fills up; the threshold is what has to be free, so 80 % grows at once."
    rule = "Storage"

    def check_plan(self, plan: Plan) -> Iterator[Finding]:
        """Claims of block volumes whose annotations for the autoresizer are missing, or another threshold."""
        for claim in _block_claims(plan) if plan.house.resizing else ():
            annotations = k8s.mapping(claim.get("metadata", 0, "annotations"))
            for name, wanted in plan.house.resizing.items():
                value = annotations.get(name)
                if value is None:
                    fix = f'annotate it with "{name}" = "{wanted or "…"}"'
                    yield self.about(claim, f"it has no {name}", fix)
                elif wanted and isinstance(value, str) and value != wanted:
                    yield self.about(claim, f"{name} is {value}", f'set it to "{wanted}"')


class ClaimNames(PlannedRule):
    """The name of a claim tells whether it is encrypted."""

    code = "STO005"
    title = "a claim is called after its class"
    why = "Whoever restores or moves data sees from the name whether it is encrypted."
    rule = "Storage"
    severity = Severity.WARNING

    def check_plan(self, plan: Plan) -> Iterator[Finding]:
        """Claims whose name does not end like their class."""
        suffixes = plan.house.claim_suffixes
        for claim in _block_claims(plan):
            name, class_ = k8s.name(claim), claim.get("spec", 0, "storage_class_name")
            wanted = suffixes.get(str(class_), "")
            if isinstance(name, str) and not name.endswith(wanted):
                what = f"it is of class {shown(class_)} and not called …{wanted}"
                yield self.about(claim, what, "a claim keeps its name: move the data, or say why not")


class InlineNfs(PlannedRule):
    """NFS is mounted through a claim."""

    code = "STO006"
    title = "NFS is mounted through the NFS module"
    why = "A volume of the pod's own repeats the server's address, has no size and is found by no search."
    rule = "Storage"

    def check_plan(self, plan: Plan) -> Iterator[Finding]:
        """Volumes of pods that are NFS by themselves."""
        for pods in plan.pods:
            for volume in k8s.items(get(pods.spec, "volume")):
                if get(volume, "nfs"):
                    what = f"its volume {shown(get(volume, 'name'))} is NFS by itself"
                    yield self.about(pods.owner, what, "make it with the NFS module")


class Strategy(PlannedRule):
    """A Deployment on a block volume is replaced, never rolled over."""

    code = "STO002"
    title = "a Deployment on a block volume is recreated"
    why = "A rolling update starts the new pod while the old one holds the volume: neither comes to an end."

    def check_plan(self, plan: Plan) -> Iterator[Finding]:
        """Deployments that mount a block volume and would be rolled over."""
        classes = _classes(plan)
        for pods in plan.pods:
            block = [c for c in _claims(pods) if classes.get(c) in plan.house.block_classes]
            strategy = pods.owner.get("spec", 0, "strategy", 0, "type")
            if k8s.kind(pods.owner) == "deployment" and block and not same(strategy, "Recreate"):
                what = f"it mounts {shown(block[0])}, and its strategy is not Recreate"
                yield self.about(pods.owner, what, 'set strategy { type = "Recreate" }')


def _block_claims(plan: Plan) -> Iterator[PlannedResource]:
    for claim in plan.of_kind("persistent_volume_claim"):
        if claim.get("spec", 0, "storage_class_name") in plan.house.block_classes:
            yield claim


def _classes(plan: Plan) -> Mapping[Tree, Tree]:
    """The StorageClass of each claim of the stack, by name."""
    claims = plan.of_kind("persistent_volume_claim")
    return {k8s.name(claim): claim.get("spec", 0, "storage_class_name") for claim in claims}


def _others(pods: k8s.PodTemplate, fleet: Fleet) -> list[k8s.PodTemplate]:
    """The other pods of the namespace."""
    return [other for other in fleet.pods(k8s.namespace(pods.owner)) if other.owner is not pods.owner]


def _users(claim: Tree, pods: k8s.PodTemplate, fleet: Fleet) -> list[k8s.PodTemplate]:
    return [other for other in _others(pods, fleet) if claim in _claims(other)]


def _is_unused(pods: k8s.PodTemplate, plan: Plan) -> bool:
    """Whether it is known that no other pod mounts a claim that none is seen to mount."""
    known = plan.shows_all_of(k8s.namespace(pods.owner))
    return known and not any(vague(_claims(other)) for other in _others(pods, plan.fleet))


def _claims(pods: k8s.PodTemplate) -> list[Tree]:
    return [claim for _, claim in pods.claims()]


def _read_only(container: Tree, volume: str) -> bool:
    mounts = [m for m in k8s.items(get(container, "volume_mount")) if get(m, "name") == volume]
    return all(get(mount, "read_only") is True for mount in mounts)


def _beside(job: k8s.PodTemplate, pods: k8s.PodTemplate) -> bool:
    affinity = get(job.spec, "affinity", 0, "pod_affinity", 0)
    required = k8s.items(get(affinity, "required_during_scheduling_ignored_during_execution"))
    preferred = k8s.items(get(affinity, "preferred_during_scheduling_ignored_during_execution"))
    terms = [*required, *(get(term, "pod_affinity_term", 0) for term in preferred)]
    return any(
        selects(k8s.mapping(get(term, "label_selector", 0, "match_labels")), pods.labels)
        and get(term, "topology_key") == _HOST
        for term in terms
    )
