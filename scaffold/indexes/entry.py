"""What the indexes say about one Service."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum
from pathlib import PurePosixPath

from scaffold.monorepo.root import STACKS


class Engine(Enum):
    """A shared database server."""

    POSTGRESQL = "postgresql"
    MYSQL = "mysql"


class BuildModel(Enum):
    """Who builds the house's own image and who rolls it out; the docs have a list for each model."""

    GITHUB = "github"
    WOODPECKER_NATIVE = "woodpecker-native"
    WOODPECKER_ONLY = "woodpecker-only"


@dataclass(frozen=True, slots=True)
class Host:
    """A host name without its domain, and the DNS record it has."""

    label: str
    dns_type: str


@dataclass(frozen=True, slots=True)
class Database:
    """A database on a shared server: Vault's role, and what it is called there."""

    engine: Engine
    role: str
    name: str
    user: str


@dataclass(frozen=True, slots=True)
class PublicPath:
    """Paths that must stay reachable without single sign-on; none if a whole host must.

    ``key`` is ``<service>-<what they are>``, and ``url`` one address below them that can be probed.
    """

    key: str
    paths: tuple[str, ...]
    url: str
    reason: str


@dataclass(frozen=True, slots=True)
class OwnImage:
    """How one of the house's own images is built, and in which repository.

    ``repo_id`` is the number of the repository in Woodpecker; it exists only once it is activated there.
    """

    repository: str
    model: BuildModel
    repo_id: int | None = None
    package: str = ""
    """Whether it is a ``public`` or a ``private`` package of GitHub; empty for every other registry."""


@dataclass(frozen=True, slots=True)
class UpstreamImage:
    """Somebody else's image without its tag, and the GitHub repository with its releases."""

    image: str
    repository: str


@dataclass(frozen=True, slots=True)
class Protection:
    """Where the data is, and how often the Service itself backs it up (``daily``; empty: it does not)."""

    storage: str
    backup: str = ""


@dataclass(frozen=True, slots=True)
class Monitor:
    """What an uptime monitor inside the cluster connects to, where no public ingress exists."""

    hostname: str
    port: int


@dataclass(frozen=True, slots=True)
class ServiceEntry:
    """Everything that the indexes say about one Service. What is empty has no place in them.

    ``home`` is the directory of the stacks. ``section`` is the heading of the Service's section in the
    catalog, or how it begins. ``domain`` is what all hosts are below. ``encrypted`` and ``sqlite`` say
    whether a volume is, or has such a database.
    """

    name: str
    stack: str
    description: str = ""
    title: str = ""
    section: str = "Optional"
    hosts: tuple[Host, ...] = ()
    domain: str = ""
    home: str = STACKS
    databases: tuple[Database, ...] = ()
    public_paths: tuple[PublicPath, ...] = ()
    anubis: bool = False
    own_image: OwnImage | None = None
    images_beside: tuple[OwnImage, ...] = ()
    """Those of the house's own images that other containers run and that are called after the Service."""
    pull_namespace: str = ""
    """The namespace that has to be on the allowlist for private images; empty where none has to be."""
    upstream_images: tuple[UpstreamImage, ...] = ()
    protection: Protection | None = None
    monitor: Monitor | None = None
    nfs_directories: tuple[str, ...] = ()
    encrypted: bool = False
    sqlite: bool = False

    @property
    def built(self) -> tuple[OwnImage, ...]:
        """The images that are built for the Service."""
        return (*([self.own_image] if self.own_image else ()), *self.images_beside)

    @property
    def place(self) -> str:
        """The directory of the stack, by its path from the monorepo's root."""
        return PurePosixPath(self.home, self.stack).as_posix()


def slug(text: str) -> str:
    """A name in the form that all its spellings share: ``Uptime Kuma``, ``uptime_kuma``, ``uptime-kuma``."""
    return _BETWEEN.sub("-", text.lower()).strip("-")


_BETWEEN = re.compile(r"[\W_]+")
"""What stands between the parts of a name: anything but letters and digits."""
