"""``scaffold check --pipelines``: the rules over any repository, made by scaffold or not."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from scaffold.errors import Finding, MissingError
from scaffold.pipelines.check import actionlint, check
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
