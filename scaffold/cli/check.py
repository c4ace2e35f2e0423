"""The command ``check``: options to one call, its result to text."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING

import click

from scaffold.cli import complete, options, output
from scaffold.errors import UsageError

if TYPE_CHECKING:
    from scaffold.commands.check import Checked
    from scaffold.monorepo.repository import Monorepo

FORMATS = ("text", "json", "github", "sarif", "markdown", "html")


@click.command()
@click.argument("stacks", nargs=-1, metavar="STACK|FILE…", shell_complete=complete.stacks)
@click.option("--all", "every", is_flag=True, help="Every stack of the monorepo.")
@options.select
@options.ignore
@click.option("--static", is_flag=True, help="Check the syntax only, and plan nothing.")
@click.option("--fix", is_flag=True, help="Make the edits that rules offer, and report what is left.")
@click.option("--diff", "show", is_flag=True, help="Show the edits of --fix, and write nothing.")
@click.option("--format", "form", type=click.Choice(FORMATS), default="text", help="The output format.")
@click.option("--by", type=click.Choice(("stack", "rule")), default="stack", help="How to group the text.")
@click.option("--statistics", is_flag=True, help="Count the findings by rule.")
@options.baseline
@options.update_baseline
@click.option(
    "--pipelines", type=click.Path(path_type=Path), metavar="DIR",
    help="Check the pipelines and Dockerfiles of an app's repository instead of stacks.",
)  # fmt: skip
@options.monorepo
@options.as_json
def check(
    stacks: Sequence[str],
    every: bool,
    select: Sequence[str],
    ignore: Sequence[str],
    static: bool,
    fix: bool,
    show: bool,
    form: str,
    by: str,
    statistics: bool,
    baseline: Path | None,
    update_baseline: bool,
    pipelines: Path | None,
    monorepo_at: Path | None,
    as_json: bool,
) -> int:
    """Check stacks or an app's repository against the rules.

    It exits with 1 if there are findings.

    For example: scaffold check --all --select ING,SEC
    """
    if pipelines is not None:
        if stacks or every or static or fix or show or form == "html":
            raise UsageError(
                "--pipelines cannot be combined with stacks, --fix or html.",
                "Check stacks in a separate run.",
            )
        if update_baseline and (baseline is None or select or ignore):
            raise UsageError("--update-baseline requires --baseline FILE.", "The baseline covers every rule.")
    from scaffold.changes.apply import apply
    from scaffold.commands import check as command
    from scaffold.commands.changed import demand_stacks_clean
    from scaffold.commands.fix import plan_fix
    from scaffold.report import check as report
    from scaffold.report.progress import waiting

    selection = command.Selection(options.codes(select), options.codes(ignore))
    known = None if update_baseline else baseline
    if pipelines is not None:
        from scaffold.commands.check_pipelines import check_pipelines

        options.opened(pipelines, writes=False)
        looked_at = check_pipelines(pipelines, selection, baseline_file=known)
        if update_baseline and baseline is not None:
            return output.write_baseline(baseline, looked_at)
        return output.print_checked(looked_at, form, by=by, statistics=statistics, as_json=as_json)
    if show and form not in ("text", "json"):
        raise UsageError("--diff requires the format text or json.", "Leave one of them out.")
    monorepo = options.find(monorepo_at, writes=fix and not show)
    if bool(stacks) == every:
        raise UsageError("Name stacks, or give --all.", "For example: scaffold check drone-logbook")
    if update_baseline and (fix or show):
        raise UsageError(
            "--fix and --diff cannot be combined with --update-baseline.",
            "Fix first, then write the baseline.",
        )
    if update_baseline and (baseline is None or not every or select or ignore):
        raise UsageError(
            "--update-baseline requires --all and --baseline FILE.",
            "The baseline covers every stack and rule.",
        )
    names = monorepo.stacks if every else command.stacks_at(monorepo, stacks)

    def checked(monorepo: Monorepo) -> Checked:
        with waiting("Checking …"):
            return command.check(
                monorepo,
                names,
                selection,
                static=static,
                baseline_file=known,
                every_plan=form == "html",
            )

    found = checked(monorepo)
    fixed = plan_fix(monorepo, found) if fix or show else None
    if fixed and fixed.findings and not show:
        demand_stacks_clean(fixed.change)
        apply(fixed.change)
        monorepo = type(monorepo)(monorepo.root)
        found = checked(monorepo)
    if update_baseline and baseline is not None:
        return output.write_baseline(baseline, found)
    if statistics or as_json or form == "json":
        found = replace(found, off=command.rules_off(monorepo, selection))
    told = fixed.left_of(found, shown=show) if fixed else found
    if form == "html" and not as_json:
        from scaffold.commands.house import house_at_a_glance
        from scaffold.report.house import as_html

        output.print_lines([as_html(house_at_a_glance(monorepo, told))])
        return int(bool(found.findings))
    lines = report.told(told, form, by=by, statistics=statistics)
    summary = report.fixed_text(fixed, shown=show) if fixed and form == "text" else ()
    output.print_either(
        {**report.as_json(told), **(report.fixed_json(fixed, shown=show) if fixed else {})},
        chain(lines, summary),
        as_json=as_json or form == "json",
    )
    return int(bool(found.findings))
