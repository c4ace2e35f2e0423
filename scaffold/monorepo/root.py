"""Where a monorepo is, told by the names of its files alone."""

from __future__ import annotations

from pathlib import Path

from scaffold.errors import MissingError

STACKS = "stacks"
ROOT_FILES = ("root.hcl", "terragrunt.hcl")
"""What the root's settings may be called: Terragrunt warns of the second name since its release 0.68."""


def root_file(directory: Path) -> str:
    """The root file of a directory; empty where it has none."""
    return next((name for name in ROOT_FILES if (directory / name).is_file()), "")


def find_root(start: Path) -> Path:
    """The root of the monorepo that ``start`` is in.

    Raises :class:`MissingError` where no directory above has a root file of Terragrunt and ``stacks/``, with
    what the nearest one that has either lacks.
    """
    start = start.resolve()
    lacking = []
    for directory in (start, *start.parents):
        has_stacks, name = (directory / STACKS).is_dir(), root_file(directory)
        if has_stacks and name:
            return directory
        if has_stacks:
            lacking.append(f"{directory} has {STACKS}/, but no {' or '.join(ROOT_FILES)} beside it")
        elif name == ROOT_FILES[0]:
            lacking.append(f"{directory} has {name}, but no {STACKS}/ beside it")
    why = (*lacking, f"no directory above has {' or '.join(ROOT_FILES)} and {STACKS}/")[0]
    raise MissingError(
        f"{start} is not in a monorepo: {why}.",
        "Change into the monorepo, or name it with --monorepo; `scaffold demo DIR` creates a sample.",
    )
