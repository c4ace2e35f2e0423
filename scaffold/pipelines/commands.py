"""Images that a command builds, rather than a plugin or an action."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator

_BUILD = re.compile(
    r"\b(?:(?P<context>(?:docker|podman|nerdctl)(?: buildx| image)? build|buildah (?:bud|build))"
    r"|buildctl(?:-daemonless\.sh)? build|kaniko/executor)\b(?P<rest>[^\n;|&]*)"
)
_NAMED = re.compile(r"(?:^|\s)(?:-f|--file|--dockerfile|--opt[ =]filename)[ =](\S+)")


def built_by(script: str) -> Iterator[tuple[str, str]]:
    """The Dockerfiles that a script's commands build, seen from the root, each with what the script does before.

    One that a variable names is left out.
    """
    joined = re.sub(r"\\\n\s*", " ", script)
    for found in _BUILD.finditer(joined):
        named = _NAMED.search(found["rest"])
        path = named[1] if named else f"{_context(found['rest']) if found['context'] else '.'}/Dockerfile"
        path = path.strip("'\"").removeprefix("./").lstrip("/")
        if "$" not in path:
            yield path, re.sub(r"[^\n;|&]*\Z", "", joined[: found.start()])


def _context(arguments: str) -> str:
    """The last word of a command, which is the directory that is built."""
    try:
        words = shlex.split(arguments, comments=True)
    except ValueError:
        return "."
    return words[-1].rstrip("/") if words and not words[-1].startswith("-") else "."
