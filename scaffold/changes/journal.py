"""The journal of a change set under way: one file in the repository's Git directory, written durably.

It holds both sides of every file and the *goal*: which of the two the tree has to reach. It is only ever
replaced as a whole, so whoever reads it after a crash finds all of it.
"""

from __future__ import annotations

import base64
import json
import os
from dataclasses import dataclass
from enum import Enum
from pathlib import Path, PurePosixPath

from scaffold.changes.change import Content, Symlink
from scaffold.changes.lock import journal_file
from scaffold.errors import RefusedError

_VERSION = 1


class Goal(Enum):
    """Which side of the change set the tree has to reach."""

    OLD = "old"
    NEW = "new"


@dataclass(frozen=True, slots=True)
class Side:
    """One file on one side of the change. ``mode`` is ``None`` where the umask decides."""

    content: Content
    executable: bool
    mode: int | None = None


@dataclass(frozen=True, slots=True)
class Entry:
    """One file: both sides, and the name of the temporary file beside it."""

    path: PurePosixPath
    old: Side | None
    new: Side | None
    staged: str

    def side(self, goal: Goal) -> Side | None:
        """The side that leads to the goal; ``None`` if the file does not exist on that side."""
        return self.old if goal is Goal.OLD else self.new


@dataclass(frozen=True, slots=True)
class Journal:
    """What is under way; ``directories`` are those that the change set creates, outermost first."""

    goal: Goal
    entries: tuple[Entry, ...]
    directories: tuple[PurePosixPath, ...]


def write_durably(path: Path, data: bytes, creation_mode: int, mode: int | None = None) -> None:
    """Create a file, durably. The umask applies to ``creation_mode``, not to ``mode``."""
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, creation_mode)
    try:
        rest = memoryview(data)
        while rest:
            rest = rest[os.write(handle, rest) :]
        if mode is not None:
            os.fchmod(handle, mode)
        os.fsync(handle)
    finally:
        os.close(handle)


def sync_directory(path: Path) -> None:
    """Make the creations, renames and removals in one directory durable."""
    handle = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def save(directory: Path, journal: Journal) -> None:
    """Replace the journal as a whole."""
    document = {
        "version": _VERSION,
        "goal": journal.goal.value,
        "directories": [str(path) for path in journal.directories],
        "entries": [
            {"path": str(e.path), "staged": e.staged, "old": _encoded(e.old), "new": _encoded(e.new)}
            for e in journal.entries
        ],
    }
    temporary = directory / "journal.tmp"
    temporary.unlink(missing_ok=True)
    write_durably(temporary, json.dumps(document).encode(), 0o600)
    temporary.replace(journal_file(directory))
    sync_directory(directory)


def load(directory: Path) -> Journal | None:
    """The journal that is there, if one is. Raises ``RefusedError`` if it cannot be understood."""
    path = journal_file(directory)
    if not path.exists():
        return None
    try:
        document = json.loads(path.read_bytes())
        if document["version"] != _VERSION:
            raise ValueError(f"version {document['version']}")
        entries = tuple(
            Entry(PurePosixPath(e["path"]), _decoded(e["old"]), _decoded(e["new"]), e["staged"])
            for e in document["entries"]
        )
        return Journal(Goal(document["goal"]), entries, tuple(map(PurePosixPath, document["directories"])))
    except (ValueError, KeyError, TypeError) as error:
        raise RefusedError(
            f"cannot read the journal of an interrupted run ({error})",
            f"Finish with the version of scaffold that wrote it, or delete {path} to keep the tree as it is.",
        ) from error


def discard(directory: Path) -> None:
    """Remove the journal: the tree is whole."""
    journal_file(directory).unlink(missing_ok=True)
    sync_directory(directory)


def _encoded(side: Side | None) -> dict[str, str | int | bool | None] | None:
    if side is None:
        return None
    if isinstance(side.content, Symlink):
        return {"link": side.content.target}
    data = base64.b64encode(side.content).decode()
    return {"data": data, "executable": side.executable, "mode": side.mode}


def _decoded(value: dict[str, str | int | bool | None] | None) -> Side | None:
    if value is None:
        return None
    if "link" in value:
        return Side(Symlink(str(value["link"])), executable=False)
    mode = value["mode"]
    return Side(
        base64.b64decode(str(value["data"])), bool(value["executable"]), None if mode is None else int(mode)
    )
