"""``scaffold check --pipelines``: the rules over any app's repository, whether made by scaffold or not."""

from __future__ import annotations

from pathlib import Path

from scaffold.checks.rule import Kind
from scaffold.checks.verify import Unverified
from scaffold.commands.check import EVERY_RULE, Checked, Selection, unknown
from scaffold.errors import MissingError
from scaffold.pipelines.check import actionlint, check
from scaffold.pipelines.context import Context
from scaffold.pipelines.repository import read_repository
from scaffold.templates import decisions

_LINTER = "actionlint"


def check_pipelines(
    directory: Path, selection: Selection = EVERY_RULE, *, baseline_file: Path | None = None
) -> Checked:
    """Check the pipeline files and Dockerfiles of a repository against the rules.

    Raises :class:`MissingError` if the directory does not exist.
    """
    if not directory.is_dir():
        raise MissingError(f"{directory} is not a directory.", "Name the root of the app's repository.")
    selection.check()
    repository = read_repository(directory)
    asked = selection.of(Kind.PIPELINE)
    found = check(repository, Context(decisions.house()), asked)
    codes = {rule.code for rule in asked}
    gaps: tuple[Unverified, ...] = ()
    if _LINTER in selection:
        linted = actionlint(repository)
        found += linted.findings
        codes.add(_LINTER)
        if linted.failure and repository.action_paths:
            gaps = (Unverified(_LINTER, linted.failure),)
    looked_at = (*repository.live, *repository.dead, *repository.action_paths, *repository.dockerfiles)
    files = tuple(sorted(set(looked_at)))
    fresh, known, gone = unknown(found, baseline_file, files, codes)
    return Checked(files, fresh, frozenset(), known, gone, gaps, what="file")
