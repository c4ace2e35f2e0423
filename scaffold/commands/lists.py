"""How the lists outside the stacks follow when Services change."""

from __future__ import annotations

from collections.abc import Collection
from contextlib import suppress
from dataclasses import replace
from functools import cached_property

from scaffold.changes.change import Files
from scaffold.changes.commit import demand_merged
from scaffold.changes.step import Step
from scaffold.errors import MissingError, RefusedError, number_of
from scaffold.indexes import edits
from scaffold.indexes.drift import State, drift
from scaffold.indexes.entry import ServiceEntry, UpstreamImage
from scaffold.indexes.stacks import StackReader
from scaffold.monorepo.repository import Monorepo


class Lists:
    """The lists of one monorepo, without those in ``without``, which follow one Service after another."""

    def __init__(self, monorepo: Monorepo, without: Collection[str] = ()) -> None:
        self._monorepo, self._without = monorepo, without

    def follow(self, files: Files, before: ServiceEntry, after: ServiceEntry) -> edits.Edits:
        """The edits of ``files`` for a changed Service; nothing is written.

        What other Services have too stays, by what those that came first have by now. Raises ``UsageError``
        for a list that there is not.
        """
        if before == after:
            return edits.changes(files, before, after, (), self._without)
        others = [entry for name, entry in self._entries.items() if name not in (before.stack, after.stack)]
        found = edits.changes(files, before, after, others, self._without)
        if not found.refused:
            self._entries.pop(before.stack, None)
            self._entries[after.stack] = after
        return found

    def keep(self, files: Files, after: ServiceEntry) -> edits.Edits:
        """The edits of ``files`` for an adopted stack: what is listed stays, what is missing is added.

        What nobody can be certain of is a step. Raises ``UsageError`` for a list that there is not.
        """
        before = self._entries[after.stack]
        missing = [d for d in drift(self._monorepo) if (d.service, d.state) == (before.name, State.MISSING)]
        whole = {d.index.name for d in missing if d.entry is not None}
        found = edits.changes(files, before, after, tuple(self._entries.values()), self._without, whole)
        seen_to = {*self._without, *(name for edit in found.edits for name in edit.indexes)}
        steps = [
            Step(f"{d.index.path}: {d.what} {d.fix}", f"$EDITOR {d.index.path}")
            for d in missing
            if d.index.name not in seen_to and d.key in d.index.keys(after)
            if (d.index.name, d.key) not in found.left
        ]
        return replace(found, steps=(*found.steps, *steps))

    @cached_property
    def _entries(self) -> dict[str, ServiceEntry]:
        """What the stacks have to be listed for, including the images that they run."""
        fleet, found = self._monorepo.fleet, {}
        for stack, entry in StackReader(self._monorepo).entries.items():
            pods = fleet[stack].pods if stack in fleet else ()
            images = sorted({container.reference.name for pod in pods for container in pod.containers})
            upstream = tuple(UpstreamImage(image, "") for image in images)
            found[entry.stack] = replace(entry, upstream_images=upstream)
        return found


def demand_places(monorepo: Monorepo, found: edits.Edits) -> None:
    """Raise :class:`RefusedError` for a list that the system reads and whose place cannot be found.

    Where a merge is not finished, it is refused for that.
    """
    if found.refused:
        with suppress(MissingError):  # a monorepo that is not a Git repository has no merge either
            demand_merged(monorepo.root)
        lists = number_of(len(found.refused), "list")
        raise RefusedError(
            f"{lists} that the Service belongs in cannot be edited; nothing was written.",
            "Fix each, or skip it with --no-index NAME and edit it by hand.",
            found.refused,
        )
