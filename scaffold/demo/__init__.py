"""The sample monorepo: an imaginary homelab, for trying ``scaffold`` and for testing it."""

from __future__ import annotations

import os
import shutil
import tempfile
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING

from scaffold.changes.git import git
from scaffold.errors import MissingError, RefusedError

if TYPE_CHECKING:
    from importlib.resources.abc import Traversable

# Links are made here: a wheel cannot hold them.
_LINKS = {"stacks/navidrome/secrets": "../../secrets"}

_SETTINGS = {
    "core.attributesFile": os.devnull,
    "core.excludesFile": os.devnull,
    "commit.gpgSign": "false",
    "core.autocrlf": "false",
    "init.defaultBranch": "main",
}
# The same commit everywhere: no configuration has a say, neither a file nor what the caller's Git was given.
_GIT = {
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_CONFIG_PARAMETERS": "",
    "GIT_CONFIG_COUNT": str(len(_SETTINGS)),
    **{f"GIT_CONFIG_KEY_{number}": key for number, key in enumerate(_SETTINGS)},
    **{f"GIT_CONFIG_VALUE_{number}": value for number, value in enumerate(_SETTINGS.values())},
    "GIT_DEFAULT_HASH": "sha1",
    "GIT_AUTHOR_NAME": "Robin Gardener",
    "GIT_AUTHOR_EMAIL": "robin@example.test",
    "GIT_AUTHOR_DATE": "2026-03-01T09:00:00+00:00",
    "GIT_COMMITTER_NAME": "Robin Gardener",
    "GIT_COMMITTER_EMAIL": "robin@example.test",
    "GIT_COMMITTER_DATE": "2026-03-01T09:00:00+00:00",
}


def sample() -> Traversable:
    """Where the sample's files are in the package; :func:`write` adds the links and the history."""
    return files(__name__) / "monorepo"


def write(directory: Path) -> None:
    """Write the sample monorepo into ``directory``: a clean Git repository on ``main`` with one commit.

    The directory may be new or empty. The commit is the same everywhere, whatever Git is configured to do.
    Nothing stays behind in the directory when this fails.

    Raises:
        MissingError: Git is missing or fails.
        RefusedError: the directory is not empty, or cannot be written to.
    """
    if shutil.which("git") is None:
        raise MissingError("git was not found", "Install Git: the sample is a Git repository.")
    try:
        directory.mkdir(parents=True, exist_ok=True)
        if any(directory.iterdir()):
            raise RefusedError(f"{directory} is not empty", "Name a directory that is new or empty.")
        with tempfile.TemporaryDirectory(prefix=".sample-", dir=directory) as staging:
            repository = Path(staging, "monorepo")
            _copy(sample(), repository)
            for link, target in _LINKS.items():
                (repository / link).symlink_to(target)
            for script in (repository / "scripts").iterdir():
                script.chmod(script.stat().st_mode | 0o111)
            _commit(repository)
            for entry in repository.iterdir():
                entry.rename(directory / entry.name)
    except OSError as error:
        raise RefusedError(
            f"{directory} cannot be written: {error.strerror}", "Name a directory that you may write to."
        ) from error


def _copy(source: Traversable, target: Path) -> None:
    target.mkdir()
    for entry in source.iterdir():
        if entry.is_file():
            (target / entry.name).write_bytes(entry.read_bytes())
        elif entry.name != "__pycache__":  # an installer compiles every .py file it sees
            _copy(entry, target / entry.name)


def _commit(repository: Path) -> None:
    for arguments in (
        ("init", "--quiet", "--template="),
        ("add", "--all"),
        ("commit", "--quiet", "--message", "A small homelab"),
    ):
        git(repository, *arguments, stdin=b"", variables=_GIT)
