"""Writing a change of many stacks: all at once, and committed as one or stack by stack."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import PurePosixPath

from scaffold.changes.apply import apply
from scaffold.changes.change import ChangeSet
from scaffold.changes.commit import commit, demand_clean, demand_merged, demand_own


def within(change: ChangeSet, directory: PurePosixPath) -> ChangeSet:
    """What a change set does in one directory."""
    return ChangeSet(change.root, tuple(f for f in change.changes if f.path.is_relative_to(directory)))


def write_stacks(
    change: ChangeSet, commits: str | None, message: str, messages: Mapping[PurePosixPath, str]
) -> tuple[str, ...]:
    """Write all of it at once; ``commits`` is ``one``, with ``message``, or ``per-stack``, or None.

    ``messages`` are those of single stacks, by directory. Returns the commits. Raises
    :class:`~scaffold.errors.RefusedError` where a stack has changes that no commit has, or files changed
    meanwhile; then nothing is written.
    """
    if not change.changes:
        return ()
    demand_merged(change.root)
    demand_clean(change)
    if commits is not None:
        demand_own(change)
    apply(change)
    parts = {"one": [(change, message)], "per-stack": [(within(change, d), m) for d, m in messages.items()]}
    made = (commit(part, text) for part, text in parts.get(commits or "", []) if part.changes)
    return tuple(filter(None, made))
