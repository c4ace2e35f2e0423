"""The command ``update``: options to one call, its result to text."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import click

from scaffold.cli import complete, options, output
from scaffold.errors import Kind, UsageError


@click.command()
@click.argument("stacks", nargs=-1, metavar="STACK…", shell_complete=complete.stacks)
@click.option("--all", "every", is_flag=True, help="Every stack that scaffold made.")
@click.option(
    "--plan", "preview", is_flag=True, help="Only show what changes, of the files and of what runs."
)
@click.option(
    "--to", "version", metavar="VERSION", help="A tag or commit of the templates, not those installed."
)
@click.option("--conflicts", is_flag=True, help="Write conflicts too, with their marks.")
@click.option(
    "--commit", "commits", type=click.Choice(["per-stack", "one"]), help="Commit exactly these changes."
)
@click.option(
    "--verify", "level", type=click.Choice(["static", "plan"]),
    help="Leave out the plans, or demand them. By default they are made where Terraform is at hand.",
)  # fmt: skip
@options.template_source
@options.monorepo
@options.as_json
def update(
    stacks: Sequence[str],
    every: bool,
    preview: bool,
    version: str | None,
    conflicts: bool,
    commits: str | None,
    level: str | None,
    template_source: str | None,
    monorepo_at: Path | None,
    as_json: bool,
) -> int:
    """Bring stacks to a newer version of the templates, and keep what was edited by hand.

    A stack in which both changed the same thing is left as it is and named; then the exit code is 4.

    For example: scaffold update --all --plan
    """
    import os

    from scaffold.checks.verify import Level
    from scaffold.cli import EXIT_CODES
    from scaffold.commands.update import made_by_scaffold
    from scaffold.commands.update import update as prepare
    from scaffold.report import update as report
    from scaffold.report.progress import waiting

    if bool(stacks) == every:
        raise UsageError("Name stacks, or give --all.", "For example: scaffold update drone-logbook --plan")
    if preview and (commits or conflicts):
        raise UsageError("--plan writes nothing.", "Leave out --commit and --conflicts.")
    if commits and conflicts:
        raise UsageError("Conflicts are not committed.", "Leave out --commit, or --conflicts.")
    monorepo = options.find(monorepo_at, writes=not preview)
    chosen = made_by_scaffold(monorepo) if every else stacks
    with waiting(f"Updating {'one stack' if len(chosen) == 1 else f'{len(chosen)} stacks'} …"):
        updates = prepare(
            monorepo,
            chosen,
            to=version,
            template_source=template_source,
            level=Level(level) if level else None,
            with_conflicts=conflicts,
            workers=os.cpu_count() or 1,
        )
    made = () if preview else updates.write(commits=commits)
    output.print_either(
        report.update_json(updates, made, written=not preview),
        report.update_text(updates, made, written=not preview),
        as_json=as_json,
    )
    return EXIT_CODES[Kind.REFUSED] if updates.left else 0
