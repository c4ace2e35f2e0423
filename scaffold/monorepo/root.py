"""Where a monorepo and its stacks are, judging by the names of its files and one line of its settings."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path, PurePosixPath

from scaffold.errors import MissingError

OVERRIDES = "scaffold.yml"
STACKS = "stacks"
"""Where stacks are if :data:`OVERRIDES` does not say it."""
ROOT_FILES = ("root.hcl", "terragrunt.hcl")
"""What the root's settings may be called: Terragrunt warns of the second name since its release 0.68."""
_REPOSITORY = ".git"


def root_file(directory: Path) -> str:
    """The root file of a directory; empty if it has none, as with plain Terraform."""
    return next((name for name in ROOT_FILES if (directory / name).is_file()), "")


def stacks_home(root: Path) -> str:
    """The directory of the stacks, by its path from the root, as ``scaffold.yml`` names it or by default.

    It is ``.`` where they are in the root itself.
    """
    path = root / OVERRIDES
    return stacks_said(path.read_bytes() if path.is_file() else b"")


@lru_cache(maxsize=16)
def stacks_said(overrides: bytes) -> str:
    """The same, from the content of ``scaffold.yml``; whoever reads all of it reports its problems."""
    from scaffold.reading import YamlError, read  # costs, and most monorepos have no such file

    try:
        value = read(overrides).value if overrides else None
    except YamlError:
        return STACKS
    said = value.get(STACKS) if isinstance(value, dict) else None
    path = PurePosixPath(said) if isinstance(said, str) and said else PurePosixPath(STACKS)
    return STACKS if path.is_absolute() or ".." in path.parts else path.as_posix()


def place(root: Path, stack: str) -> str:
    """The directory of a stack, by its path from the monorepo's root."""
    return PurePosixPath(stacks_home(root), stack).as_posix()


def stack_in(path: str | PurePosixPath, home: str) -> str:
    """The stack that a file belongs to, by its path from the monorepo's root; empty if it is in none."""
    parts, above = PurePosixPath(path).parts, PurePosixPath(home).parts
    return parts[len(above)] if parts[: len(above)] == above and len(parts) > len(above) else ""


def find_root(start: Path) -> Path:
    """The root of the monorepo that ``start`` is in.

    That is a directory with the stacks that its ``scaffold.yml`` names, or with ``stacks/`` and a root file
    of Terragrunt or, for plain Terraform, a Git repository. Raises :class:`MissingError` if no directory
    above is one, with what the nearest one that has either lacks.
    """
    start = start.resolve()
    lacking: list[str] = []
    for directory in (start, *start.parents):
        stacks, name = stacks_home(directory), root_file(directory)
        has_stacks, is_named = (directory / stacks).is_dir(), (directory / OVERRIDES).is_file()
        is_root = name or is_named or (directory / _REPOSITORY).exists()
        if has_stacks and is_root:
            return directory
        lacking += _lacking(directory, stacks if has_stacks else "", name, OVERRIDES if is_named else "")
    why = (*lacking, f"no directory above has {' or '.join(ROOT_FILES)} and {STACKS}/")[0]
    raise MissingError(
        f"{start} is not in a monorepo: {why}.",
        "Change into the monorepo, or name it with --monorepo; if its stacks are not in "
        f"{STACKS}/, `scaffold init` finds them. `scaffold demo DIR` creates a sample.",
    )


def _lacking(directory: Path, stacks: str, name: str, named: str) -> Iterator[str]:
    if stacks:
        yield f"{directory} has {stacks}/, but no {' or '.join(ROOT_FILES)} beside it"
    elif named:
        yield f"{directory / named} says that the stacks are in {stacks_home(directory)}/, which is not there"
    elif name == ROOT_FILES[0]:
        yield f"{directory} has {name}, but no {STACKS}/ beside it"
