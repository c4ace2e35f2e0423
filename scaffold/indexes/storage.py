"""Where data is stored: the consumers of NFS, the Services on encrypted disks, the apps with SQLite."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from pathlib import PurePosixPath

from scaffold.indexes.base import Index, Item, MissingAnchorError, by_name
from scaffold.indexes.entry import ServiceEntry
from scaffold.indexes.labelled import Labelled
from scaffold.indexes.markdown import key_of, plain
from scaffold.indexes.tables import table_under

_CONSUMERS = table_under("Known consumers", ("Consumer", "NFS path", "Owning stack"), plain)


def _directories(entry: ServiceEntry) -> Iterator[Item[tuple[str, ...]]]:
    for path in entry.nfs_directories:
        last = PurePosixPath(path).name
        name = last if last.startswith(entry.name) else f"{entry.name}-{last}"
        yield Item(name, (f"`{name}`", f"`{path}`", f"`{entry.place}/`"))


def _of_stack(text: str, entry: ServiceEntry) -> Iterator[str]:
    """The directories that the list says are the stack's, whatever they are called."""
    with suppress(MissingAnchorError):
        for row in _CONSUMERS(text).table.rows:
            if len(row.cells) == 3 and plain(row.cells[2]).strip("/") == entry.place:
                yield plain(row.cells[0])


def _named(entry: ServiceEntry, *, belongs: bool) -> Iterator[Item[str]]:
    if belongs:
        yield Item(key_of(entry.name), entry.name)


CONSUMERS = Index("nfs-consumers", {"": _CONSUMERS}, _directories, also=_of_stack)
ENCRYPTED = Index(
    "storage-encrypted",
    {"": Labelled(("Services on encrypted storage",))},
    lambda entry: _named(entry, belongs=entry.encrypted),
    also=by_name(),
)
SQLITE = Index(
    "databases-sqlite",
    {"": Labelled(("Apps using SQLite",))},
    lambda entry: _named(entry, belongs=entry.sqlite),
    also=by_name(),
)
