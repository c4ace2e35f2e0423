"""Directories that services of a file have in common, where one image fills or serves them for another."""

from __future__ import annotations

from collections.abc import Sequence

from scaffold.answers.compose.parts import Part
from scaffold.answers.compose.report import Ledger
from scaffold.answers.compose.storage import Storage


def served(proxy: Part, pod: Sequence[Part], storage: Storage) -> list[str]:
    """The directories of a pod that a proxy of the file could hand out itself; none of what is no proxy."""
    if not (proxy.known and proxy.known.serves):
        return []
    both = [there for part in pod for _, there in proxy.shares(part)]
    return list(dict.fromkeys(its.target for its in both if storage.is_data(its)))


def tell_if_empty(volume: str, pod: Sequence[Part], storage: Storage, ledger: Ledger) -> None:
    """Tell of a volume with which one image hands another its files, as an app its static files to nginx.

    Docker fills a new volume with what the image has at that path; Kubernetes fills none.
    """
    sharing = [(p, its) for p in pod for its in p.mounts if (its.kind, its.source) == ("volume", volume)]
    others = [part for part, _ in sharing if not part.is_like(sharing[0][0])]
    if others and (purpose := storage.by_source.get(volume)):
        part, its = sharing[0]
        image = "" if part.is_like(pod[0]) else f", image: {part.image}"
        copy = f"command: [sh, -c, cp -a {its.target}/. /fill]"
        ledger.left(
            ("volumes", volume),
            f"{part.name} and {others[0].name} share it, and Kubernetes does not fill it with what the "
            f"image has at {its.target}, as Docker does",
            "If those files come with the image, copy them under init_containers: "
            f"{{name: fill-{purpose}{image}, {copy}, mounts: [{{volume: {purpose}, path: /fill}}]}}.",
        )
