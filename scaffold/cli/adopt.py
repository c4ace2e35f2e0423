"""The command ``adopt``: how far answers describe stacks that were made by hand."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

import click

from scaffold.cli import complete, options, output
from scaffold.errors import UsageError


@click.command()
@click.argument("stacks", nargs=-1, metavar="STACK…", shell_complete=complete.stacks)
@click.option("--all", "every", is_flag=True, help="Every stack that was made by hand.")
@options.monorepo
@options.as_json
def adopt(stacks: Sequence[str], every: bool, monorepo_at: Path | None, as_json: bool) -> None:
    """Tell how far answers describe stacks that were made by hand. Nothing is written.

    Of one stack the answers are told too, each with where it came from.

    For example: scaffold adopt --all
    """
    from scaffold.commands.adoption import examine
    from scaffold.commands.check import stacks_at
    from scaffold.commands.update import made_by_scaffold
    from scaffold.report import adoption as report
    from scaffold.report.progress import waiting

    if bool(stacks) == every:
        raise UsageError("Name stacks, or give --all.", "For example: scaffold adopt --all")
    monorepo = options.find(monorepo_at)
    made = set(made_by_scaffold(monorepo)) if every else set()
    names = [name for name in monorepo.stacks if name not in made] if every else stacks_at(monorepo, stacks)
    with waiting("Planning what stands there and what its answers render …"):
        found = examine(monorepo, names, os.cpu_count() or 1)
    output.print_either(report.adoption_json(found), report.adoption_text(found), as_json=as_json)
