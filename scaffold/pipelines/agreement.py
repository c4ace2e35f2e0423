"""The pipeline and the stack agree: image, namespace, Deployment, containers, branch."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator

from scaffold.checks.rule import Rule
from scaffold.errors import Finding
from scaffold.monorepo.stack import Pod
from scaffold.pipelines.common import builds, targets
from scaffold.pipelines.conditions import branches
from scaffold.pipelines.context import Context
from scaffold.pipelines.jobs import steps as github_steps
from scaffold.pipelines.repository import Repository
from scaffold.pipelines.workflow import Kubectl, kubectl_commands
from scaffold.reading import mapping, part
from scaffold.templates.image import ImageReference


class SameDeployment(Rule):
    """A rollout names a Deployment, a namespace and containers that the stack has."""

    code = "PIP001"
    why = "kubectl fails, or rolls out one container and leaves the init container on the old image."

    def check_pipeline(self, repository: Repository, context: Context) -> Iterator[Finding]:
        """The commands that name something else."""
        if context.stack is None:
            return
        pods = context.stack.deployments
        names = ", ".join(pod.name for pod in pods)
        for command in kubectl_commands(*repository.workflows):
            if not (command.is_a("set", "image") or command.is_a("rollout")):
                continue
            pod = next((pod for pod in pods if pod.name == command.target[1]), None)
            if pod is None:
                yield self.at(
                    command.place, "The stack has no such Deployment.", value=command.target[1], allowed=names
                )
                continue
            if pod.namespace and command.namespace != pod.namespace:
                yield self.at(
                    command.place,
                    "The Deployment is in another namespace.",
                    value=command.namespace,
                    allowed=pod.namespace,
                )
            if command.is_a("set", "image"):
                yield from self._containers(command, pod)

    def _containers(self, command: Kubectl, pod: Pod) -> Iterator[Finding]:
        known = {container.name: container for container in pod.containers}
        for name, image in command.images.items():
            if name not in known:
                message = "The Deployment has no such container."
                yield self.at(command.place, message, value=name, allowed=", ".join(known))
            elif not image.is_same(known[name].reference):
                yield self.at(
                    command.place,
                    f"The stack runs another image in {name}.",
                    value=image.name,
                    allowed=known[name].reference.name,
                )
        for container in pod.containers:
            shares = any(container.reference.is_same(image) for image in command.images.values())
            if shares and container.name not in command.images:
                yield self.at(
                    command.place,
                    f"{container.name} runs this image too, and stays on the old one.",
                    fix=f"Add {container.name}=… to the command.",
                )


class SameImage(Rule):
    """The image that is built is the one that the stack runs."""

    code = "PIP002"
    why = "The pipeline is green, and the pods never see what it built."

    def check_pipeline(self, repository: Repository, context: Context) -> Iterator[Finding]:
        """The builds that push no image of the stack, and rollouts of what is not built."""
        if context.stack is None:
            return
        run = [c.reference for pod in context.stack.pods for c in pod.containers]
        allowed = context.expected.image if context.expected else _told(run)
        message = "The stack does not run the image that this builds."
        for step in builds(*repository.workflows):
            if not _shared(targets(step), run):
                named = ", ".join(map(str, targets(step)))
                yield self.at(step.place("settings", "repo"), message, value=named, allowed=allowed)
        for job in github_steps(*repository.actions):
            if job.pushed and not _shared(job.pushed, run):
                named = _told(job.pushed)
                yield self.at(job.place("with", "tags"), message, value=named, allowed=allowed)


def _shared(some: Iterable[ImageReference], others: Collection[ImageReference]) -> bool:
    return any(image.is_same(other) for image in some for other in others)


def _told(images: Iterable[ImageReference]) -> str:
    return ", ".join(sorted({image.name for image in images}))


class SameBranch(Rule):
    """Every file names the same branch."""

    code = "PIP003"
    why = "GitHub builds one branch and Woodpecker waits for another: 204, and nothing is rolled out."

    def check_pipeline(self, repository: Repository, context: Context) -> Iterator[Finding]:
        """The files that name another branch than the answers."""
        if context.expected is None:
            return
        wanted = context.expected.branch
        for place, name in _branches(repository):
            if name != wanted:
                yield self.at(place, "The branch is another one.", value=str(name), allowed=wanted)


def _branches(repository: Repository) -> Iterator[tuple[tuple[str, int], object]]:
    """Every branch that a file names, and where."""
    for workflow in repository.workflows:
        for condition in workflow.when:
            yield from ((workflow.place("when"), name) for name in branches(condition))
    for actions in repository.actions:
        for name in mapping(part(actions.document.value, "on", "push")).get("branches", ()):
            yield actions.place("on", "push", "branches"), name
    for step in github_steps(*repository.actions):
        named = (step.value.get("env") or {}).get("BRANCH")
        if named is not None:
            yield step.place("env", "BRANCH"), named
