"""The command ``schema``: options to one call, its result to text."""

from __future__ import annotations

import click

from scaffold.cli import output


@click.command()
@click.option("--format", "form", type=click.Choice(["json", "markdown"]), default="json", show_default=True)
def schema(form: str) -> None:
    """Print the JSON Schema of answer files.

    For example: scaffold schema > answers.schema.json
    """
    from scaffold.commands.schema import markdown
    from scaffold.templates.schema import schema as build

    if form == "markdown":
        click.echo(markdown(), nl=False)
    else:
        output.print_json(build())
