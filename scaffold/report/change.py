"""What ``change`` does to a Service."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from scaffold.report.changes import files_text, gaps_text
from scaffold.report.difference import consequence_text, overview, stack_lines
from scaffold.report.findings import finding_text
from scaffold.report.prepared import prepared_json
from scaffold.report.steps import steps_text
from scaffold.templates.questions import Value

if TYPE_CHECKING:
    from scaffold.changes.step import Step
    from scaffold.commands.changed import ServiceChange
    from scaffold.commands.prepared import Commits

_NONE = "–"


def change_json(
    change: ServiceChange, steps: Iterable[Step], *, written: bool, commits: Commits
) -> dict[str, Value]:
    """A change as JSON: what ``new-service`` tells, the answers, and what happens to what runs."""
    written = written and not change.prepared.unchanged
    difference = change.plans.stacks[0].difference if change.plans else None
    return {
        **prepared_json(change.prepared, steps, written=written, commits=commits),
        "answers": change.answers,
        "consequences": change.consequences or (() if change.plans else None),
        "to_accept": change.to_accept,
        "difference": difference.to_json() if difference is not None else None,
        "merged": change.edited,
    }


def change_text(
    change: ServiceChange, steps: Iterable[Step], *, written: bool, commits: Commits
) -> Iterator[str]:
    """A change for people, line by line; what is not written is shown as a diff first."""
    from scaffold.changes.change import diff

    prepared = change.prepared
    if prepared.stack is None or prepared.unchanged:
        yield f"{prepared.service} has these answers. Nothing to do."
        return
    if not written:
        yield diff(prepared.stack.change).rstrip("\n")
    yield f"{prepared.service}: {'changed' if written else 'would be changed'}"
    yield from (f"  {line}" for line in files_text(prepared.stack.change))
    yield from consequences_text(change)
    verified = prepared.stack.verified
    yield from (f"warning: {finding_text(finding)}" for finding in verified.warnings)
    yield from gaps_text(verified.unverified)
    if change.to_accept and not written:
        yield f"To write it: {' '.join(f'--accept {code}' for code in change.to_accept)}"
    if commits[0]:
        yield f"Committed as {commits[0][:12]}."
    if steps := tuple(steps):
        yield from steps_text(steps)


def consequences_text(change: ServiceChange) -> Iterator[str]:
    """The answers that differ, what happens to what runs, and the planned difference."""
    yield "Answers"
    yield from (f"  {one.path}: {_shown(one.before)} → {_shown(one.after)}" for one in change.answers)
    if not change.answers:
        yield "  The same values hold; only what is given and what is a default differs."
    if not change.renders:
        yield "Nothing that is rendered follows from them: they are only recorded."
    if change.edited:
        yield f"Merged with edits by hand: {', '.join(map(str, change.edited))}"
    told = [f"  {one.effect.value:11}  {consequence_text(one)}" for one in change.consequences]
    if change.plans is None:
        yield from ["What shows of it without a plan", *told] if told else ()
        return
    yield "What it does"
    yield from told or ["  Nothing is destroyed, replaced, restarted, opened or closed."]
    (stack,) = change.plans.stacks
    if lines := list(stack_lines(overview(change.plans), stack)):
        yield "Planned"
        yield from (f"  {line}" for line in lines)


def _shown(value: Value) -> str:
    from scaffold.answers.mends import in_line

    return in_line(value) if value not in (None, "") else _NONE
