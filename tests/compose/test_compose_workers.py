"""Where workers run that have the app's image."""

from __future__ import annotations

from pathlib import Path

import pytest
from composed import draft, entry, roles

from scaffold.answers.compose.report import Fate

WORKER = "a Deployment beside the app's"


@pytest.mark.parametrize(
    "app,worker,role",
    [
        ("", "", WORKER),
        ("environment: {CACHE: 'redis://cache/1'}", "", WORKER),
        ("volumes: ['data:/data']", "", WORKER),
        ("volumes: ['data:/data']", "volumes: ['data:/data']", "a sidecar"),
        ("environment: {SEARCH: 'http://search:7700'}", "", "a sidecar"),
        ("", "environment: {APP: 'http://app:80'}", "a sidecar"),
        ("environment: {RPC: 'worker:9000'}", "", "a sidecar"),
        ("", "ports: ['9000:9000']", "a sidecar"),
        ("", "network_mode: 'service:app'", "a sidecar"),
        ("depends_on: [search]", "", "a sidecar"),  # its default may be to ask it
        ("", "depends_on: [app, cache]", WORKER),
    ],
)
def test_a_worker_that_shares_nothing_with_the_app_has_pods_of_its_own(
    at: Path, app: str, worker: str, role: str
) -> None:
    found = draft(
        at,
        f"""
services:
  app: {{image: 'acme/x:1', ports: ['80:80'], {app}}}
  worker: {{image: 'acme/x:1', command: work, {worker}}}
  search: {{image: 'acme/search:1'}}
  cache: {{image: 'redis:7'}}
""",
    )
    assert roles(found)["worker"] == role
    items = found.answers["workloads" if role == WORKER else "sidecars"]
    assert [item["args"] for item in items if item["name"] == "worker"] == [["work"]]


def test_a_worker_of_its_own_has_its_number_of_pods_and_the_rest_of_its_keys(at: Path) -> None:
    found = draft(
        at,
        """
services:
  app: {image: 'acme/x:1', ports: ['80:80'], environment: {A: a, MODE: web}}
  worker:
    image: acme/x:1
    command: work
    environment: {A: a, MODE: work, KEY_SECRET: swordfish-1}
    deploy: {replicas: 3, resources: {limits: {memory: 1G}}}
    stop_grace_period: 2m
    user: '1000'
""",
    )
    assert found.answers["workloads"] == [
        {
            "name": "worker",
            "args": ["work"],
            "env": {"MODE": "work"},
            "uid": 1000,
            "memory": "1Gi",
            "replicas": 3,
            "shutdown_seconds": 120,
        }
    ]
    assert found.answers["secrets"] == [{"env": "KEY_SECRET"}] and "sidecars" not in found.answers


def test_an_app_that_only_runs_at_times_has_no_deployment_beside_it(at: Path) -> None:
    schedule = "labels: {swarm.cronjob.schedule: '0 3 * * *'}"
    text = f"services:\n  app: {{image: 'acme/x:1', {schedule}}}\n  worker: {{image: 'acme/x:1', command: work}}\n"
    assert roles(draft(at, text, "app"))["worker"] == "a sidecar"


def test_a_worker_that_ends_by_itself_is_told(at: Path) -> None:
    text = (
        "services:\n  app: {image: 'acme/x:1', ports: ['80:80'], command: serve --time-limit=9}\n"
        "  worker: {image: 'acme/x:1', entrypoint: [php, consume, --time-limit=300]}\n"
    )
    found = draft(at, text)
    assert "with --time-limit it ends by itself" in entry(found, "services.worker.entrypoint")
    assert entry(found, "services.app.command") == "" and entry(found, "services.worker.image", Fate.TAKEN)


@pytest.mark.parametrize(
    "app,memory",
    [
        ("image: 'acme/x:1', mem_limit: 2g", "2Gi"),
        ("image: 'acme/x:1'", "256Mi"),
        ("image: 'ghcr.io/seanmorley15/adventurelog:v1'", "2Gi"),  # by its documentation
    ],
)
def test_what_runs_the_app_s_image_needs_the_app_s_memory(at: Path, app: str, memory: str) -> None:
    found = draft(
        at,
        f"services:\n  app: {{{app}, ports: ['80:80']}}\n"
        f"  worker: {{{app.partition(', mem')[0]}, command: work}}\n"
        f"  migrate: {{{app.partition(', mem')[0]}, command: migrate, mem_limit: 1g}}\n",
    )
    assert found.answers["workloads"][0]["memory"] == memory
    assert found.answers["init_containers"][0]["memory"] == "1Gi"
