"""The probe that asks whether a path that must stay public has been walled off by single sign-on."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from urllib.parse import urlsplit

from scaffold.hcl.edit import insert_entry
from scaffold.hcl.strings import quote
from scaffold.hcl.syntax import ExprKind
from scaffold.indexes.base import Index, Item, MissingAnchorError
from scaffold.indexes.entry import PublicPath, ServiceEntry
from scaffold.indexes.hcl_text import Collection, document, local

_LOCAL = "authentik_walloff_targets"


class Targets(Collection):
    """The map of targets."""

    @property
    def keys(self) -> tuple[str, ...]:
        """The keys of the map."""
        return tuple(entry.name or "" for entry in self.value.entries)

    def append(self, value: PublicPath) -> str:
        """The text with one more target, under a comment with its reason."""
        return insert_entry(self.doc, self.value, quote(value.key), quote(value.url), value.reason).decode()


def _targets(text: str) -> Targets:
    doc = document(text)
    value = local(_LOCAL)(doc)
    if value is None or value.kind is not ExprKind.MAP:
        raise MissingAnchorError(f"the map local.{_LOCAL}")
    return Targets(doc, value)


def targets(text: str) -> dict[str, str]:
    """The address of each target."""
    with suppress(MissingAnchorError):
        return {e.name or "": e.value.string() or "" for e in _targets(text).value.entries}
    return {}


def _paths(entry: ServiceEntry) -> Iterator[Item[PublicPath]]:
    return (Item(public.key, public) for public in entry.public_paths)


def _on_hosts(text: str, entry: ServiceEntry) -> Iterator[str]:
    """Every target on a host of the Service, whatever it is called."""
    hosts = {f"{host.label}.{entry.domain}" for host in entry.hosts}
    return (key for key, url in targets(text).items() if urlsplit(url).netloc in hosts)


TARGETS = Index("walloff", {"": _targets}, _paths, required=True, also=_on_hosts)
