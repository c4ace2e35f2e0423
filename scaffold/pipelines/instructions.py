"""The instructions of a Dockerfile, and the commands that build one, where no plugin or action does."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

_SET = re.compile(r"([A-Za-z_]\w*)=(\"[^\"]*\"|'[^']*'|\S+)")
_USE = re.compile(r"\$(?:(\w+)|\{(\w+)\})")


@dataclass(frozen=True, slots=True)
class Instruction:
    """One instruction, with its continued lines joined."""

    name: str
    arguments: str
    line: int


def instructions(text: str) -> Iterator[Instruction]:
    """The instructions of a Dockerfile, without comments; continued lines are joined."""
    parts: list[str] = []
    start = 1
    for number, line in enumerate(text.split("\n"), 1):
        stripped = line.strip()
        if not stripped or stripped.startswith("#"):
            continue
        start = start if parts else number
        parts.append(stripped.removesuffix("\\").strip())
        if not stripped.endswith("\\"):
            name, _, arguments = " ".join(parts).partition(" ")
            yield Instruction(name.upper(), arguments.strip(), start)
            parts = []


def base_images(text: str) -> tuple[str, ...]:
    """The images that the stages of a Dockerfile begin with, without those that are stages themselves."""
    stages: set[str] = set()
    found = []
    for one in instructions(text):
        if one.name == "FROM":
            words = [word for word in one.arguments.split() if not word.startswith("--")]
            if words and words[0] not in stages:
                found.append(words[0])
            stages |= set(words[2:])
    return tuple(found)


def last_user(text: str) -> tuple[str, Instruction | None]:
    """The image that the last stage of a Dockerfile starts from, and its effective USER, if one is set.

    A stage that begins with another one has its user, too. The defaults of arguments hold in what USER says.
    """
    stages: dict[str, tuple[str, Instruction | None]] = {}
    name = ""
    current: tuple[str, Instruction | None] = ("", None)
    values: dict[str, str] = {}
    for one in instructions(text):
        if one.name == "FROM":
            values = {}
            words = [word for word in one.arguments.split() if not word.startswith("--")] or [""]
            current = stages.get(words[0].lower(), (words[0], None))
            name = words[2].lower() if len(words) > 2 else ""
        elif one.name in ("ARG", "ENV"):
            values |= {its[1]: its[2].strip("\"'") for its in _SET.finditer(one.arguments)}
        elif one.name == "USER":
            current = current[0], replace(one, arguments=_resolved(one.arguments, values))
        stages[name] = current
    return current


def _resolved(text: str, values: Mapping[str, str]) -> str:
    """A text with the values of arguments and variables that are known."""
    return _USE.sub(lambda its: values.get(its[1] or its[2], its[0]), text)


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
