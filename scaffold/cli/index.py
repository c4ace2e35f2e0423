"""The command ``index``: options to one call, its result to text."""

from __future__ import annotations

from pathlib import Path

import click

from scaffold.cli import options, output

_READING = "Reading all stacks …"


@click.command()
@click.option(
    "--check", "check_only", is_flag=True, help="Compare with all stacks; exit 1 where they disagree."
)
@click.option("--fix", is_flag=True, help="Add what is missing and certain, and list the rest.")
@options.monorepo
@options.as_json
def index(check_only: bool, fix: bool, monorepo_at: Path | None, as_json: bool) -> int:
    """Show the lists outside the stacks that Services belong in, and where they drift from the stacks."""
    from scaffold.commands import index as command
    from scaffold.report import indexes as report
    from scaffold.report.progress import waiting

    monorepo = options.find(monorepo_at, writes=fix)
    if not check_only and not fix:
        states = command.show(monorepo)
        output.print_either(report.states_json(states), report.states_text(states), as_json=as_json)
        return 0
    if fix:
        from scaffold.changes.apply import apply

        with waiting(_READING):
            mended = command.fix(monorepo)
        apply(mended.change)
        output.print_either(report.mended_json(mended), report.mended_text(mended), as_json=as_json)
        return int(bool(mended.rest))
    with waiting(_READING):
        found = command.check(monorepo)
    output.print_either(report.drift_json(found), report.drift_text(found), as_json=as_json)
    return int(bool(found))
