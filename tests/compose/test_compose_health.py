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
