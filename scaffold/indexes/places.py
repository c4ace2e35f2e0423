"""The files of the lists: where they are in this version of the templates, and where a house has them."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path, PurePosixPath

from scaffold.monorepo.facts import overrides
from scaffold.templates import decisions

LISTS = "lists"


def usual(name: str) -> PurePosixPath:
    """The file that contains the list with this name, unless a house says otherwise."""
    return PurePosixPath(decisions.house()[LISTS][name])


def moved(root: Path) -> Mapping[str, PurePosixPath | None]:
    """Where the lists are in a house whose ``scaffold.yml`` names any, or that has none, by their names.

    None stands for those that it does not keep: it says so, or does not name them, and has no such file.
    Empty if all are where they usually are. Raises what :func:`~scaffold.monorepo.facts.overrides` does.
    """
    said: Mapping[str, str] = overrides(root).get(LISTS) or {}
    usually: Mapping[str, str] = decisions.house()[LISTS]
    if not said and any(os.path.lexists(root / path) for path in usually.values()):
        return {}
    return {name: _place(root, said, name) for name in usually}


def file_of(root: Path, name: str) -> PurePosixPath | None:
    """The file in which a house has the list with this name; None if it keeps none."""
    return moved(root).get(name, usual(name))


def _place(root: Path, said: Mapping[str, str], name: str) -> PurePosixPath | None:
    if name in said:
        return PurePosixPath(said[name]) if said[name] else None
    return usual(name) if (root / usual(name)).is_file() else None
