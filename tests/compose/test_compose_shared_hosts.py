"""What a file gives its database and its Redis, where the house has one for everybody."""

from __future__ import annotations

from pathlib import Path

import pytest
from composed import draft, entry, keys, roles

from scaffold.answers.compose.report import Fate
from scaffold.answers.known import known


def test_the_password_of_a_shared_host_is_no_secret_in_a_file_either(at: Path) -> None:
    found = draft(
        at,
        """
services:
  notes:
    image: acme/notes:1
    ports: [80]
    environment: {CACHE_AT: 'cache:6379', SECOND: /run/secrets/cache, MAIL: /run/secrets/mail}
    secrets: [cache, mail]
  cache: {image: 'redis:7', secrets: [cache]}
secrets: {cache: {file: ./cache}, mail: {file: ./mail}}
""",
    )
    assert found.answers["files"] == [{"path": "/run/secrets/mail", "vault": "mail"}]
    assert "SECOND" not in found.answers["env"]
    told = keys(found, Fate.DECIDED)
    assert "no password" in told["services.notes.secrets[0]"]
    assert "no password" in told["services.notes.environment.SECOND"]


def test_a_host_whose_password_the_app_reads_from_a_file_of_its_own_stays_with_it(at: Path) -> None:
    found = draft(
        at,
        """
services:
  notes: {image: 'acme/notes:1', ports: [80], environment: {CACHE_AT: 'cache:6379'}, secrets: [cache]}
  cache: {image: 'redis:7.2', command: 'sh -c "redis-server --requirepass $$(cat /run/secrets/cache)"', secrets: [cache]}
secrets: {cache: {file: ./cache}}
""",
    )
    assert roles(found)["cache"] == "a sidecar"
    assert found.answers["env"] == {"CACHE_AT": "localhost:6379"}
    assert found.answers["files"] == [{"path": "/run/secrets/cache", "vault": "cache"}]


def test_the_root_password_of_a_server_that_is_gone_is_told(at: Path) -> None:
    found = draft(
        at,
        "services:\n  base: {image: 'mariadb:11', environment: {MARIADB_ROOT_PASSWORD: '${ROOT}'}}\n"
        "  app: {image: 'acme/x:1', environment: {MYSQL_ROOT_PASSWORD: '${ROOT}', DB_HOST: base, DB_NAME: x,"
        " DB_USER: x, DB_PASSWORD: '${PW}', ROOT_PASSWORD: '${ADMIN}'}}\n",
    )
    assert found.answers["secrets"] == [{"env": "ROOT_PASSWORD"}]
    assert "installation" in entry(found, "services.app.environment.MYSQL_ROOT_PASSWORD", Fate.LEFT)


def test_a_variable_without_a_value_is_for_the_service_that_its_name_says(at: Path) -> None:
    names = "CACHE_HOST: '${CACHE_HOST}', SEARCH_HOST: , API_HOST: '${API_HOST}', APP_HOST: , SEARCH_PORT: , X_HOST: "
    found = draft(
        at,
        "services:\n  cache: {image: 'redis:7'}\n  search: {image: 'acme/search:1'}\n"
        "  api: {image: 'acme/api:1'}\n"
        f"  app: {{image: 'acme/x:1', ports: [80], depends_on: [search, api], environment: {{{names}}}}}\n",
    )
    assert found.answers["env"] == {"CACHE_HOST": {"host": "redis"}, "SEARCH_HOST": "localhost"}
    left = keys(found, Fate.LEFT)  # what is to be filled in may be where people reach it
    assert {
        f"services.app.environment.{name}" for name in ("API_HOST", "APP_HOST", "SEARCH_PORT", "X_HOST")
    } <= {*left}


def test_root_is_the_user_of_a_sidecar_and_told_of_an_app(at: Path) -> None:
    found = draft(
        at,
        "services:\n  app: {image: 'acme/x:1', ports: [80], user: root, environment: {S: 'http://side:9'}}\n"
        "  side: {image: 'acme/side:1', user: '0:0'}\n",
    )
    assert "uid" not in found.answers and found.answers["sidecars"][0]["uid"] == 0
    assert "user of its image" in entry(found, "services.app.user", Fate.LEFT)


def test_what_two_services_are_given_under_two_names_is_told_as_the_same(at: Path) -> None:
    found = draft(
        at,
        """
services:
  app:
    image: acme/x:1
    ports: [80]
    environment: {S3_SECRET_KEY: '${S3}', S3_USER: '${ID}', HOST: '${HOST}', OTHER_SECRET: '${S3}', PW_SECRET: swordfish-1}
    depends_on: [store]
  store:
    image: acme/store:1
    environment: {DOMAIN: '${HOST}', ROOT_PASSWORD: '${S3}', ROOT_USER: '${ID}', S3_SECRET_KEY: '${S3}', LOGIN_PASSWORD: swordfish-1}
""",
    )
    at_store = "services.store.environment."
    assert entry(found, f"{at_store}ROOT_PASSWORD").endswith("the same as S3_SECRET_KEY of app")
    assert entry(found, f"{at_store}LOGIN_PASSWORD").endswith("the same as PW_SECRET of app")
    assert "the same as S3_USER of app" in entry(found, f"{at_store}ROOT_USER", Fate.LEFT)
    assert "the same" not in entry(found, f"{at_store}DOMAIN", Fate.LEFT), "that is filled in once, in .env"
    others = (f"{at_store}S3_SECRET_KEY", "services.app.environment.OTHER_SECRET")
    assert not any("the same" in entry(found, key) for key in others)
    assert "swordfish" not in str(found)


@pytest.mark.parametrize(
    "more,told",
    [
        ("", "it has the first database"),
        (", CACHE_DB: '3'", "CACHE_DB is the number of its database there"),
        (", CACHE_HOST: 'redis://cache:6379/0'", "it has the first database"),
        (", CACHE_HOST: 'redis://cache:6379'", "it has the first database"),
        (", CACHE_HOST: 'redis://cache:6379/3'", ""),  # that address is compared with other stacks
    ],
)
def test_the_number_of_the_database_in_a_shared_redis_is_told(at: Path, more: str, told: str) -> None:
    env = f"CACHE_HOST: cache{more}" if "redis://" not in more else more.removeprefix(", ")
    found = draft(
        at,
        "services:\n  cache: {image: 'redis:7'}\n"
        f"  app: {{image: 'acme/x:1', ports: [80], environment: {{{env}}}}}\n",
    )
    assert entry(found, "services.cache", Fate.DECIDED).partition("; ")[2].startswith(told)
    assert ("first database" in str(found)) == ("first" in told)


@pytest.mark.parametrize(
    "env,role",
    [
        ("[BASE_HOST]", "a sidecar"),
        ("{STORE: 'base:5432'}", "a sidecar"),
        ("{BASE_HOST: base, BASE_USER: x, BASE_PASSWORD: y}", "a database on the shared host"),
        ("{URL: 'postgres://x:y@base/x'}", "a database on the shared host"),
        ("{OTHER: x}", "a database on the shared host"),  # its installation may ask for the login
    ],
)
def test_a_database_whose_login_is_in_the_code_of_the_app_stays_with_it(
    at: Path, env: str, role: str
) -> None:
    found = draft(
        at,
        f"services:\n  app: {{image: 'acme/x:1', ports: [80], depends_on: [base], environment: {env}}}\n"
        "  base: {image: 'postgres:16.4', environment: {POSTGRES_PASSWORD: x},"
        " volumes: ['data:/var/lib/postgresql/data']}\n",
    )
    assert roles(found)["base"] == role
    if role == "a sidecar":
        assert found.answers["sidecars"][0]["mounts"] and "database" not in found.answers
        assert "localhost" in str(found.answers["env"])


@pytest.mark.parametrize(
    "more,told",
    [
        ("image: 'postgis/postgis:16-3.4'", "extension postgis"),
        (
            "image: 'postgres:16', volumes: ['./init:/docker-entrypoint-initdb.d:ro']",
            "does not run the scripts",
        ),
        ("image: 'postgres:16', command: [postgres, -c, jit=off]", "settings"),
        ("image: 'postgres:16'", ""),
    ],
)
def test_what_a_shared_database_lacks_of_the_one_in_the_file_is_told(at: Path, more: str, told: str) -> None:
    found = draft(
        at,
        "services:\n  app: {image: 'acme/x:1', ports: [80], environment: {URL: 'postgres://x:y@base/x'}}\n"
        f"  base: {{{more}}}\n",
    )
    assert found.answers["database"] == "postgresql"
    assert told in keys(found, Fate.LEFT if told else Fate.DECIDED)["services.base"]


@pytest.mark.parametrize(
    "mount,within",
    [
        ("data:/var/lib/mysql", "data"),
        ("./data:/var/lib/kafka/data", "data"),
        ("data:/var/www/html/glpi", "data"),
        ("data:/var/lib/other", None),
    ],
)
def test_what_only_sets_up_an_empty_directory_gets_one_of_the_volume(
    at: Path, mount: str, within: str | None
) -> None:
    found = draft(
        at,
        f"services:\n  app: {{image: 'acme/x:1', ports: [80], volumes: ['{mount}'], environment: {{A: 'side:9'}}}}\n"
        f"  side: {{image: 'acme/side:1', volumes: ['{mount.replace('data:', 'more:')}']}}\n",
    )
    assert found.answers["volumes"][0].get("sub_path") == within
    assert found.answers["sidecars"][0]["mounts"][0].get("sub_path") == within
    assert "fill-" not in str(found)


def test_a_text_with_the_login_of_the_database_is_told_as_one_that_rotates(at: Path) -> None:
    found = draft(
        at,
        """
services:
  base: {image: 'postgres:16', environment: {POSTGRES_PASSWORD: swordfish-1}}
  app:
    image: acme/x:1
    ports: [80]
    environment:
      CONFIGURATION: |
        url: jdbc:postgresql://base:5432/x
        password: swordfish-1
""",
    )
    told = entry(found, "services.app.environment.CONFIGURATION")
    assert "the service base, which is now at postgresql" in told and "which Vault rotates" in told
    assert "swordfish" not in str(found)


@pytest.mark.parametrize(
    "more,told",
    [
        ("", "as a label of the file does"),
        (", traefik.tcp.routers.a.tls.certresolver=le", "without the TLS"),
        (
            ", traefik.tcp.routers.a.tls=true, traefik.tcp.routers.a.tls.passthrough=true",
            "as a label of the file does",
        ),
    ],
)
def test_tls_that_labels_add_to_an_open_port_is_told(at: Path, more: str, told: str) -> None:
    labels = f"[traefik.tcp.services.a.loadbalancer.server.port=1883{more}]"
    found = draft(
        at, f"services: {{queue: {{image: 'acme/queue:1', ports: ['8080:8080'], labels: {labels}}}}}\n"
    )
    assert told in entry(found, "services.queue.labels", Fate.TAKEN)


def test_a_server_inside_an_image_gets_an_empty_directory_to_set_up(at: Path) -> None:
    volumes = "['db:/opt/database', 'feed:/var/lib/gvm']"
    found = draft(at, f"services: {{scan: {{image: 'securecompliance/gvm:21', volumes: {volumes}}}}}\n")
    within = {volume["path"]: volume.get("sub_path") for volume in found.answers["volumes"]}
    assert within == {"/opt/database": "data", "/var/lib/gvm": None}


def test_directories_of_a_known_image_go_to_its_user(at: Path) -> None:
    volumes = "['db:/var/lib/mysql', 'etc:/var/www/config']"
    found = draft(at, f"services: {{app: {{image: 'ampache/ampache:7', volumes: {volumes}}}}}\n")
    assert [dict(more).get("owner") for more in known(found.answers).items["volumes"]] == [None, 33]
