"""Workloads: what is decided for Deployments beside the app's, and what of the app's hangs on them."""

from __future__ import annotations

from typing import Any

import pytest

from scaffold.answers.sources import from_yaml
from scaffold.commands.steps import restore_steps
from scaffold.templates import decisions

APP = "name: notes\ndescription: Notes\nport: 8080\nimage: docker.io/library/nginx:1.29.0\n"


def combined(text: str) -> dict[str, Any]:
    return decisions.combine({**from_yaml(text.encode(), "notes.yml").values, "sensed": {}})


def workloads(text: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = combined(APP + text)["containers"]["workloads"]
    return found


@pytest.mark.parametrize(("memory", "update"), [("1Gi", "RollingUpdate"), ("2Gi", "Recreate")])
def test_other_deployments_take_of_the_quota(memory: str, update: str) -> None:
    """What the others leave has to hold a second pod for a while."""
    quota = "quota: {requests_memory: 3Gi}\nmemory: 1Gi\n"
    found = combined(APP + quota + f"workloads: [{{name: work, args: [x], memory: {memory}}}]\n")
    (work,) = found["containers"]["workloads"]
    assert found["workload"]["strategy"]["value"] == work["workload"]["strategy"]["value"] == update


def test_only_who_reads_a_secret_is_restarted_when_it_changes() -> None:
    text = "secrets: [{env: KEY}]\nworkloads: [{name: work, args: [x]}, {name: web, image: docker.io/acme/web:1.0.0}]\n"
    assert [item["workload"]["reloader"]["value"] for item in workloads(text)] == ["search", ""]
    assert [item["secrets"] for item in workloads(text)] == [["notes-secrets"], []]


def test_one_that_runs_the_apps_image_follows_the_app() -> None:
    text = "keel: never\nreloader: auto\nworkloads: [{name: work, args: [x]}, {name: web, image: docker.io/acme/web:1.0.0}]\n"
    work, web = (item["workload"] for item in workloads(text))
    assert (work["keel"]["value"], work["reloader"]["value"]) == ("never", "auto")
    assert (web["keel"]["value"], web["reloader"]["value"]) == ("enrolled", "")


def test_a_database_server_is_kept_from_keel() -> None:
    (db,) = workloads("workloads: [{name: db, image: docker.io/library/postgres:17.2, port: 5432}]\n")
    assert db["workload"]["keel"]["value"] == "never"
    assert db["ignored_images"] == []


def test_images_of_linuxserver_read_whom_they_run_as() -> None:
    (item,) = workloads(
        "workloads: [{name: code, image: 'lscr.io/linuxserver/code-server:4.100.3', uid: 1000}]\n"
    )
    assert [(row["name"], row["value"]) for row in item["container"]["env"]] == [
        ("PUID", "1000"),
        ("PGID", "1000"),
    ]
    assert item["workload"]["run_as"]["value"] is None


VOLUMES = """\
volumes:
  - {path: /data, purpose: data}
  - {path: /index, purpose: index, in_app: false}
workloads:
  - {name: search, image: docker.io/acme/finder:1.0.0, port: 7700, mounts: [{volume: index}]}
  - {name: work, args: [x]}
"""


def test_block_volumes_that_one_backup_reads_are_on_one_node() -> None:
    search, work = workloads(VOLUMES)
    assert search["node"] == {"selector": "notes", "parked": False}
    assert work["node"] == {}, "it has no volume"
    alone = workloads(VOLUMES.replace("purpose: data", "purpose: data, rwx: true"))
    assert alone[0]["node"] == {}, "the app has no block volume"


def test_a_restore_stops_who_mounts_the_volume() -> None:
    data, index = (step.command for step in restore_steps(combined(APP + VOLUMES)))
    assert "scale deployment/notes --replicas=0" in data and "notes-search" not in data
    assert "scale deployment/notes-search --replicas=0" in index and "scale deployment/notes " not in index


def test_a_database_of_a_workload_is_dumped_at_its_service() -> None:
    found = combined(
        APP
        + "volumes: [{path: /var/lib/postgresql/data, purpose: store, backup: pg_dump}]\n"
        + "workloads:\n  - {name: db, image: docker.io/library/postgres:17.2, port: 5432, service_port: 5432,\n"
        + "     mounts: [{volume: store, sub_path: data}], env: {POSTGRES_PASSWORD: {secret: login, key: password}}}\n"
    )
    (dump,) = found["dumps"]
    assert (dump["service"], dump["port"], dump["own_service"]) == ("notes-db", 5432, False)
    assert not found["storage"]["volumes"][0]["in_app"], "its server has it"
    (step,) = restore_steps(found)
    assert "scale deployment/notes --replicas=0" in step.command, "the app stops, its database does not"
    assert "deployment/notes-db" not in step.command


@pytest.mark.parametrize("service", ["search", "notes-search"])
def test_a_host_and_a_carve_out_lead_to_a_workload(service: str) -> None:
    carved = f"machine_clients: [{{paths: [/find/], auth: app, reason: it has keys, service: {service}}}]\n"
    found = combined(APP + VOLUMES + f"hosts: [{{host: find, service: {service}}}]\n" + carved)
    for part in ("hosts", "carve_outs"):
        (place,) = found["ingress"][part]
        assert (place["service"], place["port"]) == ("notes-search", 80)
