"""The command ``demo``: options to one call, its result to text."""

from __future__ import annotations

import shlex
from pathlib import Path

import click


@click.command()
@click.argument("directory", type=click.Path(path_type=Path), default="sample-monorepo")
def demo(directory: Path) -> None:
    """Create a sample monorepo to try things in.

    It is created in DIRECTORY, by default in ./sample-monorepo.

    For example: scaffold demo homelab
    """
    from scaffold.demo import write

    write(directory)
    click.echo(f"A sample monorepo is in {directory}. To see what you can do there:")
    click.echo(f"  cd {shlex.quote(str(directory))} && scaffold")
