"""``docs/architecture/backup-dr.md``: the row of a Service in the Service Protection Matrix."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from scaffold.indexes.base import Index, Item, MissingAnchorError, by_name
from scaffold.indexes.entry import Protection, ServiceEntry, slug
from scaffold.indexes.markdown import Markdown, Row, Table, key_of, plain, row, text

_SECTION = "Service Protection Matrix"
_SERVICE, _BACKUP, _STORAGE = "Service", "App Backup", "Storage"
_YES, _NO = "✓", "—"


@dataclass(frozen=True, slots=True)
class Matrix:
    """The rows of Services. Other rows are bold: those with one cell begin a group.

    A value is the name of a Service, and what protects its data.
    """

    markdown: Markdown
    table: Table

    @property
    def keys(self) -> tuple[str, ...]:
        """The slugs of the Services."""
        return tuple(key_of(r.cells[0]) for r in self._services)

    def append(self, value: tuple[str, Protection]) -> str:
        """The text with one more row, at the end of the group with its kind of storage.

        If several groups have it, that is the one of applications, else the one with most such rows. The row
        says the same about snapshots and copies as the last such row of the group. Raises
        ``MissingAnchorError`` if no group has it.
        """
        name, protection = value
        groups = self._groups()
        for kind in sorted({self._storage(r) for r in self._services}, key=len, reverse=True):
            if not protection.storage.startswith(kind):
                continue
            like = {title: [r for r in rows if self._storage(r) == kind] for title, rows in groups.items()}
            apps = [t for t, rows in like.items() if rows and plain(t).lower().startswith("application")]
            title = max(apps or like, key=lambda title: len(like[title]))
            cells = dict(zip(self.table.header, like[title][-1].cells, strict=True))
            backup = f"{_YES} {protection.backup}" if protection.backup else _NO
            cells |= {_SERVICE: name, _STORAGE: protection.storage, _BACKUP: backup}
            return self.markdown.insert_after(groups[title][-1].line, row(*cells.values()))
        raise MissingAnchorError(f'a row with the storage {protection.storage} under "{_SECTION}"')

    def without(self, number: int) -> str:
        """The text without one row."""
        line = self._services[number].line
        return self.markdown.without(line, line + 1)

    @property
    def _services(self) -> list[Row]:
        return [r for rows in self._groups().values() for r in rows]

    def _groups(self) -> dict[str, list[Row]]:
        """The rows with a Service, by the title of their group."""
        groups: dict[str, list[Row]] = {"": []}
        for r in self.table.rows:
            if len(r.cells) == 1:
                groups[r.cells[0]] = []
            elif not r.cells[0].startswith("**") and len(r.cells) == len(self.table.header):
                groups[list(groups)[-1]].append(r)
        return groups

    def _storage(self, r: Row) -> str:
        return r.cells[self.table.header.index(_STORAGE)]


def _matrix(text: str) -> Matrix:
    markdown = Markdown(text)
    section = markdown.section(_SECTION)
    table = markdown.table(section) if section else None
    if table is None or not {_SERVICE, _BACKUP, _STORAGE} <= set(table.header):
        raise MissingAnchorError(f'a table with {_SERVICE}, {_BACKUP} and {_STORAGE} under "{_SECTION}"')
    return Matrix(markdown, table)


def _row(entry: ServiceEntry) -> Iterator[Item[tuple[str, Protection]]]:
    if kept := entry.protection:
        name = entry.title if slug(entry.title) == slug(entry.name) else entry.name
        yield Item(slug(entry.name), (text(name), kept))


MATRIX = Index("backup-matrix", {"": _matrix}, _row, also=by_name())
