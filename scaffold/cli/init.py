"""The command ``init``: options to one call, its result to text."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from scaffold.cli import options, output
from scaffold.errors import UsageError

if TYPE_CHECKING:
    from scaffold.monorepo.initial import Shown
    from scaffold.templates.questions import Value


@click.command()
@click.option("--yes", is_flag=True, help="Accept what is shown, and ask nothing.")
@click.option(
    "--set", "settings", multiple=True, metavar="FACT=VALUE",
    help="Give a fact yourself, such as domain=example.org or shared_modules.ingress=web.",
)  # fmt: skip
@click.option("--dry-run", is_flag=True, help="Show what would be written, and write nothing.")
@options.monorepo
@options.as_json
def init(
    yes: bool, settings: tuple[str, ...], dry_run: bool, monorepo_at: Path | None, as_json: bool
) -> None:  # fmt: skip
    """Write scaffold.yml for your own monorepo.

    It shows where the stacks, the shared modules and the rest are seen, and asks whether that is right. A
    scaffold.yml that is there stays as it is: only facts that it does not mention are added.

    For example: scaffold init --dry-run
    """
    from scaffold.changes.apply import apply
    from scaffold.commands.init import prepare
    from scaffold.report import init as report

    root = (monorepo_at or Path.cwd()).resolve()
    asks = not yes and not dry_run and not as_json
    if asks and not options.in_terminal():
        raise UsageError("There is nobody to ask.", "Give --yes to write it as it is shown, or --dry-run.")
    writes = (yes and not dry_run) or asks
    options.opened(root, writes=writes)
    found = prepare(root, _ask if asks else None, dict(map(_setting, settings)))
    if asks and found.change.changes:
        writes = click.confirm("Write it?", default=True)
    if writes:
        apply(found.change)
    written = writes and bool(found.change.changes)
    output.print_either(
        report.initial_json(found, written=written),
        report.initial_text(found, written=written),
        as_json=as_json,
    )


def _setting(text: str) -> tuple[str, str]:
    """A fact and its text, as ``--set`` has them. Raises :class:`UsageError` without an equals sign."""
    fact, equals, value = text.partition("=")
    if not equals:
        raise UsageError(f"--set {text} has no value.", "Write it as FACT=VALUE.")
    return fact, value


def _ask(shown: Shown) -> Value:
    """What a person says of a fact: each text of it, with what is shown as the default."""
    click.echo(f"{shown.fact} ({shown.where}):")
    if not isinstance(shown.value, dict):
        return _text(shown.fact, shown.value)
    return {key: _text(key, value) for key, value in shown.value.items()}


def _text(name: str, value: Value) -> Value:
    if isinstance(value, dict):
        told = ", ".join(f"{key} is {text}" for key, text in value.items())
        return value if click.confirm(f"  {name}: {told}", default=True) else {}
    if isinstance(value, bool):
        return click.confirm(f"  {name}", default=value)
    said: str = click.prompt(f"  {name} (- for none)", default=str(value) or "-")
    return "" if said == "-" else said
