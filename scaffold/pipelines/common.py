"""What the rules over workflows share: their examples, and what builds."""

from __future__ import annotations

import re
from collections.abc import Iterator

from scaffold.pipelines.repository import Repository
from scaffold.pipelines.workflow import Step, Workflow
from scaffold.templates.image import ImageReference

FILE = ".woodpecker.yml"
CLONE = """\
clone:
  git:
    image: woodpeckerci/plugin-git
    settings: {attempts: 5, backoff: 10s, partial: false}
"""
WHEN = "when:\n  - event: push\n    branch: main\n"
BUILD = """\
  - name: build
    image: woodpeckerci/plugin-docker-buildx
    settings:
      repo: registry.example.test/own/app
      logins:
        - {registry: registry.example.test, username: robot, password: {from_secret: registry_token}}
      platforms: [linux/amd64]
      tags: ["latest", "${CI_COMMIT_SHA:0:8}"]
    backend_options: {kubernetes: {resources: {requests: {memory: 1Gi}, limits: {memory: 2Gi}}}}
"""
DEPLOY = """\
  - name: deploy
    image: bitnami/kubectl:latest
    commands:
      - "kubectl set image deployment/app app=registry.example.test/own/app:${CI_COMMIT_SHA:0:8} -n app"
      - "kubectl rollout status deployment/app -n app --timeout=300s"
"""
BOTH = WHEN + CLONE + "steps:\n" + BUILD + DEPLOY
GUARDED = """\
when:
  - event: [manual, push]
    branch: main
    evaluate: 'IMAGE_TAG != ""'
skip_clone: true
steps:
""" + DEPLOY.replace("${CI_COMMIT_SHA:0:8}", "${IMAGE_TAG}")
SHELL = (
    WHEN
    + "skip_clone: true\nsteps:\n  - name: say\n    image: docker.io/library/alpine:3.22\n    commands:\n"
)

_KANIKO = "woodpeckerci/plugin-kaniko"
_BUILDERS = ("woodpeckerci/plugin-docker-buildx", "codeberg.org/woodpecker-plugins/docker-buildx", _KANIKO,
             "plugins/docker")  # fmt: skip


def builds(*workflows: Workflow) -> Iterator[Step]:
    """The steps that build an image. A step with commands runs those, and not the plugin."""
    steps = (step for workflow in workflows for step in workflow.steps)
    return (step for step in steps if step.repository in _BUILDERS and not step.commands)


def targets(step: Step) -> tuple[ImageReference, ...]:
    """The image repositories that a build step pushes to; none if it only tries the build.

    Kaniko's plugin puts the registry before them.
    """
    if any(step.settings.get(name) in (True, "true") for name in ("dry_run", "dry-run")):
        return ()
    repo = step.settings.get("repo")
    named = repo if isinstance(repo, list) else [repo] if repo else []
    found = tuple(ImageReference.parse(str(item)) for item in named)
    home = re.sub("^https?://", "", str(step.settings.get("registry", ""))).strip("/")
    if step.repository != _KANIKO or not home:
        return found
    return tuple(image if image.registry else ImageReference.parse(f"{home}/{image}") for image in found)


def dockerfile(step: Step) -> str:
    """The Dockerfile that a build step uses, as a path from the root."""
    return str(step.settings.get("dockerfile", "Dockerfile")).removeprefix("./")


def line_at(text: str, offset: int) -> str:
    """The line of a text that an offset is in."""
    start = text.rfind("\n", 0, offset) + 1
    end = text.find("\n", offset)
    return text[start : end if end >= 0 else len(text)]


def all_steps(repository: Repository) -> Iterator[Step]:
    """Every step, clone step and service of every workflow."""
    return (
        step
        for workflow in repository.workflows
        for area in ("clone", "steps", "services")
        for step in workflow.area(area)
    )


def separated(value: object) -> list[str]:
    """The items of a setting that is a list, or text with commas."""
    if isinstance(value, list):
        return [str(item) for item in value]
    return [part.strip() for part in str(value).split(",")] if value is not None else []
