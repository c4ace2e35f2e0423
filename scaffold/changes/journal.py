"""The journal of a change set under way: one file in the repository's Git directory, written durably.

It holds both sides of every file and the *goal*: which of the two the tree has to reach. It is only ever
replaced as a whole, so whoever reads it after a crash finds all of it.
"""

from __future__ import annotations

import base64
import contextlib
import fcntl
import json
import os
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import Enum
from pathlib import Path, PurePosixPath

from scaffold.changes.change import Content, Symlink
from scaffold.errors import MissingError, RefusedError

_VERSION = 1
_HELD: set[Path] = set()
"""The directories whose lock this process holds."""
_PATIENCE = 120.0
"""Seconds to wait for another run: it plans, writes and commits, hooks and all."""
_PAUSE = 0.05


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
        """The side that leads to the goal; ``None`` where the file does not exist on it."""
        return self.old if goal is Goal.OLD else self.new


@dataclass(frozen=True, slots=True)
class Journal:
    """What is under way; ``directories`` are those that the change set creates, outermost first."""

    goal: Goal
    entries: tuple[Entry, ...]
    directories: tuple[PurePosixPath, ...]


def git_directory(root: Path) -> Path:
    """The Git directory of the work tree at ``root``: its own one in a linked work tree or a submodule.

    Raises ``MissingError`` if ``root`` is not the top of a work tree.
    """
    marker = root / ".git"
    if marker.is_file():
        prefix, _, target = marker.read_text().strip().partition(": ")
        if prefix == "gitdir" and (root / target).is_dir():
            return root / target
    elif marker.is_dir():
        return marker
    raise MissingError(f"{root} is not the top directory of a Git repository", "Run `git init` there first.")


def journal_directory(root: Path) -> Path:
    """Where journal and lock of this work tree are: nothing else in Git looks there."""
    return git_directory(root) / "scaffold"


def journal_file(directory: Path) -> Path:
    """The journal in its directory; it exists while a change set is under way."""
    return directory / "journal.json"


@contextlib.contextmanager
def locked(root: Path, tell: Callable[[], None] = lambda: None) -> Iterator[Path]:
    """Hold the repository's lock, which the system drops if we die; yields the journal's directory.

    Waits for another process that holds it, after a call of ``tell``, and raises ``RefusedError`` if that
    takes too long. Where this process holds it already, it goes on doing so.
    """
    directory = journal_directory(root).resolve()
    if directory in _HELD:
        yield directory
        return
    directory.mkdir(exist_ok=True)
    lock = os.open(_lock_file(directory), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
    try:
        if not _taken(lock, fcntl.LOCK_EX):
            tell()
            if not _in_time(lambda: _taken(lock, fcntl.LOCK_EX)):
                hint = "Wait until it has finished, then run again."
                raise RefusedError(f"another scaffold is writing in {root}", hint)
        _HELD.add(directory)
        yield directory
    finally:
        _HELD.discard(directory)
        os.close(lock)


def left_behind(directory: Path) -> bool:
    """Whether a journal is there whose run has ended; one that is under way is waited for. Only looks."""

    def decided() -> bool:
        return not (journal_file(directory).exists() and _is_held(directory))

    return not _in_time(decided) or journal_file(directory).exists()


def _is_held(directory: Path) -> bool:
    try:
        with _lock_file(directory).open("rb") as lock:
            return not _taken(lock.fileno(), fcntl.LOCK_SH)
    except FileNotFoundError:
        return False


def _lock_file(directory: Path) -> Path:
    return directory / "lock"


def _taken(lock: int, how: int) -> bool:
    """Whether the lock could be taken, without waiting."""
    try:
        fcntl.flock(lock, how | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _in_time(condition: Callable[[], bool]) -> bool:
    """Whether a condition comes to hold before our patience ends."""
    end = time.monotonic() + _PATIENCE
    while not (holds := condition()) and time.monotonic() < end:
        time.sleep(_PAUSE)
    return holds


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
