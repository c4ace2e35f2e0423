"""The command ``pipeline``: options to one call, its result to text."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import click

from scaffold.cli import complete, options, output
from scaffold.errors import UsageError


@click.command()
@click.option(
    "--service", metavar="NAME", shell_complete=complete.stacks,
    help="Use the answers that this stack records.",
)  # fmt: skip
@options.answers
@options.settings
@options.monorepo
@options.app_repo
@click.option("--dry-run", is_flag=True, help="Show the diff, and write nothing.")
@options.overwrite
@click.option("--commit", is_flag=True, help="Commit only the written files.")
@options.template_source
@options.as_json
def pipeline(
    service: str | None, answer_files: Sequence[str], settings: Sequence[str], monorepo_at: Path | None,
    app_repo: Path | None, dry_run: bool, overwrite: bool, commit: bool, template_source: str | None,
    as_json: bool,
) -> None:  # fmt: skip
    """Create the pipeline in the app's own repository.

    For example: scaffold pipeline --service kit --app-repo ../kit
    """
    from scaffold.commands.pipeline import app_root, cloned, pipeline_of
    from scaffold.commands.stored import record_of

    if app_repo is None:
        raise UsageError("The app's repository is missing.", "Name its clone with --app-repo DIR.")
    monorepo = options.find(monorepo_at)
    if not (answer_files or settings or service):
        raise UsageError(
            "No answers were given.", "Give --answers FILE, or --service NAME for those of a stack."
        )
    given = options.given(answer_files, settings)
    if service:
        given = given.over(record_of(monorepo, service).given)
    options.opened(app_root(app_repo), writes=not dry_run)
    read = cloned(monorepo, given, app_repo)
    prepared = pipeline_of(monorepo, read, overwrite=overwrite or dry_run, template_source=template_source)
    output.finish(monorepo, prepared, write=not dry_run, commit=commit, as_json=as_json)
