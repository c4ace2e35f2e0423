"""``scaffold template export``: the templates alone, as a Git repository for stock Copier."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from scaffold.changes.git import git
from scaffold.errors import RefusedError
from scaffold.templates import template
from scaffold.templates.questions import exclusions

_FILES = ("copier.yml", "templates")
# A wheel holds no links.
_LINKS = {"templates/stack/{% if tls_secret %}secrets{% endif %}": "../../secrets"}


@dataclass(frozen=True, slots=True)
class Exported:
    """The version that a repository has as a tag; ``new`` where it was added just now."""

    directory: Path
    tag: str
    new: bool


def export(directory: Path, origin: template.Origin) -> Exported:
    """Add this version of the templates to the repository at ``directory``: one commit and one tag.

    The directory may be new or empty. What else the repository has stays. ``origin`` is where these templates
    are from. Raises :class:`RefusedError` for templates with changes that no commit has, for a directory that
    is no such repository or is not clean, and for a tag that has other templates: no published one is moved.
    """
    tag = f"v{template.version()}"
    if not origin.updatable:
        raise RefusedError(
            "These templates have uncommitted changes.", "Commit them: an export is a release."
        )
    _demand_repository(directory)
    with TemporaryDirectory(prefix="scaffold-") as place:
        _write(Path(place, "tree"))
        tree = _tree(directory, Path(place))
    if git(directory, "tag", "--list", tag):
        parts = [git(directory, "rev-parse", f"{of}:templates", f"{of}:copier.yml") for of in (tag, tree)]
        if parts[0] != parts[1]:
            raise RefusedError(
                f"{directory} has a tag {tag} with other templates.",
                "A published tag is never moved; increase `version` in pyproject.toml.",
            )
        return Exported(directory, tag, new=False)
    parents = ["-p", _head(directory)] if _head(directory) else []
    commit = git(directory, "commit-tree", tree, *parents, "-m", f"Templates {tag}").strip()
    git(directory, "update-ref", "HEAD", commit)
    git(directory, "reset", "--hard", "--quiet")
    git(directory, "-c", "tag.gpgSign=false", "tag", tag, commit)
    return Exported(directory, tag, new=True)


def _demand_repository(directory: Path) -> None:
    """Check that the directory is a clean repository of its own, or can become one."""
    try:
        directory.mkdir(parents=True, exist_ok=True)
        is_empty = not any(directory.iterdir())
    except OSError as error:
        raise RefusedError(
            f"{directory} cannot be written: {error.strerror}.", "Name another directory."
        ) from error
    if is_empty:
        git(directory, "init", "--quiet", "--initial-branch=main")
    elif not (directory / ".git").exists():
        raise RefusedError(
            f"{directory} is neither empty nor a Git repository.",
            "Name a new or empty directory, or one of an earlier export.",
        )
    elif _head(directory) and not git(directory, "ls-tree", "HEAD", "--", "copier.yml"):
        raise RefusedError(
            f"{directory} is the repository of something else.", "Name one of an earlier export."
        )
    elif git(directory, "status", "--porcelain"):
        raise RefusedError(f"{directory} has uncommitted changes.", "Commit or revert them.")


def _write(place: Path) -> None:
    """The files of the templates, with their links."""
    place.mkdir()
    shutil.copy(template.root() / "copier.yml", place)
    leave_out = shutil.ignore_patterns(*exclusions())
    shutil.copytree(template.root() / "templates", place / "templates", symlinks=True, ignore=leave_out)
    for link, aim in _LINKS.items():
        if not (place / link).is_symlink():
            (place / link).symlink_to(aim)


def _tree(directory: Path, place: Path) -> str:
    """Git's tree of the repository's content, with the written templates in place of its own."""
    own = {
        "GIT_DIR": str(directory.resolve() / ".git"), "GIT_WORK_TREE": str(place / "tree"),
        "GIT_INDEX_FILE": str(place / "index"),
    }  # fmt: skip
    if head := _head(directory):
        git(place / "tree", "read-tree", head, variables=own)
    git(place / "tree", "-c", "core.autocrlf=false", "add", "--all", "--force", "--", *_FILES, variables=own)
    return git(place / "tree", "write-tree", variables=own).strip()


def _head(directory: Path) -> str:
    """The commit that is checked out; nothing in a repository without commits."""
    branch = git(directory, "symbolic-ref", "HEAD").strip()
    return git(directory, "for-each-ref", "--format=%(objectname)", branch).strip()
