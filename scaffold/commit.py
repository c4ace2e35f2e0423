"""Commit exactly the files of one change set, as the user's own ``git commit`` would."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterable, Mapping
from pathlib import Path, PurePosixPath

from scaffold.change import ChangeSet, Content, FileChange, Symlink
from scaffold.errors import MissingError, RefusedError

# Set while a Git hook runs, and pointing elsewhere than to the repository that we were told to work in.
_FOREIGN = ("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_PREFIX", "GIT_OBJECT_DIRECTORY")


def commit(change_set: ChangeSet, message: str) -> str:
    """Make one commit of an applied change set and return its name.

    Only the files of the change set are committed, whatever else is dirty or staged; what the user has
    staged stays staged. Hooks, signing and identity are those of the user's ``git commit``.

    Raises ``RefusedError`` where the commit would take in somebody else's work (:func:`demand_own`) or
    where Git or a hook refuses it: then the files stay as they are, and so does the index.
    """
    demand_own(change_set)
    root = change_set.root
    known = _tracked(root, (change.path for change in change_set.changes))
    new = [
        change.path for change in change_set.changes if change.path not in known and change.after is not None
    ]
    paths = sorted([*known, *new])
    if new:
        # `commit --only` wants to know its files. Forced: what belongs to the change is not ignored.
        _git(root, "add", "--intent-to-add", "--force", "--", *map(str, new))
    done = False
    try:
        _git(root, "commit", "--quiet", "--only", "--message", message, "--", *map(str, paths))
        done = True
    finally:
        if new and not done:
            _git(root, "rm", "--cached", "--force", "--quiet", "--ignore-unmatch", "--", *map(str, new))
    return _git(root, "rev-parse", "HEAD").decode().strip()


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


def _git(root: Path, *arguments: str, stdin: bytes | None = None, check: bool = True) -> bytes:
    """Run Git in ``root`` and return its output; with ``check``, an error is told as ``RefusedError``."""
    environment = {name: value for name, value in os.environ.items() if name not in _FOREIGN}
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
