"""``scaffold check --pipelines``: the rules over any repository, made by scaffold or not."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from scaffold import decisions
from scaffold.errors import Finding, MissingError
from scaffold.pipelines.check import actionlint, check
from scaffold.pipelines.repository import read_repository
from scaffold.pipelines.rule import Context


@dataclass(frozen=True, slots=True)
class PipelineReport:
    """What was looked at, and what was found."""

    files: tuple[str, ...]
    findings: tuple[Finding, ...]
    actionlint: bool
    """Whether actionlint was at hand for the workflows of GitHub Actions."""


def check_pipelines(directory: Path) -> PipelineReport:
    """Hold the pipeline files and Dockerfiles of a repository against every rule.

    Raises :class:`MissingError` where the directory does not exist.
    """
    if not directory.is_dir():
        raise MissingError(f"{directory} is no directory.", "Name the root of the app's repository.")
    repository = read_repository(directory)
    linted = actionlint(repository)
    found = [*check(repository, Context(decisions.house())), *(linted or ())]
    looked_at = (*repository.live, *repository.dead, *repository.action_paths, *repository.dockerfiles)
    return PipelineReport(tuple(sorted(set(looked_at))), tuple(found), linted is not None)
