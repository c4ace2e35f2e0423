"""The stack as a whole: two things with one name, port or path are refused, or never rendered."""

from __future__ import annotations

from typing import Any

import pytest
import yaml
from support import ORIGIN
from tables import refused

from scaffold.hcl.syntax import parse
from scaffold.templates.render import render

APP = "name: kit\ndescription: A kit\nimage: docker.io/library/nginx:1.29.0\nport: 8080\n"

CLASHES = [
    ("sidecars: [{name: s, ports: [{name: p, port: 8080}]}]", "sidecars[0].ports[0].port"),
    ("ports: [{name: a, port: 53, protocol: UDP}, {name: b, port: 53, protocol: UDP}]", "ports[1].port"),
    ("ports: [{name: a, port: 9000, service_port: 80}]", "ports[0].service_port"),
    ("ports: [{name: p, port: 9000}]\nsidecars: [{name: s, ports: [{name: p, port: 1}]}]", "sidecars[0].ports[0].name"),
    ("volumes: [{path: /a}, {path: /a/, purpose: b}]", "volumes[1].path"),
    ("volumes: [{path: /a}, {path: /b}]", "volumes[1].purpose"),
    ("volumes: [{path: /a, claim: kit-b-encrypted}, {path: /b, purpose: b}]", "volumes[1].purpose"),
    ("volumes: [{path: /a, purpose: x-files}]\nfiles: [{path: /f, secret: x}]", "volumes[0].purpose"),
    ("volumes: [{path: /a}]\nfiles: [{path: /a, content: x}]", "files[0].path"),
    ("files: [{path: /a, content: x}]\nscratch: [{path: /a}]", "scratch[0].path"),
    ("files: [{path: /a/b, content: x}, {path: /a-b, content: x}]", "files[1].path"),
    ("files: [{path: /a, secret: a.b}, {path: /b, secret: a-b}]", "files[1].path"),
    ("files: [{path: /a, content: x, writable: true}]\ninit_containers: [{name: copy-files, args: [x]}]", "init_containers[0].name"),
    ("object_names: {container: main}\nsidecars: [{name: main, image: 'docker.io/library/nginx:1.29.0'}]", "sidecars[0].name"),
    ("volumes: [{path: /a}]\ncron_jobs: [{name: backup, schedule: 1 1 * * *}]", "cron_jobs[0].name"),
    ("volumes: [{path: /a}]\ncron_jobs: [{name: kit-backup, schedule: 1 1 * * *}]", "cron_jobs[0].name"),
    ("jobs: [{name: a, args: [x]}, {name: a, args: [y]}]", "jobs[1].name"),
    ("hosts: [{host: a.b, full: true}, {host: a-b}]", "hosts[1].host"),
    ("hosts: [{host: foo}]\nmachine_clients: [{paths: [/x/], auth: required, name: host-foo, max_body_size: 1m}]", "hosts[0].host"),
    ("object_names: {deployment: load-balancer}\nload_balancer: {ports: [http], reason: the house calls it}", "load_balancer"),
]  # fmt: skip
MOUNTS = [
    ("volumes: [{path: /proc}]", "volumes[0].path"),
    ("scratch: [{path: /sys/fs}]", "scratch[0].path"),
    ("scratch: [{path: /dev}]", "scratch[0].path"),
    ("volumes: [{path: /usr/}]", "volumes[0].path"),
    ("volumes: [{path: /a.yml/b}]\nfiles: [{path: /a.yml, content: x}]", "volumes[0].path"),
    ("volumes: [{path: /a}]\ncron_jobs: [{name: j, schedule: 1 1 * * *, mounts: [{volume: data, path: /proc}]}]", "cron_jobs[0].mounts[0].path"),
]  # fmt: skip
LAWFUL = [
    "ports: [{name: a, port: 8080, service_port: 81}, {name: b, port: 80, protocol: UDP}]",
    "volumes: [{path: /a}]\nfiles: [{path: /a/f, content: x}]\nscratch: [{path: /dev/shm}]",
    "volumes: [{path: /a}, {path: /usr/share/x, purpose: b}]",
    "jobs: [{name: a, args: [x]}]\ncron_jobs: [{name: a, schedule: 1 1 * * *}]",
    "volumes: [{path: /a}]\ninit_containers: [{name: i, args: [x]}]\nsidecars: [{name: s, args: [x]}]",
]


@pytest.mark.parametrize(("answers", "answer"), CLASHES)
def test_what_clashes_is_refused_at_the_later_answer(answers: str, answer: str) -> None:
    assert refused(APP + answers) == {(answer, "answers.clash")}


@pytest.mark.parametrize(("answers", "answer"), MOUNTS)
def test_a_mount_that_no_container_can_have(answers: str, answer: str) -> None:
    assert refused(APP + answers) == {(answer, "answers.mount-path")}


@pytest.mark.parametrize("answers", LAWFUL)
def test_what_only_looks_alike_is_accepted(answers: str) -> None:
    assert refused(APP + answers) == set()


def stack(answers: str) -> Any:
    assert refused(answers) == set()
    main = next(
        c for p, c in render(yaml.safe_load(answers), {}, {}, ORIGIN).files.items() if p.name == "main.tf"
    )
    assert isinstance(main, bytes)
    return parse(main)


def test_a_secret_and_a_config_map_of_one_name_are_two_volumes() -> None:
    text = stack(
        APP + "files: [{path: /a, vault: k}, {path: /b, config_map: kit-secrets, key: k}]"
    ).source.text()
    assert text.count('secret_name = "kit-secrets"') == 1
    config_map = text[text.index("volume {", text.index("liveness_probe")) :].partition("config_map {")
    assert 'name = "kit-secrets"' in config_map[2]
    assert 'name       = "kit-secrets-config"\n            mount_path = "/b"' in text


def test_a_variable_of_the_image_that_is_a_secret_stands_once() -> None:
    image = APP.replace("docker.io/library/nginx:1.29.0", "lscr.io/linuxserver/x:1.2.3")
    assert stack(image + "uid: 1000\nsecrets: [{env: PUID}]").source.text().count('"PUID"') == 1


def test_the_own_namespace_named_and_left_out_is_one_role() -> None:
    rules = "rbac: [{resources: [pods], verbs: [get]}, {namespace: kit, resources: [services], verbs: [get]}]"
    assert len(stack(APP + rules).body.blocks_of("resource", "kubernetes_role")) == 1
