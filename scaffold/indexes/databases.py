"""``docs/architecture/databases.md``: who uses each server, and whose passwords Vault rotates."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import suppress

from scaffold.indexes.base import Index, Item, MissingAnchorError, qualified
from scaffold.indexes.entry import Engine, ServiceEntry, slug
from scaffold.indexes.labelled import Labelled
from scaffold.indexes.markdown import key_of


def _used_by(entry: ServiceEntry) -> Iterator[Item[str]]:
    engines = dict.fromkeys(database.engine.value for database in entry.databases)
    return (Item(key_of(entry.name), entry.name, engine) for engine in engines)


def _rotation(entry: ServiceEntry) -> Iterator[Item[str]]:
    for database in entry.databases:
        text = f"{database.user} (Vault static role `{database.role}`)"
        yield Item(key_of(database.user), text, database.engine.value)


_USERS = {
    Engine.MYSQL.value: Labelled(("Used by",), section="MySQL"),
    Engine.POSTGRESQL.value: Labelled(("Used by",), section="PostgreSQL"),
}
USED_BY = Index("databases-used-by", _USERS, _used_by)
ROTATION = Index(
    "databases-rotation",
    {
        Engine.MYSQL.value: Labelled(("MySQL Rotation",)),
        Engine.POSTGRESQL.value: Labelled(("PostgreSQL Rotation",)),
    },
    _rotation,
)


def remarks(text: str) -> Mapping[str, str]:
    """The entries in the lists of users, by their remarks: ``birds (bird-box)`` by ``bird-box``.

    Both are names of the index's kind, with their group.
    """
    found: dict[str, str] = {}
    for group, place in _USERS.items():
        with suppress(MissingAnchorError):
            for item in place(text).items:
                if remark := item.partition(" (")[2].partition(")")[0]:
                    found[qualified(group, slug(remark))] = qualified(group, key_of(item))
    return found
