"""Printing of results, and what is told before something is written."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import fields, is_dataclass
from enum import Enum
from pathlib import Path, PurePath
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from scaffold.commands.prepared import Prepared
    from scaffold.monorepo.repository import Monorepo


def print_json(value: object) -> None:
    """One JSON object on standard output."""
    click.echo(json_text(value))


def json_text(value: object) -> str:
    """A result as JSON; a dataclass is an object with its fields."""
    import json

    return json.dumps(value, indent=2, ensure_ascii=False, default=_plain)


def _plain(value: object) -> object:
    if is_dataclass(value):
        return {field.name: getattr(value, field.name) for field in fields(value)}
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, PurePath):
        return str(value)
    raise TypeError(f"{value!r} has no form in JSON")


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


def finish(monorepo: Monorepo, prepared: Prepared, *, write: bool, commit: bool, as_json: bool) -> None:
    """Write what is prepared, if ``write``, and tell of it."""
    from scaffold.report.prepared import prepared_json, prepared_text

    commits = prepared.apply(commit=commit) if write else (None, None)
    steps = prepared.next_steps(monorepo, commits)
    if as_json:
        print_json(prepared_json(prepared, steps, written=write, commits=commits))
    else:
        print_lines(prepared_text(prepared, steps, written=write, commits=commits))


def recover(monorepo: Monorepo, *, quiet: bool) -> None:
    """Finish or undo what an interrupted run left in the monorepo, before anything new is written."""
    recover_at(monorepo.root, quiet=quiet)


def recover_at(root: Path, *, quiet: bool) -> None:
    """Finish or undo what an interrupted run left in the repository at ``root``."""
    from scaffold.changes.apply import recover as finish

    reached = finish(root)
    if reached is not None and not quiet:
        click.echo(f"An interrupted change was found; now every file is {reached.value}.", err=True)
