"""``scaffold`` alone in a terminal: where one is, and what to do next."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from scaffold.errors import ScaffoldError, number_of

if TYPE_CHECKING:
    from scaffold.monorepo.repository import Monorepo


def overview() -> Iterator[str]:
    """The monorepo around the current directory, what is unfinished there, and the commands to begin with."""
    from scaffold.monorepo.repository import Monorepo

    try:
        monorepo = Monorepo.find(Path.cwd())
    except ScaffoldError as error:
        yield error.message
        yield ""
        yield from _table(
            ("scaffold demo homelab", "create a sample monorepo to try everything in"),
            ("cd DIR", "go to your own monorepo, and run `scaffold` again"),
        )
    else:
        yield from _of(monorepo)
    yield from ("", "All commands: scaffold --help")


def _of(monorepo: Monorepo) -> Iterator[str]:
    from scaffold.commands.stored import stored_answers
    from scaffold.commands.update import made_by_scaffold
    from scaffold.templates import template
    from scaffold.wizard.drafts import Drafts

    made = made_by_scaffold(monorepo)
    stacks = number_of(len(monorepo.stacks), "stack")
    yield f"{monorepo.root}: {stacks}, {len(made)} of them made by scaffold."
    unfinished = [
        (f"scaffold new-service --resume {name}", f"resume the draft of {name}")
        for name in Drafts.of(monorepo.root).names
    ]
    versions = []
    for name in made:
        try:
            versions.append(stored_answers(monorepo, name).get("_commit"))
        except ScaffoldError:
            versions.append(None)
    if behind := sum(version != template.origin().version for version in versions):
        text = f"see what newer templates change in {number_of(behind, 'stack')}"
        unfinished.append(("scaffold update --all --plan", text))
    yield ""
    yield from _table(
        *unfinished,
        ("scaffold new-service", "answer a few questions to get a new Service"),
        *([("scaffold change NAME", "change the answers of an existing Service")] if made else ()),
        *([("scaffold status", "see the state of your Services")] if made else ()),
        ("scaffold check --all", "check every stack against the house rules"),
    )


def _table(*rows: tuple[str, str]) -> Iterator[str]:
    width = max(len(command) for command, _ in rows)
    return (f"  {command:{width}}  {text}" for command, text in rows)
