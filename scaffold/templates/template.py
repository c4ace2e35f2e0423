"""Where the templates are: their files, their origin and their version."""

from __future__ import annotations

import hashlib
import json
import marshal
import os
import re
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from dataclasses import dataclass
from functools import cache, wraps
from pathlib import Path
from typing import Any, ParamSpec, TypeVar

import yaml

from scaffold.errors import MissingError, UsageError

P = ParamSpec("P")
R = TypeVar("R")

DISTRIBUTION = "homelab-scaffold"
BUILT_FROM = "built-from"
"""The file of an installed package with the commit that it was built from, and ``changed`` after it."""
_OLD = 30 * 24 * 3600
"""After so many seconds without use, what is kept for another monorepo, or version, is removed."""
_SHORT = 1000
"""Characters of YAML below which it is read at once."""
_PACKAGE = Path(__file__).parent.parent
FAST_LOADER: type[yaml.SafeLoader] = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
"""The loader for YAML whose places nobody needs: libyaml's, where PyYAML was built with it."""


@dataclass(frozen=True, slots=True)
class Origin:
    """What a stack records so that stock ``copier update`` finds its templates again."""

    source: str
    version: str
    updatable: bool
    """False where a stock update cannot work, as from a checkout with uncommitted changes."""

    @property
    def is_local(self) -> bool:
        """Whether the source is a path on this machine, where nobody else's update finds it."""
        return _URL.fullmatch(self.source) is None or self.source.removeprefix("git+").startswith("file:")


def root() -> Path:
    """The directory with ``copier.yml``: the package's, the checkout's, or what :func:`using` names.

    Raises :class:`MissingError` if the package was built without its templates.
    """
    return _used.get() or _installed_root()


_used: ContextVar[Path | None] = ContextVar("_used", default=None)


@contextmanager
def using(directory: Path) -> Iterator[None]:
    """Use the templates of another version, from a directory with its ``copier.yml``, while this is open."""
    before = _used.set(directory)
    try:
        yield
    finally:
        _used.reset(before)


def kept(function: Callable[P, R]) -> Callable[P, R]:
    """``functools.cache`` for what is read of the templates: each version has its own."""

    of_installed: dict[tuple[object, ...], R] = {}
    of_others: dict[Path, dict[tuple[object, ...], R]] = {}

    @wraps(function)
    def known(*arguments: P.args, **named: P.kwargs) -> R:
        used = _used.get()  # asked a thousand times at a key of the wizard: a path takes long to look up
        found = of_installed if used is None else of_others.setdefault(used, {})
        key = (*arguments, *named.items()) if named else arguments
        if key not in found:
            found[key] = function(*arguments, **named)
        return found[key]

    return known


@cache
def _installed_root() -> Path:
    for candidate in (_PACKAGE / "_template", _PACKAGE.parent):
        if (candidate / "copier.yml").is_file():
            return candidate
    raise MissingError("This installation has no templates.", "Install the package again.")


@kept
def facts(name: str) -> dict[str, Any]:
    """A file of facts among the decision tables (``house.yml`` and its like)."""
    values: dict[str, Any] = parsed(facts_text(name))
    return values


def facts_text(name: str) -> str:
    """The same file as it is written."""
    return (root() / "templates" / "decisions" / f"{name}.yml").read_text("utf-8")


def cache_root() -> Path:
    """Where everything that is kept between runs is; a run without it gives the same results."""
    from platformdirs import user_cache_path

    return user_cache_path(DISTRIBUTION, appauthor=False)


def cache_directory(name: str) -> Path | None:
    """A directory of the user's for what is kept between runs; None if nothing can be kept."""
    directory = cache_root() / name
    try:
        directory.mkdir(parents=True, exist_ok=True, mode=0o700)
    except OSError:
        return None
    return directory if os.access(directory, os.W_OK) else None


def parsed(text: str, loader: type[yaml.SafeLoader] = FAST_LOADER) -> Any:
    """The content of one of the templates' YAML texts, kept because reading a long one takes longer."""
    directory = cache_directory("tables") if len(text) > _SHORT else None
    if directory is None:
        return yaml.load(text, loader)
    key = f"{sys.implementation.cache_tag}\0{yaml.__version__}\0{text}"
    file = directory / f"{hashlib.sha256(key.encode()).hexdigest()}.yaml"
    value = recalled(file)
    if value is None:
        value = yaml.load(text, loader)
        remember(file, value)
    return value


def recalled(file: Path) -> Any:
    """What a file of :func:`cache_directory` holds; nothing if it cannot be read."""
    # From an open file, marshal reads each part of a value by a call of its own.
    with suppress(OSError, ValueError, EOFError, TypeError):
        return marshal.loads(file.read_bytes())
    return None


def remember(file: Path, value: Any) -> None:
    """Keep a value in a file for the next run, if possible and if the value can be stored."""
    with suppress(OSError, ValueError):  # a date has none
        staged = file.with_suffix(f".{os.getpid()}")
        staged.write_bytes(marshal.dumps(value))
        staged.replace(file)


def drop_unused(directory: Path) -> None:
    """Remove what nobody has used in a directory of the cache for 30 days."""
    with suppress(OSError):
        for file in directory.iterdir():
            if file.stat().st_mtime < time.time() - _OLD:
                file.unlink(missing_ok=True)


def version() -> str:
    """The version of the installed package, which is the version of its templates."""
    from importlib import metadata

    return metadata.version(DISTRIBUTION)


_URL = re.compile(
    r"(git\+)?(https?|ssh|git)://([\w.~-]+@)?[A-Za-z0-9\[][^\s/@]*/\S+|(git\+)?file:///.+"
    r"|[\w.~-]+@[A-Za-z0-9][\w.-]*:[^\s-]\S*|g[hl]:[\w.-]+/\S+"
)
"""What Git and Copier take for a repository: no password in it, and nothing that Git takes for an option."""


def checked_source(source: str) -> str:
    """A template's source, if stock ``copier update`` could take it: a Git URL or a directory that is there.

    Raises :class:`UsageError` for anything else.
    """
    is_plain = source.isprintable() and not source.startswith("-")
    if source and is_plain and (_URL.fullmatch(source) or Path(source).is_dir()):
        return source
    raise UsageError(
        "The template source is neither a Git URL nor an existing directory.",
        "Name a Git URL without a password (https://HOST/PATH.git, git@HOST:PATH) or a directory with the "
        "templates.",
    )


def unlasting(origin: Origin) -> Iterator[str]:
    """Why stock ``copier update`` of a stack that records this origin works badly, or only here."""
    if not origin.updatable:
        yield "the templates are a checkout with changes: `copier update` will not find them"
    if origin.is_local:
        yield (
            f"the templates are recorded at {origin.source}, a path of this machine: `copier update` works "
            "nowhere else; name the team's Git URL with --template-source, or as `template` in scaffold.yml"
        )


def origin(source: str | None = None) -> Origin:
    """Where these templates come from: ``source`` if given, else as PEP 610 recorded the installation.

    A Git installation gives its URL and commit, an installation from a checkout that checkout and the commit
    that was installed (for an editable one, whose templates are the checkout's own, the commit that is
    checked out), any other the project's own URL and the tag of this version. Raises :class:`MissingError` if
    none of these is known.
    """
    if source:
        return Origin(source, f"v{version()}", updatable=True)
    from importlib import metadata

    distribution = metadata.distribution(DISTRIBUTION)
    direct = json.loads(distribution.read_text("direct_url.json") or "{}")
    if "vcs_info" in direct:
        return Origin(f"git+{direct['url']}", direct["vcs_info"]["commit_id"], updatable=True)
    if str(direct.get("url", "")).startswith("file://"):
        from urllib.parse import unquote, urlparse

        checkout = Path(unquote(urlparse(direct["url"]).path))
        editable = direct.get("dir_info", {}).get("editable", False)
        if (checkout / ".git").exists():
            return _of_checkout(checkout) if editable else _installed(checkout)
    for line in distribution.metadata.get_all("Project-URL") or []:
        label, _, url = line.partition(", ")
        if label == "Source":
            return Origin(f"git+{url}", f"v{version()}", updatable=True)
    raise MissingError("The source of the templates is not known.", "Name it with --template-source.")


def _installed(checkout: Path) -> Origin:
    """What the build of the package recorded (``hatch_build.py``), wherever the checkout has gone since."""
    file = root() / BUILT_FROM
    commit, _, changed = file.read_text("utf-8").strip().partition(" ") if file.is_file() else ("", "", "?")
    return Origin(str(checkout), commit or f"v{version()}", updatable=not changed)


def _of_checkout(checkout: Path) -> Origin:
    from scaffold.changes.git import git

    # As Copier names it: an update that changes nothing then changes that neither.
    commit = git(checkout, "describe", "--tags", "--always").strip()
    changed = git(checkout, "status", "--porcelain", "--", "copier.yml", "templates").strip()
    return Origin(str(checkout), commit, updatable=not changed)
