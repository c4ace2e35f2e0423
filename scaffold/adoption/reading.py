"""Planned values as answers have them: only what is real, and nothing that stands in."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from scaffold.templates.questions import Value
from scaffold.terraform import kubernetes as k8s
from scaffold.terraform.planned import Mark, Placeholder, Tree, get


def text(tree: Tree) -> str:
    """A text; empty for what is none, or is not known."""
    return tree if isinstance(tree, str) else ""


def number(tree: Tree) -> int | None:
    """A whole number, also one that is written as text; None for what is none, or is not known."""
    if isinstance(tree, bool) or not isinstance(tree, str | int | float):
        return None
    return int(tree) if str(tree).lstrip("-").isdigit() else None


def texts(tree: Tree) -> list[str]:
    """The texts of a list; nothing where one of them is not known."""
    items = k8s.items(tree)
    return [item for item in items if isinstance(item, str)] if all(isinstance(i, str) for i in items) else []


_TWICE = re.compile(r"(\$\([^)]*\))|(\$\$+)(?!\$|\([A-Za-z0-9_.-]+\))")


def as_read(text: str) -> str:
    """A text as the container reads it, which answers have: Kubernetes takes ``$$`` for ``$``."""
    return _TWICE.sub(lambda found: found[1] or "$" * (len(found[2] + "$") // 2), text)


def words(tree: Tree) -> list[str]:
    """The words of a command, as the container reads them."""
    return list(map(as_read, texts(tree)))


def labels(tree: Tree, without: Iterable[str] = ()) -> dict[str, str]:
    """The entries of a map that are known texts, but some."""
    left = set(without)
    return {k: v for k, v in k8s.mapping(tree).items() if isinstance(v, str) and k not in left}


def known(entries: Mapping[str, Value]) -> dict[str, Value]:
    """The entries that say anything."""
    return {key: value for key, value in entries.items() if value not in (None, "", [], {})}


def unknown(tree: Tree) -> bool:
    """Whether a value is not known, or holds what only stands in."""
    return isinstance(tree, Mark | Placeholder)


def first(tree: Tree, *path: str | int) -> Tree:
    """A block that there is at most one of; None where it is not there."""
    found = get(tree, *path, 0)
    return found if isinstance(found, Mapping) else None
