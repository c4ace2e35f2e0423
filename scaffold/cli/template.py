"""The command ``template``: options to one call, its result to text."""

from __future__ import annotations

from pathlib import Path

import click

from scaffold.cli import options, output


@click.group()
def template() -> None:
    """Publish the templates for stock Copier.

    For example: scaffold template export ../templates
    """


@template.command()
@click.argument("directory", type=click.Path(path_type=Path))
@options.as_json
def export(directory: Path, as_json: bool) -> None:
    """Add this version of the templates to a Git repository.

    DIRECTORY gets a commit and a tag, and is created if it is not there. Push it, and set `template` in
    scaffold.yml to its URL.
    """
    from scaffold.commands.export import export as carry_out
    from scaffold.templates.template import origin

    made = carry_out(directory, origin())
    told = f"{made.directory} has the templates of {made.tag}" + ("." if made.new else " already.")
    output.print_either(made, [told], as_json=as_json)
