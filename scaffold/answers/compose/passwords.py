"""Which passwords of a file an app does not need, since the house has what they open."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping

from scaffold.answers.compose.connections import endings
from scaffold.answers.compose.forms import listed, text
from scaffold.answers.compose.interpolation import Text
from scaffold.answers.compose.parts import Part
from scaffold.answers.compose.roles import Placed, Role
from scaffold.templates import template

NO_PASSWORD = "the shared host asks for no password"
SECRETS = "/run/secrets/"
_ROOT = (
    "it is the root password of a database server, and that of the house gives none: the database and its "
    "user are there already",
    "If the app makes its tables only with it, run its installation once, as its documentation says.",
)


def mounted(part: Part) -> dict[str, str]:
    """A service's compose secrets: the path and the name of each."""
    found: dict[str, str] = {}
    for item in listed(part.body.get("secrets")):
        source = text(item.get("source") if isinstance(item, dict) else item)
        target = text(item.get("target")) if isinstance(item, dict) else ""
        if source:
            found[target if target.startswith("/") else f"{SECRETS}{target or source}"] = source
    return found


def needless(
    values: Mapping[str, Text | None],
    named: Mapping[str, Placed | None],
    files: Collection[str],
    database: str,
) -> dict[str, tuple[str, str]]:
    """The variables with passwords that open nothing here, each with why, and with a fix if there is one.

    ``named`` is the service that each variable names, ``files`` are the paths of secrets of shared hosts, and
    ``database`` is the kind of database on a shared host; empty for none.
    """
    found: dict[str, tuple[str, str]] = {}
    shared = {
        prefix
        for name, there in named.items()
        if there is not None and there.role is Role.HOST
        for prefix, part in endings(name).items()
        if part in ("host", "dsn") and prefix
    }
    for name, value in values.items():
        prefixes = [prefix for prefix, part in endings(name).items() if part == "password"]
        # REDIS_HOST_PASSWORD too
        of_shared = any(prefix.startswith(its) for prefix in prefixes for its in shared)
        if of_shared or value in files:
            found[name] = (NO_PASSWORD, "")
        elif database and re.search(template.facts("compose")["root_passwords"], name.lower()):
            found[name] = _ROOT
    return found
