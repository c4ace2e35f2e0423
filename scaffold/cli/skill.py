"""The command ``skill``: what coding agents have to know, put where they look for it."""

from __future__ import annotations

from pathlib import Path

import click

from scaffold.cli import options, output


@click.command()
@click.option("--write", is_flag=True, help="Put it into the monorepo, with a section in AGENTS.md.")
@options.monorepo
@options.as_json
def skill(write: bool, monorepo_at: Path | None, as_json: bool) -> None:
    """Print what a coding agent needs to know.

    With --write, put it into the monorepo, where agents look for it.

    For example: scaffold skill --write
    """
    from scaffold.commands import skill as command
    from scaffold.monorepo.sensing import facts
    from scaffold.templates import decisions

    if not write:
        monorepo = options.around(monorepo_at)
        text = command.skill(facts(monorepo) if monorepo else decisions.house())
        output.print_either({"skill": text}, text.splitlines(), as_json=as_json)
        return
    from scaffold.changes.apply import apply

    monorepo = options.find(monorepo_at, writes=True)
    change = command.planned(monorepo.files, facts(monorepo))
    apply(change)
    told = [f"{file.action.value} {file.path}" for file in change.changes]
    output.print_either({"files": told}, told or ["Nothing to do."], as_json=as_json)
