"""House rules over planned resources: whether data is saved, and what follows a rotated password."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence

from scaffold.checks.planned import HouseNames, Plan, PlannedRule, shown, strings, vague
from scaffold.errors import Finding
from scaffold.terraform import kubernetes as k8s
from scaffold.terraform.planned import Tree, get


class Saved(PlannedRule):
    """A block volume that servers write to is read by a CronJob."""

    code = "BAK002"
    title = "every block volume is backed up"
    why = "Nothing else saves a block volume: with its disk, or with a slip, all that is on it is lost."
    rule = "Backup CronJob"
    excuse = "No backup:"

    def check_plan(self, plan: Plan) -> Iterator[Finding]:
        """Claims of block volumes that a server mounts and no CronJob does."""
        for claim in plan.of_kind("persistent_volume_claim"):
            name, place = k8s.name(claim), k8s.namespace(claim)
            block = claim.get("spec", 0, "storage_class_name") in plan.house.block_classes
            if not block or not isinstance(name, str) or _is_saved(name, plan.own.pods(place), plan.house):
                continue
            if not plan.shows_all_of(place):
                continue
            there = plan.fleet.pods(place)
            if _servers(name, there) and not _is_saved(name, there, plan.house):
                fix = "add a backup CronJob that mounts it read-only, or a comment above it: # No backup: why"
                yield self.about(claim, "no CronJob reads it", fix)


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
            annotations = k8s.mapping(pods.owner.get("metadata", 0, "annotations"))
            if any(key.startswith(plan.house.reloader) for key in annotations):
                continue
            place = k8s.namespace(pods.owner)
            made = {k8s.name(secret) for secret in plan.own.of_kind("secret", place)}
            asked = set(k8s.secrets(pods)) - plan.house.given_secrets - made
            own = {k8s.target(m): m for m in plan.own.manifests("ExternalSecret", place)}
            # Whose Secret it is, and thus what renews it, another stack may say.
            others = plan.fleet.manifests("ExternalSecret", place) if asked.difference(own) else ()
            stores = {
                k8s.target(manifest): get(manifest, "spec", "secretStoreRef", "name")
                for manifest in (*others, *own.values())
            }
            read = sorted(name for name in asked if stores.get(name) in plan.house.rotating_stores)
            if read:
                fix = f'annotate its metadata with "{plan.house.reloader}auto" = "true"'
                yield self.about(pods.owner, f"it reads {', '.join(map(shown, read))}, which is rotated", fix)


def _servers(claim: str, there: Iterable[k8s.PodTemplate]) -> list[k8s.PodTemplate]:
    """The pods that run for ever on a claim."""
    users = (pods for pods in there if claim in _claims(pods) and not pods.parked)
    return [pods for pods in users if k8s.kind(pods.owner) in k8s.SERVERS]


def _is_saved(claim: str, there: Sequence[k8s.PodTemplate], house: HouseNames) -> bool:
    """Whether a job among these pods reads a claim, or dumps the database that is on it."""
    jobs = [pods for pods in there if k8s.kind(pods.owner) == "cron_job"]
    read = any(claim in _claims(job) or vague(_claims(job)) for job in jobs)
    return read or (
        any(_dumps(job, house) for job in jobs)
        and any(_is_database(pods, house) for pods in _servers(claim, there))
    )


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
