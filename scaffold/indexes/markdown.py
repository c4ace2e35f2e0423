"""The structure of a Markdown file, and edits that leave every other byte alone.

Blocks (headings, tables, lists, fences, paragraphs) are found by a CommonMark parser; the edits work on
the lines of the source.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property, lru_cache

from scaffold.changes.change import lines_of
from scaffold.indexes.entry import slug


@dataclass(frozen=True, slots=True)
class Block:
    """A block of the file, from line ``start`` up to but not including line ``end``, counted from 0."""

    kind: str
    start: int
    end: int
    level: int = 0
    """Of a heading; of every other block, how deep it is nested."""


@dataclass(frozen=True, slots=True)
class Row:
    """A row of a table."""

    line: int
    cells: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Table:
    """A table: its header and its rows; ``last`` is the line of the last row, or the delimiter's."""

    header: tuple[str, ...]
    rows: tuple[Row, ...]
    last: int


class Markdown:
    """A parsed file. Immutable; every edit returns the new text."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.lines = lines_of(text)

    @cached_property
    def blocks(self) -> tuple[Block, ...]:
        """All blocks, in the order of the file."""
        return _blocks(self.text)

    @cached_property
    def newline(self) -> str:
        """The line end of the file."""
        return "\r\n" if self.lines and self.lines[0].endswith("\r\n") else "\n"

    def section(self, title: str) -> Block | None:
        """The section under the heading that is ``title``, or ``title`` and more after it.

        Compares without case; ``Optional`` finds ``Optional (Tier: aux)``, but not ``Optionally``.
        """
        headings = [b for b in self.blocks if b.kind == "heading"]
        exact = [h for h in headings if self._title(h).casefold() == title.casefold()]
        longer = [h for h in headings if _begins(self._title(h), title)]
        for heading in exact + longer:
            later = (h.start for h in headings if h.start > heading.start and h.level <= heading.level)
            return Block("section", heading.start, next(later, len(self.lines)))
        return None

    def within(self, kind: str, section: Block | None = None) -> Iterator[Block]:
        """The blocks of a kind, in a section or in the whole file."""
        for block in self.blocks:
            if block.kind == kind and (section is None or section.start <= block.start < section.end):
                yield block

    def table(self, section: Block) -> Table | None:
        """The first table of a section."""
        block = next(self.within("table", section), None)
        if block is None:
            return None
        last = self._last_line(block)
        rows = tuple(Row(n, cells(self.lines[n])) for n in range(block.start + 2, last + 1))
        return Table(cells(self.lines[block.start]), rows, last)

    def items(self, bullets: Block) -> tuple[Block, ...]:
        """The items of a list, without what is nested in them or the blank lines after them."""
        found = [b for b in self.within("item", bullets) if b.level == bullets.level + 1]
        return tuple(Block("item", b.start, self._last_line(b) + 1, b.level) for b in found)

    def offset(self, line: int) -> int:
        """The offset in the text at which a line starts."""
        return sum(map(len, self.lines[:line]))

    def insert_after(self, line: int, new: str) -> str:
        """The text with one more line."""
        lines = list(self.lines)
        if lines[line].endswith("\n"):
            new += self.newline
        else:
            lines[line] += self.newline
        return "".join([*lines[: line + 1], new, *lines[line + 1 :]])

    def without(self, start: int, end: int) -> str:
        """The text without some lines."""
        lines = self.lines[:start] + self.lines[end:]
        if end >= len(self.lines) and lines and not self.lines[-1].endswith("\n"):
            lines[-1] = lines[-1].rstrip("\r\n")
        return "".join(lines)

    def _title(self, heading: Block) -> str:
        return self.lines[heading.start].strip().strip("#").strip()

    def _last_line(self, block: Block) -> int:
        end = block.end
        while end - 1 > block.start and not self.lines[end - 1].strip():
            end -= 1
        return end - 1


def _begins(title: str, wanted: str) -> bool:
    rest = title.casefold().removeprefix(wanted.casefold())
    return len(rest) < len(title) and rest.startswith(" ")


_KINDS = {
    "heading_open": "heading",
    "table_open": "table",
    "bullet_list_open": "bullets",
    "list_item_open": "item",
    "paragraph_open": "paragraph",
    "fence": "fence",
}


@lru_cache(maxsize=16)
def _blocks(text: str) -> tuple[Block, ...]:
    from markdown_it import MarkdownIt

    parser = MarkdownIt("commonmark").enable("table")
    parser.core.ruler.disable("inline")
    return tuple(
        Block(_KINDS[t.type], t.map[0], t.map[1], int(t.tag[1]) if t.type == "heading_open" else t.level)
        for t in parser.parse(text)
        if t.type in _KINDS and t.map
    )


def cells(line: str) -> tuple[str, ...]:
    r"""The cells of a table's line; ``\|`` is not a border."""
    parts = [""]
    escaped = False
    for character in line.strip().removeprefix("|"):
        if character == "|" and not escaped:
            parts.append("")
        else:
            parts[-1] += character
        escaped = character == "\\" and not escaped
    if not parts[-1].strip():
        parts.pop()
    return tuple(part.strip() for part in parts)


def text(value: str) -> str:
    """A text that Markdown shows as it is: no HTML, link or image in it."""
    return re.sub(r"([\\<\[\]])", r"\\\1", value)


def row(*values: str) -> str:
    """A table's line; what would be a border in a value is escaped."""
    return "| " + " | ".join(value.replace("|", "\\|") for value in values) + " |"


def plain(text: str) -> str:
    """A cell or a list item without emphasis, code marks and strikethrough."""
    return text.replace("**", "").replace("~~", "").replace("`", "").strip()


def key_of(item: str) -> str:
    """What a list item or a first cell is about: its words before a remark, as a slug."""
    name = plain(item)
    for mark in (" (", ": ", " — ", " - ", "="):
        name = name.partition(mark)[0]
    return slug(name)
