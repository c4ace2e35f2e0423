"""How an app is asked whether it is healthy, and by which way it is reached."""

from __future__ import annotations

from pathlib import Path

import pytest
from composed import draft, entry, keys

from scaffold.answers.compose.report import Fate

CURL = "[CMD, curl, -f, 'http://localhost:8000{path}']"


@pytest.mark.parametrize(
    "env,test,command",
    [
        ("ALLOWED_HOSTS: x.example", CURL.format(path="/up"), ["curl", "-f", "http://localhost:8000/up"]),
        ("X_BASE_URL: '${URL}'", CURL.format(path="/"), ["curl", "-f", "http://localhost:8000/"]),
        (
            "TRUSTED_DOMAINS: x.example",
            "[CMD-SHELL, 'wget -q localhost:8000/ || exit 1']",
            ["sh", "-c", "wget -q localhost:8000/ || exit 1"],
        ),
        ("SERVER_NAME: x.example", "wget -q localhost:8000/", ["sh", "-c", "wget -q localhost:8000/"]),
        ("ALLOWED_HOSTS: '*'", CURL.format(path="/up"), []),
        ("X_BASE_URL: '${URL}'", CURL.format(path="/up"), []),
        ("DB_SERVER_HOST: x", CURL.format(path="/"), []),
    ],
)
def test_an_app_that_checks_its_host_name_is_asked_from_inside(
    at: Path, env: str, test: str, command: list[str]
) -> None:
    found = draft(
        at,
        "services:\n  app: {image: 'acme/x:1', ports: [8000],"
        f" environment: {{{env}}}, healthcheck: {{test: {test}}}}}\n",
    )
    if command:
        assert found.answers["probes"] == {"readiness": {"command": command}}
        assert "health_path" not in found.answers
        assert env.partition(":")[0] in entry(found, "services.app.healthcheck.test")
    else:
        assert found.answers["health_path"] in ("/up", "/") and "probes" not in found.answers


def test_a_check_with_a_secret_is_no_command(at: Path) -> None:
    found = draft(
        at,
        "services:\n  app: {image: 'acme/x:1', ports: [80], environment: {ALLOWED_HOSTS: x}, healthcheck:"
        " {test: \"curl -H 'Authorization: Bearer Zm9vYmFyc3dvcmRmaXNoMTIzNA' localhost:80/up\"}}\n",
    )
    assert found.answers["health_path"] == "/up" and "Zm9v" not in str(found)


def test_a_port_that_a_label_opens_without_http_is_one_of_the_app(at: Path) -> None:
    port = "loadbalancer.server.port"
    labels = f"{{traefik.tcp.services.q.{port}: '1883', traefik.udp.services.u.{port}: '53'}}"
    body = f"image: 'acme/x:1', ports: ['80:80'], expose: [1883], labels: {labels}"
    found = draft(at, f"services:\n  app: {{{body}}}\n")
    assert found.answers["port"] == 80
    assert found.answers["ports"] == [
        {"name": "tcp-1883", "port": 1883},
        {"name": "udp-53", "port": 53, "protocol": "UDP"},
    ]
    for key in ("labels", "expose[0]"):
        assert "as a label of the file does" in entry(found, f"services.app.{key}")


def test_what_only_answers_on_a_docker_host_is_told(at: Path) -> None:
    found = draft(
        at,
        """
services:
  app:
    image: acme/x:1
    ports: [80]
    environment: {RESOLVER: 127.0.0.11}
    volumes: ['/tmp/.X11-unix:/tmp/.X11-unix', '/home/me/pulse:/run/pulse']
    configs: [{source: front, target: /etc/front.conf}]
configs: {front: {content: 'resolver 127.0.0.11;'}}
""",
    )
    assert "volumes" not in found.answers
    assert "Docker's own name server" in entry(found, "services.app.environment.RESOLVER")
    assert "Docker's own name server" in entry(found, "services.app.configs[0]")
    assert "screen" in keys(found, Fate.LEFT)["services.app.volumes[0]"]


def test_a_node_has_a_name_that_does_not_change_with_the_pod(at: Path) -> None:
    found = draft(
        at,
        """
services:
  app:
    image: acme/broker:1
    hostname: node1.example.com
    ports: [80]
    environment: {BROKER_NODE_NAME: broker@node1.example.com, ADMIN: me@node1.example.com, QUEUE: 'amqp://queue'}
  queue: {image: 'rabbitmq:4.2', volumes: ['queue:/var/lib/rabbitmq']}
  named:
    image: rabbitmq:3.13
    volumes: ['named:/var/lib/rabbitmq']
    environment: {RABBITMQ_NODENAME: rabbit@x}
    depends_on: [app]
""",
    )
    assert found.answers["env"]["BROKER_NODE_NAME"] == "broker@127.0.0.1"
    assert found.answers["env"]["ADMIN"] == "me@node1.example.com"
    assert "reach the app by it" not in entry(found, "services.app.environment.BROKER_NODE_NAME")
    names = {item["name"]: item["env"]["RABBITMQ_NODENAME"] for item in found.answers["sidecars"]}
    assert names == {"queue": "rabbit@localhost", "named": "rabbit@x"}
    assert "changes with the pod" in entry(found, "services.queue.image")


@pytest.mark.parametrize(
    "more,told",
    [
        ("volumes: ['../files/Caddyfile:/etc/caddy/Caddyfile:ro']", True),  # it is not there
        ("volumes: ['./Caddyfile:/etc/caddy/Caddyfile:ro']", True),
        ("volumes: ['./other/Caddyfile:/etc/caddy/Caddyfile:ro']", False),
        ("configs: [{source: front, target: /etc/caddy/Caddyfile}]", True),
        ("ports: ['80:80']", False),
    ],
)
def test_where_a_proxy_leads_besides_the_app_is_told(at: Path, more: str, told: bool) -> None:
    (at / "Caddyfile").write_text("handle /api/* {\n  reverse_proxy api:8000\n}\nreverse_proxy app:80\n")
    (at / "other").mkdir()
    (at / "other/Caddyfile").write_text("reverse_proxy app:80\n")
    found = draft(
        at,
        f"""
services:
  app: {{image: 'acme/x:1', expose: [80], environment: {{API: 'http://api:8000', S: 'http://search:7700'}}}}
  api: {{image: 'acme/api:1', healthcheck: {{test: 'curl localhost:8000/up'}}}}
  search: {{image: 'getmeili/meilisearch:v1'}}
  front: {{image: 'caddy:2', {more}}}
configs: {{front: {{content: 'reverse_proxy /api/* http://api:8000'}}}}
""",
    )
    line = entry(found, "services.front", Fate.LEFT if told else Fate.DECIDED)
    assert ("to api. Give" in line and "port: 8000" in line) is told
