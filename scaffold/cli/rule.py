"""The command ``rule``: what a rule says and why."""

from __future__ import annotations

import click

from scaffold.cli import complete, output
from scaffold.errors import UsageError


@click.command()
@click.argument("code", required=False, shell_complete=complete.codes)
@click.option("--list", "every", is_flag=True, help="List every rule with its title.")
def rule(code: str | None, every: bool) -> None:
    """Explain a rule: what it says, why, and an example.

    For example: scaffold rule ING001
    """
    from scaffold.commands import rule as command
    from scaffold.commands.rule import all_rules

    if (code is None) != every:
        raise UsageError("Name a rule, or give --list.", "For example: scaffold rule ING001")
    if code is not None:
        output.print_lines(command.described(command.find(code)))
        return
    output.print_lines(f"{found.code}  {found.title}" for found in all_rules())
