"""Printing of results, and what is told before something is written."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from scaffold.monorepo.repository import Monorepo


def print_json(value: object) -> None:
    """One JSON object on standard output."""
    click.echo(json.dumps(value, indent=2, ensure_ascii=False))


def print_lines(lines: Iterable[str]) -> None:
    """Lines for people on standard output."""
    for line in lines:
        click.echo(line)


def print_either(value: object, lines: Iterable[str], *, as_json: bool) -> None:
    """One of the two forms of a result."""
    if as_json:
        print_json(value)
    else:
        print_lines(lines)


def recover(monorepo: Monorepo, *, quiet: bool) -> None:
    """Finish or undo what an interrupted run left in the monorepo, before anything new is written."""
    recover_at(monorepo.root, quiet=quiet)


def recover_at(root: Path, *, quiet: bool) -> None:
    """Finish or undo what an interrupted run left in the repository at ``root``."""
    from scaffold.changes.apply import recover as finish

    reached = finish(root)
    if reached is not None and not quiet:
        click.echo(f"An interrupted change was found; now every file is {reached.value}.", err=True)
