"""Answers saved as a file, if nothing else is written."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import yaml

from scaffold.templates.questions import Value


def answers_text(values: Mapping[str, Value]) -> str:
    """Answers as the text of a file."""
    text: str = yaml.safe_dump(dict(values), sort_keys=False, allow_unicode=True, width=1000)
    return text


def keep_beside(name: str, text: str) -> Path:
    """Write answers into the current directory, readable by their owner alone. Returns the file."""
    path = _free(Path(f"{name}.yml"))
    path.touch(mode=0o600)
    path.write_text(text, "utf-8")
    return path


def _free(path: Path) -> Path:
    """``path``, or a similar one with a number if that is taken."""
    number = 1
    found = path
    while found.exists():
        number += 1
        found = path.with_stem(f"{path.stem}-{number}")
    return found
