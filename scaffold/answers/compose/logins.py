"""Whether an app takes the login of its database, or has one in its code."""

from __future__ import annotations

from collections.abc import Collection

from scaffold.answers.compose.connections import connection, endings
from scaffold.answers.compose.forms import source, text
from scaffold.answers.compose.interpolation import UNKNOWN, Text
from scaffold.answers.compose.names import Said, plain
from scaffold.answers.compose.parts import Part
from scaffold.reading import mapping

SECRETS = "/run/secrets/"


def mounted(part: Part) -> dict[str, str]:
    """A service's compose secrets: the path and the name of each."""
    found: dict[str, str] = {}
    for _, item in part.items("secrets"):
        target = text(mapping(item).get("target"))
        if name := source(item):
            found[target if target.startswith("/") else f"{SECRETS}{target or name}"] = name
    return found


def is_for(variable: str, value: Text | None, part: Part, other: Part) -> bool:
    """Whether a variable of ``part`` that has no value is for the host of another service, by its name.

    REDIS_HOST is for Redis. What is only to be filled in may be the address at which people reach an app.
    """
    if other.is_like(part) or not (value is None or (value == UNKNOWN and other.known)):
        return False
    called = {plain(name) for name in (*other.names, other.image.base)}
    parts = endings(variable).items()
    return any(kind == "host" and bool(prefix) and prefix in called for prefix, kind in parts)


def leads(part: Part, other: Part) -> bool:
    """Whether a variable or a command of a service leads to another, or its name does if it has no value."""
    return part.names_as_host(other) or any(is_for(n, v, part, other) for n, v in part.variables.items())


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
        anchors += [name for name, value in its.items() if is_for(name, value, part, database)]
        found |= connection(its, anchors, database.known.database, given).answer.keys()
    return "host" in found and found <= {"host", "port"}


def reads_secret_of(app: Part, host: Part) -> bool:
    """Whether a secret that an app reads as a file, at a place in its own code, is another service's too.

    Where a variable names the file, both can be left out; an app that finds none may make a password itself.
    """
    named, known = {str(value) for value in app.variables.values()}, mounted(host).values()
    return any(name in known and path not in named for path, name in mounted(app).items())
