"""The window of a terminal, and text that fits into it."""

from __future__ import annotations

import os
import sys
import textwrap


def width() -> int:
    """The columns to write in. The terminal itself is asked: COLUMNS may belong to another window."""
    try:
        columns = os.get_terminal_size(sys.stdout.fileno()).columns
    except (OSError, ValueError):
        columns = 0
    return (columns or 80) - 1


def wrapped(text: str, columns: int) -> str:
    """A line wrapped between words, the following lines indented like the first."""
    columns = max(columns, 1)
    if len(text) <= columns:
        return text
    indent = " " * (len(text) - len(text.lstrip()))
    return textwrap.fill(
        text.strip(), columns, initial_indent=indent, subsequent_indent=indent + "  ", break_on_hyphens=False
    )


def cut(text: str, columns: int) -> str:
    """A line cut at the window's edge."""
    return text if len(text) <= columns else f"{text[: max(columns - 1, 0)]}…"
