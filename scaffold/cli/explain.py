"""The command ``explain``: options to one call, its result to text."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import click

from scaffold.cli import options, output


@click.command()
@options.answers
@options.settings
@options.monorepo
@options.as_json
def explain(
    answer_files: Sequence[str], settings: Sequence[str], monorepo_at: Path | None, as_json: bool
) -> None:
    """Show the decisions that follow from answers, and why.

    For example: scaffold explain --answers kit.yml
    """
    from scaffold.commands.explain import explain as decide
    from scaffold.report import decisions as report

    given = options.given(answer_files, settings)
    made = decide(given, options.around(monorepo_at))
    if as_json:
        output.print_json({"decisions": made})
    else:
        import shutil

        click.echo(report.decisions_text(made, shutil.get_terminal_size((120, 24)).columns))
