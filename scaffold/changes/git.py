"""Git, through its own command: the one place that starts it."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping
from pathlib import Path, PurePosixPath
from tempfile import TemporaryDirectory

from scaffold.errors import MissingError

# Set while a Git hook runs, and pointing somewhere else than the directory in which we should work; or, as by
# some editors, changing what the paths of every command mean.
_ELSEWHERE = frozenset(
    f"GIT_{name}"
    for name in (
        "DIR", "WORK_TREE", "IMPLICIT_WORK_TREE", "INDEX_FILE", "PREFIX", "COMMON_DIR", "NAMESPACE",
        "OBJECT_DIRECTORY", "ALTERNATE_OBJECT_DIRECTORIES", "GRAFT_FILE", "SHALLOW_FILE",
        "LITERAL_PATHSPECS", "GLOB_PATHSPECS", "NOGLOB_PATHSPECS", "ICASE_PATHSPECS",
    )
)  # fmt: skip
_NO_TEXT = 128
"""The exit code of ``git merge-file`` from which on it has failed; below it is the number of conflicts."""


def git(
    directory: Path, *arguments: str, stdin: bytes | None = None, variables: Mapping[str, str] | None = None
) -> str:
    """Run ``git ARGUMENTS`` in ``directory``, whatever repository the caller is in.

    Paths, which stand behind ``--``, mean themselves, not patterns; ``variables`` are set for this run.
    Returns what Git printed: UTF-8, with other bytes as surrogates. Raises :class:`MissingError` if Git is
    missing or refuses.
    """
    environment = {**_environment(), **(variables or {})}
    try:
        code, printed, told = _finished(_command(arguments), directory, environment, stdin)
    except FileNotFoundError as error:
        raise MissingError("Git is not installed.", "Install git.") from error
    except OSError as error:
        raise MissingError(
            f"git cannot be run: {error.strerror}.", "Install git for this machine."
        ) from error
    if code:
        # Where Git does not open the repository, as another user's, not every command of it says so.
        closed, _, why = _finished(["git", "rev-parse", "--git-dir"], directory, environment, None)
        output = (why if closed else told or printed).decode(errors="replace").strip()
        raise MissingError(f"git {arguments[0]} failed: {output}", f"Check the repository {directory}.")
    return printed.decode(errors="surrogateescape")


def _finished(
    command: list[str], directory: Path, environment: Mapping[str, str], stdin: bytes | None
) -> tuple[int, bytes, bytes]:
    """The exit code and the output of a Git command, even if we are interrupted while it runs."""
    pipe = subprocess.PIPE
    with subprocess.Popen(
        command,
        cwd=directory,
        env=environment,
        stdin=None if stdin is None else pipe,
        stdout=pipe,
        stderr=pipe,
    ) as child:
        try:
            printed, told = child.communicate(stdin)
        except BaseException:
            child.terminate()  # not killed, which would leave its index.lock
            child.wait()
            raise
    return child.returncode, printed, told


def merge_file(base: bytes, ours: bytes, theirs: bytes, *, with_base: bool = False) -> tuple[bytes, bool]:
    """``git merge-file`` over three texts: the merged text, and whether it has no conflicts.

    A conflict stands in the text with its marks, and on demand with what both changed; bytes that are not
    text stay ``ours`` and are one. Raises what :func:`git` raises if Git cannot be run.
    """
    with TemporaryDirectory(prefix="scaffold-") as place:
        texts = {"here": ours, "base": base, "new version": theirs}
        for name, content in texts.items():
            Path(place, name).write_bytes(content)
        options = ["--diff3"] if with_base else []
        code, printed, _ = _finished(
            ["git", "merge-file", "-p", *options, *texts], Path(place), _environment(), None
        )
    return (printed, code == 0) if code < _NO_TEXT else (ours, False)


def names(listing: str) -> tuple[PurePosixPath, ...]:
    """The paths of a listing that Git printed under ``-z``."""
    return tuple(PurePosixPath(name) for name in listing.split("\0") if name)


def unmerged(root: Path, directory: str) -> tuple[str, ...]:
    """The paths below a directory, from the repository's ``root``, that a merge left unresolved.

    None if there is no repository.
    """
    try:
        listing = git(root, "ls-files", "--unmerged", "-z", "--", directory)
    except MissingError:
        return ()
    return tuple(dict.fromkeys(entry.partition("\t")[2] for entry in listing.split("\0") if entry))


def started(directory: Path, *arguments: str) -> subprocess.Popen[bytes]:
    """A running Git process that reads requests from standard input, in the environment of :func:`git`."""
    return subprocess.Popen(
        _command(arguments), cwd=directory, env=_environment(), stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )


def _command(arguments: tuple[str, ...]) -> list[str]:
    # Not by --literal-pathspecs, which would take their patterns from the hooks that Git starts too.
    end = arguments.index("--") + 1 if "--" in arguments else len(arguments)
    return ["git", *arguments[:end], *(f":(literal){path}" for path in arguments[end:])]


def _environment() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if name not in _ELSEWHERE}
