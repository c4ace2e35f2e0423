"""The templates of another version, from the Git repository that a stack records, kept between runs."""

from __future__ import annotations

from contextlib import suppress
from functools import cache
from hashlib import sha256
from pathlib import Path
from tempfile import TemporaryDirectory

from scaffold.changes.git import git
from scaffold.errors import MissingError, UsageError
from scaffold.templates import template
from scaffold.terraform.tree import Kind, git_tree

_SHORT = {"gh:": "https://github.com/", "gl:": "https://gitlab.com/"}
"""What Copier takes for the beginning of an address."""
_NOBODY_IS_ASKED = {"GIT_TERMINAL_PROMPT": "0"}
_TEMPLATES = ("copier.yml", "templates/")


def templates_of(source: str, version: str) -> Path:
    """A directory with the templates of a version: a tag or a commit of the Git repository at ``source``.

    It is fetched once. Raises :class:`MissingError` if the source is none, or has no such version.
    """
    try:
        repository, revision = _repository(source, version)
    except (MissingError, UsageError) as error:
        raise MissingError(
            f"The templates of version {version} cannot be fetched from {source}: {error.message}",
            "Check that this repository is reachable and has that version; a stack records both as "
            "`_src_path` and `_commit`.",
        ) from error
    kept = _kept() / sha256(f"{source}\0{revision}".encode()).hexdigest()[:20]
    if not kept.is_dir():
        with TemporaryDirectory(dir=kept.parent, ignore_cleanup_errors=True) as place:
            _unpack(repository, revision, Path(place))
            with suppress(OSError):  # another run was first
                Path(place).rename(kept)
    return kept


def _repository(source: str, version: str) -> tuple[Path, str]:
    """A repository on this machine that has the version, and its commit."""
    source = template.checked_source(source).removeprefix("git+")
    if Path(source).is_dir():
        return Path(source), _commit(Path(source), version)
    for short, address in _SHORT.items():
        source = f"{address}{source.removeprefix(short)}.git" if source.startswith(short) else source
    repository = _kept() / f"{sha256(source.encode()).hexdigest()[:20]}.git"
    if not repository.is_dir():
        git(repository.parent, "init", "--quiet", "--bare", repository.name)
    try:
        return repository, _commit(repository, version)
    except MissingError:
        everything = ("+refs/heads/*:refs/heads/*", "+refs/tags/*:refs/tags/*")
        options = ("--quiet", "--force", "--filter=blob:none", "--end-of-options")
        git(repository, "fetch", *options, source, *everything, variables=_NOBODY_IS_ASKED)
        return repository, _commit(repository, version)


def _commit(repository: Path, version: str) -> str:
    return git(repository, "rev-parse", "--verify", "--end-of-options", f"{version}^{{commit}}").split()[-1]


def _unpack(repository: Path, revision: str, place: Path) -> None:
    with git_tree(repository, revision) as tree:
        for path, (kind, _) in tree.entries.items():
            if not path.startswith(_TEMPLATES):
                continue
            (place / path).parent.mkdir(parents=True, exist_ok=True)
            if kind is Kind.LINK:
                (place / path).symlink_to(tree.target(path))
            else:
                (place / path).write_bytes(tree.read(path))
    if not (place / "copier.yml").is_file():
        raise MissingError(f"{repository} has no templates at {revision}.", "Check `_src_path`.")


@cache
def _scratch() -> TemporaryDirectory[str]:
    return TemporaryDirectory(prefix="scaffold-")


def _kept() -> Path:
    return template.cache_directory("templates") or Path(_scratch().name)
