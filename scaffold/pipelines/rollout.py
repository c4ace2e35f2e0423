"""What rolls an image out and reports on it: each rule is a mistake that somebody once had to fix."""

from __future__ import annotations

from collections.abc import Iterator

from scaffold.checks.rule import Rule
from scaffold.errors import Finding
from scaffold.pipelines.common import BOTH, FILE, all_steps, separated
from scaffold.pipelines.context import Context
from scaffold.pipelines.repository import Repository
from scaffold.pipelines.workflow import kubectl_commands
from scaffold.templates.image import ImageReference


class KubectlImage(Rule):
    """Kubectl comes from the image that exists."""

    code = "PIP010"
    why = "The publisher removed every version tag in 2025: only the newest remains."
    bad = {FILE: BOTH.replace("bitnami/kubectl:latest", "bitnami/kubectl:1.32")}
    good = {FILE: BOTH}

    def check_pipeline(self, repository: Repository, context: Context) -> Iterator[Finding]:
        """The steps with another tag."""
        wanted = context.facts["ci_images"]["kubectl"]
        kubectl = ImageReference.parse(wanted)
        for step in all_steps(repository):
            image = ImageReference.parse(step.image)
            if image.is_same(kubectl) and image.tag not in ("", "latest"):
                yield self.at(step.place("image"), "This tag was removed.", value=step.image, allowed=wanted)


class MissingImage(Rule):
    """A step's image exists."""

    code = "PIP011"
    why = "The step never starts; if it only reports failures, nobody notices."
    bad = {
        FILE: BOTH
        + "  - name: tell\n    image: woodpeckerci/plugin-slack\n    settings: {channel: general}\n"
    }
    good = {FILE: BOTH}

    def check_pipeline(self, repository: Repository, context: Context) -> Iterator[Finding]:
        """The steps with an image that is known not to exist."""
        for step in all_steps(repository):
            if step.repository in context.facts["ci_missing_images"]:
                fix = f"Send the message with {context.facts['ci_images']['curl']}."
                yield self.at(step.place("image"), "There is no such image.", value=step.image, fix=fix)


class RolloutTag(Rule):
    """A rollout sets a tag of its own, and waits for the pods."""

    code = "PIP012"
    why = "A restart pulls the same tag again, `latest` says nothing has changed, and without `rollout status` a failure is green."
    bad = {
        FILE: BOTH.replace(
            '"kubectl set image deployment/app app=registry.example.test/own/app:${CI_COMMIT_SHA:0:8} -n app"',
            '"kubectl rollout restart deployment/app -n app"',
        )
    }
    good = {FILE: BOTH}

    def check_pipeline(self, repository: Repository, context: Context) -> Iterator[Finding]:
        """Restarts, tags that do not change, and images that are set without waiting."""
        for workflow in repository.workflows:
            commands = list(kubectl_commands(workflow))
            waited = {(c.target, c.namespace) for c in commands if c.is_a("rollout", "status")}
            for command in commands:
                if command.is_a("rollout", "restart"):
                    fix = "Set the image that was just built: kubectl set image deployment/… container=image:tag -n …"
                    yield self.at(command.place, "A restart rolls out no new image.", fix=fix)
                if not command.is_a("set", "image"):
                    continue
                for image in command.images.values():
                    if image.tag in ("", "latest"):
                        yield self.at(
                            command.place,
                            "This tag is the same for every build.",
                            value=str(image),
                            allowed="the first eight characters of the commit",
                        )
                if command.target[0] not in ("deployment", "deployments", "deploy"):
                    message = "Only Deployments are rolled out: operators own the rest."
                    yield self.at(command.place, message, value="/".join(command.target))
                elif (command.target, command.namespace) not in waited:
                    fix = f"kubectl rollout status deployment/{command.target[1]} -n {command.namespace} --timeout=300s"
                    yield self.at(command.place, "Nobody waits for the pods to come up.", fix=fix)
                if not command.namespace:
                    yield self.at(command.place, "The namespace is missing.", fix="Add -n and the namespace.")


class Message(Rule):
    """Success and failure are reported by two steps."""

    code = "PIP013"
    why = "The chat plugin always assumes success: one step for both outcomes says `success` on a failure."
    bad = {
        FILE: BOTH
        + "  - name: tell\n    image: plugins/slack\n    settings: {channel: general}\n    when:\n      - status: [success, failure]\n"
    }
    good = {
        FILE: BOTH
        + "  - name: tell\n    image: plugins/slack\n    settings: {channel: general, template: failed}\n    when:\n      - status: [failure]\n"
    }

    def check_pipeline(self, repository: Repository, context: Context) -> Iterator[Finding]:
        """The steps that send messages on both outcomes."""
        for step in all_steps(repository):
            statuses = {str(status) for when in step.when for status in separated(when.get("status"))}
            is_message = step.repository.endswith("plugins/slack") or "webhook" in str(step.value).lower()
            if is_message and {"success", "failure"} <= statuses:
                yield self.at(
                    step.place("when"),
                    f"The step {step.name} reports success and failure, and cannot tell which it is.",
                    fix="Make two steps, one with status success and one with status failure; or report failures only.",
                )
