"""The command ``check``: options to one call, its result to text."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import click

from scaffold.cli import options, output
from scaffold.errors import UsageError

FORMATS = ("text", "json", "github", "sarif", "markdown")


@click.command()
@click.argument("stacks", nargs=-1, metavar="STACK|FILE…")
@click.option("--all", "every", is_flag=True, help="Every stack of the monorepo.")
@options.select
@options.ignore
@click.option("--static", is_flag=True, help="Look at the syntax alone, and plan nothing.")
@click.option("--format", "form", type=click.Choice(FORMATS), default="text", help="How it is told.")
@click.option("--by", type=click.Choice(("stack", "rule")), default="stack", help="How the text is grouped.")
@click.option("--statistics", is_flag=True, help="Count the findings by rule.")
@options.baseline
@options.update_baseline
@click.option(
    "--pipelines", type=click.Path(path_type=Path), metavar="DIR",
    help="An app's repository in place of stacks: its pipelines and Dockerfiles.",
)  # fmt: skip
@options.monorepo
@options.as_json
def check(
    stacks: Sequence[str],
    every: bool,
    select: Sequence[str],
    ignore: Sequence[str],
    static: bool,
    form: str,
    by: str,
    statistics: bool,
    baseline: Path | None,
    update_baseline: bool,
    pipelines: Path | None,
    monorepo_at: Path | None,
    as_json: bool,
) -> int:
    """Hold stacks, or an app's repository, against the rules; exit 1 where something is found."""
    if pipelines is not None:
        if stacks or every or static:
            raise UsageError("--pipelines goes without stacks.", "Check stacks in a run of their own.")
    elif bool(stacks) == every:
        raise UsageError("Name stacks, or give --all.", "For example: scaffold check drone-logbook")
    if update_baseline and (baseline is None or not (every or pipelines) or select or ignore):
        raise UsageError(
            "--update-baseline goes with --all and --baseline FILE.", "It knows every stack and every rule."
        )
    from scaffold.commands import check as command
    from scaffold.report.progress import waiting

    selection = command.Selection(options.codes(select), options.codes(ignore))
    known_in = None if update_baseline else baseline
    if pipelines is not None:
        from scaffold.commands.check_pipelines import check_pipelines

        options.opened(pipelines, writes=False)
        found = check_pipelines(pipelines, selection, baseline_file=known_in)
    else:
        monorepo = options.find(monorepo_at)
        with waiting("Checking …"):
            names = monorepo.stacks if every else command.stacks_at(monorepo, stacks)
            found = command.check(monorepo, names, selection, static=static, baseline_file=known_in)
    if update_baseline and baseline is not None:
        command.update_baseline(baseline, found)
        output.print_lines([f"{baseline}: {len(found.findings)} known findings"])
        return 0
    return output.print_checked(found, form, by=by, statistics=statistics, as_json=as_json)
