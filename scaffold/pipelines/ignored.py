"""What Git and Docker leave out: the patterns of their ignore files, matched by pathspec."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import PurePosixPath


def ignored_by_git(text: str, path: str) -> str | None:
    """The pattern of a ``.gitignore`` that leaves a path out; a directory's path ends with ``/``.

    The last pattern that matches decides, and one with ``!`` keeps the path, unless a directory above it is
    left out.
    """
    above = [f"{parent}/" for parent in reversed(PurePosixPath(path).parents) if parent.name]
    return _deciding(((line, line) for line in _written(text)), [*above, path])


def ignored_by_docker(text: str, path: str) -> str | None:
    """The pattern of a ``.dockerignore`` that leaves a path out; a directory's path ends with ``/``.

    Docker's patterns are Git's, except for three things: they begin at the root, a directory's needs no ``/``
    and means a file, too, and ``!`` also keeps what is in a directory that is left out.
    """
    return _deciding(((line, _as_git_writes(line.strip())) for line in _written(text)), [path])


def _written(text: str) -> list[str]:
    return [line for line in text.splitlines() if line.strip() and not line.startswith("#")]


def _as_git_writes(pattern: str) -> str:
    kept = pattern.startswith("!")
    return "!" * kept + "/" + pattern[kept:].strip().removeprefix("./").strip("/")


def _deciding(patterns: Iterable[tuple[str, str]], paths: Iterable[str]) -> str | None:
    """Of patterns as they are written, and as Git writes them, the one that excludes the first path."""
    from pathspec import GitIgnoreSpec

    valid = [(written, pattern) for written, pattern in patterns if _is_valid(pattern)]
    spec = GitIgnoreSpec.from_lines(pattern for _, pattern in valid)
    for result in map(spec.check_file, paths):
        if result.include and result.index is not None:
            return valid[result.index][0]
    return None


def _is_valid(pattern: str) -> bool:
    """Whether a pattern can be read; Git matches nothing with one that cannot."""
    from pathspec import GitIgnoreSpec

    try:
        GitIgnoreSpec.from_lines([pattern])
    except (ValueError, re.error):
        return False
    return True
