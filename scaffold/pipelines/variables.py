"""Secrets and variables of the steps: each rule is a mistake that somebody had to fix."""

from __future__ import annotations

import re
from collections.abc import Iterator

from scaffold.checks.rule import Rule
from scaffold.errors import Finding
from scaffold.pipelines import substitution
from scaffold.pipelines.common import FILE, SHELL, all_steps, line_at
from scaffold.pipelines.context import Context
from scaffold.pipelines.repository import Repository

_REMOVED = re.compile(r"(?:CI_PIPELINE_VARIABLE_(\w+)|CI_PIPELINE_STATUS|DRONE_\w+)\b")


class UnknownSecret(Rule):
    """A secret that Woodpecker does not have for every run."""

    code = "PIP023"
    title = "A secret is one that every run may have"
    why = "A secret that is missing, or not allowed for the event, fails the whole pipeline, even if only a message needs it."
    bad = {}
    good = {}

    def check_pipeline(self, repository: Repository, context: Context) -> Iterator[Finding]:
        """The secrets that the answers do not lead to; only where answers are known."""
        if context.expected is None:
            return
        for step in all_steps(repository):
            for path, name in _secrets(step.value, ()):
                if name.lower() not in context.expected.secrets:
                    yield self.at(
                        step.place(*path),
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


class ShellVariable(Rule):
    """A shell variable in braces."""

    code = "PIP024"
    title = "A shell variable is written $NAME or $${NAME}"
    why = "Woodpecker replaces ${NAME} before any shell sees it, and a name that it does not know becomes empty."
    bad = {FILE: SHELL + '      - |\n        count=$(ls | wc -l)\n        echo "${count} files"\n'}
    good = {FILE: SHELL + '      - |\n        count=$(ls | wc -l)\n        echo "$${count} files"\n'}

    def check_pipeline(self, repository: Repository, context: Context) -> Iterator[Finding]:
        """The names in ``${…}`` that the same file's shell sets, or that are in lower case."""
        for workflow in repository.workflows:
            for use in substitution.uses(workflow.raw):
                name = use.name
                is_set = re.search(rf"(?m)(^|[\s;(]|for |read |export ){name}(=| in )", workflow.raw)
                in_environment = any(name in (step.value.get("environment") or {}) for step in workflow.steps)
                if not name.startswith("CI_") and (is_set or in_environment or name.islower()):
                    yield self.at(
                        workflow.place_of(use.offset),
                        f"Woodpecker replaces ${{{name}}} before the shell can.",
                        value=name,
                        fix=f"Write ${name} or $${{{name}}}.",
                    )


class RemovedVariable(Rule):
    """A variable of Woodpecker that is gone."""

    code = "PIP025"
    title = "A variable is one that Woodpecker 3 has"
    why = "What is gone is empty text: the message that said `success` on every run now says nothing at all."
    bad = {FILE: SHELL + '      - echo "$CI_PIPELINE_VARIABLE_TAG"\n'}
    good = {FILE: SHELL + '      - echo "$TAG"\n'}

    def check_pipeline(self, repository: Repository, context: Context) -> Iterator[Finding]:
        """Where the old names stand."""
        for workflow in repository.workflows:
            for match in _REMOVED.finditer(workflow.raw):
                fix = "Write one step for each outcome, with `status` in its `when`."
                fix = f"Write ${match[1]}." if match[1] else fix
                if not line_at(workflow.raw, match.start()).lstrip().startswith("#"):
                    place = workflow.place_of(match.start())
                    yield self.at(place, "Woodpecker 3 has no such variable.", value=match[0], fix=fix)
