"""Files of variables next to a compose file: ``.env``, and those of ``env_file``."""

from __future__ import annotations

import io
from collections.abc import Mapping
from pathlib import Path

from scaffold.answers.compose.interpolation import Text, filled

_SIZE = 1_000_000


def read_variables(path: Path, known: Mapping[str, str] | None = None) -> dict[str, Text] | None:
    """The variables of a file, each interpolated with those before it and with the ``known`` ones.

    Returns nothing if there is no such file, or it is not text. What stands in single quotes is taken as it
    is, and a variable without a value has the one that is known.
    """
    from dotenv.parser import parse_stream

    try:
        if not path.is_file() or path.stat().st_size > _SIZE:
            return None
        text = path.read_text("utf-8")
    except (OSError, ValueError):
        return None
    found: dict[str, Text] = {}
    for binding in parse_stream(io.StringIO(text)):
        if binding.key is None or binding.error:
            continue
        literal = binding.original.string.partition("=")[2].lstrip().startswith("'")
        value = binding.value if binding.value is not None else f"${{{binding.key}}}"
        found[binding.key] = Text(value) if literal else filled(value, {**(known or {}), **found})
    return found
