"""``stacks/dbaas/modules/dbaas/main.tf``: one ``null_resource`` for each PostgreSQL database.

MySQL's rotated users have no such pattern: creating them is a step for a person.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress

from scaffold.hcl.syntax import Block
from scaffold.indexes.base import Index, Item, MissingAnchorError
from scaffold.indexes.entry import Database, Engine, ServiceEntry
from scaffold.indexes.hcl_text import BlockFamily, copied, document, exchanged, string_at

_TRIGGERS = ("db_name", "username")


class DatabaseResources(BlockFamily):
    """The resources with triggers ``db_name`` and ``username``. A key is the database's name.

    A value is the name of a Service, and its database.
    """

    def append(self, value: tuple[str, Database]) -> str:
        """The text with one more database, after the last one: a copy of the simplest resource.

        Only a resource can be copied whose two names are equal, or different, like the new ones, since its
        script does not say which of the two it means where. Raises ``MissingAnchorError`` if there is none.
        """
        service, database = value
        name, user = database.name, database.user
        fitting = [
            (block, old_name, old_user)
            for block in self.blocks
            for old_name, old_user in (_names(block),)
            if (old_name == old_user) == (name == user) and old_name in block.labels[1]
        ]
        if not fitting:
            raise MissingAnchorError("a resource that creates a PostgreSQL database, to copy")
        block, old_name, old_user = min(fitting, key=lambda found: found[0].end - found[0].start)
        label = block.labels[1].replace(old_name, name)
        words = {old_name: name, old_user: user, block.labels[1]: label}
        new = exchanged(copied(block, ()), words)
        role = database.role
        comment = f"The database of {service}. Vault rotates its password: static role {role}."
        return self.insert(new, self.blocks[-1], comment)


def names_by_user(text: str) -> dict[str, str]:
    """The name of each database by its user."""
    with suppress(MissingAnchorError):
        return {user: name for name, user in map(_names, _resources(text).blocks)}
    return {}


def _names(block: Block) -> tuple[str, str]:
    triggers = block.body.value("triggers")
    name, user = (string_at(triggers, key) for key in _TRIGGERS)
    return name, user


def _resources(text: str) -> DatabaseResources:
    doc = document(text)
    named = [(b, *_names(b)) for b in doc.body.blocks_of("resource", "null_resource")]
    found = [(block, name) for block, name, user in named if name and user]
    if not found:
        raise MissingAnchorError(f"a null_resource with the triggers {' and '.join(_TRIGGERS)}, to copy")
    return DatabaseResources(doc, tuple(b for b, _ in found), tuple(n for _, n in found))


def _database(entry: ServiceEntry) -> Iterator[Item[tuple[str, Database]]]:
    for database in entry.databases:
        if database.engine is Engine.POSTGRESQL:
            yield Item(database.name, (entry.name, database))


DATABASES = Index("dbaas", {"": _resources}, _database, required=True)
