"""Commit exactly the files of one change set, as the user's own ``git commit`` would."""

from __future__ import annotations

import os
import shlex
import subprocess
from collections.abc import Iterable, Mapping
from pathlib import Path, PurePosixPath
from tempfile import TemporaryDirectory

from scaffold.changes.change import ChangeSet, Content, FileChange, Symlink
from scaffold.errors import MissingError, RefusedError, UncommittedError

# Set while a Git hook runs, and pointing elsewhere than to the repository that we were told to work in.
_FOREIGN = ("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_PREFIX", "GIT_OBJECT_DIRECTORY")


def commit(change_set: ChangeSet, message: str) -> str | None:
    """Make one commit of an applied change set and return its name; None where Git knows none of its files.

    Only the files of the change set are committed, whatever else is dirty or staged; what the user has
    staged stays staged. Hooks, signing and identity are those of the user's ``git commit``.

    Raises ``RefusedError`` where the commit would take in somebody else's work (:func:`demand_own`), and
    ``UncommittedError`` where Git or a hook refuses it: the files stay written, and the index as it was.
    """
    demand_own(change_set)
    root = change_set.root
    known = _tracked(root, (change.path for change in change_set.changes))
    new = [
        change.path for change in change_set.changes if change.path not in known and change.after is not None
    ]
    paths = sorted([*known, *new])
    if not paths:
        return None
    if new:
        # `commit --only` wants to know its files. Forced: what belongs to the change is not ignored.
        _git(root, "add", "--intent-to-add", "--force", "--", *map(str, new))
    done = False
    try:
        _git(root, "commit", "--quiet", "--only", "--message", message, "--", *map(str, paths))
        done = True
    except RefusedError as error:
        raise _not_committed(root, paths, message, error.message) from error
    finally:
        if new and not done:
            _git(root, "rm", "--cached", "--force", "--quiet", "--ignore-unmatch", "--", *map(str, new))
    return _git(root, "rev-parse", "HEAD").decode().strip()


def _not_committed(root: Path, paths: Iterable[PurePosixPath], message: str, why: str) -> UncommittedError:
    git = f"git -C {shlex.quote(str(root))}"
    names = shlex.join(map(str, paths))
    return UncommittedError(
        f"The files are written, but not committed: {why}",
        f"Mend that, then: {git} add --all -- {names} && {git} commit -m {shlex.quote(message)} -- {names}",
    )


def demand_committed(root: Path, path: PurePosixPath, message: str) -> None:
    """For a commit where nothing is left to write: what an earlier run wrote at ``path`` has to be committed.

    Raises ``UncommittedError``, with the command that commits it under ``message``.
    """
    if files := _unsaved(root, [path]):
        raise _not_committed(root, [path], message, ", ".join(map(str, files)))


def unsaved(change_set: ChangeSet) -> tuple[PurePosixPath, ...]:
    """The files that a change set is about to delete and that no commit has as they are now."""
    deleted = [change.path for change in change_set.changes if change.after is None]
    return _unsaved(change_set.root, deleted) if deleted else ()


def _unsaved(root: Path, paths: Iterable[PurePosixPath]) -> tuple[PurePosixPath, ...]:
    arguments = ("status", "--porcelain", "-z", "--no-renames", "--untracked-files=all")
    listing = _git(root, *arguments, "--", *map(str, paths))
    return tuple(sorted(_names(b"\0".join(record[3:] for record in listing.split(b"\0")))))


def keep(root: Path, paths: Iterable[PurePosixPath]) -> str:
    """Put files as they are into Git's store, without a commit; returns the name of the tree that has them.

    ``git restore --source=TREE -- PATH`` brings them back, until Git clears away what nobody refers to.
    """
    with TemporaryDirectory(prefix="scaffold-keep-") as scratch:
        index = Path(scratch, "index")
        _git(root, "add", "--force", "--", *map(str, paths), index=index)
        return _git(root, "write-tree", index=index).decode().strip()


def demand_own(change_set: ChangeSet) -> None:
    """Refuse a commit that would take in somebody else's work: to be asked before anything is written.

    Raises ``RefusedError`` with the files of :func:`uncommitted`.
    """
    if others := uncommitted(change_set):
        names = ", ".join(map(str, others))
        raise RefusedError(
            f"not committed: these files have changes that are not committed yet: {names}",
            "Commit them first, or leave out --commit, so that the two changes can be told apart.",
        )


def uncommitted(change_set: ChangeSet) -> tuple[PurePosixPath, ...]:
    """The files that held, before the change set, something else than HEAD has, or that have it staged.

    May be asked before the change set is applied and after.
    """
    root = change_set.root
    paths = [str(change.path) for change in change_set.changes]
    head = _head(root, paths)
    staged = _names(_git(root, "diff", "--cached", "--name-only", "--no-renames", "-z", "--", *paths))

    def is_unfinished(change: FileChange) -> bool:
        if change.path in staged:
            return True
        if change.path not in head and change.after is None:
            return False  # never tracked and now gone: the commit does not know it
        return _blob(root, change.path, change.before) != head.get(change.path)

    return tuple(change.path for change in change_set.changes if is_unfinished(change))


def _head(root: Path, paths: Iterable[str]) -> Mapping[PurePosixPath, str]:
    """The blobs that HEAD has at these paths; none before the first commit."""
    if not _git(root, "rev-parse", "--verify", "--quiet", "HEAD", check=False):
        return {}
    listing = _git(root, "ls-tree", "-z", "HEAD", "--", *paths)
    blobs = {}
    for record in filter(None, listing.split(b"\0")):
        fields, _, name = record.partition(b"\t")
        blobs[PurePosixPath(os.fsdecode(name))] = fields.split()[2].decode()
    return blobs


def _blob(root: Path, path: PurePosixPath, content: Content | None) -> str | None:
    """The name of the blob that Git would store: through the path's filters, as ``git add`` does."""
    if content is None:
        return None
    if isinstance(content, Symlink):
        return _git(root, "hash-object", "--stdin", stdin=os.fsencode(content.target)).decode().strip()
    return _git(root, "hash-object", "--stdin", "--path", str(path), stdin=content).decode().strip()


def _tracked(root: Path, paths: Iterable[PurePosixPath]) -> set[PurePosixPath]:
    return _names(_git(root, "ls-files", "--cached", "-z", "--", *map(str, paths)))


def _names(listing: bytes) -> set[PurePosixPath]:
    return {PurePosixPath(os.fsdecode(name)) for name in listing.split(b"\0") if name}


def _git(
    root: Path, *arguments: str, stdin: bytes | None = None, check: bool = True, index: Path | None = None
) -> bytes:
    """Run Git in ``root`` and return its output; with ``check``, an error is told as ``RefusedError``.

    ``index`` stands in for the repository's own one.
    """
    environment = {name: value for name, value in os.environ.items() if name not in _FOREIGN}
    if index is not None:
        environment["GIT_INDEX_FILE"] = str(index)
    command = ["git", "--literal-pathspecs", *arguments]
    try:
        result = subprocess.run(
            command, cwd=root, env=environment, input=stdin, capture_output=True, check=False
        )
    except FileNotFoundError as error:
        raise MissingError("git is not installed") from error
    if check and result.returncode:
        output = (result.stderr or result.stdout).decode(errors="replace").strip()
        raise RefusedError(f"git {arguments[0]} failed: {output}")
    return result.stdout
