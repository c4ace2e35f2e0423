"""The command ``update``: options to one call, its result to text."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from scaffold.cli import complete, options, output
from scaffold.errors import Kind, UsageError, number_of

if TYPE_CHECKING:
    from scaffold.commands.updated import Updates


@click.command()
@click.argument("stacks", nargs=-1, metavar="STACK…", shell_complete=complete.stacks)
@click.option("--all", "every", is_flag=True, help="Every stack that scaffold made.")
@click.option(
    "--plan", "preview", is_flag=True, help="Only show what would change, in the files and in what runs."
)
@click.option(
    "--to",
    "version",
    metavar="VERSION",
    help="A tag or commit of the templates, instead of the installed ones.",
)
@click.option("--conflicts", is_flag=True, help="Write conflicts too, with conflict markers.")
@options.accept("data-lost", "opened", "backup-lost")
@options.without_indexes
@click.option(
    "--commit", "commits", type=click.Choice(["per-stack", "one"]), help="Commit only these changes."
)
@click.option(
    "--verify", "level", type=click.Choice(["static", "plan"]),
    help="Skip the plans, or require them. By default, stacks are planned if Terraform is available.",
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
    accepted: Sequence[str],
    without_indexes: Sequence[str],
    commits: str | None,
    level: str | None,
    template_source: str | None,
    monorepo_at: Path | None,
    as_json: bool,
) -> int:
    """Bring stacks to newer templates, keeping manual edits.

    A stack where both changed the same thing, or that would silently lose data or open a host to the
    internet, is left as it is and named; the exit code is then 4.

    For example: scaffold update --all --plan
    """
    from scaffold.checks.verify import Level
    from scaffold.cli.group import EXIT_CODES
    from scaffold.commands.update import made_by_scaffold, merge_stacks, prepare
    from scaffold.report import update as report
    from scaffold.report.progress import waiting
    from scaffold.terraform.runner import at_once

    if bool(stacks) == every:
        raise UsageError("Name stacks, or give --all.", "For example: scaffold update drone-logbook --plan")
    if preview and (commits or conflicts):
        raise UsageError("--plan writes nothing.", "Leave out --commit and --conflicts.")
    if commits and conflicts:
        raise UsageError("Conflicts are not committed.", "Leave out --commit, or --conflicts.")
    monorepo = options.find(monorepo_at, writes=not preview)
    chosen = made_by_scaffold(monorepo) if every else stacks
    with waiting(f"Updating {number_of(len(chosen), 'stack')} …"):
        merges = merge_stacks(
            monorepo,
            chosen,
            to=version,
            template_source=template_source,
            level=Level(level) if level else None,
            workers=at_once(),
        )
    asks = not (preview or as_json) and options.in_terminal()
    updates = prepare(
        merges,
        accepted=accepted,
        meant=tuple(_meant(merges, accepted)) if asks else (),
        with_conflicts=conflicts,
        without_indexes=without_indexes,
    )
    made = () if preview else updates.write(commits=commits)
    output.print_either(
        report.update_json(updates, made, written=not preview),
        report.update_text(updates, made, written=not preview),
        as_json=as_json,
    )
    return EXIT_CODES[Kind.REFUSED] if updates.left else 0


def _meant(merges: Updates, accepted: Sequence[str]) -> Iterator[str]:
    """The stacks that a person says yes to, with what they do that has to be accepted."""
    from scaffold.checks.consequences import to_accept
    from scaffold.report.difference import consequence_text

    for one in merges.stacks:
        held = () if one.findings else to_accept(one.to_accept, accepted)
        if held:
            output.print_lines(f"{effect.effect.value:11}  {consequence_text(effect)}" for effect in held)
            if click.confirm(f"Update {one.stack} anyway?"):
                yield one.stack
