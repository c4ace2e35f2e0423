"""The command ``change``: other answers for a Service that exists, from options, an editor or questions."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from scaffold.cli import complete, options, output
from scaffold.errors import AnswersError, RefusedError, UsageError

if TYPE_CHECKING:
    from collections.abc import Callable

    from scaffold.answers.sources import Answers
    from scaffold.commands.changed import ServiceChange
    from scaffold.commands.prepared import Commits
    from scaffold.monorepo.repository import Monorepo


@click.command()
@click.argument("name", shell_complete=complete.stacks)
@options.settings
@click.option(
    "--unset", "unset", multiple=True, metavar="KEY",
    help="Withdraw an answer or an item: memory, volumes[thumbs]. Its default then applies.",
)  # fmt: skip
@options.answers
@click.option("--edit", is_flag=True, help="Change the answers in $EDITOR.")
@click.option("--dry-run", is_flag=True, help="Show what it would do, and write nothing.")
@options.accept("data-lost", "opened", "backup-lost", "not-compared")
@options.level
@options.without_indexes
@click.option("--commit", is_flag=True, help="Commit only the written files.")
@options.plain
@options.monorepo
@options.as_json
def change(
    name: str, settings: Sequence[str], unset: Sequence[str], answer_files: Sequence[str], edit: bool,
    dry_run: bool, accepted: Sequence[str], level: str | None, without_indexes: Sequence[str], commit: bool,
    plain: bool, monorepo_at: Path | None, as_json: bool,
) -> None:  # fmt: skip
    """Change a Service's answers, and all that follows.

    The stack and the lists outside it follow, and manual edits are kept. Without options, in a terminal, the
    review of the current answers opens.

    For example: scaffold change kit --set memory=1Gi
    """
    from scaffold.answers.settings import without
    from scaffold.checks.verify import Level
    from scaffold.commands.change import prepare_change
    from scaffold.commands.stored import record_of
    from scaffold.report.progress import waiting

    interactive = options.in_terminal() and not as_json
    asks = not (settings or unset or answer_files)
    if asks and not interactive:
        raise UsageError(
            "Say what to change.", "For example: --set memory=1Gi, --unset KEY or --answers FILE."
        )
    monorepo = options.find(monorepo_at, writes=not (dry_run or asks))
    present = record_of(monorepo, name).given
    wanted = without(unset, options.over(answer_files, settings)(present))
    how = Level(level) if level else None

    def prepared(wanted: Answers) -> ServiceChange:
        with waiting("Rendering, checking and planning …"):
            return prepare_change(monorepo, name, wanted, level=how, without_indexes=without_indexes)

    if asks and not edit:
        from scaffold.wizard.change import ask

        asked = ask(monorepo, name, how, without_indexes, plain=plain)
        found, closing, commit = asked.change, asked.closing, commit or asked.commit
    else:
        found = _edited(wanted, prepared) if edit else prepared(wanted)
        closing = ("Nothing was written.",)
    if found is None:
        output.print_lines(closing)
    else:
        finish_change(
            monorepo, found, accepted, write=not dry_run, commit=commit, asks=interactive, as_json=as_json
        )


def _edited(wanted: Answers, prepared: Callable[[Answers], ServiceChange]) -> ServiceChange | None:
    """What follows from answers as an editor leaves them, which is opened again while they are not valid."""
    from scaffold.answers.page import commented
    from scaffold.answers.sources import from_yaml

    text: str | None = commented(wanted.values)
    while (text := click.edit(text, extension=".yml")) is not None:
        try:
            return prepared(from_yaml(text.encode(), "answers"))
        except AnswersError as error:
            output.print_error(error)
            if not click.confirm("Edit them again?", default=True, err=True):
                return None
    return None


def finish_change(
    monorepo: Monorepo, found: ServiceChange, accepted: Sequence[str], *,
    write: bool, commit: bool, asks: bool, as_json: bool,
) -> None:  # fmt: skip
    """Write what is prepared, if that is asked and accepted, and tell of it."""
    from scaffold.commands.changed import demand_stacks_clean
    from scaffold.report.change import change_json, change_text, consequences_text

    prepared = found.prepared
    if write and not prepared.unchanged:
        assert prepared.stack is not None
        demand_stacks_clean(prepared.stack.change)
        left = [code for code in found.to_accept if code not in accepted]
        if left and asks:
            output.print_lines(consequences_text(found))
            if not click.confirm(f"{prepared.service}: {', '.join(left)}. Do it anyway?"):
                raise RefusedError("Nothing was written.")
        else:
            found.demand_accepted(accepted)
    commits: Commits = (None, None)
    if write:
        with output.writing(monorepo.root):
            commits = prepared.apply(commit=commit)
    steps = () if prepared.unchanged else found.next_steps(monorepo, commits)
    if as_json:
        output.print_json(change_json(found, steps, written=write, commits=commits))
    else:
        output.print_lines(change_text(found, steps, written=write, commits=commits))
