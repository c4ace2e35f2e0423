"""The state of stacks: one line each, or JSON."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import PurePosixPath

from scaffold.commands.status import Recorded, Standing, Status
from scaffold.errors import number_of
from scaffold.report.findings import finding_json, seen
from scaffold.templates.questions import Value


def status_json(found: Status) -> dict[str, Value]:
    """The state of stacks as one object."""
    return {
        "version": found.version,
        "stacks": [_stack_json(one) for one in found.stacks],
        "attention": sum(one.needs_attention for one in found.stacks),
        "astray": found.astray,
    }


def _stack_json(one: Standing) -> dict[str, Value]:
    return {
        "stack": one.stack,
        "made_by": "scaffold" if one.recorded else "hand",
        "needs_attention": one.needs_attention,
        **(_recorded_json(one.recorded, one.behind) if one.recorded else {}),
        "findings": {"errors": one.errors, "warnings": one.warnings},
        "lists": [finding_json(finding) for finding in one.lists],
    }


def _recorded_json(recorded: Recorded, behind: int | None) -> dict[str, Value]:
    edited = recorded.edited
    return {
        "version": recorded.version or None,
        "behind": behind,
        "problem": recorded.problem or None,
        "answers_edited": recorded.by_hand,
        "edited": None
        if edited is None
        else [{"path": str(f.path), "action": f.action.value, "hunks": f.hunks} for f in edited],
        "invalid": [finding_json(finding) for finding in recorded.invalid],
        "moved": recorded.moved,
    }


def status_text(found: Status) -> Iterator[str]:
    """The state of stacks for people: a line each, and a summary."""
    width = max((len(one.stack) for one in found.stacks), default=0)
    for one in found.stacks:
        yield seen(f"{one.stack:{width}}  {'; '.join(_told(one, found.home)) or 'nothing to do'}")
    made = sum(one.recorded is not None for one in found.stacks)
    todo = sum(one.needs_attention for one in found.stacks)
    yield (
        "No stack was made by scaffold; --all shows those that were written by hand."
        if not found.stacks
        else (
            f"{number_of(len(found.stacks), 'stack')}, {made} made by scaffold (now {found.version}), "
            f"{len(found.stacks) - made} by hand; {todo} {'needs' if todo == 1 else 'need'} attention."
        )
    )
    if found.astray:
        astray = number_of(found.astray, "list entry", "list entries")
        which = "that belongs" if found.astray == 1 else "that belong"
        yield f"{astray} {which} to no stack: scaffold index --check"


def _told(one: Standing, home: str) -> Iterator[str]:
    recorded = one.recorded
    if recorded is None:
        yield "by hand"
    elif recorded.problem:
        yield recorded.problem.rstrip(".")
    else:
        yield from _told_of_answers(recorded, one.behind, PurePosixPath(home, one.stack))
    findings = [(one.errors, "error"), (one.warnings, "warning")]
    if any(number for number, _ in findings):
        yield ", ".join(number_of(number, word) for number, word in findings if number)
    if one.lists:
        yield f"{number_of(len(one.lists), 'list entry', 'list entries')} missing"


def _told_of_answers(recorded: Recorded, behind: int | None, stack: PurePosixPath) -> Iterator[str]:
    version = recorded.version or "version not recorded"
    far = "another version" if behind is None else f"{behind} behind"
    yield f"{version} ({far})" if behind != 0 else version
    if recorded.by_hand:
        yield "answers edited by hand"
    if recorded.invalid:
        answers = sorted({finding.answer or "" for finding in recorded.invalid} - {""})
        yield f"no longer valid: {', '.join(answers) or 'its answers'}"
    for file in recorded.edited or ():
        name = file.path.relative_to(stack)
        if file.before is None:
            yield f"{name} added by hand"
        elif file.after is None:
            yield f"{name} is gone"
        else:
            yield f"{name} edited ({number_of(file.hunks, 'hunk')})"
    if recorded.moved:
        yield f"changed since: {', '.join(one.fact for one in recorded.moved)}"
