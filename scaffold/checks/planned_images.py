"""House rules over planned resources: where an image comes from, which one it is, and who updates it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from fnmatch import fnmatchcase

from scaffold.checks.house import HouseNames
from scaffold.checks.planned import Plan, PlannedRule, runs_database, shown
from scaffold.checks.rule import Severity
from scaffold.errors import Finding
from scaffold.templates.image import ImageReference
from scaffold.terraform import kubernetes as k8s
from scaffold.terraform.planned import STAND_IN, Placeholder, Tree, get

_PINNED_TO_NOTHING = ("", "latest")


class Latest(PlannedRule):
    """An upstream image is pinned to a release."""

    code = "POD008"
    why = "The tag latest moves, the pull-through cache serves an old image for it, and Keel ignores it."
    rule = "Images"
    severity = Severity.WARNING

    def check_plan(self, plan: Plan) -> Iterator[Finding]:
        """Images of others without a tag, or with the tag latest."""
        for pods, container in plan.containers():
            image = get(container, "image")
            parts = ImageReference.parse(image) if isinstance(image, str) else None
            if not parts or parts.digest or parts.tag not in _PINNED_TO_NOTHING:
                continue
            if not _own_registry(str(image), plan.house):
                name = shown(get(container, "name"))
                what = f"the image {image} of container {name} is not a release"
                yield self.about(pods.owner, what, "write the tag of a release")


class PullSecret(PlannedRule):
    """Every pod with an image of your own has its pull secret."""

    code = "POD009"
    why = "The registry serves the image only after a login: the pod stays in ImagePullBackOff."
    rule = "Images"

    def check_plan(self, plan: Plan) -> Iterator[Finding]:
        """Pods with such an image that have no pull secret, and whose ServiceAccount has none either."""
        for pods in plan.pods:
            if get(pods.spec, "image_pull_secrets") or self._account_has_one(plan, pods):
                continue
            for container in pods.containers():
                registry = _own_registry(_written(get(container, "image")), plan.house)
                if secret := plan.house.own_registries.get(registry):
                    name = shown(get(container, "name"))
                    what = f"container {name} is from {registry}, and no pull secret is set"
                    yield self.about(pods.owner, what, f'set image_pull_secrets {{ name = "{secret}" }}')

    def _account_has_one(self, plan: Plan, pods: k8s.PodTemplate) -> bool:
        """Whether the pods' ServiceAccount has a pull secret, or may have one because nobody can see it."""
        name = get(pods.spec, "service_account_name")
        if name is None:
            return False
        account = plan.named("service_account", name, k8s.namespace(pods.owner))
        return account is None or bool(account.get("image_pull_secret"))


class TrustedRegistries(PlannedRule):
    """The cluster admits the image."""

    code = "POD010"
    why = "A policy lists the images that it trusts, and denies every pod with any other."
    rule = "Security Posture (Wave 1 — locked 2026-05-18)"

    def check_plan(self, plan: Plan) -> Iterator[Finding]:
        """Images that match none of the policy's patterns, in a namespace that the policy covers."""
        house = plan.house
        for pods in plan.pods if house.trusted_images else ():
            place = k8s.namespace(pods.owner)
            if not isinstance(place, str) or place in house.unjudged_namespaces:
                continue
            for container in pods.containers(init=False):
                image = get(container, "image")
                if isinstance(image, str) and not any(fnmatchcase(image, p) for p in house.trusted_images):
                    what = f"the policy of trusted registries denies {image}"
                    fix = "take it from a listed registry, or list this one there first"
                    yield self.about(pods.owner, what, fix)


class DatabasePin(PlannedRule):
    """A database server is pinned to an exact version."""

    code = "POD011"
    why = "A moving tag starts a new version on the same files, which cannot always be undone."
    rule = "Images"
    severity = Severity.WARNING

    def check_plan(self, plan: Plan) -> Iterator[Finding]:
        """Database servers whose tag is neither a minor version nor a digest."""
        pin = plan.house.database_pin
        for pods, container in _databases(plan):
            image = str(get(container, "image"))
            if pin and not re.search(pin, image):
                yield self.about(
                    pods.owner, f"the tag of {image} moves", "write the minor version, or a digest"
                )


class DatabaseMoved(PlannedRule):
    """Nothing updates a database server's image automatically."""

    code = "POD012"
    needs = "keel"
    why = (
        "A database update needs a dump first and somebody watching: Keel does neither, and Diun invites it."
    )
    rule = "Images"
    severity = Severity.WARNING

    def check_plan(self, plan: Plan) -> Iterator[Finding]:
        """Database servers that Keel may update, and those that Diun watches."""
        house = plan.house
        for pods, _ in _databases(plan):
            annotations = k8s.mapping(get(pods.metadata, "annotations"))
            if annotations.get(house.watcher) in ("true", True):
                yield self.about(pods.owner, "Diun watches it", f'take "{house.watcher}" out')
            space = plan.namespace(k8s.namespace(pods.owner))
            labels = k8s.mapping(space.get("metadata", 0, "labels")) if space else {}
            if labels.get(house.enrolled) == "true" and not _policies(pods, house):
                where = "annotate and label" if house.mover_label else "annotate"
                fix = f'{where} its metadata with "{house.mover}" = "never"'
                yield self.about(pods.owner, "its namespace is enrolled in Keel, and it is not exempt", fix)


class KeelOnPods(PlannedRule):
    """Keel's policy is on the workload, not on its pods."""

    code = "POD013"
    needs = "keel"
    why = "Keel reads the Deployment: a policy on the pod template has no effect."
    rule = "Images"
    severity = Severity.WARNING

    def check_plan(self, plan: Plan) -> Iterator[Finding]:
        """Pod templates with a policy whose workload has none."""
        mover = plan.house.mover
        for pods in plan.pods:
            on_pods = {**pods.labels, **k8s.mapping(get(pods.metadata, "annotations"))}
            if mover in on_pods and not _policies(pods, plan.house):
                what = f'"{mover}" = "{shown(on_pods[mover])}" is only on its pods'
                where = "annotations and the labels" if plan.house.mover_label else "annotations"
                yield self.about(pods.owner, what, f"move it to the {where} of its own metadata")


def _databases(plan: Plan) -> Iterator[tuple[k8s.PodTemplate, Tree]]:
    """The servers that run a database, with the container that does; mere clients are not among them."""
    for pods, container in plan.containers(init=False):
        if pods.serves and runs_database(container, plan.house):
            yield pods, container


def _policies(pods: k8s.PodTemplate, house: HouseNames) -> list[Tree]:
    """What the workload's own metadata says to Keel."""
    own = (k8s.mapping(pods.owner.get("metadata", 0, part)) for part in ("labels", "annotations"))
    return [said[house.mover] for said in own if house.mover in said]


def _written(image: Tree) -> str:
    """An image as far as it is known, without the part that is a stand-in."""
    return image.text.partition(STAND_IN)[0] if isinstance(image, Placeholder) else shown(image)


def _own_registry(image: str, house: HouseNames) -> str:
    """The house's own registry that an image is from; Docker Hub may be written out or not."""
    parts = ImageReference.parse(image)
    whole = f"{parts.host}/{parts.repository}"
    return next((own for own in house.own_registries if whole.startswith(f"{own}/")), "")
