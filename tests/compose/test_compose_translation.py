"""From a compose file to answers: each part, and what becomes of every key."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml
from composed import draft, entry, keys, roles

from scaffold.answers.compose.report import Fate
from scaffold.errors import UsageError


def test_what_a_file_says_becomes_answers(at: Path) -> None:
    found = draft(
        at,
        """
services:
  db: {image: 'postgres:16', environment: {POSTGRES_PASSWORD: swordfish-1}}
  cache: {image: 'redis:7'}
  app:
    image: ghcr.io/acme/ledger:${VERSION:-2.1.0}
    container_name: Acme_Ledger
    ports: ["127.0.0.1:9000:8080/tcp"]
    user: "1000:2000"
    command: serve --fast
    volumes: ['data:/var/lib/ledger', './media:/media:ro', '/var/run/docker.sock:/var/run/docker.sock']
    environment:
      - LOG_LEVEL=info
      - FEATURE_AUTH=true
      - SESSION_KEY=swordfish-2
      - SMTP_PASS=12345678
      - DATABASE_URL=postgres://app:swordfish-3@db/app
      - UPLINK=Zm9vYmFyc3dvcmRmaXNoMTIzNA
      - GREETING=${ADMIN_PASSWORD:-swordfish-4}
      - BASE_URL=${BASE_URL}
      - PUBLIC_NAME=${PUBLIC_NAME:-Ledger}
      - swordfish-5
      - CACHE=redis://:swordfish-6@cache:6379/0
    healthcheck: {test: ["CMD", "curl", "-f", "http://localhost:8080/healthz"], start_period: 2m}
    stop_grace_period: 1m30s
    restart: always
    privileged: true
""",
    )
    assert found.answers == {
        "name": "acme-ledger",
        "image": "ghcr.io/acme/ledger:2.1.0",
        "port": 8080,
        "args": ["serve", "--fast"],
        "volumes": [
            {"path": "/var/lib/ledger"},
            {"path": "/media", "purpose": "media", "read_only": True, "rwx": True},
        ],
        "env": {
            "LOG_LEVEL": "info",
            "FEATURE_AUTH": "true",
            "PUBLIC_NAME": "Ledger",
            "CACHE": {"host": "redis", "text": "redis://{host}:6379/0"},
        },
        "secrets": [{"env": "SESSION_KEY"}, {"env": "SMTP_PASS"}, {"env": "UPLINK"}, {"env": "GREETING"}],
        "database": "postgresql",
        "database_env": {"dsn": "DATABASE_URL", "scheme": "postgres"},
        "health_path": "/healthz",
        "slow_start": True,
        "shutdown_seconds": 90,
        "uid": 1000,
        "fs_group": 2000,
    }
    assert not [part for part in ("swordfish", "12345678", "Zm9vYmFy") if part in str(found)]
    assert keys(found, Fate.TAKEN)["services.app.environment.SESSION_KEY"] == "secrets"
    assert {"services.db", "services.cache", "services.app.restart"} <= keys(found, Fate.DECIDED).keys()
    assert keys(found, Fate.LEFT).keys() == {
        "services.app.environment.BASE_URL",
        "services.app.environment.[9]",
        "services.app.volumes[2]",
        "services.app.privileged",
    }


DATABASE = "\n  base: {image: 'mariadb:11'}\n"


@pytest.mark.parametrize(
    "environment,expected",
    [
        ("{DB_HOST: base, POSTGRES_DB: x, DB_USER: x, DB_PASSWORD: y}",
         {"host": "DB_HOST", "name": "POSTGRES_DB", "user": "DB_USER", "password": "DB_PASSWORD"}),
        ("{DB_POSTGRESDB_HOST: base, DB_POSTGRESDB_DATABASE: x, DB_POSTGRESDB_USER: x, DB_POSTGRESDB_PASSWORD: '${P}'}",
         {"host": "DB_POSTGRESDB_HOST", "name": "DB_POSTGRESDB_DATABASE", "user": "DB_POSTGRESDB_USER",
          "password": "DB_POSTGRESDB_PASSWORD"}),
        ("{store__connection__host: base, store__connection__user: x, store__connection__password: y}",
         {"host": "store__connection__host", "user": "store__connection__user",
          "password": "store__connection__password"}),
        ("{PAPERLESS_DBHOST: base, PAPERLESS_DBNAME: x, PAPERLESS_DBUSER: x, PAPERLESS_DBPASS: y, PAPERLESS_DBENGINE: mariadb}",
         {"host": "PAPERLESS_DBHOST", "name": "PAPERLESS_DBNAME", "user": "PAPERLESS_DBUSER",
          "password": "PAPERLESS_DBPASS"}),
        ("{DB_HOSTNAME: base, DB_USERNAME: x, DB_PASSWORD: y, DB_DATABASE_NAME: x}",
         {"host": "DB_HOSTNAME", "user": "DB_USERNAME", "password": "DB_PASSWORD", "name": "DB_DATABASE_NAME"}),
        ("{APP.SQL.SERVER: 'base:3306', APP.SQL.LOGIN: x, APP.SQL.PWD: y}",
         {"host": "APP.SQL.SERVER", "user": "APP.SQL.LOGIN", "password": "APP.SQL.PWD"}),
        ("{PGHOST: base, PGUSER: x, PGPASSWORD: y, PGDATABASE: z, PGPORT: '5432'}",
         {"host": "PGHOST", "user": "PGUSER", "password": "PGPASSWORD", "name": "PGDATABASE", "port": "PGPORT"}),
        ("{DB_HOST: base, DB_PASSWORD_FILE: /run/secrets/pw}", {"host": "DB_HOST", "password": "DB_PASSWORD"}),
        ("{ANYTHING: 'mysql://u:p@base:3306/x'}", {"dsn": "ANYTHING"}),
        ("{DATABASE_URL: 'mysql://u:p@base/x', PORT: '80', USER: me, HOST: 0.0.0.0}", {"dsn": "DATABASE_URL"}),
        ("{DB_BACKEND: mysql, DB_HOST: base, DB_PASS: x}", {"host": "DB_HOST", "password": "DB_PASS"}),
        ("{KC_HOSTNAME: id.example.com, KC_DB_URL_HOST: base, KC_DB_USERNAME: u, KC_DB_PASSWORD: x}",
         {"host": "KC_DB_URL_HOST", "user": "KC_DB_USERNAME", "password": "KC_DB_PASSWORD"}),
        ("{sonar.jdbc.username: u, sonar.jdbc.password: x}",
         {"user": "sonar.jdbc.username", "password": "sonar.jdbc.password"}),
        ("{URL: 'mysql+aiomysql://u:${P}@base/x?charset=utf8'}",
         {"dsn": "URL", "template": "mysql+aiomysql://{user}:{password}@{host}:{port}/{name}?charset=utf8"}),
        ("{GITEA_DSN: 'u:p@tcp(base:3306)/x?parseTime=true'}",
         {"dsn": "GITEA_DSN", "template": "{user}:{password}@tcp({host}:{port})/{name}?parseTime=true"}),
        ("{DB_DSN: 'host=base user=u password=p dbname=x port=3306 sslmode=disable'}",
         {"dsn": "DB_DSN", "template":
          "host={host} user={user} password={password} dbname={name} port={port} sslmode=disable"}),
        ("{CONN: 'Server=base;Database=x;User Id=u;Pwd=p;'}",
         {"dsn": "CONN", "template": "Server={host};Database={name};User Id={user};Pwd={password};"}),
        ("{LOG: info}", {}),
    ],
)  # fmt: skip
def test_the_variables_of_a_database_belong_together(
    at: Path, environment: str, expected: Mapping[str, str]
) -> None:
    found = draft(at, f"services:\n  app: {{image: 'acme/x:1', environment: {environment}}}{DATABASE}")
    assert found.answers["database"] == "mysql"
    assert found.answers["database_env"] == expected
    assert "secrets" not in found.answers and "files" not in found.answers


def test_a_password_that_is_called_otherwise_is_found_by_its_value(at: Path) -> None:
    found = draft(
        at,
        "services:\n  base: {image: 'mariadb:11', environment: {MYSQL_USER: dom, MYSQL_DATABASE: dom,"
        " MYSQL_PASSWORD: '${PW:-swordfish}', MYSQL_ROOT_PASSWORD: other}}\n  app: {image: 'acme/x:1', environment:"
        " {X_DATABASE_HOST: base, X_DATABASE: dom, X_USER: dom, X_PASSWORD: swordfish, ADMIN_PASSWORD: other}}\n",
    )
    assert found.answers["database_env"] == {
        "host": "X_DATABASE_HOST", "name": "X_DATABASE", "user": "X_USER", "password": "X_PASSWORD",
    }  # fmt: skip
    assert found.answers["secrets"] == [{"env": "ADMIN_PASSWORD"}] and "swordfish" not in str(found)


def test_visitors_of_an_app_behind_a_proxy_reach_the_proxy(at: Path) -> None:
    found = draft(
        at,
        "services:\n  web: {image: 'nginx:1.29', ports: ['8080:80'], depends_on: [php]}\n"
        "  php: {image: 'acme/php:1', environment: {OUT: 'shout ip=web x=1'}}\n",
    )
    assert found.report.services[0].name == "php" and found.answers["port"] == 80
    assert "ports" not in found.answers["sidecars"][0]
    assert found.answers["env"] == {"OUT": "shout ip=localhost x=1"}


def test_every_key_of_an_app_that_takes_none_is_told(at: Path) -> None:
    found = draft(at, "services: {shop: {build: ., restart: always}}")
    assert keys(found, Fate.DECIDED).keys() == {"services.shop.build", "services.shop.restart"}


def test_a_driver_that_is_named_like_the_service_stays(at: Path) -> None:
    found = draft(
        at,
        "services:\n  postgres: {image: 'postgres:16'}\n  redis: {image: 'redis:7'}\n"
        "  app: {image: 'acme/x:1', environment: {DB_ENGINE: postgres, DB_HOST: postgres, DB_PASS: x, KC_DB: postgres,"
        " CACHE_DRIVER: redis, REDIS_HOST: redis, REDIS_HOST_PASSWORD: y, SESSION_NAME: redis}}\n",
    )
    assert found.answers["env"] == {
        "DB_ENGINE": "postgres", "KC_DB": "postgres", "CACHE_DRIVER": "redis",
        "REDIS_HOST": {"host": "redis"}, "SESSION_NAME": "redis",
    }  # fmt: skip
    assert found.answers["database_env"] == {"host": "DB_HOST", "password": "DB_PASS"}
    assert "services.app.environment.REDIS_HOST_PASSWORD" in keys(found, Fate.DECIDED)


def test_a_connection_string_without_a_password_keeps_the_name_of_its_database(at: Path) -> None:
    found = draft(
        at,
        "services:\n  pg: {image: 'postgres:16'}\n  idp: {image: 'acme/idp:1', environment: {KC_DB: postgres,"
        " KC_DB_URL: 'jdbc:postgresql://pg:5432/people', KC_DB_USERNAME: x, KC_DB_PASSWORD: y}}\n",
    )
    assert found.answers["env"]["KC_DB_URL"] == {
        "host": "postgresql",
        "text": "jdbc:postgresql://{host}:5432/people",
    }
    assert found.answers["database_name"] == "people"
    assert found.answers["database_env"] == {"user": "KC_DB_USERNAME", "password": "KC_DB_PASSWORD"}


def test_what_the_app_does_not_learn_of_its_database_is_told(at: Path) -> None:
    found = draft(
        at, "services:\n  app: {image: 'acme/x:1', environment: {DB_PASSWORD: x, DB_USER: y}}" + DATABASE
    )
    assert "takes the host, name." in keys(found, Fate.LEFT)["services.base"]
    whole = draft(
        at, "services:\n  app: {image: 'acme/x:1', environment: {U: 'mysql://u:p@base/x'}}" + DATABASE
    )
    assert "services.base" in keys(whole, Fate.DECIDED)


def test_the_second_set_of_a_database_is_told(at: Path) -> None:
    found = draft(
        at,
        "services:\n  app: {image: 'acme/x:1', environment: {A_HOST: base, A_USER: u, A_PASSWORD: p, B_HOST: base,"
        f" B_PASSWORD: p}}}}{DATABASE}",
    )
    assert found.answers["database_env"] == {"host": "A_HOST", "user": "A_USER", "password": "A_PASSWORD"}
    assert keys(found, Fate.LEFT).keys() == {
        "services.app.environment.B_HOST", "services.app.environment.B_PASSWORD", "services.base",
    }  # fmt: skip


def test_another_tag_of_the_same_repository_is_another_image(at: Path) -> None:
    found = draft(
        at,
        "services:\n  web: {image: 'acme/x:web-1', ports: ['80:80']}\n"
        "  api: {image: 'acme/x:api-1', depends_on: [web]}\n  backup: {image: 'acme/x-backup:1', depends_on: [web]}\n",
    )
    assert found.answers["sidecars"] == [{"name": "api", "image": "docker.io/acme/x:api-1"}]
    assert roles(found)["backup"] == "what the house already has"


PARTS = """
services:
  front: {image: 'nginx:1.29', ports: ['80:80'], depends_on: [shop]}
  vpn: {image: 'acme/vpn:1', ports: ['8000:8000'], cap_add: [NET_ADMIN]}
  shop:
    image: ghcr.io/acme/shop:5.2.0
    network_mode: service:vpn
    depends_on: {migrate: {condition: service_completed_successfully}, search: {condition: service_started}}
    environment: {SEARCH: 'http://search:7700', OTHER_URL: 'http://big:8000/x', RELAY_HOST: mail, QUEUE: 'redis:6379'}
    volumes: ['data:/data']
  worker: {image: 'ghcr.io/acme/shop:5.2.0', command: [work], environment: {SEARCH: 'http://search:7700', ROLE: worker},
    volumes: ['data:/data']}
  migrate: {image: 'ghcr.io/acme/shop:5.2.0', command: [migrate]}
  nightly: {image: 'ghcr.io/acme/shop:5.2.0', command: [tidy], labels: {swarm.cronjob.schedule: '5 1 * * *'}}
  search: {image: 'acme/search:1', environment: {SEARCH_API_KEY: swordfish}, volumes: ['index:/index']}
  big: {image: 'acme/big:1', ports: ['8000:8000']}
  mail: {image: 'mailhog/mailhog:v1.0.1'}
  redis: {image: 'redis:7'}
  else: {image: 'acme/else:1', ports: ['81:81']}
  old: {image: 'acme/old:1', profiles: [debug]}
"""


def test_each_service_becomes_what_it_is(at: Path) -> None:
    found = draft(at, PARTS)
    assert roles(found) == {
        "shop": "the app", "front": "a sidecar", "vpn": "a sidecar", "worker": "a sidecar",
        "migrate": "an init container", "nightly": "a CronJob", "search": "a sidecar",
        "big": "a Service of its own", "mail": "what the house already has", "redis": "a shared host",
        "else": "a Service of its own", "old": "left out",
    }  # fmt: skip
    answers = found.answers
    assert answers["port"] == 8000, "it is published by the service whose network it has"
    assert answers["env"] == {
        "SEARCH": "http://localhost:7700",
        "OTHER_URL": "http://big.big.svc.cluster.local:8000/x",
        "QUEUE": {"host": "redis", "text": "{host}:6379"},
    }
    beside = {item["name"]: item for item in answers["sidecars"]}
    assert beside["worker"] == {
        "name": "worker", "args": ["work"], "env": {"ROLE": "worker"}, "memory": "256Mi",
    }  # fmt: skip
    assert beside["search"] == {
        "name": "search", "image": "docker.io/acme/search:1", "inherits": True,
        "mounts": [{"volume": "search-index", "path": "/index"}],
    }  # fmt: skip
    assert answers["secrets"] == [{"env": "SEARCH_API_KEY"}]
    assert {"path": "/index", "purpose": "search-index", "in_app": False} in answers["volumes"]
    assert answers["init_containers"] == [{"name": "migrate", "args": ["migrate"], "memory": "256Mi"}]
    assert answers["cron_jobs"] == [
        {"name": "nightly", "args": ["tidy"], "memory": "256Mi", "schedule": "5 1 * * *"}
    ]
    left = {entry.key: entry.why for entry in found.report.of(Fate.LEFT)}
    assert (
        "--compose-service big" in left["services.big"] and "--set=service_port=8000" in left["services.big"]
    )
    assert "the service mail" in left["services.shop.environment.RELAY_HOST"]


def test_another_service_can_be_named(at: Path) -> None:
    assert draft(at, PARTS, "else").answers["image"] == "docker.io/acme/else:1"
    assert draft(at, PARTS, "old").answers["name"] == "old", "a profile counts for nothing where it is named"
    with pytest.raises(UsageError, match="no service 'gone'") as error:
        draft(at, PARTS, "gone")
    assert "else" in error.value.hint


@pytest.mark.parametrize(
    "services,app,likely",
    [
        ("{one: {image: a}, two: {image: b, ports: ['1:1']}}", "two", 1),
        ("{one: {image: a, ports: ['1:1']}, two: {image: b, ports: ['2:2'], depends_on: [one]}}", "two", 1),
        ("{one: {image: a, ports: ['1:1']}, two: {image: b, ports: ['2:2']}}", "one", 2),
        ("{one: {image: a, ports: ['1:1']}, here: {image: b, ports: ['2:2']}}", "here", 1),
        ("{one: {image: a}, two: {image: b, labels: ['traefik.enable=true']}}", "two", 1),
        ("{web: {image: nginx, ports: ['1:1'], depends_on: [php]}, php: {image: acme/php}}", "php", 1),
        ("{web: {image: nginx, ports: ['1:1']}, db: {image: mysql}}", "web", 1),
        ("{one: {image: a, command: work}, two: {image: a}}", "two", 1),
        ("{one: {image: a, profiles: [x], ports: ['1:1']}, two: {image: b}}", "two", 1),
        ("{one: {image: a, profiles: [x]}}", "one", 1),
    ],
)
def test_the_app_is_what_visitors_reach(at: Path, services: str, app: str, likely: int) -> None:
    found = draft(at, f"services: {services}")
    assert found.report.services[0].name == app and found.report.services[0].why
    assert max(1, len(found.likely)) == likely


def test_a_file_of_parts_that_the_house_has_names_no_app(at: Path) -> None:
    with pytest.raises(UsageError, match="no service that is an app") as error:
        draft(at, "services: {db: {image: postgres}, proxy: {image: 'traefik:3'}}")
    assert "--compose-service: db, proxy" in error.value.hint
    assert (
        draft(at, "services: {db: {image: postgres}, proxy: {image: 'traefik:3'}}", "proxy").answers["name"]
        == "proxy"
    )


@pytest.mark.parametrize(
    "body,port,further",
    [
        ("ports: ['53:53/udp', '53:53/tcp', '8088:80/tcp', '2222:22']", 80, ["udp-53", "tcp-53", "tcp-22"]),
        ("ports: ['8443:443', '8080:80']", 80, []),
        ("ports: [{target: 9090, published: '80'}, {target: 9091, protocol: udp}]", 9090, ["udp-9091"]),
        ("ports: ['${A:-1}:${B:-7000}']", 7000, []),
        ("ports: ['${A}:7000']", 7000, []),
        ("ports: ['3000-3002:8000-8002']", 8000, ["tcp-8001", "tcp-8002"]),
        ("ports: ['[::1]:80:9000']", 9000, []),
        ("expose: ['9000', '9001']", 9000, ["tcp-9001"]),
        ("expose: [1883, 8083, 18083]", 18083, ["tcp-1883", "tcp-8083"]),
        (
            "ports: ['80:80', '81:81'], labels: {traefik.http.services.x.loadbalancer.server.port: '81'}",
            81,
            ["tcp-80"],
        ),
        ("ports: ['80:80', '81:81'], healthcheck: {test: 'curl localhost:81/up || exit 1'}", 81, ["tcp-80"]),
        ("ports: ['51820:51820/udp']", None, ["udp-51820"]),
        ("labels: {traefik.http.services.x.loadbalancer.server.port: '81'}", 81, []),
        ("ports: ['80:80'], healthcheck: {test: 'exec 3<>/dev/tcp/127.0.0.1/9000'}", 80, []),
    ],
)
def test_the_port_for_http_is_told_from_the_others(
    at: Path, body: str, port: int | None, further: list[str]
) -> None:
    answers = draft(at, f"services: {{app: {{image: 'acme/x:1', {body}}}}}").answers
    assert answers.get("port") == port
    assert [item["name"] for item in answers.get("ports", [])] == further


@pytest.mark.parametrize(
    "mount,expected",
    [
        ("data:/etc/app/conf.d", "directory"),
        ("./conf.d:/etc/app/conf.d", "directory"),
        ("./Frontfile:/etc/app/Frontfile", "file"),
        ("./nginx.conf:/etc/nginx/conf.d/default.conf", "file"),
        ("'${CONF}:/etc/app/app.yml:ro'", "file"),
        ("site:/srv/app-v1.2", "directory"),
        ("./there:/etc/there.yml", "directory"),
        ("./beside:/etc/beside", "file"),
        ("/etc/localtime:/etc/localtime:ro", "machine"),
        ("/dev/bus/usb:/dev/bus/usb", "machine"),
        ("{type: bind, source: ./x.json, target: /x.json}", "file"),
        ("{type: volume, source: d, target: /d, volume: {subpath: in}}", "directory"),
        ("'C:\\data:/data'", "directory"),
        ("d:/data", "none"),
        ("own:/run/app", "directory"),
        ("/run/app:/run/app", "machine"),
        ("{type: npipe, source: x, target: /x}", "none"),
        ("{type: tmpfs, target: /t, tmpfs: {size: 64m}}", "scratch"),
        ("/data/../x", "none"),
    ],
)
def test_a_mount_is_a_directory_a_file_or_of_the_machine(at: Path, mount: str, expected: str) -> None:
    (at / "there").mkdir()
    (at / "beside").write_text("")
    found = draft(at, f"services: {{app: {{image: 'acme/x:1', volumes: [{mount}]}}}}")
    assert bool(found.answers.get("volumes")) == (expected == "directory")
    assert bool(found.answers.get("scratch")) == (expected == "scratch")
    if expected == "file":
        assert "files" in keys(found, Fate.LEFT)["services.app.volumes[0]"]


def test_media_of_others_are_on_nfs_and_the_rest_is_not(at: Path) -> None:
    volumes = draft(
        at,
        "services: {app: {image: 'acme/x:1', volumes: ['/mnt/movies:/movies', '/srv/app/media:/media', 'conf:/config',"
        " './ro:/ro:ro']}}",
    ).answers["volumes"]
    assert {v.get("purpose", "data"): v.get("rwx", False) for v in volumes} == {
        "movies": True, "data": False, "config": False, "ro": True,
    }  # fmt: skip
    assert next(v for v in volumes if "purpose" not in v)["path"] == "/media"


def test_the_data_of_a_server_inside_the_image_is_told(at: Path) -> None:
    found = draft(
        at,
        "services: {box: {image: acme/box:1.0, ports: ['80'], volumes: ['data:/data', 'db:/var/lib/mysql']}}",
    )
    assert "a database server inside the image" in entry(found, "services.box.volumes[1]")
    known = draft(at, "services: {words: {image: 'tolgee/tolgee:v3.83.3', volumes: ['data:/data']}}")
    assert "a database server inside the image" in entry(known, "services.words.volumes[0]")
    assert "database" not in entry(found, "services.box.volumes[0]")


def test_the_source_that_an_image_is_built_from_is_no_volume(at: Path) -> None:
    found = draft(
        at,
        "services: {app: {build: {context: ./code}, volumes: ['./code/src:/app', /app/node_modules, './data:/data']}}",
    )
    assert found.answers["volumes"] == [{"path": "/data"}]
    assert {"services.app.volumes[0]", "services.app.volumes[1]"} <= keys(found, Fate.DECIDED).keys()


def test_secrets_and_configs_of_compose_become_files(at: Path) -> None:
    found = draft(
        at,
        """
services:
  vaulty:
    image: acme/vaulty:1
    secrets: [app_key, {source: tls key, target: /etc/tls.pem}]
    configs: [{source: plain, target: /etc/app.ini}, {source: hidden, target: /etc/b.ini}, gone]
    environment: {APP_KEY_FILE: /run/secrets/app_key, OTHER_FILE: /run/secrets/other, LIST_FILE: /etc/list}
secrets: {app_key: {file: ./app_key.txt}, tls key: {environment: KEY}}
configs:
  plain: {content: "level = info"}
  hidden: {content: "password = swordfish"}
""",
    )
    assert found.answers["files"] == [
        {"path": "/run/secrets/app_key", "vault": "app_key"},
        {"path": "/etc/tls.pem", "vault": "tls_key"},
        {"path": "/run/secrets/other", "vault": "other"},
        {"path": "/etc/app.ini", "content": "level = info"},
    ]
    assert found.answers["env"].keys() == {"APP_KEY_FILE", "OTHER_FILE", "LIST_FILE"}
    assert keys(found, Fate.LEFT).keys() == {"services.vaulty.configs[1]", "services.vaulty.configs[2]"}
    assert "swordfish" not in str(found)


def test_files_of_variables_are_read_and_environment_holds(at: Path) -> None:
    (at / "app.env").write_text("A=1\nB=2\nAPI_TOKEN=swordfish\nMYSQL_ROOT_PASSWORD=x\n")
    found = draft(
        at,
        "services:\n  app: {image: 'acme/x:1', env_file: [app.env, gone.env], environment: {B: '3'}}"
        + DATABASE,
    )
    assert found.answers["env"] == {"A": "1", "B": "3"} and found.answers["secrets"] == [{"env": "API_TOKEN"}]
    assert keys(found, Fate.LEFT).keys() == {"services.app.env_file[1]", "services.base"}
    assert "services.app.env_file[0].MYSQL_ROOT_PASSWORD" in keys(found, Fate.DECIDED)
    assert "swordfish" not in str(found)


def test_what_may_be_a_secret_is_one_where_its_value_is_unknown(at: Path) -> None:
    found = draft(
        at, "services: {app: {image: 'acme/x:1', environment: [APP_COOKIE, 'SITE=${SITE}', APP_AUTH=basic]}}"
    )
    assert found.answers["secrets"] == [{"env": "APP_COOKIE"}] and found.answers["env"] == {
        "APP_AUTH": "basic"
    }
    assert keys(found, Fate.LEFT).keys() == {"services.app.environment.SITE"}


def test_limits_and_rights_are_taken_or_told(at: Path) -> None:
    found = draft(
        at,
        """
services:
  app:
    image: acme/x:1
    shm_size: 1gb
    cap_add: [CAP_NET_ADMIN, SYS_ADMIN]
    tmpfs: ["/run/cache:size=64m", /var/tmp]
    network_mode: host
    mem_limit: 512M
    deploy:
      replicas: 2
      resources:
        limits: {memory: 4G, cpus: "0.5"}
        reservations: {memory: 1Gi, devices: [{driver: nvidia, capabilities: [gpu]}]}
""",
    )
    assert found.answers == {
        "name": "app", "image": "docker.io/acme/x:1", "memory": "4Gi", "memory_request": "1Gi", "gpu": 1, "tier": "gpu",
        "capabilities": ["NET_ADMIN"], "replicas": 2,
        "scratch": [
            {"name": "shm", "path": "/dev/shm", "in_memory": True, "size_limit": "1Gi"},
            {"name": "scratch", "path": "/run/cache", "in_memory": True, "size_limit": "64Mi"},
            {"name": "scratch-2", "path": "/var/tmp"},
        ],
    } | {"name": found.answers["name"]}  # fmt: skip
    assert keys(found, Fate.LEFT).keys() == {"services.app.cap_add[1]", "services.app.network_mode"}
    more = draft(at, "services: {app: {image: 'acme/x:1', scale: 2, volumes: ['d1:/d']}}")
    assert "replicas" not in more.answers and "services.app.scale" in keys(more, Fate.LEFT)


def test_a_container_beside_the_app_has_its_own_user_and_rights(at: Path) -> None:
    found = draft(
        at,
        "services:\n  app: {image: 'acme/x:1', depends_on: [tunnel], network_mode: 'service:tunnel'}\n"
        "  tunnel: {image: 'acme/tunnel:1', user: '1000:1001', cap_add: [NET_ADMIN]}\n",
    )
    (tunnel,) = found.answers["sidecars"]
    assert (tunnel["uid"], tunnel["capabilities"]) == (1000, ["NET_ADMIN"])
    assert keys(found, Fate.LEFT).keys() == set()


def test_a_command_with_a_secret_or_a_host_elsewhere_is_left_to_a_person(at: Path) -> None:
    found = draft(
        at,
        "services:\n  app: {image: 'acme/x:1', entrypoint: /start, command: [--password=swordfish]}"
        + DATABASE,
    )
    assert found.answers["command"] == ["/start"] and "args" not in found.answers
    assert "swordfish" not in str(found)
    other = draft(at, "services:\n  app: {image: 'acme/x:1', command: wait-for base:3306}" + DATABASE)
    assert "args" not in other.answers and "services.app.command" in keys(other, Fate.LEFT)


@pytest.mark.parametrize(
    ("image", "expected"),
    [
        ("acme/app:1", "docker.io/acme/app:1"),
        ("localhost:5000/app:1", "localhost:5000/app:1"),
        ("quay.io/acme/app@sha256:" + "a" * 64, "quay.io/acme/app@sha256:" + "a" * 64),
        ("acme/app:${TAG}", "docker.io/acme/app"),
        ("acme/app:${TAG:-3}", "docker.io/acme/app:3"),
        ("${IMAGE}", None),
        ("${OWNER}/app:1", None),
    ],
)
def test_the_registry_is_written_out(at: Path, image: str, expected: str | None) -> None:
    found = draft(at, yaml.safe_dump({"services": {"a": {"image": image, "build": "."}}}))
    assert found.answers.get("image") == expected
    assert not found.from_source
    assert not expected or "${TAG}" in image or "builds it as well" in entry(found, "services.a.image")


def test_an_official_image_is_one_of_docker_hub(at: Path) -> None:
    found = draft(at, "services: {a: {image: 'nginx:1.29.0'}}")
    assert found.answers["image"] == "docker.io/library/nginx:1.29.0"


@pytest.mark.parametrize("image", ["notes:dev", "notes", "notes:1.4.0", "notes:${TAG}"])
def test_what_is_built_here_under_a_name_of_this_machine_is_no_official_image(at: Path, image: str) -> None:
    found = draft(
        at,
        f"""
services:
  notes: {{image: '{image}', build: ., ports: ['8080:8080']}}
  worker: {{image: '{image}', command: [work], depends_on: [notes]}}
  search: {{image: search, build: ./search, depends_on: [notes]}}
  db: {{image: 'postgres:mine', build: ./db}}
""",
    )
    assert found.from_source and "image" not in found.answers
    assert found.answers["workloads"] == [{"name": "worker", "args": ["work"], "memory": "256Mi"}], (
        "it runs what is built"
    )
    assert roles(found)["search"] == "a Service of its own"
    assert roles(found)["db"] == "a database on the shared host", "it is none, whoever builds it"
    assert "give that as image" in entry(found, "services.notes.image", Fate.LEFT)


@pytest.mark.parametrize(
    "service,more,name",
    [
        ("web", "container_name: server", "vaultwarden"),
        ("immich_server", "", "immich"),
        ("db-admin", "container_name: '${NAME}'", "db-admin"),
        ("x", "container_name: Paper_Trail-app", "paper-trail"),
        ("2048", "", "vaultwarden"),
    ],
)
def test_a_service_is_called_after_what_says_something(at: Path, service: str, more: str, name: str) -> None:
    body = f"image: 'vaultwarden/server:1'{', ' if more else ''}{more}"
    assert draft(at, f"services: {{'{service}': {{{body}}}}}").answers["name"] == name


def test_what_is_built_from_source_is_told_whatever_it_is_called(at: Path) -> None:
    for name in ("web", "app-of-mine", "2048"):
        found = draft(at, f"services: {{'{name}': {{build: ., ports: ['8080:8080']}}}}")
        assert found.from_source and "image" not in found.answers


def test_what_labels_say_of_the_dashboard_is_taken(at: Path) -> None:
    labels: dict[str, Any] = {"homepage.group": "Media", "homepage.name": "The App", "other.label": "x"}
    found = draft(at, yaml.safe_dump({"services": {"a": {"image": "acme/x:1", "labels": labels}}}))
    assert found.answers["homepage_group"] == "Media" and found.answers["title"] == "The App"
    assert "services.a.labels.other.label" in keys(found, Fate.DECIDED)


def test_a_placeholder_under_the_name_of_a_secret_is_one(at: Path) -> None:
    found = draft(
        at,
        """
services:
  notes:
    image: acme/notes:1
    environment: {APP_SECRET: REPLACE_WITH_LONG_SECRET, MAIL_SECRET: xxx-XXX, SEED_SECRET: <yours>, API_TOKEN: '', MODE: PRODUCTION, TITLE: ''}
    labels:
""",
    )
    names = ["APP_SECRET", "MAIL_SECRET", "SEED_SECRET"]
    assert found.answers["secrets"] == [{"env": name} for name in names]
    assert found.answers["env"] == {"MODE": "PRODUCTION", "TITLE": ""}
    assert "services.notes.environment.API_TOKEN" in keys(found, Fate.LEFT)
    assert keys(found, Fate.DECIDED)["services.notes.labels"] == "it is empty"


@pytest.mark.parametrize(
    "line",
    ["environment: {STORE_IP: db}", "environment: ['BROKER=\"amqp://mq\"']", "command: sh -c 'cat </dev/tcp/db/5432'"],
)  # fmt: skip
def test_whatever_names_a_service_of_the_file_is_rewritten_or_told(line: str, at: Path) -> None:
    services = "  db: {image: 'postgres:16'}\n  mq: {image: 'rabbitmq:4', depends_on: [db]}\n"
    found = draft(
        at, f"services:\n  notes:\n    image: acme/notes:1\n    ports: [80]\n    {line}\n{services}"
    )
    named = {str(value) for value in (found.answers.get("env") or {}).values()}
    assert named <= {'"amqp://localhost"', '"amqp://mq.mq.svc.cluster.local"'}
    env = found.answers["database_env"]
    assert env == ({"host": "STORE_IP"} if "STORE" in line else {})
    told = "services.notes.command" in keys(found, Fate.LEFT)
    assert (told, "args" in found.answers) == ("tcp" in line, False)


@pytest.mark.parametrize(
    ("variable", "value", "expected"),
    [
        ("ADMIN_MAIL", "me@mq", "me@mq"),
        ("FROM_ADDRESS", "Notes <me@mq>, you@mq", "Notes <me@mq>, you@mq"),
        ("CONTACT", "mailto:me@mq", "mailto:me@mq"),
        ("PROCESS_ROLES", "mq,controller", "mq,controller"),
        ("PROCESS_ROLES", "mq", "mq"),
        ("UPLOADS", "mq/uploads", "mq/uploads"),
        ("TITLE", "The (mq) of notes", "The (mq) of notes"),
        ("SKIP", "mq", "mq"),
        ("VOTERS", "1@mq:29093,2@mq:29094", "1@localhost:29093,2@localhost:29094"),
        ("LISTENERS", "INNER://mq:1,OUTER://mq:2", "INNER://localhost:1,OUTER://localhost:2"),
        ("QUEUE_HOSTS", "mq, other", "localhost, other"),
        ("BROKER_URL", "amqp://u:p@mq/x", "amqp://u:p@localhost/x"),
        ("DSN", "u:p@tcp(mq:3306)/x", "u:p@tcp(localhost:3306)/x"),
        ("REMOTE", "git@mq:22/x", "git@localhost:22/x"),
        ("MQ", "mq", "localhost"),
        ("QUEUE", "mq", "localhost"),
        ("LINK", "mq:/export", "localhost:/export"),
    ],
)
def test_a_word_is_a_host_only_where_one_may_stand(
    at: Path, variable: str, value: str, expected: str
) -> None:
    env = {variable: value, **({"QUEUE_PORT": "5672"} if variable == "QUEUE" else {})}
    services = {
        "notes": {"image": "acme/notes:1", "environment": env, "depends_on": ["mq"], "ports": ["80:80"]},
        "mq": {"image": "acme/mq:1"},
    }
    answers = draft(at, yaml.safe_dump({"services": services})).answers
    found = answers.get("env", {}).get(variable, answers.get("secrets"))
    assert found in (expected, [{"env": variable}] if "u:p" in value else expected)


@pytest.mark.parametrize(
    ("command", "expected"),
    [
        ("serve --mq-host mq --role mq", ["serve", "--mq-host", "localhost", "--role", "mq"]),
        ("ping -h mq mq", ["ping", "-h", "localhost", "mq"]),
        ("sh -c 'ping -h mq; serve mq'", ["sh", "-c", "ping -h localhost; serve mq"]),
    ],
)
def test_an_option_takes_a_host(at: Path, command: str, expected: list[str]) -> None:
    found = draft(
        at,
        f"services:\n  notes: {{image: 'acme/notes:1', ports: [80], command: \"{command}\"}}\n"
        "  mq: {image: 'acme/mq:1', depends_on: [notes]}\n",
    )
    assert found.answers["args"] == expected


def test_a_port_that_others_ask_a_service_at_is_its_own(at: Path) -> None:
    found = draft(
        at,
        """
services:
  notes: {image: 'acme/notes:1', ports: ['80:3000'], environment: {CHROME_URL: 'ws://chrome:3000', LOG: 'log:9'}}
  chrome: {image: 'acme/chrome:1'}
  log: {image: 'acme/log:1', command: [push, 'notes:3000']}
  worker: {image: 'acme/notes:1', command: [work]}
  again: {image: 'acme/notes:1', ports: ['81:3000']}
""",
    )
    assert found.answers["env"]["CHROME_URL"] == "ws://chrome.chrome.svc.cluster.local:3000"
    assert [item["name"] for item in found.answers["sidecars"]] == ["log", "worker"]
    why = {service.name: service.why for service in found.report.services}
    assert why["chrome"] == why["again"] == "port 3000 of the pod is notes's"


@pytest.mark.parametrize(
    ("more", "tls"),
    [
        ("ports: ['1:443']", True),
        ("ports: ['1:8443']", False),
        ("ports: ['1:943'], labels: {traefik.http.services.x.loadbalancer.server.scheme: https}", True),
        ("ports: ['1:943'], labels: {traefik.http.services.x.loadbalancer.server.scheme: h2c}", False),
        ("ports: ['1:943'], healthcheck: {test: curl -k https://localhost:943/up}", True),
        ("ports: ['1:943'], healthcheck: {test: curl http://localhost:943/up}", False),
        ("ports: [{target: 943, app_protocol: https}]", True),
        ("ports: ['1:943'], environment: {NOTES_HTTPS: 'true'}", False),
    ],
)
def test_a_port_with_tls_is_asked_with_it(at: Path, more: str, tls: bool) -> None:
    found = draft(at, f"services: {{notes: {{image: 'acme/notes:1', {more}}}}}")
    assert found.answers.get("ingress_options") == ({"backend_protocol": "HTTPS"} if tls else None)
    told = entry(found, "services.notes.ports[0]")
    assert ("with TLS" in told) == tls and ("for TLS at 8443" in told) == ("8443" in more)
    assert ("if NOTES_HTTPS" in told) == ("NOTES_HTTPS" in more)


def test_a_port_that_an_image_only_has_with_tls_is_asked_with_it(at: Path) -> None:
    found = draft(at, "services: {scan: {image: 'acme/nessus:1', ports: ['80:8834']}}")
    assert found.answers["ingress_options"] == {"backend_protocol": "HTTPS"}
    other = draft(at, "services: {scan: {image: 'acme/scan:1', ports: ['80:8834']}}")
    assert "ingress_options" not in other.answers
    assert "TLS at 8834" in entry(other, "services.scan.ports[0]")


def test_a_port_that_an_image_has_with_tls_is_proposed_where_the_file_names_none(at: Path) -> None:
    found = draft(at, "services: {scan: {image: 'acme/nessus:1', network_mode: host}}")
    assert found.answers["port"] == 8834
    assert found.answers["ingress_options"] == {"backend_protocol": "HTTPS"}
    assert "its port is 8834, with TLS" in entry(found, "services.scan.image")
    several = draft(at, "services: {scan: {image: 'acme/unifi:1', ports: ['8080:8080', '80:8443']}}")
    assert several.answers["port"] == 8443
    other = draft(at, "services: {scan: {image: 'acme/scan:1', network_mode: host}}")
    assert "port" not in other.answers


def test_a_driver_alone_makes_no_companion(at: Path) -> None:
    found = draft(
        at,
        "services:\n  notes: {image: 'acme/notes:1', ports: [80], environment: {ENGINE: search}}\n"
        "  search: {image: 'acme/search:1'}\n",
    )
    assert roles(found)["search"] == "a Service of its own"


def test_what_is_built_and_runs_at_times_or_once_is_told_as_that(at: Path) -> None:
    found = draft(
        at,
        """
services:
  notes:
    {image: 'acme/notes:1', ports: [80], depends_on: {seed: {condition: service_completed_successfully}}}
  nightly: {build: ./nightly, labels: {swarm.cronjob.schedule: '5 1 * * *'}}
  seed: {build: ./seed, command: [seed]}
jobs: {idle: {image: 'acme/idle:1'}}
""",
    )
    why = {service.name: service.why for service in found.report.services}
    assert why["nightly"].startswith("it runs at set times, and it is built from source")
    assert roles(found)["nightly"] == "a Service of its own" and "built from source" in why["seed"]
    assert why["idle"] == "it has no schedule"


def test_what_runs_at_set_times_becomes_jobs_where_it_is_named(at: Path) -> None:
    found = draft(
        at,
        """
services:
  notes: {image: 'acme/notes:1', ports: [80]}
  sweep:
    image: acme/sweep:1
    command: [all]
    ports: [9000]
    environment: {KEEP: 3}
    volumes: ['dirt:/dirt']
    deploy: {labels: {swarm.cronjob.schedule: '5 1 * * *'}}
""",
        "sweep",
    )
    job = {"name": "sweep", "schedule": "5 1 * * *", "inherits": True, "args": ["all"]}
    assert found.answers == {
        "name": "sweep", "image": "docker.io/acme/sweep:1", "shape": "jobs", "cron_jobs": [job],
        "env": {"KEEP": "3"}, "volumes": [{"path": "/dirt"}],
    }  # fmt: skip
    assert keys(found, Fate.TAKEN)["services.sweep.deploy"] == "cron_jobs"
    assert "has none" in entry(found, "services.sweep.ports[0]", Fate.LEFT)


def test_only_the_file_of_the_rotated_password_is_not_kept(at: Path) -> None:
    found = draft(
        at,
        """
services:
  notes:
    image: acme/notes:1
    environment:
      DB_HOST: db
      DB_NAME: notes
      DB_USER: notes
      DB_PASSWORD_FILE: /run/secrets/db
      MAIL_PASSWORD_FILE: /run/secrets/mail
    secrets: [db, mail]
  db: {image: 'postgres:16'}
secrets: {db: {file: ./db}, mail: {file: ./mail}}
""",
    )
    assert found.answers["files"] == [{"path": "/run/secrets/mail", "vault": "mail"}]
    assert found.answers["database_env"]["password"] == "DB_PASSWORD"


def test_the_own_address_of_the_app_is_told(at: Path) -> None:
    found = draft(
        at,
        "services: {notes: {image: acme/notes, ports: [80], environment: {APP_URL: 'http://localhost:3000'}}}",
    )
    assert "the app's own host" in entry(found, "services.notes.environment.APP_URL")


@pytest.mark.parametrize(
    ("value", "told"),
    [
        ("localhost", True), ("localhost:3000", True), ("localhost,::1,127.0.0.1", True), ("[::1]:80", True),
        ("https://notes/x", True), ("http://127.0.0.1", True), ("localhost.example.com", False),
        ("0.0.0.0", False), ("mylocalhost", False), ("127.0.0.10", False), ("http://search:80", False),
    ],
)  # fmt: skip
def test_whatever_names_this_machine_or_the_app_itself_is_told(at: Path, value: str, told: bool) -> None:
    found = draft(
        at,
        "services: {notes: {image: 'acme/notes:1', ports: [3000], environment: {APP_DOMAIN: '"
        + value
        + "'}},"
        " search: {image: 'acme/search:1', depends_on: [notes]}}",
    )
    assert ("the app's own host" in entry(found, "services.notes.environment.APP_DOMAIN")) == told


MOVED = """
services:
  notes:
    image: acme/notes:1
    ports: ['80:80']
    volumes: ['files:/files', 'db-data:/leftover', 'cache:/leftover2', 'served:/static', '/path/to/data:/config']
    depends_on: [db, cache]
  worker: {image: 'acme/notes:1', command: [work], volumes: ['files:/files', 'db-data:/leftover']}
  proxy: {image: 'traefik:3', volumes: ['served:/static']}
  db: {image: 'postgres:16', volumes: ['db-data:/var/lib/postgresql/data', '/path/to/data:/backup']}
  cache: {image: 'redis:7', volumes: [{type: volume, source: cache, target: /data}]}
volumes: {files: {}, db-data: {}, served: {}, cache: {}}
"""


def test_what_a_service_on_a_shared_host_keeps_is_no_volume_of_the_app(at: Path) -> None:
    found = draft(at, MOVED)
    assert [volume["path"] for volume in found.answers["volumes"]] == ["/files", "/static", "/config"]
    assert "mounts" not in found.answers["sidecars"][0]
    for key in ("notes.volumes[1]", "notes.volumes[2]", "worker.volumes[1]"):
        assert "Give it under volumes if" in entry(found, f"services.{key}", Fate.LEFT)


def test_a_volume_that_docker_would_fill_for_another_image_is_told(at: Path) -> None:
    found = draft(
        at,
        """
services:
  recipes: {image: 'acme/recipes:1', volumes: ['static:/app/static', 'data:/data', './media:/app/media']}
  worker: {image: 'acme/recipes:1', command: [work], volumes: ['data:/data']}
  front: {image: 'nginx:1.29', ports: ['80:80'], depends_on: [recipes],
    volumes: ['static:/static:ro', './media:/media:ro']}
volumes: {static: {driver: local}, data: {}}
""",
    )
    told = {e.key: e.why for e in found.report.of(Fate.LEFT)}
    assert list(told) == ["volumes.static"], "the worker's files are the app's, and Docker fills no directory"
    assert "cp -a /app/static/. /fill" in told["volumes.static"]
    purpose = next(v.get("purpose", "data") for v in found.answers["volumes"] if v["path"] == "/app/static")
    assert f"{{name: fill-{purpose}, " in told["volumes.static"]
    assert f"volume: {purpose}," in told["volumes.static"]


@pytest.mark.parametrize(
    ("mount", "told"),
    [
        ("own:/var/www/html", True), ("own:/opt/app/plugins", True), ("own:/src/node_modules", True),
        ("own:/var/www/html/uploads", True), ("own:/app/data", False), ("own:/opt/app/data/files", False),
        ("own:/config", False), ("./own:/var/www/html", False), ("own:/var/www/html:nocopy", False),
        ("{type: volume, source: own, target: /app, volume: {nocopy: true}}", False),
    ],
)  # fmt: skip
def test_a_volume_over_files_of_the_image_is_told(at: Path, mount: str, told: bool) -> None:
    found = draft(at, f"services: {{app: {{image: 'acme/x:1', volumes: [{mount}]}}}}\nvolumes: {{own: {{}}}}")
    left = {e.key: e.why for e in found.report.of(Fate.LEFT)}
    assert list(left) == ["volumes.own"] * told
    assert all("cp -an" in why and "volume: data, path: /fill" in why for why in left.values())


def test_where_an_image_keeps_its_data_it_has_no_files(at: Path) -> None:
    volume = "volumes: [kept:/opt/adguardhome/work]}}\nvolumes: {kept: {}}"
    found = draft(at, f"services: {{x: {{image: 'adguard/adguardhome:v1', ports: ['80:3000'], {volume}")
    assert "volumes.kept" not in keys(found, Fate.LEFT)


def test_a_file_of_a_sidecar_with_volumes_is_told_as_one_that_it_cannot_get(at: Path) -> None:
    found = draft(
        at,
        """
services:
  notes: {image: 'acme/notes:1', ports: [80], depends_on: [events]}
  events: {image: 'acme/events:1', volumes: ['./init.sql:/init.sql', 'kept:/data', '/dev/dri:/dev/dri']}
  plain: {image: 'acme/plain:1', depends_on: [notes], volumes: ['./plain.yml:/plain.yml']}
""",
    )
    assert "in_app: false" in entry(found, "services.events.volumes[0]", Fate.LEFT)
    assert "gpu" in entry(found, "services.events.volumes[2]", Fate.LEFT)
    assert "Give its text under files" in entry(found, "services.plain.volumes[0]", Fate.LEFT)


def test_a_secret_that_names_a_service_is_written_with_where_that_is(at: Path) -> None:
    found = draft(
        at,
        """
services:
  notes:
    image: acme/notes:1
    ports: [80]
    environment: ['CACHE_URL=redis://:${REDIS_PASSWORD}@cache:6379/0', 'EVENTS=Host=events;Password=swordfish-1']
  events: {image: 'acme/events:1'}
  cache: {image: 'redis:7'}
""",
    )
    assert found.answers["env"] == {"CACHE_URL": {"host": "redis", "text": "redis://{host}:6379/0"}}
    assert found.answers["secrets"] == [{"env": "EVENTS"}]
    told = entry(found, "services.notes.environment.EVENTS")
    assert "the service events, which is now at localhost" in told


def test_a_worker_that_waits_for_the_app_is_not_the_app(at: Path) -> None:
    body = "image: 'acme/notes:1', environment: {A: b}"
    found = draft(
        at,
        f"services:\n  notes-worker: {{{body}, depends_on: [notes]}}\n  notes: {{{body}}}\n",
    )
    assert roles(found) == {"notes": "the app", "notes-worker": "a Deployment beside the app's"}


def test_what_ends_by_itself_is_no_sidecar(at: Path) -> None:
    found = draft(
        at,
        """
services:
  notes: {image: 'acme/notes:1', ports: [80], restart: always, environment: {STORE: 'http://store:9000'}}
  migrate: {image: 'acme/notes:1', command: [migrate]}
  store: {image: 'acme/store:1'}
  store-init: {image: 'acme/mc:1', entrypoint: [mc, alias, set, local, 'http://store:9000']}
  other-setup: {image: 'acme/other:1', command: [setup]}
  seed: {image: 'acme/notes:1', command: [feed], restart: always}
""",
    )
    assert roles(found) == {
        "notes": "the app", "migrate": "an init container", "store": "a sidecar", "store-init": "left out",
        "other-setup": "a Service of its own", "seed": "a sidecar",
    }  # fmt: skip
    assert found.answers["init_containers"] == [{"name": "migrate", "args": ["migrate"], "memory": "256Mi"}]
    assert "after store has started" in entry(found, "services.store-init", Fate.LEFT)


def test_the_file_of_the_database_s_password_is_no_secret_of_the_app(at: Path) -> None:
    found = draft(
        at,
        """
services:
  notes: {image: 'acme/notes:1', ports: [80], secrets: [pw, mail]}
  db: {image: 'postgres:16', environment: {POSTGRES_PASSWORD_FILE: /run/secrets/pw}, secrets: [pw]}
secrets: {pw: {file: ./pw}, mail: {file: ./mail}}
""",
    )
    assert found.answers["files"] == [{"path": "/run/secrets/mail", "vault": "mail"}]
    assert "which Vault rotates" in entry(found, "services.notes.secrets[0]", Fate.LEFT)


def test_a_login_without_a_password_is_one_to_the_house_s_database(at: Path) -> None:
    found = draft(
        at,
        "services:\n  notes: {image: 'acme/notes:1', environment: {STORE: 'postgresql://postgres@db/notes'}}\n"
        "  db: {image: 'postgres:16', environment: {POSTGRES_HOST_AUTH_METHOD: trust}}\n",
    )
    assert found.answers["database_env"] == {"dsn": "STORE"} and "env" not in found.answers


def test_what_the_image_has_beside_its_source_is_no_volume(at: Path) -> None:
    found = draft(
        at,
        "services: {notes: {build: ./web, ports: [80], volumes: [/code/node_modules, './web/src:/code/src', /data]}}",
    )
    assert found.answers["volumes"] == [{"path": "/data"}]


@pytest.mark.parametrize(
    ("mounted", "told"), [("[]", True), ("['kept:/else']", True), ("['kept:/data/']", False), ("['kept:/data/sub']", False), ("['kept:/var/', 'more:/data']", False)]
)  # fmt: skip
def test_where_an_image_keeps_its_data_has_to_be_mounted(at: Path, mounted: str, told: bool) -> None:
    found = draft(at, f"services: {{pass: {{image: 'vaultwarden/server:1', volumes: {mounted}}}}}")
    assert ("services.pass.volumes./data" in keys(found, Fate.LEFT)) == told


def test_a_port_that_the_documentation_does_not_have_is_told(at: Path) -> None:
    found = draft(
        at, "services: {pass: {image: 'vaultwarden/server:1', ports: ['1:8000'], volumes: ['kept:/data']}}"
    )
    assert found.answers["port"] == 8000
    assert entry(found, "services.pass.ports[0]") == "its documentation says 80"


def test_a_command_that_lacks_variables_names_them(at: Path) -> None:
    text = (
        "services: {box: {image: 'acme/box:1', entrypoint: [sh, -c, 'get $VERSION ${EXTRA:-none} ${KIND}']}}"
    )
    told = keys(draft(at, text), Fate.LEFT)["services.box.entrypoint"]
    assert told.startswith("the files have no value for VERSION, KIND. Write a value of each into .env")
    (at / ".env").write_text("VERSION=1.2\nKIND=all\n")
    assert draft(at, text).answers["command"] == ["sh", "-c", "get 1.2 none all"]


def test_what_docker_takes_for_no_name_names_nothing(at: Path) -> None:
    found = draft(at, "services: {notes: {image: 'acme/notes:1', container_name: 'TOKEN=swordfish'}}")
    assert found.answers["name"] == "notes" and "swordfish" not in str(found)


def test_a_file_of_variables_in_long_form_names_services_too(at: Path) -> None:
    (at / "web.env").write_text("SEARCH_URL=http://search:7700\n")
    found = draft(
        at,
        "services: {web: {image: 'acme/web:1', ports: ['80'], env_file: [{path: web.env, required: false}]},"
        " search: {image: 'getmeili/meilisearch:v1.11'}}",
    )
    assert roles(found) == {"web": "the app", "search": "a sidecar"}
    assert found.answers["env"] == {"SEARCH_URL": "http://localhost:7700"}
    assert keys(found, Fate.LEFT) == {}
    assert "services.web.env_file[0].path" in keys(found, Fate.DECIDED)


def test_what_lies_beside_the_file_has_to_be_copied(at: Path) -> None:
    (at / "conf").mkdir()
    (at / "none").mkdir()
    (at / "conf" / "x.yml").write_text("a: b")
    found = draft(at, "services: {notes: {image: 'acme/notes:1', volumes: ['./conf:/conf', './none:/data']}}")
    assert "what is in ./conf has to be copied" in entry(found, "services.notes.volumes[0]")
    assert entry(found, "services.notes.volumes[1]") == ""


BESIDE = """
services:
  notes: {image: 'acme/notes:1', ports: ['80:80'], depends_on: [chrome, sync], tmpfs: [/tmp], configs: [words]}
  chrome:
    image: acme/chrome:1
    shm_size: 1gb
    tmpfs: ['/run:size=64m', /tmp]
  sync:
    image: acme/sync:1
    secrets: [token]
    configs: [{source: rules, target: /etc/sync.conf}, {source: words, target: /words}, {source: more, target: /words}]
  sweep:
    image: acme/sweep:1
    depends_on: [notes]
    environment: {TOKEN_FILE: /run/secrets/token}
    volumes: ['dirt:/dirt']
    secrets: [token]
    configs: [rules]
secrets: {token: {file: ./token}}
configs: {rules: {content: 'all: yes'}, words: {content: hello}, more: {content: hi}}
"""


def test_a_container_beside_the_app_has_its_own_scratch_and_the_files(at: Path) -> None:
    found = draft(at, BESIDE)
    beside = {item["name"]: item for item in found.answers["sidecars"]}
    assert found.answers["scratch"] == [
        {"name": "scratch", "path": "/tmp"},
        {"name": "chrome-shm", "path": "/dev/shm", "in_memory": True, "size_limit": "1Gi", "in_app": False},
        {"name": "chrome-scratch", "path": "/run", "in_memory": True, "size_limit": "64Mi", "in_app": False},
        {"name": "chrome-scratch-2", "path": "/tmp", "in_app": False},
    ]
    assert [mount["path"] for mount in beside["chrome"]["mounts"]] == ["/dev/shm", "/run", "/tmp"]
    assert found.answers["files"] == [
        {"path": "/words", "content": "hello"},
        {"path": "/etc/sync.conf", "content": "all: yes"},
        {"path": "/run/secrets/token", "vault": "token"},
        {"path": "/sweep-files/rules", "content": "all: yes"},
        {"path": "/sweep-secrets/token", "vault": "token"},
    ]
    assert beside["sync"]["inherits"] and "inherits" not in beside["sweep"]
    assert beside["sweep"]["env"] == {"TOKEN_FILE": "/run/secrets/token"}
    (secret,) = [mount for mount in beside["sweep"]["mounts"] if mount["volume"] == "sweep-secrets"]
    assert (secret["path"], secret["sub_path"], secret["read_only"]) == ("/run/secrets/token", "token", True)
    assert {"name": "sweep-secrets", "path": "/sweep-secrets", "in_app": False} in found.answers[
        "directories"
    ]
    left = keys(found, Fate.LEFT)
    assert left.keys() == {"services.sync.configs[2]"}
    assert "another file at /words" in left["services.sync.configs[2]"]


def test_what_a_proxy_of_the_file_hands_out_itself_is_told(at: Path) -> None:
    found = draft(
        at,
        """
services:
  notes: {image: 'acme/notes:1', volumes: ['static:/app/static', './media:/app/media', './Caddyfile:/x/Caddyfile']}
  proxy:
    image: caddy:2
    ports: ['80:80']
    volumes: ['static:/srv/static:ro', './media:/srv/media', './Caddyfile:/etc/caddy/Caddyfile', 'certs:/data']
  other: {image: 'traefik:3', volumes: ['/var/run/docker.sock:/var/run/docker.sock']}
""",
    )
    told = keys(found, Fate.LEFT)["services.proxy"]
    assert "has no /app/static, /app/media of the app" in told and "put nginx beside it" in told
    assert "services.other" in keys(found, Fate.DECIDED)


def test_a_label_leads_to_a_port_that_nobody_publishes(at: Path) -> None:
    label = "traefik.http.services.chat.loadbalancer.server.port=8008"
    found = draft(at, f"services: {{chat: {{image: acme/chat, ports: ['8448:8448'], labels: ['{label}']}}}}")
    assert (found.answers["port"], found.answers["ports"]) == (8008, [{"name": "tcp-8448", "port": 8448}])


def test_a_directory_that_tells_nothing_names_no_service(tmp_path: Path) -> None:
    at = tmp_path / "kit" / "docker"
    at.mkdir(parents=True)
    assert draft(at, "services: {web: {build: .., ports: [80]}}").answers["name"] == "kit"


@pytest.mark.parametrize(
    ("services", "app"),
    [
        ("{store: {image: minio/minio, ports: [9000]}, web: {image: acme/web, depends_on: [store]}}", "web"),
        ("{a-worker: {image: acme/a, depends_on: [a]}, a: {image: acme/b}}", "a"),
        ("{a-worker-native: {image: acme/a, depends_on: [a]}, a: {image: acme/b}}", "a"),
        ("{migrator: {image: acme/a, command: up, depends_on: [a]}, a: {image: acme/b}}", "a"),
        (
            "{pool: {image: acme/a, ports: ['5432:5432'], depends_on: [web]}, web: {image: acme/b, ports: [80]}}",
            "web",
        ),
        (
            "{bridge: {image: acme/a, ports: [3001], depends_on: [here]}, here: {image: acme/b, ports: [80]}}",
            "here",
        ),
        ("{store: {image: minio/minio, ports: [9000]}, db: {image: postgres}}", "store"),
        ("{admin: {image: dpage/pgadmin4, ports: [80]}}", "admin"),
    ],
)
def test_what_apps_work_with_is_the_app_only_where_there_is_no_other(
    at: Path, services: str, app: str
) -> None:
    found = draft(at, f"services: {services}")
    assert (found.report.services[0].name, len(found.likely) > 1) == (app, False)


@pytest.mark.parametrize(
    ("body", "port", "why"),
    [
        ("environment: {PORT: 3000}", 3000, ""),
        ("environment: {HTTP_PORT: '8169', DB_PORT: 5432}", 8169, ""),
        ("environment: {APP_X_PORT: 6167, X_PORT: 6001}", 6001, ""),
        ("ports: [8080], environment: {PORT: 3000}", 8080, ""),
        ("ports: [25, 4190], environment: {HTTP_PORT: 8080}", 8080, None),
        ("ports: [1935, 8000]", 8000, "it is the likeliest of several for HTTP"),
        ("ports: [25, 4190]", 25, "it is not usual for HTTP: shape internal needs no ingress"),
        ("ports: [9001], labels: {traefik.http.services.x.loadbalancer.server.port: '81'}", 81, None),
    ],
)
def test_variables_say_which_port_is_for_http(at: Path, body: str, port: int, why: str | None) -> None:
    found = draft(at, f"services: {{app: {{image: 'acme/x:1', {body}}}}}")
    assert found.answers["port"] == port
    taken = [e.why for e in found.report.of(Fate.TAKEN) if e.answer == "port"]
    assert why is None or taken == [why] * len(taken)


def test_a_volume_without_a_name_over_files_of_the_image_is_told(at: Path) -> None:
    volumes = "volumes: [/var/www/html, '/data', {type: volume, target: /app/lib}]"
    found = draft(at, f"services: {{app: {{image: 'acme/x:1', {volumes}}}}}")
    told = entry(found, "services.app.volumes[0]")
    assert (
        "does not fill it with what the image has at /var/www/html" in told
        and "volume: data, path: /fill" in told
    )
    assert entry(found, "services.app.volumes[1]") == ""
    assert "volume: lib, path: /fill/lib" in told and "cp -an /app/lib/. /fill/lib" in told
    assert "services.app.volumes[0] gets" in entry(found, "services.app.volumes[2]"), "one init container"


def test_a_container_with_volumes_of_its_own_gets_the_texts_that_the_file_has(at: Path) -> None:
    found = draft(
        at,
        """
services:
  notes: {image: 'acme/notes:1', ports: [80], depends_on: [events]}
  events:
    image: acme/events:1
    volumes: ['kept:/data', './users.sql:/users.sql']
    configs: [{source: one, target: /etc/a/x.ini}, {source: two, target: /etc/b/x.ini}]
configs: {one: {content: a}, two: {content: b}}
""",
    )
    assert found.answers["files"] == [
        {"path": "/events-files/x.ini", "content": "a"},
        {"path": "/events-files/2-x.ini", "content": "b"},
    ]
    assert found.answers["directories"] == [
        {"name": "events-files", "path": "/events-files", "in_app": False}
    ]
    (events,) = found.answers["sidecars"]
    assert events["mounts"][1:] == [
        {"volume": "events-files", "path": "/etc/a/x.ini", "sub_path": "x.ini", "read_only": True},
        {"volume": "events-files", "path": "/etc/b/x.ini", "sub_path": "2-x.ini", "read_only": True},
    ]
    assert "sub_path: users.sql" in entry(found, "services.events.volumes[1]", Fate.LEFT)


def test_a_name_in_several_words_is_the_service_s_unless_it_names_something_else(at: Path) -> None:
    env = "{JAVAGATEWAY: java-gateway, SERVICE_NAME: java-gateway, GATEWAY_KIND: gateway}"
    also = "java-gateway: {image: acme/java}, gateway: {image: acme/gate, depends_on: [app]}"
    found = draft(at, f"services: {{app: {{image: acme/app, ports: [80], environment: {env}}}, {also}}}")
    assert found.answers["env"] == {
        "JAVAGATEWAY": "localhost",
        "SERVICE_NAME": "java-gateway",
        "GATEWAY_KIND": "gateway",
    }


@pytest.mark.parametrize(("profiles", "taken"), [("debug, cache", 1), ("*", 1), ("other", 0), ("", 0)])
def test_a_profile_that_the_file_of_variables_starts_is_taken(at: Path, profiles: str, taken: int) -> None:
    (at / ".env").write_text(f"COMPOSE_PROFILES={profiles}\n")
    cache = "{image: memcached:1.6, profiles: [cache], network_mode: 'service:app'}"
    found = draft(at, f"services:\n  app: {{image: 'acme/x:1', ports: ['80:80']}}\n  cache: {cache}\n")
    assert len(found.answers.get("sidecars", [])) == taken


def test_a_profile_without_a_name_starts_nothing(at: Path) -> None:
    tools = "{image: memcached:1.6, profiles: ['${TOOLS}'], network_mode: 'service:app'}"
    found = draft(at, f"services:\n  app: {{image: 'acme/x:1', ports: ['80:80']}}\n  tools: {tools}\n")
    assert "sidecars" not in found.answers


@pytest.mark.parametrize(
    ("said", "memory"),
    [
        ("command: php bin/console messenger:consume async --memory-limit=512M", "640Mi"),
        ("command: [sh, -c, 'php -d memory_limit=1G work.php']", "1280Mi"),
        ("command: php artisan queue:work --tries=3 --memory=512", "640Mi"),
        ("environment: {PHP_MEMORY_LIMIT: 512M, OTHER: '-Xmx300m'}", "640Mi"),
        ("environment: [NODE_OPTIONS=--max-old-space-size=4096]", "5Gi"),
        ("environment: {JAVA_OPTS: '-Xms256m -Xmx2g'}", "2560Mi"),
        ("environment: {JVM_MAXIMUM_MEMORY: 1024m}", "1280Mi"),
        ("environment: {MEMORY: 4G}", "5Gi"),
        ("environment: {MEM_LIMIT: 1024}", "1280Mi"),
        ("environment: {GOMEMLIMIT: 800MiB}", "1000Mi"),
        ("environment: {PHP_MEMORY_LIMIT: -1, PHP_UPLOAD_LIMIT: 4G}", None),
        ("environment: {PHP_MEMORY_LIMIT: 128M}", None),
        ("environment: {PHP_MEMORY_LIMIT: 512M}\n    mem_limit: 300m", "300Mi"),
        ("environment: {PHP_MEMORY_LIMIT: 512M}\n    mem_reservation: 300m", "640Mi"),
    ],
)
def test_a_container_has_the_memory_that_its_program_is_told_to_take(
    at: Path, said: str, memory: str | None
) -> None:
    found = draft(at, f"services:\n  app:\n    image: acme/x:1\n    {said}\n")
    assert found.answers.get("memory") == memory


@pytest.mark.parametrize(
    ("given", "key"),
    [
        ("env_file: app.env", "services.app.env_file.JAVA_OPTS"),
        ("env_file: [none.env, app.env]", "services.app.env_file[1].JAVA_OPTS"),
        ("env_file: app.env\n    environment: {JAVA_OPTS: -Xmx1g}", "services.app.environment.JAVA_OPTS"),
    ],
)
def test_the_memory_is_told_where_the_variable_is_given(at: Path, given: str, key: str) -> None:
    (at / "app.env").write_text("JAVA_OPTS=-Xmx1g\n")
    found = draft(at, f"services:\n  app:\n    image: acme/x:1\n    {given}\n")
    assert found.answers["memory"] == "1280Mi"
    assert "the program may take 1Gi" in entry(found, key)


def test_what_is_requested_is_no_limit_where_the_program_takes_more(at: Path) -> None:
    found = draft(
        at,
        "services:\n  app:\n    image: acme/x:1\n    mem_reservation: 200m\n"
        "    environment: [NODE_OPTIONS=--max-old-space-size=1024]\n",
    )
    assert (found.answers["memory"], found.answers["memory_request"]) == ("1280Mi", "200Mi")
    assert entry(found, "services.app.mem_reservation") == ""


def test_of_what_a_companion_needs_and_its_program_takes_the_larger_is_told(at: Path) -> None:
    index = "{image: 'elasticsearch:8.12.2', environment: {ES_JAVA_OPTS: -Xmx%s}}"
    for told, memory, larger, other in (("4g", "5Gi", "environment.ES_JAVA_OPTS", "image"),
                                        ("1g", "2Gi", "image", "environment.ES_JAVA_OPTS")):  # fmt: skip
        app = "{image: acme/app, ports: [80], depends_on: [index]}"
        found = draft(at, f"services: {{app: {app}, index: {index % told}}}")
        assert [item["memory"] for item in found.answers["sidecars"]] == [memory]
        assert f"{memory} of memory" in entry(found, f"services.index.{larger}")
        assert "of memory" not in entry(found, f"services.index.{other}")


def test_a_worker_has_the_memory_that_its_command_names(at: Path) -> None:
    found = draft(
        at,
        "services:\n  app: {image: acme/x:1, ports: ['80:80']}\n"
        "  worker: {image: acme/x:1, command: 'work --memory-limit=512M'}\n"
        "  search: {image: memcached:1.6, network_mode: 'service:app', environment: {JAVA_OPTS: -Xmx64m}}\n",
    )
    beside = [*found.answers["sidecars"], *found.answers["workloads"]]
    assert {item["name"]: item.get("memory") for item in beside} == {"search": None, "worker": "640Mi"}
    assert "the program may take 512Mi" in entry(found, "services.worker.command")


def test_a_companion_gets_the_memory_that_it_needs_at_least(at: Path) -> None:
    companion = "index: {image: 'elasticsearch:8.12.2'}, store: {image: 'minio/minio:1', mem_limit: 64m}"
    found = draft(
        at, f"services: {{app: {{image: acme/app, ports: [80], depends_on: [index, store]}}, {companion}}}"
    )
    assert [item.get("memory") for item in found.answers["sidecars"]] == ["2Gi", "64Mi"]
    assert "2Gi of memory" in entry(found, "services.index.image")
    assert entry(found, "services.store.image") == ""


@pytest.mark.parametrize(
    ("services", "app", "port"),
    [
        (
            "{core: {image: acme/core:1.0, expose: [9000]},"
            " gate: {image: 'nginx:1.29.0', depends_on: [core], volumes: ['./gate.conf:/etc/nginx/nginx.conf']}}",
            "core",
            80,
        ),
        ("{core: {image: acme/core:1.0, ports: ['9000']}, gate: {image: 'nginx:1.29.0', depends_on: [core]}}", "core", 9000),
        ("{core: {image: acme/core:1.0, expose: [9000]}, vpn: {image: qmcgaw/gluetun:v3.40.0, depends_on: [core]}}", "core", 9000),
        ("{bench: {image: acme/suite:1.0}, frontend: {image: acme/suite:1.0, command: [nginx], depends_on: [bench]}}", "frontend", None),
        ("{portal: {image: acme/portal:1.0}, core-web: {image: acme/web:1.0}}", "core-web", None),
    ],
)  # fmt: skip
def test_visitors_reach_what_is_in_front(at: Path, services: str, app: str, port: int | None) -> None:
    found = draft(at, f"services: {services}")
    assert found.report.services[0].name == app
    assert found.answers.get("port") == port
    if port == 80:
        assert entry(found, "services.gate.ports") == "visitors reach the app through gate"
