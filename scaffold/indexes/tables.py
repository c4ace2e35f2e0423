"""Tables whose rows are entries, known by their first cell."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from scaffold.indexes.base import MissingAnchorError
from scaffold.indexes.markdown import Markdown, Table, cells, row


@dataclass(frozen=True, slots=True)
class TableUnder:
    """Where a table is: the first under a heading, with these columns. ``key`` reads a first cell."""

    section: str
    header: tuple[str, ...]
    key: Callable[[str], str]

    def __call__(self, text: str) -> TableList:
        """Open the table in a text."""
        markdown = Markdown(text)
        section = markdown.section(self.section)
        table = markdown.table(section) if section else None
        if table is None or table.header != self.header:
            raise MissingAnchorError(f'a table {" | ".join(self.header)} under "{self.section}"')
        return TableList(markdown, table, self.key)


@dataclass(frozen=True, slots=True)
class TableList:
    """The rows of one table."""

    markdown: Markdown
    table: Table
    key: Callable[[str], str]

    @property
    def keys(self) -> tuple[str, ...]:
        """The first cells."""
        return tuple(self.key(r.cells[0]) for r in self.table.rows)

    def append(self, value: tuple[str, ...]) -> str:
        """The text with one more row at the end, aligned if all rows are."""
        return self.markdown.insert_after(self.table.last, self._aligned(row(*value)))

    def without(self, number: int) -> str:
        """The text without one row."""
        line = self.table.rows[number].line
        return self.markdown.without(line, line + 1)

    def _aligned(self, line: str) -> str:
        lines = [self.markdown.lines[r.line].rstrip() for r in self.table.rows]
        widths = {tuple(map(len, other.split("|")[1:-1])) for other in lines}
        if len(lines) < 2 or len(widths) > 1:
            return line
        (width,) = widths
        padded = (f" {cell.ljust(size - 2)} " for cell, size in zip(cells(line), width, strict=True))
        return f"|{'|'.join(padded)}|"
