"""What is taken from a file, and told all the same, since it seldom means the same in the cluster."""

from __future__ import annotations

from pathlib import Path

import pytest
from composed import draft, entry, keys

from scaffold.answers.compose.report import Fate


@pytest.mark.parametrize(
    ("variable", "told"),
    [
        ("TRUSTED_PROXIES: localhost", "which proxies the app trusts"),
        ("TRUSTED_PROXIES: '10.0.0.1'", "which proxies the app trusts"),
        ("TRUSTED_PROXIES: '*'", ""),
        ("APP_URL: 'http://localhost:8080'", "the app's own host"),
        ("BASE_URL: 'https://app.example.com'", "an example"),
        ("MAIL_FROM: me@yourdomain.com", "an example"),
        ("SITE: your-domain", "an example"),
        ("SITE: examples.org", ""),
        ("BASE_URL: 'http://192.168.1.4:8080/'", "an address of one machine"),
        ("LISTEN: '0.0.0.0:80'", ""),
    ],
)
def test_values_that_are_seldom_right_in_the_cluster_are_told(at: Path, variable: str, told: str) -> None:
    found = draft(at, f"services: {{x: {{image: 'acme/x:1', environment: {{{variable}}}}}}}")
    name = variable.partition(":")[0]
    why = entry(found, f"services.x.environment.{name}")
    assert told in why and bool(told) is bool(why)
    assert name in found.answers["env"], "it is taken as it is"


@pytest.mark.parametrize(
    ("mount", "told"),
    [
        ("./conf:/app/conf", True), ("./config:/app/config", True), ("./config:/config", False),
        ("./data:/app/data", False), ("/srv/conf:/app/conf", False), ("conf:/app/conf", False),
    ],
)  # fmt: skip
def test_directories_that_an_app_seldom_fills_itself_are_told(at: Path, mount: str, told: bool) -> None:
    found = draft(at, f"services: {{x: {{image: 'acme/x:1', volumes: ['{mount}']}}}}")
    assert ("if the app needs files there when it starts" in entry(found, "services.x.volumes[0]")) is told


def test_a_long_range_of_ports_is_told_as_that(at: Path) -> None:
    found = draft(at, "services: {x: {image: 'acme/x:1', ports: ['80', '52000-52100:52000-52100/udp']}}")
    assert "so many ports" in entry(found, "services.x.ports[1]", Fate.LEFT)
    assert found.answers["port"] == 80 and "ports" not in found.answers


BASE = """
services:
  app: {{image: 'acme/app:1', ports: [80], environment: {{DB_HOST: base, DB_USER: a, DB_PASSWORD: '${{PASSWORD}}'}}}}
  base: {{image: 'postgres:16', environment: {{POSTGRES_PASSWORD: '${{PASSWORD}}', POSTGRES_DB: {name}}}}}
"""


@pytest.mark.parametrize(("name", "taken"), [("ledger", True), ("'${NAME}'", False), ("Ledger-1", False)])
def test_a_database_whose_name_no_variable_takes_is_called_as_in_the_file(
    at: Path, name: str, taken: bool
) -> None:
    found = draft(at, BASE.format(name=name))
    assert found.answers.get("database_name") == ("ledger" if taken else None)
    if taken:
        assert "which is then ledger" in entry(found, "services.base", Fate.DECIDED)
    else:
        assert "no variable of the app takes the name" in keys(found, Fate.LEFT)["services.base"]


@pytest.mark.parametrize(
    ("redis", "fate", "told"),
    [
        ("image: 'redis:7', command: redis-server --appendonly yes", Fate.DECIDED, "its data outlives it"),
        ("image: 'redis:7', command: 'redis-server --save 60 1'", Fate.DECIDED, "its data outlives it"),
        ("image: 'redis/redis-stack:7'", Fate.LEFT, "no modules"),
    ],
)
def test_what_a_redis_of_the_file_has_of_its_own_is_told(at: Path, redis: str, fate: Fate, told: str) -> None:
    text = f"services: {{app: {{image: 'acme/app:1', environment: {{R: 'redis://r:6379'}}}}, r: {{{redis}}}}}"
    assert told in entry(draft(at, text), "services.r", fate)


def test_a_redis_that_keeps_nothing_is_only_decided(at: Path) -> None:
    command = "command: [redis-server, --save, '']"
    text = "services: {app: {image: 'acme/app:1', environment: {R: 'redis://r:6379'}}, r: {image: 'redis:7', %s}}"
    assert "outlives" not in entry(draft(at, text % command), "services.r", Fate.DECIDED)


@pytest.mark.parametrize(
    ("name", "host"), [("shop_db_1", True), ("my-shop-db-1", True), ("shop-db_1", False)]
)
def test_what_compose_calls_a_container_is_its_service(at: Path, name: str, host: bool) -> None:
    text = f"""
services:
  app: {{image: 'acme/app:1', ports: [80], environment: {{SEARCH_URL: 'http://{name}:9200'}}}}
  db: {{image: 'acme/search:1'}}
"""
    found = draft(at, text)
    assert (found.answers["env"]["SEARCH_URL"] == "http://localhost:9200") is host


def test_the_longest_name_of_a_service_is_meant(at: Path) -> None:
    found = draft(
        at,
        """
services:
  app: {image: 'acme/app:1', ports: [80], environment: {A: 'http://x_my_db_1:1', B: 'http://x_db_1:2'}}
  db: {image: 'acme/one:1', expose: [2]}
  my_db: {image: 'acme/two:1', expose: [1]}
""",
    )
    assert entry(found, "services.app.environment.A") == "the service my_db is at localhost"
    assert entry(found, "services.app.environment.B") == "the service db is at localhost"


def test_a_sidecar_that_names_itself_is_no_address_of_the_app(at: Path) -> None:
    found = draft(
        at,
        """
services:
  app: {image: 'acme/app:1', ports: [80], environment: {URL: 'http://node:1'}}
  node: {image: 'acme/node:1', environment: {ADVERTISED_HOST: node}}
""",
    )
    assert entry(found, "services.node.environment.ADVERTISED_HOST") == "the service node is at localhost"


def test_a_file_of_variables_that_may_be_missing_is_not_asked_for(at: Path) -> None:
    files = "env_file: [{path: a.env, required: false}, {path: b.env}]"
    found = draft(at, f"services: {{x: {{image: 'acme/x:1', {files}}}}}")
    assert "need not be" in entry(found, "services.x.env_file[0]", Fate.DECIDED)
    assert "Give what it holds" in entry(found, "services.x.env_file[1]", Fate.LEFT)


def test_memory_below_run_is_scratch_and_nothing_of_the_machine(at: Path) -> None:
    mount = "{type: tmpfs, target: /run/x, tmpfs: {size: 64m}}"
    found = draft(at, f"services: {{x: {{image: 'acme/x:1', volumes: [{mount}, '/run/y:/run/y']}}}}")
    assert keys(found, Fate.TAKEN)["services.x.volumes[0]"] == "scratch"
    assert list(keys(found, Fate.LEFT)) == ["services.x.volumes[1]"]


def test_what_has_an_image_runs_even_if_variables_stand_for_it(at: Path) -> None:
    app = "image: 'acme/${EDITION}:${TAG}', ports: ['80:80'], depends_on: [db]"
    found = draft(at, f"services: {{db: {{image: 'postgres:16'}}, chat: {{{app}}}}}")
    assert found.report.services[0].name == "chat" and "image" not in found.answers
    assert "a variable without a value" in entry(found, "services.chat.image", Fate.LEFT)
