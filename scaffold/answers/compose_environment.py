"""The variables of a docker-compose service: plain ones, those of secrets, those of parts the house has."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from scaffold.answers.secrets import suspected
from scaffold.templates import template
from scaffold.templates.questions import Value

VARIABLE = re.compile(r"\$\{(\w+)(?::?-([^${}]*))?\}|\$(\w+)")
_UNKNOWN = "0a1b2c3d4e5f"
"""Stands for a value that the file does not have: whatever a secret may be."""
_DATABASE_URL = re.compile(r"^(postgres|postgresql|mysql|mariadb)(\+\w+)?://")


@dataclass(frozen=True, slots=True)
class Environment:
    """Answers that a service's variables give; of secrets the names only."""

    plain: Mapping[str, Value]
    secrets: Sequence[Value]
    database: Mapping[str, str]
    notes: Sequence[str]


def read(environment: Value, parts: Mapping[str, str], *, has_database: bool) -> Environment:
    """The variables of a service. ``parts`` are the services that the house has already, with their images.

    ``has_database``: the Service gets a database, whose variables are the house's to fill.
    """
    plain: dict[str, Value] = {}
    secrets: list[Value] = []
    database: dict[str, str] = {}
    notes: list[str] = []
    for name, value in _variables(environment):
        part = _part_of_database(name, value) if has_database else ""
        if not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_.-]*", name):
            notes.append("Left out: a variable whose name is none.")
        elif part and part not in database:
            database[part] = name
        elif any(suspected([(name, _UNKNOWN if value is None else value)])):
            secrets.append({"env": name})
        elif value is None or VARIABLE.search(value):
            notes.append(f"Left out: {name}, whose value is not in the file.")
        elif service := _named(value, parts):
            host = template.facts("images")["compose"]["hosts"].get(parts[service])
            if host:
                text = _host_of(service).sub(r"\g<1>{host}", value, count=1)
                plain[name] = {"host": host} if text == "{host}" else {"host": host, "text": text}
            else:
                notes.append(f"Left out: {name}, which names the service {service}.")
        else:
            plain[name] = value
    return Environment(plain, secrets, database, notes)


def _part_of_database(name: str, value: str | None) -> str:
    """Which of the database's values a variable takes: the key of it in ``database_env``."""
    if value is not None and _DATABASE_URL.match(value):
        return "dsn"
    kinds = template.facts("images")["compose"]["database_variables"]
    return next((part for part, pattern in kinds.items() if re.search(pattern, name)), "")


def _named(value: str, parts: Mapping[str, str]) -> str:
    """The service among ``parts`` that a value has as its host; nothing where it has none."""
    return next((service for service in parts if _host_of(service).search(value)), "")


def _host_of(service: str) -> re.Pattern[str]:
    return re.compile(rf"(^|//|@){re.escape(service)}(?=:(?!//)|/|$)")


def _variables(environment: Value) -> Iterator[tuple[str, str | None]]:
    if isinstance(environment, dict):
        for name, value in environment.items():
            if isinstance(value, bool):
                yield str(name), str(value).lower()
            else:
                yield str(name), _default_of(value)
    for entry in listed(environment):
        name, equals, text = str(entry).partition("=")
        yield name, _default_of(text) if equals else None


def _default_of(value: Value) -> str | None:
    if value is None:
        return None
    return plain_text(value) or (str(value) if VARIABLE.search(str(value)) else "")


def plain_text(value: Value) -> str:
    """A text with its variables replaced by their defaults; nothing where one has none."""
    if value is None or isinstance(value, list | dict):
        return ""
    text = str(value)
    if any(match[2] is None for match in VARIABLE.finditer(text)):
        return ""
    return VARIABLE.sub(lambda match: match[2], text)


def listed(value: Value) -> list[Value]:
    """A list as it is; an empty one for anything else."""
    return value if isinstance(value, list) else []
