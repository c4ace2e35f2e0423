"""Secrets and variables of steps: each rule is a mistake that somebody once had to fix."""

from __future__ import annotations

import re
from collections.abc import Iterator

from scaffold.checks.rule import Rule
from scaffold.errors import Finding
from scaffold.pipelines import substitution
from scaffold.pipelines.common import FILE, SHELL, all_steps, line_at
from scaffold.pipelines.context import Context
from scaffold.pipelines.documents import parse_workflow
from scaffold.pipelines.loading import COMMON
from scaffold.pipelines.repository import Repository
from scaffold.pipelines.workflow import Workflow
from scaffold.reading import YamlError, walked

_REMOVED = re.compile(r"(?:CI_PIPELINE_VARIABLE_(\w+)|CI_PIPELINE_STATUS|DRONE_\w+)\b")


class UnknownSecret(Rule):
    """A secret is available to every run."""

    code = "PIP023"
    why = "A secret that is missing, or not allowed for the event, fails the whole pipeline, even if only a message needs it."

    def check_pipeline(self, repository: Repository, context: Context) -> Iterator[Finding]:
        """The secrets that the answers do not lead to; only where answers are known."""
        if context.expected is None:
            return
        for step in all_steps(repository):
            for path, value in walked(step.value):
                name = str(value)
                if path[-1:] == ("from_secret",) and name.lower() not in context.expected.secrets:
                    yield self.at(
                        step.place(*path),
                        f"The secret {name} is not available to every run.",
                        value=name,
                        allowed=", ".join(sorted(context.expected.secrets)),
                    )


class ShellVariable(Rule):
    """A shell variable is written $NAME or $${NAME}."""

    code = "PIP024"
    why = "Woodpecker replaces ${NAME} before any shell sees it, and an unknown name becomes empty."
    bad = {FILE: SHELL + '      - |\n        count=$(ls | wc -l)\n        echo "${count} files"\n'}
    good = {FILE: SHELL + '      - |\n        count=$(ls | wc -l)\n        echo "$${count} files"\n'}

    def check_pipeline(self, repository: Repository, context: Context) -> Iterator[Finding]:
        """The names in ``${…}`` that the same file's shell sets, or that are in lower case."""
        for workflow in repository.workflows:
            for reading in workflow.readings:
                name = reading.use.name
                if reading.path is None or name in workflow.matrix:
                    continue
                is_set = re.search(rf"(?m)(^|[\s;(]|for |read |export ){name}(=| in )", workflow.raw)
                in_environment = any(name in (step.value.get("environment") or {}) for step in workflow.steps)
                if not name.startswith("CI_") and (is_set or in_environment or name.islower()):
                    yield self.at(
                        workflow.place_of(reading.use.offset),
                        f"Woodpecker replaces ${{{name}}} before the shell can.",
                        value=name,
                        fix=f"Write ${name} or $${{{name}}}.",
                    )


_TITLE = "fix: \"a\" & 'b' #1"
_NAME = 'Ann "O\'Neil"'
_BRANCH = 'it\'s-"new"'
_WRITTEN = {
    "CI_COMMIT_MESSAGE": f"{_TITLE}\n\nmore of it",
    "CI_PREV_COMMIT_MESSAGE": f"{_TITLE}\n\nmore of it",
    "CI_PIPELINE_RELEASE_TITLE": _TITLE,
    "CI_COMMIT_PULL_REQUEST_MILESTONE": _TITLE,
    "CI_COMMIT_PULL_REQUEST_LABELS": _TITLE,
    "CI_COMMIT_AUTHOR": _NAME,
    "CI_PREV_COMMIT_AUTHOR": _NAME,
    "CI_PIPELINE_AUTHOR": _NAME,
    "CI_PIPELINE_FILES": '["a b.txt"]',
    "CI_COMMIT_SOURCE_BRANCH": _BRANCH,
    "CI_COMMIT_BRANCH": _BRANCH,
}
"""What people write, by the variable that holds it: what makes YAML of it something else."""


class WrittenByPeople(Rule):
    """What people write in a commit is read by the shell, not by YAML."""

    code = "PIP033"
    why = (
        "Woodpecker puts it into the raw text: with a colon, a quotation mark or a second line the file is no YAML, "
        "and every workflow of that push fails; in a command it is text that the shell runs."
    )
    bad = {FILE: SHELL + '      - echo "${CI_COMMIT_MESSAGE}"\n'}
    good = {FILE: SHELL + '      - echo "$CI_COMMIT_MESSAGE"\n'}

    def check_pipeline(self, repository: Repository, context: Context) -> Iterator[Finding]:
        """The commands that such a variable is put into, and the values that it makes something else."""
        for workflow in repository.workflows:
            one_branch = not any("push" in c.events and c.any_branch for c in workflow.conditions)
            for reading in workflow.readings:
                name = reading.use.name
                if name not in _WRITTEN or (name == "CI_COMMIT_BRANCH" and one_branch):
                    continue
                is_command = bool(reading.path) and "commands" in (reading.path or ())
                if is_command or _breaks(workflow, name):
                    command = f"Write ${name}, in double quotes: the shell has it." if is_command else None
                    yield self.at(
                        workflow.place_of(reading.use.offset),
                        f"What stands in {name} becomes part of this file, its quotes, colons and lines too.",
                        value=name,
                        fix=command or f"Use ${name} in a command, or leave it out.",
                    )


def _breaks(workflow: Workflow, name: str) -> bool:
    """Whether what people may write in a variable can change the structure of the file."""
    try:
        text = substitution.substitute(workflow.raw, {**COMMON, name: _WRITTEN[name]})
        plain = substitution.substitute(workflow.raw, {**COMMON, name: "x"})
        return parse_workflow(text).kinds != parse_workflow(plain).kinds
    except YamlError:
        return True


class RemovedVariable(Rule):
    """Woodpecker 3 has the variable."""

    code = "PIP025"
    why = "A removed variable is an empty string: the message that said `success` on every run now says nothing."
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
