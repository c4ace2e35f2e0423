"""The command ``check``: options to one call, its result to text."""

from __future__ import annotations

from pathlib import Path

import click

from scaffold.cli import options, output


@click.command()
@click.option(
    "--pipelines", type=click.Path(path_type=Path), metavar="DIR", required=True,
    help="An app's repository: its pipelines and Dockerfiles.",
)  # fmt: skip
@options.as_json
def check(pipelines: Path, as_json: bool) -> int:
    """Hold what stands in a repository against the rules; exit 1 where something is found."""
    from scaffold.commands.check_pipelines import check_pipelines
    from scaffold.report import pipeline as report

    options.opened(pipelines, writes=False)
    found = check_pipelines(pipelines)
    if as_json:
        output.print_json(report.pipeline_report_json(found))
    else:
        output.print_lines(report.pipeline_report_text(found))
    return int(bool(found.findings))
