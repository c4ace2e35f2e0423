"""Woodpecker's own order: substitution, YAML, schema, linter."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from scaffold.checks.rule import Rule
from scaffold.errors import Finding
from scaffold.pipelines.context import Context
from scaffold.pipelines.documents import further_documents
from scaffold.pipelines.repository import Repository
from scaffold.pipelines.schema import schema_errors
from scaffold.pipelines.workflow import OUTDATED, Step, Workflow, kubectl_commands, needed

_HEAD = "when:\n  - event: push\n    branch: main\nskip_clone: true\n"
_STEP = _HEAD + "steps:\n  - name: test\n    image: docker.io/library/alpine:3.22\n"
_FILE = ".woodpecker.yml"


class _Loading(Rule):
    """A rule whose findings come from loading the files."""

    def check_pipeline(self, repository: Repository, context: Context) -> Iterator[Finding]:
        """The findings of loading that carry this rule's code."""
        return (finding for finding in repository.load_findings if finding.code == self.code)


class Substitution(_Loading):
    """Only a variable's name is inside ${…}."""

    code = "PIP026"
    why = (
        "Woodpecker substitutes the raw text, comments and scripts included, and refuses what it cannot read."
    )
    bad = {_FILE: _STEP + "    commands:\n      # the tag is ${{ github.sha }}\n      - echo done\n"}
    good = {_FILE: _STEP + "    commands:\n      # the tag is the commit's hash\n      - echo done\n"}


class Yaml(_Loading):
    """A pipeline file is valid YAML in every run."""

    code = "PIP027"
    why = (
        "A file that cannot be parsed breaks the whole pipeline, even where its `when` would have skipped it."
    )
    bad = {_FILE: _STEP + "    commands: [echo one\n"}
    good = {_FILE: _STEP + "    commands: [echo one]\n"}


class Unquoted(_Loading):
    """Text with a variable is in quotes."""

    code = "PIP028"
    why = (
        "An empty variable leaves `x=: -n ns`, which YAML takes for a mapping, and 01234567 becomes a number."
    )
    bad = {_FILE: _STEP + "    commands:\n      - echo a=${CI_COMMIT_SHA}:${TAG} -n app\n"}
    good = {_FILE: _STEP + '    commands:\n      - "echo a=${CI_COMMIT_SHA}:${TAG:-none} -n app"\n'}


class Schema(Rule):
    """A workflow matches Woodpecker's schema."""

    code = "PIP029"
    why = "Woodpecker only warns about an unknown key and then ignores it: a typo silently does nothing."
    bad = {_FILE: _STEP + "    commands: [make]\n    secrets: [token]\n"}
    good = {
        _FILE: _STEP + "    commands: [make]\n    environment:\n      TOKEN:\n        from_secret: token\n"
    }

    def check_pipeline(self, repository: Repository, context: Context) -> Iterator[Finding]:
        """Everything that the schema refuses."""
        for workflow in repository.outdated:
            old = workflow.outdated
            message = f"Woodpecker no longer knows {' and '.join(old)}: this file does nothing."
            fix = f"Write {', and '.join(f'{OUTDATED[key]} for {key}' for key in old)}."
            yield self.at(workflow.place(old[0]), message, fix=fix)
        for workflow in repository.workflows:
            for path, message in schema_errors("woodpecker", workflow.document.value):
                yield self.at(workflow.place(*path), message)


class Linter(Rule):
    """Woodpecker's linter finds nothing."""

    code = "PIP030"
    why = "A linter error stops the pipeline; its warnings are mistakes that nobody hears about later."
    bad = {_FILE: _STEP.replace("event: push\n    ", "") + "    commands: [make]\n"}
    good = {_FILE: _STEP + "    commands: [make]\n"}

    def check_pipeline(self, repository: Repository, context: Context) -> Iterator[Finding]:
        """Every error and warning, as ``linter.go`` of Woodpecker 3.14 has them."""
        for workflow in repository.workflows:
            yield from self._workflow(workflow, context.facts)

    def _workflow(self, workflow: Workflow, facts: Mapping[str, Any]) -> Iterator[Finding]:
        # Without the key the schema says so.
        if not workflow.steps and "steps" in workflow.value:
            yield self.at(workflow.place("steps"), "The steps are missing.")
        names = {step.name for step in workflow.steps}
        for area in ("clone", "steps", "services"):
            for step in workflow.area(area):
                for message in self._step(step, names, facts):
                    yield self.at(step.place(), f"{area}.{step.name}: {message}")
        if not workflow.when or not all("event" in condition for condition in workflow.when):
            for step in workflow.steps:
                if not step.when or not all("event" in condition for condition in step.when):
                    message = f"Neither the workflow nor the step {step.name} says on which events it runs."
                    yield self.at(step.place(), message, fix="Put an event into `when`.")

    def _step(self, step: Step, names: set[str], facts: Mapping[str, Any]) -> Iterator[str]:
        value = step.value
        if not step.image:
            yield "the image is missing."
        if step.area == "clone" and step.repository not in facts["ci_trusted_clone"]:
            yield "this image is not given the forge's password, so it can only clone public repositories."
        for other in ("commands", "entrypoint", "environment"):
            if value.get("settings") and value.get(other):
                yield f"{other} and settings exclude each other."
        for key in (
            "privileged",
            "dns",
            "dns_search",
            "extra_hosts",
            "network_mode",
            "devices",
            "volumes",
            "tmpfs",
        ):
            if value.get(key) and value[key] != "none":
                yield f"{key} needs a trusted repository, and the house trusts none."
        if step.repository in (
            "plugins/docker",
            "plugins/gcr",
            "plugins/ecr",
            "woodpeckerci/plugin-docker-buildx",
        ):
            if step.repository not in facts["ci_privileged"]:
                yield f"{step.repository} is not among the server's privileged plugins, so it cannot build."
        if step.area == "steps":
            for name in needed(value.get("depends_on")):
                if name not in names:
                    yield f"depends_on names {name}, which is not a step."


class DependsOn(Rule):
    """Either every later step says what it waits for, or none does.

    One that others wait for, or that stands before those that wait, begins at once on purpose. One that publishes
    or rolls out, and one behind all that wait, was to come after them.
    """

    code = "PIP031"
    why = "As soon as one step has depends_on, every step without it starts at once, the deployment included."
    bad = {
        _FILE: _STEP
        + "    commands: [make]\n  - name: pack\n    image: docker.io/library/alpine:3.22\n    depends_on: [test]\n    commands: [ls]\n"
        "  - name: last\n    image: docker.io/library/alpine:3.22\n    commands: [ls]\n"
    }
    good = {
        _FILE: _STEP
        + "    commands: [make]\n  - name: pack\n    image: docker.io/library/alpine:3.22\n    depends_on: [test]\n    commands: [ls]\n"
    }

    def check_pipeline(self, repository: Repository, context: Context) -> Iterator[Finding]:
        """The steps after the first that would start at once, and are not meant to."""
        for workflow in repository.workflows:
            steps = workflow.steps
            last = max((at for at, step in enumerate(steps) if "depends_on" in step.value), default=-1)
            waited_for = {name for step in steps for name in needed(step.value.get("depends_on"))}
            acting = {step.name for step in steps if step.settings}
            acting |= {command.step.name for command in kubectl_commands(workflow)}
            for at, step in enumerate(steps[1:] if last >= 0 else (), start=1):
                is_root = step.name not in acting and (step.name in waited_for or at < last)
                if "depends_on" not in step.value and not is_root:
                    fix = "Add depends_on to it, or remove it from every step; [] starts it at once."
                    yield self.at(step.place(), f"The step {step.name} waits for nothing.", fix=fix)


class DeadFile(Rule):
    """Every Woodpecker file is read."""

    code = "PIP032"
    why = (
        "The directory .woodpecker hides .woodpecker.yml: one of the two is dead, but looks alive for months."
    )
    bad = {_FILE: _STEP + "    commands: [make]\n", ".woodpecker/test.yml": _STEP + "    commands: [make]\n"}
    good = {_FILE: _STEP + "    commands: [make]\n"}

    def check_pipeline(self, repository: Repository, context: Context) -> Iterator[Finding]:
        """The files that others hide, and those in directories if nobody looks."""
        for path in repository.dead:
            live = ", ".join(repository.live) or "no other one"
            yield self.at(
                (path, None),
                f"Woodpecker never reads this file: it reads {live}.",
                fix="Delete one of them, or put it where Woodpecker looks: directly into .woodpecker.",
            )


class OneDocument(Rule):
    """A file holds one workflow."""

    code = "PIP034"
    why = "Woodpecker takes the first document of a file and silently ignores the others: they do not run."
    bad = {_FILE: _STEP + "    commands: [make]\n---\n" + _STEP + "    commands: [make lint]\n"}
    good = {_FILE: _STEP + "    commands: [make]\n---\n"}

    def check_pipeline(self, repository: Repository, context: Context) -> Iterator[Finding]:
        """Where each further document begins."""
        for workflow in repository.workflows:
            for line in further_documents(workflow.raw):
                fix = "Move it into a file of its own in .woodpecker."
                yield self.at((workflow.path, line), "What follows is never read, so it never runs.", fix=fix)
