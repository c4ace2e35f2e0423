"""The command ``adopt``: how far answers describe stacks that were made by hand, and taking one over."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import click

from scaffold.cli import complete, options, output
from scaffold.errors import UsageError


@click.command()
@click.argument("stacks", nargs=-1, metavar="STACK…", shell_complete=complete.stacks)
@click.option("--all", "every", is_flag=True, help="Every hand-written stack.")
@click.option("--write", "writes", is_flag=True, help="Adopt the named stack.")
@options.settings
@options.answers
@click.option(
    "--accept", "accepted", multiple=True, metavar="LINE",
    help="An assumed answer, or an attribute that may change, as the message names it. May be repeated.",
)  # fmt: skip
@options.without_indexes
@options.template_source
@click.option("--commit", is_flag=True, help="Commit only the written files.")
@options.monorepo
@options.as_json
def adopt(
    stacks: Sequence[str], every: bool, writes: bool, settings: Sequence[str], answer_files: Sequence[str],
    accepted: Sequence[str], without_indexes: Sequence[str], template_source: str | None, commit: bool,
    monorepo_at: Path | None, as_json: bool,
) -> None:  # fmt: skip
    """Show how well answers describe hand-written stacks.

    With --write, adopt one. For a single stack, the answers are shown too, each with its origin. Answers
    given with --set and --answers override the inferred ones.

    For example: scaffold adopt --all
    """
    from scaffold.commands.adopt import prepare_adoption
    from scaffold.commands.adoption import examine
    from scaffold.commands.changed import demand_stacks_clean
    from scaffold.commands.check import stacks_at
    from scaffold.commands.update import made_by_scaffold
    from scaffold.report import adoption as report
    from scaffold.report.progress import waiting
    from scaffold.terraform.runner import at_once

    if bool(stacks) == every:
        raise UsageError("Name stacks, or give --all.", "For example: scaffold adopt --all")
    if not writes and (accepted or commit or without_indexes or template_source):
        problem = "--accept, --no-index, --template-source and --commit require --write."
        raise UsageError(problem, "For example: scaffold adopt kit --write")
    monorepo = options.find(monorepo_at, writes=writes)
    made = set(made_by_scaffold(monorepo))
    names = [one for one in monorepo.stacks if one not in made] if every else stacks_at(monorepo, stacks)
    over = options.over(answer_files, settings)
    if writes:
        if len(names) != 1 or every:
            raise UsageError(
                "Only one stack can be adopted at a time.", "For example: scaffold adopt kit --write"
            )
        with waiting("Rendering, checking and planning …"):
            adoption = prepare_adoption(monorepo, names[0], over, accepted, without_indexes, template_source)
        demand_stacks_clean(adoption.part.change)
        adoption.demand_harmless(accepted)
        with output.writing(monorepo.root):
            written = adoption.part.write(commit=commit)
        output.print_either(
            report.adopted_json(adoption, written), report.adopted_text(adoption, written), as_json=as_json
        )
        return
    with waiting("Planning what is there and what its answers render …"):
        found = examine(monorepo, names, at_once(), over)
    output.print_either(report.adoption_json(found), report.adoption_text(found), as_json=as_json)
