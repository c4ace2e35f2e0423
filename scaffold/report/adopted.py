"""The adoption of a stack: the files, what it does to what runs, and what is left to do."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from scaffold.report.findings import seen
from scaffold.templates.questions import Value

if TYPE_CHECKING:
    from scaffold.commands.adopt import StackAdoption


def adopted_json(found: StackAdoption, commit: str | None) -> dict[str, Value]:
    """The adoption as one object."""
    difference = found.plans.stacks[0].difference
    return {
        "stack": found.stack,
        "files": [{"path": str(c.path), "action": c.action.value} for c in found.part.change.changes],
        "difference": difference.to_json() if difference is not None else None,
        "consequences": [
            {"effect": one.effect.value, "address": one.address, "text": one.text}
            for one in found.plans.stacks[0].consequences
        ],
        "accepted": list(found.left),
        "commit": commit,
    }


def adopted_text(found: StackAdoption, commit: str | None) -> Iterator[str]:
    """The same for people."""
    yield f"{found.stack} is adopted: its answers render it from now on."
    for change in found.part.change.changes:
        yield seen(f"  {change.action.value:8} {change.path}")
    difference = found.plans.stacks[0].difference
    if difference is not None:
        moved = sum(one.moved for one in difference.changed)
        yield f"{moved} objects move to another address, {len(difference.added)} are gained by rules."
    for one in found.plans.stacks[0].consequences:
        yield seen(f"  {one.effect.value}: {one.address} {one.text}")
    if commit:
        yield f"Committed as {commit}."
    yield f"Next: look at the diff, and apply {found.part.place}; scaffold change {found.stack} changes it."
