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
@click.option(
    "--select", multiple=True, metavar="CODES", help="Only these rules, or families of rules: ING,STO002."
)
@click.option("--ignore", multiple=True, metavar="CODES", help="Not these rules, or families of rules.")
@click.option("--static", is_flag=True, help="Look at the syntax alone, and plan nothing.")
@click.option("--format", "form", type=click.Choice(FORMATS), default="text", help="How it is told.")
@click.option("--by", type=click.Choice(("stack", "rule")), default="stack", help="How the text is grouped.")
@click.option("--statistics", is_flag=True, help="Count the findings by rule.")
@click.option(
    "--baseline", type=click.Path(path_type=Path), metavar="FILE", help="Leave out the findings known there."
)
@click.option("--update-baseline", is_flag=True, help="Write all findings into the baseline.")
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
        if (
            stacks
            or every
            or select
            or ignore
            or static
            or statistics
            or baseline
            or (form, by) != ("text", "stack")
        ):
            raise UsageError("--pipelines goes with --json alone.", "Check stacks in a run of their own.")
        return _pipelines(pipelines, as_json)
    from scaffold.commands import check as command
    from scaffold.report import check as report
    from scaffold.report.progress import waiting

    monorepo = options.find(monorepo_at)
    if bool(stacks) == every:
        raise UsageError("Name stacks, or give --all.", "For example: scaffold check drone-logbook")
    if update_baseline and (baseline is None or not every or select or ignore):
        raise UsageError(
            "--update-baseline goes with --all and --baseline FILE.", "It knows every stack and every rule."
        )
    selection = command.Selection(_codes(select), _codes(ignore))
    with waiting("Checking …"):
        names = monorepo.stacks if every else command.stacks_at(monorepo, stacks)
        found = command.check(
            monorepo, names, selection, static=static, baseline_file=None if update_baseline else baseline
        )
    if update_baseline and baseline is not None:
        command.update_baseline(baseline, found)
        output.print_lines([f"{baseline}: {len(found.findings)} known findings"])
        return 0
    rules = {rule.code: rule for rule in command.all_rules()}
    output.print_either(
        report.as_json(found, rules),
        report.told(found, form, rules, by=by, statistics=statistics),
        as_json=as_json or form == "json",
    )
    return int(bool(found.findings))


def _codes(given: Sequence[str]) -> tuple[str, ...]:
    return tuple(code.strip() for text in given for code in text.split(",") if code.strip())


def _pipelines(directory: Path, as_json: bool) -> int:
    from scaffold.commands.check_pipelines import check_pipelines
    from scaffold.report import pipeline as report

    options.opened(directory, writes=False)
    found = check_pipelines(directory)
    output.print_either(
        report.pipeline_report_json(found), report.pipeline_report_text(found), as_json=as_json
    )
    return int(bool(found.findings))
