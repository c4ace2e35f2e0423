"""Apply a change set all or nothing, and recover after a crash.

The journal is there before the first file is touched and goes after the last, so at every moment there
is either no journal, and the tree is whole, or one that says which side the tree has to reach:

1. goal *old*: the new content is staged beside its target, each file synced to disk;
2. goal *new*: the staged files are renamed onto their targets;
3. the journal is removed.

An error turns the goal back to *old*. A crash leaves the journal behind, and the next :func:`writing` does
what it says, unless somebody changed one of the files since.

A command that writes holds the repository from before it reads until it has written (:func:`writing`), so
two of them at once come one after the other.
"""

from __future__ import annotations

import contextlib
import secrets
import stat
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path, PurePosixPath

from scaffold.changes.change import ChangeSet, Symlink, read
from scaffold.changes.journal import (
    Entry,
    Goal,
    Journal,
    Side,
    discard,
    load,
    save,
    sync_directory,
    write_durably,
)
from scaffold.changes.lock import journal_directory, journal_file, locked, pending
from scaffold.errors import MissingError, RefusedError

_EXECUTE = 0o111
_RUN_AGAIN = "Nothing was changed. Run the command again."


def apply(change_set: ChangeSet) -> None:
    """Write the change set: afterwards all of it is on disk, or, if this raises, nothing of it.

    An interrupted earlier run is recovered first. Raises ``RefusedError`` if a file is no longer what
    the change set was planned against, if a path may not be written (see ``change.read``) or if another
    process is writing; ``MissingError`` if the system does not let us write.
    """
    if not change_set.changes:
        return
    root = change_set.root
    with writing(root), _errors_told(root):
        directory = journal_directory(root)
        _refuse_changed(
            [c.path for c in change_set.changes if read(root, c.path) != (c.before, c.was_executable)],
            _RUN_AGAIN,
        )
        journal = _new_journal(change_set)
        try:
            save(directory, journal)
            for entry in journal.entries:
                _stage(root, entry, entry.new)
            _sync_directories(root, journal)
            journal = replace(journal, goal=Goal.NEW)
            save(directory, journal)
            _settle(root, journal, _RUN_AGAIN, staged=True)
            discard(directory)
        except BaseException:
            journal = replace(journal, goal=Goal.OLD)
            # Even if the journal cannot be written, the one on disk still leads to a whole tree.
            with contextlib.suppress(OSError):
                save(directory, journal)
            _settle(root, journal, _recovery_hint(directory))
            discard(directory)
            raise


@contextlib.contextmanager
def writing(root: Path, tell: Callable[[], None] = lambda: None) -> Iterator[Goal | None]:
    """Hold the repository for a command that writes, from before it reads until it has written.

    First brings a tree that a crash left half-written to its goal, and yields the side that was reached, or
    ``None`` if nothing was under way. ``tell`` is called where another process has to be waited for.

    Raises ``RefusedError`` if that one does not end, or, naming the files and changing nothing, if somebody
    changed one of them since the crash; ``MissingError`` if the system does not let us write.
    """
    with contextlib.ExitStack() as held:
        with _errors_told(root):
            directory = held.enter_context(locked(root, tell))
            journal = load(directory)
            if journal is not None:
                _settle(root, journal, _recovery_hint(directory))
                discard(directory)
        yield journal.goal if journal is not None else None


@contextlib.contextmanager
def _errors_told(root: Path) -> Iterator[None]:
    """Report an error of the operating system as one of ours, and the state that it leaves behind."""
    try:
        yield
    except OSError as error:
        where = f" {error.filename}" if error.filename else ""
        state = "The next command that writes will finish this." if pending(root) else "Nothing was changed."
        raise MissingError(f"cannot write{where}: {error.strerror or error}", state) from error


def _refuse_changed(paths: list[PurePosixPath], hint: str) -> None:
    if paths:
        names = ", ".join(map(str, paths))
        raise RefusedError(f"changed in the meantime by another process: {names}", hint)


def _new_journal(change_set: ChangeSet) -> Journal:
    root, token = change_set.root, secrets.token_hex(4)
    entries = []
    for number, change in enumerate(change_set.changes):
        old = new = None
        mode = None
        if change.before is not None:
            mode = stat.S_IMODE((root / change.path).lstat().st_mode)
            old = Side(change.before, change.was_executable, mode)
        if change.after is not None:
            is_edit = isinstance(change.before, bytes) and isinstance(change.after, bytes)
            kept = _with_execute(mode, change.executable) if is_edit and mode is not None else None
            new = Side(change.after, change.executable, kept)
        entries.append(Entry(change.path, old, new, f".scaffold-{token}-{number}"))
    wanted = {parent for entry in entries if entry.new for parent in entry.path.parents}
    directories = sorted(parent for parent in wanted if not (root / parent).is_dir())
    return Journal(Goal.OLD, tuple(entries), tuple(directories))


def _with_execute(mode: int, executable: bool) -> int:
    """The mode with execute permission for everyone who may read, or for nobody."""
    return mode | (mode & 0o444) >> 2 if executable else mode & ~_EXECUTE


def _recovery_hint(directory: Path) -> str:
    return (
        "An earlier run was interrupted, and these files hold neither what was there before nor what it "
        f"wrote. To keep everything as it is now, delete {journal_file(directory)}."
    )


def _settle(root: Path, journal: Journal, hint: str, *, staged: bool = False) -> None:
    """Bring every file to the journal's goal, then tidy up. ``staged``: the content is already in place.

    First looks at every file, and raises ``RefusedError`` before the first write if one is on neither
    side. Going back to the old side with nothing of the new one on disk, there is nothing to overwrite.
    """
    other = Goal.OLD if journal.goal is Goal.NEW else Goal.NEW
    moves: list[Entry] = []
    foreign: list[Entry] = []
    for entry in journal.entries:
        if _holds(root, entry, journal.goal):
            continue
        (moves if _holds(root, entry, other) else foreign).append(entry)
    if moves or journal.goal is Goal.NEW:
        _refuse_changed([entry.path for entry in foreign], hint)
    for entry in moves:
        side = entry.side(journal.goal)
        if side is None:
            (root / entry.path).unlink()
            continue
        if not staged:
            _stage(root, entry, side)
        (root / entry.path.with_name(entry.staged)).replace(root / entry.path)
    _tidy(root, journal)
    _sync_directories(root, journal)


def _holds(root: Path, entry: Entry, goal: Goal) -> bool:
    """Whether the file on disk is on this side; a path that now leads through a link is on neither."""
    side = entry.side(goal)
    try:
        return read(root, entry.path) == ((side.content, side.executable) if side else (None, False))
    except RefusedError:
        return False


def _tidy(root: Path, journal: Journal) -> None:
    """Remove temporary files, directories created in vain, and directories that deletions emptied."""
    for entry in journal.entries:
        with contextlib.suppress(FileNotFoundError, NotADirectoryError):
            (root / entry.path.with_name(entry.staged)).unlink()
    if journal.goal is Goal.OLD:
        empty = list(reversed(journal.directories))
    else:
        deleted = {parent for entry in journal.entries if entry.new is None for parent in entry.path.parents}
        empty = sorted(deleted - {PurePosixPath()}, reverse=True)
    for directory in empty:
        with contextlib.suppress(OSError):  # not empty: it contains files that are not ours
            (root / directory).rmdir()


def _stage(root: Path, entry: Entry, side: Side | None) -> None:
    """Write one side of a file beside its target, and sync it to disk."""
    if side is None:
        return
    target = root / entry.path.with_name(entry.staged)
    target.parent.mkdir(parents=True, exist_ok=True)
    target.unlink(missing_ok=True)
    if isinstance(side.content, Symlink):
        target.symlink_to(side.content.target)
    else:
        write_durably(target, side.content, 0o777 if side.executable else 0o666, side.mode)


def _sync_directories(root: Path, journal: Journal) -> None:
    """Make renames and removals durable: sync every directory that they touched."""
    touched = {parent for entry in journal.entries for parent in entry.path.parents}
    for directory in sorted(touched):
        if (root / directory).is_dir():
            sync_directory(root / directory)
