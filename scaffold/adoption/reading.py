"""Planned values in the form of answers: only real values, no stand-ins."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from scaffold.templates.questions import Value
from scaffold.terraform import kubernetes as k8s
from scaffold.terraform.planned import Mark, Placeholder, Tree, get


def text(tree: Tree) -> str:
    """A text; empty if the value is not a text, or is unknown."""
    return tree if isinstance(tree, str) else ""


def number(tree: Tree) -> int | None:
    """A whole number, even if it is written as text; None if the value is none, or is unknown."""
    if isinstance(tree, bool) or not isinstance(tree, str | int | float):
        return None
    return int(tree) if str(tree).lstrip("-").isdigit() else None


def texts(tree: Tree) -> list[str]:
    """The texts of a list; empty if one of them is unknown."""
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
    """The entries of a map whose values are known texts, without some keys."""
    left = set(without)
    return {k: v for k, v in k8s.mapping(tree).items() if isinstance(v, str) and k not in left}


def known(entries: Mapping[str, Value]) -> dict[str, Value]:
    """The entries that have a value."""
    return {key: value for key, value in entries.items() if value not in (None, "", [], {})}


def unknown(tree: Tree) -> bool:
    """Whether a value is unknown, or contains a stand-in."""
    return isinstance(tree, Mark | Placeholder)


def first(tree: Tree, *path: str | int) -> Tree:
    """The first of the blocks of which there is at most one; None if there is none."""
    found = get(tree, *path, 0)
    return found if isinstance(found, Mapping) else None
