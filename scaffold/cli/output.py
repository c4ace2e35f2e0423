"""Printing of results, and what is told before something is written."""

from __future__ import annotations

import os
import shlex
import sys
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import fields, is_dataclass
from enum import Enum
from pathlib import Path, PurePath
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from scaffold.answers.compose.report import Report
    from scaffold.commands.check import Checked
    from scaffold.commands.prepared import Prepared
    from scaffold.errors import ScaffoldError
    from scaffold.monorepo.repository import Monorepo


_NARROWEST = 40
"""Columns below which nothing is wrapped any further."""


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


def print_lines(lines: Iterable[str], *, beside: bool = False) -> None:
    """Lines for people: the result on standard output, what stands ``beside`` it on standard error."""
    click.echo("".join(f"{line}\n" for line in lines), nl=False, err=beside)


def print_either(value: object, lines: Iterable[str], *, as_json: bool) -> None:
    """One of the two forms of a result."""
    if as_json:
        print_json(value)
    else:
        print_lines(lines)


def print_error(error: ScaffoldError) -> None:
    """A failure on standard error, wrapped if that is a terminal; elsewhere what is one line stays one."""
    from scaffold.report.findings import error_text

    width = 0
    with suppress(OSError, ValueError, AttributeError):  # no terminal, or the stream is closed
        columns = os.get_terminal_size(sys.stderr.fileno()).columns
        width = max(columns, _NARROWEST) if columns else 0  # one that does not know its width has 0
    click.echo(error_text(error, width), err=True)


def finish(
    monorepo: Monorepo,
    prepared: Prepared,
    *,
    write: bool,
    commit: bool,
    as_json: bool,
    imported: Report | None = None,
) -> None:
    """Write what is prepared, if ``write``, and tell of it; in JSON also of the compose file behind it."""
    from scaffold.report.prepared import prepared_json, prepared_text

    with ExitStack() as held:
        for change in prepared.changes if write else ():
            held.enter_context(writing(change.root))
        commits = prepared.apply(commit=commit) if write else (None, None)
    steps = prepared.next_steps(monorepo, commits)
    if as_json:
        told = prepared_json(prepared, steps, written=write, commits=commits)
        if imported is not None:
            from scaffold.report.imported import import_json

            told = {**told, "import": import_json(imported)}
        print_json(told)
    else:
        print_lines(prepared_text(prepared, steps, written=write, commits=commits))


@contextmanager
def writing(root: Path) -> Iterator[None]:
    """Hold a repository from before anything is read of it until all is written; see ``apply.writing``.

    Tells of another run that has to be waited for, and of an interrupted one that is finished or undone.
    """
    from scaffold.changes.apply import writing as held

    def tell() -> None:
        click.echo(f"Waiting for another scaffold that is writing in {root} …", err=True)

    with held(root, tell) as reached:
        if reached is not None:
            click.echo(f"An interrupted change was found; now every file is {reached.value}.", err=True)
        yield


def reading(root: Path) -> None:
    """Tell that an interrupted run left a repository half-written, before anything is read of it."""
    from scaffold.changes.lock import unfinished

    if unfinished(root):
        click.echo(
            f"{root} is half-written: an earlier run was interrupted. What follows may be wrong; commit "
            f"nothing. To finish or undo it:\n  scaffold doctor --recover {shlex.quote(str(root))}",
            err=True,
        )


def print_checked(
    found: Checked, form: str, *, by: str = "stack", statistics: bool = False, as_json: bool = False
) -> int:
    """What rules found, in a form; returns the exit code."""
    from scaffold.report import check as report

    print_either(
        report.as_json(found),
        report.told(found, form, by=by, statistics=statistics),
        as_json=as_json or form == "json",
    )
    return int(bool(found.findings))


def write_baseline(path: Path, found: Checked) -> int:
    """Let a baseline know what was found, and say so; returns the exit code."""
    from scaffold.commands.check import update_baseline
    from scaffold.errors import number_of

    update_baseline(path, found)
    print_lines([f"{path}: {number_of(len(found.findings), 'known finding')}"])
    return 0
