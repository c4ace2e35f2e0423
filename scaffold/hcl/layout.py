"""The columns of ``=`` and of trailing comments, as ``terraform fmt`` lines them up, around one place.

``=`` stands in one column in consecutive lines that hold a whole definition, where a heredoc counts as one
line; a comment at the end of consecutive lines stands in one column. Everything else that ``terraform fmt``
does is its own: what is inserted here is laid out already.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from tree_sitter import Node, QueryCursor

from scaffold.hcl import grammar as g
from scaffold.hcl.syntax import Document


@dataclass(slots=True)
class _Line:
    """A line that is lined up with its neighbours; the next one begins after ``last``."""

    number: int
    last: int
    text: str
    equal: int | None = None
    comment: int | None = None

    def move(self, at: int, column: int) -> None:
        """Move what is at an offset, and everything after it, to one space after a column."""
        code = self.text[:at].rstrip()
        moved = code + " " * (column - _width(code) + 1)
        if self.comment is not None:
            self.comment += len(moved) - at
        self.text = moved + self.text[at:]


def out_of_line(document: Document, first: int, last: int) -> Mapping[int, str]:
    """How ``terraform fmt`` would write those lines that it would align differently, by line number.

    It looks at the lines from ``first`` to ``last`` and at all that are lined up with them.
    """
    lines = _lines(document, first, last)
    for chain in _chains(line for line in lines if line.equal is not None):
        _line_up([(line, line.equal or 0) for line in chain])
    for chain in _chains(line for line in lines if line.comment is not None):
        _line_up([(line, line.comment or 0) for line in chain])
    return {line.number: line.text for line in lines if line.text != document.source.line_text(line.number)}


def unaligned(document: Document) -> Mapping[int, str]:
    """The lines that are aligned with others, each as if it were alone, by line number."""
    lines = _lines(document, 1, len(document.source.line_starts))
    for line in lines:
        if line.equal is not None:
            _line_up([(line, line.equal)])
        if line.comment is not None:
            _line_up([(line, line.comment)])
    return {line.number: line.text for line in lines}


def definitions(document: Document) -> list[tuple[int, int]]:
    """The first and the last line of each part of a file that is one line, or one heredoc with its marks."""
    heredocs = QueryCursor(g.HEREDOCS).captures(document.tree.root_node).get("heredoc", [])
    ends = {node.start_point.row + 1: node.children[-1].end_point.row + 1 for node in heredocs}
    found, last = [], 0
    for number in range(1, len(document.source.line_starts) + 1):
        if number > last:
            last = ends.get(number, number)
            found.append((number, last))
    return found


def _line_up(cells: list[tuple[_Line, int]]) -> None:
    column = max(_width(line.text[:at].rstrip()) for line, at in cells)
    for line, at in cells:
        line.move(at, column)


def _chains(lines: Iterable[_Line]) -> Iterator[list[_Line]]:
    chain: list[_Line] = []
    for line in lines:
        if chain and chain[-1].last + 1 != line.number:
            yield chain
            chain = []
        chain.append(line)
    if chain:
        yield chain


def _lines(document: Document, first: int, last: int) -> list[_Line]:
    """The lines with something to align, from the blank line before to the blank line after."""
    source = document.source
    while True:
        first, last = source.paragraph(first, last)
        found: dict[int, _Line] = {}
        for node in _nodes(document.tree.root_node, first - 1, last - 1):
            _note(document, node, found)
        begin = min((line.number for line in found.values()), default=first)
        end = max((line.last for line in found.values()), default=last)
        if first <= begin and end <= last:
            return [found[number] for number in sorted(found)]
        first, last = min(first, begin), max(last, end)


def _nodes(node: Node, first: int, last: int) -> list[Node]:
    """Definitions and comments that touch the rows, an outer one before those inside."""
    cursor = QueryCursor(g.DEFINITIONS)
    cursor.set_point_range((first, 0), (last + 1, 0))
    found = cursor.captures(node).get("definition", [])
    return sorted(found, key=lambda one: (one.start_byte, -one.end_byte))


def _note(document: Document, node: Node, found: dict[int, _Line]) -> None:
    source, number = document.source, node.start_point.row + 1
    start = source.line_starts[number - 1]
    text = source.line_text(number)
    before = source.text(start, node.start_byte)
    if node.kind_id == g.COMMENT:
        if (
            before.strip()
            and not text[len(before) + len(source.text(node.start_byte, node.end_byte).rstrip()) :]
        ):
            found.setdefault(number, _Line(number, number, text)).comment = len(before)
    elif not before.strip() and (last := _last_line(node)) is not None:
        equal = next((child for child in node.children if child.type == "="), None)
        if equal is not None:
            found[number] = _Line(number, last, text, len(source.text(start, equal.start_byte)))


def _last_line(definition: Node) -> int | None:
    """The line in which a definition ends, where it is one line or one heredoc; None for other ones."""
    value = definition.children[-1]
    while value.child_count == 1:
        value = value.children[0]
    if value.kind_id == g.HEREDOC_TEMPLATE:
        return value.children[-1].end_point.row + 1
    one_line = definition.start_point.row == definition.end_point.row
    return definition.end_point.row + 1 if one_line else None


def _width(text: str) -> int:
    """The number of columns that a reader sees: marks have none of their own."""
    return len(text) if text.isascii() else sum(unicodedata.category(c) not in ("Mn", "Me") for c in text)
