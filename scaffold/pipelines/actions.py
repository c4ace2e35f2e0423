"""Rules over workflows of GitHub Actions."""

from __future__ import annotations

import re
from collections.abc import Iterator

from scaffold.checks.rule import Rule
from scaffold.errors import Finding
from scaffold.pipelines.context import Context
from scaffold.pipelines.instructions import base_images
from scaffold.pipelines.jobs import JobStep, build_steps, steps
from scaffold.pipelines.repository import Repository
from scaffold.pipelines.schema import schema_errors
from scaffold.templates.image import ImageReference

_FILE = ".github/workflows/build.yml"
_HEAD = "on:\n  push:\n    branches: [main]\njobs:\n  build:\n    runs-on: ubuntu-latest\n    steps:\n"
_BUILD = """\
      - uses: docker/build-push-action@v6
        with:
          push: true
          platforms: linux/amd64
          tags: |
            registry.example.test/own/app:latest
            registry.example.test/own/app:${{ steps.tag.outputs.image_tag }}
"""
_CALL = """\
      - run: |
          id=$(curl -fsS "https://ci.example.test/api/repos/lookup/own/app" | jq -er .id)
          curl -fsS --json "$BODY" "https://ci.example.test/api/repos/$id/pipelines" | jq -er .number
"""
_API = re.compile(r"/api/repos/([^\s\"'|)]+)")
_PLACEHOLDER = re.compile(r"(?m)^\s*\w*REPO(?:SITORY)?_?ID\w*\s*[:=]\s*[\"']?([A-Za-z][\w-]*)[\"']?\s*$")


class ActionsSchema(Rule):
    """A workflow matches GitHub's schema."""

    code = "ACT001"
    why = "GitHub refuses the file, and nothing is built."
    bad = {_FILE: _HEAD.replace("runs-on", "runs_on") + "      - run: make\n"}
    good = {_FILE: _HEAD + "      - run: make\n"}

    def check_pipeline(self, repository: Repository, context: Context) -> Iterator[Finding]:
        """Everything that the schema refuses."""
        for file in repository.misplaced:
            fix = "Move it to .github/dependabot.yml."
            yield self.at(file.place("updates"), "This is Dependabot's file, not a workflow.", fix=fix)
        for actions in repository.actions:
            for path, message in schema_errors("github", actions.document.value):
                yield self.at(actions.place(*path), message)


class RepositoryId(Rule):
    """Woodpecker's API is given the repository's number."""

    code = "ACT002"
    why = "With owner and name, or a placeholder, the web page answers 200: green, and nothing is rolled out."
    bad = {_FILE: _HEAD + _CALL.replace("repos/$id/pipelines", "repos/own/app/pipelines")}
    good = {_FILE: _HEAD + _CALL}

    def check_pipeline(self, repository: Repository, context: Context) -> Iterator[Finding]:
        """Addresses without a repository number, or with one that is not a number."""
        for actions in repository.actions:
            for match in _API.finditer(actions.raw):
                parts = match[1].split("/")
                if parts[0] == "lookup" or parts[0].isdigit():
                    continue
                if not parts[0].startswith("$") or (len(parts) > 1 and parts[1] != "pipelines"):
                    yield self.at(
                        actions.place_of(match.start()),
                        "The API takes the repository's number only.",
                        value=match[0],
                        fix="Look it up: /api/repos/lookup/OWNER/NAME answers with .id",
                    )
            for match in _PLACEHOLDER.finditer(actions.raw):
                place, wanted = actions.place_of(match.start(1)), "the repository's number"
                yield self.at(place, "This is a placeholder.", value=match[1], allowed=wanted)


class PipelineNumber(Rule):
    """Woodpecker's answer has a number, or the job fails."""

    code = "ACT003"
    why = "204 means that every workflow was filtered out, and the web page answers 200: both looked like success."
    bad = {_FILE: _HEAD + _CALL.replace(" | jq -er .number", "")}
    good = {_FILE: _HEAD + _CALL}

    def check_pipeline(self, repository: Repository, context: Context) -> Iterator[Finding]:
        """Scripts that start a pipeline and do not look for its number in the reply."""
        for step in steps(*repository.actions):
            script = str(step.value.get("run") or "")
            if "/pipelines" in script and "/api/repos" in script and ".number" not in script:
                yield self.at(
                    step.place("run"), "Any answer counts as success here.", fix="Pipe it to jq -er .number"
                )


class ActionVersion(Rule):
    """The versions of the Docker actions can push to a new package."""

    code = "ACT004"
    why = "Newer ones were refused with 403 if the base image is another owner's in the same registry."
    good = {
        _FILE: _HEAD + _BUILD.replace("registry.example.test", "ghcr.io"),
        "Dockerfile": "FROM ghcr.io/else/base:1.0\nUSER 10001\n",
    }
    bad = {**good, _FILE: good[_FILE].replace("@v6", "@v7")}

    def check_pipeline(self, repository: Repository, context: Context) -> Iterator[Finding]:
        """The actions with a newer major version, in the jobs that push on top of such an image."""
        known = context.facts["ci_actions"]
        for actions in repository.actions:
            listed = list(steps(actions))
            jobs = {step.job for step in listed if _stands_on(step, repository, known["registry"])}
            for step in listed:
                name, version = step.uses
                newest = known["newest"].get(name)
                major = re.match(r"v?(\d+)", version)
                if step.job in jobs and newest and major and int(major[1]) > newest:
                    yield self.at(
                        step.place("uses"),
                        f"{name} is too new to push on top of an image of {known['registry']}.",
                        value=version,
                        allowed=f"v{newest}",
                    )


def _stands_on(step: JobStep, repository: Repository, registry: str) -> bool:
    """Whether a step pushes to this registry, and its Dockerfile begins with an image from there."""
    bases = map(ImageReference.parse, base_images(repository.dockerfiles.get(step.dockerfile, "")))
    return all(registry in {image.host for image in images} for images in (step.pushed, bases))


class ActionsBuild(Rule):
    """What is rolled out is pushed as `latest` and under a tag of its own, for linux/amd64."""

    code = "ACT005"
    why = "The rollout needs a tag that no other build has, and the nodes run amd64."
    bad = {
        _FILE: _HEAD
        + _BUILD.replace("            registry.example.test/own/app:${{ steps.tag.outputs.image_tag }}\n", "")
        + _CALL
    }
    good = {_FILE: _HEAD + _BUILD + _CALL}

    def check_pipeline(self, repository: Repository, context: Context) -> Iterator[Finding]:
        """The build steps that push something else."""
        for step in build_steps(*repository.actions):
            if step.inputs.get("push"):
                yield from self._step(step)

    def _step(self, step: JobStep) -> Iterator[Finding]:
        rolled_out = _API.search(step.actions.raw) or "kubectl" in step.actions.raw
        # What is one expression, such as an output of docker/metadata-action, may be anything.
        if rolled_out and all(i.tag in ("", "latest") and str(i)[0] != "$" for i in step.pushed):
            yield self.at(
                step.place("with", "tags"),
                "No tag is unique to this build.",
                value=" ".join(map(str, step.pushed)) or None,
                fix="Add the first eight characters of the commit.",
            )
        # The runner's own machine is the right one where nothing is said.
        if "linux/amd64" not in str(step.inputs.get("platforms", "linux/amd64")):
            yield self.at(
                step.place("with", "platforms"),
                "The nodes run amd64.",
                value=str(step.inputs.get("platforms")),
                allowed="linux/amd64",
            )


class ActionsDockerfile(Rule):
    """The Dockerfile is where the workflow looks for it."""

    code = "ACT006"
    why = "A Dockerfile that is not in the root has to be named with `file`, or the build fails."
    bad = {
        _FILE: _HEAD + _BUILD,
        "docker/Dockerfile": "FROM scratch\nUSER 10001\n",
        ".dockerignore": ".git\n",
    }
    good = {
        **bad,
        _FILE: bad[_FILE].replace("push: true\n", "push: true\n          file: docker/Dockerfile\n"),
    }

    def check_pipeline(self, repository: Repository, context: Context) -> Iterator[Finding]:
        """The builds whose Dockerfile is not there."""
        if not repository.complete and not repository.dockerfiles:
            return
        for step in build_steps(*repository.actions):
            wanted = step.dockerfile
            if wanted and wanted not in repository.paths:
                known = ", ".join(repository.dockerfiles) or None
                yield self.at(
                    step.place("with", "file"), f"There is no {wanted}.", value=wanted, allowed=known
                )


class ActionsSecret(Rule):
    """A workflow uses the secrets that the next steps set."""

    code = "ACT007"
    why = "A secret that is not set is an empty string, and the login fails only after the build."

    def check_pipeline(self, repository: Repository, context: Context) -> Iterator[Finding]:
        """The secrets that the answers do not lead to; only where answers are known."""
        if context.expected is None:
            return
        for actions in repository.actions:
            for match in re.finditer(r"secrets\.(\w+)", actions.raw):
                if match[1] not in context.expected.action_secrets:
                    yield self.at(
                        actions.place_of(match.start()),
                        f"Nothing sets the secret {match[1]}.",
                        value=match[1],
                        allowed=", ".join(sorted(context.expected.action_secrets)),
                    )
