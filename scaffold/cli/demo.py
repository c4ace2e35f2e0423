"""The command ``demo``: options to one call, its result to text."""

from __future__ import annotations

from pathlib import Path

import click


@click.command()
@click.argument("directory", type=click.Path(path_type=Path))
def demo(directory: Path) -> None:
    """Create a sample monorepo in DIRECTORY to try things in.

    For example: scaffold demo homelab
    """
    from scaffold.demo import write

    write(directory)
    click.echo(f"A sample monorepo is in {directory}.")
