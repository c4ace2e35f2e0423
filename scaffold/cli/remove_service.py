"""The command ``remove-service``: options to one call, its result to text."""

from __future__ import annotations

from pathlib import Path

import click

from scaffold.cli import complete, options, output
from scaffold.errors import UsageError


@click.command()
@click.argument("name", shell_complete=complete.stacks)
@click.option("--write", is_flag=True, help="Do it. Otherwise, only show what it would do.")
@click.option("--commit", is_flag=True, help="With --write: commit only these changes.")
@options.monorepo
@options.as_json
def remove_service(name: str, write: bool, commit: bool, monorepo_at: Path | None, as_json: bool) -> None:
    """Remove a Service's stack and its index entries.

    Entries that other Services share stay.

    For example: scaffold remove-service kit
    """
    from scaffold.commands.remove_service import plan_removal
    from scaffold.commands.remove_service import remove as carry_out
    from scaffold.report import indexes as report
    from scaffold.report.progress import waiting

    if commit and not write:
        raise UsageError("--commit requires --write.", "Without --write the removal is only shown.")

    monorepo = options.find(monorepo_at, writes=write)
    with waiting("Reading all stacks …"):
        removal = plan_removal(monorepo, name)
    removed = carry_out(removal, commit=commit) if write else None
    output.print_either(
        report.removal_json(removal, removed), report.removal_text(removal, removed), as_json=as_json
    )
