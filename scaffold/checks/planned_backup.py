"""House rules over planned resources: whether data is saved, and what follows a rotated password."""

from __future__ import annotations

import re
from collections.abc import Iterator

from scaffold.checks.planned import HouseNames, Plan, PlannedRule, shown, strings, vague
from scaffold.errors import Finding
from scaffold.terraform import kubernetes as k8s
from scaffold.terraform.planned import PlannedResource, Tree, get


class Saved(PlannedRule):
    """A block volume that servers write to is read by a CronJob."""

    code = "BAK002"
    title = "every block volume is backed up"
    why = "Nothing else saves a block volume: with its disk, or with a slip, all that is on it is lost."
    rule = "Backup CronJob"
    excuse = "No backup:"

    def check_plan(self, plan: Plan) -> Iterator[Finding]:
        """Claims of block volumes that a server mounts and no CronJob does."""
        fix = "add a backup CronJob that mounts it read-only, or a comment above it: # No backup: why"
        return (self.about(claim, "no CronJob reads it", fix) for claim in unsaved(plan))


def unsaved(plan: Plan) -> Iterator[PlannedResource]:
    """The claims of block volumes that a server mounts and that nothing saves, as far as all is known."""
    for claim in plan.of_kind("persistent_volume_claim"):
        name, place = k8s.name(claim), k8s.namespace(claim)
        block = claim.get("spec", 0, "storage_class_name") in plan.house.block_classes
        if not block or not isinstance(name, str) or not plan.fleet.shows_all_of(place):
            continue
        there = plan.fleet.pods(place)
        users = [pods for pods in there if name in _claims(pods) and not pods.parked]
        servers = [pods for pods in users if k8s.kind(pods.owner) in k8s.SERVERS]
        jobs = [pods for pods in there if k8s.kind(pods.owner) == "cron_job"]
        read = any(name in _claims(job) or vague(_claims(job)) for job in jobs)
        dumped = any(_dumps(job, plan.house) for job in jobs) and any(
            _is_database(pods, plan.house) for pods in servers
        )
        if servers and not read and not dumped:
            yield claim


class Reloader(PlannedRule):
    """What reads a rotated password at its start is started again when the password changes."""

    code = "SEC003"
    title = "a rotated password restarts its Deployment"
    why = "The password of a database changes every week: who read it at the start cannot log in any more."
    rule = "Secrets and databases"

    def check_plan(self, plan: Plan) -> Iterator[Finding]:
        """Servers that read a Secret of the database store and that Reloader does not restart."""
        for pods in plan.pods:
            if k8s.kind(pods.owner) not in k8s.SERVERS:
                continue
            rotated = {
                target
                for manifest in plan.fleet.manifests("ExternalSecret", k8s.namespace(pods.owner))
                if get(manifest, "spec", "secretStoreRef", "name") in plan.house.rotating_stores
                and isinstance(target := k8s.target(manifest), str)
            }
            read = sorted(rotated & set(k8s.secrets(pods)))
            annotations = k8s.mapping(pods.owner.get("metadata", 0, "annotations"))
            restarted = any(key.startswith(plan.house.reloader) for key in annotations)
            if read and not restarted:
                fix = f'annotate its metadata with "{plan.house.reloader}auto" = "true"'
                yield self.about(pods.owner, f"it reads {', '.join(map(shown, read))}, which is rotated", fix)


def _claims(pods: k8s.PodTemplate) -> list[Tree]:
    return [claim for _, claim in pods.claims()]


def _dumps(job: k8s.PodTemplate, house: HouseNames) -> bool:
    """Whether a job asks a database server for its data, which needs no volume."""
    commands = [get(c, part) for c in job.containers() for part in ("command", "args")]
    return any(
        tool in str(word) for words in commands for word in k8s.items(words) for tool in house.dump_tools
    )


def _is_database(pods: k8s.PodTemplate, house: HouseNames) -> bool:
    images = strings(get(container, "image") for container in pods.containers(init=False))
    return bool(house.database_images) and any(re.search(house.database_images, image) for image in images)
