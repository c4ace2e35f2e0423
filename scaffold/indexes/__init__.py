"""The lists outside a stack that a Service belongs in: one module per file.

A new index is one module with an ``Index`` in it, and a place in ``ALL_INDEXES``.
"""

from __future__ import annotations

from typing import Any

from scaffold.indexes import (
    backup,
    catalog,
    ci_cd,
    claude,
    databases,
    dbaas,
    ghcr,
    monitors,
    upgrade_config,
    vault,
    walloff,
)
from scaffold.indexes.base import Index

ALL_INDEXES: tuple[Index[Any], ...] = (
    catalog.CATALOG,
    catalog.DOMAINS,
    vault.ALLOWED_ROLES,
    vault.STATIC_ROLES,
    dbaas.DATABASES,
    walloff.TARGETS,
    claude.ROTATION,
    claude.ANUBIS,
    claude.BUILDS,
    claude.REPO_IDS,
    databases.USED_BY,
    databases.ROTATION,
    backup.MATRIX,
    ci_cd.BUILDS,
    ci_cd.REPO_IDS,
    upgrade_config.REPOSITORIES,
    upgrade_config.DATABASES,
    monitors.MONITORS,
    ghcr.NAMESPACES,
)
