"""The command ``plan``: options to one call, its result to text."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import click

from scaffold.cli import complete, options, output
from scaffold.errors import UsageError, number_of


@click.command()
@click.argument("stacks", nargs=-1, metavar="STACK…", shell_complete=complete.stacks)
@click.option("--all", "every", is_flag=True, help="Every stack of the monorepo.")
@click.option("--against", metavar="REV", help="Show the difference from a Git revision.")
@click.option("--exit-code", is_flag=True, help="With --against: exit 1 if anything differs.")
@click.option(
    "--format",
    "form",
    type=click.Choice(("text", "markdown")),
    default="text",
    help="The format of the difference.",
)
@options.monorepo
@options.as_json
def plan(
    stacks: Sequence[str],
    every: bool,
    against: str | None,
    exit_code: bool,
    form: str,
    monorepo_at: Path | None,
    as_json: bool,
) -> int:
    """Show what Terraform would create for stacks, offline.

    This needs no cluster, no credentials and no provider binaries.

    For example: scaffold plan kit --against HEAD
    """
    from scaffold.commands.plan import plan as plan_stacks
    from scaffold.report import plan as report
    from scaffold.report.difference import difference_markdown
    from scaffold.report.progress import waiting
    from scaffold.terraform.runner import at_once

    monorepo = options.find(monorepo_at)
    if bool(stacks) == every:
        raise UsageError("Name stacks, or give --all.", "For example: scaffold plan drone-logbook")
    if exit_code and against is None:
        raise UsageError("--exit-code requires --against.", "For example: --against HEAD --exit-code")
    if form == "markdown" and against is None:
        raise UsageError(
            "--format markdown requires --against.", "For example: --against main --format markdown"
        )
    names = monorepo.stacks if every else stacks
    workers = min(len(names), at_once())
    with waiting(f"Planning {number_of(len(names), 'stack')} …"):
        plans = plan_stacks(monorepo, names, against=against, workers=workers)
    told = difference_markdown(plans) if form == "markdown" else report.plans_text(plans)
    output.print_either(report.plans_json(plans), told, as_json=as_json)
    return int(not plans.ok or (exit_code and plans.differs))
