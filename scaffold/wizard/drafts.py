"""Drafts of unfinished Services: kept for each monorepo and stack, so that the wizard can continue later."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from tempfile import NamedTemporaryFile

import yaml

from scaffold.errors import MissingError, UsageError
from scaffold.reading import YamlError, load
from scaffold.templates import template
from scaffold.templates.questions import Value

_ALL = "drafts"
UNNAMED = "unnamed"
"""The draft of a Service whose name is not answered yet; no Service can be called like this by chance."""


@dataclass(frozen=True, slots=True)
class Drafts:
    """The drafts for one monorepo. They contain answers that were valid, so no secrets."""

    directory: Path

    @classmethod
    def of(cls, root: Path) -> Drafts:
        """The drafts for the monorepo at ``root``, in the user's state directory."""
        from platformdirs import user_state_path

        place = hashlib.sha256(str(root.resolve()).encode()).hexdigest()[:12]
        return cls(user_state_path(template.DISTRIBUTION, appauthor=False) / _ALL / f"{root.name}-{place}")

    def save(self, name: str, content: Mapping[str, Value]) -> None:
        """Save a draft, whole or not at all, readable by its owner alone."""
        self._write(self._path(name), yaml.safe_dump(dict(content), sort_keys=False, allow_unicode=True))

    @property
    def names(self) -> tuple[str, ...]:
        """The names of all drafts, the newest first."""
        paths = sorted(self.directory.glob("*.yml"), key=lambda path: path.stat().st_mtime_ns, reverse=True)
        return tuple(path.stem for path in paths)

    def unnamed(self) -> str:
        """A name for a new draft of a Service that has none yet."""
        taken, number, name = self.names, 1, UNNAMED
        while name in taken:
            number += 1
            name = f"{UNNAMED}-{number}"
        return name

    def keep_answers(self, name: str, text: str) -> Path:
        """Save the answers of a finished Service next to the drafts, and return where."""
        path = self.directory / "answers" / f"{name}.yml"
        self._write(path, text)
        return path

    def load(self, name: str) -> Mapping[str, Value]:
        """A draft by the name of its Service, or the newest one for an empty name.

        Raises :class:`UsageError` if there is none, and :class:`MissingError` where it cannot be read.
        """
        name = name or next(iter(self.names), "")
        path = self._path(name) if name else None
        if path is None or not path.is_file():
            known = ", ".join(sorted(self.names))
            raise UsageError(
                f"There is no draft of {name}." if name else "There is no draft to resume.",
                f"There are drafts of: {known}." if known else "Start with `scaffold new-service`.",
            )
        try:
            content = load(path.read_bytes())
        except (OSError, YamlError) as error:
            raise MissingError(f"The draft {path} cannot be read.", "Remove it and start again.") from error
        if not isinstance(content, dict):
            raise MissingError(f"The draft {path} holds no answers.", "Remove it and start again.")
        return content

    def drop(self, name: str) -> None:
        """Forget a draft, if there is one."""
        self._path(name).unlink(missing_ok=True)

    def _path(self, name: str) -> Path:
        if not name.replace("-", "").isalnum():
            raise UsageError(f"{name!r} is not the name of a Service.", "Name the Service whose draft it is.")
        return self.directory / f"{name}.yml"

    def make(self) -> None:
        """Create the directory of the drafts, and the one above, which names monorepos, closed to others."""
        self._private(self.directory)

    def _private(self, directory: Path) -> None:
        """Make a directory at or below that of the drafts, closed to others as all between are."""
        for made in (self.directory.parent, self.directory, directory):
            made.mkdir(parents=True, exist_ok=True, mode=0o700)
        if self.directory.parent.name == _ALL:
            self.directory.parent.chmod(0o700)  # an earlier version left it open

    def _write(self, path: Path, text: str) -> None:
        self._private(path.parent)
        with NamedTemporaryFile("w", dir=path.parent, prefix=".", delete=False, encoding="utf-8") as scratch:
            scratch.write(text)
        Path(scratch.name).replace(path)


def writable(drafts: Drafts) -> bool:
    """Whether drafts can be kept at all."""
    try:
        drafts.make()
    except OSError:
        return False
    return os.access(drafts.directory, os.W_OK)
