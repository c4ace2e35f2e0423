"""What the house has learnt of the steps of a workflow: each rule is a mistake that somebody had to fix."""

from __future__ import annotations

import re
from collections.abc import Iterator

from scaffold.errors import Finding
from scaffold.pipelines import substitution
from scaffold.pipelines.common import (
    BOTH,
    FILE,
    SHELL,
    all_steps,
    builds,
    line_at,
    listed,
    registry_of,
    targets,
)
from scaffold.pipelines.repository import Repository
from scaffold.pipelines.rule import Context, PipelineRule
from scaffold.pipelines.workflow import kubectl_commands, tag_of


class KubectlImage(PipelineRule):
    """An image of kubectl that is gone."""

    code = "pipeline-kubectl-image"
    title = "kubectl comes from the image that exists"
    why = "The publisher removed every version tag in 2025: only the newest one is still there."
    mistakes = (5,)
    bad = {FILE: BOTH.replace("bitnami/kubectl:latest", "bitnami/kubectl:1.32")}
    good = {FILE: BOTH}

    def check(self, repository: Repository, context: Context) -> Iterator[Finding]:
        """The steps with another tag."""
        wanted = context.facts["ci_images"]["kubectl"]
        name = wanted.rpartition(":")[0]
        for step in all_steps(repository):
            if step.repository.removeprefix("docker.io/") == name and tag_of(step.image) not in (
                "",
                "latest",
            ):
                yield self.at(
                    step.workflow.path,
                    step.line("image"),
                    "This tag was removed.",
                    value=step.image,
                    allowed=wanted,
                )


class MissingImage(PipelineRule):
    """A plugin that was never published."""

    code = "pipeline-missing-image"
    title = "A step's image exists"
    why = "The step never starts; where it only tells of failures, nobody notices."
    mistakes = (6,)
    bad = {
        FILE: BOTH
        + "  - name: tell\n    image: woodpeckerci/plugin-slack\n    settings: {channel: general}\n"
    }
    good = {FILE: BOTH}

    def check(self, repository: Repository, context: Context) -> Iterator[Finding]:
        """The steps with an image that is known not to exist."""
        for step in all_steps(repository):
            if step.repository in context.facts["ci_missing_images"]:
                yield self.at(
                    step.workflow.path,
                    step.line("image"),
                    "There is no such image.",
                    value=step.image,
                    hint=f"Send the message with {context.facts['ci_images']['curl']}.",
                )


class UnknownSecret(PipelineRule):
    """A secret that Woodpecker does not have for every run."""

    code = "pipeline-secret"
    title = "A secret is one that every run may have"
    why = "A secret that is missing, or not allowed for the event, fails the whole pipeline, even if only a message needs it."
    mistakes = (7,)
    bad = {}
    good = {}

    def check(self, repository: Repository, context: Context) -> Iterator[Finding]:
        """The secrets that the answers do not lead to; only where answers are known."""
        if context.expected is None:
            return
        for step in all_steps(repository):
            for path, name in _secrets(step.value, ()):
                if name.lower() not in context.expected.secrets:
                    yield self.at(
                        step.workflow.path,
                        step.line(*path),
                        f"The secret {name} is none that every run has.",
                        value=name,
                        allowed=", ".join(sorted(context.expected.secrets)),
                    )


def _secrets(value: object, path: tuple[str | int, ...]) -> Iterator[tuple[tuple[str | int, ...], str]]:
    if isinstance(value, dict):
        for key, inner in value.items():
            if key == "from_secret":
                yield (*path, key), str(inner)
            else:
                yield from _secrets(inner, (*path, str(key)))
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from _secrets(inner, (*path, index))


class RolloutTag(PipelineRule):
    """A rollout that changes nothing, or that nobody waits for."""

    code = "pipeline-rollout"
    title = "A rollout sets a tag of its own, and waits for the pods"
    why = "A restart pulls the same tag again, `latest` says nothing has changed, and without `rollout status` a failure is green."
    mistakes = (8,)
    bad = {
        FILE: BOTH.replace(
            '"kubectl set image deployment/app app=registry.example.test/own/app:${CI_COMMIT_SHA:0:8} -n app"',
            '"kubectl rollout restart deployment/app -n app"',
        )
    }
    good = {FILE: BOTH}

    def check(self, repository: Repository, context: Context) -> Iterator[Finding]:
        """Restarts, tags that do not change, and images that are set without waiting."""
        for workflow in repository.workflows:
            commands = list(kubectl_commands(workflow))
            waited = {(c.target, c.namespace) for c in commands if c.is_a("rollout", "status")}
            for command in commands:
                if command.is_a("rollout", "restart"):
                    hint = "Set the image that was just built: kubectl set image deployment/… container=image:tag -n …"
                    yield self.at(workflow.path, command.line, "A restart rolls out no new image.", hint=hint)
                if not command.is_a("set", "image"):
                    continue
                for image in command.images.values():
                    if tag_of(image) in ("", "latest"):
                        yield self.at(
                            workflow.path,
                            command.line,
                            "This tag is the same for every build.",
                            value=image,
                            allowed="the first eight characters of the commit",
                        )
                if command.target[0] not in ("deployment", "deployments", "deploy"):
                    yield self.at(
                        workflow.path,
                        command.line,
                        "Only Deployments are rolled out: operators own the rest.",
                        value="/".join(command.target),
                    )
                elif (command.target, command.namespace) not in waited:
                    yield self.at(
                        workflow.path,
                        command.line,
                        "Nobody waits for the pods to come up.",
                        hint=f"kubectl rollout status deployment/{command.target[1]} -n {command.namespace} --timeout=300s",
                    )
                if not command.namespace:
                    yield self.at(
                        workflow.path,
                        command.line,
                        "The namespace is missing.",
                        hint="Add -n and the namespace.",
                    )


class BuildMemory(PipelineRule):
    """A build that gets what the namespace gives by default."""

    code = "pipeline-build-memory"
    title = "A build step says how much memory it needs"
    why = "The namespace's default of 256Mi killed every build for four weeks."
    mistakes = (9,)
    bad = {FILE: BOTH.replace(", limits: {memory: 2Gi}", "")}
    good = {FILE: BOTH}

    def check(self, repository: Repository, context: Context) -> Iterator[Finding]:
        """The build steps without a memory limit."""
        for workflow in repository.workflows:
            for step in builds(workflow):
                value: object = step.value
                for key in ("backend_options", "kubernetes", "resources", "limits", "memory"):
                    value = value.get(key) if isinstance(value, dict) else None
                if not value:
                    yield self.at(
                        workflow.path,
                        step.line(),
                        f"The step {step.name} has no memory limit.",
                        hint="backend_options.kubernetes.resources: requests 500m and 1Gi, limits.memory 2Gi.",
                    )


class CacheFrom(PipelineRule):
    """A cache that the plugin splits at its commas."""

    code = "pipeline-cache-from"
    title = "A cache is named by its image alone"
    why = "The plugin splits cache_from at commas, so `type=registry,ref=…` is two caches that do not exist."
    mistakes = (10,)
    bad = {
        FILE: BOTH.replace(
            "      platforms:",
            '      cache_from: "type=registry,ref=registry.example.test/own/app:cache"\n      platforms:',
        )
    }
    good = {
        FILE: BOTH.replace(
            "      platforms:", '      cache_from: "registry.example.test/own/app:latest"\n      platforms:'
        )
    }

    def check(self, repository: Repository, context: Context) -> Iterator[Finding]:
        """The settings with a comma inside one cache."""
        for workflow in repository.workflows:
            for step in builds(workflow):
                value = step.settings.get("cache_from")
                if any(
                    "=" in str(item) and "," in str(item)
                    for item in (value if isinstance(value, list) else [value])
                ):
                    yield self.at(
                        workflow.path,
                        step.line("settings", "cache_from"),
                        "The plugin splits this at the comma.",
                        value=str(value),
                        hint="Name the image, or leave the cache out.",
                    )


class RegistryLogin(PipelineRule):
    """A push without a login."""

    code = "pipeline-login"
    title = "Every registry that is pushed to has a login"
    why = "The push was refused with 401 for four weeks, and the pipeline was red."
    mistakes = (11,)
    bad = {FILE: BOTH.replace("{registry: registry.example.test,", "{registry: other.example.test,")}
    good = {FILE: BOTH}

    def check(self, repository: Repository, context: Context) -> Iterator[Finding]:
        """The images whose registry is in no login."""
        for workflow in repository.workflows:
            for step in builds(workflow):
                known = {
                    _host(str(login.get("registry", "")))
                    for login in step.settings.get("logins") or ()
                    if isinstance(login, dict)
                }
                if "password" in step.settings:
                    known.add(_host(str(step.settings.get("registry", ""))))
                for image in targets(step):
                    if registry_of(image) not in known:
                        yield self.at(
                            workflow.path,
                            step.line("settings", "repo"),
                            f"There is no login for {registry_of(image)}.",
                            value=image,
                            allowed=", ".join(sorted(known)) or None,
                        )


def _host(registry: str) -> str:
    host = registry.removeprefix("https://").removeprefix("http://").split("/")[0]
    return "docker.io" if host in ("", "docker.io", "index.docker.io", "registry-1.docker.io") else host


class BuildTags(PipelineRule):
    """An image without a tag of its own, or for another machine."""

    code = "pipeline-tags"
    title = "A build pushes `latest` and the commit's first eight characters, for linux/amd64"
    why = "The rollout needs a tag that no other build has; CronJobs and a first apply pull `latest`."
    mistakes = (8,)
    bad = {FILE: BOTH.replace('tags: ["latest", "${CI_COMMIT_SHA:0:8}"]', "auto_tag: true")}
    good = {FILE: BOTH}

    def check(self, repository: Repository, context: Context) -> Iterator[Finding]:
        """The build steps with other tags or platforms."""
        sha = "a1b2c3d4"
        for workflow in repository.workflows:
            for step in builds(workflow):
                tags = listed(step.settings.get("tags", step.settings.get("tag")))
                if set(tags) != {"latest", sha}:
                    line = step.line("settings", "tags" if "tags" in step.settings else "tag")
                    yield self.at(
                        workflow.path,
                        line,
                        f"The step {step.name} pushes other tags.",
                        value=", ".join(tags) or None,
                        allowed='"latest" and "${CI_COMMIT_SHA:0:8}", both quoted',
                    )
                platforms = listed(step.settings.get("platforms"))
                if platforms != ["linux/amd64"]:
                    yield self.at(
                        workflow.path,
                        step.line("settings", "platforms"),
                        f"The step {step.name} builds for another machine.",
                        value=", ".join(platforms) or None,
                        allowed="linux/amd64",
                    )


class ShellVariable(PipelineRule):
    """A shell variable in braces."""

    code = "pipeline-shell-variable"
    title = "A shell variable is written $NAME or $${NAME}"
    why = "Woodpecker replaces ${NAME} before any shell sees it, and a name that it does not know becomes empty."
    mistakes = (13,)
    bad = {FILE: SHELL + '      - |\n        count=$(ls | wc -l)\n        echo "${count} files"\n'}
    good = {FILE: SHELL + '      - |\n        count=$(ls | wc -l)\n        echo "$${count} files"\n'}

    def check(self, repository: Repository, context: Context) -> Iterator[Finding]:
        """The names in ``${…}`` that the same file's shell sets, or that are in lower case."""
        for workflow in repository.workflows:
            for use in substitution.uses(workflow.raw):
                name = use.name
                is_set = (
                    re.search(rf"(?m)(^|[\s;(]|for |read |export ){name}(=| in )", workflow.raw) is not None
                )
                in_environment = any(name in (step.value.get("environment") or {}) for step in workflow.steps)
                if not name.startswith("CI_") and (is_set or in_environment or name.islower()):
                    line = workflow.raw.count("\n", 0, use.offset) + 1
                    yield self.at(
                        workflow.path,
                        line,
                        f"Woodpecker replaces ${{{name}}} before the shell can.",
                        value=name,
                        hint=f"Write ${name} or $${{{name}}}.",
                    )


class RemovedVariable(PipelineRule):
    """A variable of Woodpecker that is gone."""

    code = "pipeline-removed-variable"
    title = "A variable is one that Woodpecker 3 has"
    why = "What is gone is empty text: the message that said `success` on every run now says nothing at all."
    mistakes = (14,)
    bad = {FILE: SHELL + '      - echo "$CI_PIPELINE_VARIABLE_TAG"\n'}
    good = {FILE: SHELL + '      - echo "$TAG"\n'}

    def check(self, repository: Repository, context: Context) -> Iterator[Finding]:
        """Where the old names stand."""
        for workflow in repository.workflows:
            for match in re.finditer(
                r"(?:CI_PIPELINE_VARIABLE_(\w+)|CI_PIPELINE_STATUS|DRONE_\w+)\b", workflow.raw
            ):
                line = workflow.raw.count("\n", 0, match.start()) + 1
                hint = (
                    f"Write ${match[1]}."
                    if match[1]
                    else "Write one step for each outcome, with `status` in its `when`."
                )
                if not line_at(workflow.raw, match.start()).lstrip().startswith("#"):
                    yield self.at(
                        workflow.path, line, "Woodpecker 3 has no such variable.", value=match[0], hint=hint
                    )


class Dockerfile(PipelineRule):
    """A Dockerfile that is not where the build looks."""

    code = "pipeline-dockerfile"
    title = "The Dockerfile is where the build looks for it"
    why = "A Dockerfile that is not in the root has to be named, or the build fails."
    mistakes = (19,)
    bad = {FILE: BOTH, "docker/Dockerfile": "FROM scratch\nUSER 10001\n", ".dockerignore": ".git\n"}
    good = {
        FILE: BOTH.replace("      platforms:", "      dockerfile: docker/Dockerfile\n      platforms:"),
        "docker/Dockerfile": "FROM scratch\nUSER 10001\n",
        ".dockerignore": ".git\n",
    }

    def check(self, repository: Repository, context: Context) -> Iterator[Finding]:
        """The builds that name, or leave out, a Dockerfile that is not there."""
        if not repository.complete and not repository.dockerfiles:
            return
        present = set(repository.dockerfiles) | repository.paths
        for workflow in repository.workflows:
            for step in builds(workflow):
                wanted = str(step.settings.get("dockerfile", "Dockerfile")).removeprefix("./")
                if wanted not in present:
                    yield self.at(
                        workflow.path,
                        step.line("settings", "dockerfile"),
                        f"There is no {wanted}.",
                        value=wanted,
                        allowed=", ".join(repository.dockerfiles) or None,
                    )


class Message(PipelineRule):
    """A message that says success whatever happened."""

    code = "pipeline-message"
    title = "Success and failure are told by two steps"
    why = (
        "The chat plugin always believes in success: one step for both outcomes says `success` on a failure."
    )
    mistakes = (28,)
    bad = {
        FILE: BOTH
        + "  - name: tell\n    image: plugins/slack\n    settings: {channel: general}\n    when:\n      - status: [success, failure]\n"
    }
    good = {
        FILE: BOTH
        + "  - name: tell\n    image: plugins/slack\n    settings: {channel: general, template: failed}\n    when:\n      - status: [failure]\n"
    }

    def check(self, repository: Repository, context: Context) -> Iterator[Finding]:
        """The steps that send messages on both outcomes."""
        for step in all_steps(repository):
            statuses = {str(status) for when in step.when for status in listed(when.get("status"))}
            is_message = step.repository.endswith("plugins/slack") or "webhook" in str(step.value).lower()
            if is_message and {"success", "failure"} <= statuses:
                yield self.at(
                    step.workflow.path,
                    step.line("when"),
                    f"The step {step.name} tells both outcomes, and knows neither.",
                    hint="Make two steps, one with status success and one with status failure; or tell failures only.",
                )


RULES: tuple[PipelineRule, ...] = (
    KubectlImage(),
    MissingImage(),
    UnknownSecret(),
    RolloutTag(),
    BuildMemory(),
    CacheFrom(),
    RegistryLogin(),
    BuildTags(),
    ShellVariable(),
    RemovedVariable(),
    Dockerfile(),
    Message(),
)
