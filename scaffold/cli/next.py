"""The command ``next``: options to one call, its result to text."""

from __future__ import annotations

from pathlib import Path

import click

from scaffold.cli import complete, options, output


@click.command()
@click.argument("name", shell_complete=complete.stacks)
@options.monorepo
@options.as_json
def next(name: str, monorepo_at: Path | None, as_json: bool) -> None:
    """Show what is left to do before a Service runs.

    For example: scaffold next kit
    """
    from scaffold.commands.steps import next_steps
    from scaffold.report import steps as report

    steps = next_steps(options.find(monorepo_at), name)
    output.print_either(
        {"service": name, "next_steps": report.steps_json(steps)}, report.steps_text(steps), as_json=as_json
    )
