"""What builds and pushes an image: each rule is a mistake that somebody once had to fix."""

from __future__ import annotations

import re
from collections.abc import Iterator

from scaffold.checks.rule import Rule
from scaffold.errors import Finding
from scaffold.pipelines.common import BOTH, FILE, builds, dockerfile, separated, targets
from scaffold.pipelines.context import Context
from scaffold.pipelines.loading import COMMON
from scaffold.pipelines.repository import Repository
from scaffold.pipelines.workflow import Step
from scaffold.reading import part

_DURATION = re.compile(r"([0-9]+(\.[0-9]+)?(ns|us|µs|ms|s|m|h))+")


class Clone(Rule):
    """The clone is retried, and is not partial."""

    code = "PIP004"
    why = "The forge does not always answer at once, half of all partial clones of private repositories fail, and 10sec is not a duration."
    bad = {FILE: BOTH.replace("backoff: 10s", "backoff: 10sec")}
    good = {FILE: BOTH}

    def check_pipeline(self, repository: Repository, context: Context) -> Iterator[Finding]:
        """The builds that clone in another way; a workflow that only rolls out needs no source."""
        wanted = context.facts["ci_images"]["clone"]
        for workflow in repository.workflows:
            if workflow.value.get("skip_clone") is True:
                continue
            steps = workflow.area("clone")
            if not steps and any(builds(workflow)):
                message = "The clone is Woodpecker's default, which tries once."
                fix = "Write clone.git with attempts and backoff, or skip_clone: true."
                yield self.at(workflow.place("steps"), message, fix=fix)
            for step in steps:
                if step.repository != wanted:
                    yield self.at(
                        step.place("image"), "This is not a clone plugin.", value=step.image, allowed=wanted
                    )
                    continue
                backoff = step.settings.get("backoff")
                if not isinstance(step.settings.get("attempts"), int) or backoff is None:
                    fix = "attempts: 5, backoff: 10s"
                    yield self.at(step.place("settings"), "The clone is not retried.", fix=fix)
                if backoff is not None and not _DURATION.fullmatch(str(backoff)):
                    place = step.place("settings", "backoff")
                    yield self.at(place, "This is not a duration.", value=str(backoff), allowed="such as 10s")
                # What GitHub builds is on GitHub, which answers partial clones.
                if step.settings.get("partial") is not False and not repository.actions:
                    yield self.at(step.place("settings"), "The clone is a partial one.", fix="partial: false")


class BuildMemory(Rule):
    """A build step says how much memory it needs."""

    code = "PIP005"
    why = "The namespace's default of 256Mi killed every build for four weeks."
    bad = {FILE: BOTH.replace(", limits: {memory: 2Gi}", "")}
    good = {FILE: BOTH}

    def check_pipeline(self, repository: Repository, context: Context) -> Iterator[Finding]:
        """The build steps without a memory limit."""
        for step in builds(*repository.workflows):
            if not part(step.value, "backend_options", "kubernetes", "resources", "limits", "memory"):
                yield self.at(
                    step.place(),
                    f"The step {step.name} has no memory limit.",
                    fix="backend_options.kubernetes.resources: requests 500m and 1Gi, limits.memory 2Gi.",
                )


class CacheFrom(Rule):
    """A cache is named by nothing but its image."""

    code = "PIP006"
    why = "The plugin splits cache_from at commas, so `type=registry,ref=…` is two caches that do not exist."
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

    def check_pipeline(self, repository: Repository, context: Context) -> Iterator[Finding]:
        """The settings with a comma inside one cache."""
        for step in builds(*repository.workflows):
            value = step.settings.get("cache_from")
            caches = value if isinstance(value, list) else [value]
            if any("=" in str(cache) and "," in str(cache) for cache in caches):
                yield self.at(
                    step.place("settings", "cache_from"),
                    "The plugin splits this at the comma.",
                    value=str(value),
                    fix="Name the image, or leave the cache out.",
                )


class RegistryLogin(Rule):
    """Every registry pushed to has a login."""

    code = "PIP007"
    why = "The push was refused with 401 for four weeks, and the pipeline was red."
    bad = {FILE: BOTH.replace("{registry: registry.example.test,", "{registry: other.example.test,")}
    good = {FILE: BOTH}

    def check_pipeline(self, repository: Repository, context: Context) -> Iterator[Finding]:
        """The images without a login to their registry."""
        for step in builds(*repository.workflows):
            if any(key.replace("-", "_") in _DOCKER_CONFIG for key in step.settings):
                continue
            known = {
                _host(str(login.get("registry", "")))
                for login in step.settings.get("logins") or ()
                if isinstance(login, dict)
            }
            if "password" in step.settings:
                known.add(_host(str(step.settings.get("registry", ""))))
            for image in targets(step):
                if image.host not in known:
                    yield self.at(
                        step.place("settings", "repo"),
                        f"There is no login for {image.host}.",
                        value=", ".join(separated(step.written("settings", "repo"))) or None,
                        allowed=", ".join(sorted(known)) or None,
                    )


_DOCKER_CONFIG = ("docker_config", "docker_config_json", "json_key")
"""Settings that hold logins, to whatever registries they are."""


def _host(registry: str) -> str:
    host = registry.removeprefix("https://").removeprefix("http://").split("/")[0]
    return "docker.io" if host in ("", "docker.io", "index.docker.io", "registry-1.docker.io") else host


class BuildTags(Rule):
    """What is rolled out is pushed as `latest` and as the commit's first eight characters, for linux/amd64."""

    code = "PIP008"
    why = "The rollout needs a tag that no other build has; CronJobs and a first apply pull `latest`."
    bad = {FILE: BOTH.replace('tags: ["latest", "${CI_COMMIT_SHA:0:8}"]', "auto_tag: true")}
    good = {FILE: BOTH}

    def check_pipeline(self, repository: Repository, context: Context) -> Iterator[Finding]:
        """The build steps with other tags or platforms."""
        for step in builds(*repository.workflows):
            if not targets(step):
                continue
            # What nothing comes after is rolled out by nobody, such as the base of another image.
            if step != step.workflow.steps[-1]:
                yield from self._tags(step)
            # The agent's own machine is the right one where nothing is said.
            platforms = separated(step.settings.get("platforms", "linux/amd64"))
            if platforms != ["linux/amd64"]:
                yield self.at(
                    step.place("settings", "platforms"),
                    f"The step {step.name} builds for {'more than one' if 'linux/amd64' in platforms else 'another'}"
                    " machine.",
                    value=", ".join(platforms),
                    allowed="linux/amd64",
                )

    def _tags(self, step: Step) -> Iterator[Finding]:
        tags = separated(step.settings.get("tags", step.settings.get("tag")))
        if set(tags) != {"latest", COMMON["CI_COMMIT_SHA"][:8]}:
            key = "tags" if "tags" in step.settings else "tag"
            yield self.at(
                step.place("settings", key),
                f"The step {step.name} pushes other tags.",
                value=", ".join(separated(step.written("settings", key))) or None,
                allowed='"latest" and "${CI_COMMIT_SHA:0:8}", both quoted',
            )


class Dockerfile(Rule):
    """The Dockerfile is where the build looks for it."""

    code = "PIP009"
    why = "A Dockerfile that is not in the root has to be named, or the build fails."
    bad = {FILE: BOTH, "docker/Dockerfile": "FROM scratch\nUSER 10001\n", ".dockerignore": ".git\n"}
    good = {
        **bad,
        FILE: BOTH.replace("      platforms:", "      dockerfile: docker/Dockerfile\n      platforms:"),
    }

    def check_pipeline(self, repository: Repository, context: Context) -> Iterator[Finding]:
        """The builds that name, or leave out, a Dockerfile that is not there."""
        if not repository.complete and not repository.dockerfiles:
            return
        present = set(repository.dockerfiles) | repository.paths
        for step in builds(*repository.workflows):
            wanted = dockerfile(step)
            if wanted not in present:
                place, known = step.place("settings", "dockerfile"), ", ".join(repository.dockerfiles)
                yield self.at(place, f"There is no {wanted}.", value=wanted, allowed=known or None)
