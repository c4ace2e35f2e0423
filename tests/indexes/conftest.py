"""What the tests of the indexes share: the sample monorepo, and a Service with everything."""

from __future__ import annotations

import pytest

from scaffold.indexes.entry import (
    BuildModel,
    Database,
    Engine,
    Host,
    Monitor,
    OwnImage,
    Protection,
    PublicPath,
    ServiceEntry,
    UpstreamImage,
)
from scaffold.monorepo.repository import Monorepo

ALLOWLIST = """\
locals {
  ghcr_private_namespaces = [
    "seed-log",
  ]
}
"""


@pytest.fixture
def sample(monorepo: Monorepo) -> Monorepo:
    """The sample monorepo, with the allowlist that later states of the house have."""
    root = monorepo.root
    allowlist = root / "stacks/kyverno/modules/kyverno/ghcr-credentials.tf"
    allowlist.parent.mkdir(parents=True)
    allowlist.write_text(ALLOWLIST)
    return Monorepo(root)


@pytest.fixture
def everything() -> ServiceEntry:
    """A Service that belongs in every index."""
    return ServiceEntry(
        name="bee-log",
        stack="bee-log",
        title="Bee Log",
        description="Hives | weights and swarms",
        section="Active Use",
        hosts=(Host("bees", "proxied"), Host("bee-hooks", "non-proxied")),
        databases=(Database(Engine.POSTGRESQL, "pg-bee-log", "bee_log", "bee_log"),),
        public_paths=(
            PublicPath(
                "bee-log-scale", ("/scale",), "https://bees.example.test/scale", "The scale has a token."
            ),
        ),
        anubis=True,
        own_image=OwnImage("bee-log", BuildModel.WOODPECKER_NATIVE, 12, "private"),
        pull_namespace="bee-log",
        upstream_images=(UpstreamImage("ghcr.io/bees/log", "bees/log"),),
        protection=Protection("proxmox-lvm-encrypted", "daily"),
        nfs_directories=("/srv/nfs/bee-log/swarms", "/srv/nfs/bee-log-backup"),
        encrypted=True,
        sqlite=True,
        monitor=Monitor("bee-log.bee-log.svc.cluster.local", 8080),
    )
