"""The files of a clone, within limits."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path, PurePosixPath

from scaffold.pipelines.repository import walk
from scaffold.templates import template
from scaffold.templates.questions import Value

_LARGEST = 256 * 1024
_MOST = 2000
"""Sources that are looked through: an app of more has its answers from a person."""


@dataclass(frozen=True)
class Tree:
    """The regular files below ``root`` that a person wrote."""

    root: Path

    @cached_property
    def paths(self) -> tuple[str, ...]:
        """Their paths, those nearest to the root first."""
        found = (path for path in walk(self.root) if not (self.root / path).is_symlink())
        return tuple(sorted(found, key=lambda path: (path.count("/"), path)))

    def text(self, path: str) -> str:
        """What a file contains; nothing if it does not exist, or is too large to be a source."""
        at = self.root / path
        if path not in self.paths or at.stat().st_size > _LARGEST:
            return ""
        return at.read_text("utf-8", errors="replace")

    def sources(self, base: str, directory: str = "") -> Iterator[tuple[str, str]]:
        """The sources of a language below a directory with their texts, without tests."""
        row = language(base)
        ours = [p for p in self.paths if p.endswith(tuple(row["endings"])) and _below(p, directory)]
        for path in ours[:_MOST]:
            if not re.search(row["tests"], path) and PurePosixPath(path).parts[0] != "tests":
                yield path, self.text(path)

    def has_tests(self, base: str, directory: str = "") -> bool:
        """Whether a language has tests below a directory."""
        tests = language(base)["tests"]
        return any(_below(path, directory) and re.search(tests, path) for path in self.paths)


def language(base: str) -> Mapping[str, Value]:
    """What is known about a language's sources, by its image."""
    row: Mapping[str, Value] = template.facts("clone")["sources"][base]
    return row


def _below(path: str, directory: str) -> bool:
    return not directory or path.startswith(f"{directory}/")
