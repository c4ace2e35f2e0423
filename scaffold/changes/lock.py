"""Where a work tree's journal is, and the lock of a process that writes there.

Commands that only read look here first, and need nothing else of the package if nothing is under way.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from scaffold.errors import MissingError, RefusedError

_HELD: set[Path] = set()
"""The directories whose lock this process holds."""
_PATIENCE = 120.0
"""Seconds to wait for another run: it plans, writes and commits, hooks and all."""
_PAUSE = 0.05


def journal_directory(root: Path) -> Path:
    """Where journal and lock of the work tree at ``root`` are: in its Git directory, where Git never looks.

    That is its own one in a linked work tree or a submodule. Raises ``MissingError`` if ``root`` is not the
    top of a work tree.
    """
    marker = root / ".git"
    if marker.is_file():
        prefix, _, target = marker.read_text().strip().partition(": ")
        if prefix == "gitdir" and (root / target).is_dir():
            return root / target / "scaffold"
    elif marker.is_dir():
        return marker / "scaffold"
    raise MissingError(f"{root} is not the top directory of a Git repository", "Run `git init` there first.")


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


def pending(root: Path) -> bool:
    """Whether a change is under way or was interrupted. Only looks."""
    return journal_file(journal_directory(root)).exists()


def unfinished(root: Path) -> bool:
    """Whether an interrupted run left the tree half-written, for commands that only read.

    Waits for a run that is just writing. Outside a Git repository nothing is ever written.
    """
    try:
        directory = journal_directory(root)
        journal = journal_file(directory)
        return not _in_time(lambda: not (journal.exists() and _is_held(directory))) or journal.exists()
    except (MissingError, OSError):
        return False
