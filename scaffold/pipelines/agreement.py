"""The pipeline and the stack say the same: image, namespace, Deployment, containers, branch."""

from __future__ import annotations

from collections.abc import Iterator

from scaffold.errors import Finding
from scaffold.pipelines import actions as github
from scaffold.pipelines.common import builds, registry_of, targets
from scaffold.pipelines.repository import Repository
from scaffold.pipelines.rule import Context, StackRule
from scaffold.pipelines.stack import Container, Pod
from scaffold.pipelines.workflow import Kubectl, branches, kubectl_commands, tag_of, without_tag

_IMAGE_TAG = "${var.image_tag}"


def _set_images(repository: Repository) -> Iterator[Kubectl]:
    for workflow in repository.workflows:
        yield from (command for command in kubectl_commands(workflow) if command.is_a("set", "image"))


def _same(one: str, other: str) -> bool:
    """Whether two references name one image; Docker Hub may be written or not."""
    return one.removeprefix("docker.io/") == other.removeprefix("docker.io/")


def _target(command: Kubectl, context: Context) -> Pod | None:
    pods = context.stack.deployments if context.stack else ()
    return next((pod for pod in pods if pod.name == command.target[1]), None)


class SameDeployment(StackRule):
    """A rollout of what the stack does not have."""

    code = "pipeline-deployment"
    title = "A rollout is of a Deployment, a namespace and containers that the stack has"
    why = "kubectl fails, or rolls out one container and leaves the init container on the old image."
    mistakes = (22,)

    def check(self, repository: Repository, context: Context) -> Iterator[Finding]:
        """The commands that name something else."""
        if context.stack is None:
            return
        names = ", ".join(pod.name for pod in context.stack.deployments)
        for workflow in repository.workflows:
            for command in kubectl_commands(workflow):
                if not (command.is_a("set", "image") or command.is_a("rollout")):
                    continue
                pod = _target(command, context)
                if pod is None:
                    yield self.at(
                        workflow.path,
                        command.line,
                        "The stack has no such Deployment.",
                        value=command.target[1],
                        allowed=names,
                    )
                    continue
                if pod.namespace and command.namespace != pod.namespace:
                    yield self.at(
                        workflow.path,
                        command.line,
                        "The Deployment is in another namespace.",
                        value=command.namespace,
                        allowed=pod.namespace,
                    )
                if command.is_a("set", "image"):
                    yield from self._containers(command, pod)

    def _containers(self, command: Kubectl, pod: Pod) -> Iterator[Finding]:
        path = command.step.workflow.path
        known = {container.name: container for container in pod.containers}
        for name, image in command.images.items():
            if name not in known:
                yield self.at(
                    path,
                    command.line,
                    "The Deployment has no such container.",
                    value=name,
                    allowed=", ".join(known),
                )
            elif not _same(without_tag(image), without_tag(known[name].image)):
                yield self.at(
                    path,
                    command.line,
                    f"The stack runs another image in {name}.",
                    value=without_tag(image),
                    allowed=without_tag(known[name].image),
                )
        given = [without_tag(image) for image in command.images.values()]
        for container in pod.containers:
            shares = any(_same(without_tag(container.image), image) for image in given)
            if shares and container.name not in command.images:
                yield self.at(
                    path,
                    command.line,
                    f"{container.name} runs this image too, and stays on the old one.",
                    hint=f"Add {container.name}=… to the command.",
                )


class SameImage(StackRule):
    """A build of an image that the stack does not run."""

    code = "pipeline-image"
    title = "The image that is built is the one that the stack runs"
    why = "The pipeline is green, and the pods never see what it built."

    def check(self, repository: Repository, context: Context) -> Iterator[Finding]:
        """The builds that push no image of the stack, and rollouts of what is not built."""
        if context.stack is None:
            return
        run = {without_tag(c.image) for pod in context.stack.pods for c in pod.containers}
        allowed = context.expected.image if context.expected else ", ".join(sorted(run))
        for workflow in repository.workflows:
            for step in builds(workflow):
                if not any(_same(image, other) for image in targets(step) for other in run):
                    yield self.at(
                        workflow.path,
                        step.line("settings", "repo"),
                        "The stack runs no image that this builds.",
                        value=", ".join(targets(step)),
                        allowed=allowed,
                    )
        for actions in repository.actions:
            for job in github.steps(actions):
                if job.uses[0] != "docker/build-push-action":
                    continue
                pushed = [
                    without_tag(tag.partition("$")[0].rstrip(":") if "$" in tag else tag)
                    for tag in str(job.inputs.get("tags", "")).split()
                ]
                if not any(_same(image, other) for image in pushed for other in run):
                    yield self.at(
                        actions.path,
                        job.line("with", "tags"),
                        "The stack runs no image that this builds.",
                        value=", ".join(sorted(set(pushed))),
                        allowed=allowed,
                    )


class SameBranch(StackRule):
    """Files that do not agree on the branch."""

    code = "pipeline-same-branch"
    title = "Every file names the same branch"
    why = "GitHub builds one branch and Woodpecker waits for another: 204, and nothing is rolled out."

    def check(self, repository: Repository, context: Context) -> Iterator[Finding]:
        """The files that name another branch than the answers say."""
        if context.expected is None:
            return
        wanted = context.expected.branch
        for workflow in repository.workflows:
            for condition in workflow.when:
                for name in branches(condition):
                    if name != wanted:
                        yield self.at(
                            workflow.path,
                            workflow.document.line("when"),
                            "The branch is another one.",
                            value=name,
                            allowed=wanted,
                        )
        for actions in repository.actions:
            value = actions.document.value
            push = (
                (value.get("on") or {}).get("push")
                if isinstance(value, dict) and isinstance(value.get("on"), dict)
                else None
            )
            for name in (push or {}).get("branches", ()) if isinstance(push, dict) else ():
                if name != wanted:
                    yield self.at(
                        actions.path,
                        actions.document.line("on", "push", "branches"),
                        "The branch is another one.",
                        value=str(name),
                        allowed=wanted,
                    )
            for step in github.steps(actions):
                named = (step.value.get("env") or {}).get("BRANCH")
                if named is not None and named != wanted:
                    yield self.at(
                        actions.path,
                        step.line("env", "BRANCH"),
                        "The branch is another one.",
                        value=str(named),
                        allowed=wanted,
                    )


class _OfStack(StackRule):
    """A rule over the stack's own pods; only where the answers say which image is the app's own."""

    def _own(self, context: Context) -> Iterator[tuple[Pod, Container]]:
        if context.stack is None or context.expected is None:
            return
        for pod in context.stack.pods:
            for container in pod.containers:
                if _same(without_tag(container.image), context.expected.image):
                    yield pod, container


class PullSecret(_OfStack):
    """A private image without a pull secret."""

    code = "pipeline-pull-secret"
    title = "Every pod with the own image has its pull secret, CronJobs included"
    why = "The image cannot be pulled, and Keel cannot see its tags."
    mistakes = (24,)

    def check(self, repository: Repository, context: Context) -> Iterator[Finding]:
        """The pods without it."""
        secret = context.expected.pull_secret if context.expected else ""
        for pod, container in self._own(context):
            if secret and secret not in pod.pull_secrets:
                yield self.at(
                    pod.path,
                    pod.line,
                    f"The {pod.kind} {pod.name} pulls a private image without a login.",
                    value=without_tag(container.image),
                    hint=f'image_pull_secrets {{ name = "{secret}" }}',
                )


class IgnoredImage(_OfStack):
    """An image that CI sets and Terraform sets back, or that Terraform owns and may not change."""

    code = "pipeline-ignored-image"
    title = "Terraform ignores the images that CI moves, and no others"
    why = "An apply would roll the app back; and where Terraform owns an image, ignoring it makes the apply do nothing."
    mistakes = (22,)

    def check(self, repository: Repository, context: Context) -> Iterator[Finding]:
        """The containers whose image is ignored wrongly."""
        if not any(True for _ in _set_images(repository)):
            return
        moved = {(command.target[1], name) for command in _set_images(repository) for name in command.images}
        for pod, container in self._own(context):
            ignored = any(path.endswith(container.slot) for path in pod.ignored)
            if pod.kind == "deployment" and (pod.name, container.name) in moved and not ignored:
                yield self.at(
                    pod.path,
                    container.line,
                    f"CI moves the image of {container.name}; an apply moves it back.",
                    hint=f"Add spec[0].template[0].spec[0].{container.slot} to ignore_changes.",
                )
        for pod in context.stack.deployments if context.stack else ():
            for container in pod.containers:
                ignored = any(path.endswith(container.slot) for path in pod.ignored)
                if ignored and _IMAGE_TAG not in container.image and (pod.name, container.name) not in moved:
                    yield self.at(
                        pod.path,
                        container.line,
                        f"Nothing but Terraform moves the image of {container.name}, and it ignores it.",
                        value=container.image,
                        hint=f"Take {container.slot} out of ignore_changes.",
                    )


class CronJobTag(_OfStack):
    """A CronJob that keeps an old build."""

    code = "pipeline-cronjob-tag"
    title = "A CronJob runs the own image as `latest`"
    why = "CI moves Deployments only: a tag that is written out is pruned when ten newer ones exist."
    mistakes = (23,)

    def check(self, repository: Repository, context: Context) -> Iterator[Finding]:
        """The jobs with a fixed tag."""
        for pod, container in self._own(context):
            if pod.kind in ("cronjob", "job") and tag_of(container.image) not in ("latest", _IMAGE_TAG):
                yield self.at(
                    pod.path,
                    container.line,
                    f"The {pod.kind} {pod.name} is pinned to one build.",
                    value=container.image,
                    allowed=f"{without_tag(container.image)}:latest",
                )


class KeelForce(StackRule):
    """Keel beside CI, with a policy that moves tags backwards."""

    code = "pipeline-keel-force"
    title = "Keel forces no tag"
    why = "It replaced :latest by an old version, and exchanged the images of two containers."
    mistakes = (21,)

    def check(self, repository: Repository, context: Context) -> Iterator[Finding]:
        """The places where it is told to."""
        for path, line in context.stack.keel_forces if context.stack else ():
            yield self.at(path, line, "Keel would force a tag here.", hint="Take it out; CI moves the image.")


class BareImage(StackRule):
    """An image whose registry is left to be guessed."""

    code = "pipeline-bare-image"
    title = "An image is written with its registry"
    why = "The admission policy denies what it cannot match with the registries that it trusts."
    mistakes = (26,)

    def check(self, repository: Repository, context: Context) -> Iterator[Finding]:
        """The containers of the stack with a bare reference."""
        for pod in context.stack.pods if context.stack else ():
            for container in pod.containers:
                head = container.image.split("/")[0]
                if (
                    "/" in container.image
                    and "$" not in head
                    and registry_of(container.image) == "docker.io"
                    and head != "docker.io"
                ):
                    yield self.at(
                        pod.path,
                        container.line,
                        "The registry is missing.",
                        value=container.image,
                        allowed=f"docker.io/{container.image}",
                    )


RULES: tuple[StackRule, ...] = (
    SameDeployment(),
    SameImage(),
    SameBranch(),
    PullSecret(),
    IgnoredImage(),
    CronJobTag(),
    KeelForce(),
    BareImage(),
)
