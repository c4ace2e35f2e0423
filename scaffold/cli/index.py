"""The command ``index``: options to one call, its result to text."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import click

from scaffold.cli import options, output
from scaffold.cli.check import FORMATS
from scaffold.errors import UsageError

_READING = "Reading all stacks …"


@click.command()
@click.option("--check", "check_only", is_flag=True, help="Compare with all stacks; exit 1 if they disagree.")
@click.option("--fix", is_flag=True, help="Add what is missing and certain, and list the rest.")
@click.option("--list", "lists", multiple=True, metavar="NAME", help="Compare only these lists.")
@click.option("--stack", "stacks", multiple=True, metavar="NAME", help="Report only what these stacks lack.")
@options.select
@options.ignore
@click.option(
    "--format",
    "form",
    type=click.Choice([form for form in FORMATS if form != "html"]),
    default="text",
    help="The output format.",
)
@options.baseline
@options.update_baseline
@options.monorepo
@options.as_json
def index(
    check_only: bool,
    fix: bool,
    lists: Sequence[str],
    stacks: Sequence[str],
    select: Sequence[str],
    ignore: Sequence[str],
    form: str,
    baseline: Path | None,
    update_baseline: bool,
    monorepo_at: Path | None,
    as_json: bool,
) -> int:
    """Show the lists outside the stacks that name Services.

    With --check, it shows where they differ from the stacks.

    For example: scaffold index --check
    """
    from scaffold.commands import check as rules
    from scaffold.commands import index as command
    from scaffold.report import indexes as report
    from scaffold.report.progress import waiting

    narrowed = bool(lists or stacks or select or ignore)
    if (narrowed or form != "text" or baseline or update_baseline) and not check_only:
        raise UsageError(
            "These options require --check.", "For example: scaffold index --check --list domains"
        )
    if update_baseline and (baseline is None or narrowed):
        raise UsageError(
            "--update-baseline requires --baseline FILE.", "The baseline covers every list and stack."
        )
    monorepo = options.find(monorepo_at, writes=fix)
    if not check_only and not fix:
        states = command.show(monorepo)
        output.print_either(report.states_json(states), report.states_text(states), as_json=as_json)
        return 0
    if fix:
        from scaffold.changes.apply import apply

        with waiting(_READING):
            fixed = command.fix(monorepo)
        apply(fixed.change)
        rest = command.checked(monorepo, fixed.rest)
        output.print_either(report.fixed_json(fixed, rest), report.fixed_text(fixed, rest), as_json=as_json)
        return int(bool(fixed.rest))
    selection = rules.Selection(options.codes(select), options.codes(ignore))
    with waiting(_READING):
        known_in = None if update_baseline else baseline
        found = command.check(monorepo, selection, lists=lists, stacks=stacks, baseline_file=known_in)
    if update_baseline and baseline is not None:
        return output.write_baseline(baseline, found)
    return output.print_checked(found, form, as_json=as_json)
