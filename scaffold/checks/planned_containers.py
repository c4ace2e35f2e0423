"""House rules over planned resources: what a container runs, and its settings."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from scaffold.checks.contract import Allowed, Contract
from scaffold.checks.planned import Plan, PlannedRule, shown, vague
from scaffold.checks.rule import Severity
from scaffold.errors import Finding
from scaffold.hcl.amend import replace
from scaffold.hcl.syntax import Block, Document, Expression
from scaffold.templates.image import ImageReference
from scaffold.templates.questions import Value
from scaffold.terraform import kubernetes as k8s
from scaffold.terraform.planned import Tree, get

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
            written = _written(image) if image is not None else ""
            if image is not None and written and not ImageReference.parse(written).registry:
                missing = _USUAL if "/" in written else f"{_USUAL}library/"
                return replace(document, image, f'"{missing}{image.text[1:]}')
        return None

    def contract(self, facts: Mapping[str, Value]) -> Contract:
        """Images may get the registry that is meant if none is written."""
        return Contract((Allowed("*", "*container*.image", after=f"{_USUAL}*"),))


def _written(image: Expression) -> str:
    """An image as it is written, with a letter for what a template fills in; empty if that comes first."""
    pieces = image.template
    if not pieces or not isinstance(pieces[0], str):
        return ""
    return "".join(piece if isinstance(piece, str) else "x" for piece in pieces)


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
