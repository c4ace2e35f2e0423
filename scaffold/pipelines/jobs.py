"""The steps of the jobs of a GitHub Actions workflow."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from scaffold.pipelines.repository import Actions
from scaffold.reading import mapping, part
from scaffold.templates.image import ImageReference

_EXPRESSION = re.compile(r"\$\{\{\s*(.*?)\s*\}\}")


@dataclass(frozen=True, slots=True)
class JobStep:
    """One step of one job."""

    actions: Actions
    job: str
    index: int
    value: Mapping[str, Any]
    environment: Mapping[str, Any]
    """The ``env`` of the workflow, the job and the step, the nearest one first."""

    def place(self, *path: str | int) -> tuple[str, int]:
        """The file, and the line of a value of this step."""
        return self.actions.place("jobs", self.job, "steps", self.index, *path)

    @property
    def uses(self) -> tuple[str, str]:
        """The action and its version, or nothing."""
        name, _, version = str(self.value.get("uses") or "").partition("@")
        return name, version

    @property
    def is_build(self) -> bool:
        """Whether it builds an image."""
        return self.uses[0] == "docker/build-push-action"

    @property
    def inputs(self) -> Mapping[str, Any]:
        """The inputs of the action."""
        return mapping(self.value.get("with"))

    @property
    def pushed(self) -> tuple[ImageReference, ...]:
        """The image references that a build pushes to; unknown expressions are ``${…}``."""
        if not self.is_build or not self.inputs.get("push"):
            return ()
        text = _EXPRESSION.sub(self._known, str(self.inputs.get("tags", "")))
        return tuple(ImageReference.parse(tag) for tag in re.split(r"[\s,]+", text) if tag)

    @property
    def dockerfile(self) -> str:
        """The Dockerfile that a build takes, seen from the root; nothing if an expression names it."""
        folder = str(self.inputs.get("context", ".")).removeprefix("./").strip("/").removeprefix(".")
        path = str(self.inputs.get("file") or f"{folder}/Dockerfile").removeprefix("./").lstrip("/")
        return "" if "$" in path else path

    def _known(self, expression: re.Match[str]) -> str:
        context, _, name = expression[1].partition(".")
        if context == "env" and name in self.environment:
            return str(self.environment[name])
        return "${" + "".join(expression[1].split()) + "}"


def steps(*files: Actions) -> Iterator[JobStep]:
    """Every step of every job of the workflows."""
    for actions in files:
        workflow = mapping(actions.document.value)
        for name, job in mapping(workflow.get("jobs")).items():
            listed = part(job, "steps")
            for index, step in enumerate(listed if isinstance(listed, list) else ()):
                if isinstance(step, Mapping):
                    levels = (mapping(level.get("env")) for level in (workflow, mapping(job), step))
                    environment = {key: value for level in levels for key, value in level.items()}
                    yield JobStep(actions, str(name), index, step, environment)


def build_steps(*files: Actions) -> Iterator[JobStep]:
    """The steps that build an image."""
    return (step for step in steps(*files) if step.is_build)
