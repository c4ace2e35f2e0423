"""What the clone of an app's repository tells of the app: defaults of answers, which a person may change."""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path

from scaffold.templates import questions
from scaffold.templates.questions import Value


def filled(root: Path) -> dict[str, Value]:
    """Answers that the files of the repository at ``root`` give; what they do not say is left out."""
    return dict(_answers(root))


def _answers(root: Path) -> Iterator[tuple[str, Value]]:
    if name := re.sub(r"[^a-z0-9]+", "-", root.resolve().name.lower()).strip("-"):
        yield "name", name
    if description := _description(root):
        yield "description", description
    if port := re.search(r"(?mi)^\s*EXPOSE\s+([0-9]{1,5})\b", _text(root / "Dockerfile")):
        yield "port", int(port[1])
    if branch := re.match(r"ref: refs/heads/(\S+)", _text(root / ".git" / "HEAD")):
        yield "branch", branch[1]
    for question in questions.asked().values():
        for option, files in question.found_by.items():
            if all((root / file).is_file() for file in files):
                yield question.name, option
                break


def _description(root: Path) -> str:
    """What the project says of itself, in the file that packages it."""
    try:
        packaged = tomllib.loads(_text(root / "pyproject.toml"))
    except tomllib.TOMLDecodeError:
        packaged = {}
    try:
        package = json.loads(_text(root / "package.json") or "{}")
    except ValueError:
        package = {}
    places = (packaged.get("project"), _below(packaged.get("tool"), "poetry"), package)
    texts = (_below(place, "description") for place in places)
    return next((text.strip() for text in texts if isinstance(text, str) and text.strip()), "")


def _below(value: Value, key: str) -> Value:
    return value.get(key) if isinstance(value, Mapping) else None


def _text(path: Path) -> str:
    try:
        return path.read_text("utf-8")
    except (OSError, UnicodeDecodeError):
        return ""
