"""House rules over planned resources: where an image comes from, which one it is, and who updates it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from fnmatch import fnmatchcase

from scaffold.checks.contract import Allowed, Contract
from scaffold.checks.house import HouseNames
from scaffold.checks.planned import Plan, PlannedRule, runs, shown, vague
from scaffold.checks.rule import Severity
from scaffold.errors import Finding
from scaffold.hcl.amend import replace
from scaffold.hcl.syntax import Block, Document, Expression
from scaffold.monorepo.annotations import WATCHED
from scaffold.templates.image import ImageReference
from scaffold.templates.questions import Value
from scaffold.terraform import kubernetes as k8s
from scaffold.terraform.planned import STAND_IN, Placeholder, Tree, get

_PINNED_TO_NOTHING = ("", "latest")
_USUAL = "docker.io/"
"""The registry that is meant if none is written."""


class Images(PlannedRule):
    """An image is written with its registry."""

    code = "POD005"
    needs = "policies"
    why = "A policy may deny what it cannot match with the registries that it trusts."
    rule = "Images"
    severity = Severity.WARNING

    def check_plan(self, plan: Plan) -> Iterator[Finding]:
        """Images without a registry."""
        for pods, container in plan.containers():
            image = get(container, "image")
            if isinstance(image, str) and not ImageReference.parse(image).registry:
                name = shown(get(container, "name"))
                fix = f"write docker.io/{'' if '/' in image else 'library/'}{image}"
                yield self.about(pods.owner, f"the image {image} of container {name} has no registry", fix)

    def fix(self, document: Document, block: Block, facts: Mapping[str, Value]) -> bytes | None:
        """The file after one more image has its registry."""
        for container in block.body.walk():
            image = container.body.value("image") if container.type.endswith("container") else None
            written = _as_written(image) if image is not None else ""
            if image is not None and written and not ImageReference.parse(written).registry:
                missing = _USUAL if "/" in written else f"{_USUAL}library/"
                return replace(document, image, f'"{missing}{image.text[1:]}')
        return None

    def contract(self, facts: Mapping[str, Value]) -> Contract:
        """Images may get the registry that is meant if none is written."""
        return Contract((Allowed("*", "*container*.image", after=f"{_USUAL}*"),))


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
                what = f"the tag of {image} moves"
                yield self.about(pods.owner, what, "write the minor version, or a digest")


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
            if annotations.get(WATCHED) in ("true", True):
                yield self.about(pods.owner, "Diun watches it", f'take "{WATCHED}" out')
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


class LinuxServer(PlannedRule):
    """Images of LinuxServer leave files on NFS to their owners."""

    code = "POD006"
    why = "At each start it changes the owner of every file, which takes hours on a large volume."
    rule = "LinuxServer.io images"

    def check_plan(self, plan: Plan) -> Iterator[Finding]:
        """Containers with such an image and a volume of NFS, and without NO_CHOWN."""
        for pods, container in plan.containers() if plan.house.linuxserver_images else ():
            image = get(container, "image")
            set_ = {get(variable, "name") for variable in k8s.items(get(container, "env"))}
            known = isinstance(image, str) and re.search(plan.house.linuxserver_images, image)
            if not known or "NO_CHOWN" in set_ or vague(set_):
                continue
            mounted = {get(mount, "name") for mount in k8s.items(get(container, "volume_mount"))}
            claims = [claim for volume, claim in pods.claims() if volume in mounted]
            if any(self._is_shared(claim, k8s.namespace(pods.owner), plan) for claim in claims):
                name = shown(get(container, "name"))
                yield self.about(pods.owner, f"container {name} has no NO_CHOWN", 'set NO_CHOWN = "true"')

    def _is_shared(self, claim: Tree, place: Tree, plan: Plan) -> bool:
        made = plan.named("persistent_volume_claim", claim, place)
        return made is not None and made.get("spec", 0, "storage_class_name") in plan.house.shared_classes


def _databases(plan: Plan) -> Iterator[tuple[k8s.PodTemplate, Tree]]:
    """The servers that run a database, with the container that does; mere clients are not among them."""
    for pods, container in plan.containers(init=False):
        if pods.serves and runs(container, plan.house.database_images):
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


def _as_written(image: Expression) -> str:
    """An image as it is written, with a letter for what a template fills in; empty if that comes first."""
    pieces = image.template
    if not pieces or not isinstance(pieces[0], str):
        return ""
    return "".join(piece if isinstance(piece, str) else "x" for piece in pieces)
