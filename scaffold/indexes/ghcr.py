"""``stacks/kyverno``: the namespaces that may pull private images; newer states of the house have it."""

from __future__ import annotations

from collections.abc import Iterator

from scaffold.indexes.base import Index, Item, by_name
from scaffold.indexes.entry import ServiceEntry
from scaffold.indexes.hcl_text import list_at, local

_LOCAL = "ghcr_private_namespaces"


def _namespace(entry: ServiceEntry) -> Iterator[Item[tuple[str, str]]]:
    if entry.pull_namespace:
        what = (
            f"the private image {entry.own_image.repository}"
            if entry.own_image
            else "private images of others"
        )
        yield Item(entry.pull_namespace, (entry.pull_namespace, f"{entry.name} pulls {what}."))


NAMESPACES = Index(
    "ghcr-namespaces",
    {"": list_at(f"the list local.{_LOCAL}", local(_LOCAL))},
    _namespace,
    required=True,
    also=by_name(),
)
