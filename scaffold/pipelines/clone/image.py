"""What the app's own Dockerfile says: the port, the user, the health path."""

from __future__ import annotations

import re
from collections.abc import Iterator
from string import Template

from scaffold.pipelines.clone.tree import Tree
from scaffold.pipelines.instructions import Instruction, instructions
from scaffold.pipelines.repository import is_dockerfile
from scaffold.templates.questions import Value

_HEALTH = re.compile(r"https?://(?:localhost|127\.0\.0\.1|0\.0\.0\.0|\[::1?\])(?::\d+)?(/[\w./~-]*)?")


def dockerfile_of(tree: Tree, named: str) -> str:
    """The Dockerfile that is built: the one that is ``named``, else the only one; empty if unclear."""
    if named in tree.paths:
        return named
    found = [path for path in tree.paths if is_dockerfile(path)]
    return found[0] if len(found) == 1 else ""


def said(text: str) -> Iterator[tuple[str, Value, int]]:
    """The answers that the last stage of a Dockerfile gives, each with its line.

    Variables that it sets itself are replaced.
    """
    found = list(instructions(text))
    last = max((index for index, one in enumerate(found) if one.name == "FROM"), default=0)
    known: dict[str, str] = {}
    exposed: dict[int, tuple[str, Value, int]] = {}
    user: tuple[str, Value, int] | None = None
    health: tuple[str, Value, int] | None = None
    for one in found[last:]:
        arguments = Template(one.arguments).safe_substitute(known)
        if one.name in ("ENV", "ARG"):
            known.update(re.findall(r"(\w+)=\"?([^\s\"]*)", arguments) or _pair(one))
        elif one.name == "EXPOSE":
            for port in re.findall(r"(?<!\S)(\d{1,5})(?:/tcp)?(?!\S)", arguments):
                exposed.setdefault(int(port), ("port", int(port), one.line))
        elif one.name == "USER":
            name = arguments.split(":")[0].strip()
            user = ("uid", int(name), one.line) if name.isdigit() and int(name) else None
        elif one.name == "HEALTHCHECK":
            url = _HEALTH.search(arguments)
            health = ("health_path", url[1] or "/", one.line) if url else None
    if len(exposed) == 1:
        yield from exposed.values()
    yield from (one for one in (user, health) if one)


def _pair(one: Instruction) -> list[tuple[str, str]]:
    """The old notation ``ENV NAME VALUE``."""
    name, _, value = one.arguments.partition(" ")
    return [(name, value.strip())] if value else []
