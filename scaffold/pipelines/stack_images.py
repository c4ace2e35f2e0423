"""The images of the stack that a pipeline belongs to: who pulls them, who updates them, their notation."""

from __future__ import annotations

from collections.abc import Iterator

from scaffold.checks.rule import Rule
from scaffold.errors import Finding
from scaffold.monorepo.stack import Container, Pod
from scaffold.pipelines.context import Context
from scaffold.pipelines.repository import Repository
from scaffold.pipelines.workflow import kubectl_commands
from scaffold.templates.image import ImageReference

_IMAGE_TAG = "${var.image_tag}"


class _OfStack(Rule):
    """A rule over the stack's own pods; only if the answers say which image is the app's own."""

    def _own(self, context: Context) -> Iterator[tuple[Pod, Container]]:
        if context.stack is None or context.expected is None:
            return
        own = ImageReference.parse(context.expected.image)
        for pod in context.stack.pods:
            for container in pod.containers:
                if container.reference.is_same(own):
                    yield pod, container


class PullSecret(_OfStack):
    """Every pod with the app's own image has its pull secret, CronJobs included."""

    code = "PIP014"
    why = "The image cannot be pulled, and Keel cannot see its tags."

    def check_pipeline(self, repository: Repository, context: Context) -> Iterator[Finding]:
        """The pods without it."""
        secret = context.expected.pull_secret if context.expected else ""
        for pod, container in self._own(context):
            if secret and secret not in pod.pull_secrets:
                yield self.at(
                    (pod.path, pod.line),
                    f"The {pod.kind} {pod.name} pulls a private image without a login.",
                    value=container.reference.name,
                    fix=f'image_pull_secrets {{ name = "{secret}" }}',
                )


class IgnoredImage(_OfStack):
    """Terraform ignores the images that CI moves, and no others."""

    code = "PIP015"
    why = "An apply would roll the app back; and if Terraform owns an image, ignoring it makes an apply do nothing."

    def check_pipeline(self, repository: Repository, context: Context) -> Iterator[Finding]:
        """The containers whose image is ignored wrongly."""
        commands = [c for c in kubectl_commands(*repository.workflows) if c.is_a("set", "image")]
        if not commands:
            return
        moved = {(command.target[1], name) for command in commands for name in command.images}
        for pod, container in self._own(context):
            ignored = any(path.endswith(container.slot) for path in pod.ignored)
            if pod.kind == "deployment" and (pod.name, container.name) in moved and not ignored:
                yield self.at(
                    (pod.path, container.line),
                    f"CI moves the image of {container.name}; an apply moves it back.",
                    fix=f"Add spec[0].template[0].spec[0].{container.slot} to ignore_changes.",
                )
        for pod in context.stack.deployments if context.stack else ():
            for container in pod.containers:
                ignored = any(path.endswith(container.slot) for path in pod.ignored)
                if ignored and _IMAGE_TAG not in container.image and (pod.name, container.name) not in moved:
                    yield self.at(
                        (pod.path, container.line),
                        f"Terraform ignores the image of {container.name}, and nothing else moves it.",
                        value=container.image,
                        fix=f"Take {container.slot} out of ignore_changes.",
                    )


class CronJobTag(_OfStack):
    """A CronJob runs the app's own image as `latest`."""

    code = "PIP016"
    why = "CI moves Deployments only: a pinned tag is pruned once ten newer ones exist."

    def check_pipeline(self, repository: Repository, context: Context) -> Iterator[Finding]:
        """The jobs with a fixed tag."""
        for pod, container in self._own(context):
            if pod.kind in ("cronjob", "job") and container.reference.tag not in ("latest", _IMAGE_TAG):
                yield self.at(
                    (pod.path, container.line),
                    f"The {pod.kind} {pod.name} is pinned to one build.",
                    value=container.image,
                    allowed=f"{container.reference.name}:latest",
                )


class KeelForce(Rule):
    """Keel forces no tag."""

    code = "PIP017"
    why = "It replaced :latest with an old version, and swapped the images of two containers."

    def check_pipeline(self, repository: Repository, context: Context) -> Iterator[Finding]:
        """Where Keel is told to do so."""
        for path, line in context.stack.keel_forces if context.stack else ():
            yield self.at((path, line), "Keel would force a tag here.", fix="Remove it; CI moves the image.")
