"""What one Service changes in all indexes of a monorepo, and what is left for a person."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass, replace
from enum import Enum
from pathlib import Path, PurePosixPath
from typing import Any

from scaffold.changes.change import Content, is_ciphertext, read
from scaffold.errors import UsageError
from scaffold.indexes import ALL_INDEXES
from scaffold.indexes.base import Index, MissingAnchor
from scaffold.indexes.entry import BuildModel, Engine, ServiceEntry

_NFS_LIST = PurePosixPath("secrets/nfs_directories.txt")


class Why(Enum):
    """Why an index was not edited."""

    ENCRYPTED = "is encrypted with git-crypt"
    ABSENT = "does not exist"
    LINK = "is a symbolic link"
    NO_ANCHOR = "has lost its place for it"
    BY_HAND = "is edited by hand"


@dataclass(frozen=True, slots=True)
class Edit:
    """One file before and after, and the indexes in it that changed."""

    path: PurePosixPath
    before: bytes
    after: bytes
    indexes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ManualStep:
    """An index that a person has to see to. ``required``: the Service does not work without it."""

    index: str
    path: PurePosixPath
    why: Why
    text: str
    required: bool = False


@dataclass(frozen=True, slots=True)
class Edits:
    """Everything that one Service changes outside its stack."""

    edits: tuple[Edit, ...]
    steps: tuple[ManualStep, ...]

    @property
    def refused(self) -> tuple[ManualStep, ...]:
        """The steps for which the Service may not be added: a list that the system reads is broken."""
        return tuple(step for step in self.steps if step.required and step.why is Why.NO_ANCHOR)


def insertions(root: Path, entry: ServiceEntry, skip: Collection[str] = ()) -> Edits:
    """The edits that put a Service into all indexes but those in ``skip``; nothing is written.

    A Service that is there already is left as it is. Raises ``UsageError`` for a name in ``skip`` that
    no index has.
    """
    known = [index.name for index in ALL_INDEXES]
    if unknown := sorted(set(skip) - set(known)):
        raise UsageError(f"no index is called {', '.join(unknown)}", f"There are: {', '.join(known)}.")
    indexes = [index for index in ALL_INDEXES if index.name not in skip]
    found = _edits(root, (entry,), indexes, lambda index, text, entry: index.insert(text, entry))
    return replace(found, steps=(*found.steps, *_by_hand(root, entry)))


def removals(root: Path, entries: Iterable[ServiceEntry]) -> Edits:
    """The edits that take entries out of all indexes; nothing is written.

    One Service may need several: one for each name that it has.
    """
    found = _edits(root, tuple(entries), ALL_INDEXES, lambda index, text, entry: index.remove(text, entry))
    # Where a file is absent, nothing has to be taken out of it.
    return replace(found, steps=tuple(step for step in found.steps if step.why is not Why.ABSENT))


def _edits(
    root: Path,
    entries: Collection[ServiceEntry],
    indexes: Collection[Index[Any]],
    change: Callable[[Index[Any], bytes, ServiceEntry], bytes | MissingAnchor],
) -> Edits:
    edits: dict[PurePosixPath, Edit] = {}
    steps: dict[ManualStep, None] = {}
    for index in indexes:
        for entry in entries:
            keys = index.keys(entry)
            if not keys:
                continue
            if index.path not in edits:
                content = read(root, index.path)[0]
                if why := _untouchable(content):
                    steps[_step(index, keys, why)] = None
                    continue
                assert isinstance(content, bytes)
                edits[index.path] = Edit(index.path, content, content, ())
            edit = edits[index.path]
            after = change(index, edit.after, entry)
            if isinstance(after, MissingAnchor):
                steps[_step(index, keys, Why.NO_ANCHOR, after)] = None
            elif after != edit.after:
                names = dict.fromkeys((*edit.indexes, index.name))
                edits[index.path] = replace(edit, after=after, indexes=tuple(names))
    return Edits(tuple(e for e in edits.values() if e.after != e.before), tuple(steps))


def _untouchable(content: Content | None) -> Why | None:
    if content is None:
        return Why.ABSENT
    if not isinstance(content, bytes):
        return Why.LINK
    return Why.ENCRYPTED if is_ciphertext(content) else None


def _step(
    index: Index[Any], keys: frozenset[str], why: Why, anchor: MissingAnchor | None = None
) -> ManualStep:
    names = ", ".join(sorted(key.rpartition(":")[2] for key in keys))
    lacks = f" ({anchor.what} is missing)" if anchor else ""
    text = f"{index.path} {why.value}{lacks}: see to {names} there."
    return ManualStep(index.name, index.path, why, text, index.required)


def _by_hand(root: Path, entry: ServiceEntry) -> Iterator[ManualStep]:
    """What has no list that could be edited."""
    for database in entry.databases:
        if database.engine is Engine.MYSQL:
            text = f"Make the MySQL database {database.name} with the user {database.user}: no file makes it."
            yield ManualStep("dbaas", PurePosixPath("stacks/dbaas"), Why.BY_HAND, text, required=True)
    content = read(root, _NFS_LIST)[0]
    if entry.nfs_directories and content is not None:
        why = Why.ENCRYPTED if is_ciphertext(content) else Why.BY_HAND
        text = f"{_NFS_LIST} {why.value}: list {', '.join(entry.nfs_directories)} there."
        yield ManualStep("nfs-directories", _NFS_LIST, why, text)
    image = entry.own_image
    if image and image.repo_id is None and image.model is not BuildModel.WOODPECKER_ONLY:
        text = (
            f"Once {image.repository} is active in Woodpecker, add its number to the lists of repository IDs."
        )
        yield ManualStep("claude-repo-ids", PurePosixPath(".claude/CLAUDE.md"), Why.BY_HAND, text)
