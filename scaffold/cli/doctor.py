"""The command ``doctor``: options to one call, its result to text."""

from __future__ import annotations

from pathlib import Path

import click

from scaffold.cli import options, output
from scaffold.errors import ScaffoldError


@click.command()
@click.option(
    "--schemas",
    "file",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Store the provider schemas printed by `terraform providers schema -json`.",
)
@click.option(
    "--recover", "repository", type=click.Path(path_type=Path), metavar="DIR",
    help="Only finish or undo what an interrupted run left in a repository.",
)  # fmt: skip
@options.monorepo
@options.as_json
def doctor(file: Path | None, repository: Path | None, monorepo_at: Path | None, as_json: bool) -> None:
    """Show which tools, templates and schemas are available.

    For example: scaffold doctor
    """
    from scaffold.commands.doctor import diagnose
    from scaffold.report import doctor as report
    from scaffold.terraform.refresh import store

    if repository:
        options.opened(repository.resolve(), writes=True)
    stored = store(file) if file else ()
    monorepo, why_none = None, ""
    try:
        monorepo = options.find(monorepo_at)
    except ScaffoldError as error:
        if monorepo_at:
            raise
        why_none = error.message
    found = diagnose(monorepo, why_none)
    if as_json:
        output.print_json(report.diagnosis_json(found))
        return
    for schema in stored:
        click.echo(f"{schema.provider} {schema.version or '(version unknown)'}: schema stored.")
    output.print_lines(report.diagnosis_text(found))
