"""Volumes that Docker fills with files from an image, and directories that one image serves for another."""

from __future__ import annotations

import re
from collections.abc import Sequence

from scaffold.answers.compose.forms import listed, mount
from scaffold.answers.compose.parts import Part
from scaffold.answers.compose.report import Ledger
from scaffold.answers.compose.roles import service_name
from scaffold.answers.compose.storage import Storage
from scaffold.answers.known import known
from scaffold.templates import template


def served(proxy: Part, pod: Sequence[Part], storage: Storage) -> list[str]:
    """The directories of a pod that a proxy in the file could serve itself; none if it is not a proxy."""
    if not (proxy.known and proxy.known.serves):
        return []
    both = [there for part in pod for _, there in proxy.shares(part)]
    return list(dict.fromkeys(its.target for its in both if storage.is_data(its)))


def tell_if_empty(volume: str, pod: Sequence[Part], storage: Storage, ledger: Ledger) -> None:
    """Report a volume where an image likely has files of its own.

    It may hand them to another image, as an app its static files to nginx, or read them itself. Docker fills
    a new volume with what the image has at that path; Kubernetes fills none.
    """
    sharing = [(p, its) for p in pod for its in p.mounts if (its.kind, its.source) == ("volume", volume)]
    sharing = [(part, its) for part, its in sharing if not its.no_copy]
    others = [part for part, _ in sharing if not part.is_like(sharing[0][0])]
    filled = [(part, its) for part, its in sharing if _has_files(part, its.target)]
    if (others or filled) and (purpose := storage.by_source.get(volume)):
        part, its = sharing[0] if others else filled[0]
        who = f"{part.name} and {others[0].name} share it, and " if others else ""
        ledger.left(
            ("volumes", volume),
            f"{who}Kubernetes does not fill it with what the image has at {its.target}, as Docker does",
            _copied(part, pod[0], its.target, purpose, again=bool(others)),
        )


def tell_if_empty_unnamed(app: Part, storage: Storage, ledger: Ledger) -> None:
    """Report volumes without a name where an image likely has files of its own."""
    for at, part, its, purpose in storage.unnamed:
        if not its.no_copy and _has_files(part, its.target):
            why = f"Kubernetes does not fill it with what the image has at {its.target}, as Docker does"
            ledger.noted(at, f"{why}. {_copied(part, app, its.target, purpose, again=False)}")


def tell_own_files(part: Part, storage: Storage, ledger: Ledger) -> None:
    """Report how a container with volumes of its own gets each file that it mounts."""
    called = f"{service_name(part.name) or 'own'}-files"
    for index, item in enumerate(listed(part.body.get("volumes"))):
        its = mount(item)
        if its is None or not storage.is_file(its):
            continue
        key = its.target.rpartition("/")[2]
        fix = (
            f"Give its text under files, with path /{called}/{key}; add {{name: {called}, path: /{called}, "
            f"in_app: false}} to directories, and {{volume: {called}, path: {its.target}, sub_path: {key}, "
            f"read_only: true}} to the mounts of the container."
        )
        why = (
            f"{its.target} is a single file, and a container with volumes of its own gets those that it names"
        )
        ledger.instead((*part.at, "volumes", index), why, fix)


def _has_files(part: Part, target: str) -> bool:
    """Whether an image likely has files at a path, and its documentation does not name that path for data."""
    facts = template.facts("compose")
    path = target.rstrip("/")
    is_data = path == known({"image": str(part.image)}).path or re.search(facts["empty_paths"], path)
    return bool(re.search(facts["image_paths"], path)) and not is_data


def _copied(part: Part, app: Part, target: str, purpose: str, *, again: bool) -> str:
    """How an init container copies the files; ``again`` at every start, if nobody else writes them."""
    image = "" if part.is_like(app) else f", image: {part.image}"
    copy = f"command: [sh, -c, cp -a{'' if again else 'n'} {target.rstrip('/')}/. /fill]"
    return (
        "If those files come with the image, copy them under init_containers: "
        f"{{name: fill-{purpose}{image}, {copy}, mounts: [{{volume: {purpose}, path: /fill}}]}}."
    )
