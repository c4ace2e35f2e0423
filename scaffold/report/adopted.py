"""The adoption of a stack: the files, what it does to what runs, and what is left to do."""

from __future__ import annotations

from collections.abc import Iterator

from scaffold.commands.adopt import StackAdoption
from scaffold.errors import number_of
from scaffold.report.changes import (
    committed_text,
    files_json,
    files_text,
    gaps_text,
    origin_json,
    origin_text,
)
from scaffold.report.difference import consequence_text
from scaffold.report.findings import finding_text
from scaffold.report.prepared import verified_json
from scaffold.report.steps import steps_json, steps_text
from scaffold.templates.questions import Value


def adopted_json(found: StackAdoption, commit: str | None) -> dict[str, Value]:
    """The adoption as one object."""
    difference = found.plans.stacks[0].difference
    return {
        "stack": found.stack,
        "template": origin_json(found.origin),
        "files": files_json(found.part.change, with_diff=False),
        "verified": verified_json(found.part.verified),
        "difference": difference.to_json() if difference is not None else None,
        "consequences": found.plans.stacks[0].consequences,
        "accepted": list(found.left),
        "manual": steps_json(found.manual),
        "commit": commit,
    }


def adopted_text(found: StackAdoption, commit: str | None) -> Iterator[str]:
    """The same for people."""
    yield f"{found.stack} is adopted: its answers render it from now on."
    yield from (f"  {line}" for line in files_text(found.part.change))
    difference = found.plans.stacks[0].difference
    if difference is not None:
        moved = sum(one.moved for one in difference.changed)
        moves = f"{number_of(moved, 'object')} {'moves' if moved == 1 else 'move'} to another address"
        yield f"{moves}, {len(difference.added)} added by rules."
    for one in found.plans.stacks[0].consequences:
        yield f"  {one.effect.value:11}  {consequence_text(one)}"
    yield from (f"warning: {finding_text(finding)}" for finding in found.part.verified.warnings)
    yield from gaps_text(found.part.verified.unverified)
    yield from origin_text(found.origin)
    if found.manual:
        yield from steps_text(found.manual, "Lists outside the stack that need a person:")
    yield from committed_text(commit)
    yield f"Next: look at the diff, and apply {found.part.place}; scaffold change {found.stack} changes it."
