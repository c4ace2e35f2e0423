"""What one Service changes in all indexes of a monorepo, and what is left to a person."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import PurePosixPath
from typing import Any, TypeAlias

from scaffold.changes.change import Content, Files, is_ciphertext
from scaffold.changes.step import Step
from scaffold.errors import Finding, UsageError
from scaffold.indexes import all_indexes
from scaffold.indexes.base import HandEditedError, Index, MissingAnchorError, as_text
from scaffold.indexes.entry import BuildModel, ServiceEntry
from scaffold.indexes.places import file_of

_Names: TypeAlias = Callable[[Index[Any], "Content | None"], frozenset[str]]
_Change: TypeAlias = Callable[[Index[Any], bytes], bytes]


@dataclass(frozen=True, slots=True)
class Edit:
    """One file before and after, and the indexes in it that changed."""

    path: PurePosixPath
    before: bytes
    after: bytes
    indexes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Edits:
    """Everything that one Service changes outside its stack.

    ``steps`` are the indexes that a person has to see to. ``refused`` tells for which lists the Service may
    not be added: the system reads them, and they are broken. ``left`` are the entries that ``steps`` name,
    each with its index.
    """

    edits: tuple[Edit, ...]
    steps: tuple[Step, ...]
    refused: tuple[Finding, ...] = ()
    left: frozenset[tuple[str, str]] = frozenset()


def insertions(files: Files, entry: ServiceEntry, skip: Collection[str] = ()) -> Edits:
    """The edits that add a Service to all indexes except those in ``skip``; nothing is written.

    A Service that is there already is left as it is. Raises ``UsageError`` for a name in ``skip`` that
    no index has.
    """
    found = _edits(
        files,
        _chosen(files, skip),
        lambda index, _: index.keys(entry),
        lambda index, text: index.insert(text, entry),
    )
    return replace(found, steps=(*found.steps, *_by_hand(files, entry)))


def changes(
    files: Files,
    before: ServiceEntry,
    after: ServiceEntry,
    others: Collection[ServiceEntry] = (),
    skip: Collection[str] = (),
    whole: Collection[str] = (),
) -> Edits:
    """The edits with which all indexes follow a changed Service; nothing is written.

    What ``others`` have too stays in them; those called ``whole`` also get what was missing before. Raises
    ``UsageError`` as :func:`insertions` does.
    """

    def names(index: Index[Any], _: Content | None) -> frozenset[str]:
        missing = index.keys(after) if index.name in whole else frozenset[str]()
        return index.differing(before, after) | missing

    def change(index: Index[Any], text: bytes) -> bytes:
        followed = index.follow(text, before, after, {k for o in others for k in index.keys(o)})
        return index.insert(followed, after) if index.name in whole else followed

    found = _edits(files, _chosen(files, skip), names, change)
    image = after.own_image if after.own_image != before.own_image else None
    directories = tuple(path for path in after.nfs_directories if path not in before.nfs_directories)
    added = replace(after, own_image=image, nfs_directories=directories)
    return replace(found, steps=(*found.steps, *_by_hand(files, added)))


def _chosen(files: Files, skip: Collection[str]) -> list[Index[Any]]:
    known = [index.name for index in all_indexes()]
    if unknown := sorted(set(skip) - set(known)):
        raise UsageError(f"no index is called {', '.join(unknown)}", f"There are: {', '.join(known)}.")
    return [index for index in all_indexes(files.root) if index.name not in skip]


def lists_of(files: Files, entry: ServiceEntry, skip: Collection[str] = ()) -> tuple[PurePosixPath, ...]:
    """The existing files of the indexes that a Service has to be in, except those in ``skip``."""
    chosen = (index for index in all_indexes(files.root) if index.name not in skip)
    paths = {index.path for index in chosen if index.keys(entry)}
    return tuple(sorted(path for path in paths if files.read(path)[0] is not None))


def removals(files: Files, entry: ServiceEntry) -> Edits:
    """The edits that remove a Service's entries from all indexes; nothing is written."""
    # Where a file is absent, nothing has to be taken out of it.
    return _edits(
        files,
        all_indexes(files.root),
        lambda index, content: frozenset() if content is None else index.held(_text(content), entry),
        lambda index, text: index.remove(text, entry),
    )


def _edits(files: Files, indexes: Iterable[Index[Any]], names_of: _Names, change: _Change) -> Edits:
    edits: dict[PurePosixPath, Edit] = {}
    steps, refused, left = [], [], set()
    for index in indexes:
        edit = edits.get(index.path)
        content = edit.after if edit else files.read(index.path)[0]
        names = names_of(index, content)
        if not names:
            continue
        why, lost = _untouchable(content), False
        if not why and isinstance(content, bytes):
            try:
                after = change(index, content)
            except MissingAnchorError as error:
                why, lost = f"no longer has a place for it ({error.problem})", True
            except HandEditedError:
                why = "has an entry that was edited by hand"
            else:
                if after != content:
                    edit = edit or Edit(index.path, content, content, ())
                    edits[index.path] = replace(edit, after=after, indexes=(*edit.indexes, index.name))
                continue
        listed = ", ".join(sorted(name.rpartition(":")[2] for name in names))
        text = f"{index.path} {why}: check {listed} there."
        if lost and index.required:
            code, fix = f"index.{index.name}", f"--no-index {index.name}"
            refused.append(Finding(str(index.path), None, None, code, text, fix=fix))
        else:
            steps.append(Step(text, f"$EDITOR {index.path}"))
            left |= {(index.name, name) for name in names}
    return Edits(tuple(edits.values()), tuple(steps), tuple(refused), frozenset(left))


def _text(content: Content) -> str:
    return (as_text(content) if isinstance(content, bytes) else None) or ""


def _untouchable(content: Content | None) -> str:
    """Why a file cannot be edited; nothing if it can."""
    if content is None:
        return "does not exist"
    if not isinstance(content, bytes):
        return "is a symbolic link"
    return "is encrypted with git-crypt" if is_ciphertext(content) else ""


def _by_hand(files: Files, entry: ServiceEntry) -> Iterator[Step]:
    """What has no list that could be edited."""
    path = file_of(files.root, "nfs_directories")
    content = files.read(path)[0] if path else None
    if path and entry.nfs_directories and content is not None:
        why = "is encrypted with git-crypt" if is_ciphertext(content) else "is edited by hand"
        text = f"{path} {why}: list {', '.join(entry.nfs_directories)} there."
        yield Step(text, f"$EDITOR {path}")
    image = entry.own_image
    notes = file_of(files.root, "claude-repo-ids")
    if notes and image and image.repo_id is None and image.model is not BuildModel.WOODPECKER_ONLY:
        text = (
            f"Once {image.repository} is active in Woodpecker, add its number to the lists of repository IDs."
        )
        yield Step(text, f"$EDITOR {notes}")
