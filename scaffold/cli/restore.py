"""The command ``restore``: options to one call, its result to text."""

from __future__ import annotations

from pathlib import Path

import click

from scaffold.cli import complete, options, output


@click.command()
@click.argument("name", shell_complete=complete.stacks)
@options.monorepo
@options.as_json
def restore(name: str, monorepo_at: Path | None, as_json: bool) -> None:
    """Print how to restore a Service's volumes and databases.

    For example: scaffold restore kit
    """
    from scaffold.commands.steps import restore_steps
    from scaffold.commands.stored import stored_values
    from scaffold.report import steps as report

    steps = restore_steps(stored_values(options.find(monorepo_at), name))
    output.print_either(
        {"service": name, "restore": report.steps_json(steps)},
        report.restore_text(name, steps),
        as_json=as_json,
    )
