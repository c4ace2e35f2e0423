"""Where the grammar does not fit, said so that a person finds the place."""

from __future__ import annotations

from collections.abc import Iterator

from tree_sitter import Node

from scaffold.hcl import grammar as g
from scaffold.hcl.source import Source

Problem = tuple[int, str]
"""The byte where it is, and what it is."""


def unparsed(root: Node, source: Source) -> Iterator[Problem]:
    """The places where the grammar does not fit."""
    stack = [root]
    while stack:
        node = stack.pop()
        if node.is_missing:
            yield node.start_byte, f"missing {_NAMES.get(node.type, repr(node.type))}{_opened(node)}"
        elif node.is_error:
            yield _explained(node, source)
        elif node.has_error:
            stack += node.children


def _opened(missing: Node) -> str:
    """Since which line something waits for its missing end."""
    node: Node | None = missing
    while node is not None and node.start_byte == missing.start_byte:
        node = node.parent
    return "" if node is None else f" of what begins in line {node.start_point.row + 1}"


_NAMES = {
    "quoted_template_end": "the closing quote",
    "heredoc_identifier": "the end marker of a heredoc",
}
_OPENERS = frozenset(
    (g.BLOCK_START, g.OBJECT_START, g.TUPLE_START, g.PAREN_OPEN, g.QUOTE_START, g.INTERPOLATION_START)
)


def _explained(error: Node, source: Source) -> Problem:
    """Where the grammar gave up: behind the last part of an error that it could still read."""
    start, end, data = error.start_byte, error.end_byte, source.data
    read = start
    if error.children:
        last = error.children[-1]
        # In an error the scanner takes any word for the marker of a heredoc.
        read = last.start_byte if last.kind_id == g.HEREDOC_IDENTIFIER else last.end_byte
    rest = data[read:end].lstrip()
    if read > start and rest:
        return end - len(rest), f"unexpected {_first_words(rest)!r}"
    opener = next((child for child in reversed(error.children) if child.kind_id in _OPENERS), None)
    if opener is not None and not data[end:].strip():
        return opener.start_byte, f"{_first_words(data[opener.start_byte :])!r} is never closed"
    return start, f"unexpected {_first_words(data[start:])!r}"


def _first_words(raw: bytes) -> str:
    return raw[:160].decode("utf-8", "replace").lstrip().partition("\n")[0].strip()[:40]
