"""``docs/architecture/ci-cd.md``: the build model and the Woodpecker number of the house's own images."""

from __future__ import annotations

from collections.abc import Iterator

from scaffold.indexes.base import Index, Item, by_name
from scaffold.indexes.entry import BuildModel, ServiceEntry
from scaffold.indexes.labelled import Labelled
from scaffold.indexes.markdown import key_of
from scaffold.indexes.tables import table_under


def _builds(entry: ServiceEntry) -> Iterator[Item[str]]:
    for image in entry.built:
        # The first list has the names of projects, the others quote repositories.
        text = image.repository if image.model is BuildModel.GITHUB else f"`{image.repository}`"
        yield Item(key_of(image.repository), text, image.model.value)


def _repo_ids(entry: ServiceEntry) -> Iterator[Item[tuple[str, ...]]]:
    image = entry.own_image
    if image and image.repo_id is not None:
        yield Item(key_of(image.repository), (image.repository, str(image.repo_id)))


BUILDS = Index(
    "ci-cd-builds",
    {
        BuildModel.GITHUB.value: Labelled(("Migrated to GHA",)),
        BuildModel.WOODPECKER_NATIVE.value: Labelled(("Woodpecker-native owned-app build",)),
        BuildModel.WOODPECKER_ONLY.value: Labelled(("Woodpecker-only",)),
    },
    _builds,
    also=by_name(*(model.value for model in BuildModel)),
)
REPO_IDS = Index(
    "ci-cd-repo-ids",
    {"": table_under("Woodpecker Repository IDs", ("Repo", "ID"), key_of)},
    _repo_ids,
    also=by_name(),
)
