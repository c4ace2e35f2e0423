"""``scaffold check --pipelines``: the rules over any repository, made by scaffold or not."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from scaffold.checks.rule import Kind, rules
from scaffold.errors import Finding, MissingError
from scaffold.pipelines.check import BY_NO_FILE, actionlint, check
from scaffold.pipelines.context import Context
from scaffold.pipelines.repository import read_repository
from scaffold.templates import decisions


@dataclass(frozen=True, slots=True)
class PipelineReport:
    """What was looked at, and what was found."""

    files: tuple[str, ...]
    findings: tuple[Finding, ...]
    unlinted: str
    """Why actionlint did not judge the workflows of GitHub Actions, where it did not."""


def check_pipelines(directory: Path) -> PipelineReport:
    """Hold the pipeline files and Dockerfiles of a repository against every rule.

    Raises :class:`MissingError` where the directory does not exist.
    """
    if not directory.is_dir():
        raise MissingError(f"{directory} is no directory.", "Name the root of the app's repository.")
    repository = read_repository(directory)
    linted = actionlint(repository)
    found = [*check(repository, Context(decisions.house())), *linted.findings]
    looked_at = (*repository.live, *repository.dead, *repository.action_paths, *repository.dockerfiles)
    return PipelineReport(tuple(sorted(set(looked_at))), tuple(found), linted.failure)


def markdown() -> str:
    """The rules as a page of documentation, from the classes themselves."""
    return "\n".join(_page()) + "\n"


def _page() -> Iterator[str]:
    yield "# Checks of pipelines"
    yield ""
    yield (
        "Generated from `scaffold/pipelines`. `scaffold check --pipelines DIR` goes the way that "
        "Woodpecker 3.14 goes: substitution on the raw text (for a run through the API, for a plain "
        "push, and for commits whose first eight characters look like numbers), then YAML, the "
        "schema, the linter's rules, and then what the house has learnt. Workflows of GitHub Actions are "
        "held against a schema, and given to actionlint where it is on PATH. `scaffold "
        "pipeline` and `new-service --app-repo` also compare with the stack's Terraform."
    )
    yield ""
    yield "| code | rule | why | recorded mistake |"
    yield "|---|---|---|---|"
    for rule in rules("scaffold.pipelines", Kind.PIPELINE):
        numbers = ", ".join(map(str, rule.mistakes)) or "–"
        yield f"| `{rule.code}` | {rule.title} | {rule.why} | {numbers} |"
    yield ""
    yield "## What no file shows"
    yield ""
    yield "| recorded mistake | what prevents it |"
    yield "|---|---|"
    for number, what in BY_NO_FILE.items():
        yield f"| {number} | {what} |"
