"""The command ``status``: options to one call, its result to text."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import click

from scaffold.cli import complete, options, output
from scaffold.errors import UsageError


@click.command()
@click.argument("stacks", nargs=-1, metavar="STACK…", shell_complete=complete.stacks)
@click.option("--all", "every", is_flag=True, help="Every stack of the monorepo, hand-written ones too.")
@options.monorepo
@options.as_json
def status(stacks: Sequence[str], every: bool, monorepo_at: Path | None, as_json: bool) -> int:
    """Show the state of stacks, those that need attention first.

    It shows the named stacks, or all that scaffold made, and exits with 1 if there is something to do.

    For example: scaffold status --all
    """
    from scaffold.commands import status as command
    from scaffold.commands.check import stacks_at
    from scaffold.commands.update import made_by_scaffold
    from scaffold.report import status as report
    from scaffold.report.progress import waiting

    if stacks and every:
        raise UsageError("Name stacks, or give --all, not both.", "For example: scaffold status --all")
    monorepo = options.find(monorepo_at)
    names = stacks_at(monorepo, stacks) if stacks else monorepo.stacks
    if not stacks and not every:
        names = made_by_scaffold(monorepo)
    with waiting("Reading all stacks …"):
        found = command.status(monorepo, names)
    output.print_either(report.status_json(found), report.status_text(found), as_json=as_json)
    return int(any(one.needs_attention for one in found.stacks))
