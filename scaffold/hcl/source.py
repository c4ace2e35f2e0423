"""The bytes of an HCL file and the places in it."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from itertools import accumulate
from typing import TYPE_CHECKING

from tree_sitter import Node

from scaffold.errors import Finding

if TYPE_CHECKING:
    from scaffold.hcl.references import Reference


@dataclass(frozen=True, eq=False)
class Source:
    """The bytes of one file; lines and columns count from 1, columns count characters."""

    data: bytes
    path: str = ""

    def text(self, start: int = 0, end: int | None = None) -> str:
        """The characters between two byte offsets."""
        return self.data[start:end].decode("utf-8", "replace")

    @cached_property
    def line_starts(self) -> tuple[int, ...]:
        """The byte offset at which each line starts."""
        lines = self.data.split(b"\n")[:-1]
        return tuple(accumulate((len(line) + 1 for line in lines), initial=0))

    @property
    def newline(self) -> bytes:
        """The line end of the file: that of its first line."""
        first = self.data.find(b"\n")
        return b"\r\n" if first > 0 and self.data[first - 1 : first] == b"\r" else b"\n"

    def line_of(self, offset: int) -> int:
        """The line in which a byte stands."""
        return bisect_right(self.line_starts, offset)

    def position(self, offset: int) -> tuple[int, int]:
        """Line and column of a byte."""
        line = self.line_of(offset)
        return line, len(self.text(self.line_starts[line - 1], offset)) + 1

    def line_span(self, line: int) -> tuple[int, int]:
        """The byte offsets of a line, without its line end."""
        start = self.line_starts[line - 1]
        end = self.line_starts[line] - 1 if line < len(self.line_starts) else len(self.data)
        return start, end - 1 if self.data[end - 1 : end] == b"\r" and end > start else end

    def paragraph(self, first: int, last: int) -> tuple[int, int]:
        """The first and the last of the lines around some that have no blank line between them."""
        while first > 1 and self.line_text(first - 1).strip():
            first -= 1
        while last < len(self.line_starts) and self.line_text(last + 1).strip():
            last += 1
        return first, last

    def line_text(self, line: int) -> str:
        """The characters of a line, without its line end."""
        return self.text(*self.line_span(line))

    def indent_of(self, line: int) -> bytes:
        """The white space at the beginning of a line."""
        start, end = self.line_span(line)
        raw = self.data[start:end]
        return raw[: len(raw) - len(raw.lstrip(b" \t"))]


@dataclass(frozen=True, eq=False)
class View:
    """A part of a file: a run of sibling nodes."""

    source: Source
    nodes: tuple[Node, ...]

    @property
    def start(self) -> int:
        """The byte at which it starts."""
        return self.nodes[0].start_byte

    @property
    def end(self) -> int:
        """The byte after it."""
        return self.nodes[-1].end_byte

    @property
    def line(self) -> int:
        """The line in which it starts."""
        return self.nodes[0].start_point.row + 1

    @property
    def end_line(self) -> int:
        """The line in which it ends."""
        return self.nodes[-1].end_point.row + 1

    @property
    def column(self) -> int:
        """The column in which it starts."""
        return self.source.position(self.start)[1]

    @property
    def text(self) -> str:
        """What is written there."""
        return self.source.text(self.start, self.end)


def at(
    place: View | Reference,
    code: str,
    message: str,
    *,
    value: str | None = None,
    allowed: Iterable[object] | None = None,
    fix: str | None = None,
) -> Finding:
    """A finding where something starts."""
    line, column = place.source.position(place.start)
    listed = None if allowed is None else ", ".join(map(str, allowed))
    return Finding(place.source.path, line, column, code, message, value, listed or None, fix)
