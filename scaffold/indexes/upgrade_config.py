"""``.claude/reference/upgrade-config.json``: releases of upstream images, and Services with a database."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from scaffold.indexes.base import Index, Item, MissingAnchorError
from scaffold.indexes.entry import ServiceEntry
from scaffold.indexes.json_text import Json, JsonObject, written


@dataclass(frozen=True, slots=True)
class Members:
    """The members of one object. A new one goes after the last similar one, else to the end."""

    members: JsonObject
    alike: Callable[[Json, Json], bool]

    @property
    def keys(self) -> tuple[str, ...]:
        """The keys of the object."""
        return tuple(m.key for m in self.members.members)

    def append(self, value: tuple[str, Json]) -> str:
        """The text with one more member."""
        key, content = value
        siblings = [m for m in self.members.members if self.alike(m.value, content)]
        texts = [self.members.text[m.value_start : m.end] for m in self.members.members]
        spaced = any(text.startswith("{ ") for text in texts)
        return self.members.insert(key, written(content, spaced=spaced), siblings[-1] if siblings else None)

    def without(self, number: int) -> str:
        """The text without one member."""
        return self.members.without(number)


def object_at(
    key: str, alike: Callable[[Json, Json], bool] = lambda one, other: False
) -> Callable[[str], Members]:
    """What opens the object under a key of the file; ``alike`` says which members stand together."""

    def opened(text: str) -> Members:
        try:
            found = JsonObject.read(text, key)
        except ValueError as error:
            raise MissingAnchorError(f"valid JSON ({error})") from error
        if not found:
            raise MissingAnchorError(f'an object "{key}"')
        return Members(found, alike)

    return opened


def _same_server(one: Json, other: Json) -> bool:
    fields = ("type", "shared")
    return (
        isinstance(one, dict)
        and isinstance(other, dict)
        and [one.get(f) for f in fields] == [other.get(f) for f in fields]
    )


def _repository(entry: ServiceEntry) -> Iterator[Item[tuple[str, Json]]]:
    return (Item(i.image, (i.image, i.repository)) for i in entry.upstream_images)


def _database(entry: ServiceEntry) -> Iterator[Item[tuple[str, Json]]]:
    for database in entry.databases[:1]:  # the file has one database per Service
        value: Json = {"type": database.engine.value, "db_name": database.name, "shared": True}
        yield Item(entry.name, (entry.name, value))


REPOSITORIES = Index("upgrade-repositories", {"": object_at("github_repo_overrides")}, _repository)
DATABASES = Index("upgrade-databases", {"": object_at("db_backed_services", _same_server)}, _database)
