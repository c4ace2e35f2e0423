"""Volumes that Docker fills with files from an image, and directories that one image serves for another."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from scaffold.answers.compose import documented, facts
from scaffold.answers.compose.forms import Mount, mount
from scaffold.answers.compose.parts import Part
from scaffold.answers.compose.report import Ledger
from scaffold.answers.compose.roles import service_name
from scaffold.answers.compose.storage import Storage
from scaffold.answers.sources import Path as At
from scaffold.answers.sources import show


def served(proxy: Part, pod: Sequence[Part], storage: Storage) -> list[str]:
    """The directories of a pod that a proxy in the file could serve itself; none if it is not a proxy."""
    if not (proxy.known and proxy.known.serves):
        return []
    both = [there for part in pod for _, there in proxy.shares(part)]
    return list(dict.fromkeys(its.target for its in both if storage.is_data(its)))


@dataclass(frozen=True, slots=True)
class Emptied:
    """A volume that Docker would fill from an image, and Kubernetes does not."""

    at: At
    part: Part
    its: Mount
    purpose: str
    others: tuple[Part, ...] = ()
    """The parts with other images that mount it too."""
    named: bool = True

    @property
    def why(self) -> str:
        """What is lost."""
        who = f"{self.part.name} and {self.others[0].name} share it, and " if self.others else ""
        return (
            f"{who}Kubernetes does not fill it with what the image has at {self.its.target}, as Docker does"
        )


def emptied(
    volumes: Iterable[str], pod: Sequence[Part], storage: Storage
) -> tuple[list[Emptied], list[Emptied]]:
    """The volumes where an image likely has files of its own, and those where it may have some.

    It may hand them to another image, as an app its static files to nginx, or read them itself. Docker fills
    a new volume with what the image has at that path; Kubernetes fills none.
    """
    found: list[Emptied] = []
    for volume in volumes:
        sharing = [(p, its) for p in pod for its in p.mounts if (its.kind, its.source) == ("volume", volume)]
        sharing = [(part, its) for part, its in sharing if not its.no_copy]
        others = tuple(part for part, _ in sharing if not part.is_like(sharing[0][0]))
        filled = [(part, its) for part, its in sharing if _has_files(part, its.target)]
        if sharing and (purpose := storage.by_source.get(volume)):
            part, its = sharing[0] if others or not filled else filled[0]
            found.append(Emptied(("volumes", volume), part, its, purpose, others))
    found += [
        Emptied(at, part, its, purpose, named=False)
        for at, part, its, purpose in storage.unnamed
        if not its.no_copy
    ]
    fills_itself = facts()["only_empty"]
    found = [one for one in found if not re.search(fills_itself, one.its.target)]
    likely = [one for one in found if one.others or _has_files(one.part, one.its.target)]
    begins_empty = facts()["begin_empty"]
    rest = (one for one in found if one not in likely and not re.search(begins_empty, one.its.target))
    may_be = [one for one in rest if not documented.is_for_data(one.part, one.its.target)]
    return likely, may_be


def tell_if_empty(likely: Sequence[Emptied], app: Part, ledger: Ledger) -> None:
    """Report the volumes where an image likely has files, each image once with how they are copied."""
    for one in likely:
        alike = [o for o in likely if o.part.is_like(one.part) and bool(o.others) is bool(one.others)]
        fix = (
            copied(alike, app)
            if one is alike[0]
            else f"The init container that {show(alike[0].at)} gets copies these files too"
        )
        if one.named:
            ledger.left(one.at, one.why, fix)
        else:
            ledger.noted(one.at, f"{one.why}. {fix}")


def tell_own_files(part: Part, storage: Storage, ledger: Ledger) -> None:
    """Report how a container with volumes of its own gets each file that it mounts."""
    called = f"{service_name(part.name) or 'own'}-files"
    for at, item in part.items("volumes"):
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
        ledger.instead(at, why, fix)


def copied(volumes: Sequence[Emptied], app: Part) -> str:
    """How an init container copies the files of an image; at every start, if nobody else writes them."""
    first = volumes[0]
    image = "" if first.part.is_like(app) or not first.part.is_pulled else f", image: {first.part.image}"
    into = {v.purpose: "/fill" if len(volumes) == 1 else f"/fill/{v.purpose}" for v in volumes}
    copy = f"cp -a{'' if first.others else 'n'}"
    copies = " && ".join(f"{copy} {v.its.target.rstrip('/')}/. {into[v.purpose]}" for v in volumes)
    mounts = ", ".join(f"{{volume: {purpose}, path: {path}}}" for purpose, path in into.items())
    return (
        "If those files come with the image, copy them under init_containers: "
        f"{{name: fill-{first.purpose}{image}, command: [sh, -c, {copies}], mounts: [{mounts}]}}."
    )


def _has_files(part: Part, target: str) -> bool:
    """Whether an image likely has files at a path, and its documentation does not name that path for data."""
    path = target.rstrip("/")
    is_data = path == part.of_image.path or re.search(facts()["empty_paths"], path)
    return bool(re.search(facts()["image_paths"], path)) and not is_data
