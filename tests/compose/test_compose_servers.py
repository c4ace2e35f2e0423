"""A database of the file that stays beside the app, since the app keeps a password that would rotate."""

from __future__ import annotations

from pathlib import Path

import pytest
from composed import draft, entry, roles

from scaffold.answers import validation
from scaffold.answers.known import filled
from scaffold.answers.sources import Answers

FILE = """
services:
  cloud:
    image: nextcloud:30.0.2
    ports: [80]
    environment: {{DB_HOST: base, DB_USER: a, DB_NAME: a, DB_PASSWORD: '${{DB_PASSWORD}}'}}
    volumes: ['cloud:{path}']
  base: {{image: '{image}', environment: {{{prefix}_PASSWORD: '${{DB_PASSWORD}}'}}, volumes: ['base:{data}']}}
"""
POSTGRES = {"image": "postgres:16.4", "prefix": "POSTGRES", "data": "/var/lib/postgresql/data"}
MARIADB = {"image": "mariadb:11.4.2", "prefix": "MARIADB", "data": "/var/lib/mysql"}


@pytest.mark.parametrize(
    ("base", "host", "dump", "port"),
    [(POSTGRES, "localhost", "pg_dump", 5432), (MARIADB, "127.0.0.1", "mysqldump", 3306)],
)
def test_a_database_whose_password_an_installer_writes_down_stays_beside_the_app(
    at: Path, base: dict[str, str], host: str, dump: str, port: int
) -> None:
    found = draft(at, FILE.format(path="/var/www/html", **base))
    assert roles(found)["base"] == "a sidecar" and "database" not in found.answers
    assert found.answers["env"]["DB_HOST"] == host
    (server,) = found.answers["sidecars"]
    assert server["mounts"] == [{"volume": "base-data" if port == 5432 else "base-mysql", "path": base["data"],
                                 "sub_path": "data"}]  # fmt: skip
    assert server["ports"] == [{"name": "database", "port": port}] and server["memory"] == "512Mi"
    assert "512Mi of memory, since a database server" in entry(found, "services.base.image")
    assert found.answers["volumes"][1]["backup"] == dump
    more = {"description": "A thing", "gate": "required", "sensitive": True, "image_reason": "Only for us"}
    problems = validation.problems(filled(Answers({**found.answers, **more})), {}, {})
    assert [(p.answer, p.code) for p in problems] == [], "it may be written as it is"


def test_with_another_volume_the_installer_s_file_is_made_anew(at: Path) -> None:
    found = draft(at, FILE.format(path="/var/www/html/data", **POSTGRES))
    assert roles(found)["base"] == "a database on the shared host"
    assert found.answers["database"] == "postgresql"


def test_a_database_that_nothing_names_is_that_of_the_only_app(at: Path) -> None:
    text = FILE.format(path="/var/www/html", **MARIADB).replace("DB_HOST: base, ", "")
    assert roles(draft(at, text))["base"] == "a sidecar"
    other = "  other: {image: 'acme/other:1', environment: {URL: 'mysql://base/x'}}\n"
    assert roles(draft(at, text + other))["base"] != "a sidecar"
