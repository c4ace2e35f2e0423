"""``.claude/reference/service-catalog.md``: the row of each Service, and the lists of Cloudflare's hosts."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache
from typing import TypeAlias

from scaffold.indexes.base import Index, Item, MissingAnchorError
from scaffold.indexes.comma_list import CommaList
from scaffold.indexes.entry import ServiceEntry
from scaffold.indexes.markdown import Block, Markdown, plain, text
from scaffold.indexes.tables import TableList, table_under

_HEADER = ("Service", "Description", "Stack")
_DOMAINS = {"proxied": "Proxied", "non-proxied": "Non-Proxied"}
_WIDTH = 64


CatalogRow: TypeAlias = tuple[str, tuple[str, str, str]]
"""The section that a row of the catalog belongs in, and its cells."""


@dataclass(frozen=True, slots=True)
class Catalog:
    """All tables with one row per Service. A key is the first cell; a name is in one section only."""

    text: str
    tables: tuple[TableList, ...]

    @property
    def keys(self) -> tuple[str, ...]:
        """The names of all Services."""
        return tuple(key for table in self.tables for key in table.keys)

    def append(self, value: CatalogRow) -> str:
        """The text with one more row at the end of its section's table."""
        section, cells = value
        return table_under(section, _HEADER, plain)(self.text).append(cells)

    def without(self, number: int) -> str:
        """The text without one row. Raises ``IndexError`` if there is no such row."""
        for table in self.tables:
            if number < len(table.keys):
                return table.without(number)
            number -= len(table.keys)
        raise IndexError(number)


@lru_cache(maxsize=2)
def _catalog(text: str) -> Catalog:
    markdown = Markdown(text)
    found = filter(None, map(markdown.table, markdown.within("table")))
    tables = tuple(TableList(markdown, table, plain) for table in found if table.header == _HEADER)
    if not tables:
        raise MissingAnchorError(f"a table {' | '.join(_HEADER)}")
    return Catalog(text, tables)


def stacks_by_name(text: str) -> dict[str, str]:
    """The stack that the catalog names for each Service."""
    with suppress(MissingAnchorError):
        rows = [row for table in _catalog(text).tables for row in table.table.rows]
        return {plain(row.cells[0]): plain(row.cells[2]) for row in rows if len(row.cells) == 3}
    return {}


def _row(entry: ServiceEntry) -> Iterator[Item[CatalogRow]]:
    cells = (entry.name, text(entry.description or entry.title or entry.name), entry.stack)
    yield Item(entry.name, (entry.section, cells))


def hosts_under(title: str) -> Callable[[str], HostList]:
    """What opens a list of hosts: that in the first fenced block under a heading."""

    def opened(text: str) -> HostList:
        markdown = Markdown(text)
        section = markdown.section(title)
        fence = next(markdown.within("fence", section), None) if section else None
        if fence is None:
            raise MissingAnchorError(f'a fence under "{title}"')
        return HostList(markdown, fence)

    return opened


@dataclass(frozen=True, slots=True)
class HostList:
    """Hosts, separated by commas and wrapped."""

    markdown: Markdown
    fence: Block

    @property
    def keys(self) -> tuple[str, ...]:
        """The hosts."""
        return self._hosts.values

    def append(self, value: str) -> str:
        """The text with one more host, on a new line if the list's own lines would end there."""
        if not self.keys:
            return self.markdown.insert_after(self.fence.start, value)
        lines = self.markdown.lines[self.fence.start + 1 : self.fence.end - 1]
        width = max(_WIDTH, *(len(line.rstrip()) for line in lines))
        return self._hosts.append(value, width, self.markdown.newline)

    def without(self, number: int) -> str:
        """The text without one host."""
        if len(self.keys) > 1:
            return self._hosts.without(number)
        line = self.markdown.text.count("\n", 0, self._hosts.items[0].start)
        return self.markdown.without(line, line + 1)

    @property
    def _hosts(self) -> CommaList:
        start, end = (self.markdown.offset(line) for line in (self.fence.start + 1, self.fence.end - 1))
        return CommaList.read(self.markdown.text, start, end, prose=False)


def _hosts(entry: ServiceEntry) -> Iterator[Item[str]]:
    return (Item(h.label, h.label, h.dns_type) for h in entry.hosts if h.dns_type in _DOMAINS)


def _of_stack(text: str, entry: ServiceEntry) -> Iterator[str]:
    """The rows of the stack, under whatever name."""
    return (row for row, stack in stacks_by_name(text).items() if stack.split("/")[0] == entry.stack)


CATALOG = Index("catalog", {"": _catalog}, _row, required=True, also=_of_stack)
DOMAINS = Index("domains", {dns: hosts_under(at) for dns, at in _DOMAINS.items()}, _hosts, required=True)
