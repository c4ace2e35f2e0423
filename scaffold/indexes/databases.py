"""``docs/architecture/databases.md``: who uses each server, and whose password Vault rotates."""

from __future__ import annotations

from collections.abc import Iterator

from scaffold.indexes.base import Index, Item
from scaffold.indexes.entry import Engine, ServiceEntry
from scaffold.indexes.labelled import Labelled
from scaffold.indexes.markdown import key_of
from scaffold.indexes.places import usual


def _used_by(entry: ServiceEntry) -> Iterator[Item[str]]:
    engines = dict.fromkeys(database.engine.value for database in entry.databases)
    return (Item(key_of(entry.name), entry.name, engine) for engine in engines)


def _rotation(entry: ServiceEntry) -> Iterator[Item[str]]:
    for database in entry.databases:
        text = f"{database.user} (Vault static role `{database.role}`)"
        yield Item(key_of(database.user), text, database.engine.value)


USED_BY = Index(
    "databases-used-by",
    usual("databases-used-by"),
    {
        Engine.MYSQL.value: Labelled(("Used by",), section="MySQL"),
        Engine.POSTGRESQL.value: Labelled(("Used by",), section="PostgreSQL"),
    },
    _used_by,
)
ROTATION = Index(
    "databases-rotation",
    usual("databases-rotation"),
    {
        Engine.MYSQL.value: Labelled(("MySQL Rotation",)),
        Engine.POSTGRESQL.value: Labelled(("PostgreSQL Rotation",)),
    },
    _rotation,
)
