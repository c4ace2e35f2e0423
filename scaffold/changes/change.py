"""The change set: what will be different in one repository, and how it looks as a diff.

A change set has the content of each file before and after. It is planned against the files as :class:`Files`
read them, shown with :func:`diff`, and written by ``apply.apply``; its inverse undoes it.
"""

from __future__ import annotations

import difflib
import stat
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, replace
from enum import Enum
from functools import lru_cache
from itertools import islice, pairwise
from pathlib import Path, PurePosixPath

from scaffold.errors import RefusedError

_GIT_CRYPT_HEADER = b"\0GITCRYPT\0"
_NO_NEWLINE = "\n\\ No newline at end of file\n"
_C_ESCAPES = {'"': '\\"', "\\": "\\\\", "\n": "\\n", "\t": "\\t", "\r": "\\r"}


@dataclass(frozen=True, slots=True)
class Symlink:
    """A symbolic link; ``target`` is stored as it is, never followed."""

    target: str


Content = bytes | Symlink
"""What one path holds: the bytes of a regular file, or a symbolic link."""


class Action(Enum):
    """What happens to one file."""

    CREATE = "create"
    MODIFY = "modify"
    DELETE = "delete"
    UNCHANGED = "unchanged"


@dataclass(frozen=True, slots=True)
class LineCount:
    """Lines added and removed, as ``git diff --numstat`` counts them; none for what is not text."""

    added: int = 0
    removed: int = 0


@dataclass(frozen=True, slots=True)
class FileChange:
    """One file before and after; ``None`` is a file that does not exist.

    ``path`` is relative to the repository's root. ``executable`` is the file's mode after the change,
    ``was_executable`` before it.
    """

    path: PurePosixPath
    before: Content | None
    after: Content | None
    executable: bool = False
    was_executable: bool = False

    @property
    def action(self) -> Action:
        """What happens to the file."""
        if self.before == self.after and self.executable == self.was_executable:
            return Action.UNCHANGED
        if self.before is None:
            return Action.CREATE
        return Action.DELETE if self.after is None else Action.MODIFY

    @property
    def lines(self) -> LineCount:
        """How many lines are added and removed."""
        marks = [line[0] for part in _parts(self) for line in _hunks(part)]
        return LineCount(marks.count("+"), marks.count("-"))

    @property
    def hunks(self) -> int:
        """How many hunks its diff has; none for what is not text."""
        return sum(line.startswith("@@ ") for part in _parts(self) for line in _hunks(part))


class Files:
    """The files of one repository as one command finds them: each is read once.

    So what an edit is computed from is also what it replaces, and ``apply.apply`` notices whatever somebody
    else wrote in between. ``root`` holds the ``.git`` entry.
    """

    def __init__(self, root: Path) -> None:
        self.root = root
        self._seen: dict[PurePosixPath, tuple[Content | None, bool]] = {}

    def read(self, path: PurePosixPath) -> tuple[Content | None, bool]:
        """What ``path`` held when it was asked for first; as :func:`read`, also in what is raised."""
        if path not in self._seen:
            self._seen[path] = read(self.root, path)
        return self._seen[path]

    def after(self, change: ChangeSet) -> Files:
        """The same files as they are once a change is applied."""
        later = Files(self.root)
        later._seen = {**self._seen, **{one.path: (one.after, one.executable) for one in change.changes}}
        return later


@dataclass(frozen=True, slots=True)
class ChangeSet:
    """All changes to one repository, in the order of their paths. ``root`` holds the ``.git`` entry."""

    root: Path
    changes: tuple[FileChange, ...]

    @classmethod
    def plan(
        cls,
        files: Files,
        wanted: Mapping[PurePosixPath, Content | None],
        executable: Collection[PurePosixPath] = (),
    ) -> ChangeSet:
        """Compare what is wanted with what was read, and keep the differences.

        ``wanted`` maps paths to their content; ``None`` means that the file shall not exist. A file
        that exists keeps its mode; a new one is executable only if it is among ``executable``.

        Raises ``RefusedError`` for a path that may not be written (see :func:`read`), for two paths of
        which one is inside the other, and for ciphertext of git-crypt that would be overwritten.
        """
        changes = []
        for path in sorted(wanted):
            before, was_executable = files.read(path)
            after = wanted[path]
            if after is not None and is_ciphertext(before) and before != after:
                raise RefusedError(
                    f"{path} is encrypted with git-crypt", "Unlock the clone, then run the command again."
                )
            mode = isinstance(after, bytes) and (was_executable or path in executable)
            changes.append(FileChange(path, before, after, mode, was_executable))
        for outer, inner in pairwise(sorted(wanted)):
            if outer in inner.parents:
                raise RefusedError(f"{outer} cannot be a file and hold {inner}")
        return cls(files.root, tuple(c for c in changes if c.action is not Action.UNCHANGED))

    def then(self, later: ChangeSet) -> ChangeSet:
        """This change and a later one, as one change."""
        both = {change.path: change for change in self.changes}
        for change in later.changes:
            first = both.get(change.path, change)
            both[change.path] = replace(change, before=first.before, was_executable=first.was_executable)
        kept = (change for _, change in sorted(both.items()) if change.action is not Action.UNCHANGED)
        return ChangeSet(self.root, tuple(kept))


def is_ciphertext(content: Content | None) -> bool:
    """Whether this is a git-crypt file in a locked clone, which nobody can read or edit."""
    return isinstance(content, bytes) and content.startswith(_GIT_CRYPT_HEADER)


def read(root: Path, path: PurePosixPath) -> tuple[Content | None, bool]:
    """What ``path`` holds on disk, and whether it is an executable file; ``None`` if it does not exist.

    Raises ``RefusedError`` for a path that is not strictly inside ``root``, that is inside a Git
    directory, that leads through a symbolic link or a file, or that is neither file nor link.
    """
    if path.is_absolute() or not path.parts or ".." in path.parts:
        raise RefusedError(f"{path} is outside the repository")
    if any(part.lower() == ".git" for part in path.parts):
        raise RefusedError(f"{path} is inside a Git directory")
    for parent in list(path.parents)[-2::-1]:
        mode = _mode(root / parent)
        if mode is None:
            return None, False
        if not stat.S_ISDIR(mode):
            kind = "a symbolic link" if stat.S_ISLNK(mode) else "not a directory"
            raise RefusedError(f"{path} cannot be written: {parent} is {kind}")
    target = root / path
    mode = _mode(target)
    if mode is None:
        return None, False
    if stat.S_ISLNK(mode):
        return Symlink(str(target.readlink())), False
    if not stat.S_ISREG(mode):
        raise RefusedError(f"{path} exists and is not a file")
    return target.read_bytes(), bool(mode & stat.S_IXUSR)


def _mode(path: Path) -> int | None:
    try:
        return path.lstat().st_mode
    except FileNotFoundError:
        return None


def diff(change_set: ChangeSet) -> str:
    """The change set as a unified diff that ``git apply`` understands, where all of it is text.

    The content of binary files and of ciphertext is not shown, but its change is named.
    """
    return "".join(line for change in change_set.changes for part in _parts(change) for line in _file(part))


def _parts(change: FileChange) -> tuple[FileChange, ...]:
    """Like Git, show a file that becomes a link (or the reverse) as a deletion and a creation."""
    before, after = change.before, change.after
    if before is None or after is None or isinstance(before, Symlink) == isinstance(after, Symlink):
        return (change,)
    return (
        FileChange(change.path, before, None, was_executable=change.was_executable),
        FileChange(change.path, None, after, executable=change.executable),
    )


def _file(change: FileChange) -> Iterator[str]:
    old, new = _quoted(f"a/{change.path}"), _quoted(f"b/{change.path}")
    # Git cannot tell where a name ends whose parts begin or end with a blank, unless it is in quotes.
    unclear = any(part != part.strip(" ") for part in change.path.parts)
    names = (f'"{name}"' if unclear and not name.startswith('"') else name for name in (old, new))
    yield f"diff --git {' '.join(names)}\n"
    old_mode = _git_mode(change.before, change.was_executable)
    new_mode = _git_mode(change.after, change.executable)
    if change.before is None:
        yield f"new file mode {new_mode}\n"
        old = "/dev/null"
    elif change.after is None:
        yield f"deleted file mode {old_mode}\n"
        new = "/dev/null"
    elif old_mode != new_mode:
        yield f"old mode {old_mode}\nnew mode {new_mode}\n"
    if is_ciphertext(change.before) or is_ciphertext(change.after):
        yield f"Encrypted files {old} and {new} differ (not shown)\n"
    elif _text(change.before) is None or _text(change.after) is None:
        yield f"Binary files {old} and {new} differ (not shown)\n"
    elif hunks := _hunks(change):
        yield from (f"--- {_ended(old)}\n", f"+++ {_ended(new)}\n", *hunks)


def _ended(name: str) -> str:
    """Git appends a tab to a name that contains a blank, so that the rest is not taken for a time stamp."""
    return f"{name}\t" if " " in name else name


def _git_mode(content: Content | None, executable: bool) -> str:
    if isinstance(content, Symlink):
        return "120000"
    return "100755" if executable else "100644"


@lru_cache(64)
def _hunks(change: FileChange) -> tuple[str, ...]:
    """The hunks of one file, one line each (the last may carry the mark of a missing newline).

    Lines are counted before the diff is shown, and found once.
    """
    before, after = _text(change.before), _text(change.after)
    if before is None or after is None:
        return ()
    lines = islice(difflib.unified_diff(lines_of(before), lines_of(after)), 2, None)  # two name the file
    return tuple(line if line.endswith("\n") else line + _NO_NEWLINE for line in lines)


def _text(content: Content | None) -> str | None:
    """The content as text; ``None`` if it is not text, by Git's rule (NUL near the start) or UTF-8's."""
    if content is None:
        return ""
    if isinstance(content, Symlink):
        return content.target
    if b"\0" in content[:8000]:
        return None
    try:
        return content.decode()
    except UnicodeDecodeError:
        return None


def lines_of(text: str) -> list[str]:
    """The lines of a text with their ends: ``str.splitlines`` knows more of those than a diff or Markdown."""
    lines = [line + "\n" for line in text.split("\n")]
    lines[-1] = lines[-1][:-1]
    return lines if lines[-1] else lines[:-1]


def _quoted(name: str) -> str:
    """A name as Git writes it in a header: in C's quotes if it holds a quote or a control character."""
    escaped = "".join(
        _C_ESCAPES.get(c) or (f"\\{ord(c):03o}" if ord(c) < 32 or ord(c) == 127 else c) for c in name
    )
    return f'"{escaped}"' if escaped != name else name
