"""Where the files of a plan come from: a directory, a Git revision, and files that are not written yet."""

from __future__ import annotations

import os
import posixpath
import stat
import subprocess
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from enum import Enum
from functools import cached_property
from pathlib import Path
from threading import Lock
from typing import Protocol

from scaffold.changes.change import Content, Symlink, is_ciphertext
from scaffold.changes.git import git, started
from scaffold.errors import MissingError
from scaffold.monorepo.root import OVERRIDES, stacks_said
from scaffold.monorepo.shared import SharedModules, modules_said

_MOST_LINKS = 16


class Kind(Enum):
    """What stands at a path."""

    FILE = "file"
    DIRECTORY = "directory"
    LINK = "link"


_KINDS = {stat.S_IFREG: Kind.FILE, stat.S_IFDIR: Kind.DIRECTORY, stat.S_IFLNK: Kind.LINK}


Overlay = Mapping[str, Content | None]
"""Files by their POSIX path from the monorepo's root, laid over what is there; None hides a file."""


class OutsideError(Exception):
    """A path leaves the monorepo, through ``..``, as an absolute path or through a symbolic link."""

    def __init__(self, path: str) -> None:
        super().__init__(path)
        self.path = path


class Tree(Protocol):
    """Files by POSIX paths from a root. Paths are normal: no ``..``, no ``.``, the root is ``""``."""

    def kind(self, path: str) -> Kind | None:
        """What stands at the path itself (a link is not followed), or None."""

    def read(self, path: str) -> bytes:
        """The bytes of a file."""

    def target(self, path: str) -> str:
        """What a link points to, as it is written."""

    def names(self, path: str) -> frozenset[str]:
        """The names in a directory."""


@dataclass(frozen=True, slots=True)
class DiskTree:
    """The files below a directory."""

    root: Path

    def kind(self, path: str) -> Kind | None:
        """What stands at the path."""
        try:
            mode = os.lstat(f"{self.root}/{path}").st_mode
        except (OSError, ValueError):
            return None
        return _KINDS.get(stat.S_IFMT(mode))

    def read(self, path: str) -> bytes:
        """The bytes of a file."""
        return (self.root / path).read_bytes()

    def target(self, path: str) -> str:
        """What a link points to."""
        return (self.root / path).readlink().as_posix()

    def names(self, path: str) -> frozenset[str]:
        """The names in a directory."""
        return frozenset(entry.name for entry in (self.root / path).iterdir())


@dataclass(frozen=True)
class OverlayTree:
    """A tree with other files laid over it."""

    base: Tree
    files: Overlay

    @cached_property
    def _names(self) -> Mapping[str, frozenset[str]]:
        return _directories(path for path, entry in self.files.items() if entry is not None)

    def kind(self, path: str) -> Kind | None:
        """What stands at the path."""
        if path in self.files:
            entry = self.files[path]
            return None if entry is None else Kind.LINK if isinstance(entry, Symlink) else Kind.FILE
        return Kind.DIRECTORY if path in self._names else self.base.kind(path)

    def read(self, path: str) -> bytes:
        """The bytes of a file."""
        entry = self.files.get(path)
        return entry if isinstance(entry, bytes) else self.base.read(path)

    def target(self, path: str) -> str:
        """What a link points to."""
        entry = self.files.get(path)
        return entry.target if isinstance(entry, Symlink) else self.base.target(path)

    def names(self, path: str) -> frozenset[str]:
        """The names in a directory."""
        below = self.base.names(path) if self.base.kind(path) is Kind.DIRECTORY else frozenset[str]()
        both = below | self._names.get(path, frozenset())
        return frozenset(name for name in both if self.kind(posixpath.join(path, name)) is not None)


@dataclass(frozen=True)
class GitTree:
    """The files of one revision, read from the object store; filters such as git-crypt's do not run.

    So of a file that is ciphertext there, and has not changed since, what stands at ``root`` is read: it may
    have been decrypted. Stacks that are planned at once read from the one process, each in its turn.
    """

    root: Path
    revision: str
    entries: Mapping[str, tuple[Kind, str]]
    objects: subprocess.Popen[bytes]
    _turn: Lock = field(default_factory=Lock)

    @cached_property
    def _names(self) -> Mapping[str, frozenset[str]]:
        return _directories(self.entries)

    def kind(self, path: str) -> Kind | None:
        """What stands at the path."""
        if path in self.entries:
            return self.entries[path][0]
        return Kind.DIRECTORY if path in self._names else None

    @cached_property
    def _changed(self) -> frozenset[str]:
        """The files that are different now."""
        changed = git(self.root, "diff", "--name-only", "--relative", "-z", "--end-of-options", self.revision)
        return frozenset(changed.split("\0"))

    def read(self, path: str) -> bytes:
        """The bytes of a file."""
        content = self._stored(path)
        if is_ciphertext(content) and path not in self._changed:
            return (self.root / path).read_bytes()
        return content

    def _stored(self, path: str) -> bytes:
        assert self.objects.stdin is not None and self.objects.stdout is not None
        with self._turn:
            self.objects.stdin.write(self.entries[path][1].encode() + b"\n")
            self.objects.stdin.flush()
            size = int(self.objects.stdout.readline().split()[-1])
            return self.objects.stdout.read(size + 1)[:-1]

    def target(self, path: str) -> str:
        """What a link points to."""
        return self.read(path).decode()

    def names(self, path: str) -> frozenset[str]:
        """The names in a directory."""
        return self._names[path]


@contextmanager
def git_tree(root: Path, revision: str) -> Iterator[GitTree]:
    """The files that a revision has below ``root``, which may be a directory inside its repository.

    Raises ``MissingError`` if there is no such revision, or no Git.
    """
    try:
        listing = git(root, "ls-tree", "-r", "-z", "--end-of-options", revision)
    except MissingError as error:
        _, said, reason = error.message.partition("fatal: ")
        if not said:
            raise
        raise MissingError(
            f"cannot read revision {revision}: {reason}", "name a commit, a branch or a tag"
        ) from error
    entries = {}
    for line in listing.split("\0")[:-1]:
        description, path = line.split("\t", 1)
        mode, kind, name = description.split()
        if kind == "blob":
            entries[path] = (Kind.LINK if mode == "120000" else Kind.FILE, name)
    with started(root, "cat-file", "--batch") as objects:
        try:
            yield GitTree(root, revision, entries, objects)
        finally:
            objects.kill()


def names_in(tree: Tree, path: str) -> frozenset[str]:
    """The names in a directory; none if there is no directory."""
    return tree.names(path) if tree.kind(path) is Kind.DIRECTORY else frozenset()


def is_file(tree: Tree, path: str) -> bool:
    """Whether there is a file at the path, or at the end of the links there, inside the tree."""
    try:
        return tree.kind(resolve(tree, path)) is Kind.FILE
    except OutsideError:
        return False


def normal(path: str) -> str:
    """The path without ``.`` and ``..``; raises ``OutsideError`` where it leaves the root."""
    result = posixpath.normpath(path)
    if result == ".." or result.startswith(("../", "/")):
        raise OutsideError(path)
    return "" if result == "." else result


def resolve(tree: Tree, path: str) -> str:
    """The path with every link in it followed, inside the tree.

    A path that does not exist stays as it is. Raises ``OutsideError`` if a link leaves the tree.
    """
    done = ""
    parts = normal(path).split("/")
    links = 0
    while parts:
        here = posixpath.join(done, parts.pop(0))
        if tree.kind(here) is not Kind.LINK:
            done = here
            continue
        links += 1
        if links > _MOST_LINKS:
            raise OutsideError(path)
        followed = normal(posixpath.join(posixpath.dirname(here), tree.target(here)))
        done, parts = "", [*followed.split("/"), *parts]
    return done


def _directories(paths: Iterable[str]) -> Mapping[str, frozenset[str]]:
    names: dict[str, set[str]] = {"": set()}
    for path in paths:
        below = path
        while below:
            above, name = posixpath.split(below)
            names.setdefault(above, set()).add(name)
            below = above
    return {directory: frozenset(found) for directory, found in names.items()}


def stacks_in(tree: Tree) -> str:
    """The directory of the stacks in a tree of files: see :func:`scaffold.monorepo.root.stacks_home`."""
    return stacks_said(_overrides(tree))


def shared_in(tree: Tree) -> SharedModules:
    """The shared modules in a tree of files: see :func:`scaffold.monorepo.shared.modules_said`."""
    return modules_said(_overrides(tree))


def _overrides(tree: Tree) -> bytes:
    return tree.read(OVERRIDES) if tree.kind(OVERRIDES) is Kind.FILE else b""
