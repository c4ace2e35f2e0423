"""What ``change`` does to a Service."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import PurePosixPath

from scaffold.answers.fixes import in_line
from scaffold.changes.change import ChangeSet, diff
from scaffold.changes.step import Step
from scaffold.commands.changed import ServiceChange
from scaffold.commands.prepared import Commits
from scaffold.report.changes import committed_text, files_text, gaps_text
from scaffold.report.difference import consequence_text, overview, stack_lines
from scaffold.report.findings import finding_text
from scaffold.report.indexes import mentions_text
from scaffold.report.prepared import prepared_json
from scaffold.report.steps import steps_text
from scaffold.templates.questions import Value

_NONE = "–"


def change_json(
    change: ServiceChange, steps: Iterable[Step], *, written: bool, commits: Commits
) -> dict[str, Value]:
    """A change as JSON: what ``new-service`` prints, the answers, and what happens to running workloads."""
    written = written and not change.prepared.unchanged
    difference = change.plans.stacks[0].difference if change.plans else None
    told = {
        **prepared_json(change.prepared, steps, written=written, commits=commits),
        "answers": change.answers,
        "consequences": change.consequences or (() if change.plans else None),
        "to_accept": change.to_accept,
        "difference": difference.to_json() if difference is not None else None,
        "merged": change.edited,
    }
    if change.was:
        kept = {".".join(one.place): one.kept for one in change.kept}
        told |= {"was": change.was, "kept": kept, "mentions": change.mentions}
    return told


def change_text(
    change: ServiceChange, steps: Iterable[Step], *, written: bool, commits: Commits
) -> Iterator[str]:
    """A change for people, line by line; what is not written is first shown as a diff."""
    prepared = change.prepared
    if prepared.stack is None or prepared.unchanged:
        yield f"{prepared.service} has these answers. Nothing to do."
        return
    if not written:
        place = prepared.stack.place
        moved = _in_place(prepared.stack.change, place.with_name(change.was or place.name), place)
        yield diff(moved).rstrip("\n")
    done = f"renamed to {prepared.service}" if change.was else "changed"
    yield f"{change.was or prepared.service}: {done if written else f'would be {done}'}"
    yield from (f"  {line}" for line in files_text(prepared.stack.change))
    yield from consequences_text(change)
    verified = prepared.stack.verified
    yield from (f"warning: {finding_text(finding)}" for finding in verified.warnings)
    yield from gaps_text(verified.unverified)
    if change.to_accept and not written:
        yield f"To write it: {' '.join(f'--accept {code}' for code in change.to_accept)}"
    yield from committed_text(commits[0])
    if steps := tuple(steps):
        yield from steps_text(steps)
    yield from mentions_text(change.mentions)


def _in_place(whole: ChangeSet, old: PurePosixPath, new: PurePosixPath) -> ChangeSet:
    """The change of a stack that moves, each of its files compared with its former self."""
    was = {new / f.path.relative_to(old): f for f in whole.changes if f.path.is_relative_to(old)}
    left = (file for file in whole.changes if not file.path.is_relative_to(old))
    found = (replace(f, before=was[f.path].before) if f.path in was else f for f in left)
    return ChangeSet(whole.root, tuple(file for file in found if file.before != file.after))


def consequences_text(change: ServiceChange) -> Iterator[str]:
    """The answers that differ, what happens to running workloads, and the planned difference."""
    yield "Answers"
    yield from (f"  {one.path}: {_shown(one.before)} → {_shown(one.after)}" for one in change.answers)
    if not change.answers:
        yield "  All values stay the same; only which of them are given and which are defaults differs."
    if not change.renders:
        yield "They change nothing that is rendered, and are only recorded."
    if change.kept:
        yield "Keeps its name"
        yield from (f"  {'.'.join(one.place)}: {one.kept}" for one in change.kept)
    if change.edited:
        yield f"Merged with manual edits: {', '.join(map(str, change.edited))}"
    told = [f"  {one.effect.value:11}  {consequence_text(one)}" for one in change.consequences]
    if change.plans is None:
        yield from ["What can be seen of it without a plan", *told] if told else ()
        return
    yield "What it does"
    yield from told or ["  Nothing is destroyed, replaced, restarted, opened or closed."]
    (stack,) = change.plans.stacks
    if lines := list(stack_lines(overview(change.plans), stack)):
        yield "Planned"
        yield from (f"  {line}" for line in lines)


def _shown(value: Value) -> str:
    return in_line(value) if value not in (None, "") else _NONE
