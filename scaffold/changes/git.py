"""The few questions that are asked of Git, through its own command."""

from __future__ import annotations

import subprocess
from pathlib import Path

from scaffold.errors import MissingError


def git(directory: Path, *arguments: str) -> str:
    """Run ``git ARGUMENTS`` in ``directory`` and return what it printed.

    Raises :class:`MissingError` where Git is missing or refuses.
    """
    try:
        done = subprocess.run(["git", *arguments], cwd=directory, capture_output=True, check=False)
    except FileNotFoundError as error:
        raise MissingError("Git is not installed.", "Install git.") from error
    if done.returncode:
        raise MissingError(
            f"git {' '.join(arguments[:2])} failed: {done.stderr.decode(errors='replace').strip()}",
            f"Look at the repository {directory}.",
        )
    return done.stdout.decode(errors="surrogateescape")
