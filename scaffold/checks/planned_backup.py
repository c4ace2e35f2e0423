"""House rules over planned resources: whether data is backed up, and how."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence

from scaffold.checks.fleet import Fleet
from scaffold.checks.house import HouseNames
from scaffold.checks.planned import Plan, PlannedRule, runs, selects, shown, strings, vague
from scaffold.errors import Finding
from scaffold.templates.image import ImageReference
from scaffold.terraform import kubernetes as k8s
from scaffold.terraform.planned import PlannedResource, Tree, get

_HOST = "kubernetes.io/hostname"
_AFFINITY = f"add a pod_affinity to the app's pods with topology_key {_HOST}"


class Backups(PlannedRule):
    """A backup job reads the volume that it is for."""

    code = "BAK001"
    why = "A block volume is on one node: a job elsewhere waits; one on another claim saves nothing."

    def check_plan(self, plan: Plan) -> Iterator[Finding]:
        """Backup jobs of a block volume that nobody uses, that write to it, or that may run on any node."""
        classes = plan.classes
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
                    what = f"it mounts {shown(claim)} for writing"
                    yield self.about(pods.owner, what, "set read_only = true")
                servers = [user for user in users if user.serves]
                if servers and not any(_beside(pods, user, plan.house) for user in servers):
                    what = f"nothing keeps it on the node that has {shown(claim)}"
                    yield self.about(pods.owner, what, _AFFINITY)


class Saved(PlannedRule):
    """Every block volume is backed up."""

    code = "BAK002"
    needs = "nfs"
    why = "Nothing else saves a block volume: one failed disk, or one slip, and everything on it is lost."
    rule = "Backup CronJob"
    excuse = "No backup:"

    def check_plan(self, plan: Plan) -> Iterator[Finding]:
        """Claims of block volumes that a server mounts and no CronJob does."""
        fix = "add a backup CronJob that mounts it read-only, or a comment above it: # No backup: why"
        return (self.about(claim, "no CronJob reads it", fix) for claim in unsaved(plan))


class Dumped(PlannedRule):
    """A database server is saved by more than a copy of its files."""

    code = "BAK003"
    needs = "nfs"
    why = "What is copied while a server writes may not be restorable, which shows on the day it is needed."
    rule = "Backup CronJob"
    excuse = "No dump:"

    def check_plan(self, plan: Plan) -> Iterator[Finding]:
        """Claims with a server's data that a job copies and none dumps."""
        fix = "dump it, or say in a comment above it what saves it: # No dump: what does"
        for claim in plan.of_kind("persistent_volume_claim"):
            there = plan.own.pods(k8s.namespace(claim))
            jobs = [pods for pods in there if k8s.kind(pods.owner) == "cron_job"]
            copied = any(k8s.name(claim) in job.claimed() for job in jobs)
            if copied and not any(_dumps(job, plan.house) for job in jobs):
                for image in sorted(set(_databases(k8s.name(claim), there, plan.house))):
                    what = f"a job copies the files of a database server that {image} runs"
                    yield self.about(claim, what, fix)


def _databases(claim: Tree, there: Iterable[k8s.PodTemplate], house: HouseNames) -> Iterator[str]:
    """The images that run a database server whose data is on a claim, by itself or beside an app."""
    for pods in _servers(claim, there):
        volumes = {volume for volume, its in pods.claims() if its == claim}
        for container in pods.containers(init=False):
            image = get(container, "image")
            mounts = [m for m in k8s.items(get(container, "volume_mount")) if get(m, "name") in volumes]
            paths = strings(get(mount, "mount_path") for mount in mounts)
            if not isinstance(image, str) or runs(container, house.copied_databases):
                continue
            is_server = runs(container, house.database_images)
            if any(is_server or _has_server(image, path, house) for path in paths):
                yield image


def _has_server(image: str, path: str, house: HouseNames) -> bool:
    """Whether an image keeps the data of a server that it runs by itself at a path, or below or above it."""
    its, there = ImageReference.parse(image), f"{path.rstrip('/')}/"
    own = next((p for of, p in house.own_servers.items() if its.is_same(ImageReference.parse(of))), "") + "/"
    known = own != "/" != there and (there.startswith(own) or own.startswith(there))
    return known or bool(house.server_paths and re.search(house.server_paths, path))


def unsaved(plan: Plan) -> Iterator[PlannedResource]:
    """The claims of block volumes that a server mounts and that nothing backs up, as far as is known."""
    for claim in plan.of_kind("persistent_volume_claim"):
        name, place = k8s.name(claim), k8s.namespace(claim)
        block = claim.get("spec", 0, "storage_class_name") in plan.house.block_classes
        if not block or not isinstance(name, str) or _is_saved(name, plan.own.pods(place), plan.house):
            continue
        if plan.shows_all_of(place):
            there = plan.fleet.pods(place)
            if _servers(name, there) and not _is_saved(name, there, plan.house):
                yield claim


def no_longer_saved(before: Plan, after: Plan) -> Iterator[PlannedResource]:
    """The claims that a stack's server mounted and its own job saved, and that none of its jobs saves now."""
    stays = {(k8s.namespace(claim), k8s.name(claim)) for claim in after.of_kind("persistent_volume_claim")}
    for claim in before.of_kind("persistent_volume_claim"):
        name, place = k8s.name(claim), k8s.namespace(claim)
        if isinstance(name, str) and (place, name) in stays:
            used = any(pods.serves and name in pods.claimed() for pods in before.own.pods(place))
            if used and _saves(before, place, name) and not _saves(after, place, name):
                yield claim


def _saves(plan: Plan, place: Tree, claim: str) -> bool:
    """Whether a job of the stack's own saves a claim, although its server may not run now."""
    # A job that writes to a volume is at some other work there.
    there = [pods for pods in plan.own.pods(place) if pods.serves or not _writes(pods, claim)]
    return _is_saved(claim, there, plan.house, stopped=True)


def _writes(pods: k8s.PodTemplate, claim: str) -> bool:
    volumes = [volume for volume, its in pods.claims() if its == claim]
    return any(not _read_only(container, volume) for container in pods.containers() for volume in volumes)


def _servers(
    claim: Tree, there: Iterable[k8s.PodTemplate], *, stopped: bool = False
) -> list[k8s.PodTemplate]:
    """The long-running pods that mount a claim, and with ``stopped`` those that have no replicas now."""
    return [p for p in there if p.serves and claim in p.claimed() and (stopped or not p.parked)]


def _is_saved(
    claim: str, there: Sequence[k8s.PodTemplate], house: HouseNames, *, stopped: bool = False
) -> bool:
    """Whether a job among these pods reads a claim, or dumps the database on it; see :func:`_servers`."""
    jobs = [pods for pods in there if k8s.kind(pods.owner) == "cron_job"]
    read = any(claim in job.claimed() or vague(job.claimed()) for job in jobs)
    on_claim = (c for pods in _servers(claim, there, stopped=stopped) for c in pods.containers(init=False))
    dumped = any(_dumps(job, house) for job in jobs)
    return read or (dumped and any(runs(container, house.database_images) for container in on_claim))


def _others(pods: k8s.PodTemplate, fleet: Fleet) -> list[k8s.PodTemplate]:
    """The other pods of the namespace."""
    return [other for other in fleet.pods(k8s.namespace(pods.owner)) if other.owner is not pods.owner]


def _users(claim: Tree, pods: k8s.PodTemplate, fleet: Fleet) -> list[k8s.PodTemplate]:
    return [other for other in _others(pods, fleet) if claim in other.claimed()]


def _is_unused(pods: k8s.PodTemplate, plan: Plan) -> bool:
    """Whether it is known that no other pod mounts a claim that no pod is seen to mount."""
    known = plan.shows_all_of(k8s.namespace(pods.owner))
    return known and not any(vague(other.claimed()) for other in _others(pods, plan.fleet))


def _dumps(job: k8s.PodTemplate, house: HouseNames) -> bool:
    """Whether a job asks a database server for its data, which needs no volume."""
    commands = [get(c, part) for c in job.containers() for part in ("command", "args")]
    return any(
        tool in str(word) for words in commands for word in k8s.items(words) for tool in house.dump_tools
    )


def _read_only(container: Tree, volume: str) -> bool:
    mounts = [m for m in k8s.items(get(container, "volume_mount")) if get(m, "name") == volume]
    return all(get(mount, "read_only") is True for mount in mounts)


def _beside(job: k8s.PodTemplate, pods: k8s.PodTemplate, house: HouseNames) -> bool:
    """Whether a job has to run beside other pods; a preference is enough if there may be none."""
    affinity = get(job.spec, "affinity", 0, "pod_affinity", 0)
    required = k8s.items(get(affinity, "required_during_scheduling_ignored_during_execution"))
    preferred = k8s.items(get(affinity, "preferred_during_scheduling_ignored_during_execution"))
    resting = pods.parked or pods.owner.get("metadata", 0, "labels", house.resting) == "true"
    wished = (get(term, "pod_affinity_term", 0) for term in preferred) if resting else ()
    terms = [*required, *wished]
    return any(
        selects(k8s.mapping(get(term, "label_selector", 0, "match_labels")), pods.labels)
        and get(term, "topology_key") == _HOST
        for term in terms
    )
