"""``scaffold`` alone in a terminal: where one is, and what to do next."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from scaffold.errors import ScaffoldError

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
            ("scaffold demo homelab", "write a sample monorepo to try everything in"),
            ("cd DIR", "go into your own monorepo, and say `scaffold` again"),
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
    yield f"{monorepo.root}: {len(monorepo.stacks)} stacks, {len(made)} of them made by scaffold."
    unfinished = [
        (f"scaffold new-service --resume {name}", f"go on with the draft of {name}")
        for name in Drafts.of(monorepo.root).names
    ]
    versions = []
    for name in made:
        try:
            versions.append(stored_answers(monorepo, name).get("_commit"))
        except ScaffoldError:
            versions.append(None)
    if behind := sum(version != template.origin().version for version in versions):
        text = f"see what newer rules change: {behind} were rendered by other templates"
        unfinished.append(("scaffold update --all --plan", text))
    yield ""
    yield from _table(
        *unfinished,
        ("scaffold new-service", "answer a few questions, and get a new Service"),
        *([("scaffold change NAME", "other answers for a Service that exists")] if made else ()),
        *([("scaffold status", "how the Services stand")] if made else ()),
        ("scaffold check --all", "hold every stack against the rules of the house"),
    )


def _table(*rows: tuple[str, str]) -> Iterator[str]:
    width = max(len(command) for command, _ in rows)
    return (f"  {command:{width}}  {text}" for command, text in rows)
