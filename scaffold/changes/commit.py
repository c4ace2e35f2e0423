"""Commit exactly the files of one change set, as the user's own ``git commit`` would."""

from __future__ import annotations

import os
import shlex
import shutil
from collections.abc import Collection, Iterable, Mapping
from contextlib import suppress
from pathlib import Path, PurePosixPath

from scaffold.changes.apply import apply
from scaffold.changes.change import ChangeSet, Content, FileChange, Symlink
from scaffold.changes.git import git, names
from scaffold.changes.lock import locked
from scaffold.errors import MissingError, RefusedError, UncommittedError


def write(change_set: ChangeSet, message: str, *, committed: bool) -> str | None:
    """Apply a change set, and commit exactly its files if asked to. Returns the commit, if any.

    Raises what :func:`demand_own` raises, in which case nothing is written, and what :func:`commit` raises.
    """
    if committed:
        demand_own(change_set)
    apply(change_set)
    return commit(change_set, message) if committed else None


def commit(change_set: ChangeSet, message: str) -> str | None:
    """Make one commit of an applied change set and return its name; None if Git knows none of its files.

    Only the files of the change set are committed, whatever else is dirty or staged; what the user has
    staged stays staged. Hooks, signing and identity are those of the user's ``git commit``.

    Raises ``RefusedError`` if the commit would take in somebody else's work (:func:`demand_own`), and
    ``UncommittedError`` where Git or a hook refuses it: the files stay written, and the index as it was.
    """
    demand_own(change_set)
    root = change_set.root
    known = names(git(root, "ls-files", "--cached", "-z", "--", *(str(c.path) for c in change_set.changes)))
    new = [
        change.path for change in change_set.changes if change.path not in known and change.after is not None
    ]
    paths = sorted([*known, *new])
    if not paths:
        return None
    entries: Collection[str] = ()
    try:
        if new:
            # `commit --only` wants to know its files. Forced: what belongs to the change is not ignored.
            git(root, "add", "--intent-to-add", "--force", "--", *map(str, new))
        entries = _entries(root, paths)
        git(root, "commit", "--quiet", "--only", "--message", message, "--", *map(str, paths))
    except BaseException as error:
        _take_back(root, paths if entries else new, entries)
        if isinstance(error, MissingError):
            raise _not_committed(root, paths, message, error.message) from error
        raise
    return git(root, "rev-parse", "HEAD").strip()


def _take_back(root: Path, paths: Iterable[PurePosixPath], entries: Collection[str]) -> None:
    """Reset these paths in the index to what HEAD has, wherever HEAD is by then.

    Git moves HEAD before it writes the index, and may be stopped in between or in a hook that comes after.
    Only ``entries`` are taken back that are as we left them: what was staged since is somebody else's.
    """
    with suppress(MissingError):  # what made Git refuse the commit may make it refuse this too
        still = [entry for entry in _entries(root, paths) if not entries or entry in entries]
        if ours := [entry.partition("\t")[2] for entry in still]:
            git(root, "reset", "--quiet", "--", *ours)


def _entries(root: Path, paths: Iterable[PurePosixPath]) -> Collection[str]:
    """The entries that the index has at these paths, each with its path behind a tab."""
    listing = git(root, "ls-files", "--stage", "-z", "--", *map(str, paths))
    return [entry for entry in listing.split("\0") if entry]


def _not_committed(root: Path, paths: Iterable[PurePosixPath], message: str, why: str) -> UncommittedError:
    command = f"git -C {shlex.quote(str(root))}"
    files = shlex.join(map(str, paths))
    return UncommittedError(
        f"The files were written, but not committed: {why}",
        f"Fix that, then run: {command} add --all -- {files} && "
        f"{command} commit -m {shlex.quote(message)} -- {files}",
    )


def demand_committed(
    root: Path, path: PurePosixPath, message: str, beside: Iterable[PurePosixPath] = ()
) -> None:
    """Check that what an earlier run wrote at ``path`` is committed, if a commit has nothing left to write.

    Raises ``UncommittedError``, with the command that commits it under ``message``, and along with it the
    files ``beside`` it that the run has edited too.
    """
    if files := _unsaved(root, [path]):
        edited = _unsaved(root, others) if (others := tuple(beside)) else ()
        raise _not_committed(root, [path, *edited], message, ", ".join(map(str, (*files, *edited))))


def unsaved(change_set: ChangeSet) -> tuple[PurePosixPath, ...]:
    """The files that a change set is about to delete and whose current content is in no commit."""
    deleted = [change.path for change in change_set.changes if change.after is None]
    return _unsaved(change_set.root, deleted) if deleted else ()


def _unsaved(root: Path, paths: Iterable[PurePosixPath]) -> tuple[PurePosixPath, ...]:
    arguments = ("status", "--porcelain", "-z", "--no-renames", "--untracked-files=all")
    listing = git(root, *arguments, "--", *map(str, paths))
    return tuple(sorted(names("\0".join(record[3:] for record in listing.split("\0")))))


def keep(root: Path, paths: Iterable[PurePosixPath]) -> str:
    """Put files as they are into Git's object store, without a commit; returns the name of their tree.

    ``git restore --source=TREE -- PATH`` brings them back, until Git clears away what nobody refers to.
    """
    with locked(root) as directory:
        scratch = directory / "keep"
        shutil.rmtree(scratch, ignore_errors=True)  # a run that was killed leaves it behind
        scratch.mkdir()
        index = {"GIT_INDEX_FILE": str(scratch / "index")}
        try:
            git(root, "add", "--force", "--", *map(str, paths), variables=index)
            return git(root, "write-tree", variables=index).strip()
        finally:
            shutil.rmtree(scratch, ignore_errors=True)


def demand_identity(root: Path) -> None:
    """Refuse to commit where Git knows nobody to commit as. Raises ``RefusedError`` with what sets it."""
    try:
        for who in ("AUTHOR", "COMMITTER"):
            git(root, "var", f"GIT_{who}_IDENT")
    except MissingError as error:
        raise RefusedError(
            "Git has no name and email address for you to commit with; nothing was written.",
            "Set both with `git config --global user.name NAME` and `git config --global user.email "
            "ADDRESS`, or leave out --commit.",
        ) from error


def demand_own(change_set: ChangeSet) -> None:
    """Refuse a commit that Git has no name for or that would include somebody else's work.

    Call it before anything is written. Raises what :func:`demand_identity` raises, and ``RefusedError`` with
    the files of :func:`uncommitted`.
    """
    demand_identity(change_set.root)
    if others := uncommitted(change_set):
        raise RefusedError(
            f"not committed: there are changes already in {', '.join(map(str, others))}.",
            "Commit those first, or leave out --commit, so that the two changes can be told apart.",
        )


def demand_clean(change_set: ChangeSet, depth: int = 2) -> None:
    """Refuse to edit a stack with changes of somebody else's: the two could not be told apart.

    A stack is a directory at this ``depth``. Raises ``RefusedError`` with the files beside those of the
    change set, and among them, that no commit has.
    """
    directories = sorted({PurePosixPath(*change.path.parts[:depth]) for change in change_set.changes})
    if dirty := _unsaved(change_set.root, directories) if directories else ():
        raise RefusedError(
            f"There are changes that are not committed yet in {', '.join(map(str, dirty))}.",
            "Commit them first, or stash them with `git stash`.",
        )


def demand_merged(root: Path) -> None:
    """Refuse to write during an unfinished merge. Raises ``RefusedError`` with the unmerged paths."""
    if unmerged := sorted(set(names(git(root, "diff", "--name-only", "--diff-filter=U", "-z")))):
        raise RefusedError(
            f"A merge is unfinished in {', '.join(map(str, unmerged))}.",
            "Resolve its conflicts, then run the command again.",
        )


def uncommitted(change_set: ChangeSet) -> tuple[PurePosixPath, ...]:
    """The files that differed from HEAD, or were staged, before the change set was applied.

    May be asked before the change set is applied and after.
    """
    root = change_set.root
    paths = [str(change.path) for change in change_set.changes]
    head = _head(root, paths)
    staged = names(git(root, "diff", "--cached", "--name-only", "--no-renames", "-z", "--", *paths))

    def is_unfinished(change: FileChange) -> bool:
        if change.path in staged:
            return True
        if change.path not in head and change.after is None:
            return False  # never tracked and now gone: the commit does not know it
        return _blob(root, change.path, change.before) != head.get(change.path)

    return tuple(change.path for change in change_set.changes if is_unfinished(change))


def _head(root: Path, paths: Iterable[str]) -> Mapping[PurePosixPath, str]:
    """The blobs that HEAD has at these paths; none before the first commit."""
    if not git(root, "rev-list", "--max-count=1", "--ignore-missing", "HEAD"):
        return {}
    listing = git(root, "ls-tree", "-z", "HEAD", "--", *paths)
    records = (record.partition("\t") for record in listing.split("\0") if record)
    return {PurePosixPath(name): fields.split()[2] for fields, _, name in records}


def _blob(root: Path, path: PurePosixPath, content: Content | None) -> str | None:
    """The name of the blob that Git would store: through the path's filters, as ``git add`` does."""
    if content is None:
        return None
    if isinstance(content, Symlink):
        return git(root, "hash-object", "--stdin", stdin=os.fsencode(content.target)).strip()
    return git(root, "hash-object", "--stdin", "--path", str(path), stdin=content).strip()
