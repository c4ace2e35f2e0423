"""Writing a change of many stacks: all at once, committed as one or stack by stack."""

from __future__ import annotations

from collections.abc import Iterable
from functools import reduce
from pathlib import PurePosixPath

from scaffold.changes.apply import apply
from scaffold.changes.change import ChangeSet
from scaffold.changes.commit import demand_merged, demand_own, write


def within(change: ChangeSet, directory: PurePosixPath) -> ChangeSet:
    """The part of a change set that is in one directory."""
    return ChangeSet(change.root, tuple(f for f in change.changes if f.path.is_relative_to(directory)))


def write_stacks(
    parts: Iterable[tuple[ChangeSet, str]], commits: str | None, message: str
) -> tuple[str, ...]:
    """Write stacks all at once, or where ``commits`` is ``per-stack`` each with a commit of its own.

    ``parts`` are what is written of each stack once those before it are, with the message of its commit;
    ``message`` is that of ``one`` for all. Returns the commits. Raises
    :class:`~scaffold.errors.RefusedError` where files changed meanwhile, or a commit would take in somebody
    else's work; then nothing is written, or nothing of that stack and those behind it.
    """
    parts = [(change, text) for change, text in parts if change.changes]
    if not parts:
        return ()
    whole = reduce(ChangeSet.then, (change for change, _ in parts))
    demand_merged(whole.root)
    if commits is None:
        apply(whole)
        return ()
    demand_own(whole)
    each = parts if commits == "per-stack" else [(whole, message)]
    return tuple(filter(None, [write(change, text, committed=True) for change, text in each]))
