"""The bytes of an HCL file and the places in it."""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass
from functools import cached_property
from itertools import accumulate


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

    def line_text(self, line: int) -> str:
        """The characters of a line, without its line end."""
        return self.text(*self.line_span(line))

    def indent_of(self, line: int) -> bytes:
        """The white space at the beginning of a line."""
        start, end = self.line_span(line)
        raw = self.data[start:end]
        return raw[: len(raw) - len(raw.lstrip(b" \t"))]
