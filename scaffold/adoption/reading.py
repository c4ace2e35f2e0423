"""Planned values in the form of answers: only real values, no stand-ins."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from scaffold.templates.questions import Value
from scaffold.terraform import kubernetes as k8s
from scaffold.terraform.planned import Mark, Placeholder, PlannedResource, Step, Tree, get


def text(tree: Tree, *path: Step) -> str:
    """The text at a path; empty if what is there is not a text, or is unknown."""
    found = get(tree, *path)
    return found if isinstance(found, str) else ""


def name_of(resource: PlannedResource) -> str:
    """The object's name; empty if it is unknown."""
    return text(k8s.name(resource))


def number(tree: Tree, *path: Step) -> int | None:
    """The whole number at a path, even if it is written as text; None if there is none, or it is unknown."""
    tree = get(tree, *path)
    if isinstance(tree, bool) or not isinstance(tree, str | int | float):
        return None
    return int(tree) if str(tree).lstrip("-").isdigit() else None


def texts(tree: Tree, *path: Step) -> list[str]:
    """The texts of the list at a path; empty if one of them is unknown."""
    items = k8s.items(tree, *path)
    return [item for item in items if isinstance(item, str)] if all(isinstance(i, str) for i in items) else []


_TWICE = re.compile(r"(\$\([^)]*\))|(\$\$+)(?!\$|\([A-Za-z0-9_.-]+\))")


def as_read(text: str) -> str:
    """A text as the container reads it, which answers have: Kubernetes takes ``$$`` for ``$``."""
    return _TWICE.sub(lambda found: found[1] or "$" * (len(found[2] + "$") // 2), text)


def words(tree: Tree, *path: Step) -> list[str]:
    """The words of the command at a path, as the container reads them."""
    return list(map(as_read, texts(tree, *path)))


def labels(tree: Tree, without: Iterable[str] = ()) -> dict[str, str]:
    """The entries of a map whose values are known texts, without some keys."""
    left = set(without)
    return {k: v for k, v in k8s.mapping(tree).items() if isinstance(v, str) and k not in left}


def known(entries: Mapping[str, Value]) -> dict[str, Value]:
    """The entries that have a value, which may be ``False`` or 0."""
    return {key: value for key, value in entries.items() if value not in (None, "", [], {})}


def unknown(tree: Tree) -> bool:
    """Whether a value is unknown, or contains a stand-in."""
    return isinstance(tree, Mark | Placeholder)


def first(tree: Tree, *path: str | int) -> Tree:
    """The first of the blocks of which there is at most one; None if there is none."""
    found = get(tree, *path, 0)
    return found if isinstance(found, Mapping) else None
