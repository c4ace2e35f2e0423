"""Where the grammar does not match, explained so that a person finds the place."""

from __future__ import annotations

from tree_sitter import Node

from scaffold.hcl import grammar as g
from scaffold.hcl.source import Source

Problem = tuple[int, str]
"""The byte where it is, and what it is."""


def unparsed(root: Node, source: Source) -> list[Problem]:
    """The places where the grammar does not fit, in the order of the file."""
    wrong: list[Problem] = []
    missing: list[Problem] = []
    stack = [root]
    while stack:
        node = stack.pop()
        if node.is_missing:
            missing.append((node.start_byte, _missing(node)))
        elif node.is_error:
            wrong.append(_explained(node, source))
        elif node.kind_id in _QUOTED and not node.has_error:
            line_end = source.data.find(b"\n", node.start_byte, node.end_byte)
            if line_end != -1:
                wrong.append((line_end, STRING_OVER_LINES))
        else:
            stack += node.children
    first = min(wrong, default=(len(source.data) + 1, ""))
    # What is missing after an error is usually not missing, but was lost there.
    return sorted((*wrong, *(problem for problem in missing if problem < first)))


STRING_OVER_LINES = "a quoted string ends on its line: use \\n, or a heredoc"
_QUOTED = frozenset((g.STRING_LIT, g.QUOTED_TEMPLATE))


def _missing(missing: Node) -> str:
    """What is missing, and since which line it has been expected."""
    if missing.kind_id == g.IDENTIFIER:
        return "a value or a name is missing"
    node: Node | None = missing
    while node is not None and node.start_byte == missing.start_byte:
        node = node.parent
    line = f" of what begins on line {node.start_point.row + 1}" if node is not None else ""
    return f"missing {_NAMES.get(missing.type, repr(missing.type))}{line}"


_NAMES = {"quoted_template_end": "the closing quote", "heredoc_identifier": "the end marker"}
_OPENERS = frozenset(
    (g.BLOCK_START, g.OBJECT_START, g.TUPLE_START, g.PAREN_OPEN, g.QUOTE_START, g.INTERPOLATION_START)
)


def _explained(error: Node, source: Source) -> Problem:
    """Where the grammar gave up: after the last part of an error that it could still read."""
    start, end, data = error.start_byte, error.end_byte, source.data
    if data[start : start + 1] == b"\\":
        return start, f"unknown escape sequence {source.text(start, start + 2)}"
    read = start
    if error.children:
        last = error.children[-1]
        if last.is_error:
            return _explained(last, source)
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
