"""Whether an app takes the login of its database, or has one in its code."""

from __future__ import annotations

from collections.abc import Collection

from scaffold.answers.compose.connections import connection, endings
from scaffold.answers.compose.interpolation import UNKNOWN
from scaffold.answers.compose.names import Said, plain
from scaffold.answers.compose.parts import Part


def is_host_of(variable: str, part: Part) -> bool:
    """Whether a variable is for the host of a service by its name, as REDIS_HOST is for Redis."""
    called = {plain(name) for name in (*part.names, part.image.base)}
    parts = endings(variable).items()
    return any(kind == "host" and bool(prefix) and prefix in called for prefix, kind in parts)


def is_fixed(database: Part, pod: Collection[Part]) -> bool:
    """Whether containers are told where their database is, and none of them with which login.

    Then they have the one that the file gives to the database itself, in their code or in a file of theirs.
    """
    given = {name: value for name, value in database.variables.items() if value is not None and value.known}
    if not (database.known and any("password" in endings(name).values() for name in given)):
        return False
    found: set[str] = set()
    for part in pod:
        its = part.variables
        anchors = [n for n, v in its.items() if v and any(database.in_texts.found(Said(v, n, its)))]
        anchors += [n for n, v in its.items() if v in (None, UNKNOWN) and is_host_of(n, database)]
        found |= connection(its, anchors, database.known.database, given).answer.keys()
    return "host" in found and found <= {"host", "port"}
