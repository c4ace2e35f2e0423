"""Comments of an HCL file, with their places."""

from __future__ import annotations

from dataclasses import dataclass

from tree_sitter import Node

from scaffold.hcl.source import Source


@dataclass(frozen=True, slots=True)
class Comment:
    """One ``#``, ``//`` or ``/* */`` comment.

    ``text`` is what it says, without its marks; ``own_line`` is False for one that follows code.
    """

    text: str
    start: int
    end: int
    line: int
    end_line: int
    column: int
    own_line: bool

    @property
    def lines(self) -> list[str]:
        """What it says, line by line; the stars that begin the lines of a block comment left out."""
        return [line.strip().removeprefix("*").strip() for line in self.text.split("\n")]

    @classmethod
    def of(cls, source: Source, node: Node) -> Comment:
        """The view of a ``comment`` node."""
        start, end = node.start_byte, node.end_byte
        line, column = source.position(start)
        before = source.data[source.line_starts[line - 1] : start]
        return cls(
            text=_said(source.text(start, end)),
            start=start,
            end=end,
            line=line,
            end_line=node.end_point.row + 1,
            column=column,
            own_line=not before.strip(),
        )


def _said(raw: str) -> str:
    if raw.startswith("/*"):
        return raw[2:-2].strip()
    return raw.removeprefix("//").strip() if raw.startswith("//") else raw.removeprefix("#").strip()
