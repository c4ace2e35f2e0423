"""The running lists of ``.claude/CLAUDE.md``: rotated databases, Anubis, build models, repository IDs."""

from __future__ import annotations

from collections.abc import Iterator

from scaffold.indexes.base import Index, Item, by_name
from scaffold.indexes.entry import BuildModel, Engine, ServiceEntry
from scaffold.indexes.labelled import Labelled
from scaffold.indexes.markdown import key_of


def _rotation(entry: ServiceEntry) -> Iterator[Item[str]]:
    return (Item(key_of(d.user), d.user, d.engine.value) for d in entry.databases)


def _anubis(entry: ServiceEntry) -> Iterator[Item[str]]:
    if entry.anubis and entry.hosts:
        label = entry.hosts[0].label
        paths = ", ".join(f"`{path}`" for public in entry.public_paths for path in public.paths)
        yield Item(key_of(label), f"{label} (except {paths})" if paths else label)


def _builds(entry: ServiceEntry) -> Iterator[Item[str]]:
    for image in entry.built:
        yield Item(key_of(image.repository), image.repository, image.model.value)


def _packages(entry: ServiceEntry) -> Iterator[Item[str]]:
    image = entry.own_image
    if image and image.package:
        yield Item(key_of(image.repository), image.repository, image.package)


def _repo_ids(entry: ServiceEntry) -> Iterator[Item[str]]:
    image = entry.own_image
    if image and image.repo_id is not None:
        yield Item(key_of(image.repository), f"{image.repository}={image.repo_id}")


ROTATION = Index(
    "claude-rotation",
    {
        Engine.MYSQL.value: Labelled(("Database rotation",), marker="MySQL"),
        Engine.POSTGRESQL.value: Labelled(("Database rotation",), marker="PostgreSQL"),
    },
    _rotation,
)
ANUBIS = Index("claude-anubis", {"": Labelled(("Anubis",), marker="Active on")}, _anubis)
BUILDS = Index(
    "claude-builds",
    {
        BuildModel.GITHUB.value: Labelled(("Migrated to GHA", "Migrated apps")),
        BuildModel.WOODPECKER_NATIVE.value: Labelled(("Woodpecker-native owned-app build",)),
        BuildModel.WOODPECKER_ONLY.value: Labelled(("Woodpecker-only",)),
    },
    _builds,
    also=by_name(*(model.value for model in BuildModel)),
)
PACKAGES = Index(
    "claude-packages",
    {"public": Labelled(("PUBLIC ghcr packages",)), "private": Labelled(("PRIVATE ghcr",))},
    _packages,
    also=by_name("public", "private"),
)
REPO_IDS = Index(
    "claude-repo-ids", {"": Labelled(("Woodpecker API",), marker="Repo IDs")}, _repo_ids, also=by_name()
)
