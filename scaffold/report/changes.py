"""The files of a change set."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from scaffold.changes.change import ChangeSet, diff
from scaffold.templates.questions import Value
from scaffold.templates.template import Origin, unlasting

if TYPE_CHECKING:
    from scaffold.checks.verify import Unverified


def files_text(change: ChangeSet) -> Iterator[str]:
    """The files of a change set with their line counts."""
    for file in change.changes:
        yield f"{file.action.value} {file.path} (+{file.lines.added} -{file.lines.removed})"


def gaps_text(gaps: Iterable[Unverified]) -> Iterator[str]:
    """What was not verified, and why."""
    return (f"Not verified: {gap.what} ({gap.why})." for gap in gaps)


def committed_text(*commits: str | None) -> Iterator[str]:
    """The commits that were made."""
    return (f"Committed as {commit[:12]}." for commit in commits if commit)


def files_json(change: ChangeSet, *, with_diff: bool) -> list[dict[str, Value]]:
    """The files of a change set as JSON."""
    result = []
    for file in change.changes:
        entry: dict[str, Value] = {
            "path": str(file.path),
            "action": file.action.value,
            "lines": {"added": file.lines.added, "removed": file.lines.removed},
        }
        if with_diff:
            entry["diff"] = diff(ChangeSet(change.root, (file,)))
        result.append(entry)
    return result


def origin_json(origin: Origin) -> dict[str, Value]:
    """Where stacks record that their templates are, and why that does not last, if it does not."""
    return {"source": origin.source, "version": origin.version, "warnings": list(unlasting(origin))}


def origin_text(origin: Origin) -> Iterator[str]:
    """Why what stacks record about their templates does not last, if it does not."""
    yield from (f"warning: {text[0].upper()}{text[1:]}." for text in unlasting(origin))
