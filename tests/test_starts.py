"""What runs as rendered: pods without service links, jobs with what they inherit, images that are releases."""

from __future__ import annotations

from typing import Any

import pytest
import yaml
from support import ORIGIN
from tables import decided, refused

from scaffold.answers.sources import from_yaml
from scaffold.checks.verify import Level
from scaffold.commands.new_service import prepare
from scaffold.hcl.syntax import Body, parse
from scaffold.monorepo.repository import Monorepo
from scaffold.templates import decisions, template
from scaffold.templates.render import render

APP = "name: notes\ndescription: Notes\nport: 8080\nimage: docker.io/library/nginx:1.29.0\n"
JOBS = "name: rates\ndescription: Rates\nshape: jobs\nbuild: forgejo-woodpecker\nsecrets: [{env: KEY}]\n"
FETCH = "cron_jobs: [{name: fetch, schedule: '0 3 * * *', command: [fetch], inherits: %s}]\n"
VOLUMES = """\
volumes: [{path: /data, size: 1Gi}, {path: /media, purpose: media, rwx: true}]
scratch: [{name: temp, path: /tmp}]
files: [{path: /etc/a.conf, content: a, writable: true}]
env: {MODE: fast}
"""


def rendered(text: str) -> dict[str, str]:
    assert refused(text) == set()
    files = render(yaml.safe_load(text), {}, {}, ORIGIN).files
    return {str(path): content.decode() for path, content in files.items() if isinstance(content, bytes)}


def combined(text: str) -> dict[str, Any]:
    return decisions.combine(yaml.safe_load(text))


def pods(body: Body, kind: str = "") -> list[tuple[str, Body]]:
    """The ``template`` blocks of a stack, by the type of their resource."""
    found = []
    for block in body.blocks:
        inner = block.labels[0] if block.type == "resource" else kind
        found += [(inner, block.body)] if block.type == "template" else pods(block.body, inner)
    return found


def test_a_port_with_tls_is_probed_with_it() -> None:
    text = f"{APP}health_path: /a\nprobes: {{liveness: {{path: /b, port: 9000}}}}\n"
    text += "ports: [{name: admin, port: 9000}]\n"
    for more, expected in (
        ("ingress_options: {backend_protocol: HTTPS}\n", [True, False]),
        ("", [False, False]),
    ):
        shown = rendered(text + more)["main.tf"]
        probes = [
            shown.partition(f"{kind}_probe {{")[2].partition("}")[0] for kind in ("readiness", "liveness")
        ]
        assert all("http_get" in probe for probe in probes)
        assert ['scheme = "HTTPS"' in probe for probe in probes] == expected


@pytest.mark.parametrize(
    "text",
    [
        APP + VOLUMES + FETCH % "true" + "jobs: [{name: once, command: [go]}]\n",
        JOBS + VOLUMES.replace("scratch: [{name: temp, path: /tmp}]\n", "") + FETCH % "true",
    ],
    ids=["app", "jobs"],
)
def test_no_pod_has_service_links(text: str) -> None:
    found = pods(parse(rendered(text)["main.tf"].encode(), "main.tf").body)
    assert {"kubernetes_cron_job_v1"} <= {kind for kind, _ in found}
    for _, pod in found:
        spec = pod.block("spec")
        assert spec is not None and spec.body.literal("enable_service_links") is False


@pytest.mark.parametrize(
    ("inherits", "volumes", "env"),
    [
        ("true", ["data", "media", "temp", "files"], ["MODE"]),
        ("null", ["files"], ["MODE"]),
        ("false", [], []),
    ],
)
def test_a_job_inherits_volumes_where_it_says_so(inherits: str, volumes: list[str], env: list[str]) -> None:
    (job,) = combined(APP + VOLUMES + FETCH % inherits)["containers"]["cron_jobs"]
    assert [mount["volume"] for mount in job["container"]["mounts"]] == volumes
    assert sorted(volume["name"] for volume in job["volumes"]) == sorted(volumes)
    assert [row["name"] for row in job["container"]["env"]] == env
    assert [node["selector"] for node in job["nodes"]] == (["notes"] if "data" in volumes else []), (
        "a ReadWriteOnce volume is only on the app's node"
    )


def test_mounts_of_a_job_stand_in_place_of_volumes_that_it_inherits() -> None:
    text = APP + VOLUMES + (FETCH % "true").replace("}]", ", mounts: [{volume: media}]}]")
    (job,) = combined(text)["containers"]["cron_jobs"]
    assert [mount["volume"] for mount in job["container"]["mounts"]] == ["media", "files"]
    assert job["nodes"] == []


def test_jobs_alone_have_nothing_of_a_deployment() -> None:
    files = rendered(JOBS + FETCH % "true")
    assert "image_tag" not in "".join(files.values())
    assert "eloader" not in files["main.tf"]
    assert decided(JOBS + FETCH % "true")["workload.image"].endswith("/rates:latest")
    steps = decisions.evaluate(
        "templates/decisions/next_steps.jinja",
        {**combined(JOBS + FETCH % "true"), "had": {}, "message": "rates: new Service", "paths": [], "manual": [], "checkout": {"locked": False},
         "operations": template.facts("operations"), "lists": decisions.house()["lists"], "committed": False},
    )  # fmt: skip
    told = " ".join(step["text"] for step in steps)
    assert "adopt=[jobs]" in told and "adopt=[deployment]" not in told
    assert "push the first image" in told, "the jobs run an image that CI builds"


@pytest.mark.parametrize(("text", "app"), [(JOBS, "rates"), (APP, "notes-jobs")], ids=["jobs", "app"])
def test_pods_of_jobs_have_labels_that_no_service_selects(text: str, app: str) -> None:
    volumes = VOLUMES.replace("scratch: [{name: temp, path: /tmp}]\n", "")
    files = rendered(text + volumes + FETCH % ("true" if text == JOBS else "null"))
    found = pods(parse(files["main.tf"].encode(), "main.tf").body)
    labels = []
    for kind, pod in found:
        metadata = pod.block("metadata")
        assert metadata is not None
        if kind != "kubernetes_deployment":
            labels.append(metadata.body.literal("labels"))
    assert labels == [{"app": app, "component": "fetch"}, {"app": app, "component": "backup"}]


@pytest.mark.parametrize(
    ("tag", "keel", "told"),
    [
        *((tag, "enrolled", True) for tag in
          ("stable", "edge", "release", "main", "nightly", "2.1-latest", "postgresql-latest", "apache", "11", "1.29")),
        *((tag, "enrolled", False) for tag in ("1.29.0", "v2.3.4", "2024.10.1", "1.2.3-alpine")),
        ("stable@sha256:" + "0" * 64, "enrolled", False),
        ("stable", "never", True), ("11", "pinned", False), ("1.29", "never", False),
    ],
)  # fmt: skip
def test_what_is_no_release_is_told(tag: str, keel: str, told: bool) -> None:
    text = f"name: notes\ndescription: Notes\nport: 8080\nimage: docker.io/acme/notes:{tag}\nkeel: {keel}\n"
    assert bool(combined(text)["workload"]["unpinned"]) is told


def test_images_without_a_release_are_warnings_at_their_answers(monorepo: Monorepo) -> None:
    text = (
        APP.replace("notes", "quill").replace("1.29.0", "stable")
        + "sidecars: [{name: proxy, image: 'docker.io/acme/proxy:11'}]\n"
    )
    prepared = prepare(
        monorepo,
        from_yaml(text.encode(), "a.yml"),
        level=Level.STATIC,
        template_source="https://x.test/t.git",
    )
    assert prepared.stack is not None
    found = [(w.answer, w.line, w.code) for w in prepared.stack.verified.warnings]
    assert found == [("image", 4, "answers.image-release"), ("sidecars[0].image", 5, "answers.image-release")]


@pytest.mark.parametrize("tier", ["gpu", "edge", "aux"])
def test_a_request_below_the_limit(tier: str) -> None:
    text = APP + f"tier: {tier}\nmemory: 1Gi\nmemory_request: 512Mi\n"
    assert refused(text) == set()
    assert 'memory = "512Mi"' in rendered(text)["main.tf"]


def test_jobs_share_a_database_with_a_reason_and_a_backup() -> None:
    shared = "volumes: [{path: /data, rwx: true, embedded_database: sqlite%s}]\n"
    assert refused(JOBS + FETCH % "true" + shared % "") == {
        ("volumes[0].embedded_database", "answers.database-on-nfs")
    }
    text = JOBS + FETCH % "true" + shared % ", database_reason: two jobs write to it"
    assert decided(text)["storage.volumes[data].backup"] == "sqlite"
    assert "sqlite" in rendered(text)["main.tf"].partition('"kubernetes_cron_job_v1" "backup"')[2]
    none = text.replace("database_reason", "backup: none, database_reason")
    assert refused(none) == {("volumes[0].backup_reason", "answers.backup-reason")}
    in_app = APP + shared % ", database_reason: two jobs write to it"
    assert ("volumes[0].embedded_database", "answers.database-on-nfs") in refused(in_app)


@pytest.mark.parametrize(
    ("more", "path"),
    [
        ("gate: app\ngate_reason: it has accounts\n", "/healthz"),
        ("gate: none\ngate_reason: anyone may read it\n", "/healthz"),
        ("", ""),
        ("gate: anubis\ngate_reason: anyone may read it\n", ""),
        ("gate: app\ngate_reason: it has accounts\ndns: none\n", ""),
        ("machine_clients: [{paths: [/healthz/], auth: none, reason: the monitor asks}]\n", "/healthz"),
        (
            "gate: app\ngate_reason: it has accounts\nmachine_clients: [{paths: [/heal], auth: required, prefix: true}]\n",
            "",
        ),
    ],
)
def test_the_monitor_asks_for_the_health_path_where_the_gate_lets_it_through(more: str, path: str) -> None:
    text = APP + "health_path: /healthz\n" + more
    assert decided(text)["ingress.monitor_path"] == path
    line = 'external-monitor-path" = "/healthz"'
    assert (line in " ".join(rendered(text)["main.tf"].split())) is bool(path)


def test_scratch_of_another_container_is_not_in_the_app_s() -> None:
    more = (
        "scratch: [{name: shm, path: /dev/shm, in_memory: true, size_limit: 4Gi, in_app: false}]\n"
        "sidecars: [{name: chrome, image: docker.io/acme/chrome:1.0.0, mounts: [{volume: shm, path: /dev/shm}]}]\n"
    )
    ((_, pod),) = pods(parse(rendered(APP + more)["main.tf"].encode(), "main.tf").body)
    spec = pod.block("spec")
    assert spec is not None
    app, chrome = [block.body for block in spec.body.blocks if block.type == "container"]
    mounted = [
        [m.body.literal("mount_path") for m in c.blocks if m.type == "volume_mount"] for c in (app, chrome)
    ]
    assert mounted == [[], ["/dev/shm"]]
