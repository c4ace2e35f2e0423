"""The command ``rename``: options to one call, its result to text."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import click

from scaffold.cli import complete, options
from scaffold.cli.change import finish_change


@click.command()
@click.argument("name", shell_complete=complete.stacks)
@click.argument("new_name")
@click.option("--keep-host", is_flag=True, help="Leave the host as it is, if it follows from the name.")
@click.option("--dry-run", is_flag=True, help="Show what it would do, and write nothing.")
@options.accept("data-lost", "opened", "backup-lost", "replaced", "destroyed", "not-compared")
@options.level
@options.without_indexes
@click.option("--commit", is_flag=True, help="Commit only the written files.")
@options.monorepo
@options.as_json
def rename(
    name: str, new_name: str, keep_host: bool, dry_run: bool, accepted: Sequence[str], level: str | None,
    without_indexes: Sequence[str], commit: bool, monorepo_at: Path | None, as_json: bool,
) -> None:  # fmt: skip
    """Rename a Service and its index entries.

    The stack's directory and the host follow. What holds data keeps its name: the namespace, volumes,
    databases and secrets.

    For example: scaffold rename kit toolbox
    """
    from scaffold.checks.verify import Level
    from scaffold.commands.rename import prepare_rename
    from scaffold.report.progress import waiting

    monorepo = options.find(monorepo_at, writes=not dry_run)
    with waiting("Rendering, checking and planning …"):
        found = prepare_rename(
            monorepo, name, new_name,
            keep_host=keep_host, level=Level(level) if level else None, without_indexes=without_indexes,
        )  # fmt: skip
    asks = options.in_terminal() and not as_json
    finish_change(monorepo, found, accepted, write=not dry_run, commit=commit, asks=asks, as_json=as_json)
