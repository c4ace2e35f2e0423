"""The command ``check``: options to one call, its result to text."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from scaffold.cli import options, output
from scaffold.errors import UsageError

if TYPE_CHECKING:
    from scaffold.commands.check import Checked
    from scaffold.monorepo.repository import Monorepo

FORMATS = ("text", "json", "github", "sarif", "markdown")


@click.command()
@click.argument("stacks", nargs=-1, metavar="STACK…")
@click.option("--all", "every", is_flag=True, help="Every stack of the monorepo.")
@click.option(
    "--select", multiple=True, metavar="CODES", help="Only these rules, or families of rules: ING,STO002."
)
@click.option("--ignore", multiple=True, metavar="CODES", help="Not these rules, or families of rules.")
@click.option("--static", is_flag=True, help="Look at the syntax alone, and plan nothing.")
@click.option("--fix", is_flag=True, help="Mend what a rule knows an edit for, and tell what is left.")
@click.option("--diff", "show", is_flag=True, help="Show those edits, and write nothing.")
@click.option("--format", "form", type=click.Choice(FORMATS), default="text", help="How it is told.")
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
    fix: bool,
    show: bool,
    form: str,
    statistics: bool,
    baseline: Path | None,
    update_baseline: bool,
    pipelines: Path | None,
    monorepo_at: Path | None,
    as_json: bool,
) -> int:
    """Hold stacks, or an app's repository, against the rules; exit 1 where something is found."""
    if pipelines is not None:
        given = (stacks, every, select, ignore, static, fix, show, form != "text", statistics, baseline)
        if any(given):
            raise UsageError("--pipelines goes with --json alone.", "Check stacks in a run of their own.")
        return _pipelines(pipelines, as_json)
    from scaffold.commands import check as command
    from scaffold.report import check as report
    from scaffold.report.progress import waiting

    if show and form not in ("text", "json"):
        raise UsageError("--diff goes with the formats text and json.", "Leave one of them out.")
    monorepo = options.find(monorepo_at, writes=fix and not show)
    if bool(stacks) == every:
        raise UsageError("Name stacks, or give --all.", "For example: scaffold check drone-logbook")
    if update_baseline and (fix or show):
        raise UsageError(
            "--fix and --diff go without --update-baseline.", "Mend first, then write the baseline."
        )
    if update_baseline and (baseline is None or not every or select or ignore):
        raise UsageError(
            "--update-baseline goes with --all and --baseline FILE.", "It knows every stack and every rule."
        )
    selection = command.Selection(_codes(select), _codes(ignore))
    names = monorepo.stacks if every else tuple(dict.fromkeys(Path(name).name for name in stacks))
    known_in = None if update_baseline else baseline

    def checked(monorepo: Monorepo) -> Checked:
        with waiting("Checking …"):
            return command.check(monorepo, names, selection, static=static, baseline_file=known_in)

    found = checked(monorepo)
    as_told = "json" if as_json else form
    if fix or show:
        from scaffold.commands import fix as fixing
        from scaffold.report.fix import told_fixed

        fixed = fixing.plan_fix(monorepo, found)
        if not show:
            fixing.write(fixed)
            found = checked(type(monorepo)(monorepo.root)) if fixed.mended else found
        if show or as_told in ("text", "json"):
            output.print_lines(told_fixed(fixed, found, as_told, show=show))
            return int(bool(found.findings))
    if update_baseline and baseline is not None:
        command.update_baseline(baseline, found)
        output.print_lines([f"{baseline}: {len(found.findings)} known findings"])
        return 0
    known = {rule.code: rule for rule in command.all_rules()}
    output.print_lines(report.told(found, as_told, known, statistics))
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
