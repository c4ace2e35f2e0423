"""Commit exactly the files of a change set, as the user's own ``git commit`` would: at once, or by stack."""

from __future__ import annotations

import os
import shlex
import shutil
from collections.abc import Collection, Iterable
from contextlib import suppress
from functools import reduce
from pathlib import Path, PurePosixPath

from scaffold.changes.apply import apply
from scaffold.changes.change import ChangeSet, Content, FileChange, Symlink
from scaffold.changes.git import git, names
from scaffold.changes.lock import locked
from scaffold.errors import MissingError, RefusedError, UncommittedError


def write(change_set: ChangeSet, message: str, *, committed: bool) -> str | None:
    """Apply a change set, and commit exactly its files if asked to. Returns the commit, if any.

    No commit is made if Git knows none of the files. Whatever else is dirty or staged stays so. Hooks,
    signing and identity are those of the user's ``git commit``.

    Raises what :func:`demand_own` raises, in which case nothing is written, and ``UncommittedError`` where
    Git or a hook refuses the commit: the files stay written, and the index as it was.
    """
    if committed:
        demand_own(change_set)
    apply(change_set)
    return _commit(change_set, message) if committed else None


def _commit(change_set: ChangeSet, message: str) -> str | None:
    root = change_set.root
    known = names(git(root, "ls-files", "--cached", "-z", "--", *(str(c.path) for c in change_set.changes)))
    new = [
        change.path for change in change_set.changes if change.path not in known and change.after is not None
    ]
    paths = sorted([*known, *new])
    if not paths:
        return None
    if staged := _differing(root, paths, "--cached"):  # nothing was before the files were written
        others = ", ".join(map(str, staged))
        raise _not_committed(root, paths, message, f"other changes were staged meanwhile: {others}")
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
        f"Fix that, then run: `{command} add --all -- {files} && "
        f"{command} commit -m {shlex.quote(message)} -- {files}`",
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
    """The files of a change set, not applied yet, that differ from HEAD or are staged.

    One that Git never knew and that goes is none: a commit does not know it either.
    """
    root, paths = change_set.root, [change.path for change in change_set.changes]
    differing = {*_differing(root, paths), *_differing(root, paths, "--cached")}
    listing = git(root, "ls-files", "-v", "--stage", "-z", "--", *map(str, paths))
    records = (record.partition("\t") for record in listing.split("\0") if record)
    tracked = {PurePosixPath(name): fields.split() for fields, _, name in records}

    def is_unfinished(change: FileChange) -> bool:
        if change.path not in tracked:
            return change.before is not None and change.after is not None
        flag, _, blob, _ = tracked[change.path]
        # What is marked as unchanged or as not there is left out of a diff, but not of a commit.
        hidden = flag != "H" and blob != _blob(root, change.path, change.before)
        return hidden or change.path in differing

    return tuple(change.path for change in change_set.changes if is_unfinished(change))


def _differing(root: Path, paths: Iterable[PurePosixPath], *options: str) -> tuple[PurePosixPath, ...]:
    return names(git(root, "diff", *options, "--name-only", "--no-renames", "-z", "--", *map(str, paths)))


def _blob(root: Path, path: PurePosixPath, content: Content | None) -> str | None:
    """The name of the blob that Git would store: through the path's filters, as ``git add`` does."""
    if content is None:
        return None
    if isinstance(content, Symlink):
        return git(root, "hash-object", "--stdin", stdin=os.fsencode(content.target)).strip()
    return git(root, "hash-object", "--stdin", "--path", str(path), stdin=content).strip()


def within(change: ChangeSet, directory: PurePosixPath) -> ChangeSet:
    """The part of a change set that is in one directory."""
    return ChangeSet(change.root, tuple(f for f in change.changes if f.path.is_relative_to(directory)))


def write_stacks(
    parts: Iterable[tuple[ChangeSet, str]], commits: str | None, message: str
) -> tuple[str, ...]:
    """Write stacks all at once, or where ``commits`` is ``per-stack`` each with a commit of its own.

    ``parts`` are what is written of each stack once those before it are, with the message of its commit;
    ``message`` is that of ``one`` for all. Returns the commits. Raises
    :class:`~scaffold.errors.RefusedError` where files changed meanwhile, or a commit would take in somebody
    else's work; then nothing is written, or nothing of that stack and those behind it.
    """
    parts = [(change, text) for change, text in parts if change.changes]
    if not parts:
        return ()
    whole = reduce(ChangeSet.then, (change for change, _ in parts))
    demand_merged(whole.root)
    if commits is None:
        apply(whole)
        return ()
    demand_own(whole)
    each = parts if commits == "per-stack" else [(whole, message)]
    return tuple(filter(None, [write(change, text, committed=True) for change, text in each]))
