"""Tables whose rows are entries, known by their first cell."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from scaffold.indexes.base import MissingAnchorError
from scaffold.indexes.markdown import Markdown, Table, cells, row


def table_under(title: str, header: tuple[str, ...], key: Callable[[str], str]) -> Callable[[str], TableList]:
    """What opens the first table under a heading, with these columns. ``key`` reads a first cell."""

    def opened(text: str) -> TableList:
        markdown = Markdown(text)
        section = markdown.section(title)
        table = markdown.table(section) if section else None
        if table is None or table.header != header:
            raise MissingAnchorError(f'a table {" | ".join(header)} under "{title}"')
        return TableList(markdown, table, key)

    return opened


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
