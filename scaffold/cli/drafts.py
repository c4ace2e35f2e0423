"""The command ``drafts``: Services that were begun and not finished."""

from __future__ import annotations

from pathlib import Path

import click

from scaffold.cli import complete, options, output
from scaffold.errors import UsageError


@click.command()
@click.option(
    "--drop", "dropped", multiple=True, metavar="NAME", shell_complete=complete.drafts,
    help="Forget the draft of NAME. May be repeated.",
)  # fmt: skip
@options.monorepo
@options.as_json
def drafts(dropped: tuple[str, ...], monorepo_at: Path | None, as_json: bool) -> None:
    """List Services that were started but not finished.

    The newest comes first; --drop forgets one.

    For example: scaffold drafts --drop unnamed
    """
    from scaffold.wizard.drafts import Drafts

    kept = Drafts.of(options.find(monorepo_at).root)
    unknown = [name for name in dropped if name not in kept.names]
    if unknown:
        known = f"There are drafts of: {', '.join(kept.names)}." if kept.names else "There are no drafts."
        raise UsageError(f"There is no draft of {', '.join(unknown)}.", known)
    for name in dropped:
        kept.drop(name)
    lines = [f"{name}: scaffold new-service --resume {name}" for name in kept.names]
    output.print_either({"drafts": list(kept.names)}, lines or ["There are no drafts."], as_json=as_json)
