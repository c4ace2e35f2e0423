"""``stacks/kyverno``: the namespaces that may pull private images; later states of the house have it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import PurePosixPath

from scaffold.indexes.base import Index, Item, by_name
from scaffold.indexes.entry import ServiceEntry
from scaffold.indexes.hcl_text import ListAt, local

_LOCAL = "ghcr_private_namespaces"


def _namespace(entry: ServiceEntry) -> Iterator[Item[tuple[str, str]]]:
    image = entry.own_image
    if image and image.pull_namespace:
        comment = f"{entry.name} pulls the private image {image.repository}."
        yield Item(image.pull_namespace, (image.pull_namespace, comment))


NAMESPACES = Index(
    "ghcr-namespaces",
    PurePosixPath("stacks/kyverno/modules/kyverno/ghcr-credentials.tf"),
    {"": ListAt(f"the list local.{_LOCAL}", local(_LOCAL))},
    _namespace,
    required=True,
    also=by_name(),
)
