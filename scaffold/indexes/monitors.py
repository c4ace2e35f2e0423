"""``stacks/uptime-kuma``: the monitors of what has no public ingress."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress

from scaffold.hcl.edit import insert_element
from scaffold.hcl.strings import quote
from scaffold.hcl.syntax import Entry, ExprKind
from scaffold.indexes.base import Index, Item, MissingAnchorError, by_name
from scaffold.indexes.entry import Monitor, ServiceEntry
from scaffold.indexes.hcl_text import Collection, document, local, string_at

_LOCAL = "internal_monitors"


class Monitors(Collection):
    """The list of monitors. A key is a monitor's name; a value is a name and the monitor."""

    @property
    def keys(self) -> tuple[str, ...]:
        """The names of the monitors."""
        return tuple(string_at(element, "name") for element in self.value.elements)

    def append(self, value: tuple[str, Monitor]) -> str:
        """The text with one more monitor of a port, with the attributes and intervals of the last one.

        Raises ``MissingAnchorError`` if the last one lacks the attributes of such a monitor.
        """
        name, monitor = value
        own = {
            "name": quote(name),
            "type": quote("port"),
            "hostname": quote(monitor.hostname),
            "port": str(monitor.port),
        }
        entries = self.value.elements[-1].entries
        if not own.keys() <= {e.name for e in entries}:
            raise MissingAnchorError(f"a monitor with {', '.join(own)} in local.{_LOCAL}, to copy")
        width = max(len(e.key.text) for e in entries)
        lines = [f"  {e.key.text.ljust(width)} = {own.get(e.name or '') or _kept(e)}" for e in entries]
        return insert_element(self.doc, self.value, "\n".join(["{", *lines, "}"])).decode()


def _kept(entry: Entry) -> str:
    """Intervals and retries are numbers and alike everywhere; all else belongs to the other monitor."""
    return entry.value.text if entry.value.kind is ExprKind.NUMBER else "null"


def _monitors(text: str) -> Monitors:
    doc = document(text)
    value = local(_LOCAL)(doc)
    if value is None or not value.elements:
        raise MissingAnchorError(f"a monitor in the list local.{_LOCAL}, to copy")
    return Monitors(doc, value)


def hostnames(text: str) -> dict[str, str]:
    """What each monitor connects to, by its name."""
    with suppress(MissingAnchorError):
        opened = _monitors(text)
        return {string_at(each, "name"): string_at(each, "hostname") for each in opened.value.elements}
    return {}


def _monitor(entry: ServiceEntry) -> Iterator[Item[tuple[str, Monitor]]]:
    if entry.monitor:
        yield Item(entry.name, (entry.name, entry.monitor))


MONITORS = Index("internal-monitors", {"": _monitors}, _monitor, also=by_name())
