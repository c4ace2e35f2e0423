"""How the indexes look: what is in them, where they disagree with the stacks, what a removal changes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

from scaffold.changes.step import When
from scaffold.report.changes import committed_text, files_json, files_text, gaps_text
from scaffold.report.check import as_json, as_text
from scaffold.report.findings import finding_json
from scaffold.report.steps import steps_json, steps_text
from scaffold.templates.questions import Value

if TYPE_CHECKING:
    from scaffold.commands.check import Checked
    from scaffold.commands.index import Fixed, IndexState
    from scaffold.commands.remove_service import Mention, Removal, Removed


def states_json(states: Iterable[IndexState]) -> dict[str, Value]:
    """The indexes of a monorepo, as JSON."""
    return {
        "indexes": [
            {
                "name": state.name,
                "file": str(state.path),
                "required": state.required,
                "entries": state.entries,
                "problem": state.problem or None,
            }
            for state in states
        ]
    }


def states_text(states: Sequence[IndexState]) -> Iterator[str]:
    """The indexes of a monorepo, for people: name, number of entries, file."""
    if not states:
        yield "This monorepo keeps no lists of its Services; `lists` in scaffold.yml would name them."
    width = max((len(state.name) for state in states), default=0)
    for state in states:
        count = f"{state.entries:4}" if state.entries is not None else "   –"
        note = f": {state.problem}" if state.problem else ""
        yield f"{state.name:{width}} {count}  {state.path}{note}"


def fixed_json(fixed: Fixed, rest: Checked) -> dict[str, Value]:
    """What was added to the indexes, and where they still disagree with the stacks, as JSON."""
    return {
        "files": files_json(fixed.change, with_diff=False),
        "fixed": [finding_json(drift.finding) for drift in fixed.fixed],
        **as_json(rest),
        "not_verified": fixed.unverified,
    }


def fixed_text(fixed: Fixed, rest: Checked) -> Iterator[str]:
    """What was added to the indexes, and where they still disagree with the stacks, for people."""
    yield from files_text(fixed.change)
    for drift in fixed.fixed:
        yield f"  added {drift.service}: {drift.index.name} {drift.key}"
    yield from gaps_text(fixed.unverified)
    yield from as_text(rest)


def removal_json(removal: Removal, removed: Removed | None) -> dict[str, Value]:
    """A removal as JSON; ``removed`` if it was carried out."""
    return {
        "service": removal.service,
        "written": removed is not None,
        "commit": removed.commit if removed else None,
        "unsaved": [str(path) for path in removal.unsaved],
        "kept": removed.kept if removed else None,
        "files": files_json(removal.change, with_diff=removed is None),
        "not_verified": removal.unverified,
        "first_steps": steps_json(step for step in removal.steps if step.when is When.FIRST),
        "next_steps": steps_json(step for step in removal.steps if step.when is not When.FIRST),
        "warnings": list(removal.warnings),
        "mentions": removal.mentions,
    }


def mentions_text(mentions: Iterable[Mention]) -> Iterator[str]:
    """Where a name still stands, for people."""
    return (f"mentioned: {one.file}:{one.line}: {one.text}" for one in mentions)


def removal_text(removal: Removal, removed: Removed | None) -> Iterator[str]:
    """A removal for people: what is removed, lost and left to do; ``removed`` if it was carried out."""
    yield f"{removal.service}: {'removed' if removed else 'would be removed'}"
    yield from (f"  {line}" for line in files_text(removal.change))
    yield from gaps_text(removal.unverified)
    yield from committed_text(removed.commit if removed else None)
    if removal.unsaved:
        yield f"warning: No commit has the current content of {', '.join(map(str, removal.unsaved))}."
    if removed:
        yield f"Git still has the stack for a while: git restore --source={removed.kept} -- {removal.stack}"
    for warning in removal.warnings:
        yield f"warning: {warning}"
    before = "This should have come before; a stack that still runs has to come back for it:"
    first = [step for step in removal.steps if step.when is When.FIRST]
    yield from steps_text(first, before if removed else "Before that:")
    if after := [step for step in removal.steps if step not in first]:
        yield from steps_text(after, "After that:")
    yield from mentions_text(removal.mentions)
    if removed is None:
        yield "Nothing was written; --write does it."
