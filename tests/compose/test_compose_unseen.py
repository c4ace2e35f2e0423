"""What no compose file shows of an image: told once, only where it applies."""

from __future__ import annotations

from pathlib import Path

import pytest

from scaffold.answers.compose.translation import translate
from scaffold.report.imported import import_json, import_text
from scaffold.templates import template

OF_ROOT = "a new volume belongs to root"
KEPT, LOST = "what it writes outlives the pod only under /srv/box", "what it writes to disk does not outlive"
ROTATED, ASKED = "Vault rotates the password", "if a page of its installer asks"
UNNAMED = (
    "no variable leads to it, so the app knows it by its name in Docker, and in a pod it is at localhost"
)
DATABASE = "\n  db: {image: 'postgres:16', environment: {POSTGRES_PASSWORD: swordfish-1}}"
LOGIN = "environment: {DB_HOST: db, DB_USER: a, DB_PASSWORD: swordfish-1, DB_NAME: a}"
VOLUME = "volumes: ['data:/srv/box']"


def told(tmp_path: Path, *services: str) -> dict[str, list[str]]:
    """The lines on each service, without what to do."""
    path = tmp_path / "compose.yml"
    path.write_text("services:\n  " + "\n  ".join(services))
    found: dict[str, list[str]] = {}
    for one in translate(path).report.unseen:
        found.setdefault(one.service, []).append(one.why)
    return found


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("image: 'acme/box:1'", [LOST]),
        (f"image: 'acme/box:1', {VOLUME}", [KEPT, OF_ROOT]),
        (f"image: 'acme/box:1', user: root, {VOLUME}", [KEPT, OF_ROOT]),
        (f"image: 'acme/box:1', user: '1000', {VOLUME}", [KEPT, "a new volume contains lost+found"]),
        ("image: 'acme/box:1', volumes: ['./box:/srv/box:ro']", [LOST]),
        (f"image: 'lscr.io/linuxserver/acme:1', {VOLUME}", []),
        ("image: 'grafana/grafana:11.2.0'", []),
        (f"build: ., {VOLUME}", [OF_ROOT]),
        ("image: 'acme/box:1', deploy: {replicas: 2}", [LOST, "all of its pods start at once"]),
    ],
)  # fmt: skip
def test_what_an_image_keeps_and_who_writes_it_is_told_where_it_is_not_known(
    tmp_path: Path, body: str, expected: list[str]
) -> None:
    found = told(tmp_path, f"box: {{{body}, ports: ['80']}}").get("box", [])
    assert len(found) == len(expected), found
    assert all(why.startswith(words) for why, words in zip(found, expected, strict=True)), found


def test_volumes_that_an_image_may_have_files_for_are_told_with_one_init_container(tmp_path: Path) -> None:
    path = tmp_path / "compose.yml"
    volumes = "[data:/srv/box/data, more:/opt/box/media, lib:/var/lib/box, own:/own]"
    path.write_text(
        f"services: {{box: {{image: 'acme/box:1', user: '1000', volumes: {volumes}}}}}\n"
        "volumes: {data: {}, more: {}, lib: {}, own: {}}"
    )
    *_, found = translate(path).report.unseen
    assert found.why.startswith("Kubernetes does not fill /srv/box/data, /opt/box/media with")
    assert "cp -an /srv/box/data/. /fill/data && cp -an /opt/box/media/. /fill/media]" in found.fix
    assert "mounts: [{volume: data, path: /fill/data}, {volume: media, path: /fill/media}]" in found.fix


@pytest.mark.parametrize(
    ("image", "body", "expected"),
    [
        ("acme/box:1", f"{LOGIN}, {VOLUME}", [ROTATED]),
        ("acme/box:1", LOGIN, []),
        ("acme/box:1", f"depends_on: [db], {VOLUME}", [ASKED]),
        ("acme/box:1", "depends_on: [db]", [ASKED]),
        ("nextcloud:30", f"{LOGIN}, volumes: ['data:/var/www/html']", []),
        ("gotify/server:2", f"{LOGIN}, volumes: ['data:/app/data']", []),
    ],
)
def test_an_app_that_may_keep_a_password_that_rotates_is_told_once(
    tmp_path: Path, image: str, body: str, expected: list[str]
) -> None:
    found = told(tmp_path, f"box: {{image: '{image}', ports: ['80'], {body}}}{DATABASE}").get("box", [])
    found = [why for why in found if "password" in why]
    assert [w for w in (ROTATED, ASKED) if any(why.startswith(w) for why in found)] == expected
    assert len(found) == len(expected)


def test_each_image_of_the_pod_is_told_of_once(tmp_path: Path) -> None:
    body = """
services:
  box: {image: 'acme/box:1', user: '1000', ports: ['80'], volumes: ['data:/data'], depends_on: [search, db, more]}
  worker: {image: 'acme/box:1', command: work, volumes: ['data:/data']}
  search: {image: 'elasticsearch:8.12.2', volumes: ['seen:/usr/share/elasticsearch/data']}
  more: {image: 'acme/more:1', volumes: ['other:/other']}
  db: {image: 'clickhouse/clickhouse-server:24.8', volumes: ['events:/var/lib/clickhouse']}
"""
    path = tmp_path / "compose.yml"
    path.write_text(body)
    report = translate(path).report
    found = [(one.service, one.why) for one in report.unseen]
    assert found == [
        ("box", "what it writes outlives the pod only under /data"), ("box", "a new volume contains lost+found"),
        ("search", OF_ROOT), ("search", UNNAMED),
        ("more", "what it writes outlives the pod only under /other"), ("more", OF_ROOT), ("db", UNNAMED),
    ]  # fmt: skip
    assert import_json(report)["unseen"] == report.unseen
    assert list(import_text(report))[-len(report.unseen) - 1 :] == [
        "  Look up in the documentation of the image:",
        *(f"    {one.service}: {one.why}. {one.fix}" for one in report.unseen),
    ]


@pytest.mark.parametrize(
    ("app", "told"),
    [
        ("", True),
        (", environment: {CACHE: 'cache:11211'}", False),
        (", network_mode: 'service:cache'", False),
    ],
)
def test_what_nothing_leads_to_is_told(tmp_path: Path, app: str, told: bool) -> None:
    path = tmp_path / "compose.yml"
    path.write_text(
        f"services:\n  box: {{image: 'acme/box:1', ports: ['80'], depends_on: [cache, work]{app}}}\n"
        "  cache: {image: 'memcached:1.6'}\n  work: {image: 'acme/work:1', command: work}"
    )
    found = [one.service for one in translate(path).report.unseen if one.why == UNNAMED]
    assert found == ["cache"] * told, "what only works for itself needs no address"


def test_every_row_has_its_condition() -> None:
    rows = template.facts("compose")["unseen"]
    known = {
        "unknown", "keeps", "keeps_nothing", "owner", "copies", "rotated", "asked", "keyless", "leads",
        "several", "unnamed", "new", "database", "slow", "unread", "locked",
    }  # fmt: skip
    assert {name for row in rows for name in (*row["when"], *row.get("unless", ()))} == known


@pytest.mark.parametrize(
    ("environment", "key"),
    [
        ("[APP_ENV=production, DB_CONNECTION=sqlite]", "APP_KEY"),
        ("[APP_ENV=production, DB_CONNECTION=sqlite, APP_KEY]", ""),
        ("[APP_ENV=production, DB_CONNECTION=sqlite, APP_KEY_FILE=/run/secrets/key]", ""),
        ("[APP_ENV=production]", ""),
        ("{RAILS_ENV: production}", "SECRET_KEY_BASE"),
    ],
)
def test_an_app_without_the_key_of_its_framework_is_told(tmp_path: Path, environment: str, key: str) -> None:
    found = told(tmp_path, f"box: {{image: 'acme/box:1', ports: ['80'], environment: {environment}}}")["box"]
    assert [why for why in found if "encrypt" in why] == [f"it has no {key}, with which apps of its kind encrypt"
                                                           " what they keep"] * bool(key)  # fmt: skip


@pytest.mark.parametrize(
    ("front", "is_told"),
    [
        ("image: 'nginx:1.29', depends_on: [box]", True),
        ("image: 'acme/box-nginx:1', depends_on: [box]", True),
        ("image: 'acme/box-web:1', depends_on: [box]", False),
    ],
)
def test_a_proxy_in_the_pod_may_name_what_is_at_localhost(tmp_path: Path, front: str, is_told: bool) -> None:
    body = f"box: {{image: 'acme/box:1', expose: ['9000']}}\n  front: {{{front}, ports: ['80:80']}}"
    found = [why for whys in told(tmp_path, body).values() for why in whys]
    assert any(why.startswith("its configuration may name box, which") for why in found) is is_told


@pytest.mark.parametrize(
    ("value", "is_told"),
    [("${DATABASE_URL}", True), ("postgres://a:${PW}@db/a", False), ("postgres://a:b@db/a", False)],
)
def test_a_connection_string_that_is_not_in_the_file_may_have_options(
    tmp_path: Path, value: str, is_told: bool
) -> None:
    box = f"box: {{image: 'acme/box:1', ports: ['80'], environment: {{DATABASE_URL: '{value}'}}, depends_on: [db]}}"
    found = told(tmp_path, box + DATABASE)["box"]
    assert is_told == any("no value for DATABASE_URL" in why for why in found)


@pytest.mark.parametrize(
    ("more", "is_told"), [("", True), (", healthcheck: {test: [CMD, x], start_period: 5m}", False)]
)
def test_an_app_with_a_shared_database_may_start_slowly_at_first(
    tmp_path: Path, more: str, is_told: bool
) -> None:
    found = told(tmp_path, f"box: {{image: 'acme/box:1', ports: ['80'], {LOGIN}{more}}}" + DATABASE)["box"]
    assert is_told == any("two and a half minutes" in why for why in found)


@pytest.mark.parametrize(
    ("environment", "is_told"),
    [
        ("{}", True),
        ("{MYSQL_DATABASE: a}", True),
        ("{MYSQL_ROOT_PASSWORD: x}", False),
        ("{MARIADB_RANDOM_ROOT_PASSWORD: yes}", False),
    ],
)
def test_a_server_beside_the_app_needs_a_password(tmp_path: Path, environment: str, is_told: bool) -> None:
    app = "app: {image: 'elestio/glpi:10', ports: ['80'], volumes: ['its:/var/www/html/glpi'], depends_on: [db]}"
    found = told(tmp_path, app, f"db: {{image: 'mysql:8.4', environment: {environment}}}")["db"]
    assert is_told == any("no database without a password" in why for why in found)
    assert any("in a pod it is at 127.0.0.1" in why for why in found), "clients take localhost for a socket"
