"""A docker-compose file as a starting point."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from support import ORIGIN, scaffold

from scaffold.answers import compose
from scaffold.commands.taken import judge
from scaffold.errors import UsageError
from scaffold.monorepo.repository import Monorepo
from scaffold.wizard.draft import to_draft
from scaffold.wizard.engine import Engine
from scaffold.wizard.state import State

FILE = b"""
services:
  db:
    image: postgres:16
    environment: {POSTGRES_PASSWORD: swordfish-1}
  cache:
    image: redis:7
  app:
    image: ghcr.io/acme/ledger:${VERSION:-2.1.0}
    container_name: Acme_Ledger
    ports: ["127.0.0.1:9000:8080/tcp"]
    user: "1000:1000"
    command: serve
    volumes:
      - data:/var/lib/ledger
      - ./media:/media:ro
      - /var/run/docker.sock:/var/run/docker.sock
      - ./config.yml:/etc/ledger/config.yml
    environment:
      - LOG_LEVEL=info
      - FEATURE_AUTH=true
      - SESSION_KEY=swordfish-2
      - SMTP_PASS=12345678
      - DATABASE_URL=postgres://app:swordfish-3@db/app
      - UPLINK=Zm9vYmFyc3dvcmRmaXNoMTIzNA
      - BASE_URL=${BASE_URL}
      - PUBLIC_NAME=${PUBLIC_NAME:-Ledger}
    healthcheck:
      test: ["CMD", "curl", "-f", "http://localhost:8080/healthz"]
      start_period: 2m
"""
SECRETS = ("swordfish", "12345678", "Zm9vYmFy")


def test_what_a_file_says_becomes_answers() -> None:
    draft = compose.read(FILE, "compose.yml")
    assert draft.answers == {
        "name": "acme-ledger",
        "image": "ghcr.io/acme/ledger:2.1.0",
        "port": 8080,
        "volumes": [
            {"path": "/var/lib/ledger"},
            {"path": "/media", "purpose": "media", "read_only": True, "rwx": True},
        ],
        "env": {"LOG_LEVEL": "info", "FEATURE_AUTH": "true", "PUBLIC_NAME": "Ledger"},
        "secrets": [{"env": "SESSION_KEY"}, {"env": "SMTP_PASS"}, {"env": "UPLINK"}],
        "database": "postgresql",
        "database_env": {"dsn": "DATABASE_URL"},
        "health_path": "/healthz",
        "slow_start": True,
        "uid": 1000,
    }
    told = " ".join(draft.notes)
    for what in ("command", "BASE_URL", "cache", "db becomes a database", "a single file"):
        assert what in told


def test_what_the_house_fills_is_asked_of_the_house() -> None:
    draft = compose.read(
        b"""
services:
  db: {image: postgres:16}
  redis: {image: redis:7}
  proxy: {image: traefik:3}
  app:
    image: ghcr.io/acme/ledger:2.1.0
    environment:
      DB_HOST: db
      POSTGRES_DB: ledger
      DB_USER: ledger
      DB_PASSWORD: swordfish-4
      REDIS_HOST: redis
      REDIS_URL: redis://redis:6379/0
      CACHE: redis://:swordfish-5@redis:6379/0
      PROXY: http://proxy:80
      ADMIN_LOGIN: admin:swordfish
      NAME: redistribution
    volumes: ["./config:/app/config:ro", "data:/srv"]
""",
        "compose.yml",
    )
    answers = draft.answers
    assert answers["database_env"] == {
        "host": "DB_HOST", "name": "POSTGRES_DB", "user": "DB_USER", "password": "DB_PASSWORD",
    }  # fmt: skip
    assert answers["env"] == {
        "REDIS_HOST": {"host": "redis"},
        "REDIS_URL": {"host": "redis", "text": "redis://{host}:6379/0"},
        "NAME": "redistribution",
    }
    assert answers["secrets"] == [{"env": "CACHE"}, {"env": "ADMIN_LOGIN"}]
    assert answers["volumes"] == [
        {"path": "/app/config", "purpose": "config", "read_only": True, "rwx": True},
        {"path": "/srv"},
    ]
    assert "Left out: PROXY, which names the service proxy." in draft.notes
    assert "swordfish" not in str(draft)


def test_values_of_secrets_are_nowhere(pristine: Monorepo) -> None:
    draft = compose.read(FILE, "compose.yml")
    engine = Engine(judge(pristine, {}), {})
    state = State(suggested=draft.answers)
    steps = engine.steps(state)
    lines = [step.text for step in steps if not step.options]
    filled = {(name,) for name in ("image", "name", "env", "volumes", "secrets")}
    problems = [engine.problem(state, step.path, step.default) for step in steps if step.path in filled]
    everything = f"{draft} {yaml.safe_dump(to_draft(state))} {steps} {lines} {engine.result(state)}"
    assert not [secret for secret in SECRETS if secret in everything]
    assert problems == [""] * len(filled)


@pytest.mark.parametrize(
    "text",
    [
        b"services: {a: {image: x, environment: {TOKEN: swordfish}",
        b"services:\n  a: *swordfish\n",
        b"services: {a: !swordfish 1}",
        b"- swordfish",
        b"services: [swordfish]",
        b"services: {db: {image: postgres, environment: {P: swordfish}}}",
        b"\xff\xfeswordfish",
    ],
)
def test_what_is_no_compose_file_is_refused_without_its_content(text: bytes) -> None:
    with pytest.raises(UsageError) as error:
        compose.read(text, "compose.yml")
    assert "swordfish" not in f"{error.value.message} {error.value.hint} {error.value.findings}"
    assert error.value.__cause__ is None or "swordfish" not in str(error.value.__cause__)


@pytest.mark.parametrize(
    ("image", "expected"),
    [
        ("nginx:1.29.0", "docker.io/library/nginx:1.29.0"),
        ("acme/app:1", "docker.io/acme/app:1"),
        ("localhost:5000/app:1", "localhost:5000/app:1"),
        ("quay.io/acme/app@sha256:" + "a" * 64, "quay.io/acme/app@sha256:" + "a" * 64),
    ],
)
def test_the_registry_is_written_out(image: str, expected: str) -> None:
    text = f"services: {{a: {{image: '{image}'}}}}".encode()
    assert compose.read(text, "x").answers["image"] == expected


def test_without_a_terminal_it_lies_below_all_other_answers(monorepo: Monorepo, tmp_path: Path) -> None:
    path = tmp_path / "compose.yml"
    path.write_bytes(FILE)
    done = scaffold(
        "new-service", "--from-compose", path, "--dry-run", "--verify=static", "--template-source", ORIGIN.source,
        "--set", "description=Accounts", "--set", "port=9999", cwd=monorepo.root,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "container_port = 9999" in done.stdout
    assert "/var/lib/ledger" in done.stdout
    assert "session_key=…" in done.stdout
    assert not [secret for secret in SECRETS if secret in done.stdout + done.stderr]


def test_what_is_built_from_source_is_told_whatever_it_is_called() -> None:
    for name in ("web", "app-of-mine", "2048"):
        read = compose.read(f"services: {{'{name}': {{build: ., ports: ['8080:8080']}}}}".encode(), "f.yml")
        assert read.from_source, name
        assert "image" not in read.answers
