"""``stacks/vault/main.tf``: the static role of each database, and the roles that a connection allows.

The two agree one to one: a role that its connection does not allow cannot be created.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from scaffold.hcl.strings import quote
from scaffold.hcl.syntax import Block, Document, Expression
from scaffold.indexes.base import Index, Item, MissingAnchorError
from scaffold.indexes.entry import Database, Engine, ServiceEntry
from scaffold.indexes.hcl_text import BlockFamily, copied, document, list_at

_CONNECTION = "vault_database_secret_backend_connection"
_ROLE = "vault_database_secret_backend_static_role"


def _allowed_roles(engine: Engine) -> Callable[[Document], Expression | None]:
    def find(doc: Document) -> Expression | None:
        block = doc.body.block("resource", _CONNECTION, engine.value)
        return block.body.value("allowed_roles") if block else None

    return find


class StaticRoles(BlockFamily):
    """The static roles of all connections, by the name that they have in Vault."""

    def append(self, value: Database) -> str:
        """The text with one more role: a copy of the last one of the same connection, after it.

        Raises ``MissingAnchorError`` if the connection has no role yet.
        """
        same = [b for b in self.blocks if _connection(b) == value.engine.value]
        if not same:
            raise MissingAnchorError(f"a static role of the connection {value.engine.value} to copy")
        new = copied(same[-1], _names(same[-1], value))
        return self.insert(new, same[-1])


def _static_roles(text: str) -> StaticRoles:
    doc = document(text)
    named = [(b, b.body.literal("name")) for b in doc.body.blocks_of("resource", _ROLE)]
    roles = [(b, name) for b, name in named if isinstance(name, str)]
    return StaticRoles(doc, tuple(b for b, _ in roles), tuple(name for _, name in roles))


def roles(text: str) -> tuple[Database, ...]:
    """The databases whose passwords Vault rotates; their names are not known here, so the users stand in."""
    try:
        opened = _static_roles(text)
    except MissingAnchorError:
        return ()
    found = []
    for block, role in zip(opened.blocks, opened.keys, strict=True):
        user, connection = block.body.literal("username"), _connection(block)
        if isinstance(user, str) and connection in {engine.value for engine in Engine}:
            found.append(Database(Engine(connection), role, user, user))
    return tuple(found)


def _connection(block: Block) -> str | None:
    value = block.body.value("db_name")
    reference = value.traversal if value else None
    return reference.names[1] if reference and reference.names[:1] == (_CONNECTION,) else None


def _names(block: Block, database: Database) -> Iterator[tuple[int, int, str]]:
    """What is different in the new block: its label, the role's name and the user's."""
    text = block.source.data
    at = text.index(quote(block.labels[1]).encode(), block.start)
    label = database.role.replace("-", "_")
    yield at, at + len(quote(block.labels[1]).encode()), quote(label)
    for name, new in (("name", database.role), ("username", database.user)):
        value = block.body.value(name)
        if value is not None:
            yield value.start, value.end, quote(new)


def _allowed(entry: ServiceEntry) -> Iterator[Item[tuple[str, str]]]:
    return (Item(d.role, (d.role, ""), d.engine.value) for d in entry.databases)


def _static(entry: ServiceEntry) -> Iterator[Item[Database]]:
    return (Item(database.role, database) for database in entry.databases)


ALLOWED_ROLES = Index(
    "vault-allowed-roles",
    {e.value: list_at(f"allowed_roles of {_CONNECTION}.{e.value}", _allowed_roles(e)) for e in Engine},
    _allowed,
    required=True,
)
STATIC_ROLES = Index("vault-static-roles", {"": _static_roles}, _static, required=True)
